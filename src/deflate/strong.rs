//! What `zlib-rs` does: the strong modes, one raw stream for each piece.

use zlib_rs::{Deflate, DeflateConfig, DeflateFlush};

use super::bits::BitWriter;
use super::block::{stored_size, write_stored, write_stored_header};

/// Bytes of the empty stored block.
const STORED_END: usize = 5;

/// The library's state, made once and kept, and its level.
#[derive(Default)]
pub(crate) struct Strong(Option<(Deflate, i32)>);

impl Strong {
    /// Makes the state, so that it is there before it is needed.
    pub(crate) fn prepare(&mut self, level: i32) {
        self.state(level);
    }

    fn state(&mut self, level: i32) -> &mut (Deflate, i32) {
        self.0.get_or_insert_with(|| {
            let config = DeflateConfig {
                level,
                window_bits: -15, // raw
                ..DeflateConfig::default()
            };
            (Deflate::new_with_config(config), level)
        })
    }

    /// Compresses `data` into `out`, which has [`bound`](super::bound), and
    /// returns how many bytes it took.
    pub(crate) fn deflate(&mut self, level: i32, data: &[u8], out: &mut [u8]) -> usize {
        let (deflate, set) = self.state(level);
        deflate.reset();
        if *set != level {
            // Nothing is under way that could be in its way.
            let changed = deflate.set_level(level);
            debug_assert!(changed.is_ok());
            *set = level;
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
