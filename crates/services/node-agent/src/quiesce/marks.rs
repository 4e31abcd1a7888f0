//! The truncation records of one restore: written, read back, and taken back.

use std::collections::BTreeMap;

use cassandra_node::CqlError;
use cassandra_node::truncation::{self, TruncationRecord};
use jiff::Timestamp;
use model::TableId;

use super::QuiesceError;
use crate::agent::Agent;
use crate::journal::Journal;
use crate::restore::{RestoreRecord, RestoreState};

/// Writes records with this time. What was there before is in the journal first, so that it can be put back.
pub(super) async fn write(
    agent: &Agent,
    journal: &Journal<RestoreRecord>,
    state: &RestoreState,
    tables: impl Iterator<Item = TableId>,
    cutoff: Timestamp,
) -> Result<(), QuiesceError> {
    let cql = &*agent.node.cql;
    let found = truncation::read(cql).await.map_err(refused)?;
    let mut wanted = BTreeMap::new();
    for table in tables {
        let earlier = found.get(&table).copied();
        let record = TruncationRecord::until(earlier, cutoff.as_millisecond());
        let before = match state.marked.get(&table) {
            Some(mark) => mark.before.clone(),
            None => earlier.map(|earlier| earlier.blob()),
        };
        let record_in_journal = RestoreRecord::Marked {
            table,
            before,
            cutoff_ms: record.truncated_at_ms,
        };
        journal.append(&record_in_journal).await?;
        wanted.insert(table, Some(record));
    }
    truncation::write(cql, &wanted).await.map_err(refused)?;
    let written = truncation::read(cql).await.map_err(refused)?;
    match wanted
        .iter()
        .find(|(id, record)| written.get(id) != record.as_ref())
    {
        Some((table, _)) => Err(QuiesceError::NotWritten { table: *table }),
        None => Ok(()),
    }
}

/// Puts back the records that were there before, unless a table has been truncated since.
pub(super) async fn take_back(
    agent: &Agent,
    journal: &Journal<RestoreRecord>,
    state: &RestoreState,
) -> Result<(), QuiesceError> {
    if state.marked.is_empty() {
        return Ok(());
    }
    let cql = &*agent.node.cql;
    let found = truncation::read(cql).await.map_err(refused)?;
    let own = state.marked.iter().filter(|(table, mark)| {
        let found = found.get(table);
        found.is_some_and(|found| mark.cutoffs_ms.contains(&found.truncated_at_ms))
    });
    let before = own.map(|(table, mark)| {
        let before = mark.before.as_deref().and_then(TruncationRecord::parse);
        (*table, before)
    });
    truncation::write(cql, &before.collect())
        .await
        .map_err(refused)?;
    for table in state.marked.keys() {
        let table = *table;
        journal.append(&RestoreRecord::Unmarked { table }).await?;
    }
    Ok(())
}

/// A statement that Cassandra refuses lacks a grant in all likelihood; the connection is another matter.
fn refused(error: CqlError) -> QuiesceError {
    match error {
        error @ CqlError::Statement { .. } => QuiesceError::Refused(error),
        other => other.into(),
    }
}
