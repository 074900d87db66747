//! Contracts 1 and 4: a panic in code of the caller's goes through, and leaves
//! the lock of the image neither poisoned nor held.

mod common;

use std::cell::RefCell;
use std::io::{self, Read, Write};
use std::ops::ControlFlow::Continue;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, RwLock};

use common::{decode, noise};
use pixview::source::{
    Lease, LeaseMut, LiveBytes, LiveBytesMut, PlainBuffer, PlainBufferMut, SharedPixelSource,
    SourceError, from_shared,
};
use pixview::{
    Compression, Image, PixelFormat, PixelSource, PixelSourceMut, PngDecoder, PngEncoder,
};

const WIDTH: u32 = 700;
const HEIGHT: u32 = 600;
const LEN: usize = 3 * (WIDTH * HEIGHT) as usize;
const FORMAT: PixelFormat = PixelFormat::BGR8;

const MODES: [Compression; 4] = [
    Compression::Stored,
    Compression::Fast,
    Compression::Small,
    Compression::Best,
];

/// The panic of the caller's, without the message that `panic!` prints.
fn boo() -> ! {
    resume_unwind(Box::new("boo"))
}

/// Whether `call` ended in the panic of the caller's, and not in another one.
fn panics<T>(call: impl FnOnce() -> T) -> bool {
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(_) => false,
        Err(panic) => *panic.downcast::<&str>().unwrap() == "boo",
    }
}

/// A buffer whose owner's code panics once, when it has been asked so often.
struct Grumpy {
    bytes: Vec<u8>,
    left: AtomicU32,
}

impl Grumpy {
    fn new() -> Self {
        Grumpy {
            bytes: noise(LEN, 1),
            left: AtomicU32::new(u32::MAX),
        }
    }

    fn look(&self) {
        if self.left.fetch_sub(1, Relaxed) == 0 {
            boo();
        }
    }
}

impl PlainBuffer for Grumpy {
    type Element = u8;

    fn as_elements(&self) -> &[u8] {
        self.look();
        &self.bytes
    }
}

impl PlainBufferMut for Grumpy {
    fn as_elements_mut(&mut self) -> &mut [u8] {
        self.look();
        &mut self.bytes
    }
}

/// What is behind a lock of each kind.
trait Guarded: SharedPixelSource + PixelSourceMut + Sized {
    fn new(buffer: Grumpy) -> Self;

    /// Whether it can be locked for writing, unpoisoned; then `look` at it.
    fn with<T>(&self, look: impl FnOnce(&mut Grumpy) -> T) -> Option<T>;
}

impl Guarded for Mutex<Grumpy> {
    fn new(buffer: Grumpy) -> Self {
        Mutex::new(buffer)
    }

    fn with<T>(&self, look: impl FnOnce(&mut Grumpy) -> T) -> Option<T> {
        self.try_lock().ok().map(|mut guard| look(&mut guard))
    }
}

impl Guarded for RwLock<Grumpy> {
    fn new(buffer: Grumpy) -> Self {
        RwLock::new(buffer)
    }

    fn with<T>(&self, look: impl FnOnce(&mut Grumpy) -> T) -> Option<T> {
        self.try_write().ok().map(|mut guard| look(&mut guard))
    }
}

impl Guarded for RefCell<Grumpy> {
    fn new(buffer: Grumpy) -> Self {
        RefCell::new(buffer)
    }

    fn with<T>(&self, look: impl FnOnce(&mut Grumpy) -> T) -> Option<T> {
        self.try_borrow_mut().ok().map(|mut guard| look(&mut guard))
    }
}

/// A writer that panics when it has got so many bytes.
struct Panicking(usize);

impl Write for Panicking {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.0.checked_sub(bytes.len()) {
            Some(left) => self.0 = left,
            None => boo(),
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A reader that panics when it has given so many bytes.
struct PanickingRead<'a>(&'a [u8], usize);

impl Read for PanickingRead<'_> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let count = to.len().min(self.1).min(1000);
        if count == 0 {
            boo();
        }
        self.1 -= count;
        self.0.read(&mut to[..count])
    }
}

fn encoders() -> impl Iterator<Item = PngEncoder> {
    MODES.into_iter().flat_map(|mode| {
        let encoder = move || PngEncoder::new().compression(mode);
        [
            encoder(),
            encoder().threads(3),
            encoder().reduce(true),
            encoder().threads(2).reduce(true),
            encoder().reuse_strips(1),
            encoder().threads(3).reuse_strips(2),
        ]
    })
}

/// A panic in a save, and in a re-save over a file: the strips that remain are
/// right.
fn check_re_saves<S: Guarded>() {
    let folder = common::folder();
    let path = folder.path().join("a.png");
    for threads in [1, 3] {
        let new = || PngEncoder::new().threads(threads).reuse_strips(1);
        let mut encoder = new();
        let image = Image::from_buffer(S::new(Grumpy::new()), WIDTH, HEIGHT, FORMAT).unwrap();
        let edit = |at: usize| {
            let edited = image.source().with(|buffer| buffer.bytes[at] ^= 0xff);
            assert!(edited.is_some(), "poisoned or held");
        };
        encoder.save_if_changed(&image, &path).unwrap();
        for (at, limit) in [
            (0, 100),
            (0, 500_000),
            (LEN / 2, 500_000),
            (LEN - 1, 900_000),
        ] {
            let old = std::fs::read(&path).unwrap();
            edit(at);
            assert!(panics(|| encoder.write(&image, Panicking(limit))));
            edit(LEN / 3);
            encoder = encoder.on_progress(move |progress| {
                if progress.rows as usize * 3 * WIDTH as usize >= limit {
                    boo();
                }
                Continue(())
            });
            assert!(panics(|| encoder.save_if_changed(&image, &path)));
            assert!(std::fs::read(&path).unwrap() == old);
            encoder = encoder.on_progress(|_| Continue(()));
            let expected = new().to_png(&image).unwrap();
            for _ in 0..2 {
                assert!(encoder.to_png(&image).unwrap() == expected);
            }
            encoder.save_if_changed(&image, &path).unwrap();
            assert!(std::fs::read(&path).unwrap() == expected);
        }
    }
}

fn check_saves<S: Guarded>() {
    check_re_saves::<S>();
    let image = Image::from_buffer(S::new(Grumpy::new()), WIDTH, HEIGHT, FORMAT).unwrap();
    let is_free = |image: &Image<S>| {
        let free = image.source().with(|_| ()).is_some();
        free && image.pixels().is_ok()
    };
    for mut encoder in encoders() {
        for limit in [0, 100, 400_000] {
            assert!(panics(|| encoder.write(&image, Panicking(limit))));
            assert!(is_free(&image), "a writer's panic, {encoder:?}");
        }
        let mut encoder = encoder.on_progress(|_| boo());
        assert!(panics(|| encoder.to_png(&image)));
        assert!(is_free(&image), "a progress function's panic, {encoder:?}");
        let mut encoder = encoder.on_progress(|_| Continue(()));
        let png = encoder.to_png(&image).unwrap();
        decode(&png);
        assert!(encoder.to_png(&image).unwrap() == png);
    }
    let folder = common::folder();
    let mut encoder = PngEncoder::new().on_progress(|_| boo());
    let path = folder.path().join("a.png");
    assert!(panics(|| encoder.save(&image, &path)));
    assert!(is_free(&image));
    assert_eq!(folder.path().read_dir().unwrap().count(), 0);

    // The source's own code, at each place that calls it.
    let arm = |image: &Image<S>, left| {
        let armed = image.source().with(|b| b.left.store(left, Relaxed));
        assert!(armed.is_some(), "poisoned or held");
    };
    for reduce in [false, true] {
        for left in 0.. {
            arm(&image, left);
            let mut encoder = PngEncoder::new().reduce(reduce);
            if !panics(|| encoder.to_png(&image)) {
                assert!(left > 0);
                break;
            }
            assert!(is_free(&image), "at call {left}");
        }
    }
    let reads: [&dyn Fn(); 3] = [
        &|| drop(image.pixels().unwrap()),
        &|| drop(image.to_vec().unwrap()),
        &|| drop(Image::from_buffer(image.source(), WIDTH, HEIGHT, FORMAT).unwrap()),
    ];
    for read in reads {
        arm(&image, 0);
        assert!(panics(read));
        assert!(is_free(&image));
    }
}

/// A lock that the caller shares with the image, and a function that returns the
/// slice of its guard.
#[test]
fn saves_poison_no_shared_lock() {
    let shared = Arc::new(Mutex::new(Grumpy::new()));
    let source = from_shared(shared.clone(), |shared| {
        Ok(Lease::guard_map(shared.lock()?, |grumpy| {
            grumpy.as_elements()
        }))
    });
    let image = Image::from_buffer(source, WIDTH, HEIGHT, FORMAT).unwrap();
    for mut encoder in encoders() {
        for limit in [0, 100, 400_000] {
            assert!(panics(|| encoder.write(&image, Panicking(limit))));
            assert!(shared.try_lock().is_ok(), "a writer's panic, {encoder:?}");
        }
    }
    for left in 0.. {
        shared.lock().unwrap().left.store(left, Relaxed);
        if !panics(|| image.to_png()) {
            assert!(left > 0);
            break;
        }
        assert!(shared.try_lock().is_ok(), "at call {left}");
    }
}

#[test]
fn saves_poison_no_mutex() {
    check_saves::<Mutex<Grumpy>>();
}

#[test]
fn saves_poison_no_rw_lock() {
    check_saves::<RwLock<Grumpy>>();
}

#[test]
fn saves_leave_no_ref_cell_borrowed() {
    check_saves::<RefCell<Grumpy>>();
}

/// An interlaced file, whose rows come at the end.
fn interlaced() -> Vec<u8> {
    let mut encoder = lodepng::Encoder::new();
    encoder.info_png_mut().interlace_method = 1;
    let pixels = noise(LEN, 2);
    let rgb = lodepng::ColorType::RGB;
    encoder.info_raw_mut().set_colortype(rgb);
    encoder
        .encode(&pixels, WIDTH as usize, HEIGHT as usize)
        .unwrap()
}

fn check_reads<S: Guarded>() {
    let decoder = PngDecoder::new();
    let pixels = noise(LEN, 2);
    let plain = Image::from_buffer(&pixels, WIDTH, HEIGHT, PixelFormat::RGB8).unwrap();
    let mut image = Image::from_buffer(S::new(Grumpy::new()), WIDTH, HEIGHT, FORMAT).unwrap();
    for png in [plain.to_png().unwrap(), interlaced()] {
        for limit in [png.len() / 2, png.len() - 20] {
            let reader = PanickingRead(&png, limit);
            let mut reader = decoder.open_reader(reader).unwrap();
            assert!(panics(|| reader.read_into(&mut image)));
            // The pixels are some of the old ones and some of the new.
            decode(&image.to_png().unwrap());
            let reader = PanickingRead(&png, limit);
            let mut reader = decoder.open_reader(reader).unwrap();
            assert!(panics(|| reader.next_frame(&mut image)));
            assert!(image.source().with(|_| ()).is_some());
        }
        let reader = PngDecoder::new().open_bytes(&png).unwrap();
        let mut reader = reader.on_progress(|_| boo());
        assert!(panics(|| reader.read_into(&mut image)));
        assert!(image.source().with(|_| ()).is_some());
        for left in 0.. {
            image.source().with(|b| b.left.store(left, Relaxed));
            let mut reader = PngDecoder::new().open_bytes(&png).unwrap();
            if !panics(|| reader.read_into(&mut image)) {
                assert!(left > 0);
                break;
            }
            assert!(image.source().with(|_| ()).is_some(), "at call {left}");
        }
        image.source().with(|b| b.left.store(u32::MAX, Relaxed));
        assert!(image.to_vec().is_ok());
    }
    image.source().with(|b| b.left.store(0, Relaxed));
    assert!(panics(|| drop(image.pixels_mut())));
    assert!(image.pixels_mut().is_ok());
}

#[test]
fn reads_poison_no_mutex() {
    check_reads::<Mutex<Grumpy>>();
}

#[test]
fn reads_poison_no_rw_lock() {
    check_reads::<RwLock<Grumpy>>();
}

#[test]
fn reads_leave_no_ref_cell_borrowed() {
    check_reads::<RefCell<Grumpy>>();
}

/// A source of the caller's own that holds a guard of its own, and panics when
/// bytes are copied.
struct Own(Mutex<Vec<u8>>);

struct OwnBytes<'a>(std::sync::MutexGuard<'a, Vec<u8>>, usize);

impl LiveBytes for OwnBytes<'_> {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn element_size(&self) -> usize {
        1
    }

    fn copy_to(&self, offset: usize, _: &mut [u8]) -> Result<(), SourceError> {
        if offset >= self.1 {
            boo();
        }
        Ok(())
    }
}

impl LiveBytesMut for OwnBytes<'_> {
    fn copy_from(&mut self, offset: usize, _: &[u8]) -> Result<(), SourceError> {
        self.copy_to(offset, &mut [])
    }
}

impl PixelSource for Own {
    fn lease(&self) -> Result<Lease<'_>, SourceError> {
        Ok(Lease::live(OwnBytes(self.0.lock().unwrap(), LEN / 2)))
    }
}

impl PixelSourceMut for Own {
    fn lease_mut(&mut self) -> Result<LeaseMut<'_>, SourceError> {
        Ok(LeaseMut::live(OwnBytes(self.0.lock().unwrap(), LEN / 2)))
    }
}

#[test]
fn sources_of_the_callers_own() {
    let source = Own(Mutex::new(vec![0; LEN]));
    let mut image = Image::from_buffer(source, WIDTH, HEIGHT, FORMAT).unwrap();
    for mut encoder in encoders() {
        assert!(panics(|| encoder.to_png(&image)));
        assert!(image.source().0.try_lock().is_ok(), "{encoder:?}");
    }
    assert!(panics(|| image.to_vec()));
    assert!(image.source().0.try_lock().is_ok());
    let png = interlaced();
    let mut reader = PngDecoder::new().open_bytes(&png).unwrap();
    assert!(panics(|| reader.read_into(&mut image)));
    assert!(image.source().0.try_lock().is_ok());
}
