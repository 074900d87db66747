// E0499
use pixview::{Image, PixelFormat};

fn main() {
    let mut image = Image::new(2, 2, PixelFormat::RGB8).unwrap();
    let mut left = image.view_mut().crop(0, 0, 1, 2).unwrap();
    image.view_mut().pixels_mut().unwrap(); // breaks
    left.pixels_mut().unwrap();
}
