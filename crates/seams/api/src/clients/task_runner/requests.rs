//! Requests to the task-runner, and what it returns.

use model::manifest::BackupKind;
use model::plan::{Completeness, RestoreOptions, ShownPlan};
use model::task::{QueueOptions, ShownTask};
use model::{BackupName, BackupRef, ClusterName, Finding, Selection, TaskId};

use crate::convert::plan::options_to_wire;
use crate::convert::task::wire_queue_options;
use crate::convert::{ConversionError, all, parsed_optional, required};
use crate::pb::planner as planner_pb;
use crate::pb::task_runner as pb;
use crate::pb::types as types_pb;

/// What a backup is made with.
#[derive(Debug, Clone, PartialEq)]
pub struct CreateBackup {
    pub cluster: ClusterName,
    /// None: made from the cluster's name and the time.
    pub name: Option<BackupName>,
    pub kind: BackupKind,
    pub selection: Selection,
    /// The full backup to build on; none: the newest, for a differential backup.
    pub base: Option<BackupName>,
    /// Takes damaged SSTables as they are.
    pub keep_damaged: bool,
    /// Has the nodes of a full backup upload what could be copied inside the store.
    pub reupload: bool,
    /// What of the replicas the backup may go without.
    pub completeness: Completeness,
    pub queue: QueueOptions,
}

/// A backup that was started, or refused by its findings.
#[derive(Debug, Clone, PartialEq)]
pub struct CreatedBackup {
    /// None if findings refuse the backup.
    pub task: Option<TaskId>,
    pub backup: BackupRef,
    pub findings: Vec<Finding>,
}

/// A backup by its name. Without a cluster the one of this name in the whole bucket, if there is just one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedBackup {
    pub cluster: Option<ClusterName>,
    pub name: BackupName,
}

/// What a restore is planned from.
#[derive(Debug, Clone, PartialEq)]
pub struct PlanRestore {
    pub backup: NamedBackup,
    /// The registered cluster to restore into.
    pub target: ClusterName,
    pub options: RestoreOptions,
}

/// Which plan of a restore is started.
#[derive(Debug, Clone, PartialEq)]
pub enum StartRestore {
    /// One that is made now.
    PlannedNow(PlanRestore),
    /// The one that was shown under this number; refused if it would be another one now.
    AsShown {
        number: u64,
        /// What the plan is believed to be of; refused if it is of something else. Earlier runners do not look at it.
        restore: Option<PlanRestore>,
    },
}

/// A restore that was started, or refused by its plan's findings.
#[derive(Debug, Clone, PartialEq)]
pub struct StartedRestore {
    /// None if findings refuse the restore.
    pub task: Option<TaskId>,
    pub plan: ShownPlan,
}

/// A task on one backup that was started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StartedTask {
    pub task: TaskId,
    pub backup: BackupRef,
}

/// Some tasks of a list that is read in pages.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskPage {
    /// Newest first.
    pub tasks: Vec<ShownTask>,
    /// What the next page is asked for with; none after the last page.
    pub next: Option<String>,
}

impl From<CreateBackup> for pb::CreateBackupRequest {
    fn from(create: CreateBackup) -> Self {
        Self {
            cluster: create.cluster.into(),
            name: create.name.map(String::from).unwrap_or_default(),
            kind: types_pb::BackupKind::from(create.kind) as i32,
            selection: Some(create.selection.into()),
            base: create.base.map(String::from).unwrap_or_default(),
            keep_damaged: create.keep_damaged,
            reupload: create.reupload,
            completeness: planner_pb::Completeness::from(create.completeness) as i32,
            queue: wire_queue_options(create.queue),
        }
    }
}

impl TryFrom<pb::CreateBackupResponse> for CreatedBackup {
    type Error = ConversionError;

    fn try_from(response: pb::CreateBackupResponse) -> Result<Self, ConversionError> {
        Ok(Self {
            task: parsed_optional("task_id", &response.task_id)?,
            backup: required("backup", response.backup)?.try_into()?,
            findings: all(response.findings)?,
        })
    }
}

impl From<NamedBackup> for types_pb::BackupRef {
    /// On the wire an empty cluster means none.
    fn from(backup: NamedBackup) -> Self {
        Self {
            cluster: backup.cluster.map(String::from).unwrap_or_default(),
            name: backup.name.into(),
        }
    }
}

impl From<PlanRestore> for pb::PlanRestoreRequest {
    fn from(restore: PlanRestore) -> Self {
        let (options, renaming) = options_to_wire(restore.options);
        Self {
            backup: Some(restore.backup.into()),
            target: restore.target.into(),
            options,
            renaming,
        }
    }
}

impl From<StartRestore> for pb::StartRestoreRequest {
    fn from(start: StartRestore) -> Self {
        match start {
            StartRestore::PlannedNow(restore) => Self {
                restore: Some(restore.into()),
                plan: 0,
                queue: None,
            },
            StartRestore::AsShown { number, restore } => Self {
                restore: restore.map(Into::into),
                plan: number,
                queue: None,
            },
        }
    }
}

impl TryFrom<pb::StartRestoreResponse> for StartedRestore {
    type Error = ConversionError;

    fn try_from(response: pb::StartRestoreResponse) -> Result<Self, ConversionError> {
        Ok(Self {
            task: parsed_optional("task_id", &response.task_id)?,
            plan: required("plan", response.plan)?.try_into()?,
        })
    }
}

impl TryFrom<pb::ListTasksResponse> for TaskPage {
    type Error = ConversionError;

    fn try_from(response: pb::ListTasksResponse) -> Result<Self, ConversionError> {
        let next = response.next_page_token;
        Ok(Self {
            tasks: all(response.tasks)?,
            next: (!next.is_empty()).then_some(next),
        })
    }
}

/// What is known to be dead when a backup is deleted. By default nothing is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct KnownDead {
    /// The task that made it: it is deleted even if it is recorded as being made.
    pub maker: bool,
    /// Earlier deletions: if this one is refused, and nothing was deleted yet, the backup can be used again.
    pub earlier_deletions: bool,
}
