//! The page of contracts names a test for each contract, the table of faults one for
//! each fault, and these tests exist; contract 10.

use std::fs;
use std::path::Path;

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// Whether a function of that name is a test.
fn is_test(text: &str, name: &str) -> bool {
    let lines: Vec<&str> = text.lines().collect();
    let at = lines
        .iter()
        .position(|line| *line == format!("fn {name}() {{"));
    at.is_some_and(|at| {
        let attributes = lines[..at]
            .iter()
            .rev()
            .take_while(|line| line.starts_with("#["));
        attributes.clone().any(|line| *line == "#[test]")
    })
}

/// Returns the tests that a text names. Fails if one of them does not exist.
fn tests_of(text: &str) -> Vec<&str> {
    let is_name = |code: &&str| {
        let folders = ["tests/", "src/"];
        folders.iter().any(|folder| code.starts_with(folder)) && code.contains("::")
    };
    let tests: Vec<&str> = text.split('`').filter(is_name).collect();
    for test in &tests {
        let (file, name) = test.split_once("::").unwrap();
        assert!(is_test(&read(file), name), "{test} does not exist");
    }
    tests
}

#[test]
fn each_fault_names_its_tests() {
    let page = read("src/docs/faults.md");
    let rows: Vec<&str> = page
        .lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("| fault |"))
        .collect();
    assert_eq!(rows.len(), 33);
    for row in rows {
        assert_eq!(row.matches(" | ").count(), 3, "{row}");
        let (_, tests) = row.trim_end_matches(" |").rsplit_once(" | ").unwrap();
        assert!(!tests_of(tests).is_empty(), "no test for {row}");
    }
}

#[test]
fn each_contract_names_its_tests() {
    let page = read("src/docs/contracts.md");
    let sections: Vec<&str> = page.split("\n# ").skip(1).collect();
    assert_eq!(sections.len(), 10);
    for (number, section) in (1..).zip(sections) {
        assert!(section.starts_with(&format!("{number}. ")), "{section}");
        assert!(
            !tests_of(section).is_empty(),
            "no test for contract {number}"
        );
    }
}

#[test]
fn no_unsafe() {
    fn sources(folder: &Path, found: &mut Vec<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                sources(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(fs::read_to_string(path).unwrap());
            }
        }
    }
    // The compiler refuses the rest, where this line stands.
    assert!(read("src/lib.rs").contains("\n#![forbid(unsafe_code)]\n"));
    assert!(read("Cargo.toml").contains("\nunsafe_code = \"forbid\"\n"));
    let mut found = Vec::new();
    sources(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
        &mut found,
    );
    assert!(found.len() > 10);
    assert!(
        found
            .iter()
            .all(|text| !text.contains("allow(unsafe_code)"))
    );
}

/// The README's two commands stand at its top, each alone in its block.
#[test]
fn the_two_commands() {
    let readme = read("README.md");
    let commands: Vec<&str> = readme
        .lines()
        .take_while(|line| !line.starts_with("## "))
        .filter(|line| line.starts_with("cargo "))
        .collect();
    assert_eq!(commands, ["cargo run --example live_save", "cargo test"]);
    assert!(
        read(".ci/run")
            .lines()
            .any(|line| line.trim() == "cargo test")
    );
}
