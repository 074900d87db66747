//! The tool as a person calls it: files, standard input, errors, exit codes.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use pixview::{Image, PixelFormat};

/// Makes a folder for the files of a test.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// Runs the tool in a folder with these arguments, separated by spaces, and these
/// bytes as standard input.
fn run(folder: &Path, args: &str, input: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_rawview"))
        .args(args.split_whitespace())
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A tool that fails early reads nothing.
    let _ = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap()
}

/// Asserts that the tool fails with this exit code and a message that has these
/// words.
#[track_caller]
fn assert_fails(output: &Output, code: i32, words: &[&str]) {
    let message = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{message}");
    for word in words {
        assert!(message.contains(word), "{word:?} is not in {message:?}");
    }
}

/// Asserts that the tool succeeds, and returns its standard output.
#[track_caller]
fn assert_works(output: &Output) -> String {
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{message}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Asserts that a file has these pixels.
#[track_caller]
fn assert_pixels(path: &Path, width: u32, height: u32, format: PixelFormat, expected: &[u8]) {
    let expected = Image::from_buffer(expected, width, height, format).unwrap();
    let difference = Image::open(path).unwrap().compare(&expected).unwrap();
    assert_eq!(difference, None);
}

#[test]
fn saves() {
    let folder = folder("saves");
    // Two rows of two pixels in 10 bytes each, after a header of 3 bytes.
    let mut raw = vec![9; 3 + 10 + 8];
    raw[3..11].copy_from_slice(&[1, 2, 3, 9, 4, 5, 6, 9]);
    raw[13..21].copy_from_slice(&[7, 8, 10, 9, 11, 12, 13, 9]);
    fs::write(folder.join("a.raw"), &raw).unwrap();
    let format = "a.raw --size 2x2 --format BGRX8 --stride 10 --offset 3 -o";
    let expected = [3, 2, 1, 6, 5, 4, 10, 8, 7, 13, 12, 11];

    assert_works(&run(&folder, &format!("{format} a.png"), &[]));
    assert_pixels(&folder.join("a.png"), 2, 2, PixelFormat::RGB8, &expected);

    assert_works(&run(
        &folder,
        &format!("{format} b.png --flip --crop 1,0,1,1"),
        &[],
    ));
    assert_pixels(
        &folder.join("b.png"),
        1,
        1,
        PixelFormat::RGB8,
        &expected[9..],
    );
}

#[test]
fn standard_input_and_output() {
    let folder = folder("standard");
    let raw: Vec<u8> = (0..12).collect();
    let output = run(&folder, "- --size 2x2 --format RGB8 -o -", &raw);
    assert_works(&output);
    fs::write(folder.join("out.png"), &output.stdout).unwrap();
    assert_pixels(&folder.join("out.png"), 2, 2, PixelFormat::RGB8, &raw);
}

#[test]
fn palettes() {
    let folder = folder("palettes");
    fs::write(folder.join("colors"), [10, 20, 30, 40, 50, 60]).unwrap();
    let args = "- --size 2x1 --format INDEXED8 -o a.png";
    assert_works(&run(&folder, &format!("{args} --palette colors"), &[1, 0]));
    let file = Image::open(folder.join("a.png")).unwrap();
    let colors = file.to_vec_as(PixelFormat::RGB8).unwrap();
    assert_eq!(colors, [40, 50, 60, 10, 20, 30]);

    assert_fails(&run(&folder, args, &[1, 0]), 2, &["INDEXED8", "--palette"]);
    fs::write(folder.join("odd"), [10, 20]).unwrap();
    let output = run(&folder, &format!("{args} --palette odd"), &[1, 0]);
    assert_fails(&output, 2, &["odd", "3 bytes", "2 bytes"]);
}

#[test]
fn proposals() {
    let folder = folder("proposals");
    let first = |args: &str, len: usize| {
        let text = assert_works(&run(&folder, args, &vec![0; len]));
        let line = text.lines().nth(1).unwrap_or_default();
        line.split_whitespace()
            .take_while(|&word| word != "or")
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(first("-", 640 * 480 * 4), "--size 640x480 --format RGBA8");
    assert_eq!(
        first("-", 1920 * 1080 * 3),
        "--size 1920x1080 --format RGB8"
    );
    assert_eq!(first("-", 1280 * 1024), "--size 1280x1024 --format GRAY8");
    assert_eq!(
        first("-", 1366 * 768 * 2),
        "--size 1366x768 --format RGB565LE"
    );
    assert_eq!(first("-", 32 * 122), "--size 250x122 --format GRAY1");
    // Rows padded to 256 bytes, and the last row is not padded.
    assert_eq!(
        first("-", 599 * 3328 + 3200),
        "--size 800x600 --format RGBA8 --stride 3328",
    );
    // A header.
    assert_eq!(
        first("-", 54 + 1366 * 768 * 3),
        "--size 1366x768 --format RGB8 --offset 54",
    );
    // What is given holds.
    let len = 640 * 480 * 4;
    assert_eq!(
        first("- --format GRAY8", len),
        "--size 1280x960 --format GRAY8"
    );
    assert_eq!(
        first("- --size 640x960", len),
        "--size 640x960 --format RGB565LE"
    );
    assert_eq!(
        first("- --offset 100", 100 + 800 * 600 * 3),
        "--size 800x600 --format RGB8 --offset 100"
    );
}

/// Every proposed line is accepted as it stands.
#[test]
fn proposals_fit() {
    let folder = folder("fit");
    for len in [
        640 * 480 * 4,
        54 + 800 * 600 * 3,
        599 * 3328 + 3200,
        65536,
        8192,
    ] {
        let input = vec![0; len];
        let text = assert_works(&run(&folder, "-", &input));
        let lines = text.lines().skip(1);
        assert!(lines.clone().count() > 0, "{text}");
        for line in lines {
            let options = line.split(" or ").next().unwrap();
            assert_works(&run(&folder, &format!("- {options} -o fit.png"), &input));
        }
    }
}

#[test]
fn errors() {
    let folder = folder("errors");
    let fails = |args: &str, code, words: &[&str]| {
        assert_fails(&run(&folder, args, &[0; 1200]), code, words);
    };
    fails(
        "- --size 20x15 --format bgrx -o a.png",
        2,
        &["bgrx", "did you mean BGRX8?"],
    );
    // The bytes needed and given.
    fails(
        "- --size 20x15 --format RGB8 -o a.png",
        2,
        &["900 bytes", "1200", "4 bytes a pixel", "--format"],
    );
    fails(
        "- --size 20x20 --format RGBA8 --stride 80 -o a.png",
        2,
        &["1600 bytes", "1200"],
    );
    fails(
        "- --size 20 --format RGBA8 -o a.png",
        2,
        &["--size", "640x480"],
    );
    fails("- --size 0x9 --format RGBA8 -o a.png", 2, &["at least 1"]);
    fails(
        "- --size 20x15 --format RGBA8 --crop 9,9,20,20 -o a.png",
        2,
        &["20x15"],
    );
    fails(
        "- --size 20x15 --format RGBA8 --crop 9,9 -o a.png",
        2,
        &["--crop"],
    );
    fails("- --size 20x15 --format RGBA8 -o a.jpg", 2, &["jpg", "png"]);
    fails("- --size 20x15 --format RGBA8", 2, &["-o is missing"]);
    // Nothing is saved with a guess.
    fails(
        "- -o a.png",
        2,
        &["--size is missing", "--size 40x30 --format GRAY8"],
    );
    fails(
        "- --size 20x15 -o a.png",
        2,
        &["--format is missing", "--format RGBA8"],
    );
    fails("- --size 21x15", 2, &["1200 bytes", "is the size right?"]);
    assert_fails(&run(&folder, "-", &[]), 2, &["standard input is empty"]);
    // Files.
    fails(
        "missing.raw --size 20x15 --format RGBA8 -o a.png",
        1,
        &["could not read missing.raw"],
    );
    fails(
        "- --size 20x15 --format RGBA8 -o no/folder/a.png",
        1,
        &["no/folder/a.png"],
    );
    assert!(!folder.join("a.png").exists());
}
