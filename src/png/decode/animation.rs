//! The canvas of an animated file, on which frames are composed (PNG third
//! edition, 4.9 and 11.3.6).

use png::ColorType;
use std::time::Duration;

use crate::alloc::{self, zeroed};
use crate::format::{FileFormat, PngFormat};
use crate::{Error, ErrorKind};

/// The data of `acTL` (11.3.6.1).
#[derive(Clone, Copy)]
pub(super) struct AnimationControl {
    pub(super) frames: u32,
    /// How often the animation is played; 0 is without end.
    pub(super) plays: u32,
}

impl AnimationControl {
    pub(super) fn parse(data: [u8; 8]) -> Result<Self, &'static str> {
        let [a, b, c, d, e, f, g, h] = data;
        let control = AnimationControl {
            frames: u32::from_be_bytes([a, b, c, d]),
            plays: u32::from_be_bytes([e, f, g, h]),
        };
        let most = i32::MAX as u32;
        if control.frames == 0 || control.frames > most || control.plays > most {
            return Err("frames must be 1 to 2^31-1 and plays at most 2^31-1");
        }
        Ok(control)
    }
}

/// The data of `fcTL` (11.3.6.2).
#[derive(Clone, Copy)]
pub(super) struct FrameControl {
    region: Region,
    /// Numerator and denominator of the seconds.
    delay: (u16, u16),
    dispose: png::DisposeOp,
    blend: png::BlendOp,
    /// The bytes of the data.
    pub(super) bytes: [u8; 26],
}

impl FrameControl {
    /// Parses `fcTL` for a canvas of this size. Does not check the sequence
    /// number.
    pub(super) fn parse(bytes: [u8; 26], width: u32, height: u32) -> Result<Self, &'static str> {
        let number = |at: usize| {
            u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
        };
        let short = |at: usize| u16::from_be_bytes([bytes[at], bytes[at + 1]]);
        let region = Region {
            width: number(4),
            height: number(8),
            x: number(12),
            y: number(16),
        };
        let inside = |at: u32, size: u32, of: u32| {
            size > 0 && u64::from(at) + u64::from(size) <= u64::from(of)
        };
        if !inside(region.x, region.width, width) || !inside(region.y, region.height, height) {
            return Err("the frame is empty or reaches out of the canvas");
        }
        let (Some(dispose), Some(blend)) = (
            png::DisposeOp::from_u8(bytes[24]),
            png::BlendOp::from_u8(bytes[25]),
        ) else {
            return Err("the dispose operation must be 0 to 2, the blend operation 0 or 1");
        };
        Ok(FrameControl {
            region,
            delay: (short(20), short(22)),
            dispose,
            blend,
            bytes,
        })
    }

    /// Returns the width and the height of the frame in pixels.
    pub(super) fn size(&self) -> (u32, u32) {
        (self.region.width, self.region.height)
    }

    /// Returns whether the frame covers a canvas of this size.
    pub(super) fn is_whole(&self, width: u32, height: u32) -> bool {
        self.size() == (width, height)
    }

    /// Returns how long the frame is shown. A denominator of 0 means 100.
    pub(super) fn delay(&self) -> Duration {
        let (numerator, denominator) = self.delay;
        let denominator = match denominator {
            0 => 100,
            denominator => u64::from(denominator),
        };
        Duration::from_nanos(u64::from(numerator) * 1_000_000_000 / denominator)
    }
}

/// The canvas, and the memory to compose frames on it.
pub(super) struct Canvas {
    /// RGBA in the format of PNG.
    pixels: Vec<u8>,
    /// The pixels before the last frame, if that frame restores them.
    previous: Vec<u8>,
    /// The region of the last frame, and how to dispose of it.
    last: Option<(Region, png::DisposeOp)>,
    /// A frame in the format of the file.
    frame: Vec<u8>,
    /// A row of a frame in the format of the canvas.
    row: Vec<u8>,
    /// The format of the canvas.
    pub(super) format: FileFormat,
    width: u32,
    /// The number of frames that have been composed.
    pub(super) frames: u32,
}

/// A rectangle of the canvas, in pixels.
#[derive(Clone, Copy)]
struct Region {
    x: u32,
    y: u32,
    width: u32,
    height: u32,
}

impl Canvas {
    /// Returns the format of the canvas of a file.
    fn png_format(file: &FileFormat) -> PngFormat {
        PngFormat {
            color: ColorType::Rgba,
            depth: file.png.depth.max(8),
        }
    }

    /// Returns the bytes that a canvas of this size allocates.
    pub(super) fn size(file: &FileFormat, width: u32, height: u32) -> u64 {
        let row = Self::png_format(file).row_size(width);
        let pixels = row.saturating_mul(height.into());
        let frame = file.png.row_size(width).saturating_mul(height.into());
        pixels.saturating_mul(2).saturating_add(frame)
    }

    pub(super) fn new(file: &FileFormat, width: u32, height: u32) -> Result<Self, Error> {
        let png = Self::png_format(file);
        let row = png.row_size(width);
        let frame = file.png.row_size(width).saturating_mul(height.into());
        Ok(Canvas {
            pixels: zeroed(row.saturating_mul(height.into()))?,
            previous: Vec::new(),
            last: None,
            frame: zeroed(frame)?,
            row: zeroed(row)?,
            format: FileFormat {
                png,
                palette: None,
                transparent: None,
            },
            width,
            frames: 0,
        })
    }

    /// Returns the memory for the next frame, in the format of the file, filled
    /// with zeros: pixels of less than a byte are added bit by bit.
    pub(super) fn frame_mut(&mut self) -> &mut [u8] {
        self.frame.fill(0);
        &mut self.frame
    }

    /// Returns a row of the canvas.
    pub(super) fn row(&self, y: u32) -> &[u8] {
        let size = self.format.png.row_size(self.width) as usize;
        &self.pixels[y as usize * size..][..size]
    }

    /// Composes the decoded frame with the canvas.
    ///
    /// # Errors
    ///
    /// An index beyond the palette; no memory for the previous pixels.
    pub(super) fn compose(
        &mut self,
        file: &FileFormat,
        control: &FrameControl,
    ) -> Result<(), Error> {
        self.dispose();
        let region = control.region;
        // There are no pixels before the first frame (11.3.6.2).
        let dispose = match control.dispose {
            png::DisposeOp::Previous if self.frames == 0 => png::DisposeOp::Background,
            dispose => dispose,
        };
        if dispose == png::DisposeOp::Previous {
            self.previous.clear();
            alloc::reserve(&mut self.previous, self.pixels.len())?;
            self.previous.extend_from_slice(&self.pixels);
        }
        self.last = Some((region, dispose));

        let to = self.format.png;
        let (size, width) = (to.pixel_size(), region.width as usize);
        let row_size = file.png.row_size(region.width) as usize;
        let canvas_row = to.row_size(self.width) as usize;
        let rows = self.frame.chunks_exact(row_size);
        for (y, frame_row) in (region.y..region.y + region.height).zip(rows) {
            let row = &mut self.row[..width * size];
            if file.is_stored_as(to) {
                row.copy_from_slice(frame_row);
            } else {
                file.convert_row(frame_row, to, width, row)
                    .map_err(|(x, index)| ErrorKind::IndexOutside {
                        x: region.x + x as u32,
                        y,
                        index,
                        colors: file.palette.as_ref().map_or(0, |p| p.colors().len()),
                    })?;
            }
            let at = y as usize * canvas_row + region.x as usize * size;
            let canvas = &mut self.pixels[at..at + row.len()];
            match control.blend {
                png::BlendOp::Source => canvas.copy_from_slice(row),
                png::BlendOp::Over => over(to.depth, row, canvas),
            }
        }
        self.frames += 1;
        Ok(())
    }

    /// Applies the dispose operation of the last frame.
    fn dispose(&mut self) {
        let Some((region, dispose)) = self.last.take() else {
            return;
        };
        match dispose {
            png::DisposeOp::None => {}
            png::DisposeOp::Background => {
                let size = self.format.png.pixel_size();
                let row = self.format.png.row_size(self.width) as usize;
                for y in region.y..region.y + region.height {
                    let at = y as usize * row + region.x as usize * size;
                    self.pixels[at..at + region.width as usize * size].fill(0);
                }
            }
            png::DisposeOp::Previous => std::mem::swap(&mut self.pixels, &mut self.previous),
        }
    }
}

/// Blends a row of pixels over pixels of the canvas (13.16), rounded to nearest.
/// Alpha is not premultiplied.
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

/// Blends one pixel over another. `max` is the largest sample.
fn blend(max: u64, [r, g, b, a]: [u64; 4], [ur, ug, ub, ua]: [u64; 4]) -> [u64; 4] {
    if a == max || ua == 0 {
        return [r, g, b, a];
    }
    // The weights of both pixels, times max.
    let (weight, under_weight) = (a * max, ua * (max - a));
    let all = weight + under_weight;
    let mix =
        |color: u64, under: u64| (color * weight + under * under_weight + all / 2) / all.max(1);
    [mix(r, ur), mix(g, ug), mix(b, ub), (all + max / 2) / max]
}
