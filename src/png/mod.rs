//! PNG files: writing from a view, reading into one.

mod decode;
pub(crate) mod encode;
mod file_format;
mod metadata;
mod progress;

pub use decode::{PngDecoder, PngReader};
pub use encode::{Compression, Filter, IndexDepth, PngEncoder};
pub use metadata::{
    Background, Chromaticities, Chunk, ChunkFault, Cicp, Density, IccProfile, LightLevel,
    MasteringDisplay, Metadata, RenderingIntent, Text, Time,
};
pub use progress::Progress;
