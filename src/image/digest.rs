//! A hash of the pixels that an image shows.

use museair::Hasher128;

use super::rows::RowReader;
use crate::error::AtRow;
use crate::source::with_lease;
use crate::{Error, Image, Lease, PixelSource};

/// Comparing and hashing.
impl<S: PixelSource> Image<S> {
    /// Returns a hash of 128 bits of the pixels. Images that show the same samples
    /// have the same digest. Other images have different digests, except with
    /// negligible probability.
    ///
    /// The digest depends on the size, on the color type and bit depth in PNG,
    /// on the palette and on the samples. It does not depend on the kind of
    /// source, the layout, the byte order of samples, the order of channels,
    /// padding, unused bits, or the platform. It is stable within a major version
    /// of this crate. For indexed images the samples are the indices: images that
    /// show the same colors with different palettes have different digests.
    ///
    /// Use the digest to find changes and equal images, not for security: two
    /// images with the same digest can be constructed.
    ///
    /// Reads each pixel once, under one lease: a lock stays locked until the
    /// digest is done. Stable memory that holds the rows as PNG does is hashed in
    /// place, at about the speed of memory. For other memory, allocates one row.
    ///
    /// # Definition
    ///
    /// The digest is `MuseAir` v2, the standard variant of 128 bits, with both
    /// seeds 0, of these bytes (numbers have their most significant byte first):
    ///
    /// | bytes | content |
    /// |---|---|
    /// | 4 | width in pixels |
    /// | 4 | height in pixels |
    /// | 1 | bit depth; 8 if the image is indexed |
    /// | 1 | color type (PNG third edition, 11.2.1) |
    /// | 2 | number of palette entries; 0 if there is no palette |
    /// | 4 each | palette entries: red, green, blue, alpha |
    /// | the rest | rows from top to bottom, as a PNG holds them without filter bytes (PNG third edition, 7.2), with unused bits 0; if the image is indexed, one byte a pixel |
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::Source`] if the source fails;
    /// - [`ErrorKind::OutOfMemory`] if the row cannot be allocated.
    ///
    /// # Examples
    ///
    /// ```
    /// use pixview::{Image, PixelFormat};
    ///
    /// let rgb = [255u8, 128, 0, 1, 2, 3];
    /// let bgrx = [0u8, 128, 255, 77, 3, 2, 1, 99];
    /// let a = Image::from_buffer(&rgb, 2, 1, PixelFormat::RGB8)?;
    /// let b = Image::from_buffer(&bgrx, 2, 1, PixelFormat::BGRX8)?;
    /// assert_eq!(a.digest()?, b.digest()?);
    /// # Ok::<(), pixview::Error>(())
    /// ```
    ///
    /// [`ErrorKind::Source`]: crate::ErrorKind::Source
    /// [`ErrorKind::OutOfMemory`]: crate::ErrorKind::OutOfMemory
    pub fn digest(&self) -> Result<u128, Error> {
        let mut hasher = Hasher128::with_seed(0, 0);
        self.hash_header(&mut hasher);
        let hash = |lease: &mut Lease<'_>| -> Result<(), Error> {
            let frame = self.frame(lease)?;
            if let Some(rows) = RowReader::all_in_place(&frame) {
                hasher.write(rows);
                return Ok(());
            }
            let mut reader = RowReader::default();
            for y in 0..self.height() {
                hasher.write(reader.row(&frame, y).at_row(y)?);
            }
            Ok(())
        };
        with_lease(self.source.lease()?, hash).1?;
        Ok(hasher.finish128())
    }

    /// Hashes the bytes before the rows.
    fn hash_header(&self, hasher: &mut Hasher128) {
        let png = RowReader::row_format(self.format());
        let colors = self.palette().map_or(&[][..], |palette| palette.colors());
        hasher.write(&self.width().to_be_bytes());
        hasher.write(&self.height().to_be_bytes());
        hasher.write(&[png.depth, png.color as u8]);
        hasher.write(&(colors.len() as u16).to_be_bytes());
        hasher.write(colors.as_flattened());
    }
}
