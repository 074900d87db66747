//! Gray of 8 bits, saved with 1, 2 or 4 bits a pixel.

use super::BitOrder;
use super::bits::{pack, unpack};

/// Pixels in a block on the stack: a multiple of 8, so that each block begins
/// with a byte of the file.
const BLOCK: usize = 256;

/// Writes each sample as the nearest of the levels that `depth` bits have:
/// `sample * (2^depth - 1) / 255`, rounded to nearest. There are no ties, since
/// 255, 85 and 17 are odd. Flips the bits of `mask` in each sample first.
#[inline(always)]
pub(super) fn to_png(depth: u8, mask: u8, pixels: &[u8], png: &mut [u8]) {
    let most = (1 << depth) - 1;
    let mut levels = [0; BLOCK];
    let bytes = BLOCK * usize::from(depth) / 8;
    for (pixels, png) in pixels.chunks(BLOCK).zip(png.chunks_mut(bytes)) {
        let levels = &mut levels[..pixels.len()];
        for (level, sample) in levels.iter_mut().zip(pixels) {
            // Divides by 255, exact for every product.
            let product = u16::from(sample ^ mask) * most + 128;
            *level = ((product + (product >> 8)) >> 8) as u8;
        }
        // The last byte of a row may have bits that belong to no pixel.
        png.fill(0);
        pack(depth, BitOrder::Msb, levels, 0, png);
    }
}

/// Writes the levels of `depth` bits as samples. The counterpart of [`to_png`].
#[inline(always)]
pub(super) fn from_png(depth: u8, mask: u8, png: &[u8], pixels: &mut [u8]) {
    let scale = 255 / ((1 << depth) - 1);
    let bytes = BLOCK * usize::from(depth) / 8;
    for (pixels, png) in pixels.chunks_mut(BLOCK).zip(png.chunks(bytes)) {
        unpack(depth, BitOrder::Msb, png, 0, pixels);
        for sample in pixels {
            *sample = (*sample * scale) ^ mask;
        }
    }
}
