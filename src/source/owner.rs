//! Owners and pointers of other crates as sources.

use std::ops::{Deref, DerefMut};

use super::{
    Lease, LeaseMut, PixelSource, PixelSourceMut, PlainBuffer, PlainBufferMut, SharedPixelSource,
    SourceError,
};

/// A wrapper that makes a source of another crate's type: an owner of memory, a
/// pointer, or a guard that is held. The type derefs to a slice of elements, or to
/// any other source.
///
/// Such types are `bytes::Bytes`, `memmap2::Mmap` and `MmapMut`,
/// `image::ImageBuffer`, `wgpu::BufferView`, and the guards of `parking_lot`. The
/// image takes the owner by value, and keeps no copy of the pixels: every access
/// calls `deref`, and reads the memory in place. If the owner implements
/// [`DerefMut`], the pixels can be written.
///
/// An `Owner` derefs to the wrapped value, which is also its public field. An
/// `Owner` of plain memory is a [`PlainBuffer`], so a `Mutex`, `RwLock` or
/// `RefCell` around it is a source.
///
/// A borrow needs no `Owner`: `Image::from_buffer(&bytes[..], ..)`. A type that
/// implements only [`AsRef`] can be borrowed, too: `bytes.as_ref()`. For an image
/// that owns such a type, wrap it in a struct that implements [`Deref`].
///
/// # Examples
///
/// An image that owns pixels read back from a graphics card, as `bytes::Bytes` or
/// `wgpu::BufferView`:
///
/// ```
/// use pixview::source::Owner;
/// use pixview::{Image, PixelFormat};
/// # struct Bytes(Vec<u8>);
/// # impl std::ops::Deref for Bytes {
/// #     type Target = [u8];
/// #     fn deref(&self) -> &[u8] { &self.0 }
/// # }
///
/// fn read_back(bytes: Bytes) -> Result<Image<Owner<Bytes>>, pixview::Error> {
///     Image::from_buffer(Owner(bytes), 8, 8, PixelFormat::BGRA8)
/// }
/// # read_back(Bytes(vec![0; 256]))?;
/// # Ok::<(), pixview::Error>(())
/// ```
///
/// A mapped framebuffer that one thread draws into and another saves:
///
/// ```
/// use std::sync::{Arc, Mutex};
/// use pixview::source::Owner;
/// use pixview::{Image, PixelFormat};
/// # struct MmapMut(Vec<u8>);
/// # impl std::ops::Deref for MmapMut {
/// #     type Target = [u8];
/// #     fn deref(&self) -> &[u8] { &self.0 }
/// # }
/// # impl std::ops::DerefMut for MmapMut {
/// #     fn deref_mut(&mut self) -> &mut [u8] { &mut self.0 }
/// # }
/// # let mapped = MmapMut(vec![0; 2 * 64]);
///
/// let screen = Arc::new(Mutex::new(Owner(mapped))); // a `memmap2::MmapMut`
/// let image = Image::from_buffer(screen.clone(), 8, 8, PixelFormat::RGB565)?;
/// screen.lock().unwrap()[..2].fill(0xff);
/// assert_eq!(image.pixels()?.get(0, 0)?, [255, 255, 255]);
/// # Ok::<(), pixview::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Owner<T>(
    /// The value that owns the memory.
    pub T,
);

impl<T> Deref for Owner<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> DerefMut for Owner<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

impl<T: Deref<Target: PixelSource>> PixelSource for Owner<T> {
    fn lease(&self) -> Result<Lease<'_>, SourceError> {
        self.0.deref().lease()
    }
}

impl<T: DerefMut<Target: PixelSourceMut>> PixelSourceMut for Owner<T> {
    fn lease_mut(&mut self) -> Result<LeaseMut<'_>, SourceError> {
        self.0.deref_mut().lease_mut()
    }
}

impl<T: Deref<Target: SharedPixelSource>> SharedPixelSource for Owner<T> {
    fn lease_shared(&self) -> Result<LeaseMut<'_>, SourceError> {
        self.0.deref().lease_shared()
    }
}

impl<T: Deref<Target: PlainBuffer>> PlainBuffer for Owner<T> {
    type Element = <T::Target as PlainBuffer>::Element;

    fn as_elements(&self) -> &[Self::Element] {
        self.0.deref().as_elements()
    }
}

impl<T: DerefMut<Target: PlainBufferMut>> PlainBufferMut for Owner<T> {
    fn as_elements_mut(&mut self) -> &mut [Self::Element] {
        self.0.deref_mut().as_elements_mut()
    }
}
