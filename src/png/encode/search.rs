//! The modes that search for matches, and the trial of filters on a sample.

use super::filter::{FilterChoice, FilterKernels, FilterType, filter_row_to};
use super::options::Compression;
use crate::deflate::{Deflate, Effort, PADDING};

/// Returns the effort of a mode's search for matches, or `None` for modes without one.
pub(crate) fn effort(compression: Compression) -> Option<Effort> {
    match compression {
        Compression::Stored | Compression::Fast => None,
        Compression::Small => Some(Effort::Little),
        Compression::Best => Some(Effort::Much),
    }
}

/// Returns the most bytes of scanlines that filters are tried on.
pub(super) fn sample(effort: Effort) -> usize {
    match effort {
        Effort::Little => 32 << 10,
        Effort::Much => 128 << 10,
    }
}

/// The rows of a strip, on which filters are tried.
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
    /// without a filter, drawings with filters of least entropy. The size of a sample of
    /// at most [`sample`] bytes is estimated for each way. Rows longer than the sample
    /// are not tried. `scratch` holds the sample.
    #[inline(always)]
    pub(super) fn choose<K: FilterKernels>(
        &self,
        kernels: K,
        effort: Effort,
        deflate: &mut Deflate,
        scratch: &mut [u8],
    ) -> FilterChoice {
        let line = self.row_size + 1;
        let count = (sample(effort) / line).min(self.lines);
        if count == 0 {
            return FilterChoice::MinSum;
        }
        let len = count * line;
        let padded = &mut scratch[..len + PADDING];
        self.filter(kernels, FilterChoice::MinSum, &mut padded[..len]);
        // With little effort, the trial is worth its time only if codes and runs of zeros
        // alone make the sample much smaller: it may then be a picture of few colors.
        if effort == Effort::Little && deflate.estimate(kernels, &padded[..len]) > len / 4 {
            return FilterChoice::MinSum;
        }
        let mut best = FilterChoice::MinSum;
        let mut smallest = deflate.estimate_searched(padded, len);
        for choice in [FilterChoice::Fixed(FilterType::None), FilterChoice::Entropy] {
            self.filter(kernels, choice, &mut padded[..len]);
            let size = deflate.estimate_searched(padded, len);
            // By a fiftieth, since a sample is not the whole strip.
            if size * 50 < smallest * 49 {
                (best, smallest) = (choice, size);
            }
        }
        best
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
