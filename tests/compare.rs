//! `Image::compare` finds every bit that shows, and no other; and never holds
//! two locks.

#[path = "common/cases.rs"]
mod cases;
mod common;

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::atomic::AtomicU8;
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex, RwLock};
use std::thread;
use std::time::Duration;

use common::{DEFINITIONS, Definition, color, definitions};
use pixview::source::{Lease, LiveBytes, SourceError};
use pixview::{Difference, ErrorKind, Image, Palette, PixelFormat as F, PixelSource, Rect};

/// Returns the samples that are compared: the colors of indices, in the palettes
/// of the tests.
fn shown(definition: &Definition, samples: Vec<u16>, palettes: bool) -> Vec<u16> {
    if definition.indexed && palettes {
        return color(samples[0].into()).map(u16::from).to_vec();
    }
    samples
}

/// What a comparison should find.
#[derive(Debug, PartialEq)]
struct Expected {
    pixels: u64,
    first: (u32, u32),
    rect: Rect,
    largest: u16,
}

/// Compares pixel by pixel: `pixel` returns the samples in both images.
fn expected(
    width: usize,
    height: usize,
    pixel: impl Fn(usize, usize) -> [Vec<u16>; 2],
) -> Option<Expected> {
    let places = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
    let mut found = Vec::new();
    let mut largest = 0;
    for (x, y) in places {
        let [a, b] = pixel(x, y);
        if a != b {
            found.push((x as u32, y as u32));
        }
        let differences = a.iter().zip(&b).map(|(a, b)| a.abs_diff(*b));
        largest = differences.fold(largest, u16::max);
    }
    let first = *found.first()?;
    let x = found.iter().map(|place| place.0).min()?;
    let right = found.iter().map(|place| place.0).max()?;
    Some(Expected {
        pixels: found.len() as u64,
        first,
        rect: Rect {
            x,
            y: first.1,
            width: right - x + 1,
            height: found.last()?.1 - first.1 + 1,
        },
        largest,
    })
}

fn found(difference: Option<Difference>) -> Option<Expected> {
    difference.map(|difference| Expected {
        pixels: difference.pixels,
        first: difference.first,
        rect: difference.rect,
        largest: difference.largest,
    })
}

/// Every bit of the buffer of a small image, of every format: bits of samples
/// are found, padding and unused bits are not. The other image has the format of
/// PNG.
#[test]
fn every_bit_of_every_format() {
    let (width, height) = (3, 2);
    let mut flips = [0, 0];
    for definition in definitions() {
        let row = definition.row_size(width);
        let bytes = common::noise(row * height, 5);
        let pixel = |bytes: &[u8], x: usize, y: usize| {
            let bit = 8 * y * row + x * definition.bits_per_pixel();
            definition.samples(&definition.load(bytes, bit, definition.size()))
        };
        let png = definition.png();
        let reference: Vec<u8> = (0..height)
            .flat_map(|y| {
                let samples = (0..width).map(|x| pixel(&bytes, x, y));
                png.pack(&samples.map(|s| png.bytes(&s)).collect::<Vec<_>>())
            })
            .collect();
        let (w, h) = (width as u32, height as u32);
        let reference = Image::from_buffer(reference, w, h, png.format).unwrap();
        let reference = png.with_palette(reference);
        for bit in 0..8 * bytes.len() {
            let mut edited = bytes.clone();
            edited[bit / 8] ^= 1 << (bit % 8);
            let expected = expected(width, height, |x, y| {
                [&bytes, &edited].map(|bytes| shown(definition, pixel(bytes, x, y), true))
            });
            flips[usize::from(expected.is_some())] += 1;
            let image = Image::from_buffer(&edited, w, h, definition.format).unwrap();
            let image = definition.with_palette(image);
            let name = format!("bit {bit} of {}", definition.format);
            let difference = image.compare(&reference).unwrap();
            assert_eq!(found(difference), expected, "{name}");
            assert_eq!(reference.compare(&image).unwrap(), difference, "{name}");
        }
    }
    assert!(flips[0] > 100 && flips[1] > 1000, "{flips:?}");
}

/// One bit anywhere in the memory of random layouts, sources and views.
#[test]
fn one_bit_in_any_layout() {
    let count = if cfg!(miri) { 20 } else { 8000 };
    let visible = Cell::new(0);
    cases::each_case(count, |case, random| {
        let mut memory = common::noise(case.len, case.seed);
        let mut edited = memory.clone();
        let bit = random.index(8 * case.len);
        edited[bit / 8] ^= 1 << (bit % 8);
        let mut model = case.model();
        for step in &case.steps {
            model.transform(step);
        }
        let definition = case.definition;
        let palettes = random.flag();
        let (width, height) = (model.rows[0].len(), model.rows.len());
        let expected = expected(width, height, |x, y| {
            [&memory, &edited]
                .map(|memory| shown(&definition, model.samples(memory, x, y), palettes))
        });
        visible.set(visible.get() + u32::from(expected.is_some()));
        let other_kind = random.index(6);
        cases::with_source(case.kind, &mut memory, definition, |first| {
            cases::with_source(other_kind, &mut edited, definition, |second| {
                let [first, second] = [first, second].map(|source| {
                    let mut image = Image::with_layout(source, case.layout).unwrap();
                    if palettes {
                        image = definition.with_palette(image);
                    }
                    for step in &case.steps {
                        image = step.apply(image);
                    }
                    image
                });
                let difference = first.compare(&second).unwrap();
                assert_eq!(found(difference), expected);
                assert_eq!(first.compare(&first).unwrap(), None);
            });
        });
    });
    assert!(cfg!(miri) || visible.get() > 1000);
}

/// Wide and high images behind locks, which are compared block by block.
#[test]
#[cfg_attr(miri, ignore = "slow")]
fn several_blocks() {
    for (width, height) in [(1000, 1100), (300_000, 3), (1, 400_000)] {
        let size = (width * height) as usize;
        let first = Mutex::new(common::noise(size, 1));
        let second = RwLock::new(common::noise(size, 1));
        let a = Image::from_buffer(&first, width, height, F::GRAY8).unwrap();
        let b = Image::from_buffer(&second, width, height, F::GRAY8).unwrap();
        assert_eq!(a.compare(&b).unwrap(), None);
        let last = (width - 1, height - 1);
        for (x, y) in [last, (width / 2, height / 2)] {
            let mut view = b.view();
            let old = view.pixels().unwrap().get(x, y).unwrap()[0];
            let mut pixels = view.pixels_mut().unwrap();
            pixels.put(x, y, [old as u8 ^ 0x40]).unwrap();
            drop(pixels);
            let difference = a.compare(&b).unwrap().unwrap();
            assert_eq!(difference.first, (x, y));
            assert_eq!(difference.largest, 0x40);
        }
        let difference = a.compare(&b).unwrap().unwrap();
        assert_eq!(difference.pixels, 2);
        assert_eq!(
            difference.rect,
            Rect {
                x: width / 2,
                y: height / 2,
                width: width - width / 2,
                height: height - height / 2,
            }
        );
    }
}

/// Runs `run` in another thread, and panics if it does not end.
fn ends(run: impl FnOnce() + Send + 'static) {
    let (done, ended) = channel();
    let thread = thread::spawn(move || {
        run();
        done.send(()).unwrap();
    });
    match ended.recv_timeout(Duration::from_secs(60)) {
        Err(std::sync::mpsc::RecvTimeoutError::Timeout) => panic!("a deadlock"),
        _ => thread.join().unwrap(),
    }
}

#[test]
fn two_views_of_one_lock() {
    fn check<S: PixelSource>(source: &S) {
        let image = Image::from_buffer(source, 8, 6, F::RGB8).unwrap();
        assert_eq!(image.compare(&image).unwrap(), None);
        let flipped = image.view().flip_vertical();
        let difference = image.compare(&flipped).unwrap().unwrap();
        assert_eq!(difference.pixels, 48);
        let top = image.view().crop(0, 0, 8, 3).unwrap();
        let bottom = image.view().crop(0, 3, 8, 3).unwrap();
        assert!(top.compare(&bottom).unwrap().is_some());
    }
    ends(|| {
        let bytes = || (0..8 * 6 * 3).collect::<Vec<u8>>();
        check(&Mutex::new(bytes()));
        check(&Arc::new(Mutex::new(bytes())));
        check(&RwLock::new(bytes()));
        check(&Rc::new(RefCell::new(bytes())));
        let boxed: Box<dyn PixelSource> = Box::new(Arc::new(Mutex::new(bytes())));
        check(&boxed);
        let mut cells = bytes();
        check(&Cell::from_mut(&mut cells[..]).as_slice_of_cells());
        let atomics: Vec<AtomicU8> = bytes().into_iter().map(AtomicU8::new).collect();
        check(&atomics);
    });
}

#[test]
fn opposite_orders() {
    ends(|| {
        let sources = [1, 2].map(|seed| Arc::new(Mutex::new(common::noise(4 * 64 * 64, seed))));
        let threads = [false, true].map(|swapped| {
            let [a, b] = sources.clone();
            thread::spawn(move || {
                let a = Image::from_buffer(a, 64, 64, F::RGBA8).unwrap();
                let b = Image::from_buffer(b, 64, 64, F::BGRA8).unwrap();
                for _ in 0..if cfg!(miri) { 2 } else { 500 } {
                    let found = if swapped {
                        b.compare(&a)
                    } else {
                        a.compare(&b)
                    };
                    assert!(found.unwrap().is_some());
                }
            })
        });
        for thread in threads {
            thread.join().unwrap();
        }
    });
}

/// A writer that waits keeps other readers out of a `RwLock`: a comparison that
/// read it twice at once would never end.
#[test]
#[cfg_attr(miri, ignore = "slow")]
fn a_writer_that_waits() {
    ends(|| {
        let lock = Arc::new(RwLock::new(common::noise(1 << 20, 1)));
        let (writing, stop) = (Arc::clone(&lock), Arc::new(Mutex::new(false)));
        let stopped = Arc::clone(&stop);
        let writer = thread::spawn(move || {
            while !*stopped.lock().unwrap() {
                writing.write().unwrap()[0] ^= 1;
            }
        });
        let image = Image::from_buffer(lock, 1024, 1024, F::GRAY8).unwrap();
        for _ in 0..20 {
            image.compare(&image.view().flip_vertical()).unwrap();
        }
        *stop.lock().unwrap() = true;
        writer.join().unwrap();
    });
}

/// A source whose pixels cannot be read.
struct Panics;

impl PixelSource for Panics {
    fn lease(&self) -> Result<Lease<'_>, SourceError> {
        Ok(Lease::live(Panics))
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

#[test]
fn a_panic_poisons_nothing() {
    let (mutex, cell) = (Mutex::new([0u8; 16]), RefCell::new([0u8; 16]));
    let panics = Image::from_buffer(Panics, 4, 4, F::GRAY8).unwrap();
    let locked = Image::from_buffer(&mutex, 4, 4, F::GRAY8).unwrap();
    let borrowed = Image::from_buffer(&cell, 4, 4, F::GRAY8).unwrap();
    let caught = |run: &dyn Fn()| {
        assert!(catch_unwind(AssertUnwindSafe(run)).is_err());
        assert!(!mutex.is_poisoned());
        assert!(cell.try_borrow_mut().is_ok());
    };
    caught(&|| drop(locked.compare(&panics)));
    caught(&|| drop(panics.compare(&locked)));
    caught(&|| drop(borrowed.compare(&panics)));
    caught(&|| drop(panics.compare(&borrowed)));
    caught(&|| drop(panics.digest()));
}

#[test]
fn what_cannot_be_compared() {
    let of = |format| Image::new(4, 3, format).unwrap();
    let error = of(F::RGB8).compare(&Image::new(4, 5, F::RGB8).unwrap());
    let error = error.unwrap_err();
    assert!(matches!(
        error.kind(),
        ErrorKind::SizeMismatch {
            width: 4,
            height: 3,
            image_width: 4,
            image_height: 5,
            ..
        }
    ));
    assert_eq!(
        error.to_string(),
        "an image of 4x3 pixels is needed, not of 4x5"
    );
    for (a, b) in [
        (F::RGB8, F::RGBA8),
        (F::GRAY8, F::GRAY16),
        (F::GRAY8, F::INDEXED8),
        (F::GRAY1, F::GRAY2LSB),
        (F::GRAY16, F::GRAY16.with_bit_depth(8)),
    ] {
        let error = of(a).compare(&of(b)).unwrap_err();
        assert!(
            matches!(error.kind(), &ErrorKind::TypeMismatch { format, other, .. }
                if format == a && other == b)
        );
    }
    let error = of(F::BGR8).compare(&of(F::GRAY1)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "BGR8 cannot be compared with GRAY1: in PNG they are RGB of 8 bits and gray of 1 bit; \
         Image::to_vec_as converts an image, PngReader::read_as a file"
    );
    let colored = Definition::of(F::INDEXED4).with_palette(of(F::INDEXED4));
    for error in [
        colored.compare(&of(F::INDEXED8)).unwrap_err(),
        of(F::INDEXED8).compare(&colored).unwrap_err(),
    ] {
        let kind = error.kind();
        assert!(matches!(kind, ErrorKind::NoPalette { format, .. } if *format == F::INDEXED8));
    }
}

/// Indices with palettes are colors, indices without palettes are numbers.
#[test]
fn indices() {
    let image = |format, indices: [u8; 4], colors: &[[u8; 4]]| {
        let mut image = Image::new(2, 2, format).unwrap();
        for (i, index) in (0..).zip(indices) {
            let mut pixels = image.pixels_mut().unwrap();
            pixels.put(i % 2, i / 2, [index]).unwrap();
        }
        match colors {
            [] => image,
            _ => image
                .with_palette(Palette::from_rgba(colors).unwrap())
                .unwrap(),
        }
    };
    let (red, gray, clear) = ([255, 0, 0, 255], [9, 9, 9, 255], [9, 9, 9, 0]);
    let a = image(F::INDEXED8, [0, 1, 2, 0], &[red, gray, clear]);
    // The same colors under other numbers, and an index of another width.
    let b = image(F::INDEXED2LSB, [2, 0, 1, 2], &[gray, clear, red]);
    assert_eq!(a.compare(&b).unwrap(), None);
    assert_ne!(a.digest().unwrap(), b.digest().unwrap());
    // Two entries of one color.
    let c = image(F::INDEXED8, [0, 1, 2, 3], &[red, gray, clear, red]);
    assert_eq!(a.compare(&c).unwrap(), None);
    // Alpha is a sample as the others are.
    let d = image(F::INDEXED8, [0, 1, 1, 0], &[red, gray]);
    let difference = a.compare(&d).unwrap().unwrap();
    assert_eq!((difference.first, difference.largest), ((0, 1), 255));
    let (e, f) = ([7, 0, 0, 0], [4, 0, 0, 1]);
    let difference = image(F::INDEXED4, e, &[]).compare(&image(F::INDEXED8, f, &[]));
    let difference = difference.unwrap().unwrap();
    assert_eq!((difference.pixels, difference.largest), (2, 3));
    // An index beyond its palette, in equal rows too.
    let g = image(F::INDEXED8, [0, 1, 0, 2], &[red, gray]);
    for error in [
        g.compare(&g).unwrap_err(),
        a.compare(&g).unwrap_err(),
        g.compare(&a).unwrap_err(),
    ] {
        assert_eq!(error.row(), Some(1));
        let kind = error.kind();
        assert!(
            matches!(
                kind,
                ErrorKind::IndexOutside {
                    x: 1,
                    y: 1,
                    index: 2,
                    colors: 2,
                    ..
                }
            ),
            "{error}"
        );
    }
}

/// The rectangle can be cropped.
#[test]
fn the_rectangle() {
    for definition in DEFINITIONS.iter().filter(|d| d.channels() == 3) {
        let zeros = vec![0u8; definition.row_size(20) * 9];
        let image = |bytes| Image::from_buffer(bytes, 20, 9, definition.format).unwrap();
        let (a, mut b) = (image(zeros.clone()), image(zeros));
        let pixel = definition.bytes(&[200, 100, 50]);
        for (x, y) in [(4, 3), (17, 7), (9, 5)] {
            b.pixels_mut().unwrap().put_bytes(x, y, &pixel).unwrap();
        }
        let difference = a.compare(&b).unwrap().unwrap();
        let Rect {
            x,
            y,
            width,
            height,
        } = difference.rect;
        assert_eq!([x, y, width, height], [4, 3, 14, 5]);
        assert_eq!((difference.pixels, difference.first), (3, (4, 3)));
        let crop = b.view().crop(x, y, width, height).unwrap();
        assert!(crop.pixels().unwrap().get_bytes(0, 0).is_ok());
    }
}
