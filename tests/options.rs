//! The effect of encoder options on the bytes of a file.

mod common;

use std::cell::Cell;

use pixview::png::Filter;
use pixview::{Compression, Image, PixelFormat, PixelSource, PngEncoder};

const MODES: [Compression; 4] = [
    Compression::Stored,
    Compression::Fast,
    Compression::Small,
    Compression::Best,
];
const FILTERS: [Filter; 6] = [
    Filter::Auto,
    Filter::None,
    Filter::Sub,
    Filter::Up,
    Filter::Average,
    Filter::Paeth,
];

/// Returns the data of all IDAT chunks (PNG third edition, 5.3 and 10.1).
fn idat(png: &[u8]) -> Vec<u8> {
    let (mut at, mut data) = (8, Vec::new());
    while at < png.len() {
        let len = u32::from_be_bytes(png[at..at + 4].try_into().unwrap()) as usize;
        if &png[at + 4..at + 8] == b"IDAT" {
            data.extend(&png[at + 8..at + 8 + len]);
        }
        at += 12 + len;
    }
    data
}

/// Returns the filter of each row.
fn filters(png: &[u8], row_size: usize) -> Vec<u8> {
    let lines = miniz_oxide::inflate::decompress_to_vec_zlib(&idat(png)).unwrap();
    assert_eq!(lines.len() % (row_size + 1), 0);
    lines.chunks(row_size + 1).map(|line| line[0]).collect()
}

/// Returns pixels with a ramp, flat areas and noise.
fn picture(width: usize, height: usize) -> Vec<u8> {
    let noise = common::noise(width * height * 3, 4);
    let pixel = |i: usize| {
        let (x, y) = (i % width, i / width);
        match (x / 40 + y / 30) % 3 {
            0 => [x as u8, y as u8, (x + y) as u8],
            1 => [200, 30, 40],
            _ => [100 + noise[i] % 8, 90, noise[i] % 3],
        }
    };
    (0..width * height).flat_map(pixel).collect()
}

#[test]
fn filter_of_every_row() {
    let (width, height) = (317, 700);
    let bytes = picture(width, height);
    let image = Image::from_buffer(&bytes, width as u32, height as u32, PixelFormat::RGB8).unwrap();
    for mode in MODES {
        for filter in FILTERS {
            for threads in [1, 3] {
                let mut encoder = PngEncoder::new()
                    .compression(mode)
                    .filter(filter)
                    .threads(threads);
                let png = encoder.to_png(&image).unwrap();
                let decoded = common::decode(&png);
                let same = decoded.samples.iter().zip(&bytes);
                assert!(same.into_iter().all(|(a, b)| *a == u16::from(*b)));
                let found = filters(&png, width * 3);
                assert_eq!(found.len(), height);
                let expected = match (filter, mode) {
                    (Filter::Auto, Compression::Stored) | (Filter::None, _) => 0,
                    (Filter::Sub, _) => 1,
                    (Filter::Up, _) => 2,
                    (Filter::Average, _) => 3,
                    (Filter::Auto, Compression::Fast) | (Filter::Paeth, _) => 4,
                    // Each row chooses its filter: there are several.
                    _ => {
                        let mut kinds = found.clone();
                        kinds.sort_unstable();
                        kinds.dedup();
                        assert!(kinds.len() > 1, "{mode:?} {kinds:?}");
                        continue;
                    }
                };
                // The fast mode may take Average for noise.
                let noisy = filter == Filter::Auto && mode == Compression::Fast;
                let all = found.iter().all(|&f| f == expected || noisy && f == 3);
                assert!(all, "{mode:?} {filter:?} {found:?}");
            }
        }
    }
}

/// Every kind of source gives the same file with every filter, also with one
/// encoder that is used for all of them in turn.
#[test]
fn every_source_with_every_filter() {
    let (width, height) = (317, 700);
    let bytes = picture(width, height);
    let (width, height, format) = (width as u32, height as u32, PixelFormat::RGB8);
    let swapped: Vec<u8> = bytes
        .as_chunks()
        .0
        .iter()
        .flat_map(|&[r, g, b]| [b, g, r])
        .collect();
    let atomics = bytes.iter().map(|&byte| byte.into());
    let atomics: Vec<std::sync::atomic::AtomicU8> = atomics.collect();
    let mut copy = bytes.clone();
    let cells = Cell::from_mut(&mut copy[..]).as_slice_of_cells();
    let of = |source, format| -> Image<&dyn PixelSource> {
        Image::from_buffer(source, width, height, format).unwrap()
    };
    let images = [
        of(&bytes as &dyn PixelSource, format),
        of(&cells, format),
        of(&atomics, format),
        of(&swapped, PixelFormat::BGR8),
    ];
    let mut used = PngEncoder::new();
    for filter in FILTERS {
        for mode in MODES {
            let mut fresh = PngEncoder::new().compression(mode).filter(filter);
            let expected = fresh.to_png(&images[0]).unwrap();
            used = used.compression(mode).filter(filter);
            for (i, image) in images.iter().enumerate() {
                used = used.threads(1 + i % 3);
                let png = used.to_png(image).unwrap();
                assert!(png == expected, "{filter:?} {mode:?}, image {i}");
            }
        }
    }
}

/// Small images, where headers are most of the file, are not much larger than
/// those of another library.
#[test]
fn small_pictures_stay_small() {
    for (width, height) in [(1, 1), (3, 3), (11, 1), (16, 16), (32, 32), (48, 48)] {
        for kind in 0..3 {
            let pixel = |i: usize| match kind {
                0 => [0; 4],
                1 => [(i * 3) as u8, (i / 7) as u8, 9, 255],
                _ => [(i % 5 * 50) as u8, (i % 3 * 80) as u8, 200, 255],
            };
            let bytes: Vec<u8> = (0..width * height).flat_map(pixel).collect();
            let format = PixelFormat::RGBA8;
            let image = Image::from_buffer(bytes, width as u32, height as u32, format).unwrap();
            let size = |encoder: PngEncoder| {
                let png = { encoder }.to_png(&image).unwrap();
                let lines = miniz_oxide::inflate::decompress_to_vec_zlib(&idat(&png)).unwrap();
                // The size that another library reaches.
                let other = miniz_oxide::deflate::compress_to_vec(&lines, 6).len();
                (idat(&png).len(), other)
            };
            for mode in [Compression::Small, Compression::Best] {
                let (ours, other) = size(PngEncoder::new().compression(mode));
                let name = format!("{mode:?} {width}x{height} {kind}");
                assert!(
                    ours <= other + other / 4 + 16,
                    "{name}: {ours}, not {other}"
                );
            }
        }
    }
}

/// Isolated pixels of few colors are not filtered: no pixel predicts the next, and
/// a filter only adds distinct bytes.
#[test]
fn strong_modes_leave_few_colors_unfiltered() {
    let (width, height) = (320, 300);
    let (noise, colors) = (common::noise(width * height, 9), common::noise(3 * 16, 10));
    let pixel = |i: usize| match noise[i] {
        0..232 => [250, 250, 240],
        speck => colors.as_chunks().0[usize::from(speck) % 16],
    };
    let bytes: Vec<u8> = (0..width * height).flat_map(pixel).collect();
    let image = Image::from_buffer(&bytes, width as u32, height as u32, PixelFormat::RGB8).unwrap();
    for mode in [Compression::Small, Compression::Best] {
        let png = PngEncoder::new().compression(mode).to_png(&image).unwrap();
        assert_eq!(common::decode(&png).samples.len(), bytes.len());
        assert!(filters(&png, width * 3).iter().all(|&filter| filter == 0));
    }
}

/// A stronger mode makes no larger file.
#[test]
fn more_work_is_not_larger() {
    let (width, height) = (512, 400);
    // Smooth with noise: pixels with few matches.
    let noise = common::noise(width * height, 5);
    let grain = |i: usize| (noise[i].leading_zeros() as u8).min(5);
    let pixel = |i: usize| (i % width / 3 + i / width / 2) as u8 / 2 + grain(i);
    let bytes: Vec<u8> = (0..width * height).map(pixel).collect();
    let image = Image::from_buffer(&bytes, width as u32, height as u32, PixelFormat::GRAY8);
    let image = image.unwrap();
    let sizes = MODES.map(|mode| {
        let png = PngEncoder::new().compression(mode).to_png(&image).unwrap();
        png.len()
    });
    // A fiftieth is allowed, since each mode chooses its filters differently.
    let larger = |pair: &[usize]| pair[1] > pair[0] + pair[0] / 50;
    assert!(!sizes.windows(2).any(larger), "{sizes:?}");
}

/// Noise is stored in every mode. The file is larger than the pixels by at most a
/// thousandth, a byte a row and some hundred bytes.
#[test]
fn noise_hardly_grows() {
    for (width, height) in [(1, 1), (40, 3), (700, 500), (30_000, 7)] {
        let bytes = common::noise(width * height * 4, 6);
        let format = PixelFormat::RGBA8;
        let image = Image::from_buffer(&bytes, width as u32, height as u32, format).unwrap();
        for mode in MODES {
            for filter in FILTERS {
                let mut encoder = PngEncoder::new().compression(mode).filter(filter);
                let size = encoder.to_png(&image).unwrap().len();
                let limit = bytes.len() + bytes.len() / 1000 + height + 200;
                assert!(size <= limit, "{mode:?} {filter:?}: {size}, not {limit}");
            }
        }
    }
}

/// The fast mode takes Average for noise over a ramp: the average of two pixels
/// has less noise than one pixel.
#[test]
fn fast_mode_averages_noise() {
    let (width, height) = (640, 480);
    let noise = common::noise(width * height, 7);
    let ramp = |i: usize| (i % width / 8 + i / width / 8) as u8;
    let noisy: Vec<u8> = (0..width * height)
        .map(|i| ramp(i) + noise[i] % 64)
        .collect();
    let flat: Vec<u8> = (0..width * height).map(|i| ramp(i) / 20 * 20).collect();
    for (bytes, average) in [(noisy, true), (flat, false)] {
        let image = Image::from_buffer(&bytes, width as u32, height as u32, PixelFormat::GRAY8);
        let png = image.unwrap().to_png().unwrap();
        // The first rows are filtered before noise is measured.
        let found = filters(&png, width);
        assert!(found[..16].iter().all(|&filter| filter == 4));
        let expected = if average { 3 } else { 4 };
        assert!(
            found[16..].iter().all(|&filter| filter == expected),
            "{found:?}"
        );
    }
}
