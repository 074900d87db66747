//! Tokens: literals, and the match or run behind them. And the tokenizer of the fast
//! mode, which finds only runs of zeros.
//!
//! After a good filter, most of the repetitions in an image are zeros. A run of
//! zeros becomes one literal and matches at distance 1 (RFC 1951, 3.2.3).

use super::DeflateKernels;

/// Literals, and behind them one match, a run of matches at distance 1, or nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Token {
    /// The number of literals.
    pub(crate) literals: u32,
    /// The length of the match, or 0 for no match. A length above [`MAX_MATCH`] stands
    /// for several matches at distance 1: see [`split_run`].
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

/// The bytes of 127 matches of the greatest length. The run of a token has at most two
/// bytes more.
pub(super) const MAX_RUN: usize = 127 * MAX_MATCH;

/// The bytes that [`tokenize`] looks at in one step: 64 groups of eight, one bit of a mask
/// for each.
pub(super) const MASKED: usize = 512;

/// The bytes of a group. A group begins at a multiple of its length.
const GROUP: usize = 16;

/// Cuts `data` into tokens. Overwrites `tokens`.
///
/// A run of zeros is found by the groups in it: 16 zeros that begin at a multiple of 16. Every
/// run of 31 zeros has a group. A run of less than 16 has none, and becomes literals. Groups
/// side by side belong to one run, which reaches into the groups around them.
///
/// Where a run begins and ends changes with the data, so the processor could predict no branch
/// that depends on it. Here such places are the set bits of a mask. The only such branch
/// is the one behind the last bit.
#[inline(always)]
pub(crate) fn tokenize<K: DeflateKernels>(kernels: K, data: &[u8], tokens: &mut Vec<Token>) {
    tokens.clear();
    let (windows, rest) = data.as_chunks::<MASKED>();
    let mut last = [1; MASKED]; // no zeros behind the end
    last[..rest.len()].copy_from_slice(rest);
    let last = (!rest.is_empty()).then_some(&last);
    // All bytes before `done` are in the tokens. The current run begins at `start`.
    let (mut done, mut start, mut inside) = (0, 0, false);
    for (i, window) in windows.iter().chain(last).enumerate() {
        let eights = kernels.zero_eights(window);
        // Two bits for each group.
        let groups = eights & eights >> 1 & 0x5555_5555_5555_5555;
        let mut changes = groups ^ (groups << 2 | u64::from(inside));
        while changes != 0 {
            let place = i * MASKED + changes.trailing_zeros() as usize * 8;
            changes &= changes - 1;
            if inside {
                let end = place + zeros_behind(data, place);
                // The first zero is a literal, which the matches repeat.
                push(tokens, start + 1 - done, end - start - 1);
                done = end;
            } else {
                start = place - zeros_before(data, place);
            }
            inside = !inside;
        }
    }
    if inside {
        push(tokens, start + 1 - done, data.len() - start - 1);
        done = data.len();
    }
    push(tokens, data.len() - done, 0);
}

/// Returns the number of zeros directly before a group that begins a run: less than a group.
#[inline(always)]
fn zeros_before(data: &[u8], place: usize) -> usize {
    match data[..place].last_chunk::<GROUP>() {
        Some(bytes) => u128::from_le_bytes(*bytes).leading_zeros() as usize / 8,
        None => 0,
    }
}

/// Returns the number of zeros in the group behind a run: less than a group.
#[inline(always)]
fn zeros_behind(data: &[u8], place: usize) -> usize {
    match data[place..].first_chunk::<GROUP>() {
        Some(bytes) => u128::from_le_bytes(*bytes).trailing_zeros() as usize / 8,
        None => data[place..].iter().take_while(|&&byte| byte == 0).count(),
    }
}

/// Splits a run into matches. Returns the number of matches of
/// [`MAX_MATCH`] bytes, and the lengths of the two matches behind them, each 0 or at least
/// 3.
#[inline(always)]
pub(super) fn split_run(length: usize) -> (usize, [usize; 2]) {
    let (count, rest) = (length / MAX_MATCH, length % MAX_MATCH);
    // A match has no less than 3 bytes.
    let borrows = count > 0 && (rest == 1 || rest == 2);
    if borrows {
        (count - 1, [MAX_MATCH - 3 + rest, 3])
    } else {
        (count, [rest, 0])
    }
}

/// Appends literals and a run of zeros behind them as tokens.
#[inline(always)]
fn push(tokens: &mut Vec<Token>, mut literals: usize, mut zeros: usize) {
    while literals > MAX_LITERALS {
        tokens.push(Token::of_literals(MAX_LITERALS));
        literals -= MAX_LITERALS;
    }
    // What is left has no less than 3 bytes.
    while zeros > MAX_RUN + 2 {
        tokens.push(Token {
            literals: literals as u32,
            length: MAX_RUN as u16,
            distance: 1,
        });
        literals = 0;
        zeros -= MAX_RUN;
    }
    if literals + zeros > 0 {
        tokens.push(Token {
            literals: literals as u32,
            length: zeros as u16,
            distance: u16::from(zeros > 0),
        });
    }
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
                assert_eq!(token.distance, 1);
                let (count, rest) = split_run(token.length.into());
                let [second, third] = rest;
                let split = count * MAX_MATCH + second + third;
                assert_eq!(split, usize::from(token.length));
                for length in rest {
                    assert!(matches!(length, 0 | 3..=MAX_MATCH), "{token:?}");
                }
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
        for len in MAX_RUN - 2..MAX_RUN + 9 {
            check(&vec![0; len]);
            check(&vec![0; 2 * MAX_RUN + len]);
        }
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
