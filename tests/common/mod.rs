//! Code that the tests share: decoders of other authors, and the meaning of each
//! format, written from its definition and not taken from the crate.

// Each test binary uses a different part of this file.
#![allow(dead_code, unreachable_pub)]

use std::sync::LazyLock;

use lodepng::ColorType;
use pixview::{Image, Palette, PixelFormat};
use zune_core::bit_depth::{BitDepth, ByteEndian};
use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_png::PngDecoder;

/// A decoded file, one `u16` a sample.
#[derive(Clone, PartialEq, Eq)]
pub struct Decoded {
    pub width: usize,
    pub height: usize,
    pub channels: usize,
    pub depth: u8,
    pub samples: Vec<u16>,
}

impl Decoded {
    pub fn pixel(&self, x: usize, y: usize) -> &[u16] {
        let at = (y * self.width + x) * self.channels;
        &self.samples[at..at + self.channels]
    }
}

impl std::fmt::Debug for Decoded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Decoded {
            width,
            height,
            channels,
            depth,
            samples,
        } = self;
        write!(f, "{width}x{height}x{channels} {depth} bit ")?;
        samples[..samples.len().min(200)].fmt(f)
    }
}

/// Decodes with `zune-png` and with `lodepng`, which must agree. Under Miri, which
/// is a thousand times slower, decodes with `zune-png` only.
pub fn decode(png: &[u8]) -> Decoded {
    let decoded = decode_zune(png);
    if !cfg!(miri) {
        let other = decode_lodepng(png);
        assert_eq!(widen(&decoded), other, "the decoders disagree");
    }
    decoded
}

pub fn decode_zune(png: &[u8]) -> Decoded {
    let options = DecoderOptions::default()
        .set_max_width(usize::MAX)
        .set_max_height(usize::MAX)
        .set_byte_endian(ByteEndian::BE)
        .set_strict_mode(true);
    let mut decoder = PngDecoder::new_with_options(ZCursor::new(png), options);
    // Not `decode`, which writes through a shared reference for 16 bits.
    let bytes = decoder.decode_raw().expect("zune-png decodes it");
    let (width, height) = decoder.dimensions().unwrap();
    let channels = match decoder.colorspace().unwrap() {
        ColorSpace::Luma => 1,
        ColorSpace::LumaA => 2,
        ColorSpace::RGB => 3,
        ColorSpace::RGBA => 4,
        other => panic!("{other:?}"),
    };
    let (depth, samples) = match decoder.depth().unwrap() {
        BitDepth::Eight => (8, bytes.into_iter().map(u16::from).collect()),
        _ => {
            let pairs = bytes.as_chunks().0.iter();
            (16, pairs.map(|&pair| u16::from_be_bytes(pair)).collect())
        }
    };
    Decoded {
        width,
        height,
        channels,
        depth,
        samples,
    }
}

/// Decodes to 16-bit RGBA.
fn decode_lodepng(png: &[u8]) -> Decoded {
    let image = lodepng::decode_memory(png, ColorType::RGBA, 16).expect("lodepng decodes it");
    let lodepng::Image::RGBA16(bitmap) = image else {
        panic!("asked for RGBA16");
    };
    Decoded {
        width: bitmap.width,
        height: bitmap.height,
        channels: 4,
        depth: 16,
        samples: bitmap
            .buffer
            .iter()
            .flat_map(|p| [p.r, p.g, p.b, p.a])
            .map(u16::from_be)
            .collect(),
    }
}

fn widen(image: &Decoded) -> Decoded {
    let (scale, opaque) = if image.depth == 8 {
        (257, 255)
    } else {
        (1, 65535)
    };
    let samples = image
        .samples
        .chunks(image.channels)
        .flat_map(|p| match *p {
            [y] => [y, y, y, opaque],
            [y, a] => [y, y, y, a],
            [r, g, b] => [r, g, b, opaque],
            [r, g, b, a] => [r, g, b, a],
            _ => unreachable!(),
        })
        .map(|sample| sample * scale)
        .collect();
    Decoded {
        channels: 4,
        depth: 16,
        samples,
        ..*image
    }
}

/// The order of the bytes of a number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Endian {
    Native,
    Little,
    Big,
}

/// The type of a sample in memory.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Type {
    U8,
    I8,
    U16(Endian),
    I16(Endian),
    U32(Endian),
    I32(Endian),
    F16(Endian),
    F32(Endian),
    F64(Endian),
}

impl Type {
    pub fn size(self) -> usize {
        match self {
            Type::U8 | Type::I8 => 1,
            Type::U16(_) | Type::I16(_) | Type::F16(_) => 2,
            Type::U32(_) | Type::I32(_) | Type::F32(_) => 4,
            Type::F64(_) => 8,
        }
    }

    fn is_little(self) -> bool {
        match self {
            Type::U8 | Type::I8 => false,
            Type::U16(e)
            | Type::I16(e)
            | Type::U32(e)
            | Type::I32(e)
            | Type::F16(e)
            | Type::F32(e)
            | Type::F64(e) => is_little(e),
        }
    }

    fn is_float(self) -> bool {
        matches!(self, Type::F16(_) | Type::F32(_) | Type::F64(_))
    }

    /// Returns the number of bits of the integers that a value can hold exactly.
    fn precision(self) -> u32 {
        match self {
            Type::F16(_) => 11,
            Type::F32(_) => 24,
            Type::F64(_) => 53,
            _ => 8 * self.size() as u32,
        }
    }

    /// Returns the values of black and white: the smallest and the largest value
    /// of an integer, 0 and 1 for floating point.
    fn range(self) -> [f64; 2] {
        match self {
            Type::U8 => [0.0, 255.0],
            Type::I8 => [-128.0, 127.0],
            Type::U16(_) => [0.0, 65535.0],
            Type::I16(_) => [-32768.0, 32767.0],
            Type::U32(_) => [0.0, 4_294_967_295.0],
            Type::I32(_) => [-2_147_483_648.0, 2_147_483_647.0],
            Type::F16(_) | Type::F32(_) | Type::F64(_) => [0.0, 1.0],
        }
    }

    fn load(self, bytes: &[u8]) -> f64 {
        let mut bytes = bytes.to_vec();
        if self.is_little() {
            bytes.reverse();
        }
        let bits = bytes.iter().fold(0, |all, &b| all << 8 | u64::from(b));
        match self {
            Type::U8 | Type::U16(_) | Type::U32(_) => bits as f64,
            Type::I8 => (bits as u8 as i8).into(),
            Type::I16(_) => (bits as u16 as i16).into(),
            Type::I32(_) => (bits as u32 as i32).into(),
            Type::F16(_) => half_value(bits as u16),
            Type::F32(_) => f32::from_bits(bits as u32).into(),
            Type::F64(_) => f64::from_bits(bits),
        }
    }

    fn save(self, value: f64, limits: [f64; 2]) -> Vec<u8> {
        let bits = match self {
            Type::F16(_) => nearest_half(value).into(),
            Type::F32(_) => (value as f32).to_bits().into(),
            Type::F64(_) => value.to_bits(),
            _ => value.round_ties_even().clamp(limits[0], limits[1]) as i64 as u64,
        };
        let mut bytes = bits.to_be_bytes()[8 - self.size()..].to_vec();
        if self.is_little() {
            bytes.reverse();
        }
        bytes
    }
}

/// Returns the value of a number of 16 bits by the definition of IEEE 754.
fn half_value(bits: u16) -> f64 {
    let (exponent, fraction) = (i32::from(bits >> 10 & 0x1f), f64::from(bits & 0x3ff));
    let value = match exponent {
        0 => fraction / 1024.0 * 2f64.powi(-14),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (1.0 + fraction / 1024.0) * 2f64.powi(exponent - 15),
    };
    if bits >> 15 == 1 { -value } else { value }
}

/// Returns the number of 16 bits nearest to a finite value, of two the even one,
/// by a search among all of them.
fn nearest_half(value: f64) -> u16 {
    static VALUES: LazyLock<Vec<f64>> = LazyLock::new(|| (0..0x7c00).map(half_value).collect());
    let magnitude = value.abs();
    let above = VALUES.partition_point(|&value| value < magnitude);
    let (below, above) = (above.saturating_sub(1), above.min(VALUES.len() - 1));
    let distance = |at: usize| (VALUES[at] - magnitude).abs();
    let nearest = match distance(below).total_cmp(&distance(above)) {
        std::cmp::Ordering::Less => below,
        std::cmp::Ordering::Equal => below + (below & 1),
        std::cmp::Ordering::Greater => above,
    };
    nearest.min(VALUES.len() - 1) as u16 | u16::from(value.is_sign_negative()) << 15
}

fn is_little(endian: Endian) -> bool {
    endian == Endian::Little || endian == Endian::Native && cfg!(target_endian = "little")
}

/// How a format stores its samples. Lists of samples are in the order of PNG:
/// gray or red, green, blue, then alpha if there is any.
#[derive(Clone, Copy, Debug)]
pub enum Stored {
    /// The type of the samples, the position in memory of each, and the position
    /// of the padding.
    Samples(Type, &'static [usize], Option<usize>),
    /// The bytes of the word, their order, and the lowest bit and the number of
    /// bits of each sample and of the padding.
    Word(usize, Endian, &'static [(u32, u32)], Option<(u32, u32)>),
    /// The bits of a pixel, and whether the first pixel of a byte has the least
    /// significant bits.
    Bits(u32, bool),
    /// Cyan, magenta, yellow and black, and whether 0 is full ink.
    Inks(bool),
}

/// A format by its definition.
#[expect(clippy::struct_excessive_bools, reason = "independent options")]
#[derive(Clone, Copy, Debug)]
pub struct Definition {
    pub format: PixelFormat,
    pub stored: Stored,
    /// Whether the sample is the index of a color.
    pub indexed: bool,
    premultiplied: bool,
    /// Bits in a sample of the file.
    depth: u32,
    /// The values of black and white, if they are stated.
    range: Option<[f64; 2]>,
    bits: Option<u32>,
    linear: bool,
    /// Whether black and white are exchanged.
    inverted: bool,
}

pub static DEFINITIONS: LazyLock<Vec<Definition>> = LazyLock::new(|| {
    let mut all = plain();
    all.extend(said());
    all
});

/// Returns all definitions. Under Miri, which is slow, returns a part of them.
pub fn definitions() -> impl Iterator<Item = &'static Definition> {
    let variant = |name: &str| name.ends_with("LE") || name.ends_with("BE");
    let skipped =
        move |(i, d): &(usize, &Definition)| cfg!(miri) && (variant(d.format.name()) || i % 3 == 1);
    let all = DEFINITIONS.iter().enumerate();
    all.filter(move |pair| !skipped(pair)).map(|(_, d)| d)
}

/// Returns the formats without options, in the order of `PixelFormat::ALL`.
pub fn plain() -> Vec<Definition> {
    use Endian::{Big, Little, Native};
    use PixelFormat as F;
    let mut all = Vec::new();
    let mut new = |format, stored, depth| {
        all.push(Definition {
            format,
            stored,
            indexed: false,
            premultiplied: false,
            depth,
            range: None,
            bits: None,
            linear: false,
            inverted: false,
        });
    };
    for (format, at, padding) in [
        (F::GRAY8, &[0][..], None),
        (F::GRAY_ALPHA8, &[0, 1], None),
        (F::RGB8, &[0, 1, 2], None),
        (F::RGBA8, &[0, 1, 2, 3], None),
        (F::BGR8, &[2, 1, 0], None),
        (F::BGRA8, &[2, 1, 0, 3], None),
        (F::ARGB8, &[1, 2, 3, 0], None),
        (F::ABGR8, &[3, 2, 1, 0], None),
        (F::RGBX8, &[0, 1, 2], Some(3)),
        (F::BGRX8, &[2, 1, 0], Some(3)),
        (F::XRGB8, &[1, 2, 3], Some(0)),
        (F::XBGR8, &[3, 2, 1], Some(0)),
    ] {
        new(format, Stored::Samples(Type::U8, at, padding), 8);
    }
    for (format, fields, padding) in [
        (F::XRGB8888, &[(16, 8), (8, 8), (0, 8)][..], Some((24, 8))),
        (F::ARGB8888, &[(16, 8), (8, 8), (0, 8), (24, 8)], None),
        (F::XBGR8888, &[(0, 8), (8, 8), (16, 8)], Some((24, 8))),
        (F::ABGR8888, &[(0, 8), (8, 8), (16, 8), (24, 8)], None),
        (F::RGBX8888, &[(24, 8), (16, 8), (8, 8)], Some((0, 8))),
        (F::RGBA8888, &[(24, 8), (16, 8), (8, 8), (0, 8)], None),
        (F::BGRX8888, &[(8, 8), (16, 8), (24, 8)], Some((0, 8))),
        (F::BGRA8888, &[(8, 8), (16, 8), (24, 8), (0, 8)], None),
    ] {
        new(format, Stored::Word(4, Native, fields, padding), 8);
    }
    for (formats, lsb) in [
        ([F::GRAY1, F::GRAY2, F::GRAY4], false),
        ([F::GRAY1LSB, F::GRAY2LSB, F::GRAY4LSB], true),
        ([F::INDEXED1, F::INDEXED2, F::INDEXED4], false),
        ([F::INDEXED1LSB, F::INDEXED2LSB, F::INDEXED4LSB], true),
    ] {
        for (format, bits) in formats.into_iter().zip([1, 2, 4]) {
            new(format, Stored::Bits(bits, lsb), bits);
        }
    }
    new(F::INDEXED8, Stored::Samples(Type::U8, &[0], None), 8);
    new(F::GRAY_I8, Stored::Samples(Type::I8, &[0], None), 8);
    new(F::CMYK8, Stored::Inks(false), 8);
    new(F::CMYK8_INVERTED, Stored::Inks(true), 8);

    for (formats, at, padding) in [
        ([F::GRAY16, F::GRAY16LE, F::GRAY16BE], &[0][..], None),
        (
            [F::GRAY_ALPHA16, F::GRAY_ALPHA16LE, F::GRAY_ALPHA16BE],
            &[0, 1],
            None,
        ),
        ([F::RGB16, F::RGB16LE, F::RGB16BE], &[0, 1, 2], None),
        ([F::RGBA16, F::RGBA16LE, F::RGBA16BE], &[0, 1, 2, 3], None),
        ([F::BGR16, F::BGR16LE, F::BGR16BE], &[2, 1, 0], None),
        ([F::BGRA16, F::BGRA16LE, F::BGRA16BE], &[2, 1, 0, 3], None),
        ([F::ARGB16, F::ARGB16LE, F::ARGB16BE], &[1, 2, 3, 0], None),
        ([F::RGBX16, F::RGBX16LE, F::RGBX16BE], &[0, 1, 2], Some(3)),
        ([F::BGRX16, F::BGRX16LE, F::BGRX16BE], &[2, 1, 0], Some(3)),
    ] {
        for (format, endian) in formats.into_iter().zip([Native, Little, Big]) {
            new(format, Stored::Samples(Type::U16(endian), at, padding), 16);
        }
    }
    for (formats, fields, padding) in [
        (
            [F::RGB565, F::RGB565LE, F::RGB565BE],
            &[(11, 5), (5, 6), (0, 5)][..],
            None,
        ),
        (
            [F::BGR565, F::BGR565LE, F::BGR565BE],
            &[(0, 5), (5, 6), (11, 5)],
            None,
        ),
        (
            [F::XRGB1555, F::XRGB1555LE, F::XRGB1555BE],
            &[(10, 5), (5, 5), (0, 5)],
            Some((15, 1)),
        ),
        (
            [F::XBGR1555, F::XBGR1555LE, F::XBGR1555BE],
            &[(0, 5), (5, 5), (10, 5)],
            Some((15, 1)),
        ),
        (
            [F::ARGB1555, F::ARGB1555LE, F::ARGB1555BE],
            &[(10, 5), (5, 5), (0, 5), (15, 1)],
            None,
        ),
        (
            [F::ABGR1555, F::ABGR1555LE, F::ABGR1555BE],
            &[(0, 5), (5, 5), (10, 5), (15, 1)],
            None,
        ),
        (
            [F::RGBX5551, F::RGBX5551LE, F::RGBX5551BE],
            &[(11, 5), (6, 5), (1, 5)],
            Some((0, 1)),
        ),
        (
            [F::BGRX5551, F::BGRX5551LE, F::BGRX5551BE],
            &[(1, 5), (6, 5), (11, 5)],
            Some((0, 1)),
        ),
        (
            [F::RGBA5551, F::RGBA5551LE, F::RGBA5551BE],
            &[(11, 5), (6, 5), (1, 5), (0, 1)],
            None,
        ),
        (
            [F::BGRA5551, F::BGRA5551LE, F::BGRA5551BE],
            &[(1, 5), (6, 5), (11, 5), (0, 1)],
            None,
        ),
        (
            [F::XRGB4444, F::XRGB4444LE, F::XRGB4444BE],
            &[(8, 4), (4, 4), (0, 4)],
            Some((12, 4)),
        ),
        (
            [F::XBGR4444, F::XBGR4444LE, F::XBGR4444BE],
            &[(0, 4), (4, 4), (8, 4)],
            Some((12, 4)),
        ),
        (
            [F::ARGB4444, F::ARGB4444LE, F::ARGB4444BE],
            &[(8, 4), (4, 4), (0, 4), (12, 4)],
            None,
        ),
        (
            [F::ABGR4444, F::ABGR4444LE, F::ABGR4444BE],
            &[(0, 4), (4, 4), (8, 4), (12, 4)],
            None,
        ),
        (
            [F::RGBX4444, F::RGBX4444LE, F::RGBX4444BE],
            &[(12, 4), (8, 4), (4, 4)],
            Some((0, 4)),
        ),
        (
            [F::BGRX4444, F::BGRX4444LE, F::BGRX4444BE],
            &[(4, 4), (8, 4), (12, 4)],
            Some((0, 4)),
        ),
        (
            [F::RGBA4444, F::RGBA4444LE, F::RGBA4444BE],
            &[(12, 4), (8, 4), (4, 4), (0, 4)],
            None,
        ),
        (
            [F::BGRA4444, F::BGRA4444LE, F::BGRA4444BE],
            &[(4, 4), (8, 4), (12, 4), (0, 4)],
            None,
        ),
    ] {
        for (format, endian) in formats.into_iter().zip([Native, Little, Big]) {
            new(format, Stored::Word(2, endian, fields, padding), 8);
        }
    }
    for (formats, fields, padding) in [
        (
            [F::XRGB2101010, F::XRGB2101010LE, F::XRGB2101010BE],
            &[(20, 10), (10, 10), (0, 10)][..],
            Some((30, 2)),
        ),
        (
            [F::XBGR2101010, F::XBGR2101010LE, F::XBGR2101010BE],
            &[(0, 10), (10, 10), (20, 10)],
            Some((30, 2)),
        ),
        (
            [F::ARGB2101010, F::ARGB2101010LE, F::ARGB2101010BE],
            &[(20, 10), (10, 10), (0, 10), (30, 2)],
            None,
        ),
        (
            [F::ABGR2101010, F::ABGR2101010LE, F::ABGR2101010BE],
            &[(0, 10), (10, 10), (20, 10), (30, 2)],
            None,
        ),
        (
            [F::RGBX1010102, F::RGBX1010102LE, F::RGBX1010102BE],
            &[(22, 10), (12, 10), (2, 10)],
            Some((0, 2)),
        ),
        (
            [F::BGRX1010102, F::BGRX1010102LE, F::BGRX1010102BE],
            &[(2, 10), (12, 10), (22, 10)],
            Some((0, 2)),
        ),
        (
            [F::RGBA1010102, F::RGBA1010102LE, F::RGBA1010102BE],
            &[(22, 10), (12, 10), (2, 10), (0, 2)],
            None,
        ),
        (
            [F::BGRA1010102, F::BGRA1010102LE, F::BGRA1010102BE],
            &[(2, 10), (12, 10), (22, 10), (0, 2)],
            None,
        ),
    ] {
        for (format, endian) in formats.into_iter().zip([Native, Little, Big]) {
            new(format, Stored::Word(4, endian, fields, padding), 16);
        }
    }
    type Make = fn(Endian) -> Type;
    for (formats, make, at) in [
        (
            [F::GRAY_I16, F::GRAY_I16LE, F::GRAY_I16BE],
            Type::I16 as Make,
            &[0][..],
        ),
        ([F::GRAY_U32, F::GRAY_U32LE, F::GRAY_U32BE], Type::U32, &[0]),
        ([F::GRAY_I32, F::GRAY_I32LE, F::GRAY_I32BE], Type::I32, &[0]),
        ([F::GRAY_F16, F::GRAY_F16LE, F::GRAY_F16BE], Type::F16, &[0]),
        (
            [F::RGB_F16, F::RGB_F16LE, F::RGB_F16BE],
            Type::F16,
            &[0, 1, 2],
        ),
        (
            [F::RGBA_F16, F::RGBA_F16LE, F::RGBA_F16BE],
            Type::F16,
            &[0, 1, 2, 3],
        ),
        ([F::GRAY_F32, F::GRAY_F32LE, F::GRAY_F32BE], Type::F32, &[0]),
        (
            [F::GRAY_ALPHA_F32, F::GRAY_ALPHA_F32LE, F::GRAY_ALPHA_F32BE],
            Type::F32,
            &[0, 1],
        ),
        (
            [F::RGB_F32, F::RGB_F32LE, F::RGB_F32BE],
            Type::F32,
            &[0, 1, 2],
        ),
        (
            [F::BGR_F32, F::BGR_F32LE, F::BGR_F32BE],
            Type::F32,
            &[2, 1, 0],
        ),
        (
            [F::BGRA_F32, F::BGRA_F32LE, F::BGRA_F32BE],
            Type::F32,
            &[2, 1, 0, 3],
        ),
        (
            [F::RGBA_F32, F::RGBA_F32LE, F::RGBA_F32BE],
            Type::F32,
            &[0, 1, 2, 3],
        ),
        ([F::GRAY_F64, F::GRAY_F64LE, F::GRAY_F64BE], Type::F64, &[0]),
        (
            [F::RGB_F64, F::RGB_F64LE, F::RGB_F64BE],
            Type::F64,
            &[0, 1, 2],
        ),
        (
            [F::RGBA_F64, F::RGBA_F64LE, F::RGBA_F64BE],
            Type::F64,
            &[0, 1, 2, 3],
        ),
    ] {
        for (format, endian) in formats.into_iter().zip([Native, Little, Big]) {
            new(format, Stored::Samples(make(endian), at, None), 16);
        }
    }
    for definition in &mut all {
        definition.indexed = definition.format.name().starts_with("INDEXED");
    }
    all
}

/// Returns formats with options.
fn said() -> Vec<Definition> {
    use PixelFormat as F;
    let plain = plain();
    let of = |format| *plain.iter().find(|d| d.format == format).unwrap();
    let mut all = Vec::new();
    for format in [
        F::GRAY_ALPHA8,
        F::RGBA8,
        F::BGRA8,
        F::ARGB8,
        F::ABGR8,
        F::ARGB8888,
        F::ABGR8888,
        F::GRAY_ALPHA16,
        F::RGBA16,
        F::RGBA16LE,
        F::RGBA16BE,
        F::BGRA16,
        F::ARGB16LE,
        F::ARGB16BE,
        F::RGBA8888,
        F::BGRA8888,
        F::ARGB1555,
        F::ABGR1555BE,
        F::RGBA5551,
        F::BGRA5551BE,
        F::ARGB4444,
        F::ABGR4444BE,
        F::RGBA4444,
        F::BGRA4444LE,
        F::RGBA1010102,
        F::BGRA1010102BE,
        F::ARGB2101010,
        F::ABGR2101010BE,
        F::RGBA_F16,
        F::RGBA_F32,
        F::RGBA_F64BE,
        F::BGRA_F32BE,
        F::GRAY_ALPHA_F32,
    ] {
        all.push(of(format).premultiplied());
    }
    all.extend([
        of(F::GRAY_F32).range(-20.0, 45.5),
        of(F::GRAY_F32LE).range(3.0, -1.0).depth(8),
        of(F::RGBA_F32).range(100.0, 101.0),
        of(F::GRAY_ALPHA_F32).range(0.0, 255.0).depth(8),
        of(F::GRAY_F32).depth(8),
        of(F::RGB_F32BE).depth(8),
        of(F::GRAY_F32).linear(),
        of(F::RGB_F32).linear(),
        of(F::BGR_F32).linear().depth(8),
        of(F::RGBA_F32).linear().premultiplied(),
        of(F::RGBA_F32).linear().range(0.0, 4.0).depth(8),
        of(F::GRAY_ALPHA_F32).range(-1.0, 1.0).premultiplied(),
        of(F::GRAY16).bits(10),
        of(F::GRAY16LE).bits(12),
        of(F::RGB16BE).bits(14),
        of(F::BGR16).bits(12).depth(8),
        of(F::RGBA16BE).bits(12).premultiplied(),
        of(F::GRAY_ALPHA16).bits(10).range(100.0, 900.0),
        of(F::RGBX16).bits(12),
        of(F::BGRX16LE).range(1000.0, 3000.0),
        of(F::BGRX16BE).depth(8),
        of(F::GRAY16).range(1000.0, 3000.0).depth(8),
        of(F::RGB16).depth(8),
        of(F::GRAY_I16).range(-1024.0, 3071.0),
        of(F::GRAY_I16BE).bits(12).depth(8),
        of(F::GRAY_I8).bits(5),
        of(F::GRAY_I8).range(90.0, -20.0),
        of(F::GRAY_I8).depth(16),
        of(F::GRAY_I32).bits(20),
        of(F::GRAY_I32BE).range(-1e9, 1_999_999_999.5).depth(8),
        of(F::GRAY_F16).range(-20.0, 45.5),
        of(F::RGB_F16LE).depth(8),
        of(F::RGBA_F16BE).linear().premultiplied(),
        of(F::RGBA_F16).linear().range(0.0, 4.0).depth(8),
        of(F::GRAY_F64).range(-1.0, 3.0),
        of(F::RGB_F64LE).range(250.0, 350.0).depth(8),
        of(F::GRAY_U32).bits(24),
        of(F::GRAY_U32LE).depth(8),
        of(F::GRAY1).inverted(),
        of(F::GRAY2).inverted(),
        of(F::GRAY4).inverted(),
        of(F::GRAY1LSB).inverted(),
        of(F::GRAY2LSB).inverted(),
        of(F::GRAY4LSB).inverted(),
        of(F::GRAY8).inverted(),
        of(F::GRAY16).inverted(),
        of(F::GRAY16BE).inverted(),
        of(F::GRAY16LE).bits(12).inverted(),
        of(F::GRAY_I8).inverted(),
        of(F::GRAY_I16).range(-100.0, 300.0).inverted(),
        of(F::GRAY_F16).inverted(),
        of(F::GRAY_F32).linear().inverted(),
        of(F::GRAY8).depth(1),
        of(F::GRAY8).depth(2),
        of(F::GRAY8).depth(4),
        of(F::GRAY8).depth(8),
        of(F::GRAY8).depth(1).inverted(),
        of(F::GRAY8).depth(4).inverted(),
        of(F::GRAY_I8).depth(2),
        of(F::GRAY16BE).depth(4).inverted(),
        of(F::GRAY_U32).depth(1),
        of(F::GRAY_F32BE).range(-1.0, 1.0).depth(4),
        of(F::GRAY_F64).depth(2),
        of(F::GRAY_U32BE).range(1e9, 5e8),
    ]);
    all
}

/// Returns `of / by`, rounded to nearest, ties up.
fn divide(of: u64, by: u64) -> u64 {
    (2 * of + by) / (2 * by)
}

impl Definition {
    fn premultiplied(mut self) -> Self {
        self.format = self.format.premultiplied();
        self.premultiplied = true;
        self
    }

    fn range(mut self, low: f64, high: f64) -> Self {
        self.format = self.format.with_range(low, high);
        self.range = Some([low, high]);
        self
    }

    fn bits(mut self, bits: u8) -> Self {
        self.format = self.format.with_significant_bits(bits);
        self.bits = Some(bits.into());
        self
    }

    fn depth(mut self, depth: u8) -> Self {
        self.format = self.format.with_bit_depth(depth);
        self.depth = depth.into();
        self
    }

    fn linear(mut self) -> Self {
        self.format = self.format.linear();
        self.linear = true;
        self
    }

    fn inverted(mut self) -> Self {
        self.format = self.format.inverted();
        self.inverted = true;
        self
    }

    pub fn of(format: PixelFormat) -> Self {
        *DEFINITIONS.iter().find(|d| d.format == format).unwrap()
    }

    /// Returns the number of samples in a pixel of the file.
    pub fn channels(&self) -> usize {
        match self.stored {
            Stored::Samples(_, at, _) => at.len(),
            Stored::Word(_, _, fields, _) => fields.len(),
            Stored::Bits(..) => 1,
            Stored::Inks(_) => 3,
        }
    }

    pub fn has_alpha(&self) -> bool {
        self.channels().is_multiple_of(2)
    }

    /// Returns the number of bits in a sample of the file.
    pub fn bit_depth(&self) -> u8 {
        self.depth as u8
    }

    /// Returns the number of bits of a pixel in memory.
    pub fn bits_per_pixel(&self) -> usize {
        match self.stored {
            Stored::Samples(ty, at, padding) => 8 * ty.size() * (at.len() + padding.iter().count()),
            Stored::Word(size, ..) => 8 * size,
            Stored::Bits(bits, _) => bits as usize,
            Stored::Inks(_) => 32,
        }
    }

    /// Returns the number of bytes of a pixel in memory, or 1 if several pixels
    /// share a byte.
    pub fn size(&self) -> usize {
        self.bits_per_pixel().div_ceil(8)
    }

    pub fn is_sub_byte(&self) -> bool {
        self.bits_per_pixel() < 8
    }

    /// Returns the number of bytes of a packed row.
    pub fn row_size(&self, width: usize) -> usize {
        (width * self.bits_per_pixel()).div_ceil(8)
    }

    /// Returns the number of bytes of a sample, or of a word whose fields are not
    /// bytes. A reader must never see half of an edit to them.
    pub fn sample_size(&self) -> usize {
        match self.stored {
            Stored::Samples(ty, ..) => ty.size(),
            Stored::Word(size, _, fields, _) if fields[0].1 != 8 => size,
            _ => 1,
        }
    }

    /// Returns whether samples can lie in planes.
    pub fn is_planar(&self) -> bool {
        matches!(self.stored, Stored::Samples(..) | Stored::Inks(_))
    }

    /// Returns whether memory has fewer values than the file.
    pub fn is_lossy(&self) -> bool {
        let full = match self.stored {
            Stored::Samples(ty, ..) => self.bits.unwrap_or(ty.precision()),
            Stored::Word(_, _, fields, _) => fields[0].1,
            Stored::Bits(bits, _) => bits,
            Stored::Inks(_) => 8,
        };
        // Ranges of the tests that have fewer values in memory than the file has.
        let narrow = self.range == Some([100.0, 101.0])
            || matches!(
                self.stored,
                Stored::Samples(Type::I8 | Type::U16(_) | Type::I16(_), ..)
            ) && self.range.is_some();
        full < self.depth || self.premultiplied || narrow
    }

    /// Returns whether a channel can be viewed without the others. Channels are
    /// counted in the order of PNG.
    pub fn stands_alone(&self, channel: usize) -> bool {
        let is_alpha = self.has_alpha() && channel + 1 == self.channels();
        let separate = match self.stored {
            Stored::Samples(..) | Stored::Bits(..) => !self.indexed,
            Stored::Word(_, _, fields, _) => fields[0].1 == 8,
            Stored::Inks(_) => false,
        };
        separate && (is_alpha || !self.premultiplied)
    }

    /// Returns the format whose bytes are those of the file.
    pub fn png(&self) -> Definition {
        use PixelFormat as F;
        let format = match (self.channels(), self.depth, self.indexed) {
            (_, 1, true) => F::INDEXED1,
            (_, 2, true) => F::INDEXED2,
            (_, 4, true) => F::INDEXED4,
            (_, _, true) => F::INDEXED8,
            (_, 1, _) => F::GRAY1,
            (_, 2, _) => F::GRAY2,
            (_, 4, _) => F::GRAY4,
            (1, 8, _) => F::GRAY8,
            (2, 8, _) => F::GRAY_ALPHA8,
            (3, 8, _) => F::RGB8,
            (4, 8, _) => F::RGBA8,
            (1, ..) => F::GRAY16BE,
            (2, ..) => F::GRAY_ALPHA16BE,
            (3, ..) => F::RGB16BE,
            _ => F::RGBA16BE,
        };
        Definition::of(format)
    }

    /// Returns a palette with a color for every possible index.
    pub fn palette(&self) -> Option<Palette> {
        self.indexed.then(|| {
            let colors: Vec<[u8; 3]> = (0..1 << self.depth).map(color).collect();
            Palette::from_rgb(&colors).unwrap()
        })
    }

    /// Returns the image, with that palette if the format is indexed.
    pub fn with_palette<S>(&self, image: Image<S>) -> Image<S> {
        match self.palette() {
            Some(palette) => image.with_palette(palette).unwrap(),
            None => image,
        }
    }

    /// Returns the samples that a decoder returns for a pixel of the file.
    pub fn decoded(&self, samples: &[u16]) -> Vec<u16> {
        if self.indexed {
            return color(samples[0] as usize).map(u16::from).to_vec();
        }
        match self.depth {
            1 | 2 | 4 => vec![samples[0] * 255 / ((1 << self.depth) - 1)],
            _ => samples.to_vec(),
        }
    }

    /// Returns the number of bits of a sample that a decoder returns.
    pub fn decoded_depth(&self) -> u8 {
        self.bit_depth().max(8)
    }

    /// Returns the number of channels that a decoder returns.
    pub fn decoded_channels(&self) -> usize {
        if self.indexed { 3 } else { self.channels() }
    }

    /// Returns the samples of the pixel in `bytes`. If several pixels share a
    /// byte, returns those of the first pixel.
    pub fn samples(&self, bytes: &[u8]) -> Vec<u16> {
        let max = (1u64 << self.depth) - 1;
        let exchange = |sample: u16| {
            if self.inverted {
                max as u16 - sample
            } else {
                sample
            }
        };
        match self.stored {
            Stored::Bits(bits, lsb) => {
                let byte = bytes[0];
                let value = if lsb { byte } else { byte >> (8 - bits) };
                vec![exchange(u16::from(value) & max as u16)]
            }
            Stored::Inks(inverted) => {
                let bare = |i: usize| u64::from(if inverted { bytes[i] } else { 255 - bytes[i] });
                (0..3)
                    .map(|i| divide(bare(i) * bare(3), 255) as u16)
                    .collect()
            }
            Stored::Word(_, endian, fields, _) => {
                let word = load_word(bytes, endian);
                let field = |i: usize| {
                    let (lowest, bits) = fields[i];
                    (word >> lowest & ((1 << bits) - 1), (1 << bits) - 1)
                };
                let fields: Vec<(u64, u64)> = (0..fields.len()).map(field).collect();
                integers(&fields, max, self.premultiplied)
            }
            Stored::Samples(ty, at, _) => {
                let size = ty.size();
                let values = at.iter().map(|at| ty.load(&bytes[at * size..][..size]));
                let values: Vec<f64> = values.collect();
                if self.range.is_none() && matches!(ty, Type::U8 | Type::U16(_) | Type::U32(_)) {
                    let most = self.full(ty)[1];
                    let fields: Vec<(u64, u64)> = values
                        .iter()
                        .map(|&v| (v.min(most) as u64, most as u64))
                        .collect();
                    let samples = integers(&fields, max, self.premultiplied);
                    return samples.into_iter().map(exchange).collect();
                }
                self.numbers(ty, &values)
            }
        }
    }

    /// Returns the range of the type, or of the stated number of bits.
    fn full(&self, ty: Type) -> [f64; 2] {
        match (self.bits, ty) {
            (Some(bits), Type::I8 | Type::I16(_) | Type::I32(_)) => [
                -f64::from(1 << (bits - 1)),
                f64::from(1 << (bits - 1)) - 1.0,
            ],
            (Some(bits), _) => [0.0, ((1u64 << bits) - 1) as f64],
            (None, _) => ty.range(),
        }
    }

    /// Returns the values of black and white of a type with this range.
    fn black_and_white(&self, full: [f64; 2]) -> [f64; 2] {
        let [black, white] = self.range.unwrap_or(full);
        if self.inverted {
            [white, black]
        } else {
            [black, white]
        }
    }

    /// Returns the samples of values that are mapped from a range.
    fn numbers(&self, ty: Type, values: &[f64]) -> Vec<u16> {
        let max = f64::from((1u32 << self.depth) - 1);
        let full = self.full(ty);
        let clamp = |x: f64| if x > 0.0 { x.min(max) } else { 0.0 };
        let alpha = self.has_alpha().then(|| values[values.len() - 1]);
        let colours = values.len() - usize::from(alpha.is_some());
        let [low, high] = self.black_and_white(full);
        let mut samples: Vec<u16> = values[..colours]
            .iter()
            .map(|&value| {
                let value = match alpha {
                    Some(alpha) if self.premultiplied => {
                        if alpha.is_nan() || alpha <= 0.0 {
                            return 0;
                        }
                        value * full[1] / alpha.min(full[1])
                    }
                    _ => value,
                };
                let mut sample = clamp((value - low) * (max / (high - low)));
                if self.linear {
                    let light = sample / max;
                    sample = max * encode_srgb(light);
                }
                sample.round_ties_even() as u16
            })
            .collect();
        samples.extend(alpha.map(|a| clamp(a * (max / full[1])).round_ties_even() as u16));
        samples
    }

    /// Returns the bytes of a pixel with these samples. All bits of the padding
    /// are 1.
    pub fn bytes(&self, samples: &[u16]) -> Vec<u8> {
        let max = (1u64 << self.depth) - 1;
        match self.stored {
            Stored::Bits(bits, lsb) => {
                let sample = samples[0] as u8;
                let value = if self.inverted {
                    max as u8 - sample
                } else {
                    sample
                };
                vec![if lsb { value } else { value << (8 - bits) }]
            }
            Stored::Inks(inverted) => {
                let light = u64::from(*samples.iter().max().unwrap());
                let mut bare: Vec<u64> = samples
                    .iter()
                    .map(|&s| {
                        if light == 0 {
                            255
                        } else {
                            divide(255 * u64::from(s), light)
                        }
                    })
                    .collect();
                bare.push(light);
                let ink = |bare: u64| if inverted { bare } else { 255 - bare };
                bare.into_iter().map(|bare| ink(bare) as u8).collect()
            }
            Stored::Word(size, endian, fields, padding) => {
                let most = |i: usize| (1u64 << fields[i].1) - 1;
                let shrink = |i: usize| divide(u64::from(samples[i]) * most(i), max);
                let last = fields.len() - 1;
                let mut word = 0;
                for (i, &(lowest, _)) in fields.iter().enumerate() {
                    let field = if self.premultiplied && i < last {
                        let sample = u64::from(samples[i]) * most(i) * shrink(last);
                        divide(sample, max * most(last))
                    } else {
                        shrink(i)
                    };
                    word |= field << lowest;
                }
                if let Some((lowest, bits)) = padding {
                    word |= ((1 << bits) - 1) << lowest;
                }

                if is_little(endian) {
                    word.to_le_bytes()[..size].to_vec()
                } else {
                    word.to_be_bytes()[8 - size..].to_vec()
                }
            }
            Stored::Samples(ty, at, padding) => {
                let size = ty.size();
                let mut bytes = vec![0; self.size()];
                let full = self.full(ty);
                let alpha = self.has_alpha().then(|| samples[samples.len() - 1]);
                for (i, (&at, &sample)) in at.iter().zip(samples).enumerate() {
                    let is_alpha = alpha.is_some() && i + 1 == samples.len();
                    let mut sample = f64::from(sample);
                    if self.linear && !is_alpha {
                        sample = decode_srgb(sample / max as f64) * max as f64;
                    }
                    let [low, high] = if is_alpha {
                        full
                    } else {
                        self.black_and_white(full)
                    };
                    let mut value = low + sample * ((high - low) / max as f64);
                    if let Some(alpha) = alpha.filter(|_| self.premultiplied && !is_alpha) {
                        let integer = matches!(ty, Type::U8 | Type::U16(_));
                        value = if integer && self.range.is_none() {
                            // Multiplied by alpha as memory holds it, rounded.
                            let alpha = divide(u64::from(alpha) * full[1] as u64, max);
                            divide(sample as u64 * alpha, max) as f64
                        } else {
                            value * (f64::from(alpha) * (full[1] / max as f64) / full[1])
                        };
                    }
                    let limits = match ty {
                        _ if ty.is_float() => [f64::MIN, f64::MAX],
                        _ => full,
                    };
                    // `+ 0.0` makes a negative zero positive.
                    bytes[at * size..][..size].copy_from_slice(&ty.save(value + 0.0, limits));
                }
                if let Some(at) = padding {
                    bytes[at * size..][..size].fill(0xff);
                }
                bytes
            }
        }
    }

    /// Returns a packed row of pixels, each of which is given as
    /// [`bytes`](Self::bytes) returns it.
    pub fn pack(&self, pixels: &[Vec<u8>]) -> Vec<u8> {
        match self.stored {
            Stored::Bits(bits, lsb) => {
                let per_byte = 8 / bits as usize;
                let byte = |pixels: &[Vec<u8>]| {
                    pixels.iter().enumerate().fold(0, |byte, (i, pixel)| {
                        let by = i as u32 * bits;
                        byte | if lsb { pixel[0] << by } else { pixel[0] >> by }
                    })
                };
                pixels.chunks(per_byte).map(byte).collect()
            }
            _ => pixels.concat(),
        }
    }

    /// Returns the bytes of the pixel that begins at `bit`. The bits of a byte are
    /// counted in the order in which the byte holds its pixels.
    pub fn load(&self, memory: &[u8], bit: usize, bytes: usize) -> Vec<u8> {
        let (at, within) = (bit / 8, bit % 8);
        match self.stored {
            Stored::Bits(bits, lsb) => {
                let mask = (1 << bits) - 1;
                vec![if lsb {
                    memory[at] >> within & mask
                } else {
                    (memory[at] << within >> (8 - bits) & mask) << (8 - bits)
                }]
            }
            _ => memory[at..at + bytes].to_vec(),
        }
    }

    /// Writes the bytes of the pixel that begins at `bit`, as
    /// [`load`](Self::load) returns them.
    pub fn store(&self, memory: &mut [u8], bit: usize, bytes: &[u8]) {
        let (at, within) = (bit / 8, bit % 8);
        match self.stored {
            Stored::Bits(bits, lsb) => {
                let mask = (1u8 << bits) - 1;
                let (mask, value) = if lsb {
                    (mask << within, bytes[0] << within)
                } else {
                    (mask << (8 - bits) >> within, bytes[0] >> within)
                };
                memory[at] = memory[at] & !mask | value;
            }
            _ => memory[at..at + bytes.len()].copy_from_slice(bytes),
        }
    }
}

/// Returns color `index` of the test palettes. All colors differ.
pub fn color(index: usize) -> [u8; 3] {
    [index as u8, (index * 7) as u8, 255 - index as u8]
}

/// Returns the samples of fields. A field is a value and its largest possible
/// value. If the format has alpha, it is the last field.
fn integers(fields: &[(u64, u64)], max: u64, premultiplied: bool) -> Vec<u16> {
    let (last, opaque) = fields[fields.len() - 1];
    let sample = |(i, &(field, most)): (usize, &(u64, u64))| {
        if premultiplied && i + 1 < fields.len() {
            return match last {
                0 => 0,
                _ => divide(field * max * opaque, most * last).min(max) as u16,
            };
        }
        divide(field * max, most) as u16
    };
    fields.iter().enumerate().map(sample).collect()
}

fn load_word(bytes: &[u8], endian: Endian) -> u64 {
    let mut bytes = bytes.to_vec();
    if is_little(endian) {
        bytes.reverse();
    }
    bytes.iter().fold(0, |all, &b| all << 8 | u64::from(b))
}

/// Returns the sRGB value of linear light (IEC 61966-2-1).
fn encode_srgb(light: f64) -> f64 {
    if light <= 0.003_130_8 {
        12.92 * light
    } else {
        1.055 * light.powf(1.0 / 2.4) - 0.055
    }
}

fn decode_srgb(sample: f64) -> f64 {
    if sample <= 0.040_45 {
        sample / 12.92
    } else {
        ((sample + 0.055) / 1.055).powf(2.4)
    }
}

/// Returns bytes without a pattern. They are the same for the same seed.
pub fn noise(len: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    (0..len)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 32) as u8
        })
        .collect()
}

/// Returns a new folder in the build folder. It is removed when dropped.
#[cfg(not(fuzzing))] // fuzz targets use this file, and have no build folder
pub fn folder() -> tempfile::TempDir {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap()
}
