//! One block (RFC 1951, 3.2.3 to 3.2.7): the Huffman codes of its symbols, and the
//! choice between dynamic codes, fixed codes and stored blocks.

use super::DeflateKernels;
use super::bits::BitWriter;
use super::huffman::{Code, codes, lengths};
use super::symbols::{
    DISTANCES, END_OF_BLOCK, Frequencies, LENGTH_BASE, LENGTH_EXTRA, SYMBOLS, count, distance_base,
    distance_symbol, length_symbol,
};
use super::tokens::{MAX_MATCH, Token};

/// The most bits in a Huffman code of literals and lengths. With this limit,
/// four codes fit into 56 bits. The limit of RFC 1951, 15 bits, would save next
/// to nothing.
pub(super) const MAX_CODE_LENGTH: u8 = 14;

/// The most bits in a Huffman code of distances (RFC 1951, 3.2.7).
const MAX_DISTANCE_CODE: u8 = 15;

/// The lengths of the Huffman codes of a block.
struct CodeLengths {
    symbols: [u8; SYMBOLS],
    distances: [u8; DISTANCES],
}

impl CodeLengths {
    /// The lengths of the fixed codes (RFC 1951, 3.2.6).
    const FIXED: CodeLengths = {
        let mut symbols = [8; SYMBOLS];
        let mut symbol = 144;
        while symbol < 280 {
            symbols[symbol] = if symbol < 256 { 9 } else { 7 };
            symbol += 1;
        }
        CodeLengths {
            symbols,
            distances: [5; DISTANCES],
        }
    };

    fn of(frequencies: &Frequencies) -> Self {
        let mut code_lengths = CodeLengths {
            symbols: [0; SYMBOLS],
            distances: [0; DISTANCES],
        };
        let CodeLengths { symbols, distances } = &mut code_lengths;
        lengths(&frequencies.symbols, MAX_CODE_LENGTH, symbols);
        lengths(&frequencies.distances, MAX_DISTANCE_CODE, distances);
        code_lengths
    }
}

/// The order in which a block header lists the lengths of the code length codes
/// (RFC 1951, 3.2.7).
const CODE_LENGTH_ORDER: [usize; 19] = [
    16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15,
];

/// The most data bytes in a stored block (RFC 1951, 3.2.4).
pub(crate) const STORED_MAX: usize = 65535;

/// The bytes of the header of a stored block that begins on a byte boundary.
pub(crate) const STORED_HEADER: usize = 5;

/// The Huffman codes of a block, in the form in which the emitters use them.
/// Each entry holds the number of bits in its lowest 8 bits and the bits
/// themselves above them.
pub(crate) struct Tables {
    /// The code of each literal.
    pub(crate) literals: [u32; 256],
    /// The bits of each match at distance 1, indexed by its length: the length code,
    /// its extra bits and the distance code.
    pub(crate) runs: [u64; 259],
    /// As many matches of the greatest length at distance 1 as fit into 56 bits, and their
    /// number.
    pub(crate) longest: (u64, usize),
    /// The length code and its extra bits, indexed by the length.
    lengths: [u32; 259],
    /// The code of each distance symbol.
    distances: [u32; 32],
}

impl Tables {
    /// Returns the bits of a match, at most 47, and their number: the length code, the
    /// distance code, and the extra bits of both.
    #[inline(always)]
    pub(crate) fn of_match(&self, length: usize, distance: u16) -> (u64, u32) {
        // The remainders change nothing. They show the compiler that the indices are
        // in bounds.
        let length = self.lengths[length % self.lengths.len()];
        let symbol = distance_symbol(distance);
        let code = self.distances[symbol % self.distances.len()];
        let (extra_bits, base) = distance_base(symbol);
        let extra = u64::from(distance).wrapping_sub(base);
        let (first, second) = (length & 0xff, code & 0xff);
        let bits = u64::from(length >> 8)
            | u64::from(code >> 8) << first
            | extra << ((first + second) & 63);
        (bits, first + second + extra_bits)
    }
}

impl Default for Tables {
    fn default() -> Self {
        Tables {
            literals: [0; 256],
            runs: [0; 259],
            longest: (0, 1),
            lengths: [0; 259],
            distances: [0; 32],
        }
    }
}

/// Returns the most bytes that `len` bytes take as stored blocks.
pub(crate) fn stored_size(len: usize) -> usize {
    len + len.div_ceil(STORED_MAX) * STORED_HEADER + 1
}

/// Writes `data[..len]`, which has been cut into `tokens`, as a block with dynamic or
/// fixed codes or as stored blocks, whichever is smallest. `data` must have 64 more bytes
/// behind `len`. Each symbol that occurs has a frequency.
#[inline(never)]
pub(crate) fn write<K: DeflateKernels>(
    kernels: K,
    writer: &mut BitWriter<'_>,
    tables: &mut Tables,
    data: &[u8],
    len: usize,
    tokens: &[Token],
    frequencies: &Frequencies,
) {
    let before = writer.state();
    let limit = before.at + stored_size(len);
    let mut code_lengths = CodeLengths::of(frequencies);
    let mut size = estimated_bits(frequencies, &code_lengths);
    write_header(writer, &code_lengths);
    size += writer.state().bits_since(before);
    // Fixed codes need no header, which counts in small blocks.
    let fixed = estimated_bits(frequencies, &CodeLengths::FIXED);
    if fixed < size {
        (code_lengths, size) = (CodeLengths::FIXED, fixed);
        writer.set_state(before);
        writer.put(0, 1); // not the last block
        writer.put(1, 2); // fixed codes
    }
    if size < 8 * stored_size(len) as u64 {
        let end = fill_tables(tables, &code_lengths);
        let (out, state) = writer.parts();
        let passed = kernels.emit(out, state, tables, data, tokens, limit);
        if !passed {
            writer.put(end.bits.into(), end.length.into());
            if writer.state().at < limit {
                return;
            }
        }
    }
    writer.set_state(before);
    write_stored(writer, &data[..len]);
}

/// Estimates the bytes of a dynamic block, without its header. Returns at most
/// the length of `data`.
#[inline(always)]
pub(super) fn estimate(data: &[u8], tokens: &[Token]) -> usize {
    let frequencies = count(data, tokens);
    let bits = estimated_bits(&frequencies, &CodeLengths::of(&frequencies));
    data.len().min((bits / 8) as usize)
}

/// Returns the bits that symbols of these frequencies take.
fn estimated_bits(frequencies: &Frequencies, code_lengths: &CodeLengths) -> u64 {
    let symbols = frequencies.symbols.iter().zip(&code_lengths.symbols);
    let distances = frequencies.distances.iter().zip(&code_lengths.distances);
    let codes = symbols.chain(distances);
    let codes = codes.map(|(&frequency, &length)| u64::from(frequency) * u64::from(length));
    codes.sum::<u64>() + frequencies.extra_bits()
}

/// Fills the tables with the codes of these lengths. Returns the code of the
/// end of the block.
fn fill_tables(tables: &mut Tables, code_lengths: &CodeLengths) -> Code {
    let mut all = [Code::default(); SYMBOLS];
    codes(&code_lengths.symbols, &mut all);
    let mut distances = [Code::default(); DISTANCES];
    codes(&code_lengths.distances, &mut distances);
    let entry = |bits: u32, count: u32| bits << 8 | count;
    for (literal, code) in tables.literals.iter_mut().zip(&all) {
        *literal = entry(code.bits.into(), code.length.into());
    }
    for (distance, code) in tables.distances.iter_mut().zip(&distances) {
        *distance = entry(code.bits.into(), code.length.into());
    }
    let one = distances[0];
    for length in 3..=258u16 {
        let symbol = length_symbol(length);
        let (code, index) = (all[symbol], symbol - END_OF_BLOCK - 1);
        let extra = u32::from(length - LENGTH_BASE[index]);
        let bits = u32::from(code.bits) | extra << code.length;
        let count = u32::from(code.length + LENGTH_EXTRA[index]);
        let run = u64::from(bits) | u64::from(one.bits) << count;
        let length = usize::from(length);
        tables.lengths[length] = entry(bits, count);
        tables.runs[length] = run << 8 | u64::from(count + u32::from(one.length));
    }
    let longest = tables.runs[MAX_MATCH];
    let (bits, count) = (longest >> 8, longest as u32 & 0xff);
    tables.longest = (0, (56 / count.max(1)) as usize);
    for i in 0..tables.longest.1 {
        tables.longest.0 |= bits << (i as u32 * count);
    }
    all[END_OF_BLOCK]
}

/// Writes the header of a dynamic block that is not the last block (RFC 1951,
/// 3.2.7).
fn write_header(writer: &mut BitWriter<'_>, code_lengths: &CodeLengths) {
    let used = |lengths: &[u8]| {
        let last = lengths.iter().rposition(|&length| length > 0);
        last.map_or(0, |last| last + 1)
    };
    let symbols = used(&code_lengths.symbols).max(257);
    // A block without matches has one distance code of zero bits.
    let distances = used(&code_lengths.distances).max(1);
    let mut all = [0; SYMBOLS + DISTANCES];
    all[..symbols].copy_from_slice(&code_lengths.symbols[..symbols]);
    all[symbols..symbols + distances].copy_from_slice(&code_lengths.distances[..distances]);
    let all = &all[..symbols + distances];

    // The code lengths as runs. A run is a symbol of the code length alphabet,
    // the value of its extra bits, and the number of extra bits.
    let mut runs = [(0u8, 0u8, 0u8); SYMBOLS + DISTANCES];
    let mut count = 0;
    let mut push = |run| {
        runs[count] = run;
        count += 1;
    };
    for same in all.chunk_by(|a, b| a == b) {
        let (length, mut left) = (same[0], same.len());
        if length == 0 {
            while left >= 11 {
                let run = left.min(138);
                push((18, (run - 11) as u8, 7));
                left -= run;
            }
            if left >= 3 {
                push((17, (left - 3) as u8, 3));
                left = 0;
            }
        } else {
            push((length, 0, 0));
            left -= 1;
            while left >= 3 {
                let run = left.min(6);
                push((16, (run - 3) as u8, 2));
                left -= run;
            }
        }
        for _ in 0..left {
            push((length, 0, 0));
        }
    }
    let runs = &runs[..count];

    let mut frequencies = [0; 19];
    for &(symbol, ..) in runs {
        frequencies[usize::from(symbol)] += 1;
    }
    let mut code_lengths = [0; 19];
    lengths(&frequencies, 7, &mut code_lengths);
    let mut code_length_codes = [Code::default(); 19];
    codes(&code_lengths, &mut code_length_codes);
    let sent = CODE_LENGTH_ORDER
        .iter()
        .rposition(|&symbol| code_lengths[symbol] > 0)
        .map_or(4, |last| (last + 1).max(4));

    writer.put(0, 1); // not the last block
    writer.put(2, 2); // dynamic codes
    writer.put(symbols as u64 - 257, 5);
    writer.put(distances as u64 - 1, 5);
    writer.put(sent as u64 - 4, 4);
    for &symbol in &CODE_LENGTH_ORDER[..sent] {
        writer.put(code_lengths[symbol].into(), 3);
    }
    for &(symbol, extra, bits) in runs {
        let code = code_length_codes[usize::from(symbol)];
        writer.put(code.bits.into(), code.length.into());
        writer.put(extra.into(), bits.into());
    }
}

/// Writes `data` as stored blocks, none of which is the last block (RFC 1951,
/// 3.2.4).
pub(super) fn write_stored(writer: &mut BitWriter<'_>, data: &[u8]) {
    for portion in data.chunks(STORED_MAX) {
        write_stored_header(writer, portion.len() as u16);
        writer.bytes(portion);
    }
}

/// Returns the header of a stored block of `len` bytes. The block begins on a
/// byte boundary and is not the last block.
pub(crate) fn stored_header(len: u16) -> [u8; STORED_HEADER] {
    let ([a, b], [c, d]) = (len.to_le_bytes(), (!len).to_le_bytes());
    [0, a, b, c, d]
}

/// Writes the header of a stored block that is not the last block. The header
/// ends on a byte boundary: an empty stored block aligns the end of a piece.
pub(super) fn write_stored_header(writer: &mut BitWriter<'_>, len: u16) {
    writer.put(0, 3);
    writer.align();
    writer.put(u64::from(len) | u64::from(!len) << 16, 32);
}
