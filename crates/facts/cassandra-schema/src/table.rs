//! Tables: columns, keys, options, dropped columns and triggers.

use model::TableId;
use model::cql::quote;

use crate::cql_type::CqlType;
use crate::option::Options;

mod write;

pub(crate) use write::{column_text, key_text, mask_text, order_text};

/// The order of a clustering column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Order {
    /// `ASC`, the default.
    Ascending,
    /// `DESC`.
    Descending,
}

/// What a column is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ColumnKind {
    /// Part of the partition key.
    PartitionKey,
    /// A clustering column.
    Clustering(Order),
    /// One value for the whole partition.
    Static,
    /// A value of each row.
    Regular,
}

impl ColumnKind {
    /// Whether it is part of the primary key.
    pub fn is_key(self) -> bool {
        matches!(self, Self::PartitionKey | Self::Clustering(_))
    }
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name, without quotes.
    pub name: String,
    /// Its type.
    pub of: CqlType,
    /// What it is for.
    pub kind: ColumnKind,
    /// The mask behind `MASKED WITH`, as it was written.
    pub mask: Option<String>,
}

/// A column that was dropped, recorded so that data written before is not read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct DroppedColumn {
    /// Its name, without quotes.
    pub name: String,
    /// Its type when it was dropped.
    pub of: CqlType,
    /// Whether it was static.
    pub is_static: bool,
    /// When it was dropped, in microseconds since 1970; `None` if the statement does not say, which means the time at
    /// which it runs.
    pub dropped_us: Option<i64>,
}

/// A trigger of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trigger {
    /// Its name.
    pub name: String,
    /// The Java class that it runs.
    pub class: String,
}

/// One end of an edge in DSE Graph: a vertex label, and the columns of the edge table that are its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EdgeEnd {
    /// The vertex label.
    pub label: String,
    /// The columns that are the vertex's partition key.
    pub partition_key: Vec<String>,
    /// The columns that are the vertex's clustering key.
    pub clustering: Vec<String>,
}

/// The role of a table in a DSE Graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GraphLabel {
    /// `VERTEX LABEL`; `None` takes the table's name.
    Vertex(Option<String>),
    /// `EDGE LABEL`.
    Edge {
        /// The label; `None` takes the table's name.
        label: Option<String>,
        /// The vertex that the edge leaves.
        from: EdgeEnd,
        /// The vertex that the edge reaches.
        to: EdgeEnd,
    },
}

/// A table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Its keyspace.
    pub keyspace: String,
    /// Its name, without quotes.
    pub name: String,
    /// Its id, by which its folder is named; `None` if unknown.
    pub id: Option<TableId>,
    /// The partition key and the clustering columns in their order, then all others sorted by name, because their
    /// order in a statement means nothing.
    pub columns: Vec<Column>,
    /// Its options, without the id.
    pub options: Options,
    /// Columns that were dropped.
    pub dropped: Vec<DroppedColumn>,
    /// `COMPACT STORAGE`.
    pub compact_storage: bool,
    /// Its role in a DSE Graph.
    pub graph: Option<GraphLabel>,
    /// Its triggers.
    pub triggers: Vec<Trigger>,
    /// Whether it was created through the Thrift API in a form that no statement can create; then only its name is
    /// known.
    pub has_no_cql: bool,
}

impl Table {
    /// A table without columns or options.
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

    /// `keyspace.name`, quoted if necessary.
    pub fn cql_name(&self) -> String {
        format!("{}.{}", quote(&self.keyspace), quote(&self.name))
    }

    /// Sorts the columns that are not part of the key.
    pub(crate) fn arrange(&mut self) {
        let columns = std::mem::take(&mut self.columns);
        let (keys, mut others): (Vec<Column>, Vec<Column>) =
            columns.into_iter().partition(|column| column.kind.is_key());
        others.sort_by(|a, b| a.name.cmp(&b.name));
        self.columns = keys;
        self.columns.append(&mut others);
    }

    /// The column of this name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// The columns of the partition key, in their order.
    pub fn partition_key(&self) -> impl Iterator<Item = &Column> {
        self.columns
            .iter()
            .filter(|column| column.kind == ColumnKind::PartitionKey)
    }

    /// The clustering columns, in their order.
    pub fn clustering(&self) -> impl Iterator<Item = &Column> {
        self.columns
            .iter()
            .filter(|column| matches!(column.kind, ColumnKind::Clustering(_)))
    }

    /// The static and regular columns.
    pub fn others(&self) -> impl Iterator<Item = &Column> {
        self.columns.iter().filter(|column| !column.kind.is_key())
    }

    /// All types in it, including those of dropped columns.
    pub fn types(&self) -> impl Iterator<Item = &CqlType> {
        let dropped = self.dropped.iter().map(|column| &column.of);
        self.columns.iter().map(|column| &column.of).chain(dropped)
    }
}
