//! The bytes of a file, buffered.

use std::io::{self, Read};

use crate::alloc::{NoMemory, zeroed};

/// Bytes that are requested from a reader at once.
const BUFFER_SIZE: u64 = 32 << 10;

/// A buffered reader. In contrast to [`io::BufReader`], a failed allocation is
/// an error, and so is a reader that claims more bytes than there was room for.
pub(super) struct Input<R> {
    inner: R,
    buffer: Vec<u8>,
    /// The range of the buffer that has been read and not consumed.
    start: usize,
    end: usize,
}

impl<R: Read> Input<R> {
    pub(super) fn new(inner: R) -> Result<Self, NoMemory> {
        Ok(Input {
            inner,
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
