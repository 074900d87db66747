//! Contract 8: the file depends only on the visible pixels, the format as PNG
//! sees it and the options: not on the kind of source, strides or views.

mod common;

use std::cell::{Cell, RefCell};
use std::sync::atomic::{AtomicU8, AtomicU32};
use std::sync::{Mutex, RwLock};

use pixview::{Compression, Image, Layout, PixelFormat, PixelSource, PngEncoder};

const MODES: [Compression; 4] = [
    Compression::Stored,
    Compression::Fast,
    Compression::Small,
    Compression::Best,
];

const WIDTH: u32 = 61;
const HEIGHT: u32 = 47;

fn files<S: PixelSource>(image: &Image<S>) -> Vec<Vec<u8>> {
    MODES
        .map(|mode| PngEncoder::new().compression(mode).to_vec(image).unwrap())
        .into()
}

/// The pictures of `picture` as RGB and as RGBA, with the same colours.
fn picture(channels: usize) -> Vec<u8> {
    let mut pixels = Vec::new();
    let noise = common::noise((WIDTH * HEIGHT) as usize, 3);
    for y in 0..HEIGHT {
        for x in 0..WIDTH {
            let grain = noise[(y * WIDTH + x) as usize] / 64;
            let pixel = [
                (x * 4) as u8 + grain,
                (y * 5) as u8,
                (x + y) as u8,
                255 - grain,
            ];
            pixels.extend_from_slice(&pixel[..channels]);
        }
    }
    pixels
}

#[test]
fn every_source() {
    let format = PixelFormat::RGBA8;
    let mut bytes = picture(4);
    let expected = files(&Image::from_buffer(&bytes, WIDTH, HEIGHT, format).unwrap());
    let check = |name: &str, source: &dyn PixelSource| {
        let image = Image::from_buffer(source, WIDTH, HEIGHT, format).unwrap();
        assert!(files(&image) == expected, "{name}");
    };
    let words: Vec<u32> = bytes
        .chunks(4)
        .map(|p| u32::from_ne_bytes(p.try_into().unwrap()))
        .collect();
    check("Vec", &bytes.clone());
    check("u32", &words);
    check(
        "AtomicU8",
        &bytes.iter().map(|&b| AtomicU8::new(b)).collect::<Vec<_>>(),
    );
    check(
        "AtomicU32",
        &words.iter().map(|&w| AtomicU32::new(w)).collect::<Vec<_>>(),
    );
    check("Mutex", &Mutex::new(bytes.clone()));
    check("RwLock", &RwLock::new(words));
    check("RefCell", &RefCell::new(bytes.clone()));
    check("cells", &Cell::from_mut(&mut bytes[..]).as_slice_of_cells());

    // An encoder that has saved something else gives the same bytes.
    let image = Image::from_buffer(&bytes, WIDTH, HEIGHT, format).unwrap();
    let mut encoder = PngEncoder::new();
    encoder
        .to_vec(&Image::new(200, 3, PixelFormat::GRAY16LE).unwrap())
        .unwrap();
    assert!(encoder.to_vec(&image).unwrap() == expected[1]);
    assert!(image.to_png().unwrap() == expected[1]);
}

/// The same picture in memory in other ways: formats, strides, planes, turned
/// around and turned back by a view.
#[test]
fn every_layout() {
    for (definition, channels) in common::DEFINITIONS
        .iter()
        .filter(|d| d.depth() == 8)
        .map(|d| (d, d.channels()))
        .filter(|&(_, channels)| channels >= 3)
    {
        let plain = picture(channels);
        let format = [PixelFormat::RGB8, PixelFormat::RGBA8][channels - 3];
        let expected = files(&Image::from_buffer(&plain, WIDTH, HEIGHT, format).unwrap());

        let size = definition.size as isize;
        let (w, h) = (WIDTH as isize, HEIGHT as isize);
        let packed = Layout::packed(WIDTH, HEIGHT, definition.format);
        let mut layouts = vec![
            packed,
            packed.with_row_stride(512).with_offset(8),
            packed.with_row_stride(-512).with_offset(512 * 46),
            packed
                .with_pixel_stride(-size)
                .with_offset((w * size - size) as usize),
            packed.with_pixel_stride(size + 3).with_row_stride(600),
            packed.with_pixel_stride(h * size).with_row_stride(size),
        ];
        if !definition.is_word() {
            layouts.push(
                packed
                    .with_pixel_stride(1)
                    .with_row_stride(w)
                    .with_plane_stride(w * h),
            );
        }
        for layout in layouts {
            let mut image =
                Image::with_layout(vec![0u8; 64_000], layout, definition.format).unwrap();
            let mut pixels = image.write().unwrap();
            for (i, pixel) in plain.chunks(channels).enumerate() {
                let (x, y) = (i as u32 % WIDTH, i as u32 / WIDTH);
                let samples: Vec<u16> = pixel.iter().map(|&s| s.into()).collect();
                pixels.put(x, y, samples).unwrap();
            }
            drop(pixels);
            assert!(
                files(&image) == expected,
                "{} {layout:?}",
                definition.format
            );
        }
    }
}
