//! The order of a backup's steps is the same for any number of nodes.

use model::HostId;
use uuid::Uuid;

use super::*;
use crate::steps::order;

fn steps(count: usize) -> Vec<PlanStep> {
    let nodes = order::addresses(count)
        .into_iter()
        .map(|address| PlannedNode {
            host_id: HostId(Uuid::nil()),
            agent: format!("{address}:7401"),
            address,
        });
    backup_steps(&nodes.collect::<Vec<_>>())
}

#[test]
fn nothing_is_uploaded_before_every_node_has_its_snapshot() {
    for count in 1..=3 {
        order::check(
            &steps(count),
            &[
                "begin <",
                "snapshot < begin",
                "capture < begin snapshot",
                "upload < begin snapshot",
                "commit < begin snapshot capture upload",
                "clear < begin snapshot capture upload commit",
            ],
        );
    }
}

#[test]
fn the_steps_of_a_backup_grow_with_its_nodes() {
    order::check_length(&steps(1_500));
}

#[test]
fn a_task_on_a_backup_is_one_step() {
    for (steps, kind) in [
        (verify_steps(), StepKind::Verify),
        (delete_steps(), StepKind::Delete),
        (retention_steps(), StepKind::Retain),
        (collection_steps(), StepKind::Collect),
    ] {
        let [step] = steps.as_slice() else {
            panic!("{steps:?}")
        };
        assert_eq!((step.kind, step.id.as_str()), (kind, kind.as_str()));
        assert!(step.node.is_empty() && step.after.is_empty());
    }
}
