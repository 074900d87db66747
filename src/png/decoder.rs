//! Reading a PNG file into an owned buffer.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read, Seek};
use std::path::Path;

use crate::access::zeroed;
use crate::{Error, ErrorKind, Image, PixelFormat};

/// Reading an image.
impl Image<Vec<u8>> {
    /// Reads a PNG file into a packed buffer that the image owns, in the
    /// file's own channels and depth; samples of 16 bits are native-endian.
    ///
    /// Palettes become RGB or RGBA, depths below 8 bits become 8, and a
    /// transparent colour (tRNS) becomes alpha. Of an animation the default
    /// image is read.
    ///
    /// The buffer is as large as the file's header says, up to what the system
    /// gives: look at files of unknown origin before you open them.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Read`] if the file can't be read or ends too early,
    /// [`ErrorKind::Decode`] if it is not a PNG or a damaged one,
    /// [`ErrorKind::OutOfMemory`] if the pixels don't fit into memory. All of
    /// them name the path.
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
        let path = path.as_ref();
        File::open(path)
            .map_err(|error| ErrorKind::Read(error).into())
            .and_then(|file| decode(BufReader::new(file)))
            .map_err(|error| error.at_path(path))
    }

    /// Reads a PNG from any reader, which need not be buffered or seek. It is
    /// read to its end.
    ///
    /// # Errors
    ///
    /// As [`open`](Image::open), without a path.
    pub fn from_reader(reader: impl Read) -> Result<Self, Error> {
        let mut bytes = Vec::new();
        Checked(reader)
            .read_to_end(&mut bytes)
            .map_err(ErrorKind::Read)?;
        Self::from_png(bytes)
    }

    /// Reads a PNG from the bytes of a file.
    ///
    /// # Errors
    ///
    /// As [`open`](Image::open), without a path.
    pub fn from_png(bytes: impl AsRef<[u8]>) -> Result<Self, Error> {
        decode(Cursor::new(bytes.as_ref()))
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

fn decode(reader: impl BufRead + Seek) -> Result<Image<Vec<u8>>, Error> {
    let mut decoder = png::Decoder::new(reader);
    decoder.set_transformations(png::Transformations::EXPAND);
    let width = decoder.read_header_info().map_err(decoding)?.width;
    decoder.set_limits(limits(width)?);
    let mut reader = decoder.read_info().map_err(decoding)?;

    let (width, height) = (reader.info().width, reader.info().height);
    let format = match reader.output_color_type() {
        (png::ColorType::Grayscale, png::BitDepth::Eight) => PixelFormat::GRAY8,
        (png::ColorType::Grayscale, _) => PixelFormat::GRAY16,
        (png::ColorType::GrayscaleAlpha, png::BitDepth::Eight) => PixelFormat::GRAY_ALPHA8,
        (png::ColorType::GrayscaleAlpha, _) => PixelFormat::GRAY_ALPHA16,
        (png::ColorType::Rgb, png::BitDepth::Eight) => PixelFormat::RGB8,
        (png::ColorType::Rgb, _) => PixelFormat::RGB16,
        (png::ColorType::Rgba, png::BitDepth::Eight) => PixelFormat::RGBA8,
        // `EXPAND` leaves no palette.
        (png::ColorType::Rgba | png::ColorType::Indexed, _) => PixelFormat::RGBA16,
    };
    let size = reader
        .output_buffer_size()
        .ok_or(ErrorKind::TooLarge { width, height })?;
    let mut pixels = zeroed(size as u64)?;
    reader.next_frame(&mut pixels).map_err(decoding)?;
    reader.finish().map_err(decoding)?;

    // PNG is big-endian (PNG third edition, 7.1).
    if format.bit_depth() == 16 {
        for sample in pixels.as_chunks_mut().0 {
            *sample = u16::from_be_bytes(*sample).to_ne_bytes();
        }
    }
    Image::from_buffer(pixels, width, height, format)
}

/// The `png` crate's own limit of 64 MiB for what it holds besides the pixels
/// is kept, with room for a few rows of this width on top. It would abort if
/// they couldn't be had, so that is found out before.
fn limits(width: u32) -> Result<png::Limits, Error> {
    let rows = u64::from(width) * 8 * 4; // four of the widest format
    let no_memory = ErrorKind::OutOfMemory { bytes: rows };
    let mut limits = png::Limits::default();
    match usize::try_from(rows) {
        Ok(rows) if Vec::<u8>::new().try_reserve_exact(rows).is_ok() => {
            limits.bytes = limits.bytes.saturating_add(rows);
            Ok(limits)
        }
        _ => Err(no_memory.into()),
    }
}

fn decoding(error: png::DecodingError) -> Error {
    match error {
        png::DecodingError::IoError(error) => ErrorKind::Read(error).into(),
        error => ErrorKind::Decode(Box::new(error)).into(),
    }
}
