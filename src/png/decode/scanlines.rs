//! Image data to rows: inflated and unfiltered.

use std::io::BufRead;

use super::chunk_reader::{ChunkHeader, ChunkReader, SIGNATURE};
use super::unfilter::unfilter;
use crate::alloc::{self, zeroed};
use crate::{Error, ErrorKind};

/// Bytes that the `png` crate takes for itself: tables, and a buffer for chunks.
const DECODER: usize = 64 << 10;

/// Bytes that are inflated at once, at most.
const STEP: usize = 8 << 10;

/// More than this many bytes behind the last row are an error.
const SURPLUS: u64 = 1 << 20;

/// Inflates the data chunks of one image after another, and of all of each, so
/// that its checksum is compared whatever chunks and pieces it comes in. (The
/// `png` crate's `Reader` passes over what lies behind the last row.)
pub(super) struct Scanlines {
    /// Sees the header of the file and chunks of data, and nothing else.
    decoder: png::StreamingDecoder,
    buffer: Vec<u8>,
    /// Which bytes of the buffer are filled.
    region: png::UnfilterRegion,
    /// Where the next scanline begins in the buffer.
    start: usize,
    stage: Stage,
    /// The last row, and room for the next.
    above: Vec<u8>,
    row: Vec<u8>,
    /// Whether the next row has none above it.
    first: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Stage {
    /// Within data chunks of this name.
    Data([u8; 4]),
    /// Behind them, with so many bytes of the [`Separator`] passed on.
    Flush(usize),
    Done,
}

/// The order of the chunks of an animation: each has the next number (PNG third
/// edition, 4.9).
#[derive(Clone, Copy, Default)]
pub(super) struct Sequence(u32);

impl Sequence {
    /// Whether this number is the next.
    pub(super) fn is_next(&mut self, number: u32) -> bool {
        let next = self.0 == number;
        self.0 = number.wrapping_add(1);
        next
    }
}

impl Scanlines {
    /// For rows of at most so many bytes. `header` is the data of `IHDR`.
    pub(super) fn new(header: &[u8; 13], row_size: u64) -> Result<Self, Error> {
        // The `png` crate aborts the program where it can't have its memory.
        drop(zeroed(DECODER as u64)?);
        let mut options = png::DecodeOptions::default();
        options.set_ignore_adler32(false);
        // `fdAT` is an ancillary chunk.
        options.set_skip_ancillary_crc_failures(false);
        let mut scanlines = Scanlines {
            decoder: png::StreamingDecoder::new_with_options(options),
            buffer: Vec::new(),
            region: png::UnfilterRegion::default(),
            start: 0,
            stage: Stage::Done,
            above: zeroed(row_size)?,
            row: zeroed(row_size)?,
            first: true,
        };
        let head = [&SIGNATURE[..], &chunk(*b"IHDR", header)].concat();
        scanlines.feed(&head).map_err(|error| {
            let source = Box::new(error);
            let (chunk, offset) = ("IHDR".to_owned(), 8);
            Error::from(ErrorKind::Decode {
                chunk,
                offset,
                source,
            })
        })?;
        Ok(scanlines)
    }

    /// Begins with the data chunk that has been entered, of a frame with this
    /// `fcTL` if it is one.
    pub(super) fn begin<R: BufRead>(
        &mut self,
        control: Option<&[u8; 26]>,
        sequence: &mut Sequence,
        from: &mut ChunkReader<R>,
        header: ChunkHeader,
    ) -> Result<(), Error> {
        self.region = png::UnfilterRegion::default();
        self.start = 0;
        self.stage = Stage::Data(header.name);
        if let Some(control) = control {
            let fed = self.feed(&chunk(*b"fcTL", control));
            fed.map_err(|error| from.error(error))?;
        }
        self.open_chunk(sequence, from, header)
    }

    /// Passes on the header of a data chunk.
    fn open_chunk<R: BufRead>(
        &mut self,
        sequence: &mut Sequence,
        from: &mut ChunkReader<R>,
        header: ChunkHeader,
    ) -> Result<(), Error> {
        if header.name == *b"fdAT" && header.length < 4 {
            return Err(from.error("it has no number"));
        }
        let fed = self.feed(&header.bytes());
        fed.map_err(|error| from.error(error))?;
        if header.name == *b"fdAT" {
            let mut number = [0; 4];
            from.data(&mut number)?;
            if !sequence.is_next(u32::from_be_bytes(number)) {
                return Err(from.error(OUT_OF_ORDER));
            }
            let fed = self.feed(&number);
            fed.map_err(|error| from.error(error))?;
        }
        Ok(())
    }

    /// Begins rows without one above: of an image, or of a pass.
    pub(super) fn begin_rows(&mut self) {
        self.first = true;
    }

    /// Returns the next row, of this many bytes, with pixels of `pixel_size`.
    pub(super) fn row<R: BufRead>(
        &mut self,
        size: usize,
        pixel_size: usize,
        sequence: &mut Sequence,
        from: &mut ChunkReader<R>,
    ) -> Result<&[u8], Error> {
        while self.region.filled - self.start <= size {
            if self.stage == Stage::Done {
                return Err(from.error("there are fewer rows than the header says"));
            }
            self.inflate(sequence, from)?;
        }
        let scanline = &self.buffer[self.start..=self.start + size];
        let (above, row) = (&mut self.above[..size], &mut self.row[..size]);
        if std::mem::take(&mut self.first) {
            above.fill(0);
        }
        if !unfilter(scanline[0], pixel_size, above, &scanline[1..], row) {
            return Err(from.error("there is no such filter"));
        }
        self.start += size + 1;
        std::mem::swap(&mut self.above, &mut self.row);
        Ok(&self.above[..size])
    }

    /// Inflates what is left, of which so many bytes may be rows, and compares
    /// the checksum.
    pub(super) fn finish<R: BufRead>(
        &mut self,
        rows: u64,
        sequence: &mut Sequence,
        from: &mut ChunkReader<R>,
    ) -> Result<(), Error> {
        let mut passed = 0;
        loop {
            passed += (self.region.filled - self.start) as u64;
            self.start = self.region.filled;
            if passed > rows.saturating_add(SURPLUS) {
                return Err(from.error("there is more data than rows"));
            }
            if self.stage == Stage::Done {
                return Ok(());
            }
            self.inflate(sequence, from)?;
        }
    }

    /// Goes on by a piece.
    fn inflate<R: BufRead>(
        &mut self,
        sequence: &mut Sequence,
        from: &mut ChunkReader<R>,
    ) -> Result<(), Error> {
        self.make_room()?;
        match self.stage {
            Stage::Data(name) => {
                let piece = from.piece()?;
                if !piece.is_empty() {
                    let mut image_data = self.region.as_buf(&mut self.buffer);
                    let updated = self.decoder.update(piece, Some(&mut image_data));
                    let (consumed, _) = updated.map_err(|error| from.error(error))?;
                    from.consume(consumed);
                    return Ok(());
                }
                let crc = from.stored_crc()?;
                self.feed(&crc).map_err(|error| from.error(error))?;
                let next = from.peek()?;
                if next.name == name {
                    from.enter()?;
                    return self.open_chunk(sequence, from, next);
                }
                self.stage = Stage::Flush(0);
            }
            Stage::Flush(at) => {
                // The decoder looks for the end of the data when it meets a
                // chunk of another name: an empty one, which it passes over.
                let separator = chunk(*b"enDs", &[]);
                let mut image_data = self.region.as_buf(&mut self.buffer);
                let updated = self.decoder.update(&separator[at..], Some(&mut image_data));
                let (consumed, _) = updated.map_err(|error| from.error(error))?;
                self.stage = match at + consumed {
                    at if at == separator.len() => Stage::Done,
                    at => Stage::Flush(at),
                };
            }
            Stage::Done => {}
        }
        Ok(())
    }

    /// Passes on bytes that are not image data.
    fn feed(&mut self, mut bytes: &[u8]) -> Result<(), png::DecodingError> {
        while !bytes.is_empty() {
            let (consumed, _) = self.decoder.update(bytes, None)?;
            bytes = &bytes[consumed..];
        }
        Ok(())
    }

    /// Makes room in the buffer for a step. Grows with the data, not with what
    /// the header says.
    fn make_room(&mut self) -> Result<(), Error> {
        let (length, filled) = (self.buffer.len(), self.region.filled);
        if length - filled >= STEP {
            return Ok(());
        }
        // What the data refer to stays, 32 KiB, and a scanline that isn't whole.
        let passed = self.start.min(self.region.available);
        if passed >= STEP.max(length / 4) {
            self.buffer.copy_within(passed..filled, 0);
            self.start -= passed;
            self.region.available -= passed;
            self.region.filled -= passed;
            return Ok(());
        }
        let size = (length + length / 2).max(filled + 2 * STEP);
        alloc::reserve(&mut self.buffer, size)?;
        self.buffer.resize(size, 0);
        Ok(())
    }
}

pub(super) const OUT_OF_ORDER: &str = "its number is not the next";

/// A chunk with its length and its checksum.
fn chunk(name: [u8; 4], data: &[u8]) -> Vec<u8> {
    let crc = zlib_rs::crc32::crc32(zlib_rs::crc32::crc32(0, &name), data);
    let length = (data.len() as u32).to_be_bytes();
    [&length[..], &name, data, &crc.to_be_bytes()].concat()
}
