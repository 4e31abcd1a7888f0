//! Uploads a snapshot: every file read once, hashed from those very bytes, and named by a manifest that comes last.
//!
//! Whatever is in the bucket is never written again, so the work can be stopped anywhere and taken up again: what the
//! journal names is done, and what an earlier try stored without telling the journal is recognised by its content.

mod error;
mod file;
mod manifest;
mod read;

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;
use model::manifest::{BackupKind, NodeManifest, StoredFile, TableFiles};
use model::{BackupName, BackupRef, HostId, Selection, TableId};
use tracing::info;

use crate::agent::Agent;
use crate::bucket::read_node_manifest;
use crate::journal::Journal;
use crate::names;
use crate::ring;
use crate::snapshot::{self, SnapshotRecord, SnapshotTable, Taken};
use crate::sstables::ComponentFile;
use crate::tables;
use crate::work::{self, Work};

pub use error::UploadError;
pub use manifest::Summary;

use file::Uploader;

/// What to upload as which backup.
#[derive(Debug, Clone)]
pub struct Upload {
    pub tag: String,
    pub backup: BackupRef,
    pub kind: BackupKind,
    pub base: Option<BackupName>,
    pub selection: Selection,
    pub snapshot_taken_at: Timestamp,
}

/// A file by table, index and name.
pub(crate) type FileKey = (TableId, Option<String>, String);

/// Uploads what the bucket does not hold yet, and commits this node's manifest.
pub async fn upload(agent: &Agent, upload: &Upload, work: &Work) -> Result<Summary, UploadError> {
    names::check("tag", &upload.tag)?;
    if upload.base.is_some() != (upload.kind == BackupKind::Differential) {
        return Err(UploadError::Base);
    }
    let identity = ring::identity(&*agent.cql).await?;
    let host_id = identity.member.host_id;
    let (journal, records) = Journal::open(agent.folders.snapshot_journal(&upload.tag)).await?;
    let tables = snapshot_tables(agent, upload, &records).await?;
    if let Some(summary) = manifest::committed(agent, upload, host_id, &tables).await? {
        info!(backup = %upload.backup, "the node manifest is there already");
        return Ok(summary);
    }
    let base = base_files(agent, upload, host_id).await?;
    let uploader = Uploader {
        store: agent.store.clone(),
        work: work.child(),
        backup: upload.backup.clone(),
        host_id,
        base_name: upload.base.clone(),
        base,
        done: stored_before(upload, records),
        journal,
        buffer_bytes: agent.config.read_buffer_bytes.max(1),
    };
    let files = upload_files(agent, &uploader, &tables, work).await?;
    let manifest = NodeManifest {
        backup: upload.backup.clone(),
        kind: upload.kind,
        base: upload.base.clone(),
        member: identity.member,
        release: identity.release,
        partitioner: identity.partitioner,
        snapshot_tag: upload.tag.clone(),
        snapshot_taken_at: upload.snapshot_taken_at,
        tables: table_files(tables, files),
    };
    work.check()?;
    let summary = manifest::commit(agent, manifest).await?;
    info!(
        backup = %upload.backup,
        bytes = summary.bytes,
        uploaded_bytes = summary.uploaded_bytes,
        "node manifest committed"
    );
    Ok(summary)
}

/// The snapshot's tables as they were when it was taken; an agent that lost its journal looks at the schema of now.
async fn snapshot_tables(
    agent: &Agent,
    upload: &Upload,
    records: &[SnapshotRecord],
) -> Result<Vec<SnapshotTable>, UploadError> {
    let taken: Option<Taken> =
        snapshot::find_taken(records).filter(|taken| taken.selection == upload.selection);
    let selected = match taken {
        Some(taken) => taken.tables,
        None => tables::select(tables::list(&*agent.cql).await?, &upload.selection)?,
    };
    Ok(snapshot::look(agent, &upload.tag, &selected).await?)
}

/// What the base holds of this node; nothing where the node was not in it.
async fn base_files(
    agent: &Agent,
    upload: &Upload,
    host_id: HostId,
) -> Result<HashMap<FileKey, StoredFile>, UploadError> {
    let Some(base) = &upload.base else {
        return Ok(HashMap::new());
    };
    let base = BackupRef {
        cluster: upload.backup.cluster.clone(),
        name: base.clone(),
    };
    let Some((manifest, _)) = read_node_manifest(&agent.store, &base, host_id).await? else {
        return Ok(HashMap::new());
    };
    let files = manifest.tables.into_iter().flat_map(|table| {
        let id = table.id;
        table
            .files
            .into_iter()
            .map(move |file| (file_key(id, &file), file))
    });
    Ok(files.collect())
}

/// What the journal says is in the bucket; of two records for a file the later one counts.
fn stored_before(upload: &Upload, records: Vec<SnapshotRecord>) -> HashMap<FileKey, StoredFile> {
    records
        .into_iter()
        .filter_map(|record| match record {
            SnapshotRecord::Stored {
                backup,
                table,
                file,
            } if backup == upload.backup => Some((file_key(table, &file), file)),
            SnapshotRecord::Stored { .. } | SnapshotRecord::Taken(_) => None,
        })
        .collect()
}

fn file_key(table: TableId, file: &StoredFile) -> FileKey {
    (table, file.index.clone(), file.name.clone())
}

async fn upload_files(
    agent: &Agent,
    uploader: &Uploader,
    tables: &[SnapshotTable],
    work: &Work,
) -> Result<HashMap<TableId, Vec<StoredFile>>, UploadError> {
    let files: Vec<(Arc<tables::Table>, ComponentFile)> = tables
        .iter()
        .flat_map(|table| {
            let of = Arc::new(table.table.clone());
            table
                .files
                .iter()
                .map(move |file| (of.clone(), file.clone()))
        })
        .collect();
    work.update(|progress| {
        progress.bytes_total = files.iter().map(|(_, file)| file.bytes).sum();
        progress.items_total = files.len() as u64;
    });
    let mut stored: HashMap<TableId, Vec<StoredFile>> = HashMap::new();
    let store = |(table, file): (Arc<tables::Table>, ComponentFile)| async move {
        let stored = uploader.store_file(&table, file).await?;
        Ok::<_, UploadError>((table.id, stored))
    };
    work::for_each(
        &uploader.work,
        agent.config.parallel_files,
        files,
        store,
        |(table, file)| {
            work.update(|progress| progress.items_done += 1);
            stored.entry(table).or_default().push(file);
        },
    )
    .await?;
    Ok(stored)
}

/// Every selected table, also those without data, in an order that does not depend on which upload ended first.
fn table_files(
    tables: Vec<SnapshotTable>,
    mut files: HashMap<TableId, Vec<StoredFile>>,
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
            }
        })
        .collect()
}

#[cfg(test)]
mod tests;
