//! Atomic replacement of a path.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::{Error, ErrorKind};

/// Writes a file so that whoever opens `path` sees the old one or the whole
/// new one. If `write` fails or panics, a file is as it was, or is not there;
/// a pipe or a device has got what had been written.
///
/// The rules are in the docs of [`PngEncoder::save`](crate::PngEncoder::save).
pub(crate) fn replace(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> Result<(), Error>,
) -> Result<(), Error> {
    check_extension(path)?;
    match fs::metadata(path) {
        Ok(old) if old.is_file() => {
            refuse_descriptor(path).map_err(ErrorKind::Write)?;
            let target = fs::canonicalize(path).map_err(ErrorKind::Write)?;
            // Replacing needs no permission on the file itself. Ask for it
            // all the same: who may not write a file may not replace it.
            OpenOptions::new()
                .write(true)
                .open(&target)
                .map_err(ErrorKind::Write)?;
            write_beside(&target, Some(&old), write)
        }
        Ok(_) => {
            let mut file = OpenOptions::new()
                .write(true)
                .open(path)
                .map_err(ErrorKind::Write)?;
            write(&mut file)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let target = follow_dangling(path);
            refuse_folder(&target).map_err(ErrorKind::Write)?;
            // So that it stays the same place if the caller's code changes
            // the working directory.
            let target = std::path::absolute(target).map_err(ErrorKind::Write)?;
            write_beside(&target, None, write)
        }
        Err(error) => Err(ErrorKind::Write(error).into()),
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

/// Refuses `/dev/stdout` and its kin where they stand for an open file, as
/// after `> file` in a shell: replacing that file would take it from everyone
/// who has it open, and writing at its start would destroy what is in it.
fn refuse_descriptor(path: &Path) -> io::Result<()> {
    for link in links(path) {
        if fs::canonicalize(folder(&link))?.starts_with("/proc") {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "the path stands for an open file; write to that instead",
            ));
        }
    }
    Ok(())
}

/// Refuses a path to nothing that could only be a folder. (Paths forget such
/// endings.)
fn refuse_folder(path: &Path) -> io::Result<()> {
    let path = path.as_os_str().as_encoded_bytes();
    let is_separator = |byte: &u8| std::path::is_separator((*byte).into());
    let last = path.rsplit(is_separator).next();
    if matches!(last, Some(b"" | b"." | b"..")) && !path.is_empty() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    Ok(())
}

/// The symbolic links from `path` on, each the target of the one before.
fn links(path: &Path) -> impl Iterator<Item = PathBuf> {
    let mut next = Some(path.to_owned());
    let link = move || {
        let path = next.take()?;
        let target = fs::read_link(&path).ok()?;
        next = Some(folder(&path).join(target));
        Some(path)
    };
    // The system refused circles before this is called; the limit is for
    // links that change in the meantime.
    std::iter::from_fn(link).take(40)
}

/// What a path names that leads, perhaps over symbolic links, to nothing.
fn follow_dangling(path: &Path) -> PathBuf {
    match links(path).last() {
        Some(link) => match fs::read_link(&link) {
            Ok(target) => folder(&link).join(target),
            Err(_) => link,
        },
        None => path.to_owned(),
    }
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}

fn write_beside(
    target: &Path,
    old: Option<&Metadata>,
    write: impl FnOnce(&mut dyn Write) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".pixview-").suffix(".tmp");
    // What any new file gets, less the umask; an old one's are set below. Until
    // then nobody else can open it.
    #[cfg(unix)]
    if old.is_none() {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    let mut new = builder
        .tempfile_in(folder(target))
        .map_err(|error| ErrorKind::Write(without_name(error)))?;
    write(new.as_file_mut())?;
    if let Some(old) = old {
        keep_permissions(new.as_file(), old).map_err(ErrorKind::Write)?;
    }
    // On failure the error has the temporary file, and removes it.
    new.persist(target)
        .map_err(|error| ErrorKind::Write(error.error))?;
    Ok(())
}

/// The system's own error, without the temporary name that nobody asked for.
fn without_name(error: io::Error) -> io::Error {
    let beneath = error.get_ref().and_then(|error| error.source());
    let code = beneath
        .and_then(|error| error.downcast_ref::<io::Error>())
        .and_then(io::Error::raw_os_error);
    code.map_or(error, io::Error::from_raw_os_error)
}

/// Permissions, and owner and group as far as the system allows: only a
/// privileged process may give files away. A group that can't be kept takes
/// its permissions with it, so that the file opens to nobody new.
#[cfg(unix)]
fn keep_permissions(new: &File, old: &Metadata) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
    // Before the permissions: a change of owner may clear some.
    if fchown(new, Some(old.uid()), Some(old.gid())).is_err() {
        let _ = fchown(new, None, Some(old.gid()));
    }
    let mut mode = old.permissions().mode();
    if new.metadata()?.gid() != old.gid() {
        mode &= !0o070;
    }
    new.set_permissions(fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn keep_permissions(new: &File, old: &Metadata) -> io::Result<()> {
    new.set_permissions(old.permissions())
}
