//! CMYK by the simple formula, without a color profile: each ink removes its
//! share of red, green or blue, and black removes its share of the rest.

use super::alpha::{factor, multiply, straight};
use super::order::Order;
use super::samples::{samples_from_png, samples_to_png};
use super::shuffle::ShuffleKernels;

/// Pixels in a block on the stack that holds RGB with padding.
const BLOCK: usize = 256;

/// Returns the bits to flip between a sample in memory and its brightness: all
/// where 255 is full ink, none where 0 is full ink.
#[inline(always)]
fn brightness_mask(order: Order) -> u32 {
    match order {
        Order::CmykInverted => 0,
        _ => 0xff,
    }
}

/// Writes inks as RGB: `(255 - ink) * (255 - black) / 255`, rounded to nearest.
#[inline(always)]
pub(super) fn to_png<K: ShuffleKernels>(kernels: K, order: Order, pixels: &[u8], png: &mut [u8]) {
    let mask = brightness_mask(order);
    let mut block = [0; 4 * BLOCK];
    for (pixels, png) in pixels.chunks(4 * BLOCK).zip(png.chunks_mut(3 * BLOCK)) {
        let block = &mut block[..pixels.len()];
        let pairs = block.as_chunks_mut().0.iter_mut().zip(pixels.as_chunks().0);
        for (rgbx, inks) in pairs {
            let inks = u32::from_le_bytes(*inks);
            let brightness = |shift: u32| inks >> shift & 0xff ^ mask;
            let (red, green, blue) = (brightness(0), brightness(8), brightness(16));
            let light = brightness(24);
            let (red, green) = (multiply(red, light), multiply(green, light));
            *rgbx = (red | green << 8 | multiply(blue, light) << 16).to_le_bytes();
        }
        samples_to_png::<1, K>(kernels, Order::Rgbx, false, block, png);
    }
}

/// Writes RGB as inks, with as much black as the color allows.
#[inline(always)]
pub(super) fn from_png<K: ShuffleKernels>(kernels: K, order: Order, png: &[u8], pixels: &mut [u8]) {
    let mask = brightness_mask(order);
    let mut block = [0; 4 * BLOCK];
    for (pixels, png) in pixels.chunks_mut(4 * BLOCK).zip(png.chunks(3 * BLOCK)) {
        let block = &mut block[..pixels.len()];
        samples_from_png::<1, K>(kernels, Order::Rgbx, false, png, block);
        let pairs = pixels.as_chunks_mut().0.iter_mut().zip(block.as_chunks().0);
        for (inks, rgbx) in pairs {
            let rgbx = u32::from_le_bytes(*rgbx);
            let (red, green, blue) = (rgbx & 0xff, rgbx >> 8 & 0xff, rgbx >> 16 & 0xff);
            let light = red.max(green).max(blue);
            // Black scales the other inks as alpha scales premultiplied colors.
            let factor = factor(light);
            // Full black takes no other ink.
            let no_ink = if light == 0 { 0xff } else { 0 };
            let ink = |color: u32| (straight(color, factor) | no_ink) ^ mask;
            *inks =
                (ink(red) | ink(green) << 8 | ink(blue) << 16 | (light ^ mask) << 24).to_le_bytes();
        }
    }
}
