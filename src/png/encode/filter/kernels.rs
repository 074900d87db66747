//! The inner loops of the filters that gain from wide registers, behind one
//! trait: portable code, and in `x86` kernels written by hand where the
//! compiler's vectors are not enough. All give the same results.

use crate::arch::Portable;
use crate::deflate::DeflateKernels;

/// Bytes of a row that are filtered at a time.
pub(super) const BLOCK: usize = 256;
pub(super) type Block = [u8; BLOCK];

/// The kernels of the filters, and those of deflate, since a strip is filtered
/// and compressed in one go. The default of each method is portable code.
///
/// The blocks are named as in PNG third edition, 9.2: `x` is filtered, `a`
/// lies one pixel to its left, `b` above it, `c` above `a`.
pub(crate) trait FilterKernels: DeflateKernels {
    /// Writes `x` less the prediction of the Paeth filter.
    #[inline(always)]
    fn paeth(self, to: &mut Block, x: &Block, a: &Block, b: &Block, c: &Block) {
        portable_paeth(to, x, a, b, c);
    }

    /// Returns for each of the five filters, in the order of their numbers,
    /// the sum of the absolute values of the bytes that it would leave of `x`,
    /// taken as signed numbers.
    #[inline(always)]
    fn costs(self, x: &Block, a: &Block, b: &Block, c: &Block) -> [u32; 5] {
        portable_costs(x, a, b, c)
    }
}

impl FilterKernels for Portable {}

/// In a loop that is long enough for the compiler to vectorise rather than to
/// unroll.
#[inline(always)]
fn portable_paeth(to: &mut Block, x: &Block, a: &Block, b: &Block, c: &Block) {
    // What repeats the row above is cheaper to see than to predict.
    if x[..8] == b[..8] && are_equal(x, b) && are_equal(a, c) {
        return to.fill(0);
    }
    for i in 0..BLOCK {
        to[i] = x[i].wrapping_sub(paeth(a[i], b[i], c[i]));
    }
}

/// Whole, rather than up to the first difference.
#[inline(always)]
fn are_equal(one: &Block, other: &Block) -> bool {
    let bytes = one.iter().zip(other);
    bytes.fold(0, |all, (one, other)| all | (one ^ other)) == 0
}

#[inline(always)]
fn portable_costs(x: &Block, a: &Block, b: &Block, c: &Block) -> [u32; 5] {
    #[inline(always)]
    fn cost(x: &Block, predict: impl Fn(usize) -> u8) -> u32 {
        // In steps, each of which becomes vectors.
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

/// The predictor of PNG third edition, 9.4, without leaving 8 bits, and
/// without a branch, so that loops of it become vectors.
///
/// The distances of `a + b - c` from `a` and `b` are those of `b` and `a` from
/// `c`. If both lie on the same side of `c`, the distance from `c` is their
/// sum, and `c` is never nearest; else it is their difference.
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
