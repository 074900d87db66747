//! Rows of the source as the file holds them.

use super::reduce::{self, Reduction};
use crate::error::AtRow;
use crate::format::{BitOrder, PngFormat, clear_spare, first_index_beyond, pack};
use crate::layout::Layout;
use crate::strided::Frame;
use crate::{Error, ErrorKind, PixelFormat};
use png::ColorType;

/// The form in which the file holds the rows.
#[derive(Clone, Copy)]
pub(super) struct Target<'a> {
    pub(super) png: PngFormat,
    /// The number of palette entries, if an index could be beyond.
    colors: Option<usize>,
    /// The lossless reduction of the pixels, if there is one.
    reduction: Option<&'a Reduction>,
}

impl<'a> Target<'a> {
    /// Returns the form of a format that is not indexed.
    pub(super) fn of(format: PixelFormat) -> Self {
        Target {
            png: format.png(),
            colors: None,
            reduction: None,
        }
    }

    /// Returns the form of reduced pixels.
    pub(super) fn reduced(reduction: &'a Reduction) -> Self {
        Target {
            png: reduction.target,
            colors: None,
            reduction: Some(reduction),
        }
    }

    /// Returns the form of indices of this format, with a palette of `colors`
    /// entries, at a bit depth that holds them.
    pub(super) fn indexed(format: PixelFormat, colors: usize, depth: u8) -> Self {
        let possible = 1 << format.bits_per_pixel();
        Target {
            png: PngFormat {
                color: ColorType::Indexed,
                depth,
            },
            colors: (colors < possible).then_some(colors),
            reduction: None,
        }
    }

    /// Returns whether indices are unpacked one by one, to be checked or to be
    /// packed at another depth.
    fn repacks(self, format: PixelFormat) -> bool {
        let checked = self.colors.is_some() && format.bits().is_some();
        checked || self.png.depth != format.bit_depth()
    }

    /// Refuses an index beyond the palette. The first of `indices` belongs to
    /// pixel `(x, y)`.
    fn check(self, x: u32, y: u32, indices: &[u8]) -> Result<(), Error> {
        let Some(colors) = self.colors else {
            return Ok(());
        };
        let Some(at) = first_index_beyond(indices, colors) else {
            return Ok(());
        };
        Err(ErrorKind::IndexOutside {
            x: x + at as u32,
            y,
            index: indices[at],
            colors,
        }
        .into())
    }
}

/// Reads the rows of a frame as the file holds them.
#[derive(Clone, Copy)]
pub(super) struct ScanlineReader<'a> {
    frame: Frame<'a>,
    target: Target<'a>,
}

impl<'a> ScanlineReader<'a> {
    pub(super) fn new(frame: Frame<'a>, target: Target<'a>) -> Self {
        ScanlineReader { frame, target }
    }

    /// Returns the rows for any thread, if they lie in stable memory without
    /// gaps between the pixels, and if reading them cannot fail.
    pub(super) fn stable_rows(&self) -> Option<StableRows<'a>> {
        let Target {
            colors: None,
            reduction: None,
            png,
        } = self.target
        else {
            return None;
        };
        let row_size = self.frame.row_in_place(0)?.len();
        let bytes = self.frame.stable_bytes()?;
        Some(StableRows {
            bytes,
            layout: self.frame.layout,
            row_size,
            png,
        })
    }

    /// Writes row `y` into `row`. Each pixel is requested once.
    pub(super) fn read(&self, y: u32, row: &mut [u8]) -> Result<(), Error> {
        let format = self.frame.layout.format();
        match self.target.reduction {
            Some(reduction) => self.read_reduced(y, reduction, row),
            None if self.target.repacks(format) => self.read_repacked(y, row),
            None => {
                let read = self.frame.png_row(y, row);
                read.map_err(Error::from)
                    .and_then(|()| self.target.check(0, y, row))
            }
        }
        .at_row(y)
    }

    fn read_reduced(&self, y: u32, reduction: &Reduction, row: &mut [u8]) -> Result<(), Error> {
        row.fill(0);
        reduce::for_each_block(&self.frame, y, |x, pixels| {
            reduction.write_pixels(pixels, x, row);
            true
        })
    }

    fn read_repacked(&self, y: u32, row: &mut [u8]) -> Result<(), Error> {
        let (width, target) = (self.frame.layout.width(), self.target);
        let depth = target.png.depth;
        self.frame.samples(y, |x, indices| {
            target.check(x as u32, y, indices)?;
            if depth == 8 {
                row[x..x + indices.len()].copy_from_slice(indices);
            } else {
                pack(depth, BitOrder::Msb, indices, x, row);
            }
            Ok(())
        })?;
        if depth < 8 {
            clear_spare(depth, BitOrder::Msb, row, width as usize);
        }
        Ok(())
    }
}

/// Rows that lie in stable memory, without gaps between the pixels. Any thread may
/// read them, any number of times.
#[derive(Clone, Copy)]
pub(super) struct StableRows<'a> {
    bytes: &'a [u8],
    layout: Layout,
    /// Bytes of a row in memory.
    row_size: usize,
    png: PngFormat,
}

impl<'a> StableRows<'a> {
    /// Returns whether the memory holds the rows as the file does.
    pub(super) fn are_stored_as_png(&self) -> bool {
        let format = self.format();
        format.is_stored_as_png() && format.png() == self.png
    }

    /// Returns the format of the pixels in the file.
    pub(super) fn png(&self) -> PngFormat {
        self.png
    }

    /// Returns the format of the pixels in memory.
    pub(super) fn format(&self) -> PixelFormat {
        self.layout.format()
    }

    /// Writes row `y` as the file holds it into `row`.
    pub(super) fn read(&self, y: u32, row: &mut [u8]) {
        let reader = ScanlineReader {
            frame: Frame::stable(self.bytes, self.layout),
            target: Target {
                png: self.png,
                colors: None,
                reduction: None,
            },
        };
        let result = reader.read(y, row);
        debug_assert!(
            result.is_ok(),
            "reading stable memory without a palette cannot fail"
        );
    }

    /// Returns row `y` as it is in memory.
    pub(super) fn row(&self, y: u32) -> &'a [u8] {
        let start = self.layout.address(0, y).byte;
        &self.bytes[start..start + self.row_size]
    }

    /// Calls `take` with the bytes of `count` rows from row `first` on: all at
    /// once if there are no gaps between the rows.
    pub(super) fn for_each_part(&self, first: u32, count: u32, mut take: impl FnMut(&'a [u8])) {
        let start = self.layout.address(0, first).byte;
        if count > 1 && self.layout.address(0, first + 1).byte == start + self.row_size {
            return take(&self.bytes[start..start + self.row_size * count as usize]);
        }
        for y in first..first + count {
            take(self.row(y));
        }
    }

    /// Returns the row above row `y`, if there is one.
    pub(super) fn above(&self, y: u32) -> Option<&'a [u8]> {
        y.checked_sub(1).map(|y| self.row(y))
    }
}
