//! Where one block ends and the next begins.
//!
//! A block has one set of Huffman codes (RFC 1951, 3.2.3). Where other symbols become
//! frequent, a new set is worth its header.

use std::ops::Range;

use super::logarithm::BIT;
use super::symbols::{Frequencies, count_all};
use super::tokens::Token;

/// The fewest data bytes of a portion, unless it is the last. A block is one portion or
/// several.
pub(super) const PORTION: usize = 16 << 10;

/// The approximate cost of a block header: 64 bytes.
const HEADER: u64 = 64 * 8 * BIT as u64;

/// A part of the tokens of some data.
pub(super) struct Part {
    /// The indices of the tokens.
    pub(super) tokens: Range<usize>,
    /// The indices of the data bytes.
    pub(super) bytes: Range<usize>,
    pub(super) frequencies: Frequencies,
    /// The cost of the symbols by their entropy, and of their extra bits.
    cost: u64,
}

/// Cuts the tokens of `data` into blocks, and calls `write` for each.
#[inline(always)]
pub(super) fn split(data: &[u8], tokens: &[Token], mut write: impl FnMut(&Part)) {
    let Some(mut block) = portion(data, tokens, 0, 0) else {
        return;
    };
    while let Some(next) = portion(data, tokens, block.tokens.end, block.bytes.end) {
        let frequencies = block.frequencies.plus(&next.frequencies);
        let cost = frequencies.cost();
        if cost <= block.cost + next.cost + HEADER {
            block = Part {
                tokens: block.tokens.start..next.tokens.end,
                bytes: block.bytes.start..next.bytes.end,
                frequencies,
                cost,
            };
        } else {
            write(&block);
            block = next;
        }
    }
    write(&block);
}

/// Returns the portion that begins at a token and a byte, or `None` at the end.
#[inline(always)]
fn portion(data: &[u8], tokens: &[Token], token: usize, byte: usize) -> Option<Part> {
    let (mut end, mut len) = (token, 0);
    while len < PORTION
        && let Some(token) = tokens.get(end)
    {
        len += token.literals as usize + usize::from(token.length);
        end += 1;
    }
    if end == token {
        return None;
    }
    let frequencies = count_all(&data[byte..byte + len], &tokens[token..end]);
    Some(Part {
        tokens: token..end,
        bytes: byte..byte + len,
        cost: frequencies.cost(),
        frequencies,
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::{literals, random};
    use super::*;

    /// Returns the lengths of the blocks of literals.
    fn blocks(data: &[u8]) -> Vec<usize> {
        let tokens: Vec<Token> = literals(data.len()).collect();
        let (mut lengths, mut token, mut byte) = (Vec::new(), 0, 0);
        split(data, &tokens, |part| {
            assert_eq!((part.tokens.start, part.bytes.start), (token, byte));
            (token, byte) = (part.tokens.end, part.bytes.end);
            let counted = count_all(&data[part.bytes.clone()], &tokens[part.tokens.clone()]);
            assert_eq!(part.frequencies.symbols, counted.symbols);
            lengths.push(part.bytes.len());
        });
        assert_eq!((token, byte), (tokens.len(), data.len()));
        lengths
    }

    #[test]
    fn where_symbols_change() {
        let mut seed = 1;
        let mut noise = |low: usize, len: usize| -> Vec<u8> {
            (0..len)
                .map(|_| (low + random(&mut seed) % 16) as u8)
                .collect()
        };
        let even = noise(0, 5 * PORTION);
        assert_eq!(blocks(&even), [5 * PORTION]);
        let mut changing = noise(0, 2 * PORTION);
        changing.extend(noise(100, PORTION));
        changing.extend(noise(200, 3 * PORTION + 5));
        assert_eq!(blocks(&changing), [2 * PORTION, PORTION, 3 * PORTION + 5]);
        assert_eq!(blocks(&[]), [0; 0]);
        assert_eq!(blocks(&[7]), [1]);
    }
}
