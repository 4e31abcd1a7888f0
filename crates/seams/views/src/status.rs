//! Whether everything is there.

use model::StoreStatus;
use serde::Serialize;

use crate::backup_list::BackupSummaryView;
use crate::some;

/// Services, store and clusters behind one endpoint.
#[derive(Debug, Clone, Serialize)]
pub struct StatusView {
    /// The address that was called.
    pub endpoint: String,
    /// All services, all agents and the store.
    pub ok: bool,
    /// Each kind of service.
    pub services: Vec<ServiceView>,
    /// Null if the catalog does not reply.
    pub store: Option<StoreView>,
    /// Each registered cluster.
    pub clusters: Vec<ClusterStatusView>,
}

/// A kind of service.
#[derive(Debug, Clone, Serialize)]
pub struct ServiceView {
    /// For example `task-runner`.
    pub service: &'static str,
    /// Whether it replies; of agents, whether all do and their nodes are healthy.
    pub ok: bool,
    /// What is wrong.
    pub detail: Option<String>,
}

/// The object store.
#[derive(Debug, Clone, Serialize)]
pub struct StoreView {
    /// Which one, without credentials.
    pub store: String,
    /// Whether the catalog can use it.
    pub reachable: bool,
    /// Why not.
    pub detail: Option<String>,
}

/// A registered cluster.
#[derive(Debug, Clone, Serialize)]
pub struct ClusterStatusView {
    /// Its name.
    pub name: String,
    /// Each of its agents.
    pub agents: Vec<AgentView>,
    /// The newest that is complete.
    pub last_backup: Option<BackupSummaryView>,
}

/// An agent and its node.
#[derive(Debug, Clone, Serialize)]
pub struct AgentView {
    /// host:port.
    pub agent: String,
    /// The node's address; null if the agent does not reply.
    pub node: Option<String>,
    /// Whether the agent replies and its node is healthy.
    pub ok: bool,
    /// What is wrong.
    pub detail: Option<String>,
}

impl From<&StoreStatus> for StoreView {
    fn from(status: &StoreStatus) -> Self {
        Self {
            store: status.store.clone(),
            reachable: status.reachable,
            detail: some(&status.detail),
        }
    }
}
