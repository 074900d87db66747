//! Keys of strips, by which unchanged strips are recognized.

use std::hash::{Hash, Hasher};

use super::filter::FilterType;
use super::filter::{GROUP_ROWS, choose_for_group};
use super::filtering::{FilterRule, Filtering, RowRule};
use super::geometry::Geometry;
use crate::arch::Registers;

/// The digest of everything that has an effect on the piece of a strip: the
/// samples of its rows and of the row above them, the filter on entry, and the
/// geometry.
///
/// A piece is looked for among the strips with the same number in their images,
/// so the number of the first row follows from the geometry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct StripKey(u128);

/// The rows of a strip that the caller's thread has read. They are not filtered.
pub(super) struct UnfilteredRows<'a> {
    /// Ends with the row above the first.
    pub(super) before: &'a [u8],
    /// The rows, each with a byte for the filter before it.
    pub(super) rows: &'a [u8],
    /// The number of the first row in the image.
    pub(super) first: u32,
    /// The filter of the group that the first row belongs to, if the group begins
    /// in an earlier strip.
    pub(super) first_filter: FilterType,
}

impl StripKey {
    /// Returns the key of a strip. `rows` has the samples if they are not read out
    /// of stable memory. The seeds are random numbers, so that nobody can make two
    /// strips of one key on purpose.
    pub(super) fn of(
        geometry: &Geometry,
        filtering: &Filtering<'_>,
        rows: &UnfilteredRows<'_>,
        seeds: [u64; 2],
    ) -> Self {
        let mut key = KeyHasher(museair::Hasher128::with_seed(seeds[0], seeds[1]));
        let Geometry {
            height: _, // the strip has its own number of rows
            row_size,
            pixel_size,
            rows: rows_per_strip,
            compression,
            rule,
            is_keyed: _, // always true here
        } = *geometry;
        let first = rows.first;
        let count = (rows.rows.len() / (row_size + 1)) as u32;
        let strip = (row_size, pixel_size, rows_per_strip, first, count);
        (strip, compression, rule).hash(&mut key);

        // The rows of a group that begins in an earlier strip have the filter of
        // the group.
        let group = first - first % GROUP_ROWS;
        let is_split = group < first && rule == FilterRule::ByRow(RowRule::PerGroup);
        // These filters never look at the row above.
        let own_row = [FilterType::None, FilterType::Sub];
        let above = match rule {
            FilterRule::ByRow(RowRule::Fixed(filter)) if own_row.contains(&filter) => 0,
            _ => first.min(1),
        };
        // Pixels of another format must not have a key of pixels as in PNG.
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
                memory.for_each_part(first - above, count + above, |rows| key.write(rows));
            }
            // The bytes in memory, so that unchanged rows are not converted.
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
                memory.for_each_part(first - above, count + above, |rows| key.write(rows));
            }
            Filtering::WhileReading(_) | Filtering::InPlace(_) => {
                if is_split {
                    key.write(&[rows.first_filter as u8]);
                }
                if above > 0 {
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

/// The hasher of a key.
struct KeyHasher(museair::Hasher128);

impl Hasher for KeyHasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0.write(bytes);
    }

    /// Never called: a key has all 128 bits.
    fn finish(&self) -> u64 {
        self.0.finish128_folded()
    }
}
