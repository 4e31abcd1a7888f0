//! `ringkeep retention clear`

use api::clients::TaskRunner;
use model::ClusterName;
use schedule::ScheduleName;
use serde::Serialize;

use crate::context::{Context, Service};
use crate::failure::Failure;

/// Forgets a retention policy. Deletes no backup.
///
/// The policy of a schedule is replaced by one that keeps all its backups. Cleared once more, they are under the policy of the
/// cluster, if there is one: see what that lets go with `ringkeep retention run CLUSTER --dry-run`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The cluster.
    cluster: ClusterName,
    /// The policy of this schedule, not the one of the cluster.
    #[arg(long, value_name = "SCHEDULE")]
    schedule: Option<ScheduleName>,
}

#[derive(Serialize)]
struct ClearedView {
    cluster: String,
    schedule: Option<String>,
    cleared: bool,
}

pub async fn run(args: Args, context: &mut Context) -> Result<(), Failure> {
    let runner = context.task_runner()?;
    let cleared = runner.delete_retention(&args.cluster, args.schedule.as_ref());
    cleared
        .await
        .map_err(|error| context.failed(Service::TaskRunner, error))?;
    let view = ClearedView {
        cluster: args.cluster.to_string(),
        schedule: args.schedule.as_ref().map(ToString::to_string),
        cleared: true,
    };
    context.screen.result(&view, |view, _| {
        let of = match &view.schedule {
            None => format!("cluster {}", view.cluster),
            Some(schedule) => {
                let cluster = &view.cluster;
                return format!(
                    "schedule {schedule} of cluster {cluster} has no retention rules any more; `ringkeep retention show {cluster}` shows whether all its backups are kept or the policy of the cluster applies\n"
                );
            }
        };
        format!("{of} has no retention policy any more\n")
    })
}
