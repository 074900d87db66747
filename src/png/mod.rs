//! PNG files: writing from a view, reading into one.

mod adam7;
mod animation;
mod chunk_reader;
mod decoder;
mod encode;
mod file_format;
mod header;
mod kept;
mod metadata;
mod progress;
mod reader;
mod row_writer;
mod scanlines;
mod surroundings;
mod unfilter;

pub use decoder::PngDecoder;
pub use encode::{Compression, Filter, IndexDepth, PngEncoder};

pub use metadata::{
    Background, Chromaticities, Chunk, ChunkFault, Cicp, Density, IccProfile, LightLevel,
    MasteringDisplay, Metadata, RenderingIntent, Text, Time,
};
pub use progress::Progress;
pub use reader::PngReader;
