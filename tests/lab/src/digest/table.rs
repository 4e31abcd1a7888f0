//! What the schema says about a table, and the query that reads all of it.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use scylla::client::session::Session;
use scylla::value::CqlValue;

use super::TableName;
use crate::release::Release;
use crate::session::rows;

/// A table with its columns in the order in which they are hashed.
#[derive(Clone, Debug)]
pub struct Table {
    pub name: TableName,
    pub partition_key: Vec<String>,
    pub clustering: Vec<String>,
    /// Regular and static columns with their CQL types, by name.
    pub others: Vec<(String, String)>,
}

/// What a selected column means for the hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    PartitionKey,
    /// Hashed as it comes.
    Value,
    /// Remaining seconds, which become an absolute time.
    Ttl,
    /// Remaining seconds of each element.
    TtlList,
}

/// Tables and views of a keyspace, by name.
pub async fn list(session: &Session, keyspace: &str) -> Result<Vec<Table>> {
    let query = format!(
        "SELECT table_name, column_name, kind, position, type FROM system_schema.columns \
         WHERE keyspace_name = '{keyspace}'"
    );
    let mut tables: BTreeMap<String, Vec<Column>> = BTreeMap::new();
    for row in rows(session, &query).await? {
        let (table, column) =
            Column::of(&row).context("system_schema.columns has an unknown form")?;
        tables.entry(table).or_default().push(column);
    }
    if tables.is_empty() {
        bail!("keyspace `{keyspace}` has no tables: is its name spelled as in the schema?");
    }
    Ok(tables
        .into_iter()
        .map(|(table, columns)| Table::of(keyspace, table, columns))
        .collect())
}

struct Column {
    name: String,
    kind: String,
    position: i32,
    cql_type: String,
}

impl Column {
    fn of(row: &[Option<CqlValue>]) -> Option<(String, Self)> {
        let text = |at: usize| row.get(at)?.as_ref()?.as_text().cloned();
        let position = row.get(3)?.as_ref()?.as_int()?;
        Some((
            text(0)?,
            Self {
                name: text(1)?,
                kind: text(2)?,
                position,
                cql_type: text(4)?,
            },
        ))
    }
}

impl Table {
    fn of(keyspace: &str, table: String, mut columns: Vec<Column>) -> Self {
        columns.sort_by(|one, two| (one.position, &one.name).cmp(&(two.position, &two.name)));
        let names = |kind: &str| -> Vec<String> {
            let of_kind = columns.iter().filter(|column| column.kind == kind);
            of_kind.map(|column| column.name.clone()).collect()
        };
        let others = columns
            .iter()
            .filter(|column| matches!(column.kind.as_str(), "regular" | "static"));
        Self {
            name: TableName {
                keyspace: keyspace.to_owned(),
                table,
            },
            partition_key: names("partition_key"),
            clustering: names("clustering"),
            others: others
                .map(|column| (column.name.clone(), column.cql_type.clone()))
                .collect(),
        }
    }

    /// The query over one range of tokens, and what each selected column means.
    pub fn query(&self, release: Release) -> (String, Vec<Meaning>) {
        let mut selected = Vec::new();
        let mut meanings = Vec::new();
        let mut select = |term: String, meaning: Meaning| {
            selected.push(term);
            meanings.push(meaning);
        };
        for name in &self.partition_key {
            select(quoted(name), Meaning::PartitionKey);
        }
        for name in &self.clustering {
            select(quoted(name), Meaning::Value);
        }
        for (name, cql_type) in &self.others {
            let name = quoted(name);
            select(name.clone(), Meaning::Value);
            let ttl = match metadata(cql_type, release) {
                Metadata::None => continue,
                Metadata::Cell => Meaning::Ttl,
                Metadata::Elements => Meaning::TtlList,
            };
            select(format!("writetime({name})"), Meaning::Value);
            select(format!("ttl({name})"), ttl);
        }
        let key: Vec<String> = self.partition_key.iter().map(|name| quoted(name)).collect();
        let token = format!("token({})", key.join(", "));
        let query = format!(
            "SELECT {} FROM {}.{} WHERE {token} > ? AND {token} <= ?",
            selected.join(", "),
            quoted(&self.name.keyspace),
            quoted(&self.name.table),
        );
        (query, meanings)
    }
}

/// What CQL tells about the cells of a column beside their values.
#[derive(Debug, PartialEq, Eq)]
enum Metadata {
    None,
    Cell,
    Elements,
}

fn metadata(cql_type: &str, release: Release) -> Metadata {
    if cql_type == "counter" {
        return Metadata::None;
    }
    // A user type that is not frozen stands there by its bare name.
    let is_native = NATIVE_TYPES.contains(&cql_type);
    let is_single = is_native
        || cql_type.starts_with("frozen<")
        || cql_type.starts_with("vector<")
        || cql_type.starts_with('\'');
    match (is_single, release >= Release::C50) {
        (true, _) => Metadata::Cell,
        (false, true) => Metadata::Elements,
        (false, false) => Metadata::None,
    }
}

const NATIVE_TYPES: [&str; 20] = [
    "ascii",
    "bigint",
    "blob",
    "boolean",
    "date",
    "decimal",
    "double",
    "duration",
    "float",
    "inet",
    "int",
    "smallint",
    "text",
    "time",
    "timestamp",
    "timeuuid",
    "tinyint",
    "uuid",
    "varchar",
    "varint",
];

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_cells_that_have_a_time_are_asked_for_one() {
        for release in Release::ALL {
            assert_eq!(metadata("text", release), Metadata::Cell);
            assert_eq!(metadata("frozen<list<int>>", release), Metadata::Cell);
            assert_eq!(metadata("counter", release), Metadata::None);
        }
        assert_eq!(metadata("address", Release::C41), Metadata::None);
        assert_eq!(metadata("map<text, int>", Release::C50), Metadata::Elements);
    }

    #[test]
    fn the_query_keeps_case_and_order() {
        let column = |name: &str, kind: &str, position, cql_type: &str| Column {
            name: name.to_owned(),
            kind: kind.to_owned(),
            position,
            cql_type: cql_type.to_owned(),
        };
        let table = Table::of(
            "Ks",
            "T".to_owned(),
            vec![
                column("v", "regular", -1, "int"),
                column("C", "clustering", 0, "int"),
                column("b", "partition_key", 1, "int"),
                column("a", "partition_key", 0, "int"),
            ],
        );
        let (query, meanings) = table.query(Release::C50);
        assert_eq!(
            query,
            "SELECT \"a\", \"b\", \"C\", \"v\", writetime(\"v\"), ttl(\"v\") FROM \"Ks\".\"T\" \
             WHERE token(\"a\", \"b\") > ? AND token(\"a\", \"b\") <= ?"
        );
        assert_eq!(meanings.len(), 6);
        assert_eq!(meanings[5], Meaning::Ttl);
    }
}
