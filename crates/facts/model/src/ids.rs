//! Names and ids, parsed at the edge into types that cannot be wrong.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The longest name of a cluster or a backup. Object keys and folder names are made of names, and both have limits.
pub const NAME_LEN_MAX: usize = 100;

/// Why a text is not a name or an id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    #[error("the {what} is empty")]
    Empty { what: &'static str },
    #[error("the {what} has {len} characters; at most {NAME_LEN_MAX} are allowed")]
    TooLong { what: &'static str, len: usize },
    #[error(
        "the {what} `{text}` contains {found:?}; allowed are letters, digits, '.', '_' and '-', and it starts with a letter or a digit"
    )]
    Character {
        what: &'static str,
        text: String,
        found: char,
    },
    #[error("the {what} `{text}` is not a UUID")]
    NotUuid { what: &'static str, text: String },
}

fn check_name(what: &'static str, text: &str) -> Result<(), NameError> {
    if text.is_empty() {
        return Err(NameError::Empty { what });
    }
    let len = text.chars().count();
    if len > NAME_LEN_MAX {
        return Err(NameError::TooLong { what, len });
    }
    let allowed = |(at, c): (usize, char)| {
        c.is_ascii_alphanumeric() || (at > 0 && matches!(c, '.' | '_' | '-'))
    };
    match text.chars().enumerate().find(|&at| !allowed(at)) {
        Some((_, found)) => Err(NameError::Character {
            what,
            text: text.to_owned(),
            found,
        }),
        None => Ok(()),
    }
}

/// Makes a checked name type; it becomes part of object keys, so it is restricted.
macro_rules! name_type {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = NameError;

            fn from_str(text: &str) -> Result<Self, NameError> {
                check_name($what, text)?;
                Ok(Self(text.to_owned()))
            }
        }

        impl TryFrom<String> for $name {
            type Error = NameError;

            fn try_from(text: String) -> Result<Self, NameError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }
    };
}

/// Makes a UUID id type, so that a host id is never taken for a table id.
macro_rules! uuid_type {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = NameError;

            fn from_str(text: &str) -> Result<Self, NameError> {
                Uuid::from_str(text).map(Self).map_err(|_| NameError::NotUuid {
                    what: $what,
                    text: text.to_owned(),
                })
            }
        }
    };
}

name_type!(
    /// The name under which a cluster is registered, and under which the bucket files its backups.
    ClusterName,
    "cluster name"
);
name_type!(
    /// The name of a backup, unique within its cluster.
    BackupName,
    "backup name"
);
uuid_type!(
    /// Cassandra's host id: which node, whatever its address.
    HostId,
    "host id"
);
uuid_type!(
    /// A table's id; a table that is dropped and made again gets another.
    TableId,
    "table id"
);
uuid_type!(
    /// A task's id, ordered by time (UUID version 7).
    TaskId,
    "task id"
);

impl TableId {
    /// An id that is made of these texts: the same of the same texts, and of no others. Its version is 8, which Cassandra
    /// gives to no table, so that a table that was made with it can be told from all others.
    pub fn made_of(texts: &[&str]) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("ringkeep table id v1");
        for text in texts {
            hasher.update(&(text.len() as u64).to_be_bytes());
            hasher.update(text.as_bytes());
        }
        let mut bytes = [0; 16];
        hasher.finalize_xof().fill(&mut bytes);
        Self(uuid::Builder::from_custom_bytes(bytes).into_uuid())
    }

    /// Whether the id is one of [`Self::made_of`].
    pub fn is_made(&self) -> bool {
        self.0.get_version_num() == 8
    }

    /// As folder names have it: 32 hex digits.
    pub fn folder_suffix(&self) -> String {
        self.0.simple().to_string()
    }
}

impl TaskId {
    /// When the task was created, in milliseconds, by the clock of the task-runner; none of an id that does not have it.
    pub fn created_at(&self) -> Option<Timestamp> {
        if self.0.get_version_num() != 7 {
            return None;
        }
        let (seconds, nanos) = self.0.get_timestamp()?.to_unix();
        let (seconds, nanos) = (i64::try_from(seconds).ok()?, i32::try_from(nanos).ok()?);
        Timestamp::new(seconds, nanos).ok()
    }
}

/// A backup by its cluster and its name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct BackupRef {
    pub cluster: ClusterName,
    pub name: BackupName,
}

impl fmt::Display for BackupRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.cluster, self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_would_break_an_object_key_are_refused() {
        for bad in [
            "",
            "a/b",
            "a b",
            "..",
            ".hidden",
            "-x",
            "ä",
            "a\n",
            &"x".repeat(300),
        ] {
            assert!(bad.parse::<BackupName>().is_err(), "{bad:?}");
        }
        for good in ["a", "2026-11-22T10.00Z", "nightly_1", &"x".repeat(100)] {
            assert!(good.parse::<BackupName>().is_ok(), "{good:?}");
        }
    }

    #[test]
    fn an_error_names_the_character() {
        let error = "a/b".parse::<ClusterName>().expect_err("slash");
        assert!(error.to_string().contains("'/'"), "{error}");
    }

    #[test]
    fn deserializing_checks_too() {
        assert!(serde_json::from_str::<BackupName>("\"a/b\"").is_err());
    }
}
