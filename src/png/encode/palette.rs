//! The chunks of a palette.

use crate::Palette;
use crate::alloc::{NoMemory, with_capacity};
use crate::png::metadata::Written;

/// Returns PLTE, and tRNS with the alpha of the entries up to the last that is
/// not opaque (PNG third edition, 11.2.2 and 11.3.1.1).
pub(super) fn palette_chunks(palette: &Palette) -> Result<Vec<Written>, NoMemory> {
    fn collect<T>(items: impl ExactSizeIterator<Item = T>) -> Result<Vec<T>, NoMemory> {
        let mut collected = with_capacity(items.len())?;
        collected.extend(items);
        Ok(collected)
    }
    let colors = palette.colors();
    let rgb = collect(colors.iter().map(|&[r, g, b, _]| [r, g, b]))?;
    let rgb = (*b"PLTE", rgb.into_flattened());
    let Some(last) = colors.iter().rposition(|&[.., alpha]| alpha < 255) else {
        return collect([rgb].into_iter());
    };
    let alphas = collect(colors[..=last].iter().map(|&[.., alpha]| alpha))?;
    collect([rgb, (*b"tRNS", alphas)].into_iter())
}
