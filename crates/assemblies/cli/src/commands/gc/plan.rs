//! `ringkeep gc plan`

use ::plan::TextTable;
use api::clients::TaskRunner;
use model::ClusterName;
use views::collection::CollectionPlanView;

use crate::context::{Context, Service};
use crate::failure::Failure;
use crate::human;

/// Shows what is of no use in the bucket under a cluster: deletes nothing.
///
/// That is: objects that arrived after their backup was deleted, what backups that were given up have uploaded, deletions that
/// were cut short, and pins of tasks that have ended.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The cluster; also one that is no longer registered.
    cluster: ClusterName,
}

pub async fn run(args: Args, context: &mut Context) -> Result<(), Failure> {
    let planned = context.task_runner()?.plan_collection(&args.cluster).await;
    let planned = planned.map_err(|error| context.failed(Service::TaskRunner, error))?;
    let view = CollectionPlanView::new(args.cluster.as_str(), &planned);
    context.screen.result(&view, |view, _| text(view))
}

fn text(view: &CollectionPlanView) -> String {
    let mut text = String::new();
    if !view.garbage.is_empty() {
        let mut table = TextTable::new(&["NAME", "WHAT", ">OBJECTS", ">SIZE"]);
        for garbage in &view.garbage {
            table.row([
                garbage.backup.clone(),
                garbage.kind.to_owned(),
                garbage.objects.to_string(),
                human::bytes(garbage.bytes),
            ]);
        }
        text.push_str(&format!("{}\n", table.render()));
    }
    for pin in &view.stale_pins {
        text.push_str(&format!(
            "{}: a pin of task {}, which has ended\n",
            pin.backup, pin.task_id
        ));
    }
    for pin in &view.unknown_pins {
        text.push_str(&format!(
            "{}: a pin of task {}, which this task-runner does not know; it stays without --lost-task\n",
            pin.backup, pin.task_id
        ));
    }
    if text.is_empty() {
        return format!("nothing is of no use under {}\n", view.cluster);
    }
    text.push_str(&format!(
        "{} of no use under {}, {}; nothing was deleted\n",
        human::bytes(view.bytes),
        human::count(view.garbage.len() as u64, "name"),
        human::count(view.stale_pins.len() as u64, "stale pin"),
    ));
    text
}
