//! What a file says beside its pixels: the bytes of every chunk by the
//! specification, their order, there and back, and what is refused.

mod common;

use pixview::metadata::{
    Background, Chromaticities, Chunk, Cicp, Density, IccProfile, LightLevel, MasteringDisplay,
    RenderingIntent, Text, Time,
};
use pixview::{Error, ErrorKind, Image, Metadata, Palette, PixelFormat, PngDecoder, PngEncoder};

/// Name and data of each chunk.
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

/// Something in every field.
fn full(format: PixelFormat) -> Metadata {
    let mut metadata = Metadata::default();
    metadata.text = vec![
        Text::new("Title", "Straße, at noon"),
        Text::new("Comment", "a long one, again and again. ".repeat(40)),
        Text {
            keyword: "Author".into(),
            text: "作者 ✓".into(),
            language: "zh-Hans".into(),
            translated: "作者".into(),
        },
        Text::new("Description", "Δ again and again, ".repeat(50)),
        Text::new("Comment", ""),
    ];
    metadata.density = Some(Density {
        x: 11811,
        y: 5906,
        per_metre: true,
    });
    metadata.gamma = Some(45455);
    metadata.chromaticities = Some(Chromaticities::SRGB);
    metadata.icc = Some(IccProfile {
        name: "a profile".into(),
        data: common::noise(3000, 1),
    });
    metadata.cicp = Some(Cicp {
        primaries: 9,
        transfer: 16,
        full_range: true,
    });
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
    metadata.chunks = vec![
        Chunk {
            name: *b"prVt",
            data: vec![1, 2, 3],
            after: false,
        },
        Chunk {
            name: *b"prVt",
            data: Vec::new(),
            after: true,
        },
    ];
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
fn there_and_back() {
    for format in FORMATS {
        let metadata = full(format);
        let png = save(&metadata, format).unwrap();
        assert_eq!(read(&png).unwrap(), metadata, "{format}");
        common::decode_zune(&png);
        // Before the pixels are read, what comes before them is known.
        let reader = PngDecoder::new().open_bytes(&png).unwrap();
        let mut early = metadata.clone();
        early.chunks.truncate(1);
        assert_eq!(reader.metadata().unwrap(), early);
        // Read and saved again.
        let mut reader = PngDecoder::new().open_bytes(&png).unwrap();
        let again = reader.read().unwrap();
        let mut encoder = PngEncoder::new().metadata(reader.metadata().unwrap());
        if again.format().is_indexed() || format != PixelFormat::RGB565 {
            assert!(encoder.to_png(&again).unwrap() == png, "{format}");
        }
        // Nothing said is nothing written.
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

/// The bytes of each chunk, written down from the specification.
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
    assert_eq!(Density::from_dpi(300.0).x, 11811);
    assert_eq!(Density::from_dpi(96.0).x, 3780);
    let (x, y) = Density::from_dpi(72.0).dpi().unwrap();
    assert!((x - 72.0).abs() < 0.02 && (y - 72.0).abs() < 0.02);
}

/// Each text in the chunk that holds it best.
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
    // Nothing was touched.
    assert_eq!(std::fs::read(&path).unwrap(), b"old");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    encoder.to_png(&image(format)).unwrap_err().to_string()
}

#[test]
fn what_cannot_be_said() {
    use PixelFormat as F;
    let keyword = |keyword: &str| refused(|m| m.text.push(Text::new(keyword, "x")), F::RGB8);
    assert_eq!(keyword(""), "chunk tEXt: a keyword has 1 to 79 characters");
    assert_eq!(
        keyword(&"x".repeat(80)),
        "chunk tEXt: a keyword has 1 to 79 characters"
    );
    let spaces = "chunk tEXt: a keyword has single spaces, and none at its ends";
    assert_eq!(keyword(" a"), spaces);
    assert_eq!(keyword("a "), spaces);
    assert_eq!(keyword("a  b"), spaces);
    let seen = "chunk tEXt: keyword contains a non-printable character";
    assert_eq!(keyword("a\nb"), seen);
    assert_eq!(keyword("a\u{a0}b"), seen);
    assert_eq!(keyword("a\0b"), seen);
    assert_eq!(
        keyword("作者"),
        "chunk tEXt: a keyword has no characters beyond Latin-1"
    );
    assert_eq!(
        refused(|m| m.text.push(Text::new("a", "b\0c")), F::RGB8),
        "chunk tEXt: text has no NUL"
    );
    let language = |m: &mut Metadata| {
        let mut text = Text::new("a", "b");
        text.language = "en_GB".into();
        m.text.push(text);
    };
    assert_eq!(
        refused(language, F::RGB8),
        "chunk iTXt: a language has letters, digits and hyphens"
    );
    let both = |m: &mut Metadata| {
        m.srgb = Some(RenderingIntent::Perceptual);
        m.icc = full(F::RGB8).icc;
    };
    assert_eq!(
        refused(both, F::RGB8),
        "chunk iCCP: a profile and sRGB exclude one another"
    );
    assert_eq!(
        refused(|m| m.gamma = Some(0), F::RGB8),
        "chunk gAMA: an exponent of 0 means nothing"
    );
    assert_eq!(
        refused(|m| m.gamma = Some(1 << 31), F::RGB8),
        "chunk gAMA: numbers are at most 2^31-1"
    );
    assert_eq!(
        refused(|m| m.exif = Some(b"Exif\0\0".to_vec()), F::RGB8),
        "chunk eXIf: Exif data begins with the order of its bytes, and 42"
    );
    let bits =
        |bits: &'static [u8]| move |m: &mut Metadata| m.significant_bits = Some(bits.to_vec());
    let count = "chunk sBIT: as many numbers as channels are needed, three for a palette";
    assert_eq!(refused(bits(&[8]), F::RGB8), count);
    assert_eq!(refused(bits(&[8]), F::INDEXED8), count);
    let range = "chunk sBIT: samples have from one bit to as many as the file has";
    assert_eq!(refused(bits(&[8, 0, 8]), F::RGB8), range);
    assert_eq!(refused(bits(&[9, 8, 8]), F::RGB8), range);
    assert_eq!(refused(bits(&[3]), F::GRAY2), range);
    let kind = "chunk bKGD: a background is gray, RGB or an index as the pixels are";
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
        "chunk bKGD: the palette has no such color"
    );
    let large = "a sample is larger than those of the file";
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
        "chunk tRNS: a gray file has one transparent gray: three times the same"
    );
    assert_eq!(
        refused(|m| m.transparent = Some([0; 3]), F::INDEXED8),
        "chunk tRNS: an indexed file has its transparency in the palette"
    );
    let time = |m: &mut Metadata| {
        m.time = Some(Time {
            year: 2026,
            month: 13,
            day: 1,
            hour: 0,
            minute: 0,
            second: 0,
        });
    };
    assert_eq!(refused(time, F::RGB8), "chunk tIME: there is no such time");
    let name = |name: &'static [u8; 4]| {
        refused(
            |m| {
                m.chunks.push(Chunk {
                    name: *name,
                    data: Vec::new(),
                    after: false,
                });
            },
            F::RGB8,
        )
    };
    assert_eq!(name(b"ab1d"), "chunk ab1d: a name has four letters");
    assert_eq!(
        name(b"abcd"),
        "chunk abcd: the third letter of a name must be upper case"
    );
    let critical = "critical chunks can't be added: the first letter must be lower case";
    assert_eq!(name(b"ABCD"), format!("chunk ABCD: {critical}"));
    assert_eq!(name(b"IEND"), format!("chunk IEND: {critical}"));
    for known in [b"tEXt", b"tRNS", b"gAMA", b"fdAT"] {
        let known_name = String::from_utf8_lossy(known).into_owned();
        assert_eq!(
            name(known),
            format!(
                "chunk {known_name}: chunks of this name can't be added: use the field of Metadata"
            )
        );
    }
}
