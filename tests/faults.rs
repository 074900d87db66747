//! Runs `tests/faults.sh` on this program, which saves one image where the
//! environment says so. Not a list of tests like the others: each system call
//! of a save has a fixed number only in a program of one thread.

#[cfg(target_os = "linux")]
#[path = "common/child.rs"]
mod child;

#[cfg(target_os = "linux")]
fn main() {
    use std::process::{Command, exit};
    if std::env::var_os(child::PATH).is_some() {
        return child::save();
    }
    // The name of a test, or what a test runner asks for.
    if std::env::args().len() > 1 {
        return;
    }
    let traced = Command::new("strace")
        .args(["-o", "/dev/null", "true"])
        .status();
    if !traced.is_ok_and(|status| status.success()) {
        return child::skipped("strace is not there, or may not trace");
    }
    let status = Command::new("bash")
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/faults.sh"))
        .env("PIXVIEW_SAVER", std::env::current_exe().unwrap())
        // Others fail as EDQUOT does. The script alone tries them all.
        .env("PIXVIEW_FAULTS", "EDQUOT KILL")
        // The loader would search the folders of `cargo` in each of the runs.
        .env_remove("LD_LIBRARY_PATH")
        .status()
        .unwrap();
    exit(status.code().unwrap_or(1));
}

#[cfg(not(target_os = "linux"))]
fn main() {}
