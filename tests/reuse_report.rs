//! Which strips a re-save encodes, which it keeps, and how many bytes they take.

mod common;

use std::cell::Cell;
use std::hash::{Hash, Hasher};
use std::io;
use std::ops::ControlFlow::Continue;
use std::sync::{Arc, Mutex};

use common::{DEFINITIONS, noise};
use pixview::png::{Filter, IndexDepth};
use pixview::{Compression, Image, Palette, PixelFormat, PixelSource, PngEncoder};

const MODES: [Compression; 4] = [
    Compression::Stored,
    Compression::Fast,
    Compression::Small,
    Compression::Best,
];

const WIDTH: u32 = 8000;
const HEIGHT: u32 = 200;

/// Drawn bytes that compress, and that differ for each seed.
fn drawn(len: usize, seed: u64) -> Vec<u8> {
    let noise = noise(len / 50 + 1, seed);
    (0..len).map(|at| noise[at / 50] & 0xf0).collect()
}

fn image(seed: u64) -> Image<Vec<u8>> {
    let bytes = drawn((WIDTH * HEIGHT) as usize, seed);
    Image::from_buffer(bytes, WIDTH, HEIGHT, PixelFormat::GRAY8).unwrap()
}

/// Saves, and returns the numbers of strips that were encoded and kept, and the
/// bytes that are kept.
fn save<S: PixelSource>(encoder: &mut PngEncoder, image: &Image<S>) -> (u32, u32, u64) {
    let report = encoder.write(image, io::sink()).unwrap();
    assert_eq!(report.strips, report.strips_encoded + report.strips_reused);
    (
        report.strips_encoded,
        report.strips_reused,
        report.bytes_kept,
    )
}

/// Returns the number of rows in a strip.
fn rows_of_strips<S: PixelSource>(encoder: PngEncoder, image: &Image<S>) -> u32 {
    let rows = Arc::new(Mutex::new(Vec::new()));
    let ours = rows.clone();
    let mut encoder = encoder.on_progress(move |progress| {
        ours.lock().unwrap().push(progress.rows);
        Continue(())
    });
    encoder.write(image, io::sink()).unwrap();
    rows.lock().unwrap()[0]
}

/// The filters None and Sub do not look at the row above. With them a changed
/// pixel in the last row of a strip costs that strip alone.
#[test]
fn filters_that_stay_in_their_row() {
    for (filter, expected) in [
        (Filter::None, 1),
        (Filter::Sub, 1),
        (Filter::Up, 2),
        (Filter::Average, 2),
        (Filter::Paeth, 2),
        (Filter::Auto, 2),
    ] {
        let mut image = Image::new(3000, 350, PixelFormat::BGRA8).unwrap();
        let encoder = || PngEncoder::new().filter(filter).reuse_strips(1);
        let rows = rows_of_strips(encoder(), &image);
        let mut encoder = encoder();
        save(&mut encoder, &image);
        let mut pixels = image.pixels_mut().unwrap();
        pixels.put(9, rows - 1, [1, 2, 3, 4]).unwrap();
        drop(pixels);
        assert_eq!(save(&mut encoder, &image).0, expected, "{filter:?}");
    }
}

/// One changed pixel costs its strip. In the last row of a strip it costs two:
/// the filters of the row below look at it.
#[test]
fn one_changed_pixel() {
    let (width, height) = (3000, 350);
    for format in [PixelFormat::GRAY8, PixelFormat::BGRA8, PixelFormat::GRAY16] {
        let size = format.bits_per_pixel() / 8;
        let row = width as usize * size;
        let mut bytes = drawn(row * height as usize, 1);
        for mode in [Compression::Fast, Compression::Small] {
            if mode == Compression::Small && format != PixelFormat::GRAY8 {
                continue; // the strips are the same, and slow
            }
            let encoder = || PngEncoder::new().compression(mode).reuse_strips(2);
            let image = Image::from_buffer(&bytes, width, height, format).unwrap();
            let rows = rows_of_strips(encoder(), &image);
            let strips = height.div_ceil(rows);
            // Whole groups of 16 rows, about 320 KiB.
            let png_row = width as usize * format.png_bytes();
            assert!(rows.is_multiple_of(16), "{rows} rows");
            assert!((320usize * 1024).abs_diff(rows as usize * (png_row + 1)) <= 8 * (png_row + 1));
            assert!(strips > 1);
            for (threads, live) in [(1, false), (3, false), (1, true), (3, true)] {
                let mut encoder = encoder().threads(threads);
                let cells = Cell::from_mut(&mut bytes[..]).as_slice_of_cells();
                let edit = |x: u32, y: u32| {
                    let cell = &cells[y as usize * row + x as usize * size + 1.min(size - 1)];
                    cell.set(cell.get() ^ 0x70);
                };
                let mut save = || {
                    let image = Image::from_buffer(cells, width, height, format).unwrap();
                    if live {
                        return save(&mut encoder, &image);
                    }
                    let bytes = image.to_vec().unwrap();
                    let image = Image::from_buffer(bytes, width, height, format).unwrap();
                    save(&mut encoder, &image)
                };
                let name = format!("{format}, {mode:?}, {threads} threads, live: {live}");
                assert_eq!(save().0, strips, "{name}");
                assert_eq!(save().1, strips, "{name}");
                let places = [
                    (0, 0, 1),
                    (7, rows / 2, 1),
                    (width - 1, rows - 1, 2),
                    (0, rows, 1),
                    (9, 2 * rows - 1, if strips > 2 { 2 } else { 1 }),
                    (5, (strips - 1) * rows - 1, 2),
                    (5, (strips - 1) * rows, 1),
                    (width - 1, height - 1, 1),
                ];
                for (x, y, expected) in places {
                    if y >= height {
                        continue;
                    }
                    edit(x, y);
                    assert_eq!(save().0, expected, "{name}: pixel {x}, {y}");
                    // The strips from before the edit are still kept.
                    edit(x, y);
                    assert_eq!(save().0, 0, "{name}: pixel {x}, {y}, back");
                }
            }
        }
    }
}

/// The bytes of a pixel in PNG.
trait PngBytes {
    fn png_bytes(&self) -> usize;
}

impl PngBytes for PixelFormat {
    fn png_bytes(&self) -> usize {
        let definition = common::Definition::of(*self);
        definition.channels() * usize::from(definition.bit_depth()) / 8
    }
}

/// Images in turn need as many as there are.
#[test]
fn images_in_turn() {
    let images = [1, 2, 3].map(image);
    let strips = save(&mut PngEncoder::new().reuse_strips(1), &images[0]).0;
    assert!(strips > 3);
    for (count, kept) in [
        (1, 0),
        (1, 1),
        (2, 1),
        (2, 2),
        (3, 1),
        (3, 2),
        (3, 3),
        (2, 7),
    ] {
        for threads in [1, 2] {
            let mut encoder = PngEncoder::new().reuse_strips(kept).threads(threads);
            let mut strips = strips;
            for round in 0..3 {
                for image in &images[..count] {
                    let (encoded, reused, _) = save(&mut encoder, image);
                    if kept == 0 {
                        strips = encoded;
                    }
                    let finds = round > 0 && kept as usize >= count;
                    let expected = if finds { 0 } else { strips };
                    let name = format!("{count} images, {kept} kept, round {round}");
                    assert_eq!((encoded, reused), (expected, strips - expected), "{name}");
                }
            }
        }
    }
}

/// Strips that change in every save are not kept, until they stay the same for
/// one save.
#[test]
fn videos() {
    for images in [1, 2, 3] {
        for threads in [1, 3] {
            let name = format!("{images} images, {threads} threads");
            let mut encoder = PngEncoder::new().reuse_strips(images).threads(threads);
            for frame in 0..4 * images {
                let (encoded, reused, kept) = save(&mut encoder, &image(frame.into()));
                assert_eq!(reused, 0);
                let pieces = kept > 1000 * u64::from(encoded);
                // After `2 * images` frames, pieces of earlier frames remain for
                // `images - 1` saves.
                let keeps = frame < 3 * images - 1;
                assert_eq!(pieces, keeps, "{name}, frame {frame}: {kept} bytes");
            }
            // Only keys are kept of the last frame.
            let last = image(u64::from(4 * images - 1));
            let (encoded, reused, kept) = save(&mut encoder, &last);
            assert_eq!(reused, 0, "{name}");
            assert!(kept > 1000 * u64::from(encoded), "{name}");
            assert_eq!(save(&mut encoder, &last).0, 0, "{name}");
        }
    }
}

/// The bytes that are kept are within the limit, and are dropped when options
/// change or they are asked for.
#[test]
fn limits() {
    let image = image(1);
    let mut encoder = PngEncoder::new().reuse_strips(1);
    let (strips, _, all) = save(&mut encoder, &image);
    let size = encoder.write(&image, io::sink()).unwrap().png_size;
    assert!(
        all >= size - 100 && all <= size + 200 * u64::from(strips),
        "{all}, {size}"
    );
    assert_eq!(save(&mut encoder, &image), (0, strips, all));
    let mut last = 0;
    for limit in [0, 1, 1000, all / 3, all / 2, all - 1, all, all + 1] {
        let mut encoder = PngEncoder::new().reuse_strips(1).max_kept_bytes(limit);
        let (_, _, kept) = save(&mut encoder, &image);
        assert!(kept <= limit, "{kept} bytes, limit {limit}");
        let (encoded, reused, again) = save(&mut encoder, &image);
        assert_eq!(kept, again, "limit {limit}");
        assert_eq!(encoded == 0, limit >= all, "limit {limit}");
        assert!(reused >= last, "limit {limit}: {reused} strips reused");
        last = reused;
        // A lower limit drops strips, also of an encoder that had more.
        encoder.configure(|encoder| encoder.max_kept_bytes(kept / 2));
        assert!(save(&mut encoder, &image).2 <= kept / 2);
    }

    // Turned off, and on again.
    let (_, _, kept) = save(&mut encoder, &image);
    assert_eq!(kept, all);
    encoder.configure(|encoder| encoder.reuse_strips(0));
    assert_eq!(save(&mut encoder, &image).2, 0);
    encoder.configure(|encoder| encoder.reuse_strips(1));
    assert_eq!(save(&mut encoder, &image), (strips, 0, all));

    encoder.release_memory();
    assert_eq!(save(&mut encoder, &image), (strips, 0, all));

    // Copies of the pixels are not kept.
    encoder.configure(|encoder| encoder.compression(Compression::Stored));
    for _ in 0..2 {
        let (_, reused, kept) = save(&mut encoder, &image);
        assert_eq!((reused, kept), (0, 0));
    }
}

/// The same pixels are found whatever the options between two saves were.
#[test]
fn options_in_turn() {
    let image = image(1);
    let mut encoder = PngEncoder::new().reuse_strips(2);
    save(&mut encoder, &image);
    encoder.configure(|encoder| encoder.filter(Filter::Up));
    assert_eq!(save(&mut encoder, &image).1, 0);
    encoder.configure(|encoder| encoder.compression(Compression::Small).filter(Filter::Auto));
    assert_eq!(save(&mut encoder, &image).1, 0);
    encoder.configure(|encoder| encoder.compression(Compression::Fast).filter(Filter::Up));
    assert_eq!(save(&mut encoder, &image).0, 0);
    // Metadata and the number of threads have no effect on strips.
    encoder.configure(|encoder| {
        let mut metadata = pixview::Metadata::default();
        let text = pixview::metadata::Text::new("Title", "new");
        metadata.text.push(text);
        encoder.metadata(metadata).threads(3)
    });
    assert_eq!(save(&mut encoder, &image).0, 0);
}

/// Strips are found through every kind of source and layout whose rows are read
/// in the same way.
#[test]
fn sources_in_turn() {
    let stable = image(1);
    let mut bytes = stable.source().clone();
    let cells = Cell::from_mut(&mut bytes[..]).as_slice_of_cells();
    let live = Image::from_buffer(cells, WIDTH, HEIGHT, PixelFormat::GRAY8).unwrap();
    let upside_down = stable.to_vec().unwrap();
    let upside_down: Vec<u8> = upside_down
        .chunks(WIDTH as usize)
        .rev()
        .flatten()
        .copied()
        .collect();
    let upside_down = Image::from_buffer(upside_down, WIDTH, HEIGHT, PixelFormat::GRAY8).unwrap();
    let upside_down = upside_down.flip_vertical();
    for mode in [Compression::Fast, Compression::Small] {
        let mut encoder = PngEncoder::new().compression(mode).reuse_strips(1);
        save(&mut encoder, &stable);
        assert_eq!(save(&mut encoder, &live).0, 0, "{mode:?}");
        assert_eq!(save(&mut encoder, &upside_down).0, 0, "{mode:?}");
        assert_eq!(save(&mut encoder, &stable).0, 0, "{mode:?}");
        let mutex = Mutex::new(stable.source().clone());
        let locked = Image::from_buffer(&mutex, WIDTH, HEIGHT, PixelFormat::GRAY8).unwrap();
        assert_eq!(save(&mut encoder, &locked).0, 0, "{mode:?}");
    }
}

/// Live memory that is reduced is copied once.
#[test]
fn copies() {
    let mut bytes = image(1).into_source();
    let cells = Cell::from_mut(&mut bytes[..]).as_slice_of_cells();
    let live = Image::from_buffer(cells, WIDTH, HEIGHT, PixelFormat::GRAY8).unwrap();
    let mut encoder = PngEncoder::new().reuse_strips(1);
    for reduce in [false, true, true] {
        encoder.configure(|encoder| encoder.reduce(reduce));
        let report = encoder.write(&live, io::sink()).unwrap();
        assert_eq!(report.frame_copies, u32::from(reduce));
    }
    assert_eq!(save(&mut encoder, &live).0, 0);
    let stable = Image::from_buffer(live.to_vec().unwrap(), WIDTH, HEIGHT, PixelFormat::GRAY8);
    let report = encoder.write(&stable.unwrap(), io::sink()).unwrap();
    assert_eq!((report.frame_copies, report.strips_encoded), (0, 0));
}

/// Records the bytes that a value feeds to a hasher.
#[derive(Default)]
struct Recorder(Vec<u8>);

impl Hasher for Recorder {
    fn write(&mut self, bytes: &[u8]) {
        self.0.extend(bytes);
    }

    fn finish(&self) -> u64 {
        0
    }
}

/// Bytes in memory that mean other pixels, in pairs of formats that have PNG rows
/// of one size: an encoder must not take one for the other.
#[test]
fn bytes_with_two_meanings() {
    // Each of these formats, and others with the same bytes.
    for first in DEFINITIONS.iter() {
        let mut encoder = PngEncoder::new().reuse_strips(1).filter(Filter::None);
        let bytes = noise(32 * 8 * 3, 1);
        for second in DEFINITIONS.iter() {
            let same =
                (first.channels(), first.bit_depth()) == (second.channels(), second.bit_depth());
            if !same {
                continue;
            }
            for definition in [first, second] {
                let layout = pixview::Layout::packed(8, 3, definition.format);
                let image = Image::with_layout(&bytes, layout).unwrap();
                let image = definition.with_palette(image);
                let png = encoder.to_png(&image).unwrap();
                let mut new = PngEncoder::new().reuse_strips(1).filter(Filter::None);
                assert!(png == new.to_png(&image).unwrap(), "{}", definition.format);
            }
        }
    }

    // Rows of another size.
    let bytes = noise(60 * 100, 4);
    let mut encoder = PngEncoder::new().reuse_strips(1).filter(Filter::Sub);
    for (width, height) in [
        (100, 60),
        (60, 100),
        (100, 59),
        (6000, 1),
        (1, 6000),
        (3000, 2),
    ] {
        let part = &bytes[..(width * height) as usize];
        let image = Image::from_buffer(part, width, height, PixelFormat::GRAY8).unwrap();
        let png = encoder.to_png(&image).unwrap();
        let mut new = PngEncoder::new().reuse_strips(1).filter(Filter::Sub);
        assert!(png == new.to_png(&image).unwrap(), "{width}x{height}");
    }

    // Indices at another bit depth, in rows so narrow that they have one byte at
    // each depth.
    for definition in DEFINITIONS.iter().filter(|d| d.indexed) {
        for width in 1..=8 {
            let bytes = noise(definition.row_size(width) * 5, 3);
            let layout = pixview::Layout::packed(width as u32, 5, definition.format);
            let image = definition.with_palette(Image::with_layout(&bytes, layout).unwrap());
            let mut encoder = PngEncoder::new().reuse_strips(1);
            for depth in [
                IndexDepth::Smallest,
                IndexDepth::Two,
                IndexDepth::Four,
                IndexDepth::Eight,
                IndexDepth::One,
            ] {
                for mode in MODES {
                    let set = |encoder: PngEncoder| encoder.index_depth(depth).compression(mode);
                    encoder.configure(set);
                    let mut new = set(PngEncoder::new().reuse_strips(1));
                    let files = (encoder.to_png(&image).ok(), new.to_png(&image).ok());
                    assert!(
                        files.0 == files.1,
                        "{} {width} {depth:?}",
                        definition.format
                    );
                }
            }
        }
    }

    // Pixels whose bytes are those that a key has for another format, followed by
    // the pixels of that format.
    for format in [PixelFormat::RGB565, PixelFormat::XRGB1555BE] {
        let mut key = Recorder::default();
        let definition = common::Definition::of(format);
        let (color, depth) = (2u8, definition.bit_depth());
        (format, color, depth).hash(&mut key);
        let png = definition.png();
        // As many pixels as make the lengths equal: a pixel of PNG has one byte more.
        let count = key.0.len() / (png.size() - definition.size());
        let pixels = noise(count * definition.size(), 5);
        let bytes = [key.0, pixels.clone()].concat();
        let decoy = Image::from_buffer(bytes, count as u32, 1, png.format).unwrap();
        let image = Image::from_buffer(pixels, count as u32, 1, format).unwrap();
        let mut encoder = PngEncoder::new().reuse_strips(1);
        encoder.to_png(&decoy).unwrap();
        let expected = PngEncoder::new().reuse_strips(1).to_png(&image).unwrap();
        assert!(encoder.to_png(&image).unwrap() == expected, "{format}");
    }
}

/// Rows so wide that a group of 16 rows, which share a filter, lies in two strips:
/// the first row of the group has an effect on both.
#[test]
fn groups_in_two_strips() {
    let (width, height) = (15_000, 40);
    for format in [PixelFormat::RGB8, PixelFormat::BGR8] {
        let row = 3 * width as usize;
        // A little noise, for which rows get the filter Average.
        let grain = noise(row * height as usize, 1);
        let noisy: Vec<u8> = grain.iter().map(|byte| 120 + byte % 16).collect();
        for live in [false, true] {
            for threads in [1, 2] {
                let new = || PngEncoder::new().reuse_strips(3).threads(threads);
                let folder = common::folder();
                let path = folder.path().join("a.png");
                let (mut encoder, mut files) = (new(), PngEncoder::new().threads(threads));
                // The first row of a group, equal to the row above or not, decides
                // between the filters Paeth and Average.
                for (round, y) in [16, 16, 32, 32, 16, 32, 16].into_iter().enumerate() {
                    let mut bytes = noisy.clone();
                    if round % 2 == 0 {
                        bytes.copy_within((y - 1) * row..y * row, y * row);
                    }
                    let mut png = Vec::new();
                    let mut save = |image: &Image<&dyn PixelSource>| {
                        let report = encoder.write(image, &mut png).unwrap();
                        assert_eq!(report.strips, 4);
                        let name = format!("{format}, live: {live}, row {y}");
                        assert!(png == new().to_png(image).unwrap(), "{name}");
                        files.save_if_changed(image, &path).unwrap();
                        let file = std::fs::read(&path).unwrap();
                        assert!(file == image.to_png().unwrap(), "{name}, to a file");
                    };
                    let cells: &[Cell<u8>] = if live {
                        Cell::from_mut(&mut bytes[..]).as_slice_of_cells()
                    } else {
                        &[]
                    };
                    if live {
                        save(&Image::from_buffer(&cells as _, width, height, format).unwrap());
                    } else {
                        save(&Image::from_buffer(&bytes as _, width, height, format).unwrap());
                    }
                }
            }
        }
    }
}

/// A palette is no part of a strip: the same indices with other colors are the
/// same strips in another file.
#[test]
fn palettes() {
    let bytes: Vec<u8> = drawn(4000 * 300, 1).iter().map(|byte| byte >> 4).collect();
    let palette = |first: usize, count: usize| {
        let colors: Vec<[u8; 3]> = (first..first + count).map(common::color).collect();
        Palette::from_rgb(&colors).unwrap()
    };
    let mut encoder = PngEncoder::new().reuse_strips(1);
    for (first, count, reuses) in [(0, 16, false), (5, 16, true), (5, 16, true), (5, 17, false)] {
        let image = Image::from_buffer(&bytes, 4000, 300, PixelFormat::INDEXED8).unwrap();
        let image = image.with_palette(palette(first, count)).unwrap();
        let mut png = Vec::new();
        let report = encoder.write(&image, &mut png).unwrap();
        assert_eq!(report.strips_encoded == 0, reuses);
        let expected = PngEncoder::new().reuse_strips(1).to_png(&image).unwrap();
        assert!(png == expected);
        let decoded = common::decode_zune(&png);
        let color = common::color(first + usize::from(bytes[0]));
        assert_eq!(decoded.pixel(0, 0), color.map(u16::from));
    }
}
