//! Conversion of rows by the options of a [`ValueMap`](super::value_map::ValueMap).
//!
//! A row is converted block by block, in three steps: load the values as `f64`,
//! map them, store them as samples. The other direction has the same steps.
//! Each step is a loop without branches, which the compiler turns into vector
//! code. The steps use only additions, multiplications, divisions and square
//! roots, whose results are the same on every machine.

#![expect(
    clippy::needless_range_loop,
    reason = "one index counts the lanes of several arrays"
)]

use png::ColorType;

use super::bits::{BitOrder, pack, unpack};
use super::order::{Order, reorder};
use super::srgb::decode_srgb;
use super::{Endian, PixelFormat, Storage, binary16, linear};

/// Samples in a block: a multiple of 1, 2, 3 and 4, so that a block holds whole
/// pixels, and of 8, so that it begins with a byte of the file.
pub(super) const BLOCK: usize = 240;

/// The values of a block. Their number is a multiple of four, so that a loop
/// over groups of four reaches the last one.
type Values = [f64; BLOCK];

/// The factors of a conversion between values and samples.
///
/// The values of a row are converted in groups of four, whatever the number of
/// samples in a pixel. Each array has one element for each lane of a group. A
/// group is one pixel of four samples, two pixels of two, or four pixels of one.
/// Pixels of three samples have no alpha, and the same factors in all lanes.
struct Conversion {
    order: Order,
    /// Whether the lane is alpha.
    alpha: [bool; 4],
    /// Whether all lanes have the same factors.
    uniform: bool,
    /// The value of sample 0.
    low: [f64; 4],
    /// The factor from values to samples.
    scale: [f64; 4],
    /// The factor from samples to values.
    step: [f64; 4],
    /// The largest sample.
    max: f64,
    /// The value of opaque alpha, if colors are premultiplied.
    premultiplied: Option<f64>,
    /// The summand that makes ties of premultiplied integers round up, else 0.
    /// It is larger than the rounding errors, and smaller than the distance of
    /// any other sample from a tie.
    bias: f64,
    linear: bool,
    /// The smallest and the largest value that memory can hold.
    limits: [f64; 2],
}

impl Conversion {
    fn new(format: PixelFormat) -> Self {
        let value_map = format.value_map;
        let unsigned = |type_bits: u8| {
            let bits = value_map.bits.unwrap_or(type_bits).min(type_bits);
            [0.0, ((1u64 << bits) - 1) as f64]
        };
        let signed = |type_bits: u8| {
            let bits = value_map.bits.unwrap_or(type_bits).clamp(1, type_bits);
            let half = f64::from(1u32 << (bits - 1));
            [-half, half - 1.0]
        };
        let full = match format.storage {
            Storage::U32(_) => unsigned(32),
            Storage::I8 => signed(8),
            Storage::I16(_) => signed(16),
            Storage::I32(_) => signed(32),
            Storage::F16(_) | Storage::F32(_) | Storage::F64(_) => [0.0, 1.0],
            _ => unsigned(16),
        };
        let limits = match format.storage {
            Storage::F16(_) | Storage::F32(_) | Storage::F64(_) => {
                [f64::NEG_INFINITY, f64::INFINITY]
            }
            Storage::U32(_) => [0.0, u32::MAX.into()],
            Storage::I8 => [i8::MIN.into(), i8::MAX.into()],
            Storage::I16(_) => [i16::MIN.into(), i16::MAX.into()],
            Storage::I32(_) => [i32::MIN.into(), i32::MAX.into()],
            _ => [0.0, u16::MAX.into()],
        };
        let [black, white] = value_map.range().unwrap_or(full);
        let colors = if value_map.inverted {
            [white, black]
        } else {
            [black, white]
        };
        let alpha = match format.order.color_type() {
            ColorType::GrayscaleAlpha => [false, true, false, true],
            ColorType::Rgba => [false, false, false, true],
            _ => [false; 4],
        };
        let max = f64::from(u16::MAX >> (16 - format.bit_depth()));
        let for_lanes = |value: &dyn Fn([f64; 2]) -> f64| {
            alpha.map(|is_alpha| value(if is_alpha { full } else { colors }))
        };
        Conversion {
            order: format.order,
            alpha,
            uniform: !alpha[3] || colors.map(f64::to_bits) == full.map(f64::to_bits),
            low: for_lanes(&|[low, _]| low),
            scale: for_lanes(&|[low, high]| max / (high - low)),
            step: for_lanes(&|[low, high]| (high - low) / max),
            max,
            premultiplied: format.premultiplied.then_some(full[1]),
            bias: match format.storage {
                Storage::U16(_) if format.premultiplied && value_map.range.is_none() => 1e-7,
                _ => 0.0,
            },
            linear: value_map.linear,
            limits,
        }
    }

    /// Converts values, in the order of PNG, to samples that are neither rounded
    /// nor encoded as sRGB.
    #[inline(always)]
    fn to_samples(&self, values: &mut [f64]) {
        let groups = values.as_chunks_mut::<4>().0;
        if let Some(opaque) = self.premultiplied {
            // Returns the factor, the divisor and the summand of the colors. If
            // alpha is 0 or NaN, the colors become black.
            let straighten = |alpha: f64| {
                let clamped = if alpha < opaque { alpha } else { opaque };
                if alpha > 0.0 {
                    (opaque, clamped, 0.0)
                } else {
                    (0.0, opaque, self.low[0])
                }
            };
            // Whether a group holds two pixels of gray and alpha.
            let pairs = self.alpha[1];
            for group in &mut *groups {
                let (factor_b, divisor_b, summand_b) = straighten(group[3]);
                let (factor_a, divisor_a, summand_a) = if pairs {
                    straighten(group[1])
                } else {
                    (factor_b, divisor_b, summand_b)
                };
                let (factors, divisors, summands) = if pairs {
                    (
                        [factor_a, opaque, factor_b, opaque],
                        [divisor_a, opaque, divisor_b, opaque],
                        [summand_a, 0.0, summand_b, 0.0],
                    )
                } else {
                    (
                        [factor_a, factor_a, factor_a, opaque],
                        [divisor_a, divisor_a, divisor_a, opaque],
                        [summand_a, summand_a, summand_a, 0.0],
                    )
                };
                for i in 0..4 {
                    group[i] = group[i] * factors[i] / divisors[i] + summands[i];
                }
            }
        }
        if self.uniform {
            for value in values {
                *value = self.clamp((*value - self.low[0]) * self.scale[0]);
            }
        } else {
            for group in groups {
                for i in 0..4 {
                    group[i] = self.clamp((group[i] - self.low[i]) * self.scale[i]);
                }
            }
        }
    }

    #[inline(always)]
    fn clamp(&self, sample: f64) -> f64 {
        let sample = sample + self.bias;
        let sample = if sample > 0.0 { sample } else { 0.0 };
        if sample < self.max { sample } else { self.max }
    }

    /// Encodes linear samples as rounded samples of sRGB. Rounds alpha.
    #[inline(always)]
    fn encode_linear(&self, values: &[f64], samples: &mut [u16]) {
        linear::encode(values, self.max, samples);
        if self.alpha[3] {
            // All ones for alpha.
            let mask: [u16; 8] = std::array::from_fn(|i| if self.alpha[i % 4] { !0 } else { 0 });
            let groups = samples.as_chunks_mut::<8>().0.iter_mut();
            for (samples, values) in groups.zip(values.as_chunks::<8>().0) {
                for i in 0..8 {
                    let alpha = round_to_bits(values[i]) as u16;
                    samples[i] = samples[i] & !mask[i] | alpha & mask[i];
                }
            }
        }
    }

    /// Converts samples to values, in the order of PNG.
    #[inline(always)]
    fn to_values(&self, samples: &mut [f64]) {
        let groups = samples.as_chunks_mut::<4>().0;
        if self.linear {
            for group in &mut *groups {
                for i in 0..4 {
                    let sample = decode_srgb(group[i] / self.max) * self.max;
                    group[i] = if self.alpha[i] { group[i] } else { sample };
                }
            }
        }
        for group in &mut *groups {
            for i in 0..4 {
                group[i] = self.low[i] + group[i] * self.step[i];
            }
        }
        if let Some(opaque) = self.premultiplied {
            let inverse = 1.0 / opaque;
            let (pairs, integers) = (self.alpha[1], self.limits[0].is_finite());
            for group in groups {
                // Multiplies by alpha as memory will hold it, which is rounded.
                if integers {
                    group[1] = if pairs { round(group[1]) } else { group[1] };
                    group[3] = round(group[3]);
                }
                let (a, b) = if pairs {
                    (group[1] * inverse, group[3] * inverse)
                } else {
                    (group[3] * inverse, group[3] * inverse)
                };
                let factors = [a, if pairs { 1.0 } else { a }, b, 1.0];
                for i in 0..4 {
                    // Adding 0.0 turns -0.0 into 0.0.
                    group[i] = group[i] * factors[i] + 0.0;
                }
            }
        }
    }
}

/// Writes packed pixels as the samples of PNG.
#[inline(always)]
pub(super) fn to_png(format: PixelFormat, pixels: &[u8], png: &mut [u8]) {
    let conversion = Conversion::new(format);
    let (size, depth) = (format.sample_size(), usize::from(format.bit_depth()));
    let mut values: Values = [0.0; BLOCK];
    let mut samples = [0; BLOCK];
    let blocks = pixels.chunks(BLOCK * size);
    for (pixels, png) in blocks.zip(png.chunks_mut(png_samples(format, BLOCK) * depth / 8)) {
        load(format.storage, pixels, &mut values);
        let count = pixels.len() / size;
        reorder_to_png(conversion.order, &mut values[..count]);
        let count = png_samples(format, count);
        let values = &mut values[..count.next_multiple_of(8)];
        conversion.to_samples(values);
        if conversion.linear {
            let samples = &mut samples[..values.len()];
            conversion.encode_linear(values, samples);
            store_samples(depth, samples[..count].iter().copied(), png);
        } else {
            let samples = values[..count].iter();
            let samples = samples.map(|value| round_to_bits(*value) as u16);
            store_samples(depth, samples, png);
        }
    }
}

/// Writes at most [`BLOCK`] samples of this depth.
#[inline(always)]
fn store_samples(depth: usize, samples: impl Iterator<Item = u16>, png: &mut [u8]) {
    match depth {
        1 | 2 | 4 => {
            let mut levels = [0; BLOCK];
            for (level, sample) in levels.iter_mut().zip(samples) {
                *level = sample as u8;
            }
            // Bits of the last byte that belong to no pixel become 0.
            let count = (png.len() * 8 / depth).min(BLOCK);
            png.fill(0);
            pack(depth as u8, BitOrder::Msb, &levels[..count], 0, png);
        }
        8 => {
            for (byte, sample) in png.iter_mut().zip(samples) {
                *byte = sample as u8;
            }
        }
        _ => {
            for (bytes, sample) in png.as_chunks_mut().0.iter_mut().zip(samples) {
                *bytes = sample.to_be_bytes();
            }
        }
    }
}

/// Writes the samples of PNG as packed pixels.
#[inline(always)]
pub(super) fn from_png(format: PixelFormat, png: &[u8], pixels: &mut [u8]) {
    let conversion = Conversion::new(format);
    let (size, depth) = (format.sample_size(), usize::from(format.bit_depth()));
    let mut values: Values = [0.0; BLOCK];
    let blocks = pixels.chunks_mut(BLOCK * size);
    for (pixels, png) in blocks.zip(png.chunks(png_samples(format, BLOCK) * depth / 8)) {
        let count = pixels.len() / size;
        match depth {
            1 | 2 | 4 => {
                let mut samples = [0; BLOCK];
                unpack(depth as u8, BitOrder::Msb, png, 0, &mut samples[..count]);
                for (value, sample) in values.iter_mut().zip(&samples) {
                    *value = f64::from(*sample);
                }
            }
            8 => {
                for (value, sample) in values.iter_mut().zip(png) {
                    *value = f64::from(*sample);
                }
            }
            _ => {
                for (value, sample) in values.iter_mut().zip(png.as_chunks().0) {
                    *value = f64::from(u16::from_be_bytes(*sample));
                }
            }
        }
        let png_count = png_samples(format, count);
        conversion.to_values(&mut values[..png_count.next_multiple_of(4)]);
        reorder_from_png(conversion.order, &mut values[..count]);
        store(format.storage, conversion.limits, &values, pixels);
    }
}

/// Returns the number of samples in PNG of pixels that have `count` samples in
/// memory, with padding.
#[inline(always)]
fn png_samples(format: PixelFormat, count: usize) -> usize {
    count / format.order.channels().len() * format.channels()
}

/// An `f64` of this size has no fraction bits, so that adding it rounds to an
/// integer.
pub(super) const NO_FRACTION: f64 = (1u64 << 52) as f64;

/// Rounds a value of at least 0 to the nearest integer, ties to even. Returns
/// the integer in the lowest bits; the highest bits have no meaning.
#[inline(always)]
pub(super) fn round_to_bits(value: f64) -> u64 {
    (value + NO_FRACTION).to_bits()
}

/// Rounds a value of at least 0 to the nearest integer, ties to even.
#[inline(always)]
fn round(value: f64) -> f64 {
    (value + NO_FRACTION) - NO_FRACTION
}

#[inline(always)]
fn load(storage: Storage, pixels: &[u8], values: &mut Values) {
    #[inline(always)]
    fn each<const N: usize>(pixels: &[u8], values: &mut Values, f: impl Fn([u8; N]) -> f64) {
        for (value, bytes) in values.iter_mut().zip(pixels.as_chunks().0) {
            *value = f(*bytes);
        }
    }
    match (storage, is_big(storage)) {
        (Storage::I8, _) => each(pixels, values, |b| i8::from_ne_bytes(b).into()),
        (Storage::I16(_), false) => each(pixels, values, |b| i16::from_le_bytes(b).into()),
        (Storage::I16(_), true) => each(pixels, values, |b| i16::from_be_bytes(b).into()),
        (Storage::U32(_), false) => each(pixels, values, |b| u32::from_le_bytes(b).into()),
        (Storage::U32(_), true) => each(pixels, values, |b| u32::from_be_bytes(b).into()),
        (Storage::I32(_), false) => each(pixels, values, |b| i32::from_le_bytes(b).into()),
        (Storage::I32(_), true) => each(pixels, values, |b| i32::from_be_bytes(b).into()),
        (Storage::F16(_), false) => {
            each(pixels, values, |b| binary16::decode(u16::from_le_bytes(b)));
        }
        (Storage::F16(_), true) => {
            each(pixels, values, |b| binary16::decode(u16::from_be_bytes(b)));
        }
        (Storage::F32(_), false) => each(pixels, values, |b| f32::from_le_bytes(b).into()),
        (Storage::F32(_), true) => each(pixels, values, |b| f32::from_be_bytes(b).into()),
        (Storage::F64(_), false) => each(pixels, values, f64::from_le_bytes),
        (Storage::F64(_), true) => each(pixels, values, f64::from_be_bytes),
        (_, false) => each(pixels, values, |b| u16::from_le_bytes(b).into()),
        (_, true) => each(pixels, values, |b| u16::from_be_bytes(b).into()),
    }
}

#[inline(always)]
fn store(storage: Storage, limits: [f64; 2], values: &Values, pixels: &mut [u8]) {
    #[inline(always)]
    fn each<const N: usize>(values: &Values, pixels: &mut [u8], f: impl Fn(f64) -> [u8; N]) {
        for (bytes, value) in pixels.as_chunks_mut().0.iter_mut().zip(values) {
            *bytes = f(*value);
        }
    }
    /// Stays above `NO_FRACTION` when a negative value is added.
    const NO_FRACTION_SIGNED: f64 = NO_FRACTION + NO_FRACTION / 2.0;
    let integer = |value: f64| {
        let value = if value > limits[0] { value } else { limits[0] };
        let value = if value < limits[1] { value } else { limits[1] };
        (value + NO_FRACTION_SIGNED).to_bits() as u32
    };
    match (storage, is_big(storage)) {
        (Storage::I8, _) => each(values, pixels, |v| [integer(v) as u8]),
        (Storage::I16(_), false) => each(values, pixels, |v| (integer(v) as i16).to_le_bytes()),
        (Storage::I16(_), true) => each(values, pixels, |v| (integer(v) as i16).to_be_bytes()),
        (Storage::U32(_) | Storage::I32(_), false) => {
            each(values, pixels, |v| integer(v).to_le_bytes());
        }
        (Storage::U32(_) | Storage::I32(_), true) => {
            each(values, pixels, |v| integer(v).to_be_bytes());
        }
        (Storage::F16(_), false) => each(values, pixels, |v| binary16::encode(v).to_le_bytes()),
        (Storage::F16(_), true) => each(values, pixels, |v| binary16::encode(v).to_be_bytes()),
        (Storage::F32(_), false) => each(values, pixels, |v| (v as f32).to_le_bytes()),
        (Storage::F32(_), true) => each(values, pixels, |v| (v as f32).to_be_bytes()),
        (Storage::F64(_), false) => each(values, pixels, f64::to_le_bytes),
        (Storage::F64(_), true) => each(values, pixels, f64::to_be_bytes),
        (_, false) => each(values, pixels, |v| (integer(v) as u16).to_le_bytes()),
        (_, true) => each(values, pixels, |v| (integer(v) as u16).to_be_bytes()),
    }
}

fn is_big(storage: Storage) -> bool {
    let endian = match storage {
        Storage::U16(endian)
        | Storage::I16(endian)
        | Storage::U32(endian)
        | Storage::I32(endian)
        | Storage::F16(endian)
        | Storage::F32(endian)
        | Storage::F64(endian) => endian,
        _ => Endian::Native,
    };
    endian.is_big()
}

/// Brings values from their order in memory into the order of PNG. Values of
/// PNG begin at the start of `values` as well; padding is dropped.
#[inline(always)]
fn reorder_to_png(order: Order, values: &mut [f64]) {
    macro_rules! arm {
        ($memory:tt $png:tt) => {
            each_pixel(values, |$memory: [f64; _]| $png)
        };
        ($memory:tt $png:tt; $padding:ident) => {
            drop_padding(values, |$memory: [f64; 4]| {
                let _ = $padding;
                $png
            })
        };
    }
    reorder!(order, arm, ());
}

/// Brings values from the order of PNG into their order in memory. The
/// counterpart of [`reorder_to_png`].
#[inline(always)]
fn reorder_from_png(order: Order, values: &mut [f64]) {
    macro_rules! arm {
        ($memory:tt $png:tt) => {
            each_pixel(values, |$png: [f64; _]| $memory)
        };
        ($memory:tt $png:tt; $padding:ident) => {
            add_padding(values, |$png: [f64; 3]| {
                let $padding = PADDING;
                $memory
            })
        };
    }
    reorder!(order, arm, ());
}

/// The value of padding, whose bits are all ones. Only formats with 16-bit
/// samples have padding.
const PADDING: f64 = u16::MAX as f64;

#[inline(always)]
fn each_pixel<const N: usize>(values: &mut [f64], f: impl Fn([f64; N]) -> [f64; N]) {
    for pixel in values.as_chunks_mut().0 {
        *pixel = f(*pixel);
    }
}

#[inline(always)]
fn drop_padding(values: &mut [f64], f: impl Fn([f64; 4]) -> [f64; 3]) {
    for i in 0..values.len() / 4 {
        let pixel = std::array::from_fn(|channel| values[4 * i + channel]);
        values[3 * i..3 * i + 3].copy_from_slice(&f(pixel));
    }
}

#[inline(always)]
fn add_padding(values: &mut [f64], f: impl Fn([f64; 3]) -> [f64; 4]) {
    // Backward, so that no value is overwritten before it moves.
    for i in (0..values.len() / 4).rev() {
        let pixel = std::array::from_fn(|channel| values[3 * i + channel]);
        values[4 * i..4 * i + 4].copy_from_slice(&f(pixel));
    }
}
