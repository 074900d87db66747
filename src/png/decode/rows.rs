//! Reading of the rows of an image, from one thread or several into a view.

use std::io::Read;

use super::adam7::passes;
use super::parallel::{Pieces, Plan};
use super::reader::PngReader;
use super::row_writer::RowWriter;
use crate::error::AtRow;
use crate::strided::FrameMut;
use crate::{Error, ErrorKind};

/// Bytes of rows between two calls of the progress function.
const PROGRESS_BYTES: u64 = 512 << 10;

impl<R: Read> PngReader<R> {
    /// Returns how to inflate on several threads, if there is a use for them.
    pub(super) fn plan(&self) -> Option<Plan> {
        let free = self.max_bytes - self.used;
        let demand = Plan {
            first: self.data,
            line: self.file.png.row_size(self.width()).saturating_add(1),
            height: self.height(),
            threads: self.threads,
            room: free.saturating_sub(self.other_chunks.ancillary.bytes()),
        };
        (!self.header.interlaced)
            .then(|| demand.made_for(&self.chunks))
            .flatten()
    }

    /// Decodes the rows of all passes and writes each into the view. Returns the
    /// error of the first index that has no palette entry or does not fit the
    /// view: the caller reads the file to its end first, since damage of the file
    /// is reported before such an index.
    pub(super) fn read_rows(
        &mut self,
        mut pieces: Option<Pieces<'_>>,
        writer: &mut RowWriter,
        frame: &mut FrameMut<'_>,
    ) -> Result<Option<Error>, Error> {
        self.begin_data(None, self.data)?;
        let (width, height) = (self.width(), self.height());
        let png = self.file.png;
        let pixel_size = png.pixel_size();
        // The passes have 1/8, 1/8, 1/8, 1/4, 1/4, 1/2, 1/2 of the rows (PNG
        // third edition, 8.1).
        let interlaced = self.header.interlaced;
        let all = if interlaced {
            (u64::from(height) * 15).div_ceil(8)
        } else {
            height.into()
        };
        let (mut done, step) = (0, u64::from(self.progress_rows()));
        let mut outside = None;
        for pass in passes(width, height, interlaced) {
            self.scanlines.begin_rows();
            let size = png.row_size(pass.width) as usize;
            for y in 0..pass.height {
                if let Some(ahead) = &mut pieces {
                    let line = ahead.next_line(&self.chunks);
                    if !line.is_some_and(|line| self.scanlines.unfilter(line, pixel_size)) {
                        pieces = None;
                        self.repeat_rows(y, size, pixel_size).at_row(y)?;
                    }
                }
                let row = if pieces.is_some() {
                    Ok(self.scanlines.last_row(size))
                } else {
                    let (sequence, chunks) = (&mut self.other_chunks.sequence, &mut self.chunks);
                    self.scanlines.row(size, pixel_size, sequence, chunks)
                };
                let written = row.and_then(|row| writer.write(&self.file, pass, y, row, frame));
                // A row of a pass is no row of the image.
                let written = if interlaced {
                    written
                } else {
                    written.at_row(y)
                };
                match written {
                    Err(error) if place_of_index(&error).is_some() => {
                        if !interlaced {
                            if pieces.take().is_some() {
                                self.repeat_rows(y + 1, size, pixel_size).at_row(y)?;
                            }
                            return Ok(Some(error));
                        }
                        let first = outside.as_ref().and_then(place_of_index);
                        if first.is_none_or(|first| Some(first) > place_of_index(&error)) {
                            outside = Some(error);
                        }
                    }
                    written => written?,
                }
                done += 1;
                if done % step == 0 && done < all {
                    let rows = u64::from(height) * done.min(all - 1) / all;
                    self.watcher.report(rows as u32, height)?;
                }
            }
        }
        if let Some((last, next)) = pieces.and_then(|pieces| pieces.end()) {
            self.scanlines.complete();
            self.chunks.go_behind(last, next)?;
        }
        writer.finish(frame)?;
        self.watcher.report(height, height)?;
        Ok(outside)
    }

    /// Reads, in this thread, the rows that several threads have read already.
    fn repeat_rows(&mut self, rows: u32, size: usize, pixel_size: usize) -> Result<(), Error> {
        self.scanlines.begin_rows();
        for _ in 0..rows {
            let (sequence, chunks) = (&mut self.other_chunks.sequence, &mut self.chunks);
            self.scanlines.row(size, pixel_size, sequence, chunks)?;
        }
        Ok(())
    }

    /// Returns the rows between two calls of the progress function.
    fn progress_rows(&self) -> u32 {
        let rows = PROGRESS_BYTES / self.file.png.row_size(self.width()).max(1);
        rows.clamp(1, u64::from(self.height())) as u32
    }
}

/// Returns the row and the column of an index that has no palette entry or does
/// not fit the view. `None` for other errors.
fn place_of_index(error: &Error) -> Option<(u32, u32)> {
    match error.kind() {
        &ErrorKind::IndexOutside { x, y, .. } => Some((y, x)),
        _ => None,
    }
}
