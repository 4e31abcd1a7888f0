//! Waits until materialized views are built after a restore, and until their rows have reached the nodes that they belong on.

use std::collections::BTreeSet;
use std::time::Duration;

use api::{ErrorKind, ServiceError};
use cassandra_node::cql::Row;
use cassandra_node::role::allowed;
use cassandra_node::tables;
use chassis::work::Work;
use model::TableRef;
use tokio::time::Instant;
use tracing::warn;

use crate::agent::Agent;
use crate::busy::Look;
use crate::error::AgentError;

/// The pause between two queries for the built views.
const VIEWS_INTERVAL: Duration = Duration::from_secs(1);
const BUILT_VIEWS: &str = "SELECT keyspace_name, view_name FROM system.built_views";
/// The rows of a view that belong on other nodes go there as batches. One that is lost on the way, as on a node that does not
/// know the new view yet, is sent again within half a minute.
const BATCHES: &str = "SELECT id FROM system.batches";
/// How long the batches may take that are there when the views are built.
const BATCHES_WAIT: Duration = Duration::from_secs(300);

/// Why views are not built.
#[derive(Debug, thiserror::Error)]
pub enum ViewsError {
    #[error(transparent)]
    Agent(AgentError),
    #[error("the node has no view `{0}`")]
    NoView(TableRef),
    #[error("batches of this node have not reached all replicas for {} s: {count}, and rows of the views may be among them", BATCHES_WAIT.as_secs())]
    Unsent { count: usize },
}

impl<E: Into<AgentError>> From<E> for ViewsError {
    fn from(error: E) -> Self {
        Self::Agent(error.into())
    }
}

impl ServiceError for ViewsError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Agent(error) => error.kind(),
            Self::NoView(_) => ErrorKind::NotFound,
            Self::Unsent { .. } => ErrorKind::Unavailable,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Agent(error) => error.reason(),
            Self::NoView(_) => "VIEW_NOT_FOUND",
            Self::Unsent { .. } => "BATCHES_UNSENT",
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Agent(error) => error.hint(),
            Self::NoView(_) => None,
            Self::Unsent { .. } => Some(
                "see that all nodes are up (`nodetool status`): Cassandra sends the batches of system.batches again by itself"
                    .into(),
            ),
        }
    }
}

/// Waits until this node has built the views from what it holds, and other nodes have their rows.
pub async fn await_views(agent: &Agent, views: &[TableRef], work: &Work) -> Result<(), ViewsError> {
    let known = tables::list(&*agent.node.cql).await?;
    let is_view = |view: &&TableRef| {
        known
            .iter()
            .any(|table| table.table == **view && table.view_of.is_some())
    };
    if let Some(missing) = views.iter().find(|view| !is_view(view)) {
        return Err(ViewsError::NoView(missing.clone()));
    }
    work.update(|progress| progress.items_total = views.len() as u64);
    let mut look = Look::default();
    loop {
        let rows = agent.node.cql.query(BUILT_VIEWS).await?;
        let is_built = |view: &&TableRef| {
            rows.iter().any(|row| {
                row.optional_text("keyspace_name") == Some(&view.keyspace)
                    && row.optional_text("view_name") == Some(&view.table)
            })
        };
        let done = views.iter().filter(is_built).count();
        let waiting = views.iter().find(|view| !is_built(view));
        work.or_stop(look.if_due(agent)).await?;
        work.update(|progress| {
            progress.items_done = done as u64;
            progress.note = waiting.map(|view| look.note(view)).unwrap_or_default();
        });
        if waiting.is_none() {
            return await_batches(agent, work).await;
        }
        work.or_stop(tokio::time::sleep(VIEWS_INTERVAL)).await?;
    }
}

/// Waits until the batches that are there now are done; those of clients come and go meanwhile.
async fn await_batches(agent: &Agent, work: &Work) -> Result<(), ViewsError> {
    let Some(mut left) = batches(agent).await? else {
        warn!("system.batches may not be read: rows of views may reach other nodes later");
        return Ok(());
    };
    let until = Instant::now() + BATCHES_WAIT;
    while !left.is_empty() {
        let count = left.len();
        if Instant::now() >= until {
            return Err(ViewsError::Unsent { count });
        }
        work.update(|progress| {
            progress.note = format!("batches on their way to other nodes: {count}")
        });
        work.or_stop(tokio::time::sleep(VIEWS_INTERVAL)).await?;
        let there = batches(agent).await?.unwrap_or_default();
        left.retain(|id| there.contains(id));
    }
    Ok(())
}

/// The ids of the batches that this node has still to send; none if the role may not read them.
async fn batches(agent: &Agent) -> Result<Option<BTreeSet<String>>, AgentError> {
    let rows = allowed(agent.node.cql.query(BATCHES).await)?;
    let id = |row: &Row| row.optional_text("id").map(str::to_owned);
    Ok(rows.map(|rows| rows.iter().filter_map(id).collect()))
}

#[cfg(test)]
mod tests;
