//! The document of `ringkeep status`.

use serde::Serialize;

use crate::view::backup_list::BackupSummaryView;

#[derive(Debug, Serialize)]
pub struct StatusView {
    pub endpoint: String,
    /// All services, all agents and the store.
    pub ok: bool,
    pub services: Vec<ServiceView>,
    /// Null when the catalog does not answer.
    pub store: Option<StoreView>,
    pub clusters: Vec<ClusterStatusView>,
}

#[derive(Debug, Serialize)]
pub struct ServiceView {
    pub service: &'static str,
    pub ok: bool,
    pub detail: Option<String>,
}

#[derive(Debug, Serialize)]
pub struct StoreView {
    pub store: String,
    pub reachable: bool,
    pub detail: Option<String>,
}

#[derive(Debug, Serialize)]
pub struct ClusterStatusView {
    pub name: String,
    pub agents: Vec<AgentView>,
    /// The newest that is complete.
    pub last_backup: Option<BackupSummaryView>,
}

#[derive(Debug, Serialize)]
pub struct AgentView {
    pub agent: String,
    /// The node's address; null when the agent does not answer.
    pub node: Option<String>,
    pub ok: bool,
    pub detail: Option<String>,
}
