//! The kernels of deflate for AVX2 and AVX-512.

mod emit256;
mod emit512;

#[cfg(target_arch = "x86")]
use std::arch::x86::{
    __m256i, __m512i, _mm256_castsi256_pd, _mm256_cmpeq_epi8, _mm256_cmpeq_epi64,
    _mm256_movemask_epi8, _mm256_movemask_pd, _mm256_setzero_si256, _mm512_testn_epi8_mask,
    _mm512_testn_epi64_mask,
};
#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::{
    __m256i, __m512i, _mm256_castsi256_pd, _mm256_cmpeq_epi8, _mm256_cmpeq_epi64,
    _mm256_movemask_epi8, _mm256_movemask_pd, _mm256_setzero_si256, _mm512_testn_epi8_mask,
    _mm512_testn_epi64_mask,
};

use fearless_simd::prelude::*;
use fearless_simd::{Avx2, Avx512, kernel, u8x32, u8x64};

use super::bits::State;
use super::block::Tables;
use super::kernels::DeflateKernels;
use super::tokens::{MASKED, Token};
use emit256::emit256;
use emit512::emit512;

/// The most literals left in a token that are written without vectors.
const MAX_SCALAR: usize = 16;

macro_rules! deflate_kernels {
    ($token:ident, $zeros:ident, $eights:ident, $emit:ident) => {
        impl DeflateKernels for $token {
            #[inline(always)]
            fn zeros(self, bytes: &[u8; 64]) -> u64 {
                $zeros(self, bytes)
            }

            #[inline(always)]
            fn zero_eights(self, bytes: &[u8; MASKED]) -> u64 {
                $eights(self, bytes)
            }

            #[inline(always)]
            fn emit(
                self,
                out: &mut [u8],
                state: &mut State,
                tables: &Tables,
                data: &[u8],
                tokens: &[Token],
                limit: usize,
            ) -> bool {
                $emit(self, out, state, tables, data, tokens, limit)
            }
        }
    };
}

deflate_kernels!(Avx2, zeros256, eights256, emit256);
deflate_kernels!(Avx512, zeros512, eights512, emit512);

kernel!(
    #[inline]
    fn zeros256(token: Avx2, bytes: &[u8; 64]) -> u64 {
        let half = |bytes: &[u8]| -> u64 {
            let bytes: __m256i = u8x32::from_slice(token, bytes).into();
            let zero = _mm256_cmpeq_epi8(bytes, _mm256_setzero_si256());
            u64::from(_mm256_movemask_epi8(zero) as u32)
        };
        half(&bytes[..32]) | half(&bytes[32..]) << 32
    }
);

kernel!(
    #[inline]
    fn zeros512(token: Avx512, bytes: &[u8; 64]) -> u64 {
        let bytes: __m512i = u8x64::simd_from(token, *bytes).into();
        _mm512_testn_epi8_mask(bytes, bytes)
    }
);

kernel!(
    #[inline]
    fn eights256(token: Avx2, bytes: &[u8; MASKED]) -> u64 {
        let mut mask = 0;
        for (i, bytes) in bytes.as_chunks::<32>().0.iter().enumerate() {
            let bytes: __m256i = u8x32::simd_from(token, *bytes).into();
            let zero = _mm256_cmpeq_epi64(bytes, _mm256_setzero_si256());
            mask |= (_mm256_movemask_pd(_mm256_castsi256_pd(zero)) as u64) << (4 * i);
        }
        mask
    }
);

kernel!(
    #[inline]
    fn eights512(token: Avx512, bytes: &[u8; MASKED]) -> u64 {
        let mut mask = 0;
        for (i, bytes) in bytes.as_chunks::<64>().0.iter().enumerate() {
            let bytes: __m512i = u8x64::simd_from(token, *bytes).into();
            mask |= u64::from(_mm512_testn_epi64_mask(bytes, bytes)) << (8 * i);
        }
        mask
    }
);
