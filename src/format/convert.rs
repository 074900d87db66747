//! Conversion of rows between the pixels in memory and the samples of PNG.
//!
//! Every conversion is a loop over arrays of constant size without branches.
//! The compiler turns it into vector code, once for each set of registers. It
//! does not vectorize pixels of three samples: these have a kernel.

use super::bits::{clear_spare, reverse_order};
use super::order::Order;
use super::rotation::{self, Rotation};
use super::samples::{samples_from_png, samples_to_png};
use super::shuffle::ShuffleKernels;
use super::{BitOrder, PixelFormat, Storage, alpha, cmyk, mapping, nibbles, packed, shallow};
use crate::arch::{Registers, dispatch};

/// Writes packed pixels of `format` as PNG holds them. Both slices hold the
/// same number of pixels.
pub(crate) fn to_png(format: PixelFormat, pixels: &[u8], png: &mut [u8]) {
    rotate_to_png(Registers::widest(), format, pixels, png);
}

/// Writes what PNG holds as packed pixels of `format`, padding as 255 or all
/// ones. The samples fit the format's bit depth.
pub(crate) fn from_png(format: PixelFormat, png: &[u8], pixels: &mut [u8]) {
    rotate_from_png(Registers::widest(), format, png, pixels);
}

/// Writes packed pixels as PNG holds them. Rotates words first, if they need it.
fn rotate_to_png(registers: Registers, format: PixelFormat, pixels: &[u8], png: &mut [u8]) {
    let Some(rotation) = Rotation::of(format) else {
        return pixels_to_png(registers, format, pixels, png);
    };
    let mut block = [0; rotation::BLOCK];
    let png_block = block.len() / format.pixel_size() * format.png().pixel_size();
    for (pixels, png) in pixels.chunks(block.len()).zip(png.chunks_mut(png_block)) {
        let block = &mut block[..pixels.len()];
        block.copy_from_slice(pixels);
        rotation.bring_first(block);
        pixels_to_png(registers, rotation.format, block, png);
    }
}

/// Writes what PNG holds as packed pixels. The counterpart of
/// [`rotate_to_png`].
fn rotate_from_png(registers: Registers, format: PixelFormat, png: &[u8], pixels: &mut [u8]) {
    let rotation = Rotation::of(format);
    let kernel_format = rotation.map_or(format, |rotation| rotation.format);
    pixels_from_png(registers, kernel_format, png, pixels);
    if let Some(rotation) = rotation {
        rotation.bring_last(pixels);
    }
}

impl PixelFormat {
    /// Brings a row of packed pixels that share bytes into the form of PNG. Bits
    /// that belong to no pixel become 0.
    pub(crate) fn bits_to_png(self, width: u32, row: &mut [u8]) {
        let Storage::Bits(bits, order) = self.storage else {
            return;
        };
        if order == BitOrder::Lsb {
            reverse_order(bits, row);
        }
        let flipped = self.flipped_bits();
        if flipped != 0 {
            flip(flipped, row);
            clear_spare(bits, BitOrder::Msb, row, width as usize);
        }
    }
}

dispatch! {
    fn pixels_to_png<kernels>(format: PixelFormat, pixels: &[u8], png: &mut [u8]) -> () {
        to_png_with(kernels, format, pixels, png)
    }
}

dispatch! {
    fn pixels_from_png<kernels>(format: PixelFormat, png: &[u8], pixels: &mut [u8]) -> () {
        from_png_with(kernels, format, png, pixels)
    }
}

#[inline(always)]
fn to_png_with<K: ShuffleKernels>(kernels: K, format: PixelFormat, pixels: &[u8], png: &mut [u8]) {
    let memory = format.memory_order();
    match format.storage {
        Storage::U8 if matches!(format.order, Order::Cmyk | Order::CmykInverted) => {
            cmyk::to_png(kernels, format.order, pixels, png);
        }
        Storage::U8 | Storage::Word8888 if format.premultiplied => {
            alpha::to_png(memory, pixels, png);
        }
        Storage::U8 if format.value_map.depth.is_some_and(|depth| depth < 8) => {
            let mask = format.flipped_bits();
            return shallow::to_png(format.bit_depth(), mask, pixels, png);
        }
        Storage::U8 | Storage::Word8888 => {
            samples_to_png::<1, K>(kernels, memory, false, pixels, png);
        }
        Storage::U16(endian) if !format.premultiplied && !format.value_map.is_arithmetic() => {
            samples_to_png::<2, K>(kernels, format.order, !endian.is_big(), pixels, png);
        }
        Storage::I8 if !format.value_map.is_arithmetic() => png.copy_from_slice(pixels),
        Storage::I8
        | Storage::U16(_)
        | Storage::I16(_)
        | Storage::U32(_)
        | Storage::I32(_)
        | Storage::F16(_)
        | Storage::F32(_)
        | Storage::F64(_) => {
            return mapping::to_png(format, pixels, png);
        }
        Storage::Word4444(endian) => {
            nibbles::to_png(kernels, format, endian.is_big(), pixels, png);
        }
        Storage::Word565(endian) | Storage::Word1555(endian) => {
            packed::to_png16(kernels, format, endian.is_big(), pixels, png);
        }
        Storage::Word2101010(endian) => {
            packed::to_png32(kernels, format, endian.is_big(), pixels, png);
        }
        Storage::Bits(bits, order) => bits_to_bits(bits, order, pixels, png),
    }
    let flipped = format.flipped_bits();
    if flipped != 0 {
        flip(flipped, png);
    }
}

#[inline(always)]
fn from_png_with<K: ShuffleKernels>(
    kernels: K,
    format: PixelFormat,
    png: &[u8],
    pixels: &mut [u8],
) {
    let memory = format.memory_order();
    match format.storage {
        Storage::U8 if matches!(format.order, Order::Cmyk | Order::CmykInverted) => {
            cmyk::from_png(kernels, format.order, png, pixels);
        }
        Storage::U8 | Storage::Word8888 if format.premultiplied => {
            alpha::from_png(memory, png, pixels);
        }
        Storage::U8 if format.value_map.depth.is_some_and(|depth| depth < 8) => {
            let mask = format.flipped_bits();
            return shallow::from_png(format.bit_depth(), mask, png, pixels);
        }
        Storage::U8 | Storage::Word8888 => {
            samples_from_png::<1, K>(kernels, memory, false, png, pixels);
        }
        Storage::U16(endian) if !format.premultiplied && !format.value_map.is_arithmetic() => {
            samples_from_png::<2, K>(kernels, format.order, !endian.is_big(), png, pixels);
        }
        Storage::I8 if !format.value_map.is_arithmetic() => pixels.copy_from_slice(png),
        Storage::I8
        | Storage::U16(_)
        | Storage::I16(_)
        | Storage::U32(_)
        | Storage::I32(_)
        | Storage::F16(_)
        | Storage::F32(_)
        | Storage::F64(_) => {
            return mapping::from_png(format, png, pixels);
        }
        Storage::Word4444(endian) => {
            nibbles::from_png(kernels, format, endian.is_big(), png, pixels);
        }
        Storage::Word565(endian) | Storage::Word1555(endian) => {
            packed::from_png16(kernels, format, endian.is_big(), png, pixels);
        }
        Storage::Word2101010(endian) => {
            packed::from_png32(kernels, format, endian.is_big(), png, pixels);
        }
        Storage::Bits(bits, order) => bits_to_bits(bits, order, png, pixels),
    }
    let flipped = format.flipped_bits();
    if flipped != 0 {
        flip(flipped, pixels);
    }
}

/// Flips the bits of `mask` in each byte.
#[inline(always)]
pub(super) fn flip(mask: u8, bytes: &mut [u8]) {
    for byte in bytes {
        *byte ^= mask;
    }
}

/// Copies pixels that share bytes, between `order` and the order of PNG, which
/// has the first pixel in the most significant bits.
fn bits_to_bits(bits: u8, order: BitOrder, from: &[u8], to: &mut [u8]) {
    to.copy_from_slice(from);
    if order == BitOrder::Lsb {
        reverse_order(bits, to);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every set of registers converts rows of many lengths to the same bytes,
    /// and writes no bytes beside them.
    #[test]
    fn all_levels_convert_alike() {
        let mut formats: Vec<PixelFormat> = PixelFormat::ALL.to_vec();
        formats.extend(PixelFormat::ALL.iter().map(|f| f.premultiplied()));
        formats.push(PixelFormat::RGBA_F32.linear().with_range(-1.0, 2.0));
        formats.push(
            PixelFormat::GRAY16
                .with_significant_bits(12)
                .with_bit_depth(8),
        );
        formats.push(PixelFormat::GRAY_I8.with_range(-3.0, 90.0));
        formats.push(PixelFormat::GRAY16.inverted());
        for depth in [1, 2, 4] {
            formats.push(PixelFormat::GRAY8.with_bit_depth(depth).inverted());
            formats.push(PixelFormat::GRAY_F64.with_bit_depth(depth));
        }
        formats.push(PixelFormat::RGBA_F16.linear().with_range(-1.0, 2.0));
        formats.push(PixelFormat::BGRX16.with_significant_bits(12));
        for format in formats.into_iter().filter(|f| f.bits().is_none()) {
            let (size, png_bits) = (format.pixel_size(), format.png().bits_per_pixel());
            for count in (0..70).chain([255, 256, 257, 1001]) {
                let mut seed = 99u32;
                let mut noise = |len: usize| -> Vec<u8> {
                    let mut next = || {
                        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                        (seed >> 24) as u8
                    };
                    (0..len).map(|_| next()).collect()
                };
                let (pixels, png) = (noise(count * size), noise((count * png_bits).div_ceil(8)));
                let behind = [0xa5; 80];
                let with_behind = |len: usize| [&vec![0; len][..], &behind].concat();

                let mut expected = with_behind(png.len());
                rotate_to_png(
                    Registers::Portable,
                    format,
                    &pixels,
                    &mut expected[..png.len()],
                );
                let mut back = with_behind(pixels.len());
                rotate_from_png(Registers::Portable, format, &png, &mut back[..pixels.len()]);
                for registers in Registers::all() {
                    let name = registers.name();
                    let mut made = with_behind(png.len());
                    rotate_to_png(registers, format, &pixels, &mut made[..png.len()]);
                    assert!(made == expected, "{name}: {format}, {count} pixels");
                    let mut made = with_behind(pixels.len());
                    rotate_from_png(registers, format, &png, &mut made[..pixels.len()]);
                    assert!(made == back, "{name}: {format}, {count} pixels");
                }
            }
        }
    }
}
