//! What metadata costs: a save takes no more memory for it than the first has,
//! a read no more than its limit; and every allocation may fail.

use std::io;
use std::sync::{Mutex, PoisonError};

use pixview::{
    Background, Chromaticities, Chunk, Cicp, Density, Error, ErrorKind, IccProfile, Image,
    LightLevel, MasteringDisplay, Metadata, Palette, PixelFormat, PngDecoder, PngEncoder, Text,
    Time,
};
use test_allocator::{TestAllocator, count, fail, peak};

#[global_allocator]
static ALLOCATOR: TestAllocator = TestAllocator;

/// The peak is that of all threads: one test at a time.
static ALONE: Mutex<()> = Mutex::new(());

const MIB: usize = 1 << 20;

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
    metadata.icc = Some(IccProfile {
        name: "a profile".into(),
        data: noise(20 * MIB),
    });
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
    let ((), without) = count(|| plain.write(&image, io::sink()).unwrap());
    let ((), with) = count(|| encoder.write(&image, io::sink()).unwrap());
    assert_eq!(with, without, "allocations of a second save");
}

/// A file with a chunk before its image data.
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

/// Text that is small in a file, and large in memory.
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

/// Every kind of metadata, for files of RGB.
fn full() -> Metadata {
    let mut metadata = Metadata::default();
    let text = |text: &str, language: &str| Text {
        language: language.into(),
        translated: language.into(),
        ..Text::new("Comment", text)
    };
    metadata.text = vec![
        text("short", ""),
        text("Stra\u{df}e", ""),
        text(&"a long one, again and again. ".repeat(40), ""),
        text(&"Stra\u{df}e, again and again. ".repeat(40), ""),
        text("作者", "zh-Hans"),
        text(&"作者, again and again. ".repeat(40), "zh-Hans"),
    ];
    metadata.density = Some(Density::from_dpi(300.0));
    metadata.gamma = Some(45455);
    metadata.chromaticities = Some(Chromaticities::SRGB);
    metadata.icc = Some(IccProfile {
        name: "a profile".into(),
        data: noise(3000),
    });
    metadata.cicp = Some(Cicp {
        primaries: 9,
        transfer: 16,
        full_range: true,
    });
    metadata.mastering_display = Some(MasteringDisplay {
        red: [35400, 14600],
        green: [8500, 39850],
        blue: [6550, 2300],
        white: [15635, 16450],
        max_luminance: 10_000_000,
        min_luminance: 1,
    });
    metadata.light_level = Some(LightLevel {
        max_content: 4_000_000,
        max_frame_average: 1_000_000,
    });
    metadata.exif = Some(b"MM\0\x2a\0\0\0\x08\0\0\0\0\0\0".to_vec());
    metadata.significant_bits = Some(vec![5, 6, 5]);
    metadata.background = Some(Background::Rgb([1, 200, 3]));
    metadata.time = Some(Time {
        year: 2026,
        month: 11,
        day: 23,
        hour: 23,
        minute: 59,
        second: 60,
    });
    metadata.transparent = Some([9, 8, 7]);
    metadata.chunks = [false, true]
        .map(|after| Chunk {
            name: *b"prVt",
            data: vec![1, 2, 3],
            after,
        })
        .to_vec();
    metadata
}

fn assert_no_memory(error: &Error, n: usize) {
    let no_memory = matches!(error.kind(), ErrorKind::OutOfMemory { bytes: 1.. });
    assert!(no_memory, "allocation {n}: {error:#}");
}

/// Each allocation for metadata fails in turn, in a save and in a read.
#[test]
fn every_allocation_may_fail() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let (metadata, image) = (full(), image());
    let png = PngEncoder::new().metadata(full()).to_vec(&image).unwrap();

    let (encoder, encoder_as_well) = (PngEncoder::new(), metadata.clone());
    let (encoder, most) = count(|| encoder.metadata(encoder_as_well));
    drop(encoder);
    assert!(most > 30, "{most} allocations");
    for n in 0..most {
        let (encoder, metadata) = (PngEncoder::new(), metadata.clone());
        let mut encoder = fail(n, || encoder.metadata(metadata));
        for _ in 0..2 {
            assert_no_memory(&encoder.to_vec(&image).unwrap_err(), n);
        }
        // And the encoder can be used again.
        let mut encoder = encoder.metadata(full());
        assert!(encoder.to_vec(&image).unwrap() == png);
    }

    // The palette is written at each save.
    let palette = Palette::from_rgba(&[[1, 2, 3, 4], [5, 6, 7, 255]]).unwrap();
    let indexed = Image::new(4, 4, PixelFormat::INDEXED8).unwrap();
    let indexed = indexed.with_palette(palette).unwrap();
    for n in 0..3 {
        let mut encoder = PngEncoder::new();
        let written = fail(n, || encoder.write(&indexed, io::sink()));
        assert_no_memory(&written.unwrap_err(), n);
    }

    // With a fault of each kind.
    let odd = [
        (*b"tEXt", &b""[..]),
        (*b"tEXt", b" odd \0e\0f"),
        (*b"eXIf", b"Exif\0\0II*\0"),
    ];
    let odd = odd.iter().fold(png, |png, (name, data)| {
        with_chunk(png, *name, data.to_vec())
    });
    let mut reader = PngDecoder::new().from_bytes(&odd).unwrap();
    reader.read().unwrap();
    let (parsed, most) = count(|| reader.metadata().unwrap());
    assert_eq!((parsed.faults.len(), parsed.text.len()), (3, 7));
    assert!(most > 25, "{most} allocations");
    for n in 0..most {
        assert_no_memory(&fail(n, || reader.metadata()).unwrap_err(), n);
    }
    assert_eq!(reader.metadata().unwrap(), parsed);
}
