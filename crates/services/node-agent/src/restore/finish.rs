//! The end of a restore on this node: what it left is deleted.

use std::path::PathBuf;

use api::{ErrorKind, ServiceError};
use cassandra_node::files::{self, FileError, blocking};
use tracing::info;

use super::{RestoreState, compaction};
use crate::agent::Agent;
use crate::error::AgentError;
use crate::journal;
use crate::path_name;
use crate::swap;
use crate::trial::trial_name;

/// Why what a restore left is not deleted.
#[derive(Debug, thiserror::Error)]
pub enum FinishError {
    #[error(transparent)]
    Agent(AgentError),
    #[error("restore `{restore}` keeps the files that it has replaced on this node")]
    OldFilesKept { restore: String },
    #[error(
        "restore `{restore}` is half swapped on this node: table `{table}` is not swapped yet, and the old files in the staging folder may be the only copy of what was live"
    )]
    HalfSwapped {
        restore: String,
        table: String,
        journal: PathBuf,
    },
}

impl<E: Into<AgentError>> From<E> for FinishError {
    fn from(error: E) -> Self {
        Self::Agent(error.into())
    }
}

impl ServiceError for FinishError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Agent(error) => error.kind(),
            Self::OldFilesKept { .. } | Self::HalfSwapped { .. } => ErrorKind::FailedPrecondition,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Agent(error) => error.reason(),
            Self::OldFilesKept { .. } => "OLD_FILES_KEPT",
            Self::HalfSwapped { .. } => "SWAP_UNFINISHED",
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Agent(error) => error.hint(),
            Self::OldFilesKept { restore } => Some(format!(
                "delete them with `ringkeep restore accept {restore}`, or put them back with `ringkeep restore rollback {restore}`"
            )),
            Self::HalfSwapped { journal, .. } => Some(format!(
                "resume the restore's task with `ringkeep task resume`: it ends the swap, and finishes after that; if newer restores have replaced all of its tables, the files below `old` in its staging folder are older than these: delete them and the journal `{}` by hand, and cancel the task",
                journal.display()
            )),
        }
    }

    fn field(&self) -> Option<&str> {
        match self {
            Self::Agent(error) => error.field(),
            Self::OldFilesKept { .. } | Self::HalfSwapped { .. } => None,
        }
    }
}

/// Deletes the staging folders of one restore; returns the bytes that this freed. Refused while a swap is half done, and, if
/// old files are in them, unless these are to be deleted, too.
pub async fn finish(
    agent: &Agent,
    restore: &str,
    delete_old_files: bool,
) -> Result<u64, FinishError> {
    // A checked name is one path segment: nothing but this restore's own folders can be meant.
    path_name::check("restore", restore)?;
    finish_trial(agent, restore).await?;
    // A load that was given up may have left tables that no longer compact.
    compaction::turn_on(agent, restore).await?;
    let roots = match agent.folders.restore_roots(restore) {
        Ok(roots) => roots,
        // Where nothing could be staged, nothing was.
        Err(_) if !agent.folders.restore_journal(restore).exists() => return Ok(0),
        Err(error) => return Err(error.into()),
    };
    check_swap(agent, restore, &roots, delete_old_files).await?;
    let caches = agent.folders.saved_caches.clone();
    let freed = blocking(move || {
        let mut freed = swap::delete_hidden_caches(&caches)?;
        for root in &roots {
            freed += files::remove_tree(root)?;
        }
        Ok::<_, FileError>(freed)
    })
    .await?;
    journal::remove(agent.folders.restore_journal(restore)).await?;
    info!(restore, freed, "restore finished");
    Ok(freed)
}

/// A trial load that was cut off has folders and a journal of its own.
async fn finish_trial(agent: &Agent, restore: &str) -> Result<(), FinishError> {
    let trial = trial_name(restore);
    let Ok(roots) = agent.folders.restore_roots(&trial) else {
        return Ok(());
    };
    blocking(move || {
        let removed = roots.iter().map(|root| files::remove_tree(root));
        removed.collect::<Result<Vec<u64>, FileError>>()
    })
    .await?;
    Ok(journal::remove(agent.folders.restore_journal(&trial)).await?)
}

async fn check_swap(
    agent: &Agent,
    restore: &str,
    roots: &[PathBuf],
    delete_old_files: bool,
) -> Result<(), FinishError> {
    let path = agent.folders.restore_journal(restore);
    let (state, unreadable) = match journal::peek(path.clone()).await {
        Ok(records) => (RestoreState::replay(records), None),
        Err(error) => (RestoreState::default(), Some(error)),
    };
    let roots = roots.to_vec();
    let (half, keeps) = blocking(move || {
        let half = swap::half_swapped(&roots, &state)?;
        Ok::<_, FileError>((half, swap::keeps_old_files(&roots)?))
    })
    .await?;
    match (half, unreadable) {
        (None, _) if keeps && !delete_old_files => Err(FinishError::OldFilesKept {
            restore: restore.to_owned(),
        }),
        (None, _) => Ok(()),
        (Some(_), Some(error)) => Err(error.into()),
        (Some(table), None) => Err(FinishError::HalfSwapped {
            restore: restore.to_owned(),
            table,
            journal: path,
        }),
    }
}
