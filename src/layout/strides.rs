//! Layouts of arrays, and the bytes that a layout reaches.

use std::ops::Range;

use super::Layout;
use crate::{Error, ErrorKind, PixelFormat};

/// Arrays and pointers.
impl Layout {
    /// Creates the layout of an array from its shape and its strides in **bytes**,
    /// as NumPy gives them.
    ///
    /// The axes are height and width, or height, width and channel, in this
    /// order. Reorder the axes of an array with channels first. The strides may
    /// have either sign. A stride of zero repeats a row, a column or a channel.
    /// The offset is 0. If pixel (0, 0) is not at the start of the buffer, set
    /// the offset with [`with_offset`](Layout::with_offset).
    ///
    /// - With two axes, an element of the array is a whole pixel.
    /// - With three axes, an element is a sample. Padding counts as a sample. If the
    ///   samples of a pixel lie side by side, the layout is interleaved, otherwise
    ///   planar. If the pixel is one word, such as that of `RGB565`, the channel
    ///   axis has the length 1. A word of four whole bytes, such as that of
    ///   `XRGB8888`, may also have a channel axis of its 4 bytes.
    ///
    /// A `bool` array has the format [`GRAY1LSB`](PixelFormat::GRAY1LSB): the
    /// lowest bit of each byte is a pixel.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::ArrayAxes`] if there are not 2 or 3 axes with a stride each;
    /// - [`ErrorKind::ArrayChannels`] if the length of the channel axis is not the
    ///   number of samples in a pixel;
    /// - [`ErrorKind::NotPlanar`] if the bytes of a word do not lie side by side;
    /// - [`ErrorKind::Empty`] and [`ErrorKind::TooLarge`] if PNG cannot hold the
    ///   size.
    ///
    /// # Examples
    ///
    /// `frame[::-1, 100:200]` of a NumPy array of 480 rows and 640 columns of
    /// RGB. Its first pixel is column 100 of the last row.
    ///
    /// ```
    /// use pixview::{Image, Layout, PixelFormat};
    ///
    /// let frame = vec![0u8; 480 * 640 * 3];
    /// let layout = Layout::from_strides(&[480, 100, 3], &[-1920, 3, 1], PixelFormat::RGB8)?
    ///     .with_offset(479 * 1920 + 100 * 3);
    /// let image = Image::with_layout(&frame, layout)?;
    /// assert_eq!((image.width(), image.height()), (100, 480));
    /// # Ok::<(), pixview::Error>(())
    /// ```
    ///
    /// An array with channels first, its axes reordered:
    ///
    /// ```
    /// # use pixview::{Layout, PixelFormat};
    /// let ([c, h, w], [channel, row, column]) = ([3, 480, 640], [307_200, 640, 1]);
    /// let layout =
    ///     Layout::from_strides(&[h, w, c], &[row, column, channel], PixelFormat::RGB8)?;
    /// assert_eq!(layout, Layout::planar(640, 480, PixelFormat::RGB8));
    /// # Ok::<(), pixview::Error>(())
    /// ```
    pub fn from_strides(
        shape: &[usize],
        strides: &[isize],
        format: PixelFormat,
    ) -> Result<Self, Error> {
        let (height, width, channels, row, column, channel) = match (shape, strides) {
            (&[height, width], &[row, column]) => (height, width, None, row, column, 0),
            (&[height, width, channels], &[row, column, channel]) => {
                (height, width, Some(channels), row, column, channel)
            }
            _ => {
                return Err(ErrorKind::ArrayAxes {
                    axes: shape.len(),
                    strides: strides.len(),
                }
                .into());
            }
        };
        let side = |count: usize| count.try_into().unwrap_or(u32::MAX);
        let layout = Layout::packed(side(width), side(height), format)
            .with_row_stride(row)
            .with_pixel_stride(column);
        layout.check_size()?;

        let needed = format.pixel_size() / format.sample_size();
        // A word of four samples is one element of the array, or four elements.
        let is_word = needed > 1 && !format.has_separable_samples();
        match channels {
            None => Ok(layout),
            Some(1) if needed == 1 || is_word => Ok(layout),
            Some(given) if given != needed => Err(ErrorKind::ArrayChannels {
                needed,
                given,
                format,
            }
            .into()),
            Some(_) if channel == format.sample_size() as isize => Ok(layout),
            Some(_) => {
                let layout = layout.with_plane_stride(channel);
                layout.check_planes()?;
                Ok(layout)
            }
        }
    }

    /// Creates the layout of an array from its shape and its strides in
    /// **elements**, as `ndarray` and DLPack give them.
    /// [`from_strides`](Layout::from_strides) describes the axes.
    ///
    /// `element_size` is the size of an element in bytes: that of a pixel if the
    /// array has two axes, that of a sample if it has three.
    ///
    /// # Errors
    ///
    /// The errors of [`from_strides`](Layout::from_strides), and
    /// [`ErrorKind::ArrayElement`] if a pixel or sample of the format has another
    /// size.
    ///
    /// # Examples
    ///
    /// Every second column of an array of `f32`:
    ///
    /// ```
    /// use pixview::{Image, Layout, PixelFormat};
    ///
    /// let field = vec![0f32; 100 * 200];
    /// let format = PixelFormat::GRAY_F32.with_range(-40.0, 60.0);
    /// let layout =
    ///     Layout::from_element_strides(&[100, 100], &[200, 2], size_of::<f32>(), format)?;
    /// let image = Image::with_layout(&field, layout)?;
    /// assert_eq!(image.layout().pixel_stride(), 8);
    /// # Ok::<(), pixview::Error>(())
    /// ```
    pub fn from_element_strides(
        shape: &[usize],
        strides: &[isize],
        element_size: usize,
        format: PixelFormat,
    ) -> Result<Self, Error> {
        // A stride in bytes that does not fit an `isize` reaches beyond any memory.
        // So does the nearest `isize`.
        let bytes =
            |stride: isize| stride.saturating_mul(element_size.try_into().unwrap_or(isize::MAX));
        let layout = match *strides {
            [row, column] => Layout::from_strides(shape, &[bytes(row), bytes(column)], format),
            [row, column, channel] => {
                let strides = [bytes(row), bytes(column), bytes(channel)];
                Layout::from_strides(shape, &strides, format)
            }
            _ => Layout::from_strides(shape, strides, format),
        }?;
        let needed = match *shape {
            [_, _, channels] if channels > 1 => format.sample_size(),
            [_, _, _] if format.has_separable_samples() => format.sample_size(),
            _ => format.pixel_size(),
        };
        if element_size != needed {
            return Err(ErrorKind::ArrayElement {
                needed,
                given: element_size,
                format,
            }
            .into());
        }
        Ok(layout)
    }

    /// Returns the range of bytes that the pixels use, counted from the byte of
    /// pixel (0, 0): the offset of the layout does not matter. The range starts
    /// before 0 if a stride is negative. It includes gaps between pixels, but no
    /// padding before the first pixel in memory or behind the last.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::Empty`] if the layout has no pixels;
    /// - [`ErrorKind::TooLarge`] if PNG cannot hold the size, or if the range is
    ///   larger than any memory;
    /// - [`ErrorKind::NotPlanar`] if the layout is planar and the format has no
    ///   planes.
    ///
    /// # Examples
    ///
    /// An image over a pointer to pixel (0, 0) and strides, as C and NumPy give
    /// them:
    ///
    /// ```
    /// use pixview::{Image, Layout, PixelFormat};
    ///
    /// # let memory: Vec<u8> = (0..40).collect();
    /// // Three rows of four gray pixels, bottom-up, 16 bytes a row.
    /// let layout = Layout::from_strides(&[3, 4], &[-16, 1], PixelFormat::GRAY8)?;
    /// # let pointer: *const u8 = memory.as_ptr().wrapping_add(32);
    ///
    /// let reach = layout.reach()?;
    /// assert_eq!(reach, -32..4);
    /// // SAFETY: `reach` has the bytes of these rows and the gaps between them, at
    /// // most `isize::MAX` bytes. The owner of the memory promises that all of
    /// // them are in one allocation, are initialized, and are neither freed nor
    /// // written while `bytes` is used.
    /// let bytes = unsafe {
    ///     let first = pointer.offset(reach.start);
    ///     std::slice::from_raw_parts(first, reach.len())
    /// };
    /// let layout = layout.with_offset(reach.start.unsigned_abs());
    /// let image = Image::with_layout(bytes, layout)?;
    /// assert_eq!(image.pixels()?.get(0, 0)?, [32]);
    /// assert_eq!(image.pixels()?.get(3, 2)?, [3]);
    /// # Ok::<(), pixview::Error>(())
    /// ```
    ///
    /// The slice needs no alignment, because its elements are bytes. If the owner
    /// writes while the image exists, make a slice of `Cell<u8>` if the owner
    /// writes in the same thread, or of `AtomicU8` if other threads write with
    /// atomics. Memory that another process writes cannot be a slice: use
    /// [`SharedFile`](crate::source::SharedFile), or implement
    /// [`LiveBytes`](crate::source::LiveBytes).
    pub fn reach(&self) -> Result<Range<isize>, Error> {
        self.check_size()?;
        self.check_planes()?;
        let [_, (_, row_stride), _] = self.axes();
        let rows = i128::from(self.height - 1) * row_stride;
        let (first, end) = self.first_row_bits();
        let start = (first + rows.min(0)).div_euclid(8);
        let end = (end + rows.max(0) + 7).div_euclid(8);
        // No memory has more than `isize::MAX` bytes.
        match (start.try_into(), end.try_into()) {
            (Ok(start), Ok(end)) if isize::checked_sub(end, start).is_some() => Ok(start..end),
            _ => Err(ErrorKind::TooLarge {
                width: self.width,
                height: self.height,
            }
            .into()),
        }
    }
}
