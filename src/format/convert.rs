//! Rows of pixels to the samples of PNG.

use super::{Order, PixelFormat, Store};

/// Writes packed pixels of `format` as PNG holds them. Both slices hold the
/// same number of pixels.
///
/// Each arm is a loop over arrays of constant size, which the compiler turns
/// into vector code.
pub(crate) fn to_png(format: PixelFormat, pixels: &[u8], png: &mut [u8]) {
    debug_assert_eq!(
        pixels.len() / format.pixel_size(),
        png.len() / format.png_pixel_size(),
    );
    match format.store {
        Store::U8 | Store::Word8888 => match format.memory_order() {
            Order::Gray | Order::GrayAlpha | Order::Rgb | Order::Rgba => {
                png.copy_from_slice(pixels);
            }
            Order::Bgr => map(pixels, png, |[b, g, r]| [r, g, b]),
            Order::Bgra => map(pixels, png, |[b, g, r, a]| [r, g, b, a]),
            Order::Argb => map(pixels, png, |[a, r, g, b]| [r, g, b, a]),
            Order::Abgr => map(pixels, png, |[a, b, g, r]| [r, g, b, a]),
            Order::Rgbx => map(pixels, png, |[r, g, b, _]| [r, g, b]),
            Order::Bgrx => map(pixels, png, |[b, g, r, _]| [r, g, b]),
            Order::Xrgb => map(pixels, png, |[_, r, g, b]| [r, g, b]),
            Order::Xbgr => map(pixels, png, |[_, b, g, r]| [r, g, b]),
        },
        Store::U16(endian) => match (format.memory_order(), endian.is_big()) {
            (Order::Gray | Order::GrayAlpha | Order::Rgb | Order::Rgba, true) => {
                png.copy_from_slice(pixels);
            }
            (Order::Gray | Order::GrayAlpha | Order::Rgb | Order::Rgba, false) => {
                map(pixels, png, |[low, high]| [high, low]);
            }
            (
                Order::Bgr
                | Order::Bgra
                | Order::Argb
                | Order::Abgr
                | Order::Rgbx
                | Order::Bgrx
                | Order::Xrgb
                | Order::Xbgr,
                _,
            ) => unreachable!("no such format in the table"),
        },
    }
}

fn map<const N: usize, const M: usize>(from: &[u8], to: &mut [u8], f: impl Fn([u8; N]) -> [u8; M]) {
    for (to, from) in to.as_chunks_mut().0.iter_mut().zip(from.as_chunks().0) {
        *to = f(*from);
    }
}
