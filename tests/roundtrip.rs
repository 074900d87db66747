//! Every format over random layouts and sources, against a plain model:
//! reads, writes and saves.

#[path = "common/cases.rs"]
mod cases;
mod common;

use std::cell::Cell;

use cases::{Step, each_case, with_source};
use common::{DEFINITIONS, Definition, decode, noise};
use pixview::{Channel, ErrorKind, Image, Layout, PixelFormat, PixelSource};

const CASES: u64 = if cfg!(miri) { 12 } else { 3000 };

/// Each pixel that is read, and each in the saved file, is the one at the
/// address that the strides say.
#[test]
fn reads_and_saves() {
    each_case(CASES, |case, _| {
        let mut memory = noise(case.len, case.seed);
        let before = memory.clone();
        let mut model = case.model();
        for step in &case.steps {
            model.transform(step);
        }
        let (width, height) = (model.rows[0].len(), model.rows.len());
        with_source(case.kind, &mut memory, case.definition, |source| {
            let image = Image::with_layout(source, case.layout).unwrap();
            let mut image = case.definition.with_palette(image);
            for step in &case.steps {
                image = step.apply(image);
            }
            assert_eq!(
                (image.width() as usize, image.height() as usize),
                (width, height)
            );

            let pixels = image.pixels().unwrap();
            let mut packed = Vec::new();
            for y in 0..height {
                let row = model.row_bytes(&before, y);
                assert_eq!(*pixels.row(y as u32).unwrap(), row);
                let mut copy = vec![0; row.len()];
                pixels.copy_row(y as u32, &mut copy).unwrap();
                assert_eq!(copy, row);
                for x in 0..width {
                    let pixel = pixels.get(x as u32, y as u32).unwrap();
                    assert_eq!(*pixel, model.samples(&before, x, y));
                }
                packed.extend(row);
            }
            drop(pixels);
            assert_eq!(image.to_vec().unwrap(), packed);

            let decoded = decode(&image.to_png().unwrap());
            assert_eq!((decoded.width, decoded.height), (width, height));
            assert_eq!(decoded.channels, case.definition.decoded_channels());
            assert_eq!(decoded.depth, case.definition.decoded_depth());
            for y in 0..height {
                for x in 0..width {
                    let samples = model.samples(&before, x, y);
                    assert_eq!(decoded.pixel(x, y), case.definition.decoded(&samples));
                }
            }
        });
        assert_eq!(memory, before, "a save or a read wrote something");
    });
}

/// What is written through a view lands at the address that the strides
/// say, and not one byte beside it changes. Where pixels share bytes,
/// nothing is written.
#[test]
fn writes() {
    each_case(CASES, |case, random| {
        let [left, top, w, h] = random.shares();
        let mut memory = noise(case.len, case.seed);
        let mut expected = memory.clone();
        let mut model = case.model();
        for step in &case.steps {
            model.transform(step);
        }
        let (width, height) = (model.rows[0].len(), model.rows.len());
        let definition = case.definition;
        let overlaps = model.overlaps();
        let size = definition.size();
        let values = noise(width * height * size + 16, !case.seed);
        let pixel: Vec<u16> = values
            .chunks(2)
            .take(definition.channels())
            .map(|pair| u16::from_ne_bytes([pair[0], pair[1]]) >> (16 - definition.bit_depth()))
            .collect();
        // What the memory is told of so many pixels, and what they are there.
        let pixels_of = |values: &[u8], width: usize| -> (Vec<u8>, Vec<Vec<u8>>) {
            let pixels: Vec<Vec<u8>> = values
                .chunks(size)
                .map(|bytes| {
                    if definition.is_sub_byte() {
                        definition.load(bytes, 0, 1)
                    } else {
                        bytes.to_vec()
                    }
                })
                .collect();
            let rows = pixels.chunks(width).flat_map(|row| definition.pack(row));
            (rows.collect(), pixels)
        };

        with_source(case.kind, &mut memory, definition, |source| {
            let mut image = Image::with_layout(source, case.layout).unwrap();
            for step in &case.steps {
                image = step.apply(image);
            }
            let write = image.pixels_mut();
            if overlaps {
                assert!(matches!(write.unwrap_err().kind(), ErrorKind::Overlap));
                return;
            }
            let mut pixels = write.unwrap();

            let (x, y) = (width / 2, height / 2);
            pixels.put(x as u32, y as u32, &pixel[..]).unwrap();
            model.write(&mut expected, x, y, &definition.bytes(&pixel));
            let kept = definition.samples(&definition.bytes(&pixel));
            assert_eq!(*pixels.get(x as u32, y as u32).unwrap(), kept);

            let (x, y, w, h) = Step::Crop(left, top, w, h).rectangle(width, height);
            let (block, bytes) = pixels_of(&values[..w * h * size], w);
            pixels
                .put_rect(x as u32, y as u32, w as u32, h as u32, &block)
                .unwrap();
            for (i, bytes) in bytes.iter().enumerate() {
                model.write(&mut expected, x + i % w, y + i / w, bytes);
            }

            let (row, bytes) = pixels_of(&values[..width * size], width);
            pixels.put_row(0, &row).unwrap();
            for (x, bytes) in bytes.iter().enumerate() {
                model.write(&mut expected, x, 0, bytes);
            }

            let (x, y, w, h) = Step::Crop(h as f64 / 30.0, left, top, top).rectangle(width, height);
            pixels
                .fill_rect(x as u32, y as u32, w as u32, h as u32, &pixel[..])
                .unwrap();
            for i in 0..w * h {
                model.write(
                    &mut expected,
                    x + i % w,
                    y + i / w,
                    &definition.bytes(&pixel),
                );
            }
            let row = model.row_bytes(&expected, height - 1);
            assert_eq!(*pixels.row(height as u32 - 1).unwrap(), row);
        });
        assert_eq!(memory, expected);
    });
}

/// One channel of every format that has it, over a strided buffer, is that
/// sample of the pixel alone; planar ones too.
#[test]
fn channels() {
    const CHANNELS: [&[Channel]; 4] = [
        &[Channel::Gray],
        &[Channel::Gray, Channel::Alpha],
        &[Channel::Red, Channel::Green, Channel::Blue],
        &[Channel::Red, Channel::Green, Channel::Blue, Channel::Alpha],
    ];
    for definition in DEFINITIONS.iter() {
        let (width, height) = (5, 4);
        let memory = noise(1000, 9);
        let mut layouts = vec![
            Layout::packed(width, height, definition.format)
                .with_offset(6)
                .with_pixel_stride(definition.size() as isize + 2)
                .with_row_stride(192),
        ];
        if definition.is_planar() {
            layouts.push(
                Layout::packed(width, height, definition.format)
                    .with_pixel_stride(definition.sample_size() as isize)
                    .with_row_stride(40)
                    .with_plane_stride(160),
            );
        }
        for layout in layouts {
            let image = Image::with_layout(&memory, layout).unwrap();
            for (index, &channel) in CHANNELS[definition.channels() - 1].iter().enumerate() {
                let alone = image.view().channel(channel);
                if !definition.stands_alone(index) {
                    assert!(matches!(
                        alone.unwrap_err().kind(),
                        ErrorKind::NoChannel { .. }
                    ));
                    continue;
                }
                let alone = alone.unwrap();
                assert_eq!(alone.format().channels(), 1);
                assert_eq!(alone.format().bit_depth(), definition.bit_depth());
                let decoded = decode(&alone.to_png().unwrap());
                for y in 0..height {
                    for x in 0..width {
                        let whole = image.pixels().unwrap().get(x, y).unwrap();
                        assert_eq!(alone.pixels().unwrap().get(x, y).unwrap(), [whole[index]]);
                        let shown = definition.decoded(&[whole[index]]);
                        assert_eq!(decoded.pixel(x as usize, y as usize), shown);
                    }
                }
            }
        }
    }
    let gray = Image::new(1, 1, PixelFormat::GRAY8).unwrap();
    let error = gray.channel(Channel::Alpha).unwrap_err();
    assert_eq!(error.to_string(), "GRAY8 has no alpha channel, only gray");
    let refused = |format, channel, text| {
        let image = Image::new(1, 1, format).unwrap();
        assert_eq!(image.channel(channel).unwrap_err().to_string(), text);
    };
    refused(
        PixelFormat::XRGB8888,
        Channel::Alpha,
        "XRGB8888 has no alpha channel, only red, green and blue",
    );
    refused(
        PixelFormat::RGB565,
        Channel::Red,
        "red of RGB565 is a part of a word: convert the image with Image::to_vec_as first",
    );
    refused(
        PixelFormat::RGBA8.premultiplied(),
        Channel::Red,
        "red of RGBA8 premultiplied is multiplied by alpha: convert the image with \
         Image::to_vec_as first",
    );
    refused(
        PixelFormat::INDEXED8,
        Channel::Red,
        "INDEXED8 has no red channel, only indices: convert the image with Image::to_vec_as first",
    );
    refused(
        PixelFormat::CMYK8,
        Channel::Red,
        "CMYK8 has no red channel, only inks: convert the image with Image::to_vec_as first",
    );
}

/// Rows wider than the blocks in which live pixels are fetched.
#[test]
fn wide_rows() {
    fn check(source: impl PixelSource, memory: &[u8], layout: Layout, definition: &Definition) {
        let image = Image::with_layout(source, layout).unwrap();
        let image = definition.with_palette(image);
        let decoded = decode(&image.to_png().unwrap());
        for x in 0..layout.width() as usize {
            let at = layout
                .offset()
                .wrapping_add_signed(x as isize * layout.pixel_stride());
            let expected = definition.samples(&memory[at..at + definition.size()]);
            assert_eq!(
                decoded.pixel(x, 0),
                definition.decoded(&expected),
                "{} {x} {layout:?}",
                definition.format
            );
        }
    }
    for definition in DEFINITIONS.iter() {
        let width = 5000;
        for stride in [definition.size() as isize, 7, 11, 64, 65, 100] {
            let stride = stride.max(definition.size() as isize);
            let mut memory = noise(width * stride as usize, 4);
            for (offset, stride) in [(0, stride), ((width - 1) * stride as usize, -stride)] {
                let layout = Layout::packed(width as u32, 1, definition.format)
                    .with_offset(offset)
                    .with_pixel_stride(stride);
                check(&memory, &memory, layout, definition);
                let copy = memory.clone();
                let cells = Cell::from_mut(&mut memory[..]).as_slice_of_cells();
                check(cells, &copy, layout, definition);
            }
        }
    }
}

/// Rows of bits wider than the blocks in which they are written, from within a
/// byte to within a byte, either way round.
#[test]
fn wide_rows_of_bits() {
    for definition in DEFINITIONS.iter().filter(|d| d.is_sub_byte()) {
        let (width, first, count) = (9_013, 3, 9_001);
        for flipped in [false, true] {
            let mut memory = noise(definition.row_size(width), 3);
            let mut expected = memory.clone();
            let bits = definition.bits_per_pixel();
            let values = noise(count, 4);
            let pixels: Vec<Vec<u8>> = values
                .iter()
                .map(|v| definition.load(&[*v], 0, 1))
                .collect();
            for (i, pixel) in pixels.iter().enumerate() {
                let x = if flipped {
                    first + count - 1 - i
                } else {
                    first + i
                };
                definition.store(&mut expected, x * bits, pixel);
            }
            let cells = Cell::from_mut(&mut memory[..]).as_slice_of_cells();
            let image = Image::from_buffer(cells, width as u32, 1, definition.format).unwrap();
            let mut view = image.crop(first as u32, 0, count as u32, 1).unwrap();
            if flipped {
                view = view.flip_horizontal();
            }
            let row = definition.pack(&pixels);
            view.pixels_mut().unwrap().put_row(0, &row).unwrap();
            assert_eq!(*view.pixels().unwrap().row(0).unwrap(), row);
            assert!(memory == expected, "{} {flipped}", definition.format);
        }
    }
}
