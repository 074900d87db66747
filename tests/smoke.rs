//! smoke
use pixview::*;
use std::cell::Cell;
#[test]
fn smoke() {
    let mut array = vec![0u8; 64 * 48 * 3];
    let pixels = Cell::from_mut(&mut array[..]).as_slice_of_cells();
    let image = Image::from_buffer(pixels, 64, 48, PixelFormat::BGR8).unwrap();
    let a = image.to_png().unwrap();
    pixels[0].set(255);
    let b = image.to_png().unwrap();
    assert_ne!(a, b);
    let mut d = zune_png::PngDecoder::new(zune_core::bytestream::ZCursor::new(&b));
    let px = d.decode_raw().unwrap();
    assert_eq!(px[..3], [0, 0, 255]);
    let i = Image::from_png(&b).unwrap();
    assert_eq!(i.read().unwrap().get(0, 0).unwrap(), [0, 0, 255]);
    println!("{image:?} {:?}", i.read().unwrap());
}
