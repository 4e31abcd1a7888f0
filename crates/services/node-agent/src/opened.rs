//! Starts Cassandra on swapped files, and counts that it has opened all of them.
//!
//! A node that is up is no evidence: Cassandra may skip an SSTable that it cannot open, or use other data directories than
//! this agent. The old files are deleted after this, so nothing is taken for granted.

mod look;

use std::time::Duration;

use api::{ErrorKind, ServiceError};
use cassandra_node::NodeError;
use cassandra_node::files::{FileError, blocking};
use cassandra_node::lifecycle::{self, LifecycleError};
use model::TableRef;
use tracing::warn;

use crate::agent::Agent;
use crate::error::{AgentError, wire_kind};
use crate::path_name;
use crate::peers;
use crate::restore::{RestoreRecord, RestoreState, TableTarget};

use look::{Look, OnDisk};

/// Cassandra takes new files over a moment after they are on disk; it does not need this many looks for that.
const LOOKS_MAX: u32 = 5;
/// How often a table that compacts, flushes or receives a stream is looked at in the hope of a moment at which it does
/// not; with nodetool's own start that is about a minute.
const RESTLESS_LOOKS_MAX: u32 = 20;
/// How long a node that has opened its files waits to see the others.
const PEERS_LIMIT: Duration = Duration::from_secs(60);
const LOOK_INTERVAL: Duration = Duration::from_millis(if cfg!(test) { 1 } else { 1000 });

/// Why Cassandra is not known to run on the restored files.
#[derive(Debug, thiserror::Error)]
pub enum OpenedError {
    #[error(transparent)]
    Agent(AgentError),
    #[error(transparent)]
    Start(#[from] LifecycleError),
    #[error(
        "Cassandra is up and has opened {counted} SSTables of table `{table}`, which has {on_disk} in its folders; the old files are kept in the staging folder of restore `{restore}`"
    )]
    Miscounted {
        restore: String,
        table: TableRef,
        on_disk: u64,
        counted: u64,
    },
}

impl<E: Into<AgentError>> From<E> for OpenedError {
    fn from(error: E) -> Self {
        Self::Agent(error.into())
    }
}

impl ServiceError for OpenedError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Agent(error) => error.kind(),
            Self::Start(error) => wire_kind(error),
            Self::Miscounted { .. } => ErrorKind::DataLoss,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Agent(error) => error.reason(),
            Self::Start(error) => error.reason(),
            Self::Miscounted { .. } => "SSTABLES_NOT_OPENED",
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Agent(error) => error.hint(),
            Self::Start(error) => error.hint(),
            Self::Miscounted { .. } => Some(
                "Cassandra's system.log names each SSTable that it could not open; compare data_file_directories with the folders in which the table lies, restart the agent and Cassandra if they differ, and resume the task"
                    .to_owned(),
            ),
        }
    }

    fn field(&self) -> Option<&str> {
        match self {
            Self::Agent(error) => error.field(),
            _ => None,
        }
    }
}

/// Starts Cassandra, or finds it up, and counts the SSTables of the tables that this restore has swapped. All tables are
/// counted together, and those again whose counts do not agree; each gets all its looks, so that this always ends.
pub async fn start(
    agent: &Agent,
    restore: &str,
    targets: &[TableTarget],
) -> Result<(), OpenedError> {
    path_name::check("restore", restore)?;
    lifecycle::start(&agent.node).await?;
    let mut unsure: Vec<Unsure> = targets.iter().map(Unsure::new).collect();
    loop {
        unsure = look_again(agent, restore, unsure).await?;
        if unsure.is_empty() {
            break;
        }
        tokio::time::sleep(LOOK_INTERVAL).await;
    }
    keep_marks(agent, restore).await?;
    await_peers(agent).await;
    Ok(())
}

/// All nodes start at about the same time, and until they see each other they refuse requests that need several of them. The
/// restored files are live in any case, so a node that stays down fails nothing here.
async fn await_peers(agent: &Agent) {
    let limit = agent.node.start_timeout().min(PEERS_LIMIT);
    match peers::await_up(agent, limit).await {
        Ok(down) if down.is_empty() => {}
        Ok(down) => warn!(?down, "Cassandra does not see these nodes yet"),
        Err(error) => warn!(%error, "it is not known which nodes Cassandra sees"),
    }
}

/// The truncation records that this restore has written are no longer its own to be taken back: they are those of before,
/// if it is rolled back.
async fn keep_marks(agent: &Agent, restore: &str) -> Result<(), OpenedError> {
    if !agent.folders.restore_journal(restore).exists() {
        return Ok(());
    }
    let (journal, state) = RestoreState::open(&agent.folders, restore).await?;
    for table in state.marked.into_keys() {
        journal.append(&RestoreRecord::Unmarked { table }).await?;
    }
    Ok(())
}

/// A table of which it is not known yet that Cassandra has opened it.
struct Unsure<'a> {
    target: &'a TableTarget,
    /// Looks at which the count was not that of the disk.
    mismatches: u32,
    /// Looks at which the table was being written.
    restless: u32,
}

impl<'a> Unsure<'a> {
    fn new(target: &'a TableTarget) -> Self {
        Self {
            target,
            mismatches: 0,
            restless: 0,
        }
    }

    /// Whether the count is evidence that Cassandra has opened the table; fails after several that say that it has not.
    fn is_opened(
        &mut self,
        restore: &str,
        on_disk: OnDisk,
        counted: u64,
    ) -> Result<bool, OpenedError> {
        let table = &self.target.table;
        let on_disk = match on_disk {
            OnDisk::Exactly(on_disk) if counted == on_disk => return Ok(true),
            OnDisk::Exactly(on_disk) => on_disk,
            OnDisk::AtLeast(_) if self.restless < RESTLESS_LOOKS_MAX => {
                self.restless += 1;
                return Ok(false);
            }
            OnDisk::AtLeast(on_disk) if counted >= on_disk => {
                warn!(%table, counted, on_disk, "the table does not come to rest; Cassandra counts at least the SSTables that no transaction touches");
                return Ok(true);
            }
            OnDisk::AtLeast(on_disk) => on_disk,
        };
        self.mismatches += 1;
        if self.mismatches < LOOKS_MAX {
            return Ok(false);
        }
        Err(OpenedError::Miscounted {
            restore: restore.to_owned(),
            table: table.clone(),
            on_disk,
            counted,
        })
    }
}

/// Compares Cassandra's counts with the disk as it is before and after; returns the tables that need another look.
async fn look_again<'a>(
    agent: &Agent,
    restore: &str,
    unsure: Vec<Unsure<'a>>,
) -> Result<Vec<Unsure<'a>>, OpenedError> {
    let before = looks(agent, &unsure).await?;
    let (unsure, before): (Vec<_>, Vec<_>) = unsure
        .into_iter()
        .zip(before)
        .filter(|(_, look)| !look.is_empty())
        .unzip();
    let tables: Vec<TableRef> = unsure.iter().map(|of| of.target.table.clone()).collect();
    let counts = agent.node.control.sstable_counts(&tables).await?;
    let after = looks(agent, &unsure).await?;
    let mut left = Vec::new();
    for ((mut of, before), after) in unsure.into_iter().zip(&before).zip(&after) {
        let counted = counts.get(&of.target.table).copied().unwrap_or(0);
        if !of.is_opened(restore, OnDisk::between(before, after), counted)? {
            left.push(of);
        }
    }
    Ok(left)
}

async fn looks(agent: &Agent, unsure: &[Unsure<'_>]) -> Result<Vec<Look>, FileError> {
    let folders = agent.folders.clone();
    let targets: Vec<TableTarget> = unsure.iter().map(|of| of.target.clone()).collect();
    blocking(move || {
        targets
            .iter()
            .map(|target| Look::take(&folders, target))
            .collect()
    })
    .await
}

#[cfg(test)]
mod tests;
