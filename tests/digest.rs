//! `Image::digest` hashes the documented bytes, whatever the source, the layout
//! and the format; and nothing else.

#[path = "common/cases.rs"]
mod cases;
mod common;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::atomic::{AtomicU8, AtomicU32};
use std::sync::{Arc, Mutex, RwLock};

use common::Definition;
use museair::hash128;
use pixview::{Channel, ErrorKind, Image, Layout, Palette, PixelFormat as F, PixelSource};

/// Returns the digest by its definition. A pixel is the samples of PNG.
fn expected(
    definition: &Definition,
    width: u32,
    height: u32,
    palette: Option<&Palette>,
    pixels: &[Vec<u16>],
) -> u128 {
    let depth = if definition.indexed {
        8
    } else {
        definition.bit_depth()
    };
    let color = match definition.channels() {
        _ if definition.indexed => 3,
        1 => 0,
        2 => 4,
        3 => 2,
        _ => 6,
    };
    let colors = palette.map_or(&[][..], Palette::colors);
    let mut message = [width.to_be_bytes(), height.to_be_bytes()].concat();
    message.extend([depth, color]);
    message.extend((colors.len() as u16).to_be_bytes());
    message.extend(colors.iter().flatten());
    for row in pixels.chunks(width as usize) {
        let samples = row.iter().flatten();
        match depth {
            8 => message.extend(samples.map(|&sample| sample as u8)),
            16 => message.extend(samples.flat_map(|sample| sample.to_be_bytes())),
            _ => {
                let samples: Vec<u16> = samples.copied().collect();
                for pixels in samples.chunks(8 / usize::from(depth)) {
                    let place = |i: usize| 8 - usize::from(depth) * (i + 1);
                    let bits = pixels.iter().enumerate().map(|(i, s)| *s << place(i));
                    message.push(bits.sum::<u16>() as u8);
                }
            }
        }
    }
    hash128(&message, 0, 0)
}

/// Every format over random layouts, sources and views.
#[test]
fn every_source_layout_and_format() {
    let count = if cfg!(miri) { 20 } else { 6000 };
    cases::each_case(count, |case, _| {
        let mut memory = common::noise(case.len, case.seed);
        let mut model = case.model();
        let definition = case.definition;
        for step in &case.steps {
            model.transform(step);
        }
        let (width, height) = (model.rows[0].len(), model.rows.len());
        let places = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
        let pixels: Vec<Vec<u16>> = places.map(|(x, y)| model.samples(&memory, x, y)).collect();
        for palette in [definition.palette(), None] {
            let (width, height) = (width as u32, height as u32);
            let expected = expected(&definition, width, height, palette.as_ref(), &pixels);
            cases::with_source(case.kind, &mut memory, definition, |source| {
                let mut image = Image::with_layout(source, case.layout).unwrap();
                if let Some(palette) = palette {
                    image = image.with_palette(palette).unwrap();
                }
                for step in &case.steps {
                    image = step.apply(image);
                }
                assert_eq!(image.digest().unwrap(), expected);
            });
        }
    });
}

/// Returns the samples of pixel `i` of a picture, with this many channels.
fn pixel(i: usize, channels: usize) -> Vec<u16> {
    let sample = |c: usize| (i * 37 + c * 101) as u16 % 256;
    (0..channels).map(sample).collect()
}

const WIDTH: u32 = 7;
const HEIGHT: u32 = 5;

/// Returns the bytes of that picture, packed.
fn bytes(format: F) -> Vec<u8> {
    let definition = Definition::of(format);
    let pixels = (0..(WIDTH * HEIGHT) as usize).map(|i| pixel(i, definition.channels()));
    pixels.flat_map(|p| definition.bytes(&p)).collect()
}

fn packed(format: F) -> Image<Vec<u8>> {
    Image::from_buffer(bytes(format), WIDTH, HEIGHT, format).unwrap()
}

fn palette() -> Palette {
    let colors: Vec<[u8; 4]> = (0..16).map(|i| [i, 2 * i, 99, 255]).collect();
    Palette::from_rgba(&colors).unwrap()
}

fn indexed(format: F, index: impl Fn(u32) -> u8) -> Image<Vec<u8>> {
    let mut image = Image::new(WIDTH, HEIGHT, format).unwrap();
    let mut pixels = image.pixels_mut().unwrap();
    for i in 0..WIDTH * HEIGHT {
        pixels.put(i % WIDTH, i / WIDTH, [index(i)]).unwrap();
    }
    drop(pixels);
    image.with_palette(palette()).unwrap()
}

#[expect(clippy::needless_pass_by_value, reason = "called with new images")]
fn digest<S: PixelSource>(image: Image<S>) -> u128 {
    image.digest().unwrap()
}

/// Returns the packed picture in rows of another stride.
fn padded(format: F, padding: u8) -> Image<Vec<u8>> {
    let packed = bytes(format);
    let row = packed.len() / HEIGHT as usize;
    let rows = packed.chunks(row);
    let bytes = rows.flat_map(|row| [row, &[padding; 5]].concat()).collect();
    let layout = Layout::packed(WIDTH, HEIGHT, format).with_row_stride(row as isize + 5);
    Image::with_layout(bytes, layout).unwrap()
}

fn planar(format: F, channels: usize) -> Image<Vec<u8>> {
    let packed = bytes(format);
    let plane = |c| packed.iter().skip(c).step_by(channels).copied();
    let bytes = (0..channels).flat_map(plane).collect();
    Image::with_layout(bytes, Layout::planar(WIDTH, HEIGHT, format)).unwrap()
}

#[test]
#[cfg_attr(miri, ignore = "slow")]
fn pairs_that_are_equal() {
    let rgb = || digest(packed(F::RGB8));
    let rgba = || digest(packed(F::RGBA8));
    let gray = || digest(packed(F::GRAY8));
    let gray16 = || digest(packed(F::GRAY16BE));
    let index = |i: u32| (i % 16) as u8;
    let indices = || digest(indexed(F::INDEXED8, index));
    let bits = |format, padding: u8| {
        // 12 pixels of 1 bit, the rest of the second byte is unused.
        let pixels = [0b1011_0001, 0b0110_0000];
        let bytes = pixels.map(|byte: u8| match format {
            F::GRAY1LSB => byte.reverse_bits(),
            _ => byte,
        });
        let unused: u8 = if format == F::GRAY1LSB { 0xf0 } else { 0x0f };
        let bytes = vec![bytes[0], bytes[1] | padding & unused];
        digest(Image::from_buffer(bytes, 12, 1, format).unwrap())
    };
    let pairs = [
        ("RGB, BGR", rgb(), digest(packed(F::BGR8))),
        ("RGB, RGBX", rgb(), digest(packed(F::RGBX8))),
        ("RGB, words", rgb(), digest(packed(F::XBGR8888))),
        ("RGB, planes", rgb(), digest(planar(F::RGB8, 3))),
        ("padding", rgb(), digest(padded(F::RGB8, 0xa5))),
        ("padding of BGRX", rgb(), digest(padded(F::BGRX8, 1))),
        ("X bytes", rgb(), {
            let mut bytes = bytes(F::RGBX8);
            bytes.chunks_mut(4).for_each(|pixel| pixel[3] = 7);
            digest(Image::from_buffer(bytes, WIDTH, HEIGHT, F::RGBX8).unwrap())
        }),
        ("bottom-up", rgb(), {
            let mut rows: Vec<Vec<u8>> = bytes(F::RGB8).chunks(21).map(<[u8]>::to_vec).collect();
            rows.reverse();
            let image = Image::from_buffer(rows.concat(), WIDTH, HEIGHT, F::RGB8);
            digest(image.unwrap().flip_vertical())
        }),
        ("RGBA, ARGB", rgba(), digest(packed(F::ARGB8))),
        ("cells", rgba(), {
            let mut bytes = bytes(F::BGRA8);
            let cells = Cell::from_mut(&mut bytes[..]).as_slice_of_cells();
            digest(Image::from_buffer(cells, WIDTH, HEIGHT, F::BGRA8).unwrap())
        }),
        ("Rc<RefCell>", rgba(), {
            let source = Rc::new(RefCell::new(bytes(F::RGBA8)));
            digest(Image::from_buffer(source, WIDTH, HEIGHT, F::RGBA8).unwrap())
        }),
        ("Arc<Mutex>", rgba(), {
            let source = Arc::new(Mutex::new(bytes(F::ABGR8)));
            digest(Image::from_buffer(source, WIDTH, HEIGHT, F::ABGR8).unwrap())
        }),
        ("RwLock", gray(), {
            let source = RwLock::new(bytes(F::GRAY8));
            digest(Image::from_buffer(source, WIDTH, HEIGHT, F::GRAY8).unwrap())
        }),
        ("AtomicU8", gray(), {
            let bytes = bytes(F::GRAY8);
            let atomics: Vec<AtomicU8> = bytes.into_iter().map(AtomicU8::new).collect();
            digest(Image::from_buffer(atomics, WIDTH, HEIGHT, F::GRAY8).unwrap())
        }),
        ("AtomicU32", rgba(), {
            let bytes = bytes(F::RGBA8);
            let words = bytes.as_chunks().0.iter();
            let atomics: Vec<AtomicU32> = words
                .map(|&word| AtomicU32::new(u32::from_ne_bytes(word)))
                .collect();
            digest(Image::from_buffer(atomics, WIDTH, HEIGHT, F::RGBA8).unwrap())
        }),
        ("GRAY16, LE", gray16(), digest(packed(F::GRAY16LE))),
        ("GRAY16, native", gray16(), digest(packed(F::GRAY16))),
        ("a channel", gray(), {
            let pixels = bytes(F::GRAY8).into_iter();
            let bytes: Vec<u8> = pixels.flat_map(|gray| [1, gray, 3]).collect();
            let image = Image::from_buffer(bytes, WIDTH, HEIGHT, F::RGB8).unwrap();
            digest(image.channel(Channel::Green).unwrap())
        }),
        ("a crop", gray(), {
            let rows = bytes(F::GRAY8);
            let rows = rows.chunks(7).map(|row| [&[9], row, &[8, 8]].concat());
            let bytes = [vec![5; 10], rows.collect::<Vec<_>>().concat()].concat();
            let image = Image::from_buffer(bytes, 10, HEIGHT + 1, F::GRAY8).unwrap();
            digest(image.crop(1, 1, WIDTH, HEIGHT).unwrap())
        }),
        ("indices", indices(), digest(indexed(F::INDEXED4, index))),
        ("indices", indices(), digest(indexed(F::INDEXED4LSB, index))),
        ("opaque colors", indices(), {
            let colors: Vec<[u8; 3]> = (0..16).map(|i| [i, 2 * i, 99]).collect();
            let palette = Palette::from_rgb(&colors).unwrap();
            let image = indexed(F::INDEXED8, index);
            digest(image.with_palette(palette).unwrap())
        }),
        ("unused bits", bits(F::GRAY1, 0), bits(F::GRAY1, 0xff)),
        ("unused bits", bits(F::GRAY1, 0), bits(F::GRAY1LSB, 0xff)),
    ];
    assert!(pairs.len() >= 12);
    for (name, first, second) in pairs {
        assert_eq!(first, second, "{name}");
    }
}

#[test]
#[cfg_attr(miri, ignore = "slow")]
fn pairs_that_differ() {
    let with = |format, edit: &dyn Fn(&mut [u8])| {
        let mut bytes = bytes(format);
        edit(&mut bytes);
        digest(Image::from_buffer(bytes, WIDTH, HEIGHT, format).unwrap())
    };
    let same = |format| digest(packed(format));
    let zeros = |width, height, format| digest(Image::new(width, height, format).unwrap());
    let index = |i: u32| (i % 16) as u8;
    let indices = || indexed(F::INDEXED8, index);
    let with_colors = |edit: &dyn Fn(&mut Vec<[u8; 4]>)| {
        let mut colors = palette().colors().to_vec();
        edit(&mut colors);
        let palette = Palette::from_rgba(&colors).unwrap();
        digest(indices().with_palette(palette).unwrap())
    };
    let without = || {
        let image = indices();
        digest(Image::from_buffer(image.into_source(), WIDTH, HEIGHT, F::INDEXED8).unwrap())
    };
    let pairs = [
        (
            "the first bit",
            same(F::RGB8),
            with(F::RGB8, &|b| b[0] ^= 0x80),
        ),
        (
            "the last bit",
            same(F::RGB8),
            with(F::RGB8, &|b| b[104] ^= 1),
        ),
        (
            "an alpha",
            same(F::RGBA8),
            with(F::RGBA8, &|b| b[3] ^= 0x10),
        ),
        (
            "two pixels swapped",
            same(F::GRAY8),
            with(F::GRAY8, &|b| b.swap(3, 4)),
        ),
        (
            "two rows swapped",
            same(F::GRAY8),
            with(F::GRAY8, &|b| b[..14].rotate_left(7)),
        ),
        (
            "channels",
            same(F::RGB8),
            digest(Image::from_buffer(bytes(F::RGB8), WIDTH, HEIGHT, F::BGR8).unwrap()),
        ),
        ("flipped", same(F::RGB8), {
            digest(packed(F::RGB8).flip_vertical())
        }),
        ("mirrored", same(F::RGB8), {
            digest(packed(F::RGB8).flip_horizontal())
        }),
        ("turned", same(F::RGB8), {
            digest(packed(F::RGB8).transpose())
        }),
        ("a crop", same(F::RGB8), {
            digest(packed(F::RGB8).crop(0, 0, WIDTH, HEIGHT - 1).unwrap())
        }),
        ("the shape", zeros(6, 4, F::GRAY8), zeros(4, 6, F::GRAY8)),
        ("the height", zeros(6, 4, F::GRAY8), zeros(6, 5, F::GRAY8)),
        (
            "the color type",
            zeros(6, 4, F::GRAY8),
            zeros(2, 4, F::RGB8),
        ),
        ("gray, indices", zeros(6, 4, F::GRAY8), {
            zeros(6, 4, F::INDEXED8)
        }),
        ("the depth", zeros(6, 4, F::GRAY8), zeros(6, 4, F::GRAY16)),
        ("few bits", zeros(8, 4, F::GRAY1), zeros(8, 4, F::GRAY2)),
        (
            "opaque alpha",
            same(F::RGB8),
            with(F::RGBA8, &|b| b.chunks_mut(4).for_each(|p| p[3] = 255)),
        ),
        ("an index", digest(indices()), {
            digest(indexed(F::INDEXED8, |i| if i == 20 { 9 } else { index(i) }))
        }),
        (
            "a color",
            digest(indices()),
            with_colors(&|colors| colors[15][1] ^= 1),
        ),
        (
            "a transparent color",
            digest(indices()),
            with_colors(&|colors| colors[2][3] = 254),
        ),
        (
            "one color more",
            digest(indices()),
            with_colors(&|colors| colors.push([0, 0, 0, 255])),
        ),
        ("no palette", digest(indices()), without()),
    ];
    assert!(pairs.len() >= 12);
    for (name, first, second) in pairs {
        assert_ne!(first, second, "{name}");
    }
}

/// The same numbers on machines of either byte order and of any version.
#[test]
fn on_every_platform() {
    let gray16: Vec<u16> = (0..6).map(|i| i * 10_923).collect();
    let floats = [0f32, 0.25, 0.5, 1.0];
    let words = [0xff80_4020u32, 0x00ff_8040];
    let indices = vec![0x10u8, 0x32];
    let digests = [
        digest(Image::from_buffer(vec![1u8, 2, 3, 4, 5, 6], 2, 1, F::RGB8).unwrap()),
        digest(Image::from_buffer(&gray16, 3, 2, F::GRAY16).unwrap()),
        digest(Image::from_buffer(&floats, 2, 2, F::GRAY_F32).unwrap()),
        digest(Image::from_buffer(&words, 1, 2, F::ARGB8888).unwrap()),
        digest(Image::from_buffer(vec![0b1010_0110u8], 5, 1, F::GRAY1LSB).unwrap()),
        digest(
            Image::from_buffer(indices, 4, 1, F::INDEXED4LSB)
                .unwrap()
                .with_palette(palette())
                .unwrap(),
        ),
        digest(packed(F::RGBA8)),
    ];
    for (i, digest) in digests.into_iter().enumerate() {
        assert_eq!(format!("{digest:032x}"), GOLDEN[i], "digest {i}");
    }
}

const GOLDEN: [&str; 7] = [
    "ed71d7dbe95bf71ec093a2a1de1d0df4",
    "7e867d50125501ff6c4e7fa7b7ea4e0d",
    "799fed26262ace378fb2613772fb09a7",
    "923cc130e238d6e371f0b28edf5a6150",
    "36d667288a4ca3244da9a28e8b26c799",
    "0c96e73afe13df36bd48d7b8ee27b5e1",
    "073afa64032af0a325e21a28678641a4",
];

#[test]
fn a_source_that_fails() {
    let cell = RefCell::new(vec![0u8; 12]);
    let image = Image::from_buffer(&cell, 2, 2, F::RGB8).unwrap();
    let guard = cell.borrow_mut();
    let error = image.digest().unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Source(_)), "{error}");
    drop(guard);
    cell.borrow_mut().push(0);
    let error = image.digest().unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Source(_)), "{error}");
}
