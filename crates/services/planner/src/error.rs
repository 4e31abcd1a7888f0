//! What can go wrong in planning. That a plan is refused is not an error: the findings have the reasons.

use api::convert::ConversionError;
use api::{ErrorKind, ServiceError};

#[derive(Debug, thiserror::Error)]
pub enum PlannerError {
    /// The request is wrong in itself.
    #[error(transparent)]
    Request(#[from] ConversionError),
    /// A fault of ours: planning fails on no input.
    #[error("planning was cut short")]
    CutShort(#[source] tokio::task::JoinError),
}

impl ServiceError for PlannerError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Request(error) => error.kind(),
            Self::CutShort(_) => ErrorKind::Internal,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Request(error) => error.reason(),
            Self::CutShort(_) => "PLANNING_CUT_SHORT",
        }
    }

    fn field(&self) -> Option<&str> {
        match self {
            Self::Request(error) => error.field(),
            Self::CutShort(_) => None,
        }
    }
}
