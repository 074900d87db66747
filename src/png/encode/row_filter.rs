//! Filtering of rows one after the other while they are read, and of groups of
//! rows in place.

use super::filter::{
    FilterChoice, FilterKernels, FilterType, GROUP_ROWS, choose_for_group, filter_one, filter_rows,
    paeth_or_average,
};
use super::filtering::{FilterRule, RowRule};
use super::geometry::Geometry;
use crate::Error;
use crate::alloc::grow;
use crate::arch::Registers;

/// The last rows and their filter, which the next row needs.
#[derive(Default)]
pub(super) struct RowFilter {
    /// The last rows, unfiltered. Two rows that take turns if rows are filtered
    /// while they are read; otherwise the last row of the previous strip.
    rows: Vec<u8>,
    /// The filter of the current group of rows.
    filter: FilterType,
}

impl RowFilter {
    /// Makes room for `rows` rows.
    pub(super) fn prepare(&mut self, geometry: &Geometry, rows: usize) -> Result<(), Error> {
        Ok(grow(&mut self.rows, rows * geometry.row_size)?)
    }

    /// Reads the rows above row `first` that have an effect on it: the row above it
    /// and, if its group begins earlier, the first row of the group and the row
    /// above that.
    pub(super) fn start_at(
        &mut self,
        geometry: &Geometry,
        rule: RowRule,
        first: u32,
        mut read: impl FnMut(u32, &mut [u8]),
    ) {
        let group = first - first % GROUP_ROWS;
        if group < first && rule == RowRule::PerGroup {
            if let Some(above) = group.checked_sub(1) {
                read(above, self.row_and_above(geometry, above).0);
            }
            read(group, self.row_and_above(geometry, group).0);
            self.choose(geometry, group);
        }
        if rule == RowRule::Fixed(FilterType::None) {
            return;
        }
        if let Some(above) = first.checked_sub(1) {
            read(above, self.row_and_above(geometry, above).0);
        }
    }

    /// Reads rows that follow the last row, and filters each into its scanline.
    pub(super) fn read_and_filter<'l>(
        &mut self,
        geometry: &Geometry,
        rule: RowRule,
        scanlines: impl Iterator<Item = (u32, &'l mut [u8])>,
        mut read: impl FnMut(u32, &mut [u8]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        if rule == RowRule::Fixed(FilterType::None) {
            for (y, scanline) in scanlines {
                scanline[0] = FilterType::None as u8;
                read(y, &mut scanline[1..])?;
            }
            return Ok(());
        }
        let (registers, pixel_size) = (Registers::widest(), geometry.pixel_size);
        for (y, scanline) in scanlines {
            read(y, self.row_and_above(geometry, y).0)?;
            if let RowRule::Fixed(filter) = rule {
                self.filter = filter;
            } else if y.is_multiple_of(GROUP_ROWS) {
                self.choose(geometry, y);
            }
            let filter = FilterChoice::Fixed(self.filter);
            let (row, above) = self.row_and_above(geometry, y);
            filter_one(registers, filter, row, above, pixel_size, scanline);
        }
        Ok(())
    }

    /// Chooses the filter of the group that begins with row `y`, which was read
    /// last.
    fn choose(&mut self, geometry: &Geometry, y: u32) {
        let (row, above) = self.row_and_above(geometry, y);
        self.filter = choose_for_group(Registers::widest(), row, above, geometry.pixel_size);
    }

    /// Returns the memory for row `y`, and the row above it.
    fn row_and_above(&mut self, geometry: &Geometry, y: u32) -> (&mut [u8], Option<&[u8]>) {
        let row_size = geometry.row_size;
        let (even, odd) = self.rows.split_at_mut(row_size);
        let odd = &mut odd[..row_size];
        let (row, above) = if y.is_multiple_of(2) {
            (even, odd)
        } else {
            (odd, even)
        };
        (row, (y > 0).then_some(&*above))
    }

    /// Returns the filter of the group that the next row belongs to.
    pub(super) fn filter(&self) -> FilterType {
        self.filter
    }

    /// Returns the last row of the previous strip.
    pub(super) fn last_row(&self, row_size: usize) -> &[u8] {
        &self.rows[..row_size]
    }

    /// Keeps the last row of a strip of unfiltered rows, and the filter of its
    /// group, for the next strip. The arguments are those of [`filter_groups`].
    pub(super) fn end_strip(
        &mut self,
        geometry: &Geometry,
        rule: FilterRule,
        lines: &[u8],
        above: Option<&[u8]>,
        first: u32,
    ) {
        let row_size = geometry.row_size;
        if rule == FilterRule::ByRow(RowRule::PerGroup) {
            self.filter = filter_at_end(geometry, lines, above, first, self.filter);
        }
        let last = lines.len() - row_size;
        self.rows[..row_size].copy_from_slice(&lines[last..]);
    }
}

/// Filters the scanlines `lines` in place, each group of rows with a filter of its
/// own. `above` is the row above them. `first` is the number of the first row in
/// the image. If its group begins above it, that group has the filter
/// `first_filter`.
#[inline(always)]
pub(super) fn filter_groups<K: FilterKernels>(
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

/// Returns the filter of the group that the last row belongs to. The arguments are
/// those of [`filter_groups`], before it filters.
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
