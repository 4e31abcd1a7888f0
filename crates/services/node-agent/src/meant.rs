//! Refuses what is meant for another node.
//!
//! Agents are called by address, and an address may come to belong to another node: pods get new ones, names are moved.
//! A restore would then put one node's files on another, and every count would fit. So the calls that stage, load, stop,
//! swap, start or finish say which node they are meant for, by host id.

use api::{ErrorKind, ServiceError};
use cassandra_node::CqlError;
use cassandra_node::files::FileError;
use model::HostId;
use tracing::warn;

use crate::agent::Agent;
use crate::describe::{recall, remember};
use crate::error::AgentError;
use crate::path_name;

/// Why a call is not carried out on this node.
#[derive(Debug, thiserror::Error)]
pub enum MeantError {
    #[error(transparent)]
    Agent(AgentError),
    #[error("the call is meant for the node {wanted}, and this is the node {own}")]
    WrongNode { wanted: HostId, own: HostId },
    /// The node is down, and was never seen up.
    #[error(
        "whether the call is meant for this node is not known, because Cassandra was never seen up"
    )]
    Unknown(#[source] CqlError),
}

impl<E: Into<AgentError>> From<E> for MeantError {
    fn from(error: E) -> Self {
        Self::Agent(error.into())
    }
}

impl ServiceError for MeantError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Agent(error) => error.kind(),
            Self::WrongNode { .. } | Self::Unknown(_) => ErrorKind::FailedPrecondition,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Agent(error) => error.reason(),
            Self::WrongNode { .. } => "WRONG_NODE",
            Self::Unknown(_) => "NODE_UNKNOWN",
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Agent(error) => error.hint(),
            Self::WrongNode { .. } => Some(
                "the agent's address belongs to another node than when the restore was planned: give it back, or plan the restore again"
                    .to_owned(),
            ),
            Self::Unknown(_) => {
                Some("start Cassandra once, so that the agent sees which node it is".to_owned())
            }
        }
    }

    fn field(&self) -> Option<&str> {
        match self {
            Self::Agent(error) => error.field(),
            Self::WrongNode { .. } => Some("host_id"),
            Self::Unknown(_) => None,
        }
    }
}

/// The node's own host id, as far as it is known.
pub async fn own(agent: &Agent) -> Result<HostId, MeantError> {
    Ok(own_host_id(agent).await?.0)
}

/// Compares with the node's own host id: as it says itself while it is up, else as it was last seen.
pub async fn check(agent: &Agent, wanted: HostId) -> Result<(), MeantError> {
    let (own, kept) = own_host_id(agent).await?;
    compare(wanted, own)?;
    Ok(kept?)
}

/// The same for the end of a restore, which any node may confirm that has nothing of it. It frees the disk, so a disk that
/// is too full to keep the node's host id does not refuse it.
pub async fn check_finish(agent: &Agent, wanted: HostId, restore: &str) -> Result<(), MeantError> {
    path_name::check("restore", restore)?;
    let checked = match own_host_id(agent).await {
        Ok((own, kept)) => {
            if let Err(error) = kept {
                warn!(%error, "what is known of the node could not be kept");
            }
            compare(wanted, own)
        }
        Err(error) => Err(error),
    };
    match checked {
        Err(MeantError::Unknown(_) | MeantError::WrongNode { .. })
            if has_nothing_of(agent, restore) =>
        {
            Ok(())
        }
        result => result,
    }
}

/// The node's own host id, and whether it is on disk for the calls that come while the node is down.
async fn own_host_id(agent: &Agent) -> Result<(HostId, Result<(), FileError>), MeantError> {
    match agent.node.identity().await {
        Ok(identity) => {
            let own = identity.member.host_id;
            let known = recall(agent).await.map(|known| known.member.host_id);
            let kept = match known == Some(own) {
                true => Ok(()),
                false => remember(agent, &identity).await,
            };
            Ok((own, kept))
        }
        Err(
            error @ (CqlError::Down { .. }
            | CqlError::Login { .. }
            | CqlError::Certificate { .. }
            | CqlError::Timeout { .. }),
        ) => match recall(agent).await {
            Some(known) => Ok((known.member.host_id, Ok(()))),
            None => Err(MeantError::Unknown(error)),
        },
        Err(error) => Err(error.into()),
    }
}

fn compare(wanted: HostId, own: HostId) -> Result<(), MeantError> {
    match own == wanted {
        true => Ok(()),
        false => Err(MeantError::WrongNode { wanted, own }),
    }
}

fn has_nothing_of(agent: &Agent, restore: &str) -> bool {
    let roots = agent.folders.restore_roots(restore).unwrap_or_default();
    !agent.folders.restore_journal(restore).exists() && !roots.iter().any(|root| root.exists())
}

#[cfg(test)]
mod tests;
