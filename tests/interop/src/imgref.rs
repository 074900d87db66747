use std::cell::Cell;

use imgref::{Img, ImgVec};
use pixview::interop::imgref::from_img;
use pixview::{ErrorKind, PixelFormat};
use rgb::{Bgra, Rgb};

use crate::common::{assert_in_place, saved};

#[test]
fn images_keep_their_stride() {
    let pixels = (0..8 * 6).map(|i| Rgb::new(i, i + 1, i + 2)).collect();
    let mut frame: ImgVec<Rgb<u8>> = Img::new(pixels, 8, 6);
    let crop = frame.sub_image(2, 1, 5, 4);
    let image = from_img(crop, PixelFormat::RGB8).unwrap();
    assert_in_place(&image, crop.buf());
    assert_eq!(image.layout().row_stride(), 24);
    let expected: Vec<u8> = crop.pixels().flat_map(|p| [p.r, p.g, p.b]).collect();
    assert_eq!(saved(&image, PixelFormat::RGB8), expected);

    let mut image = from_img(frame.sub_image_mut(2, 1, 5, 4), PixelFormat::RGB8).unwrap();
    image.pixels_mut().unwrap().fill([9, 8, 7]).unwrap();
    assert_eq!(saved(&image, PixelFormat::RGB8), [9, 8, 7].repeat(20));
    let drawn = |p: &&Rgb<u8>| **p == Rgb::new(9, 8, 7);
    assert_eq!(frame.buf().iter().filter(drawn).count(), 20);

    let address = frame.buf().as_ptr();
    let owned = from_img(frame, PixelFormat::RGB8).unwrap();
    assert_eq!(owned.source().as_ptr(), address);
    assert_in_place(&owned, owned.source());
}

#[test]
fn any_container_and_any_element() {
    let mut words = [0xff00_ff00u32; 12];
    let cells = Cell::from_mut(&mut words[..]).as_slice_of_cells();
    let image = from_img(Img::new_stride(cells, 2, 3, 4), PixelFormat::XRGB8888).unwrap();
    cells[9].set(0xff);
    assert_eq!(image.pixels().unwrap().get(1, 2).unwrap(), [0, 0, 255]);

    let image = from_img(
        Img::new(vec![Bgra::<u8>::default(); 4], 2, 2),
        PixelFormat::RGB8,
    );
    let error = image.unwrap_err();
    assert!(matches!(
        error.kind(),
        ErrorKind::ArrayElement {
            needed: 3,
            given: 4,
            ..
        }
    ));
    let image = from_img(Img::new_stride(&[0u8; 9][..], 2, 2, 7), PixelFormat::GRAY8);
    assert!(image.is_ok(), "the last row needs no padding");
}
