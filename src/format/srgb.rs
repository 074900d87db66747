//! The transfer curve of sRGB (IEC 61966-2-1), by operations that give the same
//! result on every machine.

/// Returns linear light, from 0 to 1, encoded as sRGB, from 0 to 1 (IEC
/// 61966-2-1). The result is exact but for the last bits of the `f64`.
#[inline(always)]
pub(super) fn encode_srgb(light: f64) -> f64 {
    // light^(1/2.4) = root^(5/6) = root * root^(-1/6)
    let root = light.sqrt();
    // The polynomial is within 2 % of the result for every value above the
    // linear segment of the curve. Each step of Newton's method then doubles
    // the number of correct digits.
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

/// Returns sRGB, from 0 to 1, decoded to linear light, from 0 to 1. The
/// counterpart of [`encode_srgb`].
#[inline(always)]
pub(super) const fn decode_srgb(sample: f64) -> f64 {
    // base^2.4 = base^2 * (base^2)^(1/5)
    let base = (sample + 0.055) / 1.055;
    let square = base * base;
    let mut fifth = 0.409_047 + square * (1.730_245 - 1.247_493 * square);
    let mut steps = 0;
    while steps < 4 {
        let power = fifth * fifth * fifth * fifth * fifth;
        fifth = fifth * (2.0 * power + 3.0 * square) / (3.0 * power + 2.0 * square);
        steps += 1;
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
