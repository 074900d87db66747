//! A strip: consecutive scanlines, which become one piece of the compressed
//! stream.
//!
//! Strips are read from the source one after the other. Each is compressed on
//! its own, in any order and by any thread. Its piece depends only on its rows,
//! the rows above them and the [`Geometry`].

use super::chunk_writer::ImageDataCrc;
use super::filter::{
    FilterChoice, FilterKernels, FilterType, GROUP_ROWS, filter_row_to, filter_rows,
};
use super::filtering::{FilterRule, Filtering, RowRule};
use super::geometry::{Geometry, HEAD, ZLIB_HEADER};
use super::kept::{KeptStrip, KeptStrips};
use super::key::{StripKey, UnfilteredRows};
use super::known_files::{KnownStrips, StripInFile};
use super::row_filter::{RowFilter, filter_groups};
use super::scanline::{ScanlineReader, StableRows};
use super::search::{self, Trial};
use crate::alloc::{grow, push};
use crate::arch::{Registers, dispatch};
use crate::deflate::{self, Deflate, STORED_HEADER};
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
    /// sample on which filters are tried.
    out: Vec<u8>,
    /// Bytes of the zlib header and the piece.
    end: usize,
    /// The key by which later saves recognize the strip, if strips have keys.
    key: StripKey,
    /// The checksums of the strip.
    sums: StripSums,
    found: Found,
    /// The last rows and their filter, if the strip converts rows of stable memory.
    row_filter: RowFilter,
    /// The compressor, or nothing before strips are prepared. Elsewhere, since strips are
    /// moved and its tables are large.
    deflate: Vec<Deflate>,
}

/// The place where a strip with the same key was found.
#[derive(Clone, Copy, Default)]
enum Found {
    /// Nowhere. The strip must be compressed.
    #[default]
    Nowhere,
    /// Among the strips of earlier saves.
    Kept,
    /// In the file that is to be replaced.
    InFile(StripInFile),
}

/// The places where a strip is looked for before it is compressed.
#[derive(Clone, Copy)]
pub(super) struct EarlierStrips<'a> {
    /// The strips of earlier saves.
    pub(super) kept: &'a KeptStrips,
    /// The strips of the file that is to be replaced.
    pub(super) file: &'a KnownStrips,
}

/// The checksums of a strip.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct StripSums {
    /// Bytes of the scanlines.
    pub(super) len: usize,
    /// The Adler-32 of the filtered scanlines.
    pub(super) adler: u32,
    /// The CRC of the beginning of the strip's IDAT chunk: its name and the piece.
    pub(super) crc: ImageDataCrc,
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
        if let Filtering::Converting(_, FilterRule::ByRow(rule)) = filtering {
            self.row_filter.prepare(geometry, rule.rows_needed())?;
        }
        if geometry.is_one_block() {
            return Ok(());
        }
        if geometry.compression != Compression::Stored {
            if self.deflate.is_empty() {
                push(&mut self.deflate, Deflate::default())?;
            }
            let bytes = size as u64;
            for deflate in &mut self.deflate {
                let reserved = match search::effort(geometry.compression) {
                    Some(effort) => deflate.reserve_search(effort, size),
                    None => deflate.reserve(size),
                };
                reserved.map_err(|_| ErrorKind::OutOfMemory { bytes })?;
            }
        }
        Ok(grow(
            &mut self.out,
            ZLIB_HEADER.len() + deflate::bound(size),
        )?)
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

    /// Returns the place of the strip in the file that is to be replaced, if
    /// [`compress`](Strip::compress) found it there.
    pub(super) fn in_file(&self) -> Option<StripInFile> {
        match self.found {
            Found::InFile(strip) => Some(strip),
            Found::Nowhere | Found::Kept => None,
        }
    }

    /// Removes the kept strip with the same key and returns it. If it is not kept,
    /// compresses this strip, unless [`compress`](Strip::compress) has done so, and
    /// returns `None`.
    pub(super) fn take_kept_or_compress(
        &mut self,
        geometry: &Geometry,
        filtering: &Filtering<'_>,
        earlier: EarlierStrips<'_>,
    ) -> Option<KeptStrip> {
        if let Found::Nowhere = self.found {
            return None;
        }
        let kept = earlier.kept.take(self.index, self.key);
        if kept.is_none() {
            self.compress_new(geometry, filtering);
        }
        kept
    }

    /// Begins strip `index` and reads its rows, each pixel once. Rows that any
    /// thread may read out of stable memory are read later, when the strip is
    /// compressed.
    pub(super) fn read(
        &mut self,
        geometry: &Geometry,
        filtering: &Filtering<'_>,
        reader: &ScanlineReader<'_>,
        index: u32,
        row_filter: &mut RowFilter,
    ) -> Result<(), Error> {
        let (row_size, first) = (geometry.row_size, index * geometry.rows);
        let count = geometry.rows.min(geometry.height - first);
        self.sums.len = count as usize * (row_size + 1);
        self.index = index;
        let (before, rows) = self.rows.split_at_mut(filtering.bytes_before(row_size));
        let lines = (first..first + count).zip(rows.chunks_exact_mut(row_size + 1));
        match *filtering {
            Filtering::FromMemory(..) | Filtering::Converting(..) => {}
            Filtering::WhileReading(rule) => {
                let read = |y, row: &mut [u8]| reader.read(y, row);
                row_filter.read_and_filter(geometry, rule, lines, read)?;
            }
            Filtering::InPlace(rule) => {
                self.first_filter = row_filter.filter();
                let (_, above) = before.split_at_mut(before.len() - row_size);
                above.copy_from_slice(row_filter.last_row(row_size));
                for (y, scanline) in lines {
                    reader.read(y, &mut scanline[1..])?;
                }
                let above = (first > 0).then_some(&*above);
                row_filter.end_strip(geometry, rule, &rows[..self.sums.len], above, first);
            }
        }
        Ok(())
    }

    /// Looks for an earlier strip with the same key, if strips have keys. If
    /// there is none, filters the rows, unless they are filtered already, and
    /// compresses them.
    pub(super) fn compress(
        &mut self,
        geometry: &Geometry,
        filtering: &Filtering<'_>,
        earlier: EarlierStrips<'_>,
    ) {
        self.found = Found::Nowhere;
        if geometry.is_keyed {
            let (before, rows) = self
                .rows
                .split_at(filtering.bytes_before(geometry.row_size));
            let rows = UnfilteredRows {
                before,
                rows: &rows[..self.sums.len],
                first: self.index * geometry.rows,
                first_filter: self.first_filter,
            };
            self.key = StripKey::of(geometry, filtering, &rows, earlier.kept.seeds());
            if let Some(sums) = earlier.kept.find(self.index, self.key) {
                self.sums = sums;
                self.found = Found::Kept;
            }
            if let Some(strip) = earlier.file.find(self.index, self.key) {
                self.sums = strip.sums;
                self.found = Found::InFile(strip);
            }
        }
        if let Found::Nowhere = self.found {
            self.compress_new(geometry, filtering);
        }
    }

    /// Converts the rows if they need it, filters them unless they are filtered
    /// already, and compresses them.
    fn compress_new(&mut self, geometry: &Geometry, filtering: &Filtering<'_>) {
        if let Filtering::Converting(memory, rule) = *filtering {
            self.convert(geometry, filtering, memory, rule);
        }
        compress(Registers::widest(), self, geometry, filtering);
    }

    /// Reads the rows, and the rows above that have an effect on them, out of
    /// stable memory. Filters them too, if the filter follows from the rows
    /// above.
    fn convert(
        &mut self,
        geometry: &Geometry,
        filtering: &Filtering<'_>,
        memory: StableRows<'_>,
        rule: FilterRule,
    ) {
        let (row_size, first) = (geometry.row_size, self.index * geometry.rows);
        let (before, rows) = self.rows.split_at_mut(filtering.bytes_before(row_size));
        let lines = rows[..self.sums.len].chunks_exact_mut(row_size + 1);
        let lines = (first..).zip(lines);
        match rule {
            FilterRule::ByRow(rule) => {
                let read = |y, row: &mut [u8]| memory.read(y, row);
                self.row_filter.start_at(geometry, rule, first, read);
                let read = |y, row: &mut [u8]| {
                    memory.read(y, row);
                    Ok(())
                };
                let filtered = self.row_filter.read_and_filter(geometry, rule, lines, read);
                debug_assert!(filtered.is_ok(), "reading stable memory cannot fail");
            }
            FilterRule::ByStrip => {
                if let Some(above) = first.checked_sub(1) {
                    let start = before.len() - row_size;
                    memory.read(above, &mut before[start..]);
                }
                for (y, scanline) in lines {
                    memory.read(y, &mut scanline[1..]);
                }
            }
        }
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
            // Only strips that are stored have no compressor.
            self.end += match (
                self.deflate.first_mut(),
                search::effort(geometry.compression),
            ) {
                _ if geometry.compression == Compression::Stored => Deflate::stored(rows, out),
                (None, _) => Deflate::stored(rows, out),
                (Some(deflate), None) => deflate.fast(kernels, padded, rows.len(), out),
                (Some(deflate), Some(effort)) => {
                    deflate.searched(kernels, effort, padded, rows.len(), out)
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
            Filtering::WhileReading(_) | Filtering::Converting(_, FilterRule::ByRow(_)) => {}
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
            Filtering::Converting(_, rule @ FilterRule::ByStrip) | Filtering::InPlace(rule) => {
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

    /// Returns the way to choose the filters of the strip. `row` returns a row by
    /// its number in the strip; `above` is the row above the strip.
    #[inline(always)]
    fn choose<'r, K: FilterKernels>(
        &mut self,
        kernels: K,
        geometry: &Geometry,
        row: impl Fn(usize) -> &'r [u8],
        above: Option<&'r [u8]>,
    ) -> FilterChoice {
        let Some(effort) = search::effort(geometry.compression) else {
            return FilterChoice::MinSum;
        };
        let trial = Trial {
            lines: self.sums.len / (geometry.row_size + 1),
            row_size: geometry.row_size,
            pixel_size: geometry.pixel_size,
            row,
            above,
        };
        match self.deflate.first_mut() {
            Some(deflate) => trial.choose(kernels, effort, deflate, &mut self.out),
            None => FilterChoice::MinSum,
        }
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
    use crate::png::encode::geometry::StripOptions;
    use crate::png::encode::options::Filter;

    /// The geometry of an image of two strips.
    fn geometry(
        width: u32,
        height: u32,
        format: PixelFormat,
        compression: Compression,
    ) -> Geometry {
        let options = StripOptions {
            compression,
            filter: Filter::Auto,
            is_kept: false,
            is_keyed: false,
        };
        let mut geometry = Geometry::new(width, height, format.png(), options).unwrap();
        geometry.rows = height;
        geometry.height = 2 * height;
        geometry
    }

    /// The filtering of rows of live memory.
    fn filtering(geometry: &Geometry) -> Filtering<'static> {
        match geometry.rule {
            FilterRule::ByRow(rule) => Filtering::WhileReading(rule),
            rule @ FilterRule::ByStrip => Filtering::InPlace(rule),
        }
    }

    /// A strip of random or regular pixels: `kind` is 0 to 5.
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
        /// The output of a strip.
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
                        if (mode == Small || mode == Best) && width * height > 10_000 && kind > 2 {
                            continue; // searches are slow
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
