// E0277 pixview::source::Owner(..)` inside the lock
use std::sync::Mutex;

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
    let owner = Mutex::new(Owner(Bytes(vec![0; 12])));
    Image::from_buffer(owner, 2, 2, PixelFormat::RGB8).unwrap();
    let bytes = Mutex::new(Bytes(vec![0; 12]));
    Image::from_buffer(&bytes, 2, 2, PixelFormat::RGB8).unwrap(); // breaks
    drop(bytes.into_inner().unwrap());
}
