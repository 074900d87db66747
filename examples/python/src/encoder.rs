//! The classes `Encoder` and `SaveReport`.

use std::ops::ControlFlow::{Break, Continue};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use pixview::metadata::{Density, Text};
use pixview::{Compression, Error, ErrorKind, Metadata, PngEncoder};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use crate::error::exception;
use crate::image::Image;

/// The options of a save, and memory that is kept from save to save.
///
/// - `compression`: "stored", "fast", "small" or "best".
/// - `threads`: the number of threads that compress; 0 for as many as the machine
///   has.
/// - `reuse`: the number of images that are saved in turn. A save then encodes
///   only what changed since the image was saved last.
/// - `reduce`: whether the color type and the bit depth are reduced losslessly.
///   This copies the frame.
/// - `text`: a dictionary of keywords and texts, such as
///   {"Title": "Bench 3"}.
/// - `dpi`: the pixels per inch.
#[pyclass(module = "pixview")]
pub(crate) struct Encoder {
    encoder: PngEncoder,
    /// The exception that a signal handler raised during a save.
    raised: Raised,
}

type Raised = Arc<Mutex<Option<PyErr>>>;

#[pymethods]
impl Encoder {
    #[new]
    #[pyo3(signature = (*, compression="fast", threads=1, reuse=0, reduce=false, text=None,
        dpi=None))]
    fn new(
        compression: &str,
        threads: usize,
        reuse: u32,
        reduce: bool,
        text: Option<&Bound<'_, PyDict>>,
        dpi: Option<f64>,
    ) -> PyResult<Self> {
        let compression = match compression {
            "stored" => Compression::Stored,
            "fast" => Compression::Fast,
            "small" => Compression::Small,
            "best" => Compression::Best,
            _ => {
                return Err(PyValueError::new_err(format!(
                    "compression is \"stored\", \"fast\", \"small\" or \"best\", \
                     not {compression:?}"
                )));
            }
        };
        let mut metadata = Metadata::default();
        if let Some(text) = text {
            for (keyword, text) in text {
                let text = Text::new(keyword.extract::<String>()?, text.extract::<String>()?);
                metadata.text.push(text);
            }
        }
        metadata.density = dpi.map(Density::from_dpi);
        let raised = Raised::default();
        let to_raise = Arc::clone(&raised);
        // Without this call, Ctrl-C would wait for the end of a save.
        #[expect(
            clippy::redundant_closure_for_method_calls,
            reason = "the method alone fits one lifetime"
        )]
        let check_signals = move |_| match Python::attach(|py| py.check_signals()) {
            Ok(()) => Continue(()),
            Err(error) => {
                *to_raise.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                Break(())
            }
        };
        let mut encoder = PngEncoder::new()
            .compression(compression)
            .on_progress(check_signals)
            .threads(threads)
            .reduce(reduce)
            .metadata(metadata);
        if reuse > 0 {
            encoder = encoder.reuse_strips(reuse);
        }
        Ok(Encoder { encoder, raised })
    }

    /// Saves the pixels as they are now, and replaces the file atomically.
    pub(crate) fn save(
        &mut self,
        py: Python<'_>,
        image: &Image,
        #[pyo3(from_py_with = path_of)] path: PathBuf,
    ) -> PyResult<SaveReport> {
        let report = self.encoder.save(&image.0, path);
        self.report(py, report)
    }

    /// Saves the pixels as they are now, unless the file has the same bytes
    /// already.
    pub(crate) fn save_if_changed(
        &mut self,
        py: Python<'_>,
        image: &Image,
        #[pyo3(from_py_with = path_of)] path: PathBuf,
    ) -> PyResult<SaveReport> {
        let report = self.encoder.save_if_changed(&image.0, path);
        self.report(py, report)
    }

    /// Saves the pixels as they are now as a new file. Raises `FileExistsError`
    /// if anything exists at the path.
    pub(crate) fn save_new(
        &mut self,
        py: Python<'_>,
        image: &Image,
        #[pyo3(from_py_with = path_of)] path: PathBuf,
    ) -> PyResult<SaveReport> {
        let report = self.encoder.save_new(&image.0, path);
        self.report(py, report)
    }

    /// Returns the pixels as they are now as the bytes of a PNG file.
    #[expect(clippy::wrong_self_convention, reason = "the name of `PngEncoder`")]
    pub(crate) fn to_png<'py>(
        &mut self,
        py: Python<'py>,
        image: &Image,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let png = self.encoder.to_png(&image.0);
        let png = png.map_err(|error| self.exception(py, error))?;
        Ok(PyBytes::new(py, &png))
    }
}

impl Encoder {
    fn report(
        &self,
        py: Python<'_>,
        report: Result<pixview::png::SaveReport, Error>,
    ) -> PyResult<SaveReport> {
        let report = report.map_err(|error| self.exception(py, error))?;
        Ok(SaveReport {
            png_size: report.png_size,
            unchanged: report.unchanged,
            strips: report.strips,
            strips_encoded: report.strips_encoded,
            strips_reused: report.strips_reused,
            bytes_kept: report.bytes_kept,
        })
    }

    /// Returns the exception for an error of a save. A signal handler's exception
    /// is raised again.
    fn exception(&self, py: Python<'_>, error: Error) -> PyErr {
        let raised = match error.kind() {
            ErrorKind::Cancelled => &self.raised,
            _ => return exception(py, error),
        };
        let raised = raised.lock().unwrap_or_else(PoisonError::into_inner).take();
        raised.unwrap_or_else(|| exception(py, error))
    }
}

/// The report of a save.
#[pyclass(module = "pixview", frozen, get_all)]
pub(crate) struct SaveReport {
    /// The size of the PNG in bytes.
    png_size: u64,
    /// Whether the file had these bytes already and was left alone.
    unchanged: bool,
    /// Strips of the image.
    strips: u32,
    /// Strips that were compressed.
    strips_encoded: u32,
    /// Strips that had not changed since an earlier save.
    strips_reused: u32,
    /// Bytes of memory that the encoder holds for later saves.
    bytes_kept: u64,
}

#[pymethods]
impl SaveReport {
    fn __repr__(&self) -> String {
        let &SaveReport {
            png_size,
            unchanged,
            strips,
            strips_encoded,
            ..
        } = self;
        let unchanged = if unchanged { ", unchanged" } else { "" };
        format!(
            "<pixview.SaveReport {png_size} bytes{unchanged}, {strips_encoded} of {strips} \
             strips encoded>"
        )
    }
}

/// Returns the path to save to.
pub(crate) fn path_of(path: &Bound<'_, PyAny>) -> PyResult<PathBuf> {
    path.extract().map_err(|error: PyErr| {
        let reason = error.value(path.py());
        PyTypeError::new_err(format!("{reason}; for a file object use to_png()"))
    })
}
