//! Views of a layout: addresses, crops, flips, single channels.

use super::{Address, Layout, NOWHERE};
use crate::{Channel, Error, ErrorKind, PixelFormat};

/// Views: other layouts of the same buffer.
///
/// An [`Image`](crate::Image) has methods of the same names. Those of a layout do
/// not check it against a buffer: [`Image::with_layout`](crate::Image::with_layout)
/// checks the view.
impl Layout {
    /// Returns the view of the rectangle with its upper left corner at `(x, y)`,
    /// in pixels.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::EmptyRect`] and [`ErrorKind::RectOutside`] if the rectangle
    /// is empty or reaches out of the layout.
    ///
    /// # Examples
    ///
    /// The left half of a frame. The buffer ends with the last pixel of this half:
    ///
    /// ```
    /// use pixview::{Image, Layout, PixelFormat};
    ///
    /// let mapped = vec![0u8; 479 * 1280 + 640];
    /// let frame = Layout::packed(640, 480, PixelFormat::RGB565);
    /// assert!(Image::with_layout(&mapped, frame).is_err());
    /// let half = Image::with_layout(&mapped, frame.crop(0, 0, 320, 480)?)?;
    /// # half.pixels()?.get(319, 479)?;
    /// # Ok::<(), pixview::Error>(())
    /// ```
    pub fn crop(self, x: u32, y: u32, width: u32, height: u32) -> Result<Self, Error> {
        if width == 0 || height == 0 {
            return Err(ErrorKind::EmptyRect {
                x,
                y,
                width,
                height,
            }
            .into());
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
            }
            .into());
        }
        let mut view = self.begin_at(x, y);
        view.width = width;
        view.height = height;
        Ok(view)
    }

    /// Returns the view with left and right exchanged.
    #[must_use]
    pub fn flip_horizontal(self) -> Self {
        let mut view = self.begin_at(self.width.saturating_sub(1), 0);
        // `isize::MIN` has no negative. It fits no memory, except as the stride
        // of a single pixel, where any number will do.
        view.pixel_stride = view.pixel_stride.wrapping_neg();
        view.bits.pixel = -view.bits.pixel;
        view
    }

    /// Returns the view with top and bottom exchanged.
    ///
    /// # Examples
    ///
    /// A bottom-up buffer, whose first row in memory is the last row of the
    /// image:
    ///
    /// ```
    /// use pixview::{Layout, PixelFormat};
    ///
    /// let layout = Layout::packed(100, 50, PixelFormat::BGR8).flip_vertical();
    /// assert_eq!(layout.offset(), 49 * 300);
    /// assert_eq!(layout.row_stride(), -300);
    /// ```
    #[must_use]
    pub fn flip_vertical(self) -> Self {
        let mut view = self.begin_at(0, self.height.saturating_sub(1));
        view.row_stride = view.row_stride.wrapping_neg();
        view.bits.row = -view.bits.row;
        view
    }

    /// Returns the view with columns and rows exchanged: pixel (x, y) becomes
    /// pixel (y, x).
    #[must_use]
    pub fn transpose(mut self) -> Self {
        std::mem::swap(&mut self.width, &mut self.height);
        std::mem::swap(&mut self.row_stride, &mut self.pixel_stride);
        std::mem::swap(&mut self.bits.row, &mut self.bits.pixel);
        self
    }

    /// Returns the view of one channel, in a gray format of the same depth. The
    /// view keeps the options of the format. A view of the alpha channel keeps
    /// only the number of significant bits.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::NoChannel`] if the format has no such channel, or if the
    ///   channel is a premultiplied color or a field of a word that is not a
    ///   whole byte;
    /// - [`ErrorKind::NotPlanar`] if the layout is planar and the format has no
    ///   planes.
    pub fn channel(self, channel: Channel) -> Result<Self, Error> {
        self.check_planes()?;
        let format = self.format;
        let index = format
            .sample_of(channel)
            .ok_or(ErrorKind::NoChannel { channel, format })?;
        let bytes = index as i128 * self.sample_stride() as i128;
        let mut view = self.move_by(8 * bytes);
        view.plane_stride = None;
        view.format = format.channel_format(channel);
        Ok(view)
    }

    /// Moves pixel (0, 0) to pixel `(x, y)`.
    fn begin_at(self, x: u32, y: u32) -> Self {
        let [(_, pixel_stride), (_, row_stride), _] = self.axes();
        self.move_by(i128::from(x) * pixel_stride + i128::from(y) * row_stride)
    }

    /// Moves pixel (0, 0) by this number of bits.
    fn move_by(mut self, bits: i128) -> Self {
        let bit = 8 * self.offset as i128 + i128::from(self.bits.offset) + bits;
        if self.offset != NOWHERE {
            self.offset = bit.div_euclid(8).try_into().unwrap_or(NOWHERE);
            self.bits.offset = bit.rem_euclid(8) as u8;
        }
        self
    }

    /// Returns the number of bytes from a sample to the next sample of the same
    /// pixel.
    fn sample_stride(&self) -> isize {
        self.plane_stride
            .unwrap_or(self.format.sample_size() as isize)
    }
}

/// Addresses and views of a checked layout. Every pixel of the result is a pixel
/// of the original, so nothing overflows.
impl Layout {
    /// Returns where pixel `(x, y)` begins. Cannot overflow: the pixel exists.
    pub(crate) fn address(&self, x: u32, y: u32) -> Address {
        let mut byte = self.offset;
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

    /// Returns the view of every `dx`-th pixel of every `dy`-th row, from pixel
    /// `(x, y)` on, which exists. Pixels have whole bytes, or all of these steps
    /// are 1.
    pub(crate) fn every(self, x: u32, y: u32, dx: u32, dy: u32) -> Self {
        if (x, y, dx, dy) == (0, 0, 1, 1) {
            return self;
        }
        let mut view = self.begin_at(x, y);
        view.width = (self.width - x).div_ceil(dx);
        view.height = (self.height - y).div_ceil(dy);
        view.pixel_stride = view.pixel_stride.wrapping_mul(dx as isize);
        view.row_stride = view.row_stride.wrapping_mul(dy as isize);
        view
    }

    /// Returns the view of one sample of every pixel, as pixels of `format`.
    /// `index` counts the samples in memory.
    pub(crate) fn sample(mut self, index: usize, format: PixelFormat) -> Self {
        if index != 0 {
            self.offset += index as isize * self.sample_stride();
        }
        self.plane_stride = None;
        self.format = format;
        self
    }
}
