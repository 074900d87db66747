//! The pieces of a strip, each on its own and with each set of registers:
//! filters, tokenizer, the codes' statistics, emitter, and all of them one
//! after the other.
//!
//! Over drawn scenes; and over the first strips of the PNG files of a folder
//! named by `PIXVIEW_CORPUS`. Throughput is in bytes of scanlines.
//!
//! Besides, operations on images in memory.

use std::cell::RefCell;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use pixview::internals::{Registers, Step, Strip};
use pixview::{Image, PixelFormat};

/// Bytes of scanlines in a strip, about.
const STRIP: usize = 512 << 10;

/// Makes a strip of as many of `rows` as it holds.
fn strip_of(rows: &[u8], row_size: usize, pixel_size: usize) -> Strip {
    let count = (STRIP / (row_size + 1)).clamp(1, rows.len() / row_size);
    Strip::new(&rows[..count * row_size], row_size, pixel_size)
}

fn pieces(c: &mut Criterion, name: &str, strip: &mut Strip) {
    for (step_name, step) in Step::ALL {
        let mut group = c.benchmark_group(format!("{name}/{step_name}"));
        group
            .sample_size(20)
            .throughput(Throughput::Bytes(strip.size() as u64));
        for registers in Registers::all() {
            let strip = RefCell::new(&mut *strip);
            group.bench_function(registers.name(), |b| {
                b.iter_batched(
                    || strip.borrow_mut().restore(),
                    |()| strip.borrow_mut().run(registers, step),
                    BatchSize::PerIteration,
                );
            });
        }
        group.finish();
    }
}

/// A landscape with grain, between a photograph and a drawing; flat areas
/// with sharp edges; and noise.
fn scenes(c: &mut Criterion) {
    let (width, height) = (1200usize, 140usize);
    let mut seed = 1u32;
    let mut noise = move || {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 24) as u8
    };
    let mut draw = |color: &dyn Fn(usize, usize, u8) -> [u8; 3]| {
        let place = |i: usize| (i % width, i / width);
        let pixels = (0..width * height).map(place);
        let bytes: Vec<u8> = pixels.flat_map(|(x, y)| color(x, y, noise())).collect();
        strip_of(&bytes, width * 3, 3)
    };
    let mut landscape = draw(&|x, y, noise| {
        let grain = (noise.leading_zeros() as u8).min(6);
        let hill = y as f32 > 70.0 + 30.0 * (x as f32 / 90.0).sin();
        if hill {
            [40 + grain, 90 + (y / 2) as u8 + grain, 50]
        } else {
            [100 + (y / 2) as u8, 150 + (x / 40) as u8, 230 - grain]
        }
    });
    pieces(c, "landscape", &mut landscape);
    let mut flat = draw(
        &|x, y, _| match (x / 97 + y / 31 + usize::from(x % 53 < y % 17)) % 4 {
            0 => [250, 250, 250],
            1 => [30, 40, 60],
            2 => [200, 30, 40],
            _ => [240, 200, 20],
        },
    );
    pieces(c, "flat", &mut flat);
    let mut random = draw(&|_, _, noise| [noise, noise.wrapping_mul(91), noise ^ 0x55]);
    pieces(c, "noise", &mut random);
}

fn corpus(c: &mut Criterion) {
    let Some(folder) = std::env::var_os("PIXVIEW_CORPUS") else {
        return;
    };
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .expect("PIXVIEW_CORPUS names a folder")
        .map(|entry| entry.expect("can be listed").path())
        .filter(|path| {
            path.extension()
                .is_some_and(|e| e.eq_ignore_ascii_case("png"))
        })
        .collect();
    paths.sort();
    for path in paths {
        let image = Image::open(&path).unwrap_or_else(|error| panic!("{error:#}"));
        let name = path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let (width, format) = (image.width() as usize, image.format());
        let mut pixels = image.into_source();
        if format.bit_depth() == 16 {
            for sample in pixels.as_chunks_mut().0 {
                *sample = u16::from_ne_bytes(*sample).to_be_bytes();
            }
        }
        let pixel_size = format.channels() * usize::from(format.bit_depth()) / 8;
        // Not from the top, where skies are.
        let row_size = width * pixel_size;
        let middle = pixels.len() / row_size / 3 * row_size;
        pieces(
            c,
            &name,
            &mut strip_of(&pixels[middle..], row_size, pixel_size),
        );
    }
}

/// Digests and comparisons of an image that no cache holds. Throughput is in
/// bytes of one image.
fn in_memory(c: &mut Criterion) {
    let (width, height) = (4096, 2048);
    let bytes: Vec<u8> = (0..width * height * 4).map(|i| (i >> 5) as u8).collect();
    let copy = bytes.clone();
    let mut group = c.benchmark_group("in memory");
    group
        .sample_size(20)
        .throughput(Throughput::Bytes(bytes.len() as u64));
    group.bench_function("plain read", |b| {
        b.iter(|| {
            bytes
                .as_chunks()
                .0
                .iter()
                .fold(0, |a, &word| a ^ u64::from_ne_bytes(word))
        });
    });
    for format in [PixelFormat::RGBA8, PixelFormat::BGRA8] {
        let image = |bytes| Image::from_buffer(bytes, width, height, format).expect("packed");
        let (first, second) = (image(&bytes), image(&copy));
        group.bench_function(format!("digest {format}"), |b| b.iter(|| first.digest()));
        group.bench_function(format!("compare {format}"), |b| {
            b.iter(|| first.compare(&second));
        });
        let mut target = Image::new(width, height, PixelFormat::ARGB8).expect("fits");
        group.bench_function(format!("convert {format}"), |b| {
            b.iter(|| first.copy_into(&mut target));
        });
    }
    group.finish();
}

criterion_group!(benches, scenes, corpus, in_memory);
criterion_main!(benches);
