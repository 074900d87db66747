//! Rows of a file on their way into a view.

use super::file_format::FileFormat;
use crate::alloc::zeroed;
use crate::format::PngFormat;
use crate::strided::FrameMut;
use crate::{Error, ErrorKind, PixelFormat};

/// Writes rows, converted if need be.
pub(super) struct RowWriter {
    to: PngFormat,
    /// Whether memory has the rows that the file has.
    direct: bool,
    /// A row as PNG has the view's format, if the file has it otherwise.
    adapted: Vec<u8>,
    colors: usize,
}

impl RowWriter {
    pub(super) fn new(file: &FileFormat, width: u32, format: PixelFormat) -> Result<Self, Error> {
        let to = format.png();
        let same = file.is_stored_as(to);
        let adapted = if same {
            Vec::new()
        } else {
            zeroed(to.row_size(width))?
        };
        Ok(RowWriter {
            to,
            direct: same && format.is_stored_as_png(),
            adapted,
            colors: file.palette.as_ref().map_or(0, |p| p.colors().len()),
        })
    }

    pub(super) fn is_direct(&self) -> bool {
        self.direct
    }

    pub(super) fn write(
        &mut self,
        file: &FileFormat,
        y: u32,
        row: &[u8],
        frame: &mut FrameMut<'_>,
    ) -> Result<(), Error> {
        if self.adapted.is_empty() {
            return Ok(frame.put_png_row(y, row)?);
        }
        let width = frame.layout.width() as usize;
        let adapted = file.convert_row(row, self.to, width, &mut self.adapted);
        adapted.map_err(|(x, index)| ErrorKind::IndexOutside {
            x: x as u32,
            y,
            index,
            colors: self.colors.min(1 << self.to.depth.min(8)),
        })?;
        Ok(frame.put_png_row(y, &self.adapted)?)
    }
}
