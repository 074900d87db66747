//! The colors of indexed images.

use std::sync::Arc;

use crate::{Error, ErrorKind};

/// The largest number of palette entries in PNG (PNG third edition, 11.2.2).
const MAX_ENTRIES: usize = 256;

/// The colors of an indexed image: 1 to 256 entries of red, green, blue and
/// alpha, 8 bits each. Alpha is straight.
///
/// A palette belongs to an [`Image`](crate::Image), whose buffer holds the
/// indices. Clones share their entries, so cloning copies none. A change to a
/// palette that shares its entries copies them first.
///
/// # Examples
///
/// ```
/// use pixview::{Image, Palette, PixelFormat};
///
/// let mut indices = vec![0u8; 64 * 64];
/// let palette = Palette::from_rgb(&[[0, 0, 0], [255, 128, 0]])?;
/// let mut image = Image::from_buffer(&mut indices, 64, 64, PixelFormat::INDEXED8)?
///     .with_palette(palette)?;
/// image.pixels_mut()?.fill_rect(8, 8, 16, 16, [1])?;
/// image.palette_mut().expect("given above").colors_mut()[1] = [0, 128, 255, 255];
/// let png = image.to_png()?; // 1 bit a pixel is enough for two entries
/// # let _ = png;
/// # Ok::<(), pixview::Error>(())
/// ```
///
/// A palette of words, as a device or a game has it, is an image of one row:
///
/// ```
/// use pixview::{Image, Palette, PixelFormat};
///
/// # let mut words = [0u16; 256];
/// # words[255] = 0xf800;
/// // `words` are 256 colors of 565.
/// let row = Image::from_buffer(&words, 256, 1, PixelFormat::RGB565)?;
/// let rgb = row.to_vec_as(PixelFormat::RGB8)?;
/// let palette = Palette::from_rgb(rgb.as_chunks::<3>().0)?;
/// # assert_eq!(palette.colors()[255], [255, 0, 0, 255]);
/// # Ok::<(), pixview::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Palette {
    colors: Arc<[[u8; 4]]>,
}

impl Palette {
    /// Creates a palette of opaque colors: red, green, blue.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::PaletteSize`] if there are no colors, or more than 256.
    pub fn from_rgb(colors: &[[u8; 3]]) -> Result<Self, Error> {
        Self::new(colors.iter().map(|&[r, g, b]| [r, g, b, 255]), colors.len())
    }

    /// Creates a palette of colors with alpha: red, green, blue, alpha.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::PaletteSize`] if there are no colors, or more than 256.
    pub fn from_rgba(colors: &[[u8; 4]]) -> Result<Self, Error> {
        Self::new(colors.iter().copied(), colors.len())
    }

    fn new(colors: impl Iterator<Item = [u8; 4]>, given: usize) -> Result<Self, Error> {
        if given == 0 || given > MAX_ENTRIES {
            return Err(ErrorKind::PaletteSize { given }.into());
        }
        Ok(Palette {
            colors: colors.collect(),
        })
    }

    /// Returns the entries: red, green, blue, alpha.
    #[must_use]
    pub fn colors(&self) -> &[[u8; 4]] {
        &self.colors
    }

    /// Returns the entries for editing. Their number is fixed.
    #[must_use]
    pub fn colors_mut(&mut self) -> &mut [[u8; 4]] {
        Arc::make_mut(&mut self.colors)
    }

    /// Returns the smallest bit depth of PNG that holds every index of this
    /// palette.
    pub(crate) fn depth(&self) -> u8 {
        fewest_bits(self.colors.len())
    }
}

/// Returns the smallest bit depth of PNG that holds the indices of this many
/// palette entries (PNG third edition, 11.2.1).
pub(crate) fn fewest_bits(colors: usize) -> u8 {
    match colors {
        0..=2 => 1,
        3..=4 => 2,
        5..=16 => 4,
        _ => 8,
    }
}

/// Returns the position of the first index that is not below `colors`.
pub(crate) fn first_index_beyond(indices: &[u8], colors: usize) -> Option<usize> {
    // The compiler vectorizes the search for the largest index, which is rarely
    // too large.
    let largest = indices.iter().fold(0, |a, &b| a.max(b));
    if usize::from(largest) < colors {
        return None;
    }
    indices
        .iter()
        .position(|&index| usize::from(index) >= colors)
}
