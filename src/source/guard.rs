//! Guards as sources: `RefCell`, `Mutex` and `RwLock` around plain memory.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::{Arc, Mutex, RwLock};

use bytemuck::AnyBitPattern;

use super::{Lease, LeaseMut, PixelSource, PixelSourceMut, Plain, SharedPixelSource, SourceError};

/// Plain memory that may be behind a guard: slices, arrays and vectors of
/// [`Plain`] elements, pointers to those, and an [`Owner`](super::Owner) that
/// derefs to those.
///
/// # Implementer notes
///
/// Implement this trait for a struct that has pixels besides other fields. A
/// lock or `RefCell` around the struct is then a source. Implement
/// [`PlainBufferMut`] as well, so that the pixels inside the lock can be
/// written through a view. For a struct that is a source without a lock,
/// implement [`PixelSource`] instead.
///
/// ```
/// use std::sync::{Arc, Mutex};
/// use pixview::{Image, PixelFormat};
/// use pixview::source::PlainBuffer;
///
/// struct Frame {
///     number: u64,
///     pixels: Vec<u16>,
/// }
///
/// impl PlainBuffer for Frame {
///     type Element = u16;
///
///     fn as_elements(&self) -> &[u16] {
///         &self.pixels
///     }
/// }
///
/// let frame = Arc::new(Mutex::new(Frame { number: 1, pixels: vec![0; 64] }));
/// let image = Image::from_buffer(frame.clone(), 8, 8, PixelFormat::GRAY16)?;
/// frame.lock().unwrap().pixels[0] = 65535;
/// assert_eq!(image.pixels()?.get(0, 0)?, [65535]);
/// # frame.lock().unwrap().number += 1;
/// # Ok::<(), pixview::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` behind a lock or `RefCell` is not a buffer of plain pixels",
    note = "slices, arrays and `Vec`s of `u8`, `i8`, `u16`, `i16`, `u32`, `i32`, `u64`, `f32`, `f64` are; implement `pixview::source::PlainBuffer` for a struct of your own; cells and atomics need no lock around them",
    note = "a type of another crate that derefs to a slice, such as `MmapMut`, goes into `pixview::source::Owner(..)` inside the lock",
    note = "if the type in the lock cannot be changed, use `pixview::source::from_shared` with `Lease::guard_map`, or borrow the guard for each save: `&lock.lock().unwrap()[..]`"
)]
pub trait PlainBuffer {
    /// The type of the elements.
    type Element: Plain;

    /// Returns all elements of the buffer. Their number must not change.
    fn as_elements(&self) -> &[Self::Element];
}

/// A [`PlainBuffer`] whose elements can be written through a view.
///
/// # Examples
///
/// ```
/// use std::sync::RwLock;
/// use pixview::{Image, PixelFormat};
/// use pixview::source::{PlainBuffer, PlainBufferMut};
///
/// struct Frame(Vec<u8>);
///
/// impl PlainBuffer for Frame {
///     type Element = u8;
///
///     fn as_elements(&self) -> &[u8] {
///         &self.0
///     }
/// }
///
/// impl PlainBufferMut for Frame {
///     fn as_elements_mut(&mut self) -> &mut [u8] {
///         &mut self.0
///     }
/// }
///
/// let frame = RwLock::new(Frame(vec![0; 64]));
/// let mut image = Image::from_buffer(&frame, 8, 8, PixelFormat::GRAY8)?;
/// image.pixels_mut()?.fill([7])?;
/// assert_eq!(frame.read().unwrap().0[63], 7);
/// # Ok::<(), pixview::Error>(())
/// ```
pub trait PlainBufferMut: PlainBuffer<Element: AnyBitPattern> {
    /// Returns all elements of the buffer for writing.
    fn as_elements_mut(&mut self) -> &mut [Self::Element];
}

impl<T: Plain> PlainBuffer for [T] {
    type Element = T;

    fn as_elements(&self) -> &[T] {
        self
    }
}

impl<T: Plain + AnyBitPattern> PlainBufferMut for [T] {
    fn as_elements_mut(&mut self) -> &mut [T] {
        self
    }
}

impl<T: Plain, const N: usize> PlainBuffer for [T; N] {
    type Element = T;

    fn as_elements(&self) -> &[T] {
        self
    }
}

impl<T: Plain + AnyBitPattern, const N: usize> PlainBufferMut for [T; N] {
    fn as_elements_mut(&mut self) -> &mut [T] {
        self
    }
}

impl<T: Plain> PlainBuffer for Vec<T> {
    type Element = T;

    fn as_elements(&self) -> &[T] {
        self
    }
}

impl<T: Plain + AnyBitPattern> PlainBufferMut for Vec<T> {
    fn as_elements_mut(&mut self) -> &mut [T] {
        self
    }
}

macro_rules! pointers {
    ($($pointer:ty,)*) => {$(
        impl<B: PlainBuffer + ?Sized> PlainBuffer for $pointer {
            type Element = B::Element;

            fn as_elements(&self) -> &[B::Element] {
                (**self).as_elements()
            }
        }
    )*};
}

macro_rules! unique_pointers {
    ($($pointer:ty,)*) => {$(
        impl<B: PlainBufferMut + ?Sized> PlainBufferMut for $pointer {
            fn as_elements_mut(&mut self) -> &mut [B::Element] {
                (**self).as_elements_mut()
            }
        }
    )*};
}

pointers!(&B, &mut B, Box<B>, Rc<B>, Arc<B>,);
unique_pointers!(&mut B, Box<B>,);

impl<B: PlainBuffer + ?Sized> PixelSource for RefCell<B> {
    fn lease(&self) -> Result<Lease<'_>, SourceError> {
        Ok(Lease::guard(self.try_borrow()?))
    }
}

impl<B: PlainBufferMut + ?Sized> SharedPixelSource for RefCell<B> {
    fn lease_shared(&self) -> Result<LeaseMut<'_>, SourceError> {
        Ok(LeaseMut::guard(self.try_borrow_mut()?))
    }
}

impl<B: PlainBuffer + ?Sized> PixelSource for Mutex<B> {
    fn lease(&self) -> Result<Lease<'_>, SourceError> {
        Ok(Lease::guard(self.lock()?))
    }
}

impl<B: PlainBufferMut + ?Sized> SharedPixelSource for Mutex<B> {
    fn lease_shared(&self) -> Result<LeaseMut<'_>, SourceError> {
        Ok(LeaseMut::guard(self.lock()?))
    }
}

impl<B: PlainBuffer + ?Sized> PixelSource for RwLock<B> {
    fn lease(&self) -> Result<Lease<'_>, SourceError> {
        Ok(Lease::guard(self.read()?))
    }
}

impl<B: PlainBufferMut + ?Sized> SharedPixelSource for RwLock<B> {
    fn lease_shared(&self) -> Result<LeaseMut<'_>, SourceError> {
        Ok(LeaseMut::guard(self.write()?))
    }
}

macro_rules! unshared_guards {
    ($($guard:ident)*) => {$(
        impl<B: PlainBufferMut + ?Sized> PixelSourceMut for $guard<B> {
            fn lease_mut(&mut self) -> Result<LeaseMut<'_>, SourceError> {
                SharedPixelSource::lease_shared(&*self)
            }
        }
    )*};
}

unshared_guards!(RefCell Mutex RwLock);
