//! The inner loops of deflate that gain from wide registers, behind one trait:
//! portable code, and in `x86` kernels written by hand where the compiler's
//! vectors are not enough. All give the same results.

use super::bits::State;
use super::block::Tables;
use super::tokens::Token;
use crate::arch::Portable;

/// The kernels of deflate. The default of each method is portable code.
pub(crate) trait DeflateKernels: Copy {
    /// Returns a bit for each byte that is zero. The first byte is the least
    /// significant bit.
    #[inline(always)]
    fn zeros(self, bytes: &[u8; 64]) -> u64 {
        portable_zeros(bytes)
    }

    /// Returns whether any 16 bytes at a multiple of 16 are all zero. May
    /// return `true` without looking where [`zeros`](Self::zeros) costs as
    /// little as this test.
    #[inline(always)]
    fn any_group(self, bytes: &[u8; 64]) -> bool {
        let mut groups = bytes.as_chunks::<16>().0.iter();
        groups.any(|group| u128::from_le_bytes(*group) == 0)
    }

    /// Writes the tokens of `data` until `limit` bytes of output are passed,
    /// and returns whether that happened. The first token begins at the first
    /// byte of `data`. 64 bytes can be read behind the last token; behind the
    /// limit there is room for one token and 136 bytes.
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

/// Eight bytes at a time, in an ordinary register.
#[inline(always)]
fn portable_zeros(bytes: &[u8; 64]) -> u64 {
    const LOW: u64 = 0x7f7f_7f7f_7f7f_7f7f;
    if bytes == &[0; 64] {
        return !0;
    }
    let mut mask = 0;
    for (i, eight) in bytes.as_chunks::<8>().0.iter().enumerate() {
        let x = u64::from_le_bytes(*eight);
        // The top bit of each byte that is zero, and no other.
        let zero = !(((x & LOW) + LOW) | x | LOW) >> 7;
        // Gathers the eight bits in the top byte.
        mask |= (zero.wrapping_mul(0x0102_0408_1020_4080) >> 56) << (8 * i);
    }
    mask
}

/// Four literals at a time, and one check of the room for 32.
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
            let Some(room) = out[writer.at..].first_chunk_mut::<136>() else {
                return true;
            };
            let mut local = State { at: 0, ..writer };
            for [a, b, c, d, e, f, g, h] in group.as_chunks().0 {
                let codes = |bytes: [&u8; 4]| bytes.map(|b| tables.literals[usize::from(*b)]);
                let (low, low_count) = join(codes([a, b, c, d]));
                let (high, high_count) = join(codes([e, f, g, h]));
                local.put_local(room, low, low_count & 63);
                local.put_local(room, high, high_count & 63);
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

/// Writes the match of a token, if it has one, and returns how many bytes it
/// stands for.
#[inline(always)]
pub(super) fn put_match(
    writer: &mut State,
    out: &mut [u8],
    tables: &Tables,
    token: &Token,
) -> usize {
    let length = usize::from(token.length);
    if length > 0 {
        // The remainder tells the compiler that the index is in bounds.
        let code = tables.matches[length % tables.matches.len()];
        writer.put(out, u64::from(code >> 8), code & 0xff);
    }
    length
}

/// The codes of four literals as one of at most 56 bits; its length is in the
/// lowest six bits of the second number, since a shift looks at no others.
#[inline(always)]
fn join([a, b, c, d]: [u32; 4]) -> (u64, u32) {
    let pair = |first: u32, second: u32| -> (u64, u32) {
        let bits = u64::from(first >> 8) | u64::from(second >> 8) << (first & 63);
        (bits, first.wrapping_add(second))
    };
    let ((ab, ab_count), (cd, cd_count)) = (pair(a, b), pair(c, d));
    (ab | cd << (ab_count & 63), ab_count.wrapping_add(cd_count))
}

/// Writes the first `count` of eight literals, without asking how many.
#[inline(always)]
pub(super) fn put_eight(
    writer: &mut State,
    out: &mut [u8],
    tables: &Tables,
    bytes: &[u8],
    count: usize,
) {
    static KEEP: [[u32; 8]; 9] = {
        let mut keep = [[0; 8]; 9];
        let mut count = 0;
        while count < 9 {
            let mut i = 0;
            while i < count {
                keep[count][i] = u32::MAX;
                i += 1;
            }
            count += 1;
        }
        keep
    };
    let bytes: &[u8; 8] = bytes.first_chunk().unwrap_or(&[0; 8]);
    let keep = &KEEP[count.min(8)];
    let code = |i: usize| tables.literals[usize::from(bytes[i])] & keep[i];
    let (low, low_count) = join([code(0), code(1), code(2), code(3)]);
    let (high, high_count) = join([code(4), code(5), code(6), code(7)]);
    let Some(room) = out[writer.at..].first_chunk_mut::<136>() else {
        return;
    };
    let mut local = State { at: 0, ..*writer };
    local.put_local(room, low, low_count & 63);
    local.put_local(room, high, high_count & 63);
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
