//! Indexed images: their palettes, and what is refused.

mod common;

use std::cell::Cell;
use std::io::{self, Write};

use common::{DEFINITIONS, decode, noise};
use pixview::png::IndexDepth;
use pixview::{
    Compression, Error, ErrorKind, Image, Layout, Palette, PixelFormat, PixelSource, PngEncoder,
};

/// The bits of a pixel in a file (IHDR, PNG third edition, 11.2.1) and its
/// colour type.
fn depth(png: &[u8]) -> (u8, u8) {
    (png[24], png[25])
}

/// The data of a chunk, if there is one.
fn chunk<'a>(png: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let mut rest = &png[8..];
    while rest.len() >= 12 {
        let len = u32::from_be_bytes(rest[..4].try_into().unwrap()) as usize;
        if &rest[4..8] == name.as_bytes() {
            return Some(&rest[8..8 + len]);
        }
        rest = &rest[12 + len..];
    }
    None
}

fn colors(count: usize) -> Vec<[u8; 3]> {
    (0..count).map(common::color).collect()
}

/// Never called, or else the test fails.
struct Untouched;

impl Write for Untouched {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        panic!("something was written");
    }

    fn flush(&mut self) -> io::Result<()> {
        panic!("something was flushed");
    }
}

#[test]
fn no_palette() {
    for definition in DEFINITIONS.iter().filter(|d| d.indexed) {
        let image = Image::new(9, 3, definition.format).unwrap();
        let error = image.write_png(Untouched).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::NoPalette { .. }));
        let message = format!(
            "{} needs a palette: use Image::with_palette",
            definition.format
        );
        assert_eq!(error.to_string(), message);
        let folder = common::folder();
        let path = folder.path().join("old.png");
        std::fs::write(&path, "old").unwrap();
        image.save(&path).unwrap_err();
        assert_eq!(std::fs::read(&path).unwrap(), b"old");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        // It can be read and written all the same.
        let mut image = image;
        image.pixels_mut().unwrap().put(8, 2, [1]).unwrap();
        assert_eq!(image.pixels().unwrap().get(8, 2).unwrap(), [1]);
    }
}

#[test]
fn palettes_that_are_refused() {
    let message = |result: Result<Palette, Error>| result.unwrap_err().to_string();
    assert_eq!(
        message(Palette::from_rgb(&[])),
        "a palette must have 1 to 256 entries, not 0"
    );
    assert_eq!(
        message(Palette::from_rgba(&[[0; 4]; 257])),
        "a palette must have 1 to 256 entries, not 257"
    );
    let palette = Palette::from_rgb(&colors(256)).unwrap();
    let image = Image::new(1, 1, PixelFormat::GRAY8).unwrap();
    let error = image.with_palette(palette).unwrap_err();
    assert_eq!(
        error.to_string(),
        "GRAY8 is not an indexed format, so it takes no palette"
    );
}

/// The file has the fewest bits that hold the palette, or those that were
/// asked for; and the pixels are the same.
#[test]
fn every_depth() {
    let depths = [
        (IndexDepth::Smallest, 0),
        (IndexDepth::One, 1),
        (IndexDepth::Two, 2),
        (IndexDepth::Four, 4),
        (IndexDepth::Eight, 8),
    ];
    for definition in DEFINITIONS.iter().filter(|d| d.indexed) {
        let bits = definition.bits_per_pixel();
        for count in [1, 2, 3, 4, 5, 16, 17, 255, 256] {
            let smallest = match count {
                1..=2 => 1,
                3..=4 => 2,
                5..=16 => 4,
                _ => 8,
            };
            let (width, height) = (37, 11);
            let mut image = Image::new(width, height, definition.format).unwrap();
            let mut pixels = image.pixels_mut().unwrap();
            let known = count.min(1 << bits);
            let index = |x: u32, y: u32| (x * 7 + y * 5 + x * y) as usize % known;
            for y in 0..height {
                for x in 0..width {
                    pixels.put(x, y, [index(x, y) as u16]).unwrap();
                }
            }
            drop(pixels);
            let palette = Palette::from_rgb(&colors(count)).unwrap();
            let image = image.with_palette(palette).unwrap();
            for (asked, bits) in depths {
                let mut encoder = PngEncoder::new().index_depth(asked);
                let result = encoder.to_png(&image);
                if bits != 0 && bits < smallest {
                    let error = result.unwrap_err();
                    let message =
                        format!("a palette of {count} entries does not fit a bit depth of {bits}");
                    assert_eq!(error.to_string(), message);
                    continue;
                }
                // Views that begin anywhere in a byte, too.
                for (x, y) in [(0, 0), (1, 0), (3, 2), (6, 1), (36, 10)] {
                    let (w, h) = (width - x, height - y);
                    for flipped in [false, true] {
                        let mut view = image.view().crop(x, y, w, h).unwrap();
                        if flipped {
                            view = view.flip_horizontal();
                        }
                        let png = encoder.to_png(&view).unwrap();
                        assert_eq!(depth(&png), (bits.max(smallest), 3));
                        assert_eq!(chunk(&png, "PLTE").unwrap(), colors(count).concat());
                        assert!(chunk(&png, "tRNS").is_none());
                        let decoded = decode(&png);
                        for dy in 0..h {
                            for dx in 0..w {
                                let from = if flipped { w - 1 - dx } else { dx };
                                let expected = common::color(index(x + from, y + dy));
                                let pixel = decoded.pixel(dx as usize, dy as usize);
                                assert_eq!(pixel, expected.map(u16::from));
                            }
                        }
                    }
                }
            }
        }
    }
}

/// An index beyond the palette is an error that says where, however the pixels
/// lie and in whatever mode.
#[test]
fn an_index_beyond_the_palette() {
    fn check<S: PixelSource>(image: &Image<S>, x: u32, y: u32, index: u8, colors: usize) {
        for mode in [Compression::Stored, Compression::Fast, Compression::Best] {
            for depth in [IndexDepth::Smallest, IndexDepth::Eight] {
                let mut encoder = PngEncoder::new().compression(mode).index_depth(depth);
                let error = encoder.write(image, io::sink()).unwrap_err();
                let message = format!(
                    "row {y}: pixel ({x}, {y}) has index {index}, the palette has {colors} entries"
                );
                assert_eq!(error.to_string(), message);
                assert_eq!(error.row(), Some(y));
            }
        }
    }
    for definition in DEFINITIONS.iter().filter(|d| d.indexed) {
        let most = 1usize << definition.bits_per_pixel();
        for count in [1, most / 2 + 1, most - 1] {
            if count >= most {
                continue;
            }
            let palette = Palette::from_rgb(&colors(count)).unwrap();
            let image = Image::new(5000, 7, definition.format).unwrap();
            let mut image = image.with_palette(palette).unwrap();
            image.to_png().unwrap();
            let index = count as u16;
            image.pixels_mut().unwrap().put(4987, 5, [index]).unwrap();
            check(&image, 4987, 5, count as u8, count);
            let view = image.view().flip_horizontal().flip_vertical();
            check(&view, 12, 1, count as u8, count);
            check(&image.view().transpose(), 5, 4987, count as u8, count);
            let crop = image.view().crop(4983, 5, 9, 2).unwrap();
            check(&crop, 4, 0, count as u8, count);
            // What isn't in the view is no error.
            image.view().crop(4988, 5, 12, 2).unwrap().to_png().unwrap();
            let layout = image.layout();
            let palette = image.palette().unwrap().clone();
            let mut memory = image.into_source();
            let cells = Cell::from_mut(&mut memory[..]).as_slice_of_cells();
            let live = Image::with_layout(cells, layout).unwrap();
            check(
                &live.with_palette(palette).unwrap(),
                4987,
                5,
                count as u8,
                count,
            );
        }
    }
}

/// Alpha goes to tRNS, as far as colours have any (PNG third edition,
/// 11.3.1.1).
#[test]
fn transparent_colours() {
    let rgba = [
        [255, 0, 0, 255],
        [0, 255, 0, 0],
        [0, 0, 255, 128],
        [9, 9, 9, 255],
        [7, 7, 7, 255],
    ];
    let indices = [0u8, 1, 2, 3, 4, 0];
    let image = Image::from_buffer(&indices, 3, 2, PixelFormat::INDEXED8).unwrap();
    let image = image
        .with_palette(Palette::from_rgba(&rgba).unwrap())
        .unwrap();
    let png = image.to_png().unwrap();
    assert_eq!(chunk(&png, "tRNS").unwrap(), [255, 0, 128]);
    let decoded = decode(&png);
    for (i, &index) in indices.iter().enumerate() {
        let expected = rgba[usize::from(index)].map(u16::from);
        assert_eq!(decoded.pixel(i % 3, i / 3), expected);
    }
}

/// Colours and indices change under an image, each on its own, and the next
/// save has both.
#[test]
fn colours_change_while_the_indices_are_live() {
    let mut memory = [0u8; 2];
    let cells = Cell::from_mut(&mut memory[..]).as_slice_of_cells();
    let palette = Palette::from_rgb(&[[1, 1, 1], [2, 2, 2]]).unwrap();
    let image = Image::from_buffer(cells, 2, 1, PixelFormat::INDEXED8).unwrap();
    let mut image = image.with_palette(palette.clone()).unwrap();
    let copy = image.clone();
    let shown = |image: &Image<&[Cell<u8>]>| decode(&image.to_png().unwrap()).samples;
    for round in 0..10u8 {
        cells[0].set(round % 2);
        let color = [round, round + 1, round + 2];
        image.palette_mut().unwrap().colors_mut()[1] = [color[0], color[1], color[2], 255];
        let first = if round % 2 == 0 { [1; 3] } else { color };
        let expected: Vec<u16> = first.into_iter().chain([1; 3]).map(u16::from).collect();
        assert_eq!(shown(&image), expected);
        assert_eq!(decode(&image.view().to_png().unwrap()).samples, expected);
        // A clone shares the indices and has colours of its own.
        let kept = if round % 2 == 0 { [1; 3] } else { [2; 3] };
        let kept: Vec<u16> = kept.into_iter().chain([1; 3]).collect();
        assert_eq!(shown(&copy), kept);
    }
    assert_eq!(palette.colors()[1], [2, 2, 2, 255]);
}

/// Bits of memory that belong to no pixel of a view never reach the file.
#[test]
fn spare_bits_stay_at_home() {
    for definition in DEFINITIONS.iter().filter(|d| d.is_sub_byte()) {
        let layout = Layout::packed(13, 5, definition.format).with_row_stride(9);
        let mut files = Vec::new();
        for background in [noise(50, 1), noise(50, 2), vec![0; 50], vec![0xff; 50]] {
            let mut image = Image::with_layout(background, layout).unwrap();
            image.pixels_mut().unwrap().fill([1]).unwrap();
            let image = definition.with_palette(image);
            files.push(image.to_png().unwrap());
            files.push(image.crop(1, 1, 5, 3).unwrap().to_png().unwrap());
        }
        for pair in files.chunks(2) {
            assert!(
                pair[0] == files[0] && pair[1] == files[1],
                "{}",
                definition.format
            );
        }
    }
}
