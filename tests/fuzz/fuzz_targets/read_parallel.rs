//! Reading by several threads: of files whose image data is cut well, cut badly or
//! damaged. The result is that of one thread.
//!
//! How to run it is said in `deflate.rs`.
#![no_main]

#[path = "../../common/mod.rs"]
mod common;
#[path = "../../common/cut.rs"]
mod cut;
#[path = "../../common/parts.rs"]
mod parts;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    cut::compare(&cut::make(bytes), None);
});
