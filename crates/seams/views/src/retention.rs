//! What a retention policy does with the backups of a cluster.

use model::task::TaskState;
use model::{BackupSummary, TaskId};
use retention::{PastRun, Policy, PolicyState, Ruled, ShownVerdict, Verdict};
use serde::Serialize;

use crate::backup_list::BackupSummaryView;
use crate::{UNKNOWN, time};

/// What a policy would keep and what would go.
#[derive(Debug, Clone, Serialize)]
pub struct RetentionPreviewView {
    /// The cluster.
    pub cluster: String,
    /// The policy that was asked about.
    pub policy: Policy,
    /// Every backup of the cluster, in the order of `backup list`.
    pub backups: Vec<RetainedView>,
    /// Names of those that would go, in the order in which they would.
    pub go: Vec<String>,
    /// What these have added to the bucket.
    pub freed_bytes: u64,
}

/// A backup and its verdict.
#[derive(Debug, Clone, Serialize)]
pub struct RetainedView {
    /// Its figures, as in lists.
    #[serde(flatten)]
    pub summary: BackupSummaryView,
    /// `keep` or `go`.
    pub verdict: &'static str,
    /// Every reason for it.
    pub reasons: Vec<String>,
}

impl RetentionPreviewView {
    /// Of these backups, in the order in which they were decided.
    pub fn new(
        cluster: &str,
        policy: Policy,
        backups: &[BackupSummary],
        ruled: &[Ruled],
        going: &[&Ruled],
    ) -> Self {
        let goes = |summary: &&BackupSummary| {
            let mut going = going.iter();
            going.any(|ruled| ruled.name == summary.backup.name)
        };
        let freed = backups.iter().filter(goes);
        Self {
            cluster: cluster.to_owned(),
            policy,
            freed_bytes: freed.map(|summary| summary.uploaded_bytes).sum(),
            backups: backups
                .iter()
                .zip(ruled)
                .map(|(summary, ruled)| RetainedView::new(summary, &ruled.verdict))
                .collect(),
            go: going.iter().map(|ruled| ruled.name.to_string()).collect(),
        }
    }
}

impl RetainedView {
    fn new(summary: &BackupSummary, verdict: &Verdict) -> Self {
        let (word, reasons) = match verdict {
            Verdict::Keep(reasons) => ("keep", reasons.iter().map(ToString::to_string).collect()),
            Verdict::Go(reason) => ("go", vec![reason.to_string()]),
        };
        Self {
            summary: summary.into(),
            verdict: word,
            reasons,
        }
    }
}

/// A policy as it is kept.
#[derive(Debug, Clone, Serialize)]
pub struct PolicyStateView {
    /// The cluster.
    pub cluster: String,
    /// The schedule whose backups it is about; null: all backups of the cluster that no policy of a schedule is about.
    pub schedule: Option<String>,
    /// Which backups are kept.
    pub policy: Policy,
    /// RFC 3339.
    pub changed_at: String,
}

impl From<&PolicyState> for PolicyStateView {
    fn from(state: &PolicyState) -> Self {
        Self {
            cluster: state.cluster.to_string(),
            schedule: state.schedule.as_ref().map(ToString::to_string),
            policy: state.policy.clone(),
            changed_at: state.changed_at.to_string(),
        }
    }
}

/// The policies of a cluster, and what came of them.
#[derive(Debug, Clone, Serialize)]
pub struct RetentionView {
    /// The cluster.
    pub cluster: String,
    /// That of the cluster first.
    pub policies: Vec<PolicyStateView>,
    /// The last runs, newest first.
    pub runs: Vec<RetentionRunView>,
}

impl RetentionView {
    /// Of a cluster.
    pub fn new(cluster: &str, states: &[PolicyState], runs: &[PastRun]) -> Self {
        Self {
            cluster: cluster.to_owned(),
            policies: states.iter().map(PolicyStateView::from).collect(),
            runs: runs.iter().map(RetentionRunView::from).collect(),
        }
    }
}

/// A task that applies or has applied the policies of a cluster.
#[derive(Debug, Clone, Serialize)]
pub struct RetentionRunView {
    /// The task.
    pub task_id: String,
    /// `pending`, `running`, `succeeded`, `failed`, `cancelled`, or `unknown` if the task was forgotten.
    pub state: &'static str,
    /// RFC 3339.
    pub started_at: String,
    /// RFC 3339; null if it has not come to its end.
    pub finished_at: Option<String>,
    /// The schedule whose backup it follows; null if people have started it.
    pub after: Option<String>,
    /// Backups that it has deleted.
    pub deleted_backups: u64,
    /// What that has freed.
    pub freed_bytes: u64,
    /// Deletions that were refused.
    pub refused_backups: u64,
}

impl From<&PastRun> for RetentionRunView {
    fn from(run: &PastRun) -> Self {
        Self {
            task_id: run.task.to_string(),
            state: run.state.map_or(UNKNOWN, TaskState::as_str),
            started_at: run.started_at.to_string(),
            finished_at: time(run.finished_at),
            after: run.after.as_ref().map(ToString::to_string),
            deleted_backups: run.deleted,
            freed_bytes: run.freed_bytes,
            refused_backups: run.refused,
        }
    }
}

/// What the policies of a cluster would do now.
#[derive(Debug, Clone, Serialize)]
pub struct RetentionDryRunView {
    /// The cluster.
    pub cluster: String,
    /// Every backup, newest first.
    pub backups: Vec<RetentionVerdictView>,
    /// What those that would go have added to the bucket.
    pub freed_bytes: u64,
}

/// What the policies say of a backup.
#[derive(Debug, Clone, Serialize)]
pub struct RetentionVerdictView {
    /// The backup.
    pub name: String,
    /// The schedule whose policy it is; null: that of the cluster, or none.
    pub schedule: Option<String>,
    /// `keep` or `go`.
    pub verdict: &'static str,
    /// Every reason for it.
    pub reasons: Vec<String>,
    /// What it has added to the bucket.
    pub uploaded_bytes: u64,
}

impl RetentionDryRunView {
    /// Of a cluster.
    pub fn new(cluster: &str, verdicts: &[ShownVerdict]) -> Self {
        let going = verdicts.iter().filter(|verdict| verdict.goes);
        Self {
            cluster: cluster.to_owned(),
            freed_bytes: going.map(|verdict| verdict.uploaded_bytes).sum(),
            backups: verdicts.iter().map(RetentionVerdictView::from).collect(),
        }
    }
}

impl From<&ShownVerdict> for RetentionVerdictView {
    fn from(verdict: &ShownVerdict) -> Self {
        Self {
            name: verdict.backup.to_string(),
            schedule: verdict.schedule.as_ref().map(ToString::to_string),
            verdict: if verdict.goes { "go" } else { "keep" },
            reasons: verdict.reasons.clone(),
            uploaded_bytes: verdict.uploaded_bytes,
        }
    }
}

/// A run of retention that was started.
#[derive(Debug, Clone, Serialize)]
pub struct RetentionStartedView {
    /// The cluster.
    pub cluster: String,
    /// The task that applies its policies.
    pub task_id: String,
}

impl RetentionStartedView {
    /// Of a cluster.
    pub fn new(cluster: &str, task: TaskId) -> Self {
        Self {
            cluster: cluster.to_owned(),
            task_id: task.to_string(),
        }
    }
}
