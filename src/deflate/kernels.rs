//! The inner loops of deflate that gain from vector registers, behind one
//! trait. Portable code is here. Where the compiler does not vectorize it well
//! enough, `x86` has kernels written by hand. All of them give the same
//! results.

use super::bits::{ROOM, State};
use super::block::Tables;
use super::tokens::{MASKED, MAX_MATCH, Token, split_run};
use crate::arch::Portable;

/// The kernels of deflate. The default of each method is portable code.
pub(crate) trait DeflateKernels: Copy {
    /// Returns a mask with a bit for each byte, set if the byte is zero. The
    /// bit of the first byte is the least significant.
    #[inline(always)]
    fn zeros(self, bytes: &[u8; 64]) -> u64 {
        portable_zeros(bytes)
    }

    /// Returns a mask with a bit for each eight bytes, set if all of them are zero.
    #[inline(always)]
    fn zero_eights(self, bytes: &[u8; MASKED]) -> u64 {
        let mut mask = 0;
        for (i, eight) in bytes.as_chunks::<8>().0.iter().enumerate() {
            mask |= u64::from(*eight == [0; 8]) << i;
        }
        mask
    }

    /// Writes the codes of all tokens, or stops after the token with which the
    /// output passes byte `limit` of `out`. Returns whether it stopped.
    ///
    /// The first token begins at the first byte of `data`. `data` must have 64
    /// bytes behind the last token. `out` must have room behind `limit` for one
    /// token and [`ROOM`] more bytes.
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
        portable_emit(out, state, tables, data, tokens, limit)
    }
}

impl DeflateKernels for Portable {}

/// Implements [`DeflateKernels::zeros`] with eight bytes at a time, in a scalar
/// register.
#[inline(always)]
fn portable_zeros(bytes: &[u8; 64]) -> u64 {
    const LOW: u64 = 0x7f7f_7f7f_7f7f_7f7f;
    if bytes == &[0; 64] {
        return !0;
    }
    let mut mask = 0;
    for (i, eight) in bytes.as_chunks::<8>().0.iter().enumerate() {
        let x = u64::from_le_bytes(*eight);
        // The sum sets bit 7 of each byte in which any of the bits 0 to 6 is
        // set, and carries nothing into the next byte. After the negation, bit
        // 7 is set in the bytes that are zero, and no other bit. The shift
        // moves it to bit 0.
        let zero = !(((x & LOW) + LOW) | x | LOW) >> 7;
        // The multiplication moves bit 0 of byte `j` to bit `56 + j`.
        mask |= (zero.wrapping_mul(0x0102_0408_1020_4080) >> 56) << (8 * i);
    }
    mask
}

/// Implements [`DeflateKernels::emit`]. Joins the codes of four literals before
/// it writes them, and checks the length of `out` once for 32 literals.
#[inline(always)]
pub(super) fn portable_emit(
    out: &mut [u8],
    state: &mut State,
    tables: &Tables,
    data: &[u8],
    tokens: &[Token],
    limit: usize,
) -> bool {
    let mut writer = *state;
    let mut at = 0;
    for token in tokens {
        let literals = &data[at..at + token.literals as usize];
        let (groups, rest) = literals.as_chunks::<32>();
        for group in groups {
            let Some(room) = out[writer.at..].first_chunk_mut::<ROOM>() else {
                return true;
            };
            // Counts from the start of `room`.
            let mut local = State { at: 0, ..writer };
            for [a, b, c, d, e, f, g, h] in group.as_chunks().0 {
                let codes = |bytes: [&u8; 4]| bytes.map(|b| tables.literals[usize::from(*b)]);
                let (low, low_count) = join(codes([a, b, c, d]));
                let (high, high_count) = join(codes([e, f, g, h]));
                local.put_in_array(room, low, low_count & 63);
                local.put_in_array(room, high, high_count & 63);
            }
            writer = State {
                at: writer.at + local.at,
                ..local
            };
        }
        at += literals.len() - rest.len();
        let mut left = rest.len();
        while left > 0 {
            let take = left.min(8);
            put_eight(&mut writer, out, tables, &data[at..], take);
            at += take;
            left -= take;
        }
        at += put_match(&mut writer, out, tables, token);
        if writer.at > limit {
            *state = writer;
            return true;
        }
    }
    *state = writer;
    false
}

/// Writes the match of a token, if it has one. Returns the length of the match,
/// or 0.
#[inline(always)]
pub(super) fn put_match(
    writer: &mut State,
    out: &mut [u8],
    tables: &Tables,
    token: &Token,
) -> usize {
    let length = usize::from(token.length);
    if token.distance > 1 {
        let (bits, count) = tables.of_match(length, token.distance);
        writer.put(out, bits, count);
    } else {
        put_run(writer, out, tables, length);
    }
    length
}

/// Writes the matches of a run, which may have no bytes. The processor could not predict
/// how many matches a run has, so few branches depend on that.
#[inline(always)]
fn put_run(writer: &mut State, out: &mut [u8], tables: &Tables, length: usize) {
    let (mut count, [second, third]) = split_run(length);
    let (bits, most) = tables.longest;
    let each = tables.runs[MAX_MATCH] as u32 & 0xff;
    while count > most {
        writer.put(out, bits, most as u32 * each);
        count -= most;
    }
    let len = count as u32 * each;
    if count > 0 {
        writer.put(out, bits & ((1 << len) - 1), len);
    }
    // The table has no bits for a length of 0. Both matches fit into 56 bits.
    let [second, third] = [second, third].map(|length| tables.runs[length]);
    let len = second as u32 & 0xff;
    let both = second >> 8 | third >> 8 << len;
    writer.put(out, both, len + (third as u32 & 0xff));
}

/// Joins four entries of [`Tables::literals`]. Returns their codes one behind
/// the other, at most 56 bits, and the sum of the entries. The lowest six bits
/// of the sum are the number of bits; the higher bits are meaningless. The sum
/// is masked with 63 where it counts a shift. The mask costs nothing, since the
/// shift instruction ignores the higher bits anyway.
#[inline(always)]
fn join([a, b, c, d]: [u32; 4]) -> (u64, u32) {
    let pair = |first: u32, second: u32| -> (u64, u32) {
        let bits = u64::from(first >> 8) | u64::from(second >> 8) << (first & 63);
        (bits, first.wrapping_add(second))
    };
    let ((ab, ab_count), (cd, cd_count)) = (pair(a, b), pair(c, d));
    (ab | cd << (ab_count & 63), ab_count.wrapping_add(cd_count))
}

/// Writes the first `count` of eight literals, without a branch on `count`.
#[inline(always)]
pub(super) fn put_eight(
    writer: &mut State,
    out: &mut [u8],
    tables: &Tables,
    bytes: &[u8],
    count: usize,
) {
    /// Entry `count` keeps the first `count` of eight codes.
    static MASKS: [[u32; 8]; 9] = {
        let mut masks = [[0; 8]; 9];
        let mut count = 0;
        while count < 9 {
            let mut i = 0;
            while i < count {
                masks[count][i] = u32::MAX;
                i += 1;
            }
            count += 1;
        }
        masks
    };
    let bytes: &[u8; 8] = bytes.first_chunk().unwrap_or(&[0; 8]);
    let masks = &MASKS[count.min(8)];
    let code = |i: usize| tables.literals[usize::from(bytes[i])] & masks[i];
    let (low, low_count) = join([code(0), code(1), code(2), code(3)]);
    let (high, high_count) = join([code(4), code(5), code(6), code(7)]);
    let Some(room) = out[writer.at..].first_chunk_mut::<ROOM>() else {
        return;
    };
    let mut local = State { at: 0, ..*writer };
    local.put_in_array(room, low, low_count & 63);
    local.put_in_array(room, high, high_count & 63);
    *writer = State {
        at: writer.at + local.at,
        ..local
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zeros() {
        for i in 0..64 {
            for value in [1, 0x7f, 0x80, 0xff] {
                let mut bytes = [value; 64];
                bytes[i] = 0;
                assert_eq!(portable_zeros(&bytes), 1 << i);
                let mut bytes = [0; 64];
                bytes[i] = value;
                assert_eq!(portable_zeros(&bytes), !(1 << i));
            }
        }
    }
}
