//! Errors of a store, classified by what the caller can do about them.

use std::error::Error;
use std::ops::RangeInclusive;

type Source = Box<dyn Error + Send + Sync>;

/// Why a store did not do what it was asked.
///
/// In every variant, `key` is the key, prefix or first of several keys that the call was given, `store` is
/// [`describe`](crate::BlobStore::describe) of the store, and `source` is the error of the backend.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is no such object.
    #[error("there is no object `{key}` in {store}")]
    NotFound {
        /// The key.
        key: String,
        /// The store.
        store: String,
    },
    /// Access is denied, the credentials are wrong or missing, or the store does not let this be deleted or changed.
    #[error("access to `{key}` denied by {store}")]
    PermissionDenied {
        /// The key.
        key: String,
        /// The store.
        store: String,
        /// The error of the backend.
        #[source]
        source: Source,
    },
    /// The store did not respond, or not in time. Whether the call took effect is unknown: try again.
    #[error("{store} is unavailable, for `{key}`")]
    Unavailable {
        /// The key.
        key: String,
        /// The store.
        store: String,
        /// The error of the backend.
        #[source]
        source: Source,
    },
    /// The store has no space left, or a quota is used up.
    #[error("{store} is full or over its quota, for `{key}`")]
    QuotaExceeded {
        /// The key.
        key: String,
        /// The store.
        store: String,
        /// The error of the backend.
        #[source]
        source: Source,
    },
    /// The object is larger than the caller's limit; nothing of it was read.
    #[error("`{key}` in {store} has {size} bytes, but at most {bytes_max} are read at once")]
    TooLarge {
        /// The key.
        key: String,
        /// The store.
        store: String,
        /// The object's size in bytes.
        size: u64,
        /// The caller's limit in bytes.
        bytes_max: u64,
    },
    /// The requested range reaches beyond the object's end.
    #[error("`{key}` in {store} has {size} bytes, but bytes {start} to {end} were requested")]
    OutOfRange {
        /// The key.
        key: String,
        /// The store.
        store: String,
        /// The object's size in bytes.
        size: u64,
        /// The first byte of the range.
        start: u64,
        /// The byte after the range.
        end: u64,
    },
    /// The text cannot be a key; see [`check_key`](crate::check_key).
    #[error("`{key}` is not a key: {why}")]
    Key {
        /// The text as it was given.
        key: String,
        /// The rule that it breaks.
        why: &'static str,
    },
    /// The caller's stream of bytes to store failed, not the store.
    #[error("the bytes for `{key}` could not be produced")]
    Source {
        /// The key.
        key: String,
        /// The error of the stream.
        #[source]
        source: Source,
    },
    /// The store cannot be opened with its settings.
    #[error("the store's settings do not work: {what}")]
    Config {
        /// Which setting, and what is wrong with it.
        what: String,
        /// The error that it led to, if any.
        #[source]
        source: Option<Source>,
    },
    /// The store, or something in front of it, does not know or not do what is needed of it. Trying again does not help.
    #[error("{store} does not do what is needed, for `{key}`: {what}")]
    Unsuitable {
        /// The key.
        key: String,
        /// The store.
        store: String,
        /// What was asked of it, and how it responded.
        what: Box<str>,
        /// The setting that helps, or what the store has to be able to do.
        hint: &'static str,
    },
    /// This object cannot be copied inside the store, which says nothing of others. Nothing was created.
    #[error("`{key}` is not copied inside {store}: {what}")]
    NotCopied {
        /// The key of the copy.
        key: String,
        /// The store.
        store: String,
        /// What is wrong with the source.
        what: Box<str>,
    },
    /// The store refused or failed for a reason that none of the others covers.
    #[error("{store} failed, for `{key}`")]
    Other {
        /// The key.
        key: String,
        /// The store.
        store: String,
        /// The error of the backend.
        #[source]
        source: Source,
    },
}

impl StoreError {
    /// Whether the same call may succeed later without any change of settings, permissions or content.
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
            | Self::Unsuitable { .. }
            | Self::NotCopied { .. }
            | Self::Other { .. } => false,
        }
    }

    /// Whether the object does not exist, which is not a fault of the store.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::NotFound { .. })
    }

    /// What an operator can do; `None` if that depends on the caller.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::PermissionDenied { source, .. } => Some(hint_of(source).unwrap_or(
                "check the store's credentials and that they may get, put, list and delete below the prefix",
            )),
            Self::Unavailable { source, .. } => Some(
                hint_of(source)
                    .unwrap_or("check the store's address and the network; then try again"),
            ),
            Self::QuotaExceeded { .. } => Some("make room in the store, or raise its quota"),
            Self::Config { .. } => Some("correct the [store] section of the configuration"),
            Self::Unsuitable { hint, .. } => Some(hint),
            Self::Other { source, .. } => hint_of(source),
            Self::NotFound { .. }
            | Self::TooLarge { .. }
            | Self::OutOfRange { .. }
            | Self::Key { .. }
            | Self::NotCopied { .. }
            | Self::Source { .. } => None,
        }
    }
}

/// A store that does not copy. Nothing was created.
pub(crate) fn not_copied(key: &str, store: &str, what: impl Into<Box<str>>) -> StoreError {
    StoreError::Unsuitable {
        key: key.to_owned(),
        store: store.to_owned(),
        what: what.into(),
        hint: "none is needed: what is not copied inside the store is sent to it",
    }
}

/// An object that was not copied because its source has another size than it may have.
pub(crate) fn not_copied_size(
    key: &str,
    store: &str,
    size: u64,
    sizes: &RangeInclusive<u64>,
) -> StoreError {
    let (least, most) = (sizes.start(), sizes.end());
    let what = format!("its source has {size} bytes where {least} to {most} are expected");
    StoreError::NotCopied {
        key: key.to_owned(),
        store: store.to_owned(),
        what: what.into(),
    }
}

fn hint_of(source: &Source) -> Option<&'static str> {
    source.downcast_ref::<Explained>()?.hint
}

/// An error of a backend in plain words. It has no source: what is beneath says the same again.
#[derive(Debug, thiserror::Error)]
#[error("{words}")]
pub(crate) struct Explained {
    pub words: String,
    /// The backend's own code, if it has any.
    pub code: String,
    /// What an operator can do, if that is known better than from the kind of error.
    pub hint: Option<&'static str>,
}

/// The classes of what a backend reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    NotFound,
    Permission,
    Unavailable,
    Quota,
    /// The store does not know what it was asked; it will not the next time either.
    Unsuitable,
    Other,
}

impl Explained {
    /// The error of the port. `unsuitable_hint` is for a store that does not know what it was asked.
    pub fn into_error(
        self,
        kind: Kind,
        key: &str,
        store: &str,
        unsuitable_hint: &'static str,
    ) -> StoreError {
        let (key, store) = (key.to_owned(), store.to_owned());
        if kind == Kind::Unsuitable {
            let (what, hint) = (self.words.into(), self.hint.unwrap_or(unsuitable_hint));
            return StoreError::Unsuitable {
                key,
                store,
                what,
                hint,
            };
        }
        let source = Box::new(self);
        match kind {
            Kind::NotFound => StoreError::NotFound { key, store },
            Kind::Permission => StoreError::PermissionDenied { key, store, source },
            Kind::Unavailable => StoreError::Unavailable { key, store, source },
            Kind::Quota => StoreError::QuotaExceeded { key, store, source },
            Kind::Other | Kind::Unsuitable => StoreError::Other { key, store, source },
        }
    }
}
