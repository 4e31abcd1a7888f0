//! The steps of a restore.

use api::pb::node_agent::{
    AwaitViewsRequest, ExecuteCqlRequest, FinishRestoreRequest, LoadStagedRequest,
    StageRestoreRequest, StartCassandraRequest, StopCassandraRequest, SwapStagedRequest,
    UpgradeSstablesRequest,
};
use api::pb::storage_catalog::{PinBackupRequest, UnpinBackupRequest};
use api::{ErrorKind, RemoteError};
use futures::future::try_join_all;

use super::pump::pump;
use super::{StepRun, agent};
use crate::describe::{describe_all, member, ring_of};
use crate::record::{Job, RestoreJob, TaskRecord};
use crate::services::{
    CATALOG_DEADLINE, CQL_DEADLINE, FINISH_DEADLINE, START_DEADLINE, STOP_DEADLINE, SWAP_DEADLINE,
    Services, within,
};
use crate::step_error::StepError;

fn restore_job(record: &TaskRecord) -> Result<&RestoreJob, StepError> {
    match &record.job {
        Job::Restore(job) => Ok(job),
        Job::Backup(_) => Err(StepError::bad_answer(
            "the task",
            "a restore's step in a backup",
        )),
    }
}

/// The node that the plan means by this agent. Agents refuse calls for other nodes, because addresses change owners.
fn host_id(record: &TaskRecord, address: &str) -> Result<String, StepError> {
    let nodes = record.job.nodes();
    match nodes.iter().find(|node| node.agent == address) {
        Some(node) => Ok(node.host_id.clone()),
        None => Err(StepError::bad_answer(
            "the task",
            format!("agent {address} is of none of its nodes"),
        )),
    }
}

pub(super) async fn pin(step: &StepRun) -> Result<(), StepError> {
    let request = PinBackupRequest {
        backup: Some(step.record.task.backup.clone().into()),
        task_id: step.record.task.id.to_string(),
    };
    within(
        CATALOG_DEADLINE,
        step.services().catalog().pin_backup(request),
    )
    .await?;
    Ok(())
}

pub(super) async fn stage(
    step: &StepRun,
    address: &str,
    sources: &[String],
) -> Result<(), StepError> {
    let manifests = step.order.manifests_of(sources);
    let manifests = manifests.map_err(|source| StepError::PlanOutdated {
        why: format!(
            "an earlier release made it, which did not note the hash of the manifest of source node {source}"
        ),
    })?;
    let request = StageRestoreRequest {
        restore: step.record.task.id.to_string(),
        backup: Some(step.record.task.backup.clone().into()),
        source_host_ids: sources.to_vec(),
        manifests,
        tables: step.order.targets(),
        shares: step.order.shares_of(&step.record.task.steps[step.at].node),
        host_id: host_id(&step.record, address)?,
    };
    let mut agent = step.agent(address)?;
    let silence = step.services().config.step_silence();
    pump(step, silence, agent.stage_restore(request)).await?;
    Ok(())
}

/// Compares nodes, ring and schema with those that the plan was made from. Only a node that answers can say that nothing has
/// changed, so one that does not is asked again.
pub(super) async fn check(step: &StepRun) -> Result<(), StepError> {
    let job = restore_job(&step.record)?;
    let agents: Vec<String> = job.nodes.iter().map(|node| node.agent.clone()).collect();
    let described = describe_all(step.services(), &agents).await;
    if let Some(agent) = described.unreachable.first() {
        return Err(StepError::Remote(RemoteError {
            kind: ErrorKind::Unavailable,
            reason: String::new(),
            message: format!("agent {}: {}", agent.agent, agent.reason),
            hint: None,
            field: None,
            retry_after: None,
        }));
    }
    for node in &described.nodes {
        let (found, planned) = (member(node).host_id, host_id(&step.record, &node.agent)?);
        if found != planned {
            return Err(StepError::PlanOutdated {
                why: format!(
                    "agent {} is of the node {found}, the plan was made for {planned} there",
                    node.agent
                ),
            });
        }
        let ring = ring_of(node).map_err(StepError::unreadable("the agent"))?;
        if ring != job.target_ring {
            return Err(StepError::PlanOutdated {
                why: format!("agent {} sees another ring than the plan", node.agent),
            });
        }
        if node.schema_version != job.target_schema_version {
            return Err(StepError::PlanOutdated {
                why: format!(
                    "agent {} has schema version {}, the plan was made from {}",
                    node.agent, node.schema_version, job.target_schema_version
                ),
            });
        }
    }
    Ok(())
}

/// Runs the step's statements on one node, always the same one: where an earlier try still runs over there, it is that
/// agent that knows.
async fn execute(step: &StepRun, address: &str) -> Result<(), StepError> {
    let statements = step.order.statements(step.id()).to_vec();
    if statements.is_empty() {
        return Ok(());
    }
    let request = ExecuteCqlRequest { statements };
    let mut agent = step.agent(address)?;
    within(CQL_DEADLINE, agent.execute_cql(request)).await?;
    Ok(())
}

/// The agent of the step's node, or of the first node where the step is for the whole cluster.
fn one_agent(step: &StepRun) -> Result<&str, StepError> {
    let job = restore_job(&step.record)?;
    let wanted = &step.record.task.steps[step.at].node;
    let named = job.nodes.iter().find(|node| node.address == *wanted);
    match named.or(job.nodes.first()) {
        Some(node) => Ok(&node.agent),
        None => Err(StepError::bad_answer("the task", "a restore into no nodes")),
    }
}

pub(super) async fn schema(step: &StepRun) -> Result<(), StepError> {
    execute(step, one_agent(step)?).await
}

pub(super) async fn load(step: &StepRun, address: &str) -> Result<(), StepError> {
    let request = LoadStagedRequest {
        restore: step.record.task.id.to_string(),
        tables: step.order.targets(),
        host_id: host_id(&step.record, address)?,
    };
    let mut agent = step.agent(address)?;
    let silence = step.services().config.nodetool_silence();
    pump(step, silence, agent.load_staged(request)).await?;
    Ok(())
}

pub(super) async fn stop(step: &StepRun, address: &str) -> Result<(), StepError> {
    let request = StopCassandraRequest {
        host_id: host_id(&step.record, address)?,
    };
    let mut agent = step.agent(address)?;
    within(STOP_DEADLINE, agent.stop_cassandra(request)).await?;
    Ok(())
}

pub(super) async fn swap(step: &StepRun, address: &str) -> Result<(), StepError> {
    let request = SwapStagedRequest {
        restore: step.record.task.id.to_string(),
        tables: step.order.targets(),
        host_id: host_id(&step.record, address)?,
    };
    let mut agent = step.agent(address)?;
    within(SWAP_DEADLINE, agent.swap_staged(request)).await?;
    Ok(())
}

pub(super) async fn start(step: &StepRun, address: &str) -> Result<(), StepError> {
    let request = StartCassandraRequest {
        restore: step.record.task.id.to_string(),
        tables: step.order.targets(),
        host_id: host_id(&step.record, address)?,
    };
    let mut agent = step.agent(address)?;
    within(START_DEADLINE, agent.start_cassandra(request)).await?;
    Ok(())
}

pub(super) async fn upgrade_sstables(step: &StepRun, address: &str) -> Result<(), StepError> {
    let request = UpgradeSstablesRequest {
        tables: step.order.table_refs(),
    };
    let mut agent = step.agent(address)?;
    let silence = step.services().config.nodetool_silence();
    pump(step, silence, agent.upgrade_sstables(request)).await?;
    Ok(())
}

/// Makes the views anew and waits until they are built: on the one node, or on all.
pub(super) async fn views(step: &StepRun, address: Option<&str>) -> Result<(), StepError> {
    execute(step, one_agent(step)?).await?;
    let silence = step.services().config.nodetool_silence();
    let nodes = &restore_job(&step.record)?.nodes;
    let addresses: Vec<&str> = match address {
        Some(address) => vec![address],
        None => nodes.iter().map(|node| node.agent.as_str()).collect(),
    };
    try_join_all(addresses.into_iter().map(async |address| {
        let request = AwaitViewsRequest {
            views: step.order.view_refs(),
        };
        let mut agent = step.agent(address)?;
        pump(step, silence, agent.await_views(request)).await
    }))
    .await?;
    Ok(())
}

pub(crate) async fn finish(
    services: &Services,
    record: &TaskRecord,
    address: &str,
) -> Result<(), StepError> {
    let request = FinishRestoreRequest {
        restore: record.task.id.to_string(),
        host_id: host_id(record, address)?,
    };
    let mut agent = agent(services, address)?;
    within(FINISH_DEADLINE, agent.finish_restore(request)).await?;
    Ok(())
}

pub(crate) async fn unpin(services: &Services, record: &TaskRecord) -> Result<(), StepError> {
    let request = UnpinBackupRequest {
        backup: Some(record.task.backup.clone().into()),
        task_id: record.task.id.to_string(),
    };
    within(CATALOG_DEADLINE, services.catalog().unpin_backup(request)).await?;
    Ok(())
}
