//! Random layouts of every format over several kinds of sources, and a simple
//! model of where their pixels lie.

// Each test binary uses a different part of this file.
#![allow(dead_code, unreachable_pub)]

use std::cell::{Cell, RefCell};
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Mutex, RwLock};

use pixview::{Image, Layout, PixelSourceMut};

use crate::common::{DEFINITIONS, Definition};

/// A table of where the pixels of a view lie. Addresses are in bits. A pixel is
/// one part or, in a planar layout, one part for each sample.
#[derive(Clone, Debug)]
pub struct Model {
    pub definition: Definition,
    /// The rows. A pixel is the list of the addresses of its parts, in order.
    pub rows: Vec<Vec<Vec<usize>>>,
    /// The bytes of one part, or 1 if a part is smaller than a byte.
    pub part: usize,
}

impl Model {
    pub fn pixel_bytes(&self, memory: &[u8], x: usize, y: usize) -> Vec<u8> {
        let parts = self.rows[y][x].iter();
        parts
            .flat_map(|&at| self.definition.load(memory, at, self.part))
            .collect()
    }

    pub fn samples(&self, memory: &[u8], x: usize, y: usize) -> Vec<u16> {
        self.definition.samples(&self.pixel_bytes(memory, x, y))
    }

    pub fn row_bytes(&self, memory: &[u8], y: usize) -> Vec<u8> {
        let width = self.rows[y].len();
        let pixels = (0..width).map(|x| self.pixel_bytes(memory, x, y));
        self.definition.pack(&pixels.collect::<Vec<_>>())
    }

    pub fn write(&self, memory: &mut [u8], x: usize, y: usize, bytes: &[u8]) {
        for (&at, part) in self.rows[y][x].iter().zip(bytes.chunks(self.part)) {
            self.definition.store(memory, at, part);
        }
    }

    pub fn overlaps(&self) -> bool {
        let mut seen = std::collections::HashSet::new();
        let mut parts = self.rows.iter().flatten().flatten();
        let size = if self.definition.is_sub_byte() {
            self.definition.bits_per_pixel()
        } else {
            8 * self.part
        };
        !parts.all(|&at| (at..at + size).all(|bit| seen.insert(bit)))
    }

    pub fn transform(&mut self, step: &Step) {
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
pub enum Step {
    FlipHorizontal,
    FlipVertical,
    Transpose,
    /// Left, top, width and height, each as a share of the largest value.
    Crop(f64, f64, f64, f64),
}

impl Step {
    pub fn rectangle(&self, width: usize, height: usize) -> (usize, usize, usize, usize) {
        let &Step::Crop(left, top, w, h) = self else {
            unreachable!()
        };
        let share = |of: usize, share: f64| ((of as f64 * share) as usize).min(of - 1);
        let (x, y) = (share(width, left), share(height, top));
        (x, y, 1 + share(width - x, w), 1 + share(height - y, h))
    }

    pub fn apply<S>(&self, image: Image<S>) -> Image<S> {
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
pub struct Case {
    pub definition: Definition,
    pub layout: Layout,
    /// The bits from a pixel to the pixel on its right.
    pub stride: isize,
    pub len: usize,
    pub seed: u64,
    pub kind: usize,
    pub steps: Vec<Step>,
}

impl Case {
    pub fn model(&self) -> Model {
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

/// Random numbers, the same for the same seed on every platform.
pub struct Random(u64);

impl Random {
    /// Returns the random numbers of a seed.
    pub fn new(seed: u64) -> Self {
        Random(seed)
    }

    /// Returns any 64 bits (`SplitMix64`).
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Returns a number in a range.
    pub fn within(&mut self, range: Range<isize>) -> isize {
        let count = (range.end - range.start) as u64;
        range.start + (self.bits() % count) as isize
    }

    pub fn index(&mut self, count: usize) -> usize {
        self.within(0..count as isize) as usize
    }

    pub fn flag(&mut self) -> bool {
        self.bits() >> 63 == 1
    }

    /// Returns a number that is at least 0 and less than 1.
    pub fn share(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 53) as f64
    }

    pub fn shares(&mut self) -> [f64; 4] {
        [(); 4].map(|()| self.share())
    }
}

/// Runs `check` on `count` random cases, which are the same in each run. If it
/// panics, prints the case.
pub fn each_case(count: u64, check: impl Fn(Case, &mut Random)) {
    for seed in 0..count {
        let mut random = Random::new(seed);
        let case = case(&mut random);
        let shown = case.clone();
        let run = AssertUnwindSafe(|| check(case, &mut random));
        if let Err(panic) = catch_unwind(run) {
            eprintln!("the case with seed {seed}: {shown:#?}");
            resume_unwind(panic);
        }
    }
}

fn step(random: &mut Random) -> Step {
    match random.index(4) {
        0 => Step::FlipHorizontal,
        1 => Step::FlipVertical,
        2 => Step::Transpose,
        _ => {
            let [left, top, width, height] = random.shares();
            Step::Crop(left, top, width, height)
        }
    }
}

fn case(random: &mut Random) -> Case {
    let definition = DEFINITIONS[random.index(DEFINITIONS.len())];
    let mut size = || {
        if random.flag() {
            1
        } else {
            random.within(1..20) as u32
        }
    };
    let (width, height) = (size(), size());
    // In four of five cases, the axes are nested, in either order and with or
    // without padding. In the others the strides are arbitrary, so that pixels
    // may overlap.
    let strides = (random.index(5) > 0).then(|| {
        (
            random.within(0..6),
            random.within(0..40),
            [random.flag(), random.flag()],
            random.flag(),
        )
    });
    let any = (
        random.within(-70..70),
        random.within(-300..300),
        random.within(-500..500),
    );
    let planar = random.flag() && definition.is_planar();
    let (before, behind) = (random.index(9), random.index(9));
    let (seed, kind) = (random.bits(), random.index(6));
    let steps = (0..random.index(5)).map(|_| step(random)).collect();

    let unit = if planar {
        definition.sample_size()
    } else {
        definition.size()
    } as isize;
    let planes = definition.size() as isize / unit;
    if definition.is_sub_byte() && seed % 4 > 0 {
        // Pixels smaller than a byte mostly lie side by side.
        let row = definition.row_size(width as usize) as isize;
        let (padding, up) = strides.map_or((0, false), |(_, padding, [up, _], _)| (padding, up));
        let row = row + padding;
        let layout = Layout::packed(width, height, definition.format)
            .allow_overlap()
            .with_offset(before + if up { (height as isize - 1) * row } else { 0 } as usize)
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
        .allow_overlap()
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
}

/// Runs `run` with a source of the given kind. Afterwards `memory` has the bytes
/// of the source.
pub fn with_source(
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
