//! POSIX access control lists. Linux keeps them in an extended attribute. Other
//! systems offer them only through unsafe functions; on those systems this
//! module treats every file as a file without a list.

#[cfg(any(target_os = "linux", target_os = "android"))]
mod lists {
    use std::fs::File;
    use std::io;
    use std::path::Path;

    use rustix::buffer::spare_capacity;
    use rustix::fs::{
        XattrFlags, fgetxattr_query, fremovexattr, fsetxattr, getxattr, getxattr_query,
    };
    use rustix::io::Errno;

    const NAME: &str = "system.posix_acl_access";

    /// The access control list of a file, as the system encodes it.
    pub(in super::super) struct Acl(Vec<u8>);

    /// Returns the length of a list in bytes, or 0 if there is none.
    fn length(query: rustix::io::Result<usize>) -> io::Result<usize> {
        match query {
            Err(Errno::NODATA | Errno::OPNOTSUPP) => Ok(0),
            result => Ok(result?),
        }
    }

    /// Reads the list of a file. Returns `None` if the file has only a mode.
    pub(in super::super) fn read(path: &Path) -> io::Result<Option<Acl>> {
        let length = length(getxattr_query(path, NAME))?;
        if length == 0 {
            return Ok(None);
        }
        let mut list = Vec::new();
        list.try_reserve_exact(length)?;
        getxattr(path, NAME, spare_capacity(&mut list))?;
        Ok(Some(Acl(list)))
    }

    impl Acl {
        /// Gives the list to a file.
        pub(in super::super) fn set(&self, file: &File) -> io::Result<()> {
            Ok(fsetxattr(file, NAME, &self.0, XattrFlags::empty())?)
        }
    }

    /// Removes the list of a file. The mode stays.
    pub(in super::super) fn remove(file: &File) -> io::Result<()> {
        if length(fgetxattr_query(file, NAME))? != 0 {
            fremovexattr(file, NAME)?;
        }
        Ok(())
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
mod lists {
    use std::fs::File;
    use std::io;
    use std::path::Path;

    pub(in super::super) enum Acl {}

    pub(in super::super) fn read(_: &Path) -> io::Result<Option<Acl>> {
        Ok(None)
    }

    impl Acl {
        pub(in super::super) fn set(&self, _: &File) -> io::Result<()> {
            match *self {}
        }
    }

    pub(in super::super) fn remove(_: &File) -> io::Result<()> {
        Ok(())
    }
}

pub(super) use lists::{Acl, read, remove};
