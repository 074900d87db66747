//! Numbers that mean what the caller says: which are black and white, how many
//! bits they have, and whether they are linear light.
//!
//! A row goes through in three steps, block by block: load as `f64`, map, store
//! as samples; and the same the other way. Each step is a loop without
//! branches, which the compiler turns into vector code. Only additions,
//! multiplications, divisions and square roots are used, which are the same on
//! every machine.

// Four lanes of several arrays, by their number.
#![allow(clippy::needless_range_loop)]

use std::fmt;

use super::order::{Order, reorder};
use super::{Endian, PixelFormat, Store};
use crate::ErrorKind;

/// What has been said of the numbers of a format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Numbers {
    /// Bits in a sample, in the least significant bits of its type.
    pub(super) bits: Option<u8>,
    /// Bits of two `f64`: what is black, and what is white.
    range: Option<[u64; 2]>,
    /// Bits in a sample of the saved file.
    pub(super) depth: Option<u8>,
    /// Whether colours are linear light.
    pub(super) linear: bool,
}

impl Numbers {
    pub(super) const PLAIN: Numbers = Numbers {
        bits: None,
        range: None,
        depth: None,
        linear: false,
    };

    pub(super) const fn set_range(&mut self, low: f64, high: f64) {
        // Two zeros are the same.
        self.range = Some([(low + 0.0).to_bits(), (high + 0.0).to_bits()]);
    }

    fn range(self) -> Option<[f64; 2]> {
        Some(self.range?.map(f64::from_bits))
    }

    /// What holds for alpha of what has been said.
    pub(super) fn of_alpha(self) -> Numbers {
        Numbers {
            range: None,
            linear: false,
            ..self
        }
    }

    /// Refuses what can't be said of this format.
    pub(super) fn check(self, format: PixelFormat) -> Result<(), ErrorKind> {
        let most_bits = match format.store {
            Store::U16(_) | Store::I16(_) => 16,
            Store::U32(_) => 32,
            _ => 0,
        };
        let is_float = matches!(format.store, Store::F32(_));
        let refused = |option| Err(ErrorKind::UnsupportedOption { option, format });
        if let Some([low, high]) = self.range() {
            if most_bits == 0 && !is_float {
                return refused("a range");
            }
            let scale = f64::from(u16::MAX) / (high - low);
            let finite = low.is_finite() && high.is_finite() && (high - low).is_finite();
            // What is written must be able to say which end it is.
            let [black, white] = [low as f32, high as f32];
            let finite = finite && (!is_float || black.is_finite() && white.is_finite());
            let apart = !is_float || black.to_bits() != white.to_bits();
            if !finite || !scale.is_finite() || !apart {
                let (black, white) = (low, high);
                return Err(ErrorKind::InvalidRange {
                    black,
                    white,
                    format,
                });
            }
        }
        match self.bits {
            Some(_) if most_bits == 0 => return refused("significant bits"),
            Some(bits) if bits == 0 || bits > most_bits => {
                return Err(ErrorKind::InvalidBits {
                    bits,
                    most: most_bits,
                    format,
                });
            }
            _ => {}
        }
        match self.depth {
            Some(_) if most_bits == 0 && !is_float => return refused("a bit depth"),
            Some(depth) if depth != 8 && depth != 16 => {
                return Err(ErrorKind::InvalidBitDepth { depth, format });
            }
            _ => {}
        }
        if self.linear && !is_float {
            return refused("linear light");
        }
        Ok(())
    }
}

/// As it follows the name of a format.
impl fmt::Display for Numbers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(bits) = self.bits {
            write!(f, " of {bits} significant bits")?;
        }
        if let Some([low, high]) = self.range() {
            // Not in hundreds of digits.
            let short = |end: f64| match end.abs() {
                0.0 | 1e-6..1e15 => format!("{end}"),
                _ => format!("{end:e}"),
            };
            write!(f, " from {} to {}", short(low), short(high))?;
        }
        if self.linear {
            write!(f, " linear")?;
        }
        if let Some(depth) = self.depth {
            write!(f, " saved with {depth} bits")?;
        }
        Ok(())
    }
}

/// Samples in a block: whole pixels of one to four of them.
const BLOCK: usize = 240;

/// Values of a block, with room to take them by fours to the end.
type Values = [f64; BLOCK];

/// How values become samples. Pixels of one or two samples are taken by fours
/// like those of four, hence four of each.
struct Mapping {
    order: Order,
    /// Which of four are alpha.
    alpha: [bool; 4],
    low: [f64; 4],
    /// Samples to a value.
    scale: [f64; 4],
    /// Values to a sample.
    step: [f64; 4],
    /// The largest sample.
    max: f64,
    /// The value of an opaque alpha, where colours have been multiplied by it.
    premultiplied: Option<f64>,
    /// Makes samples of integers that lie halfway go up: less than any other
    /// distance from halfway, and more than what is rounded off.
    bias: f64,
    linear: bool,
    /// What integers can hold.
    limits: [f64; 2],
}

impl Mapping {
    fn new(format: PixelFormat) -> Self {
        let numbers = format.numbers;
        let unsigned = |most: u8| {
            let bits = numbers.bits.unwrap_or(most).min(most);
            [0.0, ((1u64 << bits) - 1) as f64]
        };
        let full = match format.store {
            Store::U32(_) => unsigned(32),
            Store::I16(_) => {
                let half = f64::from(1u32 << (numbers.bits.unwrap_or(16).clamp(1, 16) - 1));
                [-half, half - 1.0]
            }
            Store::F32(_) => [0.0, 1.0],
            _ => unsigned(16),
        };
        let limits = match format.store {
            Store::F32(_) => [f64::NEG_INFINITY, f64::INFINITY],
            Store::U32(_) => [0.0, u32::MAX.into()],
            Store::I16(_) => [i16::MIN.into(), i16::MAX.into()],
            _ => [0.0, u16::MAX.into()],
        };
        let colours = numbers.range().unwrap_or(full);
        let alpha = match format.order.png() {
            super::Color::GrayAlpha => [false, true, false, true],
            super::Color::Rgba => [false, false, false, true],
            _ => [false; 4],
        };
        let max = f64::from(u16::MAX >> (16 - format.bit_depth()));
        let each = |value: &dyn Fn([f64; 2]) -> f64| {
            alpha.map(|is_alpha| value(if is_alpha { full } else { colours }))
        };
        Mapping {
            order: format.order,
            alpha,
            low: each(&|[low, _]| low),
            scale: each(&|[low, high]| max / (high - low)),
            step: each(&|[low, high]| (high - low) / max),
            max,
            premultiplied: format.premultiplied.then_some(full[1]),
            bias: match format.store {
                Store::U16(_) if format.premultiplied && numbers.range.is_none() => 1e-7,
                _ => 0.0,
            },
            linear: numbers.linear,
            limits,
        }
    }

    /// From values in the order of PNG to samples, not yet rounded.
    #[inline(always)]
    fn to_samples(&self, values: &mut [f64]) {
        let fours = values.as_chunks_mut::<4>().0;
        if let Some(opaque) = self.premultiplied {
            // What to multiply by, to divide by, and to add: 0 and black if
            // there is no alpha, or none that is a number.
            let straighten = |alpha: f64| {
                let clamped = if alpha < opaque { alpha } else { opaque };
                if alpha > 0.0 {
                    (opaque, clamped, 0.0)
                } else {
                    (0.0, opaque, self.low[0])
                }
            };
            let pairs = self.alpha[1];
            for four in &mut *fours {
                let (times_b, by_b, more_b) = straighten(four[3]);
                let (times_a, by_a, more_a) = if pairs {
                    straighten(four[1])
                } else {
                    (times_b, by_b, more_b)
                };
                let (times, by, more) = if pairs {
                    (
                        [times_a, opaque, times_b, opaque],
                        [by_a, opaque, by_b, opaque],
                        [more_a, 0.0, more_b, 0.0],
                    )
                } else {
                    (
                        [times_a, times_a, times_a, opaque],
                        [by_a, by_a, by_a, opaque],
                        [more_a, more_a, more_a, 0.0],
                    )
                };
                for i in 0..4 {
                    four[i] = four[i] * times[i] / by[i] + more[i];
                }
            }
        }
        for four in &mut *fours {
            for i in 0..4 {
                let sample = (four[i] - self.low[i]) * self.scale[i] + self.bias;
                let sample = if sample > 0.0 { sample } else { 0.0 };
                four[i] = if sample < self.max { sample } else { self.max };
            }
        }
        if self.linear {
            let share = 1.0 / self.max;
            for four in fours {
                for i in 0..4 {
                    let sample = encode_srgb(four[i] * share) * self.max;
                    four[i] = if self.alpha[i] { four[i] } else { sample };
                }
            }
        }
    }

    /// From samples to values in the order of PNG.
    #[inline(always)]
    fn to_values(&self, samples: &mut [f64]) {
        let fours = samples.as_chunks_mut::<4>().0;
        if self.linear {
            for four in &mut *fours {
                for i in 0..4 {
                    let sample = decode_srgb(four[i] / self.max) * self.max;
                    four[i] = if self.alpha[i] { four[i] } else { sample };
                }
            }
        }
        for four in &mut *fours {
            for i in 0..4 {
                four[i] = self.low[i] + four[i] * self.step[i];
            }
        }
        if let Some(opaque) = self.premultiplied {
            let share = 1.0 / opaque;
            let (pairs, whole) = (self.alpha[1], self.limits[0].is_finite());
            for four in fours {
                // By the alpha that memory will have.
                if whole {
                    four[1] = if pairs { nearest(four[1]) } else { four[1] };
                    four[3] = nearest(four[3]);
                }
                let (a, b) = if pairs {
                    (four[1] * share, four[3] * share)
                } else {
                    (four[3] * share, four[3] * share)
                };
                let factors = [a, if pairs { 1.0 } else { a }, b, 1.0];
                for i in 0..4 {
                    // There is one zero.
                    four[i] = four[i] * factors[i] + 0.0;
                }
            }
        }
    }
}

/// Writes packed pixels as PNG holds them.
#[inline(always)]
pub(super) fn to_png(format: PixelFormat, pixels: &[u8], png: &mut [u8]) {
    debug_assert_eq!(format.order.channels().len(), format.channels());
    let mapping = Mapping::new(format);
    let (size, depth) = (format.sample_size(), usize::from(format.bit_depth()));
    let mut values: Values = [0.0; BLOCK];
    let blocks = pixels.chunks(BLOCK * size);
    for (pixels, png) in blocks.zip(png.chunks_mut(BLOCK * depth / 8)) {
        let count = pixels.len() / size;
        load(format.store, pixels, &mut values);
        reorder_to_png(mapping.order, &mut values[..count]);
        mapping.to_samples(&mut values[..count.next_multiple_of(4)]);
        if depth == 8 {
            for (sample, value) in png.iter_mut().zip(&values) {
                *sample = round(*value) as u8;
            }
        } else {
            for (sample, value) in png.as_chunks_mut().0.iter_mut().zip(&values) {
                *sample = (round(*value) as u16).to_be_bytes();
            }
        }
    }
}

/// Writes what PNG holds as packed pixels.
#[inline(always)]
pub(super) fn from_png(format: PixelFormat, png: &[u8], pixels: &mut [u8]) {
    let mapping = Mapping::new(format);
    let (size, depth) = (format.sample_size(), usize::from(format.bit_depth()));
    let mut values: Values = [0.0; BLOCK];
    let blocks = pixels.chunks_mut(BLOCK * size);
    for (pixels, png) in blocks.zip(png.chunks(BLOCK * depth / 8)) {
        let count = pixels.len() / size;
        if depth == 8 {
            for (value, sample) in values.iter_mut().zip(png) {
                *value = f64::from(*sample);
            }
        } else {
            for (value, sample) in values.iter_mut().zip(png.as_chunks().0) {
                *value = f64::from(u16::from_be_bytes(*sample));
            }
        }
        mapping.to_values(&mut values[..count.next_multiple_of(4)]);
        reorder_from_png(mapping.order, &mut values[..count]);
        put(format.store, mapping.limits, &values, pixels);
    }
}

/// At this size numbers have no bits for fractions.
const WHOLE: f64 = (1u64 << 52) as f64;

/// The integer nearest to a number from 0 on, of two the even one, in the
/// lowest bits.
#[inline(always)]
fn round(value: f64) -> u64 {
    (value + WHOLE).to_bits()
}

/// The same as a number.
#[inline(always)]
fn nearest(value: f64) -> f64 {
    (value + WHOLE) - WHOLE
}

#[inline(always)]
fn load(store: Store, pixels: &[u8], values: &mut Values) {
    #[inline(always)]
    fn each<const N: usize>(pixels: &[u8], values: &mut Values, f: impl Fn([u8; N]) -> f64) {
        for (value, bytes) in values.iter_mut().zip(pixels.as_chunks().0) {
            *value = f(*bytes);
        }
    }
    match (store, is_big(store)) {
        (Store::I16(_), false) => each(pixels, values, |b| i16::from_le_bytes(b).into()),
        (Store::I16(_), true) => each(pixels, values, |b| i16::from_be_bytes(b).into()),
        (Store::U32(_), false) => each(pixels, values, |b| u32::from_le_bytes(b).into()),
        (Store::U32(_), true) => each(pixels, values, |b| u32::from_be_bytes(b).into()),
        (Store::F32(_), false) => each(pixels, values, |b| f32::from_le_bytes(b).into()),
        (Store::F32(_), true) => each(pixels, values, |b| f32::from_be_bytes(b).into()),
        (_, false) => each(pixels, values, |b| u16::from_le_bytes(b).into()),
        (_, true) => each(pixels, values, |b| u16::from_be_bytes(b).into()),
    }
}

#[inline(always)]
fn put(store: Store, limits: [f64; 2], values: &Values, pixels: &mut [u8]) {
    #[inline(always)]
    fn each<const N: usize>(values: &Values, pixels: &mut [u8], f: impl Fn(f64) -> [u8; N]) {
        for (bytes, value) in pixels.as_chunks_mut().0.iter_mut().zip(values) {
            *bytes = f(*value);
        }
    }
    /// Half as much again, so that negative ones have no fractions either.
    const SIGNED: f64 = WHOLE + WHOLE / 2.0;
    let whole = |value: f64| {
        let value = if value > limits[0] { value } else { limits[0] };
        let value = if value < limits[1] { value } else { limits[1] };
        (value + SIGNED).to_bits() as u32
    };
    match (store, is_big(store)) {
        (Store::I16(_), false) => each(values, pixels, |v| (whole(v) as i16).to_le_bytes()),
        (Store::I16(_), true) => each(values, pixels, |v| (whole(v) as i16).to_be_bytes()),
        (Store::U32(_), false) => each(values, pixels, |v| whole(v).to_le_bytes()),
        (Store::U32(_), true) => each(values, pixels, |v| whole(v).to_be_bytes()),
        (Store::F32(_), false) => each(values, pixels, |v| (v as f32).to_le_bytes()),
        (Store::F32(_), true) => each(values, pixels, |v| (v as f32).to_be_bytes()),
        (_, false) => each(values, pixels, |v| (whole(v) as u16).to_le_bytes()),
        (_, true) => each(values, pixels, |v| (whole(v) as u16).to_be_bytes()),
    }
}

fn is_big(store: Store) -> bool {
    let endian = match store {
        Store::U16(endian) | Store::I16(endian) | Store::U32(endian) | Store::F32(endian) => endian,
        _ => Endian::Native,
    };
    endian.is_big()
}

/// Brings samples from their order in memory into the order of PNG. Numbers
/// have no padding.
#[inline(always)]
fn reorder_to_png(order: Order, values: &mut [f64]) {
    macro_rules! arm {
        ($memory:tt $png:tt) => {
            each_pixel(values, |$memory: [f64; _]| $png)
        };
        ($memory:tt $png:tt; $padding:ident) => {
            ()
        };
    }
    reorder!(order, arm, ());
}

/// Brings samples from the order of PNG into their order in memory.
#[inline(always)]
fn reorder_from_png(order: Order, values: &mut [f64]) {
    macro_rules! arm {
        ($memory:tt $png:tt) => {
            each_pixel(values, |$png: [f64; _]| $memory)
        };
        ($memory:tt $png:tt; $padding:ident) => {
            ()
        };
    }
    reorder!(order, arm, ());
}

#[inline(always)]
fn each_pixel<const N: usize>(values: &mut [f64], f: impl Fn([f64; N]) -> [f64; N]) {
    for pixel in values.as_chunks_mut().0 {
        *pixel = f(*pixel);
    }
}

/// Linear light to sRGB, both from 0 to 1 (IEC 61966-2-1), as exact as an
/// `f64` can be but for some last bits.
#[inline(always)]
fn encode_srgb(light: f64) -> f64 {
    // light^(1/2.4) = root^(5/6) = root * root^(-1/6)
    let root = light.sqrt();
    // Within 2 % from the lowest value that is used up, then by Newton's
    // method, each step of which doubles the digits.
    let mut sixth = 1.721_294 - root * (2.672_531 - root * (3.809_034 - root * 1.878_652));
    for _ in 0..4 {
        let square = sixth * sixth;
        sixth *= (7.0 - root * (square * square * square)) * (1.0 / 6.0);
    }
    let curve = 1.055 * (root * sixth) - 0.055;
    if light <= 0.003_130_8 {
        12.92 * light
    } else {
        curve
    }
}

/// And back.
#[inline(always)]
fn decode_srgb(sample: f64) -> f64 {
    // base^2.4 = base^2 * (base^2)^(1/5)
    let base = (sample + 0.055) / 1.055;
    let square = base * base;
    let mut fifth = 0.409_047 + square * (1.730_245 - 1.247_493 * square);
    for _ in 0..4 {
        let power = fifth * fifth * fifth * fifth * fifth;
        fifth = fifth * (2.0 * power + 3.0 * square) / (3.0 * power + 2.0 * square);
    }
    if sample <= 0.040_45 {
        sample / 12.92
    } else {
        square * fifth
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_curve_of_srgb() {
        for i in 0..=100_000 {
            let x = f64::from(i) / 100_000.0;
            let encoded = if x <= 0.003_130_8 {
                12.92 * x
            } else {
                1.055 * x.powf(1.0 / 2.4) - 0.055
            };
            assert!((encode_srgb(x) - encoded).abs() < 1e-12, "{x}");
            let decoded = if x <= 0.040_45 {
                x / 12.92
            } else {
                ((x + 0.055) / 1.055).powf(2.4)
            };
            assert!((decode_srgb(x) - decoded).abs() < 1e-12, "{x}");
        }
    }
}
