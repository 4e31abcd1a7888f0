//! Why a maintenance command has not come to its end.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use api::{ErrorKind, ServiceError};
use cassandra_node::NodeError;
use cassandra_node::lifecycle::LifecycleError;
use cassandra_node::process::ProcessError;
use model::TableRef;

use crate::error::{AgentError, wire_kind};
use crate::restart::RestartError;
use crate::upgrade::UpgradeError;

/// Why a maintenance command has not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum MaintenanceError {
    #[error(transparent)]
    Agent(AgentError),
    #[error(transparent)]
    Upgrade(#[from] UpgradeError),
    #[error(transparent)]
    Lifecycle(#[from] LifecycleError),
    #[error(transparent)]
    Restart(#[from] RestartError),
    #[error("restore `{restore}` is not done with table `{table}` on this node: {how}")]
    RestoreUnfinished {
        restore: String,
        table: String,
        how: &'static str,
    },
    #[error(
        "Cassandra is not restarted while it takes other nodes for down: {}",
        list(down)
    )]
    PeersDown { down: BTreeSet<IpAddr> },
    #[error(
        "Cassandra was restarted and is up, and takes other nodes for down after {seconds} s: {}",
        list(down)
    )]
    PeersNotSeen {
        down: BTreeSet<IpAddr>,
        seconds: u64,
    },
    #[error("the ring changes: {}", list_changes(changing))]
    RingChanging {
        changing: BTreeMap<IpAddr, &'static str>,
    },
    #[error("`{0}` is a materialized view, which has no repair of its own")]
    IsView(TableRef),
    #[error("what is selected has no table")]
    NothingSelected,
}

fn list_changes(changing: &BTreeMap<IpAddr, &'static str>) -> String {
    let changes = changing.iter();
    let changes: Vec<String> = changes
        .map(|(address, change)| format!("node {address} is {change}"))
        .collect();
    changes.join(", ")
}

fn list(addresses: &BTreeSet<IpAddr>) -> String {
    let addresses: Vec<String> = addresses.iter().map(ToString::to_string).collect();
    addresses.join(", ")
}

impl<E: Into<AgentError>> From<E> for MaintenanceError {
    fn from(error: E) -> Self {
        Self::Agent(error.into())
    }
}

impl From<ProcessError> for MaintenanceError {
    fn from(error: ProcessError) -> Self {
        Self::Lifecycle(error.into())
    }
}

impl ServiceError for MaintenanceError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Agent(error) => error.kind(),
            Self::Upgrade(error) => error.kind(),
            Self::Lifecycle(error) => wire_kind(error),
            Self::Restart(error) => error.kind(),
            Self::RestoreUnfinished { .. } | Self::IsView(_) | Self::NothingSelected => {
                ErrorKind::FailedPrecondition
            }
            // Nodes come up, and finish what they do.
            Self::PeersDown { .. } | Self::PeersNotSeen { .. } | Self::RingChanging { .. } => {
                ErrorKind::Unavailable
            }
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Agent(error) => error.reason(),
            Self::Upgrade(error) => error.reason(),
            Self::Lifecycle(error) => error.reason(),
            Self::Restart(error) => error.reason(),
            Self::RestoreUnfinished { .. } => "RESTORE_UNFINISHED",
            Self::PeersDown { .. } => "PEERS_DOWN",
            Self::PeersNotSeen { .. } => "PEERS_NOT_SEEN",
            Self::RingChanging { .. } => "RING_CHANGING",
            Self::IsView(_) => "TABLE_IS_VIEW",
            Self::NothingSelected => "NOTHING_SELECTED",
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Agent(error) => error.hint(),
            Self::Upgrade(error) => error.hint(),
            Self::Lifecycle(error) => error.hint(),
            Self::Restart(error) => error.hint(),
            Self::RestoreUnfinished { restore, .. } => Some(format!(
                "let the restore end with `ringkeep task resume {restore}`, or take it back with `ringkeep restore rollback {restore}` if it is in place; `ringkeep leftovers list` shows what it has left"
            )),
            Self::PeersDown { .. } | Self::PeersNotSeen { .. } => Some(
                "start them, or remove them from the ring; `nodetool status` on this node shows what it sees".to_owned(),
            ),
            Self::RingChanging { .. } => Some(
                "wait until `nodetool status` shows every node as UN, then go on with the task".to_owned(),
            ),
            Self::IsView(_) => Some("repair the table that it is a view of".to_owned()),
            Self::NothingSelected => {
                Some("name a keyspace or a table that exists and that the command is for".to_owned())
            }
        }
    }

    fn field(&self) -> Option<&str> {
        match self {
            Self::Agent(error) => error.field(),
            Self::Upgrade(error) => error.field(),
            _ => None,
        }
    }
}
