//! What a file says before its pixels, and where it goes wrong.

use super::file_format::FileFormat;
use super::tap::{Failure, Shared};
use crate::format::PngFormat;
use crate::{Error, ErrorKind, Palette};
use png::ColorType;

/// The most bytes of chunks that say something beside the pixels.
pub(super) const MAX_CHUNKS: u64 = 1 << 26;

pub(super) fn png_type(info: &png::Info<'_>) -> PngFormat {
    let color = match info.color_type {
        png::ColorType::Grayscale => ColorType::Grayscale,
        png::ColorType::GrayscaleAlpha => ColorType::GrayscaleAlpha,
        png::ColorType::Rgb => ColorType::Rgb,
        png::ColorType::Rgba => ColorType::Rgba,
        png::ColorType::Indexed => ColorType::Indexed,
    };
    let depth = info.bit_depth as u8;
    PngFormat { color, depth }
}

pub(super) fn file_type(info: &png::Info<'_>, scan: &Shared) -> Result<FileFormat, Error> {
    let png = png_type(info);
    let PngFormat { color, depth } = png;
    let scan = scan.lock();
    let trns = scan.chunks().iter().find(|chunk| chunk.name == *b"tRNS");
    let trns = trns.map_or(&[][..], |chunk| &chunk.data);
    let palette = match (color, &info.palette) {
        (ColorType::Indexed, Some(rgb)) => {
            // No more than indices can name (PNG third edition, 11.2.2).
            let rgb = rgb.as_chunks::<3>().0.iter().take(1 << depth);
            let alphas = trns.iter().copied().chain(std::iter::repeat(u8::MAX));
            let colors = rgb.zip(alphas).map(|(&[r, g, b], alpha)| [r, g, b, alpha]);
            Palette::from_rgba(&colors.collect::<Vec<_>>()).ok()
        }
        _ => None,
    };
    if color == ColorType::Indexed && palette.is_none() {
        return Err(ErrorKind::Decode {
            chunk: "PLTE".to_owned(),
            offset: scan.place().1,
            source: "an indexed image without a palette".into(),
        }
        .into());
    }
    // Of 16 bits each, of which the depth says how many count.
    let sample =
        |at: usize| u16::from_be_bytes([trns[at], trns[at + 1]]) & (u16::MAX >> (16 - depth));
    let transparent = match (color, trns.len()) {
        (ColorType::Grayscale, 2..) => Some([sample(0); 3]),
        (ColorType::Rgb, 6..) => Some([sample(0), sample(2), sample(4)]),
        _ => None,
    };
    Ok(FileFormat {
        png,
        palette,
        transparent,
    })
}

/// The `png` crate's own limit for what it holds besides the pixels, with room
/// for a few rows of this size on top. It would abort if they couldn't be had,
/// so that is found out before.
pub(super) fn limits(row_size: u64, max_bytes: u64) -> Result<png::Limits, Error> {
    let rows = row_size.saturating_mul(4);
    if rows > max_bytes {
        return Err(ErrorKind::LimitExceeded {
            what: "bytes",
            needed: rows,
            limit: max_bytes,
        }
        .into());
    }
    let no_memory = ErrorKind::OutOfMemory { bytes: rows };
    // The crate counts a row for each frame and never less.
    let mut limits = png::Limits::default();
    let allowed = usize::try_from(max_bytes).unwrap_or(usize::MAX);
    limits.bytes = limits.bytes.max(allowed);
    match usize::try_from(rows) {
        Ok(rows) if Vec::<u8>::new().try_reserve_exact(rows).is_ok() => {
            limits.bytes = limits.bytes.saturating_add(rows);
            Ok(limits)
        }
        _ => Err(no_memory.into()),
    }
}

pub(super) fn decode_error(error: png::DecodingError, scan: &Shared) -> Error {
    let mut scan = scan.lock();
    match scan.take_failure() {
        Some(Failure::Read(error)) => return ErrorKind::Read(error).into(),
        Some(Failure::TooLong(needed)) => {
            return ErrorKind::LimitExceeded {
                what: "bytes of chunks",
                needed,
                limit: MAX_CHUNKS,
            }
            .into();
        }
        None => {}
    }
    let (name, offset) = scan.place();
    ErrorKind::Decode {
        chunk: name.map_or_else(String::new, |name| name.escape_ascii().to_string()),
        offset,
        source: Box::new(error),
    }
    .into()
}
