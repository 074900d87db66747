//! The encoder: options, and memory that is kept from save to save.

use std::fmt;
use std::io::{self, Write};
use std::ops::ControlFlow;
use std::path::Path;

use super::chunk_writer::Output;
use super::kept::KeptStrips;
use super::known_files::{KnownFiles, KnownStrips};
use super::options::{Compression, Filter, IndexDepth};
use super::report::SaveReport;
use super::row_filter::RowFilter;
use super::strip::Strip;
use crate::png::metadata::{Chunks, Metadata, MetadataError};
use crate::png::progress::{Progress, Watcher};
use crate::{Error, ErrorKind, Image, PixelSource, file};

/// An encoder of PNG files: options, and memory that is kept from save to save.
///
/// Options belong to the encoder and never to an image, so that threads can
/// save one image with different options. [`Image::save`] is
/// `PngEncoder::new().save(&image, path)`.
///
/// **One read.** Rows go from the view into strips of about 512 KiB (64 KiB in
/// [`Compression::Stored`]). Each pixel of live memory is read once. Rows that
/// stable memory holds in the form of the file are filtered directly from it, by
/// any thread. Other rows are converted in the caller's thread.
///
/// **Streaming.** Each strip is compressed on its own, and strips are written in
/// order. The first bytes are written once the first strip is compressed.
///
/// **Memory.** Beyond the caller's buffer a save takes at most 2 MiB and four
/// rows of PNG with one thread. Each further thread takes at most 3 MiB and three
/// rows. The height of the image does not matter. The encoder keeps this memory
/// for the next save, until [`release_memory`](PngEncoder::release_memory).
///
/// **Stack.** A save needs 64 KiB of stack in the caller's thread, and up to
/// 1 MiB if this crate is compiled without optimization. Code of the caller
/// that a save calls, such as a writer, needs its own. Threads that the encoder
/// starts have the default stack of the standard library.
///
/// # Examples
///
/// ```
/// use pixview::{Compression, Image, PixelFormat, PngEncoder};
///
/// let image = Image::new(32, 32, PixelFormat::GRAY8)?;
/// let mut encoder = PngEncoder::new().compression(Compression::Small);
/// let png = encoder.to_png(&image)?;
/// assert_eq!(&png[1..4], b"PNG");
/// # Ok::<(), pixview::Error>(())
/// ```
pub struct PngEncoder {
    pub(super) compression: Compression,
    pub(super) filter: Filter,
    pub(super) index_depth: IndexDepth,
    pub(super) reduce: bool,
    pub(super) metadata: Result<Chunks, MetadataError>,
    pub(super) threads: usize,
    pub(super) watcher: Watcher,
    pub(super) strips: Vec<Strip>,
    pub(super) row_filter: RowFilter,
    pub(super) kept: KeptStrips,
    known_files: KnownFiles,
    /// The strips of the file that is to be replaced.
    pub(super) old_file: KnownStrips,
    /// The strips of the file that is being written.
    pub(super) new_file: KnownStrips,
}

/// Options. Each method takes the encoder and returns it.
impl PngEncoder {
    /// Creates an encoder with the default options. Allocates nothing.
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
            row_filter: RowFilter::default(),
            kept: KeptStrips::new(),
            known_files: KnownFiles::default(),
            old_file: KnownStrips::default(),
            new_file: KnownStrips::default(),
        }
    }

    /// Sets the compression mode. Defaults to [`Compression::Fast`].
    #[must_use]
    pub fn compression(mut self, compression: Compression) -> Self {
        self.compression = compression;
        self
    }

    /// Sets the filter of scanlines. Defaults to [`Filter::Auto`], which suits
    /// nearly every picture.
    #[must_use]
    pub fn filter(mut self, filter: Filter) -> Self {
        self.filter = filter;
        self
    }

    /// Sets the bit depth of indexed images in the file. Defaults to
    /// [`IndexDepth::Smallest`].
    #[must_use]
    pub fn index_depth(mut self, depth: IndexDepth) -> Self {
        self.index_depth = depth;
        self
    }

    /// Losslessly reduces the color type and the bit depth where the pixels
    /// allow it. Defaults to `false`, because a reduction makes the format of the
    /// file depend on the pixels.
    ///
    /// - Opaque RGBA becomes RGB; opaque gray and alpha becomes gray.
    /// - RGB whose three samples are always equal becomes gray.
    /// - Samples of 16 bits whose two bytes are always equal get 8 bits.
    /// - An image of at most 256 colors gets a palette, at the smallest bit depth.
    ///
    /// A reduction reads the pixels twice. Stable memory is not copied. Cells,
    /// atomics and other live memory may change between the two reads, so the
    /// whole frame is copied first.
    ///
    /// Indexed images and pixels smaller than a byte are not reduced. Nor is an
    /// image with metadata that depends on the color type: significant bits, a
    /// background, a transparent color, a profile.
    ///
    /// # Examples
    ///
    /// ```
    /// use pixview::{Image, PixelFormat, PngDecoder, PngEncoder};
    ///
    /// let mut image = Image::new(100, 100, PixelFormat::RGBA8)?;
    /// image.pixels_mut()?.fill([9, 9, 9, 255])?;
    /// let png = PngEncoder::new().reduce(true).to_png(&image)?;
    /// let reader = PngDecoder::new().open_bytes(&png)?;
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
    /// Makes the chunks in this call: compresses long text and profiles, and moves
    /// other data. A save then copies no metadata and allocates nothing for it. If
    /// the metadata is invalid, or its chunks cannot be allocated, each save
    /// returns that error.
    #[must_use]
    pub fn metadata(mut self, metadata: Metadata) -> Self {
        self.metadata = Chunks::new(metadata);
        self
    }
    /// Sets how many threads compress, the caller's own among them. Defaults to
    /// 1; 0 stands for as many as the machine has. The file is the same for any
    /// number.
    ///
    /// The caller's thread reads the source, converts rows and writes the file.
    /// (Rows of stable memory that need no conversion are read by the thread
    /// that compresses them.) More threads do not help formats whose conversion
    /// takes longer than the compression.
    ///
    /// The caller's thread compresses as well, whenever it would have to wait. So
    /// a save inside a thread pool waits only for threads that it started itself.
    /// If threads cannot be started, fewer do the work.
    #[must_use]
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = threads;
        self
    }

    /// Keeps the compressed strips of a save for later saves, which encode only
    /// the strips whose pixels have changed. Defaults to 0 images: nothing is kept.
    ///
    /// `images` is the number of images that are saved in turn with this encoder,
    /// such as windows, or the frames of a ring buffer. A strip is dropped when
    /// the last `images` successful saves have not used it. For one image that is
    /// saved again and again, give 1.
    ///
    /// The encoder finds the changed strips by itself. It reads all pixels in each
    /// save, and computes a digest of each strip. The digest has 128 bits and
    /// depends on random numbers of the encoder, so an unnoticed change is not a
    /// practical concern. Everything else that has an effect on a strip is a part
    /// of the digest. Images of other sizes and formats, and other options, never
    /// get strips that do not fit.
    ///
    /// The file is the same as that of a new encoder with the same options. It
    /// differs from a file without this option, because strips are smaller: about
    /// 320 KiB of scanlines instead of 512 KiB, and at least 16 rows. The size of
    /// the file changes by less than half a percent; flat graphics in
    /// [`Compression::Small`] change by up to one percent.
    ///
    /// **Cost.** A strip that has not changed costs one read of its pixels. If
    /// every strip changes in every save, as in a video, saves are at most a
    /// twentieth slower than without this option. A strip that has changed more
    /// than `2 * images` times in a row is not kept until it stays the same for
    /// one save.
    ///
    /// **Memory.** The encoder keeps the compressed pieces of the strips, about as
    /// many bytes as the files of the last `images` saves, and about 100 bytes a
    /// strip. [`SaveReport::bytes_kept`] tells how many,
    /// [`max_kept_bytes`](PngEncoder::max_kept_bytes) limits them, and
    /// [`release_memory`](PngEncoder::release_memory) frees them. Nothing is kept
    /// with [`Compression::Stored`], whose strips are copies of the pixels.
    ///
    /// # Examples
    ///
    /// ```
    /// use pixview::{Image, PixelFormat, PngEncoder};
    /// use std::cell::Cell;
    ///
    /// let screen = vec![Cell::new(0u32); 1920 * 1080];
    /// let image = Image::from_buffer(&screen[..], 1920, 1080, PixelFormat::XRGB8888)?;
    /// let mut encoder = PngEncoder::new().reuse_strips(1);
    /// encoder.write(&image, std::io::sink())?;
    /// screen[0].set(0x00ff_0000);
    /// let report = encoder.write(&image, std::io::sink())?;
    /// assert_eq!(report.strips_encoded, 1);
    /// # Ok::<(), pixview::Error>(())
    /// ```
    #[must_use]
    pub fn reuse_strips(mut self, images: u32) -> Self {
        self.kept.images = images;
        self.kept.make_seeds();
        self
    }

    /// Sets the most bytes of memory for strips that are kept. Strips beyond them
    /// are not kept, and are encoded anew in each save. Defaults to no limit.
    #[must_use]
    pub fn max_kept_bytes(mut self, bytes: u64) -> Self {
        self.kept.limit = bytes;
        self
    }

    /// Sets a function that is called in the caller's thread after each strip,
    /// with the number of rows that have been written.
    ///
    /// If it returns [`ControlFlow::Break`], the save stops within the time of
    /// one strip and fails with [`ErrorKind::Cancelled`]. A file that was to be
    /// replaced is untouched.
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
    /// assert_eq!(encoder.to_png(&image).unwrap_err().to_string(), "cancelled");
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

    /// Changes options in place, for an encoder that is a field of a struct.
    /// The encoder keeps its memory.
    ///
    /// # Examples
    ///
    /// ```
    /// use pixview::{Metadata, PngEncoder};
    /// use pixview::metadata::Text;
    ///
    /// struct Recorder {
    ///     encoder: PngEncoder,
    /// }
    ///
    /// impl Recorder {
    ///     fn set_title(&mut self, title: &str) {
    ///         let mut metadata = Metadata::default();
    ///         metadata.text.push(Text::new("Title", title));
    ///         self.encoder.configure(|encoder| encoder.metadata(metadata));
    ///     }
    /// }
    /// ```
    pub fn configure(&mut self, change: impl FnOnce(Self) -> Self) {
        *self = change(std::mem::take(self));
    }
}

/// Saves.
impl PngEncoder {
    /// Saves the pixels that are in the buffer now as a PNG file, and replaces
    /// `path` atomically.
    ///
    /// The file is written under a temporary name in the same folder, and
    /// renamed when it is complete. Whoever opens `path` sees the old file or
    /// the new one. If the save fails, or code of the caller panics, the old
    /// file is untouched and the temporary file is removed. A process that is
    /// killed leaves the temporary file behind; its name begins with `.pixview-`
    /// and ends in `.tmp`.
    ///
    /// - **Extension.** `.png` in any case, or none. Other extensions are an
    ///   error.
    /// - **The folder** must be one in which a file can be created, even if `path`
    ///   exists and could be written. The folder is opened at the start: if it is
    ///   renamed during the save, the file is in the renamed folder.
    ///   (Only on Unix. Elsewhere the save fails and the temporary file stays.)
    ///   Names, paths and working directories may be as long and as deep as
    ///   [`File::create`](std::fs::File::create) allows.
    /// - **An existing file** must be one that could be opened for writing: a
    ///   read-only file is not replaced. Nothing is written to it, so processes
    ///   that watch it see no write. Other hard links to it keep the old
    ///   content. A file that is a mount of its own, such as a file bound into a
    ///   container, cannot be replaced: the save fails at its end with
    ///   [`ResourceBusy`](std::io::ErrorKind::ResourceBusy). Use
    ///   [`write`](PngEncoder::write) for such a file.
    /// - **Permissions** of an existing file stay. So do its owner and its
    ///   group, as far as the system allows, and on Linux its POSIX access
    ///   control list. Nobody new gets access to the file. If the group cannot
    ///   stay, group and others get only the permissions that both had; if the
    ///   file also had a list, only the owner keeps permissions. The set-user-ID,
    ///   set-group-ID and sticky bits stay only if owner and group both stay. A
    ///   default list of the folder applies to new files only. Other extended
    ///   attributes are lost. So are lists that the system inherits by its own
    ///   rules (NFS version 4, SMB, Windows, macOS, the BSDs): a replaced file
    ///   there may get the list of its folder.
    /// - **A symbolic link** is followed, and its target is replaced, or created
    ///   if it does not exist. The extension is that of the link.
    /// - **A pipe or a device** cannot be replaced; it is written to. Opening a
    ///   named pipe blocks until another process opens it for reading. A
    ///   directory is an error. So is `/dev/stdout` if it stands for an open
    ///   file: use [`write`](PngEncoder::write) for that.
    ///
    /// Errors that the system reports when the file is closed are errors of the
    /// save, and the old file stays: NFS and other file systems report a full
    /// disk only then. (Only on Unix: elsewhere the standard library does not
    /// report them.) Nothing is synced to the disk, which would take
    /// milliseconds: after a loss of power the file may be the old one or, on
    /// some file systems, damaged.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::UnknownExtension`], [`ErrorKind::Metadata`], and for indexed
    ///   images [`ErrorKind::NoPalette`] and [`ErrorKind::PaletteDepth`], before
    ///   a pixel is read;
    /// - [`ErrorKind::IndexOutside`] if an index is beyond the palette;
    /// - [`ErrorKind::Source`], with the row, if the source cannot be read, or if
    ///   its length has changed since the creation of the image;
    /// - [`ErrorKind::Write`] with the [`std::io::Error`];
    /// - [`ErrorKind::Cancelled`]: see [`on_progress`](PngEncoder::on_progress);
    /// - [`ErrorKind::OutOfMemory`] and [`ErrorKind::TooLarge`] if there is no
    ///   memory for a few rows.
    ///
    /// Each error names the path.
    pub fn save<S: PixelSource>(
        &mut self,
        image: &Image<S>,
        path: impl AsRef<Path>,
    ) -> Result<SaveReport, Error> {
        let path = path.as_ref();
        let prepared = self.prepare(image);
        prepared
            .and_then(|prepared| {
                file::replace(path, |writer| {
                    self.encode(image, &prepared, &mut Output::Writer(writer))
                })
            })
            .map_err(|error| error.at_path(path))
    }

    /// Saves the pixels that are in the buffer now as a PNG file, unless `path` has
    /// exactly this file already. In that case neither the file nor its time stamps
    /// are touched, and [`SaveReport::unchanged`] is true.
    ///
    /// The encoder recognizes the last 16 files that it has saved or compared in
    /// this way, as long as nobody touches them. Then an unchanged image costs a
    /// digest of its pixels, and no byte of the file is read. A file that the
    /// encoder does not know is compared with the new bytes while these are made.
    /// At the first difference the save goes on in a temporary file, and replaces
    /// the old file at the end, by the rules of [`save`](PngEncoder::save).
    ///
    /// A pipe or a device is written to, as by [`save`](PngEncoder::save). An
    /// existing file that cannot be read is replaced.
    ///
    /// A file counts as touched if its length or one of its times has changed. So
    /// two changes by other processes go unnoticed: a change of the same length
    /// within one tick of the file system's clock after the save (10 ms or less
    /// on Linux, 2 s on FAT), and a change through a memory mapping that the
    /// system has not stored yet.
    ///
    /// # Errors
    ///
    /// The errors of [`save`](PngEncoder::save). If another process writes to the
    /// file while it is compared, the save fails with [`ErrorKind::Write`] and
    /// [`ResourceBusy`](std::io::ErrorKind::ResourceBusy), and leaves the file as
    /// it is.
    ///
    /// # Examples
    ///
    /// ```
    /// use pixview::{Image, PixelFormat, PngEncoder};
    ///
    /// # let folder = std::env::temp_dir().join(format!("pixview-if-{}", std::process::id()));
    /// # std::fs::create_dir_all(&folder).unwrap();
    /// # let path = folder.join("chart.png");
    /// let mut image = Image::new(300, 200, PixelFormat::RGB8)?;
    /// let mut encoder = PngEncoder::new();
    /// assert!(!encoder.save_if_changed(&image, &path)?.unchanged);
    /// assert!(encoder.save_if_changed(&image, &path)?.unchanged);
    /// image.pixels_mut()?.put(7, 7, [255, 0, 0])?;
    /// assert!(!encoder.save_if_changed(&image, &path)?.unchanged);
    /// # std::fs::remove_dir_all(&folder).unwrap();
    /// # Ok::<(), pixview::Error>(())
    /// ```
    pub fn save_if_changed<S: PixelSource>(
        &mut self,
        image: &Image<S>,
        path: impl AsRef<Path>,
    ) -> Result<SaveReport, Error> {
        let path = path.as_ref();
        self.kept.make_seeds();
        let prepared = self.prepare(image);
        let saved = prepared.and_then(|prepared| {
            file::replace_if_changed(path, |file| {
                let known = file.identity();
                let known = known.and_then(|identity| self.known_files.take(path, identity));
                self.old_file = known.unwrap_or_default();
                self.old_file.begin();
                self.encode(image, &prepared, &mut Output::File(file))
            })
        });
        self.old_file = KnownStrips::default();
        let (report, outcome) = saved.map_err(|error| error.at_path(path))?;
        if let Some(identity) = outcome.identity {
            let strips = std::mem::take(&mut self.new_file);
            self.known_files.remember(path, identity, strips);
        }
        Ok(SaveReport {
            unchanged: outcome.unchanged,
            ..report
        })
    }

    /// Saves the pixels that are in the buffer now as a new PNG file. Never
    /// replaces a file.
    ///
    /// Fails with [`ErrorKind::FileExists`] if anything exists at `path`: a file,
    /// a directory, a pipe, or a symbolic link, even one that leads to nothing.
    /// The save checks this before it reads a pixel. At its end it gives the
    /// complete file its name in one step of the file system, which fails if the
    /// name has been taken meanwhile. So processes that number their files never
    /// overwrite one another, and whoever opens a new file finds it complete.
    ///
    /// Some file systems can neither rename a file without replacement nor make
    /// hard links: a few in user space (FUSE), and FAT and exFAT on Windows.
    /// There the save creates an empty file under the name, which fails if the
    /// name is taken, and renames the complete file over the empty one. Between
    /// these two steps other processes see the empty file, and a kill leaves it
    /// behind. A file by which another process replaces the empty file at that
    /// moment may be lost.
    ///
    /// The rules of [`save`](PngEncoder::save) for extensions, folders, temporary
    /// files, permissions of new files, and errors at close apply.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::FileExists`], and the errors of [`save`](PngEncoder::save).
    /// Each error names the path.
    ///
    /// # Examples
    ///
    /// ```
    /// use pixview::{ErrorKind, Image, PixelFormat, PngEncoder};
    ///
    /// # let folder = std::env::temp_dir().join(format!("pixview-{}", std::process::id()));
    /// # std::fs::create_dir_all(&folder).unwrap();
    /// let image = Image::new(4, 4, PixelFormat::GRAY8)?;
    /// let mut encoder = PngEncoder::new();
    /// // Saves under the first free number.
    /// let mut number = 0;
    /// loop {
    ///     let path = folder.join(format!("shot{number}.png"));
    ///     match encoder.save_new(&image, path) {
    ///         Err(error) if matches!(error.kind(), ErrorKind::FileExists) => number += 1,
    ///         result => {
    ///             result?;
    ///             break;
    ///         }
    ///     }
    /// }
    /// # std::fs::remove_dir_all(&folder).unwrap();
    /// # Ok::<(), pixview::Error>(())
    /// ```
    pub fn save_new<S: PixelSource>(
        &mut self,
        image: &Image<S>,
        path: impl AsRef<Path>,
    ) -> Result<SaveReport, Error> {
        let path = path.as_ref();
        let prepared = self.prepare(image);
        prepared
            .and_then(|prepared| {
                file::create_new(path, |writer| {
                    self.encode(image, &prepared, &mut Output::Writer(writer))
                })
            })
            .map_err(|error| error.at_path(path))
    }

    /// Writes the pixels that are in the buffer now as a PNG stream. The writer
    /// needs no buffer of its own, is never asked to seek, and is flushed at the
    /// end.
    ///
    /// After an error the writer has received a part of a file, or nothing. It
    /// is not called again.
    ///
    /// # Errors
    ///
    /// The errors of [`save`](PngEncoder::save), without a path. A writer that
    /// takes no bytes is an error, as in [`Write::write_all`].
    pub fn write<S: PixelSource>(
        &mut self,
        image: &Image<S>,
        mut writer: impl Write,
    ) -> Result<SaveReport, Error> {
        let prepared = self.prepare(image)?;
        self.encode(image, &prepared, &mut Output::Writer(&mut writer))
    }

    /// Returns the pixels that are in the buffer now as the bytes of a PNG file.
    ///
    /// # Errors
    ///
    /// The errors of [`save`](PngEncoder::save), without a path.
    pub fn to_png<S: PixelSource>(&mut self, image: &Image<S>) -> Result<Vec<u8>, Error> {
        let mut png = FallibleVec::default();
        match self.write(image, &mut png) {
            Ok(_) => Ok(png.bytes),
            Err(error) => Err(match png.refused {
                Some(bytes) => ErrorKind::OutOfMemory { bytes }.into(),
                None => error,
            }),
        }
    }

    /// Frees the memory that the encoder keeps for its next save. The options
    /// stay, and the next save allocates anew.
    ///
    /// # Examples
    ///
    /// ```
    /// use pixview::{Image, PixelFormat, PngEncoder};
    ///
    /// let image = Image::new(32, 32, PixelFormat::GRAY8)?;
    /// let mut encoder = PngEncoder::new();
    /// let png = encoder.to_png(&image)?;
    /// encoder.release_memory(); // no save for a while
    /// assert_eq!(encoder.to_png(&image)?, png);
    /// # Ok::<(), pixview::Error>(())
    /// ```
    pub fn release_memory(&mut self) {
        self.strips = Vec::new();
        self.row_filter = RowFilter::default();
        self.kept.clear();
        self.known_files.clear();
        self.old_file = KnownStrips::default();
        self.new_file = KnownStrips::default();
    }
}

/// Saving with the default options. [`PngEncoder`] has other options, and keeps
/// its memory from save to save.
impl<S: PixelSource> Image<S> {
    /// Saves the pixels that are in the buffer now as a PNG file, and replaces
    /// `path` atomically. The image and its source stay as they are.
    ///
    /// [`PngEncoder::save`] has the details.
    ///
    /// # Errors
    ///
    /// The errors of [`PngEncoder::save`].
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        PngEncoder::new().save(self, path).map(drop)
    }

    /// Writes the pixels that are in the buffer now as a PNG stream.
    ///
    /// # Errors
    ///
    /// The errors of [`PngEncoder::write`].
    pub fn write_png(&self, writer: impl Write) -> Result<(), Error> {
        PngEncoder::new().write(self, writer).map(drop)
    }

    /// Returns the pixels that are in the buffer now as the bytes of a PNG file.
    ///
    /// # Errors
    ///
    /// The errors of [`PngEncoder::to_png`].
    pub fn to_png(&self) -> Result<Vec<u8>, Error> {
        PngEncoder::new().to_png(self)
    }
}

/// A `Vec` that reports an allocation that fails, instead of aborting.
#[derive(Default)]
struct FallibleVec {
    bytes: Vec<u8>,
    /// The size that could not be allocated.
    refused: Option<u64>,
}

impl Write for FallibleVec {
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
