//! The format of the pixels in a file, and the conversion of its rows to another
//! format of PNG: other channels, another bit depth, colors instead of indices,
//! alpha instead of a transparent color.

use png::ColorType;

use super::{BitOrder, PngFormat, first_index_beyond, from_png, pack, to_png, unpack};
use crate::{ErrorKind, Palette, PixelFormat};

/// The format of the pixels in a file.
#[derive(Clone, Debug)]
pub(crate) struct FileFormat {
    pub(crate) png: PngFormat,
    /// The palette, if the pixels are indices.
    pub(crate) palette: Option<Palette>,
    /// The samples of the transparent color, if gray or RGB pixels have one: the
    /// tRNS chunk (PNG third edition, 11.3.1.1). Gray has the same sample three
    /// times.
    pub(crate) transparent: Option<[u16; 3]>,
}

/// Pixels in a block on the stack.
const BLOCK: usize = 256;

impl FileFormat {
    /// Returns the pixel format that holds the pixels without loss, in native byte
    /// order. The format has alpha if there is a transparent color.
    pub(crate) fn format(&self) -> PixelFormat {
        use PixelFormat as F;
        match (self.png.color, self.png.depth) {
            (ColorType::Grayscale, 16) if self.transparent.is_some() => F::GRAY_ALPHA16,
            (ColorType::Grayscale, _) if self.transparent.is_some() => F::GRAY_ALPHA8,
            (ColorType::Rgb, 8) if self.transparent.is_some() => F::RGBA8,
            (ColorType::Rgb, _) if self.transparent.is_some() => F::RGBA16,
            (ColorType::Grayscale, 1) => F::GRAY1,
            (ColorType::Grayscale, 2) => F::GRAY2,
            (ColorType::Grayscale, 4) => F::GRAY4,
            (ColorType::Grayscale, 8) => F::GRAY8,
            (ColorType::Grayscale, _) => F::GRAY16,
            (ColorType::GrayscaleAlpha, 8) => F::GRAY_ALPHA8,
            (ColorType::GrayscaleAlpha, _) => F::GRAY_ALPHA16,
            (ColorType::Rgb, 8) => F::RGB8,
            (ColorType::Rgb, _) => F::RGB16,
            (ColorType::Rgba, 8) => F::RGBA8,
            (ColorType::Rgba, _) => F::RGBA16,
            (ColorType::Indexed, 1) => F::INDEXED1,
            (ColorType::Indexed, 2) => F::INDEXED2,
            (ColorType::Indexed, 4) => F::INDEXED4,
            (ColorType::Indexed, _) => F::INDEXED8,
        }
    }

    /// Returns whether the rows have the format `to`, without conversion.
    pub(crate) fn is_stored_as(&self, to: PngFormat) -> bool {
        self.png == to
    }

    /// Returns an error if the pixels cannot be read as `format`: an indexed
    /// format needs indices.
    pub(crate) fn check(&self, format: PixelFormat) -> Result<(), ErrorKind> {
        if format.is_indexed() && self.png.color != ColorType::Indexed {
            return Err(ErrorKind::NoIndices {
                from: self.format(),
                format,
            });
        }
        Ok(())
    }

    /// Writes a row of `width` pixels in the format `to`, with unused bits 0.
    ///
    /// # Errors
    ///
    /// The column and the index of the first pixel whose index is beyond the
    /// palette, or too large for the bit depth of `to`.
    pub(crate) fn convert_row(
        &self,
        row: &[u8],
        to: PngFormat,
        width: usize,
        out: &mut [u8],
    ) -> Result<(), (usize, u8)> {
        let from = self.png;
        let alpha = matches!(to.color, ColorType::GrayscaleAlpha | ColorType::Rgba);
        // Whether no transparent color has to become alpha.
        let opaque = self.transparent.is_none() || !alpha;
        let colored = matches!(to.color, ColorType::Rgb | ColorType::Rgba);
        // The gray of a color is computed from 16 bits a sample, to round less.
        let by_8_bits = to.depth == 8 && opaque && (colored || from.color == to.color);
        match (from.color, to.color) {
            (ColorType::Indexed, ColorType::Indexed) => {
                return self.convert_indices(row, to, width, out);
            }
            (ColorType::Indexed, _) if to.depth == 8 && colored => {
                return self.expand_indices(row, to, width, out);
            }
            // RGB with padding in place of alpha: the conversion to it writes
            // padding as all ones, the conversion from it skips the padding.
            (ColorType::Rgb, ColorType::Rgba) if opaque && from.depth == to.depth => {
                from_png(PixelFormat::rgbx(to.depth), row, out);
            }
            (ColorType::Rgba, ColorType::Rgb) if from.depth == to.depth => {
                to_png(PixelFormat::rgbx(to.depth), row, out);
            }
            (ColorType::Indexed, _) => return self.convert_by_rgba16(row, to, width, out),
            _ if by_8_bits => self.convert_by_8_bits(row, to, width, out),
            (a, b) if a == b && from.depth == 8 && to.depth == 16 => {
                for (out, &sample) in out.as_chunks_mut().0.iter_mut().zip(row) {
                    *out = [sample, sample];
                }
            }
            _ => return self.convert_by_rgba16(row, to, width, out),
        }
        Ok(())
    }

    /// Writes the palette entries of indices as RGB or RGBA of 8 bits.
    fn expand_indices(
        &self,
        row: &[u8],
        to: PngFormat,
        width: usize,
        out: &mut [u8],
    ) -> Result<(), (usize, u8)> {
        let mut table = [[0; 4]; 256];
        let colors = self.palette.as_ref().map_or(&[][..], |p| p.colors());
        table[..colors.len()].copy_from_slice(colors);
        let mut indices = [0; BLOCK];
        for (x, out) in (0..width)
            .step_by(BLOCK)
            .zip(out.chunks_mut(BLOCK * to.pixel_size()))
        {
            let indices = &mut indices[..BLOCK.min(width - x)];
            load_samples(self.png.depth, row, x, indices);
            check_indices(indices, x, colors.len())?;
            if to.color == ColorType::Rgba {
                for (out, &index) in out.as_chunks_mut().0.iter_mut().zip(&*indices) {
                    *out = table[usize::from(index)];
                }
            } else {
                for (out, &index) in out.as_chunks_mut().0.iter_mut().zip(&*indices) {
                    let [r, g, b, _] = table[usize::from(index)];
                    *out = [r, g, b];
                }
            }
        }
        Ok(())
    }

    /// Writes samples of 8 bits in the same color type, or as RGB or RGBA.
    fn convert_by_8_bits(&self, row: &[u8], to: PngFormat, width: usize, out: &mut [u8]) {
        let PngFormat { color, depth } = self.png;
        let channels = color.samples();
        let mut samples = [0; 4 * BLOCK];
        for (x, out) in (0..width)
            .step_by(BLOCK)
            .zip(out.chunks_mut(BLOCK * to.pixel_size()))
        {
            let count = channels * BLOCK.min(width - x);
            let samples = &mut samples[..count];
            match depth {
                16 => {
                    let wide = row[2 * channels * x..].as_chunks().0;
                    for (sample, wide) in samples.iter_mut().zip(wide) {
                        *sample = narrow(u16::from_be_bytes(*wide));
                    }
                }
                8 => samples.copy_from_slice(&row[channels * x..][..count]),
                _ => {
                    load_samples(depth, row, x, samples);
                    let scale = 255 / ((1 << depth) - 1);
                    for sample in &mut *samples {
                        *sample *= scale as u8;
                    }
                }
            }
            match (color, to.color) {
                (ColorType::Grayscale, ColorType::Rgb) => map_pixels(samples, out, |[y]| [y, y, y]),
                (ColorType::Grayscale, ColorType::Rgba) => {
                    map_pixels(samples, out, |[y]| [y, y, y, 255]);
                }
                (ColorType::GrayscaleAlpha, ColorType::Rgb) => {
                    map_pixels(samples, out, |[y, _]| [y, y, y]);
                }
                (ColorType::GrayscaleAlpha, ColorType::Rgba) => {
                    map_pixels(samples, out, |[y, a]| [y, y, y, a]);
                }
                (ColorType::Rgb, ColorType::Rgba) => from_png(PixelFormat::rgbx(8), samples, out),
                (ColorType::Rgba, ColorType::Rgb) => to_png(PixelFormat::rgbx(8), samples, out),
                _ => out.copy_from_slice(samples),
            }
        }
    }

    /// Writes indices at another bit depth.
    fn convert_indices(
        &self,
        row: &[u8],
        to: PngFormat,
        width: usize,
        out: &mut [u8],
    ) -> Result<(), (usize, u8)> {
        let mut indices = [0; BLOCK];
        let max = u8::MAX >> (8 - to.depth);
        out.fill(0);
        for x in (0..width).step_by(BLOCK) {
            let indices = &mut indices[..BLOCK.min(width - x)];
            load_samples(self.png.depth, row, x, indices);
            check_indices(indices, x, usize::from(max) + 1)?;
            if to.depth == 8 {
                out[x..x + indices.len()].copy_from_slice(indices);
            } else {
                pack(to.depth, BitOrder::Msb, indices, x, out);
            }
        }
        Ok(())
    }

    /// Writes pixels of any format by way of RGBA of 16 bits a sample.
    fn convert_by_rgba16(
        &self,
        row: &[u8],
        to: PngFormat,
        width: usize,
        out: &mut [u8],
    ) -> Result<(), (usize, u8)> {
        let mut pixels = [[0; 4]; BLOCK];
        if to.depth < 8 {
            out.fill(0);
        }
        for x in (0..width).step_by(BLOCK) {
            let pixels = &mut pixels[..BLOCK.min(width - x)];
            self.load_rgba16(row, x, pixels)?;
            store_rgba16(to, pixels, x, out);
        }
        Ok(())
    }

    /// Reads pixels of `row` from column `x` on as RGBA of 16 bits a sample.
    fn load_rgba16(
        &self,
        row: &[u8],
        x: usize,
        pixels: &mut [[u16; 4]],
    ) -> Result<(), (usize, u8)> {
        let depth = self.png.depth;
        let transparent = self.transparent;
        if depth == 16 {
            let (_, samples) = row.split_at(x * self.png.pixel_size());
            let samples = samples.as_chunks::<2>().0;
            let get = |i: usize| u16::from_be_bytes(samples[i]);
            match self.png.color {
                ColorType::Grayscale | ColorType::Indexed => {
                    for (i, pixel) in pixels.iter_mut().enumerate() {
                        let y = get(i);
                        let opaque = transparent.is_none_or(|t| t[0] != y);
                        *pixel = [y, y, y, if opaque { u16::MAX } else { 0 }];
                    }
                }
                ColorType::GrayscaleAlpha => {
                    for (i, pixel) in pixels.iter_mut().enumerate() {
                        let y = get(2 * i);
                        *pixel = [y, y, y, get(2 * i + 1)];
                    }
                }
                ColorType::Rgb => {
                    for (i, pixel) in pixels.iter_mut().enumerate() {
                        let [r, g, b] = [get(3 * i), get(3 * i + 1), get(3 * i + 2)];
                        let opaque = transparent != Some([r, g, b]);
                        *pixel = [r, g, b, if opaque { u16::MAX } else { 0 }];
                    }
                }
                ColorType::Rgba => {
                    for (i, pixel) in pixels.iter_mut().enumerate() {
                        *pixel = [0, 1, 2, 3].map(|c| get(4 * i + c));
                    }
                }
            }
            return Ok(());
        }
        let wide = |sample: u8| u16::from(sample) * 257;
        match self.png.color {
            ColorType::Grayscale | ColorType::Indexed => {
                let mut samples = [0; BLOCK];
                let samples = &mut samples[..pixels.len()];
                load_samples(depth, row, x, samples);
                if let (ColorType::Indexed, Some(palette)) = (self.png.color, &self.palette) {
                    for (i, (pixel, &index)) in pixels.iter_mut().zip(&*samples).enumerate() {
                        let color = palette.colors().get(usize::from(index));
                        *pixel = color.ok_or((x + i, index))?.map(wide);
                    }
                    return Ok(());
                }
                let scale = u16::MAX / ((1 << depth) - 1);
                for (pixel, &sample) in pixels.iter_mut().zip(&*samples) {
                    let y = u16::from(sample) * scale;
                    let opaque = transparent.is_none_or(|t| t[0] != u16::from(sample));
                    *pixel = [y, y, y, if opaque { u16::MAX } else { 0 }];
                }
            }
            ColorType::GrayscaleAlpha => {
                for (pixel, &[y, a]) in pixels.iter_mut().zip(row[2 * x..].as_chunks().0) {
                    *pixel = [y, y, y, a].map(wide);
                }
            }
            ColorType::Rgb => {
                for (pixel, &[r, g, b]) in pixels.iter_mut().zip(row[3 * x..].as_chunks().0) {
                    let opaque = transparent != Some([r, g, b].map(u16::from));
                    let alpha = if opaque { u8::MAX } else { 0 };
                    *pixel = [r, g, b, alpha].map(wide);
                }
            }
            ColorType::Rgba => {
                for (pixel, rgba) in pixels.iter_mut().zip(row[4 * x..].as_chunks::<4>().0) {
                    *pixel = rgba.map(wide);
                }
            }
        }
        Ok(())
    }
}

/// Returns an error with the column and the value of the first index that is
/// not below `colors`. The first of `indices` belongs to column `x`.
fn check_indices(indices: &[u8], x: usize, colors: usize) -> Result<(), (usize, u8)> {
    match first_index_beyond(indices, colors) {
        Some(i) => Err((x + i, indices[i])),
        None => Ok(()),
    }
}

/// Applies `f` to the samples of each pixel of `from`.
fn map_pixels<const N: usize, const M: usize>(
    from: &[u8],
    to: &mut [u8],
    f: impl Fn([u8; N]) -> [u8; M],
) {
    for (to, from) in to.as_chunks_mut().0.iter_mut().zip(from.as_chunks().0) {
        *to = f(*from);
    }
}

/// Reads samples of 8 bits or fewer from column `x` on, one byte each, unscaled.
fn load_samples(depth: u8, row: &[u8], x: usize, samples: &mut [u8]) {
    if depth == 8 {
        samples.copy_from_slice(&row[x..x + samples.len()]);
    } else {
        unpack(depth, BitOrder::Msb, row, x, samples);
    }
}

/// Returns `sample * 255 / 65535`, rounded to nearest. There are no ties, since
/// 65535 is odd.
fn narrow(sample: u16) -> u8 {
    ((u32::from(sample) * 255 + 32895) >> 16) as u8
}

/// Returns the gray of a color, rounded to nearest: the encoded samples, not
/// linear light, weighted as in Rec. ITU-R BT.709.
fn gray(r: u16, g: u16, b: u16) -> u16 {
    let sum = 2126 * u32::from(r) + 7152 * u32::from(g) + 722 * u32::from(b);
    ((sum + 5000) / 10_000) as u16
}

/// Writes pixels of RGBA with 16 bits a sample in the format `to`, from column
/// `x` of `out` on.
fn store_rgba16(to: PngFormat, pixels: &[[u16; 4]], x: usize, out: &mut [u8]) {
    if to.depth < 8 {
        let max = u32::from(u8::MAX >> (8 - to.depth));
        let mut samples = [0; BLOCK];
        for (sample, &[r, g, b, _]) in samples.iter_mut().zip(pixels) {
            *sample = ((u32::from(gray(r, g, b)) * max + 32767) / 65535) as u8;
        }
        pack(to.depth, BitOrder::Msb, &samples[..pixels.len()], x, out);
        return;
    }
    let out = &mut out[x * to.pixel_size()..];
    let mut at = 0;
    let mut write_sample = |sample: u16| {
        if to.depth == 8 {
            out[at] = narrow(sample);
            at += 1;
        } else {
            out[at..at + 2].copy_from_slice(&sample.to_be_bytes());
            at += 2;
        }
    };
    for &[r, g, b, a] in pixels {
        match to.color {
            ColorType::Grayscale | ColorType::Indexed => write_sample(gray(r, g, b)),
            ColorType::GrayscaleAlpha => {
                write_sample(gray(r, g, b));
                write_sample(a);
            }
            ColorType::Rgb => [r, g, b].map(&mut write_sample).into_iter().collect(),
            ColorType::Rgba => [r, g, b, a].map(&mut write_sample).into_iter().collect(),
        }
    }
}
