//! The operations of a transaction, and the limits that are checked before any backend sees it.

use std::collections::HashSet;

use serde_json::Value;

use crate::{
    KEY_BYTES_MAX, StateError, TRANSACTION_BYTES_MAX, TRANSACTION_OPERATIONS_MAX, VALUE_BYTES_MAX,
};

/// How much of a key that is too long is shown.
const KEY_CHARS_SHOWN: usize = 64;

/// What a writer expects to find under a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Expected {
    /// Nothing.
    Absent,
    /// A value of exactly this version.
    Version(u64),
    /// Whatever is there, nothing included.
    Anything,
}

impl Expected {
    /// Whether this is what was expected, given the version of what was found.
    pub(crate) fn is_met_by(self, found: Option<u64>) -> bool {
        match self {
            Self::Anything => true,
            Self::Absent => found.is_none(),
            Self::Version(version) => found == Some(version),
        }
    }
}

/// One operation of a transaction.
#[derive(Debug, Clone, PartialEq)]
pub enum Write {
    /// Writes a value.
    Put {
        /// Where to.
        key: String,
        /// What is written; at most [`VALUE_BYTES_MAX`] bytes as JSON text.
        value: Value,
        /// What must be there before.
        expected: Expected,
    },
    /// Deletes a key. If nothing is there and that is as expected, nothing happens.
    Delete {
        /// What to delete.
        key: String,
        /// What must be there before.
        expected: Expected,
    },
}

impl Write {
    /// Writes a value under a key.
    pub fn put(key: impl Into<String>, value: Value, expected: Expected) -> Self {
        Self::Put {
            key: key.into(),
            value,
            expected,
        }
    }

    /// Deletes a key.
    pub fn delete(key: impl Into<String>, expected: Expected) -> Self {
        Self::Delete {
            key: key.into(),
            expected,
        }
    }

    /// The key that it is about.
    pub fn key(&self) -> &str {
        match self {
            Self::Put { key, .. } | Self::Delete { key, .. } => key,
        }
    }

    /// What must be there before.
    pub fn expected(&self) -> Expected {
        match self {
            Self::Put { expected, .. } | Self::Delete { expected, .. } => *expected,
        }
    }
}

/// A write with its value as the bytes that are stored; none for a deletion.
pub(crate) struct Encoded {
    pub write: Write,
    pub bytes: Option<Vec<u8>>,
}

pub(crate) fn check_key(key: &str) -> Result<(), StateError> {
    if key.is_empty() || key.len() > KEY_BYTES_MAX {
        return Err(StateError::BadKey {
            key: key.chars().take(KEY_CHARS_SHOWN).collect(),
            bytes: key.len(),
            max: KEY_BYTES_MAX,
        });
    }
    Ok(())
}

/// Encodes a transaction, or refuses it by the limit that it breaks.
pub(crate) fn encode(writes: Vec<Write>) -> Result<Vec<Encoded>, StateError> {
    check_operations(&writes)?;
    let first = writes[0].key().to_owned();
    let mut encoded = Vec::with_capacity(writes.len());
    let mut total = 0;
    for write in writes {
        let bytes = match &write {
            Write::Put { key, value, .. } => Some(encode_value(key, value)?),
            Write::Delete { .. } => None,
        };
        total += bytes.as_ref().map_or(0, Vec::len);
        encoded.push(Encoded { write, bytes });
    }
    if total > TRANSACTION_BYTES_MAX {
        return Err(StateError::TransactionTooLarge {
            first,
            operations: encoded.len(),
            bytes: total,
            max: TRANSACTION_BYTES_MAX,
        });
    }
    Ok(encoded)
}

fn check_operations(writes: &[Write]) -> Result<(), StateError> {
    let Some(first) = writes.first() else {
        return Err(StateError::EmptyTransaction);
    };
    if writes.len() > TRANSACTION_OPERATIONS_MAX {
        return Err(StateError::TooManyOperations {
            first: first.key().chars().take(KEY_CHARS_SHOWN).collect(),
            operations: writes.len(),
            max: TRANSACTION_OPERATIONS_MAX,
        });
    }
    let mut keys = HashSet::new();
    for write in writes {
        check_key(write.key())?;
        if !keys.insert(write.key()) {
            return Err(StateError::RepeatedKey {
                key: write.key().to_owned(),
            });
        }
    }
    Ok(())
}

fn encode_value(key: &str, value: &Value) -> Result<Vec<u8>, StateError> {
    let bytes = serde_json::to_vec(value).map_err(|source| StateError::NotJson {
        key: key.to_owned(),
        source,
    })?;
    if bytes.len() > VALUE_BYTES_MAX {
        return Err(StateError::ValueTooLarge {
            key: key.to_owned(),
            bytes: bytes.len(),
            max: VALUE_BYTES_MAX,
        });
    }
    Ok(bytes)
}
