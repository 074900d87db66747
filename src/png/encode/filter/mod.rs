//! The filters of PNG (PNG third edition, section 9).
//!
//! A filtered byte depends on bytes to its left and above it as they were
//! before. A row is filtered into a scanline, with the row above it beside it;
//! or rows are filtered where they lie: going from the last byte of the last
//! row to the first, what a byte depends on is still there.

mod kernels;
#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
mod x86;

use crate::arch::dispatch;
pub(crate) use kernels::FilterKernels;
use kernels::{BLOCK, Block};

/// Bytes of a pixel of the largest format, four samples of 16 bits.
const LARGEST_PIXEL: usize = 8;

/// How a scanline is filtered (PNG third edition, 9.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum FilterType {
    /// Bytes as they are.
    None = 0,
    /// Less the byte of the pixel on the left.
    Sub = 1,
    /// Less the byte of the pixel above.
    Up = 2,
    /// Less the average of both, rounded down.
    Average = 3,
    /// Less the one of left, above and upper left that is nearest to
    /// left + above - upper left.
    Paeth = 4,
}

/// Which filter a scanline gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Choice {
    /// Every one the same.
    Always(FilterType),
    /// The one that leaves the smallest bytes, taken as signed numbers: the
    /// rule of thumb of PNG third edition, 12.7.
    Smallest,
}

impl Choice {
    #[inline(always)]
    fn of<K: FilterKernels>(
        self,
        kernels: K,
        row: &[u8],
        above: Option<&[u8]>,
        pixel_size: usize,
    ) -> FilterType {
        match self {
            Choice::Always(filter) => filter,
            Choice::Smallest => smallest(kernels, row, above, pixel_size),
        }
    }
}

/// Rows that share a filter in the fast mode, from a multiple of this on.
pub(crate) const GROUP: u32 = 16;

/// Bytes of the first of them that are looked at.
const JUDGED: usize = 2048;

/// One byte in so many may be as Paeth predicts it where there is noise.
const NOISY: usize = 5;

/// The filter of the fast mode for some rows, judged by the first of them and
/// the one above it: Paeth, unless there is noise, of which an average has
/// less. In flat areas it would spread every edge over two pixels.
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
    let len = JUDGED.min(row.len() - pixel_size);
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
    if average * 10 < paeth * 9 && zeros < len / NOISY {
        FilterType::Average
    } else {
        FilterType::Paeth
    }
}

/// Filters `rows`, scanlines of a byte for the filter and `row_size` of
/// samples each, where they lie. `above` is the row before the first one,
/// unfiltered; the first row of an image has none, which is as good as zeros
/// (9.2). `pixel_size` is in bytes.
#[inline(always)]
pub(crate) fn filter_rows<K: FilterKernels>(
    kernels: K,
    choice: Choice,
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
        let chosen = choice.of(kernels, row, above, pixel_size);
        filter[0] = chosen as u8;
        filter_row(kernels, chosen, Row::InPlace(row), above, pixel_size);
    }
}

/// Filters a row into a scanline, a byte for the filter and as many as the row
/// has. `above` and `pixel_size` are as above.
#[inline(always)]
pub(crate) fn filter_row_to<K: FilterKernels>(
    kernels: K,
    choice: Choice,
    row: &[u8],
    above: Option<&[u8]>,
    pixel_size: usize,
    scanline: &mut [u8],
) {
    let chosen = choice.of(kernels, row, above, pixel_size);
    let (filter, to) = scanline.split_at_mut(1);
    filter[0] = chosen as u8;
    filter_row(kernels, chosen, Row::To(row, to), above, pixel_size);
}

dispatch! {
    /// Filters a row into a scanline: [`filter_row_to`] with these registers.
    pub(crate) fn filter_one<kernels>(
        choice: Choice,
        row: &[u8],
        above: Option<&[u8]>,
        pixel_size: usize,
        scanline: &mut [u8],
    ) -> () {
        filter_row_to(kernels, choice, row, above, pixel_size, scanline)
    }
}

dispatch! {
    /// Chooses the filter of a group of rows: [`paeth_or_average`] with these
    /// registers.
    pub(crate) fn choose_for_group<kernels>(
        row: &[u8],
        above: Option<&[u8]>,
        pixel_size: usize,
    ) -> FilterType {
        paeth_or_average(kernels, row, above, pixel_size)
    }
}

/// The filter that leaves the smallest bytes of a row.
#[inline(always)]
fn smallest<K: FilterKernels>(
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
    // At the ends, with zeros around.
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
            // Nothing is left of what is behind the end.
            let len = (row.len() - at as usize).min(BLOCK);
            a[len..].fill(0);
            c[len..].fill(0);
            add(&x, &a, &b, &c);
        }
    }
    // The first of equals.
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

/// A row to be filtered.
enum Row<'r> {
    InPlace(&'r mut [u8]),
    /// Into another row of the same length.
    To(&'r [u8], &'r mut [u8]),
}

#[inline(always)]
fn filter_row<K: FilterKernels>(
    kernels: K,
    filter: FilterType,
    row: Row<'_>,
    above: Option<&[u8]>,
    pixel_size: usize,
) {
    // What a filter makes of a block `x`, from those to its left, above, and
    // upper left; and of the bytes of the first pixel, with zeros to the left.
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
        // With nothing above, the predictor of Paeth is the left byte.
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

#[inline(always)]
fn each(block: &mut Block, f: impl Fn(usize) -> u8) {
    for (i, byte) in block.iter_mut().enumerate() {
        *byte = f(i);
    }
}

const ZEROS: &Block = &[0; BLOCK];

/// The block from `at` on, of a row that has it, or zeros of one that isn't
/// there.
#[inline(always)]
fn block_of(row: Option<&[u8]>, at: usize) -> &Block {
    row.and_then(|row| row[at..].first_chunk()).unwrap_or(ZEROS)
}

/// Applies a filter to a row. `first` is what it predicts of the bytes of the
/// first pixel, from those above.
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
        // The last block goes over some bytes for the second time.
        at = (at + BLOCK).min(last);
    }
}

#[inline(always)]
fn right_to_left(
    row: &mut [u8],
    above: Option<&[u8]>,
    pixel_size: usize,
    filter: impl Fn(&mut Block, &Block, &Block, &Block, &Block),
) {
    let start = whole_blocks(row, above, pixel_size, &filter);
    // The same with what is left in the middle of zeros.
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

/// Applies a filter to as many blocks as have a pixel to their left. Returns
/// how many bytes before them it left alone, less than a block and a pixel.
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

    /// As PNG third edition, 9.4, says it.
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

    /// Reconstruction as PNG third edition, 9.2, says it.
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

    /// The rule of thumb as PNG third edition, 12.7, says it.
    #[test]
    fn the_smallest() {
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
                        let choice = Choice::Always(filter);
                        filter_row_to(Portable, choice, &row, above, pixel_size, &mut line);
                        let bytes = line[1..].iter();
                        bytes
                            .map(|&byte| u32::from((byte as i8).unsigned_abs()))
                            .sum()
                    };
                    use FilterType::{Average, None, Paeth, Sub, Up};
                    let least = [None, Sub, Up, Average, Paeth].map(cost).into_iter().min();
                    let chosen = smallest(Portable, &row, above, pixel_size);
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
                    let always = [None, Sub, Up, Average, Paeth].map(Choice::Always);
                    for choice in always.into_iter().chain([Choice::Smallest]) {
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
                        let all = [None, Sub, Up, Average, Paeth].map(Choice::Always);
                        for choice in all.into_iter().chain([Choice::Smallest]) {
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
