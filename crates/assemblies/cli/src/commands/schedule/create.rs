//! `ringkeep schedule create`

use ::schedule::{Cron, FullOn, Kinds, Objective, Overlap, Schedule, ScheduleName, Window};
use api::clients::TaskRunner;
use jiff::Timestamp;
use model::{ClusterName, Zone};
use views::schedule::ScheduleView;

use crate::completeness::CompletenessArg;
use crate::context::{Context, Service};
use crate::failure::Failure;
use crate::names::SelectionArgs;
use crate::text::schedule;

/// Makes a schedule of backups for a cluster, or changes one with --replace.
///
/// The fields of the expression are minute, hour, day of month, month and day of week; `ringkeep schedule preview` shows what
/// one means. A backup is named after its schedule and the time that it is due. If no task-runner was there when runs were
/// due, the last one of them is made up for.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The cluster, as it was registered.
    cluster: ClusterName,
    /// Lower-case letters, digits and '-'; at most 40.
    schedule: ScheduleName,
    /// When backups are due, in quotes.
    #[arg(long, value_name = "EXPRESSION", help_heading = "When")]
    cron: Cron,
    /// By whose clocks: an IANA name.
    #[arg(
        long,
        default_value = "UTC",
        value_name = "ZONE",
        help_heading = "When"
    )]
    zone: Zone,
    /// No run is due before this time, RFC 3339.
    #[arg(long, value_name = "TIME", help_heading = "When")]
    start: Option<Timestamp>,
    /// Hours in which a run may start, for example 22:00-06:00.
    #[arg(long, value_name = "HOURS", help_heading = "When")]
    window: Option<Window>,
    /// Starts are spread over this many seconds, so that many clusters do not start at once.
    #[arg(
        long,
        default_value_t = 0,
        value_name = "SECONDS",
        help_heading = "When"
    )]
    jitter_seconds: u32,
    /// If the run before, or another task of the cluster, has not ended: wait for it, or skip the run.
    #[arg(
        long,
        default_value = "wait",
        value_name = "POLICY",
        help_heading = "When"
    )]
    overlap: OverlapArg,
    /// How late a run may start that could not start in time.
    #[arg(
        long,
        default_value_t = 1440,
        value_name = "MINUTES",
        help_heading = "When"
    )]
    catch_up_minutes: u32,
    /// Cancels a run that takes longer, so that it does not hold up the next.
    #[arg(long, value_name = "MINUTES", help_heading = "When")]
    deadline_minutes: Option<u32>,
    /// `schedule list` and `schedule show` report it if writes of more than so many minutes could be lost.
    #[arg(long, value_name = "MINUTES", help_heading = "When")]
    objective_minutes: Option<u32>,
    /// All backups full; or only the first one and those after which none is left to build on.
    #[arg(
        long,
        default_value = "full",
        value_name = "KIND",
        help_heading = "What"
    )]
    kind: KindArg,
    /// Days whose first backup is full, and the others differential: sun, or mon,thu, or 1,15, or L.
    #[arg(
        long,
        value_name = "DAYS",
        conflicts_with = "kind",
        help_heading = "What"
    )]
    full_on: Option<FullOn>,
    #[command(flatten)]
    selection: SelectionArgs,
    /// What of the replicas a backup may go without, because nodes are down or gone.
    #[arg(
        long,
        default_value = "all",
        value_name = "REPLICAS",
        help_heading = "What"
    )]
    completeness: CompletenessArg,
    /// Changes the schedule if there is one of this name; a pause stays.
    #[arg(long)]
    replace: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum OverlapArg {
    Wait,
    Skip,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum KindArg {
    Full,
    Differential,
}

const EXAMPLES: &str = "\
Examples:
  ringkeep schedule create prod nightly --cron \"30 2 * * *\" --zone Europe/Berlin --full-on sun
  ringkeep schedule create prod often --cron \"0 */4 * * *\" --kind differential --objective-minutes 300";

pub async fn run(args: Args, context: &mut Context) -> Result<(), Failure> {
    let replace = args.replace;
    let put = context.task_runner()?;
    let put = put.put_schedule(schedule_of(args), replace).await;
    let state = put.map_err(|error| context.failed(Service::TaskRunner, error))?;
    let view = ScheduleView::new(&state, Timestamp::now());
    context.screen.result(&view, schedule::text)
}

fn schedule_of(args: Args) -> Schedule {
    let seconds = |minutes: u32| u64::from(minutes) * 60;
    Schedule {
        cluster: args.cluster,
        name: args.schedule,
        cron: args.cron,
        zone: args.zone,
        start: args.start,
        window: args.window,
        jitter_seconds: args.jitter_seconds,
        kinds: match (args.full_on, args.kind) {
            (Some(days), _) => Kinds::FullOn(days),
            (None, KindArg::Full) => Kinds::Full,
            (None, KindArg::Differential) => Kinds::Differential,
        },
        selection: args.selection.to_model(),
        completeness: args.completeness.into(),
        overlap: match args.overlap {
            OverlapArg::Wait => Overlap::Wait,
            OverlapArg::Skip => Overlap::Skip,
        },
        catch_up_seconds: seconds(args.catch_up_minutes),
        deadline_seconds: args.deadline_minutes.map(seconds),
        objective: args.objective_minutes.map(|minutes| Objective {
            seconds: seconds(minutes),
        }),
        pause: None,
    }
}
