//! `ringkeep backup pin`

use api::clients::TaskRunner;
use jiff::Timestamp;
use serde::Serialize;

use crate::context::{Context, Service};
use crate::failure::Failure;
use crate::names::BackupArg;

/// Keeps a complete backup from being deleted, by people and by retention.
///
/// The pin is kept in the bucket beside the backup. Several pins may hold a backup; `ringkeep backup unpin` releases all of
/// them. A differential that is pinned keeps its base, too.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// NAME, or CLUSTER/NAME if several clusters have a backup of that name.
    #[arg(value_name = "BACKUP")]
    backup: BackupArg,
    /// Why, for whoever wants to delete it.
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// When the pin ends by itself, RFC 3339.
    #[arg(long, value_name = "TIME")]
    until: Option<Timestamp>,
}

const EXAMPLES: &str = "\
Examples:
  ringkeep backup pin prod/nightly-2026-10-01 --reason \"before the migration\"
  ringkeep backup pin nightly-2026-10-01 --reason \"audit 2026\" --until 2027-03-31T00:00:00Z";

#[derive(Serialize)]
struct PinnedView {
    cluster: String,
    backup: String,
    reason: String,
    until: Option<String>,
}

pub async fn run(args: Args, context: &mut Context) -> Result<(), Failure> {
    let runner = context.task_runner()?;
    let pinned = runner.pin_backup(args.backup.into(), args.reason.clone(), args.until);
    let backup = pinned
        .await
        .map_err(|error| context.failed(Service::TaskRunner, error))?;
    let view = PinnedView {
        cluster: backup.cluster.to_string(),
        backup: backup.name.to_string(),
        reason: args.reason,
        until: args.until.map(|until| until.to_string()),
    };
    context.screen.result(&view, |view, _| {
        let until = match &view.until {
            Some(until) => format!(" until {until}"),
            None => String::new(),
        };
        format!(
            "backup {}/{} is pinned{until}: {}\n",
            view.cluster, view.backup, view.reason
        )
    })
}
