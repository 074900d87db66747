//! The modes that search for matches, and the trial of filters on a sample.

use super::filter::{FilterChoice, FilterKernels, FilterType, filter_row_to};
use super::options::Compression;
use crate::deflate::{Deflate, LibraryDeflate, PADDING};

/// Bytes of scanlines that filters are tried on.
pub(super) const SAMPLE: usize = 32 << 10;

/// The level of the library.
pub(super) const LEVEL: i32 = 7;

/// The search of a mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Search {
    /// The search of this crate.
    Own,
    /// The search of the library, which takes more time.
    Library,
}

impl Search {
    /// Returns the search of a mode, or `None` for modes without a search.
    pub(super) fn of(compression: Compression) -> Option<Search> {
        match compression {
            Compression::Stored | Compression::Fast => None,
            Compression::Small => Some(Search::Own),
            Compression::Best => Some(Search::Library),
        }
    }

    /// Returns the most bytes that codes alone may leave of `len` bytes for a
    /// trial without a filter.
    fn most_for_trial(self, len: usize) -> usize {
        match self {
            Search::Own => len / 4,
            Search::Library => len,
        }
    }

    /// Compresses `data[..len]` and returns the number of bytes. `data` has
    /// [`PADDING`] more.
    #[inline(always)]
    pub(super) fn deflate<K: FilterKernels>(
        self,
        kernels: K,
        deflate: &mut Deflate,
        library: &mut Option<LibraryDeflate>,
        data: &[u8],
        len: usize,
        out: &mut [u8],
    ) -> usize {
        let rows = &data[..len];
        if self == Search::Own {
            return deflate.small(kernels, data, len, out);
        }
        let estimate = deflate.estimate(kernels, rows);
        let searched = search(library, rows, out);
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
        search(library, rows, out)
    }
}

/// Compresses with the library and returns the number of bytes. Stores the data
/// if there is no state, which [`Strip::prepare`](super::strip::Strip::prepare)
/// makes.
fn search(library: &mut Option<LibraryDeflate>, data: &[u8], out: &mut [u8]) -> usize {
    match library {
        Some(library) => library.deflate(LEVEL, data, out),
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
        search: Search,
        deflate: &mut Deflate,
        library: &mut Option<LibraryDeflate>,
        scratch: &mut [u8],
    ) -> FilterChoice {
        let line = self.row_size + 1;
        let count = (SAMPLE / line).min(self.lines);
        if count == 0 {
            return FilterChoice::MinSum;
        }
        let len = count * line;
        let (padded, out) = scratch.split_at_mut(len + PADDING);
        self.filter(kernels, FilterChoice::MinSum, &mut padded[..len]);
        let estimate = deflate.estimate(kernels, &padded[..len]);
        if estimate > search.most_for_trial(len) {
            return FilterChoice::MinSum;
        }
        let smallest = search.deflate(kernels, deflate, library, padded, len, out);
        let none = FilterChoice::Fixed(FilterType::None);
        self.filter(kernels, none, &mut padded[..len]);
        // By a twentieth, since a sample is not the whole strip.
        if search.deflate(kernels, deflate, library, padded, len, out) * 20 < smallest * 19 {
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
