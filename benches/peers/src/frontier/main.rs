//! Compares deflate encoders on the same filtered scanlines, in one run and one
//! thread, and beside them whole saves of this crate and of `png`.
//!
//! ```text
//! cd benches/peers
//! PIXVIEW_CORPUS=folder/of/pngs cargo run --release --bin frontier
//! ```
//!
//! With the argument `--each` it prints the figures of every picture too. With
//! `--features isal` it measures ISA-L too. With `PIXVIEW_PLOT=file.svg` it writes
//! the chart of the documentation:
//!
//! ```text
//! PIXVIEW_CORPUS=folder PIXVIEW_PLOT=../../src/docs/performance/frontier.svg \
//!     cargo run --release --bin frontier --features isal
//! ```
//!
//! The scanlines are those of the format of the file. Each row has the filter with
//! the minimum sum. Pictures with a palette or with less than 8 bits are compressed
//! without a filter too, and for each encoder the smaller result counts. The
//! encoders get them in strips of 512 KiB, in whole rows, each a stream
//! of its own. Their time is that of deflate and of our filter, and their size is
//! that of a file with a chunk for each strip. Checksums of the file are left out,
//! which favors them over whole saves. The output is checked once.
//!
//! Every time is the shortest of several runs, which alternate, because other work
//! of the machine only adds time.

pub mod encoders;
#[cfg(feature = "isal")]
mod isal;
#[path = "../pictures.rs"]
mod pictures;
#[path = "../../../plot.rs"]
mod plot;
#[path = "../scatter.rs"]
mod scatter;

use std::time::Instant;

use pixview::internals::{FastDeflate, Registers, Step, Strip};

use encoders::{Encoder, REFERENCE, Work};
use pictures::{Picture, decodes_to, geometric_mean};
use plot::COLORS;
use scatter::{Point, Scatter, on_frontier};

/// The size of strips, about.
const STRIP: usize = 512 << 10;

/// The bytes of a file beside the deflate streams: signature, header, end, and the
/// wrapper of zlib; and of the chunk for each strip.
const FILE: usize = 8 + 25 + 12 + 6;
const CHUNK: usize = 12;

/// For each encoder and picture: at least these runs, and more until this time is
/// over.
const RUNS: usize = 2;
const SECONDS: f64 = 0.15;
const MOST_RUNS: usize = 20;

/// The chart leaves out larger files.
const LARGEST: f64 = 1.2;

/// The filtered scanlines of a picture.
struct Scanlines {
    /// With padding behind them.
    bytes: Vec<u8>,
    len: usize,
    strip: usize,
    /// The time of the filter, in seconds.
    filter: f64,
}

impl Scanlines {
    /// Filters a picture in each way that is tried.
    fn of(p: &Picture) -> Vec<Self> {
        let rows = p.height as usize;
        let row_size = p.png.len() / rows;
        let bits = p.format.channels() * usize::from(p.format.bit_depth());
        let mut strip = Strip::new(&p.png, row_size, bits.div_ceil(8));
        let strip_rows = (STRIP / (row_size + 1)).max(1);
        let scanlines = |strip: &Strip, filter| Scanlines {
            bytes: strip.scanlines().to_vec(),
            len: strip.size(),
            strip: strip_rows * (row_size + 1),
            filter,
        };
        let mut ways = Vec::new();
        if p.palette.is_some() || p.format.bit_depth() < 8 {
            ways.push(scanlines(&strip, 0.0));
        }
        let registers = Registers::all().pop().expect("the last are the widest");
        let mut filter = f64::MAX;
        for _ in 0..5 {
            strip.restore();
            let start = Instant::now();
            strip.run(registers, Step::Smallest);
            filter = filter.min(start.elapsed().as_secs_f64());
        }
        ways.push(scanlines(&strip, filter));
        ways
    }

    /// Returns the strips: their first bytes, with what follows, and their sizes.
    fn strips(&self) -> impl Iterator<Item = (&[u8], usize)> {
        let strip = |at| (&self.bytes[at..], self.strip.min(self.len - at));
        (0..self.len).step_by(self.strip).map(strip)
    }
}

/// The shortest time and the size of a file, for an encoder and a picture.
#[derive(Clone, Copy)]
struct Figures {
    seconds: f64,
    bytes: usize,
}

/// The memory that the encoders write to.
struct Output {
    file: Vec<u8>,
    stream: Vec<u8>,
}

/// Runs an encoder once and returns its time and size. `check` looks at the output
/// of deflate.
fn run_once(
    encoder: &mut Encoder,
    p: &Picture,
    scanlines: &Scanlines,
    output: &mut Output,
    check: &mut dyn FnMut(&[u8], &[u8]),
) -> Figures {
    match &mut encoder.work {
        Work::Save(save) => {
            output.file.clear();
            let start = Instant::now();
            save(p, &mut output.file);
            let seconds = start.elapsed().as_secs_f64();
            let bytes = output.file.len();
            Figures { seconds, bytes }
        }
        Work::Deflate { wrapper, run } => {
            let (mut seconds, mut bytes) = (scanlines.filter, FILE);
            for (strip, len) in scanlines.strips() {
                let start = Instant::now();
                let written = run(strip, len, &mut output.stream);
                seconds += start.elapsed().as_secs_f64();
                let stream = wrapper.within(&output.stream[..written]);
                bytes += CHUNK + stream.len();
                check(&strip[..len], stream);
            }
            Figures { seconds, bytes }
        }
    }
}

/// Measures every encoder with a picture.
fn measure(encoders: &mut [Encoder], p: &Picture) -> Vec<Figures> {
    let ways = Scanlines::of(p);
    let mut output = Output {
        file: Vec::new(),
        stream: vec![0; FastDeflate::bound(ways[0].strip) * 2],
    };
    // Checks the output, and finds the way that is smallest for each encoder.
    let mut best: Vec<(usize, Figures)> = Vec::new();
    for encoder in &mut *encoders {
        let name = encoder.name.clone();
        let mut check = |data: &[u8], stream: &[u8]| {
            assert!(inflate(&name, stream, data.len()) == data, "{name}");
        };
        let mut sizes = Vec::new();
        for (way, scanlines) in ways.iter().enumerate() {
            let figures = run_once(encoder, p, scanlines, &mut output, &mut check);
            sizes.push((way, figures));
        }
        if let Work::Save(_) = encoder.work {
            assert!(decodes_to(p, &name, &output.file), "{name} of {}", p.name);
        }
        sizes.sort_by_key(|(_, figures)| figures.bytes);
        best.push(sizes[0]);
    }
    let mut spent = vec![0.0; encoders.len()];
    for round in 0..MOST_RUNS {
        for (i, encoder) in encoders.iter_mut().enumerate() {
            if round >= RUNS && spent[i] > SECONDS {
                continue;
            }
            let (way, figures) = &mut best[i];
            let run = run_once(encoder, p, &ways[*way], &mut output, &mut |_, _| {});
            assert_eq!(run.bytes, figures.bytes, "{}", encoder.name);
            figures.seconds = match round {
                0 => run.seconds,
                _ => figures.seconds.min(run.seconds),
            };
            spent[i] += run.seconds;
        }
    }
    best.into_iter().map(|(_, figures)| figures).collect()
}

/// Inflates a stream with a package that did not write it.
fn inflate(encoder: &str, stream: &[u8], len: usize) -> Vec<u8> {
    if encoder.starts_with("libdeflate") {
        return miniz_oxide::inflate::decompress_to_vec(stream).unwrap();
    }
    let mut data = vec![0; len];
    let mut decompressor = libdeflater::Decompressor::new();
    let written = decompressor.deflate_decompress(stream, &mut data).unwrap();
    data.truncate(written);
    data
}

/// Measures the encoders of [`encoders::all`] and `more`, and prints and draws the
/// figures. A program that includes this file as a module can add encoders.
pub fn run(more: Vec<Encoder>) {
    let mut encoders = encoders::all();
    encoders.extend(more);
    let pictures = pictures::as_they_are(&pictures::files());
    let results: Vec<Vec<Figures>> = pictures
        .iter()
        .map(|p| {
            eprintln!("{} {}x{} {}", p.name, p.width, p.height, p.format);
            measure(&mut encoders, p)
        })
        .collect();
    let reference = encoders.iter().position(|e| e.name == REFERENCE).unwrap();
    let faster = |e: usize, r: &[Figures]| r[reference].seconds / r[e].seconds;
    let size = |e: usize, r: &[Figures]| r[e].bytes as f64 / r[reference].bytes as f64;

    let means = |e: usize| {
        let all = || pictures.iter().zip(&results);
        let speed = all().map(|(p, r)| p.png.len() as f64 / r[e].seconds / 1e6);
        (
            geometric_mean(speed),
            geometric_mean(all().map(|(_, r)| faster(e, r))),
            geometric_mean(all().map(|(_, r)| size(e, r))),
        )
    };
    let mut points: Vec<_> = encoders
        .iter()
        .enumerate()
        .map(|(e, encoder)| Point {
            name: &encoder.name,
            color: COLORS[usize::from(encoder.is_ours())],
            speed: means(e).1,
            size: means(e).2,
            ours: encoder.is_ours(),
        })
        .collect();
    let mut order: Vec<_> = (0..encoders.len()).collect();
    order.sort_by(|&a, &b| points[b].speed.total_cmp(&points[a].speed));
    println!("| | MB/s | × {REFERENCE} | size, {REFERENCE} = 1 | worst picture |");
    println!("|---|---|---|---|---|");
    for &e in &order {
        let (speed, faster, mean) = means(e);
        let worst = pictures.iter().zip(&results);
        let worst = worst.max_by(|a, b| size(e, a.1).total_cmp(&size(e, b.1)));
        let (worst, figures) = worst.expect("there are pictures");
        let star = if on_frontier(&points, &points[e]) {
            "★ "
        } else {
            ""
        };
        let name = match encoders[e].is_ours() {
            true => format!("**{}**", encoders[e].name),
            false => encoders[e].name.clone(),
        };
        println!(
            "| {star}{name} | {speed:.0} | {faster:.2} | {mean:.3} | {:.3} {} |",
            size(e, figures),
            worst.name
        );
    }
    println!("\n★: nothing else is both faster and smaller.");
    if std::env::args().any(|arg| arg == "--each") {
        println!("\neach picture: speed and size, {REFERENCE} = 1");
        for (p, r) in pictures.iter().zip(&results) {
            println!("{} {}x{} {}", p.name, p.width, p.height, p.format);
            for &e in &order {
                let (faster, size) = (faster(e, r), size(e, r));
                println!("  {:24} {faster:7.2} {size:.3}", encoders[e].name);
            }
        }
    }
    // Packages with several levels have colors, and labels of the levels alone.
    let mut legend: Vec<(&str, &str)> = Vec::new();
    let levels: Vec<_> = encoders.iter().map(Encoder::level).collect();
    for (point, level) in points.iter_mut().zip(&levels) {
        let Some((package, level)) = *level else {
            continue;
        };
        if levels.iter().flatten().filter(|l| l.0 == package).count() < 2 {
            continue;
        }
        let known = legend.iter().position(|(name, _)| *name == package);
        let at = known.unwrap_or_else(|| {
            legend.push((package, COLORS[2 + legend.len() % 4]));
            legend.len() - 1
        });
        if point.size < LARGEST {
            point.name = level;
        }
        point.color = legend[at].1;
    }
    // Ours are labeled first, where there is most room.
    points.sort_by_key(|p| !p.ours);
    plot::write(|| {
        let chart = Scatter {
            title: "Deflate for PNG: speed and size",
            subtitle: "Right is faster, down is smaller. Points on the line: nothing else is both faster and smaller",
            speed_unit: &format!("speed, {REFERENCE} = 1"),
            size_unit: &format!("size, {REFERENCE} = 1"),
            points: &points,
            legend: &legend,
            largest: LARGEST,
            frontier: true,
            height: 640.0,
        };
        chart.draw()
    });
}

fn main() {
    run(Vec::new());
}
