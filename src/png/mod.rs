//! PNG files: writing from a view, reading into one.

mod adam7;
mod animation;
mod chunk_reader;
mod decoder;
mod encoder;
mod file_format;
mod filter;
mod geometry;
mod header;
mod kept;
mod metadata;
mod options;
mod pipeline;
mod progress;
mod queue;
mod reader;
mod reduce;
mod row_writer;
mod scanlines;
mod sink;
mod strip;
mod surroundings;
mod unfilter;

pub use decoder::PngDecoder;
pub use encoder::PngEncoder;

pub use metadata::{
    Background, Chromaticities, Chunk, ChunkFault, Cicp, Density, IccProfile, LightLevel,
    MasteringDisplay, Metadata, RenderingIntent, Text, Time,
};
pub use options::{Compression, Filter, IndexDepth};
pub use progress::Progress;
pub use reader::PngReader;
pub(crate) use reduce::{BLOCK as REDUCED, Reduction};
