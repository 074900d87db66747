//! Formats by name, and by the type of the elements.

use pixview::{Layout, PixelFormat};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

/// The type of the elements of an array.
#[derive(Clone, Copy)]
pub(crate) struct ElementType {
    /// The kind as NumPy names it: `u`, `i`, `f`, `b` for bool, `V` for a
    /// structure.
    pub(crate) kind: char,
    /// The size in bytes.
    pub(crate) size: usize,
    /// The suffix of format names for a byte order other than the native one:
    /// `LE` or `BE`, else empty.
    pub(crate) order: &'static str,
}

impl ElementType {
    /// Parses a type string such as `<u2`.
    pub(crate) fn parse(typestr: &str) -> Option<Self> {
        let mut chars = typestr.chars();
        let order = match chars.next()? {
            '<' if cfg!(target_endian = "big") => "LE",
            '>' if cfg!(target_endian = "little") => "BE",
            _ => "",
        };
        Some(ElementType {
            kind: chars.next()?,
            size: chars.as_str().parse().ok()?,
            order,
        })
    }

    /// Returns the format of pixels with this number of samples. For bool, an
    /// index of black or white: a bit in a byte of its own would be read pixel by
    /// pixel.
    pub(crate) fn format(self, samples: usize) -> PyResult<PixelFormat> {
        let color = match samples {
            1 => "GRAY",
            2 => "GRAY_ALPHA",
            3 => "RGB",
            _ => "RGBA",
        };
        let (kind, bits) = (self.kind.to_ascii_uppercase(), 8 * self.size);
        let name = match (self.kind, self.size) {
            ('b', 1) if samples == 1 => "INDEXED8".to_owned(),
            ('u', 1) => format!("{color}8"),
            ('u', 2) => format!("{color}16{}", self.order),
            _ => format!("{color}_{kind}{bits}{}", self.order),
        };
        name.parse().map_err(|_| {
            let elements = match samples {
                1 => format!("one {self}"),
                _ => format!("{samples} elements of {self}"),
            };
            PyValueError::new_err(format!(
                "there is no format for pixels of {elements}: name one of pixview.FORMATS, or \
                 convert the array with astype, which copies it"
            ))
        })
    }
}

impl std::fmt::Display for ElementType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kind = match self.kind {
            'u' => "uint",
            'i' => "int",
            'f' => "float",
            'c' => "complex",
            'b' => return f.write_str("bool"),
            _ => return write!(f, "{} bytes", self.size),
        };
        write!(f, "{kind}{}", 8 * self.size)
    }
}

/// Returns the bytes of a pixel, or `None` if several pixels share a byte.
pub(crate) fn pixel_size(format: PixelFormat) -> Option<usize> {
    let bits = format.bits_per_pixel();
    (bits >= 8).then_some(bits / 8)
}

/// Returns the bytes of a sample.
pub(crate) fn sample_size(format: PixelFormat) -> usize {
    Layout::planar(1, 1, format).pixel_stride().unsigned_abs()
}

/// Returns the format with the samples in reverse order, if there is one: `BGR8`
/// for `RGB8`.
pub(crate) fn reversed(format: PixelFormat) -> Option<PixelFormat> {
    let name = format.name();
    let is_sample = |c: char| matches!(c, 'R' | 'G' | 'B' | 'A' | 'X');
    let (samples, storage) = name.split_at(name.find(|c| !is_sample(c))?);
    if samples.is_empty() || storage.starts_with('Y') {
        return None; // GRAY
    }
    let samples: String = samples.chars().rev().collect();
    format!("{samples}{storage}").parse().ok()
}
