//! Encoding: metadata becomes chunks.

use super::image::{check_exif, write_significant_bits, write_transparent};
use super::{Background, ChunkError, Metadata, Reason, color};
use crate::alloc;
use crate::format::PngFormat;
use crate::{Error, ErrorKind};

/// The name and the data of a chunk.
pub(in crate::png) type EncodedChunk = ([u8; 4], Vec<u8>);

/// The chunks of metadata, made once and written into any number of files.
#[derive(Default)]
pub(in crate::png) struct Chunks {
    before_palette: Vec<EncodedChunk>,
    /// Chunks after the palette and before the image data.
    after_palette: Vec<EncodedChunk>,
    after_image_data: Vec<EncodedChunk>,
    // Fields whose chunks depend on the PNG format of the file.
    significant_bits: Option<Vec<u8>>,
    transparent: Option<[u16; 3]>,
    background: Option<Background>,
}

/// The chunks that depend on the PNG format of the file.
#[derive(Default)]
pub(in crate::png) struct FormatChunks {
    significant_bits: Option<ShortData>,
    transparent: Option<ShortData>,
    background: Option<ShortData>,
}

/// The first error in metadata, and the name of its chunk. Kept by the encoder
/// and returned by each save.
#[derive(Debug)]
pub(in crate::png) struct MetadataError {
    chunk: [u8; 4],
    error: ChunkError,
}

impl MetadataError {
    /// Returns the public error.
    pub(in crate::png) fn as_error(&self) -> Error {
        match self.error {
            ChunkError::Invalid(what) => ErrorKind::Metadata {
                chunk: self.chunk.escape_ascii().to_string(),
                what,
            }
            .into(),
            ChunkError::NoMemory(error) => error.into(),
        }
    }
}

/// Chunk data of at most 32 bytes, held without allocation.
#[derive(Clone, Copy, Default)]
pub(super) struct ShortData {
    bytes: [u8; 32],
    len: usize,
}

impl ShortData {
    pub(super) fn new<const N: usize>(bytes: [u8; N]) -> Self {
        let mut data = ShortData::default();
        data.extend(bytes);
        data
    }

    pub(super) fn extend<const N: usize>(&mut self, bytes: [u8; N]) {
        self.bytes[self.len..self.len + N].copy_from_slice(&bytes);
        self.len += N;
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

impl Chunks {
    /// Makes the chunks. Compresses long text and profiles, and moves Exif data
    /// and the data of other chunks.
    pub(in crate::png) fn new(metadata: Metadata) -> Result<Self, MetadataError> {
        let mut chunks = Chunks::default();
        let before_palette = &mut chunks.before_palette;
        if metadata.icc.is_some() && metadata.srgb.is_some() {
            return Err(MetadataError {
                chunk: *b"iCCP",
                error: "icc and srgb exclude each other: set one of them to None".into(),
            });
        }
        if let Some(cicp) = metadata.cicp {
            push_short(before_palette, *b"cICP", Ok(cicp.write()))?;
        }
        if let Some(display) = metadata.mastering_display {
            push_short(before_palette, *b"mDCV", Ok(display.write()))?;
        }
        if let Some(light) = metadata.light_level {
            push_short(before_palette, *b"cLLI", light.write())?;
        }
        if let Some(icc) = metadata.icc {
            push(before_palette, *b"iCCP", icc.write())?;
        }
        if let Some(intent) = metadata.srgb {
            push_short(before_palette, *b"sRGB", Ok(ShortData::new([intent as u8])))?;
        }
        if let Some(gamma) = metadata.gamma {
            push_short(before_palette, *b"gAMA", color::write_gamma(gamma))?;
        }
        if let Some(chromaticities) = metadata.chromaticities {
            push_short(before_palette, *b"cHRM", chromaticities.write())?;
        }

        let after_palette = &mut chunks.after_palette;
        if let Some(density) = metadata.density {
            push_short(after_palette, *b"pHYs", density.write())?;
        }
        if let Some(exif) = metadata.exif {
            let checked = check_exif(&exif);
            push(
                after_palette,
                *b"eXIf",
                checked.map(|()| exif).map_err(Into::into),
            )?;
        }
        if let Some(time) = metadata.time {
            push_short(after_palette, *b"tIME", time.write())?;
        }
        for text in metadata.text {
            let (name, data) = text.write();
            push(after_palette, name, data)?;
        }
        for chunk in metadata.chunks {
            let to = if chunk.after_image_data {
                &mut chunks.after_image_data
            } else {
                &mut *after_palette
            };
            let checked = check_name(chunk.name);
            let data = checked.map(|()| chunk.data).map_err(Into::into);
            push(to, chunk.name, data)?;
        }
        chunks.significant_bits = metadata.significant_bits;
        chunks.transparent = metadata.transparent;
        chunks.background = metadata.background;
        Ok(chunks)
    }

    /// Makes the chunks that depend on the PNG format of the file and on the
    /// number of palette entries.
    pub(in crate::png) fn for_format(
        &self,
        png: PngFormat,
        entries: usize,
    ) -> Result<FormatChunks, Error> {
        let error_in = |chunk: [u8; 4]| {
            move |reason: Reason| {
                let error = reason.into();
                MetadataError { chunk, error }.as_error()
            }
        };
        let bits = self.significant_bits.as_deref();
        let bits = bits.map(|bits| write_significant_bits(bits, png, self.transparent.is_some()));
        let transparent = self.transparent.map(|rgb| write_transparent(rgb, png));
        let background = self.background.map(|color| color.write(png, entries));
        Ok(FormatChunks {
            significant_bits: bits.transpose().map_err(error_in(*b"sBIT"))?,
            transparent: transparent
                .transpose()
                .map_err(error_in(*b"tRNS"))?
                .flatten(),
            background: background.transpose().map_err(error_in(*b"bKGD"))?,
        })
    }

    /// Returns whether a chunk is valid for one color type and bit depth only.
    pub(in crate::png) fn depends_on_format(&self) -> bool {
        // A profile is for gray or for RGB, like the samples (11.3.2.3).
        self.significant_bits.is_some()
            || self.background.is_some()
            || self.transparent.is_some()
            || self.before_palette.iter().any(|(name, _)| name == b"iCCP")
    }

    /// Returns the chunks before the image data, in the order of the file.
    /// `palette` has the chunks of the palette.
    pub(in crate::png) fn before_image_data<'a>(
        &'a self,
        format: &'a FormatChunks,
        palette: &'a [EncodedChunk],
    ) -> impl Iterator<Item = ([u8; 4], &'a [u8])> {
        let bits = named(*b"sBIT", format.significant_bits.as_ref());
        let transparent = named(*b"tRNS", format.transparent.as_ref());
        let background = named(*b"bKGD", format.background.as_ref());
        slices(&self.before_palette)
            .chain(bits)
            .chain(slices(palette))
            .chain(transparent)
            .chain(background)
            .chain(slices(&self.after_palette))
    }

    /// Returns the chunks after the image data, in the order of the file.
    pub(in crate::png) fn after_image_data(&self) -> impl Iterator<Item = ([u8; 4], &[u8])> {
        slices(&self.after_image_data)
    }
}

fn slices(chunks: &[EncodedChunk]) -> impl Iterator<Item = ([u8; 4], &[u8])> {
    chunks.iter().map(|(name, data)| (*name, &data[..]))
}

fn named(name: [u8; 4], data: Option<&ShortData>) -> Option<([u8; 4], &[u8])> {
    data.map(|data| (name, data.bytes()))
}

/// Appends a chunk, or returns its error with its name.
fn push(
    to: &mut Vec<EncodedChunk>,
    chunk: [u8; 4],
    data: Result<Vec<u8>, ChunkError>,
) -> Result<(), MetadataError> {
    let pushed = data.and_then(|data| {
        if data.len() > i32::MAX as usize {
            return Err("chunk data must be at most 2^31-1 bytes".into());
        }
        Ok(alloc::push(to, (chunk, data))?)
    });
    pushed.map_err(|error| MetadataError { chunk, error })
}

/// Appends a chunk of short data, or returns its error with its name.
fn push_short(
    to: &mut Vec<EncodedChunk>,
    chunk: [u8; 4],
    data: Result<ShortData, Reason>,
) -> Result<(), MetadataError> {
    let data = data.map_err(ChunkError::from);
    let copied = data.and_then(|data| Ok(alloc::joined(&[data.bytes()])?));
    push(to, chunk, copied)
}

/// The names of the chunks that hold the image or a field of [`Metadata`].
const RESERVED: [&[u8; 4]; 23] = [
    b"IHDR", b"PLTE", b"IDAT", b"IEND", b"acTL", b"fcTL", b"fdAT", b"tEXt", b"zTXt", b"iTXt",
    b"pHYs", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"cICP", b"mDCV", b"cLLI", b"eXIf", b"sBIT",
    b"bKGD", b"tIME", b"tRNS",
];

/// Returns whether chunks of this name hold the image or a field of
/// [`Metadata`].
pub(super) fn is_reserved(name: [u8; 4]) -> bool {
    RESERVED.contains(&&name)
}

/// Checks the name of a [`Chunk`](super::Chunk) (5.4).
pub(super) fn check_name(name: [u8; 4]) -> Result<(), Reason> {
    if !name.iter().all(u8::is_ascii_alphabetic) {
        return Err("chunk name must be four ASCII letters");
    }
    if name[0].is_ascii_uppercase() {
        return Err("first letter of the name must be lowercase: critical chunks cannot be added");
    }
    if name[2].is_ascii_lowercase() {
        return Err("third letter of the name must be uppercase");
    }
    if is_reserved(name) {
        return Err("chunk name is reserved: use the field of Metadata");
    }
    Ok(())
}
