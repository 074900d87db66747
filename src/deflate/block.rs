//! One deflate block: counting, codes, and whether they are worth it
//! (RFC 1951, 3.2.3 to 3.2.7).

use super::DeflateKernels;
use super::bits::BitWriter;
use super::huffman::{Code, codes, lengths};
use super::tokens::Token;

/// Symbols for literals, the end of the block and lengths (RFC 1951, 3.2.5).
const LITERALS: usize = 286;
const END_OF_BLOCK: usize = 256;

/// Codes are limited to this many bits, so that four of them fit into 56.
/// The limit of deflate, 15, would save next to nothing.
pub(super) const LONGEST: u8 = 14;

/// The first length of each length symbol, from symbol 257 on, and the extra
/// bits behind it (RFC 1951, 3.2.5).
const LENGTH_BASE: [u16; 29] = [
    3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131,
    163, 195, 227, 258,
];
const LENGTH_EXTRA: [u8; 29] = [
    0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0,
];

/// The order in which the lengths of the code length codes are sent
/// (RFC 1951, 3.2.7).
const CODE_LENGTH_ORDER: [usize; 19] = [
    16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15,
];

/// Bytes in the largest stored block, and the bytes before it.
pub(crate) const STORED_MAX: usize = 65535;
pub(crate) const STORED_HEADER: usize = 5;

/// Fewer bytes than this are not worth the header of a dynamic block.
const SMALLEST: usize = 48;

/// The codes of a block in the form in which they are written: the bits from
/// bit 8 on, their number below.
pub(crate) struct Tables {
    pub(crate) literals: [u32; 256],
    /// By match length: its symbol, the extra bits and the distance.
    pub(crate) matches: [u32; 259],
}

impl Default for Tables {
    fn default() -> Self {
        Tables {
            literals: [0; 256],
            matches: [0; 259],
        }
    }
}

/// The most bytes that `len` bytes take as a block or blocks, stored.
pub(crate) fn stored_size(len: usize) -> usize {
    len + len.div_ceil(STORED_MAX) * STORED_HEADER + 1
}

/// Writes `data[..len]`, cut into `tokens`, as a dynamic block, or stored if
/// that is smaller. There are 64 bytes to read behind `len`.
#[inline(always)]
pub(crate) fn write<K: DeflateKernels>(
    kernels: K,
    writer: &mut BitWriter<'_>,
    tables: &mut Tables,
    data: &[u8],
    len: usize,
    tokens: &[Token],
) {
    if len < SMALLEST {
        return write_stored(writer, &data[..len]);
    }
    let frequencies = count(&data[..len], tokens);
    let mut literal_lengths = [0; LITERALS];
    lengths(&frequencies, LONGEST, &mut literal_lengths);

    let before = writer.state();
    let limit = before.at + stored_size(len);
    if promised(&frequencies, &literal_lengths) < len {
        let any_match = frequencies[END_OF_BLOCK + 1..]
            .iter()
            .any(|&count| count > 0);
        write_header(writer, &literal_lengths, any_match);
        let end = fill(tables, &literal_lengths);
        let (out, state) = writer.parts();
        let passed = kernels.emit(out, state, tables, data, tokens, limit);
        if !passed {
            writer.put(end.bits.into(), end.length.into());
            if writer.state().at < limit {
                return;
            }
        }
        writer.set_state(before);
    }
    write_stored(writer, &data[..len]);
}

/// About how many bytes a dynamic block takes, without its header.
#[inline(always)]
pub(super) fn estimate(data: &[u8], tokens: &[Token]) -> usize {
    let frequencies = count(data, tokens);
    let mut literal_lengths = [0; LITERALS];
    lengths(&frequencies, LONGEST, &mut literal_lengths);
    promised(&frequencies, &literal_lengths).min(data.len())
}

/// The bytes that the sample promises; the header is not worth counting.
fn promised(frequencies: &[u32; LITERALS], literal_lengths: &[u8; LITERALS]) -> usize {
    let mut bits = 0;
    for (symbol, (&frequency, &length)) in frequencies.iter().zip(literal_lengths).enumerate() {
        // What is behind the symbol of a match: extra bits, and the distance.
        let behind = match symbol.checked_sub(END_OF_BLOCK + 1) {
            Some(length) => LENGTH_EXTRA[length] + 1,
            None => 0,
        };
        bits += u64::from(frequency) * u64::from(length + behind);
    }
    (bits / 8) as usize
}

/// Frequencies of the symbols. All symbols of a small block are counted; of a
/// large one, literals are taken from a sample, and every literal gets a code
/// in case it was not in it.
#[inline(always)]
pub(crate) fn count(data: &[u8], tokens: &[Token]) -> [u32; LITERALS] {
    let literals: usize = tokens.iter().map(|token| token.literals as usize).sum();
    // Every how many-th portion of 64 bytes is counted.
    let step = match literals {
        ..0x8000 => 1,
        0x8000..0x2_0000 => 4,
        0x2_0000..0x6_0000 => 8,
        _ => 16,
    };
    let mut counts = [[0; 256]; HISTOGRAMS];
    let mut frequencies = [0; LITERALS];
    // Which of `step` portions: even over time, and never in step with the
    // rows of an image, whose length may well be a power of two.
    let mut turn = 0u32;
    let mut place = || {
        turn = turn.wrapping_add(0x9e37_79b9); // 2^32 over the golden ratio
        ((turn >> 16) as usize * step) >> 16
    };
    let mut at = 0;
    // Several short runs together are taken or not: a choice for each can't be
    // guessed by the processor.
    let (mut short, mut taken) = (0, true);
    for token in tokens {
        let literals = &data[at..at + token.literals as usize];
        if step == 1 {
            histogram(literals, &mut counts);
        } else if literals.len() < 128 {
            if short % 16 == 0 {
                taken = place() == 0;
            }
            short += usize::from(!literals.is_empty());
            if taken {
                histogram(literals, &mut counts);
            }
        } else {
            for portions in literals.chunks(64 * step) {
                if let Some(portion) = portions.chunks(64).nth(place()) {
                    histogram(portion, &mut counts);
                }
            }
        }
        at += token.literals as usize;
        if token.length > 0 {
            frequencies[length_symbol(token.length)] += 1;
            at += usize::from(token.length);
        }
    }
    for (byte, frequency) in frequencies[..256].iter_mut().enumerate() {
        let counted: u32 = counts.iter().map(|counts| counts[byte]).sum();
        *frequency = counted * step as u32 + u32::from(step > 1);
    }
    frequencies[END_OF_BLOCK] = 1;
    frequencies
}

/// So many histograms are filled in turn: an increment of a byte that has just
/// been counted would wait for the one before it.
const HISTOGRAMS: usize = 8;

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

/// The symbol of a match length, by length.
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

fn length_symbol(length: u16) -> usize {
    END_OF_BLOCK + 1 + usize::from(LENGTH_SYMBOL[usize::from(length)])
}

/// The tables of these code lengths, and the code of the end of the block.
fn fill(tables: &mut Tables, literal_lengths: &[u8; LITERALS]) -> Code {
    let mut all = [Code::default(); LITERALS];
    codes(literal_lengths, &mut all);
    let entry = |bits: u32, count: u32| bits << 8 | count;
    for (literal, code) in tables.literals.iter_mut().zip(&all) {
        *literal = entry(code.bits.into(), code.length.into());
    }
    for length in 3..=258u16 {
        let symbol = length_symbol(length);
        let (code, index) = (all[symbol], symbol - END_OF_BLOCK - 1);
        let extra = u32::from(length - LENGTH_BASE[index]);
        let count = u32::from(code.length);
        // The distance 1 is the only one: one bit, a zero.
        let bits = u32::from(code.bits) | extra << count;
        let total = count + u32::from(LENGTH_EXTRA[index]) + 1;
        tables.matches[usize::from(length)] = entry(bits, total);
    }
    all[END_OF_BLOCK]
}

/// The header of a dynamic block that is not the last (RFC 1951, 3.2.7).
fn write_header(writer: &mut BitWriter<'_>, literal_lengths: &[u8; LITERALS], any_match: bool) {
    let used = literal_lengths.iter().rposition(|&length| length > 0);
    let literals = used.map_or(257, |last| (last + 1).max(257));
    // One distance code of one bit, or of none where no match is.
    let mut all = [0; LITERALS + 1];
    all[..literals].copy_from_slice(&literal_lengths[..literals]);
    all[literals] = u8::from(any_match);
    let all = &all[..=literals];

    // Runs: (symbol, extra bits, how many of them).
    let mut runs = [(0u8, 0u8, 0u8); LITERALS + 1];
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
    let mut code_codes = [Code::default(); 19];
    codes(&code_lengths, &mut code_codes);
    let sent = CODE_LENGTH_ORDER
        .iter()
        .rposition(|&symbol| code_lengths[symbol] > 0)
        .map_or(4, |last| (last + 1).max(4));

    writer.put(0, 1); // not the last
    writer.put(2, 2); // dynamic
    writer.put(literals as u64 - 257, 5);
    writer.put(0, 5); // one distance code
    writer.put(sent as u64 - 4, 4);
    for &symbol in &CODE_LENGTH_ORDER[..sent] {
        writer.put(code_lengths[symbol].into(), 3);
    }
    for &(symbol, extra, bits) in runs {
        let code = code_codes[usize::from(symbol)];
        writer.put(code.bits.into(), code.length.into());
        writer.put(extra.into(), bits.into());
    }
}

/// Stored blocks, none the last (RFC 1951, 3.2.4).
pub(super) fn write_stored(writer: &mut BitWriter<'_>, data: &[u8]) {
    for portion in data.chunks(STORED_MAX) {
        write_stored_header(writer, portion.len() as u16);
        writer.bytes(portion);
    }
}

/// The bytes before a stored block of `len` bytes that begins with a byte and
/// is not the last.
pub(crate) fn stored_header(len: u16) -> [u8; STORED_HEADER] {
    let ([a, b], [c, d]) = (len.to_le_bytes(), (!len).to_le_bytes());
    [0, a, b, c, d]
}

/// An empty one ends on a byte boundary: with it, a strip ends.
pub(super) fn write_stored_header(writer: &mut BitWriter<'_>, len: u16) {
    writer.put(0, 3);
    writer.align();
    writer.put(u64::from(len) | u64::from(!len) << 16, 32);
}
