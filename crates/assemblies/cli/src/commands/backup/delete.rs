//! `ringkeep backup delete`

use api::pb::storage_catalog as pb;
use serde::Serialize;
use tonic::Request;

use crate::context::{Context, Service};
use crate::failure::Failure;
use crate::human;
use crate::names::BackupArg;
use crate::progress::Meter;

/// Deletes a backup, and of its objects those that no other backup needs.
///
/// Refused while a restore reads it, and while a differential backup builds on it. Shows the backup and asks first.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// NAME, or CLUSTER/NAME where several clusters have a backup of that name.
    #[arg(value_name = "BACKUP")]
    backup: BackupArg,
    /// Agrees in advance; needed where nobody is at a terminal.
    #[arg(long)]
    yes: bool,
    /// Deletes also a backup that is recorded as running: only where the task that made it is known to be dead.
    #[arg(long)]
    even_if_running: bool,
}

const EXAMPLES: &str = "\
Examples:
  ringkeep backup delete prod/nightly-2026-10-01
  ringkeep backup delete nightly-2026-10-01 --yes";

#[derive(Serialize)]
struct Deleted {
    backup: String,
    cluster: Option<String>,
    deleted_objects: u64,
    freed_bytes: u64,
}

pub async fn run(args: Args, context: &mut Context) -> Result<(), Failure> {
    let question = format!("Delete backup {} for good?", args.backup);
    context.screen.confirm(&question, args.yes)?;
    let request = pb::DeleteBackupRequest {
        backup: Some(args.backup.to_wire()),
        even_if_running: args.even_if_running,
    };
    let service = Service::StorageCatalog;
    // No time limit: a bucket may need hours to delete millions of objects.
    let mut stream = context
        .catalog()?
        .delete_backup(Request::new(request))
        .await
        .map_err(|status| context.failed(service, status))?
        .into_inner();
    let mut meter = Meter::new("delete", &context.screen, context.patience);
    let mut deleted = Deleted {
        backup: args.backup.name.to_string(),
        cluster: args.backup.cluster.map(String::from),
        deleted_objects: 0,
        freed_bytes: 0,
    };
    while let Some(message) = stream
        .message()
        .await
        .map_err(|status| context.failed(service, status))?
    {
        if let Some(progress) = &message.progress {
            meter.show(progress, &mut context.screen);
        }
        deleted.deleted_objects = deleted.deleted_objects.max(message.deleted_objects);
        deleted.freed_bytes = deleted.freed_bytes.max(message.freed_bytes);
    }
    meter.finish();
    context.screen.result(&deleted, |deleted, _| {
        let objects = human::count(deleted.deleted_objects, "object");
        let freed = human::bytes(deleted.freed_bytes);
        format!(
            "backup {} is deleted: {objects}, {freed} freed\n",
            deleted.backup
        )
    })
}
