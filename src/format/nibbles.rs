//! Pixels whose channels are fields of 4 bits in a word of 16 bits, with alpha
//! or padding in the most significant bits.
//!
//! A field becomes the sample `field * 17`, which is exact. A sample becomes the
//! nearest field. There are no ties, and a field survives the way to a sample
//! and back.

use super::PixelFormat;
use super::alpha::{factor, multiply, straight};
use super::order::Order;
use super::samples::{samples_from_png, samples_to_png};
use super::shuffle::ShuffleKernels;

/// Pixels in a block on the stack that holds samples with padding.
const BLOCK: usize = 256;

/// Writes words as the samples of PNG, 8 bits each.
#[inline(always)]
pub(super) fn to_png<K: ShuffleKernels>(
    kernels: K,
    format: PixelFormat,
    big: bool,
    pixels: &[u8],
    png: &mut [u8],
) {
    let nibbles = Nibbles::of(format);
    if format.premultiplied {
        each_word(pixels, big, png, |word| nibbles.straight(word));
        return;
    }
    if format.has_alpha() {
        each_word(pixels, big, png, |word| nibbles.expand(word));
        return;
    }
    let mut block = [0; 4 * BLOCK];
    for (pixels, png) in pixels.chunks(2 * BLOCK).zip(png.chunks_mut(3 * BLOCK)) {
        let block = &mut block[..pixels.len() * 2];
        each_word(pixels, big, block, |word| nibbles.expand(word));
        samples_to_png::<1, K>(kernels, Order::Rgbx, false, block, png);
    }
}

/// Writes the samples of PNG as words. The counterpart of [`to_png`].
#[inline(always)]
pub(super) fn from_png<K: ShuffleKernels>(
    kernels: K,
    format: PixelFormat,
    big: bool,
    png: &[u8],
    pixels: &mut [u8],
) {
    let nibbles = Nibbles::of(format);
    let mut block = [0; 4 * BLOCK];
    let size = format.png().pixel_size();
    for (pixels, png) in pixels.chunks_mut(2 * BLOCK).zip(png.chunks(size * BLOCK)) {
        let block = &mut block[..pixels.len() * 2];
        if format.has_alpha() {
            block.copy_from_slice(png);
        } else {
            samples_from_png::<1, K>(kernels, Order::Rgbx, false, png, block);
        }
        let pairs = pixels.as_chunks_mut().0.iter_mut().zip(block.as_chunks().0);
        for (word, rgba) in pairs {
            let narrow = nibbles.shrink(u32::from_le_bytes(*rgba), format.premultiplied);
            *word = if big {
                narrow.to_be_bytes()
            } else {
                narrow.to_le_bytes()
            };
        }
    }
}

/// Writes the result of `f` for each word: four bytes as two words, the lowest
/// byte first.
#[inline(always)]
fn each_word(pixels: &[u8], big: bool, to: &mut [u8], f: impl Fn(u16) -> [u16; 2]) {
    let to = to.as_chunks_mut().0.as_chunks_mut().0;
    for (to, word) in to.iter_mut().zip(pixels.as_chunks().0) {
        let word = if big {
            u16::from_be_bytes(*word)
        } else {
            u16::from_le_bytes(*word)
        };
        *to = f(word).map(u16::to_le_bytes);
    }
}

/// The fields of a word. Alpha or padding has the most significant bits, green
/// has the bits from 4 on.
#[derive(Clone, Copy)]
struct Nibbles {
    /// The lowest bit of red.
    red: u32,
    /// The lowest bit of blue.
    blue: u32,
}

impl Nibbles {
    #[inline(always)]
    fn of(format: PixelFormat) -> Self {
        let (red, blue) = if format.order.is_blue_first() {
            (0, 8)
        } else {
            (8, 0)
        };
        Nibbles { red, blue }
    }

    /// Returns the samples of red, green, blue, and alpha or padding, as the
    /// bytes of two words.
    #[inline(always)]
    fn expand(self, word: u16) -> [u16; 2] {
        let low = word >> self.red & 0xf | word << 4 & 0xf00;
        let high = word >> self.blue & 0xf | word >> 4 & 0xf00;
        // 17 is 255 / 15.
        [low * 17, high * 17]
    }

    /// Returns the straight samples of premultiplied fields:
    /// `field * 255 / alpha`, rounded to nearest, ties up, and at most 255.
    #[inline(always)]
    fn straight(self, word: u16) -> [u16; 2] {
        let word = u32::from(word);
        let alpha = word >> 12;
        let factor = factor(alpha);
        let color = |lowest: u32| straight(word >> lowest & 0xf, factor);
        let low = color(self.red) | color(4) << 8;
        let high = color(self.blue) | (alpha * 17) << 8;
        [low as u16, high as u16]
    }

    /// Returns the word of a pixel, given as red, green, blue, and alpha or
    /// padding in the bytes of a word, the lowest first. The counterpart of
    /// [`expand`](Nibbles::expand) and [`straight`](Nibbles::straight).
    #[inline(always)]
    fn shrink(self, rgba: u32, premultiplied: bool) -> u16 {
        // `sample * 15 / 255`, rounded to nearest.
        let alpha = multiply(rgba >> 24, 15);
        let most = if premultiplied { alpha } else { 15 };
        let color = |lowest: u32| multiply(rgba >> lowest & 0xff, most);
        let colors = color(0) << self.red | color(8) << 4 | color(16) << self.blue;
        (alpha << 12 | colors) as u16
    }
}
