//! What every operation of an agent works with.

use blob_store::{Budget, Store};
use bucket::Bucket;
use cassandra_node::CassandraNode;
use chassis::Locks;
use jiff::Timestamp;

use crate::config::AgentConfig;
use crate::fences::SeenFences;
use crate::folders::Folders;
use crate::limits::{Limits, TaskLimits};
use crate::owner::StateOwner;

/// The node, the store, the agent's folders and settings, and the locks on what is being worked on.
pub struct Agent {
    pub node: CassandraNode,
    pub store: Store,
    pub limits: Limits,
    pub folders: Folders,
    pub config: AgentConfig,
    /// The memory of all its transfers.
    pub budget: Budget,
    pub locks: Locks<String>,
    pub fences: SeenFences,
    pub clock: fn() -> Timestamp,
    /// No other agent writes in the folder of the journals while this one lives.
    pub owner: StateOwner,
}

/// The lock of all work on a snapshot.
pub fn on_snapshot(tag: &str) -> String {
    format!("snapshot {tag}")
}

/// The lock of all work on a restore.
pub fn on_restore(restore: &str) -> String {
    format!("restore {restore}")
}

impl Agent {
    /// The bucket that backups go to and come from.
    pub fn bucket(&self) -> Bucket {
        Bucket::new(self.limits.own(self.store.clone()))
    }

    /// The same for the transfers of one task.
    pub fn bucket_within(&self, limits: &TaskLimits) -> Bucket {
        Bucket::new(limits.throttle(self.store.clone()))
    }
}
