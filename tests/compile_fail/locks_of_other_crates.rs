// E0277 pixview::source::from_fn(|| lock.lock())
use std::sync::{Arc, Mutex, MutexGuard};

use pixview::source::from_fn;
use pixview::{Image, PixelFormat};

struct Lock(Mutex<Vec<u8>>);

impl Lock {
    fn lock(&self) -> MutexGuard<'_, Vec<u8>> {
        self.0.lock().unwrap()
    }
}

fn main() {
    let lock = Arc::new(Lock(Mutex::new(vec![0; 12])));
    Image::from_buffer(from_fn(|| lock.lock()), 2, 2, PixelFormat::RGB8).unwrap();
    Image::from_buffer(lock.clone(), 2, 2, PixelFormat::RGB8).unwrap(); // breaks
}
