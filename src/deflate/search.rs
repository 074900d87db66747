//! The modes that search for matches: how the search, the costs and the blocks work
//! together.

use super::bits::BitWriter;
use super::block;
use super::logarithm::BIT;
use super::parse::SEGMENT;
use super::split::split;
use super::symbols::{Frequencies, count_all};
use super::tokens::Token;
use super::{Deflate, DeflateKernels, PADDING};

/// The effort of a search for matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effort {
    /// One look for each place. A few looks in data that repeat much, where they save
    /// enough.
    Little,
    /// The cheapest path through all matches that many looks find.
    Much,
}

impl Effort {
    /// Returns the number of data bytes whose tokens are in memory at a time. The last
    /// batch may have half as many more. A larger batch allows larger blocks. That of
    /// `Much` is smaller, because its parser needs memory too.
    pub(super) fn batch(self) -> usize {
        match self {
            Effort::Little => 96 << 10,
            Effort::Much => 64 << 10,
        }
    }
}

/// Data repeat much if matches cover more than a third of what is outside of runs.
const REPEATS_MUCH: usize = 3;
/// A few looks are worth their time if they save more than a thirtieth.
const WORTH: u64 = 30;
/// A segment in which matches cover less than 1/64 is not parsed.
const REPEATS_LITTLE: usize = 64;

/// In fewer data bytes many looks take little time, and a header is much of the result.
const SMALL: usize = 16 << 10;

/// Places of a chain that are looked at where data repeat much.
const FEW_LOOKS: usize = 4;
/// Places of a chain that are looked at for the cheapest way.
const MANY_LOOKS: usize = 12;

/// The looks for each place of a strip, with [`Effort::Little`].
#[derive(Clone, Copy)]
enum Looks {
    /// One look, until data repeat much.
    Undecided,
    /// One look for the rest of the strip: a few looks saved too little.
    One,
    /// A few looks, while data repeat much.
    Few,
}

impl Deflate {
    /// Compresses as [`fast`](Deflate::fast) does, with a search for matches.
    // Not inlined: its frame need not be on the stack while rows are filtered.
    #[inline(never)]
    pub(crate) fn searched<K: DeflateKernels>(
        &mut self,
        kernels: K,
        effort: Effort,
        data: &[u8],
        len: usize,
        out: &mut [u8],
    ) -> usize {
        let mut writer = BitWriter::new(out);
        self.table.begin();
        self.chains.begin();
        let (mut looks, mut before) = (Looks::Undecided, None);
        let mut at = 0;
        while at < len {
            let size = size_of_next(len - at, effort.batch());
            let end = at + size;
            self.tokens.clear();
            match effort {
                Effort::Little => looks = self.one_or_few(looks, data, at, end),
                Effort::Much => {
                    let mut start = at;
                    while start < end {
                        let stop = start + size_of_next(end - start, SEGMENT);
                        self.cheapest(data, start, stop, &mut before);
                        start = stop;
                    }
                }
            }
            let tables = &mut self.tables;
            split(&data[at..end], &self.tokens, |part| {
                let bytes = at + part.bytes.start..at + part.bytes.end + PADDING;
                let tokens = &self.tokens[part.tokens.clone()];
                block::write(
                    kernels,
                    &mut writer,
                    tables,
                    &data[bytes],
                    part.bytes.len(),
                    tokens,
                    &part.frequencies,
                );
            });
            at = end;
        }
        block::write_stored_header(&mut writer, 0);
        writer.state().at
    }

    /// Estimates the bytes of [`searched`](Deflate::searched) by one look for each
    /// place. `data` has [`PADDING`] bytes behind `len`.
    pub(crate) fn estimate_searched(&mut self, data: &[u8], len: usize) -> usize {
        self.table.begin();
        let mut cost = 0;
        let batch = Effort::Much.batch();
        for at in (0..len).step_by(batch) {
            let end = (at + batch).min(len);
            self.tokens.clear();
            self.quick(data, at, end);
            cost += count_all(&data[at..end], &self.tokens).cost();
        }
        (cost / u64::from(8 * BIT)) as usize
    }

    /// Cuts `data[at..end]` into tokens by one look for each place, or by a few. Returns
    /// the looks for the next batch.
    fn one_or_few(&mut self, looks: Looks, data: &[u8], at: usize, end: usize) -> Looks {
        let one = match looks {
            Looks::One => {
                self.quick(data, at, end);
                return Looks::One;
            }
            Looks::Undecided => {
                let (cost, repeats_much) = self.quick(data, at, end);
                if !repeats_much {
                    return Looks::Undecided;
                }
                self.tokens.clear();
                Some(cost)
            }
            // The costs of one batch serve for the next, without a quick search.
            Looks::Few => None,
        };
        let few = self.lazy(data, at, end);
        match one {
            Some(one) if few * WORTH >= one * (WORTH - 1) => Looks::One,
            _ if repeats_much(&self.tokens) => Looks::Few,
            _ => Looks::Undecided,
        }
    }

    /// Cuts `data[at..end]` into tokens by one look for each place. Measures the costs
    /// and drops costly matches. Returns the cost before that, and whether data repeat
    /// much.
    #[inline(always)]
    fn quick(&mut self, data: &[u8], at: usize, end: usize) -> (u64, bool) {
        let block = &data[at..end];
        let from = self.tokens.len();
        let found = self.first_look(data, at, end);
        let repeats_much = repeats_much(&self.tokens[from..]);
        self.costs.measure(&found);
        self.costs.drop_costly(block, &mut self.tokens, from);
        (found.cost(), repeats_much)
    }

    /// Cuts `data[at..end]` into tokens by one look for each place. Returns the
    /// frequencies of their symbols.
    #[inline(always)]
    fn first_look(&mut self, data: &[u8], at: usize, end: usize) -> Frequencies {
        let block = &data[at..end];
        let from = self.tokens.len();
        self.costs.guess(block);
        self.table
            .quick(&self.costs, data, at, end, &mut self.tokens);
        count_all(block, &self.tokens[from..])
    }

    /// Cuts `data[at..end]` into tokens by a few looks for each place. Measures the costs.
    /// Returns the cost of the tokens.
    #[inline(always)]
    fn lazy(&mut self, data: &[u8], at: usize, end: usize) -> u64 {
        let (costs, tokens) = (&mut self.costs, &mut self.tokens);
        self.chains.set_hash_length(self.table.hash_length());
        let looks = if end - at < SMALL {
            MANY_LOOKS
        } else {
            FEW_LOOKS
        };
        self.chains.lazy(costs, looks, data, at, end, tokens);
        let found = count_all(&data[at..end], tokens);
        costs.measure(&found);
        found.cost()
    }

    /// Cuts a segment into the cheapest tokens that many looks find.
    ///
    /// The cheapest tokens depend on the costs, and the costs on the tokens. So the costs
    /// follow from the symbols of a first look, mixed with those of the last parsed
    /// segment, which have most of the weight. The first parsed segment is parsed twice:
    /// the first result gives the costs for the second.
    #[inline(always)]
    fn cheapest(&mut self, data: &[u8], at: usize, end: usize, before: &mut Option<Frequencies>) {
        let from = self.tokens.len();
        let segment = &data[at..end];
        let found = self.first_look(data, at, end);
        if matched(&self.tokens[from..]) < segment.len() / REPEATS_LITTLE {
            self.costs.measure(&found);
            return self.costs.drop_costly(segment, &mut self.tokens, from);
        }
        if let Some(before) = before {
            self.costs.measure(&found.mixed(before));
        } else {
            self.costs.measure(&found);
            let found = self.parse(data, at, end, from);
            self.costs.measure(&found);
            self.chains.begin();
        }
        *before = Some(self.parse(data, at, end, from));
    }

    /// Replaces the tokens behind the first `from` by the cheapest tokens of a segment.
    /// Returns the frequencies of their symbols.
    fn parse(&mut self, data: &[u8], at: usize, end: usize, from: usize) -> Frequencies {
        let (chains, costs, tokens) = (&mut self.chains, &self.costs, &mut self.tokens);
        tokens.truncate(from);
        // The cheapest way has more use for short matches than a quick search.
        chains.set_hash_length(self.table.hash_length().shorter());
        self.parser
            .parse(chains, costs, MANY_LOOKS, data, at, end, tokens);
        count_all(&data[at..end], &tokens[from..])
    }
}

/// Returns the size of the next part of `left` bytes: `size`, or up to half as many more
/// if that is all.
pub(super) fn size_of_next(left: usize, size: usize) -> usize {
    if left < size * 3 / 2 { left } else { size }
}

/// Returns whether matches cover much of what is outside of runs.
fn repeats_much(tokens: &[Token]) -> bool {
    let literals: usize = tokens.iter().map(|token| token.literals as usize).sum();
    let matched = matched(tokens);
    matched > (literals + matched) / REPEATS_MUCH
}

/// Returns the number of bytes in matches that are no runs.
fn matched(tokens: &[Token]) -> usize {
    let matches = tokens.iter().filter(|token| token.distance > 1);
    matches.map(|token| usize::from(token.length)).sum()
}

#[cfg(test)]
mod tests {
    use super::super::testing::random;
    use super::*;

    /// Returns the looks after two batches, and the tokens of the second.
    fn looks(data: &[u8]) -> (Looks, Vec<Token>) {
        let size = Effort::Little.batch();
        let mut deflate = Deflate::default();
        deflate.reserve_search(Effort::Little, data.len()).unwrap();
        deflate.table.begin();
        deflate.chains.begin();
        let looks = deflate.one_or_few(Looks::Undecided, data, 0, size);
        deflate.tokens.clear();
        let looks = deflate.one_or_few(looks, data, size, 2 * size);
        (looks, deflate.tokens)
    }

    #[test]
    fn looks_follow_the_data() {
        let size = 2 * Effort::Little.batch() + PADDING;
        let mut seed = 3;
        let mut noise =
            |len: usize| -> Vec<u8> { (0..len).map(|_| random(&mut seed) as u8).collect() };
        // Nothing repeats.
        assert!(matches!(looks(&noise(size)).0, Looks::Undecided));
        // Every repetition is found by one look.
        let mut repeated = Vec::new();
        while repeated.len() < size {
            let block = noise(300);
            repeated.extend_from_slice(&block);
            repeated.extend_from_slice(&block);
        }
        assert!(matches!(looks(&repeated).0, Looks::One));
        // Many places begin alike, and most of them repeat little.
        let mut seed = 4;
        let mut similar: Vec<u8> = b"abcdefghijklmnopqrstuvwxyz".to_vec();
        while similar.len() < size {
            let from = similar.len().saturating_sub(random(&mut seed) % 20_000);
            let len = 6 + random(&mut seed) % 12;
            let part = similar[from..].iter().take(len).copied();
            let part: Vec<u8> = part.collect();
            similar.extend(part);
            similar.push((random(&mut seed) % 4) as u8 + b'a');
        }
        assert!(matches!(looks(&similar).0, Looks::Few));
        // The second batch of the last two is cut by one look and by a few.
        let count = |tokens: &[Token]| {
            let bytes = tokens
                .iter()
                .map(|token| token.literals as usize + usize::from(token.length));
            bytes.sum::<usize>()
        };
        assert_eq!(count(&looks(&repeated).1), Effort::Little.batch());
        assert_eq!(count(&looks(&similar).1), Effort::Little.batch());
    }
}
