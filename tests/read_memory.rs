//! Contract 2 for reading: one limit covers everything that a read takes, and
//! memory is taken as data arrive.

#[path = "common/parts.rs"]
mod parts;

mod common {
    /// For `parts`, without what the other tests share.
    pub(crate) fn noise(len: usize, seed: u64) -> Vec<u8> {
        let mut state = seed | 1;
        let mut next = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 56) as u8
        };
        (0..len).map(|_| next()).collect()
    }
}

use std::io::{self, Read};
use std::sync::{Mutex, PoisonError};

use parts::{chunk, file, header, zlib};
use peak_alloc::PeakAlloc;
use pixview::{Error, ErrorKind, Image, PixelFormat, PngDecoder, PngReader};

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// The peak is that of all threads: one test at a time.
static ALONE: Mutex<()> = Mutex::new(());

const MIB: usize = 1 << 20;

/// What a read takes beside what is counted, as the docs say.
const UNCOUNTED: usize = MIB / 2;

/// Runs `f` and returns its result and the most bytes that were allocated at
/// once meanwhile, beyond those before.
fn peak<T>(f: impl FnOnce() -> T) -> (T, usize) {
    let before = ALLOCATOR.current_usage();
    ALLOCATOR.reset_peak_usage();
    let result = f();
    (result, ALLOCATOR.peak_usage() - before)
}

/// A file of zeros.
fn picture(width: u32, height: u32, color: u8, interlaced: bool, beside: &[Vec<u8>]) -> Vec<u8> {
    let data = parts::scanlines(width, height, 8, color, interlaced, 1);
    let mut chunks = vec![header(width, height, 8, color, interlaced)];
    chunks.extend_from_slice(beside);
    chunks.push(chunk(b"IDAT", &zlib(&data)));
    file(&chunks)
}

/// Gives at most so many bytes at a time.
struct Pieces<'a>(&'a [u8], usize);

impl Read for Pieces<'_> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let count = to.len().min(self.1);
        self.0.read(&mut to[..count])
    }
}

/// Chunks that are larger than the limit cost neither memory nor pixels.
#[test]
fn chunks_beyond_the_limit() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let exif = [b"II*\0", &vec![7; 60 * MIB][..]].concat();
    let large = chunk(b"eXIf", &exif);
    let text = chunk(b"tEXt", b"Title\0Dune");
    let png = picture(300, 200, 2, false, &[text, large]);
    fn read<R: Read>(reader: Result<PngReader<R>, Error>) -> (usize, usize, usize) {
        let mut reader = reader.unwrap();
        reader.read().unwrap();
        let metadata = reader.metadata().unwrap();
        let exif = metadata.exif.map_or(0, |exif| exif.len());
        (metadata.text.len(), exif, metadata.faults.len())
    }
    let decoder = PngDecoder::new().max_bytes(MIB as u64);
    let ((texts, exif_size, faults), taken) = peak(|| read(decoder.open_bytes(&png)));
    assert_eq!((texts, exif_size, faults), (1, 0, 1));
    assert!(
        taken <= MIB + UNCOUNTED,
        "{taken} bytes where 1 MiB is allowed"
    );
    // Within the limit: the chunk once, its metadata once, and the pixels.
    for piece in [usize::MAX, 4096, 100] {
        let decoder = PngDecoder::new();
        let ((texts, exif_size, faults), taken) =
            peak(|| read(decoder.open_reader(Pieces(&png, piece))));
        assert_eq!((texts, exif_size, faults), (1, exif.len(), 0));
        let most = 2 * exif.len() + 3 * MIB;
        assert!(taken <= most, "{taken} bytes for {} of Exif", exif.len());
    }
    // Many small ones.
    let many = vec![chunk(b"prVt", b""); 200_000];
    let png = picture(3, 2, 2, false, &many);
    let ((_, _, faults), taken) = peak(|| read(decoder.open_bytes(&png)));
    assert!(faults > 1000);
    assert!(taken <= MIB + UNCOUNTED, "{taken} bytes for empty chunks");
}

/// Chunks that were kept make room for pixels.
#[test]
fn pixels_come_first() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let large = chunk(b"eXIf", &[b"II*\0", &vec![7; 900_000][..]].concat());
    let text = chunk(b"tEXt", b"Title\0Dune");
    let png = picture(500, 400, 2, false, &[text, large]);
    let decoder = PngDecoder::new().max_bytes(MIB as u64);
    let mut reader = decoder.open_bytes(&png).unwrap();
    assert!(reader.metadata().unwrap().faults.len() <= 1);
    let (image, taken) = peak(|| reader.read().unwrap());
    assert_eq!(image.source().len(), 600_000);
    assert!(taken <= MIB + UNCOUNTED, "{taken}");
    let metadata = reader.metadata().unwrap();
    assert_eq!((metadata.text.len(), metadata.faults.len()), (1, 1));
    assert_eq!(metadata.faults[0].name, *b"eXIf");
    // Memory of the caller's is not counted.
    let mut reader = decoder.open_bytes(&png).unwrap();
    let mut view = Image::new(500, 400, PixelFormat::RGBA8).unwrap();
    reader.read_into(&mut view).unwrap();
    // A strict decoder loses nothing without an error.
    let decoder = decoder.strict(true);
    let error = decoder
        .open_bytes(&png)
        .and_then(|mut reader| reader.read());
    let error = error.unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::Decode { chunk, .. } if chunk == "eXIf"),
        "{error:#}"
    );
}

/// An interlaced file takes its pixels once.
#[test]
fn interlaced_files() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let (width, height) = (2000, 1000);
    let size = 2000 * 1000 * 3;
    let png = picture(width, height, 2, true, &[]);
    let (image, taken) = peak(|| Image::from_png(&png).unwrap());
    assert_eq!(image.source().len(), size);
    assert!(taken <= size + UNCOUNTED, "{taken} bytes for {size}");
    // Into a view nothing, unless a byte has several pixels: then as much as
    // that is.
    let mut view = Image::new(width, height, PixelFormat::BGRA8).unwrap();
    let (read, taken) = peak(|| {
        let mut reader = PngDecoder::new().open_bytes(&png).unwrap();
        reader.read_into(&mut view)
    });
    read.unwrap();
    assert!(taken <= UNCOUNTED, "{taken} bytes into a view");
    let mut view = Image::new(width, height, PixelFormat::GRAY1).unwrap();
    let (read, taken) = peak(|| {
        let mut reader = PngDecoder::new().open_bytes(&png).unwrap();
        reader.read_into(&mut view)
    });
    read.unwrap();
    assert!(taken <= size / 24 + UNCOUNTED, "{taken} bytes into bits");
}

/// The limit holds for all kinds of reads, whatever the header promises.
#[test]
fn headers_that_promise_much() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    for interlaced in [false, true] {
        // A row of 100 MB of which nothing is there.
        for (width, height) in [(100_000_000, 2), (16_384, 16_384), (1, 200_000_000)] {
            let png = file(&[
                header(width, height, 8, 0, interlaced),
                chunk(b"IDAT", &zlib(&[0; 10])),
            ]);
            for limit in [MIB, 64 * MIB, 2048 * MIB] {
                let decoder = PngDecoder::new().max_bytes(limit as u64);
                let (error, taken) = peak(|| {
                    let result = decoder
                        .open_bytes(&png)
                        .and_then(|mut reader| reader.read());
                    result.unwrap_err()
                });
                assert!(
                    taken <= limit + UNCOUNTED,
                    "{taken} bytes of {limit}: {error:#}"
                );
                let kind = error.kind();
                assert!(
                    matches!(
                        kind,
                        ErrorKind::LimitExceeded { .. } | ErrorKind::Decode { .. }
                    ),
                    "{error:#}"
                );
            }
        }
    }
    // A chunk that promises much, in a file that ends.
    let mut png = picture(3, 2, 2, false, &[]);
    png.truncate(33);
    png.extend((60u32 << 20).to_be_bytes());
    png.extend(b"prVtabc");
    let (error, taken) = peak(|| PngDecoder::new().open_bytes(&png).unwrap_err());
    assert!(matches!(error.kind(), ErrorKind::Decode { .. }));
    assert!(taken <= MIB + UNCOUNTED, "{taken} bytes for a promise");
}

/// Rows that are longer than everything else are counted too.
#[test]
fn wide_rows() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let width = 10_000_000;
    let mut rows = vec![0; 4 * (width + 1)];
    for row in rows.chunks_mut(width + 1) {
        row[0] = 2; // up
        row[5] = 1;
    }
    let png = file(&[
        header(width as u32, 4, 8, 0, false),
        chunk(b"IDAT", &zlib(&rows)),
    ]);
    let mut limit = 4 * width as u64;
    let (image, taken) = loop {
        let decoder = PngDecoder::new().max_bytes(limit);
        let (image, taken) = peak(|| {
            decoder
                .open_bytes(&png)
                .and_then(|mut reader| reader.read())
        });
        match image {
            Ok(image) => break (image, taken),
            Err(error) => assert!(
                matches!(error.kind(), ErrorKind::LimitExceeded { .. }),
                "{error:#}"
            ),
        }
        limit += width as u64 / 4;
    };
    assert_eq!((image.source()[4], image.source()[3 * width + 4]), (1, 4));
    let most = limit as usize + UNCOUNTED;
    assert!(taken <= most, "{taken} bytes where {limit} are allowed");
}

/// Chunks that inflate independently, each of so many rows of filter None.
fn independent(width: usize, height: usize, rows: usize, level: u8) -> Vec<u8> {
    let line = [&[0][..], &common::noise(width, 7)].concat();
    let mut chunks = vec![header(width as u32, height as u32, 8, 0, false)];
    let (mut done, mut sum) = (0, vec![]);
    while done < height {
        let count = rows.min(height - done);
        let lines = line.repeat(count);
        sum.extend_from_slice(&lines);
        done += count;
        let mut piece = if done == height {
            miniz_oxide::deflate::compress_to_vec(&lines, level)
        } else {
            open_end(&lines, level)
        };
        if done == count {
            piece.splice(..0, [0x78, 1]);
        }
        if done == height {
            let (mut a, mut b) = (1u32, 0u32);
            for byte in &sum {
                a = (a + u32::from(*byte)) % 65521;
                b = (b + a) % 65521;
            }
            piece.extend((b << 16 | a).to_be_bytes());
        }
        chunks.push(chunk(b"IDAT", &piece));
    }
    file(&chunks)
}

/// Raw deflate that ends with an empty stored block which is not the last.
fn open_end(data: &[u8], level: u8) -> Vec<u8> {
    use miniz_oxide::deflate::core::{CompressorOxide, TDEFLFlush, compress};
    let flags = miniz_oxide::deflate::core::create_comp_flags_from_zip_params(level.into(), -15, 0);
    let mut out = vec![0; data.len() + data.len() / 100 + 1000];
    let mut stream = CompressorOxide::new(flags);
    let (_, read, written) = compress(&mut stream, data, &mut out, TDEFLFlush::Full);
    assert_eq!(read, data.len());
    out.truncate(written);
    out
}

/// Each thread takes at most 3 MiB, whatever the height, and only within the limit.
#[test]
fn several_threads() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let read = |png: &[u8], threads: usize, limit: usize, view: &mut Image<Vec<u8>>| {
        let decoder = PngDecoder::new().threads(threads).max_bytes(limit as u64);
        peak(|| {
            let mut reader = decoder.open_bytes(png)?;
            reader.read_into(view)
        })
    };
    for height in [3000, 20_000] {
        let width = 1000;
        let mut view = Image::new(width, height, PixelFormat::RGBA8).unwrap();
        view.source_mut()
            .copy_from_slice(&common::noise(4000 * height as usize, 3));
        let files = [
            view.to_png().unwrap(),
            independent(1000, height as usize, 500, 9),
            // Pieces that are too large, of which nothing is kept.
            independent(1000, height as usize, 1000, 9),
        ];
        for (i, png) in files.iter().enumerate() {
            let (result, alone) = read(png, 1, 1 << 30, &mut view);
            result.unwrap();
            assert!(alone <= UNCOUNTED, "{alone} bytes with one thread");
            for threads in [2, 3, 8] {
                let (result, taken) = read(png, threads, 1 << 30, &mut view);
                result.unwrap();
                let most = threads * 3 * MIB + UNCOUNTED;
                assert!(taken <= most, "{taken} bytes, {threads} threads, file {i}");
                let used = i == 2 || taken > alone + MIB;
                assert!(used, "{taken} bytes: one thread has read file {i}");
                // The limit leaves less: fewer threads.
                for limit in [2, 5, 6, 10] {
                    let limit = limit * MIB;
                    let (result, taken) = read(png, threads, limit, &mut view);
                    result.unwrap();
                    let most = limit + UNCOUNTED;
                    assert!(taken <= most, "{taken} bytes of {limit}, file {i}");
                    let one = limit < 6 * MIB;
                    let fewer = !one || taken <= UNCOUNTED;
                    assert!(fewer, "{taken} bytes of {limit}, file {i}");
                }
            }
        }
    }
    // Chunks that inflate to a thousand times their size.
    let width = 60_000_000;
    let png = file(&[
        header(width, 3, 8, 0, false),
        chunk(b"IDAT", &zlib(&vec![0; width as usize + 1])),
        chunk(b"IDAT", b""),
    ]);
    let decoder = PngDecoder::new().threads(2).max_bytes(1 << 28);
    let (result, taken) = peak(|| {
        decoder
            .open_bytes(&png)
            .and_then(|mut reader| reader.read())
    });
    assert!(result.is_err());
    assert!(taken <= (1 << 28) + UNCOUNTED, "{taken}");
}

/// Playing takes what the docs say.
#[test]
fn animations() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let (width, height) = (600u32, 500u32);
    let data = || zlib(&parts::scanlines(width, height, 8, 6, false, 1));
    let control = |number: u32| {
        let mut data = number.to_be_bytes().to_vec();
        data.extend([width, height, 0, 0].iter().flat_map(|v| v.to_be_bytes()));
        data.extend([0, 1, 0, 10, 2, 1]);
        chunk(b"fcTL", &data)
    };
    let png = file(&[
        header(width, height, 8, 6, false),
        chunk(b"acTL", &[0, 0, 0, 2, 0, 0, 0, 0]),
        control(0),
        chunk(b"IDAT", &data()),
        control(1),
        chunk(b"fdAT", &[&2u32.to_be_bytes()[..], &data()].concat()),
    ]);
    let size = 600 * 500 * 4;
    let mut view = Image::new(width, height, PixelFormat::RGBA8).unwrap();
    let (frames, taken) = peak(|| {
        let decoder = PngDecoder::new().max_bytes(3 * size);
        let mut reader = decoder.open_bytes(&png).unwrap();
        let mut frames = 0;
        while reader.next_frame(&mut view).unwrap().is_some() {
            frames += 1;
        }
        frames
    });
    assert_eq!(frames, 2);
    assert!(taken as u64 <= 3 * size + UNCOUNTED as u64, "{taken}");
}
