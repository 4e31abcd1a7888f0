//! What a restore takes back, and the CQL that would bring it forward again.
//!
//! Compare with what the target's release would be told: rewrite the backup for it first, else options that only the
//! source knows look like changes.

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

/// Something that is one way in the backup, and another way live.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed<T> {
    pub name: String,
    pub backup: T,
    pub live: T,
}

/// A key column or field that was renamed since the backup: told by its place and type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rename {
    pub backup: String,
    pub live: String,
}

/// Why no CQL brings a change forward.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Why {
    PrimaryKey,
    ClusteringOrder,
    ColumnType,
    Static,
    CompactStorage,
    GraphLabel,
    FieldType,
    FieldRemoved,
    /// Live it is at a default that is not known here.
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

/// A change that no CQL brings forward: only a table or type made anew has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unforwardable {
    /// For example `shop.orders.amount`.
    pub what: String,
    pub why: Why,
}

/// How later changes are brought forward after a restore.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Forward {
    /// In the order in which they must run.
    pub statements: Vec<String>,
    pub unforwardable: Vec<Unforwardable>,
}

impl Forward {
    fn cannot(&mut self, what: String, why: Why) {
        self.unforwardable.push(Unforwardable { what, why });
    }
}
