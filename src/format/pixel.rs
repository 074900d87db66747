//! One pixel as samples, and its way to the bytes of a format and back.

use std::fmt;
use std::ops::Deref;

use super::{PixelFormat, Store};
use crate::ErrorKind;

/// One pixel, as PNG says it: 1 to 4 samples in the order gray, or gray and
/// alpha, or red, green, blue, or red, green, blue and alpha, whatever the
/// order in memory.
///
/// They are the samples that the saved file would hold: 0 to 255 where it has
/// 8 bits, 0 to 65535 where it has 16 (see [`PixelFormat::bit_depth`]).
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

/// Bytes in the largest pixel: four samples of 16 bits.
const MAX_PIXEL: usize = 8;

/// The bytes of one pixel in memory, packed.
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

impl PixelFormat {
    /// What the bytes of a pixel say.
    pub(crate) fn decode(self, bytes: PixelBytes) -> Pixel {
        let mut samples = [0; 4];
        for (sample, index) in samples.iter_mut().zip(self.png_samples()) {
            *sample = match self.store {
                Store::U8 | Store::Word8888 => u16::from(bytes[index]),
                Store::U16(endian) => {
                    let pair = [bytes[2 * index], bytes[2 * index + 1]];
                    if endian.is_big() {
                        u16::from_be_bytes(pair)
                    } else {
                        u16::from_le_bytes(pair)
                    }
                }
            };
        }
        Pixel {
            samples,
            len: self.channels() as u8,
        }
    }

    /// The bytes of a pixel with these samples. Padding becomes 255, so that
    /// a reader that takes it for alpha sees an opaque pixel.
    pub(crate) fn encode(self, samples: &[u16]) -> Result<PixelBytes, ErrorKind> {
        if samples.len() != self.channels() {
            return Err(ErrorKind::SampleCount {
                needed: self.channels(),
                given: samples.len(),
                format: self,
            });
        }
        let max = match self.store {
            Store::U8 | Store::Word8888 => 0xff,
            Store::U16(_) => 0xffff,
        };
        if let Some(&given) = samples.iter().find(|&&sample| sample > max) {
            return Err(ErrorKind::SampleRange {
                max,
                given,
                format: self,
            });
        }
        let mut pixel = PixelBytes::zeroed(self);
        pixel.fill(0xff);
        for (&sample, index) in samples.iter().zip(self.png_samples()) {
            match self.store {
                Store::U8 | Store::Word8888 => pixel[index] = sample as u8,
                Store::U16(endian) => {
                    let pair = if endian.is_big() {
                        sample.to_be_bytes()
                    } else {
                        sample.to_le_bytes()
                    };
                    pixel[2 * index..2 * index + 2].copy_from_slice(&pair);
                }
            }
        }
        Ok(pixel)
    }
}
