// E0502
use pixview::{Image, PixelFormat};

fn main() {
    let mut image = Image::new(2, 2, PixelFormat::RGB8).unwrap();
    let mut pixels = image.pixels_mut().unwrap();
    image.to_png().unwrap(); // breaks
    pixels.fill([1, 2, 3]).unwrap();
}
