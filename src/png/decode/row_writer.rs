//! Conversion of the rows of a file and their way into a view.

use super::adam7::Pass;
use crate::alloc::zeroed;
use crate::error::AtRow;
use crate::format::{FileFormat, PngFormat};
use crate::strided::FrameMut;
use crate::{Error, ErrorKind, PixelFormat};

/// Converts rows of a file and writes them into a view.
pub(super) struct RowWriter {
    /// The format of PNG that stores the pixels of the view.
    to: PngFormat,
    /// A row in that format. Empty if the file has that format.
    converted: Vec<u8>,
    /// Entries of the palette.
    colors: usize,
    /// The whole image in that format, if the file is interlaced and a byte
    /// holds several pixels. Otherwise empty.
    assembled: Vec<u8>,
}

impl RowWriter {
    pub(super) fn new(file: &FileFormat, width: u32, format: PixelFormat) -> Result<Self, Error> {
        let to = format.png();
        let converted = if file.is_stored_as(to) {
            Vec::new()
        } else {
            zeroed(to.row_size(width))?
        };
        Ok(RowWriter {
            to,
            converted,
            colors: file.palette.as_ref().map_or(0, |p| p.colors().len()),
            assembled: Vec::new(),
        })
    }

    /// Returns the bytes that are needed to assemble the rows of an interlaced
    /// image: 0 for pixels of whole bytes, which are written pass by pass.
    pub(super) fn assembled_size(format: PixelFormat, width: u32, height: u32) -> u64 {
        match format.bits() {
            Some(_) => format.png().row_size(width).saturating_mul(height.into()),
            None => 0,
        }
    }

    /// Allocates the memory to assemble an interlaced image, of
    /// [`assembled_size`](RowWriter::assembled_size) bytes.
    pub(super) fn interlaced(mut self, size: u64) -> Result<Self, Error> {
        self.assembled = zeroed(size)?;
        Ok(self)
    }

    /// Writes row `y` of a pass to the pixels of the pass.
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
        if !self.converted.is_empty() {
            let converted = &mut self.converted[..self.to.row_size(pass.width) as usize];
            let result = file.convert_row(row, self.to, pass.width as usize, converted);
            result.map_err(|(x, index)| ErrorKind::IndexOutside {
                x: pass.x + x as u32 * pass.dx,
                y: image_y,
                index,
                colors: self.colors.min(1 << self.to.depth.min(8)),
            })?;
            row = converted;
        }
        let layout = frame.layout;
        if !self.assembled.is_empty() {
            let stride = self.to.row_size(layout.width()) as usize;
            let bits = self.to.bits_per_pixel() as u8;
            let pass = png::Adam7Info::new(pass.number, y, layout.width());
            png::expand_interlaced_row(&mut self.assembled, stride, row, &pass, bits);
            return Ok(());
        }
        frame.layout = layout.every(pass.x, pass.y, pass.dx, pass.dy);
        let written = frame.put_png_row(y, row);
        frame.layout = layout;
        written.at_row(image_y)
    }

    /// Writes the assembled image, if there is one.
    pub(super) fn finish(&self, frame: &mut FrameMut<'_>) -> Result<(), Error> {
        let (width, height) = (frame.layout.width(), frame.layout.height());
        let stride = self.to.row_size(width) as usize;
        for (y, row) in (0..height).zip(self.assembled.chunks_exact(stride)) {
            frame.put_png_row(y, row).at_row(y)?;
        }
        Ok(())
    }
}
