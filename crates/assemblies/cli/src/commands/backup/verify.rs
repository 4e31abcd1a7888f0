//! `ringkeep backup verify`

use api::pb::storage_catalog as pb;
use tonic::Request;

use crate::context::{Context, Service};
use crate::failure::Failure;
use crate::human;
use crate::names::BackupArg;
use crate::progress::Meter;
use crate::view::verify::{self, VerifyView};

/// Reads a backup back and says what is damaged or missing; exits with 4 if anything is.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// NAME, or CLUSTER/NAME where several clusters have a backup of that name.
    #[arg(value_name = "BACKUP")]
    backup: BackupArg,
    /// How deep to look.
    #[arg(long, default_value = "objects", value_name = "LEVEL")]
    level: Level,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Level {
    /// Manifests are whole, and every object that they name is there with its size: reads no data.
    Manifest,
    /// Every object is read, and its hash compared.
    Objects,
    /// As objects; and every SSTable is checked by its own checksums, its structure and the order of its keys.
    Sstables,
}

const EXAMPLES: &str = "\
Examples:
  ringkeep backup verify nightly
  ringkeep backup verify prod/nightly --level manifest --output json
  ringkeep backup verify nightly --level sstables";

pub async fn run(args: Args, context: &mut Context) -> Result<(), Failure> {
    let level = match args.level {
        Level::Manifest => pb::VerifyLevel::Manifest,
        Level::Objects => pb::VerifyLevel::Objects,
        Level::Sstables => pb::VerifyLevel::Sstables,
    };
    let request = pb::VerifyBackupRequest {
        backup: Some(args.backup.to_wire()),
        level: level as i32,
    };
    let report = follow(request, context).await?;
    let report = VerifyView::from(&report);
    context.screen.result(&report, verify::text)?;
    match report.ok {
        true => Ok(()),
        false => Err(Failure::Damaged {
            backup: format!("{}/{}", report.cluster, report.backup),
            damage: human::count(report.damage.len() as u64, "part"),
        }),
    }
}

/// Follows the stream to its last message, which carries the report.
async fn follow(
    request: pb::VerifyBackupRequest,
    context: &mut Context,
) -> Result<pb::VerifyReport, Failure> {
    let service = Service::StorageCatalog;
    // No time limit: a large backup is read for hours, and a dead connection is noticed by its keep-alive.
    let mut stream = context
        .catalog()?
        .verify_backup(Request::new(request))
        .await
        .map_err(|status| context.failed(service, status))?
        .into_inner();
    let mut meter = Meter::new("verify", &context.screen, context.patience);
    let mut report = None;
    while let Some(message) = stream
        .message()
        .await
        .map_err(|status| context.failed(service, status))?
    {
        if let Some(progress) = &message.progress {
            meter.show(progress, &mut context.screen);
        }
        report = message.report.or(report);
    }
    meter.finish();
    report.ok_or(Failure::Truncated {
        service: service.as_str(),
    })
}
