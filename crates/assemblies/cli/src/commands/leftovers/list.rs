//! `ringkeep leftovers list`

use api::clients::TaskRunner;
use model::ClusterName;
use views::leftovers::LeftoversView;

use crate::context::{Context, Service};
use crate::failure::Failure;
use crate::text::leftovers;

/// Lists what tasks have left on the nodes of a cluster.
///
/// That is snapshots of backups, staged files of restores, and old files that restores in place have moved aside. What a
/// running task has is listed, too. OWNER says what the task-runner knows of the task: what an `ended` one has left is cleared
/// by itself within an hour, except old files; what a `resumable` or `alive` one has is in use; of an `unknown` one the
/// task-runner knows nothing, because it is another runner's or its record is gone, and it stays until it is cleared by
/// `ringkeep leftovers clear`.
#[derive(Debug, clap::Args)]
pub struct Args {
    cluster: ClusterName,
}

pub async fn run(args: Args, context: &mut Context) -> Result<(), Failure> {
    let found = context.task_runner()?.list_leftovers(&args.cluster).await;
    let found = found.map_err(|error| context.failed(Service::TaskRunner, error))?;
    let view = LeftoversView::from(found);
    if view.leftovers.is_empty() {
        context
            .screen
            .talk("nothing is left on the nodes that replied");
    }
    for agent in &view.unreachable {
        let line = format!("agent {} did not reply: {}", agent.agent, agent.reason);
        context.screen.talk(&line);
    }
    context
        .screen
        .result(&view, |view, _| leftovers::list_text(view))
}
