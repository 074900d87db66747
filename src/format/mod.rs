//! What the bytes of a pixel mean.
//!
//! A format is an order of channels and a way to store their samples. To add
//! one: a line in the table of [`PixelFormat`] and, if its order or its way to
//! store samples is new, a variant and an arm wherever the compiler then asks
//! for one, here, in `pixel.rs` and in `convert.rs`.

mod convert;
mod pixel;

use std::fmt;

pub(crate) use convert::to_png;
pub use pixel::Pixel;
pub(crate) use pixel::PixelBytes;

/// What the bytes of a pixel mean: which channels, in which order, in how
/// many bits, and whether the fourth is alpha.
///
/// # Names
///
/// Two families of names must not be confused:
///
/// - **Bytes.** `RGB8`, `BGRA8`, `XRGB8`, `GRAY16LE`, … name the samples in
///   the order in which they **lie in memory**, followed by the bits of one
///   sample. `BGRA8` is the byte of blue, then green, red and alpha, on every
///   machine.
/// - **Words.** [`XRGB8888`](PixelFormat::XRGB8888) and its kin, with one
///   number for each channel, name the fields of a **native 32-bit word** from
///   the most significant bits down, as framebuffers do:
///   `0xXXRRGGBB`. On a little-endian machine that word is stored as the
///   bytes B, G, R, X.
///
/// Samples of 16 bits are native-endian (`RGB16`), little-endian
/// (`RGB16LE`) or big-endian (`RGB16BE`).
///
/// # Alpha and X
///
/// Alpha is straight (not premultiplied), as in PNG (PNG third edition,
/// 6.2). An `X` byte is padding: it never becomes alpha, an image with one is
/// saved as opaque RGB, and writing a pixel through a view sets it to 255.
///
/// # Cost of a save
///
/// Where PNG has the bytes as they are (`GRAY8`, `GRAY_ALPHA8`, `RGB8`,
/// `RGBA8`, and `..16BE`, which is `..16` on a big-endian machine; `ABGR8888`
/// on a little-endian one), a row is copied into the encoder's strip. All
/// others are converted on that way, without another buffer. Nothing is lost
/// but the X byte.
///
/// | format | bytes in memory | saved as |
/// |---|---|---|
/// | `GRAY8` | `Y` | gray, 8 bit |
/// | `GRAY_ALPHA8` | `Y A` | gray + alpha, 8 bit |
/// | `RGB8` | `R G B` | RGB, 8 bit |
/// | `RGBA8` | `R G B A` | RGBA, 8 bit |
/// | `BGR8` | `B G R` | RGB, 8 bit |
/// | `BGRA8` | `B G R A` | RGBA, 8 bit |
/// | `ARGB8` | `A R G B` | RGBA, 8 bit |
/// | `ABGR8` | `A B G R` | RGBA, 8 bit |
/// | `RGBX8` | `R G B X` | RGB, 8 bit |
/// | `BGRX8` | `B G R X` | RGB, 8 bit |
/// | `XRGB8` | `X R G B` | RGB, 8 bit |
/// | `XBGR8` | `X B G R` | RGB, 8 bit |
/// | `GRAY16`, `GRAY16LE`, `GRAY16BE` | `YY` | gray, 16 bit |
/// | `GRAY_ALPHA16`, `..LE`, `..BE` | `YY AA` | gray + alpha, 16 bit |
/// | `RGB16`, `RGB16LE`, `RGB16BE` | `RR GG BB` | RGB, 16 bit |
/// | `RGBA16`, `RGBA16LE`, `RGBA16BE` | `RR GG BB AA` | RGBA, 16 bit |
/// | `XRGB8888` | native word `0xXXRRGGBB` | RGB, 8 bit |
/// | `ARGB8888` | native word `0xAARRGGBB` | RGBA, 8 bit |
/// | `XBGR8888` | native word `0xXXBBGGRR` | RGB, 8 bit |
/// | `ABGR8888` | native word `0xAABBGGRR` | RGBA, 8 bit |
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PixelFormat {
    order: Order,
    store: Store,
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
}

/// How the samples lie in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Store {
    /// A byte each, one behind the other.
    U8,
    /// Two bytes each, one behind the other.
    U16(Endian),
    /// Four fields of 8 bits in a native 32-bit word, the first in the most
    /// significant bits.
    Word8888,
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

macro_rules! formats {
    ($($(#[$doc:meta])* $name:ident = $order:ident, $store:expr;)*) => {
        impl PixelFormat {
            $(
                $(#[$doc])*
                pub const $name: PixelFormat = PixelFormat {
                    order: Order::$order,
                    store: $store,
                };
            )*

            /// Every format, in the order of the table above: for tools that
            /// list them, and for fuzzers.
            pub const ALL: &'static [PixelFormat] = &[$(PixelFormat::$name),*];

            /// The name of the constant, such as `"BGRA8"`.
            #[must_use]
            pub fn name(self) -> &'static str {
                $(
                    if self == PixelFormat::$name {
                        return stringify!($name);
                    }
                )*
                unreachable!("every format is in the table")
            }
        }
    };
}

formats! {
    /// Gray, 8 bit.
    GRAY8 = Gray, Store::U8;
    /// Gray and alpha, 8 bit.
    GRAY_ALPHA8 = GrayAlpha, Store::U8;
    /// Red, green, blue, 8 bit.
    RGB8 = Rgb, Store::U8;
    /// Red, green, blue, alpha, 8 bit.
    RGBA8 = Rgba, Store::U8;
    /// Blue, green, red, 8 bit.
    BGR8 = Bgr, Store::U8;
    /// Blue, green, red, alpha, 8 bit.
    BGRA8 = Bgra, Store::U8;
    /// Alpha, red, green, blue, 8 bit, in the order of the bytes. For the
    /// native word `0xAARRGGBB` see [`ARGB8888`](PixelFormat::ARGB8888).
    ARGB8 = Argb, Store::U8;
    /// Alpha, blue, green, red, 8 bit, in the order of the bytes. For the
    /// native word `0xAABBGGRR` see [`ABGR8888`](PixelFormat::ABGR8888).
    ABGR8 = Abgr, Store::U8;
    /// Red, green, blue, padding, 8 bit.
    RGBX8 = Rgbx, Store::U8;
    /// Blue, green, red, padding, 8 bit.
    BGRX8 = Bgrx, Store::U8;
    /// Padding, red, green, blue, 8 bit, in the order of the bytes. For the
    /// native word `0xXXRRGGBB` see [`XRGB8888`](PixelFormat::XRGB8888).
    XRGB8 = Xrgb, Store::U8;
    /// Padding, blue, green, red, 8 bit, in the order of the bytes. For the
    /// native word `0xXXBBGGRR` see [`XBGR8888`](PixelFormat::XBGR8888).
    XBGR8 = Xbgr, Store::U8;
    /// Gray, 16 bit, native-endian.
    GRAY16 = Gray, Store::U16(Endian::Native);
    /// Gray, 16 bit, little-endian.
    GRAY16LE = Gray, Store::U16(Endian::Little);
    /// Gray, 16 bit, big-endian.
    GRAY16BE = Gray, Store::U16(Endian::Big);
    /// Gray and alpha, 16 bit, native-endian.
    GRAY_ALPHA16 = GrayAlpha, Store::U16(Endian::Native);
    /// Gray and alpha, 16 bit, little-endian.
    GRAY_ALPHA16LE = GrayAlpha, Store::U16(Endian::Little);
    /// Gray and alpha, 16 bit, big-endian.
    GRAY_ALPHA16BE = GrayAlpha, Store::U16(Endian::Big);
    /// Red, green, blue, 16 bit, native-endian.
    RGB16 = Rgb, Store::U16(Endian::Native);
    /// Red, green, blue, 16 bit, little-endian.
    RGB16LE = Rgb, Store::U16(Endian::Little);
    /// Red, green, blue, 16 bit, big-endian.
    RGB16BE = Rgb, Store::U16(Endian::Big);
    /// Red, green, blue, alpha, 16 bit, native-endian.
    RGBA16 = Rgba, Store::U16(Endian::Native);
    /// Red, green, blue, alpha, 16 bit, little-endian.
    RGBA16LE = Rgba, Store::U16(Endian::Little);
    /// Red, green, blue, alpha, 16 bit, big-endian.
    RGBA16BE = Rgba, Store::U16(Endian::Big);
    /// The native 32-bit word `0xXXRRGGBB`, as in most framebuffers. For the
    /// bytes X, R, G, B see [`XRGB8`](PixelFormat::XRGB8).
    XRGB8888 = Xrgb, Store::Word8888;
    /// The native 32-bit word `0xAARRGGBB`. For the bytes A, R, G, B see
    /// [`ARGB8`](PixelFormat::ARGB8).
    ARGB8888 = Argb, Store::Word8888;
    /// The native 32-bit word `0xXXBBGGRR`. For the bytes X, B, G, R see
    /// [`XBGR8`](PixelFormat::XBGR8).
    XBGR8888 = Xbgr, Store::Word8888;
    /// The native 32-bit word `0xAABBGGRR`. For the bytes A, B, G, R see
    /// [`ABGR8`](PixelFormat::ABGR8).
    ABGR8888 = Abgr, Store::Word8888;
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
        self.pixel_size() * 8
    }

    /// Bytes of a row of `width` packed pixels, as
    /// [`Pixels::copy_row`](crate::Pixels::copy_row) fills it.
    #[must_use]
    pub fn row_size(self, width: u32) -> u64 {
        u64::from(width) * self.pixel_size() as u64
    }

    /// Channels of a pixel, without padding: 1 to 4.
    #[must_use]
    pub fn channels(self) -> usize {
        self.order.png().channels().len()
    }

    /// Bits in one sample of the saved file, and so of a [`Pixel`]: 8 or 16.
    #[must_use]
    pub fn bit_depth(self) -> u8 {
        match self.store {
            Store::U8 | Store::Word8888 => 8,
            Store::U16(_) => 16,
        }
    }

    /// Whether one of the channels is alpha. Padding is not.
    #[must_use]
    pub fn has_alpha(self) -> bool {
        self.order.channels().contains(&A)
    }
}

impl fmt::Display for PixelFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl fmt::Debug for PixelFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

const Y: Option<Channel> = Some(Channel::Gray);
const R: Option<Channel> = Some(Channel::Red);
const G: Option<Channel> = Some(Channel::Green);
const B: Option<Channel> = Some(Channel::Blue);
const A: Option<Channel> = Some(Channel::Alpha);
const X: Option<Channel> = None;

impl Order {
    /// The channels in this order; `None` is padding.
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
            // Alone, or not the field of any word.
            Order::Gray | Order::GrayAlpha => self,
        }
    }

    /// The same channels in the order of PNG, without padding (PNG third
    /// edition, 7.2).
    fn png(self) -> Order {
        match self {
            Order::Gray | Order::GrayAlpha => self,
            Order::Rgb | Order::Bgr | Order::Rgbx | Order::Bgrx | Order::Xrgb | Order::Xbgr => {
                Order::Rgb
            }
            Order::Rgba | Order::Bgra | Order::Argb | Order::Abgr => Order::Rgba,
        }
    }
}

impl PixelFormat {
    /// The order of the samples in memory.
    fn memory_order(self) -> Order {
        match self.store {
            Store::Word8888 if cfg!(target_endian = "little") => self.order.reversed(),
            Store::U8 | Store::U16(_) | Store::Word8888 => self.order,
        }
    }

    /// The sample of a pixel, counted in memory, that holds a channel.
    pub(crate) fn sample_of(self, channel: Channel) -> Option<usize> {
        let mut channels = self.memory_order().channels().iter();
        channels.position(|&name| name == Some(channel))
    }

    /// Where in memory the samples lie that PNG has, in the order of PNG.
    fn png_samples(self) -> impl Iterator<Item = usize> {
        let channels = self.order.png().channels().iter().flatten();
        channels.filter_map(move |&channel| self.sample_of(channel))
    }

    /// Bytes in one sample.
    pub(crate) fn sample_size(self) -> usize {
        match self.store {
            Store::U8 | Store::Word8888 => 1,
            Store::U16(_) => 2,
        }
    }

    /// Bytes in one pixel, packed.
    pub(crate) fn pixel_size(self) -> usize {
        self.order.channels().len() * self.sample_size()
    }

    /// Bytes that make one number: what a typed buffer does not cut apart.
    pub(crate) fn grain(self) -> usize {
        match self.store {
            Store::U8 => 1,
            Store::U16(_) => 2,
            Store::Word8888 => 4,
        }
    }

    /// Whether the samples can lie in planes of their own.
    pub(crate) fn has_separable_samples(self) -> bool {
        match self.store {
            Store::U8 | Store::U16(_) => true,
            Store::Word8888 => false,
        }
    }

    /// Whether a pixel in memory is byte for byte what PNG holds.
    pub(crate) fn is_png(self) -> bool {
        let big = match self.store {
            Store::U8 | Store::Word8888 => true,
            Store::U16(endian) => endian.is_big(),
        };
        big && self.memory_order() == self.order.png()
    }

    /// Bytes of a pixel in PNG.
    pub(crate) fn png_pixel_size(self) -> usize {
        self.channels() * self.sample_size()
    }

    /// The format of one channel alone.
    pub(crate) fn gray(self) -> PixelFormat {
        PixelFormat {
            order: Order::Gray,
            store: match self.store {
                Store::U8 | Store::Word8888 => Store::U8,
                Store::U16(endian) => Store::U16(endian),
            },
        }
    }
}
