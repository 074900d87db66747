//! How an image is cut into strips. It follows from the bytes of a row and the
//! options alone, so that nothing else changes the file.

use png::ColorType;

use super::filter::FilterType;
use crate::deflate::{STORED_HEADER, STORED_MAX};
use crate::rows::{Frame, PngRows, Target};
use crate::{Compression, Error, ErrorKind};

/// Bytes of scanlines in a strip, unless a single one has more.
const STRIP: usize = 512 << 10;

/// The header of zlib: deflate, a window of 32 KiB (RFC 1950, 2.2).
pub(super) const ZLIB_HEADER: [u8; 2] = [0x78, 0x01];

/// Bytes before scanlines that become a stored block where they are.
pub(super) const HEAD: usize = ZLIB_HEADER.len() + STORED_HEADER;

/// What is the same for all strips of an image.
#[derive(Clone, Copy)]
pub(super) struct Geometry<'a> {
    /// The rows, if a strip need not be read before it is filtered.
    pub(super) stable: Option<PngRows<'a>>,
    /// What rows become.
    pub(super) target: Target<'a>,
    pub(super) height: u32,
    /// Bytes of samples in a scanline.
    pub(super) row_size: usize,
    /// Bytes of samples in a pixel, or 1.
    pub(super) pixel_size: usize,
    /// Scanlines in a strip, but for the last.
    pub(super) rows: u32,
    pub(super) compression: Compression,
    /// The filter of all rows, unless the mode chooses it.
    pub(super) filter: Option<FilterType>,
}

impl<'a> Geometry<'a> {
    pub(super) fn new(
        frame: &Frame<'a>,
        target: Target<'a>,
        compression: Compression,
        filter: Option<FilterType>,
    ) -> Result<Self, Error> {
        let (width, height) = (frame.layout.width(), frame.layout.height());
        let row_size = usize::try_from(target.png.row_size(width))
            .ok()
            .filter(|&size| size < isize::MAX as usize / 8)
            .ok_or(ErrorKind::TooLarge { width, height })?;
        // A strip that is stored is one block, if it can be.
        let size = match compression {
            Compression::Stored => STORED_MAX,
            _ => STRIP,
        };
        Ok(Geometry {
            stable: frame.png_rows(target),
            target,
            height,
            row_size,
            pixel_size: target.png.pixel_size(),
            rows: (size / (row_size + 1)).clamp(1, height as usize) as u32,
            compression,
            filter,
        })
    }

    /// How many strips there are.
    pub(super) fn strips(&self) -> u32 {
        self.height.div_ceil(self.rows)
    }

    /// Whether a single scanline is more than what a strip should be.
    pub(super) fn is_wide(&self) -> bool {
        self.row_size >= STRIP
    }

    /// Bytes of scanlines in the largest strip.
    pub(super) fn size(&self) -> usize {
        self.rows as usize * (self.row_size + 1)
    }

    /// Whether scanlines become a stored block where they are.
    pub(super) fn is_one_block(&self) -> bool {
        self.compression == Compression::Stored && self.size() <= STORED_MAX
    }

    /// Whether the filter of [`one_filter`](Geometry::one_filter) may be
    /// another one for groups of rows.
    pub(super) fn judges(&self) -> bool {
        // There is no noise in numbers of colours, or in bits.
        let png = self.target.png;
        let shades = png.color != ColorType::Indexed && png.depth >= 8;
        self.filter.is_none() && self.compression == Compression::Fast && shades
    }

    /// The filter of all rows, if it is the same for all, or does not depend
    /// on rows that are yet to be read.
    pub(super) fn one_filter(&self) -> Option<FilterType> {
        self.filter.or(match self.compression {
            Compression::Stored => Some(FilterType::None),
            // Bytes of many pixels are like those above them, or like none.
            Compression::Fast if self.target.png.depth <= 2 => Some(FilterType::Up),
            Compression::Fast => Some(FilterType::Paeth),
            Compression::Small | Compression::Best => None,
        })
    }

    /// The filter, if rows go through it as they are read: they must be read
    /// once, and there is nothing to choose.
    pub(super) fn filter_of_reader(&self) -> Option<FilterType> {
        self.one_filter().filter(|_| self.stable.is_none())
    }

    /// Whether a strip has to hold the row above its first.
    fn holds_above(&self) -> bool {
        self.stable.is_none() && self.filter_of_reader().is_none()
    }

    /// Rows that the reader needs room for, from strip to strip.
    pub(super) fn rows_of_reader(&self) -> usize {
        match self.filter_of_reader() {
            Some(FilterType::None) => 0,
            Some(_) => 2,
            None => usize::from(self.holds_above()),
        }
    }

    /// Bytes before the scanlines: the row above, or what becomes the head of
    /// a block.
    pub(super) fn before(&self) -> usize {
        if self.holds_above() {
            self.row_size.max(HEAD)
        } else {
            HEAD
        }
    }
}
