//! What the formats mean, byte by byte, against values written down by hand.

mod common;

use common::{DEFINITIONS, Definition, decode, noise};
use pixview::{Error, ErrorKind, Image, PixelFormat};

fn pixel(bytes: &[u8], format: PixelFormat) -> Vec<u16> {
    let image = Image::from_buffer(bytes, 1, 1, format).unwrap();
    let pixel = image.pixels().unwrap().get(0, 0).unwrap().to_vec();
    // Miri takes its time to decode; `tests/roundtrip.rs` does under it.
    if !cfg!(miri) {
        assert_eq!(decode(&image.to_png().unwrap()).samples, pixel, "{format}");
    }
    pixel
}

#[test]
fn bytes_in_memory_order() {
    use PixelFormat as F;
    assert_eq!(pixel(&[0x11], F::GRAY8), [0x11]);
    assert_eq!(pixel(&[0x11, 0x22], F::GRAY_ALPHA8), [0x11, 0x22]);
    assert_eq!(pixel(&[1, 2, 3], F::RGB8), [1, 2, 3]);
    assert_eq!(pixel(&[1, 2, 3], F::BGR8), [3, 2, 1]);
    assert_eq!(pixel(&[1, 2, 3, 4], F::RGBA8), [1, 2, 3, 4]);
    assert_eq!(pixel(&[1, 2, 3, 4], F::BGRA8), [3, 2, 1, 4]);
    assert_eq!(pixel(&[1, 2, 3, 4], F::ARGB8), [2, 3, 4, 1]);
    assert_eq!(pixel(&[1, 2, 3, 4], F::ABGR8), [4, 3, 2, 1]);
    assert_eq!(pixel(&[1, 2, 3, 4], F::RGBX8), [1, 2, 3]);
    assert_eq!(pixel(&[1, 2, 3, 4], F::BGRX8), [3, 2, 1]);
    assert_eq!(pixel(&[1, 2, 3, 4], F::XRGB8), [2, 3, 4]);
    assert_eq!(pixel(&[1, 2, 3, 4], F::XBGR8), [4, 3, 2]);
    assert_eq!(pixel(&[0x12, 0x34], F::GRAY16BE), [0x1234]);
    assert_eq!(pixel(&[0x12, 0x34], F::GRAY16LE), [0x3412]);
    assert_eq!(pixel(&[0, 1, 2, 3], F::GRAY_ALPHA16BE), [0x0001, 0x0203]);
    assert_eq!(pixel(&[0, 1, 2, 3], F::GRAY_ALPHA16LE), [0x0100, 0x0302]);
    assert_eq!(
        pixel(&[0, 1, 2, 3, 4, 5], F::RGB16BE),
        [0x0001, 0x0203, 0x0405]
    );
    assert_eq!(
        pixel(&[0, 1, 2, 3, 4, 5], F::RGB16LE),
        [0x0100, 0x0302, 0x0504]
    );
    assert_eq!(
        pixel(&[0, 1, 2, 3, 4, 5, 6, 7], F::RGBA16BE),
        [0x0001, 0x0203, 0x0405, 0x0607]
    );
    assert_eq!(
        pixel(&[0, 1, 2, 3, 4, 5, 6, 7], F::RGBA16LE),
        [0x0100, 0x0302, 0x0504, 0x0706]
    );
}

#[test]
fn native_samples_and_words() {
    fn word(word: u32, format: PixelFormat) -> Vec<u16> {
        let image = Image::from_buffer([word], 1, 1, format).unwrap();
        let pixel = image.pixels().unwrap().get(0, 0).unwrap().to_vec();
        assert_eq!(decode(&image.to_png().unwrap()).samples, pixel, "{format}");
        pixel
    }
    use PixelFormat as F;
    assert_eq!(word(0xaa11_2233, F::XRGB8888), [0x11, 0x22, 0x33]);
    assert_eq!(word(0xaa11_2233, F::ARGB8888), [0x11, 0x22, 0x33, 0xaa]);
    assert_eq!(word(0xaa11_2233, F::XBGR8888), [0x33, 0x22, 0x11]);
    assert_eq!(word(0xaa11_2233, F::ABGR8888), [0x33, 0x22, 0x11, 0xaa]);
    assert_eq!(word(0x1122_33aa, F::RGBX8888), [0x11, 0x22, 0x33]);
    assert_eq!(word(0x1122_33aa, F::RGBA8888), [0x11, 0x22, 0x33, 0xaa]);
    assert_eq!(word(0x1122_33aa, F::BGRX8888), [0x33, 0x22, 0x11]);
    assert_eq!(word(0x1122_33aa, F::BGRA8888), [0x33, 0x22, 0x11, 0xaa]);

    let image = Image::from_buffer([0x1234u16, 0xfffe, 0], 1, 1, F::RGB16).unwrap();
    assert_eq!(
        image.pixels().unwrap().get(0, 0).unwrap(),
        [0x1234, 0xfffe, 0]
    );
    assert_eq!(
        decode(&image.to_png().unwrap()).samples,
        [0x1234, 0xfffe, 0]
    );
}

/// Worked out by hand from the definitions.
#[test]
fn words_by_hand() {
    fn word16(word: u16, native: PixelFormat, le: PixelFormat, be: PixelFormat) -> Vec<u16> {
        let pixel_of = pixel(&word.to_ne_bytes(), native);
        assert_eq!(pixel(&word.to_le_bytes(), le), pixel_of);
        assert_eq!(pixel(&word.to_be_bytes(), be), pixel_of);
        pixel_of
    }
    use PixelFormat as F;
    let rgb565 = |word| word16(word, F::RGB565, F::RGB565LE, F::RGB565BE);
    assert_eq!(rgb565(0xf800), [255, 0, 0]);
    assert_eq!(rgb565(0x07e0), [0, 255, 0]);
    assert_eq!(rgb565(0x001f), [0, 0, 255]);
    // 16 of 31 is 131.6, 32 of 63 is 129.5, 1 of 31 is 8.2.
    assert_eq!(rgb565(0x8401), [132, 130, 8]);
    // 30 of 31 is 246.8, 62 of 63 is 250.95.
    assert_eq!(rgb565(0xf7de), [247, 251, 247]);
    let bgr565 = |word| word16(word, F::BGR565, F::BGR565LE, F::BGR565BE);
    assert_eq!(bgr565(0xf800), [0, 0, 255]);
    assert_eq!(bgr565(0x8401), [8, 130, 132]);

    let rgb555 = |word| word16(word, F::RGB555, F::RGB555LE, F::RGB555BE);
    assert_eq!(rgb555(0x7c00), [255, 0, 0]);
    assert_eq!(rgb555(0xffff), [255, 255, 255], "no alpha");
    // 3, 5 and 17 of 31 are 24.7, 41.1 and 139.8.
    assert_eq!(rgb555(3 << 10 | 5 << 5 | 0x11), [25, 41, 140]);
    let bgr555 = |word| word16(word, F::BGR555, F::BGR555LE, F::BGR555BE);
    assert_eq!(bgr555(3 << 10 | 5 << 5 | 0x11), [140, 41, 25]);
    let argb1555 = |word| word16(word, F::ARGB1555, F::ARGB1555LE, F::ARGB1555BE);
    assert_eq!(
        argb1555(0x8000 | 3 << 10 | 5 << 5 | 0x11),
        [25, 41, 140, 255]
    );
    assert_eq!(argb1555(3 << 10 | 5 << 5 | 0x11), [25, 41, 140, 0]);
    let abgr1555 = |word| word16(word, F::ABGR1555, F::ABGR1555LE, F::ABGR1555BE);
    assert_eq!(abgr1555(0x801f), [255, 0, 0, 255]);

    let rgba5551 = |word| word16(word, F::RGBA5551, F::RGBA5551LE, F::RGBA5551BE);
    assert_eq!(
        rgba5551(3 << 11 | 5 << 6 | 0x11 << 1 | 1),
        [25, 41, 140, 255]
    );
    assert_eq!(rgba5551(3 << 11 | 5 << 6 | 0x11 << 1), [25, 41, 140, 0]);
    let bgra5551 = |word| word16(word, F::BGRA5551, F::BGRA5551LE, F::BGRA5551BE);
    assert_eq!(bgra5551(0x003f), [255, 0, 0, 255]);
    let rgbx5551 = |word| word16(word, F::RGBX5551, F::RGBX5551LE, F::RGBX5551BE);
    assert_eq!(rgbx5551(0xf800), [255, 0, 0]);
    let bgrx5551 = |word| word16(word, F::BGRX5551, F::BGRX5551LE, F::BGRX5551BE);
    assert_eq!(bgrx5551(0xf801), [0, 0, 255]);

    // 1 of 15 is 17.
    let rgb444 = |word| word16(word, F::RGB444, F::RGB444LE, F::RGB444BE);
    assert_eq!(rgb444(0xf123), [17, 34, 51]);
    let bgr444 = |word| word16(word, F::BGR444, F::BGR444LE, F::BGR444BE);
    assert_eq!(bgr444(0x0123), [51, 34, 17]);
    let argb4444 = |word| word16(word, F::ARGB4444, F::ARGB4444LE, F::ARGB4444BE);
    assert_eq!(argb4444(0x4123), [17, 34, 51, 68]);
    let abgr4444 = |word| word16(word, F::ABGR4444, F::ABGR4444LE, F::ABGR4444BE);
    assert_eq!(abgr4444(0x4123), [51, 34, 17, 68]);
    let rgba4444 = |word| word16(word, F::RGBA4444, F::RGBA4444LE, F::RGBA4444BE);
    assert_eq!(rgba4444(0x1234), [17, 34, 51, 68]);
    let bgra4444 = |word| word16(word, F::BGRA4444, F::BGRA4444LE, F::BGRA4444BE);
    assert_eq!(bgra4444(0x1234), [51, 34, 17, 68]);
    let rgbx4444 = |word| word16(word, F::RGBX4444, F::RGBX4444LE, F::RGBX4444BE);
    assert_eq!(rgbx4444(0x1230), [17, 34, 51]);
    let bgrx4444 = |word| word16(word, F::BGRX4444, F::BGRX4444LE, F::BGRX4444BE);
    assert_eq!(bgrx4444(0x123f), [51, 34, 17]);

    let words = |word: u32, native, le, be| {
        let pixel_of = pixel(&word.to_ne_bytes(), native);
        assert_eq!(pixel(&word.to_le_bytes(), le), pixel_of);
        assert_eq!(pixel(&word.to_be_bytes(), be), pixel_of);
        pixel_of
    };
    let xrgb = |word| words(word, F::XRGB2101010, F::XRGB2101010LE, F::XRGB2101010BE);
    // 1 of 1023 is 64.06, 512 is 32799.5 and a bit, 1022 is 65470.9.
    assert_eq!(xrgb(1 << 20 | 512 << 10 | 0x3fe), [64, 32800, 65471]);
    assert_eq!(xrgb(0xffff_ffff), [65535, 65535, 65535]);
    let argb = |word| words(word, F::ARGB2101010, F::ARGB2101010LE, F::ARGB2101010BE);
    assert_eq!(argb(1 << 30 | 1023 << 20), [65535, 0, 0, 21845]);
    let xbgr = |word| words(word, F::XBGR2101010, F::XBGR2101010LE, F::XBGR2101010BE);
    assert_eq!(xbgr(1023), [65535, 0, 0]);
    let abgr = |word| words(word, F::ABGR2101010, F::ABGR2101010LE, F::ABGR2101010BE);
    assert_eq!(abgr(2 << 30 | 1023), [65535, 0, 0, 43690]);
    let rgba = |word| words(word, F::RGBA1010102, F::RGBA1010102LE, F::RGBA1010102BE);
    assert_eq!(rgba(1023 << 22 | 1 << 12 | 1), [65535, 64, 0, 21845]);
    let bgra = |word| words(word, F::BGRA1010102, F::BGRA1010102LE, F::BGRA1010102BE);
    assert_eq!(bgra(1023 << 22 | 1 << 12 | 2), [0, 64, 65535, 43690]);
    let rgbx = |word| words(word, F::RGBX1010102, F::RGBX1010102LE, F::RGBX1010102BE);
    assert_eq!(rgbx(1023 << 22 | 3), [65535, 0, 0]);
    let bgrx = |word| words(word, F::BGRX1010102, F::BGRX1010102LE, F::BGRX1010102BE);
    assert_eq!(bgrx(1023 << 22), [0, 0, 65535]);
}

#[test]
fn alpha_and_ink_by_hand() {
    use PixelFormat as F;
    // 64 of 128 is a half: 127.5, which goes up.
    let rgba = F::RGBA8.premultiplied();
    assert_eq!(pixel(&[64, 32, 128, 128], rgba), [128, 64, 255, 128]);
    // 1 of 3 is 85, 2 of 3 is 170, 3 of 7 is 109.3.
    assert_eq!(pixel(&[1, 2, 3, 3], rgba), [85, 170, 255, 3]);
    assert_eq!(pixel(&[3, 1, 0, 7], rgba), [109, 36, 0, 7]);
    // More than alpha allows is as much as there is.
    assert_eq!(pixel(&[200, 100, 99, 100], rgba), [255, 255, 252, 100]);
    assert_eq!(pixel(&[200, 100, 99, 0], rgba), [0, 0, 0, 0]);
    assert_eq!(pixel(&[9, 8, 7, 255], rgba), [9, 8, 7, 255]);
    let bgra = F::BGRA8.premultiplied();
    assert_eq!(pixel(&[64, 32, 128, 128], bgra), [255, 64, 128, 128]);
    let argb = F::ARGB8.premultiplied();
    assert_eq!(pixel(&[128, 64, 32, 128], argb), [128, 64, 255, 128]);
    // 3 of 8 is 95.625; 5 of 10 is 127.5, which goes up; 9 of 8 is 255.
    let rgba4444 = F::RGBA4444BE.premultiplied();
    assert_eq!(pixel(&[0x38, 0x98], rgba4444), [96, 255, 255, 136]);
    assert_eq!(pixel(&[0x5a, 0x0a], rgba4444), [128, 255, 0, 170]);
    assert_eq!(pixel(&[0x5a, 0xf0], rgba4444), [0, 0, 0, 0]);
    let wide = F::RGBA16BE.premultiplied();
    // 0x1000 of 0x8000 is 8191.875; 1 of 2 is 32767.5, which goes up.
    let bytes = [0x10, 0, 0x80, 0, 0, 1, 0x80, 0];
    assert_eq!(pixel(&bytes, wide), [8192, 65535, 2, 0x8000]);
    assert_eq!(pixel(&[0, 1, 0, 0, 0, 2, 0, 2], wide), [32768, 0, 65535, 2]);

    // No ink is white, all black is black.
    assert_eq!(pixel(&[0, 0, 0, 0], F::CMYK8), [255, 255, 255]);
    assert_eq!(pixel(&[0, 0, 0, 255], F::CMYK8), [0, 0, 0]);
    assert_eq!(pixel(&[255, 0, 0, 0], F::CMYK8), [0, 255, 255]);
    // 155 * 205 / 255 is 124.6, 205 * 205 / 255 is 164.8.
    assert_eq!(pixel(&[100, 50, 255, 50], F::CMYK8), [125, 165, 0]);
    let inverted = pixel(&[155, 205, 0, 205], F::CMYK8_INVERTED);
    assert_eq!(inverted, [125, 165, 0]);
}

#[test]
fn numbers_by_hand() {
    use PixelFormat as F;
    let float = |value: f32, format| pixel(&value.to_ne_bytes(), format);
    assert_eq!(float(0.0, F::GRAY_F32), [0]);
    assert_eq!(float(1.0, F::GRAY_F32), [65535]);
    assert_eq!(float(2.0, F::GRAY_F32), [65535]);
    assert_eq!(float(-1.0, F::GRAY_F32), [0]);
    assert_eq!(float(f32::NAN, F::GRAY_F32), [0]);
    assert_eq!(float(f32::INFINITY, F::GRAY_F32), [65535]);
    assert_eq!(float(f32::NEG_INFINITY, F::GRAY_F32), [0]);
    assert_eq!(float(0.25, F::GRAY_F32), [16384]); // 16383.75
    assert_eq!(float(0.25, F::GRAY_F32.with_bit_depth(8)), [64]); // 63.75
    let celsius = F::GRAY_F32.with_range(-50.0, 50.0);
    assert_eq!(float(-50.0, celsius), [0]);
    assert_eq!(float(25.0, celsius), [49151]); // 49151.25
    // The larger end may be black.
    let depth = F::GRAY_F32.with_range(10.0, 0.0);
    assert_eq!(float(10.0, depth), [0]);
    assert_eq!(float(f32::INFINITY, depth), [0]);
    assert_eq!(float(2.5, depth), [49151]);
    // The middle gray of linear light, 0.2140 is 0.5 in sRGB.
    let linear = F::GRAY_F32.linear().with_bit_depth(8);
    assert_eq!(float(0.214, linear), [127]);
    assert_eq!(float(0.5, linear), [188]);
    assert_eq!(float(0.001, linear), [3]); // 12.92 * 0.255
    // A half of any alpha is a half, which goes to the even one.
    for k in 1..=if cfg!(miri) { 9 } else { 4096u16 } {
        let alpha = f32::from(k) / 4096.0;
        let bytes: Vec<u8> = [alpha / 2.0, alpha]
            .iter()
            .flat_map(|v| v.to_ne_bytes())
            .collect();
        let format = F::GRAY_ALPHA_F32.premultiplied();
        let image = Image::from_buffer(&bytes, 1, 1, format).unwrap();
        assert_eq!(image.pixels().unwrap().get(0, 0).unwrap()[0], 32768);
    }
    // Alpha has no curve.
    let bytes: Vec<u8> = [0.5f32, 0.5].iter().flat_map(|v| v.to_ne_bytes()).collect();
    let format = F::GRAY_ALPHA_F32.linear().with_bit_depth(8);
    assert_eq!(pixel(&bytes, format), [188, 128]);

    let int = |value: i16, format| pixel(&value.to_ne_bytes(), format);
    assert_eq!(int(-32768, F::GRAY_I16), [0]);
    assert_eq!(int(0, F::GRAY_I16), [32768]);
    assert_eq!(int(32767, F::GRAY_I16), [65535]);
    let window = F::GRAY_I16.with_range(-100.0, 300.0).with_bit_depth(8);
    assert_eq!(int(-200, window), [0]);
    assert_eq!(int(0, window), [64]); // 63.75
    assert_eq!(int(300, window), [255]);
    let byte = |value: i8, format| pixel(&value.to_ne_bytes(), format);
    assert_eq!(byte(-128, F::GRAY_I8), [0]);
    assert_eq!(byte(0, F::GRAY_I8), [128]);
    assert_eq!(byte(127, F::GRAY_I8), [255]);
    let percent = F::GRAY_I8.with_range(0.0, 100.0);
    assert_eq!(byte(-1, percent), [0]);
    assert_eq!(byte(33, percent), [84]); // 84.15
    assert_eq!(byte(100, percent), [255]);
    assert_eq!(byte(33, percent.with_bit_depth(16)), [21627]); // 21626.55
    assert_eq!(byte(7, F::GRAY_I8.with_significant_bits(4)), [255]);
    assert_eq!(byte(-9, F::GRAY_I8.with_significant_bits(4)), [0]);
    let wide = |value: i32, format| pixel(&value.to_ne_bytes(), format);
    assert_eq!(wide(i32::MIN, F::GRAY_I32), [0]);
    assert_eq!(wide(0, F::GRAY_I32), [32768]); // 32767.5 and a bit
    assert_eq!(wide(i32::MAX, F::GRAY_I32), [65535]);
    assert_eq!(wide(50_000, F::GRAY_I32.with_range(0.0, 1e5)), [32768]); // a tie
    assert_eq!(pixel(&[0xff, 0xff, 0xff, 0xfe], F::GRAY_I32BE), [32767]);

    let half = |bits: u16, format| pixel(&bits.to_ne_bytes(), format);
    for (bits, sample) in [
        (0x0000, 0),
        (0x8000, 0),
        (0x3c00, 65535), // 1
        (0x3400, 16384), // 0.25, 16383.75
        (0x3bff, 65503), // 0.99951171875
        (0x0400, 4),     // the smallest normal number, 3.9999
        (0x03ff, 4),     // the largest subnormal one, 3.996
        (0x0040, 0),     // 2^-18, 0.25
        (0x4000, 65535), // 2
        (0xbc00, 0),     // -1
        (0x7c00, 65535), // infinity
        (0xfc00, 0),     // -infinity
        (0x7e00, 0),     // NaN
    ] {
        assert_eq!(half(bits, F::GRAY_F16), [sample], "{bits:#x}");
    }
    assert_eq!(pixel(&[0x34, 0x00], F::GRAY_F16BE), [16384]);
    assert_eq!(half(0x3800, F::GRAY_F16.linear().with_bit_depth(8)), [188]);
    let stops = F::GRAY_F16.with_range(0.0, 65504.0);
    assert_eq!(half(0x7bff, stops), [65535]);

    let double = |value: f64, format| pixel(&value.to_ne_bytes(), format);
    assert_eq!(double(0.25, F::GRAY_F64), [16384]);
    assert_eq!(double(f64::NAN, F::GRAY_F64), [0]);
    assert_eq!(double(f64::INFINITY, F::GRAY_F64), [65535]);
    assert_eq!(double(0.5, F::GRAY_F64.linear().with_bit_depth(8)), [188]);
    let all = F::GRAY_F64.with_range(-8e307, 8e307);
    assert_eq!(double(4e307, all), [49151]); // 49151.25
    assert_eq!(double(-f64::MAX, all), [0]);
    // Distances that an `f32` does not have.
    let time = F::GRAY_F64.with_range(1e9, 1e9 + 1.0);
    assert_eq!(double(1e9 + 0.25, time), [16384]);
    assert_eq!(pixel(&[0xff; 4], F::GRAY_U32), [65535]);
    assert_eq!(pixel(&[0x80, 0, 0, 0], F::GRAY_U32BE), [32768]); // 32767.5 and a bit
    assert_eq!(
        pixel(&[0x0f, 0xff], F::GRAY16BE.with_significant_bits(12)),
        [65535]
    );
    assert_eq!(
        pixel(&[0x08, 0x00], F::GRAY16BE.with_significant_bits(12)),
        [32776]
    ); // 32775.5 and a bit
    assert_eq!(
        pixel(&[0x03, 0xff], F::GRAY16BE.with_significant_bits(10)),
        [65535]
    );
}

#[test]
fn bits_by_hand() {
    use PixelFormat as F;
    let row = |byte: u8, format: PixelFormat| -> Vec<u16> {
        let width = 8 / format.bits_per_pixel() as u32;
        let image = Image::from_buffer([byte], width, 1, format).unwrap();
        let pixels = image.pixels().unwrap();
        (0..width).map(|x| pixels.get(x, 0).unwrap()[0]).collect()
    };
    assert_eq!(row(0b1011_0001, F::GRAY1), [1, 0, 1, 1, 0, 0, 0, 1]);
    assert_eq!(row(0b1011_0001, F::GRAY1LSB), [1, 0, 0, 0, 1, 1, 0, 1]);
    assert_eq!(row(0b1011_0001, F::INDEXED2), [2, 3, 0, 1]);
    assert_eq!(row(0b1011_0001, F::INDEXED2LSB), [1, 0, 3, 2]);
    assert_eq!(row(0xb1, F::GRAY4), [0xb, 1]);
    assert_eq!(row(0xb1, F::GRAY4LSB), [1, 0xb]);
}

/// Gray with black and white exchanged, and gray of 8 bits saved with fewer.
#[test]
fn inversion_and_depth_by_hand() {
    use PixelFormat as F;
    let row = |bytes: &[u8], width: u32, format: PixelFormat| -> Vec<u16> {
        let image = Image::from_buffer(bytes, width, 1, format).unwrap();
        let pixels = image.pixels().unwrap();
        let row: Vec<u16> = (0..width).map(|x| pixels.get(x, 0).unwrap()[0]).collect();
        let decoded = decode(&image.to_png().unwrap()).samples;
        let most = u16::MAX >> (16 - format.bit_depth());
        let scale = if most < 255 { 255 / most } else { 1 };
        let shown: Vec<u16> = row.iter().map(|sample| sample * scale).collect();
        assert_eq!(decoded, shown, "{format}");
        row
    };
    let bits = F::GRAY1.inverted();
    assert_eq!(row(&[0b1011_0001], 8, bits), [0, 1, 0, 0, 1, 1, 1, 0]);
    assert_eq!(row(&[0b1011_0001], 3, bits), [0, 1, 0]);
    let bits = F::GRAY2LSB.inverted();
    assert_eq!(row(&[0b1011_0001], 4, bits), [2, 3, 0, 1]);
    assert_eq!(row(&[0xb1], 2, F::GRAY4.inverted()), [4, 14]);
    assert_eq!(row(&[0, 1, 255], 3, F::GRAY8.inverted()), [255, 254, 0]);
    assert_eq!(row(&[0x12, 0x34], 1, F::GRAY16BE.inverted()), [0xedcb]);
    assert_eq!(row(&[0x80, 0x7f], 2, F::GRAY_I8.inverted()), [255, 0]);
    let sensor = F::GRAY16BE.with_significant_bits(12).inverted();
    assert_eq!(row(&[0, 0, 0x0f, 0xff], 2, sensor), [65535, 0]);
    let float = F::GRAY_F32BE.inverted();
    assert_eq!(row(&0.25f32.to_be_bytes(), 1, float), [49151]); // 49151.25

    let depth = |depth| F::GRAY8.with_bit_depth(depth);
    assert_eq!(row(&[0, 127, 128, 255], 4, depth(1)), [0, 0, 1, 1]);
    // The middles are 42.5, 127.5 and 212.5.
    let pixels = [0, 42, 43, 127, 128, 212, 213, 255];
    assert_eq!(row(&pixels, 8, depth(2)), [0, 0, 1, 1, 2, 2, 3, 3]);
    // 8.5, 25.5 and 246.5.
    let pixels = [8, 9, 25, 26, 246, 247];
    assert_eq!(row(&pixels, 6, depth(4)), [0, 1, 1, 2, 14, 15]);
    assert_eq!(row(&[0, 200], 2, depth(8)), [0, 200]);
    assert_eq!(row(&[0, 200], 2, depth(1).inverted()), [1, 0]);
    let mask = F::GRAY_F32BE.with_bit_depth(1);
    assert_eq!(row(&1f32.to_be_bytes(), 1, mask), [1]);
    assert_eq!(row(&0.5f32.to_be_bytes(), 1, mask), [0], "a tie");

    // The file has as many bits.
    for (format, bits) in [(depth(1), 1), (depth(2), 2), (depth(4), 4), (mask, 1)] {
        let image = Image::new(20, 20, format).unwrap();
        assert_eq!(image.to_png().unwrap()[24], bits, "{format}");
    }

    let written = |format: F, sample: u16| -> Vec<u8> {
        let mut image = Image::new(1, 1, format).unwrap();
        image.pixels_mut().unwrap().put(0, 0, [sample]).unwrap();
        image.into_source()
    };
    assert_eq!(written(F::GRAY1.inverted(), 0), [0x80]);
    assert_eq!(written(F::GRAY1LSB.inverted(), 0), [1]);
    assert_eq!(written(F::GRAY8.inverted(), 3), [252]);
    assert_eq!(written(F::GRAY16BE.inverted(), 0), [255, 255]);
    assert_eq!(written(depth(1), 1), [255]);
    assert_eq!(written(depth(2), 2), [170]);
    assert_eq!(written(depth(4).inverted(), 15), [0]);
    let mut image = Image::new(1, 1, depth(2)).unwrap();
    let error = image.pixels_mut().unwrap().put(0, 0, [4]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "a sample of GRAY8 saved with 2 bits must be 0 to 3, not 4"
    );
}

#[test]
fn written_pixels() {
    fn written(format: PixelFormat, samples: &[u16]) -> Vec<u8> {
        let mut image = Image::new(1, 1, format).unwrap();
        image.pixels_mut().unwrap().put(0, 0, samples).unwrap();
        image.into_source()
    }
    use PixelFormat as F;
    assert_eq!(written(F::BGRA8, &[1, 2, 3, 4]), [3, 2, 1, 4]);
    assert_eq!(written(F::ARGB8, &[1, 2, 3, 4]), [4, 1, 2, 3]);
    // The padding becomes opaque, for readers that take it for alpha.
    assert_eq!(written(F::BGRX8, &[1, 2, 3]), [3, 2, 1, 255]);
    assert_eq!(written(F::XRGB8, &[1, 2, 3]), [255, 1, 2, 3]);
    assert_eq!(
        written(F::XRGB8888, &[0x11, 0x22, 0x33]),
        0xff11_2233_u32.to_ne_bytes()
    );
    assert_eq!(written(F::GRAY16LE, &[0x1234]), [0x34, 0x12]);
    assert_eq!(written(F::GRAY16BE, &[0x1234]), [0x12, 0x34]);
    assert_eq!(written(F::GRAY16, &[0x1234]), 0x1234u16.to_ne_bytes());
    // 132 of 255 is 16.05 of 31, 130 is 32.1 of 63.
    assert_eq!(written(F::RGB565BE, &[132, 130, 8]), [0x84, 0x01]);
    assert_eq!(written(F::XRGB1555BE, &[255, 0, 0]), [0xfc, 0]);
    assert_eq!(written(F::ARGB1555BE, &[255, 0, 0, 127]), [0x7c, 0]);
    assert_eq!(written(F::RGBA5551BE, &[255, 0, 0, 128]), [0xf8, 1]);
    assert_eq!(written(F::RGBX5551BE, &[0, 0, 255]), [0, 0x3f]);
    // 8 of 255 is 0.47 of 15, 9 is 0.53.
    assert_eq!(written(F::RGBA4444BE, &[8, 9, 255, 17]), [0x01, 0xf1]);
    assert_eq!(written(F::XRGB4444BE, &[17, 34, 51]), [0xf1, 0x23]);
    // 255 of 255 with alpha 8 of 15 is 8; 100 is 3.1.
    let premultiplied = F::ARGB4444BE.premultiplied();
    assert_eq!(written(premultiplied, &[255, 100, 0, 136]), [0x88, 0x30]);
    assert_eq!(
        written(F::RGBX16BE, &[1, 2, 3]),
        [0, 1, 0, 2, 0, 3, 255, 255]
    );
    let sensor = F::BGRX16BE.with_significant_bits(12);
    assert_eq!(
        written(sensor, &[65535, 0, 16]), // 0.9998
        [0, 1, 0, 0, 0x0f, 0xff, 255, 255]
    );
    assert_eq!(
        written(F::RGBA8.premultiplied(), &[255, 100, 1, 128]),
        [128, 50, 1, 128]
    );
    assert_eq!(written(F::CMYK8, &[255, 128, 0]), [0, 127, 255, 0]);
    assert_eq!(written(F::CMYK8, &[0, 0, 0]), [0, 0, 0, 255]);
    assert_eq!(written(F::GRAY_F32BE, &[65535]), 1f32.to_be_bytes());
    assert_eq!(written(F::GRAY_I16BE, &[0]), [0x80, 0]);
    assert_eq!(written(F::GRAY_I8, &[0]), [0x80]);
    assert_eq!(written(F::GRAY_I32BE, &[65535]), [0x7f, 0xff, 0xff, 0xff]);
    assert_eq!(written(F::GRAY_F16BE, &[65535]), [0x3c, 0]);
    // 1 of 65535 is 2^-16 and a bit, a subnormal number.
    assert_eq!(written(F::GRAY_F16BE, &[1]), [0x01, 0]);
    assert_eq!(written(F::GRAY_F64LE, &[65535]), 1f64.to_le_bytes());
    assert_eq!(written(F::GRAY2LSB, &[2]), [2]);
    assert_eq!(written(F::INDEXED4, &[9]), [0x90]);
}

/// Memory of `count` pixels, of which every value of every sample is one, and
/// every value of the pixel if it has at most 16 bits, and every pair of
/// colour and alpha of 8 bits.
fn memory(definition: &Definition, count: usize) -> Vec<u8> {
    let mut memory = noise(definition.row_size(count), 5);
    match definition.bits_per_pixel() {
        bits @ ..=16 => {
            for (i, byte) in memory.iter_mut().enumerate() {
                *byte = match bits {
                    16 if i % 2 == 0 => (i / 512) as u8,
                    16 => (i / 2) as u8,
                    _ => i as u8,
                };
            }
        }
        32 => {
            for (i, pixel) in memory.as_chunks_mut().0.iter_mut().enumerate() {
                // Each byte meets each value of its neighbours.
                let (low, high) = (i as u8, (i >> 8) as u8);
                *pixel = match i >> 16 & 1 {
                    0 => [low, low ^ 0x55, high.wrapping_add(low), high],
                    _ => [high, high.wrapping_sub(low), low.rotate_left(3), low],
                };
            }
        }
        _ => {}
    }
    // Numbers that are none, or that no integer can hold, among the others.
    let special = [
        f64::NAN,
        -f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        0.0,
        -0.0,
        1.0,
        0.5,
        1e-40,
        -1e-40,
        f64::MAX,
        f64::MIN,
        1.0 - f64::EPSILON / 2.0,
        0.003_130_8,
        255.0,
        100.5,
    ];
    let value = |i: usize| match i % 3 {
        0 => Some(special[i / 3 % 16]),
        // From -0.1 to 1.1, where most of them are.
        1 => Some((i * 7919 % 60_000) as f64 / 50_000.0 - 0.1),
        _ => None,
    };
    let name = definition.format.name();
    let swap = name.ends_with("BE") == cfg!(target_endian = "little");
    let size = if name.contains("F64") { 8 } else { 4 };
    if name.contains("F32") || name.contains("F64") {
        for (i, sample) in memory.chunks_exact_mut(size).enumerate() {
            let Some(value) = value(i) else { continue };
            match size {
                8 => sample.copy_from_slice(&value.to_ne_bytes()),
                _ => sample.copy_from_slice(&(value as f32).to_ne_bytes()),
            }
            if swap {
                sample.reverse();
            }
        }
    }
    memory
}

/// Every format says what its definition says, of every value where there are
/// at most 65536 (and of all pairs of colour and alpha): in the file, and of
/// every seventh pixel by itself.
#[test]
fn every_value() {
    for definition in common::definitions() {
        let (width, height) = if cfg!(miri) { (8, 2) } else { (256, 512) };
        let count = width * height;
        let memory = memory(definition, count);
        let image = Image::from_buffer(&memory, width as u32, height as u32, definition.format);
        let image = definition.with_palette(image.unwrap());
        let decoded = (!cfg!(miri)).then(|| decode(&image.to_png().unwrap()));
        let pixels = image.pixels().unwrap();
        for i in 0..count {
            let (x, y) = (i % width, i / width);
            let bit = i * definition.bits_per_pixel();
            let bytes = definition.load(&memory, bit, definition.size());
            let samples = definition.samples(&bytes);
            let name = format!("{} {bytes:?}", definition.format);
            if let Some(decoded) = &decoded {
                let shown = definition.decoded(&samples);
                assert_eq!(decoded.pixel(x, y), shown, "{name}");
            }
            if i % 7 == 0 || cfg!(miri) {
                let pixel = pixels.get(x as u32, y as u32).unwrap();
                assert_eq!(*pixel, samples, "{name}");
            }
        }
    }
}

/// And it keeps what is written as its definition says, of every sample, and of
/// all pairs of colour and alpha of 8 bits.
#[test]
fn every_sample_written() {
    for definition in common::definitions() {
        let max = u16::MAX >> (16 - definition.bit_depth());
        let count = if cfg!(miri) { 6 } else { 65536u32 };
        let mut image = Image::new(1, 1, definition.format).unwrap();
        let mut pixels = image.pixels_mut().unwrap();
        for i in 0..count {
            let channels = definition.channels();
            let samples: Vec<u16> = (0..channels)
                .map(|c| match c {
                    _ if c + 1 == channels && definition.has_alpha() && max == 255 => i >> 8,
                    0 => i,
                    1 => i.wrapping_mul(40_503),
                    2 => i ^ i >> 3,
                    _ => i.wrapping_mul(7919) >> 4,
                } as u16 & max)
                .collect();
            pixels.put(0, 0, &samples[..]).unwrap();
            let bytes = definition.bytes(&samples);
            let row = pixels.row(0).unwrap();
            assert_eq!(row[..], bytes, "{} {samples:?}", definition.format);
        }
    }
}

/// What a pixel says can be written, and then it says the same, where memory
/// has no fewer values than the file.
#[test]
fn there_and_back() {
    for definition in common::definitions() {
        if definition.is_lossy() {
            continue;
        }
        let max = u16::MAX >> (16 - definition.bit_depth());
        let count = if cfg!(miri) { 4 } else { 4096u32 };
        let mut image = Image::new(1, 1, definition.format).unwrap();
        let mut pixels = image.pixels_mut().unwrap();
        for i in 0..count {
            let at = |c: u32| (i * (65536 / count) + c * 77) as u16 & max;
            let samples: Vec<u16> = (0..definition.channels() as u32).map(at).collect();
            pixels.put(0, 0, &samples[..]).unwrap();
            assert_eq!(*pixels.get(0, 0).unwrap(), samples, "{}", definition.format);
        }
    }
}

#[test]
#[cfg_attr(miri, ignore = "nothing of memory in it")]
fn facts() {
    let plain = common::plain();
    assert_eq!(PixelFormat::ALL.len(), plain.len());
    for (format, definition) in PixelFormat::ALL.iter().zip(&plain) {
        assert_eq!(*format, definition.format, "the order of the table");
        assert_eq!(format.to_string(), format.name());
    }
    for definition in DEFINITIONS.iter() {
        let format = definition.format;
        assert_eq!(
            format.bits_per_pixel(),
            definition.bits_per_pixel(),
            "{format}"
        );
        assert_eq!(format.channels(), definition.channels(), "{format}");
        assert_eq!(format.bit_depth(), definition.bit_depth(), "{format}");
        assert_eq!(format.has_alpha(), definition.has_alpha(), "{format}");
        assert_eq!(format.is_indexed(), definition.indexed, "{format}");
        for width in [1, 2, 3, 7, 8, 9, 1000] {
            let expected = definition.row_size(width as usize) as u64;
            assert_eq!(format.row_size(width), expected, "{format}");
        }
        let others = DEFINITIONS.iter().filter(|d| d.format == format);
        assert_eq!(others.count(), 1, "{format} is two");
    }
    assert_eq!(format!("{:>8}", PixelFormat::BGRA8), "   BGRA8");
    assert_ne!(PixelFormat::XRGB8888, PixelFormat::BGRX8);
    assert_eq!(PixelFormat::RGB555, PixelFormat::XRGB1555);
    assert_eq!(PixelFormat::BGR444BE, PixelFormat::XBGR4444BE);
    assert_eq!(PixelFormat::RGB8.premultiplied(), PixelFormat::RGB8);
    assert_eq!(
        PixelFormat::GRAY8.inverted().with_bit_depth(4).to_string(),
        "GRAY8 inverted saved with 4 bits"
    );
    assert_eq!(
        PixelFormat::GRAY_ALPHA_F32
            .with_range(-1.0, 2.5)
            .premultiplied()
            .linear()
            .with_bit_depth(8)
            .to_string(),
        "GRAY_ALPHA_F32 premultiplied from -1 to 2.5 linear saved with 8 bits"
    );
}

/// The text of a format is parsed as the same format, with any options.
#[test]
#[cfg_attr(miri, ignore = "nothing of memory in it")]
fn names_are_parsed() {
    use PixelFormat as F;
    let parse = |text: &str| text.parse::<PixelFormat>();
    for definition in DEFINITIONS.iter() {
        let format = definition.format;
        assert_eq!(parse(&format.to_string()).unwrap(), format);
        assert_eq!(parse(format.name()).unwrap().name(), format.name());
    }
    for format in F::ALL {
        for format in [
            *format,
            format.premultiplied(),
            format.with_significant_bits(12),
            format.with_range(-40.0, 60.5),
            format.with_range(1e300, -5e-324),
            format.with_range(0.1 + 0.2, f64::INFINITY),
            format.linear().with_bit_depth(8),
            format.inverted().with_bit_depth(1),
            format
                .premultiplied()
                .with_significant_bits(255)
                .with_range(0.0, f64::from(f32::MIN_POSITIVE))
                .linear()
                .with_bit_depth(16),
        ] {
            assert_eq!(parse(&format.to_string()).unwrap(), format);
        }
    }
    assert_eq!(parse("RGB555LE").unwrap(), F::XRGB1555LE);
    assert_eq!(parse("BGR555").unwrap(), F::XBGR1555);
    assert_eq!(parse("RGB8 premultiplied").unwrap(), F::RGB8);
    assert_eq!(
        parse(" GRAY16\tsaved with 8 bits  of 12 significant bits").unwrap(),
        F::GRAY16.with_significant_bits(12).with_bit_depth(8)
    );

    for (text, message) in [
        (
            "bgrx8",
            "unknown pixel format \"bgrx8\", did you mean BGRX8?",
        ),
        ("BGRX", "unknown pixel format \"BGRX\", did you mean BGRX8?"),
        (
            "rgb24",
            "unknown pixel format \"rgb24\", did you mean RGB8?",
        ),
        (
            "RGB656",
            "unknown pixel format \"RGB656\", did you mean RGB565?",
        ),
        (
            "Gray_F32",
            "unknown pixel format \"Gray_F32\", did you mean GRAY_F32?",
        ),
        (
            "rgb555le",
            "unknown pixel format \"rgb555le\", did you mean RGB555LE?",
        ),
        ("YUYV", "unknown pixel format \"YUYV\""),
        ("8", "unknown pixel format \"8\""),
        ("", "unknown pixel format \"\""),
        (
            "\u{fc}\u{1f600}",
            "unknown pixel format \"\u{fc}\u{1f600}\"",
        ),
        (
            "GRAY16 of 12 bits",
            "unknown option \"of 12 bits\" of pixel format GRAY16: options are \"premultiplied\", \"of 12 significant bits\", \"from 0 to 1\", \"linear\", \"inverted\" and \"saved with 8 bits\"",
        ),
    ] {
        assert_eq!(parse(text).unwrap_err().to_string(), message);
    }
    for text in [
        "RGBA8 premultiplied.",
        "GRAY16 of x significant bits",
        "GRAY16 of 256 significant bits",
        "GRAY_F32 from 0 to",
        "GRAY_F32 linear x",
    ] {
        let error = parse(text).unwrap_err();
        let unknown = matches!(error.kind(), ErrorKind::UnknownOption { .. });
        assert!(unknown, "{error}");
    }
    let error = parse(&"X".repeat(1000)).unwrap_err();
    let ErrorKind::UnknownFormat { name, nearest, .. } = error.kind() else {
        panic!("{error}");
    };
    assert_eq!((name.len(), *nearest), (1000, None));
}

/// What has no meaning is an error when an image is made, with the numbers.
#[test]
#[cfg_attr(miri, ignore = "nothing of memory in it")]
fn meanings_that_are_none() {
    use PixelFormat as F;
    let error = |format| {
        let made = Image::from_buffer([0u64; 4], 1, 1, format);
        made.unwrap_err().to_string()
    };
    for (format, message) in [
        (
            F::RGBA8.with_range(0.0, 1.0),
            "RGBA8 does not support a range",
        ),
        (
            F::RGBA8.with_significant_bits(7),
            "RGBA8 does not support significant bits",
        ),
        (
            F::RGBA8.with_bit_depth(8),
            "RGBA8 does not support a bit depth",
        ),
        (
            F::GRAY_U32.linear(),
            "GRAY_U32 does not support linear light",
        ),
        (
            F::GRAY_F32.with_significant_bits(12),
            "GRAY_F32 does not support significant bits",
        ),
        (
            F::RGB565.with_range(0.0, 1.0),
            "RGB565 does not support a range",
        ),
        (
            F::GRAY_F32.with_range(1.0, 1.0),
            "GRAY_F32: the ends of a range must be finite and distinct, not 1 and 1",
        ),
        (
            F::GRAY_F32.with_range(0.0, f64::INFINITY),
            "GRAY_F32: the ends of a range must be finite and distinct, not 0 and inf",
        ),
        (
            F::GRAY_F32.with_range(f64::NAN, 1.0),
            "GRAY_F32: the ends of a range must be finite and distinct, not NaN and 1",
        ),
        (
            F::GRAY_U32.with_significant_bits(33),
            "GRAY_U32: samples have 1 to 32 significant bits, not 33",
        ),
        (
            F::GRAY_U32.with_significant_bits(0),
            "GRAY_U32: samples have 1 to 32 significant bits, not 0",
        ),
        (
            F::GRAY_F32.with_bit_depth(12),
            "GRAY_F32: the bit depth of the file must be 1, 2, 4, 8 or 16, not 12; for fewer bits in memory use with_significant_bits",
        ),
        (
            F::RGB16.with_bit_depth(4),
            "RGB16: the bit depth of the file must be 8 or 16, not 4; for fewer bits in memory use with_significant_bits",
        ),
        (
            F::GRAY8.with_bit_depth(255),
            "GRAY8: the bit depth of the file must be 1, 2, 4 or 8, not 255; for fewer bits in memory use with_significant_bits",
        ),
        (
            F::GRAY4.with_bit_depth(1),
            "GRAY4 does not support a bit depth",
        ),
        (F::RGB8.inverted(), "RGB8 does not support inversion"),
        (
            F::GRAY_ALPHA_F32.inverted(),
            "GRAY_ALPHA_F32 does not support inversion",
        ),
    ] {
        assert_eq!(error(format), message);
    }
    let not_half = F::GRAY_F16.with_range(0.0, 70_000.0);
    assert_eq!(
        error(not_half),
        "GRAY_F16: the ends of a range must be finite and distinct, not 0 and 70000"
    );
    for format in [
        F::GRAY_F16.with_range(1.0, 1.0004),
        F::GRAY_F64.with_range(0.0, 5e-324),
    ] {
        assert!(error(format).contains("must be finite and distinct"));
    }
    assert_eq!(
        error(F::GRAY_I8.with_significant_bits(9)),
        "GRAY_I8: samples have 1 to 8 significant bits, not 9"
    );
    assert_eq!(
        error(F::GRAY_I32.linear()),
        "GRAY_I32 does not support linear light"
    );
    // From the least to the largest there is.
    for (low, high) in [
        (f64::MIN, f64::MAX),
        (0.0, 5e-324),
        (0.0, f64::MIN_POSITIVE),
        (0.0, 1e300),
        (1e9, 1e9 + 1.0),
    ] {
        let message = error(F::GRAY_F32.with_range(low, high));
        assert!(
            message.contains("the ends of a range must be finite and distinct"),
            "{message}"
        );
    }
}

/// The table in the docs has a line for every format, and says how it is saved
/// and whether the bytes are those of PNG.
#[test]
#[cfg_attr(miri, ignore = "nothing of memory in it")]
fn the_table_in_the_docs() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/format/formats.md");
    let table = std::fs::read_to_string(path).unwrap();
    let rows: Vec<Vec<&str>> = table
        .lines()
        .filter(|line| line.starts_with("| `"))
        .map(|line| line.split('|').map(str::trim).collect())
        .filter(|cells: &Vec<&str>| cells.len() == 6)
        .collect();
    for definition in common::plain() {
        let name = definition.format.name();
        let native = name.trim_end_matches("LE").trim_end_matches("BE");
        let row = rows.iter().find(|row| {
            let mut names = row[1].split(", ");
            names.any(|n| n.trim_matches('`') == native)
        });
        let row = row.unwrap_or_else(|| panic!("{name} is not in the table"));
        assert!(name == native || row[1].contains("`..LE`"), "{name}");

        let color = match definition.channels() {
            1 if definition.indexed => "indexed",
            1 => "gray",
            2 => "gray + alpha",
            3 => "RGB",
            _ => "RGBA",
        };
        let saved = match definition.bit_depth() {
            _ if definition.indexed => color.to_owned(),
            1 | 2 | 4 => format!("{color}, as many bits"),
            depth => format!("{color}, {depth} bit"),
        };
        assert_eq!(row[3], saved, "{name}");

        // The same bytes for the same pixels.
        let png = definition.png();
        let is_png = (0..64u16).all(|i| {
            let most = u16::MAX >> (16 - definition.bit_depth());
            let sample = |c: u16| (i * 1021 + c * 333) & most;
            let pixel: Vec<u16> = (0..definition.channels() as u16).map(sample).collect();
            definition.bytes(&pixel) == png.bytes(&pixel)
        });
        let told = match row[4] {
            "=" => true,
            "= if big-endian" => {
                name.ends_with("BE") || name == native && cfg!(target_endian = "big")
            }
            "= where little-endian" => cfg!(target_endian = "little"),
            "= where big-endian" => cfg!(target_endian = "big"),
            told => {
                assert_eq!(told, "", "{name}");
                false
            }
        };
        assert_eq!(told, is_png, "{name}");
    }
}

/// A buffer of each type of element: its values are the values of the pixels.
#[test]
fn elements_of_numbers() {
    use PixelFormat as F;
    fn gray<T: pixview::source::Plain>(value: T, format: F) -> u16 {
        let image = Image::from_buffer([value], 1, 1, format).unwrap();
        image.pixels().unwrap().get(0, 0).unwrap()[0]
    }
    assert_eq!(gray(-128i8, F::GRAY_I8), 0);
    assert_eq!(gray(127i8, F::GRAY_I8), 255);
    assert_eq!(gray(i32::MAX, F::GRAY_I32), 65535);
    assert_eq!(gray(0.25f64, F::GRAY_F64), 16384);
    assert_eq!(gray(0x3400u16, F::GRAY_F16), 16384);
    #[cfg(feature = "half")]
    assert_eq!(gray(half::f16::from_f32(0.25), F::GRAY_F16), 16384);

    let mut field = vec![0f64; 4];
    let mut image = Image::from_buffer(&mut field, 2, 2, F::GRAY_F64).unwrap();
    image.pixels_mut().unwrap().put(1, 1, [65535]).unwrap();
    assert_eq!(field, [0.0, 0.0, 0.0, 1.0]);

    // A literal without a type is an `i32`: four bytes instead of one.
    let error = |format| {
        let made = Image::from_buffer(vec![0; 12], 3, 4, format);
        made.unwrap_err().to_string()
    };
    assert_eq!(
        error(F::GRAY8),
        "3x4 pixels of GRAY8 have 12 bytes, the buffer has 48: its 12 elements have 4 bytes each, not 1; is vec![0u8; n] meant, or another format?"
    );
    assert_eq!(
        error(F::RGB565),
        "3x4 pixels of RGB565 have 24 bytes, the buffer has 48: its 12 elements have 4 bytes each, not 2; is vec![0u16; n] meant, or another format?"
    );
    let doubles = Image::from_buffer(vec![0.0; 12], 3, 4, F::GRAY_F32);
    assert_eq!(
        doubles.unwrap_err().to_string(),
        "3x4 pixels of GRAY_F32 have 48 bytes, the buffer has 96: its 12 elements have 8 bytes each, not 4; is vec![0f32; n] meant, or another format?"
    );
    // Other numbers of elements are no such literals.
    let words = Image::from_buffer(vec![0u32; 6], 3, 4, F::GRAY8);
    assert_eq!(
        words.unwrap_err().to_string(),
        "3x4 pixels of GRAY8 have 12 bytes, the buffer has 24: that is 2 bytes a pixel, not 1; is the format right?"
    );
    let bytes = Image::from_buffer(vec![0u8; 12], 3, 4, F::GRAY16);
    assert_eq!(
        bytes.unwrap_err().to_string(),
        "3x4 pixels of GRAY16 have 24 bytes, the buffer has 12: that is 1 byte a pixel, not 2; is the format right?"
    );
    assert_eq!(
        error(F::RGB8),
        "RGB8 has units of 3 bytes, which elements of 4 bytes cannot hold: give the buffer as bytes, such as vec![0u8; n]"
    );
}

#[test]
fn samples_that_do_not_fit() {
    let mut image = Image::new(2, 2, PixelFormat::RGB8).unwrap();
    let mut pixels = image.pixels_mut().unwrap();
    let kinds = |result: Result<(), Error>| result.unwrap_err().to_string();
    assert_eq!(
        kinds(pixels.put(0, 0, [1, 2])),
        "a pixel of RGB8 has 3 samples, not 2"
    );
    assert_eq!(
        kinds(pixels.fill([1, 2, 3, 4])),
        "a pixel of RGB8 has 3 samples, not 4"
    );
    assert_eq!(
        kinds(pixels.put(0, 0, [1, 256, 3])),
        "a sample of RGB8 must be 0 to 255, not 256"
    );
    assert!(matches!(
        pixels.put(2, 0, [0; 3]).unwrap_err().kind(),
        ErrorKind::PixelOutside {
            x: 2,
            y: 0,
            width: 2,
            height: 2,
            ..
        }
    ));
    drop(pixels);
    assert_eq!(image.into_source(), [0; 12], "nothing was written");
}
