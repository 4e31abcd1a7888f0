//! Settings of an agent: where its Cassandra is, and how hard it may work.

use std::path::PathBuf;

use cassandra_versions::Product;
use secret::Secret;
use serde::{Deserialize, Serialize};

/// `[cassandra]`: the node beside this agent.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CassandraConfig {
    /// What the node is, if it does not report that itself: HCD, and builds of one's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub product: Option<Product>,
    pub config_file: PathBuf,
    /// What Cassandra itself calls `cassandra.storagedir`: where the data lies that cassandra.yaml gives no folders for,
    /// and what relative folders in it are relative to.
    pub storage_dir: PathBuf,
    /// nodetool with the arguments that it always needs, such as host, port and credentials.
    pub nodetool: Vec<String>,
    /// host:port; from cassandra.yaml where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cql_address: Option<String>,
    pub cql_username: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cql_password: Option<Secret>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cql_tls: Option<CqlTls>,
    /// Where the system keys of encrypted tables are, for their fingerprints. Absent: none but on DSE, which has its own
    /// place for them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system_key_directory: Option<PathBuf>,
    /// Empty: this agent cannot restart Cassandra, so nothing is restored in place.
    pub stop_command: Vec<String>,
    pub start_command: Vec<String>,
    /// The most that a nodetool command may take. Rewriting SSTables has no limit.
    pub nodetool_timeout_seconds: u64,
    /// The most that Cassandra may take to start, and to stop.
    pub start_timeout_seconds: u64,
    /// The most that one CQL statement may take, and that the ring may take to agree on a schema.
    pub cql_timeout_seconds: u64,
}

/// PEM files for CQL over TLS.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CqlTls {
    /// Roots to trust.
    pub ca: PathBuf,
    /// Certificate and key of this client, where the node asks for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<PathBuf>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<PathBuf>,
}

/// `[agent]`: the agent's own folders and limits.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AgentConfig {
    /// Where the journals lie.
    pub state_dir: PathBuf,
    /// The folder beside each data directory in which restores are staged.
    pub staging_dir_name: String,
    /// Folders to stage in instead, each on the filesystem of the data directories that it serves.
    pub staging_directories: Vec<PathBuf>,
    /// 0: no limit.
    pub upload_bandwidth_bytes_per_second: u64,
    /// 0: no limit.
    pub download_bandwidth_bytes_per_second: u64,
    /// Files that are read or written at the same time.
    pub parallel_files: usize,
    pub read_buffer_bytes: usize,
    /// What is read at once of an SSTable's rows of which only a part is staged.
    pub slice_read_bytes: usize,
    /// Other components of such an SSTable come whole, and are checked as a whole, up to this size; of larger ones come
    /// parts.
    pub slice_whole_bytes_max: u64,
    /// Kept free on every data directory, whatever is staged.
    pub reserved_bytes: u64,
}

impl Default for CassandraConfig {
    fn default() -> Self {
        Self {
            product: None,
            config_file: "/etc/cassandra/cassandra.yaml".into(),
            storage_dir: "/var/lib/cassandra".into(),
            nodetool: vec!["nodetool".to_owned()],
            cql_address: None,
            cql_username: String::new(),
            cql_password: None,
            cql_tls: None,
            system_key_directory: None,
            stop_command: Vec::new(),
            start_command: Vec::new(),
            nodetool_timeout_seconds: 3600,
            start_timeout_seconds: 600,
            cql_timeout_seconds: 120,
        }
    }
}

impl Default for AgentConfig {
    fn default() -> Self {
        Self {
            state_dir: "/var/lib/ringkeep/agent".into(),
            staging_dir_name: "ringkeep-staging".to_owned(),
            staging_directories: Vec::new(),
            upload_bandwidth_bytes_per_second: 0,
            download_bandwidth_bytes_per_second: 0,
            parallel_files: 8,
            read_buffer_bytes: 1 << 20,
            slice_read_bytes: 4 << 20,
            slice_whole_bytes_max: 256 << 20,
            reserved_bytes: 64 << 20,
        }
    }
}
