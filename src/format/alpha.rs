//! Colours of 8 bits that have been multiplied by alpha. (Those of 16 are
//! numbers: see `numbers.rs`.)

use super::order::{A, B, G, Order, R};

/// The lowest bit of each channel in a word of the bytes of a pixel.
struct Shifts {
    red: u32,
    green: u32,
    blue: u32,
    alpha: u32,
}

impl Shifts {
    #[inline(always)]
    fn of(order: Order) -> Self {
        let shift = |channel| {
            let at = order.channels().iter().position(|&c| c == channel);
            at.unwrap_or(0) as u32 * 8
        };
        Shifts {
            red: shift(R),
            green: shift(G),
            blue: shift(B),
            alpha: shift(A),
        }
    }
}

/// What to multiply colours by that have been multiplied by this alpha.
#[inline(always)]
pub(super) fn factor(alpha: u32) -> f32 {
    // By way of `i32`, which processors have an instruction for.
    let factor = 255.0 / (alpha as i32 as f32);
    if alpha == 0 { 0.0 } else { factor }
}

/// The straight colour: `premultiplied * 255 / alpha` to the nearest, halfway
/// up; at most 255.
///
/// Exact for all: what is not halfway is away from it by 1/510 at least, so
/// that adding less than that makes what is halfway go up whatever was rounded
/// off, and nothing else.
#[inline(always)]
pub(super) fn straight(premultiplied: u32, factor: f32) -> u32 {
    /// At this size numbers have no bits for fractions.
    const WHOLE: f32 = (1 << 23) as f32;
    let colour = premultiplied as i32 as f32 * factor + 0.0005;
    let colour = if colour < 255.0 { colour } else { 255.0 };
    (colour + WHOLE).to_bits() & 0xff
}

/// `straight * alpha / 255` to the nearest: there is nothing halfway.
#[inline(always)]
pub(super) fn multiply(straight: u32, alpha: u32) -> u32 {
    let product = straight * alpha + 128;
    (product + (product >> 8)) >> 8
}

#[inline(always)]
pub(super) fn to_png(order: Order, pixels: &[u8], png: &mut [u8]) {
    if order == Order::GrayAlpha {
        let pairs = png.as_chunks_mut().0.iter_mut().zip(pixels.as_chunks().0);
        for (png, pixel) in pairs {
            let pixel = u32::from(u16::from_le_bytes(*pixel));
            let alpha = pixel >> 8;
            let gray = straight(pixel & 0xff, factor(alpha));
            *png = ((gray | alpha << 8) as u16).to_le_bytes();
        }
        return;
    }
    let shifts = Shifts::of(order);
    let pairs = png.as_chunks_mut().0.iter_mut().zip(pixels.as_chunks().0);
    for (png, pixel) in pairs {
        let pixel = u32::from_le_bytes(*pixel);
        let alpha = pixel >> shifts.alpha & 0xff;
        let factor = factor(alpha);
        let red = straight(pixel >> shifts.red & 0xff, factor);
        let green = straight(pixel >> shifts.green & 0xff, factor);
        let blue = straight(pixel >> shifts.blue & 0xff, factor);
        *png = (red | green << 8 | blue << 16 | alpha << 24).to_le_bytes();
    }
}

#[inline(always)]
pub(super) fn from_png(order: Order, png: &[u8], pixels: &mut [u8]) {
    if order == Order::GrayAlpha {
        let pairs = pixels.as_chunks_mut().0.iter_mut().zip(png.as_chunks().0);
        for (pixel, png) in pairs {
            let png = u32::from(u16::from_le_bytes(*png));
            let alpha = png >> 8;
            let gray = multiply(png & 0xff, alpha);
            *pixel = ((gray | alpha << 8) as u16).to_le_bytes();
        }
        return;
    }
    let shifts = Shifts::of(order);
    let pairs = pixels.as_chunks_mut().0.iter_mut().zip(png.as_chunks().0);
    for (pixel, png) in pairs {
        let png = u32::from_le_bytes(*png);
        let alpha = png >> 24;
        let red = multiply(png & 0xff, alpha) << shifts.red;
        let green = multiply(png >> 8 & 0xff, alpha) << shifts.green;
        let blue = multiply(png >> 16 & 0xff, alpha) << shifts.blue;
        *pixel = (red | green | blue | alpha << shifts.alpha).to_le_bytes();
    }
}
