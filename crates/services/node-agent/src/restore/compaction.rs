//! Automatic compaction that a restore has turned off and did not turn on again, because it was killed or given up.
//!
//! It is off until Cassandra restarts, and SSTables pile up meanwhile. So whichever restore comes next, and each start of
//! the agent, turns on what no running restore needs off.

use std::collections::BTreeSet;

use cassandra_node::ControlError;
use cassandra_node::files::{self, blocking};
use model::TableId;
use tracing::{info, warn};

use super::{RestoreRecord, RestoreState};
use crate::agent::Agent;
use crate::agent::on_restore;
use crate::error::AgentError;
use crate::journal::{self, Journal};

/// Tables that another restore has turned compaction off for. Those of a restore that is at work now turn it on themselves.
pub async fn left_off_by_others(
    agent: &Agent,
    restore: &str,
) -> Result<BTreeSet<TableId>, AgentError> {
    let mut found = BTreeSet::new();
    for other in restores(agent).await? {
        if other == restore || agent.locks.is_locked(on_restore(&other).as_str()) {
            continue;
        }
        found.extend(state_of(agent, &other).await.compaction_off);
    }
    Ok(found)
}

/// Turns on what earlier restores have left off, when the agent starts. If Cassandra is down there is nothing to do: it
/// compacts when it starts.
pub async fn turn_on_all(agent: &Agent) {
    let restores = match restores(agent).await {
        Ok(restores) => restores,
        Err(error) => {
            warn!(%error, "the journals of restores could not be listed");
            return;
        }
    };
    for restore in restores {
        let _held = agent.locks.lock(on_restore(&restore).as_str()).await;
        if let Err(error) = turn_on_of(agent, &restore).await {
            warn!(restore, %error, "automatic compaction is still off for tables of a restore");
        }
    }
}

async fn turn_on_of(agent: &Agent, restore: &str) -> Result<(), AgentError> {
    let tables = turn_on(agent, restore).await?;
    if tables.is_empty() {
        return Ok(());
    }
    let path = agent.folders.restore_journal(restore);
    let (journal, _) = Journal::open(path).await?;
    for table in &tables {
        let record = RestoreRecord::CompactionOn { table: *table };
        journal.append(&record).await?;
    }
    info!(
        restore,
        tables = tables.len(),
        "automatic compaction is on again"
    );
    Ok(())
}

/// Turns on what a restore has left off; returns for which tables that is done.
pub async fn turn_on(agent: &Agent, restore: &str) -> Result<Vec<TableId>, AgentError> {
    let state = state_of(agent, restore).await;
    let begun = state.begun.iter().flat_map(|begun| &begun.tables);
    let mut done = Vec::new();
    for target in begun.filter(|target| state.compaction_off.contains(&target.target_id)) {
        let table = std::slice::from_ref(&target.table);
        match agent.node.control.set_autocompaction(table, true).await {
            Ok(()) => done.push(target.target_id),
            // A node that is down compacts when it starts; a table that was dropped never again.
            Err(
                ControlError::Unreachable { .. }
                | ControlError::Failed { .. }
                | ControlError::Unsupported { .. },
            ) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(done)
}

/// What a restore's journal holds; nothing if it cannot be read.
async fn state_of(agent: &Agent, restore: &str) -> RestoreState {
    let records = journal::peek(agent.folders.restore_journal(restore)).await;
    RestoreState::replay(records.unwrap_or_default())
}

/// The restores that have a journal on this node.
pub async fn restores(agent: &Agent) -> Result<Vec<String>, AgentError> {
    let folder = agent.folders.restore_journals();
    let found = blocking(move || files::entries(&folder)).await?;
    let names = found
        .iter()
        .filter_map(|path| files::name_of(path).strip_suffix(".jsonl"));
    Ok(names.map(str::to_owned).collect())
}
