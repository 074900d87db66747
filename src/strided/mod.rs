//! Rows of pixels, read from and written to the bytes of a lease.
//!
//! A [`Frame`] has the bytes and the layout of an image for one access. Pixels
//! are copied by [`Frame::pixels`], borrowed by [`Frame::row_in_place`] where
//! the memory allows it, and written by [`FrameMut::put_pixels`].
//!
//! A row is a [`mod@run`] of pixels or samples at equal distances. [`mod@gather`] and
//! [`mod@scatter`] copy runs of whole bytes, [`mod@bits`] copies pixels that share a
//! byte.

mod bits;
mod checked;
mod gather;
mod planes;
mod png_rows;
mod run;
mod scatter;

use bits::{BitRun, for_each_unpacked, gather_bits, scatter_bits};
pub(crate) use checked::CheckedLayout;
use gather::gather;
use planes::Planes;
pub(crate) use run::BLOCK;
use run::{interleaved_run, plane_runs};
use scatter::scatter;

use crate::arch::Registers;
use crate::error::AtRow;
use crate::format::{pack, unpack};
use crate::source::{Bytes, BytesMut};
use crate::{Error, Layout, SourceError};

/// The pixels of an image for one access. The layout has been checked against
/// bytes of this length (see [`CheckedLayout`]).
#[derive(Clone, Copy)]
pub(crate) struct Frame<'a> {
    pub(crate) bytes: Bytes<'a>,
    pub(crate) layout: Layout,
}

impl<'a> Frame<'a> {
    /// Creates a frame from the stable memory and the layout of an earlier frame.
    pub(crate) fn stable(bytes: &'a [u8], layout: Layout) -> Self {
        // Only live memory needs the size of the elements.
        let bytes = Bytes::Stable(bytes, 1);
        Frame { bytes, layout }
    }

    /// Returns the packed bytes of row `y`, if the memory is stable and holds
    /// the pixels in order, without gaps.
    pub(crate) fn row_in_place(&self, y: u32) -> Option<&'a [u8]> {
        let Bytes::Stable(bytes, _) = self.bytes else {
            return None;
        };
        if let Some(run) = BitRun::new(&self.layout, 0, y, self.layout.width()) {
            let (start, per_byte) = (run.start.byte, run.per_byte());
            let whole = run.count.is_multiple_of(per_byte) && run.start.bit == 0;
            let whole = whole && run.is_side_by_side();
            return whole.then(|| &bytes[start..start + run.count / per_byte]);
        }
        let run = interleaved_run(&self.layout, 0, y, self.layout.width())?;
        run.is_contiguous()
            .then(|| &bytes[run.start..run.start + run.count * run.unit])
    }

    /// Returns the packed bytes of all rows, if the memory is stable and holds the
    /// pixels in order, without gaps.
    pub(crate) fn rows_in_place(&self) -> Option<&'a [u8]> {
        let row = self.row_in_place(0)?;
        let (height, stride) = (self.layout.height(), self.layout.row_stride_bits());
        if height > 1 && stride != 8 * row.len() as i64 {
            return None;
        }
        let start = self.layout.address(0, 0).byte;
        let bytes = self.stable_bytes()?;
        Some(&bytes[start..start + row.len() * height as usize])
    }

    /// Returns whether the memory does not change during the access.
    pub(crate) fn is_stable(&self) -> bool {
        matches!(self.bytes, Bytes::Stable(..))
    }

    /// Returns the whole buffer, if it is stable.
    pub(crate) fn stable_bytes(&self) -> Option<&'a [u8]> {
        match self.bytes {
            Bytes::Stable(bytes, _) => Some(bytes),
            Bytes::Live(_) => None,
        }
    }

    /// Fills `to` with `count` packed pixels of row `y`, from column `x` on.
    /// Requests each pixel once.
    pub(crate) fn pixels(
        &self,
        x: u32,
        y: u32,
        count: u32,
        to: &mut [u8],
    ) -> Result<(), SourceError> {
        if let Some(run) = BitRun::new(&self.layout, x, y, count) {
            return gather_bits(self.bytes, run, to);
        }
        if let Some(run) = interleaved_run(&self.layout, x, y, count) {
            return gather(self.bytes, run, to);
        }
        let (size, unit) = (self.layout.format().pixel_size(), self.layout.unit());
        let planes = size / unit;
        let mut samples: Planes = [[0; planes::PART]; planes::MAX_PLANES];
        for first in (0..count).step_by(planes::PART / unit) {
            let part = (count - first).min((planes::PART / unit) as u32);
            for (plane, run) in plane_runs(&self.layout, x + first, y, part) {
                gather(self.bytes, run, &mut samples[plane][..part as usize * unit])?;
            }
            let pixels = &mut to[first as usize * size..][..part as usize * size];
            planes::join(Registers::widest(), &samples, planes, unit, pixels);
        }
        Ok(())
    }

    /// Fills `to` with the packed rows of the frame.
    pub(crate) fn copy_to(&self, to: &mut [u8]) -> Result<(), Error> {
        let (width, height) = (self.layout.width(), self.layout.height());
        let row_size = self.layout.format().row_size(width) as usize;
        if let Some(rows) = self.rows_in_place() {
            // One large copy is faster than many small ones.
            to.copy_from_slice(rows);
            return Ok(());
        }
        for (y, row) in (0..height).zip(to.chunks_exact_mut(row_size)) {
            self.pixels(0, y, width, row).at_row(y)?;
        }
        Ok(())
    }

    /// Calls `take` with the samples of row `y`, one block after the other. The
    /// format has one sample a pixel, of at most 8 bits. `take` receives the
    /// column of the first sample, and the samples as one byte each. Requests
    /// each pixel once.
    pub(crate) fn samples(
        &self,
        y: u32,
        mut take: impl FnMut(usize, &[u8]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let width = self.layout.width();
        if let Some(run) = BitRun::new(&self.layout, 0, y, width) {
            return for_each_unpacked(self.bytes, run, take);
        }
        let mut block = [0; BLOCK];
        for x in (0..width).step_by(BLOCK) {
            let samples = &mut block[..BLOCK.min((width - x) as usize)];
            self.pixels(x, y, samples.len() as u32, samples)?;
            take(x as usize, samples)?;
        }
        Ok(())
    }
}

/// The pixels of an image for one access that may write. The counterpart of
/// [`Frame`].
pub(crate) struct FrameMut<'a> {
    pub(crate) bytes: BytesMut<'a>,
    pub(crate) layout: Layout,
}

impl FrameMut<'_> {
    /// Writes all of `from`, which is `count` packed pixels, to row `y` from
    /// column `x` on. Changes no other bit.
    pub(crate) fn put_pixels(
        &mut self,
        x: u32,
        y: u32,
        count: u32,
        from: &[u8],
    ) -> Result<(), SourceError> {
        if let Some(run) = BitRun::new(&self.layout, x, y, count) {
            return scatter_bits(&mut self.bytes, run, from);
        }
        if let Some(run) = interleaved_run(&self.layout, x, y, count) {
            return scatter(&mut self.bytes, run, from);
        }
        let (size, unit) = (self.layout.format().pixel_size(), self.layout.unit());
        let planes = size / unit;
        let mut samples: Planes = [[0; planes::PART]; planes::MAX_PLANES];
        for first in (0..count).step_by(planes::PART / unit) {
            let part = (count - first).min((planes::PART / unit) as u32);
            let pixels = &from[first as usize * size..][..part as usize * size];
            planes::split(Registers::widest(), pixels, planes, unit, &mut samples);
            for (plane, run) in plane_runs(&self.layout, x + first, y, part) {
                scatter(
                    &mut self.bytes,
                    run,
                    &samples[plane][..part as usize * unit],
                )?;
            }
        }
        Ok(())
    }

    /// Returns the packed bytes of row `y` for writing, if the memory is stable
    /// and holds the pixels in order, without gaps.
    pub(crate) fn row_in_place_mut(&mut self, y: u32) -> Option<&mut [u8]> {
        let BytesMut::Stable(bytes, element_size) = &mut self.bytes else {
            return None;
        };
        let frame = Frame {
            bytes: Bytes::Stable(bytes, *element_size),
            layout: self.layout,
        };
        let row = frame.row_in_place(y)?.len();
        let start = self.layout.address(0, y).byte;
        Some(&mut bytes[start..start + row])
    }

    /// Writes one pixel to `count` columns of row `y`, from column `x` on.
    /// `pixel` is its packed bytes.
    pub(crate) fn fill_pixels(
        &mut self,
        x: u32,
        y: u32,
        count: u32,
        pixel: &[u8],
    ) -> Result<(), SourceError> {
        let mut block = [0; BLOCK];
        let format = self.layout.format();
        let most = BLOCK * 8 / format.bits_per_pixel();
        if let Some((bits, order)) = format.bits() {
            let mut index = [0];
            unpack(bits, order, pixel, 0, &mut index);
            pack(
                bits,
                order,
                &[index[0]; 8][..8 / usize::from(bits)],
                0,
                &mut block,
            );
            let byte = block[0];
            block.fill(byte);
        } else {
            for copy in block.chunks_exact_mut(pixel.len()).take(count as usize) {
                copy.copy_from_slice(pixel);
            }
        }
        for first in (0..count).step_by(most) {
            let part = (count - first).min(most as u32);
            let size = format.row_size(part) as usize;
            self.put_pixels(x + first, y, part, &block[..size])?;
        }
        Ok(())
    }
}
