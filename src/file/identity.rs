//! The numbers by which an untouched file is recognized.

use std::fs::File;
use std::io;

/// The numbers by which a file is recognized as the same, untouched file: its
/// device and its number on that device, its length, and the times of its last
/// modification and of its last change, in nanoseconds. Programs can set the time
/// of modification, but not the time of change.
///
/// Two kinds of changes go unnoticed:
///
/// - A change that keeps the length and follows the previous change within one
///   tick of the clock: both get the same time. A tick is 1 to 10 ms on
///   Linux before 6.13 and longer on some file systems: 2 s on FAT.
/// - A change through a memory mapping through which a process has changed the
///   same page before. The system sets the times at the first change of a page,
///   and not again until it has stored the page.
#[cfg(unix)]
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    device: u64,
    number: u64,
    length: u64,
    /// Seconds and nanoseconds.
    modified: (i64, i64),
    /// Seconds and nanoseconds.
    changed: (i64, i64),
}

#[cfg(unix)]
impl Identity {
    /// Returns the identity of an open file.
    pub(super) fn of(file: &File) -> io::Result<Identity> {
        Ok(Identity::from_stat(&rustix::fs::fstat(file)?))
    }

    #[allow(
        clippy::unnecessary_cast,
        reason = "the types of the fields depend on the system"
    )]
    pub(super) fn from_stat(stat: &rustix::fs::Stat) -> Identity {
        Identity {
            device: stat.st_dev as u64,
            number: stat.st_ino as u64,
            length: stat.st_size as u64,
            modified: (stat.st_mtime as i64, stat.st_mtime_nsec as i64),
            changed: (stat.st_ctime as i64, stat.st_ctime_nsec as i64),
        }
    }

    /// Returns the state of an open file that had this identity before.
    pub(super) fn state_of(&self, file: &File) -> io::Result<OpenFile> {
        let stat = rustix::fs::fstat(file)?;
        let now = Identity::from_stat(&stat);
        Ok(if now == *self {
            OpenFile::Untouched
        } else if stat.st_nlink == 0 && now.is_renamed(self) {
            // The removal of a name sets the time of change.
            OpenFile::Removed
        } else {
            OpenFile::Changed
        })
    }

    /// Returns whether two identities, taken before and after a rename, are those
    /// of one file with the same content. A rename sets the time of change.
    pub(super) fn is_renamed(&self, before: &Identity) -> bool {
        let before = Identity {
            changed: self.changed,
            ..before.clone()
        };
        *self == before
    }
}

/// The numbers by which a file is recognized as the same, untouched file: its
/// length, and the times of its last modification and of its creation.
///
/// A change goes unnoticed if it keeps the length and the time of modification.
/// The time stays if the change follows the previous one within one tick of the
/// clock, or if a program sets the time back.
#[cfg(not(unix))]
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    length: u64,
    modified: std::time::SystemTime,
    created: Option<std::time::SystemTime>,
}

#[cfg(not(unix))]
impl Identity {
    /// Returns the identity of an open file.
    pub(super) fn of(file: &File) -> io::Result<Identity> {
        Identity::from_metadata(&file.metadata()?)
    }

    pub(super) fn from_metadata(metadata: &std::fs::Metadata) -> io::Result<Identity> {
        Ok(Identity {
            length: metadata.len(),
            modified: metadata.modified()?,
            created: metadata.created().ok(),
        })
    }

    /// Returns the state of an open file that had this identity before.
    pub(super) fn state_of(&self, file: &File) -> io::Result<OpenFile> {
        Ok(if Identity::of(file)? == *self {
            OpenFile::Untouched
        } else {
            OpenFile::Changed
        })
    }

    /// Returns whether two identities, taken before and after a rename, are those
    /// of one file with the same content. A rename may set the time of creation
    /// to that of the replaced file.
    pub(super) fn is_renamed(&self, before: &Identity) -> bool {
        (self.length, self.modified) == (before.length, before.modified)
    }
}

impl Identity {
    /// Returns the length of the file in bytes.
    pub(super) fn length(&self) -> u64 {
        self.length
    }
}

/// The state of an open file, compared with an earlier identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OpenFile {
    /// The identity is the earlier one.
    Untouched,
    /// The file has lost its last name: another file has taken it, or it was
    /// removed. The content is the same.
    #[cfg(unix)]
    Removed,
    /// The content, the permissions or the links may have changed.
    Changed,
}
