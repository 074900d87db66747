// E0277
use pixview::{Image, PixelFormat};

fn main() {
    let buffer = vec![0u8; 12];
    let mut image = Image::from_buffer(&buffer[..], 2, 2, PixelFormat::RGB8).unwrap();
    image.pixels_mut().unwrap(); // breaks
    image = image.flip_vertical();
    image.to_png().unwrap();
}
