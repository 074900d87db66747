//! Sources from functions that return guards, such as those of other crates'
//! locks.

use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};

use super::{
    Lease, LeaseMut, PixelSource, PixelSourceMut, PlainBuffer, PlainBufferMut, SharedPixelSource,
    SourceError,
};

/// A source that calls a function for the guard of each access. Created by
/// [`from_fn`].
pub struct FromFn<F, G>(F, PhantomData<fn() -> G>);

/// Creates a source from a function that returns a guard, such as the guard of
/// another crate's lock. Every access calls the function, holds the guard, and
/// drops the guard when the access ends.
///
/// The guard derefs to a [`PlainBuffer`]. If it implements [`DerefMut`], the
/// pixels can be written through a view. For a readers-writer lock, make two
/// sources: one that calls `read`, and one that calls `write`.
///
/// The locks of the standard library are sources without this function, and they
/// report a poisoned lock. To report an error of your own, use
/// [`from_shared`](super::from_shared).
///
/// # Examples
///
/// ```
/// use pixview::{Image, PixelFormat, source};
/// # mod parking_lot {
/// #     pub struct Mutex<T>(std::sync::Mutex<T>);
/// #     impl<T> Mutex<T> {
/// #         pub fn new(value: T) -> Self { Mutex(std::sync::Mutex::new(value)) }
/// #         pub fn lock(&self) -> std::sync::MutexGuard<'_, T> { self.0.lock().unwrap() }
/// #     }
/// # }
///
/// let frame = parking_lot::Mutex::new(vec![0u8; 64]);
/// let image = Image::from_buffer(source::from_fn(|| frame.lock()), 8, 8, PixelFormat::GRAY8)?;
/// frame.lock()[0] = 255;
/// assert_eq!(image.pixels()?.get(0, 0)?, [255]);
/// # Ok::<(), pixview::Error>(())
/// ```
///
/// A function that owns an `Arc` cannot return a guard that borrows from the `Arc`.
/// For an image that owns the `Arc` and moves to another thread, use
/// [`from_shared`](super::from_shared). For one save, borrow the guard:
/// `Image::from_buffer(&frame.lock()[..], ..)`.
pub fn from_fn<F, G>(guard: F) -> FromFn<F, G>
where
    F: Fn() -> G,
    G: Deref<Target: PlainBuffer>,
{
    FromFn(guard, PhantomData)
}

/// Shows the type of the function, never the pixels.
impl<F, G> fmt::Debug for FromFn<F, G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("FromFn")
            .field(&format_args!("{}", std::any::type_name::<F>()))
            .finish()
    }
}

impl<F, G> PixelSource for FromFn<F, G>
where
    F: Fn() -> G,
    G: Deref<Target: PlainBuffer>,
{
    fn lease(&self) -> Result<Lease<'_>, SourceError> {
        Ok(Lease::guard((self.0)()))
    }
}

impl<F, G> SharedPixelSource for FromFn<F, G>
where
    F: Fn() -> G,
    G: DerefMut<Target: PlainBufferMut>,
{
    fn lease_shared(&self) -> Result<LeaseMut<'_>, SourceError> {
        Ok(LeaseMut::guard((self.0)()))
    }
}

impl<F, G> PixelSourceMut for FromFn<F, G>
where
    F: Fn() -> G,
    G: DerefMut<Target: PlainBufferMut>,
{
    fn lease_mut(&mut self) -> Result<LeaseMut<'_>, SourceError> {
        SharedPixelSource::lease_shared(&*self)
    }
}
