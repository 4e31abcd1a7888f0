//! What an agent knows of the Cassandra node beside it.

use std::sync::Arc;

use cassandra_versions::{Recognition, Release};
use serde::{Deserialize, Serialize};

use crate::{HostId, NodeSetup, RingMember, TableId, TableRef};

/// A table that a node has, and what it holds of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableDescription {
    pub table: TableRef,
    pub id: TableId,
    /// For a materialized view its base table's name.
    pub view_of: Option<String>,
    /// Live data on this node, all components.
    pub live_bytes: u64,
    /// Distinct SSTable format versions on disk, for example `big-nb`.
    pub formats: Vec<String>,
    /// The compaction strategy's class.
    pub compaction_class: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataDirectory {
    pub path: String,
    pub free_bytes: u64,
    pub total_bytes: u64,
}

/// What a node's settings let a schema use.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeFeatures {
    /// Each absent if it is not known.
    pub materialized_views: Option<bool>,
    pub user_defined_functions: Option<bool>,
    pub sasi_indexes: Option<bool>,
    /// Whether SSTables may have ids made of time, which the node must be configured to parse.
    pub time_sstable_ids: Option<bool>,
}

/// What an agent knows of the Cassandra node beside it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeDescription {
    /// The agent's own address as it was called, host:port.
    pub agent: String,
    /// The `cluster_name` of cassandra.yaml.
    pub cluster_name: String,
    pub release: Release,
    pub member: RingMember,
    /// All members of the ring as this node sees it, itself included. Shared by nodes that see the same: a thousand nodes
    /// with a thousand members each would otherwise be a million.
    pub ring: Arc<Vec<RingMember>>,
    pub partitioner: String,
    pub schema_version: String,
    /// All schema versions that this node sees in the ring; one means agreement.
    pub schema_versions: Vec<String>,
    pub tables: Vec<TableDescription>,
    pub data_directories: Vec<DataDirectory>,
    /// Whether commands to stop and start Cassandra are configured.
    pub can_restart: bool,
    /// The SSTable formats that this node reads, for example `big-nb`.
    pub readable_formats: Vec<String>,
    /// The SSTable format that this node writes, for example `big-nb`; empty if it is not known.
    pub written_format: String,
    /// The `storage_compatibility_mode` that the node runs in; empty if its release has none.
    pub storage_compatibility_mode: String,
    pub features: NodeFeatures,
    /// Why the node cannot be backed up or restored now; empty means healthy.
    pub unhealthy: String,
    pub setup: NodeSetup,
    pub peers: PeerView,
    /// How the product of `release` was recognised.
    #[serde(default)]
    pub recognition: Recognition,
}

/// What a node knows of the other members of its ring, where that is not what it should be.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeerView {
    /// Members whose schema version, as this node last heard of it, is not its own.
    pub dissenting: Vec<MemberVersion>,
    /// Members that its system tables have and that gossip knows nothing of: rows that a removed node left behind.
    pub ghosts: Vec<HostId>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberVersion {
    pub host_id: HostId,
    /// Empty if it is not known.
    pub version: String,
}
