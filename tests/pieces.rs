//! Every truncation and every single-bit change of small files of all kinds:
//! the outcome is the same however the bytes arrive, pixels or error, with the
//! same kind, chunk and place.

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

/// Image data of random rows, in `count` chunks.
fn data(width: u32, height: u32, depth: u8, color: u8, interlaced: bool, count: usize) -> Vec<u8> {
    let stream = zlib(&scanlines(width, height, depth, color, interlaced, 9));
    let size = stream.len().div_ceil(count);
    stream
        .chunks(size)
        .flat_map(|part| chunk(b"IDAT", part))
        .collect()
}

/// Image data of RGB with a chunk for each row, a stored block.
fn independent_data(width: u32, height: u32) -> Vec<u8> {
    let lines = scanlines(width, height, 8, 2, false, 9);
    let stream = miniz_oxide::deflate::compress_to_vec_zlib(&lines, 0);
    let sum = &stream[stream.len() - 4..];
    let size = lines.len() / height as usize;
    let mut data = Vec::new();
    for (i, line) in lines.chunks(size).enumerate() {
        let mut piece = Vec::new();
        if i == 0 {
            piece.extend([0x78, 1]);
        }
        let is_last = (i + 1) * size == lines.len();
        let length = size as u16;
        piece.push(is_last.into());
        piece.extend(length.to_le_bytes());
        piece.extend((!length).to_le_bytes());
        piece.extend(line);
        if is_last {
            piece.extend(sum);
        }
        data.extend(chunk(b"IDAT", &piece));
    }
    data
}

/// Chunks of all kinds beside the pixels.
fn metadata() -> Vec<u8> {
    let text = [&b"Comment\0\0"[..], &zlib(b"a text, a text, a text")].concat();
    let profile = [&b"profile\0\0"[..], &zlib(&[9; 200])].concat();
    [
        chunk(b"gAMA", &45455u32.to_be_bytes()),
        chunk(b"pHYs", &[0, 0, 0x0b, 0x13, 0, 0, 0x0b, 0x13, 1]),
        chunk(b"tEXt", b"Title\0Dune"),
        chunk(b"zTXt", &text),
        chunk(b"iTXt", b"Author\0\0\0en\0\0me"),
        chunk(b"iCCP", &profile),
        chunk(b"tIME", &[7, 0xea, 1, 2, 3, 4, 5]),
        chunk(b"prVt", b"anything"),
    ]
    .concat()
}

fn files() -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    let (width, height) = (5, 4);
    for (color, depths) in [
        (0, &[1, 2, 4, 8, 16][..]),
        (2, &[8, 16]),
        (3, &[1, 2, 4, 8]),
        (4, &[8, 16]),
        (6, &[8, 16]),
    ] {
        for &depth in depths {
            for interlaced in [false, true] {
                // Fewer of the interlaced ones, which are larger.
                if interlaced && ![1, 16].contains(&depth) && color != 6 {
                    continue;
                }
                let mut chunks = vec![header(width, height, depth, color, interlaced)];
                if color == 3 {
                    // Fewer colors than indices: some are beyond.
                    let colors = [1, 3, 13, 250][usize::from(depth.ilog2() as u8)];
                    let rgb: Vec<u8> = (0..colors).flat_map(common::color).collect();
                    chunks.push(chunk(b"PLTE", &rgb));
                    chunks.push(chunk(b"tRNS", &[0, 128]));
                } else if color == 0 && depth <= 8 {
                    chunks.push(chunk(b"tRNS", &[0, 1]));
                }
                chunks.push(data(width, height, depth, color, interlaced, 1));
                files.push((format!("color {color}, {depth} bits"), file(&chunks)));
            }
        }
    }
    let small = header(width, height, 8, 2, false);
    for count in [2, 7] {
        let png = file(&[small.clone(), data(width, height, 8, 2, false, count)]);
        files.push((format!("{count} chunks of data"), png));
    }
    let png = file(&[small.clone(), independent_data(width, height)]);
    files.push(("chunks that inflate independently".to_owned(), png));
    let png = file(&[
        small.clone(),
        metadata(),
        data(width, height, 8, 2, false, 2),
        chunk(b"tEXt", b"Comment\0behind"),
    ]);
    files.push(("metadata".to_owned(), png));
    for still in [false, true] {
        let control = |number: u32, region: [u32; 4]| {
            let mut data = number.to_be_bytes().to_vec();
            data.extend(region.iter().flat_map(|v| v.to_be_bytes()));
            data.extend([0, 1, 0, 10, 1, 1]);
            chunk(b"fcTL", &data)
        };
        let mut chunks = vec![
            header(width, height, 8, 6, still),
            chunk(b"acTL", &[0, 0, 0, 2, 0, 0, 0, 0]),
        ];
        let mut number = 0;
        if !still {
            chunks.push(control(0, [width, height, 0, 0]));
            number = 1;
        }
        chunks.push(data(width, height, 8, 6, still, 1));
        for i in 0..=u32::from(still) {
            chunks.push(control(number, [3, 2, 1, i]));
            let stream = zlib(&scanlines(3, 2, 8, 6, still, 3));
            for part in stream.chunks(40) {
                number += 1;
                chunks.push(chunk(b"fdAT", &[&number.to_be_bytes()[..], part].concat()));
            }
            number += 1;
        }
        files.push((format!("animated, still {still}"), file(&chunks)));
    }
    assert!(files.len() >= 20);
    files
}

/// What came of a read.
#[derive(Debug, PartialEq)]
enum Outcome {
    Pixels(Vec<u8>),
    Frames(Vec<Vec<u8>>, String),
    Error(String),
}

fn error(error: &Error) -> String {
    match error.kind() {
        ErrorKind::Decode { chunk, offset, .. } => format!("Decode {chunk} {offset}"),
        kind => format!("{kind}"),
    }
}

/// The image as the file has it, its colors, and what is said beside them.
fn still(png: &[u8], size: Option<usize>, threads: usize) -> Outcome {
    fn read<R: io::Read>(
        reader: Result<pixview::PngReader<R>, Error>,
    ) -> Result<(Vec<u8>, Vec<u8>), Error> {
        let mut reader = reader?;
        let format = reader.format();
        let colors = if format.is_indexed() {
            PixelFormat::RGBA8
        } else {
            format
        };
        let image = reader.read_as(colors)?;
        let said = format!("{:?}", reader.metadata().map_err(|e| error(&e)));
        Ok((image.into_source(), said.into_bytes()))
    }
    let decoder = PngDecoder::new()
        .max_pixels(1 << 16)
        .max_bytes(1 << 25)
        .threads(threads);
    let result = match size {
        None => read(decoder.open_bytes(png)),
        Some(size) => read(decoder.open_reader(Pieces(png, size))),
    };
    match result {
        Ok((pixels, said)) => Outcome::Pixels([pixels, said].concat()),
        Err(e) => Outcome::Error(error(&e)),
    }
}

/// All frames, and how it ended.
fn played(png: &[u8], size: Option<usize>) -> Outcome {
    fn play<R: io::Read>(mut reader: pixview::PngReader<R>) -> Outcome {
        let mut view = match Image::new(reader.width(), reader.height(), PixelFormat::RGBA8) {
            Ok(view) => view,
            Err(e) => return Outcome::Error(error(&e)),
        };
        let mut frames = Vec::new();
        loop {
            match reader.next_frame(&mut view) {
                Ok(Some(_)) => frames.push(view.source().clone()),
                Ok(None) => return Outcome::Frames(frames, String::new()),
                Err(e) => return Outcome::Frames(frames, error(&e)),
            }
        }
    }
    let decoder = PngDecoder::new().max_pixels(1 << 16).max_bytes(1 << 20);
    match size {
        None => decoder.open_bytes(png).map(play),
        Some(size) => decoder.open_reader(Pieces(png, size)).map(play),
    }
    .unwrap_or_else(|e| Outcome::Error(error(&e)))
}

const SIZES: [usize; 5] = [1, 2, 3, 7, 4096];

/// Compares the ways to read a file, and returns what came of it.
fn check(name: &str, png: &[u8], animated: bool) -> Outcome {
    let whole = still(png, None, 1);
    assert_eq!(still(png, None, 2), whole, "{name}, two threads");
    for size in SIZES {
        assert_eq!(still(png, Some(size), 1), whole, "{name}, pieces of {size}");
    }
    if animated {
        let whole = played(png, None);
        for size in SIZES {
            let pieces = played(png, Some(size));
            assert_eq!(pieces, whole, "{name}, played, pieces of {size}");
        }
    }
    whole
}

#[test]
fn every_truncation() {
    for (name, png) in files() {
        let animated = name.starts_with("animated");
        check(&name, &png, animated);
        for end in 0..png.len() {
            let outcome = check(&format!("{name}, cut at {end}"), &png[..end], animated);
            assert!(matches!(outcome, Outcome::Error(_)), "{name}, cut at {end}");
            // A place in the middle of a file has a name.
            if let Outcome::Error(error) = outcome
                && end > 16
            {
                assert!(
                    !error.starts_with("Decode  "),
                    "{name}, cut at {end}: {error}"
                );
            }
        }
    }
}

#[test]
fn every_bit() {
    for (name, mut png) in files() {
        let animated = name.starts_with("animated");
        for at in 0..png.len() {
            for bit in 0..8 {
                png[at] ^= 1 << bit;
                check(&format!("{name}, bit {bit} of byte {at}"), &png, animated);
                png[at] ^= 1 << bit;
            }
        }
    }
}
