//! `ringkeep schedule delete`

use api::clients::TaskRunner;
use serde::Serialize;

use super::NamedArgs;
use crate::context::{Context, Service};
use crate::failure::Failure;

/// Forgets a schedule and its history. Its backups stay, and so does a backup that is being made.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    named: NamedArgs,
}

#[derive(Serialize)]
struct DeletedView {
    cluster: String,
    schedule: String,
    deleted: bool,
}

pub async fn run(args: Args, context: &mut Context) -> Result<(), Failure> {
    let named = &args.named;
    let runner = context.task_runner()?;
    let deleted = runner
        .delete_schedule(&named.cluster, &named.schedule)
        .await;
    deleted.map_err(|error| context.failed(Service::TaskRunner, error))?;
    let view = DeletedView {
        cluster: named.cluster.to_string(),
        schedule: named.schedule.to_string(),
        deleted: true,
    };
    context.screen.result(&view, |view, _| {
        format!(
            "schedule {} of cluster {} is deleted; its backups stay\n",
            view.schedule, view.cluster
        )
    })
}
