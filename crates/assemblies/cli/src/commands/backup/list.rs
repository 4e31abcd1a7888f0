//! `ringkeep backup list`

use api::pb::storage_catalog as pb;
use model::ClusterName;

use crate::context::{Context, Service, call};
use crate::failure::Failure;
use crate::view::backup_list::{self, BackupSummaryView};

/// Lists the backups in the bucket, newest first, those that failed or still run included.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only this cluster's; also of one that is registered no more.
    cluster: Option<ClusterName>,
}

pub async fn run(args: Args, context: &mut Context) -> Result<(), Failure> {
    let request = pb::ListBackupsRequest {
        cluster: args.cluster.map(String::from).unwrap_or_default(),
    };
    let listed = context
        .catalog()?
        .list_backups(call(request))
        .await
        .map_err(|status| context.failed(Service::StorageCatalog, status))?
        .into_inner();
    let backups: Vec<BackupSummaryView> =
        listed.backups.iter().map(BackupSummaryView::from).collect();
    if backups.is_empty() {
        context
            .screen
            .talk("no backup yet; `ringkeep backup create` makes one");
    }
    context
        .screen
        .result(&backups, |backups, _| match backups.is_empty() {
            true => String::new(),
            false => backup_list::list_text(backups),
        })
}
