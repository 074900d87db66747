//! `SharedFile`: memory that other processes write, read by system calls.
#![cfg(any(unix, windows))]

mod common;

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::process::{Command, Stdio};

use common::{DEFINITIONS, decode, noise};
use pixview::png::{Consistency, FrameState};
use pixview::source::{SharedFile, SourceError};
use pixview::{ErrorKind, Image, Layout, PixelFormat, PngEncoder};

/// Returns two handles of one file of these bytes.
fn shared(bytes: &[u8]) -> (SharedFile, File) {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    (SharedFile::new(file.try_clone().unwrap()).unwrap(), file)
}

/// The file equals that of the same bytes in memory, for each format and layout.
#[test]
fn saves_what_memory_would_save() {
    let (width, height) = (61, 20);
    for definition in DEFINITIONS.iter() {
        let row = definition.row_size(width as usize);
        let bytes = noise(row * height as usize + 3, 5);
        let (source, _file) = shared(&bytes);
        let upright = Layout::packed(width, height, definition.format).with_offset(3);
        for layout in [upright, upright.flip_vertical(), upright.flip_horizontal()] {
            let save = |image| definition.with_palette(image);
            let found = save(Image::with_layout(&source, layout).unwrap()).to_png();
            let in_memory = Image::with_layout(&bytes, layout).unwrap();
            let expected = definition.with_palette(in_memory).to_png().unwrap();
            assert!(found.unwrap() == expected, "{layout:?}");
        }
    }
}

/// Edits through another handle show, and edits through a view are in the file.
#[test]
fn live() {
    let (source, mut file) = shared(&[0; 64]);
    let mut image = Image::from_buffer(source, 8, 8, PixelFormat::GRAY8).unwrap();
    assert_eq!(decode(&image.to_png().unwrap()).samples, [0; 64]);
    file.seek(SeekFrom::Start(9)).unwrap();
    file.write_all(&[7]).unwrap();
    let mut expected = [0; 64];
    expected[9] = 7;
    assert_eq!(decode(&image.to_png().unwrap()).samples, expected);
    image.pixels_mut().unwrap().put(0, 7, [5]).unwrap();
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(0)).unwrap();
    file.read_to_end(&mut bytes).unwrap();
    assert_eq!((bytes[9], bytes[56]), (7, 5));
}

/// A file that another process shortens is an error that names both lengths.
#[test]
fn truncated() {
    let (source, file) = shared(&[1; 64]);
    let mut image = Image::from_buffer(source, 8, 8, PixelFormat::GRAY8).unwrap();
    file.set_len(30).unwrap();
    let error = image.to_png().unwrap_err();
    assert_eq!(error.row(), Some(3));
    assert!(matches!(
        error.kind(),
        ErrorKind::Source(SourceError::Changed {
            expected: 64,
            found: 30,
            ..
        })
    ));
    // A write makes the file long enough again.
    image.pixels_mut().unwrap().put(7, 7, [9]).unwrap();
    assert_eq!(file.metadata().unwrap().len(), 64);
    assert_eq!(image.pixels().unwrap().get(7, 7).unwrap(), [9]);
}

/// Bytes beyond the stated length are not read, and shorter files are refused.
#[test]
fn lengths() {
    let (source, file) = shared(&[1; 64]);
    assert!(Image::from_buffer(&source, 9, 9, PixelFormat::GRAY8).is_err());
    let part = SharedFile::with_len(file, 16);
    assert!(Image::from_buffer(&part, 4, 4, PixelFormat::GRAY8).is_ok());
    assert!(Image::from_buffer(&part, 8, 8, PixelFormat::GRAY8).is_err());
}

/// Linux appends what is written to such a file, wherever the pixel is.
#[cfg(target_os = "linux")]
#[test]
fn open_for_appending() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("frame");
    std::fs::write(&path, [3; 64]).unwrap();
    let file = File::options().read(true).append(true).open(&path).unwrap();
    let source = SharedFile::new(file).unwrap();
    let mut image = Image::from_buffer(source, 8, 8, PixelFormat::GRAY8).unwrap();
    assert_eq!(image.pixels().unwrap().get(0, 0).unwrap(), [3]);
    let error = image.pixels_mut().unwrap_err();
    let error = format!("{error:#}");
    assert!(error.contains("open for appending"), "{error}");
    assert_eq!(std::fs::read(&path).unwrap(), [3; 64]);
}

/// A device says no length, so the end of one is not taken for a change of it.
#[cfg(unix)]
#[test]
fn the_end_of_a_device() {
    let source = SharedFile::with_len(File::open("/dev/null").unwrap(), 64);
    let image = Image::from_buffer(source, 8, 8, PixelFormat::GRAY8).unwrap();
    let error = image.to_png().unwrap_err();
    assert_eq!(error.row(), Some(0));
    let ErrorKind::Source(SourceError::Other(cause)) = error.kind() else {
        panic!("{error}");
    };
    let cause = cause.downcast_ref::<io::Error>().unwrap();
    assert_eq!(cause.kind(), io::ErrorKind::UnexpectedEof);
}

/// The number in the file says whether a save has met an edit.
#[test]
fn generations() {
    let mut bytes = vec![0; 8 + 64];
    bytes[..8].copy_from_slice(&4u64.to_ne_bytes());
    let (source, mut file) = shared(&bytes);
    let source = source.with_generation_at(0);
    let layout = Layout::packed(8, 8, PixelFormat::GRAY8).with_offset(8);
    let image = Image::with_layout(&source, layout).unwrap();
    let save = |consistency| {
        let mut encoder = PngEncoder::new().consistency(consistency);
        encoder.write(&image, io::sink())
    };
    assert_eq!(save(Consistency::Hold).unwrap().frame, FrameState::Whole);
    assert_eq!(
        save(Consistency::Snapshot).unwrap().frame,
        FrameState::Whole
    );
    file.seek(SeekFrom::Start(0)).unwrap();
    file.write_all(&5u64.to_ne_bytes()).unwrap();
    assert_eq!(save(Consistency::Hold).unwrap().frame, FrameState::Torn);
    let error = save(Consistency::Snapshot).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Torn { copies: 0, .. }));
    // A number that cannot be read says nothing.
    let source = SharedFile::new(file).unwrap().with_generation_at(1 << 40);
    let image = Image::with_layout(&source, layout).unwrap();
    let report = PngEncoder::new().write(&image, io::sink()).unwrap();
    assert_eq!(report.frame, FrameState::Unknown);
}

/// Draws frames of one color each into a file, until standard input is closed. Runs
/// in the second process of the test below.
#[test]
fn draws() {
    let Ok(path) = std::env::var("PIXVIEW_TEST_DRAW") else {
        return;
    };
    let mut file = File::options().write(true).open(path).unwrap();
    let mut write = |offset, bytes: &[u8]| {
        file.seek(SeekFrom::Start(offset)).unwrap();
        file.write_all(bytes).unwrap();
    };
    let stop = std::thread::spawn(|| io::stdin().read_to_end(&mut Vec::new()));
    for n in 0u64.. {
        if stop.is_finished() {
            break;
        }
        write(0, &(2 * n + 1).to_ne_bytes());
        write(8, &vec![n as u8; 256 * 256]);
        write(0, &(2 * n + 2).to_ne_bytes());
        if n % 4 == 0 {
            std::thread::sleep(std::time::Duration::from_micros(300));
        }
    }
}

/// Two processes: one draws at full speed, the other saves.
#[test]
fn two_processes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("frame");
    File::create(&path).unwrap().set_len(8 + 256 * 256).unwrap();
    let file = SharedFile::new(File::open(&path).unwrap()).unwrap();
    let layout = Layout::packed(256, 256, PixelFormat::GRAY8).with_offset(8);
    let image = Image::with_layout(file.with_generation_at(0), layout).unwrap();
    let mut drawer = Command::new(std::env::current_exe().unwrap())
        .args(["draws", "--exact"])
        .env("PIXVIEW_TEST_DRAW", &path)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let mut colors = std::collections::HashSet::new();
    let (mut torn, mut whole) = (0, 0);
    for round in 0.. {
        // Otherwise no other color would ever come.
        assert!(drawer.try_wait().unwrap().is_none(), "it draws no longer");
        let level = [Consistency::Hold, Consistency::Snapshot, Consistency::Rows][round % 3];
        let mut png = Vec::new();
        let mut encoder = PngEncoder::new().consistency(level);
        match encoder.write(&image, &mut png) {
            Ok(report) if report.frame == FrameState::Whole => {
                let samples = decode(&png).samples;
                assert!(samples.iter().all(|&sample| sample == samples[0]));
                colors.insert(samples[0]);
                whole += 1;
            }
            Ok(report) => {
                assert_eq!(report.frame, FrameState::Torn);
                torn += 1;
            }
            Err(error) => assert!(matches!(error.kind(), ErrorKind::Torn { .. })),
        }
        if round >= 300 && colors.len() > 10 {
            break;
        }
    }
    println!("{whole} whole, {torn} torn, {} colors", colors.len());
    drop(drawer.stdin.take());
    assert!(drawer.wait().unwrap().success());
}
