//! Has the views built a second time.
//!
//! Up to Cassandra 4.1 a node that learns of a new view accepts rows for it a moment before it has a place to keep them, and
//! acknowledges them without keeping them. Rows of a first build may meet a node in that moment; those of a second build,
//! which begins once all nodes have ended the first, do not. They have the same timestamps, so that both may be written.

use std::time::Duration;

use cassandra_node::cql::Row;
use cassandra_node::role::allowed;
use cassandra_node::{CqlError, statements};
use model::TableRef;
use model::cql::{literal, quote};
use tokio::time::Instant;
use tracing::warn;

use super::{ViewsError, is_of};
use crate::agent::Agent;
use crate::error::AgentError;

/// Releases before 3.11 lack the column `status_replicated`.
pub(super) const MARKS: &str = "SELECT * FROM system.built_views";
/// How far builds are: the names of 3.11, and of 4.0 and later.
const IN_PROGRESS: [&str; 2] = [
    "system.views_builds_in_progress",
    "system.view_builds_in_progress",
];
const BUILT_VIEWS: &str = "system.built_views";
/// The pause between two looks at the marks.
const INTERVAL: Duration = Duration::from_secs(1);
/// How long Cassandra may take until it has reported a build to the ring. If it cannot, it tries again only minutes later.
const REPLICATED_WAIT: Duration = Duration::from_secs(60);
/// At the end of a comment while it is changed. A comment that has it was not changed back.
const SUFFIX: &str = " (being built again)";

/// Deletes what marks the views as built on this node. Returns false if Cassandra refuses that.
pub async fn forget_built(agent: &Agent, views: &[TableRef]) -> Result<bool, ViewsError> {
    await_marks(agent, views).await?;
    for (at, view) in views.iter().enumerate() {
        // The mark last: without it, and with what is in progress, Cassandra would build the rest only.
        for table in IN_PROGRESS {
            // Each release knows one of them only.
            allowed(delete(agent, table, view).await)?;
        }
        match delete(agent, BUILT_VIEWS, view).await {
            // A role that lacks the permission lacks it from the first on.
            Err(CqlError::Statement { why, .. }) if at == 0 => {
                warn!(%view, why, "Cassandra does not delete the mark that this node has built it");
                return Ok(false);
            }
            deleted => deleted?,
        };
    }
    Ok(true)
}

/// Waits until Cassandra has written the marks for the last time: a deleted one would be back.
async fn await_marks(agent: &Agent, views: &[TableRef]) -> Result<(), ViewsError> {
    let until = Instant::now() + REPLICATED_WAIT;
    loop {
        let rows = agent.node.cql.query(MARKS).await?;
        let is_awaited = |row: &&Row| {
            row.flag("status_replicated") == Ok(false) && views.iter().any(|view| is_of(row, view))
        };
        let Some(row) = rows.iter().find(is_awaited) else {
            return Ok(());
        };
        if Instant::now() >= until {
            let view = row.optional_text("view_name").unwrap_or_default();
            warn!(
                view,
                "Cassandra has not reported to the ring yet that the view is built"
            );
            return Ok(());
        }
        tokio::time::sleep(INTERVAL).await;
    }
}

async fn delete(agent: &Agent, table: &str, view: &TableRef) -> Result<(), CqlError> {
    let statement = format!("DELETE FROM {table} WHERE {}", of_view(view));
    agent.node.cql.execute(&statement).await
}

fn of_view(view: &TableRef) -> String {
    let (keyspace, name) = (literal(&view.keyspace), literal(&view.table));
    format!("keyspace_name = {keyspace} AND view_name = {name}")
}

/// Changes each view and changes it back: with a change of a view every node builds it if it is not marked as built. From 4.0
/// on, a change of one would be enough for all of its keyspace.
pub async fn rebuild(agent: &Agent, views: &[TableRef]) -> Result<(), ViewsError> {
    for view in views {
        let comment = comment(agent, view).await?;
        let name = format!("{}.{}", quote(&view.keyspace), quote(&view.table));
        let set = |comment: &str| {
            let comment = literal(comment);
            format!("ALTER MATERIALIZED VIEW {name} WITH comment = {comment}")
        };
        let changes = [set(&format!("{comment}{SUFFIX}")), set(&comment)];
        let executed = statements::execute(&agent.node, &changes).await;
        executed.map_err(AgentError::from)?;
    }
    Ok(())
}

/// The comment of a view as it was before any call of this.
async fn comment(agent: &Agent, view: &TableRef) -> Result<String, ViewsError> {
    let statement = format!(
        "SELECT comment FROM system_schema.views WHERE {}",
        of_view(view)
    );
    let rows = agent.node.cql.query(&statement).await?;
    let row = rows
        .first()
        .ok_or_else(|| ViewsError::NoView(view.clone()))?;
    let comment = row.optional_text("comment").unwrap_or_default();
    Ok(comment.strip_suffix(SUFFIX).unwrap_or(comment).to_owned())
}

#[cfg(test)]
mod tests;
