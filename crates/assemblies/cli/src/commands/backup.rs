//! `ringkeep backup …`

mod create;
mod delete;
mod list;
mod pin;
mod show;
mod started;
mod unpin;
mod verify;

use api::clients::StorageCatalog;
use model::{BackupName, ClusterName};
use views::backup::BackupView;

use crate::context::{Context, Service};
use crate::failure::Failure;

use started::Started;

#[derive(Debug, clap::Subcommand)]
pub enum BackupCommand {
    Create(create::Args),
    List(list::Args),
    Show(show::Args),
    Verify(verify::Args),
    Delete(delete::Args),
    Pin(pin::Args),
    Unpin(unpin::Args),
}

pub async fn run(command: BackupCommand, context: &mut Context) -> Result<(), Failure> {
    match command {
        BackupCommand::Create(args) => create::run(args, context).await,
        BackupCommand::List(args) => list::run(args, context).await,
        BackupCommand::Show(args) => show::run(args, context).await,
        BackupCommand::Verify(args) => verify::run(args, context).await,
        BackupCommand::Delete(args) => delete::run(args, context).await,
        BackupCommand::Pin(args) => pin::run(args, context).await,
        BackupCommand::Unpin(args) => unpin::run(args, context).await,
    }
}

/// A backup as the catalog has it.
async fn get(
    cluster: Option<&ClusterName>,
    name: &BackupName,
    context: &mut Context,
) -> Result<BackupView, Failure> {
    let backup = context.catalog()?.show_backup(cluster, name).await;
    let backup = backup.map_err(|error| context.failed(Service::StorageCatalog, error))?;
    Ok(BackupView::from(&backup))
}
