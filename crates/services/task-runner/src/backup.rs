//! Backups: planned, their names reserved, then handed to a driver as begin → snapshot → upload → commit → clear.

mod steps;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use api::pb::planner::{PlanBackupRequest, PlanBackupResponse, PlannedNode};
use api::{ErrorKind, RemoteError};
use jiff::Timestamp;
use model::manifest::BackupKind;
use model::task::{Step, StepState};
use model::{BackupName, BackupRef, ClusterName, Finding, Selection, TaskId};
use state_store::{Expected, Fence};
use uuid::Uuid;

use steps::backup_steps;
pub(crate) use steps::step;

use crate::cluster;
use crate::core::Core;
use crate::describe::{Described, describe_all, ring_of};
use crate::error::RunnerError;
use crate::record::{BackupJob, Ending, Node, Outcome, Work};
use crate::services::{PLAN_DEADLINE, within};
use crate::step_error::StepError;
use crate::steps::begin_now;
use crate::store::Stored;

/// How long a name may take to be reserved, retries included. Less than a lease lasts.
const BEGIN_WITHIN: Duration = Duration::from_secs(40);
/// Names that are tried where none was given and the first is taken.
const DEFAULT_NAMES_MAX: u32 = 10;
/// What of a cluster's name goes into a default name, so that time and number still fit.
const DEFAULT_NAME_PREFIX_MAX: usize = 75;

/// A backup as it was asked for.
#[derive(Debug, Clone)]
pub(crate) struct NewBackup {
    pub cluster: ClusterName,
    /// Absent: made from the cluster's name and the time.
    pub name: Option<BackupName>,
    pub kind: BackupKind,
    pub selection: Selection,
    pub base: Option<BackupName>,
    /// Takes damaged SSTables as they are.
    pub keep_damaged: bool,
}

/// What came of the wish.
#[derive(Debug)]
pub(crate) struct Created {
    /// Absent where findings refuse it.
    pub task: Option<TaskId>,
    pub backup: BackupRef,
    pub findings: Vec<Finding>,
}

/// Plans a backup and starts it if no finding refuses it. When this answers with a task, the name is reserved and the
/// task is on disk.
pub(crate) async fn create(core: Arc<Core>, wish: NewBackup) -> Result<Created, RunnerError> {
    let cluster = cluster::get(&core.services, &wish.cluster).await?;
    if let Some(task) = core.services.tasks.claimed_by(&cluster.name).await? {
        return Err(RunnerError::ClusterBusy {
            cluster: cluster.name,
            task,
        });
    }
    let described = describe_all(&core.services, &cluster.agents).await;
    let now = (core.services.clock)();
    let mut backup = BackupRef {
        cluster: wish.cluster.clone(),
        name: name_for(&wish, now, 1),
    };
    let plan = plan(&core, &wish, &backup, &described).await?;
    let findings = api::convert::all(plan.findings.clone())?;
    if !plan.supported {
        return Ok(Created {
            task: None,
            backup,
            findings,
        });
    }
    let steps = backup_steps(&plan)?;
    let job = job(&wish, &described, plan.nodes)?;
    let mut number = 1;
    loop {
        backup.name = name_for(&wish, now, number);
        match start(&core, backup.clone(), job.clone(), steps.clone(), now).await {
            Err(RunnerError::Remote { error, .. })
                if error.kind == ErrorKind::AlreadyExists
                    && wish.name.is_none()
                    && number < DEFAULT_NAMES_MAX =>
            {
                number += 1;
            }
            Err(error) => return Err(error),
            Ok(task) => {
                return Ok(Created {
                    task: Some(task),
                    backup,
                    findings,
                });
            }
        }
    }
}

fn name_for(wish: &NewBackup, now: Timestamp, number: u32) -> BackupName {
    if let Some(name) = &wish.name {
        return name.clone();
    }
    let cluster = wish.cluster.as_str();
    let prefix = &cluster[..cluster.len().min(DEFAULT_NAME_PREFIX_MAX)];
    let time = now.strftime("%Y%m%dt%H%M%SZ");
    let name = match number {
        1 => format!("{prefix}-{time}"),
        number => format!("{prefix}-{time}-{number}"),
    };
    name.parse()
        .expect("a cluster name with digits and dashes behind it, shortened, is a name")
}

async fn plan(
    core: &Core,
    wish: &NewBackup,
    backup: &BackupRef,
    described: &Described,
) -> Result<PlanBackupResponse, RunnerError> {
    let request = PlanBackupRequest {
        backup: Some(backup.clone().into()),
        kind: api::pb::types::BackupKind::from(wish.kind) as i32,
        nodes: described.nodes.clone(),
        selection: Some(wish.selection.clone().into()),
        unreachable: described.unreachable.clone(),
    };
    let mut planner = core.services.planner();
    within(PLAN_DEADLINE, planner.plan_backup(request))
        .await
        .map_err(RunnerError::remote("planner"))
}

fn job(
    wish: &NewBackup,
    described: &Described,
    planned: Vec<PlannedNode>,
) -> Result<BackupJob, RunnerError> {
    let nodes = planned.into_iter().map(|node| Node {
        address: node.address,
        agent: node.agent,
        host_id: node.host_id,
    });
    let first = described.nodes.first();
    Ok(BackupJob {
        kind: wish.kind,
        base: wish.base.clone(),
        selection: wish.selection.clone(),
        nodes: nodes.collect(),
        ring: first.map(ring_of).transpose()?.unwrap_or_default(),
        schema_version: first
            .map(|node| node.schema_version.clone())
            .unwrap_or_default(),
        taken_at: BTreeMap::new(),
        keep_damaged: wish.keep_damaged,
    })
}

/// Puts the task on disk, reserves the name, and lets it go.
async fn start(
    core: &Arc<Core>,
    backup: BackupRef,
    job: BackupJob,
    steps: Vec<Step<Work>>,
    now: Timestamp,
) -> Result<TaskId, RunnerError> {
    let record = steps::record(TaskId(Uuid::now_v7()), backup, job, steps, now);
    let id = record.task.id;
    let (stored, fence) = core.enlist(record, None).await?;
    let (stored, refused) = begin(core, stored, &fence).await?;
    core.drive(stored, fence).await?;
    match refused {
        None => Ok(id),
        Some(error) => Err(RunnerError::remote("storage-catalog")(error)),
    }
}

/// Runs the first step within the call, so that whoever asked learns of a name that is taken. Where the catalog has
/// refused, the task is gone as if it had never been; where it is not known what the catalog did, the task goes on to
/// its end as failed, and the error is answered.
async fn begin(
    core: &Arc<Core>,
    stored: Stored,
    fence: &Fence,
) -> Result<(Stored, Option<RemoteError>), RunnerError> {
    let Stored {
        mut record,
        version,
    } = stored;
    record.task.steps[0].state = StepState::Running;
    let version = core
        .services
        .tasks
        .save(&record, Expected::Version(version), fence)
        .await?;
    let begun = tokio::time::timeout(BEGIN_WITHIN, begin_now(&core.services, &record));
    let error = match begun.await {
        Ok(Ok(output)) => {
            record.apply(output);
            record.task.steps[0].state = StepState::Succeeded;
            None
        }
        Ok(Err(error)) if error.is_refusal() => {
            core.delist(&record, fence).await?;
            return Err(RunnerError::remote("storage-catalog")(as_remote(error)));
        }
        Ok(Err(error)) => Some(as_remote(error)),
        Err(_) => Some(as_remote(StepError::Silent {
            seconds: BEGIN_WITHIN.as_secs(),
        })),
    };
    if let Some(error) = &error {
        record.task.steps[0].state = StepState::Failed;
        record.task.steps[0].error = error.message.clone();
        record.ending = Some(Ending {
            outcome: Outcome::Failed,
            reason: format!("the backup could not be begun: {}", error.message),
            clean: true,
        });
    }
    let version = core
        .services
        .tasks
        .save(&record, Expected::Version(version), fence)
        .await?;
    Ok((Stored { record, version }, error))
}

fn as_remote(error: StepError) -> RemoteError {
    match error {
        StepError::Remote(error) => error,
        error => RemoteError {
            kind: match error.is_retryable() {
                true => ErrorKind::Unavailable,
                false => ErrorKind::Internal,
            },
            reason: "BACKUP_NOT_BEGUN".to_owned(),
            message: error.text(),
            hint: None,
            field: None,
            retry_after: None,
        },
    }
}

#[cfg(test)]
mod tests;
