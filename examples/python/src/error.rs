//! Errors as Python exceptions.

use std::io;

use pixview::source::SourceError;
use pixview::{Error, ErrorKind};
use pyo3::exceptions::{PyFileExistsError, PyMemoryError, PyOSError, PyValueError};
use pyo3::prelude::*;

/// Returns the exception for an error of `pixview`.
///
/// Errors of files become `OSError` or one of its subclasses, with errno and
/// path. An exception that the array raised is raised again. A failed allocation
/// becomes `MemoryError`. All others become `ValueError`.
pub(crate) fn exception(py: Python<'_>, error: Error) -> PyErr {
    match error.kind() {
        ErrorKind::Read(cause) | ErrorKind::Write(cause) | ErrorKind::FolderSync(cause) => {
            os_error(py, &error, cause).unwrap_or_else(|error| error)
        }
        ErrorKind::FileExists => match errno(py, "EEXIST") {
            Ok(errno) => {
                let path = error.path().map(|path| path.as_os_str().to_owned());
                PyFileExistsError::new_err((errno, error.kind().to_string(), path))
            }
            Err(error) => error,
        },
        ErrorKind::Source(SourceError::Other(cause)) => match cause.downcast_ref::<PyErr>() {
            Some(raised) => raised.clone_ref(py),
            None => PyValueError::new_err(message(&error)),
        },
        ErrorKind::OutOfMemory { .. } => PyMemoryError::new_err(error.to_string()),
        _ => PyValueError::new_err(message(&error)),
    }
}

/// Returns the text of an error, with the names that the way out has in Python.
fn message(error: &Error) -> String {
    let message = error.to_string();
    let names = [
        ("use Image::with_layout", "give stride="),
        ("use Image::with_palette", "give palette="),
        (
            "Layout::with_offset sets the byte of the first row, and Layout::flip_vertical \
             turns a bottom-up buffer",
            "offset= sets the byte of the first row, and image.flip() turns a bottom-up buffer",
        ),
        (
            "PngEncoder::write takes a file of any name",
            "to_png() returns the bytes for a file of any name",
        ),
    ];
    names
        .iter()
        .fold(message, |message, (from, to)| message.replace(from, to))
}

/// Returns an `OSError`. Python chooses the subclass by errno, and adds errno
/// and path to the message.
fn os_error(py: Python<'_>, error: &Error, cause: &io::Error) -> PyResult<PyErr> {
    let Some(errno) = cause.raw_os_error() else {
        return Ok(PyOSError::new_err(error.to_string()));
    };
    let reason: String = py
        .import("os")?
        .call_method1("strerror", (errno,))?
        .extract()?;
    let row = error
        .row()
        .map_or(String::new(), |row| format!("row {row}: "));
    let message = format!("{row}{}: {reason}", error.kind());
    let path = error.path().map(|path| path.as_os_str().to_owned());
    Ok(PyOSError::new_err((errno, message, path)))
}

fn errno(py: Python<'_>, name: &str) -> PyResult<i32> {
    py.import("errno")?.getattr(name)?.extract()
}
