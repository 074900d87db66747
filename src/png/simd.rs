//! Which kernels a strip is compressed with.

use super::filter::{self, Choice, FilterType, filter_row_to};
use super::geometry::Geometry;
use super::strip::Strip;
use crate::deflate::Portable;
#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
use crate::simd::level;

/// Compresses a strip with the widest registers there are.
pub(super) fn compress(strip: &mut Strip, geometry: &Geometry<'_>) {
    #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
    {
        if let Some(token) = level().and_then(fearless_simd::Level::as_avx512) {
            return x86::avx512(token, strip, geometry);
        }
        if let Some(token) = level().and_then(fearless_simd::Level::as_avx2) {
            return x86::avx2(token, strip, geometry);
        }
    }
    strip.compress_with(Portable, geometry);
}

/// Filters a row into a scanline, as [`filter_row_to`].
pub(super) fn filter_row(
    filter: FilterType,
    row: &[u8],
    above: Option<&[u8]>,
    pixel_size: usize,
    scanline: &mut [u8],
) {
    let choice = Choice::Always(filter);
    #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
    if let Some(token) = level().and_then(fearless_simd::Level::as_avx2) {
        return x86::filter_row(token, choice, row, above, pixel_size, scanline);
    }
    filter_row_to(Portable, choice, row, above, pixel_size, scanline);
}

/// The filter for a group of rows, as [`filter::paeth_or_average`].
pub(super) fn paeth_or_average(row: &[u8], above: Option<&[u8]>, pixel_size: usize) -> FilterType {
    #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
    if let Some(token) = level().and_then(fearless_simd::Level::as_avx2) {
        return x86::paeth_or_average(token, row, above, pixel_size);
    }
    filter::paeth_or_average(Portable, row, above, pixel_size)
}

/// The same code, compiled for other registers: everything below these is
/// inlined into them.
#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
mod x86 {
    use fearless_simd::kernel;

    use super::{Choice, FilterType, Geometry, Strip, filter, filter_row_to};
    use crate::deflate::x86::{With256, With512};

    kernel!(
        #[inline(never)]
        pub(super) fn avx512(token: Avx512, strip: &mut Strip, geometry: &Geometry<'_>) -> () {
            strip.compress_with(With512(token), geometry)
        }
    );

    kernel!(
        #[inline(never)]
        pub(super) fn avx2(token: Avx2, strip: &mut Strip, geometry: &Geometry<'_>) -> () {
            strip.compress_with(With256(token), geometry)
        }
    );

    kernel!(
        #[inline(never)]
        pub(super) fn filter_row(
            token: Avx2,
            choice: Choice,
            row: &[u8],
            above: Option<&[u8]>,
            pixel_size: usize,
            scanline: &mut [u8],
        ) -> () {
            filter_row_to(With256(token), choice, row, above, pixel_size, scanline);
        }
    );

    kernel!(
        #[inline(never)]
        pub(super) fn paeth_or_average(
            token: Avx2,
            row: &[u8],
            above: Option<&[u8]>,
            pixel_size: usize,
        ) -> FilterType {
            filter::paeth_or_average(With256(token), row, above, pixel_size)
        }
    );
}

#[cfg(all(test, any(target_arch = "x86", target_arch = "x86_64")))]
mod tests {
    use fearless_simd::kernel;

    use super::*;
    use crate::png::strip::tests::{filled, geometry};
    use crate::{Compression, PixelFormat};

    kernel!(
        #[inline(never)]
        fn filter512(
            token: Avx512,
            choice: Choice,
            row: &[u8],
            above: Option<&[u8]>,
            pixel_size: usize,
            scanline: &mut [u8],
        ) -> () {
            let kernels = crate::deflate::x86::With512(token);
            filter_row_to(kernels, choice, row, above, pixel_size, scanline);
        }
    );

    /// What every kernel makes of a row: the same bytes.
    #[test]
    fn all_levels_filter_alike() {
        let level = fearless_simd::Level::new();
        let mut seed = 17u32;
        for pixel_size in [1, 2, 3, 4, 6, 8] {
            for pixels in [
                1, 2, 31, 32, 33, 63, 64, 65, 85, 86, 200, 256, 257, 300, 777,
            ] {
                let mut bytes = |kind: u32| -> Vec<u8> {
                    let mut next = |i: usize| {
                        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                        let noise = (seed >> 24) as u8;
                        match kind {
                            0 => noise,
                            1 => ((i / 9) as u8).wrapping_add(noise % 3),
                            2 => {
                                if noise < 3 {
                                    noise
                                } else {
                                    77
                                }
                            }
                            _ => [0, 1, 127, 128, 254, 255][usize::from(noise) % 6],
                        }
                    };
                    (0..pixel_size * pixels).map(&mut next).collect()
                };
                for kind in 0..4 {
                    let (row, above) = (bytes(kind), bytes(kind));
                    let mut near = above.clone();
                    near[pixels / 2] ^= 1;
                    for (row, above) in [(&row, Some(&above)), (&near, Some(&above)), (&row, None)]
                    {
                        use FilterType::{Average, None, Paeth, Sub, Up};
                        let all = [None, Sub, Up, Average, Paeth].map(Choice::Always);
                        for choice in all.into_iter().chain([Choice::Smallest]) {
                            let above = above.map(|above| &above[..]);
                            let run = |filter: &dyn Fn(&mut [u8])| {
                                let mut scanline = vec![0xee; row.len() + 1];
                                filter(&mut scanline);
                                scanline
                            };
                            let expected = run(&|to| {
                                filter_row_to(Portable, choice, row, above, pixel_size, to);
                            });
                            let name = format!("{choice:?} {pixel_size} {pixels} {kind}");
                            if let Some(token) = level.as_avx2() {
                                let found = run(&|to| {
                                    x86::filter_row(token, choice, row, above, pixel_size, to);
                                });
                                assert!(found == expected, "AVX2 {name}");
                            }
                            if let Some(token) = level.as_avx512() {
                                let found =
                                    run(&|to| filter512(token, choice, row, above, pixel_size, to));
                                assert!(found == expected, "AVX-512 {name}");
                            }
                            if let Choice::Always(filter) = choice {
                                let found =
                                    run(&|to| filter_row(filter, row, above, pixel_size, to));
                                assert!(found == expected, "as dispatched {name}");
                            }
                        }
                    }
                }
            }
        }
    }

    /// What every kernel makes of a strip: the same bytes.
    #[test]
    fn all_levels_give_the_same_bytes() {
        use Compression::{Best, Fast, Small, Stored};
        let level = fearless_simd::Level::new();
        let mut levels = 0;
        for format in [
            PixelFormat::GRAY8,
            PixelFormat::GRAY_ALPHA8,
            PixelFormat::RGB8,
            PixelFormat::RGBA8,
            PixelFormat::RGB16BE,
            PixelFormat::RGBA16BE,
        ] {
            for (width, height) in [(1, 1), (2, 90), (65, 33), (333, 501), (200_000, 2)] {
                for kind in 0..6 {
                    for mode in [Fast, Stored, Small, Best] {
                        if (mode == Small || mode == Best) && width * height > 10_000 {
                            continue; // the library is the same at every level
                        }
                        let geometry = geometry(width, height, format, mode);
                        for index in [0, 1] {
                            let run = |compress: &dyn Fn(&mut Strip)| {
                                let mut strip = filled(&geometry, index, kind);
                                compress(&mut strip);
                                strip.result()
                            };
                            let expected = run(&|s| s.compress_with(Portable, &geometry));
                            assert!(run(&|s| compress(s, &geometry)) == expected);
                            if let Some(token) = level.as_avx2() {
                                assert!(run(&|s| x86::avx2(token, s, &geometry)) == expected);
                                levels |= 1;
                            }
                            if let Some(token) = level.as_avx512() {
                                assert!(run(&|s| x86::avx512(token, s, &geometry)) == expected);
                                levels |= 2;
                            }
                        }
                    }
                }
            }
        }
        println!(
            "compared with portable code: AVX2 {}, AVX-512 {}",
            levels & 1,
            levels >> 1
        );
    }
}
