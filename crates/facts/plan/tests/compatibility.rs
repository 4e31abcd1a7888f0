//! The version matrix as findings: row by row against facts that are written here again, and against the published rows
//! where they are at hand. docs/compatibility.md is made from it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use cassandra_versions::Line;
use model::{Severity, When};
use plan::check_compatibility;

/// The published rows and ours: source, target, whether it works, and what must be said with it.
#[rustfmt::skip]
const ROWS: &[(&str, &str, bool, &str)] = &[
    ("cassandra 3.11", "cassandra 3.11", true,  ""),
    ("cassandra 3.11", "cassandra 4.0",  true,  "UPGRADE_SSTABLES_REQUIRED"),
    ("cassandra 3.11", "cassandra 4.1",  true,  "UPGRADE_SSTABLES_REQUIRED"),
    ("cassandra 4.0",  "cassandra 4.0",  true,  ""),
    ("cassandra 4.0",  "cassandra 4.1",  true,  "LATER_MINOR_VERSION"),
    ("cassandra 4.0",  "hcd 1.x",        true,  "CASSANDRA_ONTO_HCD"),
    ("cassandra 4.1",  "cassandra 4.0",  false, "VERSION_DOWNGRADE"),
    ("cassandra 4.1",  "cassandra 4.1",  true,  ""),
    ("cassandra 4.1",  "hcd 1.x",        true,  "CASSANDRA_ONTO_HCD"),
    ("cassandra 4.0",  "cassandra 3.11", false, "VERSION_DOWNGRADE"),
    ("cassandra 4.1",  "cassandra 3.11", false, "VERSION_DOWNGRADE"),
    ("dse 6.8",        "dse 6.8",        true,  ""),
    ("dse 6.8",        "dse 6.9",        true,  "UPGRADE_SSTABLES_REQUIRED"),
    ("dse 6.8",        "hcd 1.x",        true,  "SCHEMA_VALIDATION_REQUIRED"),
    ("dse 6.9",        "dse 6.9",        true,  ""),
    ("dse 6.9",        "hcd 1.x",        true,  "SCHEMA_VALIDATION_REQUIRED"),
    ("dse 6.9",        "dse 6.8",        false, "VERSION_DOWNGRADE"),
    ("hcd 1.x",        "hcd 1.x",        true,  ""),
    ("hcd 1.x",        "hcd 2.x",        true,  "UPGRADE_SSTABLES_REQUIRED"),
    ("hcd 2.x",        "hcd 2.x",        true,  ""),
    ("hcd 2.x",        "hcd 1.x",        false, "VERSION_DOWNGRADE"),
    ("cassandra 4.0",  "cassandra 5.0",  true,  "UPGRADE_SSTABLES_REQUIRED"),
    ("cassandra 4.1",  "cassandra 5.0",  true,  "UPGRADE_SSTABLES_REQUIRED"),
    ("cassandra 5.0",  "cassandra 5.0",  true,  ""),
    ("cassandra 5.0",  "cassandra 4.0",  false, "VERSION_DOWNGRADE"),
    ("cassandra 5.0",  "cassandra 4.1",  false, "VERSION_DOWNGRADE"),
    ("cassandra 5.0",  "cassandra 3.11", false, "VERSION_DOWNGRADE"),
];

/// What is said of a pair: whether it works, and the code of the one finding, empty for none.
type Listed = (bool, String);

fn found(source: &str, target: &str) -> Listed {
    let line = |name: &str| {
        let known = Line::known().find(|line| line.to_string() == name);
        known.expect("a known line").first_release()
    };
    let checked = check_compatibility(&line(source), &line(target));
    let codes: Vec<&str> = checked.findings.iter().map(|f| f.code.as_str()).collect();
    (checked.supported, codes.join(" "))
}

#[test]
fn the_page_of_compatibility_is_that_of_the_tables() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../docs/compatibility.md");
    let page = plan::compatibility::page();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &page).expect("writes the page");
    }
    let checked_in = std::fs::read_to_string(&path).expect("reads the page");
    assert_eq!(
        page, checked_in,
        "run the test with UPDATE=1 and read the difference"
    );
}

#[test]
fn every_listed_pair_is_supported_as_listed() {
    for (source, target, supported, code) in ROWS {
        let expected = (*supported, (*code).to_owned());
        assert_eq!(found(source, target), expected, "{source} to {target}");
    }
}

#[test]
fn every_other_pair_is_refused() {
    for source in Line::known() {
        for target in Line::known() {
            let (from, to) = (source.to_string(), target.to_string());
            if ROWS.iter().any(|row| row.0 == from && row.1 == to) {
                continue;
            }
            let older = source.product == target.product && target < source;
            let code = match older {
                true => "VERSION_DOWNGRADE",
                false => "VERSION_PAIR_UNSUPPORTED",
            };
            assert_eq!(found(&from, &to), (false, code.into()), "{from} to {to}");
        }
    }
}

#[test]
fn what_is_said_comes_when_it_can_be_acted_upon() {
    let said = |from: &str, to: &str| {
        let release = |text: &str| text.parse().expect("a release");
        let mut checked = check_compatibility(&release(from), &release(to));
        assert_eq!(checked.findings.len(), 1, "{from} to {to}");
        let finding = checked.findings.remove(0);
        (finding.severity, finding.when)
    };
    for (from, to, expected) in [
        (
            "cassandra 3.11.19",
            "cassandra 4.1.9",
            (Severity::Advice, When::After),
        ),
        (
            "cassandra 4.0.17",
            "cassandra 4.1.9",
            (Severity::Advice, When::After),
        ),
        (
            "cassandra 4.1.9",
            "hcd 1.2.3",
            (Severity::Advice, When::After),
        ),
        ("dse 6.8.50", "hcd 1.2.3", (Severity::Warning, When::Before)),
        (
            "cassandra 4.1.9",
            "cassandra 4.0.17",
            (Severity::Refusal, When::Before),
        ),
        (
            "cassandra 3.11.19",
            "cassandra 5.0.5",
            (Severity::Refusal, When::Before),
        ),
        (
            "cassandra 3.11.19",
            "cassandra 3.11.3",
            (Severity::Advice, When::Before),
        ),
    ] {
        assert_eq!(said(from, to), expected, "{from} to {to}");
    }
}

/// `C* 4.0, 4.1` and `HCD` as the lines that they name.
fn lines(words: &str) -> Vec<String> {
    let words = words.replace("(+)", "").replace("C*", "cassandra");
    let (product, versions) = words
        .trim()
        .split_once(' ')
        .unwrap_or((words.trim(), "1.x"));
    let product = product.to_lowercase();
    // Of HCD only the line can be told.
    let versions = match product.as_str() {
        "hcd" => versions.replace("1.2", "1.x"),
        _ => versions.replace("4.x", "4.0, 4.1"),
    };
    let named = versions.split(',').map(|version| version.trim().to_owned());
    named
        .map(|version| format!("{product} {version}"))
        .collect()
}

/// The code that a row of the published page asks for, which it gives as a code or in words.
fn code(words: &str) -> &str {
    let in_words = [
        ("later minor", "LATER_MINOR_VERSION"),
        ("Cassandra 4 backup onto HCD", "CASSANDRA_ONTO_HCD"),
        ("same version", ""),
        ("-", ""),
    ];
    if let Some((_, code)) = in_words.iter().find(|(text, _)| words.starts_with(text)) {
        return code;
    }
    let end = words.find(|c: char| !c.is_ascii_uppercase() && c != '_');
    &words[..end.unwrap_or(words.len())]
}

#[test]
fn the_published_rows_are_the_rows_that_are_tested() {
    let name = "the_published_rows_are_the_rows_that_are_tested";
    let Some(page) = shared_fixtures::text(name, "../reference/mission.md") else {
        return;
    };
    let table = page
        .lines()
        .skip_while(|line| !line.starts_with("## Version matrix"));
    let rows = table
        .skip_while(|line| !line.starts_with("|---"))
        .skip(1)
        .take_while(|line| line.starts_with('|'));
    let mut published: BTreeMap<(String, String), Listed> = BTreeMap::new();
    let mut others = 0;
    for row in rows {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let [source, target, supported, finding] = cells[..] else {
            panic!("a row of another shape: {row}");
        };
        if source == "any pair not listed" {
            assert_eq!(
                (supported, code(finding)),
                ("no", "VERSION_PAIR_UNSUPPORTED")
            );
            others += 1;
            continue;
        }
        for source in lines(source) {
            for target in lines(target) {
                let expected = (supported == "yes", code(finding).to_owned());
                assert_eq!(found(&source, &target), expected, "{row}");
                published.insert((source.clone(), target), expected);
            }
        }
    }
    assert_eq!(others, 1, "the page says what holds for all other pairs");
    let tested: BTreeSet<(String, String)> = ROWS
        .iter()
        .map(|row| (row.0.into(), row.1.into()))
        .collect();
    assert_eq!(published.into_keys().collect::<BTreeSet<_>>(), tested);
}
