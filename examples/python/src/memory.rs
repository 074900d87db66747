//! The memory of a Python object as a source of pixels.
//!
//! PyO3 offers the memory of a buffer as a slice of cells too, with
//! `PyBuffer::as_mut_slice`. That function is deprecated as unsound, because
//! native code may write the memory without the GIL. So pixels are copied with
//! `PyBuffer::copy_to_slice`, in which Python itself reads the memory. It is
//! called once a row.

use pixview::source::{
    Lease, LeaseMut, LiveBytes, LiveBytesMut, PixelSource, SharedPixelSource, SourceError,
};
use pyo3::buffer::PyBuffer;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyMemoryView, PySlice};

/// Memory that a Python object owns. It may change at any time.
pub(crate) struct Memory {
    pub(crate) access: Access,
    /// The reason why the memory cannot be written.
    pub(crate) readonly: Option<&'static str>,
}

/// The way in which memory is read and written.
pub(crate) enum Access {
    /// Through a view of all bytes that hold the pixels.
    Bytes {
        /// A one-dimensional view of bytes. While it exists, the owner can
        /// neither free nor move the memory.
        view: Py<PyMemoryView>,
        /// The number of bytes.
        len: usize,
    },
    /// Row by row through the array, which copies a row into a `bytes` object.
    /// The source is the packed rows.
    Rows {
        /// A NumPy array with rows as its first axis.
        array: Py<PyAny>,
        /// Bytes of a packed row.
        row_size: usize,
        /// The number of rows.
        rows: usize,
    },
}

impl Memory {
    fn size(&self) -> usize {
        match self.access {
            Access::Bytes { len, .. } => len,
            Access::Rows { row_size, rows, .. } => row_size.saturating_mul(rows),
        }
    }

    fn check_range(&self, offset: usize, bytes: usize) -> Result<(), SourceError> {
        let len = self.size();
        match offset.checked_add(bytes) {
            Some(end) if end <= len => Ok(()),
            _ => Err(SourceError::OutOfRange { offset, bytes, len }),
        }
    }
}

/// Returns the bytes `offset..offset + len` of a view, as a view.
///
/// Calls Python's `slice`, because `PySlice::new` of PyO3 0.30 leaks the numbers
/// that it is given.
pub(crate) fn part<'py>(
    view: &Bound<'py, PyMemoryView>,
    offset: usize,
    len: usize,
) -> PyResult<Bound<'py, PyAny>> {
    let slice = view.py().get_type::<PySlice>();
    view.get_item(slice.call1((offset, offset + len))?)
}

/// Splits bytes of packed rows into parts of one row each. Calls `each` with the
/// row, the byte of the row at which the part begins, and the range of the part
/// in the bytes.
fn for_each_row(
    offset: usize,
    len: usize,
    row_size: usize,
    mut each: impl FnMut(usize, usize, std::ops::Range<usize>) -> PyResult<()>,
) -> PyResult<()> {
    let mut done = 0;
    while done < len {
        let (row, start) = ((offset + done) / row_size, (offset + done) % row_size);
        let count = (row_size - start).min(len - done);
        each(row, start, done..done + count)?;
        done += count;
    }
    Ok(())
}

/// Returns a copy of a row.
fn row_of<'py>(
    array: &Bound<'py, PyAny>,
    row: usize,
    row_size: usize,
) -> PyResult<Bound<'py, PyBytes>> {
    let bytes = array.get_item(row)?.call_method0("tobytes")?;
    let bytes = bytes.cast_into::<PyBytes>()?;
    if bytes.as_bytes().len() != row_size {
        return Err(PyValueError::new_err("the shape of the array has changed"));
    }
    Ok(bytes)
}

/// The memory for one access.
struct LiveMemory<'a>(&'a Memory);

impl LiveBytes for LiveMemory<'_> {
    fn len(&self) -> usize {
        self.0.size()
    }

    fn element_size(&self) -> usize {
        1
    }

    fn copy_to(&self, offset: usize, to: &mut [u8]) -> Result<(), SourceError> {
        self.0.check_range(offset, to.len())?;
        Python::attach(|py| match &self.0.access {
            Access::Bytes { view, .. } => {
                PyBuffer::get(&part(view.bind(py), offset, to.len())?)?.copy_to_slice(py, to)
            }
            Access::Rows {
                array, row_size, ..
            } => {
                let array = array.bind(py);
                for_each_row(offset, to.len(), *row_size, |row, start, range| {
                    let bytes = row_of(array, row, *row_size)?;
                    let count = range.len();
                    to[range].copy_from_slice(&bytes.as_bytes()[start..start + count]);
                    Ok(())
                })
            }
        })
        .map_err(SourceError::other)
    }
}

impl LiveBytesMut for LiveMemory<'_> {
    fn copy_from(&mut self, offset: usize, from: &[u8]) -> Result<(), SourceError> {
        self.0.check_range(offset, from.len())?;
        Python::attach(|py| match &self.0.access {
            Access::Bytes { view, .. } => {
                PyBuffer::get(&part(view.bind(py), offset, from.len())?)?.copy_from_slice(py, from)
            }
            Access::Rows {
                array, row_size, ..
            } => {
                let array = array.bind(py);
                for_each_row(offset, from.len(), *row_size, |row, start, range| {
                    let mut bytes = row_of(array, row, *row_size)?.as_bytes().to_vec();
                    bytes[start..start + range.len()].copy_from_slice(&from[range]);
                    let old = array.get_item(row)?;
                    let numpy = py.import("numpy")?;
                    let bytes = PyBytes::new(py, &bytes);
                    let new = numpy.call_method1("frombuffer", (bytes, old.getattr("dtype")?))?;
                    let new = new.call_method1("reshape", (old.getattr("shape")?,))?;
                    array.set_item(row, new)
                })
            }
        })
        .map_err(SourceError::other)
    }
}

impl PixelSource for Memory {
    fn lease(&self) -> Result<Lease<'_>, SourceError> {
        Ok(Lease::live(LiveMemory(self)))
    }
}

impl SharedPixelSource for Memory {
    fn lease_shared(&self) -> Result<LeaseMut<'_>, SourceError> {
        if let Some(reason) = self.readonly {
            return Err(SourceError::other(PyValueError::new_err(reason)));
        }
        Ok(LeaseMut::live(LiveMemory(self)))
    }
}
