//! Copies of pixels in another format.

use super::pair::{Band, lease_both};
use crate::alloc::zeroed;
use crate::error::AtRow;
use crate::format::FileFormat;
use crate::source::with_lease;
use crate::strided::{Frame, FrameMut};
use crate::{Error, ErrorKind, Image, Lease, LeaseMut, PixelFormat, PixelSource, PixelSourceMut};

/// Converting to another format.
impl<S: PixelSource> Image<S> {
    /// Returns a copy of all pixels in another format, rows without padding.
    /// [`copy_into`](Image::copy_into) describes the conversion.
    ///
    /// An indexed format needs an indexed image. The copy has the indices; the
    /// palette stays with the image.
    ///
    /// # Errors
    ///
    /// Those of [`copy_into`](Image::copy_into), and those of
    /// [`Image::new`] for options of the format.
    ///
    /// # Examples
    ///
    /// ```
    /// use pixview::{Image, PixelFormat};
    ///
    /// let frame = [0xff8000u32, 0x0000ff]; // words 0xXXRRGGBB
    /// let image = Image::from_buffer(&frame, 2, 1, PixelFormat::XRGB8888)?;
    /// let rgba = image.to_vec_as(PixelFormat::RGBA8)?;
    /// assert_eq!(rgba, [255, 128, 0, 255, 0, 0, 255, 255]);
    /// # Ok::<(), pixview::Error>(())
    /// ```
    pub fn to_vec_as(&self, format: PixelFormat) -> Result<Vec<u8>, Error> {
        // Checked before the copy is allocated.
        Conversion::new(self, format)?;
        let mut copy = Image::new(self.width(), self.height(), format)?;
        self.copy_into(&mut copy)?;
        Ok(copy.into_source())
    }

    /// Copies all pixels into another image of the same size, and converts them to
    /// its format. The other image can have any source that can be written, and any
    /// layout whose pixels share no bits. If both images are indexed and this image
    /// has a palette, the other image gets it.
    ///
    /// Between two formats the pixels change as if they were saved by
    /// [`PngEncoder`](crate::PngEncoder) and read by
    /// [`PngReader::read_into`](crate::PngReader::read_into), whose docs list the
    /// conversions. If both formats are equal, with all their options, the bytes of
    /// the pixels are copied unchanged, and with them the padding inside of pixels.
    /// So nothing is rounded, not even `f32` samples or premultiplied colors.
    ///
    /// Copies row by row, and allocates at most two rows. Bytes that belong to no
    /// pixel of the other image stay as they are. After an error, the rows before
    /// the row of the error have been written.
    ///
    /// # Two images of the same memory
    ///
    /// Two locks are never held at once, so both images can be views of one
    /// `Mutex`, `RwLock` or `RefCell`. If one of the sources is a lock, it is
    /// held for the whole copy. If both are locks, blocks of up to 256 KiB (at
    /// least one row) are copied from this image under its lock, then written to
    /// the other image under its lock. That allocates one block.
    ///
    /// If the images share memory, each row is read before the row with the same
    /// number is written. A later row may be read after some of its pixels have
    /// been written.
    ///
    /// # Errors
    ///
    /// Before a pixel is written:
    ///
    /// - [`ErrorKind::SizeMismatch`] if the sizes differ;
    /// - [`ErrorKind::NoIndices`] if only the other image is indexed;
    /// - [`ErrorKind::NoPalette`] if this image is indexed without a palette, and
    ///   the other image is not indexed;
    /// - [`ErrorKind::Overlap`] if pixels of the other image share bits.
    ///
    /// At any row:
    ///
    /// - [`ErrorKind::IndexOutside`] if an index has no palette entry, or is too
    ///   large for another indexed format;
    /// - [`ErrorKind::Source`] if a source fails;
    /// - [`ErrorKind::OutOfMemory`] if a row or block cannot be allocated.
    ///
    /// # Examples
    ///
    /// A frame of a game into a texture upload, whose rows are padded:
    ///
    /// ```
    /// use pixview::{Image, Layout, PixelFormat};
    ///
    /// let frame = vec![0u8; 100 * 50 * 3];
    /// let mut mapped = vec![0u8; 50 * 512];
    /// let layout = Layout::packed(100, 50, PixelFormat::BGRA8).with_row_stride(512);
    /// let mut texture = Image::with_layout(&mut mapped, layout)?;
    /// Image::from_buffer(&frame, 100, 50, PixelFormat::RGB8)?.copy_into(&mut texture)?;
    /// assert_eq!(texture.pixels()?.get(99, 49)?, [0, 0, 0, 255]);
    /// # Ok::<(), pixview::Error>(())
    /// ```
    pub fn copy_into<T: PixelSourceMut>(&self, other: &mut Image<T>) -> Result<(), Error> {
        self.check_size_of(other)?;
        let mut conversion = Conversion::new(self, other.format())?;
        let layout = other.layout;
        if layout.overlaps() {
            return Err(ErrorKind::Overlap.into());
        }
        if let Some(leases) = lease_both(
            &self.source,
            || other.source.lease_mut(),
            LeaseMut::is_guard,
        )? {
            let copy = |(from, to): &mut (Lease<'_>, LeaseMut<'_>)| {
                let mut to = layout.frame_mut(to.bytes_mut())?;
                conversion.copy_rows(0, &self.frame(from)?, &mut to)
            };
            with_lease(leases, copy).1?;
        } else {
            let mut band = Band::new(self.layout())?;
            for first in band.starts() {
                let rows = band.copy(self, first)?;
                let copy = |to: &mut LeaseMut<'_>| {
                    let mut to = layout.frame_mut(to.bytes_mut())?;
                    conversion.copy_rows(first, &rows, &mut to)
                };
                with_lease(other.source.lease_mut()?, copy).1?;
            }
        }
        if let Some(palette) = self.palette().filter(|_| other.format().is_indexed()) {
            other.set_palette(palette.clone());
        }
        Ok(())
    }
}

/// The conversion of rows between two formats, and the memory for it.
struct Conversion {
    /// The format of the source, after a conversion to PNG.
    from: FileFormat,
    /// The format of the target.
    to: PixelFormat,
    /// Whether both formats are equal, so that bytes are copied unchanged.
    same: bool,
    /// A row of the source. Empty until it is needed.
    row: Vec<u8>,
    /// A row in the format of PNG that stores the pixels of the target. Empty
    /// until it is needed.
    converted: Vec<u8>,
}

impl Conversion {
    fn new<S>(image: &Image<S>, to: PixelFormat) -> Result<Self, Error> {
        let format = image.format();
        let from = FileFormat {
            png: format.png(),
            palette: image.palette().cloned(),
            transparent: None,
        };
        from.check(to)?;
        if format.is_indexed() && !to.is_indexed() && from.palette.is_none() {
            return Err(ErrorKind::NoPalette { format }.into());
        }
        Ok(Conversion {
            from,
            to,
            same: format == to,
            row: Vec::new(),
            converted: Vec::new(),
        })
    }

    /// Copies all rows of `from` to the rows of `to` from row `first` on.
    fn copy_rows(
        &mut self,
        first: u32,
        from: &Frame<'_>,
        to: &mut FrameMut<'_>,
    ) -> Result<(), Error> {
        for y in first..first + from.layout.height() {
            if self.same {
                self.copy_same(from, y - first, to, y).at_row(y)?;
            } else {
                self.convert(from, y - first, to, y).at_row(y)?;
            }
        }
        Ok(())
    }

    /// Copies row `from_y` to row `y` of an image of the same format.
    fn copy_same(
        &mut self,
        from: &Frame<'_>,
        from_y: u32,
        to: &mut FrameMut<'_>,
        y: u32,
    ) -> Result<(), Error> {
        let width = from.layout.width();
        if let Some(row) = from.row_in_place(from_y) {
            to.put_pixels(0, y, width, row)?;
        } else if let Some(row) = to.row_in_place_mut(y) {
            from.pixels(0, from_y, width, row)?;
        } else {
            let row = row_memory(&mut self.row, self.to.row_size(width))?;
            from.pixels(0, from_y, width, row)?;
            to.put_pixels(0, y, width, row)?;
        }
        Ok(())
    }

    /// Copies row `from_y` to row `y` of an image of another format.
    fn convert(
        &mut self,
        from: &Frame<'_>,
        from_y: u32,
        to: &mut FrameMut<'_>,
        y: u32,
    ) -> Result<(), Error> {
        let (width, png) = (from.layout.width(), self.to.png());
        let row = match from.png_row_in_place(from_y) {
            Some(row) => row,
            None => {
                if self.from.png == png
                    && let Some(row) = to.png_row_in_place_mut(y)
                {
                    return Ok(from.png_row(from_y, row)?);
                }
                let row = row_memory(&mut self.row, self.from.png.row_size(width))?;
                from.png_row(from_y, row)?;
                row
            }
        };
        if self.from.png == png {
            return Ok(to.put_png_row(y, row)?);
        }
        let converted = row_memory(&mut self.converted, png.row_size(width))?;
        let result = self.from.convert_row(row, png, width as usize, converted);
        result.map_err(|(x, index)| ErrorKind::IndexOutside {
            x: x as u32,
            y,
            index,
            colors: match &self.from.palette {
                Some(palette) if !self.to.is_indexed() => palette.colors().len(),
                _ => 1 << png.depth,
            },
        })?;
        Ok(to.put_png_row(y, converted)?)
    }
}

/// Returns the memory of a row, which the first call allocates.
fn row_memory(row: &mut Vec<u8>, bytes: u64) -> Result<&mut [u8], Error> {
    if row.is_empty() {
        *row = zeroed(bytes)?;
    }
    Ok(row)
}
