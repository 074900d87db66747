//! What the fuzz targets in `tests/fuzz` need of what is private. Only there
//! where they are built: `cargo fuzz` sets `--cfg fuzzing`.

use crate::deflate::{self, Deflate, Portable};

/// `data` as a zlib stream (RFC 1950) of one piece in the fast mode.
///
/// # Panics
///
/// If the kernels that this processor has don't agree about it.
#[must_use]
pub fn deflate(data: &[u8]) -> Vec<u8> {
    let mut scratch = Deflate::default();
    // What lies behind the data, and was in `out` before, must not matter.
    type Fast<'a> = &'a dyn Fn(&mut Deflate, &[u8], &mut [u8]) -> usize;
    let mut run = |junk: u8, fast: Fast| {
        let mut padded = data.to_vec();
        padded.resize(data.len() + deflate::PADDING, junk);
        let mut out = vec![!junk; deflate::bound(data.len())];
        let size = fast(&mut scratch, &padded, &mut out);
        out.truncate(size);
        out
    };
    let piece = run(0, &|scratch, padded, out| {
        scratch.fast(Portable, padded, data.len(), out)
    });
    #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
    {
        let level = fearless_simd::Level::new();
        if let Some(token) = level.as_avx2() {
            let other = run(0xff, &|scratch, padded, out| {
                x86::avx2(token, scratch, padded, data.len(), out)
            });
            assert!(other == piece, "AVX2 differs from portable code");
        }
        if let Some(token) = level.as_avx512() {
            let other = run(0x5a, &|scratch, padded, out| {
                x86::avx512(token, scratch, padded, data.len(), out)
            });
            assert!(other == piece, "AVX-512 differs from portable code");
        }
    }
    let adler = simd_adler32::adler32(&data).to_be_bytes();
    [&[0x78, 0x01][..], &piece, &deflate::END, &adler].concat()
}

/// The same code, compiled for other registers.
#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
mod x86 {
    use crate::deflate::Deflate;
    use crate::deflate::x86::{With256, With512};

    fearless_simd::kernel!(
        #[inline(never)]
        pub(super) fn avx2(
            token: Avx2,
            scratch: &mut Deflate,
            padded: &[u8],
            len: usize,
            out: &mut [u8],
        ) -> usize {
            scratch.fast(With256(token), padded, len, out)
        }
    );

    fearless_simd::kernel!(
        #[inline(never)]
        pub(super) fn avx512(
            token: Avx512,
            scratch: &mut Deflate,
            padded: &[u8],
            len: usize,
            out: &mut [u8],
        ) -> usize {
            scratch.fast(With512(token), padded, len, out)
        }
    );
}
