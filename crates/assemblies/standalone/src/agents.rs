//! Agents in this process: each behind its own address for others, and behind a pipe in memory for the task-runner.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;

use api::client::ConnectError;
use api::clients::{AgentLimits, NodeAgent, RemoteNodeAgent};
use blob_store::{Store, StoreConfig};
use chassis::server::{self, BoundServer, ServerConfig};
use chassis::{App, Dialer, Services, in_memory};
use node_agent::NodeAgentService;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;
use tonic::transport::Channel;

use crate::{AgentEntry, Error};

/// An agent that is built and has its address, and does not answer there yet.
pub struct LocalAgent {
    pub name: String,
    bound: BoundServer,
    routes: Routes,
    services: Services,
    /// Answers at once.
    channel: Channel,
}

impl LocalAgent {
    /// Takes the address and builds the agent; returns its service too, for the main address. TLS and the grace are those
    /// of the main address.
    pub async fn build(
        entry: AgentEntry,
        main: &ServerConfig,
        store: (Store, StoreConfig),
    ) -> Result<(Self, NodeAgentService), Error> {
        let server_config = entry.server(main);
        let AgentEntry {
            name,
            listen: _,
            cassandra,
            agent,
        } = entry;
        let bound = server::bind(&server_config).await;
        let bound = bound.map_err(|source| Error::ServeAgent {
            name: name.clone(),
            address: server_config.listen,
            source,
        })?;
        let (store, store_config) = store;
        let config = node_agent::Config {
            store: store_config,
            cassandra,
            agent,
        };
        let service = node_agent::build(config, store).await;
        let service = service.map_err(|source| Error::Agent {
            name: name.clone(),
            source,
        })?;
        let (routes, services) = App::new().service(service.clone()).into_parts();
        let agent = Self {
            name,
            bound,
            channel: in_memory(routes.clone()),
            routes,
            services,
        };
        Ok((agent, service))
    }

    pub fn address(&self) -> SocketAddr {
        self.bound.address()
    }

    pub async fn serve(self, shutdown: CancellationToken) -> Result<(), Error> {
        let address = self.bound.address();
        let served = self
            .bound
            .serve(self.routes, &self.services, shutdown)
            .await;
        served.map_err(|source| Error::ServeAgent {
            name: self.name,
            address,
            source,
        })
    }
}

/// Leads the task-runner to agents in this process through memory, and to all others through the network.
pub struct Connector {
    local: HashMap<SocketAddr, Channel>,
    dialer: Dialer,
    limits: AgentLimits,
}

impl Connector {
    /// The first agent is also served on the main address, so that with one agent one address is all there is to know.
    pub fn new(
        main: SocketAddr,
        agents: &[LocalAgent],
        dialer: Dialer,
        limits: AgentLimits,
    ) -> Self {
        let mut local: HashMap<SocketAddr, Channel> = agents
            .iter()
            .map(|agent| (agent.address(), agent.channel.clone()))
            .collect();
        if let Some(first) = agents.first() {
            local.insert(main, first.channel.clone());
        }
        Self {
            local,
            dialer,
            limits,
        }
    }

    fn local(&self, address: &str) -> Option<Channel> {
        let bare = address
            .strip_prefix("http://")
            .or_else(|| address.strip_prefix("https://"))
            .unwrap_or(address);
        let numeric = bare.replace("localhost:", "127.0.0.1:");
        let address: SocketAddr = numeric.parse().ok()?;
        self.local.get(&address).cloned()
    }
}

impl task_runner::AgentConnector for Connector {
    fn connect(&self, address: &str) -> Result<Arc<dyn NodeAgent>, ConnectError> {
        let channel = match self.local(address) {
            Some(channel) => channel,
            None => self.dialer.channel(address)?,
        };
        Ok(Arc::new(RemoteNodeAgent::new(channel, self.limits)))
    }
}
