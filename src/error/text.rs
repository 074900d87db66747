//! Texts of errors that depend on the numbers.

#[cfg(doc)]
use super::ErrorKind;
use crate::{Channel, PixelFormat};

/// Returns the text of [`ErrorKind::Torn`].
pub(super) fn torn(copies: u32) -> String {
    if copies == 0 {
        return "an edit of the source did not end within a second".to_owned();
    }
    let copies = match copies {
        1 => "the copy of its pixels".to_owned(),
        copies => format!("each of {copies} copies of its pixels"),
    };
    format!(
        "the source was edited during {copies}; Consistency::Hold without reduce saves it all the same"
    )
}

/// Returns the text of [`ErrorKind::BufferLength`]: the numbers, and a hint if
/// they suggest a likely mistake.
pub(super) fn buffer_length(
    needed: u64,
    given: u64,
    element_size: usize,
    width: u32,
    height: u32,
    format: PixelFormat,
) -> String {
    let numbers =
        format!("{width}x{height} pixels of {format} have {needed} bytes, the buffer has {given}");
    // A literal without a type is an `i32` or an `f64`, so `vec![0; n]` has the right
    // number of elements, each too large.
    let (size, elements) = (format.alignment(), given / (element_size as u64).max(1));
    let is_default = matches!(element_size, 4 | 8);
    if is_default && element_size > size && needed / size as u64 == elements {
        let element = format.element_type();
        return format!(
            "{numbers}: its {elements} elements have {element_size} bytes each, not {size}; is vec![0{element}; n] meant, or another format?"
        );
    }
    let pixels = u64::from(width) * u64::from(height);
    let bits = format.bits_per_pixel() as u64;
    // In bits, so that formats of less than a byte are compared as well.
    let given_bits = given.saturating_mul(8);
    if given_bits.is_multiple_of(pixels) && (1..=256).contains(&(given_bits / pixels)) {
        let found = given_bits / pixels;
        return if bits.is_multiple_of(8) && found.is_multiple_of(8) {
            let (found, bytes) = (count(found / 8, "byte"), bits / 8);
            format!("{numbers}: that is {found} a pixel, not {bytes}; is the format right?")
        } else {
            let found = count(found, "bit");
            format!("{numbers}: that is {found} a pixel, not {bits}; is the format right?")
        };
    }
    if given > needed && height > 1 && given.is_multiple_of(height.into()) {
        let (row, found) = (format.row_size(width), given / u64::from(height));
        return format!(
            "{numbers}: that is {} a row, not {row}; for padded rows use Image::with_layout",
            count(found, "byte")
        );
    }
    if given > needed {
        format!("{numbers}; for padded rows or a longer buffer use Image::with_layout")
    } else {
        numbers
    }
}

/// Returns the text of [`ErrorKind::NoChannel`].
pub(super) fn no_channel(channel: Channel, format: PixelFormat) -> String {
    let channels: Vec<String> = format
        .channel_names()
        .map(|name| name.to_string())
        .collect();
    let part = if format.channel_names().any(|name| name == channel) {
        let part = if format.has_bit_fields() {
            "is a part of a word"
        } else {
            "is multiplied by alpha"
        };
        format!("{channel} of {format} {part}")
    } else if channels.is_empty() {
        let content = if format.is_indexed() {
            "indices"
        } else {
            "inks"
        };
        format!("{format} has no {channel} channel, only {content}")
    } else {
        return format!(
            "{format} has no {channel} channel, only {}",
            list(&channels, "and")
        );
    };
    format!("{part}: convert the image with Image::to_vec_as first")
}

/// Returns a number with its unit, such as "1 byte" and "2 bytes".
pub(super) fn count(number: u64, unit: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {unit}{plural}")
}

/// Returns a list such as "1, 2 or 4".
pub(super) fn alternatives(numbers: &[u8]) -> String {
    let numbers: Vec<String> = numbers.iter().map(u8::to_string).collect();
    list(&numbers, "or")
}

/// Returns the items with commas between them, and the word before the last one.
fn list(items: &[String], word: &str) -> String {
    match items.split_last() {
        Some((last, others)) if !others.is_empty() => {
            format!("{} {word} {last}", others.join(", "))
        }
        _ => items.concat(),
    }
}
