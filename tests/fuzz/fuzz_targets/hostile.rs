//! A source whose every answer the fuzzer decides: it lies, shrinks, fails, calls back.
//! Each complete file must be valid, and nothing may panic.
//!
//! How to run it is said in `deflate.rs`.
#![no_main]

#[path = "../../common/mod.rs"]
mod common;
#[path = "../../common/hostile.rs"]
mod hostile;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    hostile::run(bytes, false);
});
