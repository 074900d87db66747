//! The owner, the group, the permissions and the access control list of a file that
//! replaces another one.

use std::fs::File;
use std::io;
use std::os::unix::fs::fchown;

use rustix::fs::{Mode, Stat, fchmod, fstat};

use super::acl::{self, Acl};

/// Gives the new file the permissions of the old one, and its owner and group as
/// far as the system allows: only a privileged process may give files away. If
/// the owner, the group or the list cannot be kept, permissions are removed, so
/// that nobody gains access.
pub(super) fn keep(new: &File, old: &Stat, acl: Option<&Acl>) -> io::Result<()> {
    // Before the permissions, because a change of owner may clear some of them,
    // and because until they are set only the owner can open the file.
    if fchown(new, Some(old.st_uid), Some(old.st_gid)).is_err() {
        let _ = fchown(new, None, Some(old.st_gid));
    }
    let now = fstat(new)?;
    let same_group = now.st_gid == old.st_gid;
    let mut mode = Mode::from_raw_mode(old.st_mode);
    if now.st_uid != old.st_uid || !same_group {
        // These bits would grant the rights of a user or a group that never
        // granted them.
        mode.remove(Mode::SUID | Mode::SGID | Mode::SVTX);
    }
    // A list has permissions for the owning group: they are meant for the old
    // group only.
    let acl_kept = match acl {
        Some(acl) if same_group => acl.set(new).is_ok(),
        _ => false,
    };
    if !acl_kept {
        // The new file may have inherited a list from its folder.
        acl::remove(new)?;
        if acl.is_some() {
            // The mode alone does not say which users the list refused.
            mode.remove(Mode::RWXG | Mode::RWXO);
        } else if !same_group {
            // Members of the old group now count as others, and some former
            // others are members of the new group. Both classes get only the
            // permissions that both had.
            let group = Mode::from_raw_mode((mode & Mode::RWXG).as_raw_mode() >> 3);
            let both = group & mode;
            mode.remove(Mode::RWXG | Mode::RWXO);
            mode |= both | Mode::from_raw_mode(both.as_raw_mode() << 3);
        }
    }
    fchmod(new, mode)?;
    record!(SetPermissions);
    Ok(())
}
