//! Reading: the chunks of a file become fields, within a limit of memory.

use super::color::{self, Chromaticities, Cicp, IccProfile, LightLevel, MasteringDisplay};
use super::image::{self, Background, Density, Time, check_exif};
use super::text::{Keyword, Text, is_of_language};
use super::{Chunk, ChunkFault, Metadata, Refusal, RenderingIntent, Wrong, chunks};
use crate::Error;
use crate::alloc;
use crate::deflate::{self, InflateFailure};
use crate::png::file_format::FileFormat;

/// An ancillary chunk of a file, as its bytes: one that need not be known to
/// show the image (PNG third edition, 5.4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::png) struct RawChunk {
    pub(in crate::png) name: [u8; 4],
    pub(in crate::png) data: Vec<u8>,
    /// Whether the chunk comes after the image data.
    pub(in crate::png) after: bool,
    /// The byte of the file at which the chunk begins.
    pub(in crate::png) offset: u64,
}

/// The most bytes of metadata.
const MOST: usize = 1 << 26;

/// The most chunks that are listed for their data.
const MOST_FAULTS: usize = 4096;

/// A `Vec` that grows has, while it moves, at most three times its elements.
const GROWTH: usize = 3;

/// The prefix of Exif data in JPEG files.
const JPEG_PREFIX: &[u8] = b"Exif\0\0";

const OVER_LIMIT: Wrong = "the chunk takes more memory than is left: see PngDecoder::max_bytes";

/// What chunks are read with.
pub(super) struct Parser<'a> {
    file: &'a FileFormat,
    /// Bytes that may still be allocated.
    left: usize,
    /// The rule that the chunk breaks, if it was corrected.
    corrected: Option<Wrong>,
    has_transparency: bool,
}

impl Metadata {
    /// Reads chunks, in the order in which they are in the file. `skipped` are
    /// faults of chunks that are not among them. Allocates at most [`MOST`]
    /// bytes at once, and at most `room`, beside the list of faults and the
    /// state of inflating.
    ///
    /// If `strict`, the first chunk that breaks a rule is an error.
    pub(in crate::png) fn parse(
        raw: &[RawChunk],
        skipped: &[ChunkFault],
        file: &FileFormat,
        room: u64,
        strict: bool,
    ) -> Result<Metadata, Error> {
        let mut parser = Parser {
            file,
            left: usize::try_from(room).map_or(MOST, |room| room.min(MOST)),
            corrected: None,
            has_transparency: false,
        };
        let mut metadata = Metadata {
            transparent: file.transparent,
            faults: alloc::with_capacity(skipped.len())?,
            ..Metadata::default()
        };
        metadata.faults.extend_from_slice(skipped);
        let faults = MOST_FAULTS + skipped.len();
        for chunk in raw {
            let left = parser.left;
            let reason = match metadata.add(chunk, &mut parser) {
                Ok(()) => parser.corrected.take(),
                Err(Refusal::Wrong(what)) => {
                    parser.left = left;
                    parser.corrected = None;
                    Some(what)
                }
                Err(Refusal::NoMemory(error)) => return Err(error.into()),
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

    fn add(&mut self, chunk: &RawChunk, parser: &mut Parser<'_>) -> Result<(), Refusal> {
        let (data, png) = (&chunk.data[..], parser.file.png);
        let anywhere = matches!(&chunk.name, b"tEXt" | b"zTXt" | b"iTXt" | b"tIME" | b"eXIf");
        if chunk.after && !anywhere && chunks::is_known(chunk.name) {
            return Err("the chunk must be before the image data (5.6)".into());
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
                Err("there is an earlier sRGB or iCCP, which holds".into())
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
                // Read before, with the palette.
                if std::mem::replace(&mut parser.has_transparency, true) {
                    return Err(TWICE.into());
                }
                Ok(image::check_transparency(data, parser.file)?)
            }
            _ => {
                chunks::check_name(chunk.name)?;
                let chunk = Chunk {
                    name: chunk.name,
                    data: parser.copy(data)?,
                    after: chunk.after,
                };
                parser.push(&mut self.chunks, chunk)
            }
        }
    }
}

/// Of two chunks the first holds, as in libpng.
const TWICE: Wrong = "there is an earlier chunk of this name, which holds";

fn set<T>(
    field: &mut Option<T>,
    parse: impl FnOnce() -> Result<T, Refusal>,
) -> Result<(), Refusal> {
    if field.is_some() {
        return Err(TWICE.into());
    }
    *field = Some(parse()?);
    Ok(())
}

impl Parser<'_> {
    /// Notes that the chunk breaks a rule and was corrected.
    pub(super) fn correct(&mut self, what: Wrong) {
        self.corrected.get_or_insert(what);
    }

    fn take(&mut self, bytes: usize) -> Result<(), Wrong> {
        self.left = self.left.checked_sub(bytes).ok_or(OVER_LIMIT)?;
        Ok(())
    }

    fn push<T>(&mut self, to: &mut Vec<T>, value: T) -> Result<(), Refusal> {
        self.take(GROWTH * size_of::<T>())?;
        Ok(alloc::push(to, value)?)
    }

    fn copy(&mut self, data: &[u8]) -> Result<Vec<u8>, Refusal> {
        self.take(data.len())?;
        Ok(alloc::joined(&[data])?)
    }

    pub(super) fn inflate(&mut self, data: &[u8]) -> Result<Vec<u8>, Refusal> {
        match deflate::inflate(data, self.left) {
            Ok(inflated) => {
                self.take(inflated.len())?;
                Ok(inflated)
            }
            Err(InflateFailure::Damaged) => Err("the compressed data is damaged".into()),
            Err(InflateFailure::TooLong) => Err(OVER_LIMIT.into()),
            Err(InflateFailure::NoMemory(error)) => Err(error.into()),
        }
    }

    /// Returns Exif data without the prefix that it has in JPEG files. libpng
    /// leaves such a chunk out, Pillow and `ExifTool` read it so.
    fn exif(&mut self, data: &[u8]) -> Result<Vec<u8>, Refusal> {
        let exif = data.strip_prefix(JPEG_PREFIX).unwrap_or(data);
        check_exif(exif)?;
        if exif.len() < data.len() {
            self.correct("the data begins with \"Exif\", as in JPEG files: removed");
        }
        self.copy(exif)
    }

    pub(super) fn keyword(&mut self, data: &[u8]) -> Result<String, Refusal> {
        let (keyword, followed) = Keyword::corrected(data)?;
        if !followed {
            self.correct("the keyword has spaces or characters that it can't have: corrected");
        }
        self.string_of_latin1(keyword.bytes())
    }

    pub(super) fn language(&mut self, data: &[u8]) -> Result<String, Refusal> {
        let mut language = self.copy(data)?;
        for byte in &mut language {
            if !is_of_language(*byte) {
                *byte = b'-';
                self.correct("the language has characters that it can't have: now hyphens");
            }
        }
        string(language)
    }

    pub(super) fn latin1(&mut self, data: &[u8]) -> Result<String, Refusal> {
        let text = &data[..self.end_of_text(data)];
        self.string_of_latin1(text)
    }

    pub(super) fn utf8(&mut self, data: &[u8]) -> Result<String, Refusal> {
        let text = &data[..self.end_of_text(data)];
        string(self.copy(text)?)
    }

    pub(super) fn inflate_utf8(&mut self, data: &[u8]) -> Result<String, Refusal> {
        let mut text = self.inflate(data)?;
        text.truncate(self.end_of_text(&text));
        string(text)
    }

    pub(super) fn inflate_latin1(&mut self, data: &[u8]) -> Result<String, Refusal> {
        let mut text = self.inflate(data)?;
        text.truncate(self.end_of_text(&text));
        if text.is_ascii() {
            return string(text);
        }
        let result = self.string_of_latin1(&text);
        self.left += text.capacity();
        result
    }

    /// Returns where a text ends: at its first NUL, as libpng has it.
    fn end_of_text(&mut self, text: &[u8]) -> usize {
        let end = text.iter().position(|&byte| byte == 0);
        if end.is_some() {
            self.correct("the text has a NUL: cut there");
        }
        end.unwrap_or(text.len())
    }

    fn string_of_latin1(&mut self, text: &[u8]) -> Result<String, Refusal> {
        // Characters from 128 on have two bytes in UTF-8.
        let high = text.iter().filter(|byte| !byte.is_ascii()).count();
        let len = text.len() + high;
        self.take(len)?;
        // An empty `Vec` becomes a `String` with its room.
        let mut result = string(alloc::with_capacity(len)?)?;
        result.extend(text.iter().map(|&byte| char::from(byte)));
        Ok(result)
    }
}

fn string(bytes: Vec<u8>) -> Result<String, Refusal> {
    String::from_utf8(bytes).map_err(|_| "the text is not UTF-8".into())
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

    /// What is listed otherwise is an error, corrected or not.
    #[test]
    fn strict() {
        let sound = (*b"tEXt", &b"k\0x"[..]);
        for (odd, reason) in [
            (
                (*b"cICP", &[1, 13, 1, 1][..]),
                "PNG has no matrix other than 0",
            ),
            ((*b"tEXt", b"k\0x\0"), "the text has a NUL: cut there"),
            ((*b"tEXt", b""), "a keyword has 1 to 79 characters"),
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
