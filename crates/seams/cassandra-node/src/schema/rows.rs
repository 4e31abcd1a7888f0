//! The rows of the schema tables from which the tables of one keyspace are written.

use std::collections::BTreeMap;

use cassandra_versions::Release;
use model::SchemaEntry;

use super::graph::Labels;
use super::{odd, rows_of, select_keyspace, table};
use crate::cql::{Cql, CqlError, Row};

/// The rows of one keyspace from which its tables are written.
pub(super) struct SchemaTables<'a> {
    keyspace: &'a str,
    release: &'a Release,
    pub tables: Vec<Row>,
    columns: BTreeMap<String, Vec<Row>>,
    dropped: BTreeMap<String, Vec<Row>>,
    triggers: BTreeMap<String, Vec<Row>>,
    labels: Labels,
}

impl<'a> SchemaTables<'a> {
    pub async fn read(
        cql: &dyn Cql,
        keyspace: &'a str,
        release: &'a Release,
    ) -> Result<Self, CqlError> {
        Ok(Self {
            keyspace,
            release,
            tables: rows_of(cql, "tables", keyspace).await?,
            columns: by_table(rows_of(cql, "columns", keyspace).await?),
            dropped: by_table(rows_of(cql, "dropped_columns", keyspace).await?),
            triggers: by_table(rows_of(cql, "triggers", keyspace).await?),
            labels: Labels::default(),
        })
    }

    /// Reads the labels of a keyspace of DSE Graph. Edges come after the vertices that they join.
    pub async fn read_labels(&mut self, cql: &dyn Cql) -> Result<(), CqlError> {
        self.labels = Labels::read(cql, self.keyspace).await?;
        let name = |row: &Row| {
            row.optional_text("table_name")
                .unwrap_or_default()
                .to_owned()
        };
        self.tables
            .sort_by_key(|row| self.labels.is_edge(&name(row)));
        Ok(())
    }

    /// The columns of a table or view; none if there is no such table.
    pub fn columns_of(&self, table: &str) -> &[Row] {
        self.columns.get(table).map_or(&[], Vec::as_slice)
    }

    /// The entry of one of the tables.
    pub fn table(&self, row: &Row) -> Result<SchemaEntry, CqlError> {
        let name = row.optional_text("table_name").unwrap_or_default();
        let parts = table::Parts {
            columns: self.columns_of(name),
            dropped: self.dropped.get(name).map_or(&[], Vec::as_slice),
            triggers: self.triggers.get(name).map_or(&[], Vec::as_slice),
            label: self.labels.of(name)?,
        };
        let made = table::table(self.keyspace, row, &parts, self.release);
        made.map_err(odd(&select_keyspace("tables", self.keyspace)))
    }
}

fn by_table(rows: Vec<Row>) -> BTreeMap<String, Vec<Row>> {
    let mut tables: BTreeMap<String, Vec<Row>> = BTreeMap::new();
    for row in rows {
        let table = row
            .optional_text("table_name")
            .unwrap_or_default()
            .to_owned();
        tables.entry(table).or_default().push(row);
    }
    tables
}
