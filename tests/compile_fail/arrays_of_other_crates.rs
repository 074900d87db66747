// E0277 have functions in `pixview::interop`, each behind a feature of that name
use pixview::{Image, PixelFormat};

struct Array3(Vec<u8>);

fn main() {
    let array = Array3(vec![0; 12]);
    Image::from_buffer(&array, 2, 2, PixelFormat::RGB8).unwrap(); // breaks
    Image::from_buffer(&array.0, 2, 2, PixelFormat::RGB8).unwrap();
}
