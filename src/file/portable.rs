//! Atomic replacement by path, with the standard library only.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use super::identity::Identity;
use super::{Place, create_temporary};
use crate::ErrorKind;

/// A path that is not a symbolic link.
pub(super) struct Target(PathBuf);

/// Returns the place that `path` leads to.
pub(super) fn find(path: &Path) -> io::Result<Place> {
    let open = |path| OpenOptions::new().write(true).open(path);
    match fs::metadata(path) {
        Ok(old) if old.is_file() => {
            let target = fs::canonicalize(path)?;
            // A caller who may not write to the file may not replace it.
            open(&*target)?;
            Ok(Place::File(Target(target)))
        }
        Ok(_) => Ok(Place::Stream(open(path)?)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let target = follow(path);
            refuse_folder(&target)?;
            // Absolute, because the caller's code may change the working
            // directory during the save.
            Ok(Place::File(Target(std::path::absolute(target)?)))
        }
        Err(error) => Err(error),
    }
}

/// Returns the place of a new file. Fails with `AlreadyExists` if anything exists
/// at the path, even a symbolic link to nothing.
pub(super) fn find_new(path: &Path) -> io::Result<Target> {
    match fs::symlink_metadata(path) {
        Ok(_) => return Err(io::ErrorKind::AlreadyExists.into()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    refuse_folder(path)?;
    Ok(Target(std::path::absolute(path)?))
}

/// Follows the symbolic links of a path that leads to nothing.
fn follow(path: &Path) -> PathBuf {
    let mut path = path.to_owned();
    // The system has already refused cycles. The limit is for links that are
    // changed at the same time.
    for _ in 0..40 {
        match fs::read_link(&path) {
            Ok(target) => path = folder(&path).join(target),
            Err(_) => break,
        }
    }
    path
}

/// Refuses a path that can only be a folder. The methods of `Path` drop such
/// endings.
fn refuse_folder(path: &Path) -> io::Result<()> {
    let path = path.as_os_str().as_encoded_bytes();
    let is_separator = |byte: &u8| std::path::is_separator((*byte).into());
    let last = path.rsplit(is_separator).next();
    if matches!(last, Some(b"" | b"." | b"..")) && !path.is_empty() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    Ok(())
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}

impl Target {
    /// Creates an empty file under a temporary name in the target's folder. With
    /// `sync`, the complete file is synced to the disk.
    pub(super) fn create(self, sync: bool) -> io::Result<(Temporary, File)> {
        let folder = folder(&self.0);
        let (name, file) = create_temporary(|name| {
            let mut options = OpenOptions::new();
            options.write(true).create_new(true);
            options.open(folder.join(name))
        })?;
        let temporary = Temporary {
            path: folder.join(name),
            target: self.0,
            renamed: false,
            sync,
        };
        Ok((temporary, file))
    }

    /// Syncs a file that has the name of the target already.
    pub(super) fn sync(&self, _: &File) -> Result<(), ErrorKind> {
        // Windows syncs only files that are open for writing.
        let sync = || OpenOptions::new().write(true).open(&self.0)?.sync_all();
        sync().map_err(ErrorKind::Write)
    }

    /// Opens the file that will be replaced for reading. Returns `None` if there
    /// is no file, or if the caller may not read it.
    pub(super) fn open_old(&self) -> io::Result<Option<File>> {
        match File::open(&self.0) {
            Ok(file) => Ok(Some(file)),
            Err(error) => match error.kind() {
                io::ErrorKind::PermissionDenied | io::ErrorKind::NotFound => Ok(None),
                _ => Err(error),
            },
        }
    }
}

/// The temporary name of a file. Dropping it removes the file, unless the file
/// has been renamed.
pub(super) struct Temporary {
    target: PathBuf,
    path: PathBuf,
    renamed: bool,
    /// Whether the file is to be synced.
    sync: bool,
}

impl Temporary {
    /// Syncs the complete file if the save syncs, closes it, and gives it the
    /// name of the target. Fails with `AlreadyExists` if the name is taken.
    pub(super) fn claim(&mut self, file: File) -> io::Result<()> {
        self.sync_and_close(file)?;
        match fs::hard_link(&self.path, &self.target) {
            // Dropping removes the temporary name.
            Ok(()) => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(error),
            // File systems such as FAT have no hard links.
            Err(_) => {}
        }
        // For a moment the name stands for an empty file.
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&self.target)?;
        let is_empty = || fs::symlink_metadata(&self.target).map(|file| file.len() == 0);
        // Another process may have replaced the empty file.
        if !is_empty()? {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        if let Err(error) = fs::rename(&self.path, &self.target) {
            if is_empty().is_ok_and(|is_empty| is_empty) {
                let _ = fs::remove_file(&self.target);
            }
            return Err(error);
        }
        self.renamed = true;
        Ok(())
    }

    /// Returns the identity of the file that has the name of the target now.
    pub(super) fn target_identity(&self) -> io::Result<Identity> {
        Identity::from_metadata(&fs::symlink_metadata(&self.target)?)
    }

    /// Syncs the complete file if the save syncs, closes it, and renames it to
    /// the target.
    pub(super) fn replace(&mut self, file: File) -> io::Result<()> {
        self.sync_and_close(file)?;
        fs::rename(&self.path, &self.target)?;
        self.renamed = true;
        Ok(())
    }

    /// Syncs the complete file if the save syncs, and closes it.
    fn sync_and_close(&self, file: File) -> io::Result<()> {
        if self.sync {
            file.sync_all()?;
        }
        close(file)
    }

    /// Does nothing: the standard library opens no folders on Windows.
    #[expect(
        clippy::unnecessary_wraps,
        clippy::unused_self,
        reason = "it fails on other systems"
    )]
    pub(super) fn sync_folder(&self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.renamed {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Closes a file. Errors are lost: no safe function reports them here.
#[expect(clippy::unnecessary_wraps, reason = "it fails on other systems")]
pub(super) fn close(file: File) -> io::Result<()> {
    drop(file);
    Ok(())
}
