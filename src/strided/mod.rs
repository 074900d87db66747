//! From the bytes of a lease to rows of pixels and back.
//!
//! A [`Frame`] is the meeting of bytes, layout and format for one access.
//! Everything that reads pixels goes through [`Frame::pixels`] or, where
//! memory allows it, [`Frame::row_in_place`].

mod bits;

use bits::{BitRun, each_of_bits, gather_bits, scatter_bits};

use crate::format::{pack, unpack};
use crate::source::{Bytes, BytesMut};
use crate::{Error, Layout, SourceError};

/// Bytes on the stack for pixels on their way: fits the first-level cache
/// and holds at least one unit of any stride in [`SPAN`].
pub(crate) const BLOCK: usize = 4096;

/// Up to this stride, in bytes, pixels of live memory that don't touch are
/// fetched along with what lies between them: one call for many pixels. Not
/// where other pixels of the image lie there, since those would then be
/// requested more than once.
const SPAN: usize = 64;

/// Units of bytes that lie at equal distances.
#[derive(Clone, Copy)]
struct Run {
    /// Where the first unit begins.
    start: usize,
    /// Bytes from a unit to the next; may be negative or zero.
    stride: isize,
    /// Bytes in a unit.
    unit: usize,
    count: usize,
    /// Whether nothing of the image lies between the units.
    alone: bool,
}

impl Run {
    fn is_contiguous(&self) -> bool {
        self.count <= 1 || self.stride == self.unit as isize
    }

    fn is_reversed(&self) -> bool {
        self.stride == -(self.unit as isize)
    }

    /// The lowest byte of the run, which has at least one unit.
    fn lowest(&self) -> usize {
        if self.stride < 0 {
            self.start - (self.count - 1) * self.stride.unsigned_abs()
        } else {
            self.start
        }
    }

    /// Parts of at most `count` units, in order, with the index of their
    /// first unit.
    fn parts(self, count: usize) -> impl Iterator<Item = (usize, Run)> {
        (0..self.count).step_by(count).map(move |first| {
            let start = (self.start as isize + first as isize * self.stride) as usize;
            let count = count.min(self.count - first);
            (
                first,
                Run {
                    start,
                    count,
                    ..self
                },
            )
        })
    }
}

/// The pixels of an image for the time of one access. The layout has been
/// checked against bytes of this length.
#[derive(Clone, Copy)]
pub(crate) struct Frame<'a> {
    pub(crate) bytes: Bytes<'a>,
    pub(crate) layout: Layout,
}

impl<'a> Frame<'a> {
    /// The packed bytes of a row, if they lie in stable memory like that.
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

    /// Whether the memory stays as it is while it is read.
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

    /// Copies `count` pixels of row `y` from column `x` on into all of `to`,
    /// packed in the order of the format. Each is requested once.
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
        let size = self.layout.format().pixel_size();
        for (plane, run) in plane_runs(&self.layout, x, y, count) {
            let unit = run.unit;
            let mut block = [0; BLOCK];
            for (first, run) in run.parts(BLOCK / unit) {
                let samples = &mut block[..run.count * unit];
                gather(self.bytes, run, samples)?;
                let pixels = to[first * size..].chunks_exact_mut(size);
                for (pixel, sample) in pixels.zip(samples.chunks_exact(unit)) {
                    pixel[plane * unit..][..unit].copy_from_slice(sample);
                }
            }
        }
        Ok(())
    }

    /// Passes on the samples of row `y` of a format with one sample of at most
    /// 8 bits a pixel, a byte each, some at a time, with the column of the
    /// first. Each pixel is requested once.
    pub(crate) fn samples(
        &self,
        y: u32,
        mut take: impl FnMut(usize, &[u8]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let width = self.layout.width();
        if let Some(run) = BitRun::new(&self.layout, 0, y, width) {
            return each_of_bits(self.bytes, run, take);
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

/// The same for an access that may write.
pub(crate) struct FrameMut<'a> {
    pub(crate) bytes: BytesMut<'a>,
    pub(crate) layout: Layout,
}

impl FrameMut<'_> {
    /// Writes `count` packed pixels, all of `from`, to row `y` from column `x`
    /// on, and no byte beside them.
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
        let size = self.layout.format().pixel_size();
        for (plane, run) in plane_runs(&self.layout, x, y, count) {
            let unit = run.unit;
            let mut block = [0; BLOCK];
            for (first, run) in run.parts(BLOCK / unit) {
                let samples = &mut block[..run.count * unit];
                let pixels = from[first * size..].chunks_exact(size);
                for (pixel, sample) in pixels.zip(samples.chunks_exact_mut(unit)) {
                    sample.copy_from_slice(&pixel[plane * unit..][..unit]);
                }
                scatter(&mut self.bytes, run, samples)?;
            }
        }
        Ok(())
    }

    /// The packed bytes of a row, if they lie in stable memory like that.
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

    /// Writes one pixel, given as its packed bytes, over `count` pixels of
    /// row `y` from column `x` on.
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
            let now = (count - first).min(most as u32);
            let size = format.row_size(now) as usize;
            self.put_pixels(x + first, y, now, &block[..size])?;
        }
        Ok(())
    }
}

/// The run of whole pixels in a row, unless the image is planar.
fn interleaved_run(layout: &Layout, x: u32, y: u32, count: u32) -> Option<Run> {
    if layout.plane_stride().is_some() {
        return None;
    }
    Some(Run {
        start: layout.address(x, y).byte,
        stride: layout.pixel_stride(),
        unit: layout.unit(),
        count: count as usize,
        alone: layout.rows_are_apart(),
    })
}

/// The runs of samples in a row of a planar image, plane by plane.
fn plane_runs(layout: &Layout, x: u32, y: u32, count: u32) -> impl Iterator<Item = (usize, Run)> {
    let layout = *layout;
    (0..layout.planes() as usize).map(move |plane| {
        let run = Run {
            start: layout.sample(plane, layout.format()).address(x, y).byte,
            stride: layout.pixel_stride(),
            unit: layout.unit(),
            count: count as usize,
            alone: false, // not looked into: planes are hardly ever sparse
        };
        (plane, run)
    })
}

/// Copies units that lie anywhere to one behind the other.
fn gather(bytes: Bytes<'_>, run: Run, to: &mut [u8]) -> Result<(), SourceError> {
    if run.is_contiguous() {
        return bytes.copy_to(run.start, to);
    }
    if run.is_reversed() {
        bytes.copy_to(run.lowest(), to)?;
        reverse_units(to, run.unit);
        return Ok(());
    }
    match bytes {
        Bytes::Stable(bytes, _) => {
            copy_strided(bytes, run.start, run.stride, to, run.unit);
            Ok(())
        }
        Bytes::Live(live) if run.alone && run.stride.unsigned_abs() <= SPAN => {
            let stride = run.stride.unsigned_abs();
            let most = (BLOCK - run.unit) / stride.max(1) + 1;
            let mut block = [0; BLOCK];
            for (first, part) in run.parts(most) {
                let span = &mut block[..(part.count - 1) * stride + part.unit];
                live.copy_to(part.lowest(), span)?;
                let to = &mut to[first * part.unit..][..part.count * part.unit];
                copy_strided(span, part.start - part.lowest(), part.stride, to, part.unit);
            }
            Ok(())
        }
        Bytes::Live(live) => {
            for ((_, part), to) in run.parts(1).zip(to.chunks_exact_mut(run.unit)) {
                live.copy_to(part.start, to)?;
            }
            Ok(())
        }
    }
}

/// Copies units that lie one behind the other to anywhere.
fn scatter(bytes: &mut BytesMut<'_>, run: Run, from: &[u8]) -> Result<(), SourceError> {
    if run.is_contiguous() {
        return bytes.copy_from(run.start, from);
    }
    if run.is_reversed() {
        let mut block = [0; BLOCK];
        for (first, part) in run.parts(BLOCK / run.unit) {
            let block = &mut block[..part.count * part.unit];
            block.copy_from_slice(&from[first * part.unit..][..block.len()]);
            reverse_units(block, part.unit);
            bytes.copy_from(part.lowest(), block)?;
        }
        return Ok(());
    }
    if let BytesMut::Stable(bytes, _) = bytes {
        spread(from, bytes, run.start, run.stride, run.unit);
        return Ok(());
    }
    for ((_, part), from) in run.parts(1).zip(from.chunks_exact(run.unit)) {
        bytes.copy_from(part.start, from)?;
    }
    Ok(())
}

/// The way back of [`copy_strided`].
fn spread(from: &[u8], to: &mut [u8], start: usize, stride: isize, unit: usize) {
    fn copy<const N: usize>(from: &[u8], to: &mut [u8], start: usize, stride: isize) {
        let mut at = start;
        for from in from.as_chunks::<N>().0 {
            to[at..at + N].copy_from_slice(from);
            at = at.wrapping_add_signed(stride);
        }
    }
    match unit {
        1 => copy::<1>(from, to, start, stride),
        2 => copy::<2>(from, to, start, stride),
        3 => copy::<3>(from, to, start, stride),
        4 => copy::<4>(from, to, start, stride),
        6 => copy::<6>(from, to, start, stride),
        8 => copy::<8>(from, to, start, stride),
        _ => {
            let mut at = start;
            for from in from.chunks_exact(unit) {
                to[at..at + unit].copy_from_slice(from);
                at = at.wrapping_add_signed(stride);
            }
        }
    }
}

/// Units of the sizes that formats have, with the size known to the compiler.
fn copy_strided(from: &[u8], start: usize, stride: isize, to: &mut [u8], unit: usize) {
    fn copy<const N: usize>(from: &[u8], start: usize, stride: isize, to: &mut [u8]) {
        let mut at = start;
        for to in to.as_chunks_mut::<N>().0 {
            to.copy_from_slice(&from[at..at + N]);
            at = at.wrapping_add_signed(stride);
        }
    }
    match unit {
        1 => copy::<1>(from, start, stride, to),
        2 => copy::<2>(from, start, stride, to),
        3 => copy::<3>(from, start, stride, to),
        4 => copy::<4>(from, start, stride, to),
        6 => copy::<6>(from, start, stride, to),
        8 => copy::<8>(from, start, stride, to),
        12 => copy::<12>(from, start, stride, to),
        16 => copy::<16>(from, start, stride, to),
        _ => {
            let mut at = start;
            for to in to.chunks_exact_mut(unit) {
                to.copy_from_slice(&from[at..at + unit]);
                at = at.wrapping_add_signed(stride);
            }
        }
    }
}

fn reverse_units(bytes: &mut [u8], unit: usize) {
    bytes.reverse();
    if unit > 1 {
        bytes.chunks_exact_mut(unit).for_each(<[u8]>::reverse);
    }
}
