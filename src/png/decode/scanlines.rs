//! Scanlines of the image data: inflated, and their filters reversed.

use std::io::Read;

use super::chunk_reader::{ChunkHeader, ChunkReader, FIRST_CHUNK, SIGNATURE, WRONG_CRC};
use super::unfilter::unfilter;
use crate::Error;
use crate::alloc::{self, zeroed};

/// Bytes that the decoder of the `png` crate allocates: tables, and a buffer for
/// chunks.
const DECODER_SIZE: usize = 64 << 10;

/// Free bytes of the buffer before each call of the decoder.
const MIN_FREE: usize = 8 << 10;

/// Bytes by which the buffer is shifted, at least: less would be moved too often.
const MIN_SHIFT: usize = 64 << 10;

/// The most bytes of image data behind the last row. More are an error.
const MAX_EXTRA: u64 = 1 << 20;

/// Inflates the image data of one image or frame after another and reverses the
/// filters.
///
/// All image data is inflated, so that the checksum of the zlib stream is always
/// compared. (The `Reader` of the `png` crate skips data behind the last row.)
pub(super) struct Scanlines {
    /// Gets the header of the file and the chunks of image data, no others.
    decoder: png::StreamingDecoder,
    /// Inflated bytes.
    buffer: Vec<u8>,
    /// The parts of the buffer that are filled, and that the decoder no longer
    /// reads.
    region: png::UnfilterRegion,
    /// The index in the buffer of the next scanline.
    start: usize,
    stage: Stage,
    /// The last row, unless it is in the buffer.
    above: Vec<u8>,
    /// The index in the buffer of the last row, if it had no filter.
    above_at: Option<usize>,
    /// Space for the next row.
    row: Vec<u8>,
    /// Whether the next row has none above it.
    first: bool,
}

/// The state of the image data.
#[derive(Clone, Copy, PartialEq)]
enum Stage {
    /// Inside the chunks of this name.
    Data([u8; 4]),
    /// Behind the last chunk. The decoder has got this many bytes of the chunk
    /// that ends the image data.
    Flush(usize),
    /// All is inflated, and the checksum is right.
    Done,
}

/// The sequence number that the next chunk of an animation must have (PNG third
/// edition, 4.9).
#[derive(Clone, Copy, Default)]
pub(super) struct Sequence(u32);

impl Sequence {
    /// Returns whether `number` is the next one, and continues after it.
    pub(super) fn is_next(&mut self, number: u32) -> bool {
        let next = self.0 == number;
        self.0 = number.wrapping_add(1);
        next
    }
}

impl Scanlines {
    /// Returns a decoder of rows of at most `row_size` bytes. `header` is the data
    /// of `IHDR`.
    pub(super) fn new(header: &[u8; 13], row_size: u64) -> Result<Self, Error> {
        // The `png` crate aborts the process if an allocation fails. This tries
        // the allocation first.
        drop(zeroed(DECODER_SIZE as u64)?);
        let mut options = png::DecodeOptions::default();
        options.set_ignore_adler32(false);
        // `fdAT` is an ancillary chunk: its CRC is compared too.
        options.set_skip_ancillary_crc_failures(false);
        let mut scanlines = Scanlines {
            decoder: png::StreamingDecoder::new_with_options(options),
            buffer: Vec::new(),
            region: png::UnfilterRegion::default(),
            start: 0,
            stage: Stage::Done,
            above: zeroed(row_size)?,
            above_at: None,
            row: zeroed(row_size)?,
            first: true,
        };
        let head = [&SIGNATURE[..], &chunk(*b"IHDR", header)].concat();
        let fed = scanlines.feed(&head);
        fed.map_err(|_| FIRST_CHUNK.error(REFUSED))?;
        Ok(scanlines)
    }

    /// Begins an image or a frame with its first chunk of image data, which is the
    /// current chunk. `control` is the data of `fcTL` of a frame.
    pub(super) fn begin<R: Read>(
        &mut self,
        control: Option<&[u8; 26]>,
        sequence: &mut Sequence,
        reader: &mut ChunkReader<R>,
        header: ChunkHeader,
    ) -> Result<(), Error> {
        self.region = png::UnfilterRegion::default();
        self.start = 0;
        self.above_at = None;
        self.stage = Stage::Data(header.name);
        if let Some(control) = control {
            let fed = self.feed(&chunk(*b"fcTL", control));
            fed.map_err(|_| reader.error(REFUSED))?;
        }
        self.open_chunk(sequence, reader, header)
    }

    /// Passes the header of a chunk of image data to the decoder.
    fn open_chunk<R: Read>(
        &mut self,
        sequence: &mut Sequence,
        reader: &mut ChunkReader<R>,
        header: ChunkHeader,
    ) -> Result<(), Error> {
        if header.name == *b"fdAT" && header.length < 4 {
            return Err(reader.error(NO_NUMBER));
        }
        let fed = self.feed(&header.bytes());
        fed.map_err(|_| reader.error(REFUSED))?;
        if header.name == *b"fdAT" {
            let mut number = [0; 4];
            reader.data(&mut number)?;
            if !sequence.is_next(u32::from_be_bytes(number)) {
                return Err(reader.error(OUT_OF_ORDER));
            }
            let fed = self.feed(&number);
            fed.map_err(|_| reader.error(REFUSED))?;
        }
        Ok(())
    }

    /// Begins the rows of an image or of a pass: the row above the first is zero.
    pub(super) fn begin_rows(&mut self) {
        self.first = true;
    }

    /// Returns the next row, which has `size` bytes and pixels of `pixel_size`
    /// bytes.
    pub(super) fn row<R: Read>(
        &mut self,
        size: usize,
        pixel_size: usize,
        sequence: &mut Sequence,
        reader: &mut ChunkReader<R>,
    ) -> Result<&[u8], Error> {
        while self.region.filled - self.start <= size {
            if self.stage == Stage::Done {
                return Err(reader.error("the image data ends before the last row"));
            }
            self.inflate(sequence, reader)?;
        }
        if std::mem::take(&mut self.first) {
            self.above[..size].fill(0);
            self.above_at = None;
        }
        let at = self.start + 1;
        let (filter, scanline) = (self.buffer[self.start], &self.buffer[at..at + size]);
        self.start = at + size;
        if filter == 0 {
            self.above_at = Some(at);
            return Ok(scanline);
        }
        let above = match self.above_at.take() {
            Some(at) => &self.buffer[at..at + size],
            None => &self.above[..size],
        };
        if !unfilter(filter, pixel_size, above, scanline, &mut self.row[..size]) {
            return Err(reader.error("the filter type must be 0 to 4"));
        }
        std::mem::swap(&mut self.above, &mut self.row);
        Ok(&self.above[..size])
    }

    /// Reverses the filter of the next scanline, which was inflated elsewhere. The
    /// row is then the [`last_row`](Scanlines::last_row). Returns whether the filter
    /// type exists.
    pub(super) fn unfilter(&mut self, scanline: &[u8], pixel_size: usize) -> bool {
        let Some((&filter, scanline)) = scanline.split_first() else {
            return false;
        };
        let size = scanline.len();
        if std::mem::take(&mut self.first) {
            self.above[..size].fill(0);
        }
        let (above, row) = (&self.above[..size], &mut self.row[..size]);
        let exists = unfilter(filter, pixel_size, above, scanline, row);
        std::mem::swap(&mut self.above, &mut self.row);
        exists
    }

    /// Returns the row whose filter [`unfilter`](Scanlines::unfilter) reversed.
    pub(super) fn last_row(&self, size: usize) -> &[u8] {
        &self.above[..size]
    }

    /// Notes that all image data was inflated elsewhere, and that its checksum is
    /// right.
    pub(super) fn complete(&mut self) {
        self.stage = Stage::Done;
    }

    /// Inflates the rest of the image data and compares its checksum. At most
    /// `rows` bytes of the rest belong to rows.
    pub(super) fn finish<R: Read>(
        &mut self,
        rows: u64,
        sequence: &mut Sequence,
        reader: &mut ChunkReader<R>,
    ) -> Result<(), Error> {
        let mut skipped = 0;
        self.above_at = None;
        loop {
            skipped += (self.region.filled - self.start) as u64;
            self.start = self.region.filled;
            if skipped > rows.saturating_add(MAX_EXTRA) {
                return Err(reader.error("the image data is longer than the rows"));
            }
            if self.stage == Stage::Done {
                return Ok(());
            }
            self.inflate(sequence, reader)?;
        }
    }

    /// Passes one piece of the image data to the decoder.
    fn inflate<R: Read>(
        &mut self,
        sequence: &mut Sequence,
        reader: &mut ChunkReader<R>,
    ) -> Result<(), Error> {
        self.make_room()?;
        match self.stage {
            Stage::Data(name) => {
                let piece = reader.piece()?;
                if !piece.is_empty() {
                    let mut image_data = self.region.as_buf(&mut self.buffer);
                    let updated = self.decoder.update(piece, Some(&mut image_data));
                    let (consumed, _) = updated.map_err(|error| reader.error(fault_of(&error)))?;
                    reader.consume(consumed);
                    return Ok(());
                }
                let crc = reader.stored_crc()?;
                // All data was accepted, so the CRC is the only fault left.
                self.feed(&crc).map_err(|_| reader.error(WRONG_CRC))?;
                let next = reader.peek()?;
                if next.name == name {
                    reader.enter()?;
                    return self.open_chunk(sequence, reader, next);
                }
                self.stage = Stage::Flush(0);
            }
            Stage::Flush(at) => {
                // The decoder completes the image data when it meets a chunk of
                // another name. It ignores this one.
                let end_chunk = chunk(*b"enDs", &[]);
                let mut image_data = self.region.as_buf(&mut self.buffer);
                let updated = self.decoder.update(&end_chunk[at..], Some(&mut image_data));
                let (consumed, _) = updated.map_err(|error| reader.error(fault_of(&error)))?;
                self.stage = match at + consumed {
                    at if at == end_chunk.len() => Stage::Done,
                    at => Stage::Flush(at),
                };
            }
            Stage::Done => {}
        }
        Ok(())
    }

    /// Passes bytes that are not image data to the decoder.
    fn feed(&mut self, mut bytes: &[u8]) -> Result<(), png::DecodingError> {
        while !bytes.is_empty() {
            let (consumed, _) = self.decoder.update(bytes, None)?;
            bytes = &bytes[consumed..];
        }
        Ok(())
    }

    /// Makes room in the buffer for a call of the decoder. The buffer grows with
    /// the data, whatever size the header claims.
    fn make_room(&mut self) -> Result<(), Error> {
        let (length, filled) = (self.buffer.len(), self.region.filled);
        if length - filled >= MIN_FREE {
            return Ok(());
        }
        // The last 32 KiB stay, since matches refer to them, and so do a scanline
        // that is not complete and the row above it.
        let kept = self.above_at.unwrap_or(self.start);
        let used = kept.min(self.region.available);
        if used >= MIN_SHIFT.max(length / 2) {
            self.buffer.copy_within(used..filled, 0);
            self.start -= used;
            self.above_at = self.above_at.map(|at| at - used);
            self.region.available -= used;
            self.region.filled -= used;
            return Ok(());
        }
        let size = (length + length / 2).max(filled + 2 * MIN_FREE);
        alloc::reserve(&mut self.buffer, size)?;
        self.buffer.resize(size, 0);
        Ok(())
    }
}

pub(super) const NO_NUMBER: &str = "the chunk has no sequence number";
pub(super) const OUT_OF_ORDER: &str = "the sequence number is out of order";
const REFUSED: &str = "the chunk is out of place";

/// Returns the fault of image data that the decoder refused. The text of its
/// error is the only public part that tells the faults apart.
fn fault_of(error: &png::DecodingError) -> &'static str {
    let text = error.to_string();
    if text.contains("WrongChecksum") {
        "the checksum (Adler-32) of the image data is wrong"
    } else if text.contains("InsufficientInput") {
        "the image data ends early"
    } else {
        "the compressed image data is damaged"
    }
}

/// Returns a chunk with its length and its CRC.
fn chunk(name: [u8; 4], data: &[u8]) -> Vec<u8> {
    let crc = zlib_rs::crc32::crc32(zlib_rs::crc32::crc32(0, &name), data);
    let length = (data.len() as u32).to_be_bytes();
    [&length[..], &name, data, &crc.to_be_bytes()].concat()
}
