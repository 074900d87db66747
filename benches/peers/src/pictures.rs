//! The pictures that are saved, and the saves that every benchmark compares.

#![allow(dead_code, reason = "each benchmark uses other parts")]

use pixview::{Compression, Image, Palette, PixelFormat, PngDecoder, PngEncoder};

/// A picture as the encoders get it.
pub struct Picture {
    pub name: String,
    pub width: u32,
    pub height: u32,
    pub format: PixelFormat,
    /// The palette of an indexed picture.
    pub palette: Option<Palette>,
    /// Native-endian, packed.
    pub native: Vec<u8>,
    /// Big-endian, as PNG has it.
    pub png: Vec<u8>,
}

/// The name of a file, and its bytes.
pub type File = (String, Vec<u8>);

/// A save, which appends to an empty vector.
pub type Save = fn(&Picture, &mut Vec<u8>);

/// Saves with this crate.
pub fn ours(p: &Picture, out: &mut Vec<u8>, compression: Compression, threads: usize) {
    let mut image = Image::from_buffer(&p.native, p.width, p.height, p.format).unwrap();
    if let Some(palette) = &p.palette {
        image = image.with_palette(palette.clone()).unwrap();
    }
    let mut encoder = PngEncoder::new().compression(compression).threads(threads);
    encoder.write(&image, out).unwrap();
}

/// Writes the header of a file with the `png` crate.
pub fn png_header<'o>(
    p: &Picture,
    out: &'o mut Vec<u8>,
    compression: png::Compression,
) -> png::Writer<&'o mut Vec<u8>> {
    let mut encoder = png::Encoder::new(out, p.width, p.height);
    encoder.set_color(match p.format.channels() {
        1 if p.palette.is_some() => png::ColorType::Indexed,
        1 => png::ColorType::Grayscale,
        2 => png::ColorType::GrayscaleAlpha,
        3 => png::ColorType::Rgb,
        _ => png::ColorType::Rgba,
    });
    encoder.set_depth(png::BitDepth::from_u8(p.format.bit_depth()).unwrap());
    if let Some(palette) = &p.palette {
        let colors = palette.colors();
        encoder.set_palette(
            colors
                .iter()
                .flat_map(|c| [c[0], c[1], c[2]])
                .collect::<Vec<_>>(),
        );
        if colors.iter().any(|c| c[3] < 255) {
            encoder.set_trns(colors.iter().map(|c| c[3]).collect::<Vec<_>>());
        }
    }
    encoder.set_compression(compression);
    encoder.write_header().unwrap()
}

/// Saves with the `png` crate.
pub fn png(p: &Picture, out: &mut Vec<u8>, compression: png::Compression) {
    let mut writer = png_header(p, out, compression);
    writer.write_image_data(&p.png).unwrap();
    writer.finish().unwrap();
}

/// Returns whether a file holds the picture: as the `png` crate decodes it, or for
/// our own files `zune-png`.
pub fn decodes_to(p: &Picture, name: &str, file: &[u8]) -> bool {
    // `zune-png` expands palettes and small samples.
    if name.starts_with("pixview") && p.palette.is_none() && p.format.bit_depth() >= 8 {
        let options = zune_core::options::DecoderOptions::default()
            .set_max_width(usize::MAX)
            .set_max_height(usize::MAX)
            .set_byte_endian(zune_core::bit_depth::ByteEndian::BE);
        let cursor = zune_core::bytestream::ZCursor::new(file);
        let decoded = zune_png::PngDecoder::new_with_options(cursor, options).decode_raw();
        return decoded.unwrap() == p.png;
    }
    let decode = |file: &[u8]| {
        let mut decoder = png::Decoder::new(std::io::Cursor::new(file));
        decoder.set_transformations(if p.format.bit_depth() < 16 {
            png::Transformations::EXPAND
        } else {
            png::Transformations::IDENTITY
        });
        let mut reader = decoder.read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        reader.next_frame(&mut pixels).unwrap();
        pixels
    };
    if p.palette.is_none() && p.format.bit_depth() >= 8 {
        return decode(file) == p.png;
    }
    let mut stored = Vec::new();
    png(p, &mut stored, png::Compression::NoCompression);
    decode(file) == decode(&stored)
}

/// Returns the files of the folder that `PIXVIEW_CORPUS` names, or of a few scenes.
pub fn files() -> Vec<File> {
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
                .map(|path| (name(path), std::fs::read(path).unwrap()))
                .collect()
        }
        None => [PixelFormat::RGB8, PixelFormat::RGBA8, PixelFormat::GRAY16]
            .map(|format| {
                let bytes = scene(format).to_png().unwrap();
                (format!("scene {format}"), bytes)
            })
            .into(),
    }
}

/// Returns the pictures of files in the formats that all peers write: without
/// palettes, and with 8 or 16 bits.
pub fn expanded(files: &[File]) -> Vec<Picture> {
    let picture = |(name, bytes): &File| {
        let mut reader = PngDecoder::new().open_bytes(bytes).unwrap();
        let transparent = |p: &Palette| p.colors().iter().any(|c| c[3] < 255);
        let format = match reader.palette() {
            Some(palette) if transparent(palette) => PixelFormat::RGBA8,
            Some(_) => PixelFormat::RGB8,
            None if reader.format().bit_depth() < 8 => PixelFormat::GRAY8,
            None => reader.format(),
        };
        Picture::new(name, reader.read_as(format).unwrap())
    };
    files.iter().map(picture).collect()
}

/// Returns the pictures of files in the formats of the files.
pub fn as_they_are(files: &[File]) -> Vec<Picture> {
    let picture = |(name, bytes): &File| {
        let mut reader = PngDecoder::new().open_bytes(bytes).unwrap();
        Picture::new(name, reader.read().unwrap())
    };
    files.iter().map(picture).collect()
}

impl Picture {
    fn new(name: &str, image: Image<Vec<u8>>) -> Self {
        let (width, height, format) = (image.width(), image.height(), image.format());
        let palette = image.palette().cloned();
        let native = image.into_source();
        let mut png = native.clone();
        if format.bit_depth() == 16 {
            for sample in png.as_chunks_mut().0 {
                *sample = u16::from_ne_bytes(*sample).to_be_bytes();
            }
        }
        Picture {
            name: name.to_owned(),
            width,
            height,
            format,
            palette,
            native,
            png,
        }
    }
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

pub fn geometric_mean(values: impl Iterator<Item = f64>) -> f64 {
    let logs: Vec<f64> = values.map(f64::ln).collect();
    (logs.iter().sum::<f64>() / logs.len() as f64).exp()
}
