//! Refuses what is meant for another node.
//!
//! Agents are called by address, and an address may come to belong to another node: pods get new ones, names are moved.
//! A restore would then put one node's files on another, and every count would fit. So the calls that stage, load, stop,
//! swap, start or finish say which node they are meant for, by host id.

use api::{ErrorKind, ServiceError};
use model::HostId;

use crate::agent::Agent;
use crate::cause::Cause;
use crate::cql::CqlError;
use crate::describe::{recall, remember};
use crate::names;
use crate::ring;

/// Why a call is not carried out on this node.
#[derive(Debug, thiserror::Error)]
pub enum MeantError {
    #[error(transparent)]
    Cause(Cause),
    #[error("the call is meant for the node {wanted}, and this is the node {own}")]
    WrongNode { wanted: HostId, own: HostId },
    /// The node is down, and was never seen up.
    #[error("whether the call is meant for this node cannot be told, because it was never seen up")]
    Unknown(#[source] CqlError),
}

impl<E: Into<Cause>> From<E> for MeantError {
    fn from(error: E) -> Self {
        Self::Cause(error.into())
    }
}

impl ServiceError for MeantError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Cause(error) => error.kind(),
            Self::WrongNode { .. } | Self::Unknown(_) => ErrorKind::FailedPrecondition,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Cause(error) => error.reason(),
            Self::WrongNode { .. } => "WRONG_NODE",
            Self::Unknown(_) => "NODE_UNKNOWN",
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Cause(error) => error.hint(),
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
            Self::Cause(error) => error.field(),
            Self::WrongNode { .. } => Some("host_id"),
            Self::Unknown(_) => None,
        }
    }
}

/// Compares with the node's own host id: as it says itself while it is up, else as it was last seen.
pub async fn check(agent: &Agent, wanted: HostId) -> Result<(), MeantError> {
    let identity = match ring::identity(&*agent.cql, agent.cassandra.product).await {
        Ok(identity) => {
            // Later calls come while the node is down, so this must be on disk.
            remember(agent, &identity).await?;
            identity
        }
        Err(
            error @ (CqlError::Down { .. } | CqlError::Login { .. } | CqlError::Timeout { .. }),
        ) => recall(agent).await.ok_or(MeantError::Unknown(error))?,
        Err(error) => return Err(error.into()),
    };
    let own = identity.member.host_id;
    if own == wanted {
        return Ok(());
    }
    Err(MeantError::WrongNode { wanted, own })
}

/// The same for the end of a restore, which any node may confirm that has nothing of it.
pub async fn check_finish(agent: &Agent, wanted: HostId, restore: &str) -> Result<(), MeantError> {
    names::check("restore", restore)?;
    match check(agent, wanted).await {
        Err(MeantError::Unknown(_)) if has_nothing_of(agent, restore) => Ok(()),
        result => result,
    }
}

fn has_nothing_of(agent: &Agent, restore: &str) -> bool {
    let roots = agent.folders.restore_roots(restore).unwrap_or_default();
    !agent.folders.restore_journal(restore).exists() && !roots.iter().any(|root| root.exists())
}

#[cfg(test)]
mod tests;
