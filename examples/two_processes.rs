//! Two processes: one draws into shared memory, the other saves it.
//!
//! The memory is a file, in `/dev/shm` where the system has that. The drawing
//! process writes it with system calls, so neither process has unsafe code. By a
//! number in front of the pixels, a save finds out whether they were edited meanwhile.

use std::error::Error;
use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use pixview::png::{Consistency, FrameState};
use pixview::source::SharedFile;
use pixview::{Image, Layout, PixelFormat, PngEncoder};

const WIDTH: u32 = 320;
const HEIGHT: u32 = 240;

/// The size in bytes of the number in front of the pixels.
const HEAD: usize = 8;

fn main() -> Result<(), Box<dyn Error>> {
    match std::env::args_os().nth(1) {
        Some(path) => draw(Path::new(&path)),
        None => save(),
    }
}

/// Returns the layout of the pixels in the file.
fn layout() -> Layout {
    Layout::packed(WIDTH, HEIGHT, PixelFormat::RGBX8).with_offset(HEAD)
}

/// Saves frames of the other process, and checks that each is whole.
fn save() -> Result<(), Box<dyn Error>> {
    let folder = std::env::temp_dir().join(format!("pixview-shared-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let path = shared_memory(&folder);
    let file = File::create_new(&path)?;
    file.set_len(HEAD as u64 + 4 * u64::from(WIDTH * HEIGHT))?;
    let file = File::open(&path)?;

    let mut drawer = Command::new(std::env::current_exe()?).arg(&path).spawn()?;
    let source = SharedFile::new(file)?.with_generation_at(0);
    let image = Image::with_layout(source, layout())?;
    let mut encoder = PngEncoder::new().consistency(Consistency::Snapshot);
    let mut colors = Vec::new();
    while drawer.try_wait()?.is_none() {
        let report = encoder.save(&image, folder.join("latest.png"))?;
        assert_eq!(report.frame, FrameState::Whole);
        let saved = Image::open(folder.join("latest.png"))?;
        let color = saved.pixels()?.get(0, 0)?;
        assert_eq!(saved.pixels()?.get(WIDTH - 1, HEIGHT - 1)?, color);
        if colors.last() != Some(&color) {
            colors.push(color);
        }
    }
    println!(
        "saved {} different frames, each of them whole",
        colors.len()
    );
    fs::remove_file(path)?;
    fs::remove_dir_all(folder)?;
    Ok(())
}

/// Draws frames of one color each. Uses no function of pixview: a program in another
/// language can do the same. The number is odd during an edit.
fn draw(path: &Path) -> Result<(), Box<dyn Error>> {
    let mut file = File::options().write(true).open(path)?;
    let mut write = |offset: usize, bytes: &[u8]| {
        file.seek(SeekFrom::Start(offset as u64))?;
        file.write_all(bytes)
    };
    for n in 0..100u64 {
        let frame = [n as u8, 255 - n as u8, 0, 0].repeat((WIDTH * HEIGHT) as usize);
        write(0, &(2 * n + 1).to_ne_bytes())?;
        write(HEAD, &frame)?;
        write(0, &(2 * n + 2).to_ne_bytes())?;
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}

/// Returns a path in a folder whose files are memory, if the system has such a folder.
fn shared_memory(folder: &Path) -> PathBuf {
    let name = format!("pixview-example-{}", std::process::id());
    match Path::new("/dev/shm") {
        memory if memory.is_dir() => memory.join(name),
        _ => folder.join(name),
    }
}
