//! Metadata: the fields, and their way into chunks and out of them.

mod chunks;
mod color;
mod image;
mod parser;
mod text;

use std::fmt;

pub(super) use chunks::{Chunks, Refused, SampleChunks, Written};
pub use color::{Chromaticities, Cicp, IccProfile, LightLevel, MasteringDisplay, RenderingIntent};
pub use image::{Background, Density, Time};
pub(super) use parser::RawChunk;
pub use text::Text;

use crate::alloc::NoMemory;
use crate::{Error, ErrorKind};

/// The metadata of a file: everything that it says beside the pixels.
///
/// [`PngEncoder::metadata`](crate::PngEncoder::metadata) writes it and
/// [`PngReader::metadata`](crate::PngReader::metadata) reads it. Metadata that
/// was written is read again unchanged if it takes no more memory than the
/// reader allows. It belongs to a save, not to an image.
///
/// Writing is strict: a field that breaks a rule of the specification is
/// [`ErrorKind::Metadata`] before a byte is written. Reading is liberal: a
/// chunk that breaks a rule is corrected or left out, and listed in
/// [`faults`](Metadata::faults). Everything that is read can be written.
///
/// Sections are those of the PNG specification, third edition.
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
/// reader.read()?; // what lies behind the pixels is known then
/// assert_eq!(reader.metadata()?, metadata);
/// # Ok::<(), pixview::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Metadata {
    /// Text, in order (11.3.3).
    pub text: Vec<Text>,
    /// Pixels per length, `pHYs` (11.3.4.3).
    pub density: Option<Density>,
    /// The exponent of the image's samples, times 100 000: 45455 for 1/2.2.
    /// `gAMA` (11.3.2.2).
    pub gamma: Option<u32>,
    /// The colours that the samples mean, `cHRM` (11.3.2.1).
    pub chromaticities: Option<Chromaticities>,
    /// That the samples are sRGB, and how it is to be rendered. `sRGB`
    /// (11.3.2.5). Not beside a profile.
    pub srgb: Option<RenderingIntent>,
    /// A profile of the International Color Consortium, `iCCP` (11.3.2.3).
    pub icc: Option<IccProfile>,
    /// Code points of video, `cICP` (11.3.2.6).
    pub cicp: Option<Cicp>,
    /// The display that the image was made on, `mDCV` (11.3.2.7).
    pub mastering_display: Option<MasteringDisplay>,
    /// How light the image is, `cLLI` (11.3.2.8).
    pub light_level: Option<LightLevel>,
    /// Exif data, beginning with the order of its bytes, `II` or `MM`. `eXIf`
    /// (11.3.4.5).
    pub exif: Option<Vec<u8>>,
    /// How many bits of each sample were there in the beginning, as many as
    /// the file has channels (three for a palette): `sBIT` (11.3.2.4).
    pub significant_bits: Option<Vec<u8>>,
    /// What to show the image on, `bKGD` (11.3.4.1).
    pub background: Option<Background>,
    /// When the image was last changed, `tIME` (11.3.5.1).
    pub time: Option<Time>,
    /// The one gray or color that is transparent, in samples of the file: `tRNS`
    /// of files without alpha and palette (11.3.1.1). Three times the same for
    /// gray.
    ///
    /// [`PngReader::read`](crate::PngReader::read) returns an image with alpha
    /// from such a file. An image with alpha is saved without the chunk, since
    /// its pixels hold the transparency.
    pub transparent: Option<[u16; 3]>,
    /// Chunks that nothing above stands for, private ones and others. Those
    /// before the image data are read first, in whatever order they are given.
    /// That others are where the specification has them, and whole, is up to
    /// you.
    pub chunks: Vec<Chunk>,
    /// The chunks of the file that break a rule, in the order of the file: the
    /// first thousands of them. They are corrected or left out, as each reason
    /// says. Not written.
    pub faults: Vec<ChunkFault>,
}

/// A chunk as it is (5.3, 5.4).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Chunk {
    /// Four letters: the first small (ancillary: whoever doesn't know it may
    /// ignore it), the second small for a chunk of your own, the third a
    /// capital, the fourth small if it stays true when the pixels change.
    pub name: [u8; 4],
    /// Its data, at most 2^31-1 bytes.
    pub data: Vec<u8>,
    /// Whether it comes after the image data, not before.
    pub after: bool,
}

/// A chunk of a file that breaks a rule of the specification.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct ChunkFault {
    /// The name of the chunk.
    pub name: [u8; 4],
    /// The byte of the file that the chunk begins at.
    pub offset: u64,
    /// The rule, and what became of the chunk where it was not left out.
    pub reason: &'static str,
}

/// Such as `chunk tEXt at byte 33: the text has a NUL: cut there`.
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

/// A rule that is broken.
type Wrong = &'static str;

/// Why a chunk can't be written or read.
#[derive(Clone, Copy, Debug)]
enum Refusal {
    Wrong(Wrong),
    NoMemory(NoMemory),
}

impl From<Wrong> for Refusal {
    fn from(what: Wrong) -> Self {
        Refusal::Wrong(what)
    }
}

impl From<NoMemory> for Refusal {
    fn from(error: NoMemory) -> Self {
        Refusal::NoMemory(error)
    }
}

/// The rule of every chunk whose size is fixed.
const LENGTH: Wrong = "the chunk has another length";
