//! Options of the encoder that are enums.

use super::filter::FilterType;
use crate::{ErrorKind, Palette};

/// The effort spent on the size of the file. Defaults to `Fast`.
///
/// In every mode, pixels that do not compress are stored uncompressed. So the
/// image data is larger than the pixels by at most a thousandth, one byte a row
/// and some hundred bytes. A palette adds at most a kilobyte.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Compression {
    /// No compression, at the speed of a copy. The file has the bytes of the
    /// pixels and one byte a row.
    Stored,
    /// One filter, matches for runs of zeros, and Huffman codes for each block.
    /// Faster than general deflate by an order of magnitude. A photograph takes
    /// about nine tenths of the bytes that it takes in other fast encoders.
    #[default]
    Fast,
    /// A filter chosen for each row, and a search for matches (RFC 1951, section 4)
    /// that looks at one earlier place, or at six where the pixels repeat much. A
    /// little smaller than a usual PNG, and saved several times as fast.
    Small,
    /// A filter chosen for each row, and the cheapest of all ways to write the pixels
    /// with the matches at up to twelve earlier places. Takes about as long as a
    /// usual PNG, and is 4 to 9 % smaller.
    Best,
}

/// The filter of the scanlines before compression (PNG third edition, section
/// 9). Defaults to `Auto`.
///
/// A filter predicts each byte from the bytes around it, and replaces the byte by
/// its difference from the prediction. The filter changes the size of the file,
/// never the pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Filter {
    /// A filter chosen by the [`Compression`]:
    ///
    /// - `Stored`: `None`.
    /// - `Fast`: `Paeth`, or `Average` for noise, or `Up` for pixels of 1 or 2
    ///   bits.
    /// - `Small` and `Best`: for each row the filter with the smallest sum of its
    ///   bytes, taken as signed numbers. A trial chooses for each strip whether all rows
    ///   have no filter, or each row the filter whose bytes have the least entropy.
    ///   `Small` makes the trial for strips that compress well.
    #[default]
    Auto,
    /// No filter. Suits few colors, and patterns that repeat along the row.
    None,
    /// The difference from the pixel on the left.
    Sub,
    /// The difference from the pixel above.
    Up,
    /// The difference from the average of the left and the upper pixel. Suits
    /// noise.
    Average,
    /// The difference from the left, the upper or the upper left pixel,
    /// whichever is nearest to left + upper - upper left. The best for most
    /// photographs.
    Paeth,
}

impl Filter {
    /// Returns the filter for all rows, or `None` if the compression chooses.
    pub(super) fn fixed(self) -> Option<FilterType> {
        match self {
            Filter::Auto => None,
            Filter::None => Some(FilterType::None),
            Filter::Sub => Some(FilterType::Sub),
            Filter::Up => Some(FilterType::Up),
            Filter::Average => Some(FilterType::Average),
            Filter::Paeth => Some(FilterType::Paeth),
        }
    }
}

/// The bit depth at which indexed images are saved. Defaults to `Smallest`.
///
/// The bit depth changes the size of the file, never the pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum IndexDepth {
    /// The smallest bit depth that holds the palette.
    #[default]
    Smallest,
    /// 1 bit a pixel, for at most 2 colors.
    One,
    /// 2 bits a pixel, for at most 4 colors.
    Two,
    /// 4 bits a pixel, for at most 16 colors.
    Four,
    /// 8 bits a pixel, for at most 256 colors.
    Eight,
}

impl IndexDepth {
    /// Returns the bit depth for a palette.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::PaletteDepth`] if the palette has more colors.
    pub(super) fn bits(self, palette: &Palette) -> Result<u8, ErrorKind> {
        let needed = palette.depth();
        let bits = match self {
            IndexDepth::Smallest => needed,
            IndexDepth::One => 1,
            IndexDepth::Two => 2,
            IndexDepth::Four => 4,
            IndexDepth::Eight => 8,
        };
        if bits < needed {
            return Err(ErrorKind::PaletteDepth {
                bits,
                colors: palette.colors().len(),
            });
        }
        Ok(bits)
    }
}
