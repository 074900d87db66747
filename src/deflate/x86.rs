//! Kernels for AVX2 and AVX-512.

// Thirty intrinsics, whose names say what they are.
#![allow(clippy::wildcard_imports)]

use fearless_simd::prelude::*;
use fearless_simd::{Avx2, Avx512, kernel, u8x32, u8x64, u64x8};
#[cfg(target_arch = "x86")]
use std::arch::x86::*;
#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::*;

use super::bits::State;
use super::block::Tables;
use super::kernels::Kernels;
use super::tokens::Token;

/// 256-bit registers. The compiler makes good use of them by itself, but for
/// the mask.
#[derive(Clone, Copy)]
pub(crate) struct With256(pub(crate) Avx2);

impl Kernels for With256 {
    #[inline(always)]
    fn zeros(self, bytes: &[u8; 64]) -> u64 {
        zeros256(self.0, bytes)
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
    fn paeth(self, x: &[u8; 64], a: &[u8; 64], b: &[u8; 64], c: &[u8; 64]) -> [u8; 64] {
        paeth512(self.0, x, a, b, c)
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

kernel!(
    #[inline]
    fn paeth512(token: Avx512, x: &[u8; 64], a: &[u8; 64], b: &[u8; 64], c: &[u8; 64]) -> [u8; 64] {
        let load = |bytes: &[u8; 64]| -> __m512i { u8x64::simd_from(token, *bytes).into() };
        let (x, a, b, c) = (load(x), load(a), load(b), load(c));
        let distance = |p, q| _mm512_sub_epi8(_mm512_max_epu8(p, q), _mm512_min_epu8(p, q));
        let (from_a, from_b) = (distance(b, c), distance(a, c));
        let outside = _mm512_cmplt_epu8_mask(a, c) ^ _mm512_cmplt_epu8_mask(c, b);
        let from_c =
            _mm512_mask_blend_epi8(outside, distance(from_a, from_b), _mm512_set1_epi8(-1));
        let b_or_c = _mm512_mask_blend_epi8(_mm512_cmple_epu8_mask(from_b, from_c), c, b);
        let is_a = _mm512_cmple_epu8_mask(from_a, _mm512_min_epu8(from_b, from_c));
        let predicted = _mm512_mask_blend_epi8(is_a, b_or_c, a);
        let result: u8x64<Avx512> = _mm512_sub_epi8(x, predicted).simd_into(token);
        result.into()
    }
);

kernel!(
    #[inline]
    fn emit512(
        token: Avx512,
        out: &mut [u8],
        state: &mut State,
        tables: &Tables,
        data: &[u8],
        tokens: &[Token],
        limit: usize,
    ) -> bool {
        let load = |bytes: &[u8; 64]| -> __m512i { u8x64::simd_from(token, *bytes).into() };
        // The codes of all bytes as three tables: low and high half of the
        // bits, and their number; each in four registers.
        let mut split = [[[0u8; 64]; 4]; 3];
        for (byte, code) in tables.literals.iter().enumerate() {
            let (part, place) = (byte / 64, byte % 64);
            split[0][part][place] = (code >> 8) as u8;
            split[1][part][place] = (code >> 16) as u8;
            split[2][part][place] = *code as u8;
        }
        let [low, high, count] = split.map(|table| table.map(|part| load(&part)));
        let words = _mm512_set1_epi16(0x00ff);
        let doubles = _mm512_set1_epi32(0xffff);
        let quads = _mm512_set1_epi64(0xffff_ffff);
        let unpack = |lanes: __m512i| -> [u64; 8] {
            let lanes: u64x8<Avx512> = lanes.simd_into(token);
            lanes.into()
        };
        // 64 bytes to 16 codes of four bytes each: those of the first and of
        // the second four in each lane of eight, their numbers of bits.
        let encode = |bytes: __m512i, keep: u64| -> [__m512i; 4] {
            let upper = _mm512_movepi8_mask(bytes);
            let look = |table: [__m512i; 4]| {
                let lower = _mm512_permutex2var_epi8(table[0], bytes, table[1]);
                let higher = _mm512_permutex2var_epi8(table[2], bytes, table[3]);
                _mm512_maskz_mov_epi8(keep, _mm512_mask_blend_epi8(upper, lower, higher))
            };
            let (low, high, count) = (look(low), look(high), look(count));
            // Bytes to words: the codes of even and of odd bytes.
            const ODD: u64 = 0xaaaa_aaaa_aaaa_aaaa;
            let even = _mm512_mask_blend_epi8(ODD, low, _mm512_slli_epi16(high, 8));
            let odd = _mm512_mask_blend_epi8(ODD, _mm512_srli_epi16(low, 8), high);
            let even_count = _mm512_and_si512(count, words);
            let pair_count = _mm512_add_epi16(even_count, _mm512_srli_epi16(count, 8));
            // Words to doubles: pairs, the first and the second of each four.
            let first = _mm512_or_si512(
                _mm512_and_si512(even, doubles),
                _mm512_sllv_epi32(
                    _mm512_and_si512(odd, doubles),
                    _mm512_and_si512(even_count, doubles),
                ),
            );
            let second = _mm512_or_si512(
                _mm512_srli_epi32(even, 16),
                _mm512_sllv_epi32(
                    _mm512_srli_epi32(odd, 16),
                    _mm512_srli_epi32(even_count, 16),
                ),
            );
            let first_count = _mm512_and_si512(pair_count, doubles);
            let four_count = _mm512_add_epi32(first_count, _mm512_srli_epi32(pair_count, 16));
            // Doubles to quads: fours, the first and the second of each eight.
            let fours = _mm512_or_si512(
                _mm512_and_si512(first, quads),
                _mm512_sllv_epi64(
                    _mm512_and_si512(second, quads),
                    _mm512_and_si512(first_count, quads),
                ),
            );
            let next = _mm512_or_si512(
                _mm512_srli_epi64(first, 32),
                _mm512_sllv_epi64(
                    _mm512_srli_epi64(second, 32),
                    _mm512_srli_epi64(first_count, 32),
                ),
            );
            [
                fours,
                next,
                _mm512_and_si512(four_count, quads),
                _mm512_srli_epi64(four_count, 32),
            ]
        };

        let mut writer = *state;
        let mut at = 0;
        for token in tokens {
            let mut left = token.literals as usize;
            while left >= 64 {
                let bytes: &[u8; 64] = data[at..].first_chunk().unwrap_or(&[0; 64]);
                let [fours, next, count, next_count] = encode(load(bytes), !0);
                let eight_count = _mm512_add_epi64(count, next_count);
                // One check of the room for all sixteen.
                let room: &mut [u8; 136] = match out[writer.at..].first_chunk_mut() {
                    Some(room) => room,
                    None => return true,
                };
                let mut local = State { at: 0, ..writer };
                if _mm512_cmpgt_epi64_mask(eight_count, _mm512_set1_epi64(56)) == 0 {
                    let eights = _mm512_or_si512(fours, _mm512_sllv_epi64(next, count));
                    let (bits, counts) = (unpack(eights), unpack(eight_count));
                    for i in 0..8 {
                        local.put_local(room, bits[i], counts[i] as u32);
                    }
                } else {
                    let (bits, next) = (unpack(fours), unpack(next));
                    let (counts, next_counts) = (unpack(count), unpack(next_count));
                    for i in 0..8 {
                        local.put_local(room, bits[i], counts[i] as u32);
                        local.put_local(room, next[i], next_counts[i] as u32);
                    }
                }
                writer = State {
                    at: writer.at + local.at,
                    ..local
                };
                at += 64;
                left -= 64;
            }
            if left > 0 {
                let bytes: &[u8; 64] = data[at..].first_chunk().unwrap_or(&[0; 64]);
                let [fours, next, count, next_count] = encode(load(bytes), !0 >> (64 - left));
                let (bits, next) = (unpack(fours), unpack(next));
                let (counts, next_counts) = (unpack(count), unpack(next_count));
                for i in 0..left.div_ceil(8) {
                    let i = i & 7;
                    writer.put(out, bits[i], counts[i] as u32);
                    writer.put(out, next[i], next_counts[i] as u32);
                }
                at += left;
            }
            if token.length > 0 {
                let code = tables.matches[usize::from(token.length) % 259];
                writer.put(out, u64::from(code >> 8), code & 0xff);
                at += usize::from(token.length);
            }
            if writer.at > limit {
                *state = writer;
                return true;
            }
        }
        *state = writer;
        false
    }
);
