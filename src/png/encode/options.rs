//! What can be asked of a save by name.

use super::filter::FilterType;
use crate::{ErrorKind, Palette};

/// How much work to put into small files.
///
/// Pixels that can't be compressed are stored in every mode: a file is never
/// more than a thousandth larger than its pixels, and a byte for each row, and
/// some hundred bytes, and a palette of a kilobyte at most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Compression {
    /// None: as large as the pixels and a byte for each row, at the speed of
    /// copying them.
    Stored,
    /// One filter, runs of zeros, and codes made for each block: faster than
    /// general deflate by an order of magnitude, at about nine tenths of what
    /// other fast encoders make of photographs.
    #[default]
    Fast,
    /// A filter chosen for each row, or none where a sample is smaller
    /// without, and a search for what repeats: a little less than a usual PNG.
    Small,
    /// The same, searching longer.
    Best,
}

/// How scanlines are filtered before they are compressed (PNG third edition,
/// section 9).
///
/// A filter replaces each byte by its difference from what the bytes around it
/// let expect. The pixels are the same with each; the size of the file is not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Filter {
    /// As the [`Compression`] has it: none where nothing is compressed,
    /// `Paeth` for `Fast`, or `Average` where there is noise, or `Up` for
    /// pixels of 1 or 2 bits; for `Small` and `Best` for each row the one that
    /// leaves the smallest bytes, or none for a whole strip of few colours.
    #[default]
    Auto,
    /// Bytes as they are: for few colours, and pictures that repeat to the
    /// right.
    None,
    /// The difference from the pixel on the left.
    Sub,
    /// The difference from the pixel above.
    Up,
    /// The difference from the average of both: for noise.
    Average,
    /// The difference from the one of the left, the upper and the upper left
    /// pixel that is nearest to left + above - upper left: the best for most
    /// photographs.
    Paeth,
}

impl Filter {
    /// Returns the filter of all rows, or `None` if the mode chooses.
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

/// At how many bits a pixel indexed images are saved.
///
/// The pixels are the same at each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum IndexDepth {
    /// The fewest that hold the palette.
    #[default]
    Smallest,
    /// 1 bit: 2 colours.
    One,
    /// 2 bits: 4 colours.
    Two,
    /// 4 bits: 16 colours.
    Four,
    /// 8 bits: 256 colours.
    Eight,
}

impl IndexDepth {
    /// The bits for this palette.
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
