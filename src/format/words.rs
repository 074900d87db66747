//! Pixels whose channels are fields of a word, of 5, 6 or 10 bits for colours
//! and 1 or 2 for alpha.
//!
//! A field of `n` bits becomes the nearest sample: `field * 255 / (2^n - 1)`,
//! with 65535 for fields of 10 bits, and back. There is nothing halfway, and
//! what comes from a field goes back to it.

use super::convert::{samples_from_png, samples_to_png};
use super::simd::Shuffle;
use super::{Color, Order, PixelFormat, Store};

/// Pixels in a block, between words and samples with padding.
const BLOCK: usize = 256;

#[inline(always)]
pub(super) fn to_png<S: Shuffle>(shuffle: S, format: PixelFormat, pixels: &[u8], png: &mut [u8]) {
    let order = format.order;
    match format.store {
        Store::Word2101010(endian) if order.png() == Color::Rgba => {
            words32(pixels, endian.is_big(), png, |word| {
                wide(word, order.is_blue_first(), format.premultiplied)
            });
        }
        Store::Word2101010(endian) => {
            let mut block = [0; 8 * BLOCK];
            for (pixels, png) in pixels.chunks(4 * BLOCK).zip(png.chunks_mut(6 * BLOCK)) {
                let block = &mut block[..pixels.len() * 2];
                words32(pixels, endian.is_big(), block, |word| {
                    wide(word, order.is_blue_first(), false)
                });
                samples_to_png::<2, S>(shuffle, Order::Rgbx, false, block, png);
            }
        }
        Store::Word1555(endian) if order.png() == Color::Rgba => {
            let fields = Fields::of_1555(order);
            words16(pixels, endian.is_big(), png, |word| {
                // Multiplied by an alpha of 0 it is 0, whatever else is said.
                let opaque = 0u32.wrapping_sub(word >> 15);
                let kept = if format.premultiplied { opaque } else { !0 };
                fields.expand(word) & kept & 0x00ff_ffff | opaque << 24
            });
        }
        Store::Word565(endian) | Store::Word1555(endian) => {
            let fields = Fields::of(format);
            let mut block = [0; 4 * BLOCK];
            for (pixels, png) in pixels.chunks(2 * BLOCK).zip(png.chunks_mut(3 * BLOCK)) {
                let block = &mut block[..pixels.len() * 2];
                words16(pixels, endian.is_big(), block, |word| fields.expand(word));
                samples_to_png::<1, S>(shuffle, Order::Rgbx, false, block, png);
            }
        }
        _ => unreachable!("not a packed word"),
    }
}

#[inline(always)]
pub(super) fn from_png<S: Shuffle>(shuffle: S, format: PixelFormat, png: &[u8], pixels: &mut [u8]) {
    let order = format.order;
    match format.store {
        Store::Word2101010(endian) => {
            let blue_first = order.is_blue_first();
            let mut block = [0; 8 * BLOCK];
            let size = format.png().pixel_size();
            for (pixels, png) in pixels.chunks_mut(4 * BLOCK).zip(png.chunks(size * BLOCK)) {
                let block = &mut block[..pixels.len() * 2];
                if order.png() == Color::Rgba {
                    block.copy_from_slice(png);
                } else {
                    samples_from_png::<2, S>(shuffle, Order::Rgbx, false, png, block);
                }
                let pairs = pixels.as_chunks_mut().0.iter_mut().zip(block.as_chunks().0);
                for (word, rgba) in pairs {
                    let narrow = narrow(*rgba, blue_first, format.premultiplied);
                    *word = if endian.is_big() {
                        narrow.to_be_bytes()
                    } else {
                        narrow.to_le_bytes()
                    };
                }
            }
        }
        Store::Word565(endian) | Store::Word1555(endian) => {
            let fields = Fields::of(format);
            let mut block = [0; 4 * BLOCK];
            let size = format.png().pixel_size();
            for (pixels, png) in pixels.chunks_mut(2 * BLOCK).zip(png.chunks(size * BLOCK)) {
                let block = &mut block[..pixels.len() * 2];
                if order.png() == Color::Rgba {
                    block.copy_from_slice(png);
                } else {
                    samples_from_png::<1, S>(shuffle, Order::Rgbx, false, png, block);
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
                    *word = if endian.is_big() {
                        (narrow as u16).to_be_bytes()
                    } else {
                        (narrow as u16).to_le_bytes()
                    };
                }
            }
        }
        _ => unreachable!("not a packed word"),
    }
}

/// Words of 16 bits to four bytes each, the first the lowest.
#[inline(always)]
fn words16(pixels: &[u8], big: bool, to: &mut [u8], f: impl Fn(u32) -> u32) {
    let pairs = to.as_chunks_mut().0.iter_mut().zip(pixels.as_chunks().0);
    if big {
        for (to, word) in pairs {
            *to = f(u16::from_be_bytes(*word).into()).to_le_bytes();
        }
    } else {
        for (to, word) in pairs {
            *to = f(u16::from_le_bytes(*word).into()).to_le_bytes();
        }
    }
}

/// Words of 32 bits to eight bytes each.
#[inline(always)]
fn words32(pixels: &[u8], big: bool, to: &mut [u8], f: impl Fn(u32) -> [u8; 8]) {
    let pairs = to.as_chunks_mut().0.iter_mut().zip(pixels.as_chunks().0);
    if big {
        for (to, word) in pairs {
            *to = f(u32::from_be_bytes(*word));
        }
    } else {
        for (to, word) in pairs {
            *to = f(u32::from_le_bytes(*word));
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

    /// The colours as the lowest three bytes.
    #[inline(always)]
    fn expand(self, word: u32) -> u32 {
        let five = |field: u32| ((field & 0x1f) * 527 + 23) >> 6;
        let green = if self.six {
            ((word >> 5 & 0x3f) * 259 + 33) >> 6
        } else {
            five(word >> 5)
        };
        five(word >> self.red) | green << 8 | five(word >> self.blue) << 16
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

/// A word of 2, 10, 10, 10 bits as RGBA of 16 bits.
#[inline(always)]
fn wide(word: u32, blue_first: bool, premultiplied: bool) -> [u8; 8] {
    let alpha = word >> 30;
    let fields = [word & 0x3ff, word >> 10 & 0x3ff, word >> 20 & 0x3ff];
    let colours = if premultiplied {
        // field * 65535 * 3 / (1023 * alpha), reduced; halfway goes up.
        fields.map(|field| match alpha {
            0 => 0,
            _ => ((2 * field * 65535 + 341 * alpha) / (2 * 341 * alpha)).min(65535),
        })
    } else {
        fields.map(|field| (field * 4_198_340 + (1 << 15)) >> 16)
    };
    let [blue, green, red] = colours;
    let (red, blue) = if blue_first { (blue, red) } else { (red, blue) };
    let samples = u64::from(red) << 48
        | u64::from(green) << 32
        | u64::from(blue) << 16
        | u64::from(alpha * 0x5555);
    samples.to_be_bytes()
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
            // As above, halfway up.
            (sample(shift) * (341 * alpha) * 2 + 65535) / (2 * 65535)
        } else {
            field(sample(shift), 1023)
        }
    };
    let (first, last) = if blue_first { (16, 48) } else { (48, 16) };
    alpha << 30 | colour(first) << 20 | colour(32) << 10 | colour(last)
}
