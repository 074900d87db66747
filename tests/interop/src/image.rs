use std::cell::Cell;
use std::sync::Mutex;

use image::{DynamicImage, GenericImage, GenericImageView, ImageBuffer, Luma, LumaA, Rgb, Rgba};
use imageproc::drawing::{draw_filled_circle_mut, draw_hollow_rect_mut, draw_line_segment_mut};
use imageproc::rect::Rect;
use pixview::interop::image::{
    Canvas, PixelType, from_dynamic, from_dynamic_mut, from_image, from_image_mut, into_image,
};
use pixview::{ErrorKind, Image, Layout, PixelFormat, PngDecoder};

use crate::common::{assert_in_place, saved};

/// Every pixel type, borrowed and owned: the format, the address, and a pixel that
/// is written through the view.
#[test]
fn buffers_of_every_type() {
    fn check<P: PixelType + PartialEq + std::fmt::Debug>(pixel: P, samples: &[u16]) {
        let mut buffer = ImageBuffer::from_pixel(5, 4, pixel);
        let address = buffer.as_raw().as_ptr();
        let image = from_image(&buffer).unwrap();
        assert_eq!(image.format(), P::FORMAT);
        assert_in_place(&image, buffer.as_raw());
        assert_eq!(*image.pixels().unwrap().get(4, 3).unwrap(), *samples);

        let white = [255, 65535][usize::from(P::FORMAT.bit_depth() == 16)];
        let mut image = from_image_mut(&mut buffer).unwrap();
        assert_eq!(image.source().as_ptr(), address);
        image
            .pixels_mut()
            .unwrap()
            .put(0, 0, vec![white; samples.len()])
            .unwrap();
        let written = *buffer.get_pixel(0, 0);
        let most = image::Primitive::DEFAULT_MAX_VALUE;
        assert!(written.channels().iter().all(|&sample| sample == most));

        let mut image = from_image_mut(&mut buffer).unwrap();
        let mut canvas = Canvas::<P>::new(&mut image).unwrap();
        assert_eq!(canvas.get_pixel(0, 0), written);
        assert_eq!(canvas.get_pixel(4, 3), pixel);
        canvas.put_pixel(1, 1, written);
        #[expect(deprecated, reason = "methods that a `GenericImage` must have")]
        {
            let channels = canvas.get_pixel_mut(2, 1).channels_mut();
            channels.copy_from_slice(written.channels());
            canvas.blend_pixel(3, 1, written);
        }
        drop(canvas);
        assert_eq!([1, 2, 3].map(|x| *buffer.get_pixel(x, 1)), [written; 3]);

        let mut owned = into_image(buffer).unwrap();
        assert_eq!(owned.source().as_raw().as_ptr(), address);
        assert_in_place(&owned, owned.source().as_raw());
        owned.source_mut().put_pixel(0, 0, pixel);
        assert_eq!(*owned.pixels().unwrap().get(0, 0).unwrap(), *samples);
    }
    check(Luma([7u8]), &[7]);
    check(LumaA([7u8, 8]), &[7, 8]);
    check(Rgb([7u8, 8, 9]), &[7, 8, 9]);
    check(Rgba([7u8, 8, 9, 10]), &[7, 8, 9, 10]);
    check(Luma([700u16]), &[700]);
    check(LumaA([700u16, 8]), &[700, 8]);
    check(Rgb([700u16, 8, 9]), &[700, 8, 9]);
    check(Rgba([700u16, 8, 9, 10]), &[700, 8, 9, 10]);
    check(Luma([0.5f32]), &[32768]);
    check(LumaA([0.5f32, 1.0]), &[32768, 65535]);
    check(Rgb([0.5f32, 0.0, 1.0]), &[32768, 0, 65535]);
    check(Rgba([0.5f32, 0.0, 1.0, 1.0]), &[32768, 0, 65535, 65535]);
}

/// A buffer may be longer than its pixels.
#[test]
fn long_buffers() {
    let memory = [9u8; 20];
    let buffer = ImageBuffer::<Rgb<u8>, _>::from_raw(3, 2, &memory[..]).unwrap();
    let image = from_image(&buffer).unwrap();
    assert_eq!(image.to_vec().unwrap(), [9; 18]);
    assert_eq!(image.source().as_ptr(), memory.as_ptr());
}

#[test]
fn dynamic_images_of_every_type() {
    let constructors: [fn(u32, u32) -> DynamicImage; 10] = [
        DynamicImage::new_luma8,
        DynamicImage::new_luma_a8,
        DynamicImage::new_rgb8,
        DynamicImage::new_rgba8,
        DynamicImage::new_luma16,
        DynamicImage::new_luma_a16,
        DynamicImage::new_rgb16,
        DynamicImage::new_rgba16,
        DynamicImage::new_rgb32f,
        DynamicImage::new_rgba32f,
    ];
    for new in constructors {
        let mut picture = new(3, 2);
        let image = from_dynamic(&picture).unwrap();
        assert_in_place(&image, picture.as_bytes());
        let (format, address) = (image.format(), picture.as_bytes().as_ptr());
        assert_eq!(
            format.channels(),
            usize::from(picture.color().channel_count())
        );

        let mut image = from_dynamic_mut(&mut picture).unwrap();
        assert_eq!((image.format(), image.source().as_ptr()), (format, address));
        let white = u16::MAX >> (16 - format.bit_depth());
        let white = vec![white; format.channels()];
        image.pixels_mut().unwrap().fill(&white).unwrap();
        let expected = DynamicImage::ImageRgba8(ImageBuffer::from_pixel(3, 2, Rgba([255; 4])));
        assert_eq!(picture.to_rgba8(), expected.to_rgba8());
    }
}

/// A file is read into a buffer of the crate `image`, and into a part of one.
#[test]
fn files_are_read_into_buffers() {
    let pixels: Vec<u8> = (0..5 * 4 * 3).collect();
    let file = Image::from_buffer(&pixels, 5, 4, PixelFormat::RGB8).unwrap();
    let png = file.to_png().unwrap();
    let mut buffer = image::RgbaImage::new(9, 9);
    let part = from_image_mut(&mut buffer).unwrap().crop(2, 3, 5, 4);
    let mut reader = PngDecoder::new().open_bytes(&png).unwrap();
    reader.read_into(&mut part.unwrap()).unwrap();
    assert_eq!(*buffer.get_pixel(2, 3), Rgba([0, 1, 2, 255]));
    assert_eq!(*buffer.get_pixel(6, 6), Rgba([57, 58, 59, 255]));
    assert_eq!(*buffer.get_pixel(7, 6), Rgba([0; 4]));
}

/// Draws a figure whose pixels are red, on black.
fn draw(canvas: &mut impl GenericImage<Pixel = Rgb<u8>>) {
    let red = Rgb([255, 0, 0]);
    draw_hollow_rect_mut(canvas, Rect::at(2, 2).of_size(20, 12), red);
    draw_filled_circle_mut(canvas, (28, 14), 9, red);
    draw_line_segment_mut(canvas, (-10.0, -3.0), (50.0, 30.0), red);
}

/// `imageproc` draws into the caller's array as into an image of its own, and the
/// next save shows the drawing.
#[test]
fn imageproc_draws_into_the_callers_array() {
    let mut expected = image::RgbImage::new(32, 20);
    draw(&mut expected);
    assert!(expected.pixels().filter(|p| p.0[0] == 255).count() > 150);
    let black = vec![0u8; 32 * 20 * 3];

    let mut array = black.clone();
    let mut image = Image::from_buffer(&mut array, 32, 20, PixelFormat::RGB8).unwrap();
    assert_eq!(saved(&image, PixelFormat::RGB8), black);
    draw(&mut Canvas::new(&mut image).unwrap());
    assert_eq!(saved(&image, PixelFormat::RGB8), *expected.as_raw());
    assert_eq!(array, *expected.as_raw());

    // Rows from bottom to top with padding, behind a lock.
    let frame = Mutex::new(vec![7u8; 20 * 100]);
    let layout = Layout::packed(32, 20, PixelFormat::RGB8).with_row_stride(100);
    let mut image = Image::with_layout(&frame, layout).unwrap().flip_vertical();
    image.pixels_mut().unwrap().fill([0, 0, 0]).unwrap();
    draw(&mut Canvas::new(&mut image).unwrap());
    assert_eq!(saved(&image, PixelFormat::RGB8), *expected.as_raw());
    let frame = frame.into_inner().unwrap();
    let padding = frame.chunks(100).flat_map(|row| &row[96..]);
    assert!(padding.into_iter().all(|&byte| byte == 7));
    assert_eq!(frame[19 * 100..][..96], expected.as_raw()[..96]);
}

#[test]
fn images_that_are_no_canvas() {
    let mut bytes = [0u8; 4 * 4 * 6 + 1];
    let error = |image: &mut Image<&mut [u8]>| Canvas::<Rgb<u16>>::new(image).unwrap_err();
    let mut image = Image::from_buffer(&mut bytes[..48], 4, 4, PixelFormat::RGB8).unwrap();
    let kind = error(&mut image);
    let needed = PixelFormat::RGB16;
    assert!(matches!(kind.kind(), ErrorKind::PixelType { needed: n, .. } if *n == needed));
    // One of two neighbors is not aligned.
    let at = usize::from(bytes.as_ptr().addr().is_multiple_of(2));
    let mut image = Image::from_buffer(&mut bytes[at..][..96], 4, 4, needed).unwrap();
    assert!(matches!(
        error(&mut image).kind(),
        ErrorKind::Misaligned { .. }
    ));
    let mut image = Image::from_buffer(&mut bytes[1 - at..][..96], 4, 4, needed).unwrap();
    assert!(Canvas::<Rgb<u16>>::new(&mut image).is_ok());

    let layout = Layout::planar(4, 4, PixelFormat::RGB8);
    let mut image = Image::with_layout(&mut bytes[..], layout).unwrap();
    let kind = Canvas::<Rgb<u8>>::new(&mut image).unwrap_err();
    assert!(matches!(kind.kind(), ErrorKind::NotBorrowable));
    let cells = Cell::from_mut(&mut bytes[..48]).as_slice_of_cells();
    let mut image = Image::from_buffer(cells, 4, 4, PixelFormat::RGB8).unwrap();
    let kind = Canvas::<Rgb<u8>>::new(&mut image).unwrap_err();
    assert!(matches!(kind.kind(), ErrorKind::NotBorrowable));
}

/// As `GenericImage` demands.
#[test]
#[should_panic(expected = "pixel (4, 0) is outside the image of 4x4 pixels")]
fn a_pixel_outside_the_canvas() {
    let mut image = Image::new(4, 4, PixelFormat::RGB8).unwrap();
    Canvas::new(&mut image)
        .unwrap()
        .put_pixel(4, 0, Rgb([0u8; 3]));
}
