//! Views of `imgref` images, with their stride.

use ::imgref::Img;

use crate::source::with_lease;
use crate::{Error, Image, Layout, PixelFormat, PixelSource};

/// Creates an image over the buffer of an `ImgRef`, `ImgRefMut` or `ImgVec`. Each
/// element of the buffer is a pixel.
///
/// The stride of the image is the stride of the view, so the buffer is read in
/// place. Pixels of the crate `rgb` are elements if the feature `rgb` is on.
///
/// # Errors
///
/// - [`ErrorKind::ArrayElement`](crate::ErrorKind::ArrayElement) if an element of
///   the buffer does not have the size of a pixel;
/// - the errors of [`Image::with_layout`].
///
/// # Examples
///
/// ```
/// use imgref::ImgVec;
/// use pixview::interop::imgref::from_img;
/// use pixview::PixelFormat;
///
/// let frame = ImgVec::new(vec![[10u8, 20, 30]; 64], 8, 8);
/// let crop = from_img(frame.sub_image(2, 2, 4, 4), PixelFormat::RGB8)?;
/// assert_eq!(crop.layout().row_stride(), 8 * 3);
/// assert_eq!(crop.pixels()?.get(3, 3)?, [10, 20, 30]);
/// # Ok::<(), pixview::Error>(())
/// ```
pub fn from_img<B: PixelSource>(img: Img<B>, format: PixelFormat) -> Result<Image<B>, Error> {
    let shape = [img.height(), img.width()];
    // The layout of a larger stride doesn't fit any buffer.
    let stride = img.stride().try_into().unwrap_or(isize::MAX);
    let buffer = img.into_buf();
    let (_, size) = with_lease(buffer.lease()?, |lease| lease.element_size());
    let layout = Layout::from_element_strides(&shape, &[stride, 1], size, format)?;
    Image::with_layout(buffer, layout)
}
