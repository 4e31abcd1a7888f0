//! What a restore takes back, and the CQL that brings it forward again.
//!
//! [`rewrite`](crate::rewrite()) the backup for the target's release first, else options that only the source has
//! look like changes.

mod columns;
mod keys;
mod options;
mod schema;
mod table;
mod user_type;

pub use schema::{SchemaDiff, diff_schema};
pub use table::{TableDiff, diff};
pub use user_type::{TypeDiff, diff_type};

use std::fmt;

/// Something that differs between the backup and the live schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed<T> {
    /// The column, option, index or other part that differs.
    pub name: String,
    /// Its state in the backup.
    pub backup: T,
    /// Its state in the live schema.
    pub live: T,
}

/// A key column or field that was renamed since the backup, recognized by its position and type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rename {
    /// The name in the backup.
    pub backup: String,
    /// The live name.
    pub live: String,
}

/// Why no CQL brings a change forward.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Why {
    /// The columns of the primary key changed.
    PrimaryKey,
    /// The clustering order changed.
    ClusteringOrder,
    /// The type of a column changed.
    ColumnType,
    /// A column became static or regular.
    Static,
    /// The table has COMPACT STORAGE live.
    CompactStorage,
    /// The DSE Graph label changed.
    GraphLabel,
    /// The type of a field changed.
    FieldType,
    /// A field of the backup is missing live.
    FieldRemoved,
    /// The live value is a default that is not known here.
    NoDefault,
    /// One of the two has no CQL at all.
    NoCql,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PrimaryKey => "a primary key cannot be altered",
            Self::ClusteringOrder => "a clustering order cannot be altered",
            Self::ColumnType => "the type of a column cannot be altered",
            Self::Static => "a column stays static or regular",
            Self::CompactStorage => "a table cannot be altered to COMPACT STORAGE",
            Self::GraphLabel => "graph labels are not altered here",
            Self::FieldType => "the type of a field cannot be altered",
            Self::FieldRemoved => "a field cannot be removed from a type",
            Self::NoDefault => "it was taken back to a default that is not known",
            Self::NoCql => "it has no CQL",
        })
    }
}

/// A change that no CQL brings forward: the table or type would have to be recreated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unforwardable {
    /// For example `shop.orders.amount`.
    pub what: String,
    /// Why no CQL brings it forward.
    pub why: Why,
}

/// How later changes are brought forward after a restore.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Forward {
    /// In the order in which they must run.
    pub statements: Vec<String>,
    /// Changes that no statement brings forward.
    pub unforwardable: Vec<Unforwardable>,
}

impl Forward {
    fn cannot(&mut self, what: String, why: Why) {
        self.unforwardable.push(Unforwardable { what, why });
    }
}
