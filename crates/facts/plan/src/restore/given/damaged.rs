//! SSTables of the backup that were damaged on their nodes already.

use std::collections::BTreeSet;

use model::manifest::KeptDamage;

use crate::codes;
use crate::findings::Findings;
use crate::restore::given::Given;

/// How many damaged SSTables the finding names.
const NAMED_MAX: usize = 3;

pub(crate) fn check(given: &Given, findings: &mut Findings) {
    let (backup, selected) = (given.backup, &given.selected);
    let nodes = backup.nodes.iter().filter(|node| node.damaged_sstables > 0);
    let mut named: BTreeSet<(String, &str, String)> = BTreeSet::new();
    let mut tables: BTreeSet<String> = BTreeSet::new();
    // The backup manifest does not tell all damage of a node that has much of it.
    let mut untold = 0;
    for node in nodes {
        let sstables: BTreeSet<_> = node.damaged.iter().map(sstable).collect();
        untold += node.damaged_sstables.saturating_sub(sstables.len() as u64);
        let address = backup
            .member(&node.host_id)
            .map_or_else(|| node.host_id.to_string(), |member| member.address.clone());
        let restored = node
            .damaged
            .iter()
            .filter(|damage| selected.has(&damage.keyspace, &damage.table));
        for damage in restored {
            let (place, sstable) = sstable(damage);
            named.insert((place, sstable, address.clone()));
            tables.insert(format!("{}.{}", damage.keyspace, damage.table));
        }
    }
    let count = named.len() as u64 + untold;
    if count == 0 {
        return;
    }
    let first: Vec<String> = named
        .iter()
        .take(NAMED_MAX)
        .map(|(place, sstable, node)| format!("{sstable} of {place} on {node}"))
        .collect();
    let first = match (first.is_empty(), count.saturating_sub(first.len() as u64)) {
        (true, _) => String::new(),
        (false, 0) => format!(": {}", first.join(", ")),
        (false, more) => format!(": {}, and {more} more", first.join(", ")),
    };
    let were = match count {
        1 => "1 SSTable was".to_owned(),
        count => format!("{count} SSTables were"),
    };
    let tables: Vec<String> = tables.into_iter().collect();
    let scrub = if tables.is_empty() {
        "the restored tables".to_owned()
    } else {
        tables.join(", ")
    };
    findings.say(
        codes::BACKUP_DAMAGED,
        &backup.backup,
        format!("{were} damaged on the node when the backup was made, and kept on demand{first}"),
        format!("restore from another backup if you can; else run `nodetool scrub` on {scrub} and a full repair after the restore"),
    );
}

fn sstable(damage: &KeptDamage) -> (String, &str) {
    (damage.place(), damage.sstable.as_str())
}
