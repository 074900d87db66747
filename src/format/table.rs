//! The constants of the formats, and their names.

use super::{BitOrder, Endian, Order, PixelFormat, Storage};
#[cfg(doc)]
use crate::Palette;

/// Defines the constants: first the formats with one byte order, then those with
/// a native-endian, a little-endian and a big-endian variant.
macro_rules! formats {
    (
        $($doc:literal $name:ident = $order:ident, $storage:expr;)*
        endian:
        $($edoc:literal $native:ident, $le:ident, $be:ident = $eorder:ident, $estorage:ident;)*
    ) => {
        impl PixelFormat {
            $(
                #[doc = $doc]
                pub const $name: PixelFormat = PixelFormat::new(Order::$order, $storage);
            )*
            $(
                #[doc = concat!($edoc, ", native-endian.")]
                pub const $native: PixelFormat =
                    PixelFormat::new(Order::$eorder, Storage::$estorage(Endian::Native));
                #[doc = concat!($edoc, ", little-endian.")]
                pub const $le: PixelFormat =
                    PixelFormat::new(Order::$eorder, Storage::$estorage(Endian::Little));
                #[doc = concat!($edoc, ", big-endian.")]
                pub const $be: PixelFormat =
                    PixelFormat::new(Order::$eorder, Storage::$estorage(Endian::Big));
            )*

            /// Every format without options, for tools that list formats, and
            /// for fuzzers. The order is that of [the table above][table].
            ///
            /// [table]: PixelFormat#all-formats
            pub const ALL: &'static [PixelFormat] = &[
                $(PixelFormat::$name,)*
                $(PixelFormat::$native, PixelFormat::$le, PixelFormat::$be,)*
            ];

            /// Returns the name of the constant, such as `"BGRA8"`, without
            /// options.
            #[must_use]
            pub fn name(self) -> &'static str {
                match (self.order, self.storage) {
                    $((Order::$order, storage) if storage == $storage => stringify!($name),)*
                    $(
                        (Order::$eorder, Storage::$estorage(Endian::Native)) => stringify!($native),
                        (Order::$eorder, Storage::$estorage(Endian::Little)) => stringify!($le),
                        (Order::$eorder, Storage::$estorage(Endian::Big)) => stringify!($be),
                    )*
                    _ => unreachable!("every format is in the table"),
                }
            }
        }
    };
}

formats! {
    "Gray, 8 bit." GRAY8 = Gray, Storage::U8;
    "Gray and alpha, 8 bit." GRAY_ALPHA8 = GrayAlpha, Storage::U8;
    "Red, green, blue, 8 bit." RGB8 = Rgb, Storage::U8;
    "Red, green, blue, alpha, 8 bit." RGBA8 = Rgba, Storage::U8;
    "Blue, green, red, 8 bit." BGR8 = Bgr, Storage::U8;
    "Blue, green, red, alpha, 8 bit." BGRA8 = Bgra, Storage::U8;
    "Alpha, red, green, blue, 8 bit, in the order of the bytes. For the native
    word `0xAARRGGBB` see [`ARGB8888`](PixelFormat::ARGB8888)."
    ARGB8 = Argb, Storage::U8;
    "Alpha, blue, green, red, 8 bit, in the order of the bytes. For the native
    word `0xAABBGGRR` see [`ABGR8888`](PixelFormat::ABGR8888)."
    ABGR8 = Abgr, Storage::U8;
    "Red, green, blue, padding, 8 bit." RGBX8 = Rgbx, Storage::U8;
    "Blue, green, red, padding, 8 bit." BGRX8 = Bgrx, Storage::U8;
    "Padding, red, green, blue, 8 bit, in the order of the bytes. For the
    native word `0xXXRRGGBB` see [`XRGB8888`](PixelFormat::XRGB8888)."
    XRGB8 = Xrgb, Storage::U8;
    "Padding, blue, green, red, 8 bit, in the order of the bytes. For the
    native word `0xXXBBGGRR` see [`XBGR8888`](PixelFormat::XBGR8888)."
    XBGR8 = Xbgr, Storage::U8;
    "The native 32-bit word `0xXXRRGGBB`, as in most framebuffers. For the
    bytes X, R, G, B see [`XRGB8`](PixelFormat::XRGB8)."
    XRGB8888 = Xrgb, Storage::Word8888;
    "The native 32-bit word `0xAARRGGBB`. For the bytes A, R, G, B see
    [`ARGB8`](PixelFormat::ARGB8)."
    ARGB8888 = Argb, Storage::Word8888;
    "The native 32-bit word `0xXXBBGGRR`. For the bytes X, B, G, R see
    [`XBGR8`](PixelFormat::XBGR8)."
    XBGR8888 = Xbgr, Storage::Word8888;
    "The native 32-bit word `0xAABBGGRR`. For the bytes A, B, G, R see
    [`ABGR8`](PixelFormat::ABGR8)."
    ABGR8888 = Abgr, Storage::Word8888;
    "The native 32-bit word `0xRRGGBBXX`. For the bytes R, G, B, X see
    [`RGBX8`](PixelFormat::RGBX8)."
    RGBX8888 = Rgbx, Storage::Word8888;
    "The native 32-bit word `0xRRGGBBAA`. For the bytes R, G, B, A, which Qt
    calls `RGBA8888`, see [`RGBA8`](PixelFormat::RGBA8)."
    RGBA8888 = Rgba, Storage::Word8888;
    "The native 32-bit word `0xBBGGRRXX`. For the bytes B, G, R, X see
    [`BGRX8`](PixelFormat::BGRX8)."
    BGRX8888 = Bgrx, Storage::Word8888;
    "The native 32-bit word `0xBBGGRRAA`. For the bytes B, G, R, A see
    [`BGRA8`](PixelFormat::BGRA8)."
    BGRA8888 = Bgra, Storage::Word8888;
    "Gray, 1 bit, 1 is white; the first pixel of a byte in its most significant
    bit."
    GRAY1 = Gray, Storage::Bits(1, BitOrder::Msb);
    "Gray, 2 bit; the first pixel of a byte in its most significant bits."
    GRAY2 = Gray, Storage::Bits(2, BitOrder::Msb);
    "Gray, 4 bit; the first pixel of a byte in its most significant bits."
    GRAY4 = Gray, Storage::Bits(4, BitOrder::Msb);
    "Gray, 1 bit, 1 is white; the first pixel of a byte in its least
    significant bit."
    GRAY1LSB = Gray, Storage::Bits(1, BitOrder::Lsb);
    "Gray, 2 bit; the first pixel of a byte in its least significant bits."
    GRAY2LSB = Gray, Storage::Bits(2, BitOrder::Lsb);
    "Gray, 4 bit; the first pixel of a byte in its least significant bits."
    GRAY4LSB = Gray, Storage::Bits(4, BitOrder::Lsb);
    "Index of a [`Palette`] entry, 0 or 1; the first pixel of a byte in its
    most significant bit."
    INDEXED1 = Index, Storage::Bits(1, BitOrder::Msb);
    "Index of a [`Palette`] entry, 0 to 3; the first pixel of a byte in its
    most significant bits."
    INDEXED2 = Index, Storage::Bits(2, BitOrder::Msb);
    "Index of a [`Palette`] entry, 0 to 15; the first pixel of a byte in its
    most significant bits."
    INDEXED4 = Index, Storage::Bits(4, BitOrder::Msb);
    "Index of a [`Palette`] entry, 0 or 1; the first pixel of a byte in its
    least significant bit."
    INDEXED1LSB = Index, Storage::Bits(1, BitOrder::Lsb);
    "Index of a [`Palette`] entry, 0 to 3; the first pixel of a byte in its
    least significant bits."
    INDEXED2LSB = Index, Storage::Bits(2, BitOrder::Lsb);
    "Index of a [`Palette`] entry, 0 to 15; the first pixel of a byte in its
    least significant bits."
    INDEXED4LSB = Index, Storage::Bits(4, BitOrder::Lsb);
    "Index of a [`Palette`] entry, 0 to 255."
    INDEXED8 = Index, Storage::U8;
    "Gray, `i8`, from -128 for black to 127 for white." GRAY_I8 = Gray, Storage::I8;
    "Cyan, magenta, yellow, black, 8 bit: 255 is full ink."
    CMYK8 = Cmyk, Storage::U8;
    "Cyan, magenta, yellow, black, 8 bit: 0 is full ink, as in most JPEG files
    with four channels."
    CMYK8_INVERTED = CmykInverted, Storage::U8;

    endian:
    "Gray, 16 bit" GRAY16, GRAY16LE, GRAY16BE = Gray, U16;
    "Gray and alpha, 16 bit" GRAY_ALPHA16, GRAY_ALPHA16LE, GRAY_ALPHA16BE = GrayAlpha, U16;
    "Red, green, blue, 16 bit" RGB16, RGB16LE, RGB16BE = Rgb, U16;
    "Red, green, blue, alpha, 16 bit" RGBA16, RGBA16LE, RGBA16BE = Rgba, U16;
    "Blue, green, red, 16 bit" BGR16, BGR16LE, BGR16BE = Bgr, U16;
    "Blue, green, red, alpha, 16 bit" BGRA16, BGRA16LE, BGRA16BE = Bgra, U16;
    "Alpha, red, green, blue, 16 bit" ARGB16, ARGB16LE, ARGB16BE = Argb, U16;
    "Red, green, blue, padding, 16 bit" RGBX16, RGBX16LE, RGBX16BE = Rgbx, U16;
    "Blue, green, red, padding, 16 bit" BGRX16, BGRX16LE, BGRX16BE = Bgrx, U16;
    "The 16-bit word `RRRRRGGG_GGGBBBBB`" RGB565, RGB565LE, RGB565BE = Rgb, Word565;
    "The 16-bit word `BBBBBGGG_GGGRRRRR`" BGR565, BGR565LE, BGR565BE = Bgr, Word565;
    "The 16-bit word `XRRRRRGG_GGGBBBBB`" XRGB1555, XRGB1555LE, XRGB1555BE = Xrgb, Word1555;
    "The 16-bit word `XBBBBBGG_GGGRRRRR`" XBGR1555, XBGR1555LE, XBGR1555BE = Xbgr, Word1555;
    "The 16-bit word `ARRRRRGG_GGGBBBBB`" ARGB1555, ARGB1555LE, ARGB1555BE = Argb, Word1555;
    "The 16-bit word `ABBBBBGG_GGGRRRRR`" ABGR1555, ABGR1555LE, ABGR1555BE = Abgr, Word1555;
    "The 16-bit word `RRRRRGGG_GGBBBBBX`" RGBX5551, RGBX5551LE, RGBX5551BE = Rgbx, Word1555;
    "The 16-bit word `BBBBBGGG_GGRRRRRX`" BGRX5551, BGRX5551LE, BGRX5551BE = Bgrx, Word1555;
    "The 16-bit word `RRRRRGGG_GGBBBBBA`" RGBA5551, RGBA5551LE, RGBA5551BE = Rgba, Word1555;
    "The 16-bit word `BBBBBGGG_GGRRRRRA`" BGRA5551, BGRA5551LE, BGRA5551BE = Bgra, Word1555;
    "The 16-bit word `XXXXRRRR_GGGGBBBB`" XRGB4444, XRGB4444LE, XRGB4444BE = Xrgb, Word4444;
    "The 16-bit word `XXXXBBBB_GGGGRRRR`" XBGR4444, XBGR4444LE, XBGR4444BE = Xbgr, Word4444;
    "The 16-bit word `AAAARRRR_GGGGBBBB`" ARGB4444, ARGB4444LE, ARGB4444BE = Argb, Word4444;
    "The 16-bit word `AAAABBBB_GGGGRRRR`" ABGR4444, ABGR4444LE, ABGR4444BE = Abgr, Word4444;
    "The 16-bit word `RRRRGGGG_BBBBXXXX`" RGBX4444, RGBX4444LE, RGBX4444BE = Rgbx, Word4444;
    "The 16-bit word `BBBBGGGG_RRRRXXXX`" BGRX4444, BGRX4444LE, BGRX4444BE = Bgrx, Word4444;
    "The 16-bit word `RRRRGGGG_BBBBAAAA`" RGBA4444, RGBA4444LE, RGBA4444BE = Rgba, Word4444;
    "The 16-bit word `BBBBGGGG_RRRRAAAA`" BGRA4444, BGRA4444LE, BGRA4444BE = Bgra, Word4444;
    "The 32-bit word of 2 bits of padding, then red, green, blue, 10 bits each"
    XRGB2101010, XRGB2101010LE, XRGB2101010BE = Xrgb, Word2101010;
    "The 32-bit word of 2 bits of padding, then blue, green, red, 10 bits each"
    XBGR2101010, XBGR2101010LE, XBGR2101010BE = Xbgr, Word2101010;
    "The 32-bit word of 2 bits of alpha, then red, green, blue, 10 bits each"
    ARGB2101010, ARGB2101010LE, ARGB2101010BE = Argb, Word2101010;
    "The 32-bit word of 2 bits of alpha, then blue, green, red, 10 bits each"
    ABGR2101010, ABGR2101010LE, ABGR2101010BE = Abgr, Word2101010;
    "The 32-bit word of red, green, blue, 10 bits each, then 2 bits of padding"
    RGBX1010102, RGBX1010102LE, RGBX1010102BE = Rgbx, Word2101010;
    "The 32-bit word of blue, green, red, 10 bits each, then 2 bits of padding"
    BGRX1010102, BGRX1010102LE, BGRX1010102BE = Bgrx, Word2101010;
    "The 32-bit word of red, green, blue, 10 bits each, then 2 bits of alpha"
    RGBA1010102, RGBA1010102LE, RGBA1010102BE = Rgba, Word2101010;
    "The 32-bit word of blue, green, red, 10 bits each, then 2 bits of alpha"
    BGRA1010102, BGRA1010102LE, BGRA1010102BE = Bgra, Word2101010;
    "Gray, `i16`, from -32768 for black to 32767 for white"
    GRAY_I16, GRAY_I16LE, GRAY_I16BE = Gray, I16;
    "Gray, `u32`, from 0 for black to 2^32-1 for white"
    GRAY_U32, GRAY_U32LE, GRAY_U32BE = Gray, U32;
    "Gray, `i32`, from -2^31 for black to 2^31-1 for white"
    GRAY_I32, GRAY_I32LE, GRAY_I32BE = Gray, I32;
    "Gray, `f16` (IEEE 754 binary16), from 0 to 1" GRAY_F16, GRAY_F16LE, GRAY_F16BE = Gray, F16;
    "Red, green, blue, `f16` (IEEE 754 binary16), from 0 to 1"
    RGB_F16, RGB_F16LE, RGB_F16BE = Rgb, F16;
    "Red, green, blue, alpha, `f16` (IEEE 754 binary16), from 0 to 1"
    RGBA_F16, RGBA_F16LE, RGBA_F16BE = Rgba, F16;
    "Gray, `f32`, from 0 to 1" GRAY_F32, GRAY_F32LE, GRAY_F32BE = Gray, F32;
    "Gray and alpha, `f32`, from 0 to 1"
    GRAY_ALPHA_F32, GRAY_ALPHA_F32LE, GRAY_ALPHA_F32BE = GrayAlpha, F32;
    "Red, green, blue, `f32`, from 0 to 1" RGB_F32, RGB_F32LE, RGB_F32BE = Rgb, F32;
    "Blue, green, red, `f32`, from 0 to 1" BGR_F32, BGR_F32LE, BGR_F32BE = Bgr, F32;
    "Blue, green, red, alpha, `f32`, from 0 to 1" BGRA_F32, BGRA_F32LE, BGRA_F32BE = Bgra, F32;
    "Red, green, blue, alpha, `f32`, from 0 to 1" RGBA_F32, RGBA_F32LE, RGBA_F32BE = Rgba, F32;
    "Gray, `f64`, from 0 to 1" GRAY_F64, GRAY_F64LE, GRAY_F64BE = Gray, F64;
    "Red, green, blue, `f64`, from 0 to 1" RGB_F64, RGB_F64LE, RGB_F64BE = Rgb, F64;
    "Red, green, blue, alpha, `f64`, from 0 to 1" RGBA_F64, RGBA_F64LE, RGBA_F64BE = Rgba, F64;
}

/// Defines the aliases, and the list of their names.
macro_rules! aliases {
    ($($alias:ident = $name:ident;)*) => {
        /// Aliases.
        impl PixelFormat {
            $(
                #[doc = concat!("Alias of [`", stringify!($name), "`](PixelFormat::", stringify!($name), ").")]
                pub const $alias: PixelFormat = PixelFormat::$name;
            )*

            /// The names of the aliases, and their formats.
            pub(super) const ALIASES: &'static [(&'static str, PixelFormat)] =
                &[$((stringify!($alias), PixelFormat::$name),)*];
        }
    };
}

aliases! {
    RGB555 = XRGB1555;
    RGB555LE = XRGB1555LE;
    RGB555BE = XRGB1555BE;
    BGR555 = XBGR1555;
    BGR555LE = XBGR1555LE;
    BGR555BE = XBGR1555BE;
    RGB444 = XRGB4444;
    RGB444LE = XRGB4444LE;
    RGB444BE = XRGB4444BE;
    BGR444 = XBGR4444;
    BGR444LE = XBGR4444LE;
    BGR444BE = XBGR4444BE;
}
