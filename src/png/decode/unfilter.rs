//! The reversal of filters, from a scanline to its row (PNG third edition, 9.2).

/// Reverses the filter of a scanline with pixels of `size` bytes and writes the
/// row. `scanline` has no filter type, which is `filter`; `above` is the row
/// above. Returns whether the filter type exists.
pub(super) fn unfilter(
    filter: u8,
    size: usize,
    above: &[u8],
    scanline: &[u8],
    row: &mut [u8],
) -> bool {
    match size {
        1 => unfilter_bytes(filter, above, scanline, row),
        2 => unfilter_pixels::<2>(filter, above, scanline, row),
        3 => unfilter_pixels::<3>(filter, above, scanline, row),
        4 => unfilter_pixels::<4>(filter, above, scanline, row),
        6 => unfilter_pixels::<6>(filter, above, scanline, row),
        _ => unfilter_pixels::<8>(filter, above, scanline, row),
    }
}

/// Reverses the filter where pixels have at most one byte. Each byte needs the
/// byte before it, so the way between the two is as short as possible.
fn unfilter_bytes(filter: u8, above: &[u8], from: &[u8], row: &mut [u8]) -> bool {
    let bytes = row.iter_mut().zip(from).zip(above);
    match filter {
        3 => {
            let mut left = 0u8;
            for ((to, from), above) in bytes {
                left = from.wrapping_add(u8::midpoint(left, *above));
                *to = left;
            }
        }
        4 => {
            let (mut left, mut before) = (0u8, 0u8);
            for ((to, from), &above) in bytes {
                let nearest = paeth(left.into(), above.into(), before.into());
                left = from.wrapping_add(nearest);
                before = above;
                *to = left;
            }
        }
        _ => return unfilter_pixels::<1>(filter, above, from, row),
    }
    true
}

fn unfilter_pixels<const N: usize>(filter: u8, above: &[u8], from: &[u8], row: &mut [u8]) -> bool {
    match filter {
        0 => row.copy_from_slice(from),
        // Here and below 16 bits for each byte of the left pixel, and in place
        // where the row above counts: this form compiles to the fastest code.
        1 => {
            let mut left = [0u16; N];
            for (to, from) in pixels_mut::<N>(row).iter_mut().zip(pixels::<N>(from)) {
                for i in 0..N {
                    left[i] = left[i].wrapping_add(from[i].into());
                    to[i] = left[i] as u8;
                }
            }
        }
        2 => {
            for ((to, from), above) in row.iter_mut().zip(from).zip(above) {
                *to = from.wrapping_add(*above);
            }
        }
        3 => {
            row.copy_from_slice(from);
            let mut left = [0u16; N];
            for (row, above) in row.chunks_exact_mut(N).zip(above.chunks_exact(N)) {
                for i in 0..N {
                    let mean = u16::midpoint(left[i], above[i].into());
                    row[i] = row[i].wrapping_add(mean as u8);
                }
                for i in 0..N {
                    left[i] = row[i].into();
                }
            }
        }
        4 => {
            row.copy_from_slice(from);
            let (mut left, mut before) = ([0i16; N], [0i16; N]);
            for (row, above) in row.chunks_exact_mut(N).zip(above.chunks_exact(N)) {
                for i in 0..N {
                    row[i] = row[i].wrapping_add(paeth(left[i], above[i].into(), before[i]));
                }
                for i in 0..N {
                    left[i] = row[i].into();
                    before[i] = above[i].into();
                }
            }
        }
        _ => return false,
    }
    true
}

fn pixels<const N: usize>(row: &[u8]) -> &[[u8; N]] {
    row.as_chunks().0
}

fn pixels_mut<const N: usize>(row: &mut [u8]) -> &mut [[u8; N]] {
    row.as_chunks_mut().0
}

/// Returns the Paeth predictor (9.4), computed without a branch: the neighbor on
/// the left, above, or at the upper left (`both`) that is nearest to
/// `left + above - both`.
#[inline(always)]
fn paeth(left: i16, above: i16, both: i16) -> u8 {
    let (low, high) = (left.min(above), left.max(above));
    let threshold = 3 * both - (left + above);
    let nearest = if high <= threshold { low } else { both };
    (if threshold <= low { high } else { nearest }) as u8
}

#[cfg(test)]
mod tests {
    /// Returns the predictor by the definition in PNG third edition, 9.4.
    fn paeth_of_the_specification(a: u8, b: u8, c: u8) -> u8 {
        let p = i32::from(a) + i32::from(b) - i32::from(c);
        let distance = |x: u8| (p - i32::from(x)).abs();
        let (pa, pb, pc) = (distance(a), distance(b), distance(c));
        if pa <= pb && pa <= pc {
            a
        } else if pb <= pc {
            b
        } else {
            c
        }
    }

    #[test]
    fn paeth_of_all_bytes() {
        for left in 0..=255 {
            for above in 0..=255 {
                for both in 0..=255 {
                    let expected = paeth_of_the_specification(left, above, both);
                    let [a, b, c] = [left, above, both].map(i16::from);
                    assert_eq!(super::paeth(a, b, c), expected, "{a} {b} {c}");
                }
            }
        }
    }
}
