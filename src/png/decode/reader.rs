//! The reader of one file: its properties, and its image.

use std::fmt;
use std::io::Read;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use super::access::Access;
use super::animation::{Canvas, FrameControl};
use super::chunk_reader::{ChunkHeader, ChunkReader};
use super::decoder::PngDecoder;
use super::header::{Header, check_limit, file_format};
use super::other_chunks::OtherChunks;
use super::parallel;
use super::row_writer::RowWriter;
use super::scanlines::Scanlines;
use crate::format::FileFormat;
use crate::png::metadata::Metadata;
use crate::png::progress::{Progress, Watcher};
use crate::{Error, ErrorKind, Image, Layout, Palette, PixelFormat, PixelSourceMut};

/// Bytes of rows that are not counted for the limit of memory.
const UNCOUNTED_BYTES: u64 = 256 << 10;

/// A PNG file that has been read up to its image data. [`PngDecoder`] opens it.
///
/// The reader returns the properties of the file, then reads its pixels: once as
/// an image, or frame by frame. `R` is the reader of the bytes, which is
/// buffered inside.
///
/// # Examples
///
/// The type can be named, so that a struct can hold it:
///
/// ```
/// use pixview::{Error, Image, PixelFormat, PngDecoder, PngReader};
///
/// struct Player {
///     reader: PngReader<std::fs::File>,
///     frame: Image<Vec<u8>>,
/// }
///
/// impl Player {
///     fn open(path: &str) -> Result<Self, Error> {
///         let reader = PngDecoder::new().open(path)?;
///         let frame = Image::new(reader.width(), reader.height(), PixelFormat::RGBA8)?;
///         Ok(Player { reader, frame })
///     }
/// }
/// ```
pub struct PngReader<R> {
    pub(super) chunks: ChunkReader<R>,
    pub(super) header: Header,
    pub(super) other_chunks: OtherChunks,
    pub(super) file: FileFormat,
    /// The first chunk of image data, which is the current chunk until the first
    /// read.
    pub(super) data: ChunkHeader,
    pub(super) scanlines: Scanlines,
    /// The limit of memory.
    pub(super) max_bytes: u64,
    keeps_chunks: bool,
    pub(super) threads: usize,
    /// Bytes of memory that count for the limit, without those of chunks.
    pub(super) used: u64,
    path: Option<PathBuf>,
    pub(super) watcher: Watcher,
    /// The canvas, if an animation is being played.
    pub(super) canvas: Option<Canvas>,
    pub(super) state: State,
}

/// How far the pixels of a file have been read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// The image, or the next frame, can be read.
    Ready,
    /// Reading failed, or is under way.
    Failed,
    /// All has been read, to the end of the file.
    Complete,
}

impl<R: Read> PngReader<R> {
    pub(super) fn new(
        reader: R,
        access: Option<Access<R>>,
        options: &PngDecoder,
    ) -> Result<Self, Error> {
        let mut chunks = ChunkReader::new(reader, access)?;
        let header = Header::read(&mut chunks)?;
        let pixels = u64::from(header.width) * u64::from(header.height);
        check_limit("pixels", pixels, options.max_pixels)?;
        // The row, the row above, and the inflated scanlines, while they move to
        // a larger buffer.
        let row_size = header.png.row_size(header.width);
        let used = row_size.saturating_mul(7).saturating_sub(UNCOUNTED_BYTES);
        check_limit("bytes", used, options.max_bytes)?;
        let scanlines = Scanlines::new(&header.bytes, row_size)?;
        let mut other_chunks = OtherChunks::new(&header, options.strict);
        let room = if options.keeps_chunks {
            options.max_bytes - used
        } else {
            0
        };
        let data = other_chunks.read_before(&header, room, &mut chunks)?;
        let (palette, transparency) = (&other_chunks.palette, &other_chunks.transparency);
        let file = file_format(header.png, palette, transparency);
        let file =
            file.ok_or_else(|| chunks.error("the palette is missing before the image data"))?;
        Ok(PngReader {
            chunks,
            header,
            other_chunks,
            file,
            data,
            scanlines,
            max_bytes: options.max_bytes,
            keeps_chunks: options.keeps_chunks,
            threads: options.threads,
            used,
            path: None,
            watcher: Watcher::default(),
            canvas: None,
            state: State::Ready,
        })
    }

    /// Sets the path that errors name.
    pub(super) fn with_path(mut self, path: &Path) -> Self {
        self.path = Some(path.to_owned());
        self
    }

    /// Sets a function that is called with the number of rows that have been
    /// read: after about each 512 KiB of rows, and after the last row.
    ///
    /// [`ControlFlow::Break`] stops the read, which then fails with
    /// [`ErrorKind::Cancelled`]. The rows read so far are in the view. If the file
    /// is interlaced, the view has the pixels read so far, or none of them if a
    /// byte of the view holds several pixels.
    #[must_use]
    pub fn on_progress(
        mut self,
        function: impl FnMut(Progress) -> ControlFlow<()> + Send + 'static,
    ) -> Self {
        self.watcher = Watcher::new(function);
        self
    }

    /// Returns the width in pixels.
    #[must_use]
    pub fn width(&self) -> u32 {
        self.header.width
    }

    /// Returns the height in pixels.
    #[must_use]
    pub fn height(&self) -> u32 {
        self.header.height
    }

    /// Returns the pixel format that holds all pixels of the file without loss:
    /// the format of the file, with samples of 16 bits in native byte order.
    ///
    /// If one gray or color of the file is transparent (`tRNS`, PNG third
    /// edition, 11.3.1.1), the format has alpha, and gray of fewer than 8 bits
    /// has 8. [`read_as`](PngReader::read_as) a format without alpha drops the
    /// transparency.
    #[must_use]
    pub fn format(&self) -> PixelFormat {
        self.file.format()
    }

    /// Returns the palette of an indexed file.
    #[must_use]
    pub fn palette(&self) -> Option<&Palette> {
        self.file.palette.as_ref()
    }

    /// Returns whether the file is interlaced (PNG third edition, 8): it holds its
    /// pixels in seven passes over the whole image, not row after row.
    #[must_use]
    pub fn is_interlaced(&self) -> bool {
        self.header.interlaced
    }

    /// Returns the number of frames of an animated file (PNG third edition, 4.9),
    /// or 1 for a file that is not animated.
    #[must_use]
    pub fn frames(&self) -> u32 {
        self.other_chunks
            .control
            .map_or(1, |(_, control)| control.frames)
    }

    /// Returns how often an animation is played; 0 means forever. Returns 1 for a
    /// file that is not animated.
    #[must_use]
    pub fn plays(&self) -> u32 {
        self.other_chunks
            .control
            .map_or(1, |(_, control)| control.plays)
    }

    /// Returns the metadata of the file. Before the pixels are read, it comes only
    /// from the chunks before the image data; afterwards, from all chunks.
    ///
    /// A chunk that breaks a rule is corrected or left out, and listed in
    /// [`Metadata::faults`]; other chunks are not affected. A chunk is also left
    /// out and listed if its checksum is wrong, or if it needs more memory than
    /// remains of 2^26 bytes and of [`max_bytes`](PngDecoder::max_bytes). If a
    /// chunk that may occur only once occurs several times, the first valid one is
    /// used.
    ///
    /// Each call parses the chunks and allocates the metadata.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::OutOfMemory`];
    /// - [`ErrorKind::Decode`] if a chunk breaks a rule and the decoder is
    ///   [`strict`](PngDecoder::strict).
    pub fn metadata(&self) -> Result<Metadata, Error> {
        let ancillary = &self.other_chunks.ancillary;
        let room = self.room().saturating_sub(ancillary.bytes());
        let (chunks, faults) = (ancillary.chunks(), ancillary.faults());
        let parsed = Metadata::parse(chunks, faults, &self.file, room, ancillary.is_strict());
        parsed.map_err(|error| self.at_path(error))
    }

    /// Reads the image into a new buffer without loss: packed, in the
    /// [`format`](PngReader::format) of the reader. An indexed image gets the
    /// palette of the file.
    ///
    /// Allocates the image once, and what [`read_into`](PngReader::read_into)
    /// allocates.
    ///
    /// # Errors
    ///
    /// - Those of [`read_into`](PngReader::read_into);
    /// - [`ErrorKind::LimitExceeded`] if the buffer needs more than
    ///   [`max_bytes`](PngDecoder::max_bytes);
    /// - [`ErrorKind::OutOfMemory`].
    pub fn read(&mut self) -> Result<Image<Vec<u8>>, Error> {
        self.read_as(self.format())
    }

    /// Reads the image into a new buffer in another format, packed.
    /// [`read_into`](PngReader::read_into) lists the conversions.
    ///
    /// # Errors
    ///
    /// Those of [`read`](PngReader::read).
    pub fn read_as(&mut self, format: PixelFormat) -> Result<Image<Vec<u8>>, Error> {
        let made = self.make_image(format);
        let mut image = made.map_err(|error| self.at_path(error))?;
        self.read_into(&mut image)?;
        Ok(image)
    }

    fn make_image(&mut self, format: PixelFormat) -> Result<Image<Vec<u8>>, Error> {
        self.check_unread()?;
        self.file.check(format)?;
        let (width, height) = (self.width(), self.height());
        self.reserve(Layout::packed(width, height, format).packed_size())?;
        Image::new(width, height, format)
    }

    /// Reads the image into an existing view of the same size, of any source,
    /// layout and format that can be written. An indexed view gets the palette
    /// of the file.
    ///
    /// Each row is converted and written as soon as it is decoded. Bytes that
    /// belong to no pixel of the view stay as they are.
    ///
    /// Allocates a few rows. If the file is interlaced and a byte of the view
    /// holds several pixels, allocates the whole image once.
    ///
    /// # Conversions
    ///
    /// - Bit depth: `sample * new_max / old_max`, rounded to nearest.
    /// - Indices become the colors of the palette, unless the view is indexed.
    /// - Alpha: opaque if the file has none; 0 for the transparent color of a
    ///   file. Dropped if the view has no alpha.
    /// - Gray becomes red, green and blue of the same value. Colors become gray
    ///   by the weights 0.2126, 0.7152 and 0.0722 (Rec. ITU-R BT.709), applied to
    ///   the encoded samples.
    /// - Finally, pixels are written as the docs of the [`PixelFormat`] say, for
    ///   example multiplied by alpha.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::SizeMismatch`] if the view has another size. Nothing has
    ///   been written;
    /// - [`ErrorKind::NoIndices`] if the view is indexed and the file is
    ///   not. Nothing has been written;
    /// - [`ErrorKind::IndexOutside`] if an index is too large for an indexed
    ///   view, or has no palette entry and the view is not indexed;
    /// - [`ErrorKind::Decode`] if the file is damaged, with the chunk, its offset
    ///   and the row. The rows before that row have been written;
    /// - [`ErrorKind::Overlap`] and [`ErrorKind::Source`] if the view cannot be
    ///   written;
    /// - [`ErrorKind::Read`] if the file cannot be read;
    /// - [`ErrorKind::LimitExceeded`] and [`ErrorKind::OutOfMemory`];
    /// - [`ErrorKind::Cancelled`] if the progress function stops the read;
    /// - [`ErrorKind::AlreadyRead`] if the image has been read already, or an
    ///   earlier read failed.
    pub fn read_into<S: PixelSourceMut>(&mut self, image: &mut Image<S>) -> Result<(), Error> {
        let result = self.read_image(image);
        result.map_err(|error| self.at_path(error))
    }

    pub(super) fn check_size<S>(&self, image: &Image<S>) -> Result<(), Error> {
        let (width, height) = (self.width(), self.height());
        if (image.width(), image.height()) != (width, height) {
            return Err(ErrorKind::SizeMismatch {
                width,
                height,
                image_width: image.width(),
                image_height: image.height(),
            }
            .into());
        }
        Ok(())
    }

    fn check_unread(&self) -> Result<(), Error> {
        if self.state != State::Ready || self.canvas.is_some() {
            return Err(ErrorKind::AlreadyRead.into());
        }
        Ok(())
    }

    /// Counts bytes that are about to be allocated. Drops ancillary chunks if the
    /// limit requires it.
    pub(super) fn reserve(&mut self, bytes: u64) -> Result<(), Error> {
        let needed = self.used.saturating_add(bytes);
        check_limit("bytes", needed, self.max_bytes)?;
        let room = self.max_bytes - needed;
        self.other_chunks.ancillary.shrink_to(room)?;
        self.used = needed;
        Ok(())
    }

    pub(super) fn read_image<S: PixelSourceMut>(
        &mut self,
        image: &mut Image<S>,
    ) -> Result<(), Error> {
        let format = image.format();
        self.check_size(image)?;
        self.file.check(format)?;
        self.check_unread()?;
        let (width, height) = (self.width(), self.height());
        let palette = self.file.palette.clone();
        let mut outside = None;
        image.pixels_mut()?.write_frame(|frame| {
            let mut writer = RowWriter::new(&self.file, width, format)?;
            if self.header.interlaced {
                let size = RowWriter::assembled_size(format, width, height);
                self.reserve(size)?;
                writer = writer.interlaced(size)?;
            }
            self.state = State::Failed;
            let plan = self.plan();
            outside = parallel::run(plan, |pieces| self.read_rows(pieces, &mut writer, frame))?;
            Ok(())
        })?;
        self.finish_data()?;
        self.read_to_end(false)?;
        if let Some(error) = outside {
            return Err(error);
        }
        if let Some(palette) = palette.filter(|_| format.is_indexed()) {
            image.set_palette(palette);
        }
        self.state = State::Complete;
        Ok(())
    }

    /// Begins image data, whose first chunk `data` is the current chunk. `frame`
    /// is the `fcTL` of a frame.
    pub(super) fn begin_data(
        &mut self,
        frame: Option<&FrameControl>,
        data: ChunkHeader,
    ) -> Result<(), Error> {
        let (sequence, chunks) = (&mut self.other_chunks.sequence, &mut self.chunks);
        let control = frame.map(|frame| &frame.bytes);
        self.scanlines.begin(control, sequence, chunks, data)
    }

    /// Inflates the rest of the image data and compares its checksum.
    pub(super) fn finish_data(&mut self) -> Result<(), Error> {
        let row = self.file.png.row_size(self.width()).saturating_add(1);
        // Passes have up to twice as many rows, each with a filter type.
        let all = row.saturating_mul(2 * u64::from(self.height()));
        let (sequence, chunks) = (&mut self.other_chunks.sequence, &mut self.chunks);
        self.scanlines.finish(all, sequence, chunks)
    }

    /// Reads the chunks behind the image data. `played` says that all frames have
    /// been read.
    pub(super) fn read_to_end(&mut self, played: bool) -> Result<(), Error> {
        let room = self.room();
        self.other_chunks.read_after(played, room, &mut self.chunks)
    }

    /// Returns the bytes that ancillary chunks may take.
    pub(super) fn room(&self) -> u64 {
        if self.keeps_chunks {
            self.max_bytes - self.used
        } else {
            0
        }
    }

    /// Adds the path, if there is one, to an error.
    pub(super) fn at_path(&self, error: Error) -> Error {
        match &self.path {
            Some(path) => error.at_path(path),
            None => error,
        }
    }
}

/// Prints the size and the format.
impl<R> fmt::Debug for PngReader<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PngReader")
            .field("width", &self.header.width)
            .field("height", &self.header.height)
            .field("format", &self.file.format())
            .finish_non_exhaustive()
    }
}
