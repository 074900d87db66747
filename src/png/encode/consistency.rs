//! The levels of consistency, and the means to keep them: a watch over the generation
//! number of a source, and a copy that is repeated until it is whole.

use std::thread;
use std::time::Duration;

use super::report::Stopwatch;
use crate::alloc::grow;
use crate::source::{Bytes, end_reading, with_lease};
use crate::strided::Frame;
use crate::{Error, ErrorKind, Image, Layout, Lease, PixelSource};

/// How long a save holds its source, and what that means for edits meanwhile.
///
/// | | the source is held | a writer behind a lock waits | the file shows one moment |
/// |---|---|---|---|
/// | `Hold` | for the whole save | for the whole save | behind a lock: always |
/// | `Snapshot` | for a memory copy of the frame | for that copy | behind a lock: always; in a [`SeqLock`](crate::source::SeqLock): always, or the save fails |
/// | `Rows` | for the rows of a strip, again and again | for a part of a strip | only if nobody edits meanwhile |
///
/// Cells and atomics have no lock, so their writers never wait. A save notices edits
/// of them only if they have a generation number: in a
/// [`SeqLock`](crate::source::SeqLock), or in a source of the caller's with
/// [`LiveBytes::generation`](crate::source::LiveBytes::generation).
/// [`SaveReport::frame`](super::SaveReport::frame) says after each save whether the
/// pixels are from one moment.
///
/// Plain memory that the image borrows or owns cannot change during a save, and nobody
/// waits for it: all levels save it in the same way, without a copy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Consistency {
    /// Holds the source until the last byte of the file is written. Needs no memory.
    #[default]
    Hold,
    /// Copies the frame, releases the source, and saves the copy.
    ///
    /// If the source has a generation number, a copy begins when no edit takes place.
    /// The save waits for the end of an edit for up to a second before each copy. If
    /// the source was edited during a copy, the save makes another one, and at most 16
    /// in all. If no copy is whole, the save fails with
    /// [`ErrorKind::Torn`](crate::ErrorKind::Torn) before the first byte is written.
    ///
    /// The encoder keeps the memory of the copy: the bytes of the pixels, without
    /// padding.
    Snapshot,
    /// Holds the source only while the rows of a strip are read, about 512 KiB of
    /// scanlines. Each strip shows one moment behind a lock, but different strips
    /// show different moments. Needs no memory.
    ///
    /// With [`PngEncoder::reduce`](super::PngEncoder::reduce), which reads the pixels
    /// twice, a save of an image that may be reduced works as with `Snapshot`.
    Rows,
}

/// Whether the pixels of a file are from one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FrameState {
    /// All pixels are from one moment: the memory could not change, or its
    /// generation number says that it did not.
    Whole,
    /// The source was edited while it was read, as its generation number says.
    /// Some pixels may be from before the edit and others from after it.
    Torn,
    /// The source may have been edited while it was read: cells or atomics without
    /// a generation number, or a lock that was released between strips.
    #[default]
    Unknown,
}

/// The largest number of copies of one save.
const MAX_COPIES: u32 = 16;

/// The longest time that a save waits for the end of an edit before a copy.
const MAX_WAIT: Duration = Duration::from_secs(1);

/// The pause after a copy that was torn, and after each look at an edit that goes on.
const PAUSE: Duration = Duration::from_micros(200);

/// The largest number of looks at an edit that goes on. It takes the place of
/// [`MAX_WAIT`] on systems without a clock.
const MAX_WAITS: u32 = 5000;

/// Watches the generation number of a source from the first read to the last.
pub(super) struct EditWatch {
    /// The state of all pixels that were read before the last call of `end`.
    state: FrameState,
    generation: Option<u64>,
    leases: u32,
}

impl EditWatch {
    pub(super) fn new() -> Self {
        EditWatch {
            state: FrameState::Whole,
            generation: None,
            leases: 0,
        }
    }

    /// Notes the generation number before the pixels of a lease are read.
    pub(super) fn begin(&mut self, bytes: Bytes<'_>) {
        let generation = bytes.generation();
        if self.leases == 0 {
            self.generation = generation;
        }
        self.leases += 1;
    }

    /// Compares the generation number after the pixels of a lease were read.
    pub(super) fn end(&mut self, bytes: Bytes<'_>) {
        let state = match (bytes, self.generation) {
            (Bytes::Stable(..), _) if self.leases == 1 => FrameState::Whole,
            (Bytes::Live(live), Some(before)) => {
                end_reading();
                if live.generation() == Some(before) && before.is_multiple_of(2) {
                    FrameState::Whole
                } else {
                    FrameState::Torn
                }
            }
            _ => FrameState::Unknown,
        };
        self.state = match (self.state, state) {
            (FrameState::Torn, _) | (_, FrameState::Torn) => FrameState::Torn,
            (FrameState::Whole, state) => state,
            (FrameState::Unknown, _) => FrameState::Unknown,
        };
    }

    /// Returns whether an edit took place when the first lease began.
    fn is_during_edit(&self) -> bool {
        self.generation
            .is_some_and(|number| !number.is_multiple_of(2))
    }

    pub(super) fn state(&self) -> FrameState {
        self.state
    }
}

/// A packed copy of all pixels of an image, with the facts for the report.
pub(super) struct Copied<'a> {
    pub(super) frame: Frame<'a>,
    pub(super) state: FrameState,
    /// The number of copies that were made, this one among them.
    pub(super) copies: u32,
    /// The longest time for which a copy held the source.
    pub(super) source_held: Duration,
}

/// Makes room for a copy of the pixels of a layout.
fn prepare_copy(layout: Layout, memory: &mut Vec<u8>) -> Result<usize, Error> {
    let bytes = layout.packed_size();
    let size = usize::try_from(bytes).map_err(|_| ErrorKind::OutOfMemory { bytes })?;
    if memory.len() < size {
        grow(memory, size)?;
        // The system provides fresh pages at the first write, which takes longer
        // than a copy. It must not happen while the source is held.
        memory.fill(0);
    }
    Ok(size)
}

/// Copies all pixels of an image into `memory`. Repeats the copy until it is whole,
/// if the source has a generation number.
pub(super) fn copy_whole<'m, S: PixelSource>(
    image: &Image<S>,
    memory: &'m mut Vec<u8>,
) -> Result<Copied<'m>, Error> {
    let layout = image.layout();
    let size = prepare_copy(layout, memory)?;
    let (mut copies, mut source_held) = (0, Duration::ZERO);
    // Since the last copy: the time, and the number of looks at an edit that goes on.
    let (mut waiting, mut waits) = (Stopwatch::start(), 0);
    let state = loop {
        let lease = image.source().lease()?;
        let held = Stopwatch::start();
        let mut watch = EditWatch::new();
        let copy = |lease: &mut Lease<'_>| -> Result<bool, Error> {
            let frame = image.frame(lease)?;
            watch.begin(frame.bytes);
            if watch.is_during_edit() {
                return Ok(false);
            }
            frame.copy_to(&mut memory[..size])?;
            watch.end(frame.bytes);
            Ok(true)
        };
        let (lease, copied) = with_lease(lease, copy);
        drop(lease);
        if copied? {
            copies += 1;
            source_held = source_held.max(held.elapsed());
            if watch.state() != FrameState::Torn {
                break watch.state();
            }
            (waiting, waits) = (Stopwatch::start(), 0);
        } else {
            waits += 1;
        }
        let is_late = waits == MAX_WAITS || waiting.elapsed() >= MAX_WAIT;
        if copies == MAX_COPIES || is_late {
            return Err(ErrorKind::Torn { copies }.into());
        }
        pause();
    };
    Ok(Copied {
        frame: packed(layout, &memory[..size]),
        state,
        copies,
        source_held,
    })
}

/// Returns a frame of packed pixels with the size and format of a layout.
fn packed(layout: Layout, pixels: &[u8]) -> Frame<'_> {
    let layout = Layout::packed(layout.width(), layout.height(), layout.format());
    Frame::stable(pixels, layout)
}

/// Gives a writer time to end its edit.
fn pause() {
    // On this target there is one thread, and it cannot sleep.
    if !cfg!(all(target_family = "wasm", target_os = "unknown")) {
        thread::sleep(PAUSE);
    }
}
