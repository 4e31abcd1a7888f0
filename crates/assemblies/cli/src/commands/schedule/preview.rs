//! `ringkeep schedule preview`: reads nothing but its arguments, and calls no service.

use jiff::Timestamp;
use model::plan::Completeness;
use model::{ClusterName, Selection, Zone};
use plan::TextTable;
use schedule::{
    Cron, FullOn, Kinds, Objective, Overlap, Schedule, ScheduleName, Window, derive_cron,
};
use views::schedule::SchedulePreviewView;

use crate::context::Context;
use crate::failure::Failure;
use crate::human;

/// Shows the next runs of a cron expression, over changes of the clocks, and how much could be lost between them.
///
/// The fields are minute, hour, day of month, month and day of week, with seconds before them if there are six; also
/// @hourly, @daily, @weekly and @monthly. A time that clocks skip in spring runs right after the gap; one that they show
/// twice in autumn runs once. Hours that begin with * follow the clocks.
///
/// Without an expression, one is derived from --objective-minutes. Exits with 1 if the objective cannot be kept.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The expression, in quotes.
    #[arg(required_unless_present = "objective_minutes")]
    cron: Option<Cron>,
    /// By whose clocks: an IANA name. A derived expression is in UTC.
    #[arg(long, default_value = "UTC", value_name = "ZONE")]
    zone: Zone,
    /// Days whose first backup is full, and the others differential: sun, or mon,thu, or 1,15, or L.
    #[arg(long, value_name = "DAYS")]
    full_on: Option<FullOn>,
    /// Hours in which a run may start, for example 22:00-06:00.
    #[arg(long, value_name = "HOURS")]
    window: Option<Window>,
    /// Starts are spread over this many seconds.
    #[arg(long, default_value_t = 0, value_name = "SECONDS")]
    jitter_seconds: u32,
    /// What the backups are named after.
    #[arg(long, default_value = "scheduled", value_name = "NAME")]
    name: ScheduleName,
    /// The cluster, by whose name the jitter is spread.
    #[arg(long, default_value = "cluster", value_name = "CLUSTER")]
    cluster: ClusterName,
    /// How many runs to show.
    #[arg(long, default_value_t = 10, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    runs: u32,
    /// The runs after this time, RFC 3339; now if absent.
    #[arg(long, value_name = "TIME")]
    after: Option<Timestamp>,
    /// Writes of at most so many minutes may be lost.
    #[arg(long, value_name = "MINUTES")]
    objective_minutes: Option<u32>,
    /// How long a backup takes: it counts only once it is complete.
    #[arg(long, default_value_t = 0, value_name = "MINUTES")]
    backup_minutes: u32,
}

const EXAMPLES: &str = "\
Examples:
  ringkeep schedule preview \"30 2 * * *\" --zone Europe/Berlin --full-on sun
  ringkeep schedule preview \"0 */4 * * *\" --objective-minutes 300 --backup-minutes 20
  ringkeep schedule preview --objective-minutes 360 --backup-minutes 20";

pub fn run(args: &Args, context: &mut Context) -> Result<(), Failure> {
    let objective = args.objective_minutes.map(|minutes| Objective {
        seconds: u64::from(minutes) * 60,
    });
    let backup_seconds = u64::from(args.backup_minutes) * 60;
    let schedule = schedule(args, objective, backup_seconds)?;
    let after = args.after.unwrap_or_else(Timestamp::now);
    let runs: Vec<_> = schedule
        .preview(after, None)
        .take(args.runs as usize)
        .collect();
    let view = SchedulePreviewView {
        worst_loss_seconds: schedule.worst_loss_seconds(after, backup_seconds),
        objective_seconds: objective.map(|objective| objective.seconds),
        ..SchedulePreviewView::new(&schedule.cron, &schedule.zone, &runs)
    };
    context.screen.result(&view, |view, _| text(view))?;
    match (view.worst_loss_seconds, objective) {
        (Some(worst), Some(objective)) if worst > objective.seconds => Err(not_kept(worst)),
        // Fewer than two runs in four years keep no objective.
        (None, Some(_)) => Err(Failure::ObjectiveNotKept {
            worst: "any length of time".to_owned(),
        }),
        _ => Ok(()),
    }
}

fn schedule(
    args: &Args,
    objective: Option<Objective>,
    backup_seconds: u64,
) -> Result<Schedule, Failure> {
    let derived = || objective.and_then(|objective| derive_cron(objective, backup_seconds));
    let cron = args.cron.clone().or_else(derived);
    let cron = cron.ok_or_else(|| not_kept(backup_seconds + 5 * 60))?;
    // An expression is derived for days of 24 hours.
    let zone = if args.cron.is_some() {
        args.zone.clone()
    } else {
        Zone::default()
    };
    Ok(Schedule {
        cluster: args.cluster.clone(),
        name: args.name.clone(),
        cron,
        zone,
        start: None,
        window: args.window,
        jitter_seconds: args.jitter_seconds,
        kinds: match &args.full_on {
            Some(days) => Kinds::FullOn(days.clone()),
            None => Kinds::Full,
        },
        selection: Selection::default(),
        completeness: Completeness::All,
        overlap: Overlap::Wait,
        catch_up_seconds: 0,
        deadline_seconds: None,
        objective,
        pause: None,
    })
}

fn not_kept(worst_seconds: u64) -> Failure {
    Failure::ObjectiveNotKept {
        worst: human::seconds(worst_seconds),
    }
}

fn text(view: &SchedulePreviewView) -> String {
    let mut table = TextTable::new(&["STARTS", "KIND", "BACKUP"]);
    for run in &view.runs {
        table.row([
            run.starts_at_local.clone(),
            run.kind.to_owned(),
            run.backup.clone(),
        ]);
    }
    let head = format!("{} ({}), {}\n\n", view.cron, view.described, view.zone);
    let worst = match view.worst_loss_seconds {
        Some(worst) => format!(
            "\na restore loses writes of at most {}, if every backup succeeds\n",
            human::seconds(worst)
        ),
        None => "\nthere are too few runs to tell how much a restore could lose\n".to_owned(),
    };
    format!("{head}{}{worst}", table.render())
}
