//! Why a snapshot is not in the bucket.

use std::path::PathBuf;

use api::{ErrorKind, ServiceError};
use blob_store::StoreError;
use model::TableRef;

use crate::bucket::BucketError;
use crate::cql::CqlError;
use crate::files::FileError;
use crate::journal::JournalError;
use crate::names::PathNameError;
use crate::snapshot::SnapshotError;
use crate::tables::SelectionError;
use crate::work::Stopped;

/// Why a snapshot is not in the bucket.
#[derive(Debug, thiserror::Error)]
pub enum UploadError {
    #[error(transparent)]
    Name(#[from] PathNameError),
    #[error("a differential backup has a base, and no other has")]
    Base,
    #[error(transparent)]
    Selection(#[from] SelectionError),
    #[error(transparent)]
    Cql(#[from] CqlError),
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    #[error(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error(transparent)]
    Bucket(#[from] BucketError),
    #[error(transparent)]
    Stopped(#[from] Stopped),
    #[error("`{}` changed while it was read, {tries} times", path.display())]
    Restless { path: PathBuf, tries: u32 },
    #[error(
        "node {node} holds a damaged SSTable of table `{table}`: `{}` has the CRC32 {found} where its Digest.crc32 says {expected}",
        path.display()
    )]
    Damaged {
        node: String,
        table: TableRef,
        path: PathBuf,
        expected: String,
        found: String,
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

impl From<StoreError> for UploadError {
    fn from(error: StoreError) -> Self {
        BucketError::from(error).into()
    }
}

impl ServiceError for UploadError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Name(error) => error.kind(),
            Self::Base => ErrorKind::InvalidArgument,
            Self::Selection(_) => ErrorKind::NotFound,
            Self::Cql(error) => error.kind(),
            Self::Snapshot(error) => error.kind(),
            Self::File(error) | Self::Journal(JournalError::File(error)) => error.kind(),
            Self::Journal(JournalError::Damaged { .. }) | Self::NoFreeKey { .. } => {
                ErrorKind::Internal
            }
            Self::Bucket(error) => error.kind(),
            Self::Stopped(_) => ErrorKind::Cancelled,
            Self::Restless { .. } => ErrorKind::Unavailable,
            Self::Damaged { .. } => ErrorKind::DataLoss,
            Self::OtherManifest { .. } => ErrorKind::AlreadyExists,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Name(error) => error.reason(),
            Self::Base => "BASE_MISMATCH",
            Self::Selection(_) => "TABLE_NOT_FOUND",
            Self::Cql(error) => error.reason(),
            Self::Snapshot(error) => error.reason(),
            Self::File(error) | Self::Journal(JournalError::File(error)) => error.reason(),
            Self::Journal(JournalError::Damaged { .. }) => "JOURNAL_DAMAGED",
            Self::Bucket(error) => error.reason(),
            Self::Stopped(_) => "STOPPED",
            Self::Restless { .. } => "FILE_CHANGED",
            Self::Damaged { .. } => "SSTABLE_DAMAGED",
            Self::NoFreeKey { .. } => "NO_FREE_KEY",
            Self::OtherManifest { .. } => "NODE_MANIFEST_EXISTS",
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Cql(error) => error.hint(),
            Self::Snapshot(error) => error.hint(),
            Self::File(error) | Self::Journal(JournalError::File(error)) => error.hint(),
            Self::Bucket(error) => error.hint(),
            Self::Damaged { table, .. } => Some(format!(
                "run `nodetool scrub {} {}` and `nodetool repair` on that node, then back up again",
                table.keyspace, table.table
            )),
            Self::OtherManifest { .. } => Some("take the backup under another name".to_owned()),
            Self::Journal(JournalError::Damaged { path, .. }) => {
                Some(format!("delete `{}`", path.display()))
            }
            Self::Name(_)
            | Self::Base
            | Self::Selection(_)
            | Self::Stopped(_)
            | Self::Restless { .. }
            | Self::NoFreeKey { .. } => None,
        }
    }

    fn field(&self) -> Option<&str> {
        match self {
            Self::Name(error) => error.field(),
            Self::Base => Some("base"),
            _ => None,
        }
    }
}
