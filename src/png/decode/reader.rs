//! One file that is being read.

use std::fmt;
use std::io::BufRead;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::adam7::{Pass, passes};
use super::animation::{Animation, FrameControl};
use super::chunk_reader::{ChunkHeader, ChunkReader};
use super::decoder::PngDecoder;
use super::header::{Header, check_bytes, file_type};
use super::row_writer::RowWriter;
use super::scanlines::Scanlines;
use super::surroundings::Surroundings;
use crate::png::file_format::FileFormat;
use crate::png::metadata::Metadata;
use crate::png::progress::{Progress, Watcher};
use crate::strided::FrameMut;
use crate::{Error, ErrorKind, Image, Layout, Palette, PixelFormat, PixelSourceMut};

/// Bytes of rows between two looks at the caller's wishes.
const STEP: u64 = 512 << 10;

/// Bytes that reading takes beside what is counted: buffers of a fixed size,
/// and rows that are no longer than usual.
const UNCOUNTED: u64 = 256 << 10;

/// A PNG file that has been read as far as its image data: it says what is in
/// the file, and reads it. [`PngDecoder`] makes it.
pub struct PngReader<R: BufRead> {
    chunks: ChunkReader<R>,
    header: Header,
    around: Surroundings,
    file: FileFormat,
    /// The first chunk of image data, which has been entered.
    data: ChunkHeader,
    scanlines: Scanlines,
    /// Bytes that reading may take, and that it has taken beside the chunks.
    max_bytes: u64,
    used: u64,
    keeps_chunks: bool,
    path: Option<PathBuf>,
    watcher: Watcher,
    animation: Option<Animation>,
    /// Whether the image has been read, or can't be any more.
    done: bool,
    /// Whether it has been read, to the end of the file.
    whole: bool,
}

impl<R: BufRead> PngReader<R> {
    pub(super) fn new(reader: R, options: &PngDecoder) -> Result<Self, Error> {
        let mut chunks = ChunkReader::new(reader)?;
        let header = Header::read(&mut chunks)?;
        let pixels = u64::from(header.width) * u64::from(header.height);
        if pixels > options.max_pixels {
            return Err(ErrorKind::LimitExceeded {
                what: "pixels",
                needed: pixels,
                limit: options.max_pixels,
            }
            .into());
        }
        // The row, the one above, and scanlines that have been inflated.
        let row_size = header.png.row_size(header.width);
        let used = row_size.saturating_mul(5).saturating_sub(UNCOUNTED);
        check_bytes(used, options.max_bytes)?;
        let scanlines = Scanlines::new(&header.bytes, row_size)?;
        let mut around = Surroundings::new(&header, options.strict);
        let room = if options.keeps_chunks {
            options.max_bytes - used
        } else {
            0
        };
        let data = around.read_before(&header, room, &mut chunks)?;
        let file = file_type(header.png, &around.palette, &around.transparency);
        let file = file.ok_or_else(|| chunks.error("an indexed image without a palette"))?;
        Ok(PngReader {
            chunks,
            header,
            around,
            file,
            data,
            scanlines,
            max_bytes: options.max_bytes,
            used,
            keeps_chunks: options.keeps_chunks,
            path: None,
            watcher: Watcher::default(),
            animation: None,
            done: false,
            whole: false,
        })
    }

    pub(super) fn with_path(mut self, path: &Path) -> Self {
        self.path = Some(path.to_owned());
        self
    }

    /// Sets a function that is told how many rows have been read, after each half
    /// a megabyte of them. It stops the reading with [`ControlFlow::Break`]: that
    /// fails with [`ErrorKind::Cancelled`], and the
    /// rows so far are in the view. (Of an interlaced file, the pixels so far;
    /// none if a byte of the view has several.)
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

    /// Returns the format of the file. Samples of 16 bits are native.
    #[must_use]
    pub fn format(&self) -> PixelFormat {
        self.file.format()
    }

    /// Returns the palette of an indexed file.
    #[must_use]
    pub fn palette(&self) -> Option<&Palette> {
        self.file.palette.as_ref()
    }

    /// Returns whether the file is interlaced (PNG third edition, 8): no row is
    /// whole before the last pass.
    #[must_use]
    pub fn is_interlaced(&self) -> bool {
        self.header.interlaced
    }

    /// Returns the number of frames of an animated file (PNG third edition, 4.9);
    /// 1 for others.
    #[must_use]
    pub fn frames(&self) -> u32 {
        self.around.control.map_or(1, |(_, control)| control.frames)
    }

    /// Returns how often an animation is to be played; 0 is for ever. 1 for other
    /// files.
    #[must_use]
    pub fn plays(&self) -> u32 {
        self.around.control.map_or(1, |(_, control)| control.plays)
    }

    /// Returns the metadata of the file: of the chunks before the pixels, and
    /// after the pixels have been read of those behind them too. The chunks are
    /// parsed at each call.
    ///
    /// A chunk that breaks a rule costs no other: it is corrected or left out,
    /// and listed in [`Metadata::faults`]. So is a chunk that takes more memory
    /// than is left of 2^26 bytes and of [`max_bytes`](PngDecoder::max_bytes),
    /// or whose checksum is wrong. Of chunks that must be there once, the first
    /// sound one holds.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::OutOfMemory`]; [`ErrorKind::Decode`] if a chunk breaks a
    /// rule and the decoder is [`strict`](PngDecoder::strict).
    pub fn metadata(&self) -> Result<Metadata, Error> {
        let kept = &self.around.kept;
        let room = self.room().saturating_sub(kept.bytes());
        let strict = kept.is_strict();
        let parsed = Metadata::parse(kept.chunks(), kept.faults(), &self.file, room, strict);
        parsed.map_err(|error| self.at_path(error))
    }

    /// Reads the image into a buffer of its own, packed, in the
    /// [`format`](PngReader::format) of the file. An indexed image has its
    /// palette.
    ///
    /// # Errors
    ///
    /// As [`read_into`](PngReader::read_into), and [`ErrorKind::OutOfMemory`];
    /// [`ErrorKind::LimitExceeded`] if the buffer is beyond
    /// [`max_bytes`](PngDecoder::max_bytes).
    pub fn read(&mut self) -> Result<Image<Vec<u8>>, Error> {
        self.read_as(self.format())
    }

    /// Reads the image into a buffer of its own, packed, in a format of your
    /// choice. [`read_into`](PngReader::read_into) says how pixels are converted.
    ///
    /// # Errors
    ///
    /// As [`read`](PngReader::read).
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

    /// All that the file shows, with alpha for a transparent colour.
    pub(super) fn read_whole(&mut self) -> Result<Image<Vec<u8>>, Error> {
        self.read_as(self.file.lossless_format())
    }

    /// Reads the image into an existing view: the caller's buffer, cells,
    /// atomics or lock, in any layout and format that can be written. The view
    /// has the size of the image. Rows are written one by one as they are
    /// decoded, converted on that way if need be; no byte beside them is
    /// touched. An indexed view gets the palette.
    ///
    /// Allocates a few rows. Pixels of interlaced files go to their places at
    /// once, so that the whole view changes in seven passes; only if a byte of
    /// the view has several pixels, they are put together in a copy of it.
    ///
    /// All checksums of the file are compared. Of an animated file this is the
    /// picture for programs that don't play it, whatever is wrong with the
    /// animation.
    ///
    /// # Conversions
    ///
    /// - Depth: `sample * max / max` to the nearest.
    /// - Indices become their colours. Alpha is made opaque, or 0 where the
    ///   file says that a colour is transparent; into formats without alpha it
    ///   is dropped.
    /// - Gray is all three colours. Colours become gray by the weights 0.2126,
    ///   0.7152 and 0.0722 (Rec. ITU-R BT.709), as they are encoded.
    /// - Then whatever the [`PixelFormat`] says of writing.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::SizeMismatch`] if the view has another size, before
    ///   anything is written;
    /// - [`ErrorKind::NotIndexedFile`] if the view is indexed and the file is
    ///   not; [`ErrorKind::IndexOutside`] if an index is beyond what an indexed
    ///   view can hold, or the palette has no colour for it where the view isn't
    ///   indexed;
    /// - [`ErrorKind::Decode`] if the file is damaged, with the chunk and its
    ///   place, and the row. Rows before it have been written, or passes;
    /// - [`ErrorKind::Overlap`] and [`ErrorKind::Source`] if the view can't be
    ///   written, [`ErrorKind::Read`] if the file can't be read,
    ///   [`ErrorKind::Cancelled`];
    /// - [`ErrorKind::AlreadyRead`] the second time.
    pub fn read_into<S: PixelSourceMut>(&mut self, image: &mut Image<S>) -> Result<(), Error> {
        let result = self.read_still(image);
        result.map_err(|error| self.at_path(error))
    }

    /// Reads the next frame of an animation into a view, as the canvas shows it
    /// then, and gives how long it is to be shown; `None` after the last. A file
    /// that isn't animated has one frame, shown for no time.
    ///
    /// The canvas is RGBA, of 16 bits if the file has them; from there rows go
    /// into the view as [`read_into`](PngReader::read_into) says. It is held
    /// between the frames: memory for two images of the canvas and one of the
    /// file's.
    ///
    /// # Errors
    ///
    /// As [`read_into`](PngReader::read_into). Indexed views can't show what is
    /// put together. [`ErrorKind::Decode`] if a chunk of the animation is damaged
    /// or out of place, at the latest when the frame is to be shown; if that is
    /// so before the image data, the picture can still be
    /// [`read`](PngReader::read). [`ErrorKind::LimitExceeded`] if the canvas is beyond
    /// [`max_bytes`](PngDecoder::max_bytes).
    pub fn next_frame<S: PixelSourceMut>(
        &mut self,
        image: &mut Image<S>,
    ) -> Result<Option<Duration>, Error> {
        let result = self.next_unnamed(image);
        result.map_err(|error| self.at_path(error))
    }

    fn next_unnamed<S: PixelSourceMut>(
        &mut self,
        image: &mut Image<S>,
    ) -> Result<Option<Duration>, Error> {
        self.around.check_animation()?;
        if self.around.control.is_none() {
            if self.whole {
                return Ok(None);
            }
            self.read_still(image)?;
            self.around.check_animation()?;
            return Ok(Some(Duration::ZERO));
        }
        self.check_size(image)?;
        if self.done {
            return match &self.animation {
                Some(animation) if animation.shown == self.frames() => Ok(None),
                _ => Err(ErrorKind::AlreadyRead.into()),
            };
        }
        let (width, height) = (self.width(), self.height());
        let mut animation = match self.animation.take() {
            Some(animation) => animation,
            None => {
                self.reserve(Animation::size(&self.file, width, height))?;
                Animation::new(&self.file, width, height)?
            }
        };
        if let Err(error) = animation.file.check(image.format()) {
            self.animation = Some(animation);
            return Err(error.into());
        }
        // Whatever goes wrong from here on, there is no more to be had.
        self.done = true;
        let control = self.next_control(animation.shown == 0)?;
        self.read_frame(&mut animation, &control)?;
        animation.show(&self.file, &control)?;
        image.pixels_mut()?.write_frame(|frame| {
            let mut writer = RowWriter::new(&animation.file, width, frame.layout.format())?;
            let whole = Pass::whole(width, height);
            for y in 0..height {
                let row = animation.row(y);
                let written = writer.write(&animation.file, whole, y, row, frame);
                written.map_err(|error| error.at_row(y))?;
            }
            Ok(())
        })?;
        self.watcher.tell(height, height)?;
        if animation.shown == self.frames() {
            self.read_after(true)?;
            self.around.check_animation()?;
        } else {
            self.done = false;
        }
        self.animation = Some(animation);
        Ok(Some(control.delay()))
    }

    /// Goes to the data of the next frame, or of the first one.
    fn next_control(&mut self, first: bool) -> Result<FrameControl, Error> {
        if first {
            let frame = self.around.first_frame.map(|(_, control)| control);
            self.begin(frame.as_ref(), self.data)?;
            if let Some(frame) = frame {
                return Ok(frame);
            }
            // The image of those that don't animate is no frame.
            self.finish_data()?;
        }
        let room = self.room();
        let (control, data) = self.around.read_between(room, &mut self.chunks)?;
        self.begin(Some(&control), data)?;
        Ok(control)
    }

    /// Reads the data of a frame.
    fn read_frame(
        &mut self,
        animation: &mut Animation,
        control: &FrameControl,
    ) -> Result<(), Error> {
        let (width, height) = control.size();
        let png = self.file.png;
        let (stride, bits) = (png.row_size(width) as usize, png.bits_per_pixel() as u8);
        let raw = animation.raw();
        for pass in passes(width, height, self.header.interlaced) {
            self.scanlines.begin_rows();
            let size = png.row_size(pass.width) as usize;
            for y in 0..pass.height {
                let (sequence, chunks) = (&mut self.around.sequence, &mut self.chunks);
                let row = self
                    .scanlines
                    .row(size, png.pixel_size(), sequence, chunks)?;
                if pass.number == 0 {
                    raw[y as usize * stride..][..stride].copy_from_slice(row);
                } else {
                    let pass = png::Adam7Info::new(pass.number, y, width);
                    png::expand_interlaced_row(raw, stride, row, &pass, bits);
                }
            }
        }
        self.finish_data()
    }

    fn check_size<S>(&self, image: &Image<S>) -> Result<(), Error> {
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
        if self.done || self.animation.is_some() {
            return Err(ErrorKind::AlreadyRead.into());
        }
        Ok(())
    }

    /// Counts bytes that are about to be taken. Chunks that have been kept make
    /// room for them.
    fn reserve(&mut self, bytes: u64) -> Result<(), Error> {
        let needed = self.used.saturating_add(bytes);
        check_bytes(needed, self.max_bytes)?;
        self.around.kept.shrink_to(self.max_bytes - needed)?;
        self.used = needed;
        Ok(())
    }

    fn read_still<S: PixelSourceMut>(&mut self, image: &mut Image<S>) -> Result<(), Error> {
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
            self.done = true;
            outside = self.read_rows(&mut writer, frame)?;
            Ok(())
        })?;
        self.finish_data()?;
        self.read_after(false)?;
        if let Some(error) = outside {
            return Err(error);
        }
        if let Some(palette) = palette.filter(|_| format.is_indexed()) {
            image.set_palette(palette);
        }
        self.whole = true;
        Ok(())
    }

    /// Writes rows as they come, of all passes. Returns the first index that the
    /// palette or the view doesn't have: whether the file is damaged shows at its
    /// end, and that is said first, however the bytes arrive.
    fn read_rows(
        &mut self,
        writer: &mut RowWriter,
        frame: &mut FrameMut<'_>,
    ) -> Result<Option<Error>, Error> {
        self.begin(None, self.data)?;
        let (width, height) = (self.width(), self.height());
        let png = self.file.png;
        // The passes have 1/8, 1/8, 1/8, 1/4, 1/4, 1/2, 1/2 of the rows (PNG
        // third edition, 8.1).
        let interlaced = self.header.interlaced;
        let all = if interlaced {
            (u64::from(height) * 15).div_ceil(8)
        } else {
            height.into()
        };
        let (mut done, step) = (0, u64::from(self.rows_of_step()));
        let mut outside = None;
        for pass in passes(width, height, interlaced) {
            self.scanlines.begin_rows();
            let size = png.row_size(pass.width) as usize;
            for y in 0..pass.height {
                let (sequence, chunks) = (&mut self.around.sequence, &mut self.chunks);
                let row = self.scanlines.row(size, png.pixel_size(), sequence, chunks);
                let at_row = |error: Error| {
                    if interlaced { error } else { error.at_row(y) }
                };
                let row = row.map_err(at_row)?;
                match writer.write(&self.file, pass, y, row, frame) {
                    Err(error) if place_of_index(&error).is_some() => {
                        let error = at_row(error);
                        if !interlaced {
                            return Ok(Some(error));
                        }
                        let first = outside.as_ref().and_then(place_of_index);
                        if first.is_none_or(|first| Some(first) > place_of_index(&error)) {
                            outside = Some(error);
                        }
                    }
                    written => written.map_err(at_row)?,
                }
                done += 1;
                if done % step == 0 && done < all {
                    let rows = u64::from(height) * done.min(all - 1) / all;
                    self.watcher.tell(rows as u32, height)?;
                }
            }
        }
        writer.finish(frame)?;
        self.watcher.tell(height, height)?;
        Ok(outside)
    }

    /// Rows between two looks at the caller's wishes.
    fn rows_of_step(&self) -> u32 {
        let rows = STEP / self.file.png.row_size(self.width()).max(1);
        rows.clamp(1, u64::from(self.height())) as u32
    }

    /// Begins with the data chunk that has been entered, of a frame or not.
    fn begin(&mut self, frame: Option<&FrameControl>, data: ChunkHeader) -> Result<(), Error> {
        let (sequence, chunks) = (&mut self.around.sequence, &mut self.chunks);
        let control = frame.map(|frame| &frame.bytes);
        self.scanlines.begin(control, sequence, chunks, data)
    }

    /// Inflates what is left of the image and compares its checksum.
    fn finish_data(&mut self) -> Result<(), Error> {
        let row = self.file.png.row_size(self.width()).saturating_add(1);
        // Passes have up to twice as many rows, with a byte more each.
        let all = row.saturating_mul(2 * u64::from(self.height()));
        let (sequence, chunks) = (&mut self.around.sequence, &mut self.chunks);
        self.scanlines.finish(all, sequence, chunks)
    }

    /// Reads what comes behind the image, or behind the last frame.
    fn read_after(&mut self, played: bool) -> Result<(), Error> {
        let room = self.room();
        self.around.read_after(played, room, &mut self.chunks)
    }

    /// Bytes that chunks may take.
    fn room(&self) -> u64 {
        if self.keeps_chunks {
            self.max_bytes - self.used
        } else {
            0
        }
    }

    fn at_path(&self, error: Error) -> Error {
        match &self.path {
            Some(path) => error.at_path(path),
            None => error,
        }
    }
}

/// The row and the column of an index that can't be written.
fn place_of_index(error: &Error) -> Option<(u32, u32)> {
    match error.kind() {
        &ErrorKind::IndexOutside { x, y, .. } => Some((y, x)),
        _ => None,
    }
}

/// What is in the file, never the pixels.
impl<R: BufRead> fmt::Debug for PngReader<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PngReader")
            .field("width", &self.width())
            .field("height", &self.height())
            .field("format", &self.format())
            .finish_non_exhaustive()
    }
}
