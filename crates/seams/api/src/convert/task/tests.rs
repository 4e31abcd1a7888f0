//! Tasks between wire and model.

use model::TaskId;
use model::task::{
    Paused, Priority, RetentionEntry, RetentionOutcome, RetentionReport, ShownWaiting, StepLimits,
    TransferLimits, Waiting,
};

use super::*;

fn a_task() -> Task {
    let at = "2026-01-02T03:04:05.678Z".parse().expect("a time");
    Task {
        id: TaskId(uuid::Uuid::from_u128(7)),
        kind: TaskKind::Restore,
        state: TaskState::Failed,
        attempt: 2,
        cluster: "into".parse().expect("a name"),
        backup: Some(BackupRef {
            cluster: "from".parse().expect("a name"),
            name: "nightly".parse().expect("a name"),
        }),
        created_at: at,
        finished_at: Some(at),
        steps: vec![Step {
            id: "stage-10.0.0.1".into(),
            kind: "stage".into(),
            node: "10.0.0.1".into(),
            state: StepState::Failed,
            bytes_done: 5,
            bytes_total: 10,
            error: "the disk is full".into(),
            note: "ks.t".into(),
            limits: Some(StepLimits {
                asked: limits(5 << 20),
                in_force: Some(limits(2 << 20)),
                error: "as if".into(),
            }),
        }],
        error: "step `stage-10.0.0.1` failed".into(),
        findings: Vec::new(),
        verification: None,
        deletion: Some(Deletion {
            objects: 3,
            bytes: 9,
            versions_remain: true,
        }),
        retention: Some(RetentionReport {
            entries: vec![RetentionEntry {
                backup: "b".parse().expect("a name"),
                schedule: "nightly".into(),
                why: "no rule keeps it".into(),
                outcome: RetentionOutcome::Refused,
                detail: "it is pinned".into(),
                objects: 0,
                bytes: 0,
            }],
            kept: 2,
        }),
        collection: None,
        maintenance: vec!["cleanup --jobs 2".into()],
        priority: Priority::High,
        waiting: Some(Waiting {
            since: at,
            task: Some(TaskId(uuid::Uuid::from_u128(8))),
            kind: Some(TaskKind::Backup),
            why: "it is its turn".into(),
        }),
        paused: Some(Paused {
            since: at,
            why: "for the night".into(),
            gave_up: true,
            keeps_cluster: true,
        }),
        limits: Some(limits(5 << 20)),
    }
}

fn limits(bandwidth_bytes_per_second: u64) -> TransferLimits {
    TransferLimits {
        bandwidth_bytes_per_second,
        parallel_files: 2,
    }
}

/// What is shown of [`a_task`].
fn shown() -> ShownTask {
    let task = a_task();
    let step = task.steps[0].clone();
    ShownTask {
        id: task.id,
        kind: Some(TaskKind::Restore),
        state: Some(TaskState::Failed),
        attempt: 2,
        cluster: task.cluster,
        backup: task.backup,
        created_at: Some(task.created_at),
        finished_at: task.finished_at,
        progress: 0.5,
        eta_seconds: Some(3),
        steps: vec![ShownTaskStep {
            id: step.id,
            kind: step.kind,
            node: step.node,
            state: Some(StepState::Failed),
            bytes_done: 5,
            bytes_total: 10,
            error: step.error,
            note: step.note,
            limits: step.limits,
        }],
        error: task.error,
        findings: Vec::new(),
        verification: None,
        deletion: task.deletion,
        retention: task.retention,
        collection: None,
        maintenance: task.maintenance,
        priority: Some(Priority::High),
        waiting: Some(ShownWaiting {
            since: Some(task.created_at),
            task: Some(TaskId(uuid::Uuid::from_u128(8))),
            kind: Some(TaskKind::Backup),
            why: "it is its turn".into(),
        }),
        paused: task.paused,
        limits: task.limits,
    }
}

#[test]
fn a_task_survives_the_wire() {
    let wire = to_wire(&a_task(), Some(3));
    assert_eq!(wire.eta_seconds, 3);
    assert_eq!(ShownTask::try_from(wire), Ok(shown()));
}

#[test]
fn a_running_task_has_no_end() {
    let mut task = a_task();
    task.finished_at = None;
    let wire = to_wire(&task, None);
    assert_eq!((wire.finished_at.as_str(), wire.eta_seconds), ("", 0));
    let without = ShownTask {
        finished_at: None,
        eta_seconds: None,
        ..shown()
    };
    assert_eq!(ShownTask::try_from(wire), Ok(without));
}

#[test]
fn a_state_that_is_not_set_is_refused() {
    let wire = pb::Task {
        state: 0,
        ..to_wire(&a_task(), None)
    };
    assert!(ShownTask::try_from(wire).is_err());
}

#[test]
fn words_of_a_newer_runner_are_none() {
    const NEWER: i32 = 99;
    let mut wire = to_wire(&a_task(), None);
    (wire.kind, wire.state, wire.steps[0].state) = (NEWER, NEWER, NEWER);
    wire.verification = Some(VerifyReport {
        backup: wire.backup.clone(),
        level: NEWER,
        ..VerifyReport::default()
    });
    let task = ShownTask::try_from(wire).expect("a task");
    assert_eq!(
        (task.kind, task.state, task.steps[0].state),
        (None, None, None)
    );
    assert_eq!(task.verification.expect("a report").level, None);
    let unknown = ShownTask {
        state: None,
        ..shown()
    };
    assert!(!unknown.is_final());
}
