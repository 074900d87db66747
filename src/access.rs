//! Reading and writing pixels through a view.

use std::borrow::Cow;
use std::fmt;

use crate::alloc::zeroed;
use crate::format::PixelBytes;
use crate::rows::{Frame, FrameMut};
use crate::source::Shape;
use crate::{Error, ErrorKind, Layout, Lease, LeaseMut, Pixel, PixelFormat};

/// What an image says of its source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Description {
    pub(crate) layout: Layout,
    pub(crate) shape: Shape,
}

impl Description {
    /// The pixels of a lease. The caller's `Deref` runs in here; what it gives
    /// is refused if it is not as it was when the image was made.
    pub(crate) fn frame<'l>(&self, lease: &'l Lease<'_>) -> Result<Frame<'l>, Error> {
        let bytes = lease.bytes();
        self.shape.expect(bytes.shape())?;
        Ok(Frame {
            bytes,
            layout: self.layout,
        })
    }

    fn check_row(&self, y: u32) -> Result<(), Error> {
        self.check_pixel(0, y)
    }

    fn check_pixel(&self, x: u32, y: u32) -> Result<(), Error> {
        let (width, height) = (self.layout.width(), self.layout.height());
        if x >= width || y >= height {
            return Err(ErrorKind::PixelOutside {
                x,
                y,
                width,
                height,
            }
            .into());
        }
        Ok(())
    }

    fn check_packed(&self, width: u32, height: u32, given: usize) -> Result<(), Error> {
        let row_size = self.layout.format().row_size(width);
        let needed = row_size.saturating_mul(u64::from(height));
        let given = given as u64;
        if needed != given {
            return Err(ErrorKind::ByteCount { needed, given }.into());
        }
        Ok(())
    }
}

/// Read access to the pixels of an image: [`Image::read`](crate::Image::read).
///
/// It holds one lease of the source: a lock stays locked until the guard is
/// dropped. Over cells and atomics every call reads what is there at that
/// moment.
///
/// A **row** is bytes: the packed pixels of the image's own format, in memory
/// order. A **pixel** is samples in the order of PNG: see [`Pixel`].
pub struct Pixels<'a> {
    lease: Lease<'a>,
    description: Description,
}

impl<'a> Pixels<'a> {
    pub(crate) fn new(lease: Lease<'a>, description: Description) -> Result<Self, Error> {
        let pixels = Pixels { lease, description };
        pixels.frame()?;
        Ok(pixels)
    }

    fn frame(&self) -> Result<Frame<'_>, Error> {
        self.description.frame(&self.lease)
    }

    /// Width in pixels.
    #[must_use]
    pub fn width(&self) -> u32 {
        self.description.layout.width()
    }

    /// Height in pixels.
    #[must_use]
    pub fn height(&self) -> u32 {
        self.description.layout.height()
    }

    /// What the bytes of a row mean.
    #[must_use]
    pub fn format(&self) -> PixelFormat {
        self.description.layout.format()
    }

    /// The pixel in column `x`, counted from the left, of row `y`, counted
    /// from the top. Allocates nothing. For many pixels take rows: each call
    /// looks at the source anew.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::PixelOutside`]; [`ErrorKind::Source`] if the source
    /// fails.
    pub fn get(&self, x: u32, y: u32) -> Result<Pixel, Error> {
        self.description.check_pixel(x, y)?;
        get(&self.frame()?, x, y)
    }

    /// The packed bytes of row `y`: in place where the pixels lie like that
    /// in stable memory, else copied.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::PixelOutside`]; [`ErrorKind::Source`] if the source
    /// fails; [`ErrorKind::OutOfMemory`] if the copy can't be had.
    pub fn row(&self, y: u32) -> Result<Cow<'_, [u8]>, Error> {
        self.description.check_row(y)?;
        row(&self.frame()?, y)
    }

    /// Copies the packed bytes of row `y` into all of `to`. Allocates
    /// nothing.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::PixelOutside`]; [`ErrorKind::ByteCount`] if `to` is not
    /// as long as the row; [`ErrorKind::Source`] if the source fails.
    pub fn copy_row(&self, y: u32, to: &mut [u8]) -> Result<(), Error> {
        self.description.check_row(y)?;
        self.description.check_packed(self.width(), 1, to.len())?;
        let frame = self.frame()?;
        frame
            .pixels(0, y, self.width(), to)
            .map_err(|e| Error::from(e).at_row(y))
    }
}

impl fmt::Debug for Pixels<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        debug(&self.description, "Pixels", f)
    }
}

/// Write access to the pixels of an image:
/// [`Image::write`](crate::Image::write).
///
/// It holds one lease of the source: a lock stays locked until the guard is
/// dropped. What is written is in the caller's buffer at once. No bit beside
/// the pixels written is changed; where a pixel is a part of an atomic
/// element, edits that others make to the rest of it are kept.
///
/// A **row** is bytes: the packed pixels of the image's own format, in memory
/// order. A **pixel** is samples in the order of PNG: see [`Pixel`].
pub struct PixelsMut<'a> {
    lease: LeaseMut<'a>,
    description: Description,
}

impl<'a> PixelsMut<'a> {
    pub(crate) fn new(lease: LeaseMut<'a>, description: Description) -> Result<Self, Error> {
        if description.layout.overlaps(description.shape.len) {
            return Err(ErrorKind::Overlap.into());
        }
        let pixels = PixelsMut { lease, description };
        pixels.frame()?;
        Ok(pixels)
    }

    fn frame(&self) -> Result<Frame<'_>, Error> {
        let bytes = self.lease.bytes();
        self.description.shape.expect(bytes.shape())?;
        Ok(Frame {
            bytes,
            layout: self.description.layout,
        })
    }

    pub(crate) fn frame_mut(&mut self) -> Result<FrameMut<'_>, Error> {
        let bytes = self.lease.bytes_mut();
        self.description.shape.expect(bytes.shape())?;
        Ok(FrameMut {
            bytes,
            layout: self.description.layout,
        })
    }

    /// Width in pixels.
    #[must_use]
    pub fn width(&self) -> u32 {
        self.description.layout.width()
    }

    /// Height in pixels.
    #[must_use]
    pub fn height(&self) -> u32 {
        self.description.layout.height()
    }

    /// What the bytes of a row mean.
    #[must_use]
    pub fn format(&self) -> PixelFormat {
        self.description.layout.format()
    }

    /// As [`Pixels::get`].
    ///
    /// # Errors
    ///
    /// As [`Pixels::get`].
    pub fn get(&self, x: u32, y: u32) -> Result<Pixel, Error> {
        self.description.check_pixel(x, y)?;
        get(&self.frame()?, x, y)
    }

    /// As [`Pixels::row`].
    ///
    /// # Errors
    ///
    /// As [`Pixels::row`].
    pub fn row(&self, y: u32) -> Result<Cow<'_, [u8]>, Error> {
        self.description.check_row(y)?;
        row(&self.frame()?, y)
    }

    /// Writes the pixel in column `x`, counted from the left, of row `y`,
    /// counted from the top. `pixel` is a [`Pixel`] or an array of its
    /// samples: `[gray]`, `[gray, alpha]`, `[red, green, blue]` or
    /// `[red, green, blue, alpha]`, or `[index]`. Samples are `u16` for every
    /// format: a colour in `u8` is `color.map(u16::from)`. They are those of
    /// the saved file: straight, of its depth, whatever memory holds; there
    /// they become what the [`PixelFormat`] says. Padding becomes 255.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::PixelOutside`]; [`ErrorKind::SampleCount`] and
    /// [`ErrorKind::SampleRange`] if the samples don't fit the format;
    /// [`ErrorKind::Source`] if the source fails.
    pub fn put(&mut self, x: u32, y: u32, pixel: impl AsRef<[u16]>) -> Result<(), Error> {
        self.description.check_pixel(x, y)?;
        let pixel = self.format().encode(pixel.as_ref())?;
        let put = self.frame_mut()?.put_pixels(x, y, 1, &pixel);
        put.map_err(|error| Error::from(error).at_row(y))
    }

    /// Writes one pixel over the whole image.
    ///
    /// # Errors
    ///
    /// As [`put`](PixelsMut::put).
    pub fn fill(&mut self, pixel: impl AsRef<[u16]>) -> Result<(), Error> {
        self.fill_rect(0, 0, self.width(), self.height(), pixel)
    }

    /// Writes one pixel over the rectangle with its upper left corner at
    /// `(x, y)`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::RectOutside`] if the rectangle is empty or not wholly
    /// inside, and as [`put`](PixelsMut::put).
    pub fn fill_rect(
        &mut self,
        x: u32,
        y: u32,
        width: u32,
        height: u32,
        pixel: impl AsRef<[u16]>,
    ) -> Result<(), Error> {
        self.description.layout.crop(x, y, width, height)?;
        let pixel = self.format().encode(pixel.as_ref())?;
        let mut frame = self.frame_mut()?;
        for y in y..y + height {
            let filled = frame.fill_pixels(x, y, width, &pixel);
            filled.map_err(|error| Error::from(error).at_row(y))?;
        }
        Ok(())
    }

    /// Writes row `y` from the packed bytes of its pixels, as
    /// [`row`](PixelsMut::row) gives them.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::PixelOutside`]; [`ErrorKind::ByteCount`] if `from` is not
    /// as long as the row; [`ErrorKind::Source`] if the source fails.
    pub fn put_row(&mut self, y: u32, from: &[u8]) -> Result<(), Error> {
        self.description.check_row(y)?;
        self.put_rect(0, y, self.width(), 1, from)
    }

    /// Writes the rectangle with its upper left corner at `(x, y)` from the
    /// packed bytes of its pixels, row after row.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::RectOutside`] if the rectangle is empty or not wholly
    /// inside; [`ErrorKind::ByteCount`] if `from` has not exactly its bytes;
    /// [`ErrorKind::Source`] if the source fails.
    pub fn put_rect(
        &mut self,
        x: u32,
        y: u32,
        width: u32,
        height: u32,
        from: &[u8],
    ) -> Result<(), Error> {
        self.description.layout.crop(x, y, width, height)?;
        self.description.check_packed(width, height, from.len())?;
        let row_size = self.format().row_size(width) as usize; // no longer than `from`
        let mut frame = self.frame_mut()?;
        for (y, row) in (y..y + height).zip(from.chunks_exact(row_size)) {
            let put = frame.put_pixels(x, y, width, row);
            put.map_err(|error| Error::from(error).at_row(y))?;
        }
        Ok(())
    }
}

impl fmt::Debug for PixelsMut<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        debug(&self.description, "PixelsMut", f)
    }
}

fn get(frame: &Frame<'_>, x: u32, y: u32) -> Result<Pixel, Error> {
    let format = frame.layout.format();
    let mut bytes = PixelBytes::zeroed(format);
    frame
        .pixels(x, y, 1, &mut bytes)
        .map_err(|error| Error::from(error).at_row(y))?;
    Ok(format.decode(bytes))
}

fn row<'f>(frame: &Frame<'f>, y: u32) -> Result<Cow<'f, [u8]>, Error> {
    if let Some(row) = frame.row_in_place(y) {
        return Ok(Cow::Borrowed(row));
    }
    let width = frame.layout.width();
    let mut row = zeroed(frame.layout.format().row_size(width))?;
    frame
        .pixels(0, y, width, &mut row)
        .map_err(|error| Error::from(error).at_row(y))?;
    Ok(Cow::Owned(row))
}

fn debug(description: &Description, name: &'static str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.debug_struct(name)
        .field("layout", &description.layout)
        .finish_non_exhaustive()
}
