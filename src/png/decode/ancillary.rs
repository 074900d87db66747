//! The ancillary chunks of a file, stored unparsed until the caller asks for
//! the metadata.

use std::io::Read;

use super::chunk_reader::{ChunkHeader, ChunkReader, WRONG_CRC};
use crate::Error;
use crate::alloc::{self, NoMemory};
use crate::png::metadata::{ChunkFault, RawChunk};

/// The most bytes of chunks that are stored.
const MAX_BYTES: u64 = 1 << 26;

/// Bytes that are allocated on the word of a chunk header. The rest is allocated
/// after as many bytes of data have been read.
const TRUSTED_BYTES: usize = 1 << 20;

/// The most faults that are listed, so that a file cannot fill the memory with
/// them.
const MAX_FAULTS: usize = 4096;

const OVER_LIMIT: &str = "the chunk exceeds the memory limit: see PngDecoder::max_bytes";

/// The ancillary chunks of a file, and the faults of those that were skipped.
pub(super) struct AncillaryChunks {
    /// In the order of the file.
    chunks: Vec<RawChunk>,
    faults: Vec<ChunkFault>,
    /// Whether a fault is an error.
    strict: bool,
    /// Bytes that the chunks take: see [`size_in_memory`].
    bytes: u64,
}

impl AncillaryChunks {
    pub(super) fn new(strict: bool) -> Self {
        AncillaryChunks {
            chunks: Vec::new(),
            faults: Vec::new(),
            strict,
            bytes: 0,
        }
    }

    /// Returns the chunks in the order of the file.
    pub(super) fn chunks(&self) -> &[RawChunk] {
        &self.chunks
    }

    /// Returns the faults of skipped chunks, in the order of the file.
    pub(super) fn faults(&self) -> &[ChunkFault] {
        &self.faults
    }

    /// Returns whether a fault is an error.
    pub(super) fn is_strict(&self) -> bool {
        self.strict
    }

    /// Returns the bytes that the chunks take.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Lists the fault of a skipped chunk. If the decoder is strict, the fault is
    /// an error.
    pub(super) fn add_fault(
        &mut self,
        header: ChunkHeader,
        reason: &'static str,
    ) -> Result<(), Error> {
        if self.strict {
            return Err(header.error(reason));
        }
        if self.faults.len() < MAX_FAULTS {
            let fault = ChunkFault {
                name: header.name,
                offset: header.offset,
                reason,
            };
            alloc::push(&mut self.faults, fault)?;
        }
        Ok(())
    }

    /// Reads the current chunk. Stores it if its CRC is right and all stored
    /// chunks take at most `room` bytes.
    pub(super) fn read<R: Read>(
        &mut self,
        header: ChunkHeader,
        after: bool,
        room: u64,
        reader: &mut ChunkReader<R>,
    ) -> Result<(), Error> {
        if size_in_memory(header.length.into()) > room.min(MAX_BYTES).saturating_sub(self.bytes) {
            reader.end()?;
            return self.add_fault(header, OVER_LIMIT);
        }
        let mut data = Vec::new();
        let length = header.length as usize;
        loop {
            let count = reader.take_piece(|bytes| {
                let needed = data.len() + bytes.len();
                if needed > data.capacity() {
                    // The last growth is exact, so that no spare capacity
                    // stays.
                    let size = if needed > TRUSTED_BYTES {
                        length
                    } else {
                        length.min(TRUSTED_BYTES)
                    };
                    alloc::reserve(&mut data, size)?;
                }
                data.extend_from_slice(bytes);
                Ok(())
            })?;
            if count == 0 {
                break;
            }
        }
        if !reader.end()? {
            return self.add_fault(header, WRONG_CRC);
        }
        let chunk = RawChunk {
            name: header.name,
            data,
            after,
            offset: header.offset,
        };
        self.push(chunk)?;
        Ok(())
    }

    /// Stores a chunk.
    pub(super) fn push(&mut self, chunk: RawChunk) -> Result<(), NoMemory> {
        self.bytes += size_in_memory(chunk.data.len() as u64);
        alloc::push(&mut self.chunks, chunk)
    }

    /// Drops chunks, the last first, until all take at most `bytes`.
    pub(super) fn shrink_to(&mut self, bytes: u64) -> Result<(), Error> {
        while self.bytes > bytes {
            let Some(chunk) = self.chunks.pop() else {
                break;
            };
            let length = chunk.data.len() as u32;
            self.bytes -= size_in_memory(length.into());
            let header = ChunkHeader {
                length,
                name: chunk.name,
                offset: chunk.offset,
            };
            self.add_fault(header, OVER_LIMIT)?;
        }
        self.faults.sort_unstable_by_key(|fault| fault.offset);
        Ok(())
    }
}

/// Returns the bytes that a chunk takes: its data and its entry in a `Vec`. A
/// `Vec` that grows has, while it moves, up to three times its entries.
fn size_in_memory(length: u64) -> u64 {
    length + 3 * size_of::<RawChunk>() as u64
}
