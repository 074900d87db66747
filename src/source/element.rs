//! What a container may hold.

use std::cell::Cell;

use bytemuck::{AnyBitPattern, NoUninit, Pod};

use super::live::Slots;
use super::{Lease, LeaseMut};

/// A plain element of a pixel buffer: a number, an array of them, or a pixel
/// struct of the caller's.
///
/// An element is memory: its bytes are the pixels' bytes, and no number is
/// converted. An `f32` of 0.5 over `RGBA8` is the four bytes that make up that
/// `f32`, not a gray.
///
/// An access loads whole elements. Cells of large arrays, such as a row each,
/// are slow to read in small pieces; a pixel or less each is best.
///
/// # Implementer notes
///
/// Derive what `bytemuck` asks for and add the empty implementation. To be
/// written through a view the type also needs [`bytemuck::AnyBitPattern`],
/// which comes with [`bytemuck::Pod`]. The derives are `bytemuck`'s, with its
/// feature `derive`: `bytemuck = { version = "1.25", features = ["derive"] }`.
///
/// ```
/// use pixview::{Image, PixelFormat};
/// use pixview::source::Plain;
///
/// #[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
/// #[repr(C)]
/// struct Bgra {
///     b: u8,
///     g: u8,
///     r: u8,
///     a: u8,
/// }
///
/// impl Plain for Bgra {}
///
/// let buffer = vec![Bgra { b: 255, g: 0, r: 0, a: 255 }; 16];
/// let image = Image::from_buffer(&buffer, 4, 4, PixelFormat::BGRA8)?;
/// assert_eq!(image.pixels()?.get(0, 0)?, [0, 0, 255, 255]);
/// # Ok::<(), pixview::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an element of a pixel buffer",
    note = "elements are `u8`, `u16`, `i16`, `u32`, `u64`, `f32`, arrays of them, and structs that implement `pixview::source::Plain`; a literal without a type is `i32`: write `0u8`"
)]
pub trait Plain: NoUninit {}

impl Plain for u8 {}
impl Plain for u16 {}
impl Plain for i16 {}
impl Plain for u32 {}
impl Plain for u64 {}
impl Plain for f32 {}
impl<T: Plain + Pod, const N: usize> Plain for [T; N] {}

/// An element of a pixel buffer: [`Plain`], a [`Cell`] of that, or an atomic.
/// Callers add types of their own through [`Plain`].
pub trait Element: sealed::Sealed + Sized {
    #[doc(hidden)]
    fn lease(slice: &[Self]) -> Lease<'_>;
}

/// An element that can be written by whoever has the buffer alone.
pub trait ElementMut: Element {
    #[doc(hidden)]
    fn lease_mut(slice: &mut [Self]) -> LeaseMut<'_>;
}

/// An element that can be written while the buffer is shared: a [`Cell`] or an
/// atomic.
#[diagnostic::on_unimplemented(
    message = "plain `{Self}`s behind a shared reference can be read but not written through",
    note = "give the image `&mut buffer` or the buffer itself, or share it as `&[Cell<{Self}>]`, as atomics, in a `RefCell` or behind a lock"
)]
pub trait SharedElement: ElementMut {
    #[doc(hidden)]
    fn lease_shared(slice: &[Self]) -> LeaseMut<'_>;
}

mod sealed {
    pub trait Sealed {}
}

impl<T: Plain> sealed::Sealed for T {}

impl<T: Plain> Element for T {
    fn lease(slice: &[Self]) -> Lease<'_> {
        Lease::slice(slice)
    }
}

impl<T: Plain + AnyBitPattern> ElementMut for T {
    fn lease_mut(slice: &mut [Self]) -> LeaseMut<'_> {
        LeaseMut::slice(slice)
    }
}

/// A slice of cells is never taken for a slice of bytes: code of the caller's
/// runs during a save and may hold the same cells.
impl<T: Plain> sealed::Sealed for Cell<T> {}

impl<T: Plain> Element for Cell<T> {
    fn lease(slice: &[Self]) -> Lease<'_> {
        Lease::slots(Slots(slice))
    }
}

impl<T: Plain + AnyBitPattern> ElementMut for Cell<T> {
    fn lease_mut(slice: &mut [Self]) -> LeaseMut<'_> {
        LeaseMut::slots(Slots(slice))
    }
}

impl<T: Plain + AnyBitPattern> SharedElement for Cell<T> {
    fn lease_shared(slice: &[Self]) -> LeaseMut<'_> {
        LeaseMut::slots(Slots(slice))
    }
}

macro_rules! atomic_elements {
    ($($(#[$cfg:meta])* $atomic:ident;)*) => {$(
        $(#[$cfg])*
        impl sealed::Sealed for std::sync::atomic::$atomic {}

        $(#[$cfg])*
        impl Element for std::sync::atomic::$atomic {
            fn lease(slice: &[Self]) -> Lease<'_> {
                Lease::slots(Slots(slice))
            }
        }

        $(#[$cfg])*
        impl ElementMut for std::sync::atomic::$atomic {
            fn lease_mut(slice: &mut [Self]) -> LeaseMut<'_> {
                LeaseMut::slots(Slots(slice))
            }
        }

        $(#[$cfg])*
        impl SharedElement for std::sync::atomic::$atomic {
            fn lease_shared(slice: &[Self]) -> LeaseMut<'_> {
                LeaseMut::slots(Slots(slice))
            }
        }
    )*};
}

atomic_elements! {
    AtomicU8;
    AtomicU16;
    AtomicU32;
    #[cfg(target_has_atomic = "64")]
    AtomicU64;
}
