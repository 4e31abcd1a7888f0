//! `ringkeep cluster add`

use api::clients::TaskRunner;
use model::{Cluster, ClusterName};
use views::cluster::ClusterView;

use crate::context::{Context, Service};
use crate::failure::Failure;
use crate::human;
use crate::names::AgentArg;

/// Registers a cluster by its agents, one beside each Cassandra node.
///
/// All agents must reply and agree on one ring. Adding a cluster again changes nothing; with other agents it is refused
/// until the cluster is removed.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The cluster's name here and in the bucket: letters, digits, '.', '_' and '-'.
    name: ClusterName,
    /// Address of an agent; given once for each node.
    #[arg(long = "agent", value_name = "HOST:PORT", required = true)]
    agents: Vec<AgentArg>,
}

const EXAMPLES: &str = "\
Examples:
  ringkeep cluster add prod --agent 10.0.0.5:7401 --agent 10.0.0.6:7401 --agent 10.0.0.7:7401";

pub async fn run(args: Args, context: &mut Context) -> Result<(), Failure> {
    let cluster = Cluster {
        name: args.name,
        agents: args.agents.into_iter().map(|agent| agent.0).collect(),
    };
    let added = context.task_runner()?.add_cluster(cluster, false).await;
    let added = added.map_err(|error| context.failed(Service::TaskRunner, error))?;
    let cluster = ClusterView::from(&added);
    context.screen.result(&cluster, |cluster, _| {
        let agents = human::count(cluster.agents.len() as u64, "agent");
        format!("cluster {} is registered with {agents}\n", cluster.name)
    })
}
