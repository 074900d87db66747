//! Animated files, written by the `png` crate, frame by frame against a model
//! of the canvas (PNG third edition, 11.3.6.2).

mod common;
#[path = "common/parts.rs"]
mod parts;

use std::time::Duration;

use common::{Definition, noise};
use pixview::{Error, ErrorKind, Image, PixelFormat, PngDecoder};
use png::{BitDepth, BlendOp, ColorType, DisposeOp};

const WIDTH: u32 = 13;
const HEIGHT: u32 = 9;

#[derive(Clone, Copy, Debug)]
struct Frame {
    /// x, y, width, height.
    region: [u32; 4],
    dispose: DisposeOp,
    blend: BlendOp,
    delay: (u16, u16),
}

/// Frames with every way to go on, in every order.
fn frames() -> Vec<Frame> {
    // The first as if it were to come back, which nothing can.
    let disposes = [DisposeOp::Previous, DisposeOp::None, DisposeOp::Background];
    let regions = [
        [0, 0, 13, 9],
        [2, 1, 5, 4],
        [8, 5, 5, 4],
        [0, 0, 1, 1],
        [3, 0, 10, 9],
    ];
    (0..24)
        .map(|i| Frame {
            region: if i == 0 { regions[0] } else { regions[i % 5] },
            dispose: disposes[(i + i / 3) % 3],
            blend: if i % 4 < 2 {
                BlendOp::Source
            } else {
                BlendOp::Over
            },
            delay: (i as u16 * 7, [100, 0, 1000, 3][i % 4]),
        })
        .collect()
}

/// Samples of frame `i`, half of the alphas none or all.
fn pixels(channels: usize, depth: usize, count: usize, i: usize) -> Vec<u8> {
    let mut bytes = noise(count * channels * depth / 8, i as u64 + 1);
    if channels.is_multiple_of(2) {
        let size = channels * depth / 8;
        for (n, pixel) in bytes.chunks_mut(size).enumerate() {
            let alpha = &mut pixel[size - depth / 8..];
            match n % 4 {
                0 => alpha.fill(0),
                1 => alpha.fill(255),
                _ => {}
            }
        }
    }
    bytes
}

fn file(color: ColorType, depth: BitDepth, still: bool) -> Vec<u8> {
    let frames = frames();
    let (channels, bits) = (color.samples(), depth as usize);
    let mut png = Vec::new();
    let mut encoder = png::Encoder::new(&mut png, WIDTH, HEIGHT);
    encoder.set_color(color);
    encoder.set_depth(depth);
    if color == ColorType::Indexed {
        let colors: Vec<u8> = (0..256).flat_map(common::color).collect();
        encoder.set_palette(colors);
        encoder.set_trns((0..=255).rev().collect::<Vec<u8>>());
    }
    encoder.set_animated(frames.len() as u32, 5).unwrap();
    encoder.set_sep_def_img(still).unwrap();
    encoder.validate_sequence(true);
    let mut writer = encoder.write_header().unwrap();
    if still {
        let all = (WIDTH * HEIGHT) as usize;
        writer
            .write_image_data(&pixels(channels, bits, all, 99))
            .unwrap();
    }
    for (i, frame) in frames.iter().enumerate() {
        let [x, y, width, height] = frame.region;
        writer.reset_frame_position().unwrap();
        writer.set_frame_dimension(width, height).unwrap();
        writer.set_frame_position(x, y).unwrap();
        writer.set_dispose_op(frame.dispose).unwrap();
        writer.set_blend_op(frame.blend).unwrap();
        writer
            .set_frame_delay(frame.delay.0, frame.delay.1)
            .unwrap();
        let count = (width * height) as usize;
        writer
            .write_image_data(&pixels(channels, bits, count, i))
            .unwrap();
    }
    writer.finish().unwrap();
    png
}

type Rgba = [u64; 4];

/// A pixel of a frame.
fn rgba(color: ColorType, bits: usize, pixel: &[u8]) -> Rgba {
    let samples: Vec<u64> = match bits {
        8 => pixel.iter().map(|&s| s.into()).collect(),
        _ => pixel
            .chunks(2)
            .map(|p| u16::from_be_bytes([p[0], p[1]]).into())
            .collect(),
    };
    let max = (1 << bits) - 1;
    match (color, &samples[..]) {
        (ColorType::Indexed, &[i]) => {
            let [r, g, b] = common::color(i as usize).map(u64::from);
            [r, g, b, 255 - i]
        }
        (_, &[y]) => [y, y, y, max],
        (_, &[y, a]) => [y, y, y, a],
        (_, &[r, g, b]) => [r, g, b, max],
        (_, &[r, g, b, a]) => [r, g, b, a],
        _ => unreachable!(),
    }
}

/// The canvas after each frame.
fn canvases(color: ColorType, bits: usize) -> Vec<Vec<Rgba>> {
    let max = (1u64 << bits) - 1;
    let mut canvas = vec![[0u64; 4]; (WIDTH * HEIGHT) as usize];
    let mut shown = Vec::new();
    for (i, frame) in frames().iter().enumerate() {
        let before = canvas.clone();
        let [x, y, width, height] = frame.region;
        let size = color.samples() * bits / 8;
        let pixels = pixels(color.samples(), bits, (width * height) as usize, i);
        let at = |n: usize| {
            let (dx, dy) = (n as u32 % width, n as u32 / width);
            ((y + dy) * WIDTH + x + dx) as usize
        };
        for (n, pixel) in pixels.chunks(size).enumerate() {
            let above = rgba(color, bits, pixel);
            let under = canvas[at(n)];
            canvas[at(n)] = match frame.blend {
                BlendOp::Source => above,
                BlendOp::Over => {
                    // In exact fractions of max * max, to the nearest.
                    let (a, below) = (above[3] * max, under[3] * (max - above[3]));
                    let all = a + below;
                    if above[3] == 0 && under[3] == 0 {
                        above
                    } else {
                        let mix =
                            |c: usize| (2 * (above[c] * a + under[c] * below) + all) / (2 * all);
                        [mix(0), mix(1), mix(2), (2 * all + max) / (2 * max)]
                    }
                }
            };
        }
        shown.push(canvas.clone());
        match frame.dispose {
            DisposeOp::None => {}
            DisposeOp::Previous if i > 0 => canvas = before,
            _ => (0..(width * height) as usize).for_each(|n| canvas[at(n)] = [0; 4]),
        }
    }
    shown
}

#[test]
fn frames_as_the_canvas_shows_them() {
    for (color, depth) in [
        (ColorType::Grayscale, BitDepth::Eight),
        (ColorType::GrayscaleAlpha, BitDepth::Eight),
        (ColorType::Rgb, BitDepth::Eight),
        (ColorType::Rgba, BitDepth::Eight),
        (ColorType::Rgba, BitDepth::Sixteen),
        (ColorType::Grayscale, BitDepth::Sixteen),
        (ColorType::Indexed, BitDepth::Eight),
    ] {
        let bits = depth as usize;
        let canvases = canvases(color, bits);
        for still in [false, true] {
            let png = file(color, depth, still);
            for format in [PixelFormat::RGBA16, PixelFormat::BGRA8.premultiplied()] {
                let definition = Definition::of(format);
                let mut reader = PngDecoder::new().open_bytes(&png).unwrap();
                assert_eq!((reader.frames(), reader.plays()), (24, 5));
                let mut image = Image::new(WIDTH, HEIGHT, format).unwrap();
                for (i, (frame, canvas)) in frames().iter().zip(&canvases).enumerate() {
                    let delay = reader.next_frame(&mut image).unwrap().unwrap();
                    let (num, den) = frame.delay;
                    let den = if den == 0 { 100 } else { den };
                    let expected = Duration::from_secs_f64(f64::from(num) / f64::from(den));
                    assert!(delay.abs_diff(expected) < Duration::from_micros(1));
                    let pixels = image.pixels().unwrap();
                    for (n, rgba) in canvas.iter().enumerate() {
                        let depth = 1u64 << definition.bit_depth();
                        let max = (1 << bits) - 1;
                        let samples: Vec<u16> = rgba
                            .iter()
                            .map(|s| ((2 * s * (depth - 1) + max) / (2 * max)) as u16)
                            .collect();
                        let kept = definition.samples(&definition.bytes(&samples));
                        let found = pixels.get(n as u32 % WIDTH, n as u32 / WIDTH).unwrap();
                        assert_eq!(*found, kept, "{color:?} {depth:?}, frame {i}, pixel {n}");
                    }
                }
                assert_eq!(reader.next_frame(&mut image).unwrap(), None);
                assert_eq!(reader.next_frame(&mut image).unwrap(), None);
                assert!(matches!(
                    reader.read().unwrap_err().kind(),
                    ErrorKind::AlreadyRead
                ));
            }
            // The image of those that don't animate.
            let mut reader = PngDecoder::new().open_bytes(&png).unwrap();
            let image = reader.read().unwrap();
            let first = if still { 99 } else { 0 };
            let raw = pixels(color.samples(), bits, (WIDTH * HEIGHT) as usize, first);
            let native: Vec<u8> = match bits {
                8 => raw,
                _ => raw
                    .chunks(2)
                    .flat_map(|p| u16::from_be_bytes([p[0], p[1]]).to_ne_bytes())
                    .collect(),
            };
            assert_eq!(*image.source(), native);
            let mut view = Image::new(WIDTH, HEIGHT, PixelFormat::RGBA8).unwrap();
            assert!(matches!(
                reader.next_frame(&mut view).unwrap_err().kind(),
                ErrorKind::AlreadyRead
            ));
        }
    }
}

#[test]
fn files_that_are_not_animated() {
    let image = Image::new(3, 2, PixelFormat::GRAY2).unwrap();
    let png = image.to_png().unwrap();
    let mut reader = PngDecoder::new().open_bytes(&png).unwrap();
    assert_eq!((reader.frames(), reader.plays()), (1, 1));
    let mut view = Image::new(3, 2, PixelFormat::RGB8).unwrap();
    assert_eq!(reader.next_frame(&mut view).unwrap(), Some(Duration::ZERO));
    assert_eq!(reader.next_frame(&mut view).unwrap(), None);
    // One that is damaged has not been shown.
    let cut = &png[..png.len() - 20];
    let mut reader = PngDecoder::new().open_bytes(cut).unwrap();
    reader.next_frame(&mut view).unwrap_err();
    let error = reader.next_frame(&mut view).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::AlreadyRead));
}

/// A file put together of interlaced ones, which `lodepng` writes: frames
/// smaller than the canvas, of pixels of less than a byte.
#[test]
fn interlaced_frames() {
    fn push(png: &mut Vec<u8>, name: &[u8], data: &[u8]) {
        png.extend((data.len() as u32).to_be_bytes());
        let start = png.len();
        png.extend(name);
        png.extend(data);
        let mut crc = !0u32;
        for byte in &png[start..] {
            crc ^= u32::from(*byte);
            for _ in 0..8 {
                crc = (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg());
            }
        }
        png.extend((!crc).to_be_bytes());
    }
    for depth in [1u32, 2, 8] {
        let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
        let mut canvas = [[0u16; 13]; 9];
        let regions = [[0, 0, 13, 9], [2, 1, 7, 5], [5, 4, 8, 5], [0, 0, 13, 9]];
        for (i, [x, y, w, h]) in regions.into_iter().enumerate() {
            let max = (1 << depth) - 1;
            let values: Vec<u8> = noise(w * h, i as u64 + 5)
                .iter()
                .map(|v| v & max as u8)
                .collect();
            let mut packed = vec![0u8; (w * h * depth as usize).div_ceil(8)];
            for (n, value) in values.iter().enumerate() {
                canvas[y + n / w][x + n % w] = u16::from(*value) * (255 / max);
                let bit = n * depth as usize;
                packed[bit / 8] |= value << (8 - depth as usize - bit % 8);
            }
            let mut encoder = lodepng::Encoder::new();
            encoder.set_auto_convert(false);
            encoder
                .info_raw_mut()
                .set_colortype(lodepng::ColorType::GREY);
            encoder.info_raw_mut().set_bitdepth(depth);
            encoder
                .info_png_mut()
                .color
                .set_colortype(lodepng::ColorType::GREY);
            encoder.info_png_mut().color.set_bitdepth(depth);
            encoder.info_png_mut().interlace_method = 1;
            let png = encoder.encode(&packed, w, h).unwrap();
            if i == 0 {
                push(&mut file, b"IHDR", &png[16..29]);
                push(&mut file, b"acTL", &[0, 0, 0, 4, 0, 0, 0, 0]);
            }
            let sequence = |n: usize| (n as u32).to_be_bytes();
            let number = if i == 0 { 0 } else { 2 * i - 1 };
            let mut control = sequence(number).to_vec();
            for value in [w, h, x, y] {
                control.extend((value as u32).to_be_bytes());
            }
            control.extend([0, 1, 0, 2, 0, 0]);
            push(&mut file, b"fcTL", &control);
            let at = png.windows(4).position(|w| w == b"IDAT").unwrap();
            let data = &png[at + 4..png.len() - 16];
            if i == 0 {
                push(&mut file, b"IDAT", data);
            } else {
                push(&mut file, b"fdAT", &[&sequence(number + 1), data].concat());
            }
        }
        push(&mut file, b"IEND", &[]);
        let mut reader = PngDecoder::new().open_bytes(&file).unwrap();
        assert!(reader.is_interlaced());
        let mut view = Image::new(WIDTH, HEIGHT, PixelFormat::GRAY8).unwrap();
        for _ in regions {
            reader.next_frame(&mut view).unwrap().unwrap();
        }
        // The last one covers all; so look at the one before, too.
        assert_eq!(reader.next_frame(&mut view).unwrap(), None);
        let found: Vec<u16> = view.source().iter().map(|&v| v.into()).collect();
        assert_eq!(found, canvas.concat(), "{depth}");

        let mut reader = PngDecoder::new().open_bytes(&file).unwrap();
        let mut canvas = [[0u16; 13]; 9];
        for (i, [x, y, w, h]) in regions.into_iter().enumerate() {
            let max = (1 << depth) - 1;
            for (n, v) in noise(w * h, i as u64 + 5).into_iter().enumerate() {
                canvas[y + n / w][x + n % w] = (u16::from(v) & max) * (255 / max);
            }
            reader.next_frame(&mut view).unwrap().unwrap();
            let found: Vec<u16> = view.source().iter().map(|&v| v.into()).collect();
            assert_eq!(found, canvas.concat(), "{depth}, frame {i}");
        }
    }
}

/// A view that can't show frames changes nothing, and what is asked in the
/// wrong order is an error.
#[test]
fn the_wrong_view_between_frames() {
    for still in [false, true] {
        let png = file(ColorType::Rgba, BitDepth::Eight, still);
        let canvases = canvases(ColorType::Rgba, 8);
        let mut reader = PngDecoder::new().open_bytes(&png).unwrap();
        let mut view = Image::new(WIDTH, HEIGHT, PixelFormat::RGBA8).unwrap();
        let mut indexed = Image::new(WIDTH, HEIGHT, PixelFormat::INDEXED8).unwrap();
        for canvas in &canvases {
            let error = reader.next_frame(&mut indexed).unwrap_err();
            assert_eq!(
                error.to_string(),
                "RGBA8 cannot become INDEXED8: it has no palette"
            );
            let error = reader.read().unwrap_err();
            assert!(matches!(error.kind(), ErrorKind::AlreadyRead), "{error}");
            reader.next_frame(&mut view).unwrap().unwrap();
            let found: Vec<u64> = view.source().iter().map(|&v| v.into()).collect();
            assert_eq!(found, canvas.concat());
        }
        assert_eq!(reader.next_frame(&mut view).unwrap(), None);
    }
}

/// Cut off or damaged anywhere: frames and then an error, never a panic.
#[test]
fn damaged_animations() {
    let png = file(ColorType::Rgba, BitDepth::Eight, true);
    let all = |png: &[u8]| -> Result<u32, Error> {
        let mut reader = PngDecoder::new().open_bytes(png)?;
        let mut view = Image::new(reader.width(), reader.height(), PixelFormat::RGBA8)?;
        let mut count = 0;
        while reader.next_frame(&mut view)?.is_some() {
            count += 1;
        }
        Ok(count)
    };
    assert_eq!(all(&png).unwrap(), 24);
    for end in 0..png.len() {
        all(&png[..end]).unwrap_err();
    }
    for at in 0..png.len() {
        let mut damaged = png.clone();
        damaged[at] ^= 0x20;
        assert!(all(&damaged).is_err(), "byte {at}");
    }
    // Limits hold for the canvas.
    let mut reader = PngDecoder::new()
        .max_bytes(13 * 9 * 12 - 1)
        .open_bytes(&png)
        .unwrap();
    let mut view = Image::new(WIDTH, HEIGHT, PixelFormat::RGBA8).unwrap();
    let error = reader.next_frame(&mut view).unwrap_err();
    assert_eq!(error.to_string(), "1404 bytes are needed, 1403 are allowed");
}

/// Frames of a still picture that isn't one of them, and two others.
fn animated(change: impl Fn(&mut Vec<(&'static [u8; 4], Vec<u8>, bool)>)) -> Vec<u8> {
    let (width, height) = (6, 5);
    let mut number = 0u32;
    let mut next = || {
        number += 1;
        (number - 1).to_be_bytes()
    };
    let control = |number: [u8; 4]| {
        let mut data = number.to_vec();
        data.extend(
            [width, height, 0, 0]
                .iter()
                .flat_map(|v: &u32| v.to_be_bytes()),
        );
        data.extend([0, 1, 0, 10, 0, 0]);
        data
    };
    let stream = |i| parts::zlib(&parts::scanlines(width, height, 8, 6, false, i));
    // Name, data, and whether the checksum is right.
    let mut chunks = vec![
        (b"acTL", vec![0, 0, 0, 3, 0, 0, 0, 0], true),
        (b"fcTL", control(next()), true),
        (b"IDAT", stream(1), true),
        (b"fcTL", control(next()), true),
        (b"fdAT", [&next()[..], &stream(2)].concat(), true),
        (b"fcTL", control(next()), true),
        (b"fdAT", [&next()[..], &stream(3)].concat(), true),
    ];
    change(&mut chunks);
    let mut all = vec![parts::header(width, height, 8, 6, false)];
    all.extend(chunks.iter().map(|(name, data, sound)| match sound {
        true => parts::chunk(name, data),
        false => parts::bad_chunk(name, data),
    }));
    parts::file(&all)
}

/// A broken animation costs the frames that are broken, never the still picture;
/// a strict decoder refuses it.
#[test]
fn broken_animations() {
    type Chunks = Vec<(&'static [u8; 4], Vec<u8>, bool)>;
    type Change = fn(&mut Chunks);
    let sound = animated(|_| ());
    let still = Image::from_png(&sound).unwrap().into_source();
    let changes: &[(&str, Change)] = &[
        ("acTL has a wrong checksum", |c| c[0].2 = false),
        ("acTL is short", |c| c[0].1.truncate(7)),
        ("acTL is long", |c| c[0].1.push(0)),
        ("acTL is there twice", |c| c.insert(0, c[0].clone())),
        ("acTL is missing", |c| drop(c.remove(0))),
        ("acTL behind the image data", |c| {
            let control = c.remove(0);
            c.insert(3, control);
        }),
        ("no frames", |c| c[0].1[3] = 0),
        ("too many frames", |c| c[0].1[0] = 0x80),
        ("fewer frames than acTL says", |c| c[0].1[3] = 4),
        ("more frames than acTL says", |c| c[0].1[3] = 2),
        ("the first fcTL has a wrong checksum", |c| c[1].2 = false),
        ("the first fcTL is short", |c| c[1].1.truncate(25)),
        ("the first fcTL is long", |c| c[1].1.push(0)),
        ("the first fcTL is there twice", |c| {
            c.insert(1, c[1].clone());
        }),
        ("the first frame is not the image", |c| c[1].1[7] = 3),
        ("the first number is wrong", |c| c[1].1[3] = 1),
        ("a way to dispose that is none", |c| c[1].1[24] = 3),
        ("a way to blend that is none", |c| c[1].1[25] = 2),
        ("an fcTL has a wrong checksum", |c| c[3].2 = false),
        ("an fcTL is short", |c| c[3].1.truncate(20)),
        ("an fcTL is empty", |c| c[3].1.clear()),
        ("an fcTL is missing", |c| drop(c.remove(3))),
        ("an fcTL is there twice", |c| c.insert(3, c[3].clone())),
        ("a frame beyond the canvas", |c| c[3].1[15] = 1),
        ("a frame beyond every canvas", |c| c[3].1[12] = 0xff),
        ("an empty frame", |c| c[3].1[7] = 0),
        ("a wrong number of fcTL", |c| c[3].1[3] = 7),
        ("a wrong number of fdAT", |c| c[4].1[3] = 7),
        ("a number that was there", |c| c[4].1[3] = 1),
        ("an fdAT has a wrong checksum", |c| c[4].2 = false),
        ("an fdAT is short", |c| c[4].1.truncate(3)),
        ("an fdAT is empty", |c| c[4].1.clear()),
        ("an fdAT is missing", |c| drop(c.remove(4))),
        ("an fdAT before the image data", |c| {
            let data = c.remove(4);
            c.insert(2, data);
        }),
        ("the data of a frame are damaged", |c| c[4].1[8] ^= 0xff),
        ("the data of a frame are cut", |c| {
            let size = c[4].1.len() - 6;
            c[4].1.truncate(size);
        }),
        ("frames in the wrong order", |c| {
            c.swap(3, 5);
            c.swap(4, 6);
        }),
    ];
    for (name, change) in changes {
        let png = animated(change);
        let image = Image::from_png(&png).unwrap_or_else(|error| panic!("{name}: {error:#}"));
        assert!(*image.source() == still, "{name}");
        let mut reader = PngDecoder::new().open_bytes(&png).unwrap();
        let image = reader
            .read()
            .unwrap_or_else(|error| panic!("{name}: {error:#}"));
        assert!(*image.source() == still, "{name}");

        let mut reader = PngDecoder::new().open_bytes(&png).unwrap();
        let mut view = Image::new(6, 5, PixelFormat::RGBA8).unwrap();
        let error = loop {
            match reader.next_frame(&mut view) {
                Ok(Some(_)) => {}
                Ok(None) => panic!("{name}: it was played"),
                Err(error) => break error,
            }
        };
        let ErrorKind::Decode { chunk, offset, .. } = error.kind() else {
            panic!("{name}: {error:#}");
        };
        assert!(!chunk.is_empty() && *offset > 0, "{name}: {error:#}");
        println!("{name}: {error:#}");

        // Strict: all that shows without inflating frames.
        let strict = PngDecoder::new().strict(true);
        let result = strict.open_bytes(&png).and_then(|mut reader| reader.read());
        let only_inflated = [
            "the data of a frame are damaged",
            "the data of a frame are cut",
        ];
        if !only_inflated.contains(name) {
            let error = result.expect_err(name);
            assert!(matches!(error.kind(), ErrorKind::Decode { .. }), "{name}");
        }
    }
    let strict = PngDecoder::new().strict(true);
    strict.open_bytes(&sound).unwrap().read().unwrap();
    // What can't be played can be read still.
    let png = animated(|c| c[0].2 = false);
    let mut reader = PngDecoder::new().open_bytes(&png).unwrap();
    let mut view = Image::new(6, 5, PixelFormat::RGBA8).unwrap();
    reader.next_frame(&mut view).unwrap_err();
    assert!(*reader.read().unwrap().source() == still);
}
