//! Conversions with the widest registers that there are, and the kernel for
//! what the compiler doesn't make vectors of: pixels of three samples.

use super::{Channel, PixelFormat, convert};
#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
use crate::simd::level;

/// Which byte of a pixel goes where, for as many pixels as 16 bytes hold.
pub(super) struct Move {
    /// Bytes that these pixels have before.
    from: usize,
    /// And after.
    to: usize,
    /// Pixels.
    step: usize,
    /// For each byte the one that it comes from; none if the highest bit is
    /// set.
    table: [u8; 16],
    /// 255 where no byte comes from.
    fill: [u8; 16],
}

impl Move {
    /// From some channels of `size` bytes to others, with the bytes of each
    /// swapped or not. `None` if the compiler does better.
    #[inline(always)]
    pub(super) fn new(
        from: &[Option<Channel>],
        to: &[Option<Channel>],
        size: usize,
        swap: bool,
    ) -> Option<Move> {
        if from == to || (size == 1 && from.len() == 4 && to.len() == 4) {
            return None;
        }
        let (before, after) = (from.len() * size, to.len() * size);
        let step = 16 / before.max(after);
        let (mut table, mut fill) = ([0x80; 16], [0; 16]);
        for at in 0..step * after {
            let (pixel, channel, byte) = (at / after, at % after / size, at % size);
            let byte = if swap { size - 1 - byte } else { byte };
            let known = to[channel].is_some();
            match from.iter().position(|&c| known && c == to[channel]) {
                Some(source) => table[at] = (pixel * before + source * size + byte) as u8,
                None => fill[at] = 0xff,
            }
        }
        Some(Move {
            from: step * before,
            to: step * after,
            step,
            table,
            fill,
        })
    }
}

/// A kernel that moves bytes.
pub(super) trait Shuffle: Copy {
    /// Moves the bytes of as many pixels as it likes, from the first on, and
    /// says of how many. What lies behind them in `to` may be overwritten.
    fn shuffle(self, change: &Move, from: &[u8], to: &mut [u8]) -> usize;
}

/// None at all.
#[derive(Clone, Copy)]
pub(super) struct Portable;

impl Shuffle for Portable {
    #[inline(always)]
    fn shuffle(self, _: &Move, _: &[u8], _: &mut [u8]) -> usize {
        0
    }
}

/// Chooses the widest registers.
macro_rules! dispatch {
    ($name:ident, $with:ident, $wide:ident) => {
        pub(super) fn $name(format: PixelFormat, from: &[u8], to: &mut [u8]) {
            #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
            if let Some(level) = level()
                && let Some(avx2) = level.as_avx2()
            {
                return match level.as_avx512() {
                    Some(avx512) => x86::$wide(avx512, avx2, format, from, to),
                    None => x86::$name(avx2, format, from, to),
                };
            }
            convert::$with(Portable, format, from, to);
        }
    };
}

dispatch!(to_png, to_png_with, to_png512);
dispatch!(from_png, from_png_with, from_png512);

#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
mod x86 {
    #[cfg(target_arch = "x86")]
    use std::arch::x86::{__m128i, _mm_or_si128, _mm_shuffle_epi8};
    #[cfg(target_arch = "x86_64")]
    use std::arch::x86_64::{__m128i, _mm_or_si128, _mm_shuffle_epi8};

    use fearless_simd::prelude::*;
    use fearless_simd::{Avx2, kernel, u8x16};

    use super::{Move, PixelFormat, Shuffle, convert};

    /// The same code, compiled for other registers: everything is inlined into
    /// these.
    macro_rules! compiled {
        ($name:ident, $wide:ident, $with:ident) => {
            kernel!(
                #[inline(never)]
                pub(super) fn $name(
                    token: Avx2,
                    format: PixelFormat,
                    from: &[u8],
                    to: &mut [u8],
                ) -> () {
                    convert::$with(With256(token), format, from, to)
                }
            );

            kernel!(
                #[inline(never)]
                pub(super) fn $wide(
                    _token: Avx512,
                    avx2: Avx2,
                    format: PixelFormat,
                    from: &[u8],
                    to: &mut [u8],
                ) -> () {
                    convert::$with(With256(avx2), format, from, to)
                }
            );
        };
    }

    compiled!(to_png, to_png512, to_png_with);
    compiled!(from_png, from_png512, from_png_with);

    #[derive(Clone, Copy)]
    struct With256(Avx2);

    impl Shuffle for With256 {
        #[inline(always)]
        fn shuffle(self, change: &Move, from: &[u8], to: &mut [u8]) -> usize {
            shuffle(self.0, change, from, to)
        }
    }

    /// Moves pixels of which 16 bytes or less become 16 or less, four times
    /// in a round. 16 are read and written each time, of which the next time
    /// may do some again. With constant sizes there is one check in a round.
    macro_rules! rounds {
        ($token:ident, $change:ident, $from:ident, $to:ident, $before:literal, $after:literal) => {{
            let table: __m128i = u8x16::simd_from($token, $change.table).into();
            let fill: __m128i = u8x16::simd_from($token, $change.fill).into();
            let (mut from, mut to) = ($from, $to);
            let mut done = 0;
            while let (Some(bytes), Some(moved)) =
                (from.first_chunk::<64>(), to.first_chunk_mut::<64>())
            {
                for i in 0..4 {
                    let part = u8x16::from_slice($token, &bytes[$before * i..][..16]).into();
                    let part = _mm_or_si128(_mm_shuffle_epi8(part, table), fill);
                    let part: [u8; 16] = u8x16::simd_from($token, part).into();
                    moved[$after * i..][..16].copy_from_slice(&part);
                }
                from = &from[4 * $before..];
                to = &mut to[4 * $after..];
                done += 4 * $change.step;
            }
            done
        }};
    }

    kernel!(
        #[inline]
        fn shuffle(token: Avx2, change: &Move, from: &[u8], to: &mut [u8]) -> usize {
            match (change.from, change.to) {
                (12, 12) => rounds!(token, change, from, to, 12, 12),
                (12, 16) => rounds!(token, change, from, to, 12, 16),
                (15, 15) => rounds!(token, change, from, to, 15, 15),
                (16, 12) => rounds!(token, change, from, to, 16, 12),
                (16, 16) => rounds!(token, change, from, to, 16, 16),
                _ => 0,
            }
        }
    );
}

#[cfg(all(test, any(target_arch = "x86", target_arch = "x86_64")))]
mod tests {
    use super::*;

    /// What each kind of registers makes of rows of many lengths: the same
    /// bytes, and none beside them.
    #[test]
    fn all_levels_convert_alike() {
        let level = fearless_simd::Level::new();
        println!(
            "AVX2: {}, AVX-512: {}",
            level.as_avx2().is_some(),
            level.as_avx512().is_some()
        );
        let mut formats: Vec<PixelFormat> = PixelFormat::ALL.to_vec();
        formats.extend(PixelFormat::ALL.iter().map(|f| f.premultiplied()));
        formats.push(PixelFormat::RGBA_F32.linear().with_range(-1.0, 2.0));
        formats.push(
            PixelFormat::GRAY16
                .with_significant_bits(12)
                .with_bit_depth(8),
        );
        for format in formats.into_iter().filter(|f| f.bits().is_none()) {
            let (size, png_size) = (format.pixel_size(), format.png().pixel_size());
            for count in (0..70).chain([255, 256, 257, 1001]) {
                let mut seed = 99u32;
                let mut noise = |len: usize| -> Vec<u8> {
                    let mut next = || {
                        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                        (seed >> 24) as u8
                    };
                    (0..len).map(|_| next()).collect()
                };
                let (pixels, png) = (noise(count * size), noise(count * png_size));
                let behind = [0xa5; 80];
                let with_behind = |len: usize| [&vec![0; len][..], &behind].concat();

                let mut expected = with_behind(png.len());
                convert::to_png_with(Portable, format, &pixels, &mut expected[..png.len()]);
                let mut back = with_behind(pixels.len());
                convert::from_png_with(Portable, format, &png, &mut back[..pixels.len()]);
                let check = |made: Vec<u8>, expected: &Vec<u8>| {
                    assert!(made == *expected, "{format}, {count} pixels");
                };
                if let Some(avx2) = level.as_avx2() {
                    let mut made = with_behind(png.len());
                    x86::to_png(avx2, format, &pixels, &mut made[..png.len()]);
                    check(made, &expected);
                    let mut made = with_behind(pixels.len());
                    x86::from_png(avx2, format, &png, &mut made[..pixels.len()]);
                    check(made, &back);
                    if let Some(avx512) = level.as_avx512() {
                        let mut made = with_behind(png.len());
                        x86::to_png512(avx512, avx2, format, &pixels, &mut made[..png.len()]);
                        check(made, &expected);
                        let mut made = with_behind(pixels.len());
                        x86::from_png512(avx512, avx2, format, &png, &mut made[..pixels.len()]);
                        check(made, &back);
                    }
                }
            }
        }
    }
}
