//! The quick search for matches (RFC 1951, 4): one look for each place.
//!
//! Runs of one byte come first. Elsewhere a table has the last place of each group of
//! four to eight bytes: see [`HashLength`]. A match is taken if its code is cheaper than
//! the literals that it replaces.

use std::collections::TryReserveError;

use super::costs::Costs;
use super::hash::{HashLength, eight};
use super::tokens::{MAX_LITERALS, MAX_MATCH, Token, push_match};

/// The most literals in a token of a search: a match that is dropped fits behind them.
pub(super) const MAX_SEARCHED_LITERALS: usize = MAX_LITERALS - MAX_MATCH;

/// All distances are less than this. RFC 1951, 3.2.5, allows this distance too, but
/// [`Chains`](super::chains::Chains) keeps only as many places.
pub(super) const WINDOW: usize = 1 << 15;

/// The last bytes of a search, in which no match begins, so that eight bytes can be
/// read at once.
pub(super) const MARGIN: usize = 8;

/// A match or run of this many bytes is taken whole.
pub(super) const LONG: usize = 64;

/// The bits of the place in an entry of the table. The other bits are a tag: it tells
/// most other groups of bytes apart without a look at the data.
const PLACE_BITS: u32 = 20;
const PLACES: usize = 1 << PLACE_BITS;
const TAG_BITS: u32 = 32 - PLACE_BITS;
const TAG: u32 = (1 << TAG_BITS) - 1;

/// The binary logarithm of the number of entries of the table.
const TABLE_BITS: u32 = 14;

/// For each 32 places in a row without a match, the step to the next place grows by 1,
/// up to `1 + MAX_STEP`.
const MISSES_PER_STEP: usize = 32;
const MAX_STEP: usize = 7;

/// Returns the number of bytes to the next place that is searched, after so many misses
/// in a row.
#[inline(always)]
pub(super) fn step_behind(misses: usize) -> usize {
    1 + (misses / MISSES_PER_STEP).min(MAX_STEP)
}

/// The memory of the search.
#[derive(Default)]
pub(super) struct MatchTable {
    /// Places and tags.
    entries: Vec<u32>,
    /// The number of bytes that are hashed. It follows from the data.
    length: HashLength,
}

impl MatchTable {
    /// Allocates the memory.
    pub(super) fn reserve(&mut self) -> Result<(), TryReserveError> {
        fill(&mut self.entries, 1 << TABLE_BITS)
    }

    /// Forgets all places, before other data.
    pub(super) fn begin(&mut self) {
        self.entries.fill(0);
        self.length = HashLength::default();
    }

    /// Returns the number of bytes that the search hashes now.
    pub(super) fn hash_length(&self) -> HashLength {
        self.length
    }

    /// Cuts `data[start..end]` into tokens and appends them to `tokens`. Matches may
    /// repeat bytes before `start`.
    #[inline(always)]
    pub(super) fn quick(
        &mut self,
        costs: &Costs,
        data: &[u8],
        start: usize,
        end: usize,
        tokens: &mut Vec<Token>,
    ) {
        let last = end.saturating_sub(MARGIN);
        let Some(entries) = self.entries.first_chunk_mut::<{ 1 << TABLE_BITS }>() else {
            debug_assert!(false, "no memory was reserved");
            return push_match(tokens, MAX_SEARCHED_LITERALS, end - start, 0, 0);
        };
        let mut hashed = self.length;
        // All bytes before `done` are in the tokens.
        let (mut at, mut done, mut misses) = (start.max(1), start, 0usize);
        while at < last {
            hashed.follow(at);
            if let Some(length) = run(costs, data, at, end) {
                push_match(tokens, MAX_SEARCHED_LITERALS, at - done, length, 1);
                at += length;
                (done, misses) = (at, 0);
                continue;
            }
            let (slot, tag) = slot_of(hashed.hash(data, at));
            let old = std::mem::replace(&mut entries[slot], entry_of(at, tag));
            let distance = at.wrapping_sub(old as usize >> TAG_BITS) & (PLACES - 1);
            let mut length = 0;
            if (old ^ tag) & TAG == 0 && (1..WINDOW).contains(&distance) && distance <= at {
                length = common(data, at, distance, end);
                let is_worth = length >= 4 && costs.gain(&data[at..at + length], distance) > 0;
                hashed.count(is_worth);
                if !is_worth {
                    length = 0;
                }
            }
            if length == 0 {
                misses += 1;
                at += step_behind(misses);
                continue;
            }
            let (begin, stop) = (extended(data, at, distance, done), at + length);
            let literals = begin - done;
            push_match(
                tokens,
                MAX_SEARCHED_LITERALS,
                literals,
                stop - begin,
                distance,
            );
            let step = if length > 32 { 4 } else { 2 };
            for inside in (at + 1..stop.min(last)).step_by(step) {
                let (slot, tag) = slot_of(hashed.hash(data, inside));
                entries[slot] = entry_of(inside, tag);
            }
            at = stop;
            (done, misses) = (stop, 0);
        }
        push_match(tokens, MAX_SEARCHED_LITERALS, end - done, 0, 0);
        self.length = hashed;
    }
}

fn entry_of(at: usize, tag: u32) -> u32 {
    (at as u32) << TAG_BITS | tag
}

/// Returns the slot and the tag of a hash.
#[inline(always)]
fn slot_of(hash: u64) -> (usize, u32) {
    let slot = (hash >> (64 - TABLE_BITS)) as usize;
    let tag = (hash >> (64 - TABLE_BITS - TAG_BITS)) as u32 & TAG;
    (slot, tag)
}

/// Makes `to` as long as `len`.
pub(super) fn fill<T: Copy + Default>(to: &mut Vec<T>, len: usize) -> Result<(), TryReserveError> {
    to.try_reserve_exact(len.saturating_sub(to.len()))?;
    to.resize(len, T::default());
    Ok(())
}

/// Returns the length of the run of the byte before `at`, if it is worth a match. The
/// run may be longer than a match. A run of fewer than eight bytes is left to the table.
#[inline(always)]
pub(super) fn run(costs: &Costs, data: &[u8], at: usize, end: usize) -> Option<usize> {
    if eight(data, at) != eight(data, at - 1) {
        return None;
    }
    let length = 8 + repeated(data, at + 8, 1, end);
    let is_worth = length >= LONG || costs.gain(&data[at..at + length], 1) > 0;
    is_worth.then_some(length)
}

/// Returns how many bytes from `at` on equal the bytes `distance` before them. The match
/// ends before `end`.
#[inline(always)]
pub(super) fn common(data: &[u8], at: usize, distance: usize, end: usize) -> usize {
    repeated(data, at, distance, end.min(at + MAX_MATCH))
}

/// Returns what [`common`] returns, but without the limit of [`MAX_MATCH`].
#[inline(always)]
fn repeated(data: &[u8], at: usize, distance: usize, end: usize) -> usize {
    let mut to = at;
    while to + 8 <= end {
        let differs = eight(data, to) ^ eight(data, to - distance);
        if differs != 0 {
            return to - at + differs.trailing_zeros() as usize / 8;
        }
        to += 8;
    }
    while to < end && data[to] == data[to - distance] {
        to += 1;
    }
    to - at
}

/// Returns where the match at `at` can begin, if it is extended into the literals from
/// `done` on.
#[inline(always)]
pub(super) fn extended(data: &[u8], mut at: usize, distance: usize, done: usize) -> usize {
    while at > done && at > distance && data[at - 1] == data[at - 1 - distance] {
        at -= 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::super::symbols::count_all;
    use super::super::testing::{
        check, check_any_data, check_distances, check_small_data, matched, random,
    };
    use super::*;

    /// Searches portions of `size` bytes with guessed costs, measures the costs, and drops
    /// costly matches from every other portion.
    fn search(size: usize) -> impl FnMut(&[u8], usize) -> Vec<Token> {
        let mut table = MatchTable::default();
        table.reserve().unwrap();
        move |data, len| {
            table.begin();
            let (mut costs, mut tokens) = (Costs::default(), Vec::new());
            for start in (0..len).step_by(size) {
                let end = (start + size).min(len);
                let from = tokens.len();
                costs.guess(&data[start..end]);
                table.quick(&costs, data, start, end, &mut tokens);
                costs.measure(&count_all(&data[start..end], &tokens[from..]));
                if (start / size).is_multiple_of(2) {
                    costs.drop_costly(&data[start..end], &mut tokens, from);
                }
            }
            tokens
        }
    }

    #[test]
    fn any_data() {
        check_any_data([1000, 30_000, 131_070], search);
    }

    #[test]
    fn small_data() {
        check_small_data(search);
    }

    /// In noise some places are passed over, so that a part of a repetition may be missed.
    #[test]
    fn distances() {
        check_distances(40, || search(200_000));
    }

    /// A place is stored in so few bits that large strips reach the same again.
    #[test]
    fn more_places_than_bits() {
        let mut seed = 5;
        let part: Vec<u8> = (0..9000).map(|_| random(&mut seed) as u8).collect();
        let mut data = Vec::new();
        while data.len() < PLACES + 200_000 {
            data.extend_from_slice(&part);
            data.push(data.len() as u8);
        }
        assert!(matched(&check(&data, search(131_070))) > data.len() / 2);
    }

    /// Runs are found whole, and become matches of at most 258 bytes.
    #[test]
    fn runs() {
        for len in [20, 64, 258, 259, 260, 261, 519, 5000] {
            let mut data: Vec<u8> = (0..20).collect();
            data.resize(20 + len, 7);
            data.extend(100..200);
            let tokens = check(&data, search(200_000));
            assert_eq!(matched(&tokens), len - 1);
            assert!(tokens.iter().all(|token| token.distance <= 1));
        }
    }
}
