//! Sources that own a shared pointer to another crate's lock.

use std::fmt;

use super::{Lease, PixelSource, SourceError};

/// A source that owns a value and leases memory from the value. Created by
/// [`from_shared`].
pub struct FromShared<T, F> {
    shared: T,
    lease: F,
}

/// Creates a source that owns a value, such as an `Arc` of another crate's lock,
/// and calls a function for the lease of each access. The function borrows the
/// value. If the value is `Send`, the image can move to another thread.
///
/// [`Lease::guard`] takes a guard of a [`PlainBuffer`](super::PlainBuffer), such as
/// a `Vec<u8>`. [`Lease::guard_map`] takes a guard of any other type, and a function
/// that returns the slice of the pixels. The `?` operator turns a poisoned lock and
/// a borrowed `RefCell` into a [`SourceError`].
///
/// The source can be read, not written through a view. A lock that is borrowed can
/// be written through [`from_fn`](super::from_fn).
///
/// # Examples
///
/// A thread saves what another crate's lock guards:
///
/// ```
/// use pixview::source::{Lease, from_shared};
/// use pixview::{Image, PixelFormat};
/// use std::sync::Arc;
/// # mod parking_lot {
/// #     pub struct RwLock<T>(std::sync::RwLock<T>);
/// #     impl<T> RwLock<T> {
/// #         pub fn new(value: T) -> Self { RwLock(std::sync::RwLock::new(value)) }
/// #         pub fn read(&self) -> std::sync::RwLockReadGuard<'_, T> { self.0.read().unwrap() }
/// #         pub fn write(&self) -> std::sync::RwLockWriteGuard<'_, T> { self.0.write().unwrap() }
/// #     }
/// # }
///
/// let screen = Arc::new(parking_lot::RwLock::new(vec![0u8; 64]));
/// let shared = from_shared(screen.clone(), |screen| Ok(Lease::guard(screen.read())));
/// let image = Image::from_buffer(shared, 8, 8, PixelFormat::GRAY8)?;
/// let saver = std::thread::spawn(move || image.to_png());
/// screen.write()[0] = 255;
/// # let _ =
/// saver.join().unwrap()?;
/// # Ok::<(), pixview::Error>(())
/// ```
///
/// A lock around a type that derefs to a slice, where neither type can be changed:
///
/// ```
/// use pixview::source::{Lease, from_shared};
/// use pixview::{Image, PixelFormat};
/// use std::sync::{Arc, Mutex};
/// # struct MmapMut(Vec<u8>);
/// # impl std::ops::Deref for MmapMut {
/// #     type Target = [u8];
/// #     fn deref(&self) -> &[u8] { &self.0 }
/// # }
///
/// fn view(screen: Arc<Mutex<MmapMut>>) -> Result<(), pixview::Error> {
///     let shared = from_shared(screen, |screen| {
///         Ok(Lease::guard_map(screen.lock()?, |mapped| &mapped[..]))
///     });
///     let image = Image::from_buffer(shared, 8, 8, PixelFormat::RGB565LE)?;
/// #   image.to_png()?;
///     Ok(())
/// }
/// # view(Arc::new(Mutex::new(MmapMut(vec![0; 128]))))?;
/// # Ok::<(), pixview::Error>(())
/// ```
pub fn from_shared<T, F>(shared: T, lease: F) -> FromShared<T, F>
where
    F: for<'a> Fn(&'a T) -> Result<Lease<'a>, SourceError>,
{
    FromShared { shared, lease }
}

impl<T, F> PixelSource for FromShared<T, F>
where
    F: for<'a> Fn(&'a T) -> Result<Lease<'a>, SourceError>,
{
    fn lease(&self) -> Result<Lease<'_>, SourceError> {
        (self.lease)(&self.shared)
    }
}

/// Shows the type of the value, never the pixels.
impl<T, F> fmt::Debug for FromShared<T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("FromShared")
            .field(&format_args!("{}", std::any::type_name::<T>()))
            .finish()
    }
}
