//! Words that have alpha or padding in the least significant bits. They are
//! rotated block by block into words that have it in the most significant bits,
//! so that they need no kernels of their own.

use super::order::Order;
use super::{Endian, PixelFormat, Storage};

/// A rotation of words.
#[derive(Clone, Copy)]
pub(super) struct Rotation {
    /// The format of the rotated words.
    pub(super) format: PixelFormat,
    /// The number of bytes in a word: 2 or 4.
    size: usize,
    endian: Endian,
    /// The number of bits of alpha or padding.
    bits: u32,
}

/// Bytes in a block on the stack that holds rotated words.
pub(super) const BLOCK: usize = 1024;

impl Rotation {
    /// Returns the rotation for words of this format, or `None` if it needs
    /// none.
    #[inline(always)]
    pub(super) fn of(format: PixelFormat) -> Option<Rotation> {
        let (size, endian, bits) = match format.storage {
            Storage::Word4444(endian) => (2, endian, 4),
            Storage::Word1555(endian) => (2, endian, 1),
            Storage::Word2101010(endian) => (4, endian, 2),
            _ => return None,
        };
        let order = match format.order {
            Order::Rgba => Order::Argb,
            Order::Rgbx => Order::Xrgb,
            Order::Bgra => Order::Abgr,
            Order::Bgrx => Order::Xbgr,
            _ => return None,
        };
        Some(Rotation {
            format: PixelFormat { order, ..format },
            size,
            endian,
            bits,
        })
    }

    /// Brings alpha or padding from the least to the most significant bits of
    /// each word.
    pub(super) fn bring_first(self, words: &mut [u8]) {
        self.rotate_left(words, 8 * self.size as u32 - self.bits);
    }

    /// Brings alpha or padding from the most to the least significant bits of
    /// each word.
    pub(super) fn bring_last(self, words: &mut [u8]) {
        self.rotate_left(words, self.bits);
    }

    fn rotate_left(self, words: &mut [u8], by: u32) {
        match (self.size, self.endian.is_big()) {
            (2, false) => each(words, |word| {
                u16::from_le_bytes(word).rotate_left(by).to_le_bytes()
            }),
            (2, true) => each(words, |word| {
                u16::from_be_bytes(word).rotate_left(by).to_be_bytes()
            }),
            (_, false) => each(words, |word| {
                u32::from_le_bytes(word).rotate_left(by).to_le_bytes()
            }),
            (_, true) => each(words, |word| {
                u32::from_be_bytes(word).rotate_left(by).to_be_bytes()
            }),
        }
    }
}

fn each<const N: usize>(words: &mut [u8], f: impl Fn([u8; N]) -> [u8; N]) {
    for word in words.as_chunks_mut().0 {
        *word = f(*word);
    }
}
