//! Saves a framebuffer as kernels and compositors hold it: native words
//! `0xXXRRGGBB`, padded rows, the bottom row first. The X byte has any value; it
//! never becomes alpha.
//!
//! ```text
//! cargo run --example framebuffer_grab
//! ```

use std::error::Error;
use std::path::Path;

use pixview::{Image, Layout, PixelFormat};

const WIDTH: u32 = 320;
const HEIGHT: u32 = 200;
/// The words from one row to the next. Hardware prefers round numbers.
const PITCH: usize = 512;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/pixview-examples");
    std::fs::create_dir_all(&folder)?;

    let framebuffer = draw_desktop();
    let layout =
        Layout::packed(WIDTH, HEIGHT, PixelFormat::XRGB8888).with_row_stride(PITCH as isize * 4); // strides are bytes
    let screen = Image::with_layout(&framebuffer, layout)?.flip_vertical();

    let path = folder.join("screen.png");
    screen.save(&path)?;
    println!("wrote {}: words of {}", path.display(), screen.format());

    // One window of the screen, from the same memory.
    let path = folder.join("window.png");
    let window = screen.view().crop(40, 30, 160, 100)?;
    window.save(&path)?;
    println!("wrote {}", path.display());

    assert_eq!(screen.pixels()?.get(0, 0)?, [30, 60, 90], "the desktop");
    assert_eq!(window.pixels()?.get(0, 0)?, [200, 200, 210], "its title");
    Ok(())
}

/// Returns words that stand for the memory of a graphics card. The padding and
/// the X bytes have arbitrary values.
fn draw_desktop() -> Vec<u32> {
    let mut words = vec![0xdead_beef; PITCH * HEIGHT as usize];
    for (row, line) in words.chunks_exact_mut(PITCH).rev().enumerate() {
        for (column, word) in line[..WIDTH as usize].iter_mut().enumerate() {
            let x_bits = (column as u32 * 77 + row as u32) << 24;
            let inside = (40..200).contains(&column) && (30..130).contains(&row);
            *word = x_bits
                | match row {
                    _ if !inside => 0x001e_3c5a,
                    30..46 => 0x00c8_c8d2,
                    _ => 0x00f0_f0f0 - ((column + row) % 16) as u32 * 0x0001_0101,
                };
        }
    }
    words
}
