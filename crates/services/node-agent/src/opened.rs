//! Starts Cassandra on swapped files, and counts that it has opened all of them.
//!
//! A node that is up is no evidence: Cassandra may skip an SSTable that it cannot open, or look in other data directories
//! than this agent. The old files are deleted after this, so nothing is taken for granted.

use std::path::PathBuf;
use std::time::Duration;

use api::{ErrorKind, ServiceError};
use model::TableRef;
use tokio::time::Instant;

use crate::agent::Agent;
use crate::cause::Cause;
use crate::files::{self, FileError, blocking};
use crate::folders::Folders;
use crate::names;
use crate::restart::{self, RestartError};
use crate::restore::TableTarget;

/// Cassandra takes new files over a moment after they are on disk; it does not need this many looks for that.
const LOOKS_MAX: u32 = 5;
const LOOK_INTERVAL: Duration = Duration::from_millis(if cfg!(test) { 1 } else { 1000 });

/// Why Cassandra is not known to run on the restored files.
#[derive(Debug, thiserror::Error)]
pub enum OpenedError {
    #[error(transparent)]
    Cause(Cause),
    #[error(transparent)]
    Start(#[from] RestartError),
    #[error(
        "Cassandra is up and has opened {counted} SSTables of table `{table}`, which has {on_disk} in its folders; the old files are kept in the staging folder of restore `{restore}`"
    )]
    Miscounted {
        restore: String,
        table: TableRef,
        on_disk: u64,
        counted: u64,
    },
    #[error(
        "the SSTables of table `{table}` could not be counted within {seconds} s, because Cassandra compacts or flushes it; the old files are kept in the staging folder of restore `{restore}`"
    )]
    Busy {
        restore: String,
        table: TableRef,
        seconds: u64,
    },
}

impl<E: Into<Cause>> From<E> for OpenedError {
    fn from(error: E) -> Self {
        Self::Cause(error.into())
    }
}

impl ServiceError for OpenedError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Cause(error) => error.kind(),
            Self::Start(error) => error.kind(),
            Self::Miscounted { .. } => ErrorKind::DataLoss,
            Self::Busy { .. } => ErrorKind::Unavailable,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Cause(error) => error.reason(),
            Self::Start(error) => error.reason(),
            Self::Miscounted { .. } => "SSTABLES_NOT_OPENED",
            Self::Busy { .. } => "SSTABLES_NOT_COUNTED",
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Cause(error) => error.hint(),
            Self::Start(error) => error.hint(),
            Self::Miscounted { .. } => Some(
                "Cassandra's system.log names each SSTable that it could not open; compare data_file_directories with the folders in which the table lies, restart the agent and Cassandra if they differ, and resume the task"
                    .to_owned(),
            ),
            Self::Busy { .. } => Some(
                "resume the task when `nodetool compactionstats` shows no compaction of the table"
                    .to_owned(),
            ),
        }
    }

    fn field(&self) -> Option<&str> {
        match self {
            Self::Cause(error) => error.field(),
            _ => None,
        }
    }
}

/// Starts Cassandra, or finds it up, and counts the SSTables of the tables that this restore has swapped.
pub async fn start(
    agent: &Agent,
    restore: &str,
    targets: &[TableTarget],
) -> Result<(), OpenedError> {
    names::check("restore", restore)?;
    restart::start(agent).await?;
    let deadline = Instant::now() + agent.start_timeout();
    for target in targets {
        check(agent, restore, target, deadline).await?;
    }
    Ok(())
}

/// Compares Cassandra's count with the disk until they agree at a moment at which nothing changes.
async fn check(
    agent: &Agent,
    restore: &str,
    target: &TableTarget,
    deadline: Instant,
) -> Result<(), OpenedError> {
    let mut looks = 0;
    loop {
        let before = look(agent, target).await?;
        if before == Some(Vec::new()) {
            return Ok(());
        }
        let counted = agent.control.sstable_count(&target.table).await?;
        let on_disk = match look(agent, target).await? {
            Some(after) if before.as_ref() == Some(&after) => Some(after.len() as u64),
            _ => None,
        };
        if on_disk == Some(counted) {
            return Ok(());
        }
        looks += u32::from(on_disk.is_some());
        if let Some(on_disk) = on_disk
            && looks == LOOKS_MAX
        {
            return Err(OpenedError::Miscounted {
                restore: restore.to_owned(),
                table: target.table.clone(),
                on_disk,
                counted,
            });
        }
        if Instant::now() >= deadline {
            return Err(OpenedError::Busy {
                restore: restore.to_owned(),
                table: target.table.clone(),
                seconds: agent.start_timeout().as_secs(),
            });
        }
        tokio::time::sleep(LOOK_INTERVAL).await;
    }
}

/// The Data components in the table's live folders; none while a compaction or a flush is at work there, because then
/// there are files that Cassandra rightly does not count.
async fn look(agent: &Agent, target: &TableTarget) -> Result<Option<Vec<PathBuf>>, OpenedError> {
    let (folders, target) = (agent.folders.clone(), target.clone());
    blocking(move || {
        if is_changing(&folders, &target)? {
            return Ok(None);
        }
        let files = folders.live_files(&target.table, &target.target_id)?;
        let own = files.into_iter().filter(|file| file.is_own_data());
        Ok(Some(own.map(|file| file.path).collect()))
    })
    .await
}

/// Whether a transaction of Cassandra's has its log there, for example `nb_txn_compaction_<id>.log`.
fn is_changing(folders: &Folders, target: &TableTarget) -> Result<bool, FileError> {
    for folder in folders.live_folders(&target.table, &target.target_id) {
        for entry in files::entries(&folder)? {
            let name = files::name_of(&entry);
            if name.contains("_txn_") && name.ends_with(".log") {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests;
