//! Stops Cassandra drained.

mod drains;
mod error;

use cassandra_node::process::{Action, ProcessError};
use cassandra_node::{CassandraNode, ControlError, clients, commit_log, lifecycle};
use model::TableId;
use tracing::{info, warn};

use crate::agent::Agent;
use crate::error::AgentError;
use crate::restore::RestoreState;
use crate::{journal, path_name};

pub use error::RestartError;

/// Drains and stops; refused while clients are served. A node that is down already is never started for this, because it
/// would serve clients, and its files may be those of a failed restore: it is refused if its commit log may hold writes to
/// the tables of the restore, which would be replayed over the files that go live next. Writes to other tables are replayed
/// at the next start, as always.
pub async fn stop(agent: &Agent, restore: &str) -> Result<(), RestartError> {
    path_name::check("restore", restore)?;
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
            Err(AgentError::Control(
                ControlError::Unreachable { .. } | ControlError::Broken { .. },
            )) => {
                warn!("Cassandra could not be drained before it stopped");
                lifecycle::stop(node).await?;
            }
            Err(error) => return Err(error.into()),
        }
    }
    check_replay(agent, restore).await
}

/// Drains and stops, also while clients are served: nothing but a start follows.
pub async fn drain_and_stop(agent: &Agent) -> Result<(), RestartError> {
    match drain(agent).await {
        Ok(()) => {}
        // It went down by itself, or is half-way there; its commit log is replayed.
        Err(AgentError::Control(ControlError::Unreachable { .. })) => {
            warn!("Cassandra could not be drained before it stopped");
        }
        Err(error) => return Err(error.into()),
    }
    Ok(lifecycle::stop(&agent.node).await?)
}

/// Refuses if Cassandra, which is down, may replay writes to tables of the restore when it starts.
async fn check_replay(agent: &Agent, restore: &str) -> Result<(), RestartError> {
    let node = &agent.node;
    let records = journal::peek(agent.folders.restore_journal(restore)).await?;
    let tables = RestoreState::replay(records)
        .begun
        .map(|begun| begun.tables);
    let undrained = drains::undrained(agent).await?;
    let is_safe = match (&undrained, tables) {
        (Some(segments), _) if segments.is_empty() => true,
        (Some(segments), Some(tables)) => {
            let ids: Vec<TableId> = tables.iter().map(|table| table.target_id).collect();
            !commit_log::may_hold(node, segments, &ids).await?
        }
        (None, _) | (_, None) => false,
    };
    if is_safe {
        info!("Cassandra is down already, and has no writes to the restored tables to replay");
        return Ok(());
    }
    Err(RestartError::NotDrained {
        commit_log: node.yaml.commitlog_directory.clone(),
    })
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

async fn drain(agent: &Agent) -> Result<(), AgentError> {
    agent.node.control.drain().await?;
    drains::note_drained(agent).await
}

#[cfg(test)]
mod tests;
