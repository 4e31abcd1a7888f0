//! A task as the runner keeps it: the task that everybody sees, and what the runner needs to go on with it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use model::manifest::BackupKind;
use model::task::{Step, StepState, Task, TaskKind};
use model::{BackupName, Finding, Selection};
use plan::codes::Code;
use serde::{Deserialize, Serialize};

/// What is kept under the task's key. What is large and never changes is kept apart, in an [`crate::order::Order`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct TaskRecord {
    pub task: Task<Work>,
    pub job: Job,
    /// Set once the task is on its way to an end other than success.
    #[serde(default)]
    pub ending: Option<Ending>,
    /// Whether a step was started after which there is no way back, only forward.
    #[serde(default)]
    pub past_return: bool,
    /// Whether an ended restore has left nothing behind: no staging, no pin.
    #[serde(default)]
    pub cleaned: bool,
    /// Steps that were ever started, by id. A resume sets steps back to pending, and what they did stays to be undone.
    #[serde(default)]
    pub attempted: BTreeSet<String>,
    /// When a restore that was resumed had ended for the first time.
    #[serde(default)]
    pub first_ended: Option<Timestamp>,
}

/// What a step does. Tables and CQL are in the task's order, because many steps share them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub(crate) enum Work {
    /// Does nothing: other steps wait for it.
    Barrier,
    // Of a backup.
    Begin,
    Snapshot {
        agent: String,
    },
    Capture,
    Upload {
        agent: String,
    },
    Commit,
    Clear {
        agent: String,
    },
    // Of a restore.
    Pin,
    Stage {
        agent: String,
        sources: Vec<String>,
    },
    /// Compares the cluster with the plan, last of all before something is changed.
    Check,
    /// Makes what is missing, and replaces nothing.
    #[serde(rename = "create")]
    Schema,
    /// Drops and empties. The schema step of tasks from before there were two did both.
    #[serde(alias = "schema")]
    Replace,
    Load {
        agent: String,
    },
    Stop {
        agent: String,
    },
    Swap {
        agent: String,
    },
    Start {
        agent: String,
    },
    UpgradeSstables {
        agent: String,
    },
    /// On one agent, or on all where none is named.
    Views {
        agent: Option<String>,
    },
    Finish {
        agent: String,
    },
    Unpin,
}

impl Work {
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Barrier => "barrier",
            Self::Begin => "begin",
            Self::Snapshot { .. } => "snapshot",
            Self::Capture => "capture",
            Self::Upload { .. } => "upload",
            Self::Commit => "commit",
            Self::Clear { .. } => "clear",
            Self::Pin => "pin",
            Self::Stage { .. } => "stage",
            Self::Check => "check",
            Self::Schema => "schema",
            Self::Replace => "replace",
            Self::Load { .. } => "load",
            Self::Stop { .. } => "stop",
            Self::Swap { .. } => "swap",
            Self::Start { .. } => "start",
            Self::UpgradeSstables { .. } => "upgradesstables",
            Self::Views { .. } => "views",
            Self::Finish { .. } => "finish",
            Self::Unpin => "unpin",
        }
    }

    /// Whether the limit on steps that move data counts it.
    pub fn moves_data(&self) -> bool {
        matches!(
            self,
            Self::Upload { .. }
                | Self::Stage { .. }
                | Self::Load { .. }
                | Self::UpgradeSstables { .. }
        )
    }

    /// Whether there is no way back once it has started.
    pub fn is_past_return(&self) -> bool {
        matches!(
            self,
            Self::Commit
                | Self::Replace
                | Self::Load { .. }
                | Self::Swap { .. }
                | Self::Start { .. }
        )
    }

    /// Steps that only tidy up: that one of them failed takes nothing from what the task has done.
    pub fn is_best_effort(&self) -> bool {
        matches!(self, Self::Clear { .. } | Self::Finish { .. } | Self::Unpin)
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "job", rename_all = "snake_case")]
pub(crate) enum Job {
    Backup(BackupJob),
    Restore(RestoreJob),
}

impl Job {
    pub fn nodes(&self) -> &[Node] {
        match self {
            Self::Backup(job) => &job.nodes,
            Self::Restore(job) => &job.nodes,
        }
    }
}

/// A node that the task works on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Node {
    /// As the ring knows it.
    pub address: String,
    /// Its agent, host:port.
    pub agent: String,
    pub host_id: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct BackupJob {
    pub kind: BackupKind,
    /// The base that was asked for, and once begun the one that was pinned.
    pub base: Option<BackupName>,
    pub selection: Selection,
    pub nodes: Vec<Node>,
    /// Fingerprint of the ring that the backup was planned for.
    pub ring: String,
    /// The schema version that the backup was planned for.
    pub schema_version: String,
    /// When each node's snapshot was taken, by address.
    #[serde(default)]
    pub taken_at: BTreeMap<String, Timestamp>,
    /// Takes damaged SSTables as they are.
    #[serde(default)]
    pub keep_damaged: bool,
}

impl BackupJob {
    /// Time between the first and the last snapshot.
    pub fn snapshot_spread_ms(&self) -> u64 {
        let first = self.taken_at.values().min();
        let last = self.taken_at.values().max();
        match (first, last) {
            (Some(first), Some(last)) => {
                u64::try_from(last.as_millisecond() - first.as_millisecond()).unwrap_or(0)
            }
            _ => 0,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct RestoreJob {
    pub nodes: Vec<Node>,
    /// Fingerprint of the ring that the plan was made for.
    pub target_ring: String,
    pub target_schema_version: String,
    /// Findings of the plan to be told once the restore is done.
    pub closing: Vec<Finding>,
}

/// Where a task is going that will not succeed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Ending {
    pub outcome: Outcome,
    pub reason: String,
    /// Whether what the task made has to be undone on the way.
    pub clean: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Outcome {
    Failed,
    Cancelled,
}

/// What a step found out that later steps need.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Output {
    Nothing,
    Begun { base: Option<BackupName> },
    Taken { node: String, at: Timestamp },
    Captured { findings: Vec<Finding> },
}

impl TaskRecord {
    pub fn is_restore(&self) -> bool {
        self.task.kind == TaskKind::Restore
    }

    /// The tag of this task's snapshots; folder names allow less than backup names do.
    pub fn snapshot_tag(&self) -> String {
        format!("ringkeep-{}", self.task.id)
    }

    /// Whether the step of this kind may have reached the other side, on any node.
    pub fn was_attempted(&self, is_it: impl Fn(&Work) -> bool) -> bool {
        self.attempted(is_it).next().is_some()
    }

    /// The steps of this kind that may have reached the other side.
    pub fn attempted(&self, is_it: impl Fn(&Work) -> bool) -> impl Iterator<Item = &Step<Work>> {
        self.task.steps.iter().filter(move |step| {
            let started = step.state != StepState::Pending || self.attempted.contains(&step.id);
            is_it(&step.work) && started
        })
    }

    /// Whether a failed restore still has staging and a pin, for a resume to go on from.
    pub fn holds_on(&self) -> bool {
        self.is_restore() && !self.cleaned && self.was_attempted(|work| *work == Work::Pin)
    }

    pub fn apply(&mut self, output: Output) {
        match (output, &mut self.job) {
            (Output::Begun { base }, Job::Backup(job)) => job.base = base,
            (Output::Taken { node, at }, Job::Backup(job)) => {
                job.taken_at.insert(node, at);
            }
            (Output::Captured { findings }, Job::Backup(_)) => self.task.findings.extend(findings),
            (Output::Nothing, _) => {}
            (output, Job::Restore(_)) => debug_assert!(false, "{output:?} in a restore"),
        }
    }
}

/// A finding of the runner itself: nothing is lost, somebody has something left to do.
pub(crate) fn left_to_do(code: Code, subject: &str, message: String, hint: String) -> Finding {
    Finding {
        code: code.name.to_owned(),
        severity: code.severity,
        when: code.when,
        subject: subject.to_owned(),
        message,
        hint,
    }
}

#[cfg(test)]
mod tests {
    use plan::codes;

    use super::*;

    #[test]
    fn a_record_is_read_as_it_was_written() {
        let node = Node {
            address: "n1".into(),
            agent: "n1:7401".into(),
            host_id: "h1".into(),
        };
        let jobs = [
            Job::Backup(BackupJob {
                kind: BackupKind::Differential,
                base: Some("full".parse().expect("a name")),
                selection: Selection::default(),
                nodes: vec![node.clone()],
                ring: "r".into(),
                schema_version: "s".into(),
                taken_at: [("n1".to_owned(), Timestamp::UNIX_EPOCH)].into(),
                keep_damaged: true,
            }),
            Job::Restore(RestoreJob {
                nodes: vec![node],
                target_ring: "r".into(),
                target_schema_version: "s".into(),
                closing: vec![left_to_do(
                    codes::SNAPSHOT_NOT_CLEARED,
                    "n1",
                    "m".into(),
                    "h".into(),
                )],
            }),
        ];
        for job in jobs {
            let text = serde_json::to_string(&job).expect("JSON");
            assert_eq!(serde_json::from_str::<Job>(&text).expect("a job"), job);
        }
    }

    #[test]
    fn the_schema_step_of_an_older_task_may_have_emptied_tables() {
        let work = |text: &str| serde_json::from_str::<Work>(text).expect("work");
        assert_eq!(work(r#"{"do":"schema"}"#), Work::Replace);
        for kept in [Work::Schema, Work::Replace] {
            let text = serde_json::to_string(&kept).expect("JSON");
            assert_eq!(work(&text), kept, "{text}");
        }
    }

    #[test]
    fn the_spread_is_between_the_first_and_the_last_snapshot() {
        let at = |ms| Timestamp::from_millisecond(ms).expect("a time");
        let mut job = BackupJob {
            kind: BackupKind::Full,
            base: None,
            selection: Selection::default(),
            nodes: Vec::new(),
            ring: String::new(),
            schema_version: String::new(),
            taken_at: BTreeMap::new(),
            keep_damaged: false,
        };
        assert_eq!(job.snapshot_spread_ms(), 0);
        job.taken_at = [("b", 1_500), ("a", 1_000), ("c", 1_200)]
            .map(|(node, ms)| (node.to_owned(), at(ms)))
            .into();
        assert_eq!(job.snapshot_spread_ms(), 500);
    }
}
