//! The steps of a backup.

use std::cmp::Ordering;

use api::convert::{all, parsed, parsed_optional, required};
use api::pb::node_agent::{ClearSnapshotRequest, TakeSnapshotRequest, UploadSnapshotRequest};
use api::pb::storage_catalog::{
    AbandonBackupRequest, BackupState, BeginBackupRequest, CommitBackupRequest, GetBackupRequest,
};
use api::pb::types::{BackupKind, NodeDescription};
use api::{ErrorKind, RemoteError};
use cassandra_versions::Release;
use model::Finding;
use plan::codes;

use super::pump::pump;
use super::{StepRun, agent, backup_job};
use crate::describe::{describe_all, ring_of, schema};
use crate::order::{CAPTURE, Capture};
use crate::record::{BackupJob, Output, TaskRecord, left_to_do};
use crate::retry::{RetryLimits, retry};
use crate::services::{
    CATALOG_DEADLINE, CLEAR_DEADLINE, COMMIT_DEADLINE, SNAPSHOT_DEADLINE, Services, within,
};
use crate::step_error::StepError;

const AGENT: &str = "the agent";
const CATALOG: &str = "the storage-catalog";

/// Begins within a call of a client, with retries; the caller limits the time.
pub(crate) async fn begin_now(
    services: &Services,
    record: &TaskRecord,
) -> Result<Output, StepError> {
    retry(RetryLimits::new(&services.config), || {
        begin(services, record)
    })
    .await
}

pub(super) async fn begin(services: &Services, record: &TaskRecord) -> Result<Output, StepError> {
    let job = backup_job(record)?;
    let request = BeginBackupRequest {
        backup: Some(record.task.backup.clone().into()),
        kind: BackupKind::from(job.kind) as i32,
        base: job
            .base
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default(),
        task_id: record.task.id.to_string(),
        selection: Some(job.selection.clone().into()),
    };
    let answer = within(CATALOG_DEADLINE, services.catalog().begin_backup(request)).await?;
    let base = parsed_optional("base", &answer.base).map_err(StepError::unreadable(CATALOG))?;
    Ok(Output::Begun { base })
}

pub(super) async fn snapshot(step: &StepRun, address: &str) -> Result<Output, StepError> {
    let job = backup_job(&step.record)?;
    let request = TakeSnapshotRequest {
        tag: step.record.snapshot_tag(),
        selection: Some(job.selection.clone().into()),
    };
    let mut agent = step.agent(address)?;
    let answer = within(SNAPSHOT_DEADLINE, agent.take_snapshot(request)).await?;
    Ok(Output::Taken {
        node: step.record.task.steps[step.at].node.clone(),
        at: parsed("taken_at", &answer.taken_at).map_err(StepError::unreadable(AGENT))?,
    })
}

/// Writes down schema and ring right after the snapshots: a schema from then on describes all data in them, whereas one
/// from before may lack a column that they hold.
pub(super) async fn capture(step: &StepRun) -> Result<Output, StepError> {
    let job = backup_job(&step.record)?;
    let services = step.services();
    let nodes = described(services, job).await?;
    for node in &nodes {
        let ring = ring_of(node).map_err(StepError::unreadable(AGENT))?;
        if ring != job.ring {
            return Err(StepError::RingChanged {
                why: format!("agent {} sees another ring now", node.agent),
            });
        }
    }
    let schema = schema(services, &nodes).await.map_err(unavailable)?;
    let findings = schema_changes(job, &schema.version);
    let capture = captured(nodes, schema)?;
    services
        .tasks
        .put_document(step.record.task.id, CAPTURE, &capture, &step.fence)
        .await?;
    Ok(Output::Captured { findings })
}

/// All nodes of the backup; one that does not answer is asked again with the next try.
async fn described(
    services: &Services,
    job: &BackupJob,
) -> Result<Vec<NodeDescription>, StepError> {
    let agents: Vec<String> = job.nodes.iter().map(|node| node.agent.clone()).collect();
    let described = describe_all(services, &agents).await;
    match described.unreachable.first() {
        None => Ok(described.nodes),
        Some(agent) => Err(unavailable(format!(
            "agent {}: {}",
            agent.agent, agent.reason
        ))),
    }
}

fn unavailable(message: String) -> StepError {
    StepError::Remote(RemoteError {
        kind: ErrorKind::Unavailable,
        reason: String::new(),
        message,
        hint: None,
        field: None,
        retry_after: None,
    })
}

fn schema_changes(job: &BackupJob, version: &str) -> Vec<Finding> {
    if job.schema_version == version {
        return Vec::new();
    }
    vec![left_to_do(
        codes::SCHEMA_CHANGED_DURING_BACKUP,
        version,
        "the schema changed between the plan and the snapshots; the backup holds the later one"
            .to_owned(),
        "make another backup if a table was dropped or made in that time".to_owned(),
    )]
}

fn captured(
    nodes: Vec<NodeDescription>,
    schema: api::pb::types::Schema,
) -> Result<Capture, StepError> {
    let unreadable = StepError::unreadable(AGENT);
    let mut releases: Vec<Release> = Vec::with_capacity(nodes.len());
    for node in &nodes {
        let release = required("release", node.release.clone()).map_err(&unreadable)?;
        releases.push(release.try_into().map_err(&unreadable)?);
    }
    let lowest = releases.into_iter().reduce(|a, b| match b.cmp_version(&a) {
        Ordering::Less => b,
        Ordering::Equal | Ordering::Greater => a,
    });
    let (Some(release), Some(first)) = (lowest, nodes.into_iter().next()) else {
        return Err(StepError::bad_answer("the task", "a backup of no nodes"));
    };
    Ok(Capture {
        cluster_name: first.cluster_name,
        release,
        partitioner: first.partitioner,
        ring: all(first.ring).map_err(&unreadable)?,
        schema: schema.try_into().map_err(&unreadable)?,
    })
}

pub(super) async fn upload(step: &StepRun, address: &str) -> Result<(), StepError> {
    let job = backup_job(&step.record)?;
    let planned = &step.record.task.steps[step.at];
    let Some(taken_at) = job.taken_at.get(&planned.node) else {
        return Err(StepError::bad_answer(
            "the task",
            "an upload without a snapshot",
        ));
    };
    let request = UploadSnapshotRequest {
        tag: step.record.snapshot_tag(),
        backup: Some(step.record.task.backup.clone().into()),
        kind: BackupKind::from(job.kind) as i32,
        base: job
            .base
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default(),
        selection: Some(job.selection.clone().into()),
        snapshot_taken_at: taken_at.to_string(),
        keep_damaged: job.keep_damaged,
    };
    let mut agent = step.agent(address)?;
    let silence = step.services().config.step_silence();
    let last = pump(step, silence, agent.upload_snapshot(request)).await?;
    match last.and_then(|last| last.manifest) {
        Some(_) => Ok(()),
        None => Err(StepError::bad_answer(
            AGENT,
            "an upload that ended without a manifest",
        )),
    }
}

pub(super) async fn commit(step: &StepRun) -> Result<(), StepError> {
    let job = backup_job(&step.record)?;
    let services = step.services();
    let capture: Option<Capture> = services
        .tasks
        .document(step.record.task.id, CAPTURE)
        .await
        .map_err(|error| StepError::bad_answer("the state", api::error::chain(&error)))?;
    let Some(capture) = capture else {
        return Err(StepError::bad_answer(
            "the task",
            "a commit without a capture",
        ));
    };
    let request = CommitBackupRequest {
        backup: Some(step.record.task.backup.clone().into()),
        task_id: step.record.task.id.to_string(),
        host_ids: job.nodes.iter().map(|node| node.host_id.clone()).collect(),
        ring: api::convert::all_into(capture.ring),
        schema: Some(capture.schema.into()),
        cluster_name: capture.cluster_name,
        release: Some(capture.release.into()),
        partitioner: capture.partitioner,
        snapshot_spread_ms: job.snapshot_spread_ms(),
    };
    within(COMMIT_DEADLINE, services.catalog().commit_backup(request)).await?;
    Ok(())
}

pub(crate) async fn clear(
    services: &Services,
    record: &TaskRecord,
    address: &str,
) -> Result<(), StepError> {
    let request = ClearSnapshotRequest {
        tag: record.snapshot_tag(),
    };
    let mut agent = agent(services, address)?;
    within(CLEAR_DEADLINE, agent.clear_snapshot(request)).await?;
    Ok(())
}

/// Gives the backup up. One that the catalog does not know needs no giving up.
pub(crate) async fn abandon(
    services: &Services,
    record: &TaskRecord,
    reason: &str,
) -> Result<(), StepError> {
    let request = AbandonBackupRequest {
        backup: Some(record.task.backup.clone().into()),
        task_id: record.task.id.to_string(),
        reason: reason.to_owned(),
    };
    match within(CATALOG_DEADLINE, services.catalog().abandon_backup(request)).await {
        Ok(_) => Ok(()),
        Err(error) if error.kind == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Whether the backup exists, where nobody heard what came of its commit.
pub(crate) async fn committed(services: &Services, record: &TaskRecord) -> Result<bool, StepError> {
    let request = GetBackupRequest {
        backup: Some(record.task.backup.clone().into()),
    };
    match within(CATALOG_DEADLINE, services.catalog().get_backup(request)).await {
        Ok(answer) => Ok(answer
            .backup
            .and_then(|backup| backup.summary)
            .is_some_and(|summary| summary.state() == BackupState::Complete)),
        Err(error)
            if matches!(
                error.kind,
                ErrorKind::NotFound | ErrorKind::FailedPrecondition
            ) =>
        {
            Ok(false)
        }
        Err(error) => Err(error.into()),
    }
}
