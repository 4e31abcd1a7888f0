//! Settings of an agent: its folders, and how hard it may work.

use std::path::PathBuf;

use blob_store::Budget;
use serde::{Deserialize, Serialize};

use crate::error::BuildError;

/// Less would be many requests to the disk for little memory.
const TRANSFER_MEMORY_BYTES_MIN: u64 = 1 << 20;

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
    /// What is read at once of a file whose parts are not held in memory, for example because the store is a folder.
    pub read_buffer_bytes: usize,
    /// What the parts and buffers of all uploads and downloads of this agent take of memory, whatever the number and size
    /// of files.
    pub transfer_memory_bytes: u64,
    /// Files up to this size travel together in packs of up to 16 MiB; at most 1 MiB, and 0 packs none. Releases before packs
    /// cannot read such a backup.
    pub packed_file_bytes_max: u64,
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
            transfer_memory_bytes: 96 << 20,
            packed_file_bytes_max: bucket::PACKED_FILE_BYTES_MAX,
            slice_read_bytes: 4 << 20,
            slice_whole_bytes_max: 256 << 20,
            reserved_bytes: 64 << 20,
        }
    }
}

impl AgentConfig {
    /// The memory of all transfers.
    pub(crate) fn transfer_budget(&self) -> Result<Budget, BuildError> {
        if self.transfer_memory_bytes < TRANSFER_MEMORY_BYTES_MIN {
            return Err(BuildError::TransferMemory(self.transfer_memory_bytes));
        }
        Ok(Budget::new(self.transfer_memory_bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_little_memory_for_transfers_is_refused_by_name() {
        let mut config = AgentConfig::default();
        let budget = config.transfer_budget().unwrap();
        assert_eq!(budget.total_bytes(), 96 << 20);
        config.transfer_memory_bytes = 96;
        let error = config.transfer_budget().unwrap_err().to_string();
        assert!(error.contains("transfer_memory_bytes"), "{error}");
    }
}
