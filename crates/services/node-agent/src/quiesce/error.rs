//! Why a node is not made quiet.

use api::{ErrorKind, ServiceError};
use cassandra_node::lifecycle::LifecycleError;
use cassandra_node::{CqlError, NodeError};
use jiff::Timestamp;
use model::TableId;

use crate::error::{AgentError, wire_kind};

/// Why a node is not made quiet, or not let speak again.
#[derive(Debug, thiserror::Error)]
pub enum QuiesceError {
    #[error(transparent)]
    Agent(AgentError),
    #[error(transparent)]
    Lifecycle(#[from] LifecycleError),
    #[error("nothing is staged on this node for restore `{restore}`")]
    NotStaged { restore: String },
    #[error(
        "Cassandra did not take the truncation records that keep newer writes out of the restored tables; nothing was stopped"
    )]
    Refused(#[source] CqlError),
    #[error(
        "Cassandra took a truncation record for table {table} and does not return it; nothing was stopped"
    )]
    NotWritten { table: TableId },
    #[error("Cassandra was told to serve no clients, and still does")]
    StillServed,
    #[error(
        "the time until which newer writes are kept out, {cutoff}, is too near: it is {now} on this node"
    )]
    TooLate { cutoff: Timestamp, now: Timestamp },
    #[error(
        "the time until which newer writes are kept out, {cutoff}, is too far away: it is {now} on this node"
    )]
    TooFar { cutoff: Timestamp, now: Timestamp },
}

impl<E: Into<AgentError>> From<E> for QuiesceError {
    fn from(error: E) -> Self {
        Self::Agent(error.into())
    }
}

impl ServiceError for QuiesceError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Agent(error) => error.kind(),
            Self::Lifecycle(error) => wire_kind(error),
            Self::NotStaged { .. } | Self::Refused(_) | Self::TooFar { .. } => {
                ErrorKind::FailedPrecondition
            }
            Self::NotWritten { .. } => ErrorKind::Internal,
            Self::StillServed | Self::TooLate { .. } => ErrorKind::Unavailable,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Agent(error) => error.reason(),
            Self::Lifecycle(error) => error.reason(),
            Self::NotStaged { .. } => "NOT_STAGED",
            Self::Refused(_) => "TRUNCATION_RECORD_REFUSED",
            Self::NotWritten { .. } => "TRUNCATION_RECORD_LOST",
            Self::StillServed => "CLIENTS_STILL_SERVED",
            Self::TooLate { .. } => "CUTOFF_TOO_LATE",
            Self::TooFar { .. } => "CUTOFF_TOO_FAR",
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Agent(error) => return error.hint(),
            Self::Lifecycle(error) => return error.hint(),
            Self::NotStaged { .. } => "stage the restore on this node first",
            Self::Refused(_) => {
                "up to Cassandra 4.0 the agent's role needs MODIFY ON ALL KEYSPACES, later it must be a superuser for the time of the restore: `ALTER ROLE … WITH SUPERUSER = true`; then resume the task"
            }
            Self::NotWritten { .. } => "check that cql_address in [cassandra] is this node's own",
            Self::StillServed => {
                "`nodetool statusbinary` and `nodetool statusthrift` show what is still served"
            }
            Self::TooLate { .. } => {
                "raise quiesce_seconds in [tasks] of the task-runner if this happens again; compare the clocks of the hosts"
            }
            Self::TooFar { .. } => "compare the clocks of the task-runner's host and of this one",
        };
        Some(hint.to_owned())
    }

    fn field(&self) -> Option<&str> {
        match self {
            Self::Agent(error) => error.field(),
            _ => None,
        }
    }
}
