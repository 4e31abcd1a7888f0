//! Tables of DSE's tiered storage, whose SSTables may lie in folders that cassandra.yaml does not name.

use std::collections::BTreeSet;

use model::{Selection, TableRef};

use crate::cluster::Cluster;
use crate::findings::Findings;
use crate::{codes, wording};

const STRATEGY: &str = "TieredCompactionStrategy";

pub(super) fn check(cluster: &Cluster, wanted: &Selection, findings: &mut Findings) {
    let tables = cluster.nodes.iter().flat_map(|node| &node.tables);
    let tiered: BTreeSet<&TableRef> = tables
        .filter(|table| table.compaction_class.rsplit('.').next() == Some(STRATEGY))
        .map(|table| &table.table)
        .filter(|table| wanted.contains(&table.keyspace, &table.table))
        .collect();
    if tiered.is_empty() {
        return;
    }
    let names = wording::list(&tiered);
    findings.say(
        codes::TIERED_STORAGE,
        &names,
        format!(
            "{names} {} tiered storage: agents know the folders of cassandra.yaml, not the tiers of dse.yaml, and the backup fails if a snapshot names an SSTable that is in none of them",
            if tiered.len() == 1 { "has" } else { "have" }
        ),
        "compare the paths of `tiered_storage_options` in dse.yaml with data_file_directories; tiered storage was not tried, because no DSE was at hand",
    );
}
