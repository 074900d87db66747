//! Rows of pixels to the samples of PNG.

use super::{PixelFormat, Store};

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
    if format.is_png() {
        png.copy_from_slice(pixels);
        return;
    }
    match format.store {
        // The only orders of 16-bit samples are PNG's own.
        Store::U16(_) => {
            for (to, from) in png.as_chunks_mut().0.iter_mut().zip(pixels.as_chunks().0) {
                let [low, high] = *from;
                *to = [high, low];
            }
        }
        Store::U8 | Store::Word8888 => {
            let mut order = [0; 4];
            for (index, &channel) in order.iter_mut().zip(format.png_order()) {
                *index = format.sample_of(channel).unwrap_or(0);
            }
            match (format.pixel_size(), order) {
                (3, _) => map(pixels, png, |[b, g, r]: [u8; 3]| [r, g, b]),
                (_, [2, 1, 0, 3]) => map(pixels, png, |[b, g, r, a]: [u8; 4]| [r, g, b, a]),
                (_, [1, 2, 3, 0]) if format.has_alpha() => {
                    map(pixels, png, |[a, r, g, b]: [u8; 4]| [r, g, b, a]);
                }
                (_, [3, 2, 1, 0]) if format.has_alpha() => {
                    map(pixels, png, |[a, b, g, r]: [u8; 4]| [r, g, b, a]);
                }
                (_, [0, 1, 2, _]) => map(pixels, png, |[r, g, b, _]: [u8; 4]| [r, g, b]),
                (_, [2, 1, 0, _]) => map(pixels, png, |[b, g, r, _]: [u8; 4]| [r, g, b]),
                (_, [1, 2, 3, _]) => map(pixels, png, |[_, r, g, b]: [u8; 4]| [r, g, b]),
                _ => map(pixels, png, |[_, b, g, r]: [u8; 4]| [r, g, b]),
            }
        }
    }
}

fn map<const N: usize, const M: usize>(from: &[u8], to: &mut [u8], f: impl Fn([u8; N]) -> [u8; M]) {
    for (to, from) in to.as_chunks_mut().0.iter_mut().zip(from.as_chunks().0) {
        *to = f(*from);
    }
}
