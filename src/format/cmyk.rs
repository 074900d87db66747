//! CMYK, by the simple formula: each ink takes its colour away, and black
//! takes what is left. No profile of any press is applied.

use super::alpha::{factor, multiply, straight};
use super::order::Order;
use super::samples::{samples_from_png, samples_to_png};
use super::shuffle::ShuffleKernels;

/// Pixels in a block of four bytes each, between ink and RGB.
const BLOCK: usize = 256;

/// 255 for ink that is counted from none on, 0 for what is left bare.
#[inline(always)]
fn flip(order: Order) -> u32 {
    match order {
        Order::CmykInverted => 0,
        _ => 0xff,
    }
}

/// `(255 - ink) * (255 - black) / 255` to the nearest.
#[inline(always)]
pub(super) fn to_png<K: ShuffleKernels>(kernels: K, order: Order, pixels: &[u8], png: &mut [u8]) {
    let flip = flip(order);
    let mut block = [0; 4 * BLOCK];
    for (pixels, png) in pixels.chunks(4 * BLOCK).zip(png.chunks_mut(3 * BLOCK)) {
        let block = &mut block[..pixels.len()];
        let pairs = block.as_chunks_mut().0.iter_mut().zip(pixels.as_chunks().0);
        for (rgbx, inks) in pairs {
            let inks = u32::from_le_bytes(*inks);
            let bare = |shift: u32| inks >> shift & 0xff ^ flip;
            let (red, green, blue) = (bare(0), bare(8), bare(16));
            let light = bare(24);
            let (red, green) = (multiply(red, light), multiply(green, light));
            *rgbx = (red | green << 8 | multiply(blue, light) << 16).to_le_bytes();
        }
        samples_to_png::<1, K>(kernels, Order::Rgbx, false, block, png);
    }
}

/// As much black as there can be.
#[inline(always)]
pub(super) fn from_png<K: ShuffleKernels>(kernels: K, order: Order, png: &[u8], pixels: &mut [u8]) {
    let flip = flip(order);
    let mut block = [0; 4 * BLOCK];
    for (pixels, png) in pixels.chunks_mut(4 * BLOCK).zip(png.chunks(3 * BLOCK)) {
        let block = &mut block[..pixels.len()];
        samples_from_png::<1, K>(kernels, Order::Rgbx, false, png, block);
        let pairs = pixels.as_chunks_mut().0.iter_mut().zip(block.as_chunks().0);
        for (inks, rgbx) in pairs {
            let rgbx = u32::from_le_bytes(*rgbx);
            let (red, green, blue) = (rgbx & 0xff, rgbx >> 8 & 0xff, rgbx >> 16 & 0xff);
            let light = red.max(green).max(blue);
            // A colour of which black takes its share, like alpha of others;
            // on black there is no other ink.
            let factor = factor(light);
            let none = if light == 0 { 0xff } else { 0 };
            let bare = |colour: u32| (straight(colour, factor) | none) ^ flip;
            *inks = (bare(red) | bare(green) << 8 | bare(blue) << 16 | (light ^ flip) << 24)
                .to_le_bytes();
        }
    }
}
