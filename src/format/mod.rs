//! Pixel formats, and the conversion between pixels in memory and the samples of
//! PNG.
//!
//! A format is an order of channels, a storage for their samples, and a mapping
//! of their values. To add a format, add it to `table.rs`, to the table in
//! `formats.md` and to the definitions in `tests/common`; a test fails without
//! them. A new order or storage is a new variant, and the compiler lists the
//! matches that need an arm for it.

mod alpha;
mod binary16;
mod bits;
mod cmyk;
mod convert;
mod file_format;
mod linear;
mod mapping;
mod name;
mod nibbles;
mod order;
mod packed;
mod palette;
mod pixel;
mod png_format;
mod rotation;
mod samples;
mod shallow;
mod shuffle;
mod srgb;
mod storage;
mod table;
mod value_map;

use std::fmt;

use png::ColorType;

pub(crate) use bits::{BitOrder, clear_spare, pack, shift_down, unpack};
pub(crate) use convert::{from_png, to_png};
pub(crate) use file_format::FileFormat;
pub use palette::Palette;
pub(crate) use palette::{fewest_bits, first_index_beyond};
pub use pixel::{Pixel, PixelBytes, SampleSlice, Samples};
pub(crate) use png_format::PngFormat;

use crate::ErrorKind;
use order::Order;
use storage::{Endian, Storage};
use value_map::ValueMap;

#[doc = include_str!("formats.md")]
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PixelFormat {
    order: Order,
    storage: Storage,
    /// Whether colors in memory are multiplied by alpha.
    premultiplied: bool,
    value_map: ValueMap,
}

/// Options, which say what the values in memory mean. They are checked when an
/// image is created, not here.
impl PixelFormat {
    const fn new(order: Order, storage: Storage) -> Self {
        PixelFormat {
            order,
            storage,
            premultiplied: false,
            value_map: ValueMap::DEFAULT,
        }
    }

    /// Declares the colors in memory as premultiplied, that is multiplied by
    /// alpha, as compositors store them. A save converts them to straight
    /// colors, which PNG requires (PNG third edition, 6.2).
    ///
    /// A format without alpha stays unchanged.
    ///
    /// # Examples
    ///
    /// ```
    /// use pixview::{Image, PixelFormat};
    ///
    /// let buffer = [64u8, 0, 128, 128]; // half-transparent
    /// let format = PixelFormat::BGRA8.premultiplied();
    /// let image = Image::from_buffer(&buffer, 1, 1, format)?;
    /// assert_eq!(image.pixels()?.get(0, 0)?, [255, 0, 128, 128]);
    /// # Ok::<(), pixview::Error>(())
    /// ```
    #[must_use]
    pub const fn premultiplied(mut self) -> Self {
        self.premultiplied = self.has_alpha();
        self
    }

    /// Sets the values in memory that are black and white. Values outside the
    /// range are clamped to it, and NaN becomes 0, which is black. `black` may
    /// be larger than `white`.
    ///
    /// Defaults to 0 and 1 for floating-point samples. For integers it defaults to the smallest
    /// and the largest value of their type, or of their
    /// [significant bits](PixelFormat::with_significant_bits).
    ///
    /// The range applies to colors alone, and replaces their significant bits.
    /// Alpha keeps its default range and its significant bits.
    ///
    /// Formats with 16-bit samples, `i8`, `i16`, `i32`, `u32`, `f16`, `f32` and
    /// `f64` support a range.
    ///
    /// # Examples
    ///
    /// ```
    /// use pixview::{Image, PixelFormat};
    ///
    /// let kelvin = [250f32, 300.0, 350.0, f32::NAN];
    /// let format = PixelFormat::GRAY_F32.with_range(250.0, 350.0);
    /// let image = Image::from_buffer(&kelvin, 4, 1, format)?;
    /// assert_eq!(image.pixels()?.get(1, 0)?, [32768]);
    /// assert_eq!(image.pixels()?.get(3, 0)?, [0]);
    /// # Ok::<(), pixview::Error>(())
    /// ```
    #[must_use]
    pub const fn with_range(mut self, black: f64, white: f64) -> Self {
        self.value_map.set_range(black, white);
        self
    }

    /// Sets the number of bits that samples use: the least significant bits of
    /// their type. Cameras often use 10, 12 or 14 bits of 16. Values that need
    /// more bits are clamped.
    ///
    /// Defaults to all bits of the type.
    ///
    /// The file has samples of 16 bits (of 8 bits for `i8`), scaled so that the largest value is white.
    /// It does not tell the number of bits: for that, also set
    /// [`Metadata::significant_bits`](crate::Metadata::significant_bits). To read
    /// the original numbers back, give this format to
    /// [`PngReader::read_as`](crate::PngReader::read_as).
    ///
    /// Formats with 16-bit samples, `i8`, `i16`, `i32` and `u32` support significant
    /// bits.
    ///
    /// # Examples
    ///
    /// ```
    /// use pixview::{Image, PixelFormat};
    ///
    /// let sensor = [0u16, 4095];
    /// let image = Image::from_buffer(&sensor, 2, 1, PixelFormat::GRAY16.with_significant_bits(12))?;
    /// assert_eq!(image.pixels()?.get(1, 0)?, [65535]);
    /// # Ok::<(), pixview::Error>(())
    /// ```
    #[must_use]
    pub const fn with_significant_bits(mut self, bits: u8) -> Self {
        self.value_map.bits = Some(bits);
        self
    }

    /// Sets the bit depth of the **saved file**: 8 or 16, and for gray 1, 2 or 4
    /// as well. Each value becomes the nearest sample of that depth.
    ///
    /// Defaults to 16, and to 8 for `GRAY8` and `i8`. To describe samples that
    /// use fewer bits in memory, use
    /// [`with_significant_bits`](PixelFormat::with_significant_bits).
    ///
    /// `GRAY8`, which has no depth of 16, and formats with 16-bit samples, `i8`,
    /// `i16`, `i32`, `u32`, `f16`, `f32` and `f64` support a bit depth.
    ///
    /// # Examples
    ///
    /// ```
    /// use pixview::{Image, PixelFormat};
    ///
    /// let mask = [0u8, 127, 128, 255];
    /// let image = Image::from_buffer(&mask, 4, 1, PixelFormat::GRAY8.with_bit_depth(1))?;
    /// assert_eq!(image.pixels()?.get(1, 0)?, [0]);
    /// assert_eq!(image.pixels()?.get(2, 0)?, [1]);
    /// # Ok::<(), pixview::Error>(())
    /// ```
    #[must_use]
    pub const fn with_bit_depth(mut self, depth: u8) -> Self {
        self.value_map.depth = Some(depth);
        self
    }

    /// Declares the colors in memory as linear light, to be saved as sRGB.
    ///
    /// A save applies the range first, then the sRGB curve (IEC 61966-2-1).
    /// Alpha stays linear.
    ///
    /// Formats with `f16`, `f32` and `f64` samples support linear light.
    #[must_use]
    pub const fn linear(mut self) -> Self {
        self.value_map.linear = true;
        self
    }

    /// Exchanges black and white of gray: 0, or the smallest value of the type or
    /// of the range, is white. TIFF calls such pixels `MinIsWhite`, DICOM
    /// `MONOCHROME1`.
    ///
    /// Gray formats of all sizes support inversion. NaN stays black.
    ///
    /// # Examples
    ///
    /// ```
    /// use pixview::{Image, PixelFormat};
    ///
    /// let ink = [0b1000_0000u8]; // one black dot, then white
    /// let image = Image::from_buffer(&ink, 8, 1, PixelFormat::GRAY1.inverted())?;
    /// assert_eq!(image.pixels()?.get(0, 0)?, [0]);
    /// assert_eq!(image.pixels()?.get(1, 0)?, [1]);
    /// # Ok::<(), pixview::Error>(())
    /// ```
    #[must_use]
    pub const fn inverted(mut self) -> Self {
        self.value_map.inverted = true;
        self
    }

    /// Returns the format of RGB and padding, with samples of 8 bits, or of 16
    /// bits in the byte order of PNG.
    pub(crate) fn rgbx(depth: u8) -> PixelFormat {
        match depth {
            8 => PixelFormat::RGBX8,
            _ => PixelFormat::RGBX16BE,
        }
    }

    /// Returns an error if the format does not support one of its options, or
    /// not with this value.
    pub(crate) fn check(self) -> Result<(), ErrorKind> {
        self.value_map.check(self)
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
    /// Alpha. Padding, an `X` in the name of a format, is not alpha.
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
    /// Returns the number of bits in a pixel in memory, with padding.
    #[must_use]
    pub fn bits_per_pixel(self) -> usize {
        match self.storage {
            Storage::Bits(bits, _) => usize::from(bits),
            Storage::U8
            | Storage::I8
            | Storage::U16(_)
            | Storage::I16(_)
            | Storage::U32(_)
            | Storage::I32(_)
            | Storage::F16(_)
            | Storage::F32(_)
            | Storage::F64(_)
            | Storage::Word8888
            | Storage::Word565(_)
            | Storage::Word4444(_)
            | Storage::Word1555(_)
            | Storage::Word2101010(_) => self.pixel_size() * 8,
        }
    }

    /// Returns the number of bytes in a row of `width` packed pixels, as
    /// [`Pixels::copy_row`](crate::Pixels::copy_row) fills it. If several
    /// pixels share a byte, the last byte of a row may have unused bits.
    #[must_use]
    pub fn row_size(self, width: u32) -> u64 {
        (u64::from(width) * self.bits_per_pixel() as u64).div_ceil(8)
    }

    /// Returns the number of samples in a [`Pixel`]: 1 to 4. Padding does not
    /// count. The four inks of CMYK count as three samples, red, green and blue.
    #[must_use]
    pub fn channels(self) -> usize {
        self.order.png_channels().len()
    }

    /// Returns the number of bits in a sample of a [`Pixel`], which is the bit
    /// depth of the saved file: 1, 2, 4, 8 or 16.
    ///
    /// Indexed images are the exception: they are saved at the smallest bit
    /// depth that holds the palette, or at the one that
    /// [`IndexDepth`](crate::png::IndexDepth) sets.
    #[must_use]
    pub fn bit_depth(self) -> u8 {
        let default = match self.storage {
            Storage::Bits(bits, _) => bits,
            Storage::U8
            | Storage::I8
            | Storage::Word8888
            | Storage::Word565(_)
            | Storage::Word4444(_)
            | Storage::Word1555(_) => 8,
            Storage::U16(_)
            | Storage::I16(_)
            | Storage::U32(_)
            | Storage::I32(_)
            | Storage::F16(_)
            | Storage::F32(_)
            | Storage::F64(_)
            | Storage::Word2101010(_) => 16,
        };
        let set = self.value_map.depth;
        set.filter(|depth| self.bit_depths().contains(depth))
            .unwrap_or(default)
    }

    /// Returns the bit depths of the file that can be set, none if the format
    /// does not support the option.
    pub(crate) fn bit_depths(self) -> &'static [u8] {
        let is_gray = self.order == Order::Gray;
        match self.storage {
            Storage::U8 if is_gray => &[1, 2, 4, 8],
            Storage::I8
            | Storage::U16(_)
            | Storage::I16(_)
            | Storage::U32(_)
            | Storage::I32(_)
            | Storage::F16(_)
            | Storage::F32(_)
            | Storage::F64(_) => {
                if is_gray {
                    &[1, 2, 4, 8, 16]
                } else {
                    &[8, 16]
                }
            }
            Storage::U8
            | Storage::Bits(..)
            | Storage::Word8888
            | Storage::Word565(_)
            | Storage::Word4444(_)
            | Storage::Word1555(_)
            | Storage::Word2101010(_) => &[],
        }
    }

    /// Returns whether one of the channels is alpha. Padding is not alpha.
    #[must_use]
    pub const fn has_alpha(self) -> bool {
        matches!(
            self.order.color_type(),
            ColorType::GrayscaleAlpha | ColorType::Rgba
        )
    }

    /// Returns whether the pixels are indices of [`Palette`] entries.
    #[must_use]
    pub fn is_indexed(self) -> bool {
        self.order == Order::Index
    }
}
