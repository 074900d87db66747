//! The chunks of a palette: PLTE and tRNS.

use crate::Palette;
use crate::alloc::{NoMemory, with_capacity};
use crate::png::metadata::EncodedChunk;

/// Returns PLTE (PNG third edition, 11.2.2), followed by tRNS (11.3.1.1) unless
/// all entries are opaque. tRNS ends at the last entry that is not opaque.
pub(super) fn palette_chunks(palette: &Palette) -> Result<Vec<EncodedChunk>, NoMemory> {
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
