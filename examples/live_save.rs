//! Shows that edits to the source array still show in the image after a save.
//!
//! ```text
//! cargo run --example live_save
//! ```

use std::cell::Cell;
use std::error::Error;
use std::path::Path;

use pixview::{Image, PixelFormat};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/pixview-examples");
    std::fs::create_dir_all(&folder)?;
    let (before, after) = (folder.join("before.png"), folder.join("after.png"));

    // The array, shared as cells: whoever has `pixels` may edit it.
    let (width, height) = (640, 480);
    let mut array = vec![0u8; width * height * 3];
    let pixels = Cell::from_mut(&mut array[..]).as_slice_of_cells();

    // A view. No pixel is copied, now or later.
    let image = Image::from_buffer(pixels, width as u32, height as u32, PixelFormat::RGB8)?;

    // Edit, save, edit, save.
    draw_square(pixels, width, 40, [255, 64, 0]);
    image.save(&before)?;
    draw_square(pixels, width, 340, [0, 128, 255]);
    image.save(&after)?;

    // Each file has the pixels that were in the array at the time of its save.
    let pixel_in = |path: &Path, x: u32| Image::open(path)?.pixels()?.get(x, 240);
    assert_eq!(pixel_in(&before, 140)?, [255, 64, 0]);
    assert_eq!(pixel_in(&before, 440)?, [0, 0, 0]);
    assert_eq!(pixel_in(&after, 140)?, [255, 64, 0]);
    assert_eq!(pixel_in(&after, 440)?, [0, 128, 255]);
    println!("wrote {}", before.display());
    println!(
        "wrote {}: the edit made after the first save shows",
        after.display()
    );
    Ok(())
}

/// Draws a square straight into the array, without the image.
fn draw_square(pixels: &[Cell<u8>], width: usize, left: usize, color: [u8; 3]) {
    for y in 120..360 {
        for x in left..left + 240 {
            for (channel, value) in color.into_iter().enumerate() {
                pixels[(y * width + x) * 3 + channel].set(value);
            }
        }
    }
}
