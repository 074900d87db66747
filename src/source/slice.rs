//! Containers as sources: slices, arrays, `Vec`, slices of cells and `Cow`.

use std::borrow::Cow;
use std::cell::Cell;

use bytemuck::AnyBitPattern;

use super::{
    Element, ElementMut, Lease, LeaseMut, PixelSource, PixelSourceMut, Plain, SharedElement,
    SharedPixelSource, SourceError,
};

impl<E: Element> PixelSource for [E] {
    fn lease(&self) -> Result<Lease<'_>, SourceError> {
        Ok(E::lease(self))
    }
}

impl<E: ElementMut> PixelSourceMut for [E] {
    fn lease_mut(&mut self) -> Result<LeaseMut<'_>, SourceError> {
        Ok(E::lease_mut(self))
    }
}

impl<E: SharedElement> SharedPixelSource for [E] {
    fn lease_shared(&self) -> Result<LeaseMut<'_>, SourceError> {
        Ok(E::lease_shared(self))
    }
}

impl<E: Element, const N: usize> PixelSource for [E; N] {
    fn lease(&self) -> Result<Lease<'_>, SourceError> {
        self.as_slice().lease()
    }
}

impl<E: ElementMut, const N: usize> PixelSourceMut for [E; N] {
    fn lease_mut(&mut self) -> Result<LeaseMut<'_>, SourceError> {
        self.as_mut_slice().lease_mut()
    }
}

impl<E: SharedElement, const N: usize> SharedPixelSource for [E; N] {
    fn lease_shared(&self) -> Result<LeaseMut<'_>, SourceError> {
        self.as_slice().lease_shared()
    }
}

impl<E: Element> PixelSource for Vec<E> {
    fn lease(&self) -> Result<Lease<'_>, SourceError> {
        self.as_slice().lease()
    }
}

impl<E: ElementMut> PixelSourceMut for Vec<E> {
    fn lease_mut(&mut self) -> Result<LeaseMut<'_>, SourceError> {
        self.as_mut_slice().lease_mut()
    }
}

impl<E: SharedElement> SharedPixelSource for Vec<E> {
    fn lease_shared(&self) -> Result<LeaseMut<'_>, SourceError> {
        self.as_slice().lease_shared()
    }
}

/// A slice in one cell, as [`Cell::from_mut`] returns it. The caller need not
/// call [`Cell::as_slice_of_cells`].
impl<T: Plain> PixelSource for Cell<[T]> {
    fn lease(&self) -> Result<Lease<'_>, SourceError> {
        self.as_slice_of_cells().lease()
    }
}

impl<T: Plain + AnyBitPattern> SharedPixelSource for Cell<[T]> {
    fn lease_shared(&self) -> Result<LeaseMut<'_>, SourceError> {
        self.as_slice_of_cells().lease_shared()
    }
}

/// A `Cow` can be read but not written through: a write would detach it from
/// the memory that it borrows.
impl<B: PixelSource + ToOwned + ?Sized> PixelSource for Cow<'_, B> {
    fn lease(&self) -> Result<Lease<'_>, SourceError> {
        (**self).lease()
    }
}
