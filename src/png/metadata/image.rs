//! Fields that describe the image as a whole: density, background,
//! transparency, significant bits, Exif data, time.

use super::chunks::Fixed;
use super::{LENGTH, Wrong, color};
use crate::format::PngFormat;
use crate::png::file_format::FileFormat;
use png::ColorType;

/// The density of the pixels, or their proportions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Density {
    /// Pixels per unit, from left to right.
    pub x: u32,
    /// Pixels per unit, from top to bottom.
    pub y: u32,
    /// Whether the unit is the metre; else only the proportions count.
    pub per_metre: bool,
}

/// The color to show an image on, in samples of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Background {
    /// Of gray files, with alpha or without.
    Gray(u16),
    /// Of RGB files, with alpha or without.
    Rgb([u16; 3]),
    /// Of indexed files.
    Index(u8),
}

/// A moment in Universal Time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Time {
    /// The whole year, such as 2026.
    pub year: u16,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
    /// 0 to 60: there are leap seconds.
    pub second: u8,
}

impl Density {
    /// Returns a density of the same pixels per inch both ways, to the nearest
    /// number per metre.
    #[must_use]
    pub fn from_dpi(dpi: f64) -> Self {
        let per_metre = (dpi / 0.0254).round() as u32;
        Density {
            x: per_metre,
            y: per_metre,
            per_metre: true,
        }
    }

    /// Returns the pixels per inch, from left to right and from top to bottom,
    /// if the unit is known.
    #[must_use]
    pub fn dpi(self) -> Option<(f64, f64)> {
        let dpi = |per_metre: u32| f64::from(per_metre) * 0.0254;
        self.per_metre.then(|| (dpi(self.x), dpi(self.y)))
    }

    pub(super) fn write(self) -> Result<Fixed, Wrong> {
        let mut data = color::written(&[self.x, self.y])?;
        data.extend([self.per_metre.into()]);
        Ok(data)
    }

    pub(super) fn parse(data: &[u8]) -> Result<Self, Wrong> {
        let ([x, y], [unit]) = color::numbers(data)?;
        let per_metre = match unit {
            0 => false,
            1 => true,
            _ => return Err("the unit is neither 0 nor 1"),
        };
        Ok(Density { x, y, per_metre })
    }
}

impl Background {
    /// `colors` is the number of palette entries.
    pub(super) fn write(self, png: PngFormat, colors: usize) -> Result<Fixed, Wrong> {
        match (self, png.color) {
            (Background::Gray(gray), ColorType::Grayscale | ColorType::GrayscaleAlpha) => {
                samples(&[gray], png.depth)
            }
            (Background::Rgb(rgb), ColorType::Rgb | ColorType::Rgba) => samples(&rgb, png.depth),
            (Background::Index(index), ColorType::Indexed) => {
                if usize::from(index) >= colors {
                    return Err("the palette has no such color");
                }
                Ok(Fixed::new([index]))
            }
            _ => Err("a background is gray, RGB or an index as the pixels are"),
        }
    }

    pub(super) fn parse(data: &[u8], file: &FileFormat) -> Result<Self, Wrong> {
        let background = match (file.png.color, data) {
            (ColorType::Grayscale | ColorType::GrayscaleAlpha, &[a, b]) => {
                Background::Gray(u16::from_be_bytes([a, b]))
            }
            (ColorType::Rgb | ColorType::Rgba, &[a, b, c, d, e, f]) => {
                Background::Rgb([[a, b], [c, d], [e, f]].map(u16::from_be_bytes))
            }
            (ColorType::Indexed, &[index]) => Background::Index(index),
            _ => return Err(LENGTH),
        };
        background.write(file.png, colors(file))?;
        Ok(background)
    }
}

impl Time {
    pub(super) fn write(self) -> Result<Fixed, Wrong> {
        let mut data = Fixed::new(self.year.to_be_bytes());
        data.extend([self.month, self.day, self.hour, self.minute, self.second]);
        Time::parse(data.bytes())?;
        Ok(data)
    }

    pub(super) fn parse(data: &[u8]) -> Result<Self, Wrong> {
        let &[high, low, month, day, hour, minute, second] = data else {
            return Err(LENGTH);
        };
        let date = (1..=12).contains(&month) && (1..=31).contains(&day);
        if !date || hour > 23 || minute > 59 || second > 60 {
            return Err("there is no such time");
        }
        Ok(Time {
            year: u16::from_be_bytes([high, low]),
            month,
            day,
            hour,
            minute,
            second,
        })
    }
}

/// Returns the number of palette entries of a file.
fn colors(file: &FileFormat) -> usize {
    file.palette.as_ref().map_or(0, |p| p.colors().len())
}

fn samples(samples: &[u16], depth: u8) -> Result<Fixed, Wrong> {
    let mut data = Fixed::default();
    for &sample in samples {
        if sample > u16::MAX >> (16 - depth.min(16)) {
            return Err("a sample is larger than those of the file");
        }
        data.extend(sample.to_be_bytes());
    }
    Ok(data)
}

/// Returns the transparent color, tRNS, of files without alpha and palette. `None`
/// for files with alpha, whose pixels hold the transparency.
pub(super) fn write_transparent(
    [r, g, b]: [u16; 3],
    png: PngFormat,
) -> Result<Option<Fixed>, Wrong> {
    match png.color {
        ColorType::Grayscale if r == g && g == b => samples(&[r], png.depth).map(Some),
        ColorType::Grayscale => Err("a gray file has one transparent gray: three times the same"),
        ColorType::Rgb => samples(&[r, g, b], png.depth).map(Some),
        ColorType::GrayscaleAlpha | ColorType::Rgba => Ok(None),
        ColorType::Indexed => Err("an indexed file has its transparency in the palette"),
    }
}

/// Checks tRNS, which has been read with the palette.
pub(super) fn check_transparency(data: &[u8], file: &FileFormat) -> Result<(), Wrong> {
    let (entries, png) = (colors(file), file.png);
    let found = match (png.color, data) {
        (ColorType::Indexed, _) if (1..=entries).contains(&data.len()) => return Ok(()),
        (ColorType::Indexed, [_, ..]) => return Err("there are more alphas than colors: cut"),
        (ColorType::Grayscale, &[a, b]) => [u16::from_be_bytes([a, b]); 3],
        (ColorType::Rgb, &[a, b, c, d, e, f]) => [[a, b], [c, d], [e, f]].map(u16::from_be_bytes),
        (ColorType::GrayscaleAlpha | ColorType::Rgba, _) => {
            return Err("a file with alpha has no tRNS");
        }
        _ => return Err(LENGTH),
    };
    write_transparent(found, png)
        .map(|_| ())
        .map_err(|_| "a sample is larger than those of the file: its low bits are taken")
}

/// Returns the samples that sBIT describes, and their depth: of palettes the
/// three of a color.
fn sample_depths(png: PngFormat) -> (usize, u8) {
    match png.color {
        ColorType::Grayscale => (1, png.depth),
        ColorType::GrayscaleAlpha => (2, png.depth),
        ColorType::Rgb => (3, png.depth),
        ColorType::Rgba => (4, png.depth),
        ColorType::Indexed => (3, 8),
    }
}

/// Returns sBIT. `keyed` says that the file had a transparent color: if the image
/// has alpha now, `bits` may lack the alpha, of which one bit is significant.
pub(super) fn write_significant_bits(
    bits: &[u8],
    png: PngFormat,
    keyed: bool,
) -> Result<Fixed, Wrong> {
    let (channels, depth) = sample_depths(png);
    let has_alpha = matches!(png.color, ColorType::GrayscaleAlpha | ColorType::Rgba);
    let lacks_alpha = keyed && has_alpha && bits.len() + 1 == channels;
    if bits.len() != channels && !lacks_alpha {
        return Err("as many numbers as channels are needed, three for a palette");
    }
    if bits.iter().any(|&bits| bits == 0 || bits > depth) {
        return Err("samples have from one bit to as many as the file has");
    }
    let mut data = Fixed::default();
    for &bits in bits {
        data.extend([bits]);
    }
    if lacks_alpha {
        data.extend([1]);
    }
    Ok(data)
}

pub(super) fn check_exif(exif: &[u8]) -> Result<(), Wrong> {
    match exif {
        [b'I', b'I', 42, 0, ..] | [b'M', b'M', 0, 42, ..] => Ok(()),
        _ => Err("Exif data begins with the order of its bytes, and 42"),
    }
}
