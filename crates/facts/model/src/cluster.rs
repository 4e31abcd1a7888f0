//! Registered clusters.

use crate::plan::UnreachableAgent;
use crate::{ClusterName, NodeDescription};

/// A cluster as it is registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cluster {
    pub name: ClusterName,
    /// host:port of each agent.
    pub agents: Vec<String>,
}

/// A registered cluster with what its agents report now.
#[derive(Debug, Clone, PartialEq)]
pub struct ClusterState {
    pub cluster: Cluster,
    /// One for each agent that replied.
    pub nodes: Vec<NodeDescription>,
    pub unreachable: Vec<UnreachableAgent>,
}
