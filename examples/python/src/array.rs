//! Finding the memory of an object, and the layout of its pixels there.

use std::sync::Arc;

use pixview::{Image, Layout, Palette, PixelFormat};
use pyo3::buffer::{ElementType as BufferType, PyUntypedBuffer};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyMemoryView};

use crate::error::exception;
use crate::formats::{ElementType, pixel_size, reversed, sample_size};
use crate::memory::{Access, Memory, part};

/// The largest pixel stride in bytes at which `pixview` reads many pixels in one
/// request, together with the gaps between them. With a larger stride it makes
/// one request a pixel, so rows of the array are faster.
const MAX_PIXEL_STRIDE: usize = 64;

/// The arguments of a new image that say how its memory is to be understood.
pub(crate) struct Arguments {
    /// The format by name, or `None` to take it from the type of the elements.
    pub(crate) format: Option<PixelFormat>,
    /// Sets the options of the format.
    pub(crate) options: Box<dyn Fn(PixelFormat) -> PixelFormat>,
    /// Width and height, for memory without a shape.
    pub(crate) size: Option<(u32, u32)>,
    /// Bytes from a row to the next, for memory without a shape.
    pub(crate) stride: Option<isize>,
    /// The byte of the first pixel, for memory without a shape.
    pub(crate) offset: Option<usize>,
}

/// An object's elements in memory, as NumPy describes them.
struct Elements {
    kind: ElementType,
    shape: Vec<usize>,
    /// Bytes from an element to the next along each axis.
    strides: Vec<isize>,
    readonly: bool,
}

impl Elements {
    /// Returns whether the elements of a one-dimensional array have no gaps.
    fn lie_side_by_side(&self) -> bool {
        self.shape == [1] || self.strides == [self.kind.size as isize]
    }

    /// Returns whether elements may share bytes. Along each axis, from the
    /// smallest stride to the largest, a step must lead past all elements of the
    /// axes before. Only `numpy.lib.stride_tricks` makes other arrays.
    fn may_overlap(&self) -> bool {
        let axes = self.shape.iter().zip(&self.strides);
        let mut axes: Vec<_> = axes.filter(|&(&count, _)| count > 1).collect();
        axes.sort_by_key(|&(_, stride)| stride.unsigned_abs());
        let mut extent = self.kind.size as u128;
        for (&count, stride) in axes {
            let stride = stride.unsigned_abs() as u128;
            if stride < extent {
                return true;
            }
            extent += (count as u128 - 1) * stride;
        }
        false
    }
}

/// Returns an image over the memory of an object.
pub(crate) fn open(
    object: &Bound<'_, PyAny>,
    arguments: &Arguments,
) -> PyResult<Image<Arc<Memory>>> {
    let py = object.py();
    // A memoryview, because it has strides even if the object leaves them out.
    let buffer = PyMemoryView::from(object).ok();
    let buffer = buffer.and_then(|view| PyUntypedBuffer::get(&view).ok());
    if let Some(buffer) = buffer
        && !object.hasattr("__array_interface__")?
        && buffer.is_c_contiguous()
        && let Some(kind) = kind_of(&buffer)
    {
        let elements = Elements {
            kind,
            shape: buffer.shape().to_vec(),
            strides: buffer.strides().to_vec(),
            readonly: buffer.readonly(),
        };
        let len = buffer.len_bytes();
        buffer.release(py);
        let view = PyMemoryView::from(object)?.call_method1("cast", ("B",))?;
        let view = view.cast_into::<PyMemoryView>()?;
        return lay_out(py, &elements, Some((view, 0, len)), None, arguments);
    }
    // A view of our own, whose shape nobody changes in place.
    let array = as_array(object)?.call_method0("view")?;
    let interface = array.getattr("__array_interface__")?;
    let item = |name: &str| interface.get_item(name);
    let typestr: String = item("typestr")?.extract()?;
    let kind = ElementType::parse(&typestr)
        .ok_or_else(|| PyTypeError::new_err(format!("unknown element type {typestr:?}")))?;
    let (address, readonly): (usize, bool) = item("data")?.extract()?;
    let elements = Elements {
        kind,
        shape: item("shape")?.extract()?,
        strides: array.getattr("strides")?.extract()?,
        readonly,
    };
    let bytes = bytes_of(&array)?.map(|(view, start, len)| {
        let distance = (address as isize).wrapping_sub(start as isize);
        (view, distance, len)
    });
    lay_out(py, &elements, bytes, Some(array), arguments)
}

/// Returns the type of the elements of a buffer in native byte order, which
/// `memoryview.cast` requires.
fn kind_of(buffer: &PyUntypedBuffer) -> Option<ElementType> {
    if matches!(buffer.format().to_bytes(), [b'<' | b'>' | b'=' | b'!', ..]) {
        return None;
    }
    let (kind, size) = match BufferType::from_format(buffer.format()) {
        BufferType::UnsignedInteger { bytes } => ('u', bytes),
        BufferType::SignedInteger { bytes } => ('i', bytes),
        BufferType::Float { bytes } => ('f', bytes),
        BufferType::Bool => ('b', 1),
        BufferType::Unknown => return None,
    };
    Some(ElementType {
        kind,
        size,
        order: "",
    })
}

/// Returns a NumPy array over the memory of the object.
fn as_array<'py>(object: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let numpy = object.py().import("numpy")?;
    if object.is_instance(&numpy.getattr("ndarray")?)? {
        return numpy.call_method1("asarray", (object,));
    }
    if let Ok(interface) = object.getattr("__array_interface__") {
        let interface = interface.cast_into::<PyDict>()?;
        let data = interface.get_item("data")?;
        let lives = data.is_some_and(|data| data.extract::<(usize, bool)>().is_ok());
        if !lives {
            return Err(PyTypeError::new_err(format!(
                "a {} gives a copy of its pixels, not its memory: make a NumPy array, draw \
                 into it, and view that",
                object.get_type().fully_qualified_name()?
            )));
        }
        return numpy.call_method1("asarray", (object,));
    }
    if PyMemoryView::from(object).is_ok() {
        return numpy.call_method1("asarray", (object,));
    }
    if object.hasattr("__dlpack__")? {
        return numpy.call_method1("from_dlpack", (object,));
    }
    Err(PyTypeError::new_err(format!(
        "pixels lie in an object with the buffer protocol, __array_interface__ or __dlpack__, \
         not in a {}",
        object.get_type().qualname()?
    )))
}

/// Returns all bytes of the array that owns the memory, with their address and
/// their number. Returns `None` if the owner has gaps between its elements.
fn bytes_of<'py>(
    array: &Bound<'py, PyAny>,
) -> PyResult<Option<(Bound<'py, PyMemoryView>, usize, usize)>> {
    let numpy = array.py().import("numpy")?;
    let ndarray = numpy.getattr("ndarray")?;
    let mut owner = array.clone();
    loop {
        let base = owner.getattr("base")?;
        if !base.is_instance(&ndarray)? {
            break;
        }
        owner = base;
    }
    let flags = owner.getattr("flags")?;
    let flag = |name: &str| flags.getattr(name)?.extract::<bool>();
    if flag("f_contiguous")? && !flag("c_contiguous")? {
        owner = owner.getattr("T")?;
    } else if !flag("c_contiguous")? {
        return Ok(None);
    }
    let bytes = owner.call_method1("reshape", (-1,))?;
    let bytes = bytes.call_method1("view", (numpy.getattr("uint8")?,))?;
    let interface = bytes.getattr("__array_interface__")?;
    let (address, _): (usize, bool) = interface.get_item("data")?.extract()?;
    let view = PyMemoryView::from(&bytes)?;
    let len = view.len()?;
    Ok(Some((view, address, len)))
}

/// The bytes that hold the pixels, the distance from their first byte to the
/// first element of the array, and their number.
type Bytes<'py> = (Bound<'py, PyMemoryView>, isize, usize);

/// Returns an image over the elements. It reads through the bytes where that is
/// possible and fast, else through the rows of the array.
fn lay_out(
    py: Python<'_>,
    elements: &Elements,
    bytes: Option<Bytes<'_>>,
    array: Option<Bound<'_, PyAny>>,
    arguments: &Arguments,
) -> PyResult<Image<Arc<Memory>>> {
    let kind = elements.kind;
    let samples = match *elements.shape {
        [_] | [_, _] => 1,
        [_, _, samples] => samples,
        _ => return Err(wrong_shape(elements)),
    };
    let format = match arguments.format {
        Some(format) => format,
        None if (1..=4).contains(&samples) => kind.format(samples)?,
        None => return Err(wrong_shape(elements)),
    };
    let readonly = if elements.readonly {
        Some("the array is read-only")
    } else if elements.kind.kind == 'b' {
        // A file could hold bytes that are neither true nor false.
        Some("an array of bool can be read, not written: give array.view(numpy.uint8)")
    } else if elements.may_overlap() {
        Some("elements of the array overlap: it can be read, not written")
    } else {
        None
    };
    let memory = |access| Arc::new(Memory { access, readonly });
    let error = |error| exception(py, error);

    if let [count] = *elements.shape {
        let (Some((width, height)), Some((view, start, _)), true) =
            (arguments.size, bytes, elements.lie_side_by_side())
        else {
            return Err(PyValueError::new_err(
                "one-dimensional memory has elements side by side, and needs size=(width, height)",
            ));
        };
        let len = count * kind.size;
        let view = part(&view, start.unsigned_abs(), len)?.cast_into::<PyMemoryView>()?;
        let format = (arguments.options)(format);
        let layout = Layout::packed(width, height, format);
        let memory = memory(by_bytes((view, 0, len)));
        let image = match (arguments.offset, arguments.stride) {
            (None, None) => Image::from_buffer(memory, width, height, format),
            (offset, stride) => {
                let stride = stride.unwrap_or(layout.row_stride());
                let layout = layout
                    .with_offset(offset.unwrap_or(0))
                    .with_row_stride(stride);
                Image::with_layout(memory, layout)
            }
        };
        return image.map_err(error);
    }
    if arguments.size.is_some() || arguments.stride.is_some() || arguments.offset.is_some() {
        return Err(PyValueError::new_err(
            "size, stride and offset are for one-dimensional memory: an array has a shape; \
             slice it",
        ));
    }

    let place = Place::new(elements, format)?;
    let direct = bytes.as_ref().and_then(|(_, start, len)| {
        let layout = place.layout(*start, &*arguments.options)?;
        is_inside(&place, elements, *start, *len).then_some(layout)
    });
    let (access, layout) = match (direct, bytes, array) {
        (Some(layout), Some(bytes), _) => (by_bytes(bytes), layout),
        (_, _, Some(array)) => {
            let format = (arguments.options)(format);
            let access = Access::Rows {
                array: array.unbind(),
                row_size: place.row_size,
                rows: elements.shape[0],
            };
            (access, Layout::packed(place.width, place.height, format))
        }
        _ => return Err(wrong_shape(elements)),
    };
    let image = Image::with_layout(memory(access), layout).map_err(error)?;
    if arguments.format.is_none() && kind.kind == 'b' {
        let palette = Palette::from_rgb(&[[0; 3], [255; 3]]).map_err(error)?;
        return image.with_palette(palette).map_err(error);
    }
    Ok(image)
}

fn by_bytes((view, _, len): Bytes<'_>) -> Access {
    let view = view.unbind();
    Access::Bytes { view, len }
}

/// Returns whether the bytes hold all elements. Elements of an array can lie
/// outside of its owner only if `numpy.lib.stride_tricks` made it.
fn is_inside(place: &Place, elements: &Elements, start: isize, len: usize) -> bool {
    let (mut first, mut end) = (start as i128, start as i128 + elements.kind.size as i128);
    for (&count, &stride) in elements.shape.iter().zip(&elements.strides) {
        let reach = (count as i128 - 1) * stride as i128;
        first += reach.min(0);
        end += reach.max(0);
    }
    place.width > 0 && place.height > 0 && first >= 0 && end <= len as i128
}

/// Where the pixels of an array lie, relative to its first element.
struct Place {
    format: PixelFormat,
    width: u32,
    height: u32,
    row_stride: isize,
    pixel_stride: isize,
    /// The number of elements of a pixel and the bytes from one to the next, if
    /// they have an axis of their own.
    samples: Option<(usize, isize)>,
    /// Bytes of an element.
    element: usize,
    /// Bytes of a packed row.
    row_size: usize,
}

impl Place {
    /// Checks that the elements hold whole pixels of the format.
    fn new(elements: &Elements, format: PixelFormat) -> Result<Self, PyErr> {
        let element = elements.kind.size;
        let (shape, strides) = (&elements.shape, &elements.strides);
        let samples = shape.get(2).map(|&count| (count, strides[2]));
        let given = element * samples.map_or(1, |(count, _)| count);
        let per_element = match pixel_size(format) {
            Some(size) if size == given => 1,
            None if given == 1 && samples.is_none() => 8 / format.bits_per_pixel(),
            size => {
                let size = size.map_or(String::from("less than 1 byte"), count_bytes);
                return Err(PyValueError::new_err(format!(
                    "a pixel of {format} has {size}, the array has {} a pixel",
                    count_bytes(given)
                )));
            }
        };
        let too_large = || PyValueError::new_err("the array is too large for an image");
        let width = shape[1].checked_mul(per_element).ok_or_else(too_large)?;
        Ok(Place {
            format,
            width: width.try_into().map_err(|_| too_large())?,
            height: shape[0].try_into().map_err(|_| too_large())?,
            row_stride: strides[0],
            pixel_stride: strides[1],
            samples,
            element,
            row_size: shape[1].checked_mul(given).ok_or_else(too_large)?,
        })
    }

    /// Returns the layout over bytes in which the first element begins at byte
    /// `start`. Returns `None` if no layout describes the strides, or if reading
    /// would take one request a pixel.
    fn layout(&self, start: isize, options: &dyn Fn(PixelFormat) -> PixelFormat) -> Option<Layout> {
        let (mut format, mut start, mut planes) = (self.format, start, None);
        let step = self.element as isize;
        if let Some((count, stride)) = self.samples
            && count > 1
            && stride != step
        {
            let whole = sample_size(format) == self.element;
            if stride == -step
                && whole
                && let Some(reversed) = reversed(format)
            {
                format = reversed;
                start += stride * (count as isize - 1);
            } else if whole && self.pixel_stride.abs() == step {
                planes = Some(stride);
            } else {
                return None;
            }
        }
        let layout = Layout::packed(self.width, self.height, options(format))
            .with_offset(start.try_into().ok()?)
            .with_row_stride(self.row_stride)
            .allow_overlap();
        if let Some(stride) = planes {
            let layout = layout.with_pixel_stride(self.pixel_stride);
            return Some(layout.with_plane_stride(stride));
        }
        let Some(pixel) = pixel_size(format) else {
            return (self.pixel_stride == 1).then_some(layout);
        };
        let stride = match self.width {
            1 => 0,
            _ => self.pixel_stride.unsigned_abs(),
        };
        let row = stride.checked_mul((self.width as usize).saturating_sub(1))? + pixel;
        let rows_apart = self.height == 1
            || self.row_stride == 0
            || self.row_stride.unsigned_abs() >= row
            || stride == pixel;
        (stride <= MAX_PIXEL_STRIDE && rows_apart)
            .then(|| layout.with_pixel_stride(self.pixel_stride))
    }
}

fn count_bytes(size: usize) -> String {
    match size {
        1 => String::from("1 byte"),
        _ => format!("{size} bytes"),
    }
}

fn wrong_shape(elements: &Elements) -> PyErr {
    let shape = &elements.shape;
    // An array of (4, 4, 5) could as well have five channels.
    let hint = match **shape {
        [channels @ 1..=4, height, width] if channels < height && channels < width => {
            "; for channels first use array.transpose(1, 2, 0)"
        }
        _ => "",
    };
    PyValueError::new_err(format!(
        "an array of pixels has the shape (height, width) or (height, width, 1 to 4), \
         not {shape:?}{hint}"
    ))
}
