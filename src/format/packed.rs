//! Pixels whose channels are fields of a word: 5, 6 or 10 bits for colors, 1 or
//! 2 bits for alpha.
//!
//! A field of `n` bits becomes the sample `field * 255 / (2^n - 1)`, rounded to
//! nearest. In words with fields of 10 bits, 65535 takes the place of 255. A
//! sample becomes the nearest field. There are no ties in either direction, and
//! a field survives the way to a sample and back.

use super::order::Order;
use super::samples::{samples_from_png, samples_to_png};
use super::shuffle::ShuffleKernels;
use super::{PixelFormat, Storage};

/// Pixels in a block on the stack that holds samples with padding.
const BLOCK: usize = 256;

/// Writes words of 16 bits as the samples of PNG, 8 bits each.
#[inline(always)]
pub(super) fn to_png16<K: ShuffleKernels>(
    kernels: K,
    format: PixelFormat,
    big: bool,
    pixels: &[u8],
    png: &mut [u8],
) {
    let fields = Fields::of(format);
    if format.has_alpha() {
        words16(pixels, big, png, |word| {
            let opaque = 0u16.wrapping_sub(word >> 15);
            // A premultiplied color with alpha 0 is black.
            let kept = if format.premultiplied { opaque } else { !0 };
            let [low, high] = fields.expand(word);
            [low & kept, high & kept | opaque << 8]
        });
        return;
    }
    let mut block = [0; 4 * BLOCK];
    for (pixels, png) in pixels.chunks(2 * BLOCK).zip(png.chunks_mut(3 * BLOCK)) {
        let block = &mut block[..pixels.len() * 2];
        words16(pixels, big, block, |word| fields.expand(word));
        samples_to_png::<1, K>(kernels, Order::Rgbx, false, block, png);
    }
}

/// Writes words of 32 bits as the samples of PNG, 16 bits each.
#[inline(always)]
pub(super) fn to_png32<K: ShuffleKernels>(
    kernels: K,
    format: PixelFormat,
    big: bool,
    pixels: &[u8],
    png: &mut [u8],
) {
    let blue_first = format.order.is_blue_first();
    if format.premultiplied {
        words32(pixels, big, png, |word| {
            samples(straight(word), word >> 30, blue_first)
        });
        return;
    }
    if format.has_alpha() {
        words32(pixels, big, png, |word| {
            samples(expand(word), word >> 30, blue_first)
        });
        return;
    }
    let mut block = [0; 8 * BLOCK];
    for (pixels, png) in pixels.chunks(4 * BLOCK).zip(png.chunks_mut(6 * BLOCK)) {
        let block = &mut block[..pixels.len() * 2];
        words32(pixels, big, block, |word| {
            samples(expand(word), 0, blue_first)
        });
        samples_to_png::<2, K>(kernels, Order::Rgbx, false, block, png);
    }
}

/// Writes the samples of PNG as words of 32 bits. The counterpart of
/// [`to_png32`].
#[inline(always)]
pub(super) fn from_png32<K: ShuffleKernels>(
    kernels: K,
    format: PixelFormat,
    big: bool,
    png: &[u8],
    pixels: &mut [u8],
) {
    let blue_first = format.order.is_blue_first();
    let mut block = [0; 8 * BLOCK];
    let size = format.png().pixel_size();
    for (pixels, png) in pixels.chunks_mut(4 * BLOCK).zip(png.chunks(size * BLOCK)) {
        let block = &mut block[..pixels.len() * 2];
        if format.has_alpha() {
            block.copy_from_slice(png);
        } else {
            samples_from_png::<2, K>(kernels, Order::Rgbx, false, png, block);
        }
        let pairs = pixels.as_chunks_mut().0.iter_mut().zip(block.as_chunks().0);
        for (word, rgba) in pairs {
            let narrow = narrow(*rgba, blue_first, format.premultiplied);
            *word = if big {
                narrow.to_be_bytes()
            } else {
                narrow.to_le_bytes()
            };
        }
    }
}

/// Writes the samples of PNG as words of 16 bits. The counterpart of
/// [`to_png16`].
#[inline(always)]
pub(super) fn from_png16<K: ShuffleKernels>(
    kernels: K,
    format: PixelFormat,
    big: bool,
    png: &[u8],
    pixels: &mut [u8],
) {
    let fields = Fields::of(format);
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
            let rgba = u32::from_le_bytes(*rgba);
            // The highest bit of alpha, or of padding, which is 255.
            let opaque = rgba >> 31;
            let rgb = match (format.premultiplied, opaque) {
                (true, 0) => 0,
                _ => rgba,
            };
            let narrow = fields.shrink(rgb) | (opaque << 15) & fields.alpha;
            *word = if big {
                (narrow as u16).to_be_bytes()
            } else {
                (narrow as u16).to_le_bytes()
            };
        }
    }
}

/// Writes the result of `f` for each word of 16 bits: four bytes as two words,
/// the lowest byte first.
#[inline(always)]
fn words16(pixels: &[u8], big: bool, to: &mut [u8], f: impl Fn(u16) -> [u16; 2]) {
    let to = to.as_chunks_mut().0.as_chunks_mut().0;
    let pairs = to.iter_mut().zip(pixels.as_chunks().0);
    if big {
        for (to, word) in pairs {
            *to = f(u16::from_be_bytes(*word)).map(u16::to_le_bytes);
        }
    } else {
        for (to, word) in pairs {
            *to = f(u16::from_le_bytes(*word)).map(u16::to_le_bytes);
        }
    }
}

/// Writes the result of `f` for each word of 32 bits: eight bytes as two words,
/// the lowest byte first.
#[inline(always)]
fn words32(pixels: &[u8], big: bool, to: &mut [u8], f: impl Fn(u32) -> [u32; 2]) {
    let to = to.as_chunks_mut().0.as_chunks_mut().0;
    let pairs = to.iter_mut().zip(pixels.as_chunks().0);
    if big {
        for (to, word) in pairs {
            *to = f(u32::from_be_bytes(*word)).map(u32::to_le_bytes);
        }
    } else {
        for (to, word) in pairs {
            *to = f(u32::from_le_bytes(*word)).map(u32::to_le_bytes);
        }
    }
}

/// The fields of a word of 16 bits. Red and blue have 5 bits each. Green has 5
/// or 6 bits, of which bit 5 of the word is the lowest.
#[derive(Clone, Copy)]
struct Fields {
    /// The lowest bit of red.
    red: u32,
    /// The lowest bit of blue.
    blue: u32,
    /// Whether green has 6 bits.
    wide_green: bool,
    /// The mask of the bit of alpha or padding, or 0 if there is none.
    alpha: u32,
}

impl Fields {
    #[inline(always)]
    fn of(format: PixelFormat) -> Self {
        match format.storage {
            Storage::Word565(_) => {
                let (red, blue) = if format.order.is_blue_first() {
                    (0, 11)
                } else {
                    (11, 0)
                };
                Fields {
                    red,
                    blue,
                    wide_green: true,
                    alpha: 0,
                }
            }
            _ => Self::of_1555(format.order),
        }
    }

    #[inline(always)]
    fn of_1555(order: Order) -> Self {
        let (red, blue) = if order.is_blue_first() {
            (0, 10)
        } else {
            (10, 0)
        };
        Fields {
            red,
            blue,
            wide_green: false,
            alpha: 1 << 15,
        }
    }

    /// Returns the samples of red, green and blue as the first three of the
    /// bytes of two words. The fourth byte is 0.
    #[inline(always)]
    fn expand(self, word: u16) -> [u16; 2] {
        let five = |field: u16| ((field & 0x1f) * 527 + 23) >> 6;
        // One expression with variables: a choice between two expressions would
        // be a branch for each pixel.
        let (max, factor, bias) = if self.wide_green {
            (0x3f, 259, 33)
        } else {
            (0x1f, 527, 23)
        };
        let green = ((word >> 5 & max) * factor + bias) >> 6;
        [five(word >> self.red) | green << 8, five(word >> self.blue)]
    }

    /// Returns the fields of red, green and blue, given as the lowest three
    /// bytes. The counterpart of [`expand`](Fields::expand).
    #[inline(always)]
    fn shrink(self, rgb: u32) -> u32 {
        let five = |sample: u32| ((sample & 0xff) * 249 + 1014) >> 11;
        let green = if self.wide_green {
            ((rgb >> 8 & 0xff) * 253 + 505) >> 10
        } else {
            five(rgb >> 8)
        };
        five(rgb) << self.red | green << 5 | five(rgb >> 16) << self.blue
    }
}

/// Returns the fields of 10 bits, the lowest first.
#[inline(always)]
fn color_fields(word: u32) -> [u32; 3] {
    [word & 0x3ff, word >> 10 & 0x3ff, word >> 20 & 0x3ff]
}

/// Returns the samples of the fields of 10 bits, the lowest field first.
#[inline(always)]
fn expand(word: u32) -> [u32; 3] {
    color_fields(word).map(|field| (field * 4_198_340 + (1 << 15)) >> 16)
}

/// Returns the straight samples of premultiplied fields of 10 bits, the lowest
/// field first: `field * 65535 * 3 / (1023 * alpha)`, rounded to nearest, ties
/// up, and at most 65535. The code cancels the factor 3.
#[inline(always)]
fn straight(word: u32) -> [u32; 3] {
    color_fields(word).map(|field| match word >> 30 {
        0 => 0,
        alpha => ((2 * field * 65535 + 341 * alpha) / (2 * 341 * alpha)).min(65535),
    })
}

/// Returns RGBA of 16 bits a sample as the bytes of two words, the most
/// significant byte of each sample first. The colors are samples, the lowest
/// field first; alpha is a field of 2 bits.
#[inline(always)]
fn samples([low, green, high]: [u32; 3], alpha: u32, blue_first: bool) -> [u32; 2] {
    let (red, blue) = if blue_first { (low, high) } else { (high, low) };
    [red | green << 16, blue | (alpha * 0x5555) << 16]
        .map(|pair| (pair & 0x00ff_00ff) << 8 | pair >> 8 & 0x00ff_00ff)
}

/// Returns the word of a pixel, given as the bytes of RGBA with 16 bits a
/// sample. In formats without alpha, the padding of 65535 becomes padding of
/// all ones.
#[inline(always)]
fn narrow(rgba: [u8; 8], blue_first: bool, premultiplied: bool) -> u32 {
    let rgba = u64::from_be_bytes(rgba);
    // Rounds to nearest. There are no ties, since 65535 is odd.
    let field = |sample: u32, max: u32| (sample * max + 32767) / 65535;
    let sample = |shift: u32| (rgba >> shift) as u32 & 0xffff;
    let alpha = field(sample(0), 3);
    let color = |shift: u32| {
        if premultiplied {
            (sample(shift) * (341 * alpha) + 32767) / 65535
        } else {
            field(sample(shift), 1023)
        }
    };
    let (high, low) = if blue_first { (16, 48) } else { (48, 16) };
    alpha << 30 | color(high) << 20 | color(32) << 10 | color(low)
}
