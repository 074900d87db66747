//! Contract 9: an image is `Send` and `Sync` exactly when its source is, and
//! threads that share one don't get in each other's way.

mod common;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, Mutex, RwLock};
use std::thread;

use common::decode;
use pixview::source::{SeqLock, SeqLockWriteGuard};
use pixview::{
    Compression, Error, Image, Layout, PixelFormat, PixelSource, PixelSourceMut, PngDecoder,
    PngEncoder, PngReader,
};
use static_assertions::{assert_impl_all, assert_not_impl_any};

/// Whether this compiles is the test.
#[test]
fn who_may_go_where() {
    assert_impl_all!(Image<&[u8]>: Send, Sync, Clone);
    assert_impl_all!(Image<Vec<u16>>: Send, Sync, Clone);
    assert_impl_all!(Image<&mut [u8]>: Send, Sync);
    assert_impl_all!(Image<&[AtomicU32]>: Send, Sync, Clone);
    assert_impl_all!(Image<Arc<[AtomicU8]>>: Send, Sync, Clone);
    assert_impl_all!(Image<Arc<RwLock<Vec<u8>>>>: Send, Sync, Clone);
    assert_impl_all!(Image<Arc<Mutex<Vec<u8>>>>: Send, Sync, Clone);
    assert_impl_all!(Image<Arc<SeqLock<Vec<AtomicU32>>>>: Send, Sync, Clone);
    assert_impl_all!(Image<Box<dyn PixelSource + Send + Sync>>: Send, Sync);
    assert_impl_all!(Image<Vec<Cell<u8>>>: Send);
    assert_impl_all!(Image<RefCell<Vec<u8>>>: Send);

    assert_not_impl_any!(Image<&[Cell<u8>]>: Send, Sync);
    assert_not_impl_any!(Image<Vec<Cell<u8>>>: Sync);
    assert_not_impl_any!(Image<RefCell<Vec<u8>>>: Sync);
    assert_not_impl_any!(Image<Rc<[u8]>>: Send, Sync);
    assert_not_impl_any!(Image<Rc<RefCell<Vec<u8>>>>: Send, Sync);
    assert_not_impl_any!(Image<SeqLock<Vec<Cell<u8>>>>: Sync);
    assert_not_impl_any!(SeqLockWriteGuard<'static, Vec<AtomicU32>>: Send);
    assert_not_impl_any!(Image<Box<dyn PixelSource>>: Send, Sync);
    assert_not_impl_any!(Image<Box<dyn PixelSource + Send>>: Sync);
    assert_not_impl_any!(Image<&mut [u8]>: Clone);

    // Who may write is a matter of types too.
    assert_impl_all!(Vec<u8>: PixelSourceMut);
    assert_impl_all!(&mut [u8]: PixelSourceMut);
    assert_impl_all!(&[Cell<u8>]: PixelSourceMut);
    assert_impl_all!(Arc<[AtomicU8]>: PixelSourceMut);
    assert_impl_all!(Arc<RwLock<Vec<u8>>>: PixelSourceMut);
    assert_impl_all!(Arc<SeqLock<Vec<AtomicU32>>>: PixelSourceMut);
    assert_not_impl_any!(&[u8]: PixelSourceMut);
    assert_not_impl_any!(Arc<[u8]>: PixelSourceMut);
    assert_not_impl_any!(&Vec<u8>: PixelSourceMut);
    assert_not_impl_any!(std::borrow::Cow<'static, [u8]>: PixelSourceMut);

    // The encoder goes to other threads, errors go anywhere.
    assert_impl_all!(PngEncoder: Send, Sync, std::fmt::Debug);
    assert_impl_all!(PngReader<&[u8]>: Send, std::fmt::Debug);
    assert_impl_all!(Error: Send, Sync, std::error::Error);
}

/// Options live on the encoder: threads that save one image with different
/// options at once get what each would have got alone.
#[test]
fn many_savers_of_one_image() {
    let image = Image::from_buffer(common::noise(3 * 64 * 48, 5), 64, 48, PixelFormat::BGR8);
    let image = &image.unwrap();
    use Compression::{Best, Fast, Small, Stored};
    let alone: Vec<Vec<u8>> = [Stored, Fast, Small, Best]
        .map(|mode| PngEncoder::new().compression(mode).to_png(image).unwrap())
        .into();
    thread::scope(|scope| {
        for (mode, expected) in [Stored, Fast, Small, Best].into_iter().zip(&alone) {
            scope.spawn(move || {
                let mut encoder = PngEncoder::new().compression(mode);
                for _ in 0..20 {
                    assert!(encoder.to_png(image).unwrap() == *expected, "{mode:?}");
                }
            });
        }
    });
}

/// Behind a lock every file is of one moment: never two frames in one.
#[test]
fn no_torn_frames_behind_a_lock() {
    let (width, height) = (64u32, 64u32);
    let shared = Arc::new(RwLock::new(vec![0u8; (width * height) as usize]));
    let image = Image::from_buffer(shared.clone(), width, height, PixelFormat::GRAY8).unwrap();
    let stop = &AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(move || {
            for frame in (0..=255u8).cycle() {
                shared.write().unwrap().fill(frame);
                if stop.load(Relaxed) {
                    return;
                }
                thread::yield_now();
            }
        });
        let mut seen = std::collections::HashSet::new();
        // At least so often, and until the producer got to draw.
        let mut saves = 0;
        while saves < 200 || seen.len() < 2 {
            saves += 1;
            let decoded = decode(&image.to_png().unwrap());
            assert!(
                decoded.samples.iter().all(|&s| s == decoded.samples[0]),
                "a torn frame"
            );
            seen.insert(decoded.samples[0]);
        }
        stop.store(true, Relaxed);
    });
}

/// Over atomics a frame may be torn; a pixel never is, and every file is
/// valid.
#[test]
fn no_torn_pixels_in_atomics() {
    let (width, height) = (32u32, 32u32);
    let atomics: Arc<[AtomicU32]> = (0..width * height).map(|_| AtomicU32::new(0)).collect();
    let layout = Layout::packed(width, height, PixelFormat::ARGB8888);
    let image = Image::with_layout(atomics.clone(), layout).unwrap();
    let stop = &AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(move || {
            for frame in (0..=255u32).cycle() {
                let word = frame * 0x0101_0101;
                atomics
                    .iter()
                    .for_each(|atomic| atomic.store(word, Relaxed));
                if stop.load(Relaxed) {
                    return;
                }
            }
        });
        let mut seen = std::collections::HashSet::new();
        let mut saves = 0;
        while saves < 300 || seen.len() < 2 {
            saves += 1;
            let decoded = decode(&image.to_png().unwrap());
            for pixel in decoded.samples.chunks(4) {
                assert!(
                    pixel.iter().all(|&s| s == pixel[0]),
                    "a torn pixel: {pixel:?}"
                );
                seen.insert(pixel[0]);
            }
        }
        stop.store(true, Relaxed);
    });
}

/// In a process of its own, whose threads ask for more stack than there are
/// addresses.
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
#[test]
fn threads_that_cannot_be_started() {
    const STACK: &str = "RUST_MIN_STACK";
    const CHILD: &str = "PIXVIEW_TEST_NO_THREADS";
    if std::env::var_os(CHILD).is_some() {
        thread::Builder::new().spawn(|| ()).unwrap_err();
        let bytes = common::noise(1000 * 3000, 1);
        let image = Image::from_buffer(bytes, 1000, 3000, PixelFormat::GRAY8).unwrap();
        let png = image.to_png().unwrap();
        let folder = common::folder();
        let path = folder.path().join("image.png");
        for threads in [0, 2, 8] {
            let mut encoder = PngEncoder::new().threads(threads);
            encoder.save(&image, &path).unwrap();
            assert!(std::fs::read(&path).unwrap() == png);
            let mut reader = PngDecoder::new().threads(threads).open(&path).unwrap();
            assert!(reader.read().unwrap().source() == image.source());
        }
        return;
    }
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args([
            "threads_that_cannot_be_started",
            "--exact",
            "--test-threads=1",
        ])
        .env(STACK, (1_u64 << 60).to_string())
        .env(CHILD, "1")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && text.contains("1 passed"),
        "{text}"
    );
}

/// Eight threads save one image behind a lock with options of their own, and one of
/// them cancels. For a minute: `PIXVIEW_SECONDS=60`.
#[test]
fn eight_savers_of_one_lock() {
    use pixview::png::Consistency::{self, Hold, Rows, Snapshot};
    use std::ops::ControlFlow::{Break, Continue};
    use std::time::{Duration, Instant};

    let seconds = std::env::var("PIXVIEW_SECONDS");
    let seconds: f64 = seconds.map_or(0.5, |seconds| seconds.parse().unwrap());
    let end = Instant::now() + Duration::from_secs_f64(if cfg!(miri) { 0.0 } else { seconds });
    let (width, height) = if cfg!(miri) { (16, 16) } else { (600, 500) };
    let pixels = common::noise(4 * width as usize * height as usize, 5);
    let shared = Arc::new(RwLock::new(pixels));
    let image = Image::from_buffer(shared, width, height, PixelFormat::RGBA8).unwrap();
    let options: [(Compression, usize, bool, u32, Consistency); 8] = [
        (Compression::Stored, 1, false, 0, Hold),
        (Compression::Stored, 2, false, 0, Rows),
        (Compression::Fast, 1, false, 1, Snapshot),
        (Compression::Fast, 3, false, 0, Rows),
        (Compression::Fast, 1, true, 0, Hold),
        (Compression::Small, 1, false, 0, Snapshot),
        (Compression::Small, 2, true, 2, Rows),
        (Compression::Best, 1, false, 0, Hold),
    ];
    let encoder = |(compression, threads, reduce, images, consistency)| {
        PngEncoder::new()
            .compression(compression)
            .threads(threads)
            .reduce(reduce)
            .reuse_strips(images)
            .consistency(consistency)
    };
    let folder = tempfile::tempdir().unwrap();
    let counts = thread::scope(|scope| {
        let savers: Vec<_> = (0..8)
            .map(|saver| {
                let (image, path) = (&image, folder.path().join(format!("{saver}.png")));
                let cancels = saver == 4;
                scope.spawn(move || {
                    let expected = encoder(options[saver]).to_png(image).unwrap();
                    let (mut saves, mut calls) = (0, 0);
                    let mut encoder = encoder(options[saver]).on_progress(move |_| {
                        calls += 1;
                        if cancels && calls % 3 == 0 {
                            Break(())
                        } else {
                            Continue(())
                        }
                    });
                    loop {
                        let old = std::fs::read(&path).ok();
                        match encoder.save(image, &path) {
                            Ok(_) => assert!(std::fs::read(&path).unwrap() == expected),
                            Err(error) => {
                                assert!(cancels, "{error}");
                                assert!(matches!(error.kind(), pixview::ErrorKind::Cancelled));
                                assert!(std::fs::read(&path).ok() == old);
                            }
                        }
                        saves += 1;
                        if Instant::now() >= end {
                            return saves;
                        }
                    }
                })
            })
            .collect();
        savers
            .into_iter()
            .map(|saver| saver.join().unwrap())
            .collect::<Vec<u32>>()
    });
    println!("saves of each thread: {counts:?}");
}
