//! Kernels for AVX2 and AVX-512.

// Thirty intrinsics, whose names say what they are.
#![allow(clippy::wildcard_imports)]

use fearless_simd::prelude::*;
use fearless_simd::{Avx2, Avx512, kernel, u8x32, u8x64, u64x2, u64x4, u64x8};
#[cfg(target_arch = "x86")]
use std::arch::x86::*;
#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::*;

use super::bits::State;
use super::block::Tables;
use super::kernels::{Block, Kernels, portable_emit, put_eight};

/// So few literals are not worth a vector.
const FEW: usize = 16;
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

/// The predictor of Paeth for 32 bytes: a function, if there were one that may
/// use these registers wherever it is inlined.
macro_rules! predictor {
    () => {{
        // One difference is zero, the other one the distance.
        let distance = |p, q| _mm256_or_si256(_mm256_subs_epu8(p, q), _mm256_subs_epu8(q, p));
        let at_most = |p, q| _mm256_cmpeq_epi8(_mm256_subs_epu8(p, q), _mm256_setzero_si256());
        move |a: __m256i, b: __m256i, c: __m256i| {
            let (from_a, from_b) = (distance(b, c), distance(a, c));
            let outside = _mm256_xor_si256(at_most(c, a), at_most(b, c));
            let from_c = _mm256_or_si256(distance(from_a, from_b), outside);
            let b_or_c = _mm256_blendv_epi8(c, b, at_most(from_b, from_c));
            let is_a = at_most(from_a, _mm256_min_epu8(from_b, from_c));
            _mm256_blendv_epi8(b_or_c, a, is_a)
        }
    }};
}

/// Kernels of filters with 256-bit registers, for either processor: with 512
/// bits and the masks that come with them they are no faster.
macro_rules! filter_kernels {
    ($paeth:ident, $costs:ident, $token:ident) => {
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
                let row = x.as_chunks().0.iter().zip(a.as_chunks().0);
                let above = b.as_chunks().0.iter().zip(c.as_chunks().0);
                for (to, ((x, a), (b, c))) in to.as_chunks_mut().0.iter_mut().zip(row.zip(above)) {
                    // What repeats the row above is cheaper to see than to
                    // predict: hardly ever true in photographs, and mostly in
                    // flat graphics.
                    let maybe = x[..8] == b[..8];
                    let (x, a, b, c) = (load(x), load(a), load(b), load(c));
                    let differs = _mm256_or_si256(_mm256_xor_si256(x, b), _mm256_xor_si256(a, c));
                    if maybe && _mm256_testz_si256(differs, differs) == 1 {
                        to.fill(0);
                        continue;
                    }
                    let result = _mm256_sub_epi8(x, predict(a, b, c));
                    let result: u8x32<$token> = result.simd_into(token);
                    *to = result.into();
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
                    // The instruction rounds up.
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
    };
}

filter_kernels!(paeth256, costs256, Avx2);
filter_kernels!(paeth512, costs512, Avx512);

/// Sixteen values of a byte are looked up at a time, these before the others:
/// from -64 to 63, in which most bytes of a filtered photograph are.
const NEAREST: [usize; 2] = [0, 15];
const NEAR: [usize; 6] = [1, 2, 3, 12, 13, 14];
const FAR: [usize; 8] = [4, 5, 6, 7, 8, 9, 10, 11];

kernel!(
    #[inline]
    fn emit256(
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
        let share: u32 = far.map(|code| 1 << 16 >> (code & 15)).sum();
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
            if run.length > 0 {
                let code = tables.matches[usize::from(run.length) % 259];
                writer.put(out, u64::from(code >> 8), code & 0xff);
                at += usize::from(run.length);
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
            if run.length > 0 {
                let code = tables.matches[usize::from(run.length) % 259];
                writer.put(out, u64::from(code >> 8), code & 0xff);
                at += usize::from(run.length);
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
