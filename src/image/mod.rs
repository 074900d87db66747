//! The image: a source and the layout of its pixels.

mod compare;
mod convert;
mod digest;
mod pair;
mod rows;

use std::any::type_name;
use std::fmt;

pub use compare::{Difference, Rect};

use crate::alloc::zeroed;
use crate::source::{Shape, with_lease};
use crate::strided::{CheckedLayout, Frame};
use crate::{
    Channel, Error, ErrorKind, Layout, Lease, Palette, PixelFormat, PixelSource, PixelSourceMut,
    Pixels, PixelsMut,
};

/// A view of a pixel buffer that lives somewhere else, or that the image owns.
///
/// An image is a source of bytes and a [`Layout`]: where each pixel lies in the
/// buffer, and what its bytes mean (its [`PixelFormat`]). An image keeps no copy
/// of the pixels. A read or a save takes the pixels that are in the buffer at
/// that moment.
///
/// - The source `S` decides who owns the pixels and who may edit them.
///   `Image<&[u8]>` borrows, `Image<Vec<u8>>` owns, `Image<&[Cell<u8>]>` and
///   `Image<Arc<RwLock<Vec<u8>>>>` share. An image is `Send`, `Sync` and
///   `Clone` exactly when its source is.
/// - [`crop`](Image::crop), [`flip_vertical`](Image::flip_vertical) and the
///   other views take the image and return another one, without touching a
///   pixel. To keep the original, write `image.view().crop(..)`.
/// - `clone` clones the source: a clone of a reference, an `Rc` or an `Arc`
///   shares the buffer, a clone of a `Vec` copies it.
///
/// # Examples
///
/// ```
/// use pixview::{Image, PixelFormat};
///
/// let mut image = Image::new(64, 48, PixelFormat::RGB8)?;
/// image.pixels_mut()?.fill_rect(8, 8, 16, 16, [255, 128, 0])?;
///
/// let corner = image.view().crop(0, 0, 16, 16)?;
/// assert_eq!(corner.pixels()?.get(15, 15)?, [255, 128, 0]);
/// let png = corner.flip_horizontal().to_png()?;
/// # let _ = png;
/// # Ok::<(), pixview::Error>(())
/// ```
#[derive(Clone)]
pub struct Image<S> {
    source: S,
    layout: CheckedLayout,
    palette: Option<Palette>,
}

/// Creating an image.
impl<S: PixelSource> Image<S> {
    /// Creates an image over a packed buffer: rows of `width` pixels without
    /// padding, from left to right and from top to bottom.
    ///
    /// The buffer has exactly the bytes of the pixels. A buffer of larger
    /// elements, such as `u32`, has exactly as many elements as hold the pixels.
    /// For padded rows, an offset, or a longer buffer, use
    /// [`with_layout`](Image::with_layout).
    ///
    /// The format alone decides what the bytes mean. The type of the elements
    /// does not: an `f32` described as `GRAY8` is four gray pixels.
    ///
    /// Reads the length of the buffer, but no pixel. Takes the lock of the source
    /// once, if it has one.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::BufferLength`] if the buffer has more or fewer bytes;
    /// - [`ErrorKind::Empty`] and [`ErrorKind::TooLarge`] if PNG cannot hold the
    ///   size;
    /// - [`ErrorKind::ElementMismatch`], [`ErrorKind::TornSample`] and
    ///   [`ErrorKind::Misaligned`] if the elements of the buffer cannot hold the
    ///   format (see [`PixelSource`]);
    /// - [`ErrorKind::UnsupportedOption`], [`ErrorKind::InvalidRange`],
    ///   [`ErrorKind::InvalidBits`] and [`ErrorKind::InvalidBitDepth`] if an
    ///   option of the format is invalid (see [`PixelFormat`]);
    /// - [`ErrorKind::Source`] if the source cannot be read.
    ///
    /// # Examples
    ///
    /// ```
    /// use pixview::{Image, PixelFormat};
    ///
    /// let rgba = vec![0u8; 640 * 480 * 4];
    /// let image = Image::from_buffer(&rgba, 640, 480, PixelFormat::RGBA8)?;
    /// assert_eq!(image.width(), 640);
    ///
    /// let error = Image::from_buffer(&rgba, 640, 480, PixelFormat::RGB8).unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "640x480 pixels of RGB8 have 921600 bytes, the buffer has 1228800: \
    ///      that is 4 bytes a pixel, not 3; is the format right?",
    /// );
    /// # Ok::<(), pixview::Error>(())
    /// ```
    pub fn from_buffer(
        source: S,
        width: u32,
        height: u32,
        format: PixelFormat,
    ) -> Result<Self, Error> {
        let layout = Layout::packed(width, height, format);
        let (_, shape) = with_lease(source.lease()?, |lease| lease.bytes().shape());
        layout.check_size()?;
        format.check()?;
        layout.check_element(shape.element_size, shape.atomic)?;
        layout.check_exact(shape.len, shape.element_size)?;
        Self::checked(source, layout, shape)
    }

    /// Creates an image over a buffer with any layout: padded rows, an offset,
    /// strides of either sign, planes. The buffer may be longer than the layout
    /// reaches.
    ///
    /// # Errors
    ///
    /// The errors of [`from_buffer`](Image::from_buffer) except
    /// [`ErrorKind::BufferLength`], and:
    ///
    /// - [`ErrorKind::BufferTooSmall`] if a pixel lies beyond the end of the
    ///   buffer;
    /// - [`ErrorKind::BeforeBuffer`] if a negative stride leads to a pixel before
    ///   the start of the buffer;
    /// - [`ErrorKind::OverlappingPixels`] if pixels share bytes: see
    ///   [`Layout::allow_overlap`];
    /// - [`ErrorKind::NotPlanar`] if the layout is planar and the format has no
    ///   planes.
    ///
    /// # Examples
    ///
    /// The pixels of a window, bottom-up. Rows are padded to 16 bytes, except the
    /// last one, which has no padding:
    ///
    /// ```
    /// use pixview::{Image, Layout, PixelFormat};
    ///
    /// let window = vec![0u8; 2 * 16 + 3 * 4];
    /// let layout = Layout::packed(3, 3, PixelFormat::BGRX8).with_row_stride(16);
    /// let image = Image::with_layout(&window, layout)?.flip_vertical();
    /// # image.pixels()?.get(0, 0)?;
    /// # Ok::<(), pixview::Error>(())
    /// ```
    pub fn with_layout(source: S, layout: Layout) -> Result<Self, Error> {
        let (_, shape) = with_lease(source.lease()?, |lease| lease.bytes().shape());
        layout.check_size()?;
        layout.format().check()?;
        Self::checked(source, layout, shape)
    }

    /// Checks a layout, whose size and format have been checked, and creates the
    /// image.
    fn checked(source: S, layout: Layout, shape: Shape) -> Result<Self, Error> {
        Ok(Image {
            source,
            layout: CheckedLayout::new(layout, shape)?,
            palette: None,
        })
    }
}

impl Image<Vec<u8>> {
    /// Creates an image with a packed buffer of its own, all zero.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::Empty`] and [`ErrorKind::TooLarge`] if PNG cannot hold the
    ///   size;
    /// - [`ErrorKind::OutOfMemory`] if the buffer cannot be allocated;
    /// - the errors of [`from_buffer`](Image::from_buffer) for options of the
    ///   format.
    pub fn new(width: u32, height: u32, format: PixelFormat) -> Result<Self, Error> {
        let layout = Layout::packed(width, height, format);
        layout.check_size()?;
        format.check()?;
        Self::with_layout(zeroed(layout.packed_size())?, layout)
    }
}

/// The palette of an indexed image.
impl<S> Image<S> {
    /// Sets the palette. The pixels of an indexed image without a palette can be
    /// read and written, but the image cannot be saved.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotIndexed`] if the format is not indexed.
    pub fn with_palette(mut self, palette: Palette) -> Result<Self, Error> {
        let format = self.format();
        if !format.is_indexed() {
            return Err(ErrorKind::NotIndexed { format }.into());
        }
        self.palette = Some(palette);
        Ok(self)
    }

    /// Returns the palette, if the image has one.
    #[must_use]
    pub fn palette(&self) -> Option<&Palette> {
        self.palette.as_ref()
    }

    pub(crate) fn set_palette(&mut self, palette: Palette) {
        self.palette = Some(palette);
    }

    /// Returns the palette for editing. The next save writes the edited palette.
    /// Views and clones that were made before keep the old one.
    #[must_use]
    pub fn palette_mut(&mut self) -> Option<&mut Palette> {
        self.palette.as_mut()
    }
}

/// Inspecting an image.
impl<S> Image<S> {
    /// Returns the width in pixels.
    #[must_use]
    pub fn width(&self) -> u32 {
        self.layout.get().width()
    }

    /// Returns the height in pixels.
    #[must_use]
    pub fn height(&self) -> u32 {
        self.layout.get().height()
    }

    /// Returns the pixel format.
    #[must_use]
    pub fn format(&self) -> PixelFormat {
        self.layout.get().format()
    }

    /// Returns the layout: where the pixels lie in the buffer.
    #[must_use]
    pub fn layout(&self) -> Layout {
        self.layout.get()
    }

    /// Returns the source.
    #[must_use]
    pub fn source(&self) -> &S {
        &self.source
    }

    /// Returns the source for editing, such as a buffer that the image owns.
    ///
    /// If the length of the buffer changes, reads and saves fail with
    /// [`SourceError::Changed`](crate::source::SourceError::Changed).
    #[must_use]
    pub fn source_mut(&mut self) -> &mut S {
        &mut self.source
    }

    /// Returns the source and gives up the image.
    #[must_use]
    pub fn into_source(self) -> S {
        self.source
    }
}

/// Views: other layouts of the same source. No pixel is touched.
impl<S> Image<S> {
    /// Returns a view that borrows the source of this image.
    #[must_use]
    pub fn view(&self) -> Image<&S> {
        Image {
            source: &self.source,
            layout: self.layout,
            palette: self.palette.clone(),
        }
    }

    /// Returns a view that borrows the source of this image for writing.
    #[must_use]
    pub fn view_mut(&mut self) -> Image<&mut S> {
        Image {
            source: &mut self.source,
            layout: self.layout,
            palette: self.palette.clone(),
        }
    }

    /// Returns the view of the rectangle with its upper left corner at `(x, y)`,
    /// in pixels.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::EmptyRect`] and [`ErrorKind::RectOutside`] if the rectangle
    /// is empty or reaches out of the image.
    pub fn crop(self, x: u32, y: u32, width: u32, height: u32) -> Result<Self, Error> {
        let layout = self.layout().crop(x, y, width, height)?;
        Ok(self.with_view(layout))
    }

    /// Returns the view with left and right exchanged.
    #[must_use]
    pub fn flip_horizontal(self) -> Self {
        let layout = self.layout().flip_horizontal();
        self.with_view(layout)
    }

    /// Returns the view with top and bottom exchanged, as for a bottom-up buffer.
    #[must_use]
    pub fn flip_vertical(self) -> Self {
        let layout = self.layout().flip_vertical();
        self.with_view(layout)
    }

    /// Returns the view with columns and rows exchanged: pixel (x, y) becomes
    /// pixel (y, x).
    #[must_use]
    pub fn transpose(self) -> Self {
        let layout = self.layout().transpose();
        self.with_view(layout)
    }

    /// Returns the view of one channel, as a gray image of the same depth. The
    /// view keeps the options of the format. A view of the alpha channel keeps
    /// only the number of significant bits.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NoChannel`] if the format has no such channel, or if the
    /// channel is a premultiplied color or a field of a word that is not a whole
    /// byte.
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
    /// assert_eq!(red.pixels()?.get(1, 0)?, [31]);
    /// # Ok::<(), pixview::Error>(())
    /// ```
    pub fn channel(self, channel: Channel) -> Result<Self, Error> {
        let layout = self.layout().channel(channel)?;
        Ok(self.with_view(layout))
    }

    fn with_view(mut self, layout: Layout) -> Self {
        self.layout.set_view(layout);
        self
    }
}

/// Reading and writing pixels.
impl<S: PixelSource> Image<S> {
    /// Returns read access to the pixels. It holds one lease of the source: a
    /// lock stays locked until the access is dropped.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Source`] if the source cannot be read, or if its length or
    /// elements have changed since the creation of the image.
    pub fn pixels(&self) -> Result<Pixels<'_>, Error> {
        Pixels::new(self.source.lease()?, self.layout)
    }

    /// Returns write access to the pixels. It holds one lease of the source: a
    /// lock stays locked until the access is dropped. Every write is in the
    /// caller's buffer at once.
    ///
    /// Over cells, atomics and locks, `&Image` is enough to write: use
    /// `image.view().pixels_mut()`.
    ///
    /// Each call checks that no pixels share bits. For all layouts met in practice
    /// it compares the strides. For other layouts it searches, in a time that
    /// grows with the square root of the buffer's length.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::Overlap`] if pixels share bits;
    /// - [`ErrorKind::Source`] if the source cannot be written, or if its length
    ///   or elements have changed since the creation of the image.
    pub fn pixels_mut(&mut self) -> Result<PixelsMut<'_>, Error>
    where
        S: PixelSourceMut,
    {
        PixelsMut::new(self.source.lease_mut()?, self.layout)
    }

    /// Copies all pixels into `to`, in the image's own format, rows without
    /// padding. Allocates nothing.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::ByteCount`] if `to` does not have exactly `height` times
    ///   [`PixelFormat::row_size`] bytes;
    /// - [`ErrorKind::Source`] if the source fails.
    pub fn copy_to(&self, to: &mut [u8]) -> Result<(), Error> {
        let layout = self.layout();
        let (needed, given) = (layout.packed_size(), to.len() as u64);
        if needed != given {
            return Err(ErrorKind::ByteCount { needed, given }.into());
        }
        let copy = |lease: &mut Lease<'_>| self.frame(lease)?.copy_to(to);
        with_lease(self.source.lease()?, copy).1
    }

    /// Returns a copy of all pixels, in the image's own format, rows without
    /// padding.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::OutOfMemory`] if the copy cannot be allocated;
    /// - [`ErrorKind::Source`] if the source fails.
    pub fn to_vec(&self) -> Result<Vec<u8>, Error> {
        let mut copy = zeroed(self.layout().packed_size())?;
        self.copy_to(&mut copy)?;
        Ok(copy)
    }

    /// Returns the pixels of a lease of this image's source.
    pub(crate) fn frame<'l>(&self, lease: &'l Lease<'_>) -> Result<Frame<'l>, Error> {
        self.layout.frame(lease.bytes())
    }
}

/// Shows the layout and the type of the source, never the pixels.
impl<S> fmt::Debug for Image<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Image")
            .field("source", &format_args!("{}", type_name::<S>()))
            .field("layout", &self.layout())
            .field("palette", &self.palette.as_ref().map(|p| p.colors().len()))
            .finish()
    }
}
