//! Atomic replacement of a path.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::{Error, ErrorKind};

/// Writes a file so that whoever opens `path` sees the old one or the whole
/// new one. If `write` fails or panics, nothing has happened.
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
            let target = follow_dangling(path).map_err(ErrorKind::Write)?;
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
    let mut path = path.to_owned();
    while let Ok(target) = fs::read_link(&path) {
        if fs::canonicalize(folder(&path))?.starts_with("/proc") {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "the path stands for an open file; write to that instead",
            ));
        }
        path = folder(&path).join(target);
    }
    Ok(())
}

/// Refuses a path to nothing that could only be a folder.
fn refuse_folder(path: &Path) -> io::Result<()> {
    let last = path.as_os_str().as_encoded_bytes().last();
    if last.is_some_and(|&byte| std::path::is_separator(byte.into())) {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    Ok(())
}

/// The path that a chain of symbolic links with nothing at its end names.
fn follow_dangling(path: &Path) -> io::Result<PathBuf> {
    let mut path = path.to_owned();
    // The system itself refused circles before this is called; a limit, in
    // case links change in the meantime.
    for _ in 0..40 {
        match fs::read_link(&path) {
            Ok(target) => path = folder(&path).join(target),
            Err(_) => return Ok(path),
        }
    }
    Err(io::Error::other("too many symbolic links"))
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
        .map_err(ErrorKind::Write)?;
    write(new.as_file_mut())?;
    if let Some(old) = old {
        keep_owner(new.as_file(), old);
        new.as_file()
            .set_permissions(old.permissions())
            .map_err(ErrorKind::Write)?;
    }
    // On failure the error has the temporary file, and removes it.
    new.persist(target)
        .map_err(|error| ErrorKind::Write(error.error))?;
    Ok(())
}

/// Best effort: only a privileged process may give files away. Before the
/// permissions, because a change of owner may clear some.
#[cfg(unix)]
fn keep_owner(new: &File, old: &Metadata) {
    use std::os::unix::fs::{MetadataExt, fchown};
    if fchown(new, Some(old.uid()), Some(old.gid())).is_err() {
        let _ = fchown(new, None, Some(old.gid()));
    }
}

#[cfg(not(unix))]
fn keep_owner(_: &File, _: &Metadata) {}
