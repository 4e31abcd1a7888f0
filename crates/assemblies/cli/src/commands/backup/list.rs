//! `ringkeep backup list`

use api::clients::StorageCatalog;
use model::ClusterName;
use views::backup_list::BackupSummaryView;

use crate::context::{Context, Service};
use crate::failure::Failure;
use crate::text::backup_list;

/// Lists the backups in the bucket, newest first, those that failed or still run included.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only this cluster's; also of one that is no longer registered.
    cluster: Option<ClusterName>,
}

pub async fn run(args: Args, context: &mut Context) -> Result<(), Failure> {
    let catalog = context.catalog()?;
    let listed = catalog.list_backups(args.cluster.as_ref()).await;
    let listed = listed.map_err(|error| context.failed(Service::StorageCatalog, error))?;
    let backups: Vec<BackupSummaryView> = listed.iter().map(BackupSummaryView::from).collect();
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
