//! Contract 4 for reading: an allocation that fails is an error, whichever it is.
//!
//! One test in a process of its own: allocations of all threads are counted.

mod common;
#[path = "common/parts.rs"]
mod parts;

use std::io::Read;

use failing_alloc::FailingAlloc;
use parts::{chunk, file, header, scanlines, zlib};
use pixview::{Error, ErrorKind, Image, PixelFormat, PngDecoder, PngReader};

/// What the docs except: buffers and tables of the decoder.
const SMALLEST: usize = (32 << 10) + 1;

#[global_allocator]
static ALLOCATOR: FailingAlloc = FailingAlloc::new(SMALLEST);

/// A file with rows of 60 KB and more, and large chunks before and behind.
fn picture(color: u8, depth: u8, interlaced: bool, animated: bool) -> Vec<u8> {
    let (width, height) = (61_000, 6);
    let data = |seed| zlib(&scanlines(width, height, depth, color, interlaced, seed));
    let mut chunks = vec![header(width, height, depth, color, interlaced)];
    if color == 3 {
        let rgb: Vec<u8> = (0..256).flat_map(common::color).collect();
        chunks.push(chunk(b"PLTE", &rgb));
    }
    for size in [40_000, 3 << 20] {
        chunks.push(chunk(b"prVt", &vec![5; size]));
    }
    chunks.push(chunk(b"eXIf", &[b"II*\0", &vec![7; 50_000][..]].concat()));
    let control = |number: u32| {
        let mut data = number.to_be_bytes().to_vec();
        data.extend([width, height, 0, 0].iter().flat_map(|v| v.to_be_bytes()));
        data.extend([0, 1, 0, 10, 2, 1]);
        chunk(b"fcTL", &data)
    };
    if animated {
        chunks.push(chunk(b"acTL", &[0, 0, 0, 2, 0, 0, 0, 0]));
        chunks.push(control(0));
    }
    chunks.push(chunk(b"IDAT", &data(1)));
    if animated {
        chunks.push(control(1));
        chunks.push(chunk(
            b"fdAT",
            &[&2u32.to_be_bytes()[..], &data(2)].concat(),
        ));
    }
    let text = vec![b'x'; 40_000];
    chunks.push(chunk(b"zTXt", &[b"Comment\0\0", &zlib(&text)[..]].concat()));
    chunks.push(chunk(b"tEXt", &[b"Comment\0", &text[..]].concat()));
    file(&chunks)
}

/// Everything that can be had of a file.
fn read<R: Read>(
    reader: Result<PngReader<R>, Error>,
    format: Option<PixelFormat>,
) -> Result<Vec<u8>, Error> {
    let mut reader = reader?;
    if reader.frames() > 1 {
        let format = format.unwrap_or(PixelFormat::RGBA8);
        let mut view = Image::new(reader.width(), reader.height(), format)?;
        while reader.next_frame(&mut view)?.is_some() {}
        reader.metadata()?;
        return Ok(view.into_source());
    }
    let format = format.unwrap_or(reader.format());
    let image = reader.read_as(format)?;
    reader.metadata()?;
    Ok(image.into_source())
}

/// Without memory for several threads, one thread reads.
fn several_threads() {
    let image = Image::from_buffer(vec![5; 2000 * 1500], 2000, 1500, PixelFormat::GRAY8).unwrap();
    let png = image.to_png().unwrap();
    let decoder = PngDecoder::new().threads(3);
    ALLOCATOR.fail(usize::MAX, false);
    let expected = read(decoder.open_bytes(&png), None).unwrap();
    let all = ALLOCATOR.stop();
    assert!(expected == *image.source() && all > 10, "{all}");
    let mut read_all_the_same = 0;
    for first in 1..=all {
        for lasting in [false, true] {
            ALLOCATOR.fail(first, lasting);
            let result = read(decoder.open_bytes(&png), None);
            ALLOCATOR.stop();
            match result {
                Ok(pixels) => {
                    assert!(pixels == expected, "{first} of {all}");
                    read_all_the_same += 1;
                }
                Err(error) => {
                    let no_memory = matches!(error.kind(), ErrorKind::OutOfMemory { .. });
                    assert!(no_memory, "{first} of {all}: {error:#}");
                }
            }
        }
    }
    assert!(read_all_the_same > 0);
}

#[test]
fn every_allocation_may_fail() {
    use PixelFormat as F;
    let folder = common::folder();
    let path = folder.path().join("a.png");
    for (color, depth, interlaced, animated, format) in [
        (6, 8, false, false, None),
        (2, 16, false, false, None),
        (2, 8, true, false, None),
        (0, 8, true, false, Some(F::GRAY4)),
        (0, 16, true, false, Some(F::BGRA8)),
        (3, 8, false, false, None),
        (3, 8, false, false, Some(F::RGB565)),
        (3, 8, true, false, Some(F::RGBA16)),
        (6, 8, false, true, None),
        (0, 8, true, true, Some(F::RGB8)),
    ] {
        let png = picture(color, depth, interlaced, animated);
        std::fs::write(&path, &png).unwrap();
        let decoder = PngDecoder::new();
        let run = |from: usize| match from {
            0 => read(decoder.open_bytes(&png), format),
            1 => read(decoder.open_reader(&png[..]), format),
            _ => read(decoder.open(&path), format),
        };
        // All ways to read for some files: they differ in nothing else.
        for from in 0..if color == 6 { 3 } else { 1 } {
            ALLOCATOR.fail(usize::MAX, false);
            let expected = run(from);
            let all = ALLOCATOR.stop();
            let expected = expected.unwrap();
            assert!(all > 10, "{all} allocations");
            for first in 1..=all {
                for lasting in [false, true] {
                    ALLOCATOR.fail(first, lasting);
                    let result = run(from);
                    ALLOCATOR.stop();
                    let name = format!("color {color}, way {from}, {first} of {all}, {lasting}");
                    let error = result.expect_err(&name);
                    let no_memory = matches!(error.kind(), ErrorKind::OutOfMemory { .. });
                    assert!(no_memory, "{name}: {error:#}");
                }
            }
            // And nothing is broken by that.
            assert!(run(from).unwrap() == expected);
        }
    }
    several_threads();
}
