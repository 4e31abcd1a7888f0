//! Why a snapshot is not in the bucket.

use std::path::PathBuf;

use api::{ErrorKind, ServiceError};
use model::TableRef;
use model::manifest::KeptDamage;

use crate::error::AgentError;
use crate::journal::JournalError;
use crate::snapshot::SnapshotError;

/// How much damage of one file an error shows.
const DAMAGE_SHOWN_MAX: usize = 4;

/// Why a snapshot is not in the bucket.
#[derive(Debug, thiserror::Error)]
pub enum UploadError {
    #[error(transparent)]
    Agent(AgentError),
    #[error("a differential backup has a base, and no other has")]
    Base,
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    #[error("`{}` changed while it was read, {tries} times", path.display())]
    FileChanged { path: PathBuf, tries: u32 },
    #[error(
        "node {node} holds a damaged SSTable of table `{table}`: `{}` is damaged: {}",
        path.display(),
        shown(damage)
    )]
    Damaged {
        node: String,
        table: TableRef,
        path: PathBuf,
        damage: Vec<KeptDamage>,
    },
    #[error("`{key}` and {tries} keys like it hold other content than `{}`", path.display())]
    NoFreeKey {
        key: String,
        tries: u32,
        path: PathBuf,
    },
    #[error("the node manifest `{key}` is there already, of another snapshot")]
    OtherManifest { key: String },
}

fn shown(damage: &[KeptDamage]) -> String {
    let first: Vec<String> = damage
        .iter()
        .take(DAMAGE_SHOWN_MAX)
        .map(KeptDamage::to_string)
        .collect();
    match damage.len().saturating_sub(DAMAGE_SHOWN_MAX) {
        0 => first.join("; "),
        more => format!("{}; and {more} more", first.join("; ")),
    }
}

impl<E: Into<AgentError>> From<E> for UploadError {
    fn from(error: E) -> Self {
        Self::Agent(error.into())
    }
}

impl ServiceError for UploadError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Agent(error) => error.kind(),
            Self::Base => ErrorKind::InvalidArgument,
            Self::Snapshot(error) => error.kind(),
            Self::NoFreeKey { .. } => ErrorKind::Internal,
            Self::FileChanged { .. } => ErrorKind::Unavailable,
            Self::Damaged { .. } => ErrorKind::DataLoss,
            Self::OtherManifest { .. } => ErrorKind::AlreadyExists,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Agent(error) => error.reason(),
            Self::Base => "BASE_MISMATCH",
            Self::Snapshot(error) => error.reason(),
            Self::FileChanged { .. } => "FILE_CHANGED",
            Self::Damaged { .. } => "SSTABLE_DAMAGED",
            Self::NoFreeKey { .. } => "NO_FREE_KEY",
            Self::OtherManifest { .. } => "NODE_MANIFEST_EXISTS",
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            // All that it knows can be found out again, by reading and hashing.
            Self::Agent(AgentError::Journal(JournalError::Damaged { path, .. })) => {
                Some(format!("delete `{}`", path.display()))
            }
            Self::Agent(error) => error.hint(),
            Self::Snapshot(error) => error.hint(),
            Self::Damaged { table, .. } => Some(format!(
                "run `nodetool scrub {} {}` and `nodetool repair` on that node, then back up again; `--keep-damaged` takes it as it is",
                table.keyspace, table.table
            )),
            Self::OtherManifest { .. } => Some("take the backup under another name".to_owned()),
            Self::Base | Self::FileChanged { .. } | Self::NoFreeKey { .. } => None,
        }
    }

    fn field(&self) -> Option<&str> {
        match self {
            Self::Agent(error) => error.field(),
            Self::Base => Some("base"),
            _ => None,
        }
    }
}
