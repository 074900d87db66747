//! What the processor can do.
//!
//! Built with `--cfg pixview_level="avx2"` or `"portable"` the crate asks for
//! no more than that, to measure on one machine what others will see. The
//! files are the same.

/// What the processor can do, or less where that is wanted.
#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
pub(crate) fn level() -> Option<fearless_simd::Level> {
    let level = fearless_simd::Level::new();
    match level.as_avx2() {
        _ if cfg!(pixview_level = "portable") => None,
        Some(avx2) if cfg!(pixview_level = "avx2") => Some(fearless_simd::Simd::level(avx2)),
        _ => Some(level),
    }
}
