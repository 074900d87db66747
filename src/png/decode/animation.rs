//! Frames of an animated file, put together on their canvas (PNG third edition,
//! 4.9 and 11.3.6).

use png::ColorType;
use std::time::Duration;

use crate::alloc::zeroed;
use crate::format::PngFormat;
use crate::png::file_format::FileFormat;
use crate::{Error, ErrorKind};

/// `acTL` (11.3.6.1).
#[derive(Clone, Copy)]
pub(super) struct Control {
    pub(super) frames: u32,
    /// 0 is for ever.
    pub(super) plays: u32,
}

impl Control {
    pub(super) fn parse(data: [u8; 8]) -> Result<Self, &'static str> {
        let [a, b, c, d, e, f, g, h] = data;
        let control = Control {
            frames: u32::from_be_bytes([a, b, c, d]),
            plays: u32::from_be_bytes([e, f, g, h]),
        };
        let most = i32::MAX as u32;
        if control.frames == 0 || control.frames > most || control.plays > most {
            return Err("there are from 1 to 2^31-1 frames, and at most as many plays");
        }
        Ok(control)
    }
}

/// `fcTL` (11.3.6.2).
#[derive(Clone, Copy)]
pub(super) struct FrameControl {
    region: Region,
    delay: (u16, u16),
    dispose: png::DisposeOp,
    blend: png::BlendOp,
    /// The chunk's data.
    pub(super) bytes: [u8; 26],
}

impl FrameControl {
    /// Of a frame on a canvas of this size. Its number is looked at elsewhere.
    pub(super) fn parse(bytes: [u8; 26], width: u32, height: u32) -> Result<Self, &'static str> {
        let long = |at: usize| {
            u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
        };
        let short = |at: usize| u16::from_be_bytes([bytes[at], bytes[at + 1]]);
        let region = Region {
            width: long(4),
            height: long(8),
            x: long(12),
            y: long(16),
        };
        let inside = |at: u32, size: u32, of: u32| {
            size > 0 && u64::from(at) + u64::from(size) <= u64::from(of)
        };
        if !inside(region.x, region.width, width) || !inside(region.y, region.height, height) {
            return Err("the frame is empty or reaches beyond the canvas");
        }
        let (Some(dispose), Some(blend)) = (
            png::DisposeOp::from_u8(bytes[24]),
            png::BlendOp::from_u8(bytes[25]),
        ) else {
            return Err("there is no such way to dispose of a frame, or to blend it");
        };
        Ok(FrameControl {
            region,
            delay: (short(20), short(22)),
            dispose,
            blend,
            bytes,
        })
    }

    pub(super) fn size(&self) -> (u32, u32) {
        (self.region.width, self.region.height)
    }

    /// Whether the frame is all of a canvas of this size, as the image of the
    /// file has to be.
    pub(super) fn is_whole(&self, width: u32, height: u32) -> bool {
        self.size() == (width, height)
    }

    /// How long the frame is shown: a denominator of 0 is 100.
    pub(super) fn delay(&self) -> Duration {
        let (numerator, denominator) = self.delay;
        let denominator = match denominator {
            0 => 100,
            denominator => u64::from(denominator),
        };
        Duration::from_nanos(u64::from(numerator) * 1_000_000_000 / denominator)
    }
}

/// The canvas, and what is to become of it before the next frame.
pub(super) struct Animation {
    /// RGBA as PNG has it.
    canvas: Vec<u8>,
    /// The canvas before the last frame, if it comes back.
    kept: Vec<u8>,
    /// Where the last frame was, and what becomes of it.
    last: Option<(Region, png::DisposeOp)>,
    /// A frame as the file has it, and a row of it as RGBA.
    raw: Vec<u8>,
    row: Vec<u8>,
    pub(super) file: FileFormat,
    width: u32,
    /// Frames that have been shown.
    pub(super) shown: u32,
}

/// A part of the canvas, in pixels.
#[derive(Clone, Copy)]
struct Region {
    x: u32,
    y: u32,
    width: u32,
    height: u32,
}

impl Animation {
    /// The type of the canvas of a file.
    pub(super) fn png(file: &FileFormat) -> PngFormat {
        PngFormat {
            color: ColorType::Rgba,
            depth: file.png.depth.max(8),
        }
    }

    /// Bytes that are held for a canvas of this size.
    pub(super) fn size(file: &FileFormat, width: u32, height: u32) -> u64 {
        let canvas = Self::png(file)
            .row_size(width)
            .saturating_mul(height.into());
        let raw = file.png.row_size(width).saturating_mul(height.into());
        canvas.saturating_mul(2).saturating_add(raw)
    }

    pub(super) fn new(file: &FileFormat, width: u32, height: u32) -> Result<Self, Error> {
        let png = Self::png(file);
        let row = png.row_size(width);
        let raw = file.png.row_size(width).saturating_mul(height.into());
        Ok(Animation {
            canvas: zeroed(row.saturating_mul(height.into()))?,
            kept: Vec::new(),
            last: None,
            raw: zeroed(raw)?,
            row: zeroed(row)?,
            file: FileFormat {
                png,
                palette: None,
                transparent: None,
            },
            width,
            shown: 0,
        })
    }

    /// Where the next frame is to be decoded, as the file has it, row by row:
    /// zeros, since passes are put together with what is there.
    pub(super) fn raw(&mut self) -> &mut [u8] {
        self.raw.fill(0);
        &mut self.raw
    }

    /// A row of the canvas.
    pub(super) fn row(&self, y: u32) -> &[u8] {
        let size = self.file.png.row_size(self.width) as usize;
        &self.canvas[y as usize * size..][..size]
    }

    /// Puts the frame that was decoded onto the canvas.
    pub(super) fn show(&mut self, file: &FileFormat, control: &FrameControl) -> Result<(), Error> {
        self.dispose();
        let region = control.region;
        // Of the first frame nothing can come back (11.3.6.2).
        let dispose = match control.dispose {
            png::DisposeOp::Previous if self.shown == 0 => png::DisposeOp::Background,
            dispose => dispose,
        };
        if dispose == png::DisposeOp::Previous {
            self.kept.clear();
            let reserved = self.kept.try_reserve_exact(self.canvas.len());
            let bytes = self.canvas.len() as u64;
            reserved.map_err(|_| ErrorKind::OutOfMemory { bytes })?;
            self.kept.extend_from_slice(&self.canvas);
        }
        self.last = Some((region, dispose));

        let to = self.file.png;
        let (size, width) = (to.pixel_size(), region.width as usize);
        let row_size = file.png.row_size(region.width) as usize;
        let canvas_row = to.row_size(self.width) as usize;
        let rows = self.raw.chunks_exact(row_size);
        for (y, raw) in (region.y..region.y + region.height).zip(rows) {
            let row = &mut self.row[..width * size];
            if file.is_stored_as(to) {
                row.copy_from_slice(raw);
            } else {
                file.convert_row(raw, to, width, row)
                    .map_err(|(x, index)| ErrorKind::IndexOutside {
                        x: region.x + x as u32,
                        y,
                        index,
                        colors: file.palette.as_ref().map_or(0, |p| p.colors().len()),
                    })?;
            }
            let at = y as usize * canvas_row + region.x as usize * size;
            let canvas = &mut self.canvas[at..at + row.len()];
            match control.blend {
                png::BlendOp::Source => canvas.copy_from_slice(row),
                png::BlendOp::Over => over(to.depth, row, canvas),
            }
        }
        self.shown += 1;
        Ok(())
    }

    /// Does with the last frame what it asked for.
    fn dispose(&mut self) {
        let Some((region, dispose)) = self.last.take() else {
            return;
        };
        match dispose {
            png::DisposeOp::None => {}
            png::DisposeOp::Background => {
                let size = self.file.png.pixel_size();
                let row = self.file.png.row_size(self.width) as usize;
                for y in region.y..region.y + region.height {
                    let at = y as usize * row + region.x as usize * size;
                    self.canvas[at..at + region.width as usize * size].fill(0);
                }
            }
            png::DisposeOp::Previous => std::mem::swap(&mut self.canvas, &mut self.kept),
        }
    }
}

/// Straight colours over others (13.16), to the nearest.
fn over(depth: u8, row: &[u8], canvas: &mut [u8]) {
    if depth == 8 {
        let pairs = canvas
            .as_chunks_mut::<4>()
            .0
            .iter_mut()
            .zip(row.as_chunks::<4>().0);
        for (under, pixel) in pairs {
            *under = blend(255, pixel.map(u64::from), under.map(u64::from)).map(|s| s as u8);
        }
    } else {
        let wide = |pixel: &[u8; 8]| -> [u64; 4] {
            let samples = pixel.as_chunks::<2>().0;
            std::array::from_fn(|i| u64::from(u16::from_be_bytes(samples[i])))
        };
        let pairs = canvas
            .as_chunks_mut::<8>()
            .0
            .iter_mut()
            .zip(row.as_chunks::<8>().0);
        for (under, pixel) in pairs {
            let samples = blend(65535, wide(pixel), wide(under));
            for (bytes, sample) in under.as_chunks_mut().0.iter_mut().zip(samples) {
                *bytes = (sample as u16).to_be_bytes();
            }
        }
    }
}

fn blend(max: u64, [r, g, b, a]: [u64; 4], [ur, ug, ub, ua]: [u64; 4]) -> [u64; 4] {
    if a == max || ua == 0 {
        return [r, g, b, a];
    }
    // Times max: alpha, and what shows of that below.
    let (above, below) = (a * max, ua * (max - a));
    let all = above + below;
    let mix = |color: u64, under: u64| (color * above + under * below + all / 2) / all.max(1);
    [mix(r, ur), mix(g, ug), mix(b, ub), (all + max / 2) / max]
}
