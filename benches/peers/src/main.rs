//! Saves real images with this crate and with its peers, in one run: speed,
//! size and peak heap, each file decoded and compared; and reads them. With the
//! argument `read` it only reads.
//!
//! ```text
//! PIXVIEW_CORPUS=folder/of/pngs cargo run --release
//! ```
//!
//! With `RUSTFLAGS='--cfg pixview_level="avx2"'` (or `"portable"`) ours does
//! without the registers that other processors don't have.
//!
//! Without `PIXVIEW_CORPUS` a few scenes are drawn, which say little about
//! photographs. Speeds are medians; every encoder writes to a `Vec` that grows
//! as it goes, as `to_png` does, but for those marked `reserved`.
//!
//! With `PIXVIEW_PLOT=file.svg` a chart of speed and size is written.

#[path = "../../plot.rs"]
mod plot;
mod read;

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::Instant;

use peak_alloc::PeakAlloc;
use pixview::{Compression, Image, PixelFormat, PngDecoder, PngEncoder};

use crate::plot::{Anchor, COLORS, Chart, WIDTH};

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

struct Picture {
    name: String,
    width: u32,
    height: u32,
    format: PixelFormat,
    /// Native-endian, packed.
    native: Vec<u8>,
    /// Big-endian, as PNG has it.
    png: Vec<u8>,
}

type Save = fn(&Picture, &mut Vec<u8>);

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

fn ours(p: &Picture, out: &mut Vec<u8>, compression: Compression, threads: usize) {
    let image = Image::from_buffer(&p.native, p.width, p.height, p.format).unwrap();
    let mut encoder = PngEncoder::new().compression(compression).threads(threads);
    encoder.write(&image, out).unwrap();
}

fn color(p: &Picture) -> (png::ColorType, png::BitDepth) {
    let color = match p.format.channels() {
        1 => png::ColorType::Grayscale,
        2 => png::ColorType::GrayscaleAlpha,
        3 => png::ColorType::Rgb,
        _ => png::ColorType::Rgba,
    };
    let depth = match p.format.bit_depth() {
        8 => png::BitDepth::Eight,
        _ => png::BitDepth::Sixteen,
    };
    (color, depth)
}

fn png_header<'o>(
    p: &Picture,
    out: &'o mut Vec<u8>,
    compression: png::Compression,
) -> png::Writer<&'o mut Vec<u8>> {
    let mut encoder = png::Encoder::new(out, p.width, p.height);
    let (color, depth) = color(p);
    encoder.set_color(color);
    encoder.set_depth(depth);
    encoder.set_compression(compression);
    encoder.write_header().unwrap()
}

fn png(p: &Picture, out: &mut Vec<u8>, compression: png::Compression) {
    let mut writer = png_header(p, out, compression);
    writer.write_image_data(&p.png).unwrap();
    writer.finish().unwrap();
}

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

/// Decoded by the `png` crate, or for its own files by `zune-png`.
fn decodes_to(p: &Picture, name: &str, file: &[u8]) -> bool {
    if name.starts_with("pixview") {
        let options = zune_core::options::DecoderOptions::default()
            .set_max_width(usize::MAX)
            .set_max_height(usize::MAX)
            .set_byte_endian(zune_core::bit_depth::ByteEndian::BE);
        let cursor = zune_core::bytestream::ZCursor::new(file);
        let decoded = zune_png::PngDecoder::new_with_options(cursor, options).decode_raw();
        return decoded.unwrap() == p.png;
    }
    let mut reader = png::Decoder::new(std::io::Cursor::new(file))
        .read_info()
        .unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    reader.next_frame(&mut pixels).unwrap();
    pixels == p.png
}

/// The files of the folder, or of a few scenes.
fn files() -> Vec<read::File> {
    match std::env::var_os("PIXVIEW_CORPUS") {
        Some(folder) => {
            let mut paths: Vec<_> = std::fs::read_dir(folder)
                .expect("PIXVIEW_CORPUS names a folder")
                .map(|entry| entry.unwrap().path())
                .filter(|path| {
                    path.extension()
                        .is_some_and(|e| e.eq_ignore_ascii_case("png"))
                })
                .collect();
            paths.sort();
            let name =
                |path: &std::path::Path| path.file_stem().unwrap().to_string_lossy().into_owned();
            paths
                .iter()
                .map(|path| read::File::new(name(path), std::fs::read(path).unwrap()))
                .collect()
        }
        None => [PixelFormat::RGB8, PixelFormat::RGBA8, PixelFormat::GRAY16]
            .map(|format| {
                let bytes = scene(format).to_png().unwrap();
                read::File::new(format!("scene {format}"), bytes)
            })
            .into(),
    }
}

/// What they show, in the formats that all peers write.
fn pictures(files: &[read::File]) -> Vec<Picture> {
    let picture = |file: &read::File| {
        let mut reader = PngDecoder::new().open_bytes(&file.bytes).unwrap();
        let transparent = |p: &pixview::Palette| p.colors().iter().any(|c| c[3] < 255);
        let format = match reader.palette() {
            Some(palette) if transparent(palette) => PixelFormat::RGBA8,
            Some(_) => PixelFormat::RGB8,
            None if reader.format().bit_depth() < 8 => PixelFormat::GRAY8,
            None => reader.format(),
        };
        let (name, image) = (file.name.clone(), reader.read_as(format).unwrap());
        let (width, height, format) = (image.width(), image.height(), image.format());
        let native = image.into_source();
        let mut png = native.clone();
        if format.bit_depth() == 16 {
            for sample in png.as_chunks_mut().0 {
                *sample = u16::from_ne_bytes(*sample).to_be_bytes();
            }
        }
        Picture {
            name,
            width,
            height,
            format,
            native,
            png,
        }
    };
    files.iter().map(picture).collect()
}

fn scene(format: PixelFormat) -> Image<Vec<u8>> {
    let (width, height) = (1600, 1200);
    let mut image = Image::new(width, height, format).unwrap();
    let scale = if format.bit_depth() == 16 { 257 } else { 1 };
    let mut seed = 1u32;
    let mut pixels = image.pixels_mut().unwrap();
    for y in 0..height {
        for x in 0..width {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let grain = (seed >> 29) as u16;
            let hill = y as f32 > 640.0 + 90.0 * (x as f32 / 140.0).sin();
            let color = if hill {
                [40 + grain, 90 + (y / 16) as u16 + grain, 50, 255]
            } else {
                [100 + (y / 9) as u16, 150, 230 + grain, 255]
            };
            pixels
                .put(x, y, &color.map(|s| s * scale)[..format.channels()])
                .unwrap();
        }
    }
    drop(pixels);
    image
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

fn geometric_mean(values: impl Iterator<Item = f64>) -> f64 {
    let logs: Vec<f64> = values.map(f64::ln).collect();
    (logs.iter().sum::<f64>() / logs.len() as f64).exp()
}

fn main() {
    let mut files = files();
    if std::env::args().any(|arg| arg == "read") {
        return read::run(&mut files);
    }
    let pictures = pictures(&files);
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
        points.push((*name, speed, geometric_mean(ratio(fast))));
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
    plot::write(|| draw(&points));
    read::run(&mut files);
}

/// Draws speed to the right, on a logarithmic scale, and size upwards. Leaves out
/// encoders that make much larger files.
fn draw(points: &[(&str, f64, f64)]) -> String {
    const HEIGHT: f64 = 540.0;
    const LEFT: f64 = 44.0;
    const RIGHT: f64 = WIDTH - 16.0;
    const TOP: f64 = 84.0;
    const BOTTOM: f64 = 486.0;
    let shown: Vec<_> = points.iter().filter(|p| p.2 < 1.3).collect();
    let range = |values: &mut dyn Iterator<Item = f64>| {
        values.fold((f64::MAX, f64::MIN), |(low, high), v| {
            (low.min(v), high.max(v))
        })
    };
    let (slow, quick) = range(&mut shown.iter().map(|p| p.1.log10()));
    let (slow, quick) = (slow - 0.12, quick + 0.12);
    let (small, large) = range(&mut shown.iter().map(|p| p.2));
    let (small, large) = (
        ((small - 0.02) * 20.0).floor() / 20.0,
        ((large + 0.02) * 20.0).ceil() / 20.0,
    );
    let x = |speed: f64| LEFT + (speed.log10() - slow) / (quick - slow) * (RIGHT - LEFT);
    let y = |size: f64| TOP + (large - size) / (large - small) * (BOTTOM - TOP);

    let mut chart = Chart::new(
        "PNG encoders: speed and size of the files",
        "Right is faster, down is smaller; geometric means over the pictures",
        HEIGHT,
    );
    let mut size = small;
    while size < large + 1e-9 {
        chart.row_line(LEFT, RIGHT, y(size));
        chart.text(
            LEFT - 8.0,
            y(size) + 4.0,
            Anchor::End,
            &format!("{size:.2}"),
        );
        size += 0.05;
    }
    for speed in [
        10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0, 2000.0, 5000.0,
    ] {
        if (slow..quick).contains(&f64::log10(speed)) {
            chart.column_line(x(speed), TOP, BOTTOM);
            chart.text(x(speed), BOTTOM + 20.0, Anchor::Middle, &speed.to_string());
        }
    }
    let unit = "megabytes of pixels a second";
    chart.text(RIGHT, BOTTOM + 42.0, Anchor::End, unit);
    let unit = format!("size, {REFERENCE} = 1");
    chart.text(0.0, TOP - 14.0, Anchor::Start, &unit);

    // Labels go where they cover neither a point nor another label.
    let mut taken: Vec<[f64; 4]> = shown
        .iter()
        .map(|p| [x(p.1) - 6.0, y(p.2) - 6.0, x(p.1) + 6.0, y(p.2) + 6.0])
        .collect();
    for &&(name, speed, size) in &shown {
        let (px, py) = (x(speed), y(size));
        let ours = name.starts_with("pixview");
        let width = if ours { 7.0 } else { 6.5 } * name.len() as f64;
        // To the right and to the left, then above and below, further and further.
        let beside = [
            (px + 10.0, py + 4.0, Anchor::Start),
            (px - 10.0, py + 4.0, Anchor::End),
        ];
        let rows = [-11.0, 20.0, -26.0, 35.0, -41.0, 50.0, -56.0, 65.0];
        let apart = rows.into_iter().flat_map(|dy| {
            let (left, right) = (px + 6.0, px - 6.0);
            [
                (left, py + dy, Anchor::End),
                (right, py + dy, Anchor::Start),
            ]
        });
        let places: Vec<_> = beside.into_iter().chain(apart).collect();
        let area = |&(x, y, anchor): &(f64, f64, Anchor)| {
            let left = x - if let Anchor::End = anchor { width } else { 0.0 };
            [left, y - 11.0, left + width, y + 3.0]
        };
        let free = |place: &&(f64, f64, Anchor)| {
            let [left, top, right, bottom] = area(place);
            let inside = left > LEFT && right < WIDTH && top > TOP && bottom < BOTTOM;
            let clear = |t: &[f64; 4]| left > t[2] || right < t[0] || top > t[3] || bottom < t[1];
            inside && taken.iter().all(clear)
        };
        let place = places.iter().find(free).unwrap_or(&places[0]);
        taken.push(area(place));
        let &(lx, ly, anchor) = place;
        if ours {
            chart.dot(px, py, COLORS[1]);
            chart.bold_text(lx, ly, anchor, name);
        } else {
            chart.dot(px, py, COLORS[0]);
            chart.text(lx, ly, anchor, name);
        }
    }
    chart.finish()
}
