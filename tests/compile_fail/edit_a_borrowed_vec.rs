// E0502
use pixview::{Image, PixelFormat};

fn main() {
    let mut array = vec![0u8; 12];
    array[1] = 255;
    let image = Image::from_buffer(&array, 2, 2, PixelFormat::RGB8).unwrap();
    array[0] = 255; // breaks
    image.to_png().unwrap();
}
