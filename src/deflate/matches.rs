//! The search for matches (RFC 1951, 4), for the modes that take time for it.
//!
//! Runs of one byte come first. Elsewhere a table has the last place of each group of
//! four bytes. A second search, for blocks that repeat much, follows chains of such
//! places. A match is taken if its code is cheaper than the literals that it replaces.

use super::PADDING;
use super::costs::Costs;
use super::tokens::{MAX_LITERALS, MAX_MATCH, Token, push_match};

/// The most literals in a token of a search.
pub(super) const MAX_SEARCHED_LITERALS: usize = MAX_LITERALS - MAX_MATCH;

/// The largest distance of a match (RFC 1951, 3.2.5).
const WINDOW: usize = 1 << 15;

/// Bits of the place in an entry of the table. The others are a tag, which tells most
/// other groups of four bytes apart without a look at the data.
const PLACE_BITS: u32 = 20;
const PLACES: usize = 1 << PLACE_BITS;

/// Entries of the table, and of the table of the newest places of chains.
const TABLE_BITS: u32 = 14;
const HEAD_BITS: u32 = 15;

/// The last bytes of a block, in which no match begins, so that eight bytes can be
/// read at once.
const MARGIN: usize = 16;

/// After so many places without a match (a power of two), some places are passed over;
/// at most so many.
const MISSES_PER_STEP: u32 = 5;
const MAX_STEP: usize = 7;

/// A match of this length ends the search of a chain.
const LONG_ENOUGH: usize = 64;

const _: () = assert!(PADDING >= 8);

/// The memory of the search. It is kept from strip to strip.
#[derive(Default)]
pub(crate) struct MatchFinder {
    /// Places and tags, for the first search.
    table: Vec<u32>,
    /// The newest place of each chain, for the second search.
    heads: Vec<u32>,
    /// The distance from each place of the window to the older place in its chain.
    older: Vec<u16>,
    /// The end of the bytes that the chains have.
    chained: usize,
}

impl MatchFinder {
    /// Allocates the memory.
    pub(crate) fn reserve(&mut self) -> Result<(), std::collections::TryReserveError> {
        fn fill<T: Copy + Default>(
            to: &mut Vec<T>,
            len: usize,
        ) -> Result<(), std::collections::TryReserveError> {
            to.try_reserve_exact(len.saturating_sub(to.len()))?;
            to.resize(len, T::default());
            Ok(())
        }
        fill(&mut self.table, 1 << TABLE_BITS)?;
        fill(&mut self.heads, 1 << HEAD_BITS)?;
        fill(&mut self.older, WINDOW)
    }

    /// Forgets all places, before other data.
    pub(crate) fn begin(&mut self) {
        self.table.fill(0);
        self.chained = 0;
    }

    /// Cuts `data[start..end]` into tokens, with one look for each place. Matches may
    /// begin before `start`. Overwrites `tokens`.
    #[inline(always)]
    pub(crate) fn quick(
        &mut self,
        costs: &Costs,
        data: &[u8],
        start: usize,
        end: usize,
        tokens: &mut Vec<Token>,
    ) {
        tokens.clear();
        let last = end.saturating_sub(MARGIN);
        let table = &mut self.table[..];
        // All bytes before `done` are in the tokens.
        let (mut at, mut done, mut misses) = (start.max(1), start, 0usize);
        while at < last {
            if let Some(length) = run(costs, data, at, end) {
                push_match(tokens, MAX_SEARCHED_LITERALS, at - done, length, 1);
                at += length;
                (done, misses) = (at, 0);
                continue;
            }
            let (slot, tag) = place_of(data, at);
            let Some(entry) = table.get_mut(slot) else {
                break;
            };
            let old = std::mem::replace(entry, entry_of(at, tag));
            let distance = at.wrapping_sub(old as usize >> TAG_BITS) & (PLACES - 1);
            let mut length = 0;
            if (old ^ tag) & TAG == 0 && (1..WINDOW).contains(&distance) && distance <= at {
                length = common(data, at, distance, end);
                if length < 4 || costs.gain(&data[at..at + length], distance) <= 0 {
                    length = 0;
                }
            }
            if length == 0 {
                misses += 1;
                at += 1 + (misses >> MISSES_PER_STEP).min(MAX_STEP);
                continue;
            }
            let (begin, stop) = (extended(data, at, distance, done), at + length);
            push_match(
                tokens,
                MAX_SEARCHED_LITERALS,
                begin - done,
                stop - begin,
                distance,
            );
            let step = if length > 32 { 4 } else { 2 };
            for inside in (at + 1..stop.min(last)).step_by(step) {
                let (slot, tag) = place_of(data, inside);
                if let Some(entry) = table.get_mut(slot) {
                    *entry = entry_of(inside, tag);
                }
            }
            at = stop;
            (done, misses) = (stop, 0);
        }
        push_match(tokens, MAX_SEARCHED_LITERALS, end - done, 0, 0);
    }

    /// Cuts `data[start..end]` into tokens, with a look at `depth` places of the chain
    /// for each place. Takes the match of the next place if it saves more. Matches may
    /// begin before `start`. Overwrites `tokens`.
    #[inline(always)]
    pub(crate) fn deep(
        &mut self,
        costs: &Costs,
        depth: usize,
        data: &[u8],
        start: usize,
        end: usize,
        tokens: &mut Vec<Token>,
    ) {
        tokens.clear();
        let last = end.saturating_sub(MARGIN);
        if self.chained != start || start == 0 {
            // The chains have not seen the bytes before.
            self.heads.fill(0);
            for at in start.saturating_sub(WINDOW).max(1)..start {
                self.insert(data, at);
            }
        } else {
            for at in start.saturating_sub(MARGIN).max(1)..start {
                self.insert(data, at);
            }
        }
        self.chained = end;
        let (mut at, mut done) = (start.max(1), start);
        while at < last {
            if let Some(length) = run(costs, data, at, end) {
                push_match(tokens, MAX_SEARCHED_LITERALS, at - done, length, 1);
                at += length;
                done = at;
                continue;
            }
            let place = self.insert(data, at);
            let mut best = self.find(costs, depth, data, at, place, end, 3);
            if best.gain <= 0 {
                at += 1;
                continue;
            }
            while best.length < LONG_ENOUGH && at + 1 < last {
                let place = self.insert(data, at + 1);
                let next = self.find(costs, depth, data, at + 1, place, end, best.length - 1);
                if next.gain <= best.gain {
                    break;
                }
                (best, at) = (next, at + 1);
            }
            let (begin, stop) = (extended(data, at, best.distance, done), at + best.length);
            push_match(
                tokens,
                MAX_SEARCHED_LITERALS,
                begin - done,
                stop - begin,
                best.distance,
            );
            let step = if best.length > LONG_ENOUGH { 4 } else { 1 };
            for inside in (at + 2..stop.min(last)).step_by(step) {
                self.insert(data, inside);
            }
            at = stop;
            done = stop;
        }
        push_match(tokens, MAX_SEARCHED_LITERALS, end - done, 0, 0);
    }

    /// Adds a place to its chain. Returns the newest older place, or 0.
    #[inline(always)]
    fn insert(&mut self, data: &[u8], at: usize) -> usize {
        let group = four(data, at);
        let slot = (group.wrapping_mul(0x9e37_79b1) >> (32 - HEAD_BITS)) as usize;
        let Some(head) = self.heads.get_mut(slot) else {
            return 0;
        };
        let older = std::mem::replace(head, at as u32) as usize;
        self.older[at % WINDOW] = (at - older).min(usize::from(u16::MAX)) as u16;
        older
    }

    /// Follows the chain from `place` on, and returns the match of more than `floor`
    /// bytes that saves the most.
    #[inline(always)]
    #[expect(clippy::too_many_arguments, reason = "inlined into one caller")]
    fn find(
        &self,
        costs: &Costs,
        depth: usize,
        data: &[u8],
        at: usize,
        mut place: usize,
        end: usize,
        floor: usize,
    ) -> Match {
        let mut best = Match {
            gain: 0,
            length: 0,
            distance: 0,
        };
        let mut longest = floor.max(3);
        for _ in 0..depth {
            let distance = at - place;
            if place == 0 || distance == 0 || distance >= WINDOW {
                break;
            }
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
                    if length >= LONG_ENOUGH {
                        break;
                    }
                }
            }
            let step = usize::from(self.older[place % WINDOW]);
            if step == 0 || step >= place {
                break;
            }
            place -= step;
        }
        best
    }
}

/// A match that was found.
#[derive(Clone, Copy)]
struct Match {
    /// Sixteenths of a bit that the match saves.
    gain: i32,
    length: usize,
    distance: usize,
}

const TAG_BITS: u32 = 32 - PLACE_BITS;
const TAG: u32 = (1 << TAG_BITS) - 1;

fn entry_of(at: usize, tag: u32) -> u32 {
    (at as u32) << TAG_BITS | tag
}

/// Returns the slot of the four bytes from `at` on, and their tag.
#[inline(always)]
fn place_of(data: &[u8], at: usize) -> (usize, u32) {
    let hash = u64::from(four(data, at)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let slot = (hash >> (64 - TABLE_BITS)) as usize;
    let tag = (hash >> (64 - TABLE_BITS - TAG_BITS)) as u32 & TAG;
    (slot, tag)
}

#[inline(always)]
fn four(data: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(data[at..].first_chunk().copied().unwrap_or_default())
}

#[inline(always)]
fn eight(data: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(data[at..].first_chunk().copied().unwrap_or_default())
}

/// Returns the length of the run of the byte before `at`, if it is worth a match.
#[inline(always)]
fn run(costs: &Costs, data: &[u8], at: usize, end: usize) -> Option<usize> {
    if eight(data, at) != eight(data, at - 1) {
        return None;
    }
    let mut length = 8;
    while at + length + 8 <= end {
        let differs = eight(data, at + length) ^ eight(data, at + length - 1);
        if differs != 0 {
            length += differs.trailing_zeros() as usize / 8;
            return is_worth(costs, data, at, length);
        }
        length += 8;
    }
    while at + length < end && data[at + length] == data[at - 1] {
        length += 1;
    }
    is_worth(costs, data, at, length)
}

/// Returns the length, if a run of it is worth a match.
#[inline(always)]
fn is_worth(costs: &Costs, data: &[u8], at: usize, length: usize) -> Option<usize> {
    let long = length > LONG_ENOUGH;
    (long || costs.gain(&data[at..at + length], 1) > 0).then_some(length)
}

/// Returns how many bytes from `at` on, before `end`, equal those `distance` before, up
/// to the longest match.
#[inline(always)]
fn common(data: &[u8], at: usize, distance: usize, end: usize) -> usize {
    let most = (end - at).min(MAX_MATCH);
    let mut length = 0;
    while length + 8 <= most {
        let differs = eight(data, at + length) ^ eight(data, at - distance + length);
        if differs != 0 {
            return length + differs.trailing_zeros() as usize / 8;
        }
        length += 8;
    }
    while length < most && data[at + length] == data[at - distance + length] {
        length += 1;
    }
    length
}

/// Returns where the match at `at` can begin, if it is extended into the literals from
/// `done` on.
#[inline(always)]
fn extended(data: &[u8], mut at: usize, distance: usize, done: usize) -> usize {
    while at > done && at > distance && data[at - 1] == data[at - 1 - distance] {
        at -= 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bytes of the tests, with padding of another value behind them.
    fn padded(data: &[u8], padding: u8) -> Vec<u8> {
        let mut padded = data.to_vec();
        padded.resize(data.len() + PADDING, padding);
        padded
    }

    /// Replays tokens: each match repeats earlier bytes.
    fn replay(data: &[u8], start: usize, tokens: &[Token]) -> usize {
        let mut at = start;
        for token in tokens {
            assert!(token.literals as usize <= MAX_LITERALS);
            at += token.literals as usize;
            let (length, distance) = (usize::from(token.length), usize::from(token.distance));
            assert_eq!(length == 0, distance == 0, "{token:?}");
            if length > 0 {
                assert!(
                    (3..=MAX_MATCH).contains(&length) && distance < WINDOW,
                    "{token:?}"
                );
                let copied = &data[at - distance..at - distance + length.min(distance)];
                let cycle = copied.iter().cycle().take(length);
                assert!(data[at..at + length].iter().eq(cycle), "{token:?} at {at}");
            }
            at += length;
        }
        at
    }

    /// Searches blocks of `size` bytes in both ways, with guessed and with measured
    /// costs. Returns the bytes in matches of the second search.
    fn check(data: &[u8], size: usize) -> usize {
        let mut finder = MatchFinder::default();
        finder.reserve().unwrap();
        let mut results = Vec::new();
        for padding in [0, 0xff] {
            let padded = padded(data, padding);
            finder.begin();
            let (mut costs, mut tokens) = (Costs::default(), Vec::new());
            let (mut all, mut matched) = (Vec::new(), 0);
            for start in (0..data.len()).step_by(size) {
                let end = (start + size).min(data.len());
                let block = &padded[start..end];
                costs.guess(block);
                finder.quick(&costs, &padded, start, end, &mut tokens);
                assert_eq!(replay(&padded, start, &tokens), end);
                all.extend_from_slice(&tokens);
                costs.measure(&super::super::block::count_all(block, &tokens));
                costs.drop_costly(block, &mut tokens);
                assert_eq!(replay(&padded, start, &tokens), end);
                all.extend_from_slice(&tokens);
                // Some blocks go without, as blocks do that repeat little.
                if start / size % 3 != 1 {
                    finder.deep(&costs, 4, &padded, start, end, &mut tokens);
                    assert_eq!(replay(&padded, start, &tokens), end);
                    all.extend_from_slice(&tokens);
                    matched += tokens.iter().map(|t| usize::from(t.length)).sum::<usize>();
                }
            }
            results.push((all, matched));
        }
        // The bytes behind the end have no effect.
        assert!(results[0] == results[1]);
        results[0].1
    }

    fn random(seed: &mut u64) -> usize {
        *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (*seed >> 33) as usize
    }

    /// Literals, runs and copies of earlier bytes at any distance, in any order.
    #[test]
    fn any_data() {
        let mut seed = 7;
        for case in 0..60 {
            let mut data = Vec::new();
            let values = [2, 5, 40, 256][case % 4];
            while data.len() < 100_000 {
                let count = random(&mut seed) % 300;
                match random(&mut seed) % 4 {
                    0 => data.extend((0..count).map(|_| (random(&mut seed) % values) as u8)),
                    1 => data.extend(vec![(random(&mut seed) % values) as u8; 3 * count]),
                    _ if data.is_empty() => {}
                    _ => {
                        let back = random(&mut seed) % data.len().min(40_000) + 1;
                        let from = data.len() - back;
                        (from..from + count).for_each(|i| data.push(data[i]));
                    }
                }
            }
            check(&data, [1000, 30_000, 131_070][case % 3]);
        }
    }

    #[test]
    fn small_data() {
        for len in 0..80 {
            check(&vec![0; len], 1000);
            check(&(0..len).map(|i| i as u8).collect::<Vec<_>>(), 1000);
            check(&(0..len).map(|i| (i % 7) as u8).collect::<Vec<_>>(), 40);
        }
    }

    /// Repetitions are found at every distance of the window, and none beyond it.
    #[test]
    fn distances() {
        let mut seed = 3;
        let noise: Vec<u8> = (0..60).map(|_| random(&mut seed) as u8).collect();
        for distance in [60, 61, 100, 4000, WINDOW - 1, WINDOW, WINDOW + 1] {
            let mut data = noise.clone();
            let between = distance - noise.len();
            data.extend((0..between).map(|_| random(&mut seed) as u8));
            data.extend_from_slice(&noise);
            data.extend((0..100).map(|_| random(&mut seed) as u8));
            let is_near = distance < WINDOW;
            assert_eq!(check(&data, 200_000) >= noise.len(), is_near, "{distance}");
        }
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
        assert!(check(&data, 131_070) > data.len() / 2);
    }
}
