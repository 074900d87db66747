//! `Image::to_vec_as` and `Image::copy_into` convert as a save and a read do,
//! and never hold two locks.

#[path = "common/cases.rs"]
mod cases;
mod common;

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, RwLock};
use std::thread;
use std::time::Duration;

use common::{DEFINITIONS, Definition};
use pixview::source::{Lease, LeaseMut, LiveBytes, LiveBytesMut, SharedPixelSource, SourceError};
use pixview::{
    Error, ErrorKind, Image, Layout, Palette, PixelFormat as F, PixelSource, PixelSourceMut,
    PngDecoder,
};

const WIDTH: u32 = 11;
const HEIGHT: u32 = 3;

/// Returns noise in a format, with the palette of the tests.
fn noise(definition: &Definition) -> Image<Vec<u8>> {
    let bytes = common::noise(definition.row_size(WIDTH as usize) * HEIGHT as usize, 11);
    let image = Image::from_buffer(bytes, WIDTH, HEIGHT, definition.format).unwrap();
    definition.with_palette(image)
}

/// Returns the pixels of a save that is read in another format.
fn saved_and_read(png: &[u8], format: F) -> Result<Image<Vec<u8>>, Error> {
    PngDecoder::new().open_bytes(png)?.read_as(format)
}

/// Every pair of formats: into a new buffer, and into cells with padded rows
/// bottom-up, whose other bytes stay.
#[test]
#[cfg_attr(miri, ignore = "slow")]
fn every_pair_of_formats() {
    let mut refused = 0;
    for from in DEFINITIONS.iter() {
        let image = noise(from);
        let png = image.to_png().unwrap();
        for to in DEFINITIONS.iter() {
            let name = format!("{} to {}", from.format, to.format);
            let row = to.row_size(WIDTH as usize);
            let stride = row + 24 - row % 8;
            let mut buffer = vec![0x5au8; stride * HEIGHT as usize];
            let cells = Cell::from_mut(&mut buffer[..]).as_slice_of_cells();
            let layout = Layout::packed(WIDTH, HEIGHT, to.format)
                .with_offset((HEIGHT as usize - 1) * stride)
                .with_row_stride(-(stride as isize));
            let mut view = Image::with_layout(cells, layout).unwrap();
            let copied = image.copy_into(&mut view);
            let made = image.to_vec_as(to.format);
            if from.format == to.format {
                // The bytes of the pixels, whatever they are.
                let bytes = image.to_vec().unwrap();
                copied.unwrap();
                assert!(made.unwrap() == bytes, "{name}");
                assert!(view.to_vec().unwrap() == bytes, "{name}");
                continue;
            }
            let expected = match saved_and_read(&png, to.format) {
                Ok(expected) => expected,
                Err(error) => {
                    refused += 1;
                    for mine in [copied.unwrap_err(), made.unwrap_err()] {
                        let kinds = (error.kind(), mine.kind());
                        let same =
                            std::mem::discriminant(kinds.0) == std::mem::discriminant(kinds.1);
                        assert!(same, "{name}: {error}, {mine}");
                        assert_eq!(error.row(), mine.row(), "{name}");
                        if let ErrorKind::NoIndices { .. } = kinds.1 {
                            assert!(!from.indexed && to.indexed, "{name}");
                        }
                    }
                    continue;
                }
            };
            copied.unwrap();
            assert!(made.unwrap() == *expected.source(), "{name}");
            assert!(view.to_vec().unwrap() == *expected.source(), "{name}");
            assert_eq!(view.palette(), expected.palette(), "{name}");
            let unused = (0..HEIGHT as usize).all(|y| {
                buffer[y * stride..][..stride][row..]
                    .iter()
                    .all(|&byte| byte == 0x5a)
            });
            assert!(unused, "{name}");
        }
    }
    assert!(refused > 100, "{refused}");
}

/// RGBA of 16 bits by the definitions: gray three times, the colors of indices,
/// opaque alpha, samples scaled to 16 bits. No code of the crate is used for the
/// expected values.
#[test]
#[cfg_attr(miri, ignore = "slow")]
fn by_the_definitions() {
    let to = Definition::of(F::RGBA16);
    for from in DEFINITIONS.iter() {
        let image = noise(from);
        let row = from.row_size(WIDTH as usize);
        let mut expected = Vec::new();
        for (y, x) in (0..HEIGHT as usize).flat_map(|y| (0..WIDTH as usize).map(move |x| (y, x))) {
            let bit = 8 * y * row + x * from.bits_per_pixel();
            let samples = from.samples(&from.load(image.source(), bit, from.size()));
            let samples = from.decoded(&samples);
            let scale = if from.decoded_depth() == 8 { 257 } else { 1 };
            let wide: Vec<u16> = samples.iter().map(|sample| sample * scale).collect();
            expected.extend(to.bytes(&match *wide {
                [y] => [y, y, y, 65535],
                [y, a] => [y, y, y, a],
                [r, g, b] => [r, g, b, 65535],
                [r, g, b, a] => [r, g, b, a],
                _ => unreachable!(),
            }));
        }
        if from.format != to.format {
            assert!(
                image.to_vec_as(to.format).unwrap() == expected,
                "{}",
                from.format
            );
        }
    }
    // Gray of a color: 0.2126 of red, 0.7152 of green, 0.0722 of blue.
    let colors = [255u8, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255];
    let image = Image::from_buffer(&colors, 4, 1, F::RGB8).unwrap();
    assert_eq!(image.to_vec_as(F::GRAY8).unwrap(), [54, 182, 18, 255]);
    assert_eq!(image.to_vec_as(F::GRAY1).unwrap(), [0b0101_0000]);
    let wide = [0u16, 128, 129, 385, 386, 65535];
    let image = Image::from_buffer(&wide, 6, 1, F::GRAY16).unwrap();
    assert_eq!(image.to_vec_as(F::GRAY8).unwrap(), [0, 0, 1, 1, 2, 255]);
}

/// The same format: nothing is rounded, and bytes inside of pixels are kept.
#[test]
fn the_same_format_is_the_same_bytes() {
    fn check<const N: usize>(format: F, pixel: [u8; N]) {
        let image = Image::from_buffer(&pixel[..], 1, 1, format).unwrap();
        assert_eq!(image.to_vec_as(format).unwrap(), pixel);
        let through_png = saved_and_read(&image.to_png().unwrap(), format).unwrap();
        assert_ne!(through_png.source()[..], pixel);
    }
    check(F::BGRX8, [1, 2, 3, 4]);
    check(F::RGBA8.premultiplied(), [9, 200, 3, 7]);
    check(F::GRAY_F32, f32::NAN.to_ne_bytes());
    check(F::GRAY_F32, 0.123_456_7f32.to_ne_bytes());
    check(F::CMYK8, [90, 80, 70, 60]);
}

/// Random layouts, sources and views on both sides.
#[test]
fn any_layout_into_any_layout() {
    let count = if cfg!(miri) { 20 } else { 6000 };
    let converted = Cell::new(0);
    cases::each_case(count, |case, random| {
        let mut memory = common::noise(case.len, case.seed);
        let mut model = case.model();
        for step in &case.steps {
            model.transform(step);
        }
        let (width, height) = (model.rows[0].len() as u32, model.rows.len() as u32);
        let from = case.definition;
        let to = DEFINITIONS[random.index(DEFINITIONS.len())];
        let to = if random.flag() { to } else { from };
        if to.indexed != from.indexed || to.bit_depth() < from.bit_depth() && to.indexed {
            return;
        }
        converted.set(converted.get() + 1);
        let rows = (0..height as usize).map(|y| model.row_bytes(&memory, y));
        let packed = Image::from_buffer(
            rows.collect::<Vec<_>>().concat(),
            width,
            height,
            from.format,
        );
        let packed = from.with_palette(packed.unwrap());
        let expected = packed.to_vec_as(to.format).unwrap();
        let padding = random.index(9);
        let stride = to.row_size(width as usize) + 8 * padding;
        let mut target = vec![0u8; stride * height as usize];
        let target_kind = random.index(6);
        let (flipped, turned) = (random.flag(), random.flag());
        cases::with_source(case.kind, &mut memory, from, |source| {
            cases::with_source(target_kind, &mut target, to, |target| {
                let mut image = from.with_palette(Image::with_layout(source, case.layout).unwrap());
                for step in &case.steps {
                    image = step.apply(image);
                }
                let layout =
                    Layout::packed(width, height, to.format).with_row_stride(stride as isize);
                let mut target = Image::with_layout(target, layout).unwrap();
                if flipped {
                    target = target.flip_horizontal();
                }
                if turned {
                    // Both: the same pixels in the same places.
                    image = image.transpose();
                    target = target.transpose();
                }
                image.copy_into(&mut target).unwrap();
                if turned {
                    target = target.transpose();
                }
                assert!(target.to_vec().unwrap() == expected);
            });
        });
    });
    assert!(cfg!(miri) || converted.get() > 1000);
}

/// Runs `run` in another thread, and panics if it does not end.
fn ends(run: impl FnOnce() + Send + 'static) {
    let (done, ended) = channel();
    let thread = thread::spawn(move || {
        run();
        done.send(()).unwrap();
    });
    match ended.recv_timeout(Duration::from_secs(60)) {
        Err(RecvTimeoutError::Timeout) => panic!("a deadlock"),
        _ => thread.join().unwrap(),
    }
}

#[test]
fn two_views_of_one_lock() {
    /// The upper half, gray, into the lower half as BGRX.
    fn check<S: SharedPixelSource + ?Sized>(source: &S) {
        let gray = Layout::packed(4, 3, F::GRAY8);
        let from = Image::with_layout(source, gray).unwrap();
        let bgrx = Layout::packed(4, 3, F::BGRX8).with_offset(12);
        let mut to = Image::with_layout(source, bgrx).unwrap();
        from.copy_into(&mut to).unwrap();
        let expected: Vec<u8> = (0..12).flat_map(|y| [y, y, y, 255]).collect();
        assert_eq!(to.to_vec().unwrap(), expected);
        // The very same pixels.
        let before = from.to_vec().unwrap();
        from.copy_into(&mut from.view()).unwrap();
        assert_eq!(from.to_vec().unwrap(), before);
        let right = from.view().crop(2, 0, 2, 3).unwrap();
        right
            .copy_into(&mut from.view().crop(0, 0, 2, 3).unwrap())
            .unwrap();
        assert_eq!(
            from.to_vec().unwrap(),
            [2, 3, 2, 3, 6, 7, 6, 7, 10, 11, 10, 11]
        );
    }
    ends(|| {
        let bytes = || (0..12).chain([0; 48]).collect::<Vec<u8>>();
        check(&Mutex::new(bytes()));
        check(&Arc::new(RwLock::new(bytes())));
        check(&RefCell::new(bytes()));
        check(Cell::from_mut(&mut bytes()[..]));
    });
}

#[test]
fn opposite_orders() {
    ends(|| {
        let sources = [1, 2].map(|seed| Arc::new(RwLock::new(common::noise(4 * 64 * 64, seed))));
        let threads = [false, true].map(|swapped| {
            let [a, b] = sources.clone();
            thread::spawn(move || {
                let mut a = Image::from_buffer(a, 64, 64, F::RGBA8).unwrap();
                let mut b = Image::from_buffer(b, 64, 64, F::BGRA8).unwrap();
                for _ in 0..if cfg!(miri) { 2 } else { 500 } {
                    let copied = if swapped {
                        b.copy_into(&mut a)
                    } else {
                        a.copy_into(&mut b)
                    };
                    copied.unwrap();
                }
            })
        });
        for thread in threads {
            thread.join().unwrap();
        }
    });
}

/// Locks that are read and written block by block.
#[test]
#[cfg_attr(miri, ignore = "slow")]
fn several_blocks() {
    for (width, height) in [(1000, 1100), (300_000, 3)] {
        let bytes = common::noise((width * height) as usize, 1);
        let from = Mutex::new(bytes.clone());
        let from = Image::from_buffer(&from, width, height, F::GRAY8).unwrap();
        let to = Mutex::new(vec![0u8; 3 * bytes.len()]);
        let mut to = Image::from_buffer(&to, width, height, F::RGB8).unwrap();
        from.copy_into(&mut to).unwrap();
        let expected: Vec<u8> = bytes.iter().flat_map(|&y| [y; 3]).collect();
        assert!(to.to_vec().unwrap() == expected);
    }
}

/// A source that panics at every access to its pixels.
struct Panics;

impl PixelSource for Panics {
    fn lease(&self) -> Result<Lease<'_>, SourceError> {
        Ok(Lease::live(Panics))
    }
}

impl PixelSourceMut for Panics {
    fn lease_mut(&mut self) -> Result<LeaseMut<'_>, SourceError> {
        Ok(LeaseMut::live(Panics))
    }
}

impl LiveBytes for Panics {
    fn len(&self) -> usize {
        16
    }

    fn element_size(&self) -> usize {
        1
    }

    fn copy_to(&self, _: usize, _: &mut [u8]) -> Result<(), SourceError> {
        panic!("a source of the test")
    }
}

impl LiveBytesMut for Panics {
    fn copy_from(&mut self, _: usize, _: &[u8]) -> Result<(), SourceError> {
        panic!("a source of the test")
    }
}

#[test]
fn a_panic_poisons_nothing() {
    let mutex = Mutex::new([0u8; 16]);
    let caught = |run: &dyn Fn()| {
        assert!(catch_unwind(AssertUnwindSafe(run)).is_err());
        assert!(!mutex.is_poisoned());
    };
    let panics = || Image::from_buffer(Panics, 4, 4, F::GRAY8).unwrap();
    let locked = || Image::from_buffer(&mutex, 4, 4, F::GRAY8).unwrap();
    caught(&|| drop(panics().copy_into(&mut locked())));
    caught(&|| drop(locked().copy_into(&mut panics())));
    caught(&|| drop(panics().to_vec_as(F::RGB8)));
}

#[test]
fn what_cannot_be_converted() {
    let of = |format| Image::new(4, 3, format).unwrap();
    let error = of(F::RGB8).copy_into(&mut Image::new(5, 3, F::RGB8).unwrap());
    assert!(matches!(
        error.unwrap_err().kind(),
        ErrorKind::SizeMismatch {
            width: 4,
            height: 3,
            image_width: 5,
            image_height: 3,
            ..
        }
    ));
    let error = of(F::RGB8).to_vec_as(F::INDEXED8).unwrap_err();
    assert_eq!(
        error.to_string(),
        "RGB8 cannot become INDEXED8: it has no palette"
    );
    let error = of(F::INDEXED8).to_vec_as(F::RGB8).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::NoPalette { .. }));
    let error = of(F::RGB8).to_vec_as(F::GRAY16.with_significant_bits(17));
    assert!(matches!(
        error.unwrap_err().kind(),
        ErrorKind::InvalidBits { .. }
    ));
    let mut buffer = [0u8; 12];
    let layout = Layout::packed(4, 3, F::GRAY8).with_row_stride(0);
    let mut target = Image::with_layout(&mut buffer, layout).unwrap();
    let error = of(F::GRAY8).copy_into(&mut target).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Overlap));

    // An index that has no color, and one that is too large.
    let image = Image::from_buffer(vec![0u8, 1, 0, 5], 2, 2, F::INDEXED8).unwrap();
    let image = image
        .with_palette(Palette::from_rgb(&[[1, 2, 3]; 3]).unwrap())
        .unwrap();
    let mut rows = Image::new(2, 2, F::RGB8).unwrap();
    let error = image.copy_into(&mut rows).unwrap_err();
    assert_eq!(error.row(), Some(1));
    assert!(matches!(
        error.kind(),
        ErrorKind::IndexOutside {
            x: 1,
            y: 1,
            index: 5,
            colors: 3,
            ..
        }
    ));
    assert_eq!(rows.source()[..], [1, 2, 3, 1, 2, 3, 0, 0, 0, 0, 0, 0]);
    let error = image.to_vec_as(F::INDEXED2).unwrap_err();
    assert!(matches!(
        error.kind(),
        ErrorKind::IndexOutside {
            x: 1,
            y: 1,
            index: 5,
            colors: 4,
            ..
        }
    ));
    assert_eq!(error.row(), Some(1));

    let cell = RefCell::new([0u8; 12]);
    let view = Image::from_buffer(&cell, 4, 3, F::GRAY8).unwrap();
    let guard = cell.borrow_mut();
    let error = view.to_vec_as(F::RGB8).unwrap_err();
    assert!(matches!(
        error.kind(),
        ErrorKind::Source(SourceError::Borrowed)
    ));
    let error = of(F::GRAY8).copy_into(&mut view.view()).unwrap_err();
    assert!(matches!(
        error.kind(),
        ErrorKind::Source(SourceError::Borrowed)
    ));
    drop(guard);
}

/// Indices go to an indexed image with the palette, if there is one.
#[test]
fn palettes() {
    let colors = Palette::from_rgba(&[[1, 2, 3, 4], [5, 6, 7, 255]]).unwrap();
    let indices = Image::from_buffer(vec![0u8, 1], 2, 1, F::INDEXED8).unwrap();
    let old = Palette::from_rgb(&[[9, 9, 9]; 2]).unwrap();
    let mut target = Image::new(2, 1, F::INDEXED1LSB)
        .unwrap()
        .with_palette(old.clone())
        .unwrap();
    indices.copy_into(&mut target).unwrap();
    assert_eq!(target.source()[..], [0b10]);
    assert_eq!(target.palette(), Some(&old));
    let colored = indices.with_palette(colors.clone()).unwrap();
    colored.copy_into(&mut target).unwrap();
    assert_eq!(target.palette(), Some(&colors));
    let rgba = colored.to_vec_as(F::RGBA8).unwrap();
    assert_eq!(rgba, [1, 2, 3, 4, 5, 6, 7, 255]);
    assert_eq!(colored.to_vec_as(F::RGB8).unwrap(), [1, 2, 3, 5, 6, 7]);
}
