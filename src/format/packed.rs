//! Pixels whose channels are fields of a word, of 5, 6 or 10 bits for colours
//! and 1 or 2 for alpha.
//!
//! A field of `n` bits becomes the nearest sample: `field * 255 / (2^n - 1)`,
//! with 65535 for fields of 10 bits, and back. There is nothing halfway, and
//! what comes from a field goes back to it.

use super::order::Order;
use super::samples::{samples_from_png, samples_to_png};
use super::shuffle::ShuffleKernels;
use super::{PixelFormat, Store};

/// Pixels in a block, between words and samples with padding.
const BLOCK: usize = 256;

/// Writes words of 5, 6 or 1 and 5 bits a field as PNG holds them.
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

/// Writes words of 2 and 10 bits a field as PNG holds them.
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

/// Writes what PNG holds as words of 2 and 10 bits a field. The counterpart of
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

/// Writes what PNG holds as words of 5, 6 or 1 and 5 bits a field. The
/// counterpart of [`to_png16`].
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
            // Padding was made 255.
            let opaque = rgba >> 31;
            let rgb = match (format.premultiplied, opaque) {
                (true, 0) => 0,
                _ => rgba,
            };
            let narrow = fields.shrink(rgb) | (opaque << 15) & fields.top;
            *word = if big {
                (narrow as u16).to_be_bytes()
            } else {
                (narrow as u16).to_le_bytes()
            };
        }
    }
}

/// Words of 16 bits to four bytes each: two words, the lowest byte first.
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

/// Words of 32 bits to eight bytes each: two words, the lowest byte first.
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

/// The fields of a word of 16 bits: their lowest bits. Green has 5 bits or 6,
/// the others have 5.
#[derive(Clone, Copy)]
struct Fields {
    red: u32,
    blue: u32,
    /// Whether green has 6 bits.
    six: bool,
    /// The bit of alpha or padding, if there is one.
    top: u32,
}

impl Fields {
    #[inline(always)]
    fn of(format: PixelFormat) -> Self {
        match format.store {
            Store::Word565(_) => {
                let (red, blue) = if format.order.is_blue_first() {
                    (0, 11)
                } else {
                    (11, 0)
                };
                Fields {
                    red,
                    blue,
                    six: true,
                    top: 0,
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
            six: false,
            top: 1 << 15,
        }
    }

    /// The colours as the first three of the bytes of two words.
    #[inline(always)]
    fn expand(self, word: u16) -> [u16; 2] {
        let five = |field: u16| ((field & 0x1f) * 527 + 23) >> 6;
        // Both ways without a branch, which would be one for each pixel.
        let (most, times, more) = if self.six {
            (0x3f, 259, 33)
        } else {
            (0x1f, 527, 23)
        };
        let green = ((word >> 5 & most) * times + more) >> 6;
        [five(word >> self.red) | green << 8, five(word >> self.blue)]
    }

    /// And back.
    #[inline(always)]
    fn shrink(self, rgb: u32) -> u32 {
        let five = |sample: u32| ((sample & 0xff) * 249 + 1014) >> 11;
        let green = if self.six {
            ((rgb >> 8 & 0xff) * 253 + 505) >> 10
        } else {
            five(rgb >> 8)
        };
        five(rgb) << self.red | green << 5 | five(rgb >> 16) << self.blue
    }
}

/// The fields of 10 bits, the lowest first.
#[inline(always)]
fn tens(word: u32) -> [u32; 3] {
    [word & 0x3ff, word >> 10 & 0x3ff, word >> 20 & 0x3ff]
}

/// Their samples of 16 bits.
#[inline(always)]
fn expand(word: u32) -> [u32; 3] {
    tens(word).map(|field| (field * 4_198_340 + (1 << 15)) >> 16)
}

/// The same of fields that have been multiplied by alpha:
/// field * 65535 * 3 / (1023 * alpha), reduced; halfway goes up.
#[inline(always)]
fn straight(word: u32) -> [u32; 3] {
    tens(word).map(|field| match word >> 30 {
        0 => 0,
        alpha => ((2 * field * 65535 + 341 * alpha) / (2 * 341 * alpha)).min(65535),
    })
}

/// RGBA of 16 bits, which the bytes of two words are, each sample with its
/// higher byte first.
#[inline(always)]
fn samples([last, green, first]: [u32; 3], alpha: u32, blue_first: bool) -> [u32; 2] {
    let (red, blue) = if blue_first {
        (last, first)
    } else {
        (first, last)
    };
    [red | green << 16, blue | (alpha * 0x5555) << 16]
        .map(|pair| (pair & 0x00ff_00ff) << 8 | pair >> 8 & 0x00ff_00ff)
}

/// And back. Padding was made 65535.
#[inline(always)]
fn narrow(rgba: [u8; 8], blue_first: bool, premultiplied: bool) -> u32 {
    let rgba = u64::from_be_bytes(rgba);
    // To the nearest: nothing is halfway between odd numbers.
    let field = |sample: u32, max: u32| (sample * max + 32767) / 65535;
    let sample = |shift: u32| (rgba >> shift) as u32 & 0xffff;
    let alpha = field(sample(0), 3);
    let colour = |shift: u32| {
        if premultiplied {
            (sample(shift) * (341 * alpha) + 32767) / 65535
        } else {
            field(sample(shift), 1023)
        }
    };
    let (first, last) = if blue_first { (16, 48) } else { (48, 16) };
    alpha << 30 | colour(first) << 20 | colour(32) << 10 | colour(last)
}
