//! Access to private functions for the fuzz targets in `tests/fuzz`. Compiled
//! only with `--cfg fuzzing`, which `cargo fuzz` sets.

use crate::arch::{Registers, dispatch};
use crate::deflate::{self, Deflate};

/// Compresses `data` with the fast mode to a zlib stream (RFC 1950) of one piece.
///
/// # Panics
///
/// Panics if two register sets of this processor produce different bytes.
#[must_use]
pub fn deflate(data: &[u8]) -> Vec<u8> {
    let mut scratch = Deflate::default();
    let mut piece: Option<Vec<u8>> = None;
    for (i, registers) in Registers::all().into_iter().enumerate() {
        // Other padding and other old bytes of `out` for each register set: the
        // output must not depend on them.
        let junk = [0, 0xff, 0x5a][i];
        let mut padded = data.to_vec();
        padded.resize(data.len() + deflate::PADDING, junk);
        let mut out = vec![!junk; deflate::bound(data.len())];
        let size = fast(registers, &mut scratch, &padded, data.len(), &mut out);
        out.truncate(size);
        let expected = piece.get_or_insert_with(|| out.clone());
        let name = registers.name();
        assert!(out == *expected, "{name} differs from portable code");
    }
    let adler = simd_adler32::adler32(&data).to_be_bytes();
    [
        &[0x78, 0x01],
        &piece.unwrap_or_default()[..],
        &deflate::END,
        &adler,
    ]
    .concat()
}

dispatch! {
    fn fast<kernels>(scratch: &mut Deflate, padded: &[u8], len: usize, out: &mut [u8]) -> usize {
        scratch.fast(kernels, padded, len, out)
    }
}
