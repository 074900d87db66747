//! PNG files: writing from a view, reading into a buffer.

mod decoder;
mod encoder;
mod filter;
mod geometry;
mod pipeline;
mod queue;
mod simd;
mod sink;
mod strip;

pub use encoder::{Compression, Filter, PngEncoder};
pub(crate) use filter::paeth;
