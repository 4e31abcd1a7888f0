//! `ringkeep retention clear`

use api::clients::{StorageCatalog, TaskRunner};
use jiff::Timestamp;
use model::ClusterName;
use retention::{Backup, Policies, PolicyState, ShownVerdict};
use schedule::ScheduleName;
use serde::Serialize;
use views::retention::RetentionDryRunView;

use crate::context::{Context, Service};
use crate::failure::Failure;
use crate::text::retention::dry_run_text;

/// Forgets a retention policy. Deletes no backup.
///
/// The policy of a schedule is replaced by one that keeps all its backups. With `--use-cluster-policy` they are under the policy
/// of the cluster instead, which may let more of them go: what goes then is shown, and you are asked first.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The cluster.
    cluster: ClusterName,
    /// The policy of this schedule, not the one of the cluster.
    #[arg(long, value_name = "SCHEDULE")]
    schedule: Option<ScheduleName>,
    /// Puts the backups of the schedule under the policy of the cluster. Asks first.
    #[arg(long, requires = "schedule")]
    use_cluster_policy: bool,
    /// Shows what goes under the policy of the cluster, and changes nothing.
    #[arg(long, requires = "use_cluster_policy")]
    dry_run: bool,
    /// Agrees in advance; needed with `--use-cluster-policy` if there is no terminal to ask at.
    #[arg(long, conflicts_with = "dry_run")]
    yes: bool,
}

const EXAMPLES: &str = "\
Examples:
  ringkeep retention clear prod --schedule monthly
  ringkeep retention clear prod --schedule monthly --use-cluster-policy --dry-run";

#[derive(Serialize)]
struct ClearedView {
    cluster: String,
    schedule: Option<String>,
    cleared: bool,
}

pub async fn run(args: Args, context: &mut Context) -> Result<(), Failure> {
    if args.dry_run {
        let verdicts = without_its_policy(&args, context).await?;
        let view = RetentionDryRunView::new(args.cluster.as_str(), &verdicts);
        return context.screen.result(&view, |view, _| dry_run_text(view));
    }
    if args.use_cluster_policy && !args.yes {
        ask(&args, context).await?;
    }
    let runner = context.task_runner()?;
    let schedule = args.schedule.as_ref();
    let cleared = runner.delete_retention(&args.cluster, schedule, args.use_cluster_policy);
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
            Some(schedule) if args.use_cluster_policy => format!(
                "schedule {schedule} of cluster {cluster} has no retention policy any more; `ringkeep retention run {cluster} --dry-run` shows what that of the cluster lets go\n"
            ),
            Some(schedule) => {
                format!("all backups of schedule {schedule} of cluster {cluster} are kept\n")
            }
        }
    })
}

/// Shows what goes under the policy of the cluster, and asks.
async fn ask(args: &Args, context: &mut Context) -> Result<(), Failure> {
    context.screen.check_can_agree(args.yes)?;
    let verdicts = without_its_policy(args, context).await?;
    let view = RetentionDryRunView::new(args.cluster.as_str(), &verdicts);
    context.screen.talk(dry_run_text(&view).trim_end());
    let (cluster, schedule) = (&args.cluster, args.schedule.as_ref());
    let is_own = |verdict: &&ShownVerdict| {
        let made_by = ScheduleName::of_backup(&verdict.backup);
        verdict.goes && made_by.as_ref() == schedule
    };
    let going = verdicts.iter().filter(is_own).count();
    let schedule = schedule.map(ToString::to_string).unwrap_or_default();
    let question = format!(
        "Put the backups of schedule {schedule} under the policy of cluster {cluster}? The next run of retention deletes {going} of them."
    );
    context.screen.confirm(&question, false)
}

/// What the policies of the cluster would do now without that of the schedule.
async fn without_its_policy(
    args: &Args,
    context: &mut Context,
) -> Result<Vec<ShownVerdict>, Failure> {
    let got = context.task_runner()?.get_retention(&args.cluster).await;
    let (states, _) = got.map_err(|error| context.failed(Service::TaskRunner, error))?;
    let listed = context.catalog()?.list_backups(Some(&args.cluster)).await;
    let listed = listed.map_err(|error| context.failed(Service::StorageCatalog, error))?;
    let stays = |state: &PolicyState| state.schedule != args.schedule;
    let policies: Policies = states.into_iter().filter(stays).collect();
    let backups: Vec<Backup> = listed.iter().map(Backup::from).collect();
    let ruled = policies.decide(&backups, Timestamp::now());
    let ruled = ruled.map_err(|why| Failure::Usage {
        message: format!("a policy of the cluster cannot be applied: {why}"),
        hint: "set it again with `ringkeep retention set`".into(),
    })?;
    let each = ruled.iter().zip(&listed);
    Ok(each
        .map(|(ruled, summary)| ShownVerdict::new(ruled, summary.uploaded_bytes))
        .collect())
}
