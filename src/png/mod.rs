//! PNG files: writing from a view, reading into a buffer.

mod decoder;
mod encoder;
mod sink;

pub use encoder::{Compression, PngEncoder};
