//! How an image is cut into strips. The cut follows from the size of a row,
//! the type of the file and the options alone, so that nothing else changes
//! the file.

use super::filter::GROUP_ROWS;
use super::filtering::FilterRule;
use super::options::{Compression, Filter};
use crate::deflate::{STORED_HEADER, STORED_MAX};
use crate::format::PngFormat;
use crate::{Error, ErrorKind};

/// Bytes of scanlines in a strip, unless a single scanline has more.
const STRIP: usize = 512 << 10;

/// Bytes of scanlines in a strip that later saves may reuse. It is smaller, because
/// one changed pixel costs a whole strip.
const REUSED_STRIP: usize = 320 << 10;

/// The header of a zlib stream: deflate with a window of 32 KiB (RFC 1950,
/// 2.2).
pub(super) const ZLIB_HEADER: [u8; 2] = [0x78, 0x01];

/// Bytes before scanlines that become a stored block in place.
pub(super) const HEAD: usize = ZLIB_HEADER.len() + STORED_HEADER;

/// The properties that all strips of an image share.
#[derive(Clone, Copy)]
pub(super) struct Geometry {
    /// The height of the image in pixels.
    pub(super) height: u32,
    /// Bytes of samples in a scanline, without the byte of the filter.
    pub(super) row_size: usize,
    /// Bytes of samples in a pixel, or 1 if several pixels share a byte.
    pub(super) pixel_size: usize,
    /// Scanlines in a strip; the last strip may have fewer.
    pub(super) rows: u32,
    pub(super) compression: Compression,
    pub(super) rule: FilterRule,
    /// Whether strips are kept for later saves.
    pub(super) is_kept: bool,
    /// Whether strips get keys, by which strips of earlier saves are found.
    pub(super) is_keyed: bool,
}

/// The options on which the geometry depends.
#[derive(Clone, Copy)]
pub(super) struct StripOptions {
    pub(super) compression: Compression,
    pub(super) filter: Filter,
    /// Whether strips are kept for later saves. They are smaller then.
    pub(super) is_kept: bool,
    /// Whether strips get keys, also those that are not kept.
    pub(super) is_keyed: bool,
}

impl Geometry {
    /// Returns the geometry of an image.
    pub(super) fn new(
        width: u32,
        height: u32,
        png: PngFormat,
        options: StripOptions,
    ) -> Result<Self, Error> {
        let StripOptions {
            compression,
            filter,
            is_kept,
            is_keyed,
        } = options;
        let row_size = usize::try_from(png.row_size(width))
            .ok()
            .filter(|&size| size < isize::MAX as usize / 8)
            .ok_or(ErrorKind::TooLarge { width, height })?;
        // A stored strip is one block, if its scanlines fit a block.
        let size = match compression {
            Compression::Stored => STORED_MAX,
            Compression::Fast | Compression::Small | Compression::Best => STRIP,
        };
        let mut rows = size / (row_size + 1);
        if is_kept {
            // A strip of whole groups depends only on one row above it. Very wide
            // rows have no room for a whole group.
            let group = GROUP_ROWS as usize;
            let groups = (REUSED_STRIP / (row_size + 1) + group / 2) / group;
            rows = rows.min(groups.max(1) * group);
        }
        Ok(Geometry {
            height,
            row_size,
            pixel_size: png.pixel_size(),
            rows: rows.clamp(1, height as usize) as u32,
            compression,
            rule: FilterRule::of(png, compression, filter),
            is_kept,
            is_keyed,
        })
    }

    /// Returns the number of strips.
    pub(super) fn strips(&self) -> u32 {
        self.height.div_ceil(self.rows)
    }

    /// Returns whether a single scanline has more bytes than a strip should.
    pub(super) fn is_wide(&self) -> bool {
        self.row_size >= STRIP
    }

    /// Returns the number of bytes of scanlines in the largest strip.
    pub(super) fn size(&self) -> usize {
        self.rows as usize * (self.row_size + 1)
    }

    /// Returns whether the scanlines of a strip become one stored block in
    /// place.
    pub(super) fn is_one_block(&self) -> bool {
        self.compression == Compression::Stored && self.size() <= STORED_MAX
    }
}
