//! Writing: metadata in the form in which files hold it.

use super::image::{check_exif, write_significant_bits, write_transparent};
use super::{Background, Metadata, Refusal, Wrong, color};
use crate::alloc;
use crate::format::PngFormat;
use crate::{Error, ErrorKind};

/// The name and the data of a chunk.
pub(in crate::png) type Written = ([u8; 4], Vec<u8>);

/// The chunks of some metadata, made once and written into any number of files.
#[derive(Default)]
pub(in crate::png) struct Chunks {
    /// Before the palette.
    first: Vec<Written>,
    /// After the palette and before the image data.
    middle: Vec<Written>,
    /// After the image data.
    last: Vec<Written>,
    // Fields that depend on the type of the file.
    significant_bits: Option<Vec<u8>>,
    transparent: Option<[u16; 3]>,
    background: Option<Background>,
}

/// The chunks that depend on the type of the file.
#[derive(Default)]
pub(in crate::png) struct SampleChunks {
    significant_bits: Option<Fixed>,
    transparent: Option<Fixed>,
    background: Option<Fixed>,
}

/// A chunk that can't be written.
#[derive(Clone, Copy, Debug)]
pub(in crate::png) struct Refused {
    chunk: [u8; 4],
    refusal: Refusal,
}

impl Refused {
    pub(in crate::png) fn error(&self) -> Error {
        match self.refusal {
            Refusal::Wrong(what) => ErrorKind::Metadata {
                chunk: self.chunk.escape_ascii().to_string(),
                what,
            }
            .into(),
            Refusal::NoMemory(error) => error.into(),
        }
    }
}

/// The data of a chunk that has at most 32 bytes.
#[derive(Clone, Copy, Default)]
pub(super) struct Fixed {
    bytes: [u8; 32],
    len: usize,
}

impl Fixed {
    pub(super) fn new<const N: usize>(bytes: [u8; N]) -> Self {
        let mut fixed = Fixed::default();
        fixed.extend(bytes);
        fixed
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
    /// Makes the chunks: long text and profiles are compressed, other long data
    /// is moved.
    pub(in crate::png) fn new(metadata: Metadata) -> Result<Self, Refused> {
        let mut chunks = Chunks::default();
        let first = &mut chunks.first;
        if metadata.icc.is_some() && metadata.srgb.is_some() {
            let both = "a profile and sRGB exclude one another";
            return push(first, *b"iCCP", Err(both.into())).map(|()| chunks);
        }
        if let Some(cicp) = metadata.cicp {
            push_fixed(first, *b"cICP", Ok(cicp.write()))?;
        }
        if let Some(display) = metadata.mastering_display {
            push_fixed(first, *b"mDCV", Ok(display.write()))?;
        }
        if let Some(light) = metadata.light_level {
            push_fixed(first, *b"cLLI", light.write())?;
        }
        if let Some(icc) = metadata.icc {
            push(first, *b"iCCP", icc.write())?;
        }
        if let Some(intent) = metadata.srgb {
            push_fixed(first, *b"sRGB", Ok(Fixed::new([intent as u8])))?;
        }
        if let Some(gamma) = metadata.gamma {
            push_fixed(first, *b"gAMA", color::write_gamma(gamma))?;
        }
        if let Some(chromaticities) = metadata.chromaticities {
            push_fixed(first, *b"cHRM", chromaticities.write())?;
        }

        let middle = &mut chunks.middle;
        if let Some(density) = metadata.density {
            push_fixed(middle, *b"pHYs", density.write())?;
        }
        if let Some(exif) = metadata.exif {
            let checked = check_exif(&exif);
            push(middle, *b"eXIf", checked.map(|()| exif).map_err(Into::into))?;
        }
        if let Some(time) = metadata.time {
            push_fixed(middle, *b"tIME", time.write())?;
        }
        for text in metadata.text {
            let (name, data) = text.write();
            push(middle, name, data)?;
        }
        for chunk in metadata.chunks {
            let to = if chunk.after {
                &mut chunks.last
            } else {
                &mut *middle
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

    /// Makes the chunks that depend on the type of the file and on the number
    /// of palette entries.
    pub(in crate::png) fn of_samples(
        &self,
        png: PngFormat,
        colors: usize,
    ) -> Result<SampleChunks, Error> {
        let named = |chunk: [u8; 4]| {
            move |what: Wrong| {
                let refusal = what.into();
                Refused { chunk, refusal }.error()
            }
        };
        let bits = self.significant_bits.as_deref();
        let bits = bits.map(|bits| write_significant_bits(bits, png, self.transparent.is_some()));
        let transparent = self.transparent.map(|rgb| write_transparent(rgb, png));
        let background = self.background.map(|color| color.write(png, colors));
        Ok(SampleChunks {
            significant_bits: bits.transpose().map_err(named(*b"sBIT"))?,
            transparent: transparent.transpose().map_err(named(*b"tRNS"))?.flatten(),
            background: background.transpose().map_err(named(*b"bKGD"))?,
        })
    }

    /// Returns whether a field holds for one type of file only.
    pub(in crate::png) fn depend_on_samples(&self) -> bool {
        // A profile is of gray or of RGB, as the samples are (11.3.2.3).
        self.significant_bits.is_some()
            || self.background.is_some()
            || self.transparent.is_some()
            || self.first.iter().any(|(name, _)| name == b"iCCP")
    }

    /// Returns the chunks before the image data, in order. `palette` is the
    /// palette.
    pub(in crate::png) fn before<'a>(
        &'a self,
        samples: &'a SampleChunks,
        palette: &'a [Written],
    ) -> impl Iterator<Item = ([u8; 4], &'a [u8])> {
        let bits = fixed(*b"sBIT", samples.significant_bits.as_ref());
        let transparent = fixed(*b"tRNS", samples.transparent.as_ref());
        let background = fixed(*b"bKGD", samples.background.as_ref());
        slices(&self.first)
            .chain(bits)
            .chain(slices(palette))
            .chain(transparent)
            .chain(background)
            .chain(slices(&self.middle))
    }

    /// Returns the chunks after the image data, in order.
    pub(in crate::png) fn after(&self) -> impl Iterator<Item = ([u8; 4], &[u8])> {
        slices(&self.last)
    }
}

fn slices(chunks: &[Written]) -> impl Iterator<Item = ([u8; 4], &[u8])> {
    chunks.iter().map(|(name, data)| (*name, &data[..]))
}

fn fixed(name: [u8; 4], data: Option<&Fixed>) -> Option<([u8; 4], &[u8])> {
    data.map(|data| (name, data.bytes()))
}

fn push(
    to: &mut Vec<Written>,
    chunk: [u8; 4],
    data: Result<Vec<u8>, Refusal>,
) -> Result<(), Refused> {
    let pushed = data.and_then(|data| {
        if data.len() > i32::MAX as usize {
            return Err("the chunk is longer than 2^31-1 bytes".into());
        }
        Ok(alloc::push(to, (chunk, data))?)
    });
    pushed.map_err(|refusal| Refused { chunk, refusal })
}

fn push_fixed(
    to: &mut Vec<Written>,
    name: [u8; 4],
    data: Result<Fixed, Wrong>,
) -> Result<(), Refused> {
    let data = data.map_err(Refusal::from);
    push(
        to,
        name,
        data.and_then(|data| Ok(alloc::joined(&[data.bytes()])?)),
    )
}

/// The names that fields stand for, and those of the image itself.
const KNOWN: [&[u8; 4]; 23] = [
    b"IHDR", b"PLTE", b"IDAT", b"IEND", b"acTL", b"fcTL", b"fdAT", b"tEXt", b"zTXt", b"iTXt",
    b"pHYs", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"cICP", b"mDCV", b"cLLI", b"eXIf", b"sBIT",
    b"bKGD", b"tIME", b"tRNS",
];

/// Returns whether a field of [`Metadata`] stands for chunks of this name, or
/// the image itself.
pub(super) fn is_known(name: [u8; 4]) -> bool {
    KNOWN.contains(&&name)
}

/// Checks the name of a chunk that no field stands for (5.4).
pub(super) fn check_name(name: [u8; 4]) -> Result<(), Wrong> {
    if !name.iter().all(u8::is_ascii_alphabetic) {
        return Err("a name has four letters");
    }
    if name[0].is_ascii_uppercase() {
        return Err("critical chunks can't be added: the first letter must be lower case");
    }
    if name[2].is_ascii_lowercase() {
        return Err("the third letter of a name must be upper case");
    }
    if is_known(name) {
        return Err("chunks of this name can't be added: use the field of Metadata");
    }
    Ok(())
}
