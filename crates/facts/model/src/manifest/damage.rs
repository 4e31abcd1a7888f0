//! Damage that was taken into a backup knowingly.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

/// One place where a file was damaged on its node already when it was backed up.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct KeptDamage {
    pub keyspace: String,
    pub table: String,
    /// The secondary index whose hidden table it is, without the leading dot; absent for the table itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<String>,
    /// What the names of its components share, for example `nb-12-big`.
    pub sstable: String,
    /// For example `Data.db`.
    pub component: String,
    /// In the component, in bytes; absent if the component as a whole is wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset: Option<u64>,
    /// What was expected and what was found.
    pub what: String,
}

impl KeptDamage {
    /// The name of the file that is damaged.
    pub fn file_name(&self) -> String {
        format!("{}-{}", self.sstable, self.component)
    }

    /// The table, or the index of it.
    pub fn place(&self) -> String {
        match &self.index {
            Some(index) => format!("{}.{}.{index}", self.keyspace, self.table),
            None => format!("{}.{}", self.keyspace, self.table),
        }
    }
}

impl fmt::Display for KeptDamage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.offset {
            Some(offset) => write!(f, "{} at byte {offset}: {}", self.component, self.what),
            None => write!(f, "{}: {}", self.component, self.what),
        }
    }
}

/// How many SSTables are damaged.
pub fn damaged_sstables(damaged: &[KeptDamage]) -> u64 {
    let sstables: BTreeSet<_> = damaged
        .iter()
        .map(|damage| {
            let table = (&damage.keyspace, &damage.table, &damage.index);
            (table, &damage.sstable)
        })
        .collect();
    sstables.len() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_sstable_counts_once_however_much_of_it_is_damaged() {
        let damage = |index: Option<&str>, sstable: &str, offset| KeptDamage {
            keyspace: "ks".to_owned(),
            table: "t".to_owned(),
            index: index.map(str::to_owned),
            sstable: sstable.to_owned(),
            component: "Data.db".to_owned(),
            offset: Some(offset),
            what: "it is".to_owned(),
        };
        let damaged = [
            damage(None, "nb-1-big", 0),
            damage(None, "nb-1-big", 9),
            damage(None, "nb-2-big", 0),
            damage(Some("by_day"), "nb-1-big", 0),
        ];
        assert_eq!(damaged_sstables(&damaged), 3);
        assert_eq!(damaged_sstables(&[]), 0);
    }
}
