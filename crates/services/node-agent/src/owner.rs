//! One agent for each folder of journals: two would cut each other's records off.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

use cassandra_node::files::{self, FileError};

/// The file in the folder that is locked for as long as an agent uses it. A lock ends with its process, however that ends.
const LOCK: &str = "lock";

/// Why the folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OwnerError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error(
        "another agent is using the folder `{}`: give each agent a state_dir in [agent] of its own, or stop the other one",
        .0.display()
    )]
    Taken(PathBuf),
}

/// The right to write in a folder of journals; no other process and no other agent of this process has it.
#[derive(Debug)]
pub struct StateOwner {
    _lock: File,
}

impl StateOwner {
    /// Makes the folder if it does not exist.
    pub fn of(state_dir: &Path) -> Result<Self, OwnerError> {
        files::make_folder(state_dir)?;
        let path = state_dir.join(LOCK);
        let mut options = OpenOptions::new();
        options.create(true).write(true).truncate(false);
        let file = options.open(&path).map_err(FileError::at("open", &path))?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _lock: file }),
            Err(TryLockError::WouldBlock) => Err(OwnerError::Taken(state_dir.to_owned())),
            Err(TryLockError::Error(error)) => Err(FileError::at("lock", path)(error).into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_agent_is_refused_while_the_first_lives() {
        let root = tempfile::tempdir().unwrap();
        let state = root.path().join("deep/state");
        let first = StateOwner::of(&state).unwrap();
        let refused = StateOwner::of(&state).unwrap_err().to_string();
        assert!(refused.contains("state_dir in [agent]"), "{refused}");
        assert!(refused.contains(state.to_str().unwrap()), "{refused}");
        drop(first);
        StateOwner::of(&state).unwrap();
    }
}
