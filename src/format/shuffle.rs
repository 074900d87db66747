//! The kernel for rearrangements of bytes that the compiler does not
//! vectorize: pixels of three samples.

use super::Channel;
use crate::arch::Portable;

/// A rearrangement of the bytes of as many pixels as 16 bytes hold.
#[cfg_attr(
    not(any(target_arch = "x86", target_arch = "x86_64")),
    expect(dead_code, reason = "only the kernels of x86 use the fields")
)]
pub(super) struct Permutation {
    /// Bytes of these pixels before the rearrangement.
    from: usize,
    /// Bytes of these pixels after the rearrangement.
    to: usize,
    /// The number of pixels.
    step: usize,
    /// For each byte of the result, the index of the byte it comes from. An
    /// index with the highest bit set gives zero.
    table: [u8; 16],
    /// 255 for each byte of the result that is padding, else 0.
    fill: [u8; 16],
}

impl Permutation {
    /// Creates the rearrangement of channels `from` into channels `to`, with
    /// `size` bytes a sample, the bytes of each sample swapped if `swap`.
    /// Returns `None` where the compiler's own vector code is faster.
    #[inline(always)]
    pub(super) fn new(
        from: &[Option<Channel>],
        to: &[Option<Channel>],
        size: usize,
        swap: bool,
    ) -> Option<Permutation> {
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
        Some(Permutation {
            from: step * before,
            to: step * after,
            step,
            table,
            fill,
        })
    }
}

/// The kernel that rearranges bytes.
pub(super) trait ShuffleKernels: Copy {
    /// Rearranges pixels of `from` into `to`, beginning with the first, and
    /// returns their number. It may leave pixels at the end, or all of them, to
    /// the caller, and may overwrite their bytes in `to`.
    fn shuffle(self, permutation: &Permutation, from: &[u8], to: &mut [u8]) -> usize;
}

impl ShuffleKernels for Portable {
    #[inline(always)]
    fn shuffle(self, _: &Permutation, _: &[u8], _: &mut [u8]) -> usize {
        0
    }
}

#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
mod x86 {
    #[cfg(target_arch = "x86")]
    use std::arch::x86::{__m128i, _mm_or_si128, _mm_shuffle_epi8};
    #[cfg(target_arch = "x86_64")]
    use std::arch::x86_64::{__m128i, _mm_or_si128, _mm_shuffle_epi8};

    use fearless_simd::prelude::*;
    use fearless_simd::{kernel, u8x16};

    use super::{Permutation, ShuffleKernels};
    use crate::arch::{Avx2, Avx512};

    /// Rearranges `$before` bytes into `$after` bytes, both at most 16, four
    /// times in a round. Each of the four steps reads and writes 16 bytes; the
    /// next step overwrites the bytes beyond `$after`. Constant sizes leave one
    /// bounds check in a round.
    macro_rules! rounds {
        ($token:ident, $permutation:ident, $from:ident, $to:ident, $before:literal, $after:literal) => {{
            let table: __m128i = u8x16::simd_from($token, $permutation.table).into();
            let fill: __m128i = u8x16::simd_from($token, $permutation.fill).into();
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
                done += 4 * $permutation.step;
            }
            done
        }};
    }

    macro_rules! shuffle_kernels {
        ($token:ident, $shuffle:ident) => {
            kernel!(
                #[inline]
                fn $shuffle(
                    token: $token,
                    permutation: &Permutation,
                    from: &[u8],
                    to: &mut [u8],
                ) -> usize {
                    match (permutation.from, permutation.to) {
                        (12, 12) => rounds!(token, permutation, from, to, 12, 12),
                        (12, 16) => rounds!(token, permutation, from, to, 12, 16),
                        (15, 15) => rounds!(token, permutation, from, to, 15, 15),
                        (16, 12) => rounds!(token, permutation, from, to, 16, 12),
                        (16, 16) => rounds!(token, permutation, from, to, 16, 16),
                        _ => 0,
                    }
                }
            );

            impl ShuffleKernels for $token {
                #[inline(always)]
                fn shuffle(self, permutation: &Permutation, from: &[u8], to: &mut [u8]) -> usize {
                    $shuffle(self, permutation, from, to)
                }
            }
        };
    }

    shuffle_kernels!(Avx2, shuffle256);
    shuffle_kernels!(Avx512, shuffle512);
}
