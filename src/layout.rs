//! Where a pixel is: checked once against the buffer, then only followed.

use crate::{ErrorKind, PixelFormat};

/// The largest width and height of a PNG image (PNG third edition, 11.2.1).
const MAX_SIDE: u32 = (1 << 31) - 1;

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
/// Strides are in **bytes** and may be negative or zero, as those of a `NumPy`
/// array or a `DLPack` tensor; the offset is that of pixel (0, 0), wherever in
/// the buffer that lies. A stride of zero repeats a row or a column. The
/// bytes behind the last pixel of a row are never touched, so the last row
/// needs no padding and a buffer may be larger than the image.
///
/// Where several pixels share a byte, as in `GRAY1`, the same holds for bits:
/// pixel `(x, y)` begins at bit
///
/// ```text
/// offset_bits + y * row_stride_bits + x * pixel_stride_bits
/// ```
///
/// with the bits of a byte counted in the order in which it holds pixels. As
/// they are made, rows begin with a byte of their own, and pixels lie side by
/// side. Crops and flips may begin anywhere in a byte, and what they give can't
/// be said in whole bytes.
///
/// A `Layout` is a plain description. It is checked against a buffer by
/// [`Image::with_layout`](crate::Image::with_layout), and never again. Pixels
/// may share bits, as the rows of a repeated row do; such an image can be
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
    /// What is to be added to offset and strides, where several pixels share
    /// a byte.
    bits: Bits,
}

/// Bits beyond whole bytes. Which of a byte come first is the format's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
struct Bits {
    /// 0 to 7.
    offset: u8,
    row: i8,
    pixel: i8,
}

/// From a pixel to the next, if several may share a byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// The bits behind.
    Next,
    /// The bits before.
    Before,
    /// So many bytes further.
    Bytes(isize),
}

/// Where a pixel begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    pub(crate) byte: usize,
    /// 0 unless several pixels share a byte.
    pub(crate) bit: u8,
}

impl Layout {
    /// Rows of `width` pixels, left to right, one behind the other without
    /// padding, the top row first, from the first byte on.
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
            bits: Bits {
                pixel: bits,
                ..Bits::default()
            },
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

    /// The same with pixel (0, 0) at this byte of the buffer. Of a picture
    /// that begins within a byte, crop one that begins with it.
    #[must_use]
    pub fn with_offset(mut self, bytes: usize) -> Self {
        self.offset = bytes;
        self.bits.offset = 0;
        self
    }

    /// The same with this many bytes from a pixel to the one below it.
    #[must_use]
    pub fn with_row_stride(mut self, bytes: isize) -> Self {
        self.row_stride = bytes;
        self.bits.row = 0;
        self
    }

    /// The same with this many bytes from a pixel to the one on its right. A
    /// pixel smaller than that stays at the bits of its byte that it has.
    #[must_use]
    pub fn with_pixel_stride(mut self, bytes: isize) -> Self {
        self.pixel_stride = bytes;
        self.bits.pixel = 0;
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

    /// The byte of the buffer in which pixel (0, 0) begins: with its first
    /// bit, unless the view begins within a byte.
    #[must_use]
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// Bytes from a pixel to the one below it; 0 if they share a byte.
    #[must_use]
    pub fn row_stride(&self) -> isize {
        self.row_stride
    }

    /// Bytes from a pixel to the one on its right; 0 if they share a byte.
    #[must_use]
    pub fn pixel_stride(&self) -> isize {
        self.pixel_stride
    }

    /// The bit of the buffer at which pixel (0, 0) begins: of formats of whole
    /// bytes 8 times the offset.
    #[must_use]
    pub fn offset_bits(&self) -> u64 {
        (self.offset as u64)
            .saturating_mul(8)
            .saturating_add(self.bits.offset.into())
    }

    /// Bits from a pixel to the one below it.
    #[must_use]
    pub fn row_stride_bits(&self) -> i64 {
        (self.row_stride as i64)
            .saturating_mul(8)
            .saturating_add(self.bits.row.into())
    }

    /// Bits from a pixel to the one on its right.
    #[must_use]
    pub fn pixel_stride_bits(&self) -> i64 {
        (self.pixel_stride as i64)
            .saturating_mul(8)
            .saturating_add(self.bits.pixel.into())
    }

    /// Bytes from a sample to the next sample of the same pixel, if they lie
    /// in planes of their own.
    #[must_use]
    pub fn plane_stride(&self) -> Option<isize> {
        self.plane_stride
    }
}

/// The bytes that lie together wherever a pixel is: the whole pixel, or one
/// sample of it in a planar layout (or, if it is smaller, the byte that it is
/// in); and how many of them make a pixel.
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

    /// The directions in which pixels follow one another: (count, stride in
    /// bits).
    fn axes(&self) -> [(u32, i128); 3] {
        let bits = |bytes: isize, bits: i8| 8 * bytes as i128 + i128::from(bits);
        [
            (self.width, bits(self.pixel_stride, self.bits.pixel)),
            (self.height, bits(self.row_stride, self.bits.row)),
            (self.planes(), bits(self.plane_stride.unwrap_or(0), 0)),
        ]
    }

    /// The way from a pixel to the one on its right, if several may share a
    /// byte. (They do, or they are bytes apart, never both.)
    pub(crate) fn pixel_step(&self) -> Step {
        match self.bits.pixel {
            0 => Step::Bytes(self.pixel_stride),
            1.. => Step::Next,
            _ => Step::Before,
        }
    }

    /// Bits of a unit.
    fn unit_bits(&self) -> i128 {
        match self.format.bits() {
            Some((bits, _)) => bits.into(),
            None => 8 * self.unit() as i128,
        }
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

        // All in bits, until a number is told.
        let [pixels, (_, row_stride), planes] = self.axes();
        let last_row = i128::from(self.height - 1);
        // The first and last bit of row 0; those of row y lie y strides on.
        let start = 8 * self.offset as i128 + i128::from(self.bits.offset);
        let (mut first, mut end) = (start, start);
        for (count, stride) in [pixels, planes] {
            let reach = i128::from(count - 1) * stride;
            first += reach.min(0);
            end += reach.max(0);
        }
        end += self.unit_bits();

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
                bytes: bytes_of(-(first + row * row_stride)),
                row: row as u32,
            });
        }
        let needed = end + (last_row * row_stride).max(0);
        // No memory is larger; a source that says so lies. Addresses and
        // the distances between them fit an `isize` from here on.
        let given = 8 * len.min(isize::MAX as usize) as i128;
        if needed > given {
            let row = if end > given {
                0
            } else {
                (given - end) / row_stride + 1
            };
            return Err(ErrorKind::BufferTooSmall {
                needed: bytes_of(needed),
                given: bytes_of(given),
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
        let step = |&(count, stride): &(u32, i128)| {
            grain == 1 || count == 1 || stride.unsigned_abs().is_multiple_of(8 * grain as u128)
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

    /// Whether two pixels (or two samples of a planar image) share a bit.
    /// The layout has been checked against a buffer of `len` bytes.
    ///
    /// Cheap for every layout met in practice: the axes, sorted by stride,
    /// are nested. Interleaved views that are not nested are searched, in
    /// steps of the order of the square root of `len`.
    pub(crate) fn overlaps(&self, len: usize) -> bool {
        let unit = self.unit_bits();
        let mut axes = self
            .axes()
            .map(|(count, stride)| (i128::from(count), stride.abs()));
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
        if units * unit > 8 * len as i128 {
            return true; // more than there is room for
        }

        // Two units overlap if some difference of their indices, not all
        // zero, moves less than a unit. The shortest two axes are walked, the
        // remaining index is solved for. Signs matter between axes now.
        let mut axes = self
            .axes()
            .map(|(count, stride)| (i128::from(count), stride));
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

/// The bytes that so many bits reach into.
fn bytes_of(bits: i128) -> u64 {
    u64::try_from((bits + 7) / 8).unwrap_or(u64::MAX)
}

/// Views of a layout that has been checked. Every address of the result is
/// one of the original's, so nothing needs checking but the indices.
///
/// Strides of an axis with one pixel can be anything, hence `wrapping_neg`.
impl Layout {
    /// Where pixel `(x, y)` begins. Cannot overflow: the sum is taken over
    /// addresses of pixels that exist.
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

    /// The same with pixel (0, 0) at this address.
    fn at(mut self, address: Address) -> Self {
        self.offset = address.byte;
        self.bits.offset = address.bit;
        self
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

    pub(crate) fn crop(self, x: u32, y: u32, width: u32, height: u32) -> Result<Self, ErrorKind> {
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
        let mut view = self.at(self.address(x, y));
        view.width = width;
        view.height = height;
        Ok(view)
    }

    pub(crate) fn flip_horizontal(self) -> Self {
        let mut view = self.at(self.address(self.width - 1, 0));
        view.pixel_stride = view.pixel_stride.wrapping_neg();
        view.bits.pixel = -view.bits.pixel;
        view
    }

    pub(crate) fn flip_vertical(self) -> Self {
        let mut view = self.at(self.address(0, self.height - 1));
        view.row_stride = view.row_stride.wrapping_neg();
        view.bits.row = -view.bits.row;
        view
    }

    pub(crate) fn transpose(mut self) -> Self {
        std::mem::swap(&mut self.width, &mut self.height);
        std::mem::swap(&mut self.row_stride, &mut self.pixel_stride);
        std::mem::swap(&mut self.bits.row, &mut self.bits.pixel);
        self
    }

    /// Sample `index` of every pixel, counted in memory, as pixels of this
    /// format.
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
