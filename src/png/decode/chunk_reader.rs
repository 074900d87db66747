//! The chunks of a file, one after another, and where each begins.

use std::error::Error as StdError;
use std::io::{self, BufRead};

use crate::{Error, ErrorKind};

/// The first bytes of every file (PNG third edition, 5.2).
pub(super) const SIGNATURE: [u8; 8] = *b"\x89PNG\r\n\x1a\n";

/// The longest chunk (PNG third edition, 5.3).
const MAX_LENGTH: u32 = i32::MAX as u32;

/// The length, the name and the place of a chunk.
#[derive(Clone, Copy)]
pub(super) struct ChunkHeader {
    pub(super) length: u32,
    pub(super) name: [u8; 4],
    /// The byte of the file that the chunk begins at.
    pub(super) offset: u64,
}

impl ChunkHeader {
    /// Returns the length and the name as they are in the file.
    pub(super) fn bytes(self) -> [u8; 8] {
        let [a, b, c, d] = self.length.to_be_bytes();
        let [e, f, g, h] = self.name;
        [a, b, c, d, e, f, g, h]
    }

    /// Whether a decoder may pass over the chunk: the first letter of the name
    /// is small (PNG third edition, 5.4).
    pub(super) fn is_ancillary(self) -> bool {
        self.name[0].is_ascii_lowercase()
    }

    pub(super) fn error(self, what: impl Into<Box<dyn StdError + Send + Sync>>) -> Error {
        ErrorKind::Decode {
            chunk: self.name.escape_ascii().to_string(),
            offset: self.offset,
            source: what.into(),
        }
        .into()
    }
}

/// Reads the chunks of a file and never a byte more than it is asked for.
pub(super) struct ChunkReader<R> {
    inner: R,
    /// The byte of the file that is read next.
    position: u64,
    /// The chunk that is being read.
    current: Option<ChunkHeader>,
    /// The header behind that chunk, if it has been read already.
    next: Option<ChunkHeader>,
    /// Bytes of data of the chunk that have not been read.
    missing: u32,
    /// The checksum of the chunk so far.
    crc: u32,
}

impl<R: BufRead> ChunkReader<R> {
    /// Reads the signature.
    pub(super) fn new(inner: R) -> Result<Self, Error> {
        let mut reader = ChunkReader {
            inner,
            position: 0,
            current: None,
            next: None,
            missing: 0,
            crc: 0,
        };
        // As long as what tells other files.
        let mut first = [0; 12];
        let (signature, more) = first.split_at_mut(SIGNATURE.len());
        let count = reader.up_to(signature)?;
        if *signature != SIGNATURE {
            if count == signature.len() {
                reader.up_to(more)?;
            }
            return Err(ErrorKind::NotPng {
                found: other_kind(&first),
            }
            .into());
        }
        Ok(reader)
    }

    /// Reads the header of the next chunk. That chunk is not the current one
    /// before [`enter`](ChunkReader::enter): errors name the one before.
    pub(super) fn peek(&mut self) -> Result<ChunkHeader, Error> {
        if let Some(next) = self.next {
            return Ok(next);
        }
        let offset = self.position;
        let (mut length, mut name) = ([0; 4], [0; 4]);
        self.exact(&mut length)?;
        self.exact(&mut name)?;
        let header = ChunkHeader {
            length: u32::from_be_bytes(length),
            name,
            offset,
        };
        if !name.iter().all(u8::is_ascii_alphabetic) {
            return Err(header.error("the name of a chunk has four letters"));
        }
        if header.length > MAX_LENGTH {
            return Err(header.error("a chunk is at most 2^31-1 bytes long"));
        }
        self.next = Some(header);
        Ok(header)
    }

    /// Goes on to the next chunk. All of the one before has been read.
    pub(super) fn enter(&mut self) -> Result<ChunkHeader, Error> {
        let header = self.peek()?;
        self.next = None;
        self.current = Some(header);
        self.missing = header.length;
        self.crc = zlib_rs::crc32::crc32(0, &header.name);
        Ok(header)
    }

    /// Returns some of the data of the chunk: none if all have been consumed.
    pub(super) fn piece(&mut self) -> Result<&[u8], Error> {
        if self.missing == 0 {
            return Ok(&[]);
        }
        let (missing, error) = (self.missing as usize, self.current);
        let bytes = self.fill()?;
        match (bytes, error) {
            ([], Some(header)) => Err(header.error(ENDS_EARLY)),
            _ => Ok(&bytes[..bytes.len().min(missing)]),
        }
    }

    /// Consumes data of the last piece, which nobody counts into a checksum
    /// here.
    pub(super) fn consume(&mut self, count: usize) {
        self.inner.consume(count);
        self.position += count as u64;
        self.missing -= count as u32;
    }

    /// Consumes a whole piece and counts it into the checksum. Returns how much
    /// that was, 0 at the end.
    pub(super) fn pass(
        &mut self,
        to: impl FnOnce(&[u8]) -> Result<(), Error>,
    ) -> Result<usize, Error> {
        let crc = self.crc;
        let bytes = self.piece()?;
        let (count, crc) = (bytes.len(), zlib_rs::crc32::crc32(crc, bytes));
        to(bytes)?;
        self.crc = crc;
        self.consume(count);
        Ok(count)
    }

    /// Reads the checksum behind the data.
    pub(super) fn stored_crc(&mut self) -> Result<[u8; 4], Error> {
        let mut stored = [0; 4];
        self.exact(&mut stored)?;
        Ok(stored)
    }

    /// Reads the first of the data. There are as many, or more.
    pub(super) fn data(&mut self, mut to: &mut [u8]) -> Result<(), Error> {
        while !to.is_empty() {
            let bytes = self.piece()?;
            let count = bytes.len().min(to.len());
            let (now, rest) = to.split_at_mut(count);
            now.copy_from_slice(&bytes[..count]);
            self.crc = zlib_rs::crc32::crc32(self.crc, now);
            self.consume(count);
            to = rest;
        }
        Ok(())
    }

    /// Reads the rest of the chunk. Returns whether its checksum is right.
    pub(super) fn end(&mut self) -> Result<bool, Error> {
        while self.pass(|_| Ok(()))? > 0 {}
        let stored = self.stored_crc()?;
        Ok(u32::from_be_bytes(stored) == self.crc)
    }

    /// Reads the rest of a chunk that the image can't do without.
    pub(super) fn end_critical(&mut self) -> Result<(), Error> {
        if self.end()? {
            Ok(())
        } else {
            Err(self.error(WRONG_CRC))
        }
    }

    /// An error of the chunk that is being read.
    pub(super) fn error(&self, what: impl Into<Box<dyn StdError + Send + Sync>>) -> Error {
        // Behind the signature comes the header of the file.
        let first = ChunkHeader {
            length: 0,
            name: *b"IHDR",
            offset: SIGNATURE.len() as u64,
        };
        self.current.unwrap_or(first).error(what)
    }

    fn exact(&mut self, to: &mut [u8]) -> Result<(), Error> {
        match self.up_to(to)? {
            count if count == to.len() => Ok(()),
            _ => Err(self.error(ENDS_EARLY)),
        }
    }

    /// Fills `to`, if the file has as many bytes. Returns how many it has.
    fn up_to(&mut self, to: &mut [u8]) -> Result<usize, Error> {
        let mut done = 0;
        while done < to.len() {
            let bytes = self.fill()?;
            let count = bytes.len().min(to.len() - done);
            if count == 0 {
                break;
            }
            to[done..done + count].copy_from_slice(&bytes[..count]);
            self.inner.consume(count);
            self.position += count as u64;
            done += count;
        }
        Ok(done)
    }

    /// Waits for bytes. Returns none at the end of the file.
    fn fill(&mut self) -> Result<&[u8], Error> {
        let mut ended = false;
        loop {
            match self.inner.fill_buf() {
                // A reader that has nothing is asked again: some have an error
                // to tell.
                Ok([]) if ended => return Ok(&[]),
                Ok([]) => ended = true,
                Ok(_) => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(ErrorKind::Read(error).into()),
            }
        }
        // The bytes of the first call, which the borrow of the loop can't give.
        let bytes = self.inner.fill_buf();
        bytes.map_err(|error| ErrorKind::Read(error).into())
    }
}

/// The kind of a file that has no signature of PNG.
fn other_kind(first: &[u8; 12]) -> Option<&'static str> {
    match first {
        [0xff, 0xd8, 0xff, ..] => Some("JPEG"),
        [b'G', b'I', b'F', b'8', ..] => Some("GIF"),
        [b'R', b'I', b'F', b'F', .., b'W', b'E', b'B', b'P'] => Some("WebP"),
        [b'B', b'M', ..] => Some("BMP"),
        [b'I', b'I', 42, 0, ..] | [b'M', b'M', 0, 42, ..] => Some("TIFF"),
        _ => None,
    }
}

const ENDS_EARLY: &str = "the file ends early";
pub(super) const WRONG_CRC: &str = "the checksum is wrong";
