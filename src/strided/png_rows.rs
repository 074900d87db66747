//! Rows as PNG holds them, read from and written to a frame.

use super::{BLOCK, Frame, FrameMut};
use crate::SourceError;
use crate::format::{from_png, to_png};

impl<'a> Frame<'a> {
    /// Returns row `y` in place, if stable memory holds it as PNG does, with the
    /// color type and the bit depth of the format.
    pub(crate) fn png_row_in_place(&self, y: u32) -> Option<&'a [u8]> {
        let stored = self.layout.format().is_stored_as_png();
        stored.then(|| self.row_in_place(y)).flatten()
    }

    /// Returns all rows in place, if stable memory holds them as PNG does, one
    /// behind the other without padding.
    pub(crate) fn png_rows_in_place(&self) -> Option<&'a [u8]> {
        let stored = self.layout.format().is_stored_as_png();
        stored.then(|| self.rows_in_place()).flatten()
    }

    /// Fills `row` with row `y` as PNG holds it, with the color type and the
    /// bit depth of the format. Sets unused bits to 0. Requests each pixel once.
    pub(crate) fn png_row(&self, y: u32, row: &mut [u8]) -> Result<(), SourceError> {
        let (width, format) = (self.layout.width(), self.layout.format());
        if format.is_stored_as_png() {
            return self.pixels(0, y, width, row);
        }
        if format.bits().is_some() {
            // The whole row at once: a byte with pixels of two blocks would be
            // requested twice.
            self.pixels(0, y, width, row)?;
            format.bits_to_png(width, row);
            return Ok(());
        }
        if let Some(pixels) = self.row_in_place(y) {
            to_png(format, pixels, row);
            return Ok(());
        }
        // A multiple of 8, so that each part begins with a byte.
        let most = BLOCK / (8 * format.pixel_size()) * 8;
        let mut block = [0; BLOCK];
        let parts = row.chunks_mut(most * format.png().bits_per_pixel() / 8);
        for (x, part) in (0..width).step_by(most).zip(parts) {
            let count = (width - x).min(most as u32);
            let pixels = &mut block[..count as usize * format.pixel_size()];
            self.pixels(x, y, count, pixels)?;
            to_png(format, pixels, part);
        }
        Ok(())
    }
}

impl FrameMut<'_> {
    /// Returns row `y` for writing, if stable memory holds it as PNG does. See
    /// [`Frame::png_row_in_place`].
    pub(crate) fn png_row_in_place_mut(&mut self, y: u32) -> Option<&mut [u8]> {
        let stored = self.layout.format().is_stored_as_png();
        stored.then(|| self.row_in_place_mut(y)).flatten()
    }

    /// Writes row `y`. `row` is the row as PNG holds it, with the color type and
    /// the bit depth of the format.
    pub(crate) fn put_png_row(&mut self, y: u32, row: &[u8]) -> Result<(), SourceError> {
        let (width, format) = (self.layout.width(), self.layout.format());
        if format.is_stored_as_png() {
            return self.put_pixels(0, y, width, row);
        }
        if let Some(to) = self.row_in_place_mut(y) {
            from_png(format, row, to);
            return Ok(());
        }
        let mut block = [0; BLOCK];
        let (bits, png_bits) = (format.bits_per_pixel(), format.png().bits_per_pixel());
        // A multiple of 8, so that each part begins with a byte.
        let most = BLOCK * 8 / bits;
        for (x, part) in (0..width)
            .step_by(most)
            .zip(row.chunks(most * png_bits / 8))
        {
            let count = (width - x).min(most as u32);
            let pixels = &mut block[..format.row_size(count) as usize];
            from_png(format, part, pixels);
            self.put_pixels(x, y, count, pixels)?;
        }
        Ok(())
    }
}
