//! Views of `ndarray` arrays.

use std::fmt;
use std::ops::{Deref, Range};

use ::ndarray::{
    ArrayBase, ArrayView, ArrayView2, ArrayView3, ArrayViewMut, Axis, Data, DataMut, Dimension,
    MathCell, OwnedRepr, RawData, RawDataClone, Slice, ViewRepr,
};
use bytemuck::AnyBitPattern;

use crate::source::{
    LiveBytes, LiveBytesMut, LiveElement, LiveElementMut, LiveSlice, Plain, SharedPixelSource,
};
use crate::{
    Error, Image, Layout, Lease, LeaseMut, PixelFormat, PixelSource, PixelSourceMut, SourceError,
};

/// Creates an image over an array: over `array.view()`, `array.view_mut()`,
/// `array.cell_view()`, or over the array itself, which the image then owns.
///
/// The axes are height and width, with a whole pixel in each element, or height,
/// width and channel: see [`Layout::from_strides`]. Reorder the axes of an array
/// with channels first by `permuted_axes([1, 2, 0])`, which copies nothing. The
/// elements are [`Plain`] types, or cells of these. The strides may be any.
///
/// If the elements of the array lie in memory without gaps, in any order and
/// direction, the image reads them in place. Otherwise, as in a crop or in every
/// second column, it reads through the array, row by row: each element once, with
/// no copy of the array. A crop of the image is faster than a crop of the array:
/// `from_array(array.view(), ..)?.crop(..)`.
///
/// Views of mutably borrowed and of owned arrays can be written. So can cells,
/// which may also be edited while the image exists. Other arrays, such as an
/// `ArcArray`, can only be read: a write would detach them from the memory that
/// they share.
///
/// # Errors
///
/// The errors of [`Layout::from_element_strides`], and of [`Image::with_layout`].
///
/// # Examples
///
/// ```
/// use ndarray::{Array3, s};
/// use pixview::PixelFormat;
/// use pixview::interop::ndarray::from_array;
///
/// let mut frame = Array3::<u8>::zeros((480, 640, 3));
/// let upside_down = frame.slice(s![..;-1, 100..200, ..]);
/// let image = from_array(upside_down, PixelFormat::RGB8)?;
/// assert_eq!((image.width(), image.height()), (100, 480));
///
/// // Live: edit the cells while the image exists.
/// let cells = frame.cell_view();
/// let image = from_array(cells, PixelFormat::RGB8)?;
/// cells[[7, 5, 0]].set(255);
/// assert_eq!(image.pixels()?.get(5, 7)?, [255, 0, 0]);
/// # Ok::<(), pixview::Error>(())
/// ```
pub fn from_array<S, D>(
    array: ArrayBase<S, D>,
    format: PixelFormat,
) -> Result<Image<ArraySource<S, D>>, Error>
where
    S: Data<Elem: ArrayElement>,
    D: Dimension,
{
    let size = size_of::<S::Elem>();
    let (shape, strides) = (array.shape(), array.strides());
    let layout = Layout::from_element_strides(shape, strides, size, format)?;
    let layout = if array.as_slice_memory_order().is_some() {
        // The slice begins with the first element in memory.
        layout.with_offset(layout.reach()?.start.unsigned_abs())
    } else {
        let bytes = |elements: &[usize]| {
            let count = elements.iter().try_fold(size, |a, &b| a.checked_mul(b));
            count
                .and_then(|count| count.try_into().ok())
                .unwrap_or(isize::MAX)
        };
        Layout::packed(layout.width(), layout.height(), format)
            .with_row_stride(bytes(&shape[1..]))
            .with_pixel_stride(bytes(&shape[2..]))
    };
    Image::with_layout(ArraySource(array), layout)
}

/// The source of an image over an array, from [`from_array`]. It derefs to the
/// array.
pub struct ArraySource<S: RawData, D>(ArrayBase<S, D>);

impl<S: ArrayMut, D: Dimension> ArraySource<S, D> {
    /// Returns the array for editing. Its shape and its strides stay as they are.
    pub fn array_mut(&mut self) -> ArrayViewMut<'_, S::Elem, D> {
        self.0.view_mut()
    }
}

impl<S: RawData, D> ArraySource<S, D> {
    /// Returns the array.
    #[must_use]
    pub fn into_array(self) -> ArrayBase<S, D> {
        self.0
    }
}

impl<S: RawData, D> Deref for ArraySource<S, D> {
    type Target = ArrayBase<S, D>;

    fn deref(&self) -> &ArrayBase<S, D> {
        &self.0
    }
}

/// Clones the array: a view and an `ArcArray` share the memory, an owned array
/// copies it.
impl<S: RawDataClone, D: Clone> Clone for ArraySource<S, D> {
    fn clone(&self) -> Self {
        ArraySource(self.0.clone())
    }
}

/// Shows the shape and the strides, never the elements.
impl<S: RawData, D: Dimension> fmt::Debug for ArraySource<S, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ArraySource")
            .field("shape", &self.0.shape())
            .field("strides", &self.0.strides())
            .finish()
    }
}

/// An element of an array: a [`Plain`] type, or a [`MathCell`] of one.
pub trait ArrayElement: sealed::Sealed + Sized {
    #[doc(hidden)]
    type Value: Plain;

    #[doc(hidden)]
    fn value(&self) -> Self::Value;

    #[doc(hidden)]
    fn lease(elements: &[Self]) -> Lease<'_>;

    /// Fills `to` with bytes of the elements, from `offset` on.
    #[doc(hidden)]
    fn copy_to(elements: &[Self], offset: usize, to: &mut [u8]) -> Result<(), SourceError>;
}

/// The data of an array that can be written in place: it is owned or mutably
/// borrowed.
///
/// # Examples
///
/// An `ArcArray` shares its memory, so this does not compile:
///
/// ```compile_fail,E0277
/// use ndarray::ArcArray2;
/// use pixview::PixelFormat;
/// use pixview::interop::ndarray::from_array;
///
/// let shared = ArcArray2::<u8>::zeros((4, 4));
/// from_array(shared, PixelFormat::GRAY8)?.pixels_mut()?.fill([1])?;
/// # Ok::<(), pixview::Error>(())
/// ```
pub trait ArrayMut: DataMut + sealed::Sealed {}

impl<T> ArrayMut for OwnedRepr<T> {}
impl<T> ArrayMut for ViewRepr<&mut T> {}

mod sealed {
    use super::{MathCell, OwnedRepr, Plain, ViewRepr};

    pub trait Sealed {}

    impl<T: Plain> Sealed for T {}
    impl<T: Plain> Sealed for MathCell<T> {}
    impl<T> Sealed for OwnedRepr<T> {}
    impl<T> Sealed for ViewRepr<&mut T> {}
}

impl<T: Plain> ArrayElement for T {
    type Value = T;

    fn value(&self) -> T {
        *self
    }

    fn lease(elements: &[T]) -> Lease<'_> {
        Lease::slice(elements)
    }

    fn copy_to(elements: &[T], offset: usize, to: &mut [u8]) -> Result<(), SourceError> {
        Lease::slice(elements).copy_to(offset, to)
    }
}

impl<T: Plain> ArrayElement for MathCell<T> {
    type Value = T;

    fn value(&self) -> T {
        self.get()
    }

    fn lease(elements: &[Self]) -> Lease<'_> {
        Lease::live_slice(elements)
    }

    fn copy_to(elements: &[Self], offset: usize, to: &mut [u8]) -> Result<(), SourceError> {
        LiveSlice(elements).copy_to(offset, to)
    }
}

/// A `MathCell` is a [`Cell`](std::cell::Cell), to which it derefs.
impl<T: Plain> LiveElement for MathCell<T> {
    type Value = T;
    const ATOMIC: bool = false;

    fn get(&self) -> T {
        (**self).get()
    }
}

impl<T: Plain + AnyBitPattern> LiveElementMut for MathCell<T> {
    fn set(&self, value: T) {
        (**self).set(value);
    }

    fn update(&self, change: impl Fn(&mut [u8])) {
        LiveElementMut::update(&**self, change);
    }
}

impl<S, D> PixelSource for ArraySource<S, D>
where
    S: Data<Elem: ArrayElement>,
    D: Dimension,
{
    fn lease(&self) -> Result<Lease<'_>, SourceError> {
        match self.0.as_slice_memory_order() {
            Some(elements) => Ok(ArrayElement::lease(elements)),
            None => Ok(Lease::live(Rows::new(self.0.view())?)),
        }
    }
}

impl<S, D> PixelSourceMut for ArraySource<S, D>
where
    S: ArrayMut<Elem: Plain + AnyBitPattern>,
    D: Dimension,
{
    fn lease_mut(&mut self) -> Result<LeaseMut<'_>, SourceError> {
        if self.0.as_slice_memory_order().is_none() {
            return Ok(LeaseMut::live(Rows::new(self.0.cell_view())?));
        }
        let elements = self.0.as_slice_memory_order_mut();
        Ok(LeaseMut::slice(elements.unwrap_or_default()))
    }
}

/// Cells can be written while they are shared.
impl<T: Plain + AnyBitPattern, D: Dimension> SharedPixelSource
    for ArraySource<ViewRepr<&MathCell<T>>, D>
{
    fn lease_shared(&self) -> Result<LeaseMut<'_>, SourceError> {
        match self.0.as_slice_memory_order() {
            Some(elements) => Ok(LeaseMut::live_slice(elements)),
            None => Ok(LeaseMut::live(Rows::new(self.0.view())?)),
        }
    }
}

impl<T: Plain + AnyBitPattern, D: Dimension> PixelSourceMut
    for ArraySource<ViewRepr<&MathCell<T>>, D>
{
    fn lease_mut(&mut self) -> Result<LeaseMut<'_>, SourceError> {
        SharedPixelSource::lease_shared(&*self)
    }
}

/// An array with gaps between its elements, as bytes without gaps: row after row,
/// in the order of the axes.
///
/// Safe code cannot borrow the gaps, in which others may write. So each row is
/// borrowed on its own, or each element of a row that has gaps.
struct Rows<'a, E>(ArrayView3<'a, E>);

impl<'a, E: ArrayElement> Rows<'a, E> {
    /// Bytes in an element. A cell has the size of its value.
    const SIZE: usize = size_of::<E::Value>();

    /// Creates the bytes of an array of two or three axes.
    fn new<D: Dimension>(array: ArrayView<'a, E, D>) -> Result<Self, SourceError> {
        let mut array = array.into_dyn();
        if array.ndim() == 2 {
            array.insert_axis_inplace(Axis(2));
        }
        array
            .into_dimensionality()
            .map(Rows)
            .map_err(SourceError::other)
    }

    /// Calls `access` with each row that has some of the `count` bytes from
    /// `offset` on: with the row, the offset of these bytes in the row, and their
    /// range among all.
    fn for_each_row(
        &self,
        offset: usize,
        count: usize,
        mut access: impl FnMut(ArrayView2<'_, E>, usize, Range<usize>) -> Result<(), SourceError>,
    ) -> Result<(), SourceError> {
        let len = self.0.len() * Self::SIZE;
        if offset.checked_add(count).is_none_or(|end| end > len) {
            return Err(SourceError::OutOfRange {
                offset,
                bytes: count,
                len,
            });
        }
        let mut done = 0;
        while done < count {
            let row_size = len / self.0.dim().0;
            let (y, skip) = ((offset + done) / row_size, (offset + done) % row_size);
            let end = count.min(done + row_size - skip);
            access(self.0.index_axis(Axis(0), y), skip, done..end)?;
            done = end;
        }
        Ok(())
    }

    /// Returns the elements of a row from the one that contains byte `offset` on.
    fn elements_from<'r>(row: &'r ArrayView2<'_, E>, offset: usize) -> impl Iterator<Item = &'r E> {
        let (first, channels) = (offset / Self::SIZE, row.dim().1);
        let rest = row.slice_axis(Axis(0), Slice::from(first / channels..));
        rest.into_iter().skip(first % channels)
    }

    /// Calls `access` with each element that has some of the `count` bytes from
    /// `skip` on: with the element, the offset of these bytes in the element, and
    /// their range among all.
    fn for_each_element(
        row: &ArrayView2<'_, E>,
        skip: usize,
        count: usize,
        mut access: impl FnMut(&E, usize, Range<usize>),
    ) {
        let (mut skip, mut done) = (skip, 0);
        for element in Self::elements_from(row, skip) {
            if done == count {
                break;
            }
            skip %= Self::SIZE;
            let end = count.min(done + Self::SIZE - skip);
            access(element, skip, done..end);
            (skip, done) = (0, end);
        }
    }
}

impl<E: ArrayElement> LiveBytes for Rows<'_, E> {
    fn len(&self) -> usize {
        self.0.len() * Self::SIZE
    }

    fn element_size(&self) -> usize {
        Self::SIZE
    }

    fn copy_to(&self, offset: usize, to: &mut [u8]) -> Result<(), SourceError> {
        self.for_each_row(offset, to.len(), |row, skip, range| {
            let to = &mut to[range];
            if let Some(elements) = row.as_slice() {
                return E::copy_to(elements, skip, to);
            }
            if skip.is_multiple_of(Self::SIZE) && to.len().is_multiple_of(Self::SIZE) {
                // A copy of a constant size is faster than one of a part.
                let elements = Self::elements_from(&row, skip);
                for (to, element) in to.chunks_exact_mut(Self::SIZE).zip(elements) {
                    to.copy_from_slice(bytemuck::bytes_of(&element.value()));
                }
                return Ok(());
            }
            Self::for_each_element(&row, skip, to.len(), |element, skip, range| {
                let value = element.value();
                let bytes = &bytemuck::bytes_of(&value)[skip..];
                to[range.clone()].copy_from_slice(&bytes[..range.len()]);
            });
            Ok(())
        })
    }
}

impl<T: Plain + AnyBitPattern> LiveBytesMut for Rows<'_, MathCell<T>> {
    fn copy_from(&mut self, offset: usize, from: &[u8]) -> Result<(), SourceError> {
        self.for_each_row(offset, from.len(), |row, skip, range| {
            let from = &from[range];
            if let Some(elements) = row.as_slice() {
                return LiveSlice(elements).copy_from(skip, from);
            }
            Self::for_each_element(&row, skip, from.len(), |element, skip, range| {
                LiveElementMut::update(element, |bytes| {
                    let from = &from[range.clone()];
                    bytes[skip..][..from.len()].copy_from_slice(from);
                });
            });
            Ok(())
        })
    }
}
