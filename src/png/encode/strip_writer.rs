//! Strips on their way to the file: from the encoder, from earlier saves, or left
//! in the file as they are.

use super::chunk_writer::ChunkWriter;
use super::filtering::Filtering;
use super::geometry::Geometry;
use super::known_files::{KnownStrips, StripInFile};
use super::strip::{EarlierStrips, Strip};
use crate::Error;
use crate::deflate;

/// Writes strips as IDAT chunks, in their order.
pub(super) struct StripWriter<'a> {
    writer: ChunkWriter<'a>,
    geometry: &'a Geometry,
    filtering: &'a Filtering<'a>,
    earlier: EarlierStrips<'a>,
    /// The strips of the new file, if they are recorded.
    recorded: Option<&'a mut KnownStrips>,
    /// The Adler-32 of all scanlines so far.
    adler: u32,
    counts: StripCounts,
}

/// The numbers of strips that were encoded, and that were not.
#[derive(Clone, Copy, Default)]
pub(super) struct StripCounts {
    pub(super) encoded: u32,
    pub(super) reused: u32,
}

impl<'a> StripWriter<'a> {
    pub(super) fn new(
        writer: ChunkWriter<'a>,
        geometry: &'a Geometry,
        filtering: &'a Filtering<'a>,
        earlier: EarlierStrips<'a>,
        recorded: Option<&'a mut KnownStrips>,
    ) -> Self {
        StripWriter {
            writer,
            geometry,
            filtering,
            earlier,
            recorded,
            adler: 1,
            counts: StripCounts::default(),
        }
    }

    /// Writes the next strip, and the end of the zlib stream behind the last.
    pub(super) fn write(&mut self, strip: &mut Strip) -> Result<(), Error> {
        let (index, key, sums) = (strip.index(), strip.key(), strip.sums());
        let len = sums.len as u64;
        self.adler = zlib_rs::adler32::adler32_combine(self.adler, sums.adler, len);
        let is_last = index + 1 == self.geometry.strips();
        let end = is_last.then(|| end_of_stream(self.adler));
        let end = end.as_ref().map_or(&[][..], |end| end);

        let offset = self.writer.position();
        let len = match self.leave_in_file(strip, end)? {
            Some(len) => len,
            None => self.write_piece(strip, end)?,
        };
        if let Some(recorded) = &mut self.recorded {
            recorded.add(StripInFile {
                key,
                sums,
                offset,
                len,
            });
        }
        Ok(())
    }

    /// Passes over a strip that the file has at this place. Returns the bytes of its
    /// piece, or `None` if the strip has to be written.
    fn leave_in_file(&mut self, strip: &Strip, end: &[u8]) -> Result<Option<u64>, Error> {
        let Some(known) = strip.in_file() else {
            return Ok(None);
        };
        let chunk = (known.offset, known.len);
        if self.writer.skip_image_data(chunk, known.sums.crc, end)? {
            self.counts.reused += 1;
            return Ok(Some(known.len));
        }
        self.earlier.file.end();
        Ok(None)
    }

    /// Writes the piece of a strip. Returns its bytes.
    fn write_piece(&mut self, strip: &mut Strip, end: &[u8]) -> Result<u64, Error> {
        let (index, kept) = (strip.index(), self.earlier.kept);
        let old = strip.take_kept_or_compress(self.geometry, self.filtering, self.earlier);
        let sums = strip.sums();
        if let Some(old) = old {
            self.counts.reused += 1;
            self.writer.write_image_data(&old.piece, sums.crc, end)?;
            let len = old.piece.len() as u64;
            kept.put_back(index, old);
            return Ok(len);
        }
        self.counts.encoded += 1;
        let piece = strip.piece(self.geometry, self.filtering);
        self.writer.write_image_data(piece, sums.crc, end)?;
        if self.geometry.is_kept {
            kept.keep(index, strip.key(), sums, piece);
        }
        Ok(piece.len() as u64)
    }

    /// Returns the writer and the numbers of strips.
    pub(super) fn finish(self) -> (ChunkWriter<'a>, StripCounts) {
        (self.writer, self.counts)
    }
}

/// Returns the bytes behind the last piece of a zlib stream: an empty block, and
/// the Adler-32 of all scanlines (RFC 1950, 2.2).
fn end_of_stream(adler: u32) -> [u8; 6] {
    let mut end = [0; 6];
    let (block, checksum) = end.split_at_mut(deflate::END.len());
    block.copy_from_slice(&deflate::END);
    checksum.copy_from_slice(&adler.to_be_bytes());
    end
}
