//! The end of a restore on this node: what it left is deleted.

use tracing::info;

use super::RestoreState;
use crate::agent::Agent;
use crate::cause::Cause;
use crate::control::ControlError;
use crate::files::{self, FileError, blocking};
use crate::journal;
use crate::names;
use crate::swap;

/// Deletes the staging folders of one restore, the old files in them included; answers the bytes that this freed.
pub async fn finish(agent: &Agent, restore: &str) -> Result<u64, Cause> {
    // A checked name is one path segment: nothing but this restore's own folders can be meant.
    names::check("restore", restore)?;
    give_compaction_back(agent, restore).await?;
    let roots = match agent.folders.restore_roots(restore) {
        Ok(roots) => roots,
        // Where nothing could be staged, nothing was.
        Err(_) if !agent.folders.restore_journal(restore).exists() => return Ok(0),
        Err(error) => return Err(error.into()),
    };
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

/// A load that was given up may have left tables that no longer compact.
async fn give_compaction_back(agent: &Agent, restore: &str) -> Result<(), Cause> {
    let path = agent.folders.restore_journal(restore);
    let Ok(records) = journal::peek(path).await else {
        return Ok(());
    };
    let state = RestoreState::replay(records);
    let Some(begun) = &state.begun else {
        return Ok(());
    };
    for target in begun
        .tables
        .iter()
        .filter(|t| state.compaction_off.contains(&t.target_id))
    {
        let table = std::slice::from_ref(&target.table);
        match agent.control.set_autocompaction(table, true).await {
            // A node that is down compacts when it starts; a table that was dropped never again.
            Ok(()) | Err(ControlError::Down { .. } | ControlError::Failed { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}
