//! The checks of a layout against its buffer, made once.
//!
//! # Why no accepted layout reaches outside, and no smaller buffer would do
//!
//! The first bit of a unit is
//! `start + x * pixel_stride + y * row_stride + c * plane_stride`, where each index
//! runs from 0 to its count - 1, on its own. The sum is smallest where each term is
//! smallest: at the last index if the stride is negative, else at index 0. It is
//! largest at the other ends. So two units have the lowest and the highest bit of all,
//! and both belong to the image. [`check_bounds`](Layout::check_bounds) computes these
//! two: the layout is accepted if and only if both lie in the buffer, and `needed` is
//! the end of the second, in whole bytes.
//!
//! **No overflow in the check.** An offset and a stride in bits are below 2^67, a side
//! is below 2^31, and there are at most 4 planes. A sum of four products is below
//! 2^101, far below the 2^127 of `i128`.
//!
//! **No overflow afterwards.** An accepted layout reaches at most `isize::MAX` bytes,
//! so the address of each unit fits an `isize`. So do the terms of the sum: the
//! distance between two units of a row, of a column or of a pixel is the distance of
//! two bytes of the buffer. Each partial sum is the address of a unit, too. A stride
//! along an axis of one index is multiplied by 0.
//!
//! `tests/layout_bounds.rs` tries every small layout against every length.

use super::{Layout, NOWHERE};
use crate::ErrorKind;

/// The largest width and height of a PNG image (PNG third edition, 11.2.1).
const MAX_SIDE: u32 = (1 << 31) - 1;

/// `i128` holds every sum here: a side has 31 bits, a stride 64.
impl Layout {
    /// Refuses sizes that PNG cannot hold.
    pub(crate) fn check_size(&self) -> Result<(), ErrorKind> {
        let (width, height) = (self.width, self.height);
        if width == 0 || height == 0 {
            return Err(ErrorKind::Empty { width, height });
        }
        if width > MAX_SIDE || height > MAX_SIDE {
            return Err(ErrorKind::TooLarge { width, height });
        }
        Ok(())
    }

    /// Refuses a buffer of `given` bytes for a packed layout, unless it has
    /// exactly the elements that hold the pixels. The size has been checked.
    pub(crate) fn check_exact(&self, given: usize, element_size: usize) -> Result<(), ErrorKind> {
        let (needed, given) = (self.packed_size(), given as u64);
        if needed.checked_next_multiple_of(element_size as u64) == Some(given) {
            return Ok(());
        }
        Err(ErrorKind::BufferLength {
            needed,
            given,
            element_size,
            width: self.width,
            height: self.height,
            format: self.format,
        })
    }

    /// Refuses a layout with pixels outside a buffer of `len` bytes. The size
    /// has been checked.
    pub(crate) fn check_bounds(&self, len: usize) -> Result<(), ErrorKind> {
        self.check_planes()?;

        // Everything is counted in bits, up to the numbers of the errors.
        let [_, (_, row_stride), _] = self.axes();
        let last_row = i128::from(self.height - 1);
        let start = 8 * self.offset as i128;
        let (first, end) = self.first_row_bits();
        let (first, end) = (start + first, start + end);

        let lowest = first + (last_row * row_stride).min(0);
        // A layout that begins beyond any memory fails the next check instead.
        if lowest < 0 && self.offset != NOWHERE {
            // Each row begins `-row_stride` bits before the one above it. Row
            // 0 is outside, or `first / -row_stride` rows are inside first.
            let row = if first < 0 {
                0
            } else {
                first / -row_stride + 1
            };
            return Err(ErrorKind::BeforeBuffer {
                bytes: bytes_of(-(first + row * row_stride)),
                row: row as u32,
            });
        }
        let needed = end + (last_row * row_stride).max(0);
        // No memory is larger than `isize::MAX` bytes; a source that claims so
        // lies. From here on, addresses and distances fit an `isize`.
        let given = 8 * len.min(isize::MAX as usize) as i128;
        if needed > given {
            let row = if end > given {
                0
            } else {
                (given - end) / row_stride + 1
            };
            return Err(ErrorKind::BufferTooSmall {
                needed: bytes_of(needed),
                given: bytes_of(given),
                row: row as u32,
            });
        }
        Ok(())
    }

    /// Refuses planes of a format whose samples are parts of one word or byte.
    pub(super) fn check_planes(&self) -> Result<(), ErrorKind> {
        if self.plane_stride.is_some() && !self.format.has_separable_samples() {
            return Err(ErrorKind::NotPlanar {
                format: self.format,
            });
        }
        Ok(())
    }

    /// Returns the first bit of row 0 and the end of its last bit, counted from
    /// the byte of pixel (0, 0). The bits of row y lie y row strides further. The
    /// size has been checked.
    pub(super) fn first_row_bits(&self) -> (i128, i128) {
        let start = i128::from(self.bits.offset);
        let (mut first, mut end) = (start, start);
        let [pixels, _, planes] = self.axes();
        for (count, stride) in [pixels, planes] {
            let reach = i128::from(count - 1) * stride;
            first += reach.min(0);
            end += reach.max(0);
        }
        (first, end + self.unit_bits())
    }

    /// Refuses elements that cannot hold the format, by the rules in the docs
    /// of [`PixelSource`](crate::PixelSource).
    pub(crate) fn check_element(&self, element_size: usize, atomic: bool) -> Result<(), ErrorKind> {
        let (format, unit_size) = (self.format, self.unit());
        let divide = element_size != 0
            && (element_size.is_multiple_of(unit_size) || unit_size.is_multiple_of(element_size));
        if !divide {
            return Err(ErrorKind::ElementMismatch {
                element_size,
                unit_size,
                format,
            });
        }
        let sample_size = format.sample_size();
        if atomic && !element_size.is_multiple_of(sample_size) {
            return Err(ErrorKind::TornSample {
                element_size,
                sample_size,
                format,
            });
        }
        // An element that holds whole words, or whole samples of several
        // bytes, is not cut apart.
        let alignment = format.alignment();
        let is_aligned = |&(count, stride): &(u32, i128)| {
            let bits = 8 * alignment as u128;
            alignment == 1 || count == 1 || stride.unsigned_abs().is_multiple_of(bits)
        };
        let aligned = self.offset.unsigned_abs().is_multiple_of(alignment)
            && self.axes().iter().all(is_aligned);
        if element_size.is_multiple_of(alignment) && !aligned {
            return Err(ErrorKind::Misaligned {
                alignment,
                element_size,
                format,
            });
        }
        Ok(())
    }

    /// Refuses pixels that share bits, unless the layout allows it: mostly a
    /// row stride in pixels or elements instead of bytes. An axis with a stride
    /// of zero repeats its first pixel on purpose.
    pub(crate) fn check_overlap(&self, len: usize) -> Result<(), ErrorKind> {
        if self.overlap_allowed || !self.overlap(len, true) {
            return Ok(());
        }
        let [(_, pixel_stride), (_, row_stride), _] = self.axes();
        let row = i128::from(self.width - 1) * pixel_stride.abs() + self.unit_bits();
        Err(ErrorKind::OverlappingPixels {
            row_stride: (row_stride / 8) as i64,
            pixel_stride: (pixel_stride / 8) as i64,
            row_size: bytes_of(row),
            width: self.width,
            format: self.format,
        })
    }

    /// Returns whether two pixels (or two samples of a planar image) share a
    /// bit. The layout has been checked against a buffer of `len` bytes.
    ///
    /// Cheap for the layouts met in practice: the axes, sorted by stride, are
    /// nested. Interleaved views that are not nested are searched, in steps of
    /// the order of the square root of `len`.
    pub(crate) fn overlaps(&self, len: usize) -> bool {
        self.overlap(len, false)
    }

    /// See [`overlaps`](Layout::overlaps). With `repeats`, an axis with a
    /// stride of zero counts as one pixel.
    fn overlap(&self, len: usize, repeats: bool) -> bool {
        let unit = self.unit_bits();
        let axes = self.axes().map(|(count, stride)| match stride {
            0 if repeats => (1, 0),
            _ => (i128::from(count), stride),
        });
        let mut sorted = axes.map(|(count, stride)| (count, stride.abs()));
        sorted.sort_unstable_by_key(|&(count, stride)| (count > 1, stride));

        let mut reach = unit;
        let nested = sorted.iter().all(|&(count, stride)| {
            let apart = count == 1 || stride >= reach;
            reach += (count - 1) * stride;
            apart
        });
        if nested {
            return false;
        }
        let units: i128 = axes.iter().map(|&(count, _)| count).product();
        if units * unit > 8 * len as i128 {
            return true; // more units than the buffer has room for
        }

        // Two units overlap if some difference of their indices, not all
        // zero, moves less than a unit. The two shorter axes are walked, the
        // index of the third is solved for. Signs matter between axes now.
        let mut axes = axes;
        axes.sort_unstable_by_key(|&(count, _)| count);
        let [(n0, s0), (n1, s1), (n2, s2)] = axes;
        for d0 in 0..n0 {
            for d1 in if d0 == 0 { 0 } else { 1 - n1 }..n1 {
                let moved = d0 * s0 + d1 * s1;
                // |moved + d2 * s2| < unit, for d2 next to -moved / s2
                let near = if s2 == 0 { 0 } else { -moved / s2 };
                for d2 in near - 1..=near + 1 {
                    let same_unit = d0 == 0 && d1 == 0 && d2 == 0;
                    if d2.abs() < n2 && !same_unit && (moved + d2 * s2).abs() < unit {
                        return true;
                    }
                }
            }
        }
        false
    }
}

/// Returns how many bytes hold this many bits.
fn bytes_of(bits: i128) -> u64 {
    u64::try_from((bits + 7) / 8).unwrap_or(u64::MAX)
}
