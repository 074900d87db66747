// E0277
use pixview::{Image, PixelFormat};

fn main() {
    let bytes = vec![0u8; 12];
    Image::from_buffer(&bytes, 2, 2, PixelFormat::RGB8).unwrap();
    let numbers = vec![0; 12];
    Image::from_buffer(&numbers, 2, 2, PixelFormat::RGB8).unwrap(); // breaks
    drop::<Vec<i32>>(numbers);
}
