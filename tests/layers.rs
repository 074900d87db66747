//! Layers: no module of `src` uses a module that uses it, neither directly nor
//! through others. This holds for the top-level modules, and for the folders
//! below them. Files side by side in a folder may use each other, as long as no
//! cycle goes through a folder.
//!
//! The source is read as text: `use` items, and paths that begin with `crate`,
//! `self` or `super`. A name that a module imports or re-exports counts as a use
//! of the module that defines it. A folder's `mod.rs` is the parent of the files
//! beside it; parents and children may use each other.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs;
use std::path::Path;

/// Every module uses the errors, and they carry types of many modules.
const EXCLUDED: [&str; 1] = ["error"];

/// A module path below the crate: `png::encode` is `["png", "encode"]`.
type Module = Vec<String>;

struct Source {
    module: Module,
    file: String,
    tokens: Vec<String>,
}

#[derive(Default)]
struct Crate {
    sources: Vec<Source>,
    modules: BTreeSet<Module>,
    /// What a name in a module stands for, if a `use` brings it.
    names: BTreeMap<(Module, String), Module>,
}

/// Who uses whom among the modules of a folder, and in which files.
type Graph = BTreeMap<String, BTreeMap<String, BTreeSet<String>>>;

fn collect(folder: &Path, module: &Module, to: &mut Crate) {
    let mut entries: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    entries.sort();
    for path in entries {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let child = || [&module[..], std::slice::from_ref(&name)].concat();
        if path.is_dir() {
            collect(&path, &child(), to);
        } else if path.extension().is_some_and(|e| e == "rs") {
            let module = match &name[..] {
                "lib" | "mod" => module.clone(),
                _ => child(),
            };
            let root = Path::new(env!("CARGO_MANIFEST_DIR"));
            to.modules.insert(module.clone());
            to.sources.push(Source {
                module,
                file: path.strip_prefix(root).unwrap().display().to_string(),
                tokens: tokens(&fs::read_to_string(&path).unwrap()),
            });
        }
    }
}

/// Splits code into words, `::` and single characters. Leaves out comments
/// and the tests, which stand at the end of a file.
fn tokens(text: &str) -> Vec<String> {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let tests = lines.windows(2).position(|pair| {
        pair[0] == "#[cfg(test)]" && pair[1].contains("mod ") && pair[1].ends_with('{')
    });
    let code = lines[..tests.unwrap_or(lines.len())]
        .iter()
        .map(|line| line.split("//").next().unwrap())
        .collect::<Vec<_>>()
        .join("\n");
    let mut tokens = Vec::new();
    let mut rest = &code[..];
    while let Some(first) = rest.chars().next() {
        let word = |c: char| c.is_alphanumeric() || c == '_';
        let len = match first {
            _ if word(first) => rest.find(|c| !word(c)).unwrap_or(rest.len()),
            ':' if rest.starts_with("::") => 2,
            _ => first.len_utf8(),
        };
        if !first.is_whitespace() {
            tokens.push(rest[..len].to_owned());
        }
        rest = &rest[len..];
    }
    tokens
}

/// Reads the path, or the tree of paths, at the start of `tokens`. Adds each
/// path, and the name that a `use` gives it, and returns what follows.
fn read_paths<'a>(
    mut tokens: &'a [String],
    before: &[String],
    to: &mut Vec<(Vec<String>, String)>,
) -> &'a [String] {
    let mut path = before.to_vec();
    loop {
        match tokens {
            [brace, rest @ ..] if brace == "{" => {
                tokens = rest;
                while tokens.first().is_some_and(|token| token != "}") {
                    tokens = read_paths(tokens, &path, to);
                    if tokens.first().is_some_and(|token| token != "}") {
                        tokens = &tokens[1..];
                    }
                }
                return tokens.get(1..).unwrap_or_default();
            }
            // In a tree, `self` is the module before the brace.
            [word, rest @ ..] => {
                if word != "self" || path.is_empty() {
                    path.push(word.clone());
                }
                tokens = rest;
            }
            [] => return tokens,
        }
        match tokens {
            [colons, rest @ ..] if colons == "::" => tokens = rest,
            [keyword, name, rest @ ..] if keyword == "as" => {
                to.push((path, name.clone()));
                return rest;
            }
            _ => {
                let name = path.last().unwrap().clone();
                to.push((path, name));
                return tokens;
            }
        }
    }
}

impl Crate {
    /// Returns the module or item that a path written in `module` begins from
    /// the crate, or nothing for another crate's.
    fn absolute(&self, module: &Module, path: &[String]) -> Option<Module> {
        let (mut base, mut rest) = match &path[0][..] {
            "crate" => (Vec::new(), &path[1..]),
            "self" => (module.clone(), &path[1..]),
            "super" => (module.clone(), path),
            first => {
                let child = [&module[..], &[first.to_owned()]].concat();
                return self
                    .modules
                    .contains(&child)
                    .then(|| [&module[..], path].concat());
            }
        };
        while rest.first().is_some_and(|word| word == "super") {
            base.pop();
            rest = &rest[1..];
        }
        base.extend_from_slice(rest);
        Some(base)
    }

    /// Returns the module that defines what an absolute path names.
    fn definition(&self, path: &[String]) -> Module {
        let mut module = Module::new();
        for (i, word) in path.iter().enumerate() {
            let child = [&module[..], std::slice::from_ref(word)].concat();
            if self.modules.contains(&child) {
                module = child;
            } else if let Some(other) = self.names.get(&(module.clone(), word.clone())) {
                let path = [&other[..], &path[i + 1..]].concat();
                return self.definition(&path);
            } else {
                break;
            }
        }
        module
    }

    /// Records the names that `use` items bring into modules.
    fn read_names(&mut self) {
        let mut names = BTreeMap::new();
        for source in &self.sources {
            for at in (0..source.tokens.len()).filter(|&at| source.tokens[at] == "use") {
                let mut paths = Vec::new();
                read_paths(&source.tokens[at + 1..], &[], &mut paths);
                for (path, name) in paths {
                    if let Some(path) = self.absolute(&source.module, &path)
                        // `use dispatch;` names what the module itself defines.
                        && path != [&source.module[..], std::slice::from_ref(&name)].concat()
                    {
                        names.insert((source.module.clone(), name), path);
                    }
                }
            }
        }
        self.names = names;
    }

    fn is_folder(&self, parent: &[String], name: &String) -> bool {
        let path = [parent, std::slice::from_ref(name)].concat();
        self.modules
            .iter()
            .any(|module| module.starts_with(&path) && module.len() > path.len())
    }

    /// Returns the graph of each folder.
    fn graphs(&self) -> BTreeMap<Module, Graph> {
        let mut graphs: BTreeMap<Module, Graph> = BTreeMap::new();
        for source in &self.sources {
            let mut paths = Vec::new();
            for (at, token) in source.tokens.iter().enumerate() {
                let inner = at > 0 && source.tokens[at - 1] == "::";
                if ["crate", "self", "super"].contains(&&token[..])
                    && source.tokens.get(at + 1).is_some_and(|next| next == "::")
                    && !inner
                {
                    read_paths(&source.tokens[at..], &[], &mut paths);
                }
            }
            for (path, _) in paths {
                let Some(path) = self.absolute(&source.module, &path) else {
                    continue;
                };
                let (from, to) = (&source.module, self.definition(&path));
                let shared = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
                let (Some(user), Some(used)) = (from.get(shared), to.get(shared)) else {
                    continue;
                };
                if shared == 0 && [user, used].iter().any(|m| EXCLUDED.contains(&&m[..])) {
                    continue;
                }
                let graph = graphs.entry(from[..shared].to_vec()).or_default();
                let files = graph.entry(user.clone()).or_default();
                let files = files.entry(used.clone()).or_default();
                files.insert(source.file.clone());
            }
        }
        graphs
    }
}

/// Returns the shortest way from a module back to itself.
fn cycle(graph: &Graph, start: &String) -> Option<Vec<String>> {
    let mut seen = BTreeSet::new();
    let mut ways = VecDeque::from([vec![start.clone()]]);
    while let Some(way) = ways.pop_front() {
        for next in graph.get(&way[way.len() - 1])?.keys() {
            if next == start {
                return Some([way, vec![next.clone()]].concat());
            }
            if graph.contains_key(next) && seen.insert(next) {
                ways.push_back([&way[..], std::slice::from_ref(next)].concat());
            }
        }
    }
    None
}

/// Returns a line for each cycle of a graph that goes through one of `starts`.
fn cycles<'a>(
    folder: &[String],
    graph: &Graph,
    starts: impl Iterator<Item = &'a String>,
) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let mut lines = Vec::new();
    for way in starts.filter_map(|start| cycle(graph, start)) {
        if seen.insert(way.iter().cloned().collect::<BTreeSet<_>>()) {
            let steps = way.windows(2).map(|pair| {
                let files = graph[&pair[0]][&pair[1]].iter().cloned();
                let files = files.collect::<Vec<_>>().join(", ");
                format!("{} uses {} ({files})", pair[0], pair[1])
            });
            let steps = steps.collect::<Vec<_>>().join("; ");
            lines.push(format!("in src/{}: {steps}", folder.join("/")));
        }
    }
    lines
}

#[test]
#[cfg_attr(miri, ignore = "reads files")]
fn modules_form_layers() {
    let mut all = Crate::default();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    collect(&root.join("src"), &Module::new(), &mut all);
    all.read_names();
    let graphs = all.graphs();
    let top = &graphs[&Module::new()];
    assert!(top.len() > 5, "the paths are not found: {top:?}");
    let mut found = Vec::new();
    for (folder, graph) in &graphs {
        let checked = |name: &&String| folder.is_empty() || all.is_folder(folder, name);
        found.extend(cycles(folder, graph, graph.keys().filter(checked)));
    }
    assert!(
        found.is_empty(),
        "{} cycles:\n{}",
        found.len(),
        found.join("\n")
    );
}

/// The check sees what it should: trees, names given by `as`, re-exports.
#[test]
fn a_cycle_is_found() {
    let mut all = Crate::default();
    for (file, text) in [
        (
            "",
            "mod a; mod b; mod c;\npub use c::{Thing, deep::Other as Renamed};",
        ),
        ("a", "use crate::{b::{self, X}, Thing};"),
        ("b", "// crate::a\nfn f() { super::c::g(); }"),
        ("c", "pub mod deep;"),
        (
            "c::deep",
            "pub use crate::a::A;\n#[cfg(test)]\nmod tests {\nuse crate::b;",
        ),
    ] {
        let module: Module = file
            .split("::")
            .filter(|m| !m.is_empty())
            .map(str::to_owned)
            .collect();
        all.modules.insert(module.clone());
        all.sources.push(Source {
            module,
            file: file.to_owned(),
            tokens: tokens(text),
        });
    }
    all.read_names();
    let graphs = all.graphs();
    let top = &graphs[&Module::new()];
    assert_eq!(all.definition(&["Renamed".to_owned()]), ["c", "deep"]);
    assert_eq!(
        cycles(&[], top, top.keys()),
        [
            "in src/: a uses c (a); c uses a (c::deep)",
            "in src/: b uses c (b); c uses a (c::deep); a uses b (a)"
        ]
    );
}
