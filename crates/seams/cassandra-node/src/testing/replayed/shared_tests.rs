//! The recordings of HCD show what the nodes showed that they were cut down from.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::ReplayedCql;

const VIEWS: &str =
    "SELECT table_name FROM system_virtual_schema.tables WHERE keyspace_name = 'system_views'";
const MEMTABLE: &str = "SELECT type FROM system_schema.columns WHERE keyspace_name = 'system_schema' AND table_name = 'tables' AND column_name = 'memtable'";
/// What of system.local is a node's product, and not the node.
const OF_PRODUCT: [&str; 5] = [
    "bootstrapped",
    "cql_version",
    "native_protocol_version",
    "partitioner",
    "release_version",
];

/// A recording, and what its node showed; none if the shared fixtures are missing.
fn pair(test: &str, line: &str) -> Option<(ReplayedCql, Value)> {
    let text = shared_fixtures::text(test, &format!("products/{line}-node.json"))?;
    let node = serde_json::from_str(&text).expect("JSON");
    Some((ReplayedCql::of(line), node))
}

fn rows<'a>(recorded: &'a ReplayedCql, statement: &str) -> &'a [Map<String, Value>] {
    &recorded.recording.statements[statement]
}

fn texts<'a>(rows: impl IntoIterator<Item = &'a Value>, column: &str) -> BTreeSet<&'a str> {
    let rows = rows.into_iter();
    rows.filter_map(|row| row[column].as_str()).collect()
}

fn list<'a>(node: &'a Value, of: &str) -> &'a [Value] {
    node[of].as_array().expect("a list")
}

#[test]
fn the_signs_of_hcd_are_those_that_the_nodes_showed() {
    let test = "the_signs_of_hcd_are_those_that_the_nodes_showed";
    for line in ["hcd-1", "hcd-2"] {
        let Some((recorded, node)) = pair(test, line) else {
            return;
        };
        let views = rows(&recorded, VIEWS).iter();
        let views: BTreeSet<&str> = views.filter_map(|row| row["table_name"].as_str()).collect();
        let shown = list(&node, "virtual_tables").iter();
        let shown = shown.filter(|row| row["keyspace_name"] == "system_views");
        assert_eq!(views, texts(shown, "table_name"), "{line}");

        let local = &rows(&recorded, "SELECT * FROM system.local")[0];
        let shown = list(&node, "system.local")[0].as_object().expect("a row");
        let columns = |row: &Map<String, Value>| row.keys().cloned().collect::<BTreeSet<_>>();
        assert_eq!(columns(local), columns(shown), "{line}");
        for column in OF_PRODUCT {
            assert_eq!(local[column], shown[column], "{line} {column}");
        }

        let columns = node["system_tables_columns"]["system_schema.tables"].as_array();
        let mut columns = columns.expect("columns").iter();
        let memtable = columns.find(|column| column[0] == "memtable");
        let memtable = memtable.map(|column| &column[1]);
        assert_eq!(
            rows(&recorded, MEMTABLE).first().map(|row| &row["type"]),
            memtable,
            "{line}"
        );
    }
}

#[test]
fn the_settings_of_hcd_are_those_that_the_nodes_showed() {
    let test = "the_settings_of_hcd_are_those_that_the_nodes_showed";
    for line in ["hcd-1", "hcd-2"] {
        let Some((recorded, node)) = pair(test, line) else {
            return;
        };
        let shown = node["settings"].as_object().expect("settings");
        for row in rows(&recorded, "SELECT name, value FROM system_views.settings") {
            let name = row["name"].as_str().expect("a name");
            let value = shown.get(name);
            assert!(value.is_some(), "{line}: the node has no setting {name}");
            let is_an_address = |value: &Value| value.as_str().is_some_and(|it| it.contains('@'));
            if name != "cluster_name" && !is_an_address(&row["value"]) {
                assert_eq!(value, Some(&row["value"]), "{line} {name}");
            }
        }
    }
}

/// The words before `=` in what follows WITH.
fn options(statement: &Value) -> Vec<&str> {
    let statement = statement.as_str().unwrap_or_default();
    let (_, options) = statement.split_once("WITH ").unwrap_or_default();
    let options = options.split("AND ");
    options
        .filter_map(|option| option.split_once(" ="))
        .map(|(name, _)| name)
        .collect()
}

#[test]
fn the_tables_of_hcd_are_described_with_the_options_that_the_nodes_print() {
    let test = "the_tables_of_hcd_are_described_with_the_options_that_the_nodes_print";
    for line in ["hcd-1", "hcd-2"] {
        let Some((recorded, node)) = pair(test, line) else {
            return;
        };
        let mut described = list(&node, "describe keyspace shop with internals").iter();
        let shown = described.find(|row| row["type"] == "table");
        let shown = options(&shown.expect("a table")["create_statement"]);
        assert!(shown.contains(&"memtable"), "{line} {shown:?}");
        let recorded = rows(&recorded, "DESCRIBE KEYSPACE store WITH INTERNALS").iter();
        let mut tables = recorded.filter(|row| row["type"] == "table").peekable();
        assert!(tables.peek().is_some(), "{line}");
        for table in tables {
            assert_eq!(options(&table["create_statement"]), shown, "{line}");
        }
    }
}
