//! The checksum of the image data (Adler-32, RFC 1950) is compared, however
//! the bytes arrive.

mod common;
#[path = "common/parts.rs"]
mod parts;

use std::io::{self, Read};

use parts::{chunk, file, header, scanlines, zlib};
use pixview::{Error, ErrorKind, Image, PixelFormat, PngDecoder};

/// Gives at most so many bytes at a time.
struct Pieces<'a>(&'a [u8], usize);

impl Read for Pieces<'_> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let count = to.len().min(self.1);
        self.0.read(&mut to[..count])
    }
}

/// Every way to read a file.
fn reads(png: &[u8]) -> Vec<Result<Vec<u8>, Error>> {
    let folder = common::folder();
    let path = folder.path().join("a.png");
    std::fs::write(&path, png).unwrap();
    let mut all = vec![Image::from_png(png), Image::open(&path)];
    for size in [1, 2, 3, 5, 7, 100, 4096] {
        all.push(Image::from_reader(Pieces(png, size)));
    }
    all.into_iter()
        .map(|image| image.map(Image::into_source))
        .collect()
}

/// Compares a file with the right checksum and the same with a wrong one.
fn check(name: &str, make: impl Fn(&[u8]) -> Vec<u8>, stream: &[u8], sum_at: usize) {
    let expected = Image::from_png(make(stream))
        .unwrap_or_else(|error| panic!("{name}: {error:#}"))
        .into_source();
    for read in reads(&make(stream)) {
        let found = read.unwrap_or_else(|error| panic!("{name}: {error:#}"));
        assert!(found == expected, "{name}");
    }
    for at in [sum_at, sum_at + 3] {
        let mut wrong = stream.to_vec();
        wrong[at] ^= 0x10;
        for (i, read) in reads(&make(&wrong)).into_iter().enumerate() {
            let Err(error) = read else {
                panic!("{name}: byte {at} is wrong, way {i} to read accepts it");
            };
            let ErrorKind::Decode { chunk, .. } = error.kind() else {
                panic!("{name}: {error:#}");
            };
            assert_eq!(chunk, "IDAT", "{name}: {error:#}");
        }
    }
}

/// Image data in chunks of this many bytes, the last `tail` in one of its own.
fn data_chunks(stream: &[u8], size: usize, tail: usize) -> Vec<Vec<u8>> {
    let (head, tail) = stream.split_at(stream.len() - tail);
    let mut chunks: Vec<Vec<u8>> = head.chunks(size).map(|part| chunk(b"IDAT", part)).collect();
    if !tail.is_empty() {
        chunks.push(chunk(b"IDAT", tail));
    }
    chunks
}

#[test]
fn every_way_that_the_last_bytes_arrive() {
    for interlaced in [false, true] {
        for (width, height) in [(7, 5), (200, 60)] {
            let rows = scanlines(width, height, 8, 2, interlaced, 5);
            let stream = zlib(&rows);
            let head = header(width, height, 8, 2, interlaced);
            let at = stream.len() - 4;
            for (size, tail) in [
                (usize::MAX, 0),
                (usize::MAX, 1),
                (usize::MAX, 2),
                (usize::MAX, 4),
                (usize::MAX, 5),
                (usize::MAX, 9),
                (1, 0),
                (3, 0),
                (1024, 0),
                (1024, 4),
            ] {
                if size < 1024 && width > 7 {
                    continue;
                }
                let make = |stream: &[u8]| {
                    let mut chunks = vec![head.clone()];
                    chunks.extend(data_chunks(stream, size, tail));
                    file(&chunks)
                };
                let name = format!("{width}x{height}, {interlaced}, chunks of {size}, then {tail}");
                check(&name, make, &stream, at);
            }
            // Empty chunks before the checksum and behind.
            let make = |stream: &[u8]| {
                let (head_data, tail) = stream.split_at(stream.len() - 4);
                let empty = chunk(b"IDAT", &[]);
                file(&[
                    head.clone(),
                    empty.clone(),
                    chunk(b"IDAT", head_data),
                    empty.clone(),
                    chunk(b"IDAT", tail),
                    empty,
                ])
            };
            check("empty chunks", make, &stream, at);
            // Bytes behind the stream are not looked at.
            let make = |stream: &[u8]| {
                let data = [stream, b"more than was asked for"].concat();
                file(&[head.clone(), chunk(b"IDAT", &data), chunk(b"IDAT", b"x")])
            };
            check("bytes behind", make, &stream, at);
            // More rows than the header says, which are under the checksum too.
            for extra in [1, 40, 100_000] {
                let more = [&rows[..], &vec![7; extra]].concat();
                let stream = zlib(&more);
                let make = |stream: &[u8]| file(&[head.clone(), chunk(b"IDAT", stream)]);
                check("more rows", make, &stream, stream.len() - 4);
            }
            // Blocks without any data before the checksum.
            let sum = &stream[at..];
            for empty in [1, 3, 1000] {
                // The last block is not said to be the last, but the empty ones
                // behind it end the stream.
                let mut blocks = vec![0x78, 1];
                for part in rows.chunks(60_000) {
                    let len = part.len() as u16;
                    blocks.push(0);
                    blocks.extend(len.to_le_bytes());
                    blocks.extend((!len).to_le_bytes());
                    blocks.extend(part);
                }
                for i in 0..empty {
                    blocks.extend([u8::from(i + 1 == empty), 0, 0, 0xff, 0xff]);
                }
                blocks.extend(sum);
                let make = |stream: &[u8]| {
                    let mut chunks = vec![head.clone()];
                    chunks.extend(data_chunks(stream, 8192, 0));
                    file(&chunks)
                };
                check("empty blocks", make, &blocks, blocks.len() - 4);
            }
        }
    }
}

/// As the issue of streaming writers has it: chunks of 1 KiB.
#[test]
fn files_of_a_stream_writer() {
    use std::io::Write;
    let mut accepted = 0;
    for i in 0..60u32 {
        let (width, height) = (20 + i * 7, 10 + i * 3);
        let mut png = Vec::new();
        let mut encoder = png::Encoder::new(&mut png, width, height);
        encoder.set_color(png::ColorType::Rgb);
        let mut writer = encoder.write_header().unwrap();
        let mut stream = writer.stream_writer_with_size(1024).unwrap();
        let pixels = common::noise((width * height * 3) as usize, u64::from(i));
        stream.write_all(&pixels).unwrap();
        stream.finish().unwrap();
        writer.finish().unwrap();
        assert_eq!(*Image::from_png(&png).unwrap().source(), pixels);
        // The last byte of the checksum is the last of the last data chunk.
        let end = png.len() - 12 - 4;
        png[end - 1] ^= 1;
        let start = png.windows(4).rposition(|w| w == b"IDAT").unwrap();
        let sum = parts::crc(&png[start..end]);
        png[end..end + 4].copy_from_slice(&sum.to_be_bytes());
        accepted += usize::from(Image::from_png(&png).is_ok());
    }
    assert_eq!(accepted, 0, "wrong checksums accepted, of 60");
}

/// A stream that ends before its end: no error may be missed.
#[test]
fn streams_that_end_early() {
    for interlaced in [false, true] {
        let rows = scanlines(30, 20, 8, 6, interlaced, 1);
        let stream = zlib(&rows);
        let head = header(30, 20, 8, 6, interlaced);
        for missing in 1..=stream.len() {
            let cut = &stream[..stream.len() - missing];
            let png = file(&[head.clone(), chunk(b"IDAT", cut)]);
            for read in [
                Image::from_png(&png),
                Image::from_reader(Pieces(&png, 1)),
                Image::from_reader(Pieces(&png, 7)),
            ] {
                let error = read.expect_err("cut");
                let ErrorKind::Decode { chunk, offset, .. } = error.kind() else {
                    panic!("{missing}: {error:#}");
                };
                assert_eq!((&chunk[..], *offset), ("IDAT", 33), "{missing}");
            }
        }
        // Fewer rows than there should be, in a stream that is whole.
        let png = file(&[head.clone(), chunk(b"IDAT", &zlib(&rows[..rows.len() - 1]))]);
        for read in [Image::from_png(&png), Image::from_reader(Pieces(&png, 1))] {
            let error = read.expect_err("too few rows");
            assert!(matches!(error.kind(), ErrorKind::Decode { .. }));
        }
    }
}

/// The streams of frames.
#[test]
fn frames() {
    let (width, height) = (40, 30);
    for interlaced in [false, true] {
        for tail in [0, 1, 4, 6] {
            for wrong in [None, Some(0), Some(1), Some(2)] {
                let mut chunks = vec![
                    header(width, height, 8, 6, interlaced),
                    chunk(b"acTL", &[0, 0, 0, 3, 0, 0, 0, 0]),
                ];
                let mut number = 0u32;
                let mut next = || {
                    number += 1;
                    (number - 1).to_be_bytes()
                };
                for i in 0..3 {
                    let mut control = next().to_vec();
                    control.extend([width, height, 0, 0].iter().flat_map(|v| v.to_be_bytes()));
                    control.extend([0, 1, 0, 10, 0, 0]);
                    chunks.push(chunk(b"fcTL", &control));
                    let mut stream = zlib(&scanlines(width, height, 8, 6, interlaced, i));
                    if wrong == Some(i) {
                        *stream.last_mut().unwrap() ^= 1;
                    }
                    let (start, end) = stream.split_at(stream.len() - tail);
                    for part in [start, end] {
                        if i == 0 {
                            chunks.push(chunk(b"IDAT", part));
                        } else {
                            chunks.push(chunk(b"fdAT", &[&next()[..], part].concat()));
                        }
                    }
                }
                let png = file(&chunks);
                for piece in [1, 3, usize::MAX] {
                    let reader = Pieces(&png, piece);
                    let decoder = PngDecoder::new();
                    let mut reader = decoder.open_reader(reader).unwrap();
                    let mut view = Image::new(width, height, PixelFormat::RGBA8).unwrap();
                    let mut played = 0u64;
                    let result = loop {
                        match reader.next_frame(&mut view) {
                            Ok(Some(_)) => played += 1,
                            Ok(None) => break Ok(()),
                            Err(error) => break Err(error),
                        }
                    };
                    match wrong {
                        None => {
                            result.unwrap();
                            assert_eq!(played, 3);
                        }
                        Some(i) => {
                            let error = result.expect_err("a wrong checksum of a frame");
                            assert_eq!(played, i, "{error:#}");
                        }
                    }
                }
            }
        }
    }
}
