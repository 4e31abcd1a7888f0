//! What Cassandra is at while it works for the agent, taken from its own compactions: work that lasts for days is
//! distinguished from work that hangs by this alone.

use std::time::Duration;

use cassandra_node::control::Operation;
use chassis::work::{Stopped, Work};
use model::TableRef;
use tokio::time::Instant;
use tracing::debug;

use crate::agent::Agent;

/// A look starts a Java machine, so it is taken seldom; silence is measured in hours.
const LOOK_INTERVAL: Duration = Duration::from_secs(60);

/// Waits for work of Cassandra on a table, and notes how far it is meanwhile. Dropping the wait abandons it.
pub async fn watched<T>(
    agent: &Agent,
    work: &Work,
    table: &TableRef,
    wait: impl Future<Output = T>,
) -> Result<T, Stopped> {
    work.note(table.to_string());
    watched_from(agent, work, table, wait).await
}

/// The same, with the note of before until the first look.
pub async fn watched_from<T>(
    agent: &Agent,
    work: &Work,
    table: &TableRef,
    wait: impl Future<Output = T>,
) -> Result<T, Stopped> {
    let mut look = Look::default();
    tokio::pin!(wait);
    loop {
        tokio::select! {
            biased;
            value = work.or_stop(&mut wait) => return value,
            () = look.next(agent) => work.note(look.note(table)),
        }
    }
}

/// What was seen last, and when.
pub struct Look {
    at: Instant,
    seen: Vec<Operation>,
}

impl Default for Look {
    fn default() -> Self {
        Self {
            at: Instant::now(),
            seen: Vec::new(),
        }
    }
}

impl Look {
    /// Looks when it is time, and returns at once if it is not.
    pub async fn if_due(&mut self, agent: &Agent) {
        if self.at.elapsed() >= LOOK_INTERVAL {
            self.take(agent).await;
        }
    }

    async fn next(&mut self, agent: &Agent) {
        tokio::time::sleep_until(self.at + LOOK_INTERVAL).await;
        self.take(agent).await;
    }

    /// A look that fails changes nothing: that Cassandra cannot be asked is no progress.
    async fn take(&mut self, agent: &Agent) {
        match agent.node.control.operations().await {
            Ok(operations) => self.seen = operations,
            Err(error) => debug!(%error, "Cassandra does not report what it is at"),
        }
        self.at = Instant::now();
    }

    /// The table, with how far Cassandra is with it, or with what else it is at: the table may have to wait for that.
    pub fn note(&self, table: &TableRef) -> String {
        let own = self.seen.iter().find(|seen| seen.table == *table);
        match own.or(self.seen.first()) {
            None => table.to_string(),
            Some(seen) if seen.table == *table => format!("{table}: {}", progress(seen)),
            Some(seen) => format!(
                "{table}; Cassandra is at {}: {}",
                seen.table,
                progress(seen)
            ),
        }
    }
}

fn progress(operation: &Operation) -> String {
    let Operation {
        kind,
        done,
        total,
        unit,
        ..
    } = operation;
    format!("{kind}, {done} of {total} {unit}")
}

#[cfg(test)]
mod tests;
