//! The bytes of pixels in memory: how samples are stored, and what a layout and a
//! conversion have to know of them.

use super::order::Order;
use super::value_map::ValueMap;
use super::{BitOrder, Channel, PixelFormat, PngFormat};

/// The storage of samples in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Storage {
    /// Samples of this number of bits, fewer than 8, in bytes that hold several
    /// pixels.
    Bits(u8, BitOrder),
    /// Samples of one byte.
    U8,
    /// Signed samples of one byte.
    I8,
    /// Unsigned samples of two bytes.
    U16(Endian),
    /// Signed samples of two bytes.
    I16(Endian),
    /// Unsigned samples of four bytes.
    U32(Endian),
    /// Signed samples of four bytes.
    I32(Endian),
    /// Floating-point samples of two bytes (IEEE 754 binary16).
    F16(Endian),
    /// Floating-point samples of four bytes (IEEE 754 binary32).
    F32(Endian),
    /// Floating-point samples of eight bytes (IEEE 754 binary64).
    F64(Endian),
    /// Four fields of 8 bits in a native 32-bit word, the first in the most
    /// significant bits.
    Word8888,
    /// Fields of 5, 6 and 5 bits in a 16-bit word, the first in the most
    /// significant bits.
    Word565(Endian),
    /// Four fields of 4 bits in a 16-bit word, the first in the most significant
    /// bits.
    Word4444(Endian),
    /// Fields of 5 bits for colors and 1 bit for alpha or padding in a 16-bit
    /// word, the first in the most significant bits.
    Word1555(Endian),
    /// Fields of 10 bits for colors and 2 bits for alpha or padding in a 32-bit
    /// word, the first in the most significant bits.
    Word2101010(Endian),
}

/// The byte order of a sample or a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Endian {
    Native,
    Little,
    Big,
}

impl Endian {
    /// Returns whether the most significant byte comes first, as in PNG (PNG
    /// third edition, 7.1).
    pub(super) const fn is_big(self) -> bool {
        match self {
            Endian::Native => cfg!(target_endian = "big"),
            Endian::Little => false,
            Endian::Big => true,
        }
    }
}

impl PixelFormat {
    /// Returns the format of these pixels in PNG. For indices it has the bit
    /// depth that they have in memory; a file may have another one.
    pub(crate) fn png(self) -> PngFormat {
        PngFormat {
            color: self.order.color_type(),
            depth: self.bit_depth(),
        }
    }

    /// Returns the number of bits in a pixel and the order of the pixels in a
    /// byte, if a byte holds several pixels.
    pub(crate) fn bits(self) -> Option<(u8, BitOrder)> {
        match self.storage {
            Storage::Bits(bits, order) => Some((bits, order)),
            _ => None,
        }
    }

    /// Returns the bits that differ between a byte of samples in memory and the
    /// byte of PNG, if the samples are not mapped by arithmetic.
    #[inline(always)]
    pub(super) fn flipped_bits(self) -> u8 {
        let sign = match self.storage {
            Storage::I8 => 0x80,
            _ => 0,
        };
        if self.value_map.inverted { !sign } else { sign }
    }

    /// Returns the order of the samples in memory. In words of four bytes on a
    /// little-endian machine, it is the reverse of the order in the name.
    pub(super) fn memory_order(self) -> Order {
        match self.storage {
            Storage::Word8888 if cfg!(target_endian = "little") => self.order.reversed(),
            _ => self.order,
        }
    }

    /// Returns the index, in memory, of the sample that holds this channel.
    /// Returns `None` if the format has no such channel, or if the channel is
    /// a field that is not a whole byte, or a premultiplied color.
    pub(crate) fn sample_of(self, channel: Channel) -> Option<usize> {
        let multiplied = self.premultiplied && channel != Channel::Alpha;
        let separate = !self.has_bit_fields() && !multiplied;
        let mut channels = self.memory_order().channels().iter();
        let index = channels.position(|&name| name == Some(channel));
        index.filter(|_| separate)
    }

    /// Returns whether a pixel is a word whose samples are not whole bytes.
    pub(crate) fn has_bit_fields(self) -> bool {
        matches!(
            self.storage,
            Storage::Word565(_)
                | Storage::Word4444(_)
                | Storage::Word1555(_)
                | Storage::Word2101010(_)
        )
    }

    /// Returns the number of bytes in a sample: 1 if a byte holds several
    /// samples, and the bytes of the word if samples are fields that are not
    /// whole bytes.
    pub(crate) fn sample_size(self) -> usize {
        match self.storage {
            Storage::Bits(..) | Storage::U8 | Storage::I8 | Storage::Word8888 => 1,
            Storage::U16(_)
            | Storage::I16(_)
            | Storage::F16(_)
            | Storage::Word565(_)
            | Storage::Word4444(_)
            | Storage::Word1555(_) => 2,
            Storage::U32(_) | Storage::I32(_) | Storage::F32(_) | Storage::Word2101010(_) => 4,
            Storage::F64(_) => 8,
        }
    }

    /// Returns the number of bytes in a packed pixel, or 1 if a byte holds
    /// several pixels.
    pub(crate) fn pixel_size(self) -> usize {
        if self.has_bit_fields() {
            self.sample_size()
        } else {
            self.order.channels().len() * self.sample_size()
        }
    }

    /// Returns the number of bytes in a sample or a word, which offset and
    /// strides over a typed buffer must not split.
    pub(crate) fn alignment(self) -> usize {
        match self.storage {
            Storage::Word8888 => 4,
            _ => self.sample_size(),
        }
    }

    /// Returns the number type whose size is [`alignment`](Self::alignment).
    pub(crate) fn element_type(self) -> &'static str {
        match self.storage {
            Storage::Bits(..) | Storage::U8 => "u8",
            Storage::I8 => "i8",
            Storage::U16(_)
            | Storage::F16(_)
            | Storage::Word565(_)
            | Storage::Word4444(_)
            | Storage::Word1555(_) => "u16",
            Storage::I16(_) => "i16",
            Storage::U32(_) | Storage::Word8888 | Storage::Word2101010(_) => "u32",
            Storage::I32(_) => "i32",
            Storage::F32(_) => "f32",
            Storage::F64(_) => "f64",
        }
    }

    /// Returns the channels of a pixel, without padding and without channels that
    /// PNG does not have.
    pub(crate) fn channel_names(self) -> impl Iterator<Item = Channel> {
        self.order.channels().iter().copied().flatten()
    }

    /// Returns whether the samples can lie in planes of their own.
    pub(crate) fn has_separable_samples(self) -> bool {
        match self.storage {
            Storage::U8
            | Storage::I8
            | Storage::U16(_)
            | Storage::I16(_)
            | Storage::U32(_)
            | Storage::I32(_)
            | Storage::F16(_)
            | Storage::F32(_)
            | Storage::F64(_) => true,
            Storage::Bits(..)
            | Storage::Word8888
            | Storage::Word565(_)
            | Storage::Word4444(_)
            | Storage::Word1555(_)
            | Storage::Word2101010(_) => false,
        }
    }

    /// Returns whether the pixels have the same bits in memory as in PNG.
    pub(crate) fn is_stored_as_png(self) -> bool {
        let same_bytes = match self.storage {
            Storage::Bits(_, order) => order == BitOrder::Msb && !self.value_map.inverted,
            Storage::U8 | Storage::Word8888 => self.bit_depth() == 8 && !self.value_map.inverted,
            Storage::U16(endian) => endian.is_big() && self.value_map == ValueMap::DEFAULT,
            Storage::I8
            | Storage::I16(_)
            | Storage::U32(_)
            | Storage::I32(_)
            | Storage::F16(_)
            | Storage::F32(_)
            | Storage::F64(_)
            | Storage::Word565(_)
            | Storage::Word4444(_)
            | Storage::Word1555(_)
            | Storage::Word2101010(_) => false,
        };
        let same_order = matches!(
            self.memory_order(),
            Order::Gray | Order::GrayAlpha | Order::Rgb | Order::Rgba | Order::Index
        );
        same_bytes && same_order && !self.premultiplied
    }

    /// Returns the gray format of an image that shows this channel alone.
    pub(crate) fn channel_format(self, channel: Channel) -> PixelFormat {
        let storage = match self.storage {
            Storage::Word8888 => Storage::U8,
            storage => storage,
        };
        PixelFormat {
            value_map: match channel {
                Channel::Alpha => self.value_map.for_alpha(),
                _ => self.value_map,
            },
            ..PixelFormat::new(Order::Gray, storage)
        }
    }
}
