// E0597
use pixview::{Image, PixelFormat};

fn main() {
    let outer = vec![0u8; 12];
    let mut image = Image::from_buffer(&outer, 2, 2, PixelFormat::RGB8).unwrap();
    {
        let inner = vec![0u8; 12];
        image = Image::from_buffer(&inner, 2, 2, PixelFormat::RGB8).unwrap(); // breaks
        drop(inner.len());
    }
    image = image.flip_vertical();
    image.to_png().unwrap();
}
