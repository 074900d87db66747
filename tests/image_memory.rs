//! Contract 2: digests, comparisons and conversions take a few rows, or one
//! block behind two locks, whatever the height of the image.
//!
//! One test in a process of its own: the allocator counts for all threads.

mod common;

use std::cell::Cell;
use std::sync::{Mutex, RwLock};

use common::DEFINITIONS;
use peak_alloc::PeakAlloc;
use pixview::{Image, Layout, PixelFormat};

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

const WIDTH: u32 = 1000;

/// Bytes of a lease and of an error.
const SMALL: usize = 1 << 10;

/// Returns the most bytes that were allocated at once during `run`, beyond those
/// that were allocated before.
fn peak(run: impl FnOnce()) -> usize {
    let before = ALLOCATOR.current_usage();
    ALLOCATOR.reset_peak_usage();
    run();
    ALLOCATOR.peak_usage() - before
}

#[test]
fn memory_does_not_grow_with_the_image() {
    assert!(peak(|| drop(std::hint::black_box(vec![1u8; 5 << 20]))) >= 5 << 20);
    for definition in DEFINITIONS.iter() {
        let format = definition.format;
        let size = definition.row_size(WIDTH as usize);
        let png = definition.png();
        let png_row = if definition.indexed {
            WIDTH as usize
        } else {
            png.row_size(WIDTH as usize)
        };
        let mut row = common::noise(size, 1);
        for height in [100, 2000] {
            // One row many times, which spares the large buffer.
            let layout = Layout::packed(WIDTH, height, format).with_row_stride(0);
            let stable = definition.with_palette(Image::with_layout(&row[..], layout).unwrap());
            // As PNG holds it, so in place.
            let in_place = size == png_row && format == png.format;
            let rows = usize::from(!in_place);
            let digest = peak(|| assert!(stable.digest().is_ok()));
            assert!(digest <= rows * png_row + SMALL, "{digest} for {format}");
            let compare = peak(|| assert_eq!(stable.compare(&stable).unwrap(), None));
            assert!(
                compare <= 2 * rows * png_row + SMALL,
                "{compare} for {format}"
            );
        }
        let cells = Cell::from_mut(&mut row[..]).as_slice_of_cells();
        let layout = Layout::packed(WIDTH, 300, format).with_row_stride(0);
        let live = definition.with_palette(Image::with_layout(cells, layout).unwrap());
        let digest = peak(|| assert!(live.digest().is_ok()));
        assert!(digest <= png_row + SMALL, "{digest} for cells of {format}");
        let compare = peak(|| assert_eq!(live.compare(&live).unwrap(), None));
        assert!(
            compare <= 2 * png_row + SMALL,
            "{compare} for cells of {format}"
        );

        // The target of a conversion has no two rows at one place.
        for to in [PixelFormat::BGRA8, PixelFormat::RGB16LE, format] {
            let mut target = Image::new(WIDTH, 300, to).unwrap();
            let copy = peak(|| live.copy_into(&mut target).unwrap());
            let target_row = to.row_size(WIDTH) as usize * 2; // at most, in PNG
            let bound = png_row.max(size) + target_row + SMALL;
            assert!(copy <= bound, "{copy} for {format} to {to}");
        }
    }

    // Behind two locks: one block of 256 KiB.
    let (width, height) = (1000, 4000);
    let first = Mutex::new(common::noise(4 * width * height, 1));
    let second = RwLock::new(first.lock().unwrap().clone());
    let (width, height) = (width as u32, height as u32);
    let a = Image::from_buffer(&first, width, height, PixelFormat::RGBA8).unwrap();
    let mut b = Image::from_buffer(&second, width, height, PixelFormat::RGBA8).unwrap();
    let bound = (256 << 10) + 2 * 4000 + SMALL;
    let compare = peak(|| assert_eq!(a.compare(&b).unwrap(), None));
    assert!(compare <= bound, "{compare} to compare two locks");
    let copy = peak(|| a.copy_into(&mut b).unwrap());
    assert!(copy <= bound, "{copy} to copy between two locks");

    // The result of a conversion, and a row of it.
    let copy = peak(|| drop(a.to_vec_as(PixelFormat::BGR8).unwrap()));
    let bound = 3 * 1000 * 4000 + 8 * 1000 + SMALL;
    assert!(copy <= bound, "{copy} for a Vec");
}
