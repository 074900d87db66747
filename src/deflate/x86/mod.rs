//! Kernels for AVX2 and AVX-512.

mod emit256;
mod emit512;
mod filters;

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
use super::kernels::{Block, Kernels};
use super::tokens::Token;
use emit256::emit256;
use emit512::emit512;
use filters::{costs256, costs512, paeth256, paeth512};

/// So few literals are not worth a vector.
const FEW: usize = 16;

/// 256-bit registers.
#[derive(Clone, Copy)]
pub(crate) struct With256(pub(crate) Avx2);

impl Kernels for With256 {
    #[inline(always)]
    fn zeros(self, bytes: &[u8; 64]) -> u64 {
        zeros256(self.0, bytes)
    }

    #[inline(always)]
    fn any_group(self, _: &[u8; 64]) -> bool {
        true
    }

    #[inline(always)]
    fn paeth(self, to: &mut Block, x: &Block, a: &Block, b: &Block, c: &Block) {
        paeth256(self.0, to, x, a, b, c);
    }

    #[inline(always)]
    fn costs(self, x: &Block, a: &Block, b: &Block, c: &Block) -> [u32; 5] {
        costs256(self.0, x, a, b, c)
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
        emit256(self.0, out, state, tables, data, tokens, limit)
    }
}

/// 512-bit registers.
#[derive(Clone, Copy)]
pub(crate) struct With512(pub(crate) Avx512);

impl Kernels for With512 {
    #[inline(always)]
    fn zeros(self, bytes: &[u8; 64]) -> u64 {
        zeros512(self.0, bytes)
    }

    #[inline(always)]
    fn any_group(self, _: &[u8; 64]) -> bool {
        true
    }

    #[inline(always)]
    fn paeth(self, to: &mut Block, x: &Block, a: &Block, b: &Block, c: &Block) {
        paeth512(self.0, to, x, a, b, c);
    }

    #[inline(always)]
    fn costs(self, x: &Block, a: &Block, b: &Block, c: &Block) -> [u32; 5] {
        costs512(self.0, x, a, b, c)
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
        emit512(self.0, out, state, tables, data, tokens, limit)
    }
}

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
