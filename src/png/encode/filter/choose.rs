//! The choice of a filter: by the first row of a group, or by the minimum sum.

use super::FilterType;
use super::apply::block_of;
use super::kernels::{BLOCK, Block, FilterKernels};

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
