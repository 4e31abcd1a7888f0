//! Everything that the runner talks to, with the deadline of each kind of call.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use api::client::{
    ConnectError, NodeAgentClient, PlannerClient, StorageCatalogClient, node_agent, planner,
    storage_catalog,
};
use api::{ErrorKind, RemoteError};
use state_store::{Clock, StateStore};
use tonic::transport::Channel;
use tonic::{Response, Status};

use crate::config::TasksConfig;
use crate::plans::PlanStore;
use crate::store::TaskStore;

/// Reads of a node; one that takes longer is as good as down.
pub(crate) const DESCRIBE_DEADLINE: Duration = Duration::from_secs(60);
pub(crate) const SCHEMA_DEADLINE: Duration = Duration::from_secs(60);
pub(crate) const PLAN_DEADLINE: Duration = Duration::from_secs(60);
/// Small reads and writes of the bucket.
pub(crate) const CATALOG_DEADLINE: Duration = Duration::from_secs(30);
/// Commit asks the bucket for every object of the backup.
pub(crate) const COMMIT_DEADLINE: Duration = Duration::from_secs(3_600);
/// A snapshot flushes all memtables first.
pub(crate) const SNAPSHOT_DEADLINE: Duration = Duration::from_secs(900);
pub(crate) const CLEAR_DEADLINE: Duration = Duration::from_secs(300);
/// Statements wait for schema agreement, one by one.
pub(crate) const CQL_DEADLINE: Duration = Duration::from_secs(3_600);
/// Stopping drains first, and starts what went down undrained; starting replays and waits for CQL.
pub(crate) const STOP_DEADLINE: Duration = Duration::from_secs(5_400);
pub(crate) const SWAP_DEADLINE: Duration = Duration::from_secs(1_800);
pub(crate) const START_DEADLINE: Duration = Duration::from_secs(3_600);
pub(crate) const FINISH_DEADLINE: Duration = Duration::from_secs(1_800);

/// Gives the channel to an agent. Standalone hands in agents of its own process.
pub trait AgentConnector: Send + Sync + 'static {
    /// Makes a channel that connects when first used, and again whenever it broke.
    fn connect(&self, address: &str) -> Result<Channel, ConnectError>;
}

impl<F> AgentConnector for F
where
    F: Fn(&str) -> Result<Channel, ConnectError> + Send + Sync + 'static,
{
    fn connect(&self, address: &str) -> Result<Channel, ConnectError> {
        self(address)
    }
}

/// Everything that the runner talks to.
pub(crate) struct Services {
    catalog: Channel,
    planner: Channel,
    agents: Arc<dyn AgentConnector>,
    /// One channel for each agent, because making one costs a connection.
    channels: Mutex<HashMap<String, Channel>>,
    pub tasks: TaskStore,
    pub plans: PlanStore,
    pub store: Arc<dyn StateStore>,
    pub clock: Clock,
    pub config: TasksConfig,
}

impl Services {
    pub fn new(
        config: TasksConfig,
        catalog: Channel,
        planner: Channel,
        agents: Arc<dyn AgentConnector>,
        store: Arc<dyn StateStore>,
        clock: Clock,
    ) -> Self {
        Self {
            catalog,
            planner,
            agents,
            channels: Mutex::default(),
            tasks: TaskStore::new(store.clone()),
            plans: PlanStore::new(store.clone()),
            store,
            clock,
            config,
        }
    }

    pub fn catalog(&self) -> StorageCatalogClient {
        storage_catalog(self.catalog.clone())
    }

    pub fn planner(&self) -> PlannerClient {
        planner(self.planner.clone())
    }

    pub fn agent(&self, address: &str) -> Result<NodeAgentClient, ConnectError> {
        let mut channels = self.channels.lock().unwrap_or_else(PoisonError::into_inner);
        let channel = match channels.get(address) {
            Some(channel) => channel.clone(),
            None => {
                let channel = self.agents.connect(address)?;
                channels.insert(address.to_owned(), channel.clone());
                channel
            }
        };
        Ok(node_agent(channel))
    }
}

/// A call that is answered within its deadline or given up; giving up ends the call on the other side, too.
pub(crate) async fn within<T>(
    deadline: Duration,
    call: impl Future<Output = Result<Response<T>, Status>>,
) -> Result<T, RemoteError> {
    match tokio::time::timeout(deadline, call).await {
        Ok(Ok(response)) => Ok(response.into_inner()),
        Ok(Err(status)) => Err(status.into()),
        Err(_) => Err(RemoteError {
            kind: ErrorKind::Unavailable,
            reason: "DEADLINE".to_owned(),
            message: format!("no answer within {} s", deadline.as_secs()),
            hint: None,
            field: None,
            retry_after: None,
        }),
    }
}
