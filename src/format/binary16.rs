//! Floating-point numbers of 16 bits (IEEE 754 binary16), by arithmetic that is
//! the same on every machine and has no branches.

/// The exponent bias of binary32 less that of binary16, in the place of the
/// exponent of binary32.
const BIAS: u32 = (127 - 15) << 23;

/// The magnitude of infinity. Larger magnitudes are NaN.
const INFINITY: u32 = 0x7c00;

/// Returns the value of a number with these bits, which is exact.
#[inline(always)]
pub(super) fn decode(bits: u16) -> f64 {
    let magnitude = u32::from(bits & 0x7fff);
    // Infinity and NaN get the largest exponent of binary32.
    let bias = if magnitude < INFINITY { BIAS } else { 2 * BIAS };
    let normal = f32::from_bits((magnitude << 13) + bias);
    // By way of `i32`: processors have an instruction for this conversion.
    let subnormal = magnitude as i32 as f32 * (1.0 / (1 << 24) as f32);
    let value = if magnitude < 0x400 { subnormal } else { normal };
    f32::from_bits(value.to_bits() | u32::from(bits & 0x8000) << 16).into()
}

/// Returns the bits of the nearest number, ties to even. Values that are too
/// large become infinity, and so does NaN.
#[inline(always)]
pub(super) fn encode(value: f64) -> u16 {
    /// The smallest normal number.
    const NORMAL: f64 = 1.0 / (1 << 14) as f64;
    /// A sum of this size has steps of 2^-24, which are those of subnormal
    /// numbers, so that adding it rounds to one of them.
    const SUBNORMAL_STEPS: f64 = (1u64 << 52 >> 24) as f64;
    let magnitude = value.abs();
    let subnormal = (magnitude + SUBNORMAL_STEPS).to_bits() as u32 & 0xffff;
    // Rounds the lowest 42 bits of the fraction away. A carry into the exponent
    // gives the next power of two.
    let bits = magnitude.to_bits();
    let half = (1 << 41) - 1 + (bits >> 42 & 1);
    let rounded = ((bits + half) >> 42) as u32;
    let normal = rounded.wrapping_sub((1023 - 15) << 10).min(INFINITY);
    let magnitude = if magnitude < NORMAL {
        subnormal
    } else {
        normal
    };
    magnitude as u16 | (value.to_bits() >> 48) as u16 & 0x8000
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the value of a finite number by its definition.
    fn value(bits: u16) -> f64 {
        let (exponent, fraction) = (bits >> 10 & 0x1f, f64::from(bits & 0x3ff));
        let value = match i32::from(exponent) {
            0 => fraction / 1024.0 * 2f64.powi(-14),
            exponent => (1.0 + fraction / 1024.0) * 2f64.powi(exponent - 15),
        };
        if bits >> 15 == 1 { -value } else { value }
    }

    #[test]
    fn every_number() {
        for bits in 0..=u16::MAX {
            let decoded = decode(bits);
            match (bits & 0x7c00, bits & 0x3ff) {
                (0x7c00, 0) => {
                    let infinity = if bits >> 15 == 1 { -1.0 } else { 1.0 } * f64::INFINITY;
                    assert_eq!(decoded.to_bits(), infinity.to_bits());
                    assert_eq!(encode(decoded), bits);
                }
                (0x7c00, _) => assert!(decoded.is_nan()),
                _ => {
                    assert_eq!(decoded.to_bits(), value(bits).to_bits(), "{bits:#x}");
                    assert_eq!(encode(decoded), bits);
                }
            }
        }
    }

    /// Values next to each other are rounded to the nearest, and the middle of
    /// two to the even one.
    #[test]
    fn every_middle() {
        for bits in 0..INFINITY as u16 {
            let above = match bits + 1 {
                0x7c00 => 65536.0,
                next => value(next),
            };
            let middle = f64::midpoint(value(bits), above);
            let even = bits + (bits & 1);
            for (value, expected) in [
                (middle.next_down(), bits),
                (middle, even),
                (middle.next_up(), bits + 1),
            ] {
                assert_eq!(encode(value), expected, "{value}");
                assert_eq!(encode(-value), expected | 0x8000, "{value}");
            }
        }
        assert_eq!(encode(f64::MAX), 0x7c00);
        assert_eq!(encode(5e-324), 0);
    }
}
