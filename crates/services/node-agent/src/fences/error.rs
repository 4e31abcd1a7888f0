//! Why a call is refused for its fences.

use std::path::PathBuf;

use api::fence::{FENCE_HEADER, FENCED, FenceSyntax, Scope};
use api::{ErrorKind, ServiceError};
use cassandra_node::NodeError;
use cassandra_node::files::FileError;

use crate::error::wire_kind;

/// Why a call is refused for its fences.
#[derive(Debug, thiserror::Error)]
pub enum FenceError {
    #[error(
        "the call was made under the fence {sent} of `{scope}`, and this node was called under {seen} since: its caller has lost its lease"
    )]
    Lower { scope: Scope, sent: u64, seen: u64 },
    #[error("a task-runner's call that changes something has no metadata `{FENCE_HEADER}`")]
    Absent,
    #[error(transparent)]
    Syntax(#[from] FenceSyntax),
    #[error("`{}` does not read as the fences that this node has seen", .path.display())]
    Unreadable {
        path: PathBuf,
        #[source]
        source: serde_json::Error,
    },
    #[error(transparent)]
    File(#[from] FileError),
}

impl ServiceError for FenceError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Lower { .. } | Self::Absent => ErrorKind::FailedPrecondition,
            Self::Syntax(_) => ErrorKind::InvalidArgument,
            Self::Unreadable { .. } => ErrorKind::Internal,
            Self::File(error) => wire_kind(error),
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Lower { .. } => FENCED,
            Self::Absent => "FENCE_ABSENT",
            Self::Syntax(_) => "FENCE_SYNTAX",
            Self::Unreadable { .. } => "FENCES_UNREADABLE",
            Self::File(error) => error.reason(),
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Lower { .. } => {
                "another task-runner drives the task or the cluster now, and goes on with it; if there is none, the state of this one was set back to an older copy: end its tasks with `ringkeep task fail --force`, then remove the cluster and add it again"
            }
            Self::Absent => "run the same release of the task-runner and of all agents",
            Self::Unreadable { .. } => {
                "make sure that one task-runner runs and no task is under way, delete the file, and try again"
            }
            Self::Syntax(_) => return None,
            Self::File(error) => return error.hint(),
        };
        Some(hint.to_owned())
    }
}
