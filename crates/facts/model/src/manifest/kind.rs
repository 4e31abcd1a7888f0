//! Kinds of backups, and which of them have a base.

use serde::{Deserialize, Serialize};

use crate::BackupName;

/// Whether a backup builds on another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BackupKind {
    /// Self-contained: every object is its own.
    Full,
    /// Holds only what its base, a full backup, does not.
    Differential,
}

impl BackupKind {
    /// Its word in documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Differential => "differential",
        }
    }
}

/// A kind with a base that goes with it: a full backup never has one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KindWithBase {
    Full,
    Differential {
        /// Absent until one is chosen.
        base: Option<BackupName>,
    },
}

/// A kind and a base that do not go together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BaseMismatch {
    #[error("a full backup has no base")]
    OfFull,
    #[error("a differential backup that has begun has a base")]
    Missing,
}

impl KindWithBase {
    /// A backup that is asked for: the base of a differential may be left to be chosen.
    pub fn requested(kind: BackupKind, base: Option<BackupName>) -> Result<Self, BaseMismatch> {
        match (kind, base) {
            (BackupKind::Full, None) => Ok(Self::Full),
            (BackupKind::Full, Some(_)) => Err(BaseMismatch::OfFull),
            (BackupKind::Differential, base) => Ok(Self::Differential { base }),
        }
    }

    /// A backup that has begun: the base of a differential is chosen.
    pub fn begun(kind: BackupKind, base: Option<BackupName>) -> Result<Self, BaseMismatch> {
        match Self::requested(kind, base)? {
            Self::Differential { base: None } => Err(BaseMismatch::Missing),
            known => Ok(known),
        }
    }

    pub fn kind(&self) -> BackupKind {
        match self {
            Self::Full => BackupKind::Full,
            Self::Differential { .. } => BackupKind::Differential,
        }
    }

    pub fn base(&self) -> Option<&BackupName> {
        match self {
            Self::Full => None,
            Self::Differential { base } => base.as_ref(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_backup_has_no_base_and_a_differential_has_one_once_it_has_begun() {
        use BackupKind::{Differential, Full};
        let base = || Some("sunday".parse::<BackupName>().expect("a name"));
        for (kind, base, requested, begun) in [
            (Full, None, Ok(()), Ok(())),
            (
                Full,
                base(),
                Err(BaseMismatch::OfFull),
                Err(BaseMismatch::OfFull),
            ),
            (Differential, None, Ok(()), Err(BaseMismatch::Missing)),
            (Differential, base(), Ok(()), Ok(())),
        ] {
            let known = KindWithBase::requested(kind, base.clone());
            assert_eq!(known.clone().map(|_| ()), requested, "{kind:?} {base:?}");
            let made = KindWithBase::begun(kind, base.clone());
            assert_eq!(made.map(|_| ()), begun, "{kind:?} {base:?}");
            if let Ok(known) = known {
                assert_eq!((known.kind(), known.base()), (kind, base.as_ref()));
            }
        }
    }
}
