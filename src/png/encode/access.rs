//! The ways in which a save reaches the pixels: one lease, a copy, or a lease for each
//! strip.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use super::chunk_writer::Output;
use super::consistency::{Consistency, EditWatch, copy_whole};
use super::encoder::PngEncoder;
use super::report::{SaveReport, Stopwatch};
use super::save::Prepared;
use crate::png::metadata::MetadataError;
use crate::source::with_lease;
use crate::strided::Frame;
use crate::{Error, Image, Lease, PixelSource};

impl PngEncoder {
    /// Writes the PNG of an image, with the consistency that the options ask for.
    pub(super) fn encode<S: PixelSource>(
        &mut self,
        image: &Image<S>,
        prepared: &Prepared,
        output: &mut Output<'_>,
    ) -> Result<SaveReport, Error> {
        if self.consistency == Consistency::Hold {
            return self.encode_held(image, prepared, output);
        }
        let lease = image.source().lease()?;
        let is_slice = lease.is_slice();
        drop(lease);
        if is_slice {
            // Borrowed memory cannot change, and nobody waits for it.
            return self.encode_held(image, prepared, output);
        }
        match self.consistency {
            // A reduction reads the pixels twice, so it needs all of them at once.
            Consistency::Rows if !self.reduces(image)? => {
                self.encode_by_strip(image, prepared, output)
            }
            _ => self.encode_copy(image, prepared, output),
        }
    }

    /// Returns whether the save looks for a lossless reduction of the pixels.
    fn reduces<S>(&self, image: &Image<S>) -> Result<bool, Error> {
        let format = image.format();
        let metadata = self.metadata.as_ref().map_err(MetadataError::as_error)?;
        let is_reducible = !format.is_indexed() && format.bit_depth() >= 8;
        Ok(self.reduce && is_reducible && !metadata.depends_on_format())
    }

    /// Writes the PNG under one lease.
    fn encode_held<S: PixelSource>(
        &mut self,
        image: &Image<S>,
        prepared: &Prepared,
        output: &mut Output<'_>,
    ) -> Result<SaveReport, Error> {
        let reduces = self.reduces(image)?;
        let lease = image.source().lease()?;
        let held = Stopwatch::start();
        let mut watch = EditWatch::new();
        let encode = |lease: &mut Lease<'_>| -> Result<Option<SaveReport>, Error> {
            let frame = image.frame(lease)?;
            if reduces && !frame.is_stable() {
                // Live memory may change between the two reads of a reduction.
                return Ok(None);
            }
            watch.begin(frame.bytes);
            let report = self.write_frame(frame, prepared, reduces, output)?;
            watch.end(frame.bytes);
            Ok(Some(report))
        };
        let (lease, report) = with_lease(lease, encode);
        drop(lease);
        match report? {
            Some(report) => Ok(SaveReport {
                frame: watch.state(),
                source_held: held.elapsed(),
                ..report
            }),
            None => self.encode_copy(image, prepared, output),
        }
    }

    /// Copies the pixels and writes the PNG of the copy.
    fn encode_copy<S: PixelSource>(
        &mut self,
        image: &Image<S>,
        prepared: &Prepared,
        output: &mut Output<'_>,
    ) -> Result<SaveReport, Error> {
        let reduces = self.reduces(image)?;
        let mut memory = std::mem::take(&mut self.frame_copy);
        let result = copy_whole(image, &mut memory).and_then(|copied| {
            let report = self.write_frame(copied.frame, prepared, reduces, output)?;
            Ok(SaveReport {
                frame: copied.state,
                frame_copies: copied.copies,
                source_held: copied.source_held,
                ..report
            })
        });
        self.frame_copy = memory;
        result
    }

    /// Writes the PNG under a lease for the rows of each strip.
    fn encode_by_strip<S: PixelSource>(
        &mut self,
        image: &Image<S>,
        prepared: &Prepared,
        output: &mut Output<'_>,
    ) -> Result<SaveReport, Error> {
        let watch = RefCell::new(EditWatch::new());
        let longest = Cell::new(Duration::ZERO);
        let lend = |read: &mut dyn FnMut(Frame<'_>) -> Result<(), Error>| {
            let lease = image.source().lease()?;
            let held = Stopwatch::start();
            let access = |lease: &mut Lease<'_>| -> Result<(), Error> {
                let frame = image.frame(lease)?;
                watch.borrow_mut().begin(frame.bytes);
                read(frame)?;
                watch.borrow_mut().end(frame.bytes);
                Ok(())
            };
            let (lease, result) = with_lease(lease, access);
            drop(lease);
            longest.set(longest.get().max(held.elapsed()));
            result
        };
        let report = self.write_by_strip(image.layout(), &lend, prepared, output)?;
        Ok(SaveReport {
            frame: watch.borrow().state(),
            source_held: longest.get(),
            ..report
        })
    }
}
