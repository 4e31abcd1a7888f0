//! Rewrites SSTables of older formats after a restore, and counts that none is left.
//!
//! That the command succeeds is no evidence: Converged Cassandra, on which HCD is built, skips files of another format
//! than its own and reports success.

mod error;
mod older;

use std::time::Duration;

use cassandra_node::ControlError;
use cassandra_node::control::Maintenance;
use cassandra_node::files::{FileError, blocking};
use cassandra_node::tables::{self, SelectionError, Table};
use chassis::work::Work;
use model::TableRef;
use tracing::warn;

use crate::agent::Agent;
use crate::busy;
pub use error::UpgradeError;
pub use older::Current;
use older::Older;

/// Cassandra deletes what it has rewritten a moment later; it does not need this many looks for that.
const LOOKS_MAX: u32 = 30;
const LOOK_INTERVAL: Duration = Duration::from_millis(if cfg!(test) { 1 } else { 1000 });

/// Rewrites the SSTables of older formats. It leaves alone those that are rewritten already, so it may be repeated.
pub async fn upgrade_sstables(
    agent: &Agent,
    targets: &[TableRef],
    work: &Work,
) -> Result<(), UpgradeError> {
    work.update(|progress| progress.items_total = targets.len() as u64);
    let current = Current::of(&agent.node).await?;
    let known = tables::list(&*agent.node.cql).await?;
    for target in targets {
        let table = known.iter().find(|known| known.table == *target);
        let table = table.ok_or_else(|| SelectionError::Table(target.clone()))?;
        upgrade_table(agent, table, &current, None, work).await?;
        work.update(|progress| progress.items_done += 1);
    }
    Ok(())
}

/// The same for one table, with so many threads; none: Cassandra's default.
pub async fn upgrade_table(
    agent: &Agent,
    table: &Table,
    current: &Current,
    jobs: Option<u32>,
    work: &Work,
) -> Result<(), UpgradeError> {
    if !has_folder(agent, table).await? {
        return rewrite_uncounted(agent, table, jobs, work).await;
    }
    let older = older(agent, table, current).await?;
    if older.is_empty() {
        return Ok(());
    }
    let all = older.needs_all(current);
    // This may stop at any moment: Cassandra finishes the SSTable that it is at, and the next call does the rest.
    let upgraded = rewrite(agent, &table.table, all, jobs);
    busy::watched(agent, work, &table.table, upgraded).await??;
    if !current.is_known() {
        warn!(table = %table.table, "which formats this release writes is not known, so that it was not counted what is left");
        return Ok(());
    }
    let mut looks = 1;
    loop {
        // What Cassandra has written since is of its own format, whatever that is.
        let left = older.still_in(&self::older(agent, table, current).await?);
        if left.is_empty() {
            return Ok(());
        }
        if looks == LOOKS_MAX {
            return Err(UpgradeError::Left {
                table: table.table.clone(),
                left: left.len(),
                older: older.len(),
                formats: left.formats(),
                all,
            });
        }
        looks += 1;
        work.or_stop(tokio::time::sleep(LOOK_INTERVAL)).await?;
    }
}

async fn has_folder(agent: &Agent, table: &Table) -> Result<bool, UpgradeError> {
    let (folders, table) = (agent.folders.data.clone(), table.clone());
    let look = move || {
        let live = folders.live_folders(&table.table, &table.id);
        Ok::<_, FileError>(!live.is_empty())
    };
    Ok(blocking(look).await?)
}

/// A table of Cassandra's own may be in `local_system_data_file_directory`, which is none of the data directories. What is
/// not seen is not counted, and must not be taken for done.
async fn rewrite_uncounted(
    agent: &Agent,
    table: &Table,
    jobs: Option<u32>,
    work: &Work,
) -> Result<(), UpgradeError> {
    warn!(table = %table.table, "the table has no folder in any data directory, so that it was not counted what is left");
    let upgraded = rewrite(agent, &table.table, false, jobs);
    Ok(busy::watched(agent, work, &table.table, upgraded).await??)
}

async fn rewrite(
    agent: &Agent,
    table: &TableRef,
    all: bool,
    jobs: Option<u32>,
) -> Result<(), ControlError> {
    let control = &agent.node.control;
    let Some(jobs) = jobs else {
        return control.upgrade_sstables(table, all).await;
    };
    let table = table.clone();
    let operation = Maintenance::UpgradeSstables { table, all, jobs };
    control.maintain(&operation).await
}

async fn older(agent: &Agent, table: &Table, current: &Current) -> Result<Older, UpgradeError> {
    let (folders, table) = (agent.folders.data.clone(), table.clone());
    let current = current.clone();
    Ok(blocking(move || Older::find(&folders, &table, &current)).await?)
}

#[cfg(test)]
mod tests;
