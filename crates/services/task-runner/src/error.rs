//! Why the runner refused a request.

use api::client::ConnectError;
use api::convert::ConversionError;
use api::{ErrorKind, RemoteError, ServiceError};
use jiff::Timestamp;
use model::leftover::LeftoverOwner;
use model::task::{TaskKind, TaskState};
use model::{ClusterName, TaskId};
use state_store::StateError;
use tonic::Status;

/// Why the runner refused a request.
#[derive(Debug, thiserror::Error)]
pub enum RunnerError {
    #[error(transparent)]
    Conversion(#[from] ConversionError),
    #[error("cluster `{0}` is not registered")]
    UnknownCluster(ClusterName),
    #[error("cluster `{0}` is registered with other agents: {1}")]
    ClusterExists(ClusterName, String),
    #[error("cluster `{name}` cannot be registered: {reasons}", reasons = reasons.join("; "))]
    ClusterRefused {
        name: ClusterName,
        reasons: Vec<String>,
    },
    #[error("no agent of cluster `{name}` replied: {reasons}", reasons = reasons.join("; "))]
    AgentsUnreachable {
        name: ClusterName,
        reasons: Vec<String>,
    },
    #[error("agents of cluster `{name}` would be called without TLS, although TLS is set: {}", agents.join(", "))]
    AgentsWithoutTls {
        name: ClusterName,
        agents: Vec<String>,
    },
    #[error("cluster `{cluster}` is busy with task {task}{}", waiting(retrying.as_deref()))]
    ClusterBusy {
        cluster: ClusterName,
        task: TaskId,
        /// Whether the task can still be cancelled.
        may_cancel: bool,
        /// What it waits for, if it does nothing else.
        retrying: Option<String>,
    },
    #[error("there is no task {0}")]
    UnknownTask(TaskId),
    #[error("task {id} has ended: {state:?}")]
    TaskEnded { id: TaskId, state: TaskState },
    #[error("the old files of task {id} are neither deleted nor put back: {why}")]
    NoWayBack {
        id: TaskId,
        why: String,
        hint: String,
    },
    #[error("task {id} cannot be resumed: {why}")]
    NotResumable {
        id: TaskId,
        why: String,
        hint: &'static str,
    },
    #[error(
        "task {id} cannot be resumed: {} {newer} has dealt with some of its tables since, until {at}: what this restore had loaded may be gone, and what it would load is older",
        task_word(*kind)
    )]
    Superseded {
        id: TaskId,
        newer: TaskId,
        kind: TaskKind,
        at: Timestamp,
    },
    #[error("task {0} has begun to replace data and can no longer be cancelled")]
    RestorePastPointOfNoReturn(TaskId),
    #[error("task {0} is committing its backup and can no longer be cancelled")]
    BackupPastPointOfNoReturn(TaskId),
    #[error("task {0} has begun to delete its backup and can no longer be cancelled")]
    DeletionHasBegun(TaskId),
    #[error("task {id} is ended as it is only by force: nothing that it has done is undone")]
    ForceNeeded {
        id: TaskId,
        /// Whether it can still be cancelled, which undoes it.
        may_cancel: bool,
    },
    #[error("what task {id} has left is in use: {}", in_use(*owner))]
    LeftoversInUse {
        id: TaskId,
        owner: LeftoverOwner,
        /// The task that needs it: itself, or its rollback.
        by: TaskId,
    },
    #[error("task {0} is driven by another runner")]
    DrivenElsewhere(TaskId),
    #[error("the plan holds what this runner does not understand: {0}")]
    PlanNotUnderstood(String),
    #[error("this runner does not know tasks of the kind {0:?}")]
    UnknownKind(TaskKind),
    #[error("the document `{name}` of task {id} is not in the state store")]
    DocumentLost { id: TaskId, name: &'static str },
    #[error("the claim on cluster `{0}` changes too fast")]
    ClaimContended(ClusterName),
    #[error("there is no plan {0}")]
    UnknownPlan(u64),
    #[error("plan {number} no longer holds: {why}")]
    PlanOutdated { number: u64, why: String },
    #[error("no node of `{0}` returned its schema: {1}")]
    NoSchema(ClusterName, String),
    #[error("this runner is shutting down")]
    ShuttingDown,
    #[error("the work on this request was cut short by a fault of the runner")]
    Fault,
    #[error("cannot connect to `{address}`")]
    Connect {
        address: String,
        #[source]
        source: ConnectError,
    },
    #[error("{who} refused: {error}")]
    Remote {
        who: &'static str,
        error: Box<RemoteError>,
    },
    #[error("the state could not be read or written")]
    State(#[from] StateError),
    #[error("the state of `{key}` cannot be read; it may be from a newer version")]
    Unreadable {
        key: String,
        #[source]
        source: serde_json::Error,
    },
}

fn in_use(owner: LeftoverOwner) -> &'static str {
    match owner {
        LeftoverOwner::Resumable => "the task has failed and can be resumed",
        _ => "the task is not at its end",
    }
}

fn waiting(retrying: Option<&str>) -> String {
    retrying
        .map(|why| format!(", which only waits: {why}"))
        .unwrap_or_default()
}

fn task_word(kind: TaskKind) -> &'static str {
    match kind {
        TaskKind::Backup => "backup task",
        TaskKind::Restore => "restore task",
        TaskKind::Accept => "acceptance of a restore",
        TaskKind::Rollback => "rollback",
        TaskKind::Verify => "verification",
        TaskKind::Delete => "deletion",
    }
}

impl RunnerError {
    pub(crate) fn not_resumable(id: TaskId, why: impl Into<String>, hint: &'static str) -> Self {
        Self::NotResumable {
            id,
            why: why.into(),
            hint,
        }
    }

    /// For an error that another service returned.
    pub(crate) fn remote(who: &'static str) -> impl Fn(RemoteError) -> Self {
        move |error| Self::Remote {
            who,
            error: Box::new(error),
        }
    }
}

impl ServiceError for RunnerError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Conversion(error) => error.kind(),
            Self::AgentsWithoutTls { .. } => ErrorKind::InvalidArgument,
            Self::UnknownCluster(_) | Self::UnknownTask(_) | Self::UnknownPlan(_) => {
                ErrorKind::NotFound
            }
            Self::ClusterExists(..) => ErrorKind::AlreadyExists,
            Self::ClusterRefused { .. }
            | Self::ClusterBusy { .. }
            | Self::PlanOutdated { .. }
            | Self::TaskEnded { .. }
            | Self::NoWayBack { .. }
            | Self::NotResumable { .. }
            | Self::Superseded { .. }
            | Self::RestorePastPointOfNoReturn(_)
            | Self::BackupPastPointOfNoReturn(_)
            | Self::DeletionHasBegun(_)
            | Self::ForceNeeded { .. }
            | Self::LeftoversInUse { .. } => ErrorKind::FailedPrecondition,
            Self::AgentsUnreachable { .. }
            | Self::DrivenElsewhere(_)
            | Self::NoSchema(..)
            | Self::ShuttingDown
            | Self::ClaimContended(_)
            | Self::Connect { .. } => ErrorKind::Unavailable,
            Self::PlanNotUnderstood(_)
            | Self::UnknownKind(_)
            | Self::DocumentLost { .. }
            | Self::Fault
            | Self::Unreadable { .. } => ErrorKind::Internal,
            Self::Remote { error, .. } => error.kind,
            Self::State(error) if error.is_retryable() => ErrorKind::Unavailable,
            Self::State(_) => ErrorKind::Internal,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Conversion(error) => error.reason(),
            Self::UnknownCluster(_) => "CLUSTER_NOT_FOUND",
            Self::ClusterExists(..) => "CLUSTER_EXISTS",
            Self::ClusterRefused { .. } => "CLUSTER_REFUSED",
            Self::AgentsUnreachable { .. } => "AGENTS_UNREACHABLE",
            Self::AgentsWithoutTls { .. } => "AGENTS_WITHOUT_TLS",
            Self::ClusterBusy { .. } => "CLUSTER_BUSY",
            Self::UnknownTask(_) => "TASK_NOT_FOUND",
            Self::TaskEnded { .. } => "TASK_ENDED",
            Self::NoWayBack { .. } => "NO_WAY_BACK",
            Self::NotResumable { .. } => "TASK_NOT_RESUMABLE",
            Self::Superseded { .. } => "TASK_SUPERSEDED",
            Self::RestorePastPointOfNoReturn(_) => "RESTORE_PAST_POINT_OF_NO_RETURN",
            Self::BackupPastPointOfNoReturn(_) => "BACKUP_COMMITTING",
            Self::DeletionHasBegun(_) => "DELETION_HAS_BEGUN",
            Self::ForceNeeded { .. } => "TASK_FAIL_NEEDS_FORCE",
            Self::LeftoversInUse { .. } => "LEFTOVERS_IN_USE",
            Self::UnknownKind(_) => "TASK_KIND_UNKNOWN",
            Self::DocumentLost { .. } => "TASK_DOCUMENT_LOST",
            Self::ClaimContended(_) => "CLUSTER_CLAIM_CONTENDED",
            Self::DrivenElsewhere(_) => "TASK_DRIVEN_ELSEWHERE",
            Self::PlanNotUnderstood(_) => "PLAN_NOT_UNDERSTOOD",
            Self::UnknownPlan(_) => "PLAN_NOT_FOUND",
            Self::PlanOutdated { .. } => "PLAN_OUTDATED",
            Self::NoSchema(..) => "SCHEMA_UNREACHABLE",
            Self::ShuttingDown => "SHUTTING_DOWN",
            Self::Fault => "FAULT",
            Self::Connect { .. } => "CANNOT_CONNECT",
            Self::Remote { .. } => "REMOTE",
            Self::State(_) => "STATE_STORE",
            Self::Unreadable { .. } => "STATE_UNREADABLE",
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::UnknownCluster(_) => {
                "list the clusters with `ringkeep cluster list`, or register it with `ringkeep cluster add`"
            }
            Self::ClusterExists(..) => {
                "remove it first with `ringkeep cluster remove`; its backups stay"
            }
            Self::ClusterBusy {
                task, may_cancel, ..
            } => {
                let stop = match may_cancel {
                    true => format!("stop it with `ringkeep task cancel {task}`"),
                    false => format!(
                        "if it cannot go on, end it as it is with `ringkeep task fail {task} --force`, which reports what it leaves"
                    ),
                };
                return Some(format!(
                    "wait for it with `ringkeep task watch {task}`, or {stop}"
                ));
            }
            Self::LeftoversInUse { id, by, .. } if id == by => {
                return Some(format!(
                    "`ringkeep task cancel {id}` ends the task and clears what it has left"
                ));
            }
            Self::LeftoversInUse { by, .. } => {
                return Some(format!(
                    "its rollback needs it: go on with `ringkeep task resume {by}`, or wait for it with `ringkeep task watch {by}`"
                ));
            }
            Self::ForceNeeded {
                id,
                may_cancel: true,
            } => {
                return Some(format!(
                    "stop it with `ringkeep task cancel {id}`, which undoes what it has made; if that does not end either, add --force"
                ));
            }
            Self::ForceNeeded { id, .. } => {
                return Some(format!(
                    "let it finish if it can; else `ringkeep task fail {id} --force` ends it, and `ringkeep task show {id}` shows what it has left and how to go on"
                ));
            }
            Self::UnknownTask(_) => "list the tasks with `ringkeep task list`",
            Self::UnknownPlan(_) | Self::PlanOutdated { .. } => {
                "plan again with `ringkeep restore plan`, and start the plan of the number that it shows"
            }
            Self::NoWayBack { hint, .. } => return Some(hint.clone()),
            Self::NotResumable { hint, .. } => hint,
            Self::Superseded { id, .. } => {
                return Some(format!(
                    "plan the restore again with `ringkeep restore plan` and start the new plan; then `ringkeep task cancel {id}` clears what this one left"
                ));
            }
            Self::RestorePastPointOfNoReturn(_) => {
                "let it finish, or end it as it is with `ringkeep task fail --force`; if it has failed, resume it with `ringkeep task resume`, or restore all of its tables by a new restore, after which it can be cancelled"
            }
            Self::BackupPastPointOfNoReturn(_) => {
                "let it finish; the backup can be deleted afterwards with `ringkeep backup delete`"
            }
            Self::DeletionHasBegun(_) => {
                "let it finish; if it has failed, go on with `ringkeep task resume`"
            }
            Self::UnknownKind(_) => "a newer task-runner has made it: run that one again",
            Self::ClaimContended(_) => "try again",
            Self::AgentsUnreachable { .. } => "each reason says what to do about its agent",
            Self::AgentsWithoutTls { .. } => {
                "write their addresses with https://, or as host:port alone; [clients.tls] of the task-runner is in force"
            }
            Self::Remote { error, .. } => return error.hint.clone(),
            Self::State(error) => return error.hint().map(str::to_owned),
            Self::Conversion(_)
            | Self::ClusterRefused { .. }
            | Self::TaskEnded { .. }
            | Self::DrivenElsewhere(_)
            | Self::PlanNotUnderstood(_)
            | Self::DocumentLost { .. }
            | Self::NoSchema(..)
            | Self::ShuttingDown
            | Self::Fault
            | Self::Connect { .. }
            | Self::Unreadable { .. } => return None,
        };
        Some(hint.to_owned())
    }

    fn field(&self) -> Option<&str> {
        match self {
            Self::Conversion(error) => Some(error.field),
            _ => None,
        }
    }
}

impl From<RunnerError> for Status {
    /// An error of another service keeps its own reason, so that clients need not care who found it.
    fn from(error: RunnerError) -> Self {
        match error {
            RunnerError::Remote { error, .. } => error.forward(),
            error => api::status(error),
        }
    }
}
