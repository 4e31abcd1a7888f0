//! Registered clusters.

use cassandra_versions::{Confidence, Release};

use crate::plan::UnreachableAgent;
use crate::{ClusterName, RingMember};

/// A cluster as it is registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cluster {
    pub name: ClusterName,
    /// host:port of each agent.
    pub agents: Vec<String>,
}

/// A registered cluster with what its agents report now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterState {
    pub cluster: Cluster,
    /// One for each agent that replied.
    pub nodes: Vec<ClusterNode>,
    pub unreachable: Vec<UnreachableAgent>,
}

/// A node of a registered cluster in one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterNode {
    /// Its agent, host:port.
    pub agent: String,
    pub member: RingMember,
    /// The `cluster_name` of cassandra.yaml.
    pub cluster_name: String,
    /// None for a product that this release does not know.
    pub release: Option<Release>,
    pub recognition: ShownRecognition,
    /// Why the node cannot be backed up or restored now; empty means healthy.
    pub unhealthy: String,
    /// How many tables it has in user keyspaces.
    pub tables: u64,
    /// Live data on this node.
    pub live_bytes: u64,
    /// Free on all its data directories.
    pub free_bytes: u64,
    /// Whether commands to stop and start Cassandra are configured.
    pub can_restart: bool,
}

/// How the product of a node was recognised.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ShownRecognition {
    /// None for a word that this release does not know.
    pub confidence: Option<Confidence>,
    /// What was seen that tells products apart, each in a few words.
    pub seen: Vec<String>,
    /// What contradicts what else was seen or stated, each in a sentence.
    pub contradictions: Vec<String>,
}
