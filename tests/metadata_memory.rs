//! Contract 2 for metadata: a save allocates nothing for it, and a read no more
//! than its limit.

use std::io;
use std::sync::{Mutex, PoisonError};

use peak_alloc::PeakAlloc;
use pixview::metadata::{IccProfile, Text};
use pixview::{Image, Metadata, PixelFormat, PngDecoder, PngEncoder};

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// Held by each test: the peak counts the allocations of all threads.
static ALONE: Mutex<()> = Mutex::new(());

const MIB: usize = 1 << 20;

/// Runs `f` and returns its result and the most bytes that were allocated at
/// once meanwhile, beyond those before.
fn peak<T>(f: impl FnOnce() -> T) -> (T, usize) {
    let before = ALLOCATOR.current_usage();
    ALLOCATOR.reset_peak_usage();
    let result = f();
    (result, ALLOCATOR.peak_usage() - before)
}

fn image() -> Image<Vec<u8>> {
    Image::new(40, 30, PixelFormat::RGB8).unwrap()
}

fn noise(len: usize) -> Vec<u8> {
    let mut seed = 5u64;
    let mut next = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (seed >> 56) as u8
    };
    (0..len).map(|_| next()).collect()
}

/// A second save copies no metadata and compresses none (contract 2).
#[test]
fn saves_again() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let mut metadata = Metadata::default();
    metadata.icc = Some(IccProfile::new("a profile", noise(20 * MIB)));
    metadata.exif = Some([b"II*\0", &noise(5 * MIB)[..]].concat());
    metadata
        .text
        .push(Text::new("Comment", "so long. ".repeat(100_000)));
    let mut plain = PngEncoder::new();
    let mut encoder = PngEncoder::new().metadata(metadata);
    for encoder in [&mut plain, &mut encoder] {
        encoder.write(&image(), io::sink()).unwrap();
    }
    let image = image();
    let (result, without) = peak(|| plain.write(&image, io::sink()));
    result.unwrap();
    let (result, with) = peak(|| encoder.write(&image, io::sink()));
    result.unwrap();
    assert_eq!(with, without, "bytes that a second save takes");
}

/// Inserts a chunk before the image data of a file.
fn with_chunk(mut png: Vec<u8>, name: [u8; 4], data: Vec<u8>) -> Vec<u8> {
    let at = png.windows(4).position(|w| w == b"IDAT").unwrap() - 4;
    let mut chunk = (data.len() as u32).to_be_bytes().to_vec();
    chunk.extend(name);
    chunk.extend(data);
    let mut crc = !0u32;
    for byte in &chunk[4..] {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg());
        }
    }
    chunk.extend((!crc).to_be_bytes());
    png.splice(at..at, chunk);
    png
}

/// A text that is small in the file and large in memory is read within the
/// limit.
#[test]
fn inflates_within_the_limit() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    for byte in [b'a', 0xe9] {
        for len in [1 << 20, (1 << 26) - 1000, (1 << 26) + 1] {
            let mut text = b"Comment\0\0".to_vec();
            text.extend(miniz_oxide::deflate::compress_to_vec_zlib(
                &vec![byte; len],
                9,
            ));
            let size = text.len();
            let png = with_chunk(image().to_png().unwrap(), *b"zTXt", text);
            let reader = PngDecoder::new().from_bytes(&png).unwrap();
            let (metadata, peak) = peak(|| reader.metadata());
            let limit = 1 << 26;
            assert!(
                peak <= limit + 128 * 1024,
                "{size} bytes of text take {} MiB",
                peak / MIB
            );
            let _ = metadata;
        }
    }
}
