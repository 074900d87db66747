//! Decoding of PNG files into new images or into existing views.

mod access;
mod adam7;
mod ancillary;
mod animation;
mod chunk_reader;
mod decoder;
mod header;
mod input;
mod other_chunks;
mod parallel;
mod player;
mod reader;
mod row_writer;
mod rows;
mod scanlines;
#[cfg(test)]
mod tests;
mod unfilter;

pub use decoder::PngDecoder;
pub use reader::PngReader;
