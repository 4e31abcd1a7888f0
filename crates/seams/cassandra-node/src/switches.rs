//! The settings that switch something off on a node or limit it, as a plan needs to know them.

use std::collections::BTreeMap;

use serde_yaml_ng::{Mapping, Value};

use crate::cql::Row;

/// The names of what cassandra.yaml calls memtable configurations.
const MEMTABLES: &str = "memtable.configurations";
/// The configuration that every node has.
const DEFAULT_MEMTABLE: &str = "default";
/// The section in which DSE and HCD have their guardrails.
const GUARDRAILS: &str = "guardrails";
const AUTO_SNAPSHOT: &str = "auto_snapshot";
/// Most settings are nobody's business, and some are secrets: only what is named like this is reported.
const SUFFIXES: [&str; 4] = [
    "_enabled",
    "_fail_threshold",
    "_failure_threshold",
    "_disallowed",
];

fn is_reported(name: &str) -> bool {
    let name = name.strip_prefix("guardrails.").unwrap_or(name);
    let is_plain = !name.contains('.');
    name == AUTO_SNAPSHOT || is_plain && SUFFIXES.iter().any(|suffix| name.ends_with(suffix))
}

/// Those of the rows of `system_views.settings`; what no row has is as cassandra.yaml has it.
pub(crate) fn of_rows(rows: &[Row], yaml: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let mut found = yaml.clone();
    for row in rows {
        let pair = row.optional_text("name").zip(row.optional_text("value"));
        if let Some((name, value)) = pair.filter(|(name, _)| is_reported(name)) {
            found.insert(name.to_owned(), value.to_owned());
        }
    }
    found
}

/// Those of cassandra.yaml.
pub(crate) fn of_yaml(keys: &Mapping) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    collect(keys, "", &mut found);
    if let Some(Value::Mapping(guardrails)) = keys.get(GUARDRAILS) {
        collect(guardrails, "guardrails.", &mut found);
    }
    let memtables = keys
        .get("memtable")
        .and_then(|memtable| memtable.get("configurations"))
        .and_then(Value::as_mapping);
    let names = memtables.into_iter().flatten();
    let mut names: Vec<&str> = names.filter_map(|(name, _)| name.as_str()).collect();
    names.push(DEFAULT_MEMTABLE);
    names.sort_unstable();
    names.dedup();
    found.insert(MEMTABLES.to_owned(), format!("[{}]", names.join(", ")));
    found
}

fn collect(keys: &Mapping, prefix: &str, found: &mut BTreeMap<String, String>) {
    for (name, value) in keys {
        let name = format!("{prefix}{}", name.as_str().unwrap_or_default());
        if let Some(value) = shown(value).filter(|_| is_reported(&name)) {
            found.insert(name, value);
        }
    }
}

/// As `system_views.settings` shows a value.
fn shown(value: &Value) -> Option<String> {
    match value {
        Value::Sequence(items) => {
            let items: Vec<String> = items.iter().filter_map(shown).collect();
            Some(format!("[{}]", items.join(", ")))
        }
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn yaml(text: &str) -> BTreeMap<String, String> {
        let Value::Mapping(keys) = serde_yaml_ng::from_str(text).unwrap() else {
            panic!("a map of settings");
        };
        of_yaml(&keys)
    }

    fn texts(found: &BTreeMap<String, String>) -> Vec<String> {
        let found = found.iter();
        found
            .map(|(name, value)| format!("{name}={value}"))
            .collect()
    }

    #[test]
    fn only_switches_and_limits_are_reported() {
        let text = "auto_snapshot: false\ntables_fail_threshold: 10\nkeystore_password: hush\n\
                    table_properties_disallowed: [comment, cdc]\nnum_tokens: 16\n\
                    client_encryption_options: {enabled: true}\n\
                    guardrails: {tables_failure_threshold: 200, page_size: 1}\n\
                    memtable: {configurations: {trie: {class_name: TrieMemtable}}}";
        assert_eq!(
            texts(&yaml(text)),
            [
                "auto_snapshot=false",
                "guardrails.tables_failure_threshold=200",
                "memtable.configurations=[default, trie]",
                "table_properties_disallowed=[comment, cdc]",
                "tables_fail_threshold=10",
            ]
        );
    }

    #[test]
    fn the_running_node_counts_more_than_its_file() {
        let rows = [
            json!({ "name": "tables_fail_threshold", "value": "20" }),
            json!({ "name": "secondary_indexes_enabled", "value": "false" }),
            json!({ "name": "server_encryption_options.keystore_password", "value": "hush" }),
            json!({ "name": "client_encryption_options.enabled", "value": "true" }),
            json!({ "name": "auto_snapshot", "value": null }),
        ];
        let rows: Vec<Row> = rows
            .iter()
            .map(|row| Row(row.as_object().unwrap().clone()))
            .collect();
        assert_eq!(
            texts(&of_rows(&rows, &yaml("tables_fail_threshold: 10"))),
            [
                "memtable.configurations=[default]",
                "secondary_indexes_enabled=false",
                "tables_fail_threshold=20",
            ]
        );
    }
}
