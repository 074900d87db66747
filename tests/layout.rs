//! What a layout may say, and the errors when it says too much.

use pixview::{Error, ErrorKind, Image, Layout, PixelFormat, PixelSource};

fn fails(len: usize, layout: Layout) -> Error {
    let buffer = vec![0u8; len];
    let error = Image::with_layout(&buffer, layout).unwrap_err();
    // Whatever goes wrong is told before anything else, the same for packed
    // images of the same size.
    assert!(error.path().is_none() && error.row().is_none());
    error
}

fn fits(len: usize, layout: Layout) {
    let buffer = vec![0u8; len];
    let image = Image::with_layout(&buffer, layout).unwrap();
    image.to_vec().unwrap();
}

const GRAY: PixelFormat = PixelFormat::GRAY8;
const RGB: PixelFormat = PixelFormat::RGB8;

/// Asserts that `len` bytes are just enough, and what is said of one less.
#[track_caller]
fn needs(len: u64, row: u32, layout: Layout) {
    fits(len as usize, layout);
    let error = fails(len as usize - 1, layout);
    match *error.kind() {
        ErrorKind::BufferTooSmall {
            needed,
            given,
            row: r,
            ..
        } => assert_eq!((needed, given, r), (len, len - 1, row)),
        _ => panic!("{error}"),
    }
}

#[test]
fn needed_bytes() {
    let packed = Layout::packed(4, 3, RGB);
    needs(36, 2, packed);
    needs(36 + 5, 2, packed.with_offset(5));
    // The last row's padding is not needed.
    needs(2 * 16 + 12, 2, packed.with_row_stride(16));
    // Bottom-up: the first row is the one at the end.
    let bottom_up = packed.with_row_stride(-16).with_offset(32);
    needs(2 * 16 + 12, 0, bottom_up);
    // Every second pixel: the last gap is not needed.
    needs(
        2 * 24 + 3 * 6 + 3,
        2,
        packed.with_pixel_stride(6).with_row_stride(24),
    );
    // Mirrored.
    needs(36, 2, packed.with_pixel_stride(-3).with_offset(9));
    // A transpose.
    needs(4 * 3 * 3, 2, packed.with_pixel_stride(9).with_row_stride(3));
    // Planes, forwards and backwards.
    let planar = packed.with_pixel_stride(1).with_row_stride(4);
    needs(2 * 100 + 12, 2, planar.with_plane_stride(100));
    needs(
        2 * 12 + 12,
        2,
        planar.with_plane_stride(-12).with_offset(24),
    );
    // One row many times, one pixel many times.
    needs(12, 0, packed.with_row_stride(0));
    needs(3, 0, packed.with_row_stride(0).with_pixel_stride(0));
    // A larger buffer is fine.
    fits(1000, packed);
}

/// The row named is the first one, from the top, that has a pixel outside.
#[test]
fn the_row_that_does_not_fit() {
    for given in 0..64 {
        let layout = Layout::packed(8, 8, GRAY);
        let error = fails(given, layout);
        match *error.kind() {
            ErrorKind::BufferTooSmall { row, .. } => assert_eq!(row as usize, given / 8),
            _ => panic!("{error}"),
        }
        let padded = Layout::packed(8, 8, GRAY)
            .with_row_stride(20)
            .with_offset(3);
        let error = fails(given, padded);
        let first = (0..8).find(|y| 3 + y * 20 + 8 > given).unwrap();
        match *error.kind() {
            ErrorKind::BufferTooSmall { row, needed, .. } => {
                assert_eq!((row as usize, needed), (first, 3 + 7 * 20 + 8));
            }
            _ => panic!("{error}"),
        }
    }
    assert_eq!(
        fails(10, Layout::packed(4, 4, GRAY)).to_string(),
        "the image needs 16 bytes, the buffer has 10: row 2 does not fit",
    );
}

#[test]
fn before_the_buffer() {
    for offset in 0..70 {
        let layout = Layout::packed(4, 8, GRAY)
            .with_row_stride(-10)
            .with_offset(offset);
        let error = fails(1000, layout);
        let first = (0..8).find(|y| (offset as i64) < y * 10).unwrap();
        match *error.kind() {
            ErrorKind::BeforeBuffer { bytes, row, .. } => {
                assert_eq!(
                    (row, bytes as i64),
                    (first as u32, first * 10 - offset as i64)
                );
            }
            _ => panic!("{error}"),
        }
    }
    let mirrored = Layout::packed(4, 8, GRAY)
        .with_pixel_stride(-1)
        .with_offset(2);
    assert_eq!(
        fails(1000, mirrored).to_string(),
        "row 0 begins 1 byte before the start of the buffer: Layout::with_offset sets the byte \
         of the first row, and Layout::flip_vertical turns a bottom-up buffer",
    );
}

#[test]
fn sizes() {
    for (width, height) in [(0, 5), (5, 0), (0, 0)] {
        let error = fails(100, Layout::packed(width, height, GRAY));
        assert!(matches!(error.kind(), ErrorKind::Empty { .. }), "{error}");
        assert!(Image::new(width, height, GRAY).is_err());
    }
    let largest = (1 << 31) - 1;
    let one_pixel = |width, height| {
        Layout::packed(width, height, GRAY)
            .with_row_stride(0)
            .with_pixel_stride(0)
    };
    let buffer = [7u8];
    let image = Image::with_layout(&buffer, one_pixel(largest, largest)).unwrap();
    let far = image
        .pixels()
        .unwrap()
        .get(largest - 1, largest - 1)
        .unwrap();
    assert_eq!(far, [7]);
    for (width, height) in [(largest + 1, 1), (1, largest + 1), (u32::MAX, u32::MAX)] {
        let error = fails(100, one_pixel(width, height));
        assert!(
            matches!(error.kind(), ErrorKind::TooLarge { .. }),
            "{error}"
        );
    }
}

/// Too many bytes for any memory: an error, not an abort. (Miri stops where an
/// allocator would say no.)
#[test]
#[cfg_attr(miri, ignore)]
fn more_than_any_memory() {
    let largest = (1 << 31) - 1;
    let error = Image::new(largest, largest, PixelFormat::RGBA16).unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::OutOfMemory { .. }),
        "{error}"
    );
    let layout = |format| {
        Layout::packed(largest, largest, format)
            .with_pixel_stride(0)
            .with_row_stride(0)
    };
    let image = Image::with_layout(&[0u8; 8], layout(GRAY)).unwrap();
    let error = image.to_vec().unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::OutOfMemory { .. }),
        "{error}"
    );
    // A row of 16 GiB, of which a save needs four.
    let image = Image::with_layout(&[0u8; 8], layout(PixelFormat::RGBA16)).unwrap();
    let error = image.to_png().unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::OutOfMemory { .. }),
        "{error}"
    );
}

/// The arithmetic holds at the ends of the number range.
#[test]
fn extreme_strides() {
    const ENDS: &[isize] = if cfg!(miri) {
        &[isize::MIN, 1, isize::MAX]
    } else {
        &[
            isize::MIN,
            isize::MIN + 1,
            -1,
            0,
            1,
            isize::MAX - 1,
            isize::MAX,
        ]
    };
    let buffer = [1u8, 2, 3, 4];
    for &row in ENDS {
        for &pixel in ENDS {
            for plane in ENDS.iter().copied().map(Some).chain([None]) {
                for offset in [0, 3, usize::MAX / 2, usize::MAX] {
                    for (width, height) in [(1, 1), (2, 1), (1, 2), (2, 2), (u32::MAX >> 1, 2)] {
                        for format in [GRAY, RGB] {
                            let mut layout = Layout::packed(width, height, format)
                                .with_row_stride(row)
                                .with_pixel_stride(pixel)
                                .with_offset(offset);
                            if let Some(plane) = plane {
                                layout = layout.with_plane_stride(plane);
                            }
                            let Ok(image) = Image::with_layout(buffer, layout) else {
                                continue;
                            };
                            exercise(image);
                        }
                    }
                }
            }
        }
    }
}

/// Every view and access of an image, whatever its strides. A panic or an
/// overflow is the failure.
fn exercise(image: Image<[u8; 4]>) {
    let (w, h) = (image.width(), image.height());
    let small = u64::from(w) * u64::from(h) < 1000;
    let mut views = vec![
        image.clone(),
        image.clone().flip_horizontal(),
        image.clone().flip_vertical(),
        image.clone().transpose(),
        image.clone().crop(w - 1, h - 1, 1, 1).unwrap(),
        image
            .clone()
            .crop(0, 0, 1, h)
            .unwrap()
            .flip_horizontal()
            .transpose(),
    ];
    if let Ok(red) = image.channel(pixview::Channel::Red) {
        views.push(red.flip_vertical());
    }
    for mut view in views {
        let (w, h) = (view.width(), view.height());
        let last = view.pixels().unwrap().get(w - 1, h - 1).unwrap();
        let first = view.pixels().unwrap().get(0, 0).unwrap();
        assert!(
            last.iter()
                .chain(first.iter())
                .all(|sample| (1..=4).contains(sample))
        );
        if small {
            view.to_vec().unwrap();
            view.pixels().unwrap().row(h - 1).unwrap();
            if !cfg!(miri) {
                view.to_png().unwrap();
            }
        }
        if let Ok(mut pixels) = view.pixels_mut() {
            pixels.put(w - 1, h - 1, last).unwrap();
            pixels.put(0, 0, first).unwrap();
        }
    }
}

#[test]
fn overlaps_can_be_read_but_not_written() {
    let mut buffer = [1u8, 2, 3, 4, 5, 6];
    let gray = |w, h| Layout::packed(w, h, GRAY);
    let rgb = |w, h| Layout::packed(w, h, RGB);
    let overlapping = [
        gray(6, 4).with_row_stride(0),
        gray(4, 3).with_row_stride(1),
        gray(6, 4).with_pixel_stride(0).with_row_stride(1),
        rgb(2, 2).with_pixel_stride(2).with_row_stride(1),
        gray(3, 2).with_row_stride(-1).with_offset(1),
    ];
    for layout in overlapping {
        if layout.row_stride() != 0 && layout.pixel_stride() != 0 {
            let error = Image::with_layout(&buffer, layout).unwrap_err();
            let refused = matches!(error.kind(), ErrorKind::OverlappingPixels { .. });
            assert!(refused, "{layout:?}: {error}");
        }
        let layout = layout.allow_overlap();
        let mut image = Image::with_layout(&mut buffer, layout).unwrap();
        image.to_png().unwrap();
        let error = image.pixels_mut().unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Overlap), "{layout:?}");
        // One pixel of it alone can be written.
        let mut part = image.view_mut().crop(0, 0, 1, 1).unwrap();
        part.pixels_mut().unwrap();
    }
    // Interleaved in ways that don't nest, and yet apart.
    let apart = [
        gray(2, 2).with_pixel_stride(3).with_row_stride(2),
        gray(3, 2).with_pixel_stride(2).with_row_stride(1),
        rgb(2, 1).with_pixel_stride(1).with_plane_stride(2),
        rgb(2, 1).with_pixel_stride(3).with_plane_stride(1),
    ];
    for layout in apart {
        let mut image = Image::with_layout(&mut buffer, layout).unwrap();
        image
            .pixels_mut()
            .unwrap_or_else(|error| panic!("{error}: {layout:?}"));
    }
}

#[test]
fn rectangles_and_pixels_outside() {
    let image = Image::new(10, 6, GRAY).unwrap();
    for (x, y, w, h) in [
        (0, 0, 11, 1),
        (0, 0, 1, 7),
        (10, 0, 1, 1),
        (0, 6, 1, 1),
        (9, 5, 2, 1),
        (u32::MAX, 0, 2, 1),
        (1, 1, u32::MAX, u32::MAX),
    ] {
        let error = image.view().crop(x, y, w, h).unwrap_err();
        assert!(
            matches!(
                error.kind(),
                ErrorKind::RectOutside {
                    image_width: 10,
                    image_height: 6,
                    ..
                }
            ),
            "{error}"
        );
        let mut image = image.clone();
        let mut pixels = image.pixels_mut().unwrap();
        assert!(pixels.fill_rect(x, y, w, h, [1]).is_err());
        assert!(pixels.put_rect(x, y, w, h, &[1]).is_err());
    }
    for (w, h) in [(0, 1), (1, 0)] {
        let error = image.view().crop(0, 0, w, h).unwrap_err();
        let message = format!("the rectangle {w}x{h} at (0, 0) is empty");
        assert_eq!(error.to_string(), message);
        let mut image = image.clone();
        assert!(
            image
                .pixels_mut()
                .unwrap()
                .fill_rect(0, 0, w, h, [1])
                .is_err()
        );
    }
    image.view().crop(9, 5, 1, 1).unwrap();
    image.view().crop(0, 0, 10, 6).unwrap();

    let pixels = image.pixels().unwrap();
    for (x, y) in [(10, 0), (0, 6), (u32::MAX, u32::MAX)] {
        let error = pixels.get(x, y).unwrap_err();
        assert!(
            matches!(
                error.kind(),
                ErrorKind::PixelOutside {
                    width: 10,
                    height: 6,
                    ..
                }
            ),
            "{error}"
        );
    }
    assert!(pixels.row(6).is_err());
    assert!(pixels.copy_row(6, &mut [0; 10]).is_err());
    assert_eq!(
        pixels.copy_row(0, &mut [0; 9]).unwrap_err().to_string(),
        "10 bytes of packed pixels are needed, not 9",
    );
    assert!(image.copy_to(&mut [0; 61]).is_err());
}

#[test]
fn words_have_no_planes() {
    let layout = Layout::packed(2, 2, PixelFormat::XRGB8888).with_plane_stride(4);
    let error = fails(1000, layout);
    assert!(
        matches!(error.kind(), ErrorKind::NotPlanar { .. }),
        "{error}"
    );
}

/// The mistakes that users make with buffers, and what is said about them.
#[test]
fn common_mistakes() {
    #[track_caller]
    fn refused<S: PixelSource>(image: Result<Image<S>, Error>, text: &str) {
        let error = image.map(|_| ()).unwrap_err().to_string();
        assert!(error.contains(text), "{error}");
    }
    let (width, height) = (640, 480);
    let pixels = width as usize * height as usize;

    // RGBA described as RGB, and the other way round.
    let rgba = vec![0u8; 4 * pixels];
    refused(
        Image::from_buffer(&rgba, width, height, PixelFormat::RGB8),
        "have 921600 bytes, the buffer has 1228800: that is 4 bytes a pixel, not 3",
    );
    refused(
        Image::from_buffer(&rgba[..3 * pixels], width, height, PixelFormat::RGBA8),
        "have 1228800 bytes, the buffer has 921600: that is 3 bytes a pixel, not 4",
    );
    // Samples of 16 bits described as 8 bits.
    let gray16 = vec![0u16; pixels];
    refused(
        Image::from_buffer(&gray16, width, height, PixelFormat::GRAY8),
        "that is 2 bytes a pixel, not 1",
    );
    // A pixel a bit, given a byte each.
    refused(
        Image::from_buffer(&rgba[..pixels], width, height, PixelFormat::GRAY1),
        "that is 8 bits a pixel, not 1",
    );
    // Padded rows described as packed.
    refused(
        Image::from_buffer(&rgba[..2048 * 400], width, 400, PixelFormat::RGB8),
        "that is 2048 bytes a row, not 1920; for padded rows use Image::with_layout",
    );
    // A row stride in pixels, and one in elements.
    let rgb = Layout::packed(width, height, PixelFormat::RGB8).with_row_stride(640);
    refused(
        Image::with_layout(&rgba[..3 * pixels], rgb),
        "640 pixels of RGB8 take 1920 bytes, the row stride is 640 bytes",
    );
    let layout = Layout::packed(width, height, PixelFormat::GRAY16).with_row_stride(640);
    refused(Image::with_layout(&gray16, layout), "strides count bytes");
    // Width and height swapped: padded rows no longer fit. In a packed buffer
    // nothing tells them apart.
    let padded = vec![0u8; 2048 * 480];
    let layout = Layout::packed(height, width, PixelFormat::RGB8).with_row_stride(2048);
    refused(Image::with_layout(&padded, layout), "row 480 does not fit");
    Image::from_buffer(&rgba, height, width, PixelFormat::RGBA8).unwrap();
    // A stride of zero repeats a row or a column on purpose.
    let layout = Layout::packed(width, height, PixelFormat::RGB8).with_row_stride(0);
    Image::with_layout(&rgba, layout).unwrap();
    let layout = Layout::packed(width, height, PixelFormat::RGB8).with_pixel_stride(0);
    Image::with_layout(&rgba, layout).unwrap();
}
