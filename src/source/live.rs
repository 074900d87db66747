//! Bytes that may change at any time, and slices of cells and atomics as
//! such.

use std::cell::Cell;
use std::sync::atomic::Ordering::Relaxed;

use bytemuck::AnyBitPattern;

use super::{Plain, SourceError};

/// Bytes that others may edit at any time, and that are therefore only ever
/// copied out.
///
/// # Implementer notes
///
/// Implement it for memory that none of the sources of this crate describe,
/// such as a mapping that another process writes, and hand it out with
/// [`Lease::live`](super::Lease::live). An image asks for the bytes of each
/// pixel once in a save; bytes between the pixels of a strided row may be
/// asked for along with them, and a byte that has pixels of several rows, as in
/// a turned 1-bit image, for each of them.
#[allow(clippy::len_without_is_empty)] // no image lies in an empty source
pub trait LiveBytes {
    /// Length in bytes. It must not change.
    fn len(&self) -> usize;

    /// Bytes in one element: the unit in which the memory is edited.
    fn element_size(&self) -> usize;

    /// Whether other threads may edit elements while they are being read, so
    /// that only what lies within one element is whole. Samples that would
    /// straddle two elements are then refused. `false` unless said.
    fn is_atomic(&self) -> bool {
        false
    }

    /// Copies the bytes from `offset` on into all of `to`, which holds zeros:
    /// bytes that are left as they are count as zeros of the source.
    ///
    /// # Errors
    ///
    /// [`SourceError::OutOfRange`] if they are not all there, and errors of
    /// the implementer's own as [`SourceError::Other`].
    fn copy_to(&self, offset: usize, to: &mut [u8]) -> Result<(), SourceError>;
}

/// Bytes that others may edit at any time, and so may we.
pub trait LiveBytesMut: LiveBytes {
    /// Copies all of `from` over the bytes from `offset` on, and leaves every
    /// other byte as it is.
    ///
    /// # Errors
    ///
    /// As [`LiveBytes::copy_to`].
    fn copy_from(&mut self, offset: usize, from: &[u8]) -> Result<(), SourceError>;

    /// Writes those bits of the byte at `offset` that are set in `mask`, and
    /// leaves the others as they are: for pixels of which a byte has several.
    ///
    /// Unless said it reads the byte and writes it back. Memory that others
    /// write at the same time needs something better.
    ///
    /// # Errors
    ///
    /// As [`LiveBytes::copy_to`].
    fn update_bits(&mut self, offset: usize, bits: u8, mask: u8) -> Result<(), SourceError> {
        let mut byte = [0];
        self.copy_to(offset, &mut byte)?;
        self.copy_from(offset, &[byte[0] & !mask | bits & mask])
    }
}

/// A place for one value that can be read and edited while it is shared.
pub(super) trait Slot {
    type Value: Plain;
    const ATOMIC: bool;

    fn get(&self) -> Self::Value;

    /// Copies eight into as many bytes as they have.
    #[inline(always)]
    fn copy_eight(slots: &[Self; 8], to: &mut [u8])
    where
        Self: Sized,
    {
        for (slot, to) in slots.iter().zip(to.chunks_exact_mut(to.len() / 8)) {
            to.copy_from_slice(bytemuck::bytes_of(&slot.get()));
        }
    }
}

pub(super) trait SlotMut: Slot<Value: AnyBitPattern> {
    fn set(&self, value: Self::Value);

    /// Changes a part of the value, whatever others do to the rest of it.
    fn update(&self, change: impl Fn(&mut [u8]));
}

impl<T: Plain> Slot for Cell<T> {
    type Value = T;
    const ATOMIC: bool = false;

    fn get(&self) -> T {
        self.get()
    }
}

impl<T: Plain + AnyBitPattern> SlotMut for Cell<T> {
    fn set(&self, value: T) {
        self.set(value);
    }

    fn update(&self, change: impl Fn(&mut [u8])) {
        let mut value = self.get();
        change(bytemuck::bytes_of_mut(&mut value));
        self.set(value);
    }
}

/// Relaxed loads and stores: each element is whole, and that is all that an
/// image promises of a frame that is being drawn. Callers that hand over
/// whole frames synchronise by their own means, before the save.
macro_rules! atomic_slots {
    ($($(#[$cfg:meta])* $atomic:ident: $value:ident;)*) => {$(
        $(#[$cfg])*
        impl Slot for std::sync::atomic::$atomic {
            type Value = $value;
            const ATOMIC: bool = true;

            fn get(&self) -> $value {
                self.load(Relaxed)
            }

            /// Each is loaded alone. They are put together in a register,
            /// since a processor loads faster than it stores.
            #[inline(always)]
            fn copy_eight(slots: &[Self; 8], to: &mut [u8]) {
                const PER_WORD: usize = 8 / std::mem::size_of::<$value>();
                let words = slots.as_chunks::<PER_WORD>().0.iter();
                for (slots, word) in words.zip(to.as_chunks_mut::<8>().0) {
                    let mut bits = 0;
                    for (i, slot) in slots.iter().enumerate() {
                        let place = if cfg!(target_endian = "little") { i } else { PER_WORD - 1 - i };
                        bits |= u64::from(slot.get()) << (place * 64 / PER_WORD);
                    }
                    *word = bits.to_ne_bytes();
                }
            }
        }

        $(#[$cfg])*
        impl SlotMut for std::sync::atomic::$atomic {
            fn set(&self, value: $value) {
                self.store(value, Relaxed);
            }

            fn update(&self, change: impl Fn(&mut [u8])) {
                // Never fails: the function always returns a value.
                let _ = self.fetch_update(Relaxed, Relaxed, |mut value| {
                    change(bytemuck::bytes_of_mut(&mut value));
                    Some(value)
                });
            }
        }
    )*};
}

atomic_slots! {
    AtomicU8: u8;
    AtomicU16: u16;
    AtomicU32: u32;
    #[cfg(target_has_atomic = "64")]
    AtomicU64: u64;
}

/// A slice of cells or of atomics as live bytes.
///
/// Elements are loaded whole, one by one: a slice of cells is never taken for
/// a slice of bytes, and an atomic is never read in parts. The loop in the
/// middle compiles to a memory copy for cells.
pub(super) struct Slots<'a, S>(pub(super) &'a [S]);

impl<S: Slot> Slots<'_, S> {
    const SIZE: usize = std::mem::size_of::<S::Value>();

    /// The elements that hold `count` bytes at `offset`, how many bytes of
    /// the first come before `offset`, and how many of `count` lie in it if
    /// it is not whole.
    fn part(&self, offset: usize, count: usize) -> Result<(&[S], usize, usize), SourceError> {
        let end = offset.checked_add(count);
        if Self::SIZE == 0 || end.is_none_or(|end| end > self.len()) {
            return Err(SourceError::OutOfRange {
                offset,
                bytes: count,
                len: self.len(),
            });
        }
        let skip = offset % Self::SIZE;
        let head = match skip {
            0 => 0,
            _ => count.min(Self::SIZE - skip),
        };
        Ok((&self.0[offset / Self::SIZE..], skip, head))
    }
}

impl<S: Slot> LiveBytes for Slots<'_, S> {
    fn len(&self) -> usize {
        std::mem::size_of_val(self.0) // a cell and an atomic have their value's size
    }

    fn element_size(&self) -> usize {
        Self::SIZE
    }

    fn is_atomic(&self) -> bool {
        S::ATOMIC
    }

    fn copy_to(&self, offset: usize, to: &mut [u8]) -> Result<(), SourceError> {
        let (mut slots, skip, head) = self.part(offset, to.len())?;
        let (head, rest) = to.split_at_mut(head);
        if !head.is_empty() {
            let value = slots[0].get();
            let bytes = bytemuck::bytes_of(&value);
            head.copy_from_slice(&bytes[skip..skip + head.len()]);
            slots = &slots[1..];
        }
        let whole = rest.len() / Self::SIZE;
        let (slots_of_eight, _) = slots[..whole].as_chunks::<8>();
        let mut eights = rest.chunks_exact_mut(8 * Self::SIZE);
        for (chunk, slots) in (&mut eights).zip(slots_of_eight) {
            S::copy_eight(slots, chunk);
        }
        let rest = eights.into_remainder();
        let mut chunks = rest.chunks_exact_mut(Self::SIZE);
        for (chunk, slot) in (&mut chunks).zip(&slots[slots_of_eight.len() * 8..]) {
            chunk.copy_from_slice(bytemuck::bytes_of(&slot.get()));
        }
        let tail = chunks.into_remainder();
        if !tail.is_empty() {
            let value = slots[whole].get();
            tail.copy_from_slice(&bytemuck::bytes_of(&value)[..tail.len()]);
        }
        Ok(())
    }
}

impl<S: SlotMut> LiveBytesMut for Slots<'_, S> {
    fn copy_from(&mut self, offset: usize, from: &[u8]) -> Result<(), SourceError> {
        let (mut slots, skip, head) = self.part(offset, from.len())?;
        let (head, rest) = from.split_at(head);
        if !head.is_empty() {
            slots[0].update(|bytes| bytes[skip..skip + head.len()].copy_from_slice(head));
            slots = &slots[1..];
        }
        let whole = rest.len() / Self::SIZE;
        let chunks = rest.chunks_exact(Self::SIZE);
        let tail = chunks.remainder();
        for (chunk, slot) in chunks.zip(slots) {
            slot.set(bytemuck::pod_read_unaligned(chunk));
        }
        if !tail.is_empty() {
            slots[whole].update(|bytes| bytes[..tail.len()].copy_from_slice(tail));
        }
        Ok(())
    }

    fn update_bits(&mut self, offset: usize, bits: u8, mask: u8) -> Result<(), SourceError> {
        let (slots, skip, _) = self.part(offset, 1)?;
        let value = bits & mask;
        slots[0].update(|bytes| bytes[skip] = bytes[skip] & !mask | value);
        Ok(())
    }
}
