//! The choice of a filter: by the first row of a group, by the minimum sum, or by the
//! least entropy.

use super::FilterType;
use super::apply::{block_of, each};
use super::kernels::{BLOCK, Block, FilterKernels};
use crate::deflate::entropy;

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

/// The filters in the order in which equally good ones are chosen.
const ORDER: [FilterType; 5] = [
    FilterType::Paeth,
    FilterType::Up,
    FilterType::Sub,
    FilterType::Average,
    FilterType::None,
];

/// The best filter for a row that repeats the row above: it predicts every byte exactly,
/// and no filter comes before it in [`ORDER`].
const OF_EQUAL_ROWS: FilterType = FilterType::Paeth;

/// Returns the filter with the minimum sum of absolute differences for a row.
/// Of several such filters, returns the first of Paeth, Up, Sub, Average and
/// None.
#[inline(always)]
pub(super) fn min_sum<K: FilterKernels>(
    kernels: K,
    row: &[u8],
    above: Option<&[u8]>,
    pixel_size: usize,
) -> FilterType {
    if above == Some(row) {
        return OF_EQUAL_ROWS;
    }
    let mut costs = [0u64; 5];
    for_each_block(row, above, pixel_size, |_, x, a, b, c| {
        let block = kernels.costs(x, a, b, c);
        for (cost, block) in costs.iter_mut().zip(block) {
            *cost += u64::from(block);
        }
    });
    let best = ORDER.iter().min_by_key(|&&filter| costs[filter as usize]);
    best.copied().unwrap_or(FilterType::None)
}

/// Returns the filter whose filtered bytes have the least entropy, for a row. Of several
/// such filters, returns the first of Paeth, Up, Sub, Average and None.
#[inline(always)]
pub(super) fn least_entropy<K: FilterKernels>(
    kernels: K,
    row: &[u8],
    above: Option<&[u8]>,
    pixel_size: usize,
) -> FilterType {
    if above == Some(row) {
        return OF_EQUAL_ROWS;
    }
    let mut counts = [[0u32; 256]; 5];
    for_each_block(row, above, pixel_size, |len, x, a, b, c| {
        let mut filtered = [[0; BLOCK]; 5];
        let [none, sub, up, average, paeth] = &mut filtered;
        *none = *x;
        each(sub, |i| x[i].wrapping_sub(a[i]));
        each(up, |i| x[i].wrapping_sub(b[i]));
        each(average, |i| x[i].wrapping_sub(a[i].midpoint(b[i])));
        kernels.paeth(paeth, x, a, b, c);
        // Counts byte `i` of all filters before byte `i + 1`: if equal bytes of one filter
        // followed each other directly, the second count would wait for the first.
        for i in 0..len.min(BLOCK) {
            for (counts, filtered) in counts.iter_mut().zip(&filtered) {
                counts[usize::from(filtered[i])] += 1;
            }
        }
    });
    let costs = counts.map(|counts| entropy(&counts));
    let best = ORDER.iter().min_by_key(|&&filter| costs[filter as usize]);
    best.copied().unwrap_or(FilterType::None)
}

/// Calls `f` for each block of a row: with the number of its bytes, and with the blocks
/// `x`, `a`, `b` and `c` of [`FilterKernels`]. The bytes behind the end of the row are zeros in
/// all of them.
#[inline(always)]
fn for_each_block(
    row: &[u8],
    above: Option<&[u8]>,
    pixel_size: usize,
    mut f: impl FnMut(usize, &Block, &Block, &Block, &Block),
) {
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
            let left = at - pixel_size;
            let (x, a) = (block_of(Some(row), at), block_of(Some(row), left));
            f(BLOCK, x, a, block_of(above, at), block_of(above, left));
        } else {
            let len = (row.len() - at).min(BLOCK);
            let (at, left) = (at as isize, at as isize - pixel_size as isize);
            let (x, mut a) = (padded(Some(row), at), padded(Some(row), left));
            let (b, mut c) = (padded(above, at), padded(above, left));
            // Behind the end of the row `x` and `b` are zero, but `a` and `c` still hold
            // the last pixel.
            a[len..].fill(0);
            c[len..].fill(0);
            f(len, &x, &a, &b, &c);
        }
    }
}
