//! Draws on the displays of small devices through views of their own memory, and
//! saves that memory as PNG. One display has color in 16-bit words, sent with the
//! most significant byte first. The other has one bit a pixel. It draws with the
//! methods of `PixelsMut`. With the feature `embedded-graphics`, the crate of that
//! name draws on the same views: see `interop::embedded_graphics::Display`.
//!
//! ```text
//! cargo run --example embedded_display
//! ```

use std::error::Error;
use std::path::Path;

use pixview::{Image, PixelFormat, PixelSourceMut};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/pixview-examples");
    std::fs::create_dir_all(&folder)?;

    // The driver sends these bytes as they are.
    let mut memory = vec![0u8; 240 * 135 * 2];
    let mut display = Image::from_buffer(&mut memory, 240, 135, PixelFormat::RGB565BE)?;
    display.pixels_mut()?.fill([16, 24, 48])?;
    for (bar, level) in [90, 60, 75, 100, 40].into_iter().enumerate() {
        let x = 20 + bar as u32 * 42;
        let mut pixels = display.pixels_mut()?;
        pixels.fill_rect(x, 115 - level, 30, level, [255, 160 - level as u16, 0])?;
    }
    let path = folder.join("display.png");
    display.save(&path)?;
    println!("wrote {}: {}", path.display(), display.format());
    // A word has 5 or 6 bits a sample, so 16, 24, 48 are stored less exactly.
    println!(
        "a pixel put as [16, 24, 48] is {:?}",
        display.pixels()?.get(0, 0)?
    );
    assert_eq!(memory[..2], [0x10, 0xc6], "the word 00010 000110 00110");

    // Ink is 0, paper is 1; 25 bytes a row.
    let mut memory = [0xffu8; 25 * 96];
    let mut paper = Image::from_buffer(&mut memory, 200, 96, PixelFormat::GRAY1)?;
    write_number(&mut paper.view_mut().crop(13, 10, 174, 76)?, "42.7")?;
    let path = folder.join("paper.png");
    paper.save(&path)?;
    println!(
        "wrote {}: {}, one bit a pixel too",
        path.display(),
        paper.format()
    );
    Ok(())
}

/// Draws digits of seven segments that fill the view. The view may begin at any
/// bit of a byte.
fn write_number<S: PixelSourceMut>(
    image: &mut Image<S>,
    number: &str,
) -> Result<(), pixview::Error> {
    // Top, upper left and right, middle, lower left and right, bottom.
    const SEGMENTS: [&str; 10] = [
        "1110111", "0010010", "1011101", "1011011", "0111010", "1101011", "1101111", "1010010",
        "1111111", "1111011",
    ];
    let (width, height) = (image.width() / number.len() as u32, image.height());
    let (w, h, pen) = (width - 8, height / 2, 6);
    let places = [
        (0, 0, w, pen),
        (0, 0, pen, h),
        (w - pen, 0, pen, h),
        (0, h - pen / 2, w, pen),
        (0, h, pen, h),
        (w - pen, h, pen, h),
        (0, height - pen, w, pen),
    ];
    let mut pixels = image.pixels_mut()?;
    for (digit, x) in number.chars().zip((0..).step_by(width as usize)) {
        match digit.to_digit(10) {
            Some(value) => {
                let segments = SEGMENTS[value as usize].chars();
                for ((left, top, w, h), _) in places.iter().zip(segments).filter(|s| s.1 == '1') {
                    pixels.fill_rect(x + left, *top, *w, *h, [0])?;
                }
            }
            None => pixels.fill_rect(x + w / 2, height - pen, pen, pen, [0])?,
        }
    }
    Ok(())
}
