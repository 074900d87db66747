//! The emitter for AVX-512.
//!
//! It writes 64 literals at a time. Their codes are looked up in tables that
//! are split into bytes, then joined to pairs, fours and eights. A prefix sum
//! of the lengths gives the position of each eight in the bit stream. All
//! eights are rotated to their position at once. An eight that does not fit into a
//! word of 64 bits behind the last bits of a byte goes on in a second word.
//!
//! Two codes are joined in the middle of a lane: the first moves to the top of
//! the low half, the second to the bottom of the high half. So each moves by an
//! amount that depends on its own length only. Two pairs are
//! joined in the same way.

#![allow(
    clippy::wildcard_imports,
    reason = "the prefix of an intrinsic shows where it comes from"
)]

#[cfg(target_arch = "x86")]
use std::arch::x86::*;
#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::*;

use fearless_simd::prelude::*;
use fearless_simd::{Avx512, kernel, u8x64, u64x2, u64x8};

use crate::deflate::bits::{ROOM, State};
use crate::deflate::block::Tables;
use crate::deflate::kernels::{put_eight, put_match};
use crate::deflate::tokens::Token;

use super::MAX_SCALAR;

/// Returns the byte that holds the bit at position `positions[lane]` of the
/// output. `positions` are eight lanes of 16 bits. The byte is less than 128.
#[inline(always)]
fn byte_of(positions: [u64; 2], lane: usize) -> usize {
    let part = positions[(lane / 4) & 1];
    (part >> (lane % 4 * 16 + 3)) as usize & 127
}

kernel!(
    #[inline]
    pub(super) fn emit512(
        token: Avx512,
        out: &mut [u8],
        state: &mut State,
        tables: &Tables,
        data: &[u8],
        tokens: &[Token],
        limit: usize,
    ) -> bool {
        let load = |bytes: &[u8; 64]| -> __m512i { u8x64::simd_from(token, *bytes).into() };
        let unpack = |lanes: __m512i| -> [u64; 8] {
            let lanes: u64x8<Avx512> = lanes.simd_into(token);
            lanes.into()
        };
        // Narrows each lane to 16 bits.
        let pack = |lanes: __m512i| -> [u64; 2] {
            let lanes: u64x2<Avx512> = _mm512_cvtepi64_epi16(lanes).simd_into(token);
            lanes.into()
        };
        // The codes as three tables of bytes: the low and the high byte of a
        // 16-bit word with the bits at its top, and the number of bits. A table
        // takes four registers of 64 entries.
        let mut split = [[[0u8; 64]; 4]; 3];
        for (byte, code) in tables.literals.iter().enumerate() {
            let (part, place) = (byte / 64, byte % 64);
            let (bits, count) = (code >> 8, code & 0xff);
            let top = bits << (16 - count.min(16));
            split[0][part][place] = top as u8;
            split[1][part][place] = (top >> 8) as u8;
            split[2][part][place] = count as u8;
        }
        let [low, high, count] = split.map(|table| table.map(|part| load(&part)));
        let zero = _mm512_setzero_si512();

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
                let take = left.min(64);
                let bytes = load(data[at..].first_chunk().unwrap_or(&[0; 64]));
                at += take;
                left -= take;
                // One permutation looks up the low seven bits of each byte in
                // two registers. The top bit of the byte tells which of two
                // permutations counts. Lanes behind `take` become zero.
                let mask = !0 >> (64 - take);
                let top = _mm512_movepi8_mask(bytes);
                let look_up = |table: [__m512i; 4]| {
                    let lower =
                        _mm512_maskz_permutex2var_epi8(mask & !top, table[0], bytes, table[1]);
                    let upper =
                        _mm512_maskz_permutex2var_epi8(mask & top, table[2], bytes, table[3]);
                    _mm512_or_si512(lower, upper)
                };
                let (low, high, count) = (look_up(low), look_up(high), look_up(count));

                // The numbers of bits. In 16-bit lanes: of the first code of a
                // pair, of its second code, and of the pair. In 64-bit lanes:
                // of an eight.
                let even = _mm512_and_si512(count, _mm512_set1_epi16(0xff));
                let odd = _mm512_srli_epi16(count, 8);
                let pair = _mm512_add_epi16(even, odd);
                let eight = _mm512_sad_epu8(count, zero);
                // The bit positions at which the eights end and begin, counted
                // from the byte `writer.at`. They are a prefix sum: `alignr`
                // moves lanes up by 1, 2 and 4 places and fills in zeros.
                // `shift` is the position of the first bit within its byte.
                let two = _mm512_add_epi64(eight, _mm512_alignr_epi64::<7>(eight, zero));
                let four = _mm512_add_epi64(two, _mm512_alignr_epi64::<6>(two, zero));
                let ends = _mm512_add_epi64(four, _mm512_alignr_epi64::<4>(four, zero));
                let ends = _mm512_add_epi64(ends, _mm512_set1_epi64(writer.count.into()));
                let begin = _mm512_sub_epi64(ends, eight);
                let shift = _mm512_and_si512(begin, _mm512_set1_epi64(7));

                // Pairs, in the middle of 32-bit lanes: each code is at the top
                // of a 16-bit lane, and the second code of a pair moves to the
                // bottom of its lane. `first` has the pairs of bytes 0 to 7 of
                // each 128-bit lane, `second` those of bytes 8 to 15.
                const ODD: u32 = 0xaaaa_aaaa;
                let to_bottom = _mm512_sub_epi8(_mm512_set1_epi8(16), count);
                let pairs =
                    |codes: __m512i, by: __m512i| _mm512_mask_srlv_epi16(codes, ODD, codes, by);
                let first = pairs(
                    _mm512_unpacklo_epi8(low, high),
                    _mm512_unpacklo_epi8(to_bottom, zero),
                );
                let second = pairs(
                    _mm512_unpackhi_epi8(low, high),
                    _mm512_unpackhi_epi8(to_bottom, zero),
                );
                // Fours, in the middle of 64-bit lanes: the first pair of a
                // four moves to the top of its 32-bit lane, the second pair to
                // the bottom. A pair has `even` bits below the middle of its
                // lane and `odd` bits above. A rotation left by `16 - odd`
                // brings its end to the top; one by `16 + even` brings its
                // start around to the bottom.
                let sixteen = _mm512_set1_epi16(16);
                let turns =
                    _mm512_mask_sub_epi16(_mm512_add_epi16(sixteen, even), !ODD, sixteen, odd);
                let first = _mm512_rolv_epi32(first, _mm512_unpacklo_epi16(turns, zero));
                let second = _mm512_rolv_epi32(second, _mm512_unpackhi_epi16(turns, zero));
                // The rotations that bring the fours of an eight to their place
                // in a word of the output. A four begins at bit 32 minus the
                // number of bits of its first pair. The first four has to begin
                // at bit `shift`, the second four where the first ends.
                // Rotations count modulo 64: `base` adds 32 to subtract 32.
                let base = _mm512_or_si512(shift, _mm512_set1_epi64(32));
                let to_first =
                    _mm512_add_epi64(base, _mm512_and_si512(pair, _mm512_set1_epi64(0xffff)));
                let to_second =
                    _mm512_add_epi64(base, _mm512_sub_epi64(eight, _mm512_srli_epi64(pair, 48)));
                // The first and the second four of each eight.
                let first_four = _mm512_unpacklo_epi64(first, second);
                let second_four = _mm512_unpackhi_epi64(first, second);

                // One check of the room for all 64 literals.
                let Some(room) = out[writer.at..].first_chunk_mut::<ROOM>() else {
                    return true;
                };
                // Rotated to their place, a first four with at most 56 bits ends within its
                // word. A second four may go on at the bottom of its word: those bits
                // belong into the next eight bytes.
                let first = _mm512_rolv_epi64(first_four, to_first);
                let second = _mm512_rolv_epi64(second_four, to_second);
                let end = _mm512_add_epi64(shift, eight);
                let whole = _mm512_and_si512(end, _mm512_set1_epi64(56));
                let carried = _mm512_set1_epi64(writer.bits.cast_signed());
                // The bits below `shift` in a word are the tail of the word before it,
                // which the word is stored over. Lane 0 gets the bits that `writer`
                // carries. A full eight has at least 8 bits, so its tail has no bits of
                // earlier words. Only the last eight may be shorter; `writer` takes its
                // tail from the whole word. Lanes without literals overwrite only bytes
                // that `writer` writes again.
                let ends = pack(ends);
                let place = |i: usize| if i == 0 { 0 } else { byte_of(ends, i - 1) };
                let last = ((take - 1) / 8) & 7;
                if _mm512_cmpgt_epi64_mask(end, _mm512_set1_epi64(63)) == 0 {
                    let eights = _mm512_or_si512(first, second);
                    let tails = _mm512_srlv_epi64(eights, whole);
                    let before = _mm512_alignr_epi64::<7>(tails, carried);
                    let words = unpack(_mm512_or_si512(eights, before));
                    for (i, word) in words.iter().enumerate() {
                        let place = place(i);
                        room[place..place + 8].copy_from_slice(&word.to_le_bytes());
                    }
                    let (word, place) = if take == 64 {
                        (words[7], place(7))
                    } else {
                        (words[last], place(last))
                    };
                    writer.resume_after(word, place, ends[1] >> 48);
                } else {
                    // Some eight goes on in a second word. Each eight is stored as two, of
                    // which the second may be empty: the next eight is stored over it.
                    let first_count = _mm512_and_si512(
                        _mm512_add_epi64(pair, _mm512_srli_epi64(pair, 16)),
                        _mm512_set1_epi64(0xffff),
                    );
                    let above = _mm512_sllv_epi64(
                        _mm512_set1_epi64(-1),
                        _mm512_add_epi64(shift, first_count),
                    );
                    let low = _mm512_or_si512(first, _mm512_and_si512(second, above));
                    let high = _mm512_andnot_si512(above, second);
                    let in_high = _mm512_cmpgt_epi64_mask(end, _mm512_set1_epi64(63));
                    let tails =
                        _mm512_srlv_epi64(_mm512_mask_blend_epi64(in_high, low, high), whole);
                    let before = _mm512_alignr_epi64::<7>(tails, carried);
                    let (lows, highs) = (unpack(_mm512_or_si512(low, before)), unpack(high));
                    for (i, (low, high)) in lows.iter().zip(&highs).enumerate() {
                        let place = place(i);
                        let next = (place + 8) & 127;
                        room[place..place + 8].copy_from_slice(&low.to_le_bytes());
                        room[next..next + 8].copy_from_slice(&high.to_le_bytes());
                    }
                    let (low, high, place) = if take == 64 {
                        (lows[7], highs[7], place(7))
                    } else {
                        (lows[last], highs[last], place(last))
                    };
                    let end = ends[1] >> 48;
                    let goes_on = (end >> 3) as usize >= place + 8;
                    let word = std::hint::select_unpredictable(goes_on, high, low);
                    writer.resume_after(word, place + 8 * usize::from(goes_on), end);
                }
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
