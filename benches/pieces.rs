//! The pieces of a strip, each on its own and with each set of registers:
//! filters, tokenizer, the codes' statistics, emitter, and all of them one
//! after the other.
//!
//! Over drawn scenes; and over the first strips of the PNG files of a folder
//! named by `PIXVIEW_CORPUS`. Throughput is in bytes of scanlines.
//!
//! The pieces are private, so their files are compiled into this program.

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use pixview::Image;

#[allow(dead_code)]
#[path = "../src/alloc.rs"]
mod alloc;
#[allow(dead_code)]
#[path = "../src/arch.rs"]
mod arch;
#[allow(dead_code, unused_imports)]
#[path = "../src/deflate/mod.rs"]
mod deflate;
#[allow(dead_code, unused_imports)]
#[path = "../src/png/encode/filter/mod.rs"]
mod filter;

use arch::{Portable, Registers, dispatch};
use deflate::bits::State;
use deflate::block::{self, Tables};
use deflate::tokens::{self, Token};
use deflate::{Deflate, PADDING, bound};
use filter::{FilterChoice, FilterKernels, FilterType};

/// Bytes of scanlines in a strip, about.
const STRIP: usize = 512 << 10;

#[derive(Clone, Copy, PartialEq)]
enum Piece {
    /// In place.
    Filter(FilterChoice),
    /// From stable memory into the strip.
    FilterTo(FilterChoice),
    Tokens,
    Count,
    Emit,
    /// Paeth and all that the fast mode does.
    Strip,
}

/// What a piece works on.
struct Work {
    row_size: usize,
    pixel_size: usize,
    /// Scanlines as they come from the image.
    raw: Vec<u8>,
    /// To be filtered in place; then padding.
    rows: Vec<u8>,
    /// Filtered, with padding.
    filtered: Vec<u8>,
    tokens: Vec<Token>,
    tables: Tables,
    deflate: Deflate,
    out: Vec<u8>,
}

impl Work {
    fn new(rows: &[u8], row_size: usize, pixel_size: usize) -> Self {
        let count = (STRIP / (row_size + 1)).clamp(1, rows.len() / row_size);
        let mut raw = Vec::new();
        for row in rows.chunks(row_size).take(count) {
            raw.push(0);
            raw.extend(row);
        }
        let mut filtered = raw.clone();
        filter::filter_rows(
            Portable,
            FilterChoice::Fixed(FilterType::Paeth),
            &mut filtered,
            row_size,
            None,
            pixel_size,
        );
        let mut tokens = Vec::new();
        tokens::tokenize(Portable, &filtered, &mut tokens);
        let len = filtered.len();
        filtered.resize(len + PADDING, 0);
        let mut work = Work {
            row_size,
            pixel_size,
            rows: raw.clone(),
            filtered,
            tokens,
            tables: Tables::default(),
            deflate: Deflate::default(),
            out: vec![0; bound(len)],
            raw,
        };
        work.rows.resize(len + PADDING, 0);
        // Fills the tables.
        let mut writer = deflate::bits::BitWriter::new(&mut work.out);
        block::write(
            Portable,
            &mut writer,
            &mut work.tables,
            &work.filtered,
            len,
            &work.tokens,
        );
        work
    }

    /// Puts back what filters overwrite.
    fn restore(&mut self) {
        self.rows[..self.raw.len()].copy_from_slice(&self.raw);
    }

    #[inline(always)]
    fn filter_to<K: FilterKernels>(&mut self, kernels: K, choice: FilterChoice) {
        let line = self.row_size + 1;
        let mut above = None;
        let rows = self.rows.chunks_exact_mut(line);
        for (scanline, row) in rows.zip(self.raw.chunks_exact(line)) {
            let row = &row[1..];
            filter::filter_row_to(kernels, choice, row, above, self.pixel_size, scanline);
            above = Some(row);
        }
    }

    #[inline(always)]
    fn run<K: FilterKernels>(&mut self, kernels: K, piece: Piece) {
        let len = self.raw.len();
        let rows = &mut self.rows[..len];
        let (row_size, pixel_size) = (self.row_size, self.pixel_size);
        match piece {
            Piece::Filter(filter) => {
                filter::filter_rows(kernels, filter, rows, row_size, None, pixel_size);
            }
            Piece::FilterTo(choice) => self.filter_to(kernels, choice),
            Piece::Tokens => {
                let data = &self.filtered[..len];
                tokens::tokenize(kernels, data, &mut self.tokens);
            }
            Piece::Count => {
                std::hint::black_box(block::count(&self.filtered[..len], &self.tokens));
            }
            Piece::Emit => {
                let (mut state, limit) = (State::default(), block::stored_size(len));
                let (out, tables) = (&mut self.out, &self.tables);
                kernels.emit(out, &mut state, tables, &self.filtered, &self.tokens, limit);
            }
            Piece::Strip => {
                self.filter_to(kernels, FilterChoice::Fixed(FilterType::Paeth));
                self.deflate.fast(kernels, &self.rows, len, &mut self.out);
            }
        }
    }
}

dispatch! {
    fn run<kernels>(work: &mut Work, piece: Piece) -> () {
        work.run(kernels, piece)
    }
}

fn pieces(c: &mut Criterion, name: &str, work: &mut Work) {
    let all = [
        (
            "filter Sub",
            Piece::Filter(FilterChoice::Fixed(FilterType::Sub)),
        ),
        (
            "filter Up",
            Piece::Filter(FilterChoice::Fixed(FilterType::Up)),
        ),
        (
            "filter Average",
            Piece::Filter(FilterChoice::Fixed(FilterType::Average)),
        ),
        (
            "filter Paeth",
            Piece::Filter(FilterChoice::Fixed(FilterType::Paeth)),
        ),
        (
            "filter Paeth from",
            Piece::FilterTo(FilterChoice::Fixed(FilterType::Paeth)),
        ),
        ("filter smallest", Piece::Filter(FilterChoice::MinSum)),
        ("tokenizer", Piece::Tokens),
        ("statistics", Piece::Count),
        ("emitter", Piece::Emit),
        ("strip", Piece::Strip),
    ];
    for (piece_name, piece) in all {
        let mut group = c.benchmark_group(format!("{name}/{piece_name}"));
        group
            .sample_size(20)
            .throughput(Throughput::Bytes(work.raw.len() as u64));
        for registers in Registers::all() {
            let work = std::cell::RefCell::new(&mut *work);
            group.bench_function(registers.name(), |b| {
                b.iter_batched(
                    || work.borrow_mut().restore(),
                    |()| run(registers, *work.borrow_mut(), piece),
                    BatchSize::PerIteration,
                );
            });
        }
        group.finish();
    }
}

/// A landscape with grain, between a photograph and a drawing; flat areas
/// with sharp edges; and noise.
fn scenes(c: &mut Criterion) {
    let (width, height) = (1200usize, 140usize);
    let mut seed = 1u32;
    let mut noise = move || {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 24) as u8
    };
    let mut draw = |color: &dyn Fn(usize, usize, u8) -> [u8; 3]| {
        let place = |i: usize| (i % width, i / width);
        let pixels = (0..width * height).map(place);
        let bytes: Vec<u8> = pixels.flat_map(|(x, y)| color(x, y, noise())).collect();
        Work::new(&bytes, width * 3, 3)
    };
    let mut landscape = draw(&|x, y, noise| {
        let grain = (noise.leading_zeros() as u8).min(6);
        let hill = y as f32 > 70.0 + 30.0 * (x as f32 / 90.0).sin();
        if hill {
            [40 + grain, 90 + (y / 2) as u8 + grain, 50]
        } else {
            [100 + (y / 2) as u8, 150 + (x / 40) as u8, 230 - grain]
        }
    });
    pieces(c, "landscape", &mut landscape);
    let mut flat = draw(
        &|x, y, _| match (x / 97 + y / 31 + usize::from(x % 53 < y % 17)) % 4 {
            0 => [250, 250, 250],
            1 => [30, 40, 60],
            2 => [200, 30, 40],
            _ => [240, 200, 20],
        },
    );
    pieces(c, "flat", &mut flat);
    let mut random = draw(&|_, _, noise| [noise, noise.wrapping_mul(91), noise ^ 0x55]);
    pieces(c, "noise", &mut random);
}

fn corpus(c: &mut Criterion) {
    let Some(folder) = std::env::var_os("PIXVIEW_CORPUS") else {
        return;
    };
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .expect("PIXVIEW_CORPUS names a folder")
        .map(|entry| entry.expect("can be listed").path())
        .filter(|path| {
            path.extension()
                .is_some_and(|e| e.eq_ignore_ascii_case("png"))
        })
        .collect();
    paths.sort();
    for path in paths {
        let image = Image::open(&path).unwrap_or_else(|error| panic!("{error:#}"));
        let name = path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let (width, format) = (image.width() as usize, image.format());
        let mut pixels = image.into_source();
        if format.bit_depth() == 16 {
            for sample in pixels.as_chunks_mut().0 {
                *sample = u16::from_ne_bytes(*sample).to_be_bytes();
            }
        }
        let pixel_size = format.channels() * usize::from(format.bit_depth()) / 8;
        // Not from the top, where skies are.
        let row_size = width * pixel_size;
        let middle = pixels.len() / row_size / 3 * row_size;
        pieces(
            c,
            &name,
            &mut Work::new(&pixels[middle..], row_size, pixel_size),
        );
    }
}

criterion_group!(benches, scenes, corpus);
criterion_main!(benches);
