//! Metadata of files that break rules: a chunk that breaks a rule is corrected or
//! left out, is listed, and affects no other chunk.

use pixview::metadata::{Background, Density};
use pixview::{Image, Metadata, Palette, PixelFormat, PngDecoder, PngEncoder};

fn image(format: PixelFormat) -> Image<Vec<u8>> {
    let image = Image::new(6, 5, format).unwrap();
    if format.is_indexed() {
        let palette = Palette::from_rgba(&[[1, 2, 3, 255], [4, 5, 6, 255], [8, 9, 10, 255]]);
        return image.with_palette(palette.unwrap()).unwrap();
    }
    image
}

fn chunk(name: [u8; 4], data: &[u8]) -> Vec<u8> {
    let mut chunk = (data.len() as u32).to_be_bytes().to_vec();
    chunk.extend(name);
    chunk.extend(data);
    let mut crc = !0u32;
    for byte in &chunk[4..] {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg());
        }
    }
    chunk.extend((!crc).to_be_bytes());
    chunk
}

/// Inserts chunks before the first chunk of this name.
fn insert(png: &[u8], before: [u8; 4], chunks: &[u8]) -> Vec<u8> {
    let at = png.windows(4).position(|w| w == before).unwrap() - 4;
    [&png[..at], chunks, &png[at..]].concat()
}

fn read(png: &[u8]) -> Metadata {
    let mut reader = PngDecoder::new().from_bytes(png).unwrap();
    reader.read().unwrap();
    reader.metadata().unwrap()
}

fn zlib(data: &[u8]) -> Vec<u8> {
    miniz_oxide::deflate::compress_to_vec_zlib(data, 6)
}

const DENSITY: Density = Density::per_meter(11811, 5906);

/// A chunk, and the metadata and the fault that it gives.
struct Case {
    format: PixelFormat,
    name: &'static [u8; 4],
    data: Vec<u8>,
    /// Checks the field that the chunk fills, or that it was left out.
    found: fn(&Metadata) -> bool,
    /// The reason of the fault, empty if there is none.
    reason: &'static str,
}

fn nothing(metadata: &Metadata) -> bool {
    let mut rest = metadata.clone();
    rest.faults.clear();
    rest.density = None;
    rest == Metadata::default()
}

fn cases() -> Vec<Case> {
    const RGB: PixelFormat = PixelFormat::RGB8;
    let mut cases = Vec::new();
    let mut add = |format, name, data: &[u8], found, reason| {
        cases.push(Case {
            format,
            name,
            data: data.to_vec(),
            found,
            reason,
        });
    };
    let damaged = "compressed data is damaged";
    let early = "chunk ends too early: NUL is missing";
    let empty = "keyword must be 1 to 79 bytes, not 0";
    let too_long = "keyword must be 1 to 79 bytes, not more";
    let keyword = "keyword has invalid spaces or characters: corrected";
    let nul = "text contains NUL: truncated there";
    let method = "compression method must be 0";
    let flag = "compression flag must be 0 or 1, compression method 0";
    let cut = |data: &[u8]| {
        let stream = zlib(data);
        [b"k\0\0", &stream[..stream.len() - 5]].concat()
    };
    let mut wrong_sum = [b"k\0\0", &zlib(&[7; 1000])[..]].concat();
    *wrong_sum.last_mut().unwrap() ^= 1;

    // Text.
    macro_rules! text {
        ($keyword:expr, $text:expr) => {
            |m: &Metadata| {
                m.text.len() == 1 && m.text[0].keyword == $keyword && m.text[0].text == $text
            }
        };
    }
    add(RGB, b"tEXt", b"", nothing, empty);
    add(RGB, b"tEXt", b"\0text", nothing, empty);
    add(RGB, b"tEXt", b"  \0text", nothing, empty);
    add(
        RGB,
        b"tEXt",
        &[&[b'k'; 80][..], b"\0x"].concat(),
        nothing,
        too_long,
    );
    add(RGB, b"tEXt", b" leading\0x", text!("leading", "x"), keyword);
    add(
        RGB,
        b"tEXt",
        b"trailing \0x",
        text!("trailing", "x"),
        keyword,
    );
    add(
        RGB,
        b"tEXt",
        b"two  spaces\0x",
        text!("two spaces", "x"),
        keyword,
    );
    add(RGB, b"tEXt", b"a\nline\0x", text!("a line", "x"), keyword);
    add(RGB, b"tEXt", b"spam\0egg", text!("spam", "egg"), "");
    add(RGB, b"tEXt", b"spam\0egg\0", text!("spam", "egg"), nul);
    add(RGB, b"tEXt", b"spam\0egg\0bacon", text!("spam", "egg"), nul);
    add(
        RGB,
        b"tEXt",
        b"no end",
        text!("no end", ""),
        "keyword has no NUL behind it: text is empty",
    );
    add(RGB, b"zTXt", b"k", nothing, early);
    add(RGB, b"zTXt", b"k\0", nothing, method);
    add(RGB, b"zTXt", b"k\0\x01", nothing, method);
    add(RGB, b"zTXt", b"k\0\0not compressed", nothing, damaged);
    add(RGB, b"zTXt", b"k\0\0", nothing, damaged);
    add(RGB, b"zTXt", &cut(b"a text"), nothing, damaged);
    add(
        RGB,
        b"zTXt",
        &[b"k\0\0", &zlib(b"caf\xe9\0bar")[..]].concat(),
        text!("k", "café"),
        nul,
    );
    add(RGB, b"iTXt", b"k\0\0\0en\0", nothing, early);
    add(RGB, b"iTXt", b"k\0\x02\0en\0\0x", nothing, flag);
    add(RGB, b"iTXt", b"k\0\x01\x01en\0\0x", nothing, flag);
    add(RGB, b"iTXt", b"k\0\0\x07\0\0x", text!("k", "x"), "");
    add(
        RGB,
        b"iTXt",
        b"k\0\0\0\0\0\xff",
        nothing,
        "text is not valid UTF-8",
    );
    add(RGB, b"iTXt", b"k\0\0\0\0\0x\0", text!("k", "x"), nul);
    add(
        RGB,
        b"iTXt",
        b"k\0\0\0en_GB\0\0x",
        |m| m.text[0].language == "en-GB" && m.text[0].text == "x",
        "language has invalid characters: replaced by hyphens",
    );
    add(
        RGB,
        b"iTXt",
        &[b"k\0\x01\0\0\0", &zlib(b"a text")[..7]].concat(),
        nothing,
        damaged,
    );

    // Colors.
    add(RGB, b"iCCP", &cut(&[7; 1000]), nothing, damaged);
    add(RGB, b"iCCP", &wrong_sum, nothing, damaged);
    add(RGB, b"iCCP", b"no end", nothing, early);
    add(RGB, b"iCCP", b"k\0\x01", nothing, method);
    add(
        RGB,
        b"iCCP",
        &[b"a name \0\0", &zlib(&[7; 1000])[..]].concat(),
        |m| {
            m.icc
                .as_ref()
                .is_some_and(|icc| icc.name == "a name" && icc.data == [7; 1000])
        },
        keyword,
    );
    add(
        RGB,
        b"gAMA",
        &[0; 4],
        nothing,
        "gamma must be at least 1, not 0",
    );
    add(
        RGB,
        b"gAMA",
        &[128, 0, 0, 0],
        nothing,
        "number must be at most 2^31-1",
    );
    add(
        RGB,
        b"gAMA",
        &[0, 0, 1],
        nothing,
        "chunk must have 4 bytes of data",
    );
    add(
        RGB,
        b"cHRM",
        &[0; 31],
        nothing,
        "chunk must have 32 bytes of data",
    );
    add(
        RGB,
        b"sRGB",
        &[4],
        nothing,
        "rendering intent must be from 0 to 3",
    );
    add(RGB, b"sRGB", &[], nothing, "chunk must have 1 byte of data");
    add(
        RGB,
        b"cICP",
        &[1, 13, 0],
        nothing,
        "chunk must have 4 bytes of data",
    );
    add(
        RGB,
        b"cICP",
        &[1, 13, 0, 2],
        nothing,
        "full range flag must be 0 or 1",
    );
    add(
        RGB,
        b"cICP",
        &[1, 13, 1, 1],
        nothing,
        "matrix coefficients must be 0",
    );
    add(
        RGB,
        b"mDCV",
        &[0; 23],
        nothing,
        "chunk must have 24 bytes of data",
    );
    add(
        RGB,
        b"cLLI",
        &[0; 9],
        nothing,
        "chunk must have 8 bytes of data",
    );

    // The image.
    let twice = "chunk is a duplicate: the first one is used";
    add(RGB, b"pHYs", &[0, 0, 0, 1, 0, 0, 0, 1, 1], nothing, twice);
    add(RGB, b"tIME", &[0; 7], nothing, "month must be from 1 to 12");
    add(
        RGB,
        b"tIME",
        &[0; 6],
        nothing,
        "chunk must have 7 bytes of data",
    );
    let exif = |m: &Metadata| m.exif.as_deref() == Some(b"II*\0\x08\0\0\0");
    add(
        RGB,
        b"eXIf",
        b"Exif\0\0II*\0\x08\0\0\0",
        exif,
        "Exif data begins with the prefix of JPEG files: prefix removed",
    );
    add(RGB, b"eXIf", b"II*\0\x08\0\0\0", exif, "");
    let order = "Exif data must begin with II*\\0 or MM\\0*";
    add(RGB, b"eXIf", b"", nothing, order);
    add(RGB, b"eXIf", b"Exif\0\0", nothing, order);
    let count = "significant bits must have one number per channel, three for an indexed file";
    let range = "significant bits must be from 1 to the bit depth, 8 for an indexed file";
    add(RGB, b"sBIT", &[8, 8], nothing, count);
    add(RGB, b"sBIT", &[8, 0, 8], nothing, range);
    add(PixelFormat::GRAY4, b"sBIT", &[5], nothing, range);
    let large = "sample does not fit the bit depth of the file";
    add(
        RGB,
        b"bKGD",
        &[0, 0],
        nothing,
        "chunk must have 6 bytes of data",
    );
    add(RGB, b"bKGD", &[1, 0, 0, 0, 0, 0], nothing, large);
    add(
        PixelFormat::INDEXED8,
        b"bKGD",
        &[3],
        nothing,
        "background index is beyond the palette",
    );
    add(
        PixelFormat::INDEXED8,
        b"bKGD",
        &[2],
        |m| m.background == Some(Background::Index(2)),
        "",
    );
    add(
        PixelFormat::GRAY4,
        b"tRNS",
        &[0xab, 0xcd],
        |m| m.transparent == Some([13; 3]),
        "sample does not fit the bit depth of the file: high bits ignored",
    );
    add(
        PixelFormat::GRAY4,
        b"tRNS",
        &[1],
        nothing,
        "chunk must have 2 bytes of data",
    );
    add(
        PixelFormat::RGBA8,
        b"tRNS",
        &[0; 6],
        nothing,
        "file with an alpha channel must not have tRNS",
    );
    add(
        PixelFormat::INDEXED8,
        b"tRNS",
        &[255; 4],
        nothing,
        "chunk has more entries than the palette: extra entries ignored",
    );
    let case = "third letter of the name must be uppercase";
    add(RGB, b"prvt", b"data", nothing, case);
    cases
}

/// The valid chunks before and behind a faulty chunk are read.
#[test]
fn each_costs_only_itself() {
    for Case {
        format,
        name,
        data,
        found,
        reason,
    } in cases()
    {
        let png = image(format).to_png().unwrap();
        let phys = chunk(*b"pHYs", &[0, 0, 0x2e, 0x23, 0, 0, 0x17, 0x12, 1]);
        let bytes = [&phys[..], &chunk(*name, &data), &chunk(*b"prVt", b"last")].concat();
        let png = insert(&png, *b"IDAT", &bytes);
        let offset = png.windows(4).position(|w| w == b"pHYs").unwrap() - 4 + phys.len();
        let what = format!("{} {}", name.escape_ascii(), data.escape_ascii());

        let mut metadata = read(&png);
        assert_eq!(metadata.density, Some(DENSITY), "{what}");
        let last = metadata.chunks.pop().unwrap_or_else(|| panic!("{what}"));
        assert_eq!(last.data, b"last", "{what}");
        assert!(found(&metadata), "{what}: {metadata:?}");
        let faults: Vec<_> = metadata.faults.iter().map(ToString::to_string).collect();
        let expected = format!("chunk {} at byte {offset}: {reason}", name.escape_ascii());
        let expected = Vec::from_iter((!reason.is_empty()).then_some(expected));
        assert_eq!(faults, expected, "{what}");

        // A strict reader returns the fault as an error.
        let mut strict = PngDecoder::new().strict(true).from_bytes(&png).unwrap();
        strict.read().unwrap();
        match strict.metadata() {
            Ok(strict) => assert_eq!((strict, reason), (read(&png), ""), "{what}"),
            Err(error) => assert_eq!(
                error.to_string(),
                format!("could not decode the PNG: {}", expected[0]),
            ),
        }

        // Metadata that was read can be written, and the file has no faults.
        let again = PngEncoder::new()
            .metadata(metadata.clone())
            .to_png(&image(format));
        let again = read(&again.unwrap_or_else(|error| panic!("{what}: {error:#}")));
        metadata.faults.clear();
        assert_eq!(again, metadata, "{what}");
    }
}

/// Of chunks that may occur once, the first valid one is used.
#[test]
fn the_first_sound_one_holds() {
    let png = image(PixelFormat::RGB8).to_png().unwrap();
    let gamma = |gamma: u32| chunk(*b"gAMA", &gamma.to_be_bytes());
    let bytes = [gamma(0), gamma(45455), gamma(100_000)].concat();
    let metadata = read(&insert(&png, *b"IDAT", &bytes));
    assert_eq!(metadata.gamma, Some(45455));
    let offsets: Vec<u64> = metadata.faults.iter().map(|fault| fault.offset).collect();
    assert_eq!(offsets, [33, 33 + 32]);
    assert!(metadata.faults.iter().all(|fault| fault.name == *b"gAMA"));

    let profile = chunk(*b"iCCP", &[b"p\0\0", &zlib(&[7; 1000])[..]].concat());
    let srgb = chunk(*b"sRGB", &[0]);
    let first = read(&insert(&png, *b"IDAT", &[&profile[..], &srgb].concat()));
    assert!(first.icc.is_some() && first.srgb.is_none());
    let second = read(&insert(&png, *b"IDAT", &[&srgb[..], &profile].concat()));
    assert!(second.icc.is_none() && second.srgb.is_some());
    assert_eq!((first.faults.len(), second.faults.len()), (1, 1));
}

/// Chunks behind the image data that must come before it are left out.
#[test]
fn the_wrong_place() {
    let png = image(PixelFormat::RGB8).to_png().unwrap();
    let bytes = [
        chunk(*b"gAMA", &45455u32.to_be_bytes()),
        chunk(*b"tEXt", b"k\0text"),
        chunk(*b"tIME", &[7, 234, 1, 2, 3, 4, 5]),
        chunk(*b"prVt", b"data"),
    ];
    let metadata = read(&insert(&png, *b"IEND", &bytes.concat()));
    assert_eq!(metadata.gamma, None);
    assert!(metadata.time.is_some());
    assert_eq!((metadata.text.len(), metadata.chunks.len()), (1, 1));
    assert_eq!(metadata.faults.len(), 1);
    assert_eq!(
        metadata.faults[0].reason,
        "chunk must come before the image data (5.6)"
    );
}

/// Metadata over the memory limit is left out, and the rest is read.
#[test]
fn over_the_limit() {
    let png = image(PixelFormat::RGB8).to_png().unwrap();
    let bomb = [b"p\0\0", &zlib(&vec![b' '; (1 << 26) + 1])[..]].concat();
    let text = |name: [u8; 4], data: &[u8]| chunk(name, &[b"k\0\0", &zlib(data)[..]].concat());
    let bytes = [
        chunk(*b"iCCP", &bomb),
        text(*b"zTXt", b"one"),
        chunk(*b"zTXt", &bomb),
        text(*b"zTXt", b"two"),
    ];
    let png = insert(&png, *b"IDAT", &bytes.concat());
    let metadata = read(&png);
    let texts: Vec<_> = metadata.text.iter().map(|text| &text.text[..]).collect();
    assert_eq!(texts, ["one", "two"]);
    let names: Vec<_> = metadata.faults.iter().map(|fault| fault.name).collect();
    assert_eq!(names, [*b"iCCP", *b"zTXt"]);
    let over = "chunk exceeds the memory limit: see PngDecoder::max_bytes";
    assert!(metadata.faults.iter().all(|fault| fault.reason == over));

    // The limit of the read holds too.
    let png = image(PixelFormat::RGB8).to_png().unwrap();
    let png = insert(&png, *b"IDAT", &text(*b"zTXt", &vec![b'x'; 1 << 20]));
    for (limit, found) in [(1 << 20, 0), (2 << 20, 1)] {
        let reader = PngDecoder::new().max_bytes(limit).from_bytes(&png).unwrap();
        let metadata = reader.metadata().unwrap();
        assert_eq!(metadata.text.len(), found);
        assert_eq!(metadata.faults.len(), 1 - found);
    }
}

/// Unknown chunks are kept unchanged, up to a limit of bytes.
#[test]
fn unknown_chunks() {
    let png = image(PixelFormat::RGB8).to_png().unwrap();
    let png = insert(&png, *b"IDAT", &chunk(*b"spAL", b"x"));
    assert_eq!(read(&png).chunks[0].data, b"x");
    let long = chunk(*b"prVt", &vec![0; 1 << 26]);
    let metadata = read(&insert(&png, *b"IDAT", &long));
    assert_eq!((metadata.chunks.len(), metadata.faults.len()), (1, 1));
    assert_eq!(metadata.faults[0].name, *b"prVt");
}
