//! Where pixels live.
//!
//! A source is a container of elements, perhaps behind a guard, perhaps
//! behind pointers: [`slice`] has the containers, [`element`] what may be in
//! them, [`guard`] the locks, [`pointer`] the pointers. All of them end in a
//! [`Lease`], the bytes for the time of one access.

mod element;
mod guard;
mod lease;
mod live;
mod pointer;
mod slice;

use std::error::Error as StdError;

pub use element::{Element, ElementMut, Plain, SharedElement};
pub use guard::{PlainBuffer, PlainBufferMut};
pub(crate) use lease::{Bytes, BytesMut, Shape, with_lease};
pub use lease::{Lease, LeaseMut};
pub use live::{LiveBytes, LiveBytesMut};

/// Memory that holds pixels: what an [`Image`](crate::Image) borrows or owns.
///
/// Any composition of these is a source:
///
/// - **containers** `[E]`, `[E; N]`, `Vec<E>`, `Cow<[E]>`, of
/// - **elements** that are [`Plain`] (`u8`, `u16`, `i16`, `u32`, `u64`, `f32`, arrays of
///   them, a pixel struct of the caller's), [`Cell`](std::cell::Cell)s of
///   those, or atomics (`AtomicU8`, `AtomicU16`, `AtomicU32`, `AtomicU64`);
/// - **guards** [`RefCell`](std::cell::RefCell),
///   [`Mutex`](std::sync::Mutex), [`RwLock`](std::sync::RwLock) around a
///   [`PlainBuffer`];
/// - **pointers** `&S`, `&mut S`, `Box<S>`, `Rc<S>`, `Arc<S>`, to `dyn
///   PixelSource` too.
///
/// Sources that can be written through also have [`PixelSourceMut`], and
/// those that can be written while shared [`SharedPixelSource`].
///
/// # Which elements fit which format
///
/// The bytes of the elements are the pixels' bytes in memory order. The size
/// of an element and that of a pixel (in a planar layout: of a sample) must
/// divide one another: `RGB8` over `u16` is refused. A sample must lie within
/// one atomic element, so that no reader ever sees half an edit: `GRAY16` over
/// `AtomicU8` is refused, over `AtomicU32` it is fine. Offset and strides must
/// not cut samples of several bytes, or words, out of the middle of elements
/// that hold them whole. What doesn't fit can be viewed as bytes
/// (`bytemuck::cast_slice(&buffer)`).
///
/// Elements are memory, not numbers: their type says nothing of the format.
///
/// # Who waits for whom
///
/// One lease is held for one access: while an access guard
/// ([`Image::pixels`](crate::Image::pixels), [`Image::pixels_mut`](crate::Image::pixels_mut))
/// lives, or for a whole save. A lock is locked for that time, and every
/// pixel of a save is from the same moment. Cells and atomics are read once,
/// row after row, while the save goes on: an edit made in the meantime shows
/// in the rows that have not been read.
///
/// A `Mutex` or `RwLock` is waited for: a thread that still holds its guard
/// when it saves waits for itself. Drop the guard first. Code that runs during a save, such as
/// the caller's own `Write`, must not take the same lock either. A poisoned lock, and a `RefCell` that is
/// mutably borrowed, are errors.
///
/// A panic of the caller's code during a save, or while a file is read into a
/// view, goes through and leaves the lock unpoisoned: saving changes nothing,
/// and pixels that have been read in part are valid pixels. An access guard is
/// like the guard of the lock: a panic while the caller holds one poisons the
/// lock.
///
/// # Implementer notes
///
/// A type that contains one of the sources above passes the call on:
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
/// Other memory is handed out as a [`Lease`] of the kind that fits. A lease
/// must have the same length and element size each time: an image refuses to
/// read from a source that changed (see [`SourceError::Changed`]). Nothing
/// that an implementation does can corrupt memory or a file: what doesn't
/// add up is an error.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a pixel source",
    note = "give `&buffer` or the buffer itself: a slice, array or `Vec` of `u8`, `u16`, `i16`, `u32`, `u64`, `f32`, of `Cell`s or of atomics; a lock around one; or a pointer to any of these"
)]
pub trait PixelSource {
    /// The bytes, for the time of one access.
    ///
    /// # Errors
    ///
    /// Whatever keeps the pixels from being read now, such as a poisoned
    /// lock. Errors of the implementer's own go into [`SourceError::Other`].
    fn lease(&self) -> Result<Lease<'_>, SourceError>;
}

/// A source that may be written through by whoever has it alone: plain
/// memory that is owned or mutably borrowed, and every
/// [`SharedPixelSource`].
///
/// `Cow` is not one: the first write would detach it from the memory it
/// borrows.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can be read but not written through",
    note = "give the image `&mut buffer` or the buffer itself, or share it as `&[Cell<..>]`, atomics, a `RefCell` or a lock"
)]
pub trait PixelSourceMut: PixelSource {
    /// The bytes, for the time of one access that may write.
    ///
    /// # Errors
    ///
    /// As [`PixelSource::lease`].
    fn lease_mut(&mut self) -> Result<LeaseMut<'_>, SourceError>;
}

/// A source that may be written through while others hold it too: cells,
/// atomics, and what is behind a `RefCell`, a `Mutex` or a `RwLock`.
///
/// References and shared pointers to such a source are [`PixelSourceMut`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be written while it is shared",
    note = "cells, atomics, a `RefCell`, a `Mutex` and a `RwLock` can; give the image `&mut buffer` or the buffer itself to write plain memory"
)]
pub trait SharedPixelSource: PixelSource {
    /// The bytes, for the time of one access that may write.
    ///
    /// # Errors
    ///
    /// As [`PixelSource::lease`].
    fn lease_shared(&self) -> Result<LeaseMut<'_>, SourceError>;
}

/// Why a [`PixelSource`] could not give its pixels.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// A thread panicked while it held the `Mutex` or `RwLock`.
    #[error("the lock is poisoned: a thread panicked while holding it")]
    Poisoned,

    /// The `RefCell` is borrowed in a way that excludes this access.
    #[error("the RefCell is already borrowed")]
    Borrowed,

    /// The source has another length or other elements than it had when the
    /// image was made. The strides of the image may no longer fit it; make a
    /// new one.
    #[error(
        "the source was {expected} bytes in elements of {expected_element} when the image was made, and is {found} bytes in elements of {found_element} now"
    )]
    Changed {
        /// Bytes at construction.
        expected: usize,
        /// Bytes now.
        found: usize,
        /// Bytes in an element at construction.
        expected_element: usize,
        /// Bytes in an element now.
        found_element: usize,
    },

    /// Bytes beyond the end were asked for. An [`Image`](crate::Image) never
    /// does that.
    #[error("{bytes} bytes at {offset} are outside a source of {len} bytes")]
    OutOfRange {
        /// The first byte asked for.
        offset: usize,
        /// How many were asked for.
        bytes: usize,
        /// Bytes in the source.
        len: usize,
    },

    /// An error of the caller's own source.
    #[error("it reports an error of its own")]
    Other(#[source] Box<dyn StdError + Send + Sync>),
}

impl SourceError {
    /// An error of a source's own.
    pub fn other(error: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        SourceError::Other(error.into())
    }
}
