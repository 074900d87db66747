//! A strip: some scanlines on their way to a piece of the compressed stream.
//!
//! Strips are read from the source one after the other. Each is compressed on
//! its own, in any order and by any thread.

use super::filter::{
    FilterChoice, FilterKernels, FilterType, GROUP_ROWS, choose_for_group, filter_one,
    filter_row_to, filter_rows,
};
use super::filtering::{FilterRule, Filtering, RowRule};
use super::geometry::{Geometry, HEAD, ZLIB_HEADER};
use super::scanline::ScanlineReader;
use super::search::{self, SearchLevels, Trial};
use crate::alloc::zeroed;
use crate::arch::{Registers, dispatch};
use crate::deflate::{self, Deflate, LibraryDeflate, STORED_HEADER};
use crate::{Compression, Error, ErrorKind};

/// Bytes behind the piece of a strip for the end of the stream.
const TRAILER: usize = deflate::END.len() + 4;

/// Bytes behind the scanlines: the padding that kernels read along with them,
/// or the end of the stream if the scanlines are stored in place.
const TAIL: usize = if TRAILER > deflate::PADDING {
    TRAILER
} else {
    deflate::PADDING
};

/// The memory for one strip at a time. It is reused.
#[derive(Default)]
pub(super) struct Strip {
    /// First the [bytes before](Filtering::bytes_before) the scanlines: the row
    /// above the first, unfiltered, or room for the head of a stored block.
    /// Then the scanlines, each a byte for the filter and its samples. Then
    /// padding, or the end of the stream.
    rows: Vec<u8>,
    /// Bytes of the scanlines.
    len: usize,
    /// The number of the strip in the image.
    index: u32,
    /// The zlib header, the compressed piece, and room for the end of the
    /// stream. Before the piece is made, the sample on which filters are tried,
    /// and the sample compressed.
    out: Vec<u8>,
    /// Bytes of the piece.
    piece: usize,
    /// The Adler-32 of the filtered scanlines.
    adler: u32,
    deflate: Deflate,
    /// The state of the library, for the modes that search for matches.
    library: Option<LibraryDeflate>,
}

/// Makes the buffer at least `size` bytes long. Its content is lost.
fn grow(buffer: &mut Vec<u8>, size: usize) -> Result<(), Error> {
    if buffer.len() < size {
        *buffer = Vec::new(); // freed before the new one is allocated
        *buffer = zeroed(size as u64)?;
    }
    Ok(())
}

/// The state that the reader of the rows keeps from strip to strip.
pub(super) struct ReaderState {
    /// The last rows, for the filter of the row below them.
    rows: Vec<u8>,
    /// The filter of the current group of rows.
    filter: FilterType,
}

impl ReaderState {
    pub(super) fn new() -> Self {
        ReaderState {
            rows: Vec::new(),
            filter: FilterType::Paeth,
        }
    }

    /// Makes room for the rows that are kept.
    pub(super) fn prepare(
        &mut self,
        geometry: &Geometry,
        filtering: &Filtering<'_>,
    ) -> Result<(), Error> {
        grow(&mut self.rows, filtering.kept_rows() * geometry.row_size)
    }
}

impl Strip {
    /// Makes room for strips of this geometry.
    pub(super) fn prepare(
        &mut self,
        geometry: &Geometry,
        filtering: &Filtering<'_>,
    ) -> Result<(), Error> {
        let size = geometry.size();
        let before = filtering.bytes_before(geometry.row_size);
        grow(&mut self.rows, before + size + TAIL)?;
        if geometry.is_one_block() {
            return Ok(());
        }
        let mut sample = 0;
        if let Some(levels) = SearchLevels::of(geometry.compression) {
            if self.library.is_none() {
                self.library = Some(LibraryDeflate::new(levels.usual)?);
            }
            sample = search::SAMPLE.min(size);
        }
        if geometry.compression != Compression::Stored {
            let bytes = size as u64;
            let reserved = self.deflate.reserve(size);
            reserved.map_err(|_| ErrorKind::OutOfMemory { bytes })?;
        }
        let bound = deflate::bound(size);
        grow(&mut self.out, ZLIB_HEADER.len() + bound + TRAILER + sample)
    }

    pub(super) fn index(&self) -> u32 {
        self.index
    }

    /// Begins strip `index`, and reads its rows, each pixel once, unless they are
    /// filtered out of stable memory later.
    pub(super) fn read(
        &mut self,
        geometry: &Geometry,
        filtering: &Filtering<'_>,
        reader: &ScanlineReader<'_>,
        index: u32,
        state: &mut ReaderState,
    ) -> Result<(), Error> {
        let (row_size, first) = (geometry.row_size, index * geometry.rows);
        let count = geometry.rows.min(geometry.height - first);
        self.len = count as usize * (row_size + 1);
        self.index = index;
        let (before, rows) = self.rows.split_at_mut(filtering.bytes_before(row_size));
        let lines = (first..first + count).zip(rows.chunks_exact_mut(row_size + 1));
        match *filtering {
            Filtering::FromMemory(..) => {}
            Filtering::WhileReading(RowRule::Fixed(FilterType::None)) => {
                for (y, scanline) in lines {
                    scanline[0] = FilterType::None as u8;
                    reader.read(y, &mut scanline[1..])?;
                }
            }
            Filtering::WhileReading(rule) => {
                let (registers, pixel_size) = (Registers::widest(), geometry.pixel_size);
                // Two rows take turns: one is read, the other is above it.
                let (even, odd) = state.rows.split_at_mut(row_size);
                for (y, scanline) in lines {
                    let (row, above) = match y % 2 {
                        0 => (&mut even[..], &odd[..row_size]),
                        _ => (&mut odd[..row_size], &even[..]),
                    };
                    reader.read(y, row)?;
                    let above = (y > 0).then_some(above);
                    if y.is_multiple_of(GROUP_ROWS) {
                        state.filter = match rule {
                            RowRule::Fixed(filter) => filter,
                            RowRule::PerGroup => {
                                choose_for_group(registers, row, above, pixel_size)
                            }
                        };
                    }
                    let filter = FilterChoice::Fixed(state.filter);
                    filter_one(registers, filter, row, above, pixel_size, scanline);
                }
            }
            Filtering::InPlace => {
                let above = before.len() - row_size;
                before[above..].copy_from_slice(&state.rows[..row_size]);
                for (y, scanline) in lines {
                    reader.read(y, &mut scanline[1..])?;
                }
                state.rows[..row_size].copy_from_slice(&rows[self.len - row_size..self.len]);
            }
        }
        Ok(())
    }

    /// Filters the rows, unless they are filtered already, and compresses them.
    pub(super) fn compress(&mut self, geometry: &Geometry, filtering: &Filtering<'_>) {
        compress(Registers::widest(), self, geometry, filtering);
    }

    #[inline(always)]
    fn compress_with<K: FilterKernels>(
        &mut self,
        kernels: K,
        geometry: &Geometry,
        filtering: &Filtering<'_>,
    ) {
        self.filter(kernels, geometry, filtering);
        let (before, padded) = self
            .rows
            .split_at_mut(filtering.bytes_before(geometry.row_size));
        let rows = &padded[..self.len];
        self.adler = simd_adler32::adler32(&rows);
        if geometry.is_one_block() {
            let header = before.len() - STORED_HEADER;
            before[header..].copy_from_slice(&deflate::stored_header(self.len as u16));
            self.piece = STORED_HEADER + self.len;
            return;
        }
        let out = &mut self.out[ZLIB_HEADER.len()..];
        self.piece = match SearchLevels::of(geometry.compression) {
            None if geometry.compression == Compression::Stored => Deflate::stored(rows, out),
            None => self.deflate.fast(kernels, padded, self.len, out),
            Some(levels) => {
                let (deflate, library) = (&mut self.deflate, &mut self.library);
                search::deflate(kernels, levels, deflate, library, padded, self.len, out)
            }
        };
    }

    #[inline(always)]
    fn filter<K: FilterKernels>(
        &mut self,
        kernels: K,
        geometry: &Geometry,
        filtering: &Filtering<'_>,
    ) {
        let (row_size, pixel_size) = (geometry.row_size, geometry.pixel_size);
        let first = self.index * geometry.rows;
        match *filtering {
            Filtering::WhileReading(_) => {}
            Filtering::FromMemory(memory, FilterRule::ByRow(rule)) => {
                let mut filter = FilterType::None;
                for (y, scanline) in (first..).zip(self.lines(filtering, row_size)) {
                    if y == first || y.is_multiple_of(GROUP_ROWS) {
                        filter = rule.of_row(kernels, memory, y, pixel_size);
                    }
                    let (row, above) = (memory.row(y), memory.above(y));
                    let choice = FilterChoice::Fixed(filter);
                    filter_row_to(kernels, choice, row, above, pixel_size, scanline);
                }
            }
            Filtering::FromMemory(memory, FilterRule::ByStrip) => {
                let row = |y| memory.row(first + y as u32);
                let above = memory.above(first);
                let choice = self.choose(kernels, geometry, row, above);
                for (y, scanline) in (first..).zip(self.lines(filtering, row_size)) {
                    let (row, above) = (memory.row(y), memory.above(y));
                    filter_row_to(kernels, choice, row, above, pixel_size, scanline);
                }
            }
            Filtering::InPlace => {
                // The row above and the scanlines are read while the sample is
                // written, so all three are taken apart.
                let rows = std::mem::take(&mut self.rows);
                let (before, lines) = rows.split_at(filtering.bytes_before(row_size));
                let above = (first > 0).then(|| &before[before.len() - row_size..]);
                let row = |y: usize| &lines[y * (row_size + 1) + 1..][..row_size];
                let choice = self.choose(kernels, geometry, row, above);
                self.rows = rows;
                let (before, lines) = self.rows.split_at_mut(filtering.bytes_before(row_size));
                let above = (first > 0).then(|| &before[before.len() - row_size..]);
                let lines = &mut lines[..self.len];
                filter_rows(kernels, choice, lines, row_size, above, pixel_size);
            }
        }
    }

    /// Returns the scanlines to write.
    fn lines(
        &mut self,
        filtering: &Filtering<'_>,
        row_size: usize,
    ) -> impl Iterator<Item = &mut [u8]> {
        let rows = &mut self.rows[filtering.bytes_before(row_size)..][..self.len];
        rows.chunks_exact_mut(row_size + 1)
    }

    /// Returns the filters for all rows of the strip. `row` returns one of them,
    /// counted from the first row of the strip; `above` is the row above it.
    #[inline(always)]
    fn choose<'r, K: FilterKernels>(
        &mut self,
        kernels: K,
        geometry: &Geometry,
        row: impl Fn(usize) -> &'r [u8],
        above: Option<&'r [u8]>,
    ) -> FilterChoice {
        let Some(levels) = SearchLevels::of(geometry.compression) else {
            return FilterChoice::MinSum;
        };
        let trial = Trial {
            lines: self.len / (geometry.row_size + 1),
            row_size: geometry.row_size,
            pixel_size: geometry.pixel_size,
            row,
            above,
        };
        let (deflate, library) = (&mut self.deflate, &mut self.library);
        trial.choose(kernels, levels, deflate, library, &mut self.out)
    }

    /// Returns the bytes of this strip in the zlib stream. `adler` is the
    /// Adler-32 of all strips before, and becomes that of all so far.
    pub(super) fn stream(
        &mut self,
        geometry: &Geometry,
        filtering: &Filtering<'_>,
        adler: &mut u32,
    ) -> &[u8] {
        *adler = zlib_rs::adler32::adler32_combine(*adler, self.adler, self.len as u64);
        let out = if geometry.is_one_block() {
            &mut self.rows[filtering.bytes_before(geometry.row_size) - HEAD..]
        } else {
            &mut self.out[..]
        };
        let start = match self.index {
            0 => {
                out[..ZLIB_HEADER.len()].copy_from_slice(&ZLIB_HEADER);
                0
            }
            _ => ZLIB_HEADER.len(),
        };
        let mut end = ZLIB_HEADER.len() + self.piece;
        if self.index + 1 == geometry.strips() {
            let trailer = &mut out[end..end + TRAILER];
            let (last_block, checksum) = trailer.split_at_mut(deflate::END.len());
            last_block.copy_from_slice(&deflate::END);
            checksum.copy_from_slice(&adler.to_be_bytes());
            end += TRAILER;
        }
        &out[start..end]
    }
}

dispatch! {
    fn compress<kernels>(
        strip: &mut Strip,
        geometry: &Geometry,
        filtering: &Filtering<'_>,
    ) -> () {
        strip.compress_with(kernels, geometry, filtering)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PixelFormat;
    use crate::arch::Portable;
    use crate::png::encode::options::Filter;

    /// The geometry of an image of two strips.
    fn geometry(
        width: u32,
        height: u32,
        format: PixelFormat,
        compression: Compression,
    ) -> Geometry {
        let filter = Filter::Auto;
        let mut geometry = Geometry::new(width, height, format.png(), compression, filter).unwrap();
        geometry.rows = height;
        geometry.height = 2 * height;
        geometry
    }

    /// As for rows that are read.
    fn filtering(geometry: &Geometry) -> Filtering<'static> {
        match geometry.rule {
            FilterRule::ByRow(rule) => Filtering::WhileReading(rule),
            FilterRule::ByStrip => Filtering::InPlace,
        }
    }

    /// A strip with the pixels of some kind of picture.
    fn filled(geometry: &Geometry, index: u32, kind: u32) -> Strip {
        let mut strip = Strip::default();
        assert!(strip.prepare(geometry, &filtering(geometry)).is_ok());
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
                        let filtering = filtering(&geometry);
                        for index in [0, 1] {
                            let run = |compress: &dyn Fn(&mut Strip)| {
                                let mut strip = filled(&geometry, index, kind);
                                compress(&mut strip);
                                strip.result()
                            };
                            let expected =
                                run(&|s| s.compress_with(Portable, &geometry, &filtering));
                            for registers in Registers::all() {
                                let found = run(&|s| compress(registers, s, &geometry, &filtering));
                                assert!(found == expected, "{}", registers.name());
                            }
                        }
                    }
                }
            }
        }
    }
}
