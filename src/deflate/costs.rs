//! Costs of symbols, by which a match is weighed against the literals it replaces.
//!
//! All costs are whole numbers, in 1/256 bit, so that every platform finds the same
//! matches.

use super::block::MAX_CODE_LENGTH;
use super::logarithm::{BIT, log2};
use super::matches::MAX_SEARCHED_LITERALS;
use super::symbols::{
    DISTANCE_EXTRA, DISTANCES, END_OF_BLOCK, Frequencies, LENGTH_EXTRA, distance_symbol,
    length_symbol,
};
use super::tokens::{MAX_LITERALS, MAX_MATCH, Token};

const _: () = assert!(MAX_SEARCHED_LITERALS + MAX_MATCH <= MAX_LITERALS);

/// The least cost of a symbol: one bit.
const LEAST: u32 = BIT;

/// The greatest cost of a symbol: that of the longest code.
const MOST: u32 = MAX_CODE_LENGTH as u32 * BIT;

/// The literals of a match whose costs are added up. Each literal behind them counts as
/// one bit: a match that is so long is worth its code.
const COUNTED: usize = 40;

/// A block of fewer bytes is small: a sample of it would tell too little.
const SMALL: usize = 16 << 10;

/// The costs of literals, match lengths and distances.
pub(crate) struct Costs {
    literals: [u16; 256],
    /// The code and the extra bits of each length.
    lengths: [u16; MAX_MATCH + 1],
    /// The code and the extra bits of each distance symbol.
    distances: [u16; DISTANCES],
}

impl Default for Costs {
    fn default() -> Self {
        Costs {
            literals: [0; 256],
            lengths: [0; MAX_MATCH + 1],
            distances: [0; DISTANCES],
        }
    }
}

impl Costs {
    /// Guesses the costs before any match is known, from the bytes of a block. Looks at
    /// eight of 32 bytes in a large block, and at all in a small one. Zeros behind zeros
    /// do not count, since they become runs.
    pub(crate) fn guess(&mut self, data: &[u8]) {
        let mut counts = [1u32; 256];
        let step = if data.len() < SMALL { 1 } else { 4 };
        for eight in data.as_chunks::<8>().0.iter().step_by(step) {
            if u64::from_le_bytes(*eight) == 0 {
                continue;
            }
            let mut before = 1;
            for &byte in eight {
                counts[usize::from(byte)] += u32::from(byte != 0 || before != 0);
                before = byte;
            }
        }
        let total: u32 = counts.iter().sum();
        for (cost, count) in self.literals.iter_mut().zip(counts) {
            *cost = cost_of(count, total) as u16;
        }
        for length in 3..=MAX_MATCH {
            let extra = u32::from(LENGTH_EXTRA[length_symbol(length as u16) - END_OF_BLOCK - 1]);
            self.lengths[length] = ((6 + extra) * BIT) as u16;
        }
        for (symbol, cost) in self.distances.iter_mut().enumerate() {
            let code = if symbol == 0 { 1 } else { 4 };
            *cost = ((code + u32::from(DISTANCE_EXTRA[symbol])) * BIT) as u16;
        }
    }

    /// Sets the costs by the frequencies of the symbols of a search.
    pub(crate) fn measure(&mut self, frequencies: &Frequencies) {
        let total: u32 = frequencies.symbols.iter().sum();
        for (cost, &count) in self.literals.iter_mut().zip(&frequencies.symbols) {
            *cost = cost_of(count, total) as u16;
        }
        for length in 3..=MAX_MATCH {
            let symbol = length_symbol(length as u16);
            let extra = u32::from(LENGTH_EXTRA[symbol - END_OF_BLOCK - 1]) * BIT;
            self.lengths[length] = (cost_of(frequencies.symbols[symbol], total) + extra) as u16;
        }
        let total: u32 = frequencies.distances.iter().sum();
        for (symbol, cost) in self.distances.iter_mut().enumerate() {
            let extra = u32::from(DISTANCE_EXTRA[symbol]) * BIT;
            *cost = (cost_of(frequencies.distances[symbol], total) + extra) as u16;
        }
    }

    /// Returns the cost of a literal.
    #[inline(always)]
    pub(super) fn literal(&self, byte: u8) -> u32 {
        self.literals[usize::from(byte)].into()
    }

    /// Returns the cost of the code and the extra bits of a match length.
    #[inline(always)]
    pub(super) fn length(&self, length: usize) -> u32 {
        self.lengths[length % self.lengths.len()].into()
    }

    /// Returns the cost of the code and the extra bits of a distance.
    #[inline(always)]
    pub(super) fn distance(&self, distance: usize) -> u32 {
        self.distances[distance_symbol(distance as u16) % DISTANCES].into()
    }

    /// Returns what a match saves against literals. `literals` are the bytes that it
    /// repeats. Negative if it costs more than they do.
    #[inline(always)]
    pub(crate) fn gain(&self, literals: &[u8], distance: usize) -> i32 {
        let code = self.lengths[literals.len().min(MAX_MATCH)];
        let distance = self.distances[distance_symbol(distance as u16) % DISTANCES];
        self.literals_cost(literals) - i32::from(code) - i32::from(distance)
    }

    /// Returns the cost of literals.
    #[inline(always)]
    fn literals_cost(&self, literals: &[u8]) -> i32 {
        let cost = |byte: u8| i32::from(self.literals[usize::from(byte)]);
        if let Some(first) = literals.first_chunk::<8>() {
            // Most matches are short: a loop over the first bytes would be left at a
            // place that the processor could not predict.
            let counted = &literals[8..literals.len().min(COUNTED)];
            let behind = literals.len().saturating_sub(COUNTED) as i32 * BIT as i32;
            // A loop, because `map` over an array was not inlined here.
            let mut sum = 0;
            for &byte in first {
                sum += cost(byte);
            }
            return sum + counted.iter().map(|&byte| cost(byte)).sum::<i32>() + behind;
        }
        let mut eight = [0; 8];
        for (to, &byte) in eight.iter_mut().zip(literals) {
            *to = cost(byte);
        }
        eight.iter().sum()
    }

    /// Turns matches that cost more than their literals into literals, in the tokens of
    /// `data`, which are those behind the first `from`. Runs stay: they
    /// were weighed already. Each token of literals has at most
    /// [`MAX_SEARCHED_LITERALS`] before and at most [`MAX_LITERALS`] afterwards.
    pub(crate) fn drop_costly(&self, data: &[u8], tokens: &mut Vec<Token>, from: usize) {
        let (mut at, mut kept, mut literals) = (0, from, 0);
        for i in from..tokens.len() {
            let token = tokens[i];
            at += token.literals as usize;
            let length = usize::from(token.length);
            let repeated = &data[at..at + length];
            at += length;
            literals += token.literals as usize;
            let distance = usize::from(token.distance);
            if distance > 1 && self.gain(repeated, distance) < 0 {
                literals += length;
                continue;
            }
            // As many tokens as were joined have room for all of these literals.
            while literals > MAX_LITERALS {
                tokens[kept] = Token::of_literals(MAX_LITERALS);
                (kept, literals) = (kept + 1, literals - MAX_LITERALS);
            }
            tokens[kept] = Token {
                literals: literals as u32,
                ..token
            };
            (kept, literals) = (kept + 1, 0);
        }
        tokens.truncate(kept);
        while literals > 0 {
            let now = literals.min(MAX_LITERALS);
            tokens.push(Token::of_literals(now));
            literals -= now;
        }
    }
}

/// Returns the cost of a symbol that occurs `count` times among `total` symbols. A
/// symbol that did not occur gets a little more than one that occurred once.
fn cost_of(count: u32, total: u32) -> u32 {
    let (count, total) = (3 * count.min(1 << 29) + 1, 3 * total.clamp(1, 1 << 29));
    log2(total).saturating_sub(log2(count)).clamp(LEAST, MOST)
}
