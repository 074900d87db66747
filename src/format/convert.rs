//! Rows of pixels to the samples of PNG and back.
//!
//! Every conversion is a loop over arrays of constant size without branches,
//! which the compiler turns into vector code: once for the registers that
//! every processor of the kind has, and once for wider ones (`simd.rs`). What
//! it can't do, pixels of three samples, is a kernel of its own.

use super::simd::{Move, Shuffle};
use super::{Numbers, Order, PixelFormat, Store, alpha, ink, numbers, words};

/// Writes packed pixels of `format` as PNG holds them. Both slices hold the
/// same number of pixels. Not of formats with several pixels to a byte.
pub(crate) fn to_png(format: PixelFormat, pixels: &[u8], png: &mut [u8]) {
    debug_assert_eq!(
        pixels.len() / format.pixel_size(),
        png.len() / format.png().pixel_size(),
    );
    super::simd::to_png(format, pixels, png);
}

/// Writes what PNG holds as packed pixels of `format`, padding as 255 or all
/// ones. The samples fit the format's bit depth.
pub(crate) fn from_png(format: PixelFormat, png: &[u8], pixels: &mut [u8]) {
    debug_assert_eq!(
        pixels.len() / format.pixel_size(),
        png.len() / format.png().pixel_size(),
    );
    super::simd::from_png(format, png, pixels);
}

#[inline(always)]
pub(super) fn to_png_with<S: Shuffle>(
    shuffle: S,
    format: PixelFormat,
    pixels: &[u8],
    png: &mut [u8],
) {
    match format.store {
        Store::U8 if matches!(format.order, Order::Cmyk | Order::CmykInverted) => {
            ink::to_png(shuffle, format.order, pixels, png);
        }
        Store::U8 | Store::Word8888 if format.premultiplied => {
            alpha::to_png(format.memory_order(), pixels, png);
        }
        Store::U8 | Store::Word8888 => {
            samples_to_png::<1, S>(shuffle, format.memory_order(), false, pixels, png);
        }
        Store::U16(endian) if !format.premultiplied && format.numbers == Numbers::PLAIN => {
            samples_to_png::<2, S>(shuffle, format.order, !endian.is_big(), pixels, png);
        }
        Store::U16(_) | Store::I16(_) | Store::U32(_) | Store::F32(_) => {
            numbers::to_png(format, pixels, png);
        }
        Store::Word565(_) | Store::Word1555(_) | Store::Word2101010(_) => {
            words::to_png(shuffle, format, pixels, png);
        }
        Store::Bits(..) => unreachable!("taken apart by the caller"),
    }
}

#[inline(always)]
pub(super) fn from_png_with<S: Shuffle>(
    shuffle: S,
    format: PixelFormat,
    png: &[u8],
    pixels: &mut [u8],
) {
    match format.store {
        Store::U8 if matches!(format.order, Order::Cmyk | Order::CmykInverted) => {
            ink::from_png(shuffle, format.order, png, pixels);
        }
        Store::U8 | Store::Word8888 if format.premultiplied => {
            alpha::from_png(format.memory_order(), png, pixels);
        }
        Store::U8 | Store::Word8888 => {
            samples_from_png::<1, S>(shuffle, format.memory_order(), false, png, pixels);
        }
        Store::U16(endian) if !format.premultiplied && format.numbers == Numbers::PLAIN => {
            samples_from_png::<2, S>(shuffle, format.order, !endian.is_big(), png, pixels);
        }
        Store::U16(_) | Store::I16(_) | Store::U32(_) | Store::F32(_) => {
            numbers::from_png(format, png, pixels);
        }
        Store::Word565(_) | Store::Word1555(_) | Store::Word2101010(_) => {
            words::from_png(shuffle, format, png, pixels);
        }
        Store::Bits(..) => unreachable!("put together by the caller"),
    }
}

/// Samples of `SIZE` bytes in this order in memory, with their bytes swapped
/// or not, to the order of PNG.
#[inline(always)]
pub(super) fn samples_to_png<const SIZE: usize, S: Shuffle>(
    shuffle: S,
    order: Order,
    swap: bool,
    pixels: &[u8],
    png: &mut [u8],
) {
    let (from, to) = (order.channels().len(), order.png().channels().len());
    let done = match Move::new(order.channels(), order.png().channels(), SIZE, swap) {
        Some(change) => shuffle.shuffle(&change, pixels, png),
        None => 0,
    };
    let (pixels, png) = (&pixels[done * from * SIZE..], &mut png[done * to * SIZE..]);
    match order {
        Order::Gray | Order::GrayAlpha | Order::Rgb | Order::Rgba | Order::Index if swap => {
            map(pixels, png, swap, |[x]: [[u8; SIZE]; 1]| [x]);
        }
        Order::Gray | Order::GrayAlpha | Order::Rgb | Order::Rgba | Order::Index => {
            png.copy_from_slice(pixels);
        }
        Order::Bgr => map(pixels, png, swap, |[b, g, r]: [[u8; SIZE]; 3]| [r, g, b]),
        Order::Bgra => map(pixels, png, swap, |[b, g, r, a]: [[u8; SIZE]; 4]| {
            [r, g, b, a]
        }),
        Order::Argb => map(pixels, png, swap, |[a, r, g, b]: [[u8; SIZE]; 4]| {
            [r, g, b, a]
        }),
        Order::Abgr => map(pixels, png, swap, |[a, b, g, r]: [[u8; SIZE]; 4]| {
            [r, g, b, a]
        }),
        Order::Rgbx => map(pixels, png, swap, |[r, g, b, _]: [[u8; SIZE]; 4]| [r, g, b]),
        Order::Bgrx => map(pixels, png, swap, |[b, g, r, _]: [[u8; SIZE]; 4]| [r, g, b]),
        Order::Xrgb => map(pixels, png, swap, |[_, r, g, b]: [[u8; SIZE]; 4]| [r, g, b]),
        Order::Xbgr => map(pixels, png, swap, |[_, b, g, r]: [[u8; SIZE]; 4]| [r, g, b]),
        Order::Cmyk | Order::CmykInverted => unreachable!("not samples of PNG"),
    }
}

/// And back.
#[inline(always)]
pub(super) fn samples_from_png<const SIZE: usize, S: Shuffle>(
    shuffle: S,
    order: Order,
    swap: bool,
    png: &[u8],
    pixels: &mut [u8],
) {
    let (from, to) = (order.png().channels().len(), order.channels().len());
    let done = match Move::new(order.png().channels(), order.channels(), SIZE, swap) {
        Some(change) => shuffle.shuffle(&change, png, pixels),
        None => 0,
    };
    let (png, pixels) = (&png[done * from * SIZE..], &mut pixels[done * to * SIZE..]);
    let x = [0xff; SIZE];
    match order {
        Order::Gray | Order::GrayAlpha | Order::Rgb | Order::Rgba | Order::Index if swap => {
            map(png, pixels, swap, |[x]: [[u8; SIZE]; 1]| [x]);
        }
        Order::Gray | Order::GrayAlpha | Order::Rgb | Order::Rgba | Order::Index => {
            pixels.copy_from_slice(png);
        }
        Order::Bgr => map(png, pixels, swap, |[r, g, b]: [[u8; SIZE]; 3]| [b, g, r]),
        Order::Bgra => map(png, pixels, swap, |[r, g, b, a]: [[u8; SIZE]; 4]| {
            [b, g, r, a]
        }),
        Order::Argb => map(png, pixels, swap, |[r, g, b, a]: [[u8; SIZE]; 4]| {
            [a, r, g, b]
        }),
        Order::Abgr => map(png, pixels, swap, |[r, g, b, a]: [[u8; SIZE]; 4]| {
            [a, b, g, r]
        }),
        Order::Rgbx => map(png, pixels, swap, |[r, g, b]: [[u8; SIZE]; 3]| [r, g, b, x]),
        Order::Bgrx => map(png, pixels, swap, |[r, g, b]: [[u8; SIZE]; 3]| [b, g, r, x]),
        Order::Xrgb => map(png, pixels, swap, |[r, g, b]: [[u8; SIZE]; 3]| [x, r, g, b]),
        Order::Xbgr => map(png, pixels, swap, |[r, g, b]: [[u8; SIZE]; 3]| [x, b, g, r]),
        Order::Cmyk | Order::CmykInverted => unreachable!("not samples of PNG"),
    }
}

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
