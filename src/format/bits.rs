//! Packing and unpacking of pixels smaller than a byte.

/// The bits of a byte that hold its first pixel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum BitOrder {
    /// The most significant, as in PNG (PNG third edition, 7.2).
    Msb,
    /// The least significant.
    Lsb,
}

/// Returns the lowest bit of the pixel with this index in its byte.
#[inline(always)]
fn shift(bits: u8, order: BitOrder, index: usize) -> u32 {
    let pixels_below = match order {
        BitOrder::Msb => 8 / usize::from(bits) - 1 - index,
        BitOrder::Lsb => index,
    };
    (pixels_below * usize::from(bits)) as u32
}

/// Unpacks pixels of `bits` bits into `to`, one byte each. The first of them is
/// pixel `first` of `from`, counted from the first pixel of its first byte.
pub(crate) fn unpack(bits: u8, order: BitOrder, from: &[u8], first: usize, to: &mut [u8]) {
    match bits {
        1 => unpack_all::<1, 8>(order, from, first, to),
        2 => unpack_all::<2, 4>(order, from, first, to),
        _ => unpack_all::<4, 2>(order, from, first, to),
    }
}

fn unpack_all<const BITS: u8, const PER_BYTE: usize>(
    order: BitOrder,
    from: &[u8],
    first: usize,
    to: &mut [u8],
) {
    let mask = (1 << BITS) - 1;
    let pixel = |byte: u8, index: usize| byte >> shift(BITS, order, index) & mask;
    let (skipped, index) = (first / PER_BYTE, first % PER_BYTE);
    let from = &from[skipped..];
    let head = to.len().min((PER_BYTE - index) % PER_BYTE);
    let (head, rest) = to.split_at_mut(head);
    for (to, index) in head.iter_mut().zip(index..) {
        *to = pixel(from[0], index);
    }
    let from = &from[usize::from(!head.is_empty())..];
    let (whole, tail) = rest.as_chunks_mut::<PER_BYTE>();
    let count = whole.len();
    for (to, &byte) in whole.iter_mut().zip(from) {
        *to = std::array::from_fn(|index| pixel(byte, index));
    }
    for (index, to) in tail.iter_mut().enumerate() {
        *to = pixel(from[count], index);
    }
}

/// Packs pixels of `bits` bits, given as one byte each with all other bits 0.
/// The first of them becomes pixel `first` of `to`, counted from the first
/// pixel of its first byte. All other bits of `to` stay as they are.
pub(crate) fn pack(bits: u8, order: BitOrder, from: &[u8], first: usize, to: &mut [u8]) {
    match bits {
        1 => {
            let factor = joining_factor(1, order);
            pack_all::<1, 8>(order, from, first, to, |pixels| {
                (u64::from_le_bytes(pixels).wrapping_mul(factor) >> 56) as u8
            });
        }
        2 => {
            let factor = joining_factor(2, order) as u32;
            pack_all::<2, 4>(order, from, first, to, |pixels| {
                (u32::from_le_bytes(pixels).wrapping_mul(factor) >> 24) as u8
            });
        }
        _ => {
            let factor = joining_factor(4, order) as u16;
            pack_all::<4, 2>(order, from, first, to, |pixels| {
                (u16::from_le_bytes(pixels).wrapping_mul(factor) >> 8) as u8
            });
        }
    }
}

/// Returns the factor that joins the pixels of a byte. They are the bytes of a
/// little-endian word. The factor moves each of them to its place in the highest
/// byte. No two products have a bit in common, so there are no carries.
#[inline(always)]
fn joining_factor(bits: u8, order: BitOrder) -> u64 {
    let per_byte = 8 / usize::from(bits);
    let highest = 8 * (per_byte - 1);
    let place = |index| highest + shift(bits, order, index) as usize - 8 * index;
    (0..per_byte).map(|index| 1 << place(index)).sum()
}

/// Packs pixels; `join` joins those of a byte.
#[inline(always)]
fn pack_all<const BITS: u8, const PER_BYTE: usize>(
    order: BitOrder,
    from: &[u8],
    first: usize,
    to: &mut [u8],
    join: impl Fn([u8; PER_BYTE]) -> u8,
) {
    let put = |byte: &mut u8, index: usize, pixel: u8| {
        let shift = shift(BITS, order, index);
        let mask = ((1 << BITS) - 1) << shift;
        *byte = *byte & !mask | pixel << shift;
    };
    let (skipped, index) = (first / PER_BYTE, first % PER_BYTE);
    let to = &mut to[skipped..];
    let head = from.len().min((PER_BYTE - index) % PER_BYTE);
    let (head, rest) = from.split_at(head);
    for (&pixel, index) in head.iter().zip(index..) {
        put(&mut to[0], index, pixel);
    }
    let to = &mut to[usize::from(!head.is_empty())..];
    let (whole, tail) = rest.as_chunks::<PER_BYTE>();
    for (to, pixels) in to.iter_mut().zip(whole) {
        *to = join(*pixels);
    }
    for (index, &pixel) in tail.iter().enumerate() {
        put(&mut to[whole.len()], index, pixel);
    }
}

/// Moves the pixels of `bytes` to the front by `first` pixels, fewer than a byte
/// holds. The pixels that become free at the end come from `next`, the byte
/// behind `bytes`.
pub(crate) fn shift_down(bits: u8, order: BitOrder, bytes: &mut [u8], first: usize, next: u8) {
    let by = (first * usize::from(bits)) as u32;
    if by == 0 {
        return;
    }
    let join = |byte: u8, next: u8| match order {
        BitOrder::Msb => byte << by | next >> (8 - by),
        BitOrder::Lsb => byte >> by | next << (8 - by),
    };
    let last = bytes.len() - 1;
    for i in 0..last {
        bytes[i] = join(bytes[i], bytes[i + 1]);
    }
    bytes[last] = join(bytes[last], next);
}

/// Clears the bits of a row's last byte that belong to no pixel.
pub(crate) fn clear_spare(bits: u8, order: BitOrder, row: &mut [u8], width: usize) {
    let used = width % (8 / usize::from(bits)) * usize::from(bits);
    if let Some(last) = row.last_mut().filter(|_| used != 0) {
        *last &= match order {
            BitOrder::Msb => !(0xff >> used),
            BitOrder::Lsb => !(0xff << used),
        };
    }
}

/// Reverses the order of the pixels in each byte.
pub(crate) fn reverse_order(bits: u8, bytes: &mut [u8]) {
    for byte in bytes {
        *byte = match bits {
            1 => byte.reverse_bits(),
            2 => {
                let swapped = byte.rotate_left(4);
                (swapped & 0x33) << 2 | swapped >> 2 & 0x33
            }
            _ => byte.rotate_left(4),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns pixel `index` by the definition of the format.
    fn pixel(bits: u8, order: BitOrder, bytes: &[u8], index: usize) -> u8 {
        let bit = index * usize::from(bits);
        let byte = bytes[bit / 8];
        let byte = match order {
            BitOrder::Msb => byte << (bit % 8) >> (8 - bits),
            BitOrder::Lsb => byte >> (bit % 8),
        };
        byte & ((1 << bits) - 1)
    }

    #[test]
    fn every_position() {
        let bytes: Vec<u8> = (0..40).map(|i| (i * 73 + 41) as u8).collect();
        for bits in [1, 2, 4] {
            for order in [BitOrder::Msb, BitOrder::Lsb] {
                for first in 0..20 {
                    for count in 0..40 {
                        let mut to = vec![0; count];
                        unpack(bits, order, &bytes, first, &mut to);
                        let expected: Vec<u8> = (first..first + count)
                            .map(|i| pixel(bits, order, &bytes, i))
                            .collect();
                        assert_eq!(to, expected);

                        for background in [0, 0xff] {
                            let mut packed = vec![background; 40];
                            pack(bits, order, &to, first, &mut packed);
                            for i in 0..40 {
                                let inside = (first..first + count).contains(&i);
                                let other = background & ((1 << bits) - 1);
                                let expected = if inside { to[i - first] } else { other };
                                assert_eq!(pixel(bits, order, &packed, i), expected);
                            }
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn whole_bytes() {
        let bytes: Vec<u8> = (0..=255).collect();
        for bits in [1, 2, 4] {
            let pixels = 8 / usize::from(bits);
            let mut reversed = bytes.clone();
            reverse_order(bits, &mut reversed);
            for i in 0..256 * pixels {
                assert_eq!(
                    pixel(bits, BitOrder::Lsb, &reversed, i),
                    pixel(bits, BitOrder::Msb, &bytes, i)
                );
            }
            for order in [BitOrder::Msb, BitOrder::Lsb] {
                for first in 0..pixels {
                    let mut moved = bytes.clone();
                    let next = moved.pop().unwrap();
                    shift_down(bits, order, &mut moved, first, next);
                    for i in 0..255 * pixels {
                        let expected = pixel(bits, order, &bytes, i + first);
                        assert_eq!(pixel(bits, order, &moved, i), expected);
                    }
                }
                for width in 1..30 {
                    let mut row = vec![0xff; (width * usize::from(bits)).div_ceil(8)];
                    clear_spare(bits, order, &mut row, width);
                    for i in 0..row.len() * pixels {
                        let expected = if i < width { (1 << bits) - 1 } else { 0 };
                        assert_eq!(pixel(bits, order, &row, i), expected);
                    }
                }
            }
        }
    }
}
