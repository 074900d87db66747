//! The options of reading, and functions that read a whole image.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::access::Access;
use super::reader::PngReader;
use crate::{Error, ErrorKind, Image};

/// The options of reading PNG files: limits, and how strict to be.
///
/// [`open`](PngDecoder::open), [`open_reader`](PngDecoder::open_reader) and
/// [`open_bytes`](PngDecoder::open_bytes) read a file up to its image data and
/// return a [`PngReader`], which then reads the pixels into a new buffer or into
/// a view. A decoder can open any number of files.
///
/// # Examples
///
/// ```
/// use pixview::{Image, PixelFormat, PngDecoder};
///
/// # let png = Image::new(300, 200, PixelFormat::RGB8)?.to_png()?;
/// let mut reader = PngDecoder::new().open_bytes(&png)?;
/// let (width, height) = (reader.width(), reader.height());
///
/// // Decode into existing memory, in its own pixel format.
/// let mut texture = vec![0u32; width as usize * height as usize];
/// let mut view = Image::from_buffer(&mut texture, width, height, PixelFormat::ARGB8888)?;
/// reader.read_into(&mut view)?;
/// assert_eq!(texture[0], 0xff00_0000);
/// # Ok::<(), pixview::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct PngDecoder {
    pub(super) max_pixels: u64,
    pub(super) max_bytes: u64,
    pub(super) strict: bool,
    pub(super) threads: usize,
    /// Whether the reader keeps ancillary chunks for its metadata.
    pub(super) keeps_chunks: bool,
}

impl Default for PngDecoder {
    fn default() -> Self {
        Self::new()
    }
}

impl PngDecoder {
    /// Returns a decoder with the default options.
    #[must_use]
    pub fn new() -> Self {
        PngDecoder {
            max_pixels: 1 << 28,
            max_bytes: 1 << 30,
            strict: false,
            threads: 1,
            keeps_chunks: true,
        }
    }

    /// Creates a decoder for callers that ask for no metadata.
    fn for_pixels() -> Self {
        PngDecoder {
            keeps_chunks: false,
            ..Self::new()
        }
    }

    /// Sets the maximum number of pixels of an image. Defaults to 2^28 (268
    /// million).
    #[must_use]
    pub fn max_pixels(mut self, pixels: u64) -> Self {
        self.max_pixels = pixels;
        self
    }

    /// Sets the maximum number of bytes that a read takes. Defaults to 2^30.
    ///
    /// The limit counts the pixels, if the reader allocates their buffer; rows
    /// that are being converted; the canvas of an animation; and the chunks that
    /// are stored for [`metadata`](PngReader::metadata), which take at most 2^26
    /// bytes. It does not count up to 512 KiB of buffers of fixed sizes.
    ///
    /// A chunk of metadata beyond the limit is no error: the chunk is left out.
    /// Stored chunks are dropped if the pixels need their memory.
    #[must_use]
    pub fn max_bytes(mut self, bytes: u64) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// Sets whether a damaged or misplaced ancillary chunk is an error. Defaults
    /// to `false`: the chunk is left out, and the pixels are read.
    #[must_use]
    pub fn strict(mut self, strict: bool) -> Self {
        self.strict = strict;
        self
    }

    /// Sets how many threads inflate, the caller's own among them. Defaults to 1; 0
    /// stands for as many as the machine has. The result is the same for any number:
    /// the pixels, the errors, and the rows that an error leaves written.
    ///
    /// More threads help if the chunks of image data inflate independently, as those
    /// of [`PngEncoder`](crate::PngEncoder) do. Other files are read by one thread.
    /// So are interlaced files and animations, and files of
    /// [`open_reader`](PngDecoder::open_reader). The caller's thread reverses the
    /// filters and converts the rows, which is about half of the work. So more than
    /// three threads hardly help.
    ///
    /// A read allocates up to 3 MiB for each thread, within
    /// [`max_bytes`](PngDecoder::max_bytes). Fewer threads do the work if the limit
    /// leaves no room for all, or if they cannot be started.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pixview::{Image, PixelFormat, PngDecoder};
    /// # let png = Image::new(300, 200, PixelFormat::RGB8)?.to_png()?;
    /// let image = PngDecoder::new().threads(0).open_bytes(&png)?.read()?;
    /// # Ok::<(), pixview::Error>(())
    /// ```
    #[must_use]
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = threads;
        self
    }

    /// Opens a file and reads it up to its image data.
    ///
    /// Allocates buffers of fixed sizes, a few rows, and the chunks of metadata
    /// before the image data.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::Read`] if the file cannot be opened or read;
    /// - [`ErrorKind::NotPng`] if the file is not a PNG;
    /// - [`ErrorKind::Decode`] if the file is damaged, with the chunk and its
    ///   offset;
    /// - [`ErrorKind::LimitExceeded`] if the file exceeds a limit, before the
    ///   memory is allocated;
    /// - [`ErrorKind::OutOfMemory`].
    ///
    /// All of them name the path, and so do later errors of the reader.
    pub fn open(&self, path: impl AsRef<Path>) -> Result<PngReader<File>, Error> {
        let path = path.as_ref();
        File::open(path)
            .map_err(|error| ErrorKind::Read(error).into())
            .and_then(|file| PngReader::new(file, Some(Access::FILE), self))
            .map(|reader| reader.with_path(path))
            .map_err(|error| error.at_path(path))
    }

    /// Reads a file from `reader` up to its image data. The [`PngReader`] buffers
    /// 32 KiB and may read that much beyond the end of the PNG file. Pass
    /// `&mut reader` to keep the reader.
    ///
    /// # Errors
    ///
    /// Those of [`open`](PngDecoder::open), without a path.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pixview::{Image, PixelFormat, PngDecoder};
    /// # let png = Image::new(3, 2, PixelFormat::RGB8)?.to_png()?;
    /// # let stream = &png[..];
    /// let mut reader = PngDecoder::new().open_reader(stream)?;
    /// let image = reader.read()?;
    /// # Ok::<(), pixview::Error>(())
    /// ```
    pub fn open_reader<R: Read>(&self, reader: R) -> Result<PngReader<R>, Error> {
        PngReader::new(reader, None, self)
    }

    /// Reads a file from its bytes up to its image data.
    ///
    /// # Errors
    ///
    /// Those of [`open`](PngDecoder::open), without a path.
    pub fn open_bytes<'b>(&self, bytes: &'b [u8]) -> Result<PngReader<&'b [u8]>, Error> {
        PngReader::new(bytes, Some(Access::BYTES), self)
    }
}

/// The ways to read a PNG file with the default limits. [`PngDecoder`] offers
/// limits, other formats, existing memory, metadata and animations.
impl Image<Vec<u8>> {
    /// Opens a PNG file and reads the whole image into a new buffer, packed and
    /// without loss.
    ///
    /// [`Image::format`] tells the format, which is that of the file: gray, gray
    /// and alpha, RGB or RGBA of 8 or 16 bits (in native byte order), gray of 1,
    /// 2 or 4 bits, or indices with their palette. If one gray or color of the
    /// file is transparent, the format has alpha: see [`PngReader::format`].
    ///
    /// Reads the file once. Allocates one buffer of the size of the image, or two
    /// for an interlaced file with several pixels in a byte. Metadata is not
    /// parsed.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::Read`] if the file cannot be opened or read;
    /// - [`ErrorKind::NotPng`] if the file is not a PNG;
    /// - [`ErrorKind::Decode`] if the file is damaged, with the chunk and its
    ///   offset;
    /// - [`ErrorKind::LimitExceeded`] beyond 2^28 pixels or 2^30 bytes;
    /// - [`ErrorKind::OutOfMemory`].
    ///
    /// All of them name the path.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use std::cell::Cell;
    /// use pixview::Image;
    ///
    /// // Open a file, then share the buffer with a view that shows every edit.
    /// let mut photo = Image::open("photo.png")?;
    /// let (width, height, format) = (photo.width(), photo.height(), photo.format());
    /// let array = Cell::from_mut(photo.source_mut().as_mut_slice()).as_slice_of_cells();
    /// let view = Image::from_buffer(array, width, height, format)?;
    /// array[0].set(255);
    /// view.save("edited.png")?;
    /// # Ok::<(), pixview::Error>(())
    /// ```
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        PngDecoder::for_pixels().open(path)?.read()
    }

    /// Reads a PNG file from a reader, which need be neither buffered nor
    /// seekable. Up to 32 KiB beyond the end of the file may be read.
    ///
    /// # Errors
    ///
    /// Those of [`open`](Image::open), without a path.
    pub fn from_reader(reader: impl Read) -> Result<Self, Error> {
        PngDecoder::for_pixels().open_reader(reader)?.read()
    }

    /// Reads a PNG file from its bytes.
    ///
    /// # Errors
    ///
    /// Those of [`open`](Image::open), without a path.
    pub fn from_png(bytes: impl AsRef<[u8]>) -> Result<Self, Error> {
        let bytes = bytes.as_ref();
        PngDecoder::for_pixels().open_bytes(bytes)?.read()
    }
}
