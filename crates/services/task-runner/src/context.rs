//! Everything that the runner works with: the other services, its state, its clock and its settings.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use api::client::ConnectError;
use api::clients::{NodeAgent, Planner, StorageCatalog};
use api::fence::Fences;
use state_store::{Clock, StateStore};

use crate::config::TasksConfig;
use crate::engine::TaskStore;
use crate::events::Outbox;

/// Finds the agent at an address. Standalone hands in agents of its own process.
pub trait AgentConnector: Send + Sync + 'static {
    /// An agent that is connected to when it is first called, and again whenever the connection broke.
    fn connect(&self, address: &str) -> Result<Arc<dyn NodeAgent>, ConnectError>;
}

impl<F> AgentConnector for F
where
    F: Fn(&str) -> Result<Arc<dyn NodeAgent>, ConnectError> + Send + Sync + 'static,
{
    fn connect(&self, address: &str) -> Result<Arc<dyn NodeAgent>, ConnectError> {
        self(address)
    }
}

/// Everything that the runner works with. Clones share it.
#[derive(Clone)]
pub(crate) struct Context {
    pub catalog: Arc<dyn StorageCatalog>,
    pub planner: Arc<dyn Planner>,
    agents: Arc<dyn AgentConnector>,
    /// One for each address, because making one costs a connection.
    connected: Arc<Mutex<HashMap<String, Arc<dyn NodeAgent>>>>,
    /// Those under which agents are called.
    fences: Fences,
    pub tasks: TaskStore,
    pub store: Arc<dyn StateStore>,
    pub clock: Clock,
    pub config: TasksConfig,
}

impl Context {
    pub fn new(
        config: TasksConfig,
        catalog: Arc<dyn StorageCatalog>,
        planner: Arc<dyn Planner>,
        agents: Arc<dyn AgentConnector>,
        store: Arc<dyn StateStore>,
        clock: Clock,
    ) -> Self {
        let webhooks = config.events.webhooks.iter();
        let outbox = Outbox::new(webhooks.map(|webhook| webhook.name.clone()));
        Self {
            catalog,
            planner,
            agents,
            connected: Arc::default(),
            fences: Fences::default(),
            tasks: TaskStore::new(store.clone(), config.lease_ttl(), outbox),
            store,
            clock,
            config,
        }
    }

    /// The same, for a caller whose calls to agents are made under these fences.
    pub fn under(&self, fences: Fences) -> Self {
        Self {
            fences,
            ..self.clone()
        }
    }

    /// The agent at an address, host:port.
    pub fn agent(&self, address: &str) -> Result<Arc<dyn NodeAgent>, ConnectError> {
        let agent = self.connected(address)?;
        match self.fences.is_empty() {
            true => Ok(agent),
            false => Ok(agent.under(&self.fences)),
        }
    }

    fn connected(&self, address: &str) -> Result<Arc<dyn NodeAgent>, ConnectError> {
        let mut connected = self
            .connected
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(agent) = connected.get(address) {
            return Ok(agent.clone());
        }
        let agent = self.agents.connect(address)?;
        connected.insert(address.to_owned(), agent.clone());
        Ok(agent)
    }
}
