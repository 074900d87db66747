//! Contract 7 for reading by several threads: it gives the result of one thread, for
//! every file.

mod common;
#[path = "common/cut.rs"]
mod cut;
#[path = "common/parts.rs"]
mod parts;

use common::noise;

/// Files that are cut well, and files that are cut badly or damaged.
#[test]
fn random_cuts() {
    let folder = common::folder();
    let path = folder.path().join("a.png");
    let (mut sound, mut read, mut failed) = (0, 0, 0);
    for seed in 0..6000 {
        let cut = cut::make(&noise(400, 2 * seed + 1));
        let path = (seed % 10 == 0).then_some(path.as_path());
        let outcome = cut::compare(&cut, path);
        sound += u32::from(cut.is_sound);
        read += u32::from(outcome.starts_with("Ok"));
        failed += u32::from(outcome.starts_with("Err"));
    }
    println!("{sound} sound, {read} read, {failed} failed");
    assert!(sound > 600 && read > 1500 && failed > 1500);
}
