//! Tests of the parts of a decoder together.

use super::parallel;
use crate::{Compression, Image, PixelFormat, PngDecoder, PngEncoder};

/// Files of this crate are read by several threads, to their end.
#[test]
fn files_of_the_encoder() {
    for (format, width, height) in [
        (PixelFormat::RGB8, 700, 700),
        (PixelFormat::RGBA16, 300, 900),
        (PixelFormat::GRAY1, 9000, 1200),
        (PixelFormat::GRAY8, 500_000, 3),
    ] {
        let mut image = Image::new(width, height, format).unwrap();
        let mut seed = 1u64;
        let mask = if width == 700 { 0x1f } else { 0xff };
        let fill = |byte: &mut u8| {
            seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            *byte = (seed >> 33) as u8 & mask;
        };
        image.source_mut().iter_mut().for_each(fill);
        for mode in [
            Compression::Stored,
            Compression::Fast,
            Compression::Small,
            Compression::Best,
        ] {
            for kept in [0, 1] {
                let mut encoder = PngEncoder::new().compression(mode).reuse_strips(kept);
                let png = encoder.to_png(&image).unwrap();
                let decoder = PngDecoder::new().threads(2);
                let reader = decoder.open_bytes(&png).unwrap();
                let plan = reader.plan();
                assert!(plan.is_some(), "{width} {mode:?}");
                parallel::run(plan, |pieces| {
                    let mut pieces = pieces.unwrap();
                    for y in 0..height {
                        let line = pieces.next_line(&reader.chunks);
                        assert!(line.is_some(), "{width} {mode:?} {kept}, row {y}");
                    }
                    assert!(pieces.end().is_some());
                });
                let read = decoder.open_bytes(&png).unwrap().read().unwrap();
                assert!(read.source() == image.source());
            }
        }
    }
}
