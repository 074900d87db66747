//! What a file says before its pixels.

use png::ColorType;
use std::io::BufRead;

use super::chunk_reader::ChunkReader;
use crate::format::PngFormat;
use crate::png::file_format::FileFormat;
use crate::{Error, ErrorKind, Palette};

/// `IHDR` (PNG third edition, 11.2.1).
#[derive(Clone, Copy)]
pub(super) struct Header {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) png: PngFormat,
    pub(super) interlaced: bool,
    /// The chunk's data.
    pub(super) bytes: [u8; 13],
}

impl Header {
    /// Reads the first chunk of a file.
    pub(super) fn read<R: BufRead>(from: &mut ChunkReader<R>) -> Result<Self, Error> {
        let header = from.enter()?;
        if header.name != *b"IHDR" {
            return Err(from.error("the first chunk has to be IHDR"));
        }
        if header.length != 13 {
            return Err(from.error("it has 13 bytes"));
        }
        let mut bytes = [0; 13];
        from.data(&mut bytes)?;
        from.end_critical()?;
        Header::parse(bytes).map_err(|what| from.error(what))
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
            return Err("width and height are from 1 to 2^31-1");
        }
        let (color, depths): (_, &[u8]) = match color {
            0 => (ColorType::Grayscale, &[1, 2, 4, 8, 16]),
            2 => (ColorType::Rgb, &[8, 16]),
            3 => (ColorType::Indexed, &[1, 2, 4, 8]),
            4 => (ColorType::GrayscaleAlpha, &[8, 16]),
            6 => (ColorType::Rgba, &[8, 16]),
            _ => return Err("there is no such color type"),
        };
        if !depths.contains(&depth) {
            return Err("the color type does not have this bit depth");
        }
        if compression != 0 || filter != 0 {
            return Err("there is no such compression or filter method");
        }
        if interlace > 1 {
            return Err("there is no such interlace method");
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

/// Reads `PLTE`: red, green and blue of up to 256 colors (11.2.2).
pub(super) fn read_palette<R: BufRead>(
    length: u32,
    from: &mut ChunkReader<R>,
) -> Result<Vec<u8>, Error> {
    if !(3..=768).contains(&length) || !length.is_multiple_of(3) {
        return Err(from.error("a palette has 1 to 256 colors of 3 bytes"));
    }
    let mut rgb = vec![0; length as usize];
    from.data(&mut rgb)?;
    from.end_critical()?;
    Ok(rgb)
}

/// The most bytes of `tRNS` (11.3.1.1).
const MAX_TRANSPARENCY: u32 = 256;

/// Whether `tRNS` of this length is one for files of this type.
pub(super) fn is_transparency(png: PngFormat, length: u32) -> bool {
    match png.color {
        ColorType::Grayscale => length == 2,
        ColorType::Rgb => length == 6,
        ColorType::Indexed => (1..=MAX_TRANSPARENCY).contains(&length),
        ColorType::GrayscaleAlpha | ColorType::Rgba => false,
    }
}

/// The meaning of the rows, by the data of `PLTE` and `tRNS`, empty without
/// such a chunk.
pub(super) fn file_type(png: PngFormat, rgb: &[u8], transparency: &[u8]) -> Option<FileFormat> {
    let PngFormat { color, depth } = png;
    let palette = if color == ColorType::Indexed {
        // No more than indices can name (11.2.2).
        let rgb = rgb.as_chunks::<3>().0.iter().take(1 << depth);
        let alphas = transparency.iter().copied();
        let alphas = alphas.chain(std::iter::repeat(u8::MAX));
        let colors = rgb.zip(alphas).map(|(&[r, g, b], alpha)| [r, g, b, alpha]);
        Some(Palette::from_rgba(&colors.collect::<Vec<_>>()).ok()?)
    } else {
        None
    };
    // Of 16 bits each, of which the depth says how many count.
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

/// An error if more bytes are needed than are allowed.
pub(super) fn check_bytes(needed: u64, limit: u64) -> Result<(), Error> {
    if needed <= limit {
        return Ok(());
    }
    let what = "bytes";
    Err(ErrorKind::LimitExceeded {
        what,
        needed,
        limit,
    }
    .into())
}
