//! `ringkeep backup …`

mod create;
mod delete;
mod list;
mod show;
mod started;
mod verify;

use api::pb::storage_catalog as pb;
use api::pb::types::BackupRef;

use crate::context::{Context, Service, call};
use crate::failure::Failure;
use crate::view::backup::BackupView;

use started::Started;

#[derive(Debug, clap::Subcommand)]
pub enum BackupCommand {
    Create(create::Args),
    List(list::Args),
    Show(show::Args),
    Verify(verify::Args),
    Delete(delete::Args),
}

pub async fn run(command: BackupCommand, context: &mut Context) -> Result<(), Failure> {
    match command {
        BackupCommand::Create(args) => create::run(args, context).await,
        BackupCommand::List(args) => list::run(args, context).await,
        BackupCommand::Show(args) => show::run(args, context).await,
        BackupCommand::Verify(args) => verify::run(args, context).await,
        BackupCommand::Delete(args) => delete::run(args, context).await,
    }
}

/// A backup as the catalog has it.
async fn get(backup: BackupRef, context: &mut Context) -> Result<BackupView, Failure> {
    let request = pb::GetBackupRequest {
        backup: Some(backup),
    };
    let got = context
        .catalog()?
        .get_backup(call(request))
        .await
        .map_err(|status| context.failed(Service::StorageCatalog, status))?
        .into_inner();
    Ok(BackupView::from(&got.backup.unwrap_or_default()))
}
