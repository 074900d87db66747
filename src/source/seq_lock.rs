//! A buffer of cells or atomics with a generation number.

use std::fmt;
use std::ops::Deref;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::generation::Generation;
use super::{
    Lease, LeaseMut, LiveBytes, LiveBytesMut, PixelSource, PixelSourceMut, SharedPixelSource,
    SourceError,
};

/// A sequence lock: a buffer of atomics or cells whose readers find out whether it
/// was edited while they read.
///
/// A writer never waits for a reader, and a reader never locks. Each edit takes
/// place under a guard from [`write`](SeqLock::write), which changes the generation
/// number at the beginning and at the end of the edit. A save reads the number before
/// and after the pixels, and says in
/// [`SaveReport::frame`](crate::png::SaveReport::frame) whether the pixels are from
/// one moment. With [`Consistency::Snapshot`](crate::png::Consistency::Snapshot) it
/// repeats the copy until they are.
///
/// Use it for a producer that must not wait. If the producer may wait for a copy,
/// an [`RwLock`](std::sync::RwLock) around a plain `Vec` is simpler, faster, and
/// always gives whole frames.
///
/// Writers wait for one another, as for a [`Mutex`]: a thread that calls `write`
/// while it holds a guard of the same lock deadlocks. An edit through a view of the
/// lock, such as [`Image::pixels_mut`](crate::Image::pixels_mut), takes the same
/// guard for its lease.
///
/// Edits that go around `write`, such as through a second `Arc` of the elements,
/// go unnoticed. If the source has a number of its own, as another `SeqLock` does, a
/// save notices the edits that either of the two numbers shows.
///
/// # Examples
///
/// ```
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
/// use pixview::png::{Consistency, FrameState};
/// use pixview::source::SeqLock;
/// use pixview::{Image, PixelFormat, PngEncoder};
///
/// let words: Vec<AtomicU32> = (0..64).map(|_| AtomicU32::new(0)).collect();
/// let screen = Arc::new(SeqLock::new(words));
/// let image = Image::from_buffer(screen.clone(), 8, 8, PixelFormat::XRGB8888)?;
///
/// std::thread::spawn(move || {
///     let frame = screen.write(); // one edit: all of it or nothing is saved
///     for word in frame.iter() {
///         word.store(0x00ff_8000, Relaxed);
///     }
/// });
///
/// let mut encoder = PngEncoder::new().consistency(Consistency::Snapshot);
/// let report = encoder.write(&image, std::io::sink())?;
/// assert_eq!(report.frame, FrameState::Whole);
/// # Ok::<(), pixview::Error>(())
/// ```
pub struct SeqLock<S: ?Sized> {
    generation: Generation,
    /// Held by the writer. Readers do not touch it.
    writer: Mutex<()>,
    source: S,
}

/// An edit of the source of a [`SeqLock`], which ends when this guard is dropped.
/// Created by [`SeqLock::write`].
///
/// If the thread panics before the guard is dropped, the edit stays open: saves report
/// torn pixels until the next edit ends.
pub struct SeqLockWriteGuard<'a, S: ?Sized> {
    edit: Edit<'a>,
    source: &'a S,
}

/// An edit that has begun. Dropping it makes the generation number even.
struct Edit<'a> {
    generation: &'a Generation,
    _writer: MutexGuard<'a, ()>,
    was_panicking: bool,
}

impl<S> SeqLock<S> {
    /// Creates a sequence lock around a source that can be written while it is
    /// shared: a `Vec`, an array or a slice of atomics or cells.
    pub fn new(source: S) -> Self
    where
        S: SharedPixelSource,
    {
        SeqLock {
            generation: Generation::new(),
            writer: Mutex::new(()),
            source,
        }
    }

    /// Returns the source and gives up the lock.
    pub fn into_inner(self) -> S {
        self.source
    }
}

impl<S: ?Sized> SeqLock<S> {
    /// Begins an edit. Waits until the edits of other threads have ended; never
    /// waits for a reader.
    ///
    /// The guard derefs to the source. Store into its atomics with any ordering;
    /// `Relaxed` is enough.
    pub fn write(&self) -> SeqLockWriteGuard<'_, S> {
        SeqLockWriteGuard {
            edit: self.edit(),
            source: &self.source,
        }
    }

    /// Returns the generation number: even at rest, odd during an edit.
    pub fn generation(&self) -> u64 {
        self.generation.get() as u64
    }

    fn edit(&self) -> Edit<'_> {
        // The poison of a writer that panicked adds nothing: the number is odd already.
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        self.generation.begin_edit();
        Edit {
            generation: &self.generation,
            _writer: writer,
            was_panicking: std::thread::panicking(),
        }
    }
}

impl<S: ?Sized> Deref for SeqLockWriteGuard<'_, S> {
    type Target = S;

    fn deref(&self) -> &S {
        self.source
    }
}

impl Drop for Edit<'_> {
    fn drop(&mut self) {
        if self.was_panicking || !std::thread::panicking() {
            self.generation.end_edit();
        }
    }
}

/// Shows the generation number, never the pixels.
impl<S: ?Sized> fmt::Debug for SeqLock<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SeqLock")
            .field("generation", &self.generation())
            .finish_non_exhaustive()
    }
}

/// Shows the generation number, never the pixels.
impl<S: ?Sized> fmt::Debug for SeqLockWriteGuard<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SeqLockWriteGuard")
            .field("generation", &self.edit.generation.get())
            .finish_non_exhaustive()
    }
}

impl<S: PixelSource + ?Sized> PixelSource for SeqLock<S> {
    fn lease(&self) -> Result<Lease<'_>, SourceError> {
        let generation = &self.generation;
        let lease = self.source.lease()?;
        Ok(lease.map_live(|bytes| Box::new(Numbered { bytes, generation })))
    }
}

/// Each lease is one edit.
impl<S: SharedPixelSource + ?Sized> SharedPixelSource for SeqLock<S> {
    fn lease_shared(&self) -> Result<LeaseMut<'_>, SourceError> {
        let edit = self.edit();
        let lease = self.source.lease_shared()?;
        Ok(lease.map_live(|bytes| Box::new(Edited { bytes, _edit: edit })))
    }
}

impl<S: SharedPixelSource + ?Sized> PixelSourceMut for SeqLock<S> {
    fn lease_mut(&mut self) -> Result<LeaseMut<'_>, SourceError> {
        SharedPixelSource::lease_shared(&*self)
    }
}

/// Live bytes with the generation number of their lock.
struct Numbered<'a> {
    bytes: Box<dyn LiveBytes + 'a>,
    generation: &'a Generation,
}

/// Live bytes that are edited as long as this value exists.
struct Edited<'a> {
    bytes: Box<dyn LiveBytesMut + 'a>,
    _edit: Edit<'a>,
}

impl LiveBytes for Numbered<'_> {
    fn len(&self) -> usize {
        self.bytes.len()
    }

    fn element_size(&self) -> usize {
        self.bytes.element_size()
    }

    fn is_atomic(&self) -> bool {
        self.bytes.is_atomic()
    }

    fn generation(&self) -> Option<u64> {
        let own = self.generation.get() as u64;
        Some(match self.bytes.generation() {
            Some(inner) => both(own, inner),
            None => own,
        })
    }

    fn copy_to(&self, offset: usize, to: &mut [u8]) -> Result<(), SourceError> {
        self.bytes.copy_to(offset, to)
    }
}

/// Returns one number for two: odd if one of them is odd, and larger if one of them
/// has grown.
fn both(own: u64, inner: u64) -> u64 {
    (own / 2).wrapping_add(inner / 2) << 1 | (own | inner) & 1
}

impl LiveBytes for Edited<'_> {
    fn len(&self) -> usize {
        self.bytes.len()
    }

    fn element_size(&self) -> usize {
        self.bytes.element_size()
    }

    fn is_atomic(&self) -> bool {
        self.bytes.is_atomic()
    }

    fn copy_to(&self, offset: usize, to: &mut [u8]) -> Result<(), SourceError> {
        self.bytes.copy_to(offset, to)
    }
}

impl LiveBytesMut for Edited<'_> {
    fn copy_from(&mut self, offset: usize, from: &[u8]) -> Result<(), SourceError> {
        self.bytes.copy_from(offset, from)
    }

    fn update_bits(&mut self, offset: usize, bits: u8, mask: u8) -> Result<(), SourceError> {
        self.bytes.update_bits(offset, bits, mask)
    }
}
