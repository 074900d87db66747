//! The compressor of `zlib-rs`, for data that is not pixels.

use std::panic::catch_unwind;

use zlib_rs::{Deflate, DeflateConfig, DeflateFlush, ReturnCode};

use super::bits::BitWriter;
use super::block::{stored_size, write_stored, write_stored_header};
use crate::alloc::NoMemory;

/// Bytes of the empty stored block.
const STORED_END: usize = 5;

/// About how many bytes the library's state takes.
const STATE: u64 = 400 << 10;

/// The level of compression: the highest.
const LEVEL: i32 = 9;

/// The state of the library.
pub(crate) struct LibraryDeflate {
    deflate: Deflate,
}

impl LibraryDeflate {
    /// Makes the state.
    ///
    /// The library panics if the memory for a state can't be had. Where it
    /// compresses a slice at once it takes the same memory, and reports it: so
    /// that is tried first. Should another thread take the memory in between,
    /// the panic is caught.
    pub(crate) fn new() -> Result<Self, NoMemory> {
        let config = DeflateConfig {
            level: LEVEL,
            window_bits: -15, // raw
            ..DeflateConfig::default()
        };
        let (_, tried) = zlib_rs::compress_slice(&mut [0; 16], &[], config);
        if tried == ReturnCode::MemError {
            return Err(NoMemory(STATE));
        }
        match catch_unwind(|| Deflate::new_with_config(config)) {
            Ok(deflate) => Ok(LibraryDeflate { deflate }),
            Err(_) => Err(NoMemory(STATE)),
        }
    }

    /// Compresses `data` to one piece in `out`, which has [`bound`](super::bound) bytes,
    /// and returns the bytes written.
    pub(crate) fn deflate(mut self, data: &[u8], out: &mut [u8]) -> usize {
        let deflate = &mut self.deflate;
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
