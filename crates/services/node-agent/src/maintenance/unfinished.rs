//! Keeps maintenance away from tables that a restore is in the middle of.
//!
//! A compaction would take the SSTables by which a load is counted, and Cassandra must not start on files that are half
//! swapped. The task-runner keeps the two apart by its claim on the cluster; this also holds for a restore that was ended by
//! force, and for another task-runner.

use cassandra_node::files::blocking;
use model::TableId;

use super::MaintenanceError;
use super::units::Unit;
use crate::agent::Agent;
use crate::error::AgentError;
use crate::journal;
use crate::restore::{RestoreState, restores};
use crate::swap;

/// Fails if a restore is not done with what the unit is about.
pub async fn check(agent: &Agent, unit: &Unit) -> Result<(), MaintenanceError> {
    check_tables(agent, unit.table_id()).await
}

/// Fails if a restore is not done with any table.
pub async fn check_any(agent: &Agent) -> Result<(), MaintenanceError> {
    check_tables(agent, None).await
}

/// None: any table.
async fn check_tables(agent: &Agent, table: Option<TableId>) -> Result<(), MaintenanceError> {
    for restore in restores(agent).await? {
        // A journal that cannot be read does not say that nothing is unfinished.
        let records = journal::peek(agent.folders.restore_journal(&restore)).await?;
        let state = RestoreState::replay(records);
        let refuse = |table, how| {
            let restore = restore.clone();
            Err(MaintenanceError::RestoreUnfinished {
                restore,
                table,
                how,
            })
        };
        if let Some(half) = half_swapped(agent, &restore, &state).await? {
            return refuse(half, "its files are half swapped");
        }
        let is_meant = |id: &TableId| table.is_none_or(|table| table == *id);
        if let Some(id) = state.marked.keys().next() {
            let how = "the node is quiet for the restore, and has not been started since";
            return refuse(name(&state, id), how);
        }
        let mut loading = state.loading.keys().filter(|id| is_meant(id));
        if let Some(id) = loading.find(|id| !state.loaded.contains(id)) {
            return refuse(name(&state, id), "its SSTables are being loaded");
        }
    }
    Ok(())
}

async fn half_swapped(
    agent: &Agent,
    restore: &str,
    state: &RestoreState,
) -> Result<Option<String>, AgentError> {
    let roots = agent.folders.restore_roots(restore)?;
    let state = state.clone();
    Ok(blocking(move || swap::half_swapped(&roots, &state)).await?)
}

fn name(state: &RestoreState, id: &TableId) -> String {
    let tables = state.begun.iter().flat_map(|begun| &begun.tables);
    let table = tables.into_iter().find(|table| table.target_id == *id);
    table.map_or_else(|| id.to_string(), |table| table.table.to_string())
}
