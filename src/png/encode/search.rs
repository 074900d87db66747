//! The modes that search for matches: the levels of the library, the trial of
//! filters on a sample, and the choice between a search and codes alone.

use super::filter::{FilterChoice, FilterKernels, FilterType, filter_row_to};
use super::options::Compression;
use crate::deflate::{Deflate, LibraryDeflate};

/// Bytes of scanlines that filters are tried on.
pub(super) const SAMPLE: usize = 32 << 10;

/// The levels of the library for a mode.
#[derive(Clone, Copy)]
pub(super) struct SearchLevels {
    /// The level for most strips.
    pub(super) usual: i32,
    /// The level for dense strips: those of which Huffman codes alone leave a
    /// quarter or less.
    dense: i32,
    /// Whether only dense strips are tried without a filter.
    tries_dense_only: bool,
}

impl SearchLevels {
    /// Returns the levels of a mode, or `None` for modes without a search.
    pub(super) fn of(compression: Compression) -> Option<SearchLevels> {
        let (usual, dense, tries_dense_only) = match compression {
            Compression::Stored | Compression::Fast => return None,
            Compression::Small => (4, 5, true),
            Compression::Best => (7, 7, false),
        };
        Some(SearchLevels {
            usual,
            dense,
            tries_dense_only,
        })
    }

    /// Returns the level for `len` bytes of which codes alone leave `estimate`.
    fn level(self, estimate: usize, len: usize) -> i32 {
        if estimate <= len / 4 {
            self.dense
        } else {
            self.usual
        }
    }

    /// Returns the most bytes that codes alone may leave of `len` bytes for a
    /// trial without a filter.
    fn most_for_trial(self, len: usize) -> usize {
        if self.tries_dense_only { len / 4 } else { len }
    }
}

/// Compresses `data[..len]` with a search for matches, or with codes alone where
/// that is smaller, and returns the number of bytes. `data` has
/// [`PADDING`](crate::deflate::PADDING) more.
#[inline(always)]
pub(super) fn deflate<K: FilterKernels>(
    kernels: K,
    levels: SearchLevels,
    deflate: &mut Deflate,
    library: &mut Option<LibraryDeflate>,
    data: &[u8],
    len: usize,
    out: &mut [u8],
) -> usize {
    let rows = &data[..len];
    let estimate = deflate.estimate(kernels, rows);
    let level = levels.level(estimate, len);
    let searched = search(library, level, rows, out);
    if estimate >= searched {
        return searched;
    }
    // In data with hardly any repeats the search finds short matches, which
    // cost more than literals.
    let fast = deflate.fast(kernels, data, len, out);
    if fast <= searched {
        return fast;
    }
    // The estimate was too low, since it has no headers.
    search(library, level, rows, out)
}

/// Compresses with the library and returns the number of bytes. Stores the data
/// if there is no state, which [`Strip::prepare`](super::strip::Strip::prepare)
/// makes.
fn search(library: &mut Option<LibraryDeflate>, level: i32, data: &[u8], out: &mut [u8]) -> usize {
    match library {
        Some(library) => library.deflate(level, data, out),
        None => Deflate::stored(data, out),
    }
}

/// Rows of a strip on which filters are tried. The row above a row is the row
/// before it; the strip has a row above its first, unless it is the first.
pub(super) struct Trial<'r, R> {
    /// Rows of the strip.
    pub(super) lines: usize,
    pub(super) row_size: usize,
    pub(super) pixel_size: usize,
    /// Returns a row, counted from the first row of the strip.
    pub(super) row: R,
    /// The row above the first row of the strip.
    pub(super) above: Option<&'r [u8]>,
}

impl<'r, R: Fn(usize) -> &'r [u8]> Trial<'r, R> {
    /// Chooses the filters of a strip: pictures of few colors are often smaller
    /// without a filter. A sample of at most [`SAMPLE`] bytes is compressed both
    /// ways, unless codes alone show that it is no such picture. Rows longer
    /// than the sample are not tried. `scratch` holds the sample and the
    /// compressed sample.
    #[inline(always)]
    pub(super) fn choose<K: FilterKernels>(
        &self,
        kernels: K,
        levels: SearchLevels,
        deflate: &mut Deflate,
        library: &mut Option<LibraryDeflate>,
        scratch: &mut [u8],
    ) -> FilterChoice {
        let line = self.row_size + 1;
        let count = (SAMPLE / line).min(self.lines);
        if count == 0 {
            return FilterChoice::MinSum;
        }
        let (sample, out) = scratch.split_at_mut(count * line);
        self.filter(kernels, FilterChoice::MinSum, sample);
        let estimate = deflate.estimate(kernels, sample);
        if estimate > levels.most_for_trial(sample.len()) {
            return FilterChoice::MinSum;
        }
        let level = levels.level(estimate, sample.len());
        let smallest = search(library, level, sample, out);
        let none = FilterChoice::Fixed(FilterType::None);
        self.filter(kernels, none, sample);
        // By a twentieth, since a sample is not the whole strip.
        if search(library, level, sample, out) * 20 < smallest * 19 {
            none
        } else {
            FilterChoice::MinSum
        }
    }

    #[inline(always)]
    fn filter<K: FilterKernels>(&self, kernels: K, choice: FilterChoice, sample: &mut [u8]) {
        let count = sample.len() / (self.row_size + 1);
        for (i, scanline) in sample.chunks_exact_mut(self.row_size + 1).enumerate() {
            let y = self.place(i, count);
            let above = match y.checked_sub(1) {
                Some(y) => Some((self.row)(y)),
                None => self.above,
            };
            filter_row_to(
                kernels,
                choice,
                (self.row)(y),
                above,
                self.pixel_size,
                scanline,
            );
        }
    }

    /// Returns which row of the strip is row `i` of a sample of `count` rows: all
    /// rows, or rows from four places, or up to three rows far apart.
    fn place(&self, i: usize, count: usize) -> usize {
        let together = count.div_ceil(4);
        if count == self.lines {
            i
        } else if count < 4 {
            (2 * i + 1) * self.lines / (2 * count)
        } else {
            i / together * self.lines / 4 + i % together
        }
    }
}
