//! What other formats than PNG's own cost: every conversion alone, both ways,
//! and whole fast saves beside those of the converted picture.

use std::hint::black_box;
use std::io;
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput};
use pixview::internals::{from_png, pack, pixel_size, png_row_size, to_png, unpack};
use pixview::{Compression, Image, PixelFormat, PngEncoder};

/// Pixels of a row that fits the first-level cache.
const ROW: usize = 1024;

/// The formats, and what can be said of their numbers.
fn formats() -> Vec<PixelFormat> {
    use PixelFormat as F;
    let whole = |format: &&F| format.bits_per_pixel() >= 8;
    let mut all: Vec<F> = F::ALL.iter().filter(whole).copied().collect();
    all.extend(
        [
            F::GRAY_ALPHA8,
            F::RGBA8,
            F::BGRA8,
            F::ARGB8,
            F::GRAY_ALPHA16,
            F::RGBA16,
            F::BGRA16,
            F::ARGB1555,
            F::RGBA4444,
            F::ARGB2101010,
            F::RGBA_F16,
            F::RGBA_F32,
        ]
        .map(F::premultiplied),
    );
    all.extend([
        F::GRAY8.inverted(),
        F::GRAY16.inverted(),
        F::GRAY8.with_bit_depth(1),
        F::GRAY8.with_bit_depth(4),
        F::GRAY_F32.with_bit_depth(8),
        F::GRAY_F32.linear(),
        F::RGBA_F32.linear().with_bit_depth(8),
        F::GRAY16.with_significant_bits(12),
    ]);
    all
}

/// Each conversion of a row; throughput is in bytes of PNG.
fn conversions(c: &mut Criterion) {
    for format in formats() {
        let size = png_row_size(format, ROW as u32);
        let mut pixels: Vec<u8> = (0..ROW * pixel_size(format))
            .map(|i| (i * 167 + i / 256 * 31) as u8)
            .collect();
        let mut png = vec![0; size];
        let mut group = c.benchmark_group("to PNG");
        group.throughput(Throughput::Bytes(size as u64));
        group.bench_function(format.to_string(), |b| {
            b.iter(|| to_png(format, black_box(&pixels), &mut png));
        });
        group.finish();
        let mut group = c.benchmark_group("from PNG");
        group.throughput(Throughput::Bytes(size as u64));
        group.bench_function(format.to_string(), |b| {
            b.iter(|| from_png(format, black_box(&png), &mut pixels));
        });
        group.finish();
    }
}

/// The bits of a byte apart and together, in bytes of one each.
fn bits(c: &mut Criterion) {
    let mut packed: Vec<u8> = (0..ROW).map(|i| (i * 167) as u8).collect();
    let mut indices = vec![0; 8 * ROW];
    for bits in [1, 2, 4] {
        for (lsb_first, name) in [(false, "first in the most"), (true, "first in the least")] {
            let count = ROW * 8 / usize::from(bits);
            let mut group = c.benchmark_group("bits");
            group.throughput(Throughput::Bytes(count as u64));
            group.bench_function(format!("{bits} apart, {name}"), |b| {
                b.iter(|| unpack(bits, lsb_first, black_box(&packed), &mut indices[..count]));
            });
            group.bench_function(format!("{bits} together, {name}"), |b| {
                b.iter(|| pack(bits, lsb_first, black_box(&indices[..count]), &mut packed));
            });
            group.finish();
        }
    }
}

const WIDTH: u32 = 1920;
const HEIGHT: u32 = 1080;

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
                [40 + grain, 90 + (y / 12) as u16 + grain, 50, 255]
            } else {
                [
                    100 + (y / 12) as u16,
                    130 + (y / 12) as u16,
                    230 + grain,
                    200 - (x / 20) as u16,
                ]
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

/// The same picture as PNG has it.
fn converted(image: &Image<Vec<u8>>) -> Image<Vec<u8>> {
    use PixelFormat as F;
    let format = match (image.format().channels(), image.format().bit_depth()) {
        (1, 8) => F::GRAY8,
        (1, _) => F::GRAY16BE,
        (2, 8) => F::GRAY_ALPHA8,
        (2, _) => F::GRAY_ALPHA16BE,
        (3, 8) => F::RGB8,
        (3, _) => F::RGB16BE,
        (_, 8) => F::RGBA8,
        _ => F::RGBA16BE,
    };
    let mut converted = Image::new(WIDTH, HEIGHT, format).expect("fits");
    let (from, mut to) = (
        image.pixels().expect("owned"),
        converted.pixels_mut().expect("owned"),
    );
    for y in 0..HEIGHT {
        for x in 0..WIDTH {
            let pixel = from.get(x, y).expect("inside");
            to.put(x, y, pixel).expect("inside");
        }
    }
    drop(to);
    converted
}

/// Whole saves of a picture and of the converted picture, one after the other,
/// again and again: the ratio of the medians of their times. The files are the
/// same.
fn saves(runs: usize) {
    use PixelFormat as F;
    println!("\nA whole save over that of the converted picture, {runs} of each:\n");
    println!("| format | Fast | Stored | MB/s of PNG, Fast |\n|---|---|---|---|");
    for format in [
        F::BGR8,
        F::BGRA8,
        F::BGRX8,
        F::XRGB8888,
        F::GRAY8.inverted(),
        F::GRAY16,
        F::RGB16,
        F::RGBA16,
        F::RGB565,
        F::XRGB1555,
        F::RGBA4444,
        F::XRGB2101010,
        F::CMYK8,
        F::BGRA8.premultiplied(),
        F::RGBA16.premultiplied(),
        F::GRAY_I8,
        F::GRAY_I32,
        F::GRAY_F16,
        F::GRAY_F32,
        F::GRAY_F64,
        F::RGB_F32,
        F::GRAY_F32.linear(),
        F::RGBA_F32.premultiplied().linear().with_bit_depth(8),
    ] {
        let image = scene(format);
        let plain = converted(&image);
        let bytes = plain.source().len() as f64;
        let mut ratios = Vec::new();
        let mut speed = 0.0;
        for compression in [Compression::Fast, Compression::Stored] {
            let mut encoder = PngEncoder::new().compression(compression);
            let same =
                encoder.to_png(&image).expect("saves") == encoder.to_png(&plain).expect("saves");
            assert!(same, "{format} is another picture");
            let mut time = |image| -> Duration {
                let start = Instant::now();
                encoder.write(image, io::sink()).expect("saves");
                start.elapsed()
            };
            let (mut own, mut others) = (Vec::new(), Vec::new());
            for _ in 0..runs {
                own.push(time(&image));
                others.push(time(&plain));
            }
            own.sort();
            others.sort();
            ratios.push(own[runs / 2].as_secs_f64() / others[runs / 2].as_secs_f64());
            if compression == Compression::Fast {
                speed = bytes / own[runs / 2].as_secs_f64() / 1e6;
            }
        }
        println!(
            "| {format} | {:.2} | {:.2} | {speed:.0} |",
            ratios[0], ratios[1]
        );
    }
}

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(100))
        .measurement_time(Duration::from_millis(200))
        .configure_from_args();
    conversions(&mut criterion);
    bits(&mut criterion);
    criterion.final_summary();
    let test = std::env::args().any(|arg| arg == "--test");
    saves(if test { 1 } else { 31 });
}
