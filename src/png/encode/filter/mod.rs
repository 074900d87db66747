//! The filters of PNG (PNG third edition, section 9).
//!
//! A filter predicts each byte from the unfiltered bytes to its left and above
//! it. There are two ways to filter: [`filter_row_to`] filters a row into a
//! scanline elsewhere, and [`filter_rows`] filters rows in place. In place,
//! filters go from the last byte of the last row to the first byte of the first
//! row, so that the bytes to the left and above are still unfiltered.

mod kernels;
#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
mod x86;

use crate::arch::dispatch;
pub(crate) use kernels::FilterKernels;
use kernels::{BLOCK, Block};

/// The bytes of the largest pixel in a PNG file: four samples of 16 bits.
const LARGEST_PIXEL: usize = 8;

/// A filter type (PNG third edition, 9.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum FilterType {
    /// Leaves bytes unchanged.
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

/// The way to choose the filter of a scanline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum FilterChoice {
    /// The same filter for every scanline.
    Fixed(FilterType),
    /// The filter with the smallest sum of the absolute values of the filtered
    /// bytes, taken as signed numbers (PNG third edition, 12.7). This heuristic
    /// is known as the minimum sum of absolute differences.
    MinSum,
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
        }
    }
}

/// The number of rows in a group. In the fast mode, the rows of a group share a
/// filter. Each group begins at a multiple of this number.
pub(crate) const GROUP_ROWS: u32 = 16;

/// The most bytes of a row that [`paeth_or_average`] samples.
const SAMPLED_BYTES: usize = 2048;

/// A row counts as noisy if Paeth predicts less than one in this many bytes
/// exactly.
const NOISE_DIVISOR: usize = 5;

/// Chooses the filter of a group of rows in the fast mode. Samples the middle
/// of `row`, which is the first row of the group, and of `above`, the row above
/// it.
///
/// Returns Average for a noisy row in which the sum of its filtered bytes is
/// clearly smaller than that of Paeth: an average has less noise than a single
/// pixel. Else returns Paeth: in flat areas, Average would spread every edge
/// over two pixels. Also returns Paeth for the first row of an image and for
/// rows too short to sample.
#[inline(always)]
pub(crate) fn paeth_or_average<K: FilterKernels>(
    kernels: K,
    row: &[u8],
    above: Option<&[u8]>,
    pixel_size: usize,
) -> FilterType {
    if above.is_none() || row.len() < pixel_size + BLOCK {
        return FilterType::Paeth;
    }
    let len = SAMPLED_BYTES.min(row.len() - pixel_size);
    let start = pixel_size.max((row.len() - len) / 2);
    let (mut paeth, mut average, mut zeros) = (0, 0, 0);
    let mut filtered = [0; BLOCK];
    for at in (start..=start + len - BLOCK).step_by(BLOCK) {
        let left = at - pixel_size;
        let (x, a) = (block_of(Some(row), at), block_of(Some(row), left));
        let (b, c) = (block_of(above, at), block_of(above, left));
        let costs = kernels.costs(x, a, b, c);
        paeth += costs[FilterType::Paeth as usize];
        average += costs[FilterType::Average as usize];
        kernels.paeth(&mut filtered, x, a, b, c);
        for chunk in filtered.as_chunks().0 {
            zeros += kernels.zeros(chunk).count_ones() as usize;
        }
    }
    if average * 10 < paeth * 9 && zeros < len / NOISE_DIVISOR {
        FilterType::Average
    } else {
        FilterType::Paeth
    }
}

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

/// Returns the filter with the minimum sum of absolute differences for a row.
/// Of several such filters, returns the first of Paeth, Up, Sub, Average and
/// None.
#[inline(always)]
fn min_sum<K: FilterKernels>(
    kernels: K,
    row: &[u8],
    above: Option<&[u8]>,
    pixel_size: usize,
) -> FilterType {
    let mut costs = [0u64; 5];
    let mut add = |x: &Block, a: &Block, b: &Block, c: &Block| {
        let block = kernels.costs(x, a, b, c);
        for (cost, block) in costs.iter_mut().zip(block) {
            *cost += u64::from(block);
        }
    };
    // Returns the block from `start` on, with zeros where the row has no bytes.
    let padded = |row: Option<&[u8]>, start: isize| -> Block {
        let mut block = [0; BLOCK];
        if let Some(row) = row {
            let skip = start.min(0).unsigned_abs();
            let from = &row[start.max(0) as usize..];
            let len = from.len().min(BLOCK - skip);
            block[skip..skip + len].copy_from_slice(&from[..len]);
        }
        block
    };
    for at in (0..row.len()).step_by(BLOCK) {
        if at >= pixel_size && at + BLOCK <= row.len() {
            let (x, a) = (
                block_of(Some(row), at),
                block_of(Some(row), at - pixel_size),
            );
            add(x, a, block_of(above, at), block_of(above, at - pixel_size));
        } else {
            let (at, left) = (at as isize, at as isize - pixel_size as isize);
            let (x, mut a) = (padded(Some(row), at), padded(Some(row), left));
            let (b, mut c) = (padded(above, at), padded(above, left));
            // Bytes behind the end of the row must cost nothing. `x` and `b`
            // are zero there, but `a` and `c` still have the last pixel.
            let len = (row.len() - at as usize).min(BLOCK);
            a[len..].fill(0);
            c[len..].fill(0);
            add(&x, &a, &b, &c);
        }
    }
    let order = [
        FilterType::Paeth,
        FilterType::Up,
        FilterType::Sub,
        FilterType::Average,
        FilterType::None,
    ];
    let best = order.iter().min_by_key(|&&filter| costs[filter as usize]);
    best.copied().unwrap_or(FilterType::None)
}

/// A row to be filtered, and the place for the filtered bytes.
enum Row<'r> {
    /// The row is overwritten.
    InPlace(&'r mut [u8]),
    /// The row is filtered into a second slice of the same length.
    To(&'r [u8], &'r mut [u8]),
}

/// Filters the bytes of a row, without the byte for the filter type.
#[inline(always)]
fn filter_row<K: FilterKernels>(
    kernels: K,
    filter: FilterType,
    row: Row<'_>,
    above: Option<&[u8]>,
    pixel_size: usize,
) {
    // Each arm gives `apply` two functions. The first filters a block `x` with
    // the blocks to its left, above and on its upper left. The second predicts
    // a byte of the first pixel, which has zeros to its left.
    match (filter, above) {
        (FilterType::None, _) | (FilterType::Up, None) => {
            if let Row::To(row, to) = row {
                to.copy_from_slice(row);
            }
        }
        (FilterType::Up, above) => {
            let block = |to: &mut Block, x: &Block, _: &Block, b: &Block, _: &Block| {
                each(to, |i| x[i].wrapping_sub(b[i]));
            };
            apply(row, above, pixel_size, block, |above| above);
        }
        // With zeros above, Paeth predicts the byte on the left.
        (FilterType::Sub, _) | (FilterType::Paeth, None) => {
            let block = |to: &mut Block, x: &Block, a: &Block, _: &Block, _: &Block| {
                each(to, |i| x[i].wrapping_sub(a[i]));
            };
            apply(row, None, pixel_size, block, |_| 0);
        }
        (FilterType::Average, above) => {
            let block = |to: &mut Block, x: &Block, a: &Block, b: &Block, _: &Block| {
                each(to, |i| x[i].wrapping_sub(a[i].midpoint(b[i])));
            };
            apply(row, above, pixel_size, block, |above| above / 2);
        }
        (FilterType::Paeth, above) => {
            let block = |to: &mut Block, x: &Block, a: &Block, b: &Block, c: &Block| {
                kernels.paeth(to, x, a, b, c);
            };
            apply(row, above, pixel_size, block, |above| above);
        }
    }
}

/// Sets each byte of a block to `f` of its index.
#[inline(always)]
fn each(block: &mut Block, f: impl Fn(usize) -> u8) {
    for (i, byte) in block.iter_mut().enumerate() {
        *byte = f(i);
    }
}

const ZEROS: &Block = &[0; BLOCK];

/// Returns the block of a row that begins at byte `at`, or zeros if there is no
/// row. The row must have a whole block there.
#[inline(always)]
fn block_of(row: Option<&[u8]>, at: usize) -> &Block {
    row.and_then(|row| row[at..].first_chunk()).unwrap_or(ZEROS)
}

/// Filters a row. `block` filters a block. `first` predicts a byte of the first
/// pixel from the byte above.
#[inline(always)]
fn apply(
    row: Row<'_>,
    above: Option<&[u8]>,
    pixel_size: usize,
    block: impl Fn(&mut Block, &Block, &Block, &Block, &Block),
    first: impl Fn(u8) -> u8,
) {
    match row {
        Row::To(row, to) => left_to_right(row, to, above, pixel_size, &block, first),
        Row::InPlace(row) => right_to_left(row, above, pixel_size, &block),
    }
}

/// Filters `row` into `to`.
#[inline(always)]
fn left_to_right(
    row: &[u8],
    to: &mut [u8],
    above: Option<&[u8]>,
    pixel_size: usize,
    filter: impl Fn(&mut Block, &Block, &Block, &Block, &Block),
    first: impl Fn(u8) -> u8,
) {
    if row.len() < pixel_size + BLOCK {
        to.copy_from_slice(row);
        return right_to_left(to, above, pixel_size, filter);
    }
    for i in 0..pixel_size {
        to[i] = row[i].wrapping_sub(first(above.map_or(0, |above| above[i])));
    }
    let last = row.len() - BLOCK;
    let mut at = pixel_size;
    loop {
        let (x, a) = (
            block_of(Some(row), at),
            block_of(Some(row), at - pixel_size),
        );
        let (b, c) = (block_of(above, at), block_of(above, at - pixel_size));
        if let Some(to) = to[at..].first_chunk_mut() {
            filter(to, x, a, b, c);
        }
        if at == last {
            return;
        }
        // The last block may overlap the block before it. Its bytes are then
        // filtered twice, with the same result.
        at = (at + BLOCK).min(last);
    }
}

/// Filters a row in place. Blocks are taken from the end of the row, so that
/// the bytes to the left of a block are still unfiltered.
#[inline(always)]
fn right_to_left(
    row: &mut [u8],
    above: Option<&[u8]>,
    pixel_size: usize,
    filter: impl Fn(&mut Block, &Block, &Block, &Block, &Block),
) {
    let start = whole_blocks(row, above, pixel_size, &filter);
    // The bytes before the whole blocks are filtered in a copy, with zeros for
    // the pixel on the left of the row and behind them.
    let mut padded = [[0; LARGEST_PIXEL + 2 * BLOCK]; 2];
    let place = pixel_size..pixel_size + start;
    let len = pixel_size + start.next_multiple_of(BLOCK);
    let [row_start, above_start] = &mut padded;
    row_start[place.clone()].copy_from_slice(&row[..start]);
    if let Some(above) = above {
        above_start[place.clone()].copy_from_slice(&above[..start]);
    }
    let above_start = above.map(|_| &above_start[..len]);
    whole_blocks(&mut row_start[..len], above_start, pixel_size, &filter);
    row[..start].copy_from_slice(&row_start[place]);
}

/// Filters, from the end of the row, all blocks that have a pixel to their
/// left. Returns the number of unfiltered bytes before them. These are less
/// than a block and a pixel.
#[inline(always)]
fn whole_blocks(
    row: &mut [u8],
    above: Option<&[u8]>,
    pixel_size: usize,
    filter: impl Fn(&mut Block, &Block, &Block, &Block, &Block),
) -> usize {
    let mut end = row.len();
    while end >= pixel_size + BLOCK {
        let at = end - BLOCK;
        let (x, a) = (
            *block_of(Some(row), at),
            *block_of(Some(row), at - pixel_size),
        );
        let (b, c) = (block_of(above, at), block_of(above, at - pixel_size));
        if let Some(to) = row[at..].first_chunk_mut() {
            filter(to, &x, &a, b, c);
        }
        end = at;
    }
    end
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
                for kind in 0..6 {
                    let mut noise = |shift: u32| -> Vec<u8> {
                        let mut next = || {
                            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                            (seed >> 24 >> shift) as u8
                        };
                        (0..pixel_size * pixels).map(|_| next()).collect()
                    };
                    let (row, above) = (noise(kind), noise(kind));
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
