//! Contract 8 for re-saves: whatever an encoder has saved before, its next file
//! has the bytes of a file from scratch, and the report of the save is right.

#[path = "common/cases.rs"]
mod cases;
mod common;

use std::cell::Cell;
use std::fs;
use std::io::{self, Write};
use std::ops::ControlFlow::{Break, Continue};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::PathBuf;

use cases::{Random, with_source};
use common::{DEFINITIONS, Definition, color, decode, decode_zune, noise};
use pixview::metadata::Text;
use pixview::png::{Filter, IndexDepth};
use pixview::source::{Lease, LiveBytes, SourceError};
use pixview::{
    Compression, Error, Image, Layout, Metadata, Palette, PixelSource, PixelSourceMut, PngEncoder,
};

/// Every option of an encoder that has an effect on a re-save.
#[derive(Clone, Debug)]
struct Options {
    compression: Compression,
    filter: Filter,
    depth: IndexDepth,
    reduce: bool,
    title: Option<String>,
    threads: usize,
    images: u32,
    limit: u64,
}

impl Options {
    fn new() -> Self {
        Options {
            compression: Compression::Fast,
            filter: Filter::Auto,
            depth: IndexDepth::Smallest,
            reduce: false,
            title: None,
            threads: 1,
            images: 1,
            limit: u64::MAX,
        }
    }

    fn apply(&self, encoder: PngEncoder) -> PngEncoder {
        let mut metadata = Metadata::default();
        if let Some(title) = &self.title {
            metadata.text.push(Text::new("Title", title.clone()));
        }
        encoder
            .compression(self.compression)
            .filter(self.filter)
            .index_depth(self.depth)
            .reduce(self.reduce)
            .metadata(metadata)
            .threads(self.threads)
            .reuse_strips(self.images)
            .max_kept_bytes(self.limit)
            .on_progress(|_| Continue(()))
    }

    /// Changes one option.
    fn change(&mut self, random: &mut Random) {
        use Compression::{Best, Fast, Small, Stored};
        match random.index(9) {
            0 | 1 => {
                let modes = [Stored, Fast, Fast, Fast, Fast, Small, Best];
                self.compression = modes[random.index(modes.len())];
            }
            2 => {
                let filters = [
                    Filter::Auto,
                    Filter::Auto,
                    Filter::None,
                    Filter::Sub,
                    Filter::Up,
                    Filter::Average,
                    Filter::Paeth,
                ];
                self.filter = filters[random.index(filters.len())];
            }
            3 => {
                let depths = [
                    IndexDepth::Smallest,
                    IndexDepth::One,
                    IndexDepth::Two,
                    IndexDepth::Four,
                    IndexDepth::Eight,
                ];
                self.depth = depths[random.index(depths.len())];
            }
            4 => self.reduce = !self.reduce,
            5 => self.title = random.flag().then(|| format!("{}", random.bits())),
            6 => self.threads = 1 + random.index(4),
            7 => self.images = random.index(4) as u32,
            _ => {
                let limits = [u64::MAX, 0, 1000, 100_000, 500_000];
                self.limit = limits[random.index(limits.len())];
            }
        }
    }
}

/// A picture, packed.
#[derive(Clone)]
struct Picture {
    definition: Definition,
    width: usize,
    height: usize,
    packed: Vec<u8>,
    /// The palette of an indexed picture: this number of colors, from this one on.
    colors: usize,
    first_color: usize,
    /// The layout and the source through which the encoder sees the picture.
    layout: usize,
    source: usize,
}

impl Picture {
    /// A picture whose rows have about `row` bytes in the file.
    fn new(definition: Definition, row: usize, height: usize, random: &mut Random) -> Self {
        let bits = definition.channels() * usize::from(definition.bit_depth());
        let width = (row * 8 / bits).max(1);
        let most = 1 << definition.bits_per_pixel().min(8);
        let mut picture = Picture {
            definition,
            width,
            height,
            packed: vec![0; definition.row_size(width) * height],
            colors: if random.flag() {
                most
            } else {
                1 + random.index(most)
            },
            first_color: random.index(100),
            layout: random.index(6),
            source: random.index(6),
        };
        picture.draw(random);
        picture
    }

    /// A size that makes one strip, several, or one row a strip.
    fn random_size(random: &mut Random) -> (usize, usize) {
        match random.index(10) {
            0..3 => (1 + random.index(60), 1 + random.index(60)),
            3 => (40_000 + random.index(20_000), 20 + random.index(10)),
            4 => (530_000, 1 + random.index(3)),
            _ => {
                let row = 3000 + random.index(17_000);
                let size = 500_000 + random.index(1_000_000);
                (row, size / row)
            }
        }
    }

    fn pixel(&self, random: &mut Random) -> Vec<u8> {
        let definition = &self.definition;
        if definition.indexed {
            return definition.bytes(&[random.index(self.colors) as u16]);
        }
        let bytes = noise(definition.size(), random.bits());
        definition.load(&bytes, 0, bytes.len())
    }

    fn put(&mut self, x: usize, y: usize, pixel: &[u8]) {
        let row = 8 * self.definition.row_size(self.width);
        let bit = y * row + x * self.definition.bits_per_pixel();
        self.definition.store(&mut self.packed, bit, pixel);
    }

    fn fill(&mut self, x: usize, y: usize, width: usize, height: usize, pixel: &[u8]) {
        for y in y..y + height {
            for x in x..x + width {
                self.put(x, y, pixel);
            }
        }
    }

    /// Draws noise, runs of a few colors, grays, or one color.
    fn draw(&mut self, random: &mut Random) {
        let definition = self.definition;
        let max = u16::MAX >> (16 - definition.bit_depth());
        let gray = |random: &mut Random| {
            let mut samples = vec![random.bits() as u16 % 256 % max; definition.channels()];
            if definition.has_alpha() {
                *samples.last_mut().unwrap() = max;
            }
            definition.bytes(&samples)
        };
        let pixels: Vec<Vec<u8>> = match random.index(4) {
            0 if !definition.indexed => {
                self.packed = noise(self.packed.len(), random.bits());
                return;
            }
            1 if !definition.indexed => (0..40).map(|_| gray(random)).collect(),
            2 => vec![self.pixel(random)],
            _ => (0..5).map(|_| self.pixel(random)).collect(),
        };
        for y in 0..self.height {
            let mut x = 0;
            while x < self.width {
                let run = (1 + random.index(90)).min(self.width - x);
                let pixel = &pixels[random.index(pixels.len())];
                self.fill(x, y, run, 1, pixel);
                x += run;
            }
        }
    }

    fn edit(&mut self, random: &mut Random) {
        let (width, height) = (self.width, self.height);
        let row_size = self.definition.row_size(width);
        let (x, y) = (random.index(width), random.index(height));
        let pixel = self.pixel(random);
        match random.index(5) {
            0 => self.put(x, y, &pixel),
            1 => {
                let w = 1 + random.index((width - x).min(50));
                let h = 1 + random.index((height - y).min(50));
                self.fill(x, y, w, h, &pixel);
            }
            2 => self.fill(0, y, width, 1, &pixel),
            3 => {
                // Scrolls.
                self.packed.rotate_left(y * row_size);
            }
            _ => {
                // Rows that lie at the ends of strips of any size.
                for _ in 0..3 {
                    let y = random.index(height.div_ceil(16)) * 16;
                    self.put(x, y.saturating_sub(random.index(2)), &pixel);
                }
            }
        }
    }

    fn palette(&self) -> Option<Palette> {
        let colors = self.first_color..self.first_color + self.colors;
        let colors: Vec<[u8; 3]> = colors.map(color).collect();
        let palette = || Palette::from_rgb(&colors).unwrap();
        self.definition.indexed.then(palette)
    }

    fn image<S: PixelSource>(&self, source: S, layout: Layout) -> Image<S> {
        let mut image = Image::with_layout(source, layout).unwrap();
        if layout.width() as usize > self.width {
            image = image
                .crop(3, 1, self.width as u32, self.height as u32)
                .unwrap();
        }
        match self.palette() {
            Some(palette) => image.with_palette(palette).unwrap(),
            None => image,
        }
    }

    /// A layout, and the bytes that it needs.
    fn layout(&self) -> (Layout, usize) {
        let definition = &self.definition;
        let (width, height) = (self.width, self.height);
        let row = definition.row_size(width);
        let size = definition.size();
        let packed = Layout::packed(width as u32, height as u32, definition.format);
        match self.layout {
            1 => (
                packed.with_row_stride(row as isize + 12),
                (row + 12) * height,
            ),
            2 => {
                let layout = packed.with_row_stride(-(row as isize));
                (layout.with_offset(row * (height - 1)), row * height)
            }
            3 if !definition.is_sub_byte() => {
                let layout = packed.with_pixel_stride(-(size as isize));
                let layout = layout.with_row_stride(row as isize);
                (layout.with_offset(row - size), row * height)
            }
            4 if definition.is_planar() => {
                let format = definition.format;
                let layout = Layout::planar(width as u32, height as u32, format);
                (layout, row * height)
            }
            5 => {
                let (w, h) = (width + 9, height + 1);
                let layout = Layout::packed(w as u32, h as u32, definition.format);
                (layout, definition.row_size(w) * h)
            }
            _ => (packed, row * height),
        }
    }

    /// Runs `run` with an image in the layout and over the source of the picture.
    fn with_image(&self, run: impl FnOnce(&Image<Box<dyn PixelSourceMut + '_>>)) {
        let (layout, len) = self.layout();
        let mut memory = vec![0xa5; len];
        let packed = Layout::packed(
            self.width as u32,
            self.height as u32,
            self.definition.format,
        );
        let packed = self.image(&self.packed[..], packed);
        packed
            .copy_into(&mut self.image(&mut memory[..], layout))
            .unwrap();
        with_source(self.source, &mut memory, self.definition, |source| {
            run(&self.image(source, layout));
        });
    }

    /// Compares a file with the picture, by the definition of the format.
    fn check_pixels(&self, png: &[u8], random: &mut Random) {
        let decoded = if random.index(4) == 0 {
            decode(png)
        } else {
            decode_zune(png)
        };
        assert_eq!((decoded.width, decoded.height), (self.width, self.height));
        let definition = &self.definition;
        let row = 8 * definition.row_size(self.width);
        let expected = |x: usize, y: usize| {
            let bit = y * row + x * definition.bits_per_pixel();
            let pixel = definition.load(&self.packed, bit, definition.size());
            let samples = definition.samples(&pixel);
            if definition.indexed {
                return color(self.first_color + usize::from(samples[0]))
                    .map(u16::from)
                    .to_vec();
            }
            definition.decoded(&samples)
        };
        let wide = |samples: &[u16], depth: u8| -> Vec<u16> {
            let scale = if depth == 16 { 1 } else { 257 };
            let samples = samples.iter().map(|&s| s * scale);
            let mut samples: Vec<u16> = samples.collect();
            // A reduction leaves out what the pixels do not need.
            if samples.len() < 3 {
                samples.splice(..1, [samples[0]; 3]);
            }
            if samples.len() < 4 {
                samples.push(u16::MAX);
            }
            samples
        };
        for y in (0..self.height).step_by(1 + self.height / 50) {
            for x in (y % 7..self.width).step_by(1 + self.width / 200) {
                assert_eq!(
                    wide(decoded.pixel(x, y), decoded.depth),
                    wide(&expected(x, y), definition.decoded_depth()),
                    "pixel {x}, {y}"
                );
            }
        }
    }
}

/// A source that fails or panics when it has given so many bytes.
struct Ending<'a> {
    bytes: &'a [u8],
    left: Cell<usize>,
    panics: bool,
}

impl PixelSource for Ending<'_> {
    fn lease(&self) -> Result<Lease<'_>, SourceError> {
        Ok(Lease::live(self))
    }
}

impl LiveBytes for &Ending<'_> {
    fn len(&self) -> usize {
        self.bytes.len()
    }

    fn element_size(&self) -> usize {
        1
    }

    fn copy_to(&self, offset: usize, to: &mut [u8]) -> Result<(), SourceError> {
        let Some(left) = self.left.get().checked_sub(to.len()) else {
            if self.panics {
                resume_unwind(Box::new("boo"));
            }
            return Err(SourceError::other("gone"));
        };
        self.left.set(left);
        to.copy_from_slice(&self.bytes[offset..offset + to.len()]);
        Ok(())
    }
}

/// A writer that fails or panics when it has taken so many bytes.
struct EndingWriter {
    left: usize,
    panics: bool,
}

impl Write for EndingWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some(left) = self.left.checked_sub(bytes.len()) else {
            if self.panics {
                resume_unwind(Box::new("boo"));
            }
            return Err(io::ErrorKind::StorageFull.into());
        };
        self.left = left;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// An encoder with a long life, and the pictures that it saves.
struct World {
    random: Random,
    options: Options,
    encoder: PngEncoder,
    pictures: Vec<Picture>,
    current: usize,
    folder: tempfile::TempDir,
    /// The length of the last file.
    last: usize,
    log: Vec<String>,
}

impl World {
    fn new(seed: u64, pictures: Vec<Picture>, random: Random) -> Self {
        let options = Options::new();
        let encoder = options.apply(PngEncoder::new());
        World {
            random,
            options,
            encoder,
            pictures,
            current: 0,
            folder: common::folder(),
            last: 0,
            log: vec![format!("seed {seed}")],
        }
    }

    /// Fails, panics or is canceled somewhere.
    fn disturb(&mut self) {
        let picture = &self.pictures[self.current];
        let encoder = &mut self.encoder;
        let panics = self.random.flag();
        let kind = self.random.index(3);
        let left = self.random.index(self.last + 1000);
        let path = self.folder.path().join("disturbed.png");
        let to_file = self.random.flag();
        self.log
            .push(format!("disturb {kind}, panics: {panics}, {left}"));
        fn save<S: PixelSource>(
            encoder: &mut PngEncoder,
            image: &Image<S>,
            path: Option<&PathBuf>,
        ) -> Result<(), Error> {
            match path {
                Some(path) => encoder.save_if_changed(image, path).map(drop),
                None => encoder.to_png(image).map(drop),
            }
        }
        let path = to_file.then_some(&path);
        let run = AssertUnwindSafe(|| match kind {
            0 => picture.with_image(|image| {
                let _ = encoder.write(image, EndingWriter { left, panics });
            }),
            1 => picture.with_image(|image| {
                let mut calls = left % 6;
                encoder.configure(|encoder| {
                    encoder.on_progress(move |_| {
                        calls = match calls {
                            0 if panics => resume_unwind(Box::new("boo")),
                            0 => return Break(()),
                            _ => calls - 1,
                        };
                        Continue(())
                    })
                });
                let _ = save(encoder, image, path);
            }),
            _ => {
                let source = Ending {
                    bytes: &picture.packed,
                    left: Cell::new(left % picture.packed.len()),
                    panics,
                };
                let (w, h) = (picture.width as u32, picture.height as u32);
                let layout = Layout::packed(w, h, picture.definition.format);
                let _ = save(encoder, &picture.image(&source, layout), path);
            }
        });
        if let Err(panic) = catch_unwind(run) {
            assert_eq!(*panic.downcast::<&str>().unwrap(), "boo");
        }
        let options = &self.options;
        self.encoder.configure(|encoder| options.apply(encoder));
    }

    fn step(&mut self) {
        let (random, current) = (&mut self.random, self.current);
        let kind = random.index(14);
        self.log.push(format!("step {kind}"));
        match kind {
            0..5 => self.pictures[current].edit(random),
            5 | 6 => self.options.change(random),
            7 => self.disturb(),
            8 => self.pictures[current].layout = random.index(6),
            9 => self.pictures[current].source = random.index(6),
            10 => self.current = random.index(self.pictures.len()),
            11 => {
                let picture = &mut self.pictures[current];
                let most = 1 << picture.definition.bits_per_pixel().min(8);
                // Rarely fewer: indices beyond the palette are an error.
                let colors = 1 + random.index(most);
                if colors > picture.colors || random.index(5) == 0 {
                    picture.colors = colors;
                }
                picture.first_color = random.index(100);
            }
            12 if random.index(3) == 0 => self.encoder.release_memory(),
            12 => {
                let definition = self.pictures[current].definition;
                let (row, height) = Picture::random_size(random);
                self.pictures[current] = Picture::new(definition, row, height, random);
            }
            _ => {}
        }
        let options = &self.options;
        self.encoder.configure(|encoder| options.apply(encoder));
    }

    fn check(&mut self) {
        let picture = &self.pictures[self.current];
        let (options, random) = (&self.options, &mut self.random);
        self.log.push(format!(
            "{:?}, {}x{} {}, layout {}, source {}, {} colors",
            options,
            picture.width,
            picture.height,
            picture.definition.format,
            picture.layout,
            picture.source,
            picture.colors,
        ));
        let to_file = random.index(4) == 0;
        let path = self.folder.path().join(["a.png", "b.png"][random.index(2)]);
        let mut png = Vec::new();
        picture.with_image(|image| {
            let expected = options.apply(PngEncoder::new()).to_png(image);
            let report = if to_file {
                let report = self.encoder.save_if_changed(image, &path);
                png = fs::read(&path).unwrap_or_default();
                report
            } else {
                self.encoder.write(image, &mut png)
            };
            let (expected, report) = match (expected, report) {
                (Ok(expected), Ok(report)) => (expected, report),
                (Err(expected), Err(error)) => {
                    assert_eq!(error.kind().to_string(), expected.kind().to_string());
                    return png.clear();
                }
                (expected, report) => panic!("{:?}, {report:?}", expected.map(|png| png.len())),
            };
            assert!(png == expected, "other bytes than from scratch");
            assert_eq!(report.png_size, png.len() as u64);
            assert_eq!(report.strips_encoded + report.strips_reused, report.strips);
            assert!(report.bytes_kept <= options.limit, "{report:?}");
            assert!(report.frame_copies <= u32::from(options.reduce));
            if options.images == 0 {
                assert_eq!(report.bytes_kept, 0);
            }
            if options.images == 0 || options.compression == Compression::Stored {
                assert!(to_file || report.strips_reused == 0);
            }
            assert!(to_file || !report.unchanged);
            if random.index(4) == 0 {
                // The same picture again: the third time all strips are kept.
                let mut again = || {
                    png.clear();
                    let report = self.encoder.write(image, &mut png).unwrap();
                    assert!(png == expected, "other bytes than from scratch, again");
                    report
                };
                again();
                let report = again();
                let keeps = options.images > 0 && options.limit == u64::MAX;
                if keeps && options.compression != Compression::Stored {
                    assert_eq!(report.strips_encoded, 0, "{report:?}");
                }
            }
        });
        if !png.is_empty() && random.index(3) == 0 {
            picture.check_pixels(&png, random);
        }
        self.last = png.len();
    }

    fn run(mut self, steps: usize) {
        let run = AssertUnwindSafe(|| {
            self.check();
            for _ in 0..steps {
                self.step();
                self.check();
            }
        });
        if let Err(panic) = catch_unwind(run) {
            eprintln!("{:#?}", self.log);
            resume_unwind(panic);
        }
    }
}

/// Any sequence of edits, options, sizes, sources, failures and files.
#[test]
fn any_sequence() {
    for seed in 0..30 {
        let mut random = Random::new(seed);
        let pictures = (0..3).map(|_| {
            let definition = DEFINITIONS[random.index(DEFINITIONS.len())];
            let (row, height) = Picture::random_size(&mut random);
            Picture::new(definition, row, height, &mut random)
        });
        let pictures = pictures.collect();
        World::new(seed, pictures, random).run(25);
    }
}

/// Every format, in images of one strip and of several.
#[test]
fn every_format() {
    for (seed, definition) in DEFINITIONS.iter().enumerate() {
        let mut random = Random::new(1000 + seed as u64);
        let pictures = [(5000, 140), (9, 20)].map(|(row, height)| {
            let mut picture = Picture::new(*definition, row, height, &mut random);
            picture.layout = 0;
            picture
        });
        World::new(seed as u64, pictures.into(), random).run(6);
    }
}
