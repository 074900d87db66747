// E0505
use pixview::{Image, PixelFormat};

fn main() {
    let buffer = vec![0u8; 12];
    let image = Image::from_buffer(&buffer, 2, 2, PixelFormat::RGB8).unwrap();
    let view = image.view().crop(0, 0, 1, 1).unwrap();
    drop(image); // breaks
    view.to_png().unwrap();
}
