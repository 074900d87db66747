//! The caller's `Write`, trusted with nothing.

use std::cell::{Cell, RefCell};
use std::io::{self, Write};

use crate::Error;
use crate::alloc::reserve;

/// What became of a [`CheckedWriter`]; lives outside of it, because the writers that
/// own the sink don't give it back after an error.
#[derive(Default)]
pub(super) struct WriterState {
    closed: Cell<bool>,
    failure: RefCell<Option<io::Error>>,
}

impl WriterState {
    /// Closes the sink when it is dropped: not one byte more, whatever the
    /// destructors of the writers above the sink still want to get rid of.
    pub(super) fn close_on_drop(&self) -> CloseOnDrop<'_> {
        CloseOnDrop(self)
    }

    /// The error of the caller's `Write` itself, not a copy of its text.
    pub(super) fn take_failure(&self) -> Option<io::Error> {
        self.failure.take()
    }

    fn fail(&self, error: io::Error) -> io::Error {
        let copy = io::Error::from(error.kind());
        if error.kind() != io::ErrorKind::Interrupted {
            self.failure.replace(Some(error));
        }
        copy
    }
}

/// See [`WriterState::close_on_drop`].
pub(super) struct CloseOnDrop<'a>(&'a WriterState);

impl CloseOnDrop<'_> {
    pub(super) fn disarm(self) {
        std::mem::forget(self);
    }
}

impl Drop for CloseOnDrop<'_> {
    fn drop(&mut self) {
        self.0.closed.set(true);
    }
}

/// Bytes that small writes are collected in.
const BUFFER: usize = 8 << 10;

/// Collects small writes into larger ones, as `BufWriter` does, which aborts the
/// process if its buffer can't be had. What has not been flushed is dropped.
pub(super) struct Buffered<'a> {
    sink: CheckedWriter<'a>,
    buffer: Vec<u8>,
}

impl<'a> Buffered<'a> {
    pub(super) fn new(sink: CheckedWriter<'a>) -> Result<Self, Error> {
        let mut buffer = Vec::new();
        reserve(&mut buffer, BUFFER)?;
        Ok(Buffered { sink, buffer })
    }

    fn flush_buffer(&mut self) -> io::Result<()> {
        self.sink.write_all(&self.buffer)?;
        self.buffer.clear();
        Ok(())
    }
}

impl Write for Buffered<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.buffer.len() + bytes.len() > BUFFER {
            self.flush_buffer()?;
        }
        if bytes.len() >= BUFFER {
            return self.sink.write(bytes);
        }
        self.buffer.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.flush_buffer()?;
        self.sink.flush()
    }
}

/// Passes bytes on to the caller's `Write`. Keeps its first error, believes
/// no count larger than what was passed, and never calls it again after an
/// error or a panic.
pub(super) struct CheckedWriter<'a> {
    inner: &'a mut dyn Write,
    state: &'a WriterState,
}

impl<'a> CheckedWriter<'a> {
    pub(super) fn new(inner: &'a mut dyn Write, state: &'a WriterState) -> Self {
        CheckedWriter { inner, state }
    }

    /// Closed while the caller's code runs, so that it stays closed if that
    /// panics: a second panic, out of a destructor, would abort the process.
    fn guarded<T>(&mut self, call: impl FnOnce(&mut dyn Write) -> io::Result<T>) -> io::Result<T> {
        if self.state.closed.replace(true) {
            return Err(io::Error::other("closed after an error"));
        }
        let result = call(self.inner).map_err(|error| self.state.fail(error));
        let again = match &result {
            Ok(_) => true,
            Err(error) => error.kind() == io::ErrorKind::Interrupted,
        };
        self.state.closed.set(!again);
        result
    }
}

impl Write for CheckedWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.guarded(|inner| match inner.write(bytes)? {
            0 if !bytes.is_empty() => Err(io::Error::new(
                io::ErrorKind::WriteZero,
                format!("the writer took none of {} bytes", bytes.len()),
            )),
            count if count > bytes.len() => Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!("the writer claims {count} of {} bytes", bytes.len()),
            )),
            count => Ok(count),
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        loop {
            match self.guarded(|inner| inner.flush()) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => return result,
            }
        }
    }
}
