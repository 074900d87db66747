//! The header and the palette of a file, and the format of its pixels.

use png::ColorType;
use std::io::Read;

use super::chunk_reader::ChunkReader;
use crate::format::{FileFormat, PngFormat};
use crate::{Error, ErrorKind, Palette};

/// The data of `IHDR` (PNG third edition, 11.2.1).
#[derive(Clone, Copy)]
pub(super) struct Header {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) png: PngFormat,
    pub(super) interlaced: bool,
    /// The bytes of the data.
    pub(super) bytes: [u8; 13],
}

impl Header {
    /// Reads `IHDR`, the first chunk of a file.
    pub(super) fn read<R: Read>(reader: &mut ChunkReader<R>) -> Result<Self, Error> {
        let header = reader.enter()?;
        if header.name != *b"IHDR" {
            return Err(reader.error("the first chunk must be IHDR"));
        }
        if header.length != 13 {
            return Err(reader.error("the chunk must have 13 bytes"));
        }
        let mut bytes = [0; 13];
        reader.data(&mut bytes)?;
        reader.end_critical()?;
        Header::parse(bytes).map_err(|fault| reader.error(fault))
    }

    fn parse(bytes: [u8; 13]) -> Result<Self, &'static str> {
        let [
            a,
            b,
            c,
            d,
            e,
            f,
            g,
            h,
            depth,
            color,
            compression,
            filter,
            interlace,
        ] = bytes;
        let (width, height) = (
            u32::from_be_bytes([a, b, c, d]),
            u32::from_be_bytes([e, f, g, h]),
        );
        let most = i32::MAX as u32;
        if !(1..=most).contains(&width) || !(1..=most).contains(&height) {
            return Err("width and height must be 1 to 2^31-1");
        }
        let (color, depths): (_, &[u8]) = match color {
            0 => (ColorType::Grayscale, &[1, 2, 4, 8, 16]),
            2 => (ColorType::Rgb, &[8, 16]),
            3 => (ColorType::Indexed, &[1, 2, 4, 8]),
            4 => (ColorType::GrayscaleAlpha, &[8, 16]),
            6 => (ColorType::Rgba, &[8, 16]),
            _ => return Err("the color type must be 0, 2, 3, 4 or 6"),
        };
        if !depths.contains(&depth) {
            return Err("the bit depth does not fit the color type");
        }
        if compression != 0 || filter != 0 {
            return Err("the compression method and the filter method must be 0");
        }
        if interlace > 1 {
            return Err("the interlace method must be 0 or 1");
        }
        Ok(Header {
            width,
            height,
            png: PngFormat { color, depth },
            interlaced: interlace == 1,
            bytes,
        })
    }
}

/// Reads `PLTE`: red, green and blue of up to 256 entries (11.2.2).
pub(super) fn read_palette<R: Read>(
    length: u32,
    reader: &mut ChunkReader<R>,
) -> Result<Vec<u8>, Error> {
    if !(3..=768).contains(&length) || !length.is_multiple_of(3) {
        return Err(reader.error("a palette must have 1 to 256 entries of 3 bytes"));
    }
    let mut rgb = vec![0; length as usize];
    reader.data(&mut rgb)?;
    reader.end_critical()?;
    Ok(rgb)
}

/// The largest length of `tRNS` (11.3.1.1).
const MAX_TRANSPARENCY: u32 = 256;

/// Returns whether `tRNS` may have this length in a file of this type.
pub(super) fn is_transparency_length(png: PngFormat, length: u32) -> bool {
    match png.color {
        ColorType::Grayscale => length == 2,
        ColorType::Rgb => length == 6,
        ColorType::Indexed => (1..=MAX_TRANSPARENCY).contains(&length),
        ColorType::GrayscaleAlpha | ColorType::Rgba => false,
    }
}

/// Returns the format of the pixels in the file. `rgb` is the data of `PLTE` and
/// `transparency` that of `tRNS`; each is empty without such a chunk. `None` if
/// pixels are indices and there is no palette.
pub(super) fn file_format(png: PngFormat, rgb: &[u8], transparency: &[u8]) -> Option<FileFormat> {
    let PngFormat { color, depth } = png;
    let palette = if color == ColorType::Indexed {
        // Entries beyond the bit depth cannot be used (11.2.2).
        let rgb = rgb.as_chunks::<3>().0.iter().take(1 << depth);
        let alphas = transparency.iter().copied();
        let alphas = alphas.chain(std::iter::repeat(u8::MAX));
        let colors = rgb.zip(alphas).map(|(&[r, g, b], alpha)| [r, g, b, alpha]);
        Some(Palette::from_rgba(&colors.collect::<Vec<_>>()).ok()?)
    } else {
        None
    };
    // Each sample has 16 bits, of which the low ones are used (11.3.1.1).
    let samples = transparency.as_chunks::<2>().0.iter();
    let mut samples = samples.map(|&bytes| u16::from_be_bytes(bytes) & (u16::MAX >> (16 - depth)));
    let transparent = match color {
        ColorType::Grayscale => samples.next().map(|gray| [gray; 3]),
        ColorType::Rgb => match (samples.next(), samples.next(), samples.next()) {
            (Some(r), Some(g), Some(b)) => Some([r, g, b]),
            _ => None,
        },
        _ => None,
    };
    Some(FileFormat {
        png,
        palette,
        transparent,
    })
}

/// Returns an error if the file needs more than is allowed. `what` is the unit.
pub(super) fn check_limit(what: &'static str, needed: u64, limit: u64) -> Result<(), Error> {
    if needed <= limit {
        return Ok(());
    }
    Err(ErrorKind::LimitExceeded {
        what,
        needed,
        limit,
    }
    .into())
}
