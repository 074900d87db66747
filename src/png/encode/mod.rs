//! Saving an image as PNG. A save goes through the files in this order:
//!
//! | file | step |
//! |---|---|
//! | `encoder` | options, and memory that is kept |
//! | `destinations` | the public methods: `save`, `save_new`, `write` and others |
//! | `access` | how the pixels are reached: one lease, a copy, or a lease for each strip |
//! | `consistency` | the levels of consistency; the copy, and whether it is whole |
//! | `save` | the steps of each save: checks, chunks |
//! | `reduce`, `palette` | the color type that the pixels need; its palette |
//! | `geometry`, `filtering` | the cut into strips; when rows are filtered |
//! | `pipeline`, `queue` | strips through threads, in order |
//! | `strip` | rows in, a piece of the zlib stream out |
//! | `scanline` | a row of the source as the file holds it |
//! | `row_filter` | rows filtered one after the other |
//! | `filter` | the filters of PNG |
//! | `search` | the modes that search for matches |
//! | `key` | the digest by which unchanged strips are recognized |
//! | `kept`, `known_files` | strips of earlier saves, in memory and in files |
//! | `strip_writer` | a strip to the file: new, kept, or left in the file |
//! | `report` | the report of a save |
//! | `chunk_writer` | chunks, and the caller's `Write` |

mod access;
mod chunk_writer;
mod consistency;
mod destinations;
mod encoder;
pub(crate) mod filter;
mod filtering;
mod geometry;
mod kept;
mod key;
mod known_files;
mod options;
mod palette;
mod pipeline;
mod reduce;
mod report;
mod row_filter;
mod save;
mod scanline;
pub(crate) mod search;
mod strip;
mod strip_writer;

pub use consistency::{Consistency, FrameState};
pub use encoder::PngEncoder;
pub use options::{Compression, Filter, IndexDepth};
pub use report::SaveReport;
