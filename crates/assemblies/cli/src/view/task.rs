//! Tasks and their steps.

use api::pb::task_runner as pb;
use model::Finding;
use model::plan::StepKind;
use plan::TextTable;
use serde::Serialize;

use super::verify::{self, VerifyView};
use super::{dash, finding, some};
use crate::human;
use crate::screen::Paint;

#[derive(Debug, Clone, Serialize)]
pub struct TaskView {
    pub id: String,
    pub kind: &'static str,
    pub state: &'static str,
    pub attempt: u32,
    pub steps: Vec<TaskStepView>,
    /// 0 to 1.
    pub progress: f64,
    pub eta_seconds: Option<u64>,
    /// The cluster that it works on: of a restore, the target.
    pub cluster: String,
    pub backup: String,
    /// The cluster that the backup is of.
    pub backup_cluster: String,
    pub created_at: Option<String>,
    pub finished_at: Option<String>,
    pub error: Option<String>,
    pub findings: Vec<Finding>,
    /// What a task that verifies a backup has found; only of one that has ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verification: Option<VerifyView>,
    /// What a task that deletes a backup has removed; only of one that has ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deletion: Option<DeletionView>,
}

#[derive(Debug, Clone, Serialize)]
pub struct DeletionView {
    pub deleted_objects: u64,
    pub freed_bytes: u64,
}

#[derive(Debug, Clone, Serialize)]
pub struct TaskStepView {
    pub id: String,
    pub kind: String,
    /// Null for a step of the whole cluster.
    pub node: Option<String>,
    pub state: &'static str,
    pub bytes_done: u64,
    pub bytes_total: u64,
    pub error: Option<String>,
    pub note: Option<String>,
}

pub fn kind(kind: pb::TaskKind) -> &'static str {
    match kind {
        pb::TaskKind::Backup => "backup",
        pb::TaskKind::Restore => "restore",
        pb::TaskKind::Verify => "verify",
        pb::TaskKind::Delete => "delete",
        pb::TaskKind::Accept => "accept",
        pb::TaskKind::Rollback => "rollback",
        pb::TaskKind::Unspecified => "unknown",
    }
}

pub fn state(state: pb::TaskState) -> &'static str {
    match state {
        pb::TaskState::Pending => "pending",
        pb::TaskState::Running => "running",
        pb::TaskState::Succeeded => "succeeded",
        pb::TaskState::Failed => "failed",
        pb::TaskState::Cancelled => "cancelled",
        pb::TaskState::Unspecified => "unknown",
    }
}

pub fn is_final(state: pb::TaskState) -> bool {
    match state {
        pb::TaskState::Succeeded | pb::TaskState::Failed | pb::TaskState::Cancelled => true,
        pb::TaskState::Pending | pb::TaskState::Running | pb::TaskState::Unspecified => false,
    }
}

pub fn step_state(state: pb::StepState) -> &'static str {
    match state {
        pb::StepState::Pending => "pending",
        pb::StepState::Running => "running",
        pb::StepState::Succeeded => "succeeded",
        pb::StepState::Failed => "failed",
        pb::StepState::Cancelled => "cancelled",
        pb::StepState::Unspecified => "unknown",
    }
}

impl From<&pb::Task> for TaskView {
    fn from(task: &pb::Task) -> Self {
        let backup = task.backup.clone().unwrap_or_default();
        Self {
            id: task.id.clone(),
            kind: kind(task.kind()),
            state: state(task.state()),
            attempt: task.attempt,
            steps: task.steps.iter().map(TaskStepView::from).collect(),
            progress: task.progress,
            eta_seconds: (task.eta_seconds > 0).then_some(task.eta_seconds),
            cluster: task.cluster.clone(),
            backup: backup.name,
            backup_cluster: backup.cluster,
            created_at: some(&task.created_at),
            finished_at: some(&task.finished_at),
            error: some(&task.error),
            findings: finding::all_from_wire(&task.findings),
            verification: task.verification.as_ref().map(VerifyView::from),
            deletion: task.deletion.as_ref().map(DeletionView::from),
        }
    }
}

impl From<&pb::Deletion> for DeletionView {
    fn from(deletion: &pb::Deletion) -> Self {
        Self {
            deleted_objects: deletion.deleted_objects,
            freed_bytes: deletion.freed_bytes,
        }
    }
}

impl TaskView {
    fn backup_text(&self) -> String {
        format!("{}/{}", self.backup_cluster, self.backup)
    }
}

impl From<&pb::TaskStep> for TaskStepView {
    fn from(step: &pb::TaskStep) -> Self {
        Self {
            id: step.id.clone(),
            kind: step.kind.clone(),
            node: some(&step.node),
            state: step_state(step.state()),
            bytes_done: step.bytes_done,
            bytes_total: step.bytes_total,
            error: some(&step.error),
            note: some(&step.note),
        }
    }
}

pub fn list_text(tasks: &[TaskView]) -> String {
    let mut table = TextTable::new(&[
        "ID", "KIND", "STATE", ">DONE", "CLUSTER", "BACKUP", "CREATED", "FINISHED",
    ]);
    for task in tasks {
        table.row([
            task.id.clone(),
            task.kind.into(),
            task.state.into(),
            percent(task.progress),
            task.cluster.clone(),
            task.backup_text(),
            human::time(task.created_at.as_deref().unwrap_or_default()),
            human::time(task.finished_at.as_deref().unwrap_or_default()),
        ]);
    }
    table.render()
}

pub fn percent(progress: f64) -> String {
    // Rounded down: 100 % is said only when all is done.
    format!("{:.0} %", (progress.clamp(0.0, 1.0) * 100.0).floor())
}

pub fn text(task: &TaskView, paint: &Paint) -> String {
    let left = match task.eta_seconds {
        Some(seconds) => format!(", {} left", human::seconds(seconds)),
        None => String::new(),
    };
    let mut text = format!(
        "task      {}\nkind      {}\ncluster   {}\nbackup    {}\nstate     {}, {}{left}\nattempt   {}\ncreated   {}\nfinished  {}\n",
        task.id,
        task.kind,
        task.cluster,
        task.backup_text(),
        task.state,
        percent(task.progress),
        task.attempt,
        human::time(task.created_at.as_deref().unwrap_or_default()),
        human::time(task.finished_at.as_deref().unwrap_or_default()),
    );
    if let Some(error) = &task.error {
        text.push_str(&format!("error     {error}\n"));
    }
    if !task.steps.is_empty() {
        text.push('\n');
        text.push_str(&steps_text(&task.steps));
    }
    if !task.findings.is_empty() {
        text.push('\n');
        text.push_str(&finding::text(&task.findings, paint));
    }
    if let Some(report) = &task.verification {
        text.push('\n');
        text.push_str(&verify::text(report, paint));
    }
    if let Some(deletion) = &task.deletion {
        let objects = human::count(deletion.deleted_objects, "object");
        let freed = human::bytes(deletion.freed_bytes);
        text.push_str(&format!("\n{objects} deleted, {freed} freed\n"));
    }
    text
}

/// Barriers do nothing but wait, and say nothing to people.
pub fn is_barrier(kind: &str) -> bool {
    kind == StepKind::Barrier.as_str()
}

fn steps_text(steps: &[TaskStepView]) -> String {
    let mut table = TextTable::new(&["STEP", "NODE", "STATE", ">DONE", ">OF", "NOTE"]);
    for step in steps.iter().filter(|step| !is_barrier(&step.kind)) {
        let size = |bytes| match step.bytes_total {
            0 => "-".to_owned(),
            _ => human::bytes(bytes),
        };
        table.row([
            step.id.clone(),
            dash(step.node.as_deref()),
            step.state.into(),
            size(step.bytes_done),
            size(step.bytes_total),
            step.error
                .clone()
                .or_else(|| step.note.clone())
                .unwrap_or_default(),
        ]);
    }
    table.render()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn barriers_are_left_out_of_the_steps_that_people_read() {
        let step = |kind: &str| TaskStepView {
            id: format!("{kind}-n1"),
            kind: kind.to_owned(),
            node: None,
            state: "succeeded",
            bytes_done: 0,
            bytes_total: 0,
            error: None,
            note: None,
        };
        let text = steps_text(&[step("load"), step("barrier"), step("views")]);
        let ids: Vec<&str> = text
            .lines()
            .filter_map(|line| line.split_whitespace().next())
            .collect();
        assert_eq!(ids, ["STEP", "load-n1", "views-n1"]);
    }
}
