//! The storage-catalog as its callers see it.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use cassandra_versions::Release;
use model::manifest::MissingNode;
use model::manifest::{BackupKind, BackupManifest, NodeSstables, VerificationResult};
use model::plan::KeyspaceCoverage;
use model::task::Deletion;
use model::{
    BackupName, BackupRef, BackupSummary, ClusterName, HostId, RingMember, Schema, Selection,
    StoreStatus, TaskId, VerifyLevel, VerifyReport,
};
use tonic::transport::Channel;

use super::call::{OnProgress, follow, invalid, next, within};
use crate::client::{StorageCatalogClient, storage_catalog};
use crate::convert::{all, all_into, parsed_optional, required};
use crate::pb::storage_catalog as pb;
use crate::pb::types as types_pb;
use crate::{ErrorKind, RemoteError};

const CATALOG: &str = "the storage-catalog";
/// Small reads and writes of the bucket.
const SHORT_DEADLINE: Duration = Duration::from_secs(30);
/// A commit asks the bucket for every object of the backup.
const COMMIT_DEADLINE: Duration = Duration::from_secs(3_600);
/// How long verifying or deleting may report nothing.
const SILENCE_LIMIT: Duration = Duration::from_secs(3_600);

/// Keeps what is in the bucket.
#[async_trait]
pub trait StorageCatalog: Send + Sync + 'static {
    /// Reserves the name of a backup for a task. Returns the base that was pinned for it, if it has one.
    async fn begin_backup(&self, begin: BeginBackup) -> Result<Option<BackupName>, RemoteError>;

    /// Makes a backup of what its nodes have uploaded.
    async fn commit_backup(&self, commit: CommitBackup) -> Result<(), RemoteError>;

    /// Marks a backup that was begun as failed.
    async fn abandon_backup(
        &self,
        backup: &BackupRef,
        task: TaskId,
        reason: &str,
    ) -> Result<(), RemoteError>;

    /// The backups of one cluster or of all, newest first, in whatever state they are.
    async fn list_backups(
        &self,
        cluster: Option<&ClusterName>,
    ) -> Result<Vec<BackupSummary>, RemoteError>;

    /// A complete backup; without a cluster the one of this name in the whole bucket, if there is just one.
    async fn get_backup(
        &self,
        cluster: Option<&ClusterName>,
        name: &BackupName,
    ) -> Result<CompleteBackup, RemoteError>;

    /// The backup of this name in whatever state it is; without a cluster the one in the whole bucket, if there is just one.
    async fn find_backup(
        &self,
        cluster: Option<&ClusterName>,
        name: &BackupName,
    ) -> Result<BackupRef, RemoteError>;

    /// What is known of the backup's SSTables, by node.
    async fn list_sstables(
        &self,
        backup: &BackupRef,
        selection: &Selection,
    ) -> Result<Vec<NodeSstables>, RemoteError>;

    /// Keeps a backup from being deleted while a task needs it.
    async fn pin_backup(&self, backup: &BackupRef, task: TaskId) -> Result<(), RemoteError>;

    /// Releases the task's pin. Succeeds if there is none.
    async fn unpin_backup(&self, backup: &BackupRef, task: TaskId) -> Result<(), RemoteError>;

    /// Checks a backup in the bucket.
    async fn verify_backup(
        &self,
        backup: &BackupRef,
        level: VerifyLevel,
        on_progress: OnProgress<'_>,
    ) -> Result<VerifyReport, RemoteError>;

    /// Deletes a backup and all objects that only it needs.
    async fn delete_backup(
        &self,
        backup: &BackupRef,
        even_if_running: bool,
        on_progress: OnProgress<'_>,
    ) -> Result<Deletion, RemoteError>;

    /// Which store it is, and whether it can be reached.
    async fn get_store_status(&self) -> Result<StoreStatus, RemoteError>;
}

/// A complete backup and what verifications have found in it.
#[derive(Debug, Clone, PartialEq)]
pub struct CompleteBackup {
    pub manifest: BackupManifest,
    /// The newest of each level.
    pub verifications: Vec<VerificationResult>,
}

/// What a backup is begun with.
#[derive(Debug, Clone, PartialEq)]
pub struct BeginBackup {
    pub backup: BackupRef,
    pub kind: BackupKind,
    /// The full backup to build on; none: the newest, for a differential backup.
    pub base: Option<BackupName>,
    pub task: TaskId,
    pub selection: Selection,
}

/// What a backup is committed with: the cluster as it was when the snapshots had been taken.
#[derive(Debug, Clone, PartialEq)]
pub struct CommitBackup {
    pub backup: BackupRef,
    pub task: TaskId,
    pub hosts: Vec<HostId>,
    pub ring: Vec<RingMember>,
    pub schema: Schema,
    pub cluster_name: String,
    pub release: Release,
    pub partitioner: String,
    pub snapshot_spread_ms: u64,
    /// The members of the ring that the backup is made without, on demand.
    pub missing: Vec<MissingNode>,
    /// If any are missing: what the backup has of each keyspace.
    pub coverage: Vec<KeyspaceCoverage>,
}

/// A storage-catalog behind a channel.
#[derive(Clone)]
pub struct RemoteStorageCatalog {
    client: StorageCatalogClient,
}

impl RemoteStorageCatalog {
    pub fn new(channel: Channel) -> Self {
        Self {
            client: storage_catalog(channel),
        }
    }
}

#[async_trait]
impl StorageCatalog for RemoteStorageCatalog {
    async fn begin_backup(&self, begin: BeginBackup) -> Result<Option<BackupName>, RemoteError> {
        let request = pb::BeginBackupRequest {
            backup: Some(begin.backup.into()),
            kind: types_pb::BackupKind::from(begin.kind) as i32,
            base: begin.base.map(String::from).unwrap_or_default(),
            task_id: begin.task.to_string(),
            selection: Some(begin.selection.into()),
        };
        let mut client = self.client.clone();
        let begun = within(SHORT_DEADLINE, client.begin_backup(request)).await?;
        parsed_optional("base", &begun.base).map_err(invalid(CATALOG))
    }

    async fn commit_backup(&self, commit: CommitBackup) -> Result<(), RemoteError> {
        let request = pb::CommitBackupRequest {
            backup: Some(commit.backup.into()),
            task_id: commit.task.to_string(),
            host_ids: commit.hosts.iter().map(ToString::to_string).collect(),
            ring: all_into(commit.ring),
            schema: Some(commit.schema.into()),
            cluster_name: commit.cluster_name,
            release: Some(commit.release.into()),
            partitioner: commit.partitioner,
            snapshot_spread_ms: commit.snapshot_spread_ms,
            missing: all_into(commit.missing),
            held: all_into(commit.coverage),
        };
        let mut client = self.client.clone();
        within(COMMIT_DEADLINE, client.commit_backup(request)).await?;
        Ok(())
    }

    async fn abandon_backup(
        &self,
        backup: &BackupRef,
        task: TaskId,
        reason: &str,
    ) -> Result<(), RemoteError> {
        let request = pb::AbandonBackupRequest {
            backup: Some(backup.clone().into()),
            task_id: task.to_string(),
            reason: reason.to_owned(),
        };
        let mut client = self.client.clone();
        within(SHORT_DEADLINE, client.abandon_backup(request)).await?;
        Ok(())
    }

    async fn list_backups(
        &self,
        cluster: Option<&ClusterName>,
    ) -> Result<Vec<BackupSummary>, RemoteError> {
        let request = pb::ListBackupsRequest {
            cluster: cluster.map(ToString::to_string).unwrap_or_default(),
        };
        let mut client = self.client.clone();
        let response = within(SHORT_DEADLINE, client.list_backups(request)).await?;
        all(response.backups).map_err(invalid(CATALOG))
    }

    async fn get_backup(
        &self,
        cluster: Option<&ClusterName>,
        name: &BackupName,
    ) -> Result<CompleteBackup, RemoteError> {
        let request = pb::GetBackupRequest {
            backup: Some(named(cluster, name)),
        };
        let mut client = self.client.clone();
        let response = within(SHORT_DEADLINE, client.get_backup(request)).await?;
        let backup = required("backup", response.backup).map_err(invalid(CATALOG))?;
        Ok(CompleteBackup {
            manifest: backup.try_into().map_err(invalid(CATALOG))?,
            verifications: all(response.verifications).map_err(invalid(CATALOG))?,
        })
    }

    async fn find_backup(
        &self,
        cluster: Option<&ClusterName>,
        name: &BackupName,
    ) -> Result<BackupRef, RemoteError> {
        let request = pb::FindBackupRequest {
            backup: Some(named(cluster, name)),
        };
        let mut client = self.client.clone();
        let response = within(SHORT_DEADLINE, client.find_backup(request)).await?;
        let backup = required("backup", response.backup).map_err(invalid(CATALOG))?;
        backup.try_into().map_err(invalid(CATALOG))
    }

    async fn list_sstables(
        &self,
        backup: &BackupRef,
        selection: &Selection,
    ) -> Result<Vec<NodeSstables>, RemoteError> {
        let request = pb::ListSstablesRequest {
            backup: Some(backup.clone().into()),
            selection: Some(selection.clone().into()),
        };
        let mut client = self.client.clone();
        let mut stream = within(SHORT_DEADLINE, client.list_sstables(request)).await?;
        // By host id: a node that came twice would count twice.
        let mut nodes = BTreeMap::new();
        while let Some(message) = next(&mut stream, SILENCE_LIMIT).await? {
            let node = required("node", message.node).map_err(invalid(CATALOG))?;
            let node: NodeSstables = node.try_into().map_err(invalid(CATALOG))?;
            nodes.insert(node.host_id, node);
        }
        Ok(nodes.into_values().collect())
    }

    async fn pin_backup(&self, backup: &BackupRef, task: TaskId) -> Result<(), RemoteError> {
        let request = pb::PinBackupRequest {
            backup: Some(backup.clone().into()),
            task_id: task.to_string(),
        };
        let mut client = self.client.clone();
        within(SHORT_DEADLINE, client.pin_backup(request)).await?;
        Ok(())
    }

    async fn unpin_backup(&self, backup: &BackupRef, task: TaskId) -> Result<(), RemoteError> {
        let request = pb::UnpinBackupRequest {
            backup: Some(backup.clone().into()),
            task_id: task.to_string(),
        };
        let mut client = self.client.clone();
        within(SHORT_DEADLINE, client.unpin_backup(request)).await?;
        Ok(())
    }

    async fn verify_backup(
        &self,
        backup: &BackupRef,
        level: VerifyLevel,
        on_progress: OnProgress<'_>,
    ) -> Result<VerifyReport, RemoteError> {
        let request = pb::VerifyBackupRequest {
            backup: Some(backup.clone().into()),
            level: pb::VerifyLevel::from(level) as i32,
        };
        let mut client = self.client.clone();
        let call = client.verify_backup(request);
        let last = follow(SILENCE_LIMIT, on_progress, call).await?;
        let report = last
            .and_then(|last| last.report)
            .ok_or_else(|| cut_short("a verification that ended without a report"))?;
        report.try_into().map_err(invalid(CATALOG))
    }

    async fn delete_backup(
        &self,
        backup: &BackupRef,
        even_if_running: bool,
        on_progress: OnProgress<'_>,
    ) -> Result<Deletion, RemoteError> {
        let request = pb::DeleteBackupRequest {
            backup: Some(backup.clone().into()),
            even_if_running,
        };
        let mut client = self.client.clone();
        let call = client.delete_backup(request);
        let last = follow(SILENCE_LIMIT, on_progress, call).await?;
        let last = last.ok_or_else(|| cut_short("a deletion that ended without a result"))?;
        Ok(Deletion {
            objects: last.deleted_objects,
            bytes: last.freed_bytes,
        })
    }

    async fn get_store_status(&self) -> Result<StoreStatus, RemoteError> {
        let request = pb::GetStoreStatusRequest {};
        let mut client = self.client.clone();
        let status = within(SHORT_DEADLINE, client.get_store_status(request)).await?;
        Ok(status.into())
    }
}

/// On the wire an empty cluster stands for none.
fn named(cluster: Option<&ClusterName>, name: &BackupName) -> types_pb::BackupRef {
    types_pb::BackupRef {
        cluster: cluster.map(ToString::to_string).unwrap_or_default(),
        name: name.to_string(),
    }
}

/// A stream that ends early is a connection that broke.
fn cut_short(what: &str) -> RemoteError {
    RemoteError::new(
        ErrorKind::Unavailable,
        "",
        format!("{CATALOG} returned {what}"),
    )
}
