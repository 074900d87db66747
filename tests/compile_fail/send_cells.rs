// E0277
use std::cell::Cell;

use pixview::{Image, PixelFormat};

fn main() {
    let mut array = vec![0u8; 12];
    let cells = Cell::from_mut(&mut array[..]).as_slice_of_cells();
    let image = Image::from_buffer(cells, 2, 2, PixelFormat::RGB8).unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| image.to_png().unwrap()); // breaks
        image.to_png().unwrap();
    });
}
