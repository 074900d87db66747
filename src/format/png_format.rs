//! The format of pixels in a PNG.

use std::fmt;

use png::ColorType;

/// The format of the pixels in a PNG: a color type and a bit depth.
///
/// Pixels lie side by side without gaps. Samples of 16 bits have their most
/// significant byte first. In a byte with several pixels, the first pixel has
/// the most significant bits. Each row begins with a byte of its own (PNG third
/// edition, 7.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PngFormat {
    pub(crate) color: ColorType,
    /// Bits in a sample.
    pub(crate) depth: u8,
}

impl PngFormat {
    /// Returns the number of bits in a pixel.
    pub(crate) fn bits_per_pixel(self) -> usize {
        self.color.samples() * usize::from(self.depth)
    }

    /// Returns the number of bytes in a pixel, or 1 if a byte holds several
    /// pixels: the distance between the bytes that a filter compares (PNG third
    /// edition, 9.2).
    pub(crate) fn pixel_size(self) -> usize {
        self.bits_per_pixel().div_ceil(8)
    }

    /// Returns the number of bytes in a row of `width` pixels.
    pub(crate) fn row_size(self, width: u32) -> u64 {
        (u64::from(width) * self.bits_per_pixel() as u64).div_ceil(8)
    }
}

/// The color type and the bit depth, as in "RGB of 8 bits".
impl fmt::Display for PngFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let color = match self.color {
            ColorType::Grayscale => "gray",
            ColorType::GrayscaleAlpha => "gray and alpha",
            ColorType::Rgb => "RGB",
            ColorType::Rgba => "RGBA",
            ColorType::Indexed => "indices",
        };
        let plural = if self.depth == 1 { "" } else { "s" };
        write!(f, "{color} of {} bit{plural}", self.depth)
    }
}
