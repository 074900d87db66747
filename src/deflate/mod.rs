//! Deflate (RFC 1951) for filtered scanlines, in independent pieces.
//!
//! A piece ends on a byte boundary; a compressed piece ends with an empty
//! stored block, which aligns it. No match refers to bytes of an earlier piece.
//! So pieces can be made in any order and then joined. [`END`] closes the last
//! piece.

pub(crate) mod bits;
pub(crate) mod block;
mod chains;
mod costs;
mod hash;
mod huffman;
mod kernels;
mod library;
mod logarithm;
mod matches;
mod parse;
mod search;
mod split;
pub(crate) mod symbols;
#[cfg(test)]
mod testing;
pub(crate) mod tokens;
#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
mod x86;
mod zlib;

use std::collections::TryReserveError;

use bits::{BitWriter, ROOM};
use block::Tables;
pub(crate) use block::{STORED_HEADER, STORED_MAX, stored_header};
use chains::Chains;
use costs::Costs;
pub(crate) use kernels::DeflateKernels;
pub(crate) use logarithm::entropy;
use matches::MatchTable;
use parse::Parser;
pub(crate) use search::Effort;
use search::size_of_next;
use split::PORTION;
use tokens::{MAX_LITERALS, MAX_MATCH, MAX_RUN, Token};
pub(crate) use zlib::{InflateFailure, inflate, zlib};

/// The end of the stream, behind the last piece: an empty block with fixed
/// codes that is marked as the last block.
pub(crate) const END: [u8; 2] = [3, 0];

/// The number of bytes behind the data that may be read. Their values do not
/// matter.
pub(crate) const PADDING: usize = 64;

/// The data bytes in a block. The last block of a piece may have half as many
/// more. Smaller blocks would adapt better to the data, at the cost of more
/// headers.
const BLOCK_SIZE: usize = 512 << 10;

/// The output bytes behind the limit of a block. An emitter may write to them
/// before it notices that it has passed the limit.
const SLACK: usize = 2 * MAX_LITERALS + 512;

/// A deflate compressor with scratch memory, which is reused for each piece. No
/// data is carried from piece to piece.
#[derive(Default)]
pub(crate) struct Deflate {
    tokens: Vec<Token>,
    tables: Tables,
    costs: Costs,
    table: MatchTable,
    chains: Chains,
    parser: Parser,
}

/// Returns the length of `out` that a piece of `len` data bytes needs, in any mode.
///
/// A search writes at most one block for each [`PORTION`] of data. As a stored block,
/// each takes at most 6 bytes more than its share of
/// [`stored_size`](block::stored_size).
pub(crate) fn bound(len: usize) -> usize {
    block::stored_size(len) + len.div_ceil(PORTION) * 8 + SLACK
}

/// The output behind the limit is at most a block header, a token of the
/// longest codes, and one step of the next token. A match of a long run has no extra bits.
const _: () = assert!(
    512 + (MAX_LITERALS + MAX_RUN / MAX_MATCH + 3) * (block::MAX_CODE_LENGTH as usize + 1) / 8
        + ROOM
        <= SLACK
);

impl Deflate {
    /// Allocates memory for the tokens of pieces of `len` bytes. At most one
    /// match begins in 32 bytes.
    pub(crate) fn reserve(&mut self, len: usize) -> Result<(), TryReserveError> {
        let len = len.min(BLOCK_SIZE * 3 / 2);
        let most = len / 32 + len / MAX_LITERALS + 2;
        let missing = most.saturating_sub(self.tokens.capacity());
        if missing > 0 {
            self.tokens.clear();
            self.tokens.try_reserve_exact(most)?;
        }
        Ok(())
    }

    /// Allocates memory for [`searched`](Deflate::searched). A match has at least 4 bytes,
    /// except one of 3 bytes behind one of 256 or 257. Few tokens have no match: at most
    /// one at the end of each segment, and one for each 16126 literals.
    pub(crate) fn reserve_search(
        &mut self,
        effort: Effort,
        len: usize,
    ) -> Result<(), TryReserveError> {
        let len = len.min(effort.batch() * 3 / 2);
        let most = len / 4 + len / 1024 + 4;
        let missing = most.saturating_sub(self.tokens.capacity());
        if missing > 0 {
            self.tokens.clear();
            self.tokens.try_reserve_exact(most)?;
        }
        if effort == Effort::Much {
            self.parser.reserve()?;
        }
        self.table.reserve()?;
        self.chains.reserve()
    }

    /// Compresses `data[..len]` into `out` and returns the bytes written.
    /// `data` must have [`PADDING`] bytes behind `len`, and `out` a length of
    /// [`bound`].
    #[inline(always)]
    pub(crate) fn fast<K: DeflateKernels>(
        &mut self,
        kernels: K,
        data: &[u8],
        len: usize,
        out: &mut [u8],
    ) -> usize {
        let mut writer = BitWriter::new(out);
        let mut at = 0;
        while at < len {
            // Avoids a last block that is much smaller than the others.
            let size = size_of_next(len - at, BLOCK_SIZE);
            tokens::tokenize(kernels, &data[at..at + size], &mut self.tokens);
            let data = &data[at..at + size + PADDING];
            let frequencies = symbols::count(&data[..size], &self.tokens);
            block::write(
                kernels,
                &mut writer,
                &mut self.tables,
                data,
                size,
                &self.tokens,
                &frequencies,
            );
            at += size;
        }
        block::write_stored_header(&mut writer, 0);
        writer.state().at
    }

    /// Estimates how many bytes [`fast`](Deflate::fast) would write for `data`,
    /// without the block headers. Takes a fraction of the time of `fast`.
    #[inline(always)]
    pub(crate) fn estimate<K: DeflateKernels>(&mut self, kernels: K, data: &[u8]) -> usize {
        let blocks = data.chunks(BLOCK_SIZE);
        blocks
            .map(|block| {
                tokens::tokenize(kernels, block, &mut self.tokens);
                block::estimate(block, &self.tokens)
            })
            .sum()
    }

    /// Writes `data` into `out` as stored blocks, which end on a byte boundary,
    /// and returns the bytes written.
    pub(crate) fn stored(data: &[u8], out: &mut [u8]) -> usize {
        let mut writer = BitWriter::new(out);
        block::write_stored(&mut writer, data);
        writer.state().at
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arch::Portable;

    /// Compresses `data` with and without a search, checks both with two other
    /// libraries, and returns the compressed size without.
    fn check(data: &[u8]) -> usize {
        let mut padded = data.to_vec();
        padded.resize(data.len() + PADDING, 0x5a);
        let mut out = vec![0xee; bound(data.len())];
        for effort in [Effort::Little, Effort::Much] {
            let mut deflate = Deflate::default();
            deflate.reserve_search(effort, data.len()).unwrap();
            let room = deflate.tokens.capacity();
            let size = deflate.searched(Portable, effort, &padded, data.len(), &mut out);
            assert_eq!(deflate.tokens.capacity(), room, "more tokens than reserved");
            inflates_to(data, &out[..size]);
        }
        let mut deflate = Deflate::default();
        let size = deflate.fast(Portable, &padded, data.len(), &mut out);
        inflates_to(data, &out[..size]);
        size
    }

    fn inflates_to(data: &[u8], piece: &[u8]) {
        // A zlib stream (RFC 1950, 2.2).
        let mut zlib = vec![0x78, 0x01];
        zlib.extend(piece);
        zlib.extend(END);
        zlib.extend(simd_adler32::adler32(&data).to_be_bytes());
        let inflated = miniz_oxide::inflate::decompress_to_vec_zlib(&zlib);
        assert!(inflated.unwrap() == data, "miniz_oxide");
        let inflated = zune_inflate::DeflateDecoder::new(&zlib).decode_zlib();
        assert!(
            inflated.unwrap() == data,
            "zune-inflate {} bytes",
            data.len()
        );
        let (size, len) = (piece.len(), data.len());
        assert!(size <= len + len / 1000 + 16, "{size} of {len}");
    }

    fn noise(len: usize) -> Vec<u8> {
        let mut seed = 5u64;
        let mut next = || {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (seed >> 56) as u8
        };
        (0..len).map(|_| next()).collect()
    }

    #[test]
    fn small_inputs() {
        check(&[]);
        check(&[0]);
        check(&[7]);
        for len in 0..300 {
            check(&vec![0; len]);
            check(&vec![200; len]);
            check(&noise(len));
            check(&(0..len).map(|i| i as u8).collect::<Vec<_>>());
        }
    }

    #[test]
    fn one_symbol_and_all() {
        assert!(check(&vec![0; 1 << 20]) < 1100 + 3 * 100);
        assert!(check(&vec![1; 1 << 20]) < (1 << 17) + 300);
        let all: Vec<u8> = (0..1 << 20).map(|i: u32| i as u8).collect();
        check(&all);
        check(&noise(3 << 20));
    }

    #[test]
    fn runs() {
        for zeros in (1..40)
            .chain(250..270)
            .chain(510..530)
            .chain([60_000, 70_000])
        {
            let mut data = noise(50);
            for i in 0..20 {
                data.resize(data.len() + zeros, 0);
                data.extend_from_slice(&noise(i * 3));
            }
            check(&data);
        }
    }

    /// Frequencies that double from symbol to symbol lead to the longest codes.
    #[test]
    fn longest_codes() {
        let mut data = Vec::new();
        for symbol in 0..19u8 {
            data.resize(data.len() + (1 << symbol), symbol.wrapping_mul(13) + 1);
        }
        check(&data);
        data.reverse();
        check(&data);
    }

    /// Data whose sample has other frequencies than the whole.
    #[test]
    fn misleading_samples() {
        let noise = noise(1 << 20);
        let mut data = vec![1; 1 << 20];
        for (portion, noise) in data.chunks_mut(64).zip(noise.chunks(64)) {
            portion.copy_from_slice(&noise[..portion.len()]);
        }
        for (i, portion) in data.chunks_mut(64).enumerate() {
            if i % 8 == 0 {
                portion.fill(1);
            }
        }
        check(&data);
    }

    /// Rows of whole portions of 64 bytes: the sample must not see the same
    /// columns of every row.
    #[test]
    fn samples_keep_out_of_step() {
        let noise = noise(2 << 20);
        let size = |row: usize, columns: usize, mild: u8, wild: bool| {
            let data: Vec<u8> = noise
                .iter()
                .enumerate()
                .map(|(i, &noise)| match (i % row < columns, wild) {
                    (true, true) | (false, false) => noise % 60 + 1,
                    _ => noise % mild + 1,
                })
                .collect();
            check(&data)
        };
        for wild in [true, false] {
            let apart = size(509, 64, 3, wild);
            for row in [64, 128, 256, 512, 1024, 2560, 4096] {
                // The share of each kind of byte is the same for all rows.
                let together = size(row, row / 8, 3, wild);
                assert!(
                    together < apart * 107 / 100,
                    "{row}: {together}, not {apart}"
                );
            }
        }
    }

    /// Short and long runs of literals in turn: the sample must see both.
    #[test]
    fn samples_of_all_runs() {
        let noise = noise(1 << 20);
        for (first, second) in [(150, 100), (100, 150), (60, 900), (900, 60)] {
            // Short runs have other bytes than long runs.
            let mut data = Vec::new();
            let mut entropy = 0;
            while data.len() < 900_000 {
                for len in [first, second] {
                    let base = if len < 128 { 100 } else { 200 };
                    data.extend(
                        noise[data.len()..][..len]
                            .iter()
                            .map(|byte| byte % 8 + base),
                    );
                    data.resize(data.len() + 40, 0);
                    entropy += len * 4; // a bit for the kind and three of noise
                }
            }
            let size = check(&data);
            let runs = data.len() / (first + second + 80) * 2;
            assert!(
                size < entropy / 8 + runs * 4 + 2000,
                "{first} {second}: {size}"
            );
        }
    }

    #[test]
    fn block_boundaries() {
        for len in [
            BLOCK_SIZE - 1,
            BLOCK_SIZE,
            BLOCK_SIZE + 1,
            BLOCK_SIZE * 3 / 2 - 1,
            BLOCK_SIZE * 3 / 2,
            BLOCK_SIZE * 2 + 9,
        ] {
            let mut data = noise(len);
            for byte in data.iter_mut().step_by(3) {
                *byte = 0;
            }
            check(&data);
            check(&vec![0; len]);
        }
    }
}
