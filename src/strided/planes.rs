//! Conversion between the samples of planes and interleaved pixels.

use crate::arch::dispatch;

/// The largest number of planes.
pub(super) const MAX_PLANES: usize = 4;

/// The largest number of bytes of one plane that are converted at once. A multiple of
/// the size of every sample.
pub(super) const PART: usize = 1024;

/// The samples of some pixels, one plane behind the other.
pub(super) type Planes = [[u8; PART]; MAX_PLANES];

dispatch! {
    /// Fills `pixels` with the samples of `planes` planes. A sample has `size` bytes.
    pub(super) fn join<_k>(from: &Planes, planes: usize, size: usize, pixels: &mut [u8]) -> () {
        match (planes, size) {
            (1, _) => pixels.copy_from_slice(&from[0][..pixels.len()]),
            (2, 1) => join_samples::<2, 1>(from, pixels),
            (2, 2) => join_samples::<2, 2>(from, pixels),
            (2, 4) => join_samples::<2, 4>(from, pixels),
            (3, 1) => join_samples::<3, 1>(from, pixels),
            (3, 2) => join_samples::<3, 2>(from, pixels),
            (3, 4) => join_samples::<3, 4>(from, pixels),
            (4, 1) => join_samples::<4, 1>(from, pixels),
            (4, 2) => join_samples::<4, 2>(from, pixels),
            (4, 4) => join_samples::<4, 4>(from, pixels),
            _ => {
                for (i, pixel) in pixels.chunks_exact_mut(planes * size).enumerate() {
                    for (sample, plane) in pixel.chunks_exact_mut(size).zip(from) {
                        sample.copy_from_slice(&plane[i * size..][..size]);
                    }
                }
            }
        }
    }
}

dispatch! {
    /// Splits pixels into samples, one of `size` bytes for each of `planes` planes.
    pub(super) fn split<_k>(pixels: &[u8], planes: usize, size: usize, to: &mut Planes) -> () {
        match (planes, size) {
            (1, _) => to[0][..pixels.len()].copy_from_slice(pixels),
            (2, 1) => split_samples::<2, 1>(pixels, to),
            (2, 2) => split_samples::<2, 2>(pixels, to),
            (2, 4) => split_samples::<2, 4>(pixels, to),
            (3, 1) => split_samples::<3, 1>(pixels, to),
            (3, 2) => split_samples::<3, 2>(pixels, to),
            (3, 4) => split_samples::<3, 4>(pixels, to),
            (4, 1) => split_samples::<4, 1>(pixels, to),
            (4, 2) => split_samples::<4, 2>(pixels, to),
            (4, 4) => split_samples::<4, 4>(pixels, to),
            _ => {
                for (i, pixel) in pixels.chunks_exact(planes * size).enumerate() {
                    for (sample, plane) in pixel.chunks_exact(size).zip(&mut *to) {
                        plane[i * size..][..size].copy_from_slice(sample);
                    }
                }
            }
        }
    }
}

/// Joins samples. With constant sizes, the compiler copies them without a call of
/// `memcpy`.
#[inline(always)]
fn join_samples<const PLANES: usize, const SIZE: usize>(from: &Planes, pixels: &mut [u8]) {
    let samples: [&[[u8; SIZE]]; PLANES] =
        std::array::from_fn(|plane| from[plane].as_chunks::<SIZE>().0);
    let pixels = pixels.as_chunks_mut::<SIZE>().0.as_chunks_mut::<PLANES>().0;
    for (i, pixel) in pixels.iter_mut().take(PART / SIZE).enumerate() {
        for (sample, plane) in pixel.iter_mut().zip(samples) {
            *sample = plane[i];
        }
    }
}

/// Splits pixels into samples, with constant sizes as in [`join_samples`].
#[inline(always)]
fn split_samples<const PLANES: usize, const SIZE: usize>(pixels: &[u8], to: &mut Planes) {
    let pixels = pixels.as_chunks::<SIZE>().0.as_chunks::<PLANES>().0;
    for (i, pixel) in pixels.iter().take(PART / SIZE).enumerate() {
        for (sample, plane) in pixel.iter().zip(&mut *to) {
            plane.as_chunks_mut::<SIZE>().0[i] = *sample;
        }
    }
}
