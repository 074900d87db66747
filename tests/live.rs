//! Contract 1: any edit the language allows is in every later read and save,
//! and a save changes nothing about the image or its source.
//!
//! This is the script of the defect that gave birth to the crate: make an
//! image over an array, edit the array, save, edit the array again, and look
//! whether the image shows it. Here with every source that can be edited
//! while the image lives, around every operation that an image has.

// Tables of small closures, and sources handed over as users hand them over.
#![allow(
    clippy::needless_pass_by_value,
    clippy::semicolon_if_nothing_returned,
    clippy::type_complexity,
    clippy::useless_vec
)]

mod common;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicU8, AtomicU16, AtomicU32};
use std::sync::{Arc, Mutex, RwLock};

use common::decode;
use pixview::source::{Lease, from_shared};
use pixview::{
    Channel, Compression, Image, Layout, PixelFormat, PixelSource, PixelSourceMut, PngEncoder,
};

const WIDTH: u32 = 7;
const HEIGHT: u32 = 5;
/// The pixel that is edited.
const X: u32 = 3;
const Y: u32 = 2;
const PIXEL: usize = (Y * WIDTH + X) as usize;
const PIXELS: usize = (WIDTH * HEIGHT) as usize;

/// What the image says of the edited sample, asked in every way that there
/// is. All must agree.
fn look<S: PixelSource>(image: &Image<S>, file: &std::path::Path) -> u16 {
    let through_pixel = image.pixels().unwrap().get(X, Y).unwrap()[0];

    let pixels = image.pixels().unwrap();
    let size = image.format().bits_per_pixel() / 8;
    let sample = |bytes: &[u8]| match image.format() {
        PixelFormat::GRAY16 => u16::from_ne_bytes([bytes[0], bytes[1]]),
        _ => u16::from(bytes[0]),
    };
    let row = pixels.row(Y).unwrap();
    assert_eq!(sample(&row[X as usize * size..]), through_pixel, "row");
    let mut row = vec![0; row.len()];
    pixels.copy_row(Y, &mut row).unwrap();
    assert_eq!(sample(&row[X as usize * size..]), through_pixel, "copy_row");
    drop(pixels);

    let copy = image.to_vec().unwrap();
    assert_eq!(sample(&copy[PIXEL * size..]), through_pixel, "to_vec");

    image.save(file).unwrap();
    let saved = std::fs::read(file).unwrap();
    assert!(image.to_png().unwrap() == saved, "to_png");
    let mut written = Vec::new();
    image.write_png(&mut written).unwrap();
    assert!(written == saved, "write_to");
    let decoded = decode(&saved);
    assert_eq!(
        decoded.pixel(X as usize, Y as usize)[0],
        through_pixel,
        "save"
    );
    through_pixel
}

/// Every operation on an image that must leave it live, by name.
fn operations<S: PixelSource>() -> Vec<(&'static str, fn(&Image<S>))> {
    vec![
        ("nothing", |_| {}),
        ("read", |image| {
            let pixels = image.pixels().unwrap();
            pixels.get(0, 0).unwrap();
            pixels.row(0).unwrap();
        }),
        ("to_vec", |image| drop(image.to_vec().unwrap())),
        ("copy_to", |image| {
            let size = PIXELS * image.format().bits_per_pixel() / 8;
            image.copy_to(&mut vec![0; size]).unwrap();
        }),
        ("save", |image| {
            let folder = common::folder();
            image.save(folder.path().join("operation.png")).unwrap();
        }),
        ("failed saves", |image| {
            image.save("no.such.extension").unwrap_err();
            image.write_png(&mut [0u8; 50][..]).unwrap_err();
        }),
        ("write_to", |image| {
            image.write_png(std::io::sink()).unwrap()
        }),
        ("to_png", |image| drop(image.to_png().unwrap())),
        ("encoder", |image| {
            let mut encoder = PngEncoder::new().compression(Compression::Small);
            encoder.to_png(image).unwrap();
            encoder.to_png(image).unwrap();
        }),
        ("view and its save", |image| {
            drop(image.view().to_png().unwrap())
        }),
        ("crop", |image| {
            let crop = image.view().crop(X, Y, 1, 1).unwrap();
            crop.to_png().unwrap();
        }),
        ("flips and transpose", |image| {
            let turned = image.view().flip_horizontal().flip_vertical().transpose();
            turned.to_png().unwrap();
        }),
        ("channel", |image| {
            for channel in [Channel::Gray, Channel::Red] {
                if let Ok(one) = image.view().channel(channel) {
                    one.to_png().unwrap();
                }
            }
        }),
        ("inspection", |image| {
            let _ = (image.source(), image.layout(), format!("{image:?}"));
        }),
    ]
}

/// Ten rounds for one kind of source: the value after construction, after an
/// edit, after each operation, and after the edit that follows it. `edit`
/// changes the source array, by whatever way the language allows.
fn script<S: PixelSource>(
    kind: &str,
    mut image: Image<S>,
    mut edit: impl FnMut(&mut Image<S>, u8),
) {
    let folder = common::folder();
    let file = folder.path().join("look.png");
    let described = format!("{image:?}");
    assert_eq!(look(&image, &file), 0, "{kind}: after construction");
    let mut value = 0u8;
    for round in 0..10 {
        for (name, operation) in operations() {
            let what = format!("{kind}, round {round}, {name}");
            operation(&image);
            assert_eq!(
                look(&image, &file),
                u16::from(value),
                "{what}: changed the pixel"
            );
            value = value.wrapping_add(1);
            edit(&mut image, value);
            assert_eq!(
                look(&image, &file),
                u16::from(value),
                "{what}: cut the image off"
            );
        }
    }
    assert_eq!(format!("{image:?}"), described);
}

/// The same through an image and its clones, for sources that are handles:
/// an edit shows in all of them, and a write through one shows in the others.
fn handles<S: PixelSource + PixelSourceMut + Clone>(kind: &str, image: Image<S>) {
    let folder = common::folder();
    let file = folder.path().join("look.png");
    let mut other = image.clone();
    let mut cropped = image.clone().crop(X, Y, 2, 2).unwrap();
    let pixel = |value| vec![value; image.format().channels()];
    for round in 0..10 {
        let value = 100 + 2 * round;
        other.pixels_mut().unwrap().put(X, Y, pixel(value)).unwrap();
        for image in [&image, &other, &image.clone()] {
            assert_eq!(look(image, &file), value, "{kind}, round {round}");
        }
        assert_eq!(cropped.pixels().unwrap().get(0, 0).unwrap()[0], value);
        cropped
            .pixels_mut()
            .unwrap()
            .fill(pixel(value + 1))
            .unwrap();
        assert_eq!(
            look(&image, &file),
            value + 1,
            "{kind}, round {round}, crop"
        );
    }
}

fn rgba<S: PixelSource>(source: S) -> Image<S> {
    // Some of the sources are longer.
    Image::with_layout(source, Layout::packed(WIDTH, HEIGHT, PixelFormat::RGBA8)).unwrap()
}

fn gray16<S: PixelSource>(source: S) -> Image<S> {
    Image::with_layout(source, Layout::packed(WIDTH, HEIGHT, PixelFormat::GRAY16)).unwrap()
}

/// A word of RGBA8 in memory order whose red is `value`.
fn word(value: u8) -> u32 {
    u32::from_ne_bytes([value, 1, 2, 3])
}

#[test]
fn cells() {
    let mut array = vec![0u8; 4 * PIXELS];
    let cells = Cell::from_mut(&mut array[..]).as_slice_of_cells();
    script("cells of u8", rgba(cells), |_, v| cells[4 * PIXEL].set(v));
    cells[4 * PIXEL].set(0);
    handles("cells of u8", rgba(cells));

    let mut array = [[0u8; 4]; PIXELS];
    let cells = Cell::from_mut(&mut array).as_array_of_cells();
    script("cells of [u8; 4]", rgba(cells), |_, v| {
        cells[PIXEL].set([v, 1, 2, 3])
    });

    let mut array = vec![0u32; PIXELS];
    let cells = Cell::from_mut(&mut array[..]).as_slice_of_cells();
    script("cells of u32", rgba(cells), |_, v| {
        cells[PIXEL].set(word(v))
    });

    let mut array = vec![0u16; PIXELS];
    let cells = Cell::from_mut(&mut array[..]).as_slice_of_cells();
    script("cells of u16", gray16(cells), |_, v| {
        cells[PIXEL].set(v.into())
    });
    handles("cells of u16", gray16(cells));

    let shared: Rc<[Cell<u8>]> = (0..4 * PIXELS).map(|_| Cell::new(0)).collect();
    let ours = shared.clone();
    script("Rc of cells", rgba(shared), |_, v| ours[4 * PIXEL].set(v));
    handles("Rc of cells", rgba(ours));

    let vec: Vec<Cell<u8>> = vec![Cell::new(0); 4 * PIXELS];
    script("Vec of cells", rgba(&vec), |_, v| vec[4 * PIXEL].set(v));
}

#[test]
fn atomics() {
    let u8s: Arc<[AtomicU8]> = (0..4 * PIXELS).map(|_| AtomicU8::new(0)).collect();
    let ours = u8s.clone();
    script("AtomicU8", rgba(u8s), |_, v| {
        ours[4 * PIXEL].store(v, Relaxed)
    });
    handles("AtomicU8", rgba(ours));

    let u16s: Arc<[AtomicU16]> = (0..PIXELS).map(|_| AtomicU16::new(0)).collect();
    let ours = u16s.clone();
    script("AtomicU16", gray16(u16s), |_, v| {
        ours[PIXEL].store(v.into(), Relaxed)
    });
    handles("AtomicU16", gray16(ours));

    let u32s: Arc<[AtomicU32]> = (0..PIXELS).map(|_| AtomicU32::new(0)).collect();
    let ours = u32s.clone();
    script("AtomicU32", rgba(u32s), |_, v| {
        ours[PIXEL].store(word(v), Relaxed)
    });
    handles("AtomicU32", rgba(ours));

    #[cfg(target_has_atomic = "64")]
    {
        use std::sync::atomic::AtomicU64;
        // Two pixels in an element; the last is half used.
        let u64s: Vec<AtomicU64> = (0..PIXELS.div_ceil(2)).map(|_| AtomicU64::new(0)).collect();
        let at = &u64s[PIXEL / 2];
        script("AtomicU64", rgba(&u64s), |_, v| {
            let mut bytes = at.load(Relaxed).to_ne_bytes();
            bytes[4 * (PIXEL % 2)] = v;
            at.store(u64::from_ne_bytes(bytes), Relaxed);
        });
        handles("AtomicU64", rgba(&u64s));
    }
}

#[test]
fn guards() {
    let cell = Rc::new(RefCell::new(vec![0u8; 4 * PIXELS]));
    let ours = cell.clone();
    script("RefCell", rgba(cell), |_, v| {
        ours.borrow_mut()[4 * PIXEL] = v
    });
    handles("RefCell", rgba(ours));

    let mut array = vec![0u8; 4 * PIXELS];
    let cell = RefCell::new(&mut array[..]);
    script("RefCell of a borrow", rgba(&cell), |_, v| {
        cell.borrow_mut()[4 * PIXEL] = v
    });
    assert_ne!(array[4 * PIXEL], 0, "the edits are in the array");

    let mutex = Arc::new(Mutex::new(vec![0u16; PIXELS]));
    let ours = mutex.clone();
    script("Mutex", gray16(mutex), |_, v| {
        ours.lock().unwrap()[PIXEL] = v.into()
    });
    handles("Mutex", gray16(ours));

    let lock = Arc::new(RwLock::new([0u8; 4 * PIXELS]));
    let ours = lock.clone();
    script("RwLock", rgba(lock), |_, v| {
        ours.write().unwrap()[4 * PIXEL] = v
    });
    handles("RwLock", rgba(ours));

    let lock: Arc<RwLock<[u8]>> = Arc::new(RwLock::new([0u8; 4 * PIXELS]));
    let source: Box<dyn PixelSource + Send + Sync> = Box::new(lock.clone());
    script("dyn", rgba(source), |_, v| {
        lock.write().unwrap()[4 * PIXEL] = v
    });
}

/// An `Arc` of a lock around a type of another crate, which derefs to a slice.
#[test]
fn shared_locks() {
    struct Mapped(Vec<u8>);
    impl std::ops::Deref for Mapped {
        type Target = [u8];
        fn deref(&self) -> &[u8] {
            &self.0
        }
    }
    let shared = Arc::new(Mutex::new(Mapped(vec![0; PIXELS * 4])));
    let source = from_shared(shared.clone(), |shared| {
        Ok(Lease::guard_map(shared.lock()?, |mapped| &mapped[..]))
    });
    script("Arc<Mutex<Mapped>>", rgba(source), |_, value| {
        shared.lock().unwrap().0[PIXEL * 4] = value
    });
}

#[test]
fn owned_and_borrowed() {
    let owned = rgba(vec![0u8; 4 * PIXELS]);
    script("Vec", owned, |image, v| image.source_mut()[4 * PIXEL] = v);

    let owned = rgba(vec![0u8; 4 * PIXELS].into_boxed_slice());
    script("Box", owned, |image, v| image.source_mut()[4 * PIXEL] = v);

    let owned = gray16([0u16; PIXELS]);
    script("array", owned, |image, v| {
        image.source_mut()[PIXEL] = v.into()
    });

    let owned = rgba(vec![0f32; PIXELS]);
    script("f32", owned, |image, v| {
        image.source_mut()[PIXEL] = f32::from_ne_bytes([v, 0, 0, 0])
    });

    let mut array = vec![0u8; 4 * PIXELS];
    script("&mut through the view", rgba(&mut array), |image, v| {
        let mut pixels = image.pixels_mut().unwrap();
        pixels.put(X, Y, [v.into(), 0, 0, 255]).unwrap();
    });
    assert_ne!(array[4 * PIXEL], 0, "the edits are in the array");

    let mut image = rgba(vec![0u8; 4 * PIXELS]);
    {
        let view = image.view_mut().crop(X, Y, 1, 1).unwrap();
        let mut view = view.flip_vertical();
        view.pixels_mut().unwrap().fill([9, 8, 7, 6]).unwrap();
    }
    assert_eq!(image.into_source()[4 * PIXEL..4 * PIXEL + 4], [9, 8, 7, 6]);
}

/// Every edit shows in the next of many saves with one encoder, which keeps the
/// strips that have not changed, and in the file that it replaces.
#[test]
fn re_saves() {
    fn check<S: PixelSource>(
        name: &str,
        mut image: Image<S>,
        edit: impl Fn(&mut Image<S>, usize, u8),
    ) {
        let folder = common::folder();
        let path = folder.path().join("a.png");
        for threads in [1, 3] {
            let mut encoder = PngEncoder::new().threads(threads).reuse_strips(1);
            let mut files = PngEncoder::new().threads(threads);
            for round in 1..=5 {
                let value = round * 12 + threads as u8;
                let at = usize::from(round) * 7777;
                edit(&mut image, at, value);
                for again in [false, true] {
                    let mut png = Vec::new();
                    let report = encoder.write(&image, &mut png).unwrap();
                    let reuses = round > 1 || again;
                    assert!(report.strips > 1 && (report.strips_reused > 0) == reuses);
                    assert_eq!(report.strips_encoded == 0, again, "{name}, {round}");
                    let report = files.save_if_changed(&image, &path).unwrap();
                    assert_eq!(report.unchanged, again, "{name}, {round}");
                    for png in [png, std::fs::read(&path).unwrap()] {
                        if !again {
                            let decoded = common::decode_zune(&png);
                            assert_eq!(decoded.samples[at], value.into(), "{name}, {round}");
                        }
                    }
                }
            }
        }
    }

    const LEN: usize = 2000 * 400;
    fn gray<S: PixelSource>(source: S) -> Image<S> {
        Image::from_buffer(source, 2000, 400, PixelFormat::GRAY8).unwrap()
    }
    let cells = vec![Cell::new(0u8); LEN];
    check("cells", gray(&cells[..]), |_, at, v| cells[at].set(v));
    let atomics: Vec<AtomicU8> = (0..LEN).map(|_| AtomicU8::new(0)).collect();
    check("atomics", gray(&atomics[..]), |_, at, v| {
        atomics[at].store(v, Relaxed)
    });
    let cell = RefCell::new(vec![0u8; LEN]);
    check("RefCell", gray(&cell), |_, at, v| cell.borrow_mut()[at] = v);
    let mutex = Mutex::new(vec![0u8; LEN]);
    check("Mutex", gray(&mutex), |_, at, v| {
        mutex.lock().unwrap()[at] = v
    });
    check("Vec", gray(vec![0u8; LEN]), |image, at, v| {
        image.source_mut()[at] = v
    });
}

/// The padded, bottom-up buffer of a window, edited while the image lives.
#[test]
fn strided() {
    let mut array = vec![0u8; 64 * HEIGHT as usize];
    let cells = Cell::from_mut(&mut array[..]).as_slice_of_cells();
    let layout = Layout::packed(WIDTH, HEIGHT, PixelFormat::RGBA8).with_row_stride(64);
    let image = Image::with_layout(cells, layout).unwrap();
    let at = 64 * (HEIGHT - 1 - Y) as usize + 4 * X as usize;
    script("strided cells", image.flip_vertical(), |_, v| {
        cells[at].set(v)
    });
}

/// An edit of the array shows in every later read and save, whatever the
/// format and however the pixels lie.
#[test]
fn every_format() {
    for definition in common::DEFINITIONS.iter() {
        let size = definition.size();
        let row = definition.row_size(WIDTH as usize);
        let packed = Layout::packed(WIDTH, HEIGHT, definition.format);
        let mut layouts = vec![packed, packed.with_row_stride(-256).with_offset(4 * 256)];
        if definition.is_planar() {
            layouts.push(Layout::planar(WIDTH, HEIGHT, definition.format));
        }
        for (kind, layout) in layouts.into_iter().enumerate() {
            let mut array = vec![0u8; 1280];
            let cells = Cell::from_mut(&mut array[..]).as_slice_of_cells();
            let image = definition.with_palette(Image::with_layout(cells, layout).unwrap());
            let mut seen = std::collections::HashSet::new();
            for round in 0..20u64 {
                // Where the pixel is, a sample at a time in planes.
                let bytes = match round % 2 {
                    0 => vec![0; size],
                    _ => common::noise(size, round + 77),
                };
                let (x, y) = (X as usize, Y as usize);
                let edit = |at: usize, bytes: &[u8]| {
                    for (cell, &byte) in cells[at..].iter().zip(bytes) {
                        cell.set(byte);
                    }
                };
                let bit = x * definition.bits_per_pixel();
                let mut pixel = bytes.clone();
                match kind {
                    2 => {
                        let sample = definition.sample_size();
                        for (plane, part) in bytes.chunks(sample).enumerate() {
                            edit((plane * PIXELS + PIXEL) * sample, part);
                        }
                    }
                    _ => {
                        let start = if kind == 0 { y * row } else { (4 - y) * 256 };
                        edit(start + bit / 8, &bytes);
                        pixel = definition.load(&bytes, bit % 8, size);
                    }
                }
                let expected = definition.samples(&pixel);
                let what = format!("{} {kind} round {round}", definition.format);
                assert_eq!(
                    *image.pixels().unwrap().get(X, Y).unwrap(),
                    expected,
                    "{what}"
                );
                let decoded = decode(&image.to_png().unwrap());
                let shown = definition.decoded(&expected);
                assert_eq!(decoded.pixel(x, y), shown, "{what}");
                let crop = image.view().crop(X, Y, 2, 1).unwrap().flip_horizontal();
                assert_eq!(decode(&crop.to_png().unwrap()).pixel(1, 0), shown, "{what}");
                seen.insert(expected);
            }
            assert!(seen.len() > 1, "{} shows no edits", definition.format);
        }
    }
}
