//! Policies as they are kept, and runs that applied them.

use jiff::Timestamp;
use model::task::TaskState;
use model::{BackupName, ClusterName, TaskId};
use schedule::ScheduleName;
use serde::{Deserialize, Serialize};

use crate::{Policies, Policy, Ruled, Verdict};

/// The policy of a cluster or of one of its schedules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyState {
    /// The cluster.
    pub cluster: ClusterName,
    /// The schedule whose backups it is about; none: those of the cluster that no policy of a schedule is about.
    pub schedule: Option<ScheduleName>,
    /// Which backups are kept.
    pub policy: Policy,
    /// When it was set.
    pub changed_at: Timestamp,
}

/// A task that applies or has applied the policies of a cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PastRun {
    /// The task.
    pub task: TaskId,
    /// When it was created.
    pub started_at: Timestamp,
    /// When it had nothing more to do; none if it has not come to that.
    pub finished_at: Option<Timestamp>,
    /// The schedule whose backup it follows; none if people have started it.
    pub after: Option<ScheduleName>,
    /// Backups that it has deleted.
    pub deleted: u64,
    /// What that has freed in the store.
    pub freed_bytes: u64,
    /// Deletions that were refused.
    pub refused: u64,
    /// What the task is at; none if it is no longer known.
    #[serde(skip)]
    pub state: Option<TaskState>,
}

/// A verdict as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownVerdict {
    /// The backup.
    pub backup: BackupName,
    /// Whether it goes.
    pub goes: bool,
    /// Every reason for it, for people.
    pub reasons: Vec<String>,
    /// What it has added to the bucket.
    pub uploaded_bytes: u64,
    /// The schedule whose policy it is; none: that of the cluster, or none at all.
    pub schedule: Option<ScheduleName>,
}

impl ShownVerdict {
    /// What the policies say of a backup that has added so many bytes to the bucket.
    pub fn new(ruled: &Ruled, uploaded_bytes: u64) -> Self {
        let (goes, reasons) = match &ruled.verdict {
            Verdict::Go(why) => (true, vec![why.to_string()]),
            Verdict::Keep(reasons) => (false, reasons.iter().map(ToString::to_string).collect()),
        };
        Self {
            backup: ruled.name.clone(),
            goes,
            reasons,
            uploaded_bytes,
            schedule: ruled.schedule.clone(),
        }
    }
}

impl FromIterator<PolicyState> for Policies {
    /// Those of one cluster.
    fn from_iter<I: IntoIterator<Item = PolicyState>>(states: I) -> Self {
        let mut policies = Self::default();
        for state in states {
            match state.schedule {
                None => policies.cluster = Some(state.policy),
                Some(schedule) => {
                    policies.schedules.insert(schedule, state.policy);
                }
            }
        }
        policies
    }
}
