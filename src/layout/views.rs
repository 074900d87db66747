//! Views of a layout: addresses, crops, flips, single channels.

use super::{Address, Layout};
use crate::{ErrorKind, PixelFormat};

/// The layout has been checked. Every pixel of the result is a pixel of the
/// original, so only the indices need a check.
///
/// The stride of an axis with one pixel can be any number, hence
/// `wrapping_neg`.
impl Layout {
    /// Returns where pixel `(x, y)` begins. Cannot overflow: the pixel exists.
    pub(crate) fn address(&self, x: u32, y: u32) -> Address {
        let mut byte = self.offset as isize;
        if y != 0 {
            byte += y as isize * self.row_stride;
        }
        if x != 0 {
            byte += x as isize * self.pixel_stride;
        }
        if self.format.bits().is_none() {
            return Address {
                byte: byte as usize,
                bit: 0,
            };
        }
        let bits = i64::from(self.bits.offset)
            + i64::from(y) * i64::from(self.bits.row)
            + i64::from(x) * i64::from(self.bits.pixel);
        Address {
            byte: (byte + bits.div_euclid(8) as isize) as usize,
            bit: bits.rem_euclid(8) as u8,
        }
    }

    /// Moves pixel (0, 0) to this address.
    fn at(mut self, address: Address) -> Self {
        self.offset = address.byte;
        self.bits.offset = address.bit;
        self
    }

    /// Returns whether the rows of an interleaved image lie apart, so that the
    /// gaps between the pixels of a row hold no pixels of other rows. Repeated
    /// rows count as apart.
    pub(crate) fn rows_are_apart(&self) -> bool {
        let last = (self.width - 1) as usize;
        let row = match last {
            0 => 0,
            _ => last * self.pixel_stride.unsigned_abs(),
        };
        let stride = self.row_stride.unsigned_abs();
        self.height == 1 || stride == 0 || stride >= row + self.format.pixel_size()
    }

    /// Returns the view of a rectangle.
    pub(crate) fn crop(self, x: u32, y: u32, width: u32, height: u32) -> Result<Self, ErrorKind> {
        if width == 0 || height == 0 {
            return Err(ErrorKind::EmptyRect {
                x,
                y,
                width,
                height,
            });
        }
        let inside = |at: u32, size: u32, of: u32| at < of && size <= of - at;
        if !inside(x, width, self.width) || !inside(y, height, self.height) {
            return Err(ErrorKind::RectOutside {
                x,
                y,
                width,
                height,
                image_width: self.width,
                image_height: self.height,
            });
        }
        let mut view = self.at(self.address(x, y));
        view.width = width;
        view.height = height;
        Ok(view)
    }

    /// Returns the view with left and right exchanged.
    pub(crate) fn flip_horizontal(self) -> Self {
        let mut view = self.at(self.address(self.width - 1, 0));
        view.pixel_stride = view.pixel_stride.wrapping_neg();
        view.bits.pixel = -view.bits.pixel;
        view
    }

    /// Returns the view with top and bottom exchanged.
    pub(crate) fn flip_vertical(self) -> Self {
        let mut view = self.at(self.address(0, self.height - 1));
        view.row_stride = view.row_stride.wrapping_neg();
        view.bits.row = -view.bits.row;
        view
    }

    /// Returns the view with columns and rows exchanged.
    pub(crate) fn transpose(mut self) -> Self {
        std::mem::swap(&mut self.width, &mut self.height);
        std::mem::swap(&mut self.row_stride, &mut self.pixel_stride);
        std::mem::swap(&mut self.bits.row, &mut self.bits.pixel);
        self
    }

    /// Returns the view of every `dx`-th pixel of every `dy`-th row, from pixel
    /// `(x, y)` on, which exists. Pixels have whole bytes, or all of these steps
    /// are 1.
    pub(crate) fn every(self, x: u32, y: u32, dx: u32, dy: u32) -> Self {
        if (x, y, dx, dy) == (0, 0, 1, 1) {
            return self;
        }
        let mut view = self.at(self.address(x, y));
        view.width = (self.width - x).div_ceil(dx);
        view.height = (self.height - y).div_ceil(dy);
        view.pixel_stride = view.pixel_stride.wrapping_mul(dx as isize);
        view.row_stride = view.row_stride.wrapping_mul(dy as isize);
        view
    }

    /// Returns the view of one sample of every pixel, as pixels of `format`.
    /// `index` counts the samples in memory.
    pub(crate) fn sample(mut self, index: usize, format: PixelFormat) -> Self {
        let step = match self.plane_stride {
            None => self.format.sample_size() as isize,
            Some(stride) => stride,
        };
        if index != 0 {
            self.offset = (self.offset as isize + index as isize * step) as usize;
        }
        self.plane_stride = None;
        self.format = format;
        self
    }
}
