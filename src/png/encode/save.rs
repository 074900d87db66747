//! The steps of a save, from the checks to the last chunk.

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
use super::report::{SaveReport, Stopwatch};
use super::scanline::{ScanlineReader, Target};
use super::strip::{EarlierStrips, Strip};
use super::strip_writer::StripWriter;
use crate::alloc::{reserve, zeroed};
use crate::format::PngFormat;
use crate::png::metadata::{EncodedChunk, FormatChunks, MetadataError};
use crate::source::with_lease;
use crate::strided::Frame;
use crate::{Error, ErrorKind, Image, Lease, PixelFormat, PixelSource};

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

/// The result of a save under the lease.
enum Encoded {
    /// The PNG is written.
    Written(SaveReport),
    /// The pixels are copied, and the PNG is still to be written.
    Copied(Vec<u8>),
}

/// The parts of a save for one frame of pixels.
struct Save<'a> {
    frame: Frame<'a>,
    target: Target<'a>,
    palette: &'a [EncodedChunk],
    format_chunks: &'a FormatChunks,
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

    /// Writes the PNG of an image.
    pub(super) fn encode<S: PixelSource>(
        &mut self,
        image: &Image<S>,
        prepared: &Prepared,
        output: &mut Output<'_>,
    ) -> Result<SaveReport, Error> {
        let format = image.format();
        let metadata = self.metadata.as_ref().map_err(MetadataError::as_error)?;
        let reduces = self.reduce
            && !format.is_indexed()
            && format.bit_depth() >= 8
            && !metadata.depends_on_format();
        let lease = image.source().lease()?;
        let held = Stopwatch::start();
        let encode = |lease: &mut Lease<'_>| {
            let frame = image.frame(lease)?;
            if !reduces {
                let save = Save {
                    frame,
                    target: prepared.target(),
                    palette: &prepared.palette,
                    format_chunks: &prepared.format_chunks,
                };
                return self.write_frame(&save, output).map(Encoded::Written);
            }
            if !frame.is_stable() {
                // A reduction looks at the pixels twice. Live memory may change
                // in between, so it is copied first.
                let mut copy = zeroed(frame.layout.packed_size())?;
                frame.copy_to(&mut copy)?;
                return Ok(Encoded::Copied(copy));
            }
            self.write_reduced(frame, prepared, output)
                .map(Encoded::Written)
        };
        let (lease, encoded) = with_lease(lease, encode);
        drop(lease);
        let source_held = held.elapsed();
        let (report, frame_copies) = match encoded? {
            Encoded::Written(report) => (report, 0),
            Encoded::Copied(copy) => {
                let copy = Image::from_buffer(copy, image.width(), image.height(), format)?;
                (self.encode(&copy, prepared, output)?, 1)
            }
        };
        Ok(SaveReport {
            frame_copies,
            source_held,
            ..report
        })
    }

    /// Finds the lossless reduction of the pixels, if there is one, and writes the
    /// reduced pixels.
    fn write_reduced(
        &mut self,
        frame: Frame<'_>,
        prepared: &Prepared,
        output: &mut Output<'_>,
    ) -> Result<SaveReport, Error> {
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
            format_chunks: &prepared.format_chunks,
        };
        self.write_frame(&save, output)
    }

    /// Writes a PNG, and adds to an error the row at which it happened.
    fn write_frame(
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
        let (width, height) = (save.frame.layout.width(), save.frame.layout.height());
        let png = save.target.png;
        let is_kept = self.kept.is_enabled() && self.compression != Compression::Stored;
        let options = StripOptions {
            compression: self.compression,
            filter: self.filter,
            is_kept,
            is_keyed: is_kept || matches!(output, Output::File(_)),
        };
        let geometry = Geometry::new(width, height, png, options)?;
        let reader = ScanlineReader::new(save.frame, save.target);
        let threads = self.threads_for(&geometry);
        let filtering = Filtering::of(&geometry, &reader);
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
                strip.read(&geometry, &filtering, &reader, index, row_filter)
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
