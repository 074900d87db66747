//! The inner loops of the filters that gain from vector registers, behind one
//! trait. Portable code is here. Where the compiler does not vectorize it well
//! enough, `x86` has kernels written by hand. All of them give the same
//! results.

use crate::arch::Portable;
use crate::deflate::DeflateKernels;

/// The number of bytes of a row that are filtered at a time.
pub(super) const BLOCK: usize = 256;
pub(super) type Block = [u8; BLOCK];

/// The kernels of the filters. They include those of deflate, since a strip is
/// filtered and compressed by the same function. The default of each method is
/// portable code.
///
/// The blocks are named as in PNG third edition, 9.2: `x` is the block to be
/// filtered, `a` lies one pixel to its left, `b` above it, `c` above `a`.
pub(crate) trait FilterKernels: DeflateKernels {
    /// Filters `x` with the Paeth filter: writes `x` minus its prediction.
    #[inline(always)]
    fn paeth(self, to: &mut Block, x: &Block, a: &Block, b: &Block, c: &Block) {
        portable_paeth(to, x, a, b, c);
    }

    /// Returns the cost of each of the five filters for `x`, in the order of
    /// their numbers. The cost is the sum of the absolute values of the
    /// filtered bytes, taken as signed numbers.
    #[inline(always)]
    fn costs(self, x: &Block, a: &Block, b: &Block, c: &Block) -> [u32; 5] {
        portable_costs(x, a, b, c)
    }
}

impl FilterKernels for Portable {}

/// Implements [`FilterKernels::paeth`]. The loop is long enough for the
/// compiler to vectorize it rather than to unroll it.
#[inline(always)]
fn portable_paeth(to: &mut Block, x: &Block, a: &Block, b: &Block, c: &Block) {
    // Where the row repeats the row above, Paeth predicts every byte exactly.
    // The test for that costs less than the prediction.
    if x[..8] == b[..8] && are_equal(x, b) && are_equal(a, c) {
        return to.fill(0);
    }
    for i in 0..BLOCK {
        to[i] = x[i].wrapping_sub(paeth(a[i], b[i], c[i]));
    }
}

/// Returns whether the blocks are equal. Compares them as a whole rather than
/// up to the first difference, so that the loop is vectorized.
#[inline(always)]
fn are_equal(one: &Block, other: &Block) -> bool {
    let bytes = one.iter().zip(other);
    bytes.fold(0, |all, (one, other)| all | (one ^ other)) == 0
}

/// Implements [`FilterKernels::costs`].
#[inline(always)]
fn portable_costs(x: &Block, a: &Block, b: &Block, c: &Block) -> [u32; 5] {
    #[inline(always)]
    fn cost(x: &Block, predict: impl Fn(usize) -> u8) -> u32 {
        // Two loops, each of which the compiler vectorizes.
        let mut sizes = [0; BLOCK];
        for i in 0..BLOCK {
            let byte = x[i].wrapping_sub(predict(i));
            sizes[i] = byte.min(byte.wrapping_neg());
        }
        sizes.iter().map(|&size| u32::from(size)).sum()
    }
    [
        cost(x, |_| 0),
        cost(x, |i| a[i]),
        cost(x, |i| b[i]),
        cost(x, |i| a[i].midpoint(b[i])),
        cost(x, |i| paeth(a[i], b[i], c[i])),
    ]
}

/// Returns the prediction of the Paeth filter (PNG third edition, 9.4).
/// Computes in 8 bits and without a branch, so that loops around it are
/// vectorized.
///
/// The estimate `p = a + b - c` has the distance `|b - c|` from `a`, `|a - c|`
/// from `b`, and `|(a - c) + (b - c)|` from `c`. If `a` and `b` lie on the same
/// side of `c`, the last distance is the sum of the other two, and `c` is never
/// nearest: 255 stands for the sum. If `c` lies between them, the last distance
/// is the difference of the other two.
#[inline(always)]
fn paeth(a: u8, b: u8, c: u8) -> u8 {
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
    use super::super::tests::paeth_of_the_specification;
    use super::*;

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
}
