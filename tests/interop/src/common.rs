//! What the tests of several crates need.

use std::cell::Cell;

use pixview::source::{Lease, LiveBytes, SourceError};
use pixview::{Image, PixelFormat, PixelSource};

/// Returns the pixels of a saved file.
pub fn saved<S: PixelSource>(image: &Image<S>, format: PixelFormat) -> Vec<u8> {
    let png = image.to_png().unwrap();
    let read = Image::from_png(&png).unwrap();
    read.to_vec_as(format).unwrap()
}

/// Asserts that the image reads this memory: the very address, with no copy.
pub fn assert_in_place<S: PixelSource, T>(image: &Image<S>, memory: &[T]) {
    let lease = image.source().lease().unwrap();
    let bytes = lease.as_slice().expect("the bytes are in place");
    assert_eq!(bytes.as_ptr(), memory.as_ptr().cast());
    assert_eq!(bytes.len(), size_of_val(memory));
}

/// A source that counts the bytes that are read from another one.
pub struct Counted<S> {
    pub source: S,
    pub bytes: Cell<usize>,
}

/// Returns the same image, with a source that counts.
pub fn counted<S: PixelSource>(image: Image<S>) -> Image<Counted<S>> {
    let layout = image.layout();
    let source = Counted {
        source: image.into_source(),
        bytes: Cell::new(0),
    };
    Image::with_layout(source, layout).unwrap()
}

struct CountedBytes<'a>(Lease<'a>, &'a Cell<usize>);

impl<S: PixelSource> PixelSource for Counted<S> {
    fn lease(&self) -> Result<Lease<'_>, SourceError> {
        Ok(Lease::live(CountedBytes(self.source.lease()?, &self.bytes)))
    }
}

impl LiveBytes for CountedBytes<'_> {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn element_size(&self) -> usize {
        self.0.element_size()
    }

    fn copy_to(&self, offset: usize, to: &mut [u8]) -> Result<(), SourceError> {
        self.1.set(self.1.get() + to.len());
        self.0.copy_to(offset, to)
    }
}
