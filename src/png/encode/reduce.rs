//! Lossless reduction of the color type and the bit depth: opaque alpha, RGB
//! that is gray, 16 bits with two equal bytes, few colors.

use png::ColorType;
use std::collections::HashSet;

use crate::format::{BitOrder, FileFormat, PngFormat, fewest_bits, pack, to_png};
use crate::strided::{self, Frame};
use crate::{Error, ErrorKind, Palette};

/// The maximum number of palette entries.
const MAX_COLORS: usize = 256;

/// A conversion of rows to a smaller PNG format that keeps every pixel.
pub(super) struct Reduction {
    source: FileFormat,
    pub(super) target: PngFormat,
    /// The palette, sorted, if the target is indexed. Each entry is alpha, red,
    /// green, blue, from the most significant byte down.
    colors: Vec<u32>,
}

/// The reductions that the pixels so far allow.
struct Candidates {
    /// Whether the pixels have alpha, and all of them are opaque.
    opaque: bool,
    /// Whether the pixels are RGB, and all of them are gray.
    gray: bool,
    /// Whether the samples have 16 bits, and both bytes are equal in all of them.
    eight_bits: bool,
    /// The colors, or `None` if there are more than [`MAX_COLORS`] or they need
    /// 16 bits.
    colors: Option<HashSet<u32>>,
    /// The color of the last pixel, which needs no second lookup.
    last_color: Option<u32>,
}

impl Reduction {
    /// Examines all pixels and returns a reduction, or `None` if there is none.
    /// The pixels must lie in stable memory: they are read again afterwards.
    pub(super) fn find(frame: &Frame<'_>) -> Result<Option<Self>, Error> {
        let layout = frame.layout;
        let png = layout.format().png();
        let mut colors = HashSet::new();
        let reserved = colors.try_reserve(MAX_COLORS + 1);
        let bytes = ((MAX_COLORS + 1) * size_of::<u32>()) as u64;
        reserved.map_err(|_| ErrorKind::OutOfMemory { bytes })?;
        let mut candidates = Candidates {
            opaque: matches!(png.color, ColorType::GrayscaleAlpha | ColorType::Rgba),
            gray: matches!(png.color, ColorType::Rgb | ColorType::Rgba),
            eight_bits: png.depth == 16,
            colors: Some(colors),
            last_color: None,
        };
        for y in 0..layout.height() {
            let mut any_left = true;
            let result = for_each_block(frame, y, |_, pixels| {
                any_left = candidates.examine(png, pixels);
                any_left
            });
            result.map_err(|error| error.at_row(y))?;
            if !any_left {
                return Ok(None);
            }
        }

        let gray = candidates.gray
            || matches!(png.color, ColorType::Grayscale | ColorType::GrayscaleAlpha);
        let alpha =
            matches!(png.color, ColorType::GrayscaleAlpha | ColorType::Rgba) && !candidates.opaque;
        let mut target = PngFormat {
            color: match (gray, alpha) {
                (true, false) => ColorType::Grayscale,
                (true, true) => ColorType::GrayscaleAlpha,
                (false, false) => ColorType::Rgb,
                (false, true) => ColorType::Rgba,
            },
            depth: if candidates.eight_bits { 8 } else { png.depth },
        };
        let mut colors: Vec<u32> = candidates.colors.into_iter().flatten().collect();
        colors.sort_unstable();
        if target.depth == 8 && !colors.is_empty() {
            let depth = fewest_bits(colors.len());
            let color = ColorType::Indexed;
            let indexed = PngFormat { color, depth };
            // The palette must save more bytes than its chunks take: 12 bytes
            // around each of PLTE and tRNS, and 4 bytes an entry.
            let size = |png: PngFormat| png.row_size(layout.width()) * u64::from(layout.height());
            if size(indexed) + 4 * colors.len() as u64 + 24 < size(target) {
                target = indexed;
            }
        }
        if target.color != ColorType::Indexed {
            colors.clear();
        }
        let source = FileFormat {
            png,
            palette: None,
            transparent: None,
        };
        let reduction = Reduction {
            source,
            target,
            colors,
        };
        Ok((target != png).then_some(reduction))
    }

    /// Returns the palette, or `None` if the target is not indexed.
    pub(super) fn palette(&self) -> Option<Result<Palette, Error>> {
        let rgba = |&color: &u32| {
            let [a, r, g, b] = color.to_be_bytes();
            [r, g, b, a]
        };
        let colors: Vec<[u8; 4]> = self.colors.iter().map(rgba).collect();
        (!colors.is_empty()).then(|| Palette::from_rgba(&colors))
    }

    /// Writes `pixels` into `row` from column `x` on, a multiple of eight. `row`
    /// must have zeros there.
    pub(super) fn write_pixels(&self, pixels: &[u8], x: usize, row: &mut [u8]) {
        let count = pixels.len() / self.source.png.pixel_size();
        if self.target.color != ColorType::Indexed {
            let size = self.target.pixel_size();
            let out = &mut row[x * size..][..count * size];
            let converted = self.source.convert_row(pixels, self.target, count, out);
            debug_assert!(converted.is_ok(), "only indices can fail");
            return;
        }
        let mut indices = [0; BLOCK];
        let (mut last, mut index) = (self.colors[0], 0);
        for_each_color(self.source.png, pixels, |i, color| {
            if color != last {
                (last, index) = (color, self.colors.binary_search(&color).unwrap_or(0));
            }
            indices[i] = index as u8;
        });
        if self.target.depth == 8 {
            row[x..x + count].copy_from_slice(&indices[..count]);
        } else {
            pack(self.target.depth, BitOrder::Msb, &indices[..count], x, row);
        }
    }
}

/// The maximum number of pixels in a block.
const BLOCK: usize = 256;

/// Calls `f` for each block of row `y`, with the column of its first pixel and
/// its pixels in the format of PNG. Stops when `f` returns `false`. Pixels must
/// have whole bytes.
pub(super) fn for_each_block(
    frame: &Frame<'_>,
    y: u32,
    mut f: impl FnMut(usize, &[u8]) -> bool,
) -> Result<(), Error> {
    let (width, format) = (frame.layout.width(), frame.layout.format());
    let (size, png_size) = (format.pixel_size(), format.png().pixel_size());
    let mut converted = [0; BLOCK * 8]; // no pixel of a file has more bytes
    let mut pass = |x: usize, pixels: &[u8]| {
        if format.is_stored_as_png() {
            return f(x, pixels);
        }
        let converted = &mut converted[..pixels.len() / size * png_size];
        to_png(format, pixels, converted);
        f(x, converted)
    };
    if let Some(row) = frame.row_in_place(y) {
        let mut blocks = row.chunks(BLOCK * size).enumerate();
        blocks.all(|(i, pixels)| pass(i * BLOCK, pixels));
        return Ok(());
    }
    let mut copied = [0; strided::BLOCK];
    let most = BLOCK.min(copied.len() / size);
    for x in (0..width).step_by(most) {
        let count = (width - x).min(most as u32);
        let pixels = &mut copied[..count as usize * size];
        frame.pixels(x, y, count, pixels)?;
        if !pass(x as usize, pixels) {
            break;
        }
    }
    Ok(())
}

impl Candidates {
    /// Examines pixels of a row. Returns whether any reduction is still
    /// possible.
    fn examine(&mut self, png: PngFormat, pixels: &[u8]) -> bool {
        let size = png.pixel_size();
        let sample = usize::from(png.depth / 8);
        if self.eight_bits {
            self.eight_bits = pixels.as_chunks().0.iter().all(|&[high, low]| high == low);
        }
        if self.opaque {
            let alphas = pixels
                .chunks_exact(size)
                .map(|pixel| &pixel[size - sample..]);
            self.opaque = alphas.flatten().all(|&byte| byte == u8::MAX);
        }
        if self.gray {
            let grays = |p: &[u8]| {
                p[..sample] == p[sample..2 * sample] && p[..sample] == p[2 * sample..3 * sample]
            };
            self.gray = pixels.chunks_exact(size).all(grays);
        }
        if png.depth == 16 && !self.eight_bits {
            self.colors = None;
        }
        if let Some(colors) = &mut self.colors {
            let mut last = self.last_color;
            for_each_color(png, pixels, |_, color| {
                if last != Some(color) && colors.len() <= MAX_COLORS {
                    colors.insert(color);
                    last = Some(color);
                }
            });
            self.last_color = last;
            if colors.len() > MAX_COLORS {
                self.colors = None;
            }
        }
        self.eight_bits || self.opaque || self.gray || self.colors.is_some()
    }
}

/// Calls `f` for each pixel, with its position and its alpha, red, green and
/// blue of 8 bits. Of 16 bits the high byte is taken.
fn for_each_color(png: PngFormat, pixels: &[u8], mut f: impl FnMut(usize, u32)) {
    let size = png.pixel_size();
    let step = usize::from(png.depth / 8);
    for (i, pixel) in pixels.chunks_exact(size).enumerate() {
        let sample = |c: usize| pixel[c * step];
        let argb = match png.color {
            ColorType::Grayscale | ColorType::Indexed => [255, sample(0), sample(0), sample(0)],
            ColorType::GrayscaleAlpha => [sample(1), sample(0), sample(0), sample(0)],
            ColorType::Rgb => [255, sample(0), sample(1), sample(2)],
            ColorType::Rgba => [sample(3), sample(0), sample(1), sample(2)],
        };
        f(i, u32::from_be_bytes(argb));
    }
}
