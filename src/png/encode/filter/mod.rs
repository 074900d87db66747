//! The filters of PNG (PNG third edition, section 9).
//!
//! A filter predicts each byte from the unfiltered bytes to its left and above
//! it. There are two ways to filter: [`filter_row_to`] filters a row into a
//! scanline elsewhere, and [`filter_rows`] filters rows in place. In place,
//! filters go from the last byte of the last row to the first byte of the first
//! row, so that the bytes to the left and above are still unfiltered.

mod apply;
mod choose;
mod kernels;
#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
mod x86;

use crate::arch::dispatch;
use apply::{Row, filter_row};
pub(crate) use choose::paeth_or_average;
use choose::{least_entropy, min_sum};
pub(crate) use kernels::FilterKernels;

/// A filter type (PNG third edition, 9.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) enum FilterType {
    /// Leaves bytes unchanged.
    #[default]
    None = 0,
    /// Subtracts the byte of the pixel on the left.
    Sub = 1,
    /// Subtracts the byte of the pixel above.
    Up = 2,
    /// Subtracts the average of the bytes on the left and above, rounded down.
    Average = 3,
    /// Subtracts the byte on the left, above or on the upper left, whichever is
    /// nearest to left + above - upper left.
    Paeth = 4,
}

impl FilterType {
    /// Returns whether the filter looks at the row above.
    pub(crate) fn uses_row_above(self) -> bool {
        match self {
            FilterType::None | FilterType::Sub => false,
            FilterType::Up | FilterType::Average | FilterType::Paeth => true,
        }
    }
}

/// The way to choose the filter of a scanline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum FilterChoice {
    /// The same filter for every scanline.
    Fixed(FilterType),
    /// The filter with the smallest sum of the absolute values of the filtered
    /// bytes, taken as signed numbers (PNG third edition, 12.7). This heuristic
    /// is known as the minimum sum of absolute differences.
    MinSum,
    /// The filter whose filtered bytes have the least entropy.
    Entropy,
}

impl FilterChoice {
    /// Returns the filter for a row. `above` and `pixel_size` are those of
    /// [`filter_rows`].
    #[inline(always)]
    fn filter_for<K: FilterKernels>(
        self,
        kernels: K,
        row: &[u8],
        above: Option<&[u8]>,
        pixel_size: usize,
    ) -> FilterType {
        match self {
            FilterChoice::Fixed(filter) => filter,
            FilterChoice::MinSum => min_sum(kernels, row, above, pixel_size),
            FilterChoice::Entropy => least_entropy(kernels, row, above, pixel_size),
        }
    }
}

/// The number of rows in a group. In the fast mode, the rows of a group share a
/// filter. Each group begins at a multiple of this number.
pub(crate) const GROUP_ROWS: u32 = 16;

/// Filters scanlines in place. Each scanline of `rows` is one byte for the
/// filter type and `row_size` bytes of samples. `above` is the unfiltered row
/// above the first row, without the byte for the filter type. The first row of
/// an image has no row above it, which counts as zeros (PNG third edition,
/// 9.2). `pixel_size` is in bytes, or 1 if pixels are smaller.
#[inline(always)]
pub(crate) fn filter_rows<K: FilterKernels>(
    kernels: K,
    choice: FilterChoice,
    rows: &mut [u8],
    row_size: usize,
    above: Option<&[u8]>,
    pixel_size: usize,
) {
    for start in (0..rows.len()).step_by(row_size + 1).rev() {
        let (before, row) = rows.split_at_mut(start);
        let above = match start {
            0 => above,
            _ => Some(&before[start - row_size..]),
        };
        let (filter, row) = row[..=row_size].split_at_mut(1);
        let chosen = choice.filter_for(kernels, row, above, pixel_size);
        filter[0] = chosen as u8;
        filter_row(kernels, chosen, Row::InPlace(row), above, pixel_size);
    }
}

/// Filters a row into a scanline: one byte for the filter type, and then as
/// many bytes as the row has. `above` and `pixel_size` are those of
/// [`filter_rows`].
#[inline(always)]
pub(crate) fn filter_row_to<K: FilterKernels>(
    kernels: K,
    choice: FilterChoice,
    row: &[u8],
    above: Option<&[u8]>,
    pixel_size: usize,
    scanline: &mut [u8],
) {
    let chosen = choice.filter_for(kernels, row, above, pixel_size);
    let (filter, to) = scanline.split_at_mut(1);
    filter[0] = chosen as u8;
    filter_row(kernels, chosen, Row::To(row, to), above, pixel_size);
}

dispatch! {
    /// Filters a row into a scanline: calls [`filter_row_to`] with the kernels
    /// of these registers.
    pub(crate) fn filter_one<kernels>(
        choice: FilterChoice,
        row: &[u8],
        above: Option<&[u8]>,
        pixel_size: usize,
        scanline: &mut [u8],
    ) -> () {
        filter_row_to(kernels, choice, row, above, pixel_size, scanline)
    }
}

dispatch! {
    /// Chooses the filter of a group of rows: calls [`paeth_or_average`] with
    /// the kernels of these registers.
    pub(crate) fn choose_for_group<kernels>(
        row: &[u8],
        above: Option<&[u8]>,
        pixel_size: usize,
    ) -> FilterType {
        paeth_or_average(kernels, row, above, pixel_size)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::arch::{Portable, Registers};

    /// Predicts a byte as PNG third edition, 9.4, defines it.
    pub(super) fn paeth_of_the_specification(a: u8, b: u8, c: u8) -> u8 {
        let p = i32::from(a) + i32::from(b) - i32::from(c);
        let distance = |x: u8| (p - i32::from(x)).abs();
        let (pa, pb, pc) = (distance(a), distance(b), distance(c));
        if pa <= pb && pa <= pc {
            a
        } else if pb <= pc {
            b
        } else {
            c
        }
    }

    /// Reconstructs rows as PNG third edition, 9.2, defines it.
    fn reconstruct(rows: &[u8], row_size: usize, above: &[u8], pixel_size: usize) -> Vec<u8> {
        let mut result: Vec<Vec<u8>> = vec![above.to_vec()];
        for row in rows.chunks(row_size + 1) {
            let above = result.last().unwrap().clone();
            let mut recon: Vec<u8> = Vec::new();
            for (i, &x) in row[1..].iter().enumerate() {
                let left = i.checked_sub(pixel_size);
                let a = left.map_or(0, |left| recon[left]);
                let b = above[i];
                let c = left.map_or(0, |left| above[left]);
                recon.push(x.wrapping_add(match row[0] {
                    0 => 0,
                    1 => a,
                    2 => b,
                    3 => u16::midpoint(a.into(), b.into()) as u8,
                    4 => paeth_of_the_specification(a, b, c),
                    other => panic!("{other}"),
                }));
            }
            result.push(recon);
        }
        result[1..].concat()
    }

    /// The chosen filter has the minimum sum of absolute differences, as PNG
    /// third edition, 12.7, defines it.
    #[test]
    fn minimum_sum() {
        let mut seed = 11u32;
        for pixel_size in [1, 3, 8] {
            for pixels in [1, 2, 31, 32, 100, 300] {
                for kind in 0..7 {
                    let mut noise = |shift: u32| -> Vec<u8> {
                        let mut next = || {
                            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                            (seed >> 24 >> shift) as u8
                        };
                        (0..pixel_size * pixels).map(|_| next()).collect()
                    };
                    let (row, mut above) = (noise(kind), noise(kind));
                    if kind == 6 {
                        above.clone_from(&row);
                        let least = least_entropy(Portable, &row, Some(&above), pixel_size);
                        assert_eq!(least, FilterType::Paeth);
                    }
                    let above = (kind != 5).then_some(&above[..]);
                    let cost = |filter: FilterType| -> u32 {
                        let mut line = vec![0; row.len() + 1];
                        let choice = FilterChoice::Fixed(filter);
                        filter_row_to(Portable, choice, &row, above, pixel_size, &mut line);
                        let bytes = line[1..].iter();
                        bytes
                            .map(|&byte| u32::from((byte as i8).unsigned_abs()))
                            .sum()
                    };
                    use FilterType::{Average, None, Paeth, Sub, Up};
                    let least = [None, Sub, Up, Average, Paeth].map(cost).into_iter().min();
                    let chosen = min_sum(Portable, &row, above, pixel_size);
                    assert_eq!(
                        Some(cost(chosen)),
                        least,
                        "{chosen:?} {pixel_size} {pixels}"
                    );
                }
            }
        }
    }

    #[test]
    fn there_and_back() {
        use FilterType::{Average, None, Paeth, Sub, Up};
        let mut seed = 3u32;
        for pixel_size in [1, 2, 3, 4, 6, 8] {
            for pixels in [1, 2, 7, 21, 22, 64, 65, 200, 256, 257, 512, 601] {
                for count in [1, 2, 5] {
                    let row_size = pixel_size * pixels;
                    let mut noise = |len: usize| -> Vec<u8> {
                        let mut next = || {
                            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                            (seed >> 24) as u8
                        };
                        (0..len).map(|_| next()).collect()
                    };
                    let above = noise(row_size);
                    let mut rows = noise(count * (row_size + 1));
                    if count == 5 {
                        // A row that repeats the one above it.
                        rows.copy_within(1..=row_size, row_size + 2);
                    }
                    let raw: Vec<u8> = rows
                        .chunks(row_size + 1)
                        .flat_map(|row| row[1..].to_vec())
                        .collect();
                    let fixed = [None, Sub, Up, Average, Paeth].map(FilterChoice::Fixed);
                    for choice in fixed.into_iter().chain([FilterChoice::MinSum]) {
                        for above in [Some(&above[..]), Option::None] {
                            let name = format!("{choice:?} {pixel_size} {row_size} {count}");
                            let mut filtered = rows.clone();
                            filter_rows(
                                Portable,
                                choice,
                                &mut filtered,
                                row_size,
                                above,
                                pixel_size,
                            );
                            let mut copied = vec![0xee; rows.len()];
                            let mut before = above;
                            let lines = copied.chunks_mut(row_size + 1);
                            for (row, line) in raw.chunks(row_size).zip(lines) {
                                filter_row_to(Portable, choice, row, before, pixel_size, line);
                                before = Some(row);
                            }
                            assert!(copied == filtered, "{name}");
                            let zeros = vec![0; row_size];
                            let above = above.unwrap_or(&zeros);
                            let back = reconstruct(&filtered, row_size, above, pixel_size);
                            assert!(back == raw, "{name}");
                        }
                    }
                }
            }
        }
    }

    /// Every kernel filters a row to the same bytes.
    #[test]
    fn all_levels_filter_alike() {
        let mut seed = 17u32;
        for pixel_size in [1, 2, 3, 4, 6, 8] {
            for pixels in [
                1, 2, 31, 32, 33, 63, 64, 65, 85, 86, 200, 256, 257, 300, 777,
            ] {
                let mut bytes = |kind: u32| -> Vec<u8> {
                    let mut next = |i: usize| {
                        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                        let noise = (seed >> 24) as u8;
                        match kind {
                            0 => noise,
                            1 => ((i / 9) as u8).wrapping_add(noise % 3),
                            2 => {
                                if noise < 3 {
                                    noise
                                } else {
                                    77
                                }
                            }
                            _ => [0, 1, 127, 128, 254, 255][usize::from(noise) % 6],
                        }
                    };
                    (0..pixel_size * pixels).map(&mut next).collect()
                };
                for kind in 0..4 {
                    let (row, above) = (bytes(kind), bytes(kind));
                    let mut near = above.clone();
                    near[pixels / 2] ^= 1;
                    for (row, above) in [(&row, Some(&above)), (&near, Some(&above)), (&row, None)]
                    {
                        use FilterType::{Average, None, Paeth, Sub, Up};
                        let fixed = [None, Sub, Up, Average, Paeth].map(FilterChoice::Fixed);
                        for choice in fixed.into_iter().chain([FilterChoice::MinSum]) {
                            let above = above.map(|above| &above[..]);
                            let run = |filter: &dyn Fn(&mut [u8])| {
                                let mut scanline = vec![0xee; row.len() + 1];
                                filter(&mut scanline);
                                scanline
                            };
                            let expected = run(&|to| {
                                filter_row_to(Portable, choice, row, above, pixel_size, to);
                            });
                            for registers in Registers::all() {
                                let found = run(&|to| {
                                    filter_one(registers, choice, row, above, pixel_size, to);
                                });
                                let name = registers.name();
                                assert!(
                                    found == expected,
                                    "{name} {choice:?} {pixel_size} {pixels} {kind}"
                                );
                            }
                        }
                    }
                }
            }
        }
    }
}
