//! Views of other crates' images and arrays, and drawing with other crates. Each
//! module is a feature, which is off by default.
//!
//! | feature | from | functions |
//! |---|---|---|
//! | `ndarray` | arrays of 2 or 3 axes with any strides, owned, borrowed or as cells | `ndarray::from_array` |
//! | `image` | `ImageBuffer`, `DynamicImage` | `image::from_image`, `from_image_mut`, `into_image`, `from_dynamic`, `from_dynamic_mut` |
//! | `image` | a view to draw on with `imageproc` | `image::Canvas` |
//! | `imgref` | `ImgRef`, `ImgRefMut`, `ImgVec` | `imgref::from_img` |
//! | `rgb` | slices of `Rgb`, `Bgra` and the like | [`Image::from_buffer`](crate::Image::from_buffer) |
//! | `embedded-graphics` | a view to draw text and shapes on | `embedded_graphics::Display` |
//!
//! No function copies the pixels. A view borrows or owns the other crate's value,
//! and is an [`Image`](crate::Image) like any other.
//!
//! A type that derefs to a slice, such as `bytes::Bytes` and `memmap2::Mmap`, needs
//! no feature: see [`Owner`](crate::source::Owner). For a lock of another crate, see
//! [`from_fn`](crate::source::from_fn) and
//! [`from_shared`](crate::source::from_shared).

#[cfg(feature = "embedded-graphics")]
pub mod embedded_graphics;
#[cfg(feature = "image")]
pub mod image;
#[cfg(feature = "imgref")]
pub mod imgref;
#[cfg(feature = "ndarray")]
pub mod ndarray;
#[cfg(feature = "rgb")]
pub mod rgb;
