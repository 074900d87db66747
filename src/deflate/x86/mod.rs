//! The kernels of deflate for AVX2 and AVX-512.

mod emit256;
mod emit512;

#[cfg(target_arch = "x86")]
use std::arch::x86::{
    __m256i, __m512i, _mm256_cmpeq_epi8, _mm256_movemask_epi8, _mm256_setzero_si256,
    _mm512_testn_epi8_mask,
};
#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::{
    __m256i, __m512i, _mm256_cmpeq_epi8, _mm256_movemask_epi8, _mm256_setzero_si256,
    _mm512_testn_epi8_mask,
};

use fearless_simd::prelude::*;
use fearless_simd::{Avx2, Avx512, kernel, u8x32, u8x64};

use super::bits::State;
use super::block::Tables;
use super::kernels::DeflateKernels;
use super::tokens::Token;
use emit256::emit256;
use emit512::emit512;

/// The most literals left in a token that are written without vectors.
const MAX_SCALAR: usize = 16;

macro_rules! deflate_kernels {
    ($token:ident, $zeros:ident, $emit:ident) => {
        impl DeflateKernels for $token {
            #[inline(always)]
            fn zeros(self, bytes: &[u8; 64]) -> u64 {
                $zeros(self, bytes)
            }

            #[inline(always)]
            fn any_zero_group(self, _: &[u8; 64]) -> bool {
                true
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

deflate_kernels!(Avx2, zeros256, emit256);
deflate_kernels!(Avx512, zeros512, emit512);

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
