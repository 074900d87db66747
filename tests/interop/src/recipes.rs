//! Recipes for crates that need no feature.

use std::error::Error;
use std::io::Write;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, Mutex};

use pixview::source::{Lease, LiveBytes, Owner, SourceError, from_fn, from_shared};
use pixview::{Image, PixelFormat, PixelSource};
use vm_memory::VolatileMemory;

use crate::common::assert_in_place;

type Result = std::result::Result<(), Box<dyn Error>>;

/// The image owns a read-back, and reads it in place.
#[test]
fn bytes() -> Result {
    let read_back = bytes::Bytes::from(vec![255; 4 * 4 * 4]);

    let image = Image::from_buffer(Owner(read_back.clone()), 4, 4, PixelFormat::BGRA8)?;
    let png = image.to_png()?;

    assert_in_place(&image, &read_back);
    assert_eq!(Image::from_png(&png)?.to_vec()?, &read_back[..]);
    Ok(())
}

/// The body of an HTTP response.
#[test]
fn an_http_body() -> Result {
    let frame = vec![0u8; 4 * 4 * 3];

    let image = Image::from_buffer(&frame, 4, 4, PixelFormat::RGB8)?;
    let png = image.to_png()?;
    let address = png.as_ptr();
    let body = bytes::Bytes::from(png); // takes the `Vec` over

    assert_eq!(body.as_ptr(), address);
    assert_eq!(Image::from_png(&body)?.to_vec()?, frame);
    Ok(())
}

/// A framebuffer that one thread draws into, and another saves.
#[test]
fn a_mapped_framebuffer() -> Result {
    let mut file = tempfile::tempfile()?;
    file.write_all(&[0; 2 * 8 * 8])?;
    // SAFETY: no one else has the file.
    let mapped = unsafe { memmap2::MmapMut::map_mut(&file)? };

    let screen = Arc::new(Mutex::new(Owner(mapped)));
    let image = Image::from_buffer(screen.clone(), 8, 8, PixelFormat::RGB565LE)?;
    let draw = move || screen.lock().unwrap()[..2].copy_from_slice(&0xf800u16.to_le_bytes());
    std::thread::spawn(draw).join().unwrap();
    let png = image.to_png()?;

    assert_eq!(Image::from_png(&png)?.pixels()?.get(0, 0)?, [255, 0, 0]);
    let lock = image.source().clone();
    let address = lock.lock().unwrap().as_ptr();
    let mut view = image.view();
    view.pixels_mut()?.put(1, 0, [0, 0, 255])?;
    assert_eq!(lock.lock().unwrap()[2..4], 0x001fu16.to_le_bytes());
    let lease = pixview::PixelSource::lease(&lock)?;
    assert_eq!(lease.as_slice().unwrap().as_ptr(), address);
    Ok(())
}

/// A framebuffer whose lock belongs to another crate, so that its type stays: the image
/// owns the `Arc`, and moves to the thread that saves.
#[test]
fn a_mapped_framebuffer_of_another_crate() -> Result {
    let mut file = tempfile::tempfile()?;
    file.write_all(&[0; 2 * 8 * 8])?;
    // SAFETY: no one else has the file.
    let mapped = unsafe { memmap2::MmapMut::map_mut(&file)? };
    let screen = Arc::new(Mutex::new(mapped));

    let shared = from_shared(screen.clone(), |screen| {
        Ok(Lease::guard_map(screen.lock()?, |mapped| &mapped[..]))
    });
    let image = Image::from_buffer(shared, 8, 8, PixelFormat::RGB565LE)?;
    screen.lock().unwrap()[..2].copy_from_slice(&0xf800u16.to_le_bytes());
    let saver = std::thread::spawn(move || (image.to_png(), image));
    let (png, image) = saver.join().unwrap();

    assert_eq!(Image::from_png(&png?)?.pixels()?.get(0, 0)?, [255, 0, 0]);
    let address = screen.lock().unwrap().as_ptr();
    let lease = image.source().lease()?;
    assert_eq!(lease.as_slice().unwrap().as_ptr(), address);
    Ok(())
}

/// A file that is mapped for reading: the image owns the mapping.
#[test]
fn a_mapped_file() -> Result {
    let mut file = tempfile::tempfile()?;
    file.write_all(&[7; 8 * 8])?;
    // SAFETY: no one else has the file.
    let mapped = unsafe { memmap2::Mmap::map(&file)? };

    let image = Image::from_buffer(Owner(mapped), 8, 8, PixelFormat::GRAY8)?;

    assert_in_place(&image, &image.source()[..]);
    assert_eq!(image.to_vec()?, [7; 64]);
    Ok(())
}

/// A lock of another crate.
#[test]
fn parking_lot() -> Result {
    let frame = parking_lot::RwLock::new(vec![0u8; 64]);

    let image = Image::from_buffer(from_fn(|| frame.read()), 8, 8, PixelFormat::GRAY8)?;
    let mut drawn = Image::from_buffer(from_fn(|| frame.write()), 8, 8, PixelFormat::GRAY8)?;
    drawn.pixels_mut()?.put(3, 0, [9])?;
    let png = image.to_png()?;

    assert_eq!(Image::from_png(&png)?.pixels()?.get(3, 0)?, [9]);
    assert_eq!(frame.read()[3], 9);
    Ok(())
}

/// An `Arc` of another crate's lock, in the thread that saves.
#[test]
fn parking_lot_in_a_thread() -> Result {
    let frame = Arc::new(parking_lot::RwLock::new(vec![0u8; 64]));

    let shared = from_shared(frame.clone(), |frame| Ok(Lease::guard(frame.read())));
    let image = Image::from_buffer(shared, 8, 8, PixelFormat::GRAY8)?;
    frame.write()[3] = 9;
    let png = std::thread::spawn(move || image.to_png()).join().unwrap()?;

    assert_eq!(Image::from_png(&png)?.pixels()?.get(3, 0)?, [9]);
    // One save borrows the guard, which lives until the end of the statement.
    let again = Image::from_buffer(&frame.read()[..], 8, 8, PixelFormat::GRAY8)?.to_png()?;
    assert_eq!(again, png);
    Ok(())
}

/// Words of a window, as `softbuffer` and `minifb` have them, that another thread
/// draws while this one saves.
#[test]
fn words_of_a_window() -> Result {
    let words: Arc<[AtomicU32]> = (0..64).map(|_| AtomicU32::new(0)).collect();

    let image = Image::from_buffer(words.clone(), 8, 8, PixelFormat::XRGB8888)?;
    let thread = std::thread::spawn(move || words[9].store(0x00ff_8000, Relaxed));
    let during = image.to_png()?;
    thread.join().unwrap();
    let after = image.to_png()?;

    let pixel = Image::from_png(&during)?.pixels()?.get(1, 1)?;
    assert!(pixel == [0, 0, 0] || pixel == [255, 128, 0]);
    assert_eq!(Image::from_png(&after)?.pixels()?.get(1, 1)?, [255, 128, 0]);
    Ok(())
}

/// The buffer of a window in this frame: draw, save, draw on.
#[test]
fn a_buffer_of_words() -> Result {
    let mut buffer = vec![0u32; 64]; // derefs to `&mut [u32]`, as that of `softbuffer`

    buffer[9] = 0x00ff_8000;
    let png = Image::from_buffer(&buffer, 8, 8, PixelFormat::XRGB8888)?.to_png()?;
    buffer.fill(0);

    assert_eq!(Image::from_png(&png)?.pixels()?.get(1, 1)?, [255, 128, 0]);
    Ok(())
}

/// A pixmap, whose colors are premultiplied.
#[test]
fn tiny_skia() -> Result {
    let mut pixmap = tiny_skia::Pixmap::new(8, 8).unwrap();
    pixmap.fill(tiny_skia::Color::from_rgba8(255, 0, 0, 51));

    let format = PixelFormat::RGBA8.premultiplied();
    let image = Image::from_buffer(pixmap.data(), pixmap.width(), pixmap.height(), format)?;
    let png = image.to_png()?;

    assert_in_place(&image, pixmap.data());
    assert_eq!(Image::from_png(&png)?.pixels()?.get(7, 7)?, [255, 0, 0, 51]);
    let mut image = Image::from_buffer(pixmap.data_mut(), 8, 8, format)?;
    image.pixels_mut()?.put(0, 0, [0, 255, 0, 255])?;
    let green = tiny_skia::ColorU8::from_rgba(0, 255, 0, 255).premultiply();
    assert_eq!(pixmap.pixel(0, 0), Some(green));
    Ok(())
}

/// A mapping that other processes or devices write. `vm-memory` copies bytes out of it
/// with volatile reads, and never forms a reference to it.
struct Mapped(vm_memory::MmapRegion);

impl LiveBytes for &Mapped {
    fn len(&self) -> usize {
        self.0.size()
    }

    fn element_size(&self) -> usize {
        1
    }

    fn copy_to(&self, offset: usize, to: &mut [u8]) -> std::result::Result<(), SourceError> {
        let part = self.0.get_slice(offset, to.len());
        part.map_err(SourceError::other)?.copy_to(to);
        Ok(())
    }
}

impl PixelSource for Mapped {
    fn lease(&self) -> std::result::Result<Lease<'_>, SourceError> {
        Ok(Lease::live(self))
    }
}

/// A device that can only be mapped.
#[test]
fn a_mapped_device() -> Result {
    let device = Mapped(vm_memory::MmapRegion::new(4 * 64 * 64)?);

    let image = Image::from_buffer(&device, 64, 64, PixelFormat::BGRX8)?;
    device.0.get_slice(0, 4)?.copy_from(&[255, 0, 0, 0]); // the device draws
    let png = image.to_png()?;

    assert_eq!(Image::from_png(&png)?.pixels()?.get(0, 0)?, [0, 0, 255]);
    Ok(())
}
