//! PNG files: writing from a view, reading into a view.
//!
//! Start with [`PngEncoder`] and [`PngDecoder`]. [`metadata`] has the parts of a
//! file other than its pixels.

mod decode;
pub(crate) mod encode;
pub mod metadata;
mod progress;
mod queue;

pub use decode::{PngDecoder, PngReader};
pub use encode::{
    Compression, Consistency, Filter, FrameState, IndexDepth, PngEncoder, SaveReport,
};
pub use progress::Progress;
