//! Reading: the files as they are found, from memory, with each decoder's own
//! idea of what to check. Ours looks at every checksum.

use std::hint::black_box;
use std::io::Cursor;
use std::time::Instant;

use pixview::{Image, Layout, PixelFormat, PngDecoder};

/// A file that is read, and memory for its pixels in padded rows of BGRA.
pub struct File {
    pub name: String,
    pub bytes: Vec<u8>,
    padded: Vec<u8>,
}

type Read = fn(&mut File);

const DECODERS: &[(&str, Read)] = &[
    (REFERENCE, |f| {
        let mut decoder = png::Decoder::new(Cursor::new(&f.bytes));
        decoder.set_transformations(png::Transformations::IDENTITY);
        let mut reader = decoder.read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        reader.next_frame(&mut pixels).unwrap();
        black_box(&pixels);
    }),
    ("png, every checksum", |f| {
        let mut options = png::DecodeOptions::default();
        options.set_ignore_checksums(false);
        let mut decoder = png::Decoder::new_with_options(Cursor::new(&f.bytes), options);
        decoder.set_transformations(png::Transformations::IDENTITY);
        let mut reader = decoder.read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        reader.next_frame(&mut pixels).unwrap();
        black_box(&pixels);
    }),
    ("pixview", |f| {
        let mut reader = PngDecoder::new().open_bytes(&f.bytes).unwrap();
        black_box(reader.read().unwrap());
    }),
    ("pixview, into padded BGRA", |f| {
        let mut reader = PngDecoder::new().open_bytes(&f.bytes).unwrap();
        let stride = (reader.width() as usize * 4).next_multiple_of(256);
        let layout = Layout::packed(reader.width(), reader.height(), PixelFormat::BGRA8)
            .with_row_stride(stride as isize);
        let mut view = Image::with_layout(&mut f.padded[..], layout).unwrap();
        reader.read_into(&mut view).unwrap();
        black_box(&f.padded);
    }),
    ("image", |f| {
        let format = image::ImageFormat::Png;
        black_box(image::load_from_memory_with_format(&f.bytes, format).unwrap());
    }),
    ("zune-png", |f| {
        let cursor = zune_core::bytestream::ZCursor::new(&f.bytes);
        black_box(zune_png::PngDecoder::new(cursor).decode_raw().unwrap());
    }),
    ("lodepng", |f| {
        black_box(lodepng::Decoder::new().decode(&f.bytes).unwrap());
    }),
];

const REFERENCE: &str = "png into a Vec";

impl File {
    pub fn new((name, bytes): &crate::pictures::File) -> Self {
        let reader = PngDecoder::new().open_bytes(bytes).unwrap();
        let stride = (reader.width() as usize * 4).next_multiple_of(256);
        let padded = vec![0; stride * reader.height() as usize];
        File {
            name: name.clone(),
            bytes: bytes.clone(),
            padded,
        }
    }
}

/// Medians of interleaved runs, and from them geometric means.
pub fn run(files: &mut [File]) {
    let mut ratios = vec![Vec::new(); DECODERS.len()];
    let mut speeds = vec![Vec::new(); DECODERS.len()];
    for file in files.iter_mut() {
        let reader = PngDecoder::new().open_bytes(&file.bytes).unwrap();
        let size = reader.format().row_size(reader.width()) * u64::from(reader.height());
        let mut times = vec![Vec::new(); DECODERS.len()];
        let start = Instant::now();
        while times[0].len() < 3 || (start.elapsed().as_secs_f64() < 2.0 && times[0].len() < 25) {
            for ((_, read), times) in DECODERS.iter().zip(&mut times) {
                let start = Instant::now();
                read(file);
                times.push(start.elapsed().as_secs_f64());
            }
        }
        let medians: Vec<f64> = times
            .iter_mut()
            .map(|times| {
                times.sort_by(f64::total_cmp);
                times[times.len() / 2]
            })
            .collect();
        eprintln!(
            "{} {:.2} {:.2}",
            file.name,
            medians[0] / medians[2],
            medians[0] / medians[3]
        );
        for (i, median) in medians.iter().enumerate() {
            ratios[i].push(medians[0] / median);
            speeds[i].push(size as f64 / median / 1e6);
        }
    }
    println!(
        "\n| decoder | MB/s of the file's pixels | × {REFERENCE} | slowest |\n|---|---|---|---|"
    );
    for (i, (name, _)) in DECODERS.iter().enumerate() {
        println!(
            "| {name} | {:.0} | {:.2} | {:.2} |",
            crate::geometric_mean(speeds[i].iter().copied()),
            crate::geometric_mean(ratios[i].iter().copied()),
            ratios[i].iter().copied().fold(f64::MAX, f64::min),
        );
    }
}
