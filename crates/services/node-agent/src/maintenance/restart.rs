//! Restarts Cassandra, and waits until it sees the other nodes again.

use std::time::Duration;

use cassandra_node::control::Unsettled;
use cassandra_node::lifecycle;
use cassandra_node::process::{Action, ProcessError};
use chassis::work::Work;
use tokio::time::Instant;
use tracing::info;

use super::done::Done;
use super::{MaintenanceError, Run, unfinished};
use crate::agent::Agent;
use crate::error::AgentError;
use crate::restart::drain_and_stop;

/// How often the node is asked whom it sees.
const LOOK_INTERVAL: Duration = Duration::from_millis(if cfg!(test) { 1 } else { 1_000 });
const RESTARTED: &str = "restart";

/// Drains, stops and starts Cassandra. Once it has begun it goes on also if the caller goes away: half of it is a node that
/// is down. Refused while another node is down, because its replicas would be missing together with this one's,
/// and while one joins, leaves or moves, because what it streams from or to this one would be cut off.
pub async fn restart(agent: &Agent, run: &Run, work: &Work) -> Result<(), MaintenanceError> {
    let node = &agent.node;
    for action in [Action::Stop, Action::Start] {
        if !node.process.supports(action) {
            return Err(ProcessError::Unsupported { action }.into());
        }
    }
    unfinished::check_any(agent).await?;
    let mut done = Done::open(agent, run).await?;
    work.update(|progress| progress.items_total = 1);
    if !done.has(RESTARTED) {
        if runs(agent).await {
            let Unsettled { down, changing } = unsettled(agent).await?;
            if !down.is_empty() {
                return Err(MaintenanceError::PeersDown { down });
            }
            if !changing.is_empty() {
                return Err(MaintenanceError::RingChanging { changing });
            }
            work.check()?;
            work.note("drains and stops");
            drain_and_stop(agent).await?;
        }
        work.note("starts");
        lifecycle::start(node).await?;
        info!("Cassandra was restarted");
        done.add(RESTARTED.to_owned()).await?;
    }
    // An earlier call may have ended between the two.
    lifecycle::start(node).await?;
    work.note("waits for the other nodes");
    await_peers(agent).await?;
    work.update(|progress| progress.items_done = 1);
    Ok(())
}

/// Whether it is to be stopped: not if it is down or drained, as an earlier call that was cut off leaves it.
async fn runs(agent: &Agent) -> bool {
    if lifecycle::check_down(&agent.node).await.is_ok() {
        return false;
    }
    let mode = agent.node.control.mode().await;
    !mode.is_ok_and(|mode| mode == "DRAINED" || mode == "DRAINING")
}

async fn unsettled(agent: &Agent) -> Result<Unsettled, AgentError> {
    Ok(agent.node.control.unsettled().await?)
}

async fn await_peers(agent: &Agent) -> Result<(), MaintenanceError> {
    let limit = agent.node.start_timeout();
    let deadline = Instant::now() + limit;
    loop {
        let down = unsettled(agent).await?.down;
        if down.is_empty() {
            return Ok(());
        }
        if Instant::now() >= deadline {
            let seconds = limit.as_secs();
            return Err(MaintenanceError::PeersNotSeen { down, seconds });
        }
        tokio::time::sleep(LOOK_INTERVAL).await;
    }
}
