//! Where files go to, from this crate and from the crate `png`.

use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use pixview::png::SaveReport;
use pixview::{Image, PixelFormat, PngEncoder};

/// Where a file goes to.
pub enum Target {
    Null,
    /// Memory that is large enough.
    Reserved(Vec<u8>),
    Path(PathBuf),
}

impl Target {
    pub fn save(&mut self, encoder: &mut PngEncoder, image: &Image<Vec<u8>>) -> SaveReport {
        let report = match self {
            Target::Null => encoder.write(image, io::sink()),
            Target::Reserved(bytes) => {
                bytes.clear();
                encoder.write(image, bytes)
            }
            Target::Path(path) => encoder.save(image, path),
        };
        report.expect("saves")
    }

    pub fn save_png(&mut self, image: &PngImage) {
        match self {
            Target::Null => image.write(io::sink()),
            Target::Reserved(bytes) => {
                bytes.clear();
                image.write(bytes);
            }
            Target::Path(path) => {
                let file = fs::File::create(path).expect("can be created");
                let mut file = BufWriter::with_capacity(1 << 16, file);
                image.write(&mut file);
                file.flush().expect("can be written");
            }
        }
    }

    pub fn name(&self) -> &'static str {
        match self {
            Target::Null => "null",
            Target::Reserved(_) => "`Vec`",
            Target::Path(_) => "file",
        }
    }
}

/// An image as the crate `png` takes it.
pub struct PngImage {
    info: png::Info<'static>,
    samples: Vec<u8>,
}

impl PngImage {
    pub fn new(image: &Image<Vec<u8>>) -> Self {
        use PixelFormat as F;
        let format = image.format();
        let wide = format.bit_depth() == 16;
        let (color_type, format) = match (format.channels(), wide) {
            _ if format.is_indexed() => (png::ColorType::Indexed, format),
            (1, false) => (png::ColorType::Grayscale, F::GRAY8),
            (1, true) => (png::ColorType::Grayscale, F::GRAY16BE),
            (2, false) => (png::ColorType::GrayscaleAlpha, F::GRAY_ALPHA8),
            (2, true) => (png::ColorType::GrayscaleAlpha, F::GRAY_ALPHA16BE),
            (3, false) => (png::ColorType::Rgb, F::RGB8),
            (3, true) => (png::ColorType::Rgb, F::RGB16BE),
            (_, false) => (png::ColorType::Rgba, F::RGBA8),
            (_, true) => (png::ColorType::Rgba, F::RGBA16BE),
        };
        let mut info = png::Info::with_size(image.width(), image.height());
        info.color_type = color_type;
        info.bit_depth = if wide {
            png::BitDepth::Sixteen
        } else {
            png::BitDepth::Eight
        };
        info.palette = image.palette().map(|palette| {
            let colors = palette.colors().iter();
            colors.flat_map(|&[r, g, b, _]| [r, g, b]).collect()
        });
        PngImage {
            info,
            samples: image.to_vec_as(format).expect("converts"),
        }
    }

    fn write(&self, writer: impl Write) {
        let mut encoder = png::Encoder::with_info(writer, self.info.clone()).expect("valid");
        encoder.set_compression(png::Compression::Fast);
        let mut writer = encoder.write_header().expect("writes");
        writer.write_image_data(&self.samples).expect("writes");
        writer.finish().expect("writes");
    }
}
