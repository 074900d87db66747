//! What can go wrong.

mod kind;
mod text;

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

pub use kind::ErrorKind;

use crate::SourceError;
use crate::alloc::NoMemory;

/// The error of every function of this crate.
///
/// An error says [what failed](Error::kind), with the numbers, and where: the
/// [path](Error::path) and the [row](Error::row), if there are any. Its text
/// names all of them and the causes in one line:
///
/// ```text
/// 8x8 pixels of RGB8 have 192 bytes, the buffer has 100
/// shot.png: row 211: could not write: No space left on device (os error 28)
/// ```
///
/// [`source`](std::error::Error::source) returns the cause itself: the
/// [`io::Error`] of a file or of the caller's `Write`, or the [`SourceError`]
/// of a pixel source. `{:?}` prints the same line as `{}`, so that `unwrap` and
/// a `main` that returns the error show it.
///
/// # Examples
///
/// ```
/// use pixview::{ErrorKind, Image, PixelFormat};
///
/// let buffer = vec![0u8; 100];
/// let error = Image::from_buffer(&buffer, 8, 8, PixelFormat::RGB8).unwrap_err();
/// assert!(matches!(
///     error.kind(),
///     ErrorKind::BufferLength { needed: 192, given: 100, .. }
/// ));
/// assert_eq!(
///     error.to_string(),
///     "8x8 pixels of RGB8 have 192 bytes, the buffer has 100",
/// );
/// ```
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    path: Option<PathBuf>,
    row: Option<u32>,
}

impl Error {
    /// Returns what failed.
    #[must_use]
    pub fn kind(&self) -> &ErrorKind {
        &self.0.kind
    }

    /// Returns the path of the file that was read or written, as the caller
    /// gave it.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        self.0.path.as_deref()
    }

    /// Returns the row that was being read, counted from 0 at the top. If a write
    /// failed, returns the first of the rows that were being written. Returns
    /// `None` before the first row and after the last.
    #[must_use]
    pub fn row(&self) -> Option<u32> {
        self.0.row
    }

    /// Sets the path, unless there is one already.
    pub(crate) fn at_path(mut self, path: &Path) -> Self {
        self.0.path.get_or_insert_with(|| path.to_owned());
        self
    }

    /// Sets the row, unless there is one already.
    pub(crate) fn at_row(mut self, row: u32) -> Self {
        self.0.row.get_or_insert(row);
        self
    }
}

/// Adds the row to the error of a result.
pub(crate) trait AtRow<T> {
    fn at_row(self, row: u32) -> Result<T, Error>;
}

impl<T, E: Into<Error>> AtRow<T> for Result<T, E> {
    fn at_row(self, row: u32) -> Result<T, Error> {
        self.map_err(|error| error.into().at_row(row))
    }
}

impl From<ErrorKind> for Error {
    fn from(kind: ErrorKind) -> Self {
        Error(Box::new(Inner {
            kind,
            path: None,
            row: None,
        }))
    }
}

impl From<NoMemory> for Error {
    fn from(NoMemory(bytes): NoMemory) -> Self {
        ErrorKind::OutOfMemory { bytes }.into()
    }
}

impl From<SourceError> for Error {
    fn from(error: SourceError) -> Self {
        ErrorKind::Source(error).into()
    }
}

/// Lets `?` work in functions that return [`io::Result`]. If the cause is an
/// `io::Error`, the new error has the kind of the cause. The kind is never
/// [`Interrupted`](io::ErrorKind::Interrupted), because `io::copy`, `read_exact`
/// and `write_all` repeat a call that returns it. A cancelled save or read
/// becomes [`Other`](io::ErrorKind::Other).
impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        let kind = match error.kind() {
            ErrorKind::Read(cause) | ErrorKind::Write(cause) | ErrorKind::FolderSync(cause) => {
                cause.kind()
            }
            ErrorKind::FileExists => io::ErrorKind::AlreadyExists,
            ErrorKind::OutOfMemory { .. } => io::ErrorKind::OutOfMemory,
            ErrorKind::Decode { .. } | ErrorKind::NotPng { .. } => io::ErrorKind::InvalidData,
            ErrorKind::Cancelled | ErrorKind::Source(_) => io::ErrorKind::Other,
            _ => io::ErrorKind::InvalidInput,
        };
        let kind = match kind {
            io::ErrorKind::Interrupted => io::ErrorKind::Other,
            kind => kind,
        };
        io::Error::new(kind, error)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(path) = &self.0.path {
            write!(f, "{}: ", path.display())?;
        }
        if let Some(row) = self.0.row {
            write!(f, "row {row}: ")?;
        }
        write!(f, "{}", self.0.kind)?;
        let mut cause = self.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.kind.source()
    }
}
