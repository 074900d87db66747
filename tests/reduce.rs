//! Lossless reduction: smaller color types and bit depths, the same pixels.

mod common;

use std::cell::Cell;
use std::collections::HashSet;

use common::{DEFINITIONS, decode, noise};
use pixview::metadata::{Background, Density};
use pixview::{Compression, Image, Layout, Metadata, PixelFormat, PngDecoder, PngEncoder};

/// Returns the color type and the bit depth of a file (PNG third edition,
/// 11.2.1).
fn header(png: &[u8]) -> (u8, u8) {
    (png[25], png[24])
}

/// Returns the pixels of a file as RGBA of 16 bits.
fn rgba(png: &[u8]) -> Vec<[u16; 4]> {
    let decoded = decode(png);
    let scale = if decoded.depth == 8 { 257 } else { 1 };
    let opaque = if decoded.depth == 8 { 255 } else { 65535 };
    let pixels = decoded.samples.chunks(decoded.channels);
    pixels
        .map(|p| match *p {
            [y] => [y, y, y, opaque],
            [y, a] => [y, y, y, a],
            [r, g, b] => [r, g, b, opaque],
            [r, g, b, a] => [r, g, b, a],
            _ => unreachable!(),
        })
        .map(|pixel| pixel.map(|sample| sample * scale))
        .collect()
}

/// Returns the color type and the bit depth that the pixels need. `plain` are
/// those of the file without reduction.
fn needed(pixels: &[[u16; 4]], width: usize, plain: (u8, u8)) -> (u8, u8) {
    let opaque = pixels.iter().all(|p| p[3] == 65535);
    let gray = pixels.iter().all(|p| p[0] == p[1] && p[1] == p[2]);
    let narrow = pixels.iter().flatten().all(|s| s % 257 == 0);
    let (color, channels) = match (gray, opaque) {
        (true, true) => (0, 1),
        (true, false) => (4, 2),
        (false, true) => (2, 3),
        (false, false) => (6, 4),
    };
    let depth = if narrow { 8 } else { plain.1 };
    let colors = pixels.iter().collect::<HashSet<_>>().len();
    if depth == 8 && colors <= 256 {
        let bits = [(2, 1), (4, 2), (16, 4), (256, 8)];
        let bits = bits.iter().find(|&&(most, _)| colors <= most).unwrap().1;
        let height = pixels.len() / width;
        let size = |bits: usize| (width * bits).div_ceil(8) * height;
        if size(bits) + 4 * colors + 24 < size(8 * channels) {
            return (3, bits as u8);
        }
    }
    (color, depth)
}

#[test]
fn every_format() {
    let (width, height) = (60, 40);
    let mut kinds = HashSet::new();
    for definition in DEFINITIONS.iter() {
        let max = u16::MAX >> (16 - definition.bit_depth());
        let random: Vec<u16> = noise(2 * width * height * 4, 3)
            .chunks(2)
            .map(|p| u16::from_ne_bytes([p[0], p[1]]))
            .collect();
        for kind in 0..12 {
            // Opaque or not, gray or not, 8 bits or 16, many colors or few.
            let sample = |i: usize, c: usize| -> u16 {
                let few = [1, 3, 13, 200, 300, 2300][kind / 2];
                let i = random[i] as usize % few;
                let value = random[i * 4 + if kind % 2 == 0 { 0 } else { c }];
                let value = if kind % 3 == 0 {
                    value / 257 * 257
                } else {
                    value
                };
                value >> (16 - definition.bit_depth())
            };
            let mut image = Image::new(width as u32, height as u32, definition.format).unwrap();
            let mut pixels = image.pixels_mut().unwrap();
            for i in 0..width * height {
                let channels = definition.channels();
                let samples: Vec<u16> = (0..channels)
                    .map(|c| {
                        let is_alpha = c + 1 == channels && definition.has_alpha();
                        if is_alpha && kind % 4 < 2 {
                            return max;
                        }
                        sample(i, c) & max
                    })
                    .collect();
                let (x, y) = ((i % width) as u32, (i / width) as u32);
                pixels.put(x, y, &samples[..]).unwrap();
            }
            drop(pixels);
            let image = definition.with_palette(image);
            let plain = image.to_png().unwrap();
            let mut encoder = PngEncoder::new().reduce(true);
            let reduced = encoder.to_png(&image).unwrap();
            let what = format!("{} {kind}", definition.format);
            let pixels = rgba(&plain);
            assert!(rgba(&reduced) == pixels, "{what}");
            let mut expected = header(&plain);
            if !definition.indexed && definition.bit_depth() >= 8 {
                expected = needed(&pixels, width, expected);
            }
            assert_eq!(header(&reduced), expected, "{what}");
            kinds.insert((header(&plain), expected));

            // Live memory, strides and threads give the same file.
            let layout = image.layout();
            let mut memory = image.source().clone();
            let cells = Cell::from_mut(&mut memory[..]).as_slice_of_cells();
            let live = definition.with_palette(Image::with_layout(cells, layout).unwrap());
            assert!(encoder.to_png(&live).unwrap() == reduced, "{what}");
            let mut encoder = encoder.threads(3);
            let turned = live.view().flip_horizontal().flip_horizontal();
            assert!(encoder.to_png(&turned).unwrap() == reduced, "{what}");
            for mode in [Compression::Stored, Compression::Small] {
                encoder = encoder.compression(mode);
                let png = encoder.to_png(&image).unwrap();
                assert_eq!(header(&png), expected);
                assert!(rgba(&png) == pixels, "{what}");
            }
        }
    }
    assert!(kinds.len() > 25, "{} are no test", kinds.len());
}

/// A small image gets no palette. A palette with alpha is sorted by alpha.
#[test]
fn palettes() {
    let mut image = Image::new(3, 3, PixelFormat::RGB8).unwrap();
    image.pixels_mut().unwrap().put(0, 0, [1, 2, 3]).unwrap();
    let png = PngEncoder::new().reduce(true).to_png(&image).unwrap();
    assert_eq!(header(&png), (2, 8));

    let mut image = Image::new(50, 50, PixelFormat::BGRA8).unwrap();
    let mut pixels = image.pixels_mut().unwrap();
    pixels.fill([10, 20, 30, 255]).unwrap();
    pixels.fill_rect(0, 0, 20, 20, [1, 1, 1, 0]).unwrap();
    pixels.fill_rect(5, 5, 20, 20, [200, 100, 0, 128]).unwrap();
    drop(pixels);
    let png = PngEncoder::new().reduce(true).to_png(&image).unwrap();
    let reader = PngDecoder::new().open_bytes(&png).unwrap();
    assert_eq!(reader.format(), PixelFormat::INDEXED2);
    // Transparent entries come first.
    assert_eq!(
        reader.palette().unwrap().colors(),
        [[1, 1, 1, 0], [200, 100, 0, 128], [10, 20, 30, 255]]
    );
}

/// Metadata that depends on the color type prevents the reduction. Other metadata
/// is written beside it.
#[test]
fn metadata() {
    let image = Image::new(50, 50, PixelFormat::RGBA8).unwrap();
    let mut metadata = Metadata::default();
    metadata.density = Some(Density::from_dpi(100.0));
    metadata.gamma = Some(45455);
    let mut encoder = PngEncoder::new().reduce(true).metadata(metadata.clone());
    let png = encoder.to_png(&image).unwrap();
    assert_eq!(header(&png), (3, 1));
    // In the order of PNG third edition, 5.6.
    let at = |name: &[u8]| png.windows(4).position(|w| w == name).unwrap();
    assert!(at(b"gAMA") < at(b"PLTE") && at(b"PLTE") < at(b"tRNS"));
    assert!(at(b"tRNS") < at(b"pHYs") && at(b"pHYs") < at(b"IDAT"));
    let reader = PngDecoder::new().open_bytes(&png).unwrap();
    assert_eq!(reader.metadata().unwrap(), metadata);
    metadata.background = Some(Background::Rgb([1, 2, 3]));
    let mut encoder = PngEncoder::new().reduce(true).metadata(metadata.clone());
    let png = encoder.to_png(&image).unwrap();
    assert_eq!(header(&png), (6, 8));
    let reader = PngDecoder::new().open_bytes(&png).unwrap();
    assert_eq!(reader.metadata().unwrap(), metadata);
}

/// Rows wider than a block are reduced.
#[test]
fn wide_rows() {
    for (colors, width) in [(2, 4999), (4, 1023), (16, 777), (250, 3001)] {
        let bytes: Vec<u8> = noise(width * 3, 1)
            .iter()
            .flat_map(|&n| common::color(usize::from(n) % colors))
            .collect();
        let layout = Layout::packed(width as u32, 3, PixelFormat::RGB8);
        let image = Image::with_layout(&bytes, layout).unwrap();
        let png = PngEncoder::new().reduce(true).to_png(&image).unwrap();
        assert_eq!(png[25], 3);
        let expected: Vec<u16> = bytes.iter().map(|&b| b.into()).collect();
        assert_eq!(decode(&png).samples, expected);
    }
}
