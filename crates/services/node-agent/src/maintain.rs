//! What follows a restore: older SSTables rewritten, views built.

use std::time::Duration;

use api::{ErrorKind, ServiceError};
use model::TableRef;

use crate::agent::Agent;
use crate::cause::Cause;
use crate::tables;
use crate::work::Work;

/// How often the node is asked whether its views are built.
const VIEWS_INTERVAL: Duration = Duration::from_secs(1);
const BUILT_VIEWS: &str = "SELECT keyspace_name, view_name FROM system.built_views";

/// Why what follows a restore is not done.
#[derive(Debug, thiserror::Error)]
pub enum MaintainError {
    #[error(transparent)]
    Cause(Cause),
    #[error("the node has no view `{0}`")]
    NoView(TableRef),
}

impl<E: Into<Cause>> From<E> for MaintainError {
    fn from(error: E) -> Self {
        Self::Cause(error.into())
    }
}

impl ServiceError for MaintainError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Cause(error) => error.kind(),
            Self::NoView(_) => ErrorKind::NotFound,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Cause(error) => error.reason(),
            Self::NoView(_) => "VIEW_NOT_FOUND",
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Cause(error) => error.hint(),
            Self::NoView(_) => None,
        }
    }
}

/// Rewrites the SSTables of older formats. Those that are rewritten already are left alone, so it may be repeated.
pub async fn upgrade_sstables(
    agent: &Agent,
    targets: &[TableRef],
    work: &Work,
) -> Result<(), MaintainError> {
    work.update(|progress| progress.items_total = targets.len() as u64);
    for table in targets {
        work.note(table.to_string());
        // Given up at any moment: Cassandra finishes the SSTable that it is at, and the next call does the rest.
        work.or_stop(agent.control.upgrade_sstables(table))
            .await??;
        work.update(|progress| progress.items_done += 1);
    }
    Ok(())
}

/// Waits until this node has built the views from what it holds.
pub async fn await_views(
    agent: &Agent,
    views: &[TableRef],
    work: &Work,
) -> Result<(), MaintainError> {
    let known = tables::list(&*agent.cql).await?;
    let is_view = |view: &&TableRef| {
        known
            .iter()
            .any(|table| table.table == **view && table.view_of.is_some())
    };
    if let Some(missing) = views.iter().find(|view| !is_view(view)) {
        return Err(MaintainError::NoView(missing.clone()));
    }
    work.update(|progress| progress.items_total = views.len() as u64);
    loop {
        let rows = agent.cql.query(BUILT_VIEWS).await?;
        let is_built = |view: &&TableRef| {
            rows.iter().any(|row| {
                row.optional_text("keyspace_name") == Some(&view.keyspace)
                    && row.optional_text("view_name") == Some(&view.table)
            })
        };
        let done = views.iter().filter(is_built).count();
        let waiting = views.iter().find(|view| !is_built(view));
        work.update(|progress| {
            progress.items_done = done as u64;
            progress.note = waiting.map(ToString::to_string).unwrap_or_default();
        });
        if waiting.is_none() {
            return Ok(());
        }
        work.or_stop(tokio::time::sleep(VIEWS_INTERVAL)).await?;
    }
}

#[cfg(test)]
mod tests;
