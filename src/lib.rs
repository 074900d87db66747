//! Image views over a pixel buffer that lives somewhere else, saved as PNG
//! straight from the live memory.
//!
//! ```no_run
//! use pixview::{Image, PixelFormat};
//! use std::cell::Cell;
//!
//! let mut array = vec![0u8; 640 * 480 * 3];
//! let pixels = Cell::from_mut(&mut array[..]).as_slice_of_cells();
//!
//! let image = Image::from_buffer(pixels, 640, 480, PixelFormat::RGB8)?;
//! image.save("before.png")?;
//! pixels[0].set(255);              // edit the source array …
//! image.save("after.png")?;        // … and the image shows it
//! # Ok::<(), pixview::Error>(())
//! ```
//!
//! An [`Image`] is a description laid over memory: where each pixel is, and
//! what its bytes mean. It keeps no copy of the pixels. Saving changes nothing
//! about it: **edits to the source array still show in the
//! image after a save**, and after a hundred.
//!
//! # Which source to take
//!
//! | you want to | give `Image::from_buffer` | editing the array meanwhile |
//! |---|---|---|
//! | look at and save pixels | `&buffer` | no: the borrow checker refuses |
//! | edit through the image only | `&mut buffer` | no, until the image is gone |
//! | let the image own the pixels | `buffer` (a `Vec`, an array) | [`image.source_mut()`](Image::source_mut) |
//! | edit and save in one thread | `&[Cell<u8>]`, `Rc<RefCell<Vec<u8>>>` | yes |
//! | edit in one thread, save whole frames in another | `Arc<RwLock<Vec<u8>>>`, `Arc<Mutex<..>>` | yes, between saves |
//! | edit in one thread, save in another, nobody waits | `Arc<[AtomicU32]>`, `Arc<[AtomicU8]>` | yes; a file may show half an edit |
//! | choose at run time | `Box<dyn PixelSource>`, `Box<dyn PixelSourceMut>` | as what is in the box |
//!
//! A save waits for a lock: drop your guard first. Elements may be `u8`,
//! `u16`, `i16`, `u32`, `u64`, `f32`, arrays of them, or a struct of your own
//! ([`Plain`]); their bytes are the pixels' bytes, and their
//! type says nothing of the format.
//!
//! # The error that everybody meets first
//!
//! A plain borrow is a promise that nobody edits. So this does not compile:
//!
//! ```compile_fail,E0502
//! # use pixview::{Image, PixelFormat};
//! let mut array = vec![0u8; 640 * 480 * 3];
//! let image = Image::from_buffer(&array, 640, 480, PixelFormat::RGB8)?;
//! array[0] = 255;
//! image.save("after.png")?;
//! # Ok::<(), pixview::Error>(())
//! ```
//!
//! ```text
//! error[E0502]: cannot borrow `array` as mutable because it is also borrowed as immutable
//! ```
//!
//! Three ways out:
//!
//! ```no_run
//! # use pixview::{Image, PixelFormat};
//! # use std::cell::Cell;
//! # let mut array = vec![0u8; 640 * 480 * 3];
//! // 1. Share the array as cells: the same memory, and everyone may edit.
//! let pixels = Cell::from_mut(&mut array[..]).as_slice_of_cells();
//! let image = Image::from_buffer(pixels, 640, 480, PixelFormat::RGB8)?;
//! pixels[0].set(255);
//! image.save("after.png")?;
//!
//! // 2. Give the array to the image, and edit it there.
//! let mut image = Image::from_buffer(array, 640, 480, PixelFormat::RGB8)?;
//! image.source_mut()[0] = 255;
//! image.save("after.png")?;
//!
//! // 3. Make the image when you save. It costs nothing.
//! # let mut array = image.into_source();
//! array[0] = 255;
//! Image::from_buffer(&array, 640, 480, PixelFormat::RGB8)?.save("after.png")?;
//! # Ok::<(), pixview::Error>(())
//! ```
//!
//! # Who shares which memory
//!
//! ```text
//!            your memory                      who reads it, and when
//!
//!  array  ┌───┬───┬───┬───┬───┬───┐
//!  ──────►│ R │ G │ B │ R │ G │ B │◄──┬── Image<&[Cell<u8>]>      one view,
//!         ├───┼───┼───┼───┼───┼───┤   │     format, strides       no pixels
//!         │ R │ G │ B │ R │ G │ B │   │
//!         └───┴───┴───┴───┴───┴───┘   ├── image.view().crop(..)   another view,
//!           ▲                   │     │                           same memory
//!           │                   │     └── image.clone()           and another (*)
//!  your edits, at any time      │
//!                               ▼ read now, once, row by row
//!                    save ── PngEncoder ──► image.png
//!                            a strip of     a file of its own:
//!                            scratch        later edits are not in it
//! ```
//!
//! - [`Image::view`], [`crop`](Image::crop), [`flip_vertical`](Image::flip_vertical),
//!   [`transpose`](Image::transpose), [`channel`](Image::channel) share the
//!   memory.
//! - (*) `clone` does what the source's `clone` does: references, `Rc` and
//!   `Arc` share the memory, a `Vec` is copied.
//! - [`Image::to_vec`], [`Image::copy_to`] and the saves copy what is there at
//!   that moment. A read guard ([`Image::pixels`]) copies where it can't show
//!   the memory itself.
//! - [`Image::pixels_mut`] draws into the caller's array.
//!
//! # The types
//!
//! | | |
//! |---|---|
//! | [`Image`] | a source and a layout; views, reads, writes, saves |
//! | [`PixelSource`] | where pixels live; [`PixelSourceMut`], [`SharedPixelSource`] say who may write |
//! | [`Plain`], [`PlainBuffer`] | your own pixel struct; your own struct behind a lock |
//! | [`Lease`], [`LiveBytes`] | the bytes for one access; to write a source of your own |
//! | [`Layout`] | where a pixel is: format, offset and strides in bytes |
//! | [`PixelFormat`], [`Palette`] | what its bytes mean; the colours of indices |
//! | [`Pixels`], [`PixelsMut`], [`Pixel`] | reading and writing pixels |
//! | [`PngDecoder`], [`PngReader`] | the limits of reading; a file, to be read into a view |
//! | [`PngEncoder`], [`Compression`], [`Filter`], [`IndexDepth`] | the options of a save, and scratch to reuse |
//! | [`Metadata`] and its parts, [`Text`] to [`Chunk`] | what a file says beside its pixels |
//! | [`Progress`] | how far a save or a read has come |
//! | [`Error`], [`ErrorKind`], [`SourceError`] | what went wrong, with the numbers |
//!
//! What all this promises, and the test behind each promise: [`contracts`].
#![forbid(unsafe_code)]

mod alloc;
mod arch;
mod deflate;
#[doc = include_str!("docs/contracts.md")]
pub mod contracts {}
mod error;
mod file;
mod format;
mod image;
#[cfg(any(fuzzing, pixview_internals))]
#[doc(hidden)]
pub mod internals;
mod layout;
mod pixels;
mod png;
mod source;
mod strided;

pub use error::{Error, ErrorKind};
pub use format::{Channel, Palette, Pixel, PixelBytes, PixelFormat, SampleSlice, Samples};
pub use image::Image;
pub use layout::Layout;
pub use pixels::{Pixels, PixelsMut};
pub use png::{
    Background, Chromaticities, Chunk, ChunkFault, Cicp, Compression, Density, Filter, IccProfile,
    IndexDepth, LightLevel, MasteringDisplay, Metadata, PngDecoder, PngEncoder, PngReader,
    Progress, RenderingIntent, Text, Time,
};
pub use source::{
    Element, ElementMut, Lease, LeaseMut, LiveBytes, LiveBytesMut, PixelSource, PixelSourceMut,
    Plain, PlainBuffer, PlainBufferMut, SharedElement, SharedPixelSource, SourceError,
};

/// The examples of the README compile and run like those of the docs.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
