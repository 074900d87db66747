//! How long a producer waits for a save, at each level of consistency.
//!
//! ```text
//! cargo bench --bench waits
//! ```
//!
//! A producer takes the lock of a frame again and again, as a camera would, and
//! notes its longest wait during each save. The table has the medians over the
//! saves, beside the time of a memory copy of the frame and the time of the save for
//! each of its strips. The processor of the producer must be free: with fewer than
//! two, a wait is the time of another thread.

use std::hint::black_box;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use pixview::png::Consistency;
use pixview::{Image, PixelFormat, PngEncoder};

/// A frame of smooth shades with noise, like a photograph.
fn frame(width: u32, height: u32, format: PixelFormat) -> Vec<u8> {
    let row = format.row_size(width) as usize;
    let mut random = 1u32;
    (0..row * height as usize)
        .map(|i| {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let shade = (i % row) / 40 + (i / row) / 16;
            (shade as u8).wrapping_add((random >> 29) as u8)
        })
        .collect()
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    times[times.len() / 2].as_secs_f64() * 1e3
}

fn main() {
    let is_test = std::env::args().any(|arg| arg == "--test");
    let saves = if is_test { 1 } else { 41 };
    println!("milliseconds; medians of {saves} saves");
    println!("| frame | level | save | longest wait | held | of a copy | of a strip |");
    println!("|---|---|---|---|---|---|---|");
    for (name, width, height, format) in [
        ("1920x1080 BGR8", 1920, 1080, PixelFormat::BGR8),
        ("3840x2160 BGRX8", 3840, 2160, PixelFormat::BGRX8),
        ("2448x2048 GRAY16", 2448, 2048, PixelFormat::GRAY16),
    ] {
        let pixels = frame(width, height, format);
        // A plain copy, into memory that is in use already.
        let mut copy = pixels.clone();
        let mut copy_times = Vec::new();
        let shared = Arc::new(Mutex::new(pixels));
        let image = Image::from_buffer(shared.clone(), width, height, format).unwrap();
        for level in [Consistency::Hold, Consistency::Snapshot, Consistency::Rows] {
            let mut encoder = PngEncoder::new().consistency(level);
            let (mut times, mut waits, mut holds) = (Vec::new(), Vec::new(), Vec::new());
            let mut strips = 0;
            for save in 0..=saves {
                let stop = AtomicBool::new(false);
                thread::scope(|scope| {
                    let producer = scope.spawn(|| {
                        let mut longest = Duration::ZERO;
                        while !stop.load(Relaxed) {
                            let start = Instant::now();
                            let frame = shared.lock().unwrap();
                            longest = longest.max(start.elapsed());
                            drop(frame);
                            thread::sleep(Duration::from_micros(20));
                        }
                        longest
                    });
                    thread::sleep(Duration::from_millis(1));
                    let start = Instant::now();
                    let report = encoder.write(&image, io::sink()).unwrap();
                    let time = start.elapsed();
                    stop.store(true, Relaxed);
                    let wait = producer.join().unwrap();
                    // The first save allocates.
                    if save > 0 {
                        times.push(time);
                        waits.push(wait);
                        holds.push(report.source_held);
                    }
                    strips = report.strips;
                });
                // After a save, so that the caches are as a save finds them.
                let frame = shared.lock().unwrap();
                let start = Instant::now();
                copy.copy_from_slice(black_box(&frame));
                black_box(&mut copy);
                copy_times.push(start.elapsed());
            }
            let (time, wait, held) = (median(times), median(waits), median(holds));
            let copy = median(copy_times.clone());
            println!(
                "| {name} | {level:?} | {time:.2} | {wait:.3} | {held:.3} | {:.2} | {:.2} |",
                held / copy,
                held / (time / f64::from(strips)),
            );
        }
        let copy = median(copy_times);
        println!("| {name} | memory copy | | | {copy:.3} | | |");
    }
}
