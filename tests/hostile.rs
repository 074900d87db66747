//! Contract 4: whatever the implementer of a source does, a save ends with an error or
//! a valid file, nothing of this crate panics, and nothing waits forever.

mod common;

#[path = "common/hostile.rs"]
mod hostile;

/// Scripts of random bytes. `PIXVIEW_SCRIPTS` sets their number.
#[test]
fn random_scripts() {
    let scripts = std::env::var("PIXVIEW_SCRIPTS");
    let scripts: u64 = scripts.map_or(if cfg!(miri) { 5 } else { 1000 }, |n| n.parse().unwrap());
    std::panic::set_hook(Box::new(|info| {
        // Only panics that no script asked for are of interest.
        let payload = info.payload();
        if payload.is::<&str>() || payload.is::<String>() {
            eprintln!("{info}");
        }
    }));
    let (mut files, mut errors, mut panics) = (0, 0, 0);
    for seed in 0..scripts {
        let len = (seed % 7 * 100 + 20) as usize;
        let bytes = common::noise(len, seed + 1);
        let outcome = hostile::run(&bytes, true);
        files += outcome.files;
        errors += outcome.errors;
        panics += outcome.panics;
    }
    println!("{files} files, {errors} errors, {panics} panics of the source");
    assert!(files > 0 && errors > 0);
    assert!(panics > 0 || cfg!(miri));
}
