//! Saves after small edits: what `PngEncoder::reuse_strips` and
//! `PngEncoder::save_if_changed` cost beside a save of the whole image, and beside
//! the crate `png` in its mode Fast.
//!
//! ```text
//! cargo bench --bench resave [-- NAME ...] [--warm]
//! ```
//!
//! Over drawn scenes, and over the PNG files of a folder named by
//! `PIXVIEW_CORPUS`; a name limits the run to the images whose names contain it.
//! Files of less than 8 megapixels are tiled, and the table says so.
//!
//! Each save is preceded by an edit, which is not timed. Saves that are compared
//! take turns. A figure is the lower quartile of 15 times, and of 3 in Small,
//! because other work of the machine only ever adds time. Before each save other
//! memory is read, so that no cache holds the image; with `--warm` the caches stay
//! as they are.
//!
//! The file of a re-save is compared with that of a new encoder once for each case.
//!
//! With `PIXVIEW_PLOT=file.svg` a chart of the saves to a null writer is written.

#[path = "../plot.rs"]
mod plot;
mod scenes;
mod target;

use std::fs;
use std::hint::black_box;
use std::io;
use std::path::Path;
use std::time::{Instant, SystemTime};

use pixview::png::SaveReport;
use pixview::{Compression, Image, PngEncoder};

use crate::plot::Bars;
use crate::scenes::{SCENES, interface, open};
use crate::target::{PngImage, Target};

/// Bytes that are read to empty the caches.
const OTHER_MEMORY: usize = 64 << 20;

/// An image, and where the edits of it have come to.
struct Picture {
    name: String,
    image: Image<Vec<u8>>,
    random: u32,
    other_memory: Vec<u8>,
}

/// What changes before a save.
#[derive(Clone, Copy, PartialEq)]
enum Edit {
    Nothing,
    /// 1 % of the rows, anywhere.
    Rows,
    /// A tenth of the width by a tenth of the height, anywhere.
    Rectangle,
    /// 32 by 32 pixels, anywhere.
    Cursor,
    /// All pixels, in every save.
    Everything,
    /// All pixels, after saves of the same pixels.
    EverythingOnce,
}

impl Picture {
    fn new(name: &str, image: Image<Vec<u8>>, cold: bool) -> Self {
        Picture {
            name: name.to_string(),
            image,
            random: 1,
            other_memory: vec![1; if cold { OTHER_MEMORY } else { 0 }],
        }
    }

    /// Returns a random number below `end`.
    fn random(&mut self, end: u32) -> u32 {
        self.random = self.random.wrapping_mul(1_664_525);
        self.random = self.random.wrapping_add(1_013_904_223);
        ((u64::from(self.random) * u64::from(end.max(1))) >> 32) as u32
    }

    fn edit(&mut self, edit: Edit) {
        let (width, height) = (self.image.width(), self.image.height());
        match edit {
            Edit::Nothing => {}
            Edit::Rows => {
                for _ in 0..(height / 100).max(1) {
                    let row = self.random(height);
                    self.change(0, row, width, 1);
                }
            }
            Edit::Rectangle | Edit::Cursor => {
                let (w, h) = match edit {
                    Edit::Cursor => (32, 32),
                    _ => (width / 10, height / 10),
                };
                let (x, y) = (self.random(width - w), self.random(height - h));
                self.change(x, y, w, h);
            }
            Edit::Everything | Edit::EverythingOnce => self.change(0, 0, width, height),
        }
    }

    /// Adds 1 to all bytes of a rectangle. Flat areas stay flat, and grain stays
    /// grain.
    fn change(&mut self, x: u32, y: u32, width: u32, height: u32) {
        let format = self.image.format();
        let row_size = format.row_size(self.image.width()) as usize;
        let (left, size) = (format.row_size(x) as usize, format.row_size(width) as usize);
        let rows = self.image.source_mut().chunks_exact_mut(row_size);
        for row in rows.skip(y as usize).take(height as usize) {
            for byte in &mut row[left..left + size] {
                *byte = byte.wrapping_add(1);
            }
        }
    }

    fn bytes(&self) -> f64 {
        self.image.source().len() as f64
    }

    /// Returns how long `work` takes.
    fn time<T>(&self, work: impl FnOnce(&Image<Vec<u8>>) -> T) -> f64 {
        read(&self.other_memory);
        let start = Instant::now();
        black_box(work(&self.image));
        start.elapsed().as_secs_f64()
    }
}

/// Reads memory as fast as the machine can.
fn read(bytes: &[u8]) -> [u64; 8] {
    let mut lanes = [0u64; 8];
    for words in black_box(bytes).as_chunks::<64>().0 {
        for (lane, &word) in lanes.iter_mut().zip(words.as_chunks().0) {
            *lane = lane.wrapping_add(u64::from_ne_bytes(word));
        }
    }
    black_box(lanes)
}

/// Returns the lower quartile, or NaN if there are no times.
fn quartile(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 4).copied().unwrap_or(f64::NAN)
}

#[derive(Clone, Copy)]
struct Options {
    compression: Compression,
    threads: usize,
    /// How many times each save is made.
    rounds: usize,
}

impl Options {
    fn encoder(self) -> PngEncoder {
        let encoder = PngEncoder::new().compression(self.compression);
        encoder.threads(self.threads)
    }

    fn keeping_encoder(self) -> PngEncoder {
        self.encoder().reuse_strips(1)
    }
}

/// Seconds of saves that took turns.
struct Times {
    again: f64,
    full: f64,
    /// The crate `png`, if it took part.
    png: f64,
    /// A plain read of the memory of the image.
    read: f64,
}

impl Times {
    /// Returns how many re-saves are made in the time of a full save.
    fn gain(&self) -> String {
        format!("{:.1}", self.full / self.again)
    }

    /// Returns the time of a re-save in full saves.
    fn ratio(&self) -> String {
        format!("{:.3}", self.again / self.full)
    }
}

/// Measures saves after edits of one kind, and full saves of the same pixels.
fn saves_after(
    edit: Edit,
    picture: &mut Picture,
    options: Options,
    target: &mut Target,
    peer: Option<&PngImage>,
) -> Times {
    let (mut keeping, mut plain) = (options.keeping_encoder(), options.encoder());
    target.save(&mut plain, &picture.image);
    target.save(&mut keeping, &picture.image);
    if edit == Edit::Everything {
        // After these saves the encoder knows that nothing stays.
        for _ in 0..4 {
            picture.edit(edit);
            target.save(&mut keeping, &picture.image);
        }
    }
    let mut times = [const { Vec::new() }; 4];
    let [again, full, png, reads] = &mut times;
    for round in 0..options.rounds {
        if edit == Edit::EverythingOnce {
            target.save(&mut keeping, &picture.image);
            target.save(&mut keeping, &picture.image);
        }
        picture.edit(edit);
        reads.push(picture.time(|image| read(image.source())));
        if let Some(peer) = peer {
            png.push(picture.time(|_| target.save_png(peer)));
        }
        for is_full in [round % 2 == 0, round % 2 != 0] {
            if is_full {
                full.push(picture.time(|image| target.save(&mut plain, image)));
                continue;
            }
            let mut report = SaveReport::default();
            again.push(picture.time(|image| report = target.save(&mut keeping, image)));
            match edit {
                Edit::Nothing => assert_eq!(report.strips_encoded, 0),
                Edit::Everything | Edit::EverythingOnce => {
                    assert_eq!(report.strips_encoded, report.strips);
                }
                _ => assert!(report.strips_encoded > 0),
            }
        }
    }
    picture.edit(edit);
    target.save(&mut keeping, &picture.image);
    let expected = options.keeping_encoder().to_png(&picture.image);
    let expected = expected.expect("saves");
    let same = match target {
        Target::Null => keeping.to_png(&picture.image).expect("saves") == expected,
        Target::Reserved(bytes) => *bytes == expected,
        Target::Path(path) => fs::read(path).expect("can be read") == expected,
    };
    assert!(same, "{}: another file", picture.name);
    let [again, full, png, read] = times.map(quartile);
    Times {
        again,
        full,
        png,
        read,
    }
}

/// Returns a row of the table of saves in the mode Fast with one thread.
fn fast_row(picture: &mut Picture, target: &mut Target, rounds: usize) -> Vec<String> {
    let fast = Options {
        compression: Compression::Fast,
        threads: 1,
        rounds,
    };
    let peer = PngImage::new(&picture.image);
    let mut measure = |edit, peer| saves_after(edit, picture, fast, target, peer);
    let nothing = measure(Edit::Nothing, Some(&peer));
    let rows = measure(Edit::Rows, None);
    let rectangle = measure(Edit::Rectangle, None);
    let cursor = measure(Edit::Cursor, None);
    let everything = measure(Edit::Everything, None);
    let once = measure(Edit::EverythingOnce, None);
    let speed = |time: f64| format!("{:.1}", picture.bytes() / time / 1e9);
    vec![
        picture.name.clone(),
        target.name().to_string(),
        format!("{:.2}", nothing.png * 1e3),
        format!("{:.2}", nothing.full * 1e3),
        format!("{:.2}", nothing.again * 1e3),
        speed(nothing.full),
        speed(nothing.read),
        format!("{:.2}", nothing.read / nothing.again),
        format!("{:.1}", nothing.png / nothing.again),
        nothing.gain(),
        rows.gain(),
        rectangle.gain(),
        cursor.gain(),
        everything.ratio(),
        once.ratio(),
    ]
}

const FAST_HEAD: &[&str] = &[
    "image",
    "to",
    "`png` Fast, ms",
    "full, ms",
    "nothing, ms",
    "full, GB/s",
    "read, GB/s",
    "nothing: of read speed",
    "nothing: × `png`",
    "nothing: × full",
    "1 % of rows",
    "rectangle",
    "cursor",
    "everything: time",
    "at first",
];

/// Returns a row of the table of other modes.
fn modes_row(picture: &mut Picture, rounds: usize) -> Vec<String> {
    let size = |encoder: &mut PngEncoder| {
        let report = encoder.write(&picture.image, io::sink()).expect("saves");
        (report.png_size, report.bytes_kept)
    };
    let mut options = Options {
        compression: Compression::Fast,
        threads: 2,
        rounds,
    };
    let (fast_size, _) = size(&mut options.encoder());
    let (fast_again, kept) = size(&mut options.keeping_encoder());
    options.compression = Compression::Small;
    let (small_size, _) = size(&mut options.encoder());
    let (small_again, _) = size(&mut options.keeping_encoder());
    let percent = |part: u64, whole: u64| format!("{:.2}", 100.0 * part as f64 / whole as f64);

    let target = &mut Target::Null;
    options.compression = Compression::Fast;
    let nothing = saves_after(Edit::Nothing, picture, options, target, None);
    let everything = saves_after(Edit::Everything, picture, options, target, None);
    options.compression = Compression::Small;
    options.threads = 1;
    options.rounds = rounds.min(3);
    let small_nothing = saves_after(Edit::Nothing, picture, options, target, None);
    let small_cursor = saves_after(Edit::Cursor, picture, options, target, None);
    vec![
        picture.name.clone(),
        format!("{:.1}", picture.image.source().len() as f64 / 1e6),
        format!("{:.2}", fast_size as f64 / 1e6),
        percent(fast_again, fast_size),
        percent(kept, fast_again),
        format!("{:.2}", small_size as f64 / 1e6),
        percent(small_again, small_size),
        format!("{:.2}", nothing.full * 1e3),
        nothing.gain(),
        everything.ratio(),
        format!("{:.0}", small_nothing.full * 1e3),
        small_nothing.gain(),
        small_cursor.gain(),
    ]
}

const MODES_HEAD: &[&str] = &[
    "image",
    "pixels, MB",
    "Fast, MB",
    "Fast, reuse: size, %",
    "kept: % of the file",
    "Small, MB",
    "Small, reuse: size, %",
    "2 threads: full, ms",
    "nothing",
    "everything: time",
    "Small: full, ms",
    "nothing",
    "cursor",
];

/// Returns a row of the table of `save_if_changed`.
fn unchanged_row(picture: &Picture, folder: &Path, rounds: usize) -> Vec<String> {
    let (path, other) = (folder.join("unchanged.png"), folder.join("other.png"));
    let (mut known, mut plain) = (PngEncoder::new(), PngEncoder::new());
    known.save_if_changed(&picture.image, &path).expect("saves");
    let time = |path: &Path| -> SystemTime {
        let metadata = fs::metadata(path).expect("exists");
        metadata.modified().expect("a time")
    };
    let before = time(&path);
    let mut times = [const { Vec::new() }; 4];
    let [full, by_digest, by_bytes, digests] = &mut times;
    for _ in 0..rounds {
        let unchanged = |encoder: &mut PngEncoder| {
            picture.time(|image| {
                let report = encoder.save_if_changed(image, &path).expect("saves");
                assert!(report.unchanged);
            })
        };
        full.push(picture.time(|image| plain.save(image, &other).expect("saves")));
        by_digest.push(unchanged(&mut known));
        by_bytes.push(unchanged(&mut PngEncoder::new()));
        digests.push(picture.time(|image| image.digest().expect("digests")));
    }
    assert_eq!(time(&path), before);
    let [full, by_digest, by_bytes, digest] = times.map(quartile);
    let ms = |time: f64| format!("{:.2}", time * 1e3);
    vec![
        picture.name.clone(),
        ms(full),
        ms(by_digest),
        format!("{:.1}", full / by_digest),
        ms(by_bytes),
        format!("{:.1}", full / by_bytes),
        ms(digest),
    ]
}

const UNCHANGED_HEAD: &[&str] = &[
    "image",
    "full save to a file, ms",
    "known file, ms",
    "× full",
    "unknown file, ms",
    "× full",
    "`digest`, ms",
];

/// Prints a table whose columns are aligned.
fn print_table(title: &str, head: &[&str], rows: &[Vec<String>]) {
    println!("\n{title}\n");
    let head: Vec<String> = head.iter().map(ToString::to_string).collect();
    let width = |column: usize| {
        let cells = rows.iter().chain([&head]).map(|row| row[column].chars());
        cells.map(Iterator::count).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let print = |row: &[String]| {
        let cells = row.iter().zip(&widths);
        let cells: Vec<String> = cells.map(|(cell, &w)| format!("{cell:w$}")).collect();
        println!("| {} |", cells.join(" | "));
    };
    print(&head);
    println!("|{}", "---|".repeat(head.len()));
    for row in rows {
        print(row);
    }
}

/// Draws the gains of saves to a null writer, from the rows of the first table.
fn draw(rows: &[Vec<String>]) -> String {
    let column = |name: &str| {
        let column = FAST_HEAD.iter().position(|&head| head == name);
        column.expect("a column of the table")
    };
    let columns = ["nothing: × full", "cursor", "rectangle", "1 % of rows"].map(column);
    let groups: Vec<_> = rows
        .iter()
        .filter(|row| row[1] == Target::Null.name())
        .map(|row| {
            let gain = |column: usize| row[column].parse().expect("a number");
            (row[0].clone(), columns.map(gain).to_vec())
        })
        .collect();
    let chart = Bars {
        title: "Saves again, in Fast with one thread",
        subtitle: "The time of a full save divided by that of a save again, by what has changed",
        series: &[
            "nothing",
            "32 × 32 pixels",
            "a tenth by a tenth",
            "1 % of the rows",
        ],
        groups: &groups,
        digits: 1,
    };
    chart.draw()
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let flag = |name: &str| arguments.iter().any(|argument| argument == name);
    let test = flag("--test");
    let wanted = |name: &str| {
        let mut names = arguments.iter().filter(|name| !name.starts_with("--"));
        names.clone().count() == 0 || names.any(|part| name.contains(part.as_str()))
    };
    let rounds = if test { 1 } else { 15 };
    let folder = std::env::temp_dir().join(format!("pixview-resave-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("can be created");

    let (mut fast, mut modes, mut unchanged) = (Vec::new(), Vec::new(), Vec::new());
    let mut measure = |name: &str, image: Image<Vec<u8>>| {
        let pixels = f64::from(image.width()) * f64::from(image.height()) / 1e6;
        let name = format!("{name}, {}, {pixels:.1} MP", image.format());
        eprintln!("{name}");
        let mut picture = Picture::new(&name, image, !flag("--warm"));
        unchanged.push(unchanged_row(&picture, &folder, rounds));
        modes.push(modes_row(&mut picture, rounds));
        for mut target in [
            Target::Null,
            Target::Reserved(Vec::with_capacity(picture.image.source().len() + (1 << 20))),
            Target::Path(folder.join("saved.png")),
        ] {
            fast.push(fast_row(&mut picture, &mut target, rounds));
        }
    };
    if test {
        measure("interface", interface((320, 200)));
    } else {
        for (name, draw, size) in SCENES {
            if wanted(name) {
                measure(name, draw(size));
            }
        }
        if let Some(folder) = std::env::var_os("PIXVIEW_CORPUS") {
            let entries = fs::read_dir(folder).expect("PIXVIEW_CORPUS names a folder");
            let mut paths: Vec<_> = entries
                .map(|entry| entry.expect("can be listed").path())
                .filter(|path| {
                    path.extension()
                        .is_some_and(|e| e.eq_ignore_ascii_case("png"))
                })
                .filter(|path| wanted(&path.to_string_lossy()))
                .collect();
            paths.sort();
            for (name, image) in paths.iter().filter_map(|path| open(path)) {
                measure(&name, image);
            }
        }
    }
    fs::remove_dir_all(&folder).expect("can be removed");
    print_table(
        "Fast, one thread: the time of a full save divided by that of a save again, by what has \
         changed; if everything changes, the inverse",
        FAST_HEAD,
        &fast,
    );
    print_table(
        "Sizes; and other modes, to a null writer",
        MODES_HEAD,
        &modes,
    );
    print_table(
        "`save_if_changed` of an unchanged image, in Fast with one thread",
        UNCHANGED_HEAD,
        &unchanged,
    );
    plot::write(|| draw(&fast));
}
