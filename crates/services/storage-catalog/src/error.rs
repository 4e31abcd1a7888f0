//! Why the catalog did not do what it was asked, and what each reason means on the wire.

use api::{ErrorKind, ServiceError};
use blob_store::StoreError;
use bucket::{BucketError, DocumentError, store_kind, store_reason};
use chassis::work::Stopped;
use jiff::Timestamp;
use model::manifest::BaseMismatch;
use model::{BackupName, BackupRef, ClusterName, TaskId};

/// Why the catalog did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    #[error("there is no backup `{backup}`")]
    NotFound {
        backup: String,
        nearest: Vec<String>,
    },
    #[error("`{name}` is the name of a backup in more than one cluster: {}", .clusters.join(", "))]
    Ambiguous {
        name: BackupName,
        clusters: Vec<String>,
    },
    #[error("the backup name `{backup}` is taken: {by}")]
    Exists { backup: BackupRef, by: String },
    #[error("cluster `{cluster}` has no full backup to build a differential on")]
    NoBase { cluster: ClusterName },
    #[error("`{base}` cannot be the base: {why}")]
    BaseUnsuitable { base: BackupRef, why: String },
    #[error(transparent)]
    BaseMismatch(#[from] BaseMismatch),
    #[error("the backup `{backup}` was never begun")]
    NotBegun { backup: BackupRef },
    #[error("the backup `{backup}` is made by task {owner}, not by {task}")]
    OtherTask {
        backup: BackupRef,
        owner: TaskId,
        task: TaskId,
    },
    #[error("the backup `{backup}` was given up")]
    GivenUp { backup: BackupRef },
    #[error("the backup `{backup}` is committed and cannot be given up any more")]
    Committed { backup: BackupRef },
    #[error("the backup `{backup}` is not complete: it {state}")]
    NotComplete {
        backup: BackupRef,
        state: &'static str,
    },
    #[error("the backup `{backup}` is being deleted")]
    Deleting { backup: BackupRef },
    #[error("the backup `{backup}` is pinned by task {}", list(.tasks))]
    Pinned {
        backup: BackupRef,
        tasks: Vec<TaskId>,
    },
    #[error("the backup `{backup}` is pinned: {}", shorten(.reasons))]
    Kept {
        backup: BackupRef,
        reasons: Vec<String>,
    },
    #[error("the pin of `{backup}` would have ended already")]
    PinEnded { backup: BackupRef },
    #[error("the backup `{backup}` was not begun at {meant}: it is another one of that name")]
    AnotherBackup { backup: BackupRef, meant: Timestamp },
    #[error("`{backup}` may go only while `{gone}` is there, and that is deleted")]
    ReliedOnGone { backup: BackupRef, gone: BackupRef },
    #[error("the deletion of `{backup}` was not to begin after {not_after}")]
    TooLate {
        backup: BackupRef,
        not_after: Timestamp,
    },
    #[error("no deletion of `{backup}` has begun to delete")]
    DeletionNotBegun { backup: BackupRef },
    #[error(
        "a backup of the name `{backup}` was deleted, and the names of deleted backups are not taken again"
    )]
    Buried { backup: BackupRef },
    #[error("what is kept of the backup `{backup}` is of use: it is complete or being made")]
    NotGarbage { backup: BackupRef },
    #[error("the backup `{backup}` is the base of {}", .dependents.join(", "))]
    IsBase {
        backup: BackupRef,
        dependents: Vec<String>,
    },
    #[error("the backup `{backup}` is being made by task {task}")]
    Running { backup: BackupRef, task: TaskId },
    #[error("`{unreadable}` cannot be read, so it is not known whether it needs `{backup}`")]
    Unclear {
        backup: BackupRef,
        unreadable: BackupRef,
    },
    #[error("another deletion of `{backup}` is at work")]
    AnotherDeletion { backup: BackupRef },
    #[error("the backup `{backup}` is not whole: {}", shorten(.missing))]
    Incomplete {
        backup: BackupRef,
        missing: Vec<String>,
    },
    #[error("the nodes of the backup `{backup}` do not fit together: {what}")]
    Disagree { backup: BackupRef, what: String },
    #[error("`{key}` cannot be read")]
    Document {
        key: String,
        #[source]
        source: DocumentError,
    },
    #[error(transparent)]
    Unwritable(BucketError),
    #[error("{store} does not let objects be deleted")]
    UndeletableStore {
        store: String,
        #[source]
        source: StoreError,
    },
    #[error("{store} overwrites objects that it was told to create only, {how}")]
    OverwritingStore { store: String, how: &'static str },
    #[error(transparent)]
    Stopped(#[from] Stopped),
    #[error("could not {doing}")]
    Store {
        doing: &'static str,
        #[source]
        source: StoreError,
    },
}

/// How many of a long list an error names.
const NAMED_MAX: usize = 8;

fn list(tasks: &[TaskId]) -> String {
    let tasks: Vec<String> = tasks.iter().map(TaskId::to_string).collect();
    shorten(&tasks)
}

fn shorten(items: &[String]) -> String {
    let named = items
        .iter()
        .take(NAMED_MAX)
        .cloned()
        .collect::<Vec<_>>()
        .join("; ");
    match items.len().saturating_sub(NAMED_MAX) {
        0 => named,
        more => format!("{named}; and {more} more"),
    }
}

impl CatalogError {
    /// Names what was being done when the store failed.
    pub fn store(doing: &'static str) -> impl FnOnce(StoreError) -> Self {
        move |source| Self::Store { doing, source }
    }

    /// The same for documents, whose own errors say what they are about.
    pub fn bucket(doing: &'static str) -> impl FnOnce(BucketError) -> Self {
        move |error| match error {
            BucketError::Store(source) => Self::Store { doing, source },
            BucketError::Document { key, source } => Self::Document { key, source },
            BucketError::Unwritable { .. } => Self::Unwritable(error),
        }
    }

    /// Whether a document is there and cannot be used, rather than out of reach.
    pub fn is_unreadable(&self) -> bool {
        matches!(self, Self::Document { .. })
    }
}

impl ServiceError for CatalogError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::NotFound { .. } => ErrorKind::NotFound,
            Self::Exists { .. } | Self::Buried { .. } => ErrorKind::AlreadyExists,
            Self::BaseMismatch(_) | Self::PinEnded { .. } => ErrorKind::InvalidArgument,
            Self::AnotherDeletion { .. } => ErrorKind::Unavailable,
            Self::Document { source, .. } => source.kind(),
            Self::Unwritable(error) => error.kind(),
            Self::Store { source, .. } => store_kind(source),
            Self::Stopped(error) => error.kind(),
            Self::Ambiguous { .. }
            | Self::NoBase { .. }
            | Self::BaseUnsuitable { .. }
            | Self::NotBegun { .. }
            | Self::OtherTask { .. }
            | Self::GivenUp { .. }
            | Self::Committed { .. }
            | Self::NotComplete { .. }
            | Self::Deleting { .. }
            | Self::Pinned { .. }
            | Self::Kept { .. }
            | Self::AnotherBackup { .. }
            | Self::ReliedOnGone { .. }
            | Self::NotGarbage { .. }
            | Self::TooLate { .. }
            | Self::DeletionNotBegun { .. }
            | Self::IsBase { .. }
            | Self::Running { .. }
            | Self::Unclear { .. }
            | Self::Incomplete { .. }
            | Self::Disagree { .. }
            | Self::UndeletableStore { .. }
            | Self::OverwritingStore { .. } => ErrorKind::FailedPrecondition,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::NotFound { .. } => "BACKUP_NOT_FOUND",
            Self::Ambiguous { .. } => "BACKUP_AMBIGUOUS",
            Self::Exists { .. } => "BACKUP_EXISTS",
            Self::NoBase { .. } => "NO_BASE",
            Self::BaseUnsuitable { .. } => "BASE_UNSUITABLE",
            Self::BaseMismatch(_) => "BASE_OF_FULL",
            Self::NotBegun { .. } => "BACKUP_NOT_BEGUN",
            Self::OtherTask { .. } => "OTHER_TASK",
            Self::GivenUp { .. } => "BACKUP_GIVEN_UP",
            Self::Committed { .. } => "BACKUP_COMMITTED",
            Self::NotComplete { .. } => "BACKUP_NOT_COMPLETE",
            Self::Deleting { .. } => "BACKUP_DELETING",
            Self::Pinned { .. } | Self::Kept { .. } => "BACKUP_PINNED",
            Self::PinEnded { .. } => "PIN_ENDED",
            Self::AnotherBackup { .. } => "BACKUP_IS_ANOTHER",
            Self::ReliedOnGone { .. } => "RELIED_ON_GONE",
            Self::NotGarbage { .. } => "NOT_GARBAGE",
            Self::TooLate { .. } => "DELETION_TOO_LATE",
            Self::DeletionNotBegun { .. } => "DELETION_NOT_BEGUN",
            Self::Buried { .. } => "BACKUP_NAME_BURIED",
            Self::IsBase { .. } => "BACKUP_IS_BASE",
            Self::Running { .. } => "BACKUP_RUNNING",
            Self::Unclear { .. } => "REFERENCES_UNCLEAR",
            Self::AnotherDeletion { .. } => "DELETION_AT_WORK",
            Self::Incomplete { .. } => "BACKUP_INCOMPLETE",
            Self::Disagree { .. } => "NODES_DISAGREE",
            Self::Document { source, .. } => source.reason(),
            Self::Unwritable(error) => error.reason(),
            Self::UndeletableStore { .. } => "STORE_REFUSES_DELETE",
            Self::OverwritingStore { .. } => "STORE_OVERWRITES",
            Self::Store { source, .. } => store_reason(source),
            Self::Stopped(error) => error.reason(),
        }
    }

    fn hint(&self) -> Option<String> {
        let text = match self {
            Self::NotFound { nearest, .. } if nearest.is_empty() => {
                "list the backups to see what there is"
            }
            Self::NotFound { nearest, .. } => {
                return Some(format!("did you mean {}", nearest.join(" or ")));
            }
            Self::Ambiguous { .. } => "name the cluster too",
            Self::Exists { .. } | Self::Buried { .. } => "choose another name",
            Self::NoBase { .. } => "make a full backup first",
            Self::BaseUnsuitable { .. } => {
                "name a complete full backup of the same cluster, or none for the newest"
            }
            Self::GivenUp { .. } => "make the backup again under another name",
            Self::Deleting { .. } => {
                "choose another backup; deleting this one again finishes a deletion that was cut short"
            }
            Self::Pinned { .. } => {
                "wait for the task, or give it up with `ringkeep task cancel`, which releases the pin of a restore that has failed, too; a pin of a task that no task-runner knows is released by the storage-catalog's UnpinBackup"
            }
            Self::Kept { .. } => {
                "release it with `ringkeep backup unpin` if it is no longer needed"
            }
            Self::PinEnded { .. } => "give a later end, or none",
            Self::AnotherBackup { .. }
            | Self::ReliedOnGone { .. }
            | Self::NotGarbage { .. }
            | Self::DeletionNotBegun { .. } => {
                "list the backups again, and decide by what there is now"
            }
            Self::TooLate { .. } => {
                "decide again; if this goes on, compare the clocks of the task-runner and the storage-catalog"
            }
            Self::IsBase { .. } => "delete the backups that build on it first",
            Self::Running { .. } => {
                "cancel the task first; where it is known to be dead, say that you delete a running backup"
            }
            Self::Unclear { .. } => {
                "use the release that wrote it, or delete the unreadable backup first"
            }
            Self::Incomplete { .. } => {
                "see the agents' logs for why it was not uploaded, and make the backup again"
            }
            Self::Disagree { .. } => {
                "wait until the ring and its schema are at rest, and make the backup again"
            }
            Self::Document { source, .. } => return source.hint(),
            Self::Unwritable(error) => return error.hint(),
            Self::UndeletableStore { .. } => {
                "grant deletion below the prefix, or wait for the bucket's retention to end"
            }
            Self::OverwritingStore { .. } => {
                "use a store that honours `If-None-Match: *` on PutObject and on CompleteMultipartUpload"
            }
            Self::Store { source, .. } => source.hint()?,
            Self::BaseMismatch(_)
            | Self::NotBegun { .. }
            | Self::OtherTask { .. }
            | Self::Committed { .. }
            | Self::NotComplete { .. }
            | Self::AnotherDeletion { .. }
            | Self::Stopped(_) => return None,
        };
        Some(text.to_owned())
    }
}
