//! The documents in Markdown: their links lead somewhere, their lines can be read, and the plan in the README is real.

use std::path::{Path, PathBuf};

/// Prose is wrapped at 120 columns. This only catches lines that were not wrapped at all.
const LINE_CHARS_MAX: usize = 160;
/// Pages that a test generates, from sentences of any length.
const GENERATED: [&str; 2] = ["docs/findings.md", "docs/compatibility.md"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../..")
        .canonicalize()
        .expect("the workspace")
}

/// The documents at the top of the repository, and all below `docs`.
fn documents() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().join("docs")];
    let top = std::fs::read_dir(root()).expect("the workspace");
    found.extend(top.map(|entry| entry.expect("an entry").path()));
    found.retain(|path| path.is_file());
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(path);
            }
        }
    }
    found.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    found.sort();
    found
}

/// The lines outside of blocks of code, with their numbers.
fn prose(text: &str) -> Vec<(usize, &str)> {
    let mut in_block = false;
    let lines = text.lines().zip(1..).filter_map(|(line, number)| {
        if line.trim_start().starts_with("```") {
            in_block = !in_block;
            return None;
        }
        let is_code = in_block || line.starts_with("    ") && !line.trim_start().starts_with('-');
        (!is_code).then_some((number, line))
    });
    lines.collect()
}

/// The targets of the links `[text](target)` in a line.
fn links(line: &str) -> Vec<&str> {
    let ends = line.split("](").skip(1);
    ends.filter_map(|rest| rest.split_once(')'))
        .map(|(target, _)| target)
        .collect()
}

/// The name by which a heading is linked: lower case, hyphens for blanks, nothing else but letters and digits.
fn anchor(heading: &str) -> String {
    let text = heading.trim_start_matches('#').trim().to_lowercase();
    text.chars()
        .filter_map(|c| match c {
            ' ' => Some('-'),
            '-' | '_' => Some(c),
            _ if c.is_alphanumeric() => Some(c),
            _ => None,
        })
        .collect()
}

/// Why a link leads nowhere; `None` if it leads somewhere, or out of the repository.
fn broken(document: &Path, target: &str) -> Option<String> {
    if target.contains("://") || target.starts_with("mailto:") {
        return None;
    }
    let (file, heading) = target.split_once('#').unwrap_or((target, ""));
    let path = match file {
        "" => document.to_owned(),
        file => document.parent()?.join(file),
    };
    if !path.exists() {
        return Some(format!("there is no {file}"));
    }
    if heading.is_empty() {
        return None;
    }
    let text = std::fs::read_to_string(&path).expect("a document");
    let mut headings = prose(&text)
        .into_iter()
        .filter(|(_, line)| line.starts_with('#'));
    let is_there = headings.any(|(_, line)| anchor(line) == heading);
    (!is_there).then(|| format!("{file} has no heading #{heading}"))
}

#[test]
fn every_link_of_the_documents_leads_somewhere() {
    let mut checked = 0;
    let mut wrong = Vec::new();
    for document in documents() {
        let text = std::fs::read_to_string(&document).expect("a document");
        for (number, line) in prose(&text) {
            for target in links(line) {
                checked += 1;
                if let Some(why) = broken(&document, target) {
                    wrong.push(format!("{}:{number}: {why}", document.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(checked > 20, "only {checked} links were found");
}

#[test]
fn no_line_of_prose_is_too_long_to_be_read() {
    let mut wrong = Vec::new();
    for document in documents() {
        if GENERATED.iter().any(|page| document.ends_with(page)) {
            continue;
        }
        let text = std::fs::read_to_string(&document).expect("a document");
        for (number, line) in prose(&text) {
            // Rows of tables and pieces of code cannot be wrapped.
            let is_one_piece = line.starts_with('|') || line.trim_start().starts_with("`{");
            if line.chars().count() > LINE_CHARS_MAX && !is_one_piece {
                wrong.push(format!("{}:{number}", document.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "wrap these lines:\n{}", wrong.join("\n"));
}

#[test]
fn the_plan_in_the_readme_is_one_of_the_golden_plans() {
    let readme = std::fs::read_to_string(root().join("README.md")).expect("a README");
    let golden = root().join("crates/facts/plan/tests/plans/refused.rs");
    let golden = std::fs::read_to_string(golden).expect("golden plans");
    let plan = readme.split("```").nth(1).expect("a block of code");
    let missing: Vec<&str> = plan
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && *line != "…" && !golden.contains(line))
        .collect();
    assert!(
        plan.contains("REFUSED") && missing.is_empty(),
        "{missing:#?}"
    );
}

#[test]
fn a_link_to_a_missing_file_or_heading_is_found() {
    let document = root().join("docs/style.md");
    for (target, why) in [
        ("glossary.md", None),
        ("../README.md", None),
        ("#words", None),
        ("https://example.com/x", None),
        ("nothing.md", Some("there is no nothing.md")),
        (
            "glossary.md#nothing",
            Some("glossary.md has no heading #nothing"),
        ),
    ] {
        assert_eq!(broken(&document, target).as_deref(), why, "{target}");
    }
    assert_eq!(links("[a](b.md) and [c](d.md#e)"), ["b.md", "d.md#e"]);
    assert_eq!(anchor("## What is not there, yet"), "what-is-not-there-yet");
}
