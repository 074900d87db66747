//! Replacement of a file if its bytes change.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use super::identity::{Identity, OpenFile};
use super::system::{self, Target, Temporary};
use super::{Place, check_extension};
use crate::alloc::zeroed;
use crate::{Error, ErrorKind};

/// The most bytes of the old file that are read at once.
const BUFFER: usize = 64 << 10;

/// The result of [`replace_if_changed`].
#[derive(Debug)]
pub(crate) struct Outcome {
    /// Whether the file had the bytes already. Then neither the file nor its
    /// folder has been written to.
    pub(crate) unchanged: bool,
    /// The identity of the file that is at the path now. `None` for pipes and
    /// devices, and if another process may have changed the file since.
    pub(crate) identity: Option<Identity>,
}

/// Writes a file as [`replace`](super::replace) does, unless the file has exactly
/// these bytes already. In that case nothing is written, no temporary file is
/// made, and the file keeps its times of modification and change. It keeps the time
/// of its last access if the system allows that: on Linux, to the owner of the
/// file and to privileged processes.
///
/// A file that the caller may write to but not read is replaced.
///
/// With `sync`, the file and its folder are synced to the disk, also if the file
/// has these bytes already: whoever wrote them may not have synced them.
///
/// If the content, the permissions or the links of the old file change while its
/// bytes are compared or copied, the save fails with
/// [`ResourceBusy`](io::ErrorKind::ResourceBusy), and the file stays as it is.
///
/// On Unix another file may take the only name of the old file meanwhile, which
/// does not change the content of the old file. If that content was equal, the save
/// counts as finished before the other file came. Otherwise the save replaces the
/// other file.
pub(crate) fn replace_if_changed<T>(
    path: &Path,
    sync: bool,
    write: impl FnOnce(&mut ChangeWriter) -> Result<T, Error>,
) -> Result<(T, Outcome), Error> {
    check_extension(path)?;
    let place = system::find(path).map_err(ErrorKind::Write)?;
    let mut writer = ChangeWriter::new(place, sync)?;
    let value = write(&mut writer)?;
    let outcome = writer.finish()?;
    Ok((value, outcome))
}

/// A writer that compares bytes with those of an old file. At the first difference
/// it creates a temporary file and copies the equal bytes to it from the old file.
/// It writes all later bytes to the temporary file.
pub(crate) struct ChangeWriter {
    state: State,
    /// The number of bytes so far, written or skipped.
    position: u64,
    /// The identity of the old file at the start.
    identity: Option<Identity>,
    /// Whether the file and its folder are to be synced.
    sync: bool,
}

enum State {
    /// A pipe or a device.
    Stream(File),
    /// All bytes so far are those of the old file.
    Equal(Target, OldFile),
    /// Bytes differ, or there is no old file that can be read.
    Changed(NewFile),
    /// The old file could not be read, or the new file could not be made.
    Failed,
}

impl ChangeWriter {
    fn new(place: Place, sync: bool) -> Result<ChangeWriter, Error> {
        let mut identity = None;
        let state = match place {
            Place::Stream(file) => State::Stream(file),
            Place::File(target) => match target.open_old().map_err(ErrorKind::Write)? {
                Some(file) => {
                    let old = OldFile::new(file)?;
                    identity = Some(old.identity.clone());
                    State::Equal(target, old)
                }
                None => State::Changed(NewFile::create(target, sync).map_err(ErrorKind::Write)?),
            },
        };
        Ok(ChangeWriter {
            state,
            position: 0,
            identity,
            sync,
        })
    }

    /// Returns the identity of the old file, as it was at the start. Returns
    /// `None` if there is no such file, if it cannot be read, and for pipes and
    /// devices.
    pub(crate) fn identity(&self) -> Option<&Identity> {
        self.identity.as_ref()
    }

    /// Returns the number of bytes so far, written or skipped.
    #[cfg(test)]
    pub(super) fn position(&self) -> u64 {
        self.position
    }

    /// Returns whether all bytes so far are those of the old file.
    #[cfg(test)]
    pub(super) fn is_equal_so_far(&self) -> bool {
        matches!(self.state, State::Equal(..))
    }

    /// Takes the next `count` bytes of the old file as if they had been written,
    /// without a comparison. The caller knows these bytes, because it has written
    /// or compared the file with this [`identity`](ChangeWriter::identity)
    /// before.
    ///
    /// Does nothing and returns `false` if the bytes so far differ from those of
    /// the file, or if the file has fewer bytes.
    pub(crate) fn skip(&mut self, count: u64) -> bool {
        let Some(end) = self.position.checked_add(count) else {
            return false;
        };
        let skipped = match &mut self.state {
            State::Equal(_, old) => old.skip(count, end),
            _ => false,
        };
        if skipped {
            self.position = end;
        }
        skipped
    }

    /// Closes and renames the new file, if there is one.
    fn finish(mut self) -> Result<Outcome, Error> {
        if let State::Equal(target, old) = &self.state {
            if old.identity.length() == self.position {
                let state = old.check().map_err(ErrorKind::Write)?;
                if self.sync {
                    target.sync(&old.file)?;
                }
                let is_untouched = state == OpenFile::Untouched;
                return Ok(Outcome {
                    unchanged: true,
                    identity: self.identity.filter(|_| is_untouched),
                });
            }
            self.change().map_err(ErrorKind::Write)?;
        }
        let identity = match self.state {
            State::Changed(new) => new.finish()?,
            State::Stream(file) => {
                system::close(file).map_err(ErrorKind::Write)?;
                None
            }
            State::Equal(..) | State::Failed => return Err(ErrorKind::Write(failed()).into()),
        };
        Ok(Outcome {
            unchanged: false,
            identity,
        })
    }

    /// Creates the new file, with the bytes so far.
    fn change(&mut self) -> io::Result<()> {
        self.state = match std::mem::replace(&mut self.state, State::Failed) {
            State::Equal(target, old) => {
                let mut new = NewFile::create(target, self.sync)?;
                new.copy(old, self.position)?;
                State::Changed(new)
            }
            state => state,
        };
        Ok(())
    }
}

impl Write for ChangeWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let State::Equal(_, old) = &mut self.state {
            let equal = match old.compare(bytes) {
                Ok(equal) => equal,
                Err(error) => {
                    self.state = State::Failed;
                    return Err(error);
                }
            };
            self.position += equal as u64;
            if equal < bytes.len() {
                self.change()?;
            }
            if equal > 0 {
                return Ok(equal);
            }
        }
        let written = match &mut self.state {
            State::Stream(file) => file.write(bytes)?,
            State::Changed(new) => new.file.write(bytes)?,
            // `bytes` is empty.
            State::Equal(..) => 0,
            State::Failed => return Err(failed()),
        };
        self.position += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.state {
            State::Stream(file) => file.flush(),
            State::Changed(new) => new.file.flush(),
            State::Equal(..) => Ok(()),
            State::Failed => Err(failed()),
        }
    }
}

fn failed() -> io::Error {
    io::Error::other("an earlier write failed")
}

/// The file that may be replaced, open for reading.
struct OldFile {
    file: File,
    identity: Identity,
    buffer: Vec<u8>,
    /// The start of the bytes in the buffer that have not been compared.
    start: usize,
    /// The end of these bytes.
    end: usize,
}

impl OldFile {
    fn new(file: File) -> Result<OldFile, Error> {
        let identity = Identity::of(&file).map_err(ErrorKind::Write)?;
        Ok(OldFile {
            file,
            identity,
            buffer: zeroed(BUFFER as u64)?,
            start: 0,
            end: 0,
        })
    }

    /// Compares the next bytes of the file. Returns how many bytes, from the
    /// first, are equal.
    fn compare(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut equal = 0;
        while equal < bytes.len() {
            if self.start == self.end && self.fill()? == 0 {
                break;
            }
            let old = &self.buffer[self.start..self.end];
            let new = &bytes[equal..];
            let count = old.len().min(new.len());
            let (old, new) = (&old[..count], &new[..count]);
            let same = if old == new {
                count
            } else {
                let pairs = old.iter().zip(new);
                pairs.take_while(|(old, new)| old == new).count()
            };
            equal += same;
            self.start += same;
            if same < count {
                break;
            }
        }
        Ok(equal)
    }

    /// Reads bytes into the empty buffer. Returns their number, or 0 at the end
    /// of the file.
    fn fill(&mut self) -> io::Result<usize> {
        let count = loop {
            match self.file.read(&mut self.buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => break result?,
            }
        };
        (self.start, self.end) = (0, count);
        Ok(count)
    }

    /// Skips the next `count` bytes, which end at byte `end` of the file. Does
    /// nothing and returns `false` if the file has fewer bytes, or if the seek fails.
    fn skip(&mut self, count: u64, end: u64) -> bool {
        if end > self.identity.length() {
            return false;
        }
        let buffered = (self.end - self.start) as u64;
        if count <= buffered {
            self.start += count as usize;
        } else if self.file.seek(SeekFrom::Start(end)).is_ok() {
            (self.start, self.end) = (0, 0);
        } else {
            return false;
        }
        true
    }

    /// Refuses a file whose content may have changed since it was opened.
    fn check(&self) -> io::Result<OpenFile> {
        match self.identity.state_of(&self.file)? {
            OpenFile::Changed => {
                let message = "the file was changed by others during the save";
                Err(io::Error::new(io::ErrorKind::ResourceBusy, message))
            }
            state => Ok(state),
        }
    }
}

/// The file that will replace the old one.
struct NewFile {
    // Dropped in this order: an unfinished file is closed, then removed.
    file: File,
    temporary: Temporary,
    /// The old file, if bytes have been copied from it.
    source: Option<OldFile>,
}

impl NewFile {
    fn create(target: Target, sync: bool) -> io::Result<NewFile> {
        let (temporary, file) = target.create(sync)?;
        Ok(NewFile {
            file,
            temporary,
            source: None,
        })
    }

    /// Copies the first `count` bytes of the old file.
    fn copy(&mut self, mut old: OldFile, count: u64) -> io::Result<()> {
        if count == 0 {
            return Ok(());
        }
        old.file.rewind()?;
        // The kernel copies, where the system supports that. If the old file has
        // become shorter, `check` refuses it later.
        io::copy(&mut (&old.file).take(count), &mut self.file)?;
        record!(Copy(count));
        old.buffer = Vec::new();
        self.source = Some(old);
        Ok(())
    }

    /// Closes the file and renames it to the target.
    fn finish(mut self) -> Result<Option<Identity>, ErrorKind> {
        if let Some(old) = self.source.take() {
            old.check().map_err(ErrorKind::Write)?;
        }
        let written = Identity::of(&self.file).ok();
        let replaced = self.temporary.replace(self.file);
        replaced.map_err(ErrorKind::Write)?;
        let synced = self.temporary.sync_folder();
        synced.map_err(ErrorKind::FolderSync)?;
        let now = self.temporary.target_identity().ok();
        Ok(now.filter(|now| written.is_some_and(|written| now.is_renamed(&written))))
    }
}
