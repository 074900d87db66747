//! Pixels as PNG has them.

use super::Channel;
use super::order::{A, B, G, R, X, Y};

/// The channels that PNG has, in its order (PNG third edition, 6.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Color {
    Gray,
    GrayAlpha,
    Rgb,
    Rgba,
    /// Not a channel, but the number of a colour.
    Index,
}

impl Color {
    pub(crate) fn channels(self) -> &'static [Option<Channel>] {
        match self {
            Color::Gray => &[Y],
            Color::GrayAlpha => &[Y, A],
            Color::Rgb => &[R, G, B],
            Color::Rgba => &[R, G, B, A],
            Color::Index => &[X],
        }
    }
}

/// How PNG holds pixels: one behind the other, without gaps, samples of 16
/// bits with the most significant byte first, pixels of less than 8 bits with
/// the first in the most significant bits, each row from a byte of its own on
/// (PNG third edition, 7.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PngType {
    pub(crate) color: Color,
    /// Bits in a sample.
    pub(crate) depth: u8,
}

impl PngType {
    pub(crate) fn bits_per_pixel(self) -> usize {
        self.color.channels().len() * usize::from(self.depth)
    }

    /// Bytes in a pixel, or 1 if there are several to a byte: what filters
    /// reckon with (PNG third edition, 9.2).
    pub(crate) fn pixel_size(self) -> usize {
        self.bits_per_pixel().div_ceil(8)
    }

    /// Bytes in a row.
    pub(crate) fn row_size(self, width: u32) -> u64 {
        (u64::from(width) * self.bits_per_pixel() as u64).div_ceil(8)
    }
}
