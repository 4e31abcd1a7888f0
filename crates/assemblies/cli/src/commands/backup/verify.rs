//! `ringkeep backup verify`

use api::pb::storage_catalog::VerifyLevel;
use api::pb::task_runner as pb;

use super::Started;
use crate::context::{Context, Service, call};
use crate::failure::Failure;
use crate::human;
use crate::names::BackupArg;
use crate::view::verify::{self, VerifyView};
use crate::wait;

/// Reads a backup back and reports what is damaged or missing; exits with 4 if anything is.
///
/// A task of the task-runner does it, and goes on by itself. Ctrl-C stops the waiting (exit code 1), not the task.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// NAME, or CLUSTER/NAME where several clusters have a backup of that name.
    #[arg(value_name = "BACKUP")]
    backup: BackupArg,
    /// How deep to look.
    #[arg(long, default_value = "objects", value_name = "LEVEL")]
    level: Level,
    /// Does not wait: shows the task, which `ringkeep task show` has the report of once it has ended.
    #[arg(long)]
    no_wait: bool,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Level {
    /// Manifests are whole, and every object that they name is there with its size: reads no data.
    Manifest,
    /// Every object is read, and its hash compared.
    Objects,
    /// As objects; and every SSTable is checked as by `ringkeep sstable verify --extended`: checksums, structure, and the
    /// order of keys, rows and cells.
    Sstables,
}

const EXAMPLES: &str = "\
Examples:
  ringkeep backup verify nightly
  ringkeep backup verify prod/nightly --level manifest --output json
  ringkeep backup verify nightly --level sstables --no-wait";

pub async fn run(args: Args, context: &mut Context) -> Result<(), Failure> {
    let level = match args.level {
        Level::Manifest => VerifyLevel::Manifest,
        Level::Objects => VerifyLevel::Objects,
        Level::Sstables => VerifyLevel::Sstables,
    };
    let request = pb::VerifyBackupRequest {
        backup: Some(args.backup.to_wire()),
        level: level as i32,
    };
    let response = context
        .task_runner()?
        .verify_backup(call(request))
        .await
        .map_err(|status| context.failed(Service::TaskRunner, status))?
        .into_inner();
    let started = Started::new(response.task_id, response.backup, "verifies");
    if args.no_wait {
        return started.show(context);
    }
    started.talk(context);
    let task = wait::until_final(&started.task_id, context).await?;
    let Some(report) = &task.verification else {
        wait::verdict(&task)?;
        return Err(Failure::Truncated {
            service: Service::TaskRunner.as_str(),
        });
    };
    let report = VerifyView::from(report);
    context.screen.result(&report, verify::text)?;
    if report.ok {
        return wait::verdict(&task);
    }
    Err(Failure::Damaged {
        backup: format!("{}/{}", report.cluster, report.backup),
        damage: human::count(report.damage.len() as u64, "part"),
    })
}
