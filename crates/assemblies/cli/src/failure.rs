//! Why a command did not do what it was asked, with the exit code and the hints that go with it.

use std::io;
use std::path::PathBuf;

use api::RemoteError;
use api::client::ConnectError;
use sstable_files::FindError;

use crate::exit::Exit;

/// For the only tasks that are not resumed.
const VERIFY_AGAIN: &str = "`ringkeep backup verify` verifies the backup again";

/// Why a command that runs in this process ended badly; the binary translates its error into this.
#[derive(Debug)]
pub struct LocalFailure {
    pub message: String,
    pub hint: Option<String>,
    /// The configuration or a flag is wrong, rather than the world.
    pub usage: bool,
}

/// Why a command did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    #[error("{message}")]
    Usage { message: String, hint: String },
    #[error("{0}")]
    Connect(#[from] ConnectError),
    #[error("cannot read the TLS file `{}`", path.display())]
    TlsFile {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("cannot reach the {service} at {endpoint}")]
    Unreachable {
        service: &'static str,
        endpoint: String,
        #[source]
        source: Box<RemoteError>,
    },
    #[error(
        "{endpoint} replies, but has no {service} behind it, or one of an older release that does not know this command"
    )]
    Absent {
        service: &'static str,
        endpoint: String,
    },
    #[error("{0}")]
    Remote(Box<RemoteError>),
    #[error("the planner refuses this {what}: {}", refusals.join(", "))]
    Refused {
        what: &'static str,
        refusals: Vec<String>,
    },
    #[error("nothing was started: {}", problems.join("; "))]
    Documents { problems: Vec<String> },
    #[error("there is no task `{0}`")]
    NoTask(String),
    #[error("not everything could be cleared: {kept} left")]
    LeftoversKept { kept: usize },
    #[error("the limits are not in force on {}", nodes.join(", "))]
    LimitsNotInForce { nodes: Vec<String> },
    #[error("task {id} failed: {reason}")]
    TaskFailed {
        id: String,
        reason: String,
        resumable: bool,
    },
    #[error("task {id} is paused: {why}")]
    TaskPaused { id: String, why: String },
    #[error("task {id} was cancelled")]
    TaskCancelled { id: String, resumable: bool },
    #[error("backup `{backup}` is damaged or incomplete: {damage} of it")]
    Damaged { backup: String, damage: String },
    #[error("there are no SSTables in {}", shown(paths))]
    NoSstables { paths: Vec<PathBuf> },
    #[error(transparent)]
    FindSstables(#[from] FindError),
    #[error("{damaged} of {of} SSTables are damaged")]
    DamagedSstables { damaged: usize, of: usize },
    #[error("{failed} of {of} SSTables could not be looked at")]
    UnreadSstables { failed: usize, of: usize },
    #[error("stopped waiting for task {id}; the task goes on")]
    Detached { id: String, stoppable: bool },
    #[error("not confirmed, so nothing was done")]
    Declined,
    #[error("a restore could lose writes of {worst}, which is more than the objective allows")]
    ObjectiveNotKept { worst: String },
    #[error("not everything is well: {0}")]
    Unhealthy(String),
    #[error("cannot write the output")]
    Output(#[source] io::Error),
    #[error("{message}")]
    Local {
        message: String,
        hint: Option<String>,
        usage: bool,
    },
    #[error("a message of the {service} ends before its result")]
    Truncated { service: &'static str },
}

impl From<LocalFailure> for Failure {
    fn from(failure: LocalFailure) -> Self {
        Self::Local {
            message: failure.message,
            hint: failure.hint,
            usage: failure.usage,
        }
    }
}

impl Failure {
    pub fn exit(&self) -> Exit {
        match self {
            Self::Usage { .. }
            | Self::Documents { .. }
            | Self::Connect(_)
            | Self::TlsFile { .. } => Exit::Usage,
            Self::Unreachable { .. } | Self::Absent { .. } => Exit::Unreachable,
            Self::Remote(error) => Exit::of(error),
            Self::Refused { .. } => Exit::Refused,
            Self::NoTask(_) | Self::NoSstables { .. } => Exit::NotFound,
            Self::FindSstables(error) => match error {
                FindError::NotAComponent { .. } => Exit::Usage,
                FindError::Look { .. } => Exit::NotFound,
            },
            Self::Damaged { .. } | Self::DamagedSstables { .. } => Exit::Damaged,
            Self::Local { usage: true, .. } => Exit::Usage,
            Self::LeftoversKept { .. }
            | Self::LimitsNotInForce { .. }
            | Self::TaskFailed { .. }
            | Self::TaskCancelled { .. }
            | Self::TaskPaused { .. }
            | Self::Detached { .. }
            | Self::UnreadSstables { .. }
            | Self::Declined
            | Self::ObjectiveNotKept { .. }
            | Self::Unhealthy(_)
            | Self::Output(_)
            | Self::Local { usage: false, .. }
            | Self::Truncated { .. } => Exit::Failed,
        }
    }

    /// The stable word for scripts: the service's own if a service replied.
    pub fn reason(&self) -> &str {
        match self {
            Self::Usage { .. } => "USAGE",
            Self::Connect(_) => "BAD_ENDPOINT",
            Self::TlsFile { .. } => "TLS_FILE",
            Self::Unreachable { .. } => "UNREACHABLE",
            Self::Absent { .. } => "SERVICE_ABSENT",
            Self::Remote(error) => &error.reason,
            Self::Refused { .. } => "REFUSED",
            Self::Documents { .. } => "DOCUMENT_REFUSED",
            Self::NoTask(_) => "TASK_NOT_FOUND",
            Self::LeftoversKept { .. } => "LEFTOVERS_KEPT",
            Self::LimitsNotInForce { .. } => "LIMITS_NOT_IN_FORCE",
            Self::TaskFailed { .. } => "TASK_FAILED",
            Self::TaskCancelled { .. } => "TASK_CANCELLED",
            Self::TaskPaused { .. } => "TASK_PAUSED",
            Self::Damaged { .. } => "DAMAGED",
            Self::NoSstables { .. } => "NO_SSTABLES",
            Self::FindSstables(FindError::NotAComponent { .. }) => "NOT_A_COMPONENT",
            Self::FindSstables(FindError::Look { .. }) => "NOT_READABLE",
            Self::DamagedSstables { .. } => "SSTABLE_DAMAGED",
            Self::UnreadSstables { .. } => "SSTABLE_NOT_READ",
            Self::Detached { .. } => "DETACHED",
            Self::Declined => "DECLINED",
            Self::ObjectiveNotKept { .. } => "OBJECTIVE_NOT_KEPT",
            Self::Unhealthy(_) => "UNHEALTHY",
            Self::Output(_) => "OUTPUT",
            Self::Local { .. } => "STANDALONE",
            Self::Truncated { .. } => "TRUNCATED",
        }
    }

    /// What to do next, one sentence each.
    pub fn hints(&self) -> Vec<String> {
        match self {
            Self::Usage { hint, .. } => vec![hint.clone()],
            Self::ObjectiveNotKept { .. } => {
                vec!["run backups more often, or make them faster, or allow a longer loss".into()]
            }
            Self::Unreachable { .. } => vec![
                "is it running there? name another address with --endpoint or RINGKEEP_ENDPOINT"
                    .into(),
                "`ringkeep standalone` runs all services in one process".into(),
            ],
            Self::Absent { service, .. } => vec![format!(
                "one address must lead to all services: let the ingress route the {service} by its gRPC service name"
            )],
            Self::Remote(error) => error.hint.iter().cloned().collect(),
            Self::Refused { .. } => {
                vec!["nothing was touched; each refusal above says what would lift it".into()]
            }
            Self::Documents { .. } => vec![
                "docs/maintenance.md lists which fields and commands are honoured".into(),
            ],
            Self::NoTask(_) => vec!["`ringkeep task list` shows all tasks".into()],
            Self::LeftoversKept { .. } => {
                vec!["each line above says why; `ringkeep leftovers list` shows what is there".into()]
            }
            Self::LimitsNotInForce { .. } => vec![
                "the table says why; they are kept with the task, and an agent that cannot be reached gets them once it can".into(),
            ],
            Self::TaskFailed { id, resumable, .. } => vec![
                format!("`ringkeep task show {id}` shows which step failed"),
                if *resumable {
                    format!("`ringkeep task resume {id}` goes on from there once the cause is gone")
                } else {
                    VERIFY_AGAIN.into()
                },
            ],
            Self::TaskPaused { id, .. } => vec![
                format!("`ringkeep task resume {id}` goes on with it"),
                format!("`ringkeep task show {id}` shows how far it is"),
            ],
            Self::TaskCancelled { id, resumable } => vec![if *resumable {
                format!("`ringkeep task resume {id}` sets it going again")
            } else {
                VERIFY_AGAIN.into()
            }],
            Self::Detached { id, stoppable } => {
                let mut hints = vec![format!("`ringkeep task watch {id}` watches it again")];
                if *stoppable {
                    hints.push(format!("`ringkeep task cancel {id}` stops it"));
                }
                hints
            }
            Self::Damaged { .. } => {
                vec!["make a new full backup; parts that are not named as damaged are good".into()]
            }
            Self::NoSstables { .. } => vec![
                "name a data folder, a table's folder, a snapshot or a component such as nb-1-big-Data.db".into(),
            ],
            Self::FindSstables(FindError::NotAComponent { .. }) => vec![
                "components are named like nb-1-big-Data.db; a folder is walked for them".into(),
            ],
            Self::DamagedSstables { .. } => vec![
                "take them away and run a full repair, so that other replicas bring the data; `nodetool scrub` instead drops what it cannot read, and on 5.0.5 sound partitions with range tombstones too".into(),
            ],
            Self::Local { hint, .. } => hint.iter().cloned().collect(),
            Self::Connect(_)
            | Self::TlsFile { .. }
            | Self::FindSstables(FindError::Look { .. })
            | Self::UnreadSstables { .. }
            | Self::Declined
            | Self::Unhealthy(_)
            | Self::Output(_)
            | Self::Truncated { .. } => Vec::new(),
        }
    }
}

fn shown(paths: &[PathBuf]) -> String {
    let shown: Vec<String> = paths
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    shown.join(", ")
}
