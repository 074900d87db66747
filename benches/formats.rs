//! What other formats than PNG's own cost: every conversion alone, both ways,
//! and whole fast saves beside those of the converted picture.
//!
//! ```text
//! cargo bench --bench formats [-- FILTER]
//! ```
//!
//! The filter limits the conversions; the saves are always measured. With
//! `PIXVIEW_PLOT=file.svg` a chart of the saves is written.

#[path = "plot.rs"]
mod plot;

use std::hint::black_box;
use std::io;
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput};
use pixview::internals::{from_png, pack, pixel_size, png_row_size, to_png, unpack};
use pixview::{Compression, Image, PixelFormat, PngEncoder};

use crate::plot::Bars;

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
    let of_the_file = |sample: u16| match format.bit_depth() {
        16 => sample * 257,
        depth => sample >> (8 - depth),
    };
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
            let samples = rgba.map(of_the_file);
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
        (1, 1) => F::GRAY1,
        (1, 2) => F::GRAY2,
        (1, 4) => F::GRAY4,
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

/// Formats of every family whose conversion is code of its own.
fn families() -> Vec<PixelFormat> {
    use PixelFormat as F;
    vec![
        F::BGR8,
        F::BGRA8,
        F::BGRX8,
        F::XRGB8888,
        F::GRAY8.inverted(),
        F::GRAY8.with_bit_depth(1),
        F::GRAY8.with_bit_depth(4),
        F::GRAY16,
        F::GRAY16.inverted(),
        F::RGB16,
        F::RGBX16,
        F::RGBA16,
        F::RGB565,
        F::XRGB1555,
        F::RGBA5551,
        F::RGBA4444,
        F::XRGB2101010,
        F::RGBA1010102,
        F::CMYK8,
        F::BGRA8.premultiplied(),
        F::RGBA16.premultiplied(),
        F::GRAY_I8,
        F::GRAY_I32,
        F::GRAY_F16,
        F::RGBA_F16,
        F::GRAY_F32,
        F::RGB_F32,
        F::GRAY_F64,
        F::RGB_F64,
        F::GRAY_F32.linear(),
        F::RGBA_F16.premultiplied().linear().with_bit_depth(8),
        F::RGBA_F32.premultiplied().linear().with_bit_depth(8),
    ]
}

/// Saves of a picture, beside those of the converted picture.
struct Saves {
    format: PixelFormat,
    /// The time in the mode Fast, relative to that of the converted picture.
    fast: f64,
    /// As `fast`, in the mode Stored.
    stored: f64,
    /// Milliseconds of a save in the mode Fast.
    milliseconds: f64,
    /// Megabytes of PNG samples in a second, in the mode Fast.
    speed: f64,
}

impl Saves {
    /// Saves a picture and the converted picture, one after the other, again and
    /// again. Compares the lower quartiles of their times, because other work of
    /// the machine only ever adds time. The files are the same.
    fn measure(format: PixelFormat, runs: usize) -> Self {
        let image = scene(format);
        let plain = converted(&image);
        let times = [Compression::Fast, Compression::Stored].map(|compression| {
            let mut encoder = PngEncoder::new().compression(compression);
            let same =
                encoder.to_png(&image).expect("saves") == encoder.to_png(&plain).expect("saves");
            assert!(same, "{format} is another picture");
            let mut time = |image: &Image<Vec<u8>>| -> Duration {
                let start = Instant::now();
                encoder.write(image, io::sink()).expect("saves");
                start.elapsed()
            };
            let (mut own, mut others) = (Vec::new(), Vec::new());
            // Speed depends on where memory is: each round has other memory.
            for _ in 0..runs.div_ceil(RUNS_A_ROUND) {
                let (image, plain) = (image.clone(), plain.clone());
                for _ in 0..runs.min(RUNS_A_ROUND) {
                    own.push(time(&image));
                    others.push(time(&plain));
                }
            }
            [own, others].map(|mut times| {
                times.sort();
                times[times.len() / 4].as_secs_f64()
            })
        });
        let [[fast, plain_fast], [stored, plain_stored]] = times;
        Saves {
            format,
            fast: fast / plain_fast,
            stored: stored / plain_stored,
            milliseconds: fast * 1e3,
            speed: plain.source().len() as f64 / fast / 1e6,
        }
    }
}

/// The saves between two allocations of the pictures.
const RUNS_A_ROUND: usize = 5;

/// Prints the table of whole saves, and draws its chart.
fn saves(runs: usize) {
    let mut saves: Vec<Saves> = families()
        .into_iter()
        .map(|format| Saves::measure(format, runs))
        .collect();
    saves.sort_by(|a, b| a.fast.total_cmp(&b.fast));
    println!("\nA whole save over that of the converted picture, {runs} of each:\n");
    println!("| format | Fast | Stored | Fast, ms | Fast, MB/s of PNG |\n|---|---|---|---|---|");
    for row in &saves {
        println!(
            "| {} | {:.2} | {:.2} | {:.2} | {:.0} |",
            row.format, row.fast, row.stored, row.milliseconds, row.speed
        );
    }
    let groups: Vec<_> = saves
        .iter()
        .map(|row| (row.format.to_string(), vec![row.fast]))
        .collect();
    plot::write(|| {
        let chart = Bars {
            title: "Fast saves by format",
            subtitle: "The time, relative to a save of the same picture in the format of the file",
            series: &[""],
            groups: &groups,
            digits: 2,
        };
        chart.draw()
    });
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
    saves(if test { 1 } else { 20 });
}
