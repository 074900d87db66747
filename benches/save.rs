//! Whole saves: each kind of source, each format, and pieces of the way there,
//! over drawn scenes; and over the PNG files of a folder named by
//! `PIXVIEW_CORPUS`.
//!
//! Throughput is in bytes of PNG samples, so that formats compare.

use std::cell::Cell;
use std::io;
use std::sync::atomic::{AtomicU8, AtomicU32};
use std::sync::{Mutex, RwLock};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use pixview::{Image, Layout, PixelFormat, PixelSource, PngEncoder};

const WIDTH: u32 = 1024;
const HEIGHT: u32 = 768;

/// A landscape with grain: between a photograph and a drawing.
fn scene(format: PixelFormat) -> Image<Vec<u8>> {
    let mut image = Image::new(WIDTH, HEIGHT, format).expect("fits");
    let scale = if format.bit_depth() == 16 { 257 } else { 1 };
    let mut seed = 1u32;
    let mut pixels = image.pixels_mut().expect("owned");
    for y in 0..HEIGHT {
        for x in 0..WIDTH {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let grain = (seed >> 29) as u16;
            let (fx, fy) = (x as f32 / 90.0, y as f32);
            let hill = fy > 420.0 + 60.0 * fx.sin() + 20.0 * (3.1 * fx).cos();
            let rgba = if hill {
                [40 + grain, 90 + (y / 8) as u16 + grain, 50, 255]
            } else {
                [100 + (y / 6) as u16, 150 + (y / 8) as u16, 230 + grain, 255]
            };
            let samples = rgba.map(|sample| sample * scale);
            let (gray, color) = ([samples[1], samples[3]], &samples[..]);
            match format.channels() {
                count @ (1 | 2) => pixels.put(x, y, &gray[..count]),
                count => pixels.put(x, y, &color[..count]),
            }
            .expect("inside");
        }
    }
    drop(pixels);
    image
}

fn save<S: PixelSource>(c: &mut Criterion, group: &str, name: &str, image: &Image<S>) {
    let samples = image.format().channels() * usize::from(image.format().bit_depth()) / 8;
    let bytes = u64::from(image.width()) * u64::from(image.height()) * samples as u64;
    let mut encoder = PngEncoder::new();
    let mut group = c.benchmark_group(group);
    group.sample_size(10).throughput(Throughput::Bytes(bytes));
    group.bench_function(name, |b| {
        b.iter(|| encoder.write(image, io::sink()).expect("saves"));
    });
    group.finish();
}

fn rgba(source: &dyn PixelSource) -> Image<&dyn PixelSource> {
    Image::from_buffer(source, WIDTH, HEIGHT, PixelFormat::RGBA8).expect("fits")
}

fn sources(c: &mut Criterion) {
    let mut bytes = scene(PixelFormat::RGBA8).into_source();
    let atomics: Vec<AtomicU8> = bytes.iter().map(|&b| AtomicU8::new(b)).collect();
    let words: Vec<AtomicU32> = bytes
        .as_chunks()
        .0
        .iter()
        .map(|&word| AtomicU32::new(u32::from_ne_bytes(word)))
        .collect();
    let (mutex, lock) = (Mutex::new(bytes.clone()), RwLock::new(bytes.clone()));
    save(c, "source", "slice", &rgba(&bytes));
    save(c, "source", "Mutex", &rgba(&mutex));
    save(c, "source", "RwLock", &rgba(&lock));
    save(c, "source", "AtomicU8", &rgba(&atomics));
    save(c, "source", "AtomicU32", &rgba(&words));
    let cells = Cell::from_mut(&mut bytes[..]);
    save(c, "source", "Cell<u8>", &rgba(&cells));
    let mirrored = rgba(&cells).flip_horizontal();
    save(c, "source", "Cell<u8>, mirrored", &mirrored);
    let transposed = rgba(&cells).transpose();
    save(c, "source", "Cell<u8>, transposed", &transposed);
    let mut planes = planes();
    save(c, "source", "slice, planar", &planar(&planes));
    let cells = Cell::from_mut(&mut planes[..]);
    save(c, "source", "Cell<u8>, planar", &planar(&cells));
}

/// The samples of the scene, each channel in a plane of its own.
fn planes() -> Vec<u8> {
    let pixels = scene(PixelFormat::RGBA8).into_source();
    let plane = |channel| pixels.iter().skip(channel).step_by(4);
    (0..4).flat_map(plane).copied().collect()
}

fn planar(source: &dyn PixelSource) -> Image<&dyn PixelSource> {
    let layout = Layout::planar(WIDTH, HEIGHT, PixelFormat::RGBA8);
    Image::with_layout(source, layout).expect("fits")
}

fn formats(c: &mut Criterion) {
    let shades = |f: &&PixelFormat| f.bit_depth() >= 8 && !f.is_indexed();
    for &format in PixelFormat::ALL.iter().filter(shades) {
        save(c, "format", format.name(), &scene(format));
    }
}

/// The way of the pixels alone: a row copied out of the view, as the encoder
/// gets it.
fn copies(c: &mut Criterion) {
    let mut array = scene(PixelFormat::RGBA8).into_source();
    let plain = array.clone();
    let mut packed = array.clone();
    let mut group = c.benchmark_group("copy out");
    group.throughput(Throughput::Bytes(packed.len() as u64));
    let mut copy = |name: &str, image: &Image<&dyn PixelSource>| {
        group.bench_function(name, |b| {
            b.iter(|| image.copy_to(&mut packed).expect("fits"));
        });
    };
    copy("slice", &rgba(&plain));
    copy("slice, mirrored", &rgba(&plain).flip_horizontal());
    copy("slice, transposed", &rgba(&plain).transpose());
    let atomics: Vec<AtomicU8> = plain.iter().map(|&b| AtomicU8::new(b)).collect();
    copy("AtomicU8", &rgba(&atomics));
    let words = plain.as_chunks().0.iter().copied();
    let words: Vec<AtomicU32> = words
        .map(|w| AtomicU32::new(u32::from_ne_bytes(w)))
        .collect();
    copy("AtomicU32", &rgba(&words));
    let cells = Cell::from_mut(&mut array[..]);
    copy("Cell<u8>", &rgba(&cells));
    copy("Cell<u8>, mirrored", &rgba(&cells).flip_horizontal());
    copy("Cell<u8>, transposed", &rgba(&cells).transpose());
    let mut planes = planes();
    copy("slice, planar", &planar(&planes));
    copy(
        "Cell<u8>, planar",
        &planar(&Cell::from_mut(&mut planes[..])),
    );
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
        save(c, "corpus", &name, &image);
    }
}

/// Saves to files, with and without a sync to the disk. The folder for temporary
/// files must be on the disk that is to be measured.
fn files(c: &mut Criterion) {
    let folder = std::env::temp_dir().join(format!("pixview-save-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("can be created");
    let path = folder.join("image.png");
    let large = scene(PixelFormat::RGBA8);
    let small = large.view().crop(0, 400, 64, 64).expect("inside");
    let mut group = c.benchmark_group("file");
    group.sample_size(50);
    for (size, image) in [("1024×768", large.view()), ("64×64", small)] {
        for sync in [false, true] {
            let mut encoder = PngEncoder::new().sync(sync);
            group.bench_function(format!("{size}, sync: {sync}"), |b| {
                b.iter(|| encoder.save(&image, &path).expect("saves"));
            });
            encoder.save_if_changed(&image, &path).expect("saves");
            group.bench_function(format!("{size}, unchanged, sync: {sync}"), |b| {
                b.iter(|| encoder.save_if_changed(&image, &path).expect("saves"));
            });
        }
    }
    group.finish();
    std::fs::remove_dir_all(&folder).expect("can be removed");
}

criterion_group!(benches, sources, formats, copies, files, corpus);
criterion_main!(benches);
