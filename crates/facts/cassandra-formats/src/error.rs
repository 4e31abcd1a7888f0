//! What can be wrong with an SSTable, told apart by what an operator does about it.

use std::borrow::Cow;
use std::fmt;
use std::io;

/// Bytes that are not what they must be: which component, where, and what was expected and found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// The component's name, for example `Data.db`.
    pub component: Cow<'static, str>,
    /// Offset in the component as it is stored, in bytes; `None` where the component as a whole is wrong or absent.
    pub offset: Option<u64>,
    pub what: String,
}

impl Damage {
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

/// Why an SSTable could not be worked on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The bytes are wrong: another copy is needed.
    #[error(transparent)]
    Damaged(#[from] Damage),
    /// The bytes may be right, but this is not understood here: an unknown version or compressor, encryption.
    #[error("{component}: {what}")]
    Unsupported {
        component: Cow<'static, str>,
        what: String,
    },
    /// The source of the bytes failed; it says nothing about them.
    #[error("{component} cannot be read")]
    Read {
        component: Cow<'static, str>,
        source: io::Error,
    },
    /// The slice that is being written could not be written.
    #[error("{component} cannot be written")]
    Write {
        component: Cow<'static, str>,
        source: io::Error,
    },
}

impl Error {
    pub fn unsupported(component: impl Into<Cow<'static, str>>, what: impl Into<String>) -> Self {
        Self::Unsupported {
            component: component.into(),
            what: what.into(),
        }
    }

    pub fn read(component: impl Into<Cow<'static, str>>, source: io::Error) -> Self {
        Self::Read {
            component: component.into(),
            source,
        }
    }
}

pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error that went through `std::io::Read` comes back as what it was.
impl Error {
    pub fn from_io(component: &'static str, error: io::Error) -> Self {
        match error.downcast::<Self>() {
            Ok(error) => error,
            Err(source) => Self::read(component, source),
        }
    }
}
