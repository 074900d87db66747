//! A child process that saves one image. A test binary that uses it has an
//! ignored test `save_from_environment`, which calls [`save`].

// Each test binary uses a different part of this file.
#![allow(dead_code, unreachable_pub)]

use std::path::Path;
use std::process::Command;

use pixview::{Image, PixelFormat, PngEncoder};

pub const PATH: &str = "PIXVIEW_TEST_SAVE";
/// If this variable is set, the child calls `save_new` instead of `save`.
pub const NEW: &str = "PIXVIEW_TEST_SAVE_NEW";
/// If this variable is set, the child calls `save_if_changed`.
pub const IF_CHANGED: &str = "PIXVIEW_TEST_SAVE_IF_CHANGED";

/// If this variable is set, the child syncs the file and its folder.
pub const SYNC: &str = "PIXVIEW_TEST_SAVE_SYNC";

/// Saves noise to the path in the environment, and prints `saved: Ok` or the
/// error.
pub fn save() {
    let path = std::env::var_os(PATH).expect("the path is in the environment");
    let mut state = 1_u32;
    let noise = std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    });
    let pixels: Vec<u8> = noise.take(300 * 300 * 3).collect();
    let image = Image::from_buffer(pixels, 300, 300, PixelFormat::RGB8).unwrap();
    // The first call makes further system calls, to find out what the system
    // supports. They must come before the mark.
    let _ = std::fs::metadata("/");
    // Marks the beginning and the end of the system calls of the save.
    let mark = || {
        let _ = std::fs::metadata("/pixview-mark");
    };
    let mut encoder = PngEncoder::new().sync(std::env::var_os(SYNC).is_some());
    mark();
    let result = if std::env::var_os(NEW).is_some() {
        encoder.save_new(&image, path)
    } else if std::env::var_os(IF_CHANGED).is_some() {
        encoder.save_if_changed(&image, path)
    } else {
        encoder.save(&image, path)
    };
    mark();
    match result {
        Ok(_) => println!("saved: Ok"),
        Err(error) => println!("saved: {error:#}"),
    }
}

/// Returns a command that runs [`save`] in `binary`. If `prefix` is not empty, it
/// is a program with arguments, which runs `binary`.
pub fn command(prefix: &[&str], binary: &Path, path: &Path) -> Command {
    let arguments = ["--ignored", "--exact", "save_from_environment"];
    let mut command = match prefix.split_first() {
        None => Command::new(binary),
        Some((program, rest)) => {
            let mut command = Command::new(program);
            command.args(rest).arg(binary);
            command
        }
    };
    command
        .args(arguments)
        .args(["--nocapture", "--test-threads=1"])
        .env(PATH, path);
    command
}

/// Reports that a test, or a part of it, cannot run here. Writes directly to the
/// standard error, because the test runner hides the output of passing tests.
pub fn skipped(what: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "skipped: {what}");
}
