//! The kinds of errors.

use std::error::Error as StdError;
use std::io;

use super::text::{alternatives, buffer_length, count, no_channel, torn};
use crate::{Channel, PixelFormat, SourceError};

/// What failed, with the numbers.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The width or the height is zero. PNG has no empty images (PNG third
    /// edition, 11.2.1).
    #[error("an image of {width}x{height} pixels is empty")]
    #[non_exhaustive]
    Empty {
        /// The width in pixels.
        width: u32,
        /// The height in pixels.
        height: u32,
    },

    /// The width or the height is beyond 2^31-1, the largest that PNG holds
    /// (PNG third edition, 11.2.1), or the bytes of a row or of the image do
    /// not fit a `usize`.
    #[error("an image of {width}x{height} pixels is too large")]
    #[non_exhaustive]
    TooLarge {
        /// The width in pixels.
        width: u32,
        /// The height in pixels.
        height: u32,
    },

    /// The buffer given to [`Image::from_buffer`](crate::Image::from_buffer)
    /// has more or fewer bytes than the pixels.
    #[error("{}", buffer_length(*needed, *given, *element_size, *width, *height, *format))]
    #[non_exhaustive]
    BufferLength {
        /// Bytes of the pixels: the height times [`PixelFormat::row_size`].
        needed: u64,
        /// Bytes of the buffer.
        given: u64,
        /// Bytes of an element of the buffer.
        element_size: usize,
        /// The width in pixels.
        width: u32,
        /// The height in pixels.
        height: u32,
        /// The pixel format.
        format: PixelFormat,
    },

    /// The layout reaches past the end of the buffer.
    #[error("the image needs {needed} bytes, the buffer has {given}: row {row} does not fit")]
    #[non_exhaustive]
    BufferTooSmall {
        /// Bytes that the layout reaches, counted from the start of the buffer,
        /// without the padding behind the last row.
        needed: u64,
        /// Bytes of the buffer.
        given: u64,
        /// The first row, counted from the top, that has a pixel outside.
        row: u32,
    },

    /// A negative stride leads to addresses before the start of the buffer.
    #[error(
        "row {row} begins {} before the start of the buffer: Layout::with_offset sets the byte of the first row, and Layout::flip_vertical turns a bottom-up buffer", count(*bytes, "byte")
    )]
    #[non_exhaustive]
    BeforeBuffer {
        /// The number of bytes from the first byte of that row to the start of
        /// the buffer.
        bytes: u64,
        /// The first row, counted from the top, that has a pixel outside.
        row: u32,
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
        /// The width in pixels.
        width: u32,
        /// The pixel format.
        format: PixelFormat,
    },

    /// The size of an element of the buffer is neither a multiple nor a divisor
    /// of the size of a pixel (in a planar layout: of a sample).
    #[error(
        "{format} has units of {unit_size} bytes, which elements of {element_size} bytes cannot hold: give the buffer as bytes, such as vec![0u8; n]"
    )]
    #[non_exhaustive]
    ElementMismatch {
        /// Bytes of an element of the buffer.
        element_size: usize,
        /// Bytes of a pixel, or of a sample in a planar layout.
        unit_size: usize,
        /// The pixel format.
        format: PixelFormat,
    },

    /// The source was edited during each copy of its pixels, or an edit did not end
    /// within a second. Only a source with a generation number causes this error, in a
    /// save with [`Consistency::Snapshot`](crate::png::Consistency::Snapshot) or
    /// [`PngEncoder::reduce`](crate::PngEncoder::reduce).
    #[error("{}", torn(*copies))]
    #[non_exhaustive]
    Torn {
        /// The number of copies that were made.
        copies: u32,
    },

    /// A sample does not lie within one atomic element, so that a reader could
    /// see half of a concurrent edit.
    #[error(
        "samples of {format} have {sample_size} bytes and would be torn between atomic elements of {element_size} bytes: use larger atomics"
    )]
    #[non_exhaustive]
    TornSample {
        /// Bytes of an atomic element.
        element_size: usize,
        /// Bytes of a sample.
        sample_size: usize,
        /// The pixel format.
        format: PixelFormat,
    },

    /// The elements hold whole samples of several bytes, or whole words, and the
    /// offset or a stride is not a multiple of the size of a sample or word.
    #[error(
        "offset and strides of {format} over elements of {element_size} bytes must be multiples of {alignment} bytes"
    )]
    #[non_exhaustive]
    Misaligned {
        /// The number of bytes that the offset and the strides must be
        /// multiples of.
        alignment: usize,
        /// Bytes of an element of the buffer.
        element_size: usize,
        /// The pixel format.
        format: PixelFormat,
    },

    /// Two pixels of the layout share bits. The image can be read and saved,
    /// but not written.
    #[error("pixels of this layout overlap: it can be read, not written")]
    Overlap,

    /// The format has no planar layout: its samples are parts of one word or
    /// byte.
    #[error("{format} has no planes: its samples are parts of one word or byte")]
    #[non_exhaustive]
    NotPlanar {
        /// The pixel format.
        format: PixelFormat,
    },

    /// The array does not have two axes (height, width) or three (height, width,
    /// channel), or not one stride for each axis: see
    /// [`Layout::from_strides`](crate::Layout::from_strides).
    #[error(
        "an array must have 2 axes (height, width) or 3 (height, width, channel) and a stride for each, not {axes} axes and {strides} strides"
    )]
    #[non_exhaustive]
    ArrayAxes {
        /// The number of axes that was given.
        axes: usize,
        /// The number of strides that was given.
        strides: usize,
    },

    /// The length of the channel axis is not the number of samples in a pixel.
    #[error("the channel axis must have {needed} elements for {format}, not {given}")]
    #[non_exhaustive]
    ArrayChannels {
        /// The number of samples in a pixel in memory, with padding.
        needed: usize,
        /// The length of the channel axis.
        given: usize,
        /// The pixel format.
        format: PixelFormat,
    },

    /// The elements of the array do not have the size of a pixel (with two axes)
    /// or of a sample (with three axes).
    #[error("an element of this array must have {needed} bytes for {format}, not {given}")]
    #[non_exhaustive]
    ArrayElement {
        /// Bytes of a pixel or of a sample.
        needed: usize,
        /// Bytes of an element of the array.
        given: usize,
        /// The pixel format.
        format: PixelFormat,
    },

    /// The format does not support this option: see the methods of
    /// [`PixelFormat`].
    #[error("{} does not support {option}", format.name())]
    #[non_exhaustive]
    UnsupportedOption {
        /// The option, such as "a range".
        option: &'static str,
        /// The pixel format.
        format: PixelFormat,
    },

    /// The text is not the name of a format: see [`PixelFormat`].
    #[error("unknown pixel format {name:?}{}", nearest.map_or(String::new(), |name| format!(", did you mean {name}?")))]
    #[non_exhaustive]
    UnknownFormat {
        /// The name that was given.
        name: String,
        /// The most similar name, if one is similar.
        nearest: Option<&'static str>,
    },

    /// The text after the name of a format is not an option.
    #[error(
        "unknown option {option:?} of pixel format {}: options are \"premultiplied\", \"of 12 significant bits\", \"from 0 to 1\", \"linear\", \"inverted\" and \"saved with 8 bits\"", format.name()
    )]
    #[non_exhaustive]
    UnknownOption {
        /// The text that is not an option.
        option: String,
        /// The pixel format.
        format: PixelFormat,
    },

    /// The ends of a range are not finite, are equal, or are too near or too
    /// far apart for the samples.
    #[error("{}: the ends of a range must be finite and distinct, not {black} and {white}", format.name())]
    #[non_exhaustive]
    InvalidRange {
        /// The value of black.
        black: f64,
        /// The value of white.
        white: f64,
        /// The pixel format.
        format: PixelFormat,
    },

    /// The samples cannot have this number of significant bits.
    #[error("{}: samples have 1 to {most} significant bits, not {bits}", format.name())]
    #[non_exhaustive]
    InvalidBits {
        /// The number of bits that was given.
        bits: u8,
        /// Bits of the type of the samples.
        most: u8,
        /// The pixel format.
        format: PixelFormat,
    },

    /// The samples cannot be saved at this bit depth.
    #[error(
        "{}: the bit depth of the file must be {}, not {depth}; for fewer bits in memory use with_significant_bits", format.name(), alternatives(format.bit_depths())
    )]
    #[non_exhaustive]
    InvalidBitDepth {
        /// The bit depth that was given.
        depth: u8,
        /// The pixel format.
        format: PixelFormat,
    },

    /// The palette is empty, or has more entries than PNG holds (PNG third
    /// edition, 11.2.2).
    #[error("a palette must have 1 to 256 entries, not {given}")]
    #[non_exhaustive]
    PaletteSize {
        /// The number of entries that was given.
        given: usize,
    },

    /// An indexed image without a palette is saved, converted to colors, or
    /// compared with an image that has a palette.
    #[error("{format} needs a palette: use Image::with_palette")]
    #[non_exhaustive]
    NoPalette {
        /// The pixel format.
        format: PixelFormat,
    },

    /// A palette is given to an image whose pixels are not indices.
    #[error("{format} is not an indexed format, so it takes no palette")]
    #[non_exhaustive]
    NotIndexed {
        /// The pixel format.
        format: PixelFormat,
    },

    /// The palette has too many entries for the bit depth that was asked for.
    #[error("a palette of {colors} entries does not fit a bit depth of {bits}")]
    #[non_exhaustive]
    PaletteDepth {
        /// The bit depth.
        bits: u8,
        /// Entries of the palette.
        colors: usize,
    },

    /// A pixel has an index beyond the palette.
    #[error("pixel ({x}, {y}) has index {index}, the palette has {colors} entries")]
    #[non_exhaustive]
    IndexOutside {
        /// The column, from 0.
        x: u32,
        /// The row, from 0.
        y: u32,
        /// The index.
        index: u8,
        /// Entries of the palette.
        colors: usize,
    },

    /// A rectangle has no pixels.
    #[error("the rectangle {width}x{height} at ({x}, {y}) is empty")]
    #[non_exhaustive]
    EmptyRect {
        /// The left edge in pixels.
        x: u32,
        /// The upper edge in pixels.
        y: u32,
        /// The width in pixels.
        width: u32,
        /// The height in pixels.
        height: u32,
    },

    /// A rectangle reaches out of the image.
    #[error(
        "the rectangle {width}x{height} at ({x}, {y}) reaches out of the image of {image_width}x{image_height} pixels"
    )]
    #[non_exhaustive]
    RectOutside {
        /// The left edge in pixels.
        x: u32,
        /// The upper edge in pixels.
        y: u32,
        /// The width in pixels.
        width: u32,
        /// The height in pixels.
        height: u32,
        /// The width of the image in pixels.
        image_width: u32,
        /// The height of the image in pixels.
        image_height: u32,
    },

    /// A pixel lies outside the image.
    #[error("pixel ({x}, {y}) is outside the image of {width}x{height} pixels")]
    #[non_exhaustive]
    PixelOutside {
        /// The column, from 0.
        x: u32,
        /// The row, from 0.
        y: u32,
        /// The width of the image in pixels.
        width: u32,
        /// The height of the image in pixels.
        height: u32,
    },

    /// The format has no such channel, or none that stands alone in memory.
    /// Fields of words that are not whole bytes, premultiplied colors, and inks
    /// do not stand alone.
    #[error("{}", no_channel(*channel, *format))]
    #[non_exhaustive]
    NoChannel {
        /// The channel that was asked for.
        channel: Channel,
        /// The pixel format.
        format: PixelFormat,
    },

    /// A pixel to write has more or fewer samples than the format.
    #[error("a pixel of {format} has {needed} samples, not {given}")]
    #[non_exhaustive]
    SampleCount {
        /// Samples of a pixel of the format.
        needed: usize,
        /// Samples that were given.
        given: usize,
        /// The pixel format.
        format: PixelFormat,
    },

    /// A sample to write is negative or beyond the bit depth of the format.
    #[error("a sample of {format} must be 0 to {max}, not {given}")]
    #[non_exhaustive]
    SampleRange {
        /// The largest value of a sample.
        max: u16,
        /// The value that was given.
        given: i32,
        /// The pixel format.
        format: PixelFormat,
    },

    /// Samples of `u8` were given for a format with samples of 16 bits.
    #[error("{format} has samples of 16 bits, u8 samples were given: give u16 samples, 0 to 65535")]
    #[non_exhaustive]
    SampleType {
        /// The pixel format.
        format: PixelFormat,
    },

    /// The format of the image is not the format of a pixel type.
    #[error("the image is {format}, pixels of this type are {needed}: convert it with copy_into")]
    #[non_exhaustive]
    PixelType {
        /// The format of the pixel type.
        needed: PixelFormat,
        /// The format of the image.
        format: PixelFormat,
    },

    /// The pixels cannot be borrowed: the source is cells, atomics, or other memory
    /// that can be edited at any time, or the layout is planar.
    #[error(
        "these pixels can't be borrowed: the source must be plain memory or a lock, without planes"
    )]
    NotBorrowable,

    /// The caller's packed pixels have the wrong length.
    #[error("{needed} bytes of packed pixels are needed, not {given}")]
    #[non_exhaustive]
    ByteCount {
        /// Bytes that are needed.
        needed: u64,
        /// Bytes that were given.
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

    /// The new file is complete and has its name, but its folder could not be
    /// synced to the disk, as [`PngEncoder::sync`](crate::PngEncoder::sync)
    /// demands. After a loss of power the path leads to the new file or to the old
    /// one (to none if there was none).
    #[error("the file is in its place, but its folder could not be synced to the disk")]
    FolderSync(#[source] io::Error),

    /// The file is not a PNG.
    #[error("not a PNG file{}", found.map_or(String::new(), |kind| format!(", but {kind}")))]
    #[non_exhaustive]
    NotPng {
        /// The kind of file that its first bytes show: "JPEG", "GIF", "WebP",
        /// "BMP" or "TIFF".
        found: Option<&'static str>,
    },

    /// The file is a damaged PNG, or ends too early.
    #[error("could not decode the PNG: chunk {chunk} at byte {offset}")]
    #[non_exhaustive]
    Decode {
        /// The name of the chunk that was being read.
        chunk: String,
        /// The byte of the file at which the chunk begins.
        offset: u64,
        /// The fault.
        #[source]
        source: Box<dyn StdError + Send + Sync>,
    },

    /// The file needs more than the limits of the decoder allow: see
    /// [`PngDecoder`](crate::PngDecoder).
    #[error("{needed} {what} are needed, {limit} are allowed")]
    #[non_exhaustive]
    LimitExceeded {
        /// The unit: "pixels" or "bytes".
        what: &'static str,
        /// How many are needed.
        needed: u64,
        /// How many are allowed.
        limit: u64,
    },

    /// The image to read into, to copy into or to compare with has another size.
    #[error("an image of {width}x{height} pixels is needed, not of {image_width}x{image_height}")]
    #[non_exhaustive]
    SizeMismatch {
        /// The width in pixels of the file or of the image whose method was
        /// called.
        width: u32,
        /// The height in pixels of that file or image.
        height: u32,
        /// The width of the other image in pixels.
        image_width: u32,
        /// The height of the other image in pixels.
        image_height: u32,
    },

    /// The images to compare have different color types or bit depths in PNG.
    #[error(
        "{format} cannot be compared with {other}: in PNG they are {} and {}; Image::to_vec_as converts an image, PngReader::read_as a file", format.png(), other.png()
    )]
    #[non_exhaustive]
    TypeMismatch {
        /// The format of the image whose method was called.
        format: PixelFormat,
        /// The format of the other image.
        other: PixelFormat,
    },

    /// The pixels of a file or image cannot be read or converted to an indexed
    /// format, because they are not indices. Reads and conversions do not compute
    /// a palette.
    #[error("{from} cannot become {format}: it has no palette")]
    #[non_exhaustive]
    NoIndices {
        /// The format of the file or of the image.
        from: PixelFormat,
        /// The indexed format.
        format: PixelFormat,
    },

    /// The progress function stopped the save or the read: see
    /// [`PngEncoder::on_progress`](crate::PngEncoder::on_progress).
    #[error("cancelled")]
    Cancelled,

    /// The reader has read its image already, or an earlier read failed.
    #[error("the file has been read: open it again")]
    AlreadyRead,

    /// The metadata is invalid, or invalid for this image: see
    /// [`Metadata`](crate::Metadata).
    #[error("chunk {chunk}: {what}")]
    #[non_exhaustive]
    Metadata {
        /// The name of the chunk.
        chunk: String,
        /// The fault.
        what: &'static str,
    },

    /// The path has an extension other than `png`.
    #[error(
        "unknown file extension {extension:?}: only \"png\" can be written; PngEncoder::write takes a file of any name"
    )]
    #[non_exhaustive]
    UnknownExtension {
        /// The extension, without its dot.
        extension: String,
    },

    /// A file, folder, symbolic link, pipe or device exists at the path.
    /// [`PngEncoder::save_new`](crate::PngEncoder::save_new) replaces nothing.
    #[error("the path exists already: save_new replaces nothing")]
    FileExists,

    /// The memory could not be allocated.
    #[error("could not allocate {bytes} bytes")]
    #[non_exhaustive]
    OutOfMemory {
        /// The number of bytes.
        bytes: u64,
    },
}
