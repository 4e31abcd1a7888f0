//! Stops Cassandra drained.

mod drains;
mod error;

use cassandra_node::process::{Action, ProcessError};
use cassandra_node::{CassandraNode, ControlError, clients, lifecycle};
use tracing::{info, warn};

use crate::agent::Agent;
use crate::error::AgentError;

pub use error::RestartError;

/// Drains and stops; refused while clients are served. If Cassandra is down already, and was not drained by this agent, it is started to be drained: what its
/// commit log still holds would be replayed over the files of a restore.
pub async fn stop(agent: &Agent) -> Result<(), RestartError> {
    let node = &agent.node;
    if !node.process.supports(Action::Stop) {
        let action = Action::Stop;
        return Err(ProcessError::Unsupported { action }.into());
    }
    if lifecycle::check_down(node).await.is_err() {
        check_quiet(node).await?;
        match drain(agent).await {
            Ok(()) => return Ok(lifecycle::stop(node).await?),
            // It went down by itself, or is half-way there.
            Err(AgentError::Control(ControlError::Unreachable { .. })) => {
                warn!("Cassandra could not be drained before it stopped");
                lifecycle::stop(node).await?;
            }
            Err(error) => return Err(error.into()),
        }
    }
    if drains::is_settled(agent).await? {
        info!("Cassandra is down already");
        return Ok(());
    }
    warn!("Cassandra is down and was not drained: it is started again, to be drained");
    drain_by_starting(agent)
        .await
        .map_err(|source| RestartError::NotDrained {
            commit_log: node.yaml.commitlog_directory.clone(),
            source: Box::new(source),
        })?;
    Ok(lifecycle::stop(node).await?)
}

/// What a client writes now would be kept by other nodes as hints, and be applied to the restored tables.
async fn check_quiet(node: &CassandraNode) -> Result<(), RestartError> {
    match clients::are_served(node).await {
        Ok(true) => Err(RestartError::NotQuiet),
        // It is half-way down.
        Ok(false) | Err(ControlError::Unreachable { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

async fn drain_by_starting(agent: &Agent) -> Result<(), RestartError> {
    lifecycle::start(&agent.node).await?;
    Ok(drain(agent).await?)
}

async fn drain(agent: &Agent) -> Result<(), AgentError> {
    agent.node.control.drain().await?;
    drains::note_drained(agent).await
}

#[cfg(test)]
mod tests;
