//! Linear light as samples of sRGB, a block of values at a time.
//!
//! A sample is what [`encode_srgb`] gives, rounded. Its powers take time. So a
//! block is first encoded with the help of a table, by an approximation that
//! knows its greatest error. If no value of the block is so near to a tie that
//! rounding could go the other way, the samples are right. Else the block is
//! encoded again, by [`encode_srgb`]. That happens to one block in a hundred.
//!
//! The tables are constants: 8 KiB and 4 KiB of the program.

use super::mapping::{BLOCK, NO_FRACTION, round_to_bits};
use super::srgb::{decode_srgb, encode_srgb};

/// Writes values from 0 to `max`, which are linear, as samples of sRGB from 0 to
/// `max`. There are at most [`BLOCK`] values, and as many samples.
#[inline(always)]
pub(super) fn encode(values: &[f64], max: f64, samples: &mut [u16]) {
    let near_tie = if max as u16 == 255 {
        encode_by_cells(values, samples)
    } else {
        encode_by_series(values, max, samples)
    };
    if near_tie {
        let inverse = 1.0 / max;
        for (sample, value) in samples.iter_mut().zip(values) {
            *sample = round_to_bits(encode_srgb(value * inverse) * max) as u16;
        }
    }
}

/// The bits of an `f32` below the index of its cell.
const BELOW: u32 = 16;

/// The bits of a sum of a cell and the bits below its index. The highest of them
/// is free for a carry.
const SUM: u32 = BELOW + 1;

/// For each cell, which is a 128th of an octave, the sample of 8 bits there. No
/// cell has more than two samples. The index is made of the lowest four bits of
/// the exponent of an `f32` and the highest seven of the fraction. If the bits of
/// an `f32` below the index are added to the element of the cell, the sample is
/// above the lowest [`SUM`] bits: in the middle of a cell with two samples, there
/// is a carry. At the carry, and one `f32` before, these bits are all 0 or all 1.
static CELLS: [u32; 2048] = {
    let mut cells = [0; 2048];
    let mut sample = 0;
    let mut i = 0;
    while i < cells.len() {
        // Without a carry, the sum stays away from both ends.
        cells[i] = sample << SUM | 1 << (BELOW - 1);
        // The first `f32` of the next sample.
        let tie = decode_srgb((sample as f64 + 0.5) / 255.0);
        let below = (tie as f32).to_bits();
        let next = below + ((f32::from_bits(below) as f64) < tie) as u32;
        if next >> BELOW == DARKEST.to_bits() >> BELOW | i as u32 {
            sample += 1;
            cells[i] = (sample << SUM) - (next & ((1 << BELOW) - 1));
        }
        i += 1;
    }
    cells
};

/// The light of the first cell. Less light has the same sample, which is 0.
const DARKEST: f32 = 1.0 / (1 << 15) as f32;

/// Encodes samples of 8 bits. Returns whether a value may be near a tie.
#[inline(always)]
fn encode_by_cells(values: &[f64], samples: &mut [u16]) -> bool {
    let mut sums = [0; BLOCK];
    let sums = &mut sums[..values.len()];
    for (sum, value) in sums.iter_mut().zip(values) {
        let light = (value * (1.0 / 255.0)) as f32;
        let light = if light > DARKEST { light } else { DARKEST };
        *sum = light.to_bits();
    }
    for sum in &mut *sums {
        let cell = CELLS[(*sum >> BELOW) as usize % CELLS.len()];
        *sum = cell + (*sum & ((1 << BELOW) - 1));
    }
    // The highest bit is set by the lowest bits of a sum that are all 0 or all 1.
    let mut near_tie = 0;
    for (sample, sum) in samples.iter_mut().zip(&*sums) {
        *sample = (sum >> SUM) as u16;
        near_tie |= ((sum + 1) & ((1 << SUM) - 2)).wrapping_sub(1);
    }
    near_tie >> 31 != 0
}

/// For each interval, which is a sixteenth of an octave: the inverse of its
/// middle, and `1.055 * middle^(5/12)`. The index is made of the lowest four bits
/// of the exponent of an `f64` and the highest four of the fraction. Only light
/// above the linear segment of the curve needs the nine octaves below 1, and the
/// interval of 1.
static INTERVALS: [[f64; 2]; 256] = {
    let mut intervals = [[0.0; 2]; 256];
    let first = 1.0 / (1 << 15) as f64;
    let mut i = 0;
    while i < intervals.len() {
        let middle = f64::from_bits(first.to_bits() | (i as u64) << 48 | 1 << 47);
        // Newton's method for the twelfth root, from above.
        let mut root = 1.1;
        let mut steps = 0;
        while steps < 60 {
            let cube = root * root * root;
            root -= (root - middle / (cube * cube * cube * root * root)) / 12.0;
            steps += 1;
        }
        intervals[i] = [1.0 / middle, 1.055 * (root * root * root * root * root)];
        i += 1;
    }
    intervals
};

/// The terms of a polynomial for `(1 + x)^(5/12)`, of which the first is 1, where
/// `x` is at most 1/32. They are those of the binomial series. The fifth is
/// replaced by the nearest polynomial of degree 3 (a Chebyshev polynomial less its
/// first term), which is sixteen times as near as nothing.
const TERMS: [f64; 4] = {
    const SQUARE: f64 = 1.0 / (32.0 * 32.0);
    let mut series = [1.0; 6];
    let mut i = 0;
    while i < 5 {
        series[i + 1] = series[i] * (5.0 / 12.0 - i as f64) / (i + 1) as f64;
        i += 1;
    }
    let [_, first, second, third, fourth, fifth] = series;
    [
        first - fifth * (5.0 / 16.0) * SQUARE * SQUARE,
        second,
        third + fifth * (5.0 / 4.0) * SQUARE,
        fourth,
    ]
};

/// More than the difference between [`approximate_srgb`] and [`encode_srgb`].
const TOLERANCE: f64 = 2e-10;

/// Returns about what [`encode_srgb`] returns for light in this interval.
#[inline(always)]
fn approximate_srgb(light: f64, [inverse, power]: [f64; 2]) -> f64 {
    let x = light * inverse - 1.0;
    let series = 1.0 + x * (TERMS[0] + x * (TERMS[1] + x * (TERMS[2] + x * TERMS[3])));
    let curve = power * series - 0.055;
    if light <= 0.003_130_8 {
        12.92 * light
    } else {
        curve
    }
}

/// Encodes samples of any depth. Returns whether a value may be near a tie.
#[inline(always)]
fn encode_by_series(values: &[f64], max: f64, samples: &mut [u16]) -> bool {
    let inverse = 1.0 / max;
    let mut indices = [0; BLOCK];
    let indices = &mut indices[..values.len()];
    for (index, value) in indices.iter_mut().zip(values) {
        *index = ((value * inverse).to_bits() >> 48) as u8;
    }
    let mut intervals = [[0.0; 2]; BLOCK];
    for (interval, index) in intervals.iter_mut().zip(&*indices) {
        *interval = INTERVALS[usize::from(*index)];
    }
    // Positive numbers compare as their bits do. The highest bit is set by a
    // distance that is larger than the largest.
    let largest = (0.5 - TOLERANCE * max).to_bits();
    let mut near_tie = 0;
    for ((sample, interval), value) in samples.iter_mut().zip(&intervals).zip(values) {
        let encoded = approximate_srgb(value * inverse, *interval) * max;
        let rounded = encoded + NO_FRACTION;
        let distance = (encoded - (rounded - NO_FRACTION)).abs();
        *sample = rounded.to_bits() as u16;
        near_tie |= largest.wrapping_sub(distance.to_bits());
    }
    near_tie >> 63 != 0
}

#[cfg(test)]
mod tests {
    use super::super::binary16;
    use super::*;

    /// Returns the sample by the definition.
    fn by_definition(value: f64, max: f64) -> u16 {
        round_to_bits(encode_srgb(value * (1.0 / max)) * max) as u16
    }

    /// An encoder of this module, and the largest sample it is checked for.
    type Encoder = (fn(&[f64], f64, &mut [u16]) -> bool, f64);

    const ENCODERS: [Encoder; 6] = [
        (|values, _, samples| encode_by_cells(values, samples), 255.0),
        (encode_by_series, 65535.0),
        (encode_by_series, 255.0),
        (encode_by_series, 15.0),
        (encode_by_series, 3.0),
        (encode_by_series, 1.0),
    ];

    /// Checks that samples are right, unless the encoder says that one of the
    /// values is near a tie. Then checks each of them alone. Returns how many are
    /// near a tie.
    fn check((encode_fast, max): Encoder, values: &[f64]) -> usize {
        let mut samples = [0; BLOCK];
        if encode_fast(values, max, &mut samples[..values.len()]) {
            return match values {
                [_] => 1,
                _ => values
                    .chunks(1)
                    .map(|one| check((encode_fast, max), one))
                    .sum(),
            };
        }
        for (sample, value) in samples.iter().zip(values) {
            assert_eq!(*sample, by_definition(*value, max), "{value} of {max}");
        }
        0
    }

    /// Checks light. Few values may be near a tie: one in `rare`.
    fn check_all(light: &(impl Iterator<Item = f64> + Clone), rare: usize) {
        for encoder in ENCODERS {
            let (mut count, mut near) = (0, 0);
            let mut values = light.clone().map(|light| light * encoder.1).peekable();
            while values.peek().is_some() {
                let block: Vec<f64> = values.by_ref().take(BLOCK).collect();
                count += block.len();
                near += check(encoder, &block);
            }
            assert!(near <= count / rare, "{near} of {count} for {}", encoder.1);
        }
    }

    #[test]
    fn every_f16() {
        let all = (0..=0x3c00).map(binary16::decode);
        check_all(&all, 2000);
    }

    #[test]
    fn every_u16() {
        check_all(&(0..=u16::MAX).map(|i| f64::from(i) / 65535.0), 2000);
    }

    /// Returns the first `f32` of a sample.
    fn first(sample: u16, max: f64) -> f32 {
        let value = |bits| f64::from(f32::from_bits(bits)) * max;
        let (mut low, mut high) = (0, 1f32.to_bits());
        while low < high {
            let middle = u32::midpoint(low, high);
            if by_definition(value(middle), max) < sample {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        f32::from_bits(low)
    }

    /// Where samples change: the first `f32` of a sample and its neighbors, the
    /// `f64` half-way between them, and their neighbors.
    #[test]
    fn every_change() {
        for encoder in ENCODERS {
            let max = encoder.1;
            let every = if cfg!(miri) { 1000 } else { 1 };
            for sample in (1..=max as u16).step_by(every) {
                let at = first(sample, max);
                let mut values = Vec::new();
                for f32 in [at.next_down().next_down(), at.next_down(), at, at.next_up()] {
                    let above = f64::midpoint(f32.into(), f32.next_up().into());
                    for light in [f32.into(), above] {
                        values.extend([light.next_down(), light, light.next_up()]);
                    }
                }
                for value in values.into_iter().filter(|value| *value <= 1.0) {
                    let value = value * max;
                    check(encoder, &[value]);
                    let mut samples = [0];
                    encode(&[value], max, &mut samples);
                    assert_eq!(samples[0], by_definition(value, max), "{value} of {max}");
                }
            }
        }
    }

    /// A block with one value near a tie is encoded by the definition.
    #[test]
    fn one_value_near_a_tie() {
        for max in [1.0, 3.0, 15.0, 255.0, 65535.0] {
            for sample in (1..=max as u16).step_by(1 + max as usize / 500) {
                let below = f64::from(first(sample, max).next_down());
                let (mut low, mut high) = (below, f64::from(first(sample, max)));
                while low.next_up() < high {
                    let middle = f64::midpoint(low, high);
                    if by_definition(middle * max, max) < sample {
                        low = middle;
                    } else {
                        high = middle;
                    }
                }
                let values: Vec<f64> = (0..BLOCK)
                    .map(|i| match i {
                        77 => low * max,
                        78 => high * max,
                        _ => i as f64 / BLOCK as f64 * max,
                    })
                    .collect();
                let mut samples = [0; BLOCK];
                encode(&values, max, &mut samples);
                for (sample, value) in samples.iter().zip(values) {
                    assert_eq!(*sample, by_definition(value, max), "{value} of {max}");
                }
            }
        }
    }

    /// Every `f32` up to 1: for 8 bits from where all samples are 0, for 16 bits from
    /// the linear segment of the curve, where the approximation is no other formula.
    #[test]
    #[cfg_attr(miri, ignore = "takes hours")]
    fn every_f32() {
        for (encoder, from) in [(ENCODERS[0], 1.0f32 / 8192.0), (ENCODERS[1], 0.003)] {
            let mut bits = from.to_bits();
            while bits <= 1f32.to_bits() {
                let block: [f64; BLOCK] = std::array::from_fn(|i| {
                    let bits = (bits + i as u32).min(1f32.to_bits());
                    f64::from(f32::from_bits(bits)) * encoder.1
                });
                check(encoder, &block);
                bits += BLOCK as u32;
            }
        }
    }

    #[test]
    fn the_approximation_is_near() {
        for i in 0..=1_000_000 {
            let light = f64::from(i) / 1e6;
            let interval = INTERVALS[usize::from((light.to_bits() >> 48) as u8)];
            let difference = approximate_srgb(light, interval) - encode_srgb(light);
            assert!(difference.abs() < TOLERANCE / 2.0, "{light}: {difference}");
        }
    }
}
