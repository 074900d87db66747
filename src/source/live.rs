//! Live bytes: memory that may change at any time, such as slices of cells and
//! of atomics.

use std::cell::Cell;
use std::sync::atomic::Ordering::Relaxed;

use bytemuck::AnyBitPattern;

use super::{Plain, SourceError};

/// Bytes that others may edit at any time. They are copied, never borrowed.
///
/// # Implementer notes
///
/// Implement this trait for memory that no other source of this crate covers,
/// such as a mapping that another process writes. Lease it with
/// [`Lease::live`](super::Lease::live).
///
/// A save requests the bytes of each pixel once. It requests them again only if it
/// repeats a copy, because the [generation number](LiveBytes::generation) changed
/// ([`Consistency::Snapshot`](crate::png::Consistency::Snapshot)). A request may also include the
/// bytes between the pixels of a strided row. A byte that holds pixels of
/// several rows, as in a transposed 1-bit image, is requested for each of these
/// rows.
#[expect(
    clippy::len_without_is_empty,
    reason = "no image lies in an empty source"
)]
pub trait LiveBytes {
    /// Returns the length in bytes. The length must not change.
    fn len(&self) -> usize;

    /// Returns the size of an element in bytes. An element is the unit in which
    /// the memory is edited.
    fn element_size(&self) -> usize;

    /// Returns whether other threads may edit the memory during a read, one
    /// element at a time. An image then refuses layouts with a sample in more
    /// than one element: half of the sample could be old. Defaults to `false`.
    fn is_atomic(&self) -> bool {
        false
    }

    /// Returns the generation number of the bytes, if they have one: a number that
    /// is odd while the bytes are edited, and grows with every edit. Defaults to
    /// `None`.
    ///
    /// A save calls this method before and after it reads the pixels. If both numbers are
    /// equal and even, the pixels are from one moment. [`SeqLock`](super::SeqLock)
    /// gives atomics and cells such a number; implement this method for memory
    /// whose writer keeps a number of its own.
    ///
    /// Load the number with `Acquire`. Before the second call, a save executes an
    /// `Acquire` fence, so that no read of pixels moves behind it. The writer
    /// stores the odd number, executes a `Release` fence, writes the pixels, and
    /// stores the even number with `Release`.
    fn generation(&self) -> Option<u64> {
        None
    }

    /// Fills `to` with the bytes from `offset` on. `to` holds zeros before the
    /// call: a byte that is not written is read as 0.
    ///
    /// # Errors
    ///
    /// - [`SourceError::OutOfRange`] if some of the bytes are outside the
    ///   source;
    /// - [`SourceError::Other`] for errors of the implementer.
    fn copy_to(&self, offset: usize, to: &mut [u8]) -> Result<(), SourceError>;
}

/// [`LiveBytes`] that can be written through a view.
pub trait LiveBytesMut: LiveBytes {
    /// Copies all of `from` to the bytes from `offset` on. Changes no other
    /// byte.
    ///
    /// # Errors
    ///
    /// As for [`LiveBytes::copy_to`].
    fn copy_from(&mut self, offset: usize, from: &[u8]) -> Result<(), SourceError>;

    /// Writes the bits of the byte at `offset` that are set in `mask`. Changes
    /// no other bit. Used for formats with several pixels to a byte.
    ///
    /// The default implementation reads the byte and writes it back. It can
    /// lose an edit of the same byte by another thread or process. Override it
    /// for memory that others write at the same time.
    ///
    /// # Errors
    ///
    /// As for [`LiveBytes::copy_to`].
    fn update_bits(&mut self, offset: usize, bits: u8, mask: u8) -> Result<(), SourceError> {
        let mut byte = [0];
        self.copy_to(offset, &mut byte)?;
        self.copy_from(offset, &[byte[0] & !mask | bits & mask])
    }
}

/// The number of elements that are copied together.
const GROUP: usize = 16;

/// An element that can be edited while it is shared: a cell or an atomic. It
/// has the size of its value.
pub(crate) trait LiveElement {
    type Value: Plain;

    /// Whether other threads may edit the element.
    const ATOMIC: bool;

    fn get(&self) -> Self::Value;

    /// Copies the values of a group of elements to `to`, which has exactly their
    /// size.
    #[inline(always)]
    fn copy_group(elements: &[Self; GROUP], to: &mut [u8])
    where
        Self: Sized,
    {
        for (element, to) in elements.iter().zip(to.chunks_exact_mut(to.len() / GROUP)) {
            to.copy_from_slice(bytemuck::bytes_of(&element.get()));
        }
    }
}

/// A [`LiveElement`] that can be written.
pub(crate) trait LiveElementMut: LiveElement<Value: AnyBitPattern> {
    fn set(&self, value: Self::Value);

    /// Applies `change` to the bytes of the value. Keeps edits that other
    /// threads make to the other bytes. May run `change` more than once.
    fn update(&self, change: impl Fn(&mut [u8]));
}

impl<T: Plain> LiveElement for Cell<T> {
    type Value = T;
    const ATOMIC: bool = false;

    fn get(&self) -> T {
        self.get()
    }
}

impl<T: Plain + AnyBitPattern> LiveElementMut for Cell<T> {
    fn set(&self, value: T) {
        self.set(value);
    }

    fn update(&self, change: impl Fn(&mut [u8])) {
        let mut value = self.get();
        change(bytemuck::bytes_of_mut(&mut value));
        self.set(value);
    }
}

/// `Relaxed` is enough: an image promises that each element is whole, and an
/// atomic load returns a value that was stored whole, with any ordering. The
/// order of edits to several elements is not promised. A caller who hands over
/// whole frames synchronizes the threads before the save.
macro_rules! live_atomics {
    ($($(#[$cfg:meta])* $atomic:ident: $value:ident;)*) => {$(
        $(#[$cfg])*
        impl LiveElement for std::sync::atomic::$atomic {
            type Value = $value;
            const ATOMIC: bool = true;

            fn get(&self) -> $value {
                self.load(Relaxed)
            }

            /// Loads each element on its own. A processor can load more often in
            /// a cycle than it can store, so the values are joined to words. To
            /// join bytes takes so much arithmetic that half of them are better
            /// stored alone.
            #[inline(always)]
            fn copy_group(elements: &[Self; GROUP], to: &mut [u8]) {
                const SIZE: usize = std::mem::size_of::<$value>();
                const PER_WORD: usize = 8 / SIZE;
                let joined = if SIZE == 1 { GROUP / 2 } else { GROUP };
                let (alone, elements) = elements.split_at(GROUP - joined);
                let (to_alone, to) = to.split_at_mut((GROUP - joined) * SIZE);
                for (element, to) in alone.iter().zip(to_alone.chunks_exact_mut(SIZE)) {
                    to.copy_from_slice(&element.get().to_ne_bytes());
                }
                let words = elements.as_chunks::<PER_WORD>().0.iter();
                for (elements, word) in words.zip(to.as_chunks_mut::<8>().0) {
                    let mut bits = 0;
                    for (i, element) in elements.iter().enumerate() {
                        let place = if cfg!(target_endian = "little") { i } else { PER_WORD - 1 - i };
                        bits |= u64::from(element.get()) << (place * 64 / PER_WORD);
                    }
                    *word = bits.to_ne_bytes();
                }
            }
        }

        $(#[$cfg])*
        impl LiveElementMut for std::sync::atomic::$atomic {
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

live_atomics! {
    AtomicU8: u8;
    AtomicU16: u16;
    AtomicU32: u32;
    #[cfg(target_has_atomic = "64")]
    AtomicU64: u64;
}

/// The bytes of a slice of cells or of atomics.
///
/// Each element is loaded whole, on its own. A slice of cells cannot be cast to
/// `&[u8]`: another holder of the cells, such as the caller's code that runs
/// during a save, may write them while such a slice exists. The loop over
/// groups of elements compiles to a memory copy for cells.
pub(crate) struct LiveSlice<'a, E>(pub(crate) &'a [E]);

impl<E: LiveElement> LiveSlice<'_, E> {
    /// Bytes in an element.
    const SIZE: usize = std::mem::size_of::<E::Value>();

    /// Finds the `count` bytes from `offset` on. Returns the elements, beginning
    /// with the one that contains `offset`; the number of bytes of that element
    /// before `offset`; and the number of bytes to copy from that element, or 0
    /// if the copy begins with its first byte.
    fn part(&self, offset: usize, count: usize) -> Result<(&[E], usize, usize), SourceError> {
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

impl<E: LiveElement> LiveBytes for LiveSlice<'_, E> {
    fn len(&self) -> usize {
        // `Cell<T>` has the memory layout of `T`, and an atomic the size of its
        // integer: both are documented in `std`.
        std::mem::size_of_val(self.0)
    }

    fn element_size(&self) -> usize {
        Self::SIZE
    }

    fn is_atomic(&self) -> bool {
        E::ATOMIC
    }

    fn copy_to(&self, offset: usize, to: &mut [u8]) -> Result<(), SourceError> {
        let (mut elements, skip, head) = self.part(offset, to.len())?;
        let (head, rest) = to.split_at_mut(head);
        if !head.is_empty() {
            let value = elements[0].get();
            let bytes = bytemuck::bytes_of(&value);
            head.copy_from_slice(&bytes[skip..skip + head.len()]);
            elements = &elements[1..];
        }
        let whole = rest.len() / Self::SIZE;
        let (groups, _) = elements[..whole].as_chunks::<GROUP>();
        let mut chunks = rest.chunks_exact_mut(GROUP * Self::SIZE);
        for (chunk, elements) in (&mut chunks).zip(groups) {
            E::copy_group(elements, chunk);
        }
        let rest = chunks.into_remainder();
        let mut chunks = rest.chunks_exact_mut(Self::SIZE);
        for (chunk, element) in (&mut chunks).zip(&elements[groups.len() * GROUP..]) {
            chunk.copy_from_slice(bytemuck::bytes_of(&element.get()));
        }
        let tail = chunks.into_remainder();
        if !tail.is_empty() {
            let value = elements[whole].get();
            tail.copy_from_slice(&bytemuck::bytes_of(&value)[..tail.len()]);
        }
        Ok(())
    }
}

impl<E: LiveElementMut> LiveBytesMut for LiveSlice<'_, E> {
    fn copy_from(&mut self, offset: usize, from: &[u8]) -> Result<(), SourceError> {
        let (mut elements, skip, head) = self.part(offset, from.len())?;
        let (head, rest) = from.split_at(head);
        if !head.is_empty() {
            elements[0].update(|bytes| bytes[skip..skip + head.len()].copy_from_slice(head));
            elements = &elements[1..];
        }
        let whole = rest.len() / Self::SIZE;
        let chunks = rest.chunks_exact(Self::SIZE);
        let tail = chunks.remainder();
        for (chunk, element) in chunks.zip(elements) {
            element.set(bytemuck::pod_read_unaligned(chunk));
        }
        if !tail.is_empty() {
            elements[whole].update(|bytes| bytes[..tail.len()].copy_from_slice(tail));
        }
        Ok(())
    }

    fn update_bits(&mut self, offset: usize, bits: u8, mask: u8) -> Result<(), SourceError> {
        let (elements, skip, _) = self.part(offset, 1)?;
        let value = bits & mask;
        elements[0].update(|bytes| bytes[skip] = bytes[skip] & !mask | value);
        Ok(())
    }
}
