//! Saves pixels as a graphics card returns them: BGRA, in rows padded to 256
//! bytes, the last row without its padding. The save reads the mapped memory
//! directly, so the rows are not packed first.
//!
//! ```text
//! cargo run --example padded_readback
//! ```

use std::error::Error;
use std::path::Path;

use pixview::{Image, Layout, PixelFormat};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/pixview-examples");
    std::fs::create_dir_all(&folder)?;

    let (width, height) = (300, 200);
    let mapped = read_back(width, height);
    let row_stride = padded(width);

    // While the memory is mapped: borrow it, describe its layout, save.
    let layout =
        Layout::packed(width, height, PixelFormat::BGRA8).with_row_stride(row_stride as isize);
    let image = Image::with_layout(&mapped, layout)?;
    let path = folder.join("readback.png");
    image.save(&path)?;
    println!(
        "wrote {}: {} bytes of rows {row_stride} bytes apart, in place",
        path.display(),
        mapped.len(),
    );

    // Some graphics interfaces return the picture upside down.
    let path = folder.join("readback-flipped.png");
    image.flip_vertical().save(&path)?;
    println!("wrote {}: the same memory, bottom-up", path.display());
    Ok(())
}

/// Returns the number of bytes from one row to the next.
fn padded(width: u32) -> usize {
    (width as usize * 4).next_multiple_of(256)
}

/// Returns a picture in the layout of a read-back, in place of a graphics card.
fn read_back(width: u32, height: u32) -> Vec<u8> {
    let row_stride = padded(width);
    let mut memory = vec![0xee; row_stride * height as usize];
    for (y, row) in memory.chunks_exact_mut(row_stride).enumerate() {
        for (x, pixel) in row.chunks_exact_mut(4).take(width as usize).enumerate() {
            let ring = ((x as f32 - 150.0).hypot(y as f32 - 100.0) / 8.0).sin();
            let (red, blue) = ((127.0 + 120.0 * ring) as u8, (x * 255 / 300) as u8);
            pixel.copy_from_slice(&[blue, (y * 255 / 200) as u8, red, 255]);
        }
    }
    memory.truncate(row_stride * (height as usize - 1) + width as usize * 4);
    memory
}
