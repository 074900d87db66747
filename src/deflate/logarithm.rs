//! Binary logarithms in whole numbers, from which costs of symbols follow.
//!
//! Every platform computes the same numbers, and so finds the same matches and writes
//! the same files.

/// The units in one bit: logarithms and costs are counted in 1/256 bit.
pub(crate) const BIT: u32 = 256;

/// 256 times the binary logarithm of 1 + (i + 1/2) / 256, rounded down.
static FRACTIONS: [u8; 256] = {
    let mut fractions = [0; 256];
    let mut i = 0;
    while i < fractions.len() {
        // The logarithm bit by bit: a number between 1 and 2 is squared. If the square
        // is 2 or more, the bit is set and the square is halved.
        let mut number = (513 + 2 * i as u64) << 21; // 1 is 2^30
        let mut bit = 128;
        while bit > 0 {
            number = (number * number) >> 30;
            if number >= 2 << 30 {
                number >>= 1;
                fractions[i] |= bit;
            }
            bit >>= 1;
        }
        i += 1;
    }
    fractions
};

/// Returns the binary logarithm of a number, in units of 1/256. Returns 0 for 0.
#[inline(always)]
pub(crate) fn log2(number: u32) -> u32 {
    let whole = number.max(1).ilog2();
    // The eight bits behind the highest.
    let behind = (u64::from(number) << 8 >> whole) & 0xff;
    BIT * whole + u32::from(FRACTIONS[behind as usize])
}

/// Returns the least cost of symbols with these frequencies, in 1/256 bit: their number
/// times their entropy.
#[inline(always)]
pub(crate) fn entropy(frequencies: &[u32]) -> u64 {
    let (mut total, mut saved) = (0u32, 0u64);
    for &frequency in frequencies {
        total = total.saturating_add(frequency);
        saved += u64::from(frequency) * u64::from(log2(frequency));
    }
    (u64::from(total) * u64::from(log2(total))).saturating_sub(saved)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logarithms() {
        assert_eq!(log2(0), 0);
        for number in (1..100_000)
            .chain((0..32).map(|bit| 1 << bit))
            .chain([u32::MAX])
        {
            let exact = f64::from(number).log2() * f64::from(BIT);
            let error = f64::from(log2(number)) - exact;
            assert!(error.abs() < 2.0, "{number}: {} for {exact}", log2(number));
        }
    }

    #[test]
    fn entropies() {
        let bit = u64::from(BIT);
        assert_eq!(entropy(&[]), 0);
        assert_eq!(entropy(&[0, 1000, 0]), 0);
        let near = |frequencies: &[u32], bits: u64| {
            let (found, exact) = (entropy(frequencies), bits * bit);
            assert!(found.abs_diff(exact) * 200 <= exact, "{found} for {exact}");
        };
        near(&[512, 512], 1024);
        near(&[1; 256], 2048);
        near(&[128, 64, 64], 384);
    }
}
