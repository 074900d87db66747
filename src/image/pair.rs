//! Operations on two images, which never hold two locks at once.
//!
//! An operation must not hold the guards of two sources: both can belong to one
//! lock, and another thread can take two locks in the opposite order. If both
//! leases are guards, the sources are leased in turn: a [`Band`] of rows is copied
//! from the first source, then used with the second.

use crate::alloc::{NoMemory, zeroed};
use crate::error::AtRow;
use crate::source::{Bytes, with_lease};
use crate::strided::Frame;
use crate::{Error, Image, Layout, Lease, PixelSource, SourceError};

/// The most bytes of pixels in a band, unless one row has more. They fit into
/// the second-level cache.
const BAND_BYTES: u64 = 256 << 10;

/// Leases two sources together. Returns `None` if both leases are guards.
pub(super) fn lease_both<L>(
    first: &impl PixelSource,
    second: impl FnOnce() -> Result<L, SourceError>,
    is_guard: impl Fn(&L) -> bool,
) -> Result<Option<(Lease<'_>, L)>, SourceError> {
    let lease = first.lease()?;
    if !lease.is_guard() {
        return Ok(Some((lease, second()?)));
    }
    // The second source can be behind the same lock.
    drop(lease);
    let other = second()?;
    if is_guard(&other) {
        return Ok(None);
    }
    Ok(Some((first.lease()?, other)))
}

/// A packed copy of some rows of an image, in the format of the image.
pub(super) struct Band {
    pixels: Vec<u8>,
    layout: Layout,
    /// The height of the image.
    height: u32,
}

impl Band {
    /// Allocates a band for an image with this layout.
    pub(super) fn new(image: Layout) -> Result<Self, NoMemory> {
        let (width, format) = (image.width(), image.format());
        let row_size = format.row_size(width).max(1);
        let rows = (BAND_BYTES / row_size).clamp(1, image.height().into()) as u32;
        Ok(Band {
            pixels: zeroed(row_size.saturating_mul(rows.into()))?,
            layout: Layout::packed(width, rows, format),
            height: image.height(),
        })
    }

    /// Returns the first row of each band of the image.
    pub(super) fn starts(&self) -> impl Iterator<Item = u32> + use<> {
        (0..self.height).step_by(self.layout.height() as usize)
    }

    /// Copies the rows from row `first` on, and returns the copy. Holds a lease
    /// of the image only while it copies.
    pub(super) fn copy(
        &mut self,
        image: &Image<impl PixelSource>,
        first: u32,
    ) -> Result<Frame<'_>, Error> {
        let (width, format) = (self.layout.width(), self.layout.format());
        let rows = self.layout.height().min(self.height - first);
        let row_size = format.row_size(width) as usize;
        with_lease(image.source().lease()?, |lease| -> Result<(), Error> {
            let frame = image.frame(lease)?;
            for (y, row) in (first..first + rows).zip(self.pixels.chunks_exact_mut(row_size)) {
                frame.pixels(0, y, width, row).at_row(y)?;
            }
            Ok(())
        })
        .1?;
        Ok(Frame {
            bytes: Bytes::Stable(&self.pixels, 1),
            layout: Layout::packed(width, rows, format),
        })
    }
}
