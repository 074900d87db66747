//! What a picture doesn't need: alpha that is opaque everywhere, colours that
//! are all gray, 16 bits whose halves are equal, colours that a palette holds.

use png::ColorType;
use std::collections::HashSet;

use crate::format::{BitOrder, PngFormat, fewest_bits, pack, to_png};
use crate::png::file_format::FileFormat;
use crate::strided::{self, Frame};
use crate::{Error, ErrorKind, Palette};

/// The most colours of a palette.
const MOST: usize = 256;

/// Rows with less than they came with, and the same pixels.
pub(super) struct Reduction {
    from: FileFormat,
    pub(super) to: PngFormat,
    /// The colours of indices, in order: alpha, red, green, blue, from the most
    /// significant bits down.
    colors: Vec<u32>,
}

/// What has been seen of the pixels so far.
struct Seen {
    opaque: bool,
    gray: bool,
    /// Whether 8 bits say it all.
    narrow: bool,
    /// No more than a palette holds, or it is forgotten.
    colors: Option<HashSet<u32>>,
    last: Option<u32>,
}

impl Reduction {
    /// Looks at all pixels, which lie in stable memory. `None` if they need all
    /// that they have.
    pub(super) fn find(frame: &Frame<'_>) -> Result<Option<Self>, Error> {
        let layout = frame.layout;
        let png = layout.format().png();
        let mut colors = HashSet::new();
        let reserved = colors.try_reserve(MOST + 1);
        let bytes = ((MOST + 1) * size_of::<u32>()) as u64;
        reserved.map_err(|_| ErrorKind::OutOfMemory { bytes })?;
        let mut seen = Seen {
            opaque: matches!(png.color, ColorType::GrayscaleAlpha | ColorType::Rgba),
            gray: matches!(png.color, ColorType::Rgb | ColorType::Rgba),
            narrow: png.depth == 16,
            colors: Some(colors),
            last: None,
        };
        for y in 0..layout.height() {
            let mut is_useful = true;
            let looked = each_block(frame, y, |_, pixels| {
                is_useful = seen.look(png, pixels);
                is_useful
            });
            looked.map_err(|error| error.at_row(y))?;
            if !is_useful {
                return Ok(None);
            }
        }

        let gray =
            seen.gray || matches!(png.color, ColorType::Grayscale | ColorType::GrayscaleAlpha);
        let alpha =
            matches!(png.color, ColorType::GrayscaleAlpha | ColorType::Rgba) && !seen.opaque;
        let mut to = PngFormat {
            color: match (gray, alpha) {
                (true, false) => ColorType::Grayscale,
                (true, true) => ColorType::GrayscaleAlpha,
                (false, false) => ColorType::Rgb,
                (false, true) => ColorType::Rgba,
            },
            depth: if seen.narrow { 8 } else { png.depth },
        };
        let mut colors: Vec<u32> = seen.colors.into_iter().flatten().collect();
        colors.sort_unstable();
        if to.depth == 8 && !colors.is_empty() {
            let depth = fewest_bits(colors.len());
            let color = ColorType::Indexed;
            let indexed = PngFormat { color, depth };
            // A palette has to be worth its bytes.
            let size = |png: PngFormat| png.row_size(layout.width()) * u64::from(layout.height());
            if size(indexed) + 4 * colors.len() as u64 + 24 < size(to) {
                to = indexed;
            }
        }
        if to.color != ColorType::Indexed {
            colors.clear();
        }
        let from = FileFormat {
            png,
            palette: None,
            transparent: None,
        };
        let reduction = Reduction { from, to, colors };
        Ok((to != png).then_some(reduction))
    }

    /// The palette, if there is one.
    pub(super) fn palette(&self) -> Option<Result<Palette, Error>> {
        let rgba = |&color: &u32| {
            let [a, r, g, b] = color.to_be_bytes();
            [r, g, b, a]
        };
        let colors: Vec<[u8; 4]> = self.colors.iter().map(rgba).collect();
        (!colors.is_empty()).then(|| Palette::from_rgba(&colors))
    }

    /// Writes pixels from column `x` on into a row that had zeros there. Blocks
    /// begin at multiples of eight pixels.
    pub(super) fn put(&self, pixels: &[u8], x: usize, row: &mut [u8]) {
        let count = pixels.len() / self.from.png.pixel_size();
        if self.to.color != ColorType::Indexed {
            let size = self.to.pixel_size();
            let out = &mut row[x * size..][..count * size];
            let adapted = self.from.convert_row(pixels, self.to, count, out);
            debug_assert!(adapted.is_ok(), "there are no indices");
            return;
        }
        let mut indices = [0; BLOCK];
        let (mut last, mut index) = (self.colors[0], 0);
        each_color(self.from.png, pixels, |i, color| {
            if color != last {
                (last, index) = (color, self.colors.binary_search(&color).unwrap_or(0));
            }
            indices[i] = index as u8;
        });
        if self.to.depth == 8 {
            row[x..x + count].copy_from_slice(&indices[..count]);
        } else {
            pack(self.to.depth, BitOrder::Msb, &indices[..count], x, row);
        }
    }
}

/// The most pixels of a block.
const BLOCK: usize = 256;

/// Passes on row `y` of a format of whole bytes as PNG holds it, some pixels at
/// a time, with the column of the first. Stops when `take` returns `false`.
pub(super) fn each_block(
    frame: &Frame<'_>,
    y: u32,
    mut take: impl FnMut(usize, &[u8]) -> bool,
) -> Result<(), Error> {
    let (width, format) = (frame.layout.width(), frame.layout.format());
    let (mut pixels, mut converted) = ([0; strided::BLOCK], [0; strided::BLOCK]);
    for x in (0..width).step_by(BLOCK) {
        let count = (width - x).min(BLOCK as u32);
        let pixels = &mut pixels[..count as usize * format.pixel_size()];
        let converted = &mut converted[..count as usize * format.png().pixel_size()];
        frame.pixels(x, y, count, pixels)?;
        to_png(format, pixels, converted);
        if !take(x as usize, converted) {
            break;
        }
    }
    Ok(())
}

impl Seen {
    /// Looks at pixels of a row. `false` if nothing is left to be saved.
    fn look(&mut self, png: PngFormat, pixels: &[u8]) -> bool {
        let size = png.pixel_size();
        let sample = usize::from(png.depth / 8);
        if self.narrow {
            self.narrow = pixels.as_chunks().0.iter().all(|&[high, low]| high == low);
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
        if png.depth == 16 && !self.narrow {
            self.colors = None;
        }
        if let Some(colors) = &mut self.colors {
            let mut last = self.last;
            each_color(png, pixels, |_, color| {
                if last != Some(color) && colors.len() <= MOST {
                    colors.insert(color);
                    last = Some(color);
                }
            });
            self.last = last;
            if colors.len() > MOST {
                self.colors = None;
            }
        }
        self.narrow || self.opaque || self.gray || self.colors.is_some()
    }
}

/// Each pixel as alpha, red, green, blue of 8 bits; of 16 the first eight.
fn each_color(png: PngFormat, pixels: &[u8], mut f: impl FnMut(usize, u32)) {
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
