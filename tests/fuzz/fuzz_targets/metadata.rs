//! Metadata: all metadata that the encoder accepts is read back unchanged, and
//! the `png` crate reads the same values.
//!
//! `deflate.rs` says how to run it.
#![no_main]

use libfuzzer_sys::arbitrary::{Arbitrary, Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use pixview::metadata::{
    Background, Chromaticities, Chunk, Cicp, Density, IccProfile, LightLevel, MasteringDisplay,
    RenderingIntent, Text, Time,
};
use pixview::{ErrorKind, Image, Metadata, Palette, PixelFormat, PngDecoder, PngEncoder};

#[derive(Debug)]
struct Case {
    format: PixelFormat,
    metadata: Metadata,
}

/// Returns text of ASCII, of Latin-1 or of any characters, short or long.
fn text(u: &mut Unstructured) -> Result<String> {
    let text: String = u.arbitrary()?;
    Ok(match u.int_in_range(0..=3u8)? {
        0 => text,
        1 => text.repeat(40),
        2 => text.chars().map(|c| (c as u8 % 95 + 32) as char).collect(),
        _ => text.chars().map(|c| char::from(c as u8)).collect(),
    })
}

fn keyword(u: &mut Unstructured) -> Result<String> {
    let words = ["Title", "Author", "Comment", "é 1", "x"];
    match u.ratio(3, 4)? {
        true => Ok((*u.choose(&words)?).to_owned()),
        false => text(u),
    }
}

impl<'a> Arbitrary<'a> for Case {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        use PixelFormat as F;
        let format = *u.choose(&[
            F::GRAY1,
            F::GRAY4,
            F::GRAY8,
            F::GRAY16,
            F::GRAY_ALPHA8,
            F::RGB8,
            F::RGB16,
            F::RGBA8,
            F::INDEXED2,
            F::INDEXED8,
        ])?;
        let mut metadata = Metadata::default();
        for _ in 0..u.int_in_range(0..=3)? {
            let mut entry = Text::new(keyword(u)?, text(u)?);
            if u.ratio(1, 2)? {
                entry.language = text(u)?;
            }
            if u.ratio(1, 2)? {
                entry.translated_keyword = text(u)?;
            }
            metadata.text.push(entry);
        }
        macro_rules! some {
            ($value:expr) => {
                if u.ratio(1, 3)? { Some($value) } else { None }
            };
        }
        metadata.density = some!(match u.arbitrary()? {
            true => Density::per_meter(u.arbitrary()?, u.arbitrary()?),
            false => Density::unitless(u.arbitrary()?, u.arbitrary()?),
        });
        metadata.gamma = some!(u.arbitrary()?);
        metadata.chromaticities = some!(Chromaticities {
            white: u.arbitrary()?,
            red: u.arbitrary()?,
            green: u.arbitrary()?,
            blue: u.arbitrary()?,
        });
        metadata.srgb = some!(*u.choose(&[
            RenderingIntent::Perceptual,
            RenderingIntent::RelativeColorimetric,
            RenderingIntent::Saturation,
            RenderingIntent::AbsoluteColorimetric,
        ])?);
        metadata.icc = some!(IccProfile::new(keyword(u)?, u.arbitrary::<Vec<u8>>()?));
        metadata.cicp = some!({
            let mut cicp = Cicp::new(u.arbitrary()?, u.arbitrary()?);
            cicp.full_range = u.arbitrary()?;
            cicp
        });
        metadata.mastering_display = some!(MasteringDisplay {
            red: u.arbitrary()?,
            green: u.arbitrary()?,
            blue: u.arbitrary()?,
            white: u.arbitrary()?,
            max_luminance: u.arbitrary()?,
            min_luminance: u.arbitrary()?,
        });
        metadata.light_level = some!(LightLevel {
            max_content: u.arbitrary()?,
            max_frame_average: u.arbitrary()?,
        });
        metadata.exif = some!([b"II\x2a\0".to_vec(), u.arbitrary()?].concat());
        metadata.significant_bits = some!(vec![u.arbitrary::<u8>()? % 9; format.channels()]);
        metadata.background = some!(match u.int_in_range(0..=2u8)? {
            0 => Background::Gray(u.arbitrary::<u16>()? % 300),
            1 => Background::Rgb(u.arbitrary()?),
            _ => Background::Index(u.arbitrary::<u8>()? % 5),
        });
        metadata.time = some!(Time {
            year: u.arbitrary()?,
            month: u.arbitrary::<u8>()? % 14,
            day: u.arbitrary::<u8>()? % 33,
            hour: u.arbitrary::<u8>()? % 25,
            minute: u.arbitrary::<u8>()? % 61,
            second: u.arbitrary::<u8>()? % 62,
        });
        metadata.transparent = some!([u.arbitrary::<u8>()?.into(); 3]);
        for _ in 0..u.int_in_range(0..=2)? {
            let name = match u.ratio(1, 2)? {
                true => *b"prVt",
                false => u.arbitrary()?,
            };
            let mut chunk = Chunk::new(name, u.arbitrary::<Vec<u8>>()?);
            chunk.after_image_data = u.arbitrary()?;
            metadata.chunks.push(chunk);
        }
        Ok(Case { format, metadata })
    }
}

fuzz_target!(|case: Case| {
    let mut image = Image::new(3, 2, case.format).unwrap();
    if case.format.is_indexed() {
        let palette = Palette::from_rgb(&[[1, 2, 3], [4, 5, 6], [7, 8, 9]]).unwrap();
        image = image.with_palette(palette).unwrap();
    }
    let png = match PngEncoder::new()
        .metadata(case.metadata.clone())
        .to_png(&image)
    {
        Ok(png) => png,
        Err(error) => {
            assert!(
                matches!(error.kind(), ErrorKind::Metadata { .. }),
                "{error:#}"
            );
            return;
        }
    };
    let mut reader = PngDecoder::new().open_bytes(&png).unwrap();
    reader.read().unwrap();
    let mut expected = case.metadata.clone();
    expected.chunks.sort_by_key(|chunk| chunk.after_image_data);
    assert_eq!(reader.metadata().unwrap(), expected);

    let decoder = png::Decoder::new(std::io::Cursor::new(&png));
    let mut reader = decoder.read_info().unwrap();
    let info = reader.info().clone();
    let metadata = &case.metadata;
    assert_eq!(info.gama_chunk.map(|g| g.into_scaled()), metadata.gamma);
    assert_eq!(info.srgb.map(|s| s as u8), metadata.srgb.map(|s| s as u8));
    let profile = metadata.icc.as_ref().map(|icc| &icc.data[..]);
    if profile.is_some_and(|profile| !profile.is_empty()) {
        assert_eq!(info.icc_profile.as_deref(), profile);
    }
    assert_eq!(info.exif_metadata.as_deref(), metadata.exif.as_deref());
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    reader.next_frame(&mut pixels).unwrap();
});
