//! Contract 6: `save_new` replaces nothing. Whoever finds the new file finds it
//! complete, and a name that others take meanwhile stays theirs.

#[cfg(target_os = "linux")]
#[path = "common/child.rs"]
mod child;
mod common;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::ops::ControlFlow::{self, Break, Continue};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::rc::Rc;

use common::{decode, decode_zune};
use pixview::{ErrorKind, Image, PixelFormat, PngEncoder};

/// An image of several strips.
fn picture() -> Image<Vec<u8>> {
    let bytes = common::noise(1000 * 1200, 1);
    Image::from_buffer(bytes, 1000, 1200, PixelFormat::GRAY8).unwrap()
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

fn is_temporary(name: &str) -> bool {
    name.starts_with(".pixview-") && name.strip_suffix(".tmp").is_some()
}

#[track_caller]
fn assert_exists(result: Result<impl Sized, pixview::Error>, path: &Path) {
    let Err(error) = result else {
        panic!("the path existed: {}", path.display())
    };
    assert!(matches!(error.kind(), ErrorKind::FileExists), "{error}");
    assert_eq!(error.path(), Some(path));
    assert_eq!(error.row(), None);
    assert_eq!(
        error.to_string(),
        format!(
            "{}: the path exists already: save_new replaces nothing",
            path.display()
        )
    );
    let error = std::io::Error::from(error);
    assert_eq!(error.kind(), std::io::ErrorKind::AlreadyExists);
}

/// A save that is made to do something after its first strip.
fn save_and(
    path: &Path,
    mut act: impl FnMut() -> ControlFlow<()> + Send + 'static,
) -> Result<(), pixview::Error> {
    let mut encoder = PngEncoder::new().on_progress(move |progress| {
        if progress.rows < progress.total {
            return act();
        }
        Continue(())
    });
    encoder.save_new(&picture(), path).map(drop)
}

#[test]
fn a_new_file() {
    let folder = common::folder();
    let image = picture();
    for name in ["a.png", "b.PNG", "no-extension"] {
        let path = folder.path().join(name);
        PngEncoder::new().save_new(&image, &path).unwrap();
        assert!(fs::read(&path).unwrap() == image.to_png().unwrap());
        assert_exists(PngEncoder::new().save_new(&image, &path), &path);
    }
    assert_eq!(names(folder.path()), ["a.png", "b.PNG", "no-extension"]);
}

/// What exists is reported before a pixel is read, and stays as it is.
#[test]
fn existing_paths() {
    let folder = common::folder();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("file.png"), "old").unwrap();
    fs::write(at("empty.png"), "").unwrap();
    fs::create_dir(at("folder.png")).unwrap();
    let mut paths = vec![at("file.png"), at("empty.png"), at("folder.png")];
    // The standard library drops the separator of the others.
    #[cfg(unix)]
    {
        use std::os::unix::fs::symlink;
        symlink("file.png", at("link.png")).unwrap();
        symlink("nothing.png", at("dangling.png")).unwrap();
        symlink("circle.png", at("circle.png")).unwrap();
        paths.extend(["link.png", "dangling.png", "circle.png", "folder.png/"].map(at));
        paths.extend([at("."), PathBuf::from("/"), PathBuf::from("/dev/null")]);
        // Opening the pipe would block.
        let made = Command::new("mkfifo").arg(at("pipe")).status();
        if made.is_ok_and(|status| status.success()) {
            paths.push(at("pipe"));
        }
    }
    let before = names(folder.path());

    let buffer = Rc::new(RefCell::new(vec![0u8; 16]));
    let image = Image::from_buffer(buffer.clone(), 4, 4, PixelFormat::GRAY8).unwrap();
    // The source cannot be read for now.
    let guard = buffer.borrow_mut();
    for path in &paths {
        assert_exists(PngEncoder::new().save_new(&image, path), path);
    }
    let error = PngEncoder::new().save_new(&image, at("new.png"));
    let error = error.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Source(_)), "{error}");
    drop(guard);

    assert_eq!(names(folder.path()), before);
    assert_eq!(fs::read(at("file.png")).unwrap(), b"old");
    assert_eq!(fs::read(at("empty.png")).unwrap(), b"");
    assert!(names(&at("folder.png")).is_empty());
}

#[test]
fn paths_that_cannot_be_written() {
    let folder = common::folder();
    fs::write(folder.path().join("file.png"), "old").unwrap();
    for name in [
        "missing/image.png",
        "missing/",
        "missing.png/",
        "missing/.",
        "file.png/image.png",
        "nul\0.png",
    ] {
        let path = folder.path().join(name);
        let error = PngEncoder::new().save_new(&picture(), &path).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Write(_)), "{error}");
        assert_eq!(error.path(), Some(&*path));
    }
    let path = folder.path().join("image.jpg");
    let error = PngEncoder::new().save_new(&picture(), &path).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::UnknownExtension { .. }));
    assert_eq!(names(folder.path()), ["file.png"]);
}

#[test]
fn a_path_that_appears_during_the_save() {
    let folder = common::folder();
    let path = folder.path().join("image.png");

    let theirs = path.clone();
    let result = save_and(&path, move || {
        fs::write(&theirs, "theirs").unwrap();
        Continue(())
    });
    assert_exists(result, &path);
    assert_eq!(fs::read(&path).unwrap(), b"theirs");
    assert_eq!(names(folder.path()), ["image.png"]);

    fs::remove_file(&path).unwrap();
    let theirs = path.clone();
    let result = save_and(&path, move || {
        let _ = fs::create_dir(&theirs);
        Continue(())
    });
    assert_exists(result, &path);
    assert!(names(&path).is_empty());
    assert_eq!(names(folder.path()), ["image.png"]);

    fs::remove_dir(&path).unwrap();
    #[cfg(unix)]
    {
        let theirs = path.clone();
        let result = save_and(&path, move || {
            let _ = std::os::unix::fs::symlink("nothing.png", &theirs);
            Continue(())
        });
        assert_exists(result, &path);
        assert_eq!(names(folder.path()), ["image.png"]);
    }
}

#[test]
fn an_error_a_panic_or_a_cancellation_leaves_nothing() {
    let folder = common::folder();
    let path = folder.path().join("image.png");
    let during = folder.path().to_owned();
    let error = save_and(&path, move || {
        let names = names(&during);
        assert!(names.len() == 1 && is_temporary(&names[0]), "{names:?}");
        Break(())
    });
    assert!(matches!(error.unwrap_err().kind(), ErrorKind::Cancelled));
    assert!(names(folder.path()).is_empty());

    let caught = catch_unwind(AssertUnwindSafe(|| {
        save_and(&path, || std::panic::resume_unwind(Box::new("boo")))
    }));
    assert!(caught.is_err());
    assert!(names(folder.path()).is_empty());
}

/// A process that is killed leaves a temporary file at most.
#[test]
fn a_kill_leaves_the_name_free() {
    const PATH: &str = "PIXVIEW_TEST_SAVE_NEW_AND_ABORT";
    if let Some(path) = std::env::var_os(PATH) {
        let _ = save_and(path.as_ref(), || std::process::abort());
        unreachable!("the child must not live to see this");
    }
    let folder = common::folder();
    let path = folder.path().join("image.png");
    let status = Command::new(std::env::current_exe().unwrap())
        .args(["a_kill_leaves_the_name_free", "--exact", "--nocapture"])
        .env(PATH, &path)
        .stderr(Stdio::null())
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert!(!status.success(), "the child was to be killed");
    let left = names(folder.path());
    assert!(left.len() == 1 && is_temporary(&left[0]), "{left:?}");
    PngEncoder::new().save_new(&picture(), &path).unwrap();
}

/// A folder that is renamed during a save takes the file along.
#[cfg(unix)]
#[test]
fn a_folder_that_is_renamed() {
    for cancel in [false, true] {
        let folder = common::folder();
        let (here, there) = (folder.path().join("here"), folder.path().join("there"));
        fs::create_dir(&here).unwrap();
        let (from, to) = (here.clone(), there.clone());
        let result = save_and(&here.join("image.png"), move || {
            if from.exists() {
                fs::rename(&from, &to).unwrap();
            }
            if cancel { Break(()) } else { Continue(()) }
        });
        assert!(!here.exists());
        if cancel {
            result.unwrap_err();
            assert!(names(&there).is_empty());
        } else {
            result.unwrap();
            assert_eq!(names(&there), ["image.png"]);
            assert_eq!(
                decode(&fs::read(there.join("image.png")).unwrap()).width,
                1000
            );
        }
    }
}

/// A new file gets the permissions of any new file.
#[cfg(unix)]
#[test]
fn permissions_of_new_files() {
    use std::os::unix::fs::MetadataExt;
    let folder = common::folder();
    let (ours, theirs) = (folder.path().join("a.png"), folder.path().join("b.png"));
    let compare = || {
        PngEncoder::new().save_new(&picture(), &ours).unwrap();
        fs::File::create(&theirs).unwrap();
        let mode = |path| fs::metadata(path).unwrap().mode();
        assert_eq!(mode(&ours), mode(&theirs));
    };
    compare();
    fs::remove_file(&ours).unwrap();
    fs::remove_file(&theirs).unwrap();
    // The mode shows a default list in the bits of the group.
    let list = Command::new("setfacl")
        .args(["-d", "-m", "u::rw,g::-,o::-,u:1:rw"])
        .arg(folder.path())
        .status();
    if list.is_ok_and(|status| status.success()) {
        compare();
    }
}

/// Saves `COUNT` images under the first free numbers, each of a color of its
/// own. Returns the numbers and the colors.
fn number(folder: &Path, saver: u8) -> Vec<(u32, u8)> {
    let mut encoder = PngEncoder::new();
    let mut taken = Vec::new();
    let mut number = 0;
    for save in 0..COUNT {
        let color = saver * COUNT + save;
        let mut bytes = common::noise(200 * 200, color.into());
        bytes[0] = color;
        let image = Image::from_buffer(bytes, 200, 200, PixelFormat::GRAY8).unwrap();
        loop {
            match encoder.save_new(&image, folder.join(format!("{number}.png"))) {
                Ok(_) => break taken.push((number, color)),
                Err(error) if matches!(error.kind(), ErrorKind::FileExists) => number += 1,
                Err(error) => panic!("{error}"),
            }
        }
    }
    taken
}

const SAVERS: u8 = 8;
const COUNT: u8 = 10;

/// Returns the color of a file that must be complete.
fn color(path: &Path) -> u8 {
    let decoded = decode_zune(&fs::read(path).unwrap());
    assert_eq!((decoded.width, decoded.height), (200, 200));
    decoded.samples[0] as u8
}

/// Checks that each save got a number of its own, and that each file is the one
/// that was saved under its number.
fn check_numbers(folder: &Path, taken: Vec<(u32, u8)>) {
    let saves = taken.len();
    let taken: BTreeMap<u32, u8> = taken.into_iter().collect();
    assert_eq!(saves, usize::from(SAVERS) * usize::from(COUNT));
    assert_eq!(taken.len(), saves, "two saves got the same number");
    assert_eq!(names(folder).len(), saves, "{:?}", names(folder));
    for (number, saved) in taken {
        assert_eq!(color(&folder.join(format!("{number}.png"))), saved);
    }
}

#[test]
fn threads_that_number_their_files() {
    let folder = common::folder();
    let start = std::sync::Barrier::new(SAVERS.into());
    let taken = std::thread::scope(|scope| {
        let (folder, start) = (folder.path(), &start);
        let savers: Vec<_> = (0..SAVERS)
            .map(|saver| {
                scope.spawn(move || {
                    start.wait();
                    number(folder, saver)
                })
            })
            .collect();
        let taken = savers.into_iter().map(|saver| saver.join().unwrap());
        taken.collect::<Vec<_>>().concat()
    });
    check_numbers(folder.path(), taken);
}

/// Runs processes that number their files, each behind `prefix`, which is empty or
/// a program with arguments. Looks at the files as they appear. With
/// `may_be_empty` they may be empty for a moment.
fn processes_behind(prefix: &[&str], may_be_empty: bool) {
    const FOLDER: &str = "PIXVIEW_TEST_NUMBER_FILES";
    const SAVER: &str = "PIXVIEW_TEST_SAVER";
    if let Some(folder) = std::env::var_os(FOLDER) {
        let saver = std::env::var(SAVER).unwrap().parse().unwrap();
        for (number, color) in number(folder.as_ref(), saver) {
            println!("taken {number} {color}");
        }
        return;
    }
    let folder = common::folder();
    let program = std::env::current_exe().unwrap();
    let mut children: Vec<_> = (0..SAVERS)
        .map(|saver| {
            let mut command = match prefix.split_first() {
                None => Command::new(&program),
                Some((tracer, rest)) => {
                    let mut command = Command::new(tracer);
                    command.args(rest).arg(&program);
                    command
                }
            };
            command
                .args(["processes_that_number_their_files", "--exact"])
                .args(["--nocapture", "--test-threads=1"])
                .env(FOLDER, folder.path())
                .env(SAVER, saver.to_string())
                .stdout(Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    while children
        .iter_mut()
        .any(|child| child.try_wait().unwrap().is_none())
    {
        for name in names(folder.path()) {
            let path = folder.path().join(&name);
            let is_empty = || fs::metadata(&path).unwrap().len() == 0;
            if is_temporary(&name) || (may_be_empty && is_empty()) {
                continue;
            }
            color(&path);
        }
    }
    let mut taken = Vec::new();
    for child in children {
        let output = child.wait_with_output().unwrap();
        let output = String::from_utf8(output.stdout).unwrap();
        for line in output.lines() {
            // The test runner may have written the beginning of the line.
            if let Some((_, numbers)) = line.split_once("taken ") {
                let (number, color) = numbers.split_once(' ').unwrap();
                taken.push((number.parse().unwrap(), color.parse().unwrap()));
            }
        }
    }
    check_numbers(folder.path(), taken);
}

#[test]
fn processes_that_number_their_files() {
    processes_behind(&[], false);
}

/// The same on file systems that cannot rename without replacement, and on file
/// systems that have no hard links either.
#[cfg(target_os = "linux")]
#[test]
fn file_systems_that_support_less() {
    let rename = ["strace", "-f", "-qq", "-o", "/dev/null"];
    let rename = [&rename[..], &["-e", "inject=renameat2:error=EINVAL"]].concat();
    let link = [&rename[..], &["-e", "inject=linkat:error=EPERM"]].concat();
    let mut traced = Command::new(rename[0]);
    traced.args(&rename[1..]).arg("true");
    if !traced.status().is_ok_and(|status| status.success()) {
        return child::skipped("strace is not there, or may not trace");
    }
    processes_behind(&rename, false);
    processes_behind(&link, true);
}
