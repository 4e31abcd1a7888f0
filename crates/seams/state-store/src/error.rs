//! Why the store did not do what it was asked.

use std::path::PathBuf;

/// Why the store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    #[error("`{key}` was changed by somebody else in the meantime")]
    Conflict { key: String },
    #[error("the lease `{lease}` with token {token} is no longer held")]
    Fenced { lease: String, token: u64 },
    #[error("the lease `{lease}` is held by {holder}")]
    LeaseHeld { lease: String, holder: String },
    #[error("the value of `{key}` has {bytes} bytes; at most {max} are allowed")]
    ValueTooLarge {
        key: String,
        bytes: usize,
        max: usize,
    },
    #[error("`{key}` is not a key: empty, or longer than {max} bytes")]
    BadKey { key: String, max: usize },
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
    #[error("could not {action}")]
    Backend {
        action: &'static str,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl StateError {
    /// Whether the same request may succeed later without anybody changing it.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::LeaseHeld { .. } | Self::Backend { .. } => true,
            Self::Conflict { .. }
            | Self::Fenced { .. }
            | Self::ValueTooLarge { .. }
            | Self::BadKey { .. }
            | Self::NotJson { .. }
            | Self::InUse { .. }
            | Self::Open { .. } => false,
        }
    }
}
