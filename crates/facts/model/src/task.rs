//! Tasks: durable work in steps, and the one table of how a task moves from state to state.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{BackupRef, ClusterName, Finding, TaskId};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TaskKind {
    Backup,
    Restore,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TaskState {
    Pending,
    Running,
    Paused,
    Succeeded,
    Failed,
    Cancelled,
}

impl TaskState {
    /// Whether nothing more happens unless somebody asks for it.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled)
    }
}

/// What can happen to a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TaskEvent {
    /// A runner takes it up, for the first time or after a restart.
    Start,
    /// All steps succeeded.
    Finish,
    /// A step failed for good.
    Fail,
    /// Somebody asked to stop it.
    Cancel,
    /// Somebody asked to go on.
    Resume,
}

/// A move that makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a task that is {state:?} cannot {event:?}")]
pub struct IllegalMove {
    pub state: TaskState,
    pub event: TaskEvent,
}

/// The state after an event; live runs and recovery both move by this table.
pub fn next_state(state: TaskState, event: TaskEvent) -> Result<TaskState, IllegalMove> {
    use TaskEvent as E;
    use TaskState as S;
    match (state, event) {
        (S::Pending | S::Running | S::Paused, E::Start) => Ok(S::Running),
        (S::Running, E::Finish) => Ok(S::Succeeded),
        (S::Pending | S::Running | S::Paused, E::Fail) => Ok(S::Failed),
        (S::Pending | S::Running | S::Paused, E::Cancel) => Ok(S::Cancelled),
        (S::Failed | S::Cancelled | S::Paused, E::Resume) => Ok(S::Pending),
        (state, event) => Err(IllegalMove { state, event }),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StepState {
    Pending,
    Running,
    Succeeded,
    Failed,
    Cancelled,
}

/// One step. It runs when all steps in `after` have succeeded, and is safe to run again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step<Work> {
    pub id: String,
    pub kind: String,
    /// The node's address; empty for a step of the whole cluster.
    pub node: String,
    pub after: Vec<String>,
    pub work: Work,
    pub state: StepState,
    pub bytes_done: u64,
    pub bytes_total: u64,
    /// The last error; a running step that has one is being tried again.
    #[serde(default)]
    pub error: String,
    /// What it is doing now, for people.
    #[serde(default)]
    pub note: String,
}

/// A task as it is kept. `Work` is what the runner needs to run a step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Task<Work> {
    pub id: TaskId,
    pub kind: TaskKind,
    pub state: TaskState,
    /// Counts runs: 1, and one more for each resume.
    pub attempt: u32,
    pub cluster: ClusterName,
    pub backup: BackupRef,
    pub created_at: Timestamp,
    pub finished_at: Option<Timestamp>,
    pub steps: Vec<Step<Work>>,
    #[serde(default)]
    pub error: String,
    #[serde(default)]
    pub findings: Vec<Finding>,
}

impl<Work> Task<Work> {
    /// 0 to 1: by bytes where all steps with bytes know their totals, weighted with the steps that have none.
    pub fn progress(&self) -> f64 {
        if self.steps.is_empty() {
            return if self.state == TaskState::Succeeded {
                1.0
            } else {
                0.0
            };
        }
        let done: f64 = self.steps.iter().map(Step::progress).sum();
        done / self.steps.len() as f64
    }

    /// Steps that are pending and whose predecessors have all succeeded.
    pub fn ready(&self) -> impl Iterator<Item = usize> + '_ {
        let succeeded = |id: &String| {
            self.steps
                .iter()
                .any(|step| step.id == *id && step.state == StepState::Succeeded)
        };
        self.steps
            .iter()
            .enumerate()
            .filter(move |(_, step)| {
                step.state == StepState::Pending && step.after.iter().all(succeeded)
            })
            .map(|(at, _)| at)
    }
}

impl<Work> Step<Work> {
    fn progress(&self) -> f64 {
        match self.state {
            StepState::Succeeded => 1.0,
            _ if self.bytes_total > 0 => {
                (self.bytes_done as f64 / self.bytes_total as f64).clamp(0.0, 1.0)
            }
            _ => 0.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_final_task_moves_only_when_resumed() {
        for state in [
            TaskState::Succeeded,
            TaskState::Failed,
            TaskState::Cancelled,
        ] {
            for event in [
                TaskEvent::Start,
                TaskEvent::Finish,
                TaskEvent::Fail,
                TaskEvent::Cancel,
            ] {
                assert!(next_state(state, event).is_err(), "{state:?} {event:?}");
            }
        }
        assert_eq!(
            next_state(TaskState::Failed, TaskEvent::Resume),
            Ok(TaskState::Pending)
        );
        assert!(next_state(TaskState::Succeeded, TaskEvent::Resume).is_err());
    }

    #[test]
    fn a_task_found_running_after_a_crash_is_started_again() {
        assert_eq!(
            next_state(TaskState::Running, TaskEvent::Start),
            Ok(TaskState::Running)
        );
    }
}
