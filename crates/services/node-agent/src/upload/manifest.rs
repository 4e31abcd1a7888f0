//! The node manifest: what makes an upload one, written last and never again.

use blob_store::Put;
use bucket::{Read, keys};
use cassandra_formats::parse_file_name;
use model::HostId;
use model::manifest::{NodeManifest, StoredFile, damaged_sstables};

use super::{Upload, UploadError};
use crate::agent::Agent;
use crate::snapshot::SnapshotTable;

/// A committed node manifest in figures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    pub host_id: HostId,
    /// Object key.
    pub object: String,
    /// Hex BLAKE3 of the manifest's body.
    pub blake3: String,
    pub bytes: u64,
    /// Of these, what this backup added to the bucket.
    pub uploaded_bytes: u64,
    /// Of these, what was copied inside the store.
    pub copied_bytes: u64,
    /// Of the tables themselves, not of their indexes.
    pub sstables: u64,
    /// Those of indexes among them.
    pub damaged_sstables: u64,
}

fn is_data(file: &str) -> bool {
    parse_file_name(file).is_ok_and(|(_, component)| component == cassandra_formats::DATA)
}

impl Summary {
    fn of(manifest: &NodeManifest, object: String, blake3: String) -> Self {
        let files = || manifest.files();
        let own_data = |file: &&StoredFile| file.index.is_none() && is_data(&file.name);
        Self {
            host_id: manifest.member.host_id,
            object,
            blake3,
            bytes: files().map(|file| file.bytes).sum(),
            uploaded_bytes: manifest.uploaded_bytes(),
            copied_bytes: manifest.copied_bytes(),
            sstables: files().filter(own_data).count() as u64,
            damaged_sstables: damaged_sstables(&manifest.damaged),
        }
    }
}

/// The summary of a manifest that an earlier try of this very upload has committed.
pub(super) async fn committed(
    agent: &Agent,
    upload: &Upload,
    host_id: HostId,
    tables: &[SnapshotTable],
) -> Result<Option<Summary>, UploadError> {
    let read = agent.bucket().node_manifest(&upload.backup, &host_id).await;
    let Some(Read {
        document: manifest,
        blake3,
    }) = read?
    else {
        return Ok(None);
    };
    let key = keys::node_manifest(&upload.backup, &host_id);
    let same_tables = manifest.tables.len() == tables.len()
        && tables.iter().all(|table| {
            manifest
                .tables
                .iter()
                .any(|named| named.id == table.table.id)
        });
    let same = manifest.snapshot_tag == upload.tag
        && manifest.snapshot_taken_at == upload.snapshot_taken_at
        && manifest.kind == upload.kind
        && manifest.base == upload.base
        && same_tables;
    if !same {
        return Err(UploadError::OtherManifest { key });
    }
    Ok(Some(Summary::of(&manifest, key, blake3)))
}

/// Creates the manifest; one that is there already is adopted if it says the same.
pub(super) async fn commit(agent: &Agent, manifest: NodeManifest) -> Result<Summary, UploadError> {
    let host_id = manifest.member.host_id;
    let key = keys::node_manifest(&manifest.backup, &host_id);
    let bucket = agent.bucket();
    let written = bucket.write(&key, manifest).await?;
    if written.put == Put::Exists {
        match bucket.read::<NodeManifest>(&key).await? {
            Some(there) if there.document == written.document => {}
            _ => return Err(UploadError::OtherManifest { key }),
        }
    }
    Ok(Summary::of(&written.document, key, written.blake3))
}
