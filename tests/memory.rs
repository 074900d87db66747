//! Contract 2: beyond the caller's buffer a save takes at most 2 MiB and four
//! rows of PNG with one thread, and 3 MiB and three rows for each further one,
//! whatever the image's height.
//!
//! One test in a process of its own: the allocator counts for all threads.

mod common;

use std::cell::{Cell, RefCell};
use std::io;
use std::rc::Rc;
use std::sync::atomic::{AtomicU8, AtomicU16, AtomicU32};
use std::sync::{Arc, Mutex, RwLock};

use common::DEFINITIONS;
use peak_alloc::PeakAlloc;
use pixview::png::{Consistency, Filter};
use pixview::{Compression, Image, Layout, PixelFormat, PixelSource, PngDecoder, PngEncoder};

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

const MIB: usize = 1 << 20;
const WIDTH: u32 = 1024;

const MODES: [Compression; 4] = [
    Compression::Stored,
    Compression::Fast,
    Compression::Small,
    Compression::Best,
];

/// The most bytes that were allocated at once during a save, beyond what was
/// there before.
///
/// The larger of two saves with one encoder, with what it keeps from the
/// first to the second.
fn peak<S: PixelSource>(image: &Image<S>, compression: Compression, threads: usize) -> usize {
    let before = ALLOCATOR.current_usage();
    ALLOCATOR.reset_peak_usage();
    let mut encoder = PngEncoder::new().compression(compression).threads(threads);
    encoder.write(image, io::sink()).unwrap();
    encoder
        .write(
            &image.view().crop(0, 0, image.width(), 3).unwrap(),
            io::sink(),
        )
        .unwrap();
    ALLOCATOR.peak_usage() - before
}

/// Compares an image of 1 MiB of PNG with one of 32 MiB, of the same width.
fn check<S: PixelSource>(name: &str, source: S, format: PixelFormat) {
    check_up_to(32, name, source, format);
}

/// Compares an image of 1 MiB of PNG, two strips, with one that is `times` as
/// high. A row stride of 0 shows one row many times, which spares the large
/// buffer.
fn check_up_to<S: PixelSource>(times: u32, name: &str, source: S, format: PixelFormat) {
    let image = |height| {
        let layout = Layout::packed(WIDTH, height, format).with_row_stride(0);
        let image = Image::with_layout(&source, layout).unwrap();
        common::Definition::of(format).with_palette(image)
    };
    let height = (MIB / png_row(WIDTH, format)) as u32;
    let small = peak(&image(height), Compression::Fast, 1);
    let large = peak(&image(times * height), Compression::Fast, 1);
    assert!(
        small.abs_diff(large) <= 4 * 1024,
        "{name}: {small} bytes for {height} rows, {large} for {times} times as many"
    );
    check_bound(name, large, WIDTH, format, 1);
}

/// Returns the bytes of a row in PNG.
fn png_row(width: u32, format: PixelFormat) -> usize {
    let channels = common::Definition::of(format).channels();
    (width as usize * channels * format.bit_depth() as usize).div_ceil(8)
}

fn check_bound(name: &str, peak: usize, width: u32, format: PixelFormat, threads: usize) {
    let row = png_row(width, format);
    let bound = 2 * MIB + 4 * row + (threads - 1) * (3 * MIB + 3 * row);
    assert!(peak <= bound, "{name}: {peak} bytes, {bound} are allowed");
}

#[test]
fn memory_does_not_grow_with_the_image() {
    let width = WIDTH as usize;

    // The counter counts.
    ALLOCATOR.reset_peak_usage();
    let before = ALLOCATOR.current_usage();
    drop(std::hint::black_box(vec![1u8; 5 * MIB]));
    assert!(ALLOCATOR.peak_usage() - before >= 5 * MIB);

    // Each format over one kind of source, once in place and once live.
    for definition in DEFINITIONS.iter() {
        let mut row = common::noise(definition.row_size(width), 1);
        let name = definition.format.to_string();
        check_up_to(3, &name, &row, definition.format);
        let cells = Cell::from_mut(&mut row[..]).as_slice_of_cells();
        check_up_to(3, &format!("cells, {name}"), cells, definition.format);
    }

    // Each kind of source with one format.
    let format = PixelFormat::BGRA8;
    let row = common::noise(4 * width, 1);
    check("Vec", row.clone(), format);
    check("Box", row.clone().into_boxed_slice(), format);
    check("Cow", std::borrow::Cow::Borrowed(&row[..]), format);
    check("&mut", &mut row.clone()[..], format);
    check("u32", vec![7u32; width], format);
    check("f32", vec![7f32; width], format);
    check("[u8; 4]", vec![[7u8; 4]; width], format);
    check("Cell<[u8; 4]>", vec![Cell::new([7u8; 4]); width], format);
    check("Cell<u32>", vec![Cell::new(7u32); width], format);
    check(
        "AtomicU8",
        row.iter().map(|&v| AtomicU8::new(v)).collect::<Vec<_>>(),
        format,
    );
    check(
        "AtomicU32",
        (0..width).map(|_| AtomicU32::new(7)).collect::<Arc<[_]>>(),
        format,
    );
    let u16s = || (0..width).map(|_| AtomicU16::new(7)).collect::<Vec<_>>();
    check("AtomicU16", u16s(), PixelFormat::GRAY16);
    #[cfg(target_has_atomic = "64")]
    {
        use std::sync::atomic::AtomicU64;
        let u64s = || (0..width).map(|_| AtomicU64::new(7)).collect::<Vec<_>>();
        check("AtomicU64", u64s(), PixelFormat::RGBA16);
    }
    check("RefCell", Rc::new(RefCell::new(row.clone())), format);
    check("Mutex", Arc::new(Mutex::new(row.clone())), format);
    check("RwLock", Arc::new(RwLock::new(row.clone())), format);
    let boxed: Box<dyn PixelSource> = Box::new(row.clone());
    check("dyn", boxed, format);

    // Wide rows in every mode; in place, strided, mirrored, converted, in
    // planes. Most are larger than the constant, which then can't hide a row.
    for (format, width) in [
        (PixelFormat::RGBA16, 100_000),
        (PixelFormat::RGBA16BE, 300_000),
        (PixelFormat::RGBA16, 300_000),
        (PixelFormat::BGRX8, 800_000),
    ] {
        let size = format.bits_per_pixel() as isize / 8;
        let wide = common::noise(width * size as usize * 2, 2);
        let packed = Layout::packed(width as u32, 3, format).with_row_stride(0);
        let last = (width - 1) * size as usize;
        // The slow modes get their rows as the others do: half the layouts do.
        let (all, fast) = (&MODES[..], &MODES[..2]);
        let layouts = [
            (packed, all),
            (packed.with_pixel_stride(2 * size), fast),
            (packed.with_pixel_stride(-size).with_offset(last), fast),
            (
                Layout::planar(width as u32, 3, format)
                    .with_row_stride(0)
                    .with_plane_stride(2)
                    .allow_overlap(),
                all,
            ),
        ];
        for (layout, modes) in layouts {
            let image = Image::with_layout(&wide, layout).unwrap();
            for &compression in modes {
                for threads in [1, 3] {
                    let name = format!("{compression:?}, {threads} threads, {layout:?}");
                    let peak = peak(&image, compression, threads);
                    check_bound(&name, peak, width as u32, format, threads);
                }
            }
        }
    }

    // As many runs of zeros as there can be, in rows that are not filtered.
    let mut row: Vec<u8> = (0..1023).map(|i| u8::from((i + 1) % 32 >= 16)).collect();
    row[1022] = 1;
    for compression in [Compression::Fast, Compression::Small] {
        for threads in [1, 2] {
            let layout = Layout::packed(1023, 4096, PixelFormat::GRAY8).with_row_stride(0);
            let image = Image::with_layout(&row, layout).unwrap();
            let mut encoder = PngEncoder::new().compression(compression).threads(threads);
            encoder = encoder.filter(Filter::None);
            let before = ALLOCATOR.current_usage();
            ALLOCATOR.reset_peak_usage();
            encoder.write(&image, io::sink()).unwrap();
            let peak = ALLOCATOR.peak_usage() - before;
            let name = format!("runs, {compression:?}, {threads} threads");
            check_bound(&name, peak, 1023, PixelFormat::GRAY8, threads);
        }
    }

    // Several threads, at 1 and at 16 megapixels; and a second save, which
    // finds all it needs.
    let format = PixelFormat::RGBA8;
    let row = common::noise(4 * WIDTH as usize, 1);
    for threads in [1, 2, 4] {
        let image = |height| {
            let layout = Layout::packed(WIDTH, height, format).with_row_stride(0);
            Image::with_layout(&row, layout).unwrap()
        };
        for compression in MODES {
            let fast = matches!(compression, Compression::Fast | Compression::Stored);
            let (low, high) = if fast {
                (1024, 16 * 1024)
            } else {
                (1024, 2048)
            };
            for height in [low, high] {
                let peak = peak(&image(height), compression, threads);
                let name = format!("{compression:?}, {threads} threads");
                check_bound(&name, peak, WIDTH, format, threads);
            }
            let mut encoder = PngEncoder::new().compression(compression).threads(threads);
            encoder.write(&image(low), io::sink()).unwrap();
            let before = ALLOCATOR.current_usage();
            ALLOCATOR.reset_peak_usage();
            encoder.write(&image(2 * low), io::sink()).unwrap();
            let again = ALLOCATOR.peak_usage() - before;
            assert!(
                again <= 64 * 1024,
                "{again} bytes for a second save, {compression:?}, {threads} threads"
            );
        }
    }

    // What an encoder keeps is given back when that is asked for, and had
    // again by the next save.
    for compression in MODES {
        for threads in [1, 3] {
            let layout = Layout::packed(WIDTH, 2048, format).with_row_stride(0);
            let image = Image::with_layout(&row, layout).unwrap();
            let mut encoder = PngEncoder::new().compression(compression).threads(threads);
            // Memory of earlier threads can be freed after this.
            let fresh = ALLOCATOR.current_usage();
            for _ in 0..2 {
                encoder.write(&image, io::sink()).unwrap();
                let kept = ALLOCATOR.current_usage().saturating_sub(fresh);
                assert!(kept > 32 * 1024, "{compression:?}: {kept} bytes kept");
                encoder.release_memory();
                let kept = ALLOCATOR.current_usage().saturating_sub(fresh);
                // The standard library keeps a few bytes for threads.
                assert!(kept < 256, "{compression:?}: {kept} bytes still kept");
            }
        }
    }

    // A snapshot takes one copy of the pixels, without their padding, and keeps it.
    // Reading strip by strip takes nothing, also if the rows are wide.
    for (width, height, format) in [(1024, 2048, format), (100_000, 20, PixelFormat::BGRX8)] {
        let stride = 4 * width as usize + 100;
        let padded = RwLock::new(vec![3u8; stride * height as usize]);
        let layout = Layout::packed(width, height, format).with_row_stride(stride as isize);
        let image = Image::with_layout(&padded, layout).unwrap();
        for (consistency, copy) in [
            (Consistency::Hold, 0),
            (Consistency::Rows, 0),
            (Consistency::Snapshot, (4 * width * height) as usize),
        ] {
            for threads in [1, 3] {
                let mut encoder = PngEncoder::new().consistency(consistency).threads(threads);
                let mut peak = || {
                    let before = ALLOCATOR.current_usage();
                    ALLOCATOR.reset_peak_usage();
                    encoder.write(&image, io::sink()).unwrap();
                    ALLOCATOR.peak_usage() - before
                };
                let name = format!("{consistency:?}, {threads} threads, {width} columns");
                let first = peak();
                assert!(first >= copy, "{name}: {first} bytes");
                check_bound(&name, first - copy, width, format, threads);
                let again = peak();
                assert!(
                    again <= 64 * 1024,
                    "{name}: {again} bytes for a second save"
                );
            }
        }
    }

    // A file with less than its image has: stable memory is not copied.
    let mut row = common::noise(4 * WIDTH as usize, 1);
    row.chunks_mut(4).for_each(|pixel| pixel[3] = 255);
    let peaks = [1024, 8 * 1024].map(|height| {
        let layout = Layout::packed(WIDTH, height, PixelFormat::BGRA8).with_row_stride(0);
        let image = Image::with_layout(&row, layout).unwrap();
        let before = ALLOCATOR.current_usage();
        ALLOCATOR.reset_peak_usage();
        let mut encoder = PngEncoder::new().reduce(true);
        encoder.write(&image, io::sink()).unwrap();
        ALLOCATOR.peak_usage() - before
    });
    assert!(
        peaks[0].abs_diff(peaks[1]) <= 64 * 1024,
        "{peaks:?} bytes to reduce"
    );

    // Nor is a wide row held as the image has it: as gray of 8 bits and as
    // indices of one bit, in every mode.
    let width = MIB;
    for (name, most, bits) in [("gray", 255, 8), ("indices", 2, 1)] {
        let grays = common::noise(width, 3);
        let grays = grays.iter().map(|gray| u16::from(gray % most) * 257);
        let row: Vec<u16> = grays.flat_map(|y| [y, y, y, u16::MAX]).collect();
        let layout = Layout::packed(width as u32, 3, PixelFormat::RGBA16).with_row_stride(0);
        let image = Image::with_layout(&row, layout).unwrap();
        for compression in MODES {
            let before = ALLOCATOR.current_usage();
            ALLOCATOR.reset_peak_usage();
            let encoder = PngEncoder::new().reduce(true);
            let mut encoder = encoder.compression(compression);
            encoder.write(&image, io::sink()).unwrap();
            let peak = ALLOCATOR.peak_usage() - before;
            let bound = 2 * MIB + 4 * width * bits / 8;
            assert!(peak <= bound, "{name}, {compression:?}: {peak} bytes");
        }
    }

    check_re_saves();
    check_known_files();

    // Reading into a view: whatever the file's height, in place and not.
    let files = [1024, 8192].map(|height| {
        let image = Image::new(256, height, PixelFormat::RGB8).unwrap();
        (height, image.to_png().unwrap())
    });
    for format in [PixelFormat::RGB8, PixelFormat::BGRA8, PixelFormat::GRAY2LSB] {
        let peaks = files.each_ref().map(|(height, png)| {
            let mut array = vec![Cell::new(0u8); 256 * 4 * *height as usize];
            let layout = Layout::packed(256, *height, format);
            let mut view = Image::with_layout(&array[..], layout).unwrap();
            let before = ALLOCATOR.current_usage();
            ALLOCATOR.reset_peak_usage();
            let mut reader = PngDecoder::new().open_bytes(png).unwrap();
            reader.read_into(&mut view).unwrap();
            let live = ALLOCATOR.peak_usage() - before;
            drop(reader);
            ALLOCATOR.reset_peak_usage();
            let mut view = Image::with_layout(&mut array, layout).unwrap();
            let mut reader = PngDecoder::new().open_bytes(png).unwrap();
            reader.read_into(&mut view).unwrap();
            live.max(ALLOCATOR.peak_usage() - before)
        });
        assert!(
            peaks[0].abs_diff(peaks[1]) <= 16 * 1024 && peaks[1] <= MIB,
            "{peaks:?} bytes to read {format}"
        );
    }
}

/// Strips that are kept take what the report says, within the limit, and a re-save
/// takes no more than a save beside them.
fn check_re_saves() {
    let format = PixelFormat::RGBA8;
    let layout = |height| Layout::packed(WIDTH, height, format).with_row_stride(0);
    let noise = common::noise(4 * WIDTH as usize, 1);
    let other_noise = common::noise(4 * WIDTH as usize, 2);
    // Enough rows for all threads, which need the same memory in each save. Rows
    // of four kinds, from one that does not compress to one that does.
    let half: Vec<u8> = (0..noise.len()).map(|at| noise[at] & 15).collect();
    let zeros = vec![0; noise.len()];
    let rows = [&noise, &zeros, &half, &other_noise, &noise, &half];
    for compression in MODES {
        let is_slow = matches!(compression, Compression::Small | Compression::Best);
        for threads in [1, 3] {
            for images in [1, 2] {
                let heights = if is_slow {
                    [256, 240, 256, 241, 256, 255]
                } else {
                    [2048, 400, 2048, 500, 2048, 2047]
                };
                for limit in [u64::MAX, 0, 300_000] {
                    let name = format!("{compression:?}, {threads} threads, limit {limit}");
                    let mut sizes = Vec::with_capacity(2 * rows.len());
                    let before = ALLOCATOR.current_usage();
                    ALLOCATOR.reset_peak_usage();
                    let encoder = PngEncoder::new().compression(compression);
                    let mut encoder = encoder.threads(threads).max_kept_bytes(0);
                    // Takes the memory of a save, and keeps nothing.
                    encoder = encoder.reuse_strips(images);
                    let first = Image::with_layout(rows[0], layout(heights[0])).unwrap();
                    let report = encoder.write(&first, io::sink()).unwrap();
                    assert_eq!(report.bytes_kept, 0, "{name}");
                    let peak = ALLOCATOR.peak_usage() - before;
                    check_bound(&name, peak, WIDTH, format, threads);
                    let without = ALLOCATOR.current_usage();

                    encoder = encoder.max_kept_bytes(limit);
                    for (row, height) in rows.into_iter().zip(heights) {
                        let image = Image::with_layout(row, layout(height)).unwrap();
                        for again in [false, true] {
                            let had = ALLOCATOR.current_usage().saturating_sub(without);
                            ALLOCATOR.reset_peak_usage();
                            let report = encoder.write(&image, io::sink()).unwrap();
                            let peak = ALLOCATOR.peak_usage().saturating_sub(without);
                            let has = ALLOCATOR.current_usage().saturating_sub(without);
                            let kept = report.bytes_kept as usize;
                            // Threads may free the last of their memory later.
                            let threads_have = 2048 * (threads - 1);
                            assert!(
                                has.abs_diff(kept) <= threads_have,
                                "{name}: {has} bytes, {kept} are reported"
                            );
                            assert!(kept as u64 <= limit, "{name}: {kept} bytes kept");
                            // Nothing else than strips comes and goes.
                            let most = had.max(kept) + kept / 2 + 64 * 1024;
                            assert!(peak <= most, "{name}: {peak} bytes, {most} are allowed");
                            if again && limit == u64::MAX && compression != Compression::Stored {
                                assert_eq!(report.strips_encoded, 0, "{name}");
                            }
                            sizes.push((report.png_size as usize, report.strips as usize));
                            // At most five quarters of the last files, and 128
                            // bytes a strip for each of them.
                            let last = sizes.iter().rev().take(images as usize);
                            let bound: usize = last.map(|(size, _)| size / 4 * 5).sum();
                            let strips = sizes.iter().map(|size| size.1).max().unwrap();
                            let bound = bound + 128 * strips * images as usize;
                            assert!(kept <= bound, "{name}: {kept} bytes, {bound} are allowed");
                        }
                    }
                    encoder.release_memory();
                    let kept = ALLOCATOR.current_usage().saturating_sub(before);
                    assert!(
                        kept < 512 + 2048 * (threads - 1),
                        "{name}: {kept} bytes still kept"
                    );
                }
            }
        }
    }
}

/// What is remembered of files: 16 of them, and 48 bytes a strip.
fn check_known_files() {
    let folder = common::folder();
    let row = vec![7u8; 4 * WIDTH as usize];
    // Strips of 64 KiB.
    let layout = Layout::packed(WIDTH, 4096, PixelFormat::RGBA8).with_row_stride(0);
    let image = Image::with_layout(&row, layout).unwrap();
    let mut encoder = PngEncoder::new().compression(Compression::Stored);
    let strips = encoder.write(&image, io::sink()).unwrap().strips as usize;
    assert!(strips > 250);
    let before = ALLOCATOR.current_usage();
    for number in 0..20 {
        let path = folder.path().join(format!("{}.png", number % 18));
        for unchanged in [number >= 18, true] {
            let had = ALLOCATOR.current_usage();
            ALLOCATOR.reset_peak_usage();
            let report = encoder.save_if_changed(&image, &path).unwrap();
            assert_eq!(report.unchanged, unchanged);
            let peak = ALLOCATOR.peak_usage() - had;
            // The buffer of the comparison, that of the chunks, and the strips.
            let bound = (64 + 16) * 1024 + 48 * strips;
            assert!(peak <= bound, "{peak} bytes to save file {number}");
        }
        if number == 17 {
            std::fs::remove_file(folder.path().join("3.png")).unwrap();
        }
    }
    let kept = ALLOCATOR.current_usage() - before;
    let bound = 17 * (48 * strips + 512);
    assert!(
        kept <= bound,
        "{kept} bytes kept for files, {bound} are allowed"
    );
    encoder.release_memory();
}
