//! Contract 8: the file depends only on the visible pixels, the format as PNG
//! sees it and the options: not on the kind of source, strides or views.

mod common;

use std::cell::{Cell, RefCell};
use std::sync::atomic::{AtomicU8, AtomicU32};
use std::sync::{Mutex, RwLock};

use common::Definition;
use pixview::{Compression, Image, Layout, PixelFormat, PixelSource, PngEncoder};

const MODES: [Compression; 4] = [
    Compression::Stored,
    Compression::Fast,
    Compression::Small,
    Compression::Best,
];

const WIDTH: u32 = 61;
const HEIGHT: u32 = 47;

thread_local! {
    /// An encoder that keeps the strips of all images that a test saves.
    static KEEPING: RefCell<PngEncoder> = RefCell::new(PngEncoder::new().reuse_strips(100));
}

/// Returns the file in every mode. An encoder that keeps strips, of which these
/// images have one, must write the same file.
fn files<S: PixelSource>(image: &Image<S>) -> Vec<Vec<u8>> {
    let files = MODES.map(|mode| PngEncoder::new().compression(mode).to_png(image).unwrap());
    let kept = KEEPING.with_borrow_mut(|encoder| encoder.to_png(image).unwrap());
    assert!(
        kept == files[1],
        "{:?}: other bytes with strips that are kept",
        image.layout()
    );
    files.into()
}

/// The samples of the same picture with so many channels, in 8 or 16 bits.
fn picture(channels: usize, depth: u8) -> Vec<u16> {
    let mut samples = Vec::new();
    let noise = common::noise((WIDTH * HEIGHT) as usize, 3);
    for y in 0..HEIGHT as u16 {
        for x in 0..WIDTH as u16 {
            let grain = u16::from(noise[usize::from(y) * WIDTH as usize + usize::from(x)] / 64);
            let pixel = [x * 4 + grain, y * 5, x + y, 255 - grain];
            let scale = if depth == 16 { 250 } else { 1 };
            samples.extend(
                pixel[..channels]
                    .iter()
                    .map(|&sample| (sample * scale + scale / 3) >> (8 - depth.min(8))),
            );
        }
    }
    samples
}

/// The bytes of the picture, packed.
fn packed(format: PixelFormat) -> Vec<u8> {
    let definition = Definition::of(format);
    let samples = picture(definition.channels(), definition.bit_depth());
    let pixels = samples.chunks(definition.channels());
    pixels.flat_map(|pixel| definition.bytes(pixel)).collect()
}

/// Plain memory, cells, locks and atomics.
#[test]
fn every_source() {
    for definition in common::DEFINITIONS.iter() {
        let format = definition.format;
        let mut bytes = packed(format);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        // Filled up to whole words.
        let layout = Layout::packed(WIDTH, HEIGHT, format);
        let image = Image::with_layout(&bytes, layout).unwrap();
        let expected = files(&definition.with_palette(image));
        let check = |name: &str, source: &dyn PixelSource| {
            let image = Image::with_layout(source, layout).unwrap();
            let image = definition.with_palette(image);
            assert!(files(&image) == expected, "{name}, {format}");
            // Turned around and back.
            let turned = image.flip_horizontal().transpose();
            let back = turned.transpose().flip_horizontal();
            assert!(files(&back) == expected, "{name}, {format}, turned");
        };
        let chunks = bytes.as_chunks().0.iter();
        let words: Vec<u32> = chunks.map(|&word| u32::from_ne_bytes(word)).collect();
        if definition.sample_size() == 1 {
            let atomics: Vec<AtomicU8> = bytes.iter().map(|&b| AtomicU8::new(b)).collect();
            check("AtomicU8", &atomics);
        }
        if matches!(definition.size(), 1 | 2 | 4) {
            check("u32", &words);
            let atomics: Vec<AtomicU32> = words.iter().map(|&w| AtomicU32::new(w)).collect();
            check("AtomicU32", &atomics);
        }
        check("Mutex", &Mutex::new(bytes.clone()));
        check("RwLock", &RwLock::new(bytes.clone()));
        check("RefCell", &RefCell::new(bytes.clone()));
        check("cells", &Cell::from_mut(&mut bytes[..]));
    }
}

/// What an encoder has saved before leaves no trace.
#[test]
fn every_encoder() {
    for format in [
        PixelFormat::RGBA8,
        PixelFormat::BGRA8,
        PixelFormat::XRGB8888,
    ] {
        let bytes = packed(format);
        let expected = files(&Image::from_buffer(&bytes, WIDTH, HEIGHT, format).unwrap());
        // An encoder that has saved something else gives the same bytes.
        let image = Image::from_buffer(&bytes, WIDTH, HEIGHT, format).unwrap();
        let mut encoder = PngEncoder::new();
        encoder
            .to_png(&Image::new(200, 3, PixelFormat::GRAY16LE).unwrap())
            .unwrap();
        assert!(encoder.to_png(&image).unwrap() == expected[1]);
        assert!(image.to_png().unwrap() == expected[1]);
    }
}

/// The same picture in memory in other ways: formats, strides, planes, turned
/// around and turned back by a view, in the middle of a larger one.
#[test]
fn every_layout() {
    for definition in common::DEFINITIONS.iter() {
        let (channels, depth) = (definition.channels(), definition.bit_depth());
        let samples = picture(channels, depth);
        // As it is once memory has it, in the format that PNG has.
        let plain = definition.png();
        let kept = samples.chunks(channels).map(|pixel| {
            let kept = definition.samples(&definition.bytes(pixel));
            plain.bytes(&kept)
        });
        let rows: Vec<Vec<u8>> = kept.collect();
        let rows = rows.chunks(WIDTH as usize).flat_map(|row| plain.pack(row));
        let image = Image::from_buffer(rows.collect::<Vec<_>>(), WIDTH, HEIGHT, plain.format);
        let expected = files(&plain.with_palette(image.unwrap()));

        let size = definition.size() as isize;
        let (w, h) = (WIDTH as isize, HEIGHT as isize);
        let packed = Layout::packed(WIDTH, HEIGHT, definition.format);
        let mut layouts = vec![
            packed,
            packed.with_row_stride(2048).with_offset(16),
            packed.with_row_stride(-2048).with_offset(2048 * 46),
            packed
                .with_pixel_stride(-size)
                .with_row_stride(w * size)
                .with_offset((w * size - size) as usize),
            packed.with_pixel_stride(size + 3).with_row_stride(2200),
            packed.with_pixel_stride(h * size).with_row_stride(size),
        ];
        if definition.is_planar() {
            layouts.push(Layout::planar(WIDTH, HEIGHT, definition.format));
        }
        let draw = |pixels: &mut pixview::PixelsMut<'_>| {
            for (i, pixel) in samples.chunks(channels).enumerate() {
                pixels
                    .put(i as u32 % WIDTH, i as u32 / WIDTH, pixel)
                    .unwrap();
            }
        };
        for layout in layouts {
            // Bits that belong to no pixel are not in the file.
            let image = Image::with_layout(vec![0xa5u8; 128_000], layout).unwrap();
            let mut image = definition.with_palette(image);
            draw(&mut image.pixels_mut().unwrap());
            assert!(files(&image) == expected, "{layout:?}");
        }
        type View = fn(Image<Vec<u8>>) -> Image<Vec<u8>>;
        let views: [View; 3] = [
            |image| image.crop(3, 5, WIDTH, HEIGHT).unwrap(),
            |image| {
                image
                    .flip_horizontal()
                    .flip_vertical()
                    .crop(1, 1, WIDTH, HEIGHT)
                    .unwrap()
            },
            |image| image.transpose().crop(2, 2, WIDTH, HEIGHT).unwrap(),
        ];
        for view in views {
            let image = Image::new(80, 80, definition.format).unwrap();
            let mut image = view(definition.with_palette(image));
            draw(&mut image.pixels_mut().unwrap());
            assert!(files(&image) == expected, "{:?}", image.layout());
        }
    }
}

/// Any number of threads, for images of many strips and of few.
#[test]
fn every_number_of_threads() {
    for (width, height) in [(1500, 1100), (30_000, 40), (700_000, 5), (3, 2)] {
        let mut buffer = common::noise(width * height * 3, 11);
        // Parts that compress, and parts that don't.
        for portion in buffer.chunks_mut(5000).step_by(2) {
            portion.fill(portion[0]);
        }
        let format = PixelFormat::BGR8;
        let image = Image::from_buffer(&buffer, width as u32, height as u32, format).unwrap();
        for mode in MODES {
            let mut encoder = PngEncoder::new().compression(mode);
            let expected = encoder.to_png(&image).unwrap();
            let decoded = common::decode_zune(&expected);
            let samples = buffer
                .chunks(3)
                .flat_map(|p| [p[2], p[1], p[0]])
                .map(u16::from);
            assert!(decoded.samples.iter().copied().eq(samples));
            // Strips that can be kept are smaller.
            let mut keeping = PngEncoder::new().compression(mode).reuse_strips(1);
            let kept = keeping.to_png(&image).unwrap();
            assert!(common::decode_zune(&kept) == decoded);
            for threads in [2, 3, 8, 0] {
                encoder = encoder.threads(threads);
                let png = encoder.to_png(&image).unwrap();
                assert!(
                    png == expected,
                    "{mode:?}, {threads} threads, {width}x{height}"
                );
                let new = PngEncoder::new().compression(mode).threads(threads);
                keeping = keeping.threads(threads);
                for encoder in [&mut new.reuse_strips(5), &mut keeping] {
                    assert!(encoder.to_png(&image).unwrap() == kept, "{encoder:?}");
                }
            }
        }
    }
}

/// Checksums of whole files, the same wherever the tests run. They change when
/// the encoder does, and then this says so. (Small, so that Miri can run it for
/// a big-endian machine.)
#[test]
fn on_every_platform() {
    let sum = |format: PixelFormat, mode: Compression| -> u32 {
        let definition = Definition::of(format);
        let (channels, scale) = (
            definition.channels() as u16,
            u16::from(definition.bit_depth()).div_ceil(8),
        );
        let max = u16::MAX >> (16 - definition.bit_depth());
        let pixel = |i: u16| {
            let samples: Vec<u16> = (0..channels)
                .map(|c| (i / 5 * scale * (c + 1) % 256) & max)
                .collect();
            definition.bytes(&samples)
        };
        let pixels: Vec<Vec<u8>> = (0..16 * 12).map(pixel).collect();
        let rows = pixels.chunks(16).flat_map(|row| definition.pack(row));
        let bytes: Vec<u8> = rows.collect();
        let image = Image::from_buffer(bytes, 16, 12, format).unwrap();
        let image = definition.with_palette(image);
        let file = PngEncoder::new().compression(mode).to_png(&image).unwrap();
        simd_adler32::adler32(&&file[..])
    };
    // Miri is slow: it runs one mode with a search, one without, and a third of
    // the formats.
    let fast = |format| sum(format, Compression::Fast);
    let every_mode = |format, sums: [u32; 4]| {
        for (mode, expected) in MODES.into_iter().zip(sums) {
            if !cfg!(miri) || matches!(mode, Compression::Fast | Compression::Small) {
                assert_eq!(sum(format, mode), expected, "{format}, {mode:?}");
            }
        }
    };
    if !cfg!(miri) {
        every_mode(
            PixelFormat::RGBA8,
            [4_154_170_331, 800_215_793, 3_417_318_150, 442_180_278],
        );
    }
    assert_eq!(fast(PixelFormat::ARGB8888), fast(PixelFormat::RGBA8));
    every_mode(
        PixelFormat::RGB16,
        [2_731_718_783, 287_329_708, 61_417_106, 3_107_598_329],
    );
    assert_eq!(fast(PixelFormat::RGB565), fast(PixelFormat::RGB565BE));
    assert_eq!(fast(PixelFormat::INDEXED4LSB), fast(PixelFormat::INDEXED4));
    let sums = [
        (PixelFormat::RGB565, 3_923_193_159),
        (PixelFormat::ARGB2101010LE, 2_989_303_944),
        (PixelFormat::GRAY2LSB, 3_489_406_926),
        (PixelFormat::INDEXED4, 4_252_253_199),
        (PixelFormat::CMYK8, 3_227_205_529),
        (PixelFormat::ARGB8888.premultiplied(), 297_424_435),
        (PixelFormat::RGBA16.premultiplied(), 447_365_624),
        (
            PixelFormat::RGBA_F32.linear().premultiplied(),
            2_260_626_533,
        ),
        (
            PixelFormat::GRAY_I16.with_range(-1024.0, 3071.0),
            2_171_018_419,
        ),
    ];
    let step = if cfg!(miri) { 3 } else { 1 };
    for (format, sum) in sums.into_iter().step_by(step) {
        assert_eq!(fast(format), sum, "{format}");
    }
}

/// The checksum of a file of strips that can be kept. (Too large for Miri.)
#[test]
#[cfg_attr(miri, ignore = "slow")]
fn strips_on_every_platform() {
    let rows = 300;
    let pixel = |at: u32| {
        [
            at / 700,
            at / 13,
            at.wrapping_mul(at) / 1000,
            255 - at / 40_000,
        ]
        .map(|s| s as u8)
    };
    let bytes: Vec<u8> = (0..900 * rows).flat_map(pixel).collect();
    let image = Image::from_buffer(bytes, 900, rows, PixelFormat::RGBA8).unwrap();
    let mut encoder = PngEncoder::new().reuse_strips(1);
    let mut png = Vec::new();
    let report = encoder.write(&image, &mut png).unwrap();
    assert_eq!(report.strips, 4);
    assert_eq!(simd_adler32::adler32(&&png[..]), 3_213_295_310);
}

/// A short palette: whatever the bits that indices have in memory, and the
/// order of bits, the file is the same.
#[test]
fn every_kind_of_index() {
    use PixelFormat as F;
    for count in [2, 3, 4, 5, 13, 16, 17, 200] {
        let palette =
            pixview::Palette::from_rgb(&(0..count).map(common::color).collect::<Vec<_>>());
        let palette = palette.unwrap();
        let mut expected = None;
        for format in [
            F::INDEXED8,
            F::INDEXED4,
            F::INDEXED4LSB,
            F::INDEXED2,
            F::INDEXED2LSB,
            F::INDEXED1,
            F::INDEXED1LSB,
        ] {
            if count > 1 << format.bits_per_pixel() {
                continue;
            }
            let image = Image::new(WIDTH + 5, HEIGHT, format).unwrap();
            let mut image = image.crop(3, 0, WIDTH, HEIGHT).unwrap();
            let mut pixels = image.pixels_mut().unwrap();
            for y in 0..HEIGHT {
                for x in 0..WIDTH {
                    let index = (x / 3 * y / 4) as usize % count;
                    pixels.put(x, y, [index as u16]).unwrap();
                }
            }
            drop(pixels);
            let image = image.with_palette(palette.clone()).unwrap();
            let files = files(&image);
            let (mut memory, layout) = (image.source().clone(), image.layout());
            assert!(
                *expected.get_or_insert_with(|| files.clone()) == files,
                "{format} {count}"
            );
            // And live.
            let cells = Cell::from_mut(&mut memory[..]).as_slice_of_cells();
            let whole = Image::from_buffer(cells, WIDTH + 5, HEIGHT, format).unwrap();
            let live = whole.crop(3, 0, WIDTH, HEIGHT).unwrap();
            assert_eq!(live.layout(), layout);
            let live = live.with_palette(palette.clone()).unwrap();
            assert!(self::files(&live) == files, "{format} {count}, live");
        }
    }
}
