//! Tests of [`replace_if_changed`].

use std::fs;
use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use super::change::{ChangeWriter, Outcome, replace_if_changed};
use super::identity::Identity;
use crate::{Error, ErrorKind};

/// Lengths around the size of the buffer of the comparison.
const LENGTHS: [usize; 8] = [
    0,
    1,
    1000,
    (64 << 10) - 1,
    64 << 10,
    (64 << 10) + 1,
    128 << 10,
    200_000,
];

fn bytes(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at * 31 + at / 256) as u8).collect()
}

/// A folder with one file.
struct Folder {
    folder: tempfile::TempDir,
    path: PathBuf,
}

impl Folder {
    fn new() -> Folder {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("image.png");
        Folder { folder, path }
    }

    fn with(content: &[u8]) -> Folder {
        let folder = Folder::new();
        fs::write(&folder.path, content).unwrap();
        folder
    }

    #[track_caller]
    fn check(&self, content: &[u8]) {
        assert!(fs::read(&self.path).unwrap() == content, "other bytes");
        let names = fs::read_dir(self.folder.path()).unwrap();
        let names: Vec<_> = names.map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["image.png"]);
    }

    fn identity(&self) -> Identity {
        Identity::of(&fs::File::open(&self.path).unwrap()).unwrap()
    }
}

fn write(writer: &mut ChangeWriter, bytes: &[u8]) -> Result<(), Error> {
    Ok(writer.write_all(bytes).map_err(ErrorKind::Write)?)
}

/// Saves `bytes` in pieces.
fn save(path: &Path, bytes: &[u8], piece: usize) -> Result<Outcome, Error> {
    let ((), outcome) = replace_if_changed(path, false, |writer| {
        let mut position = 0;
        for piece in bytes.chunks(piece) {
            write(writer, piece)?;
            position += piece.len() as u64;
            assert_eq!(writer.position(), position);
        }
        writer.flush().map_err(ErrorKind::Write)?;
        Ok(())
    })?;
    Ok(outcome)
}

#[track_caller]
fn assert_busy(result: Result<((), Outcome), Error>) {
    let error = io::Error::from(result.unwrap_err());
    assert_eq!(error.kind(), io::ErrorKind::ResourceBusy, "{error}");
    assert_eq!(
        error.to_string(),
        "could not write: the file was changed by others during the save"
    );
}

#[test]
fn equal_files_are_untouched() {
    for length in LENGTHS {
        let content = bytes(length);
        let folder = Folder::with(&content);
        // So old that a read would set it.
        let past = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000);
        let file = fs::File::options().write(true).open(&folder.path).unwrap();
        let times = fs::FileTimes::new().set_accessed(past).set_modified(past);
        file.set_times(times).unwrap();
        drop(file);
        let before = fs::metadata(&folder.path).unwrap();
        let identity = folder.identity();
        let folder_before = fs::metadata(folder.folder.path()).unwrap();
        for piece in [7, 1000, 64 << 10, 1 << 20] {
            let outcome = save(&folder.path, &content, piece).unwrap();
            assert!(outcome.unchanged, "{length} bytes in pieces of {piece}");
            assert_eq!(outcome.identity.as_ref(), Some(&identity));
        }
        let after = fs::metadata(&folder.path).unwrap();
        assert_eq!(before.modified().unwrap(), after.modified().unwrap());
        // A temporary file would set this.
        let folder_after = fs::metadata(folder.folder.path()).unwrap();
        assert_eq!(
            folder_before.modified().unwrap(),
            folder_after.modified().unwrap()
        );
        #[cfg(target_os = "linux")]
        assert_eq!(before.accessed().unwrap(), after.accessed().unwrap());
        folder.check(&content);
        assert_eq!(folder.identity(), identity);
    }
}

#[test]
fn any_difference_is_written() {
    for length in LENGTHS {
        let new = bytes(length);
        let mut olds = vec![[&new[..], &[7]].concat(), [&new[..], &new[..]].concat()];
        for at in [0, 1, 65_535, 65_536, length.wrapping_sub(1)] {
            if at < length {
                let mut old = new.clone();
                old[at] ^= 1;
                olds.push(old);
                olds.push(new[..at].to_vec());
            }
        }
        olds.retain(|old| *old != new);
        for old in olds {
            for piece in [7, 70_000] {
                let folder = Folder::with(&old);
                let outcome = save(&folder.path, &new, piece).unwrap();
                assert!(!outcome.unchanged, "{} and {length} bytes", old.len());
                folder.check(&new);
                assert_eq!(outcome.identity, Some(folder.identity()));
                assert!(save(&folder.path, &new, piece).unwrap().unchanged);
            }
        }
    }
}

#[test]
fn the_state_is_told() {
    let folder = Folder::with(b"0123456789");
    let ((), outcome) = replace_if_changed(&folder.path, false, |writer| {
        assert_eq!(writer.identity(), Some(&folder.identity()));
        assert!(writer.is_equal_so_far());
        write(writer, b"0123")?;
        assert!(writer.is_equal_so_far());
        write(writer, b"45xx")?;
        assert!(!writer.is_equal_so_far());
        assert_eq!(writer.position(), 8);
        assert!(!writer.skip(0) && !writer.skip(1));
        // The identity is still that of the old file.
        assert_eq!(writer.identity(), Some(&folder.identity()));
        Ok(())
    })
    .unwrap();
    assert!(!outcome.unchanged);
    folder.check(b"012345xx");
}

#[test]
fn a_missing_file_is_created() {
    let folder = Folder::new();
    let ((), outcome) = replace_if_changed(&folder.path, false, |writer| {
        assert_eq!(writer.identity(), None);
        assert!(!writer.is_equal_so_far() && !writer.skip(0));
        write(writer, b"new")
    })
    .unwrap();
    assert!(!outcome.unchanged);
    assert_eq!(outcome.identity, Some(folder.identity()));
    folder.check(b"new");
}

/// The caller of `skip` vouches for the bytes: they are not compared.
#[test]
fn skipped_bytes_are_kept() {
    let old = bytes(200_000);
    // Skips a part, once from the start and once within the buffer.
    for (first, count) in [(0, 200_000), (0, 5), (10, 5), (10, 150_000), (65_536, 1)] {
        let rest = &old[first + count..];
        let folder = Folder::with(&old);
        let ((), outcome) = replace_if_changed(&folder.path, false, |writer| {
            write(writer, &old[..first])?;
            assert!(!writer.skip(200_001 - first as u64));
            assert!(writer.skip(count as u64));
            assert!(writer.is_equal_so_far());
            assert_eq!(writer.position(), (first + count) as u64);
            write(writer, rest)
        })
        .unwrap();
        assert!(outcome.unchanged);
        folder.check(&old);

        let ((), outcome) = replace_if_changed(&folder.path, false, |writer| {
            write(writer, &old[..first])?;
            assert!(writer.skip(count as u64));
            assert!(!writer.skip(u64::MAX));
            write(writer, b"end")
        })
        .unwrap();
        assert!(!outcome.unchanged);
        folder.check(&[&old[..first + count], b"end"].concat());
    }
    // All of the file, and less than all of it.
    let folder = Folder::with(b"0123456789");
    let ((), outcome) = replace_if_changed(&folder.path, false, |writer| {
        assert!(writer.skip(10) && writer.skip(0) && !writer.skip(1));
        Ok(())
    })
    .unwrap();
    assert!(outcome.unchanged);
    replace_if_changed(&folder.path, false, |writer| {
        assert!(writer.skip(9));
        Ok(())
    })
    .unwrap();
    folder.check(b"012345678");
}

#[test]
fn a_file_that_changes_during_the_save() {
    let append = |path: &Path| {
        let mut file = fs::File::options().append(true).open(path).unwrap();
        file.write_all(b"!").unwrap();
    };
    let old = bytes(200_000);
    let changed = [&old[..], b"!"].concat();

    // The bytes were equal.
    let folder = Folder::with(&old);
    assert_busy(replace_if_changed(&folder.path, false, |writer| {
        write(writer, &old)?;
        append(&folder.path);
        Ok(())
    }));
    folder.check(&changed);

    // They were skipped.
    let folder = Folder::with(&old);
    assert_busy(replace_if_changed(&folder.path, false, |writer| {
        append(&folder.path);
        assert!(writer.skip(200_000));
        Ok(())
    }));
    folder.check(&changed);

    // A part was copied before the change, or after it.
    for before in [true, false] {
        let folder = Folder::with(&old);
        assert_busy(replace_if_changed(&folder.path, false, |writer| {
            write(writer, &old[..100_000])?;
            if before {
                append(&folder.path);
            }
            write(writer, b"different")?;
            if !before {
                append(&folder.path);
            }
            Ok(())
        }));
        folder.check(&changed);
    }

    // It became shorter than the part that was compared.
    let folder = Folder::with(&old);
    assert_busy(replace_if_changed(&folder.path, false, |writer| {
        write(writer, &old[..100_000])?;
        let file = fs::File::options().write(true).open(&folder.path).unwrap();
        file.set_len(10).unwrap();
        write(writer, b"different")
    }));
    folder.check(&old[..10]);

    // Its length is the same, and its time of modification is set back. A clock
    // of the system may tick only each 10 ms.
    #[cfg(unix)]
    {
        let folder = Folder::with(&old);
        let time = fs::metadata(&folder.path).unwrap().modified().unwrap();
        std::thread::sleep(std::time::Duration::from_millis(30));
        assert_busy(replace_if_changed(&folder.path, false, |writer| {
            write(writer, &old)?;
            fs::write(&folder.path, vec![1; 200_000]).unwrap();
            let file = fs::File::options().write(true).open(&folder.path).unwrap();
            file.set_modified(time).unwrap();
            Ok(())
        }));
        folder.check(&vec![1; 200_000]);
    }

    // No byte of it is used.
    let folder = Folder::with(&old);
    replace_if_changed(&folder.path, false, |writer| {
        append(&folder.path);
        write(writer, b"different")?;
        append(&folder.path);
        Ok(())
    })
    .unwrap();
    folder.check(b"different");
}

/// The old file loses its name while it is compared or after a part of it was
/// copied. Its content is the same.
#[cfg(unix)]
#[test]
fn another_file_takes_the_place() {
    let old = bytes(200_000);
    let different = [&old[..100_000], b"different"].concat();
    let take_place = |folder: &Folder| {
        // So that the time of change is another one.
        std::thread::sleep(std::time::Duration::from_millis(30));
        let other = folder.folder.path().join("other");
        fs::write(&other, "other").unwrap();
        fs::rename(&other, &folder.path).unwrap();
    };

    // Equal: as if the other file had come after the save.
    let folder = Folder::with(&old);
    let ((), outcome) = replace_if_changed(&folder.path, false, |writer| {
        write(writer, &old[..70_000])?;
        take_place(&folder);
        assert!(writer.skip(10));
        write(writer, &old[70_010..])
    })
    .unwrap();
    assert!(outcome.unchanged && outcome.identity.is_none());
    folder.check(b"other");

    // Different: as if the other file had come before the save.
    for before in [true, false] {
        let folder = Folder::with(&old);
        let ((), outcome) = replace_if_changed(&folder.path, false, |writer| {
            write(writer, &old[..100_000])?;
            if before {
                take_place(&folder);
            }
            write(writer, b"different")?;
            if !before {
                take_place(&folder);
            }
            Ok(())
        })
        .unwrap();
        assert!(!outcome.unchanged);
        assert_eq!(outcome.identity, Some(folder.identity()));
        folder.check(&different);
    }

    // The name is removed.
    let folder = Folder::with(&old);
    let ((), outcome) = replace_if_changed(&folder.path, false, |writer| {
        write(writer, &old[..100_000])?;
        fs::remove_file(&folder.path).unwrap();
        write(writer, b"different")
    })
    .unwrap();
    assert!(!outcome.unchanged);
    folder.check(&different);

    // The content changes, and then the name is lost.
    let folder = Folder::with(&old);
    assert_busy(replace_if_changed(&folder.path, false, |writer| {
        write(writer, &old)?;
        let mut file = fs::File::options().append(true).open(&folder.path).unwrap();
        file.write_all(b"!").unwrap();
        take_place(&folder);
        Ok(())
    }));
    folder.check(b"other");

    // The file has a second name, by which it could be written.
    let folder = Folder::with(&old);
    let elsewhere = tempfile::tempdir_in(folder.folder.path().parent().unwrap()).unwrap();
    fs::hard_link(&folder.path, elsewhere.path().join("second")).unwrap();
    assert_busy(replace_if_changed(&folder.path, false, |writer| {
        write(writer, &old)?;
        take_place(&folder);
        Ok(())
    }));
    folder.check(b"other");
}

#[test]
fn failures_change_nothing() {
    for content in [&b"same"[..], b"different"] {
        let folder = Folder::with(b"same, and more");
        let result: Result<((), _), _> = replace_if_changed(&folder.path, false, |writer| {
            write(writer, content)?;
            Err(ErrorKind::Cancelled.into())
        });
        assert!(matches!(result.unwrap_err().kind(), ErrorKind::Cancelled));
        folder.check(b"same, and more");

        let caught = catch_unwind(AssertUnwindSafe(|| {
            let _: Result<((), _), _> = replace_if_changed(&folder.path, false, |writer| {
                write(writer, content)?;
                std::panic::resume_unwind(Box::new("boo"));
            });
        }));
        assert!(caught.is_err());
        folder.check(b"same, and more");
    }
}

/// The identity that a rename leaves. Another file with the same content is not
/// the renamed file.
#[cfg(unix)]
#[test]
fn renamed_files_are_recognized() {
    let folder = Folder::with(b"one");
    let before = folder.identity();
    let other = folder.folder.path().join("other");
    fs::rename(&folder.path, &other).unwrap();
    fs::write(&folder.path, "two").unwrap();
    let time = fs::metadata(&other).unwrap().modified().unwrap();
    let file = fs::File::options().write(true).open(&folder.path).unwrap();
    file.set_modified(time).unwrap();
    assert!(!folder.identity().is_renamed(&before));
    fs::rename(&other, &folder.path).unwrap();
    assert!(folder.identity().is_renamed(&before));
    fs::write(&folder.path, "three").unwrap();
    assert!(!folder.identity().is_renamed(&before));
}

#[cfg(unix)]
mod unix {
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::process::Command;

    use super::*;

    #[test]
    fn links_are_followed() {
        let folder = tempfile::tempdir().unwrap();
        let (link, target) = (
            folder.path().join("link.png"),
            folder.path().join("target.png"),
        );
        symlink("target.png", &link).unwrap();
        for (content, unchanged) in [("one", false), ("one", true), ("two", false)] {
            let outcome = save(&link, content.as_bytes(), 10).unwrap();
            assert_eq!(outcome.unchanged, unchanged);
            assert_eq!(fs::read(&target).unwrap(), content.as_bytes());
            assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
            let file = fs::File::open(&target).unwrap();
            assert_eq!(outcome.identity, Some(Identity::of(&file).unwrap()));
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn pipes_are_written_to() {
        let outcome = save(Path::new("/dev/null"), b"new", 10).unwrap();
        assert!(!outcome.unchanged && outcome.identity.is_none());
        let folder = Folder::new();
        let made = Command::new("mkfifo").arg(&folder.path).status();
        if made.is_ok_and(|status| status.success()) {
            let path = folder.path.clone();
            let reader = std::thread::spawn(move || fs::read(path).unwrap());
            let outcome = save(&folder.path, b"new", 10).unwrap();
            assert!(!outcome.unchanged && outcome.identity.is_none());
            assert_eq!(reader.join().unwrap(), b"new");
        }
    }

    #[test]
    fn permissions_stay() {
        let folder = Folder::with(b"old");
        let mode = fs::Permissions::from_mode(0o604);
        fs::set_permissions(&folder.path, mode.clone()).unwrap();
        save(&folder.path, b"new", 10).unwrap();
        let now = fs::metadata(&folder.path).unwrap().permissions();
        assert_eq!(now.mode() & 0o7777, mode.mode());
        folder.check(b"new");
    }

    const FOREIGN: &str = "PIXVIEW_TEST_FOREIGN";

    fn set_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    /// What permissions decide. Does nothing for the superuser, who has them
    /// all: `permissions_decide` runs this for another user then.
    fn as_somebody() {
        // The file of another user, whose time of last access the caller may not
        // keep.
        if let Some(path) = std::env::var_os(FOREIGN) {
            assert!(save(path.as_ref(), b"same", 10).unwrap().unchanged);
        }

        // A file that the caller may write to but not read is replaced.
        let folder = Folder::with(b"same");
        set_mode(&folder.path, 0o200);
        let outcome = save(&folder.path, b"same", 10).unwrap();
        assert!(!outcome.unchanged);
        let mode = fs::metadata(&folder.path).unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, 0o200);
        set_mode(&folder.path, 0o600);
        folder.check(b"same");

        // An equal file may be in a folder that the caller may not write to. A
        // different file may not.
        set_mode(folder.folder.path(), 0o500);
        let result = (
            save(&folder.path, b"same", 10),
            save(&folder.path, b"saxx", 10),
        );
        set_mode(folder.folder.path(), 0o700);
        assert!(result.0.unwrap().unchanged);
        let error = io::Error::from(result.1.unwrap_err());
        assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
        folder.check(b"same");

        // A file that the caller may not write to is refused, even if it is
        // equal.
        set_mode(&folder.path, 0o400);
        let error = io::Error::from(save(&folder.path, b"same", 10).unwrap_err());
        assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
        folder.check(b"same");
    }

    #[test]
    fn permissions_decide() {
        let folder = Folder::with(b"same");
        set_mode(&folder.path, 0);
        if fs::File::open(&folder.path).is_err() {
            return as_somebody();
        }
        // The superuser. The folder of the tests may be closed to others.
        let program = folder.folder.path().join("program");
        fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
        set_mode(&program, 0o755);
        set_mode(&folder.path, 0o666);
        set_mode(folder.folder.path(), 0o755);
        let arguments = ["--reuid=2001", "--regid=2001", "--clear-groups"];
        let output = Command::new("setpriv")
            .args(arguments)
            .arg(program)
            .args(["--exact", "file::tests::unix::permissions_decide"])
            .env(FOREIGN, &folder.path)
            .env_remove("LD_LIBRARY_PATH")
            .output();
        match output {
            Ok(output) => {
                let text = String::from_utf8_lossy(&output.stdout);
                assert!(output.status.success(), "{text}");
                assert!(text.contains("1 passed"), "{text}");
            }
            Err(_) => {
                let _ = writeln!(io::stderr(), "skipped: there is no setpriv");
            }
        }
    }
}
