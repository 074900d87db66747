//! The tokens of the fast mode: literals, and matches for runs of zeros.
//!
//! After a good filter, most of the repetitions in an image are zeros. A run of
//! zeros becomes one literal and matches at distance 1 (RFC 1951, 3.2.3). The
//! fast mode looks for no other matches.

use super::DeflateKernels;

/// Some literals, and then at most one match.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Token {
    /// The number of literals.
    pub(crate) literals: u32,
    /// The length of the match, 3 to 258, or 0 for no match.
    pub(crate) length: u16,
    /// The distance of the match, 1 to 32768, or 0 for no match.
    pub(crate) distance: u16,
}

impl Token {
    /// Creates a token without a match.
    pub(crate) fn of_literals(count: usize) -> Self {
        Token {
            literals: count as u32,
            ..Token::default()
        }
    }
}

/// The most literals in a token. An emitter checks once a token whether it has
/// passed its limit; this constant bounds what it writes between two checks.
pub(crate) const MAX_LITERALS: usize = 1 << 14;

/// The length of the longest match (RFC 1951, 3.2.5).
pub(crate) const MAX_MATCH: usize = 258;

/// The places in a mask of 64 bytes at which a group of 16 zeros may begin: the
/// multiples of 16.
const GROUP_PLACES: u64 = 0x0001_0001_0001_0001;

/// Cuts `data` into tokens. Overwrites `tokens`.
///
/// The search looks at 64 bytes at a time. It finds a run of zeros by a group
/// in it: 16 zeros that begin at a multiple of 16. Every run of 31 zeros has a
/// group. A run of less than 16 has none, and becomes literals. From its first
/// group, a run is followed in both directions.
#[inline(always)]
pub(crate) fn tokenize<K: DeflateKernels>(kernels: K, data: &[u8], tokens: &mut Vec<Token>) {
    tokens.clear();
    let bytes = Zeros::new(kernels, data);
    // All bytes before `done` are in the tokens.
    let (mut done, mut word) = (0, 0);
    let mut zeros = bytes.word_if_group(0);
    loop {
        // Groups before `done` are in a match already.
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
            zeros = bytes.word_if_group(word);
            continue;
        }
        let bit = groups.trailing_zeros() as usize;
        let start = (word * 64 + bit - bytes.zeros_before(zeros, word, bit)).max(done);
        let mut end = word * 64 + bit + (zeros >> bit).trailing_ones() as usize;
        while end == word * 64 + 64 && word + 1 < bytes.words() {
            word += 1;
            zeros = bytes.word(word);
            end += zeros.trailing_ones() as usize;
        }
        // The first zero is a literal, which the matches repeat.
        push(tokens, start + 1 - done, end - start - 1);
        done = end;
    }
    push(tokens, data.len() - done, 0);
}

/// Returns a mask with a bit for the first byte of each group.
#[inline(always)]
fn groups(zeros: u64) -> u64 {
    let mut runs = zeros & (zeros >> 8);
    runs &= runs >> 4;
    runs &= runs >> 2;
    runs &= runs >> 1;
    runs & GROUP_PLACES
}

/// The places of the zeros in some bytes, as words of 64 bits: one bit for each
/// byte, set if the byte is zero.
struct Zeros<'d, K> {
    kernels: K,
    chunks: &'d [[u8; 64]],
    /// The word of the bytes behind the chunks.
    rest: u64,
    /// The number of bytes behind the chunks.
    rest_len: usize,
}

impl<'d, K: DeflateKernels> Zeros<'d, K> {
    #[inline(always)]
    fn new(kernels: K, data: &'d [u8]) -> Self {
        let (chunks, rest) = data.as_chunks::<64>();
        let mut chunk = [1; 64]; // no zeros behind the end
        chunk[..rest.len()].copy_from_slice(rest);
        Zeros {
            kernels,
            chunks,
            rest: kernels.zeros(&chunk),
            rest_len: rest.len(),
        }
    }

    /// Returns the number of words, at least 1.
    #[inline(always)]
    fn words(&self) -> usize {
        (self.chunks.len() + usize::from(self.rest_len > 0)).max(1)
    }

    /// Returns a word.
    #[inline(always)]
    fn word(&self, word: usize) -> u64 {
        match self.chunks.get(word) {
            Some(chunk) => self.kernels.zeros(chunk),
            None => self.rest,
        }
    }

    /// Returns a word, or 0 if none of its bytes begins a group. In portable
    /// code, the test for a group costs less than the word.
    #[inline(always)]
    fn word_if_group(&self, word: usize) -> u64 {
        match self.chunks.get(word) {
            Some(chunk) if !self.kernels.any_zero_group(chunk) => 0,
            _ => self.word(word),
        }
    }

    /// Returns the number of zeros directly before the group at `bit` of
    /// `word`. There are less than 16: otherwise they would have a group of
    /// their own, which would have been found first.
    #[inline(always)]
    fn zeros_before(&self, zeros: u64, word: usize, bit: usize) -> usize {
        let before = match (bit, word) {
            (16.., _) => zeros << (64 - bit),
            (_, 0) => 0,
            _ => self.word(word - 1),
        };
        before.leading_ones() as usize
    }
}

/// Appends literals and a run of zeros behind them as tokens.
#[inline(always)]
fn push(tokens: &mut Vec<Token>, literals: usize, zeros: usize) {
    push_match(tokens, MAX_LITERALS, literals, zeros, 1);
}

/// Appends literals and a repetition behind them as tokens. The literals are cut into
/// portions of `most_literals`. The repetition is cut into matches of 3 to 258 bytes.
#[inline(always)]
pub(super) fn push_match(
    tokens: &mut Vec<Token>,
    most_literals: usize,
    mut literals: usize,
    mut repeated: usize,
    distance: usize,
) {
    while literals > most_literals {
        tokens.push(Token::of_literals(most_literals));
        literals -= most_literals;
    }
    loop {
        let length = match repeated {
            0..=MAX_MATCH => repeated,
            259 | 260 => repeated - 3, // leaves a match of 3 bytes, not of 1 or 2
            _ => MAX_MATCH,
        };
        if literals > 0 || length > 0 {
            tokens.push(Token {
                literals: literals as u32,
                length: length as u16,
                distance: if length > 0 { distance as u16 } else { 0 },
            });
        }
        literals = 0;
        repeated -= length;
        if repeated == 0 {
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
                    "a match of other bytes than zeros"
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
                    // A run of 31 zeros covers a group, wherever it lies.
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
