//! Fields for the color space of the samples.

use super::chunks::ShortData;
use super::parser::Parser;
use super::text::{self, Keyword};
use super::{ChunkError, Reason, wrong_length};
use crate::deflate;

// Chromaticities, MasteringDisplay and LightLevel are exhaustive: the length of
// their chunks is fixed, and every byte is in a field.

/// The white point and the primaries of the color space (11.3.2.1).
///
/// Each point is x and y of CIE 1931 times 100 000, from 0 to 2^31-1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Chromaticities {
    /// The white point, as x and y times 100 000.
    pub white: [u32; 2],
    /// The red primary, as x and y times 100 000.
    pub red: [u32; 2],
    /// The green primary, as x and y times 100 000.
    pub green: [u32; 2],
    /// The blue primary, as x and y times 100 000.
    pub blue: [u32; 2],
}

/// How colors that a device cannot show are mapped: `sRGB` (11.3.2.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RenderingIntent {
    /// Keeps the appearance, as for photographs.
    Perceptual = 0,
    /// Keeps colors relative to the white point, as for logos.
    RelativeColorimetric = 1,
    /// Keeps the saturation, as for charts.
    Saturation = 2,
    /// Keeps absolute colors, as for proofs.
    AbsoluteColorimetric = 3,
}

/// A color profile of the International Color Consortium (11.3.2.3).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct IccProfile {
    /// The name, by the rules for [`Text::keyword`](super::Text::keyword).
    pub name: String,
    /// The bytes of the profile, not compressed.
    pub data: Vec<u8>,
}

/// Code points of ITU-T H.273 for the color space (11.3.2.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Cicp {
    /// The code point of the color primaries.
    pub primaries: u8,
    /// The code point of the transfer function.
    pub transfer: u8,
    /// Whether samples have the full range, as in most PNG files, instead of
    /// the narrow range of video.
    pub full_range: bool,
}

/// The display on which an image was mastered, by SMPTE ST 2086 (11.3.2.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MasteringDisplay {
    /// The red primary, as x and y of CIE 1931 times 50 000.
    pub red: [u16; 2],
    /// The green primary, as x and y times 50 000.
    pub green: [u16; 2],
    /// The blue primary, as x and y times 50 000.
    pub blue: [u16; 2],
    /// The white point, as x and y times 50 000.
    pub white: [u16; 2],
    /// The maximum luminance in units of 0.0001 cd/m².
    pub max_luminance: u32,
    /// The minimum luminance in units of 0.0001 cd/m².
    pub min_luminance: u32,
}

/// The luminance of an image (11.3.2.8).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LightLevel {
    /// The luminance of the brightest pixel in units of 0.0001 cd/m², at most
    /// 2^31-1. 0 if unknown.
    pub max_content: u32,
    /// The mean luminance of the brightest frame in units of 0.0001 cd/m², at
    /// most 2^31-1. 0 if unknown.
    pub max_frame_average: u32,
}

/// Checks a number of four bytes, which must be at most 2^31-1 (7.1).
fn checked(number: u32) -> Result<u32, Reason> {
    if number > i32::MAX as u32 {
        return Err("number must be at most 2^31-1");
    }
    Ok(number)
}

/// Returns `N` numbers of four bytes, and the `M` bytes behind them.
pub(super) fn parse_numbers<const N: usize, const M: usize>(
    data: &[u8],
) -> Result<([u32; N], [u8; M]), Reason> {
    if data.len() != 4 * N + M {
        return Err(wrong_length(4 * N + M));
    }
    let (numbers, rest) = data.split_at(4 * N);
    let (mut result, mut tail) = ([0; N], [0; M]);
    for (to, from) in result.iter_mut().zip(numbers.as_chunks().0) {
        *to = checked(u32::from_be_bytes(*from))?;
    }
    tail.copy_from_slice(rest);
    Ok((result, tail))
}

/// Returns numbers as four bytes each.
pub(super) fn write_numbers(numbers: &[u32]) -> Result<ShortData, Reason> {
    let mut data = ShortData::default();
    for &number in numbers {
        data.extend(checked(number)?.to_be_bytes());
    }
    Ok(data)
}

pub(super) fn write_gamma(gamma: u32) -> Result<ShortData, Reason> {
    if gamma == 0 {
        return Err("gamma must be at least 1, not 0");
    }
    write_numbers(&[gamma])
}

pub(super) fn parse_gamma(data: &[u8]) -> Result<u32, Reason> {
    let ([gamma], []) = parse_numbers(data)?;
    write_gamma(gamma)?;
    Ok(gamma)
}

impl Chromaticities {
    /// The chromaticities of sRGB and Rec. ITU-R BT.709.
    pub const SRGB: Chromaticities = Chromaticities {
        white: [31270, 32900],
        red: [64000, 33000],
        green: [30000, 60000],
        blue: [15000, 6000],
    };

    pub(super) fn write(self) -> Result<ShortData, Reason> {
        let points = [self.white, self.red, self.green, self.blue];
        write_numbers(points.as_flattened())
    }

    pub(super) fn parse(data: &[u8]) -> Result<Self, Reason> {
        let ([wx, wy, rx, ry, gx, gy, bx, by], []) = parse_numbers(data)?;
        Ok(Chromaticities {
            white: [wx, wy],
            red: [rx, ry],
            green: [gx, gy],
            blue: [bx, by],
        })
    }
}

impl RenderingIntent {
    pub(super) fn parse(data: &[u8]) -> Result<Self, Reason> {
        match data {
            [0] => Ok(RenderingIntent::Perceptual),
            [1] => Ok(RenderingIntent::RelativeColorimetric),
            [2] => Ok(RenderingIntent::Saturation),
            [3] => Ok(RenderingIntent::AbsoluteColorimetric),
            [_] => Err("rendering intent must be from 0 to 3"),
            _ => Err(wrong_length(1)),
        }
    }
}

impl IccProfile {
    /// Returns a profile. `name` is free, such as "Display P3".
    #[must_use]
    pub fn new(name: impl Into<String>, data: impl Into<Vec<u8>>) -> Self {
        IccProfile {
            name: name.into(),
            data: data.into(),
        }
    }

    pub(super) fn write(&self) -> Result<Vec<u8>, ChunkError> {
        let mut head = [0; Keyword::MAX_LEN + 2];
        let name = Keyword::new(&self.name)?;
        let len = name.bytes().len();
        head[..len].copy_from_slice(name.bytes());
        // NUL ends the name, and 0 is the compression method deflate.
        Ok(deflate::zlib(&head[..len + 2], &self.data)?)
    }

    pub(super) fn parse(data: &[u8], parser: &mut Parser<'_>) -> Result<Self, ChunkError> {
        let (name, rest) = text::split_at_nul(data)?;
        let name = parser.keyword(name)?;
        let Some((0, compressed)) = rest.split_first() else {
            return Err("compression method must be 0".into());
        };
        Ok(IccProfile {
            name,
            data: parser.inflate(compressed)?,
        })
    }
}

impl Cicp {
    /// Returns code points with samples of the full range.
    ///
    /// # Examples
    ///
    /// ```
    /// use pixview::Cicp;
    ///
    /// let bt2100_pq = Cicp::new(9, 16);
    /// assert!(bt2100_pq.full_range);
    /// ```
    #[must_use]
    pub const fn new(primaries: u8, transfer: u8) -> Self {
        Cicp {
            primaries,
            transfer,
            full_range: true,
        }
    }

    pub(super) fn write(self) -> ShortData {
        // The matrix coefficients of RGB are 0, and PNG has only RGB.
        ShortData::new([self.primaries, self.transfer, 0, self.full_range.into()])
    }

    pub(super) fn parse(data: &[u8]) -> Result<Self, Reason> {
        match *data {
            [primaries, transfer, 0, range @ (0 | 1)] => Ok(Cicp {
                primaries,
                transfer,
                full_range: range == 1,
            }),
            [_, _, 0, _] => Err("full range flag must be 0 or 1"),
            [_, _, _, _] => Err("matrix coefficients must be 0"),
            _ => Err(wrong_length(4)),
        }
    }
}

impl MasteringDisplay {
    pub(super) fn write(self) -> ShortData {
        let points = [self.red, self.green, self.blue, self.white];
        let mut data = ShortData::default();
        for number in points.as_flattened() {
            data.extend(number.to_be_bytes());
        }
        data.extend(self.max_luminance.to_be_bytes());
        data.extend(self.min_luminance.to_be_bytes());
        data
    }

    pub(super) fn parse(data: &[u8]) -> Result<Self, Reason> {
        if data.len() != 24 {
            return Err(wrong_length(24));
        }
        let short = |i: usize| u16::from_be_bytes([data[2 * i], data[2 * i + 1]]);
        let long = |i: usize| u32::from(short(i)) << 16 | u32::from(short(i + 1));
        Ok(MasteringDisplay {
            red: [short(0), short(1)],
            green: [short(2), short(3)],
            blue: [short(4), short(5)],
            white: [short(6), short(7)],
            max_luminance: long(8),
            min_luminance: long(10),
        })
    }
}

impl LightLevel {
    pub(super) fn write(self) -> Result<ShortData, Reason> {
        write_numbers(&[self.max_content, self.max_frame_average])
    }

    pub(super) fn parse(data: &[u8]) -> Result<Self, Reason> {
        let ([max_content, max_frame_average], []) = parse_numbers(data)?;
        Ok(LightLevel {
            max_content,
            max_frame_average,
        })
    }
}
