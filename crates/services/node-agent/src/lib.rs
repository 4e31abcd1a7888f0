//! The agent beside a Cassandra node: describes it, takes its snapshots, and moves SSTables to and from the object store.
//!
//! One runs on each host, as the user that owns Cassandra's files. It keeps a small journal and nothing else; whatever
//! it is asked may be asked again, and goes on where it stopped.

mod agent;
mod bucket;
mod commit_log;
mod config;
mod control;
mod cql;
mod describe;
mod error;
mod files;
mod folders;
mod grpc;
mod journal;
mod keys;
mod load;
mod locks;
mod meant;
mod nodetool;
mod opened;
mod path_name;
mod restart;
mod restore;
mod ring;
mod schema;
mod snapshot;
mod sstables;
mod stage;
mod statements;
mod swap;
mod tables;
#[cfg(test)]
mod testing;
mod upgrade;
mod upload;
mod views;
mod work;
mod yaml;

use std::sync::Arc;
use std::time::Duration;

use api::pb::node_agent::node_agent_server::NodeAgentServer;
use blob_store::{Bandwidth, Store, StoreConfig, Throttle};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use agent::Agent;
use cql::{CqlSession, CqlSettings};
use folders::Folders;
use locks::Locks;
use nodetool::Nodetool;
use yaml::{CassandraYaml, YamlError};

pub use config::{AgentConfig, CassandraConfig, CqlTls};
pub use error::BuildError;
pub use grpc::NodeAgentGrpc;

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

/// Builds the service on a store. Reads cassandra.yaml; connects to nothing yet.
pub async fn build(
    config: Config,
    store: Store,
) -> Result<NodeAgentServer<NodeAgentGrpc>, BuildError> {
    let agent = build_agent(config, store)?;
    Ok(NodeAgentServer::new(NodeAgentGrpc::new(Arc::new(agent)))
        .max_decoding_message_size(api::client::MESSAGE_BYTES_MAX))
}

fn build_agent(config: Config, store: Store) -> Result<Agent, BuildError> {
    let Config {
        cassandra,
        agent: settings,
        ..
    } = config;
    let yaml = CassandraYaml::read(&cassandra.config_file, &cassandra.storage_dir)?;
    let address = match (&cassandra.cql_address, &yaml.cql_address) {
        (Some(address), _) | (None, Some(address)) => address.clone(),
        (None, None) => {
            return Err(YamlError::Interface {
                path: cassandra.config_file.clone(),
            }
            .into());
        }
    };
    if cassandra.nodetool.is_empty() {
        return Err(BuildError::Nodetool);
    }
    if path_name::check("staging_dir_name", &settings.staging_dir_name).is_err() {
        return Err(BuildError::StagingName(settings.staging_dir_name));
    }
    let cql = CqlSession::new(CqlSettings {
        address,
        login: login(&cassandra)?,
        tls: cassandra.cql_tls.clone(),
        timeout: Duration::from_secs(cassandra.cql_timeout_seconds),
    });
    let nodetool = Nodetool::new(
        cassandra.nodetool.clone(),
        Duration::from_secs(cassandra.nodetool_timeout_seconds),
    );
    let folders = Folders::new(
        yaml.data_directories.clone(),
        yaml.saved_caches_directory.clone(),
        &settings,
    );
    Ok(Agent {
        cql: Arc::new(cql),
        control: Arc::new(nodetool),
        store: throttled(store, &settings),
        folders,
        yaml,
        cassandra,
        config: settings,
        locks: Locks::default(),
        clock: Timestamp::now,
    })
}

fn login(cassandra: &CassandraConfig) -> Result<Option<(String, String)>, BuildError> {
    match (cassandra.cql_username.as_str(), &cassandra.cql_password) {
        ("", None) => Ok(None),
        ("", Some(_)) | (_, None) => Err(BuildError::Login),
        (user, Some(password)) => Ok(Some((user.to_owned(), password.expose().to_owned()))),
    }
}

fn throttled(store: Store, settings: &AgentConfig) -> Store {
    let limit = |bytes: u64| (bytes > 0).then(|| Arc::new(Bandwidth::new(bytes)));
    let up = limit(settings.upload_bandwidth_bytes_per_second);
    let down = limit(settings.download_bandwidth_bytes_per_second);
    match (&up, &down) {
        (None, None) => store,
        _ => Arc::new(Throttle::new(store, up, down)),
    }
}
