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
/// The GIL is held during a save, so no Python thread edits the array meanwhile,
/// and a file shows one moment. The exception is native code that writes the
/// array without the GIL, such as a NumPy operation in another thread: a file may
/// show half of its edit. `threads=` compresses in further threads. These threads
/// never touch the array.
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
