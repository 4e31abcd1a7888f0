//! Why a store did not do what it was asked, by what the caller can do about it.

use std::error::Error;

type Source = Box<dyn Error + Send + Sync>;

/// Why a store did not do what it was asked. `store` is [`describe`](crate::BlobStore::describe)'s answer.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("there is no object `{key}` in {store}")]
    NotFound { key: String, store: String },
    /// Access is denied, the credentials are wrong or missing, or the store does not let this be deleted or changed.
    #[error("{store} does not permit it: `{key}`")]
    PermissionDenied {
        key: String,
        store: String,
        #[source]
        source: Source,
    },
    /// Nothing was decided: try again.
    #[error("{store} is unavailable, for `{key}`")]
    Unavailable {
        key: String,
        store: String,
        #[source]
        source: Source,
    },
    #[error("{store} is full or over its quota, for `{key}`")]
    QuotaExceeded {
        key: String,
        store: String,
        #[source]
        source: Source,
    },
    #[error("`{key}` in {store} has {size} bytes where at most {bytes_max} are read at once")]
    TooLarge {
        key: String,
        store: String,
        size: u64,
        bytes_max: u64,
    },
    #[error("`{key}` in {store} ends at {size} where bytes {start} to {end} were asked for")]
    OutOfRange {
        key: String,
        store: String,
        size: u64,
        start: u64,
        end: u64,
    },
    #[error("`{key}` is not a key: {why}")]
    Key { key: String, why: &'static str },
    /// Whoever produced the bytes to store failed, not the store.
    #[error("the bytes for `{key}` could not be produced")]
    Source {
        key: String,
        #[source]
        source: Source,
    },
    #[error("the store's settings do not work: {what}")]
    Config {
        what: String,
        #[source]
        source: Option<Source>,
    },
    #[error("{store} failed, for `{key}`")]
    Other {
        key: String,
        store: String,
        #[source]
        source: Source,
    },
}

impl StoreError {
    /// Whether trying again can help without anybody changing anything.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Unavailable { .. } => true,
            Self::NotFound { .. }
            | Self::PermissionDenied { .. }
            | Self::QuotaExceeded { .. }
            | Self::TooLarge { .. }
            | Self::OutOfRange { .. }
            | Self::Key { .. }
            | Self::Source { .. }
            | Self::Config { .. }
            | Self::Other { .. } => false,
        }
    }

    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::NotFound { .. })
    }

    /// What an operator can do.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::PermissionDenied { .. } => Some(
                "check the store's credentials and that they may get, put, list and delete below the prefix",
            ),
            Self::Unavailable { .. } => {
                Some("check the store's address and the network; then try again")
            }
            Self::QuotaExceeded { .. } => Some("make room in the store, or raise its quota"),
            Self::Config { .. } => Some("correct the [store] section of the configuration"),
            Self::NotFound { .. }
            | Self::TooLarge { .. }
            | Self::OutOfRange { .. }
            | Self::Key { .. }
            | Self::Source { .. }
            | Self::Other { .. } => None,
        }
    }
}
