//! The filters of PNG (PNG third edition, section 9), in place.
//!
//! A filtered byte depends on bytes to its left and above it as they were
//! before. Going from the last byte to the first, those are still there, so a
//! strip is filtered where it lies: from the bottom row up, each from right to
//! left, 64 bytes at a time.

use crate::deflate::{BLOCK, Block, Kernels};

/// Bytes of a pixel of the largest format, four samples of 16 bits.
const LARGEST_PIXEL: usize = 8;

/// How a scanline is filtered before it is compressed (PNG third edition,
/// 9.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Filter {
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

/// Filters `rows`, scanlines of a byte for the filter and `row_size` of
/// samples each. `above` is the row before the first one, unfiltered; the
/// first row of an image has none, which is as good as zeros (9.2).
/// `pixel_size` is in bytes.
#[inline(always)]
pub(crate) fn filter_rows<K: Kernels>(
    kernels: K,
    filter: Filter,
    rows: &mut [u8],
    row_size: usize,
    above: Option<&[u8]>,
    pixel_size: usize,
) {
    bottom_up(rows, row_size, above, |row, above| {
        row[0] = filter as u8;
        filter_row(kernels, filter, &mut row[1..], above, pixel_size);
    });
}

/// The same with the filter for each row that leaves the smallest bytes, taken
/// as signed numbers: the rule of thumb of PNG third edition, 12.7.
#[inline(always)]
pub(crate) fn filter_rows_adaptively<K: Kernels>(
    kernels: K,
    rows: &mut [u8],
    row_size: usize,
    above: Option<&[u8]>,
    pixel_size: usize,
) {
    bottom_up(rows, row_size, above, |row, above| {
        let filter = smallest(&row[1..], above, pixel_size);
        row[0] = filter as u8;
        filter_row(kernels, filter, &mut row[1..], above, pixel_size);
    });
}

/// Hands each scanline to `filter`, the last first, with the samples of the
/// one above it.
#[inline(always)]
fn bottom_up(
    rows: &mut [u8],
    row_size: usize,
    above: Option<&[u8]>,
    mut filter: impl FnMut(&mut [u8], Option<&[u8]>),
) {
    for start in (0..rows.len()).step_by(row_size + 1).rev() {
        let (before, row) = rows.split_at_mut(start);
        let above = match start {
            0 => above,
            _ => Some(&before[start - row_size..]),
        };
        filter(&mut row[..=row_size], above);
    }
}

/// The filter that leaves the smallest bytes of a row.
#[inline(always)]
fn smallest(row: &[u8], above: Option<&[u8]>, pixel_size: usize) -> Filter {
    let Some(above) = above else {
        // With nothing above, Up is None and Paeth is Sub; Average, half of
        // Sub, is not worth a look for one row.
        let none = cost(row, row, row, row, |x, _, _, _| x);
        let (first, rest) = row.split_at(pixel_size);
        let sub = cost(first, first, first, first, |x, _, _, _| x)
            + cost(rest, row, row, row, |x, a, _, _| x.wrapping_sub(a));
        return if sub < none {
            Filter::Sub
        } else {
            Filter::None
        };
    };
    let (above, zeros) = (&above[..row.len()], [0; 8]);
    let (first, rest) = row.split_at(pixel_size);
    let (above_first, above_rest) = above.split_at(pixel_size);
    let of = |f: &dyn Fn(u8, u8, u8, u8) -> u8| cost(first, &zeros, above_first, &zeros, f);
    let none = of(&|x, _, _, _| x) + cost(rest, row, above_rest, above, |x, _, _, _| x);
    let sub =
        of(&|x, _, _, _| x) + cost(rest, row, above_rest, above, |x, a, _, _| x.wrapping_sub(a));
    let up = of(&|x, _, b, _| x.wrapping_sub(b))
        + cost(rest, row, above_rest, above, |x, _, b, _| x.wrapping_sub(b));
    let average = of(&|x, _, b, _| x.wrapping_sub(b / 2))
        + cost(rest, row, above_rest, above, |x, a, b, _| {
            x.wrapping_sub(a.midpoint(b))
        });
    let nearest = of(&|x, _, b, _| x.wrapping_sub(b))
        + cost(rest, row, above_rest, above, |x, a, b, c| {
            x.wrapping_sub(paeth(a, b, c))
        });
    let costs = [
        (nearest, Filter::Paeth),
        (up, Filter::Up),
        (sub, Filter::Sub),
        (average, Filter::Average),
        (none, Filter::None),
    ];
    costs
        .iter()
        .min_by_key(|(cost, _)| *cost)
        .map_or(Filter::None, |(_, filter)| *filter)
}

/// The sum of the absolute values of what a filter makes of `x`, from the
/// bytes at the same places of the other slices, which may be longer.
#[inline(always)]
fn cost(x: &[u8], a: &[u8], b: &[u8], c: &[u8], f: impl Fn(u8, u8, u8, u8) -> u8) -> u64 {
    let (a, b, c) = (&a[..x.len()], &b[..x.len()], &c[..x.len()]);
    let mut sum = 0;
    for start in (0..x.len()).step_by(64) {
        let end = (start + 64).min(x.len());
        let (x, a, b, c) = (
            &x[start..end],
            &a[start..end],
            &b[start..end],
            &c[start..end],
        );
        let mut part = 0u32;
        for i in 0..x.len() {
            part += u32::from(f(x[i], a[i], b[i], c[i]).cast_signed().unsigned_abs());
        }
        sum += u64::from(part);
    }
    sum
}

#[inline(always)]
fn filter_row<K: Kernels>(
    kernels: K,
    filter: Filter,
    row: &mut [u8],
    above: Option<&[u8]>,
    pixel_size: usize,
) {
    match (filter, above) {
        (Filter::None, _) | (Filter::Up, None) => {}
        (Filter::Up, Some(above)) => {
            for (x, b) in row.iter_mut().zip(above) {
                *x = x.wrapping_sub(*b);
            }
        }
        // With nothing above, the predictor of Paeth is the left byte.
        (Filter::Sub, _) | (Filter::Paeth, None) => {
            right_to_left(row, None, pixel_size, |x, a, _, _| {
                each(x, |i, x| x.wrapping_sub(a[i]));
            });
        }
        (Filter::Average, above) => {
            right_to_left(row, above, pixel_size, |x, a, b, _| {
                each(x, |i, x| x.wrapping_sub(a[i].midpoint(b[i])));
            });
        }
        (Filter::Paeth, Some(above)) => {
            right_to_left(row, Some(above), pixel_size, |x, a, b, c| {
                if x[..8] == b[..8] && x == b && a == c {
                    x.fill(0);
                } else {
                    kernels.paeth(x, a, b, c);
                }
            });
        }
    }
}

#[inline(always)]
fn each(block: &mut Block, f: impl Fn(usize, u8) -> u8) {
    for (i, byte) in block.iter_mut().enumerate() {
        *byte = f(i, *byte);
    }
}

/// Applies a filter to a row in place, from its end to its start, with what is
/// to the left, above, and upper left. What is left of a row or above it is
/// zero.
#[inline(always)]
fn right_to_left(
    row: &mut [u8],
    above: Option<&[u8]>,
    pixel_size: usize,
    filter: impl Fn(&mut Block, &Block, &Block, &Block),
) {
    let start = whole_blocks(row, above, pixel_size, &filter);
    // The same with what is left in the middle of zeros.
    let mut padded = [[0; LARGEST_PIXEL + 2 * BLOCK]; 2];
    let (place, len) = (
        pixel_size..pixel_size + start,
        pixel_size + start.next_multiple_of(BLOCK),
    );
    let [row_start, above_start] = &mut padded;
    row_start[place.clone()].copy_from_slice(&row[..start]);
    if let Some(above) = above {
        above_start[place.clone()].copy_from_slice(&above[..start]);
    }
    whole_blocks(
        &mut row_start[..len],
        above.map(|_| &above_start[..len]),
        pixel_size,
        &filter,
    );
    row[..start].copy_from_slice(&row_start[place]);
}

/// Applies a filter to as many blocks as have a pixel to their left. Returns
/// how many bytes before them it left alone, less than a block and a pixel.
#[inline(always)]
fn whole_blocks(
    row: &mut [u8],
    above: Option<&[u8]>,
    pixel_size: usize,
    filter: impl Fn(&mut Block, &Block, &Block, &Block),
) -> usize {
    const ZEROS: &Block = &[0; BLOCK];
    let mut end = row.len();
    while end >= pixel_size + BLOCK {
        let at = end - BLOCK;
        let a = *row[at - pixel_size..].first_chunk().unwrap_or(ZEROS);
        let above = |at: usize| -> &Block {
            above.and_then(|above| above[at..].first_chunk()).unwrap_or(ZEROS)
        };
        if let Some(x) = row[at..].first_chunk_mut() {
            filter(x, &a, above(at), above(at - pixel_size));
        }
        end = at;
    }
    end
}

/// The predictor of PNG third edition, 9.4, without leaving 8 bits, and
/// without a branch, so that loops of it become vectors.
///
/// The distances of `a + b - c` from `a` and `b` are those of `b` and `a` from
/// `c`. If both lie on the same side of `c`, the distance from `c` is their
/// sum, and `c` is never nearest; else it is their difference.
#[inline(always)]
pub(crate) fn paeth(a: u8, b: u8, c: u8) -> u8 {
    let distance = |p: u8, q: u8| p.max(q) - p.min(q);
    let (from_a, from_b) = (distance(b, c), distance(a, c));
    let between = (a < c) == (c < b);
    let from_c = if between {
        distance(from_a, from_b)
    } else {
        255
    };
    let b_or_c = if from_b <= from_c { b } else { c };
    let is_a = from_a <= from_b.min(from_c);
    if is_a { a } else { b_or_c }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deflate::Portable;

    /// As PNG third edition, 9.4, says it.
    fn paeth_of_the_specification(a: u8, b: u8, c: u8) -> u8 {
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

    #[test]
    fn every_predictor() {
        for a in 0..=255 {
            for b in 0..=255 {
                for c in 0..=255 {
                    assert_eq!(paeth(a, b, c), paeth_of_the_specification(a, b, c));
                }
            }
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

    #[test]
    fn there_and_back() {
        let mut seed = 3u32;
        for pixel_size in [1, 2, 3, 4, 6, 8] {
            for pixels in [1, 2, 7, 21, 22, 64, 65, 200] {
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
                    let rows = noise(count * (row_size + 1));
                    let raw: Vec<u8> = rows
                        .chunks(row_size + 1)
                        .flat_map(|row| row[1..].to_vec())
                        .collect();
                    use Filter::{Average, None, Paeth, Sub, Up};
                    for filter in [None, Sub, Up, Average, Paeth] {
                        for above in [Some(&above[..]), Option::None] {
                            let mut filtered = rows.clone();
                            filter_rows(
                                Portable,
                                filter,
                                &mut filtered,
                                row_size,
                                above,
                                pixel_size,
                            );
                            let zeros = vec![0; row_size];
                            let above = above.unwrap_or(&zeros);
                            let back = reconstruct(&filtered, row_size, above, pixel_size);
                            assert!(back == raw, "{filter:?} {pixel_size} {row_size} {count}");
                        }
                    }
                }
            }
        }
    }
}
