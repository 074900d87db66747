//! The emitter for AVX-512.

// Intrinsics, whose names say what they are.
#![allow(clippy::wildcard_imports)]

#[cfg(target_arch = "x86")]
use std::arch::x86::*;
#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::*;

use fearless_simd::prelude::*;
use fearless_simd::{Avx512, kernel, u8x64, u64x2, u64x8};

use crate::deflate::bits::State;
use crate::deflate::block::Tables;
use crate::deflate::kernels::{put_eight, put_match};
use crate::deflate::tokens::Token;

use super::FEW;

/// The byte that a place in a bit stream is in, of eight that are sixteen bits
/// each. It is less than 128.
#[inline(always)]
fn byte_of(places: [u64; 2], lane: usize) -> usize {
    let part = places[(lane / 4) & 1];
    (part >> (lane % 4 * 16 + 3)) as usize & 127
}

// 64 literals at a time: looked up in three tables, joined by twos, fours and
// eights, and put where they belong in the stream, all at once.
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
        // Eight lanes of sixteen bits.
        let pack = |lanes: __m512i| -> [u64; 2] {
            let lanes: u64x2<Avx512> = _mm512_cvtepi64_epi16(lanes).simd_into(token);
            lanes.into()
        };
        // The codes of all bytes as three tables: low and high half of the
        // bits, moved to the top of 16, and their number; each in four
        // registers.
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
                if left <= FEW {
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
                let keep = !0 >> (64 - take);
                let upper = _mm512_movepi8_mask(bytes);
                let look = |table: [__m512i; 4]| {
                    let lower =
                        _mm512_maskz_permutex2var_epi8(keep & !upper, table[0], bytes, table[1]);
                    let higher =
                        _mm512_maskz_permutex2var_epi8(keep & upper, table[2], bytes, table[3]);
                    _mm512_or_si512(lower, higher)
                };
                let (low, high, count) = (look(low), look(high), look(count));

                // How many bits: of bytes, pairs of them, and eights.
                let even = _mm512_and_si512(count, _mm512_set1_epi16(0xff));
                let odd = _mm512_srli_epi16(count, 8);
                let pair = _mm512_add_epi16(even, odd);
                let eight = _mm512_sad_epu8(count, zero);
                // Where in the bit stream each eight begins.
                let two = _mm512_add_epi64(eight, _mm512_alignr_epi64::<7>(eight, zero));
                let four = _mm512_add_epi64(two, _mm512_alignr_epi64::<6>(two, zero));
                let ends = _mm512_add_epi64(four, _mm512_alignr_epi64::<4>(four, zero));
                let ends = _mm512_add_epi64(ends, _mm512_set1_epi64(writer.count.into()));
                let begin = _mm512_sub_epi64(ends, eight);
                let shift = _mm512_and_si512(begin, _mm512_set1_epi64(7));

                // Codes as words, at the top of them; every second one goes
                // to the bottom, next to the one before it.
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
                // Pairs in doubles: one to the top, the next to the bottom.
                let sixteen = _mm512_set1_epi16(16);
                let turns =
                    _mm512_mask_sub_epi16(_mm512_add_epi16(sixteen, even), !ODD, sixteen, odd);
                let first = _mm512_rolv_epi32(first, _mm512_unpacklo_epi16(turns, zero));
                let second = _mm512_rolv_epi32(second, _mm512_unpackhi_epi16(turns, zero));
                // Fours, each around the middle of eight bytes: to where they
                // are in the stream.
                let base = _mm512_or_si512(shift, _mm512_set1_epi64(32));
                let to_first =
                    _mm512_add_epi64(base, _mm512_and_si512(pair, _mm512_set1_epi64(0xffff)));
                let to_second =
                    _mm512_add_epi64(base, _mm512_sub_epi64(eight, _mm512_srli_epi64(pair, 48)));
                let first_four = _mm512_unpacklo_epi64(first, second);
                let second_four = _mm512_unpackhi_epi64(first, second);

                // One check of the room for all.
                let Some(room) = out[writer.at..].first_chunk_mut::<136>() else {
                    return true;
                };
                let carried = _mm512_set1_epi64(writer.bits.cast_signed());
                let first_count = _mm512_and_si512(
                    _mm512_add_epi64(pair, _mm512_srli_epi64(pair, 16)),
                    _mm512_set1_epi64(0xffff),
                );
                let second_count = _mm512_sub_epi64(eight, first_count);
                // What is left of bits after whole bytes.
                let tail = |bits: __m512i, shift: __m512i, count: __m512i| {
                    let whole = _mm512_set1_epi64(56);
                    let end = _mm512_add_epi64(shift, count);
                    _mm512_srlv_epi64(bits, _mm512_and_si512(end, whole))
                };
                if _mm512_cmpgt_epi64_mask(eight, _mm512_set1_epi64(56)) == 0 {
                    // Eights go side by side. Each but the last has eight bits
                    // at least, so what it leaves in a byte is its own.
                    let eights = _mm512_or_si512(
                        _mm512_rolv_epi64(first_four, to_first),
                        _mm512_rolv_epi64(second_four, to_second),
                    );
                    let tails = tail(eights, shift, eight);
                    let before = _mm512_alignr_epi64::<7>(tails, carried);
                    let words = unpack(_mm512_or_si512(eights, before));
                    let ends = pack(ends);
                    let place = |i: usize| if i == 0 { 0 } else { byte_of(ends, i - 1) & 63 };
                    for (i, word) in words.iter().enumerate() {
                        let place = place(i);
                        room[place..place + 8].copy_from_slice(&word.to_le_bytes());
                    }
                    let (word, place) = if take == 64 {
                        (words[7], place(7))
                    } else {
                        let last = ((take - 1) / 8) & 7;
                        (words[last], place(last))
                    };
                    writer.end_in(word, place, ends[1] >> 48);
                } else if take == 64
                    && _mm512_cmplt_epi64_mask(
                        _mm512_min_epi64(first_count, second_count),
                        _mm512_set1_epi64(8),
                    ) == 0
                {
                    // The same with fours, of which each has as much.
                    let middle = _mm512_add_epi64(begin, first_count);
                    let second_shift = _mm512_and_si512(middle, _mm512_set1_epi64(7));
                    let to_second = _mm512_add_epi64(
                        _mm512_or_si512(second_shift, _mm512_set1_epi64(32)),
                        _mm512_and_si512(_mm512_srli_epi64(pair, 32), _mm512_set1_epi64(0xffff)),
                    );
                    let firsts = _mm512_rolv_epi64(first_four, to_first);
                    let seconds = _mm512_rolv_epi64(second_four, to_second);
                    let first_tails = tail(firsts, shift, first_count);
                    let second_tails = tail(seconds, second_shift, second_count);
                    let before = _mm512_alignr_epi64::<7>(second_tails, carried);
                    let firsts = unpack(_mm512_or_si512(firsts, before));
                    let seconds = unpack(_mm512_or_si512(seconds, first_tails));
                    let (ends, middle) = (pack(ends), pack(middle));
                    let place = |i: usize| if i == 0 { 0 } else { byte_of(ends, i - 1) };
                    for (i, (first, second)) in firsts.iter().zip(&seconds).enumerate() {
                        let (place, middle) = (place(i), byte_of(middle, i));
                        room[place..place + 8].copy_from_slice(&first.to_le_bytes());
                        room[middle..middle + 8].copy_from_slice(&second.to_le_bytes());
                    }
                    writer.end_in(seconds[7], byte_of(middle, 7), ends[1] >> 48);
                } else {
                    // Rare: very short codes next to very long ones. Fours one
                    // behind the other.
                    let to_end = |four, pair_count: __m512i| {
                        let middle = _mm512_set1_epi64(32);
                        let count = _mm512_and_si512(pair_count, _mm512_set1_epi64(0xffff));
                        unpack(_mm512_srlv_epi64(four, _mm512_sub_epi64(middle, count)))
                    };
                    let firsts = to_end(first_four, pair);
                    let seconds = to_end(second_four, _mm512_srli_epi64(pair, 32));
                    let (counts, second_counts) = (unpack(first_count), unpack(second_count));
                    let mut local = State { at: 0, ..writer };
                    for i in 0..8 {
                        local.put_local(room, firsts[i], counts[i] as u32);
                        local.put_local(room, seconds[i], second_counts[i] as u32);
                    }
                    writer = State {
                        at: writer.at + local.at,
                        ..local
                    };
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
