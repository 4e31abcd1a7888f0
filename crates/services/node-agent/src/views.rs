//! Waits until materialized views are built after a restore, and until their rows have reached the nodes that they belong on;
//! and has them built again.

mod again;
mod sent;

use std::time::Duration;

use api::{ErrorKind, ServiceError};
use cassandra_node::cql::Row;
use cassandra_node::tables;
use chassis::work::Work;
use model::TableRef;

use crate::agent::Agent;
use crate::busy::Look;
use crate::error::AgentError;

pub use again::{forget_built, rebuild};

/// The pause between two queries for the built views.
const VIEWS_INTERVAL: Duration = Duration::from_secs(1);
const BUILT_VIEWS: &str = "SELECT keyspace_name, view_name FROM system.built_views";
/// Why views are not built.
#[derive(Debug, thiserror::Error)]
pub enum ViewsError {
    #[error(transparent)]
    Agent(AgentError),
    #[error("the node has no view `{0}`")]
    NoView(TableRef),
    #[error(transparent)]
    Unsent(sent::Unsent),
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
            Self::Unsent(_) => ErrorKind::Unavailable,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Agent(error) => error.reason(),
            Self::NoView(_) => "VIEW_NOT_FOUND",
            Self::Unsent(unsent) => unsent.reason(),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Agent(error) => error.hint(),
            Self::NoView(_) => None,
            Self::Unsent(unsent) => Some(unsent.hint().to_owned()),
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
        let is_built = |view: &&TableRef| rows.iter().any(|row| is_of(row, view));
        let done = views.iter().filter(is_built).count();
        let waiting = views.iter().find(|view| !is_built(view));
        work.or_stop(look.if_due(agent)).await?;
        work.update(|progress| {
            progress.items_done = done as u64;
            progress.note = waiting.map(|view| look.note(view)).unwrap_or_default();
        });
        if waiting.is_none() {
            return sent::await_sent(agent, work).await;
        }
        work.or_stop(tokio::time::sleep(VIEWS_INTERVAL)).await?;
    }
}

/// Whether a row of `system.built_views` is of this view.
fn is_of(row: &Row, view: &TableRef) -> bool {
    row.optional_text("keyspace_name") == Some(&view.keyspace)
        && row.optional_text("view_name") == Some(&view.table)
}

#[cfg(test)]
mod tests;
