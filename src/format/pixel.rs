//! One pixel as samples, and its way to the bytes of a format and back.

use std::fmt;
use std::ops::Deref;

use super::{PixelFormat, from_png, pack, to_png, unpack};
use crate::ErrorKind;

/// One pixel, as PNG says it: 1 to 4 samples in the order gray, or gray and
/// alpha, or red, green, blue, or red, green, blue and alpha, whatever the
/// order in memory. Of indexed formats it is one, the number of the colour.
///
/// They are the samples that the saved file would hold: 0 to 255 where it has
/// 8 bits, 0 to 65535 where it has 16, 0 to 15, 3 or 1 where it has fewer (see
/// [`PixelFormat::bit_depth`]).
///
/// A `Pixel` compares with an array and derefs to a slice.
///
/// # Examples
///
/// ```
/// use pixview::{Image, PixelFormat};
///
/// let buffer = [10u8, 20, 30, 40, 50, 60]; // blue, green, red, twice
/// let image = Image::from_buffer(&buffer, 2, 1, PixelFormat::BGR8)?;
/// let pixel = image.read()?.get(1, 0)?;
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

/// Bytes in the largest pixel: four samples of 32 bits.
const MAX_PIXEL: usize = 16;

/// The bytes of one pixel in memory, packed. If several share a byte it is the
/// first.
#[derive(Clone, Copy)]
pub(crate) struct PixelBytes {
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

impl std::ops::DerefMut for PixelBytes {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.bytes[..self.len]
    }
}

/// One pixel on the way that rows go.
impl PixelFormat {
    /// What the bytes of a pixel say.
    pub(crate) fn decode(self, bytes: PixelBytes) -> Pixel {
        let mut samples = [0; 4];
        let len = self.channels();
        if let Some((bits, order)) = self.bits() {
            let mut pixel = [0];
            unpack(bits, order, &bytes, 0, &mut pixel);
            samples[0] = pixel[0].into();
        } else {
            let mut png = [0; 8];
            let png = &mut png[..self.png().pixel_size()];
            to_png(self, &bytes, png);
            for (sample, bytes) in samples.iter_mut().zip(png.chunks(png.len() / len)) {
                *sample = match *bytes {
                    [high, low] => u16::from_be_bytes([high, low]),
                    _ => bytes[0].into(),
                };
            }
        }
        Pixel {
            samples,
            len: len as u8,
        }
    }

    /// The bytes of a pixel with these samples. Padding becomes 255, or all
    /// ones, so that a reader that takes it for alpha sees an opaque pixel.
    pub(crate) fn encode(self, samples: &[u16]) -> Result<PixelBytes, ErrorKind> {
        let needed = self.channels();
        if samples.len() != needed {
            return Err(ErrorKind::SampleCount {
                needed,
                given: samples.len(),
                format: self,
            });
        }
        let max = u16::MAX >> (16 - self.bit_depth());
        if let Some(&given) = samples.iter().find(|&&sample| sample > max) {
            return Err(ErrorKind::SampleRange {
                max,
                given,
                format: self,
            });
        }
        let mut pixel = PixelBytes::zeroed(self);
        if let Some((bits, order)) = self.bits() {
            pack(bits, order, &[samples[0] as u8], 0, &mut pixel);
            return Ok(pixel);
        }
        let mut png = [0; 8];
        let png = &mut png[..self.png().pixel_size()];
        let size = png.len() / needed;
        for (sample, bytes) in samples.iter().zip(png.chunks_exact_mut(size)) {
            bytes.copy_from_slice(&sample.to_be_bytes()[2 - size..]);
        }
        from_png(self, png, &mut pixel);
        Ok(pixel)
    }
}
