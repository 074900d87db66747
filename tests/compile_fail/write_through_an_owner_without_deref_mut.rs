// E0277
use pixview::source::Owner;
use pixview::{Image, PixelFormat};

struct Bytes(Vec<u8>);

impl std::ops::Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

fn main() {
    let bytes = Owner(Bytes(vec![0; 12]));
    let mut image = Image::from_buffer(bytes, 2, 2, PixelFormat::RGB8).unwrap();
    image.pixels_mut().unwrap(); // breaks
    image = image.flip_vertical();
    image.to_png().unwrap();
}
