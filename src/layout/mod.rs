//! Where a pixel lies in its buffer.

mod check;
mod strides;
mod views;

use crate::PixelFormat;

/// Where the pixels of an image lie in its buffer.
///
/// Pixel `(x, y)` of a format of whole bytes begins at byte
///
/// ```text
/// offset + y * row_stride + x * pixel_stride
/// ```
///
/// and in a planar layout sample `c` of that pixel, counted in the order of
/// the format, at
///
/// ```text
/// offset + y * row_stride + x * pixel_stride + c * plane_stride
/// ```
///
/// Offset and strides are in **bytes**, not in pixels or elements. Strides may
/// be negative, like those of a NumPy array or a DLPack tensor. The offset
/// is the byte of pixel (0, 0): in a bottom-up buffer with a negative row stride,
/// the start of the last row in memory. A stride of zero repeats a row or a
/// column. The bytes after the last pixel of a row are never touched. So the last
/// row in memory needs no padding, and a buffer may be larger than the image.
///
/// In formats with several pixels to a byte, such as `GRAY1`, pixel `(x, y)`
/// begins at bit
///
/// ```text
/// offset_bits + y * row_stride_bits + x * pixel_stride_bits
/// ```
///
/// The bits of a byte are counted in the order in which the byte holds its
/// pixels. In a new layout each row begins with a byte, and pixels lie side by
/// side. A crop or a flip may begin at any bit of a byte. Then only the methods
/// that count bits, such as [`offset_bits`](Layout::offset_bits), describe the
/// layout fully.
///
/// [`from_strides`](Layout::from_strides) takes the shape and the strides of an
/// array, as NumPy, DLPack and `ndarray` give them. [`reach`](Layout::reach)
/// returns the bytes that a layout uses, to make a slice from a pointer.
///
/// A `Layout` is a plain description. [`Image::with_layout`] checks it against
/// the buffer, once. The check refuses pixels that share bits, unless a stride of
/// zero repeats them: the usual cause is a row stride in pixels instead of bytes.
/// [`allow_overlap`](Layout::allow_overlap) permits shared bits. An image with
/// shared bits can be read and saved, but not written.
///
/// [`Image::with_layout`]: crate::Image::with_layout
///
/// # Examples
///
/// A read-back whose rows are padded to 256 bytes:
///
/// ```
/// use pixview::{Layout, PixelFormat};
///
/// let layout = Layout::packed(100, 50, PixelFormat::BGRA8).with_row_stride(512);
/// assert_eq!(layout.pixel_stride(), 4);
/// ```
///
/// Every second pixel of every second row of a frame of 640×480:
///
/// ```
/// use pixview::{Image, Layout, PixelFormat};
///
/// let frame = vec![0u8; 640 * 480];
/// let layout = Layout::packed(320, 240, PixelFormat::GRAY8)
///     .with_pixel_stride(2)
///     .with_row_stride(2 * 640);
/// let half = Image::with_layout(&frame, layout)?;
/// # half.pixels()?.get(319, 239)?;
/// # Ok::<(), pixview::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Layout {
    width: u32,
    height: u32,
    format: PixelFormat,
    /// The byte of pixel (0, 0). Negative in a view that begins before the
    /// buffer, and [`NOWHERE`] in a view that begins beyond any memory. The check
    /// against the buffer refuses both.
    offset: isize,
    row_stride: isize,
    pixel_stride: isize,
    plane_stride: Option<isize>,
    /// Whether pixels may share bits, with strides other than zero.
    overlap_allowed: bool,
    /// The bits to add to offset and strides, in formats with several pixels
    /// to a byte.
    bits: Bits,
}

/// The offset of a layout that begins outside any memory. A view of such a
/// layout begins there too.
const NOWHERE: isize = isize::MAX;

/// Bits beyond whole bytes. The format decides which bits of a byte come
/// first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
struct Bits {
    /// 0 to 7.
    offset: u8,
    row: i8,
    pixel: i8,
}

/// The way from a pixel to the next, in formats with several pixels to a byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// To the bits behind the pixel.
    Next,
    /// To the bits before the pixel.
    Before,
    /// To the same bits of another byte, this many bytes further.
    Bytes(isize),
}

/// The place at which a pixel begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    pub(crate) byte: usize,
    /// 0 unless several pixels share a byte.
    pub(crate) bit: u8,
}

impl Layout {
    /// Creates a layout of rows without padding, from the first byte of the
    /// buffer on: pixels from left to right, rows from top to bottom.
    #[must_use]
    pub fn packed(width: u32, height: u32, format: PixelFormat) -> Self {
        let (pixel_stride, bits) = match format.bits() {
            None => (format.pixel_size() as isize, 0),
            Some((bits, _)) => (0, bits as i8),
        };
        Layout {
            width,
            height,
            format,
            offset: 0,
            row_stride: format.row_size(width).try_into().unwrap_or(isize::MAX),
            pixel_stride,
            plane_stride: None,
            overlap_allowed: false,
            bits: Bits {
                pixel: bits,
                ..Bits::default()
            },
        }
    }

    /// Creates a layout of planes without padding: one plane for each channel,
    /// in the order of the format.
    ///
    /// # Examples
    ///
    /// ```
    /// use pixview::{Layout, PixelFormat};
    ///
    /// let layout = Layout::planar(100, 50, PixelFormat::RGB8);
    /// assert_eq!(layout.pixel_stride(), 1);
    /// assert_eq!(layout.row_stride(), 100);
    /// assert_eq!(layout.plane_stride(), Some(5000));
    /// ```
    #[must_use]
    pub fn planar(width: u32, height: u32, format: PixelFormat) -> Self {
        let sample = format.sample_size() as isize;
        let row_stride = saturating_product(width, sample);
        Layout {
            row_stride,
            pixel_stride: sample,
            plane_stride: Some(saturating_product(height, row_stride)),
            ..Self::packed(width, height, format)
        }
    }

    /// Sets the byte of the buffer at which pixel (0, 0) begins. To begin within a
    /// byte, create an image that begins with that byte and crop it.
    #[must_use]
    pub fn with_offset(mut self, bytes: usize) -> Self {
        self.offset = bytes.try_into().unwrap_or(NOWHERE);
        self.bits.offset = 0;
        self
    }

    /// Sets the number of bytes from a pixel to the pixel below it. Zero
    /// repeats the first row.
    #[must_use]
    pub fn with_row_stride(mut self, bytes: isize) -> Self {
        self.row_stride = bytes;
        self.bits.row = 0;
        self
    }

    /// Sets the number of bytes from a pixel to the pixel on its right. Zero
    /// repeats the first column. A pixel smaller than a byte keeps its place
    /// within the byte.
    #[must_use]
    pub fn with_pixel_stride(mut self, bytes: isize) -> Self {
        self.pixel_stride = bytes;
        self.bits.pixel = 0;
        self
    }

    /// Makes the layout planar, with this many bytes from a sample to the next
    /// sample of the same pixel.
    #[must_use]
    pub fn with_plane_stride(mut self, bytes: isize) -> Self {
        self.plane_stride = Some(bytes);
        self
    }

    /// Allows pixels that share bits, such as rows that overlap, or windows that
    /// slide over a signal. The image can be read and saved, but not written.
    ///
    /// # Examples
    ///
    /// ```
    /// use pixview::{Image, Layout, PixelFormat};
    ///
    /// // Each row is the row above it, moved by one sample.
    /// let signal: Vec<u8> = (0..100).collect();
    /// let layout = Layout::packed(60, 41, PixelFormat::GRAY8).with_row_stride(1);
    /// assert!(Image::with_layout(&signal, layout).is_err());
    /// let windows = Image::with_layout(&signal, layout.allow_overlap())?;
    /// # let _ = windows;
    /// # Ok::<(), pixview::Error>(())
    /// ```
    #[must_use]
    pub fn allow_overlap(mut self) -> Self {
        self.overlap_allowed = true;
        self
    }

    /// Returns the width in pixels.
    #[must_use]
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Returns the height in pixels.
    #[must_use]
    pub fn height(&self) -> u32 {
        self.height
    }

    /// Returns the pixel format.
    #[must_use]
    pub fn format(&self) -> PixelFormat {
        self.format
    }

    /// Returns the byte of the buffer in which pixel (0, 0) begins. Returns
    /// `usize::MAX` for a view that begins before the buffer, which no image
    /// accepts.
    #[must_use]
    pub fn offset(&self) -> usize {
        self.offset.try_into().unwrap_or(usize::MAX)
    }

    /// Returns the number of bytes from a pixel to the pixel below it; 0 if
    /// both share a byte.
    #[must_use]
    pub fn row_stride(&self) -> isize {
        self.row_stride
    }

    /// Returns the number of bytes from a pixel to the pixel on its right; 0 if
    /// both share a byte.
    #[must_use]
    pub fn pixel_stride(&self) -> isize {
        self.pixel_stride
    }

    /// Returns the bit of the buffer at which pixel (0, 0) begins. In formats of
    /// whole bytes this is 8 times the offset.
    #[must_use]
    pub fn offset_bits(&self) -> u64 {
        (self.offset() as u64)
            .saturating_mul(8)
            .saturating_add(self.bits.offset.into())
    }

    /// Returns the number of bits from a pixel to the pixel below it.
    #[must_use]
    pub fn row_stride_bits(&self) -> i64 {
        (self.row_stride as i64)
            .saturating_mul(8)
            .saturating_add(self.bits.row.into())
    }

    /// Returns the number of bits from a pixel to the pixel on its right.
    #[must_use]
    pub fn pixel_stride_bits(&self) -> i64 {
        (self.pixel_stride as i64)
            .saturating_mul(8)
            .saturating_add(self.bits.pixel.into())
    }

    /// Returns the number of bytes from a sample to the next sample of the same
    /// pixel, or `None` if the samples of a pixel lie side by side.
    #[must_use]
    pub fn plane_stride(&self) -> Option<isize> {
        self.plane_stride
    }
}

impl Layout {
    /// Returns the number of bytes that always lie together: those of a pixel,
    /// or of a sample in a planar layout; 1 if several pixels share a byte.
    pub(crate) fn unit(&self) -> usize {
        match self.plane_stride {
            None => self.format.pixel_size(),
            Some(_) => self.format.sample_size(),
        }
    }

    /// Returns the number of bytes of all pixels without padding.
    pub(crate) fn packed_size(&self) -> u64 {
        let row_size = self.format.row_size(self.width);
        row_size.saturating_mul(u64::from(self.height))
    }

    /// Returns the number of planes.
    pub(crate) fn planes(&self) -> u32 {
        match self.plane_stride {
            None => 1,
            Some(_) => (self.format.pixel_size() / self.format.sample_size()) as u32,
        }
    }

    /// Returns the count and the stride in bits along each axis: pixels of a
    /// row, rows, planes.
    fn axes(&self) -> [(u32, i128); 3] {
        let bits = |bytes: isize, bits: i8| 8 * bytes as i128 + i128::from(bits);
        [
            (self.width, bits(self.pixel_stride, self.bits.pixel)),
            (self.height, bits(self.row_stride, self.bits.row)),
            (self.planes(), bits(self.plane_stride.unwrap_or(0), 0)),
        ]
    }

    /// Returns the way from a pixel to the pixel on its right. In formats of
    /// whole bytes it is always [`Step::Bytes`].
    pub(crate) fn pixel_step(&self) -> Step {
        match self.bits.pixel {
            0 => Step::Bytes(self.pixel_stride),
            1.. => Step::Next,
            _ => Step::Before,
        }
    }

    /// Returns the number of bits of a [`unit`](Layout::unit).
    fn unit_bits(&self) -> i128 {
        match self.format.bits() {
            Some((bits, _)) => bits.into(),
            None => 8 * self.unit() as i128,
        }
    }
}

/// Returns the product, or `isize::MAX` where `isize` has too few bits. No
/// buffer is that large, so the check against the buffer refuses it.
fn saturating_product(count: u32, stride: isize) -> isize {
    isize::try_from(count)
        .unwrap_or(isize::MAX)
        .saturating_mul(stride)
}
