//! The crate's own deflate, there and back: two libraries of others inflate
//! what it makes, which is never much larger than the data, and every kernel
//! that the processor has gives the same bytes.
//!
//! From the root of the repository (in this folder it is `--fuzz-dir .`):
//!
//! ```sh
//! cargo install cargo-fuzz
//! cargo +nightly fuzz run --fuzz-dir tests/fuzz --sanitizer none --no-trace-compares \
//!     deflate -- -max_total_time=1200 -timeout=120 \
//!     -len_control=0 -entropic_scale_per_exec_time=1
//! ```
//!
//! `-timeout` makes a hang an error. It goes by the clock: a process that was
//! stopped for as long is one too, so run a `timeout-*` again before you believe
//! it. The other options are for speed, and needed: without them it takes
//! minutes until an input has ten bytes, and each takes several times as long.
//! The sanitizer has little to find where nothing is `unsafe` but in
//! dependencies, and no magic numbers are to be guessed from comparisons.
//!
//! An input that fails is left in `tests/fuzz/artifacts`, and printed as what
//! it stands for. To run it again, name it in place of `--` and what follows.
#![no_main]

mod content;

use content::Program;
use libfuzzer_sys::arbitrary::{Arbitrary, Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use pixview::Compression;

/// The most data for one run: four blocks of deflate.
const MOST: usize = 2 << 20;

#[derive(Debug)]
enum Data<'a> {
    Bytes(&'a [u8]),
    Program(Program<'a>),
}

impl<'a> Arbitrary<'a> for Data<'a> {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        Ok(match u.arbitrary::<u8>()? % 4 {
            0 => Data::Bytes(u.bytes(u.len())?),
            _ => Data::Program(u.arbitrary()?),
        })
    }
}

fuzz_target!(|data: Data| {
    match data {
        Data::Bytes(data) => check(data),
        Data::Program(program) => check(&program.run(MOST)),
    }
});

fn check(data: &[u8]) {
    for mode in [Compression::Fast, Compression::Small, Compression::Best] {
        check_mode(data, mode);
    }
}

fn check_mode(data: &[u8], mode: Compression) {
    let len = data.len();
    let zlib = pixview::internals::deflate(data, mode);
    // The header, the last block and the checksum are no part of a piece.
    let piece = zlib.len() - 2 - 2 - 4;
    assert!(piece <= len + len / 1000 + 16, "{piece} of {len}, {mode:?}");
    let inflated = miniz_oxide::inflate::decompress_to_vec_zlib(&zlib);
    let inflated = inflated.expect("miniz_oxide inflates it");
    assert!(inflated == data, "miniz_oxide: {len} bytes, {mode:?}");
    let inflated = zune_inflate::DeflateDecoder::new(&zlib).decode_zlib();
    let inflated = inflated.expect("zune-inflate inflates it");
    assert!(inflated == data, "zune-inflate: {len} bytes, {mode:?}");
}
