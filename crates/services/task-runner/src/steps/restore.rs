//! The steps of a restore.

use api::pb::node_agent::{
    AwaitViewsRequest, ExecuteCqlRequest, FinishRestoreRequest, LoadStagedRequest,
    StageRestoreRequest, StartCassandraRequest, StopCassandraRequest, SwapStagedRequest,
    TableTarget, UpgradeSstablesRequest,
};
use api::pb::storage_catalog::{PinBackupRequest, UnpinBackupRequest};
use api::pb::types::{self as pb, NodeDescription};
use api::{ErrorKind, RemoteError};
use futures::future::try_join_all;

use super::pump::pump;
use super::{StepRun, agent};
use crate::describe::{describe_all, member, ring_of};
use crate::record::{Job, RestoreJob, TaskRecord, Work};
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
    let nodes = described(step).await?;
    // After a schema step that was cut short the schema is another by this restore's own doing.
    let was_changed = step.record.was_attempted(|work| *work == Work::Schema);
    if was_changed {
        check_agreement(&nodes)?;
        check_tables(step, &nodes)?;
    }
    for node in &nodes {
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
        if !was_changed && node.schema_version != job.target_schema_version {
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

/// What every node of the restore says of itself.
async fn described(step: &StepRun) -> Result<Vec<NodeDescription>, StepError> {
    let nodes = &restore_job(&step.record)?.nodes;
    let agents: Vec<String> = nodes.iter().map(|node| node.agent.clone()).collect();
    let described = describe_all(step.services(), &agents).await;
    match described.unreachable.first() {
        Some(agent) => Err(unavailable(format!(
            "agent {}: {}",
            agent.agent, agent.reason
        ))),
        None => Ok(described.nodes),
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

/// Each node is asked itself: what one node has heard of the others may be old.
fn check_agreement(nodes: &[NodeDescription]) -> Result<(), StepError> {
    let Some(first) = nodes.first() else {
        return Ok(());
    };
    let differs = |node: &&NodeDescription| node.schema_version != first.schema_version;
    match nodes.iter().find(differs) {
        Some(node) => Err(unavailable(format!(
            "the nodes do not agree on a schema: agent {} has {}, agent {} has {}",
            first.agent, first.schema_version, node.agent, node.schema_version
        ))),
        None => Ok(()),
    }
}

/// A table that the plan fills or makes is the one of its id, or not there: what the schema step may drop to make it from
/// the start was made by this restore.
fn check_tables(step: &StepRun, nodes: &[NodeDescription]) -> Result<(), StepError> {
    for planned in step.order.tables.iter().filter(|table| !table.recreated) {
        let name = pb::TableRef::from(planned.table.clone());
        let found = nodes.iter().flat_map(|node| &node.tables);
        let mut of_name = found.filter(|table| table.table.as_ref() == Some(&name));
        if let Some(other) = of_name.find(|table| table.id != planned.target_id) {
            return Err(StepError::PlanOutdated {
                why: format!(
                    "table {} has the id {}, and {} in the plan",
                    planned.table, other.id, planned.target_id
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
    let request = ExecuteCqlRequest {
        statements,
        host_id: host_id(&step.record, address)?,
    };
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

/// Makes what is missing. Nothing is dropped or emptied before every node has it.
pub(super) async fn schema(step: &StepRun) -> Result<(), StepError> {
    execute(step, one_agent(step)?).await?;
    check_agreement(&described(step).await?)
}

pub(super) async fn replace(step: &StepRun) -> Result<(), StepError> {
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
    start_cassandra(step.services(), &step.record, address, step.order.targets()).await
}

/// Starts a node again of which nothing was replaced.
pub(crate) async fn start_again(
    services: &Services,
    record: &TaskRecord,
    address: &str,
) -> Result<(), StepError> {
    start_cassandra(services, record, address, Vec::new()).await
}

async fn start_cassandra(
    services: &Services,
    record: &TaskRecord,
    address: &str,
    tables: Vec<TableTarget>,
) -> Result<(), StepError> {
    let request = StartCassandraRequest {
        restore: record.task.id.to_string(),
        tables,
        host_id: host_id(record, address)?,
    };
    let mut agent = agent(services, address)?;
    within(START_DEADLINE, agent.start_cassandra(request)).await?;
    Ok(())
}

pub(super) async fn upgrade_sstables(step: &StepRun, address: &str) -> Result<(), StepError> {
    let request = UpgradeSstablesRequest {
        host_id: host_id(&step.record, address)?,
        tables: step.order.table_refs(),
    };
    let mut agent = step.agent(address)?;
    let silence = step.services().config.nodetool_silence();
    pump(step, silence, agent.upgrade_sstables(request)).await?;
    Ok(())
}

/// Makes the views again and waits until they are built: on the one node, or on all.
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
            host_id: host_id(&step.record, address)?,
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
