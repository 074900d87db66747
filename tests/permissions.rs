//! Contract 6: who may do what with a file that was replaced. The file opens
//! to nobody new.
//!
//! Most of these tests need the superuser, who becomes others with `setpriv`
//! (Debian package util-linux), or access control lists and `setfacl` (Debian
//! package acl). Where these are not to be had the tests say so.

#![cfg(target_os = "linux")]

#[path = "common/child.rs"]
mod child;
mod common;

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;

use child::skipped;
use pixview::{Image, PixelFormat};

#[test]
#[ignore = "a child process of other tests"]
fn save_from_environment() {
    child::save();
}

/// A user who saves over the file of another.
const SAVER: u32 = 2001;
/// That other, and his group.
const OWNER: u32 = 2002;

fn save(path: &Path) {
    let image = Image::from_buffer(vec![5_u8; 16], 4, 4, PixelFormat::GRAY8).unwrap();
    image.save(path).unwrap();
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().mode() & 0o7777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// A folder that all may write to, and a copy of this program that all may run.
struct Shared {
    folder: tempfile::TempDir,
    program: PathBuf,
}

impl Shared {
    fn new() -> Option<Shared> {
        // The target folder may be closed to others.
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("program");
        fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
        set_mode(folder.path(), 0o777);
        set_mode(&program, 0o755);
        let shared = Shared { folder, program };
        let result = shared.saved_by("0", &shared.folder.path().join("probe.png"));
        if result.as_deref() == Some("Ok") {
            return Some(shared);
        }
        skipped("not the superuser, or no setpriv");
        None
    }

    /// What the user with that name and group, and with further groups, gets
    /// from a save. `None` if the program can't be run.
    fn saved_by(&self, groups: &str, path: &Path) -> Option<String> {
        let user = SAVER.to_string();
        let reuid = format!("--reuid={user}");
        let regid = format!("--regid={user}");
        let groups = format!("--groups={groups}");
        let prefix = ["setpriv", &reuid, &regid, &groups];
        let output = child::command(&prefix, &self.program, path).output().ok()?;
        let output = String::from_utf8_lossy(&output.stdout).into_owned();
        let line = output.lines().find(|line| line.contains("saved: "))?;
        Some(line.split_once("saved: ")?.1.to_owned())
    }

    fn file(&self, owner: u32, group: u32, mode: u32) -> PathBuf {
        let path = self.folder.path().join("image.png");
        let _ = fs::remove_file(&path);
        fs::write(&path, "old").unwrap();
        chown(&path, Some(owner), Some(group)).unwrap();
        set_mode(&path, mode);
        path
    }
}

#[test]
fn privileges_stay_only_with_owner_and_group() {
    let Some(shared) = Shared::new() else { return };
    // Owner, group and mode before, and the same after.
    for (owner, group, before, owner_after, group_after, after) in [
        // Somebody else's file, whose owner can't stay. Group 2002 can't
        // either, group 3000 can.
        (OWNER, OWNER, 0o4777, SAVER, SAVER, 0o777),
        (OWNER, OWNER, 0o2777, SAVER, SAVER, 0o777),
        (OWNER, OWNER, 0o1777, SAVER, SAVER, 0o777),
        (OWNER, 3000, 0o6777, SAVER, 3000, 0o777),
        (OWNER, 3000, 0o2775, SAVER, 3000, 0o775),
        (OWNER, SAVER, 0o2775, SAVER, SAVER, 0o775),
        // One's own file, of a group that can't stay.
        (SAVER, OWNER, 0o4755, SAVER, SAVER, 0o755),
        (SAVER, OWNER, 0o2755, SAVER, SAVER, 0o755),
        // Both stay.
        (SAVER, SAVER, 0o4755, SAVER, SAVER, 0o4755),
        (SAVER, 3000, 0o6755, SAVER, 3000, 0o6755),
    ] {
        let path = shared.file(owner, group, before);
        let result = shared.saved_by("3000", &path);
        assert_eq!(result.as_deref(), Some("Ok"));
        let metadata = fs::metadata(&path).unwrap();
        assert_eq!(
            (metadata.uid(), metadata.gid(), mode(&path)),
            (owner_after, group_after, after),
            "mode {:o}; before: owner {owner}, group {group}, mode {before:o}",
            mode(&path)
        );
    }
    // The superuser keeps both.
    let path = shared.file(OWNER, 3000, 0o6755);
    save(&path);
    let metadata = fs::metadata(&path).unwrap();
    assert_eq!((metadata.uid(), metadata.gid()), (OWNER, 3000));
    assert_eq!(mode(&path), 0o6755);
}

/// Those of the old group are others now, and others may be of the new group:
/// both get what both had.
#[test]
fn a_group_that_cannot_stay_takes_its_permissions_along() {
    let Some(shared) = Shared::new() else { return };
    for (before, after) in [
        (0o666, 0o666),
        (0o606, 0o600),
        (0o646, 0o644),
        (0o626, 0o622),
        (0o676, 0o666),
    ] {
        let path = shared.file(OWNER, OWNER, before);
        let result = shared.saved_by("3000", &path);
        assert_eq!(result.as_deref(), Some("Ok"));
        assert_eq!(mode(&path), after, "{:o} after {before:o}", mode(&path));
    }
}

#[test]
fn a_file_that_may_not_be_written_is_not_replaced() {
    let Some(shared) = Shared::new() else { return };
    let path = shared.file(OWNER, OWNER, 0o664);
    let result = shared.saved_by("3000", &path).unwrap();
    assert!(result.contains("Permission denied"), "{result}");
    assert_eq!(fs::read(&path).unwrap(), b"old");
}

/// `setfacl` with the arguments, or `false` and a note where there are no
/// access control lists.
fn setfacl(arguments: &[&str], path: &Path) -> bool {
    let status = Command::new("setfacl").args(arguments).arg(path).status();
    let done = status.is_ok_and(|status| status.success());
    if !done {
        skipped("no access control lists, or no setfacl");
    }
    done
}

fn getfacl(path: &Path) -> String {
    let output = Command::new("getfacl")
        .args(["--omit-header", "--absolute-names", "--numeric"])
        .arg(path)
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_default_acl_opens_nothing() {
    let folder = common::folder();
    let path = folder.path().join("image.png");
    for mode in [0o600, 0o640, 0o660, 0o664] {
        let _ = fs::remove_file(&path);
        if !setfacl(&["-k"], folder.path()) {
            return;
        }
        fs::write(&path, "old").unwrap();
        set_mode(&path, mode);
        let before = getfacl(&path);
        assert!(setfacl(&["-d", "-m", "u:2003:rw,g:2004:rw"], folder.path()));
        save(&path);
        assert_eq!(getfacl(&path), before);
    }
}

#[test]
fn an_acl_of_its_own_stays() {
    let folder = common::folder();
    let path = folder.path().join("image.png");
    fs::write(&path, "old").unwrap();
    // The mode alone would let the group read.
    set_mode(&path, 0o600);
    for entries in ["u:2003:rw", "g:2004:r,o::r", "u:2003:rw,m::r"] {
        if !setfacl(&["-m", entries], &path) {
            return;
        }
        let before = getfacl(&path);
        save(&path);
        assert_eq!(getfacl(&path), before);
    }
    // It stays in a folder that would give it others, too.
    let before = getfacl(&path);
    assert!(setfacl(&["-d", "-m", "u:2005:rw"], folder.path()));
    save(&path);
    assert_eq!(getfacl(&path), before);
}

/// Its entries speak of the old group and of others, whom nothing tells apart
/// any more.
#[test]
fn an_acl_goes_with_the_group() {
    let Some(shared) = Shared::new() else { return };
    let path = shared.file(OWNER, OWNER, 0o664);
    let entries = format!("u:{SAVER}:rw,u:2003:-,g::-");
    if !setfacl(&["-m", &entries], &path) {
        return;
    }
    let result = shared.saved_by("3000", &path);
    assert_eq!(result.as_deref(), Some("Ok"));
    assert_eq!(getfacl(&path), "user::rw-\ngroup::---\nother::---\n\n");
    assert_eq!(mode(&path), 0o600);
}

#[test]
fn a_new_file_gets_what_new_files_get() {
    let folder = common::folder();
    if !setfacl(&["-d", "-m", "u:2003:rw"], folder.path()) {
        return;
    }
    let (ours, theirs) = (folder.path().join("a.png"), folder.path().join("b.png"));
    save(&ours);
    fs::File::create(&theirs).unwrap();
    assert_eq!(getfacl(&ours), getfacl(&theirs));
}

/// A folder is synced through a descriptor, which needs the permission to list it.
/// Its lack is an error before the old file is replaced.
#[test]
fn a_folder_that_may_not_be_listed_is_not_synced() {
    let Some(shared) = Shared::new() else { return };
    let path = shared.file(SAVER, SAVER, 0o664);
    set_mode(shared.folder.path(), 0o733);
    let user = SAVER.to_string();
    let prefix = [
        "setpriv",
        "--clear-groups",
        "--reuid",
        &user,
        "--regid",
        &user,
    ];
    for sync in [true, false] {
        let mut command = child::command(&prefix, &shared.program, &path);
        if sync {
            command.env(child::SYNC, "1");
        }
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        let old = fs::read(&path).unwrap() == b"old";
        if sync {
            assert!(
                said.contains("could not write: Permission denied"),
                "{said}"
            );
        } else {
            assert!(said.contains("saved: Ok"), "{said}");
        }
        assert_eq!(old, sync);
        // The program, the probe and the image.
        assert_eq!(fs::read_dir(shared.folder.path()).unwrap().count(), 3);
    }
}
