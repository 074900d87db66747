//! Chains of places with the same bytes, and the search of data that repeat much.
//!
//! The search is lazy: it takes a match only if the match of the next place saves no
//! more.

use std::collections::TryReserveError;

use super::costs::Costs;
use super::hash::HashLength;
use super::matches::{
    LONG, MARGIN, MAX_SEARCHED_LITERALS, WINDOW, common, extended, fill, run, step_behind,
};
use super::tokens::{MAX_MATCH, Token, push_match};

/// The binary logarithm of the number of chains.
const CHAIN_BITS: u32 = 15;

/// The places of the last [`WINDOW`] bytes. Each place is in the chain of the hash of
/// its bytes, from the newest place to the oldest.
#[derive(Default)]
pub(super) struct Chains {
    /// The newest place of each chain. Place 0 stands for none.
    newest: Vec<u32>,
    /// The distance of each place to the next older place of its chain.
    steps: Vec<u16>,
    /// The end of the bytes whose places are in the chains.
    end: usize,
    /// The number of bytes that are hashed.
    length: HashLength,
}

impl Chains {
    /// Allocates the memory.
    pub(super) fn reserve(&mut self) -> Result<(), TryReserveError> {
        fill(&mut self.newest, 1 << CHAIN_BITS)?;
        fill(&mut self.steps, WINDOW)
    }

    /// Forgets all places, before other data.
    pub(super) fn begin(&mut self) {
        self.newest.fill(0);
        self.end = 0;
        self.length = HashLength::default();
    }

    /// Sets the number of bytes that are hashed. Places that were hashed by another number
    /// are not found any more.
    pub(super) fn set_hash_length(&mut self, length: HashLength) {
        self.length = length;
    }

    /// Adds the places before `start` that the last search left out, as far as they are in
    /// the window. The next search ends at `end`.
    pub(super) fn catch_up(&mut self, data: &[u8], start: usize, end: usize) {
        let from = self
            .end
            .saturating_sub(MARGIN)
            .max(start.saturating_sub(WINDOW));
        for at in from.max(1)..start {
            self.insert(data, at);
        }
        self.end = end;
    }

    /// Adds a place to its chain. Returns the next older place of the chain, or 0 for
    /// none.
    #[inline(always)]
    pub(super) fn insert(&mut self, data: &[u8], at: usize) -> usize {
        let slot = (self.length.hash(data, at) >> (64 - CHAIN_BITS)) as usize;
        let Some(newest) = self.newest.get_mut(slot) else {
            return 0;
        };
        let older = std::mem::replace(newest, at as u32) as usize;
        debug_assert!(older < at, "place {at} enters its chain twice");
        if let Some(step) = self.steps.get_mut(at % WINDOW) {
            *step = u16::try_from(at - older).unwrap_or(u16::MAX);
        }
        older
    }

    /// Calls `look` with up to `looks` places of a chain and their distances from `at`,
    /// from `place` on, until it returns `false`.
    #[inline(always)]
    pub(super) fn follow(
        &self,
        at: usize,
        mut place: usize,
        looks: usize,
        mut look: impl FnMut(usize, usize) -> bool,
    ) {
        for _ in 0..looks {
            let distance = at.wrapping_sub(place);
            if place == 0 || distance == 0 || distance >= WINDOW || !look(place, distance) {
                return;
            }
            let step = self.steps.get(place % WINDOW).copied().unwrap_or_default();
            place = place.saturating_sub(step.into());
        }
    }

    /// Cuts `data[start..end]` into tokens, with up to `looks` looks for each place.
    /// Appends them to `tokens`. Matches may repeat bytes before `start`.
    pub(super) fn lazy(
        &mut self,
        costs: &Costs,
        looks: usize,
        data: &[u8],
        start: usize,
        end: usize,
        tokens: &mut Vec<Token>,
    ) {
        self.catch_up(data, start, end);
        let last = end.saturating_sub(MARGIN);
        let (mut at, mut done, mut misses) = (start.max(1), start, 0);
        let shortest = self.length.bytes();
        while at < last {
            if let Some(length) = run(costs, data, at, end) {
                push_match(tokens, MAX_SEARCHED_LITERALS, at - done, length, 1);
                at += length;
                (done, misses) = (at, 0);
                continue;
            }
            let mut best = self.best(costs, looks, data, at, end, shortest - 1);
            if best.gain <= 0 {
                misses += 1;
                at += step_behind(misses);
                continue;
            }
            while best.length < LONG && at + 1 < last {
                let floor = (best.length - 1).max(shortest - 1);
                let next = self.best(costs, looks, data, at + 1, end, floor);
                if next.gain <= best.gain {
                    break;
                }
                (best, at) = (next, at + 1);
            }
            let (begin, stop) = (extended(data, at, best.distance, done), at + best.length);
            let literals = begin - done;
            push_match(
                tokens,
                MAX_SEARCHED_LITERALS,
                literals,
                stop - begin,
                best.distance,
            );
            // The next place is in its chain already, unless the match is long.
            let step = if best.length > LONG { 4 } else { 1 };
            for inside in (at + 2..stop.min(last)).step_by(step) {
                self.insert(data, inside);
            }
            at = stop;
            (done, misses) = (stop, 0);
        }
        push_match(tokens, MAX_SEARCHED_LITERALS, end - done, 0, 0);
    }

    /// Adds a place to its chain, and returns the match that saves most, among those of
    /// more than `floor` bytes that `looks` looks find.
    // Not inlined, so that the closure is.
    #[inline(never)]
    fn best(
        &mut self,
        costs: &Costs,
        looks: usize,
        data: &[u8],
        at: usize,
        end: usize,
        floor: usize,
    ) -> Match {
        let place = self.insert(data, at);
        let mut best = Match::default();
        let mut longest = floor;
        self.follow(at, place, looks, |place, distance| {
            if at + longest < end && data[place + longest] == data[at + longest] {
                let length = common(data, at, distance, end);
                if length > longest {
                    longest = length;
                    let gain = costs.gain(&data[at..at + length], distance);
                    if gain > best.gain {
                        best = Match {
                            gain,
                            length,
                            distance,
                        };
                    }
                }
            }
            longest < MAX_MATCH
        });
        best
    }
}

/// A match that was found.
#[derive(Clone, Copy, Default)]
struct Match {
    /// What the match saves, in 1/256 bit.
    gain: i32,
    length: usize,
    distance: usize,
}

#[cfg(test)]
mod tests {
    use super::super::testing::{
        check, check_any_data, check_distances, check_small_data, literals,
    };
    use super::*;

    /// Searches portions of `size` bytes, except every third.
    fn search(size: usize) -> impl FnMut(&[u8], usize) -> Vec<Token> {
        let mut chains = Chains::default();
        chains.reserve().unwrap();
        move |data, len| {
            chains.begin();
            let (mut costs, mut tokens) = (Costs::default(), Vec::new());
            for start in (0..len).step_by(size) {
                let end = (start + size).min(len);
                costs.guess(&data[start..end]);
                if start / size % 3 == 1 {
                    tokens.extend(literals(end - start));
                } else {
                    chains.lazy(&costs, 4, data, start, end, &mut tokens);
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

    #[test]
    fn distances() {
        check_distances(60, || search(200_000));
    }

    /// A longer match of the next place is better than a match of this place.
    #[test]
    fn next_place() {
        let data = b"__abcd__________bcdefghijklmnop........abcdefghijklmnop++++++++++++++++++++";
        let tokens = check(data, search(1000));
        assert!(tokens.iter().any(|token| token.length == 15), "{tokens:?}");
    }
}
