//! What a restore in place keeps of what it replaces.

use std::collections::BTreeSet;

use model::TableId;
use model::plan::RestoreMode;

use crate::findings::Findings;
use crate::restore::sstables::Restored;
use crate::{codes, wording};

pub(crate) fn check(restored: &Restored, findings: &mut Findings) {
    let given = restored.given;
    if given.inputs.mode != RestoreMode::InPlace {
        return;
    }
    let decided = restored.outcome.decided.iter();
    let replaced: BTreeSet<TableId> = decided.map(|table| table.plan.target_id).collect();
    let nodes = given.inputs.cluster.nodes.iter();
    let tables = nodes.flat_map(|node| &node.tables);
    let kept = tables.filter(|table| replaced.contains(&table.id));
    let bytes = kept.map(|table| table.live_bytes).sum();
    findings.say(
        codes::OLD_FILES_KEPT,
        given.request.target.as_str(),
        format!(
            "the files that are replaced stay on the nodes, {} now",
            wording::bytes(bytes)
        ),
        "once the restore has proved right, free their space with `ringkeep restore accept TASK`; take it back with `ringkeep restore rollback TASK`",
    );
}
