//! Rows of pixels of which a byte has several.

use super::BLOCK;
use crate::format::{BitOrder, clear_spare, pack, shift_down, unpack};
use crate::layout::{Address, Step};
use crate::source::{Bytes, BytesMut};
use crate::{Layout, SourceError};

/// Bytes of a block whose pixels are taken apart.
const BIT_BLOCK: usize = BLOCK / 8;

/// Pixels at equal distances.
#[derive(Clone, Copy)]
pub(super) struct BitRun {
    /// Where the first pixel begins.
    pub(super) start: Address,
    step: Step,
    /// Bits in a pixel.
    bits: u8,
    order: BitOrder,
    pub(super) count: usize,
}

/// Some pixels of a run that lie side by side, one way or the other, in bytes
/// that no other part has.
struct Part {
    /// Which of the run the first one is.
    done: usize,
    count: usize,
    /// The lowest byte, and how many there are.
    byte: usize,
    size: usize,
    /// Which of the pixels of these bytes is the lowest of the part.
    place: usize,
}

impl BitRun {
    /// The run of pixels in a row, if several may share a byte.
    pub(super) fn new(layout: &Layout, x: u32, y: u32, count: u32) -> Option<BitRun> {
        let (bits, order) = layout.format().bits()?;
        Some(BitRun {
            start: layout.address(x, y),
            step: layout.pixel_step(),
            bits,
            order,
            count: count as usize,
        })
    }

    pub(super) fn is_side_by_side(&self) -> bool {
        self.step == Step::Next || self.count == 1
    }

    fn is_reversed(&self) -> bool {
        self.step == Step::Before && self.count > 1
    }

    pub(super) fn per_byte(&self) -> usize {
        8 / usize::from(self.bits)
    }

    /// Which of the pixels of its byte the first one is.
    fn first(&self) -> usize {
        usize::from(self.start.bit / self.bits)
    }

    /// Byte and place in it of each pixel, if they are bytes apart.
    fn places(self) -> impl Iterator<Item = (usize, usize)> {
        let stride = match self.step {
            Step::Bytes(stride) => stride,
            Step::Next | Step::Before => 0,
        };
        (0..self.count as isize).map(move |i| {
            let byte = self.start.byte as isize + i * stride;
            (byte as usize, self.first())
        })
    }

    /// Parts of no more than a block each, in order, if pixels lie side by
    /// side or the other way round.
    fn parts(self) -> impl Iterator<Item = Part> {
        let (per_byte, reversed) = (self.per_byte(), self.is_reversed());
        let (mut done, mut byte) = (0, self.start.byte);
        std::iter::from_fn(move || {
            if done == self.count {
                return None;
            }
            // Places of the byte before the next pixel, in the direction of
            // the run: all but the first begin a byte.
            let skipped = match (done, reversed) {
                (0, false) => self.first(),
                (0, true) => per_byte - 1 - self.first(),
                _ => 0,
            };
            let places = (skipped + self.count - done).min(BIT_BLOCK * per_byte);
            let size = places.div_ceil(per_byte);
            let part = Part {
                done,
                count: places - skipped,
                byte: if reversed { byte + 1 - size } else { byte },
                size,
                place: if reversed {
                    size * per_byte - places
                } else {
                    skipped
                },
            };
            done += part.count;
            byte = if reversed {
                byte.wrapping_sub(size)
            } else {
                byte + size
            };
            Some(part)
        })
    }
}

/// Hands over pixels in order, a byte each, some at a time, with the index of
/// the first of them. Each byte of memory is requested once where pixels lie
/// side by side.
pub(super) fn each_of_bits<E: From<SourceError>>(
    bytes: Bytes<'_>,
    run: BitRun,
    mut put: impl FnMut(usize, &[u8]) -> Result<(), E>,
) -> Result<(), E> {
    let (mut block, mut pixels) = ([0; BIT_BLOCK], [0; BLOCK]);
    let (bits, order) = (run.bits, run.order);
    if run.is_side_by_side() || run.is_reversed() {
        for part in run.parts() {
            let (block, pixels) = (&mut block[..part.size], &mut pixels[..part.count]);
            bytes.copy_to(part.byte, block)?;
            unpack(bits, order, block, part.place, pixels);
            if run.is_reversed() {
                pixels.reverse();
            }
            put(part.done, pixels)?;
        }
        return Ok(());
    }
    let mut places = run.places();
    for done in (0..run.count).step_by(BLOCK) {
        let mut count = 0;
        for (pixel, (byte, place)) in pixels.iter_mut().zip(places.by_ref().take(BLOCK)) {
            bytes.copy_to(byte, &mut block[..1])?;
            unpack(bits, order, &block[..1], place, std::slice::from_mut(pixel));
            count += 1;
        }
        put(done, &pixels[..count])?;
    }
    Ok(())
}

/// Copies pixels that lie anywhere to one behind the other, from the first bit
/// on; bits to spare become 0.
pub(super) fn gather_bits(bytes: Bytes<'_>, run: BitRun, to: &mut [u8]) -> Result<(), SourceError> {
    if run.is_side_by_side() {
        let span = (run.first() + run.count).div_ceil(run.per_byte());
        bytes.copy_to(run.start.byte, to)?;
        let mut next = [0];
        if span > to.len() {
            bytes.copy_to(run.start.byte + to.len(), &mut next)?;
        }
        shift_down(run.bits, run.order, to, run.first(), next[0]);
    } else {
        each_of_bits(bytes, run, |first, pixels| -> Result<(), SourceError> {
            pack(run.bits, run.order, pixels, first, to);
            Ok(())
        })?;
    }
    clear_spare(run.bits, run.order, to, run.count);
    Ok(())
}

/// Copies pixels that lie one behind the other to anywhere, and changes no bit
/// beside them.
pub(super) fn scatter_bits(
    bytes: &mut BytesMut<'_>,
    run: BitRun,
    from: &[u8],
) -> Result<(), SourceError> {
    let (mut block, mut pixels) = ([0; BIT_BLOCK], [0; BLOCK]);
    let (bits, order, per_byte) = (run.bits, run.order, run.per_byte());
    if !run.is_side_by_side() && !run.is_reversed() {
        for (i, (byte, place)) in run.places().enumerate() {
            unpack(bits, order, from, i, &mut pixels[..1]);
            put_bits(bytes, run, byte, place, &pixels[..1])?;
        }
        return Ok(());
    }
    for part in run.parts() {
        let pixels = &mut pixels[..part.count];
        unpack(bits, order, from, part.done, pixels);
        if run.is_reversed() {
            pixels.reverse();
        }
        // Some of the first byte, whole ones, some of the last.
        let head = pixels.len().min((per_byte - part.place) % per_byte);
        let (head, rest) = pixels.split_at(head);
        let (whole, tail) = rest.split_at(rest.len() - rest.len() % per_byte);
        put_bits(bytes, run, part.byte, part.place, head)?;
        let at = part.byte + usize::from(part.place > 0);
        let block = &mut block[..whole.len() / per_byte];
        pack(bits, order, whole, 0, block);
        if !block.is_empty() {
            bytes.copy_from(at, block)?;
        }
        put_bits(bytes, run, at + block.len(), 0, tail)?;
    }
    Ok(())
}

/// Writes pixels of one byte, from the one at this place on, and no other.
fn put_bits(
    bytes: &mut BytesMut<'_>,
    run: BitRun,
    byte: usize,
    place: usize,
    pixels: &[u8],
) -> Result<(), SourceError> {
    if pixels.is_empty() {
        return Ok(());
    }
    let (mut value, mut mask) = ([0], [0]);
    pack(run.bits, run.order, pixels, place, &mut value);
    let ones = [(1 << run.bits) - 1; 8];
    pack(run.bits, run.order, &ones[..pixels.len()], place, &mut mask);
    bytes.update_bits(byte, value[0], mask[0])
}
