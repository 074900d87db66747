//! Opens photographs, edits them through the array and through the view, and
//! saves a crop, a flip and one channel. All of them are views of one array.
//!
//! ```text
//! cargo run --example photo [FILE.png ...]
//! ```
//!
//! Without an argument, it draws a scene, saves it, and opens that file.

use std::cell::Cell;
use std::error::Error;
use std::path::{Path, PathBuf};

use pixview::{Channel, Image, PixelFormat};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/pixview-examples");
    std::fs::create_dir_all(&folder)?;
    let mut paths: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    if paths.is_empty() {
        let path = folder.join("scene.png");
        scene()?.save(&path)?;
        println!("wrote {}", path.display());
        paths.push(path);
    }
    for path in paths {
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        work_on(&path, &folder, &name)?;
    }
    Ok(())
}

fn work_on(path: &Path, folder: &Path, name: &str) -> Result<(), Box<dyn Error>> {
    // The pixels of the file, in an array that this function owns.
    let opened = Image::open(path)?;
    let (width, height, format) = (opened.width(), opened.height(), opened.format());
    println!("opened {}: {width}x{height} {format}", path.display());
    let mut array = opened.into_source();

    // A view of the array. It shows edits through the view and to the array.
    let cells = Cell::from_mut(&mut array[..]).as_slice_of_cells();
    let mut image = Image::from_buffer(cells, width, height, format)?;

    // Edits through the view: a frame of the largest samples.
    let white = vec![if format.bit_depth() == 16 { 65535 } else { 255 }; format.channels()];
    let thick = (width.min(height) / 50).max(1);
    let mut pixels = image.pixels_mut()?;
    pixels.fill_rect(0, 0, width, thick, &white)?;
    pixels.fill_rect(0, height - thick, width, thick, &white)?;
    pixels.fill_rect(0, 0, thick, height, &white)?;
    pixels.fill_rect(width - thick, 0, thick, height, &white)?;
    drop(pixels);

    // Edits to the array: every tenth row becomes darker, byte by byte.
    if format.bit_depth() == 8 && !format.has_alpha() {
        let row_size = format.row_size(width) as usize;
        for row in cells.chunks_exact(row_size).step_by(10) {
            for byte in row {
                byte.set(byte.get() / 2);
            }
        }
    }

    let save = |view: Image<&&[Cell<u8>]>, what: &str| -> Result<(), pixview::Error> {
        let path = folder.join(format!("{name}-{what}.png"));
        view.save(&path)?;
        println!(
            "wrote {}: {}x{}",
            path.display(),
            view.width(),
            view.height()
        );
        Ok(())
    };
    let (w, h) = (width.div_ceil(2), height.div_ceil(2));
    save(image.view(), "edited")?;
    save(image.view().crop(width / 4, height / 4, w, h)?, "crop")?;
    save(image.view().flip_horizontal(), "flip")?;
    let channel = if format.channels() < 3 {
        Channel::Gray
    } else {
        Channel::Red
    };
    save(image.view().channel(channel)?, "channel")?;
    Ok(())
}

/// Draws a sun over hills.
fn scene() -> Result<Image<Vec<u8>>, pixview::Error> {
    let (width, height) = (800, 500);
    let mut image = Image::new(width, height, PixelFormat::RGB8)?;
    let mut pixels = image.pixels_mut()?;
    for y in 0..height {
        for x in 0..width {
            let (fx, fy) = (f64::from(x), f64::from(y));
            let sun = (fx - 560.0).hypot(fy - 150.0);
            let hills = 330.0 + 40.0 * (fx / 90.0).sin() + 25.0 * (fx / 37.0).cos();
            let color = if fy > hills {
                [30.0, 90.0 + (fy - hills) / 3.0, 40.0]
            } else if sun < 60.0 {
                [255.0, 220.0, 120.0]
            } else {
                [90.0 + fy / 3.0 + 4000.0 / sun, 140.0 + fy / 4.0, 220.0]
            };
            pixels.put(x, y, color.map(|sample| sample.min(255.0) as u16))?;
        }
    }
    drop(pixels);
    Ok(image)
}
