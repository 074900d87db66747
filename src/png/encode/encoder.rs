//! The encoder: options, and memory that is kept from save to save.

use std::fmt;
use std::ops::ControlFlow;

use super::consistency::Consistency;
use super::kept::KeptStrips;
use super::known_files::{KnownFiles, KnownStrips};
use super::options::{Compression, Filter, IndexDepth};
use super::row_filter::RowFilter;
use super::strip::Strip;
use crate::png::metadata::{Chunks, Metadata, MetadataError};
use crate::png::progress::{Progress, Watcher};

/// An encoder of PNG files: options, and memory that is kept from save to save.
///
/// Options belong to the encoder and never to an image, so that threads can
/// save one image with different options. [`Image::save`](crate::Image::save) is
/// `PngEncoder::new().save(&image, path)`.
///
/// **One read.** Rows go from the view into strips of about 512 KiB (64 KiB in
/// [`Compression::Stored`], 320 KiB with
/// [`reuse_strips`](PngEncoder::reuse_strips)). Each pixel of live memory is read
/// once, in the caller's thread; again only if a copy of
/// [`Consistency::Snapshot`] is repeated. Rows of stable memory are read, and converted if
/// they need it, by the thread that compresses them.
///
/// **Streaming.** Each strip is compressed on its own, and strips are written in
/// order. The first bytes are written once the first strip is compressed.
///
/// **Memory.** Beyond the caller's buffer a save takes at most 2 MiB and four
/// rows of PNG with one thread. Each further thread takes at most 3 MiB and three
/// rows. The height of the image does not matter. [`Consistency::Snapshot`], and
/// [`reduce`](PngEncoder::reduce) of memory that may change, also take a packed copy of
/// the pixels. The encoder keeps this memory for the next save, until
/// [`release_memory`](PngEncoder::release_memory).
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
    pub(super) consistency: Consistency,
    pub(super) metadata: Result<Chunks, MetadataError>,
    pub(super) threads: usize,
    pub(super) sync: bool,
    pub(super) watcher: Watcher,
    pub(super) strips: Vec<Strip>,
    /// A copy of all pixels, for saves that need one.
    pub(super) frame_copy: Vec<u8>,
    pub(super) row_filter: RowFilter,
    pub(super) kept: KeptStrips,
    pub(super) known_files: KnownFiles,
    /// The strips of the file that `save_if_changed` may replace.
    pub(super) old_file: KnownStrips,
    /// The strips of the file that `save_if_changed` writes or compares.
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
            consistency: Consistency::default(),
            metadata: Ok(Chunks::default()),
            threads: 1,
            sync: false,
            watcher: Watcher::default(),
            strips: Vec::new(),
            frame_copy: Vec::new(),
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
    /// A reduction reads the pixels twice. Plain memory is not copied, nor is memory
    /// behind a lock that the save holds ([`Consistency::Hold`]). Cells, atomics and
    /// other live memory may change between the two reads, so the save copies the whole
    /// frame first, as with [`Consistency::Snapshot`]. With [`Consistency::Rows`] it
    /// does so behind a lock too.
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

    /// Sets how long a save holds its source, and with it the lock of the source.
    /// Defaults to [`Consistency::Hold`].
    ///
    /// # Examples
    ///
    /// A camera thread waits for a memory copy of its frame, never for the
    /// compression:
    ///
    /// ```
    /// use std::sync::{Arc, Mutex};
    /// use pixview::png::{Consistency, FrameState};
    /// use pixview::{Image, PixelFormat, PngEncoder};
    ///
    /// let frame = Arc::new(Mutex::new(vec![0u8; 640 * 480 * 3]));
    /// let image = Image::from_buffer(frame.clone(), 640, 480, PixelFormat::BGR8)?;
    /// let mut encoder = PngEncoder::new().consistency(Consistency::Snapshot);
    /// let report = encoder.write(&image, std::io::sink())?;
    /// assert_eq!((report.frame, report.frame_copies), (FrameState::Whole, 1));
    /// # Ok::<(), pixview::Error>(())
    /// ```
    #[must_use]
    pub fn consistency(mut self, consistency: Consistency) -> Self {
        self.consistency = consistency;
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
    /// The caller's thread reads live memory (and converts its rows), and writes the
    /// file. Rows of stable memory are read and converted by the thread that
    /// compresses them. More threads do not help live formats whose conversion
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

    /// Syncs the file and its folder to the disk before a save to a path returns.
    /// Defaults to `false`.
    ///
    /// After a loss of power the path then leads to the complete old file or to the
    /// complete new one (to none if there was none), and to the new one if the save
    /// has returned. This holds for [`save`](PngEncoder::save),
    /// [`save_new`](PngEncoder::save_new) and
    /// [`save_if_changed`](PngEncoder::save_if_changed), on drives that store what
    /// the system tells them to store. A process that is killed loses nothing
    /// without this option.
    ///
    /// The save syncs the data and the permissions of the new file (`fsync`, and
    /// `F_FULLFSYNC` on Apple's systems), renames the file, and syncs the folder.
    ///
    /// - **An equal file.** If the file has the bytes already, `save_if_changed`
    ///   writes nothing, but syncs the file and its folder: whoever wrote the file
    ///   may not have synced it. If the system has already told another process that
    ///   it could not store the file, this save may not hear of it.
    /// - **The folder** must be one that the caller may list. If the folder itself
    ///   is new, the caller syncs the folder that contains it. The folder of a
    ///   symbolic link is not synced, only that of its target.
    /// - **Writers, pipes and devices** are not synced: [`write`](PngEncoder::write)
    ///   ignores this option.
    /// - **`save_new`** on file systems that can neither rename without replacement
    ///   nor make hard links: a loss of power may leave an empty file under the name,
    ///   as a kill does.
    /// - **Systems other than Unix.** The file is synced, but the folder is not:
    ///   the standard library cannot sync folders on Windows. After a loss of power
    ///   the path may lead to the old file although the save has returned.
    ///
    /// **Errors.** If the file cannot be synced, the save fails with
    /// [`ErrorKind::Write`](crate::ErrorKind::Write), the old file stays, and the
    /// temporary file is removed. If the folder cannot be synced, the save fails
    /// with [`ErrorKind::FolderSync`](crate::ErrorKind::FolderSync). The new file
    /// then has its name already.
    ///
    /// **Cost.** The save waits for the disk. On a virtual disk with ext4, a save takes
    /// 12 to 15 ms longer: 4 times as long for 1024×768 pixels, and 20 times as long
    /// for 64×64 pixels. A save of an equal file takes 5 to 7 ms longer.
    /// `cd benches && cargo bench --bench save -- file` prints the figures of a machine.
    ///
    /// # Examples
    ///
    /// ```
    /// use pixview::{Image, PixelFormat, PngEncoder};
    ///
    /// # let folder = std::env::temp_dir().join(format!("pixview-sync-{}", std::process::id()));
    /// # std::fs::create_dir_all(&folder).unwrap();
    /// # let path = folder.join("receipt.png");
    /// let image = Image::new(300, 200, PixelFormat::GRAY8)?;
    /// PngEncoder::new().sync(true).save(&image, &path)?;
    /// # std::fs::remove_dir_all(&folder).unwrap();
    /// # Ok::<(), pixview::Error>(())
    /// ```
    #[must_use]
    pub fn sync(mut self, sync: bool) -> Self {
        self.sync = sync;
        self
    }

    /// Keeps the compressed strips of a save for later saves, which encode only
    /// the strips whose pixels have changed. Defaults to 0 images: nothing is kept.
    ///
    /// `images` is the number of images that are saved in turn with this encoder,
    /// such as windows, or the frames of a ring buffer. A strip is dropped when
    /// the last `images` saves have not used it. For one image that is
    /// saved again and again, give 1.
    ///
    /// The encoder finds the changed strips by itself. It reads all pixels in each
    /// save, and computes a digest of each strip. The digest has 128 bits and
    /// depends on random numbers of the encoder, so an unnoticed change is not a
    /// practical concern. The digest includes everything else that has an effect on
    /// a strip. So an image never gets strips of another size, another format or
    /// other options.
    ///
    /// The file is the same as that of a new encoder with the same options. It
    /// differs from a file without this option, because strips are smaller: about
    /// 320 KiB of scanlines instead of 512 KiB, in whole groups of 16 rows if 16
    /// rows fit into 512 KiB. The size of the file changes by less than half a
    /// percent. Interfaces in [`Compression::Small`] and [`Compression::Best`] become
    /// up to 1.2 percent larger.
    ///
    /// **Cost.** A strip that has not changed costs one read of its pixels. If every
    /// strip changes in every save, as in a video, saves take up to 5 % longer than
    /// without this option, with several threads up to 9 %. The first saves in which
    /// everything changes take up to 20 % longer, because the strips are kept. A strip
    /// that was new in more than `2 * images` saves in a row is not kept until it is
    /// saved twice without a change.
    ///
    /// **Memory.** The encoder keeps the compressed strips: for each of the
    /// images at most five quarters of the file, and 128 bytes a strip.
    /// [`SaveReport::bytes_kept`](super::SaveReport::bytes_kept) is the number of
    /// bytes, [`max_kept_bytes`](PngEncoder::max_kept_bytes) limits it, and
    /// [`release_memory`](PngEncoder::release_memory) frees the memory. Nothing
    /// is kept with [`Compression::Stored`], whose strips are copies of the
    /// pixels.
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

    /// Limits the bytes of memory for the strips that are kept. Strips beyond the
    /// limit are not kept, and are encoded anew in each save. Defaults to no limit.
    #[must_use]
    pub fn max_kept_bytes(mut self, bytes: u64) -> Self {
        self.kept.limit = bytes;
        self
    }

    /// Sets a function that is called in the caller's thread after each strip,
    /// with the number of rows that have been written.
    ///
    /// If it returns [`ControlFlow::Break`], the save stops within the time of
    /// one strip and fails with
    /// [`ErrorKind::Cancelled`](crate::ErrorKind::Cancelled). A file that was to
    /// be replaced is untouched.
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

    /// Frees the memory that the encoder keeps for its next save: buffers, strips
    /// that were kept, and the records of files that
    /// [`save_if_changed`](PngEncoder::save_if_changed) recognizes. The options stay,
    /// and the next save allocates anew.
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
        self.frame_copy = Vec::new();
        self.row_filter = RowFilter::default();
        self.kept.clear();
        self.known_files.clear();
        self.old_file = KnownStrips::default();
        self.new_file = KnownStrips::default();
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
            .field("consistency", &self.consistency)
            .field("threads", &self.threads)
            .finish_non_exhaustive()
    }
}
