//! Why the runner refused a request.

mod hint;

use api::client::ConnectError;
use api::convert::ConversionError;
use api::{ErrorKind, RemoteError, ServiceError};
use jiff::Timestamp;
use model::leftover::LeftoverOwner;
use model::task::{TaskKind, TaskState};
use model::{ClusterName, TaskId};
use retention::PolicyError;
use schedule::ScheduleName;
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
    #[error("maintenance of cluster `{cluster}` cannot be started: {}", reasons.join("; "))]
    MaintenanceRefused {
        cluster: ClusterName,
        reasons: Vec<String>,
    },
    #[error("{kind} `{name}` was applied before with another content, as task {task}")]
    DocumentDiffers {
        kind: String,
        name: String,
        task: TaskId,
    },
    #[error("there is no {kind} `{name}`")]
    UnknownDocument { kind: String, name: String },
    #[error(
        "which cluster has the datacenters {datacenters} is not certain: it may be {}",
        clusters.join(" or ")
    )]
    ClusterAmbiguous {
        datacenters: String,
        /// Those that have them, and those of which no agent replied.
        clusters: Vec<String>,
    },
    #[error(
        "no registered cluster is known to have the datacenters {datacenters}{}",
        known_datacenters(seen, unsure)
    )]
    NoClusterWith {
        datacenters: String,
        /// Which cluster has which.
        seen: Vec<String>,
        /// Clusters of which no agent replied.
        unsure: Vec<String>,
    },
    #[error("cluster `{0}` has schedules")]
    ClusterHasSchedules(ClusterName),
    #[error("cluster `{0}` has no schedule `{1}`")]
    UnknownSchedule(ClusterName, ScheduleName),
    #[error("cluster `{0}` has a schedule `{1}` already")]
    ScheduleExists(ClusterName, ScheduleName),
    #[error(
        "schedule `{name}` of cluster `{cluster}` has a backup that has not ended: task {task}"
    )]
    ScheduleRuns {
        cluster: ClusterName,
        name: ScheduleName,
        task: TaskId,
    },
    #[error("schedule `{1}` of cluster `{0}` changes too fast")]
    ScheduleContended(ClusterName, ScheduleName),
    #[error("cluster `{cluster}` has no retention policy{}", of_schedule(schedule.as_ref()))]
    RetentionNotSet {
        cluster: ClusterName,
        schedule: Option<ScheduleName>,
    },
    #[error("the retention of cluster `{cluster}` is being applied: task {task}")]
    RetentionRuns { cluster: ClusterName, task: TaskId },
    #[error("the retention of cluster `{0}` changes too fast")]
    RetentionContended(ClusterName),
    #[error("a retention policy cannot be applied: {0}")]
    RetentionPolicy(#[from] PolicyError),
    #[error("there is a task {0} already")]
    TaskExists(TaskId),
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
    #[error("task {0} cannot be paused: {1}")]
    NotPausable(TaskId, &'static str),
    #[error("the limits of task {0} cannot be changed: {1}")]
    LimitsRefused(TaskId, &'static str),
    #[error("the turns of tasks change too fast")]
    TurnsContended,
    #[error("the claim on cluster `{0}` changes too fast")]
    ClaimContended(ClusterName),
    #[error("there is no plan {0}")]
    UnknownPlan(u64),
    #[error("plan {0} is of another restore than the one asked for: {1}")]
    PlanDiffers(u64, &'static str),
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

fn known_datacenters(seen: &[String], unsure: &[String]) -> String {
    let unsure = unsure
        .iter()
        .map(|name| format!("no agent of {name} replied"));
    let each: Vec<String> = seen.iter().cloned().chain(unsure).collect();
    match each.is_empty() {
        true => String::new(),
        false => format!(": {}", each.join("; ")),
    }
}

fn waiting(retrying: Option<&str>) -> String {
    retrying
        .map(|why| format!(", which only waits: {why}"))
        .unwrap_or_default()
}

fn of_schedule(schedule: Option<&ScheduleName>) -> String {
    schedule
        .map(|schedule| format!(" for schedule `{schedule}`"))
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
        TaskKind::Retention => "run of retention",
        TaskKind::Collection => "collection of garbage",
        TaskKind::Maintenance => "maintenance task",
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
            Self::UnknownCluster(_)
            | Self::UnknownTask(_)
            | Self::UnknownPlan(_)
            | Self::UnknownDocument { .. }
            | Self::NoClusterWith { .. }
            | Self::RetentionNotSet { .. }
            | Self::UnknownSchedule(..) => ErrorKind::NotFound,
            Self::ClusterExists(..)
            | Self::ScheduleExists(..)
            | Self::DocumentDiffers { .. }
            | Self::TaskExists(_) => ErrorKind::AlreadyExists,
            Self::ClusterRefused { .. }
            | Self::MaintenanceRefused { .. }
            | Self::ClusterAmbiguous { .. }
            | Self::ClusterHasSchedules(_)
            | Self::ScheduleRuns { .. }
            | Self::RetentionRuns { .. }
            | Self::RetentionPolicy(_)
            | Self::ClusterBusy { .. }
            | Self::PlanDiffers(..)
            | Self::PlanOutdated { .. }
            | Self::TaskEnded { .. }
            | Self::NoWayBack { .. }
            | Self::NotResumable { .. }
            | Self::NotPausable(..)
            | Self::LimitsRefused(..)
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
            | Self::TurnsContended
            | Self::ScheduleContended(..)
            | Self::RetentionContended(_)
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
            Self::MaintenanceRefused { .. } => "MAINTENANCE_REFUSED",
            Self::DocumentDiffers { .. } => "DOCUMENT_DIFFERS",
            Self::UnknownDocument { .. } => "DOCUMENT_NOT_FOUND",
            Self::ClusterAmbiguous { .. } => "CLUSTER_AMBIGUOUS",
            Self::NoClusterWith { .. } => "DATACENTER_NOT_FOUND",
            Self::ClusterHasSchedules(_) => "CLUSTER_HAS_SCHEDULES",
            Self::UnknownSchedule(..) => "SCHEDULE_NOT_FOUND",
            Self::ScheduleExists(..) => "SCHEDULE_EXISTS",
            Self::ScheduleRuns { .. } => "SCHEDULE_RUNS",
            Self::ScheduleContended(..) => "SCHEDULE_CONTENDED",
            Self::RetentionNotSet { .. } => "RETENTION_NOT_SET",
            Self::RetentionRuns { .. } => "RETENTION_RUNS",
            Self::RetentionContended(_) => "RETENTION_CONTENDED",
            Self::RetentionPolicy(_) => "RETENTION_POLICY",
            Self::TaskExists(_) => "TASK_EXISTS",
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
            Self::NotPausable(..) => "TASK_NOT_PAUSABLE",
            Self::LimitsRefused(..) => "TASK_LIMITS_REFUSED",
            Self::TurnsContended => "TURNS_CONTENDED",
            Self::DrivenElsewhere(_) => "TASK_DRIVEN_ELSEWHERE",
            Self::PlanNotUnderstood(_) => "PLAN_NOT_UNDERSTOOD",
            Self::UnknownPlan(_) => "PLAN_NOT_FOUND",
            Self::PlanDiffers(..) => "PLAN_DIFFERS",
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
        hint::of(self)
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
