//! Durable tasks: backups and restores driven step by step over the agents, through every restart.
//!
//! A task, once answered, is on disk with the lease of its driver; each step is idempotent, each change of state is
//! written before it is acted on, and a task that is found unfinished is taken up again. This crate decides when a step
//! runs; what may be done at all is decided by the planner, what is in the bucket by the storage-catalog.

mod backup;
mod board;
mod cleanup;
mod cluster;
mod config;
mod control;
mod core;
mod describe;
mod driver;
mod error;
mod eta;
mod graph;
mod grpc;
mod made;
mod order;
mod plans;
mod record;
mod recovery;
mod restore;
mod retry;
mod services;
mod step_error;
mod steps;
mod store;
mod superseded;

use std::sync::Arc;

use api::client::{ClientTls, ConnectError, MESSAGE_BYTES_MAX};
use api::pb::task_runner::task_runner_server::TaskRunnerServer;
use chassis::server::{self, ServerConfig};
use chassis::{ProcessConfig, TelemetryConfig};
use serde::{Deserialize, Serialize};
use state_store::{Clock, StateConfig, StateError, StateStore};
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;
use uuid::Uuid;

pub use config::{ClientsConfig, TasksConfig};
pub use error::RunnerError;
pub use grpc::TaskRunnerGrpc;
pub use services::AgentConnector;

/// The port that this service has where none is set.
pub const PORT: u16 = 7404;

/// All settings of the process.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    #[serde(deserialize_with = "server::on_port::<PORT, _>")]
    pub server: ServerConfig,
    pub telemetry: TelemetryConfig,
    #[serde(deserialize_with = "config::state")]
    pub state: StateConfig,
    pub clients: ClientsConfig,
    pub tasks: TasksConfig,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            server: ServerConfig::on_port(PORT),
            telemetry: TelemetryConfig::default(),
            state: config::default_state(),
            clients: ClientsConfig::default(),
            tasks: TasksConfig::default(),
        }
    }
}

impl ProcessConfig for Config {
    fn server(&self) -> &ServerConfig {
        &self.server
    }

    fn telemetry(&self) -> &TelemetryConfig {
        &self.telemetry
    }
}

/// Everything outside of it that the runner works with.
pub struct Dependencies {
    pub catalog: Channel,
    pub planner: Channel,
    pub agents: Arc<dyn AgentConnector>,
    pub store: Arc<dyn StateStore>,
    pub clock: Clock,
    /// When this fires, all tasks come to a safe point.
    pub shutdown: CancellationToken,
}

/// The runner's own end of what [`build`] has started.
#[derive(Clone)]
pub struct Runner {
    core: Arc<core::Core>,
}

impl Runner {
    /// Stops taking steps, brings all tasks to a safe point and waits until they are there. They go on with the next
    /// start.
    pub async fn drain(&self) {
        self.core.drained().await;
    }

    /// Stops everything where it is, as the death of the process would.
    pub async fn kill(&self) {
        self.core.killed().await;
    }
}

/// Builds the service, and takes up all unfinished tasks.
pub fn build(
    config: &TasksConfig,
    dependencies: Dependencies,
) -> (TaskRunnerServer<TaskRunnerGrpc>, Runner) {
    let services = services::Services::new(
        config.clone(),
        dependencies.catalog,
        dependencies.planner,
        dependencies.agents,
        dependencies.store,
        dependencies.clock,
    );
    let holder = format!("task-runner {}", Uuid::new_v4());
    let core = Arc::new(core::Core::new(services, holder, &dependencies.shutdown));
    core.spawn(recovery::watch_over(core.clone()));
    let server = TaskRunnerServer::new(TaskRunnerGrpc::new(core.clone()))
        .max_decoding_message_size(MESSAGE_BYTES_MAX);
    (server, Runner { core })
}

/// Why the process could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("the TLS settings of [clients] do not work")]
    Tls(#[source] chassis::tls::TlsError),
    #[error("cannot connect to the other services")]
    Connect(#[from] ConnectError),
    #[error("the state could not be opened")]
    State(#[from] StateError),
}

/// Opens the state and the channels that the settings name.
pub async fn connect(
    config: &Config,
    shutdown: CancellationToken,
) -> Result<Dependencies, StartError> {
    let tls: Option<ClientTls> = match &config.clients.tls {
        Some(settings) => Some(settings.load().map_err(StartError::Tls)?),
        None => None,
    };
    Ok(Dependencies {
        catalog: api::client::channel(&config.clients.catalog, tls.as_ref())?,
        planner: api::client::channel(&config.clients.planner, tls.as_ref())?,
        agents: Arc::new(move |address: &str| api::client::channel(address, tls.as_ref())),
        store: state_store::open(&config.state).await?,
        clock: Arc::new(jiff::Timestamp::now),
        shutdown,
    })
}
