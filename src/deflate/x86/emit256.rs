//! The emitter for AVX2.
//!
//! It writes 32 literals at a time. Their codes are looked up in tables that
//! are split into bytes, then joined to pairs, fours and eights. The eights are
//! appended to the output one by one. An eight with more than 56 bits is
//! appended as two fours.

#![allow(
    clippy::wildcard_imports,
    reason = "the prefix of an intrinsic shows where it comes from"
)]

#[cfg(target_arch = "x86")]
use std::arch::x86::*;
#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::*;

use fearless_simd::prelude::*;
use fearless_simd::{Avx2, kernel, u8x32, u64x4};

use crate::deflate::bits::{ROOM, State};
use crate::deflate::block::Tables;
use crate::deflate::kernels::{portable_emit, put_eight, put_match};
use crate::deflate::tokens::Token;

use super::MAX_SCALAR;

/// The parts of a code table for literals from -16 to 15. Part `p` has the
/// codes of the 16 literals from `16 * p` on. Most literals of a filtered
/// photograph are from -64 to 63, taken as signed numbers, so their parts are
/// looked up first.
const PARTS_TO_16: [usize; 2] = [0, 15];

/// The parts for the other literals from -64 to 63.
const PARTS_TO_64: [usize; 6] = [1, 2, 3, 12, 13, 14];

/// The parts for the remaining literals.
const PARTS_TO_128: [usize; 8] = [4, 5, 6, 7, 8, 9, 10, 11];

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
        // Portable code is faster where many literals lie outside -64..=63.
        // Their share follows from their codes: a code of `n` bits stands for
        // about one literal in `2^n`. `share` has units of `2^-16`, and its
        // limit is 1/16.
        let outside = PARTS_TO_128
            .iter()
            .flat_map(|part| &tables.literals[part * 16..][..16]);
        let used = outside.filter(|&code| code & 15 > 0);
        let share: u32 = used.map(|code| 1 << 16 >> (code & 15)).sum();
        if share > 1 << 12 {
            return portable_emit(out, state, tables, data, tokens, limit);
        }
        let load = |bytes: &[u8; 32]| -> __m256i { u8x32::simd_from(token, *bytes).into() };
        let unpack = |lanes: __m256i| -> [u64; 4] {
            let lanes: u64x4<Avx2> = lanes.simd_into(token);
            lanes.into()
        };
        // The codes as three tables of bytes: the low byte of the bits, their
        // high byte, and the number of bits. Each part is one register. It has
        // its 16 entries twice, since the shuffle instruction looks up within
        // each 128-bit half.
        let mut split = [[[0u8; 32]; 16]; 3];
        for (byte, code) in tables.literals.iter().enumerate() {
            let parts = [code >> 8, code >> 16, *code];
            for (table, part) in split.iter_mut().zip(parts) {
                table[byte / 16][byte % 16] = part as u8;
                table[byte / 16][byte % 16 + 16] = part as u8;
            }
        }
        // The powers of two by exponent, as a table of low bytes and a table of
        // high bytes.
        let mut powers = [[0u8; 32]; 2];
        for exponent in 0..15 {
            let power = 1u16 << exponent;
            for half in [0, 16] {
                powers[0][exponent + half] = power as u8;
                powers[1][exponent + half] = (power >> 8) as u8;
            }
        }
        let [power_low, power_high] = powers.map(|half| load(&half));
        // The 32 bytes from `32 - n` on are a mask of the first `n` lanes.
        let mut masks = [0u8; 64];
        masks[..32].fill(0xff);
        let zero = _mm256_setzero_si256();

        let mut writer = *state;
        let mut at = 0;
        for run in tokens {
            let mut left = run.literals as usize;
            while left > 0 {
                if left <= MAX_SCALAR {
                    let take = left.min(8);
                    put_eight(&mut writer, out, tables, &data[at..], take);
                    at += take;
                    left -= take;
                    continue;
                }
                let take = left.min(32);
                let bytes = load(data[at..].first_chunk().unwrap_or(&[0; 32]));
                let mask = load(masks[32 - take..].first_chunk().unwrap_or(&[0; 32]));
                at += take;
                left -= take;

                // Looks up the bytes of one part and leaves the others alone.
                // For the 16 bytes of the part, `index` is 0x70 to 0x7f, and
                // the shuffle uses its low four bits. For other bytes the
                // saturating addition gives 0x80 or more, and an index with
                // the top bit set makes the shuffle return zero.
                let [mut low, mut high, mut count] = [zero; 3];
                let mut look_up = |part: usize| {
                    let from = _mm256_sub_epi8(bytes, _mm256_set1_epi8((part * 16) as i8));
                    let index = _mm256_adds_epu8(from, _mm256_set1_epi8(0x70));
                    let entry =
                        |table: usize| _mm256_shuffle_epi8(load(&split[table][part]), index);
                    low = _mm256_or_si256(low, entry(0));
                    high = _mm256_or_si256(high, entry(1));
                    count = _mm256_or_si256(count, entry(2));
                };
                for part in PARTS_TO_16 {
                    look_up(part);
                }
                // `byte + 16` is below 32 for bytes from -16 to 15. Any other
                // byte has one of the bits that -32 selects.
                let outside = _mm256_and_si256(
                    _mm256_add_epi8(bytes, _mm256_set1_epi8(16)),
                    _mm256_set1_epi8(-32),
                );
                if _mm256_testz_si256(outside, outside) == 0 {
                    for part in PARTS_TO_64 {
                        look_up(part);
                    }
                    // `byte + 64` has its top bit clear for bytes from -64 to
                    // 63.
                    if _mm256_movemask_epi8(_mm256_add_epi8(bytes, _mm256_set1_epi8(64))) != 0 {
                        for part in PARTS_TO_128 {
                            look_up(part);
                        }
                    }
                }
                let low = _mm256_and_si256(low, mask);
                let high = _mm256_and_si256(high, mask);
                let count = _mm256_and_si256(count, mask);

                // The numbers of bits of pairs (16-bit lanes), of fours (32-bit
                // lanes) and of eights (64-bit lanes): sums of adjacent lanes.
                let pair = _mm256_maddubs_epi16(count, _mm256_set1_epi8(1));
                let four = _mm256_madd_epi16(pair, _mm256_set1_epi16(1));
                let eight = _mm256_sad_epu8(count, zero);

                // Each pair as `first + second * 2^count_of_first`, in a 32-bit
                // lane: `madd` multiplies the 16-bit codes by powers of two and
                // adds neighbors. The exponent of the first code is 0. That of
                // the second is the count of the first, moved up by one byte.
                // `first` has the pairs of bytes 0 to 7 of each 128-bit half,
                // `second` those of bytes 8 to 15.
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
                // Each four in a 64-bit lane. The first pair moves left to the
                // top of its 32-bit lane, where it touches the second pair.
                // Then both move right by the same amount, to the bottom of the
                // 64-bit lane. The amount is `gap`: 32 minus the number of bits
                // of the first pair, which is the low half of each 32-bit lane
                // of `pair`.
                let gap = _mm256_sub_epi32(
                    _mm256_set1_epi32(32),
                    _mm256_and_si256(pair, _mm256_set1_epi32(31)),
                );
                let join = |pairs: __m256i, gap: __m256i| {
                    _mm256_srlv_epi64(_mm256_sllv_epi32(pairs, gap), gap)
                };
                // Unpacking with zeros gives each 64-bit lane one gap in its
                // low half and 0 in its high half. So the 32-bit shift moves
                // only first pairs, and the 64-bit shift moves the whole four.
                let first = join(first, _mm256_unpacklo_epi32(gap, zero));
                let second = join(second, _mm256_unpackhi_epi32(gap, zero));
                // The first and the second four of each eight. The low half of
                // each 64-bit lane of `four` is the number of bits of the
                // first.
                let first_four = _mm256_unpacklo_epi64(first, second);
                let second_four = _mm256_unpackhi_epi64(first, second);
                let first_count = _mm256_and_si256(four, _mm256_set1_epi64x(63));

                // One check of the room for all 32 literals.
                let Some(room) = out[writer.at..].first_chunk_mut::<ROOM>() else {
                    return true;
                };
                // Counts from the start of `room`.
                let mut local = State { at: 0, ..writer };
                // One call appends at most 56 bits.
                let long = _mm256_cmpgt_epi64(eight, _mm256_set1_epi64x(56));
                if _mm256_testz_si256(long, long) == 1 {
                    let eights = unpack(_mm256_or_si256(
                        first_four,
                        _mm256_sllv_epi64(second_four, first_count),
                    ));
                    let counts = unpack(eight);
                    for i in 0..4 {
                        local.put_in_array(room, eights[i], counts[i] as u32);
                    }
                } else {
                    let (firsts, seconds) = (unpack(first_four), unpack(second_four));
                    let first_counts = unpack(first_count);
                    let second_counts = unpack(_mm256_sub_epi64(eight, first_count));
                    for i in 0..4 {
                        local.put_in_array(room, firsts[i], first_counts[i] as u32);
                        local.put_in_array(room, seconds[i], second_counts[i] as u32);
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
