//! The filters of PNG (PNG third edition, section 9), in place.
//!
//! A filtered byte depends on bytes to its left and above it as they were
//! before. Going from the last byte to the first, those are still there, so a
//! strip is filtered where it lies: from the bottom row up, each from right to
//! left, 64 bytes at a time.

use crate::deflate::Kernels;

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

/// 64 bytes of a row, and those to their left, above, and upper left.
type Block = [u8; 64];

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
            let block =
                |x: &Block, a: &Block, _: &Block, _: &Block| each(|i| x[i].wrapping_sub(a[i]));
            let byte = |x: u8, a: u8, _: u8, _: u8| x.wrapping_sub(a);
            right_to_left(row, None, pixel_size, block, byte);
        }
        (Filter::Average, above) => {
            let byte = |x: u8, a: u8, b: u8, _: u8| x.wrapping_sub(a.midpoint(b));
            let block = |x: &Block, a: &Block, b: &Block, _: &Block| {
                each(|i| x[i].wrapping_sub(a[i].midpoint(b[i])))
            };
            right_to_left(row, above, pixel_size, block, byte);
        }
        (Filter::Paeth, Some(above)) => {
            let block = |x: &Block, a: &Block, b: &Block, c: &Block| kernels.paeth(x, a, b, c);
            let byte = |x: u8, a: u8, b: u8, c: u8| x.wrapping_sub(paeth(a, b, c));
            right_to_left(row, Some(above), pixel_size, block, byte);
        }
    }
}

#[inline(always)]
fn each(f: impl Fn(usize) -> u8) -> Block {
    let mut block = [0; 64];
    for (i, byte) in block.iter_mut().enumerate() {
        *byte = f(i);
    }
    block
}

/// Applies a filter to a row in place, from its end to its start. What is
/// left of a row or above it is zero.
#[inline(always)]
fn right_to_left(
    row: &mut [u8],
    above: Option<&[u8]>,
    pixel_size: usize,
    block: impl Fn(&Block, &Block, &Block, &Block) -> Block,
    byte: impl Fn(u8, u8, u8, u8) -> u8,
) {
    let load = |from: &[u8], at: usize| -> Block {
        let mut block = [0; 64];
        block.copy_from_slice(&from[at..at + 64]);
        block
    };
    let mut end = row.len();
    while end >= pixel_size + 64 {
        let at = end - 64;
        let (x, a) = (load(row, at), load(row, at - pixel_size));
        let (b, c) = match above {
            Some(above) => (load(above, at), load(above, at - pixel_size)),
            None => ([0; 64], [0; 64]),
        };
        row[at..end].copy_from_slice(&block(&x, &a, &b, &c));
        end = at;
    }
    for i in (0..end).rev() {
        let above = |i: usize| above.map_or(0, |above| above[i]);
        let left = i.checked_sub(pixel_size);
        row[i] = byte(
            row[i],
            left.map_or(0, |left| row[left]),
            above(i),
            left.map_or(0, above),
        );
    }
}

/// The predictor of PNG third edition, 9.4, without leaving 8 bits.
///
/// The distances of `a + b - c` from `a` and `b` are those of `b` and `a` from
/// `c`. If both lie on the same side of `c`, the distance from `c` is their
/// sum, and `c` is never nearest; else it is their difference.
#[inline(always)]
pub(crate) fn paeth(a: u8, b: u8, c: u8) -> u8 {
    let (from_a, from_b) = (b.abs_diff(c), a.abs_diff(c));
    let between = (a < c) == (c < b);
    let from_c = if between {
        from_a.abs_diff(from_b)
    } else {
        255
    };
    if from_a <= from_b && from_a <= from_c {
        a
    } else if from_b <= from_c {
        b
    } else {
        c
    }
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
