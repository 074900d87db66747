//! The inner loops that gain from wide registers, behind one trait: portable
//! code that the compiler vectorises for whatever it is compiled for, and
//! hand-written kernels where that is not enough. All give the same results.

use super::bits::State;
use super::block::Tables;
use super::tokens::Token;
use crate::png::paeth;

/// Bytes of a row that are filtered at a time.
pub(crate) const BLOCK: usize = 256;
pub(crate) type Block = [u8; BLOCK];

/// What a strip needs that depends on the processor. Whatever is not said is
/// portable code.
pub(crate) trait Kernels: Copy {
    /// A bit for each byte that is zero, the first byte the least significant.
    #[inline(always)]
    fn zeros(self, bytes: &[u8; 64]) -> u64 {
        portable_zeros(bytes)
    }

    /// Whether any 16 bytes at a multiple of 16 are zeros. May be answered by
    /// yes, where the bits for all bytes cost as little.
    #[inline(always)]
    fn any_group(self, bytes: &[u8; 64]) -> bool {
        let mut groups = bytes.as_chunks::<16>().0.iter();
        groups.any(|group| u128::from_le_bytes(*group) == 0)
    }

    /// Bytes of a row, less what Paeth's filter predicts from those to their
    /// left, above, and upper left.
    #[inline(always)]
    fn paeth(self, to: &mut Block, x: &Block, a: &Block, b: &Block, c: &Block) {
        portable_paeth(to, x, a, b, c);
    }

    /// What each of the five filters, in the order of their numbers, would
    /// leave of a block: the sum of its bytes, taken as signed numbers, without
    /// their signs.
    #[inline(always)]
    fn costs(self, x: &Block, a: &Block, b: &Block, c: &Block) -> [u32; 5] {
        portable_costs(x, a, b, c)
    }

    /// Writes tokens of `data`, which begins with the first, until `limit`
    /// bytes of output are passed. Returns whether that happened. There are 64
    /// bytes to read behind the last token, and room for one token and 136
    /// bytes behind the limit.
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

/// For every processor.
#[derive(Clone, Copy)]
pub(crate) struct Portable;

impl Kernels for Portable {}

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

/// In a loop that is long enough for the compiler to vectorise rather than to
/// unroll.
#[inline(always)]
fn portable_paeth(to: &mut Block, x: &Block, a: &Block, b: &Block, c: &Block) {
    // What repeats the row above is cheaper to see than to predict.
    if x[..8] == b[..8] && are_equal(x, b) && are_equal(a, c) {
        return to.fill(0);
    }
    for i in 0..BLOCK {
        to[i] = x[i].wrapping_sub(paeth(a[i], b[i], c[i]));
    }
}

/// Whole, rather than up to the first difference.
#[inline(always)]
fn are_equal(one: &Block, other: &Block) -> bool {
    let bytes = one.iter().zip(other);
    bytes.fold(0, |all, (one, other)| all | (one ^ other)) == 0
}

#[inline(always)]
fn portable_costs(x: &Block, a: &Block, b: &Block, c: &Block) -> [u32; 5] {
    #[inline(always)]
    fn cost(x: &Block, predict: impl Fn(usize) -> u8) -> u32 {
        // In steps, each of which becomes vectors.
        let mut sizes = [0; BLOCK];
        for i in 0..BLOCK {
            let byte = x[i].wrapping_sub(predict(i));
            sizes[i] = byte.min(byte.wrapping_neg());
        }
        sizes.iter().map(|&size| u32::from(size)).sum()
    }
    [
        cost(x, |_| 0),
        cost(x, |i| a[i]),
        cost(x, |i| b[i]),
        cost(x, |i| a[i].midpoint(b[i])),
        cost(x, |i| paeth(a[i], b[i], c[i])),
    ]
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
        if token.length > 0 {
            let code = tables.matches[usize::from(token.length)];
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
