//! Filters applied to a row: into a scanline, or in place.

use super::FilterType;
use super::kernels::{BLOCK, Block, FilterKernels};

/// The bytes of the largest pixel in a PNG file: four samples of 16 bits.
const LARGEST_PIXEL: usize = 8;

/// A row to be filtered, and the place for the filtered bytes.
pub(super) enum Row<'r> {
    /// The row is overwritten.
    InPlace(&'r mut [u8]),
    /// The row is filtered into a second slice of the same length.
    To(&'r [u8], &'r mut [u8]),
}

/// Filters the bytes of a row, without the byte for the filter type.
#[inline(always)]
pub(super) fn filter_row<K: FilterKernels>(
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
pub(super) fn each(block: &mut Block, f: impl Fn(usize) -> u8) {
    for (i, byte) in block.iter_mut().enumerate() {
        *byte = f(i);
    }
}

const ZEROS: &Block = &[0; BLOCK];

/// Returns the block of a row that begins at byte `at`, or zeros if there is no
/// row. The row must have a whole block there.
#[inline(always)]
pub(super) fn block_of(row: Option<&[u8]>, at: usize) -> &Block {
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
