//! Data for the tests of searches, and a check that tokens reproduce the data.

use super::PADDING;
use super::matches::WINDOW;
use super::tokens::{MAX_LITERALS, MAX_MATCH, Token};

/// Returns the next number of a sequence that looks random.
pub(super) fn random(seed: &mut u64) -> usize {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
    (*seed >> 33) as usize
}

/// Returns literals, runs and copies of earlier bytes at any distance, in any order.
/// There are up to `values` values.
fn mixture(seed: &mut u64, len: usize, values: usize) -> Vec<u8> {
    let mut data = Vec::new();
    while data.len() < len {
        let count = random(seed) % 300;
        match random(seed) % 4 {
            0 => data.extend((0..count).map(|_| (random(seed) % values) as u8)),
            1 => data.extend(vec![(random(seed) % values) as u8; 3 * count]),
            _ if data.is_empty() => {}
            _ => {
                let back = random(seed) % data.len().min(40_000) + 1;
                let from = data.len() - back;
                (from..from + count).for_each(|i| data.push(data[i]));
            }
        }
    }
    data
}

/// Calls `search` twice for `data`, with different padding behind. Checks that the
/// tokens stand for the data and do not depend on the padding. Returns the tokens.
pub(super) fn check(data: &[u8], mut search: impl FnMut(&[u8], usize) -> Vec<Token>) -> Vec<Token> {
    let mut tokens = [0, 0xff].map(|padding| {
        let mut padded = data.to_vec();
        padded.resize(data.len() + PADDING, padding);
        let tokens = search(&padded, data.len());
        assert_eq!(replay(&padded, &tokens), data.len());
        tokens
    });
    assert!(tokens[0] == tokens[1], "the padding has an effect");
    std::mem::take(&mut tokens[0])
}

/// Checks that each match repeats earlier bytes. Returns the number of bytes that the
/// tokens stand for.
fn replay(data: &[u8], tokens: &[Token]) -> usize {
    let mut at = 0;
    for token in tokens {
        assert!(token.literals as usize <= MAX_LITERALS);
        at += token.literals as usize;
        let (length, distance) = (usize::from(token.length), usize::from(token.distance));
        assert_eq!(length == 0, distance == 0, "{token:?}");
        if length > 0 {
            assert!((3..=MAX_MATCH).contains(&length), "{token:?}");
            assert!(distance < WINDOW && distance <= at, "{token:?} at {at}");
            for i in at..at + length {
                assert_eq!(data[i], data[i - distance], "{token:?} at {at}");
            }
        } else {
            assert!(token.literals > 0, "an empty token");
        }
        at += length;
    }
    at
}

/// Returns the number of bytes in matches.
pub(super) fn matched(tokens: &[Token]) -> usize {
    tokens.iter().map(|token| usize::from(token.length)).sum()
}

/// Checks `search` with data of 60 kinds. `sizes` are those of the parts that it searches
/// at a time.
pub(super) fn check_any_data<S: FnMut(&[u8], usize) -> Vec<Token>>(
    sizes: [usize; 3],
    search: impl Fn(usize) -> S,
) {
    let mut seed = 7;
    for case in 0..60 {
        let data = mixture(&mut seed, 100_000, [2, 5, 40, 256][case % 4]);
        check(&data, search(sizes[case % 3]));
    }
}

/// Checks `search` with fewer bytes than it reads at once, and with some more.
pub(super) fn check_small_data<S: FnMut(&[u8], usize) -> Vec<Token>>(search: impl Fn(usize) -> S) {
    for len in 0..80 {
        check(&vec![0; len], search(1000));
        check(&(0..len).map(|i| i as u8).collect::<Vec<_>>(), search(1000));
        check(
            &(0..len).map(|i| (i % 7) as u8).collect::<Vec<_>>(),
            search(40),
        );
    }
}

/// Checks that `search` finds a repetition of 60 bytes in noise up to the largest
/// distance: at least `found` of its bytes. Beyond that distance it must find none.
pub(super) fn check_distances<S: FnMut(&[u8], usize) -> Vec<Token>>(
    found: usize,
    search: impl Fn() -> S,
) {
    for distance in [60, 61, 100, 4000, WINDOW - 1] {
        let matched = matched(&check(&repeated_at(distance), search()));
        assert!((found..=60).contains(&matched), "{matched} at {distance}");
    }
    for distance in [WINDOW, WINDOW + 1] {
        assert_eq!(matched(&check(&repeated_at(distance), search())), 0);
    }
}

/// Returns noise, in which a piece of 60 bytes is repeated at a distance.
fn repeated_at(distance: usize) -> Vec<u8> {
    let mut seed = 3;
    let mut noise = |len: usize| -> Vec<u8> { (0..len).map(|_| random(&mut seed) as u8).collect() };
    let piece = noise(60);
    let mut data = noise(20);
    data.extend_from_slice(&piece);
    data.extend(noise(distance - piece.len()));
    data.extend_from_slice(&piece);
    data.extend(noise(100));
    data
}

/// Returns tokens of `len` literals.
pub(super) fn literals(len: usize) -> impl Iterator<Item = Token> {
    let whole = len / MAX_LITERALS;
    let counts = std::iter::repeat_n(MAX_LITERALS, whole).chain([len % MAX_LITERALS]);
    counts.filter(|&count| count > 0).map(Token::of_literals)
}
