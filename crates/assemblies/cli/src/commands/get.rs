//! `ringkeep get`

use api::clients::TaskRunner;
use plan::TextTable;
use serde_json::Value;

use crate::context::{Context, Service};
use crate::documents::{Kind, with_status};
use crate::failure::Failure;
use crate::text::dash;

/// Shows a document that was applied, with its status as Kubernetes would have it.
///
/// `active`, `succeeded` and `failed` count nodes, and `podStatuses` has the nodes by their addresses. A task that has failed
/// is complete, too: its condition `Failed` is True, and says why.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// cassandratask or k8ssandratask.
    #[arg(value_name = "KIND")]
    kind: Kind,
    /// The document's name.
    name: String,
    /// The document's namespace; without it, a document that has none.
    #[arg(
        long,
        short,
        value_name = "N",
        default_value = "",
        hide_default_value = true
    )]
    namespace: String,
}

const EXAMPLES: &str = "\
Examples:
  ringkeep get cassandratask upgrade-sstables -o yaml
  ringkeep get k8ssandratask nightly-cleanup --namespace mission-control";

pub async fn run(args: Args, context: &mut Context) -> Result<(), Failure> {
    let kind = args.kind.as_str();
    let runner = context.task_runner()?;
    let found = runner
        .get_maintenance(kind, &args.namespace, &args.name)
        .await;
    let (document, task) = found.map_err(|error| context.failed(Service::TaskRunner, error))?;
    let content = serde_json::from_str(&document.content).map_err(|_| Failure::Truncated {
        service: Service::TaskRunner.as_str(),
    })?;
    let shown = with_status(content, &task);
    let cluster = task.cluster.to_string();
    let id = task.id.to_string();
    context
        .screen
        .result(&shown, |document, _| text(document, &cluster, &id))
}

fn text(document: &Value, cluster: &str, task: &str) -> String {
    let status = &document["status"];
    let number = |name: &str| status[name].to_string();
    let time = |name: &str| dash(status[name].as_str());
    let mut table = TextTable::new(&[
        "NAME",
        "CLUSTER",
        ">ACTIVE",
        ">SUCCEEDED",
        ">FAILED",
        "STARTED",
        "COMPLETED",
        "TASK",
    ]);
    table.row([
        dash(document["metadata"]["name"].as_str()),
        cluster.to_owned(),
        number("active"),
        number("succeeded"),
        number("failed"),
        time("startTime"),
        time("completionTime"),
        task.to_owned(),
    ]);
    table.render()
}
