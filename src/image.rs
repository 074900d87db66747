//! The image: a description laid over a source.

use std::any::type_name;
use std::fmt;
use std::io::Write;
use std::path::Path;

use crate::alloc::zeroed;
use crate::pixels::Description;
use crate::source::Shape;
use crate::{
    Channel, Error, ErrorKind, Layout, Palette, PixelFormat, PixelSource, PixelSourceMut, Pixels,
    PixelsMut, PngEncoder,
};

/// A view of a pixel buffer that lives somewhere else, or that the image
/// owns.
///
/// An image is a source of bytes, and a [`Layout`] that says where each pixel
/// lies in it and what its bytes mean, its [`PixelFormat`]. It keeps no copy of
/// the pixels: whatever is in the buffer when a pixel is read or a file is
/// saved is what is read or saved.
///
/// - `S` decides who may do what: `Image<&[u8]>` borrows, `Image<Vec<u8>>`
///   owns, `Image<&[Cell<u8>]>` and `Image<Arc<RwLock<Vec<u8>>>>` share. An
///   image is `Send`, `Sync` and `Clone` exactly when its source is.
/// - [`crop`](Image::crop), [`flip_vertical`](Image::flip_vertical) and the
///   like take the image and give one, without touching a pixel. To keep the
///   original, write `image.view().crop(..)`. (`clone` does as the source's
///   `clone` does: it shares what is behind a reference, an `Rc` or an `Arc`,
///   and copies a `Vec`.)
///
/// # Examples
///
/// ```
/// use pixview::{Image, PixelFormat};
///
/// let mut image = Image::new(64, 48, PixelFormat::RGB8)?;
/// image.write()?.fill_rect(8, 8, 16, 16, [255, 128, 0])?;
///
/// let corner = image.view().crop(0, 0, 16, 16)?;
/// assert_eq!(corner.read()?.get(15, 15)?, [255, 128, 0]);
/// let png = corner.flip_horizontal().to_png()?;
/// # let _ = png;
/// # Ok::<(), pixview::Error>(())
/// ```
#[derive(Clone)]
pub struct Image<S> {
    source: S,
    description: Description,
    palette: Option<Palette>,
}

/// Making an image.
impl<S: PixelSource> Image<S> {
    /// An image over a packed buffer: `width * height` pixels of `format`,
    /// row after row without padding, the top row first, from the first byte
    /// on. The buffer may be longer.
    ///
    /// The format alone says what the bytes mean, never the type of the
    /// elements: `f32` with `GRAY8` are four grays each.
    ///
    /// Costs one look at the buffer's length; behind a lock, one lock.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::BufferTooSmall`] names the bytes needed and given;
    /// - [`ErrorKind::Empty`], [`ErrorKind::TooLarge`];
    /// - [`ErrorKind::ElementMismatch`], [`ErrorKind::TornSample`],
    ///   [`ErrorKind::Misaligned`] if the elements of the buffer can't hold the
    ///   format (see [`PixelSource`]);
    /// - [`ErrorKind::UnsupportedOption`], [`ErrorKind::InvalidRange`],
    ///   [`ErrorKind::InvalidBits`], [`ErrorKind::InvalidBitDepth`] if
    ///   something was said of the format's numbers that can't be (see
    ///   [`PixelFormat`]);
    /// - [`ErrorKind::Source`] if the source can't be read.
    pub fn from_buffer(
        source: S,
        width: u32,
        height: u32,
        format: PixelFormat,
    ) -> Result<Self, Error> {
        let layout = Layout::packed(width, height, format);
        let shape = source.lease()?.bytes().shape();
        layout.check_size()?;
        format.check()?;
        layout.check_element(shape.element_size, shape.atomic)?;
        layout.check_exact(shape.len, shape.element_size)?;
        Self::checked(source, layout, shape)
    }

    /// An image over a buffer with any layout: padded rows, an offset,
    /// strides of either sign, planes.
    ///
    /// # Errors
    ///
    /// As [`from_buffer`](Image::from_buffer), and
    /// [`ErrorKind::BeforeBuffer`] where a negative stride leads out of the
    /// buffer, [`ErrorKind::NotPlanar`] where the format has no planes.
    ///
    /// # Examples
    ///
    /// A window's pixels, bottom-up, in rows padded to 16 bytes, the last of
    /// them without its padding:
    ///
    /// ```
    /// use pixview::{Image, Layout, PixelFormat};
    ///
    /// let window = vec![0u8; 2 * 16 + 3 * 4];
    /// let layout = Layout::packed(3, 3, PixelFormat::BGRX8).with_row_stride(16);
    /// let image = Image::with_layout(&window, layout)?.flip_vertical();
    /// # image.read()?.get(0, 0)?;
    /// # Ok::<(), pixview::Error>(())
    /// ```
    pub fn with_layout(source: S, layout: Layout) -> Result<Self, Error> {
        let shape = source.lease()?.bytes().shape();
        layout.check_size()?;
        layout.format().check()?;
        Self::checked(source, layout, shape)
    }

    fn checked(source: S, layout: Layout, shape: Shape) -> Result<Self, Error> {
        layout.check_element(shape.element_size, shape.atomic)?;
        layout.check_bounds(shape.len)?;
        layout.check_overlap(shape.len)?;
        Ok(Image {
            source,
            description: Description { layout, shape },
            palette: None,
        })
    }
}

impl Image<Vec<u8>> {
    /// An image with a buffer of its own, packed, all zero.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Empty`], [`ErrorKind::TooLarge`]; those of numbers, as
    /// [`from_buffer`](Image::from_buffer); [`ErrorKind::OutOfMemory`] if the
    /// memory can't be had.
    pub fn new(width: u32, height: u32, format: PixelFormat) -> Result<Self, Error> {
        let layout = Layout::packed(width, height, format);
        layout.check_size()?;
        format.check()?;
        Self::with_layout(zeroed(layout.packed_size())?, layout)
    }
}

/// The colours of an indexed image.
impl<S> Image<S> {
    /// The same image with the colours that its indices stand for. A palette
    /// that it had is replaced.
    ///
    /// An indexed image can be read and written without one, not saved.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotIndexed`] if pixels are not indices.
    pub fn with_palette(mut self, palette: Palette) -> Result<Self, Error> {
        let format = self.format();
        if !format.is_indexed() {
            return Err(ErrorKind::NotIndexed { format }.into());
        }
        self.palette = Some(palette);
        Ok(self)
    }

    /// The colours, if it has been given any.
    #[must_use]
    pub fn palette(&self) -> Option<&Palette> {
        self.palette.as_ref()
    }

    pub(crate) fn set_palette(&mut self, palette: Palette) {
        self.palette = Some(palette);
    }

    /// The colours, to change them: the next save has the new ones. Views and
    /// clones that were made before keep theirs.
    #[must_use]
    pub fn palette_mut(&mut self) -> Option<&mut Palette> {
        self.palette.as_mut()
    }
}

/// Inspecting an image.
impl<S> Image<S> {
    /// Width in pixels.
    #[must_use]
    pub fn width(&self) -> u32 {
        self.description.layout.width()
    }

    /// Height in pixels.
    #[must_use]
    pub fn height(&self) -> u32 {
        self.description.layout.height()
    }

    /// What the bytes of a pixel mean.
    #[must_use]
    pub fn format(&self) -> PixelFormat {
        self.description.layout.format()
    }

    /// Where the pixels lie in the buffer.
    #[must_use]
    pub fn layout(&self) -> Layout {
        self.description.layout
    }

    /// Where the pixels live.
    #[must_use]
    pub fn source(&self) -> &S {
        &self.source
    }

    /// Where the pixels live: the way to edit a buffer that the image owns.
    ///
    /// If the buffer gets another length, reads and saves fail with
    /// [`SourceError::Changed`](crate::SourceError::Changed).
    #[must_use]
    pub fn source_mut(&mut self) -> &mut S {
        &mut self.source
    }

    /// Gives the source back.
    #[must_use]
    pub fn into_source(self) -> S {
        self.source
    }
}

/// Views: other layouts over the same source. No pixel is touched.
impl<S> Image<S> {
    /// A view that borrows this image's source.
    #[must_use]
    pub fn view(&self) -> Image<&S> {
        Image {
            source: &self.source,
            description: self.description,
            palette: self.palette.clone(),
        }
    }

    /// A view that borrows this image's source for writing.
    #[must_use]
    pub fn view_mut(&mut self) -> Image<&mut S> {
        Image {
            source: &mut self.source,
            description: self.description,
            palette: self.palette.clone(),
        }
    }

    /// The rectangle with its upper left corner at `(x, y)`, in pixels.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::RectOutside`] if it is empty or not wholly inside.
    pub fn crop(self, x: u32, y: u32, width: u32, height: u32) -> Result<Self, Error> {
        let layout = self.layout().crop(x, y, width, height)?;
        Ok(self.with(layout))
    }

    /// Left and right exchanged.
    #[must_use]
    pub fn flip_horizontal(self) -> Self {
        let layout = self.layout().flip_horizontal();
        self.with(layout)
    }

    /// Top and bottom exchanged: the way to look at a bottom-up buffer.
    #[must_use]
    pub fn flip_vertical(self) -> Self {
        let layout = self.layout().flip_vertical();
        self.with(layout)
    }

    /// Columns and rows exchanged: pixel (x, y) becomes pixel (y, x).
    #[must_use]
    pub fn transpose(self) -> Self {
        let layout = self.layout().transpose();
        self.with(layout)
    }

    /// One channel alone, as a gray image of the same depth. What was said of
    /// the numbers of the format holds for it too; of alpha only how many bits
    /// there are.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NoChannel`] if the format has none of that name that stands
    /// alone in memory.
    ///
    /// # Examples
    ///
    /// ```
    /// use pixview::{Channel, Image, PixelFormat};
    ///
    /// let buffer = [10u8, 20, 30, 255, 11, 21, 31, 255];
    /// let image = Image::from_buffer(&buffer, 2, 1, PixelFormat::BGRA8)?;
    /// let red = image.channel(Channel::Red)?;
    /// assert_eq!(red.format(), PixelFormat::GRAY8);
    /// assert_eq!(red.read()?.get(1, 0)?, [31]);
    /// # Ok::<(), pixview::Error>(())
    /// ```
    pub fn channel(self, channel: Channel) -> Result<Self, Error> {
        let format = self.format();
        let index = format
            .sample_of(channel)
            .ok_or(ErrorKind::NoChannel { channel, format })?;
        let layout = self.layout().sample(index, format.channel_format(channel));
        Ok(self.with(layout))
    }

    fn with(mut self, layout: Layout) -> Self {
        self.description.layout = layout;
        self
    }
}

/// Reading and writing pixels.
impl<S: PixelSource> Image<S> {
    /// Read access to the pixels, for one lease of the source.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Source`] if the source can't be read, or changed its
    /// length since the image was made.
    pub fn read(&self) -> Result<Pixels<'_>, Error> {
        Pixels::new(self.source.lease()?, self.description)
    }

    /// Write access to the pixels, for one lease of the source. What is
    /// written is in the caller's buffer at once.
    ///
    /// Whether pixels share bits is found out here, each time: at once for
    /// strides that nest, else in steps of the order of the square root of
    /// the buffer's length.
    ///
    /// Needs `&mut self`, over shared memory too. Who has an image of cells,
    /// atomics or a lock only by reference writes through a view of it:
    /// `image.view().write()`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Overlap`] if pixels share bits; [`ErrorKind::Source`] if
    /// the source can't be written, or changed its length since the image was
    /// made.
    pub fn write(&mut self) -> Result<PixelsMut<'_>, Error>
    where
        S: PixelSourceMut,
    {
        PixelsMut::new(self.source.lease_mut()?, self.description)
    }

    /// Copies all pixels into `to`, packed, in the image's own format.
    /// Allocates nothing.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::ByteCount`] if `to` has not exactly `height` times
    /// [`PixelFormat::row_size`] bytes; [`ErrorKind::Source`] if the
    /// source fails.
    pub fn copy_to(&self, to: &mut [u8]) -> Result<(), Error> {
        let layout = self.layout();
        let (needed, given) = (layout.packed_size(), to.len() as u64);
        if needed != given {
            return Err(ErrorKind::ByteCount { needed, given }.into());
        }
        let lease = self.source.lease()?;
        let frame = self.description.frame(&lease)?;
        let row_size = self.format().row_size(self.width()) as usize;
        for (y, row) in (0..self.height()).zip(to.chunks_exact_mut(row_size)) {
            let copied = frame.pixels(0, y, self.width(), row);
            copied.map_err(|error| Error::from(error).at_row(y))?;
        }
        Ok(())
    }

    /// All pixels, packed, in the image's own format: a snapshot.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::OutOfMemory`] if the memory can't be had;
    /// [`ErrorKind::Source`] if the source fails.
    pub fn to_vec(&self) -> Result<Vec<u8>, Error> {
        let mut copy = zeroed(self.layout().packed_size())?;
        self.copy_to(&mut copy)?;
        Ok(copy)
    }

    pub(crate) fn description(&self) -> Description {
        self.description
    }
}

/// Saving with the default options. [`PngEncoder`] has the others, and keeps
/// its scratch buffers from save to save.
impl<S: PixelSource> Image<S> {
    /// Saves the pixels as they are now as a PNG file, replacing `path`
    /// atomically. Nothing about the image or its source changes.
    ///
    /// Details and errors: [`PngEncoder::save`].
    ///
    /// # Errors
    ///
    /// As [`PngEncoder::save`].
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        PngEncoder::new().save(self, path)
    }

    /// Writes the pixels as they are now as a PNG stream.
    ///
    /// # Errors
    ///
    /// As [`PngEncoder::write`].
    pub fn write_to(&self, writer: impl Write) -> Result<(), Error> {
        PngEncoder::new().write(self, writer)
    }

    /// The pixels as they are now as the bytes of a PNG file.
    ///
    /// # Errors
    ///
    /// As [`PngEncoder::to_vec`].
    pub fn to_png(&self) -> Result<Vec<u8>, Error> {
        PngEncoder::new().to_vec(self)
    }
}

/// The shape and the kind of source, never the pixels.
#[allow(clippy::missing_fields_in_debug)] // the layout is the description's
impl<S> fmt::Debug for Image<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Image")
            .field("source", &format_args!("{}", type_name::<S>()))
            .field("layout", &self.layout())
            .field("palette", &self.palette.as_ref().map(|p| p.colors().len()))
            .finish()
    }
}
