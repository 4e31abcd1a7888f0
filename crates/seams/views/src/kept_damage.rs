//! Damage that was taken into a backup knowingly.

use model::manifest::KeptDamage;
use serde::Serialize;

/// One place where a file was damaged on its node already.
#[derive(Debug, Clone, Serialize)]
pub struct KeptDamageView {
    /// As Cassandra stores the name.
    pub keyspace: String,
    /// Followed by a dot and the secondary index, if it is the hidden table of one.
    pub table: String,
    /// What the names of its components share, for example `nb-12-big`.
    pub sstable: String,
    /// For example `Data.db`.
    pub component: String,
    /// In the component, in bytes; null if the component as a whole is wrong.
    pub offset: Option<u64>,
    /// What was expected and what was found.
    pub what: String,
}

impl From<&KeptDamage> for KeptDamageView {
    fn from(damage: &KeptDamage) -> Self {
        Self {
            keyspace: damage.keyspace.clone(),
            table: match &damage.index {
                None => damage.table.clone(),
                Some(index) => format!("{}.{index}", damage.table),
            },
            sstable: damage.sstable.clone(),
            component: damage.component.clone(),
            offset: damage.offset,
            what: damage.what.clone(),
        }
    }
}
