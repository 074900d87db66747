// E0277 rows in `Vec`s of their own are not one buffer
use pixview::{Image, PixelFormat};

fn main() {
    let rows = vec![vec![0u8; 6]; 2];
    Image::from_buffer(&rows, 2, 2, PixelFormat::RGB8).unwrap(); // breaks
    Image::from_buffer(&rows.concat(), 2, 2, PixelFormat::RGB8).unwrap();
}
