//! The Python module `pixview`: live views over arrays and buffers.
//!
//! [`array`] finds the memory of an object and the layout of its pixels.
//! [`memory`] is that memory as a source of `pixview`. [`image`] and [`encoder`]
//! are the classes.

mod array;
mod encoder;
mod error;
mod formats;
mod image;
mod memory;

/// Live image views over arrays and buffers, saved as PNG.
///
/// An `Image` describes memory that another object owns, such as a NumPy array,
/// a bytearray or an mmap. It keeps no copy of the pixels. Edits to the array
/// show in the image, before and after each save:
///
///     image = pixview.Image(array)
///     image.save("before.png")
///     array[0, 0] = 255
///     image.save("after.png")
///
/// A save holds the GIL, because it reads the array row by row. If it gave the
/// GIL up, a busy thread could delay each row by milliseconds. So no Python code
/// edits the array during a save, and a file shows one moment. There are two
/// exceptions, in which a file may show half of an edit: NumPy operations in
/// other threads, which write without the GIL; and images with `by_rows`, because
/// NumPy lets other threads run while it copies a row. The option `threads`
/// compresses in further threads. They never touch the array.
///
/// Ctrl-C stops a save: the save raises KeyboardInterrupt, and the old file stays. After
/// about every half megabyte of pixels, a save calls the handlers of signals that have
/// arrived.
#[pyo3::pymodule(name = "pixview", gil_used = true)]
mod module {
    use pyo3::prelude::*;
    use pyo3::types::PyTuple;

    #[pymodule_export]
    use crate::encoder::{Encoder, SaveReport};
    #[pymodule_export]
    use crate::image::Image;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        let names = pixview::PixelFormat::ALL.iter().map(|format| format.name());
        let names = PyTuple::new(module.py(), names.collect::<Vec<_>>())?;
        module.add("FORMATS", names)?;
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
