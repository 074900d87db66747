//! Reading: options, and the short ways to a whole image.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use super::reader::PngReader;
use crate::{Error, ErrorKind, Image};

/// Bytes that a file is read in.
const BUFFER: usize = 32 << 10;

/// Reads PNG files: the limits, and the three places that a file can come
/// from.
///
/// [`open`](PngDecoder::open) and its like read as far as the image data and
/// give a [`PngReader`], which says what is in the file and then reads it, into
/// a buffer of its own or into a view of yours.
///
/// # Examples
///
/// ```
/// use pixview::{Image, PixelFormat, PngDecoder};
///
/// # let png = Image::new(300, 200, PixelFormat::RGB8)?.to_png()?;
/// let mut reader = PngDecoder::new().from_bytes(&png)?;
/// let (width, height) = (reader.width(), reader.height());
///
/// // Into memory that you have already, as it wants the pixels.
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
    /// Whether chunks are kept for metadata.
    pub(super) keeps_chunks: bool,
}

impl Default for PngDecoder {
    fn default() -> Self {
        Self::new()
    }
}

impl PngDecoder {
    /// Returns a decoder with the default limits.
    #[must_use]
    pub fn new() -> Self {
        PngDecoder {
            max_pixels: 1 << 28,
            max_bytes: 1 << 30,
            strict: false,
            keeps_chunks: true,
        }
    }

    /// Returns a decoder that keeps no chunks for metadata.
    fn for_pixels() -> Self {
        PngDecoder {
            keeps_chunks: false,
            ..Self::new()
        }
    }

    /// Sets the most pixels of an image. Defaults to 2^28 (268 million).
    #[must_use]
    pub fn max_pixels(mut self, pixels: u64) -> Self {
        self.max_pixels = pixels;
        self
    }

    /// Sets the most bytes that a read takes. Defaults to 2^30. They are the
    /// pixels, if the reader makes the buffer, rows on their way, the canvas of
    /// an animation, and the chunks that are kept for
    /// [`metadata`](PngReader::metadata), of which there are never more than
    /// 2^26 bytes.
    ///
    /// A chunk that doesn't fit is passed over, not an error, and kept chunks
    /// are dropped where pixels need their memory. Up to 512 KiB for buffers of
    /// fixed sizes are not counted.
    #[must_use]
    pub fn max_bytes(mut self, bytes: u64) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// Sets whether a chunk that the image can do without is an error where it is
    /// damaged or out of place. Defaults to `false`: the chunk is passed over,
    /// and the pixels are read. The data of the frames of an animation are looked
    /// at when they are played, not before.
    #[must_use]
    pub fn strict(mut self, strict: bool) -> Self {
        self.strict = strict;
        self
    }

    /// Opens a file and reads as far as its image data.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::Read`] with the [`std::io::Error`] beneath;
    /// - [`ErrorKind::NotPng`] if it is another file;
    /// - [`ErrorKind::Decode`] if it is a damaged PNG, with the chunk and its
    ///   place;
    /// - [`ErrorKind::LimitExceeded`] before memory is taken, and
    ///   [`ErrorKind::OutOfMemory`] if it can't be had.
    ///
    /// All of them name the path.
    pub fn open(&self, path: impl AsRef<Path>) -> Result<PngReader<BufReader<File>>, Error> {
        let path = path.as_ref();
        File::open(path)
            .map_err(|error| ErrorKind::Read(error).into())
            .and_then(|file| PngReader::new(BufReader::with_capacity(BUFFER, file), self))
            .map(|reader| reader.with_path(path))
            .map_err(|error| error.at_path(path))
    }

    /// Reads a file from any reader, as far as the image data. The reader need
    /// not be buffered or seek. In the end it may have been read up to 32 KiB
    /// beyond the end of the file.
    ///
    /// A reader that returns `Ok(0)` is asked once more: a file ends where it
    /// does so twice. [`std::io::ErrorKind::Interrupted`] is not an error.
    ///
    /// # Errors
    ///
    /// As [`open`](PngDecoder::open), without a path.
    pub fn from_reader<R: Read>(
        &self,
        reader: R,
    ) -> Result<PngReader<impl io::BufRead + use<R>>, Error> {
        PngReader::new(BufReader::with_capacity(BUFFER, Checked(reader)), self)
    }

    /// Reads a file from its bytes, as far as the image data.
    ///
    /// # Errors
    ///
    /// As [`open`](PngDecoder::open), without a path.
    pub fn from_bytes<'b>(&self, bytes: &'b [u8]) -> Result<PngReader<&'b [u8]>, Error> {
        PngReader::new(bytes, self)
    }
}

/// A caller's reader that may claim to have read more than there was room
/// for, on which the standard library would panic.
struct Checked<R>(R);

impl<R: Read> Read for Checked<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let count = self.0.read(to)?;
        if count > to.len() {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!("the reader claims {count} of {} bytes", to.len()),
            ));
        }
        Ok(count)
    }
}

/// Opening a file with the default limits. [`PngDecoder`] has more to say and
/// to ask.
impl Image<Vec<u8>> {
    /// Opens a PNG file: the whole image, in a buffer of its own, packed, in
    /// the format that the file has, which [`Image::format`] tells: gray, gray
    /// and alpha, RGB or RGBA of 8 or 16 bits (native), gray of 1, 2 or 4 bits,
    /// or indices with their palette. If one gray or colour is said to be
    /// transparent, it is the format with alpha.
    ///
    /// Of an animated file that is the picture for programs that don't play
    /// it, whatever is wrong with the animation. All checksums of the file are
    /// compared; a chunk that the pixels can do without may be damaged.
    ///
    /// Costs one read and one buffer of the image's size. Nothing is kept of
    /// what the file says beside its pixels: for that, other limits, other
    /// formats, memory of yours and animations see [`PngDecoder`].
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::Read`] with the [`std::io::Error`] beneath;
    /// - [`ErrorKind::NotPng`] if it is another file;
    /// - [`ErrorKind::Decode`] if it is a damaged PNG, with the chunk and its
    ///   place;
    /// - [`ErrorKind::LimitExceeded`] beyond 2^28 pixels or 2^30 bytes;
    /// - [`ErrorKind::OutOfMemory`] if the memory can't be had.
    ///
    /// All of them name the path.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use std::cell::Cell;
    /// use pixview::Image;
    ///
    /// // Open, then share the buffer with a view that shows every edit.
    /// let mut photo = Image::open("photo.png")?;
    /// let (width, height, format) = (photo.width(), photo.height(), photo.format());
    /// let array = Cell::from_mut(photo.source_mut().as_mut_slice()).as_slice_of_cells();
    /// let view = Image::from_buffer(array, width, height, format)?;
    /// array[0].set(255);
    /// view.save("edited.png")?;
    /// # Ok::<(), pixview::Error>(())
    /// ```
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        PngDecoder::for_pixels().open(path)?.read_whole()
    }

    /// Reads a PNG from any reader, which need not be buffered or seek.
    ///
    /// # Errors
    ///
    /// As [`open`](Image::open), without a path.
    pub fn from_reader(reader: impl Read) -> Result<Self, Error> {
        PngDecoder::for_pixels().from_reader(reader)?.read_whole()
    }

    /// Reads a PNG from the bytes of a file.
    ///
    /// # Errors
    ///
    /// As [`open`](Image::open), without a path.
    pub fn from_png(bytes: impl AsRef<[u8]>) -> Result<Self, Error> {
        PngDecoder::for_pixels()
            .from_bytes(bytes.as_ref())?
            .read_whole()
    }
}
