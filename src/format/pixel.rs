//! One pixel as samples, and its conversion to the bytes of a format and back.

use std::fmt;
use std::ops::{Deref, DerefMut};

use super::{PixelFormat, from_png, pack, to_png, unpack};
use crate::ErrorKind;

/// The samples of one pixel, as a PNG holds them.
///
/// A pixel has 1 to 4 samples, in this order whatever the order in memory:
/// gray; gray, alpha; red, green, blue; or red, green, blue, alpha. A pixel of
/// an indexed format has one sample, the index of a palette entry.
///
/// Samples of 8 bits are 0 to 255, of 16 bits 0 to 65535, of 4, 2 and 1 bits 0
/// to 15, 3 and 1. [`PixelFormat::bit_depth`] tells the number of bits.
///
/// A `Pixel` derefs to a slice and compares with an array.
///
/// # Examples
///
/// ```
/// use pixview::{Image, PixelFormat};
///
/// let buffer = [10u8, 20, 30, 40, 50, 60]; // blue, green, red, twice
/// let image = Image::from_buffer(&buffer, 2, 1, PixelFormat::BGR8)?;
/// let pixel = image.pixels()?.get(1, 0)?;
/// assert_eq!(pixel, [60, 50, 40]);
/// assert_eq!(pixel[0], 60); // red
/// # Ok::<(), pixview::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Pixel {
    samples: [u16; 4],
    len: u8,
}

impl Deref for Pixel {
    type Target = [u16];

    fn deref(&self) -> &[u16] {
        &self.samples[..usize::from(self.len)]
    }
}

impl AsRef<[u16]> for Pixel {
    fn as_ref(&self) -> &[u16] {
        self
    }
}

impl<const N: usize> PartialEq<[u16; N]> for Pixel {
    fn eq(&self, other: &[u16; N]) -> bool {
        **self == other[..]
    }
}

impl fmt::Debug for Pixel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// Samples of one pixel to write: an array, slice or `Vec` of `u8`, `u16` or `i32`
/// (the type of integer literals), or a [`Pixel`].
///
/// The samples are in the order of a [`Pixel`], and each is checked against the
/// bit depth of the format. Samples of `u8` are refused for a depth of 16 bits,
/// where 255 would be nearly black.
///
/// # Examples
///
/// ```
/// use pixview::{Image, PixelFormat};
///
/// let mut image = Image::new(2, 2, PixelFormat::RGBA8)?;
/// let color: [u8; 4] = [255, 128, 0, 255];
/// image.pixels_mut()?.put(0, 0, color)?;
/// image.pixels_mut()?.put(1, 0, [255, 128, 0, 255])?;
///
/// let mut image = Image::new(2, 2, PixelFormat::GRAY16)?;
/// image.pixels_mut()?.put(0, 0, [65535])?;
/// assert!(image.pixels_mut()?.put(0, 0, [255u8]).is_err());
/// # Ok::<(), pixview::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not hold the samples of a pixel",
    note = "give an array or a slice of `u8`, `u16` or `i32`, such as `[255, 128, 0]`, or a `Pixel`"
)]
pub trait Samples {
    /// Returns the samples.
    #[doc(hidden)]
    fn samples(&self) -> SampleSlice<'_>;
}

/// The samples of a [`Samples`].
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum SampleSlice<'a> {
    U8(&'a [u8]),
    U16(&'a [u16]),
    I32(&'a [i32]),
}

impl SampleSlice<'_> {
    fn len(self) -> usize {
        match self {
            SampleSlice::U8(samples) => samples.len(),
            SampleSlice::U16(samples) => samples.len(),
            SampleSlice::I32(samples) => samples.len(),
        }
    }

    fn get(self, index: usize) -> i32 {
        match self {
            SampleSlice::U8(samples) => samples[index].into(),
            SampleSlice::U16(samples) => samples[index].into(),
            SampleSlice::I32(samples) => samples[index],
        }
    }
}

macro_rules! samples {
    ($($number:ident $variant:ident;)*) => {$(
        impl Samples for [$number] {
            fn samples(&self) -> SampleSlice<'_> {
                SampleSlice::$variant(self)
            }
        }

        impl Samples for Vec<$number> {
            fn samples(&self) -> SampleSlice<'_> {
                SampleSlice::$variant(self)
            }
        }

        impl<const N: usize> Samples for [$number; N] {
            fn samples(&self) -> SampleSlice<'_> {
                SampleSlice::$variant(self)
            }
        }
    )*};
}

samples! {
    u8 U8;
    u16 U16;
    i32 I32;
}

impl Samples for Pixel {
    fn samples(&self) -> SampleSlice<'_> {
        SampleSlice::U16(self)
    }
}

impl<S: Samples + ?Sized> Samples for &S {
    fn samples(&self) -> SampleSlice<'_> {
        (**self).samples()
    }
}

/// Bytes in the largest pixel: four samples of 64 bits.
const MAX_PIXEL: usize = 32;

/// The bytes of one pixel in memory, in the order of its format.
///
/// In formats with several pixels to a byte it is one byte that holds the pixel
/// as the first of its pixels, and zeros.
///
/// `PixelBytes` derefs to a slice.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PixelBytes {
    bytes: [u8; MAX_PIXEL],
    len: usize,
}

impl PixelBytes {
    pub(crate) fn zeroed(format: PixelFormat) -> Self {
        PixelBytes {
            bytes: [0; MAX_PIXEL],
            len: format.pixel_size(),
        }
    }
}

impl Deref for PixelBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

impl fmt::Debug for PixelBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl DerefMut for PixelBytes {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.bytes[..self.len]
    }
}

/// The conversion of one pixel.
impl PixelFormat {
    /// Returns the samples of a pixel with these bytes.
    pub(crate) fn decode(self, bytes: PixelBytes) -> Pixel {
        let mut samples = [0; 4];
        let len = self.channels();
        if let Some((bits, order)) = self.bits() {
            let mut pixel = [0];
            unpack(bits, order, &bytes, 0, &mut pixel);
            let flipped = self.flipped_bits() >> (8 - bits);
            samples[0] = (pixel[0] ^ flipped).into();
        } else {
            let mut png = [0; 8];
            let png = &mut png[..self.png().pixel_size()];
            to_png(self, &bytes, png);
            for (sample, bytes) in samples.iter_mut().zip(png.chunks(png.len() / len)) {
                *sample = match *bytes {
                    [high, low] => u16::from_be_bytes([high, low]),
                    // Samples of fewer bits are the most significant ones.
                    _ => (bytes[0] >> (8 - self.bit_depth().min(8))).into(),
                };
            }
        }
        Pixel {
            samples,
            len: len as u8,
        }
    }

    /// Returns the bytes of a pixel with these samples. Padding becomes 255, or
    /// all ones: a reader that takes it for alpha sees an opaque pixel.
    pub(crate) fn encode(self, samples: &(impl Samples + ?Sized)) -> Result<PixelBytes, ErrorKind> {
        let samples = samples.samples();
        let (needed, depth) = (self.channels(), self.bit_depth());
        if samples.len() != needed {
            return Err(ErrorKind::SampleCount {
                needed,
                given: samples.len(),
                format: self,
            });
        }
        if depth == 16 && matches!(samples, SampleSlice::U8(_)) {
            return Err(ErrorKind::SampleType { format: self });
        }
        let max = u16::MAX >> (16 - depth);
        let mut checked = [0; 4];
        for (index, sample) in checked.iter_mut().enumerate().take(needed) {
            let given = samples.get(index);
            *sample =
                u16::try_from(given)
                    .ok()
                    .filter(|&s| s <= max)
                    .ok_or(ErrorKind::SampleRange {
                        max,
                        given,
                        format: self,
                    })?;
        }
        let mut pixel = PixelBytes::zeroed(self);
        if let Some((bits, order)) = self.bits() {
            let flipped = self.flipped_bits() >> (8 - bits);
            pack(bits, order, &[checked[0] as u8 ^ flipped], 0, &mut pixel);
            return Ok(pixel);
        }
        let mut png = [0; 8];
        let png = &mut png[..self.png().pixel_size()];
        let size = png.len() / needed;
        for (sample, bytes) in checked.iter().zip(png.chunks_exact_mut(size)) {
            // Samples of fewer bits are the most significant ones of a byte.
            let sample = sample << (8 - depth.min(8));
            bytes.copy_from_slice(&sample.to_be_bytes()[2 - size..]);
        }
        from_png(self, png, &mut pixel);
        Ok(pixel)
    }
}
