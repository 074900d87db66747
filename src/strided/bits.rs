//! Copies of pixels that share bytes, in formats such as `GRAY1`.

use super::run::BLOCK;
use crate::format::{BitOrder, clear_spare, pack, shift_down, unpack};
use crate::layout::{Address, Step};
use crate::source::{Bytes, BytesMut};
use crate::{Layout, SourceError};

/// The number of packed bytes whose pixels, unpacked to a byte each, fit into a
/// buffer of [`BLOCK`] bytes: a byte has at most eight pixels.
const PACKED_BLOCK: usize = BLOCK / 8;

/// Pixels of less than a byte at equal distances.
#[derive(Clone, Copy)]
pub(super) struct BitRun {
    /// The place of the first pixel.
    pub(super) start: Address,
    /// The way from a pixel to the next.
    step: Step,
    /// Bits in a pixel.
    bits: u8,
    order: BitOrder,
    /// The number of pixels.
    pub(super) count: usize,
}

/// Consecutive pixels of a run that lie side by side, in order or reversed. No
/// two parts of a run share a byte.
struct Part {
    /// The index in the run of the first pixel.
    first: usize,
    /// The number of pixels.
    count: usize,
    /// The lowest byte that holds a pixel of the part.
    byte: usize,
    /// The number of bytes that hold pixels of the part.
    size: usize,
    /// The number of pixels in the lowest byte that come before the part.
    skipped: usize,
}

impl BitRun {
    /// Returns the run of `count` pixels of row `y` from column `x` on, or `None`
    /// if a pixel is one byte or more.
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

    /// Returns whether the pixels lie side by side in order. A single pixel does.
    pub(super) fn is_side_by_side(&self) -> bool {
        self.step == Step::Next || self.count == 1
    }

    /// Returns whether the pixels lie side by side in reverse order.
    fn is_reversed(&self) -> bool {
        self.step == Step::Before && self.count > 1
    }

    /// Returns the number of pixels in a byte.
    pub(super) fn per_byte(&self) -> usize {
        8 / usize::from(self.bits)
    }

    /// Returns the index of the first pixel in its byte.
    fn first_in_byte(&self) -> usize {
        usize::from(self.start.bit / self.bits)
    }

    /// Returns the byte of each pixel and its index in that byte. The step of the
    /// run is [`Step::Bytes`].
    fn places(self) -> impl Iterator<Item = (usize, usize)> {
        let stride = match self.step {
            Step::Bytes(stride) => stride,
            Step::Next | Step::Before => 0,
        };
        (0..self.count as isize).map(move |i| {
            let byte = self.start.byte as isize + i * stride;
            (byte as usize, self.first_in_byte())
        })
    }

    /// Splits the run into parts of at most [`PACKED_BLOCK`] bytes. Returns them
    /// in the order of the run, whose pixels lie side by side, in order or
    /// reversed.
    fn parts(self) -> impl Iterator<Item = Part> {
        let (per_byte, reversed) = (self.per_byte(), self.is_reversed());
        let (mut done, mut byte) = (0, self.start.byte);
        std::iter::from_fn(move || {
            if done == self.count {
                return None;
            }
            // Pixels of the byte that come before the next pixel, in the
            // direction of the run. Only the first part can start inside a
            // byte.
            let before = match (done, reversed) {
                (0, false) => self.first_in_byte(),
                (0, true) => per_byte - 1 - self.first_in_byte(),
                _ => 0,
            };
            let places = (before + self.count - done).min(PACKED_BLOCK * per_byte);
            let size = places.div_ceil(per_byte);
            let part = Part {
                first: done,
                count: places - before,
                byte: if reversed { byte + 1 - size } else { byte },
                size,
                skipped: if reversed {
                    size * per_byte - places
                } else {
                    before
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

/// Calls `put` with the pixels of a run, unpacked to a byte each, one block after
/// the other. `put` receives the index of the first pixel of the block, and the
/// pixels. Requests each byte of memory once if the pixels lie side by side.
pub(super) fn for_each_unpacked<E: From<SourceError>>(
    bytes: Bytes<'_>,
    run: BitRun,
    mut put: impl FnMut(usize, &[u8]) -> Result<(), E>,
) -> Result<(), E> {
    let (mut block, mut pixels) = ([0; PACKED_BLOCK], [0; BLOCK]);
    let (bits, order) = (run.bits, run.order);
    if run.is_side_by_side() || run.is_reversed() {
        for part in run.parts() {
            let (block, pixels) = (&mut block[..part.size], &mut pixels[..part.count]);
            bytes.copy_to(part.byte, block)?;
            unpack(bits, order, block, part.skipped, pixels);
            if run.is_reversed() {
                pixels.reverse();
            }
            put(part.first, pixels)?;
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

/// Copies the pixels of a run to `to`, packed from the first bit on. Sets the
/// unused bits of the last byte to 0.
pub(super) fn gather_bits(bytes: Bytes<'_>, run: BitRun, to: &mut [u8]) -> Result<(), SourceError> {
    if run.is_side_by_side() {
        let packed_size = (run.first_in_byte() + run.count).div_ceil(run.per_byte());
        bytes.copy_to(run.start.byte, to)?;
        let mut next = [0];
        if packed_size > to.len() {
            bytes.copy_to(run.start.byte + to.len(), &mut next)?;
        }
        shift_down(run.bits, run.order, to, run.first_in_byte(), next[0]);
    } else {
        for_each_unpacked(bytes, run, |first, pixels| -> Result<(), SourceError> {
            pack(run.bits, run.order, pixels, first, to);
            Ok(())
        })?;
    }
    clear_spare(run.bits, run.order, to, run.count);
    Ok(())
}

/// Copies packed pixels in `from` to the pixels of a run. Changes no other bit.
pub(super) fn scatter_bits(
    bytes: &mut BytesMut<'_>,
    run: BitRun,
    from: &[u8],
) -> Result<(), SourceError> {
    let (mut block, mut pixels) = ([0; PACKED_BLOCK], [0; BLOCK]);
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
        unpack(bits, order, from, part.first, pixels);
        if run.is_reversed() {
            pixels.reverse();
        }
        // The pixels of the first byte if others precede them in it, those of
        // whole bytes, and those of the last byte if it is not whole.
        let head = pixels.len().min((per_byte - part.skipped) % per_byte);
        let (head, rest) = pixels.split_at(head);
        let (whole, tail) = rest.split_at(rest.len() - rest.len() % per_byte);
        put_bits(bytes, run, part.byte, part.skipped, head)?;
        let at = part.byte + usize::from(part.skipped > 0);
        let block = &mut block[..whole.len() / per_byte];
        pack(bits, order, whole, 0, block);
        if !block.is_empty() {
            bytes.copy_from(at, block)?;
        }
        put_bits(bytes, run, at + block.len(), 0, tail)?;
    }
    Ok(())
}

/// Writes pixels to one byte, from the pixel with index `place` in it on.
/// Changes no other bit.
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
