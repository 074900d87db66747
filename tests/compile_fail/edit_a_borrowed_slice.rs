// E0506
use pixview::{Image, PixelFormat};

fn main() {
    let mut array = [0u8; 12];
    array[1] = 255;
    let image = Image::from_buffer(&array, 2, 2, PixelFormat::RGB8).unwrap();
    image.to_png().unwrap();
    array[0] = 255; // breaks
    image.to_png().unwrap();
}
