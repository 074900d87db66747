//! A writer of PNG chunks, which checks every result of the caller's `Write`.

use std::io::{self, Write};

use crate::alloc::reserve;
use crate::file::ChangeWriter;
use crate::{Error, ErrorKind};

/// The destination of a PNG.
pub(super) enum Output<'a> {
    /// The caller's writer, or a file that is written in any case.
    Writer(&'a mut dyn Write),
    /// A file that is replaced only if its bytes change.
    File(&'a mut ChangeWriter),
}

impl Output<'_> {
    pub(super) fn reborrow(&mut self) -> Output<'_> {
        match self {
            Output::Writer(writer) => Output::Writer(writer),
            Output::File(file) => Output::File(file),
        }
    }

    fn writer(&mut self) -> &mut dyn Write {
        match self {
            Output::Writer(writer) => writer,
            Output::File(file) => *file,
        }
    }
}

/// The first bytes of a PNG file (PNG third edition, 5.2).
const SIGNATURE: [u8; 8] = *b"\x89PNG\r\n\x1a\n";

/// The most bytes of a chunk: PNG allows 2^31-1 (PNG third edition, 5.3).
const MAX_CHUNK: usize = 1 << 30;

/// The size of the buffer in bytes.
const BUFFER_SIZE: usize = 8 << 10;

/// The CRC of the name of an IDAT chunk and of the first part of its data (PNG
/// third edition, 5.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct ImageDataCrc(u32);

impl ImageDataCrc {
    /// Returns the CRC of the name and of this data.
    pub(super) fn new(data: &[u8]) -> Self {
        ImageDataCrc(checksum(*b"IDAT", data))
    }

    /// Returns the CRC of the whole chunk, whose data ends with `data`.
    fn finish(self, data: &[u8]) -> u32 {
        let mut crc = crc32fast::Hasher::new_with_initial(self.0);
        crc.update(data);
        crc.finalize()
    }
}

fn checksum(name: [u8; 4], data: &[u8]) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    crc.update(&name);
    crc.update(data);
    crc.finalize()
}

/// A writer of chunks. Small writes are collected in a buffer. After an error or
/// a panic the caller's `Write` is not called again; bytes in the buffer are lost
/// then.
pub(super) struct ChunkWriter<'a> {
    output: Output<'a>,
    buffer: Vec<u8>,
    /// Bytes of the file so far, those in the buffer included.
    len: u64,
}

impl<'a> ChunkWriter<'a> {
    /// Begins a file with its signature.
    pub(super) fn new(output: Output<'a>) -> Result<Self, Error> {
        let mut buffer = Vec::new();
        // `BufWriter` would abort the process if this allocation failed.
        reserve(&mut buffer, BUFFER_SIZE)?;
        let mut writer = ChunkWriter {
            output,
            buffer,
            len: 0,
        };
        writer.write(&SIGNATURE)?;
        Ok(writer)
    }

    /// Writes a chunk.
    pub(super) fn write_chunk(&mut self, name: [u8; 4], data: &[u8]) -> Result<(), Error> {
        self.write_parts(name, &[data], checksum(name, data))
    }

    /// Returns the number of bytes so far.
    pub(super) fn position(&self) -> u64 {
        self.len
    }

    /// Skips an IDAT chunk that the old file has already. Its data are `len`
    /// bytes, whose CRC is `crc`, and `end`. Only `end` and the bytes behind it
    /// are compared.
    ///
    /// Skips nothing and returns `false`, unless all bytes so far are those of
    /// the old file, and `offset`, where the old file has the chunk, is the
    /// position here.
    pub(super) fn skip_image_data(
        &mut self,
        (offset, len): (u64, u64),
        crc: ImageDataCrc,
        end: &[u8],
    ) -> Result<bool, Error> {
        self.flush_buffer()?;
        let Output::File(file) = &mut self.output else {
            return Ok(false);
        };
        // A chunk has 8 bytes before its data, and 4 bytes behind it. The 4 bytes
        // are behind `end`, if there is one.
        let count = if end.is_empty() { 12 + len } else { 8 + len };
        let is_one_chunk = len + end.len() as u64 <= MAX_CHUNK as u64;
        if self.len != offset || !is_one_chunk || !file.skip(count) {
            return Ok(false);
        }
        self.len += count;
        if !end.is_empty() {
            self.write(end)?;
            self.write(&crc.finish(end).to_be_bytes())?;
        }
        Ok(true)
    }

    /// Writes an IDAT chunk of `piece` and `end`, or several chunks if they are
    /// larger than [`MAX_CHUNK`]. `crc` is the CRC of `piece`.
    pub(super) fn write_image_data(
        &mut self,
        piece: &[u8],
        crc: ImageDataCrc,
        end: &[u8],
    ) -> Result<(), Error> {
        if piece.len() + end.len() <= MAX_CHUNK {
            return self.write_parts(*b"IDAT", &[piece, end], crc.finish(end));
        }
        for part in piece.chunks(MAX_CHUNK).chain([end]) {
            if !part.is_empty() {
                self.write_chunk(*b"IDAT", part)?;
            }
        }
        Ok(())
    }

    /// Writes the last chunk, flushes the caller's `Write`, and returns the number
    /// of bytes of the file.
    pub(super) fn finish(mut self) -> Result<u64, Error> {
        self.write_chunk(*b"IEND", &[])?;
        self.flush_buffer()?;
        loop {
            match self.output.writer().flush() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => return Ok(result.map(|()| self.len).map_err(ErrorKind::Write)?),
            }
        }
    }

    fn write_parts(&mut self, name: [u8; 4], parts: &[&[u8]], crc: u32) -> Result<(), Error> {
        let len: usize = parts.iter().map(|part| part.len()).sum();
        self.write(&(len as u32).to_be_bytes())?;
        self.write(&name)?;
        for part in parts {
            self.write(part)?;
        }
        self.write(&crc.to_be_bytes())
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.len += bytes.len() as u64;
        if self.buffer.len() + bytes.len() > BUFFER_SIZE {
            self.flush_buffer()?;
        }
        if bytes.len() >= BUFFER_SIZE {
            return Ok(write_all(self.output.writer(), bytes).map_err(ErrorKind::Write)?);
        }
        self.buffer.extend_from_slice(bytes);
        Ok(())
    }

    fn flush_buffer(&mut self) -> Result<(), Error> {
        write_all(self.output.writer(), &self.buffer).map_err(ErrorKind::Write)?;
        self.buffer.clear();
        Ok(())
    }
}

/// Writes all bytes. Refuses a count larger than the bytes passed, for which
/// [`Write::write_all`] panics.
fn write_all(writer: &mut dyn Write, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match writer.write(bytes) {
            Ok(0) => {
                return Err(io::Error::new(
                    io::ErrorKind::WriteZero,
                    format!("the writer wrote 0 of {} bytes", bytes.len()),
                ));
            }
            Ok(count) if count > bytes.len() => {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    format!(
                        "the writer returned a count of {count} for {} bytes",
                        bytes.len()
                    ),
                ));
            }
            Ok(count) => bytes = &bytes[count..],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::replace_if_changed;

    /// A strip that is several chunks in the file is not passed over as one.
    #[test]
    fn strips_of_several_chunks() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.png");
        for (len, is_skipped) in [(MAX_CHUNK, true), (MAX_CHUNK + 1, false)] {
            std::fs::write(&path, SIGNATURE).unwrap();
            let file = std::fs::File::options().write(true).open(&path).unwrap();
            file.set_len(2 * MAX_CHUNK as u64).unwrap(); // takes no space
            let skipped = replace_if_changed(&path, false, |file| {
                let mut writer = ChunkWriter::new(Output::File(file))?;
                let crc = ImageDataCrc::default();
                assert_eq!(
                    writer.skip_image_data((8, len as u64), crc, &[])?,
                    is_skipped
                );
                Err::<(), _>(ErrorKind::Cancelled.into())
            });
            assert!(matches!(skipped.unwrap_err().kind(), ErrorKind::Cancelled));
        }
    }
}
