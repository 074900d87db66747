//! Rows of a file to rows of another type of PNG: other channels, other depths,
//! colours for indices, alpha for a transparent colour.

use crate::format::{BitOrder, Color, PngType, beyond, from_png, pack, to_png, unpack};
use crate::{ErrorKind, Palette, PixelFormat};

/// What the rows of a file mean.
#[derive(Clone, Debug)]
pub(crate) struct FileType {
    pub(crate) png: PngType,
    /// The colours, of indices.
    pub(crate) palette: Option<Palette>,
    /// The samples that mean transparent, of gray and RGB: tRNS (PNG third
    /// edition, 11.3.1.1).
    pub(crate) transparent: Option<[u16; 3]>,
}

/// Pixels of a block on their way through 16 bits.
const BLOCK: usize = 256;

impl FileType {
    /// The format of these rows in memory, numbers native.
    pub(crate) fn format(&self) -> PixelFormat {
        use PixelFormat as F;
        match (self.png.color, self.png.depth) {
            (Color::Gray, 1) => F::GRAY1,
            (Color::Gray, 2) => F::GRAY2,
            (Color::Gray, 4) => F::GRAY4,
            (Color::Gray, 8) => F::GRAY8,
            (Color::Gray, _) => F::GRAY16,
            (Color::GrayAlpha, 8) => F::GRAY_ALPHA8,
            (Color::GrayAlpha, _) => F::GRAY_ALPHA16,
            (Color::Rgb, 8) => F::RGB8,
            (Color::Rgb, _) => F::RGB16,
            (Color::Rgba, 8) => F::RGBA8,
            (Color::Rgba, _) => F::RGBA16,
            (Color::Index, 1) => F::INDEXED1,
            (Color::Index, 2) => F::INDEXED2,
            (Color::Index, 4) => F::INDEXED4,
            (Color::Index, _) => F::INDEXED8,
        }
    }

    /// The format that has alpha for a transparent colour, too.
    pub(crate) fn whole_format(&self) -> PixelFormat {
        use PixelFormat as F;
        match (self.transparent, self.png.color, self.png.depth) {
            (Some(_), Color::Gray, 16) => F::GRAY_ALPHA16,
            (Some(_), Color::Gray, _) => F::GRAY_ALPHA8,
            (Some(_), Color::Rgb, 16) => F::RGBA16,
            (Some(_), Color::Rgb, _) => F::RGBA8,
            _ => self.format(),
        }
    }

    /// Whether rows are those of the other type as they are.
    pub(crate) fn is(&self, to: PngType) -> bool {
        self.png == to
    }

    /// Refuses what can't be had from this file.
    pub(crate) fn check(&self, format: PixelFormat) -> Result<(), ErrorKind> {
        if format.is_indexed() && self.png.color != Color::Index {
            return Err(ErrorKind::NotIndexedFile {
                file: self.format(),
                format,
            });
        }
        Ok(())
    }

    /// Writes a row of `width` pixels as the other type has it, bits to spare
    /// 0. Fails with the column and an index that the palette or the other
    /// type doesn't have.
    pub(crate) fn adapt(
        &self,
        row: &[u8],
        to: PngType,
        width: usize,
        out: &mut [u8],
    ) -> Result<(), (usize, u8)> {
        let from = self.png;
        let alpha = matches!(to.color, Color::GrayAlpha | Color::Rgba);
        let plain = self.transparent.is_none() || !alpha;
        // Colours become gray by more than 8 bits.
        let colored = matches!(to.color, Color::Rgb | Color::Rgba);
        let eight = to.depth == 8 && plain && (colored || from.color == to.color);
        match (from.color, to.color) {
            (Color::Index, Color::Index) => return self.reindex(row, to, width, out),
            (Color::Index, _) if to.depth == 8 && colored => {
                return self.look_up(row, to, width, out);
            }
            // Padding is written as 255 and dropped when it is read.
            (Color::Rgb, Color::Rgba) if plain && from.depth == to.depth => {
                from_png(PixelFormat::rgbx(to.depth), row, out);
            }
            (Color::Rgba, Color::Rgb) if from.depth == to.depth => {
                to_png(PixelFormat::rgbx(to.depth), row, out);
            }
            (Color::Index, _) => return self.adapt_any(row, to, width, out),
            _ if eight => self.adapt_eight(row, to, width, out),
            (a, b) if a == b && from.depth == 8 && to.depth == 16 => {
                for (out, &sample) in out.as_chunks_mut().0.iter_mut().zip(row) {
                    *out = [sample, sample];
                }
            }
            _ => return self.adapt_any(row, to, width, out),
        }
        Ok(())
    }

    /// Colours of 8 bits for indices.
    fn look_up(
        &self,
        row: &[u8],
        to: PngType,
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
            raw(self.png.depth, row, x, indices);
            beyond(indices, colors.len()).map_or(Ok(()), |i| Err((x + i, indices[i])))?;
            if to.color == Color::Rgba {
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

    /// Samples of 8 bits, in as many colours or more.
    fn adapt_eight(&self, row: &[u8], to: PngType, width: usize, out: &mut [u8]) {
        let PngType { color, depth } = self.png;
        let channels = color.channels().len();
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
                    raw(depth, row, x, samples);
                    let scale = 255 / ((1 << depth) - 1);
                    for sample in &mut *samples {
                        *sample *= scale as u8;
                    }
                }
            }
            match (color, to.color) {
                (Color::Gray, Color::Rgb) => each(samples, out, |[y]| [y, y, y]),
                (Color::Gray, Color::Rgba) => each(samples, out, |[y]| [y, y, y, 255]),
                (Color::GrayAlpha, Color::Rgb) => each(samples, out, |[y, _]| [y, y, y]),
                (Color::GrayAlpha, Color::Rgba) => each(samples, out, |[y, a]| [y, y, y, a]),
                (Color::Rgb, Color::Rgba) => from_png(PixelFormat::rgbx(8), samples, out),
                (Color::Rgba, Color::Rgb) => to_png(PixelFormat::rgbx(8), samples, out),
                _ => out.copy_from_slice(samples),
            }
        }
    }

    /// Indices at another depth.
    fn reindex(
        &self,
        row: &[u8],
        to: PngType,
        width: usize,
        out: &mut [u8],
    ) -> Result<(), (usize, u8)> {
        let mut indices = [0; BLOCK];
        let most = u8::MAX >> (8 - to.depth);
        out.fill(0);
        for x in (0..width).step_by(BLOCK) {
            let indices = &mut indices[..BLOCK.min(width - x)];
            raw(self.png.depth, row, x, indices);
            let colors = usize::from(most) + 1;
            beyond(indices, colors).map_or(Ok(()), |i| Err((x + i, indices[i])))?;
            if to.depth == 8 {
                out[x..x + indices.len()].copy_from_slice(indices);
            } else {
                pack(to.depth, BitOrder::Msb, indices, x, out);
            }
        }
        Ok(())
    }

    /// By way of RGBA of 16 bits.
    fn adapt_any(
        &self,
        row: &[u8],
        to: PngType,
        width: usize,
        out: &mut [u8],
    ) -> Result<(), (usize, u8)> {
        let mut pixels = [[0; 4]; BLOCK];
        if to.depth < 8 {
            out.fill(0);
        }
        for x in (0..width).step_by(BLOCK) {
            let pixels = &mut pixels[..BLOCK.min(width - x)];
            self.load(row, x, pixels)?;
            store(to, pixels, x, out);
        }
        Ok(())
    }

    fn load(&self, row: &[u8], x: usize, pixels: &mut [[u16; 4]]) -> Result<(), (usize, u8)> {
        let depth = self.png.depth;
        let transparent = self.transparent;
        if depth == 16 {
            let (_, samples) = row.split_at(x * self.png.pixel_size());
            let samples = samples.as_chunks::<2>().0;
            let get = |i: usize| u16::from_be_bytes(samples[i]);
            match self.png.color {
                Color::Gray | Color::Index => {
                    for (i, pixel) in pixels.iter_mut().enumerate() {
                        let y = get(i);
                        let opaque = transparent.is_none_or(|t| t[0] != y);
                        *pixel = [y, y, y, if opaque { u16::MAX } else { 0 }];
                    }
                }
                Color::GrayAlpha => {
                    for (i, pixel) in pixels.iter_mut().enumerate() {
                        let y = get(2 * i);
                        *pixel = [y, y, y, get(2 * i + 1)];
                    }
                }
                Color::Rgb => {
                    for (i, pixel) in pixels.iter_mut().enumerate() {
                        let [r, g, b] = [get(3 * i), get(3 * i + 1), get(3 * i + 2)];
                        let opaque = transparent != Some([r, g, b]);
                        *pixel = [r, g, b, if opaque { u16::MAX } else { 0 }];
                    }
                }
                Color::Rgba => {
                    for (i, pixel) in pixels.iter_mut().enumerate() {
                        *pixel = [0, 1, 2, 3].map(|c| get(4 * i + c));
                    }
                }
            }
            return Ok(());
        }
        let wide = |sample: u8| u16::from(sample) * 257;
        match self.png.color {
            Color::Gray | Color::Index => {
                let mut samples = [0; BLOCK];
                let samples = &mut samples[..pixels.len()];
                raw(depth, row, x, samples);
                if let (Color::Index, Some(palette)) = (self.png.color, &self.palette) {
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
            Color::GrayAlpha => {
                for (pixel, &[y, a]) in pixels.iter_mut().zip(row[2 * x..].as_chunks().0) {
                    *pixel = [y, y, y, a].map(wide);
                }
            }
            Color::Rgb => {
                for (pixel, &[r, g, b]) in pixels.iter_mut().zip(row[3 * x..].as_chunks().0) {
                    let opaque = transparent != Some([r, g, b].map(u16::from));
                    let alpha = if opaque { u8::MAX } else { 0 };
                    *pixel = [r, g, b, alpha].map(wide);
                }
            }
            Color::Rgba => {
                for (pixel, rgba) in pixels.iter_mut().zip(row[4 * x..].as_chunks::<4>().0) {
                    *pixel = rgba.map(wide);
                }
            }
        }
        Ok(())
    }
}

fn each<const N: usize, const M: usize>(
    from: &[u8],
    to: &mut [u8],
    f: impl Fn([u8; N]) -> [u8; M],
) {
    for (to, from) in to.as_chunks_mut().0.iter_mut().zip(from.as_chunks().0) {
        *to = f(*from);
    }
}

/// The samples of 8 bits and less from pixel `x` on, a byte each, as they are.
fn raw(depth: u8, row: &[u8], x: usize, samples: &mut [u8]) {
    if depth == 8 {
        samples.copy_from_slice(&row[x..x + samples.len()]);
    } else {
        unpack(depth, BitOrder::Msb, row, x, samples);
    }
}

/// `sample * 255 / 65535` to the nearest: there is nothing halfway.
fn narrow(sample: u16) -> u8 {
    ((u32::from(sample) * 255 + 32895) >> 16) as u8
}

/// Luminance of colours as they are encoded, with the weights of Rec. ITU-R
/// BT.709, to the nearest.
fn gray(r: u16, g: u16, b: u16) -> u16 {
    let sum = 2126 * u32::from(r) + 7152 * u32::from(g) + 722 * u32::from(b);
    ((sum + 5000) / 10_000) as u16
}

fn store(to: PngType, pixels: &[[u16; 4]], x: usize, out: &mut [u8]) {
    if to.depth < 8 {
        let most = u32::from(u8::MAX >> (8 - to.depth));
        let mut samples = [0; BLOCK];
        for (sample, &[r, g, b, _]) in samples.iter_mut().zip(pixels) {
            *sample = ((u32::from(gray(r, g, b)) * most + 32767) / 65535) as u8;
        }
        pack(to.depth, BitOrder::Msb, &samples[..pixels.len()], x, out);
        return;
    }
    let out = &mut out[x * to.pixel_size()..];
    let mut at = 0;
    let mut put = |sample: u16| {
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
            Color::Gray | Color::Index => put(gray(r, g, b)),
            Color::GrayAlpha => {
                put(gray(r, g, b));
                put(a);
            }
            Color::Rgb => [r, g, b].map(&mut put).into_iter().collect(),
            Color::Rgba => [r, g, b, a].map(&mut put).into_iter().collect(),
        }
    }
}
