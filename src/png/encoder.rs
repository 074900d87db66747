//! Saving: options, scratch, and the way of the rows into the file.

use std::cell::Cell;
use std::fmt;
use std::io::{self, Write};
use std::ops::ControlFlow;
use std::path::Path;
use std::thread;

use super::geometry::Geometry;
use super::metadata::{Chunks, Metadata, Refused, SampleChunks, Written};
use super::options::{Compression, Filter, IndexDepth};
use super::pipeline;
use super::progress::{Progress, Watcher};
use super::reduce::Reduction;
use super::sink::{Buffered, Sink, SinkState};
use super::strip::{Kept, Strip};
use crate::alloc::{NoMemory, reserve, with_capacity};
use crate::format::Color;
use crate::rows::{Frame, Target};
use crate::source::with_lease;
use crate::{Error, ErrorKind, Image, Lease, Palette, PixelFormat, PixelSource, file};

/// The most bytes in a chunk: PNG allows 2^31-1 (PNG third edition, 5.3).
const MAX_CHUNK: usize = 1 << 30;

/// Saves images as PNG: the options, and scratch buffers that are kept from
/// save to save.
///
/// Options belong to the encoder, never to an image, so that two threads that
/// save one image share nothing. [`Image::save`] is
/// `PngEncoder::new().save(&image, path)`.
///
/// Pixels go from the view into strips of about 512 KiB (64 KiB if nothing is
/// compressed), row by row: each pixel of a live source is read once, and rows
/// that lie in stable memory as the file has them are filtered right out of it,
/// by any of the threads; what has to be converted is, in the caller's thread.
/// Strips are compressed on their own and written in order: the first bytes are
/// out after the first strip, and beyond the caller's buffer a save takes at
/// most 2 MiB and four rows of PNG, and 3 MiB and three rows for each thread
/// after the first, whatever the image's height. The encoder keeps them for the
/// next save, until [`release_memory`](PngEncoder::release_memory).
///
/// A save needs 64 KiB of stack in the caller's thread, and up to 1 MiB if this
/// crate is compiled without optimization; the caller's own code, such as its
/// writer, needs more. Threads that the encoder starts have the stack that the
/// standard library gives to threads.
///
/// # Examples
///
/// ```
/// use pixview::{Compression, Image, PixelFormat, PngEncoder};
///
/// let image = Image::new(32, 32, PixelFormat::GRAY8)?;
/// let mut encoder = PngEncoder::new().compression(Compression::Small);
/// let png = encoder.to_vec(&image)?;
/// assert_eq!(&png[1..4], b"PNG");
/// # Ok::<(), pixview::Error>(())
/// ```
pub struct PngEncoder {
    compression: Compression,
    filter: Filter,
    index_depth: IndexDepth,
    reduce: bool,
    metadata: Result<Chunks, Refused>,
    threads: usize,
    watcher: Watcher,
    strips: Vec<Strip>,
    kept: Kept,
}

impl PngEncoder {
    /// An encoder with the default options.
    #[must_use]
    pub fn new() -> Self {
        PngEncoder {
            compression: Compression::default(),
            filter: Filter::default(),
            index_depth: IndexDepth::default(),
            reduce: false,
            metadata: Ok(Chunks::default()),
            threads: 1,
            watcher: Watcher::default(),
            strips: Vec::new(),
            kept: Kept::new(),
        }
    }

    /// How much work to put into small files. [`Compression::Fast`] unless
    /// said.
    #[must_use]
    pub fn compression(mut self, compression: Compression) -> Self {
        self.compression = compression;
        self
    }

    /// How scanlines are filtered. [`Filter::Auto`] unless said, which is
    /// hardly ever wrong.
    #[must_use]
    pub fn filter(mut self, filter: Filter) -> Self {
        self.filter = filter;
        self
    }

    /// At how many bits a pixel indexed images are saved.
    /// [`IndexDepth::Smallest`] unless said.
    #[must_use]
    pub fn index_depth(mut self, depth: IndexDepth) -> Self {
        self.index_depth = depth;
        self
    }

    /// Whether files have less than their images where the pixels are the same:
    /// opaque RGBA as RGB, RGB that is gray as gray, 16 bits whose halves are
    /// equal as 8, and few colours as indices, at the fewest bits that hold
    /// them. Not unless said: the format of the file then depends on the pixels.
    ///
    /// Stable memory is looked at twice, and nothing is copied. Cells, atomics
    /// and other live memory may change in between: they are copied first, the
    /// whole frame. Indexed images and pixels of less than a byte stay as they
    /// are, and so do all if the metadata speaks of samples: significant bits,
    /// a background, a transparent colour, a profile.
    ///
    /// # Examples
    ///
    /// ```
    /// use pixview::{Image, PixelFormat, PngDecoder, PngEncoder};
    ///
    /// let mut image = Image::new(100, 100, PixelFormat::RGBA8)?;
    /// image.write()?.fill([9, 9, 9, 255])?;
    /// let png = PngEncoder::new().reduce(true).to_vec(&image)?;
    /// let reader = PngDecoder::new().from_bytes(&png)?;
    /// assert_eq!(reader.format(), PixelFormat::INDEXED1);
    /// # Ok::<(), pixview::Error>(())
    /// ```
    #[must_use]
    pub fn reduce(mut self, reduce: bool) -> Self {
        self.reduce = reduce;
        self
    }

    /// Sets the metadata to write. Defaults to none.
    ///
    /// Makes the chunks here, once: long text and profiles are compressed, other
    /// data is moved, so that a save copies none of it and allocates nothing for
    /// it. Metadata that can't be written, or memory that can't be had for its
    /// chunks, is an error of each save.
    #[must_use]
    pub fn metadata(mut self, metadata: Metadata) -> Self {
        self.metadata = Chunks::new(metadata);
        self
    }

    /// How many threads compress, the caller's own among them. One unless
    /// said; 0 for as many as the machine has. The file is the same.
    ///
    /// In the caller's thread alone the source is read and converted, unless it
    /// is stable memory with rows as the file has them, and the file is
    /// written: more threads don't help formats that take longer to convert
    /// than to compress. It does its share of the compressing while it waits, so
    /// a save inside a thread pool blocks on nobody but the threads that it
    /// started itself. If threads can't be started, fewer do the work.
    #[must_use]
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = threads;
        self
    }

    /// A function that is told after each strip how many rows have been
    /// written, in the caller's thread, and that stops the save with
    /// [`ControlFlow::Break`]: within the time of one strip it fails with
    /// [`ErrorKind::Cancelled`], and an old file is as it was.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::ops::ControlFlow;
    /// use pixview::{Image, PixelFormat, PngEncoder};
    ///
    /// let image = Image::new(2000, 3000, PixelFormat::RGB8)?;
    /// let mut encoder = PngEncoder::new().on_progress(|progress| {
    ///     if progress.rows > progress.total / 2 {
    ///         return ControlFlow::Break(());
    ///     }
    ///     ControlFlow::Continue(())
    /// });
    /// assert_eq!(encoder.to_vec(&image).unwrap_err().to_string(), "cancelled");
    /// # Ok::<(), pixview::Error>(())
    /// ```
    #[must_use]
    pub fn on_progress(
        mut self,
        function: impl FnMut(Progress) -> ControlFlow<()> + Send + 'static,
    ) -> Self {
        self.watcher = Watcher::new(function);
        self
    }

    /// Saves the pixels as they are now as a PNG file, replacing `path`
    /// atomically.
    ///
    /// The file is written under a temporary name in the same folder and
    /// renamed when it is whole: whoever opens `path` sees the old file or
    /// the new one. If anything fails, or code of the caller's panics, the
    /// old file is untouched and the temporary file is removed. (A process
    /// that is killed leaves it behind: its name begins with `.pixview-` and
    /// ends in `.tmp`.)
    ///
    /// - **Extension.** `.png` in any case, or none. Others are an error:
    ///   nothing is guessed.
    /// - **The folder** must be one in which a file can be made, even where
    ///   `path` itself exists and could be written. It is opened at the start:
    ///   if it is renamed during the save, the file is in the renamed folder.
    ///   (Only on Unix. Elsewhere the save fails and the temporary file stays.)
    ///   Names, paths and working directories may be as long and as deep as
    ///   [`File::create`](std::fs::File::create) allows.
    /// - **An existing file** must be one that could be opened for writing: a
    ///   read-only file is not replaced. Nothing is written to it, so
    ///   processes that watch it see no write, only that it is gone. Other hard
    ///   links to it keep the old content. A file that is a mount of its own,
    ///   such as one that is bound into a container, can't be replaced: the
    ///   save fails with [`ResourceBusy`](std::io::ErrorKind::ResourceBusy)
    ///   when all is written. Use [`write`](PngEncoder::write) for that.
    /// - **Permissions** of an existing file stay, and so do its owner and
    ///   group, as far as the system allows, and on Linux its POSIX access
    ///   control list. The file opens to nobody new: where the group can't
    ///   stay, group and others get the permissions that both had, and
    ///   only the owner keeps any if the file had a list. The set-user-ID,
    ///   set-group-ID and sticky bits stay only if owner and group both do. A
    ///   default list of the folder is for new files only. Other extended
    ///   attributes are lost. So are lists that the system inherits by rules of
    ///   its own: those of NFS version 4, SMB, Windows, macOS and the BSDs; a
    ///   replaced file there may get the list of its folder.
    /// - **A symbolic link** is followed, and its target replaced. If the
    ///   target doesn't exist, it is created. The extension is that of the
    ///   link.
    /// - **A pipe or a device** can't be replaced: it is written to. Opening a
    ///   named pipe blocks until another process opens it for reading. A
    ///   directory is an error, and so is `/dev/stdout` where it stands for a
    ///   file that is open: use [`write`](PngEncoder::write) for that.
    ///
    /// Errors that the system reports when the file is closed are errors of the
    /// save, and the old file stays: NFS and others say only then that the disk
    /// is full. (Only on Unix: elsewhere the standard library doesn't tell.) Nothing
    /// is synced to the disk, which takes milliseconds: after a loss of power
    /// the file may be the old one or, on some file systems, damaged.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::UnknownExtension`], and of indexed images
    ///   [`ErrorKind::NoPalette`] and [`ErrorKind::PaletteDepth`], before a
    ///   pixel is read;
    /// - [`ErrorKind::Metadata`] if what is to be said of the image can't be
    ///   said of it, before a pixel is read;
    /// - [`ErrorKind::IndexOutside`] if an index is beyond the palette;
    /// - [`ErrorKind::Source`] if the source can't be read, or changed its
    ///   length since the image was made, with the row it happened in;
    /// - [`ErrorKind::Write`] with the [`std::io::Error`] beneath;
    /// - [`ErrorKind::Cancelled`]: see [`on_progress`](PngEncoder::on_progress);
    /// - [`ErrorKind::OutOfMemory`] if a few rows don't fit into memory,
    ///   [`ErrorKind::TooLarge`] if they don't fit any.
    ///
    /// All of them name the path.
    pub fn save<S: PixelSource>(
        &mut self,
        image: &Image<S>,
        path: impl AsRef<Path>,
    ) -> Result<(), Error> {
        let path = path.as_ref();
        let prepared = self.prepare(image);
        prepared
            .and_then(|prepared| {
                file::replace(path, |writer| self.encode(image, &prepared, writer))
            })
            .map_err(|error| error.at_path(path))
    }

    /// Writes the pixels as they are now as a PNG stream. The writer need not
    /// be buffered and is never asked to seek; it is flushed at the end.
    ///
    /// After an error the writer has got a part of a file, or nothing. It is
    /// not called again.
    ///
    /// # Errors
    ///
    /// As [`save`](PngEncoder::save), without a path. A writer that takes no
    /// bytes is an error, as with [`Write::write_all`].
    pub fn write<S: PixelSource>(
        &mut self,
        image: &Image<S>,
        mut writer: impl Write,
    ) -> Result<(), Error> {
        let prepared = self.prepare(image)?;
        self.encode(image, &prepared, &mut writer)
    }

    /// The pixels as they are now as the bytes of a PNG file.
    ///
    /// # Errors
    ///
    /// As [`save`](PngEncoder::save), without a path.
    pub fn to_vec<S: PixelSource>(&mut self, image: &Image<S>) -> Result<Vec<u8>, Error> {
        let mut png = Growing::default();
        match self.write(image, &mut png) {
            Ok(()) => Ok(png.bytes),
            Err(error) => Err(match png.refused {
                Some(bytes) => ErrorKind::OutOfMemory { bytes }.into(),
                None => error,
            }),
        }
    }

    /// Frees the memory that the encoder keeps for its next save: see the docs
    /// of [`PngEncoder`] for how much that is. The options stay, and the next
    /// save allocates anew.
    ///
    /// # Examples
    ///
    /// ```
    /// use pixview::{Image, PixelFormat, PngEncoder};
    ///
    /// let image = Image::new(32, 32, PixelFormat::GRAY8)?;
    /// let mut encoder = PngEncoder::new();
    /// let png = encoder.to_vec(&image)?;
    /// encoder.release_memory(); // no save for a while
    /// assert_eq!(encoder.to_vec(&image)?, png);
    /// # Ok::<(), pixview::Error>(())
    /// ```
    pub fn release_memory(&mut self) {
        self.strips = Vec::new();
        self.kept = Kept::new();
    }

    /// All that can be wrong before a pixel is read or a byte written.
    fn prepare<S>(&self, image: &Image<S>) -> Result<Prepared, Error> {
        let format = image.format();
        let indexed = match (format.is_indexed(), image.palette()) {
            (true, Some(palette)) => {
                let depth = self.index_depth.bits(palette)?;
                Some((palette.colors().len(), depth))
            }
            (true, None) => return Err(ErrorKind::NoPalette { format }.into()),
            (false, _) => None,
        };
        let mut prepared = Prepared {
            format,
            indexed,
            samples: SampleChunks::default(),
            palette: Vec::new(),
        };
        let colors = indexed.map_or(0, |(colors, _)| colors);
        let metadata = self.metadata.as_ref().map_err(Refused::error)?;
        prepared.samples = metadata.of_samples(prepared.target().png, colors)?;
        if let Some(palette) = image.palette() {
            prepared.palette = palette_chunks(palette)?;
        }
        Ok(prepared)
    }

    fn encode<S: PixelSource>(
        &mut self,
        image: &Image<S>,
        prepared: &Prepared,
        writer: &mut dyn Write,
    ) -> Result<(), Error> {
        let format = image.format();
        let reduces = self.reduce && !format.is_indexed() && format.bit_depth() >= 8;
        let metadata = self.metadata.as_ref().map_err(Refused::error)?;
        let reduces = reduces && !metadata.depend_on_samples();
        let encode = |lease: &mut Lease<'_>| {
            let frame = image.description().frame(lease)?;
            if !reduces {
                let save = Save {
                    frame,
                    target: prepared.target(),
                    palette: &prepared.palette,
                    samples: &prepared.samples,
                };
                return self.encode_frame(&save, writer).map(|()| true);
            }
            if !frame.is_stable() {
                return Ok(false);
            }
            self.encode_reduced(frame, prepared, writer).map(|()| true)
        };
        let (_, is_done) = with_lease(image.source().lease()?, encode);
        if is_done? {
            return Ok(());
        }
        // Live memory is copied first, since it may not be the same when it is
        // looked at again.
        let snapshot = image.to_vec()?;
        let copy = Image::from_buffer(snapshot, image.width(), image.height(), format)?;
        self.encode(&copy, prepared, writer)
    }

    /// Looks at all pixels, and then saves what is needed of them.
    fn encode_reduced(
        &mut self,
        frame: Frame<'_>,
        prepared: &Prepared,
        writer: &mut dyn Write,
    ) -> Result<(), Error> {
        let reduction = Reduction::find(&frame)?;
        let palette = match reduction.as_ref().and_then(Reduction::palette) {
            Some(palette) => palette_chunks(&palette?)?,
            None => Vec::new(),
        };
        let save = Save {
            frame,
            target: match &reduction {
                Some(reduction) => Target::reduced(reduction.to, reduction),
                None => prepared.target(),
            },
            palette: &palette,
            samples: &prepared.samples,
        };
        self.encode_frame(&save, writer)
    }

    fn encode_frame(&mut self, save: &Save<'_>, writer: &mut dyn Write) -> Result<(), Error> {
        let state = SinkState::default();
        let mut row = None;
        let result = self.write_png(save, Sink::new(writer, &state), &state, &mut row);
        let failure = state.take_failure();
        result.map_err(|error| {
            let error = match failure {
                Some(failure) => ErrorKind::Write(failure).into(),
                None => error,
            };
            match row {
                Some(row) => error.at_row(row),
                None => error,
            }
        })
    }

    /// Strips go in, from top to bottom, and a PNG comes out. `row` is where
    /// it is at.
    fn write_png(
        &mut self,
        save: &Save<'_>,
        sink: Sink<'_>,
        state: &SinkState,
        row: &mut Option<u32>,
    ) -> Result<(), Error> {
        let filter = self.filter.always();
        let (frame, target) = (&save.frame, save.target);
        let metadata = self.metadata.as_ref().map_err(Refused::error)?;
        let geometry = Geometry::new(frame, target, self.compression, filter)?;
        let threads = match self.threads {
            0 => thread::available_parallelism().map_or(1, usize::from),
            threads => threads,
        };
        let threads = threads.min(geometry.strips() as usize);
        // More strips than threads, so that nobody waits for the writer; not
        // where strips are large, and fewer where their scratch is.
        let spare = match self.compression {
            _ if threads == 1 || geometry.is_wide() => 0,
            Compression::Stored | Compression::Fast => 2,
            Compression::Small | Compression::Best => 1,
        };
        let count = threads + spare;
        self.strips.truncate(count);
        reserve(&mut self.strips, count)?;
        self.strips.resize_with(count, Strip::default);
        for strip in &mut self.strips {
            strip.prepare(&geometry)?;
        }
        self.kept.prepare(&geometry)?;
        let (kept, watcher) = (&mut self.kept, &mut self.watcher);

        let (width, height) = (frame.layout.width(), frame.layout.height());
        let mut encoder = png::Encoder::new(Buffered::new(sink)?, width, height);
        encoder.set_color(color_type(target.png.color));
        encoder.set_depth(bit_depth(target.png.depth));
        let mut writer = encoder.write_header().map_err(encoding)?;
        // Dropped before the writer on every way out, a panic too, so that
        // its destructor writes nothing.
        let closing = state.close_on_drop();
        for (name, data) in metadata.before(save.samples, save.palette) {
            let name = png::chunk::ChunkType(name);
            writer.write_chunk(name, data).map_err(encoding)?;
        }
        let mut adler = 1;
        let at = Cell::new(0);
        let result = pipeline::run(
            &geometry,
            threads,
            &mut self.strips,
            |strip, index| {
                at.set(index * geometry.rows);
                strip.read(&geometry, frame, index, kept)
            },
            |strip| {
                at.set(strip.index() * geometry.rows);
                for chunk in strip.stream(&geometry, &mut adler).chunks(MAX_CHUNK) {
                    writer
                        .write_chunk(png::chunk::IDAT, chunk)
                        .map_err(encoding)?;
                }
                let rows = (strip.index() + 1) * geometry.rows;
                watcher.tell(rows.min(height), height)
            },
        );
        *row = Some(at.get());
        if let Err(error) = result {
            // It isn't the rows' fault.
            if matches!(error.kind(), ErrorKind::Cancelled) {
                *row = None;
            }
            return Err(error);
        }
        *row = None;
        for (name, data) in metadata.after() {
            let name = png::chunk::ChunkType(name);
            writer.write_chunk(name, data).map_err(encoding)?;
        }
        writer.finish().map_err(encoding)?;
        closing.disarm();
        Ok(())
    }
}

/// What is saved.
struct Save<'a> {
    frame: Frame<'a>,
    target: Target<'a>,
    palette: &'a [Written],
    samples: &'a SampleChunks,
}

/// What is known before the pixels are.
struct Prepared {
    format: PixelFormat,
    /// Colours and depth of an indexed image.
    indexed: Option<(usize, u8)>,
    samples: SampleChunks,
    palette: Vec<Written>,
}

impl Prepared {
    fn target(&self) -> Target<'static> {
        match self.indexed {
            Some((colors, depth)) => Target::indexed(self.format, colors, depth),
            None => Target::of(self.format),
        }
    }
}

/// A `Vec` that reports it when memory runs out, instead of aborting.
#[derive(Default)]
struct Growing {
    bytes: Vec<u8>,
    /// The size that could not be had.
    refused: Option<u64>,
}

impl Write for Growing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Err(error) = self.bytes.try_reserve(bytes.len()) {
            self.refused = Some((self.bytes.len() + bytes.len()) as u64);
            return Err(error.into());
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Default for PngEncoder {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for PngEncoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PngEncoder")
            .field("compression", &self.compression)
            .field("filter", &self.filter)
            .field("index_depth", &self.index_depth)
            .field("threads", &self.threads)
            .finish_non_exhaustive()
    }
}

fn color_type(color: Color) -> png::ColorType {
    match color {
        Color::Gray => png::ColorType::Grayscale,
        Color::GrayAlpha => png::ColorType::GrayscaleAlpha,
        Color::Rgb => png::ColorType::Rgb,
        Color::Rgba => png::ColorType::Rgba,
        Color::Index => png::ColorType::Indexed,
    }
}

fn bit_depth(bits: u8) -> png::BitDepth {
    match bits {
        1 => png::BitDepth::One,
        2 => png::BitDepth::Two,
        4 => png::BitDepth::Four,
        8 => png::BitDepth::Eight,
        _ => png::BitDepth::Sixteen,
    }
}

/// PLTE, and tRNS for the alpha of the colours up to the last that isn't
/// opaque (PNG third edition, 11.2.2 and 11.3.1.1).
fn palette_chunks(palette: &Palette) -> Result<Vec<Written>, NoMemory> {
    fn collect<T>(items: impl ExactSizeIterator<Item = T>) -> Result<Vec<T>, NoMemory> {
        let mut collected = with_capacity(items.len())?;
        collected.extend(items);
        Ok(collected)
    }
    let colors = palette.colors();
    let rgb = collect(colors.iter().map(|&[r, g, b, _]| [r, g, b]))?;
    let rgb = (*b"PLTE", rgb.into_flattened());
    let Some(last) = colors.iter().rposition(|&[.., alpha]| alpha < 255) else {
        return collect([rgb].into_iter());
    };
    let alphas = collect(colors[..=last].iter().map(|&[.., alpha]| alpha))?;
    collect([rgb, (*b"tRNS", alphas)].into_iter())
}

fn encoding(error: png::EncodingError) -> Error {
    match error {
        png::EncodingError::IoError(error) => ErrorKind::Write(error).into(),
        error => ErrorKind::Encode(Box::new(error)).into(),
    }
}
