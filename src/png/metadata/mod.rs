//! What a PNG says of its image beside the pixels: types that are written and
//! read alike.

mod color;
mod text;

pub use color::{Chromaticities, Cicp, IccProfile, LightLevel, MasteringDisplay, RenderingIntent};
pub use text::Text;

use png::ColorType;

use super::tap::RawChunk;
use crate::format::PngFormat;
use crate::png::file_format::FileFormat;
use crate::{Error, ErrorKind};

/// The most bytes that compressed text and profiles of a file become.
const MAX_INFLATED: usize = 1 << 26;

/// What a file says of its image beside the pixels.
///
/// [`PngEncoder::metadata`](crate::PngEncoder::metadata) writes it,
/// [`PngReader::metadata`](crate::PngReader::metadata) reads it, and what was
/// written is read again as it was, up to 2^26 bytes of it. It belongs to a save, not to an image.
///
/// Sections are those of the PNG specification, third edition. What is wrong is
/// an error before a byte is written: [`ErrorKind::Metadata`].
///
/// # Examples
///
/// ```
/// use pixview::{Density, Image, Metadata, PixelFormat, PngDecoder, PngEncoder, Text};
///
/// let mut metadata = Metadata::default();
/// metadata.text.push(Text::new("Title", "Dune, at noon"));
/// metadata.density = Some(Density::from_dpi(300.0));
///
/// let image = Image::new(40, 30, PixelFormat::RGB8)?;
/// let png = PngEncoder::new().metadata(metadata.clone()).to_vec(&image)?;
///
/// let mut reader = PngDecoder::new().from_bytes(&png)?;
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
    /// The one gray or colour that is transparent, in samples of the file:
    /// `tRNS` of files without alpha and palette (11.3.1.1). Three times the
    /// same for gray.
    pub transparent: Option<[u16; 3]>,
    /// Chunks that nothing above stands for, private ones and others. Those
    /// before the image data are read first, in whatever order they are given.
    /// That others are where the specification has them, and whole, is up to
    /// you.
    pub chunks: Vec<Chunk>,
}

/// How many pixels there are to a length.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Density {
    /// Pixels per unit, from left to right.
    pub x: u32,
    /// Pixels per unit, from top to bottom.
    pub y: u32,
    /// Whether the unit is the metre; else only the proportions count.
    pub per_metre: bool,
}

impl Density {
    /// So many pixels per inch both ways, to the nearest number per metre.
    #[must_use]
    pub fn from_dpi(dpi: f64) -> Self {
        let per_metre = (dpi / 0.0254).round() as u32;
        Density {
            x: per_metre,
            y: per_metre,
            per_metre: true,
        }
    }

    /// Pixels per inch, from left to right and from top to bottom, if the unit
    /// is known.
    #[must_use]
    pub fn dpi(self) -> Option<(f64, f64)> {
        let dpi = |per_metre: u32| f64::from(per_metre) * 0.0254;
        self.per_metre.then(|| (dpi(self.x), dpi(self.y)))
    }
}

/// What to show an image on, in samples of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Background {
    /// Of gray files, with alpha or without.
    Gray(u16),
    /// Of RGB files, with alpha or without.
    Rgb([u16; 3]),
    /// Of indexed files.
    Index(u8),
}

/// A moment in Universal Time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Time {
    /// The whole year, such as 2026.
    pub year: u16,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
    /// 0 to 60: there are leap seconds.
    pub second: u8,
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

/// A chunk on its way into a file.
pub(super) type Written = ([u8; 4], Vec<u8>);

/// All chunks of some metadata, in three places.
#[derive(Default)]
pub(super) struct Chunks {
    /// Before the palette.
    pub(super) first: Vec<Written>,
    /// After the palette and before the image data.
    pub(super) middle: Vec<Written>,
    /// After the image data.
    pub(super) last: Vec<Written>,
}

/// The names that fields stand for, and those of the image itself.
const KNOWN: [&[u8; 4]; 22] = [
    b"IHDR", b"PLTE", b"IDAT", b"IEND", b"acTL", b"fcTL", b"fdAT", b"tEXt", b"zTXt", b"iTXt",
    b"pHYs", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"cICP", b"mDCV", b"cLLI", b"eXIf", b"sBIT",
    b"bKGD", b"tIME",
];

/// What is wrong with a chunk.
pub(super) type Wrong = &'static str;

fn wrong(chunk: [u8; 4], what: Wrong) -> Error {
    ErrorKind::Metadata {
        chunk: chunk.escape_ascii().to_string(),
        what,
    }
    .into()
}

impl Metadata {
    /// The chunks for an image of this type with so many colours.
    pub(super) fn chunks(&self, png: PngFormat, colors: usize) -> Result<Chunks, Error> {
        let mut chunks = Chunks::default();
        let first = &mut chunks.first;
        if self.icc.is_some() && self.srgb.is_some() {
            return Err(wrong(*b"iCCP", "a profile and sRGB exclude one another"));
        }
        if let Some(cicp) = self.cicp {
            push(first, *b"cICP", Ok(cicp.write()))?;
        }
        if let Some(display) = &self.mastering_display {
            push(first, *b"mDCV", Ok(display.write()))?;
        }
        if let Some(light) = self.light_level {
            push(first, *b"cLLI", light.write())?;
        }
        if let Some(icc) = &self.icc {
            push(first, *b"iCCP", icc.write())?;
        }
        if let Some(intent) = self.srgb {
            push(first, *b"sRGB", Ok(vec![intent as u8]))?;
        }
        if let Some(gamma) = self.gamma {
            push(first, *b"gAMA", color::write_gamma(gamma))?;
        }
        if let Some(chromaticities) = &self.chromaticities {
            push(first, *b"cHRM", chromaticities.write())?;
        }
        if let Some(bits) = &self.significant_bits {
            push(
                first,
                *b"sBIT",
                check_bits(bits, png).map(|()| bits.clone()),
            )?;
        }

        let middle = &mut chunks.middle;
        if let Some(transparent) = self.transparent {
            push(middle, *b"tRNS", write_transparent(transparent, png))?;
        }
        if let Some(background) = self.background {
            push(middle, *b"bKGD", background.write(png, colors))?;
        }
        if let Some(density) = self.density {
            push(middle, *b"pHYs", density.write())?;
        }
        if let Some(exif) = &self.exif {
            push(middle, *b"eXIf", check_exif(exif).map(|()| exif.clone()))?;
        }
        if let Some(time) = self.time {
            push(middle, *b"tIME", time.write())?;
        }
        for text in &self.text {
            let (name, data) = text.write();
            push(middle, name, data)?;
        }
        for chunk in &self.chunks {
            let place = if chunk.after {
                &mut chunks.last
            } else {
                &mut *middle
            };
            let checked = check_name(chunk.name).map(|()| chunk.data.clone());
            push(place, chunk.name, checked)?;
        }
        Ok(chunks)
    }

    /// Whether some of it holds for one type of file only.
    pub(super) fn speaks_of_samples(&self) -> bool {
        // A profile is of gray or of RGB, as the samples are (11.3.2.3).
        self.significant_bits.is_some()
            || self.background.is_some()
            || self.transparent.is_some()
            || self.icc.is_some()
    }

    /// What the chunks of a file say, in the order in which they were in it.
    pub(super) fn parse(raw: &[RawChunk], file: &FileFormat) -> Result<Metadata, Error> {
        let mut metadata = Metadata::default();
        let mut room = MAX_INFLATED;
        for chunk in raw {
            metadata
                .add(chunk, file, &mut room)
                .map_err(|what| ErrorKind::Decode {
                    chunk: chunk.name.escape_ascii().to_string(),
                    offset: chunk.offset,
                    source: what.into(),
                })?;
        }
        metadata.transparent = file.transparent;
        Ok(metadata)
    }

    fn add(&mut self, chunk: &RawChunk, file: &FileFormat, room: &mut usize) -> Result<(), Wrong> {
        fn once<T>(field: &mut Option<T>, value: T) -> Result<(), Wrong> {
            match field.replace(value) {
                None => Ok(()),
                Some(_) => Err("it is there twice"),
            }
        }
        let data = &chunk.data[..];
        match &chunk.name {
            b"tEXt" | b"zTXt" | b"iTXt" => {
                self.text.push(Text::parse(chunk.name, data, room)?);
                Ok(())
            }
            b"pHYs" => once(&mut self.density, Density::parse(data)?),
            b"gAMA" => once(&mut self.gamma, color::parse_gamma(data)?),
            b"cHRM" => once(&mut self.chromaticities, Chromaticities::parse(data)?),
            b"sRGB" => once(&mut self.srgb, RenderingIntent::parse(data)?),
            b"iCCP" => once(&mut self.icc, IccProfile::parse(data, room)?),
            b"cICP" => once(&mut self.cicp, Cicp::parse(data)?),
            b"mDCV" => once(&mut self.mastering_display, MasteringDisplay::parse(data)?),
            b"cLLI" => once(&mut self.light_level, LightLevel::parse(data)?),
            b"eXIf" => {
                check_exif(data)?;
                once(&mut self.exif, data.to_vec())
            }
            b"sBIT" => {
                check_bits(data, file.png)?;
                once(&mut self.significant_bits, data.to_vec())
            }
            b"bKGD" => once(&mut self.background, Background::parse(data, file.png)?),
            b"tIME" => once(&mut self.time, Time::parse(data)?),
            b"tRNS" => Ok(()), // the file's own, or the palette's
            _ => {
                self.chunks.push(Chunk {
                    name: chunk.name,
                    data: data.to_vec(),
                    after: chunk.after,
                });
                Ok(())
            }
        }
    }
}

fn push(to: &mut Vec<Written>, name: [u8; 4], data: Result<Vec<u8>, Wrong>) -> Result<(), Error> {
    let data = data.map_err(|what| wrong(name, what))?;
    if data.len() > i32::MAX as usize {
        return Err(wrong(name, "it is longer than 2^31-1 bytes"));
    }
    to.push((name, data));
    Ok(())
}

fn check_name(name: [u8; 4]) -> Result<(), Wrong> {
    if !name.iter().all(u8::is_ascii_alphabetic) {
        return Err("a name has four letters");
    }
    if name[0].is_ascii_uppercase() {
        return Err("a chunk that everybody has to know can't be added");
    }
    if name[2].is_ascii_lowercase() {
        return Err("the third letter of a name is a capital");
    }
    if name == *b"tRNS" || KNOWN.contains(&&name) {
        return Err("it is the name of something that has a place of its own");
    }
    Ok(())
}

/// Samples that a file says something of: of palettes the three of a colour.
fn sample_depths(png: PngFormat) -> (usize, u8) {
    match png.color {
        ColorType::Grayscale => (1, png.depth),
        ColorType::GrayscaleAlpha => (2, png.depth),
        ColorType::Rgb => (3, png.depth),
        ColorType::Rgba => (4, png.depth),
        ColorType::Indexed => (3, 8),
    }
}

fn check_bits(bits: &[u8], png: PngFormat) -> Result<(), Wrong> {
    let (channels, depth) = sample_depths(png);
    if bits.len() != channels {
        return Err("as many numbers as channels are needed, three for a palette");
    }
    if bits.iter().any(|&bits| bits == 0 || bits > depth) {
        return Err("samples have from one bit to as many as the file has");
    }
    Ok(())
}

fn check_exif(exif: &[u8]) -> Result<(), Wrong> {
    match exif {
        [b'I', b'I', 42, 0, ..] | [b'M', b'M', 0, 42, ..] => Ok(()),
        _ => Err("Exif data begins with the order of its bytes, and 42"),
    }
}

fn fits(sample: u16, depth: u8) -> Result<u16, Wrong> {
    if sample > u16::MAX >> (16 - depth.min(16)) {
        return Err("a sample is larger than those of the file");
    }
    Ok(sample)
}

fn write_transparent([r, g, b]: [u16; 3], png: PngFormat) -> Result<Vec<u8>, Wrong> {
    let samples = match png.color {
        ColorType::Grayscale if r == g && g == b => vec![r],
        ColorType::Grayscale => {
            return Err("a gray file has one transparent gray: three times the same");
        }
        ColorType::Rgb => vec![r, g, b],
        _ => return Err("only gray and RGB without alpha have a transparent colour"),
    };
    let mut data = Vec::new();
    for sample in samples {
        data.extend(fits(sample, png.depth)?.to_be_bytes());
    }
    Ok(data)
}

impl Background {
    fn write(self, png: PngFormat, colors: usize) -> Result<Vec<u8>, Wrong> {
        match (self, png.color) {
            (Background::Gray(gray), ColorType::Grayscale | ColorType::GrayscaleAlpha) => {
                Ok(fits(gray, png.depth)?.to_be_bytes().to_vec())
            }
            (Background::Rgb(rgb), ColorType::Rgb | ColorType::Rgba) => {
                let mut data = Vec::new();
                for sample in rgb {
                    data.extend(fits(sample, png.depth)?.to_be_bytes());
                }
                Ok(data)
            }
            (Background::Index(index), ColorType::Indexed) => {
                if usize::from(index) >= colors {
                    return Err("the palette has no such colour");
                }
                Ok(vec![index])
            }
            _ => Err("it is gray, RGB or an index as the pixels are"),
        }
    }

    fn parse(data: &[u8], png: PngFormat) -> Result<Self, Wrong> {
        let sample = |at: usize| fits(u16::from_be_bytes([data[at], data[at + 1]]), png.depth);
        match (png.color, data.len()) {
            (ColorType::Grayscale | ColorType::GrayscaleAlpha, 2) => {
                Ok(Background::Gray(sample(0)?))
            }
            (ColorType::Rgb | ColorType::Rgba, 6) => {
                Ok(Background::Rgb([sample(0)?, sample(2)?, sample(4)?]))
            }
            (ColorType::Indexed, 1) => Ok(Background::Index(data[0])),
            _ => Err("it has another length"),
        }
    }
}

impl Density {
    fn write(self) -> Result<Vec<u8>, Wrong> {
        let mut data = Vec::new();
        for count in [self.x, self.y] {
            data.extend(color::checked(count)?.to_be_bytes());
        }
        data.push(self.per_metre.into());
        Ok(data)
    }

    fn parse(data: &[u8]) -> Result<Self, Wrong> {
        let ([x, y], [unit]) = color::numbers(data)?;
        let per_metre = match unit {
            0 => false,
            1 => true,
            _ => return Err("there is no such unit"),
        };
        Ok(Density { x, y, per_metre })
    }
}

impl Time {
    fn write(self) -> Result<Vec<u8>, Wrong> {
        let [high, low] = self.year.to_be_bytes();
        let rest = [self.month, self.day, self.hour, self.minute, self.second];
        let data = [&[high, low], &rest[..]].concat();
        Time::parse(&data)?;
        Ok(data)
    }

    fn parse(data: &[u8]) -> Result<Self, Wrong> {
        let &[high, low, month, day, hour, minute, second] = data else {
            return Err("it has another length");
        };
        let date = (1..=12).contains(&month) && (1..=31).contains(&day);
        if !date || hour > 23 || minute > 59 || second > 60 {
            return Err("there is no such time");
        }
        Ok(Time {
            year: u16::from_be_bytes([high, low]),
            month,
            day,
            hour,
            minute,
            second,
        })
    }
}
