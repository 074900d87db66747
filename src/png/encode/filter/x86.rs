//! The kernels of the filters for AVX2 and AVX-512.

#![allow(
    clippy::wildcard_imports,
    reason = "the prefix of an intrinsic shows where it comes from"
)]

#[cfg(target_arch = "x86")]
use std::arch::x86::*;
#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::*;

use fearless_simd::prelude::*;
use fearless_simd::{Avx2, Avx512, kernel, u8x32, u8x64, u64x4};

use super::kernels::{BLOCK, Block, FilterKernels};

/// Makes a closure that predicts 32 bytes for the Paeth filter. For the steps
/// see `paeth` in `kernels`. This is a macro, since a function may not use the
/// registers of the kernel that it is inlined into.
macro_rules! predictor {
    () => {{
        // Of the two saturating differences, one is the distance and the other
        // is zero.
        let distance = |p, q| _mm256_or_si256(_mm256_subs_epu8(p, q), _mm256_subs_epu8(q, p));
        // `p <= q` exactly if the saturating difference `p - q` is zero.
        let at_most = |p, q| _mm256_cmpeq_epi8(_mm256_subs_epu8(p, q), _mm256_setzero_si256());
        move |a: __m256i, b: __m256i, c: __m256i| {
            let (from_a, from_b) = (distance(b, c), distance(a, c));
            // Where `c` does not lie between `a` and `b`, `outside` is 255 and
            // makes `from_c` the greatest distance. Elsewhere it is 0.
            let outside = _mm256_xor_si256(at_most(c, a), at_most(b, c));
            let from_c = _mm256_or_si256(distance(from_a, from_b), outside);
            let b_or_c = _mm256_blendv_epi8(c, b, at_most(from_b, from_c));
            let is_a = at_most(from_a, _mm256_min_epu8(from_b, from_c));
            _mm256_blendv_epi8(b_or_c, a, is_a)
        }
    }};
}

/// If more than so many groups of eight bytes differ from the row above, all of a block is
/// predicted.
const DENSE: u32 = 16;

kernel!(
    /// Returns a bit for each group of eight bytes that differs.
    #[inline]
    fn differing256(token: Avx2, one: &Block, other: &Block) -> u32 {
        let load = |bytes: &[u8; 32]| -> __m256i { u8x32::simd_from(token, *bytes).into() };
        let mut equal = 0;
        let parts = one.as_chunks().0.iter().zip(other.as_chunks().0);
        for (i, (one, other)) in parts.enumerate() {
            let eights = _mm256_cmpeq_epi64(load(one), load(other));
            equal |= _mm256_movemask_pd(_mm256_castsi256_pd(eights)) << (4 * i);
        }
        !equal.cast_unsigned()
    }
);

kernel!(
    /// Returns a bit for each group of eight bytes that differs.
    #[inline]
    fn differing512(token: Avx512, one: &Block, other: &Block) -> u32 {
        let load = |bytes: &[u8; 64]| -> __m512i { u8x64::simd_from(token, *bytes).into() };
        let mut differing = 0;
        let parts = one.as_chunks().0.iter().zip(other.as_chunks().0);
        for (i, (one, other)) in parts.enumerate() {
            let eights = _mm512_cmpneq_epi64_mask(load(one), load(other));
            differing |= u32::from(eights) << (8 * i);
        }
        differing
    }
);

/// Implements the kernels of the filters with 256-bit registers, for AVX2 and
/// for AVX-512. With 512-bit registers and mask registers they are no faster.
macro_rules! filter_kernels {
    ($paeth:ident, $differing:ident, $costs:ident, $token:ident) => {
        kernel!(
            #[inline]
            fn $paeth(
                token: $token,
                to: &mut Block,
                x: &Block,
                a: &Block,
                b: &Block,
                c: &Block,
            ) -> () {
                let load = |bytes: &[u8; 32]| -> __m256i { u8x32::simd_from(token, *bytes).into() };
                let predict = predictor!();
                let filter = |i: usize| -> [u8; 32] {
                    let [x, a, b, c] = [x, a, b, c].map(|block| load(&block.as_chunks().0[i]));
                    let result = _mm256_sub_epi8(x, predict(a, b, c));
                    let result: u8x32<$token> = result.simd_into(token);
                    result.into()
                };
                let equal = |i: usize| {
                    let [x, b] = [x, b].map(|block| load(&block.as_chunks().0[i]));
                    _mm256_cmpeq_epi64(x, b)
                };
                let ends = _mm256_or_si256(equal(0), equal(BLOCK / 32 - 1));
                'repeats: {
                    // Most blocks of a photograph repeat nothing of the row above.
                    if _mm256_testz_si256(ends, ends) == 1 {
                        break 'repeats;
                    }
                    // Paeth predicts a byte exactly where the row repeats the row above in
                    // this pixel and in the pixel on the left, which begins at most eight
                    // bytes before.
                    let mut eights = $differing(token, x, b);
                    eights |= eights << 1 | u32::from(a[..8] != c[..8]);
                    if eights == 0 {
                        return to.fill(0);
                    }
                    if eights.count_ones() > DENSE {
                        break 'repeats;
                    }
                    // The processor could not predict a branch that is decided anew for
                    // each 32 bytes.
                    to.fill(0);
                    while eights != 0 {
                        let i = eights.trailing_zeros() as usize / 4 % (BLOCK / 32);
                        to.as_chunks_mut().0[i] = filter(i);
                        eights &= !(15 << (4 * i));
                    }
                    return;
                }
                for (i, to) in to.as_chunks_mut().0.iter_mut().enumerate() {
                    *to = filter(i);
                }
            }
        );

        kernel!(
            #[inline]
            fn $costs(token: $token, x: &Block, a: &Block, b: &Block, c: &Block) -> [u32; 5] {
                let load = |bytes: &[u8; 32]| -> __m256i { u8x32::simd_from(token, *bytes).into() };
                let predict = predictor!();
                let zero = _mm256_setzero_si256();
                let mut sums = [zero; 5];
                let row = x.as_chunks().0.iter().zip(a.as_chunks().0);
                let above = b.as_chunks().0.iter().zip(c.as_chunks().0);
                for ((x, a), (b, c)) in row.zip(above) {
                    let (x, a, b, c) = (load(x), load(a), load(b), load(c));
                    // The filter rounds the average down, the instruction
                    // rounds it up.
                    let odd = _mm256_and_si256(_mm256_xor_si256(a, b), _mm256_set1_epi8(1));
                    let average = _mm256_sub_epi8(_mm256_avg_epu8(a, b), odd);
                    let predicted = [zero, a, b, average, predict(a, b, c)];
                    for (sum, predicted) in sums.iter_mut().zip(predicted) {
                        let size = _mm256_abs_epi8(_mm256_sub_epi8(x, predicted));
                        *sum = _mm256_add_epi64(*sum, _mm256_sad_epu8(size, zero));
                    }
                }
                let mut costs = [0; 5];
                for (cost, sum) in costs.iter_mut().zip(sums) {
                    let lanes: u64x4<$token> = sum.simd_into(token);
                    *cost = <[u64; 4]>::from(lanes).iter().sum::<u64>() as u32;
                }
                costs
            }
        );

        impl FilterKernels for $token {
            #[inline(always)]
            fn paeth(self, to: &mut Block, x: &Block, a: &Block, b: &Block, c: &Block) {
                $paeth(self, to, x, a, b, c);
            }

            #[inline(always)]
            fn costs(self, x: &Block, a: &Block, b: &Block, c: &Block) -> [u32; 5] {
                $costs(self, x, a, b, c)
            }
        }
    };
}

filter_kernels!(paeth256, differing256, costs256, Avx2);
filter_kernels!(paeth512, differing512, costs512, Avx512);
