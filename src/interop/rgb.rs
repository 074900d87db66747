//! Pixels of `rgb` as elements of a buffer.
//!
//! Slices, `Vec`s and cells of these pixels are sources, also behind a lock. The
//! format is not found from the type: colors with alpha can be straight or
//! premultiplied.
//!
//! | pixel | format for `u8` |
//! |---|---|
//! | `Rgb`, `Bgr` | `RGB8`, `BGR8` |
//! | `Rgba`, `Bgra`, `Argb`, `Abgr` | `RGBA8`, `BGRA8`, `ARGB8`, `ABGR8` |
//! | `Gray`, `GrayAlpha` | `GRAY8`, `GRAY_ALPHA8` |
//!
//! # Examples
//!
//! ```
//! use pixview::{Image, PixelFormat};
//! use rgb::Bgra;
//!
//! let mut buffer = vec![Bgra { b: 255u8, g: 0, r: 0, a: 255 }; 16];
//! let mut image = Image::from_buffer(&mut buffer, 4, 4, PixelFormat::BGRA8)?;
//! image.pixels_mut()?.put(0, 0, [1, 2, 3, 4])?;
//! assert_eq!(buffer[0], Bgra { b: 3, g: 2, r: 1, a: 4 });
//! # Ok::<(), pixview::Error>(())
//! ```

use ::rgb::{Abgr, Argb, Bgr, Bgra, Gray, GrayAlpha, Rgb, Rgba};
use bytemuck::Pod;

use crate::source::Plain;

macro_rules! plain {
    ($($pixel:ident)*) => {$(
        impl<T: Plain + Pod> Plain for $pixel<T> {}
    )*};
}

plain!(Abgr Argb Bgr Bgra Gray GrayAlpha Rgb Rgba);
