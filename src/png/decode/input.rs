//! The bytes of a file, buffered.

use std::io::{self, Read};

use super::access::Access;
use crate::alloc::{NoMemory, zeroed};

/// Bytes that are requested from a reader at once.
const BUFFER_SIZE: u64 = 32 << 10;

/// A buffered reader. In contrast to [`io::BufReader`], a failed allocation is
/// an error, and so is a reader that claims more bytes than there was room for.
pub(super) struct Input<R> {
    inner: R,
    /// Access to bytes farther ahead, if the reader has it.
    access: Option<Access<R>>,
    buffer: Vec<u8>,
    /// The range of the buffer that has been read and not consumed.
    start: usize,
    end: usize,
}

impl<R: Read> Input<R> {
    pub(super) fn new(inner: R, access: Option<Access<R>>) -> Result<Self, NoMemory> {
        Ok(Input {
            inner,
            access,
            buffer: zeroed(BUFFER_SIZE)?,
            start: 0,
            end: 0,
        })
    }

    /// Returns the bytes that have been read and not consumed.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// Consumes at most as many bytes as [`bytes`](Input::bytes) has.
    pub(super) fn consume(&mut self, count: usize) {
        self.start = (self.start + count).min(self.end);
    }

    /// Returns whether bytes can be copied from farther ahead.
    pub(super) fn has_access(&self) -> bool {
        self.access.is_some()
    }

    /// Fills `to` with the bytes that begin `ahead` bytes after the next one to
    /// consume. Consumes none.
    pub(super) fn copy_ahead(&self, ahead: u64, to: &mut [u8]) -> io::Result<()> {
        let access = self.access.as_ref().ok_or(io::ErrorKind::Unsupported)?;
        let buffered = self.bytes();
        let from = usize::try_from(ahead).unwrap_or(usize::MAX);
        let known = buffered.get(from..).unwrap_or_default();
        let count = known.len().min(to.len());
        let (head, mut rest) = to.split_at_mut(count);
        head.copy_from_slice(&known[..count]);
        let mut at = (ahead + count as u64).saturating_sub(buffered.len() as u64);
        while !rest.is_empty() {
            match (access.read_at)(&self.inner, at, rest) {
                Ok(count @ 1..) if count <= rest.len() => {
                    rest = &mut rest[count..];
                    at += count as u64;
                }
                Ok(_) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Consumes bytes, also those that have not been read.
    pub(super) fn skip(&mut self, count: u64) -> io::Result<()> {
        let buffered = (self.end - self.start) as u64;
        if count <= buffered {
            self.start += count as usize;
            return Ok(());
        }
        (self.start, self.end) = (0, 0);
        let access = self.access.as_ref().ok_or(io::ErrorKind::Unsupported)?;
        (access.skip)(&mut self.inner, count - buffered)
    }

    /// Calls the reader once, after all bytes have been consumed. Returns the
    /// number of new bytes.
    pub(super) fn fill(&mut self) -> io::Result<usize> {
        (self.start, self.end) = (0, 0);
        let count = self.inner.read(&mut self.buffer)?;
        if count > self.buffer.len() {
            let size = self.buffer.len();
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!("the reader claims {count} bytes for a buffer of {size}"),
            ));
        }
        self.end = count;
        Ok(count)
    }
}
