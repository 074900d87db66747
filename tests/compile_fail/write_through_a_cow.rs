// E0277
use std::borrow::Cow;

use pixview::{Image, PixelFormat};

fn main() {
    let buffer = Cow::Owned(vec![0u8; 12]);
    let mut image = Image::<Cow<'_, [u8]>>::from_buffer(buffer, 2, 2, PixelFormat::RGB8).unwrap();
    image.pixels_mut().unwrap(); // breaks
    image = image.flip_vertical();
    image.to_png().unwrap();
}
