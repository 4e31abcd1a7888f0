//! The steps of a backup, and what waits for what.

use std::collections::BTreeSet;

use jiff::Timestamp;
use model::task::{Step, StepState, Task, TaskKind, TaskState};
use model::{BackupRef, TaskId};

use crate::record::{BackupJob, Job, Node, TaskRecord, Work};

pub(super) fn record(id: TaskId, backup: BackupRef, job: BackupJob, now: Timestamp) -> TaskRecord {
    TaskRecord {
        task: Task {
            id,
            kind: TaskKind::Backup,
            state: TaskState::Pending,
            attempt: 1,
            cluster: backup.cluster.clone(),
            backup,
            created_at: now,
            finished_at: None,
            steps: backup_steps(&job.nodes),
            error: String::new(),
            findings: Vec::new(),
        },
        job: Job::Backup(job),
        ending: None,
        past_return: false,
        cleaned: false,
        attempted: BTreeSet::new(),
        first_ended: None,
    }
}

/// Uploads wait for all snapshots, so that the spread of the snapshots is not stretched by the disks' work.
pub(super) fn backup_steps(nodes: &[Node]) -> Vec<Step<Work>> {
    let on_each = |kind: &str| -> Vec<String> {
        nodes
            .iter()
            .map(|node| format!("{kind}-{}", node.address))
            .collect()
    };
    let (snapshots, uploads) = (on_each("snapshot"), on_each("upload"));
    let mut steps = vec![step("begin", "", &[], Work::Begin)];
    for (node, id) in nodes.iter().zip(&snapshots) {
        let agent = node.agent.clone();
        steps.push(step(
            id,
            &node.address,
            &["begin".to_owned()],
            Work::Snapshot { agent },
        ));
    }
    steps.push(step("capture", "", &snapshots, Work::Capture));
    for (node, id) in nodes.iter().zip(&uploads) {
        let agent = node.agent.clone();
        steps.push(step(id, &node.address, &snapshots, Work::Upload { agent }));
    }
    let mut before_commit = uploads;
    before_commit.push("capture".to_owned());
    steps.push(step("commit", "", &before_commit, Work::Commit));
    for (node, id) in nodes.iter().zip(on_each("clear")) {
        let agent = node.agent.clone();
        steps.push(step(
            &id,
            &node.address,
            &["commit".to_owned()],
            Work::Clear { agent },
        ));
    }
    steps
}

pub(crate) fn step(id: &str, node: &str, after: &[String], work: Work) -> Step<Work> {
    Step {
        id: id.to_owned(),
        kind: work.kind().to_owned(),
        node: node.to_owned(),
        after: after.to_vec(),
        work,
        state: StepState::Pending,
        bytes_done: 0,
        bytes_total: 0,
        error: String::new(),
        note: String::new(),
    }
}
