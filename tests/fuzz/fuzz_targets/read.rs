//! Reading: files of any chunks, with right checksums or wrong ones, whole or
//! cut, into any format. Whatever they are, the result is an image or an error;
//! where pixels are whole, it is what `lodepng` sees.
//!
//! How to run it is said in `deflate.rs`.
#![no_main]

#[path = "../../common/mod.rs"]
mod common;

use common::DEFINITIONS;
use libfuzzer_sys::arbitrary::{self, Arbitrary, Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use pixview::{Error, ErrorKind, Image, PixelFormat, PngDecoder, PngEncoder};

#[derive(Debug)]
struct Case {
    png: Vec<u8>,
    /// The same without what other decoders are stricter about.
    bare: Vec<u8>,
    /// Whether the image data was made to fit the header, and nothing was
    /// damaged.
    whole: bool,
    /// Which of the definitions to read as.
    format: usize,
}

#[derive(Arbitrary, Debug)]
struct Extra<'a> {
    name: Name,
    data: &'a [u8],
    after: bool,
    /// Compress what follows the first zero, as texts and profiles do.
    compress: bool,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Name {
    Known(u8),
    Any([u8; 4]),
}

const NAMES: [&[u8; 4]; 20] = [
    b"tEXt", b"zTXt", b"iTXt", b"pHYs", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"cICP", b"mDCV",
    b"cLLI", b"eXIf", b"sBIT", b"bKGD", b"tIME", b"tRNS", b"acTL", b"fcTL", b"fdAT", b"prVt",
];

fn push(png: &mut Vec<u8>, name: &[u8; 4], data: &[u8]) {
    png.extend((data.len() as u32).to_be_bytes());
    let start = png.len();
    png.extend(name);
    png.extend(data);
    let mut crc = !0u32;
    for byte in &png[start..] {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg());
        }
    }
    png.extend((!crc).to_be_bytes());
}

impl<'a> Arbitrary<'a> for Case {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let (color, depths): (u8, &[u8]) = *u.choose(&[
            (0, &[1, 2, 4, 8, 16][..]),
            (2, &[8, 16]),
            (3, &[1, 2, 4, 8]),
            (4, &[8, 16]),
            (6, &[8, 16]),
        ])?;
        let depth = *u.choose(depths)?;
        let interlaced = u.ratio(1, 4)?;
        let (width, height) = (u.int_in_range(1..=40u32)?, u.int_in_range(1..=40u32)?);
        let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
        let mut header = [&width.to_be_bytes()[..], &height.to_be_bytes()].concat();
        header.extend([depth, color, 0, 0, interlaced.into()]);
        push(&mut png, b"IHDR", &header);
        let mut bare = png.clone();
        let extras: Vec<Extra> = (0..u.int_in_range(0..=4)?)
            .map(|_| u.arbitrary())
            .collect::<Result<_>>()?;
        let mut plain = true;
        let add = |png: &mut Vec<u8>, plain: &mut bool, after: bool| {
            for extra in extras.iter().filter(|extra| extra.after == after) {
                let name = match extra.name {
                    Name::Known(i) => *NAMES[usize::from(i) % NAMES.len()],
                    Name::Any(name) => name,
                };
                // What could change the pixels, or stops at what must be known.
                *plain &= name[0] & 0x20 != 0 && name.iter().all(u8::is_ascii_alphabetic);
                *plain &= !matches!(&name, b"tRNS" | b"acTL" | b"fcTL" | b"fdAT" | b"cICP");
                let mut data = extra.data.to_vec();
                if let (true, Some(at)) = (extra.compress, data.iter().position(|&b| b == 0)) {
                    let at = (at + 2).min(data.len());
                    let rest = miniz_oxide::deflate::compress_to_vec_zlib(&data[at..], 1);
                    data.truncate(at);
                    data.extend(rest);
                }
                push(png, &name, &data);
            }
        };
        add(&mut png, &mut plain, false);
        if color == 3 {
            let colors = u.int_in_range(1..=256usize)?.min(1 << depth);
            let palette: Vec<u8> = (0..colors).flat_map(common::color).collect();
            push(&mut png, b"PLTE", &palette);
            push(&mut bare, b"PLTE", &palette);
            plain &= colors == 1 << depth;
        }
        let bits = u32::from(depth) * [1, 0, 3, 1, 2, 0, 4][usize::from(color)];
        let passes: &[(u32, u32, u32, u32)] = if interlaced {
            &[
                (0, 0, 8, 8),
                (4, 0, 8, 8),
                (0, 4, 4, 8),
                (2, 0, 4, 4),
                (0, 2, 2, 4),
                (1, 0, 2, 2),
                (0, 1, 1, 2),
            ]
        } else {
            &[(0, 0, 1, 1)]
        };
        let mut lines = Vec::new();
        let mut seed = u.arbitrary::<u32>()?;
        for &(x, y, dx, dy) in passes {
            let (w, h) = (
                width.saturating_sub(x).div_ceil(dx),
                height.saturating_sub(y).div_ceil(dy),
            );
            for _ in 0..if w == 0 { 0 } else { h } {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                lines.push((seed >> 24) as u8 % 5);
                for i in 0..(w * bits).div_ceil(8) {
                    seed = seed.wrapping_add(i).wrapping_mul(1_664_525) ^ seed >> 7;
                    lines.push((seed >> 20) as u8);
                }
            }
        }
        match u.int_in_range(0..=9u8)? {
            0 => {
                lines.truncate(u.int_in_range(0..=lines.len())?);
                plain = false;
            }
            1 => {
                lines.extend([0; 50]);
                plain = false;
            }
            2 => {
                let at = u.choose_index(lines.len())?;
                lines[at] = u.arbitrary()?;
                plain = false;
            }
            _ => {}
        }
        let data = miniz_oxide::deflate::compress_to_vec_zlib(&lines, 1);
        let cut = u.int_in_range(0..=data.len())?;
        push(&mut png, b"IDAT", &data[..cut]);
        push(&mut png, b"IDAT", &data[cut..]);
        push(&mut bare, b"IDAT", &data);
        push(&mut bare, b"IEND", &[]);
        add(&mut png, &mut plain, true);
        push(&mut png, b"IEND", &[]);
        match u.int_in_range(0..=9u8)? {
            0 => {
                png.truncate(u.int_in_range(0..=png.len())?);
                plain = false;
            }
            1 => {
                let at = u.choose_index(png.len())?;
                png[at] = u.arbitrary()?;
                plain = false;
            }
            _ => {}
        }
        Ok(Case {
            png,
            bare,
            whole: plain,
            format: u.choose_index(DEFINITIONS.len())?,
        })
    }
}

/// Whether a chunk is damaged that is not needed for the pixels: the `png` crate
/// is strict about some.
fn is_about_extra(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Decode { chunk, .. } if chunk.starts_with(char::is_lowercase))
}

fuzz_target!(|case: Case| {
    let png = &case.png;
    let decoder = PngDecoder::new().max_pixels(1 << 16).max_bytes(1 << 20);
    let mut reader = match decoder.open_bytes(png) {
        Ok(reader) => reader,
        Err(error) => {
            assert!(!case.whole || is_about_extra(&error), "{error:#}");
            return;
        }
    };
    let whole = match reader.read() {
        Ok(image) => image,
        Err(error) => {
            assert!(!case.whole || is_about_extra(&error), "{error:#}");
            return;
        }
    };
    // Whatever it says is written again as it was, or refused.
    if let Ok(mut metadata) = reader.metadata() {
        metadata.faults.clear();
        let mut encoder = PngEncoder::new().metadata(metadata.clone());
        match encoder.to_png(&whole) {
            Ok(again) => {
                let mut reader = PngDecoder::new().open_bytes(&again).unwrap();
                // Indices perhaps in fewer bits.
                let again = reader.read().unwrap();
                let (found, expected) = (again.pixels().unwrap(), whole.pixels().unwrap());
                for y in 0..whole.height() {
                    for x in 0..whole.width() {
                        assert_eq!(found.get(x, y).unwrap(), expected.get(x, y).unwrap());
                    }
                }
                // A transparent color is alpha now.
                if whole.format().has_alpha() && metadata.transparent.take().is_some() {
                    metadata
                        .significant_bits
                        .iter_mut()
                        .for_each(|bits| bits.push(1));
                }
                assert_eq!(reader.metadata().unwrap(), metadata);
            }
            Err(error) => assert!(matches!(
                error.kind(),
                ErrorKind::Metadata { .. } | ErrorKind::IndexOutside { .. }
            )),
        }
    }
    if case.whole {
        let seen = common::decode(&case.bare);
        let image = decoder
            .open_bytes(png)
            .unwrap()
            .read_as(PixelFormat::RGBA16)
            .unwrap();
        let saved = common::decode(&image.to_png().unwrap());
        let max = if seen.depth == 8 { 257 } else { 1 };
        for y in 0..seen.height {
            for x in 0..seen.width {
                let pixel: Vec<u16> = seen.pixel(x, y).iter().map(|s| s * max).collect();
                let rgba = match pixel[..] {
                    [y] => [y, y, y, 65535],
                    [y, a] => [y, y, y, a],
                    [r, g, b] => [r, g, b, 65535],
                    [r, g, b, a] => [r, g, b, a],
                    _ => unreachable!(),
                };
                assert_eq!(saved.pixel(x, y), rgba);
            }
        }
    }
    let format = DEFINITIONS[case.format].format;
    let read = decoder.open_bytes(png).unwrap().read_as(format);
    if let Err(error) = read {
        let expected = matches!(
            error.kind(),
            ErrorKind::NoIndices { .. } | ErrorKind::IndexOutside { .. }
        );
        assert!(expected || !case.whole, "{error:#}");
    }
    let mut reader = decoder.open_bytes(png).unwrap();
    let mut view = Image::new(reader.width(), reader.height(), PixelFormat::BGRA8).unwrap();
    for _ in 0..20 {
        if !matches!(reader.next_frame(&mut view), Ok(Some(_))) {
            break;
        }
    }
});
