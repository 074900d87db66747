//! The class `Image`.

use std::path::PathBuf;
use std::sync::Arc;

use pixview::{Palette, PixelFormat, PngDecoder};
use pyo3::buffer::PyUntypedBuffer;
use pyo3::exceptions::{PyIndexError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PySlice, PyTuple};

use crate::array::{Arguments, open};
use crate::encoder::{Encoder, SaveReport, path_of};
use crate::error::exception;
use crate::memory::{Access, Memory};

/// A live view of pixels that another object owns.
///
/// `array` is a NumPy array of any strides, or any object with the buffer
/// protocol, `__array_interface__` or `__dlpack__`. No pixels are copied. Each
/// save reads the memory anew.
///
/// The format is found from the type and the shape of the array: (height, width)
/// is gray, and (height, width, 2, 3 or 4) is gray and alpha, RGB or RGBA. An
/// array of bool is black and white. Any other format is given by its name, such
/// as "BGR8", "BGRX8" or "RGB565": `pixview.FORMATS` has all names.
///
/// Memory without a shape, such as a bytearray, needs `size=(width, height)`. It
/// may have a `stride` (bytes from a row to the next) and an `offset` in bytes.
///
/// `range=(black, white)` gives the values of black and white, `bits` the number
/// of significant bits, `premultiplied` declares colors that are multiplied by
/// alpha. `palette` is a sequence of (red, green, blue) or (red, green, blue,
/// alpha) for indexed formats.
#[pyclass(module = "pixview")]
pub(crate) struct Image(pub(crate) pixview::Image<Arc<Memory>>);

#[pymethods]
impl Image {
    #[new]
    #[pyo3(signature = (array, format=None, *, size=None, stride=None, offset=None,
        range=None, bits=None, premultiplied=false, palette=None))]
    #[expect(clippy::too_many_arguments, reason = "Python names them")]
    fn new(
        array: &Bound<'_, PyAny>,
        format: Option<&str>,
        size: Option<(u32, u32)>,
        stride: Option<isize>,
        offset: Option<usize>,
        #[pyo3(from_py_with = range_of)] range: Option<(f64, f64)>,
        bits: Option<u8>,
        premultiplied: bool,
        palette: Option<Vec<Vec<u8>>>,
    ) -> PyResult<Self> {
        let options = move |mut format: PixelFormat| {
            if let Some((black, white)) = range {
                format = format.with_range(black, white);
            }
            if let Some(bits) = bits {
                format = format.with_significant_bits(bits);
            }
            if premultiplied {
                format = format.premultiplied();
            }
            format
        };
        let error = |error| exception(array.py(), error);
        let arguments = Arguments {
            format: format.map(str::parse).transpose().map_err(error)?,
            options: Box::new(options),
            size,
            stride,
            offset,
        };
        let mut image = open(array, &arguments)?;
        if let Some(colors) = palette {
            let palette = palette_of(array.py(), &colors)?;
            image = image.with_palette(palette).map_err(error)?;
        }
        Ok(Image(image))
    }

    /// The width in pixels.
    #[getter]
    fn width(&self) -> u32 {
        self.0.width()
    }

    /// The height in pixels.
    #[getter]
    fn height(&self) -> u32 {
        self.0.height()
    }

    /// The width and the height in pixels.
    #[getter]
    fn size(&self) -> (u32, u32) {
        (self.0.width(), self.0.height())
    }

    /// The format of the pixels in memory. It is "BGR8" for `rgb[..., ::-1]`.
    #[getter]
    fn format(&self) -> String {
        self.0.format().to_string()
    }

    /// Whether `read_into` is refused: the array is read-only, or its elements
    /// overlap.
    #[getter]
    fn readonly(&self) -> bool {
        self.0.source().readonly.is_some()
    }

    /// Whether NumPy copies each row. That is slower than a read of the memory, and
    /// other threads may edit the array between two rows. Used for large steps
    /// between pixels, as in a transposed array.
    #[getter]
    fn by_rows(&self) -> bool {
        matches!(self.0.source().access, Access::Rows { .. })
    }

    /// The address of pixel (0, 0) in memory, or None if the array is asked for
    /// each row.
    #[getter]
    fn address(&self, py: Python<'_>) -> PyResult<Option<usize>> {
        let Access::Bytes { view, .. } = &self.0.source().access else {
            return Ok(None);
        };
        let start = PyUntypedBuffer::get(view.bind(py))?.buf_ptr().addr();
        Ok(Some(start + self.0.layout().offset()))
    }

    /// Returns a view of the same memory for `image[y0:y1, x0:x1]`, and the
    /// samples of a pixel for `image[y, x]`. A step of -1 flips. A pixel is a tuple
    /// of the samples of the PNG, also if it has only one.
    fn __getitem__<'py>(
        &self,
        py: Python<'py>,
        key: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let error = |error| exception(py, error);
        let full = PySlice::full(py).into_any();
        let (rows, columns) = match key.extract::<(Bound<'py, PyAny>, Bound<'py, PyAny>)>() {
            Ok(pair) => pair,
            Err(_) if key.is_instance_of::<PySlice>() => (key.clone(), full),
            Err(_) => return Err(wrong_key()),
        };
        if let (Ok(y), Ok(x)) = (rows.extract::<i64>(), columns.extract::<i64>()) {
            let (width, height) = self.size();
            let (x, y) = (index(x, width)?, index(y, height)?);
            let pixel = self.0.pixels().and_then(|pixels| pixels.get(x, y));
            let pixel = pixel.map_err(error)?;
            return Ok(PyTuple::new(py, pixel.iter())?.into_any());
        }
        let (y, height, flip_vertical) = range(&rows, self.height())?;
        let (x, width, flip_horizontal) = range(&columns, self.width())?;
        let mut image = self.0.clone().crop(x, y, width, height).map_err(error)?;
        if flip_vertical {
            image = image.flip_vertical();
        }
        if flip_horizontal {
            image = image.flip_horizontal();
        }
        Ok(Bound::new(py, Image(image))?.into_any())
    }

    /// Refuses `numpy.asarray(image)`, which would copy the pixels.
    #[pyo3(signature = (dtype=None, copy=None))]
    #[expect(clippy::unused_self, reason = "Python calls it on an image")]
    fn __array__(
        &self,
        dtype: Option<&Bound<'_, PyAny>>,
        copy: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let _ = (dtype, copy);
        Err(PyTypeError::new_err(
            "an Image is a view of an array: use the array that you gave",
        ))
    }

    /// Returns a view with top and bottom exchanged, as for a bottom-up buffer.
    fn flip(&self) -> Self {
        Image(self.0.clone().flip_vertical())
    }

    /// Saves the pixels as they are now, and replaces the file atomically.
    /// `options` are those of `Encoder`.
    #[pyo3(signature = (path, **options))]
    fn save(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = path_of)] path: PathBuf,
        options: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<SaveReport> {
        encoder(py, options)?.borrow_mut().save(py, self, path)
    }

    /// Saves the pixels as they are now, unless the file has the same bytes
    /// already. `options` are those of `Encoder`.
    #[pyo3(signature = (path, **options))]
    fn save_if_changed(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = path_of)] path: PathBuf,
        options: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<SaveReport> {
        let encoder = encoder(py, options)?;
        let mut encoder = encoder.borrow_mut();
        encoder.save_if_changed(py, self, path)
    }

    /// Saves the pixels as they are now as a new file. Raises `FileExistsError`
    /// if anything exists at the path. `options` are those of `Encoder`.
    #[pyo3(signature = (path, **options))]
    fn save_new(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = path_of)] path: PathBuf,
        options: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<SaveReport> {
        encoder(py, options)?.borrow_mut().save_new(py, self, path)
    }

    /// Returns the pixels as they are now as the bytes of a PNG file. `options`
    /// are those of `Encoder`.
    #[pyo3(signature = (**options))]
    fn to_png<'py>(
        &self,
        py: Python<'py>,
        options: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        encoder(py, options)?.borrow_mut().to_png(py, self)
    }

    /// Reads a PNG file into the array, converted to its format. The file has
    /// the size of the image.
    fn read_into(&mut self, py: Python<'_>, path: PathBuf) -> PyResult<()> {
        let error = |error| exception(py, error);
        let mut reader = PngDecoder::new().open(path).map_err(error)?;
        reader.read_into(&mut self.0).map_err(error)
    }

    fn __repr__(&self) -> String {
        let (width, height) = self.size();
        format!("<pixview.Image {width}x{height} {}>", self.0.format())
    }
}

/// Returns a new encoder.
fn encoder<'py>(
    py: Python<'py>,
    options: Option<&Bound<'py, PyDict>>,
) -> PyResult<Bound<'py, Encoder>> {
    let encoder = py.get_type::<Encoder>().call((), options)?;
    Ok(encoder.cast_into()?)
}

/// Returns the index of a row or column; negative ones count from the end.
fn index(at: i64, count: u32) -> PyResult<u32> {
    let from_start = if at < 0 { at + i64::from(count) } else { at };
    u32::try_from(from_start)
        .ok()
        .filter(|&at| at < count)
        .ok_or_else(|| PyIndexError::new_err(format!("{at} is outside of {count} pixels")))
}

/// Returns the first index, the number of indices, and whether they are reversed.
fn range(slice: &Bound<'_, PyAny>, count: u32) -> PyResult<(u32, u32, bool)> {
    let slice = slice.cast::<PySlice>().map_err(|_| wrong_key())?;
    let range = slice.indices(count as isize)?;
    let len = range.slicelength as u32;
    match range.step {
        1 => Ok((range.start as u32, len, false)),
        -1 => Ok(((range.start + 1) as u32 - len, len, true)),
        step => Err(PyValueError::new_err(format!(
            "the step of a view is 1 or -1, not {step}: slice the array"
        ))),
    }
}

fn wrong_key() -> PyErr {
    PyTypeError::new_err("a view is image[y0:y1, x0:x1], a pixel is image[y, x]")
}

/// Returns the values of black and white.
fn range_of(range: &Bound<'_, PyAny>) -> PyResult<Option<(f64, f64)>> {
    range
        .extract()
        .map_err(|_| PyTypeError::new_err("range is a pair (black, white)"))
}

fn palette_of(py: Python<'_>, colors: &[Vec<u8>]) -> PyResult<Palette> {
    let colors = colors.iter().map(|color| match **color {
        [red, green, blue] => Ok([red, green, blue, 255]),
        [red, green, blue, alpha] => Ok([red, green, blue, alpha]),
        _ => Err(PyValueError::new_err(
            "a color of a palette is (red, green, blue) or (red, green, blue, alpha)",
        )),
    });
    let colors = colors.collect::<PyResult<Vec<_>>>()?;
    Palette::from_rgba(&colors).map_err(|error| exception(py, error))
}
