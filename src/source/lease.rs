//! Bytes for the time of one access.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use super::{LiveBytes, LiveBytesMut, Plain, PlainBuffer, PlainBufferMut, SourceError};

/// What a [`PixelSource`](super::PixelSource) hands out for one read or save:
/// its bytes, and the size of the elements they are in.
///
/// The bytes are either **stable**, so that they can be read in place for as
/// long as the lease lives ([`slice`](Lease::slice), [`guard`](Lease::guard)),
/// or **live**, so that they can only be copied out, because an edit may come
/// at any time ([`live`](Lease::live)).
pub struct Lease<'a>(Memory<'a>);

enum Memory<'a> {
    Slice(&'a [u8], usize),
    Guard(Box<dyn Stable + 'a>),
    Live(Box<dyn LiveBytes + 'a>),
}

impl<'a> Lease<'a> {
    /// Plain memory that nobody can edit while it is borrowed.
    #[must_use]
    pub fn slice<T: Plain>(slice: &'a [T]) -> Self {
        Lease(Memory::Slice(
            bytemuck::cast_slice(slice),
            std::mem::size_of::<T>(),
        ))
    }

    /// A lock's guard, or anything else that derefs to plain memory and
    /// keeps it stable while it lives.
    #[must_use]
    pub fn guard<G>(guard: G) -> Self
    where
        G: Deref<Target: PlainBuffer> + 'a,
    {
        Lease(Memory::Guard(Box::new(Guard(guard))))
    }

    /// Memory that may be edited at any time.
    #[must_use]
    pub fn live(bytes: impl LiveBytes + 'a) -> Self {
        Lease(Memory::Live(Box::new(Cleared(bytes))))
    }

    /// Live memory that is known to fill every byte it is asked for.
    pub(super) fn slots(bytes: impl LiveBytes + 'a) -> Self {
        Lease(Memory::Live(Box::new(bytes)))
    }

    /// Length in bytes.
    #[must_use]
    #[allow(clippy::len_without_is_empty)] // no image lies in an empty source
    pub fn len(&self) -> usize {
        self.bytes().shape().len
    }

    /// Bytes in one element.
    #[must_use]
    pub fn element_size(&self) -> usize {
        self.bytes().shape().element_size
    }

    /// The bytes in place, if they are stable.
    #[must_use]
    pub fn as_slice(&self) -> Option<&[u8]> {
        match self.bytes() {
            Bytes::Stable(bytes, _) => Some(bytes),
            Bytes::Live(_) => None,
        }
    }

    /// Copies the bytes from `offset` on into all of `to`.
    ///
    /// # Errors
    ///
    /// [`SourceError::OutOfRange`], and whatever the source reports.
    pub fn copy_to(&self, offset: usize, to: &mut [u8]) -> Result<(), SourceError> {
        self.bytes().copy_to(offset, to)
    }

    /// The caller's `Deref` runs in here. (It can't be run once and for all:
    /// a lease that kept what it gave would borrow from itself.)
    pub(crate) fn bytes(&self) -> Bytes<'_> {
        match &self.0 {
            Memory::Slice(bytes, element_size) => Bytes::Stable(bytes, *element_size),
            Memory::Guard(guard) => Bytes::Stable(guard.bytes(), guard.element_size()),
            Memory::Live(live) => Bytes::Live(&**live),
        }
    }
}

impl fmt::Debug for Lease<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.bytes().fmt_as("Lease", f)
    }
}

/// The same for an access that may write.
pub struct LeaseMut<'a>(MemoryMut<'a>);

enum MemoryMut<'a> {
    Slice(&'a mut [u8], usize),
    Guard(Box<dyn StableMut + 'a>),
    Live(Box<dyn LiveBytesMut + 'a>),
}

impl<'a> LeaseMut<'a> {
    /// Plain memory, borrowed alone.
    #[must_use]
    pub fn slice<T: Plain + bytemuck::AnyBitPattern>(slice: &'a mut [T]) -> Self {
        LeaseMut(MemoryMut::Slice(
            bytemuck::cast_slice_mut(slice),
            std::mem::size_of::<T>(),
        ))
    }

    /// A lock's guard, or anything else that derefs to plain memory.
    #[must_use]
    pub fn guard<G>(guard: G) -> Self
    where
        G: DerefMut<Target: PlainBufferMut> + 'a,
    {
        LeaseMut(MemoryMut::Guard(Box::new(Guard(guard))))
    }

    /// Memory that may be edited by others at any time.
    #[must_use]
    pub fn live(bytes: impl LiveBytesMut + 'a) -> Self {
        LeaseMut(MemoryMut::Live(Box::new(Cleared(bytes))))
    }

    /// Live memory that is known to fill every byte it is asked for.
    pub(super) fn slots(bytes: impl LiveBytesMut + 'a) -> Self {
        LeaseMut(MemoryMut::Live(Box::new(bytes)))
    }

    /// Length in bytes.
    #[must_use]
    #[allow(clippy::len_without_is_empty)] // as above
    pub fn len(&self) -> usize {
        self.bytes().shape().len
    }

    /// Bytes in one element.
    #[must_use]
    pub fn element_size(&self) -> usize {
        self.bytes().shape().element_size
    }

    /// The bytes in place, if they are stable.
    #[must_use]
    pub fn as_slice(&self) -> Option<&[u8]> {
        match self.bytes() {
            Bytes::Stable(bytes, _) => Some(bytes),
            Bytes::Live(_) => None,
        }
    }

    /// The bytes in place, if they are stable.
    #[must_use]
    pub fn as_mut_slice(&mut self) -> Option<&mut [u8]> {
        match self.bytes_mut() {
            BytesMut::Stable(bytes, _) => Some(bytes),
            BytesMut::Live(_) => None,
        }
    }

    /// Copies the bytes from `offset` on into all of `to`.
    ///
    /// # Errors
    ///
    /// [`SourceError::OutOfRange`], and whatever the source reports.
    pub fn copy_to(&self, offset: usize, to: &mut [u8]) -> Result<(), SourceError> {
        self.bytes().copy_to(offset, to)
    }

    /// Copies all of `from` over the bytes from `offset` on.
    ///
    /// # Errors
    ///
    /// [`SourceError::OutOfRange`], and whatever the source reports.
    pub fn copy_from(&mut self, offset: usize, from: &[u8]) -> Result<(), SourceError> {
        self.bytes_mut().copy_from(offset, from)
    }

    pub(crate) fn bytes(&self) -> Bytes<'_> {
        match &self.0 {
            MemoryMut::Slice(bytes, element_size) => Bytes::Stable(bytes, *element_size),
            MemoryMut::Guard(guard) => Bytes::Stable(guard.bytes(), guard.element_size()),
            MemoryMut::Live(live) => Bytes::Live(&**live),
        }
    }

    pub(crate) fn bytes_mut(&mut self) -> BytesMut<'_> {
        match &mut self.0 {
            MemoryMut::Slice(bytes, element_size) => BytesMut::Stable(bytes, *element_size),
            MemoryMut::Guard(guard) => {
                let element_size = guard.element_size();
                BytesMut::Stable(guard.bytes_mut(), element_size)
            }
            MemoryMut::Live(live) => BytesMut::Live(&mut **live),
        }
    }
}

impl fmt::Debug for LeaseMut<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.bytes().fmt_as("LeaseMut", f)
    }
}

/// Runs `access` with a lease, and gives both back. If code of the caller's
/// panics in it, the lease is dropped before the panic goes on.
///
/// A `Mutex` whose guard is dropped by a panic is poisoned, and so is a
/// `RwLock` that was locked for writing. Pixels need no such warning: any bytes
/// are valid ones, and reading changes none.
pub(crate) fn with_lease<L, T>(mut lease: L, access: impl FnOnce(&mut L) -> T) -> (L, T) {
    // Unwind safe: the panic goes on, so that nothing is seen after it that
    // would not be seen without this function.
    match catch_unwind(AssertUnwindSafe(|| access(&mut lease))) {
        Ok(result) => (lease, result),
        Err(panic) => {
            drop(lease);
            resume_unwind(panic)
        }
    }
}

/// Live bytes of the caller's. Zeros go in, so that bytes which the caller's
/// code leaves as they are show nothing of another picture.
struct Cleared<B>(B);

impl<B: LiveBytes> LiveBytes for Cleared<B> {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn element_size(&self) -> usize {
        self.0.element_size()
    }

    fn is_atomic(&self) -> bool {
        self.0.is_atomic()
    }

    fn copy_to(&self, offset: usize, to: &mut [u8]) -> Result<(), SourceError> {
        to.fill(0);
        self.0.copy_to(offset, to)
    }
}

impl<B: LiveBytesMut> LiveBytesMut for Cleared<B> {
    fn copy_from(&mut self, offset: usize, from: &[u8]) -> Result<(), SourceError> {
        self.0.copy_from(offset, from)
    }

    fn update_bits(&mut self, offset: usize, bits: u8, mask: u8) -> Result<(), SourceError> {
        self.0.update_bits(offset, bits, mask)
    }
}

/// A guard of any kind, with its kind forgotten.
trait Stable {
    fn bytes(&self) -> &[u8];
    fn element_size(&self) -> usize;
}

trait StableMut: Stable {
    fn bytes_mut(&mut self) -> &mut [u8];
}

struct Guard<G>(G);

impl<G: Deref<Target: PlainBuffer>> Stable for Guard<G> {
    fn bytes(&self) -> &[u8] {
        bytemuck::cast_slice(self.0.as_elements())
    }

    fn element_size(&self) -> usize {
        std::mem::size_of::<<G::Target as PlainBuffer>::Element>()
    }
}

impl<G: DerefMut<Target: PlainBufferMut>> StableMut for Guard<G> {
    fn bytes_mut(&mut self) -> &mut [u8] {
        bytemuck::cast_slice_mut(self.0.as_elements_mut())
    }
}

/// What must not change between the construction of an image and its use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) len: usize,
    pub(crate) element_size: usize,
    pub(crate) atomic: bool,
}

impl Shape {
    /// Refuses bytes that are not as they were.
    pub(crate) fn expect(self, found: Shape) -> Result<(), SourceError> {
        if self == found {
            return Ok(());
        }
        Err(SourceError::Changed {
            expected: self.len,
            found: found.len,
            expected_element: self.element_size,
            found_element: found.element_size,
        })
    }
}

/// The bytes of a lease, after the caller's `Deref` has run.
#[derive(Clone, Copy)]
pub(crate) enum Bytes<'a> {
    /// Bytes in place, and the size of their elements.
    Stable(&'a [u8], usize),
    Live(&'a dyn LiveBytes),
}

impl Bytes<'_> {
    pub(crate) fn shape(&self) -> Shape {
        match self {
            Bytes::Stable(bytes, element_size) => Shape {
                len: bytes.len(),
                element_size: *element_size,
                atomic: false,
            },
            Bytes::Live(live) => Shape {
                len: live.len(),
                element_size: live.element_size(),
                atomic: live.is_atomic(),
            },
        }
    }

    pub(crate) fn copy_to(&self, offset: usize, to: &mut [u8]) -> Result<(), SourceError> {
        match self {
            Bytes::Stable(bytes, _) => {
                to.copy_from_slice(part(bytes, offset, to.len())?);
                Ok(())
            }
            Bytes::Live(live) => live.copy_to(offset, to),
        }
    }

    fn fmt_as(&self, name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Shape {
            len, element_size, ..
        } = self.shape();
        f.debug_struct(name)
            .field("len", &len)
            .field("element_size", &element_size)
            .field("live", &matches!(self, Bytes::Live(_)))
            .finish()
    }
}

pub(crate) enum BytesMut<'a> {
    /// Bytes in place, and the size of their elements.
    Stable(&'a mut [u8], usize),
    Live(&'a mut dyn LiveBytesMut),
}

impl BytesMut<'_> {
    pub(crate) fn shape(&self) -> Shape {
        match self {
            BytesMut::Stable(bytes, element_size) => Bytes::Stable(bytes, *element_size).shape(),
            BytesMut::Live(live) => Bytes::Live(&**live).shape(),
        }
    }

    pub(crate) fn copy_from(&mut self, offset: usize, from: &[u8]) -> Result<(), SourceError> {
        match self {
            BytesMut::Stable(bytes, _) => {
                part_mut(bytes, offset, from.len())?.copy_from_slice(from);
                Ok(())
            }
            BytesMut::Live(live) => live.copy_from(offset, from),
        }
    }

    /// Writes the bits that `mask` has of the byte at `offset`.
    pub(crate) fn update_bits(
        &mut self,
        offset: usize,
        bits: u8,
        mask: u8,
    ) -> Result<(), SourceError> {
        match self {
            BytesMut::Stable(bytes, _) => {
                let byte = &mut part_mut(bytes, offset, 1)?[0];
                *byte = *byte & !mask | bits & mask;
                Ok(())
            }
            BytesMut::Live(live) => live.update_bits(offset, bits, mask),
        }
    }
}

/// `count` bytes at `offset`, or the error that names them.
fn part(bytes: &[u8], offset: usize, count: usize) -> Result<&[u8], SourceError> {
    bytes
        .get(offset..)
        .and_then(|rest| rest.get(..count))
        .ok_or(SourceError::OutOfRange {
            offset,
            bytes: count,
            len: bytes.len(),
        })
}

fn part_mut(bytes: &mut [u8], offset: usize, count: usize) -> Result<&mut [u8], SourceError> {
    let len = bytes.len();
    bytes
        .get_mut(offset..)
        .and_then(|rest| rest.get_mut(..count))
        .ok_or(SourceError::OutOfRange {
            offset,
            bytes: count,
            len,
        })
}
