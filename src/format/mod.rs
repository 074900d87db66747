//! What the bytes of a pixel mean.
//!
//! A format is an order of channels, a way to store their samples, and what
//! their numbers mean. To add one: a line in the table below and one in
//! `formats.md`, and its definition in `tests/common`, without which a test
//! fails; and, if its order or its way to store samples is new, a variant and an
//! arm wherever the compiler then asks for one.

mod adapt;
mod alpha;
mod bits;
mod convert;
mod ink;
mod numbers;
mod palette;
mod pixel;
mod simd;
mod words;

use std::fmt;

pub(crate) use adapt::{FileType, beyond};
pub(crate) use bits::{BitOrder, clear_spare, pack, reverse_order, shift_down, unpack};
pub(crate) use convert::{from_png, to_png};
pub use palette::Palette;
pub(crate) use palette::fewest_bits;
pub use pixel::Pixel;
pub(crate) use pixel::PixelBytes;

use crate::ErrorKind;
use numbers::Numbers;

#[doc = include_str!("formats.md")]
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PixelFormat {
    order: Order,
    store: Store,
    premultiplied: bool,
    numbers: Numbers,
}

/// Which channels a pixel has, in the order of its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Order {
    Gray,
    GrayAlpha,
    Rgb,
    Rgba,
    Bgr,
    Bgra,
    Argb,
    Abgr,
    Rgbx,
    Bgrx,
    Xrgb,
    Xbgr,
    /// The number of a colour in a palette.
    Index,
    /// Cyan, magenta, yellow, black: how much ink.
    Cmyk,
    /// The same, how much is left bare.
    CmykInverted,
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

/// Makes the constants: first those with one way to lie in memory, then those
/// that come native, little and big-endian.
macro_rules! formats {
    (
        $($doc:literal $name:ident = $order:ident, $store:expr;)*
        endian:
        $($edoc:literal $native:ident, $le:ident, $be:ident = $eorder:ident, $estore:ident;)*
    ) => {
        impl PixelFormat {
            $(
                #[doc = $doc]
                pub const $name: PixelFormat = PixelFormat::new(Order::$order, $store);
            )*
            $(
                #[doc = concat!($edoc, ", native-endian.")]
                pub const $native: PixelFormat =
                    PixelFormat::new(Order::$eorder, Store::$estore(Endian::Native));
                #[doc = concat!($edoc, ", little-endian.")]
                pub const $le: PixelFormat =
                    PixelFormat::new(Order::$eorder, Store::$estore(Endian::Little));
                #[doc = concat!($edoc, ", big-endian.")]
                pub const $be: PixelFormat =
                    PixelFormat::new(Order::$eorder, Store::$estore(Endian::Big));
            )*

            /// Every constant, in the order of the table above: for tools
            /// that list them, and for fuzzers.
            pub const ALL: &'static [PixelFormat] = &[
                $(PixelFormat::$name,)*
                $(PixelFormat::$native, PixelFormat::$le, PixelFormat::$be,)*
            ];

            /// The name of the constant, such as `"BGRA8"`, whatever is said
            /// of its numbers.
            #[must_use]
            pub fn name(self) -> &'static str {
                match (self.order, self.store) {
                    $((Order::$order, store) if store == $store => stringify!($name),)*
                    $(
                        (Order::$eorder, Store::$estore(Endian::Native)) => stringify!($native),
                        (Order::$eorder, Store::$estore(Endian::Little)) => stringify!($le),
                        (Order::$eorder, Store::$estore(Endian::Big)) => stringify!($be),
                    )*
                    _ => unreachable!("every format is in the table"),
                }
            }
        }
    };
}

formats! {
    "Gray, 8 bit." GRAY8 = Gray, Store::U8;
    "Gray and alpha, 8 bit." GRAY_ALPHA8 = GrayAlpha, Store::U8;
    "Red, green, blue, 8 bit." RGB8 = Rgb, Store::U8;
    "Red, green, blue, alpha, 8 bit." RGBA8 = Rgba, Store::U8;
    "Blue, green, red, 8 bit." BGR8 = Bgr, Store::U8;
    "Blue, green, red, alpha, 8 bit." BGRA8 = Bgra, Store::U8;
    "Alpha, red, green, blue, 8 bit, in the order of the bytes. For the native
    word `0xAARRGGBB` see [`ARGB8888`](PixelFormat::ARGB8888)."
    ARGB8 = Argb, Store::U8;
    "Alpha, blue, green, red, 8 bit, in the order of the bytes. For the native
    word `0xAABBGGRR` see [`ABGR8888`](PixelFormat::ABGR8888)."
    ABGR8 = Abgr, Store::U8;
    "Red, green, blue, padding, 8 bit." RGBX8 = Rgbx, Store::U8;
    "Blue, green, red, padding, 8 bit." BGRX8 = Bgrx, Store::U8;
    "Padding, red, green, blue, 8 bit, in the order of the bytes. For the
    native word `0xXXRRGGBB` see [`XRGB8888`](PixelFormat::XRGB8888)."
    XRGB8 = Xrgb, Store::U8;
    "Padding, blue, green, red, 8 bit, in the order of the bytes. For the
    native word `0xXXBBGGRR` see [`XBGR8888`](PixelFormat::XBGR8888)."
    XBGR8 = Xbgr, Store::U8;
    "The native 32-bit word `0xXXRRGGBB`, as in most framebuffers. For the
    bytes X, R, G, B see [`XRGB8`](PixelFormat::XRGB8)."
    XRGB8888 = Xrgb, Store::Word8888;
    "The native 32-bit word `0xAARRGGBB`. For the bytes A, R, G, B see
    [`ARGB8`](PixelFormat::ARGB8)."
    ARGB8888 = Argb, Store::Word8888;
    "The native 32-bit word `0xXXBBGGRR`. For the bytes X, B, G, R see
    [`XBGR8`](PixelFormat::XBGR8)."
    XBGR8888 = Xbgr, Store::Word8888;
    "The native 32-bit word `0xAABBGGRR`. For the bytes A, B, G, R see
    [`ABGR8`](PixelFormat::ABGR8)."
    ABGR8888 = Abgr, Store::Word8888;
    "Gray, 1 bit, 1 is white; the first pixel of a byte in its most significant
    bit."
    GRAY1 = Gray, Store::Bits(1, BitOrder::Msb);
    "Gray, 2 bit, the first pixel of a byte in its most significant bits."
    GRAY2 = Gray, Store::Bits(2, BitOrder::Msb);
    "Gray, 4 bit, the first pixel of a byte in its most significant bits."
    GRAY4 = Gray, Store::Bits(4, BitOrder::Msb);
    "Gray, 1 bit, 1 is white; the first pixel of a byte in its least
    significant bit."
    GRAY1LSB = Gray, Store::Bits(1, BitOrder::Lsb);
    "Gray, 2 bit, the first pixel of a byte in its least significant bits."
    GRAY2LSB = Gray, Store::Bits(2, BitOrder::Lsb);
    "Gray, 4 bit, the first pixel of a byte in its least significant bits."
    GRAY4LSB = Gray, Store::Bits(4, BitOrder::Lsb);
    "One of 2 colours of a [`Palette`], the first pixel of a byte in its most
    significant bit."
    INDEXED1 = Index, Store::Bits(1, BitOrder::Msb);
    "One of 4 colours of a [`Palette`], the first pixel of a byte in its most
    significant bits."
    INDEXED2 = Index, Store::Bits(2, BitOrder::Msb);
    "One of 16 colours of a [`Palette`], the first pixel of a byte in its most
    significant bits."
    INDEXED4 = Index, Store::Bits(4, BitOrder::Msb);
    "One of 2 colours of a [`Palette`], the first pixel of a byte in its least
    significant bit."
    INDEXED1LSB = Index, Store::Bits(1, BitOrder::Lsb);
    "One of 4 colours of a [`Palette`], the first pixel of a byte in its least
    significant bits."
    INDEXED2LSB = Index, Store::Bits(2, BitOrder::Lsb);
    "One of 16 colours of a [`Palette`], the first pixel of a byte in its least
    significant bits."
    INDEXED4LSB = Index, Store::Bits(4, BitOrder::Lsb);
    "One of 256 colours of a [`Palette`], a byte each."
    INDEXED8 = Index, Store::U8;
    "Cyan, magenta, yellow, black, 8 bit: 255 is full ink."
    CMYK8 = Cmyk, Store::U8;
    "Cyan, magenta, yellow, black, 8 bit: 0 is full ink, as in most JPEG files
    with four channels."
    CMYK8_INVERTED = CmykInverted, Store::U8;

    endian:
    "Gray, 16 bit" GRAY16, GRAY16LE, GRAY16BE = Gray, U16;
    "Gray and alpha, 16 bit" GRAY_ALPHA16, GRAY_ALPHA16LE, GRAY_ALPHA16BE = GrayAlpha, U16;
    "Red, green, blue, 16 bit" RGB16, RGB16LE, RGB16BE = Rgb, U16;
    "Red, green, blue, alpha, 16 bit" RGBA16, RGBA16LE, RGBA16BE = Rgba, U16;
    "Blue, green, red, 16 bit" BGR16, BGR16LE, BGR16BE = Bgr, U16;
    "Blue, green, red, alpha, 16 bit" BGRA16, BGRA16LE, BGRA16BE = Bgra, U16;
    "Alpha, red, green, blue, 16 bit" ARGB16, ARGB16LE, ARGB16BE = Argb, U16;
    "The 16-bit word `RRRRRGGG_GGGBBBBB`" RGB565, RGB565LE, RGB565BE = Rgb, Word565;
    "The 16-bit word `BBBBBGGG_GGGRRRRR`" BGR565, BGR565LE, BGR565BE = Bgr, Word565;
    "The 16-bit word `XRRRRRGG_GGGBBBBB`" XRGB1555, XRGB1555LE, XRGB1555BE = Xrgb, Word1555;
    "The 16-bit word `XBBBBBGG_GGGRRRRR`" XBGR1555, XBGR1555LE, XBGR1555BE = Xbgr, Word1555;
    "The 16-bit word `ARRRRRGG_GGGBBBBB`" ARGB1555, ARGB1555LE, ARGB1555BE = Argb, Word1555;
    "The 16-bit word `ABBBBBGG_GGGRRRRR`" ABGR1555, ABGR1555LE, ABGR1555BE = Abgr, Word1555;
    "The 32-bit word of 2 bits of padding, then red, green, blue, 10 bits each"
    XRGB2101010, XRGB2101010LE, XRGB2101010BE = Xrgb, Word2101010;
    "The 32-bit word of 2 bits of padding, then blue, green, red, 10 bits each"
    XBGR2101010, XBGR2101010LE, XBGR2101010BE = Xbgr, Word2101010;
    "The 32-bit word of 2 bits of alpha, then red, green, blue, 10 bits each"
    ARGB2101010, ARGB2101010LE, ARGB2101010BE = Argb, Word2101010;
    "The 32-bit word of 2 bits of alpha, then blue, green, red, 10 bits each"
    ABGR2101010, ABGR2101010LE, ABGR2101010BE = Abgr, Word2101010;
    "Gray, `i16`, of which all values are shades" GRAY_I16, GRAY_I16LE, GRAY_I16BE = Gray, I16;
    "Gray, `u32`, of which all values are shades" GRAY_U32, GRAY_U32LE, GRAY_U32BE = Gray, U32;
    "Gray, `f32`, 0 to 1" GRAY_F32, GRAY_F32LE, GRAY_F32BE = Gray, F32;
    "Gray and alpha, `f32`, 0 to 1"
    GRAY_ALPHA_F32, GRAY_ALPHA_F32LE, GRAY_ALPHA_F32BE = GrayAlpha, F32;
    "Red, green, blue, `f32`, 0 to 1" RGB_F32, RGB_F32LE, RGB_F32BE = Rgb, F32;
    "Blue, green, red, `f32`, 0 to 1" BGR_F32, BGR_F32LE, BGR_F32BE = Bgr, F32;
    "Blue, green, red, alpha, `f32`, 0 to 1" BGRA_F32, BGRA_F32LE, BGRA_F32BE = Bgra, F32;
    "Red, green, blue, alpha, `f32`, 0 to 1" RGBA_F32, RGBA_F32LE, RGBA_F32BE = Rgba, F32;
}

/// Other names.
impl PixelFormat {
    /// The same as [`XRGB1555`](PixelFormat::XRGB1555).
    pub const RGB555: PixelFormat = PixelFormat::XRGB1555;
    /// The same as [`XRGB1555LE`](PixelFormat::XRGB1555LE).
    pub const RGB555LE: PixelFormat = PixelFormat::XRGB1555LE;
    /// The same as [`XRGB1555BE`](PixelFormat::XRGB1555BE).
    pub const RGB555BE: PixelFormat = PixelFormat::XRGB1555BE;
    /// The same as [`XBGR1555`](PixelFormat::XBGR1555).
    pub const BGR555: PixelFormat = PixelFormat::XBGR1555;
    /// The same as [`XBGR1555LE`](PixelFormat::XBGR1555LE).
    pub const BGR555LE: PixelFormat = PixelFormat::XBGR1555LE;
    /// The same as [`XBGR1555BE`](PixelFormat::XBGR1555BE).
    pub const BGR555BE: PixelFormat = PixelFormat::XBGR1555BE;
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
        self.order.png().channels().len()
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

/// The channels that PNG has, in its order (PNG third edition, 6.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Color {
    Gray,
    GrayAlpha,
    Rgb,
    Rgba,
    /// Not a channel, but the number of a colour.
    Index,
}

impl Color {
    fn channels(self) -> &'static [Option<Channel>] {
        match self {
            Color::Gray => &[Y],
            Color::GrayAlpha => &[Y, A],
            Color::Rgb => &[R, G, B],
            Color::Rgba => &[R, G, B, A],
            Color::Index => &[X],
        }
    }
}

/// How PNG holds pixels: one behind the other, without gaps, samples of 16
/// bits with the most significant byte first, pixels of less than 8 bits with
/// the first in the most significant bits, each row from a byte of its own on
/// (PNG third edition, 7.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PngType {
    pub(crate) color: Color,
    /// Bits in a sample.
    pub(crate) depth: u8,
}

impl PngType {
    pub(crate) fn bits_per_pixel(self) -> usize {
        self.color.channels().len() * usize::from(self.depth)
    }

    /// Bytes in a pixel, or 1 if there are several to a byte: what filters
    /// reckon with (PNG third edition, 9.2).
    pub(crate) fn pixel_size(self) -> usize {
        self.bits_per_pixel().div_ceil(8)
    }

    /// Bytes in a row.
    pub(crate) fn row_size(self, width: u32) -> u64 {
        (u64::from(width) * self.bits_per_pixel() as u64).div_ceil(8)
    }
}

const Y: Option<Channel> = Some(Channel::Gray);
const R: Option<Channel> = Some(Channel::Red);
const G: Option<Channel> = Some(Channel::Green);
const B: Option<Channel> = Some(Channel::Blue);
const A: Option<Channel> = Some(Channel::Alpha);
const X: Option<Channel> = None;

impl Order {
    /// The channels in this order; `None` is padding, or none that PNG has.
    fn channels(self) -> &'static [Option<Channel>] {
        match self {
            Order::Gray => &[Y],
            Order::GrayAlpha => &[Y, A],
            Order::Rgb => &[R, G, B],
            Order::Rgba => &[R, G, B, A],
            Order::Bgr => &[B, G, R],
            Order::Bgra => &[B, G, R, A],
            Order::Argb => &[A, R, G, B],
            Order::Abgr => &[A, B, G, R],
            Order::Rgbx => &[R, G, B, X],
            Order::Bgrx => &[B, G, R, X],
            Order::Xrgb => &[X, R, G, B],
            Order::Xbgr => &[X, B, G, R],
            Order::Index => &[X],
            Order::Cmyk | Order::CmykInverted => &[X, X, X, X],
        }
    }

    /// The last channel first.
    fn reversed(self) -> Order {
        match self {
            Order::Rgb => Order::Bgr,
            Order::Bgr => Order::Rgb,
            Order::Rgba => Order::Abgr,
            Order::Abgr => Order::Rgba,
            Order::Bgra => Order::Argb,
            Order::Argb => Order::Bgra,
            Order::Rgbx => Order::Xbgr,
            Order::Xbgr => Order::Rgbx,
            Order::Bgrx => Order::Xrgb,
            Order::Xrgb => Order::Bgrx,
            // Alone, or not the fields of any word.
            Order::Gray | Order::GrayAlpha | Order::Index | Order::Cmyk | Order::CmykInverted => {
                self
            }
        }
    }

    /// The channels that PNG has of these.
    const fn png(self) -> Color {
        match self {
            Order::Gray => Color::Gray,
            Order::GrayAlpha => Color::GrayAlpha,
            Order::Rgb
            | Order::Bgr
            | Order::Rgbx
            | Order::Bgrx
            | Order::Xrgb
            | Order::Xbgr
            | Order::Cmyk
            | Order::CmykInverted => Color::Rgb,
            Order::Rgba | Order::Bgra | Order::Argb | Order::Abgr => Color::Rgba,
            Order::Index => Color::Index,
        }
    }

    /// Whether blue comes before red.
    fn is_blue_first(self) -> bool {
        let position = |channel| self.channels().iter().position(|&c| c == channel);
        position(B) < position(R)
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

    /// Bytes that make one number: what a typed buffer does not cut apart.
    pub(crate) fn grain(self) -> usize {
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
