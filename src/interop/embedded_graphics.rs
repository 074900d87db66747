//! Drawing with `embedded-graphics` on a view.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Range;

use embedded_graphics_core::draw_target::DrawTarget;
use embedded_graphics_core::geometry::{OriginDimensions, Size};
use embedded_graphics_core::pixelcolor::{PixelColor, Rgb888, RgbColor};
use embedded_graphics_core::primitives::Rectangle;

use crate::error::AtRow;
use crate::format::FileFormat;
use crate::pixels::PixelBytes;
use crate::{Error, ErrorKind, Image, Palette, PixelFormat, PixelSourceMut, PixelsMut};

/// A view of an image as a display: text and shapes are drawn into the caller's
/// buffer. What lies outside of the image is not drawn.
///
/// The image may have any source that can be written, any layout and any format.
/// `C` is the color type of the drawing. A color becomes RGB of 8 bits, and then a
/// pixel of the format, as if a file of that color were read. A pixel with alpha
/// becomes opaque. In an indexed image it gets the palette entry that is nearest
/// to the color.
///
/// A display holds one lease of the source: a lock stays locked until the display
/// is dropped. So drop it before a save, and make a new one to draw more; that costs
/// nothing. Over cells and atomics, a display of `image.view()` draws while the
/// image is saved.
///
/// # Examples
///
/// ```
/// use embedded_graphics_core::pixelcolor::Rgb565;
/// use embedded_graphics_core::prelude::*;
/// use pixview::interop::embedded_graphics::Display;
/// use pixview::{Image, PixelFormat};
///
/// let mut screen = vec![0u16; 32 * 16];
/// let mut image = Image::from_buffer(&mut screen, 32, 16, PixelFormat::RGB565)?;
/// let mut display = Display::<Rgb565>::new(&mut image)?;
/// Pixel(Point::new(1, 0), Rgb565::RED).draw(&mut display)?;
/// Pixel(Point::new(-5, 99), Rgb565::RED).draw(&mut display)?; // outside
/// drop(display);
/// let first = image.to_png()?;
///
/// Pixel(Point::new(2, 0), Rgb565::RED).draw(&mut Display::new(&mut image)?)?;
/// let second = image.to_png()?;
/// # assert_ne!(first, second);
/// assert_eq!(screen[..4], [0, 0xf800, 0xf800, 0]);
/// # Ok::<(), pixview::Error>(())
/// ```
///
/// One display for all frames, over cells:
///
/// ```
/// use std::cell::Cell;
/// use embedded_graphics_core::pixelcolor::Rgb565;
/// use embedded_graphics_core::prelude::*;
/// use pixview::interop::embedded_graphics::Display;
/// use pixview::{Image, PixelFormat};
///
/// let mut screen = vec![0u16; 32 * 16];
/// let cells = Cell::from_mut(&mut screen[..]).as_slice_of_cells();
/// let image = Image::from_buffer(cells, 32, 16, PixelFormat::RGB565)?;
/// let mut view = image.view();
/// let mut display = Display::<Rgb565>::new(&mut view)?;
/// let first = image.to_png()?;
/// Pixel(Point::new(1, 0), Rgb565::RED).draw(&mut display)?;
/// let second = image.to_png()?;
/// # assert_ne!(first, second);
/// assert_eq!(image.pixels()?.get(1, 0)?, [255, 0, 0]);
/// # Ok::<(), pixview::Error>(())
/// ```
pub struct Display<'a, C> {
    pixels: PixelsMut<'a>,
    palette: Option<Palette>,
    /// The color that was drawn last, and its pixel.
    last: Option<(Rgb888, PixelBytes)>,
    color: PhantomData<fn(C)>,
}

impl<'a, C> Display<'a, C> {
    /// Creates a display that draws on an image.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::NoPalette`] if the image is indexed and has no palette;
    /// - the errors of [`Image::pixels_mut`].
    pub fn new<S: PixelSourceMut>(image: &'a mut Image<S>) -> Result<Self, Error> {
        let (format, palette) = (image.format(), image.palette().cloned());
        if format.is_indexed() && palette.is_none() {
            return Err(ErrorKind::NoPalette { format }.into());
        }
        Ok(Display {
            pixels: image.pixels_mut()?,
            palette,
            last: None,
            color: PhantomData,
        })
    }
}

/// Shows the layout, never the pixels.
impl<C> fmt::Debug for Display<'_, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Display").field(&self.pixels).finish()
    }
}

impl<C> OriginDimensions for Display<'_, C> {
    fn size(&self) -> Size {
        Size::new(self.pixels.width(), self.pixels.height())
    }
}

impl<C: PixelColor + Into<Rgb888>> DrawTarget for Display<'_, C> {
    type Color = C;
    type Error = Error;

    fn draw_iter<I>(&mut self, pixels: I) -> Result<(), Error>
    where
        I: IntoIterator<Item = embedded_graphics_core::Pixel<C>>,
    {
        let (width, height) = (self.pixels.width(), self.pixels.height());
        let format = self.pixels.format();
        let mut frame = self.pixels.frame_mut()?;
        for embedded_graphics_core::Pixel(point, color) in pixels {
            let (Ok(x), Ok(y)) = (u32::try_from(point.x), u32::try_from(point.y)) else {
                continue;
            };
            if x < width && y < height {
                let pixel = pixel(&mut self.last, self.palette.as_ref(), format, color.into())?;
                frame.put_pixels(x, y, 1, &pixel).at_row(y)?;
            }
        }
        Ok(())
    }

    fn fill_solid(&mut self, area: &Rectangle, color: C) -> Result<(), Error> {
        let columns = clip(area.top_left.x, area.size.width, self.pixels.width());
        let rows = clip(area.top_left.y, area.size.height, self.pixels.height());
        let format = self.pixels.format();
        let pixel = pixel(&mut self.last, self.palette.as_ref(), format, color.into())?;
        let mut frame = self.pixels.frame_mut()?;
        for y in rows {
            let count = columns.len() as u32;
            frame
                .fill_pixels(columns.start, y, count, &pixel)
                .at_row(y)?;
        }
        Ok(())
    }
}

/// Returns the part of `size` pixels from `start` on that lies in the image, along
/// an axis of `side` pixels.
fn clip(start: i32, size: u32, side: u32) -> Range<u32> {
    let inside = |at: i64| at.clamp(0, side.into()) as u32;
    inside(start.into())..inside(i64::from(start) + i64::from(size))
}

/// Returns the pixel of a color. Drawings use few colors, one after the other, so
/// the last one is kept.
fn pixel(
    last: &mut Option<(Rgb888, PixelBytes)>,
    palette: Option<&Palette>,
    format: PixelFormat,
    color: Rgb888,
) -> Result<PixelBytes, ErrorKind> {
    if let Some((known, pixel)) = *last
        && known == color
    {
        return Ok(pixel);
    }
    let rgb = [color.r(), color.g(), color.b()];
    let pixel = match palette {
        Some(palette) if format.is_indexed() => {
            format.encode(&[nearest(palette, format.bit_depth(), rgb)])
        }
        _ => format.encode(&convert(rgb, format)[..format.channels()]),
    }?;
    *last = Some((color, pixel));
    Ok(pixel)
}

/// Returns the samples of a color in this format, which is not indexed. The rest
/// is 0.
fn convert(rgb: [u8; 3], format: PixelFormat) -> [u16; 4] {
    let color = FileFormat {
        png: PixelFormat::RGB8.png(),
        palette: None,
        transparent: None,
    };
    let (mut png, mut samples) = ([0; 8], [0; 4]);
    let size = format.png().row_size(1) as usize;
    // Only a conversion from indices can fail.
    let _ = color.convert_row(&rgb, format.png(), 1, &mut png[..size]);
    let depth = format.bit_depth();
    for (i, sample) in samples[..format.channels()].iter_mut().enumerate() {
        *sample = match depth {
            16 => u16::from_be_bytes([png[2 * i], png[2 * i + 1]]),
            _ => u16::from(png[i] >> (8 - depth)),
        };
    }
    samples
}

/// Returns the index of the palette entry that is nearest to the color: the first
/// one with the least sum of squared differences.
fn nearest(palette: &Palette, depth: u8, rgb: [u8; 3]) -> u16 {
    let distance = |entry: &[u8; 4]| -> u32 {
        let pairs = entry.iter().zip(rgb);
        pairs.map(|(&a, b)| u32::from(a.abs_diff(b)).pow(2)).sum()
    };
    let indices = 0..1u16 << depth;
    let entries = indices.zip(palette.colors());
    let nearest = entries.min_by_key(|(_, entry)| distance(entry));
    nearest.map_or(0, |(index, _)| index)
}
