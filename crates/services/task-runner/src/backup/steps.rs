//! The steps of a planned backup as work of this runner.

use std::collections::BTreeSet;

use api::pb::planner::{PlanBackupResponse, PlanStep, PlannedNode};
use jiff::Timestamp;
use model::task::{Step, StepState, Task, TaskKind, TaskState};
use model::{BackupRef, TaskId};

use crate::error::RunnerError;
use crate::graph;
use crate::record::{BackupJob, Job, TaskRecord, Work};

pub(super) fn record(
    id: TaskId,
    backup: BackupRef,
    job: BackupJob,
    steps: Vec<Step<Work>>,
    now: Timestamp,
) -> TaskRecord {
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
            steps,
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

/// The plan's steps as work of this runner. A plan leaves nothing to be added.
pub(super) fn backup_steps(plan: &PlanBackupResponse) -> Result<Vec<Step<Work>>, RunnerError> {
    let mut steps = Vec::with_capacity(plan.steps.len());
    for planned in &plan.steps {
        let work = work(planned, &plan.nodes)?;
        steps.push(step(&planned.id, &planned.node, &planned.after, work));
    }
    // The call that creates a backup runs the first step itself.
    if steps.first().is_none_or(|first| first.work != Work::Begin) {
        let why = "the steps of a backup do not start with `begin`";
        return Err(RunnerError::PlanNotUnderstood(why.to_owned()));
    }
    graph::check(&steps).map_err(RunnerError::PlanNotUnderstood)?;
    Ok(steps)
}

fn work(planned: &PlanStep, nodes: &[PlannedNode]) -> Result<Work, RunnerError> {
    let known = || {
        let node = nodes.iter().find(|node| node.address == planned.node);
        node.map(|node| node.agent.clone()).ok_or_else(|| {
            RunnerError::PlanNotUnderstood(format!(
                "step `{}` is for node `{}`, of which the plan knows no agent",
                planned.id, planned.node
            ))
        })
    };
    Ok(match planned.kind.as_str() {
        "begin" => Work::Begin,
        "snapshot" => Work::Snapshot { agent: known()? },
        "capture" => Work::Capture,
        "upload" => Work::Upload { agent: known()? },
        "commit" => Work::Commit,
        "clear" => Work::Clear { agent: known()? },
        "barrier" => Work::Barrier,
        kind => {
            return Err(RunnerError::PlanNotUnderstood(format!(
                "step `{}` is of the unknown kind `{kind}`",
                planned.id
            )));
        }
    })
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
