//! Shared by the tests: decoders that others wrote, and what each format
//! means, written down from its definition and not taken from the crate.

// Every test binary uses another part of this.
#![allow(dead_code, unreachable_pub)]

use lodepng::ColorType;
use pixview::PixelFormat;
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

/// Decodes with `zune-png` and with `lodepng`, which must agree. (With one of
/// them where Miri runs both a thousand times slower.)
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

/// As 16-bit RGBA.
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

/// How a format stores its samples. The samples are listed in the order of
/// PNG: gray, or gray and alpha, or red, green, blue, or with alpha.
#[derive(Clone, Copy, Debug)]
pub enum Stored {
    /// The byte of each sample.
    Bytes(&'static [usize]),
    /// The first of two bytes of each sample.
    Native(&'static [usize]),
    Little(&'static [usize]),
    Big(&'static [usize]),
    /// The lowest bit of each sample in a native word of 32 bits.
    Word(&'static [u32]),
}

/// A format by its definition.
#[derive(Clone, Copy, Debug)]
pub struct Definition {
    pub format: PixelFormat,
    /// Bytes in a pixel.
    pub size: usize,
    pub stored: Stored,
    /// The byte of the padding, if any, in a pixel that was written.
    pub padding: Option<Padding>,
}

#[derive(Clone, Copy, Debug)]
pub enum Padding {
    Byte(usize),
    Bits(u32),
}

pub const DEFINITIONS: &[Definition] = {
    use Padding::{Bits, Byte};
    use PixelFormat as F;
    use Stored::{Big, Bytes, Little, Native, Word};
    const fn new(format: F, size: usize, stored: Stored, padding: Option<Padding>) -> Definition {
        Definition {
            format,
            size,
            stored,
            padding,
        }
    }
    &[
        new(F::GRAY8, 1, Bytes(&[0]), None),
        new(F::GRAY_ALPHA8, 2, Bytes(&[0, 1]), None),
        new(F::RGB8, 3, Bytes(&[0, 1, 2]), None),
        new(F::RGBA8, 4, Bytes(&[0, 1, 2, 3]), None),
        new(F::BGR8, 3, Bytes(&[2, 1, 0]), None),
        new(F::BGRA8, 4, Bytes(&[2, 1, 0, 3]), None),
        new(F::ARGB8, 4, Bytes(&[1, 2, 3, 0]), None),
        new(F::ABGR8, 4, Bytes(&[3, 2, 1, 0]), None),
        new(F::RGBX8, 4, Bytes(&[0, 1, 2]), Some(Byte(3))),
        new(F::BGRX8, 4, Bytes(&[2, 1, 0]), Some(Byte(3))),
        new(F::XRGB8, 4, Bytes(&[1, 2, 3]), Some(Byte(0))),
        new(F::XBGR8, 4, Bytes(&[3, 2, 1]), Some(Byte(0))),
        new(F::GRAY16, 2, Native(&[0]), None),
        new(F::GRAY16LE, 2, Little(&[0]), None),
        new(F::GRAY16BE, 2, Big(&[0]), None),
        new(F::GRAY_ALPHA16, 4, Native(&[0, 2]), None),
        new(F::GRAY_ALPHA16LE, 4, Little(&[0, 2]), None),
        new(F::GRAY_ALPHA16BE, 4, Big(&[0, 2]), None),
        new(F::RGB16, 6, Native(&[0, 2, 4]), None),
        new(F::RGB16LE, 6, Little(&[0, 2, 4]), None),
        new(F::RGB16BE, 6, Big(&[0, 2, 4]), None),
        new(F::RGBA16, 8, Native(&[0, 2, 4, 6]), None),
        new(F::RGBA16LE, 8, Little(&[0, 2, 4, 6]), None),
        new(F::RGBA16BE, 8, Big(&[0, 2, 4, 6]), None),
        new(F::XRGB8888, 4, Word(&[16, 8, 0]), Some(Bits(24))),
        new(F::ARGB8888, 4, Word(&[16, 8, 0, 24]), None),
        new(F::XBGR8888, 4, Word(&[0, 8, 16]), Some(Bits(24))),
        new(F::ABGR8888, 4, Word(&[0, 8, 16, 24]), None),
    ]
};

impl Definition {
    pub fn of(format: PixelFormat) -> Self {
        *DEFINITIONS.iter().find(|d| d.format == format).unwrap()
    }

    /// Samples in a pixel.
    pub fn channels(&self) -> usize {
        match self.stored {
            Stored::Bytes(at) | Stored::Native(at) | Stored::Little(at) | Stored::Big(at) => {
                at.len()
            }
            Stored::Word(at) => at.len(),
        }
    }

    pub fn depth(&self) -> u8 {
        match self.stored {
            Stored::Bytes(_) | Stored::Word(_) => 8,
            _ => 16,
        }
    }

    /// Bytes in a sample.
    pub fn sample_size(&self) -> usize {
        usize::from(self.depth() / 8)
    }

    pub fn is_word(&self) -> bool {
        matches!(self.stored, Stored::Word(_))
    }

    /// What the bytes of a pixel say.
    pub fn samples(&self, bytes: &[u8]) -> Vec<u16> {
        let pair = |at: usize| [bytes[at], bytes[at + 1]];
        match self.stored {
            Stored::Bytes(at) => at.iter().map(|&at| u16::from(bytes[at])).collect(),
            Stored::Native(at) => at.iter().map(|&at| u16::from_ne_bytes(pair(at))).collect(),
            Stored::Little(at) => at.iter().map(|&at| u16::from_le_bytes(pair(at))).collect(),
            Stored::Big(at) => at.iter().map(|&at| u16::from_be_bytes(pair(at))).collect(),
            Stored::Word(at) => {
                let word = u32::from_ne_bytes(bytes.try_into().unwrap());
                at.iter().map(|at| (word >> at & 0xff) as u16).collect()
            }
        }
    }

    /// The bytes of a pixel with these samples, padding 255.
    pub fn bytes(&self, samples: &[u16]) -> Vec<u8> {
        let mut bytes = vec![0; self.size];
        let mut put = |at: usize, pair: [u8; 2]| bytes[at..at + 2].copy_from_slice(&pair);
        match self.stored {
            Stored::Bytes(at) => {
                for (&at, &sample) in at.iter().zip(samples) {
                    bytes[at] = sample as u8;
                }
            }
            Stored::Native(at) => {
                (at.iter().zip(samples)).for_each(|(&at, sample)| put(at, sample.to_ne_bytes()));
            }
            Stored::Little(at) => {
                (at.iter().zip(samples)).for_each(|(&at, sample)| put(at, sample.to_le_bytes()));
            }
            Stored::Big(at) => {
                (at.iter().zip(samples)).for_each(|(&at, sample)| put(at, sample.to_be_bytes()));
            }
            Stored::Word(at) => {
                let mut word = match self.padding {
                    Some(Padding::Bits(at)) => 0xff << at,
                    _ => 0,
                };
                for (&at, &sample) in at.iter().zip(samples) {
                    word |= u32::from(sample) << at;
                }
                bytes = word.to_ne_bytes().to_vec();
            }
        }
        if let Some(Padding::Byte(at)) = self.padding {
            bytes[at] = 0xff;
        }
        bytes
    }
}

/// Bytes without a pattern, the same every time.
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

/// A fresh folder below the build folder, removed when it is dropped.
#[cfg(not(fuzzing))] // fuzz targets, which use this file, have none
pub fn folder() -> tempfile::TempDir {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap()
}
