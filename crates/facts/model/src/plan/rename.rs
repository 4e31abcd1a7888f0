//! What of a backup is restored under another name.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::TableRef;

/// A keyspace or a table of a backup, and the name that it gets on the target. Names are as Cassandra stores them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rename {
    /// All that is restored of a keyspace, but for tables that have a rename of their own.
    Keyspace { from: String, to: String },
    /// One table, without its views.
    Table { from: TableRef, to: TableRef },
}

impl Rename {
    /// The keyspace on the target.
    pub fn to_keyspace(&self) -> &str {
        match self {
            Self::Keyspace { to, .. } => to,
            Self::Table { to, .. } => &to.keyspace,
        }
    }
}

/// As it is written on the command line.
impl fmt::Display for Rename {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Keyspace { from, to } => write!(f, "{from}={to}"),
            Self::Table { from, to } => write!(f, "{from}={to}"),
        }
    }
}
