//! Settings of an agent: its folders, and how hard it may work.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// `[agent]`: the agent's own folders and limits.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AgentConfig {
    /// Where the journals are.
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
