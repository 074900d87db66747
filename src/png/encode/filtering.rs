//! Which filter the rows of a save get, and when they are filtered.

use super::filter::{FilterKernels, FilterType, GROUP_ROWS, paeth_or_average};
use super::geometry::{Geometry, HEAD};
use super::options::{Compression, Filter};
use super::scanline::{ScanlineReader, StableRows};
use crate::format::PngFormat;
use png::ColorType;

/// The rule by which the filter of a row is chosen. It follows from the type of
/// the file and the options alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum FilterRule {
    /// The filter follows from the row and the rows above it.
    ByRow(RowRule),
    /// The filters follow from all rows of a strip.
    ByStrip,
}

/// A rule that needs no row below the row it filters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum RowRule {
    /// Every row has the same filter.
    Fixed(FilterType),
    /// The rows of a group share a filter, which the first of them decides.
    PerGroup,
}

impl FilterRule {
    pub(super) fn of(png: PngFormat, compression: Compression, filter: Filter) -> Self {
        let rule = match (filter.fixed(), compression) {
            (Some(filter), _) => RowRule::Fixed(filter),
            (None, Compression::Stored) => RowRule::Fixed(FilterType::None),
            // A byte of many pixels is like the byte above it, or like none.
            (None, Compression::Fast) if png.depth <= 2 => RowRule::Fixed(FilterType::Up),
            // Indices and pixels of 4 bits have no noise.
            (None, Compression::Fast) if png.color == ColorType::Indexed || png.depth < 8 => {
                RowRule::Fixed(FilterType::Paeth)
            }
            (None, Compression::Fast) => RowRule::PerGroup,
            (None, Compression::Small | Compression::Best) => return FilterRule::ByStrip,
        };
        FilterRule::ByRow(rule)
    }
}

impl RowRule {
    /// Returns the number of rows that must be in memory while rows are filtered
    /// one after the other: the row itself and the row above it, or none.
    pub(super) fn rows_needed(self) -> usize {
        match self {
            RowRule::Fixed(FilterType::None) => 0,
            RowRule::Fixed(_) | RowRule::PerGroup => 2,
        }
    }

    /// Returns the filter of row `y`.
    #[inline(always)]
    pub(super) fn of_row<K: FilterKernels>(
        self,
        kernels: K,
        rows: StableRows<'_>,
        y: u32,
        pixel_size: usize,
    ) -> FilterType {
        match self {
            RowRule::Fixed(filter) => filter,
            RowRule::PerGroup => {
                let first = y - y % GROUP_ROWS;
                paeth_or_average(kernels, rows.row(first), rows.above(first), pixel_size)
            }
        }
    }
}

/// When the rows of a save are read and filtered.
#[derive(Clone, Copy)]
pub(super) enum Filtering<'a> {
    /// The rows lie in stable memory as the file holds them. Any thread filters
    /// them out of that memory, when it compresses a strip.
    FromMemory(StableRows<'a>, FilterRule),
    /// The rows lie in stable memory in another format. Any thread converts and
    /// filters them, when it compresses the strip.
    Converting(StableRows<'a>, FilterRule),
    /// The caller's thread filters each row as soon as it has read it.
    WhileReading(RowRule),
    /// The caller's thread reads rows into the strip. Any thread filters them
    /// there, when it compresses the strip.
    InPlace(FilterRule),
}

impl<'a> Filtering<'a> {
    pub(super) fn of(geometry: &Geometry, reader: &ScanlineReader<'a>) -> Self {
        match (reader.stable_rows(), geometry.rule) {
            (Some(rows), rule) if rows.are_stored_as_png() => Filtering::FromMemory(rows, rule),
            (Some(rows), rule) => Filtering::Converting(rows, rule),
            // If strips have keys, a strip is filtered only after no earlier strip
            // with the same key was found.
            (_, FilterRule::ByRow(rule)) if !geometry.is_keyed => Filtering::WhileReading(rule),
            (_, rule) => Filtering::InPlace(rule),
        }
    }

    /// Returns the number of rows that the reading thread keeps outside of strips.
    pub(super) fn reader_rows(&self) -> usize {
        match self {
            Filtering::FromMemory(..) | Filtering::Converting(..) => 0,
            Filtering::WhileReading(rule) => rule.rows_needed(),
            // The last row of the previous strip.
            Filtering::InPlace(_) => 1,
        }
    }

    /// Returns the number of bytes before the scanlines of a strip: the row
    /// above the first, or the head of a stored block.
    pub(super) fn bytes_before(&self, row_size: usize) -> usize {
        match self {
            Filtering::FromMemory(..)
            | Filtering::Converting(_, FilterRule::ByRow(_))
            | Filtering::WhileReading(_) => HEAD,
            Filtering::Converting(_, FilterRule::ByStrip) | Filtering::InPlace(_) => {
                row_size.max(HEAD)
            }
        }
    }
}
