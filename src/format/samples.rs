//! Whole samples between their order in memory and the order of PNG.

use super::order::{Order, reorder};
use super::shuffle::{Permutation, ShuffleKernels};

/// Writes pixels with samples of `SIZE` bytes as PNG holds them. `order` is
/// the order of the samples in memory; the bytes of each sample are swapped if
/// `swap`.
#[inline(always)]
pub(super) fn samples_to_png<const SIZE: usize, K: ShuffleKernels>(
    kernels: K,
    order: Order,
    swap: bool,
    pixels: &[u8],
    png: &mut [u8],
) {
    let (from, to) = (order.channels(), order.png_channels());
    let done = match Permutation::new(from, to, SIZE, swap) {
        Some(permutation) => kernels.shuffle(&permutation, pixels, png),
        None => 0,
    };
    let pixels = &pixels[done * from.len() * SIZE..];
    let png = &mut png[done * to.len() * SIZE..];
    macro_rules! arm {
        ($memory:tt $png:tt $(; $padding:ident)?) => {
            map(pixels, png, swap, |$memory: [[u8; SIZE]; _]| {
                $(let _ = $padding;)?
                $png
            })
        };
    }
    reorder!(order, arm, same_order::<SIZE>(pixels, png, swap));
}

/// Writes what PNG holds as pixels with samples of `SIZE` bytes, padding as
/// bytes of 255. The counterpart of [`samples_to_png`].
#[inline(always)]
pub(super) fn samples_from_png<const SIZE: usize, K: ShuffleKernels>(
    kernels: K,
    order: Order,
    swap: bool,
    png: &[u8],
    pixels: &mut [u8],
) {
    let (from, to) = (order.png_channels(), order.channels());
    let done = match Permutation::new(from, to, SIZE, swap) {
        Some(permutation) => kernels.shuffle(&permutation, png, pixels),
        None => 0,
    };
    let png = &png[done * from.len() * SIZE..];
    let pixels = &mut pixels[done * to.len() * SIZE..];
    macro_rules! arm {
        ($memory:tt $png:tt $(; $padding:ident)?) => {{
            $(let $padding = [0xff; SIZE];)?
            map(png, pixels, swap, |$png: [[u8; SIZE]; _]| $memory)
        }};
    }
    reorder!(order, arm, same_order::<SIZE>(png, pixels, swap));
}

#[inline(always)]
fn same_order<const SIZE: usize>(from: &[u8], to: &mut [u8], swap: bool) {
    if swap {
        map(from, to, swap, |[sample]: [[u8; SIZE]; 1]| [sample]);
    } else {
        to.copy_from_slice(from);
    }
}

/// Applies `f` to each pixel of `from`, with the bytes of each sample of the
/// result swapped if `swap`.
#[inline(always)]
fn map<const SIZE: usize, const N: usize, const M: usize>(
    from: &[u8],
    to: &mut [u8],
    swap: bool,
    f: impl Fn([[u8; SIZE]; N]) -> [[u8; SIZE]; M],
) {
    let from = from.as_chunks::<SIZE>().0.as_chunks::<N>().0;
    let to = to.as_chunks_mut::<SIZE>().0.as_chunks_mut::<M>().0;
    if swap {
        for (to, from) in to.iter_mut().zip(from) {
            *to = f(*from).map(|mut sample| {
                sample.reverse();
                sample
            });
        }
    } else {
        for (to, from) in to.iter_mut().zip(from) {
            *to = f(*from);
        }
    }
}
