//! The whole command line at one glance: what is global, and which commands there are.

use std::path::PathBuf;

use clap::Parser;

use crate::commands::apply;
use crate::commands::backup::BackupCommand;
use crate::commands::cluster::ClusterCommand;
use crate::commands::compat::CompatArgs;
use crate::commands::completions::CompletionsArgs;
use crate::commands::gc::GcCommand;
use crate::commands::get;
use crate::commands::leftovers::LeftoversCommand;
use crate::commands::maintenance::MaintenanceCommands;
use crate::commands::restore::RestoreCommand;
use crate::commands::retention::RetentionCommand;
use crate::commands::schedule::ScheduleCommand;
use crate::commands::sstable::SstableCommand;
use crate::commands::standalone::StandaloneArgs;
use crate::commands::state::StateCommand;
use crate::commands::task::TaskCommand;
use crate::screen::Format;

/// Backs up and restores Apache Cassandra, DSE and HCD clusters to object storage.
#[derive(Debug, Parser)]
#[command(
    name = "ringkeep",
    version,
    max_term_width = 100,
    arg_required_else_help = true,
    subcommand_required = true,
    after_help = FIRST_STEPS
)]
pub struct Cli {
    #[command(flatten)]
    pub global: GlobalArgs,
    #[command(subcommand)]
    pub command: Command,
}

const FIRST_STEPS: &str = "\
First steps:
  ringkeep standalone --config ringkeep.toml &       all services in one process
  ringkeep cluster add prod --agent 10.0.0.5:7401    name its agents
  ringkeep backup create prod --wait                 back everything up
  ringkeep restore plan BACKUP --into prod           what a restore would do; touches nothing

Exit codes:
  0 done    1 failed    2 usage    3 refused by the planner    4 found damaged or incomplete
  5 not found    6 cannot reach a service";

/// Flags that every command takes.
#[derive(Debug, Clone, clap::Args)]
pub struct GlobalArgs {
    /// The one address behind which all services are found.
    #[arg(
        long,
        global = true,
        env = "RINGKEEP_ENDPOINT",
        hide_env_values = true,
        default_value = "http://127.0.0.1:7400",
        value_name = "ADDRESS",
        help_heading = "Connection"
    )]
    pub endpoint: String,
    /// PEM file with the certificate authorities to trust; the system's without it.
    #[arg(
        long,
        global = true,
        env = "RINGKEEP_TLS_CA",
        hide_env_values = true,
        value_name = "FILE",
        help_heading = "Connection"
    )]
    pub tls_ca: Option<PathBuf>,
    /// PEM file with this client's certificate, for mutual TLS.
    #[arg(
        long,
        global = true,
        env = "RINGKEEP_TLS_CERT",
        hide_env_values = true,
        requires = "tls_key",
        value_name = "FILE",
        help_heading = "Connection"
    )]
    pub tls_cert: Option<PathBuf>,
    /// PEM file with the key of --tls-cert.
    #[arg(
        long,
        global = true,
        env = "RINGKEEP_TLS_KEY",
        hide_env_values = true,
        requires = "tls_cert",
        value_name = "FILE",
        help_heading = "Connection"
    )]
    pub tls_key: Option<PathBuf>,
    /// The name expected in the server's certificate, if it is not the endpoint's host.
    #[arg(long, global = true, value_name = "NAME", help_heading = "Connection")]
    pub tls_server_name: Option<String>,
    /// Text for people, or JSON or YAML with a stable shape for programs; either goes to stdout.
    #[arg(
        long,
        short,
        global = true,
        default_value = "text",
        value_name = "FORMAT",
        help_heading = "Output"
    )]
    pub output: Format,
    /// No talk and no progress on stderr; errors and results are still shown.
    #[arg(long, short, global = true, help_heading = "Output")]
    pub quiet: bool,
    /// No colours; as with the environment variable NO_COLOR.
    #[arg(long, global = true, help_heading = "Output")]
    pub no_color: bool,
}

#[derive(Debug, clap::Subcommand)]
pub enum Command {
    Standalone(StandaloneArgs),
    /// Shows services, store, agents and last backups.
    ///
    /// Exits with 1 if anything is down, and with 6 if the endpoint does not reply at all.
    Status,
    /// Registers the clusters to work on.
    #[command(subcommand)]
    Cluster(ClusterCommand),
    /// Makes, shows, verifies and deletes backups.
    #[command(subcommand)]
    Backup(BackupCommand),
    /// Plans and runs restores.
    #[command(subcommand)]
    Restore(RestoreCommand),
    /// Follows the work that runs in the background.
    #[command(subcommand)]
    Task(TaskCommand),
    /// Shows and clears what tasks have left on the nodes.
    #[command(subcommand)]
    Leftovers(LeftoversCommand),
    /// Makes backups by themselves, at set times.
    #[command(subcommand)]
    Schedule(ScheduleCommand),
    /// Sets which backups are kept, and deletes the others.
    #[command(subcommand)]
    Retention(RetentionCommand),
    /// Finds and deletes what is of no use in the bucket.
    #[command(subcommand)]
    Gc(GcCommand),
    /// Runs cleanup, upgradesstables, repair and the like on the nodes of a cluster.
    #[command(subcommand)]
    Maintenance(MaintenanceCommands),
    Apply(apply::Args),
    Get(get::Args),
    /// Inspects and verifies SSTable files in place; needs neither Cassandra nor a service.
    #[command(subcommand)]
    Sstable(SstableCommand),
    #[command(subcommand)]
    State(StateCommand),
    Compat(CompatArgs),
    Completions(CompletionsArgs),
}
