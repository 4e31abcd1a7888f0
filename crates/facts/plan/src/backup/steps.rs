//! The steps of a backup, and of the tasks on a backup that exists.

use model::plan::{PlanStep, PlannedNode, StepKind};

use crate::steps::Steps;

/// Uploads wait for all snapshots, so that the disks' work does not stretch the time between the first snapshot and the
/// last.
pub fn backup_steps(nodes: &[PlannedNode]) -> Vec<PlanStep> {
    let addresses: Vec<&str> = nodes.iter().map(|node| node.address.as_str()).collect();
    let mut steps = Steps::default();
    let begun = steps.once(StepKind::Begin, &[]);
    let snapshots = steps.on_each(&addresses, StepKind::Snapshot, &begun);
    // Uploads do not wait for the capture, nor the capture for them: both start from the snapshots' barrier.
    let taken = steps.barrier(&snapshots);
    let captured = steps.once(StepKind::Capture, &taken);
    let uploads = steps.on_each(&addresses, StepKind::Upload, &taken);
    let committed = steps.once(StepKind::Commit, &[captured, uploads].concat());
    steps.on_each(&addresses, StepKind::Clear, &committed);
    steps.into_vec()
}

/// The steps of a task that verifies a backup.
pub fn verify_steps() -> Vec<PlanStep> {
    single(StepKind::Verify)
}

/// The steps of a task that deletes a backup.
pub fn delete_steps() -> Vec<PlanStep> {
    single(StepKind::Delete)
}

/// The steps of a task that applies the retention policies of a cluster.
pub fn retention_steps() -> Vec<PlanStep> {
    single(StepKind::Retain)
}

/// The steps of a task that collects garbage.
pub fn collection_steps() -> Vec<PlanStep> {
    single(StepKind::Collect)
}

fn single(kind: StepKind) -> Vec<PlanStep> {
    let mut steps = Steps::default();
    steps.once(kind, &[]);
    steps.into_vec()
}

#[cfg(test)]
mod tests;
