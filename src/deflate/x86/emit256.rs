//! The emitter for AVX2.

// Intrinsics, whose names say what they are.
#![allow(clippy::wildcard_imports)]

#[cfg(target_arch = "x86")]
use std::arch::x86::*;
#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::*;

use fearless_simd::prelude::*;
use fearless_simd::{Avx2, kernel, u8x32, u64x4};

use crate::deflate::bits::State;
use crate::deflate::block::Tables;
use crate::deflate::kernels::{portable_emit, put_eight, put_match};
use crate::deflate::tokens::Token;

use super::FEW;

/// Sixteen values of a byte are looked up at a time, these before the others:
/// from -64 to 63, in which most bytes of a filtered photograph are.
const NEAREST: [usize; 2] = [0, 15];
const NEAR: [usize; 6] = [1, 2, 3, 12, 13, 14];
const FAR: [usize; 8] = [4, 5, 6, 7, 8, 9, 10, 11];

kernel!(
    #[inline]
    pub(super) fn emit256(
        token: Avx2,
        out: &mut [u8],
        state: &mut State,
        tables: &Tables,
        data: &[u8],
        tokens: &[Token],
        limit: usize,
    ) -> bool {
        // The share of bytes that are far: where many are, looking them up one
        // by one is faster.
        let far = FAR
            .iter()
            .flat_map(|part| &tables.literals[part * 16..][..16]);
        let used = far.filter(|&code| code & 15 > 0);
        let share: u32 = used.map(|code| 1 << 16 >> (code & 15)).sum();
        if share > 1 << 12 {
            return portable_emit(out, state, tables, data, tokens, limit);
        }
        let load = |bytes: &[u8; 32]| -> __m256i { u8x32::simd_from(token, *bytes).into() };
        let unpack = |lanes: __m256i| -> [u64; 4] {
            let lanes: u64x4<Avx2> = lanes.simd_into(token);
            lanes.into()
        };
        // The codes of all bytes as three tables: low and high half of the
        // bits, and their number; sixteen entries in each half of a register.
        let mut split = [[[0u8; 32]; 16]; 3];
        for (byte, code) in tables.literals.iter().enumerate() {
            let parts = [code >> 8, code >> 16, *code];
            for (table, part) in split.iter_mut().zip(parts) {
                table[byte / 16][byte % 16] = part as u8;
                table[byte / 16][byte % 16 + 16] = part as u8;
            }
        }
        // Powers of two by their exponent, low and high half.
        let mut powers = [[0u8; 32]; 2];
        for exponent in 0..15 {
            let power = 1u16 << exponent;
            for half in [0, 16] {
                powers[0][exponent + half] = power as u8;
                powers[1][exponent + half] = (power >> 8) as u8;
            }
        }
        let [power_low, power_high] = powers.map(|half| load(&half));
        // 32 bytes from here on keep so many, and no more.
        let mut keep = [0u8; 64];
        keep[..32].fill(0xff);
        let zero = _mm256_setzero_si256();

        let mut writer = *state;
        let mut at = 0;
        for run in tokens {
            let mut left = run.literals as usize;
            while left > 0 {
                if left <= FEW {
                    let take = left.min(8);
                    put_eight(&mut writer, out, tables, &data[at..], take);
                    at += take;
                    left -= take;
                    continue;
                }
                let take = left.min(32);
                let bytes = load(data[at..].first_chunk().unwrap_or(&[0; 32]));
                let keep = load(keep[32 - take..].first_chunk().unwrap_or(&[0; 32]));
                at += take;
                left -= take;

                let [mut low, mut high, mut count] = [zero; 3];
                let mut look = |part: usize| {
                    // A lookup gives zero where the top bit is set: for all
                    // bytes but the sixteen.
                    let from = _mm256_sub_epi8(bytes, _mm256_set1_epi8((part * 16) as i8));
                    let index = _mm256_adds_epu8(from, _mm256_set1_epi8(0x70));
                    let entry =
                        |table: usize| _mm256_shuffle_epi8(load(&split[table][part]), index);
                    low = _mm256_or_si256(low, entry(0));
                    high = _mm256_or_si256(high, entry(1));
                    count = _mm256_or_si256(count, entry(2));
                };
                for part in NEAREST {
                    look(part);
                }
                let outside = _mm256_and_si256(
                    _mm256_add_epi8(bytes, _mm256_set1_epi8(16)),
                    _mm256_set1_epi8(-32),
                );
                if _mm256_testz_si256(outside, outside) == 0 {
                    for part in NEAR {
                        look(part);
                    }
                    if _mm256_movemask_epi8(_mm256_add_epi8(bytes, _mm256_set1_epi8(64))) != 0 {
                        for part in FAR {
                            look(part);
                        }
                    }
                }
                let low = _mm256_and_si256(low, keep);
                let high = _mm256_and_si256(high, keep);
                let count = _mm256_and_si256(count, keep);

                // How many bits: of pairs, fours and eights.
                let pair = _mm256_maddubs_epi16(count, _mm256_set1_epi8(1));
                let four = _mm256_madd_epi16(pair, _mm256_set1_epi16(1));
                let eight = _mm256_sad_epu8(count, zero);

                // Codes as words; in pairs, the second times the power of two
                // that moves it behind the first.
                let exponent = _mm256_slli_epi16(count, 8);
                let power_low = _mm256_shuffle_epi8(power_low, exponent);
                let power_high = _mm256_shuffle_epi8(power_high, exponent);
                let first = _mm256_madd_epi16(
                    _mm256_unpacklo_epi8(low, high),
                    _mm256_unpacklo_epi8(power_low, power_high),
                );
                let second = _mm256_madd_epi16(
                    _mm256_unpackhi_epi8(low, high),
                    _mm256_unpackhi_epi8(power_low, power_high),
                );
                // Pairs as doubles: the first of two to the top, next to the
                // second, and both to the bottom.
                let gap = _mm256_sub_epi32(
                    _mm256_set1_epi32(32),
                    _mm256_and_si256(pair, _mm256_set1_epi32(31)),
                );
                let join = |pairs: __m256i, gap: __m256i| {
                    _mm256_srlv_epi64(_mm256_sllv_epi32(pairs, gap), gap)
                };
                let first = join(first, _mm256_unpacklo_epi32(gap, zero));
                let second = join(second, _mm256_unpackhi_epi32(gap, zero));
                let first_four = _mm256_unpacklo_epi64(first, second);
                let second_four = _mm256_unpackhi_epi64(first, second);
                let first_count = _mm256_and_si256(four, _mm256_set1_epi64x(63));

                // One check of the room for all.
                let Some(room) = out[writer.at..].first_chunk_mut::<136>() else {
                    return true;
                };
                let mut local = State { at: 0, ..writer };
                let long = _mm256_cmpgt_epi64(eight, _mm256_set1_epi64x(56));
                if _mm256_testz_si256(long, long) == 1 {
                    let eights = unpack(_mm256_or_si256(
                        first_four,
                        _mm256_sllv_epi64(second_four, first_count),
                    ));
                    let counts = unpack(eight);
                    for i in 0..4 {
                        local.put_local(room, eights[i], counts[i] as u32);
                    }
                } else {
                    let (firsts, seconds) = (unpack(first_four), unpack(second_four));
                    let first_counts = unpack(first_count);
                    let second_counts = unpack(_mm256_sub_epi64(eight, first_count));
                    for i in 0..4 {
                        local.put_local(room, firsts[i], first_counts[i] as u32);
                        local.put_local(room, seconds[i], second_counts[i] as u32);
                    }
                }
                writer = State {
                    at: writer.at + local.at,
                    ..local
                };
            }
            at += put_match(&mut writer, out, tables, run);
            if writer.at > limit {
                *state = writer;
                return true;
            }
        }
        *state = writer;
        false
    }
);
