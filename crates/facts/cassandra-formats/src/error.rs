//! What can be wrong with an SSTable, classified by what an operator does about it.

use std::borrow::Cow;
use std::fmt;
use std::io;

/// Bytes that are not what they must be: which component, where, and what was expected and found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// The component's name, for example `Data.db`.
    pub component: Cow<'static, str>,
    /// Offset in the component as it is stored, in bytes; `None` if the component as a whole is wrong or absent.
    pub offset: Option<u64>,
    /// What is wrong: what was expected and what was found.
    pub what: String,
}

impl Damage {
    /// Damage at an offset of a component.
    pub fn at(
        component: impl Into<Cow<'static, str>>,
        offset: u64,
        what: impl Into<String>,
    ) -> Self {
        Self {
            component: component.into(),
            offset: Some(offset),
            what: what.into(),
        }
    }

    /// Damage of a component as a whole.
    pub fn whole(component: impl Into<Cow<'static, str>>, what: impl Into<String>) -> Self {
        Self {
            component: component.into(),
            offset: None,
            what: what.into(),
        }
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.offset {
            Some(offset) => write!(f, "{} at byte {offset}: {}", self.component, self.what),
            None => write!(f, "{}: {}", self.component, self.what),
        }
    }
}

impl std::error::Error for Damage {}

/// Why an SSTable could not be read, verified or sliced.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The bytes are wrong: another copy is needed.
    #[error(transparent)]
    Damaged(#[from] Damage),
    /// The bytes may be right, but this crate does not understand them: an unknown version or compressor, encryption.
    #[error("{component}: {what}")]
    Unsupported {
        /// The component's name.
        component: Cow<'static, str>,
        /// What is not supported.
        what: String,
    },
    /// The source of the bytes failed, so nothing is known about them.
    #[error("{component} cannot be read")]
    Read {
        /// The component's name.
        component: Cow<'static, str>,
        /// The error of the source.
        source: io::Error,
    },
    /// The caller's sink for a new SSTable failed.
    #[error("{component} cannot be written")]
    Write {
        /// The component's name.
        component: Cow<'static, str>,
        /// The error of the sink.
        source: io::Error,
    },
}

impl Error {
    /// An [`Error::Unsupported`].
    pub fn unsupported(component: impl Into<Cow<'static, str>>, what: impl Into<String>) -> Self {
        Self::Unsupported {
            component: component.into(),
            what: what.into(),
        }
    }

    /// An [`Error::Read`].
    pub fn read(component: impl Into<Cow<'static, str>>, source: io::Error) -> Self {
        Self::Read {
            component: component.into(),
            source,
        }
    }
}

/// A result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;
