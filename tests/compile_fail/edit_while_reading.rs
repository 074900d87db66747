// E0502
use pixview::{Image, PixelFormat};

fn main() {
    let mut image = Image::new(2, 2, PixelFormat::RGB8).unwrap();
    image.source_mut()[0] = 1;
    let pixels = image.pixels().unwrap();
    image.source_mut()[0] = 1; // breaks
    pixels.get(0, 0).unwrap();
}
