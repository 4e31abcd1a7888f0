//! `ringkeep backup show`

use crate::context::Context;
use crate::failure::Failure;
use crate::names::BackupArg;
use crate::text::backup;

/// Shows a backup: its nodes, its tables, and how much of the ring it covers.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// NAME, or CLUSTER/NAME if several clusters have a backup of that name.
    #[arg(value_name = "BACKUP")]
    backup: BackupArg,
}

pub async fn run(args: Args, context: &mut Context) -> Result<(), Failure> {
    let BackupArg { cluster, name } = args.backup;
    let view = super::get(cluster.as_ref(), &name, context).await?;
    context.screen.result(&view, backup::text)
}
