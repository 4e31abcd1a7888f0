//! The agent beside a Cassandra node: describes it, takes its snapshots, and moves SSTables to and from the object store.
//!
//! One runs on each host, as the user that owns Cassandra's files. It keeps a small journal and nothing else; every request
//! may be repeated, and goes on where it stopped.

mod absent;
mod agent;
mod busy;
mod config;
mod describe;
mod error;
mod fences;
mod folders;
mod grpc;
mod journal;
mod leftovers;
mod limits;
mod load;
mod maintenance;
mod meant;
mod opened;
mod owner;
mod path_name;
mod peers;
#[cfg(test)]
mod products;
mod quiesce;
mod restart;
mod restore;
mod snapshot;
mod stage;
mod swap;
#[cfg(test)]
mod testing;
mod transactions;
mod trial;
mod upgrade;
mod upload;
mod views;

use std::sync::Arc;

use api::pb::node_agent::node_agent_server::NodeAgentServer;
use blob_store::{Store, StoreConfig};
use cassandra_node::CassandraNode;
use chassis::Locks;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use agent::Agent;
use fences::SeenFences;
use folders::Folders;
use grpc::SameLevel;
use limits::Limits;
use owner::StateOwner;

pub use absent::AbsentAgent;
pub use cassandra_node::{CassandraConfig, CqlTls};
pub use config::AgentConfig;
pub use error::BuildError;
pub use grpc::NodeAgentGrpc;

/// The agent as it is served: callers of another level end in front of it.
pub type NodeAgentService = SameLevel<NodeAgentServer<NodeAgentGrpc>>;

/// The agent's own sections; those of every process are chassis's.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    pub store: StoreConfig,
    #[serde(default)]
    pub cassandra: CassandraConfig,
    #[serde(default)]
    pub agent: AgentConfig,
}

/// Builds the service on a store. Reads cassandra.yaml, and takes the folder of the journals for itself; what earlier
/// restores have left off is turned on in the background.
pub async fn build(config: Config, store: Store) -> Result<NodeAgentService, BuildError> {
    let agent = Arc::new(build_agent(config, store)?);
    let starting = agent.clone();
    tokio::spawn(async move { restore::turn_on_all(&starting).await });
    let service = NodeAgentServer::new(NodeAgentGrpc::new(agent))
        .max_decoding_message_size(api::client::MESSAGE_BYTES_MAX);
    Ok(SameLevel(service))
}

fn build_agent(config: Config, store: Store) -> Result<Agent, BuildError> {
    let Config {
        cassandra,
        agent: settings,
        ..
    } = config;
    if path_name::check("staging_dir_name", &settings.staging_dir_name).is_err() {
        return Err(BuildError::StagingName(settings.staging_dir_name));
    }
    let budget = settings.transfer_budget()?;
    let owner = StateOwner::of(&settings.state_dir)?;
    let node = CassandraNode::open(cassandra, settings.state_dir.clone())?;
    let folders = Folders::new(
        node.data_folders(),
        node.yaml.saved_caches_directory.clone(),
        &settings,
    );
    Ok(Agent {
        node,
        store,
        limits: Limits::new(&settings),
        fences: SeenFences::new(folders.fences_file()),
        folders,
        budget,
        config: settings,
        locks: Locks::default(),
        clock: Timestamp::now,
        owner,
    })
}
