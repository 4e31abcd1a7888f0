//! A table: its columns, keys, options, dropped columns, triggers.

use model::TableId;
use model::cql::quote;

use crate::cql_type::CqlType;
use crate::option::Options;

mod write;

pub(crate) use write::{column_text, key_text, mask_text, order_text};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Order {
    Ascending,
    Descending,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ColumnKind {
    PartitionKey,
    Clustering(Order),
    Static,
    Regular,
}

impl ColumnKind {
    pub fn is_key(self) -> bool {
        matches!(self, Self::PartitionKey | Self::Clustering(_))
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    pub name: String,
    pub of: CqlType,
    pub kind: ColumnKind,
    /// What stands behind `MASKED WITH`.
    pub mask: Option<String>,
}

/// A column that is gone, remembered so that data written before is not read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct DroppedColumn {
    pub name: String,
    pub of: CqlType,
    pub is_static: bool,
    /// Nothing where the statement does not say: then it is the time at which that runs.
    pub dropped_us: Option<i64>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trigger {
    pub name: String,
    pub class: String,
}

/// One end of an edge: a vertex label, and the columns of the edge table that are its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EdgeEnd {
    pub label: String,
    pub partition_key: Vec<String>,
    pub clustering: Vec<String>,
}

/// What a table is to DSE Graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GraphLabel {
    Vertex(Option<String>),
    Edge {
        label: Option<String>,
        from: EdgeEnd,
        to: EdgeEnd,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    pub keyspace: String,
    pub name: String,
    pub id: Option<TableId>,
    /// The partition key and the clustering columns in their order, and all others behind them by name: their order in a
    /// statement means nothing.
    pub columns: Vec<Column>,
    pub options: Options,
    pub dropped: Vec<DroppedColumn>,
    pub compact_storage: bool,
    pub graph: Option<GraphLabel>,
    pub triggers: Vec<Trigger>,
    /// Made by the oldest API: no statement would make it again, and nothing but its name is known.
    pub has_no_cql: bool,
}

impl Table {
    pub fn new(keyspace: &str, name: &str) -> Self {
        Self {
            keyspace: keyspace.to_owned(),
            name: name.to_owned(),
            id: None,
            columns: Vec::new(),
            options: Options::new(),
            dropped: Vec::new(),
            compact_storage: false,
            graph: None,
            triggers: Vec::new(),
            has_no_cql: false,
        }
    }

    pub fn cql_name(&self) -> String {
        format!("{}.{}", quote(&self.keyspace), quote(&self.name))
    }

    /// Puts the columns that are no keys in their place.
    pub(crate) fn arrange(&mut self) {
        let columns = std::mem::take(&mut self.columns);
        let (keys, mut others): (Vec<Column>, Vec<Column>) =
            columns.into_iter().partition(|column| column.kind.is_key());
        others.sort_by(|a, b| a.name.cmp(&b.name));
        self.columns = keys;
        self.columns.append(&mut others);
    }

    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    pub fn partition_key(&self) -> impl Iterator<Item = &Column> {
        self.columns
            .iter()
            .filter(|column| column.kind == ColumnKind::PartitionKey)
    }

    pub fn clustering(&self) -> impl Iterator<Item = &Column> {
        self.columns
            .iter()
            .filter(|column| matches!(column.kind, ColumnKind::Clustering(_)))
    }

    /// The static and regular columns.
    pub fn others(&self) -> impl Iterator<Item = &Column> {
        self.columns.iter().filter(|column| !column.kind.is_key())
    }

    /// All types in it, those of dropped columns too.
    pub fn types(&self) -> impl Iterator<Item = &CqlType> {
        let dropped = self.dropped.iter().map(|column| &column.of);
        self.columns.iter().map(|column| &column.of).chain(dropped)
    }
}
