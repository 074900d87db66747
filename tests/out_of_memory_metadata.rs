//! Contract 2 for metadata: each allocation that fails is an error.
//!
//! One test in a process of its own: allocations of all threads are counted.

mod common;

use std::io;

use failing_alloc::FailingAlloc;
use pixview::metadata::{
    Background, Chromaticities, Chunk, Cicp, Density, IccProfile, LightLevel, MasteringDisplay,
    Text, Time,
};
use pixview::{Error, ErrorKind, Image, Metadata, Palette, PixelFormat, PngDecoder, PngEncoder};

#[global_allocator]
static ALLOCATOR: FailingAlloc = FailingAlloc::new(0);

/// Runs `f` and returns its result and the number of allocations it made.
fn count<T>(f: impl FnOnce() -> T) -> (T, usize) {
    fail(usize::MAX, f)
}

/// Runs `f`, whose allocation number `n`, from 1, fails.
fn fail<T>(n: usize, f: impl FnOnce() -> T) -> (T, usize) {
    ALLOCATOR.fail(n, false);
    let result = f();
    (result, ALLOCATOR.stop())
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

/// Returns metadata of every kind, for an RGB file.
fn full() -> Metadata {
    let mut metadata = Metadata::default();
    let text = |text: &str, language: &str| {
        let mut text = Text::new("Comment", text);
        text.language = language.into();
        text.translated_keyword = language.into();
        text
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
    metadata.icc = Some(IccProfile::new("a profile", common::noise(3000, 1)));
    metadata.cicp = Some(Cicp::new(9, 16));
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
        .map(|after| {
            let mut chunk = Chunk::new(*b"prVt", [1, 2, 3]);
            chunk.after_image_data = after;
            chunk
        })
        .to_vec();
    metadata
}

fn assert_no_memory(error: &Error, n: usize) {
    let no_memory = matches!(error.kind(), ErrorKind::OutOfMemory { bytes: 1.., .. });
    assert!(no_memory, "allocation {n}: {error:#}");
}

/// Each allocation for metadata fails in turn, in a save and in a read.
#[test]
fn every_allocation_may_fail() {
    let (metadata, image) = (full(), Image::new(40, 30, PixelFormat::RGB8).unwrap());
    let png = PngEncoder::new().metadata(full()).to_png(&image).unwrap();

    let (encoder, encoder_as_well) = (PngEncoder::new(), metadata.clone());
    let (encoder, most) = count(|| encoder.metadata(encoder_as_well));
    drop(encoder);
    assert!(most > 30, "{most} allocations");
    for n in 1..=most {
        let (encoder, metadata) = (PngEncoder::new(), metadata.clone());
        let (mut encoder, _) = fail(n, || encoder.metadata(metadata));
        for _ in 0..2 {
            assert_no_memory(&encoder.to_png(&image).unwrap_err(), n);
        }
        // The encoder can be used again.
        let mut encoder = encoder.metadata(full());
        assert!(encoder.to_png(&image).unwrap() == png);
    }

    // A second save allocates nothing for metadata.
    let mut plain = PngEncoder::new();
    let mut encoder = PngEncoder::new().metadata(metadata.clone());
    let counts = [&mut plain, &mut encoder].map(|encoder| {
        encoder.write(&image, io::sink()).unwrap();
        let (written, count) = count(|| encoder.write(&image, io::sink()));
        written.unwrap();
        count
    });
    assert_eq!(counts[0], counts[1], "allocations of a second save");

    // The palette is written at each save.
    let palette = Palette::from_rgba(&[[1, 2, 3, 4], [5, 6, 7, 255]]).unwrap();
    let indexed = Image::new(4, 4, PixelFormat::INDEXED8).unwrap();
    let indexed = indexed.with_palette(palette).unwrap();
    for n in 1..=3 {
        let mut encoder = PngEncoder::new();
        let (written, _) = fail(n, || encoder.write(&indexed, io::sink()));
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
    for n in 1..=most {
        let (parsed, _) = fail(n, || reader.metadata());
        assert_no_memory(&parsed.unwrap_err(), n);
    }
    assert_eq!(reader.metadata().unwrap(), parsed);
}
