//! Runs a maintenance command on the node: table by table, with what is done kept, so that a second call goes on.

mod done;
mod error;
mod restart;
mod unfinished;
mod units;

use std::time::Duration;

use cassandra_node::ControlError;
use cassandra_node::control::Maintenance;
use chassis::work::Work;
use model::{MaintenanceCommand, MaintenanceJob, TaskId};
use tracing::info;

use crate::agent::Agent;
use crate::busy;
use crate::upgrade;

use done::Done;
pub use error::MaintenanceError;
use units::Unit;

/// How long is waited before Cassandra is asked again that was at something else. How often is limited by the caller, for
/// whom this is no progress.
const BUSY_INTERVAL: Duration = Duration::from_millis(if cfg!(test) { 1 } else { 30_000 });

/// A command, and the step of a task that it is run for.
#[derive(Debug, Clone)]
pub struct Run {
    pub task: TaskId,
    pub step: String,
    pub job: MaintenanceJob,
}

/// Runs the command to its end. What an earlier call of the same step has done is not done again.
pub async fn run(agent: &Agent, run: &Run, work: &Work) -> Result<(), MaintenanceError> {
    if run.job.command == MaintenanceCommand::Restart {
        return restart::restart(agent, run, work).await;
    }
    let units = units::of(agent, &run.job).await?;
    if units.is_empty() {
        return Err(MaintenanceError::NothingSelected);
    }
    let mut done = Done::open(agent, run).await?;
    work.update(|progress| {
        progress.items_total = units.len() as u64;
        progress.items_done = 0;
    });
    for unit in units {
        work.check()?;
        let name = unit.to_string();
        if !done.has(&name) {
            // Before each of them: a restore may have begun since.
            unfinished::check(agent, &unit).await?;
            run_unit(agent, &run.job, unit, work).await?;
            info!(unit = name, "maintenance done");
            done.add(name).await?;
        }
        work.update(|progress| progress.items_done += 1);
    }
    Ok(())
}

async fn run_unit(
    agent: &Agent,
    job: &MaintenanceJob,
    unit: Unit,
    work: &Work,
) -> Result<(), MaintenanceError> {
    match unit {
        Unit::Upgrade(table) => {
            let current = upgrade::Current::of(&agent.node).await?;
            Ok(upgrade::upgrade_table(agent, &table, &current, job.args.jobs, work).await?)
        }
        Unit::Refresh(table) => {
            let refreshed = agent.node.control.refresh(&table.table);
            Ok(busy::watched(agent, work, &table.table, refreshed).await??)
        }
        Unit::OnTable(table, operation) => {
            work.note(table.table.to_string());
            let mut waits = Waits::default();
            loop {
                if matches!(operation, Maintenance::Cleanup { .. }) {
                    check_ring(agent).await?;
                }
                let running = agent.node.control.maintain(&operation);
                match busy::watched_from(agent, work, &table.table, running).await? {
                    Err(ControlError::Busy { why, .. }) => {
                        waits.once_more(&operation, &why, work).await?;
                    }
                    ended => return Ok(ended?),
                }
            }
        }
        Unit::OnNode(operation) => {
            work.note(operation.to_string());
            let mut waits = Waits::default();
            loop {
                let running = agent.node.control.maintain(&operation);
                match work.or_stop(running).await? {
                    Err(ControlError::Busy { why, .. }) => {
                        waits.once_more(&operation, &why, work).await?;
                    }
                    ended => return Ok(ended?),
                }
            }
        }
    }
}

/// Fails while a node joins, leaves or moves: which partitions a node owns changes then, and cleanup drops for good what it
/// does not own.
async fn check_ring(agent: &Agent) -> Result<(), MaintenanceError> {
    let changing = agent.node.control.unsettled().await?.changing;
    if changing.is_empty() {
        return Ok(());
    }
    Err(MaintenanceError::RingChanging { changing })
}

/// Waits for what a call that was cut off has begun, or for a compaction: it goes first.
#[derive(Default)]
struct Waits {
    has_noted: bool,
}

impl Waits {
    /// Notes it once and in the same words: a note that changes counts as progress, and the wait would have no limit.
    async fn once_more(
        &mut self,
        operation: &Maintenance,
        why: &str,
        work: &Work,
    ) -> Result<(), MaintenanceError> {
        if !self.has_noted {
            info!(%operation, why, "waits until Cassandra is done with something else");
            work.note(format!(
                "{operation} waits until Cassandra is done with something else"
            ));
            self.has_noted = true;
        }
        work.or_stop(tokio::time::sleep(BUSY_INTERVAL)).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
