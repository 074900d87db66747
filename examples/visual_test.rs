//! Compares a rendered frame with a reference picture, as a test of a user
//! interface, a game or a plot does. The frame is compared where it lies, in words
//! of BGRX; the reference is a PNG file of RGB. Where they differ, the rectangle
//! that differs is saved from both.
//!
//! ```text
//! cargo run --example visual_test
//! ```

use std::error::Error;
use std::path::Path;

use pixview::{Image, PixelFormat, PixelSource, PngEncoder};

const WIDTH: u32 = 480;
const HEIGHT: u32 = 320;

/// Pixels around the rectangle that differs, for the eye of the person who looks.
const MARGIN: u32 = 12;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/pixview-examples");
    std::fs::create_dir_all(&folder)?;
    let reference = folder.join("reference.png");

    // Accept the frame as the reference. If the file has this picture already, it
    // keeps its time stamp, so that no build tool believes that it is new.
    let mut frame = render();
    let image = Image::from_buffer(&frame, WIDTH, HEIGHT, PixelFormat::XRGB8888)?;
    let mut encoder = PngEncoder::new();
    let report = encoder.save_if_changed(&image, &reference)?;
    let what = if report.unchanged { "kept" } else { "wrote" };
    println!("{what} {}", reference.display());
    let time = std::fs::metadata(&reference)?.modified()?;
    assert!(encoder.save_if_changed(&image, &reference)?.unchanged);
    assert_eq!(std::fs::metadata(&reference)?.modified()?, time);

    // The test passes.
    assert!(matches_reference(&image, &reference)?);
    println!("the frame shows the same picture as the reference");

    // One word changes, and the test fails. The byte X of a word does not count.
    frame[200 * WIDTH as usize + 300] ^= 0xff_00_10_00;
    frame[0] ^= 0xff_00_00_00;
    let image = Image::from_buffer(&frame, WIDTH, HEIGHT, PixelFormat::XRGB8888)?;
    assert!(!matches_reference(&image, &reference)?);
    Ok(())
}

/// Returns whether the image shows the same picture as the file. If not, prints
/// how they differ, and saves the rectangle beside the file.
fn matches_reference<S: PixelSource>(
    image: &Image<S>,
    reference: &Path,
) -> Result<bool, pixview::Error> {
    let expected = Image::open(reference)?;
    // A digest can be kept in place of the file, if equal or not is enough.
    if image.digest()? == expected.digest()? {
        return Ok(true);
    }
    let Some(difference) = image.compare(&expected)? else {
        return Ok(true);
    };
    let rect = difference.rect;
    println!(
        "pixels that differ: {}, from {:?} on, by up to {}, in {}x{} pixels at ({}, {})",
        difference.pixels,
        difference.first,
        difference.largest,
        rect.width,
        rect.height,
        rect.x,
        rect.y,
    );

    // A view of the rectangle and its surroundings. No pixel is copied.
    let (left, top) = (rect.x.saturating_sub(MARGIN), rect.y.saturating_sub(MARGIN));
    let width = (rect.x + rect.width + MARGIN).min(image.width()) - left;
    let height = (rect.y + rect.height + MARGIN).min(image.height()) - top;
    let actual_path = reference.with_file_name("differs-actual.png");
    image
        .view()
        .crop(left, top, width, height)?
        .save(&actual_path)?;
    println!("wrote {}", actual_path.display());
    let expected_path = reference.with_file_name("differs-expected.png");
    expected
        .crop(left, top, width, height)?
        .save(&expected_path)?;
    println!("wrote {}", expected_path.display());
    Ok(false)
}

/// Returns a frame of words 0xXXRRGGBB: a dialog with a button over a gradient.
fn render() -> Vec<u32> {
    let inside = |x: u32, y: u32, [left, top, right, bottom]: [u32; 4]| {
        (left..right).contains(&x) && (top..bottom).contains(&y)
    };
    let pixel = |i: u32| {
        let (x, y) = (i % WIDTH, i / WIDTH);
        if inside(x, y, [260, 180, 340, 220]) {
            0x0030_80f0 // the button
        } else if inside(x, y, [100, 60, 380, 260]) {
            0x00f0_f0f0 // the dialog
        } else {
            (40 + y / 4) << 16 | (60 + x / 8) << 8 | 0x5a
        }
    };
    (0..WIDTH * HEIGHT).map(pixel).collect()
}
