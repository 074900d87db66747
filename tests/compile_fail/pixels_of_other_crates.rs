// E0277 the pixels of `rgb` with the feature `rgb`
use pixview::{Image, PixelFormat};

#[derive(Clone, Copy)]
struct Rgb {
    r: u8,
}

fn main() {
    let pixels = vec![Rgb { r: 1 }; 4];
    Image::from_buffer(&pixels, 2, 2, PixelFormat::RGB8).unwrap(); // breaks
    drop(pixels.iter().map(|pixel| pixel.r));
}
