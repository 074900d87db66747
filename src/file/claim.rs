//! The step that gives a complete file its name if the name is free.

use std::ffi::OsStr;
use std::io;
use std::os::fd::OwnedFd;

use rustix::fs::{AtFlags, Mode, OFlags, Stat, linkat, openat, renameat, statat, unlinkat};
use rustix::io::{Errno, Result, retry_on_intr};

use super::unix::{close, is_file};

/// Gives the file `temporary` the name `name`. Fails with `AlreadyExists` if the
/// name is taken. Returns whether the temporary name is gone.
///
/// File systems differ in the calls that they support, so there are three ways: a
/// rename that does not replace, a hard link, and an empty file over which the
/// complete file is renamed. With the first two, whoever opens the name finds the
/// complete file. With the third, the name stands for an empty file for a moment.
pub(super) fn claim(folder: &OwnedFd, temporary: &str, name: &OsStr) -> io::Result<bool> {
    match rename_to_free(folder, temporary, name) {
        Err(error) if is_unsupported(error) => {}
        result => {
            result?;
            record!(Rename(temporary.into(), name.into()));
            return Ok(true);
        }
    }
    match link(folder, temporary, name) {
        Err(error) if is_unsupported(error) => {}
        result => {
            result?;
            record!(Link(temporary.into(), name.into()));
            // If the removal fails, dropping the `Temporary` tries it again.
            return Ok(unlinkat(folder, temporary, AtFlags::empty()).is_ok());
        }
    }
    reserve_and_rename(folder, temporary, name)?;
    Ok(true)
}

/// Returns whether an error may mean that the file system does not support the
/// call. File systems without hard links report a missing permission. So do
/// sandboxes that do not know the calls. If the permission really is missing, the
/// next way fails with the same error.
fn is_unsupported(error: Errno) -> bool {
    let errors = [
        Errno::INVAL,
        Errno::NOSYS,
        Errno::NOTSUP,
        Errno::OPNOTSUPP,
        Errno::PERM,
        Errno::ACCESS,
    ];
    errors.contains(&error)
}

/// Renames the file in one step, unless the name is taken.
#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
fn rename_to_free(folder: &OwnedFd, temporary: &str, name: &OsStr) -> Result<()> {
    use rustix::fs::{RenameFlags, renameat_with};
    renameat_with(folder, temporary, folder, name, RenameFlags::NOREPLACE)
}

/// Fails, because a rename on other systems always replaces.
#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
fn rename_to_free(_: &OwnedFd, _: &str, _: &OsStr) -> Result<()> {
    Err(Errno::NOSYS)
}

/// Gives the file the name in addition to its temporary name.
fn link(folder: &OwnedFd, temporary: &str, name: &OsStr) -> Result<()> {
    match linkat(folder, temporary, folder, name, AtFlags::empty()) {
        // NFS repeats a request whose answer was lost. The repeated request finds
        // that the name is taken, by the same file.
        Err(Errno::EXIST) if is_same_file(folder, temporary, name) => Ok(()),
        result => result,
    }
}

fn is_same_file(folder: &OwnedFd, one: &str, other: &OsStr) -> bool {
    match (stat_of(folder, one.as_ref()), stat_of(folder, other)) {
        (Ok(one), Ok(other)) => (one.st_dev, one.st_ino) == (other.st_dev, other.st_ino),
        _ => false,
    }
}

fn stat_of(folder: &OwnedFd, name: &OsStr) -> Result<Stat> {
    statat(folder, name, AtFlags::SYMLINK_NOFOLLOW)
}

/// Creates an empty file with the name, unless the name is taken, and renames
/// the complete file over it.
fn reserve_and_rename(folder: &OwnedFd, temporary: &str, name: &OsStr) -> io::Result<()> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
    let mode = Mode::from_raw_mode(0o666);
    let reserved = retry_on_intr(|| openat(folder, name, flags, mode))?;
    record!(Create(name.into()));
    let is_reserved = || stat_of(folder, name).map(|stat| is_empty(&stat));
    let rename = || -> io::Result<()> {
        close(reserved.into())?;
        // Another process may have replaced the empty file.
        if !is_reserved()? {
            return Err(Errno::EXIST.into());
        }
        renameat(folder, temporary, folder, name)?;
        record!(Rename(temporary.into(), name.into()));
        Ok(())
    };
    rename().inspect_err(|_| {
        if is_reserved().is_ok_and(|is_reserved| is_reserved) {
            let _ = unlinkat(folder, name, AtFlags::empty());
        }
    })
}

fn is_empty(stat: &Stat) -> bool {
    is_file(stat) && stat.st_size == 0
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};

    use super::*;

    fn reserve(folder: &OwnedFd, temporary: &str, name: &OsStr) -> Result<()> {
        let result = reserve_and_rename(folder, temporary, name);
        result.map_err(|error| Errno::from_io_error(&error).unwrap())
    }

    /// Runs each way in a folder that has the file `temporary`.
    fn each(test: impl Fn(&std::path::Path, &dyn Fn() -> Result<()>)) {
        for way in [rename_to_free, link, reserve] {
            let folder = tempfile::tempdir().unwrap();
            let open = OwnedFd::from(File::open(folder.path()).unwrap());
            fs::write(folder.path().join("temporary"), "new").unwrap();
            let run = || way(&open, "temporary", "name".as_ref());
            // Some systems do not have the first way.
            if run() == Err(Errno::NOSYS) {
                continue;
            }
            fs::remove_file(folder.path().join("name")).unwrap();
            fs::write(folder.path().join("temporary"), "new").unwrap();
            test(folder.path(), &run);
        }
    }

    #[test]
    fn a_free_name() {
        each(|folder, run| {
            run().unwrap();
            assert_eq!(fs::read(folder.join("name")).unwrap(), b"new");
        });
    }

    #[test]
    fn a_name_that_is_taken() {
        each(|folder, run| {
            let name = folder.join("name");
            fs::write(&name, "old").unwrap();
            assert_eq!(run(), Err(Errno::EXIST));
            assert_eq!(fs::read(&name).unwrap(), b"old");

            fs::write(&name, "").unwrap();
            assert_eq!(run(), Err(Errno::EXIST));
            assert_eq!(fs::read(&name).unwrap(), b"");

            fs::remove_file(&name).unwrap();
            std::os::unix::fs::symlink("nothing", &name).unwrap();
            assert_eq!(run(), Err(Errno::EXIST));
            assert_eq!(fs::read_link(&name).unwrap().as_os_str(), "nothing");

            fs::remove_file(&name).unwrap();
            fs::create_dir(&name).unwrap();
            assert_eq!(run(), Err(Errno::EXIST));
            assert!(fs::read_dir(&name).unwrap().next().is_none());
            assert!(!folder.join("nothing").exists());
            assert_eq!(fs::read(folder.join("temporary")).unwrap(), b"new");
        });
    }

    /// A network file system may repeat the request.
    #[test]
    fn a_link_that_is_there_already() {
        let folder = tempfile::tempdir().unwrap();
        let open = OwnedFd::from(File::open(folder.path()).unwrap());
        fs::write(folder.path().join("temporary"), "new").unwrap();
        for _ in 0..2 {
            link(&open, "temporary", "name".as_ref()).unwrap();
        }
    }

    /// If the file cannot be renamed over the empty one, the empty one goes.
    #[test]
    fn a_reservation_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let open = OwnedFd::from(File::open(folder.path()).unwrap());
        let result = reserve(&open, "missing", "name".as_ref());
        assert_eq!(result, Err(Errno::NOENT));
        assert!(fs::read_dir(folder.path()).unwrap().next().is_none());
    }
}
