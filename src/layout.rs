//! Where a pixel is: checked once against the buffer, then only followed.

use crate::{ErrorKind, PixelFormat};

/// The largest width and height of a PNG image (PNG third edition, 11.2.1).
const MAX_SIDE: u32 = (1 << 31) - 1;

/// Where the pixels of an image lie in its buffer.
///
/// Pixel `(x, y)` begins at byte
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
/// Strides are in **bytes** and may be negative or zero, as those of a `NumPy`
/// array or a `DLPack` tensor; the offset is that of pixel (0, 0), wherever in
/// the buffer that lies. A stride of zero repeats a row or a column. The
/// bytes behind the last pixel of a row are never touched, so the last row
/// needs no padding and a buffer may be larger than the image.
///
/// A `Layout` is a plain description. It is checked against a buffer by
/// [`Image::with_layout`](crate::Image::with_layout), and never again. Pixels
/// may share bytes, as the rows of a repeated row do; such an image can be
/// read and saved, not written. So a row stride that is too short is not
/// refused: mind that strides are bytes, not elements.
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
/// # half.read()?.get(319, 239)?;
/// # Ok::<(), pixview::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Layout {
    width: u32,
    height: u32,
    format: PixelFormat,
    offset: usize,
    row_stride: isize,
    pixel_stride: isize,
    plane_stride: Option<isize>,
}

impl Layout {
    /// Rows of `width` pixels, left to right, one behind the other without
    /// padding, the top row first, from the first byte on.
    #[must_use]
    pub fn packed(width: u32, height: u32, format: PixelFormat) -> Self {
        let pixel = format.pixel_size() as isize;
        Layout {
            width,
            height,
            format,
            offset: 0,
            row_stride: saturating_product(width, pixel),
            pixel_stride: pixel,
            plane_stride: None,
        }
    }

    /// The samples of each kind in a plane of their own, packed, the planes
    /// one behind the other in the order of the format.
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

    /// The same with pixel (0, 0) at this byte of the buffer.
    #[must_use]
    pub fn with_offset(mut self, bytes: usize) -> Self {
        self.offset = bytes;
        self
    }

    /// The same with this many bytes from a pixel to the one below it.
    #[must_use]
    pub fn with_row_stride(mut self, bytes: isize) -> Self {
        self.row_stride = bytes;
        self
    }

    /// The same with this many bytes from a pixel to the one on its right.
    #[must_use]
    pub fn with_pixel_stride(mut self, bytes: isize) -> Self {
        self.pixel_stride = bytes;
        self
    }

    /// The same with the samples of a pixel in planes of their own, this
    /// many bytes apart.
    #[must_use]
    pub fn with_plane_stride(mut self, bytes: isize) -> Self {
        self.plane_stride = Some(bytes);
        self
    }

    /// Width in pixels.
    #[must_use]
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Height in pixels.
    #[must_use]
    pub fn height(&self) -> u32 {
        self.height
    }

    /// What the bytes of a pixel mean.
    #[must_use]
    pub fn format(&self) -> PixelFormat {
        self.format
    }

    /// The byte of the buffer at which pixel (0, 0) begins.
    #[must_use]
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// Bytes from a pixel to the one below it.
    #[must_use]
    pub fn row_stride(&self) -> isize {
        self.row_stride
    }

    /// Bytes from a pixel to the one on its right.
    #[must_use]
    pub fn pixel_stride(&self) -> isize {
        self.pixel_stride
    }

    /// Bytes from a sample to the next sample of the same pixel, if they lie
    /// in planes of their own.
    #[must_use]
    pub fn plane_stride(&self) -> Option<isize> {
        self.plane_stride
    }
}

/// The bytes that lie together wherever a pixel is: the whole pixel, or one
/// sample of it in a planar layout; and how many of them make a pixel.
impl Layout {
    pub(crate) fn unit(&self) -> usize {
        match self.plane_stride {
            None => self.format.pixel_size(),
            Some(_) => self.format.sample_size(),
        }
    }

    /// Bytes of all pixels, packed.
    pub(crate) fn packed_size(&self) -> u64 {
        let row_size = self.format.row_size(self.width);
        row_size.saturating_mul(u64::from(self.height))
    }

    pub(crate) fn planes(&self) -> u32 {
        match self.plane_stride {
            None => 1,
            Some(_) => (self.format.pixel_size() / self.format.sample_size()) as u32,
        }
    }

    /// The directions in which pixels follow one another: (count, stride).
    fn axes(&self) -> [(u32, isize); 3] {
        [
            (self.width, self.pixel_stride),
            (self.height, self.row_stride),
            (self.planes(), self.plane_stride.unwrap_or(0)),
        ]
    }
}

/// The checks. `i128` holds every sum here: a side has 31 bits, a stride 64.
impl Layout {
    /// Refuses sizes that PNG can't hold.
    pub(crate) fn check_size(&self) -> Result<(), ErrorKind> {
        let (width, height) = (self.width, self.height);
        if width == 0 || height == 0 {
            return Err(ErrorKind::Empty { width, height });
        }
        if width > MAX_SIDE || height > MAX_SIDE {
            return Err(ErrorKind::TooLarge { width, height });
        }
        Ok(())
    }

    /// Refuses what isn't wholly inside `len` bytes. The size has been
    /// checked.
    pub(crate) fn check_bounds(&self, len: usize) -> Result<(), ErrorKind> {
        if self.plane_stride.is_some() && !self.format.has_separable_samples() {
            return Err(ErrorKind::NotPlanar {
                format: self.format,
            });
        }

        let row_stride = self.row_stride as i128;
        let last_row = i128::from(self.height - 1);
        // The first and last byte of row 0; those of row y lie y strides on.
        let (mut first, mut end) = (self.offset as i128, self.offset as i128);
        for (count, stride) in [
            (self.width, self.pixel_stride),
            (self.planes(), self.plane_stride.unwrap_or(0)),
        ] {
            let reach = i128::from(count - 1) * stride as i128;
            first += reach.min(0);
            end += reach.max(0);
        }
        end += self.unit() as i128;

        let lowest = first + (last_row * row_stride).min(0);
        if lowest < 0 {
            // Rows step down by `-row_stride`; row 0 is outside already, or
            // the first that is comes after `first / -row_stride` others.
            let row = if first < 0 {
                0
            } else {
                first / -row_stride + 1
            };
            return Err(ErrorKind::BeforeBuffer {
                bytes: saturate(-(first + row * row_stride)),
                row: row as u32,
            });
        }
        let needed = end + (last_row * row_stride).max(0);
        // No memory is larger; a source that says so lies. Addresses and
        // the distances between them fit an `isize` from here on.
        let given = len.min(isize::MAX as usize) as i128;
        if needed > given {
            let row = if end > given {
                0
            } else {
                (given - end) / row_stride + 1
            };
            return Err(ErrorKind::BufferTooSmall {
                needed: saturate(needed),
                given: saturate(given),
                row: row as u32,
            });
        }
        Ok(())
    }

    /// Refuses elements that can't hold the format: see the rules in the
    /// docs of [`PixelSource`](crate::PixelSource).
    pub(crate) fn check_element(&self, element_size: usize, atomic: bool) -> Result<(), ErrorKind> {
        let (format, unit_size) = (self.format, self.unit());
        let divide = element_size != 0
            && (element_size.is_multiple_of(unit_size) || unit_size.is_multiple_of(element_size));
        if !divide {
            return Err(ErrorKind::ElementMismatch {
                element_size,
                unit_size,
                format,
            });
        }
        let sample_size = format.sample_size();
        if atomic && !element_size.is_multiple_of(sample_size) {
            return Err(ErrorKind::TornSample {
                element_size,
                sample_size,
                format,
            });
        }
        // Elements that are whole numbers of 16-bit samples or of words are
        // not meant to be cut apart.
        let grain = format.grain();
        let step = |&(count, stride): &(u32, isize)| {
            count == 1 || stride.unsigned_abs().is_multiple_of(grain)
        };
        let aligned = self.offset.is_multiple_of(grain) && self.axes().iter().all(step);
        if element_size.is_multiple_of(grain) && !aligned {
            return Err(ErrorKind::Misaligned {
                grain,
                element_size,
                format,
            });
        }
        Ok(())
    }

    /// Whether two pixels (or two samples of a planar image) share a byte.
    /// The layout has been checked against a buffer of `len` bytes.
    ///
    /// Cheap for every layout met in practice: the axes, sorted by stride,
    /// are nested. Interleaved views that are not nested are searched, in
    /// steps of the order of the square root of `len`.
    pub(crate) fn overlaps(&self, len: usize) -> bool {
        let unit = self.unit() as i128;
        let mut axes = self
            .axes()
            .map(|(count, stride)| (i128::from(count), (stride as i128).abs()));
        axes.sort_unstable_by_key(|&(count, stride)| (count > 1, stride));

        let mut reach = unit;
        let nested = axes.iter().all(|&(count, stride)| {
            let apart = count == 1 || stride >= reach;
            reach += (count - 1) * stride;
            apart
        });
        if nested {
            return false;
        }
        let units: i128 = axes.iter().map(|&(count, _)| count).product();
        if units * unit > len as i128 {
            return true; // more than there is room for
        }

        // Two units overlap if some difference of their indices, not all
        // zero, moves less than a unit. The shortest two axes are walked, the
        // remaining index is solved for. Signs matter between axes now.
        let mut axes = self
            .axes()
            .map(|(count, stride)| (i128::from(count), stride as i128));
        axes.sort_unstable_by_key(|&(count, _)| count);
        let [(n0, s0), (n1, s1), (n2, s2)] = axes;
        for d0 in 0..n0 {
            for d1 in if d0 == 0 { 0 } else { 1 - n1 }..n1 {
                let moved = d0 * s0 + d1 * s1;
                // |moved + d2 * s2| < unit, for d2 next to -moved / s2
                let near = if s2 == 0 { 0 } else { -moved / s2 };
                for d2 in near - 1..=near + 1 {
                    let itself = d0 == 0 && d1 == 0 && d2 == 0;
                    if d2.abs() < n2 && !itself && (moved + d2 * s2).abs() < unit {
                        return true;
                    }
                }
                // With no movement yet the nearest is d2 = 1, seen above.
            }
        }
        false
    }
}

/// Saturates where `isize` has 32 bits; no buffer is that large, so the check
/// against the buffer refuses it.
fn saturating_product(count: u32, stride: isize) -> isize {
    isize::try_from(count)
        .unwrap_or(isize::MAX)
        .saturating_mul(stride)
}

fn saturate(bytes: i128) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}

/// Views of a layout that has been checked. Every address of the result is
/// one of the original's, so nothing needs checking but the indices.
///
/// Strides of an axis with one pixel can be anything, hence `wrapping_neg`.
impl Layout {
    /// The byte at which pixel `(x, y)` begins. Cannot overflow: the sum is
    /// taken over addresses of pixels that exist.
    pub(crate) fn address(&self, x: u32, y: u32) -> usize {
        let mut at = self.offset as isize;
        if y != 0 {
            at += y as isize * self.row_stride;
        }
        if x != 0 {
            at += x as isize * self.pixel_stride;
        }
        at as usize
    }

    /// Whether no row of an interleaved image begins before the one next to
    /// it ends, so that the gaps in a row hold no pixels of others. Rows that
    /// are all the same count as apart.
    pub(crate) fn rows_are_apart(&self) -> bool {
        let last = (self.width - 1) as usize;
        let row = match last {
            0 => 0,
            _ => last * self.pixel_stride.unsigned_abs(),
        };
        let stride = self.row_stride.unsigned_abs();
        self.height == 1 || stride == 0 || stride >= row + self.format.pixel_size()
    }

    pub(crate) fn crop(
        mut self,
        x: u32,
        y: u32,
        width: u32,
        height: u32,
    ) -> Result<Self, ErrorKind> {
        let inside = |at: u32, size: u32, of: u32| size > 0 && at < of && size <= of - at;
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
        self.offset = self.address(x, y);
        self.width = width;
        self.height = height;
        Ok(self)
    }

    pub(crate) fn flip_horizontal(mut self) -> Self {
        self.offset = self.address(self.width - 1, 0);
        self.pixel_stride = self.pixel_stride.wrapping_neg();
        self
    }

    pub(crate) fn flip_vertical(mut self) -> Self {
        self.offset = self.address(0, self.height - 1);
        self.row_stride = self.row_stride.wrapping_neg();
        self
    }

    pub(crate) fn transpose(mut self) -> Self {
        std::mem::swap(&mut self.width, &mut self.height);
        std::mem::swap(&mut self.row_stride, &mut self.pixel_stride);
        self
    }

    /// Sample `index` of every pixel, counted in memory, alone.
    pub(crate) fn sample(mut self, index: usize) -> Self {
        let step = match self.plane_stride {
            None => self.format.sample_size() as isize,
            Some(stride) => stride,
        };
        if index != 0 {
            self.offset = (self.offset as isize + index as isize * step) as usize;
        }
        self.plane_stride = None;
        self.format = self.format.gray();
        self
    }
}
