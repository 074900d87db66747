use super::*;

/// Returns the proof of a chunk that is not the last: the bytes of its scanlines.
fn proof(chunk: &[u8], number: u64) -> Option<Vec<u8>> {
    let mut piece = Piece {
        number,
        header: Some(ChunkHeader {
            length: chunk.len() as u32,
            name: *b"IDAT",
            offset: 0,
        }),
        chunk: chunk.to_vec(),
        ..Piece::default()
    };
    piece.inflate()?;
    piece.lines.truncate(piece.len);
    Some(piece.lines)
}

/// Bits of a stream of deflate, the first in the lowest bit of a byte.
#[derive(Clone, Default)]
struct Bits {
    bytes: Vec<u8>,
    count: usize,
}

impl Bits {
    fn push(&mut self, value: u32, bits: u32) {
        for bit in 0..bits {
            if self.count.is_multiple_of(8) {
                self.bytes.push(0);
            }
            self.bytes[self.count / 8] |= ((value >> bit & 1) as u8) << (self.count % 8);
            self.count += 1;
        }
    }

    /// Pushes a Huffman code, whose first bit is the highest.
    fn push_code(&mut self, code: u32, bits: u32) {
        for bit in (0..bits).rev() {
            self.push(code >> bit, 1);
        }
    }

    /// Pushes the header of a stored block. The padding is `ones` or zeros.
    fn stored(&mut self, last: bool, length: u16, ones: bool) {
        self.push(last.into(), 3);
        while !self.count.is_multiple_of(8) {
            self.push(ones.into(), 1);
        }
        self.push(length.into(), 16);
        self.push((!length).into(), 16);
    }

    /// Pushes a block with fixed codes.
    fn fixed(&mut self, last: bool, literals: &[u8]) {
        self.push(2 | u32::from(last), 3);
        for &literal in literals {
            match literal {
                0..144 => self.push_code(0x30 + u32::from(literal), 8),
                144.. => self.push_code(0x190 + u32::from(literal) - 144, 9),
            }
        }
        self.push(0, 7);
    }

    /// Pushes the header of a block with codes of its own: two literals, of which
    /// `first` has the code 0, `second` 10, the end of the block 110, and a length of 3
    /// 111 with the distance 0 (1) or 1 (2).
    fn dynamic(&mut self, last: bool, first: u8, second: u8) {
        self.push(4 | u32::from(last), 3);
        self.push(1, 5); // 258 literals and lengths
        self.push(1, 5); // 2 distances
        self.push(14, 4); // 18 lengths of code lengths
        // In this order: 16 17 18 0 8 7 9 6 10 5 11 4 12 3 13 2 14 1. 18 has 1 bit,
        // 1 has 2 bits, 2 and 3 have 3.
        for length in [0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0, 3, 0, 2] {
            self.push(length, 3);
        }
        // 18: 0; 1: 10; 2: 110; 3: 111.
        let zeros = |bits: &mut Self, mut count: u32| {
            while count > 0 {
                let most = count.min(138);
                // Fewer than 11 cannot be said.
                let now = if (1..11).contains(&(count - most)) {
                    most - 11
                } else {
                    most
                };
                bits.push_code(0, 1);
                bits.push(now - 11, 7);
                count -= now;
            }
        };
        let (a, b) = (u32::from(first), u32::from(second));
        assert!(a >= 11 && b > a + 11 && b < 244);
        zeros(self, a);
        self.push_code(0b10, 2);
        zeros(self, b - a - 1);
        self.push_code(0b110, 3);
        zeros(self, 255 - b);
        self.push_code(0b111, 3);
        self.push_code(0b111, 3);
        self.push_code(0b10, 2);
        self.push_code(0b10, 2);
    }
}

fn random(seed: &mut u64, below: usize) -> usize {
    *seed = seed
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407);
    (*seed >> 33) as usize % below
}

/// Each prefix of random streams, with the header of zlib and without: a proof is
/// found if and only if the prefix ends at a byte boundary between two blocks.
#[test]
fn every_end_of_a_chunk() {
    let mut seed = 3;
    let (mut ends, mut others) = (0, 0);
    for _ in 0..400 {
        let mut bits = Bits::default();
        let mut between = vec![0];
        for _ in 0..=random(&mut seed, 6) {
            let size = random(&mut seed, 30);
            match random(&mut seed, 5) {
                0 => {
                    let ones = random(&mut seed, 2) == 1;
                    bits.stored(false, size as u16, ones);
                    for _ in 0..size {
                        // Often bytes of the tail.
                        let byte = match random(&mut seed, 3) {
                            0 => random(&mut seed, 256) as u8,
                            _ => TAIL[random(&mut seed, 8)],
                        };
                        bits.push(byte.into(), 8);
                    }
                }
                1 => bits.stored(false, 0, false),
                2 => {
                    bits.dynamic(false, 11 + size as u8, 100);
                    for _ in 0..size {
                        match random(&mut seed, 3) {
                            0 => bits.push_code(0, 1),
                            _ => bits.push_code(0b10, 2),
                        }
                    }
                    if size > 0 {
                        bits.push_code(0b1110, 4);
                    }
                    bits.push_code(0b110, 3);
                }
                _ => {
                    let literals: Vec<u8> =
                        (0..size).map(|_| random(&mut seed, 256) as u8).collect();
                    bits.fixed(false, &literals);
                }
            }
            between.push(bits.count);
        }
        for number in [0, 1] {
            for end in 0..=bits.bytes.len() {
                let mut chunk = bits.bytes[..end].to_vec();
                if number == 0 {
                    chunk.splice(..0, ZLIB_HEADER);
                }
                let found = proof(&chunk, number).is_some();
                assert_eq!(
                    found,
                    between.contains(&(8 * end)),
                    "{end} {:?}",
                    bits.bytes
                );
                ends += u32::from(found);
                others += u32::from(!found);
            }
        }
    }
    assert!(ends > 1000 && others > 10_000, "{ends} {others}");
}

/// Chunks that end where the tail could complete a block.
#[test]
fn blocks_that_the_tail_could_complete() {
    // A stored block of any length, marked as the last or not, with its header in
    // the chunk, or a part of the header.
    let tail = TAIL.len() as u32;
    let lengths = (0..20)
        .chain(tail - 20..tail + 20)
        .chain([0xfefe, 0xff01, 0xffff]);
    for length in lengths {
        for last in [false, true] {
            for first in [0, 1, 2, 3, 5, 100] {
                let mut bits = Bits::default();
                let Ok(stored) = u16::try_from(length + first) else {
                    continue;
                };
                bits.stored(last, stored, false);
                for i in 0..first {
                    bits.push(TAIL[i as usize % 8].into(), 8);
                }
                // What the chunk has of the block, to the last byte.
                for end in 1..=bits.bytes.len() {
                    let found = proof(&bits.bytes[..end], 1);
                    // Bytes like the header of the tail are refused, needlessly.
                    let whole = end == bits.bytes.len() && length == 0 && !last && first != 5;
                    assert_eq!(found.is_some(), whole, "{length} {last} {first} {end}");
                }
            }
        }
    }
    // Every two bytes at the end, alone and after a block: headers, parts of headers,
    // lengths. If the proof is found, another tail agrees.
    for start in 0..2 {
        for end in 0..=u16::MAX {
            let mut bits = Bits::default();
            if start == 1 {
                bits.dynamic(true, 20, 200);
            }
            bits.push(end.into(), 16);
            let found = proof(&bits.bytes, 1);
            let other = ends_between_blocks(&bits.bytes);
            assert_eq!(found.is_some(), other, "{start} {end:#x}");
        }
    }
}

/// Returns whether a chunk ends at a byte boundary between two blocks, by another
/// inflater: several last blocks finish exactly, and add exactly their bytes.
fn ends_between_blocks(chunk: &[u8]) -> bool {
    let noise: Vec<u8> = (0..200u32).map(|i| (i * i * 7 + i / 3) as u8).collect();
    let mut first = None;
    [&noise[..], &noise[..150], &noise[77..], &[]]
        .iter()
        .all(|data| {
            let mut bits = Bits::default();
            bits.stored(true, data.len() as u16, false);
            let stream = [chunk, &bits.bytes, data].concat();
            let Ok(inflated) = miniz_oxide::inflate::decompress_to_vec(&stream) else {
                return false;
            };
            // Not one byte less.
            let shorter = &stream[..stream.len() - 1];
            let whole = miniz_oxide::inflate::decompress_to_vec(shorter).is_err();
            let Some(before) = inflated.strip_suffix(*data) else {
                return false;
            };
            let same = *first.get_or_insert(before.to_vec()) == *before;
            whole && same
        })
}

/// A match into the bytes of an earlier chunk.
#[test]
fn matches_that_reach_too_far() {
    for far in [false, true] {
        let mut bits = Bits::default();
        bits.dynamic(false, 20, 200);
        bits.push_code(0, 1);
        bits.push_code(0b111, 3);
        bits.push(far.into(), 1);
        bits.push_code(0b110, 3);
        bits.stored(false, 0, false);
        assert_eq!(proof(&bits.bytes, 1).is_some(), !far);
    }
}
