//! Contract 9, and what the borrow checker promises: programs that must not
//! compile, each with the code of the error that must stop it.
//!
//! A program in `compile_fail/` names its error in its first line, and after a
//! space, what the message must contain. Without
//! the lines marked `// breaks` it must compile, so that it can't fail for
//! another reason than the one it is about.

use std::fs;
use std::path::Path;
use std::process::Command;

#[test]
#[cfg_attr(miri, ignore = "runs cargo")]
fn programs_that_must_not_compile() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("compile_fail");
    let bins = folder.join("src/bin");
    let _ = fs::remove_dir_all(&bins);
    fs::create_dir_all(&bins).unwrap();
    fs::copy(root.join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
    let manifest = format!(
        "[package]\nname = \"compile_fail\"\nedition = \"2024\"\n[workspace]\n\
         [dependencies]\npixview = {{ path = {root:?} }}\n"
    );
    fs::write(folder.join("Cargo.toml"), manifest).unwrap();

    let mut programs = Vec::new();
    for entry in fs::read_dir(root.join("tests/compile_fail")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let text = fs::read_to_string(&path).unwrap();
        let error = text.lines().next().unwrap().trim_start_matches("// ");
        let (code, message) = error.split_once(' ').unwrap_or((error, ""));
        let (code, message) = (code.to_owned(), message.to_owned());
        assert!(
            text.contains("// breaks"),
            "{name} has no line that breaks it"
        );
        let mended: String = text
            .lines()
            .filter(|line| !line.ends_with("// breaks"))
            .flat_map(|line| [line, "\n"])
            .collect();
        fs::write(bins.join(format!("{name}.rs")), text).unwrap();
        fs::write(bins.join(format!("{name}_mended.rs")), mended).unwrap();
        programs.push((name, code, message));
    }
    assert!(programs.len() >= 8);

    let output = Command::new(env!("CARGO"))
        .args([
            "check",
            "--bins",
            "--keep-going",
            "--offline",
            "--message-format=json",
        ])
        .current_dir(&folder)
        .env("CARGO_TARGET_DIR", folder.join("target"))
        .env_remove("RUSTFLAGS")
        .output()
        .unwrap();
    // One message a line. The target's name comes first in it.
    let messages = String::from_utf8(output.stdout).unwrap();
    let errors = |name: &str| -> Vec<String> {
        let target = format!("\"name\":\"{name}\"");
        let errors = messages.lines().filter(|line| {
            line.contains("\"reason\":\"compiler-message\"")
                && line.contains(&target)
                && line.contains("\"level\":\"error\"")
        });
        errors.map(str::to_owned).collect()
    };
    let log = String::from_utf8_lossy(&output.stderr);
    for (name, code, message) in programs {
        let code = format!("\"code\":\"{code}\"");
        let found = errors(&name);
        assert!(
            found
                .iter()
                .any(|error| error.contains(&code) && error.contains(&message)),
            "{name} should fail with {code} {message}: {found:#?}\n{log}"
        );
        let found = errors(&format!("{name}_mended"));
        assert!(
            found.is_empty(),
            "{name} is broken otherwise too: {found:#?}"
        );
    }
}
