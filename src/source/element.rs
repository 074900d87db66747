//! The elements that a container may hold.

use std::cell::Cell;

use bytemuck::{AnyBitPattern, NoUninit, Pod};

use super::{Lease, LeaseMut};

/// A plain element of a pixel buffer: a number, an array of numbers, or a pixel
/// struct of the caller's.
///
/// An element is memory: its bytes are the bytes of the pixels, and no number
/// is converted. An `f32` of 0.5 in an `RGBA8` buffer is the four bytes of that
/// `f32`, not a gray.
///
/// A literal without a type is an `i32` or `f64`: `vec![0; n]` has four bytes for
/// each element. Write `vec![0u8; n]`.
///
/// An access loads whole elements. Cells of a pixel or less are the fastest.
/// Cells of large arrays, such as a cell for each row, are slow to read in
/// small parts.
///
/// # Implementer notes
///
/// Derive [`bytemuck::Pod`] and implement this trait, which has no methods. A
/// type that is only read needs no more than [`bytemuck::NoUninit`]. A type
/// that is written through a view also needs [`bytemuck::AnyBitPattern`], which
/// `Pod` implies. The derives are in the feature `derive` of `bytemuck`:
/// `bytemuck = { version = "1.25", features = ["derive"] }`.
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
///
/// # Pixel structs of another crate
///
/// The pixels of the crate `rgb` are elements with the feature `rgb`.
///
/// `Plain` cannot be implemented for a type of another crate (error E0117). If
/// the type is [`bytemuck::Pod`], cast the slice to bytes. The cast copies
/// nothing.
///
/// ```
/// use pixview::{Image, PixelFormat};
/// # mod other_crate {
/// #     #[derive(Clone, Copy, Default, bytemuck::Pod, bytemuck::Zeroable)]
/// #     #[repr(C)]
/// #     pub struct Rgb { pub r: u8, pub g: u8, pub b: u8 }
/// # }
/// use other_crate::Rgb; // `Rgb { r: u8, g: u8, b: u8 }`, which is `Pod`
///
/// let mut buffer = vec![Rgb { r: 1, g: 2, b: 3 }; 16];
///
/// let bytes = bytemuck::cast_slice::<_, u8>(&buffer);
/// let image = Image::from_buffer(bytes, 4, 4, PixelFormat::RGB8)?;
/// assert_eq!(image.pixels()?.get(0, 0)?, [1, 2, 3]);
///
/// let bytes = bytemuck::cast_slice_mut::<_, u8>(&mut buffer);
/// let mut image = Image::from_buffer(bytes, 4, 4, PixelFormat::RGB8)?;
/// image.pixels_mut()?.put(0, 0, [7, 8, 9])?;
/// assert_eq!(buffer[0].g, 8);
/// # Ok::<(), pixview::Error>(())
/// ```
///
/// For a buffer of cells, or one that the image owns, wrap the type in a struct
/// with `#[repr(transparent)]`. `bytemuck` casts between slices of the type and
/// slices of the struct.
///
/// ```
/// use std::cell::Cell;
/// use pixview::{Image, PixelFormat};
/// use pixview::source::Plain;
/// # mod other_crate {
/// #     #[derive(Clone, Copy, Default, bytemuck::Pod, bytemuck::Zeroable)]
/// #     #[repr(C)]
/// #     pub struct Rgb { pub r: u8, pub g: u8, pub b: u8 }
/// # }
/// use other_crate::Rgb;
///
/// #[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
/// #[repr(transparent)]
/// struct Element(Rgb);
///
/// impl Plain for Element {}
///
/// let mut buffer = vec![Rgb::default(); 16];
/// let elements: &mut [Element] = bytemuck::cast_slice_mut(&mut buffer);
/// let cells = Cell::from_mut(elements).as_slice_of_cells();
///
/// let image = Image::from_buffer(cells, 4, 4, PixelFormat::RGB8)?;
/// cells[0].set(Element(Rgb { r: 7, g: 8, b: 9 }));
/// assert_eq!(image.pixels()?.get(0, 0)?, [7, 8, 9]);
/// # Ok::<(), pixview::Error>(())
/// ```
///
/// For a buffer behind a lock, implement
/// [`PlainBuffer`](crate::source::PlainBuffer) with `u8` elements, and return the cast
/// slice.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an element of a pixel buffer",
    note = "elements are `u8`, `i8`, `u16`, `i16`, `u32`, `i32`, `u64`, `f32`, `f64`, `half::f16` with the feature `half`, the pixels of `rgb` with the feature `rgb`, arrays of them, and structs that implement `pixview::source::Plain`",
    note = "`pixview::source::Plain` can't be implemented for a struct of another crate: give the image `bytemuck::cast_slice::<_, u8>(&buffer)`, or wrap the struct; both are shown in the docs of `Plain`",
    note = "rows in `Vec`s of their own are not one buffer: give one `Vec` with all rows"
)]
pub trait Plain: NoUninit {}

impl Plain for u8 {}
impl Plain for i8 {}
impl Plain for u16 {}
impl Plain for i16 {}
impl Plain for u32 {}
impl Plain for i32 {}
impl Plain for u64 {}
impl Plain for f32 {}
impl Plain for f64 {}
#[cfg(feature = "half")]
impl Plain for half::f16 {}
impl<T: Plain + Pod, const N: usize> Plain for [T; N] {}

/// An element of a pixel buffer: a [`Plain`] type, a [`Cell`] of one, or an
/// atomic. Callers add types through [`Plain`].
pub trait Element: sealed::Sealed + Sized {
    #[doc(hidden)]
    fn lease(slice: &[Self]) -> Lease<'_>;
}

/// An element that can be written by the sole holder of the buffer.
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

impl<T: Plain> sealed::Sealed for Cell<T> {}

impl<T: Plain> Element for Cell<T> {
    fn lease(slice: &[Self]) -> Lease<'_> {
        Lease::live_slice(slice)
    }
}

impl<T: Plain + AnyBitPattern> ElementMut for Cell<T> {
    fn lease_mut(slice: &mut [Self]) -> LeaseMut<'_> {
        LeaseMut::live_slice(slice)
    }
}

impl<T: Plain + AnyBitPattern> SharedElement for Cell<T> {
    fn lease_shared(slice: &[Self]) -> LeaseMut<'_> {
        LeaseMut::live_slice(slice)
    }
}

macro_rules! atomic_elements {
    ($($(#[$cfg:meta])* $atomic:ident;)*) => {$(
        $(#[$cfg])*
        impl sealed::Sealed for std::sync::atomic::$atomic {}

        $(#[$cfg])*
        impl Element for std::sync::atomic::$atomic {
            fn lease(slice: &[Self]) -> Lease<'_> {
                Lease::live_slice(slice)
            }
        }

        $(#[$cfg])*
        impl ElementMut for std::sync::atomic::$atomic {
            fn lease_mut(slice: &mut [Self]) -> LeaseMut<'_> {
                LeaseMut::live_slice(slice)
            }
        }

        $(#[$cfg])*
        impl SharedElement for std::sync::atomic::$atomic {
            fn lease_shared(slice: &[Self]) -> LeaseMut<'_> {
                LeaseMut::live_slice(slice)
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
