//! Durable tasks: backups and restores driven step by step over the agents, through every restart.
//!
//! The [`engine`] drives tasks of any kind; [`kinds`] holds each kind whole. A task whose id was returned is on disk with the
//! lease of its driver; each step is idempotent, each change of state is written before it is acted on, and an unfinished
//! task is adopted again. This crate decides when a step runs; the planner decides which steps there are, and the
//! storage-catalog what is in the bucket.

mod cluster;
mod config;
mod context;
mod describe;
mod engine;
mod error;
mod events;
mod grpc;
mod kinds;
mod leftovers;
mod retention;
mod schedules;
mod signals;

use std::sync::Arc;

use api::client::{ConnectError, TASK_REQUEST_BYTES_MAX};
use api::clients::{
    NodeAgent, Planner, RemoteNodeAgent, RemotePlanner, RemoteStorageCatalog, StorageCatalog,
};
use api::pb::task_runner::task_runner_server::TaskRunnerServer;
use chassis::prometheus::SharedGauges;
use chassis::server::{self, ServerConfig};
use chassis::{Dialer, ProcessConfig, TelemetryConfig};
use serde::{Deserialize, Serialize};
use state_store::{Clock, StateConfig, StateError, StateStore};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use context::Context;
use engine::Engine;

pub use config::{ClientsConfig, StepLimits, TasksConfig};
pub use context::AgentConnector;
pub use error::RunnerError;
pub use events::{EventsConfig, EventsError};
pub use grpc::TaskRunnerGrpc;

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

    fn clients_tls(&self) -> Option<&chassis::ClientTlsSettings> {
        self.clients.tls.as_ref()
    }

    fn check(&self) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        self.state.check()?;
        Ok(self.tasks.events.check()?)
    }
}

/// Everything outside of it that the runner works with.
pub struct Dependencies {
    pub catalog: Arc<dyn StorageCatalog>,
    pub planner: Arc<dyn Planner>,
    pub agents: Arc<dyn AgentConnector>,
    pub store: Arc<dyn StateStore>,
    pub clock: Clock,
    /// When this fires, all tasks come to a safe point.
    pub shutdown: CancellationToken,
}

/// The runner's own end of what [`build`] has started.
#[derive(Clone)]
pub struct Runner {
    engine: Arc<Engine>,
    gauges: SharedGauges,
}

impl Runner {
    /// What the stored state is like, for the page of metrics.
    pub fn gauges(&self) -> &SharedGauges {
        &self.gauges
    }

    /// Stops taking steps, brings all tasks to a safe point and waits until they are there. They go on with the next
    /// start.
    pub async fn drain(&self) {
        self.engine.drained().await;
    }

    /// Stops everything where it is, as the death of the process would.
    pub async fn kill(&self) {
        self.engine.killed().await;
    }
}

/// Builds the service, and adopts all unfinished tasks.
pub fn build(
    config: &TasksConfig,
    dependencies: Dependencies,
) -> (TaskRunnerServer<TaskRunnerGrpc>, Runner) {
    let context = Context::new(
        config.clone(),
        dependencies.catalog,
        dependencies.planner,
        dependencies.agents,
        dependencies.store,
        dependencies.clock,
    );
    let holder = format!("task-runner {}", Uuid::new_v4());
    let engine = Engine::new(context, kinds::all(), holder, &dependencies.shutdown);
    let engine = Arc::new(engine);
    engine.start();
    engine.spawn(leftovers::reconcile_loop(engine.clone()));
    engine.spawn(schedules::schedules_loop(engine.clone()));
    engine.spawn(kinds::accept::accept_loop(engine.clone()));
    engine.spawn(events::deliver_loop(engine.clone()));
    let gauges = SharedGauges::default();
    engine.spawn(signals::signals_loop(engine.clone(), gauges.clone()));
    let server = TaskRunnerServer::new(TaskRunnerGrpc::new(engine.clone()))
        .max_decoding_message_size(TASK_REQUEST_BYTES_MAX);
    (server, Runner { engine, gauges })
}

/// Why the process could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("the TLS settings of [clients] do not work")]
    Tls(#[source] chassis::tls::TlsError),
    #[error("cannot connect to the other services")]
    Connect(#[from] ConnectError),
    #[error("the settings in [tasks.events] do not work")]
    Events(#[from] EventsError),
    #[error("the state could not be opened")]
    State(#[from] StateError),
}

/// Opens the state and the channels that the settings name.
pub async fn connect(
    config: &Config,
    shutdown: CancellationToken,
) -> Result<Dependencies, StartError> {
    let dialer = Dialer::new(config.clients.tls.as_ref()).map_err(StartError::Tls)?;
    config.tasks.events.check()?;
    let clock: Clock = Arc::new(jiff::Timestamp::now);
    let store = state_store::open(&config.state).await?;
    let catalog = dialer.channel_to_neighbour(&config.clients.catalog)?;
    let planner = dialer.channel_to_neighbour(&config.clients.planner)?;
    let limits = config.tasks.agent_limits();
    let connect = move |address: &str| {
        let channel = dialer.channel(address)?;
        Ok(Arc::new(RemoteNodeAgent::new(channel, limits)) as Arc<dyn NodeAgent>)
    };
    Ok(Dependencies {
        catalog: Arc::new(RemoteStorageCatalog::with_limits(
            catalog,
            config.tasks.catalog_limits(),
        )),
        planner: Arc::new(RemotePlanner::new(planner)),
        agents: Arc::new(connect),
        store,
        clock,
        shutdown,
    })
}
