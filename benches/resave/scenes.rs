//! Images: drawn scenes, and PNG files.

use std::path::Path;

use pixview::{Image, PixelFormat};

/// Files of fewer pixels are tiled. A camera of 8 megapixels has 7 990 272.
const MANY_PIXELS: f64 = 7.95e6;

/// A name, a function that draws, and the size.
pub type Scene = (&'static str, fn((u32, u32)) -> Image<Vec<u8>>, (u32, u32));

/// The drawn scenes.
pub const SCENES: [Scene; 5] = [
    ("landscape", landscape, (4000, 2500)),
    ("interface", interface, (3840, 2160)),
    ("chart", chart, (4000, 2500)),
    ("field", field, (4096, 2560)),
    ("interface of 2 MP", interface, (1920, 1080)),
];

/// Draws an image, from the bytes of each pixel.
fn draw<const N: usize>(
    (width, height): (u32, u32),
    format: PixelFormat,
    pixel: impl Fn(u32, u32, u8) -> [u8; N],
) -> Image<Vec<u8>> {
    let mut seed = 1u32;
    let mut bytes = Vec::with_capacity(width as usize * height as usize * N);
    for y in 0..height {
        for x in 0..width {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            bytes.extend(pixel(x, y, (seed >> 24) as u8));
        }
    }
    Image::from_buffer(bytes, width, height, format).expect("packed")
}

/// Draws a landscape with grain: between a photograph and a drawing.
pub fn landscape(size: (u32, u32)) -> Image<Vec<u8>> {
    draw(size, PixelFormat::RGB8, |x, y, noise| {
        let grain = noise >> 5;
        let (fx, share) = (x as f32 / 190.0, y as f32 / size.1 as f32);
        let light = (share * 90.0) as u8;
        if share > 0.55 + 0.08 * fx.sin() + 0.03 * (3.1 * fx).cos() {
            [40 + grain, 90 + light + grain, 50]
        } else {
            [100 + light, 130 + light, 230 + grain]
        }
    })
}

/// Draws a user interface: a bar, a list, lines of text, pictures.
pub fn interface(size: (u32, u32)) -> Image<Vec<u8>> {
    let mix = |a: u32, b: u32| {
        let mixed = (a ^ b.wrapping_mul(0x9e37_79b9)).wrapping_mul(0x85eb_ca6b);
        mixed ^ mixed >> 15
    };
    draw(size, PixelFormat::BGRA8, |x, y, noise| {
        let list = x < size.0 / 6;
        let (paper, ink) = if list { (44, 200) } else { (250, 40) };
        let (cell, line) = (x / 12, y / 24);
        let glyph = mix(cell, line) % 40;
        let (u, v) = (x % 12 / 2, y % 24 / 2);
        let ends = if list { 24 } else { 60 + mix(line, 7) % 120 };
        let text = glyph > 5 && cell < ends && line % 9 != 8 && u < 5 && (2..10).contains(&v);
        let picture = !list && x % 900 > 620 && y % 700 > 420;
        let gray = if y < 48 {
            225 - y as u8
        } else if picture {
            return [
                90 + (x % 128) as u8,
                120 + (noise >> 5),
                (y % 200) as u8,
                255,
            ];
        } else if text && mix(glyph, u * 16 + v).is_multiple_of(3) {
            [ink, 120][(x & y & 1) as usize]
        } else {
            paper
        };
        [gray, gray, gray, 255]
    })
}

/// Draws three curves and bars on flat ground.
pub fn chart(size: (u32, u32)) -> Image<Vec<u8>> {
    draw(size, PixelFormat::RGB8, |x, y, _| {
        let (fx, fy) = (x as f32 / 150.0, y as f32 / size.1 as f32);
        let curve = |shift: f32| {
            let at = 0.4 + 0.15 * (fx + shift).sin() + 0.08 * (2.7 * fx * shift).cos();
            (fy - at).abs() < 0.002
        };
        let bar = 0.75 + 0.2 * ((x / 64) as f32 * 0.7).sin();
        match () {
            () if curve(1.0) => [200, 30, 40],
            () if curve(1.7) => [30, 120, 60],
            () if curve(2.3) => [40, 60, 200],
            () if fy > bar && x % 64 > 12 => [90, 140, 200],
            () if x.is_multiple_of(200) || y.is_multiple_of(120) => [225; 3],
            () => [255; 3],
        }
    })
}

/// Draws a field of numbers in native `u16`, with noise in the last four bits.
pub fn field(size: (u32, u32)) -> Image<Vec<u8>> {
    draw(size, PixelFormat::GRAY16, |x, y, noise| {
        let (fx, fy) = (x as f32 / 700.0, y as f32 / 500.0);
        let value = 30_000.0 + 14_000.0 * (fx + fy.sin()).sin() + 9_000.0 * (fy * 1.3).cos();
        (value as u16 + u16::from(noise >> 4)).to_ne_bytes()
    })
}

/// Opens a PNG file, and tiles its image until it has many pixels. Returns `None`
/// for pixels smaller than a byte.
pub fn open(path: &Path) -> Option<(String, Image<Vec<u8>>)> {
    let image = Image::open(path).unwrap_or_else(|error| panic!("{error:#}"));
    let mut name = path.file_stem()?.to_string_lossy().into_owned();
    let (width, height, format) = (image.width(), image.height(), image.format());
    if format.bits_per_pixel() < 8 {
        return None;
    }
    let wanted = MANY_PIXELS / (f64::from(width) * f64::from(height));
    let across = wanted.sqrt().ceil();
    let (across, down) = (across as u32, (wanted / across).ceil() as u32);
    if (across, down) == (1, 1) {
        return Some((name, image));
    }
    name = format!("{name}, tiled {across} × {down}");
    let row_size = format.row_size(width) as usize;
    let rows = image.source().chunks_exact(row_size);
    let wide: Vec<u8> = rows.flat_map(|row| row.repeat(across as usize)).collect();
    let bytes = wide.repeat(down as usize);
    let mut tiled = Image::from_buffer(bytes, width * across, height * down, format);
    if let Some(palette) = image.palette() {
        tiled = tiled.and_then(|tiled| tiled.with_palette(palette.clone()));
    }
    Some((name, tiled.expect("fits")))
}
