//! Rows of a file on their way into a view.

use super::adam7::Pass;
use crate::alloc::zeroed;
use crate::format::PngFormat;
use crate::png::file_format::FileFormat;
use crate::strided::FrameMut;
use crate::{Error, ErrorKind, PixelFormat};

/// Writes rows, converted if need be.
pub(super) struct RowWriter {
    to: PngFormat,
    /// A row as PNG has the view's format, if the file has it otherwise.
    adapted: Vec<u8>,
    colors: usize,
    /// The image as PNG has the view's format, if rows come in pieces of less
    /// than a byte.
    assembled: Vec<u8>,
}

impl RowWriter {
    pub(super) fn new(file: &FileFormat, width: u32, format: PixelFormat) -> Result<Self, Error> {
        let to = format.png();
        let adapted = if file.is_stored_as(to) {
            Vec::new()
        } else {
            zeroed(to.row_size(width))?
        };
        Ok(RowWriter {
            to,
            adapted,
            colors: file.palette.as_ref().map_or(0, |p| p.colors().len()),
            assembled: Vec::new(),
        })
    }

    /// Bytes that are needed to put interlaced rows together. Pixels of whole
    /// bytes go to their places at once.
    pub(super) fn assembled_size(format: PixelFormat, width: u32, height: u32) -> u64 {
        match format.bits() {
            Some(_) => format.png().row_size(width).saturating_mul(height.into()),
            None => 0,
        }
    }

    /// The same for the rows of the passes of an image.
    pub(super) fn interlaced(mut self, size: u64) -> Result<Self, Error> {
        self.assembled = zeroed(size)?;
        Ok(self)
    }

    /// Writes row `y` of a pass to where its pixels are.
    pub(super) fn write(
        &mut self,
        file: &FileFormat,
        pass: Pass,
        y: u32,
        row: &[u8],
        frame: &mut FrameMut<'_>,
    ) -> Result<(), Error> {
        let image_y = pass.y + y * pass.dy;
        let mut row = row;
        if !self.adapted.is_empty() {
            let adapted = &mut self.adapted[..self.to.row_size(pass.width) as usize];
            let result = file.convert_row(row, self.to, pass.width as usize, adapted);
            result.map_err(|(x, index)| ErrorKind::IndexOutside {
                x: pass.x + x as u32 * pass.dx,
                y: image_y,
                index,
                colors: self.colors.min(1 << self.to.depth.min(8)),
            })?;
            row = adapted;
        }
        let whole = frame.layout;
        if !self.assembled.is_empty() {
            let stride = self.to.row_size(whole.width()) as usize;
            let (number, bits) = (pass.number, self.to.bits_per_pixel() as u8);
            let pass = png::Adam7Info::new(number, y, whole.width());
            png::expand_interlaced_row(&mut self.assembled, stride, row, &pass, bits);
            return Ok(());
        }
        frame.layout = whole.every(pass.x, pass.y, pass.dx, pass.dy);
        let written = frame.put_png_row(y, row);
        frame.layout = whole;
        written.map_err(|error| Error::from(error).at_row(image_y))
    }

    /// Writes what was put together.
    pub(super) fn finish(&self, frame: &mut FrameMut<'_>) -> Result<(), Error> {
        let (width, height) = (frame.layout.width(), frame.layout.height());
        let stride = self.to.row_size(width) as usize;
        for (y, row) in (0..height).zip(self.assembled.chunks_exact(stride)) {
            let written = frame.put_png_row(y, row);
            written.map_err(|error| Error::from(error).at_row(y))?;
        }
        Ok(())
    }
}
