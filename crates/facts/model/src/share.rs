//! What a target node takes from a source node.

use serde::{Deserialize, Serialize};

use crate::{HostId, TableId, TableRef};

/// A range of the ring as text, `(left, right]`; tokens as Cassandra writes them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RangeText {
    pub left: String,
    pub right: String,
}

/// The ranges of some keyspaces that a node takes from one source node. Keyspaces have their names on the target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceShare {
    pub source: HostId,
    pub keyspaces: Vec<String>,
    /// Empty: all that the source has of these keyspaces.
    pub ranges: Vec<RangeText>,
    /// The node takes the place of this source, and `ranges` are what it owns: only partitions outside them are left out,
    /// and an SSTable that cannot be cut is taken whole. Without ranges none is cut, and what the node owns is not known.
    #[serde(default, skip_serializing_if = "is_false")]
    pub trims: bool,
}

fn is_false(value: &bool) -> bool {
    !value
}

impl SourceShare {
    /// Whether it covers this keyspace of this source.
    pub fn is_of(&self, source: &HostId, keyspace: &str) -> bool {
        self.source == *source && self.keyspaces.iter().any(|name| name == keyspace)
    }
}

/// A table of a backup and the table that it becomes on the target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableTarget {
    /// On the target.
    pub table: TableRef,
    /// Its name in the backup, if it gets another one.
    pub source: Option<TableRef>,
    /// The id in the backup.
    pub source_id: TableId,
    /// The id on the target.
    pub target_id: TableId,
}
