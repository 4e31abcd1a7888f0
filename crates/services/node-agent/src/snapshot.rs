//! Snapshots on the node: taken, checked until they are evidently whole, and removed.
//!
//! That Cassandra reports success is no evidence. A snapshot counts when every selected table has a folder with a manifest, and
//! every SSTable that the manifest names has its essential components there.

mod error;
mod verify;

use std::collections::BTreeSet;

use cassandra_node::control::SnapshotScope;
use cassandra_node::files::{self, blocking};
use cassandra_node::sstables;
use cassandra_node::tables::{self, Table};
use jiff::Timestamp;
use model::manifest::{KeptDamage, StoredFile};
use model::selection::is_user_keyspace;
use model::{BackupRef, Selection, TableId};
use serde::{Deserialize, Serialize};
use tracing::{info, warn};

use crate::agent::Agent;
use crate::folders::Folders;
use crate::journal::{self, Journal};
use crate::path_name;

pub use error::SnapshotError;
pub use verify::{SnapshotTable, verify};

/// What the journal of a snapshot holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SnapshotRecord {
    /// Taken by this agent and found whole.
    Taken(Taken),
    /// A file of it is in the bucket.
    Stored {
        backup: BackupRef,
        table: TableId,
        file: StoredFile,
        /// What of it was damaged on disk and was kept on demand.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        damage: Vec<KeptDamage>,
    },
    /// Files of it are in the bucket, in one pack. Releases before packs take it for a torn line if it is the last, cut it off
    /// and upload its files again; behind it they refuse the journal, and the next backup begins another one.
    Packed {
        backup: BackupRef,
        files: Vec<PackedFile>,
    },
}

/// A file that is in a pack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackedFile {
    pub table: TableId,
    pub file: StoredFile,
    /// What of it was damaged on disk and was kept on demand.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub damage: Vec<KeptDamage>,
}

/// How often a snapshot that is not whole is taken before it is given up.
const TRIES_MAX: u32 = 3;

/// A snapshot, and what it was when it was taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Taken {
    pub selection: Selection,
    pub taken_at: Timestamp,
    /// The selected tables as the schema had them then.
    pub tables: Vec<Table>,
    /// Of the tables themselves, not of their indexes.
    pub sstables: u64,
    pub bytes: u64,
}

/// Takes a snapshot, or returns the one that was taken under this tag with this selection. One that is not whole is
/// taken again, and if it stays so it is an error, never a smaller snapshot.
pub async fn take(agent: &Agent, tag: &str, selection: &Selection) -> Result<Taken, SnapshotError> {
    for _ in 1..TRIES_MAX {
        match take_once(agent, tag, selection).await {
            Err(error) if error.may_pass() => warn!(tag, %error, "the snapshot is taken again"),
            ended => return ended,
        }
    }
    take_once(agent, tag, selection).await
}

async fn take_once(
    agent: &Agent,
    tag: &str,
    selection: &Selection,
) -> Result<Taken, SnapshotError> {
    path_name::check("tag", tag)?;
    path_name::check_own_tag(tag)?;
    if let Some(taken) = taken_before(agent, tag, selection).await? {
        return Ok(taken);
    }
    // What is there under this tag is not whole, or not known: it is taken again.
    clear(agent, tag).await?;
    let tables = tables::select(&*agent.node.cql, selection).await?;
    refuse_old_names(agent, &tables).await?;
    let had_data = tables_with_data(agent, &tables).await?;
    if !tables.is_empty() {
        agent
            .node
            .control
            .snapshot(tag, &scope(selection, &tables))
            .await?;
    }
    let taken_at = (agent.clock)();
    let found = look(agent, tag, &tables).await?;
    let has_data = tables_with_data(agent, &tables).await?;
    for table in found.iter().filter(|table| table.sstables() == 0) {
        // Empty before or truncated meanwhile is fine. Data before and after, and none in the snapshot, is not.
        if had_data.contains(&table.table.id) && has_data.contains(&table.table.id) {
            return Err(SnapshotError::Empty {
                tag: tag.to_owned(),
                table: table.table.table.clone(),
            });
        }
    }
    let taken = Taken {
        selection: selection.clone(),
        taken_at,
        sstables: found.iter().map(SnapshotTable::sstables).sum(),
        bytes: found.iter().map(SnapshotTable::bytes).sum(),
        tables,
    };
    let (journal, _) = Journal::open(agent.folders.snapshot_journal(tag)).await?;
    journal
        .append(&SnapshotRecord::Taken(taken.clone()))
        .await?;
    info!(
        tag,
        tables = taken.tables.len(),
        sstables = taken.sstables,
        "snapshot taken"
    );
    Ok(taken)
}

async fn taken_before(
    agent: &Agent,
    tag: &str,
    selection: &Selection,
) -> Result<Option<Taken>, SnapshotError> {
    let records = journal::peek(agent.folders.snapshot_journal(tag)).await;
    // A journal that cannot be read holds nothing: the snapshot is taken again.
    let Some(taken) = records.ok().and_then(|records| find_taken(&records)) else {
        return Ok(None);
    };
    if taken.selection != *selection {
        return Ok(None);
    }
    Ok(look(agent, tag, &taken.tables)
        .await
        .is_ok()
        .then_some(taken))
}

/// What the journal says was taken.
pub fn find_taken(records: &[SnapshotRecord]) -> Option<Taken> {
    records.iter().find_map(|record| match record {
        SnapshotRecord::Taken(taken) => Some(taken.clone()),
        SnapshotRecord::Stored { .. } | SnapshotRecord::Packed { .. } => None,
    })
}

/// Finds and checks a snapshot's files.
pub async fn look(
    agent: &Agent,
    tag: &str,
    tables: &[Table],
) -> Result<Vec<SnapshotTable>, SnapshotError> {
    let (folders, tables, tag) = (agent.folders.clone(), tables.to_vec(), tag.to_owned());
    blocking(move || {
        tables
            .into_iter()
            .map(|table| verify(&folders, &tag, table))
            .collect()
    })
    .await
}

/// Whole keyspaces are passed as such: a list of their tables could be too long for a command line.
fn scope(selection: &Selection, tables: &[Table]) -> SnapshotScope {
    if !selection.tables.is_empty() {
        return SnapshotScope::Tables(tables.iter().map(|table| table.table.clone()).collect());
    }
    let keyspaces: BTreeSet<&str> = tables
        .iter()
        .map(|table| table.table.keyspace.as_str())
        .filter(|keyspace| is_user_keyspace(keyspace))
        .collect();
    SnapshotScope::Keyspaces(keyspaces.into_iter().map(str::to_owned).collect())
}

async fn tables_with_data(
    agent: &Agent,
    tables: &[Table],
) -> Result<BTreeSet<TableId>, SnapshotError> {
    let (folders, tables) = (agent.folders.clone(), tables.to_vec());
    blocking(move || {
        let mut found = BTreeSet::new();
        for table in tables {
            let files = folders.data.live_files(&table.table, &table.id)?;
            if files.iter().any(|file| file.is_own_data()) {
                found.insert(table.id);
            }
        }
        Ok(found)
    })
    .await
}

/// Refuses before anything is linked what a release before 2.2 has written and nobody has rewritten since.
async fn refuse_old_names(agent: &Agent, tables: &[Table]) -> Result<(), SnapshotError> {
    let (folders, tables) = (agent.folders.clone(), tables.to_vec());
    blocking(move || {
        for table in tables {
            let mut files = Vec::new();
            for folder in folders.data.live_folders(&table.table, &table.id) {
                files.extend(sstables::old_names(&folder)?);
            }
            if !files.is_empty() {
                let table = table.table;
                return Err(SnapshotError::OldNames { table, files });
            }
        }
        Ok(())
    })
    .await
}

/// Removes a snapshot and its journal. Succeeds if there is none, and if Cassandra is down.
pub async fn clear(agent: &Agent, tag: &str) -> Result<(), SnapshotError> {
    path_name::check("tag", tag)?;
    path_name::check_own_tag(tag)?;
    if !snapshot_folders(agent, tag).await?.is_empty() {
        let cleared = agent.node.control.clear_snapshot(tag).await;
        // Cassandra forgets tables that were dropped since, and may be down: the tag is ours, so what is
        // left of it is deleted here.
        let left = snapshot_folders(agent, tag).await?;
        let removed = blocking(move || {
            left.iter()
                .try_for_each(|folder| files::remove_tree(folder).map(drop))
        })
        .await;
        match (cleared, removed) {
            (_, Ok(())) => info!(tag, "snapshot cleared"),
            (Err(error), Err(_)) => return Err(error.into()),
            (Ok(()), Err(error)) => return Err(error.into()),
        }
    }
    journal::remove(agent.folders.snapshot_journal(tag)).await?;
    Ok(())
}

async fn snapshot_folders(
    agent: &Agent,
    tag: &str,
) -> Result<Vec<std::path::PathBuf>, SnapshotError> {
    let (folders, tag): (Folders, String) = (agent.folders.clone(), tag.to_owned());
    Ok(blocking(move || folders.data.snapshot_folders(&tag)).await?)
}

#[cfg(test)]
mod tests;
