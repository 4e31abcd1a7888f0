//! Uploads a snapshot: every file read once, hashed from those very bytes, and named by a manifest that comes last. Small
//! files travel together in packs.
//!
//! Whatever is in the bucket is never written again, so the work can be stopped anywhere and taken up again: what the
//! journal names is done, and what an earlier try stored without telling the journal is recognised by its content.

mod again;
mod copy;
mod damage;
mod earlier;
mod error;
mod facts;
mod fault;
mod file;
mod jobs;
mod manifest;
mod pack;
mod pieces;
mod put;
mod read;

use std::collections::HashMap;

use cassandra_node::keys;
use cassandra_node::tables;
use chassis::work::Work;
use jiff::Timestamp;
use model::manifest::{BackupKind, KeptDamage, NodeManifest, SstableFacts, StoredFile, TableFiles};
use model::{BackupName, BackupRef, Selection, TableId};
use tracing::info;

use crate::agent::Agent;
use crate::journal::Journal;
use crate::path_name;
use crate::snapshot::{self, SnapshotRecord, SnapshotTable, Taken};

pub use error::UploadError;
pub use manifest::Summary;

use earlier::earlier;
use file::Uploader;
use jobs::upload_files;
use pieces::Pieces;

/// What to upload as which backup.
#[derive(Debug, Clone)]
pub struct Upload {
    pub tag: String,
    pub backup: BackupRef,
    pub kind: BackupKind,
    pub base: Option<BackupName>,
    /// For a full backup: an earlier one whose unchanged files are copied inside the store.
    pub copy_from: Option<BackupName>,
    pub selection: Selection,
    pub snapshot_taken_at: Timestamp,
    /// Takes damaged SSTables as they are, and notes the damage.
    pub keep_damaged: bool,
}

/// A file by table, index and name.
pub(crate) type FileKey = (TableId, Option<String>, String);

/// A file as the bucket holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Kept {
    file: StoredFile,
    /// What of it was damaged on disk and was kept on demand.
    damage: Vec<KeptDamage>,
}

/// What the bucket holds of a snapshot.
#[derive(Default)]
struct Stored {
    files: HashMap<TableId, Vec<StoredFile>>,
    damaged: Vec<KeptDamage>,
}

impl Stored {
    fn add(&mut self, table: TableId, kept: Kept) {
        self.files.entry(table).or_default().push(kept.file);
        self.damaged.extend(kept.damage);
    }
}

/// Uploads what the bucket does not hold yet, and commits this node's manifest.
pub async fn upload(agent: &Agent, upload: &Upload, work: &Work) -> Result<Summary, UploadError> {
    path_name::check("tag", &upload.tag)?;
    path_name::check_own_tag(&upload.tag)?;
    upload.check_earlier()?;
    let identity = agent.node.identity().await?;
    let host_id = identity.member.host_id;
    let (journal, records) = Journal::open(agent.folders.snapshot_journal(&upload.tag)).await?;
    let tables = snapshot_tables(agent, upload, &records).await?;
    if let Some(summary) = manifest::committed(agent, upload, host_id, &tables).await? {
        info!(backup = %upload.backup, "the node manifest is there already");
        return Ok(summary);
    }
    let (earlier, earlier_facts) = earlier(agent, upload, host_id).await?;
    let limits = agent.limits.of(path_name::task_of_tag(&upload.tag));
    let uploader = Uploader {
        bucket: agent.bucket_within(&limits),
        work: work.child(),
        backup: upload.backup.clone(),
        host_id,
        earlier,
        done: stored_before(upload, records),
        journal,
        keep_damaged: upload.keep_damaged,
        pieces: Pieces::of(agent),
    };
    let mut stored = upload_files(agent, &limits, &uploader, &tables, work).await?;
    // The check of one component may report damage of another, whose own check reports it too.
    stored.damaged.sort();
    stored.damaged.dedup();
    let facts = facts::facts(
        agent,
        &tables,
        &stored,
        &earlier_facts,
        &identity.partitioner,
        upload.snapshot_taken_at,
        work,
    )
    .await?;
    let product = identity.release.product;
    let keys = match facts::key_names(&facts) {
        names if names.is_empty() => Vec::new(),
        names => keys::of_sstables(&agent.node, product, &upload.backup, names).await,
    };
    let manifest = NodeManifest {
        backup: upload.backup.clone(),
        kind: upload.kind,
        base: upload.base.clone(),
        member: identity.member,
        release: identity.release,
        partitioner: identity.partitioner,
        snapshot_tag: upload.tag.clone(),
        snapshot_taken_at: upload.snapshot_taken_at,
        tables: table_files(tables, stored.files, facts),
        damaged: stored.damaged,
        keys,
    };
    work.check()?;
    let summary = manifest::commit(agent, manifest).await?;
    info!(
        backup = %upload.backup,
        bytes = summary.bytes,
        uploaded_bytes = summary.uploaded_bytes,
        copied_bytes = summary.copied_bytes,
        damaged_sstables = summary.damaged_sstables,
        "node manifest committed"
    );
    Ok(summary)
}

/// The snapshot's tables as they were when it was taken; an agent that lost its journal uses the present schema.
async fn snapshot_tables(
    agent: &Agent,
    upload: &Upload,
    records: &[SnapshotRecord],
) -> Result<Vec<SnapshotTable>, UploadError> {
    let taken: Option<Taken> =
        snapshot::find_taken(records).filter(|taken| taken.selection == upload.selection);
    let selected = match taken {
        Some(taken) => taken.tables,
        None => tables::select(&*agent.node.cql, &upload.selection).await?,
    };
    Ok(snapshot::look(agent, &upload.tag, &selected).await?)
}

/// What the journal says is in the bucket; of two records for a file the later one counts.
fn stored_before(upload: &Upload, records: Vec<SnapshotRecord>) -> HashMap<FileKey, Kept> {
    let mut stored = HashMap::new();
    let mut add = |table, file, damage| {
        stored.insert(file_key(table, &file), Kept { file, damage });
    };
    for record in records {
        match record {
            SnapshotRecord::Stored {
                backup,
                table,
                file,
                damage,
            } if backup == upload.backup => add(table, file, damage),
            SnapshotRecord::Packed { backup, files } if backup == upload.backup => {
                for packed in files {
                    add(packed.table, packed.file, packed.damage);
                }
            }
            SnapshotRecord::Stored { .. }
            | SnapshotRecord::Packed { .. }
            | SnapshotRecord::Taken(_) => {}
        }
    }
    stored
}

fn file_key(table: TableId, file: &StoredFile) -> FileKey {
    (table, file.index.clone(), file.name.clone())
}

/// Every selected table, also those without data, in an order that does not depend on which upload ended first.
fn table_files(
    tables: Vec<SnapshotTable>,
    mut files: HashMap<TableId, Vec<StoredFile>>,
    mut facts: HashMap<TableId, Vec<SstableFacts>>,
) -> Vec<TableFiles> {
    tables
        .into_iter()
        .map(|SnapshotTable { table, .. }| {
            let mut files = files.remove(&table.id).unwrap_or_default();
            files.sort_by(|a, b| (&a.index, &a.name).cmp(&(&b.index, &b.name)));
            TableFiles {
                keyspace: table.table.keyspace,
                table: table.table.table,
                id: table.id,
                view_of: table.view_of,
                files,
                sstables: facts.remove(&table.id).unwrap_or_default(),
            }
        })
        .collect()
}

#[cfg(test)]
mod copy_tests;
#[cfg(test)]
mod damage_tests;
#[cfg(test)]
mod facts_tests;
#[cfg(test)]
mod memory_tests;
#[cfg(test)]
mod pack_tests;
#[cfg(test)]
mod put_tests;
#[cfg(test)]
mod tests;
