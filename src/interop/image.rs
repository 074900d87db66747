//! Views of `image` images, and drawing with `imageproc` on a view.
//!
//! The format is found from the type of the pixels. To read a file into an image
//! of the crate, give its view to
//! [`PngReader::read_into`](crate::PngReader::read_into):
//!
//! ```no_run
//! use pixview::interop::image::from_image_mut;
//! use pixview::PngDecoder;
//!
//! let mut reader = PngDecoder::new().open("frame.png")?;
//! let mut frame = image::RgbaImage::new(reader.width(), reader.height());
//! reader.read_into(&mut from_image_mut(&mut frame)?)?;
//! # Ok::<(), pixview::Error>(())
//! ```

use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};

use ::image::{DynamicImage, GenericImage, GenericImageView, ImageBuffer};
use ::image::{Luma, LumaA, Pixel, Primitive, Rgb, Rgba};
use bytemuck::Pod;

use crate::source::{BytesMut, Owner, Plain};
use crate::strided::FrameMut;
use crate::{Error, ErrorKind, Image, Layout, PixelFormat, PixelSourceMut, PixelsMut};

/// A pixel type of `image` and its format.
///
/// # Implementer notes
///
/// Implement this trait for a pixel type of your own. Its channels are the samples
/// of the format, in the order of the format.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a pixel type with a format",
    note = "pixels are `Luma`, `LumaA`, `Rgb` and `Rgba` of `u8`, `u16` and `f32`",
    note = "a literal without a type is an `i32`: write `Rgba([255u8, 0, 0, 255])`, or name the pixel: `Canvas::<Rgba<u8>>::new(..)`"
)]
pub trait PixelType: Pixel<Subpixel: Plain + Pod> {
    /// The format of an image of these pixels.
    const FORMAT: PixelFormat;
}

macro_rules! pixel_types {
    ($($pixel:ident $u8:ident $u16:ident $f32:ident;)*) => {$(
        impl PixelType for $pixel<u8> {
            const FORMAT: PixelFormat = PixelFormat::$u8;
        }

        impl PixelType for $pixel<u16> {
            const FORMAT: PixelFormat = PixelFormat::$u16;
        }

        impl PixelType for $pixel<f32> {
            const FORMAT: PixelFormat = PixelFormat::$f32;
        }
    )*};
}

pixel_types! {
    Luma GRAY8 GRAY16 GRAY_F32;
    LumaA GRAY_ALPHA8 GRAY_ALPHA16 GRAY_ALPHA_F32;
    Rgb RGB8 RGB16 RGB_F32;
    Rgba RGBA8 RGBA16 RGBA_F32;
}

/// Creates an image that borrows the pixels of an `ImageBuffer`, such as an
/// `RgbImage`.
///
/// # Errors
///
/// [`ErrorKind::Empty`] and [`ErrorKind::TooLarge`] if PNG cannot hold the size.
///
/// # Examples
///
/// ```
/// use pixview::interop::image::from_image;
///
/// let frame = image::GrayImage::from_pixel(4, 4, image::Luma([7]));
/// let view = from_image(&frame)?;
/// assert_eq!(view.crop(1, 1, 2, 2)?.to_vec()?, [7; 4]);
/// # Ok::<(), pixview::Error>(())
/// ```
pub fn from_image<P, B>(buffer: &ImageBuffer<P, B>) -> Result<Image<&[P::Subpixel]>, Error>
where
    P: PixelType,
    B: Deref<Target = [P::Subpixel]>,
{
    let layout = layout(buffer);
    Image::with_layout(&**buffer, layout)
}

/// Creates an image that mutably borrows the pixels of an `ImageBuffer`.
///
/// # Errors
///
/// As for [`from_image`].
pub fn from_image_mut<P, B>(
    buffer: &mut ImageBuffer<P, B>,
) -> Result<Image<&mut [P::Subpixel]>, Error>
where
    P: PixelType,
    B: DerefMut<Target = [P::Subpixel]>,
{
    let layout = layout(buffer);
    Image::with_layout(&mut **buffer, layout)
}

/// Creates an image that owns an `ImageBuffer`. [`Image::source_mut`] returns it
/// for editing.
///
/// # Errors
///
/// As for [`from_image`].
pub fn into_image<P, B>(buffer: ImageBuffer<P, B>) -> Result<Image<Owner<ImageBuffer<P, B>>>, Error>
where
    P: PixelType,
    B: Deref<Target = [P::Subpixel]>,
{
    let layout = layout(&buffer);
    Image::with_layout(Owner(buffer), layout)
}

/// Returns the layout of a buffer, which may be longer than its pixels.
fn layout<P, B>(buffer: &ImageBuffer<P, B>) -> Layout
where
    P: PixelType,
    B: Deref<Target = [P::Subpixel]>,
{
    Layout::packed(buffer.width(), buffer.height(), P::FORMAT)
}

/// Runs an expression with the buffer of a `DynamicImage`.
macro_rules! with_buffer {
    ($image:expr, $buffer:ident => $action:expr) => {
        match $image {
            DynamicImage::ImageLuma8($buffer) => $action,
            DynamicImage::ImageLumaA8($buffer) => $action,
            DynamicImage::ImageRgb8($buffer) => $action,
            DynamicImage::ImageRgba8($buffer) => $action,
            DynamicImage::ImageLuma16($buffer) => $action,
            DynamicImage::ImageLumaA16($buffer) => $action,
            DynamicImage::ImageRgb16($buffer) => $action,
            DynamicImage::ImageRgba16($buffer) => $action,
            DynamicImage::ImageRgb32F($buffer) => $action,
            DynamicImage::ImageRgba32F($buffer) => $action,
            // A variant that a later version of `image` adds.
            other => Err(ErrorKind::UnknownFormat {
                name: format!("{:?}", other.color()),
                nearest: None,
            }
            .into()),
        }
    };
}

/// Creates an image that borrows the pixels of a `DynamicImage`, as bytes.
///
/// # Errors
///
/// - [`ErrorKind::UnknownFormat`] if this version of the crate does not know the
///   type of the pixels;
/// - those of [`from_image`].
///
/// # Examples
///
/// ```
/// use pixview::PixelFormat;
/// use pixview::interop::image::from_dynamic;
///
/// let photo = image::DynamicImage::new_rgb16(4, 4);
/// assert_eq!(from_dynamic(&photo)?.format(), PixelFormat::RGB16);
/// # Ok::<(), pixview::Error>(())
/// ```
pub fn from_dynamic(image: &DynamicImage) -> Result<Image<&[u8]>, Error> {
    with_buffer!(image, buffer => {
        Image::with_layout(bytemuck::cast_slice(buffer), layout(buffer))
    })
}

/// Creates an image that mutably borrows the pixels of a `DynamicImage`, as bytes.
///
/// # Errors
///
/// As for [`from_dynamic`].
pub fn from_dynamic_mut(image: &mut DynamicImage) -> Result<Image<&mut [u8]>, Error> {
    with_buffer!(image, buffer => {
        let layout = layout(buffer);
        Image::with_layout(bytemuck::cast_slice_mut(buffer), layout)
    })
}

/// A view of an image as a `GenericImage`, so that `imageproc` draws into the
/// caller's buffer.
///
/// The image has plain memory or a lock as its source, with any strides, and its
/// format is [`PixelType::FORMAT`]. A canvas holds one lease of the source: a lock
/// stays locked until the canvas is dropped. So drop it before a save, and make a
/// new one to draw more; that costs nothing. Cells are refused, because
/// `GenericImage` lends pixels as `&mut P`.
///
/// A literal without a type is an `i32`: write `Rgba([255u8, 0, 0, 255])`, or name
/// the pixel, as in `Canvas::<Rgba<u8>>::new(..)`.
///
/// # Panics
///
/// The methods that take the place of a pixel panic if it lies outside of the
/// image, as `GenericImage` demands. The functions of `imageproc` draw only what
/// lies inside.
///
/// # Examples
///
/// ```
/// use image::{GenericImage, Rgb};
/// use pixview::interop::image::Canvas;
/// use pixview::{Image, PixelFormat};
///
/// let mut array = vec![0u8; 8 * 8 * 3];
/// let image = Image::from_buffer(&mut array, 8, 8, PixelFormat::RGB8)?;
/// let mut corner = image.crop(4, 4, 4, 4)?;
///
/// let mut canvas = Canvas::<Rgb<u8>>::new(&mut corner)?;
/// canvas.put_pixel(3, 3, Rgb([1, 2, 3]));
/// drop(canvas);
/// let first = corner.to_png()?;
///
/// Canvas::<Rgb<u8>>::new(&mut corner)?.put_pixel(0, 0, Rgb([4, 5, 6]));
/// let second = corner.to_png()?;
/// # assert_ne!(first, second);
/// assert_eq!(array[8 * 8 * 3 - 3..], [1, 2, 3]);
/// # Ok::<(), pixview::Error>(())
/// ```
pub struct Canvas<'a, P> {
    pixels: PixelsMut<'a>,
    pixel: PhantomData<fn() -> P>,
}

impl<'a, P: PixelType> Canvas<'a, P> {
    /// Creates a canvas that draws on an image.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::PixelType`] if the format of the image is not that of `P`;
    /// - [`ErrorKind::NotBorrowable`] if the source is cells or atomics, or the
    ///   image is planar;
    /// - [`ErrorKind::Misaligned`] if pixels do not begin at a multiple of the
    ///   alignment of a sample, as in an odd byte of a `u8` buffer;
    /// - the errors of [`Image::pixels_mut`].
    pub fn new<S: PixelSourceMut>(image: &'a mut Image<S>) -> Result<Self, Error> {
        let (format, layout) = (image.format(), image.layout());
        if format != P::FORMAT {
            let needed = P::FORMAT;
            return Err(ErrorKind::PixelType { needed, format }.into());
        }
        let mut pixels = image.pixels_mut()?;
        let BytesMut::Stable(bytes, element_size) = pixels.frame_mut()?.bytes else {
            return Err(ErrorKind::NotBorrowable.into());
        };
        if layout.plane_stride().is_some() {
            return Err(ErrorKind::NotBorrowable.into());
        }
        // All pixels are aligned if the first one is, and the strides are.
        let size = size_of::<P::Subpixel>();
        let first = &bytes[layout.offset()..][..format.pixel_size()];
        let is_aligned = bytemuck::try_cast_slice::<_, P::Subpixel>(first).is_ok()
            && [layout.row_stride(), layout.pixel_stride()]
                .iter()
                .all(|stride| stride.unsigned_abs().is_multiple_of(size));
        if !is_aligned {
            return Err(ErrorKind::Misaligned {
                alignment: size,
                element_size,
                format,
            }
            .into());
        }
        Ok(Canvas {
            pixels,
            pixel: PhantomData,
        })
    }
}

/// Shows the layout, never the pixels.
impl<P> fmt::Debug for Canvas<'_, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Canvas").field(&self.pixels).finish()
    }
}

impl<P: PixelType> GenericImageView for Canvas<'_, P> {
    type Pixel = P;

    fn dimensions(&self) -> (u32, u32) {
        (self.pixels.width(), self.pixels.height())
    }

    fn get_pixel(&self, x: u32, y: u32) -> P {
        let bytes = demand(self.pixels.get_bytes(x, y));
        let mut samples = [P::Subpixel::DEFAULT_MIN_VALUE; 4];
        let to: &mut [u8] = bytemuck::cast_slice_mut(&mut samples);
        to[..bytes.len()].copy_from_slice(&bytes);
        *P::from_slice(&samples[..P::CHANNEL_COUNT.into()])
    }
}

impl<P: PixelType> GenericImage for Canvas<'_, P> {
    fn get_pixel_mut(&mut self, x: u32, y: u32) -> &mut P {
        demand(self.pixels.get_bytes(x, y));
        match demand(self.pixels.frame_mut()) {
            FrameMut {
                bytes: BytesMut::Stable(bytes, _),
                layout,
            } => {
                let start = layout.address(x, y).byte;
                let pixel = &mut bytes[start..][..layout.unit()];
                P::from_slice_mut(bytemuck::cast_slice_mut(pixel))
            }
            FrameMut { .. } => demand(Err(ErrorKind::NotBorrowable.into())),
        }
    }

    fn put_pixel(&mut self, x: u32, y: u32, pixel: P) {
        let bytes = bytemuck::cast_slice(pixel.channels());
        demand(self.pixels.put_bytes(x, y, bytes));
    }

    fn blend_pixel(&mut self, x: u32, y: u32, pixel: P) {
        let mut blended = self.get_pixel(x, y);
        blended.blend(&pixel);
        self.put_pixel(x, y, blended);
    }
}

/// Returns the value, or panics with the error. The methods of `GenericImage`
/// return no errors. [`Canvas::new`] has checked all but the place of the pixel.
fn demand<T>(result: Result<T, Error>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => panic!("{error}"),
    }
}
