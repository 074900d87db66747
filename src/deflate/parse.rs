//! The cheapest of all ways to cut data into literals and matches.
//!
//! The bytes of a segment are the nodes of a graph. A literal leads from its byte to the
//! next, a match to the byte behind it. Each costs its code and extra bits. All lead
//! forward, so that one pass finds the cheapest path from the first byte to the end.

use std::collections::TryReserveError;

use super::chains::Chains;
use super::costs::Costs;
use super::matches::{LONG, MARGIN, MAX_SEARCHED_LITERALS, common, fill};
use super::tokens::{MAX_MATCH, Token, push_match};

/// The data bytes of a segment. The last one may have half as many more. No match
/// reaches over its end.
pub(super) const SEGMENT: usize = 12 << 10;
const LONGEST_SEGMENT: usize = SEGMENT * 3 / 2;

/// The length of the shortest match.
const SHORTEST: usize = 4;

/// A place gets a quarter of the looks if the match of the place before has more bytes
/// than this.
const GOOD_LENGTH: usize = 8;

/// The last step of the cheapest path to a byte: a literal or a match.
#[derive(Clone, Copy, Default)]
struct Step {
    /// The cost of the whole path, in 1/256 bit.
    cost: u32,
    /// The length of the match, or 1 for a literal.
    length: u16,
    /// The distance of the match, or 0 for a literal.
    distance: u16,
}

/// The memory of the search.
#[derive(Default)]
pub(super) struct Parser {
    /// The step to each byte of a segment, and to its end.
    steps: Vec<Step>,
}

impl Parser {
    /// Allocates the memory.
    pub(super) fn reserve(&mut self) -> Result<(), TryReserveError> {
        fill(&mut self.steps, LONGEST_SEGMENT + 1)
    }

    /// Cuts the segment `data[start..end]` into the cheapest tokens that up to `looks`
    /// looks for each place find. Appends them to `tokens`. Matches may repeat bytes
    /// before `start`.
    #[expect(clippy::too_many_arguments, reason = "has one caller")]
    pub(super) fn parse(
        &mut self,
        chains: &mut Chains,
        costs: &Costs,
        looks: usize,
        data: &[u8],
        start: usize,
        end: usize,
        tokens: &mut Vec<Token>,
    ) {
        chains.catch_up(data, start, end);
        let Some(steps) = self.steps.get_mut(..=end - start) else {
            debug_assert!(false, "a segment is too long");
            return push_match(tokens, MAX_SEARCHED_LITERALS, end - start, 0, 0);
        };
        find_path(steps, chains, costs, looks, data, start);
        turn_around(steps);
        let (mut at, mut done) = (start, start);
        while at < end {
            let Step {
                length, distance, ..
            } = steps[at - start];
            let length = usize::from(length);
            if distance > 0 {
                let literals = at - done;
                push_match(
                    tokens,
                    MAX_SEARCHED_LITERALS,
                    literals,
                    length,
                    distance.into(),
                );
                done = at + length;
            }
            at += length;
        }
        push_match(tokens, MAX_SEARCHED_LITERALS, end - done, 0, 0);
    }
}

/// Sets the step to each byte from `start` on that is reached, and to the end.
fn find_path(
    steps: &mut [Step],
    chains: &mut Chains,
    costs: &Costs,
    looks: usize,
    data: &[u8],
    start: usize,
) {
    let len = steps.len() - 1;
    let end = start + len;
    steps.fill(Step {
        cost: u32::MAX,
        length: 1,
        distance: 0,
    });
    steps[0].cost = 0;
    // The match of the place before.
    let mut before = (0usize, 0usize);
    let mut node = 0;
    while node < len {
        let at = start + node;
        let here = steps[node].cost;
        let literal = Step {
            cost: here + costs.literal(data[at]),
            length: 1,
            distance: 0,
        };
        if literal.cost < steps[node + 1].cost {
            steps[node + 1] = literal;
        }
        if at == 0 || at + MARGIN >= end {
            node += 1;
            continue;
        }
        let mut matches = Matches {
            steps: &mut steps[node..],
            costs,
            cost: here,
            longest: SHORTEST - 1,
            distance: 0,
        };
        let place = chains.insert(data, at);
        if data[at] == data[at - 1] {
            matches.reach(common(data, at, 1, end), 1);
        }
        let (length_before, distance_before) = before;
        let looks = if length_before > GOOD_LENGTH {
            looks / 4
        } else {
            looks
        };
        if matches.longest < LONG {
            chains.follow(at, place, looks, |place, distance| {
                let longest = matches.longest;
                if at + longest < end && data[place + longest] == data[at + longest] {
                    matches.reach(common(data, at, distance, end), distance);
                }
                matches.longest < MAX_MATCH
            });
        }
        // The rest of the match of the place before.
        matches.reach(length_before.saturating_sub(1), distance_before);
        let (longest, distance) = (matches.longest, matches.distance);
        if longest < LONG {
            before = (longest, distance);
            node += 1;
        } else {
            // A match this long is taken whole: no path goes on from the places inside.
            for inside in (at + 1..(at + longest).min(end.saturating_sub(MARGIN))).step_by(2) {
                chains.insert(data, inside);
            }
            before = (0, 0);
            node += longest;
        }
    }
}

/// The matches that begin at a byte.
struct Matches<'s> {
    /// The steps to the byte and to those behind it.
    steps: &'s mut [Step],
    costs: &'s Costs,
    /// The cost of the path to the byte.
    cost: u32,
    /// The length of the longest match so far, at first less than the shortest.
    longest: usize,
    /// The distance of the longest match.
    distance: usize,
}

impl Matches<'_> {
    /// Adds a match, if it is longer than all before it. Its distance serves for the
    /// lengths that no earlier match reached.
    #[inline(always)]
    fn reach(&mut self, length: usize, distance: usize) {
        if length <= self.longest {
            return;
        }
        let cost = self.cost + self.costs.distance(distance);
        let lengths = self.longest + 1..=length;
        for (length, to) in lengths.clone().zip(&mut self.steps[lengths]) {
            let step = Step {
                cost: cost + self.costs.length(length),
                length: length as u16,
                distance: distance as u16,
            };
            if step.cost < to.cost {
                *to = step;
            }
        }
        (self.longest, self.distance) = (length, distance);
    }
}

/// Moves the steps of the cheapest path from the byte that they lead to to the byte that
/// they begin at.
fn turn_around(steps: &mut [Step]) {
    let mut node = steps.len() - 1;
    let mut next = Step::default();
    while node > 0 {
        let step = std::mem::replace(&mut steps[node], next);
        node -= usize::from(step.length);
        next = step;
    }
    steps[0] = next;
}

#[cfg(test)]
mod tests {
    use super::super::testing::{
        check, check_any_data, check_distances, check_small_data, literals, matched, random,
    };
    use super::*;

    /// Searches segments of `size` bytes, except every third.
    fn search(size: usize, looks: usize) -> impl FnMut(&[u8], usize) -> Vec<Token> {
        let (mut chains, mut parser) = (Chains::default(), Parser::default());
        chains.reserve().unwrap();
        parser.reserve().unwrap();
        move |data, len| {
            chains.begin();
            let (mut costs, mut tokens) = (Costs::default(), Vec::new());
            for start in (0..len).step_by(size) {
                let end = (start + size).min(len);
                costs.guess(&data[start..end]);
                if start / size % 3 == 1 {
                    tokens.extend(literals(end - start));
                } else {
                    parser.parse(&mut chains, &costs, looks, data, start, end, &mut tokens);
                }
            }
            tokens
        }
    }

    #[test]
    fn any_data() {
        check_any_data([1000, 16_000, LONGEST_SEGMENT], |size| search(size, 8));
    }

    #[test]
    fn small_data() {
        check_small_data(|size| search(size, 8));
    }

    #[test]
    fn distances() {
        check_distances(60, || search(SEGMENT, 8));
    }

    /// Returns the cost of tokens.
    fn cost(costs: &Costs, data: &[u8], tokens: &[Token]) -> u32 {
        let (mut at, mut sum) = (0, 0);
        for token in tokens {
            for &byte in &data[at..at + token.literals as usize] {
                sum += costs.literal(byte);
            }
            at += token.literals as usize + usize::from(token.length);
            if token.length > 0 {
                sum += costs.length(token.length.into()) + costs.distance(token.distance.into());
            }
        }
        sum
    }

    /// Nothing is cheaper: every match of every place is tried.
    #[test]
    fn cheapest_of_all() {
        let mut seed = 2;
        let mut with_matches = 0;
        for case in 0..200 {
            // Pieces of a few words: many short matches that overlap, none of them long.
            let words: Vec<Vec<u8>> = (0..6)
                .map(|_| {
                    (0..3 + random(&mut seed) % 6)
                        .map(|_| random(&mut seed) as u8)
                        .collect()
                })
                .collect();
            let mut data = Vec::new();
            while data.len() < 100 + case {
                data.extend(&words[random(&mut seed) % words.len()]);
                data.push(random(&mut seed) as u8);
            }
            let len = data.len();
            let mut costs = Costs::default();
            costs.guess(&data);
            let mut cheapest = vec![u32::MAX; len + 1];
            cheapest[0] = 0;
            for at in 0..len {
                let here = cheapest[at];
                cheapest[at + 1] = cheapest[at + 1].min(here + costs.literal(data[at]));
                if at == 0 || at + MARGIN >= len {
                    continue;
                }
                // No chain has place 0.
                for distance in (1..at).chain([1]) {
                    for length in SHORTEST..=common(&data, at, distance, len) {
                        assert!(length < LONG);
                        let cost = here + costs.length(length) + costs.distance(distance);
                        cheapest[at + length] = cheapest[at + length].min(cost);
                    }
                }
            }
            let tokens = check(&data, search(SEGMENT, 4000));
            with_matches += usize::from(matched(&tokens) > 0);
            assert_eq!(cost(&costs, &data, &tokens), cheapest[len], "{case}");
        }
        assert!(with_matches > 150);
    }
}
