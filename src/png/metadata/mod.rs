//! Metadata of PNG files: text, density, color spaces, Exif data, time and
//! unknown chunks.
//!
//! [`Metadata`] has a field for each. Structs that may get more fields are
//! non-exhaustive and have constructors. [`Time`], [`Chromaticities`],
//! [`MasteringDisplay`] and [`LightLevel`] are written as struct literals, since
//! the specification fixes all of their numbers.

mod chunks;
mod color;
mod image;
mod parser;
mod text;

use std::fmt;

pub(super) use chunks::{Chunks, EncodedChunk, FormatChunks, MetadataError};
pub use color::{Chromaticities, Cicp, IccProfile, LightLevel, MasteringDisplay, RenderingIntent};
pub use image::{Background, Density, Time};
pub(super) use parser::RawChunk;
pub use text::Text;

use crate::alloc::NoMemory;
use crate::{Error, ErrorKind};

/// The metadata of a PNG file: everything in the file except the pixels.
///
/// [`PngEncoder::metadata`](crate::PngEncoder::metadata) writes metadata and
/// [`PngReader::metadata`](crate::PngReader::metadata) reads it. An image has no
/// metadata: metadata belongs to one save or one file.
///
/// Writing is strict: a field that breaks a rule of the specification is
/// [`ErrorKind::Metadata`] before a byte is written. Reading is lenient: a chunk
/// that breaks a rule is corrected or left out, and listed in
/// [`faults`](Metadata::faults). All metadata that was read can be written.
/// Metadata that was written is read back unchanged if it fits the memory limit
/// of the reader.
///
/// Start with [`Metadata::default`], which has no metadata, and assign to the
/// fields. Numbers such as 11.3.2.2 are sections of the PNG specification,
/// third edition.
///
/// # Examples
///
/// ```
/// use pixview::{Image, Metadata, PixelFormat, PngDecoder, PngEncoder};
/// use pixview::metadata::{Density, Text};
///
/// let mut metadata = Metadata::default();
/// metadata.text.push(Text::new("Title", "Dune, at noon"));
/// metadata.density = Some(Density::from_dpi(300.0));
///
/// let image = Image::new(40, 30, PixelFormat::RGB8)?;
/// let png = PngEncoder::new().metadata(metadata.clone()).to_png(&image)?;
///
/// let mut reader = PngDecoder::new().open_bytes(&png)?;
/// reader.read()?; // reads the chunks behind the pixels as well
/// assert_eq!(reader.metadata()?, metadata);
/// # Ok::<(), pixview::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Metadata {
    /// The texts, in the order of the file: `tEXt`, `zTXt` and `iTXt` (11.3.3).
    pub text: Vec<Text>,
    /// The pixels per meter, or only their proportions: `pHYs` (11.3.4.3).
    pub density: Option<Density>,
    /// The gamma of the samples times 100 000, from 1 to 2^31-1: 45455 for
    /// 1/2.2. `gAMA` (11.3.2.2).
    pub gamma: Option<u32>,
    /// The white point and the primaries: `cHRM` (11.3.2.1).
    pub chromaticities: Option<Chromaticities>,
    /// The rendering intent of an image in the sRGB color space: `sRGB`
    /// (11.3.2.5). Excludes [`icc`](Metadata::icc).
    pub srgb: Option<RenderingIntent>,
    /// The color profile: `iCCP` (11.3.2.3). Excludes
    /// [`srgb`](Metadata::srgb).
    pub icc: Option<IccProfile>,
    /// The code points of the color space, as in video: `cICP` (11.3.2.6).
    pub cicp: Option<Cicp>,
    /// The display on which the image was mastered: `mDCV` (11.3.2.7).
    pub mastering_display: Option<MasteringDisplay>,
    /// The luminance of the image: `cLLI` (11.3.2.8).
    pub light_level: Option<LightLevel>,
    /// The Exif data, which begins with `II*\0` or `MM\0*`: `eXIf` (11.3.4.5).
    pub exif: Option<Vec<u8>>,
    /// The significant bits of each channel of the file, from 1 to the bit
    /// depth: `sBIT` (11.3.2.4). An indexed file has three numbers, from 1 to 8.
    /// If [`transparent`](Metadata::transparent) is set and an image with alpha is
    /// saved, the number of alpha may be missing; 1 is written for it.
    pub significant_bits: Option<Vec<u8>>,
    /// The background color, in samples of the file: `bKGD` (11.3.4.1). A gray
    /// file of less than 8 bits with a transparent color is read with 8 bits; its
    /// background keeps the samples of the file.
    pub background: Option<Background>,
    /// The time of the last change, in Universal Time: `tIME` (11.3.5.1). For the
    /// time of creation, write a [`Text`] with the keyword `Creation Time`, for
    /// example `2026-11-22T12:34:56Z`.
    pub time: Option<Time>,
    /// The color that is transparent, as red, green and blue samples of the
    /// file: `tRNS` of files without alpha and palette (11.3.1.1). A gray file
    /// has the same sample three times.
    ///
    /// [`PngReader::read`](crate::PngReader::read) returns an image with alpha
    /// from such a file. An image with alpha is saved without the chunk, since
    /// its pixels hold the transparency.
    pub transparent: Option<[u16; 3]>,
    /// The chunks that no other field holds, private ones among them. Chunks
    /// before the image data are read back ahead of those after it. The encoder
    /// checks neither their data nor their place, except that it follows
    /// [`Chunk::after_image_data`].
    pub chunks: Vec<Chunk>,
    /// The chunks that break a rule, in the order of the file, at most some
    /// thousands of them. Each was corrected or left out, as its reason says.
    /// Not written.
    pub faults: Vec<ChunkFault>,
}

/// A chunk that no other field of [`Metadata`] holds (5.3).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Chunk {
    /// The name: four ASCII letters, whose case has a meaning (5.4). The first
    /// is lowercase (ancillary: a reader may ignore the chunk), the second is
    /// lowercase in a private chunk, the third is uppercase, the fourth is
    /// lowercase if the chunk stays valid when the pixels change.
    pub name: [u8; 4],
    /// The data, at most 2^31-1 bytes.
    pub data: Vec<u8>,
    /// Whether the chunk comes after the image data instead of before it.
    pub after_image_data: bool,
}

impl Chunk {
    /// Returns a chunk that comes before the image data. Does not check the
    /// name: the save does.
    #[must_use]
    pub fn new(name: [u8; 4], data: impl Into<Vec<u8>>) -> Self {
        Chunk {
            name,
            data: data.into(),
            after_image_data: false,
        }
    }
}

/// A chunk of a file that breaks a rule of the specification.
///
/// Displayed as `chunk tEXt at byte 33: text contains NUL: truncated there`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct ChunkFault {
    /// The name of the chunk.
    pub name: [u8; 4],
    /// The offset in bytes from the start of the file to the chunk.
    pub offset: u64,
    /// The rule that is broken. The correction follows, if the chunk was not
    /// left out.
    pub reason: &'static str,
}

impl fmt::Display for ChunkFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, offset) = (self.name.escape_ascii(), self.offset);
        write!(f, "chunk {name} at byte {offset}: {}", self.reason)
    }
}

impl From<ChunkFault> for Error {
    fn from(fault: ChunkFault) -> Self {
        ErrorKind::Decode {
            chunk: fault.name.escape_ascii().to_string(),
            offset: fault.offset,
            source: fault.reason.into(),
        }
        .into()
    }
}

/// The rule that a chunk breaks, as errors and faults display it.
type Reason = &'static str;

/// The reason why a chunk cannot be written or read.
#[derive(Clone, Copy, Debug)]
enum ChunkError {
    Invalid(Reason),
    NoMemory(NoMemory),
}

impl From<Reason> for ChunkError {
    fn from(reason: Reason) -> Self {
        ChunkError::Invalid(reason)
    }
}

impl From<NoMemory> for ChunkError {
    fn from(error: NoMemory) -> Self {
        ChunkError::NoMemory(error)
    }
}

/// Returns the rule that a chunk with data of the wrong length breaks. Its data
/// must have `bytes` bytes.
const fn wrong_length(bytes: usize) -> Reason {
    match bytes {
        1 => "chunk must have 1 byte of data",
        2 => "chunk must have 2 bytes of data",
        4 => "chunk must have 4 bytes of data",
        6 => "chunk must have 6 bytes of data",
        7 => "chunk must have 7 bytes of data",
        8 => "chunk must have 8 bytes of data",
        9 => "chunk must have 9 bytes of data",
        24 => "chunk must have 24 bytes of data",
        32 => "chunk must have 32 bytes of data",
        _ => "chunk has the wrong length",
    }
}
