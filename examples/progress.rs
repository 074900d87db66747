//! Shows a progress bar during a large save. Then cancels another save, which
//! leaves the old file as it was.
//!
//! ```text
//! cargo run --example progress
//! ```

use std::error::Error;
use std::io::Write;
use std::ops::ControlFlow;
use std::path::Path;

use pixview::{Compression, ErrorKind, Image, PixelFormat, PngEncoder};

/// The number of characters of the bar.
const BAR: u64 = 40;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/pixview-examples");
    std::fs::create_dir_all(&folder)?;
    let path = folder.join("large.png");

    let (width, height) = (4000, 3000);
    let pixels: Vec<[u8; 3]> = (0..width * height)
        .map(|i| {
            [
                (i / width) as u8,
                (i % width / 7) as u8,
                (i ^ i >> 9) as u8 & 15,
            ]
        })
        .collect();
    let image = Image::from_buffer(&pixels, width, height, PixelFormat::RGB8)?;

    let mut encoder = PngEncoder::new()
        .compression(Compression::Small)
        .on_progress(|progress| {
            let done = BAR * u64::from(progress.rows) / u64::from(progress.total);
            let (done, left) = ("#".repeat(done as usize), ".".repeat((BAR - done) as usize));
            print!("\r[{done}{left}] {}/{} rows", progress.rows, progress.total);
            // A bar that can't be shown is no reason to stop the save.
            let _ = std::io::stdout().flush();
            ControlFlow::Continue(())
        });
    encoder.save(&image, &path)?;
    println!();
    let size = std::fs::metadata(&path)?.len();
    println!("wrote {}: {size} bytes", path.display());

    // Cancels the save after a tenth of the rows.
    let mut encoder = encoder.on_progress(|progress| {
        if progress.rows * 10 >= progress.total {
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    });
    let error = encoder.save(&image, &path).expect_err("it is cancelled");
    assert!(matches!(error.kind(), ErrorKind::Cancelled));
    assert_eq!(std::fs::metadata(&path)?.len(), size);
    println!("{error}; the old file is still there");
    Ok(())
}
