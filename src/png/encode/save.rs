//! The steps of a save: the checks before a pixel is read, and the chunks from the
//! first to the last.

use std::cell::Cell;
use std::thread;

use super::chunk_writer::{ChunkWriter, Output};
use super::encoder::PngEncoder;
use super::filtering::Filtering;
use super::geometry::{Geometry, StripOptions};
use super::options::Compression;
use super::palette::palette_chunks;
use super::pipeline;
use super::reduce::Reduction;
use super::report::SaveReport;
use super::scanline::{ScanlineReader, Target};
use super::strip::{EarlierStrips, Strip};
use super::strip_writer::StripWriter;
use crate::alloc::reserve;
use crate::format::PngFormat;
use crate::png::metadata::{EncodedChunk, FormatChunks, MetadataError};
use crate::strided::Frame;
use crate::{Error, ErrorKind, Image, Layout, PixelFormat};

/// The parts of a save that are known before a pixel is read.
pub(super) struct Prepared {
    format: PixelFormat,
    /// The number of palette entries and the bit depth of an indexed image.
    indexed: Option<(usize, u8)>,
    format_chunks: FormatChunks,
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
    layout: Layout,
    pixels: Pixels<'a>,
    target: Target<'a>,
    palette: &'a [EncodedChunk],
    format_chunks: &'a FormatChunks,
}

/// How the pixels are reached.
#[derive(Clone, Copy)]
enum Pixels<'a> {
    /// Under one lease that is held already, or in a copy.
    Held(Frame<'a>),
    /// Under a lease for each strip.
    ByStrip(&'a LendFrame<'a>),
}

/// Takes a lease, calls a function with the frame of the leased memory, and drops the
/// lease.
pub(super) type LendFrame<'a> =
    dyn Fn(&mut dyn FnMut(Frame<'_>) -> Result<(), Error>) -> Result<(), Error> + 'a;

impl<'a> Pixels<'a> {
    /// Returns the frame, if it is held.
    fn held(self) -> Option<Frame<'a>> {
        match self {
            Pixels::Held(frame) => Some(frame),
            Pixels::ByStrip(_) => None,
        }
    }

    /// Calls `access` with the frame.
    fn access(self, mut access: impl FnMut(Frame<'_>) -> Result<(), Error>) -> Result<(), Error> {
        match self {
            Pixels::Held(frame) => access(frame),
            Pixels::ByStrip(lend) => lend(&mut access),
        }
    }
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
            format_chunks: FormatChunks::default(),
            palette: Vec::new(),
        };
        let colors = indexed.map_or(0, |(colors, _)| colors);
        let metadata = self.metadata.as_ref().map_err(MetadataError::as_error)?;
        prepared.format_chunks = metadata.for_format(prepared.target().png, colors)?;
        if let Some(palette) = image.palette() {
            prepared.palette = palette_chunks(palette)?;
        }
        Ok(prepared)
    }

    /// Writes the PNG of pixels that are reached by `lend`, for one strip at a time.
    pub(super) fn write_by_strip(
        &mut self,
        layout: Layout,
        lend: &LendFrame<'_>,
        prepared: &Prepared,
        output: &mut Output<'_>,
    ) -> Result<SaveReport, Error> {
        let save = Save {
            layout,
            pixels: Pixels::ByStrip(lend),
            target: prepared.target(),
            palette: &prepared.palette,
            format_chunks: &prepared.format_chunks,
        };
        self.write_at_row(&save, output)
    }

    /// Writes the PNG of a frame, reduced if `reduces` and if the pixels allow it.
    pub(super) fn write_frame(
        &mut self,
        frame: Frame<'_>,
        prepared: &Prepared,
        reduces: bool,
        output: &mut Output<'_>,
    ) -> Result<SaveReport, Error> {
        let save = Save {
            layout: frame.layout,
            pixels: Pixels::Held(frame),
            target: prepared.target(),
            palette: &prepared.palette,
            format_chunks: &prepared.format_chunks,
        };
        let reduction = if reduces {
            Reduction::find(&frame)?
        } else {
            None
        };
        let Some(reduction) = reduction else {
            return self.write_at_row(&save, output);
        };
        let palette = match reduction.palette() {
            Some(palette) => palette_chunks(&palette?)?,
            None => Vec::new(),
        };
        let save = Save {
            target: Target::reduced(&reduction),
            palette: &palette,
            ..save
        };
        self.write_at_row(&save, output)
    }

    /// Writes a PNG, and adds to an error the row at which it happened.
    fn write_at_row(
        &mut self,
        save: &Save<'_>,
        output: &mut Output<'_>,
    ) -> Result<SaveReport, Error> {
        let mut row = None;
        let result = self.write_png(save, output, &mut row);
        result.map_err(|error| match row {
            // Cancelling has nothing to do with a row.
            Some(row) if !matches!(error.kind(), ErrorKind::Cancelled) => error.at_row(row),
            _ => error,
        })
    }

    /// Writes the chunks of a PNG. Sets `row` while it works on rows.
    fn write_png(
        &mut self,
        save: &Save<'_>,
        output: &mut Output<'_>,
        row: &mut Option<u32>,
    ) -> Result<SaveReport, Error> {
        let (width, height) = (save.layout.width(), save.layout.height());
        let png = save.target.png;
        let is_kept = self.kept.is_enabled() && self.compression != Compression::Stored;
        let options = StripOptions {
            compression: self.compression,
            filter: self.filter,
            is_kept,
            is_keyed: is_kept || matches!(output, Output::File(_)),
        };
        let geometry = Geometry::new(width, height, png, options)?;
        let threads = self.threads_for(&geometry);
        let filtering = match save.pixels.held() {
            Some(frame) => Filtering::of(&geometry, &ScanlineReader::new(frame, save.target)),
            // The source is not held while rows are filtered.
            None => Filtering::InPlace(geometry.rule),
        };
        self.prepare_strips(&geometry, &filtering, threads)?;
        self.kept.begin();
        let metadata = self.metadata.as_ref().map_err(MetadataError::as_error)?;
        let (row_filter, watcher) = (&mut self.row_filter, &mut self.watcher);
        if let Output::Writer(_) = output {
            // A save to a file that panicked leaves its strips here.
            self.old_file.end();
        }
        let earlier = EarlierStrips {
            kept: &self.kept,
            file: &self.old_file,
        };
        let strips = geometry.strips();
        let recorded = match output {
            Output::File(_) if self.new_file.reserve(strips) => Some(&mut self.new_file),
            Output::File(_) | Output::Writer(_) => None,
        };

        let mut writer = ChunkWriter::new(output.reborrow())?;
        writer.write_chunk(*b"IHDR", &header(width, height, png))?;
        for (name, data) in metadata.before_image_data(save.format_chunks, save.palette) {
            writer.write_chunk(name, data)?;
        }
        let mut strip_writer = StripWriter::new(writer, &geometry, &filtering, earlier, recorded);
        let current_row = Cell::new(0);
        let result = pipeline::run(
            strips,
            threads,
            &mut self.strips,
            |strip, index| {
                current_row.set(index * geometry.rows);
                save.pixels.access(|frame| {
                    let reader = ScanlineReader::new(frame, save.target);
                    strip.read(&geometry, &filtering, &reader, index, row_filter)
                })
            },
            |strip| strip.compress(&geometry, &filtering, earlier),
            |strip| {
                current_row.set(strip.index() * geometry.rows);
                strip_writer.write(strip)?;
                let rows = (strip.index() + 1) * geometry.rows;
                watcher.report(rows.min(height), height)
            },
        );
        *row = Some(current_row.get());
        result?;
        *row = None;
        let (mut writer, counts) = strip_writer.finish();
        for (name, data) in metadata.after_image_data() {
            writer.write_chunk(name, data)?;
        }
        let png_size = writer.finish()?;
        self.kept.finish();
        Ok(SaveReport {
            png_size,
            strips,
            strips_encoded: counts.encoded,
            strips_reused: counts.reused,
            bytes_kept: self.kept.bytes(),
            ..SaveReport::default()
        })
    }

    /// Returns the number of threads.
    fn threads_for(&self, geometry: &Geometry) -> usize {
        let threads = match self.threads {
            0 => thread::available_parallelism().map_or(1, usize::from),
            threads => threads,
        };
        threads.min(geometry.strips() as usize)
    }

    /// Makes room for the strips.
    fn prepare_strips(
        &mut self,
        geometry: &Geometry,
        filtering: &Filtering<'_>,
        threads: usize,
    ) -> Result<(), Error> {
        // Spare strips keep threads from waiting for the writer. Wide rows have
        // none, because their strips are large. The modes that search have one,
        // because each strip needs more memory.
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
        self.row_filter.prepare(geometry, filtering.reader_rows())
    }
}

/// Returns the data of IHDR (PNG third edition, 11.2.1).
fn header(width: u32, height: u32, png: PngFormat) -> [u8; 13] {
    let mut header = [0; 13]; // no interlacing, and the only methods there are
    header[..4].copy_from_slice(&width.to_be_bytes());
    header[4..8].copy_from_slice(&height.to_be_bytes());
    header[8..10].copy_from_slice(&[png.depth, png.color as u8]);
    header
}
