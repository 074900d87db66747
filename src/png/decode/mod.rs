//! Reading PNG files: into memory of their own, or into a view.

mod adam7;
mod animation;
mod chunk_reader;
mod decoder;
mod header;
mod kept;
mod reader;
mod row_writer;
mod scanlines;
mod surroundings;
mod unfilter;

pub use decoder::PngDecoder;
pub use reader::PngReader;
