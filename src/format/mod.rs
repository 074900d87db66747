//! What the bytes of a pixel mean.
//!
//! A format is an order of channels, a way to store their samples, and what
//! their numbers mean. To add one: a line in `table.rs` and one in
//! `formats.md`, and its definition in `tests/common`, without which a test
//! fails; and, if its order or its way to store samples is new, a variant and an
//! arm wherever the compiler then asks for one.

mod alpha;
mod bits;
mod cmyk;
mod convert;
mod numbers;
mod order;
mod packed;
mod palette;
mod pixel;
mod png_type;
mod samples;
mod shuffle;
mod table;

use std::fmt;

pub(crate) use bits::{BitOrder, clear_spare, pack, reverse_order, shift_down, unpack};
pub(crate) use convert::{from_png, to_png};
pub use palette::Palette;
pub(crate) use palette::{beyond, fewest_bits};
pub use pixel::{Pixel, PixelBytes, SampleSlice, Samples};
pub(crate) use png_type::{Color, PngType};

use crate::ErrorKind;
use numbers::Numbers;
use order::Order;

#[doc = include_str!("formats.md")]
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PixelFormat {
    order: Order,
    store: Store,
    premultiplied: bool,
    numbers: Numbers,
}

/// How the samples lie in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Store {
    /// So many bits each, several to a byte.
    Bits(u8, BitOrder),
    /// A byte each, one behind the other.
    U8,
    /// Two bytes each, one behind the other.
    U16(Endian),
    /// The same, with a sign.
    I16(Endian),
    /// Four bytes each.
    U32(Endian),
    /// Four bytes each, binary32 of IEEE 754.
    F32(Endian),
    /// Four fields of 8 bits in a native 32-bit word, the first in the most
    /// significant bits.
    Word8888,
    /// Fields of 5, 6 and 5 bits in a 16-bit word, likewise.
    Word565(Endian),
    /// Fields of 1, 5, 5 and 5 bits in a 16-bit word.
    Word1555(Endian),
    /// Fields of 2, 10, 10 and 10 bits in a 32-bit word.
    Word2101010(Endian),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Endian {
    Native,
    Little,
    Big,
}

impl Endian {
    /// Whether the bytes are in PNG's order, the most significant first (PNG
    /// third edition, 7.1).
    const fn is_big(self) -> bool {
        match self {
            Endian::Native => cfg!(target_endian = "big"),
            Endian::Little => false,
            Endian::Big => true,
        }
    }
}

/// What the numbers mean. Whether it can be said of the format is checked when
/// an image is made of it.
impl PixelFormat {
    const fn new(order: Order, store: Store) -> Self {
        PixelFormat {
            order,
            store,
            premultiplied: false,
            numbers: Numbers::PLAIN,
        }
    }

    /// The same with colours that have been multiplied by alpha, as
    /// compositors have them; saved straight, as PNG wants them. A format
    /// without alpha stays as it is.
    ///
    /// # Examples
    ///
    /// ```
    /// use pixview::{Image, PixelFormat};
    ///
    /// let buffer = [64u8, 0, 128, 128]; // half-transparent
    /// let format = PixelFormat::BGRA8.premultiplied();
    /// let image = Image::from_buffer(&buffer, 1, 1, format)?;
    /// assert_eq!(image.read()?.get(0, 0)?, [255, 0, 128, 128]);
    /// # Ok::<(), pixview::Error>(())
    /// ```
    #[must_use]
    pub const fn premultiplied(mut self) -> Self {
        self.premultiplied = self.has_alpha();
        self
    }

    /// The same with colours from `black` to `white`, in the numbers of the
    /// buffer. What lies beyond is clamped. Black may be the larger one. Of
    /// `f32`, `i16`, `u32` and 16-bit samples.
    ///
    /// Alpha has a range of its own: 0 to 1 in `f32`, else that of its type or
    /// of [`with_significant_bits`](PixelFormat::with_significant_bits), which
    /// says nothing of colours then.
    ///
    /// # Examples
    ///
    /// ```
    /// use pixview::{Image, PixelFormat};
    ///
    /// let kelvin = [250f32, 300.0, 350.0, f32::NAN];
    /// let format = PixelFormat::GRAY_F32.with_range(250.0, 350.0);
    /// let image = Image::from_buffer(&kelvin, 4, 1, format)?;
    /// assert_eq!(image.read()?.get(1, 0)?, [32768]);
    /// assert_eq!(image.read()?.get(3, 0)?, [0]);
    /// # Ok::<(), pixview::Error>(())
    /// ```
    #[must_use]
    pub const fn with_range(mut self, black: f64, white: f64) -> Self {
        self.numbers.set_range(black, white);
        self
    }

    /// The same with samples of so many bits, in the least significant bits of
    /// their type: 10, 12 or 14 of 16 for a camera. Larger ones are clamped.
    /// Of 16-bit samples, `i16` and `u32`.
    ///
    /// ```
    /// use pixview::{Image, PixelFormat};
    ///
    /// let sensor = [0u16, 4095];
    /// let image = Image::from_buffer(&sensor, 2, 1, PixelFormat::GRAY16.with_significant_bits(12))?;
    /// assert_eq!(image.read()?.get(1, 0)?, [65535]);
    /// # Ok::<(), pixview::Error>(())
    /// ```
    #[must_use]
    pub const fn with_significant_bits(mut self, bits: u8) -> Self {
        self.numbers.bits = Some(bits);
        self
    }

    /// The same **saved** with 8 or with 16 bits a sample. 16 unless said. Of
    /// `f32`, `i16`, `u32` and 16-bit samples. How many bits they have in
    /// memory says [`with_significant_bits`](PixelFormat::with_significant_bits).
    #[must_use]
    pub const fn with_bit_depth(mut self, depth: u8) -> Self {
        self.numbers.depth = Some(depth);
        self
    }

    /// The same with colours in linear light, saved as sRGB: they go through
    /// the curve of IEC 61966-2-1 after the range. Alpha doesn't. Of `f32`.
    #[must_use]
    pub const fn linear(mut self) -> Self {
        self.numbers.linear = true;
        self
    }

    /// Returns the format of RGB and padding, with samples of 8 bits, or of 16
    /// bits in the byte order of PNG.
    pub(crate) fn rgbx(depth: u8) -> PixelFormat {
        match depth {
            8 => PixelFormat::RGBX8,
            _ => PixelFormat::new(Order::Rgbx, Store::U16(Endian::Big)),
        }
    }

    /// Refuses what has been said of numbers that have no such meaning.
    pub(crate) fn check(self) -> Result<(), ErrorKind> {
        self.numbers.check(self)
    }
}

/// One channel of an image, for [`Image::channel`](crate::Image::channel).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Channel {
    /// The luminance of a gray image.
    Gray,
    /// Red.
    Red,
    /// Green.
    Green,
    /// Blue.
    Blue,
    /// Alpha. An X byte is not alpha.
    Alpha,
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Channel::Gray => "gray",
            Channel::Red => "red",
            Channel::Green => "green",
            Channel::Blue => "blue",
            Channel::Alpha => "alpha",
        })
    }
}

impl PixelFormat {
    /// Bits in one pixel in memory, padding included.
    #[must_use]
    pub fn bits_per_pixel(self) -> usize {
        match self.store {
            Store::Bits(bits, _) => usize::from(bits),
            Store::U8
            | Store::U16(_)
            | Store::I16(_)
            | Store::U32(_)
            | Store::F32(_)
            | Store::Word8888
            | Store::Word565(_)
            | Store::Word1555(_)
            | Store::Word2101010(_) => self.pixel_size() * 8,
        }
    }

    /// Bytes of a row of `width` packed pixels, as
    /// [`Pixels::copy_row`](crate::Pixels::copy_row) fills it. If several
    /// pixels share a byte, the last byte of a row may have bits to spare.
    #[must_use]
    pub fn row_size(self, width: u32) -> u64 {
        (u64::from(width) * self.bits_per_pixel() as u64).div_ceil(8)
    }

    /// Samples in a [`Pixel`]: 1 to 4. Padding is none; the four inks of CMYK
    /// are saved as three samples.
    #[must_use]
    pub fn channels(self) -> usize {
        self.order.png_channels().len()
    }

    /// Bits in one sample of a [`Pixel`], and of the saved file: 1, 2, 4, 8 or
    /// 16. (Palettes are saved at the smallest depth that holds them: see
    /// [`IndexDepth`](crate::IndexDepth).)
    #[must_use]
    pub fn bit_depth(self) -> u8 {
        match self.store {
            Store::Bits(bits, _) => bits,
            Store::U8 | Store::Word8888 | Store::Word565(_) | Store::Word1555(_) => 8,
            Store::Word2101010(_) => 16,
            Store::U16(_) | Store::I16(_) | Store::U32(_) | Store::F32(_) => {
                match self.numbers.depth {
                    Some(8) => 8,
                    _ => 16,
                }
            }
        }
    }

    /// Whether one of the channels is alpha. Padding is not.
    #[must_use]
    pub const fn has_alpha(self) -> bool {
        matches!(self.order.png(), Color::GrayAlpha | Color::Rgba)
    }

    /// Whether pixels are numbers of colours of a [`Palette`].
    #[must_use]
    pub fn is_indexed(self) -> bool {
        self.order == Order::Index
    }
}

/// The name of the constant, and what has been said of its numbers.
impl fmt::Display for PixelFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.premultiplied && self.numbers == Numbers::PLAIN {
            return f.pad(self.name());
        }
        let premultiplied = if self.premultiplied {
            " premultiplied"
        } else {
            ""
        };
        f.pad(&format!("{}{premultiplied}{}", self.name(), self.numbers))
    }
}

impl fmt::Debug for PixelFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl PixelFormat {
    /// How PNG holds these pixels. (Indices at the depth that they have in
    /// memory: a palette may ask for another one.)
    pub(crate) fn png(self) -> PngType {
        PngType {
            color: self.order.png(),
            depth: self.bit_depth(),
        }
    }

    /// The bits of a pixel and which of a byte come first, if there are
    /// several pixels to a byte.
    pub(crate) fn bits(self) -> Option<(u8, BitOrder)> {
        match self.store {
            Store::Bits(bits, order) => Some((bits, order)),
            _ => None,
        }
    }

    /// The order of the samples in memory.
    fn memory_order(self) -> Order {
        match self.store {
            Store::Word8888 if cfg!(target_endian = "little") => self.order.reversed(),
            _ => self.order,
        }
    }

    /// The sample of a pixel, counted in memory, that says all of a channel.
    pub(crate) fn sample_of(self, channel: Channel) -> Option<usize> {
        let alone = match self.store {
            Store::Word565(_) | Store::Word1555(_) | Store::Word2101010(_) => false,
            _ => !self.premultiplied || channel == Channel::Alpha,
        };
        let mut channels = self.memory_order().channels().iter();
        let index = channels.position(|&name| name == Some(channel));
        index.filter(|_| alone)
    }

    /// Bytes in one sample; of packed words in one word, and 1 if a byte has
    /// several samples.
    pub(crate) fn sample_size(self) -> usize {
        match self.store {
            Store::Bits(..) | Store::U8 | Store::Word8888 => 1,
            Store::U16(_) | Store::I16(_) | Store::Word565(_) | Store::Word1555(_) => 2,
            Store::U32(_) | Store::F32(_) | Store::Word2101010(_) => 4,
        }
    }

    /// Bytes in one pixel, packed, or 1 if there are several to a byte.
    pub(crate) fn pixel_size(self) -> usize {
        match self.store {
            Store::Word565(_) | Store::Word1555(_) | Store::Word2101010(_) => self.sample_size(),
            _ => self.order.channels().len() * self.sample_size(),
        }
    }

    /// Returns the number of bytes that make one number: a typed buffer does not
    /// cut them apart.
    pub(crate) fn alignment(self) -> usize {
        match self.store {
            Store::Word8888 => 4,
            _ => self.sample_size(),
        }
    }

    /// Whether the samples can lie in planes of their own.
    pub(crate) fn has_separable_samples(self) -> bool {
        match self.store {
            Store::U8 | Store::U16(_) | Store::I16(_) | Store::U32(_) | Store::F32(_) => true,
            Store::Bits(..)
            | Store::Word8888
            | Store::Word565(_)
            | Store::Word1555(_)
            | Store::Word2101010(_) => false,
        }
    }

    /// Whether pixels in memory are bit for bit what PNG holds.
    pub(crate) fn is_png(self) -> bool {
        let same_bytes = match self.store {
            Store::Bits(_, order) => order == BitOrder::Msb,
            Store::U8 | Store::Word8888 => true,
            Store::U16(endian) => endian.is_big() && self.numbers == Numbers::PLAIN,
            Store::I16(_)
            | Store::U32(_)
            | Store::F32(_)
            | Store::Word565(_)
            | Store::Word1555(_)
            | Store::Word2101010(_) => false,
        };
        let same_order = matches!(
            self.memory_order(),
            Order::Gray | Order::GrayAlpha | Order::Rgb | Order::Rgba | Order::Index
        );
        same_bytes && same_order && !self.premultiplied
    }

    /// The format of one channel alone.
    pub(crate) fn alone(self, channel: Channel) -> PixelFormat {
        let store = match self.store {
            Store::Word8888 => Store::U8,
            store => store,
        };
        PixelFormat {
            numbers: match channel {
                Channel::Alpha => self.numbers.of_alpha(),
                _ => self.numbers,
            },
            ..PixelFormat::new(Order::Gray, store)
        }
    }
}
