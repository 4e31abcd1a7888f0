//! `ringkeep backup unpin`

use api::clients::TaskRunner;
use serde::Serialize;

use crate::context::{Context, Service};
use crate::failure::Failure;
use crate::human;
use crate::names::BackupArg;

/// Releases all pins that people have set on a backup. Pins of tasks stay.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// NAME, or CLUSTER/NAME if several clusters have a backup of that name.
    #[arg(value_name = "BACKUP")]
    backup: BackupArg,
}

#[derive(Serialize)]
struct UnpinnedView {
    cluster: String,
    backup: String,
    released: u32,
}

pub async fn run(args: Args, context: &mut Context) -> Result<(), Failure> {
    let runner = context.task_runner()?;
    let unpinned = runner.unpin_backup(args.backup.into()).await;
    let (backup, released) =
        unpinned.map_err(|error| context.failed(Service::TaskRunner, error))?;
    let view = UnpinnedView {
        cluster: backup.cluster.to_string(),
        backup: backup.name.to_string(),
        released,
    };
    context.screen.result(&view, |view, _| {
        format!(
            "backup {}/{}: {} released\n",
            view.cluster,
            view.backup,
            human::count(view.released.into(), "pin")
        )
    })
}
