//! PNG files: writing from a view, reading into one.

mod animation;
mod decoder;
mod encoder;
mod filter;
mod geometry;
mod metadata;
mod pipeline;
mod progress;
mod queue;
mod reader;
mod reduce;
mod simd;
mod sink;
mod strip;
mod tap;

pub use decoder::PngDecoder;
pub use encoder::{Compression, Filter, IndexDepth, PngEncoder};
pub(crate) use filter::paeth;
pub use metadata::{
    Background, Chromaticities, Chunk, Cicp, Density, IccProfile, LightLevel, MasteringDisplay,
    Metadata, RenderingIntent, Text, Time,
};
pub use progress::Progress;
pub use reader::PngReader;
pub(crate) use reduce::{BLOCK as REDUCED, Reduction};
