//! Contract 6: a process that is killed at a random moment of a save leaves the old
//! file or the new one, and at most one temporary file.

mod common;

use std::env;
use std::fs;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use pixview::{Error, Image, PixelFormat, PngEncoder};

/// The number of kills during saves. Defaults to 50.
const KILLS: &str = "PIXVIEW_TEST_KILLS";
const PATH: &str = "PIXVIEW_TEST_SAVE_UNTIL_KILLED";
/// The number of the image that the child saves first, 0 or 1.
const FIRST: &str = "PIXVIEW_TEST_FIRST_IMAGE";
const WAY: &str = "PIXVIEW_TEST_WAY";

/// The bytes that the child writes to its standard output.
const SAVE_BEGINS: u8 = 1;
const SAVE_ENDS: u8 = 2;

type Save = fn(&mut PngEncoder, &Image<Vec<u8>>, &Path) -> Result<(), Error>;

/// The ways to save that are tried in turn.
const WAYS: [Save; 4] = [
    |encoder, image, path| encoder.save(image, path).map(drop),
    |encoder, image, path| {
        encoder.configure(|encoder| encoder.threads(2));
        encoder.save(image, path).map(drop)
    },
    |encoder, image, path| {
        encoder.configure(|encoder| encoder.sync(true));
        encoder.save(image, path).map(drop)
    },
    |encoder, image, path| encoder.save_if_changed(image, path).map(drop),
];

/// Two images whose files have the same bytes at the start.
fn images() -> [Image<Vec<u8>>; 2] {
    [1, 2].map(|seed| {
        let mut bytes = common::noise(800 * 600 * 3, 1);
        bytes[300 * 800 * 3..].copy_from_slice(&common::noise(300 * 800 * 3, seed));
        Image::from_buffer(bytes, 800, 600, PixelFormat::RGB8).unwrap()
    })
}

/// Saves the two images in turn, until the process is killed. Pauses after each
/// save for half the time that the save took.
fn save_until_killed(path: &Path) {
    let number = |name| env::var(name).unwrap().parse::<usize>().unwrap();
    let save = WAYS[number(WAY)];
    let images = images();
    let mut encoder = PngEncoder::new();
    let mut output = std::io::stdout().lock();
    let mut report = |byte| {
        output.write_all(&[byte]).unwrap();
        output.flush().unwrap();
    };
    for number in number(FIRST).. {
        report(SAVE_BEGINS);
        let begin = Instant::now();
        save(&mut encoder, &images[number % 2], path).unwrap();
        let time = begin.elapsed();
        report(SAVE_ENDS);
        std::thread::sleep(time / 2);
    }
}

/// Returns a random number below `end`.
fn random(end: u128) -> u64 {
    let number = RandomState::new().build_hasher().finish();
    (u128::from(number) % end) as u64
}

/// Removes the temporary files of a folder. Returns their number.
fn remove_temporary(folder: &Path) -> u32 {
    let mut count = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        if name != "image.png" {
            assert!(name.starts_with(".pixview-") && name.strip_suffix(".tmp").is_some());
            fs::remove_file(entry.path()).unwrap();
            count += 1;
        }
    }
    count
}

#[test]
fn the_old_file_or_the_new_one() {
    if let Some(path) = env::var_os(PATH) {
        return save_until_killed(path.as_ref());
    }
    let kills: u32 = env::var(KILLS).map_or(50, |kills| kills.parse().unwrap());
    let folder = common::folder();
    let path = folder.path().join("image.png");
    let images = images();
    let files = images.each_ref().map(|image| image.to_png().unwrap());
    // A child is killed within the time of four saves and pauses.
    let longest = WAYS.map(|save| {
        save(&mut PngEncoder::new(), &images[1], &path).unwrap();
        let begin = Instant::now();
        save(&mut PngEncoder::new(), &images[0], &path).unwrap();
        begin.elapsed() * 6
    });

    let mut first = 1;
    let (mut old_files, mut new_files, mut between, mut temporary) = (0, 0, 0, 0);
    for turn in 0.. {
        if old_files + new_files >= kills {
            break;
        }
        let way = turn % WAYS.len();
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["the_old_file_or_the_new_one", "--exact", "--nocapture"])
            .arg("--test-threads=1")
            .env(PATH, &path)
            .env(FIRST, first.to_string())
            .env(WAY, way.to_string())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut output = child.stdout.take().unwrap();
        let mut byte = [0];
        while byte != [SAVE_BEGINS] {
            output.read_exact(&mut byte).unwrap();
        }
        std::thread::sleep(Duration::from_nanos(random(longest[way].as_nanos())));
        child.kill().unwrap();
        assert!(!child.wait().unwrap().success());
        let mut reports = Vec::from(byte);
        output.read_to_end(&mut reports).unwrap();

        // The number of saves that had begun before the last one.
        let before = reports[1..].split(|byte| *byte == SAVE_BEGINS).count() - 1;
        let new = (first + before) % 2;
        let file = fs::read(&path).unwrap();
        let ended = reports.last() == Some(&SAVE_ENDS);
        if file == files[new] {
            if ended {
                between += 1;
            } else {
                new_files += 1;
            }
            first = 1 - new;
        } else if file == files[1 - new] && !ended {
            old_files += 1;
            first = new;
        } else {
            panic!("kill {turn}, way {way}: {} bytes", file.len());
        }
        let count = remove_temporary(folder.path());
        assert!(count <= u32::from(!ended), "kill {turn}: {count} are left");
        temporary += count;
    }
    assert!(temporary > 0 && temporary <= kills);
    // A kill between two saves finds the new file, too.
    assert!(old_files > 0 && new_files + between > 0);
    // Directly, because the test runner hides the output of passing tests.
    let _ = writeln!(
        std::io::stderr(),
        "{} kills during saves: {old_files} old files, {new_files} new files, \
         {temporary} temporary files; {between} kills between saves: all new files",
        old_files + new_files
    );
}
