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

pub(super) fn to_png(format: PixelFormat, pixels: &[u8], png: &mut [u8]) {
    #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
    if let Some(token) = level().and_then(fearless_simd::Level::as_avx2) {
        return x86::to_png(token, format, pixels, png);
    }
    convert::to_png_with(Portable, format, pixels, png);
}

pub(super) fn from_png(format: PixelFormat, png: &[u8], pixels: &mut [u8]) {
    #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
    if let Some(token) = level().and_then(fearless_simd::Level::as_avx2) {
        return x86::from_png(token, format, png, pixels);
    }
    convert::from_png_with(Portable, format, png, pixels);
}

#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
mod x86 {
    #[cfg(target_arch = "x86")]
    use std::arch::x86::{__m128i, _mm_or_si128, _mm_shuffle_epi8};
    #[cfg(target_arch = "x86_64")]
    use std::arch::x86_64::{__m128i, _mm_or_si128, _mm_shuffle_epi8};

    use fearless_simd::prelude::*;
    use fearless_simd::{Avx2, kernel, u8x16};

    use super::{Move, PixelFormat, Shuffle, convert};

    kernel!(
        #[inline(never)]
        pub(super) fn to_png(
            token: Avx2,
            format: PixelFormat,
            pixels: &[u8],
            png: &mut [u8],
        ) -> () {
            convert::to_png_with(With256(token), format, pixels, png)
        }
    );

    kernel!(
        #[inline(never)]
        pub(super) fn from_png(
            token: Avx2,
            format: PixelFormat,
            png: &[u8],
            pixels: &mut [u8],
        ) -> () {
            convert::from_png_with(With256(token), format, png, pixels)
        }
    );

    #[derive(Clone, Copy)]
    struct With256(Avx2);

    impl Shuffle for With256 {
        #[inline(always)]
        fn shuffle(self, change: &Move, from: &[u8], to: &mut [u8]) -> usize {
            shuffle(self.0, change, from, to)
        }
    }

    kernel!(
        #[inline]
        fn shuffle(token: Avx2, change: &Move, from: &[u8], to: &mut [u8]) -> usize {
            let table: __m128i = u8x16::simd_from(token, change.table).into();
            let fill: __m128i = u8x16::simd_from(token, change.fill).into();
            let (mut at, mut done) = (0, 0);
            let (mut from, mut to) = (from, to);
            // 16 bytes are read and written each time, of which the next
            // time may do some again.
            while let (Some(bytes), Some(moved)) =
                (from.first_chunk::<16>(), to.first_chunk_mut::<16>())
            {
                let bytes: __m128i = u8x16::simd_from(token, *bytes).into();
                let bytes = _mm_or_si128(_mm_shuffle_epi8(bytes, table), fill);
                *moved = u8x16::simd_from(token, bytes).into();
                from = &from[change.from..];
                to = &mut to[change.to..];
                at += 1;
                done = at * change.step;
            }
            done
        }
    );
}
