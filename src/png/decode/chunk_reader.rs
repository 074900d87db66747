//! The chunks of a file in order, each with its offset.

use std::io::{self, Read};

use super::access::Access;
use super::input::Input;
use crate::{Error, ErrorKind};

/// The first bytes of every PNG file (PNG third edition, 5.2).
pub(super) const SIGNATURE: [u8; 8] = *b"\x89PNG\r\n\x1a\n";

/// The largest length of a chunk (PNG third edition, 5.3).
const MAX_LENGTH: u32 = i32::MAX as u32;

pub(super) const WRONG_CRC: &str = "the checksum (CRC) is wrong";

/// The header of the first chunk, which errors name until it has been read.
pub(super) const FIRST_CHUNK: ChunkHeader = ChunkHeader {
    length: 13,
    name: *b"IHDR",
    offset: SIGNATURE.len() as u64,
};

/// The length, the name and the offset of a chunk.
#[derive(Clone, Copy)]
pub(super) struct ChunkHeader {
    pub(super) length: u32,
    pub(super) name: [u8; 4],
    /// The byte of the file at which the chunk begins.
    pub(super) offset: u64,
}

impl ChunkHeader {
    /// Returns the length and the name as they are stored in the file.
    pub(super) fn bytes(self) -> [u8; 8] {
        let [a, b, c, d] = self.length.to_be_bytes();
        let [e, f, g, h] = self.name;
        [a, b, c, d, e, f, g, h]
    }

    /// Parses the bytes that [`bytes`](ChunkHeader::bytes) returns.
    pub(super) fn parse(bytes: [u8; 8], offset: u64) -> Result<Self, Error> {
        let [a, b, c, d, name @ ..] = bytes;
        let length = u32::from_be_bytes([a, b, c, d]);
        let header = ChunkHeader {
            length,
            name,
            offset,
        };
        if !name.iter().all(u8::is_ascii_alphabetic) {
            return Err(header.error("the name of a chunk must be four ASCII letters"));
        }
        if length > MAX_LENGTH {
            return Err(header.error("the length of a chunk must be at most 2^31-1"));
        }
        Ok(header)
    }

    /// Returns whether a decoder may skip the chunk: the first letter of the
    /// name is lower case (PNG third edition, 5.4).
    pub(super) fn is_ancillary(self) -> bool {
        self.name[0].is_ascii_lowercase()
    }

    /// Returns an error of this chunk.
    pub(super) fn error(self, fault: &'static str) -> Error {
        ErrorKind::Decode {
            chunk: self.name.escape_ascii().to_string(),
            offset: self.offset,
            source: fault.into(),
        }
        .into()
    }
}

/// Reads the chunks of a file one after another.
pub(super) struct ChunkReader<R> {
    input: Input<R>,
    /// The offset in the file of the next byte to read.
    position: u64,
    /// The chunk that is being read. Before the first one, the chunk that is
    /// expected.
    current: ChunkHeader,
    /// The header behind the current chunk, if it has been read already.
    next: Option<ChunkHeader>,
    /// Bytes of the data of the current chunk that have not been read.
    missing: u32,
    /// The CRC of the bytes of the current chunk that have been read.
    crc: u32,
}

impl<R: Read> ChunkReader<R> {
    /// Reads the signature.
    pub(super) fn new(inner: R, access: Option<Access<R>>) -> Result<Self, Error> {
        let mut reader = ChunkReader {
            input: Input::new(inner, access)?,
            position: 0,
            current: FIRST_CHUNK,
            next: None,
            missing: 0,
            crc: 0,
        };
        reader.read_signature()?;
        Ok(reader)
    }

    fn read_signature(&mut self) -> Result<(), Error> {
        // 12 bytes tell the known kinds of files apart.
        let mut bytes = [0; 12];
        let mut count = 0;
        while count < SIGNATURE.len() && bytes[..count] == SIGNATURE[..count] {
            self.read_exact(&mut bytes[count..=count])?;
            count += 1;
        }
        if bytes[..count] == SIGNATURE[..count] {
            return Ok(());
        }
        while count < bytes.len() {
            match self.read_exact(&mut bytes[count..=count]) {
                Ok(()) => count += 1,
                // The file ends here.
                Err(error) if matches!(error.kind(), ErrorKind::Decode { .. }) => break,
                Err(error) => return Err(error),
            }
        }
        let found = kind_of_file(&bytes[..count]);
        Err(ErrorKind::NotPng { found }.into())
    }

    /// Reads the header of the next chunk. The chunk becomes the current one
    /// only by [`enter`](ChunkReader::enter): until then errors name the chunk
    /// before it.
    pub(super) fn peek(&mut self) -> Result<ChunkHeader, Error> {
        if let Some(next) = self.next {
            return Ok(next);
        }
        let offset = self.position;
        let mut bytes = [0; 8];
        self.read_exact(&mut bytes)?;
        let header = ChunkHeader::parse(bytes, offset)?;
        self.next = Some(header);
        Ok(header)
    }

    /// Makes the next chunk the current one. All of the chunk before it has
    /// been read.
    pub(super) fn enter(&mut self) -> Result<ChunkHeader, Error> {
        let header = self.peek()?;
        self.next = None;
        self.current = header;
        self.missing = header.length;
        self.crc = zlib_rs::crc32::crc32(0, &header.name);
        Ok(header)
    }

    /// Returns some of the data of the chunk that has not been consumed. Empty
    /// if all has been consumed.
    pub(super) fn piece(&mut self) -> Result<&[u8], Error> {
        if self.missing == 0 {
            return Ok(&[]);
        }
        let missing = self.missing as usize;
        let bytes = self.fill()?;
        Ok(&bytes[..bytes.len().min(missing)])
    }

    /// Consumes bytes of the last piece without adding them to the CRC.
    pub(super) fn consume(&mut self, count: usize) {
        self.input.consume(count);
        self.position += count as u64;
        self.missing -= count as u32;
    }

    /// Returns whether bytes can be copied from farther ahead.
    pub(super) fn has_access(&self) -> bool {
        self.input.has_access()
    }

    /// Fills `to` with the bytes that begin `ahead` bytes after the next byte to
    /// read. Reads none.
    pub(super) fn copy_ahead(&self, ahead: u64, to: &mut [u8]) -> io::Result<()> {
        self.input.copy_ahead(ahead, to)
    }

    /// Goes to a chunk ahead, whose data and whose CRC count as read, and to the
    /// header behind it, which is that of `next`.
    pub(super) fn go_behind(
        &mut self,
        current: ChunkHeader,
        next: ChunkHeader,
    ) -> Result<(), Error> {
        let position = next.offset + next.bytes().len() as u64;
        let skipped = self.input.skip(position - self.position);
        skipped.map_err(ErrorKind::Read)?;
        self.position = position;
        self.current = current;
        self.next = Some(next);
        self.missing = 0;
        Ok(())
    }

    /// Passes a whole piece to `take`, consumes it and adds it to the CRC.
    /// Returns the number of bytes, which is 0 at the end of the data.
    pub(super) fn take_piece(
        &mut self,
        take: impl FnOnce(&[u8]) -> Result<(), Error>,
    ) -> Result<usize, Error> {
        let crc = self.crc;
        let bytes = self.piece()?;
        let (count, crc) = (bytes.len(), zlib_rs::crc32::crc32(crc, bytes));
        take(bytes)?;
        self.crc = crc;
        self.consume(count);
        Ok(count)
    }

    /// Reads the CRC that is stored behind the data.
    pub(super) fn stored_crc(&mut self) -> Result<[u8; 4], Error> {
        let mut stored = [0; 4];
        self.read_exact(&mut stored)?;
        Ok(stored)
    }

    /// Fills `to` with data of the chunk, which has at least that many bytes
    /// left.
    pub(super) fn data(&mut self, mut to: &mut [u8]) -> Result<(), Error> {
        while !to.is_empty() {
            let bytes = self.piece()?;
            let count = bytes.len().min(to.len());
            let (filled, rest) = to.split_at_mut(count);
            filled.copy_from_slice(&bytes[..count]);
            self.crc = zlib_rs::crc32::crc32(self.crc, filled);
            self.consume(count);
            to = rest;
        }
        Ok(())
    }

    /// Reads the rest of the chunk. Returns whether its CRC is right.
    pub(super) fn end(&mut self) -> Result<bool, Error> {
        while self.take_piece(|_| Ok(()))? > 0 {}
        let stored = self.stored_crc()?;
        Ok(u32::from_be_bytes(stored) == self.crc)
    }

    /// Reads the rest of a critical chunk. A wrong CRC is an error.
    pub(super) fn end_critical(&mut self) -> Result<(), Error> {
        if self.end()? {
            Ok(())
        } else {
            Err(self.error(WRONG_CRC))
        }
    }

    /// Returns an error of the current chunk.
    pub(super) fn error(&self, fault: &'static str) -> Error {
        self.current.error(fault)
    }

    fn read_exact(&mut self, mut to: &mut [u8]) -> Result<(), Error> {
        while !to.is_empty() {
            let bytes = self.fill()?;
            let count = bytes.len().min(to.len());
            let (filled, rest) = to.split_at_mut(count);
            filled.copy_from_slice(&bytes[..count]);
            self.input.consume(count);
            self.position += count as u64;
            to = rest;
        }
        Ok(())
    }

    /// Returns the bytes in the buffer, at least one. Waits for the reader if
    /// there is none.
    fn fill(&mut self) -> Result<&[u8], Error> {
        let mut ended = false;
        while self.input.bytes().is_empty() {
            match self.input.fill() {
                // The reader is asked again after its first "no more bytes":
                // some readers return their error only then.
                Ok(0) if ended => return Err(self.error("the file ends early")),
                Ok(0) => ended = true,
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(ErrorKind::Read(error).into()),
            }
        }
        Ok(self.input.bytes())
    }
}

/// Returns the kind of a file that is not a PNG, by its first 12 bytes.
fn kind_of_file(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0xff, 0xd8, 0xff, ..] => Some("JPEG"),
        [b'G', b'I', b'F', b'8', ..] => Some("GIF"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P'] => Some("WebP"),
        [b'B', b'M', ..] => Some("BMP"),
        [b'I', b'I', b'*', 0, ..] | [b'M', b'M', 0, b'*', ..] => Some("TIFF"),
        _ => None,
    }
}
