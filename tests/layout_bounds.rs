//! Every layout that is accepted for a buffer reaches only bytes inside it, and the
//! number of bytes that it asks for is minimal: tried for every small layout. Why that
//! holds for large ones: `src/layout/check.rs`.

use std::cell::RefCell;
use std::ops::Range;

use pixview::source::{Lease, LiveBytes, SourceError};
use pixview::{ErrorKind, Image, Layout, PixelFormat, PixelSource};

/// Bytes that are their own number, and the lowest and highest that were read.
struct Numbered {
    len: usize,
    read: RefCell<Range<usize>>,
}

impl PixelSource for Numbered {
    fn lease(&self) -> Result<Lease<'_>, SourceError> {
        Ok(Lease::live(self))
    }
}

impl LiveBytes for &Numbered {
    fn len(&self) -> usize {
        self.len
    }

    fn element_size(&self) -> usize {
        1
    }

    fn copy_to(&self, offset: usize, to: &mut [u8]) -> Result<(), SourceError> {
        let mut read = self.read.borrow_mut();
        read.start = read.start.min(offset);
        read.end = read.end.max(offset + to.len());
        assert!(read.end <= self.len, "{read:?} of {} bytes", self.len);
        for (at, byte) in (offset..).zip(to) {
            *byte = at as u8;
        }
        Ok(())
    }
}

/// The bits of each pixel, counted as the docs of `Layout` say. A unit is a pixel, or a
/// sample in planes.
struct Model {
    units: Vec<Range<i64>>,
}

impl Model {
    fn new(layout: Layout, planes: i64, unit_bits: i64) -> Self {
        let (width, height) = (i64::from(layout.width()), i64::from(layout.height()));
        let mut units = Vec::new();
        for y in 0..height {
            for x in 0..width {
                for c in 0..planes {
                    let plane = layout.plane_stride().unwrap_or(0) as i64;
                    let start = layout.offset_bits() as i64
                        + y * layout.row_stride_bits()
                        + x * layout.pixel_stride_bits()
                        + 8 * c * plane;
                    units.push(start..start + unit_bits);
                }
            }
        }
        Model { units }
    }

    fn first_bit(&self) -> i64 {
        self.units.iter().map(|unit| unit.start).min().unwrap()
    }

    /// The bytes from the start of the buffer to the end of the last pixel.
    fn needed(&self) -> i64 {
        let end = self.units.iter().map(|unit| unit.end).max().unwrap();
        (end + 7).div_euclid(8)
    }
}

/// Checks one layout against buffers of every length. Returns whether one was accepted.
fn check(layout: Layout, planes: i64, unit_bits: i64) -> bool {
    let layout = layout.allow_overlap();
    let model = Model::new(layout, planes, unit_bits);
    let (first, needed) = (model.first_bit(), model.needed());
    let image = |len| {
        let read = RefCell::new(Range {
            start: usize::MAX,
            end: 0,
        });
        Image::with_layout(Numbered { len, read }, layout)
    };
    for len in 0..=needed.max(0) + 2 {
        match image(len as usize) {
            Ok(_) => assert!(first >= 0 && needed <= len, "{layout:?} in {len} bytes"),
            Err(error) => match *error.kind() {
                ErrorKind::BeforeBuffer { .. } => assert!(first < 0, "{layout:?}"),
                ErrorKind::BufferTooSmall {
                    needed: asked,
                    given,
                    ..
                } => {
                    assert!(needed > len, "{layout:?} in {len} bytes");
                    assert_eq!((asked, given), (needed as u64, len as u64), "{layout:?}");
                }
                ref kind => panic!("{kind:?}"),
            },
        }
    }
    if layout.offset() != usize::MAX {
        let offset = layout.offset() as isize;
        let reach = first.div_euclid(8) as isize - offset..needed as isize - offset;
        assert_eq!(layout.reach().unwrap(), reach, "{layout:?}");
    }
    if first < 0 {
        return false;
    }
    // In the smallest buffer: the bytes that are read are those of the pixels.
    let image = image(needed as usize).unwrap();
    let packed = image.to_vec().unwrap();
    let lowest = first as usize / 8;
    assert_eq!(
        *image.source().read.borrow(),
        lowest..needed as usize,
        "{layout:?}"
    );
    if unit_bits % 8 == 0 {
        let bytes = model
            .units
            .iter()
            .flat_map(|unit| unit.start / 8..unit.end / 8);
        assert!(
            packed.iter().map(|&byte| i64::from(byte)).eq(bytes),
            "{layout:?}"
        );
    }
    true
}

#[test]
fn every_small_layout() {
    let (mut tried, mut accepted) = (0, 0);
    let sides = || (1..=3).flat_map(|width| (1..=3).map(move |height| (width, height)));
    for (width, height) in sides() {
        for row in -5..=5 {
            for pixel in -4..=4 {
                for offset in [0, 1, 2, 3, 5, 8, 13, 21] {
                    let strided = |format| {
                        Layout::packed(width, height, format)
                            .with_row_stride(row)
                            .with_pixel_stride(pixel)
                            .with_offset(offset)
                    };
                    let mut count = |was_accepted: bool| {
                        tried += 1;
                        accepted += u32::from(was_accepted);
                    };
                    count(check(strided(PixelFormat::GRAY8), 1, 8));
                    count(check(strided(PixelFormat::RGB8), 1, 24));
                    for plane in -3..=3 {
                        let planar = strided(PixelFormat::RGB8).with_plane_stride(plane);
                        count(check(planar, 3, 8));
                    }
                }
            }
        }
    }
    println!("{tried} layouts tried, {accepted} fit a buffer");
    assert!(tried > 50_000 && accepted > tried / 4 && accepted < tried);
}

/// Pixels of bits, in every crop, flip and transpose of a small image.
#[test]
fn every_small_layout_of_bits() {
    let (mut tried, mut accepted) = (0, 0);
    for (format, bits) in [
        (PixelFormat::GRAY1, 1),
        (PixelFormat::GRAY2, 2),
        (PixelFormat::GRAY4, 4),
    ] {
        for (stride, offset) in [(3, 0), (3, 2), (-3, 12), (0, 0), (-2, 5)] {
            let whole = Layout::packed(11, 5, format).with_offset(offset);
            let whole = whole.with_row_stride(stride).allow_overlap();
            for (x, width) in (0..11).flat_map(|x| (1..=11 - x).map(move |width| (x, width))) {
                for (y, height) in [(0, 1), (0, 5), (1, 3), (4, 1)] {
                    let crop = whole.crop(x, y, width, height).unwrap();
                    for flips in 0..8 {
                        let mut view = crop;
                        if flips & 1 != 0 {
                            view = view.flip_horizontal();
                        }
                        if flips & 2 != 0 {
                            view = view.flip_vertical();
                        }
                        if flips & 4 != 0 {
                            view = view.transpose();
                        }
                        tried += 1;
                        accepted += u32::from(check(view, 1, bits));
                    }
                }
            }
        }
    }
    println!("{tried} layouts tried, {accepted} fit a buffer");
    assert!(tried > 10_000 && accepted > tried / 4);
}
