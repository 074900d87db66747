//! Paths that `File::create` can write can be saved to, however long or deep;
//! and what a path that can't be written says.

#![cfg(unix)]

#[path = "common/child.rs"]
mod child;
mod common;

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use pixview::{Error, Image, PixelFormat};

fn gray(value: u8) -> Image<Vec<u8>> {
    Image::from_buffer(vec![value; 16], 4, 4, PixelFormat::GRAY8).unwrap()
}

/// Saves to a path that is not there, then over the file.
fn save_twice(path: &Path) -> Result<(), Error> {
    for value in [1, 2] {
        gray(value).save(path)?;
        let png = fs::read(path).unwrap();
        assert_eq!(common::decode(&png).samples[0], value.into());
    }
    Ok(())
}

/// The longest path of Linux and the longest name, the zero at a path's end
/// counted.
const PATH_MAX: usize = 4096;
const NAME_MAX: usize = 255;

#[cfg(target_os = "linux")]
#[test]
fn paths_as_long_as_paths_can_be() {
    let folder = common::folder();
    let mut deep: PathBuf = folder.path().to_owned();
    while deep.as_os_str().len() < PATH_MAX - 260 {
        deep.push("d".repeat(200));
    }
    fs::create_dir_all(&deep).unwrap();
    let left = PATH_MAX - 1 - deep.as_os_str().len() - 1;
    // As far as names go, with a folder between for the rest.
    if left > 230 {
        deep.push("e".repeat(left - 200));
        fs::create_dir(&deep).unwrap();
    }
    let longest = PATH_MAX - 1 - deep.as_os_str().len() - 1;
    for length in longest - 25..=longest {
        let path = deep.join(format!("{}.png", "n".repeat(length - 4)));
        File::create(&path).unwrap();
        fs::remove_file(&path).unwrap();
        save_twice(&path).unwrap();
        fs::remove_file(&path).unwrap();
    }
    assert_eq!(fs::read_dir(&deep).unwrap().count(), 0);
}

/// The name of the file is shorter than that of the temporary file, so that the
/// path of the temporary file would be too long.
#[cfg(target_os = "linux")]
#[test]
fn short_names_at_the_end_of_long_paths() {
    let folder = common::folder();
    let mut deep: PathBuf = folder.path().to_owned();
    while deep.as_os_str().len() < PATH_MAX - 320 {
        deep.push("d".repeat(200));
    }
    fs::create_dir_all(&deep).unwrap();
    // Two folders, separators and the name make up the rest.
    let left = PATH_MAX - 1 - deep.as_os_str().len() - "/".len() - "//a.png".len();
    for missing in 0..25 {
        let second = 100 - missing;
        let parent = deep.join("e".repeat(left - 100)).join("f".repeat(second));
        fs::create_dir_all(&parent).unwrap();
        let path = parent.join("a.png");
        assert_eq!(path.as_os_str().len(), PATH_MAX - 1 - missing);
        File::create(&path).unwrap();
        fs::remove_file(&path).unwrap();
        save_twice(&path).unwrap();
    }
}

#[test]
fn names_as_long_as_names_can_be() {
    let folder = common::folder();
    for length in NAME_MAX - 30..=NAME_MAX {
        let name = format!("{}.png", "n".repeat(length - 4));
        save_twice(&folder.path().join(name)).unwrap();
    }
    let name = format!("{}.png", "n".repeat(NAME_MAX - 3));
    assert!(gray(1).save(folder.path().join(name)).is_err());
}

/// In a process of its own: the working directory belongs to all threads.
#[test]
fn a_working_directory_deeper_than_paths_can_be() {
    const FOLDER: &str = "PIXVIEW_TEST_DEEP";
    if let Some(folder) = std::env::var_os(FOLDER) {
        std::env::set_current_dir(folder).unwrap();
        let name = "d".repeat(200);
        for _ in 0..PATH_MAX / 200 + 2 {
            fs::create_dir(&name).unwrap();
            std::env::set_current_dir(&name).unwrap();
        }
        File::create("theirs.png").unwrap();
        save_twice(Path::new("ours.png")).unwrap();
        fs::create_dir("below").unwrap();
        save_twice(Path::new("below/ours.png")).unwrap();
        save_twice(Path::new("below/../dots.png")).unwrap();
        std::os::unix::fs::symlink("target.png", "link.png").unwrap();
        save_twice(Path::new("link.png")).unwrap();
        assert!(fs::symlink_metadata("link.png").unwrap().is_symlink());
        assert!(fs::symlink_metadata("target.png").unwrap().is_file());
        let mut names: Vec<_> = fs::read_dir(".")
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        names.sort();
        let expected = ["below", "dots.png", "link.png", "ours.png", "target.png"];
        assert_eq!(names[..5], expected);
        assert_eq!(names[5..], ["theirs.png"]);
        return;
    }
    let folder = common::folder();
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["a_working_directory_deeper_than_paths_can_be", "--exact"])
        .env(FOLDER, folder.path())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}");
}

/// The system's own error, with its number, and the caller's path once.
#[cfg(target_os = "linux")]
#[test]
fn a_temporary_file_that_cannot_be_made() {
    use std::error::Error as _;
    // Nobody can make a file there, not even the superuser.
    let path = Path::new("/proc/image.png");
    let system = File::create(path).unwrap_err();
    let error = gray(1).save(path).unwrap_err();
    let beneath = error.source().unwrap().downcast_ref::<io::Error>();
    assert_eq!(beneath.unwrap().raw_os_error(), system.raw_os_error());
    assert_eq!(beneath.unwrap().kind(), system.kind());
    assert_eq!(
        format!("{error:#}"),
        format!("/proc/image.png: could not write: {system}")
    );

    // A folder without permission; for the superuser there is none.
    let folder = common::folder();
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o555)).unwrap();
    let path = folder.path().join("image.png");
    match File::create(&path) {
        Ok(_) => child::skipped("the superuser may write to each folder"),
        Err(system) => {
            let error = gray(1).save(&path).unwrap_err();
            assert_eq!(
                format!("{error:#}"),
                format!("{}: could not write: {system}", path.display())
            );
        }
    }
}
