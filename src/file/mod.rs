//! Atomic replacement and creation of files.

/// Adds a system call to the log that unit tests replay. Does nothing elsewhere.
macro_rules! record {
    ($($call:tt)*) => {
        #[cfg(all(test, unix))]
        crate::file::replay::record(crate::file::replay::Call::$($call)*);
    };
}

#[cfg(unix)]
mod acl;
mod change;
#[cfg(unix)]
mod claim;
mod identity;
#[cfg(unix)]
mod permissions;
#[cfg(not(unix))]
mod portable;
#[cfg(all(test, unix))]
mod replay;
#[cfg(test)]
mod tests;
#[cfg(unix)]
mod unix;

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

#[cfg(not(unix))]
use portable as system;
#[cfg(unix)]
use unix as system;

pub(crate) use change::{ChangeWriter, replace_if_changed};
pub(crate) use identity::Identity;

use crate::{Error, ErrorKind};

/// The place that a path leads to, after all symbolic links.
enum Place {
    /// A file that will be replaced or created.
    File(system::Target),
    /// A pipe or a device, open for writing.
    Stream(File),
}

/// Writes a file atomically: `path` leads to the old file, or to none, until it
/// leads to the complete new file. If `write` fails or panics, nothing changes
/// at `path`. A pipe or a device receives the bytes as they are written, also if
/// `write` fails later.
///
/// With `sync`, the file and its folder are synced to the disk. Pipes and devices
/// are not.
///
/// The rules are in the docs of [`PngEncoder::save`](crate::PngEncoder::save).
pub(crate) fn replace<T>(
    path: &Path,
    sync: bool,
    write: impl FnOnce(&mut dyn Write) -> Result<T, Error>,
) -> Result<T, Error> {
    check_extension(path)?;
    match system::find(path).map_err(ErrorKind::Write)? {
        Place::Stream(mut file) => {
            let value = write(&mut file)?;
            system::close(file).map_err(ErrorKind::Write)?;
            Ok(value)
        }
        Place::File(target) => {
            // Dropped in reverse order: an unfinished file is closed, then
            // removed.
            let (mut temporary, mut file) = target.create(sync).map_err(ErrorKind::Write)?;
            let value = write(&mut file)?;
            temporary.replace(file).map_err(ErrorKind::Write)?;
            temporary.sync_folder().map_err(ErrorKind::FolderSync)?;
            Ok(value)
        }
    }
}

/// Writes a new file. Until the file is complete, `path` leads to nothing. If
/// anything exists at `path` at the start or at the end, fails with
/// [`ErrorKind::FileExists`] and leaves `path` alone. If `write` fails or panics,
/// no file is created. With `sync`, the file and its folder are synced to the disk.
///
/// The rules are in the docs of
/// [`PngEncoder::save_new`](crate::PngEncoder::save_new).
pub(crate) fn create_new<T>(
    path: &Path,
    sync: bool,
    write: impl FnOnce(&mut dyn Write) -> Result<T, Error>,
) -> Result<T, Error> {
    check_extension(path)?;
    let target = system::find_new(path).map_err(name_error)?;
    let (mut temporary, mut file) = target.create(sync).map_err(ErrorKind::Write)?;
    let value = write(&mut file)?;
    temporary.claim(file).map_err(name_error)?;
    temporary.sync_folder().map_err(ErrorKind::FolderSync)?;
    Ok(value)
}

/// Returns the error of a system call that needs a free name.
fn name_error(error: io::Error) -> ErrorKind {
    match error.kind() {
        io::ErrorKind::AlreadyExists => ErrorKind::FileExists,
        _ => ErrorKind::Write(error),
    }
}

fn check_extension(path: &Path) -> Result<(), Error> {
    match path.extension() {
        Some(extension) if !extension.eq_ignore_ascii_case("png") => {
            Err(ErrorKind::UnknownExtension {
                extension: extension.to_string_lossy().into_owned(),
            }
            .into())
        }
        _ => Ok(()),
    }
}

/// Calls `create` with temporary names until one is free. `create` must refuse
/// names that exist. Returns the name and the file.
fn create_temporary(
    mut create: impl FnMut(&str) -> io::Result<File>,
) -> io::Result<(String, File)> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = now.map_or(0, |time| time.as_nanos());
    // Saves that start in the same nanosecond try the same name. All but one go
    // on to the next number.
    for number in now..now + 1000 {
        let name = format!(".pixview-{number:x}.tmp");
        match create(&name) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            result => return result.map(|file| (name, file)),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}
