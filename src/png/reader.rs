//! One file that is being read.

use std::fmt;
use std::io::BufRead;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::animation::{self, Animation};
use super::decoder::PngDecoder;
use super::file_format::FileFormat;
use super::header::{MAX_CHUNKS, decode_error, file_type, limits, png_type};
use super::metadata::Metadata;
use super::progress::{Progress, Watcher};
use super::row_writer::RowWriter;
use super::tap::{RawChunk, Shared, Tap};
use crate::alloc::zeroed;
use crate::strided::FrameMut;
use crate::{Error, ErrorKind, Image, Layout, Palette, PixelFormat, PixelSourceMut};

/// Whether chunks that break a rule are errors.
const STRICT: bool = false;

/// Bytes of rows between two looks at the caller's wishes.
const STEP: u64 = 512 << 10;

/// A PNG file that has been read as far as its image data: it says what is in
/// the file, and reads it. [`PngDecoder`] makes it.
pub struct PngReader<R: BufRead> {
    reader: png::Reader<Tap<R>>,
    scan: Shared,
    file: FileFormat,
    width: u32,
    height: u32,
    max_bytes: u64,
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
        let (tap, scan) = Tap::new(reader, MAX_CHUNKS);
        let mut checks = png::DecodeOptions::default();
        checks.set_ignore_checksums(false);
        checks.set_skip_ancillary_crc_failures(false);
        // Read by ourselves, if anyone asks.
        checks.set_ignore_text_chunk(true);
        checks.set_ignore_iccp_chunk(true);
        let mut decoder = png::Decoder::new_with_options(tap, checks);
        decoder.set_transformations(png::Transformations::IDENTITY);
        let decoding = |error| decode_error(error, &scan);
        let info = decoder.read_header_info().map_err(decoding)?;
        let (width, height, png) = (info.width, info.height, png_type(info));
        let pixels = u64::from(width) * u64::from(height);
        if pixels > options.max_pixels {
            return Err(ErrorKind::LimitExceeded {
                what: "pixels",
                needed: pixels,
                limit: options.max_pixels,
            }
            .into());
        }
        decoder.set_limits(limits(png.row_size(width), options.max_bytes)?);
        let reader = decoder.read_info().map_err(decoding)?;
        let file = file_type(reader.info(), &scan)?;
        Ok(PngReader {
            reader,
            scan,
            file,
            width,
            height,
            max_bytes: options.max_bytes,
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

    /// The same with a function that is told how many rows have been read,
    /// after each half a megabyte of them, and that stops the reading with
    /// [`ControlFlow::Break`]: it fails with [`ErrorKind::Cancelled`], and the
    /// rows so far are in the view. (Of an interlaced file none are.)
    #[must_use]
    pub fn on_progress(
        mut self,
        function: impl FnMut(Progress) -> ControlFlow<()> + Send + 'static,
    ) -> Self {
        self.watcher = Watcher::new(function);
        self
    }

    /// Width in pixels.
    #[must_use]
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Height in pixels.
    #[must_use]
    pub fn height(&self) -> u32 {
        self.height
    }

    /// The format that the file has, with 16 bits native.
    #[must_use]
    pub fn format(&self) -> PixelFormat {
        self.file.format()
    }

    /// The colours of an indexed file.
    #[must_use]
    pub fn palette(&self) -> Option<&Palette> {
        self.file.palette.as_ref()
    }

    /// Whether the rows are interlaced (PNG third edition, 8), so that none is
    /// whole before the last.
    #[must_use]
    pub fn is_interlaced(&self) -> bool {
        self.reader.info().interlaced
    }

    /// Frames of an animated file (PNG third edition, 4.9); 1 of others.
    #[must_use]
    pub fn frames(&self) -> u32 {
        let control = self.reader.info().animation_control();
        control.map_or(1, |control| control.num_frames)
    }

    /// How often an animation is to be played; 0 is for ever. Once, of other
    /// files.
    #[must_use]
    pub fn plays(&self) -> u32 {
        let control = self.reader.info().animation_control();
        control.map_or(1, |control| control.num_plays)
    }

    /// Returns the metadata of the file: of the chunks before the pixels, and
    /// after the pixels have been read of those behind them too. The chunks are
    /// parsed at each call.
    ///
    /// A chunk that breaks a rule costs no other: it is corrected or left out,
    /// and listed in [`Metadata::faults`]. So is a chunk that takes more memory
    /// than is left of 2^26 bytes and of [`max_bytes`](PngDecoder::max_bytes).
    /// Of chunks that must be there once, the first sound one holds.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::OutOfMemory`].
    pub fn metadata(&self) -> Result<Metadata, Error> {
        let scan = self.scan.lock();
        let held = |chunk: &RawChunk| (size_of::<RawChunk>() + chunk.data.len()) as u64;
        let held = scan.chunks().iter().map(held).sum();
        let room = self.max_bytes.saturating_sub(held);
        let parsed = Metadata::parse(scan.chunks(), &[], &self.file, room, STRICT);
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

    /// The same in a format of your choice: see
    /// [`read_into`](PngReader::read_into) for what becomes of the pixels.
    ///
    /// # Errors
    ///
    /// As [`read`](PngReader::read).
    pub fn read_as(&mut self, format: PixelFormat) -> Result<Image<Vec<u8>>, Error> {
        let layout = Layout::packed(self.width, self.height, format);
        let made = self
            .check_bytes(layout.packed_size())
            .and_then(|()| Image::new(self.width, self.height, format));
        let mut image = made.map_err(|error| self.at_path(error))?;
        self.read_into(&mut image)?;
        Ok(image)
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
    /// Allocates a few rows; for an interlaced file, whose rows come in pieces,
    /// the whole image once, in the file's format.
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
    ///   place, and the row. Rows before it have been written;
    /// - [`ErrorKind::Overlap`] and [`ErrorKind::Source`] if the view can't be
    ///   written, [`ErrorKind::Read`] if the file can't be read,
    ///   [`ErrorKind::Cancelled`];
    /// - [`ErrorKind::AlreadyRead`] the second time.
    pub fn read_into<S: PixelSourceMut>(&mut self, image: &mut Image<S>) -> Result<(), Error> {
        let result = self.read_unnamed(image);
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
    /// put together. [`ErrorKind::LimitExceeded`] if the canvas is beyond
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
        if self.reader.info().animation_control().is_none() {
            if self.whole {
                return Ok(None);
            }
            return self.read_unnamed(image).map(|()| Some(Duration::ZERO));
        }
        self.check_size(image)?;
        if self.done {
            return match &self.animation {
                Some(animation) if animation.shown == self.frames() => Ok(None),
                _ => Err(ErrorKind::AlreadyRead.into()),
            };
        }
        let (width, height) = (self.width, self.height);
        let mut animation = match self.animation.take() {
            Some(animation) => animation,
            None => {
                self.check_bytes(Animation::size(&self.file, width, height))?;
                Animation::new(&self.file, width, height)?
            }
        };
        if let Err(error) = animation.file.check(image.format()) {
            self.animation = Some(animation);
            return Err(error.into());
        }
        // Whatever goes wrong from here on, there is no more to be had.
        self.done = true;
        if animation.shown == 0 && self.reader.info().frame_control().is_none() {
            // The image of those that don't animate is no frame.
            let skipped = self.reader.next_frame_info().map(|_| ());
            skipped.map_err(|e| self.decoding(e))?;
        }
        let decoded = self.reader.next_frame(animation.raw());
        decoded.map_err(|e| self.decoding(e))?;
        let Some(control) = self.reader.info().frame_control().copied() else {
            return Err(ErrorKind::AlreadyRead.into());
        };
        animation.show(&self.file, self.is_interlaced(), &control)?;
        image.write()?.write_frame(|frame| {
            let mut writer = RowWriter::new(&animation.file, width, frame.layout.format())?;
            for y in 0..height {
                let written = writer.write(&animation.file, y, animation.row(y), frame);
                written.map_err(|error| error.at_row(y))?;
            }
            Ok(())
        })?;
        self.watcher.tell(height, height)?;
        if animation.shown == self.frames() {
            self.reader.finish().map_err(|e| self.decoding(e))?;
        } else {
            self.done = false;
        }
        self.animation = Some(animation);
        Ok(Some(animation::delay(&control)))
    }

    fn check_size<S>(&self, image: &Image<S>) -> Result<(), Error> {
        if (image.width(), image.height()) != (self.width, self.height) {
            return Err(ErrorKind::SizeMismatch {
                width: self.width,
                height: self.height,
                image_width: image.width(),
                image_height: image.height(),
            }
            .into());
        }
        Ok(())
    }

    fn read_unnamed<S: PixelSourceMut>(&mut self, image: &mut Image<S>) -> Result<(), Error> {
        let format = image.format();
        self.check_size(image)?;
        self.file.check(format)?;
        if self.done || self.animation.is_some() {
            return Err(ErrorKind::AlreadyRead.into());
        }
        let palette = self.file.palette.clone();
        image.write()?.write_frame(|frame| {
            self.done = true;
            if self.is_interlaced() {
                self.read_passes(frame)
            } else {
                self.read_rows(frame)
            }
        })?;
        // Whatever comes behind the image is looked at too: its checksums.
        self.reader.finish().map_err(|e| self.decoding(e))?;
        if let Some(palette) = palette.filter(|_| format.is_indexed()) {
            image.set_palette(palette);
        }
        self.whole = true;
        Ok(())
    }

    /// Rows as they come.
    fn read_rows(&mut self, frame: &mut FrameMut<'_>) -> Result<(), Error> {
        let mut writer = RowWriter::new(&self.file, self.width, frame.layout.format())?;
        let mut row = Vec::new();
        let step = self.rows_of_step();
        for y in 0..self.height {
            let direct = writer.is_direct();
            let in_place = frame.row_in_place_mut(y).filter(|_| direct);
            let read = if let Some(in_place) = in_place {
                self.reader.read_row(in_place)
            } else {
                if row.is_empty() {
                    row = zeroed(self.file.png.row_size(self.width))?;
                }
                self.reader.read_row(&mut row)
            };
            let read = read.map_err(|e| self.decoding(e).at_row(y))?;
            if read.is_none() {
                // Rows that the `png` crate has no more of.
                return Err(ErrorKind::AlreadyRead.into());
            }
            if !row.is_empty() {
                let written = writer.write(&self.file, y, &row, frame);
                written.map_err(|error| error.at_row(y))?;
            }
            if (y + 1) % step == 0 || y + 1 == self.height {
                self.watcher.tell(y + 1, self.height)?;
            }
        }
        Ok(())
    }

    /// Rows between two looks at the caller's wishes.
    fn rows_of_step(&self) -> u32 {
        let rows = STEP / self.file.png.row_size(self.width).max(1);
        rows.clamp(1, u64::from(self.height)) as u32
    }

    /// All passes, and then rows.
    fn read_passes(&mut self, frame: &mut FrameMut<'_>) -> Result<(), Error> {
        let mut writer = RowWriter::new(&self.file, self.width, frame.layout.format())?;
        let row_size = self.file.png.row_size(self.width);
        let size = row_size.saturating_mul(self.height.into());
        self.check_bytes(size)?;
        let mut rows = zeroed(size)?;
        let bits = self.file.png.bits_per_pixel() as u8;
        // The passes have 1/8, 1/8, 1/8, 1/4, 1/4, 1/2, 1/2 of the rows (PNG
        // third edition, 8.1).
        let (mut done, step) = (0, self.rows_of_step());
        let all = (u64::from(self.height) * 15).div_ceil(8);
        loop {
            let scan = &self.scan;
            let decoded = self.reader.next_interlaced_row();
            let Some(row) = decoded.map_err(|e| decode_error(e, scan))? else {
                break;
            };
            if let png::InterlaceInfo::Adam7(pass) = row.interlace() {
                png::expand_interlaced_row(&mut rows, row_size as usize, row.data(), pass, bits);
            }
            done += 1;
            if done % u64::from(step) == 0 {
                let rows = u64::from(self.height) * done.min(all - 1) / all;
                self.watcher.tell(rows as u32, self.height)?;
            }
        }
        for (y, row) in (0..self.height).zip(rows.chunks_exact(row_size as usize)) {
            let written = writer.write(&self.file, y, row, frame);
            written.map_err(|error| error.at_row(y))?;
        }
        self.watcher.tell(self.height, self.height)
    }

    fn check_bytes(&self, needed: u64) -> Result<(), Error> {
        let limit = self.max_bytes;
        if needed > limit {
            let what = "bytes";
            return Err(ErrorKind::LimitExceeded {
                what,
                needed,
                limit,
            }
            .into());
        }
        Ok(())
    }

    fn decoding(&self, error: png::DecodingError) -> Error {
        decode_error(error, &self.scan)
    }

    fn at_path(&self, error: Error) -> Error {
        match &self.path {
            Some(path) => error.at_path(path),
            None => error,
        }
    }
}

/// What is in the file, never the pixels.
impl<R: BufRead> fmt::Debug for PngReader<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PngReader")
            .field("width", &self.width)
            .field("height", &self.height)
            .field("format", &self.format())
            .finish_non_exhaustive()
    }
}
