//! `ringkeep standalone`: the four services in one process, on embedded stores.
//!
//! The services are the very same as apart: each sits behind its gRPC face and calls the others through connections in
//! memory, so there is one code path. All of them listen on one address, distinguished by their gRPC service
//! names. Agents run in the process too where their nodes are on this machine; each has an address of its own besides,
//! because agents share one service name.

mod agents;
mod config;
mod data_dir;
mod error;
mod services;
mod state;

use std::path::PathBuf;

use chassis::{shutdown, telemetry};

pub use config::{AgentEntry, ClientsConfig, Config, PORT};
pub use error::{Error, describe};
pub use services::Standalone;
pub use state::{StatePlace, export_state, import_state};

/// What the command line says.
#[derive(Debug, Clone, Default)]
pub struct Options {
    pub config: Option<PathBuf>,
    /// Wins over the settings.
    pub data_dir: Option<PathBuf>,
    /// Wins over the settings.
    pub listen: Option<String>,
    /// Print the settings in effect, and end.
    pub check_config: bool,
}

/// Runs until the process is asked to end.
pub async fn run(options: Options) -> Result<(), Error> {
    let config = Config::load(&options)?;
    if options.check_config {
        print!("{}", chassis::config::render(&config));
        return config.check();
    }
    let telemetry = telemetry::init(&config.telemetry, "ringkeep-standalone")?;
    let ended = serve(config).await;
    telemetry.shutdown().await;
    ended
}

async fn serve(config: Config) -> Result<(), Error> {
    let shutdown = shutdown::on_signal().map_err(Error::Signals)?;
    let standalone = Standalone::start(config, shutdown).await?;
    // On stderr whatever the log's level and format: scripts and people wait for this line.
    eprintln!("{}", standalone.ready_line());
    standalone.serve().await
}
