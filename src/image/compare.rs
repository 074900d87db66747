//! The pixels in which two images differ.

use super::pair::{Band, lease_both};
use super::rows::RowReader;
use crate::error::AtRow;
use crate::format::{BitOrder, PngFormat, first_index_beyond, unpack};
use crate::source::with_lease;
use crate::strided::Frame;
use crate::{Error, ErrorKind, Image, Lease, Palette, PixelSource};

/// A rectangle of pixels, in image coordinates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rect {
    /// The left edge: the first column, from 0.
    pub x: u32,
    /// The upper edge: the first row, from 0.
    pub y: u32,
    /// The width in pixels.
    pub width: u32,
    /// The height in pixels.
    pub height: u32,
}

/// The pixels in which two images differ, from [`Image::compare`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Difference {
    /// The number of pixels that differ, at least 1.
    pub pixels: u64,
    /// The column and the row of the first of them: the leftmost in the uppermost
    /// row.
    pub first: (u32, u32),
    /// The smallest rectangle that holds all of them.
    pub rect: Rect,
    /// The largest difference of two samples, in the bit depth of the images in
    /// PNG: at most 255 for samples of 8 bits. Colors of palettes have samples of
    /// 8 bits.
    pub largest: u16,
}

impl<S: PixelSource> Image<S> {
    /// Compares the samples of two images of the same size. Returns `None` if all
    /// are equal.
    ///
    /// The images can have any sources, layouts and formats whose PNG has the
    /// same color type and bit depth, such as `RGB8` and `BGRX8`. Padding and
    /// unused bits do not count. Premultiplied colors are divided by their alpha
    /// first.
    ///
    /// If both images are indexed, the colors of their palettes are compared, and
    /// the bit depths of the indices do not matter. If neither has a palette, the
    /// indices are compared.
    ///
    /// Rows that stable memory holds as PNG does are compared in place. If they are
    /// equal, that takes about as long as reading them. Allocates at most two rows.
    ///
    /// # Locks
    ///
    /// Two locks are never held at once. So two views of one `Mutex`, `RwLock` or
    /// `RefCell` can be compared, and two threads can compare the same images in
    /// opposite order. If one of the sources is a lock, it is held for the whole
    /// comparison. If both are locks, blocks of up to 256 KiB (at least one row)
    /// are copied from this image under its lock, then compared with the other
    /// image under its lock. Each block shows one moment of each image. That
    /// allocates one block.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::SizeMismatch`] if the sizes differ;
    /// - [`ErrorKind::TypeMismatch`] if the color types or the bit depths in PNG
    ///   differ;
    /// - [`ErrorKind::NoPalette`] if only one of two indexed images has a
    ///   palette;
    /// - [`ErrorKind::IndexOutside`] if an index has no palette entry;
    /// - [`ErrorKind::Source`] if a source fails;
    /// - [`ErrorKind::OutOfMemory`] if a row or block cannot be allocated.
    ///
    /// # Examples
    ///
    /// ```
    /// use pixview::{Image, PixelFormat, Rect};
    ///
    /// let reference = Image::new(64, 48, PixelFormat::RGB8)?;
    /// let mut rendered = Image::new(64, 48, PixelFormat::BGRX8)?;
    /// assert_eq!(rendered.compare(&reference)?, None);
    ///
    /// rendered.pixels_mut()?.fill_rect(10, 20, 3, 2, [0, 7, 0])?;
    /// let difference = rendered.compare(&reference)?.expect("six pixels differ");
    /// assert_eq!(difference.pixels, 6);
    /// assert_eq!(difference.first, (10, 20));
    /// assert_eq!(difference.largest, 7);
    /// let Rect { x, y, width, height } = difference.rect;
    /// let changed = rendered.view().crop(x, y, width, height)?;
    /// assert_eq!((changed.width(), changed.height()), (3, 2));
    /// # Ok::<(), pixview::Error>(())
    /// ```
    pub fn compare<T: PixelSource>(&self, other: &Image<T>) -> Result<Option<Difference>, Error> {
        self.check_size_of(other)?;
        let mut comparison = Comparison::new(Meaning::of(self, other)?);
        let second = || other.source.lease();
        if let Some(leases) = lease_both(&self.source, second, Lease::is_guard)? {
            let compare = |(first, second): &mut (Lease<'_>, Lease<'_>)| {
                comparison.add_rows(0, &self.frame(first)?, &other.frame(second)?)
            };
            with_lease(leases, compare).1?;
        } else {
            let mut band = Band::new(self.layout())?;
            for first in band.starts() {
                let rows = band.copy(self, first)?;
                let compare = |second: &mut Lease<'_>| {
                    comparison.add_rows(first, &rows, &other.frame(second)?)
                };
                with_lease(other.source.lease()?, compare).1?;
            }
        }
        Ok(comparison.found)
    }

    /// Refuses an image of another size.
    pub(super) fn check_size_of<T>(&self, other: &Image<T>) -> Result<(), Error> {
        let (width, height) = (self.width(), self.height());
        if (other.width(), other.height()) == (width, height) {
            return Ok(());
        }
        Err(ErrorKind::SizeMismatch {
            width,
            height,
            image_width: other.width(),
            image_height: other.height(),
        }
        .into())
    }
}

/// The meaning of the bytes that are compared.
enum Meaning<'a> {
    /// Samples as PNG holds them, or indices without a palette.
    Samples(PngFormat),
    /// Indices of the colors of these two palettes.
    Colors([&'a Palette; 2]),
}

impl<'a> Meaning<'a> {
    fn of<S, T>(first: &'a Image<S>, second: &'a Image<T>) -> Result<Self, ErrorKind> {
        let (format, other) = (first.format(), second.format());
        let row_format = RowReader::row_format(format);
        if row_format != RowReader::row_format(other) {
            return Err(ErrorKind::TypeMismatch { format, other });
        }
        match (first.palette(), second.palette()) {
            (Some(a), Some(b)) => Ok(Meaning::Colors([a, b])),
            (None, None) => Ok(Meaning::Samples(row_format)),
            (None, Some(_)) => Err(ErrorKind::NoPalette { format }),
            (Some(_), None) => Err(ErrorKind::NoPalette { format: other }),
        }
    }
}

/// A comparison in progress.
struct Comparison<'a> {
    meaning: Meaning<'a>,
    readers: [RowReader; 2],
    found: Option<Difference>,
}

impl<'a> Comparison<'a> {
    fn new(meaning: Meaning<'a>) -> Self {
        Comparison {
            meaning,
            readers: Default::default(),
            found: None,
        }
    }

    /// Compares all rows of `a` with the rows of `b` from row `first` on.
    fn add_rows(&mut self, first: u32, a: &Frame<'_>, b: &Frame<'_>) -> Result<(), Error> {
        let [reader_a, reader_b] = &mut self.readers;
        for y in first..first + a.layout.height() {
            let a = reader_a.row(a, y - first).at_row(y)?;
            let b = reader_b.row(b, y).at_row(y)?;
            let add = |x: usize, largest: u16| {
                let pixel = Difference::of_pixel(x as u32, y, largest);
                self.found = Some(self.found.map_or(pixel, |found| found.with(pixel)));
            };
            match self.meaning {
                Meaning::Samples(png) => compare_samples(png, a, b, add),
                Meaning::Colors(palettes) => compare_colors(palettes, a, b, y, add).at_row(y)?,
            }
        }
        Ok(())
    }
}

impl Difference {
    /// Returns the difference of images that differ in one pixel, by `largest`.
    fn of_pixel(x: u32, y: u32, largest: u16) -> Self {
        Difference {
            pixels: 1,
            first: (x, y),
            rect: Rect {
                x,
                y,
                width: 1,
                height: 1,
            },
            largest,
        }
    }

    /// Adds a pixel that comes later in reading order.
    fn with(self, pixel: Self) -> Self {
        let x = self.rect.x.min(pixel.rect.x);
        let end = (self.rect.x + self.rect.width).max(pixel.rect.x + 1);
        Difference {
            pixels: self.pixels + 1,
            rect: Rect {
                x,
                width: end - x,
                height: pixel.rect.y + 1 - self.rect.y,
                ..self.rect
            },
            largest: self.largest.max(pixel.largest),
            ..self
        }
    }
}

/// Calls `found` for each pixel in which two rows differ, with its column and
/// the largest difference of its samples.
fn compare_samples(png: PngFormat, a: &[u8], b: &[u8], mut found: impl FnMut(usize, u16)) {
    if a == b {
        return;
    }
    let size = png.pixel_size();
    for (i, (a, b)) in a.chunks_exact(size).zip(b.chunks_exact(size)).enumerate() {
        if a == b {
            continue;
        }
        match png.depth {
            8 => found(
                i,
                largest(a.iter().zip(b).map(|(&a, &b)| (a.into(), b.into()))),
            ),
            16 => {
                let pairs = a.as_chunks().0.iter().zip(b.as_chunks().0);
                let numbers = |(&a, &b)| (u16::from_be_bytes(a), u16::from_be_bytes(b));
                found(i, largest(pairs.map(numbers)));
            }
            depth => {
                let per_byte = 8 / usize::from(depth);
                let (mut first, mut second) = ([0; 8], [0; 8]);
                unpack(depth, BitOrder::Msb, a, 0, &mut first[..per_byte]);
                unpack(depth, BitOrder::Msb, b, 0, &mut second[..per_byte]);
                for (j, (&a, &b)) in first.iter().zip(&second).enumerate() {
                    if a != b {
                        found(i * per_byte + j, a.abs_diff(b).into());
                    }
                }
            }
        }
    }
}

/// Calls `found` for each pixel in which the colors of two rows of indices
/// differ. See [`compare_samples`].
fn compare_colors(
    palettes: [&Palette; 2],
    a: &[u8],
    b: &[u8],
    y: u32,
    mut found: impl FnMut(usize, u16),
) -> Result<(), ErrorKind> {
    let [first, second] = palettes.map(Palette::colors);
    for (indices, colors) in [(a, first.len()), (b, second.len())] {
        if let Some(x) = first_index_beyond(indices, colors) {
            return Err(ErrorKind::IndexOutside {
                x: x as u32,
                y,
                index: indices[x],
                colors,
            });
        }
    }
    let same = first == second;
    if same && a == b {
        return Ok(());
    }
    for (x, (&a, &b)) in a.iter().zip(b).enumerate() {
        let (a, b) = (first[usize::from(a)], second[usize::from(b)]);
        if a != b {
            found(
                x,
                largest(a.iter().zip(&b).map(|(&a, &b)| (a.into(), b.into()))),
            );
        }
    }
    Ok(())
}

/// Returns the largest difference of two samples.
fn largest(pairs: impl Iterator<Item = (u16, u16)>) -> u16 {
    pairs.fold(0, |largest, (a, b)| largest.max(a.abs_diff(b)))
}
