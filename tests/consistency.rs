//! Contract 5: how long a save holds its source is chosen, and the report says
//! whether the pixels are from one moment.

mod common;

use std::cell::{Cell, RefCell};
use std::io::{self, Write};
use std::ops::ControlFlow::Continue;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicBool, AtomicU32};
use std::sync::{Arc, Mutex, RwLock};
use std::thread;
use std::time::Duration;

use common::{DEFINITIONS, decode_zune as decode, noise};
use pixview::png::{Consistency, FrameState, SaveReport};
use pixview::source::{Lease, LeaseMut, LiveBytes, SeqLock, SharedPixelSource, SourceError};
use pixview::{Compression, Error, ErrorKind, Image, PixelFormat, PixelSource, PngEncoder};

use Consistency::{Hold, Rows, Snapshot};
use FrameState::{Torn, Unknown, Whole};

const LEVELS: [Consistency; 3] = [Hold, Snapshot, Rows];

/// An image of several strips in the mode Stored, whose strips are the smallest.
const WIDTH: u32 = 500;
const HEIGHT: u32 = 700;
const BYTES: usize = (WIDTH * HEIGHT) as usize;

fn gray<S: PixelSource>(source: S) -> Image<S> {
    Image::from_buffer(source, WIDTH, HEIGHT, PixelFormat::GRAY8).unwrap()
}

fn encoder(consistency: Consistency) -> PngEncoder {
    PngEncoder::new()
        .compression(Compression::Stored)
        .consistency(consistency)
}

fn cells(len: usize) -> Vec<Cell<u8>> {
    vec![Cell::new(0); len]
}

/// Saves, and returns the report and the rows, each as the set of its samples.
fn save<S: PixelSource>(encoder: &mut PngEncoder, image: &Image<S>) -> (SaveReport, Vec<Vec<u16>>) {
    let mut png = Vec::new();
    let report = encoder.write(image, &mut png).unwrap();
    let decoded = decode(&png);
    let rows = decoded.samples.chunks(decoded.width * decoded.channels);
    let set = |row: &[u16]| {
        let mut row = row.to_vec();
        row.sort_unstable();
        row.dedup();
        row
    };
    (report, rows.map(set).collect())
}

/// A level decides when pixels are read, never how they are encoded.
#[test]
fn files_are_the_same() {
    let (width, height) = (29, 37);
    for definition in DEFINITIONS.iter() {
        let format = definition.format;
        let pixels = noise(format.row_size(width) as usize * height as usize, 11);
        let cells: Vec<Cell<u8>> = pixels.iter().map(|&byte| Cell::new(byte)).collect();
        for (compression, threads, reduce, reuse) in [
            (Compression::Stored, 1, false, 0),
            (Compression::Fast, 3, false, 0),
            (Compression::Fast, 1, true, 0),
            (Compression::Small, 2, false, 1),
        ] {
            let save = |consistency, image: &Image<&dyn PixelSource>| {
                let mut encoder = PngEncoder::new()
                    .compression(compression)
                    .threads(threads)
                    .reduce(reduce)
                    .reuse_strips(reuse)
                    .consistency(consistency);
                let first = encoder.to_png(image).unwrap();
                assert!(encoder.to_png(image).unwrap() == first);
                first
            };
            let lock = RwLock::new(pixels.clone());
            let live = SeqLock::new(&cells[..]);
            let sources: [&dyn PixelSource; 4] = [&pixels, &&cells[..], &lock, &live];
            let image = |source| {
                let image = Image::from_buffer(source, width, height, format).unwrap();
                definition.with_palette(image)
            };
            let expected = save(Hold, &image(sources[0]));
            for consistency in LEVELS {
                for source in sources {
                    let found = save(consistency, &image(source));
                    assert!(
                        found == expected,
                        "{format} {consistency:?} {compression:?}"
                    );
                }
            }
        }
    }
}

/// Tries to take a lock at each write, and notes whether it could.
struct TryLock {
    frame: Arc<Mutex<Vec<u8>>>,
    free: Rc<RefCell<Vec<bool>>>,
}

impl Write for TryLock {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.free.borrow_mut().push(self.frame.try_lock().is_ok());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// With `Hold` the lock is taken whenever bytes are written, otherwise never.
#[test]
fn locks_are_released() {
    for (consistency, is_free, copies) in [(Hold, false, 0), (Snapshot, true, 1), (Rows, true, 0)] {
        let frame = Arc::new(Mutex::new(vec![7u8; BYTES]));
        let image = gray(frame.clone());
        let free = Rc::new(RefCell::new(Vec::new()));
        let writer = TryLock {
            frame,
            free: free.clone(),
        };
        let report = encoder(consistency).write(&image, writer).unwrap();
        let free = free.borrow();
        assert!(free.len() > report.strips as usize);
        // The signature and the header are written before a lease for a strip.
        assert!(free.iter().all(|&free| free == is_free), "{consistency:?}");
        assert_eq!(report.frame_copies, copies);
    }
}

/// An edit behind the lock between two strips. Each row is from one moment, and the
/// report does not claim more.
#[test]
fn rows_of_several_moments() {
    let frame = Arc::new(Mutex::new(vec![0u8; BYTES]));
    let image = gray(frame.clone());
    for (level, state) in [(Snapshot, Whole), (Rows, Unknown)] {
        frame.lock().unwrap().fill(0);
        let frame = frame.clone();
        let mut encoder = encoder(level).on_progress(move |_| {
            let mut frame = frame.lock().unwrap();
            frame.iter_mut().for_each(|byte| *byte += 1);
            Continue(())
        });
        let (report, rows) = save(&mut encoder, &image);
        assert_eq!(report.frame, state);
        assert!(rows.iter().all(|row| row.len() == 1));
        let last = rows.last().unwrap()[0];
        let strips = if level == Rows {
            report.strips as u16
        } else {
            1
        };
        assert!(report.strips > 3);
        assert_eq!((rows[0][0], last), (0, strips - 1));
    }
}

/// A lock that is released only once shows one moment.
#[test]
fn rows_of_one_strip() {
    let image = Image::from_buffer(Mutex::new(vec![0u8; 64]), 8, 8, PixelFormat::GRAY8).unwrap();
    let report = encoder(Rows).write(&image, io::sink()).unwrap();
    assert_eq!((report.strips, report.frame), (1, Whole));
}

/// Borrowed memory cannot change.
#[test]
fn borrowed_memory() {
    for level in LEVELS {
        let image = gray(vec![0u8; BYTES]);
        let report = encoder(level).write(&image, io::sink()).unwrap();
        assert_eq!((report.frame, report.frame_copies), (Whole, 0));
    }
}

/// Cells that the caller's code edits during the save.
#[test]
fn edits_during_a_save() {
    for (level, edited) in [(Hold, Torn), (Snapshot, Whole), (Rows, Torn)] {
        // Without a number nobody knows.
        let plain = cells(BYTES);
        let image = gray(&plain[..]);
        assert_eq!(
            encoder(level).write(&image, io::sink()).unwrap().frame,
            Unknown
        );

        let atomics: Vec<AtomicU32> = (0..BYTES / 4).map(|_| AtomicU32::new(0)).collect();
        let shared = Arc::new(SeqLock::new(atomics));
        let image = gray(shared.clone());
        assert_eq!(
            encoder(level).write(&image, io::sink()).unwrap().frame,
            Whole
        );
        let mut encoder = encoder(level).on_progress(move |_| {
            let frame = shared.write();
            frame
                .iter()
                .for_each(|word| word.store(0x0101_0101, Relaxed));
            Continue(())
        });
        let (report, rows) = save(&mut encoder, &image);
        assert_eq!(report.frame, edited, "{level:?}");
        let colors = u16::from(level != Snapshot);
        assert_eq!(rows.last().unwrap(), &[colors]);
    }
}

/// Live bytes with a number, which changes during each of the first copies.
struct Edited {
    edits: Cell<u32>,
    generation: Cell<u64>,
}

impl Edited {
    fn new(edits: u32, generation: u64) -> Self {
        Edited {
            edits: Cell::new(edits),
            generation: Cell::new(generation),
        }
    }
}

impl PixelSource for Edited {
    fn lease(&self) -> Result<Lease<'_>, SourceError> {
        Ok(Lease::live(self))
    }
}

/// Only so that a `SeqLock` takes it.
impl SharedPixelSource for Edited {
    fn lease_shared(&self) -> Result<LeaseMut<'_>, SourceError> {
        Err(SourceError::other("it cannot be written"))
    }
}

impl LiveBytes for &Edited {
    fn len(&self) -> usize {
        BYTES
    }

    fn element_size(&self) -> usize {
        1
    }

    fn generation(&self) -> Option<u64> {
        Some(self.generation.get())
    }

    fn copy_to(&self, offset: usize, to: &mut [u8]) -> Result<(), SourceError> {
        if offset + to.len() == BYTES && self.edits.get() > 0 {
            self.edits.set(self.edits.get() - 1);
            self.generation.set(self.generation.get() + 2);
        }
        to.fill(1);
        Ok(())
    }
}

/// Copies are repeated until one is whole; the report has their number.
#[test]
fn copies_are_repeated() {
    for edits in [0, 1, 5, 15] {
        let report = encoder(Snapshot).write(&gray(Edited::new(edits, 0)), io::sink());
        let report = report.unwrap();
        assert_eq!((report.frame, report.frame_copies), (Whole, edits + 1));
    }
    // `reduce` copies live memory at every level.
    for level in LEVELS {
        let mut encoder = encoder(level).reduce(true);
        let report = encoder.write(&gray(Edited::new(2, 0)), io::sink()).unwrap();
        assert_eq!((report.frame, report.frame_copies), (Whole, 3));
    }
}

/// Returns the number of copies in an error, and that nothing was written.
fn torn(edits: u32, generation: u64) -> u32 {
    let mut written = Vec::new();
    let result = encoder(Snapshot).write(&gray(Edited::new(edits, generation)), &mut written);
    assert!(written.is_empty());
    let error: Error = result.unwrap_err();
    println!("{error}");
    match error.kind() {
        ErrorKind::Torn { copies, .. } => *copies,
        kind => panic!("{kind:?}"),
    }
}

/// A frame that is never whole is an error before the first byte.
#[test]
fn copies_are_never_whole() {
    assert_eq!(torn(1000, 0), 16);
    assert_eq!(torn(0, 7), 0); // an edit that does not end
}

/// The other levels save what there is, and say so.
#[test]
fn torn_frames_are_reported() {
    for level in [Hold, Rows] {
        for (edits, generation) in [(1, 0), (0, 7), (1, 7)] {
            let image = gray(Edited::new(edits, generation));
            let report = encoder(level).write(&image, io::sink()).unwrap();
            assert_eq!(report.frame, Torn, "{level:?} {edits} {generation}");
        }
    }
}

/// A file is torn or not, whatever its destination.
#[test]
fn every_destination() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("image.png");
    for level in LEVELS {
        let mut encoder = encoder(level);
        let image = gray(Edited::new(0, 2));
        let unchanged = encoder.save_if_changed(&image, &path).unwrap();
        let saved = encoder.save(&image, &path).unwrap();
        let new = encoder.save_new(&image, folder.path().join(format!("{level:?}.png")));
        for report in [unchanged, saved, new.unwrap()] {
            assert_eq!(report.frame, Whole);
            assert_eq!(report.frame_copies, u32::from(level == Snapshot));
        }
        let image = gray(Edited::new(1, 2));
        let report = encoder.save_if_changed(&image, &path).unwrap();
        let expected = if level == Snapshot { Whole } else { Torn };
        assert!(report.unchanged);
        assert_eq!(report.frame, expected);
    }
}

/// An edit through a view of the lock counts like any other.
#[test]
fn edits_through_views() {
    let lock = SeqLock::new(cells(BYTES));
    let mut image = gray(&lock);
    assert_eq!(lock.generation(), 0);
    let mut pixels = image.pixels_mut().unwrap();
    assert_eq!(lock.generation(), 1);
    pixels.put(3, 0, [9]).unwrap();
    assert_eq!(pixels.get(3, 0).unwrap(), [9]);
    drop(pixels);
    assert_eq!(lock.generation(), 2);
    assert_eq!(gray(&lock).pixels().unwrap().get(3, 0).unwrap(), [9]);
    let other = Image::new(WIDTH, HEIGHT, PixelFormat::GRAY8).unwrap();
    other.copy_into(&mut image).unwrap();
    assert_eq!(lock.generation(), 4);
    assert_eq!(lock.into_inner()[3].get(), 0);
}

/// A lock around a source that has a number of its own: an edit that only the inner
/// number shows is noticed, too.
#[test]
fn a_number_around_a_number() {
    for (edits, generation, state) in [(0, 0, Whole), (1, 0, Torn), (0, 7, Torn), (1, 7, Torn)] {
        for level in [Hold, Rows] {
            let image = gray(SeqLock::new(Edited::new(edits, generation)));
            let report = encoder(level).write(&image, io::sink()).unwrap();
            assert_eq!(report.frame, state, "{level:?} {edits} {generation}");
        }
    }
    let image = gray(SeqLock::new(Edited::new(2, 0)));
    let report = encoder(Snapshot).write(&image, io::sink()).unwrap();
    assert_eq!((report.frame, report.frame_copies), (Whole, 3));

    let inner = Rc::new(SeqLock::new(cells(BYTES)));
    let outer = SeqLock::new(inner.clone());
    let image = gray(&outer);
    let state = || {
        let report = encoder(Hold).write(&image, io::sink());
        report.unwrap().frame
    };
    assert_eq!(state(), Whole);
    let (edit, other) = (inner.write(), outer.write());
    assert_eq!(state(), Torn); // two odd numbers
    drop(other);
    assert_eq!(state(), Torn);
    drop(edit);
    assert_eq!(state(), Whole);
}

/// An edit that ends with a panic stays open. The next edit ends both.
#[test]
fn an_edit_that_panics() {
    let lock = SeqLock::new(vec![AtomicU32::new(0), AtomicU32::new(0)]);
    let state = || {
        let image = Image::from_buffer(&lock, 2, 1, PixelFormat::XRGB8888).unwrap();
        let report = encoder(Hold).write(&image, io::sink());
        report.unwrap().frame
    };
    let panic = catch_unwind(AssertUnwindSafe(|| {
        let frame = lock.write();
        frame[0].store(1, Relaxed);
        panic!("half of the edit is done");
    }));
    assert!(panic.is_err());
    assert_eq!(state(), Torn);
    drop(lock.write());
    assert_eq!(state(), Whole);
    // An edit by a destructor that runs during a panic is an edit like any other.
    struct Edit<'a>(&'a SeqLock<Vec<AtomicU32>>);
    impl Drop for Edit<'_> {
        fn drop(&mut self) {
            drop(self.0.write());
        }
    }
    let panic = catch_unwind(AssertUnwindSafe(|| {
        let _edit = Edit(&lock);
        panic!("on purpose");
    }));
    assert!(panic.is_err());
    assert_eq!(state(), Whole);
}

/// A writer that panics with `Snapshot` or `Rows` poisons no lock, and the encoder
/// works on.
#[test]
fn a_panicking_writer() {
    struct Panics;
    impl Write for Panics {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            panic!("on purpose")
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    for level in LEVELS {
        let image = gray(Mutex::new(vec![3u8; BYTES]));
        let mut encoder = encoder(level);
        let panic = catch_unwind(AssertUnwindSafe(|| encoder.write(&image, Panics)));
        assert!(panic.is_err());
        assert!(!image.source().is_poisoned());
        let expected = self::encoder(level).to_png(&image).unwrap();
        assert!(encoder.to_png(&image).unwrap() == expected);
    }
}

/// The numbers of files that a producer's edits left whole, torn and unknown.
#[derive(Debug, Default)]
struct Counts {
    whole: u32,
    torn: u32,
    unknown: u32,
    refused: u32,
    two_colors: u32,
}

/// The frame of that producer: more than one strip, but under Miri.
const SIZE: (u32, u32) = if cfg!(miri) { (8, 4) } else { (512, 256) };

/// Saves while a producer alternates two solid frames at full speed, until it has
/// made its edits. Checks that no file of two colors is said to be whole.
fn saves_during_edits<S>(source: &S, level: Consistency, fill: impl Fn(u8) + Sync) -> Counts
where
    S: PixelSource + Sync,
{
    let edits: u32 = std::env::var("PIXVIEW_EDITS")
        .map_or(if cfg!(miri) { 50 } else { 10_000 }, |edits| {
            edits.parse().unwrap()
        });
    let (width, height) = SIZE;
    let image = Image::from_buffer(source, width, height, PixelFormat::GRAY8).unwrap();
    let mut encoder = encoder(level);
    let mut counts = Counts::default();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            for edit in 0..edits {
                fill(if edit % 2 == 0 { 255 } else { 0 });
                // Mostly without a rest, but not always.
                if edit % 64 == 0 {
                    thread::sleep(Duration::from_micros(100));
                }
            }
            done.store(true, Release);
        });
        loop {
            // With `Acquire`, so that the last save sees all edits.
            let is_last = done.load(Acquire);
            let mut png = Vec::new();
            match encoder.write(&image, &mut png) {
                Ok(report) => {
                    let samples = decode(&png).samples;
                    let has_two = samples.iter().any(|&sample| sample != samples[0]);
                    match report.frame {
                        Whole => counts.whole += 1,
                        Torn => counts.torn += 1,
                        _ => counts.unknown += 1,
                    }
                    counts.two_colors += u32::from(has_two);
                    assert!(
                        !has_two || report.frame != Whole,
                        "two colors, said to be whole"
                    );
                }
                Err(error) => {
                    assert!(matches!(error.kind(), ErrorKind::Torn { .. }), "{error}");
                    counts.refused += 1;
                }
            }
            if is_last {
                break;
            }
        }
    });
    println!("{level:?}: {counts:?}");
    counts
}

/// A million edits: `PIXVIEW_EDITS=1000000 cargo test --release --test consistency`.
#[test]
fn no_torn_frame_is_called_whole() {
    let words: Vec<AtomicU32> = (0..SIZE.0 * SIZE.1 / 4)
        .map(|_| AtomicU32::new(0))
        .collect();
    let store = |words: &[AtomicU32], color: u8| {
        let word = u32::from_ne_bytes([color; 4]);
        for to in words {
            to.store(word, Relaxed);
        }
    };
    let lock = RwLock::new(vec![0u8; 4 * words.len()]);
    for level in LEVELS {
        let fill = |color| lock.write().unwrap().fill(color);
        let counts = saves_during_edits(&lock, level, fill);
        assert_eq!((counts.torn, counts.refused), (0, 0));
        if level != Rows {
            assert_eq!((counts.unknown, counts.two_colors), (0, 0));
        }
        assert!(counts.whole + counts.unknown > 0);
    }

    for level in LEVELS {
        let counts = saves_during_edits(&words, level, |color| store(&words, color));
        assert_eq!((counts.whole, counts.torn, counts.refused), (0, 0, 0));
    }

    let lock = SeqLock::new(words);
    for level in LEVELS {
        let counts = saves_during_edits(&lock, level, |color| store(&lock.write(), color));
        assert_eq!(counts.unknown, 0);
        assert!(counts.whole > 0, "the last save is whole");
        if level == Snapshot {
            assert_eq!((counts.torn, counts.two_colors), (0, 0));
        } else {
            assert_eq!(counts.refused, 0);
        }
    }
}
