//! Playing of animations, frame by frame.

use std::io::Read;
use std::time::Duration;

use super::adam7::{Pass, passes};
use super::animation::{Canvas, FrameControl};
use super::reader::{PngReader, State};
use super::row_writer::RowWriter;
use crate::error::AtRow;
use crate::{Error, ErrorKind, Image, PixelSourceMut};

impl<R: Read> PngReader<R> {
    /// Reads the next frame of an animation into a view and returns how long
    /// the frame is shown, or `None` after the last frame.
    ///
    /// The view gets the whole canvas, composed of this frame and the frames
    /// before it. A file that is not animated has one frame, with a duration of
    /// zero.
    ///
    /// The canvas has RGBA pixels, of 16 bits a sample if the file has 16, else
    /// of 8. Its rows are converted as [`read_into`](PngReader::read_into)
    /// describes. Between the calls the reader holds memory for two images of
    /// the canvas and one of the file.
    ///
    /// # Errors
    ///
    /// - Those of [`read_into`](PngReader::read_into);
    /// - [`ErrorKind::NoIndices`] if the view is indexed and the file
    ///   animated, since a canvas has no palette;
    /// - [`ErrorKind::LimitExceeded`] if the canvas needs more than
    ///   [`max_bytes`](crate::PngDecoder::max_bytes);
    /// - [`ErrorKind::OutOfMemory`].
    pub fn next_frame<S: PixelSourceMut>(
        &mut self,
        image: &mut Image<S>,
    ) -> Result<Option<Duration>, Error> {
        let result = self.read_next_frame(image);
        result.map_err(|error| self.at_path(error))
    }

    fn read_next_frame<S: PixelSourceMut>(
        &mut self,
        image: &mut Image<S>,
    ) -> Result<Option<Duration>, Error> {
        self.other_chunks.check_animation()?;
        if self.other_chunks.control.is_none() {
            if self.state == State::Complete {
                return Ok(None);
            }
            self.read_image(image)?;
            self.other_chunks.check_animation()?;
            return Ok(Some(Duration::ZERO));
        }
        self.check_size(image)?;
        if self.state != State::Ready {
            return match &self.canvas {
                Some(canvas) if canvas.frames == self.frames() => Ok(None),
                _ => Err(ErrorKind::AlreadyRead.into()),
            };
        }
        let (width, height) = (self.width(), self.height());
        let mut canvas = match self.canvas.take() {
            Some(canvas) => canvas,
            None => {
                self.reserve(Canvas::size(&self.file, width, height))?;
                Canvas::new(&self.file, width, height)?
            }
        };
        if let Err(error) = canvas.format.check(image.format()) {
            self.canvas = Some(canvas);
            return Err(error.into());
        }
        // After an error no further frame can be read.
        self.state = State::Failed;
        let control = self.begin_frame(canvas.frames == 0)?;
        self.read_frame(&mut canvas, &control)?;
        canvas.compose(&self.file, &control)?;
        image.pixels_mut()?.write_frame(|frame| {
            let mut writer = RowWriter::new(&canvas.format, width, frame.layout.format())?;
            let pass = Pass::whole(width, height);
            for y in 0..height {
                let row = canvas.row(y);
                let written = writer.write(&canvas.format, pass, y, row, frame);
                written.at_row(y)?;
            }
            Ok(())
        })?;
        self.watcher.report(height, height)?;
        if canvas.frames == self.frames() {
            self.read_to_end(true)?;
            self.other_chunks.check_animation()?;
            self.state = State::Complete;
        } else {
            self.state = State::Ready;
        }
        self.canvas = Some(canvas);
        Ok(Some(control.delay()))
    }

    /// Begins the image data of the next frame.
    fn begin_frame(&mut self, first: bool) -> Result<FrameControl, Error> {
        if first {
            let frame = self.other_chunks.first_frame.map(|(_, control)| control);
            self.begin_data(frame.as_ref(), self.data)?;
            if let Some(frame) = frame {
                return Ok(frame);
            }
            // Without fcTL before it, the first image data is no frame.
            self.finish_data()?;
        }
        let room = self.room();
        let (control, data) = self.other_chunks.read_between(room, &mut self.chunks)?;
        self.begin_data(Some(&control), data)?;
        Ok(control)
    }

    /// Reads the image data of a frame.
    fn read_frame(&mut self, canvas: &mut Canvas, control: &FrameControl) -> Result<(), Error> {
        let (width, height) = control.size();
        let png = self.file.png;
        let (stride, bits) = (png.row_size(width) as usize, png.bits_per_pixel() as u8);
        let pixel_size = png.pixel_size();
        let frame = canvas.frame_mut();
        for pass in passes(width, height, self.header.interlaced) {
            self.scanlines.begin_rows();
            let size = png.row_size(pass.width) as usize;
            for y in 0..pass.height {
                let (sequence, chunks) = (&mut self.other_chunks.sequence, &mut self.chunks);
                let row = self.scanlines.row(size, pixel_size, sequence, chunks)?;
                if pass.number == 0 {
                    frame[y as usize * stride..][..stride].copy_from_slice(row);
                } else {
                    let pass = png::Adam7Info::new(pass.number, y, width);
                    png::expand_interlaced_row(frame, stride, row, &pass, bits);
                }
            }
        }
        self.finish_data()
    }
}
