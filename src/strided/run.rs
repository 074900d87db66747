//! Runs: the bytes of a row of pixels, in units at equal distances.

use crate::Layout;

/// The size in bytes of the buffers on the stack that pixels are copied
/// through. A buffer fits into the first-level cache and has room for every
/// unit.
pub(crate) const BLOCK: usize = 4096;

/// Units of bytes at equal distances. A unit is a pixel, or a sample in a planar
/// layout (see [`Layout::unit`]).
#[derive(Clone, Copy)]
pub(super) struct Run {
    /// The byte at which the first unit begins.
    pub(super) start: usize,
    /// Bytes from the start of a unit to the start of the next. May be negative
    /// or zero.
    pub(super) stride: isize,
    /// Bytes in a unit.
    pub(super) unit: usize,
    /// The number of units.
    pub(super) count: usize,
    /// Whether the gaps between the units hold no other pixels of the image.
    /// `false` if that is not known.
    pub(super) gaps_are_unused: bool,
}

impl Run {
    /// Returns whether the units lie one behind the other.
    pub(super) fn is_contiguous(&self) -> bool {
        self.count <= 1 || self.stride == self.unit as isize
    }

    /// Returns whether the units lie without gaps in reverse order.
    pub(super) fn is_reversed(&self) -> bool {
        self.stride == -(self.unit as isize)
    }

    /// Returns the lowest byte of the run, which has at least one unit.
    pub(super) fn lowest(&self) -> usize {
        if self.stride < 0 {
            self.start - (self.count - 1) * self.stride.unsigned_abs()
        } else {
            self.start
        }
    }

    /// Splits the run into parts of at most `count` units. Returns them in
    /// order, each with the index of its first unit in the run.
    pub(super) fn parts(self, count: usize) -> impl Iterator<Item = (usize, Run)> {
        (0..self.count).step_by(count).map(move |first| {
            let start = (self.start as isize + first as isize * self.stride) as usize;
            let count = count.min(self.count - first);
            (
                first,
                Run {
                    start,
                    count,
                    ..self
                },
            )
        })
    }
}

/// Returns the run of `count` whole pixels of row `y` from column `x` on, or
/// `None` if the layout is planar.
pub(super) fn interleaved_run(layout: &Layout, x: u32, y: u32, count: u32) -> Option<Run> {
    if layout.plane_stride().is_some() {
        return None;
    }
    Some(Run {
        start: layout.address(x, y).byte,
        stride: layout.pixel_stride(),
        unit: layout.unit(),
        count: count as usize,
        gaps_are_unused: layout.rows_are_apart(),
    })
}

/// Returns the runs of samples of `count` pixels of row `y` from column `x` on,
/// one for each plane of a planar layout, with the index of the plane.
pub(super) fn plane_runs(
    layout: &Layout,
    x: u32,
    y: u32,
    count: u32,
) -> impl Iterator<Item = (usize, Run)> {
    let layout = *layout;
    (0..layout.planes() as usize).map(move |plane| {
        let run = Run {
            start: layout.sample(plane, layout.format()).address(x, y).byte,
            stride: layout.pixel_stride(),
            unit: layout.unit(),
            count: count as usize,
            // Not computed: samples of a plane rarely have gaps.
            gaps_are_unused: false,
        };
        (plane, run)
    })
}
