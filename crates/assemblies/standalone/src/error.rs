//! Why standalone could not start or had to end.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use blob_store::StoreError;
use chassis::ConfigError;
use chassis::server::ServeError;
use chassis::telemetry::TelemetryError;
use chassis::tls::TlsError;
use node_agent::BuildError;
use state_store::StateError;
use state_store::transfer::TransferError;
use task_runner::EventsError;

/// Why standalone could not start or had to end.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the settings do not work")]
    Config(#[from] ConfigError),
    #[error("`{0}` is not an address to listen on")]
    Listen(String),
    #[error("`{0}` cannot be the name of an agent, because a folder is named after it")]
    AgentName(String),
    #[error("two agents are named `{0}`")]
    AgentTwice(String),
    #[error("the settings would not work")]
    Checked(#[source] ServeError),
    #[error("telemetry could not start")]
    Telemetry(#[from] TelemetryError),
    #[error("the TLS settings of [clients] do not work")]
    Tls(#[source] TlsError),
    #[error("the settings in [tasks.events] do not work")]
    Events(#[source] EventsError),
    #[error("signals cannot be caught")]
    Signals(#[source] io::Error),
    #[error("the data folder {} cannot be used", path.display())]
    DataDir {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("the data folder {} is in use by another ringkeep ({holder})", path.display())]
    Locked { path: PathBuf, holder: String },
    #[error("the store cannot be opened")]
    Store(#[from] StoreError),
    #[error("the state of the tasks cannot be opened")]
    State(#[from] StateError),
    #[error("the state was not moved")]
    Transfer(#[from] TransferError),
    #[error("`{}` is there already", _0.display())]
    FileExists(PathBuf),
    #[error("agent `{name}` could not be built")]
    Agent {
        name: String,
        #[source]
        source: BuildError,
    },
    #[error("agent `{name}` cannot be served on {address}")]
    ServeAgent {
        name: String,
        address: SocketAddr,
        #[source]
        source: ServeError,
    },
    #[error("the services cannot be served")]
    Serve(#[from] ServeError),
}

impl Error {
    /// Whether the settings or the command line are wrong, rather than the world.
    pub fn is_usage(&self) -> bool {
        match self {
            Self::Config(_)
            | Self::Listen(_)
            | Self::AgentName(_)
            | Self::AgentTwice(_)
            | Self::Checked(_)
            | Self::Telemetry(_)
            | Self::Events(_)
            | Self::Tls(_) => true,
            Self::FileExists(_) => true,
            Self::Transfer(error) => crate::state::is_usage(error),
            Self::Serve(source) | Self::ServeAgent { source, .. } => source.is_usage(),
            Self::Signals(_)
            | Self::DataDir { .. }
            | Self::Locked { .. }
            | Self::Store(_)
            | Self::State(_)
            | Self::Agent { .. } => false,
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Listen(_) => Some("write it like 127.0.0.1:7400".into()),
            Self::Locked { .. } => {
                Some("stop the other one, or take another folder with --data-dir".into())
            }
            Self::AgentTwice(_) => Some("give each of [[agents]] a `name` of its own".into()),
            Self::Serve(ServeError::Unauthenticated { .. })
            | Self::Checked(ServeError::Unauthenticated { .. })
            | Self::ServeAgent {
                source: ServeError::Unauthenticated { .. },
                ..
            } => Some("SECURITY.md says what a caller may do, and docs/running.md how to make certificates".into()),
            Self::Serve(_) => Some("take another address with --listen".into()),
            Self::ServeAgent { .. } => Some("give the agent another `listen` in [[agents]]".into()),
            Self::State(error) => error.hint().map(str::to_owned),
            Self::Transfer(error) => error.hint().map(str::to_owned),
            Self::FileExists(_) => Some("name another file, or delete this one".into()),
            Self::Config(_)
            | Self::AgentName(_)
            | Self::Checked(_)
            | Self::Telemetry(_)
            | Self::Tls(_)
            | Self::Events(_)
            | Self::Signals(_)
            | Self::DataDir { .. }
            | Self::Store(_)
            | Self::Agent { .. } => None,
        }
    }
}

/// An error with its causes, in one line.
pub fn describe(error: &Error) -> String {
    api::error::chain(error)
}
