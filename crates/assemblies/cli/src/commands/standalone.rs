//! `ringkeep standalone`: only its arguments; the binary brings the services.

use std::path::PathBuf;

/// Runs the four services in one process, on embedded stores.
///
/// Keeps its state in the data folder, and backups in a folder beside it unless the configuration names a bucket. All
/// services are served on one address.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct StandaloneArgs {
    /// TOML file with the sections [server], [telemetry], [store], [tasks], [clients] and [[agents]].
    #[arg(
        long,
        env = "RINGKEEP_CONFIG",
        hide_env_values = true,
        value_name = "FILE"
    )]
    pub config: Option<PathBuf>,
    /// Folder for the state; wins over the configuration.
    #[arg(long, value_name = "FOLDER")]
    pub data_dir: Option<PathBuf>,
    /// Address to serve on; wins over the configuration. 127.0.0.1:7400 if neither is given.
    #[arg(long, value_name = "ADDRESS")]
    pub listen: Option<String>,
    /// Checks the configuration, prints the effective one with secrets masked, and ends.
    #[arg(long)]
    pub check_config: bool,
}

const EXAMPLES: &str = "\
Examples:
  ringkeep standalone                                     state below ./ringkeep-data, on 127.0.0.1:7400
  ringkeep standalone --config /etc/ringkeep/ringkeep.toml
  ringkeep standalone --config ringkeep.toml --check-config";
