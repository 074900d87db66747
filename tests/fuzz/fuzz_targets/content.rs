//! Data that a small program describes, so that a few bytes of input reach what
//! takes hundreds of kilobytes of data: the ends of blocks and strips, sampled
//! frequencies, the longest codes.

use libfuzzer_sys::arbitrary::{self, Arbitrary, Result, Unstructured};

#[derive(Debug)]
pub struct Program<'a>(Vec<Op<'a>>);

/// Each appends some bytes.
#[derive(Arbitrary, Debug)]
enum Op<'a> {
    /// These, as they are.
    Bytes(&'a [u8]),
    /// One byte again and again.
    Run { byte: u8, len: Length },
    /// The byte that is compressed unlike all others.
    Zeros { len: Length },
    /// Runs of so many zeros, one byte between them.
    Dust { byte: u8, zeros: u16, len: Length },
    /// So many values, one as likely as the other.
    Noise {
        seed: u8,
        first: u8,
        values: u8,
        len: Length,
    },
    /// Values of which each is half as likely as the one before.
    Skewed {
        seed: u8,
        first: u8,
        step: u8,
        len: Length,
    },
    /// Each value twice as often as the one before, in order: the longest
    /// codes.
    Doubling { first: u8, step: u8, values: u8 },
    /// Every byte so much more than the one before.
    Ramp { first: u8, step: u8, len: Length },
    /// What was so many bytes before, so much more, with some grain: rows of
    /// a picture, flat, slanting or rough.
    Again {
        back: u16,
        more: u8,
        grain: u8,
        seed: u8,
        len: Length,
    },
    /// Rows that are mild in some columns and wild in the others, to mislead
    /// a sample.
    Columns {
        row: u16,
        mild: u16,
        values: u8,
        seed: u8,
        len: Length,
    },
}

/// How many bytes to append.
#[derive(Clone, Copy, Debug)]
enum Length {
    Bytes(usize),
    /// As many as are missing to this size of the whole.
    Until(usize),
}

impl<'a> Arbitrary<'a> for Length {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        // Short ones far more often than those that take time.
        let bits = match u.arbitrary()? {
            n @ 0..=223u8 => n % 12,
            n @ 224..=247 => 12 + n % 5,
            n @ 248..=251 => 17 + n % 4,
            _ => {
                // Near a multiple of 16 KiB: tokens, stored blocks, samples,
                // blocks and strips all end at some of them.
                let whole = u.int_in_range(1..=128usize)? << 14;
                return Ok(Length::Until(
                    whole.saturating_add_signed(u.arbitrary::<i8>()?.into()),
                ));
            }
        };
        let least = (1 << bits) - 1;
        Ok(Length::Bytes(u.int_in_range(least..=2 * least)?))
    }
}

impl<'a> Arbitrary<'a> for Program<'a> {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let mut ops = Vec::new();
        while !u.is_empty() && ops.len() < 40 {
            ops.push(u.arbitrary()?);
        }
        Ok(Program(ops))
    }
}

impl Program<'_> {
    /// What the program says, but no more than `most` bytes of it.
    pub fn run(&self, most: usize) -> Vec<u8> {
        let mut out = Vec::new();
        for op in &self.0 {
            op.append(&mut out, most);
        }
        out
    }
}

impl Op<'_> {
    fn append(&self, out: &mut Vec<u8>, most: usize) {
        let (start, room) = (out.len(), most - out.len());
        let end = |len: Length| match len {
            Length::Bytes(bytes) => start + bytes.min(room),
            Length::Until(size) => size.clamp(start, most),
        };
        match *self {
            Op::Bytes(bytes) => out.extend_from_slice(&bytes[..bytes.len().min(room)]),
            Op::Run { byte, len } => out.resize(end(len), byte),
            Op::Zeros { len } => out.resize(end(len), 0),
            Op::Dust { byte, zeros, len } => {
                out.resize(end(len), 0);
                for place in out[start..].iter_mut().step_by(usize::from(zeros) + 1) {
                    *place = byte;
                }
            }
            Op::Noise {
                seed,
                first,
                values,
                len,
            } => {
                let noise = Noise::new(seed).map(|noise| first.wrapping_add(below(noise, values)));
                out.extend(noise.take(end(len) - start));
            }
            Op::Skewed {
                seed,
                first,
                step,
                len,
            } => {
                let values = Noise::new(seed)
                    .map(|noise| step.wrapping_mul(noise.leading_zeros() as u8))
                    .map(|value| first.wrapping_add(value));
                out.extend(values.take(end(len) - start));
            }
            Op::Doubling {
                first,
                step,
                values,
            } => {
                for value in 0..values % 20 {
                    let size = (out.len() + (1 << value)).min(most);
                    out.resize(size, first.wrapping_add(step.wrapping_mul(value)));
                }
            }
            Op::Ramp { first, step, len } => {
                let ramp = (0u8..=255).cycle();
                let ramp = ramp.map(|i| first.wrapping_add(step.wrapping_mul(i)));
                out.extend(ramp.take(end(len) - start));
            }
            Op::Again {
                back,
                more,
                grain,
                seed,
                len,
            } => {
                let back = usize::from(back) + 1;
                let noise = Noise::new(seed);
                for (at, noise) in (start..end(len)).zip(noise) {
                    let before = at.checked_sub(back).map_or(0, |at| out[at]);
                    let more = more.wrapping_add(below(noise, grain));
                    out.push(before.wrapping_add(more));
                }
            }
            Op::Columns {
                row,
                mild,
                values,
                seed,
                len,
            } => {
                let row = usize::from(row) + 1;
                for (at, noise) in (start..end(len)).zip(Noise::new(seed)) {
                    let is_mild = at % row < usize::from(mild);
                    out.push(below(noise, if is_mild { values } else { 255 }));
                }
            }
        }
    }
}

/// One of the values from 0 to `last`.
fn below(noise: u32, last: u8) -> u8 {
    ((u64::from(noise) * (u64::from(last) + 1)) >> 32) as u8
}

/// Numbers without a pattern, the same for the same seed.
struct Noise(u64);

impl Noise {
    fn new(seed: u8) -> Self {
        Noise((u64::from(seed) + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }
}

impl Iterator for Noise {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        Some((self.0 >> 32) as u32)
    }
}
