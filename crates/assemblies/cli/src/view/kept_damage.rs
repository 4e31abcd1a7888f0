//! Damage that was taken into a backup knowingly.

use api::pb::storage_catalog as pb;
use serde::Serialize;

use super::backup::NodeView;
use crate::human;

/// One place where a file was damaged on its node already.
#[derive(Debug, Clone, Serialize)]
pub struct KeptDamageView {
    pub keyspace: String,
    /// With the secondary index whose hidden table it is behind a dot.
    pub table: String,
    pub sstable: String,
    pub component: String,
    /// In the component, in bytes; null where the component as a whole is wrong.
    pub offset: Option<u64>,
    pub what: String,
}

impl From<&pb::KeptDamage> for KeptDamageView {
    fn from(damage: &pb::KeptDamage) -> Self {
        let table = damage.table.clone().unwrap_or_default();
        Self {
            keyspace: table.keyspace,
            table: match damage.index.as_str() {
                "" => table.table,
                index => format!("{}.{index}", table.table),
            },
            sstable: damage.sstable.clone(),
            component: damage.component.clone(),
            offset: damage.offset,
            what: damage.what.clone(),
        }
    }
}

pub fn damaged_text(sstables: u64) -> String {
    format!(
        "{} damaged at the source",
        human::count(sstables, "SSTable")
    )
}

/// What was damaged on the nodes already, as far as the backup manifest tells it.
pub fn kept_text(nodes: &[NodeView]) -> String {
    let mut text = String::new();
    for node in nodes {
        if node.damaged_sstables == 0 {
            continue;
        }
        let damaged = damaged_text(node.damaged_sstables);
        text.push_str(&format!("\n{}: {damaged}\n", node.node));
        for damage in &node.damaged {
            let place = match damage.offset {
                Some(offset) => format!("{} at byte {offset}", damage.component),
                None => damage.component.clone(),
            };
            text.push_str(&format!(
                "    {}.{} {} {place}: {}\n",
                damage.keyspace, damage.table, damage.sstable, damage.what
            ));
        }
    }
    text
}
