//! The tables of formats and ids, compared with the shared list of what each product reads and writes.

use std::collections::BTreeSet;

use cassandra_versions::{FormatSettings, Line, Release, readable_formats, written_format};
use serde_json::Value;

fn texts(value: &Value) -> Vec<&str> {
    let texts = value.as_array().into_iter().flatten();
    texts.filter_map(Value::as_str).collect()
}

/// `nb` is `big-nb`: the letters up to `e` are those of tries.
fn format(letters: &str) -> String {
    let family = if letters < "f" { "bti" } else { "big" };
    format!("{family}-{letters}")
}

/// The latest release of a row, and the settings under which the row holds.
fn subject(row: &Value) -> (Release, FormatSettings) {
    let word = |key: &str| row[key].as_str().unwrap_or_default();
    let version = format!("{}.99", word("series").replace(".x", ".0"));
    let release = format!("{} {version}", word("product"));
    let own = word("mode").contains("NONE");
    let tries = word("mode").contains("bti");
    // A row without a mode is of a product as it ships.
    let selected = if tries { "bti" } else { "big" };
    let settings = FormatSettings::parse(
        own.then_some("NONE"),
        Some(selected).filter(|_| !word("mode").is_empty()),
    );
    (release.parse().expect("a release"), settings)
}

#[test]
fn every_row_of_the_shared_list_is_what_the_table_says() {
    let Some(text) = shared_fixtures::text(
        "every_row_of_the_shared_list_is_what_the_table_says",
        "formats.json",
    ) else {
        return;
    };
    let list: Value = serde_json::from_str(&text).expect("JSON");
    let rows = list["products"].as_array().expect("rows");
    let mut compared = BTreeSet::new();
    for row in rows {
        let (release, settings) = subject(row);
        let Some(line) = Line::known().find(|line| line.contains(&release)) else {
            assert_eq!(release.to_string(), "dse 5.1.99", "is not known");
            continue;
        };
        compared.insert(line);
        let expected: BTreeSet<String> = texts(&row["r"]).into_iter().map(format).collect();
        let reads = readable_formats(&release, &settings).iter();
        let reads: BTreeSet<String> = reads.map(|format| (*format).to_owned()).collect();
        assert_eq!(reads, expected, "{release} {settings:?} reads");
        let writes = texts(&row["w"]).first().and_then(|text| text.get(..2));
        assert_eq!(
            written_format(&release, &settings).map(str::to_owned),
            writes.map(format),
            "{release} {settings:?} writes"
        );
        // Ids are not listed for a product that was never seen.
        let ids = texts(&row["ids"]);
        if !ids.is_empty() {
            let uuid = ids.iter().any(|id| id.starts_with("uuid"));
            assert_eq!(release.parses_time_ids(), uuid, "{release} parses UUIDs");
            assert_eq!(
                release.parses_ulids(),
                ids.contains(&"ulid"),
                "{release} parses ULIDs"
            );
        }
    }
    let known: BTreeSet<Line> = Line::known().collect();
    assert_eq!(compared, known, "every line that is known is in the list");
}
