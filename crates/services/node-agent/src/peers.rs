//! Waits until a node that has started sees the other nodes of its ring.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

use cassandra_node::ControlError;
use tokio::time::Instant;

use crate::agent::Agent;

/// How often the node is asked whom it sees.
const LOOK_INTERVAL: Duration = Duration::from_millis(if cfg!(test) { 1 } else { 1_000 });

/// Waits until the node takes no other for down, or the limit has passed; returns those that it still takes for down.
pub async fn await_up(agent: &Agent, limit: Duration) -> Result<BTreeSet<IpAddr>, ControlError> {
    let deadline = Instant::now() + limit;
    loop {
        let down = agent.node.control.unsettled().await?.down;
        if down.is_empty() || Instant::now() >= deadline {
            return Ok(down);
        }
        tokio::time::sleep(LOOK_INTERVAL).await;
    }
}
