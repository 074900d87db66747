//! Access to the bytes of a file beyond those that have been read.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

/// Functions that read a file out of order. Readers of other types are read only
/// in order.
pub(super) struct Access<R> {
    /// Reads bytes that begin so many bytes after the next one. The next byte to
    /// read stays the same.
    pub(super) read_at: fn(&R, u64, &mut [u8]) -> io::Result<usize>,
    /// Goes forward by so many bytes.
    pub(super) skip: fn(&mut R, u64) -> io::Result<()>,
}

impl Access<File> {
    /// Pipes fail at the first call.
    pub(super) const FILE: Self = Access {
        read_at: |mut file, ahead, to| {
            let position = file.stream_position()?;
            file.seek(SeekFrom::Start(position.saturating_add(ahead)))?;
            let result = file.read(to);
            file.seek(SeekFrom::Start(position))?;
            result
        },
        skip: |file, count| {
            let position = file.stream_position()?.saturating_add(count);
            file.seek(SeekFrom::Start(position)).map(drop)
        },
    };
}

impl<'b> Access<&'b [u8]> {
    pub(super) const BYTES: Access<&'b [u8]> = Access {
        read_at: |bytes, ahead, to| behind(bytes, ahead).read(to),
        skip: |bytes, count| {
            *bytes = behind(bytes, count);
            Ok(())
        },
    };
}

/// Returns the bytes behind the first `count`.
fn behind(bytes: &[u8], count: u64) -> &[u8] {
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    bytes.get(count..).unwrap_or_default()
}
