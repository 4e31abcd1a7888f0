//! A cluster that was registered again, with what is there of it.

use model::leftover::FoundLeftovers;
use model::{BackupState, BackupSummary, Cluster, CollectionPlan};
use serde::Serialize;

use crate::collection::StalePinView;
use crate::leftovers::LeftoversView;

/// What was found of a cluster whose registration was lost.
#[derive(Debug, Clone, Serialize)]
pub struct AdoptedView {
    /// Its name here and in the bucket.
    pub name: String,
    /// host:port of each agent.
    pub agents: Vec<String>,
    /// Backups that can be restored.
    pub complete_backups: u64,
    /// The newest of them; null if there is none.
    pub newest_backup: Option<String>,
    /// Backups that are recorded as running, with their tasks if these are known.
    pub running_backups: Vec<RunningBackupView>,
    /// Pins of tasks that the task-runner does not know.
    pub unknown_pins: Vec<StalePinView>,
    /// What tasks have left on the nodes.
    pub leftovers: LeftoversView,
    /// The `cluster_name` of the nodes of the newest backup, if it is not that of the nodes now; else null.
    pub other_cluster_name: Option<OtherNameView>,
}

/// A backup that is recorded as running.
#[derive(Debug, Clone, Serialize)]
pub struct RunningBackupView {
    /// Its name.
    pub name: String,
    /// Null if the catalog does not know it.
    pub task_id: Option<String>,
}

/// Two clusters of Cassandra under one name.
#[derive(Debug, Clone, Serialize)]
pub struct OtherNameView {
    /// That of the backup.
    pub backup: String,
    /// That of the nodes.
    pub nodes: String,
}

impl AdoptedView {
    /// `backups`: newest first.
    pub fn new(
        cluster: &Cluster,
        backups: &[BackupSummary],
        garbage: &CollectionPlan,
        leftovers: FoundLeftovers,
    ) -> Self {
        let of = |state| {
            let all = backups.iter();
            all.filter(move |backup| backup.state == Some(state))
        };
        let running = of(BackupState::Running).map(|backup| RunningBackupView {
            name: backup.backup.name.to_string(),
            task_id: backup.task.map(|task| task.to_string()),
        });
        let newest = of(BackupState::Complete).next();
        Self {
            name: cluster.name.to_string(),
            agents: cluster.agents.clone(),
            complete_backups: of(BackupState::Complete).count() as u64,
            newest_backup: newest.map(|backup| backup.backup.name.to_string()),
            running_backups: running.collect(),
            unknown_pins: garbage.unknown_pins.iter().map(Into::into).collect(),
            leftovers: leftovers.into(),
            other_cluster_name: None,
        }
    }

    /// Notes if the nodes of the newest backup and those of today belong to clusters of two names.
    pub fn compare_names(&mut self, backup: &str, nodes: Option<&str>) {
        if let Some(nodes) = nodes.filter(|nodes| *nodes != backup) {
            self.other_cluster_name = Some(OtherNameView {
                backup: backup.to_owned(),
                nodes: nodes.to_owned(),
            });
        }
    }
}
