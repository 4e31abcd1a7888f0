//! `ringkeep backup delete`

use api::clients::{KnownDead, TaskRunner};
use views::started::BackupDeletedView;

use super::Started;
use crate::context::{Context, Service};
use crate::failure::Failure;
use crate::human;
use crate::names::BackupArg;
use crate::text;
use crate::wait;

/// Deletes a backup, and of its objects those that no other backup needs. Asks first.
///
/// Refused while a restore reads it, and while a differential backup builds on it. A task of the task-runner does it, and
/// runs by itself: it cannot be cancelled, only finished. Ctrl-C stops the waiting (exit code 1), not the task.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// NAME, or CLUSTER/NAME if several clusters have a backup of that name.
    #[arg(value_name = "BACKUP")]
    backup: BackupArg,
    /// Agrees in advance; needed if there is no terminal to ask at.
    #[arg(long)]
    yes: bool,
    /// Also deletes a backup that is recorded as running: only if the task that made it is known to be dead.
    #[arg(long)]
    even_if_running: bool,
    /// If it is refused, and an earlier deletion was cut short before it deleted anything, the backup can be used again: only if
    /// no earlier deletion of it is at work.
    #[arg(long)]
    earlier_deletions_are_dead: bool,
    /// Does not wait: shows the task, which runs by itself.
    #[arg(long)]
    no_wait: bool,
}

const EXAMPLES: &str = "\
Examples:
  ringkeep backup delete prod/nightly-2026-10-01
  ringkeep backup delete nightly-2026-10-01 --yes";

pub async fn run(args: Args, context: &mut Context) -> Result<(), Failure> {
    let question = format!("Delete backup {} for good?", args.backup);
    context.screen.confirm(&question, args.yes)?;
    let runner = context.task_runner()?;
    let backup = args.backup.clone().into();
    let dead = KnownDead {
        maker: args.even_if_running,
        earlier_deletions: args.earlier_deletions_are_dead,
    };
    let started = runner.delete_backup(backup, dead).await;
    let started = started.map_err(|error| context.failed(Service::TaskRunner, error))?;
    let started = Started::new(&started, "deletes");
    if args.no_wait {
        return started.show(context);
    }
    started.talk(context);
    let ended = wait::until_final(started.task, context).await;
    let task = ended.map_err(never_stopped)?;
    wait::verdict(&task)?;
    let deletion = task.deletion.unwrap_or_default();
    let BackupArg { cluster, name } = &args.backup;
    let deleted = BackupDeletedView::new(cluster.as_ref(), name, deletion);
    context.screen.result(&deleted, |deleted, _| {
        let objects = human::count(deleted.deleted_objects, "object");
        let freed = text::task::freed(deleted.freed_bytes, deleted.versions_remain);
        format!("backup {} is deleted: {objects}, {freed}\n", deleted.backup)
    })
}

/// A deletion that has begun cannot be cancelled.
fn never_stopped(failure: Failure) -> Failure {
    match failure {
        Failure::Detached { id, .. } => Failure::Detached {
            id,
            stoppable: false,
        },
        failure => failure,
    }
}
