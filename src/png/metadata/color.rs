//! What the numbers of pixels mean to the eye.

use super::{Wrong, text};

/// A point of the chromaticity diagram (CIE 1931), x and y times 100 000.
type Point = [u32; 2];

/// White and the three colours, each x and y of CIE 1931 times 100 000
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

/// What to keep where a device has not all colours (11.3.2.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RenderingIntent {
    /// What looks alike: photographs.
    Perceptual = 0,
    /// Colours relative to white: logos.
    RelativeColorimetric = 1,
    /// Saturation: charts.
    Saturation = 2,
    /// Colours as they are: proofs.
    AbsoluteColorimetric = 3,
}

/// A profile of the International Color Consortium (11.3.2.3).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct IccProfile {
    /// Its name, by the rules of keywords: see [`Text`](super::Text).
    pub name: String,
    /// The profile, not compressed.
    pub data: Vec<u8>,
}

/// Code points of ITU-T H.273 (11.3.2.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Cicp {
    /// Colour primaries.
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
    /// The lightest that it shows, in 0.0001 cd/m².
    pub max_luminance: u32,
    /// The darkest, in 0.0001 cd/m².
    pub min_luminance: u32,
}

/// How light an image is (11.3.2.8); 0 is unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LightLevel {
    /// Its lightest pixel, in 0.0001 cd/m².
    pub max_content: u32,
    /// The mean of its lightest frame, in 0.0001 cd/m².
    pub max_frame_average: u32,
}

/// A number of four bytes: at most 2^31-1 (7.1).
pub(super) fn checked(number: u32) -> Result<u32, Wrong> {
    if number > i32::MAX as u32 {
        return Err("numbers are at most 2^31-1");
    }
    Ok(number)
}

/// So many numbers of four bytes, and so many bytes behind them.
pub(super) fn numbers<const N: usize, const M: usize>(
    data: &[u8],
) -> Result<([u32; N], [u8; M]), Wrong> {
    if data.len() != 4 * N + M {
        return Err("it has another length");
    }
    let (numbers, rest) = data.split_at(4 * N);
    let (mut result, mut tail) = ([0; N], [0; M]);
    for (to, from) in result.iter_mut().zip(numbers.as_chunks().0) {
        *to = checked(u32::from_be_bytes(*from))?;
    }
    tail.copy_from_slice(rest);
    Ok((result, tail))
}

fn written(numbers: &[u32]) -> Result<Vec<u8>, Wrong> {
    let mut data = Vec::new();
    for &number in numbers {
        data.extend(checked(number)?.to_be_bytes());
    }
    Ok(data)
}

pub(super) fn write_gamma(gamma: u32) -> Result<Vec<u8>, Wrong> {
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
    /// Those of sRGB and Rec. ITU-R BT.709.
    pub const SRGB: Chromaticities = Chromaticities {
        white: [31270, 32900],
        red: [64000, 33000],
        green: [30000, 60000],
        blue: [15000, 6000],
    };

    pub(super) fn write(&self) -> Result<Vec<u8>, Wrong> {
        let points: [Point; 4] = [self.white, self.red, self.green, self.blue];
        written(&points.concat())
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
            _ => Err("there is no such intent"),
        }
    }
}

impl IccProfile {
    pub(super) fn write(&self) -> Result<Vec<u8>, Wrong> {
        let mut data = text::keyword(&self.name)?;
        data.extend([0, 0]);
        data.extend(text::deflated(&self.data));
        Ok(data)
    }

    pub(super) fn parse(data: &[u8], room: &mut usize) -> Result<Self, Wrong> {
        let (name, rest) = text::parse_keyword(data)?;
        let Some((0, compressed)) = rest.split_first() else {
            return Err("there is no such compression");
        };
        Ok(IccProfile {
            name,
            data: text::inflated(compressed, room)?,
        })
    }
}

impl Cicp {
    pub(super) fn write(self) -> Vec<u8> {
        // PNG has RGB, whose matrix is 0.
        vec![self.primaries, self.transfer, 0, self.full_range.into()]
    }

    pub(super) fn parse(data: &[u8]) -> Result<Self, Wrong> {
        match *data {
            [primaries, transfer, 0, range @ (0 | 1)] => Ok(Cicp {
                primaries,
                transfer,
                full_range: range == 1,
            }),
            [_, _, _, 0 | 1] => Err("PNG has no matrix other than 0"),
            _ => Err("it has another length, or there is no such range"),
        }
    }
}

impl MasteringDisplay {
    pub(super) fn write(&self) -> Vec<u8> {
        let points = [self.red, self.green, self.blue, self.white];
        let mut data: Vec<u8> = points
            .as_flattened()
            .iter()
            .flat_map(|n| n.to_be_bytes())
            .collect();
        data.extend(self.max_luminance.to_be_bytes());
        data.extend(self.min_luminance.to_be_bytes());
        data
    }

    pub(super) fn parse(data: &[u8]) -> Result<Self, Wrong> {
        if data.len() != 24 {
            return Err("it has another length");
        }
        let short = |i: usize| u16::from_be_bytes([data[2 * i], data[2 * i + 1]]);
        let long =
            |at: usize| u32::from_be_bytes([data[at], data[at + 1], data[at + 2], data[at + 3]]);
        Ok(MasteringDisplay {
            red: [short(0), short(1)],
            green: [short(2), short(3)],
            blue: [short(4), short(5)],
            white: [short(6), short(7)],
            max_luminance: long(16),
            min_luminance: long(20),
        })
    }
}

impl LightLevel {
    pub(super) fn write(self) -> Result<Vec<u8>, Wrong> {
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
