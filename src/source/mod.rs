//! Sources: the memory that holds the pixels, for those who implement one.
//!
//! A [`PixelSource`] is a container of [`Element`]s, perhaps behind a guard such
//! as that of a lock, perhaps behind pointers. Every source returns a [`Lease`]:
//! its bytes for one access. Memory that may change at any time is
//! [`LiveBytes`].

mod bytes;
pub mod conformance;
mod element;
mod from_fn;
mod from_shared;
mod generation;
mod guard;
mod lease;
mod live;
mod owner;
mod pointer;
mod seq_lock;
#[cfg(any(unix, windows))]
mod shared_file;
mod slice;

use std::cell::{BorrowError, BorrowMutError};
use std::error::Error as StdError;
use std::sync::{PoisonError, atomic};

pub(crate) use bytes::{Bytes, BytesMut, Shape};
pub use element::{Element, ElementMut, Plain, SharedElement};
pub use from_fn::{FromFn, from_fn};
pub use from_shared::{FromShared, from_shared};
pub(crate) use generation::end_reading;
pub use guard::{PlainBuffer, PlainBufferMut};
pub(crate) use lease::with_lease;
pub use lease::{Lease, LeaseMut};
pub use live::{LiveBytes, LiveBytesMut};
#[cfg(feature = "ndarray")]
pub(crate) use live::{LiveElement, LiveElementMut, LiveSlice};
pub use owner::Owner;
pub use seq_lock::{SeqLock, SeqLockWriteGuard};
#[cfg(any(unix, windows))]
pub use shared_file::SharedFile;

/// The memory that holds the pixels of an [`Image`](crate::Image).
///
/// Any composition of these is a source:
///
/// - **containers** of elements: `[E]`, `[E; N]`, `Vec<E>`, `Cow<[E]>`;
/// - **elements**: [`Plain`] types (`u8`, `i8`, `u16`, `i16`, `u32`, `i32`,
///   `u64`, `f32`, `f64`, arrays of them, pixel structs of the caller's),
///   [`Cell`](std::cell::Cell)s of those, and atomics (`AtomicU8`,
///   `AtomicU16`, `AtomicU32`, `AtomicU64`);
/// - **guards** around a [`PlainBuffer`]: [`RefCell`](std::cell::RefCell),
///   [`Mutex`](std::sync::Mutex), [`RwLock`](std::sync::RwLock);
/// - **a generation number** beside cells or atomics, which shows whether they were
///   edited: [`SeqLock`];
/// - **pointers** to a source, also to `dyn PixelSource`: `&S`, `&mut S`,
///   `Box<S>`, `Rc<S>`, `Arc<S>`;
/// - **types of other crates**: an [`Owner`] of a type that derefs to a source,
///   such as `Owner<Bytes>` and `Arc<Mutex<Owner<MmapMut>>>`; [`from_fn`] for a
///   lock of another crate, and [`from_shared`] for an `Arc` of such a lock;
/// - **memory that other processes write**: a [`SharedFile`];
/// - **images and arrays of other crates**, with optional features: see
///   [`interop`](crate::interop).
///
/// A source that can be written also implements [`PixelSourceMut`]. A source
/// that can be written while it is shared also implements
/// [`SharedPixelSource`].
///
/// # Which elements fit which format
///
/// The bytes of the elements are the bytes of the pixels, in memory order. The
/// type of the elements does not determine the format. These rules hold:
///
/// - The size of an element must be a multiple or a divisor of the size of a
///   pixel (in a planar layout: of a sample). `RGB8` over `u16` is refused.
/// - A sample must lie within one atomic element, so that no reader sees half
///   an edit. `GRAY16` over `AtomicU8` is refused; `GRAY16` over `AtomicU32`
///   is fine.
/// - If the elements hold whole samples of several bytes, or whole words such
///   as those of `RGB565`, the offset and the strides must be multiples of the
///   size of a sample or word.
///
/// A buffer that breaks a rule can be viewed as bytes:
/// `bytemuck::cast_slice::<_, u8>(&buffer)`.
///
/// # Locks and concurrent edits
///
/// An access holds one lease: an access guard
/// ([`Image::pixels`](crate::Image::pixels),
/// [`Image::pixels_mut`](crate::Image::pixels_mut)) until it is dropped, a save
/// until the last byte is written. A lock stays locked for that time, so all pixels of
/// a save are from the same moment.
/// [`PngEncoder::consistency`](crate::PngEncoder::consistency) makes this time shorter.
/// Cells and atomics are read once, row after row. An edit during a save is seen in the
/// rows that are read after it. [`Image::compare`](crate::Image::compare) and
/// [`Image::copy_into`](crate::Image::copy_into), which use two sources, never
/// hold two locks at once. A [`SeqLock`] that is written is no lock in this sense: a copy
/// into it is one edit, and may hold the lock of its source meanwhile.
///
/// An access waits for a `Mutex` or `RwLock`. A thread that saves while it holds
/// the guard of the lock deadlocks: drop the guard first. Code that runs
/// during a save, such as the caller's own `Write`, must not take the same lock
/// either. A poisoned lock is an error, and so is a `RefCell` that is mutably
/// borrowed.
///
/// A panic of the caller's code during a save, or while a file is read into a
/// view, leaves the lock unpoisoned: saving changes no pixel, and the pixels of
/// a partly read file are valid. A panic while the caller holds an access guard
/// poisons the lock, as with the guard of the lock itself.
///
/// # Implementer notes
///
/// A type that contains one of the sources above can forward the call:
///
/// ```
/// use pixview::{Image, PixelFormat, PixelSource};
/// use pixview::source::{Lease, SourceError};
///
/// struct Frame {
///     timestamp: u64,
///     pixels: Vec<u8>,
/// }
///
/// impl PixelSource for Frame {
///     fn lease(&self) -> Result<Lease<'_>, SourceError> {
///         self.pixels.lease()
///     }
/// }
///
/// let frame = Frame { timestamp: 7, pixels: vec![0; 64] };
/// let image = Image::from_buffer(&frame, 8, 8, PixelFormat::GRAY8)?;
/// # let _ = (image, frame.timestamp);
/// # Ok::<(), pixview::Error>(())
/// ```
///
/// Other memory is leased with one of the constructors of [`Lease`]. Every lease
/// of a source must have the same length and element size: an image refuses to
/// read from a source that changed (see [`SourceError::Changed`]). No
/// implementation can corrupt memory or a file: a lease that contradicts an
/// earlier one is an error. [`conformance`] checks an implementation in its tests.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a pixel source",
    note = "give `&buffer` or the buffer itself: a slice, array or `Vec` of `u8`, `i8`, `u16`, `i16`, `u32`, `i32`, `u64`, `f32`, `f64`, of `Cell`s or of atomics; a lock around one; or a pointer to any of these",
    note = "a type of another crate that derefs to a slice, such as `Bytes`, `Mmap` and `ImageBuffer`, goes into `pixview::source::Owner(..)`; a guard is borrowed as `&guard[..]`",
    note = "a lock of another crate goes into `pixview::source::from_fn(|| lock.lock())`; to move it to a thread with its `Arc`, use `pixview::source::from_shared`; for one save, borrow `&lock.lock()[..]`",
    note = "arrays and images of `ndarray`, `image` and `imgref` have functions in `pixview::interop`, each behind a feature of that name"
)]
pub trait PixelSource {
    /// Returns the bytes for one access.
    ///
    /// # Errors
    ///
    /// The reason why the pixels cannot be read now, such as
    /// [`SourceError::Poisoned`]. [`SourceError::Other`] is for errors of the
    /// implementer.
    fn lease(&self) -> Result<Lease<'_>, SourceError>;
}

/// A source that its sole holder can write: plain memory that is owned or
/// mutably borrowed, and every [`SharedPixelSource`].
///
/// `Cow` does not implement this trait: the first write would detach it from
/// the memory that it borrows.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can be read but not written through",
    note = "give the image `&mut buffer` or the buffer itself, or share it as `&[Cell<..>]`, atomics, a `RefCell` or a lock"
)]
pub trait PixelSourceMut: PixelSource {
    /// Returns the bytes for one access that may write.
    ///
    /// # Errors
    ///
    /// As for [`PixelSource::lease`].
    fn lease_mut(&mut self) -> Result<LeaseMut<'_>, SourceError>;
}

/// A source that can be written while others hold it too: cells, atomics, and
/// buffers in a `RefCell`, a `Mutex` or a `RwLock`.
///
/// References and shared pointers to such a source implement
/// [`PixelSourceMut`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be written while it is shared",
    note = "cells, atomics, a `RefCell`, a `Mutex` and a `RwLock` can; give the image `&mut buffer` or the buffer itself to write plain memory"
)]
pub trait SharedPixelSource: PixelSource {
    /// Returns the bytes for one access that may write.
    ///
    /// # Errors
    ///
    /// As for [`PixelSource::lease`].
    fn lease_shared(&self) -> Result<LeaseMut<'_>, SourceError>;
}

/// The reason why a [`PixelSource`] could not be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// A thread panicked while it held the `Mutex` or `RwLock`.
    #[error("the lock is poisoned: a thread panicked while holding it")]
    Poisoned,

    /// The `RefCell` is borrowed in a way that excludes this access.
    #[error("the RefCell is already borrowed: drop that borrow first")]
    Borrowed,

    /// The length or the elements of the source have changed since the image
    /// was created. The layout may no longer fit: create a new image.
    #[error(
        "the source was {expected} bytes in elements of {expected_element} when the image was made, and is {found} bytes in elements of {found_element} now"
    )]
    Changed {
        /// The length in bytes when the image was created.
        expected: usize,
        /// The length in bytes now.
        found: usize,
        /// The size of an element in bytes when the image was created.
        expected_element: usize,
        /// The size of an element in bytes now.
        found_element: usize,
    },

    /// The requested bytes reach beyond the end of the source. An
    /// [`Image`](crate::Image) makes no such request.
    #[error("{bytes} bytes at {offset} are outside a source of {len} bytes")]
    OutOfRange {
        /// The first requested byte.
        offset: usize,
        /// The number of requested bytes.
        bytes: usize,
        /// The length of the source in bytes.
        len: usize,
    },

    /// An error of the caller's own source.
    #[error("it reports an error of its own")]
    Other(#[source] Box<dyn StdError + Send + Sync>),
}

impl SourceError {
    /// Creates a [`SourceError::Other`].
    pub fn other(error: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        SourceError::Other(error.into())
    }
}

/// Converts to [`SourceError::Poisoned`]. The guard in the error is dropped.
impl<G> From<PoisonError<G>> for SourceError {
    fn from(_: PoisonError<G>) -> Self {
        SourceError::Poisoned
    }
}

/// Converts to [`SourceError::Borrowed`].
impl From<BorrowError> for SourceError {
    fn from(_: BorrowError) -> Self {
        SourceError::Borrowed
    }
}

/// Converts to [`SourceError::Borrowed`].
impl From<BorrowMutError> for SourceError {
    fn from(_: BorrowMutError) -> Self {
        SourceError::Borrowed
    }
}
