//! A layout that has been checked against its source.

use super::{Frame, FrameMut};
use crate::source::{Bytes, BytesMut, Shape};
use crate::{Error, ErrorKind, Layout};

/// A layout that has been checked against a source of this shape: every pixel
/// lies in the source, and the elements of the source can hold the format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CheckedLayout {
    layout: Layout,
    shape: Shape,
}

impl CheckedLayout {
    /// Checks a layout, whose size and format have been checked, against the
    /// shape of a source.
    pub(crate) fn new(layout: Layout, shape: Shape) -> Result<Self, Error> {
        layout.check_element(shape.element_size, shape.atomic)?;
        layout.check_bounds(shape.len)?;
        layout.check_overlap(shape.len)?;
        Ok(CheckedLayout { layout, shape })
    }

    /// Returns the layout.
    pub(crate) fn get(&self) -> Layout {
        self.layout
    }

    /// Replaces the layout by a view of it, such as a crop. A view needs no
    /// check, because its pixels are pixels of the layout, or channels of them.
    pub(crate) fn set_view(&mut self, view: Layout) {
        self.layout = view;
    }

    /// Returns whether pixels share bits, so that they cannot be written.
    pub(crate) fn overlaps(&self) -> bool {
        self.layout.overlaps(self.shape.len)
    }

    /// Returns the pixels of a lease, or an error if the shape of the source
    /// has changed.
    pub(crate) fn frame<'l>(&self, bytes: Bytes<'l>) -> Result<Frame<'l>, Error> {
        self.shape.expect(bytes.shape())?;
        Ok(Frame {
            bytes,
            layout: self.layout,
        })
    }

    /// Returns the pixels of a lease for writing, or an error if the shape of
    /// the source has changed.
    pub(crate) fn frame_mut<'l>(&self, bytes: BytesMut<'l>) -> Result<FrameMut<'l>, Error> {
        self.shape.expect(bytes.shape())?;
        Ok(FrameMut {
            bytes,
            layout: self.layout,
        })
    }

    /// Refuses a row outside the image.
    pub(crate) fn check_row(&self, y: u32) -> Result<(), Error> {
        self.check_pixel(0, y)
    }

    /// Refuses a pixel outside the image.
    pub(crate) fn check_pixel(&self, x: u32, y: u32) -> Result<(), Error> {
        let (width, height) = (self.layout.width(), self.layout.height());
        if x >= width || y >= height {
            return Err(ErrorKind::PixelOutside {
                x,
                y,
                width,
                height,
            }
            .into());
        }
        Ok(())
    }

    /// Refuses a number of bytes that is not the size of a packed rectangle of
    /// this width and height.
    pub(crate) fn check_packed(&self, width: u32, height: u32, given: usize) -> Result<(), Error> {
        let row_size = self.layout.format().row_size(width);
        let needed = row_size.saturating_mul(u64::from(height));
        let given = given as u64;
        if needed != given {
            return Err(ErrorKind::ByteCount { needed, given }.into());
        }
        Ok(())
    }
}
