//! The restore planner reads from the front to the back: a chapter uses only those before it.

use std::fs;
use std::path::{Path, PathBuf};

/// In their order. A chapter is a file of this name in `src/restore`, with the files in its folder.
const CHAPTERS: [&str; 10] = [
    "renamed",
    "given",
    "placing",
    "schema",
    "sstables",
    "nodes",
    "statements",
    "unknown_build",
    "steps",
    "closing",
];
/// What tests of every chapter use.
const OF_TESTS: &str = "world";

fn restore() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/restore")
}

/// The Rust files of a folder and below it.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let entries = fs::read_dir(folder).expect("a folder");
    for entry in entries {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|ext| ext == "rs") {
            found.push(path);
        }
    }
    found
}

/// The chapter that a file of `src/restore` is of.
fn chapter_of(file: &Path) -> String {
    let path = file.strip_prefix(restore()).expect("below src/restore");
    let first = path.components().next().expect("a name").as_os_str();
    let name = Path::new(first).file_stem().expect("a name");
    name.to_str().expect("UTF-8").to_owned()
}

/// Why a line of a chapter breaks the order, if it does. `depth`: how many `super` lead out of the chapter.
fn fault(chapter: &str, depth: usize, line: &str) -> Option<String> {
    let at = |name: &str| CHAPTERS.iter().position(|chapter| *chapter == name);
    let is_inner_tests = line == "    use super::*;";
    if line.contains(&"super::".repeat(depth)) && !is_inner_tests {
        return Some("name other chapters as `crate::restore::<chapter>`".to_owned());
    }
    for rest in line.split("restore::").skip(1) {
        let name: String = rest
            .chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect();
        match at(&name) {
            _ if name == OF_TESTS => {}
            Some(used) if Some(used) <= at(chapter) => {}
            Some(_) => return Some(format!("{chapter} uses {name}, which comes later")),
            None => return Some(format!("`restore::{name}` is no chapter")),
        }
    }
    None
}

#[test]
fn no_chapter_uses_a_later_one() {
    let mut faults = Vec::new();
    let mut seen = Vec::new();
    for file in files(&restore()) {
        let chapter = chapter_of(&file);
        if chapter == OF_TESTS {
            continue;
        }
        let text = fs::read_to_string(&file).expect("text");
        let below = file.strip_prefix(restore()).expect("below src/restore");
        let depth = below.components().count();
        for line in text.lines() {
            faults.extend(
                fault(&chapter, depth, line).map(|why| format!("{}: {why}", file.display())),
            );
        }
        seen.push(chapter);
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(
        seen.iter().all(|name| CHAPTERS.contains(&name.as_str())),
        "{seen:?}"
    );
    assert!(
        CHAPTERS.iter().all(|name| seen.iter().any(|it| it == name)),
        "{seen:?}"
    );
}

#[test]
fn a_later_chapter_is_found_wherever_it_is_named() {
    for (chapter, depth, line, is_fault) in [
        (
            "schema",
            2,
            "use crate::restore::given::inputs::Inputs;",
            false,
        ),
        ("schema", 2, "use super::tables;", false),
        ("schema", 2, "use super::super::nodes::Nodes;", true),
        ("nodes", 1, "    use super::*;", false),
        ("nodes", 1, "use super::steps;", true),
        ("schema", 2, "use crate::restore::nodes::Nodes;", true),
        (
            "given",
            2,
            "    crate::restore::placing::moves::decide(pairs)",
            true,
        ),
        ("schema", 2, "use crate::restore::{given, nodes};", true),
        ("steps", 2, "use crate::restore::world::facts;", false),
    ] {
        let found = fault(chapter, depth, line);
        assert_eq!(found.is_some(), is_fault, "{chapter}: {line}");
    }
}
