//! The passes of interlaced images (PNG third edition, 8.1).

/// The pixels of one pass: every `dx`-th pixel of every `dy`-th row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pass {
    /// The number of the pass, 1 to 7; 0 for a whole image.
    pub(super) number: u8,
    /// The column of the first pixel.
    pub(super) x: u32,
    /// The row of the first pixel.
    pub(super) y: u32,
    /// Columns from a pixel to the next.
    pub(super) dx: u32,
    /// Rows from a row of the pass to the next.
    pub(super) dy: u32,
    /// Pixels in a row of the pass, at least 1.
    pub(super) width: u32,
    /// Rows of the pass, at least 1.
    pub(super) height: u32,
}

/// Returns the passes of an interlaced image that have pixels, or one pass with
/// all pixels of an image that is not interlaced.
pub(super) fn passes(width: u32, height: u32, interlaced: bool) -> impl Iterator<Item = Pass> {
    let steps = [
        (0, 0, 8, 8),
        (4, 0, 8, 8),
        (0, 4, 4, 8),
        (2, 0, 4, 4),
        (0, 2, 2, 4),
        (1, 0, 2, 2),
        (0, 1, 1, 2),
    ];
    let whole = (!interlaced).then(|| Pass::whole(width, height));
    let steps = (1..).zip(steps).filter(move |_| interlaced);
    let passes = steps.filter_map(move |(number, (x, y, dx, dy))| {
        let pass = Pass {
            number,
            x,
            y,
            dx,
            dy,
            width: width.saturating_sub(x).div_ceil(dx),
            height: height.saturating_sub(y).div_ceil(dy),
        };
        (pass.width > 0 && pass.height > 0).then_some(pass)
    });
    whole.into_iter().chain(passes)
}

impl Pass {
    /// Returns a pass with all pixels of an image.
    pub(super) fn whole(width: u32, height: u32) -> Self {
        Pass {
            number: 0,
            x: 0,
            y: 0,
            dx: 1,
            dy: 1,
            width,
            height,
        }
    }
}
