//! The private parts that the benchmarks in `benches` and the fuzz targets in
//! `tests/fuzz` run.
//!
//! Compiled only for them: `benches/.cargo/config.toml` sets
//! `--cfg pixview_internals`, and `cargo fuzz` sets `--cfg fuzzing`. Not part of
//! the public interface; anything here may change in any version.

use crate::arch::{self, Portable, dispatch};
use crate::deflate::bits::{BitWriter, State};
use crate::deflate::block::{self, Tables};
use crate::deflate::tokens::{self, Token};
use crate::deflate::{self, Deflate, Effort, symbols};
use crate::format::{self, BitOrder};
use crate::png::encode::filter::{self, FilterChoice, FilterKernels, FilterType};
use crate::png::encode::search::effort;
use crate::{Compression, PixelFormat};

/// A set of vector registers that this processor has.
#[derive(Clone, Copy, Debug)]
pub struct Registers(arch::Registers);

impl Registers {
    /// Returns every set of registers of this processor.
    #[must_use]
    pub fn all() -> Vec<Self> {
        arch::Registers::all().into_iter().map(Registers).collect()
    }

    /// Returns the name of the set, for reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.0.name()
    }
}

/// Compresses `data` to a zlib stream (RFC 1950) of one piece, as the mode does:
/// `Fast`, `Small` or `Best`.
///
/// # Panics
///
/// Panics if two sets of registers of this processor give different bytes, or if the
/// memory for a search is missing.
#[must_use]
pub fn deflate(data: &[u8], compression: Compression) -> Vec<u8> {
    let effort = effort(compression);
    let mut scratch = Deflate::default();
    if let Some(effort) = effort {
        let reserved = scratch.reserve_search(effort, data.len());
        reserved.expect("there is memory");
    }
    let mut piece: Option<Vec<u8>> = None;
    for (i, registers) in arch::Registers::all().into_iter().enumerate() {
        // The result must depend neither on the padding nor on the old bytes
        // of `out`.
        let junk = [0, 0xff, 0x5a][i];
        let mut padded = data.to_vec();
        padded.resize(data.len() + deflate::PADDING, junk);
        let mut out = vec![!junk; deflate::bound(data.len())];
        let size = compress(
            registers,
            &mut scratch,
            effort,
            &padded,
            data.len(),
            &mut out,
        );
        out.truncate(size);
        let expected = piece.get_or_insert_with(|| out.clone());
        let name = registers.name();
        assert!(out == *expected, "{name} differs from portable code");
    }
    let adler = simd_adler32::adler32(&data).to_be_bytes();
    [
        &[0x78, 0x01],
        &piece.unwrap_or_default()[..],
        &deflate::END,
        &adler,
    ]
    .concat()
}

dispatch! {
    fn compress<kernels>(
        scratch: &mut Deflate,
        effort: Option<Effort>,
        padded: &[u8],
        len: usize,
        out: &mut [u8],
    ) -> usize {
        match effort {
            None => scratch.fast(kernels, padded, len, out),
            Some(effort) => scratch.searched(kernels, effort, padded, len, out),
        }
    }
}

/// The compressor of the fast mode, without the filter.
#[expect(
    missing_debug_implementations,
    reason = "the tables of deflate have none"
)]
pub struct FastDeflate {
    registers: Registers,
    deflate: Deflate,
}

impl FastDeflate {
    /// The number of bytes behind the data that may be read. Their values do not
    /// matter.
    pub const PADDING: usize = deflate::PADDING;

    /// Makes the compressor for one set of registers.
    #[must_use]
    pub fn new(registers: Registers) -> Self {
        FastDeflate {
            registers,
            deflate: Deflate::default(),
        }
    }

    /// Returns the length of `out` that [`run`](FastDeflate::run) needs.
    #[must_use]
    pub fn bound(len: usize) -> usize {
        deflate::bound(len) + deflate::END.len()
    }

    /// Compresses `padded[..len]` to a whole stream without a wrapper (RFC 1951)
    /// and returns the bytes written.
    pub fn run(&mut self, padded: &[u8], len: usize, out: &mut [u8]) -> usize {
        let size = compress(self.registers.0, &mut self.deflate, None, padded, len, out);
        let end = size + deflate::END.len();
        out[size..end].copy_from_slice(&deflate::END);
        end
    }
}

/// Returns the bytes that `width` pixels of `format` have in PNG.
#[must_use]
pub fn png_row_size(format: PixelFormat, width: u32) -> usize {
    format.png().row_size(width) as usize
}

/// Returns the bytes of a pixel of `format` in memory.
#[must_use]
pub fn pixel_size(format: PixelFormat) -> usize {
    format.pixel_size()
}

/// Converts a row of pixels to PNG samples.
pub fn to_png(format: PixelFormat, pixels: &[u8], png: &mut [u8]) {
    format::to_png(format, pixels, png);
}

/// Converts PNG samples to a row of pixels.
pub fn from_png(format: PixelFormat, png: &[u8], pixels: &mut [u8]) {
    format::from_png(format, png, pixels);
}

/// Unpacks pixels of `bits` bits each into a byte each. `lsb_first` tells
/// whether the first pixel of a byte is in its least significant bits.
pub fn unpack(bits: u8, lsb_first: bool, from: &[u8], to: &mut [u8]) {
    format::unpack(bits, bit_order(lsb_first), from, 0, to);
}

/// Packs a byte per pixel into `bits` bits each.
pub fn pack(bits: u8, lsb_first: bool, from: &[u8], to: &mut [u8]) {
    format::pack(bits, bit_order(lsb_first), from, 0, to);
}

fn bit_order(lsb_first: bool) -> BitOrder {
    if lsb_first {
        BitOrder::Lsb
    } else {
        BitOrder::Msb
    }
}

/// A step of compressing a strip, to be timed alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Filters every row in place with Sub.
    Sub,
    /// Filters every row in place with Up.
    Up,
    /// Filters every row in place with Average.
    Average,
    /// Filters every row in place with Paeth.
    Paeth,
    /// Filters every row with Paeth, out of stable memory into the strip.
    PaethTo,
    /// Chooses a filter for each row by the sum of its bytes, in place.
    Smallest,
    /// Splits filtered scanlines into literals and runs of zeros.
    Tokenize,
    /// Counts the symbols of the tokens.
    Count,
    /// Writes the tokens with codes that are known.
    Emit,
    /// Filters with Paeth into the strip and compresses it: all that the fast
    /// mode does.
    Whole,
}

impl Step {
    /// Every step, with the name that reports use.
    pub const ALL: [(&str, Step); 10] = [
        ("filter Sub", Step::Sub),
        ("filter Up", Step::Up),
        ("filter Average", Step::Average),
        ("filter Paeth", Step::Paeth),
        ("filter Paeth from", Step::PaethTo),
        ("filter smallest", Step::Smallest),
        ("tokenizer", Step::Tokenize),
        ("statistics", Step::Count),
        ("emitter", Step::Emit),
        ("strip", Step::Whole),
    ];
}

const PAETH: FilterChoice = FilterChoice::Fixed(FilterType::Paeth);

/// The scanlines of a strip, and the memory that each [`Step`] works on.
#[expect(
    missing_debug_implementations,
    reason = "the tables of deflate have none"
)]
pub struct Strip {
    row_size: usize,
    pixel_size: usize,
    /// Scanlines as they come from the image.
    raw: Vec<u8>,
    /// Scanlines to be filtered in place; then padding.
    rows: Vec<u8>,
    /// Filtered scanlines, then padding.
    filtered: Vec<u8>,
    tokens: Vec<Token>,
    tables: Tables,
    deflate: Deflate,
    out: Vec<u8>,
}

impl Strip {
    /// Makes a strip of rows of `row_size` bytes of PNG samples.
    ///
    /// # Panics
    ///
    /// Panics if `row_size` is 0.
    #[must_use]
    pub fn new(rows: &[u8], row_size: usize, pixel_size: usize) -> Self {
        let mut raw = Vec::new();
        for row in rows.chunks_exact(row_size) {
            raw.push(0);
            raw.extend(row);
        }
        let len = raw.len();
        let mut filtered = raw.clone();
        filter::filter_rows(Portable, PAETH, &mut filtered, row_size, None, pixel_size);
        let mut tokens = Vec::new();
        tokens::tokenize(Portable, &filtered, &mut tokens);
        filtered.resize(len + deflate::PADDING, 0);
        let mut tables = Tables::default();
        let mut out = vec![0; deflate::bound(len)];
        // Fills the tables, which `Step::Emit` uses.
        let mut writer = BitWriter::new(&mut out);
        let frequencies = symbols::count(&filtered[..len], &tokens);
        block::write(
            Portable,
            &mut writer,
            &mut tables,
            &filtered,
            len,
            &tokens,
            &frequencies,
        );
        let mut rows = raw.clone();
        rows.resize(len + deflate::PADDING, 0);
        Strip {
            row_size,
            pixel_size,
            raw,
            rows,
            filtered,
            tokens,
            tables,
            deflate: Deflate::default(),
            out,
        }
    }

    /// Returns the bytes of all scanlines.
    #[must_use]
    pub fn size(&self) -> usize {
        self.raw.len()
    }

    /// Restores the scanlines that filters have overwritten.
    pub fn restore(&mut self) {
        self.rows[..self.raw.len()].copy_from_slice(&self.raw);
    }

    /// Returns the scanlines that the steps filter in place, and behind them
    /// [`FastDeflate::PADDING`] bytes.
    #[must_use]
    pub fn scanlines(&self) -> &[u8] {
        &self.rows
    }

    /// Runs one step.
    pub fn run(&mut self, registers: Registers, step: Step) {
        run(registers.0, self, step);
    }

    #[inline(always)]
    fn filter<K: FilterKernels>(&mut self, kernels: K, choice: FilterChoice) {
        let rows = &mut self.rows[..self.raw.len()];
        filter::filter_rows(kernels, choice, rows, self.row_size, None, self.pixel_size);
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
    fn run_with<K: FilterKernels>(&mut self, kernels: K, step: Step) {
        let len = self.raw.len();
        match step {
            Step::Sub => self.filter(kernels, FilterChoice::Fixed(FilterType::Sub)),
            Step::Up => self.filter(kernels, FilterChoice::Fixed(FilterType::Up)),
            Step::Average => self.filter(kernels, FilterChoice::Fixed(FilterType::Average)),
            Step::Paeth => self.filter(kernels, PAETH),
            Step::PaethTo => self.filter_to(kernels, PAETH),
            Step::Smallest => self.filter(kernels, FilterChoice::MinSum),
            Step::Tokenize => {
                tokens::tokenize(kernels, &self.filtered[..len], &mut self.tokens);
            }
            Step::Count => {
                std::hint::black_box(symbols::count(&self.filtered[..len], &self.tokens));
            }
            Step::Emit => {
                let (mut state, limit) = (State::default(), block::stored_size(len));
                let (out, tables) = (&mut self.out, &self.tables);
                kernels.emit(out, &mut state, tables, &self.filtered, &self.tokens, limit);
            }
            Step::Whole => {
                self.filter_to(kernels, PAETH);
                self.deflate.fast(kernels, &self.rows, len, &mut self.out);
            }
        }
    }
}

dispatch! {
    fn run<kernels>(strip: &mut Strip, step: Step) -> () {
        strip.run_with(kernels, step)
    }
}
