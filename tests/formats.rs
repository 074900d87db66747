//! What the formats mean, byte by byte, against values written down by hand.

mod common;

use common::{DEFINITIONS, decode};
use pixview::{Error, ErrorKind, Image, PixelFormat};

fn pixel(bytes: &[u8], format: PixelFormat) -> Vec<u16> {
    let image = Image::from_buffer(bytes, 1, 1, format).unwrap();
    let pixel = image.read().unwrap().get(0, 0).unwrap().to_vec();
    assert_eq!(decode(&image.to_png().unwrap()).samples, pixel, "{format}");
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
        let pixel = image.read().unwrap().get(0, 0).unwrap().to_vec();
        assert_eq!(decode(&image.to_png().unwrap()).samples, pixel, "{format}");
        pixel
    }
    use PixelFormat as F;
    assert_eq!(word(0xaa11_2233, F::XRGB8888), [0x11, 0x22, 0x33]);
    assert_eq!(word(0xaa11_2233, F::ARGB8888), [0x11, 0x22, 0x33, 0xaa]);
    assert_eq!(word(0xaa11_2233, F::XBGR8888), [0x33, 0x22, 0x11]);
    assert_eq!(word(0xaa11_2233, F::ABGR8888), [0x33, 0x22, 0x11, 0xaa]);

    let image = Image::from_buffer([0x1234u16, 0xfffe, 0], 1, 1, F::RGB16).unwrap();
    assert_eq!(
        image.read().unwrap().get(0, 0).unwrap(),
        [0x1234, 0xfffe, 0]
    );
    assert_eq!(
        decode(&image.to_png().unwrap()).samples,
        [0x1234, 0xfffe, 0]
    );
}

#[test]
fn written_pixels() {
    fn written(format: PixelFormat, samples: &[u16]) -> Vec<u8> {
        let mut image = Image::new(1, 1, format).unwrap();
        image.write().unwrap().put(0, 0, samples).unwrap();
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
}

/// Every format holds every value of each of its samples, there and back.
#[test]
fn there_and_back() {
    for definition in DEFINITIONS {
        let max = u16::MAX >> (16 - definition.depth());
        // Miri gets fewer values: the decoders take their time there.
        let count = if cfg!(miri) { 16 } else { 256 };
        let mut image = Image::new(16, u32::from(count) / 16, definition.format).unwrap();
        let samples = |i: u16| -> Vec<u16> {
            let at = |c: u16| i.wrapping_mul(257).wrapping_add(c * 77) & max;
            (0..definition.channels() as u16).map(at).collect()
        };
        let mut pixels = image.write().unwrap();
        for i in 0..count {
            pixels
                .put(u32::from(i) % 16, u32::from(i) / 16, samples(i))
                .unwrap();
        }
        drop(pixels);
        let decoded = decode(&image.to_png().unwrap());
        for i in 0..count {
            let (x, y) = (u32::from(i) % 16, u32::from(i) / 16);
            assert_eq!(*image.read().unwrap().get(x, y).unwrap(), samples(i));
            assert_eq!(decoded.pixel(x as usize, y as usize), samples(i));
        }
    }
}

#[test]
fn facts() {
    assert_eq!(PixelFormat::ALL.len(), DEFINITIONS.len());
    for (format, definition) in PixelFormat::ALL.iter().zip(DEFINITIONS) {
        assert_eq!(*format, definition.format, "the order of the table");
        assert_eq!(format.bits_per_pixel(), 8 * definition.size, "{format}");
        assert_eq!(format.channels(), definition.channels(), "{format}");
        assert_eq!(format.bit_depth(), definition.depth(), "{format}");
        assert_eq!(
            format.has_alpha(),
            matches!(definition.channels(), 2 | 4),
            "{format}"
        );
    }
    assert_eq!(format!("{:>8}", PixelFormat::BGRA8), "   BGRA8");
    assert_ne!(PixelFormat::XRGB8888, PixelFormat::BGRX8);
}

#[test]
fn samples_that_do_not_fit() {
    let mut image = Image::new(2, 2, PixelFormat::RGB8).unwrap();
    let mut pixels = image.write().unwrap();
    let kinds = |result: Result<(), Error>| result.unwrap_err().to_string();
    assert_eq!(
        kinds(pixels.put(0, 0, [1, 2])),
        "a pixel of RGB8 has 3 samples, 2 were given"
    );
    assert_eq!(
        kinds(pixels.fill([1, 2, 3, 4])),
        "a pixel of RGB8 has 3 samples, 4 were given"
    );
    assert_eq!(
        kinds(pixels.put(0, 0, [1, 256, 3])),
        "a sample of RGB8 is at most 255, 256 was given"
    );
    assert!(matches!(
        pixels.put(2, 0, [0; 3]).unwrap_err().kind(),
        ErrorKind::PixelOutside {
            x: 2,
            y: 0,
            width: 2,
            height: 2
        }
    ));
    drop(pixels);
    assert_eq!(image.into_source(), [0; 12], "nothing was written");
}
