//! The tables and views of the user keyspaces, as the node's schema has them now.

use std::collections::BTreeSet;

use model::selection::is_user_keyspace;
use model::{Selection, TableId, TableRef};
use serde::{Deserialize, Serialize};

use crate::cql::{Cql, CqlError, Row, RowError};
use crate::error::{ErrorKind, NodeError};
use crate::schema::keyspace_names;

const TABLES: &str = "SELECT keyspace_name, table_name, id, compaction FROM system_schema.tables";
const VIEWS: &str =
    "SELECT keyspace_name, view_name, id, base_table_name, compaction FROM system_schema.views";

/// A table or materialized view.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    /// Its name.
    pub table: TableRef,
    /// Its id in the schema.
    pub id: TableId,
    /// For a materialized view its base table's name.
    pub view_of: Option<String>,
    /// The compaction strategy's class.
    pub compaction_class: String,
    /// Whether its schema enables automatic compaction.
    pub autocompaction: bool,
}

/// A selection names what the node does not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SelectionError {
    /// What there is cannot be read.
    #[error(transparent)]
    Cql(#[from] CqlError),
    /// A keyspace that does not exist.
    #[error("the node has no keyspace `{0}`")]
    Keyspace(String),
    /// A table that does not exist.
    #[error("the node has no table `{0}`")]
    Table(TableRef),
}

impl NodeError for SelectionError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Cql(error) => error.kind(),
            Self::Keyspace(_) | Self::Table(_) => ErrorKind::NotFound,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Cql(error) => error.reason(),
            Self::Keyspace(_) | Self::Table(_) => "TABLE_NOT_FOUND",
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Cql(error) => error.hint(),
            Self::Keyspace(_) | Self::Table(_) => Some(
                "keyspaces and tables are case-sensitive here, and written without quotes"
                    .to_owned(),
            ),
        }
    }
}

/// All tables and views of the user keyspaces, by name.
pub async fn list(cql: &dyn Cql) -> Result<Vec<Table>, CqlError> {
    let mut tables = list_all(cql).await?;
    tables.retain(|table| is_user_keyspace(&table.table.keyspace));
    Ok(tables)
}

/// All tables and views, those of the product's own keyspaces included, by name. Virtual tables are none of them.
pub async fn list_all(cql: &dyn Cql) -> Result<Vec<Table>, CqlError> {
    let mut tables = Vec::new();
    for (statement, name) in [(TABLES, "table_name"), (VIEWS, "view_name")] {
        for row in cql.query(statement).await? {
            let table = read(&row, name).map_err(|source| CqlError::Row {
                statement: statement.to_owned(),
                source,
            })?;
            tables.push(table);
        }
    }
    tables.sort_by(|a: &Table, b| a.table.cmp(&b.table));
    Ok(tables)
}

fn read(row: &Row, name: &str) -> Result<Table, RowError> {
    let mut compaction = row.map("compaction")?;
    Ok(Table {
        table: TableRef::new(row.text("keyspace_name")?, row.text(name)?),
        id: row.parsed("id", "a table id")?,
        view_of: row.optional_text("base_table_name").map(str::to_owned),
        compaction_class: compaction.remove("class").unwrap_or_default(),
        autocompaction: compaction
            .get("enabled")
            .is_none_or(|enabled| enabled != "false"),
    })
}

/// The selected ones; all that are selected by name must exist, and a keyspace may have no tables.
pub async fn select(cql: &dyn Cql, selection: &Selection) -> Result<Vec<Table>, SelectionError> {
    let tables = list(cql).await?;
    pick(cql, tables, selection).await
}

/// The same among all tables, those of the product's own keyspaces included.
pub async fn select_all(
    cql: &dyn Cql,
    selection: &Selection,
) -> Result<Vec<Table>, SelectionError> {
    let tables = list_all(cql).await?;
    pick(cql, tables, selection).await
}

async fn pick(
    cql: &dyn Cql,
    tables: Vec<Table>,
    selection: &Selection,
) -> Result<Vec<Table>, SelectionError> {
    let filled: BTreeSet<&str> = tables.iter().map(|t| t.table.keyspace.as_str()).collect();
    let mut empty = selection
        .keyspaces
        .iter()
        .filter(|keyspace| !filled.contains(keyspace.as_str()));
    if let Some(first) = empty.next() {
        let known = keyspace_names(cql).await?;
        let mut wanted = std::iter::once(first).chain(empty);
        if let Some(missing) = wanted.find(|keyspace| !known.contains(keyspace)) {
            return Err(SelectionError::Keyspace(missing.clone()));
        }
    }
    for wanted in &selection.tables {
        if !tables.iter().any(|table| table.table == *wanted) {
            return Err(SelectionError::Table(wanted.clone()));
        }
    }
    Ok(tables
        .into_iter()
        .filter(|table| selection.contains(&table.table.keyspace, &table.table.table))
        .collect())
}
