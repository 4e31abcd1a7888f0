//! Damage that was taken into a backup knowingly.

use views::backup::NodeView;

use crate::human;

pub fn damaged_text(sstables: u64) -> String {
    format!(
        "{} damaged at the source",
        human::count(sstables, "SSTable")
    )
}

/// What was damaged on the nodes already, as far as the backup manifest has it.
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
