//! `ringkeep retention clear`

use api::clients::TaskRunner;
use model::ClusterName;
use schedule::ScheduleName;
use serde::Serialize;

use crate::context::{Context, Service};
use crate::failure::Failure;

/// Forgets a retention policy. Deletes no backup.
///
/// The policy of a schedule is replaced by one that keeps all its backups, unless `--use-cluster-policy` is given.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The cluster.
    cluster: ClusterName,
    /// The policy of this schedule, not the one of the cluster.
    #[arg(long, value_name = "SCHEDULE")]
    schedule: Option<ScheduleName>,
    /// Puts the backups of the schedule under the policy of the cluster, which may let more of them go.
    #[arg(long, requires = "schedule")]
    use_cluster_policy: bool,
}

#[derive(Serialize)]
struct ClearedView {
    cluster: String,
    schedule: Option<String>,
    cleared: bool,
}

pub async fn run(args: Args, context: &mut Context) -> Result<(), Failure> {
    let runner = context.task_runner()?;
    let schedule = args.schedule.as_ref();
    let use_cluster_policy = args.use_cluster_policy;
    let cleared = runner.delete_retention(&args.cluster, schedule, use_cluster_policy);
    cleared
        .await
        .map_err(|error| context.failed(Service::TaskRunner, error))?;
    let view = ClearedView {
        cluster: args.cluster.to_string(),
        schedule: args.schedule.as_ref().map(ToString::to_string),
        cleared: true,
    };
    context.screen.result(&view, |view, _| {
        let cluster = &view.cluster;
        match &view.schedule {
            None => format!("cluster {cluster} has no retention policy any more\n"),
            Some(schedule) if use_cluster_policy => format!(
                "schedule {schedule} of cluster {cluster} has no retention policy any more; `ringkeep retention run {cluster} --dry-run` shows what that of the cluster lets go\n"
            ),
            Some(schedule) => {
                format!("all backups of schedule {schedule} of cluster {cluster} are kept\n")
            }
        }
    })
}
