//! Waits until the rows of views that belong on other nodes are there.
//!
//! They go there as batches. One that is lost on the way, as on a node that does not know the new view yet, is sent again
//! within half a minute, and becomes a hint if its node is taken for down then. Cassandra sends hints once it takes that node
//! for up. So what counts is what this node has still to send at a moment after the views are built: the batches that are
//! there then, and the hints that are there once those are done. What clients add later is not waited for.

use std::collections::BTreeSet;
use std::time::Duration;

use cassandra_node::cql::Row;
use cassandra_node::hints::{self, HintFiles};
use cassandra_node::role::allowed;
use chassis::work::Work;
use tokio::time::Instant;
use tracing::warn;

use super::ViewsError;
use crate::agent::Agent;
use crate::error::AgentError;

/// The pause between two looks at what is left.
const INTERVAL: Duration = Duration::from_secs(1);
pub(super) const BATCHES: &str = "SELECT id FROM system.batches";
/// How long it may take until one more of the batches is done.
const BATCHES_WAIT: Duration = Duration::from_secs(300);
/// How long it may take until one more of the files of hints is gone. Cassandra sends 1 MiB of hints a second at most,
/// unless its settings say otherwise, and a file has up to 128 MiB.
const HINTS_WAIT: Duration = Duration::from_secs(900);

/// What other nodes have not taken.
#[derive(Debug, thiserror::Error)]
pub enum Unsent {
    #[error("batches of this node have not reached all replicas for {} s: {count}, and rows of the views may be among them", BATCHES_WAIT.as_secs())]
    Batches { count: usize },
    #[error("hints of this node have not reached other nodes for {} s, and rows of the views may be among them; the host ids of those nodes: {nodes}", HINTS_WAIT.as_secs())]
    Hints { nodes: String },
}

impl Unsent {
    pub(super) fn reason(&self) -> &'static str {
        match self {
            Self::Batches { .. } => "BATCHES_UNSENT",
            Self::Hints { .. } => "HINTS_UNSENT",
        }
    }

    pub(super) fn hint(&self) -> &'static str {
        match self {
            Self::Batches { .. } => {
                "see that all nodes are up (`nodetool status`): Cassandra sends the batches of system.batches again by itself"
            }
            Self::Hints { .. } => {
                "see that these nodes are up and this one takes them for up (`nodetool status`), and that handoff is not paused \
                 (`nodetool resumehandoff`), and resume the task. If the hints cannot be sent, drop them \
                 (`nodetool truncatehints`), resume the task, and repair the base tables and the views"
            }
        }
    }
}

/// What carries rows to other nodes.
#[derive(Clone, Copy)]
enum Carrier {
    Batches,
    Hints,
}

/// Waits for the batches and then for the hints.
pub(super) async fn await_sent(agent: &Agent, work: &Work) -> Result<(), ViewsError> {
    if !Carrier::Batches.await_gone(agent, work).await? {
        warn!("system.batches may not be read: rows of views may reach other nodes later");
    }
    // A hint is in no file before the flush period has passed.
    work.update(|progress| progress.note = "hints that Cassandra has in memory".to_owned());
    let flush = agent.node.yaml.hints_flush_period + INTERVAL;
    work.or_stop(tokio::time::sleep(flush)).await?;
    if !Carrier::Hints.await_gone(agent, work).await? {
        let folder = agent.node.yaml.hints_directory.display();
        warn!(%folder, "the folder of hints is not there: rows of views may reach other nodes later");
    }
    Ok(())
}

impl Carrier {
    /// Waits until all that is there now is gone. Returns false if this cannot be seen.
    async fn await_gone(self, agent: &Agent, work: &Work) -> Result<bool, ViewsError> {
        let Some(mut left) = self.look(agent).await? else {
            return Ok(false);
        };
        let mut until = Instant::now() + self.wait();
        while !left.is_empty() {
            if Instant::now() >= until {
                return Err(ViewsError::Unsent(self.unsent(&left)));
            }
            work.update(|progress| progress.note = self.note(&left));
            work.or_stop(tokio::time::sleep(INTERVAL)).await?;
            let there = self.look(agent).await?.unwrap_or_default();
            let count = left.len();
            left.retain(|name| there.contains(name));
            if left.len() < count {
                until = Instant::now() + self.wait();
            }
        }
        Ok(true)
    }

    /// Ids of batches, or names of files of hints; none if this node or its role does not show them.
    async fn look(self, agent: &Agent) -> Result<Option<BTreeSet<String>>, AgentError> {
        match self {
            Self::Batches => {
                let rows = allowed(agent.node.cql.query(BATCHES).await)?;
                let id = |row: &Row| row.optional_text("id").map(str::to_owned);
                Ok(rows.map(|rows| rows.iter().filter_map(id).collect()))
            }
            Self::Hints => Ok(hints::files(&agent.node).await?),
        }
    }

    fn wait(self) -> Duration {
        match self {
            Self::Batches => BATCHES_WAIT,
            Self::Hints => HINTS_WAIT,
        }
    }

    fn note(self, left: &BTreeSet<String>) -> String {
        let count = left.len();
        match self {
            Self::Batches => format!("batches on their way to other nodes: {count}"),
            Self::Hints => format!("files of hints on their way to {}: {count}", nodes(left)),
        }
    }

    fn unsent(self, left: &BTreeSet<String>) -> Unsent {
        match self {
            Self::Batches => Unsent::Batches { count: left.len() },
            Self::Hints => Unsent::Hints { nodes: nodes(left) },
        }
    }
}

fn nodes(files: &HintFiles) -> String {
    Vec::from_iter(hints::nodes(files)).join(", ")
}
