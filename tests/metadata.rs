//! Metadata: the bytes of every chunk by the specification, their order, a
//! round trip, and the fields that cannot be written.

mod common;

use pixview::metadata::{
    Background, Chromaticities, Chunk, Cicp, Density, IccProfile, LightLevel, MasteringDisplay,
    RenderingIntent, Text, Time,
};
use pixview::{Error, ErrorKind, Image, Metadata, Palette, PixelFormat, PngDecoder, PngEncoder};

/// Returns the name and the data of each chunk.
fn chunks(png: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut chunks = Vec::new();
    let mut rest = &png[8..];
    while !rest.is_empty() {
        let len = u32::from_be_bytes(rest[..4].try_into().unwrap()) as usize;
        let name = String::from_utf8(rest[4..8].to_vec()).unwrap();
        chunks.push((name, rest[8..8 + len].to_vec()));
        rest = &rest[12 + len..];
    }
    chunks
}

fn chunk(png: &[u8], name: &str) -> Vec<u8> {
    let mut found = chunks(png).into_iter().filter(|(n, _)| n == name);
    let data = found.next().unwrap_or_else(|| panic!("no {name}")).1;
    assert!(found.next().is_none(), "{name} twice");
    data
}

fn image(format: PixelFormat) -> Image<Vec<u8>> {
    let image = Image::new(6, 5, format).unwrap();
    if format.is_indexed() {
        let palette = Palette::from_rgba(&[[1, 2, 3, 255], [4, 5, 6, 7], [8, 9, 10, 255]]);
        return image.with_palette(palette.unwrap()).unwrap();
    }
    image
}

fn save(metadata: &Metadata, format: PixelFormat) -> Result<Vec<u8>, Error> {
    let mut encoder = PngEncoder::new().metadata(metadata.clone());
    encoder.to_png(&image(format))
}

fn read(png: &[u8]) -> Result<Metadata, Error> {
    let mut reader = PngDecoder::new().open_bytes(png)?;
    reader.read()?;
    reader.metadata()
}

/// Returns metadata with every field set that the format allows.
fn full(format: PixelFormat) -> Metadata {
    let mut metadata = Metadata::default();
    let mut author = Text::new("Author", "作者 ✓");
    author.language = "zh-Hans".into();
    author.translated_keyword = "作者".into();
    metadata.text = vec![
        Text::new("Title", "Straße, at noon"),
        Text::new("Comment", "a long one, again and again. ".repeat(40)),
        author,
        Text::new("Description", "Δ again and again, ".repeat(50)),
        Text::new("Comment", ""),
    ];
    metadata.density = Some(Density::per_meter(11811, 5906));
    metadata.gamma = Some(45455);
    metadata.chromaticities = Some(Chromaticities::SRGB);
    metadata.icc = Some(IccProfile::new("a profile", common::noise(3000, 1)));
    metadata.cicp = Some(Cicp::new(9, 16));
    metadata.mastering_display = Some(MasteringDisplay {
        red: [35400, 14600],
        green: [8500, 39850],
        blue: [6550, 2300],
        white: [15635, 16450],
        max_luminance: 10_000_000,
        min_luminance: 1,
    });
    metadata.light_level = Some(LightLevel {
        max_content: 4_000_000,
        max_frame_average: 1_000_000,
    });
    metadata.exif = Some(b"MM\0\x2a\0\0\0\x08\0\0\0\0\0\0".to_vec());
    let bits = format.bit_depth().min(8);
    metadata.significant_bits = Some(match format.channels() {
        _ if format.is_indexed() => vec![5, 6, 5],
        channels => (0..channels as u8)
            .map(|c| (bits - c.min(bits - 1)).max(1))
            .collect(),
    });
    metadata.background = Some(match format.channels() {
        _ if format.is_indexed() => Background::Index(2),
        1 | 2 => Background::Gray(1),
        _ => Background::Rgb([1, 200, 3]),
    });
    metadata.time = Some(Time {
        year: 2026,
        month: 11,
        day: 23,
        hour: 23,
        minute: 59,
        second: 60,
    });
    if !format.is_indexed() && !format.has_alpha() {
        metadata.transparent = Some(if format.channels() == 1 {
            [1; 3]
        } else {
            [9, 8, 7]
        });
    }
    let mut last = Chunk::new(*b"prVt", []);
    last.after_image_data = true;
    metadata.chunks = vec![Chunk::new(*b"prVt", [1, 2, 3]), last];
    metadata
}

const FORMATS: [PixelFormat; 14] = {
    use PixelFormat as F;
    [
        F::GRAY1,
        F::GRAY2,
        F::GRAY4,
        F::GRAY8,
        F::GRAY16,
        F::GRAY_ALPHA8,
        F::GRAY_ALPHA16,
        F::RGB8,
        F::RGB16,
        F::RGBA8,
        F::RGBA16,
        F::INDEXED2,
        F::INDEXED8,
        F::RGB565,
    ]
};

#[test]
fn round_trip() {
    for format in FORMATS {
        let metadata = full(format);
        let png = save(&metadata, format).unwrap();
        assert_eq!(read(&png).unwrap(), metadata, "{format}");
        common::decode_zune(&png);
        // Before the pixels are read, the chunks before them are known.
        let reader = PngDecoder::new().open_bytes(&png).unwrap();
        let mut early = metadata.clone();
        early.chunks.truncate(1);
        assert_eq!(reader.metadata().unwrap(), early);
        // Read and saved again.
        let mut reader = PngDecoder::new().open_bytes(&png).unwrap();
        let again = match metadata.transparent {
            // `read` makes the transparent color alpha.
            Some(_) => reader.read_as(format),
            None => reader.read(),
        };
        let again = again.unwrap();
        let mut encoder = PngEncoder::new().metadata(reader.metadata().unwrap());
        if again.format().is_indexed() || format != PixelFormat::RGB565 {
            assert!(encoder.to_png(&again).unwrap() == png, "{format}");
        }
        // Empty metadata writes no chunk.
        let plain = save(&Metadata::default(), format).unwrap();
        assert_eq!(read(&plain).unwrap(), Metadata::default());
    }
}

/// The order of PNG third edition, 5.6.
#[test]
fn order() {
    let png = save(&full(PixelFormat::INDEXED8), PixelFormat::INDEXED8).unwrap();
    let names: Vec<String> = chunks(&png).into_iter().map(|(name, _)| name).collect();
    let at = |name: &str| names.iter().position(|n| n == name).unwrap();
    assert_eq!(names[0], "IHDR");
    assert_eq!(names.last().unwrap(), "IEND");
    for name in ["cHRM", "gAMA", "iCCP", "sBIT", "cICP", "mDCV", "cLLI"] {
        assert!(at(name) < at("PLTE"), "{name}");
    }
    for name in ["tRNS", "bKGD"] {
        assert!(at("PLTE") < at(name) && at(name) < at("IDAT"), "{name}");
    }
    for name in ["pHYs", "eXIf"] {
        assert!(at(name) < at("IDAT"), "{name}");
    }
    assert!(at("prVt") < at("IDAT"));
    assert_eq!(names[names.len() - 2], "prVt");
}

/// Each chunk has the bytes that the specification gives.
#[test]
fn bytes() {
    let metadata = full(PixelFormat::RGB8);
    let png = save(&metadata, PixelFormat::RGB8).unwrap();
    assert_eq!(chunk(&png, "pHYs"), [0, 0, 0x2e, 0x23, 0, 0, 0x17, 0x12, 1]);
    assert_eq!(chunk(&png, "gAMA"), [0, 0, 0xb1, 0x8f]);
    let chrm: Vec<u8> = [31270u32, 32900, 64000, 33000, 30000, 60000, 15000, 6000]
        .iter()
        .flat_map(|n| n.to_be_bytes())
        .collect();
    assert_eq!(chunk(&png, "cHRM"), chrm);
    assert_eq!(chunk(&png, "cICP"), [9, 16, 0, 1]);
    let mdcv: Vec<u8> = [35400u16, 14600, 8500, 39850, 6550, 2300, 15635, 16450]
        .iter()
        .flat_map(|n| n.to_be_bytes())
        .chain([0, 0x98, 0x96, 0x80, 0, 0, 0, 1])
        .collect();
    assert_eq!(chunk(&png, "mDCV"), mdcv);
    assert_eq!(chunk(&png, "cLLI"), [0, 0x3d, 0x09, 0, 0, 0x0f, 0x42, 0x40]);
    assert_eq!(chunk(&png, "eXIf"), metadata.exif.clone().unwrap());
    assert_eq!(chunk(&png, "sBIT"), [8, 7, 6]);
    assert_eq!(chunk(&png, "bKGD"), [0, 1, 0, 200, 0, 3]);
    assert_eq!(chunk(&png, "tRNS"), [0, 9, 0, 8, 0, 7]);
    assert_eq!(chunk(&png, "tIME"), [0x07, 0xea, 11, 23, 23, 59, 60]);
    let iccp = chunk(&png, "iCCP");
    assert_eq!(iccp[..11], *b"a profile\0\0");
    let inflate = miniz_oxide::inflate::decompress_to_vec_zlib;
    assert_eq!(inflate(&iccp[11..]).unwrap(), common::noise(3000, 1));

    let mut metadata = Metadata::default();
    metadata.srgb = Some(RenderingIntent::Saturation);
    let png = save(&metadata, PixelFormat::RGB8).unwrap();
    assert_eq!(chunk(&png, "sRGB"), [2]);
    assert_eq!(read(&png).unwrap(), metadata);
    let proportions = Density::unitless(1, 2);
    metadata.density = Some(proportions);
    let png = save(&metadata, PixelFormat::RGB8).unwrap();
    assert_eq!(chunk(&png, "pHYs"), [0, 0, 0, 1, 0, 0, 0, 2, 0]);
    assert_eq!(read(&png).unwrap(), metadata);
    assert_eq!(proportions.dpi(), None);
    assert_eq!(Density::from_dpi(300.0).x, 11811);
    assert_eq!(Density::from_dpi(96.0).x, 3780);
    let (x, y) = Density::from_dpi(72.0).dpi().unwrap();
    assert!((x - 72.0).abs() < 0.02 && (y - 72.0).abs() < 0.02);
}

/// Each text is in the smallest chunk that can hold it.
#[test]
fn texts() {
    let texts = full(PixelFormat::RGB8).text;
    let mut metadata = Metadata::default();
    metadata.text = texts.clone();
    let png = save(&metadata, PixelFormat::RGB8).unwrap();
    let found: Vec<(String, Vec<u8>)> = chunks(&png)
        .into_iter()
        .filter(|(name, _)| name.ends_with("Xt"))
        .collect();
    let names: Vec<&str> = found.iter().map(|(name, _)| &name[..]).collect();
    assert_eq!(names, ["tEXt", "zTXt", "iTXt", "iTXt", "tEXt"]);
    assert_eq!(found[0].1, b"Title\0Stra\xdfe, at noon");
    assert_eq!(found[1].1[..9], *b"Comment\0\0");
    let inflate = miniz_oxide::inflate::decompress_to_vec_zlib;
    assert_eq!(inflate(&found[1].1[9..]).unwrap(), texts[1].text.as_bytes());
    let third = "Author\0\0\0zh-Hans\0作者\0作者 ✓";
    assert_eq!(found[2].1, third.as_bytes());
    assert_eq!(found[3].1[..16], *b"Description\0\x01\0\0\0");
    assert_eq!(
        inflate(&found[3].1[16..]).unwrap(),
        texts[3].text.as_bytes()
    );
    assert_eq!(found[4].1, b"Comment\0");
}

/// Returns the error of a save with a field that breaks a rule.
fn refused(change: impl Fn(&mut Metadata), format: PixelFormat) -> String {
    let mut metadata = Metadata::default();
    change(&mut metadata);
    let folder = common::folder();
    let path = folder.path().join("old.png");
    std::fs::write(&path, "old").unwrap();
    let mut encoder = PngEncoder::new().metadata(metadata);
    let error = encoder.save(&image(format), &path).unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::Metadata { .. }),
        "{error}"
    );
    assert_eq!(error.path(), Some(&*path));
    // The file and its folder are unchanged.
    assert_eq!(std::fs::read(&path).unwrap(), b"old");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    encoder.to_png(&image(format)).unwrap_err().to_string()
}

#[test]
fn invalid_fields() {
    use PixelFormat as F;
    let keyword = |keyword: &str| refused(|m| m.text.push(Text::new(keyword, "x")), F::RGB8);
    assert_eq!(
        keyword(""),
        "chunk tEXt: keyword must be 1 to 79 bytes, not 0"
    );
    assert_eq!(
        keyword(&"x".repeat(80)),
        "chunk tEXt: keyword must be 1 to 79 bytes, not more"
    );
    let spaces = "chunk tEXt: keyword must have no space at its ends and no two spaces in a row";
    assert_eq!(keyword(" a"), spaces);
    assert_eq!(keyword("a "), spaces);
    assert_eq!(keyword("a  b"), spaces);
    let unprintable = "chunk tEXt: keyword contains a non-printable character";
    assert_eq!(keyword("a\nb"), unprintable);
    assert_eq!(keyword("a\u{a0}b"), unprintable);
    assert_eq!(keyword("a\0b"), unprintable);
    assert_eq!(
        keyword("作者"),
        "chunk tEXt: keyword must be Latin-1: use translated_keyword for other characters"
    );
    assert_eq!(
        refused(|m| m.text.push(Text::new("a", "b\0c")), F::RGB8),
        "chunk tEXt: text and translated keyword must not contain NUL"
    );
    let language = |m: &mut Metadata| {
        let mut text = Text::new("a", "b");
        text.language = "en_GB".into();
        m.text.push(text);
    };
    assert_eq!(
        refused(language, F::RGB8),
        "chunk iTXt: language must contain only ASCII letters, digits and hyphens"
    );
    let both = |m: &mut Metadata| {
        m.srgb = Some(RenderingIntent::Perceptual);
        m.icc = full(F::RGB8).icc;
    };
    assert_eq!(
        refused(both, F::RGB8),
        "chunk iCCP: icc and srgb exclude each other: set one of them to None"
    );
    assert_eq!(
        refused(|m| m.gamma = Some(0), F::RGB8),
        "chunk gAMA: gamma must be at least 1, not 0"
    );
    assert_eq!(
        refused(|m| m.gamma = Some(1 << 31), F::RGB8),
        "chunk gAMA: number must be at most 2^31-1"
    );
    assert_eq!(
        refused(|m| m.exif = Some(b"Exif\0\0".to_vec()), F::RGB8),
        "chunk eXIf: Exif data must begin with II*\\0 or MM\\0*"
    );
    let bits =
        |bits: &'static [u8]| move |m: &mut Metadata| m.significant_bits = Some(bits.to_vec());
    let count =
        "chunk sBIT: significant bits must have one number per channel, three for an indexed file";
    assert_eq!(refused(bits(&[8]), F::RGB8), count);
    assert_eq!(refused(bits(&[8]), F::INDEXED8), count);
    let range =
        "chunk sBIT: significant bits must be from 1 to the bit depth, 8 for an indexed file";
    assert_eq!(refused(bits(&[8, 0, 8]), F::RGB8), range);
    assert_eq!(refused(bits(&[9, 8, 8]), F::RGB8), range);
    assert_eq!(refused(bits(&[3]), F::GRAY2), range);
    let kind = "chunk bKGD: background must match the color type of the file: Gray, Rgb or Index";
    assert_eq!(
        refused(|m| m.background = Some(Background::Gray(1)), F::RGB8),
        kind
    );
    assert_eq!(
        refused(|m| m.background = Some(Background::Index(1)), F::RGB8),
        kind
    );
    assert_eq!(
        refused(|m| m.background = Some(Background::Index(3)), F::INDEXED8),
        "chunk bKGD: background index is beyond the palette"
    );
    let large = "sample does not fit the bit depth of the file";
    assert_eq!(
        refused(
            |m| m.background = Some(Background::Rgb([0, 256, 0])),
            F::RGB8
        ),
        format!("chunk bKGD: {large}")
    );
    assert_eq!(
        refused(|m| m.transparent = Some([4; 3]), F::GRAY2),
        format!("chunk tRNS: {large}")
    );
    assert_eq!(
        refused(|m| m.transparent = Some([1, 1, 2]), F::GRAY2),
        "chunk tRNS: transparent color of a gray file must have three equal samples"
    );
    assert_eq!(
        refused(|m| m.transparent = Some([0; 3]), F::INDEXED8),
        "chunk tRNS: an indexed file has its transparency in the palette"
    );
    let time = |[month, day, hour, minute, second]: [u8; 5]| {
        let time = Time {
            year: 2026,
            month,
            day,
            hour,
            minute,
            second,
        };
        refused(|m| m.time = Some(time), F::RGB8)
    };
    let month = "chunk tIME: month must be from 1 to 12";
    assert_eq!(time([0, 1, 0, 0, 0]), month);
    assert_eq!(time([13, 1, 0, 0, 0]), month);
    let day = "chunk tIME: day must be from 1 to 31";
    assert_eq!(time([1, 0, 0, 0, 0]), day);
    assert_eq!(time([1, 32, 0, 0, 0]), day);
    let clock = "chunk tIME: time must be from 00:00:00 to 23:59:60";
    for late in [[1, 1, 24, 0, 0], [1, 1, 0, 60, 0], [1, 1, 0, 0, 61]] {
        assert_eq!(time(late), clock);
    }
    let name = |name: &[u8; 4]| refused(|m| m.chunks.push(Chunk::new(*name, [])), F::RGB8);
    assert_eq!(
        name(b"ab1d"),
        "chunk ab1d: chunk name must be four ASCII letters"
    );
    assert_eq!(
        name(b"abcd"),
        "chunk abcd: third letter of the name must be uppercase"
    );
    let critical = "first letter of the name must be lowercase: critical chunks cannot be added";
    assert_eq!(name(b"ABCD"), format!("chunk ABCD: {critical}"));
    assert_eq!(name(b"IEND"), format!("chunk IEND: {critical}"));
    for reserved in [b"tEXt", b"tRNS", b"gAMA", b"fdAT"] {
        let reserved_name = String::from_utf8_lossy(reserved).into_owned();
        assert_eq!(
            name(reserved),
            format!("chunk {reserved_name}: chunk name is reserved: use the field of Metadata")
        );
    }
}
