//! Fields that say which colors the samples mean.

use super::chunks::Fixed;
use super::parser::Parser;
use super::text::{self, Keyword};
use super::{LENGTH, Refusal, Wrong};
use crate::deflate;

/// The white point and the three primaries, each x and y of CIE 1931 times 100 000
/// (11.3.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Chromaticities {
    /// White.
    pub white: [u32; 2],
    /// Red.
    pub red: [u32; 2],
    /// Green.
    pub green: [u32; 2],
    /// Blue.
    pub blue: [u32; 2],
}

/// The rule for colors that a device does not have, `sRGB` (11.3.2.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RenderingIntent {
    /// Keeps the appearance: photographs.
    Perceptual = 0,
    /// Keeps colors relative to white: logos.
    RelativeColorimetric = 1,
    /// Keeps the saturation: charts.
    Saturation = 2,
    /// Keeps the colors themselves: proofs.
    AbsoluteColorimetric = 3,
}

/// A profile of the International Color Consortium (11.3.2.3).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct IccProfile {
    /// The name, by the rules of keywords: see [`Text`](super::Text).
    pub name: String,
    /// The profile, not compressed.
    pub data: Vec<u8>,
}

/// Code points of ITU-T H.273 (11.3.2.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Cicp {
    /// Color primaries.
    pub primaries: u8,
    /// Transfer function.
    pub transfer: u8,
    /// Whether samples have the full range, as PNG mostly has.
    pub full_range: bool,
}

/// The display that an image was made on, SMPTE ST 2086 (11.3.2.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MasteringDisplay {
    /// Red, x and y of CIE 1931 times 50 000.
    pub red: [u16; 2],
    /// Green.
    pub green: [u16; 2],
    /// Blue.
    pub blue: [u16; 2],
    /// White.
    pub white: [u16; 2],
    /// The most that the display shows, in 0.0001 cd/m².
    pub max_luminance: u32,
    /// The least that the display shows, in 0.0001 cd/m².
    pub min_luminance: u32,
}

/// The luminance of an image (11.3.2.8); 0 is unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LightLevel {
    /// The lightest pixel, in 0.0001 cd/m².
    pub max_content: u32,
    /// The mean of the lightest frame, in 0.0001 cd/m².
    pub max_frame_average: u32,
}

/// Checks a number of four bytes: at most 2^31-1 (7.1).
fn checked(number: u32) -> Result<u32, Wrong> {
    if number > i32::MAX as u32 {
        return Err("numbers are at most 2^31-1");
    }
    Ok(number)
}

/// Returns `N` numbers of four bytes, and the `M` bytes behind them.
pub(super) fn numbers<const N: usize, const M: usize>(
    data: &[u8],
) -> Result<([u32; N], [u8; M]), Wrong> {
    if data.len() != 4 * N + M {
        return Err(LENGTH);
    }
    let (numbers, rest) = data.split_at(4 * N);
    let (mut result, mut tail) = ([0; N], [0; M]);
    for (to, from) in result.iter_mut().zip(numbers.as_chunks().0) {
        *to = checked(u32::from_be_bytes(*from))?;
    }
    tail.copy_from_slice(rest);
    Ok((result, tail))
}

pub(super) fn written(numbers: &[u32]) -> Result<Fixed, Wrong> {
    let mut data = Fixed::default();
    for &number in numbers {
        data.extend(checked(number)?.to_be_bytes());
    }
    Ok(data)
}

pub(super) fn write_gamma(gamma: u32) -> Result<Fixed, Wrong> {
    if gamma == 0 {
        return Err("an exponent of 0 means nothing");
    }
    written(&[gamma])
}

pub(super) fn parse_gamma(data: &[u8]) -> Result<u32, Wrong> {
    let ([gamma], []) = numbers(data)?;
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

    pub(super) fn write(self) -> Result<Fixed, Wrong> {
        let points = [self.white, self.red, self.green, self.blue];
        written(points.as_flattened())
    }

    pub(super) fn parse(data: &[u8]) -> Result<Self, Wrong> {
        let ([wx, wy, rx, ry, gx, gy, bx, by], []) = numbers(data)?;
        Ok(Chromaticities {
            white: [wx, wy],
            red: [rx, ry],
            green: [gx, gy],
            blue: [bx, by],
        })
    }
}

impl RenderingIntent {
    pub(super) fn parse(data: &[u8]) -> Result<Self, Wrong> {
        match data {
            [0] => Ok(RenderingIntent::Perceptual),
            [1] => Ok(RenderingIntent::RelativeColorimetric),
            [2] => Ok(RenderingIntent::Saturation),
            [3] => Ok(RenderingIntent::AbsoluteColorimetric),
            [_] => Err("there is no such intent"),
            _ => Err(LENGTH),
        }
    }
}

impl IccProfile {
    pub(super) fn write(&self) -> Result<Vec<u8>, Refusal> {
        let mut head = [0; Keyword::MOST + 2];
        let name = Keyword::new(&self.name)?;
        let len = name.bytes().len();
        head[..len].copy_from_slice(name.bytes());
        // The end of the name, and 0 for deflate.
        Ok(deflate::zlib(&head[..len + 2], &self.data)?)
    }

    pub(super) fn parse(data: &[u8], parser: &mut Parser<'_>) -> Result<Self, Refusal> {
        let (name, rest) = text::until_zero(data)?;
        let name = parser.keyword(name)?;
        let Some((0, compressed)) = rest.split_first() else {
            return Err("there is no such compression".into());
        };
        Ok(IccProfile {
            name,
            data: parser.inflate(compressed)?,
        })
    }
}

impl Cicp {
    pub(super) fn write(self) -> Fixed {
        // PNG has RGB, whose matrix is 0.
        Fixed::new([self.primaries, self.transfer, 0, self.full_range.into()])
    }

    pub(super) fn parse(data: &[u8]) -> Result<Self, Wrong> {
        match *data {
            [primaries, transfer, 0, range @ (0 | 1)] => Ok(Cicp {
                primaries,
                transfer,
                full_range: range == 1,
            }),
            [_, _, 0, _] => Err("the range is neither 0 nor 1"),
            [_, _, _, _] => Err("PNG has no matrix other than 0"),
            _ => Err(LENGTH),
        }
    }
}

impl MasteringDisplay {
    pub(super) fn write(self) -> Fixed {
        let points = [self.red, self.green, self.blue, self.white];
        let mut data = Fixed::default();
        for number in points.as_flattened() {
            data.extend(number.to_be_bytes());
        }
        data.extend(self.max_luminance.to_be_bytes());
        data.extend(self.min_luminance.to_be_bytes());
        data
    }

    pub(super) fn parse(data: &[u8]) -> Result<Self, Wrong> {
        if data.len() != 24 {
            return Err(LENGTH);
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
    pub(super) fn write(self) -> Result<Fixed, Wrong> {
        written(&[self.max_content, self.max_frame_average])
    }

    pub(super) fn parse(data: &[u8]) -> Result<Self, Wrong> {
        let ([max_content, max_frame_average], []) = numbers(data)?;
        Ok(LightLevel {
            max_content,
            max_frame_average,
        })
    }
}
