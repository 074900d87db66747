//! What `zlib-rs` does: the strong modes, one raw stream for each piece, and
//! whole streams of zlib, for what is not pixels.

use std::panic::catch_unwind;

use zlib_rs::{Deflate, DeflateConfig, DeflateFlush, Inflate, InflateFlush, ReturnCode, Status};

use super::bits::BitWriter;
use super::block::{stored_size, write_stored, write_stored_header};
use super::{END, bound};
use crate::ErrorKind;

/// Bytes of the empty stored block.
const STORED_END: usize = 5;

/// About how many bytes the library's state takes.
const STATE: u64 = 400 << 10;

/// The library's state, made once and kept, and its level.
pub(crate) struct Strong {
    deflate: Deflate,
    level: i32,
}

impl Strong {
    /// Makes the state.
    ///
    /// The library panics if the memory for a state can't be had. Where it
    /// compresses a slice at once it takes the same memory, and reports it: so
    /// that is tried first. Should another thread take the memory in between,
    /// the panic is caught.
    pub(crate) fn new(level: i32) -> Result<Self, ErrorKind> {
        let config = DeflateConfig {
            level,
            window_bits: -15, // raw
            ..DeflateConfig::default()
        };
        let no_memory = ErrorKind::OutOfMemory { bytes: STATE };
        let (_, tried) = zlib_rs::compress_slice(&mut [0; 16], &[], config);
        if tried == ReturnCode::MemError {
            return Err(no_memory);
        }
        match catch_unwind(|| Deflate::new_with_config(config)) {
            Ok(deflate) => Ok(Strong { deflate, level }),
            Err(_) => Err(no_memory),
        }
    }

    /// Compresses `data` into `out`, which has [`bound`](super::bound), and
    /// returns how many bytes it took.
    pub(crate) fn deflate(&mut self, level: i32, data: &[u8], out: &mut [u8]) -> usize {
        let deflate = &mut self.deflate;
        deflate.reset();
        if self.level != level {
            // Nothing is under way that could be in its way.
            let changed = deflate.set_level(level);
            debug_assert!(changed.is_ok());
            self.level = level;
        }
        // A sync flush ends with an empty stored block. No more than what
        // storing takes: where the library needs more, it is stored.
        let limit = stored_size(data.len()) + STORED_END;
        let done = deflate.compress(data, &mut out[..limit], DeflateFlush::SyncFlush);
        let (read, written) = (deflate.total_in(), deflate.total_out() as usize);
        if done.is_ok() && read == data.len() as u64 && written < limit {
            return written;
        }
        let mut writer = BitWriter::new(out);
        write_stored(&mut writer, data);
        write_stored_header(&mut writer, 0);
        writer.state().at
    }
}

/// The level at which what is not pixels is compressed.
const LEVEL: i32 = 9;

/// A stream of zlib (RFC 1950) of some data that is not pixels.
pub(crate) fn zlib(data: &[u8]) -> Vec<u8> {
    let mut stream = vec![0; 2 + bound(data.len())];
    stream[..2].copy_from_slice(&[0x78, 0xda]);
    let piece = match Strong::new(LEVEL) {
        Ok(mut strong) => strong.deflate(LEVEL, data, &mut stream[2..]),
        Err(_) => super::Deflate::stored(data, &mut stream[2..]),
    };
    stream.truncate(2 + piece);
    stream.extend(END);
    stream.extend(simd_adler32::adler32(&data).to_be_bytes());
    stream
}

/// What a stream of zlib holds, if it is whole, its checksum is right, and it
/// is not longer than `limit`.
pub(crate) fn inflate(stream: &[u8], limit: usize) -> Option<Vec<u8>> {
    let mut inflate = Inflate::new(true, 15);
    let mut data = Vec::new();
    // Room grows with what there is, not with what is claimed.
    let mut room = 4 * stream.len() + 64;
    loop {
        data.resize(room.min(limit + 1), 0);
        let (read, written) = (inflate.total_in() as usize, inflate.total_out() as usize);
        let input = stream.get(read..)?;
        let status = inflate.decompress(input, &mut data[written..], InflateFlush::NoFlush);
        let now = inflate.total_out() as usize;
        match status.ok()? {
            Status::StreamEnd if now <= limit => {
                data.truncate(now);
                return Some(data);
            }
            // Nothing moves any more: it ends too early.
            _ if now == written && inflate.total_in() as usize == read => return None,
            _ if now > limit => return None,
            _ if now == data.len() => room = data.len() * 2,
            _ => {}
        }
    }
}
