// E0277 pixview::source::Owner(..)`; a guard is borrowed as `&guard[..]`
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
    Image::from_buffer(Owner(Bytes(vec![0; 12])), 2, 2, PixelFormat::RGB8).unwrap();
    Image::from_buffer(Bytes(vec![0; 12]), 2, 2, PixelFormat::RGB8).unwrap(); // breaks
}
