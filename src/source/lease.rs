//! Leases: the bytes of a source for one access.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use super::bytes::{Bytes, BytesMut};
use super::live::{LiveElement, LiveElementMut, LiveSlice};
use super::{LiveBytes, LiveBytesMut, Plain, PlainBuffer, PlainBufferMut, SourceError};

/// The bytes of a [`PixelSource`](super::PixelSource) for one read or save,
/// and the size of the elements that hold them.
///
/// The bytes are either stable or live. **Stable** bytes do not change while
/// the lease exists and can be read in place ([`slice`](Lease::slice),
/// [`guard`](Lease::guard)). **Live** bytes can change at any time and can only
/// be copied ([`live`](Lease::live)).
pub struct Lease<'a>(Memory<'a>);

enum Memory<'a> {
    /// The bytes, and the size of their elements.
    Slice(&'a [u8], usize),
    Guard(Box<dyn StableBytes + 'a>),
    Live(Box<dyn LiveBytes + 'a>),
}

impl<'a> Lease<'a> {
    /// Creates a lease of plain memory. The borrow keeps the memory unchanged.
    #[must_use]
    pub fn slice<T: Plain>(slice: &'a [T]) -> Self {
        Lease(Memory::Slice(
            bytemuck::cast_slice(slice),
            std::mem::size_of::<T>(),
        ))
    }

    /// Creates a lease of plain memory behind a guard, such as the guard of a
    /// lock. The lease owns the guard and drops it at the end of the access. An
    /// operation on two images never holds two such leases at once.
    #[must_use]
    pub fn guard<G>(guard: G) -> Self
    where
        G: Deref<Target: PlainBuffer> + 'a,
    {
        Lease(Memory::Guard(Box::new(Guard(guard))))
    }

    /// Creates a lease of plain memory that a guard gives through a function, such
    /// as the guard of a lock around a type of another crate. The lease owns the
    /// guard, as with [`guard`](Self::guard). Each read calls the function.
    ///
    /// # Examples
    ///
    /// ```
    /// use pixview::source::Lease;
    /// use std::sync::Mutex;
    ///
    /// let frame = Mutex::new((7, vec![1u8, 2, 3])); // a number and the pixels
    /// let lease = Lease::guard_map(frame.lock().unwrap(), |frame| &frame.1[..]);
    /// assert_eq!(lease.as_slice(), Some(&[1, 2, 3][..]));
    /// ```
    #[must_use]
    pub fn guard_map<G, T, F>(guard: G, map: F) -> Self
    where
        G: 'a,
        T: Plain + 'a,
        F: for<'g> Fn(&'g G) -> &'g [T] + 'a,
    {
        Lease(Memory::Guard(Box::new(MappedGuard { guard, map })))
    }

    /// Creates a lease of memory that others may edit at any time. `bytes` should
    /// hold no lock, because an operation on two images may hold two live leases at
    /// once. For a lock, use [`guard`](Self::guard).
    #[must_use]
    pub fn live(bytes: impl LiveBytes + 'a) -> Self {
        Lease(Memory::Live(Box::new(ZeroFirst(bytes))))
    }

    /// Creates a lease of cells or atomics. Needs no [`ZeroFirst`], because
    /// [`LiveSlice`] writes every byte that is asked for.
    pub(crate) fn live_slice<E: LiveElement>(slice: &'a [E]) -> Self {
        Lease(Memory::Live(Box::new(LiveSlice(slice))))
    }

    /// Replaces the bytes if they are live.
    pub(super) fn map_live(
        self,
        map: impl FnOnce(Box<dyn LiveBytes + 'a>) -> Box<dyn LiveBytes + 'a>,
    ) -> Self {
        match self.0 {
            Memory::Live(bytes) => Lease(Memory::Live(map(bytes))),
            Memory::Slice(..) | Memory::Guard(_) => self,
        }
    }

    /// Returns the length in bytes.
    #[must_use]
    #[expect(
        clippy::len_without_is_empty,
        reason = "no image lies in an empty source"
    )]
    pub fn len(&self) -> usize {
        self.bytes().shape().len
    }

    /// Returns the size of an element in bytes.
    #[must_use]
    pub fn element_size(&self) -> usize {
        self.bytes().shape().element_size
    }

    /// Returns whether the lease owns a guard, such as that of a lock. A second
    /// lease of the same lock could wait for this one forever.
    pub(crate) fn is_guard(&self) -> bool {
        matches!(self.0, Memory::Guard(_))
    }

    /// Returns whether the bytes are a borrowed slice: they cannot change, and
    /// nobody waits for the end of the lease.
    pub(crate) fn is_slice(&self) -> bool {
        matches!(self.0, Memory::Slice(..))
    }

    /// Returns the bytes in place, if they are stable.
    #[must_use]
    pub fn as_slice(&self) -> Option<&[u8]> {
        match self.bytes() {
            Bytes::Stable(bytes, _) => Some(bytes),
            Bytes::Live(_) => None,
        }
    }

    /// Fills `to` with the bytes from `offset` on.
    ///
    /// # Errors
    ///
    /// - [`SourceError::OutOfRange`] if some of the bytes are outside the source;
    /// - the errors of [`LiveBytes`] or [`LiveBytesMut`] if the bytes are live.
    pub fn copy_to(&self, offset: usize, to: &mut [u8]) -> Result<(), SourceError> {
        self.bytes().copy_to(offset, to)
    }

    /// Returns the bytes. Runs the `Deref` of a guard, which can be the
    /// caller's code. The result is not cached: the lease would borrow from
    /// itself.
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

/// The bytes of a [`PixelSourceMut`](super::PixelSourceMut) for one access that
/// may write. The counterpart of [`Lease`].
pub struct LeaseMut<'a>(MemoryMut<'a>);

enum MemoryMut<'a> {
    /// The bytes, and the size of their elements.
    Slice(&'a mut [u8], usize),
    Guard(Box<dyn StableBytesMut + 'a>),
    Live(Box<dyn LiveBytesMut + 'a>),
}

impl<'a> LeaseMut<'a> {
    /// Creates a lease of plain memory.
    #[must_use]
    pub fn slice<T: Plain + bytemuck::AnyBitPattern>(slice: &'a mut [T]) -> Self {
        LeaseMut(MemoryMut::Slice(
            bytemuck::cast_slice_mut(slice),
            std::mem::size_of::<T>(),
        ))
    }

    /// Creates a lease of plain memory behind a guard, such as the guard of a
    /// lock. The lease owns the guard and drops it at the end of the access.
    #[must_use]
    pub fn guard<G>(guard: G) -> Self
    where
        G: DerefMut<Target: PlainBufferMut> + 'a,
    {
        LeaseMut(MemoryMut::Guard(Box::new(Guard(guard))))
    }

    /// Creates a lease of memory that others may edit at any time. `bytes` should
    /// hold no lock, because an operation on two images may hold two live leases at
    /// once. For a lock, use [`guard`](Self::guard).
    #[must_use]
    pub fn live(bytes: impl LiveBytesMut + 'a) -> Self {
        LeaseMut(MemoryMut::Live(Box::new(ZeroFirst(bytes))))
    }

    /// Creates a lease of cells or atomics. Needs no [`ZeroFirst`]: see
    /// [`Lease::live_slice`].
    pub(crate) fn live_slice<E: LiveElementMut>(slice: &'a [E]) -> Self {
        LeaseMut(MemoryMut::Live(Box::new(LiveSlice(slice))))
    }

    /// Replaces the bytes if they are live.
    pub(super) fn map_live(
        self,
        map: impl FnOnce(Box<dyn LiveBytesMut + 'a>) -> Box<dyn LiveBytesMut + 'a>,
    ) -> Self {
        match self.0 {
            MemoryMut::Live(bytes) => LeaseMut(MemoryMut::Live(map(bytes))),
            MemoryMut::Slice(..) | MemoryMut::Guard(_) => self,
        }
    }

    /// Returns the length in bytes.
    #[must_use]
    #[expect(
        clippy::len_without_is_empty,
        reason = "no image lies in an empty source"
    )]
    pub fn len(&self) -> usize {
        self.bytes().shape().len
    }

    /// Returns the size of an element in bytes.
    #[must_use]
    pub fn element_size(&self) -> usize {
        self.bytes().shape().element_size
    }

    /// Returns whether the lease owns a guard. See [`Lease::is_guard`].
    pub(crate) fn is_guard(&self) -> bool {
        matches!(self.0, MemoryMut::Guard(_))
    }

    /// Returns the bytes in place, if they are stable.
    #[must_use]
    pub fn as_slice(&self) -> Option<&[u8]> {
        match self.bytes() {
            Bytes::Stable(bytes, _) => Some(bytes),
            Bytes::Live(_) => None,
        }
    }

    /// Returns the bytes in place for writing, if they are stable.
    #[must_use]
    pub fn as_mut_slice(&mut self) -> Option<&mut [u8]> {
        match self.bytes_mut() {
            BytesMut::Stable(bytes, _) => Some(bytes),
            BytesMut::Live(_) => None,
        }
    }

    /// Fills `to` with the bytes from `offset` on.
    ///
    /// # Errors
    ///
    /// - [`SourceError::OutOfRange`] if some of the bytes are outside the source;
    /// - the errors of [`LiveBytes`] or [`LiveBytesMut`] if the bytes are live.
    pub fn copy_to(&self, offset: usize, to: &mut [u8]) -> Result<(), SourceError> {
        self.bytes().copy_to(offset, to)
    }

    /// Copies all of `from` to the bytes from `offset` on.
    ///
    /// # Errors
    ///
    /// - [`SourceError::OutOfRange`] if some of the bytes are outside the source;
    /// - the errors of [`LiveBytes`] or [`LiveBytesMut`] if the bytes are live.
    pub fn copy_from(&mut self, offset: usize, from: &[u8]) -> Result<(), SourceError> {
        self.bytes_mut().copy_from(offset, from)
    }

    /// Returns the bytes. See [`Lease::bytes`].
    pub(crate) fn bytes(&self) -> Bytes<'_> {
        match &self.0 {
            MemoryMut::Slice(bytes, element_size) => Bytes::Stable(bytes, *element_size),
            MemoryMut::Guard(guard) => Bytes::Stable(guard.bytes(), guard.element_size()),
            MemoryMut::Live(live) => Bytes::Live(&**live),
        }
    }

    /// Returns the bytes for writing. See [`Lease::bytes`].
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

/// Runs `access` with a lease and returns the lease and the result. If the
/// caller's code panics in `access`, catches the panic, drops the lease, and
/// resumes the panic.
///
/// A guard poisons its lock if it is dropped while its thread panics. Here the
/// panic is caught before the guard is dropped, so that the lock stays
/// unpoisoned. That is valid, because any bytes are valid pixels, and reading
/// changes none.
pub(crate) fn with_lease<L, T>(mut lease: L, access: impl FnOnce(&mut L) -> T) -> (L, T) {
    // Unwind safe: after a panic only the destructor of the lease runs. It
    // would run as well if the panic were not caught.
    match catch_unwind(AssertUnwindSafe(|| access(&mut lease))) {
        Ok(result) => (lease, result),
        Err(panic) => {
            drop(lease);
            resume_unwind(panic)
        }
    }
}

/// Live bytes of the caller's, whose `copy_to` gets a destination of zeros.
///
/// The caller's `copy_to` may leave bytes of the destination unwritten. Without
/// the zeros these bytes would still hold pixels of an earlier row or image.
struct ZeroFirst<B>(B);

impl<B: LiveBytes> LiveBytes for ZeroFirst<B> {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn element_size(&self) -> usize {
        self.0.element_size()
    }

    fn is_atomic(&self) -> bool {
        self.0.is_atomic()
    }

    fn generation(&self) -> Option<u64> {
        self.0.generation()
    }

    fn copy_to(&self, offset: usize, to: &mut [u8]) -> Result<(), SourceError> {
        to.fill(0);
        self.0.copy_to(offset, to)
    }
}

impl<B: LiveBytesMut> LiveBytesMut for ZeroFirst<B> {
    fn copy_from(&mut self, offset: usize, from: &[u8]) -> Result<(), SourceError> {
        self.0.copy_from(offset, from)
    }

    fn update_bits(&mut self, offset: usize, bits: u8, mask: u8) -> Result<(), SourceError> {
        self.0.update_bits(offset, bits, mask)
    }
}

/// The bytes behind a guard whose type is erased.
trait StableBytes {
    fn bytes(&self) -> &[u8];

    /// Returns the size of an element in bytes.
    fn element_size(&self) -> usize;
}

/// [`StableBytes`] that can be written.
trait StableBytesMut: StableBytes {
    fn bytes_mut(&mut self) -> &mut [u8];
}

/// A guard of plain memory.
///
/// The casts to bytes cannot panic: a byte needs no alignment, and any length
/// is a whole number of bytes. They are valid because [`Plain`] requires
/// [`bytemuck::NoUninit`] (no byte is uninitialized) and [`PlainBufferMut`]
/// requires [`bytemuck::AnyBitPattern`] (any bytes are a valid element).
struct Guard<G>(G);

impl<G: Deref<Target: PlainBuffer>> StableBytes for Guard<G> {
    fn bytes(&self) -> &[u8] {
        bytemuck::cast_slice(self.0.as_elements())
    }

    fn element_size(&self) -> usize {
        std::mem::size_of::<<G::Target as PlainBuffer>::Element>()
    }
}

impl<G: DerefMut<Target: PlainBufferMut>> StableBytesMut for Guard<G> {
    fn bytes_mut(&mut self) -> &mut [u8] {
        bytemuck::cast_slice_mut(self.0.as_elements_mut())
    }
}

/// A guard, and a function from the guard to plain memory. The cast to bytes
/// cannot panic: see [`Guard`].
struct MappedGuard<G, F> {
    guard: G,
    map: F,
}

impl<G, T, F> StableBytes for MappedGuard<G, F>
where
    T: Plain,
    F: for<'g> Fn(&'g G) -> &'g [T],
{
    fn bytes(&self) -> &[u8] {
        bytemuck::cast_slice((self.map)(&self.guard))
    }

    fn element_size(&self) -> usize {
        std::mem::size_of::<T>()
    }
}
