//! Long work watched and stopped.

mod common;

use std::ops::ControlFlow::{Break, Continue};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex};

use pixview::png::Progress;
use pixview::{Compression, ErrorKind, Image, PixelFormat, PngDecoder, PngEncoder};

const WIDTH: u32 = 1000;
const HEIGHT: u32 = 3000;

fn picture() -> Image<Vec<u8>> {
    let mut bytes = common::noise((WIDTH * HEIGHT * 3) as usize, 1);
    for row in bytes.chunks_mut(3 * WIDTH as usize).step_by(2) {
        row.fill(row[0]);
    }
    Image::from_buffer(bytes, WIDTH, HEIGHT, PixelFormat::RGB8).unwrap()
}

type Told = Arc<Mutex<Vec<u32>>>;

/// A function that writes down what it is told, and breaks off at so many rows.
fn noting(
    stop: u32,
) -> (
    Told,
    impl FnMut(Progress) -> std::ops::ControlFlow<()> + Send,
) {
    let told = Told::default();
    let ours = told.clone();
    let function = move |progress: Progress| {
        assert_eq!(progress.total, HEIGHT);
        ours.lock().unwrap().push(progress.rows);
        if progress.rows >= stop {
            return Break(());
        }
        Continue(())
    };
    (told, function)
}

/// Rows that make half a megabyte, as strips and steps do.
const STEP: u32 = (512 << 10) / (3 * WIDTH + 1);

fn check_steps(told: &[u32]) {
    assert!(told.is_sorted() && told.len() > 10);
    let steps = told.windows(2).map(|pair| pair[1] - pair[0]);
    assert!(steps.max().unwrap() <= STEP + 1, "{told:?}");
}

#[test]
fn saves_are_watched() {
    let image = picture();
    for compression in [Compression::Stored, Compression::Fast, Compression::Small] {
        let plain = PngEncoder::new()
            .compression(compression)
            .to_png(&image)
            .unwrap();
        for threads in [1, 3] {
            let (told, function) = noting(u32::MAX);
            let mut encoder = PngEncoder::new()
                .compression(compression)
                .threads(threads)
                .on_progress(function);
            assert!(encoder.to_png(&image).unwrap() == plain);
            check_steps(&told.lock().unwrap());
            assert_eq!(told.lock().unwrap().last(), Some(&HEIGHT));
            // And the next save.
            let count = told.lock().unwrap().len();
            encoder.to_png(&image).unwrap();
            assert_eq!(told.lock().unwrap().len(), 2 * count);
        }
    }
}

/// A cancelled save leaves the old file and no litter, and the encoder is as
/// good as before.
#[test]
fn saves_are_cancelled() {
    let image = picture();
    let folder = common::folder();
    let path = folder.path().join("old.png");
    for threads in [1, 3] {
        for stop in [1, HEIGHT / 2, HEIGHT] {
            std::fs::write(&path, "old").unwrap();
            let (told, function) = noting(stop);
            let mut encoder = PngEncoder::new().threads(threads).on_progress(function);
            let error = encoder.save(&image, &path).unwrap_err();
            assert!(matches!(error.kind(), ErrorKind::Cancelled), "{error}");
            assert_eq!(error.to_string(), format!("{}: cancelled", path.display()));
            assert_eq!(error.row(), None);
            assert_eq!(std::fs::read(&path).unwrap(), b"old");
            assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
            // It was the last that it was told.
            let rows = *told.lock().unwrap().last().unwrap();
            assert!(rows >= stop && rows < stop + STEP + 1);
            let mut encoder = encoder.on_progress(|_| Continue(()));
            assert!(encoder.to_png(&image).unwrap() == image.to_png().unwrap());
        }
    }
}

/// A save is cancelled, or its function panics, after each strip in turn. The path
/// stays as it was, and the encoder makes the same file as before.
#[test]
fn each_strip_may_be_the_last() {
    let image = picture();
    let png = image.to_png().unwrap();
    let folder = common::folder();
    let (old, new) = (folder.path().join("old.png"), folder.path().join("new.png"));
    std::fs::write(&old, "old").unwrap();
    let strips = HEIGHT.div_ceil(STEP) as usize;
    for threads in [1, 3] {
        let mut encoder = PngEncoder::new().threads(threads);
        for last in 1..=strips {
            for panics in [false, true] {
                let told = Arc::new(AtomicUsize::new(0));
                let ours = told.clone();
                encoder = encoder.on_progress(move |_| {
                    if ours.fetch_add(1, Relaxed) + 1 < last {
                        return Continue(());
                    }
                    if panics {
                        std::panic::resume_unwind(Box::new("boo"));
                    }
                    Break(())
                });
                let mut save = |way: u32| match way {
                    0 => encoder.save(&image, &old),
                    1 => encoder.save_new(&image, &new),
                    _ => encoder.save_if_changed(&image, &old),
                };
                for way in 0..3 {
                    told.store(0, Relaxed);
                    match catch_unwind(AssertUnwindSafe(|| save(way))) {
                        Ok(result) => {
                            let error = result.unwrap_err();
                            assert!(matches!(error.kind(), ErrorKind::Cancelled), "{error}");
                            assert!(!panics);
                        }
                        Err(panic) => assert!(panics && panic.is::<&str>()),
                    }
                    assert_eq!(told.load(Relaxed), last);
                    assert_eq!(std::fs::read(&old).unwrap(), b"old");
                    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
                }
            }
        }
        encoder = encoder.on_progress(|_| Continue(()));
        assert!(encoder.to_png(&image).unwrap() == png);
    }
}

#[test]
fn reads_are_watched_and_cancelled() {
    let image = picture();
    let plain = image.to_png().unwrap();
    let interlaced = {
        let mut encoder = lodepng::Encoder::new();
        encoder.set_auto_convert(false);
        encoder
            .info_raw_mut()
            .set_colortype(lodepng::ColorType::RGB);
        encoder
            .info_png_mut()
            .color
            .set_colortype(lodepng::ColorType::RGB);
        encoder.info_png_mut().interlace_method = 1;
        encoder
            .encode(image.source(), WIDTH as usize, HEIGHT as usize)
            .unwrap()
    };
    for png in [&plain, &interlaced] {
        for format in [PixelFormat::RGB8, PixelFormat::BGRA8] {
            let (told, function) = noting(u32::MAX);
            let reader = PngDecoder::new().open_bytes(png).unwrap();
            let read = reader.on_progress(function).read_as(format).unwrap();
            assert_eq!(
                read.pixels().unwrap().get(5, 7).unwrap()[..3],
                image.pixels().unwrap().get(5, 7).unwrap()[..]
            );
            let told = told.lock().unwrap();
            check_steps(&told);
            assert_eq!(told.last(), Some(&HEIGHT));

            let (told, function) = noting(HEIGHT / 2);
            let reader = PngDecoder::new().open_bytes(png).unwrap();
            let mut reader = reader.on_progress(function);
            let mut view = Image::new(WIDTH, HEIGHT, format).unwrap();
            let error = reader.read_into(&mut view).unwrap_err();
            assert!(matches!(error.kind(), ErrorKind::Cancelled), "{error}");
            let rows = *told.lock().unwrap().last().unwrap();
            assert!((HEIGHT / 2..HEIGHT / 2 + STEP + 1).contains(&rows));
            let error = reader.read_into(&mut view).unwrap_err();
            assert!(matches!(error.kind(), ErrorKind::AlreadyRead), "{error}");
            if png == &plain {
                // What was told is there.
                let (x, y) = (WIDTH - 1, rows - 1);
                let pixel = view.pixels().unwrap().get(x, y).unwrap();
                assert_eq!(pixel[..3], image.pixels().unwrap().get(x, y).unwrap()[..]);
            }
        }
    }
}
