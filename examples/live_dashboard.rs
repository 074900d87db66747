//! Redraws a chart ten times a second and saves each frame to `latest.png`, as a
//! dashboard or a long computation does. Meanwhile another thread opens the file
//! again and again, and always finds a whole picture. The encoder keeps its strips,
//! so each save encodes only the parts that have changed.
//!
//! ```text
//! cargo run --example live_dashboard
//! ```

use std::error::Error;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use pixview::{Compression, Image, PixelFormat, PngEncoder};

const WIDTH: u32 = 1600;
const HEIGHT: u32 = 1000;
const FRAMES: u32 = 50;
const PERIOD: Duration = Duration::from_millis(100);

/// The curves of the chart, one above the other.
const CURVES: u32 = 4;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/pixview-examples");
    std::fs::create_dir_all(&folder)?;
    let path = folder.join("latest.png");

    // The first frame, so that there is a file from the start.
    let mut image = Image::new(WIDTH, HEIGHT, PixelFormat::RGB8)?;
    let small = || PngEncoder::new().compression(Compression::Small);
    let mut encoder = small().reuse_strips(1);
    draw(&mut image, 0)?;
    encoder.save(&image, &path)?;

    // An encoder that keeps no strips, to see what they save.
    let mut plain = small();
    plain.save(&image, folder.join("full.png"))?;

    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let reader = scope.spawn(|| read_until(&done, &path));
        let saved = save_frames(&mut image, &mut encoder, &mut plain, &path);
        done.store(true, Relaxed);
        let files = reader.join().expect("the reader sees whole files");
        println!("the reader opened {} files, each one whole", files?);
        saved
    })
}

/// Draws and saves the frames, and prints the cost of the saves.
fn save_frames(
    image: &mut Image<Vec<u8>>,
    encoder: &mut PngEncoder,
    plain: &mut PngEncoder,
    path: &Path,
) -> Result<(), Box<dyn Error>> {
    let (mut time, mut full_time) = (Duration::ZERO, Duration::ZERO);
    let (mut encoded, mut strips) = (0, 0);
    let begin = Instant::now();
    for frame in 1..=FRAMES {
        // The whole chart is drawn anew. Most of its pixels stay the same.
        draw(image, frame)?;

        let start = Instant::now();
        let report = encoder.save(&*image, path)?;
        time += start.elapsed();
        encoded += report.strips_encoded;
        strips += report.strips;

        let start = Instant::now();
        plain.save(&*image, path.with_file_name("full.png"))?;
        full_time += start.elapsed();

        let next = PERIOD * frame;
        thread::sleep(next.saturating_sub(begin.elapsed()));
    }
    println!("wrote {}, {FRAMES} times", path.display());
    println!("{encoded} of {strips} strips had changed and were encoded");
    println!(
        "a save took {:.2} ms on average, a save without kept strips {:.2} ms",
        time.as_secs_f64() * 1e3 / f64::from(FRAMES),
        full_time.as_secs_f64() * 1e3 / f64::from(FRAMES),
    );
    assert!(encoded < strips);
    Ok(())
}

/// Opens the file until `done` is set. Returns how many times.
///
/// # Panics
///
/// If the file has another size, or an older frame than before.
fn read_until(done: &AtomicBool, path: &Path) -> Result<u32, pixview::Error> {
    let (mut files, mut latest) = (0, 0);
    while !done.load(Relaxed) {
        let image = Image::open(path)?;
        assert_eq!((image.width(), image.height()), (WIDTH, HEIGHT));
        let frame = image.pixels()?.get(0, 0)?[2];
        assert!(frame >= latest, "frame {frame} after frame {latest}");
        latest = frame;
        files += 1;
    }
    Ok(files)
}

/// Draws the chart as it is after some frames. The blue sample of the first pixel
/// is the number of the frame.
fn draw(image: &mut Image<Vec<u8>>, frame: u32) -> Result<(), pixview::Error> {
    let mut pixels = image.pixels_mut()?;
    pixels.fill([250, 250, 245])?;
    let lane = HEIGHT / CURVES;
    for curve in 0..CURVES {
        let floor = (curve + 1) * lane - 20;
        pixels.fill_rect(0, floor, WIDTH, 2, [180, 180, 180])?;
        // Each curve gets a new value half as often as the curve above it.
        let step = (WIDTH / (FRAMES + 1)) << curve;
        let mut last = None;
        for time in 0..=frame >> curve {
            let top = floor - value(curve, time, lane - 60);
            let x = time * step;
            let width = step.min(WIDTH - x);
            let color = [220 - 60 * curve as u16, 40, 60 * curve as u16];
            pixels.fill_rect(x, top, width, 3, color)?;
            // A vertical line joins the values.
            let from = last.unwrap_or(top);
            pixels.fill_rect(x, top.min(from), 3, top.abs_diff(from) + 3, color)?;
            last = Some(top);
        }
    }
    pixels.put(0, 0, [0, 0, frame as u16])
}

/// Returns a value between 0 and `most`, in place of a sensor.
fn value(curve: u32, time: u32, most: u32) -> u32 {
    let angle = f64::from(time) * (0.15 + 0.1 * f64::from(curve));
    let wave = 0.5 + 0.3 * angle.sin() + 0.15 * (2.7 * angle).cos();
    (wave * f64::from(most)) as u32
}
