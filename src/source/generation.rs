//! The generation number of a sequence lock: the protocol between one writer and
//! any number of readers.
//!
//! The number is even at rest and odd during an edit. A reader takes the number
//! before and after it reads. Its pixels are from one moment if both numbers are
//! equal and even. The elements between must be read and written with atomic
//! operations; `Relaxed` is enough.
//!
//! # Why the orderings suffice
//!
//! This is the protocol of Hans Boehm, "Can seqlocks get along with programming
//! language memory models?" (MSPC 2012), section 4.
//!
//! **A reader that sees a part of an edit notices the edit.** The writer stores
//! the odd number, then executes a `Release` fence, then stores elements. A reader
//! loads elements, then executes an `Acquire` fence, then loads the number again.
//! If one of its loads returned a value of the edit, the two fences synchronize,
//! so the second load of the number returns the odd number or a later one. The
//! first load returned an earlier number or an odd one, so the two loads are not
//! equal and even.
//!
//! **A reader that sees an even number sees all of the edit before it.** The writer
//! stores the even number with `Release`, after the elements. A reader that loads
//! this number with `Acquire`, before the elements, reads these values or later
//! ones.
//!
//! `tests/loom` runs this file under every interleaving and every reordering that
//! the memory model permits.

// Through the parent, so that `tests/loom` can put the atomics of `loom` there.
use super::atomic::{
    AtomicUsize,
    Ordering::{Acquire, Relaxed, Release},
    fence,
};

/// The number. Each edit adds 2, so it wraps around after half of `usize::MAX` edits. A
/// reader would miss edits only if it paused for exactly that many.
#[derive(Debug)]
pub(crate) struct Generation(AtomicUsize);

impl Generation {
    pub(crate) fn new() -> Self {
        Generation(AtomicUsize::new(0))
    }

    /// Returns the number, before the elements are read or after
    /// [`end_reading`].
    pub(crate) fn get(&self) -> usize {
        self.0.load(Acquire)
    }

    /// Makes the number odd, before the elements are written. There may be no
    /// other writer. If an earlier edit did not end, the number is odd already.
    pub(crate) fn begin_edit(&self) {
        let number = self.0.load(Relaxed);
        self.0.store(number | 1, Relaxed);
        fence(Release);
    }

    /// Makes the number even, after the elements are written.
    pub(crate) fn end_edit(&self) {
        let number = self.0.load(Relaxed);
        self.0.store(number.wrapping_add(1), Release);
    }
}

/// Keeps loads of elements before the next load of the number.
pub(crate) fn end_reading() {
    fence(Acquire);
}
