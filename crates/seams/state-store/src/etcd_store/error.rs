//! What etcd's errors mean for a caller of the port.

use tonic::{Code, Status};

use crate::StateError;

/// An error of a call as the port's.
pub(super) fn of(action: &'static str, status: Status) -> StateError {
    let source = Box::new(status);
    match source.code() {
        Code::PermissionDenied | Code::Unauthenticated => StateError::Denied { action, source },
        Code::InvalidArgument | Code::FailedPrecondition if is_about_login(&source) => {
            StateError::Denied { action, source }
        }
        Code::ResourceExhausted if source.message().contains("space exceeded") => {
            StateError::Full { action, source }
        }
        _ => StateError::Backend { action, source },
    }
}

/// An error of the client itself: there was no reply in time.
pub(super) fn no_reply(action: &'static str, seconds: u64) -> StateError {
    StateError::Backend {
        action,
        source: format!("etcd has not replied within {seconds} s").into(),
    }
}

/// Whether the login has to be made again: its token has run out, or what users may do has changed since.
pub(super) fn needs_login(status: &Status) -> bool {
    match status.code() {
        Code::Unauthenticated => true,
        Code::InvalidArgument => status.message().contains("auth store is old"),
        _ => false,
    }
}

/// Whether another member may be able to do what this one could not.
pub(super) fn may_pass_elsewhere(status: &Status) -> bool {
    matches!(
        status.code(),
        Code::Unavailable | Code::DeadlineExceeded | Code::Cancelled | Code::Unknown
    )
}

/// Whether a revision that was asked for is no longer in etcd's history.
pub(super) fn is_compacted(status: &Status) -> bool {
    status.code() == Code::OutOfRange && status.message().contains("compacted")
}

/// Whether a reply was larger than this client takes.
pub(super) fn is_too_large(status: &Status) -> bool {
    status.code() == Code::OutOfRange && status.message().contains("message length too large")
}

/// Whether a lease of etcd no longer exists.
pub(super) fn is_without_lease(status: &Status) -> bool {
    status.code() == Code::NotFound && status.message().contains("lease not found")
}

fn is_about_login(status: &Status) -> bool {
    ["authentication", "user name", "password", "permission"]
        .iter()
        .any(|word| status.message().contains(word))
}
