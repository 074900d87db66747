//! Reading files into views: every kind of file, into every format, layout and
//! kind of source, against what other decoders see.

#[path = "common/cases.rs"]
mod cases;
mod common;

use std::cell::Cell;

use cases::{each_case, with_source};
use common::{DEFINITIONS, Definition, noise};
use lodepng::{ColorType, Encoder, RGBA};
use pixview::png::IndexDepth;
use pixview::{Error, ErrorKind, Image, Layout, Palette, PixelFormat, PngDecoder, PngEncoder};

/// A kind of file: its colour type, bits in a sample, samples in a pixel.
#[derive(Clone, Copy, Debug)]
struct Kind {
    color: ColorType,
    depth: u32,
    samples: usize,
    interlaced: bool,
    /// Whether a colour of gray or RGB is transparent, or colours of a palette
    /// have alpha.
    transparent: bool,
}

fn kinds() -> Vec<Kind> {
    let mut all = Vec::new();
    for (color, depths, samples) in [
        (ColorType::GREY, &[1, 2, 4, 8, 16][..], 1),
        (ColorType::GREY_ALPHA, &[8, 16], 2),
        (ColorType::RGB, &[8, 16], 3),
        (ColorType::RGBA, &[8, 16], 4),
        (ColorType::PALETTE, &[1, 2, 4, 8], 1),
    ] {
        for &depth in depths {
            for interlaced in [false, true] {
                for transparent in [false, true] {
                    if transparent && samples % 2 == 0 {
                        continue;
                    }
                    all.push(Kind {
                        color,
                        depth,
                        samples,
                        interlaced,
                        transparent,
                    });
                }
            }
        }
    }
    all
}

/// The colours of the palettes.
fn color(index: usize, transparent: bool) -> RGBA {
    let [r, g, b] = common::color(index);
    RGBA::new(r, g, b, if transparent { (index * 37) as u8 } else { 255 })
}

impl Kind {
    /// A file of this kind, written by `lodepng`.
    fn file(&self, width: usize, height: usize, seed: u64) -> Vec<u8> {
        let mut encoder = Encoder::new();
        encoder.set_auto_convert(false);
        encoder.info_raw_mut().set_colortype(self.color);
        encoder.info_raw_mut().set_bitdepth(self.depth);
        encoder.info_png_mut().color.set_colortype(self.color);
        encoder.info_png_mut().color.set_bitdepth(self.depth);
        encoder.info_png_mut().interlace_method = self.interlaced.into();
        let bits = width * height * self.samples * self.depth as usize;
        let mut pixels = noise(bits.div_ceil(8), seed);
        if self.color == ColorType::PALETTE {
            for index in 0..1 << self.depth {
                let color = color(index, self.transparent);
                encoder.info_raw_mut().palette_add(color).unwrap();
                encoder.info_png_mut().color.palette_add(color).unwrap();
            }
        } else if self.transparent {
            // The colour of the first pixel, and of more.
            let first = |i: usize| -> u16 {
                match self.depth {
                    16 => u16::from_be_bytes([pixels[2 * i], pixels[2 * i + 1]]),
                    8 => pixels[i].into(),
                    depth => (pixels[0] >> (8 - depth)).into(),
                }
            };
            let key = if self.samples == 3 {
                [first(0), first(1), first(2)]
            } else {
                [first(0); 3]
            };
            let size = self.samples * self.depth as usize / 8;
            if size > 0 {
                for at in (0..pixels.len() - size).step_by(5 * size) {
                    pixels.copy_within(..size, at);
                }
            }
            encoder.info_raw_mut().set_key(key[0], key[1], key[2]);
            encoder.info_png_mut().color.set_key(key[0], key[1], key[2]);
        }
        encoder.encode(&pixels, width, height).unwrap()
    }

    /// The format that the file has.
    fn definition(&self) -> Definition {
        use PixelFormat as F;
        let format = match (self.color, self.depth) {
            (ColorType::GREY, 1) => F::GRAY1,
            (ColorType::GREY, 2) => F::GRAY2,
            (ColorType::GREY, 4) => F::GRAY4,
            (ColorType::GREY, 8) => F::GRAY8,
            (ColorType::GREY, _) => F::GRAY16,
            (ColorType::GREY_ALPHA, 8) => F::GRAY_ALPHA8,
            (ColorType::GREY_ALPHA, _) => F::GRAY_ALPHA16,
            (ColorType::RGB, 8) => F::RGB8,
            (ColorType::RGB, _) => F::RGB16,
            (ColorType::RGBA, 8) => F::RGBA8,
            (ColorType::RGBA, _) => F::RGBA16,
            (_, 1) => F::INDEXED1,
            (_, 2) => F::INDEXED2,
            (_, 4) => F::INDEXED4,
            _ => F::INDEXED8,
        };
        Definition::of(format)
    }
}

/// The pixels of a file as RGBA of 16 bits, as `lodepng` sees them. (It forgets
/// transparent colours of fewer bits when it is asked for 16.)
fn rgba(png: &[u8]) -> Vec<[u16; 4]> {
    let depth = if png[24] == 16 { 16 } else { 8 };
    match lodepng::decode_memory(png, ColorType::RGBA, depth).unwrap() {
        lodepng::Image::RGBA(bitmap) => {
            let pixels = bitmap.buffer.iter();
            let wide = |sample: u8| u16::from(sample) * 257;
            pixels.map(|p| [p.r, p.g, p.b, p.a].map(wide)).collect()
        }
        lodepng::Image::RGBA16(bitmap) => {
            let pixels = bitmap.buffer.iter();
            pixels
                .map(|p| [p.r, p.g, p.b, p.a].map(u16::from_be))
                .collect()
        }
        _ => panic!("asked for RGBA"),
    }
}

/// What a colour becomes in a format, by the definition of the conversion.
fn converted(definition: &Definition, [r, g, b, a]: [u16; 4]) -> Vec<u16> {
    let max = (1u64 << definition.bit_depth()) - 1;
    let narrow = |sample: u16| ((2 * u64::from(sample) * max + 65535) / (2 * 65535)) as u16;
    let [red, green, blue] = [r, g, b].map(u64::from);
    let gray = ((2126 * red + 7152 * green + 722 * blue + 5000) / 10_000) as u16;
    match definition.channels() {
        1 => vec![narrow(gray)],
        2 => vec![narrow(gray), narrow(a)],
        3 => [r, g, b].map(narrow).to_vec(),
        _ => [r, g, b, a].map(narrow).to_vec(),
    }
}

/// The index of a colour of the palettes, of so many.
fn index_of(colors: usize, rgba: [u16; 4]) -> u16 {
    let at = (0..colors)
        .find(|&i| common::color(i) == [rgba[0], rgba[1], rgba[2]].map(|s| (s / 257) as u8));
    at.unwrap() as u16
}

/// Every kind of file, as it is and in every format, in a buffer of its own.
#[test]
fn every_file_in_every_format() {
    for kind in kinds() {
        let (width, height) = (13, 6);
        let png = kind.file(width, height, 3);
        let pixels = rgba(&png);
        let own = kind.definition();
        let reader = PngDecoder::new().open_bytes(&png).unwrap();
        assert_eq!((reader.width(), reader.height()), (13, 6));
        let has_alpha = own.has_alpha() || kind.transparent && !own.indexed;
        assert_eq!(reader.format().has_alpha(), has_alpha);
        if has_alpha == own.has_alpha() {
            assert_eq!(reader.format(), own.format);
        }
        assert_eq!(reader.is_interlaced(), kind.interlaced);
        assert_eq!(reader.palette().is_some(), own.indexed);
        let mut formats: Vec<&Definition> = DEFINITIONS.iter().collect();
        formats.push(&own);
        for definition in formats {
            let mut reader = PngDecoder::new().open_bytes(&png).unwrap();
            let image = reader.read_as(definition.format);
            if definition.indexed && !own.indexed {
                let error = image.unwrap_err();
                assert!(
                    matches!(error.kind(), ErrorKind::NoIndices { .. }),
                    "{error}"
                );
                continue;
            }
            if definition.indexed && definition.bit_depth() < own.bit_depth() {
                // Indices that the format can't hold, of which noise has some.
                let error = image.unwrap_err();
                assert!(
                    matches!(error.kind(), ErrorKind::IndexOutside { .. }),
                    "{error}"
                );
                continue;
            }
            let image = image.unwrap();
            assert_eq!(image.layout(), Layout::packed(13, 6, definition.format));
            for (i, &pixel) in pixels.iter().enumerate() {
                let samples = if definition.indexed {
                    vec![index_of(1 << kind.depth, pixel)]
                } else {
                    converted(definition, pixel)
                };
                let kept = definition.samples(&definition.bytes(&samples));
                let (x, y) = ((i % width) as u32, (i / width) as u32);
                let found = image.pixels().unwrap().get(x, y).unwrap();
                assert_eq!(*found, kept, "{kind:?} as {}", definition.format);
            }
            // Spare bits are 0, as in an image that was made so.
            let mut same = Image::new(13, 6, definition.format).unwrap();
            for y in 0..6 {
                let row = image.pixels().unwrap().row(y).unwrap().into_owned();
                same.pixels_mut().unwrap().put_row(y, &row).unwrap();
            }
            assert_eq!(image.source(), same.source());
            assert_eq!(image.palette().is_some(), definition.indexed);
        }
        // Whole, with alpha for what is transparent.
        let whole = Image::from_png(&png).unwrap();
        assert_eq!(whole.format(), reader.format());
        let again = rgba(&whole.to_png().unwrap());
        assert_eq!(again, pixels, "{kind:?}");
    }
}

const CASES: u64 = if cfg!(miri) { 5 } else { 2000 };

/// Into any view that can be written: each pixel is where the strides say,
/// and not one bit beside them changes.
#[test]
fn into_any_view() {
    let kinds = kinds();
    each_case(CASES, |case, random| {
        let (kind, seed) = (kinds[random.index(kinds.len())], random.bits());
        let own = kind.definition();
        let definition = case.definition;
        let mut memory = noise(case.len, case.seed);
        let mut expected = memory.clone();
        let mut model = case.model();
        for step in &case.steps {
            model.transform(step);
        }
        let (width, height) = (model.rows[0].len(), model.rows.len());
        let png = kind.file(width, height, seed);
        let overlaps = model.overlaps();

        let mut result = Ok(());
        let mut palette = None;
        with_source(case.kind, &mut memory, definition, |source| {
            let mut image = Image::with_layout(source, case.layout).unwrap();
            for step in &case.steps {
                image = step.apply(image);
            }
            let mut reader = PngDecoder::new().open_bytes(&png).unwrap();
            result = reader.read_into(&mut image);
            palette = image.palette().cloned();
        });
        if definition.indexed && !own.indexed {
            let error = result.unwrap_err();
            assert!(
                matches!(error.kind(), ErrorKind::NoIndices { .. }),
                "{error}"
            );
        } else if overlaps {
            assert!(matches!(result.unwrap_err().kind(), ErrorKind::Overlap));
        } else {
            let colors = 1 << kind.depth.min(8);
            let all: Vec<Palette> = if own.indexed {
                let rgba = (0..colors).map(|i| color(i, kind.transparent));
                let rgba: Vec<[u8; 4]> = rgba.map(|c| [c.r, c.g, c.b, c.a]).collect();
                vec![Palette::from_rgba(&rgba).unwrap()]
            } else {
                Vec::new()
            };
            for (i, &pixel) in rgba(&png).iter().enumerate() {
                let (x, y) = (i % width, i / width);
                let samples = if definition.indexed {
                    vec![index_of(colors, pixel)]
                } else {
                    converted(&definition, pixel)
                };
                if definition.indexed && samples[0] >> definition.bit_depth() != 0 {
                    // The first that can't be held. What is beside it on its
                    // row has not been written.
                    let error = result.unwrap_err();
                    assert!(
                        matches!(
                            error.kind(),
                            &ErrorKind::IndexOutside { x: ex, y: ey, index, .. }
                                if (ex as usize, ey as usize, u16::from(index)) == (x, y, samples[0])
                        ),
                        "{error}"
                    );
                    return;
                }
                model.write(&mut expected, x, y, &definition.bytes(&samples));
            }
            result.unwrap();
            assert_eq!(palette.as_ref(), all.first().filter(|_| definition.indexed));
        }
        assert!(memory == expected);
    });
}

#[test]
fn what_is_refused() {
    let png = Image::new(5, 4, PixelFormat::RGB8)
        .unwrap()
        .to_png()
        .unwrap();
    let reader = || PngDecoder::new().open_bytes(&png).unwrap();
    let message = |result: Result<(), Error>| result.unwrap_err().to_string();

    let mut small = Image::new(5, 3, PixelFormat::RGB8).unwrap();
    small.pixels_mut().unwrap().fill([7; 3]).unwrap();
    assert_eq!(
        message(reader().read_into(&mut small)),
        "an image of 5x4 pixels is needed, not of 5x3"
    );
    assert_eq!(*small.source(), [7; 45]);
    assert_eq!(
        message(reader().read_as(PixelFormat::INDEXED8).map(drop)),
        "RGB8 cannot become INDEXED8: it has no palette"
    );
    let mut twice = reader();
    twice.read().unwrap();
    assert_eq!(
        message(twice.read().map(drop)),
        "the file has been read: open it again"
    );

    // Limits, before memory is taken.
    let refused = |decoder: PngDecoder| {
        let opened = decoder.open_bytes(&png);
        message(opened.and_then(|mut reader| reader.read().map(drop)))
    };
    assert_eq!(
        refused(PngDecoder::new().max_pixels(19)),
        "20 pixels are needed, 19 are allowed"
    );
    // A few rows of 15 bytes, and then all four of them.
    assert_eq!(
        refused(PngDecoder::new().max_bytes(59)),
        "60 bytes are needed, 59 are allowed"
    );
    assert!(
        PngDecoder::new()
            .max_pixels(20)
            .max_bytes(60)
            .open_bytes(&png)
            .unwrap()
            .read()
            .is_ok()
    );
    // Memory of the caller's is not counted.
    let mut view = Image::new(5, 4, PixelFormat::RGBA16).unwrap();
    let mut reader = PngDecoder::new().max_bytes(60).open_bytes(&png).unwrap();
    reader.read_into(&mut view).unwrap();
    // An interlaced file needs no copy of the image, unless a byte of the view
    // has several pixels.
    let kind = kinds()
        .into_iter()
        .find(|k| k.interlaced && k.depth == 8)
        .unwrap();
    let png = kind.file(40, 40, 1);
    let mut reader = PngDecoder::new().max_bytes(399).open_bytes(&png).unwrap();
    let mut view = Image::new(40, 40, PixelFormat::GRAY2).unwrap();
    let error = reader.read_into(&mut view).unwrap_err();
    assert_eq!(error.to_string(), "400 bytes are needed, 399 are allowed");
    let mut wide = Image::new(40, 40, PixelFormat::RGBA16).unwrap();
    reader.read_into(&mut wide).unwrap();
    assert!(view.source().iter().all(|&byte| byte == 0));
}

/// A file with an index that its palette doesn't have: the indices can be read,
/// colours of them can't.
#[test]
fn an_index_beyond_the_palette() {
    let mut png = Vec::new();
    let mut encoder = png::Encoder::new(&mut png, 300, 2);
    encoder.set_color(png::ColorType::Indexed);
    encoder.set_palette(vec![1, 2, 3, 4, 5, 6]);
    let mut writer = encoder.write_header().unwrap();
    let mut indices = vec![1; 600];
    indices[300 + 270] = 2;
    writer.write_image_data(&indices).unwrap();
    writer.finish().unwrap();
    let read = |format| PngDecoder::new().open_bytes(&png).unwrap().read_as(format);
    assert_eq!(*read(PixelFormat::INDEXED8).unwrap().source(), indices);
    use PixelFormat as F;
    for format in [F::RGB8, F::RGBA8, F::BGR8, F::GRAY8, F::RGB16, F::RGBA16] {
        assert_eq!(
            read(format).unwrap_err().to_string(),
            "row 1: pixel (270, 1) has index 2, the palette has 2 entries"
        );
    }
    assert_eq!(
        read(F::INDEXED1).unwrap_err().to_string(),
        "row 1: pixel (270, 1) has index 2, the palette has 2 entries"
    );
}

/// A damaged file is an error that says where, and what was read before it is
/// in the view.
#[test]
fn damage_has_a_place() {
    let (width, height) = (64, 4000);
    let bytes = noise(width * height, 5);
    let image = Image::from_buffer(&bytes, width as u32, height as u32, PixelFormat::GRAY8);
    let mut png = image.unwrap().to_png().unwrap();
    let folder = common::folder();
    let path = folder.path().join("damaged.png");
    let at = png.len() - 1000;
    png[at] ^= 1;
    std::fs::write(&path, &png).unwrap();
    let mut array = vec![0u8; width * height];
    let cells = Cell::from_mut(&mut array[..]).as_slice_of_cells();
    let mut view =
        Image::from_buffer(cells, width as u32, height as u32, PixelFormat::GRAY8).unwrap();
    let error = PngDecoder::new()
        .open(&path)
        .unwrap()
        .read_into(&mut view)
        .unwrap_err();
    assert_eq!(error.path(), Some(&*path));
    let ErrorKind::Decode { chunk, offset, .. } = error.kind() else {
        panic!("{error}");
    };
    assert_eq!(chunk, "IDAT");
    let begins = *offset as usize;
    assert_eq!(&png[begins + 4..begins + 8], b"IDAT");
    let length = u32::from_be_bytes(png[begins..begins + 4].try_into().unwrap()) as usize;
    assert!(begins < at && at < begins + length + 12);
    // The rows before.
    let whole = error.row().map_or(height, |row| row as usize);
    assert!(whole > height / 2);
    assert_eq!(array[..whole * width], bytes[..whole * width]);
}

/// The files of a folder named by `PIXVIEW_PNGSUITE`: those whose names begin
/// with `x` are broken, the others read as `lodepng` reads them, saved and read
/// again.
#[test]
fn png_suite() {
    let Some(folder) = std::env::var_os("PIXVIEW_PNGSUITE") else {
        return;
    };
    let (mut valid, mut broken) = (0, 0);
    for entry in std::fs::read_dir(folder).expect("PIXVIEW_PNGSUITE names a folder") {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "png") {
            continue;
        }
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let png = std::fs::read(&path).unwrap();
        let several = PngDecoder::new().threads(2).open_bytes(&png);
        let several = several.and_then(|mut reader| reader.read());
        let one = Image::from_png(&png);
        let [several, one] =
            [several, one].map(|read| read.map(Image::into_source).map_err(|e| e.to_string()));
        assert!(several == one, "{name}");
        if name.starts_with('x') {
            let error = Image::open(&path).expect_err(&name);
            assert!(
                matches!(
                    error.kind(),
                    ErrorKind::Decode { .. } | ErrorKind::NotPng { .. }
                ),
                "{error:#}"
            );
            println!("{error:#}");
            broken += 1;
            continue;
        }
        let image = Image::open(&path).unwrap_or_else(|error| panic!("{error:#}"));
        let pixels = rgba(&png);
        assert!(rgba(&image.to_png().unwrap()) == pixels, "{name}");
        let mut reader = PngDecoder::new().open(&path).unwrap();
        let wide = reader.read_as(PixelFormat::RGBA16BE).unwrap();
        let expected: Vec<u8> = pixels
            .iter()
            .flatten()
            .flat_map(|s| s.to_be_bytes())
            .collect();
        assert!(*wide.source() == expected, "{name}");
        // And with what it says beside its pixels, saved again, says the same.
        let mut reader = PngDecoder::new().open(&path).unwrap();
        let own = reader.read().unwrap();
        let metadata = reader.metadata().unwrap_or_else(|e| panic!("{e:#}"));
        let mut encoder = PngEncoder::new().metadata(metadata.clone());
        // At the file's own depth, whatever the palette needs.
        encoder = encoder.index_depth(match own.format().bits_per_pixel() {
            _ if !own.format().is_indexed() => IndexDepth::Smallest,
            1 => IndexDepth::One,
            2 => IndexDepth::Two,
            4 => IndexDepth::Four,
            _ => IndexDepth::Eight,
        });
        let again = encoder
            .to_png(&own)
            .unwrap_or_else(|e| panic!("{name}: {e:#}"));
        assert!(rgba(&again) == pixels, "{name}");
        let mut reader = PngDecoder::new().open_bytes(&again).unwrap();
        assert_eq!(reader.read().unwrap().source(), own.source(), "{name}");
        assert_eq!(reader.metadata().unwrap(), metadata, "{name}");
        valid += 1;
    }
    println!("{valid} valid, {broken} broken");
    assert!(valid > 0);
}
