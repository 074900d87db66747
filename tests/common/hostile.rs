//! A source whose every answer is decided by a byte of a script: it lies, shrinks,
//! fails, panics, calls back, or behaves. For tests and for a fuzz target.

#![allow(unreachable_pub)]

use std::cell::Cell;
use std::io;
use std::ops::ControlFlow::{Break, Continue};
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};

use pixview::png::Consistency;
use pixview::source::{Lease, LeaseMut, LiveBytes, LiveBytesMut, SourceError};
use pixview::{
    Compression, Image, Layout, Palette, PixelFormat, PixelSource, PixelSourceMut, PngDecoder,
    PngEncoder,
};

use super::common::decode;

/// The payload of a panic that the script asked for.
struct OnPurpose;

/// Bytes that decide. When they are used up, each decision is 0: behave.
struct Script<'a> {
    bytes: &'a [u8],
    next: Cell<usize>,
    may_panic: bool,
}

impl Script<'_> {
    fn byte(&self) -> u8 {
        let next = self.next.get();
        self.next.set(next + 1);
        self.bytes.get(next).copied().unwrap_or(0)
    }

    fn below(&self, end: usize) -> usize {
        (usize::from(self.byte()) << 8 | usize::from(self.byte())) % end
    }

    /// Returns whether to misbehave, and how. Most decisions are to behave, so that
    /// saves get far.
    fn lie(&self) -> u8 {
        match self.byte() {
            lie @ 1..=40 => lie,
            _ => 0,
        }
    }

    fn panic(&self) {
        if self.may_panic {
            panic_any(OnPurpose);
        }
    }
}

/// The source.
struct Hostile<'a> {
    script: &'a Script<'a>,
    memory: Vec<Cell<u8>>,
    stable: Vec<u8>,
    element_size: usize,
    layout: Layout,
    /// How deep calls back are nested.
    depth: Cell<u32>,
}

/// Live bytes that may differ from those of other leases.
struct Lies<'a> {
    source: &'a Hostile<'a>,
    len: usize,
    element_size: usize,
    atomic: bool,
}

impl Hostile<'_> {
    fn lies(&self, len: usize, element_size: usize, atomic: bool) -> Lies<'_> {
        Lies {
            source: self,
            len,
            element_size,
            atomic,
        }
    }

    /// Uses the image from within an access of the image.
    fn call_back(&self) {
        if self.depth.get() >= 2 {
            return;
        }
        self.depth.set(self.depth.get() + 1);
        if let Ok(image) = Image::with_layout(self, self.layout) {
            match self.script.byte() % 4 {
                0 => drop(PngEncoder::new().threads(2).write(&image, io::sink())),
                1 => drop(image.digest()),
                2 => drop(image.compare(&image.view().flip_vertical())),
                _ => drop(image.pixels().map(|pixels| pixels.get(0, 0))),
            }
        }
        self.depth.set(self.depth.get() - 1);
    }
}

impl PixelSource for Hostile<'_> {
    fn lease(&self) -> Result<Lease<'_>, SourceError> {
        let (len, size) = (self.memory.len(), self.element_size);
        let lies = match self.script.lie() {
            1 => return Err(SourceError::other("not now")),
            2 => return Err(SourceError::Poisoned),
            3..=5 if size == 1 => return Ok(Lease::slice(&self.stable[..])),
            6..=8 if size == 1 => return Ok(Lease::guard(&self.stable)),
            9 => return Ok(Lease::slice(&self.stable[..self.script.below(len + 1)])),
            10 => self.lies(self.script.below(2 * len + 1), size, false),
            11 => self.lies(usize::MAX, size, false),
            12 => self.lies(len, usize::from(self.script.byte()), false),
            13 => self.lies(len, size, true),
            14 => {
                self.script.panic();
                self.lies(len, size, false)
            }
            15..=17 => {
                self.call_back();
                self.lies(len, size, false)
            }
            _ => self.lies(len, size, false),
        };
        Ok(Lease::live(lies))
    }
}

impl PixelSourceMut for Hostile<'_> {
    fn lease_mut(&mut self) -> Result<LeaseMut<'_>, SourceError> {
        let (len, size) = (self.memory.len(), self.element_size);
        let lies = match self.script.lie() {
            1 => return Err(SourceError::Borrowed),
            2..=5 if size == 1 => return Ok(LeaseMut::slice(&mut self.stable[..])),
            6 => return Ok(LeaseMut::slice(&mut self.stable[..len / 2])),
            7 => self.lies(self.script.below(2 * len + 1), size, false),
            8 => {
                self.script.panic();
                self.lies(len, size, false)
            }
            _ => self.lies(len, size, false),
        };
        Ok(LeaseMut::live(lies))
    }
}

impl LiveBytes for Lies<'_> {
    fn len(&self) -> usize {
        match self.source.script.lie() {
            1 => self.source.script.below(2 * self.len.min(1 << 20) + 2),
            _ => self.len,
        }
    }

    fn element_size(&self) -> usize {
        match self.source.script.lie() {
            1 => 0,
            2 => usize::from(self.source.script.byte()),
            _ => self.element_size,
        }
    }

    fn is_atomic(&self) -> bool {
        self.atomic != (self.source.script.lie() == 1)
    }

    fn generation(&self) -> Option<u64> {
        match self.source.script.lie() {
            1..=5 => None,
            6 => Some(self.source.script.below(4) as u64),
            7 => Some(u64::MAX),
            8 => {
                self.source.script.panic();
                Some(0)
            }
            9 => {
                self.source.call_back();
                Some(4)
            }
            _ => Some(4),
        }
    }

    fn copy_to(&self, offset: usize, to: &mut [u8]) -> Result<(), SourceError> {
        let script = self.source.script;
        let filled = match script.lie() {
            1 => return Err(SourceError::other("not these")),
            2 => script.below(to.len() + 1),
            3 => {
                script.panic();
                to.len()
            }
            4 => {
                // Other bytes from now on.
                let at = script.below(self.source.memory.len().max(1));
                if let Some(cell) = self.source.memory.get(at) {
                    cell.set(script.byte());
                }
                to.len()
            }
            5 | 6 => {
                self.source.call_back();
                to.len()
            }
            _ => to.len(),
        };
        let cells = self.source.memory.iter().skip(offset);
        for (cell, to) in cells.zip(&mut to[..filled]) {
            *to = cell.get();
        }
        Ok(())
    }
}

impl LiveBytesMut for Lies<'_> {
    fn copy_from(&mut self, offset: usize, from: &[u8]) -> Result<(), SourceError> {
        let script = self.source.script;
        match script.lie() {
            1 => return Err(SourceError::other("not here")),
            2 => return Ok(()),
            3 => script.panic(),
            4 => self.source.call_back(),
            _ => {}
        }
        for (cell, byte) in self.source.memory.iter().skip(offset).zip(from) {
            cell.set(*byte);
        }
        Ok(())
    }
}

/// What came of a script.
#[derive(Debug, Default)]
pub struct Outcome {
    pub files: u32,
    pub errors: u32,
    pub panics: u32,
}

/// Runs a script: an image over a hostile source, saved, read, compared, converted and
/// written with many options. Each file that is complete must be valid, no panic may be
/// this crate's own, and the encoder must work on.
pub fn run(bytes: &[u8], may_panic: bool) -> Outcome {
    let script = &Script {
        bytes,
        next: Cell::new(0),
        may_panic,
    };
    let format = PixelFormat::ALL[usize::from(script.byte()) % PixelFormat::ALL.len()];
    let (width, height) = match script.byte() {
        // Several strips, and a row that is wider than the blocks of a copy.
        250.. => (40, 1700),
        240..=249 => (5000, 2),
        side => (u32::from(side % 15) + 1, u32::from(side / 15) + 1),
    };
    let mut layout = Layout::packed(width, height, format);
    match script.byte() % 4 {
        1 => layout = layout.flip_vertical(),
        2 => layout = layout.transpose(),
        3 => layout = layout.flip_horizontal(),
        _ => {}
    }
    let len = (format.row_size(width) * u64::from(height)) as usize;
    let fill = |i: usize| {
        script
            .bytes
            .get(i % 61)
            .map_or(i as u8, |byte| byte.wrapping_add(i as u8))
    };
    let mut source = Hostile {
        script,
        memory: (0..len).map(|i| Cell::new(fill(i))).collect(),
        stable: (0..len).map(fill).collect(),
        element_size: 1,
        layout,
        depth: Cell::new(0),
    };
    let mut encoder = PngEncoder::new()
        .compression(match script.byte() % 8 {
            0..=3 => Compression::Fast,
            4 | 5 => Compression::Stored,
            6 => Compression::Small,
            _ => Compression::Best,
        })
        .threads(usize::from(script.byte() % 3) + 1)
        .reduce(script.byte() % 4 == 1)
        .reuse_strips(u32::from(script.byte() % 3))
        .consistency(match script.byte() % 3 {
            0 => Consistency::Hold,
            1 => Consistency::Snapshot,
            _ => Consistency::Rows,
        });
    let fewest_reports = usize::from(script.byte());
    let mut reports = 0;
    if fewest_reports < 20 {
        encoder = encoder.on_progress(move |_| {
            reports += 1;
            if reports > fewest_reports {
                Break(())
            } else {
                Continue(())
            }
        });
    }

    let mut outcome = Outcome::default();
    let colors: Vec<[u8; 3]> = (0..=255).map(|i| [i, 0, 255 - i]).collect();
    let palette = Palette::from_rgb(&colors[..1 << format.bits_per_pixel().min(8)]).unwrap();
    for _ in 0..6 {
        let operation = script.byte();
        let result = catch_unwind(AssertUnwindSafe(|| {
            let depth = source.depth.get();
            let mut image = Image::with_layout(&mut source, layout)?;
            if format.is_indexed() {
                image = image.with_palette(palette.clone())?;
            }
            assert_eq!(depth, 0);
            match operation % 12 {
                0..=4 => {
                    let mut png = Vec::new();
                    encoder.write(&image, &mut png)?;
                    let decoded = decode(&png);
                    let (width, height) = (layout.width() as usize, layout.height() as usize);
                    assert_eq!((decoded.width, decoded.height), (width, height));
                    return Ok(true);
                }
                5 => drop(image.digest()?),
                6 => drop(image.compare(&image.view().flip_vertical())?),
                7 => drop(image.to_vec_as(PixelFormat::RGBA16)?),
                8 => {
                    let mut other = Image::new(layout.width(), layout.height(), format)?;
                    image.copy_into(&mut other)?;
                    other.copy_into(&mut image)?;
                }
                9 => {
                    let gray = Image::new(layout.width(), layout.height(), PixelFormat::GRAY8)?;
                    let png = gray.to_png()?;
                    PngDecoder::new().open_bytes(&png)?.read_into(&mut image)?;
                }
                10 => {
                    let mut pixels = image.pixels_mut()?;
                    let samples = pixels.get(0, 0)?;
                    pixels.put(0, 0, &samples[..])?;
                    pixels.fill_rect(0, 0, layout.width(), 1, &samples[..])?;
                }
                _ => {
                    for row in image.pixels()?.rows() {
                        row?;
                    }
                }
            }
            Ok::<bool, pixview::Error>(false)
        }));
        match result {
            Ok(Ok(is_file)) => outcome.files += u32::from(is_file),
            Ok(Err(_)) => outcome.errors += 1,
            Err(payload) => {
                assert!(
                    may_panic && payload.is::<OnPurpose>(),
                    "a panic of another's"
                );
                outcome.panics += 1;
            }
        }
        source.depth.set(0);
    }

    // The encoder is as good as new: it saves another image as a new one would.
    let honest = Image::from_buffer(&[7u8; 17 * 9], 17, 9, PixelFormat::GRAY8).unwrap();
    let png = encoder
        .on_progress(|_| Continue(()))
        .reduce(false)
        .to_png(&honest);
    assert_eq!(decode(&png.unwrap()).samples, [7; 17 * 9]);
    outcome
}
