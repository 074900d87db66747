//! Saving: options, scratch, and the way of the rows into the file.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use super::sink::{Sink, SinkState};
use crate::rows::Frame;
use crate::{Error, ErrorKind, Image, PixelFormat, PixelSource, file};

/// Bytes of compressed data in one IDAT chunk, and of writes to the caller.
const CHUNK: usize = 64 * 1024;

/// How much work to put into small files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Compression {
    /// None: as large as the pixels.
    Stored,
    /// As fast as possible.
    #[default]
    Fast,
    /// Smaller, and much slower.
    Small,
    /// The smallest, and the slowest.
    Best,
}

/// Saves images as PNG: the options, and scratch buffers that are kept from
/// save to save.
///
/// Options belong to the encoder, never to an image, so that two threads that
/// save one image share nothing. [`Image::save`] is
/// `PngEncoder::new().save(&image, path)`.
///
/// Pixels go from the live view into the encoder row by row: beyond the
/// caller's buffer a save takes four rows of PNG and a constant, whatever
/// the image's height, and reads each pixel of a live source once.
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
#[derive(Debug, Default)]
pub struct PngEncoder {
    compression: Compression,
    row: Vec<u8>,
}

impl PngEncoder {
    /// An encoder with the default options.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How much work to put into small files. [`Compression::Fast`] unless
    /// said.
    #[must_use]
    pub fn compression(mut self, compression: Compression) -> Self {
        self.compression = compression;
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
    ///   `path` itself exists and could be written.
    /// - **An existing file** keeps its permissions and, as far as the system
    ///   allows, its owner and group (else the permissions of the group go);
    ///   access control lists and extended attributes are lost. It must be one that could be opened for
    ///   writing: a read-only file is not replaced. Other hard links to it
    ///   keep the old content.
    /// - **A symbolic link** is followed, and its target replaced. If the
    ///   target doesn't exist, it is created. The extension is that of the
    ///   link.
    /// - **A pipe or a device** can't be replaced: it is written to. A
    ///   directory is an error, and so is `/dev/stdout` where it stands for a
    ///   file that is open: use [`write`](PngEncoder::write) for that.
    ///
    /// Nothing is synced to the disk: after a loss of power the file may be
    /// the old one or, on some file systems, damaged.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::UnknownExtension`], before a pixel is read;
    /// - [`ErrorKind::Source`] if the source can't be read, or changed its
    ///   length since the image was made, with the row it happened in;
    /// - [`ErrorKind::Write`] with the [`std::io::Error`] beneath;
    /// - [`ErrorKind::TooLarge`], [`ErrorKind::OutOfMemory`] if a few rows
    ///   don't fit into memory.
    ///
    /// All of them name the path.
    pub fn save<S: PixelSource>(
        &mut self,
        image: &Image<S>,
        path: impl AsRef<Path>,
    ) -> Result<(), Error> {
        let path = path.as_ref();
        file::replace(path, |writer| self.encode(image, writer))
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
        self.encode(image, &mut writer)
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

    fn encode<S: PixelSource>(
        &mut self,
        image: &Image<S>,
        writer: &mut dyn Write,
    ) -> Result<(), Error> {
        let lease = image.source().lease()?;
        let frame = image.description().frame(&lease)?;
        self.encode_frame(&frame, writer)
    }

    fn encode_frame(&mut self, frame: &Frame<'_>, writer: &mut dyn Write) -> Result<(), Error> {
        let state = SinkState::default();
        let mut row = None;
        let result = self.write_png(frame, Sink::new(writer, &state), &state, &mut row);
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

    /// The seam to the deflate engine: scanlines go in, from top to bottom,
    /// and a PNG comes out. `row` is where it is at.
    fn write_png(
        &mut self,
        frame: &Frame<'_>,
        sink: Sink<'_>,
        state: &SinkState,
        row: &mut Option<u32>,
    ) -> Result<(), Error> {
        let (width, height) = (frame.layout.width(), frame.layout.height());
        let row_size = self.reserve(frame)?;

        let mut encoder = png::Encoder::new(BufWriter::with_capacity(CHUNK, sink), width, height);
        encoder.set_color(color_type(frame.layout.format()));
        encoder.set_depth(match frame.layout.format().bit_depth() {
            16 => png::BitDepth::Sixteen,
            _ => png::BitDepth::Eight,
        });
        encoder.set_compression(match self.compression {
            Compression::Stored => png::Compression::NoCompression,
            Compression::Fast => png::Compression::Fast,
            Compression::Small => png::Compression::Balanced,
            Compression::Best => png::Compression::High,
        });
        let mut writer = encoder.write_header().map_err(encoding)?;

        let mut stream = writer.stream_writer_with_size(CHUNK).map_err(encoding)?;
        // Dropped before the two above on every way out, a panic too, so that
        // their destructors write nothing.
        let closing = state.close_on_drop();
        for y in 0..height {
            *row = Some(y);
            let scanline = match frame.png_row_in_place(y) {
                Some(scanline) => scanline,
                None => {
                    self.row.resize(row_size, 0); // reserved above
                    frame.png_row(y, &mut self.row)?;
                    &self.row
                }
            };
            stream.write_all(scanline).map_err(ErrorKind::Write)?;
        }
        *row = None;
        stream.finish().map_err(encoding)?;
        writer.finish().map_err(encoding)?;
        closing.disarm();
        Ok(())
    }

    /// Bytes in a scanline. Makes sure beforehand that a scanline and the
    /// three that the `png` crate keeps can be had: it would abort.
    fn reserve(&mut self, frame: &Frame<'_>) -> Result<usize, Error> {
        let (width, height) = (frame.layout.width(), frame.layout.height());
        let size = u128::from(width) * frame.layout.format().png_pixel_size() as u128;
        let total = (size + 1) * u128::from(height);
        if total > isize::MAX as u128 {
            return Err(ErrorKind::TooLarge { width, height }.into());
        }
        let size = size as usize;
        let no_memory = |_| ErrorKind::OutOfMemory {
            bytes: 4 * size as u64,
        };
        if frame.png_row_in_place(0).is_none() {
            self.row.clear();
            self.row.try_reserve_exact(size).map_err(no_memory)?;
        }
        Vec::<[u8; 3]>::new()
            .try_reserve_exact(size)
            .map_err(no_memory)?;
        Ok(size)
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

fn color_type(format: PixelFormat) -> png::ColorType {
    match format.channels() {
        1 => png::ColorType::Grayscale,
        2 => png::ColorType::GrayscaleAlpha,
        3 => png::ColorType::Rgb,
        _ => png::ColorType::Rgba,
    }
}

fn encoding(error: png::EncodingError) -> Error {
    match error {
        png::EncodingError::IoError(error) => ErrorKind::Write(error).into(),
        error => ErrorKind::Encode(Box::new(error)).into(),
    }
}
