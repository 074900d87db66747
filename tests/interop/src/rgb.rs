use std::cell::Cell;
use std::sync::{Arc, Mutex};

use pixview::{Image, PixelFormat, PixelSource};
use rgb::{Abgr, Argb, Bgr, Bgra, Gray, GrayAlpha, Rgb, Rgba};

use crate::common::assert_in_place;

/// Each pixel type shows its color, in place.
#[test]
fn pixels_are_elements() {
    fn check<P: pixview::source::Plain>(pixel: P, format: PixelFormat, samples: &[u16]) {
        let buffer = vec![pixel; 4];
        let image = Image::from_buffer(&buffer, 2, 2, format).unwrap();
        assert_in_place(&image, &buffer);
        assert_eq!(*image.pixels().unwrap().get(1, 1).unwrap(), *samples);
    }
    let (r, g, b, a) = (1u8, 2, 3, 4);
    check(Rgb { r, g, b }, PixelFormat::RGB8, &[1, 2, 3]);
    check(Bgr { r, g, b }, PixelFormat::BGR8, &[1, 2, 3]);
    check(Rgba { r, g, b, a }, PixelFormat::RGBA8, &[1, 2, 3, 4]);
    check(Bgra { r, g, b, a }, PixelFormat::BGRA8, &[1, 2, 3, 4]);
    check(Argb { r, g, b, a }, PixelFormat::ARGB8, &[1, 2, 3, 4]);
    check(Abgr { r, g, b, a }, PixelFormat::ABGR8, &[1, 2, 3, 4]);
    check(Gray::new(9u8), PixelFormat::GRAY8, &[9]);
    check(GrayAlpha::new(9u8, a), PixelFormat::GRAY_ALPHA8, &[9, 4]);
    check(Rgb::new(500u16, 2, 3), PixelFormat::RGB16, &[500, 2, 3]);
    let float = Rgba::new(1f32, 0.0, 0.5, 1.0);
    check(float, PixelFormat::RGBA_F32, &[65535, 0, 32768, 65535]);
}

#[test]
fn cells_and_locks_are_live() {
    fn check(image: &Image<impl PixelSource>, edit: impl Fn(Rgb<u8>)) {
        for value in [1, 2] {
            edit(Rgb::new(value, 0, 0));
            assert_eq!(
                image.pixels().unwrap().get(0, 0).unwrap(),
                [value.into(), 0, 0]
            );
        }
    }
    let mut buffer = vec![Rgb::default(); 4];
    let cells = Cell::from_mut(&mut buffer[..]).as_slice_of_cells();
    let image = Image::from_buffer(cells, 2, 2, PixelFormat::RGB8).unwrap();
    check(&image, |pixel| cells[0].set(pixel));
    let frame = Arc::new(Mutex::new(buffer));
    let image = Image::from_buffer(frame.clone(), 2, 2, PixelFormat::RGB8).unwrap();
    check(&image, |pixel| frame.lock().unwrap()[0] = pixel);
}
