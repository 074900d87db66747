//! The report of a save.

use std::time::Duration;

use super::consistency::FrameState;

/// The report of a save: the size of the file, and the work that was done. The
/// saves of [`PngEncoder`](super::PngEncoder) return it.
///
/// # Examples
///
/// ```
/// use pixview::{Image, PixelFormat, PngEncoder};
///
/// let mut image = Image::new(640, 480, PixelFormat::RGB8)?;
/// let mut encoder = PngEncoder::new().reuse_strips(1);
/// let first = encoder.write(&image, std::io::sink())?;
/// assert_eq!((first.strips_encoded, first.strips_reused), (first.strips, 0));
///
/// image.pixels_mut()?.put(100, 100, [255, 0, 0])?;
/// let second = encoder.write(&image, std::io::sink())?;
/// assert_eq!(second.strips_encoded, 1);
/// # Ok::<(), pixview::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SaveReport {
    /// The size of the PNG in bytes.
    pub png_size: u64,
    /// Whether the file had these bytes already and was left alone. Only
    /// [`PngEncoder::save_if_changed`](super::PngEncoder::save_if_changed) leaves
    /// files alone.
    pub unchanged: bool,
    /// The number of strips of the image.
    pub strips: u32,
    /// The number of strips that were filtered and compressed.
    pub strips_encoded: u32,
    /// The number of strips that were taken from an earlier save: see
    /// [`PngEncoder::reuse_strips`](super::PngEncoder::reuse_strips) and
    /// [`PngEncoder::save_if_changed`](super::PngEncoder::save_if_changed).
    pub strips_reused: u32,
    /// Bytes of memory that the encoder holds for strips that later saves can
    /// reuse.
    pub bytes_kept: u64,
    /// Whether the pixels are from one moment.
    pub frame: FrameState,
    /// The number of copies of the whole frame that the save made. The last one was
    /// saved; the others were torn. More than 0 only with
    /// [`Consistency::Snapshot`](super::Consistency::Snapshot) or
    /// [`PngEncoder::reduce`](super::PngEncoder::reduce), and never for plain memory
    /// that the image borrows or owns.
    pub frame_copies: u32,
    /// The longest time for which the save held a lease of the source, and with it
    /// the lock, if the source has one. The time that the save waited for the lock
    /// is not included. Zero where the system has no clock.
    pub source_held: Duration,
}

/// A clock that measures the time since its start.
pub(super) struct Stopwatch(Option<std::time::Instant>);

impl Stopwatch {
    pub(super) fn start() -> Self {
        // The clock of the standard library panics on this target.
        let has_clock = !cfg!(all(target_family = "wasm", target_os = "unknown"));
        Stopwatch(has_clock.then(std::time::Instant::now))
    }

    /// Returns the time since the start.
    pub(super) fn elapsed(&self) -> Duration {
        self.0.map_or(Duration::ZERO, |start| start.elapsed())
    }
}
