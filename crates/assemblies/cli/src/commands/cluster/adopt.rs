//! `ringkeep cluster adopt`

use api::clients::{StorageCatalog, TaskRunner};
use model::{BackupState, BackupSummary, Cluster, ClusterName};
use views::adopted::AdoptedView;

use crate::context::{Context, Service};
use crate::failure::Failure;
use crate::names::AgentArg;
use crate::text::adopted;

/// Registers a cluster again after the state of the task-runners was lost, and shows what is there of it.
///
/// One agent is enough: those of the other nodes are looked for at the addresses of the ring, on the same port. Then what is in
/// the bucket under the name and what tasks have left on the nodes is shown, with what to do about it. Nothing is deleted or
/// changed but that the cluster is registered. Safe to repeat.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The name that the cluster had: its backups are in the bucket under it.
    name: ClusterName,
    /// Address of an agent; further ones for nodes whose agents have another port or address.
    #[arg(long = "agent", value_name = "HOST:PORT", required = true)]
    agents: Vec<AgentArg>,
}

const EXAMPLES: &str = "\
Examples:
  ringkeep cluster adopt prod --agent 10.0.0.5:7401
  ringkeep cluster adopt prod --agent 10.0.0.5:7401 --output json";

pub async fn run(args: Args, context: &mut Context) -> Result<(), Failure> {
    let catalog = context.catalog()?;
    let runner = context.task_runner()?;
    // Before anything is registered: without the bucket there is nothing to adopt.
    let backups = catalog.list_backups(Some(&args.name)).await;
    let backups = backups.map_err(|error| context.failed(Service::StorageCatalog, error))?;
    let cluster = Cluster {
        name: args.name,
        agents: args.agents.into_iter().map(|agent| agent.0).collect(),
    };
    let cluster = runner.add_cluster(cluster, true).await;
    let cluster = cluster.map_err(|error| context.failed(Service::TaskRunner, error))?;
    let state = runner.get_cluster(&cluster.name).await;
    let state = state.map_err(|error| context.failed(Service::TaskRunner, error))?;
    let garbage = runner.plan_collection(&cluster.name).await;
    let garbage = garbage.map_err(|error| context.failed(Service::TaskRunner, error))?;
    let leftovers = runner.list_leftovers(&cluster.name).await;
    let leftovers = leftovers.map_err(|error| context.failed(Service::TaskRunner, error))?;
    let mut view = AdoptedView::new(&cluster, &backups, &garbage, leftovers);
    if let Some(newest) = newest(&backups) {
        let shown = catalog.show_backup(Some(&cluster.name), &newest.backup.name);
        let shown = shown
            .await
            .map_err(|error| context.failed(Service::StorageCatalog, error))?;
        let node = state.nodes.first();
        view.compare_names(&shown.cluster_name, node.map(|node| &*node.cluster_name));
    }
    context.screen.result(&view, |view, _| adopted::text(view))
}

/// The newest complete one; lists have the newest first.
fn newest(backups: &[BackupSummary]) -> Option<&BackupSummary> {
    let mut complete = backups.iter();
    complete.find(|backup| backup.state == Some(BackupState::Complete))
}
