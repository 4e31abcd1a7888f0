//! `ringkeep restore start`

use ::plan::render::{self, Statements};
use api::clients::{StartRestore, TaskRunner};
use views::PlanView;
use views::started::RestoreStartedView;
use views::task::TaskView;

use super::{RestoreArgs, plan_of};
use crate::context::{Context, Service};
use crate::failure::Failure;
use crate::queue::QueueArgs;
use crate::screen::Paint;
use crate::text::{finding, plan};
use crate::wait;

/// Restores a backup: shows the plan, asks, and starts a task that runs by itself.
///
/// Tables that are not there are created; the data of those that are there is replaced. The question before the start says of
/// how many. Nothing is replaced before every byte is on the nodes' disks and checked.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(flatten)]
    restore: RestoreArgs,
    /// Starts the plan that `restore plan` showed under this number. Give the same options as there; refuses if they are
    /// others, or if the plan would come out differently now.
    #[arg(long, value_name = "NUMBER", help_heading = "How")]
    plan: Option<u64>,
    /// Shows every statement of the plan before it asks; with --yes, prints them on stderr when the restore has started.
    #[arg(long, help_heading = "How it is shown")]
    cql: bool,
    #[command(flatten)]
    queue: QueueArgs,
    /// Waits until the restore has ended. Ctrl-C stops the waiting (exit code 1), not the restore.
    #[arg(long)]
    wait: bool,
    /// Agrees to the plan in advance; needed if there is no terminal to ask at.
    #[arg(long)]
    yes: bool,
}

const EXAMPLES: &str = "\
Examples:
  ringkeep restore start nightly --into prod --wait
  ringkeep restore start prod/nightly --into staging --table shop.orders --yes --wait
  ringkeep restore start nightly --into prod --plan 12 --yes --wait
  ringkeep restore start nightly --into prod --rename shop.orders=shop_copy.orders --wait
  ringkeep restore start nightly --into prod --rename shop=shop_copy --wait";

pub async fn run(args: Args, context: &mut Context) -> Result<(), Failure> {
    context.screen.check_can_agree(args.yes)?;
    // A user who agrees to a plan gets that plan, and none that has come out differently since.
    let number = match (args.plan, args.yes) {
        (Some(number), true) => number,
        (None, true) => 0,
        (number, false) => agree(&args, number, context).await?,
    };
    let start = match number {
        0 => StartRestore::PlannedNow(args.restore.to_plan()),
        number => StartRestore::AsShown {
            number,
            restore: Some(args.restore.to_plan()),
        },
    };
    let queue = args.queue.to_model();
    let response = context.task_runner()?.start_restore(start, queue).await;
    let response = response.map_err(|error| context.failed(Service::TaskRunner, error))?;
    let mut started = RestoreStartedView {
        task_id: response.task.map(|id| id.to_string()),
        plan: response.plan,
        task: None,
    };
    // A user who agreed at the terminal has read the findings already.
    let show_findings = args.yes;
    let Some(id) = response.task else {
        context
            .screen
            .result(&started, |started, paint| plan_text(&started.plan, paint))?;
        return Err(Failure::Refused {
            what: "restore",
            refusals: finding::refusals(&started.plan.findings),
        });
    };
    // A user who is asked has been shown the statements with the rest of the plan.
    if args.cql && args.yes {
        context.screen.tell(&render::script(&started.plan));
    }
    if !args.wait {
        context
            .screen
            .talk(&format!("watch it with `ringkeep task watch {id}`"));
        return context.screen.result(&started, |started, paint| {
            text(started, show_findings, paint)
        });
    }
    context
        .screen
        .talk(&format!("task {id} restores {}", started.plan.backup));
    let task = wait::until_final(id, context).await?;
    started.task = Some(TaskView::from(&task));
    context.screen.result(&started, |started, paint| {
        text(started, show_findings, paint)
    })?;
    wait::verdict(&task)
}

/// A plan that is refused, which has no statements.
fn plan_text(refused: &PlanView, paint: &Paint) -> String {
    plan::text(refused, Statements::Counted, paint)
}

/// Shows the plan on stderr and asks, unless it is refused. Returns the number of the plan that was agreed to.
async fn agree(args: &Args, number: Option<u64>, context: &mut Context) -> Result<u64, Failure> {
    let shown = plan_of(&args.restore, context).await?;
    let supported = shown.supported;
    if !supported {
        let started = RestoreStartedView {
            task_id: None,
            plan: shown,
            task: None,
        };
        context
            .screen
            .result(&started, |started, paint| plan_text(&started.plan, paint))?;
        return Err(Failure::Refused {
            what: "restore",
            refusals: finding::refusals(&started.plan.findings),
        });
    }
    let paint = context.screen.paint();
    let statements = if args.cql {
        Statements::All
    } else {
        Statements::Counted
    };
    context.screen.tell(&plan::text(&shown, statements, &paint));
    context.screen.confirm(&render::question(&shown), false)?;
    Ok(number.unwrap_or(shown.number))
}

fn text(started: &RestoreStartedView, show_findings: bool, paint: &Paint) -> String {
    let mut text = match show_findings {
        true => format!("{}\n", plan::brief(&started.plan, paint)),
        false => String::new(),
    };
    let id = started.task_id.as_deref().unwrap_or_default();
    match &started.task {
        None => text.push_str(&format!("task {id} restores it\n")),
        Some(task) => {
            text.push_str(&format!("task {id} {}\n", task.state));
            if !task.findings.is_empty() {
                text.push_str("\nwhat is left to know or to do\n");
                text.push_str(&finding::text(&task.findings, paint));
            }
        }
    }
    text
}
