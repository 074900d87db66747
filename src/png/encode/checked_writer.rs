//! Checks of the caller's `Write`, and a buffer before it.

use std::cell::{Cell, RefCell};
use std::io::{self, Write};

use crate::Error;
use crate::alloc::reserve;

/// The state of a [`CheckedWriter`]. It lives outside the writer, since the
/// writers that own the [`CheckedWriter`] do not return it after an error.
#[derive(Default)]
pub(super) struct WriterState {
    is_closed: Cell<bool>,
    error: RefCell<Option<io::Error>>,
}

impl WriterState {
    /// Returns a guard that closes the writer when it is dropped. After that the
    /// destructors of the writers around it write no bytes.
    pub(super) fn close_on_drop(&self) -> CloseOnDrop<'_> {
        CloseOnDrop(self)
    }

    /// Returns the error of the caller's `Write`, with its source.
    pub(super) fn take_error(&self) -> Option<io::Error> {
        self.error.take()
    }

    /// Keeps an error, unless the call will be repeated. Returns an error of the
    /// same kind.
    fn keep_error(&self, error: io::Error) -> io::Error {
        let copy = io::Error::from(error.kind());
        if error.kind() != io::ErrorKind::Interrupted {
            self.error.replace(Some(error));
        }
        copy
    }
}

/// A guard made by [`WriterState::close_on_drop`].
pub(super) struct CloseOnDrop<'a>(&'a WriterState);

impl CloseOnDrop<'_> {
    /// Drops the guard without closing the writer.
    pub(super) fn disarm(self) {
        std::mem::forget(self);
    }
}

impl Drop for CloseOnDrop<'_> {
    fn drop(&mut self) {
        self.0.is_closed.set(true);
    }
}

/// The size of the buffer in bytes.
const BUFFER_SIZE: usize = 8 << 10;

/// A writer that collects small writes into larger ones. Bytes that were not
/// flushed are lost when it is dropped.
///
/// `BufWriter` is not used, since it aborts the process if the allocation of its
/// buffer fails.
pub(super) struct BufferedWriter<'a> {
    writer: CheckedWriter<'a>,
    buffer: Vec<u8>,
}

impl<'a> BufferedWriter<'a> {
    pub(super) fn new(writer: CheckedWriter<'a>) -> Result<Self, Error> {
        let mut buffer = Vec::new();
        reserve(&mut buffer, BUFFER_SIZE)?;
        Ok(BufferedWriter { writer, buffer })
    }

    fn flush_buffer(&mut self) -> io::Result<()> {
        self.writer.write_all(&self.buffer)?;
        self.buffer.clear();
        Ok(())
    }
}

impl Write for BufferedWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.buffer.len() + bytes.len() > BUFFER_SIZE {
            self.flush_buffer()?;
        }
        if bytes.len() >= BUFFER_SIZE {
            return self.writer.write(bytes);
        }
        self.buffer.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.flush_buffer()?;
        self.writer.flush()
    }
}

/// A writer that passes bytes to the caller's `Write` and checks its results. It
/// keeps the first error, rejects a count larger than the bytes passed, and never
/// calls the caller's `Write` again after an error or a panic.
pub(super) struct CheckedWriter<'a> {
    inner: &'a mut dyn Write,
    state: &'a WriterState,
}

impl<'a> CheckedWriter<'a> {
    pub(super) fn new(inner: &'a mut dyn Write, state: &'a WriterState) -> Self {
        CheckedWriter { inner, state }
    }

    /// Calls the caller's `Write`, unless the writer is closed.
    ///
    /// The writer is closed during the call, so that it stays closed if the call
    /// panics. A second panic, in a destructor, would abort the process.
    fn call_inner<T>(
        &mut self,
        call: impl FnOnce(&mut dyn Write) -> io::Result<T>,
    ) -> io::Result<T> {
        if self.state.is_closed.replace(true) {
            return Err(io::Error::other("the writer is closed after an error"));
        }
        let result = call(self.inner).map_err(|error| self.state.keep_error(error));
        let stays_open = match &result {
            Ok(_) => true,
            Err(error) => error.kind() == io::ErrorKind::Interrupted,
        };
        self.state.is_closed.set(!stays_open);
        result
    }
}

impl Write for CheckedWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.call_inner(|inner| match inner.write(bytes)? {
            0 if !bytes.is_empty() => Err(io::Error::new(
                io::ErrorKind::WriteZero,
                format!("the writer wrote 0 of {} bytes", bytes.len()),
            )),
            count if count > bytes.len() => Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!(
                    "the writer returned a count of {count} for {} bytes",
                    bytes.len()
                ),
            )),
            count => Ok(count),
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        loop {
            match self.call_inner(|inner| inner.flush()) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => return result,
            }
        }
    }
}
