//! Contract 6: `save` replaces the path atomically. After an error, a panic
//! or a kill the old file is as it was, and after an error or a panic no
//! temporary file is left. And what paths of every kind do.

#[cfg(target_os = "linux")]
#[path = "common/child.rs"]
mod child;
mod common;

use std::cell::Cell;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::Command;

use common::decode;
use pixview::source::{Lease, LiveBytes, SourceError};
use pixview::{ErrorKind, Image, PixelFormat, PixelSource};

fn gray(value: u8) -> Image<Vec<u8>> {
    Image::from_buffer(vec![value; 16], 4, 4, PixelFormat::GRAY8).unwrap()
}

fn value_of(path: &Path) -> u16 {
    decode(&fs::read(path).unwrap()).samples[0]
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// Does something unfriendly when a certain row of 200 is read.
struct Trap<'a>(usize, &'a dyn Fn() -> Result<(), SourceError>);

impl LiveBytes for Trap<'_> {
    fn len(&self) -> usize {
        200 * 200
    }

    fn element_size(&self) -> usize {
        1
    }

    fn copy_to(&self, offset: usize, to: &mut [u8]) -> Result<(), SourceError> {
        to.copy_from_slice(&common::noise(to.len(), offset as u64));
        if offset == self.0 * 200 {
            (self.1)()?;
        }
        Ok(())
    }
}

impl PixelSource for Trap<'_> {
    fn lease(&self) -> Result<Lease<'_>, SourceError> {
        Ok(Lease::live(Trap(self.0, self.1)))
    }
}

fn trapped_at(row: usize, trap: &dyn Fn() -> Result<(), SourceError>) -> Image<Trap<'_>> {
    Image::from_buffer(Trap(row, trap), 200, 200, PixelFormat::GRAY8).unwrap()
}

fn trapped(trap: &dyn Fn() -> Result<(), SourceError>) -> Image<Trap<'_>> {
    trapped_at(100, trap)
}

#[test]
fn replaces_a_file() {
    let folder = common::folder();
    let path = folder.path().join("image.png");
    for value in [1, 2, 3] {
        gray(value).save(&path).unwrap();
        assert_eq!(value_of(&path), value.into());
        assert_eq!(names(folder.path()), ["image.png"]);
    }
}

#[test]
fn an_error_or_a_panic_changes_nothing() {
    for old in [None, Some(b"not even a PNG")] {
        let folder = common::folder();
        let path = folder.path().join("image.png");
        if let Some(old) = old {
            fs::write(&path, old).unwrap();
        }
        let unchanged = || {
            assert_eq!(fs::read(&path).ok().as_deref(), old.map(|old| &old[..]));
            assert_eq!(
                names(folder.path()).len(),
                old.iter().len(),
                "a temporary file is left"
            );
        };

        let during = Cell::new(0);
        let error = trapped(&|| {
            during.set(names(folder.path()).len());
            Err(SourceError::other("gone"))
        })
        .save(&path)
        .unwrap_err();
        assert_eq!(
            during.get(),
            old.iter().len() + 1,
            "it had been writing beside"
        );
        assert_eq!(error.path(), Some(&*path));
        assert_eq!(error.row(), Some(100));
        assert_eq!(
            format!("{error:#}"),
            format!(
                "{}: row 100: the pixel source failed: it reports an error of its own: gone",
                path.display()
            )
        );
        unchanged();

        let panicking = trapped(&|| std::panic::resume_unwind(Box::new("boo")));
        let caught = catch_unwind(AssertUnwindSafe(|| panicking.save(&path)));
        assert_eq!(*caught.unwrap_err().downcast::<&str>().unwrap(), "boo");
        unchanged();
    }
}

/// Killed at the first row, in the middle or at the last: the old file is
/// byte-identical. What is left behind is named so that nobody takes it for an
/// image.
#[test]
fn a_kill_leaves_the_old_file() {
    const PATH: &str = "PIXVIEW_TEST_SAVE_AND_ABORT";
    const ROW: &str = "PIXVIEW_TEST_ABORT_AT_ROW";
    if let Some(path) = std::env::var_os(PATH) {
        let row = std::env::var(ROW).unwrap().parse().unwrap();
        let image = trapped_at(row, &|| std::process::abort());
        let _ = image.save(path);
        unreachable!("the child must not live to see this");
    }
    for row in [0, 100, 199] {
        let folder = common::folder();
        let path = folder.path().join("image.png");
        gray(7).save(&path).unwrap();
        let old = fs::read(&path).unwrap();
        let status = Command::new(std::env::current_exe().unwrap())
            .args(["a_kill_leaves_the_old_file", "--exact", "--nocapture"])
            .env(PATH, &path)
            .env(ROW, row.to_string())
            .stderr(std::process::Stdio::null())
            .stdout(std::process::Stdio::null())
            .status()
            .unwrap();
        assert!(!status.success(), "the child was to be killed");
        assert_eq!(fs::read(&path).unwrap(), old);
        let left = names(folder.path());
        assert_eq!(left.len(), 2, "it was killed while it was writing");
        assert!(
            left[0].starts_with(".pixview-") && !left[0].ends_with("png"),
            "{left:?}"
        );
    }
}

#[cfg(target_os = "linux")]
#[test]
#[ignore = "a child process of other tests"]
fn save_from_environment() {
    child::save();
}

/// NFS and others may say only at close that the disk is full: that is an
/// error of the save, and the old file is still there.
#[cfg(target_os = "linux")]
#[test]
fn a_failing_close() {
    let folder = common::folder();
    let path = folder.path().join("image.png");
    let (mut ran, mut errors) = (0, 0);
    // Which close it is that fails is tried out. (Some are the loader's.)
    for number in 1..=8 {
        fs::write(&path, b"old").unwrap();
        let inject = format!("inject=close:error=EDQUOT:when={number}");
        let prefix = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", &inject];
        let program = std::env::current_exe().unwrap();
        let Ok(output) = child::command(&prefix, &program, &path).output() else {
            break;
        };
        let output = String::from_utf8(output.stdout).unwrap();
        let new = fs::read(&path).unwrap();
        if output.contains("saved: Ok") {
            assert_eq!(decode(&new).width, 300);
            ran += 1;
        } else {
            assert_eq!(new, b"old");
            let quota = "could not write: Disk quota exceeded";
            errors += usize::from(output.contains(quota));
        }
        assert_eq!(names(folder.path()), ["image.png"]);
    }
    if ran == 0 {
        child::skipped("strace is not there, or may not trace");
        return;
    }
    assert_eq!(errors, 1, "an error at close was ignored");
}

/// A folder that is renamed during a save takes the file along.
#[cfg(unix)]
#[test]
fn a_folder_that_is_renamed() {
    for old in [false, true] {
        let folder = common::folder();
        let (here, there) = (folder.path().join("here"), folder.path().join("there"));
        fs::create_dir(&here).unwrap();
        let path = here.join("image.png");
        if old {
            gray(1).save(&path).unwrap();
        }
        let rename = || {
            fs::rename(&here, &there).unwrap();
            fs::create_dir(&here).unwrap();
            Ok(())
        };
        let result = trapped(&rename).save(&path);
        assert_eq!(names(&there), ["image.png"], "{result:?}");
        assert!(names(&here).is_empty());
        result.unwrap();
        assert_eq!(
            decode(&fs::read(there.join("image.png")).unwrap()).width,
            200
        );

        // If the save fails as well, nothing is left in either.
        let path = there.join("image.png");
        let fail = || {
            fs::remove_dir(&here).unwrap();
            fs::rename(&there, &here).unwrap();
            Err(SourceError::other("gone"))
        };
        trapped(&fail).save(&path).unwrap_err();
        assert_eq!(names(&here), ["image.png"]);
    }
}

/// Whoever waits for the old file to be written to hears nothing, because
/// nothing is written to it.
#[cfg(target_os = "linux")]
#[test]
fn watchers_of_the_old_file() {
    use rustix::fs::inotify::{CreateFlags, ReadFlags, Reader, WatchFlags, add_watch, init};
    let folder = common::folder();
    let path = folder.path().join("image.png");
    gray(1).save(&path).unwrap();
    let watch = init(CreateFlags::NONBLOCK).unwrap();
    add_watch(&watch, &path, WatchFlags::ALL_EVENTS).unwrap();
    gray(2).save(&path).unwrap();
    let mut buffer = [std::mem::MaybeUninit::uninit(); 4096];
    let mut reader = Reader::new(&watch, &mut buffer);
    let mut seen = ReadFlags::empty();
    while let Ok(event) = reader.next() {
        seen |= event.events();
    }
    let opened = ReadFlags::OPEN | ReadFlags::MODIFY | ReadFlags::CLOSE_WRITE;
    assert!(!seen.intersects(opened), "{seen:?}");
    assert!(seen.contains(ReadFlags::DELETE_SELF), "{seen:?}");
}

#[test]
fn extensions() {
    let folder = common::folder();
    for name in [
        "a.png",
        "b.PNG",
        "c.Png",
        "no-extension",
        ".png",
        "d.tar.png",
    ] {
        let path = folder.path().join(name);
        gray(1).save(&path).unwrap();
        assert_eq!(value_of(&path), 1, "{name}");
    }
    for (name, extension) in [
        ("a.jpg", "jpg"),
        ("b.png.tmp", "tmp"),
        ("c.", ""),
        ("d.pngx", "pngx"),
    ] {
        let path = folder.path().join(name);
        // Told before a pixel is read.
        let error = trapped(&|| unreachable!()).save(&path).unwrap_err();
        assert!(
            matches!(error.kind(), ErrorKind::UnknownExtension { extension: e, .. } if e == extension),
            "{error}"
        );
        assert_eq!(
            error.to_string(),
            format!(
                "{}: unknown file extension {extension:?}: only \"png\" can be written; \
                 PngEncoder::write takes a file of any name",
                path.display()
            )
        );
        assert!(!path.exists());
    }
}

#[test]
fn paths_that_cannot_be_written() {
    let folder = common::folder();
    let file = folder.path().join("file.png");
    gray(1).save(&file).unwrap();
    let before = names(folder.path());
    for path in [
        folder.path().to_owned(),
        folder.path().join("missing/image.png"),
        folder.path().join("missing/"),
        folder.path().join("missing.png/"),
        folder.path().join("missing/."),
        folder.path().join("missing/.."),
        file.join("image.png"),
        Path::new("").to_owned(),
        Path::new("nul\0.png").to_owned(),
    ] {
        // Told before a pixel is read.
        let error = trapped(&|| unreachable!()).save(&path).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Write(_)), "{error}");
        assert_eq!(error.path(), Some(&*path));
        use std::error::Error as _;
        assert!(
            error
                .source()
                .unwrap()
                .downcast_ref::<std::io::Error>()
                .is_some()
        );
    }
    assert_eq!(names(folder.path()), before);
    assert_eq!(value_of(&file), 1);
}

#[cfg(unix)]
mod unix {
    use std::fs::File;
    use std::io::Read;
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    #[test]
    fn permissions() {
        let folder = common::folder();
        // A new file gets what any new file gets.
        let (ours, theirs) = (folder.path().join("a.png"), folder.path().join("b.png"));
        gray(1).save(&ours).unwrap();
        File::create(&theirs).unwrap();
        assert_eq!(mode(&ours), mode(&theirs));
        // An old one keeps its own.
        for bits in [0o600, 0o640, 0o664, 0o666, 0o755] {
            fs::set_permissions(&ours, fs::Permissions::from_mode(bits)).unwrap();
            gray(2).save(&ours).unwrap();
            assert_eq!(mode(&ours), bits, "{bits:o}");
            assert_eq!(value_of(&ours), 2);
        }
        // Its owner too, where we may give files away.
        if std::os::unix::fs::chown(&ours, Some(1234), Some(4321)).is_ok() {
            gray(3).save(&ours).unwrap();
            let metadata = fs::metadata(&ours).unwrap();
            assert_eq!((metadata.uid(), metadata.gid()), (1234, 4321));
            assert_eq!(value_of(&ours), 3);
        }
    }

    #[test]
    fn a_read_only_file_is_not_replaced() {
        let folder = common::folder();
        let path = folder.path().join("image.png");
        gray(1).save(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o444)).unwrap();
        // The superuser may write it all the same, so this is what opening it
        // says and not a fixed answer.
        let may_write = fs::OpenOptions::new().write(true).open(&path).is_ok();
        assert_eq!(gray(2).save(&path).is_ok(), may_write);
        assert_eq!(value_of(&path), 1 + u16::from(may_write));
        assert_eq!(mode(&path), 0o444);
        assert_eq!(names(folder.path()), ["image.png"]);
    }

    #[test]
    fn symbolic_links() {
        let folder = common::folder();
        let (target, link) = (
            folder.path().join("target.png"),
            folder.path().join("link.png"),
        );
        let other = folder.path().join("other");
        fs::create_dir(&other).unwrap();
        let far = other.join("far.png");
        symlink("target.png", &link).unwrap();
        symlink("../link.png", &far).unwrap();

        // To nothing: the target is created.
        gray(1).save(&far).unwrap();
        assert_eq!(value_of(&target), 1);
        // To a file: the target is replaced.
        gray(2).save(&far).unwrap();
        gray(3).save(&link).unwrap();
        assert_eq!(value_of(&target), 3);
        for link in [&link, &far] {
            assert!(fs::symlink_metadata(link).unwrap().is_symlink());
        }
        assert_eq!(names(folder.path()), ["link.png", "other", "target.png"]);
        assert_eq!(names(&other), ["far.png"]);

        // To nothing in a folder that is not there, and in a circle.
        let lost = folder.path().join("lost.png");
        symlink("no-folder/image.png", &lost).unwrap();
        assert!(gray(4).save(&lost).is_err());
        let (a, b) = (folder.path().join("a.png"), folder.path().join("b.png"));
        symlink("b.png", &a).unwrap();
        symlink("a.png", &b).unwrap();
        assert!(gray(4).save(&a).is_err());
        // The link's own name counts, not its target's.
        let strange = folder.path().join("strange.png");
        symlink("target.raw", &strange).unwrap();
        gray(5).save(&strange).unwrap();
        assert_eq!(value_of(&folder.path().join("target.raw")), 5);
    }

    #[test]
    fn other_hard_links_keep_the_old_file() {
        let folder = common::folder();
        let (one, two) = (folder.path().join("one.png"), folder.path().join("two.png"));
        gray(1).save(&one).unwrap();
        fs::hard_link(&one, &two).unwrap();
        gray(2).save(&one).unwrap();
        assert_eq!((value_of(&one), value_of(&two)), (2, 1));
    }

    #[test]
    fn pipes_and_devices_are_written_to() {
        let folder = common::folder();
        let pipe = folder.path().join("pipe");
        let made = Command::new("mkfifo").arg(&pipe).status();
        if made.is_ok_and(|status| status.success()) {
            let reader = {
                let pipe = pipe.clone();
                std::thread::spawn(move || {
                    let mut bytes = Vec::new();
                    File::open(pipe).unwrap().read_to_end(&mut bytes).unwrap();
                    bytes
                })
            };
            gray(9).save(&pipe).unwrap();
            assert_eq!(decode(&reader.join().unwrap()).samples[0], 9);
            assert_eq!(names(folder.path()), ["pipe"]);
        }
        gray(9).save("/dev/null").unwrap();
        if Path::new("/dev/full").exists() {
            use std::error::Error as _;
            let error = gray(9).save("/dev/full").unwrap_err();
            let beneath = error.source().unwrap().downcast_ref::<std::io::Error>();
            assert_eq!(beneath.unwrap().kind(), std::io::ErrorKind::StorageFull);
        }
    }

    /// `program > file` where the program saves to `/dev/stdout`: the file is
    /// somebody else's, so it is neither replaced nor written over.
    #[cfg(target_os = "linux")]
    #[test]
    fn open_descriptors_of_files_are_refused() {
        use std::os::fd::AsRawFd;
        let folder = common::folder();
        let log = folder.path().join("program.log");
        fs::write(&log, "precious").unwrap();
        let file = File::open(&log).unwrap();
        let link = folder.path().join("link.png");
        let descriptor = format!("/proc/self/fd/{}", file.as_raw_fd());
        symlink(&descriptor, &link).unwrap();
        for path in [Path::new(&descriptor), &link] {
            let error = gray(1).save(path).unwrap_err();
            assert!(matches!(error.kind(), ErrorKind::Write(_)), "{error:#}");
        }
        assert_eq!(fs::read(&log).unwrap(), b"precious");
        assert_eq!(names(folder.path()), ["link.png", "program.log"]);
    }

    #[test]
    fn names_that_are_not_text() {
        use std::os::unix::ffi::OsStrExt;
        let folder = common::folder();
        let path = folder
            .path()
            .join(std::ffi::OsStr::from_bytes(b"caf\xe9.png"));
        gray(4).save(&path).unwrap();
        assert_eq!(value_of(&path), 4);
        let strange = folder.path().join(std::ffi::OsStr::from_bytes(b"a.\xff"));
        let error = gray(4).save(&strange).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::UnknownExtension { .. }));
    }
}
