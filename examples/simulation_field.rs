//! Saves snapshots of a running simulation: a field of `f32` as 16-bit gray. The
//! range is stated, so a gray level is the same temperature in every file. Values
//! outside the range are clamped, and NaN becomes black.
//!
//! ```text
//! cargo run --example simulation_field
//! ```

use std::error::Error;
use std::path::Path;

use pixview::{Compression, Image, PixelFormat, PngEncoder};

const SIZE: usize = 256;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/pixview-examples");
    std::fs::create_dir_all(&folder)?;

    // Temperatures in kelvin. The image owns the field and keeps no copy of it.
    let format = PixelFormat::GRAY_F32.with_range(250.0, 400.0);
    let field = vec![293.0f32; SIZE * SIZE];
    let mut image = Image::from_buffer(field, SIZE as u32, SIZE as u32, format)?;
    let mut encoder = PngEncoder::new().compression(Compression::Small);
    for snapshot in 0..4 {
        for _ in 0..200 {
            step(image.source_mut());
        }
        let path = folder.join(format!("field{snapshot}.png"));
        encoder.save(&image, &path)?;
        let pixel = image.pixels()?.get(60, 128)?[0];
        let kelvin = 250.0 + f64::from(pixel) * (400.0 - 250.0) / 65535.0;
        println!("wrote {}: {kelvin:.2} K at (60, 128)", path.display());
        assert!((kelvin - f64::from(image.source()[128 * SIZE + 60])).abs() < 0.002);
    }
    Ok(())
}

/// Spreads heat from a hot spot and cold from a cold spot by one step.
fn step(field: &mut [f32]) {
    let before = field.to_vec();
    for y in 1..SIZE - 1 {
        for x in 1..SIZE - 1 {
            let at = y * SIZE + x;
            let around = before[at - 1] + before[at + 1] + before[at - SIZE] + before[at + SIZE];
            field[at] = before[at] + 0.2 * (around - 4.0 * before[at]);
        }
    }
    for y in 120..136 {
        field[y * SIZE + 40..][..16].fill(420.0);
        field[y * SIZE + 200..][..16].fill(240.0);
    }
}
