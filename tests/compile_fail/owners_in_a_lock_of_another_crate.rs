// E0277 use `pixview::source::from_shared` with `Lease::guard_map`
use std::sync::{Arc, Mutex};

use pixview::source::{Lease, from_shared};
use pixview::{Image, PixelFormat};

struct MmapMut(Vec<u8>);

impl std::ops::Deref for MmapMut {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

fn main() {
    let screen = Arc::new(Mutex::new(MmapMut(vec![0; 12])));
    let shared = from_shared(screen.clone(), |screen| {
        Ok(Lease::guard_map(screen.lock()?, |mapped| &mapped[..]))
    });
    Image::from_buffer(shared, 2, 2, PixelFormat::RGB8).unwrap();
    Image::from_buffer(screen.clone(), 2, 2, PixelFormat::RGB8).unwrap(); // breaks
    Image::from_buffer(&screen.lock().unwrap()[..], 2, 2, PixelFormat::RGB8).unwrap();
}
