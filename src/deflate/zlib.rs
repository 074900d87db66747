//! Whole streams of zlib (RFC 1950), for data that is not pixels.

use zlib_rs::{InflateConfig, ReturnCode, decompress_slice};

use super::library::LibraryDeflate;
use super::{END, bound};
use crate::alloc::{NoMemory, joined, zeroed};

/// The header: deflate, a window of 32 KiB, the slowest level (RFC 1950, 2.2).
const HEADER: [u8; 2] = [0x78, 0xda];

/// About how many bytes the state of `zlib-rs` takes that inflates.
const STATE: u64 = 48 << 10;

/// Why a stream can't be inflated.
#[derive(Clone, Copy, Debug)]
pub(crate) enum InflateFailure {
    /// The stream ends too early, breaks a rule or has a wrong checksum.
    Damaged,
    /// The stream holds more bytes than are allowed.
    TooLong,
    NoMemory(NoMemory),
}

impl From<NoMemory> for InflateFailure {
    fn from(error: NoMemory) -> Self {
        InflateFailure::NoMemory(error)
    }
}

/// Returns `head` and behind it `data` as a stream of zlib.
pub(crate) fn zlib(head: &[u8], data: &[u8]) -> Result<Vec<u8>, NoMemory> {
    let library = LibraryDeflate::new()?;
    let at = head.len() + HEADER.len();
    let size = at + bound(data.len()) + END.len() + 4;
    let mut stream = zeroed(size as u64)?;
    stream[..head.len()].copy_from_slice(head);
    stream[head.len()..at].copy_from_slice(&HEADER);
    let end = at + library.deflate(data, &mut stream[at..]);
    stream.truncate(end);
    stream.extend(END);
    stream.extend(simd_adler32::adler32(&data).to_be_bytes());
    // The stream is kept for long: without much spare room.
    if stream.capacity() - stream.len() <= stream.len() / 16 {
        return Ok(stream);
    }
    joined(&[&stream])
}

/// Returns the bytes that a stream of zlib holds: at most `limit`, in a buffer
/// of exactly their size.
///
/// Never has more than `limit` bytes at once, beside the state of `zlib-rs`.
pub(crate) fn inflate(stream: &[u8], limit: usize) -> Result<Vec<u8>, InflateFailure> {
    // The size is unknown. A buffer that is too small is dropped, and the next
    // one is larger. One that is too large is copied if both are within the
    // limit; else it is dropped, and the next one is exact.
    let mut room = stream.len().saturating_mul(2).max(1).min(limit);
    if room == 0 {
        return Err(InflateFailure::TooLong);
    }
    loop {
        let mut data = zeroed(room as u64)?;
        let (inflated, code) = decompress_slice(&mut data, stream, InflateConfig::default());
        let len = inflated.len();
        match code {
            ReturnCode::Ok if len == room => return Ok(data),
            ReturnCode::Ok if len <= limit - room => return Ok(joined(&[inflated])?),
            ReturnCode::Ok => room = len,
            ReturnCode::BufError if room == limit => return Err(InflateFailure::TooLong),
            ReturnCode::BufError => room = room.saturating_mul(4).min(limit),
            ReturnCode::MemError => return Err(NoMemory(STATE).into()),
            _ => return Err(InflateFailure::Damaged),
        }
    }
}
