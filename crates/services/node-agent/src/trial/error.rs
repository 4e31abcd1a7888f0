//! Why a trial load failed.

use api::{ErrorKind, ServiceError};
use model::{TRIAL_KEYSPACE_PREFIX, TableRef};

use crate::error::AgentError;
use crate::load::LoadError;
use crate::restore::FinishError;

/// Why a trial load failed. Nothing live was touched.
#[derive(Debug, thiserror::Error)]
pub enum TrialError {
    #[error(transparent)]
    Agent(AgentError),
    #[error(transparent)]
    Finish(FinishError),
    #[error("Cassandra does not load in a trial what the restore would load")]
    Load(#[source] LoadError),
    #[error("restore `{0}` is not staged on this node, so there is nothing to try")]
    NotStaged(String),
    #[error(
        "`{0}` is not in a keyspace for trials: their names start with `{TRIAL_KEYSPACE_PREFIX}`"
    )]
    NotForTrials(TableRef),
    #[error("the scratch table `{0}` is not in the schema")]
    NoTable(TableRef),
}

impl<E: Into<AgentError>> From<E> for TrialError {
    fn from(error: E) -> Self {
        Self::Agent(error.into())
    }
}

impl ServiceError for TrialError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Agent(error) => error.kind(),
            Self::Finish(error) => error.kind(),
            Self::Load(error) => error.kind(),
            Self::NotForTrials(_) => ErrorKind::InvalidArgument,
            Self::NotStaged(_) | Self::NoTable(_) => ErrorKind::FailedPrecondition,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Agent(error) => error.reason(),
            Self::Finish(error) => error.reason(),
            Self::Load(_) => "TRIAL_FAILED",
            Self::NotForTrials(_) => "NOT_FOR_TRIALS",
            Self::NotStaged(_) => "NOT_STAGED",
            Self::NoTable(_) => "TRIAL_TABLE_MISSING",
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Agent(error) => error.hint(),
            Self::Finish(error) => error.hint(),
            Self::Load(error) => {
                let hint = error.hint().unwrap_or_default();
                Some(format!(
                    "{hint}; nothing live was touched. If it is no obstacle to the restore, plan it again with `--skip-trial`"
                ))
            }
            Self::NoTable(_) => Some(
                "run the step that makes the scratch keyspaces again: resume the task".to_owned(),
            ),
            Self::NotStaged(_) => Some("stage the restore on this node first".to_owned()),
            Self::NotForTrials(_) => None,
        }
    }

    fn field(&self) -> Option<&str> {
        match self {
            Self::Agent(error) => error.field(),
            Self::NotForTrials(_) => Some("tables.trial"),
            _ => None,
        }
    }
}
