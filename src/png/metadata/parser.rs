//! Parsing: chunks become metadata, within a memory limit.

use super::color::{self, Chromaticities, Cicp, IccProfile, LightLevel, MasteringDisplay};
use super::image::{self, Background, Density, Time, check_exif};
use super::text::{Keyword, Text, is_language_byte};
use super::{Chunk, ChunkError, ChunkFault, Metadata, Reason, RenderingIntent, chunks};
use crate::Error;
use crate::alloc;
use crate::deflate::{self, InflateFailure};
use crate::format::FileFormat;

/// The bytes of an ancillary chunk of a file (PNG third edition, 5.3 and 5.4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::png) struct RawChunk {
    pub(in crate::png) name: [u8; 4],
    pub(in crate::png) data: Vec<u8>,
    /// Whether the chunk comes after the image data.
    pub(in crate::png) after: bool,
    /// The offset in bytes from the start of the file to the chunk.
    pub(in crate::png) offset: u64,
}

/// The maximum number of bytes that metadata may take.
const MAX_BYTES: usize = 1 << 26;

/// The maximum number of faults listed here, besides those of the reader.
const MAX_FAULTS: usize = 4096;

/// While a `Vec` moves to a buffer of twice the size, both together have at most
/// this many times the bytes of its elements.
const GROWTH: usize = 3;

/// The prefix of Exif data in JPEG files.
const JPEG_PREFIX: &[u8] = b"Exif\0\0";

const OVER_LIMIT: Reason = "chunk exceeds the memory limit: see PngDecoder::max_bytes";

/// The state of a parse.
pub(super) struct Parser<'a> {
    file: &'a FileFormat,
    /// The number of bytes that may still be allocated.
    left: usize,
    /// The first correction of the current chunk.
    corrected: Option<Reason>,
    /// Whether a tRNS chunk was seen.
    has_transparency: bool,
}

impl Metadata {
    /// Parses `raw`, the chunks in the order of the file. `skipped` has the
    /// faults of chunks that are not in `raw`.
    ///
    /// Allocates at most [`MAX_BYTES`] and at most `room` bytes, not counting the
    /// list of faults and the state of the inflater.
    ///
    /// # Errors
    ///
    /// If `strict`, the first chunk that breaks a rule. An allocation that fails.
    pub(in crate::png) fn parse(
        raw: &[RawChunk],
        skipped: &[ChunkFault],
        file: &FileFormat,
        room: u64,
        strict: bool,
    ) -> Result<Metadata, Error> {
        let mut parser = Parser {
            file,
            left: usize::try_from(room).map_or(MAX_BYTES, |room| room.min(MAX_BYTES)),
            corrected: None,
            has_transparency: false,
        };
        let mut metadata = Metadata {
            transparent: file.transparent,
            faults: alloc::with_capacity(skipped.len())?,
            ..Metadata::default()
        };
        metadata.faults.extend_from_slice(skipped);
        let faults = MAX_FAULTS + skipped.len();
        for chunk in raw {
            let left = parser.left;
            let reason = match metadata.add(chunk, &mut parser) {
                Ok(()) => parser.corrected.take(),
                Err(ChunkError::Invalid(reason)) => {
                    parser.left = left;
                    parser.corrected = None;
                    Some(reason)
                }
                Err(ChunkError::NoMemory(error)) => return Err(error.into()),
            };
            let Some(reason) = reason else {
                continue;
            };
            let fault = ChunkFault {
                name: chunk.name,
                offset: chunk.offset,
                reason,
            };
            if strict {
                return Err(fault.into());
            }
            if metadata.faults.len() < faults {
                alloc::push(&mut metadata.faults, fault)?;
            }
        }
        metadata.faults.sort_unstable_by_key(|fault| fault.offset);
        Ok(metadata)
    }

    /// Adds the field of one chunk.
    fn add(&mut self, chunk: &RawChunk, parser: &mut Parser<'_>) -> Result<(), ChunkError> {
        let (data, png) = (&chunk.data[..], parser.file.png);
        let anywhere = matches!(&chunk.name, b"tEXt" | b"zTXt" | b"iTXt" | b"tIME" | b"eXIf");
        if chunk.after && !anywhere && chunks::is_reserved(chunk.name) {
            return Err("chunk must come before the image data (5.6)".into());
        }
        match &chunk.name {
            b"tEXt" | b"zTXt" | b"iTXt" => {
                let text = Text::parse(chunk.name, data, parser)?;
                parser.push(&mut self.text, text)
            }
            b"pHYs" => set(&mut self.density, || Ok(Density::parse(data)?)),
            b"gAMA" => set(&mut self.gamma, || Ok(color::parse_gamma(data)?)),
            b"cHRM" => set(&mut self.chromaticities, || {
                Ok(Chromaticities::parse(data)?)
            }),
            b"sRGB" | b"iCCP" if self.srgb.is_some() || self.icc.is_some() => {
                Err("file has an earlier sRGB or iCCP: the first one is used".into())
            }
            b"sRGB" => set(&mut self.srgb, || Ok(RenderingIntent::parse(data)?)),
            b"iCCP" => set(&mut self.icc, || IccProfile::parse(data, parser)),
            b"cICP" => set(&mut self.cicp, || Ok(Cicp::parse(data)?)),
            b"mDCV" => set(&mut self.mastering_display, || {
                Ok(MasteringDisplay::parse(data)?)
            }),
            b"cLLI" => set(&mut self.light_level, || Ok(LightLevel::parse(data)?)),
            b"eXIf" => set(&mut self.exif, || parser.exif(data)),
            b"sBIT" => set(&mut self.significant_bits, || {
                image::write_significant_bits(data, png, false)?;
                parser.copy(data)
            }),
            b"bKGD" => set(&mut self.background, || {
                Ok(Background::parse(data, parser.file)?)
            }),
            b"tIME" => set(&mut self.time, || Ok(Time::parse(data)?)),
            b"tRNS" => {
                // Its data was read with the palette.
                if std::mem::replace(&mut parser.has_transparency, true) {
                    return Err(DUPLICATE.into());
                }
                Ok(image::check_transparency(data, parser.file)?)
            }
            _ => {
                chunks::check_name(chunk.name)?;
                let chunk = Chunk {
                    name: chunk.name,
                    data: parser.copy(data)?,
                    after_image_data: chunk.after,
                };
                parser.push(&mut self.chunks, chunk)
            }
        }
    }
}

/// The first of two chunks is used, as in libpng.
const DUPLICATE: Reason = "chunk is a duplicate: the first one is used";

/// Sets a field that only one chunk may fill.
fn set<T>(
    field: &mut Option<T>,
    parse: impl FnOnce() -> Result<T, ChunkError>,
) -> Result<(), ChunkError> {
    if field.is_some() {
        return Err(DUPLICATE.into());
    }
    *field = Some(parse()?);
    Ok(())
}

impl Parser<'_> {
    /// Records a correction of the current chunk.
    pub(super) fn correct(&mut self, reason: Reason) {
        self.corrected.get_or_insert(reason);
    }

    /// Counts an allocation against the limit.
    fn take(&mut self, bytes: usize) -> Result<(), Reason> {
        self.left = self.left.checked_sub(bytes).ok_or(OVER_LIMIT)?;
        Ok(())
    }

    fn push<T>(&mut self, to: &mut Vec<T>, value: T) -> Result<(), ChunkError> {
        self.take(GROWTH * size_of::<T>())?;
        Ok(alloc::push(to, value)?)
    }

    fn copy(&mut self, data: &[u8]) -> Result<Vec<u8>, ChunkError> {
        self.take(data.len())?;
        Ok(alloc::joined(&[data])?)
    }

    /// Decompresses a zlib stream within the limit.
    pub(super) fn inflate(&mut self, data: &[u8]) -> Result<Vec<u8>, ChunkError> {
        match deflate::inflate(data, self.left) {
            Ok(inflated) => {
                self.take(inflated.len())?;
                Ok(inflated)
            }
            Err(InflateFailure::Damaged) => Err("compressed data is damaged".into()),
            Err(InflateFailure::TooLong) => Err(OVER_LIMIT.into()),
            Err(InflateFailure::NoMemory(error)) => Err(error.into()),
        }
    }

    /// Returns Exif data without the prefix that it has in JPEG files. libpng
    /// leaves such a chunk out. Pillow and `ExifTool` read it without the prefix.
    fn exif(&mut self, data: &[u8]) -> Result<Vec<u8>, ChunkError> {
        let exif = data.strip_prefix(JPEG_PREFIX).unwrap_or(data);
        check_exif(exif)?;
        if exif.len() < data.len() {
            self.correct("Exif data begins with the prefix of JPEG files: prefix removed");
        }
        self.copy(exif)
    }

    /// Returns a keyword, corrected.
    pub(super) fn keyword(&mut self, data: &[u8]) -> Result<String, ChunkError> {
        let (keyword, was_valid) = Keyword::corrected(data)?;
        if !was_valid {
            self.correct("keyword has invalid spaces or characters: corrected");
        }
        self.latin1_to_string(keyword.bytes())
    }

    /// Returns a language, corrected.
    pub(super) fn language(&mut self, data: &[u8]) -> Result<String, ChunkError> {
        let mut language = self.copy(data)?;
        for byte in &mut language {
            if !is_language_byte(*byte) {
                *byte = b'-';
                self.correct("language has invalid characters: replaced by hyphens");
            }
        }
        string(language)
    }

    /// Returns a text of Latin-1 up to its first NUL.
    pub(super) fn latin1(&mut self, data: &[u8]) -> Result<String, ChunkError> {
        let text = &data[..self.end_of_text(data)];
        self.latin1_to_string(text)
    }

    /// Returns a text of UTF-8 up to its first NUL.
    pub(super) fn utf8(&mut self, data: &[u8]) -> Result<String, ChunkError> {
        let text = &data[..self.end_of_text(data)];
        string(self.copy(text)?)
    }

    /// Returns a compressed text of UTF-8 up to its first NUL.
    pub(super) fn inflate_utf8(&mut self, data: &[u8]) -> Result<String, ChunkError> {
        let mut text = self.inflate(data)?;
        text.truncate(self.end_of_text(&text));
        string(text)
    }

    /// Returns a compressed text of Latin-1 up to its first NUL.
    pub(super) fn inflate_latin1(&mut self, data: &[u8]) -> Result<String, ChunkError> {
        let mut text = self.inflate(data)?;
        text.truncate(self.end_of_text(&text));
        if text.is_ascii() {
            return string(text);
        }
        let result = self.latin1_to_string(&text);
        self.left += text.capacity();
        result
    }

    /// Returns the number of bytes before the first NUL, where libpng ends a text
    /// as well.
    fn end_of_text(&mut self, text: &[u8]) -> usize {
        let end = text.iter().position(|&byte| byte == 0);
        if end.is_some() {
            self.correct("text contains NUL: truncated there");
        }
        end.unwrap_or(text.len())
    }

    /// Converts Latin-1 to UTF-8.
    fn latin1_to_string(&mut self, text: &[u8]) -> Result<String, ChunkError> {
        // Characters from 128 to 255 have two bytes in UTF-8.
        let high = text.iter().filter(|byte| !byte.is_ascii()).count();
        let len = text.len() + high;
        self.take(len)?;
        // A `String` made of an empty `Vec` keeps the capacity.
        let mut result = string(alloc::with_capacity(len)?)?;
        result.extend(text.iter().map(|&byte| char::from(byte)));
        Ok(result)
    }
}

fn string(bytes: Vec<u8>) -> Result<String, ChunkError> {
    String::from_utf8(bytes).map_err(|_| "text is not valid UTF-8".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use png::ColorType;

    use crate::format::PngFormat;

    fn parse(chunks: &[([u8; 4], &[u8])], strict: bool) -> Result<Metadata, Error> {
        let raw: Vec<RawChunk> = (1..)
            .zip(chunks)
            .map(|(i, (name, data))| RawChunk {
                name: *name,
                data: data.to_vec(),
                after: false,
                offset: 100 * i,
            })
            .collect();
        let file = FileFormat {
            png: PngFormat {
                color: ColorType::Rgb,
                depth: 8,
            },
            palette: None,
            transparent: None,
        };
        let skipped = ChunkFault {
            name: *b"prVt",
            offset: 150,
            reason: "skipped",
        };
        Metadata::parse(&raw, &[skipped], &file, 1 << 20, strict)
    }

    /// A fault that a lenient parse lists is an error of a strict parse.
    #[test]
    fn strict() {
        let sound = (*b"tEXt", &b"k\0x"[..]);
        for (odd, reason) in [
            (
                (*b"cICP", &[1, 13, 1, 1][..]),
                "matrix coefficients must be 0",
            ),
            ((*b"tEXt", b"k\0x\0"), "text contains NUL: truncated there"),
            ((*b"tEXt", b""), "keyword must be 1 to 79 bytes, not 0"),
        ] {
            let chunks = [sound, odd, sound];
            let metadata = parse(&chunks, false).unwrap();
            let faults: Vec<_> = metadata.faults.iter().map(ToString::to_string).collect();
            let name = odd.0.escape_ascii();
            let listed = format!("chunk {name} at byte 200: {reason}");
            assert_eq!(faults, ["chunk prVt at byte 150: skipped", &listed]);
            let error = parse(&chunks, true).unwrap_err();
            let expected = format!("could not decode the PNG: chunk {name} at byte 200: {reason}");
            assert_eq!(error.to_string(), expected);
        }
        assert_eq!(parse(&[sound], true).unwrap().text.len(), 1);
    }
}
