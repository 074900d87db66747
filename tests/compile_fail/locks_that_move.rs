// E0277 to move it to a thread with its `Arc`, use `pixview::source::from_shared`
use std::sync::{Arc, Mutex, MutexGuard};

use pixview::source::{Lease, from_shared};
use pixview::{Image, PixelFormat};

struct Lock(Mutex<Vec<u8>>);

impl Lock {
    fn lock(&self) -> MutexGuard<'_, Vec<u8>> {
        self.0.lock().unwrap()
    }
}

fn main() {
    let lock = Arc::new(Lock(Mutex::new(vec![0; 12])));
    let shared = from_shared(lock.clone(), |lock| Ok(Lease::guard(lock.lock())));
    let image = Image::from_buffer(shared, 2, 2, PixelFormat::RGB8).unwrap();
    std::thread::spawn(move || image.to_png());
    Image::from_buffer(lock.clone(), 2, 2, PixelFormat::RGB8).unwrap(); // breaks
    Image::from_buffer(&lock.lock()[..], 2, 2, PixelFormat::RGB8).unwrap();
}
