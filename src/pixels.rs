//! Reading and writing pixels through a view.

use std::borrow::Cow;
use std::fmt;

pub use crate::format::{Pixel, PixelBytes, SampleSlice, Samples};

use crate::alloc::zeroed;
use crate::error::AtRow;
use crate::source::with_lease;
use crate::strided::{CheckedLayout, Frame, FrameMut};
use crate::{Error, ErrorKind, Lease, LeaseMut, PixelFormat};

/// Read access to the pixels of an image, from [`Image::pixels`].
///
/// The access holds one lease of the source: a lock stays locked until the
/// access is dropped. Over cells and atomics, each call reads the memory again.
///
/// A **row** is bytes: the pixels of a row in the image's own format, without
/// padding. A **pixel** is samples in the order of PNG: see [`Pixel`].
///
/// [`Image::pixels`]: crate::Image::pixels
pub struct Pixels<'a> {
    lease: Lease<'a>,
    layout: CheckedLayout,
}

impl<'a> Pixels<'a> {
    pub(crate) fn new(lease: Lease<'a>, layout: CheckedLayout) -> Result<Self, Error> {
        let (lease, checked) = with_lease(lease, |lease| layout.frame(lease.bytes()).map(drop));
        checked?;
        Ok(Pixels { lease, layout })
    }

    fn frame(&self) -> Result<Frame<'_>, Error> {
        self.layout.frame(self.lease.bytes())
    }

    /// Returns the width in pixels.
    #[must_use]
    pub fn width(&self) -> u32 {
        self.layout.get().width()
    }

    /// Returns the height in pixels.
    #[must_use]
    pub fn height(&self) -> u32 {
        self.layout.get().height()
    }

    /// Returns the pixel format of the image.
    #[must_use]
    pub fn format(&self) -> PixelFormat {
        self.layout.get().format()
    }

    /// Returns the samples of the pixel in column `x`, counted from the left,
    /// and row `y`, counted from the top. Allocates nothing. Each call checks the
    /// source again, so rows are faster for many pixels.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::PixelOutside`] if the image has no such pixel;
    /// - [`ErrorKind::Source`] if the source fails.
    pub fn get(&self, x: u32, y: u32) -> Result<Pixel, Error> {
        Ok(self.format().decode(self.get_bytes(x, y)?))
    }

    /// Returns the bytes of the pixel in column `x` and row `y`, in the image's
    /// own format. Allocates nothing.
    ///
    /// # Errors
    ///
    /// As for [`get`](Pixels::get).
    ///
    /// # Examples
    ///
    /// ```
    /// use pixview::{Image, PixelFormat};
    ///
    /// let buffer = [0xf800u16, 0x001f]; // red, blue
    /// let image = Image::from_buffer(&buffer, 2, 1, PixelFormat::RGB565)?;
    /// assert_eq!(*image.pixels()?.get_bytes(1, 0)?, 0x001fu16.to_ne_bytes());
    /// assert_eq!(image.pixels()?.get(1, 0)?, [0, 0, 255]);
    /// # Ok::<(), pixview::Error>(())
    /// ```
    pub fn get_bytes(&self, x: u32, y: u32) -> Result<PixelBytes, Error> {
        self.layout.check_pixel(x, y)?;
        pixel_bytes(&self.frame()?, x, y)
    }

    /// Returns the bytes of row `y`, in the image's own format, without
    /// padding. Borrows them if stable memory holds them without gaps, else
    /// copies them.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::PixelOutside`] if the image has no such row;
    /// - [`ErrorKind::Source`] if the source fails;
    /// - [`ErrorKind::OutOfMemory`] if a copy cannot be allocated.
    pub fn row(&self, y: u32) -> Result<Cow<'_, [u8]>, Error> {
        self.layout.check_row(y)?;
        row(&self.frame()?, y)
    }

    /// Returns the rows from top to bottom, each as [`row`](Pixels::row) returns
    /// it.
    ///
    /// # Examples
    ///
    /// ```
    /// use pixview::{Image, PixelFormat};
    ///
    /// let buffer = [3u8, 1, 4, 1, 5, 9];
    /// let image = Image::from_buffer(&buffer, 3, 2, PixelFormat::GRAY8)?;
    /// let pixels = image.pixels()?;
    /// let mut brightest = 0;
    /// for row in pixels.rows() {
    ///     brightest = row?.iter().copied().fold(brightest, u8::max);
    /// }
    /// assert_eq!(brightest, 9);
    /// # Ok::<(), pixview::Error>(())
    /// ```
    pub fn rows(&self) -> impl Iterator<Item = Result<Cow<'_, [u8]>, Error>> {
        (0..self.height()).map(|y| self.row(y))
    }

    /// Copies the bytes of row `y`, in the image's own format, into `to`.
    /// Allocates nothing.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::PixelOutside`] if the image has no such row;
    /// - [`ErrorKind::ByteCount`] if `to` does not have exactly the bytes of a
    ///   row;
    /// - [`ErrorKind::Source`] if the source fails.
    pub fn copy_row(&self, y: u32, to: &mut [u8]) -> Result<(), Error> {
        self.layout.check_row(y)?;
        self.layout.check_packed(self.width(), 1, to.len())?;
        self.frame()?.pixels(0, y, self.width(), to).at_row(y)
    }
}

impl fmt::Debug for Pixels<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        debug(self.layout, "Pixels", f)
    }
}

/// Write access to the pixels of an image, from [`Image::pixels_mut`].
///
/// The access holds one lease of the source: a lock stays locked until the
/// access is dropped. Every call writes to the caller's buffer at once, and
/// changes only the bits of the pixels that it writes. Where a pixel is a part of
/// an atomic element, edits that other threads make to the rest of the element
/// are kept.
///
/// A **row** is bytes: the pixels of a row in the image's own format, without
/// padding. A **pixel** is samples in the order of PNG: see [`Pixel`].
///
/// [`Image::pixels_mut`]: crate::Image::pixels_mut
pub struct PixelsMut<'a> {
    lease: LeaseMut<'a>,
    layout: CheckedLayout,
}

impl<'a> PixelsMut<'a> {
    pub(crate) fn new(lease: LeaseMut<'a>, layout: CheckedLayout) -> Result<Self, Error> {
        if layout.overlaps() {
            return Err(ErrorKind::Overlap.into());
        }
        let pixels = PixelsMut { lease, layout };
        let (pixels, checked) = with_lease(pixels, |pixels| pixels.frame().map(drop));
        checked?;
        Ok(pixels)
    }

    /// Runs `write`, which may call the caller's code, and ends the access. A
    /// panic leaves a lock unpoisoned: see [`with_lease`].
    pub(crate) fn write_frame<T>(
        self,
        write: impl FnOnce(&mut FrameMut<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        with_lease(self, |pixels| write(&mut pixels.frame_mut()?)).1
    }

    fn frame(&self) -> Result<Frame<'_>, Error> {
        self.layout.frame(self.lease.bytes())
    }

    pub(crate) fn frame_mut(&mut self) -> Result<FrameMut<'_>, Error> {
        self.layout.frame_mut(self.lease.bytes_mut())
    }

    /// Returns the width in pixels.
    #[must_use]
    pub fn width(&self) -> u32 {
        self.layout.get().width()
    }

    /// Returns the height in pixels.
    #[must_use]
    pub fn height(&self) -> u32 {
        self.layout.get().height()
    }

    /// Returns the pixel format of the image.
    #[must_use]
    pub fn format(&self) -> PixelFormat {
        self.layout.get().format()
    }

    /// Returns the samples of a pixel. See [`Pixels::get`].
    ///
    /// # Errors
    ///
    /// As for [`Pixels::get`].
    pub fn get(&self, x: u32, y: u32) -> Result<Pixel, Error> {
        Ok(self.format().decode(self.get_bytes(x, y)?))
    }

    /// Returns the bytes of a pixel. See [`Pixels::get_bytes`].
    ///
    /// # Errors
    ///
    /// As for [`Pixels::get`].
    pub fn get_bytes(&self, x: u32, y: u32) -> Result<PixelBytes, Error> {
        self.layout.check_pixel(x, y)?;
        pixel_bytes(&self.frame()?, x, y)
    }

    /// Returns the bytes of row `y`. See [`Pixels::row`].
    ///
    /// # Errors
    ///
    /// As for [`Pixels::row`].
    pub fn row(&self, y: u32) -> Result<Cow<'_, [u8]>, Error> {
        self.layout.check_row(y)?;
        row(&self.frame()?, y)
    }

    /// Returns the rows from top to bottom. See [`Pixels::rows`].
    pub fn rows(&self) -> impl Iterator<Item = Result<Cow<'_, [u8]>, Error>> {
        (0..self.height()).map(|y| self.row(y))
    }

    /// Writes the pixel in column `x`, counted from the left, and row `y`,
    /// counted from the top. Padding becomes 255.
    ///
    /// `pixel` has the samples of a [`Pixel`]: `[gray]`, `[gray, alpha]`,
    /// `[red, green, blue]`, `[red, green, blue, alpha]` or `[index]`. They are
    /// the samples that a PNG of the image would hold: straight alpha, the bit
    /// depth of the PNG. They are stored in the [`PixelFormat`] of the image.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::PixelOutside`] if the image has no such pixel;
    /// - [`ErrorKind::SampleCount`], [`ErrorKind::SampleRange`] and
    ///   [`ErrorKind::SampleType`] if the samples do not fit the format;
    /// - [`ErrorKind::Source`] if the source fails.
    pub fn put(&mut self, x: u32, y: u32, pixel: impl Samples) -> Result<(), Error> {
        let pixel = self.format().encode(&pixel)?;
        self.put_bytes(x, y, &pixel)
    }

    /// Writes the pixel in column `x` and row `y` from its bytes in the image's
    /// own format.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::PixelOutside`] if the image has no such pixel;
    /// - [`ErrorKind::ByteCount`] if `pixel` does not have exactly the bytes of a
    ///   pixel;
    /// - [`ErrorKind::Source`] if the source fails.
    pub fn put_bytes(&mut self, x: u32, y: u32, pixel: &[u8]) -> Result<(), Error> {
        self.layout.check_pixel(x, y)?;
        self.layout.check_packed(1, 1, pixel.len())?;
        self.frame_mut()?.put_pixels(x, y, 1, pixel).at_row(y)
    }

    /// Writes one pixel over the whole image.
    ///
    /// # Errors
    ///
    /// As for [`put`](PixelsMut::put).
    pub fn fill(&mut self, pixel: impl Samples) -> Result<(), Error> {
        self.fill_rect(0, 0, self.width(), self.height(), pixel)
    }

    /// Writes one pixel over the rectangle with its upper left corner at
    /// `(x, y)`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::EmptyRect`] and [`ErrorKind::RectOutside`] if the rectangle
    /// is empty or reaches out of the image; the errors of
    /// [`put`](PixelsMut::put).
    pub fn fill_rect(
        &mut self,
        x: u32,
        y: u32,
        width: u32,
        height: u32,
        pixel: impl Samples,
    ) -> Result<(), Error> {
        self.layout.get().crop(x, y, width, height)?;
        let pixel = self.format().encode(&pixel)?;
        let mut frame = self.frame_mut()?;
        for y in y..y + height {
            frame.fill_pixels(x, y, width, &pixel).at_row(y)?;
        }
        Ok(())
    }

    /// Writes one pixel over the part of a rectangle that lies in the image.
    /// The rectangle may begin left of or above the image, may reach out of it,
    /// and may be empty.
    ///
    /// # Errors
    ///
    /// The errors of [`put`](PixelsMut::put) except
    /// [`ErrorKind::PixelOutside`].
    ///
    /// # Examples
    ///
    /// ```
    /// use pixview::{Image, PixelFormat};
    ///
    /// let mut image = Image::new(4, 1, PixelFormat::GRAY8)?;
    /// image.pixels_mut()?.fill_rect_clipped(-2, 0, 4, 10, [255])?;
    /// assert_eq!(image.source()[..], [255, 255, 0, 0]);
    /// # Ok::<(), pixview::Error>(())
    /// ```
    pub fn fill_rect_clipped(
        &mut self,
        x: i32,
        y: i32,
        width: u32,
        height: u32,
        pixel: impl Samples,
    ) -> Result<(), Error> {
        // Encoded before the clip, so that samples that do not fit are an error
        // even if the rectangle is outside the image.
        let pixel = self.format().encode(&pixel)?;
        let clip = |start: i32, size: u32, side: u32| {
            let inside = |at: i64| at.clamp(0, side.into()) as u32;
            let end = i64::from(start) + i64::from(size);
            inside(start.into())..inside(end)
        };
        let (columns, rows) = (clip(x, width, self.width()), clip(y, height, self.height()));
        let mut frame = self.frame_mut()?;
        for y in rows {
            let (x, count) = (columns.start, columns.len() as u32);
            frame.fill_pixels(x, y, count, &pixel).at_row(y)?;
        }
        Ok(())
    }

    /// Writes row `y` from the bytes of its pixels in the image's own format,
    /// without padding.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::PixelOutside`] if the image has no such row;
    /// - [`ErrorKind::ByteCount`] if `from` does not have exactly the bytes of a
    ///   row;
    /// - [`ErrorKind::Source`] if the source fails.
    pub fn put_row(&mut self, y: u32, from: &[u8]) -> Result<(), Error> {
        self.layout.check_row(y)?;
        self.put_rect(0, y, self.width(), 1, from)
    }

    /// Writes the rectangle with its upper left corner at `(x, y)` from the
    /// bytes of its pixels in the image's own format: row after row, without
    /// padding.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::EmptyRect`] and [`ErrorKind::RectOutside`] if the
    ///   rectangle is empty or reaches out of the image;
    /// - [`ErrorKind::ByteCount`] if `from` does not have exactly the bytes of
    ///   the rectangle;
    /// - [`ErrorKind::Source`] if the source fails.
    pub fn put_rect(
        &mut self,
        x: u32,
        y: u32,
        width: u32,
        height: u32,
        from: &[u8],
    ) -> Result<(), Error> {
        self.layout.get().crop(x, y, width, height)?;
        self.layout.check_packed(width, height, from.len())?;
        let row_size = self.format().row_size(width) as usize; // no longer than `from`
        let mut frame = self.frame_mut()?;
        for (y, row) in (y..y + height).zip(from.chunks_exact(row_size)) {
            frame.put_pixels(x, y, width, row).at_row(y)?;
        }
        Ok(())
    }
}

impl fmt::Debug for PixelsMut<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        debug(self.layout, "PixelsMut", f)
    }
}

fn pixel_bytes(frame: &Frame<'_>, x: u32, y: u32) -> Result<PixelBytes, Error> {
    let mut bytes = PixelBytes::zeroed(frame.layout.format());
    frame.pixels(x, y, 1, &mut bytes).at_row(y)?;
    Ok(bytes)
}

fn row<'f>(frame: &Frame<'f>, y: u32) -> Result<Cow<'f, [u8]>, Error> {
    if let Some(row) = frame.row_in_place(y) {
        return Ok(Cow::Borrowed(row));
    }
    let width = frame.layout.width();
    let mut row = zeroed(frame.layout.format().row_size(width))?;
    frame.pixels(0, y, width, &mut row).at_row(y)?;
    Ok(Cow::Owned(row))
}

fn debug(layout: CheckedLayout, name: &'static str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.debug_struct(name)
        .field("layout", &layout.get())
        .finish_non_exhaustive()
}
