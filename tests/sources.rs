//! What may be a source, which elements hold which format, and sources that
//! fail or don't tell the truth.

mod common;

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::ops::{Deref, DerefMut};
use std::rc::Rc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicU8, AtomicU16, AtomicU32};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use pixview::source::{
    Lease, LeaseMut, LiveBytes, LiveBytesMut, Owner, Plain, PlainBuffer, SharedPixelSource,
    SourceError, from_fn, from_shared,
};
use pixview::{
    Compression, Error, ErrorKind, Image, Layout, PixelFormat, PixelSource, PixelSourceMut,
    PngEncoder,
};

/// A caller's own pixel.
#[derive(Clone, Copy, Debug, PartialEq, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
struct Bgr {
    b: u8,
    g: u8,
    r: u8,
}

impl Plain for Bgr {}

/// One that can be read, but not written with any bits.
#[derive(Clone, Copy, Debug, bytemuck::NoUninit)]
#[repr(u8)]
enum Shade {
    Dark = 10,
    Light = 200,
}

impl Plain for Shade {}

const BGR: [Bgr; 4] = [
    Bgr { b: 1, g: 2, r: 3 },
    Bgr { b: 4, g: 5, r: 6 },
    Bgr { b: 7, g: 8, r: 9 },
    Bgr {
        b: 10,
        g: 11,
        r: 12,
    },
];

fn sees_bgr(source: impl PixelSource) {
    let image = Image::from_buffer(source, 2, 2, PixelFormat::BGR8).unwrap();
    assert_eq!(image.pixels().unwrap().get(1, 1).unwrap(), [12, 11, 10]);
    let bytes = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
    assert_eq!(image.to_vec().unwrap(), bytes);
    // Miri is slow, and encoding sees no more of the source.
    if !cfg!(miri) {
        let decoded = common::decode(&image.to_png().unwrap());
        assert_eq!(decoded.samples, [3, 2, 1, 6, 5, 4, 9, 8, 7, 12, 11, 10]);
    }
}

/// Writes through the view and reads it back from the memory itself.
fn writes<S: PixelSourceMut>(source: S) -> S {
    let mut image = Image::from_buffer(source, 2, 2, PixelFormat::BGR8).unwrap();
    image.pixels_mut().unwrap().put(1, 0, [60, 50, 40]).unwrap();
    assert_eq!(image.pixels().unwrap().get(1, 0).unwrap(), [60, 50, 40]);
    image.into_source()
}

/// Containers, elements and pointers, as the docs list them.
#[test]
#[allow(clippy::needless_borrows_for_generic_args)] // they are what is tested
fn every_composition() {
    let bytes: Vec<u8> = (1..=12).collect();
    let mut vec = BGR.to_vec();

    sees_bgr(BGR);
    sees_bgr(&BGR);
    sees_bgr(&BGR[..]);
    sees_bgr(vec.clone());
    sees_bgr(&mut vec);
    sees_bgr(vec.clone().into_boxed_slice());
    sees_bgr(Rc::<[Bgr]>::from(BGR));
    sees_bgr(Arc::<[Bgr]>::from(BGR));
    sees_bgr(Arc::new(vec.clone()));
    sees_bgr(Cow::Borrowed(&BGR[..]));
    sees_bgr(Cow::<[u8]>::Owned(bytes.clone()));
    sees_bgr(&bytes);
    sees_bgr([[[1u8, 2, 3], [4, 5, 6]], [[7, 8, 9], [10, 11, 12]]]);
    sees_bgr([[1u8, 2, 3, 4, 5, 6], [7, 8, 9, 10, 11, 12]]);
    sees_bgr(BGR.map(Cell::new));
    sees_bgr(bytes.iter().map(|&b| Cell::new(b)).collect::<Vec<_>>());
    sees_bgr(bytes.iter().map(|&b| AtomicU8::new(b)).collect::<Vec<_>>());
    sees_bgr(Cell::from_mut(&mut vec.clone()[..]));
    sees_bgr(RefCell::new(BGR));
    sees_bgr(Mutex::new(vec.clone()));
    sees_bgr(RwLock::new(&mut vec));
    sees_bgr(Mutex::new(Box::new(BGR)));
    sees_bgr(Arc::new(RwLock::new(vec.clone())));
    sees_bgr(Box::new(BGR) as Box<dyn PixelSource + Send + Sync>);
    sees_bgr(Arc::new(BGR) as Arc<dyn PixelSource + Send + Sync>);
    sees_bgr(&BGR as &dyn PixelSource);
    sees_bgr(&&&BGR);

    assert_eq!(
        writes(BGR)[1],
        Bgr {
            b: 40,
            g: 50,
            r: 60
        }
    );
    assert_eq!(writes(bytes.clone())[3..6], [40, 50, 60]);
    assert_eq!(writes(&mut vec)[1].r, 60);
    assert_eq!(writes(&mut vec[..])[1].r, 60);
    assert_eq!(writes(Box::new(BGR))[1].r, 60);
    writes(Cell::from_mut(&mut vec[..]) as &Cell<[Bgr]>);
    assert_eq!(writes(&BGR.map(Cell::new)[..])[1].get().r, 60);
    assert_eq!(writes(Rc::new(BGR.map(Cell::new)))[1].get().r, 60);
    assert_eq!(writes(RefCell::new(BGR)).into_inner()[1].r, 60);
    assert_eq!(writes(Rc::new(RefCell::new(BGR))).borrow()[1].r, 60);
    assert_eq!(writes(&Mutex::new(BGR)).lock().unwrap()[1].r, 60);
    assert_eq!(writes(Arc::new(RwLock::new(BGR))).read().unwrap()[1].r, 60);
    let atomics: Vec<AtomicU8> = bytes.iter().map(|&b| AtomicU8::new(b)).collect();
    writes(&atomics);
    assert_eq!(atomics[3].load(Relaxed), 40);
    writes(Box::new(&mut vec) as Box<dyn PixelSourceMut + '_>);

    let shades = [Shade::Dark, Shade::Light];
    let image = Image::from_buffer(shades, 2, 1, PixelFormat::GRAY8).unwrap();
    assert_eq!(*image.pixels().unwrap().row(0).unwrap(), [10, 200]);
}

/// Writing a part of an element leaves the rest of it as it is.
#[test]
fn parts_of_elements() {
    let atomics = [0xffff_ffff_u32.to_ne_bytes(); 4].map(|b| AtomicU32::new(u32::from_ne_bytes(b)));
    let layout = Layout::packed(3, 1, PixelFormat::GRAY8)
        .with_offset(3)
        .with_pixel_stride(5);
    let mut image = Image::with_layout(&atomics, layout).unwrap();
    image.pixels_mut().unwrap().put_row(0, &[1, 2, 3]).unwrap();
    let bytes: Vec<u8> = atomics
        .iter()
        .flat_map(|a| a.load(Relaxed).to_ne_bytes())
        .collect();
    let mut expected = [255; 16];
    (expected[3], expected[8], expected[13]) = (1, 2, 3);
    assert_eq!(bytes, expected);

    let cells: Vec<Cell<u32>> = vec![Cell::new(0); 4];
    let layout = Layout::packed(11, 1, PixelFormat::GRAY8).with_offset(3);
    let mut image = Image::with_layout(&cells, layout).unwrap();
    let row: Vec<u8> = (1..=11).collect();
    image.pixels_mut().unwrap().put_row(0, &row).unwrap();
    let bytes: Vec<u8> = cells.iter().flat_map(|c| c.get().to_ne_bytes()).collect();
    assert_eq!(bytes, [0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 0, 0]);
    assert_eq!(*image.pixels().unwrap().row(0).unwrap(), row);
}

/// Neighbours that share an atomic element don't lose each other's edits.
#[test]
fn parts_of_atomics_between_threads() {
    let atomics: Vec<AtomicU32> = (0..8).map(|_| AtomicU32::new(0)).collect();
    let rounds = if cfg!(miri) { 20 } else { 20_000 };
    std::thread::scope(|scope| {
        for lane in 0..4 {
            let atomics = &atomics;
            scope.spawn(move || {
                let layout = Layout::packed(8, 1, PixelFormat::GRAY8)
                    .with_offset(lane)
                    .with_pixel_stride(4);
                let mut image = Image::with_layout(atomics, layout).unwrap();
                for round in 0..=rounds {
                    let value = if round == rounds {
                        lane as u8 + 1
                    } else {
                        round as u8
                    };
                    image
                        .pixels_mut()
                        .unwrap()
                        .fill([u16::from(value)])
                        .unwrap();
                    let row = image.pixels().unwrap().row(0).unwrap().into_owned();
                    assert_eq!(row, [value; 8], "another thread's edit undid ours");
                }
            });
        }
    });
    for atomic in &atomics {
        assert_eq!(atomic.load(Relaxed).to_ne_bytes(), [1, 2, 3, 4]);
    }
}

/// Nor do pixels that share a byte, in elements of one byte or of more.
#[test]
fn bits_of_atomics_between_threads() {
    fn run(atomics: &(dyn SharedPixelSource + Sync)) -> Vec<u8> {
        let rounds = if cfg!(miri) { 3 } else { 10_000 };
        std::thread::scope(|scope| {
            for lane in 0..4 {
                scope.spawn(move || {
                    let layout = Layout::packed(4, 8, PixelFormat::INDEXED2);
                    let image = Image::with_layout(atomics, layout).unwrap();
                    let mut column = image.crop(lane, 0, 1, 8).unwrap();
                    for round in 0..=rounds {
                        let value = if round == rounds { 3 - lane } else { round % 4 } as u16;
                        column.pixels_mut().unwrap().fill([value]).unwrap();
                        for y in 0..8 {
                            let pixel = column.pixels().unwrap().get(0, y).unwrap();
                            assert_eq!(pixel, [value], "another thread's edit undid ours");
                        }
                    }
                });
            }
        });
        let image = Image::from_buffer(atomics, 8, 1, PixelFormat::GRAY8).unwrap();
        image.to_vec().unwrap()
    }
    let bytes: Vec<AtomicU8> = (0..8).map(|_| AtomicU8::new(0)).collect();
    assert_eq!(run(&bytes), [0b1110_0100; 8]);
    let words: Vec<AtomicU32> = (0..2).map(|_| AtomicU32::new(0)).collect();
    assert_eq!(run(&words), [0b1110_0100; 8]);
}

/// A source of the caller's own need not know of bits.
#[test]
fn bits_of_sources_that_know_none() {
    struct Device(RefCell<Vec<u8>>);

    impl PixelSource for Device {
        fn lease(&self) -> Result<Lease<'_>, SourceError> {
            Ok(Lease::live(self))
        }
    }

    impl PixelSourceMut for Device {
        fn lease_mut(&mut self) -> Result<LeaseMut<'_>, SourceError> {
            Ok(LeaseMut::live(&*self))
        }
    }

    impl LiveBytes for &Device {
        fn len(&self) -> usize {
            self.0.borrow().len()
        }

        fn element_size(&self) -> usize {
            1
        }

        fn copy_to(&self, offset: usize, to: &mut [u8]) -> Result<(), SourceError> {
            assert!(!to.is_empty());
            to.copy_from_slice(&self.0.borrow()[offset..offset + to.len()]);
            Ok(())
        }
    }

    impl LiveBytesMut for &Device {
        fn copy_from(&mut self, offset: usize, from: &[u8]) -> Result<(), SourceError> {
            assert!(!from.is_empty());
            self.0.borrow_mut()[offset..offset + from.len()].copy_from_slice(from);
            Ok(())
        }
    }

    let device = Device(RefCell::new(vec![0b1010_1010; 4]));
    let image = Image::from_buffer(device, 32, 1, PixelFormat::GRAY1LSB).unwrap();
    let mut image = image.crop(3, 0, 20, 1).unwrap();
    image.pixels_mut().unwrap().fill([1]).unwrap();
    image.pixels_mut().unwrap().put(6, 0, [0]).unwrap();
    let bytes = image.into_source().0.into_inner();
    assert_eq!(bytes, [0b1111_1010, 0b1111_1101, 0b1111_1111, 0b1010_1010]);
}

#[test]
fn elements_that_cannot_hold_the_format() {
    #[track_caller]
    fn refused<S: PixelSource>(source: S, format: PixelFormat) -> Error {
        let error = Image::from_buffer(source, 1, 1, format).unwrap_err();
        assert!(
            matches!(
                error.kind(),
                ErrorKind::ElementMismatch { .. } | ErrorKind::TornSample { .. }
            ),
            "{error}"
        );
        error
    }
    assert_eq!(
        refused([0u16; 64], PixelFormat::RGB8).to_string(),
        "RGB8 has units of 3 bytes, which elements of 2 bytes cannot hold: give the buffer as bytes, such as vec![0u8; n]",
    );
    refused([0u32; 64], PixelFormat::BGR8);
    refused([0f32; 64], PixelFormat::RGB16);
    refused([[0u8; 3]; 64], PixelFormat::RGBA8);
    refused([const { Cell::new([0u8; 5]) }; 9], PixelFormat::GRAY16);
    refused(Mutex::new([0u32; 64]), PixelFormat::RGB8);
    let atomics = || (0..64).map(|_| AtomicU8::new(0)).collect::<Vec<_>>();
    assert_eq!(
        refused(atomics(), PixelFormat::GRAY16).to_string(),
        "samples of GRAY16 have 2 bytes and would be torn between atomic elements of 1 bytes: use larger atomics",
    );
    refused(atomics(), PixelFormat::RGBA16BE);
    let layout = Layout::packed(1, 1, PixelFormat::GRAY16).with_offset(1);
    let atomics = [const { AtomicU16::new(0) }; 64];
    let error = Image::with_layout(&atomics, layout).unwrap_err();
    assert_eq!(
        error.to_string(),
        "offset and strides of GRAY16 over elements of 2 bytes must be multiples of 2 bytes",
    );
    // Words and samples cut out of the middle of typed elements.
    let words = [0u32; 64];
    for layout in [
        Layout::packed(2, 2, PixelFormat::XRGB8888).with_offset(2),
        Layout::packed(2, 2, PixelFormat::XRGB8888).with_row_stride(10),
        Layout::packed(2, 2, PixelFormat::RGBA16).with_row_stride(17),
        Layout::packed(2, 2, PixelFormat::GRAY16).with_pixel_stride(3),
    ] {
        let error = Image::with_layout(&words, layout).unwrap_err();
        assert!(
            matches!(error.kind(), ErrorKind::Misaligned { .. }),
            "{error}"
        );
        let bytes: &[u8] = bytemuck::cast_slice(&words);
        Image::with_layout(bytes, layout.allow_overlap()).unwrap();
    }
    let atomics = [const { AtomicU32::new(0) }; 64];
    refused(&atomics, PixelFormat::RGB8);
    // Words that two elements would share.
    let atomics = [const { AtomicU8::new(0) }; 64];
    refused(&atomics, PixelFormat::RGB565LE);
    refused(&atomics, PixelFormat::GRAY_F32);
    let atomics = [const { AtomicU16::new(0) }; 64];
    refused(&atomics, PixelFormat::ARGB2101010);

    // And those that can.
    for format in [
        PixelFormat::RGBA16,
        PixelFormat::GRAY16,
        PixelFormat::XRGB8888,
    ] {
        Image::with_layout(&atomics, Layout::packed(1, 1, format)).unwrap();
    }
    Image::from_buffer([0u16; 3], 1, 1, PixelFormat::RGB16).unwrap();
    Image::from_buffer([0u8; 6], 1, 1, PixelFormat::RGB16).unwrap();
    Image::from_buffer([[0u16; 3]; 3], 1, 3, PixelFormat::RGB16).unwrap();
    // Elements without a size hold nothing.
    refused([[0u8; 0]; 64], PixelFormat::GRAY8);
}

fn source_error<T: std::fmt::Debug>(result: Result<T, Error>) -> SourceError {
    use std::error::Error as _;
    let error = result.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Source(_)), "{error}");
    let beneath = error.source().unwrap().downcast_ref::<SourceError>();
    match beneath.unwrap() {
        SourceError::Poisoned => SourceError::Poisoned,
        SourceError::Borrowed => SourceError::Borrowed,
        &SourceError::Changed {
            expected,
            found,
            expected_element,
            found_element,
        } => SourceError::Changed {
            expected,
            found,
            expected_element,
            found_element,
        },
        SourceError::Other(error) => SourceError::other(error.to_string()),
        other => panic!("{other}"),
    }
}

#[test]
fn a_changed_length() {
    let mut image = Image::from_buffer(vec![0u8; 16], 4, 4, PixelFormat::GRAY8).unwrap();
    for len in [0, 15, 17, 1000] {
        image.source_mut().resize(len, 0);
        for error in [
            source_error(image.pixels().map(drop)),
            source_error(image.pixels_mut().map(drop)),
            source_error(image.to_vec().map(drop)),
            source_error(image.to_png().map(drop)),
            source_error(image.view().crop(0, 0, 1, 1).unwrap().to_png().map(drop)),
        ] {
            assert!(
                matches!(error, SourceError::Changed { expected: 16, found, .. } if found == len),
                "{error}"
            );
        }
    }
    image.source_mut().resize(16, 0);
    image.to_png().unwrap();

    let shared = Arc::new(RwLock::new(vec![0u16; 16]));
    let image = Image::from_buffer(shared.clone(), 4, 4, PixelFormat::GRAY16).unwrap();
    shared.write().unwrap().clear();
    assert!(matches!(
        source_error(image.to_png()),
        SourceError::Changed { found: 0, .. }
    ));
}

#[test]
fn locks_that_cannot_be_had() {
    let cell = RefCell::new(vec![0u8; 4]);
    let mut image = Image::from_buffer(&cell, 2, 2, PixelFormat::GRAY8).unwrap();
    {
        let _held = cell.borrow_mut();
        assert!(matches!(
            source_error(image.pixels()),
            SourceError::Borrowed
        ));
        assert!(matches!(
            source_error(image.to_png()),
            SourceError::Borrowed
        ));
        let made = Image::from_buffer(&cell, 2, 2, PixelFormat::GRAY8);
        assert_eq!(
            made.unwrap_err().to_string(),
            "the pixel source failed: the RefCell is already borrowed: drop that borrow first"
        );
    }
    {
        let _held = cell.borrow();
        image.to_png().unwrap();
        assert!(matches!(
            source_error(image.pixels_mut()),
            SourceError::Borrowed
        ));
    }
    image.pixels_mut().unwrap();

    let mutex = Arc::new(Mutex::new(vec![0u8; 4]));
    let lock = Arc::new(RwLock::new(vec![0u8; 4]));
    let mut locked = Image::from_buffer(mutex.clone(), 2, 2, PixelFormat::GRAY8).unwrap();
    let mut shared = Image::from_buffer(lock.clone(), 2, 2, PixelFormat::GRAY8).unwrap();
    let panicking = std::thread::spawn(move || {
        let _held = (mutex.lock().unwrap(), lock.write().unwrap());
        std::panic::resume_unwind(Box::new("poison"));
    });
    panicking.join().unwrap_err();
    assert!(matches!(
        source_error(locked.pixels()),
        SourceError::Poisoned
    ));
    assert!(matches!(
        source_error(locked.pixels_mut()),
        SourceError::Poisoned
    ));
    assert!(matches!(
        source_error(shared.to_png()),
        SourceError::Poisoned
    ));
    assert!(matches!(
        source_error(shared.pixels_mut()),
        SourceError::Poisoned
    ));
}

/// A source that says `Ok` and fills nothing: its bytes are zeros, never those
/// of a picture that the encoder or the caller's buffer had before.
#[test]
#[cfg_attr(miri, ignore = "slow, and nothing of memory in it")]
fn sources_that_fill_nothing() {
    struct Lazy {
        len: usize,
        atomic: bool,
    }
    impl LiveBytes for &Lazy {
        fn len(&self) -> usize {
            self.len
        }
        fn element_size(&self) -> usize {
            1
        }
        fn is_atomic(&self) -> bool {
            self.atomic
        }
        fn copy_to(&self, _: usize, _: &mut [u8]) -> Result<(), SourceError> {
            Ok(())
        }
    }
    impl LiveBytesMut for &Lazy {
        fn copy_from(&mut self, _: usize, _: &[u8]) -> Result<(), SourceError> {
            Ok(())
        }
    }
    impl PixelSource for Lazy {
        fn lease(&self) -> Result<Lease<'_>, SourceError> {
            Ok(Lease::live(self))
        }
    }
    impl PixelSourceMut for Lazy {
        fn lease_mut(&mut self) -> Result<LeaseMut<'_>, SourceError> {
            Ok(LeaseMut::live(&*self))
        }
    }

    /// The first is as it is, the second mirrored, the third turned.
    fn image<S: PixelSource>(which: usize, source: S, layout: Layout) -> Image<S> {
        let image = Image::with_layout(source, layout).unwrap();
        let image = match which {
            1 => image.flip_horizontal(),
            2 => image.transpose(),
            _ => image,
        };
        common::Definition::of(image.format()).with_palette(image)
    }

    let (width, height) = (1500, 9);
    let modes = [
        Compression::Stored,
        Compression::Fast,
        Compression::Small,
        Compression::Best,
    ];
    for (i, definition) in common::DEFINITIONS.iter().enumerate() {
        let format = definition.format;
        let packed = Layout::packed(width, height, format);
        let pixel = (format.bits_per_pixel() / 8) as isize;
        let mut layouts = vec![packed, packed, Layout::packed(height, width, format)];
        if pixel > 0 {
            let row = 3 * definition.row_size(width as usize) as isize;
            let apart = packed.with_pixel_stride(3 * pixel);
            layouts.push(apart.with_row_stride(row));
        }
        if definition.is_planar() {
            layouts.push(Layout::planar(width, height, format));
        }
        for (j, layout) in layouts.into_iter().enumerate() {
            let len = 3 * definition.row_size(width as usize) * height as usize + 4096;
            let noise = common::noise(len, 1);
            let before = image(j, noise, layout);
            let zeros = image(j, vec![0u8; len], layout);
            let mut lazy = image(j, Lazy { len, atomic: false }, layout);
            let mode = modes[(i + j) % 4];
            for (threads, reduce) in [(1, false), (2, false), (1, true)] {
                let name = format!("{layout:?}, {mode:?}, {threads} threads, {reduce}");
                let encoder = || {
                    let encoder = PngEncoder::new().compression(mode);
                    encoder.threads(threads).reduce(reduce)
                };
                let mut used = encoder();
                // Noise that names colours which the palette doesn't have.
                let _ = used.to_png(&before);
                let expected = encoder().to_png(&zeros).unwrap();
                assert!(used.to_png(&lazy).unwrap() == expected, "{name}");
            }
            // Into memory of the caller's.
            let row_size = definition.row_size(width as usize);
            let mut to = vec![0xee; row_size * height as usize];
            lazy.copy_to(&mut to).unwrap();
            assert!(to == zeros.to_vec().unwrap(), "{layout:?}");
            to.fill(0xee);
            let row = &mut to[..row_size];
            lazy.pixels().unwrap().copy_row(3, row).unwrap();
            assert!(
                row == &*zeros.pixels().unwrap().row(3).unwrap(),
                "{layout:?}"
            );
            if let Ok(pixels) = lazy.pixels_mut() {
                let row = pixels.row(3).unwrap();
                assert!(row == zeros.pixels().unwrap().row(3).unwrap(), "{layout:?}");
            }
        }
    }

    // Through the lease itself.
    let lazy = Lazy {
        len: 64,
        atomic: true,
    };
    let mut to = [0xee; 8];
    lazy.lease().unwrap().copy_to(3, &mut to).unwrap();
    assert_eq!(to, [0; 8]);
    let lease = LeaseMut::live(&lazy);
    to.fill(0xee);
    lease.copy_to(3, &mut to).unwrap();
    assert_eq!(to, [0; 8]);
}

/// Sources that lie about their length, or fail on the way.
#[test]
#[cfg_attr(miri, ignore = "slow, and nothing of memory in it")]
fn liars() {
    /// Says one length and has another; fails from some byte on.
    struct Liar {
        says: Cell<usize>,
        element: Cell<usize>,
        fails_at: usize,
    }
    impl LiveBytes for &Liar {
        fn len(&self) -> usize {
            self.says.get()
        }
        fn element_size(&self) -> usize {
            self.element.get()
        }
        fn copy_to(&self, offset: usize, to: &mut [u8]) -> Result<(), SourceError> {
            if offset + to.len() > self.fails_at {
                return Err(SourceError::other("the mapping is gone"));
            }
            to.fill(1);
            Ok(())
        }
    }
    impl LiveBytesMut for &Liar {
        fn copy_from(&mut self, offset: usize, from: &[u8]) -> Result<(), SourceError> {
            self.copy_to(offset, &mut from.to_vec())
        }
    }
    impl PixelSource for Liar {
        fn lease(&self) -> Result<Lease<'_>, SourceError> {
            Ok(Lease::live(self))
        }
    }
    impl PixelSourceMut for Liar {
        fn lease_mut(&mut self) -> Result<LeaseMut<'_>, SourceError> {
            Ok(LeaseMut::live(&*self))
        }
    }

    let liar = Liar {
        says: Cell::new(64),
        element: Cell::new(1),
        fails_at: 40,
    };
    let mut image = Image::from_buffer(liar, 8, 8, PixelFormat::GRAY8).unwrap();
    let error = image.to_png().unwrap_err();
    assert_eq!(error.row(), Some(5));
    assert_eq!(
        format!("{error:#}"),
        "row 5: the pixel source failed: it reports an error of its own: the mapping is gone",
    );
    assert_eq!(image.to_vec().unwrap_err().row(), Some(5));
    assert_eq!(
        image.pixels_mut().unwrap().fill([0]).unwrap_err().row(),
        Some(5)
    );
    assert!(image.pixels().unwrap().get(0, 4).is_ok());
    assert!(image.pixels().unwrap().get(0, 5).is_err());

    let pixels = image.pixels().unwrap();
    for (len, element) in [(0, 1), (usize::MAX, 1), (64, 0), (64, usize::MAX), (63, 1)] {
        image.source().says.set(len);
        image.source().element.set(element);
        assert!(pixels.get(0, 0).is_err());
        assert!(image.pixels().is_err());
        assert!(image.to_png().is_err());
        assert!(pixels.row(0).is_err());
    }

    /// Behind a lock, and another buffer at every look.
    struct Shifting(Cell<u32>, [u8; 64]);
    impl PlainBuffer for Shifting {
        type Element = u8;
        fn as_elements(&self) -> &[u8] {
            self.0.set(self.0.get() + 1);
            &self.1[..if self.0.get() % 2 == 1 { 64 } else { 3 }]
        }
    }
    struct Owner(Shifting);
    struct Guard<'a>(&'a Shifting);
    impl Deref for Guard<'_> {
        type Target = Shifting;
        fn deref(&self) -> &Shifting {
            self.0
        }
    }
    impl PixelSource for Owner {
        fn lease(&self) -> Result<Lease<'_>, SourceError> {
            Ok(Lease::guard(Guard(&self.0)))
        }
    }
    let image = Image::from_buffer(
        Owner(Shifting(Cell::new(0), [0; 64])),
        8,
        8,
        PixelFormat::GRAY8,
    )
    .unwrap();
    for _ in 0..20 {
        // Whatever it says: an error or a result, never a panic.
        if let Ok(png) = image.to_png() {
            assert_eq!(common::decode(&png).samples, [0; 64]);
        }
        let _ = image.to_vec();
        if let Ok(pixels) = image.pixels() {
            let _ = pixels.row(7);
            let _ = pixels.get(7, 7);
        }
    }
}

/// Claims of lengths that no memory has, with layouts to match.
#[test]
fn impossible_lengths() {
    struct Endless;
    impl LiveBytes for Endless {
        fn len(&self) -> usize {
            usize::MAX
        }
        fn element_size(&self) -> usize {
            1
        }
        fn copy_to(&self, _: usize, to: &mut [u8]) -> Result<(), SourceError> {
            to.fill(0);
            Ok(())
        }
    }
    impl PixelSource for Endless {
        fn lease(&self) -> Result<Lease<'_>, SourceError> {
            Ok(Lease::live(Endless))
        }
    }
    const MAX: isize = isize::MAX;
    let gray = |w, h| Layout::packed(w, h, PixelFormat::GRAY8);
    for layout in [
        gray(1, 2).with_offset(MAX as usize).with_row_stride(1),
        gray(1, 3).with_row_stride(MAX),
        gray(3, 1).with_pixel_stride(MAX),
        gray(1, 2)
            .with_offset(1 << (usize::BITS - 1))
            .with_row_stride(isize::MIN),
        Layout::packed(1, 1, PixelFormat::RGB8).with_plane_stride(MAX),
    ] {
        let error = Image::with_layout(Endless, layout).unwrap_err();
        assert!(
            matches!(error.kind(), ErrorKind::BufferTooSmall { .. }),
            "{error}"
        );
    }
    // The largest that could be.
    let layout = gray(1, 2).with_row_stride(MAX - 1);
    let image = Image::with_layout(Endless, layout).unwrap();
    image.view().flip_vertical().to_png().unwrap();
    image
        .flip_vertical()
        .transpose()
        .flip_horizontal()
        .to_png()
        .unwrap();
}

/// Atomic elements of a size that no sample divides.
#[test]
fn odd_atomics() {
    struct Odd;
    impl LiveBytes for Odd {
        fn len(&self) -> usize {
            300
        }
        fn element_size(&self) -> usize {
            3
        }
        fn is_atomic(&self) -> bool {
            true
        }
        fn copy_to(&self, _: usize, _: &mut [u8]) -> Result<(), SourceError> {
            unreachable!("refused before")
        }
    }
    impl PixelSource for Odd {
        fn lease(&self) -> Result<Lease<'_>, SourceError> {
            Ok(Lease::live(Odd))
        }
    }
    Image::from_buffer(Odd, 10, 10, PixelFormat::RGB8).unwrap();
    let error = Image::from_buffer(Odd, 5, 10, PixelFormat::RGB16).unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::TornSample { .. }),
        "{error}"
    );
}

/// A guard whose two sides don't agree: nothing is written.
#[test]
fn a_two_faced_guard() {
    struct TwoFaced {
        front: Vec<u8>,
        back: Vec<u8>,
    }
    impl Deref for TwoFaced {
        type Target = Vec<u8>;
        fn deref(&self) -> &Vec<u8> {
            &self.front
        }
    }
    impl std::ops::DerefMut for TwoFaced {
        fn deref_mut(&mut self) -> &mut Vec<u8> {
            &mut self.back
        }
    }
    struct Owner(TwoFaced);
    impl PixelSource for Owner {
        fn lease(&self) -> Result<Lease<'_>, SourceError> {
            Ok(Lease::guard(&*self.0))
        }
    }
    impl PixelSourceMut for Owner {
        fn lease_mut(&mut self) -> Result<LeaseMut<'_>, SourceError> {
            Ok(LeaseMut::guard(&mut self.0))
        }
    }
    // `&mut TwoFaced` derefs to `TwoFaced`, which must be a plain buffer.
    impl PlainBuffer for TwoFaced {
        type Element = u8;
        fn as_elements(&self) -> &[u8] {
            self
        }
    }
    impl pixview::source::PlainBufferMut for TwoFaced {
        fn as_elements_mut(&mut self) -> &mut [u8] {
            self
        }
    }
    for len in [10, 90] {
        let owner = Owner(TwoFaced {
            front: vec![0; 64],
            back: vec![0; len],
        });
        let mut image = Image::from_buffer(owner, 8, 8, PixelFormat::GRAY8).unwrap();
        let error = source_error(image.pixels_mut().unwrap().fill([1]));
        assert!(
            matches!(error, SourceError::Changed { found, .. } if found == len),
            "{error}"
        );
        assert_eq!(image.source().0.back, vec![0; len]);
    }
}

/// An owner of another crate that can only be read.
#[derive(Clone)]
struct Bytes<T = u8>(Vec<T>);

impl<T> Deref for Bytes<T> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        &self.0
    }
}

/// One that can be written.
struct BytesMut<T = u8>(Vec<T>);

impl<T> Deref for BytesMut<T> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<T> DerefMut for BytesMut<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.0
    }
}

/// A lock of another crate, which poisons nothing.
struct Lock<T>(Mutex<T>);

impl<T> Lock<T> {
    fn new(value: T) -> Self {
        Lock(Mutex::new(value))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Types of other crates, by value, behind locks, and behind pointers.
#[test]
fn owners_of_other_crates() {
    let bytes: Vec<u8> = (1..=12).collect();
    sees_bgr(Owner(Bytes(bytes.clone())));
    sees_bgr(Owner(BytesMut(bytes.clone())));
    sees_bgr(Owner(Bytes(BGR.to_vec())));
    sees_bgr(Arc::new(Mutex::new(Owner(BytesMut(bytes.clone())))));
    sees_bgr(RwLock::new(Owner(Bytes(BGR.to_vec()))));
    sees_bgr(RefCell::new(Owner(Bytes(bytes.clone()))));
    sees_bgr(Owner(Bytes(BGR.map(Cell::new).to_vec())));
    sees_bgr(Box::new(Owner(Bytes(bytes.clone()))) as Box<dyn PixelSource + Send + Sync>);
    // A guard that is held, and a pointer of another crate to any source.
    let lock = Lock::new(bytes.clone());
    sees_bgr(Owner(lock.lock()));
    sees_bgr(Owner(Box::new(Mutex::new(bytes.clone()))));
    sees_bgr(from_fn(|| lock.lock()));
    let lock = Lock::new(Owner(BytesMut(BGR.to_vec())));
    sees_bgr(from_fn(|| lock.lock()));
    // A source that owns the pointer to the lock.
    let lock = Arc::new(Lock::new(bytes.clone()));
    sees_bgr(from_shared(lock.clone(), |lock| {
        Ok(Lease::guard(lock.lock()))
    }));
    sees_bgr(Box::new(from_shared(lock, |lock| {
        Ok(Lease::guard(lock.lock()))
    })));
    let lock = Arc::new(Mutex::new(BytesMut(BGR.to_vec())));
    sees_bgr(from_shared(lock, |lock| {
        Ok(Lease::guard_map(lock.lock()?, |memory| &memory[..]))
    }));
    let cell = Rc::new(RefCell::new((7, Bytes(BGR.to_vec()))));
    sees_bgr(from_shared(cell, |cell| {
        Ok(Lease::guard_map(cell.try_borrow()?, |pair| &pair.1[..]))
    }));
    sees_bgr(from_shared(bytes.clone(), |bytes| Ok(Lease::slice(bytes))));

    assert_eq!(writes(Owner(BytesMut(bytes.clone())))[3..6], [40, 50, 60]);
    assert_eq!(writes(Owner(BytesMut(BGR.to_vec())))[1].r, 60);
    let mut owner = Owner(BytesMut(bytes.clone()));
    writes(&mut owner);
    assert_eq!(owner[3..6], [40, 50, 60]);
    let owner = Arc::new(Mutex::new(Owner(BytesMut(bytes.clone()))));
    writes(owner.clone());
    assert_eq!(owner.lock().unwrap()[3..6], [40, 50, 60]);
    let cells = Owner(Bytes(BGR.map(Cell::new).to_vec()));
    writes(&cells);
    assert_eq!(cells[1].get().r, 60);
    let lock = Lock::new(bytes.clone());
    writes(Owner(lock.lock()));
    assert_eq!(lock.lock()[3..6], [40, 50, 60]);
    let lock = Lock::new(bytes);
    writes(&from_fn(|| lock.lock()));
    writes(from_fn(|| lock.lock()));
    assert_eq!(lock.lock()[3..6], [40, 50, 60]);
}

/// An access reads the memory of the owner itself, and asks for it anew.
#[test]
fn owners_are_read_in_place() {
    #[track_caller]
    fn in_place(source: &impl PixelSource, memory: *const u8) {
        let lease = source.lease().unwrap();
        assert_eq!(lease.as_slice().unwrap().as_ptr(), memory);
    }
    let bytes = Bytes(vec![7; 64]);
    let memory = bytes.as_ptr();
    let mut image = Image::from_buffer(Owner(bytes), 8, 8, PixelFormat::GRAY8).unwrap();
    in_place(image.source(), memory);
    assert_eq!(*image.pixels().unwrap().row(0).unwrap(), [7; 8]);
    // The owner is still of its own type, and may move to other memory.
    *image.source_mut() = Owner(Bytes(vec![8; 64]));
    in_place(image.source(), image.source().as_ptr());
    assert_eq!(*image.pixels().unwrap().row(0).unwrap(), [8; 8]);
    for len in [65, 63] {
        image.source_mut().0.0.resize(len, 0);
        let error = source_error(image.to_png());
        assert!(matches!(error, SourceError::Changed { found, .. } if found == len));
    }
    image.source_mut().0.0.resize(64, 0);
    image.to_png().unwrap();

    let words = BytesMut(vec![0u16; 64]);
    let memory: *const u8 = words.as_ptr().cast();
    let mut image = Image::from_buffer(Owner(words), 8, 8, PixelFormat::RGB565).unwrap();
    in_place(image.source(), memory);
    let mut lease = image.source_mut().lease_mut().unwrap();
    assert_eq!(lease.as_mut_slice().unwrap().as_ptr(), memory);
    drop(lease);

    let shared = Arc::new(Mutex::new(Owner(BytesMut(vec![0u8; 64]))));
    let memory = shared.lock().unwrap().as_ptr();
    let image = Image::from_buffer(shared.clone(), 8, 8, PixelFormat::GRAY8).unwrap();
    in_place(image.source(), memory);
    shared.lock().unwrap()[63] = 9;
    assert_eq!(image.pixels().unwrap().get(7, 7).unwrap(), [9]);

    let lock = Lock::new(vec![0u8; 64]);
    let memory = lock.lock().as_ptr();
    let image = Image::from_buffer(from_fn(|| lock.lock()), 8, 8, PixelFormat::GRAY8).unwrap();
    in_place(image.source(), memory);
    lock.lock().truncate(63);
    let error = source_error(image.to_png());
    assert!(matches!(error, SourceError::Changed { found: 63, .. }));
}

/// A source that owns an `Arc` of a lock around a type that neither derefs to an
/// owner nor can be changed: live, in place, in another thread.
#[test]
fn shared_locks_of_other_crates() {
    let shared = Arc::new(Mutex::new(BytesMut(vec![0u8; 64])));
    let memory = shared.lock().unwrap().as_ptr();
    let source = from_shared(shared.clone(), |shared| {
        Ok(Lease::guard_map(shared.lock()?, |memory| &memory[..]))
    });
    let image = Image::from_buffer(source, 8, 8, PixelFormat::GRAY8).unwrap();
    let lease = image.source().lease().unwrap();
    assert_eq!(lease.as_slice().unwrap().as_ptr(), memory);
    assert!(shared.try_lock().is_err(), "a lease holds the lock");
    drop(lease);
    shared.lock().unwrap()[63] = 9;
    assert_eq!(image.pixels().unwrap().get(7, 7).unwrap(), [9]);

    // No lock is held twice, nor are two held at once.
    let flipped = image.view().flip_vertical();
    assert_eq!(image.compare(&flipped).unwrap().unwrap().pixels, 2);

    // The image moves to another thread, and leaves its lock free there.
    let thread = std::thread::spawn(move || (image.to_vec().unwrap(), image));
    let (pixels, image) = thread.join().unwrap();
    assert_eq!((pixels[0], pixels[63]), (0, 9));
    shared.lock().unwrap()[0] = 5;
    assert_eq!(image.pixels().unwrap().get(0, 0).unwrap(), [5]);
    assert_eq!(
        format!("{:?}", image.source()),
        format!("FromShared({})", std::any::type_name_of_val(&shared))
    );

    // Errors of the lock are errors of the source.
    shared.lock().unwrap().0.truncate(63);
    let error = source_error(image.to_vec());
    assert!(matches!(error, SourceError::Changed { found: 63, .. }));
    let poisoning = shared.clone();
    let poisoned = std::thread::spawn(move || {
        let _guard = poisoning.lock().unwrap();
        std::panic::resume_unwind(Box::new("boo"));
    });
    assert!(poisoned.join().is_err());
    let error = source_error(image.to_vec());
    assert!(matches!(error, SourceError::Poisoned), "{error}");

    let cell = Rc::new(RefCell::new(vec![0u8; 64]));
    let source = from_shared(cell.clone(), |cell| Ok(Lease::guard(cell.try_borrow()?)));
    let image = Image::from_buffer(source, 8, 8, PixelFormat::GRAY8).unwrap();
    let held = cell.borrow_mut();
    assert!(matches!(
        source_error(image.to_vec()),
        SourceError::Borrowed
    ));
    drop(held);
    image.to_vec().unwrap();
}

/// One guard for each access: it is there until the access ends, and no two are
/// there at once.
#[test]
fn guards_of_other_crates() {
    struct Guard<'a>(&'a [u8], &'a Cell<[usize; 2]>);
    impl Deref for Guard<'_> {
        type Target = [u8];
        fn deref(&self) -> &[u8] {
            self.0
        }
    }
    impl Drop for Guard<'_> {
        fn drop(&mut self) {
            let [made, held] = self.1.get();
            self.1.set([made, held - 1]);
        }
    }
    let (memory, count) = ([5u8; 64], Cell::new([0, 0]));
    let source = from_fn(|| {
        let [made, held] = count.get();
        assert_eq!(held, 0, "two guards at once would deadlock");
        count.set([made + 1, 1]);
        Guard(&memory, &count)
    });
    let image = Image::from_buffer(source, 8, 8, PixelFormat::GRAY8).unwrap();
    assert_eq!(count.get(), [1, 0]);
    let pixels = image.pixels().unwrap();
    assert_eq!(count.get(), [2, 1]);
    drop(pixels);
    image.to_png().unwrap();
    assert_eq!(count.get(), [3, 0]);
    let flipped = image.view().flip_vertical();
    assert!(image.compare(&flipped).unwrap().is_none());
    assert_eq!(image.digest().unwrap(), flipped.digest().unwrap());
    assert_eq!(count.get()[1], 0);
}

#[test]
fn debug_prints_the_shape() {
    let image = Image::new(3, 2, PixelFormat::RGB8).unwrap();
    let text = format!("{image:?}");
    assert!(
        text.contains("alloc::vec::Vec<u8>") && text.contains("RGB8") && text.contains("width: 3"),
        "{text}"
    );
    assert!(!text.contains("0, 0"), "no pixels: {text}");
    let lease = image.source().lease().unwrap();
    assert_eq!(
        format!("{lease:?}"),
        "Lease { len: 18, element_size: 1, live: false }"
    );
    drop(lease);
    let mut image = image;
    assert!(
        format!("{:?}", image.pixels_mut().unwrap())
            .starts_with("PixelsMut { layout: Layout { width: 3, height: 2, format: RGB8")
    );
}
