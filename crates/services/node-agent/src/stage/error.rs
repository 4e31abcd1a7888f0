//! Why a restore is not staged.

use std::path::PathBuf;

use api::{ErrorKind, ServiceError};
use blob_store::StoreError;
use model::{BackupRef, HostId, TableId, TableRef};

use crate::error::AgentError;

/// Why a restore is not staged.
#[derive(Debug, thiserror::Error)]
pub enum StageError {
    #[error(transparent)]
    Agent(AgentError),
    #[error("the bucket has no object `{object}`, the manifest of a source node")]
    NoManifest { object: String },
    #[error("the request does not say which manifest of node {source_node} to restore from")]
    NoHash { source_node: HostId },
    #[error("the manifest of node {source_node} does not name table `{table}` with the id {id}")]
    NoTable {
        source_node: HostId,
        table: TableRef,
        id: TableId,
    },
    #[error(
        "the manifest of node {source_node} names the file `{file}`, which is none of an SSTable"
    )]
    NotComponent { source_node: HostId, file: String },
    #[error(
        "restore `{restore}` has already begun with other nodes or tables, from backup `{backup}`"
    )]
    OtherRestore { restore: String, backup: BackupRef },
    #[error(
        "what is to be taken of keyspace `{keyspace}` of node {source_node} makes no sense: {why}"
    )]
    Share {
        source_node: HostId,
        keyspace: String,
        why: String,
    },
    #[error(
        "only a part of the SSTable `{sstable}` of table `{table}` of node {source_node} belongs to this node, and it cannot be sliced: {why}"
    )]
    NotSliceable {
        source_node: HostId,
        table: TableRef,
        sstable: String,
        why: String,
    },
    #[error(
        "the SSTable `{sstable}` of table `{table}` of node {source_node} is damaged in the bucket: {what}"
    )]
    Damaged {
        source_node: HostId,
        table: TableRef,
        sstable: String,
        what: String,
    },
    #[error(
        "files cannot be moved between the staging folder `{}` and `{}`, the folder of table `{table}`: they are on different filesystems or mounts",
        staging.display(), live.display()
    )]
    OtherDevice {
        table: TableRef,
        live: PathBuf,
        staging: PathBuf,
    },
    #[error(
        "cassandra.yaml names the data directories {}, and this agent was started for {}",
        paths(now),
        paths(known)
    )]
    OtherDirectories {
        known: Vec<PathBuf>,
        now: Vec<PathBuf>,
    },
    #[error("the object `{object}` is missing in the bucket")]
    Missing { object: String },
    #[error("the object `{object}` has {found} bytes where the manifest says at least {needed}")]
    TooShort {
        object: String,
        needed: u64,
        found: u64,
    },
    #[error("the object `{object}` has {found} bytes where the manifest says {expected}")]
    Length {
        object: String,
        expected: u64,
        found: u64,
    },
    #[error("the object `{object}` has the BLAKE3 {found} where the manifest says {expected}")]
    Hash {
        object: String,
        expected: String,
        found: String,
    },
    #[error(
        "`{}` has {free} bytes free, and {needed} are needed there to stage the restore, {reserved} of them as reserve",
        path.display()
    )]
    InsufficientSpace {
        path: PathBuf,
        needed: u64,
        free: u64,
        reserved: u64,
    },
}

fn paths(paths: &[PathBuf]) -> String {
    let paths: Vec<String> = paths
        .iter()
        .map(|path| format!("`{}`", path.display()))
        .collect();
    paths.join(", ")
}

impl StageError {
    /// Why an object of the backup could not be read: it is not as the manifest says, or the store failed.
    pub fn of_read(error: StoreError, object: &str) -> Self {
        let object = object.to_owned();
        match error {
            StoreError::NotFound { .. } => Self::Missing { object },
            StoreError::OutOfRange { size, end, .. } => Self::TooShort {
                object,
                needed: end,
                found: size,
            },
            error => error.into(),
        }
    }
}

impl<E: Into<AgentError>> From<E> for StageError {
    fn from(error: E) -> Self {
        Self::Agent(error.into())
    }
}

impl ServiceError for StageError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Agent(error) => error.kind(),
            Self::NoManifest { .. }
            | Self::NotComponent { .. }
            | Self::Missing { .. }
            | Self::TooShort { .. }
            | Self::Length { .. }
            | Self::Hash { .. }
            | Self::Damaged { .. } => ErrorKind::DataLoss,
            Self::NoHash { .. } | Self::NoTable { .. } | Self::Share { .. } => {
                ErrorKind::InvalidArgument
            }
            Self::NotSliceable { .. }
            | Self::OtherDevice { .. }
            | Self::OtherDirectories { .. } => ErrorKind::FailedPrecondition,
            Self::OtherRestore { .. } => ErrorKind::AlreadyExists,
            Self::InsufficientSpace { .. } => ErrorKind::ResourceExhausted,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Agent(error) => error.reason(),
            Self::NoManifest { .. } => "NODE_MANIFEST_MISSING",
            Self::NotComponent { .. } => "MANIFEST_DAMAGED",
            Self::NoHash { .. } => "NO_MANIFEST_HASH",
            Self::NoTable { .. } => "TABLE_NOT_IN_BACKUP",
            Self::OtherRestore { .. } => "RESTORE_EXISTS",
            Self::Share { .. } => "BAD_SHARE",
            Self::NotSliceable { .. } => "SSTABLE_NOT_SLICEABLE",
            Self::Damaged { .. } => "SSTABLE_DAMAGED",
            Self::OtherDevice { .. } => "TABLE_ON_OTHER_DEVICE",
            Self::OtherDirectories { .. } => "DATA_DIRECTORIES_CHANGED",
            Self::Missing { .. } => "OBJECT_MISSING",
            Self::TooShort { .. } | Self::Length { .. } | Self::Hash { .. } => "OBJECT_DAMAGED",
            Self::InsufficientSpace { .. } => "DISK_FULL",
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Agent(error) => error.hint(),
            Self::NoManifest { .. }
            | Self::NotComponent { .. }
            | Self::Missing { .. }
            | Self::TooShort { .. }
            | Self::Length { .. }
            | Self::Hash { .. }
            | Self::Damaged { .. } => {
                Some("run `ringkeep backup verify`, and restore another backup".to_owned())
            }
            Self::InsufficientSpace { .. } => {
                Some("free space on that data directory, or restore fewer tables".to_owned())
            }
            Self::OtherRestore { .. } => Some("finish that restore first".to_owned()),
            Self::NoHash { .. } => Some(
                "plan the restore again with a task-runner of the agents' release".to_owned(),
            ),
            Self::NotSliceable { .. } => Some(
                "restore into the ring that the backup was taken of: there each SSTable is taken whole"
                    .to_owned(),
            ),
            Self::OtherDevice { .. } => Some(
                "move that folder onto the filesystem and mount of its data directory, or leave its tables out; Cassandra 4.0 and later can restore them online"
                    .to_owned(),
            ),
            Self::OtherDirectories { .. } => Some(
                "restart the agent, which reads cassandra.yaml when it starts, and plan the restore again".to_owned(),
            ),
            Self::NoTable { .. } | Self::Share { .. } => None,
        }
    }

    fn field(&self) -> Option<&str> {
        match self {
            Self::Agent(error) => error.field(),
            Self::NoHash { .. } => Some("manifests"),
            Self::NoTable { .. } => Some("tables"),
            Self::Share { .. } => Some("shares"),
            _ => None,
        }
    }
}
