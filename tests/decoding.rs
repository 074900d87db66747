//! Reading files that another encoder wrote, against what was put into them.

mod common;
#[path = "common/parts.rs"]
mod parts;

use std::fs::File;
use std::io::{self, Read};

use lodepng::{ColorType, Encoder, RGBA};
use pixview::{Error, ErrorKind, Image, PixelFormat, PngDecoder, PngEncoder, PngReader};

/// A file written by `lodepng` from raw PNG samples.
fn file(
    color: ColorType,
    depth: u32,
    pixels: &[u8],
    interlaced: bool,
    with: impl Fn(&mut Encoder),
) -> Vec<u8> {
    let mut encoder = Encoder::new();
    encoder.set_auto_convert(false);
    encoder.info_raw_mut().set_colortype(color);
    encoder.info_raw_mut().set_bitdepth(depth);
    encoder.info_png_mut().color.set_colortype(color);
    encoder.info_png_mut().color.set_bitdepth(depth);
    encoder.info_png_mut().interlace_method = interlaced.into();
    with(&mut encoder);
    encoder
        .encode(pixels, WIDTH as usize, HEIGHT as usize)
        .unwrap()
}

const WIDTH: u32 = 9;
const HEIGHT: u32 = 7;
const PIXELS: usize = (WIDTH * HEIGHT) as usize;

fn samples(image: &Image<Vec<u8>>) -> Vec<u16> {
    let pixels = image.pixels().unwrap();
    let at = |i: usize| pixels.get(i as u32 % WIDTH, i as u32 / WIDTH).unwrap();
    (0..PIXELS).flat_map(|i| at(i).to_vec()).collect()
}

#[test]
fn own_channels_and_depth() {
    use PixelFormat as F;
    for (color, channels, formats) in [
        (ColorType::GREY, 1, [F::GRAY8, F::GRAY16]),
        (ColorType::GREY_ALPHA, 2, [F::GRAY_ALPHA8, F::GRAY_ALPHA16]),
        (ColorType::RGB, 3, [F::RGB8, F::RGB16]),
        (ColorType::RGBA, 4, [F::RGBA8, F::RGBA16]),
    ] {
        for interlaced in [false, true] {
            let bytes = common::noise(PIXELS * channels * 2, 8);
            let eight = &bytes[..PIXELS * channels];
            let image = Image::from_png(file(color, 8, eight, interlaced, |_| ())).unwrap();
            assert_eq!((image.width(), image.height()), (WIDTH, HEIGHT));
            assert_eq!(image.format(), formats[0]);
            assert_eq!(*image.source(), eight);
            assert_eq!(
                image.layout(),
                pixview::Layout::packed(WIDTH, HEIGHT, formats[0])
            );

            // 16 bit: big-endian in the file, native in the buffer.
            let image = Image::from_png(file(color, 16, &bytes, interlaced, |_| ())).unwrap();
            assert_eq!(image.format(), formats[1]);
            let big = |pair: &[u8]| u16::from_be_bytes([pair[0], pair[1]]);
            let native = |pair: &[u8]| u16::from_ne_bytes([pair[0], pair[1]]);
            let expected: Vec<u16> = bytes.chunks(2).map(big).collect();
            assert_eq!(
                image.source().chunks(2).map(native).collect::<Vec<_>>(),
                expected
            );
            assert_eq!(samples(&image), expected);
        }
    }
}

#[test]
fn small_depths_and_indices_stay_as_they_are() {
    for depth in [1, 2, 4] {
        let max = (1u8 << depth) - 1;
        let values: Vec<u8> = (0..PIXELS).map(|i| i as u8 & max).collect();
        // lodepng takes packed bits without padding between rows.
        let mut packed = vec![0u8; (PIXELS * depth).div_ceil(8)];
        for (i, value) in values.iter().enumerate() {
            let bit = i * depth;
            packed[bit / 8] |= value << (8 - depth - bit % 8);
        }
        let gray = file(ColorType::GREY, depth as u32, &packed, false, |_| ());
        let image = Image::from_png(&gray).unwrap();
        let formats = [PixelFormat::GRAY1, PixelFormat::GRAY2, PixelFormat::GRAY4];
        assert_eq!(image.format(), formats[depth / 2]);
        let expected: Vec<u16> = values.iter().map(|&v| v.into()).collect();
        assert_eq!(samples(&image), expected);
        // PNG third edition, 13.12: the whole range becomes the whole range.
        let mut reader = PngDecoder::new().open_bytes(&gray).unwrap();
        let image = reader.read_as(PixelFormat::GRAY8).unwrap();
        let expected: Vec<u16> = values
            .iter()
            .map(|&v| u16::from(v) * 255 / u16::from(max))
            .collect();
        assert_eq!(samples(&image), expected);

        for alpha in [false, true] {
            let color = |i: u8| RGBA::new(i * 10, 255 - i, i, if alpha { i * 16 } else { 255 });
            let indexed = file(
                ColorType::PALETTE,
                depth as u32,
                &packed,
                false,
                |encoder| {
                    for i in 0..=max {
                        encoder.info_raw_mut().palette_add(color(i)).unwrap();
                        encoder.info_png_mut().color.palette_add(color(i)).unwrap();
                    }
                },
            );
            let image = Image::from_png(&indexed).unwrap();
            let formats = [
                PixelFormat::INDEXED1,
                PixelFormat::INDEXED2,
                PixelFormat::INDEXED4,
            ];
            assert_eq!(image.format(), formats[depth / 2]);
            let expected: Vec<u16> = values.iter().map(|&v| v.into()).collect();
            assert_eq!(samples(&image), expected);
            let colors = image.palette().unwrap().colors();
            assert_eq!(colors.len(), usize::from(max) + 1);
            for (i, &[r, g, b, a]) in (0..).zip(colors) {
                assert_eq!(RGBA::new(r, g, b, a), color(i));
            }
            // Saved again it shows the same.
            let again = common::decode(&image.to_png().unwrap());
            assert!(again == common::decode(&indexed));

            let format = if alpha {
                PixelFormat::RGBA8
            } else {
                PixelFormat::RGB8
            };
            let mut reader = PngDecoder::new().open_bytes(&indexed).unwrap();
            let image = reader.read_as(format).unwrap();
            let expected: Vec<u16> = values
                .iter()
                .map(|&i| color(i))
                .flat_map(|c| [c.r, c.g, c.b, c.a].into_iter().take(format.channels()))
                .map(u16::from)
                .collect();
            assert_eq!(samples(&image), expected);
        }
    }
}

fn scene() -> Vec<u8> {
    let image = Image::from_buffer(common::noise(3000, 1), 10, 100, PixelFormat::RGB8).unwrap();
    image.to_png().unwrap()
}

/// The decoder may be a temporary value.
#[test]
fn a_reader_of_a_temporary_decoder() {
    fn read(path: &std::path::Path) -> Result<Image<Vec<u8>>, Error> {
        let file = File::open(path).unwrap();
        let mut reader = PngDecoder::new().open_reader(file)?;
        reader.read()
    }
    let folder = common::folder();
    let path = folder.path().join("a.png");
    std::fs::write(&path, scene()).unwrap();
    let expected = Image::from_png(scene()).unwrap();
    assert_eq!(read(&path).unwrap().source(), expected.source());
}

/// The reader can be the field of a struct.
#[test]
fn a_reader_in_a_struct() {
    #[derive(Debug)]
    struct Player {
        reader: PngReader<File>,
    }
    struct Any<R: Read> {
        reader: PngReader<R>,
    }
    let folder = common::folder();
    let path = folder.path().join("a.png");
    std::fs::write(&path, scene()).unwrap();
    let expected = Image::from_png(scene()).unwrap();
    let mut player = Player {
        reader: PngDecoder::new().open(&path).unwrap(),
    };
    let text = format!("{player:?}");
    assert!(text.contains("width: 10, height: 100"), "{text}");
    assert_eq!(player.reader.read().unwrap().source(), expected.source());
    let png = scene();
    let mut any = Any {
        reader: PngDecoder::new()
            .open_reader(io::Cursor::new(&png))
            .unwrap(),
    };
    assert_eq!(any.reader.read().unwrap().source(), expected.source());
    let mut bytes: PngReader<&[u8]> = PngDecoder::new().open_bytes(&png).unwrap();
    assert_eq!(bytes.read().unwrap().source(), expected.source());
}

/// Gives one byte at a time.
struct OneByOne<'a>(&'a [u8]);

impl Read for OneByOne<'_> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let count = to.len().min(1);
        self.0.read(&mut to[..count])
    }
}

/// The error names the kind of a file that is not a PNG.
#[test]
fn files_of_other_kinds() {
    for (bytes, kind) in [
        (&b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01"[..], Some("JPEG")),
        (b"\xff\xd8\xff", Some("JPEG")),
        (b"GIF89a\x01\0\x01\0\0\0\0", Some("GIF")),
        (b"GIF87a", Some("GIF")),
        (b"RIFF\x24\0\0\0WEBPVP8 ", Some("WebP")),
        (b"RIFF\x24\0\0\0WAVEfmt ", None),
        (b"RIFF\x24\0\0\0WEB", None),
        (b"BM\x46\0\0\0\0\0\0\0\x36\0\0\0", Some("BMP")),
        (b"II*\0\x08\0\0\0", Some("TIFF")),
        (b"MM\0*\0\0\0\x08", Some("TIFF")),
        (b"MM*\0\0\0\0\x08", None),
        (b"P6 1 1 255 abc", None),
        (b"x", None),
        (b"\x89PNG\n\x1a\n\0\0\0\x0dIHDR", None),
    ] {
        let folder = common::folder();
        let path = folder.path().join("a.png");
        std::fs::write(&path, bytes).unwrap();
        let text = match kind {
            Some(kind) => format!("not a PNG file, but {kind}"),
            None => "not a PNG file".to_owned(),
        };
        for (result, text) in [
            (Image::from_png(bytes), text.clone()),
            (Image::from_reader(OneByOne(bytes)), text.clone()),
            (Image::open(&path), format!("{}: {text}", path.display())),
        ] {
            let error = result.unwrap_err();
            let ErrorKind::NotPng { found, .. } = error.kind() else {
                panic!("{error}");
            };
            assert_eq!(*found, kind, "{error}");
            assert_eq!(error.to_string(), text);
        }
    }
    // A PNG that is cut in its signature is a PNG that ends early.
    for end in 0..33 {
        for result in [
            Image::from_png(&scene()[..end]),
            Image::from_reader(OneByOne(&scene()[..end])),
        ] {
            assert_eq!(
                result.unwrap_err().to_string(),
                "could not decode the PNG: chunk IHDR at byte 8: the file ends early"
            );
        }
    }
}

/// Checks that an error names a chunk and shows no type of another crate.
fn assert_plain(error: &Error) {
    if let ErrorKind::Decode { chunk, .. } = error.kind() {
        assert!(!chunk.is_empty(), "{error}");
    }
    let text = error.to_string();
    for word in ["ChunkType", "Corrupt", "CRC error", "{ ", "Insufficient"] {
        assert!(!text.contains(word), "{text}");
    }
}

/// Errors state the fault in words of this crate.
#[test]
fn errors_in_plain_words() {
    let rows = parts::scanlines(7, 5, 8, 2, false, 5);
    let header = parts::header(7, 5, 8, 2, false);
    let error = |chunks: &[Vec<u8>]| {
        let png = parts::file(&[std::slice::from_ref(&header), chunks].concat());
        let error = Image::from_png(&png).unwrap_err();
        assert_plain(&error);
        error.to_string()
    };
    let data = |stream: &[u8]| parts::chunk(b"IDAT", stream);
    let stream = parts::zlib(&rows);
    let mut filter = rows.clone();
    filter[0] = 9;
    let block = b"\x78\x01\x07 a block of a type that does not exist";
    let cut = &stream[..stream.len() - 9];
    for (chunks, expected) in [
        (
            vec![parts::bad_chunk(b"IDAT", &stream)],
            "could not decode the PNG: chunk IDAT at byte 33: the checksum (CRC) is wrong",
        ),
        (
            vec![data(block)],
            "could not decode the PNG: chunk IDAT at byte 33: the compressed image data is damaged",
        ),
        (
            vec![data(cut)],
            "could not decode the PNG: chunk IDAT at byte 33: the image data ends early",
        ),
        (
            vec![data(&parts::zlib(&rows[..rows.len() - 22]))],
            "could not decode the PNG: chunk IDAT at byte 33: the image data ends before the last row",
        ),
        (
            vec![data(&parts::zlib(&filter))],
            "could not decode the PNG: chunk IDAT at byte 33: the filter type must be 0 to 4",
        ),
        (
            vec![parts::chunk(b"ABCD", b"x"), data(&stream)],
            "could not decode the PNG: chunk ABCD at byte 33: the critical chunk is unknown",
        ),
        (
            vec![],
            "could not decode the PNG: chunk IEND at byte 33: the file has no image data",
        ),
    ] {
        let text = error(&chunks);
        let text = text.split_once("could not").map_or("", |(_, text)| text);
        assert_eq!(format!("could not{text}"), expected);
    }
}

/// The default format holds a transparent color as alpha, and the image can be
/// saved again with the metadata of the file.
#[test]
fn transparent_colors_are_read_and_saved() {
    use PixelFormat as F;
    for (color, depth, expected) in [
        (ColorType::GREY, 1, F::GRAY_ALPHA8),
        (ColorType::GREY, 2, F::GRAY_ALPHA8),
        (ColorType::GREY, 4, F::GRAY_ALPHA8),
        (ColorType::GREY, 8, F::GRAY_ALPHA8),
        (ColorType::GREY, 16, F::GRAY_ALPHA16),
        (ColorType::RGB, 8, F::RGBA8),
        (ColorType::RGB, 16, F::RGBA16),
    ] {
        let gray = color == ColorType::GREY;
        let channels = if gray { 1 } else { 3 };
        let mut pixels = common::noise((PIXELS * channels * depth as usize).div_ceil(8), 3);
        let bytes = (channels * depth as usize).div_ceil(8);
        pixels[..bytes].fill(0);
        let png = file(color, depth, &pixels, false, |encoder| {
            encoder.info_raw_mut().set_key(0, 0, 0);
            encoder.info_png_mut().color.set_key(0, 0, 0);
        });
        let bits = vec![1u8; channels];
        let png = [&png[..33], &parts::chunk(b"sBIT", &bits), &png[33..]].concat();
        let open = || PngDecoder::new().open_bytes(&png).unwrap();
        assert_eq!(open().format(), expected);
        let mut reader = open();
        let image = reader.read().unwrap();
        assert_eq!(image.format(), expected);
        assert_eq!(image.source(), Image::from_png(&png).unwrap().source());
        let alpha = image.pixels().unwrap().get(0, 0).unwrap().to_vec();
        assert_eq!(alpha.last(), Some(&0));
        let transparent = |s: &[u16]| *s.last().unwrap() == 0;
        assert!(!samples(&image).chunks(channels + 1).all(transparent));
        // Without alpha if the caller wants none.
        assert_eq!(open().read_as(F::RGB8).unwrap().format(), F::RGB8);

        let metadata = reader.metadata().unwrap();
        assert_eq!(metadata.transparent, Some([0; 3]));
        assert_eq!(metadata.significant_bits, Some(bits.clone()));
        let mut encoder = PngEncoder::new().metadata(metadata);
        let saved = encoder.to_png(&image).unwrap();
        assert!(!saved.windows(4).any(|name| name == b"tRNS"));
        let mut again = PngDecoder::new().open_bytes(&saved).unwrap();
        assert_eq!(again.read().unwrap().source(), image.source());
        let metadata = again.metadata().unwrap();
        assert_eq!(metadata.transparent, None);
        assert_eq!(metadata.significant_bits, Some([&bits[..], &[1]].concat()));
        assert_eq!(metadata.faults, []);
    }
}

/// A transparent color becomes alpha.
#[test]
fn transparent_colours() {
    let gray: Vec<u8> = (0..PIXELS as u8).collect();
    let image = Image::from_png(file(ColorType::GREY, 8, &gray, false, |encoder| {
        encoder.info_raw_mut().set_key(7, 7, 7);
        encoder.info_png_mut().color.set_key(7, 7, 7);
    }));
    let image = image.unwrap();
    assert_eq!(image.format(), PixelFormat::GRAY_ALPHA8);
    let alpha = |value: u16| if value == 7 { 0 } else { 255 };
    let expected: Vec<u16> = (0..PIXELS as u16).flat_map(|v| [v, alpha(v)]).collect();
    assert_eq!(samples(&image), expected);
}

/// What can be saved can be opened, however wide its rows.
#[test]
fn wide_files() {
    let layout = pixview::Layout::packed(68_000_000, 1, PixelFormat::GRAY8).with_pixel_stride(0);
    let wide = Image::with_layout([3u8], layout).unwrap();
    let opened = Image::from_png(wide.to_png().unwrap()).unwrap();
    assert_eq!(opened.width(), 68_000_000);
    assert!(opened.source().iter().all(|&byte| byte == 3));
}

#[test]
fn from_any_reader() {
    let png = scene();
    let expected = Image::from_png(&png).unwrap().into_source();
    let image = Image::from_reader(&png[..]).unwrap();
    assert_eq!(*image.source(), expected);

    /// One byte at a time, with interruptions.
    struct Slow<'a>(&'a [u8], bool);
    impl Read for Slow<'_> {
        fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
            self.1 = !self.1;
            if self.1 {
                return Err(io::ErrorKind::Interrupted.into());
            }
            let count = to.len().min(1);
            self.0.read(&mut to[..count])
        }
    }
    let image = Image::from_reader(Slow(&png, false)).unwrap();
    assert_eq!(*image.source(), expected);

    let folder = common::folder();
    let path = folder.path().join("scene.png");
    std::fs::write(&path, &png).unwrap();
    assert_eq!(*Image::open(&path).unwrap().source(), expected);
}

#[test]
fn what_cannot_be_read() {
    let folder = common::folder();
    let missing = folder.path().join("missing.png");
    let error = Image::open(&missing).unwrap_err();
    assert_eq!(error.path(), Some(&*missing));
    assert!(matches!(error.kind(), ErrorKind::Read(e) if e.kind() == io::ErrorKind::NotFound));

    let path = folder.path().join("text.png");
    std::fs::write(&path, "no image at all").unwrap();
    let error = Image::open(&path).unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::NotPng { found: None, .. }),
        "{error}"
    );
    assert_eq!(
        error.to_string(),
        format!("{}: not a PNG file", path.display())
    );

    struct Broken(Result<usize, io::ErrorKind>);
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Ok(self.0?)
        }
    }
    let error = Image::from_reader(Broken(Err(io::ErrorKind::TimedOut))).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Read(e) if e.kind() == io::ErrorKind::TimedOut));
    let error = Image::from_reader(Broken(Ok(usize::MAX))).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Read(_)), "{error}");
}

/// Cut off anywhere, or damaged anywhere: an error or an image, no panic. A
/// file that ends early is always an error.
#[test]
fn damaged_files() {
    let png = scene();
    let kind = |error: &Error| matches!(error.kind(), ErrorKind::Decode { .. });
    for end in 0..png.len() {
        let error = Image::from_png(&png[..end]).unwrap_err();
        assert!(kind(&error), "{end}: {error:#}");
        assert_plain(&error);
    }
    for at in 0..png.len() {
        let mut damaged = png.clone();
        damaged[at] ^= 0x40;
        // Every byte is under some checksum, or is one.
        let error = Image::from_png(&damaged).unwrap_err();
        assert!(
            match error.kind() {
                ErrorKind::NotPng { .. } => at < 8,
                ErrorKind::LimitExceeded { .. } => true,
                _ => kind(&error),
            },
            "{at}: {error:#}"
        );
        assert_plain(&error);
    }
}

/// The checksum of chunks (PNG third edition, annex D).
fn crc(bytes: &[u8]) -> u32 {
    let mut crc = !0u32;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg());
        }
    }
    !crc
}

/// The checksum of the image data is looked at, too, not only those of chunks.
#[test]
fn a_wrong_checksum_of_the_pixels() {
    let mut png = scene();
    // The last four bytes of the last data, before its own checksum and IEND.
    let end = png.len() - 12 - 4;
    png[end - 1] ^= 1;
    let start = png.windows(4).rposition(|w| w == b"IDAT").unwrap();
    let sum = crc(&png[start..end]);
    png[end..end + 4].copy_from_slice(&sum.to_be_bytes());
    let error = Image::from_png(&png).unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::Decode { .. }),
        "{error:#}"
    );
    assert_eq!(
        error.to_string(),
        "row 0: could not decode the PNG: chunk IDAT at byte 33: the checksum (Adler-32) of the image data is wrong"
    );
}

/// A header that claims more pixels than any memory holds.
#[test]
fn a_header_that_asks_for_too_much() {
    let mut png = scene();
    png[16..24].copy_from_slice(&[0x7f, 0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff]);
    let crc = crc(&png[12..29]);
    png[29..33].copy_from_slice(&crc.to_be_bytes());
    let error = Image::from_png(&png).unwrap_err();
    assert!(
        matches!(
            error.kind(),
            ErrorKind::LimitExceeded {
                what: "pixels",
                needed: 4_611_686_014_132_420_609,
                limit: 268_435_456,
                ..
            }
        ),
        "{error:#}"
    );
}

/// A reader that says that it has nothing more and then fails has failed; one
/// that was interrupted then, or has more after all, has not.
#[test]
fn errors_behind_an_end() {
    /// Gives the bytes up to a place, says that there are no more, and goes on
    /// with these.
    struct Ends<'a> {
        png: &'a [u8],
        at: usize,
        then: Vec<Option<io::ErrorKind>>,
    }
    impl Read for Ends<'_> {
        fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
            if self.at == 0 {
                match self.then.pop() {
                    Some(Some(kind)) => return Err(kind.into()),
                    Some(None) => return Ok(0),
                    None => self.at = usize::MAX,
                }
            }
            let count = to.len().min(self.at);
            let count = self.png.read(&mut to[..count])?;
            self.at -= count;
            Ok(count)
        }
    }
    let png = scene();
    let expected = Image::from_png(&png).unwrap().into_source();
    let read = |at: usize, mut then: Vec<Option<io::ErrorKind>>| {
        then.reverse();
        let png = &png[..];
        Image::from_reader(Ends { png, at, then }).map(Image::into_source)
    };
    use io::ErrorKind::{Interrupted, TimedOut};
    for at in (0..png.len()).step_by(7) {
        for then in [
            vec![Some(TimedOut)],
            vec![None, Some(TimedOut)],
            vec![None, Some(Interrupted), Some(TimedOut)],
            vec![Some(Interrupted), None, Some(Interrupted), Some(TimedOut)],
        ] {
            let name = format!("{at}, {then:?}");
            let error = read(at, then).unwrap_err();
            let ErrorKind::Read(beneath) = error.kind() else {
                panic!("{name}: {error:#}");
            };
            assert_eq!(beneath.kind(), TimedOut, "{name}");
        }
        for then in [
            vec![None],
            vec![Some(Interrupted); 5],
            vec![None, Some(Interrupted)],
            vec![Some(Interrupted), None, Some(Interrupted)],
        ] {
            let name = format!("{at}, {then:?}");
            assert!(read(at, then).expect(&name) == expected, "{name}");
        }
        let error = read(at, vec![None, None]).unwrap_err();
        let ErrorKind::Decode { chunk, .. } = error.kind() else {
            panic!("{at}: {error:#}");
        };
        // Before the first chunk, the error names the chunk that is missing.
        assert_eq!(chunk == "IHDR", at < 41, "{at}: {error:#}");
    }
}

/// A chunk that says something beside the pixels costs none of them, whatever is
/// wrong with it. A strict decoder wants those that it checks to be sound.
#[test]
fn odd_chunks_cost_no_pixels() {
    let plain = scene();
    let expected = Image::from_png(&plain).unwrap().into_source();
    let with = |chunk: &[u8]| [&plain[..33], chunk, &plain[33..]].concat();
    for (name, data) in [
        (b"cICP", &[1, 13, 1, 1][..]),
        (b"cICP", &[]),
        (b"gAMA", &[0; 4]),
        (b"tRNS", &[1]),
        (b"tRNS", &[1; 300]),
        (b"sBIT", &[0; 9]),
        (b"bKGD", &[0; 7]),
        (b"tEXt", &[]),
        (b"zTXt", b"x\0\0x"),
        (b"iCCP", b"x\0\0x"),
        (b"eXIf", b"x"),
        (b"sRGB", &[9]),
        (b"mDCV", &[1]),
        (b"fdAT", &[1]),
    ] {
        let sound = parts::chunk(name, data);
        let twice = [&sound[..], &sound].concat();
        let bad = parts::bad_chunk(name, data);
        for chunk in [&sound, &twice, &bad] {
            let image = Image::from_png(with(chunk)).unwrap_or_else(|e| panic!("{e:#}"));
            assert!(*image.source() == expected);
        }
        let strict = PngDecoder::new().strict(true);
        let read = strict.open_bytes(&with(&bad)).map(|_| ());
        let error = read.expect_err("a strict decoder");
        let ErrorKind::Decode { chunk, offset, .. } = error.kind() else {
            panic!("{error:#}");
        };
        assert_eq!((chunk.as_bytes(), *offset), (&name[..], 33));
    }
}
