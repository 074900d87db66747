//! Whole saves: pixels of any format, in any layout, from any kind of source,
//! with any options. Two decoders of others must find the pixels that the
//! layout and the format mean by their definitions, and whatever has the same
//! pixels must make the same file.
//!
//! How to run it is said in `deflate.rs`.
#![no_main]

#[path = "../../common/mod.rs"]
mod common;
mod content;

use std::cell::Cell;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU8, AtomicU32};

use common::{DEFINITIONS, Decoded, Definition};
use content::Program;
use libfuzzer_sys::arbitrary::{Arbitrary, Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use pixview::png::{Filter, IndexDepth};
use pixview::{Compression, Image, Layout, PixelSource, PngEncoder};

/// The most bytes of scanlines: three strips and a part of a fourth.
const MOST: usize = 7 << 18;

/// The most bytes between pixels, and around them.
const SPARE: usize = 4 << 20;

#[derive(Debug)]
struct Case<'a> {
    layout: Layout,
    /// Bits from a pixel to the next beyond the stride: where they lie side by
    /// side in bytes.
    bits: usize,
    /// Columns that are cut off, to begin within a byte.
    skipped: u32,
    /// Bytes of the buffer.
    len: usize,
    source: Source,
    compression: Compression,
    filter: Filter,
    threads: usize,
    content: Program<'a>,
}

#[derive(Clone, Copy, Debug)]
enum Source {
    Slice,
    Vec,
    Cells,
    Mutex,
    AtomicU8,
    AtomicU32,
}

impl<'a> Arbitrary<'a> for Case<'a> {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        use Compression::{Best, Fast, Small, Stored};
        // What takes a byte each comes first: the fuzzer begins with short
        // inputs.
        let definition = DEFINITIONS[u.choose_index(DEFINITIONS.len())?];
        let compression = *u.choose(&[Fast, Stored, Small, Best])?;
        let filter = *u.choose(&[
            Filter::Auto,
            Filter::Auto,
            Filter::None,
            Filter::Sub,
            Filter::Up,
            Filter::Average,
            Filter::Paeth,
        ])?;
        let threads = u.int_in_range(1..=3)?;
        let source = *u.choose(&[
            Source::Slice,
            Source::Vec,
            Source::Cells,
            Source::Mutex,
            Source::AtomicU8,
            Source::AtomicU32,
        ])?;
        let (width, height) = size(u, definition.size())?;
        let mut bits = 0;
        if definition.is_sub_byte() && u.ratio(3, 4)? {
            bits = definition.bits_per_pixel();
        }
        let (layout, len) = layout(u, &definition, width, height, bits)?;
        let skipped = match bits {
            0 => 0,
            _ => u.int_in_range(0..=7.min(width as u32 - 1))?,
        };
        Ok(Case {
            layout,
            bits,
            skipped,
            len,
            source,
            compression,
            filter,
            threads,
            content: u.arbitrary()?,
        })
    }
}

/// Mostly few pixels, in images of any proportions: single rows of more than
/// a strip too, and as many rows of one pixel.
fn size(u: &mut Unstructured, pixel_size: usize) -> Result<(usize, usize)> {
    let bits = match u.arbitrary()? {
        n @ 0..=223u8 => n % 13,
        n => 13 + n % 8,
    };
    let wide = u.int_in_range(0..=bits)?;
    let mut side = |bits: u8| u.int_in_range(1 << bits..=(2 << bits) - 1);
    let width = side(wide)?.min(MOST / pixel_size - 1);
    let height = side(bits - wide)?.min(MOST / (width * pixel_size + 1));
    Ok((width, height))
}

/// A layout and the length of a buffer that holds it, or doesn't.
fn layout(
    u: &mut Unstructured,
    definition: &Definition,
    width: usize,
    height: usize,
    bits: usize,
) -> Result<(Layout, usize)> {
    let (w, h) = (width as isize, height as isize);
    let size = definition.size() as isize;
    if bits > 0 {
        let row = definition.row_size(width) + usize::from(u.arbitrary::<u8>()? / 8);
        let up: bool = u.arbitrary()?;
        let (before, behind) = (u.arbitrary::<u8>()? / 16, u.arbitrary::<u8>()? / 16);
        let first = if up { (height - 1) * row } else { 0 };
        let stride = if up { -(row as isize) } else { row as isize };
        let layout = Layout::packed(width as u32, height as u32, definition.format)
            .with_offset(usize::from(before) + first)
            .with_row_stride(stride);
        return Ok((
            layout,
            usize::from(before) + height * row + usize::from(behind),
        ));
    }
    let kind = u.int_in_range(0..=9)?;
    // Where elements are larger than bytes, most layouts would be refused.
    let grain = if u.arbitrary()? { 4 } else { 1 };
    let round = |bytes: isize| bytes - bytes % grain;
    // No more of it than is left when there are `n` such distances.
    let most = |n: isize| SPARE as isize / n;

    let (pixel, row, plane) = match kind {
        0..=1 => (size, size * w, None),
        // Padded, mirrored, transposed, in planes: no pixels share bytes.
        2..=7 => {
            let [mirror_x, mirror_y, mirror_planes, transposed, planar] = flags(u)?;
            let planar = planar && definition.is_planar();
            let unit = match planar {
                true => definition.sample_size() as isize,
                false => size,
            };
            let (inner, outer) = if transposed { (h, w) } else { (w, h) };
            let gap = u.int_in_range(0..=most(w * h * size).min(100))?;
            let padding = u.int_in_range(0..=most(outer * size).min(5000))?;
            let short = unit + round(gap);
            let long = inner * short + round(padding);
            let (pixel, row) = match transposed {
                true => (long, short),
                false => (short, long),
            };
            let sign = |stride: isize, negative: bool| if negative { -stride } else { stride };
            (
                sign(pixel, mirror_x),
                sign(row, mirror_y),
                planar.then(|| sign(outer * long, mirror_planes)),
            )
        }
        // Pixels may overlap.
        8 => {
            let mut near = |n| {
                let most = most(n).min(500);
                u.int_in_range(-most..=most).map(round)
            };
            let (pixel, row, plane) = (near(w)?, near(h)?, near(1)?);
            (pixel, row, u.ratio(1, 3)?.then_some(plane))
        }
        // Hardly ever within the buffer.
        _ => (u.arbitrary()?, u.arbitrary()?, u.arbitrary()?),
    };
    let mut layout = Layout::packed(width as u32, height as u32, definition.format)
        .with_pixel_stride(pixel)
        .with_row_stride(row);
    if let Some(plane) = plane {
        layout = layout.with_plane_stride(plane);
    }

    let (lowest, end) = reach(&layout);
    let before = round(u.arbitrary::<u8>()?.into());
    // A few more than needed, and a byte too few now and then.
    let behind = match u.arbitrary()? {
        u8::MAX => -1,
        n => isize::from(n),
    };
    let offset = before as i128 - lowest;
    let len = offset + end + behind as i128;
    let fits = |bytes: i128| (0..=2 * (MOST + SPARE) as i128).contains(&bytes);
    if fits(offset) && fits(len) {
        Ok((layout.with_offset(offset as usize), len as usize))
    } else {
        Ok((layout.with_offset(u.arbitrary()?), 1000))
    }
}

/// Five bits of one byte.
fn flags(u: &mut Unstructured) -> Result<[bool; 5]> {
    let byte: u8 = u.arbitrary()?;
    Ok([0, 1, 2, 3, 4].map(|bit| byte >> bit & 1 == 1))
}

/// The bytes that lie together, and how many of them make a pixel.
fn unit(layout: &Layout) -> (usize, usize) {
    let definition = Definition::of(layout.format());
    match layout.plane_stride() {
        None => (definition.size(), 1),
        Some(_) => {
            let unit = definition.sample_size();
            (unit, definition.size() / unit)
        }
    }
}

/// The first byte of any pixel, and the one behind the last, from the offset.
fn reach(layout: &Layout) -> (i128, i128) {
    let (unit, planes) = unit(layout);
    let axes = [
        (layout.width() as usize, layout.pixel_stride()),
        (layout.height() as usize, layout.row_stride()),
        (planes, layout.plane_stride().unwrap_or(0)),
    ];
    let ends = axes.map(|(count, stride)| (count as i128 - 1) * stride as i128);
    let below: i128 = ends.iter().map(|&end| end.min(0)).sum();
    let above: i128 = ends.iter().map(|&end| end.max(0)).sum();
    (below, above + unit as i128)
}

/// What must be in the file.
fn expected(case: &Case, memory: &[u8]) -> Vec<Vec<u16>> {
    let layout = &case.layout;
    let definition = Definition::of(layout.format());
    let (unit, planes) = unit(layout);
    let mut pixels = Vec::new();
    let mut pixel = vec![0; definition.size()];
    for y in 0..layout.height() as isize {
        for x in case.skipped as isize..layout.width() as isize {
            if definition.is_sub_byte() {
                let byte =
                    layout.offset() as isize + y * layout.row_stride() + x * layout.pixel_stride();
                let bit = 8 * byte as usize + x as usize * case.bits;
                pixels.push(definition.samples(&definition.load(memory, bit, 1)));
                continue;
            }
            for c in 0..planes {
                let at = layout.offset() as isize
                    + y * layout.row_stride()
                    + x * layout.pixel_stride()
                    + c as isize * layout.plane_stride().unwrap_or(0);
                let from = &memory[at as usize..at as usize + unit];
                pixel[c * unit..][..unit].copy_from_slice(from);
            }
            pixels.push(definition.samples(&pixel));
        }
    }
    pixels
}

/// The same pixels as PNG has them, packed, in rows of so many.
fn plain(definition: &Definition, pixels: &[Vec<u16>], width: usize) -> (Vec<u8>, Definition) {
    let plain = definition.png();
    let pixels: Vec<Vec<u8>> = pixels.iter().map(|pixel| plain.bytes(pixel)).collect();
    let rows = pixels.chunks(width).flat_map(|row| plain.pack(row));
    (rows.collect(), plain)
}

/// What the program says, over and over until there are `len` bytes.
fn fill(content: &Program, len: usize) -> Vec<u8> {
    let mut memory = content.run(len);
    if memory.is_empty() {
        memory.push(0);
    }
    let once = memory.len();
    while memory.len() < len {
        memory.extend_from_within(..once.min(len - memory.len()));
    }
    memory.truncate(len);
    memory
}

fuzz_target!(|case: Case| {
    let mut memory = fill(&case.content, case.len);
    match case.source {
        Source::Slice => check(&case, &memory[..], &memory),
        Source::Vec => check(&case, memory.clone(), &memory),
        Source::Cells => {
            let copy = memory.clone();
            let cells = Cell::from_mut(&mut memory[..]).as_slice_of_cells();
            check(&case, cells, &copy);
        }
        Source::Mutex => check(&case, Mutex::new(memory.clone()), &memory),
        Source::AtomicU8 => {
            let atomics: Vec<AtomicU8> = memory.iter().map(|&byte| byte.into()).collect();
            check(&case, &atomics[..], &memory);
        }
        Source::AtomicU32 => {
            memory.resize(memory.len().next_multiple_of(4), 0);
            let words = memory.as_chunks().0.iter();
            let atomics: Vec<AtomicU32> =
                words.map(|&word| u32::from_ne_bytes(word).into()).collect();
            check(&case, &atomics[..], &memory);
        }
    }
});

fn check(case: &Case, source: impl PixelSource, memory: &[u8]) {
    let layout = &case.layout;
    let definition = Definition::of(layout.format());
    let image = Image::with_layout(source, *layout);

    // Refused when it has to be, and not otherwise.
    let (lowest, end) = reach(layout);
    let offset = layout.offset() as i128;
    let inside = offset + lowest >= 0 && offset + end <= memory.len() as i128;
    // What lies side by side was made to fit.
    let inside = inside || case.bits > 0;
    let separable = layout.plane_stride().is_none() || definition.is_planar();
    let fits = match case.source {
        Source::AtomicU8 => definition.sample_size() == 1,
        Source::AtomicU32 => image.is_ok(), // not gone into
        _ => true,
    };
    let image = match image {
        Ok(image) => definition.with_palette(image),
        Err(error) => {
            assert!(!(inside && separable && fits), "{error}");
            return;
        }
    };
    assert!(inside && separable && fits, "should have been refused");

    let (w, h) = (layout.width() - case.skipped, layout.height());
    let image = image.crop(case.skipped, 0, w, h).unwrap();
    let mut encoder = PngEncoder::new()
        .compression(case.compression)
        .filter(case.filter)
        .threads(case.threads);
    let png = encoder.to_png(&image).expect("it can be saved");
    let pixels = expected(case, memory);
    let width = (layout.width() - case.skipped) as usize;
    let expected = Decoded {
        width,
        height: layout.height() as usize,
        channels: definition.decoded_channels(),
        depth: definition.decoded_depth(),
        samples: pixels
            .iter()
            .flat_map(|pixel| definition.decoded(pixel))
            .collect(),
    };
    let decoded = common::decode(&png);
    if decoded != expected {
        let mut pairs = decoded.samples.iter().zip(&expected.samples);
        let at = pairs.position(|(found, expected)| found != expected);
        panic!("from sample {at:?} on: {decoded:?}\nis not {expected:?}");
    }

    let (bytes, plain) = plain(&definition, &pixels, width);
    // The promise of `Compression`, and a palette.
    let rows = bytes.len() + expected.height;
    assert!(png.len() <= rows + rows / 1000 + 300 + 768, "{}", png.len());

    assert!(encoder.to_png(&image).unwrap() == png, "not the same again");
    let image = Image::from_buffer(&bytes, width as u32, layout.height(), plain.format);
    let image = plain.with_palette(image.unwrap());
    let mut encoder = PngEncoder::new()
        .compression(case.compression)
        .filter(case.filter);
    // Indices at more bits than they need show the same.
    let wide = encoder
        .index_depth(IndexDepth::Eight)
        .to_png(&image)
        .unwrap();
    assert!(common::decode(&wide) == decoded, "not the same at 8 bits");
    encoder = PngEncoder::new()
        .compression(case.compression)
        .filter(case.filter);
    let plain = encoder.to_png(&image).unwrap();
    assert!(plain == png, "not the file of the same pixels, packed");
}
