//! A strip: some scanlines on their way to a piece of the compressed stream.
//!
//! Strips are read from the source one after the other, and then compressed on
//! their own, in any order and by any thread. Filtered they are
//!
//! - where they are compressed, right out of the caller's memory, if that is
//!   stable and has the rows as PNG has them;
//! - as they are read, if a row's filter follows from it and those above;
//! - else where they are compressed, where they lie: the filter is chosen by
//!   the whole strip, which was read once.

use super::filter::{
    FilterChoice, FilterKernels, FilterType, GROUP_ROWS, choose_for_group, filter_one,
    filter_row_to, filter_rows, paeth_or_average,
};
use super::geometry::{Geometry, HEAD, ZLIB_HEADER};
use crate::alloc::zeroed;
use crate::arch::{Registers, dispatch};
use crate::deflate::{self, Deflate, STORED_HEADER, Strong};
use crate::rows::Frame;
use crate::{Compression, Error, ErrorKind};

/// Bytes behind a strip's piece for what closes the stream.
const TRAILER: usize = deflate::END.len() + 4;

/// Bytes behind the scanlines: what is read along with them, or the end of the
/// stream if they are stored where they are.
const TAIL: usize = if TRAILER > deflate::PADDING {
    TRAILER
} else {
    deflate::PADDING
};

/// Bytes of scanlines that filters are tried on.
const SAMPLE: usize = 32 << 10;

/// How a strong mode goes about it.
#[derive(Clone, Copy)]
struct Levels {
    /// The level of the library.
    usual: i32,
    /// That for strips of which codes alone leave a quarter or less.
    dense: i32,
    /// Whether only such strips are worth a try without a filter.
    tries_dense: bool,
}

impl Levels {
    fn of(compression: Compression) -> Option<Levels> {
        let (usual, dense, tries_dense) = match compression {
            Compression::Stored | Compression::Fast => return None,
            Compression::Small => (4, 5, true),
            Compression::Best => (7, 7, false),
        };
        Some(Levels {
            usual,
            dense,
            tries_dense,
        })
    }

    fn level(self, estimate: usize, len: usize) -> i32 {
        if estimate <= len / 4 {
            self.dense
        } else {
            self.usual
        }
    }

    /// The most bytes that codes alone may leave of `len` for a try.
    fn promising(self, len: usize) -> usize {
        if self.tries_dense { len / 4 } else { len }
    }
}

/// Scratch for one strip at a time, to be used again.
#[derive(Default)]
pub(super) struct Strip {
    /// The row above the first, unfiltered, where the filter is chosen of rows
    /// that were read; else the head of a stored block. Then the scanlines,
    /// each a byte for the filter and its samples. Then padding, or the end of
    /// the stream.
    rows: Vec<u8>,
    /// Bytes of the scanlines.
    len: usize,
    index: u32,
    /// The zlib header, the compressed piece, room for the end of the stream.
    /// Before it is compressed, the sample that filters are tried on, and what
    /// becomes of it.
    out: Vec<u8>,
    /// Bytes of the piece.
    piece: usize,
    /// The checksum of the filtered scanlines.
    adler: u32,
    deflate: Deflate,
    strong: Strong,
}

/// At least `size` bytes, or the error that says that they can't be had. What
/// was in the buffer is lost.
fn grow(buffer: &mut Vec<u8>, size: usize) -> Result<(), Error> {
    if buffer.len() < size {
        *buffer = Vec::new(); // given back first
        *buffer = zeroed(size as u64)?;
    }
    Ok(())
}

/// What the reader keeps from strip to strip.
pub(super) struct Kept {
    /// The last rows, for the filter of the one below.
    rows: Vec<u8>,
    /// The filter of the group of rows it is at.
    filter: FilterType,
}

impl Kept {
    pub(super) fn new() -> Self {
        Kept {
            rows: Vec::new(),
            filter: FilterType::Paeth,
        }
    }

    /// Makes room for what is kept of images of this geometry.
    pub(super) fn prepare(&mut self, geometry: &Geometry<'_>) -> Result<(), Error> {
        grow(
            &mut self.rows,
            geometry.rows_of_reader() * geometry.row_size,
        )
    }
}

impl Strip {
    /// Makes room for strips of this geometry.
    pub(super) fn prepare(&mut self, geometry: &Geometry<'_>) -> Result<(), Error> {
        let size = geometry.size();
        grow(&mut self.rows, geometry.before() + size + TAIL)?;
        if geometry.is_one_block() {
            return Ok(());
        }
        let sample = match Levels::of(geometry.compression) {
            Some(levels) => {
                self.strong.prepare(levels.usual);
                SAMPLE.min(size)
            }
            None => 0,
        };
        if geometry.compression != Compression::Stored {
            let bytes = size as u64;
            let reserved = self.deflate.reserve(size);
            reserved.map_err(|_| ErrorKind::OutOfMemory { bytes })?;
        }
        grow(
            &mut self.out,
            ZLIB_HEADER.len() + deflate::bound(size) + TRAILER + sample,
        )
    }

    pub(super) fn index(&self) -> u32 {
        self.index
    }

    /// Reads strip `index`, each pixel once, unless it can be read when it is
    /// filtered. `kept` is what the reader keeps from strip to strip.
    pub(super) fn read(
        &mut self,
        geometry: &Geometry<'_>,
        frame: &Frame<'_>,
        index: u32,
        kept: &mut Kept,
    ) -> Result<(), Error> {
        let (row_size, first) = (geometry.row_size, index * geometry.rows);
        let count = geometry.rows.min(geometry.height - first);
        self.len = count as usize * (row_size + 1);
        self.index = index;
        if geometry.stable.is_some() {
            return Ok(());
        }
        let (before, rows) = self.rows.split_at_mut(geometry.before());
        let lines = (first..first + count).zip(rows.chunks_exact_mut(row_size + 1));
        if let Some(FilterType::None) = geometry.filter_of_reader() {
            for (y, scanline) in lines {
                let (filter, row) = scanline.split_at_mut(1);
                filter[0] = FilterType::None as u8;
                frame
                    .png_row(y, geometry.target, row)
                    .map_err(|error| error.at_row(y))?;
            }
            return Ok(());
        }
        if let Some(filter) = geometry.filter_of_reader() {
            let registers = Registers::widest();
            // Two rows take turns: one is read, the other is above it.
            let (even, odd) = kept.rows.split_at_mut(row_size);
            for (y, scanline) in lines {
                let (row, above) = match y % 2 {
                    0 => (&mut even[..], &odd[..row_size]),
                    _ => (&mut odd[..row_size], &even[..]),
                };
                frame
                    .png_row(y, geometry.target, row)
                    .map_err(|error| error.at_row(y))?;
                let above = (y > 0).then_some(above);
                if geometry.judges() && y % GROUP_ROWS == 0 {
                    kept.filter = choose_for_group(registers, row, above, geometry.pixel_size);
                }
                let filter = if geometry.judges() {
                    kept.filter
                } else {
                    filter
                };
                filter_one(
                    registers,
                    FilterChoice::Fixed(filter),
                    row,
                    above,
                    geometry.pixel_size,
                    scanline,
                );
            }
            return Ok(());
        }
        before[geometry.before() - row_size..].copy_from_slice(&kept.rows[..row_size]);
        for (y, scanline) in lines {
            frame
                .png_row(y, geometry.target, &mut scanline[1..])
                .map_err(|error| error.at_row(y))?;
        }
        kept.rows[..row_size].copy_from_slice(&rows[self.len - row_size..self.len]);
        Ok(())
    }

    /// Filters and compresses what was read.
    pub(super) fn compress(&mut self, geometry: &Geometry<'_>) {
        compress(Registers::widest(), self, geometry);
    }

    /// Filters and compresses with these kernels.
    #[inline(always)]
    pub(super) fn compress_with<K: FilterKernels>(&mut self, kernels: K, geometry: &Geometry<'_>) {
        let (row_size, pixel_size) = (geometry.row_size, geometry.pixel_size);
        let levels = Levels::of(geometry.compression);
        let filter = match (geometry.one_filter(), levels) {
            (Some(filter), _) => FilterChoice::Fixed(filter),
            (None, Some(levels)) => self.try_filters(kernels, geometry, levels),
            (None, None) => FilterChoice::MinSum,
        };
        let (before, padded) = self.rows.split_at_mut(geometry.before());
        let rows = &mut padded[..self.len];
        match geometry.stable {
            Some(stable) => {
                let first = self.index * geometry.rows;
                let above = |y: u32| y.checked_sub(1).map(|y| stable.row(y));
                let mut filter = filter;
                for (y, scanline) in (first..).zip(rows.chunks_exact_mut(row_size + 1)) {
                    if geometry.judges() && (y == first || y % GROUP_ROWS == 0) {
                        let judged = y - y % GROUP_ROWS;
                        let (row, above) = (stable.row(judged), above(judged));
                        filter =
                            FilterChoice::Fixed(paeth_or_average(kernels, row, above, pixel_size));
                    }
                    filter_row_to(
                        kernels,
                        filter,
                        stable.row(y),
                        above(y),
                        pixel_size,
                        scanline,
                    );
                }
            }
            None if geometry.filter_of_reader().is_some() => {}
            None => {
                let above = &before[geometry.before() - row_size..];
                let above = (self.index > 0).then_some(above);
                filter_rows(kernels, filter, rows, row_size, above, pixel_size);
            }
        }
        self.adler = simd_adler32::adler32(&&*rows);
        if geometry.is_one_block() {
            before[geometry.before() - STORED_HEADER..]
                .copy_from_slice(&deflate::stored_header(self.len as u16));
            self.piece = STORED_HEADER + self.len;
            return;
        }
        let out = &mut self.out[ZLIB_HEADER.len()..];
        let rows = &padded[..self.len];
        self.piece = match (geometry.compression, levels) {
            (Compression::Stored, _) => Deflate::stored(rows, out),
            (_, None) => self.deflate.fast(kernels, padded, self.len, out),
            (_, Some(levels)) => {
                let estimate = self.deflate.estimate(kernels, rows);
                let level = levels.level(estimate, self.len);
                let searched = self.strong.deflate(level, rows, out);
                // What repeats hardly at all is smaller without a search,
                // which finds short matches everywhere.
                let fast = if estimate < searched {
                    self.deflate.fast(kernels, padded, self.len, out)
                } else {
                    searched
                };
                // An estimate has no headers, and may be wrong.
                if fast > searched {
                    self.strong.deflate(level, rows, out)
                } else {
                    fast
                }
            }
        };
    }

    /// Whether rows are filtered at all: pictures of few colours are often
    /// smaller without. A part of the strip is compressed both ways, unless it
    /// doesn't compress well to begin with: that is no such picture. (Nor are
    /// rows of more than the sample tried.)
    #[inline(always)]
    fn try_filters<K: FilterKernels>(
        &mut self,
        kernels: K,
        geometry: &Geometry<'_>,
        levels: Levels,
    ) -> FilterChoice {
        let line = geometry.row_size + 1;
        let lines = self.len / line;
        let count = (SAMPLE / line).min(lines);
        if count == 0 {
            return FilterChoice::MinSum;
        }
        let (before, rows) = self.rows.split_at(geometry.before());
        let row = |y: u32| match (geometry.stable, y.checked_sub(self.index * geometry.rows)) {
            (Some(stable), _) => stable.row(y),
            (None, Some(y)) => &rows[y as usize * line + 1..][..geometry.row_size],
            (None, None) => &before[geometry.before() - geometry.row_size..],
        };
        // From four places, or as far apart, or all.
        let together = count.div_ceil(4);
        let place = |i: usize| {
            let line = if count == lines {
                i
            } else if count < 4 {
                (2 * i + 1) * lines / (2 * count)
            } else {
                i / together * lines / 4 + i % together
            };
            self.index * geometry.rows + line as u32
        };
        let (sample, out) = self.out.split_at_mut(count * line);
        let fill = |sample: &mut [u8], choice| {
            for (i, scanline) in sample.chunks_exact_mut(line).enumerate() {
                let y = place(i);
                let above = y.checked_sub(1).map(row);
                filter_row_to(
                    kernels,
                    choice,
                    row(y),
                    above,
                    geometry.pixel_size,
                    scanline,
                );
            }
        };
        fill(sample, FilterChoice::MinSum);
        let estimate = self.deflate.estimate(kernels, sample);
        if estimate > levels.promising(sample.len()) {
            return FilterChoice::MinSum;
        }
        let level = levels.level(estimate, sample.len());
        let smallest = self.strong.deflate(level, sample, out);
        let none = FilterChoice::Fixed(FilterType::None);
        fill(sample, none);
        // By a twentieth: it is a sample.
        if self.strong.deflate(level, sample, out) * 20 < smallest * 19 {
            none
        } else {
            FilterChoice::MinSum
        }
    }

    /// The bytes of this strip in the zlib stream. `adler` is the checksum of
    /// all before, and becomes that of all so far.
    pub(super) fn stream(&mut self, geometry: &Geometry<'_>, adler: &mut u32) -> &[u8] {
        *adler = adler_combine(*adler, self.adler, self.len);
        let out = if geometry.is_one_block() {
            &mut self.rows[geometry.before() - HEAD..]
        } else {
            &mut self.out[..]
        };
        let start = match self.index {
            0 => {
                out[..2].copy_from_slice(&ZLIB_HEADER);
                0
            }
            _ => ZLIB_HEADER.len(),
        };
        let mut end = ZLIB_HEADER.len() + self.piece;
        if self.index + 1 == geometry.strips() {
            let trailer = &mut out[end..end + TRAILER];
            trailer[..2].copy_from_slice(&deflate::END);
            trailer[2..].copy_from_slice(&adler.to_be_bytes());
            end += TRAILER;
        }
        &out[start..end]
    }
}

dispatch! {
    fn compress<kernels>(strip: &mut Strip, geometry: &Geometry<'_>) -> () {
        strip.compress_with(kernels, geometry)
    }
}

/// The Adler-32 of two pieces of data, one behind the other, from those of
/// each, and the length of the second.
///
/// The sums of RFC 1950, 9: `a` is one more than the sum of all bytes, `b` the
/// sum of all values that `a` went through. Each byte of the second piece met
/// an `a` that was larger by the first one's sum.
fn adler_combine(first: u32, second: u32, second_len: usize) -> u32 {
    const MODULUS: u64 = 65521;
    let halves = |adler: u32| (u64::from(adler & 0xffff), u64::from(adler >> 16));
    let ((a1, b1), (a2, b2)) = (halves(first), halves(second));
    let len = second_len as u64 % MODULUS;
    let before = a1 + MODULUS - 1;
    let a = (before + a2) % MODULUS;
    let b = (b1 + b2 + len * before) % MODULUS;
    (b << 16 | a) as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PixelFormat;
    use crate::arch::Portable;
    use crate::rows::Target;

    /// The geometry of an image of two strips.
    fn geometry(
        width: u32,
        height: u32,
        format: PixelFormat,
        compression: Compression,
    ) -> Geometry<'static> {
        Geometry {
            stable: None,
            target: Target::of(format),
            filter: None,
            height: 2 * height,
            row_size: format.png().row_size(width) as usize,
            pixel_size: format.png().pixel_size(),
            rows: height,
            compression,
        }
    }

    /// A strip with the pixels of some kind of picture.
    fn filled(geometry: &Geometry<'_>, index: u32, kind: u32) -> Strip {
        let mut strip = Strip::default();
        assert!(strip.prepare(geometry).is_ok());
        let mut seed = kind + 1;
        for (i, byte) in strip.rows.iter_mut().enumerate() {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let (x, noise) = (i % (geometry.row_size + 1), (seed >> 24) as u8);
            *byte = match kind {
                0 => 0,
                1 => noise,
                2 => (x / 7) as u8,                            // a ramp
                3 => ((x / 5) as u8).wrapping_add(noise / 64), // with grain
                4 => (i / 900) as u8 ^ if noise > 3 { 0 } else { noise }, // flat areas
                _ => noise.leading_zeros() as u8 * 30,         // skewed
            };
        }
        strip.len = geometry.size();
        strip.index = index;
        strip
    }

    impl Strip {
        /// All that comes out of a strip.
        fn result(&self) -> (Vec<u8>, u32) {
            let out = if self.out.is_empty() {
                &self.rows
            } else {
                &self.out[2..2 + self.piece]
            };
            (out.to_vec(), self.adler)
        }
    }

    #[test]
    fn combined_checksums() {
        let data: Vec<u8> = (0..300_000u32).map(|i| ((i * 7919) >> 5) as u8).collect();
        let whole = simd_adler32::adler32(&&data[..]);
        for cut in [0, 1, 100, 65520, 65521, 65522, 200_000, 300_000] {
            let (first, second) = data.split_at(cut);
            let first = simd_adler32::adler32(&first);
            let combined = adler_combine(first, simd_adler32::adler32(&second), second.len());
            assert_eq!(combined, whole, "{cut}");
        }
    }

    /// Every kernel compresses a strip to the same bytes.
    #[test]
    fn all_levels_give_the_same_bytes() {
        use Compression::{Best, Fast, Small, Stored};
        for format in [
            PixelFormat::GRAY8,
            PixelFormat::GRAY_ALPHA8,
            PixelFormat::RGB8,
            PixelFormat::RGBA8,
            PixelFormat::RGB16BE,
            PixelFormat::RGBA16BE,
        ] {
            for (width, height) in [(1, 1), (2, 90), (65, 33), (333, 501), (200_000, 2)] {
                for kind in 0..6 {
                    for mode in [Fast, Stored, Small, Best] {
                        if (mode == Small || mode == Best) && width * height > 10_000 {
                            continue; // the library is the same at every level
                        }
                        let geometry = geometry(width, height, format, mode);
                        for index in [0, 1] {
                            let run = |compress: &dyn Fn(&mut Strip)| {
                                let mut strip = filled(&geometry, index, kind);
                                compress(&mut strip);
                                strip.result()
                            };
                            let expected = run(&|s| s.compress_with(Portable, &geometry));
                            for registers in Registers::all() {
                                let found = run(&|s| compress(registers, s, &geometry));
                                assert!(found == expected, "{}", registers.name());
                            }
                        }
                    }
                }
            }
        }
    }
}
