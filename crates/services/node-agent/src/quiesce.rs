//! Keeps writes from after a restore point out of tables that are restored in place.
//!
//! Nodes stop one after the other, and those that still run keep hints, batches and Paxos proposals for those that do not.
//! They would be applied to the restored tables after the start. So, before the first node stops, each table gets a
//! truncation record with a time that has not come yet, the same on all nodes, and clients are cut off on all nodes before
//! it comes: whatever was written before the restore is then older than the record, and Cassandra drops it.

mod error;
mod marks;

use std::time::Duration;

use cassandra_node::files::blocking;
use cassandra_node::{clients, lifecycle};
use jiff::Timestamp;
use tracing::info;

use crate::agent::Agent;
use crate::path_name;
use crate::restore::{RestoreState, TableTarget};
use crate::swap;

pub use error::QuiesceError;

/// A write that a client began just before it was cut off has ended by then, also if it had to time out.
const QUIET_SECONDS_MIN: i64 = 5;
/// A cutoff that is further away is a mistake, or the clocks of runner and node disagree.
const CUTOFF_SECONDS_MAX: i64 = 900;

/// Writes a truncation record with this time for each of the tables, and reads it back. A node that is down is started for
/// it, unless this restore has marked or swapped its tables before; it drops nothing yet.
pub async fn mark_truncated(
    agent: &Agent,
    restore: &str,
    targets: &[TableTarget],
    cutoff: Timestamp,
) -> Result<(), QuiesceError> {
    path_name::check("restore", restore)?;
    check_cutoff(agent, cutoff)?;
    let (journal, state) = RestoreState::open(&agent.folders, restore).await?;
    if state.begun.is_none() {
        return Err(QuiesceError::NotStaged {
            restore: restore.to_owned(),
        });
    }
    if is_half_swapped(agent, restore, state.clone()).await? {
        // No node starts before all are swapped, so the records of before this swap are late enough.
        return Ok(lifecycle::check_down(&agent.node).await?);
    }
    let was_marked = !state.marked.is_empty() || !state.swapped.is_empty();
    if was_marked && lifecycle::check_down(&agent.node).await.is_ok() {
        // Other nodes may be swapped already, and this one's files may be bad. The records of before it stopped hold on.
        info!(
            "Cassandra is down, and has or had this restore's truncation records; it is not started"
        );
        return Ok(());
    }
    lifecycle::start(&agent.node).await?;
    let tables = targets.iter().map(|target| target.target_id);
    marks::write(agent, &journal, &state, tables, cutoff).await?;
    check_cutoff(agent, cutoff)
}

/// Cuts clients off, and returns once the cutoff has passed. Fails if it came too late to be sure that everything clients
/// have written is older; they may be cut off all the same.
pub async fn cut_clients_off(agent: &Agent, cutoff: Timestamp) -> Result<(), QuiesceError> {
    if lifecycle::check_down(&agent.node).await.is_err() {
        clients::cut_off(&agent.node).await?;
        if clients::are_served(&agent.node).await? {
            return Err(QuiesceError::StillServed);
        }
    }
    check_cutoff(agent, cutoff)?;
    info!(%cutoff, "clients are cut off; waiting for the cutoff to pass");
    let left = cutoff.duration_since((agent.clock)()).unsigned_abs();
    // One more, because Cassandra's times are whole milliseconds.
    tokio::time::sleep(left + Duration::from_millis(1)).await;
    Ok(())
}

/// Takes both back: Cassandra runs and serves its clients, and the tables have the records that they had. A node on which
/// the tables are half swapped stays down.
pub async fn let_clients_in(agent: &Agent, restore: &str) -> Result<(), QuiesceError> {
    path_name::check("restore", restore)?;
    if !agent.folders.restore_journal(restore).exists() {
        return Ok(lifecycle::start(&agent.node).await?);
    }
    let (journal, state) = RestoreState::open(&agent.folders, restore).await?;
    if is_half_swapped(agent, restore, state.clone()).await? {
        return Ok(());
    }
    lifecycle::start(&agent.node).await?;
    marks::take_back(agent, &journal, &state).await
}

async fn is_half_swapped(
    agent: &Agent,
    restore: &str,
    state: RestoreState,
) -> Result<bool, QuiesceError> {
    let roots = agent.folders.restore_roots(restore)?;
    let half = blocking(move || swap::half_swapped(&roots, &state)).await?;
    Ok(half.is_some())
}

fn check_cutoff(agent: &Agent, cutoff: Timestamp) -> Result<(), QuiesceError> {
    let now = (agent.clock)();
    let seconds = cutoff.duration_since(now).as_secs();
    if seconds > CUTOFF_SECONDS_MAX {
        return Err(QuiesceError::TooFar { cutoff, now });
    }
    if seconds < QUIET_SECONDS_MIN {
        return Err(QuiesceError::TooLate { cutoff, now });
    }
    Ok(())
}

#[cfg(test)]
mod tests;
