//! The system calls of saves with `sync`, in their order, and tests that cut off
//! the power after each of them.
//!
//! The functions of this folder add each call that changes a file system to a log.
//! The tests replay every prefix of the log on the model of a disk, which lists the
//! contents that the path may have after a loss of power. In the model, a file is whole
//! if its data and permissions have been synced since they last changed. A name may lead
//! to each file that it led to since the folder was last synced.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::Write;

use super::{create_new, replace, replace_if_changed};
use crate::{Error, ErrorKind};

/// A system call that succeeded and changed the file system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Call {
    /// Creates a file in the folder. The first file that is created gets the image.
    Create(OsString),
    /// Appends bytes to the file that gets the image.
    Write(Vec<u8>),
    /// Copies bytes of the old file to the file that gets the image.
    Copy(u64),
    SetPermissions,
    /// Syncs the file that gets the image, or the old file if no file was created.
    SyncFile,
    /// Gives the file of the first name the second name instead.
    Rename(OsString, OsString),
    /// Gives the file of the first name the second name as well.
    Link(OsString, OsString),
    SyncFolder,
}

thread_local! {
    static LOG: RefCell<Vec<Call>> = const { RefCell::new(Vec::new()) };
}

pub(super) fn record(call: Call) {
    LOG.with_borrow_mut(|log| log.push(call));
}

const NAME: &str = "image.png";

/// A file on the model's disk.
struct File {
    data: Vec<u8>,
    is_synced: bool,
}

/// The file that a name leads to, by its number. `None` if there is none.
type Entry = Option<usize>;

/// The content of a path after a loss of power.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Content<'a> {
    NoFile,
    Bytes(&'a [u8]),
    /// A file whose last changes were not synced. It may have any bytes.
    AnyBytes,
}

/// A folder on the model's disk.
#[derive(Default)]
struct Disk {
    files: Vec<File>,
    /// The file that gets the image, or the old file.
    image: usize,
    names: BTreeMap<OsString, Entry>,
    /// The files that each name may lead to after a loss of power.
    after_loss: BTreeMap<OsString, Vec<Entry>>,
}

impl Disk {
    /// Returns a disk with the old file. The file counts as synced if `is_synced`.
    fn new(old: Option<&[u8]>, is_synced: bool) -> Disk {
        let mut disk = Disk::default();
        if let Some(old) = old {
            let data = old.to_vec();
            disk.files.push(File { data, is_synced });
            disk.set(NAME.as_ref(), Some(0));
            if is_synced {
                disk.sync_folder();
            }
        }
        disk
    }

    fn entry(&self, name: &OsStr) -> Entry {
        self.names.get(name).copied().flatten()
    }

    fn set(&mut self, name: &OsStr, entry: Entry) {
        // Before the first entry, the name led to nothing.
        let after_loss = self.after_loss.entry(name.to_owned());
        after_loss.or_insert_with(|| vec![None]).push(entry);
        self.names.insert(name.to_owned(), entry);
    }

    fn sync_folder(&mut self) {
        for (name, entries) in &mut self.after_loss {
            *entries = vec![self.names[name]];
        }
    }

    fn apply(&mut self, call: &Call) {
        match call {
            Call::Create(name) => {
                let number = self.files.len();
                self.files.push(File {
                    data: Vec::new(),
                    is_synced: false,
                });
                if name != NAME {
                    self.image = number;
                }
                self.set(name, Some(number));
            }
            Call::Write(bytes) => {
                let file = &mut self.files[self.image];
                file.data.extend(bytes);
                file.is_synced = false;
            }
            Call::Copy(count) => {
                let old = self.files[0].data[..*count as usize].to_vec();
                self.apply(&Call::Write(old));
            }
            Call::SetPermissions => self.files[self.image].is_synced = false,
            Call::SyncFile => {
                if let Some(file) = self.files.get_mut(self.image) {
                    file.is_synced = true;
                }
            }
            Call::Link(from, to) => self.set(to, self.entry(from)),
            Call::Rename(from, to) => {
                self.set(to, self.entry(from));
                self.set(from, None);
            }
            Call::SyncFolder => self.sync_folder(),
        }
    }

    fn apply_all(&mut self, calls: &[Call]) {
        for call in calls {
            self.apply(call);
        }
    }

    /// Returns the contents that the path may have after a loss of power.
    fn contents(&self) -> Vec<Content<'_>> {
        let none = vec![None];
        let entries = self.after_loss.get(OsStr::new(NAME)).unwrap_or(&none);
        let content = |entry: &Entry| {
            let Some(number) = entry else {
                return Content::NoFile;
            };
            let file = &self.files[*number];
            if file.is_synced {
                Content::Bytes(&file.data)
            } else {
                Content::AnyBytes
            }
        };
        entries.iter().map(content).collect()
    }
}

/// Replays every prefix of the calls of a save. Returns the first promise that is
/// broken.
fn check(calls: &[Call], old: Option<&[u8]>, new: &[u8]) -> Result<(), String> {
    let mut disk = Disk::new(old, true);
    let old = old.map_or(Content::NoFile, Content::Bytes);
    let new = Content::Bytes(new);
    for cut in 0..=calls.len() {
        if cut > 0 {
            disk.apply(&calls[cut - 1]);
        }
        for content in disk.contents() {
            if content != old && content != new {
                return Err(format!("not the old or the new file after {cut} calls"));
            }
        }
    }
    if disk.contents()[..] != [new] {
        return Err("the new file may be lost after the save".to_owned());
    }
    Ok(())
}

/// Writes bytes in two pieces, and adds them to the log.
fn write(writer: &mut dyn Write, bytes: &[u8]) -> Result<(), Error> {
    for piece in bytes.chunks(bytes.len() / 2 + 1) {
        writer.write_all(piece).map_err(ErrorKind::Write)?;
        record(Call::Write(piece.to_vec()));
    }
    Ok(())
}

/// A way to save.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Replace,
    CreateNew,
    /// With the number of bytes, from the first, that equal those of the old file.
    IfChanged(usize),
}

/// Saves `new` over `old` in a folder. Returns the calls.
fn save(way: Way, sync: bool, old: Option<&[u8]>, new: &[u8]) -> Vec<Call> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(NAME);
    if let Some(old) = old {
        fs::write(&path, old).unwrap();
    }
    LOG.take();
    match way {
        Way::Replace => replace(&path, sync, |writer| write(writer, new)),
        Way::CreateNew => create_new(&path, sync, |writer| write(writer, new)),
        Way::IfChanged(equal) => replace_if_changed(&path, sync, |writer| {
            // Not in the log: these bytes are compared, and copied if later ones differ.
            writer.write_all(&new[..equal]).map_err(ErrorKind::Write)?;
            match &new[equal..] {
                [] => Ok(()),
                rest => write(writer, rest),
            }
        })
        .map(drop),
    }
    .unwrap();
    let calls = LOG.take();
    assert_eq!(fs::read(&path).unwrap(), new);
    // The log has every byte.
    let mut disk = Disk::new(old, true);
    disk.apply_all(&calls);
    let number = disk.entry(NAME.as_ref()).unwrap();
    assert_eq!(disk.files[number].data, new);
    calls
}

const OLD: &[u8] = b"the old file";
const NEW: &[u8] = b"the new file, which is longer";

const SAVES: [(Way, Option<&[u8]>); 6] = [
    (Way::Replace, None),
    (Way::Replace, Some(OLD)),
    (Way::CreateNew, None),
    (Way::IfChanged(0), None),
    (Way::IfChanged(0), Some(b"quite different")),
    (Way::IfChanged(4), Some(OLD)),
];

#[test]
fn power_may_fail_after_each_call() {
    for (way, old) in SAVES {
        let calls = save(way, true, old, NEW);
        assert_eq!(check(&calls, old, NEW), Ok(()), "{way:?}: {calls:?}");
        // One sync of the file, one of the folder.
        let syncs = |call: &&Call| matches!(call, Call::SyncFile | Call::SyncFolder);
        assert_eq!(calls.iter().filter(syncs).count(), 2, "{way:?}: {calls:?}");
    }
}

/// The bytes of an equal file may not be on the disk yet.
#[test]
fn an_equal_file_is_synced() {
    let calls = save(Way::IfChanged(NEW.len()), true, Some(NEW), NEW);
    assert_eq!(calls, [Call::SyncFile, Call::SyncFolder]);
    let mut disk = Disk::new(Some(NEW), false);
    assert_eq!(disk.contents(), [Content::NoFile, Content::AnyBytes]);
    disk.apply_all(&calls);
    assert_eq!(disk.contents(), [Content::Bytes(NEW)]);
}

#[test]
fn nothing_is_synced_by_default() {
    let equal = (Way::IfChanged(NEW.len()), Some(NEW));
    for (way, old) in SAVES.into_iter().chain([equal]) {
        let calls = save(way, false, old, NEW);
        assert!(!calls.contains(&Call::SyncFile) && !calls.contains(&Call::SyncFolder));
    }
}

/// The check finds each order that breaks the promise: the calls of a save
/// without one of its syncs, and with a sync later or earlier.
#[test]
fn the_model_finds_other_orders() {
    for (way, old) in SAVES {
        let calls = save(way, true, old, NEW);
        for sync in [Call::SyncFile, Call::SyncFolder] {
            let at = calls.iter().position(|call| *call == sync).unwrap();
            let mut without = calls.clone();
            without.remove(at);
            check(&without, old, NEW).unwrap_err();
            for to in (0..calls.len()).filter(|to| *to != at) {
                let mut moved = without.clone();
                moved.insert(to, sync.clone());
                let result = check(&moved, old, NEW);
                assert!(result.is_err(), "{way:?}: {moved:?}");
            }
        }
    }
}

/// The other ways to claim a name, for file systems that support less.
#[test]
fn names_that_are_claimed_in_other_ways() {
    let temporary = || OsString::from("temporary");
    let mut calls = vec![
        Call::Create(temporary()),
        Call::Write(NEW.to_vec()),
        Call::SyncFile,
    ];
    let mut linked = calls.clone();
    linked.extend([Call::Link(temporary(), NAME.into()), Call::SyncFolder]);
    assert_eq!(check(&linked, None, NEW), Ok(()));
    // The empty file is an exception, which is documented.
    calls.push(Call::Create(NAME.into()));
    check(&calls, None, NEW).unwrap_err();
    calls.extend([Call::Rename(temporary(), NAME.into()), Call::SyncFolder]);
    let mut disk = Disk::new(None, true);
    disk.apply_all(&calls);
    assert_eq!(disk.contents(), [Content::Bytes(NEW)]);
}
