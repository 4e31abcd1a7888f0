//! What every operation of an agent works with.

use std::sync::Arc;
use std::time::Duration;

use blob_store::Store;
use jiff::Timestamp;

use crate::config::{AgentConfig, CassandraConfig};
use crate::control::CassandraControl;
use crate::cql::Cql;
use crate::folders::Folders;
use crate::locks::Locks;
use crate::yaml::CassandraYaml;

/// The node, the store, the settings, and who works on what.
pub struct Agent {
    pub cql: Arc<dyn Cql>,
    pub control: Arc<dyn CassandraControl>,
    pub store: Store,
    pub folders: Folders,
    pub yaml: CassandraYaml,
    pub cassandra: CassandraConfig,
    pub config: AgentConfig,
    pub locks: Locks,
    pub clock: fn() -> Timestamp,
}

impl Agent {
    /// Whether Cassandra can be stopped and started.
    pub fn can_restart(&self) -> bool {
        !self.cassandra.stop_command.is_empty() && !self.cassandra.start_command.is_empty()
    }

    pub fn cql_timeout(&self) -> Duration {
        Duration::from_secs(self.cassandra.cql_timeout_seconds)
    }

    pub fn start_timeout(&self) -> Duration {
        Duration::from_secs(self.cassandra.start_timeout_seconds)
    }
}
