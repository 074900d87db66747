//! Contract 7 for reading by several threads: it gives the result of one thread, for
//! every file.

mod common;
#[path = "common/cut.rs"]
mod cut;
#[path = "common/parts.rs"]
mod parts;

use std::io::{Cursor, Write};

use common::noise;
use cut::{Cut, compare};
use parts::{bad_chunk, chunk};
use pixview::{Compression, Image, PixelFormat, PngEncoder};
use zlib_rs::DeflateFlush::{Finish, FullFlush, PartialFlush, SyncFlush};

/// Files that are cut well, and files that are cut badly or damaged.
#[test]
fn random_cuts() {
    let folder = common::folder();
    let path = folder.path().join("a.png");
    let (mut sound, mut read, mut failed) = (0, 0, 0);
    for seed in 0..3000 {
        let cut = cut::make(&noise(400, 2 * seed + 1));
        let path = (seed % 10 == 0).then_some(path.as_path());
        let outcome = cut::compare(&cut, path);
        sound += u32::from(cut.is_sound);
        read += u32::from(outcome.starts_with("Ok"));
        failed += u32::from(outcome.starts_with("Err"));
    }
    println!("{sound} sound, {read} read, {failed} failed");
    assert!(sound > 300 && read > 750 && failed > 750);
}

/// Reads a file by one thread and by several.
fn same(name: &str, png: Vec<u8>) -> String {
    println!("{name}");
    compare(&Cut::of(png), None)
}

/// A picture of several strips, half noise.
fn picture() -> Image<Vec<u8>> {
    let (width, height) = (600, 900);
    let mut pixels = noise(600 * 900 * 3, 11);
    for (i, byte) in pixels.iter_mut().enumerate() {
        *byte = (*byte & 0x0f).wrapping_add((i / 700) as u8);
    }
    Image::from_buffer(pixels, width, height, PixelFormat::RGB8).unwrap()
}

/// The chunks of a file, each with its length and its checksum.
fn split(png: &[u8]) -> Vec<Vec<u8>> {
    let mut chunks = Vec::new();
    let mut rest = &png[8..];
    while let Some(length) = rest.first_chunk() {
        let (chunk, behind) = rest.split_at(u32::from_be_bytes(*length) as usize + 12);
        chunks.push(chunk.to_vec());
        rest = behind;
    }
    chunks
}

fn data(whole: &[u8]) -> &[u8] {
    &whole[8..whole.len() - 4]
}

fn joined(chunks: &[Vec<u8>]) -> Vec<u8> {
    [b"\x89PNG\r\n\x1a\n".to_vec(), chunks.concat()].concat()
}

/// Damage to files of this crate.
#[test]
fn damaged_strips() {
    for mode in [Compression::Fast, Compression::Small, Compression::Stored] {
        let mut encoder = PngEncoder::new().compression(mode).reuse_strips(1);
        let image = picture();
        let png = encoder.to_png(&image).unwrap();
        let chunks = split(&png);
        let image_data: Vec<usize> = (0..chunks.len())
            .filter(|&i| &chunks[i][4..8] == b"IDAT")
            .collect();
        assert!(image_data.len() > 3, "{}", image_data.len());
        assert!(same("whole", png.clone()).starts_with("Ok"));

        let random = noise(600, 3);
        let mut positions = random
            .chunks_exact(4)
            .map(|bytes| u32::from_le_bytes(bytes.try_into().unwrap()) as usize % png.len());
        for at in positions.by_ref().take(30) {
            let mut wrong = png.clone();
            wrong[at] ^= 4;
            same(&format!("byte {at}"), wrong);
            same(&format!("cut at {at}"), png[..at].to_vec());
        }
        // Not all of the many chunks of `Stored`.
        let step = image_data.len().div_ceil(6);
        let last = *image_data.last().unwrap();
        let some = image_data.iter().copied().step_by(step).chain([last]);
        for (i, at) in some.zip(positions) {
            let change = |name: &str, change: &dyn Fn(&mut Vec<Vec<u8>>)| {
                let mut chunks = chunks.clone();
                change(&mut chunks);
                same(&format!("{name} {i}"), joined(&chunks))
            };
            change("wrong CRC", &|chunks| {
                chunks[i] = bad_chunk(b"IDAT", data(&chunks[i]));
            });
            change("wrong data, right CRC", &|chunks| {
                let mut data = data(&chunks[i]).to_vec();
                let at = at % data.len();
                data[at] ^= 1;
                chunks[i] = chunk(b"IDAT", &data);
            });
            change("truncated", &|chunks| {
                let data = data(&chunks[i]);
                chunks[i] = chunk(b"IDAT", &data[..at % data.len()]);
            });
            change("twice", &|chunks| chunks.insert(i, chunks[i].clone()));
            change("gone", &|chunks| drop(chunks.remove(i)));
            change("swapped", &|chunks| chunks.swap(i, i + 1));
            change("another chunk between", &|chunks| {
                chunks.insert(i, chunk(b"tEXt", b"Comment\0between"));
            });
            change("empty chunk before", &|chunks| {
                chunks.insert(i, chunk(b"IDAT", &[]));
            });
            change("bytes behind", &|chunks| {
                let data = [data(&chunks[i]), &[1, 2, 3]].concat();
                chunks[i] = chunk(b"IDAT", &data);
            });
            for moved in [1, 4, 5, 6, 7, 1000] {
                let cut = change("parted", &|chunks| {
                    let data = data(&chunks[i]).to_vec();
                    let (head, tail) = data.split_at(data.len() - moved);
                    chunks[i] = chunk(b"IDAT", head);
                    chunks.insert(i + 1, chunk(b"IDAT", tail));
                });
                assert!(cut.starts_with("Ok"), "{cut}");
            }
        }
        for at in 1..=6 {
            let mut chunks = chunks.clone();
            let mut data = data(&chunks[last]).to_vec();
            let end = data.len() - at;
            data[end] ^= 0x10;
            chunks[last] = chunk(b"IDAT", &data);
            let cut = same("wrong end", joined(&chunks));
            // One of the bits is padding.
            assert_eq!(cut.starts_with("Err"), at != 5, "{cut}");
        }
    }
}

/// A row whose last bytes one thread gets only from the next chunk: a match is longer
/// than the free part of its buffer. If that chunk is damaged, the row is not written.
#[test]
fn rows_that_need_the_next_chunk() {
    for width in 60..160 {
        for buffer in [16 << 10, 24 << 10, 36 << 10] {
            let rows = buffer / (width + 1) + 1;
            let lines = vec![0; rows * (width + 1)];
            let piece = cut::independent_piece(&lines);
            let head = parts::header(width as u32, 2 * rows as u32, 8, 0, false);
            let first = chunk(b"IDAT", &[&[0x78, 1], &piece[..]].concat());
            let mut second = chunk(b"IDAT", &piece);
            second[4] = b'1';
            same(
                "a name",
                parts::file(&[head.clone(), first.clone(), second]),
            );
            let mut second = chunk(b"IDAT", &piece);
            second[8] = 6; // a block of no type
            same("a block", parts::file(&[head, first, second]));
        }
    }
}

/// Files of other encoders: whole streams that are cut into chunks of any size, and
/// streams with flushes that keep the window.
#[test]
fn files_of_other_encoders() {
    let image = picture();
    let (width, height) = (image.width(), image.height());
    for size in [100, 8192, 100_000] {
        let mut png = Vec::new();
        let mut encoder = png::Encoder::new(Cursor::new(&mut png), width, height);
        encoder.set_color(png::ColorType::Rgb);
        let mut writer = encoder.write_header().unwrap();
        let mut stream = writer.stream_writer_with_size(size).unwrap();
        stream.write_all(image.source()).unwrap();
        stream.finish().unwrap();
        writer.finish().unwrap();
        assert!(same("png", png).starts_with("Ok"));
    }
    let mut lines = Vec::new();
    for row in image.source().chunks(3 * width as usize) {
        lines.push(0);
        lines.extend(row);
    }
    let sum = simd_adler32::adler32(&&lines[..]).to_be_bytes();
    for flush in [SyncFlush, FullFlush, PartialFlush] {
        for rows in [1, 7, 100] {
            let mut deflate = zlib_rs::Deflate::new(6, false, 15);
            let mut chunks = vec![parts::header(width, height, 8, 2, false)];
            let line = lines.len() / height as usize;
            for (i, part) in lines.chunks(line * rows).enumerate() {
                let is_last = (i + 1) * rows >= height as usize;
                let mut out = vec![0; 2 * part.len() + 1000];
                let before = deflate.total_out();
                let flush = if is_last { Finish } else { flush };
                deflate.compress(part, &mut out, flush).unwrap();
                out.truncate((deflate.total_out() - before) as usize);
                if i == 0 {
                    out.splice(..0, [0x78, 1]);
                }
                if is_last {
                    out.extend(sum);
                }
                chunks.push(chunk(b"IDAT", &out));
            }
            assert!(same("zlib", parts::file(&chunks)).starts_with("Ok"));
        }
    }
}
