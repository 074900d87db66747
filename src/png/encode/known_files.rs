//! Files that the encoder has written or compared, and that it can recognize.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use super::key::StripKey;
use super::strip::StripSums;
use crate::alloc::{push, reserve};
use crate::file::Identity;

/// The most files that are remembered.
const MOST_FILES: usize = 16;

/// The files that [`save_if_changed`](super::PngEncoder::save_if_changed) has
/// written or compared last.
#[derive(Default)]
pub(super) struct KnownFiles(Vec<KnownFile>);

/// A file whose strips are known.
pub(super) struct KnownFile {
    /// An absolute path. On systems other than Unix the identity alone does not
    /// tell one file from another.
    path: PathBuf,
    identity: Identity,
    strips: KnownStrips,
}

/// The strips of a known file, or of a file that is being written.
#[derive(Default)]
pub(super) struct KnownStrips {
    strips: Vec<StripInFile>,
    /// Whether strips of the file are looked for. False after a strip with the same
    /// key could not be skipped, because earlier bytes differ from the file.
    may_match: AtomicBool,
}

/// The place of a strip in a file.
#[derive(Clone, Copy)]
pub(super) struct StripInFile {
    pub(super) key: StripKey,
    pub(super) sums: StripSums,
    /// The byte of the file at which the IDAT chunk of the strip begins.
    pub(super) offset: u64,
    /// Bytes of the compressed piece.
    pub(super) len: u64,
}

impl KnownFiles {
    /// Removes and returns the strips of a file, if it is known and untouched.
    pub(super) fn take(&mut self, path: &Path, identity: &Identity) -> Option<KnownStrips> {
        let path = std::path::absolute(path).ok()?;
        let is_known = |file: &KnownFile| file.path == path && file.identity == *identity;
        let at = self.0.iter().position(is_known)?;
        Some(self.0.remove(at).strips)
    }

    /// Remembers the strips of a file, if there is memory for them. Forgets the
    /// file that was at the path before, and the oldest file if there are too
    /// many.
    pub(super) fn remember(&mut self, path: &Path, identity: Identity, strips: KnownStrips) {
        let Ok(path) = std::path::absolute(path) else {
            return;
        };
        self.0.retain(|file| file.path != path);
        if self.0.len() == MOST_FILES {
            self.0.remove(0);
        }
        let file = KnownFile {
            path,
            identity,
            strips,
        };
        // If there is no memory, the next save compares the whole file.
        let _ = push(&mut self.0, file);
    }

    /// Forgets all files.
    pub(super) fn clear(&mut self) {
        self.0 = Vec::new();
    }
}

impl KnownStrips {
    /// Begins a save that may replace the file.
    pub(super) fn begin(&mut self) {
        *self.may_match.get_mut() = true;
    }

    /// Returns the place of the strip with this number and key, if the file has it.
    pub(super) fn find(&self, index: u32, key: StripKey) -> Option<StripInFile> {
        if !self.may_match.load(Ordering::Relaxed) {
            return None;
        }
        let strip = self.strips.get(index as usize)?;
        (strip.key == key).then_some(*strip)
    }

    /// Ends the search, because the new file differs from the old one.
    pub(super) fn end(&self) {
        self.may_match.store(false, Ordering::Relaxed);
    }

    /// Removes all strips, and makes room for this number of strips. Returns
    /// whether there is memory for them.
    pub(super) fn reserve(&mut self, count: u32) -> bool {
        self.strips.clear();
        reserve(&mut self.strips, count as usize).is_ok()
    }

    /// Adds the next strip. There must be room for it.
    pub(super) fn add(&mut self, strip: StripInFile) {
        self.strips.push(strip);
    }
}
