//! The bytes of a lease as the rest of the crate reads and writes them: in place or live.

use std::fmt;

use super::{LiveBytes, LiveBytesMut, SourceError};

/// The properties of a source. The layout of an image is checked against them, so they
/// must not change while the image exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    /// Length in bytes.
    pub(crate) len: usize,
    /// Bytes in an element.
    pub(crate) element_size: usize,
    /// See [`LiveBytes::is_atomic`].
    pub(crate) atomic: bool,
}

impl Shape {
    /// Returns [`SourceError::Changed`] unless `found` is this shape.
    pub(crate) fn expect(self, found: Shape) -> Result<(), SourceError> {
        if self == found {
            return Ok(());
        }
        Err(SourceError::Changed {
            expected: self.len,
            found: found.len,
            expected_element: self.element_size,
            found_element: found.element_size,
        })
    }
}

/// The bytes of a lease, after the `Deref` of the guard has run.
#[derive(Clone, Copy)]
pub(crate) enum Bytes<'a> {
    /// Bytes in place, and the size of their elements.
    Stable(&'a [u8], usize),
    Live(&'a dyn LiveBytes),
}

impl Bytes<'_> {
    pub(crate) fn shape(&self) -> Shape {
        match self {
            Bytes::Stable(bytes, element_size) => Shape {
                len: bytes.len(),
                element_size: *element_size,
                atomic: false,
            },
            Bytes::Live(live) => Shape {
                len: live.len(),
                element_size: live.element_size(),
                atomic: live.is_atomic(),
            },
        }
    }

    /// Returns the generation number, if live bytes have one.
    pub(crate) fn generation(&self) -> Option<u64> {
        match self {
            Bytes::Stable(..) => None,
            Bytes::Live(live) => live.generation(),
        }
    }

    pub(crate) fn copy_to(&self, offset: usize, to: &mut [u8]) -> Result<(), SourceError> {
        match self {
            Bytes::Stable(bytes, _) => {
                to.copy_from_slice(part(bytes, offset, to.len())?);
                Ok(())
            }
            Bytes::Live(live) => live.copy_to(offset, to),
        }
    }

    /// Shows the shape under the name of a type, never the pixels.
    pub(super) fn fmt_as(&self, name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Shape {
            len, element_size, ..
        } = self.shape();
        f.debug_struct(name)
            .field("len", &len)
            .field("element_size", &element_size)
            .field("live", &matches!(self, Bytes::Live(_)))
            .finish()
    }
}

/// The bytes of a lease for writing. The counterpart of [`Bytes`].
pub(crate) enum BytesMut<'a> {
    /// Bytes in place, and the size of their elements.
    Stable(&'a mut [u8], usize),
    Live(&'a mut dyn LiveBytesMut),
}

impl BytesMut<'_> {
    pub(crate) fn shape(&self) -> Shape {
        match self {
            BytesMut::Stable(bytes, element_size) => Bytes::Stable(bytes, *element_size).shape(),
            BytesMut::Live(live) => Bytes::Live(&**live).shape(),
        }
    }

    pub(crate) fn copy_from(&mut self, offset: usize, from: &[u8]) -> Result<(), SourceError> {
        match self {
            BytesMut::Stable(bytes, _) => {
                part_mut(bytes, offset, from.len())?.copy_from_slice(from);
                Ok(())
            }
            BytesMut::Live(live) => live.copy_from(offset, from),
        }
    }

    /// Writes the bits of the byte at `offset` that are set in `mask`.
    pub(crate) fn update_bits(
        &mut self,
        offset: usize,
        bits: u8,
        mask: u8,
    ) -> Result<(), SourceError> {
        match self {
            BytesMut::Stable(bytes, _) => {
                let byte = &mut part_mut(bytes, offset, 1)?[0];
                *byte = *byte & !mask | bits & mask;
                Ok(())
            }
            BytesMut::Live(live) => live.update_bits(offset, bits, mask),
        }
    }
}

/// Returns `count` bytes from `offset` on, or [`SourceError::OutOfRange`].
fn part(bytes: &[u8], offset: usize, count: usize) -> Result<&[u8], SourceError> {
    bytes
        .get(offset..)
        .and_then(|rest| rest.get(..count))
        .ok_or(SourceError::OutOfRange {
            offset,
            bytes: count,
            len: bytes.len(),
        })
}

/// Returns the bytes for writing. See [`part`].
fn part_mut(bytes: &mut [u8], offset: usize, count: usize) -> Result<&mut [u8], SourceError> {
    let len = bytes.len();
    bytes
        .get_mut(offset..)
        .and_then(|rest| rest.get_mut(..count))
        .ok_or(SourceError::OutOfRange {
            offset,
            bytes: count,
            len,
        })
}
