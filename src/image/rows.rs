//! Rows in the format in which images are compared and hashed.

use png::ColorType;

use crate::alloc::zeroed;
use crate::format::PngFormat;
use crate::strided::Frame;
use crate::{Error, PixelFormat};

/// A reader of the rows of a frame, as PNG holds them, but with one byte for each
/// index.
///
/// Rows that stable memory holds in this format are not copied. Other rows are
/// copied, one at a time, to memory that the first of them allocates.
#[derive(Default)]
pub(super) struct RowReader {
    copy: Vec<u8>,
}

impl RowReader {
    /// Returns the format of the rows that are read from an image of this format.
    pub(super) fn row_format(format: PixelFormat) -> PngFormat {
        match format.png() {
            PngFormat {
                color: ColorType::Indexed,
                ..
            } => PngFormat {
                color: ColorType::Indexed,
                depth: 8,
            },
            png => png,
        }
    }

    /// Returns row `y`. Requests each pixel of live memory once.
    pub(super) fn row<'r>(&'r mut self, frame: &Frame<'r>, y: u32) -> Result<&'r [u8], Error> {
        let format = frame.layout.format();
        let row_format = Self::row_format(format);
        if row_format == format.png()
            && let Some(row) = frame.png_row_in_place(y)
        {
            return Ok(row);
        }
        if self.copy.is_empty() {
            self.copy = zeroed(row_format.row_size(frame.layout.width()))?;
        }
        if row_format == format.png() {
            frame.png_row(y, &mut self.copy)?;
        } else {
            frame.samples(y, |x, indices| {
                self.copy[x..x + indices.len()].copy_from_slice(indices);
                Ok(())
            })?;
        }
        Ok(&self.copy)
    }

    /// Returns all rows one behind the other, if stable memory holds them so, in
    /// the format in which they are read.
    pub(super) fn all_in_place<'f>(frame: &Frame<'f>) -> Option<&'f [u8]> {
        let format = frame.layout.format();
        let same = Self::row_format(format) == format.png();
        same.then(|| frame.png_rows_in_place()).flatten()
    }
}
