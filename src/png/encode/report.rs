//! The report of a save.

use std::time::Duration;

/// What a save did, from [`PngEncoder::save`](super::PngEncoder::save) and its
/// other saves.
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
    /// Strips of the image.
    pub strips: u32,
    /// Strips that were filtered and compressed.
    pub strips_encoded: u32,
    /// Strips that had not changed since an earlier save: see
    /// [`PngEncoder::reuse_strips`](super::PngEncoder::reuse_strips) and
    /// [`PngEncoder::save_if_changed`](super::PngEncoder::save_if_changed).
    pub strips_reused: u32,
    /// Bytes of memory that the encoder holds for strips that later saves can
    /// reuse.
    pub bytes_kept: u64,
    /// Copies of the whole frame that were made: 1 if
    /// [`PngEncoder::reduce`](super::PngEncoder::reduce) copied live memory, else
    /// 0.
    pub frame_copies: u32,
    /// How long the source was held: from the moment at which it gave its
    /// memory (a lock was taken) to the moment at which the memory was released.
    /// Zero where the system has no clock.
    pub source_held: Duration,
}

/// A clock that was started at some moment.
pub(super) struct Stopwatch(Option<std::time::Instant>);

impl Stopwatch {
    pub(super) fn start() -> Self {
        // The standard library has no clock there, and panics.
        let has_clock = !cfg!(all(target_family = "wasm", target_os = "unknown"));
        Stopwatch(has_clock.then(std::time::Instant::now))
    }

    /// Returns the time since the start.
    pub(super) fn elapsed(&self) -> Duration {
        self.0.map_or(Duration::ZERO, |start| start.elapsed())
    }
}
