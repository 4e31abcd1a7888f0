//! `ringkeep retention run`

use api::clients::TaskRunner;
use model::ClusterName;
use views::retention::{RetentionDryRunView, RetentionStartedView};
use views::task::TaskView;

use crate::context::{Context, Service};
use crate::failure::Failure;
use crate::text::{retention, task};
use crate::wait;

/// Deletes the backups of a cluster that its retention policies let go. Asks first.
///
/// A task of the task-runner does it, one backup after the other, and decides again before each. It can be cancelled; a
/// deletion that has begun is finished. After scheduled backups it runs by itself.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The cluster.
    cluster: ClusterName,
    /// Shows what would go and why, and deletes nothing.
    #[arg(long)]
    dry_run: bool,
    /// Agrees in advance; needed if there is no terminal to ask at.
    #[arg(long, conflicts_with = "dry_run")]
    yes: bool,
    /// Waits until the task has ended. Ctrl-C stops the waiting (exit code 1), not the task.
    #[arg(long, conflicts_with = "dry_run")]
    wait: bool,
}

const EXAMPLES: &str = "\
Examples:
  ringkeep retention run prod --dry-run
  ringkeep retention run prod --yes --wait";

pub async fn run(args: Args, context: &mut Context) -> Result<(), Failure> {
    let cluster = args.cluster.as_str();
    if args.dry_run {
        let verdicts = context
            .task_runner()?
            .preview_retention(&args.cluster)
            .await;
        let verdicts = verdicts.map_err(|error| context.failed(Service::TaskRunner, error))?;
        let view = RetentionDryRunView::new(cluster, &verdicts);
        return context
            .screen
            .result(&view, |view, _| retention::dry_run_text(view));
    }
    let question = format!("Delete the backups of {cluster} that its policies let go, for good?");
    context.screen.confirm(&question, args.yes)?;
    let started = context.task_runner()?.run_retention(&args.cluster).await;
    let id = started.map_err(|error| context.failed(Service::TaskRunner, error))?;
    let started = RetentionStartedView::new(cluster, id);
    let text = |started: &RetentionStartedView| {
        format!(
            "task {} applies the retention of cluster {}\n",
            started.task_id, started.cluster
        )
    };
    if !args.wait {
        return context.screen.result(&started, |started, _| text(started));
    }
    context.screen.talk(text(&started).trim_end());
    let ended = wait::until_final(id, context).await?;
    context.screen.result(&TaskView::from(&ended), task::text)?;
    wait::verdict(&ended)
}
