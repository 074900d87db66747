//! Layouts of arrays, views of layouts, and the bytes that a layout reaches.

use pixview::{Channel, Error, ErrorKind, Image, Layout, PixelFormat, PixelSource};

/// An array as `NumPy` and `ndarray` know it: axes of any strides over memory,
/// counted in elements.
#[derive(Clone, Debug)]
struct Array {
    offset: isize,
    shape: Vec<usize>,
    strides: Vec<isize>,
}

impl Array {
    fn new(shape: &[usize]) -> Self {
        let mut stride = 1;
        let mut strides = vec![0; shape.len()];
        for (axis, &count) in shape.iter().enumerate().rev() {
            strides[axis] = stride;
            stride *= count as isize;
        }
        Array {
            offset: 0,
            shape: shape.to_vec(),
            strides,
        }
    }

    /// `[::-1]` along an axis.
    fn reverse(mut self, axis: usize) -> Self {
        self.offset += (self.shape[axis] as isize - 1) * self.strides[axis];
        self.strides[axis] = -self.strides[axis];
        self
    }

    /// `[start::step]` along an axis.
    fn step(mut self, axis: usize, start: usize, step: usize) -> Self {
        self.offset += start as isize * self.strides[axis];
        self.shape[axis] = (self.shape[axis] - start).div_ceil(step);
        self.strides[axis] *= step as isize;
        self
    }

    /// The axes in another order.
    fn permute(mut self, axes: &[usize]) -> Self {
        self.shape = axes.iter().map(|&axis| self.shape[axis]).collect();
        self.strides = axes.iter().map(|&axis| self.strides[axis]).collect();
        self
    }

    /// One axis of another length, with a stride of zero.
    fn broadcast(mut self, axis: usize, count: usize) -> Self {
        (self.shape[axis], self.strides[axis]) = (count, 0);
        self
    }

    fn in_bytes(&self, element_size: usize) -> Vec<isize> {
        let bytes = |stride: &isize| stride * element_size as isize;
        self.strides.iter().map(bytes).collect()
    }

    fn index(&self, index: [usize; 3]) -> usize {
        let moved = self.strides.iter().zip(index);
        let moved = moved.map(|(stride, i)| stride * i as isize);
        (self.offset + moved.sum::<isize>()) as usize
    }
}

/// Compares every sample of the image with the element of the array.
#[track_caller]
fn shows<T: Copy + PartialEq + std::fmt::Debug>(
    array: &Array,
    memory: &[T],
    image: &Image<impl PixelSource>,
    sample: impl Fn(T) -> u16,
) {
    let pixels = image.pixels().unwrap();
    for y in 0..array.shape[0] {
        for x in 0..array.shape[1] {
            let pixel = pixels.get(x as u32, y as u32).unwrap();
            for (c, found) in pixel.iter().enumerate() {
                let element = memory[array.index([y, x, c])];
                assert_eq!(*found, sample(element), "{array:?} at {x}, {y}, {c}");
            }
        }
    }
}

fn arrays(channels: usize) -> Vec<Array> {
    let (height, width) = (5, 7);
    let last = Array::new(&[height, width, channels]);
    let first = Array::new(&[channels, height, width]).permute(&[1, 2, 0]);
    let middle = Array::new(&[height, channels, width]).permute(&[0, 2, 1]);
    let fortran = Array::new(&[channels, width, height]).permute(&[2, 1, 0]);
    let mut arrays = vec![last, first, middle, fortran];
    for array in arrays.clone() {
        arrays.extend([
            array.clone().reverse(0),
            array.clone().reverse(1),
            array.clone().reverse(2),
            array.clone().reverse(0).reverse(1).reverse(2),
            array.clone().step(0, 1, 2),
            array.clone().step(1, 2, 3).reverse(1),
            array.clone().permute(&[1, 0, 2]).step(0, 3, 1),
            array.clone().step(0, 4, 1).step(1, 6, 1),
            array.clone().broadcast(0, 4),
            array
                .clone()
                .step(2, channels - 1, 1)
                .broadcast(2, channels),
        ]);
    }
    arrays
}

/// Arrays of samples: any order of the axes, cropped, stepped, reversed and
/// broadcast.
#[test]
fn arrays_of_samples() {
    use PixelFormat as F;
    for (channels, byte, word) in [
        (1, F::GRAY8, F::GRAY16),
        (2, F::GRAY_ALPHA8, F::GRAY_ALPHA16),
        (3, F::RGB8, F::RGB16),
        (4, F::RGBA8, F::RGBA16),
    ] {
        let bytes: Vec<u8> = (0..140).collect();
        let words: Vec<u16> = (0..140).map(|i| i * 467).collect();
        for array in arrays(channels) {
            let strides = array.in_bytes(1);
            let layout = Layout::from_strides(&array.shape, &strides, byte).unwrap();
            let layout = layout.with_offset(array.offset as usize);
            let image = Image::with_layout(&bytes, layout).unwrap();
            shows(&array, &bytes, &image, u16::from);

            let strides = &array.strides;
            let layout = Layout::from_element_strides(&array.shape, strides, 2, word).unwrap();
            assert_eq!(
                layout,
                Layout::from_strides(&array.shape, &array.in_bytes(2), word).unwrap()
            );
            let layout = layout.with_offset(2 * array.offset as usize);
            let image = Image::with_layout(&words, layout).unwrap();
            shows(&array, &words, &image, |sample| sample);
        }
    }
    // An interleaved array has an interleaved layout, as fast as any.
    let layout = Layout::from_strides(&[5, 7, 3], &[32, 3, 1], F::BGR8).unwrap();
    assert_eq!(layout, Layout::packed(7, 5, F::BGR8).with_row_stride(32));
    // Padding is a sample in memory.
    let layout = Layout::from_strides(&[5, 7, 4], &[28, 4, 1], F::BGRX8).unwrap();
    assert_eq!(layout, Layout::packed(7, 5, F::BGRX8));
}

/// Arrays of pixels: words, structs, samples of one channel, and `bool`.
#[test]
fn arrays_of_pixels() {
    use PixelFormat as F;
    let words: Vec<u32> = (0..35).map(|i| 0xff00_0000 | (i * 0x01_0203)).collect();
    let array = Array::new(&[7, 5])
        .permute(&[1, 0])
        .reverse(0)
        .step(1, 1, 2);
    let layout =
        Layout::from_element_strides(&array.shape, &array.strides, 4, F::XRGB8888).unwrap();
    let layout = layout.with_offset(4 * array.offset as usize);
    let image = Image::with_layout(&words, layout).unwrap();
    let pixels = image.pixels().unwrap();
    for y in 0..array.shape[0] {
        for x in 0..array.shape[1] {
            let [_, r, g, b] = words[array.index([y, x, 0])].to_be_bytes().map(u16::from);
            assert_eq!(pixels.get(x as u32, y as u32).unwrap(), [r, g, b]);
        }
    }
    // A channel axis of one element, or of the four bytes of the word.
    let packed = Layout::packed(7, 5, F::XRGB8888);
    for (shape, strides, size) in [
        ([5, 7, 1], [7, 1, 1], 4),
        ([5, 7, 1], [7, 1, 999], 4),
        ([5, 7, 4], [28, 4, 1], 1),
    ] {
        let layout = Layout::from_element_strides(&shape, &strides, size, F::XRGB8888);
        assert_eq!(layout.unwrap(), packed);
    }
    let layout = Layout::from_element_strides(&[5, 7], &[7, 1], 3, F::RGB8).unwrap();
    assert_eq!(layout, Layout::packed(7, 5, F::RGB8));
    let layout = Layout::from_element_strides(&[5, 7], &[7, 1], 2, F::RGB565).unwrap();
    assert_eq!(layout, Layout::packed(7, 5, F::RGB565));

    let flags = [true, false, true, true, false, false].map(u8::from);
    let layout = Layout::from_strides(&[2, 3], &[3, 1], F::GRAY1LSB).unwrap();
    let image = Image::with_layout(&flags, layout).unwrap();
    let pixels = image.pixels().unwrap();
    let found: Vec<u16> = (0..6)
        .map(|i| pixels.get(i % 3, i / 3).unwrap()[0])
        .collect();
    assert_eq!(found, [1, 0, 1, 1, 0, 0]);
}

#[test]
fn arrays_that_are_no_images() {
    #[track_caller]
    fn refused(layout: Result<Layout, Error>, text: &str) {
        assert_eq!(layout.unwrap_err().to_string(), text);
    }
    use PixelFormat as F;
    let bytes = Layout::from_strides;
    refused(
        bytes(&[6], &[1], F::GRAY8),
        "an array must have 2 axes (height, width) or 3 (height, width, channel) and a stride for each, not 1 axes and 1 strides",
    );
    refused(
        bytes(&[2, 3, 4], &[12, 4], F::RGBA8),
        "an array must have 2 axes (height, width) or 3 (height, width, channel) and a stride for each, not 3 axes and 2 strides",
    );
    refused(
        bytes(&[480, 640, 3], &[1920, 3, 1], F::RGBA8),
        "the channel axis must have 4 elements for RGBA8, not 3",
    );
    refused(
        bytes(&[480, 640, 1], &[640, 1, 1], F::RGB8),
        "the channel axis must have 3 elements for RGB8, not 1",
    );
    refused(
        bytes(&[480, 640, 2], &[1280, 2, 1], F::RGB565),
        "the channel axis must have 1 elements for RGB565, not 2",
    );
    refused(
        bytes(&[480, 640, 4], &[2560, 4, -1], F::XRGB8888),
        "XRGB8888 has no planes: its samples are parts of one word or byte",
    );
    refused(
        bytes(&[0, 640], &[640, 1], F::GRAY8),
        "an image of 640x0 pixels is empty",
    );
    refused(
        bytes(&[1, 1 << 31], &[0, 1], F::GRAY8),
        "an image of 2147483648x1 pixels is too large",
    );
    if let Ok(beyond) = usize::try_from(1u64 << 32) {
        // The low 32 bits of this length are zero.
        refused(
            bytes(&[1, beyond], &[0, 1], F::GRAY8),
            "an image of 4294967295x1 pixels is too large",
        );
    }
    let elements = Layout::from_element_strides;
    refused(
        elements(&[480, 640, 3], &[1920, 3, 1], 4, F::RGB8),
        "an element of this array must have 1 bytes for RGB8, not 4",
    );
    refused(
        elements(&[480, 640], &[640, 1], 2, F::GRAY8),
        "an element of this array must have 1 bytes for GRAY8, not 2",
    );
    refused(
        elements(&[480, 640], &[640, 1], 1, F::XRGB8888),
        "an element of this array must have 4 bytes for XRGB8888, not 1",
    );
    // Strides that overflow lead out of any memory.
    for stride in [isize::MAX / 2, isize::MIN / 2] {
        let layout = elements(&[2, 2], &[stride, 1], 4, F::XRGB8888).unwrap();
        assert!(Image::with_layout(&[0u32; 8], layout).is_err());
        let error = layout.with_row_stride(isize::MAX).reach().unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::TooLarge { .. }));
    }
}

/// Layouts of every kind over 400 bytes.
fn layouts() -> Vec<Layout> {
    use PixelFormat as F;
    let mut layouts = Vec::new();
    for format in [F::GRAY8, F::RGB8, F::BGRA16, F::XRGB8888, F::RGB565] {
        let packed = Layout::packed(5, 4, format);
        layouts.extend([
            packed,
            packed.with_row_stride(80).with_offset(8),
            packed.with_row_stride(-80).with_offset(240),
            packed.with_pixel_stride(16).with_row_stride(80),
            packed.with_row_stride(0),
        ]);
    }
    for format in [F::RGB8, F::BGRA16, F::GRAY_ALPHA8] {
        let planar = Layout::planar(5, 4, format);
        layouts.extend([planar, planar.with_plane_stride(-80).with_offset(240)]);
    }
    for format in [F::GRAY1, F::GRAY2LSB, F::INDEXED4] {
        let packed = Layout::packed(13, 5, format);
        layouts.extend([
            packed,
            packed.with_row_stride(-9).with_offset(50),
            packed.with_pixel_stride(1).with_row_stride(20),
            packed.with_offset(20).transpose(),
        ]);
        let part = packed.with_offset(100).crop(3, 1, 9, 4).unwrap();
        layouts.extend([part, part.flip_horizontal(), part.flip_vertical()]);
    }
    layouts
}

/// A view of a layout is the layout of the view of the image.
#[test]
fn views_of_layouts_and_of_images() {
    let memory: Vec<u8> = (0..400).map(|i| (i * 7 % 251) as u8).collect();
    for layout in layouts() {
        let image = Image::with_layout(&memory, layout).unwrap();
        let same = |found: Layout, expected: Image<&Vec<u8>>| {
            assert_eq!(found, expected.layout(), "of {layout:?}");
            let image = Image::with_layout(&memory, found).unwrap();
            assert_eq!(image.to_vec().unwrap(), expected.to_vec().unwrap());
        };
        same(layout.flip_horizontal(), image.clone().flip_horizontal());
        same(layout.flip_vertical(), image.clone().flip_vertical());
        same(layout.transpose(), image.clone().transpose());
        let (found, expected) = (layout.crop(1, 2, 3, 2), image.clone().crop(1, 2, 3, 2));
        same(found.unwrap(), expected.unwrap());
        for channel in [
            Channel::Gray,
            Channel::Red,
            Channel::Green,
            Channel::Blue,
            Channel::Alpha,
        ] {
            match (layout.channel(channel), image.clone().channel(channel)) {
                (Ok(found), Ok(expected)) => same(found, expected),
                (Err(found), Err(expected)) => assert_eq!(found.to_string(), expected.to_string()),
                _ => panic!("{channel} of {layout:?}"),
            }
        }
        for (x, y, width, height) in [(0, 0, 0, 1), (0, 0, 14, 1), (1, 3, 1, 99), (99, 0, 1, 1)] {
            let found = layout.crop(x, y, width, height).unwrap_err();
            let expected = image.clone().crop(x, y, width, height).unwrap_err();
            assert_eq!(found.to_string(), expected.to_string());
        }
        // Each of these undoes itself.
        assert_eq!(layout.flip_vertical().flip_vertical(), layout);
        assert_eq!(layout.flip_horizontal().flip_horizontal(), layout);
        assert_eq!(layout.transpose().transpose(), layout);
    }
    // A word has no planes, so it has no channel in a plane.
    let words = Layout::packed(2, 2, PixelFormat::XRGB8888).with_plane_stride(4);
    let error = words.channel(Channel::Red).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::NotPlanar { .. }));
    // A layout without pixels.
    let empty = Layout::packed(0, 0, PixelFormat::RGB8);
    for view in [empty.flip_horizontal(), empty.flip_vertical()] {
        assert!(Image::with_layout(&[0u8; 4], view).is_err());
    }
    assert!(empty.crop(0, 0, 1, 1).is_err());
}

/// A view that begins outside the buffer is refused, also if the arithmetic of
/// an `isize` would lead back into it.
#[test]
fn views_outside_any_memory() {
    const MAX: isize = isize::MAX;
    let memory = [0u8; 100];
    let gray = |width, height| Layout::packed(width, height, PixelFormat::GRAY8);

    // Before the buffer: as many bytes as it begins before it.
    let layout = gray(10, 4).with_row_stride(-10).flip_vertical();
    assert_eq!(layout.offset(), usize::MAX);
    let error = Image::with_layout(&memory, layout).unwrap_err();
    let text = "row 0 begins 30 bytes before the start of the buffer: ";
    assert!(error.to_string().starts_with(text), "{error}");
    // The flip of the flip has row 0 inside, and row 1 before the buffer.
    let error = Image::with_layout(&memory, layout.flip_vertical()).unwrap_err();
    let text = "row 1 begins 10 bytes before the start of the buffer: ";
    assert!(error.to_string().starts_with(text), "{error}");
    Image::with_layout(&memory, layout.with_offset(0)).unwrap();
    let first = layout.flip_vertical().crop(0, 0, 10, 1).unwrap();
    assert_eq!(first.offset(), 0);
    Image::with_layout(&memory, first).unwrap();

    for (stride, offset) in [
        (MAX, 0),
        (MAX, 5),
        (-MAX, 5),
        (isize::MIN, 5),
        (MAX / 2 + 1, 5),
    ] {
        let layout = gray(1, 3).with_row_stride(stride).with_offset(offset);
        let views = [
            layout,
            layout.flip_vertical(),
            layout.flip_vertical().flip_vertical(),
            layout.flip_vertical().flip_vertical().flip_vertical(),
        ];
        for view in views {
            assert!(Image::with_layout(memory, view).is_err(), "{view:?}");
            for y in 0..3 {
                let inside = match Image::with_layout(memory, view.crop(0, y, 1, 1).unwrap()) {
                    Ok(image) => Some(image.layout().offset()),
                    Err(_) => None,
                };
                assert!(inside.is_none_or(|byte| byte == offset), "{y} of {view:?}");
            }
        }
    }
    let planes = Layout::planar(1, 1, PixelFormat::RGB8).with_plane_stride(MAX);
    let blue = planes.channel(Channel::Blue).unwrap();
    assert!(Image::with_layout(memory, blue).is_err());
    assert!(Image::with_layout(memory, blue.transpose().flip_vertical()).is_err());
}

/// The reach is exact: a slice of these bytes holds the image, and one byte less
/// at either end does not.
#[test]
fn reach_is_exact() {
    let memory = vec![0u8; 400];
    for layout in layouts() {
        let image = Image::with_layout(&memory, layout).unwrap();
        let mut views = vec![
            layout,
            image.clone().flip_vertical().layout(),
            image.clone().flip_horizontal().transpose().layout(),
            image.clone().crop(1, 1, 3, 2).unwrap().layout(),
            image.clone().crop(2, 2, 1, 1).unwrap().layout(),
        ];
        if let Ok(red) = image.channel(Channel::Red) {
            views.push(red.layout());
        }
        for view in views {
            let reach = view.reach().unwrap();
            assert_eq!(reach, bytes_of_all_pixels(view), "{view:?}");
            if !view.offset_bits().is_multiple_of(8) {
                continue; // `with_offset` would move it within the byte
            }
            let origin = view.offset() as isize;
            let (start, end) = (origin + reach.start, origin + reach.end);
            let (start, end) = (start as usize, end as usize);
            let before = reach.start.unsigned_abs();
            let fits = |bytes: &[u8], before| {
                let layout = view.with_offset(before);
                Image::with_layout(bytes, layout).is_ok()
            };
            assert!(fits(&memory[start..end], before), "{view:?}");
            assert!(!fits(&memory[start..end - 1], before), "{view:?}");
            if before > 0 {
                let shorter = &memory[start + 1..end];
                assert!(!fits(shorter, before - 1), "{view:?}");
            }
        }
    }
    let reach = |layout: Layout| layout.reach();
    let gray = Layout::packed(10, 3, PixelFormat::GRAY8);
    assert_eq!(reach(gray.with_row_stride(16)).unwrap(), 0..42);
    assert_eq!(reach(gray.with_row_stride(-16)).unwrap(), -32..10);
    assert_eq!(reach(gray.with_offset(77)).unwrap(), 0..30);
    assert_eq!(reach(gray.with_row_stride(0)).unwrap(), 0..10);

    for (stride, fits) in [
        (isize::MAX, false),
        (isize::MIN, false),
        (isize::MAX - 1, true),
        (-(isize::MAX - 1), true),
    ] {
        let layout = Layout::packed(1, 2, PixelFormat::GRAY8).with_row_stride(stride);
        match layout.reach() {
            Ok(reach) => assert!(fits && reach.len() == isize::MAX as usize),
            Err(error) => {
                let too_large = matches!(error.kind(), ErrorKind::TooLarge { .. });
                assert!(!fits && too_large, "{error}");
            }
        }
    }
    let error = reach(Layout::packed(0, 3, PixelFormat::GRAY8)).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Empty { .. }));
    let words = Layout::packed(2, 2, PixelFormat::XRGB8888).with_plane_stride(4);
    let error = words.reach().unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::NotPlanar { .. }));
}

/// The bytes of every pixel and plane, by the formula in the docs of `Layout`,
/// counted from the byte of pixel (0, 0).
fn bytes_of_all_pixels(layout: Layout) -> std::ops::Range<isize> {
    let bits = layout.format().bits_per_pixel() as i64;
    let (planes, unit) = match layout.plane_stride() {
        None => (1, bits),
        Some(_) => {
            let sample = layout.format().bit_depth().into();
            (bits / sample, sample)
        }
    };
    let (mut start, mut end) = (isize::MAX, isize::MIN);
    for y in 0..i64::from(layout.height()) {
        for x in 0..i64::from(layout.width()) {
            for plane in 0..planes {
                let first = layout.offset_bits() as i64
                    + y * layout.row_stride_bits()
                    + x * layout.pixel_stride_bits()
                    + 8 * plane * layout.plane_stride().unwrap_or(0) as i64;
                start = start.min((first / 8) as isize);
                end = end.max(((first + unit - 1) / 8 + 1) as isize);
            }
        }
    }
    let origin = layout.offset() as isize;
    start - origin..end - origin
}
