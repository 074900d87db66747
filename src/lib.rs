//! Image views over a pixel buffer that lives somewhere else.
#![forbid(unsafe_code)]

mod access;
mod error;
mod file;
mod format;
mod image;
mod layout;
mod png;
mod rows;
mod source;

pub use access::{Pixels, PixelsMut};
pub use error::{Error, ErrorKind};
pub use format::{Channel, Pixel, PixelFormat};
pub use image::Image;
pub use layout::Layout;
pub use png::{Compression, PngEncoder};
pub use source::{
    Element, ElementMut, Lease, LeaseMut, LiveBytes, LiveBytesMut, PixelSource, PixelSourceMut,
    Plain, PlainBuffer, PlainBufferMut, SharedElement, SharedPixelSource, SourceError,
};
