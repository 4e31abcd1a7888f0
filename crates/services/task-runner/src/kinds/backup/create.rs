//! Plans a backup, reserves its name, and hands it to a driver.

mod reserve;

use std::sync::Arc;

use api::ErrorKind;
use jiff::Timestamp;
use model::manifest::BackupKind;
use model::plan::{BackupPlan, BackupRequest, Completeness};
use model::ring::fingerprint;
use model::task::{QueueOptions, TaskKind};
use model::{
    BackupName, BackupRef, ClusterName, Finding, NodeDescription, Schema, Selection, TaskId,
};
use uuid::Uuid;

use super::spec::{BackupSpec, SPEC};
use crate::cluster;
use crate::describe::{Described, describe_agreed, schema};
use crate::engine::{Engine, Keyspaces, Need, NewTask, TaskRecord};
use crate::error::RunnerError;

/// Names that are tried if none was given and the first is taken.
const DEFAULT_NAMES_MAX: u32 = 10;
/// The part of a cluster's name that goes into a default name, so that time and number still fit.
const DEFAULT_NAME_PREFIX_MAX: usize = 75;

/// A backup as it was asked for.
#[derive(Debug, Clone)]
pub(crate) struct NewBackup {
    /// The id that its task gets; none: a new one.
    pub task: Option<TaskId>,
    pub cluster: ClusterName,
    /// None: made from the cluster's name and the time.
    pub name: Option<BackupName>,
    pub kind: BackupKind,
    pub selection: Selection,
    pub base: Option<BackupName>,
    /// Takes damaged SSTables as they are.
    pub keep_damaged: bool,
    /// Has the nodes upload what could be copied inside the store.
    pub reupload: bool,
    /// What of the replicas the backup may go without.
    pub completeness: Completeness,
    pub queue: QueueOptions,
    /// Since when it is due, by which it takes its place among those that wait; none: since now.
    pub since: Option<Timestamp>,
}

impl NewBackup {
    fn need(&self) -> Need {
        Need::Backup(Keyspaces::of(&self.selection))
    }
}

/// What came of a request.
#[derive(Debug)]
pub(crate) struct Created {
    /// None if findings refuse it.
    pub task: Option<TaskId>,
    pub backup: BackupRef,
    pub findings: Vec<Finding>,
}

/// Plans a backup and starts it if no finding refuses it. When this returns a task, the name is reserved and the task is on
/// disk.
pub(crate) async fn create(
    engine: Arc<Engine>,
    request: NewBackup,
) -> Result<Created, RunnerError> {
    let context = &engine.context;
    let cluster = cluster::get(context, &request.cluster).await?;
    if !request.queue.wait {
        let need = request.need();
        context.tasks.check_free(&cluster.name, &need).await?;
    }
    let described = describe_agreed(context, &cluster.agents).await;
    let now = (context.clock)();
    let mut backup = BackupRef {
        cluster: request.cluster.clone(),
        name: name_for(&request, now, 1),
    };
    let plan = plan(&engine, &request, &backup, &described).await?;
    if !plan.supported {
        return Ok(Created {
            task: None,
            backup,
            findings: plan.findings,
        });
    }
    let spec = spec(&request, &plan, &described);
    let mut number = 1;
    loop {
        backup.name = name_for(&request, now, number);
        match start(&engine, &request, &backup, &spec, &plan).await {
            Err(RunnerError::Remote { error, .. })
                if error.kind == ErrorKind::AlreadyExists
                    && request.name.is_none()
                    && number < DEFAULT_NAMES_MAX =>
            {
                number += 1;
            }
            Err(error) => return Err(error),
            Ok(task) => {
                return Ok(Created {
                    task: Some(task),
                    backup,
                    findings: plan.findings,
                });
            }
        }
    }
}

fn name_for(request: &NewBackup, now: Timestamp, number: u32) -> BackupName {
    if let Some(name) = &request.name {
        return name.clone();
    }
    let cluster = request.cluster.as_str();
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
    engine: &Engine,
    request: &NewBackup,
    backup: &BackupRef,
    described: &Described,
) -> Result<BackupPlan, RunnerError> {
    let planned = engine.context.planner.plan_backup(BackupRequest {
        backup: backup.clone(),
        kind: request.kind,
        nodes: described.nodes.clone(),
        unreachable: described.unreachable.clone(),
        selection: request.selection.clone(),
        completeness: request.completeness,
        schema: schema_of_plan(engine, request, described).await?,
    });
    planned.await.map_err(RunnerError::remote("planner"))
}

/// The schema, by which the planner weighs what is missing and knows keyspaces without tables; not read if nothing may be
/// missing and no such keyspace is meant.
async fn schema_of_plan(
    engine: &Engine,
    request: &NewBackup,
    described: &Described,
) -> Result<Schema, RunnerError> {
    let some_healthy = described.nodes.iter().any(|node| node.unhealthy.is_empty());
    let is_filled = |keyspace: &String| {
        let mut tables = described.nodes.iter().flat_map(|node| &node.tables);
        tables.any(|table| table.table.keyspace == *keyspace)
    };
    let has_tables = described.nodes.iter().any(|node| !node.tables.is_empty());
    let means_empty = if request.selection.is_everything() {
        !has_tables
    } else {
        !request.selection.keyspaces.iter().all(is_filled)
    };
    let is_needed = request.completeness != Completeness::All || means_empty;
    if !is_needed || !some_healthy {
        return Ok(Schema::default());
    }
    let read = schema(&engine.context, &described.nodes).await;
    read.map_err(|why| RunnerError::NoSchema(request.cluster.clone(), why))
}

fn spec(request: &NewBackup, plan: &BackupPlan, described: &Described) -> BackupSpec {
    // One that is backed up: what a node that is down was last known to see is old.
    let is_planned = |node: &&NodeDescription| {
        let mut planned = plan.nodes.iter();
        planned.any(|planned| planned.host_id == node.member.host_id)
    };
    let first = described.nodes.iter().find(is_planned);
    BackupSpec {
        kind: request.kind,
        base: request.base.clone(),
        selection: request.selection.clone(),
        nodes: plan.nodes.clone(),
        ring: first
            .map(|node| fingerprint(&node.ring))
            .unwrap_or_default(),
        schema_version: first
            .map(|node| node.schema_version.clone())
            .unwrap_or_default(),
        keep_damaged: request.keep_damaged,
        reupload: request.reupload,
        missing: plan.missing.clone(),
        coverage: plan.coverage.clone(),
    }
}

/// Puts the task on disk, reserves the name, and hands the task to a driver. A backup that waits for its turn reserves its name
/// then, and fails if it is taken.
async fn start(
    engine: &Arc<Engine>,
    request: &NewBackup,
    backup: &BackupRef,
    spec: &BackupSpec,
    plan: &BackupPlan,
) -> Result<TaskId, RunnerError> {
    let id = request.task.unwrap_or_else(|| TaskId(Uuid::now_v7()));
    let now = (engine.context.clock)();
    // A schedule makes its next backup by itself, and a paused one would be in its way.
    let is_scheduled = request.task.is_some();
    let record = TaskRecord {
        backup: Some(backup.clone()),
        need: Some(request.need()),
        pauses: engine.context.config.pause_when_retries_run_out && !is_scheduled,
        ..TaskRecord::new(id, TaskKind::Backup, backup.cluster.clone(), now).queued(request.queue)
    };
    let record = record.waits_since(request.since.unwrap_or(now));
    let steps = &plan.steps;
    reserve::check_is_first(steps)?;
    let (stored, fence) = engine
        .create(NewTask { record, steps }, &[(SPEC, spec)])
        .await?;
    if stored.record.waiting.is_some() {
        engine.drive_new(stored, fence).await;
        return Ok(id);
    }
    let (stored, failed) = reserve::reserve(engine, stored, &fence, spec, steps, backup).await?;
    engine.drive_new(stored, fence).await;
    match failed {
        None => Ok(id),
        Some(error) => Err(RunnerError::remote("storage-catalog")(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(cluster: &str) -> NewBackup {
        NewBackup {
            task: None,
            cluster: cluster.parse().expect("a name"),
            name: None,
            kind: BackupKind::Full,
            selection: Selection::default(),
            base: None,
            keep_damaged: false,
            reupload: false,
            completeness: Completeness::All,
            queue: QueueOptions::default(),
            since: None,
        }
    }

    #[test]
    fn a_default_name_says_cluster_and_time_and_differs_on_collision() {
        let now = "2026-11-22T10:05:06.7Z".parse().expect("a time");
        let name = |number| name_for(&request("shop"), now, number).to_string();
        assert_eq!(name(1), "shop-20261122t100506Z");
        assert_eq!(name(2), "shop-20261122t100506Z-2");
        let long = name_for(&request(&"x".repeat(100)), now, 10).to_string();
        assert!(long.ends_with("-20261122t100506Z-10"), "{long}");
    }
}
