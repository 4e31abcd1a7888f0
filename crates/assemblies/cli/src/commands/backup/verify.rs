//! `ringkeep backup verify`

use api::clients::TaskRunner;
use model::task::Priority;
use model::{SampleParts, VerifyLevel};
use views::verify::VerifyView;

use super::Started;
use crate::context::{Context, Service};
use crate::failure::Failure;
use crate::human;
use crate::names::BackupArg;
use crate::text::verify;
use crate::wait;

/// Reads a backup back and reports what is damaged or missing; exits with 4 if anything is.
///
/// A task of the task-runner does it, and runs by itself. Ctrl-C stops the waiting (exit code 1), not the task.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// NAME, or CLUSTER/NAME if several clusters have a backup of that name.
    #[arg(value_name = "BACKUP")]
    backup: BackupArg,
    /// How deep to check.
    #[arg(long, default_value = "objects", value_name = "LEVEL")]
    level: Level,
    /// Reads one part of about this size instead of all, for example 1%: the part that has not been read for the longest time,
    /// so that the same command every day reads all of it in 100 days.
    ///
    /// All manifests are checked, and all objects listed, each time. Another percentage begins at the first part again.
    #[arg(long, value_name = "PERCENT")]
    sample: Option<SampleParts>,
    /// How soon it gets its turn if limits make tasks wait: highest, high, normal, low (the default) or lowest.
    #[arg(long, value_name = "PRIORITY")]
    priority: Option<Priority>,
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
  ringkeep backup verify nightly --level sstables --no-wait
  ringkeep backup verify nightly --level sstables --sample 1%";

pub async fn run(args: Args, context: &mut Context) -> Result<(), Failure> {
    if args.sample.is_some() && matches!(args.level, Level::Manifest) {
        return Err(Failure::Usage {
            message: "`--level manifest` reads no SSTables, so there are no parts to choose from"
                .into(),
            hint: "leave out `--sample`".into(),
        });
    }
    let level = match args.level {
        Level::Manifest => VerifyLevel::Manifest,
        Level::Objects => VerifyLevel::Objects,
        Level::Sstables => VerifyLevel::Sstables,
    };
    let runner = context.task_runner()?;
    let started = runner
        .verify_backup(args.backup.into(), level, args.sample, args.priority)
        .await;
    let started = started.map_err(|error| context.failed(Service::TaskRunner, error))?;
    let started = Started::new(&started, "verifies");
    if args.no_wait {
        return started.show(context);
    }
    started.talk(context);
    let task = wait::until_final(started.task, context).await?;
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
