//! The exit codes, and which error leads to which: the one table.

use api::{ErrorKind, RemoteError};

/// How a command ends. The numbers are a contract: scripts branch on them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    Done,
    Failed,
    Usage,
    /// Refused by the planner: nothing was touched.
    Refused,
    /// Found damaged or incomplete.
    Damaged,
    NotFound,
    /// A service cannot be reached.
    Unreachable,
}

impl Exit {
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Refused => 3,
            Self::Damaged => 4,
            Self::NotFound => 5,
            Self::Unreachable => 6,
        }
    }

    /// For an error of a call. A closed set on purpose: a new kind must choose.
    pub fn of(error: &RemoteError) -> Self {
        if [PLAN_OUTDATED, PLAN_DIFFERS].contains(&error.reason.as_str()) {
            return Self::Refused;
        }
        match error.kind {
            ErrorKind::InvalidArgument => Self::Usage,
            ErrorKind::NotFound => Self::NotFound,
            ErrorKind::DataLoss => Self::Damaged,
            ErrorKind::Unavailable => Self::Unreachable,
            ErrorKind::AlreadyExists
            | ErrorKind::FailedPrecondition
            | ErrorKind::ResourceExhausted
            | ErrorKind::Cancelled
            | ErrorKind::Internal => Self::Failed,
        }
    }
}

/// The reason for refusing to start a plan that no longer fits: like a refused plan, nothing was touched.
const PLAN_OUTDATED: &str = "PLAN_OUTDATED";

/// The reason for refusing to start a plan of another restore than the one asked for.
const PLAN_DIFFERS: &str = "PLAN_DIFFERS";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_error_has_its_exit_code() {
        let code = |kind, reason: &str| {
            let error = RemoteError {
                kind,
                reason: reason.into(),
                message: String::new(),
                hint: None,
                field: None,
                retry_after: None,
                origin: api::Origin::Service,
            };
            Exit::of(&error).code()
        };
        for (kind, reason, expected) in [
            (ErrorKind::InvalidArgument, "BAD_NAME", 2),
            (ErrorKind::NotFound, "BACKUP_NOT_FOUND", 5),
            (ErrorKind::AlreadyExists, "CLUSTER_EXISTS", 1),
            (ErrorKind::FailedPrecondition, "BACKUP_PINNED", 1),
            (ErrorKind::FailedPrecondition, "PLAN_OUTDATED", 3),
            (ErrorKind::FailedPrecondition, "PLAN_DIFFERS", 3),
            (ErrorKind::Unavailable, "AGENT_UNREACHABLE", 6),
            (ErrorKind::Unavailable, "", 6),
            (ErrorKind::DataLoss, "MANIFEST_DAMAGED", 4),
            (ErrorKind::ResourceExhausted, "TOO_MANY_TASKS", 1),
            (ErrorKind::Cancelled, "", 1),
            (ErrorKind::Internal, "", 1),
        ] {
            assert_eq!(code(kind, reason), expected, "{kind:?} {reason}");
        }
    }
}
