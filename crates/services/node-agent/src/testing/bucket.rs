//! What others do in the bucket of a fake node: the catalog that commits, the runner that knows hashes, and intruders.

use std::fs;

use bucket::{Bucket, BucketError, Document, Read, seal_document};
use chassis::work::Work;
use model::manifest::{BackupManifest, BackupNode, NodeManifest};
use model::{BackupRef, HostId, Schema, Selection, TaskId};
use serde::Serialize;
use uuid::Uuid;

use super::FakeNode;
use crate::stage::{Stage, StageError};

impl FakeNode {
    /// Stages with the hashes of the manifests that are in the bucket now, where the request has none.
    pub async fn stage(&self, stage: &Stage, work: &Work) -> Result<u64, StageError> {
        let mut stage = stage.clone();
        for source in &stage.sources {
            let blake3 = match self.read(&stage.backup, *source).await {
                Ok(Some(read)) => read.blake3,
                _ => "of a manifest that cannot be read".to_owned(),
            };
            stage.manifests.entry(*source).or_insert(blake3);
        }
        crate::stage::stage(&self.agent, &stage, work).await
    }

    pub async fn read(
        &self,
        backup: &BackupRef,
        host_id: HostId,
    ) -> Result<Option<Read<NodeManifest>>, BucketError> {
        let bucket = Bucket::new(self.bucket.clone());
        bucket.node_manifest(backup, &host_id).await
    }

    /// Writes the manifest of a backup of the one node that the fakes are.
    pub async fn commit(&self, backup: &str) {
        self.commit_node(backup, Self::host_id(1)).await;
    }

    pub async fn commit_node(&self, backup: &str, host_id: HostId) {
        let backup = Self::backup(backup);
        let Read {
            document: manifest,
            blake3,
        } = self
            .read(&backup, host_id)
            .await
            .unwrap()
            .expect("a node manifest");
        let copied_from = manifest.copied_from();
        let node = BackupNode {
            host_id: manifest.member.host_id,
            release: manifest.release.clone(),
            snapshot_taken_at: manifest.snapshot_taken_at,
            manifest: bucket::keys::node_manifest(&backup, &manifest.member.host_id),
            blake3,
            bytes: 0,
            uploaded_bytes: 0,
            copied_bytes: 0,
            sstables: 0,
            tables: Vec::new(),
            damaged_sstables: 0,
            damaged: Vec::new(),
        };
        let committed = BackupManifest {
            backup: backup.clone(),
            kind: manifest.kind,
            base: manifest.base,
            task_id: TaskId(Uuid::nil()),
            started_at: manifest.snapshot_taken_at,
            finished_at: manifest.snapshot_taken_at,
            cluster_name: "c".to_owned(),
            release: manifest.release,
            partitioner: manifest.partitioner,
            selection: Selection::default(),
            snapshot_spread_ms: 0,
            ring: vec![manifest.member],
            nodes: vec![node],
            schema: Schema::default(),
            missing: Vec::new(),
            coverage: Vec::new(),
            copied_from,
        };
        let key = bucket::keys::backup_manifest(&backup);
        self.put_sealed(&key, &committed);
    }

    /// Puts a node manifest under any key, in the place of what is there.
    pub fn put_manifest(&self, key: &str, manifest: &NodeManifest) {
        self.put_sealed(key, manifest);
    }

    fn put_sealed(&self, key: &str, document: &(impl Document + Serialize)) {
        let path = self.bucket_root.join(key);
        fs::create_dir_all(path.parent().expect("a folder")).unwrap();
        let _ = fs::remove_file(&path);
        fs::write(&path, seal_document(document).unwrap().0).unwrap();
    }
}
