//! A strip: some scanlines on their way to a piece of the compressed stream.
//!
//! Strips are read from the source one after the other. Each is compressed on
//! its own, in any order and by any thread. Nothing else than the rows of a
//! strip, the rows above them and the [`Geometry`] has an effect on its piece.

use super::chunk_writer::ImageDataCrc;
use super::filter::{
    FilterChoice, FilterKernels, FilterType, GROUP_ROWS, choose_for_group, filter_one,
    filter_row_to, filter_rows, paeth_or_average,
};
use super::filtering::{FilterRule, Filtering, RowRule};
use super::geometry::{Geometry, HEAD, ZLIB_HEADER};
use super::kept::{KeptStrip, KeptStrips, StripKey};
use super::scanline::ScanlineReader;
use super::search::{self, SearchLevels, Trial};
use crate::alloc::zeroed;
use crate::arch::{Registers, dispatch};
use crate::deflate::{self, Deflate, LibraryDeflate, STORED_HEADER};
use crate::{Compression, Error, ErrorKind};

/// The memory for one strip at a time. It is reused.
#[derive(Default)]
pub(super) struct Strip {
    /// First the [bytes before](Filtering::bytes_before) the scanlines: the row
    /// above the first, unfiltered, or room for the head of a stored block.
    /// Then the scanlines, each a byte for the filter and its samples. Then the
    /// padding that kernels read along with them.
    rows: Vec<u8>,
    /// The number of the strip in the image.
    index: u32,
    /// The filter of the group of rows that the first row belongs to, if the
    /// group begins in an earlier strip and rows are filtered in place.
    first_filter: FilterType,
    /// The zlib header and the compressed piece. Before the piece is made, the
    /// sample on which filters are tried, and the sample compressed.
    out: Vec<u8>,
    /// Bytes of the zlib header and the piece.
    end: usize,
    /// The key by which the strip is kept for later saves.
    key: StripKey,
    /// The checksums of the strip.
    sums: StripSums,
    /// Whether the piece was found among those of earlier saves.
    is_reused: bool,
    deflate: Deflate,
    /// The state of the library, for the modes that search for matches.
    library: Option<LibraryDeflate>,
}

/// The checksums of a strip.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct StripSums {
    /// Bytes of the scanlines.
    pub(super) len: usize,
    /// The Adler-32 of the filtered scanlines.
    pub(super) adler: u32,
    /// The checksum of the chunk that begins with the piece.
    pub(super) crc: ImageDataCrc,
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
        grow(&mut self.rows, before + size + deflate::PADDING)?;
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
        grow(&mut self.out, ZLIB_HEADER.len() + bound + sample)
    }

    pub(super) fn index(&self) -> u32 {
        self.index
    }

    pub(super) fn key(&self) -> StripKey {
        self.key
    }

    pub(super) fn sums(&self) -> StripSums {
        self.sums
    }

    /// Takes the strip out of the kept ones if [`compress`](Strip::compress)
    /// found it there.
    pub(super) fn take_reused(&self, kept: &KeptStrips) -> Option<KeptStrip> {
        self.is_reused.then(|| kept.take(self.index, self.key))?
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
        self.sums.len = count as usize * (row_size + 1);
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
            Filtering::InPlace(rule) => {
                self.first_filter = state.filter;
                let above = before.len() - row_size;
                before[above..].copy_from_slice(&state.rows[..row_size]);
                for (y, scanline) in lines {
                    // The key of the strip includes these bytes.
                    scanline[0] = 0;
                    reader.read(y, &mut scanline[1..])?;
                }
                let rows = &rows[..self.sums.len];
                if rule == FilterRule::ByRow(RowRule::PerGroup) {
                    let above = (first > 0).then(|| &before[above..]);
                    state.filter = filter_at_end(geometry, rows, above, first, state.filter);
                }
                state.rows[..row_size].copy_from_slice(&rows[rows.len() - row_size..]);
            }
        }
        Ok(())
    }

    /// Filters the rows, unless they are filtered already, and compresses them,
    /// unless a strip with the same key is kept.
    pub(super) fn compress(
        &mut self,
        geometry: &Geometry,
        filtering: &Filtering<'_>,
        kept: &KeptStrips,
    ) {
        self.is_reused = false;
        if geometry.reuses {
            self.key = self.make_key(geometry, filtering, kept.seeds());
            if let Some(sums) = kept.find(self.index, self.key) {
                self.sums = sums;
                self.is_reused = true;
                return;
            }
        }
        compress(Registers::widest(), self, geometry, filtering);
    }

    /// Returns the key of everything that has an effect on the piece.
    fn make_key(
        &self,
        geometry: &Geometry,
        filtering: &Filtering<'_>,
        seeds: [u64; 2],
    ) -> StripKey {
        let first = self.index * geometry.rows;
        let row_size = geometry.row_size;
        let count = (self.sums.len / (row_size + 1)) as u32;
        let mut key = StripKey::hasher(geometry, seeds);
        // The rows of a group that begins in an earlier strip have its filter.
        let in_group = first % GROUP_ROWS;
        let first_filter = match *filtering {
            _ if in_group == 0 => FilterType::None,
            Filtering::FromMemory(memory, FilterRule::ByRow(RowRule::PerGroup)) => {
                let start = first - in_group;
                let (row, above) = (memory.row(start), memory.above(start));
                choose_for_group(Registers::widest(), row, above, geometry.pixel_size)
            }
            Filtering::InPlace(FilterRule::ByRow(RowRule::PerGroup)) => self.first_filter,
            _ => FilterType::None,
        };
        let is_first = u8::from(first == 0);
        key.add(&[is_first, in_group as u8, first_filter as u8]);
        match filtering {
            Filtering::FromMemory(memory, _) => {
                let above = first.min(1);
                memory.for_each_part(first - above, count + above, |rows| key.add(rows));
            }
            Filtering::WhileReading(_) | Filtering::InPlace(_) => {
                let (before, rows) = self.rows.split_at(filtering.bytes_before(row_size));
                if first > 0 {
                    key.add(&before[before.len() - row_size..]);
                }
                for row in rows[..self.sums.len].chunks_exact(row_size + 1) {
                    key.add(&row[1..]);
                }
            }
        }
        key.finish()
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
        let rows = &padded[..self.sums.len];
        self.sums.adler = simd_adler32::adler32(&rows);
        self.end = ZLIB_HEADER.len();
        if geometry.is_one_block() {
            let header = before.len() - STORED_HEADER;
            before[header..].copy_from_slice(&deflate::stored_header(rows.len() as u16));
            self.end += STORED_HEADER + rows.len();
        } else {
            let out = &mut self.out[ZLIB_HEADER.len()..];
            self.end += match SearchLevels::of(geometry.compression) {
                None if geometry.compression == Compression::Stored => Deflate::stored(rows, out),
                None => self.deflate.fast(kernels, padded, rows.len(), out),
                Some(levels) => {
                    let (deflate, library) = (&mut self.deflate, &mut self.library);
                    search::deflate(kernels, levels, deflate, library, padded, rows.len(), out)
                }
            };
        }
        self.write_zlib_header(geometry, filtering);
        self.sums.crc = ImageDataCrc::new(self.piece(geometry, filtering));
    }

    /// Returns the bytes of the strip in the zlib stream. The first strip begins
    /// with the header of the stream.
    pub(super) fn piece(&self, geometry: &Geometry, filtering: &Filtering<'_>) -> &[u8] {
        let out = if geometry.is_one_block() {
            &self.rows[filtering.bytes_before(geometry.row_size) - HEAD..]
        } else {
            &self.out[..]
        };
        let start = if self.index == 0 {
            0
        } else {
            ZLIB_HEADER.len()
        };
        &out[start..self.end]
    }

    fn write_zlib_header(&mut self, geometry: &Geometry, filtering: &Filtering<'_>) {
        let out = if geometry.is_one_block() {
            &mut self.rows[filtering.bytes_before(geometry.row_size) - HEAD..]
        } else {
            &mut self.out[..]
        };
        out[..ZLIB_HEADER.len()].copy_from_slice(&ZLIB_HEADER);
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
            Filtering::InPlace(rule) => {
                // The row above and the scanlines are read while the sample is
                // written, so all three are taken apart.
                let mut rows = std::mem::take(&mut self.rows);
                let (before, lines) = rows.split_at_mut(filtering.bytes_before(row_size));
                let above = (first > 0).then(|| &before[before.len() - row_size..]);
                let lines = &mut lines[..self.sums.len];
                match rule {
                    FilterRule::ByRow(RowRule::PerGroup) => {
                        let first_filter = self.first_filter;
                        filter_groups(kernels, geometry, lines, above, first, first_filter);
                    }
                    FilterRule::ByRow(RowRule::Fixed(filter)) => {
                        let choice = FilterChoice::Fixed(filter);
                        filter_rows(kernels, choice, lines, row_size, above, pixel_size);
                    }
                    FilterRule::ByStrip => {
                        let row = |y: usize| &lines[y * (row_size + 1) + 1..][..row_size];
                        let choice = self.choose(kernels, geometry, row, above);
                        filter_rows(kernels, choice, lines, row_size, above, pixel_size);
                    }
                }
                self.rows = rows;
            }
        }
    }

    /// Returns the scanlines to write.
    fn lines(
        &mut self,
        filtering: &Filtering<'_>,
        row_size: usize,
    ) -> impl Iterator<Item = &mut [u8]> {
        let rows = &mut self.rows[filtering.bytes_before(row_size)..][..self.sums.len];
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
            lines: self.sums.len / (geometry.row_size + 1),
            row_size: geometry.row_size,
            pixel_size: geometry.pixel_size,
            row,
            above,
        };
        let (deflate, library) = (&mut self.deflate, &mut self.library);
        trial.choose(kernels, levels, deflate, library, &mut self.out)
    }
}

/// Filters rows in place, each group with a filter of its own. `first` is the
/// number of the first row in the image. If it is not the first of its group, its
/// group has the filter `first_filter`.
#[inline(always)]
fn filter_groups<K: FilterKernels>(
    kernels: K,
    geometry: &Geometry,
    lines: &mut [u8],
    above: Option<&[u8]>,
    first: u32,
    first_filter: FilterType,
) {
    let (row_size, pixel_size) = (geometry.row_size, geometry.pixel_size);
    let mut end = (lines.len() / (row_size + 1)) as u32;
    // From the last group to the first, so that the row above a group is still
    // unfiltered.
    while end > 0 {
        let last = first + end - 1;
        let start = (last - last % GROUP_ROWS).saturating_sub(first);
        let (before, group) = lines.split_at_mut(start as usize * (row_size + 1));
        let group = &mut group[..(end - start) as usize * (row_size + 1)];
        let above = match before.len() {
            0 => above,
            len => Some(&before[len - row_size..]),
        };
        let filter = if (first + start).is_multiple_of(GROUP_ROWS) {
            paeth_or_average(kernels, &group[1..=row_size], above, pixel_size)
        } else {
            first_filter
        };
        let choice = FilterChoice::Fixed(filter);
        filter_rows(kernels, choice, group, row_size, above, pixel_size);
        end = start;
    }
}

/// Returns the filter of the group of rows that the last row belongs to. The
/// arguments are those of [`filter_groups`].
fn filter_at_end(
    geometry: &Geometry,
    lines: &[u8],
    above: Option<&[u8]>,
    first: u32,
    first_filter: FilterType,
) -> FilterType {
    let row_size = geometry.row_size;
    let last = first + (lines.len() / (row_size + 1)) as u32 - 1;
    let Some(start) = (last - last % GROUP_ROWS).checked_sub(first) else {
        return first_filter;
    };
    let (before, group) = lines.split_at(start as usize * (row_size + 1));
    let above = match before.len() {
        0 => above,
        len => Some(&before[len - row_size..]),
    };
    let row = &group[1..=row_size];
    choose_for_group(Registers::widest(), row, above, geometry.pixel_size)
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
        let options = (compression, filter);
        let mut geometry = Geometry::new(width, height, format.png(), options, false).unwrap();
        geometry.rows = height;
        geometry.height = 2 * height;
        geometry
    }

    /// As for rows that are read.
    fn filtering(geometry: &Geometry) -> Filtering<'static> {
        match geometry.rule {
            FilterRule::ByRow(rule) => Filtering::WhileReading(rule),
            rule @ FilterRule::ByStrip => Filtering::InPlace(rule),
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
        strip.sums.len = geometry.size();
        strip.index = index;
        strip
    }

    impl Strip {
        /// All that comes out of a strip.
        fn result(&self) -> (Vec<u8>, StripSums) {
            let out = if self.out.is_empty() {
                &self.rows
            } else {
                &self.out[..self.end]
            };
            (out.to_vec(), self.sums)
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
