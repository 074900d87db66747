//! Image views over a pixel buffer that lives somewhere else, saved as PNG
//! straight from the live memory.
//!
//! An [`Image`] describes memory that you already have: where each pixel lies,
//! and what its bytes mean. It keeps no copy of the pixels. A save changes
//! nothing about the image, so **edits to the source array still show in the
//! image after a save**, and after a hundred saves:
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
//! image.save("after.png")?;        // … and the image shows the edit
//! # Ok::<(), pixview::Error>(())
//! ```
//!
//! # Which source to choose
//!
//! | you want to | give `Image::from_buffer` | editing the array meanwhile |
//! |---|---|---|
//! | look at pixels and save them | `&buffer` | no: the borrow checker refuses |
//! | edit through the image only | `&mut buffer` | no, until the image is gone |
//! | let the image own the pixels | `buffer` (a `Vec`, an array) | [`image.source_mut()`](Image::source_mut) |
//! | edit and save in one thread | `&[Cell<u8>]`, `Rc<RefCell<Vec<u8>>>` | yes |
//! | edit in one thread, save whole frames in another | `Arc<RwLock<Vec<u8>>>`, `Arc<Mutex<..>>` | yes, between saves |
//! | edit in one thread, save in another, no thread waits | `Arc<[AtomicU32]>`, `Arc<[AtomicU8]>` | yes; a file may show half an edit |
//! | edit in one thread, which never waits for a save, and save whole frames in another | [`Arc<SeqLock<Vec<AtomicU32>>>`](source::SeqLock), and [`Consistency::Snapshot`](png::Consistency::Snapshot) | yes, under `lock.write()` |
//! | save now and then what any lock or type guards | `&lock.lock()[..]`, an image for each save, in the statement that saves (it costs nothing; encoders still reuse strips) | yes, between saves |
//! | use memory that a type of another crate owns: `Bytes`, `Mmap`, `ImageBuffer` | [`Owner(bytes)`](source::Owner), `Arc<Mutex<Owner<MmapMut>>>` | behind a lock, or `image.source_mut()` |
//! | keep an image over another crate's lock | [`from_fn`](source::from_fn)`(\|\| lock.lock())`, [`from_shared`](source::from_shared)`(arc, ..)` | yes, between saves |
//! | view memory that another process writes | [`SharedFile::new(file)`](source::SharedFile): shared memory, a memfd, `/dev/fb0` | yes |
//! | choose at run time | `Box<dyn PixelSource>`, `Box<dyn PixelSourceMut>` | yes, if the source in the box allows it |
//!
//! A save waits for the lock of its source, so drop your own guard first.
//! Elements may be `u8`, `i8`, `u16`, `i16`, `u32`, `i32`, `u64`, `f32`, `f64`,
//! arrays of these, or a struct of your own ([`Plain`](source::Plain)). You
//! choose the format, not the type of the elements: `XRGB8888` works over `u8`
//! and `u32` alike, and `u16` alone does not mean `GRAY16`.
//!
//! # The error that everybody meets first
//!
//! A plain borrow promises that nobody edits the array. So this does not
//! compile:
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
//! There are three ways out:
//!
//! ```no_run
//! # use pixview::{Image, PixelFormat};
//! # use std::cell::Cell;
//! # let mut array = vec![0u8; 640 * 480 * 3];
//! // 1. Share the array as cells: the same memory, which everyone may edit.
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
//! // 3. Make the image when you save. That costs nothing.
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
//!   [`transpose`](Image::transpose) and [`channel`](Image::channel) share the
//!   memory.
//! - (*) `clone` clones the source. References, `Rc` and `Arc` share the memory;
//!   a `Vec` is copied.
//! - [`Image::to_vec`], [`Image::copy_to`] and the saves copy the pixels as they
//!   are at that moment; [`Image::to_vec_as`] and [`Image::copy_into`] convert them
//!   to another format. [`Image::pixels`] copies a row only where it cannot
//!   borrow the row.
//! - [`Image::pixels_mut`] draws into your array.
//!
//! # The types
//!
//! | type | content |
//! |---|---|
//! | [`Image`] | a source and a layout; views, reads, writes, saves; digest, comparison, conversion |
//! | [`PixelSource`], [`PixelSourceMut`] | memory that holds pixels; see [`source`] for your own |
//! | [`Layout`] | where a pixel lies: format, offset and strides in bytes |
//! | [`PixelFormat`], [`Palette`], [`Channel`] | what the bytes of a pixel mean; the colors of indices |
//! | [`Pixels`], [`PixelsMut`], [`Pixel`] | read and write access; one pixel; see [`pixels`] |
//! | [`Difference`], [`Rect`] | the pixels in which two images differ |
//! | [`PngEncoder`], [`Compression`] | the options of a save, and memory to reuse; see [`png`] |
//! | [`Consistency`](png::Consistency) | how long a save holds its source, and whether a file shows one moment |
//! | [`SaveReport`](png::SaveReport) | the size of a file, the strips that were encoded or reused, the time of the lock |
//! | [`PngDecoder`], [`PngReader`] | the limits of reading; a file that can be read into a view |
//! | [`Metadata`] | text, density, profiles and the like; see [`metadata`] |
//! | [`Error`], [`ErrorKind`] | what failed, with the numbers |
//!
//! Features, which are off by default, make views of images and arrays of `ndarray`,
//! `image`, `imgref` and `rgb`, take elements of `half`, and let `imageproc` and
//! `embedded-graphics` draw on a view: see [`interop`].
//!
//! [`docs`] has further pages. The [cookbook](docs::cookbook) has recipes for kinds of
//! programs, libraries and devices. The [comparison](docs::comparison) describes other
//! libraries, and which one does what this crate leaves out. The
//! [performance](docs::performance) page says what speed depends on. The
//! [contracts](docs::contracts) state the promises of this crate, each with the tests
//! that fail when it is broken. The table of [faults](docs::faults) says what each fault
//! leaves on the disk. The [design](docs::design) is for maintainers. The
//! [changelog](docs::changelog) lists the changes.
#![forbid(unsafe_code)]
// Labels each item with its feature.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod alloc;
mod arch;
mod deflate;
pub mod docs;
mod error;
mod file;
mod format;
mod image;
#[cfg(any(fuzzing, pixview_internals))]
#[doc(hidden)]
pub mod internals;
pub mod interop;
mod layout;
pub mod pixels;
pub mod png;
pub mod source;
mod strided;

pub use error::{Error, ErrorKind};
pub use format::{Channel, Palette, Pixel, PixelFormat};
pub use image::{Difference, Image, Rect};
pub use layout::Layout;
pub use pixels::{Pixels, PixelsMut};
pub use png::metadata::{self, Metadata};
pub use png::{Compression, PngDecoder, PngEncoder, PngReader};
pub use source::{PixelSource, PixelSourceMut};

// Short names for this crate's own use.
pub(crate) use source::{Lease, LeaseMut, SourceError};

/// The examples of the README compile and run like those of the docs.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
