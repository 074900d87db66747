//! Every format over random layouts and sources, against a plain model:
//! reads, writes and saves.

mod common;

use std::cell::{Cell, RefCell};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Mutex, RwLock};

use common::{DEFINITIONS, Definition, decode, noise};
use pixview::{Channel, ErrorKind, Image, Layout, PixelFormat, PixelSource, PixelSourceMut};
use proptest::prelude::*;

/// Where the pixels of a view lie, as a table of addresses in bits: the address
/// of each sample group (a pixel, or its samples in planes).
#[derive(Clone, Debug)]
struct Model {
    definition: Definition,
    /// Rows of pixels; each pixel is the addresses of its parts, in order.
    rows: Vec<Vec<Vec<usize>>>,
    /// Bytes in one part, 1 if it is smaller.
    part: usize,
}

impl Model {
    fn pixel_bytes(&self, memory: &[u8], x: usize, y: usize) -> Vec<u8> {
        let parts = self.rows[y][x].iter();
        parts
            .flat_map(|&at| self.definition.load(memory, at, self.part))
            .collect()
    }

    fn samples(&self, memory: &[u8], x: usize, y: usize) -> Vec<u16> {
        self.definition.samples(&self.pixel_bytes(memory, x, y))
    }

    fn row_bytes(&self, memory: &[u8], y: usize) -> Vec<u8> {
        let width = self.rows[y].len();
        let pixels = (0..width).map(|x| self.pixel_bytes(memory, x, y));
        self.definition.pack(&pixels.collect::<Vec<_>>())
    }

    fn write(&self, memory: &mut [u8], x: usize, y: usize, bytes: &[u8]) {
        for (&at, part) in self.rows[y][x].iter().zip(bytes.chunks(self.part)) {
            self.definition.store(memory, at, part);
        }
    }

    fn overlaps(&self) -> bool {
        let mut seen = std::collections::HashSet::new();
        let mut parts = self.rows.iter().flatten().flatten();
        let size = if self.definition.is_sub_byte() {
            self.definition.bits_per_pixel()
        } else {
            8 * self.part
        };
        !parts.all(|&at| (at..at + size).all(|bit| seen.insert(bit)))
    }

    fn transform(&mut self, step: &Step) {
        let (width, height) = (self.rows[0].len(), self.rows.len());
        match *step {
            Step::FlipHorizontal => self.rows.iter_mut().for_each(|row| row.reverse()),
            Step::FlipVertical => self.rows.reverse(),
            Step::Transpose => {
                self.rows = (0..width)
                    .map(|x| self.rows.iter().map(|row| row[x].clone()).collect())
                    .collect();
            }
            Step::Crop(..) => {
                let (x, y, w, h) = step.rectangle(width, height);
                let rows = self.rows[y..y + h].iter();
                self.rows = rows.map(|row| row[x..x + w].to_vec()).collect();
            }
        }
    }
}

#[derive(Clone, Debug)]
enum Step {
    FlipHorizontal,
    FlipVertical,
    Transpose,
    /// Shares of what there is to cut off: left, top, width, height.
    Crop(f64, f64, f64, f64),
}

impl Step {
    fn rectangle(&self, width: usize, height: usize) -> (usize, usize, usize, usize) {
        let &Step::Crop(left, top, w, h) = self else {
            unreachable!()
        };
        let share = |of: usize, share: f64| ((of as f64 * share) as usize).min(of - 1);
        let (x, y) = (share(width, left), share(height, top));
        (x, y, 1 + share(width - x, w), 1 + share(height - y, h))
    }

    fn apply<S>(&self, image: Image<S>) -> Image<S> {
        match self {
            Step::FlipHorizontal => image.flip_horizontal(),
            Step::FlipVertical => image.flip_vertical(),
            Step::Transpose => image.transpose(),
            Step::Crop(..) => {
                let (w, h) = (image.width() as usize, image.height() as usize);
                let (x, y, w, h) = self.rectangle(w, h);
                image.crop(x as u32, y as u32, w as u32, h as u32).unwrap()
            }
        }
    }
}

#[derive(Clone, Debug)]
struct Case {
    definition: Definition,
    layout: Layout,
    /// Bits from a pixel to the next.
    stride: isize,
    len: usize,
    seed: u64,
    kind: usize,
    steps: Vec<Step>,
}

impl Case {
    fn model(&self) -> Model {
        let Case {
            definition, layout, ..
        } = self;
        let address = |x: u32, y: u32, c: usize| {
            8 * (layout.offset() as isize
                + y as isize * layout.row_stride()
                + c as isize * layout.plane_stride().unwrap_or(0))
                + x as isize * self.stride
        };
        let (part, parts) = match layout.plane_stride() {
            None => (definition.size(), 1),
            Some(_) => {
                let part = definition.sample_size();
                (part, definition.size() / part)
            }
        };
        let pixel = |x, y| (0..parts).map(|c| address(x, y, c) as usize).collect();
        Model {
            definition: *definition,
            rows: (0..layout.height())
                .map(|y| (0..layout.width()).map(|x| pixel(x, y)).collect())
                .collect(),
            part,
        }
    }
}

fn step() -> impl Strategy<Value = Step> {
    let share = || 0.0..1.0f64;
    prop_oneof![
        Just(Step::FlipHorizontal),
        Just(Step::FlipVertical),
        Just(Step::Transpose),
        (share(), share(), share(), share()).prop_map(|(x, y, w, h)| Step::Crop(x, y, w, h)),
    ]
}

fn case() -> impl Strategy<Value = Case> {
    let size = || prop_oneof![Just(1u32), 1..20u32];
    // Axes nested in either order, apart by some padding or by none; now and
    // then any strides at all, so that pixels overlap.
    let strides = prop_oneof![
        4 => (0..6isize, 0..40isize, any::<[bool; 2]>(), any::<bool>()).prop_map(Some),
        1 => Just(None),
    ];
    (
        (0..DEFINITIONS.len(), size(), size(), strides, any::<bool>()),
        (-70..70isize, -300..300isize, -500..500isize),
        (0..9usize, 0..9usize, any::<u64>(), 0..6usize),
        prop::collection::vec(step(), 0..5),
    )
        .prop_map(
            |(
                (index, width, height, strides, planar),
                any,
                (before, behind, seed, kind),
                steps,
            )| {
                let definition = DEFINITIONS[index];
                let planar = planar && definition.is_planar();
                let unit = if planar {
                    definition.sample_size()
                } else {
                    definition.size()
                } as isize;
                let planes = definition.size() as isize / unit;
                if definition.is_sub_byte() && seed % 4 > 0 {
                    // Side by side, as they mostly are.
                    let row = definition.row_size(width as usize) as isize;
                    let (padding, up) =
                        strides.map_or((0, false), |(_, padding, [up, _], _)| (padding, up));
                    let row = row + padding;
                    let layout = Layout::packed(width, height, definition.format)
                        .with_offset(
                            before + if up { (height as isize - 1) * row } else { 0 } as usize,
                        )
                        .with_row_stride(if up { -row } else { row });
                    return Case {
                        definition,
                        layout,
                        stride: definition.bits_per_pixel() as isize,
                        len: before + (height as isize * row) as usize + behind,
                        seed,
                        kind,
                        steps,
                    };
                }
                let (w, h) = (width as isize, height as isize);
                let sign = |stride: isize, negative: bool| if negative { -stride } else { stride };
                let (pixel, row, plane) = match strides {
                    Some((gap, padding, [minus_x, minus_y], transposed)) => {
                        let (inner, outer) = if transposed { (h, w) } else { (w, h) };
                        let short = unit + gap;
                        let long = (inner - 1) * short + unit + padding;
                        let plane = (outer - 1) * long + inner * short + gap;
                        let (pixel, row) = if transposed {
                            (long, short)
                        } else {
                            (short, long)
                        };
                        (sign(pixel, minus_x), sign(row, minus_y), plane)
                    }
                    None => any,
                };
                let reach = |n: isize, stride: isize| {
                    let reach = (n - 1) * stride;
                    (reach.min(0), reach.max(0))
                };
                let plane = if planar { plane } else { 0 };
                let axes = [reach(w, pixel), reach(h, row), reach(planes, plane)];
                let below: isize = axes.iter().map(|a| -a.0).sum();
                let above: isize = axes.iter().map(|a| a.1).sum();
                let mut layout = Layout::packed(width, height, definition.format)
                    .with_offset(before + below as usize)
                    .with_pixel_stride(pixel)
                    .with_row_stride(row);
                if planar {
                    layout = layout.with_plane_stride(plane);
                }
                Case {
                    definition,
                    layout,
                    stride: 8 * pixel,
                    len: before + (below + above + unit) as usize + behind,
                    seed,
                    kind,
                    steps,
                }
            },
        )
}

/// A source of one of several kinds, and a look at its memory afterwards.
fn with_source(
    kind: usize,
    memory: &mut Vec<u8>,
    definition: Definition,
    run: impl FnOnce(Box<dyn PixelSourceMut + '_>),
) {
    match kind {
        0 => run(Box::new(memory)),
        1 => run(Box::new(&mut memory[..])),
        2 => run(Box::new(
            Cell::from_mut(&mut memory[..]).as_slice_of_cells(),
        )),
        3 => run(Box::new(RefCell::new(&mut memory[..]))),
        4 if definition.sample_size() == 1 => {
            let atomics: Vec<AtomicU8> = memory.iter().map(|&b| AtomicU8::new(b)).collect();
            run(Box::new(&atomics[..]));
            for (byte, atomic) in memory.iter_mut().zip(&atomics) {
                *byte = atomic.load(Ordering::Relaxed);
            }
        }
        4 => run(Box::new(Mutex::new(memory))),
        _ => run(Box::new(RwLock::new(&mut memory[..]))),
    }
}

fn config() -> ProptestConfig {
    ProptestConfig {
        cases: if cfg!(miri) { 12 } else { 3000 },
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config())]

    /// Each pixel that is read, and each in the saved file, is the one at the
    /// address that the strides say.
    #[test]
    fn reads_and_saves(case in case()) {
        let mut memory = noise(case.len, case.seed);
        let before = memory.clone();
        let mut model = case.model();
        for step in &case.steps {
            model.transform(step);
        }
        let (width, height) = (model.rows[0].len(), model.rows.len());
        with_source(case.kind, &mut memory, case.definition, |source| {
            let image = Image::with_layout(source, case.layout).unwrap();
            let mut image = case.definition.with_palette(image);
            for step in &case.steps {
                image = step.apply(image);
            }
            assert_eq!((image.width() as usize, image.height() as usize), (width, height));

            let pixels = image.read().unwrap();
            let mut packed = Vec::new();
            for y in 0..height {
                let row = model.row_bytes(&before, y);
                assert_eq!(*pixels.row(y as u32).unwrap(), row);
                let mut copy = vec![0; row.len()];
                pixels.copy_row(y as u32, &mut copy).unwrap();
                assert_eq!(copy, row);
                for x in 0..width {
                    let pixel = pixels.get(x as u32, y as u32).unwrap();
                    assert_eq!(*pixel, model.samples(&before, x, y));
                }
                packed.extend(row);
            }
            drop(pixels);
            assert_eq!(image.to_vec().unwrap(), packed);

            let decoded = decode(&image.to_png().unwrap());
            assert_eq!((decoded.width, decoded.height), (width, height));
            assert_eq!(decoded.channels, case.definition.decoded_channels());
            assert_eq!(decoded.depth, case.definition.decoded_depth());
            for y in 0..height {
                for x in 0..width {
                    let samples = model.samples(&before, x, y);
                    assert_eq!(decoded.pixel(x, y), case.definition.decoded(&samples));
                }
            }
        });
        prop_assert_eq!(memory, before, "a save or a read wrote something");
    }

    /// What is written through a view lands at the address that the strides
    /// say, and not one byte beside it changes. Where pixels share bytes,
    /// nothing is written.
    #[test]
    fn writes(case in case(), rectangle in (0.0..1.0f64, 0.0..1.0f64, 0.0..1.0f64, 0.0..1.0f64)) {
        let mut memory = noise(case.len, case.seed);
        let mut expected = memory.clone();
        let mut model = case.model();
        for step in &case.steps {
            model.transform(step);
        }
        let (width, height) = (model.rows[0].len(), model.rows.len());
        let definition = case.definition;
        let overlaps = model.overlaps();
        let size = definition.size();
        let values = noise(width * height * size + 16, !case.seed);
        let pixel: Vec<u16> = values
            .chunks(2)
            .take(definition.channels())
            .map(|pair| u16::from_ne_bytes([pair[0], pair[1]]) >> (16 - definition.bit_depth()))
            .collect();
        // What the memory is told of so many pixels, and what they are there.
        let pixels_of = |values: &[u8], width: usize| -> (Vec<u8>, Vec<Vec<u8>>) {
            let pixels: Vec<Vec<u8>> = values
                .chunks(size)
                .map(|bytes| if definition.is_sub_byte() { definition.load(bytes, 0, 1) } else { bytes.to_vec() })
                .collect();
            let rows = pixels.chunks(width).flat_map(|row| definition.pack(row));
            (rows.collect(), pixels)
        };

        with_source(case.kind, &mut memory, definition, |source| {
            let mut image = Image::with_layout(source, case.layout).unwrap();
            for step in &case.steps {
                image = step.apply(image);
            }
            let write = image.write();
            if overlaps {
                assert!(matches!(write.unwrap_err().kind(), ErrorKind::Overlap));
                return;
            }
            let mut pixels = write.unwrap();

            let (x, y) = (width / 2, height / 2);
            pixels.put(x as u32, y as u32, &pixel[..]).unwrap();
            model.write(&mut expected, x, y, &definition.bytes(&pixel));
            let kept = definition.samples(&definition.bytes(&pixel));
            assert_eq!(*pixels.get(x as u32, y as u32).unwrap(), kept);

            let (left, top, w, h) = rectangle;
            let (x, y, w, h) = Step::Crop(left, top, w, h).rectangle(width, height);
            let (block, bytes) = pixels_of(&values[..w * h * size], w);
            pixels.put_rect(x as u32, y as u32, w as u32, h as u32, &block).unwrap();
            for (i, bytes) in bytes.iter().enumerate() {
                model.write(&mut expected, x + i % w, y + i / w, bytes);
            }

            let (row, bytes) = pixels_of(&values[..width * size], width);
            pixels.put_row(0, &row).unwrap();
            for (x, bytes) in bytes.iter().enumerate() {
                model.write(&mut expected, x, 0, bytes);
            }

            let (x, y, w, h) = Step::Crop(h as f64 / 30.0, left, top, top).rectangle(width, height);
            pixels.fill_rect(x as u32, y as u32, w as u32, h as u32, &pixel[..]).unwrap();
            for i in 0..w * h {
                model.write(&mut expected, x + i % w, y + i / w, &definition.bytes(&pixel));
            }
            let row = model.row_bytes(&expected, height - 1);
            assert_eq!(*pixels.row(height as u32 - 1).unwrap(), row);
        });
        prop_assert_eq!(memory, expected);
    }
}

/// One channel of every format that has it, over a strided buffer, is that
/// sample of the pixel alone; planar ones too.
#[test]
fn channels() {
    const CHANNELS: [&[Channel]; 4] = [
        &[Channel::Gray],
        &[Channel::Gray, Channel::Alpha],
        &[Channel::Red, Channel::Green, Channel::Blue],
        &[Channel::Red, Channel::Green, Channel::Blue, Channel::Alpha],
    ];
    for definition in DEFINITIONS.iter() {
        let (width, height) = (5, 4);
        let memory = noise(1000, 9);
        let mut layouts = vec![
            Layout::packed(width, height, definition.format)
                .with_offset(6)
                .with_pixel_stride(definition.size() as isize + 2)
                .with_row_stride(128),
        ];
        if definition.is_planar() {
            layouts.push(
                Layout::packed(width, height, definition.format)
                    .with_pixel_stride(definition.sample_size() as isize)
                    .with_row_stride(32)
                    .with_plane_stride(128),
            );
        }
        for layout in layouts {
            let image = Image::with_layout(&memory, layout).unwrap();
            for (index, &channel) in CHANNELS[definition.channels() - 1].iter().enumerate() {
                let alone = image.view().channel(channel);
                if !definition.stands_alone(index) {
                    assert!(matches!(
                        alone.unwrap_err().kind(),
                        ErrorKind::NoChannel { .. }
                    ));
                    continue;
                }
                let alone = alone.unwrap();
                assert_eq!(alone.format().channels(), 1);
                assert_eq!(alone.format().bit_depth(), definition.bit_depth());
                let decoded = decode(&alone.to_png().unwrap());
                for y in 0..height {
                    for x in 0..width {
                        let whole = image.read().unwrap().get(x, y).unwrap();
                        assert_eq!(alone.read().unwrap().get(x, y).unwrap(), [whole[index]]);
                        let shown = definition.decoded(&[whole[index]]);
                        assert_eq!(decoded.pixel(x as usize, y as usize), shown);
                    }
                }
            }
        }
    }
    let gray = Image::new(1, 1, PixelFormat::GRAY8).unwrap();
    let error = gray.channel(Channel::Alpha).unwrap_err();
    assert_eq!(error.to_string(), "GRAY8 has no alpha channel of its own");
    let padded = Image::new(1, 1, PixelFormat::XRGB8888).unwrap();
    assert!(padded.channel(Channel::Alpha).is_err());
}

/// Rows wider than the blocks in which live pixels are fetched.
#[test]
fn wide_rows() {
    fn check(source: impl PixelSource, memory: &[u8], layout: Layout, definition: &Definition) {
        let image = Image::with_layout(source, layout).unwrap();
        let image = definition.with_palette(image);
        let decoded = decode(&image.to_png().unwrap());
        for x in 0..layout.width() as usize {
            let at = layout
                .offset()
                .wrapping_add_signed(x as isize * layout.pixel_stride());
            let expected = definition.samples(&memory[at..at + definition.size()]);
            assert_eq!(
                decoded.pixel(x, 0),
                definition.decoded(&expected),
                "{} {x} {layout:?}",
                definition.format
            );
        }
    }
    for definition in DEFINITIONS.iter() {
        let width = 5000;
        for stride in [definition.size() as isize, 7, 11, 64, 65, 100] {
            let stride = stride.max(definition.size() as isize);
            let mut memory = noise(width * stride as usize, 4);
            for (offset, stride) in [(0, stride), ((width - 1) * stride as usize, -stride)] {
                let layout = Layout::packed(width as u32, 1, definition.format)
                    .with_offset(offset)
                    .with_pixel_stride(stride);
                check(&memory, &memory, layout, definition);
                let copy = memory.clone();
                let cells = Cell::from_mut(&mut memory[..]).as_slice_of_cells();
                check(cells, &copy, layout, definition);
            }
        }
    }
}

/// Rows of bits wider than the blocks in which they are written, from within a
/// byte to within a byte, either way round.
#[test]
fn wide_rows_of_bits() {
    for definition in DEFINITIONS.iter().filter(|d| d.is_sub_byte()) {
        let (width, first, count) = (9_013, 3, 9_001);
        for flipped in [false, true] {
            let mut memory = noise(definition.row_size(width), 3);
            let mut expected = memory.clone();
            let bits = definition.bits_per_pixel();
            let values = noise(count, 4);
            let pixels: Vec<Vec<u8>> = values
                .iter()
                .map(|v| definition.load(&[*v], 0, 1))
                .collect();
            for (i, pixel) in pixels.iter().enumerate() {
                let x = if flipped {
                    first + count - 1 - i
                } else {
                    first + i
                };
                definition.store(&mut expected, x * bits, pixel);
            }
            let cells = Cell::from_mut(&mut memory[..]).as_slice_of_cells();
            let image = Image::from_buffer(cells, width as u32, 1, definition.format).unwrap();
            let mut view = image.crop(first as u32, 0, count as u32, 1).unwrap();
            if flipped {
                view = view.flip_horizontal();
            }
            let row = definition.pack(&pixels);
            view.write().unwrap().put_row(0, &row).unwrap();
            assert_eq!(*view.read().unwrap().row(0).unwrap(), row);
            assert!(memory == expected, "{} {flipped}", definition.format);
        }
    }
}
