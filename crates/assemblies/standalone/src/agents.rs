//! Agents in this process: each behind its own address for others, and behind a pipe in memory for the task-runner.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;

use api::client::ConnectError;
use api::clients::{AgentLimits, NodeAgent, RemoteNodeAgent};
use blob_store::{Store, StoreConfig};
use chassis::server::{self, BoundServer, ServerConfig};
use chassis::{App, Dialer, Services, in_memory};
use node_agent::{AbsentAgent, BuildError, NodeAgentService};
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;
use tonic::transport::Channel;
use tracing::error;

use crate::{AgentEntry, Error};

/// An agent that has its address, and does not reply there yet.
pub struct LocalAgent {
    pub name: String,
    bound: BoundServer,
    service: AgentService,
    routes: Routes,
    services: Services,
    /// Answers at once.
    channel: Channel,
}

/// An agent, or what stands in for one whose cassandra.yaml cannot be used.
enum AgentService {
    Built(NodeAgentService),
    Absent(AbsentAgent),
}

impl LocalAgent {
    /// Takes the address and builds the agent. TLS and the grace are those of the main address.
    pub async fn build(
        entry: AgentEntry,
        main: &ServerConfig,
        store: (Store, StoreConfig),
    ) -> Result<Self, Error> {
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
        let service = match node_agent::build(config, store).await {
            Ok(built) => AgentService::Built(built),
            Err(source) => AgentService::Absent(absent(&name, source)?),
        };
        let (routes, services) = service.add_to(App::new()).into_parts();
        Ok(Self {
            name,
            bound,
            service,
            channel: in_memory(routes.clone()),
            routes,
            services,
        })
    }

    /// Serves it on another address, too.
    pub fn add_to(&self, app: App) -> App {
        self.service.add_to(app)
    }

    /// Why there is no agent, if there is none.
    pub fn absent(&self) -> Option<&str> {
        match &self.service {
            AgentService::Built(_) => None,
            AgentService::Absent(absent) => Some(absent.why()),
        }
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

impl AgentService {
    fn add_to(&self, app: App) -> App {
        match self {
            Self::Built(service) => app.service(service.clone()),
            Self::Absent(service) => app.service(service.clone()),
        }
    }
}

/// The other agents are of use without one whose cassandra.yaml is missing.
fn absent(name: &str, source: BuildError) -> Result<AbsentAgent, Error> {
    let absent = AbsentAgent::instead_of(name, source).map_err(|source| Error::Agent {
        name: name.to_owned(),
        source,
    })?;
    error!(
        agent = name,
        error = absent.why(),
        "the agent could not be built; the process goes on without it"
    );
    Ok(absent)
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
