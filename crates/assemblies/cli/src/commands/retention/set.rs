//! `ringkeep retention set`

use api::clients::TaskRunner;
use model::ClusterName;
use schedule::ScheduleName;
use views::retention::PolicyStateView;

use super::policy::PolicyArgs;
use crate::context::{Context, Service};
use crate::failure::Failure;
use crate::text::retention;

/// Sets which backups of a cluster are kept; the others are deleted after each scheduled backup that succeeds.
///
/// A policy that was set before is replaced as a whole. Each rule keeps backups, and what no rule keeps goes, a differential
/// before its base. Only complete backups in which no damage was found count, and of these the newest ones stay whatever
/// their age, as many as --floor says. `ringkeep retention preview` tries a policy without setting it.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The cluster, as it was registered; also one that was removed and still has backups.
    cluster: ClusterName,
    /// Only for the backups that this schedule makes; the cluster's policy is about all others.
    #[arg(long, value_name = "SCHEDULE")]
    schedule: Option<ScheduleName>,
    #[command(flatten)]
    policy: PolicyArgs,
}

const EXAMPLES: &str = "\
Examples:
  ringkeep retention set prod --keep-last 4 --keep-days 28 --weekly 8
  ringkeep retention set prod --schedule monthly --keep-last 12 --yearly 7";

pub async fn run(args: Args, context: &mut Context) -> Result<(), Failure> {
    let policy = args.policy.checked()?;
    let runner = context.task_runner()?;
    let put = runner.put_retention(&args.cluster, args.schedule.as_ref(), policy);
    let state = put
        .await
        .map_err(|error| context.failed(Service::TaskRunner, error))?;
    let view = PolicyStateView::from(&state);
    context
        .screen
        .result(&view, |view, _| retention::policy_text(view))
}
