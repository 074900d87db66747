//! Literals and runs of zeros: all that the fast mode looks for.
//!
//! After a good filter most of what repeats in a picture is zeros. A run of
//! them is one literal and matches at distance 1 (RFC 1951, 3.2.3).

use super::DeflateKernels;

/// So many literals, then a match of so many zeros with the zero before them,
/// or none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) literals: u32,
    /// 3 to 258, or 0 for no match.
    pub(crate) length: u16,
}

/// The most literals in a token. With it, whoever writes tokens can look
/// every now and then whether there is still room.
pub(crate) const MAX_LITERALS: usize = 1 << 14;

/// The longest match (RFC 1951, 3.2.5).
pub(crate) const MAX_MATCH: usize = 258;

/// Bits at every sixteenth place: where a group of 16 zeros may begin to be
/// noticed.
const GROUPS: u64 = 0x0001_0001_0001_0001;

/// Cuts `data` into tokens. Runs of zeros are found by their groups of 16 at
/// multiples of 16, 64 bytes at a look, and then followed to both sides.
/// `tokens` are overwritten.
#[inline(always)]
pub(crate) fn tokenize<K: DeflateKernels>(kernels: K, data: &[u8], tokens: &mut Vec<Token>) {
    tokens.clear();
    let bytes = Zeros::new(kernels, data);
    // Everything before `done` is in the tokens.
    let (mut done, mut word) = (0, 0);
    let mut zeros = bytes.word_with_group(0);
    loop {
        // Those before `done` are in a match already.
        let seen = usize::saturating_sub(done, word * 64);
        let groups = if seen < 64 {
            groups(zeros) >> seen << seen
        } else {
            0
        };
        if groups == 0 {
            word += 1;
            if word == bytes.words() {
                break;
            }
            zeros = bytes.word_with_group(word);
            continue;
        }
        let bit = groups.trailing_zeros() as usize;
        let start = (word * 64 + bit - bytes.before(zeros, word, bit)).max(done);
        let mut end = word * 64 + bit + (zeros >> bit).trailing_ones() as usize;
        while end == word * 64 + 64 && word + 1 < bytes.words() {
            word += 1;
            zeros = bytes.word(word);
            end += zeros.trailing_ones() as usize;
        }
        // The first zero is the literal that the matches repeat.
        push(tokens, start + 1 - done, end - start - 1);
        done = end;
    }
    push(tokens, data.len() - done, 0);
}

/// A bit where a group of zeros begins.
#[inline(always)]
fn groups(zeros: u64) -> u64 {
    let mut runs = zeros & (zeros >> 8);
    runs &= runs >> 4;
    runs &= runs >> 2;
    runs &= runs >> 1;
    runs & GROUPS
}

/// Where in some bytes zeros are, 64 bytes to a word.
struct Zeros<'d, K> {
    kernels: K,
    chunks: &'d [[u8; 64]],
    /// What is behind the chunks.
    rest: u64,
    rest_len: usize,
}

impl<'d, K: DeflateKernels> Zeros<'d, K> {
    #[inline(always)]
    fn new(kernels: K, data: &'d [u8]) -> Self {
        let (chunks, rest) = data.as_chunks::<64>();
        let mut chunk = [1; 64]; // nothing behind the end is a zero
        chunk[..rest.len()].copy_from_slice(rest);
        Zeros {
            kernels,
            chunks,
            rest: kernels.zeros(&chunk),
            rest_len: rest.len(),
        }
    }

    /// How many words there are, one at least.
    #[inline(always)]
    fn words(&self) -> usize {
        (self.chunks.len() + usize::from(self.rest_len > 0)).max(1)
    }

    /// A bit for each zero.
    #[inline(always)]
    fn word(&self, word: usize) -> u64 {
        match self.chunks.get(word) {
            Some(chunk) => self.kernels.zeros(chunk),
            None => self.rest,
        }
    }

    /// The same, or none if no group is among them.
    #[inline(always)]
    fn word_with_group(&self, word: usize) -> u64 {
        match self.chunks.get(word) {
            Some(chunk) if !self.kernels.any_group(chunk) => 0,
            _ => self.word(word),
        }
    }

    /// How many zeros are right before a group: less than 16, or there would
    /// be a group before it.
    #[inline(always)]
    fn before(&self, zeros: u64, word: usize, bit: usize) -> usize {
        let before = match (bit, word) {
            (16.., _) => zeros << (64 - bit),
            (_, 0) => 0,
            _ => self.word(word - 1),
        };
        before.leading_ones() as usize
    }
}

/// A run as tokens: literals in portions, matches of at most 258 of which
/// none is shorter than 3.
#[inline(always)]
fn push(tokens: &mut Vec<Token>, mut literals: usize, mut zeros: usize) {
    while literals > MAX_LITERALS {
        tokens.push(Token {
            literals: MAX_LITERALS as u32,
            length: 0,
        });
        literals -= MAX_LITERALS;
    }
    loop {
        let length = match zeros {
            0..=MAX_MATCH => zeros,
            259 | 260 => zeros - 3, // not one or two for the last
            _ => MAX_MATCH,
        };
        if literals > 0 || length > 0 {
            tokens.push(Token {
                literals: literals as u32,
                length: length as u16,
            });
        }
        literals = 0;
        zeros -= length;
        if zeros == 0 {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arch::Portable;

    fn check(data: &[u8]) -> Vec<Token> {
        let mut tokens = Vec::new();
        tokenize(Portable, data, &mut tokens);
        let mut at = 0;
        for token in &tokens {
            assert!(token.literals as usize <= MAX_LITERALS);
            at += token.literals as usize;
            if token.length > 0 {
                assert!((3..=MAX_MATCH).contains(&token.length.into()), "{token:?}");
                let run = &data[at - 1..at + usize::from(token.length)];
                assert!(
                    run.iter().all(|&byte| byte == 0),
                    "a match of something else"
                );
                at += usize::from(token.length);
            } else {
                assert!(token.literals > 0, "an empty token");
            }
        }
        assert_eq!(at, data.len());
        tokens
    }

    #[test]
    fn runs_of_every_length_at_every_place() {
        for before in 0..70 {
            for zeros in (0..150).chain(250..280).chain(510..530).chain(770..780) {
                for behind in [0, 1, 63, 64] {
                    let mut data = vec![1; before];
                    data.resize(before + zeros, 0);
                    data.resize(before + zeros + behind, 2);
                    let tokens = check(&data);
                    let matched: usize = tokens.iter().map(|t| usize::from(t.length)).sum();
                    // Runs of 31 have a group of 16 wherever they lie.
                    if zeros >= 31 {
                        assert_eq!(matched, zeros - 1, "{before} {zeros} {behind}");
                    }
                    if zeros < 16 {
                        assert_eq!(matched, 0);
                    }
                }
            }
        }
    }

    #[test]
    fn any_data() {
        let mut seed = 7u32;
        let mut random = || {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            seed >> 8
        };
        check(&[]);
        check(&vec![0; 100_000]);
        check(&vec![5; 100_000]);
        for _ in 0..300 {
            let mut data = Vec::new();
            while data.len() < 5000 {
                let (count, value) = (random() % 90, random() % 3 * 50);
                data.resize(data.len() + count as usize, value as u8);
            }
            check(&data);
        }
    }
}
