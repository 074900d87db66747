//! Image data whose chunks are inflated on several threads.
//!
//! A chunk of image data can be inflated alone if it begins and ends at a byte
//! boundary between two blocks of deflate (RFC 1951), and no match reaches before
//! its beginning. No chunk says so. So each is inflated as if it could be, and the
//! result counts only if that is proved: see [`Piece::inflate`]. All checksums are
//! compared. At the first chunk that is damaged, or not independent, this path
//! ends, and [`Scanlines`](super::scanlines::Scanlines) read the image data from its
//! beginning. So errors are always those of one thread.
//!
//! A row is handed out only if one thread would get it, too, whatever the file holds
//! behind it. [`Scanlines`](super::scanlines::Scanlines) may have to read the
//! beginning of the next chunk before they get the last row of a chunk. So that
//! chunk must be proved, or, behind the last chunk, the whole image data.

use std::collections::VecDeque;
use std::io::Read;
use std::thread;

use fdeflate::Decompressor;
use zlib_rs::adler32::adler32_combine;
use zlib_rs::crc32::crc32;

use super::chunk_reader::{ChunkHeader, ChunkReader};
use crate::alloc::{self, NoMemory};
use crate::png::queue::{CloseOnDrop, CloseOnPanic, Queue};

#[cfg(test)]
mod tests;

/// The most bytes of a chunk, and the most bytes of its scanlines. A chunk of
/// `PngEncoder` has up to 512 KiB of scanlines, unless one scanline has more.
const MAX_PIECE: usize = 576 << 10;

/// Bytes of scanlines for which a new piece has room. More are allocated when they
/// are needed.
const FIRST_ROOM: usize = 64 << 10;

/// Bytes behind the data of a chunk: its CRC, and the header of the next chunk.
const BEHIND: usize = 12;

/// Pieces for each thread: one that is inflated, and one that waits.
const PIECES_PER_THREAD: usize = 2;

/// The most bytes that are allocated for each thread.
const BYTES_PER_THREAD: u64 = 3 << 20;

/// Bytes of tables of the inflater, at most.
const TABLES: usize = 64 << 10;

const _: () = assert!(
    // While a buffer grows, the old one exists, too. A thread grows one at a time.
    PIECES_PER_THREAD * (2 * MAX_PIECE + BEHIND + ROOM_BEHIND) + MAX_PIECE + TABLES
        <= BYTES_PER_THREAD as usize
);

/// A zlib header (RFC 1950, 2.2), for the inflater.
const ZLIB_HEADER: [u8; 2] = [0x78, 0x01];

/// The header of a stored block, with the bit of the last block: see [`TAIL`].
const TAIL_HEADER: [u8; 5] = [1, 1, 8, !1, !8];

/// The bytes of the stored block.
const TAIL_ZEROS: usize = 0x0801;

/// Zeros in place of the Adler-32, which the inflater does not compare.
const TAIL_CHECKSUM: usize = 4;

/// Follows a chunk that is not the last, to prove that the chunk ends at a byte
/// boundary between two blocks: a stored block of zeros, marked as the last block.
///
/// If the chunk ends there, the inflater finishes exactly at the end of the tail,
/// and has added `TAIL_ZEROS` zeros. If the chunk ends anywhere else, the inflater
/// reads the tail in another way, and can never do both. The cases:
///
/// - The block that finishes has Huffman codes. It would have to end in the last
///   bytes of the tail. But from some place on, at the latest after its own tables,
///   it reads zeros alone, so one symbol again and again: the block ends at the first
///   or never. (The longest tables have less than 600 bytes.)
/// - The block that finishes is a stored one whose length lies in the tail, at
///   another place than that of the tail's own block. At each such place, also if
///   some of the four bytes still belong to the chunk, the bytes are no length and
///   its complement, or the length exceeds the tail. That depends on the
///   values of `TAIL_HEADER`.
/// - The length of the stored block is that of the tail's own block, but its three
///   bits of header do not begin with the tail: then it is not marked as the last.
/// - The stored block has begun in the chunk, and its last bytes are those of the tail.
///   Then the header of the tail precedes the zeros in the output. That is refused.
const TAIL: [u8; TAIL_HEADER.len() + TAIL_ZEROS + TAIL_CHECKSUM] = {
    let mut tail = [0; _];
    let mut i = 0;
    while i < TAIL_HEADER.len() {
        tail[i] = TAIL_HEADER[i];
        i += 1;
    }
    tail
};

/// Room for the bytes that the tail adds, and one more: the inflater shows by a
/// free byte that it has no more output.
const ROOM_BEHIND: usize = TAIL.len() + 1;

/// The scanlines of a file that may be inflated on several threads.
#[derive(Clone, Copy)]
pub(super) struct Plan {
    /// The first chunk of image data.
    pub(super) first: ChunkHeader,
    /// Bytes of a scanline with its filter type.
    pub(super) line: u64,
    /// The number of scanlines.
    pub(super) height: u32,
    /// As the caller set it: 0 stands for as many as the machine has.
    pub(super) threads: usize,
    /// Bytes that may be allocated.
    pub(super) room: u64,
}

/// A chunk of image data, and its scanlines.
#[derive(Default)]
struct Piece {
    /// The number of the chunk.
    number: u64,
    header: Option<ChunkHeader>,
    /// The header of the chunk behind it.
    next: Option<ChunkHeader>,
    /// Whether that chunk is no image data.
    is_last: bool,
    /// The data of the chunk, and [`BEHIND`] bytes.
    chunk: Vec<u8>,
    /// Scanlines. The bytes behind `len` have no meaning.
    lines: Vec<u8>,
    len: usize,
    /// The Adler-32 of the scanlines.
    adler: u32,
    /// Whether the chunk was inflated alone, and its CRC is right.
    is_sound: bool,
}

/// Runs `read` while other threads inflate. `read` gets the scanlines, unless there
/// is no use of several threads for this file.
pub(super) fn run<T>(plan: Option<Plan>, read: impl FnOnce(Option<Pieces>) -> T) -> T {
    let Some(plan) = plan else {
        return read(None);
    };
    let (threads, line) = (plan.threads, plan.line as usize);
    let capacity = PIECES_PER_THREAD * threads;
    // A reader that needs less memory goes on if there is too little.
    // The queue of a thread that reads alone needs no memory.
    let queues = (Queue::<Piece>::new(capacity), Queue::new(capacity));
    let (Ok(waiting), Ok(inflated)) = queues else {
        return read(None);
    };
    let lists = (
        alloc::with_capacity::<Piece>(capacity),
        alloc::with_capacity(capacity),
        alloc::with_capacity(capacity),
    );
    let (Ok(mut free), Ok(pending), Ok(proved)) = lists else {
        return read(None);
    };
    free.resize_with(capacity, Piece::default);
    thread::scope(|scope| {
        // Dropped before the scope waits for the threads.
        let _closing = CloseOnDrop(&waiting);
        for _ in 1..threads {
            let work = || {
                let _closing = CloseOnPanic(&inflated);
                while let Some(mut piece) = waiting.pop() {
                    piece.check(line);
                    inflated.push(piece);
                }
            };
            let started = thread::Builder::new()
                .name("pixview".to_owned())
                .spawn_scoped(scope, work);
            if started.is_err() {
                break;
            }
        }
        read(Some(Pieces {
            waiting: &waiting,
            inflated: &inflated,
            free,
            pending,
            proved: VecDeque::from(proved),
            current: Piece::default(),
            at: 0,
            line,
            lines: u64::from(plan.height),
            next: Some(plan.first),
            ahead: 0,
            read: 0,
            checked: 0,
            adler: 1,
            end: None,
        }))
    })
}

impl Plan {
    /// Returns the plan with the number of threads for this file, `None` if that is
    /// one.
    pub(super) fn made_for<R: Read>(self, reader: &ChunkReader<R>) -> Option<Self> {
        if self.threads == 1 || !reader.has_access() {
            return None;
        }
        let threads = match self.threads {
            0 => thread::available_parallelism().map_or(1, usize::from),
            threads => threads,
        };
        let most = usize::try_from(self.room / BYTES_PER_THREAD).unwrap_or(usize::MAX);
        // No more than the pieces that there can be: each has a scanline.
        let threads = threads.min(most).min(self.height as usize);
        let largest = self.line.max(self.first.length.into());
        if threads < 2 || largest > MAX_PIECE as u64 {
            return None;
        }
        // A file of one chunk starts no threads.
        let mut behind = [0; BEHIND];
        let ahead = self.first.length.into();
        reader.copy_ahead(ahead, &mut behind).ok()?;
        (behind[8..] == self.first.name).then_some(Plan { threads, ..self })
    }
}

/// Scanlines that are inflated on several threads.
pub(super) struct Pieces<'q> {
    /// Pieces that have been read.
    waiting: &'q Queue<Piece>,
    /// Pieces that have been inflated, in any order.
    inflated: &'q Queue<Piece>,
    free: Vec<Piece>,
    /// Inflated pieces behind one that is missing.
    pending: Vec<Piece>,
    /// Pieces that are proved, in order.
    proved: VecDeque<Piece>,
    /// The piece whose scanlines are handed out, and the byte of the next one.
    current: Piece,
    at: usize,
    /// Bytes of a scanline.
    line: usize,
    /// Scanlines behind the proved pieces.
    lines: u64,
    /// The header of the next chunk to read, `None` behind the last.
    next: Option<ChunkHeader>,
    /// Bytes from the reader's position to the data of that chunk.
    ahead: u64,
    /// The numbers of pieces that have been read, and that have been proved.
    read: u64,
    checked: u64,
    /// The Adler-32 of the proved scanlines.
    adler: u32,
    /// The last chunk and the one behind it, once all image data is proved.
    end: Option<(ChunkHeader, ChunkHeader)>,
}

impl Pieces<'_> {
    /// Returns the next scanline with its filter type. `None` if the image data has to
    /// be read by one thread.
    pub(super) fn next_line<R: Read>(&mut self, reader: &ChunkReader<R>) -> Option<&[u8]> {
        if self.at == self.current.len {
            self.advance(reader)?;
        }
        let line = self.current.lines.get(self.at..self.at + self.line)?;
        self.at += self.line;
        Some(line)
    }

    /// Returns the last chunk of image data and the chunk behind it. `None` if not
    /// all image data is proved.
    pub(super) fn end(&self) -> Option<(ChunkHeader, ChunkHeader)> {
        self.end
    }

    /// Goes to the next piece.
    fn advance<R: Read>(&mut self, reader: &ChunkReader<R>) -> Option<()> {
        let old = std::mem::take(&mut self.current);
        if self.checked > 0 {
            self.free.push(old);
        }
        loop {
            while let Some(header) = self.next
                && let Some(piece) = self.free.pop()
            {
                self.read(header, piece, reader)?;
            }
            self.pending
                .extend(std::iter::from_fn(|| self.inflated.try_pop()));
            if self.proved.len() > 1 || self.end.is_some() {
                break;
            }
            let next = self.pending.iter().position(|p| p.number == self.checked);
            if let Some(at) = next {
                let piece = self.pending.swap_remove(at);
                self.prove(piece)?;
            } else if let Some(mut piece) = self.waiting.try_pop() {
                piece.check(self.line);
                self.pending.push(piece);
            } else {
                // Other threads inflate all pieces that are missing.
                let piece = self.inflated.pop()?;
                self.pending.push(piece);
            }
        }
        self.current = self.proved.pop_front()?;
        self.at = 0;
        Some(())
    }

    /// Reads a chunk into a piece.
    fn read<R: Read>(
        &mut self,
        header: ChunkHeader,
        mut piece: Piece,
        reader: &ChunkReader<R>,
    ) -> Option<()> {
        let length = header.length as usize;
        if !(1..=MAX_PIECE).contains(&length) {
            return None;
        }
        let size = length + BEHIND;
        make_room(&mut piece.chunk, size).ok()?;
        reader
            .copy_ahead(self.ahead, &mut piece.chunk[..size])
            .ok()?;
        let (_, next) = piece.chunk[..size].split_last_chunk()?;
        let offset = header.offset + (8 + length + 4) as u64;
        let next = ChunkHeader::parse(*next, offset).ok()?;
        piece.header = Some(header);
        piece.next = Some(next);
        piece.is_last = next.name != header.name;
        piece.number = self.read;
        self.read += 1;
        self.ahead += size as u64;
        self.next = (!piece.is_last).then_some(next);
        self.waiting.push(piece);
        Some(())
    }

    /// Checks that a piece fits those before it.
    fn prove(&mut self, piece: Piece) -> Option<()> {
        if !piece.is_sound {
            return None;
        }
        self.lines = self.lines.checked_sub((piece.len / self.line) as u64)?;
        self.adler = adler32_combine(self.adler, piece.adler, piece.len as u64);
        self.checked += 1;
        if piece.is_last {
            if self.lines > 0 || piece.stored_adler()? != self.adler {
                return None;
            }
            self.end = Some((piece.header?, piece.next?));
        }
        self.proved.push_back(piece);
        Some(())
    }
}

impl Piece {
    fn data(&self) -> &[u8] {
        let length = self.header.map_or(0, |header| header.length as usize);
        &self.chunk[..length]
    }

    /// Returns the Adler-32 at the end of the last piece.
    fn stored_adler(&self) -> Option<u32> {
        self.data().last_chunk().copied().map(u32::from_be_bytes)
    }

    /// Inflates the piece and checks everything that concerns it alone.
    fn check(&mut self, line: usize) {
        self.is_sound = self.is_whole(line).is_some();
    }

    fn is_whole(&mut self, line: usize) -> Option<()> {
        let data = self.data();
        let crc = crc32(crc32(0, b"IDAT"), data).to_be_bytes();
        if self.chunk.get(data.len()..data.len() + 4)? != crc {
            return None;
        }
        self.inflate()?;
        let lines = &self.lines[..self.len];
        self.adler = simd_adler32::adler32(&lines);
        (!lines.is_empty() && lines.len().is_multiple_of(line)).then_some(())
    }

    /// Inflates the chunk. Returns `None` unless it is proved that it can be inflated
    /// alone: that it begins a stream or follows the end of a block, and that it ends
    /// at a byte boundary with the end of a block, the last piece with the end of the
    /// stream.
    fn inflate(&mut self) -> Option<()> {
        let length = self.data().len();
        let (data, lines) = (&self.chunk[..length], &mut self.lines);
        // The inflater refuses a match that reaches before the beginning.
        let mut inflater = Inflater {
            inner: Decompressor::new(),
            lines,
            filled: 0,
        };
        inflater.inner.ignore_adler32();
        if self.number > 0 {
            inflater.feed(&ZLIB_HEADER)?;
        }
        let end = if self.is_last {
            data
        } else {
            inflater.feed(data)?;
            &TAIL[..]
        };
        // The inflater reads ahead. Byte by byte, it shows whether it has needed the
        // last one.
        let (last, end) = end.split_last()?;
        inflater.feed(end)?;
        inflater.feed(&[*last])?;
        if !inflater.inner.is_done() {
            return None;
        }
        let mut lines = &inflater.lines[..inflater.filled];
        if !self.is_last {
            let zeros;
            (lines, zeros) = lines.split_at_checked(lines.len().checked_sub(TAIL_ZEROS)?)?;
            if zeros.iter().any(|&byte| byte != 0) || lines.ends_with(&TAIL_HEADER) {
                return None;
            }
        }
        self.len = lines.len();
        Some(())
    }
}

/// An inflater that writes into a buffer, which grows.
struct Inflater<'l> {
    inner: Decompressor,
    lines: &'l mut Vec<u8>,
    filled: usize,
}

impl Inflater<'_> {
    /// Inflates `bytes`. Returns `None` if they break a rule, go on behind the end of
    /// the stream, or give too many bytes.
    fn feed(&mut self, mut bytes: &[u8]) -> Option<()> {
        loop {
            if self.filled == self.lines.len() {
                let most = MAX_PIECE + ROOM_BEHIND;
                let size = (2 * self.filled).clamp(FIRST_ROOM, most);
                if size == self.filled {
                    return None;
                }
                make_room(self.lines, size).ok()?;
            }
            if self.inner.is_done() {
                return bytes.is_empty().then_some(());
            }
            let read = self.inner.read(bytes, self.lines, self.filled, false);
            let (consumed, count) = read.ok()?;
            bytes = &bytes[consumed..];
            self.filled += count;
            if bytes.is_empty() && self.filled < self.lines.len() {
                return Some(());
            }
        }
    }
}

/// Makes a buffer at least `size` bytes long. Keeps its content.
fn make_room(buffer: &mut Vec<u8>, size: usize) -> Result<(), NoMemory> {
    if buffer.len() < size {
        alloc::reserve(buffer, size)?;
        buffer.resize(size, 0);
    }
    Ok(())
}
