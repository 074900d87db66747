//! The symbols of a block (RFC 1951, 3.2.5), and how often each occurs.

use super::logarithm::{BIT, entropy};
use super::tokens::{MAX_MATCH, Token, split_run};

/// The number of symbols for literals, the end of the block and match lengths
/// (RFC 1951, 3.2.5). The last two never occur. They only have a fixed code
/// (RFC 1951, 3.2.6).
pub(super) const SYMBOLS: usize = 288;
pub(super) const END_OF_BLOCK: usize = 256;

/// The shortest match length of each length symbol, from symbol 257 on
/// (RFC 1951, 3.2.5).
pub(super) const LENGTH_BASE: [u16; 29] = [
    3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131,
    163, 195, 227, 258,
];

/// The number of extra bits behind each length symbol.
pub(super) const LENGTH_EXTRA: [u8; 29] = [
    0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0,
];

/// The number of symbols for distances (RFC 1951, 3.2.5).
pub(super) const DISTANCES: usize = 30;

/// The number of extra bits behind each distance symbol.
pub(super) const DISTANCE_EXTRA: [u8; DISTANCES] = [
    0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13,
    13,
];

/// The index of the length symbol of each match length, counted from symbol
/// 257.
static LENGTH_SYMBOL: [u8; 259] = {
    let mut symbols = [0; 259];
    let mut symbol = 0;
    while symbol < 29 {
        let mut length = LENGTH_BASE[symbol] as usize;
        while length < 259 {
            symbols[length] = symbol as u8;
            length += 1;
        }
        symbol += 1;
    }
    symbols
};

/// Returns the symbol of a match length.
pub(super) fn length_symbol(length: u16) -> usize {
    END_OF_BLOCK + 1 + usize::from(LENGTH_SYMBOL[usize::from(length)])
}

/// Returns the symbol of a distance from 1 to 32768.
#[inline(always)]
pub(super) fn distance_symbol(distance: u16) -> usize {
    let before = u32::from(distance).wrapping_sub(1) & 0x7fff;
    if before < 2 {
        return before as usize;
    }
    // Two symbols for each number of bits, told apart by the second bit.
    let top = before.ilog2();
    (2 * top + (before >> (top - 1) & 1)) as usize
}

/// Returns the number of extra bits of a distance symbol, and its shortest distance.
#[inline(always)]
pub(super) fn distance_base(symbol: usize) -> (u32, u64) {
    let symbol = symbol as u32;
    if symbol < 2 {
        return (0, u64::from(symbol) + 1);
    }
    let extra = symbol / 2 - 1;
    (extra, (u64::from(2 + symbol % 2) << (extra & 15)) + 1)
}

/// The frequencies of the symbols of a block.
pub(crate) struct Frequencies {
    /// Of literals, the end of the block and match lengths.
    pub(crate) symbols: [u32; SYMBOLS],
    /// Of distances.
    pub(crate) distances: [u32; DISTANCES],
}

impl Frequencies {
    /// Returns the frequencies of the symbols of two blocks.
    pub(super) fn plus(&self, other: &Frequencies) -> Frequencies {
        let mut sum = Frequencies {
            symbols: self.symbols,
            distances: self.distances,
        };
        for (sum, other) in sum.symbols.iter_mut().zip(&other.symbols) {
            *sum += other;
        }
        for (sum, other) in sum.distances.iter_mut().zip(&other.distances) {
            *sum += other;
        }
        sum.symbols[END_OF_BLOCK] = 1;
        sum
    }

    /// Returns these frequencies mixed with those of the data before, which have eight
    /// times the weight.
    pub(super) fn mixed(&self, before: &Frequencies) -> Frequencies {
        let total = |frequencies: &Frequencies| -> u64 {
            frequencies.symbols.iter().map(|&n| u64::from(n)).sum()
        };
        let (ours, theirs) = (8 * total(self), total(before).max(1));
        let scaled = |frequency: u32| (u64::from(frequency) * ours / theirs) as u32;
        self.plus(&Frequencies {
            symbols: before.symbols.map(scaled),
            distances: before.distances.map(scaled),
        })
    }

    /// Returns the cost of the symbols by their entropy and of their extra bits, in
    /// 1/256 bit.
    pub(super) fn cost(&self) -> u64 {
        entropy(&self.symbols) + entropy(&self.distances) + self.extra_bits() * u64::from(BIT)
    }

    /// Returns the number of extra bits.
    pub(super) fn extra_bits(&self) -> u64 {
        let lengths = self.symbols[END_OF_BLOCK + 1..].iter().zip(&LENGTH_EXTRA);
        let distances = self.distances.iter().zip(&DISTANCE_EXTRA);
        let all = lengths.chain(distances);
        all.map(|(&frequency, &bits)| u64::from(frequency) * u64::from(bits))
            .sum()
    }
}

/// Returns the frequencies of all symbols.
// Not inlined: each caller would have the histograms on its stack once more.
#[inline(never)]
pub(crate) fn count_all(data: &[u8], tokens: &[Token]) -> Frequencies {
    let mut counts = [[0; 256]; HISTOGRAMS];
    let mut symbols = [0; SYMBOLS];
    let mut distances = [0; DISTANCES];
    let mut at = 0;
    for token in tokens {
        let literals = &data[at..at + token.literals as usize];
        histogram(literals, &mut counts);
        at += literals.len() + usize::from(token.length);
        if token.length > 0 {
            symbols[length_symbol(token.length)] += 1;
            distances[distance_symbol(token.distance) % DISTANCES] += 1;
        }
    }
    for (byte, frequency) in symbols[..256].iter_mut().enumerate() {
        *frequency = counts.iter().map(|counts| counts[byte]).sum();
    }
    symbols[END_OF_BLOCK] = 1;
    Frequencies { symbols, distances }
}

/// Returns the frequencies of the symbols. All matches are at distance 1.
///
/// In a small block all symbols are counted. In a large block the literals are
/// counted in a sample and scaled up. Each literal then gets a frequency of at
/// least 1, and with it a code, since the sample may have missed it.
// Not inlined, as `count_all` is not.
#[inline(never)]
pub(crate) fn count(data: &[u8], tokens: &[Token]) -> Frequencies {
    let literals: usize = tokens.iter().map(|token| token.literals as usize).sum();
    // One of `step` portions of 64 bytes is counted.
    let step = match literals {
        ..0x8000 => 1,
        0x8000..0x2_0000 => 4,
        0x2_0000..0x6_0000 => 8,
        _ => 16,
    };
    let mut counts = [[0; 256]; HISTOGRAMS];
    let mut symbols = [0; SYMBOLS];
    let mut distances = [0; DISTANCES];
    // Returns which one of the next `step` portions is counted. The choices
    // are spread evenly. They do not repeat with the rows of an image, whose
    // length may well be a power of two: else the sample would see the same
    // columns in every row.
    const TURN: u32 = 0x9e37_79b9; // 2^32 over the golden ratio
    let mut turn = 0u32;
    let place = |turn: &mut u32| {
        *turn = turn.wrapping_add(TURN);
        ((*turn >> 16) as usize * step) >> 16
    };
    let mut at = 0;
    // Short runs are counted or skipped sixteen at a time. The processor could
    // not predict a branch that is decided anew for each run.
    let (mut short_runs, mut count_short) = (0, true);
    for token in tokens {
        let literals = &data[at..at + token.literals as usize];
        if step == 1 {
            histogram(literals, &mut counts);
        } else if literals.len() < 128 {
            if short_runs % 16 == 0 {
                count_short = place(&mut turn) == 0;
            }
            short_runs += usize::from(!literals.is_empty());
            if count_short {
                histogram(literals, &mut counts);
            }
        } else {
            for portions in literals.chunks(64 * step) {
                if let Some(portion) = portions.chunks(64).nth(place(&mut turn)) {
                    histogram(portion, &mut counts);
                }
            }
        }
        at += token.literals as usize;
        let length = usize::from(token.length);
        at += length;
        // Without a branch on the number of matches.
        let (longest, rest) = split_run(length);
        let mut matches = longest as u32;
        symbols[length_symbol(MAX_MATCH as u16)] += matches;
        for length in rest {
            let counted = u32::from(length > 0);
            symbols[length_symbol(length as u16)] += counted;
            matches += counted;
        }
        distances[0] += matches;
        // Every match behind the first takes a turn, as if it had a token of its own.
        if short_runs % 16 == 0 {
            turn = turn.wrapping_add(TURN.wrapping_mul(matches.saturating_sub(1)));
        }
    }
    for (byte, frequency) in symbols[..256].iter_mut().enumerate() {
        let counted: u32 = counts.iter().map(|counts| counts[byte]).sum();
        *frequency = counted * step as u32 + u32::from(step > 1);
    }
    symbols[END_OF_BLOCK] = 1;
    Frequencies { symbols, distances }
}

/// The number of histograms that are filled in turn. In a single histogram, two
/// equal bytes next to each other would be slow: the second increment would
/// wait for the first.
const HISTOGRAMS: usize = 8;

/// Adds the bytes to the histograms.
#[inline(always)]
fn histogram(bytes: &[u8], counts: &mut [[u32; 256]; HISTOGRAMS]) {
    let (groups, rest) = bytes.as_chunks::<HISTOGRAMS>();
    for group in groups {
        for (counts, &byte) in counts.iter_mut().zip(group) {
            counts[usize::from(byte)] += 1;
        }
    }
    for &byte in rest {
        counts[0][usize::from(byte)] += 1;
    }
}
