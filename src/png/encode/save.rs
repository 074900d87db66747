//! One save, from the checks to the last chunk.

use std::cell::Cell;
use std::io::Write;
use std::thread;

use super::checked_writer::{BufferedWriter, CheckedWriter, WriterState};
use super::encoder::PngEncoder;
use super::filtering::Filtering;
use super::geometry::Geometry;
use super::options::Compression;
use super::palette::palette_chunks;
use super::pipeline;
use super::reduce::Reduction;
use super::scanline::{ScanlineReader, Target};
use super::strip::Strip;
use crate::alloc::reserve;
use crate::png::metadata::{EncodedChunk, FormatChunks, MetadataError};
use crate::source::with_lease;
use crate::strided::Frame;
use crate::{Error, ErrorKind, Image, Lease, PixelFormat, PixelSource};

/// The most bytes of a chunk: PNG allows 2^31-1 (PNG third edition, 5.3).
const MAX_CHUNK: usize = 1 << 30;

/// The parts of a save that are known before the pixels are.
pub(super) struct Prepared {
    format: PixelFormat,
    /// The number of palette entries and the bit depth of an indexed image.
    indexed: Option<(usize, u8)>,
    samples: FormatChunks,
    palette: Vec<EncodedChunk>,
}

impl Prepared {
    fn target(&self) -> Target<'static> {
        match self.indexed {
            Some((colors, depth)) => Target::indexed(self.format, colors, depth),
            None => Target::of(self.format),
        }
    }
}

/// The parts of a save for one frame of pixels.
struct Save<'a> {
    frame: Frame<'a>,
    target: Target<'a>,
    palette: &'a [EncodedChunk],
    samples: &'a FormatChunks,
}

impl PngEncoder {
    /// Makes every check that needs no pixel, before a byte is written.
    pub(super) fn prepare<S>(&self, image: &Image<S>) -> Result<Prepared, Error> {
        let format = image.format();
        let indexed = match (format.is_indexed(), image.palette()) {
            (true, Some(palette)) => {
                let depth = self.index_depth.bits(palette)?;
                Some((palette.colors().len(), depth))
            }
            (true, None) => return Err(ErrorKind::NoPalette { format }.into()),
            (false, _) => None,
        };
        let mut prepared = Prepared {
            format,
            indexed,
            samples: FormatChunks::default(),
            palette: Vec::new(),
        };
        let colors = indexed.map_or(0, |(colors, _)| colors);
        let metadata = self.metadata.as_ref().map_err(MetadataError::as_error)?;
        prepared.samples = metadata.for_format(prepared.target().png, colors)?;
        if let Some(palette) = image.palette() {
            prepared.palette = palette_chunks(palette)?;
        }
        Ok(prepared)
    }

    /// Writes the PNG of an image.
    pub(super) fn encode<S: PixelSource>(
        &mut self,
        image: &Image<S>,
        prepared: &Prepared,
        writer: &mut dyn Write,
    ) -> Result<(), Error> {
        let format = image.format();
        let metadata = self.metadata.as_ref().map_err(MetadataError::as_error)?;
        let reduces = self.reduce
            && !format.is_indexed()
            && format.bit_depth() >= 8
            && !metadata.depends_on_format();
        let encode = |lease: &mut Lease<'_>| {
            let frame = image.frame(lease)?;
            if !reduces {
                let save = Save {
                    frame,
                    target: prepared.target(),
                    palette: &prepared.palette,
                    samples: &prepared.samples,
                };
                return self.write_frame(&save, writer).map(|()| true);
            }
            if !frame.is_stable() {
                return Ok(false);
            }
            self.write_reduced(frame, prepared, writer).map(|()| true)
        };
        let (_, is_done) = with_lease(image.source().lease()?, encode);
        if is_done? {
            return Ok(());
        }
        // A reduction looks at the pixels twice. Live memory may change in
        // between, so it is copied first.
        let copy = image.to_vec()?;
        let copy = Image::from_buffer(copy, image.width(), image.height(), format)?;
        self.encode(&copy, prepared, writer)
    }

    /// Looks at all pixels, and writes them without the parts that they do not
    /// need.
    fn write_reduced(
        &mut self,
        frame: Frame<'_>,
        prepared: &Prepared,
        writer: &mut dyn Write,
    ) -> Result<(), Error> {
        let reduction = Reduction::find(&frame)?;
        let palette = match reduction.as_ref().and_then(Reduction::palette) {
            Some(palette) => palette_chunks(&palette?)?,
            None => Vec::new(),
        };
        let save = Save {
            frame,
            target: match &reduction {
                Some(reduction) => Target::reduced(reduction),
                None => prepared.target(),
            },
            palette: &palette,
            samples: &prepared.samples,
        };
        self.write_frame(&save, writer)
    }

    /// Writes a PNG, and adds to an error the row at which it happened.
    fn write_frame(&mut self, save: &Save<'_>, writer: &mut dyn Write) -> Result<(), Error> {
        let state = WriterState::default();
        let writer = CheckedWriter::new(writer, &state);
        let mut row = None;
        let result = self.write_png(save, writer, &state, &mut row);
        let failure = state.take_error();
        result.map_err(|error| {
            let error = match failure {
                Some(failure) => ErrorKind::Write(failure).into(),
                None => error,
            };
            match row {
                // Cancelling has nothing to do with a row.
                Some(row) if !matches!(error.kind(), ErrorKind::Cancelled) => error.at_row(row),
                _ => error,
            }
        })
    }

    /// Writes the chunks of a PNG. Sets `row` while it works on rows.
    fn write_png(
        &mut self,
        save: &Save<'_>,
        writer: CheckedWriter<'_>,
        state: &WriterState,
        row: &mut Option<u32>,
    ) -> Result<(), Error> {
        let (width, height) = (save.frame.layout.width(), save.frame.layout.height());
        let png = save.target.png;
        let geometry = Geometry::new(width, height, png, self.compression, self.filter)?;
        let reader = ScanlineReader::new(save.frame, save.target);
        let filtering = Filtering::of(&geometry, &reader);
        let threads = self.prepare_strips(&geometry, &filtering)?;
        let metadata = self.metadata.as_ref().map_err(MetadataError::as_error)?;
        let (reader_state, watcher) = (&mut self.reader, &mut self.watcher);

        let mut encoder = png::Encoder::new(BufferedWriter::new(writer)?, width, height);
        encoder.set_color(png.color);
        encoder.set_depth(bit_depth(png.depth));
        let mut writer = encoder.write_header().map_err(encoding)?;
        // Dropped before the writer on every way out, also in a panic, so that
        // the destructor of the writer writes nothing.
        let closing = state.close_on_drop();
        for (name, data) in metadata.before_image_data(save.samples, save.palette) {
            let name = png::chunk::ChunkType(name);
            writer.write_chunk(name, data).map_err(encoding)?;
        }
        let mut adler = 1;
        let at = Cell::new(0);
        let result = pipeline::run(
            &geometry,
            &filtering,
            threads,
            &mut self.strips,
            |strip, index| {
                at.set(index * geometry.rows);
                strip.read(&geometry, &filtering, &reader, index, reader_state)
            },
            |strip| {
                at.set(strip.index() * geometry.rows);
                let bytes = strip.stream(&geometry, &filtering, &mut adler);
                for chunk in bytes.chunks(MAX_CHUNK) {
                    let written = writer.write_chunk(png::chunk::IDAT, chunk);
                    written.map_err(encoding)?;
                }
                let rows = (strip.index() + 1) * geometry.rows;
                watcher.report(rows.min(height), height)
            },
        );
        *row = Some(at.get());
        result?;
        *row = None;
        for (name, data) in metadata.after_image_data() {
            let name = png::chunk::ChunkType(name);
            writer.write_chunk(name, data).map_err(encoding)?;
        }
        writer.finish().map_err(encoding)?;
        closing.disarm();
        Ok(())
    }

    /// Makes room for the strips, and returns the number of threads.
    fn prepare_strips(
        &mut self,
        geometry: &Geometry,
        filtering: &Filtering<'_>,
    ) -> Result<usize, Error> {
        let threads = match self.threads {
            0 => thread::available_parallelism().map_or(1, usize::from),
            threads => threads,
        };
        let threads = threads.min(geometry.strips() as usize);
        // More strips than threads, so that no thread waits for the writer. Not
        // where strips are large, and fewer where their scratch is.
        let spare = match self.compression {
            _ if threads == 1 || geometry.is_wide() => 0,
            Compression::Stored | Compression::Fast => 2,
            Compression::Small | Compression::Best => 1,
        };
        let count = threads + spare;
        self.strips.truncate(count);
        reserve(&mut self.strips, count)?;
        self.strips.resize_with(count, Strip::default);
        for strip in &mut self.strips {
            strip.prepare(geometry, filtering)?;
        }
        self.reader.prepare(geometry, filtering)?;
        Ok(threads)
    }
}

fn bit_depth(bits: u8) -> png::BitDepth {
    match bits {
        1 => png::BitDepth::One,
        2 => png::BitDepth::Two,
        4 => png::BitDepth::Four,
        8 => png::BitDepth::Eight,
        _ => png::BitDepth::Sixteen,
    }
}

fn encoding(error: png::EncodingError) -> Error {
    match error {
        png::EncodingError::IoError(error) => ErrorKind::Write(error).into(),
        error => ErrorKind::Encode(Box::new(error)).into(),
    }
}
