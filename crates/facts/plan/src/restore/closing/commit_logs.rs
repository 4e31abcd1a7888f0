//! Nodes that take positions in other nodes' commit logs for positions in their own.

use model::plan::RestoreMode;

use crate::findings::Findings;
use crate::restore::sstables::Restored;
use crate::{codes, wording};

pub(crate) fn check(restored: &Restored, findings: &mut Findings) {
    let inputs = restored.given.inputs;
    // In place the nodes begin another commit log when they start.
    if inputs.mode == RestoreMode::InPlace {
        return;
    }
    let moves = &restored.assignment.moves;
    let takers = moves.takers(&inputs.cluster, inputs.rings.as_ref());
    let harmed = takers.iter().filter(|taker| {
        let own = taker.target.member.host_id;
        let has_foreign = taker.sources.iter().any(|source| *source != own);
        has_foreign && taker.target.release.trusts_foreign_commit_log_positions()
    });
    let harmed: Vec<&str> = harmed
        .map(|taker| taker.target.member.address.as_str())
        .collect();
    if harmed.is_empty() {
        return;
    }
    let nodes = wording::list(harmed);
    findings.say(
        codes::COMMIT_LOG_POSITIONS,
        &nodes,
        format!(
            "SSTables of other nodes name positions in the commit logs of those, and {nodes} would take them for positions in their own: after a crash, writes to the restored tables could be left out of the replay"
        ),
        "once the restore is done, on one node after the other: `nodetool drain`, then restart Cassandra; or upgrade to 3.11.11 or later first",
    );
}
