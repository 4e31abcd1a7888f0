//! Every metric that a program exports is documented, and every metric that is named in an alert, a test of alerts or the
//! dashboard is exported.

use std::collections::BTreeSet;
use std::path::Path;

use crate::{read, root};

/// What a name of a metric begins with.
const PREFIX: &str = "ringkeep_";
/// The series of a histogram.
const OF_HISTOGRAM: [&str; 3] = ["_bucket", "_sum", "_count"];

/// Names with the prefix, wherever they are in a text.
fn names(text: &str) -> BTreeSet<String> {
    let parts = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    parts
        .filter(|part| part.starts_with(PREFIX) && part.len() > PREFIX.len())
        .map(str::to_owned)
        .collect()
}

fn sources(folder: &Path, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        // Tests may name what they like.
        if path.is_dir() && name != "tests" && name != "target" {
            sources(&path, found);
        } else if name.ends_with(".rs") && name != "tests.rs" {
            let text = std::fs::read_to_string(&path).expect("a source");
            let code = text.split("#[cfg(test)]").next().unwrap_or_default();
            found.push(code.to_owned());
        }
    }
}

/// The names of metrics that the code gives to the exporter: the first argument of a macro of `metrics`, or a gauge.
fn exported() -> BTreeSet<String> {
    let mut texts = Vec::new();
    for folder in ["seams", "services", "assemblies"] {
        sources(&root().join("crates").join(folder), &mut texts);
    }
    let mut found = BTreeSet::new();
    for text in texts {
        for call in ["counter!(", "gauge!(", "histogram!(", "= gauge("] {
            for rest in text.split(call).skip(1) {
                let argument = rest.trim_start().strip_prefix('"');
                let name = argument.and_then(|rest| rest.split('"').next());
                found.extend(
                    name.filter(|name| name.starts_with(PREFIX))
                        .map(str::to_owned),
                );
            }
        }
    }
    found
}

fn is_exported(name: &str, exported: &BTreeSet<String>) -> bool {
    let of_histogram = |end: &&str| {
        let base = name.strip_suffix(*end);
        base.is_some_and(|base| exported.contains(base))
    };
    exported.contains(name) || OF_HISTOGRAM.iter().any(of_histogram)
}

#[test]
fn every_metric_that_alerts_and_the_dashboard_name_is_exported() {
    let exported = exported();
    let mut checked = 0;
    for file in [
        "deploy/alerts/ringkeep.rules.yml",
        "deploy/alerts/ringkeep.test.yml",
        "deploy/alerts/ringkeep-days.test.yml",
        "deploy/grafana/ringkeep.json",
        "docs/operate.md",
    ] {
        for name in names(&read(file)) {
            assert!(is_exported(&name, &exported), "{file}: {name}");
            checked += 1;
        }
    }
    assert!(checked > 30, "only {checked} names were found");
}

#[test]
fn errors_of_the_store_are_on_the_page_before_there_is_one() {
    let page = chassis::prometheus::install();
    let folder = tempfile::tempdir().expect("a folder");
    let store = blob_store::Folder::open(folder.path()).expect("a store");
    drop(blob_store::Counted::new(std::sync::Arc::new(store)));
    let line = r#"ringkeep_store_errors_total{verb="put",retryable="true"} 0"#;
    assert!(page.render().lines().any(|shown| shown == line));
}

#[test]
fn the_page_of_metrics_names_exactly_those_that_are_exported() {
    let page = read("docs/metrics.md");
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `"));
    let documented: BTreeSet<String> = rows
        .filter_map(|row| row.split('`').next())
        .map(str::to_owned)
        .collect();
    assert_eq!(documented, exported());
}
