//! Why the store did not do what it was asked.

use std::path::PathBuf;

/// Why the store did not do what it was asked.
///
/// After [`Backend`](Self::Backend) a write may or may not have happened; after every other error it has not.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages name every field")]
pub enum StateError {
    #[error("`{key}` is not what the write expected: it was changed in the meantime")]
    Conflict { key: String },
    #[error(
        "the lease `{lease}` with token {token} is no longer held: it ran out, was released or was taken"
    )]
    Fenced { lease: String, token: u64 },
    #[error("the lease `{lease}` is held by {holder}")]
    LeaseHeld { lease: String, holder: String },
    #[error("the value of `{key}` has {bytes} bytes; at most {max} are allowed")]
    ValueTooLarge {
        key: String,
        bytes: usize,
        max: usize,
    },
    #[error(
        "the {operations} operations from `{first}` on have values of {bytes} bytes together; at most {max} are allowed in one transaction"
    )]
    TransactionTooLarge {
        first: String,
        operations: usize,
        bytes: usize,
        max: usize,
    },
    #[error(
        "there are {operations} operations from `{first}` on; at most {max} are allowed in one transaction"
    )]
    TooManyOperations {
        first: String,
        operations: usize,
        max: usize,
    },
    #[error("a transaction without operations")]
    EmptyTransaction,
    #[error("a transaction has two operations on `{key}`")]
    RepeatedKey { key: String },
    #[error("a key of {bytes} bytes: it must have from 1 to {max}; it starts with `{key}`")]
    BadKey {
        key: String,
        bytes: usize,
        max: usize,
    },
    #[error("a page of {limit} entries of `{prefix}`: it must have from 1 to {max}")]
    BadPageLimit {
        prefix: String,
        limit: usize,
        max: usize,
    },
    #[error("the value of `{key}` is not JSON")]
    NotJson {
        key: String,
        #[source]
        source: serde_json::Error,
    },
    #[error(
        "the state in `{path}` is in use by another process; stop that one, or give this one a state of its own",
        path = path.display()
    )]
    InUse { path: PathBuf },
    #[error("could not open the state in `{path}`", path = path.display())]
    Open {
        path: PathBuf,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    #[error("the settings of the state do not work: {what}")]
    Settings { what: String },
    #[error("etcd does not let this user {action}")]
    Denied {
        action: &'static str,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    #[error("could not {action}: etcd has no space left")]
    Full {
        action: &'static str,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    #[error("`{key}` in etcd is not what a state has there: {what}")]
    Foreign { key: String, what: String },
    #[error("the state in etcd is not whole: its import was cut short")]
    HalfImported,
    #[error("the state in etcd was replaced by an import since this process opened it")]
    Replaced,
    #[error("could not {action}")]
    Backend {
        action: &'static str,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl StateError {
    /// Whether the same request may succeed later without a change to it.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::LeaseHeld { .. } | Self::Full { .. } | Self::Backend { .. } => true,
            Self::Conflict { .. }
            | Self::Fenced { .. }
            | Self::ValueTooLarge { .. }
            | Self::TransactionTooLarge { .. }
            | Self::TooManyOperations { .. }
            | Self::EmptyTransaction
            | Self::RepeatedKey { .. }
            | Self::BadKey { .. }
            | Self::BadPageLimit { .. }
            | Self::NotJson { .. }
            | Self::InUse { .. }
            | Self::Settings { .. }
            | Self::Denied { .. }
            | Self::Foreign { .. }
            | Self::HalfImported
            | Self::Replaced
            | Self::Open { .. } => false,
        }
    }

    /// What to do about it, if anything can be done.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Conflict { .. } => Some("repeat the request: it then sees the change"),
            Self::Fenced { .. } => Some("take the lease again, then read before writing"),
            Self::LeaseHeld { .. } => Some("wait until the lease is released or runs out"),
            Self::ValueTooLarge { .. } => Some("distribute the value over several keys"),
            Self::TransactionTooLarge { .. } | Self::TooManyOperations { .. } => {
                Some("divide the transaction, if its parts may become visible one by one")
            }
            Self::NotJson { .. } => Some("restore the state from a copy, or delete the key"),
            Self::Open { .. } => {
                Some("check that the path is right, and that this process may write there")
            }
            Self::Backend { .. } => {
                Some("check the disk or service behind the state; a write may have happened")
            }
            Self::Settings { .. } => Some("correct the settings in [state]"),
            Self::Denied { .. } => Some(
                "check user, password and certificate in [state.etcd], and that the user's role may read and write all keys with the prefix",
            ),
            Self::Full { .. } => Some(
                "compact and defragment etcd or raise its quota, then run `etcdctl alarm disarm`",
            ),
            Self::Foreign { .. } => Some(
                "give the state a prefix of its own in [state.etcd], or use the version that wrote it",
            ),
            Self::HalfImported => {
                Some("run `ringkeep state import` with --replace again, to its end")
            }
            Self::Replaced => {
                Some("start this process again; stop all task-runners before an import")
            }
            Self::EmptyTransaction
            | Self::RepeatedKey { .. }
            | Self::BadKey { .. }
            | Self::BadPageLimit { .. }
            | Self::InUse { .. } => None,
        }
    }
}
