//! Turns automatic compaction off while tables are loaded, and on again if it was on.
//!
//! A call of nodetool costs seconds, so all tables go together.

use cassandra_node::tables;
use model::{TableId, TableRef};
use tracing::warn;

use super::{LoadError, Loading};
use crate::agent::Agent;
use crate::journal::Journal;
use crate::restore::{self, RestoreRecord, RestoreState};

/// A table for which it is ours to turn compaction on again.
pub(super) type Switched = Vec<(TableRef, TableId)>;

pub(super) async fn off(
    agent: &Agent,
    restore: &str,
    journal: &Journal<RestoreRecord>,
    state: &RestoreState,
    loading: &[Loading<'_>],
) -> Result<Switched, LoadError> {
    let id = |table: &Loading<'_>| table.target.target_id;
    let to_load: Vec<&Loading<'_>> = loading
        .iter()
        .filter(|table| !table.loaded && table.count > 0)
        .collect();
    // An agent that was killed has left these off; whatever they are now, they must be on in the end.
    let ours = |table: &Loading<'_>| state.compaction_off.contains(&id(table));
    let mut switched: Switched = loading
        .iter()
        .filter(|table| ours(table))
        .map(|table| (table.table().clone(), id(table)))
        .collect();
    let others: Vec<TableRef> = to_load
        .iter()
        .filter(|table| !ours(table))
        .map(|table| table.table().clone())
        .collect();
    let never = never_compacted(agent).await?;
    let stopped = agent.node.control.not_compacted(&others).await?;
    let left_off = restore::left_off_by_others(agent, restore).await?;
    for table in &to_load {
        // A restore that was killed or given up has left it off: that is no wish of the operator's.
        let is_stopped = stopped.contains(table.table()) && !left_off.contains(&id(table));
        let is_off = never.contains(table.table()) || is_stopped;
        if !ours(table) && !is_off {
            journal
                .append(&RestoreRecord::CompactionOff { table: id(table) })
                .await?;
            switched.push((table.table().clone(), id(table)));
        }
    }
    let tables: Vec<TableRef> = switched
        .iter()
        .filter(|(table, _)| to_load.iter().any(|loading| loading.table() == table))
        .map(|(table, _)| table.clone())
        .collect();
    agent
        .node
        .control
        .set_autocompaction(&tables, false)
        .await?;
    Ok(switched)
}

/// Tables whose own schema turns it off.
async fn never_compacted(agent: &Agent) -> Result<Vec<TableRef>, LoadError> {
    let tables = tables::list(&*agent.node.cql).await?;
    Ok(tables
        .into_iter()
        .filter(|table| !table.autocompaction)
        .map(|table| table.table)
        .collect())
}

pub(super) async fn on(
    agent: &Agent,
    journal: &Journal<RestoreRecord>,
    switched: &Switched,
) -> Result<(), LoadError> {
    let tables: Vec<TableRef> = switched.iter().map(|(table, _)| table.clone()).collect();
    if let Err(error) = agent.node.control.set_autocompaction(&tables, true).await {
        warn!(%error, tables = tables.len(), "automatic compaction is still off");
        return Err(error.into());
    }
    for (_, table) in switched {
        journal
            .append(&RestoreRecord::CompactionOn { table: *table })
            .await?;
    }
    Ok(())
}
