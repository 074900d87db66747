//! Premultiplied colors of 8 bits. Those of other sizes are converted in
//! `mapping.rs` and `packed.rs`.

use super::order::{A, B, G, Order, R};

/// The lowest bit of each channel in the little-endian word of a pixel's four
/// bytes.
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

/// Returns the factor from premultiplied to straight colors for this alpha:
/// `255 / alpha`, or 0 if alpha is 0.
#[inline(always)]
pub(super) fn factor(alpha: u32) -> f32 {
    // By way of `i32`: processors have an instruction for this conversion.
    let factor = 255.0 / (alpha as i32 as f32);
    if alpha == 0 { 0.0 } else { factor }
}

/// Returns the straight color `premultiplied * 255 / alpha`, rounded to
/// nearest, ties up, and at most 255.
///
/// The result is exact for every input. A quotient that is not a tie is at
/// least 1/510 away from one. So 0.0005 is enough to round every tie up in
/// spite of rounding errors, and too little to change any other result.
#[inline(always)]
pub(super) fn straight(premultiplied: u32, factor: f32) -> u32 {
    /// An `f32` of this size has no fraction bits, so that adding it rounds to
    /// an integer.
    const NO_FRACTION: f32 = (1 << 23) as f32;
    let color = premultiplied as i32 as f32 * factor + 0.0005;
    let color = if color < 255.0 { color } else { 255.0 };
    (color + NO_FRACTION).to_bits() & 0xff
}

/// Returns the premultiplied color `straight * alpha / 255`, rounded to
/// nearest. There are no ties, since 255 is odd.
#[inline(always)]
pub(super) fn multiply(straight: u32, alpha: u32) -> u32 {
    let product = straight * alpha + 128;
    (product + (product >> 8)) >> 8
}

/// Writes premultiplied pixels as straight samples in the order of PNG.
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

/// Writes the samples of PNG as premultiplied pixels.
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
