//! What is measured.

use std::io::Cursor;

use libdeflater::{CompressionLvl, Compressor};
use miniz_oxide::deflate::core::{
    CompressorOxide, TDEFLFlush, TDEFLStatus, compress, create_comp_flags_from_zip_params,
};
use pixview::Compression;
use pixview::internals::{FastDeflate, Registers};
use zlib_rs::{Deflate, DeflateConfig, DeflateFlush, Status, Strategy};

use super::pictures::{Save, ours, png};

pub struct Encoder {
    pub name: String,
    pub work: Work,
}

/// Compresses the first bytes of a slice, as many as the number says, to a whole
/// stream and returns its size. At least [`FastDeflate::PADDING`] bytes follow them.
/// The output has room for every stream.
pub type Run = dyn FnMut(&[u8], usize, &mut [u8]) -> usize;

pub enum Work {
    /// Writes a whole file, filter and all.
    Save(Save),
    /// Compresses filtered scanlines.
    Deflate { wrapper: Wrapper, run: Box<Run> },
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Wrapper {
    /// A stream of deflate alone (RFC 1951).
    None,
    /// With the header and the checksum of zlib (RFC 1950).
    Zlib,
}

impl Wrapper {
    /// Returns the stream of deflate alone.
    pub fn within(self, stream: &[u8]) -> &[u8] {
        match self {
            Wrapper::None => stream,
            Wrapper::Zlib => &stream[2..stream.len() - 4],
        }
    }
}

/// What speeds and sizes are relative to.
pub const REFERENCE: &str = "png Balanced";

impl Encoder {
    /// Whether it is of this crate.
    pub fn is_ours(&self) -> bool {
        self.name.starts_with("pixview")
    }

    /// Returns the name of the package and the level, if there is a level.
    pub fn level(&self) -> Option<(&str, &str)> {
        let (package, level) = self.name.rsplit_once(' ')?;
        let is_level = level.starts_with(|c: char| c.is_ascii_digit()) || level == "rle";
        is_level.then_some((package, level))
    }

    fn save(name: &str, save: Save) -> Self {
        Encoder {
            name: name.to_owned(),
            work: Work::Save(save),
        }
    }

    pub fn deflate(
        name: impl Into<String>,
        wrapper: Wrapper,
        run: impl FnMut(&[u8], usize, &mut [u8]) -> usize + 'static,
    ) -> Self {
        let (name, run) = (name.into(), Box::new(run));
        Encoder {
            name,
            work: Work::Deflate { wrapper, run },
        }
    }
}

/// Returns every encoder, [`REFERENCE`] among them.
pub fn all() -> Vec<Encoder> {
    let mut all = vec![
        Encoder::save("pixview Fast", |p, out| ours(p, out, Compression::Fast, 1)),
        Encoder::save("pixview Small", |p, out| {
            ours(p, out, Compression::Small, 1);
        }),
        Encoder::save("pixview Best", |p, out| ours(p, out, Compression::Best, 1)),
        Encoder::save("png Fastest", |p, out| {
            png(p, out, png::Compression::Fastest);
        }),
        Encoder::save("png Fast", |p, out| png(p, out, png::Compression::Fast)),
        Encoder::save(REFERENCE, |p, out| png(p, out, png::Compression::Balanced)),
        fast_deflate(),
        fdeflate(),
        miniz(6),
    ];
    all.extend([1, 2, 4, 6, 8].map(libdeflate));
    all.extend([1, 2, 4, 6, 7, 9].map(|level| zlib(level, Strategy::Default)));
    all.extend(FILTERED.map(|level| zlib(level, Strategy::Filtered)));
    #[cfg(feature = "isal")]
    all.extend([0, 1, 2, 3].map(isal));
    all
}

/// The levels of `zlib-rs` at which the strategy makes a difference.
const FILTERED: [i32; 2] = [7, 9];

fn fast_deflate() -> Encoder {
    let registers = Registers::all().pop().expect("the last are the widest");
    let mut deflate = FastDeflate::new(registers);
    Encoder::deflate("pixview Fast, deflate", Wrapper::None, {
        move |padded, len, out| deflate.run(padded, len, out)
    })
}

/// The released version has one level that compresses.
fn fdeflate() -> Encoder {
    Encoder::deflate("fdeflate 0.3", Wrapper::Zlib, |padded, len, out| {
        let mut compressor = fdeflate::Compressor::new(Cursor::new(out)).unwrap();
        compressor.write_data(&padded[..len]).unwrap();
        compressor.finish().unwrap().position() as usize
    })
}

fn miniz(level: i32) -> Encoder {
    let flags = create_comp_flags_from_zip_params(level, -15, 0);
    let mut compressor = Box::new(CompressorOxide::new(flags));
    Encoder::deflate(format!("miniz_oxide {level}"), Wrapper::None, {
        move |padded, len, out| {
            compressor.reset();
            let data = &padded[..len];
            let (status, read, written) = compress(&mut compressor, data, out, TDEFLFlush::Finish);
            assert!(status == TDEFLStatus::Done && read == len);
            written
        }
    })
}

fn libdeflate(level: i32) -> Encoder {
    let mut compressor = Compressor::new(CompressionLvl::new(level).unwrap());
    Encoder::deflate(format!("libdeflate {level}"), Wrapper::None, {
        move |padded, len, out| compressor.deflate_compress(&padded[..len], out).unwrap()
    })
}

fn zlib(level: i32, strategy: Strategy) -> Encoder {
    let mut deflate = Deflate::new_with_config(DeflateConfig {
        level,
        window_bits: -15, // no wrapper
        strategy,
        ..DeflateConfig::default()
    });
    let filtered = match strategy {
        Strategy::Filtered => "-filtered",
        _ => "",
    };
    Encoder::deflate(format!("zlib-rs {level}{filtered}"), Wrapper::None, {
        move |padded, len, out| {
            deflate.reset();
            let status = deflate.compress(&padded[..len], out, DeflateFlush::Finish);
            assert!(status == Ok(Status::StreamEnd));
            deflate.total_out() as usize
        }
    })
}

#[cfg(feature = "isal")]
fn isal(level: u32) -> Encoder {
    let mut isal = super::isal::Isal::new(level);
    Encoder::deflate(format!("isal {level}"), Wrapper::None, {
        move |padded, len, out| isal.run(&padded[..len], out)
    })
}
