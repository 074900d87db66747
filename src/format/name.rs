//! The text of a pixel format, printed and parsed: its name and its options.

use std::fmt;
use std::str::FromStr;

use super::PixelFormat;
use super::value_map::ValueMap;
use crate::{Error, ErrorKind};

/// Prints the name of the constant, followed by the options that were set. The text
/// can be parsed, and gives the same format.
///
/// # Examples
///
/// ```
/// use pixview::PixelFormat;
///
/// assert_eq!(PixelFormat::BGRX8.to_string(), "BGRX8");
/// assert_eq!(
///     PixelFormat::GRAY_F32.with_range(-40.0, 60.0).to_string(),
///     "GRAY_F32 from -40 to 60",
/// );
/// ```
impl fmt::Display for PixelFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.premultiplied && self.value_map == ValueMap::DEFAULT {
            return f.pad(self.name());
        }
        let premultiplied = if self.premultiplied {
            " premultiplied"
        } else {
            ""
        };
        f.pad(&format!("{}{premultiplied}{}", self.name(), self.value_map))
    }
}

impl fmt::Debug for PixelFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Parses the name of a constant or of an alias, in capital letters, followed by
/// options as [`Display`](fmt::Display) prints them, in any order. The values of
/// the options are checked later, when an image is created.
///
/// # Errors
///
/// - [`ErrorKind::UnknownFormat`] if no format has this name. The error suggests
///   the most similar name;
/// - [`ErrorKind::UnknownOption`] if text after the name is not an option.
///
/// # Examples
///
/// ```
/// use pixview::PixelFormat;
///
/// let format: PixelFormat = "BGRX8".parse()?;
/// assert_eq!(format, PixelFormat::BGRX8);
/// let format: PixelFormat = "GRAY16 of 12 significant bits".parse()?;
/// assert_eq!(format, PixelFormat::GRAY16.with_significant_bits(12));
///
/// let error = "bgrx".parse::<PixelFormat>().unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "unknown pixel format \"bgrx\", did you mean BGRX8?",
/// );
/// # Ok::<(), pixview::Error>(())
/// ```
impl FromStr for PixelFormat {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let (&name, mut options) = words.split_first().unwrap_or((&"", &[]));
        let mut format = names()
            .find_map(|(known, format)| (known == name).then_some(format))
            .ok_or_else(|| ErrorKind::UnknownFormat {
                name: name.to_owned(),
                nearest: nearest(name),
            })?;
        while !options.is_empty() {
            let Some((with_option, rest)) = parse_option(format, options) else {
                let option = options.join(" ");
                return Err(ErrorKind::UnknownOption { option, format }.into());
            };
            (format, options) = (with_option, rest);
        }
        Ok(format)
    }
}

/// Parses the option at the start of the words. Returns the format with this
/// option, and the words behind the option.
fn parse_option<'w, 't>(
    format: PixelFormat,
    words: &'w [&'t str],
) -> Option<(PixelFormat, &'w [&'t str])> {
    Some(match words {
        ["premultiplied", rest @ ..] => (format.premultiplied(), rest),
        ["linear", rest @ ..] => (format.linear(), rest),
        ["inverted", rest @ ..] => (format.inverted(), rest),
        ["of", bits, "significant", "bits", rest @ ..] => {
            (format.with_significant_bits(bits.parse().ok()?), rest)
        }
        ["from", black, "to", white, rest @ ..] => {
            let (black, white) = (black.parse().ok()?, white.parse().ok()?);
            (format.with_range(black, white), rest)
        }
        ["saved", "with", depth, "bits", rest @ ..] => {
            (format.with_bit_depth(depth.parse().ok()?), rest)
        }
        _ => return None,
    })
}

/// Returns the names of all formats without options, the aliases last.
fn names() -> impl Iterator<Item = (&'static str, PixelFormat)> {
    let all = PixelFormat::ALL.iter();
    all.map(|format| (format.name(), *format))
        .chain(PixelFormat::ALIASES.iter().copied())
}

/// Returns the name that is the fewest edits away from `given`, if there are fewer
/// edits than `given` has bytes. Ignores case.
fn nearest(given: &str) -> Option<&'static str> {
    // No name is longer. The limit also bounds the time and the memory.
    if given.len() > 24 {
        return None;
    }
    let given = given.to_ascii_uppercase();
    let (edits, name) = names()
        .map(|(name, _)| (edits(given.as_bytes(), name.as_bytes()), name))
        .min_by_key(|&(edits, _)| edits)?;
    (edits < given.len()).then_some(name)
}

/// Returns the number of bytes to insert or delete to turn `a` into `b`.
fn edits(a: &[u8], b: &[u8]) -> usize {
    // The edits that turn the first `i` bytes of `a` into each prefix of `b`.
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = i;
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let above = row[j + 1];
            row[j + 1] = if x == y {
                diagonal
            } else {
                above.min(row[j]) + 1
            };
            diagonal = above;
        }
    }
    row[b.len()]
}
