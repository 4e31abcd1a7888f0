//! `ringkeep state`: only its arguments; the binary brings the backends.

use std::path::PathBuf;

/// Moves the state of task-runners (tasks, clusters, schedules) between redb and etcd.
///
/// Works on the state itself, without any service. Stop all task-runners of the state before, and start them with settings
/// that name the new one after.
#[derive(Debug, Clone, clap::Subcommand)]
#[command(after_help = EXAMPLES)]
pub enum StateCommand {
    Export(ExportArgs),
    Import(ImportArgs),
}

/// Writes the whole state into a file of JSON lines.
///
/// Refused while a task-runner uses the state. Leases are not in it.
#[derive(Debug, Clone, clap::Args)]
pub struct ExportArgs {
    /// Where to; refused if it is there.
    pub file: PathBuf,
    #[command(flatten)]
    pub place: PlaceArgs,
}

/// Reads a file of `ringkeep state export` into a state.
///
/// The whole file is checked before anything is written, and nothing uses the state until all of it is there.
#[derive(Debug, Clone, clap::Args)]
pub struct ImportArgs {
    /// What `ringkeep state export` has written.
    pub file: PathBuf,
    #[command(flatten)]
    pub place: PlaceArgs,
    /// Deletes what is in the state now; without it a state that is not empty is refused. Of redb the file stays beside the
    /// new one, as FILE.before-import.
    #[arg(long)]
    pub replace: bool,
}

/// Which state.
#[derive(Debug, Clone, clap::Args)]
#[group(required = true, multiple = false)]
pub struct PlaceArgs {
    /// Settings of a task-runner, whose section [state] names it.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Data folder of `ringkeep standalone`.
    #[arg(long, value_name = "FOLDER")]
    pub data_dir: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  ringkeep state export state.jsonl --config /etc/ringkeep/task-runner.toml
  ringkeep state import state.jsonl --config task-runner-etcd.toml
  ringkeep state export state.jsonl --data-dir ./ringkeep-data";
