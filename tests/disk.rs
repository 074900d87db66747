//! Contract 6: saves to disks that are full, read-only, limited, or that change
//! during the save.

#![cfg(target_os = "linux")]

#[path = "common/child.rs"]
mod child;
mod common;

use std::cell::Cell;
use std::error::Error as _;
use std::fs;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use child::skipped;
use pixview::source::{Lease, LiveBytes, SourceError};
use pixview::{Error, ErrorKind, Image, PixelFormat, PixelSource, PngEncoder};

#[test]
#[ignore = "a child process of other tests"]
fn save_from_environment() {
    child::save();
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// Runs the child behind a shell script, which gets the folder as `$0`.
fn run_behind(prefix: &[&str], script: &str, folder: &Path) -> Output {
    let folder = folder.to_str().unwrap();
    let prefix = [prefix, &["sh", "-euc", script, folder]].concat();
    let program = std::env::current_exe().unwrap();
    let path = Path::new(folder).join("image.png");
    child::command(&prefix, &program, &path).output().unwrap()
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A folder with an old file.
fn folder_with_a_file() -> (tempfile::TempDir, PathBuf) {
    let folder = common::folder();
    let path = folder.path().join("image.png");
    fs::write(&path, "old").unwrap();
    (folder, path)
}

/// Saves to a file system of its own, in a name space in which everyone may mount
/// one. `script` changes it before the save. Checks that the old file stays and that
/// nothing is left. Returns what the child says.
fn save_to_a_mount(size: &str, script: &str) -> Option<String> {
    let folder = common::folder();
    let private = ["unshare", "--user", "--map-root-user", "--mount"];
    let mount = format!("mount -t tmpfs -o size={size} pixview \"$0\"");
    let probe = Command::new(private[0])
        .args(&private[1..])
        .args(["sh", "-euc", &mount])
        .arg(folder.path())
        .status();
    if !probe.is_ok_and(|status| status.success()) {
        skipped("no unshare, or it may not mount");
        return None;
    }
    let script = format!(
        "{mount}; printf old > \"$0/image.png\"; {script}; \"$@\"; \
         echo \"names: $(ls -A \"$0\")\"; echo \"content: $(cat \"$0/image.png\")\""
    );
    let said = text(&run_behind(&private, &script, folder.path()));
    assert!(
        said.contains("\nnames: image.png\ncontent: old\n"),
        "{said}"
    );
    Some(said)
}

#[test]
fn a_full_disk() {
    if let Some(said) = save_to_a_mount("100k", "true") {
        assert!(said.contains("could not write: No space left"), "{said}");
    }
}

#[test]
fn a_read_only_disk() {
    if let Some(said) = save_to_a_mount("100k", "mount -o remount,ro \"$0\"") {
        assert!(said.contains("could not write: Read-only"), "{said}");
    }
}

/// The signal ends the process, unless it is ignored. If it is, the write fails.
#[test]
fn a_limit_of_the_file_size() {
    let (folder, path) = folder_with_a_file();
    let script = "ulimit -f 100; trap '' XFSZ; exec \"$@\"";
    let output = run_behind(&[], script, folder.path());
    let said = text(&output);
    assert!(said.contains("could not write: File too large"), "{said}");
    assert_eq!(fs::read(&path).unwrap(), b"old");
    assert_eq!(names(folder.path()), ["image.png"]);

    // No core file.
    let script = "ulimit -c 0; ulimit -f 100; exec \"$@\"";
    let output = run_behind(&[], script, folder.path());
    let signal = output.status.signal();
    assert_eq!(signal, Some(25), "SIGXFSZ: {}", text(&output));
    assert_eq!(fs::read(&path).unwrap(), b"old");
    let left = names(folder.path());
    assert_eq!(left.len(), 2, "{left:?}");
    assert!(left[0].starts_with(".pixview-") && left[0].strip_suffix(".tmp").is_some());
}

/// Live memory that runs a function when its middle is read.
struct Trap<'a>(&'a dyn Fn());

impl LiveBytes for Trap<'_> {
    fn len(&self) -> usize {
        200 * 200
    }

    fn element_size(&self) -> usize {
        1
    }

    fn copy_to(&self, offset: usize, to: &mut [u8]) -> Result<(), SourceError> {
        to.copy_from_slice(&common::noise(to.len(), offset as u64));
        if offset == 100 * 200 {
            (self.0)();
        }
        Ok(())
    }
}

impl PixelSource for Trap<'_> {
    fn lease(&self) -> Result<Lease<'_>, SourceError> {
        Ok(Lease::live(Trap(self.0)))
    }
}

/// Saves to a path and runs `act` in the middle of the save.
fn save_and(path: &Path, act: impl Fn()) -> Result<(), Error> {
    let ran = Cell::new(0);
    let act = || {
        ran.set(ran.get() + 1);
        act();
    };
    let image = Image::from_buffer(Trap(&act), 200, 200, PixelFormat::GRAY8).unwrap();
    let result = image.save(path);
    assert_eq!(ran.get(), 1);
    result
}

#[track_caller]
fn assert_write(error: &Error, kind: io::ErrorKind) {
    assert!(matches!(error.kind(), ErrorKind::Write(_)), "{error}");
    let cause = error.source().unwrap().downcast_ref::<io::Error>();
    assert_eq!(cause.unwrap().kind(), kind, "{error}");
}

#[test]
fn a_folder_that_vanishes() {
    let (folder, path) = folder_with_a_file();
    let error = save_and(&path, || fs::remove_dir_all(folder.path()).unwrap());
    assert_write(&error.unwrap_err(), io::ErrorKind::NotFound);
    assert!(!folder.path().exists());
}

#[test]
fn a_folder_that_takes_the_place() {
    let (folder, path) = folder_with_a_file();
    let error = save_and(&path, || {
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
    });
    assert_write(&error.unwrap_err(), io::ErrorKind::IsADirectory);
    assert!(path.is_dir());
    assert_eq!(names(folder.path()), ["image.png"]);
}

/// Somebody takes the temporary file away.
#[test]
fn a_temporary_file_that_is_removed() {
    let (folder, path) = folder_with_a_file();
    let error = save_and(&path, || {
        let temporary = folder.path().join(&names(folder.path())[0]);
        fs::remove_file(temporary).unwrap();
    });
    assert_write(&error.unwrap_err(), io::ErrorKind::NotFound);
    assert_eq!(fs::read(&path).unwrap(), b"old");
    assert_eq!(names(folder.path()), ["image.png"]);
}

/// The first sync is that of the file, the second that of the folder.
#[test]
fn a_failing_sync() {
    let mut traced = Command::new("strace");
    traced.args(["-o", "/dev/null", "true"]);
    if !traced.status().is_ok_and(|status| status.success()) {
        return skipped("strace is not there, or may not trace");
    }
    for (number, variable) in [
        (1, None),
        (2, None),
        (1, Some(child::NEW)),
        (2, Some(child::NEW)),
        (1, Some(child::IF_CHANGED)),
        (2, Some(child::IF_CHANGED)),
    ] {
        let (folder, path) = folder_with_a_file();
        let mut old = Some(b"old".to_vec());
        if variable == Some(child::NEW) {
            fs::remove_file(&path).unwrap();
            old = None;
        }
        let inject = format!("inject=fsync:error=EIO:when={number}");
        let prefix = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", &inject];
        let program = std::env::current_exe().unwrap();
        let mut command = child::command(&prefix, &program, &path);
        command.env(child::SYNC, "1");
        if let Some(variable) = variable {
            command.env(variable, "1");
        }
        let said = text(&command.output().unwrap());
        let now = fs::read(&path).ok();
        if number == 1 {
            assert!(said.contains("could not write: Input/output"), "{said}");
            assert_eq!(now, old, "{said}");
        } else {
            let message = "the file is in its place, but its folder could not be synced \
                           to the disk: Input/output error";
            assert!(said.contains(message), "{said}");
            assert_eq!(common::decode(&now.unwrap()).width, 300);
        }
        let left = names(folder.path()).len();
        assert_eq!(left, usize::from(old.is_some() || number == 2), "{said}");
    }
}

#[test]
fn syncs_change_no_byte() {
    let (folder, path) = folder_with_a_file();
    let image = Image::from_buffer(vec![7_u8; 16], 4, 4, PixelFormat::GRAY8).unwrap();
    let png = image.to_png().unwrap();
    let mut encoder = PngEncoder::new().sync(true);
    encoder.save(&image, &path).unwrap();
    assert_eq!(fs::read(&path).unwrap(), png);
    assert!(encoder.save_if_changed(&image, &path).unwrap().unchanged);
    fs::write(&path, "other").unwrap();
    assert!(!encoder.save_if_changed(&image, &path).unwrap().unchanged);
    assert_eq!(fs::read(&path).unwrap(), png);
    let new = folder.path().join("new.png");
    encoder.save_new(&image, &new).unwrap();
    assert_eq!(fs::read(&new).unwrap(), png);
    let error = encoder.save_new(&image, &new).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::FileExists), "{error}");
    assert_eq!(names(folder.path()), ["image.png", "new.png"]);
    // A device cannot be synced, and a writer is not.
    encoder.save(&image, "/dev/null").unwrap();
    let mut written = Vec::new();
    encoder.write(&image, &mut written).unwrap();
    assert_eq!(written, png);
}
