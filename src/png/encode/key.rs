//! The keys by which unchanged strips are recognized.

use std::hash::{Hash, Hasher};

use super::filter::FilterType;
use super::filter::{GROUP_ROWS, choose_for_group};
use super::filtering::{FilterRule, Filtering, RowRule};
use super::geometry::Geometry;
use crate::arch::Registers;

/// The digest of everything that has an effect on the piece of a strip: its
/// place in the image, the samples of its rows and of the row above them, the
/// filter of a group of rows that begins in an earlier strip, and the geometry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct StripKey(u128);

/// The rows of a strip before they are filtered. Rows that stay in stable memory
/// have only their number here.
pub(super) struct UnfilteredRows<'a> {
    /// The bytes before the rows. They end with the row above the first row.
    pub(super) before: &'a [u8],
    /// The rows, each behind a byte for its filter.
    pub(super) rows: &'a [u8],
    /// The number of the first row in the image.
    pub(super) first: u32,
    /// The filter of the group that the first row belongs to, if the group begins
    /// in an earlier strip.
    pub(super) first_filter: FilterType,
}

impl StripKey {
    /// Returns the key of a strip. The samples are in stable memory or in `rows`,
    /// as `filtering` tells. The seeds are random numbers, so that nobody can
    /// construct two strips with the same key.
    pub(super) fn of(
        geometry: &Geometry,
        filtering: &Filtering<'_>,
        rows: &UnfilteredRows<'_>,
        seeds: [u64; 2],
    ) -> Self {
        let mut key = KeyHasher(museair::Hasher128::with_seed(seeds[0], seeds[1]));
        let Geometry {
            height: _, // the number of rows of the strip takes its place
            row_size,
            pixel_size,
            rows: rows_per_strip,
            compression,
            rule,
            is_kept: _,  // `rows_per_strip` tells
            is_keyed: _, // always true here
        } = *geometry;
        let first = rows.first;
        let count = (rows.rows.len() / (row_size + 1)) as u32;
        let strip = (row_size, pixel_size, rows_per_strip, first, count);
        (strip, compression, rule).hash(&mut key);

        // If a group begins in an earlier strip, that strip decides the filter of
        // the first rows.
        let group = first - first % GROUP_ROWS;
        let is_split = group < first && rule == FilterRule::ByRow(RowRule::PerGroup);
        let rows_above = match rule {
            FilterRule::ByRow(RowRule::Fixed(filter)) if !filter.uses_row_above() => 0,
            _ => first.min(1),
        };
        let (start, total) = (first - rows_above, count + rows_above);
        // Bytes that are converted must not have the key of equal bytes that are
        // not converted.
        let is_converted = matches!(filtering, Filtering::Converting(..));
        key.write(&[is_converted.into()]);
        match filtering {
            Filtering::FromMemory(memory, _) => {
                if is_split {
                    let (row, above) = (memory.row(group), memory.above(group));
                    let registers = Registers::widest();
                    let filter = choose_for_group(registers, row, above, pixel_size);
                    key.write(&[filter as u8]);
                }
                memory.for_each_part(start, total, |rows| key.write(rows));
            }
            // The digest is that of the bytes in memory, so that unchanged rows
            // are not converted.
            Filtering::Converting(memory, _) => {
                let png = memory.png();
                (memory.format(), png.color as u8, png.depth).hash(&mut key);
                if is_split {
                    key.write(memory.row(group));
                    memory
                        .above(group)
                        .into_iter()
                        .for_each(|row| key.write(row));
                }
                memory.for_each_part(start, total, |rows| key.write(rows));
            }
            Filtering::WhileReading(_) | Filtering::InPlace(_) => {
                let is_filtered = matches!(filtering, Filtering::WhileReading(_));
                debug_assert!(!is_filtered, "`Filtering::of` rules it out for keys");
                if is_split {
                    key.write(&[rows.first_filter as u8]);
                }
                if rows_above > 0 {
                    key.write(&rows.before[rows.before.len() - row_size..]);
                }
                for row in rows.rows.chunks_exact(row_size + 1) {
                    key.write(&row[1..]);
                }
            }
        }
        StripKey(key.0.finish128())
    }
}

/// The hasher of a key. Implements [`Hasher`] for the `Hash` types of a key.
struct KeyHasher(museair::Hasher128);

impl Hasher for KeyHasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0.write(bytes);
    }

    /// Never called: a key takes all 128 bits.
    fn finish(&self) -> u64 {
        self.0.finish128_folded()
    }
}
