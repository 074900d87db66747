//! Saves real images with this crate and with its peers, in one run: speed,
//! size and peak heap, each file decoded and compared; and reads them. With the
//! argument `read` it only reads.
//!
//! ```text
//! PIXVIEW_CORPUS=folder/of/pngs cargo run --release
//! ```
//!
//! `cargo run --release --bin frontier` compares the compressors alone:
//! `src/frontier/main.rs`.
//!
//! With `RUSTFLAGS='--cfg pixview_level="avx2"'` (or `"portable"`) ours does
//! without the registers that other processors don't have.
//!
//! Without `PIXVIEW_CORPUS` a few scenes are drawn, which say little about
//! photographs. Speeds are medians; every encoder writes to a `Vec` that grows
//! as it goes, as `to_png` does, but for those marked `reserved`.
//!
//! With `PIXVIEW_PLOT=file.svg` a chart of speed and size is written.

mod pictures;
#[path = "../../plot.rs"]
mod plot;
mod read;
mod scatter;

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::Instant;

use peak_alloc::PeakAlloc;
use pixview::Compression;

use crate::pictures::{Picture, Save, decodes_to, geometric_mean, ours, png, png_header};
use crate::plot::COLORS;
use crate::scatter::{Point, Scatter};

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// Name, and the save, which appends to an empty vector.
const ENCODERS: &[(&str, Save)] = &[
    ("pixview Stored", |p, out| {
        ours(p, out, Compression::Stored, 1)
    }),
    ("pixview Stored, reserved", |p, out| {
        out.reserve(p.png.len() * 11 / 10);
        ours(p, out, Compression::Stored, 1);
    }),
    ("pixview Fast", |p, out| ours(p, out, Compression::Fast, 1)),
    ("pixview Fast, 2 threads", |p, out| {
        ours(p, out, Compression::Fast, 2)
    }),
    ("pixview Small", |p, out| {
        ours(p, out, Compression::Small, 1)
    }),
    ("pixview Small, 2 threads", |p, out| {
        ours(p, out, Compression::Small, 2)
    }),
    ("pixview Best", |p, out| ours(p, out, Compression::Best, 1)),
    ("pixview Best, 2 threads", |p, out| {
        ours(p, out, Compression::Best, 2)
    }),
    ("png NoCompression, reserved", |p, out| {
        out.reserve(p.png.len() * 11 / 10);
        png(p, out, png::Compression::NoCompression);
    }),
    ("png Fastest", |p, out| {
        png(p, out, png::Compression::Fastest)
    }),
    (REFERENCE, |p, out| png(p, out, png::Compression::Fast)),
    ("png Fast, StreamWriter", |p, out| {
        png_stream(p, out, png::Compression::Fast)
    }),
    (BALANCED, |p, out| png(p, out, png::Compression::Balanced)),
    ("png High", |p, out| png(p, out, png::Compression::High)),
    ("image, default", image),
    ("mtpng Fast, 2 threads", mtpng),
    ("zune-png", zune),
    ("lodepng", lodepng),
];

/// What sizes and speeds are relative to.
const REFERENCE: &str = "png Fast";
const BALANCED: &str = "png Balanced";

fn png_stream(p: &Picture, out: &mut Vec<u8>, compression: png::Compression) {
    use std::io::Write;
    let mut writer = png_header(p, out, compression);
    let mut stream = writer.stream_writer().unwrap();
    stream.write_all(&p.png).unwrap();
    stream.finish().unwrap();
    writer.finish().unwrap();
}

fn image(p: &Picture, out: &mut Vec<u8>) {
    use image::ExtendedColorType as T;
    use image::ImageEncoder;
    let color = match (p.format.channels(), p.format.bit_depth()) {
        (1, 8) => T::L8,
        (2, 8) => T::La8,
        (3, 8) => T::Rgb8,
        (4, 8) => T::Rgba8,
        (1, _) => T::L16,
        (2, _) => T::La16,
        (3, _) => T::Rgb16,
        _ => T::Rgba16,
    };
    let encoder = image::codecs::png::PngEncoder::new(out);
    encoder
        .write_image(&p.native, p.width, p.height, color)
        .unwrap();
}

fn mtpng(p: &Picture, out: &mut Vec<u8>) {
    use mtpng::encoder::{Encoder, Options};
    use mtpng::{ColorType, CompressionLevel, Header};
    let pool = mtpng_pool();
    let mut header = Header::new();
    header.set_size(p.width, p.height).unwrap();
    let color = match p.format.channels() {
        1 => ColorType::Greyscale,
        2 => ColorType::GreyscaleAlpha,
        3 => ColorType::Truecolor,
        _ => ColorType::TruecolorAlpha,
    };
    header.set_color(color, p.format.bit_depth()).unwrap();
    let mut options = Options::new();
    options.set_thread_pool(pool).unwrap();
    options
        .set_compression_level(CompressionLevel::Fast)
        .unwrap();
    let mut encoder = Encoder::new(out, &options);
    encoder.write_header(&header).unwrap();
    encoder.write_image_rows(&p.png).unwrap();
    encoder.finish().unwrap();
}

fn mtpng_pool() -> &'static rayon::ThreadPool {
    static POOL: std::sync::OnceLock<rayon::ThreadPool> = std::sync::OnceLock::new();
    POOL.get_or_init(|| {
        rayon::ThreadPoolBuilder::new()
            .num_threads(2)
            .build()
            .unwrap()
    })
}

fn zune(p: &Picture, out: &mut Vec<u8>) {
    use zune_core::bit_depth::BitDepth;
    use zune_core::colorspace::ColorSpace;
    use zune_core::options::EncoderOptions;
    let colorspace = match p.format.channels() {
        1 => ColorSpace::Luma,
        2 => ColorSpace::LumaA,
        3 => ColorSpace::RGB,
        _ => ColorSpace::RGBA,
    };
    let depth = if p.format.bit_depth() == 8 {
        BitDepth::Eight
    } else {
        BitDepth::Sixteen
    };
    let options = EncoderOptions::new(p.width as usize, p.height as usize, colorspace, depth);
    // It takes 16-bit samples as the file has them.
    let mut encoder = zune_png::PngEncoder::new(&p.png, options);
    encoder.encode(out).unwrap();
}

fn lodepng(p: &Picture, out: &mut Vec<u8>) {
    use lodepng::ColorType;
    let color = match p.format.channels() {
        1 => ColorType::GREY,
        2 => ColorType::GREY_ALPHA,
        3 => ColorType::RGB,
        _ => ColorType::RGBA,
    };
    let mut encoder = lodepng::Encoder::new();
    encoder.set_auto_convert(false);
    let depth = u32::from(p.format.bit_depth());
    encoder.info_raw_mut().set_colortype(color);
    encoder.info_raw_mut().set_bitdepth(depth);
    encoder.info_png_mut().color.set_colortype(color);
    encoder.info_png_mut().color.set_bitdepth(depth);
    let png = encoder
        .encode(&p.png, p.width as usize, p.height as usize)
        .unwrap();
    out.extend_from_slice(&png);
}

#[derive(Clone)]
struct Result {
    seconds: f64,
    bytes: usize,
    peak: usize,
}

fn measure(p: &Picture, name: &str, save: Save) -> Result {
    let mut first = Vec::new();
    let before = ALLOCATOR.current_usage();
    ALLOCATOR.reset_peak_usage();
    save(p, &mut first);
    let peak = (ALLOCATOR.peak_usage() - before).saturating_sub(first.capacity());
    assert!(
        decodes_to(p, name, &first),
        "{name} of {} is not the picture",
        p.name
    );
    let bytes = first.len();
    drop(first);
    // As many runs as half a second has, after the one above.
    let mut times = Vec::new();
    let start = Instant::now();
    while times.is_empty() || (start.elapsed().as_secs_f64() < 0.5 && times.len() < 25) {
        let mut out = Vec::new();
        let start = Instant::now();
        save(p, &mut out);
        times.push(start.elapsed().as_secs_f64());
        black_box(&out);
    }
    times.sort_by(f64::total_cmp);
    Result {
        seconds: times[times.len() / 2],
        bytes,
        peak,
    }
}

fn main() {
    let files = pictures::files();
    let mut read_files: Vec<_> = files.iter().map(read::File::new).collect();
    if std::env::args().any(|arg| arg == "read") {
        return read::run(&mut read_files);
    }
    let pictures = pictures::expanded(&files);
    let results: Vec<Vec<Result>> = pictures
        .iter()
        .map(|p| {
            eprintln!("{} {}x{} {}", p.name, p.width, p.height, p.format);
            ENCODERS
                .iter()
                .map(|&(name, save)| measure(p, name, save))
                .collect()
        })
        .collect();
    let index = |name: &str| ENCODERS.iter().position(|(n, _)| *n == name).unwrap();
    let (fast, balanced) = (index(REFERENCE), index(BALANCED));

    let mut table = String::new();
    writeln!(table, "| encoder | MB/s | × {REFERENCE} | size, {REFERENCE} = 1 | worst | size, {BALANCED} = 1 | worst | % of raw | peak heap, MiB |").unwrap();
    writeln!(table, "|---|---|---|---|---|---|---|---|---|").unwrap();
    let mut points = Vec::new();
    for (e, (name, _)) in ENCODERS.iter().enumerate() {
        let each = || pictures.iter().zip(&results);
        let speed = geometric_mean(each().map(|(p, r)| p.png.len() as f64 / r[e].seconds / 1e6));
        let faster = geometric_mean(each().map(|(_, r)| r[fast].seconds / r[e].seconds));
        let ratio = |to: usize| each().map(move |(_, r)| r[e].bytes as f64 / r[to].bytes as f64);
        let raw = geometric_mean(each().map(|(p, r)| r[e].bytes as f64 / p.png.len() as f64));
        let peak = each().map(|(_, r)| r[e].peak).max().unwrap() as f64 / 1048576.0;
        writeln!(
            table,
            "| {name} | {speed:.0} | {faster:.2} | {:.3} | {:.3} | {:.3} | {:.3} | {:.1} | {peak:.1} |",
            geometric_mean(ratio(fast)),
            ratio(fast).fold(0.0, f64::max),
            geometric_mean(ratio(balanced)),
            ratio(balanced).fold(0.0, f64::max),
            100.0 * raw,
        )
        .unwrap();
        let ours = name.starts_with("pixview");
        points.push(Point {
            name,
            color: COLORS[usize::from(ours)],
            speed,
            size: geometric_mean(ratio(fast)),
            ours,
        });
    }
    println!("{table}");

    println!("each picture, {REFERENCE} = 1 (speed and size), and {BALANCED} = 1 (size)");
    for (p, r) in pictures.iter().zip(&results) {
        println!("{} {}x{} {}", p.name, p.width, p.height, p.format);
        for (e, (name, _)) in ENCODERS
            .iter()
            .enumerate()
            .filter(|(_, (n, _))| n.starts_with("pixview"))
        {
            println!(
                "  {name:26} {:6.2} x {:.3} | {:.3}",
                r[fast].seconds / r[e].seconds,
                r[e].bytes as f64 / r[fast].bytes as f64,
                r[e].bytes as f64 / r[balanced].bytes as f64,
            );
        }
    }
    plot::write(|| {
        let chart = Scatter {
            title: "PNG encoders: speed and size of the files",
            subtitle: "Right is faster, down is smaller; geometric means over the pictures",
            speed_unit: "megabytes of pixels a second",
            size_unit: &format!("size, {REFERENCE} = 1"),
            points: &points,
            legend: &[],
            largest: 1.3,
            frontier: false,
            height: 540.0,
        };
        chart.draw()
    });
    read::run(&mut read_files);
}
