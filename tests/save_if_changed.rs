//! `save_if_changed`: a file that has the bytes already is left alone; any other
//! is replaced by a file with the bytes of a save from scratch.

mod common;

use std::cell::{Cell, RefCell};
use std::fs::{self, File};
use std::io;
use std::ops::ControlFlow::{Break, Continue};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

use common::{color, decode_zune, noise};
use pixview::metadata::{Chunk, Text};
use pixview::png::{Filter, SaveReport};
use pixview::source::{Lease, LiveBytes, SourceError};
use pixview::{
    Compression, ErrorKind, Image, Metadata, Palette, PixelFormat, PixelSource, PngEncoder,
};

const MODES: [Compression; 4] = [
    Compression::Stored,
    Compression::Fast,
    Compression::Small,
    Compression::Best,
];

const WIDTH: u32 = 2000;
const HEIGHT: u32 = 250;
const FORMAT: PixelFormat = PixelFormat::RGBA8;
const ROW: usize = 4 * WIDTH as usize;

/// Longer than a tick of the clock of a file system.
fn tick() {
    sleep(Duration::from_millis(25));
}

/// Bytes of pixels that compress.
fn drawn(seed: u64) -> Vec<u8> {
    let len = ROW * HEIGHT as usize;
    let noise = noise(len / 90 + 1, seed);
    (0..len).map(|at| noise[at / 90] & 0xf0).collect()
}

fn image(bytes: Vec<u8>) -> Image<Vec<u8>> {
    Image::from_buffer(bytes, WIDTH, HEIGHT, FORMAT).unwrap()
}

/// What a save must leave: the numbers of the file, and the times of the last
/// modification and change.
#[derive(Debug, PartialEq)]
struct State {
    len: u64,
    #[cfg(unix)]
    numbers: [i64; 6],
    #[cfg(not(unix))]
    modified: std::time::SystemTime,
}

fn state(path: &Path) -> State {
    let metadata = fs::metadata(path).unwrap();
    State {
        len: metadata.len(),
        #[cfg(unix)]
        numbers: {
            use std::os::unix::fs::MetadataExt;
            [
                metadata.dev() as i64,
                metadata.ino() as i64,
                metadata.mtime(),
                metadata.mtime_nsec(),
                metadata.ctime(),
                metadata.ctime_nsec(),
            ]
        },
        #[cfg(not(unix))]
        modified: metadata.modified().unwrap(),
    }
}

fn names(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = names
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// A folder with a path, and an encoder that saves there.
struct World {
    folder: tempfile::TempDir,
    path: PathBuf,
    options: fn(PngEncoder) -> PngEncoder,
    encoder: PngEncoder,
}

impl World {
    fn new(options: fn(PngEncoder) -> PngEncoder) -> Self {
        let folder = common::folder();
        World {
            path: folder.path().join("a.png"),
            folder,
            options,
            encoder: options(PngEncoder::new()),
        }
    }

    /// Saves, and compares the file with one from scratch.
    #[track_caller]
    fn save<S: PixelSource>(&mut self, image: &Image<S>) -> SaveReport {
        let report = self.encoder.save_if_changed(image, &self.path).unwrap();
        let png = fs::read(&self.path).unwrap();
        let expected = (self.options)(PngEncoder::new()).to_png(image).unwrap();
        assert!(png == expected, "other bytes than from scratch: {report:?}");
        assert_eq!(report.png_size, png.len() as u64);
        assert_eq!(report.strips, report.strips_encoded + report.strips_reused);
        report
    }

    /// Saves an image that the file shows already.
    #[track_caller]
    fn save_unchanged<S: PixelSource>(&mut self, image: &Image<S>) -> SaveReport {
        let before = (state(&self.path), state(self.folder.path()));
        tick();
        let report = self.save(image);
        assert!(report.unchanged);
        let after = (state(&self.path), state(self.folder.path()));
        assert_eq!(before, after);
        report
    }

    #[track_caller]
    fn save_changed<S: PixelSource>(&mut self, image: &Image<S>) -> SaveReport {
        let report = self.save(image);
        assert!(!report.unchanged);
        assert_eq!(names(self.folder.path()), ["a.png"]);
        report
    }
}

/// Options that change how strips are made and found.
const OPTIONS: [fn(PngEncoder) -> PngEncoder; 9] = [
    |encoder| encoder,
    |encoder| encoder.threads(3),
    |encoder| encoder.compression(Compression::Stored),
    |encoder| encoder.compression(Compression::Small).threads(2),
    |encoder| encoder.reuse_strips(1),
    |encoder| encoder.reuse_strips(2).threads(3),
    |encoder| encoder.reuse_strips(1).compression(Compression::Stored),
    |encoder| encoder.filter(Filter::Up),
    |encoder| encoder.reduce(true),
];

#[test]
fn an_equal_file_is_left_alone() {
    for options in OPTIONS {
        let mut world = World::new(options);
        let first = world.save_changed(&image(drawn(1)));
        assert_eq!(first.strips_encoded, first.strips);
        // Recognized: nothing is encoded.
        let report = world.save_unchanged(&image(drawn(1)));
        assert_eq!(report.strips_encoded, 0, "{:?}", world.encoder);
        // A new encoder compares the file.
        world.encoder = options(PngEncoder::new());
        let report = world.save_unchanged(&image(drawn(1)));
        assert_eq!(report.strips_encoded, report.strips);
        // And recognizes what it has compared.
        let report = world.save_unchanged(&image(drawn(1)));
        assert_eq!(report.strips_encoded, 0, "{:?}", world.encoder);
    }
}

/// The same pixels through other kinds of sources, and after the encoder has saved
/// something else.
#[test]
fn other_sources_and_saves_between() {
    for mode in [Compression::Fast, Compression::Stored] {
        for filter in [Filter::Auto, Filter::Paeth, Filter::None] {
            let mut world = World::new(|encoder| encoder);
            let set = |encoder: PngEncoder| encoder.compression(mode).filter(filter);
            world.encoder.configure(set);
            let mut bytes = drawn(1);
            let stable = image(bytes.clone());
            let cells = Cell::from_mut(&mut bytes[..]).as_slice_of_cells();
            let live = Image::from_buffer(cells, WIDTH, HEIGHT, FORMAT).unwrap();
            world.encoder.save_if_changed(&live, &world.path).unwrap();
            // Rows of noise leave another filter behind.
            let other = Image::from_buffer(noise(1000 * 999, 1), 1000, 999, PixelFormat::GRAY8);
            let other = other.unwrap();
            let cells: Vec<Cell<u8>> = noise(1000 * 999, 2).into_iter().map(Cell::new).collect();
            let other_live = Image::from_buffer(&cells, 1000, 999, PixelFormat::GRAY8).unwrap();
            let saves: [&dyn Fn(&mut PngEncoder); 3] = [
                &|encoder| drop(encoder.to_png(&other).unwrap()),
                &|encoder| drop(encoder.to_png(&other_live).unwrap()),
                &|encoder| {
                    let path = world.folder.path().join("other.png");
                    encoder.save_if_changed(&other_live, path).unwrap();
                },
            ];
            for save in saves {
                world
                    .encoder
                    .configure(|encoder| encoder.filter(Filter::Auto));
                save(&mut world.encoder);
                world.encoder.configure(set);
                for report in [
                    world.encoder.save_if_changed(&live, &world.path).unwrap(),
                    world.encoder.save_if_changed(&stable, &world.path).unwrap(),
                ] {
                    assert!(report.unchanged);
                    assert_eq!(report.strips_encoded, 0, "{mode:?}, {filter:?}");
                }
            }
        }
    }
}

/// A known file that differs from one strip on: the strips above are copied from
/// the file, those below are encoded or kept.
#[test]
fn a_known_file_diverges() {
    // A reduction could put all pixels into one strip.
    for options in &OPTIONS[..8] {
        for live in [false, true] {
            for reads_converted in [false, true] {
                let format = if reads_converted {
                    PixelFormat::BGRX8
                } else {
                    FORMAT
                };
                let mut world = World::new(*options);
                let mut bytes = drawn(1);
                let cells = Cell::from_mut(&mut bytes[..]).as_slice_of_cells();
                let save = |world: &mut World| {
                    if live {
                        return world
                            .save(&Image::from_buffer(cells, WIDTH, HEIGHT, format).unwrap());
                    }
                    let bytes: Vec<u8> = cells.iter().map(Cell::get).collect();
                    world.save(&Image::from_buffer(bytes, WIDTH, HEIGHT, format).unwrap())
                };
                let strips = save(&mut world).strips;
                assert!(strips > 2);
                let rows = HEIGHT.div_ceil(strips);
                for y in [0, rows / 2, HEIGHT / 2, HEIGHT - 1] {
                    let cell = &cells[y as usize * ROW + 4 * 77];
                    cell.set(cell.get() ^ 0x80);
                    let report = save(&mut world);
                    let name = format!("{:?}, row {y}, {report:?}", world.encoder);
                    assert!(!report.unchanged, "{name}");
                    if y == 0 && report.bytes_kept == 0 {
                        assert_eq!(report.strips_encoded, strips, "{name}");
                    }
                    if y == HEIGHT - 1 {
                        assert_eq!(report.strips_encoded, 1, "{name}");
                    }
                    if report.bytes_kept > 0 {
                        assert!(report.strips_encoded <= 2, "{name}");
                    }
                    let report = save(&mut world);
                    assert!(report.unchanged && report.strips_encoded == 0, "{name}");
                }
                // All of it differs, and then again.
                for seed in [2, 3] {
                    for (cell, byte) in cells.iter().zip(drawn(seed)) {
                        cell.set(byte);
                    }
                    assert!(!save(&mut world).unchanged);
                    assert!(save(&mut world).unchanged);
                }
            }
        }
    }
}

/// Strips that are known in the file, while only their keys are kept in memory,
/// and that must be written after all.
#[test]
fn known_strips_without_pieces() {
    for threads in [1, 3] {
        let mut world = World::new(|encoder| encoder.reuse_strips(1));
        world.encoder.configure(|encoder| encoder.threads(threads));
        let mut bytes = Vec::new();
        for frame in 0..6 {
            bytes = drawn(frame);
            world.save_changed(&image(bytes.clone()));
        }
        bytes[5] ^= 0xff;
        world.save_changed(&image(bytes.clone()));
        world.save_unchanged(&image(bytes));
    }
}

#[test]
fn what_differs_is_written() {
    let mut world = World::new(|encoder| encoder);
    let picture = image(drawn(1));
    world.save_changed(&picture);

    // Metadata, before and after the image data; the file has the same length.
    let titled = |title: &'static str, behind: u8| {
        move |encoder: PngEncoder| {
            let mut metadata = Metadata::default();
            metadata.text.push(Text::new("Title", title));
            let mut chunk = Chunk::new(*b"teSt", vec![behind]);
            chunk.after_image_data = true;
            metadata.chunks.push(chunk);
            encoder.metadata(metadata)
        }
    };
    let mut check = |options: &dyn Fn(PngEncoder) -> PngEncoder, picture: &Image<Vec<u8>>| {
        world.encoder.configure(options);
        let expected = options(PngEncoder::new()).to_png(picture).unwrap();
        for unchanged in [false, true] {
            let report = world.encoder.save_if_changed(picture, &world.path).unwrap();
            assert_eq!(report.unchanged, unchanged);
            assert!(fs::read(&world.path).unwrap() == expected);
        }
    };
    check(&titled("one", 1), &picture);
    check(&titled("two", 1), &picture);
    check(&titled("two", 2), &picture);
    check(
        &|encoder| titled("two", 2)(encoder).filter(Filter::Sub),
        &picture,
    );
    check(
        &|encoder| {
            titled("two", 2)(encoder)
                .reuse_strips(1)
                .filter(Filter::Auto)
        },
        &picture,
    );
    for mode in [Compression::Small, Compression::Stored, Compression::Fast] {
        let bare = |encoder: PngEncoder| encoder.metadata(Metadata::default()).reuse_strips(0);
        check(&|encoder| bare(encoder).compression(mode), &picture);
    }

    // Another size of the same strips, and a palette of the same length.
    let shorter = picture.to_vec().unwrap()[..ROW * 249].to_vec();
    let shorter = Image::from_buffer(shorter, WIDTH, HEIGHT - 1, FORMAT).unwrap();
    check(&|encoder| encoder, &shorter);
    for first in [0, 1, 100] {
        let colors: Vec<[u8; 3]> = (first..first + 256).map(color).collect();
        let palette = Palette::from_rgb(&colors).unwrap();
        let indexed = Image::from_buffer(drawn(1), 4 * WIDTH, HEIGHT, PixelFormat::INDEXED8);
        check(
            &|encoder| encoder,
            &indexed.unwrap().with_palette(palette).unwrap(),
        );
    }
}

/// Everything that others do to a file between two saves.
#[test]
fn files_that_others_touch() {
    for reuses in [0, 1] {
        let mut world = World::new(|encoder| encoder.reuse_strips(1));
        if reuses == 0 {
            world.options = |encoder| encoder;
            world.encoder = PngEncoder::new();
        }
        let picture = image(drawn(1));
        let png = (world.options)(PngEncoder::new()).to_png(&picture).unwrap();
        let overwritten = |at: usize| {
            let mut png = png.clone();
            png[at] ^= 1;
            png
        };
        // The bytes that others write, and whether they write them in place and
        // set the time back.
        let cases = [
            (overwritten(0), true),
            (overwritten(0), false),
            (overwritten(png.len() / 2), true),
            (overwritten(png.len() / 2), false),
            (overwritten(png.len() - 1), true),
            (png[..png.len() - 1].to_vec(), true),
            (png[..png.len() / 2].to_vec(), false),
            (Vec::new(), true),
            ([&png[..], b"!"].concat(), true),
            (b"not even a PNG".to_vec(), false),
            // The same bytes.
            (png.clone(), true),
            (png.clone(), false),
        ];
        for (bytes, in_place) in cases {
            world.save(&picture);
            let modified = fs::metadata(&world.path).unwrap().modified().unwrap();
            tick();
            let written = if in_place {
                world.path.clone()
            } else {
                world.folder.path().join("new")
            };
            fs::write(&written, &bytes).unwrap();
            let file = File::options().write(true).open(&written).unwrap();
            file.set_modified(modified).unwrap();
            drop(file);
            if !in_place {
                fs::rename(&written, &world.path).unwrap();
            }
            // Elsewhere than on Unix there is no time of change.
            if cfg!(unix) || bytes.len() != png.len() {
                assert_eq!(world.save(&picture).unchanged, bytes == png);
            } else {
                fs::remove_file(&world.path).unwrap();
            }
        }

        // Only the times.
        let file = File::options().write(true).open(&world.path).unwrap();
        file.set_modified(std::time::UNIX_EPOCH).unwrap();
        drop(file);
        world.save_unchanged(&picture);

        // No file, and a folder in its place.
        fs::remove_file(&world.path).unwrap();
        world.save_changed(&picture);
        fs::remove_file(&world.path).unwrap();
        fs::create_dir(&world.path).unwrap();
        let error = world
            .encoder
            .save_if_changed(&picture, &world.path)
            .unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Write(_)), "{error}");
        assert_eq!(error.path(), Some(&*world.path));
        fs::remove_dir(&world.path).unwrap();
        world.save_changed(&picture);
    }
}

#[cfg(unix)]
#[test]
fn links_in_the_place() {
    use std::os::unix::fs::symlink;
    let mut world = World::new(|encoder| encoder);
    let picture = image(drawn(1));
    world.save_changed(&picture);
    let target = world.folder.path().join("target");
    // To the same file, to one with other bytes, and to nothing.
    for content in [
        Some(fs::read(&world.path).unwrap()),
        Some(vec![1; 1000]),
        None,
    ] {
        fs::remove_file(&world.path).unwrap();
        let _ = fs::remove_file(&target);
        if let Some(content) = &content {
            fs::write(&target, content).unwrap();
        }
        symlink("target", &world.path).unwrap();
        let report = world.save(&picture);
        assert_eq!(
            report.unchanged,
            content.is_some_and(|content| content.len() > 1000)
        );
        assert!(fs::symlink_metadata(&world.path).unwrap().is_symlink());
        assert_eq!(world.save_unchanged(&picture).strips_encoded, 0);
    }
}

/// Of 16 files all are recognized, of 17 none: but all are right.
#[test]
fn files_in_turn() {
    for (count, recognized) in [(16, true), (17, false), (20, false)] {
        let folder = common::folder();
        let mut encoder = PngEncoder::new();
        let picture = |seed| {
            let bytes = noise(300 * 200, seed);
            Image::from_buffer(bytes, 300, 200, PixelFormat::GRAY8).unwrap()
        };
        for round in 0..4 {
            for number in 0..count {
                // In the third round, other images.
                let image = picture(number + if round < 2 { 0 } else { 1000 });
                let path = folder.path().join(format!("{number}.png"));
                let report = encoder.save_if_changed(&image, &path).unwrap();
                assert!(fs::read(&path).unwrap() == image.to_png().unwrap());
                let same = round % 2 == 1;
                assert_eq!(report.unchanged, same);
                assert_eq!(report.strips_encoded == 0, same && recognized);
            }
        }
        encoder.release_memory();
        let path = folder.path().join("0.png");
        let report = encoder.save_if_changed(&picture(1000), &path).unwrap();
        assert!(report.unchanged && report.strips_reused == 0);
    }
}

/// Two images to one path.
#[test]
fn images_in_turn() {
    for options in OPTIONS {
        let mut world = World::new(options);
        let images = [image(drawn(1)), image(drawn(2))];
        for _ in 0..2 {
            for image in &images {
                world.save_changed(image);
            }
        }
        world.save_unchanged(&images[1]);
    }
}

/// Live bytes that count requests, and that end somewhere.
struct Counted {
    bytes: Vec<u8>,
    requests: RefCell<Vec<u8>>,
    /// The first byte that is not given, and whether the source panics there.
    end: Cell<(usize, bool)>,
}

impl Counted {
    fn new(bytes: Vec<u8>) -> Self {
        Counted {
            requests: RefCell::new(vec![0; bytes.len()]),
            end: Cell::new((bytes.len(), false)),
            bytes,
        }
    }
}

impl PixelSource for Counted {
    fn lease(&self) -> Result<Lease<'_>, SourceError> {
        Ok(Lease::live(self))
    }
}

impl LiveBytes for &Counted {
    fn len(&self) -> usize {
        self.bytes.len()
    }

    fn element_size(&self) -> usize {
        1
    }

    fn copy_to(&self, offset: usize, to: &mut [u8]) -> Result<(), SourceError> {
        let range = offset..offset + to.len();
        let (end, panics) = self.end.get();
        if range.end > end {
            if panics {
                resume_unwind(Box::new("boo"));
            }
            return Err(SourceError::other("gone"));
        }
        to.copy_from_slice(&self.bytes[range.clone()]);
        self.requests.borrow_mut()[range]
            .iter_mut()
            .for_each(|count| *count += 1);
        Ok(())
    }
}

/// Contract 3: each pixel of a live source is requested once, also if the file is
/// known and differs in the middle.
#[test]
fn each_pixel_is_requested_once() {
    for options in OPTIONS {
        for format in [FORMAT, PixelFormat::BGRX8, PixelFormat::RGB16LE] {
            let mut world = World::new(options);
            let width = WIDTH * 4 / (format.bits_per_pixel() as u32 / 8);
            let mut save = |bytes: &[u8], unchanged: bool| {
                let row = format.bits_per_pixel() / 8 * width as usize;
                let bytes = bytes[..row * HEIGHT as usize].to_vec();
                let source = Counted::new(bytes);
                let image = Image::from_buffer(&source, width, HEIGHT, format).unwrap();
                let report = world.encoder.save_if_changed(&image, &world.path).unwrap();
                assert_eq!(report.unchanged, unchanged);
                let requests = source.requests.borrow();
                assert!(requests.iter().all(|&requests| requests == 1));
                drop(requests);
                world.save(&image);
            };
            let mut bytes = drawn(1);
            save(&bytes, false);
            save(&bytes, true);
            for y in [120, 249, 0] {
                bytes[y * ROW + 50] ^= 0x80;
                save(&bytes, false);
            }
        }
    }
}

/// Errors, panics and cancellations leave the file as it is, and the next save is
/// right.
#[test]
fn failures_leave_the_file() {
    for options in OPTIONS {
        let mut world = World::new(options);
        let mut bytes = drawn(1);
        world.save(&image(bytes.clone()));
        // The file is equal to the end, differs below the failure, or above it.
        for edited in [None, Some(240), Some(20)] {
            if let Some(y) = edited {
                bytes[y * ROW] ^= 0x80;
            }
            for kind in 0..4 {
                let before = (state(&world.path), fs::read(&world.path).unwrap());
                let source = Counted::new(bytes.clone());
                let image = Image::from_buffer(&source, WIDTH, HEIGHT, FORMAT).unwrap();
                match kind {
                    0 | 1 => source.end.set((130 * ROW, kind == 1)),
                    _ => world.encoder.configure(|encoder| {
                        encoder.on_progress(move |progress| {
                            if progress.rows < 130 {
                                return Continue(());
                            }
                            if kind == 2 {
                                resume_unwind(Box::new("boo"));
                            }
                            Break(())
                        })
                    }),
                }
                let save = AssertUnwindSafe(|| world.encoder.save_if_changed(&image, &world.path));
                if let Ok(result) = catch_unwind(save) {
                    let error = result.unwrap_err();
                    assert_eq!(error.path(), Some(&*world.path));
                    let cancelled = matches!(error.kind(), ErrorKind::Cancelled);
                    assert_eq!(cancelled, kind == 3);
                }
                assert_eq!(before, (state(&world.path), fs::read(&world.path).unwrap()));
                assert_eq!(names(world.folder.path()), ["a.png"]);
                world
                    .encoder
                    .configure(|encoder| encoder.on_progress(|_| Continue(())));
            }
            // What remains of the failed saves.
            let picture = image(bytes.clone());
            let expected = options(PngEncoder::new()).to_png(&picture).unwrap();
            assert!(world.encoder.to_png(&picture).unwrap() == expected);
            assert_eq!(world.save(&picture).unchanged, edited.is_none());
        }
    }
}

/// What others do to the file during the save.
#[test]
fn others_during_the_save() {
    for differs in [false, true] {
        for renames in [false, true] {
            if renames && cfg!(not(unix)) {
                continue;
            }
            let mut world = World::new(|encoder| encoder);
            let mut bytes = drawn(1);
            let old = world.save(&image(bytes.clone()));
            if differs {
                bytes[200 * ROW] ^= 0x80;
            }
            let (path, other) = (world.path.clone(), world.folder.path().join("other"));
            tick();
            world.encoder.configure(|encoder| {
                encoder.on_progress(move |progress| {
                    if progress.rows < progress.total && progress.rows > 100 {
                        fs::write(&other, "other").unwrap();
                        if renames {
                            fs::rename(&other, &path).unwrap();
                        } else {
                            fs::remove_file(&other).unwrap();
                            let mut file = File::options().append(true).open(&path).unwrap();
                            io::Write::write_all(&mut file, b"!").unwrap();
                        }
                    }
                    Continue(())
                })
            });
            let picture = image(bytes);
            let result = world.encoder.save_if_changed(&picture, &world.path);
            let file = fs::read(&world.path).unwrap();
            if renames {
                // Before the other process if equal, behind it if not.
                assert_eq!(result.unwrap().unchanged, !differs);
                assert_eq!(file == b"other", !differs);
                assert!(!differs || file == picture.to_png().unwrap());
            } else {
                let error = io::Error::from(result.unwrap_err());
                assert_eq!(error.kind(), io::ErrorKind::ResourceBusy);
                assert!(file.len() as u64 > old.png_size);
            }
            assert_eq!(names(world.folder.path()), ["a.png"]);
            world
                .encoder
                .configure(|encoder| encoder.on_progress(|_| Continue(())));
            world.save(&picture);
            world.save_unchanged(&picture);
        }
    }
}

/// What two PNGs of one encoder look like to another crate.
#[test]
fn the_pixels_are_those_of_the_source() {
    for mode in MODES {
        let folder = common::folder();
        let path = folder.path().join("a.png");
        let mut encoder = PngEncoder::new().compression(mode);
        let mut bytes = drawn(1);
        for y in [0, 100, 200] {
            bytes[y * ROW + 9] ^= 0x80;
            encoder
                .save_if_changed(&image(bytes.clone()), &path)
                .unwrap();
            let decoded = decode_zune(&fs::read(&path).unwrap());
            assert!(
                decoded
                    .samples
                    .iter()
                    .copied()
                    .eq(bytes.iter().map(|&b| b.into()))
            );
        }
    }
}

const PATH: &str = "PIXVIEW_TEST_SAVE_IF_CHANGED";

/// Saves where the environment says so: for `a_new_process`.
#[test]
#[ignore = "a part of another test"]
fn save_from_environment() {
    if let Some(path) = std::env::var_os(PATH) {
        let report = PngEncoder::new().save_if_changed(&image(drawn(1)), path);
        println!("unchanged: {}", report.unwrap().unchanged);
    }
}

#[test]
fn a_new_process() {
    let mut world = World::new(|encoder| encoder);
    let child = |world: &World| {
        let output = Command::new(std::env::current_exe().unwrap())
            .args([
                "--ignored",
                "--exact",
                "--nocapture",
                "save_from_environment",
            ])
            .env(PATH, &world.path)
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{text}");
        text.contains("unchanged: true")
    };
    world.save(&image(drawn(1)));
    let before = state(&world.path);
    assert!(child(&world));
    assert_eq!(before, state(&world.path));
    world.save(&image(drawn(2)));
    assert!(!child(&world));
    world.save_unchanged(&image(drawn(1)));
}
