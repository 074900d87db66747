//! Contract 3: during one save the bytes of each visible pixel of a live
//! source are requested once, and the file shows what was read.

mod common;

use std::cell::{Cell, RefCell};
use std::io::{self, Write};

use common::{DEFINITIONS, Definition, decode};
use pixview::png::{Consistency, IndexDepth};
use pixview::source::{Lease, LiveBytes, SourceError};
use pixview::{Compression, Image, Layout, PixelFormat, PixelSource, PngEncoder};

/// Memory in which every byte is another one at every read.
struct Changing {
    len: usize,
    log: RefCell<Log>,
}

struct Log {
    /// How often each byte was asked for.
    requests: Vec<u32>,
    /// What the first request was told.
    first: Vec<u8>,
    clock: u64,
}

impl Changing {
    fn new(len: usize) -> Self {
        Changing {
            len,
            log: RefCell::new(Log {
                requests: vec![0; len],
                first: vec![0; len],
                clock: 0,
            }),
        }
    }
}

impl PixelSource for Changing {
    fn lease(&self) -> Result<Lease<'_>, SourceError> {
        Ok(Lease::live(self))
    }
}

impl LiveBytes for &Changing {
    fn len(&self) -> usize {
        self.len
    }

    fn element_size(&self) -> usize {
        1
    }

    fn copy_to(&self, offset: usize, to: &mut [u8]) -> Result<(), SourceError> {
        let mut log = self.log.borrow_mut();
        for (at, byte) in (offset..).zip(to) {
            log.clock += 1;
            *byte = (log.clock.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8;
            if log.requests[at] == 0 {
                log.first[at] = *byte;
            }
            log.requests[at] += 1;
        }
        Ok(())
    }
}

fn check(definition: &Definition, layout: Layout, len: usize, compression: Compression) {
    check_at(definition, layout, len, compression, IndexDepth::Smallest);
}

fn check_at(
    definition: &Definition,
    layout: Layout,
    len: usize,
    compression: Compression,
    depth: IndexDepth,
) {
    let encoder = PngEncoder::new().compression(compression).threads(3);
    check_save(definition, layout, len, &mut encoder.index_depth(depth));
}

fn check_save(definition: &Definition, layout: Layout, len: usize, encoder: &mut PngEncoder) {
    let source = Changing::new(len);
    let image = definition.with_palette(Image::with_layout(&source, layout).unwrap());
    let png = encoder.to_png(&image).unwrap();
    let decoded = decode(&png);
    let log = source.log.borrow();
    for y in 0..layout.height() as usize {
        for x in 0..layout.width() as usize {
            let at = layout.offset() as isize + y as isize * layout.row_stride();
            // Bits, where pixels lie side by side in bytes.
            let bit = if definition.is_sub_byte() && layout.pixel_stride() == 0 {
                x * definition.bits_per_pixel()
            } else {
                0
            };
            let at = at + x as isize * layout.pixel_stride() + bit as isize / 8;
            let (part, parts) = match layout.plane_stride() {
                None => (definition.size(), 1),
                Some(_) => (
                    definition.sample_size(),
                    definition.size() / definition.sample_size(),
                ),
            };
            let bytes: Vec<usize> = (0..parts)
                .flat_map(|c| {
                    let at = at + c as isize * layout.plane_stride().unwrap_or(0);
                    (0..part).map(move |byte| at as usize + byte)
                })
                .collect();
            for &byte in &bytes {
                assert_eq!(
                    log.requests[byte], 1,
                    "byte {byte} of {} {layout:?}",
                    definition.format
                );
            }
            let mut pixel: Vec<u8> = bytes.iter().map(|&byte| log.first[byte]).collect();
            if definition.is_sub_byte() {
                pixel = definition.load(&pixel, bit % 8, 1);
            }
            let samples = definition.samples(&pixel);
            assert_eq!(decoded.pixel(x, y), definition.decoded(&samples));
        }
    }
}

#[test]
fn each_visible_pixel_is_requested_once() {
    use Compression::{Best, Fast, Small, Stored};
    for definition in DEFINITIONS.iter() {
        let size = definition.size() as isize;
        let (w, h) = (37, 23);
        let packed = Layout::packed(w, h, definition.format);
        let len = (w * h) as usize * definition.size();
        for compression in [Stored, Fast, Small, Best] {
            check(definition, packed, len, compression);
        }
        // padded, bottom-up
        let padded = packed.with_row_stride(-1280).with_offset(22 * 1280);
        check(definition, padded, 23 * 1280, Fast);
        // mirrored
        let mirrored = packed
            .with_pixel_stride(-size)
            .with_offset(36 * definition.size())
            .with_row_stride(37 * size);
        check(definition, mirrored, len, Fast);
        // every second, and every tenth pixel, and columns as rows
        for stride in [2 * size, 10 * size] {
            let sparse = packed
                .with_pixel_stride(stride)
                .with_row_stride(37 * stride);
            check(definition, sparse, len * (stride / size) as usize, Fast);
        }
        let transposed = packed.with_pixel_stride(23 * size).with_row_stride(size);
        check(definition, transposed, len, Fast);
        // Rows wider than the blocks in which pixels are fetched.
        for stride in [size, -size, 2 * size, 80] {
            let start = if stride < 0 { 4999 * -stride } else { 0 };
            let wide = Layout::packed(5000, 2, definition.format)
                .with_offset(start as usize)
                .with_pixel_stride(stride)
                .with_row_stride(5000 * stride.abs());
            check(definition, wide, 10_000 * stride.unsigned_abs(), Fast);
        }
        if definition.is_sub_byte() {
            // Side by side, in wide rows.
            let wide = Layout::packed(20_001, 2, definition.format);
            let len = 2 * definition.row_size(20_001);
            check(definition, wide, len, Fast);
            check_at(definition, wide, len, Fast, IndexDepth::Eight);
        }
        if definition.is_planar() {
            let wide = Layout::planar(5000, 2, definition.format);
            check(definition, wide, 10_000 * definition.size(), Fast);
            let sample = definition.sample_size() as isize;
            let planar = packed
                .with_pixel_stride(sample)
                .with_row_stride(37 * sample)
                .with_plane_stride(37 * 23 * sample);
            check(definition, planar, len, Fast);
        }
    }
}

/// Saves that look for strips of earlier saves: a source that gives the same bytes
/// as another one before, and then other bytes.
#[test]
fn re_saves() {
    for definition in DEFINITIONS.iter() {
        let mut layouts = vec![Layout::packed(37, 23, definition.format)];
        let size = definition.size() as isize;
        let turned = Layout::packed(37, 23, definition.format);
        layouts.push(turned.with_pixel_stride(23 * size).with_row_stride(size));
        if matches!(
            definition.format,
            PixelFormat::RGBA8 | PixelFormat::BGRX8 | PixelFormat::INDEXED8
        ) {
            layouts.push(Layout::packed(3000, 250, definition.format));
        }
        let mut encoder = PngEncoder::new().threads(2).reuse_strips(2);
        for layout in layouts {
            let pixels = layout.width() as usize * layout.height() as usize;
            for _ in 0..3 {
                check_save(definition, layout, pixels * definition.size(), &mut encoder);
            }
            let source = Changing::new(pixels * definition.size());
            let image = Image::with_layout(&source, layout).unwrap();
            let image = definition.with_palette(image);
            let report = encoder.write(&image, io::sink()).unwrap();
            assert_eq!(report.strips_encoded, 0, "{layout:?}");
            let report = encoder.write(&image, io::sink()).unwrap();
            assert_eq!(report.strips_reused, 0, "{layout:?}");
            let log = source.log.borrow();
            assert!(log.requests.iter().all(|&requests| requests <= 2));
        }
    }
}

/// A copy of the frame, and a lease for each strip, request each pixel once as well.
#[test]
fn every_consistency() {
    for definition in DEFINITIONS.iter() {
        let size = definition.size() as isize;
        let packed = Layout::packed(37, 23, definition.format);
        let turned = packed.with_pixel_stride(23 * size).with_row_stride(size);
        for consistency in [Consistency::Snapshot, Consistency::Rows] {
            for compression in [Compression::Stored, Compression::Fast, Compression::Small] {
                let encoder = PngEncoder::new().compression(compression);
                let mut encoder = encoder.consistency(consistency);
                check_save(
                    definition,
                    packed,
                    37 * 23 * definition.size(),
                    &mut encoder,
                );
                check_save(
                    definition,
                    turned,
                    37 * 23 * definition.size(),
                    &mut encoder,
                );
            }
        }
    }
}

/// Bytes of which a view has a part, the other way round, or turned: those that
/// hold pixels of one row are requested once; those that hold pixels of several
/// rows once for each of them.
#[test]
fn bytes_of_several_pixels() {
    for definition in DEFINITIONS.iter().filter(|d| d.is_sub_byte()) {
        let (width, height) = (9001, 3);
        let row = definition.row_size(width as usize);
        let per_byte = 8 / definition.bits_per_pixel() as u32;
        for depth in [IndexDepth::Smallest, IndexDepth::Eight] {
            for turned in [false, true] {
                let source = Changing::new(row * height as usize);
                let image = Image::from_buffer(&source, width, height, definition.format);
                let image = definition.with_palette(image.unwrap());
                let mut view = image.crop(5, 1, 8990, 2).unwrap().flip_horizontal();
                if turned {
                    view = view.transpose();
                }
                let mut encoder = PngEncoder::new().index_depth(depth);
                encoder.write(&view, io::sink()).unwrap();
                let log = source.log.borrow();
                for (at, &requests) in log.requests.iter().enumerate() {
                    let (x, y) = ((at % row) as u32 * per_byte, at / row);
                    let seen = (x..x + per_byte).filter(|x| (5..8995).contains(x)).count() as u32;
                    let expected = match (y, turned) {
                        (0, _) => 0,
                        (_, true) => seen,
                        (_, false) => seen.min(1),
                    };
                    assert_eq!(requests, expected, "byte {at} of {}", definition.format);
                }
            }
        }
    }
}

/// A `Write` that edits the cells in the middle of the save: rows that were
/// read stay as they were, and every pixel of the file was in the array at
/// some moment.
#[test]
fn a_writer_that_edits_the_cells() {
    struct Editing<'a> {
        cells: &'a [Cell<u8>],
        png: Vec<u8>,
        writes: u8,
    }

    impl Write for Editing<'_> {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.png.extend_from_slice(bytes);
            self.writes += 1;
            self.cells.iter().for_each(|cell| cell.set(self.writes));
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    let (width, height) = (512, 2048);
    let mut array = vec![0u8; width * height];
    let cells = Cell::from_mut(&mut array[..]).as_slice_of_cells();
    let image = Image::from_buffer(cells, width as u32, height as u32, PixelFormat::GRAY8).unwrap();
    let mut writer = Editing {
        cells,
        png: Vec::new(),
        writes: 0,
    };
    // Stored, so that the file is written in many pieces.
    let mut encoder = PngEncoder::new().compression(Compression::Stored);
    encoder.write(&image, &mut writer).unwrap();
    assert!(writer.writes > 2, "{} writes are no test", writer.writes);

    let decoded = decode(&writer.png);
    let mut last = 0;
    for row in decoded.samples.chunks(width) {
        // Rows are read top to bottom, each whole before the next write.
        assert!(row.iter().all(|&sample| sample == row[0]), "a torn row");
        assert!(row[0] >= last && row[0] <= writer.writes.into());
        last = row[0];
    }
    assert!(last > 0, "the edits reach rows that were not yet read");
    let image = image.pixels().unwrap();
    assert_eq!(image.get(0, 0).unwrap(), [writer.writes.into()]);
}

/// What is looked at twice is a copy, of which each byte was requested once.
#[test]
fn reducing_looks_at_a_copy() {
    let source = Changing::new(200 * 100 * 4);
    let image = Image::from_buffer(&source, 200, 100, PixelFormat::RGBA8).unwrap();
    let png = PngEncoder::new().reduce(true).to_png(&image).unwrap();
    let log = source.log.borrow();
    assert!(log.requests.iter().all(|&requests| requests == 1));
    let expected: Vec<u16> = log.first.iter().map(|&byte| byte.into()).collect();
    assert_eq!(decode(&png).samples, expected);
}

/// Digests, comparisons and conversions request each visible pixel once, and
/// compute from those bytes.
#[test]
fn in_memory() {
    for definition in DEFINITIONS.iter() {
        let format = definition.format;
        let size = definition.size() as isize;
        let (w, h) = (37, 23);
        let packed = Layout::packed(w, h, format);
        let len = (w * h) as usize * definition.size();
        let mut layouts = vec![
            (packed, len),
            (
                packed.with_row_stride(-1280).with_offset(22 * 1280),
                23 * 1280,
            ),
            (Layout::packed(5000, 2, format), 10_000 * definition.size()),
        ];
        if !definition.is_sub_byte() {
            let turned = packed.with_pixel_stride(23 * size).with_row_stride(size);
            layouts.push((turned, len));
            let sparse = packed.with_pixel_stride(2 * size);
            layouts.push((sparse.with_row_stride(74 * size), 2 * len));
        }
        if definition.is_planar() {
            layouts.push((Layout::planar(w, h, format), len));
        }
        for (layout, len) in layouts {
            let (width, height) = (layout.width(), layout.height());
            fn image<'a>(
                definition: &Definition,
                source: &'a dyn PixelSource,
                layout: Layout,
            ) -> Image<&'a dyn PixelSource> {
                definition.with_palette(Image::with_layout(source, layout).unwrap())
            }
            // Runs `run` with a source, then with what it was first told.
            let check = |name: &str, run: &dyn Fn(Image<&dyn PixelSource>) -> Vec<u8>| {
                let source = Changing::new(len);
                let result = run(image(definition, &source, layout));
                let log = source.log.borrow();
                let name = format!("{name}: {layout:?}");
                assert!(log.requests.iter().all(|&requests| requests <= 1), "{name}");
                let requested = log.requests.iter().filter(|&&requests| requests == 1);
                let visible = definition.row_size(width as usize) * height as usize;
                assert!(requested.count() >= visible, "{name}");
                assert!(
                    result == run(image(definition, &log.first, layout)),
                    "{name}"
                );
            };
            check("digest", &|image| {
                image.digest().unwrap().to_be_bytes().to_vec()
            });
            let reference = vec![0u8; len];
            let other = image(definition, &reference, layout);
            check("compare", &|image| {
                format!("{:?}", image.compare(&other).unwrap()).into_bytes()
            });
            check("compare with", &|image| {
                format!("{:?}", other.compare(&image).unwrap()).into_bytes()
            });
            check("the same format", &|image| image.to_vec_as(format).unwrap());
            if definition.indexed {
                check("indices", &|image| {
                    image.to_vec_as(PixelFormat::INDEXED8).unwrap()
                });
            }
            check("convert", &|image| {
                image.to_vec_as(PixelFormat::BGRA16).unwrap()
            });
            check("convert", &|image| {
                image.to_vec_as(PixelFormat::RGB8).unwrap()
            });
        }
    }
}
