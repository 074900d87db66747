//! What can go wrong, with the facts: path, row, and the numbers that didn't fit.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::{Channel, PixelFormat, SourceError};

/// The error of every fallible call of this crate.
///
/// [`kind`](Error::kind) says what happened and carries the numbers;
/// [`path`](Error::path) and [`row`](Error::row) say where, and
/// [`source`](std::error::Error::source) is the error beneath: the
/// [`io::Error`] of a file or of the caller's `Write`, or the [`SourceError`]
/// of the pixels.
///
/// `{}` prints one line without the errors beneath; `{:#}` prints the whole
/// chain, and so does `{:?}`, which is what `unwrap` and a `main` that returns
/// it show.
///
/// # Examples
///
/// ```
/// use pixview::{ErrorKind, Image, PixelFormat};
///
/// let buffer = vec![0u8; 100];
/// let error = Image::from_buffer(&buffer, 8, 8, PixelFormat::RGB8).unwrap_err();
/// assert!(matches!(
///     error.kind(),
///     ErrorKind::BufferLength { needed: 192, given: 100, .. }
/// ));
/// assert_eq!(
///     error.to_string(),
///     "8x8 pixels of RGB8 have 192 bytes, the buffer has 100",
/// );
/// ```
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    path: Option<PathBuf>,
    row: Option<u32>,
}

impl Error {
    /// What happened.
    #[must_use]
    pub fn kind(&self) -> &ErrorKind {
        &self.0.kind
    }

    /// The file that was being read or written, as the caller named it.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        self.0.path.as_deref()
    }

    /// The row of the image, counted from 0 at the top, that was being read;
    /// of a failure to write, the first of the rows that were being written.
    /// Before the first row and after the last there is none.
    #[must_use]
    pub fn row(&self) -> Option<u32> {
        self.0.row
    }

    pub(crate) fn at_path(mut self, path: &Path) -> Self {
        self.0.path.get_or_insert_with(|| path.to_owned());
        self
    }

    pub(crate) fn at_row(mut self, row: u32) -> Self {
        self.0.row.get_or_insert(row);
        self
    }
}

/// Adds the row to the error of a result.
pub(crate) trait AtRow<T> {
    fn at_row(self, row: u32) -> Result<T, Error>;
}

impl<T, E: Into<Error>> AtRow<T> for Result<T, E> {
    fn at_row(self, row: u32) -> Result<T, Error> {
        self.map_err(|error| error.into().at_row(row))
    }
}

impl From<ErrorKind> for Error {
    fn from(kind: ErrorKind) -> Self {
        Error(Box::new(Inner {
            kind,
            path: None,
            row: None,
        }))
    }
}

impl From<SourceError> for Error {
    fn from(error: SourceError) -> Self {
        ErrorKind::Source(error).into()
    }
}

/// So that `?` works in functions that return [`io::Result`]. The kind of the
/// `io::Error` is that of the one beneath, if there is one.
impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        let kind = match error.kind() {
            ErrorKind::Read(beneath) | ErrorKind::Write(beneath) => beneath.kind(),
            ErrorKind::OutOfMemory { .. } => io::ErrorKind::OutOfMemory,
            ErrorKind::Decode { .. } => io::ErrorKind::InvalidData,
            ErrorKind::Cancelled => io::ErrorKind::Interrupted,
            ErrorKind::Source(_) | ErrorKind::Encode(_) => io::ErrorKind::Other,
            _ => io::ErrorKind::InvalidInput,
        };
        io::Error::new(kind, error)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(path) = &self.0.path {
            write!(f, "{}: ", path.display())?;
        }
        if let Some(row) = self.0.row {
            write!(f, "row {row}: ")?;
        }
        write!(f, "{}", self.0.kind)?;
        if f.alternate() {
            let mut beneath = self.source();
            while let Some(error) = beneath {
                write!(f, ": {error}")?;
                beneath = error.source();
            }
        }
        Ok(())
    }
}

/// The whole chain in a line, for people who meet it through `unwrap`.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:#}")
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.kind.source()
    }
}

/// What happened, with the numbers.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A width or height of zero. PNG has no empty images (PNG third edition,
    /// 11.2.1).
    #[error("an image of {width}x{height} pixels is empty")]
    Empty {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
    },

    /// A width or height beyond 2^31-1, the largest that PNG holds (PNG third
    /// edition, 11.2.1), or an image whose bytes can't be counted in a
    /// `usize`.
    #[error("an image of {width}x{height} pixels is too large")]
    TooLarge {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
    },

    /// The layout reaches past the end of the buffer.
    #[error("the image needs {needed} bytes, the buffer has {given}: row {row} does not fit")]
    BufferTooSmall {
        /// Bytes the layout reaches, counted from the start of the buffer.
        /// The padding behind the last row is not among them.
        needed: u64,
        /// Bytes the buffer has.
        given: u64,
        /// The first row of the image, counted from the top, that has a
        /// pixel outside.
        row: u32,
    },

    /// [`Image::from_buffer`](crate::Image::from_buffer) was given a buffer with
    /// more or fewer bytes than the pixels have.
    #[error("{}", buffer_length(*needed, *given, *width, *height, *format))]
    #[non_exhaustive]
    BufferLength {
        /// Bytes of the pixels: height times
        /// [`PixelFormat::row_size`](crate::PixelFormat::row_size).
        needed: u64,
        /// Bytes of the buffer.
        given: u64,
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
        /// The format that was given.
        format: PixelFormat,
    },

    /// Pixels of the layout share bytes, and
    /// [`Layout::allow_overlap`](crate::Layout::allow_overlap) was not called.
    #[error(
        "pixels overlap: {width} pixels of {format} take {row_size} bytes, the row stride is {row_stride} bytes and the pixel stride {pixel_stride}; strides count bytes, not pixels or elements; Layout::allow_overlap permits overlap"
    )]
    #[non_exhaustive]
    OverlappingPixels {
        /// Bytes from a pixel to the pixel below it.
        row_stride: i64,
        /// Bytes from a pixel to the pixel on its right.
        pixel_stride: i64,
        /// Bytes from the beginning of the first pixel of a row to the end of
        /// the last.
        row_size: u64,
        /// Width in pixels.
        width: u32,
        /// The format that was given.
        format: PixelFormat,
    },

    /// A negative stride leads to addresses before the start of the buffer.
    #[error("row {row} begins {bytes} bytes before the start of the buffer")]
    BeforeBuffer {
        /// How far before the start the first byte of that row lies.
        bytes: u64,
        /// The first row of the image, counted from the top, that has a
        /// pixel outside.
        row: u32,
    },

    /// The size of a buffer's element and that of a pixel (of a sample, in a
    /// planar layout) must divide one another; these don't.
    #[error(
        "{format} lies in units of {unit_size} bytes, which elements of {element_size} bytes can't hold: give the buffer as bytes"
    )]
    ElementMismatch {
        /// Bytes in one element of the buffer.
        element_size: usize,
        /// Bytes in one pixel, or in one sample of a planar layout.
        unit_size: usize,
        /// The format that was asked for.
        format: PixelFormat,
    },

    /// A sample is no part of one atomic element, so that a reader could see
    /// half of a concurrent edit.
    #[error(
        "a sample of {format} has {sample_size} bytes and would be torn between atomic elements of {element_size} bytes"
    )]
    TornSample {
        /// Bytes in one atomic element.
        element_size: usize,
        /// Bytes in one sample.
        sample_size: usize,
        /// The format that was asked for.
        format: PixelFormat,
    },

    /// An offset or a stride that cuts samples of several bytes, or words, out
    /// of the middle of elements that hold them whole. Strides are bytes, not
    /// elements.
    #[error(
        "offset and strides of {format} over elements of {element_size} bytes must be multiples of {alignment} bytes"
    )]
    Misaligned {
        /// The number of bytes that the offset and the strides must be multiples
        /// of.
        alignment: usize,
        /// Bytes in one element of the buffer.
        element_size: usize,
        /// The format that was asked for.
        format: PixelFormat,
    },

    /// Two pixels of this layout share bits. It can be read and saved, not
    /// written.
    #[error("pixels of this layout overlap, so it can be read but not written")]
    Overlap,

    /// The planes of a format whose samples are parts of one word or byte
    /// can't be apart.
    #[error("{format} has no planes: its samples are parts of one word or byte")]
    NotPlanar {
        /// The format that was asked for.
        format: PixelFormat,
    },

    /// Something was said of the numbers of a format that can't be said of
    /// it: see the methods of [`PixelFormat`].
    #[error("no {what} can be stated for {format}")]
    FixedMeaning {
        /// What was said.
        what: &'static str,
        /// The format.
        format: PixelFormat,
    },

    /// A range whose ends are not finite, or the same, or so near or so far
    /// apart that an `f64` can't tell how far, or that samples of `f32` can't
    /// hold.
    #[error("{format}: no range that numbers can be mapped from")]
    InvalidRange {
        /// What is black.
        black: f64,
        /// What is white.
        white: f64,
        /// The format, whose name shows both.
        format: PixelFormat,
    },

    /// A number of bits that the samples can't have.
    #[error("{format}: samples have 1 to {most} bits")]
    InvalidBits {
        /// The bits that were given.
        bits: u8,
        /// Bits in the type of the samples.
        most: u8,
        /// The format, whose name shows them.
        format: PixelFormat,
    },

    /// A depth that these samples aren't saved at.
    #[error("{format}: a file has 8 or 16; fewer bits in memory are with_significant_bits")]
    InvalidBitDepth {
        /// The depth that was given.
        depth: u8,
        /// The format, whose name shows it.
        format: PixelFormat,
    },

    /// A palette of no colours, or of more than PNG holds (PNG third edition,
    /// 11.2.2).
    #[error("a palette has 1 to 256 colours, {given} were given")]
    PaletteSize {
        /// Colours that were given.
        given: usize,
    },

    /// An indexed image is to be saved, and has no palette.
    #[error("{format} needs a palette: give the image one, with_palette")]
    NoPalette {
        /// The format of the image.
        format: PixelFormat,
    },

    /// A palette for pixels that are no indices.
    #[error("{format} is not indexed: it has no palette")]
    NotIndexed {
        /// The format of the image.
        format: PixelFormat,
    },

    /// A depth was asked for at which the palette has too many colours.
    #[error("a palette of {colors} colours does not fit {bits} bits")]
    PaletteDepth {
        /// The bits that were asked for.
        bits: u8,
        /// Colours in the palette.
        colors: usize,
    },

    /// A pixel names a colour that the palette doesn't have.
    #[error("pixel ({x}, {y}) has index {index}, the palette has {colors} colours")]
    IndexOutside {
        /// Column, from 0.
        x: u32,
        /// Row, from 0.
        y: u32,
        /// The index.
        index: u8,
        /// Colours in the palette.
        colors: usize,
    },

    /// A rectangle without pixels.
    #[error("the rectangle {width}x{height} at ({x}, {y}) is empty")]
    #[non_exhaustive]
    EmptyRect {
        /// Left edge in pixels.
        x: u32,
        /// Upper edge in pixels.
        y: u32,
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
    },

    /// A rectangle that reaches out of the image.
    #[error(
        "the rectangle {width}x{height} at ({x}, {y}) is not inside the image of {image_width}x{image_height} pixels"
    )]
    RectOutside {
        /// Left edge in pixels.
        x: u32,
        /// Upper edge in pixels.
        y: u32,
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
        /// Width of the image in pixels.
        image_width: u32,
        /// Height of the image in pixels.
        image_height: u32,
    },

    /// A pixel outside the image.
    #[error("pixel ({x}, {y}) is outside the image of {width}x{height} pixels")]
    PixelOutside {
        /// Column, from 0.
        x: u32,
        /// Row, from 0.
        y: u32,
        /// Width of the image in pixels.
        width: u32,
        /// Height of the image in pixels.
        height: u32,
    },

    /// The format has no such channel, or none that stands alone in memory:
    /// fields of packed words don't, nor do colours that were multiplied by
    /// alpha, nor inks.
    #[error("{format} has no {channel} channel of its own")]
    NoChannel {
        /// The channel that was asked for.
        channel: Channel,
        /// The format of the image.
        format: PixelFormat,
    },

    /// A pixel to write has more or fewer samples than the format.
    #[error("a pixel of {format} has {needed} samples, {given} were given")]
    SampleCount {
        /// Samples in one pixel of the format.
        needed: usize,
        /// Samples that were given.
        given: usize,
        /// The format of the image.
        format: PixelFormat,
    },

    /// A sample to write is larger than the format can hold.
    #[error("a sample of {format} is at most {max}, {given} was given")]
    SampleRange {
        /// The largest value of a sample.
        max: u16,
        /// The value that was given.
        given: i32,
        /// The format of the image.
        format: PixelFormat,
    },

    /// Samples of `u8` were given for a format with samples of 16 bits.
    #[error("{format} has samples of 16 bits, u8 samples were given: give u16 samples, 0 to 65535")]
    #[non_exhaustive]
    SampleType {
        /// The format of the image.
        format: PixelFormat,
    },

    /// A packed row or rectangle of the caller's has the wrong length.
    #[error("{needed} bytes of packed pixels are needed, {given} were given")]
    ByteCount {
        /// Bytes needed.
        needed: u64,
        /// Bytes given.
        given: u64,
    },

    /// The source of the pixels failed.
    #[error("the pixel source failed")]
    Source(#[source] SourceError),

    /// A file or the caller's `Read` failed.
    #[error("could not read")]
    Read(#[source] io::Error),

    /// A file or the caller's `Write` failed.
    #[error("could not write")]
    Write(#[source] io::Error),

    /// The file is not a PNG, or a damaged one. (A file that ends too early is
    /// one.)
    #[error("could not decode the PNG: chunk {chunk:?} at byte {offset}")]
    Decode {
        /// The name of the chunk that was being read; empty before the first.
        chunk: String,
        /// The byte of the file that it begins at.
        offset: u64,
        /// What is wrong.
        #[source]
        source: Box<dyn StdError + Send + Sync>,
    },

    /// The file asks for more than the caller allows.
    #[error("{needed} {what} are needed, {limit} are allowed")]
    LimitExceeded {
        /// Of what: pixels, or bytes.
        what: &'static str,
        /// How many are needed.
        needed: u64,
        /// How many are allowed.
        limit: u64,
    },

    /// A view to read into has another size than the file.
    #[error("the file has {width}x{height} pixels, the view {image_width}x{image_height}")]
    SizeMismatch {
        /// Width of the file in pixels.
        width: u32,
        /// Height of the file in pixels.
        height: u32,
        /// Width of the view in pixels.
        image_width: u32,
        /// Height of the view in pixels.
        image_height: u32,
    },

    /// Indices are asked for of a file that has none: no palette is made up.
    #[error("a file of {file} can't be read as {format}: it has no palette")]
    NotIndexedFile {
        /// The format of the file.
        file: PixelFormat,
        /// The format that was asked for.
        format: PixelFormat,
    },

    /// The caller's function broke off: see
    /// [`PngEncoder::on_progress`](crate::PngEncoder::on_progress).
    #[error("cancelled")]
    Cancelled,

    /// The image has been read, or has failed to be.
    #[error("the file has been read: open it again")]
    AlreadyRead,

    /// The encoder refused. With pixels and options checked beforehand this
    /// is a defect of this crate.
    #[error("could not encode the PNG")]
    Encode(#[source] Box<dyn StdError + Send + Sync>),

    /// What was to be said of the image can't be said, or not of this one: see
    /// [`Metadata`](crate::Metadata).
    #[error("chunk {chunk}: {what}")]
    Metadata {
        /// The name of the chunk that would say it.
        chunk: String,
        /// What is wrong.
        what: &'static str,
    },

    /// The path has an extension other than `png`.
    #[error("unknown file extension {extension:?}: only \"png\" can be written")]
    UnknownExtension {
        /// The extension, without its dot.
        extension: String,
    },

    /// Memory for this many bytes could not be had.
    #[error("could not allocate {bytes} bytes")]
    OutOfMemory {
        /// Bytes asked for.
        bytes: u64,
    },
}

/// The text of [`ErrorKind::BufferLength`]: the numbers, and what a simple
/// relation between them suggests.
fn buffer_length(needed: u64, given: u64, width: u32, height: u32, format: PixelFormat) -> String {
    let numbers =
        format!("{width}x{height} pixels of {format} have {needed} bytes, the buffer has {given}");
    let pixels = u64::from(width) * u64::from(height);
    let bits = format.bits_per_pixel() as u64;
    // In bits, so that formats of less than a byte are compared as well.
    let given_bits = given.saturating_mul(8);
    if given_bits.is_multiple_of(pixels) && (1..=256).contains(&(given_bits / pixels)) {
        let found = given_bits / pixels;
        return if bits.is_multiple_of(8) && found.is_multiple_of(8) {
            let (found, bytes) = (found / 8, bits / 8);
            format!("{numbers}: that is {found} bytes a pixel, not {bytes}; is the format right?")
        } else {
            format!("{numbers}: that is {found} bits a pixel, not {bits}; is the format right?")
        };
    }
    if given > needed && height > 1 && given.is_multiple_of(height.into()) {
        let (row, found) = (format.row_size(width), given / u64::from(height));
        return format!(
            "{numbers}: that is {found} bytes a row, not {row}; for padded rows use Image::with_layout"
        );
    }
    if given > needed {
        format!("{numbers}; for a longer buffer use Image::with_layout")
    } else {
        numbers
    }
}
