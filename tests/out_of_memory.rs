//! Contract 4: an allocation that fails is an error, whichever it is. Never a
//! panic, never the end of the process.
//!
//! One test in a process of its own: allocations of all threads are counted.

mod common;

use std::cell::Cell;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;

use common::noise;
use failing_alloc::FailingAlloc;
use pixview::{
    Compression, Error, ErrorKind, Image, Layout, Palette, PixelFormat, PixelSource, PngEncoder,
};

/// Allocations of up to 2 KiB don't fail here: those of an error, of a palette,
/// of a path, of what the standard library needs to start a thread.
const SMALLEST: usize = (2 << 10) + 1;

#[global_allocator]
static ALLOCATOR: FailingAlloc = FailingAlloc::new(SMALLEST);

const MODES: [Compression; 4] = [
    Compression::Stored,
    Compression::Fast,
    Compression::Small,
    Compression::Best,
];

static PANICS: AtomicUsize = AtomicUsize::new(0);

/// Runs `call` again and again: each time another allocation fails, alone or
/// with all that come after it. Returns how many there are.
fn check<T: PartialEq>(name: &str, mut call: impl FnMut() -> Result<T, Error>) -> usize {
    let expected = call().unwrap_or_else(|error| panic!("{name}: {error:?}"));
    for lasting in [true, false] {
        let mut panics = 0;
        for first in 1.. {
            let before = PANICS.load(Relaxed);
            ALLOCATOR.fail(first, lasting);
            let result = catch_unwind(AssertUnwindSafe(&mut call));
            let count = ALLOCATOR.stop();
            let name = format!("{name}: allocation {first}, lasting: {lasting}");
            let Ok(result) = result else {
                panic!("{name}: a panic");
            };
            match result {
                Ok(result) => assert!(result == expected, "{name}"),
                Err(error) => assert!(
                    matches!(error.kind(), ErrorKind::OutOfMemory { bytes: 1.., .. }),
                    "{name}: {error:?}"
                ),
            }
            // Memory for the state of a strong mode, of which there is one for
            // each strip, was free when that was tried, and is gone when it is
            // taken: a dependency panics, and the panic is caught.
            let caught = PANICS.load(Relaxed) - before;
            assert!(caught <= 1, "{name}: {caught} panics");
            panics += caught;
            if count < first {
                assert!(panics <= 3, "{name}: {panics} panics");
                if lasting {
                    break;
                }
                return count;
            }
        }
    }
    unreachable!()
}

/// In one mode with one thread and in another with two, which change with
/// `turn`.
fn check_saves<S: PixelSource>(turn: usize, name: &str, image: &Image<S>) {
    for threads in [1, 2] {
        let compression = MODES[(turn + threads) % 4];
        for reduce in [false, true] {
            let name = format!("{name}, {compression:?}, {threads} threads, reduce: {reduce}");
            let encoder = || {
                let encoder = PngEncoder::new().compression(compression);
                encoder.threads(threads).reduce(reduce)
            };
            let count = check(&name, || encoder().to_png(image));
            assert!(count >= 3, "{name}: {count}");
            // One that has all it needs but for a part, and that goes on.
            let expected = encoder().to_png(image).unwrap();
            let part = image.view().crop(0, 0, 8, 2).unwrap();
            let expected_part = encoder().to_png(&part).unwrap();
            let mut used = encoder();
            check(&name, || {
                assert!(used.to_png(&part)? == expected_part, "{name}");
                let file = used.to_png(image)?;
                assert!(file == expected, "{name}");
                Ok(())
            });
        }
    }
}

/// A writer that compares bytes with a file, and allocates nothing.
struct Equal<'a>(&'a [u8]);

impl std::io::Write for Equal<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let (first, rest) = self.0.split_at(bytes.len().min(self.0.len()));
        assert!(first == bytes, "other bytes than from scratch");
        self.0 = rest;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Saves with an encoder that has strips of earlier saves, in memory and over a
/// file that it knows. Strips without memory are not kept.
fn check_re_saves(pixels: &[u8]) {
    let folder = common::folder();
    let path = folder.path().join("a.png");
    let (width, height) = (500, 400);
    let mut edited = pixels[..4 * 500 * 400].to_vec();
    edited[4 * 500 * 300] ^= 1;
    for (mode, threads) in [(1, 1), (0, 2)] {
        let new = || {
            let encoder = PngEncoder::new().compression(MODES[mode]);
            encoder.threads(threads).reuse_strips(1)
        };
        let images = [pixels, &edited].map(|pixels| {
            let layout = Layout::packed(width, height, PixelFormat::RGBA8);
            Image::with_layout(pixels, layout).unwrap()
        });
        let files = images.each_ref().map(|image| new().to_png(image).unwrap());
        let name = format!("re-save, {:?}, {threads} threads", MODES[mode]);
        let mut encoder = new();
        check(&name, || {
            for (image, file) in images.iter().zip(&files) {
                let mut rest = Equal(file);
                encoder.write(image, &mut rest)?;
                assert!(rest.0.is_empty(), "{name}");
            }
            Ok(())
        });
        let name = format!("{name}, to a file");
        let mut encoder = new();
        check(&name, || {
            for (image, file) in images.iter().zip(&files) {
                let old = fs::read(&path).ok();
                let saved = encoder.save_if_changed(image, &path);
                let file = if saved.is_ok() {
                    Some(file)
                } else {
                    old.as_ref()
                };
                // Too large for the memory that is left, perhaps.
                if let Ok(now) = fs::read(&path) {
                    assert!(Some(&now) == file, "{name}");
                }
                saved?;
            }
            Ok(())
        });
        // A save after all of them.
        ALLOCATOR.stop();
        for (image, file) in images.iter().zip(&files) {
            assert!(encoder.to_png(image).unwrap() == *file, "{name}");
            encoder.save_if_changed(image, &path).unwrap();
            assert!(fs::read(&path).unwrap() == *file, "{name}");
        }
    }
}

#[test]
fn every_allocation_may_fail() {
    std::panic::set_hook(Box::new(|info| {
        PANICS.fetch_add(1, Relaxed);
        // What the test itself has to say.
        if info.location().is_some_and(|at| at.file() == file!()) {
            eprintln!("{info}");
        }
    }));

    // More than two strips.
    let (width, height) = (500, 600);
    let pixels = noise(4 * 500 * 600, 1);
    let image = |format| {
        let layout = Layout::packed(width, height, format);
        Image::with_layout(&pixels, layout).unwrap()
    };
    for turn in 0..4 {
        check_saves(turn, "in place", &image(PixelFormat::RGBA8));
    }
    let flipped = image(PixelFormat::RGB8).flip_horizontal().transpose();
    check_saves(0, "turned", &flipped);
    let mutex = Mutex::new(pixels.clone());
    let layout = Layout::packed(width, height, PixelFormat::GRAY16BE);
    let locked = Image::with_layout(&mutex, layout).unwrap();
    check_saves(1, "locked", &locked);
    let cells: Vec<Cell<u8>> = pixels.iter().map(|&byte| Cell::new(byte)).collect();
    let cells = Image::from_buffer(&cells, width, height, PixelFormat::RGBA8).unwrap();
    check_saves(2, "cells", &cells);
    let colors: Vec<[u8; 4]> = (0..=255).map(|i| [i, 0, 255 - i, i / 2 + 1]).collect();
    let palette = Palette::from_rgba(&colors).unwrap();
    let indexed = image(PixelFormat::INDEXED8);
    check_saves(3, "indexed", &indexed.with_palette(palette).unwrap());
    // 256 colours, so that a palette is made.
    let row: Vec<u8> = (0..=255).flat_map(|i| [i, 7, 255 - i, 255]).collect();
    let row = row.repeat(4);
    let layout = Layout::packed(1024, 600, PixelFormat::RGBA8).with_row_stride(0);
    check_saves(4, "few colours", &Image::with_layout(&row, layout).unwrap());
    let layout = Layout::packed(100_000, 3, PixelFormat::RGBA16).with_row_stride(0);
    check_saves(5, "wide", &Image::with_layout(&pixels, layout).unwrap());

    check_re_saves(&pixels);

    // A file: the old one or the new one, and nothing else.
    let folder = common::folder();
    let path = folder.path().join("a.png");
    let image = image(PixelFormat::RGB8);
    for compression in [Compression::Fast, Compression::Small] {
        let new = {
            let mut encoder = PngEncoder::new().compression(compression);
            encoder.to_png(&image).unwrap()
        };
        let mut failures = 0;
        for first in 1..100 {
            fs::write(&path, "old").unwrap();
            let mut encoder = PngEncoder::new().compression(compression);
            ALLOCATOR.fail(first, true);
            let saved = encoder.save(&image, &path);
            let count = ALLOCATOR.stop();
            let file = fs::read(&path).unwrap();
            match saved {
                Ok(_) => assert!(file == new),
                Err(error) => {
                    assert_eq!(error.path(), Some(&*path), "{error:?}");
                    assert!(matches!(error.kind(), ErrorKind::OutOfMemory { .. }));
                    assert!(file == b"old");
                    failures += 1;
                }
            }
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
            if count < first {
                break;
            }
        }
        assert!(failures >= 3);
    }

    // Pixels.
    let count = check("to_vec", || image.to_vec());
    assert_eq!(count, 1);
    let count = check("new", || {
        let new = Image::new(100, 100, PixelFormat::RGB8)?;
        Ok(new.into_source())
    });
    assert_eq!(count, 1);
    let turned = Image::from_buffer(&pixels, width, height, PixelFormat::RGBA8).unwrap();
    let turned = turned.transpose();
    let count = check("row", || Ok(turned.pixels()?.row(5)?.into_owned()));
    assert_eq!(count, 1);
    let mut row = vec![0; 4 * 600];
    let count = check("copy_row", || turned.pixels()?.copy_row(5, &mut row));
    assert_eq!(count, 0);

    // Digests, comparisons and conversions.
    let locks = [1, 2].map(|seed| Mutex::new(noise(4 * 500 * 600, seed)));
    let [first, second] = locks.each_ref().map(|lock| {
        let layout = Layout::packed(600, 500, PixelFormat::BGRA8);
        Image::with_layout(lock, layout).unwrap()
    });
    let count = check("digest", || turned.digest());
    assert_eq!(count, 1);
    let count = check("digest in place", || image.digest());
    assert_eq!(count, 0);
    let count = check("compare", || turned.compare(&turned));
    assert_eq!(count, 2);
    let count = check("compare locks", || first.compare(&second));
    assert_eq!(count, 2 + 1);
    let count = check("to_vec_as", || turned.to_vec_as(PixelFormat::RGB16));
    assert_eq!(count, 3);
    let count = check("copy_into", || first.copy_into(&mut second.view()));
    assert_eq!(count, 1);
}
