//! Requests to an agent.

use jiff::Timestamp;
use model::leftover::LeftoverKind;
use model::manifest::BackupKind;
use model::plan::{RestoreMode, TrialTable};
use model::{
    BackupName, BackupRef, HostId, MaintenanceJob, Selection, SourceShare, TableTarget, TaskId,
};

use crate::convert::all_into;
use crate::pb::node_agent as pb;
use crate::pb::types as types_pb;

/// Which part of a snapshot is uploaded, and into which backup.
#[derive(Debug, Clone, PartialEq)]
pub struct UploadSnapshot {
    pub tag: String,
    pub backup: BackupRef,
    pub kind: BackupKind,
    pub base: Option<BackupName>,
    /// For a full backup: the one whose unchanged files are copied inside the store.
    pub copy_from: Option<BackupName>,
    pub selection: Selection,
    pub taken_at: Timestamp,
    /// Uploads damaged SSTables as they are.
    pub keep_damaged: bool,
}

/// What a node stages of a backup.
#[derive(Debug, Clone, PartialEq)]
pub struct StageRestore {
    pub restore: TaskId,
    pub host: HostId,
    pub backup: BackupRef,
    /// The source nodes, each with the hex BLAKE3 of its node manifest: what is staged is what was planned.
    pub sources: Vec<(HostId, String)>,
    pub tables: Vec<TableTarget>,
    pub taking: Taking,
    /// How what is staged goes live.
    pub mode: RestoreMode,
}

/// What a node takes of its sources.
#[derive(Debug, Clone, PartialEq)]
pub enum Taking {
    Everything,
    /// Never empty.
    Shares(Vec<SourceShare>),
}

/// The trial of a restore on one node.
#[derive(Debug, Clone, PartialEq)]
pub struct TryLoad {
    pub restore: TaskId,
    pub host: HostId,
    pub tables: Vec<TrialTable>,
}

/// A restore on one node.
#[derive(Debug, Clone, PartialEq)]
pub struct RestoreOnNode {
    pub restore: TaskId,
    pub host: HostId,
    pub tables: Vec<TableTarget>,
}

/// A maintenance command on one node.
#[derive(Debug, Clone, PartialEq)]
pub struct RunMaintenance {
    pub task: TaskId,
    /// Unique in the task.
    pub step: String,
    pub host: HostId,
    pub job: MaintenanceJob,
}

impl From<RunMaintenance> for pb::RunMaintenanceRequest {
    fn from(run: RunMaintenance) -> Self {
        Self {
            host_id: run.host.to_string(),
            task_id: run.task.to_string(),
            step: run.step,
            job: Some(run.job.into()),
        }
    }
}

impl From<UploadSnapshot> for pb::UploadSnapshotRequest {
    fn from(upload: UploadSnapshot) -> Self {
        Self {
            tag: upload.tag,
            backup: Some(upload.backup.into()),
            kind: types_pb::BackupKind::from(upload.kind) as i32,
            base: upload.base.map(String::from).unwrap_or_default(),
            selection: Some(upload.selection.into()),
            snapshot_taken_at: upload.taken_at.to_string(),
            keep_damaged: upload.keep_damaged,
            copy_from: upload.copy_from.map(String::from).unwrap_or_default(),
        }
    }
}

impl From<StageRestore> for pb::StageRestoreRequest {
    fn from(stage: StageRestore) -> Self {
        let sources = stage.sources.iter();
        let manifests = sources.clone().map(|(host, blake3)| pb::SourceManifest {
            host_id: host.to_string(),
            blake3: blake3.clone(),
        });
        let (everything, shares) = match stage.taking {
            Taking::Everything => (true, Vec::new()),
            Taking::Shares(shares) => (false, shares),
        };
        let go_live = match stage.mode {
            RestoreMode::Online => pb::GoLive::Load,
            RestoreMode::InPlace => pb::GoLive::Swap,
        };
        Self {
            restore: stage.restore.to_string(),
            backup: Some(stage.backup.into()),
            source_host_ids: sources.map(|(host, _)| host.to_string()).collect(),
            manifests: manifests.collect(),
            tables: all_into(stage.tables),
            shares: all_into(shares),
            everything,
            go_live: go_live.into(),
            host_id: stage.host.to_string(),
        }
    }
}

impl From<TryLoad> for pb::TryLoadRequest {
    fn from(trial: TryLoad) -> Self {
        Self {
            restore: trial.restore.to_string(),
            host_id: trial.host.to_string(),
            tables: all_into(trial.tables),
        }
    }
}

macro_rules! from_restore_on_node {
    ($($request:ident)*) => {
        $(impl From<RestoreOnNode> for pb::$request {
            fn from(restore: RestoreOnNode) -> Self {
                Self {
                    restore: restore.restore.to_string(),
                    tables: all_into(restore.tables),
                    host_id: restore.host.to_string(),
                }
            }
        })*
    };
}

from_restore_on_node!(LoadStagedRequest SwapStagedRequest StartCassandraRequest);

pub(super) fn clear_leftovers(
    host: HostId,
    leftovers: &[(LeftoverKind, TaskId)],
    live: &[TaskId],
) -> pb::ClearLeftoversRequest {
    let names = leftovers.iter().map(|(kind, task)| pb::LeftoverName {
        kind: types_pb::LeftoverKind::from(*kind) as i32,
        task_id: task.to_string(),
    });
    pb::ClearLeftoversRequest {
        host_id: host.to_string(),
        leftovers: names.collect(),
        live_task_ids: live.iter().map(ToString::to_string).collect(),
    }
}
