//! Chunks that say something beside the pixels, kept until someone asks.

use std::io::BufRead;

use super::chunk_reader::{ChunkHeader, ChunkReader, WRONG_CRC};
use crate::Error;
use crate::alloc::{self, NoMemory};
use crate::png::metadata::{ChunkFault, RawChunk};

/// The most bytes of chunks that are kept.
pub(super) const MAX_CHUNKS: u64 = 1 << 26;

/// A chunk's length is believed when so many bytes of it have come.
const BELIEVED: usize = 1 << 20;

/// The most chunks that are listed: what a file can make memory hold is limited.
const MAX_FAULTS: usize = 4096;

/// What is wrong with a chunk that doesn't fit.
pub(super) const OVER_LIMIT: &str = "it is beyond the limit of memory";

/// The chunks of a file beside those of its image.
pub(super) struct Kept {
    chunks: Vec<RawChunk>,
    faults: Vec<ChunkFault>,
    /// Whether a chunk that is refused is an error.
    strict: bool,
    /// Bytes that the chunks take.
    bytes: u64,
}

impl Kept {
    pub(super) fn new(strict: bool) -> Self {
        Kept {
            chunks: Vec::new(),
            faults: Vec::new(),
            strict,
            bytes: 0,
        }
    }

    pub(super) fn chunks(&self) -> &[RawChunk] {
        &self.chunks
    }

    /// The chunks that were passed over, in the order of the file.
    pub(super) fn faults(&self) -> &[ChunkFault] {
        &self.faults
    }

    pub(super) fn is_strict(&self) -> bool {
        self.strict
    }

    /// Bytes that the chunks take.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Lists a chunk as refused, which is an error if the decoder is strict.
    pub(super) fn refuse(
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

    /// Reads the chunk that has been entered. Keeps it if its checksum is right
    /// and it fits into `room`, which may be all that the caller allows.
    pub(super) fn read<R: BufRead>(
        &mut self,
        header: ChunkHeader,
        after: bool,
        room: u64,
        from: &mut ChunkReader<R>,
    ) -> Result<(), Error> {
        if cost_of(header.length.into()) > room.min(MAX_CHUNKS).saturating_sub(self.bytes) {
            from.end()?;
            return self.refuse(header, OVER_LIMIT);
        }
        let mut data = Vec::new();
        let length = header.length as usize;
        loop {
            let passed = from.pass(|bytes| {
                let needed = data.len() + bytes.len();
                if needed > data.capacity() {
                    // A header is believed a little, and wholly when much of
                    // the chunk has come: the last growth is exact.
                    let size = if needed > BELIEVED {
                        length
                    } else {
                        length.min(BELIEVED)
                    };
                    alloc::reserve(&mut data, size)?;
                }
                data.extend_from_slice(bytes);
                Ok(())
            })?;
            if passed == 0 {
                break;
            }
        }
        if !from.end()? {
            return self.refuse(header, WRONG_CRC);
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

    /// Keeps a chunk.
    pub(super) fn push(&mut self, chunk: RawChunk) -> Result<(), NoMemory> {
        self.bytes += cost_of(chunk.data.len() as u64);
        alloc::push(&mut self.chunks, chunk)
    }

    /// Gives up chunks, the last first, until they take no more than this: the
    /// pixels need the memory.
    pub(super) fn shrink_to(&mut self, bytes: u64) -> Result<(), Error> {
        while self.bytes > bytes {
            let Some(chunk) = self.chunks.pop() else {
                break;
            };
            let length = chunk.data.len() as u32;
            self.bytes -= cost_of(length.into());
            let header = ChunkHeader {
                length,
                name: chunk.name,
                offset: chunk.offset,
            };
            self.refuse(header, OVER_LIMIT)?;
        }
        self.faults.sort_unstable_by_key(|fault| fault.offset);
        Ok(())
    }
}

/// Bytes that a chunk takes. A list that grows has, while it is moved, three
/// times its entries: many empty chunks cost something too.
fn cost_of(length: u64) -> u64 {
    length + 3 * size_of::<RawChunk>() as u64
}
