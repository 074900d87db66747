//! Draws frames in one thread and saves snapshots of them in another. Behind a
//! lock, each file shows one whole frame. Over atomics, no thread waits, and a
//! file may show a frame that is half drawn.
//!
//! ```text
//! cargo run --example threads
//! ```

use std::error::Error;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, RwLock};
use std::thread;
use std::time::Duration;

use pixview::{Image, PixelFormat};

const WIDTH: usize = 320;
const HEIGHT: usize = 240;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/pixview-examples");
    std::fs::create_dir_all(&folder)?;

    // Words 0xXXRRGGBB behind a lock. A save holds the lock, so frames are whole.
    let locked = Arc::new(RwLock::new(vec![0u32; WIDTH * HEIGHT]));
    let image = Image::from_buffer(
        Arc::clone(&locked),
        WIDTH as u32,
        HEIGHT as u32,
        PixelFormat::XRGB8888,
    )?;
    while_drawing(
        |frame| {
            let mut words = locked.write().expect("no thread panics with the lock");
            for (i, word) in words.iter_mut().enumerate() {
                *word = color(i, frame);
            }
        },
        || {
            for snapshot in 0..3 {
                thread::sleep(Duration::from_millis(20));
                let path = folder.join(format!("locked-{snapshot}.png"));
                image.save(&path)?;
                println!("wrote {}, one whole frame", path.display());
            }
            Ok(())
        },
    )?;

    // The same words as atomics. The producer never waits.
    let atomics: Arc<[AtomicU32]> = (0..WIDTH * HEIGHT).map(|_| AtomicU32::new(0)).collect();
    let image = Image::from_buffer(
        Arc::clone(&atomics),
        WIDTH as u32,
        HEIGHT as u32,
        PixelFormat::XRGB8888,
    )?;
    while_drawing(
        |frame| {
            for (i, word) in atomics.iter().enumerate() {
                word.store(color(i, frame), Relaxed);
            }
        },
        || {
            for snapshot in 0..3 {
                thread::sleep(Duration::from_millis(20));
                let path = folder.join(format!("atomic-{snapshot}.png"));
                image.save(&path)?;
                println!("wrote {}, as far as it was drawn", path.display());
            }
            Ok(())
        },
    )?;
    Ok(())
}

/// Draws frame after frame in a new thread while `save` runs in the current one.
fn while_drawing(
    draw: impl Fn(u32) + Sync,
    save: impl FnOnce() -> Result<(), pixview::Error>,
) -> Result<(), pixview::Error> {
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            for frame in 0.. {
                draw(frame);
                if done.load(Relaxed) {
                    return;
                }
                thread::yield_now(); // let the saving thread take the lock
            }
        });
        let saved = save();
        done.store(true, Relaxed);
        saved
    })
}

/// Returns the word of pixel `i` in a moving plaid.
fn color(i: usize, frame: u32) -> u32 {
    let (x, y) = ((i % WIDTH) as u32, (i / WIDTH) as u32);
    let red = (x + frame) & 0xff;
    let green = (y + 2 * frame) & 0xff;
    red << 16 | green << 8 | ((x ^ y) & 0xff)
}
