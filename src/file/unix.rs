//! Atomic replacement relative to an open folder. Once the folder is open, it can
//! be renamed, and the length of the path does not matter.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

use rustix::fs::{
    Access, AtFlags, CWD, FileType, Mode, OFlags, Stat, accessat, fstat, openat, readlinkat,
    renameat, stat, statat, unlinkat,
};
use rustix::io::{Errno, retry_on_intr};

use super::acl::{self, Acl};
use super::identity::Identity;
use super::{Place, claim, create_temporary, permissions};
use crate::ErrorKind;

/// A name in an open folder; the name is not a symbolic link.
pub(super) struct Target {
    folder: OwnedFd,
    name: OsString,
    old: Option<Old>,
}

/// The owner and the permissions of the file that will be replaced.
struct Old {
    stat: Stat,
    acl: Option<Acl>,
}

/// Returns the place that `path` leads to.
pub(super) fn find(path: &Path) -> io::Result<Place> {
    // The system follows the links first, because it may refuse some, such as
    // links of other users in a folder that everyone may write to.
    let stat = match stat(path) {
        Ok(stat) => Some(stat),
        Err(Errno::NOENT) => None,
        Err(error) => return Err(error.into()),
    };
    if stat.is_some_and(|stat| !is_file(&stat)) {
        return Ok(Place::Stream(open(CWD, path, OFlags::WRONLY)?.into()));
    }
    let (folder, name) = follow(path)?;
    let old = match stat {
        Some(stat) => {
            check_writable(&folder, &name)?;
            let acl = acl::read(path)?;
            Some(Old { stat, acl })
        }
        None => None,
    };
    Ok(Place::File(Target { folder, name, old }))
}

/// Returns the place of a new file. Fails with `AlreadyExists` if anything exists
/// at the path, even a symbolic link to nothing.
pub(super) fn find_new(path: &Path) -> io::Result<Target> {
    match statat(CWD, path, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(_) => return Err(Errno::EXIST.into()),
        Err(Errno::NOENT) => {}
        Err(error) => return Err(error.into()),
    }
    let (parent, name) = split(path)?;
    Ok(Target {
        folder: open_folder(CWD, parent)?,
        name: name.to_owned(),
        old: None,
    })
}

pub(super) fn is_file(stat: &Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile
}

fn open(folder: impl AsFd, path: impl AsRef<Path>, flags: OFlags) -> io::Result<OwnedFd> {
    let path = path.as_ref();
    let flags = flags | OFlags::CLOEXEC;
    Ok(retry_on_intr(|| {
        openat(folder.as_fd(), path, flags, Mode::empty())
    })?)
}

/// Opens a file for reading. The time of its last access stays, if the system
/// allows that.
fn open_quietly(folder: &OwnedFd, name: &OsStr, flags: OFlags) -> io::Result<OwnedFd> {
    // Only the owner of the file and privileged processes may use the flag.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    match open(folder, name, flags | OFlags::NOATIME) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {}
        result => return result,
    }
    open(folder, name, flags)
}

fn open_folder(folder: impl AsFd, path: &Path) -> io::Result<OwnedFd> {
    // `O_PATH` needs no permission to list the folder.
    #[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
    let flags = OFlags::PATH | OFlags::DIRECTORY;
    #[cfg(not(any(target_os = "linux", target_os = "android", target_os = "freebsd")))]
    let flags = OFlags::RDONLY | OFlags::DIRECTORY;
    open(folder, path, flags)
}

/// Refuses a file that the caller may not write to. The system would allow the
/// replacement, which needs no permission on the file itself.
fn check_writable(folder: &OwnedFd, name: &OsStr) -> io::Result<()> {
    // The file is not opened, because a process that watches it would see it
    // opened for writing and closed.
    if accessat(folder, name, Access::WRITE_OK, AtFlags::EACCESS).is_err() {
        // Old systems and some sandboxes do not support the call.
        open(folder, name, OFlags::WRONLY | OFlags::NOFOLLOW)?;
    }
    Ok(())
}

/// Follows the symbolic links at the end of `path`. Returns the open folder and
/// the name in it of the last target, which need not exist.
fn follow(path: &Path) -> io::Result<(OwnedFd, OsString)> {
    let (parent, name) = split(path)?;
    let mut folder = open_folder(CWD, parent)?;
    let mut name = name.to_owned();
    // The system has already refused cycles. The limit is for links that are
    // changed at the same time.
    for _ in 0..40 {
        let target = match readlinkat(&folder, &*name, Vec::new()) {
            Ok(target) => OsString::from_vec(target.into_bytes()),
            Err(Errno::INVAL | Errno::NOENT) => return Ok((folder, name)),
            Err(error) => return Err(error.into()),
        };
        refuse_descriptor(&folder)?;
        let (parent, last) = split(Path::new(&target))?;
        folder = open_folder(&folder, parent)?;
        last.clone_into(&mut name);
    }
    Err(Errno::LOOP.into())
}

/// Splits a path into the folder and the name. Refuses a path that can only be
/// a folder. The methods of `Path` drop such endings.
fn split(path: &Path) -> io::Result<(&Path, &OsStr)> {
    let bytes = path.as_os_str().as_bytes();
    let start = bytes
        .iter()
        .rposition(|byte| *byte == b'/')
        .map(|at| at + 1);
    let (folder, name) = match start {
        Some(start) => bytes.split_at(start),
        None => (&b"."[..], bytes),
    };
    match name {
        b"" if bytes.is_empty() => Err(Errno::NOENT.into()),
        b"" | b"." | b".." => Err(Errno::ISDIR.into()),
        _ => Ok((
            Path::new(OsStr::from_bytes(folder)),
            OsStr::from_bytes(name),
        )),
    }
}

/// Refuses `/dev/stdout` and the like where they lead to an open file, as after
/// `> file` in a shell. A replacement would not reach the processes that have
/// the file open, and a write at its start would destroy its content.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn refuse_descriptor(folder: &OwnedFd) -> io::Result<()> {
    if rustix::fs::fstatfs(folder)?.f_type == rustix::fs::PROC_SUPER_MAGIC {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "the path stands for an open file; write to that instead",
        ));
    }
    Ok(())
}

/// Does nothing: on other systems such paths are not links.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn refuse_descriptor(_: &OwnedFd) -> io::Result<()> {
    Ok(())
}

impl Target {
    /// Creates an empty file under a temporary name in the target's folder. With
    /// `sync`, the complete file and then the folder are synced to the disk.
    pub(super) fn create(self, sync: bool) -> io::Result<(Temporary, File)> {
        // Opened first: a folder that cannot be opened is an error before the
        // target is replaced.
        let folder_to_sync = if sync {
            Some(self.open_folder_to_sync()?)
        } else {
            None
        };
        // A new file has the default permissions. The permissions of an old file
        // are set at the end; until then only the owner can open the new file.
        let mode = match self.old {
            Some(_) => Mode::RUSR | Mode::WUSR,
            None => Mode::from_raw_mode(0o666),
        };
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let (name, file) = create_temporary(|name| {
            let file = retry_on_intr(|| openat(&self.folder, name, flags, mode))?;
            record!(Create(name.into()));
            Ok(file.into())
        })?;
        let temporary = Temporary {
            target: self,
            name,
            renamed: false,
            folder_to_sync,
        };
        Ok((temporary, file))
    }

    /// Opens the folder of the target for [`sync_folder`]. The other descriptor of
    /// the folder may be one that cannot be synced (`O_PATH`).
    fn open_folder_to_sync(&self) -> io::Result<File> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY;
        Ok(open(&self.folder, ".", flags)?.into())
    }

    /// Syncs a file that has the name of the target already, and then the folder.
    pub(super) fn sync(&self, file: &File) -> Result<(), ErrorKind> {
        let folder = self.open_folder_to_sync().map_err(ErrorKind::Write)?;
        sync_file(file).map_err(ErrorKind::Write)?;
        sync_folder(&folder).map_err(ErrorKind::FolderSync)
    }

    /// Opens the file that will be replaced for reading. Returns `None` if there
    /// is no file, or if the caller may not read it.
    pub(super) fn open_old(&self) -> io::Result<Option<File>> {
        if self.old.is_none() {
            return Ok(None);
        }
        // The name may stand for a pipe by now, which must not block the save.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK;
        let file = match open_quietly(&self.folder, &self.name, flags) {
            Ok(file) => File::from(file),
            Err(error) => {
                return match error.kind() {
                    io::ErrorKind::PermissionDenied | io::ErrorKind::NotFound => Ok(None),
                    _ => Err(error),
                };
            }
        };
        Ok(is_file(&fstat(&file)?).then_some(file))
    }
}

/// The temporary name of a file. Dropping it removes the file, unless the file
/// has been renamed.
pub(super) struct Temporary {
    target: Target,
    name: String,
    renamed: bool,
    /// The open folder of the target, if the file and the folder are to be synced.
    folder_to_sync: Option<File>,
}

impl Temporary {
    /// Syncs the complete file if the save syncs, closes it, and gives it the
    /// name of the target. Fails with `AlreadyExists` if the name is taken.
    pub(super) fn claim(&mut self, file: File) -> io::Result<()> {
        self.sync_and_close(file)?;
        let Target { folder, name, .. } = &self.target;
        self.renamed = claim::claim(folder, &self.name, name)?;
        Ok(())
    }

    /// Returns the identity of the file that has the name of the target now.
    pub(super) fn target_identity(&self) -> io::Result<Identity> {
        let Target { folder, name, .. } = &self.target;
        let stat = statat(folder, name, AtFlags::SYMLINK_NOFOLLOW)?;
        Ok(Identity::from_stat(&stat))
    }

    /// Syncs the complete file if the save syncs, closes it, and renames it to
    /// the target.
    pub(super) fn replace(&mut self, file: File) -> io::Result<()> {
        let Target { folder, name, old } = &self.target;
        if let Some(old) = old {
            // The permissions may have changed during the save.
            let stat = statat(folder, name, AtFlags::SYMLINK_NOFOLLOW);
            let stat = stat.ok().filter(is_file).unwrap_or(old.stat);
            permissions::keep(&file, &stat, old.acl.as_ref())?;
        }
        self.sync_and_close(file)?;
        renameat(folder, &self.name, folder, name)?;
        record!(Rename(self.name.clone().into(), name.clone()));
        self.renamed = true;
        Ok(())
    }

    /// Syncs the complete file if the save syncs, and closes it. The file is
    /// synced before it gets its name: otherwise a loss of power could leave the
    /// name of the target to a file without its bytes.
    fn sync_and_close(&self, file: File) -> io::Result<()> {
        if self.folder_to_sync.is_some() {
            sync_file(&file)?;
        }
        close(file)
    }

    /// Syncs the folder of the target if the save syncs, so that the new name of
    /// the file is on the disk.
    pub(super) fn sync_folder(&self) -> io::Result<()> {
        match &self.folder_to_sync {
            Some(folder) => sync_folder(folder),
            None => Ok(()),
        }
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.renamed {
            let _ = unlinkat(&self.target.folder, &self.name, AtFlags::empty());
        }
    }
}

/// Syncs the data, the length and the permissions of a file to the disk.
fn sync_file(file: &File) -> io::Result<()> {
    // Repeats a call that a signal interrupts. On Apple's systems it also makes the
    // drive store its cache, which `fsync` alone does not.
    file.sync_all()?;
    record!(SyncFile);
    Ok(())
}

/// Syncs the names in a folder to the disk.
fn sync_folder(folder: &File) -> io::Result<()> {
    folder.sync_all()?;
    record!(SyncFolder);
    Ok(())
}

/// Closes a file and reports errors, which dropping a `File` ignores. Network file
/// systems such as NFS, and file systems in user space (FUSE), may report a full
/// disk only at the close.
pub(super) fn close(file: File) -> io::Result<()> {
    Ok(nix::unistd::close(file)?)
}
