//! Fields for the image as a whole: density, background, transparency,
//! significant bits, Exif data, time.

use std::time::{SystemTime, UNIX_EPOCH};

use super::chunks::ShortData;
use super::{Reason, color, wrong_length};
use crate::format::{FileFormat, PngFormat};
use png::ColorType;

/// The pixels per meter, or only the proportions of a pixel (11.3.4.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Density {
    /// The horizontal pixels per unit, at most 2^31-1.
    pub x: u32,
    /// The vertical pixels per unit, at most 2^31-1.
    pub y: u32,
    /// Whether the unit is the meter. Otherwise the unit is unknown, and `x` and
    /// `y` give only proportions.
    pub per_meter: bool,
}

/// The background color, in samples of the file (11.3.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Background {
    /// The gray sample of a gray file, with alpha or without.
    Gray(u16),
    /// The red, green and blue samples of an RGB file, with alpha or without.
    Rgb([u16; 3]),
    /// The palette index of an indexed file.
    Index(u8),
}

// Exhaustive: tIME has seven bytes, and each is in a field.
/// A date and time in Universal Time (11.3.5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Time {
    /// The year with its century, such as 2026.
    pub year: u16,
    /// The month, from 1 to 12.
    pub month: u8,
    /// The day of the month, from 1 to 31.
    pub day: u8,
    /// The hour, from 0 to 23.
    pub hour: u8,
    /// The minute, from 0 to 59.
    pub minute: u8,
    /// The second, from 0 to 60, where 60 is a leap second.
    pub second: u8,
}

impl Density {
    /// Returns a density in pixels per meter, horizontal and vertical.
    #[must_use]
    pub const fn per_meter(x: u32, y: u32) -> Self {
        Density {
            x,
            y,
            per_meter: true,
        }
    }

    /// Returns the proportions of a pixel: `x` pixels in a row are as long as
    /// `y` pixels in a column.
    #[must_use]
    pub const fn unitless(x: u32, y: u32) -> Self {
        Density {
            x,
            y,
            per_meter: false,
        }
    }

    /// Returns the density of square pixels at `dpi` pixels per inch, rounded
    /// to whole pixels per meter.
    #[must_use]
    pub fn from_dpi(dpi: f64) -> Self {
        let per_meter = (dpi / 0.0254).round() as u32;
        Density::per_meter(per_meter, per_meter)
    }

    /// Returns the horizontal and the vertical pixels per inch, or `None` if the
    /// unit is unknown.
    #[must_use]
    pub fn dpi(self) -> Option<(f64, f64)> {
        let dpi = |per_meter: u32| f64::from(per_meter) * 0.0254;
        self.per_meter.then(|| (dpi(self.x), dpi(self.y)))
    }

    pub(super) fn write(self) -> Result<ShortData, Reason> {
        let mut data = color::write_numbers(&[self.x, self.y])?;
        data.extend([self.per_meter.into()]);
        Ok(data)
    }

    pub(super) fn parse(data: &[u8]) -> Result<Self, Reason> {
        let ([x, y], [unit]) = color::parse_numbers(data)?;
        let per_meter = match unit {
            0 => false,
            1 => true,
            _ => return Err("unit must be 0 or 1"),
        };
        Ok(Density { x, y, per_meter })
    }
}

/// Converts a time of the system, in whole seconds. Times before the year 0 and
/// after the year 65535 become the first and the last time that PNG can hold.
impl From<SystemTime> for Time {
    fn from(time: SystemTime) -> Self {
        let seconds = match time.duration_since(UNIX_EPOCH) {
            Ok(since) => i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
            Err(before) => {
                let before = before.duration();
                let whole = i64::try_from(before.as_secs()).unwrap_or(i64::MAX);
                -whole - i64::from(before.subsec_nanos() > 0)
            }
        };
        // From 0000-01-01 to the end of 65535-12-31, in the Gregorian calendar.
        let seconds = seconds.clamp(-62_167_219_200, 2_005_949_145_599);
        let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));

        // Eras of 400 years have 146,097 days. Years begin with March, so that
        // the leap day is the last day of a year.
        let days = days + 719_468; // since 0000-03-01
        let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
        let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
        let day = day - (365 * year + year / 4 - year / 100);
        let month = (5 * day + 2) / 153; // 0 is March
        let day = day - (153 * month + 2) / 5 + 1;
        let month = if month < 10 { month + 3 } else { month - 9 };
        let year = 400 * era + year + i64::from(month <= 2);
        Time {
            year: year as u16,
            month: month as u8,
            day: day as u8,
            hour: (second / 3_600) as u8,
            minute: (second / 60 % 60) as u8,
            second: (second % 60) as u8,
        }
    }
}

impl Background {
    /// Returns the data of the chunk. `entries` is the number of palette
    /// entries.
    pub(super) fn write(self, png: PngFormat, entries: usize) -> Result<ShortData, Reason> {
        match (self, png.color) {
            (Background::Gray(gray), ColorType::Grayscale | ColorType::GrayscaleAlpha) => {
                write_samples(&[gray], png.depth)
            }
            (Background::Rgb(rgb), ColorType::Rgb | ColorType::Rgba) => {
                write_samples(&rgb, png.depth)
            }
            (Background::Index(index), ColorType::Indexed) => {
                if usize::from(index) >= entries {
                    return Err("background index is beyond the palette");
                }
                Ok(ShortData::new([index]))
            }
            _ => Err("background must match the color type of the file: Gray, Rgb or Index"),
        }
    }

    pub(super) fn parse(data: &[u8], file: &FileFormat) -> Result<Self, Reason> {
        let background = match (file.png.color, data) {
            (ColorType::Grayscale | ColorType::GrayscaleAlpha, &[a, b]) => {
                Background::Gray(u16::from_be_bytes([a, b]))
            }
            (ColorType::Rgb | ColorType::Rgba, &[a, b, c, d, e, f]) => {
                Background::Rgb([[a, b], [c, d], [e, f]].map(u16::from_be_bytes))
            }
            (ColorType::Indexed, &[index]) => Background::Index(index),
            (ColorType::Grayscale | ColorType::GrayscaleAlpha, _) => return Err(wrong_length(2)),
            (ColorType::Rgb | ColorType::Rgba, _) => return Err(wrong_length(6)),
            (ColorType::Indexed, _) => return Err(wrong_length(1)),
        };
        background.write(file.png, palette_entries(file))?;
        Ok(background)
    }
}

impl Time {
    /// Returns the current time. Does not exist on `wasm32-unknown-unknown`, which has
    /// no clock.
    ///
    /// # Examples
    ///
    /// ```
    /// use pixview::Metadata;
    /// use pixview::metadata::Time;
    ///
    /// let mut metadata = Metadata::default();
    /// metadata.time = Some(Time::now());
    /// ```
    #[must_use]
    #[cfg(not(all(target_family = "wasm", target_os = "unknown")))]
    pub fn now() -> Self {
        SystemTime::now().into()
    }

    pub(super) fn write(self) -> Result<ShortData, Reason> {
        let mut data = ShortData::new(self.year.to_be_bytes());
        data.extend([self.month, self.day, self.hour, self.minute, self.second]);
        Time::parse(data.bytes())?;
        Ok(data)
    }

    pub(super) fn parse(data: &[u8]) -> Result<Self, Reason> {
        let &[high, low, month, day, hour, minute, second] = data else {
            return Err(wrong_length(7));
        };
        if !(1..=12).contains(&month) {
            return Err("month must be from 1 to 12");
        }
        if !(1..=31).contains(&day) {
            return Err("day must be from 1 to 31");
        }
        if hour > 23 || minute > 59 || second > 60 {
            return Err("time must be from 00:00:00 to 23:59:60");
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
fn palette_entries(file: &FileFormat) -> usize {
    file.palette.as_ref().map_or(0, |p| p.colors().len())
}

/// Returns samples as two bytes each. They must fit `depth` bits.
fn write_samples(samples: &[u16], depth: u8) -> Result<ShortData, Reason> {
    let mut data = ShortData::default();
    for &sample in samples {
        if sample > u16::MAX >> (16 - depth.min(16)) {
            return Err("sample does not fit the bit depth of the file");
        }
        data.extend(sample.to_be_bytes());
    }
    Ok(data)
}

/// Returns the data of tRNS for a file without alpha and palette. Returns `None`
/// for a file with alpha, whose pixels hold the transparency.
pub(super) fn write_transparent(
    [r, g, b]: [u16; 3],
    png: PngFormat,
) -> Result<Option<ShortData>, Reason> {
    match png.color {
        ColorType::Grayscale if r == g && g == b => write_samples(&[r], png.depth).map(Some),
        ColorType::Grayscale => {
            Err("transparent color of a gray file must have three equal samples")
        }
        ColorType::Rgb => write_samples(&[r, g, b], png.depth).map(Some),
        ColorType::GrayscaleAlpha | ColorType::Rgba => Ok(None),
        ColorType::Indexed => Err("an indexed file has its transparency in the palette"),
    }
}

/// Checks tRNS. Its data was read with the palette, before the metadata.
pub(super) fn check_transparency(data: &[u8], file: &FileFormat) -> Result<(), Reason> {
    let (entries, png) = (palette_entries(file), file.png);
    let found = match (png.color, data) {
        (ColorType::Indexed, _) if (1..=entries).contains(&data.len()) => return Ok(()),
        (ColorType::Indexed, [_, ..]) => {
            return Err("chunk has more entries than the palette: extra entries ignored");
        }
        (ColorType::Grayscale, &[a, b]) => [u16::from_be_bytes([a, b]); 3],
        (ColorType::Rgb, &[a, b, c, d, e, f]) => [[a, b], [c, d], [e, f]].map(u16::from_be_bytes),
        (ColorType::GrayscaleAlpha | ColorType::Rgba, _) => {
            return Err("file with an alpha channel must not have tRNS");
        }
        (ColorType::Indexed, []) => return Err("chunk must have at least 1 byte of data"),
        (ColorType::Grayscale, _) => return Err(wrong_length(2)),
        (ColorType::Rgb, _) => return Err(wrong_length(6)),
    };
    write_transparent(found, png)
        .map(|_| ())
        .map_err(|_| "sample does not fit the bit depth of the file: high bits ignored")
}

/// Returns the number of channels in sBIT, and their sample depth. An indexed
/// file counts as RGB of 8 bits.
fn sample_depths(png: PngFormat) -> (usize, u8) {
    match png.color {
        ColorType::Grayscale => (1, png.depth),
        ColorType::GrayscaleAlpha => (2, png.depth),
        ColorType::Rgb => (3, png.depth),
        ColorType::Rgba => (4, png.depth),
        ColorType::Indexed => (3, 8),
    }
}

/// Returns the data of sBIT. `keyed` says that the metadata has a transparent
/// color. If the image has alpha as well, `bits` may lack the number for alpha;
/// then alpha gets one significant bit.
pub(super) fn write_significant_bits(
    bits: &[u8],
    png: PngFormat,
    keyed: bool,
) -> Result<ShortData, Reason> {
    let (channels, depth) = sample_depths(png);
    let has_alpha = matches!(png.color, ColorType::GrayscaleAlpha | ColorType::Rgba);
    let lacks_alpha = keyed && has_alpha && bits.len() + 1 == channels;
    if bits.len() != channels && !lacks_alpha {
        return Err("significant bits must have one number per channel, three for an indexed file");
    }
    if bits.iter().any(|&bits| bits == 0 || bits > depth) {
        return Err("significant bits must be from 1 to the bit depth, 8 for an indexed file");
    }
    let mut data = ShortData::default();
    for &bits in bits {
        data.extend([bits]);
    }
    if lacks_alpha {
        data.extend([1]);
    }
    Ok(data)
}

/// Checks that Exif data begins with a TIFF header: a byte order and 42.
pub(super) fn check_exif(exif: &[u8]) -> Result<(), Reason> {
    match exif {
        [b'I', b'I', 42, 0, ..] | [b'M', b'M', 0, 42, ..] => Ok(()),
        _ => Err("Exif data must begin with II*\\0 or MM\\0*"),
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::Time;

    #[test]
    fn times_of_the_system() {
        let at = |seconds: i64| {
            let distance = Duration::from_secs(seconds.unsigned_abs());
            let time = if seconds < 0 {
                UNIX_EPOCH - distance
            } else {
                UNIX_EPOCH + distance
            };
            let Time {
                year,
                month,
                day,
                hour,
                minute,
                second,
            } = Time::from(time);
            format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
        };
        for (seconds, expected) in [
            (0, "1970-01-01 00:00:00"),
            (-1, "1969-12-31 23:59:59"),
            (951_782_400, "2000-02-29 00:00:00"),
            (951_868_799, "2000-02-29 23:59:59"),
            (951_868_800, "2000-03-01 00:00:00"),
            (1_709_164_800, "2024-02-29 00:00:00"),
            (4_107_542_400, "2100-03-01 00:00:00"),
            (1_795_696_330, "2026-11-26 12:32:10"),
            (-62_167_219_200, "0000-01-01 00:00:00"),
            (-70_000_000_000, "0000-01-01 00:00:00"),
            (2_005_949_145_599, "65535-12-31 23:59:59"),
            (3_000_000_000_000, "65535-12-31 23:59:59"),
        ] {
            assert_eq!(at(seconds), expected);
        }
    }
}
